// What the demo's logs know of actions: the gateway's journal, and the calls
// that the endpoints and the task app have got.

export async function get(uri) {
    const answer = await fetch(uri, { cache: 'no-store' });

    if (!answer.ok) {
        throw new Error(`${uri}: ${answer.status}`);
    }

    return answer.text();
}


async function lines(uri) {
    return (await get(uri)).split('\n').filter(Boolean)
        .map((line) => JSON.parse(line));
}


export function journal() {
    return lines('/journal.jsonl');
}


// The requests with their calls, in the order in which they came.  The calls of
// an action are of one trace; what is no action has just the app's.
export async function requests() {
    const calls = await lines('/calls.jsonl');
    const entries = new Map((await journal())
        .map((entry) => [traceOf(entry.traceparent), entry]));
    const found = new Map();

    calls.forEach((call, number) => {
        const trace = traceOf(call.trace) ?? number;

        if (!found.has(trace)) {
            found.set(trace, { entry: entries.get(trace), calls: [] });
        }
        found.get(trace).calls.push(call);
    });

    return [...found.values()];
}


// 00-TRACE-PARENT-01
function traceOf(traceparent) {
    return traceparent.split('-')[1];
}


// The steps that were run: their names, and the statuses of their calls.
export function steps(entry) {
    const statuses = entry.statuses.split(' : ');

    return entry.steps.split(' : ').filter(Boolean).map((name, i) => ({
        name,
        statuses: (statuses[i] ?? '').split(', ').filter((status) => status > 0),
    }));
}


// The fields of the task that the answer to a call has changed.
export function changes({ received, answered, status }) {
    const told = parse(received)?.task ?? {};
    const task = status < 300 ? parse(answered)?.task ?? {} : {};

    return Object.keys(task).map((field) => ({
        field, was: show(told[field]), is: show(task[field]),
    })).filter(({ was, is }) => was !== is);
}


export function parse(text) {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}


export function show(value) {
    switch (value) {
    case true:
        return 'yes';
    case false:
        return 'no';
    case null:
    case undefined:
        return '–';
    default:
        return typeof value === 'string' ? value : JSON.stringify(value);
    }
}
