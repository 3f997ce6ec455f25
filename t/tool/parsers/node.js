'use strict';

/*
 * How Node's usual parsers read requests: see Test::Flowdash::Parsers for what
 * goes in and out.  Each request is fed, byte for byte, into an HTTP server of
 * Node's own, whose app has the parser with its default options.
 */

const domain = require('domain');
const fs = require('fs');
const http = require('http');
const querystring = require('querystring');
const readline = require('readline');
const { Duplex, Writable } = require('stream');

const Koa = require('koa');
const busboy = require('busboy');
const express = require('express');
const formidable = require('formidable').formidable;
const { koaBody } = require('koa-body');
const koaBodyparser = require('koa-bodyparser');
const multer = require('multer');
const qs = require('qs');
const undici = require('undici');


// files and numbers in a form that JSON keeps

const file = (name, type, size) => ({ $file: [name ?? '', type ?? '', size] });

function plain(value) {
    if (typeof value === 'number') {
        return { $number: String(value) };
    }

    if (typeof value !== 'object' || value === null) {
        return value ?? null;
    }

    if (Array.isArray(value)) {
        return Array.from(value, (element) => plain(element));
    }

    const members = new Map();
    for (const name of Object.keys(value)) {
        members.set(name, plain(value[name]));
    }
    return members;
}

function text(value) {              // JSON.stringify() would lose __proto__
    if (value instanceof Map) {
        return '{' + [...value].map(([name, member]) =>
            JSON.stringify(name) + ':' + text(member)).join() + '}';
    }

    if (Array.isArray(value)) {
        return '[' + value.map(text).join() + ']';
    }

    if (typeof value === 'object' && value !== null) {
        return text(new Map(Object.entries(value)));
    }

    return JSON.stringify(value);
}

