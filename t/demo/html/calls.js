// "Who was called": the calls of each action, the last action on top.

import { changes, parse, steps } from './logs.js';

const APP = 'Task app';


export function element(name, properties, ...children) {
    const node = Object.assign(document.createElement(name), properties);

    node.append(...children);

    return node;
}


export function showCalls(list, requests) {
    list.replaceChildren(...requests.toReversed().map(requestItem));
}


function requestItem({ entry, calls }) {
    // a step that was repeated has made several calls
    const names = !entry ? [] : steps(entry)
        .flatMap(({ name, statuses }) => statuses.map(() => name));

    const item = element('li', {},
        element('h3', {}, entry?.action ?? 'No action', ' ', verdict(entry)),
        element('ol', {}, ...calls.map((call) =>
            callItem(call.who === APP ? APP : names.shift() ?? call.who, call))));

    if (calls.at(-1).who !== APP) {
        item.append(element('p', {}, 'The task app was not called.'));
    }

    return item;
}


function verdict(entry) {
    if (!entry) {
        return element('span', {}, 'the task app gets it as it is');
    }

    if (entry.result === 'ok') {
        return element('span', { className: 'good' }, '✓ carried out');
    }

    return element('span', { className: 'bad' },
        `✗ stopped${entry.failed_step ? ` at ${entry.failed_step}` : ''}`);
}


function callItem(name, call) {
    const good = call.status < 300;

    const item = element('li', {},
        element('div', { className: 'call' },
                element('b', {}, name),
                element('code', {}, call.request),
                element('span', { className: good ? 'good' : 'bad' },
                        `${good ? '✓' : '✗'} answered ${call.status}`)),
        ...changes(call).map(({ field, was, is }) =>
            element('p', { className: 'changed' },
                    `changed ${field}: ${was} → `, element('b', {}, is))));

    const bodies = [['It received', call.received], ['It answered', call.answered]]
        .filter(([, body]) => body)
        .flatMap(([title, body]) => [
            element('h4', {}, title),
            element('pre', { tabIndex: 0 }, pretty(body)),
        ]);

    if (bodies.length) {
        item.append(element('details', {},
            element('summary', {}, 'What it received and answered'), ...bodies));
    }

    return item;
}


function pretty(body) {
    const value = parse(body);

    return value === undefined ? body : JSON.stringify(value, null, 2);
}
