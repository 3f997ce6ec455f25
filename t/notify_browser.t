# docs/notify.js in Chromium: in front of an app whose scripts ignore what they
# do not expect, users see why an action was refused, and the app notices
# nothing.  htmx and Turbo are the real ones.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::Browser;
use Test::Flowdash::Npm;

use utf8;
use Encode qw(encode);

for my $program (qw(chromium chromedriver)) {
    plan(skip_all => "there is no $program")
        if !grep { -x "$_/$program" } split /:/, $ENV{PATH};
}

my $axe = npm_modules('axe-core');
my $htmx = npm_modules('htmx.org');
my $turbo = npm_modules('@hotwired/turbo');

my $t = Test::Flowdash->new;
my $notify = "$FindBin::Bin/../docs/notify.js";

cmp_ok(-s $notify, '<=', 2048, 'the script has at most 2 kB');

# what the documentation says

open my $docs, '<', "$FindBin::Bin/../docs/operating.md" or die "docs: $!\n";
my ($chapter) = do { local $/; <$docs> }
    =~ /^(## Front ends in JavaScript\n.*?)^## /ms;
my ($handler) = $chapter =~ /^```js\n(.*?)^```$/ms;
my ($added, $shape) = $chapter =~ /^```nginx\n(.*?)^```$/gms;

my %stands_for = ('/usr/share/flowdash/notify.js' => $notify,
                  'http://task_app' => 'http://127.0.0.1:%%PORT_app%%',
                  'https://crm.example.com' => 'http://127.0.0.1:%%PORT_crm%%');

for ($added, $shape) {
    while (my ($name, $value) = each %stands_for) {
        s/\Q$name/$value/g;
    }
}

my $script = <<'EOC';
window.heard = [];
addEventListener('error', e => heard.push('error: ' + e.message));
addEventListener('unhandledrejection', e => heard.push('rejected: ' + e.reason));
document.addEventListener('securitypolicyviolation',
    e => heard.push('policy: ' + e.violatedDirective));

const json = { method: 'POST', body: '{"task":{}}',
               headers: { 'Content-Type': 'application/json' } };

const act = {
    ignored() { fetch('/finish', json); },
    async read(path) {
        const promise = fetch(path || '/finish', json), response = await promise;
        const read = response.body.getReader();
        let size = 0;
        for (let r; !(r = await read.read()).done; ) size += r.value.length;
        return [promise instanceof Promise, response instanceof Response,
                response.status, size > 0].join(' ');
    },
    async rejected() {
        try { await fetch('http://127.0.0.1:1/'); } catch (e) { return e.name; }
    },
    alone() { fetch('http://127.0.0.1:1/'); },
    xhr(type, path) {
        return new Promise(done => {
            const x = new XMLHttpRequest();
            x.open('POST', path || '/finish');
            x.responseType = type;
            x.setRequestHeader('Content-Type', 'application/json');
            x.onload = () => done(x.status + ' ' + Object.prototype.toString
                .call(x.response) + ' ' + (x.response.title || ''));
            x.onerror = () => done('error');
            x.send(json.body);
        });
    },
    twice() {
        const x = new XMLHttpRequest();
        x.open('POST', '/finish', false);
        x.setRequestHeader('Content-Type', 'application/json');
        x.send(json.body);
        try { x.send(json.body); } catch (e) { return e.name; }
    },
    form() { return fetch('/finish', { method: 'POST',
        body: new URLSearchParams({ a: '1' }) }).then(r =>
        r.headers.get('Content-Type')); },
};

document.addEventListener('click', e => {
    const what = e.target.dataset.act;
    if (what) act[what]();
});
EOC

my $csp = q(default-src 'self');

sub page {
    my ($head, $body) = @_;
    return '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        . '<title>App</title>' . $head . '</head><body><main><h1>Tasks</h1>'
        . $body . '</main></body></html>';
}

my $start = page('<script src="/app.js" defer></script>'
    . '<link rel="stylesheet" href="/app.css">',
    '<button data-act="ignored" id="act">Finish</button><dialog id="dialog" '
    . 'aria-label="Edit"><p>Edit</p></dialog>');

my $htmx_page = page('<meta name="htmx-config" content=\'{"includeIndicator'
    . 'Styles":false,"allowEval":false}\'><script src="/htmx.js"></script>'
    . '<script src="/handler.js" defer></script><script src="/app.js" defer>'
    . '</script>', '<p id="message"></p><form hx-post="/finish"><input '
    . 'name="a" value="1" aria-label="a"><button id="act">Finish</button></form>');

my $turbo_page = page('<script src="/turbo.js"></script><script src="/app.js" '
    . 'defer></script>', '<form method="post" action="/finish"><input name="a" '
    . 'value="1" aria-label="a"><button id="act">Finish</button></form>');

# a style that wants to spoil the message
my $css = 'flowdash-notify, div, p, button { display: none; opacity: 0 } '
    . '#act { display: inline; opacity: 1; background: #fff; color: #000 } '
    . 'p { color: red !important }';

my $answer = encode('UTF-8', '{"message":"2 errors.","errors":[{"field":"Größe",'
    . '"message":"<b>is missing</b>"},"<script>alert(1)</script>"]}');

$t->endpoint(crm => sub {
    return { status => 422, body => $answer,
             headers => [ 'Content-Type' => 'application/json' ] };
});

my $problem = '{"title":"Of the app","status":422}';

$t->endpoint(app => sub {
    my $path = shift->{target};
    my ($type, $body, @more)
        = $path eq '/app.js' ? ('text/javascript', $script)
        : $path eq '/handler.js' ? ('text/javascript', $handler)
        : $path eq '/app.css' ? ('text/css', $css)
        : $path eq '/htmx' ? ('text/html', $htmx_page)
        : $path eq '/turbo' ? ('text/html', $turbo_page)
        : $path eq '/problem' ? ('application/problem+json', $problem,
                                 'Flowdash-Result' => 'failed')
        : $path eq '/passed' ? ('application/json', '{"title":"passed"}')
        : $path eq '/broken' ? ('application/problem+json', '{"title":')
        : $path eq '/odd' ? ('application/problem+json', '{"errors":7}')
        : $path eq '/own' ? ('application/json', '{"title":"of the page"}')
        : ('text/html', $start);
    return { status => $path =~ /problem|broken|odd|own/ ? 422 : 200,
             body => $body, headers => [ 'Content-Type' => $type,
                $type eq 'text/html' && $path ne '/turbo'
                ? ('Content-Security-Policy' => $csp) : (), @more ] };
});

my $step = 'flowdash_step "Update CRM" { flowdash_call '
    . 'http://127.0.0.1:%%PORT_crm%%/; }';
my $app = 'proxy_pass http://127.0.0.1:%%PORT_app%%;';
my $dist = sub { $_[0] ? "alias $_[0];" : 'return 404;' };

$t->config(encode('UTF-8', <<"EOC"));
    flowdash_error_detail on;
    flowdash_pass_status 422;
    flowdash_task "";

    $added
    $shape

    sub_filter '</head>' '<script src="/flowdash-notify.js"></script></head>';

    location = /htmx.js {
        default_type application/javascript;
        @{[ $dist->($htmx && "$htmx/htmx.org/dist/htmx.js") ]}
    }
    location = /turbo.js {
        default_type application/javascript;
        @{[ $dist->($turbo
            && "$turbo/\@hotwired/turbo/dist/turbo.es2017-umd.js") ]}
    }

    location = /german {
        sub_filter '</head>' '<script src="/flowdash-notify.js" @{[
            ]}data-reload="Neu laden" data-close="Schließen"></script></head>';
        proxy_set_header Accept-Language de;
        $app
    }

    location = /finish { flowdash_action "Finish"; $step $app }
    location = /passed {
        flowdash_result_headers on;
        flowdash_action "Finish";
        flowdash_step "Check" { return 204; }
        $app
    }

    location = /page/broken { error_page 422 /broken; flowdash_action A; $step }
    location = /page/odd { error_page 422 /odd; flowdash_action A; $step }
    location = /page/own { error_page 422 /own; flowdash_action A; $step }
