// The gateway's journal, the last action on top.

import { element } from './calls.js';
import { journal, steps } from './logs.js';

const SHOWN = 200;
const SECONDS = 2;

const table = document.querySelector('table');


function row(entry) {
    const time = new Date(entry.time);
    const good = entry.result === 'ok';

    return element('tr', {},
        cell('When', element('time', { dateTime: entry.time },
                             time.toLocaleTimeString())),
        cell('Action', element('b', {}, entry.action || '–'), ' ',
             element('span', { className: good ? 'good' : 'bad' },
                     good ? '✓ ok' : `✗ ${entry.result}${reason(entry)}`)),
        cell('Steps', ...steps(entry).map((step) => stepLine(step, entry))),
        cell('App', entry.app || 'not called'),
        cell('User got', entry.status),
        cell('Took', `${Math.round(entry.total * 1000)} ms`),
        cell('Id', element('code', {}, entry.id)));
}


// The steps tell which status it was.
function reason({ error }) {
    return ['', 'status'].includes(error) ? '' : `: ${error}`;
}


function cell(title, ...children) {
    const td = element('td', {}, ...children);

    td.dataset.title = title;
    td.setAttribute('role', 'cell');        // which CSS takes from it

    return td;
}


function stepLine({ name, statuses }, entry) {
    const failed = name === entry.failed_step;

    return element('div', {}, `${name} `,
        element('span', { className: failed ? 'bad' : 'good' },
                statuses.join(', ') || 'skipped'));
}


async function load() {
    const entries = (await journal()).slice(-SHOWN).toReversed();

    table.tBodies[0].replaceChildren(...entries.map(row));
    table.tBodies[0].querySelectorAll('tr')
        .forEach((tr) => tr.setAttribute('role', 'row'));
    table.hidden = entries.length === 0;
    document.getElementById('empty').hidden = entries.length > 0;
}


await load();

setInterval(() => document.hidden || load().catch(() => {}), SECONDS * 1000);
