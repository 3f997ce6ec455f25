// Shows refusals of ngx_flowdash_module
(() => {
const { dataset } = document.currentScript, { fetch } = window, xhr = XMLHttpRequest.prototype,
  { send } = xhr, host = make('flowdash-notify', '', 'all:initial'),
  root = host.attachShadow({ mode: 'open' }), css = 'font:inherit;margin:.5rem';

function make(tag, textContent, style, onclick) {
  return Object.assign(document.createElement(tag), { textContent, style, onclick });
}

function show(p, lang) {
  const box = make('div', '', `position:fixed;inset:auto 1rem 1rem;z-index:2147483647;
margin:auto;max-width:34rem;max-height:80vh;overflow:auto;overflow-wrap:anywhere;
border:4px solid #d33;font:1rem/1.5 sans-serif;
color-scheme:light dark;background:Canvas;color:CanvasText`);
  box.setAttribute('role', 'alert');
  box.dir = 'auto';
  box.lang = lang;
  box.append(...[p.title, p.detail, ...p.errors || [p.message], p.id].map((x, i) => !x ? ''
      : make('p', [x.field || x.pointer || [], x.message || x].flat().join(': '),
        i ? css : css + ';font-weight:700')),
    make('button', dataset.reload || 'Reload', css, () => location.reload()),
    make('button', dataset.close || 'Close', css, () => host.remove()));
  root.replaceChildren(box);
  (document.querySelector('dialog[open]') || document.body).append(host);
}

async function look(x) {
  try {
    x = x.target || x;
    const get = n => x.headers ? x.headers.get(n) : x.getResponseHeader(n);
    if ((x.url || x.responseURL).startsWith(location.origin + '/')
        && get('Flowdash-Result') == 'failed' && /problem/.test(get('Content-Type')))
      show(x.responseType == 'json' ? x.response
        : await (x.url ? x.clone() : new Response(x.response)).json(), get('Content-Language'));
  } catch {}
}

window.fetch = function (input) {
  return fetch.apply(this, arguments).then(r => (look(r), r));
};

xhr.send = function () {
  this.addEventListener('loadend', look);
  return send.apply(this, arguments);
};

addEventListener('flowdash:failed', e => { try { show(e.detail, '') } catch {} });
})();
