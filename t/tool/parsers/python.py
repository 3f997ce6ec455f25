#!/usr/bin/python3

# How Django, Werkzeug and Python's "json", and with "more" as the argument
# Starlette and Tornado, read requests: see Test::Flowdash::Parsers for what goes
# in and out.

import asyncio
import io
import json
import struct
import sys
import urllib.parse


def plain(value):
    """JSON with its numbers' spelling, and names once."""
    if value is True or value is False or value is None:
        return value
    if isinstance(value, (int, float)):
        return {"$number": repr(value)}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def file(name, type, size):
    return {"$file": [name or "", type or "", size]}


def tree(source, value):
    return [source, "tree", plain(value)]


class Request:
    """What a server such as gunicorn hands to a WSGI app."""

    def __init__(self, raw):
        head, self.body = raw.split(b"\r\n\r\n", 1)
        start, *lines = head.decode("latin-1").split("\r\n")
        self.method, target, _ = start.split(" ")
        self.path, _, self.query = target.partition("?")
        self.headers = [tuple(line.split(": ", 1)) for line in lines
                        if ": " in line]

    def header(self, name):
        for other, value in self.headers:
            if other.lower() == name:
                return value
        return ""

    def environ(self):
        environ = {
            "REQUEST_METHOD": self.method, "PATH_INFO": self.path,
            "QUERY_STRING": self.query, "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost", "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": sys.stderr, "wsgi.multithread": False,
            "wsgi.multiprocess": False, "wsgi.run_once": False,
        }
        for name, value in self.headers:
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = "HTTP_" + key
            environ[key] = value
        return environ

    def is_json(self):
        return "json" in self.header("content-type").lower()


def django(request):
    from django.core.handlers.wsgi import WSGIRequest
    r = WSGIRequest(request.environ())
    views = [["query", "pairs", [[n, v] for n, l in r.GET.lists() for v in l]]]
    if request.is_json():
        return views + [tree("body", json.loads(r.body))]
    pairs = [[n, v] for n, l in r.POST.lists() for v in l]
    pairs += [[n, file(f.name, f.content_type, f.size)]
              for n, l in r.FILES.lists() for f in l]
    return views + [["body", "pairs", pairs]]


def werkzeug(request):
    from werkzeug.wrappers import Request as WerkzeugRequest
    r = WerkzeugRequest(request.environ())
    views = [["query", "pairs", [[n, v] for n, v in r.args.items(multi=True)]]]
    if request.is_json():
        return views + [tree("body", r.get_json())]
    pairs = [[n, v] for n, v in r.form.items(multi=True)]
    pairs += [[n, file(f.filename, f.content_type, len(f.stream.read()))]
              for n, f in r.files.items(multi=True)]
    return views + [["body", "pairs", pairs]]


def only_json(request):
    return [tree("json", json.loads(request.body))]


def parse_qs(request):
    views = [["query", "pairs", urllib.parse.parse_qsl(
        request.query, keep_blank_values=True)]]
    if "urlencoded" in request.header("content-type").lower():
        views.append(["body", "pairs", urllib.parse.parse_qsl(
            request.body.decode(), keep_blank_values=True)])
    return views


def starlette(request):
    from starlette.requests import Request as StarletteRequest

    async def receive():
        return {"type": "http.request", "body": request.body,
                "more_body": False}

    async def run():
        r = StarletteRequest(
            {"type": "http", "method": request.method, "path": request.path,
             "query_string": request.query.encode("latin-1"),
             "headers": [(n.lower().encode("latin-1"), v.encode("latin-1"))
                         for n, v in request.headers]}, receive)
        views = [["query", "pairs", r.query_params.multi_items()]]
        if request.is_json():
            return views + [tree("body", await r.json())]
        pairs = []
        for name, value in (await r.form()).multi_items():
            if not isinstance(value, str):
                size = len(await value.read())
                value = file(value.filename, value.content_type, size)
            pairs.append([name, value])
        return views + [["body", "pairs", pairs]]

    return asyncio.run(run())


def tornado(request):
    from tornado.httputil import (HTTPHeaders, HTTPServerRequest,
                                  RequestStartLine)
    headers = HTTPHeaders()
    for name, value in request.headers:
        headers.add(name, value)
    target = request.path + ("?" + request.query if request.query else "")
    r = HTTPServerRequest(
        start_line=RequestStartLine(request.method, target, "HTTP/1.1"),
        headers=headers, body=request.body, connection=Connection())
    r._parse_body()

    def text(values, coding):
        return [[n.encode(coding).decode(), v.decode()]
                for n, l in values.items() for v in l]

    # names of urlencoded fields are ISO-8859-1 for Tornado, values UTF-8
    views = [["query", "pairs", text(r.query_arguments, "latin-1")]]
    if request.is_json():
        return views + [tree("body", json.loads(r.body))]
    multipart = "multipart" in request.header("content-type").lower()
    pairs = text(r.body_arguments, "utf-8" if multipart else "latin-1")
    pairs += [[n, file(f.filename, f.content_type, len(f.body))]
              for n, l in r.files.items() for f in l]
    return views + [["body", "pairs", pairs]]


class Connection:
    """As much of a connection as Tornado asks for."""

    context = None


def main():
    parsers = [django, werkzeug, parse_qs, only_json]
    if sys.argv[1:] == ["more"]:
        import logging
        logging.disable(logging.CRITICAL)
        parsers = [starlette, tornado]
    else:
        from django.conf import settings
        settings.configure(ALLOWED_HOSTS=["*"])

    for path in sys.stdin:
        with open(path.rstrip("\n"), "rb") as batch:
            while length := batch.read(4):
                raw = batch.read(struct.unpack(">I", length)[0])
                readings = {}
                for parser in parsers:
                    try:
                        reading = parser(Request(raw))
                    except Exception:
                        reading = None
                    readings[parser.__name__] = reading
                print(json.dumps(readings, separators=(",", ":")), flush=True)


main()
