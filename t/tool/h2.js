'use strict';

/*
 * An endpoint over TLS that does what the path of a request says, and writes
 * a line of JSON for each: its connection, its path, HTTP's version.
 *
 *     node h2.js LOG CERTIFICATE KEY h2 | both | http1 | no_alpn
 *
 * It listens on the socket that is its standard input.
 */

const fs = require('fs');
const http = require('http');
const http2 = require('http2');
const https = require('https');
const tls = require('tls');

const [log, cert, key, mode] = process.argv.slice(2);
const options = { cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
const { constants } = http2;
const json = { ':status': 200, 'content-type': 'application/json' };
const once = new Set();

const sockets = [];      // http2 does not let anybody touch them

let connections = 0;

function record(connection, path, version) {
    fs.appendFileSync(log, JSON.stringify({ connection, path, version })
                           + '\n');
}

function answer(stream, status) {
    if (!stream.destroyed) {
        stream.respond({ ...json, ':status': status || 200 });
        stream.end('{"task":{"f":"new"}}');
    }
}

const behaviours = {
    ok: answer,

    slow: (stream) => setTimeout(answer, 300, stream),

    stall() { },

    stall_body(stream) {
        stream.respond(json);
        stream.write('{"task":');
    },

    reset(stream, code) {
        stream.close(constants[`NGHTTP2_${code}`]);
    },

    // stream.close() would end the answer properly first
    cut(stream, code) {
        const kHandle = Object.getOwnPropertySymbols(stream)
            .find((symbol) => symbol.description === 'kHandle');

        stream.respond(json);
        stream.write('{"task":', () => stream[kHandle]
            .rstStream(constants[`NGHTTP2_${code}`]));
    },

    once(stream, code, path) {
        if (once.has(path)) {
            return answer(stream);
        }
        once.add(path);
        behaviours.reset(stream, code);
    },

    // no more streams, but those that are there are answered
    goaway(stream) {
        stream.session.goaway();
        setTimeout(answer, 100, stream);
    },

    goaway_error(stream) {
        stream.session.destroy(undefined,
                               constants.NGHTTP2_ENHANCE_YOUR_CALM);
    },

    gone(stream) {
        stream.session.connectionSocket.destroy();
    },
};

function onSession(session) {
    session.connection = ++connections;
    session.connectionSocket = sockets.pop();
    session.on('error', () => { });
}

function onStream(stream, headers) {
    const path = headers[':path'];
    const [, behaviour, code] = /^\/(\w+)\?code=(\w*)$/.exec(path);

    stream.on('error', () => { });

    // answers that do not wait for the request's body

    if (behaviour === 'early' || behaviour === 'unread') {
        record(stream.session.connection, path, '2');
        answer(stream, code);
        setTimeout(() => stream.resume(), behaviour === 'unread' ? 30 : 0);
        return;
    }

    stream.resume();
    stream.on('end', () => {
        record(stream.session.connection, path, '2');
        behaviours[behaviour](stream, code, path);
    });
}

// HTTP/1.1

function onRequest(request, response) {
    if (!request.socket.connection) {
        request.socket.connection = ++connections;
    }
    record(request.socket.connection, request.url, request.httpVersion);
    request.resume();
    response.setHeader('Content-Type', 'application/json');
    response.end('{"task":{"f":"new"}}');
}

let server;

if (mode === 'h2' || mode === 'both') {
    server = http2.createSecureServer({ ...options,
                                        allowHTTP1: mode === 'both' });
    server.on('request', (request, response) => {
        if (request.httpVersion === '1.1') {
            onRequest(request, response);
        }
    });
    server.prependListener('secureConnection',
                           (socket) => sockets.push(socket));
    server.on('session', onSession);
    server.on('stream', onStream);

} else if (mode === 'http1') {
    server = https.createServer(options, onRequest);

} else {
    const plain = http.createServer(onRequest);
    server = tls.createServer(options);
    server.on('secureConnection',
              (socket) => plain.emit('connection', socket));
}

server.on('tlsClientError', () => { });
server.listen({ fd: 0 });
