"""Django and Flask, each with a server of its own.

What all programs in this directory have in common is said in
t/lib/Test/Flowdash/Routers.pm.
"""

import sys
import threading
from socketserver import ThreadingMixIn
from urllib.parse import quote
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import path, re_path
from flask import Flask, Response, request
from werkzeug.serving import WSGIRequestHandler as FlaskRequestHandler
from werkzeug.serving import make_server


def headers(name, number, method):
    return {'X-Handler': name, 'X-Task': quote(str(number), safe=''),
            'X-Method': method}


def view(name):
    def handler(request, pk=''):
        response = HttpResponse()
        for header, value in headers(name, pk, request.method).items():
            response[header] = value
        return response
    return handler


# A view of Django's takes every method, unless it looks at it.  The two ways to
# write a pattern are both usual; that of a regular expression has no end where
# its author forgot it.

urlpatterns = [
    path('tasks/<int:pk>/finish/', view('finish')),
    re_path(r'^tasks/(?P<pk>[^/]+)/finish', view('finish')),
    path('tasks/<pk>', view('save')),
    path('issues/bulk_update', view('bulk_update')),
    re_path(r'^issues/(?P<pk>\d+)/edit(\.\w+)?$', view('preview')),
    re_path(r'^issues/(?P<pk>\d+)(\.\w+)?/?$', view('update')),
    path('issues/<path:pk>', view('update')),
    path('login', view('login')),
    re_path(r'', view('none')),
]

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=['*'],
                   SECRET_KEY='not used', APPEND_SLASH=True,
                   MIDDLEWARE=['django.middleware.common.CommonMiddleware'],
                   LOGGING_CONFIG=None)
django.setup()


flask = Flask(__name__)


def rule(pattern, name, *methods):
    def handler(pk='', **_):
        return Response(headers=headers(name, pk, request.method))
    flask.add_url_rule(pattern, pattern + name, handler, methods=methods)


CHANGES = ('POST', 'PUT', 'PATCH')

rule('/tasks/<pk>', 'show', 'GET')
rule('/tasks/<int:pk>/finish', 'finish', 'POST')
rule('/tasks/<pk>/finish/', 'finish', 'POST')
rule('/tasks/<pk>', 'save', *CHANGES)
rule('/tasks/<pk>', 'destroy', 'DELETE')
rule('/issues/bulk_update', 'bulk_update', *CHANGES)
rule('/issues/<int:pk>/edit.<ext>', 'preview', 'POST', 'PATCH')
rule('/issues/<pk>', 'show', 'GET')
rule('/issues/<pk>', 'update', *CHANGES)
rule('/issues/<int:pk>.<ext>', 'show', 'GET')
rule('/issues/<int:pk>.<ext>', 'update', *CHANGES)
rule('/issues/<pk>', 'destroy', 'DELETE')
rule('/login', 'login', 'POST')


@flask.errorhandler(404)
def not_found(_):
    return Response(status=404, headers=headers('none', '', request.method))


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


class FlaskQuiet(FlaskRequestHandler):
    def log(self, *_):
        pass


servers = [Server(('127.0.0.1', int(sys.argv[1])), Quiet)]
servers[0].set_app(WSGIHandler())
servers.append(make_server('127.0.0.1', int(sys.argv[2]), flask, threaded=True,
                           request_handler=FlaskQuiet))

for server in servers[1:]:
    threading.Thread(target=server.serve_forever, daemon=True).start()

servers[0].serve_forever()
