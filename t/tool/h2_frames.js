'use strict';

/*
 * An endpoint that writes the frames of HTTP/2 itself (RFC 9113, RFC 7541), so
 * that they come in the pieces and in the order that a test wants.
 *
 *     node h2_frames.js CERTIFICATE KEY MODE
 *
 * It listens on the socket that is its standard input.
 */

const fs = require('fs');
const tls = require('tls');

const [cert, key, mode] = process.argv.slice(2);

const DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, WINDOW_UPDATE = 8;
const END_STREAM = 1, ACK = 1, END_HEADERS = 4;
const STATUS_200 = 0x88, CONTENT_LENGTH = 28, CONTENT_TYPE = 31;

const small = '{"task":{"f":"new"}}';
const large = `{"task":{"f":"new","more":"${'x'.repeat(6000)}"}}`;

function frame(type, flags, id, payload) {
    const header = Buffer.alloc(9);
    header.writeUIntBE(payload.length, 0, 3);
    header[3] = type;
    header[4] = flags;
    header.writeUInt32BE(id, 5);
    return Buffer.concat([header, payload]);
}

function number(n) {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(n);
    return payload;
}

// a field whose name is in HPACK's static table, without indexing

function field(name, value) {
    return Buffer.concat([Buffer.from([0x0f, name - 15, value.length]),
                          Buffer.from(value)]);
}

function header(id, length, type = 'application/json') {
    const fields = [Buffer.from([STATUS_200])];
    if (type) {
        fields.push(field(CONTENT_TYPE, type));
    }
    if (length !== undefined) {
        fields.push(field(CONTENT_LENGTH, String(length)));
    }
    return frame(HEADERS, END_HEADERS, id, Buffer.concat(fields));
}

const data = (id, text) => frame(DATA, 0, id, Buffer.from(text));
const end = (id, text) => frame(DATA, END_STREAM, id, Buffer.from(text));
const reset = (id) => frame(RST_STREAM, 0, id, number(0));

// what is written together, with a moment between

const answers = {

    // before the request has ended

    split: (id) => [[header(id)], [end(id, small), reset(id)]],
    lost: (id) => [[header(id, small.length)], [reset(id)]],
    cut: (id) => [[header(id), data(id, small.slice(0, 9))],
                  [end(id, small.slice(9)), reset(id)]],
    untyped: (id) => [[header(id, undefined, ''), data(id, small.slice(0, 9))],
                      [end(id, small.slice(9)), reset(id)]],

    // afterwards

    two: (id) => [[header(id), data(id, large.slice(0, 5000)),
                   end(id, large.slice(5000))]],
    one: (id) => [[header(id), end(id, large)]],
    kept: (id) => [[header(id), end(id, small)]],
};

const afterwards = ['two', 'one', 'kept'].includes(mode);

let broken = 0;

function answer(socket, id) {

    // the second on a connection breaks off, one octet later each time

    if (mode === 'kept' && socket.answered) {
        socket.end(header(id).subarray(0, broken++));
        return;
    }
    socket.answered = true;

    answers[mode](id).forEach((frames, i) =>
        setTimeout(() => socket.write(Buffer.concat(frames)), 10 * i));
}

function onFrame(socket, type, flags, id, length) {
    if (type === SETTINGS && !(flags & ACK)) {
        socket.write(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));
    }

    // else no more than 65,535 octets of the request's body can be sent

    if (afterwards && type === DATA && length) {
        socket.write(Buffer.concat([0, id].map((stream) =>
            frame(WINDOW_UPDATE, 0, stream, number(length)))));
    }

    if (afterwards ? type === DATA && flags & END_STREAM : type === HEADERS) {
        answer(socket, id);
    }
}

tls.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key),
                   ALPNProtocols: ['h2'] }, (socket) => {
    let buffer = Buffer.alloc(0);
    let skip = 24;                              // the client's preface

    socket.setNoDelay();
    socket.on('error', () => { });
    socket.write(frame(SETTINGS, 0, 0, Buffer.alloc(0)));

    socket.on('data', (more) => {
        buffer = Buffer.concat([buffer, more]);

        if (buffer.length < skip) {
            return;
        }
        buffer = buffer.subarray(skip);
        skip = 0;

        while (buffer.length >= 9) {
            const length = buffer.readUIntBE(0, 3);

            if (buffer.length < 9 + length) {
                return;
            }
            onFrame(socket, buffer[3], buffer[4],
                    buffer.readUInt32BE(5) & 0x7fffffff, length);
            buffer = buffer.subarray(9 + length);
        }
    });
}).listen({ fd: 0 });
