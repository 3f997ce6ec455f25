// The action, in njs: used by njs.conf.

const USER = { id: "abc123", email: "user@example.com",
               first_name: "Example", last_name: "User" };

function fail(r, status, title) {
    r.headersOut["Content-Type"] = "application/problem+json";
    r.return(status, JSON.stringify({ title: title, status: status }));
}

// call(payload) returns the answer's status and its body

async function act(r, call) {
    let request;

    try {
        request = JSON.parse(r.requestText);
    } catch (e) {
        return fail(r, 400, "not a task");
    }

    let answer;

    try {
        answer = await call(JSON.stringify({
            action: "Finish", user: USER, task: request.task }));

        if (answer.status < 200 || answer.status > 299) {
            return fail(r, 502, "the step failed");
        }

        if (answer.body) {
            Object.assign(request.task, JSON.parse(answer.body).task);
        }
    } catch (e) {
        return fail(r, 502, "the step failed");
    }

    r.variables.body = JSON.stringify(request);
    r.internalRedirect("@app");
}

function subrequest(r) {
    return act(r, async payload => {
        const reply = await r.subrequest("/crm",
                                         { method: "POST", body: payload });
        return { status: reply.status, body: reply.responseText };
    });
}

function fetch(r) {
    return act(r, async payload => {
        const reply = await ngx.fetch(r.variables.endpoint, {
            method: "POST", body: payload,
            headers: { "Content-Type": "application/json" } });
        return { status: reply.status, body: await reply.text() };
    });
}

export default { subrequest, fetch };