EOC
$t->run;

my $url = 'http://127.0.0.1:' . $t->port('http');
my $shots = $ENV{FLOWDASH_SHOTS};           # where to look at the message

my $box = 'document.querySelector("flowdash-notify")?.shadowRoot';
my $browser;

sub shown { return $browser->script("return $box?.textContent || ''") }

sub wait_for_message {
    my ($pattern) = @_;
    $t->wait_for(sub { shown() =~ $pattern });
    return shown();
}

# what an asynchronous call of the app's script returns

sub app {
    my ($call) = @_;
    $browser->script("window.result = undefined; (async () => act.$call)()"
        . '.then(r => window.result = String(r), '
        . 'e => window.result = `failed: ${e}`)');
    $t->wait_for(sub { defined $browser->script('return window.result') });
    return $browser->script('return window.result');
}

# what would have been shown by now: an action after it was

sub nothing_shown {
    my ($call, $name, $result) = @_;
    $browser->script("$box?.host.remove()");
    my $got = app($call);
    is($got, $result, "$name: what the app gets") if $result;
    $browser->script('return new Promise(done => setTimeout(done, 50))');
    ok(!$browser->script("return !!$box"), "$name: nothing is shown");
}


# What is seen

for ([ dark => (dark => 1) ], [ phone => (width => 360, height => 740) ],
     [ light => () ]) {
    my ($look, %option) = @$_;
    $browser = Test::Flowdash::Browser->new(%option);
    $browser->go("$url/");
    $browser->click('#act');
    is(wait_for_message(qr/./) =~ s/[0-9a-f]{32}/ ID /r, join('',
        'The action was not carried out', 'The step "Update CRM" refused the '
        . 'action. Nothing was changed in the app.', 'Größe: <b>is missing</b>',
        '<script>alert(1)</script>', ' ID ', 'Reload', 'Close'),
        "$look: the message");
    is($browser->script("const e = $box.firstChild; return [e.role, e.lang, "
        . 'e.dir, e.querySelectorAll("p b, script").length].join(" ")'),
        'alert en auto 0', "$look: an alert, in English, and only text");

    SKIP: {
        skip 'there is no axe-core', 1 if !$axe;
        is(join("\n", $browser->axe), '', "$look: axe-core");
    }

    is($browser->script("const r = $box.firstChild.getBoundingClientRect();"
        . 'return r.left >= 0 && r.right <= innerWidth && r.top >= 0 && '
        . 'r.bottom <= innerHeight && r.width > 200'), 1, "$look: it fits")
        or diag($browser->script("return JSON.stringify($box.firstChild"
        . '.getBoundingClientRect())'));
    is($browser->script('return heard.join()'), '',
        "$look: neither an error nor the policy's veto");
    $browser->screenshot("$shots/notify-$look.png") if $shots;
}

