// Clients of Node: CLIENT KIND URL [NAME VALUE | NAME @FILE] ...
// CLIENT is fetch (Node's own), undici, axios, axios-form-data, node-fetch,
// got or superagent; packages are found in FLOWDASH_CLIENTS/node_modules.

import { createRequire } from 'node:module';
import { createReadStream, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';

const dir = process.env.FLOWDASH_CLIENTS + '/';
const require = createRequire(dir);
const load = name => import(pathToFileURL(require.resolve(name)));

const [client, kind, url, ...rest] = process.argv.slice(2);
const fields = [];
for (let i = 0; i < rest.length; i += 2)
    fields.push([rest[i], rest[i + 1]]);

function formData(Form = FormData) {
    const form = new Form();
    for (const [name, value] of fields) {
        if (value[0] === '@')
            form.append(name, new File([readFileSync(value.slice(1))],
                basename(value), { type: 'text/plain' }));
        else
            form.append(name, value);
    }
    return form;
}

// what npm's form-data makes: a stream with headers of its own
function packageFormData() {
    const form = new (require('form-data'))();
    for (const [name, value] of fields)
        form.append(name, value[0] === '@'
            ? createReadStream(value.slice(1)) : value);
    return form;
}

const withQuery = () => url + '?' + new URLSearchParams(fields);

// the body as fetch takes it
function body() {
    switch (kind) {
    case 'urlencoded': return new URLSearchParams(fields);
    case 'multipart': return formData();
    default: return rest[0];
    }
}

async function byFetch(fetch) {
    const headers = kind === 'json'
        ? { 'Content-Type': 'application/json' } : {};
    if (kind === 'query')
        return fetch(withQuery(), { method: 'POST' });
    return fetch(url, { method: 'POST', headers, body: body() });
}

async function byAxios(form) {
    const axios = require('axios');
    switch (kind) {
    case 'urlencoded': return axios.post(url, new URLSearchParams(fields));
    case 'query':
        return axios.post(url, null, { params: new URLSearchParams(fields) });
    case 'multipart': return axios.post(url, form());
    case 'object':          // a plain object, which axios makes a form of
        return axios.postForm(url, JSON.parse(rest[0]));
    case 'urlencoded-object':
        return axios.post(url, JSON.parse(rest[0]), { headers: {
            'Content-Type': 'application/x-www-form-urlencoded' } });
    case 'params':
        return axios.post(url, null, { params: JSON.parse(rest[0]) });
    default: return axios.post(url, JSON.parse(rest[0]));
    }
}

async function bySuperagent() {
    const request = require('superagent').post(url);
    switch (kind) {
    case 'urlencoded':
        return request.type('form').send(
            new URLSearchParams(fields).toString());
    case 'object':
        return request.type('form').send(JSON.parse(rest[0]));
    case 'multipart':
        for (const [name, value] of fields) {
            if (value[0] === '@')
                request.attach(name, value.slice(1));
            else
                request.field(name, value);
        }
        return request;
    default: return request.send(JSON.parse(rest[0]));
    }
}

async function byGot() {
    const { default: got } = await load('got');
    switch (kind) {
    case 'urlencoded': return got.post(url, { form: fields.reduce(
        (form, [name, value]) => ({ ...form, [name]: value }), {}) });
    case 'multipart': return got.post(url, { body: formData() });
    case 'query': return got.post(url, {
        searchParams: new URLSearchParams(fields) });
    default: return got.post(url, { json: JSON.parse(rest[0]) });
    }
}

const clients = {
    fetch: () => byFetch(fetch),
    undici: () => {
        const undici = require('undici');
        return byFetch((to, { method, headers, body }) => undici.fetch(to, {
            method, headers,
            body: kind === 'multipart' ? formData(undici.FormData) : body }));
    },
    'node-fetch': async () => byFetch((await load('node-fetch')).default),
    axios: () => byAxios(formData),
    'axios-form-data': () => byAxios(packageFormData),
    got: byGot,
    superagent: bySuperagent,
};

await clients[client]();
process.exit(0);
