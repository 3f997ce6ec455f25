'use strict';

/*
 * Reads bodies as Node's programs do.  A case on standard input is its length
 * (four bytes, the highest first), a byte, "u", "m" or "j", the length of the
 * Content-Type, the Content-Type and the body.  The answer is its length, and
 * per pair "v" or "f" (a file), the name, the value, and a file's name, each
 * string behind its length; of JSON the text, with its names sorted.
 *
 * busboy is Debian's node-busboy: a Node that isn't Debian's finds it by
 * NODE_PATH=/usr/share/nodejs.
 */

const busboy = require('busboy');

function string(s) {
    const bytes = Buffer.isBuffer(s) ? s : Buffer.from(s, 'utf8');
    const len = Buffer.alloc(4);
    len.writeUInt32BE(bytes.length);
    return Buffer.concat([len, bytes]);
}

function pair(name, value, filename) {
    const file = filename !== undefined;
    return Buffer.concat([Buffer.from(file ? 'f' : 'v'), string(name),
                          string(value), string(file ? filename : '')]);
}

function readUrlencoded(body) {
    // the "&" because it takes a "?" off the beginning
    const params = new URLSearchParams('&' + body.toString('utf8'));
    return Buffer.concat([...params].map(([name, value]) =>
                                         pair(name, value)));
}

function readMultipart(type, body) {
    return new Promise((resolve, reject) => {
        const pairs = [];
        const reader = busboy({ headers: { 'content-type': type },
                                preservePath: true,
                                defParamCharset: 'utf8' });

        reader.on('field', (name, value) => {
            pairs.push(pair(name, value));
        });

        reader.on('file', (name, stream, info) => {
            const chunks = [], i = pairs.push(null) - 1;
            stream.on('data', chunk => chunks.push(chunk));
            stream.on('end', () => {
                pairs[i] = pair(name, Buffer.concat(chunks),
                                info.filename || '');
            });
        });

        reader.on('close', () => resolve(Buffer.concat(pairs)));
        reader.on('error', reject);
        reader.end(body);
    });
}

function sorted(value) {
    if (Array.isArray(value)) {
        return '[' + value.map(sorted).join(',') + ']';
    }
    if (value === null || typeof value !== 'object') {
        return JSON.stringify(value);
    }

    // by code point, as Perl sorts
    const names = Object.keys(value)
        .map(name => [Buffer.from(name, 'utf8'), name])
        .sort((a, b) => Buffer.compare(a[0], b[0]));

    return '{' + names.map(([, name]) => JSON.stringify(name) + ':'
                                         + sorted(value[name])).join(',')
           + '}';
}

async function read(message) {
    const kind = String.fromCharCode(message[0]);
    const len = message.readUInt32BE(1);
    const type = message.toString('latin1', 5, 5 + len);
    const body = message.subarray(5 + len);

    if (kind === 'u') {
        return readUrlencoded(body);
    }
    if (kind === 'm') {
        return readMultipart(type, body);
    }
    return Buffer.from(sorted(JSON.parse(body.toString('utf8'))), 'utf8');
}

async function main() {
    let buffer = Buffer.alloc(0);

    for await (const chunk of process.stdin) {
        buffer = Buffer.concat([buffer, chunk]);

        while (buffer.length >= 4) {
            const len = buffer.readUInt32BE(0);
            if (buffer.length < 4 + len) {
                break;
            }

            let answer;
            try {
                answer = await read(buffer.subarray(4, 4 + len));
            } catch (e) {
                answer = Buffer.from('error: ' + e.message, 'utf8');
            }

            buffer = buffer.subarray(4 + len);
            process.stdout.write(string(answer));
        }
    }
}

main();
