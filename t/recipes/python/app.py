"""A task app as Python's frameworks make them: WSGI, with the path in PATH_INFO.

A session is a cookie; a form has a token and a password beside the task's fields.
"""

import json
import os
import re
from http.cookies import SimpleCookie
from urllib.parse import parse_qs

FILE = os.environ['TASKS']
FORM = """<!DOCTYPE html><title>Task</title><p id=status>{status}</p>
<p id=due>{due}</p><form method=post>
<input type=hidden name=csrf_token value=token-of-ada>
<input id=title name=title value="{title}">
<select id=new-status name=status><option>open<option>done</select>
<input id=password name=password type=password>
<input type=hidden name=due value="{due}"><button id=save>Save</button></form>"""


def application(environ, start_response):
    def answer(status, text='', *headers):
        start_response(status, [('Content-Type', 'text/html; charset=utf-8'),
                                *headers])
        return [text.encode()]

    method = environ['REQUEST_METHOD']
    path = environ['PATH_INFO'].rstrip('/').lower()
    cookies = SimpleCookie(environ.get('HTTP_COOKIE', ''))
    user = 'session' in cookies and cookies['session'].value == 'of-ada'
    form = {}
    if method != 'GET':
        length = int(environ.get('CONTENT_LENGTH') or 0)
        form = parse_qs(environ['wsgi.input'].read(length).decode(),
                        keep_blank_values=True)
        form = {name: values[-1] for name, values in form.items()}

    if path == '/login':
        if form.get('password') == 'ada-secret':
            return answer('303 See Other', '', ('Location', '/tasks/1'),
                          ('Set-Cookie', 'session=of-ada; Path=/; HttpOnly'))
        return answer('200 OK', '<form method=post><input name=password '
                                'type=password><button>Log in</button></form>')

    if path == '/me':
        start_response('200 OK' if user else '401 Unauthorized',
                       [('Content-Type', 'application/json')])
        return [json.dumps({'id': 'ada', 'email': 'ada@example.com'}).encode()
                if user else b'{}']

    with open(FILE, encoding='utf-8') as file:
        tasks = json.load(file)

    match = re.fullmatch(r'/(?:v0/)?tasks/(\d+)', path)
    if not match or match[1] not in tasks:
        return answer('404 Not Found', 'There is no such page.')

    task = tasks[match[1]]
    if method == 'GET':
        return answer('200 OK', FORM.format(**task))

    if not user or form.get('csrf_token') != 'token-of-ada' \
            or form.get('password') != 'ada-secret':
        return answer('403 Forbidden', 'No.')

    task.update({name: form[name] for name in task if name in form})
    with open(FILE, 'w', encoding='utf-8') as file:
        json.dump(tasks, file)
    return answer('303 See Other', '', ('Location', '/tasks/' + match[1]))
