// The task app's page: it shows the task as it is stored, and sends it with the
// actions.  It knows nothing of the gateway in front of the app, but shows what
// is in the logs of it and of the endpoints.

import { element, showCalls } from './calls.js';
import { get, requests, show } from './logs.js';

const $ = (id) => document.getElementById(id);

const TASK = '/tasks/1.json';
const SHOWN = 5;

let stored;             // the task as last shown
let done = [];          // all requests that were made since the demo started
let first = 0;          // the first one to show
let busy = false;


function put(uri, task) {
    return fetch(uri, {
        method: 'PUT',
        referrerPolicy: 'no-referrer',      // the error page needs no way back
        headers: { 'Content-Type': 'application/json', 'Accept': 'text/html' },
        body: JSON.stringify({ task }, null, 2) + '\n',
    });
}


// The stage is this page's change.  What is stored different from what was sent
// was changed on the way.
async function act(action, stage) {
    const before = stored;
    const sent = { ...before, Stage: stage };

    const answer = await put(`/tasks/1/${action.toLowerCase()}`, sent);

    if (!answer.ok) {
        await showError(answer);
    }

    await load();
    showTask(before, answer.ok ? sent : stored);
    showDone();

    const unchanged = JSON.stringify(stored) === JSON.stringify(before);

    say(answer.ok ? `${action}: done.`
        : `${action}: failed. The task ${unchanged ? 'is un' : 'has '}changed.`);
}


async function reset() {
    const { task } = JSON.parse(await get('/task.json'));

    await put(TASK, task);
    await load();
    first = done.length;
    showTask();
    showDone();
    say('The task is as it was at the start.');
}


async function load() {
    stored = JSON.parse(await get(TASK)).task;
    done = await requests();
}


function showTask(before = stored, sent = stored) {
    $('name').textContent = show(stored['Company Name']);

    $('task').tBodies[0].replaceChildren(
        ...Object.keys(stored).map((field) => {
            const now = show(stored[field]);
            const was = show(before[field]);
            const byStep = now !== show(sent[field]);

            const row = element('tr', { className: byStep ? 'by-step' : '' },
                                element('th', { scope: 'row' }, field),
                                element('td', {}, now));

            row.dataset.field = field;

            if (byStep || now !== was) {
                row.lastChild.append(
                    element('small', {}, byStep ? 'changed by a step, '
                                                : 'changed, ', `was ${was}`));
            }

            return row;
        }));
}


function showDone() {
    const shown = done.slice(first).slice(-SHOWN);

    $('no-calls').hidden = shown.length > 0;
    showCalls($('calls'), shown);
}


// An app that sends forms would leave it to the browser to show this page.
async function showError(answer) {
    const text = await answer.text();
    const html = (answer.headers.get('Content-Type') ?? '')
        .startsWith('text/html');

    const dialog = $('failed');
    const page = dialog.querySelector('iframe');

    $('failed-title').textContent =
        `Answer: ${answer.status} ${answer.statusText}`.trim();

    page.srcdoc = html ? text : element('pre', {}, text).outerHTML;

    dialog.showModal();
}


function say(text) {
    $('status').textContent = text;
}


// A click while something is still being done does nothing.
async function run(job) {
    if (busy) {
        return;
    }

    busy = true;

    try {
        if (!stored) {
            await load();
        }
        await job();
    } catch (error) {
        say(`That did not work (${error.message}). Is the demo still running?`);
    }

    busy = false;
}


$('finish').onclick = () => run(() => act('Finish', 'Completed'));
$('reject').onclick = () => run(() => act('Reject', 'Rejected'));
$('reset').onclick = () => run(reset);
$('back').onclick = () => $('failed').close();

// Back from the terminal: show what curl did.
window.onfocus = async () => {
    const before = stored;
    const known = done.length;

    if (busy || !before) {
        return;
    }

    await load();

    if (!busy && done.length !== known) {
        showTask(before);
        showDone();
    }
};

run(() => {
    showTask();
    showDone();
});
