"""Python aiohttp: KIND URL [NAME VALUE | NAME @FILE] ..."""

import asyncio
import json
import sys

import aiohttp

kind, url, *rest = sys.argv[1:]
fields = list(zip(rest[::2], rest[1::2]))


# A form is multipart if it has a file, or a field with a type.

def form(quote_fields):
    has_file = any(value.startswith('@') for _, value in fields)
    data = aiohttp.FormData(quote_fields=quote_fields)
    for name, value in fields:
        if value.startswith('@'):
            data.add_field(name, open(value[1:], 'rb'))
        elif has_file:
            data.add_field(name, value)
        else:
            data.add_field(name, value, content_type='text/plain')
    return data


async def main():
    async with aiohttp.ClientSession() as session:
        if kind == 'urlencoded':
            await session.post(url, data=aiohttp.FormData(fields))
        elif kind == 'query':
            await session.post(url, params=fields)
        elif kind == 'json':
            await session.post(url, json=json.loads(rest[0]))
        else:
            await session.post(url, data=form(kind != 'unquoted'))

asyncio.run(main())
