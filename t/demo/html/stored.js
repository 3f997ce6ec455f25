// The page after a form: who was called for it, and what that has changed.

import { showCalls } from './calls.js';
import { changes, requests } from './logs.js';

const last = (await requests()).slice(-1);

showCalls(document.getElementById('calls'), last);
document.getElementById('called').hidden = false;

for (const { field, was } of last.flatMap(({ calls }) => calls.flatMap(changes))) {
    const row = document.querySelector(`[data-field="${CSS.escape(field)}"]`);

    row?.classList.add('by-step');
    row?.lastElementChild.append(Object.assign(document.createElement('small'), {
        textContent: `changed by a step; you sent ${was}`,
    }));
}