$browser->script("$box.querySelectorAll('button')[1].click()");
ok(!$browser->script("return !!$box"), 'it can be closed');

$browser->script('window.here = 1');
app('read()');
wait_for_message(qr/Close/);
$browser->script("$box.querySelector('button').click()");
ok($t->wait_for(sub { !$browser->script('return window.here || false') }),
    'the page can be loaded again');

$browser->wait('h1', qr/Tasks/);
$browser->script('document.querySelector("#dialog").showModal()');
app('read()');
wait_for_message(qr/Close/);
is($browser->script("const e = $box.querySelector('button'), "
    . 'r = e.getBoundingClientRect(); return document.elementFromPoint('
    . 'r.x + 5, r.y + 5) === ' . "$box.host"), 1,
    'it is above a dialog');


# What the app gets

$browser->go("$url/");

is(app('read()'), 'true true 422 true', 'fetch: the response, whole');
like(wait_for_message(qr/Close/), qr/Größe/, 'fetch: shown');

for (
    [ '', '[object String] ' ], [ 'text', '[object String] ' ],
    [ 'json', '[object Object] The action was not carried out' ],
    [ 'blob', '[object Blob] ' ], [ 'arraybuffer', '[object ArrayBuffer] ' ],
) {
    my ($type, $response) = @$_;
    $browser->script("$box?.host.remove()");
    is(app("xhr('$type')"), "422 $response", "XMLHttpRequest '$type': response");
    like(wait_for_message(qr/Close/), qr/Größe/,
        "XMLHttpRequest '$type': shown");
}

