"""Python's urllib: KIND URL [NAME VALUE] ..."""

import sys
import urllib.parse
import urllib.request

kind, url, *rest = sys.argv[1:]
fields = list(zip(rest[::2], rest[1::2]))

if kind == 'urlencoded':
    urllib.request.urlopen(url, urllib.parse.urlencode(fields).encode())
elif kind == 'json':
    urllib.request.urlopen(urllib.request.Request(
        url, rest[0].encode(), {'Content-Type': 'application/json'}))
elif kind == 'query':
    urllib.request.urlopen(urllib.request.Request(
        url + '?' + urllib.parse.urlencode(fields), method='POST'))
else:                   # JSON whose type nobody has set
    urllib.request.urlopen(url, rest[0].encode())
