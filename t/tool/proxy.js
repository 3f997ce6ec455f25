'use strict';

/*
 * A proxy that takes every host for this machine, and writes a line of JSON
 * for each request: how it came, its target, its user, its headers.
 *
 *     node proxy.js LOG http | socks5 [USER:PASSWORD]
 *     node proxy.js LOG https CERTIFICATE KEY
 *
 * It listens on the socket that is its standard input.  Its answers to CONNECT
 * have headers that must not be taken for the endpoint's.
 */

const fs = require('fs');
const http = require('http');
const https = require('https');
const net = require('net');

const [log, mode, ...rest] = process.argv.slice(2);
const user = mode === 'https' ? undefined : rest[0];

function record(what) {
    fs.appendFileSync(log, JSON.stringify(what) + '\n');
}

function join(one, two) {
    one.pipe(two);
    two.pipe(one);
    one.on('error', () => two.destroy());
    two.on('error', () => one.destroy());
}

// the number behind the last colon of "host:port"
function port(target) {
    return Number(/:(\d+)$/.exec(target)[1]);
}

function refused(headers) {
    return user !== undefined && headers['proxy-authorization']
        !== `Basic ${Buffer.from(user).toString('base64')}`;
}

const noise = { 'Content-Type': 'text/html', 'Retry-After': '30',
                'Set-Cookie': 'proxy=1', 'X-Large': 'x'.repeat(3000) };

function onRequest(request, response) {
    const url = /^http:\/\/([^/]+)(\/.*)$/.exec(request.url);

    record({ by: 'absolute', target: request.url, headers: request.headers });

    if (refused(request.headers)) {
        response.writeHead(407, { 'Proxy-Authenticate': 'Basic realm="p"' });
        return response.end();
    }

    // Proxy-Authorization is for this proxy
    const headers = { ...request.headers };
    delete headers['proxy-authorization'];
    delete headers['proxy-connection'];

    const onward = http.request({ host: '127.0.0.1', port: port(url[1]),
                                  path: url[2], method: request.method,
                                  headers });
    onward.on('response', (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
    });
    onward.on('error', () => response.writeHead(502).end());
    request.pipe(onward);
}

function onConnect(request, socket, head) {
    record({ by: 'connect', target: request.url, headers: request.headers });

    if (refused(request.headers)) {
        return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n'
                          + 'Proxy-Authenticate: Basic realm="p"\r\n'
                          + 'Content-Length: 0\r\n\r\n');
    }

    const onward = net.connect(port(request.url), '127.0.0.1', () => {
        const lines = Object.entries(noise).map((h) => h.join(': ') + '\r\n');
        socket.write(`HTTP/1.1 200 OK\r\n${lines.join('')}\r\n`);
        onward.write(head);
        join(socket, onward);
    });
    onward.on('error', () => socket.end('HTTP/1.1 503 No Way\r\n'
                                        + 'Retry-After: 1\r\n'
                                        + 'Content-Length: 0\r\n\r\n'));
}

// RFC 1928 and 1929, as far as a client goes that sends one message at a time

function onSocks(socket) {
    let state = 'greeting';
    let name;

    const states = {
        greeting(bytes) {
            const method = user === undefined ? 0 : 2;
            const offered = bytes.subarray(2).includes(method);
            socket.write(Buffer.from([5, offered ? method : 255]));
            state = method ? 'password' : 'request';
        },

        password(bytes) {
            const length = bytes[1];
            name = bytes.toString('latin1', 2, 2 + length);
            const given = `${name}:${bytes.toString('latin1', 3 + length)}`;
            socket.write(Buffer.from([1, given === user ? 0 : 1]));
            state = 'request';
        },

        request(bytes) {
            const types = { 1: 'IPv4', 3: 'name', 4: 'IPv6' };
            const end = bytes.length - 2;
            const host = bytes[3] === 3 ? bytes.toString('latin1', 5, end)
                : bytes.subarray(4, end).join('.');
            const to = bytes.readUInt16BE(end);

            record({ by: 'socks5', type: types[bytes[3]], user: name,
                     target: `${host}:${to}` });

            const onward = net.connect(to, '127.0.0.1', () => {
                socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
                socket.removeListener('data', onData);
                join(socket, onward);
            });
            onward.on('error', () => socket.end(
                Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])));
        },
    };

    function onData(bytes) {
        states[state](bytes);
    }

    socket.on('data', onData);
    socket.on('error', () => { });
}

let server;

if (mode === 'socks5') {
    server = net.createServer(onSocks);

} else {
    server = mode === 'http' ? http.createServer()
        : https.createServer({ cert: fs.readFileSync(rest[0]),
                               key: fs.readFileSync(rest[1]) });
    server.on('request', onRequest);
    server.on('connect', onConnect);
}

server.on('tlsClientError', () => { });
server.listen({ fd: 0 });
