"""Python httpx: KIND URL [NAME VALUE | NAME @FILE] ..."""

import json
import sys

import httpx

kind, url, *rest = sys.argv[1:]
fields = list(zip(rest[::2], rest[1::2]))
paths = [(n, v[1:]) for n, v in fields if v.startswith('@')]
data = {}
for name, value in fields:
    if not value.startswith('@'):
        data.setdefault(name, []).append(value)

if kind == 'urlencoded':
    httpx.post(url, data=data)
elif kind == 'query':
    httpx.post(url, params=fields)
elif kind == 'json':
    httpx.post(url, json=json.loads(rest[0]))
elif paths:
    httpx.post(url, data=data,
               files=[(n, open(p, 'rb')) for n, p in paths])
else:
    httpx.post(url, files=[(n, (None, v.encode())) for n, v in fields])