const ascii = (string) => string.replace(/[\u007f-\uffff]/g, (c) =>
    '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));

const tree = (source, value) => [source, 'tree', plain(value)];

function pairs(source, members) {   // name: value, or values
    const all = [];
    for (const name of Object.keys(members)) {
        for (const value of [members[name]].flat()) {
            all.push([name, plain(value)]);
        }
    }
    return [source, 'pairs', all];
}


// Each app calls done() with what it has read, or with nothing.

function expressApp(extended) {
    const app = express();
    app.set('query parser', extended ? 'extended' : 'simple');
    app.use(express.json());
    app.use(express.urlencoded({ extended }));
    app.use((req, res) => {
        const kind = extended ? tree : pairs;
        const json = !/urlencoded/i.test(req.headers['content-type']);
        req.socket.done([kind('query', req.query),
                         (json ? tree : kind)('body', req.body ?? {})]);
    });
    app.use((error, req, res, next) => req.socket.done());
    return app;
}

function expressJson() {            // as APIs do that expect nothing else
    const app = express();
    app.use(express.json({ type: () => true, strict: false }));
    app.use((req, res) => req.socket.done([tree('json', req.body ?? null)]));
    app.use((error, req, res, next) => req.socket.done());
    return app;
}

function multerApp() {
    const app = express();
    app.use(multer({ storage: multer.memoryStorage(),
                     defParamCharset: 'utf8' }).any());
    app.use((req, res) => req.socket.done([
        pairs('query', req.query), tree('body', req.body ?? {}),
        ['body', 'pairs', (req.files ?? []).map((f) =>
            [f.fieldname, file(f.originalname, f.mimetype, f.size)])]]));
    app.use((error, req, res, next) => req.socket.done());
    return app;
}

// the query of an app whose parser has nothing to do with it

const query = (req) => ['query', 'pairs',
    [...new URL(req.url, 'http://localhost').searchParams]];

function busboyApp(req, res) {
    const all = [];
    const parser = busboy({ headers: req.headers, defParamCharset: 'utf8',
                            limits: { fieldNameSize: 10000 } });
    parser.on('field', (name, value) => all.push([name, value]));
    parser.on('file', (name, stream, info) => {
        let size = 0;
        stream.on('data', (bytes) => { size += bytes.length; });
        all.push([name, info, () => size]);
    });
    parser.on('error', () => req.socket.done());
    parser.on('close', () => req.socket.done([
        query(req),
        ['body', 'pairs', all.map(([name, value, size]) =>
            [name, size ? file(value.filename, value.mimeType, size())
                        : value])]]));
    req.pipe(parser);
}

// nothing is written to a disk

const inMemory = { fileWriteStreamHandler: () =>
    new Writable({ write: (bytes, encoding, next) => next() }) };

function formidableFiles(files) {
    const all = {};
    for (const name of Object.keys(files)) {
        all[name] = [files[name]].flat().map((f) => file(
            f.originalFilename, f.mimetype, f.size));
    }
    return all;
}

// plain() would take a file apart

const filePairs = (files) => ['body', 'pairs', Object.keys(files).flatMap(
    (name) => files[name].map((f) => [name, f]))];

function formidableApp(req, res) {
    const json = /json/i.test(req.headers['content-type']);
    formidable(inMemory).parse(req, (error, fields, files) => {
        if (error) {
            return req.socket.done();
        }
        return req.socket.done([
            query(req),
            json ? tree('body', fields) : pairs('body', fields),
            filePairs(formidableFiles(files))]);
    });
}

async function undiciApp(req, res) {
    const chunks = [];
    for await (const chunk of req) {
        chunks.push(chunk);
    }

    const type = req.headers['content-type'] ?? '';
    const response = new undici.Response(
        Buffer.concat(chunks), { headers: { 'content-type': type } });
    const views = [query(req)];

    if (/form/i.test(type)) {
        const form = await response.formData();
        views.push(['body', 'pairs', [...form].map(([name, value]) =>
            [name, typeof value === 'string' ? value
                : file(value.name, value.type, value.size)])]);
    } else {
        views.push(tree('body', await response.json()));
    }

    req.socket.done(views);
}

// What small programs do: they give the query, and all of the body, to such a
// function.

function functionApp(parse) {
    return async (req, res) => {
        const chunks = [];
        for await (const chunk of req) {
            chunks.push(chunk);
        }

        const views = [parse('query', req.url.replace(/^[^?]*\??/, ''))];
        if (/urlencoded/i.test(req.headers['content-type'])) {
            views.push(parse('body', Buffer.concat(chunks).toString()));
        }
        req.socket.done(views);
    };
}

function koaApp(parser, files) {
    const app = new Koa();
    app.silent = true;
    app.use(async (ctx) => {
        let views;
        try {
            await parser(ctx, async () => {
                const body = ctx.request.body ?? {};
                const flat = files && /multipart/i.test(ctx.get('content-type'));
                views = [pairs('query', ctx.query),
                         flat ? pairs('body', body) : tree('body', body)];
                if (files && ctx.request.files) {
                    views.push(filePairs(formidableFiles(ctx.request.files)));
                }
            });
        } catch (error) {
            views = undefined;
        }
        ctx.req.socket.done(views);
        ctx.respond = false;
    });
    return app.callback();
}

const apps = {
    'express extended': expressApp(true),
    'express simple': expressApp(false),
    'express json': expressJson(),
    'multer': multerApp(),
    'busboy': busboyApp,
    'formidable': formidableApp,
    'undici': undiciApp,
    'URLSearchParams': functionApp((source, string) =>
        [source, 'pairs', [...new URLSearchParams(string)]]),
    'querystring': functionApp((source, string) =>
        pairs(source, querystring.parse(string))),
    'qs': functionApp((source, string) => tree(source, qs.parse(string))),
    'koa-bodyparser': koaApp(koaBodyparser(), false),
    'koa-body': koaApp(koaBody({ multipart: true, formidable: inMemory }),
                       true),
};


const servers = {};

for (const name of Object.keys(apps)) {
    servers[name] = http.createServer(async (req, res) => {
        try {
            await apps[name](req, res);
        } catch (error) {
            req.socket.done();
        }
    });
    servers[name].on('clientError', (error, socket) => socket.done());
}

function read(server, bytes) {
    return new Promise((resolve) => {
        const socket = new Duplex({
            read() {},
            write(chunk, encoding, next) { next(); },
        });

        socket.setTimeout = () => socket;
        socket.setNoDelay = () => socket;
        socket.setKeepAlive = () => socket;
        socket.remoteAddress = '127.0.0.1';
        socket.on('error', () => {});

        // a parser that never ends has read nothing
        const timer = setTimeout(() => socket.done(), 20000);

        socket.done = (views) => {
            clearTimeout(timer);
            resolve(views ?? null);
            setImmediate(() => socket.destroy());
        };

        // nor has an app that dies of an exception that nothing can catch
        const guard = domain.create();
        guard.on('error', () => socket.done());
        guard.run(() => {
            server.emit('connection', socket);
            socket.push(bytes);
        });
    });
}

async function batch(path) {
    const bytes = fs.readFileSync(path);

    for (let at = 0; at < bytes.length;) {
        const length = bytes.readUInt32BE(at);
        const request = bytes.subarray(at + 4, at + 4 + length);
        at += 4 + length;

        const readings = await Promise.all(Object.keys(servers).map(
            async (name) => [name, await read(servers[name], request)]));
        process.stdout.write(ascii(text(new Map(readings))) + '\n');
    }
}

(async () => {
    for await (const path of readline.createInterface(process.stdin)) {
        await batch(path);
    }
})();