is(app('twice()'), 'InvalidStateError', 'XMLHttpRequest: send() twice');

nothing_shown("read('/passed')", 'an action that passes', 'true true 200 true');
nothing_shown("xhr('', '/passed')", 'the same by XMLHttpRequest',
    '200 [object String] ');
nothing_shown("read('/problem')", 'a problem of the app', 'true true 422 true');
nothing_shown("xhr('json', '/problem')", 'the same by XMLHttpRequest',
    '422 [object Object] Of the app');
nothing_shown("read('/page/broken')", 'an error page with broken JSON',
    'true true 422 true');
nothing_shown("xhr('', '/page/odd')", 'an error page with something else',
    '422 [object String] ');
nothing_shown("read('/page/own')", 'an error page in the app\'s own shape',
    'true true 422 true');

is($browser->script('return heard.join()'), '', 'no errors until here');

nothing_shown('rejected()', 'no connection', 'TypeError');
nothing_shown("xhr('', 'http://127.0.0.1:1/')", 'no connection, XMLHttpRequest',
    'error');

$browser->script('heard = []');
app('alone()');
ok($t->wait_for(sub { $browser->script('return heard.join()')
    =~ /rejected: TypeError/ }), 'the app hears of promises that it ignores');

$browser->script("$box?.host.remove()");
is(app('form()'), 'application/problem+json', 'a script that sends a form');
like(wait_for_message(qr/Close/), qr/Größe/, 'and accepts anything: shown');

$browser->go("$url/german");
app('read()');
like(wait_for_message(qr/./), qr/Neu ladenSchließen$/,
    'the words on the buttons');


# In the app's own shape

my $res = $t->post_json('/items/7', '{"task":{}}');
is($res->{status}, 422, 'an error page in the shape of Directus: the status');
is_deeply($res->json, { errors => [ { message => 'The step "Update CRM" refused '
    . 'the action. Nothing was changed in the app. The answer was: 2 errors. '
    . 'Größe: <b>is missing</b>; <script>alert(1)</script>' } ] },
    'the text');
is($res->header('Flowdash-Result'), 'failed', 'the headers');


# htmx

SKIP: {
    skip 'there is no htmx', 4 if !$htmx;
    $browser->go("$url/htmx");
    $browser->click('#act');
    like($browser->wait('#message', qr/./), qr/refused the action.*Größe/,
        'htmx: the event of the documentation');
    like(wait_for_message(qr/./), qr/^The step "Update CRM" refused .*Größe.*ReloadClose$/, 'htmx: the message');
    is($browser->text('h1'), 'Tasks', 'htmx: nothing is swapped');
    is($browser->script('return heard.join()'), '', 'htmx: no errors');
}


# Turbo

SKIP: {
    skip 'there is no Turbo', 2 if !$turbo;
    $browser->go("$url/turbo");
    $browser->click('#act');
    like($browser->wait('h1', qr/not carried out/), qr/“Finish” was not/,
        'Turbo: shows the page');
    ok(!$browser->script("return !!$box"), 'Turbo: and no message beside it');
}

undef $browser;
$t->done;
