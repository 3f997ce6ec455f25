"""Python requests: KIND URL [NAME VALUE | NAME @FILE] ..."""

import json
import os.path
import sys

import requests

kind, url, *rest = sys.argv[1:]
fields = list(zip(rest[::2], rest[1::2]))
values = [(n, v) for n, v in fields if not v.startswith('@')]
paths = [(n, v[1:]) for n, v in fields if v.startswith('@')]

if kind == 'urlencoded':
    requests.post(url, data=values)
elif kind == 'query':
    requests.post(url, params=values)
elif kind == 'json':
    requests.post(url, json=json.loads(rest[0]))
elif kind == 'untyped':
    requests.post(url, data=values,
                  files=[(n, open(p, 'rb')) for n, p in paths])
elif paths:
    requests.post(url, data=values, files=[
        (n, (os.path.basename(p), open(p, 'rb'), 'text/plain'))
        for n, p in paths])
else:
    requests.post(url, files=[(n, (None, v)) for n, v in values])
