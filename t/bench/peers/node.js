// A gateway in Node, with Fastify and undici, by somebody who writes the rest of
// the house in Node, too.  Arguments: the ports of its own, of the endpoint, of
// the endpoint with TLS, and of the app; the authority's certificate.

const fs = require("node:fs");
const fastify = require("fastify");
const { Pool } = require("undici");

const [port, crmPort, tlsPort, appPort, ca] = process.argv.slice(2);

const USER = { id: "abc123", email: "user@example.com",
               first_name: "Example", last_name: "User" };
const HOP_BY_HOP = ["connection", "keep-alive", "content-length", "host",
                    "transfer-encoding", "expect", "te", "upgrade"];

const crm = new Pool(`http://127.0.0.1:${crmPort}`, { connections: 1024 });
const tls = new Pool(`https://localhost:${tlsPort}`, {
    connections: 1024, connect: { ca: fs.readFileSync(ca) } });
const app = new Pool(`http://127.0.0.1:${appPort}`, { connections: 1024 });

const server = fastify({ bodyLimit: 64 << 20, keepAliveTimeout: 3600e3 });

async function act(endpoint, request, reply) {
    const task = request.body.task;
    const answer = await endpoint.request({
        method: "POST", path: "/crm",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ action: "Finish", user: USER, task }) });
    const text = await answer.body.text();

    if (answer.statusCode < 200 || answer.statusCode > 299) {
        return reply.code(502).type("application/problem+json")
            .send({ title: "the step failed", status: 502 });
    }

    if (text) {
        Object.assign(task, JSON.parse(text).task);
    }

    const headers = { ...request.headers };
    HOP_BY_HOP.forEach(name => delete headers[name]);

    const { statusCode, headers: fields, body } = await app.request({
        method: request.method, path: request.url, headers,
        body: JSON.stringify(request.body) });

    delete fields.connection;
    delete fields["keep-alive"];
    return reply.code(statusCode).headers(fields).send(body);
}

server.setErrorHandler((error, request, reply) =>
    reply.code(error.statusCode ?? 502).type("application/problem+json")
        .send({ title: error.message }));

server.post("/node", (request, reply) => act(crm, request, reply));
server.post("/tls/node", (request, reply) => act(tls, request, reply));

server.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
