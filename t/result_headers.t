# flowdash_result_headers: what scripts learn from the headers of a response,
# and htmx from an event, whoever makes the response's body.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Encode qw(encode);
use JSON::PP ();

my $t = Test::Flowdash->new;

my $utf8 = "Pr\x{fc}fung 100%, \x{1f600}; \"a\"\r\n\tb\x7f";

# the answer that the task asks for

$t->endpoint(crm => sub {
    my $task = shift->json->{task};
    return { status => $task->{status} // 200, body => encode('UTF-8', $task->{say} // ''),
             headers => [ 'Content-Type' => 'text/plain' ] };
});

# an app that claims to be a gateway

my @claims = ('Flowdash-Result' => 'failed', 'flowdash-step' => 'Mine',
              'FLOWDASH-ID' => '4711', 'Flowdash-Results' => 'kept');

$t->endpoint(app => sub {
    my $req = shift;
    return { body => 'app',
             headers => [ @claims, $req->{target} =~ /trigger/
                                   ? ('HX-Trigger' => 'mine') : () ] };
});

my $call = 'flowdash_call http://127.0.0.1:%%PORT_crm%%/;';
my $app = 'proxy_pass http://127.0.0.1:%%PORT_app%%;';
my $step = qq(flowdash_step "Update CRM" { $call });
my $action = qq(flowdash_action "Finish"; $step $app);
my $name = encode('UTF-8', $utf8 =~ s/"/\\"/gr);
my $long = encode('UTF-8', "\x{20ac}" x 200);

$t->write_file('sorry.html', 'sorry');

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%

    server {
        listen 127.0.0.1:%%PORT_http%%;
        listen 127.0.0.1:%%PORT_h2%% http2;

        flowdash_error_detail on;

        location / { $app }
        location /action { $action }
        location /on { flowdash_result_headers on; $action }

        location /off {
            flowdash_result_headers off;
            $action
            location /off/again { flowdash_result_headers failed; $action }
        }

        location /utf8 {
            flowdash_action A;
            flowdash_step "$name" { $call }
            $app
        }

        location /long {
            flowdash_action A;
            flowdash_step "$long" { $call }
            $app
        }

        location /unnamed {
            flowdash_result_headers on;
            flowdash_action "\$flowdash_task_action";
            $step
            $app
        }

        location /dry {
            flowdash_result_headers on;
            flowdash_dry_run 1;
            $action
        }

        location /small { client_max_body_size 1; $action }

        location /guarded { flowdash_guard on; $app }

        location /page {
            error_page 502 /sorry.html;
            $action

            location /page/named { error_page 502 = \@app; $action }
            location /page/off { error_page 502 = \@off; $action }
            location /page/trigger { error_page 502 = \@app; $action }
            location /page/redirect {
                error_page 502 =303 http://127.0.0.1/sorry;
                $action
            }
            location /page/again { error_page 502 /action; $action }
        }

        location = /sorry.html { internal; root %%DIR%%; }
        location \@app { $app }
        location \@off { flowdash_result_headers off; $app }
    }
}
EOC

$t->run;

sub act {
    my ($path, $task, @headers) = @_;
    return $t->request('POST', $path, body => JSON::PP::encode_json(
        { task => $task }),
        headers => [ 'Content-Type' => 'application/json', @headers ]);
}

# the values of a header, however often it is there

sub values_of {
    my ($res, $name) = @_;
    return join ' | ', map { $_->[1] } grep { lc $_->[0] eq lc $name }
        @{ $res->{headers} };
}

sub told {
    my ($res) = @_;
    return join ', ', map { values_of($res, "Flowdash-$_") } qw(Result Step);
}

my $refused = { status => 422, say => 'No.' };


# Who is told

for my $path ('/action', '/on', '/off/again', '/page', '/page/named',
              '/page/off', '/page/redirect', '/page/again') {
    my $res = act($path, $refused);
    is(told($res), 'failed, Update%20CRM', "$path: failed");
    like(values_of($res, 'Flowdash-Id'), qr/^[0-9a-f]{32}$/, "$path: its id");
}

my $res = act('/action', $refused);
is(values_of($res, 'Flowdash-Id'), $res->json->{id}, 'the id of the message');

$res = act('/page/named', $refused);
is($res->{body}, 'app', 'a page that comes from the app');
is(values_of($res, 'Flowdash-Results'), 'kept', 'which keeps other headers');
is(act('/page/redirect', $refused)->{status}, 303, 'a redirect');

for my $path ('/', '/action', '/off/again', '/unnamed', '/page') {
    $res = act($path, {});
    is($res->{body}, 'app', "$path: the app answers");
    is(told($res) . values_of($res, 'Flowdash-Id'), ', ',
        "$path: nothing is told, and what the app says is dropped");
}

$res = act('/on', {});
is(told($res), 'ok, ', 'on: passed');
like(values_of($res, 'Flowdash-Id'), qr/^[0-9a-f]{32}$/, 'on: the id');

$res = act('/off', {});
is(join(' ', map { values_of($res, "Flowdash-$_") } qw(Result Step Id)),
    'failed Mine 4711', 'off: the app\'s own headers stay');
is(told(act('/off', $refused)), ', ', 'off: failed');

is(told(act('/dry', {})), 'dry_run, ', 'on: a dry run');
is(told(act('/guarded', {})), 'failed, ', 'what is guarded');
is(told($t->request('POST', '/action', body => '{', headers => [
    'Content-Type' => 'application/json' ])), 'failed, ', 'no step: 400');
