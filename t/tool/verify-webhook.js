'use strict';

/*
 * Verifies signed requests by Standard Webhooks' own library.  On standard
 * input is a JSON array of { key, headers, body }, the body in base64; on
 * standard output one of "verified" or the error's message for each.
 */

const { Webhook } = require('standardwebhooks');

function verify({ key, headers, body }) {
    try {
        new Webhook(key).verify(Buffer.from(body, 'base64'), headers);
        return 'verified';
    } catch (e) {
        return e.message;
    }
}

async function main() {
    const chunks = [];

    for await (const chunk of process.stdin) {
        chunks.push(chunk);
    }

    const cases = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    process.stdout.write(JSON.stringify(cases.map(verify)));
}

main();