is(told($t->request('POST', '/action', body => 'a', headers => [
    'Content-Type' => 'text/plain' ])), 'failed, ', 'no step: 415');
is(told(act('/small', {})), ', ', 'nginx itself refuses it before: 413');


# Names

is(values_of(act('/utf8', $refused), 'Flowdash-Step'),
    'Pr%C3%BCfung%20100%25%2C%20%F0%9F%98%80%3B%20%22a%22%20b',
    'any UTF-8 in the name of a step');
is(values_of(act('/long', $refused), 'Flowdash-Step'),
    '%E2%82%AC' x 84 . '%E2%80%A6', 'a long name is cut');


# htmx

my $htmx = sub {
    my $value = values_of(act(@_, 'HX-Request' => 'true'), 'HX-Trigger');
    like($value, qr/^[\x20-\x7e]*$/, "$_[0]: HX-Trigger is ASCII");
    return $value;
};

sub event {
    my ($value) = @_;
    return JSON::PP->new->decode($value)->{'flowdash:failed'};
}

is(values_of(act('/action', $refused), 'HX-Trigger'), '',
    'no HX-Trigger without HX-Request');

my $event = event($htmx->('/action', $refused));
like(delete $event->{id}, qr/^[0-9a-f]{32}$/, 'HX-Trigger: the id');
is_deeply($event, { step => 'Update CRM', message =>
    'The step "Update CRM" refused the action. Nothing was changed in the '
    . 'app. The answer was: No.' }, 'HX-Trigger: step and message');

is(act('/action', $refused, 'HX-Request' => 'true')->{status}, 502,
    'the status stays');

$event = event($htmx->('/utf8', { status => 422, say =>
    "\x{e9} \x{20ac} \x{1f600} <b> \\ ' \" \x7f\r\nX-Evil: 1" },
    'Accept-Language' => 'ja'));
is($event->{step}, "Pr\x{fc}fung 100%, \x{1f600}; \"a\" b",
    'HX-Trigger: the step, any UTF-8');
like($event->{message}, qr/\x{e9} \x{20ac} \x{1f600} <b> \\ ' " X-Evil: 1$/,
    'HX-Trigger: the message, any UTF-8');
like($event->{message}, qr/\x{30a2}\x{30d7}\x{30ea}/, 'in any language');

my $value = $htmx->('/action', { status => 422,
    say => "\x{e9}" x 2000 });
cmp_ok(length $value, '<', 2500, 'HX-Trigger: a long message is cut');
like(event($value)->{message}, qr/\x{e9}\x{2026}$/, 'with an ellipsis');

is($htmx->('/off', $refused), '', 'HX-Trigger: off');
is($htmx->('/on', {}), '', 'HX-Trigger: passed');
is(event($htmx->('/guarded', {}))->{step}, '', 'HX-Trigger: no step');
is(event($htmx->('/page', $refused))->{step}, 'Update CRM',
    'HX-Trigger: with error_page');
is($htmx->('/page/trigger', $refused), 'mine',
    'HX-Trigger: that of an error page stays');


# HTTP/2

my $port = $t->port('h2');
my $answer = sub {
    my ($path, $body) = @_;
    open my $curl, '-|', 'curl', '-si', '--http2-prior-knowledge',
        '-H', 'Content-Type: application/json', '-H', 'HX-Request: true',
        '-d', $body, "http://127.0.0.1:$port$path" or die "curl: $!\n";
    local $/;
    return scalar readline $curl;
};

for my $path ('/utf8', '/page/named') {
    my $h2 = $answer->($path, '{"task":{"status":422}}');
    like($h2, qr/^flowdash-result: failed\r$/m, "HTTP/2, $path: failed");
    like($h2, qr/^flowdash-step: (?:Update%20CRM|Pr%C3%BC.*%20b)\r$/m,
        "HTTP/2, $path: the step");
    like($h2, qr/^flowdash-id: [0-9a-f]{32}\r$/m, "HTTP/2, $path: the id");
    is(scalar(() = $h2 =~ /^flowdash-(?:result|step|id):/gm), 3,
        "HTTP/2, $path: nothing else");
    like($h2, qr/^hx-trigger: \{"flowdash:failed":\{.*\}\}\r$/m,
        "HTTP/2, $path: HX-Trigger");
}

unlike($answer->('/action', '{"task":{}}'), qr/^flowdash-(?:result|step|id):/m,
    'HTTP/2: the app\'s own are dropped');


# nginx -t

$t->conf_ok("location / { flowdash_result_headers $_; return 204; }",
    "flowdash_result_headers $_") for qw(on off failed);

for (
    [ 'maybe', '"maybe"', 'it must be "on", "off" or "failed"' ],
    [ '$arg_a', '"$arg_a"', 'it must be "on", "off" or "failed"' ],
    [ 'on off', 'invalid number of arguments' ],
    [ 'on; flowdash_result_headers off', 'duplicate' ],
) {
    my ($value, @texts) = @$_;
    my (undef, $output) = $t->test_config(
        "location / { flowdash_result_headers $value; return 204; }");
    is(join(', ', grep { index($output, $_) < 0 } '[emerg]',
        'flowdash_result_headers', @texts), '',
        "refused: flowdash_result_headers $value");
}

$t->done;
