# The calls of flowdash_after and flowdash_undo, and what is stored of them until
# they are made: values are written for where they stand, secrets are not stored,
# and what cannot be called is set aside, with the reason.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use feature 'signatures';
no warnings 'experimental::signatures';

use JSON::PP qw(decode_json encode_json);

my $t = Test::Flowdash->new;
my $dir = $t->dir;
my $secret = 's3/cr"t&e=%';

$t->write_file('token', "$secret\n");
$t->write_file('key', 'k' x 32);
chmod 0600, map { "$dir/$_" } qw(token key);

$t->endpoint(hook => {});
$t->endpoint(down => { status => 503 });        # so that the record stays
$t->endpoint(app => sub ($req) {
    return { status => 302, headers => [ Location => '/tasks/7' ] }
        if $req->{target} =~ /mapped_answer/;
    return { headers => [ 'X-Accel-Redirect' => '/files/99?x=2' ] }
        if $req->{target} =~ /tasks/;
    return { status => $req->{target} =~ /refused/ ? 422 : 204 };
});

sub action ($uri, $step, $rest = '') {
    return qq(location $uri {
        flowdash_action A;
        flowdash_step S { flowdash_call http://127.0.0.1:%%PORT_hook%%/step; $step }
        $rest
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }\n);
}

sub after ($uri, $to, $rest = '') {
    return action("/$uri", '', "flowdash_after M { flowdash_call $to; $rest }");
}

sub undo ($uri, $to, $rest = '') {
    return action("/refused/$uri",
        "flowdash_undo { flowdash_call $to; $rest }");
}

my $down = 'http://127.0.0.1:%%PORT_down%%';

$t->config(<<"EOC")->run;
flowdash_outbox %%DIR%%/outbox key=file:%%DIR%%/key fsync=off;
flowdash_secret \$crm_token file:%%DIR%%/token;
flowdash_user id \$http_x_user;

map \$flowdash_task_which \$by_map { default "Bearer \$crm_token"; }
map \$crm_token \$tested { "~^s3" yes; default no; }
map \$flowdash_task_other \$other { default \$flowdash_task_other; }
map \$upstream_http_location \$did { ~^/tasks/ ok; default refused; }
map \$flowdash_app_status \$moved { 302 1; default 0; }
map \$request_uri \$no_match { volatile; ~^(a)(b)(c) x; default none; }

server {
    listen 127.0.0.1:%%PORT_http%%;

    @{[ after('path', "$down/a/\$crm_token/b?k=\$crm_token&v=\$flowdash_task_v") ]}
    @{[ after('form', "$down/form",
              "flowdash_set_body form 'k=\$crm_token&v=\$flowdash_task_v';") ]}
    @{[ after('json', "$down/json",
              'flowdash_set_body json \'{"k":"<$crm_token>","v":$flowdash_json_task_v}\';') ]}
    @{[ after('header', "$down/header", 'flowdash_set_header X-Key "$by_map";
              flowdash_set_header X-Twice "$crm_token,$crm_token";') ]}
    @{[ after('host', 'http://$flowdash_task_host:%%PORT_down%%/h',
              'flowdash_allow 127.0.0.0/8; flowdash_deny all;') ]}
    @{[ after('hidden', "$down/hidden", 'flowdash_hide_field v;
              flowdash_set_header X-V "<$flowdash_task_v>";') ]}
    @{[ after('skipped', "$down/skipped", 'flowdash_if $flowdash_task_tell;') ]}
    @{[ after('tested', "$down/tested", 'flowdash_set_header X-Key "$tested";') ]}
    @{[ after('dots', "$down/a/\$flowdash_task_v") ]}
    @{[ after('empty', "$down/a/\$flowdash_task_v/b") ]}
    @{[ after('query', "$down/q?id=\$flowdash_task_missing") ]}
    @{[ after('control', "$down/c", 'flowdash_set_header X-V "$flowdash_task_v";') ]}

    @{[ action('/mapped_answer', "flowdash_undo { flowdash_call $down/undo; }",
               qq(flowdash_outcome \$did;
                  flowdash_after M {
                      flowdash_call $down/m;
                      flowdash_set_header X-Did \$did;
                  }
                  flowdash_after N { flowdash_if \$moved; flowdash_call $down/n; }
               )) ]}

    @{[ action('~ ^/(?<what>tasks)/(\d+)/done',
               'flowdash_set_header X-Id $no_match/$2;',
               "proxy_set_header X-Id \$no_match/\$2;
                flowdash_after M { flowdash_call $down/\$what/\$2?x=\$arg_x; }") ]}
    location ~ ^/(?<what>files)/(\\d+) { internal; return 204; }

    @{[ undo('undo', "$down/undo") ]}
    @{[ undo('delete', "$down/d/\$flowdash_task_v method=DELETE") ]}
    @{[ undo('missing', "$down/q?id=\$flowdash_task_missing method=DELETE") ]}
    @{[ undo('mapped', "$down/q?id=\$other") ]}
}
EOC

my $outbox = "$dir/outbox";

sub files { return grep { -f && !m{/lock$} } glob "$outbox/*/* $outbox/*/*/*" }

sub stored { return join '', map { $t->read_file(substr $_, 1 + length $dir) } files() }

# Performs an action, and returns its only call, and what is stored of it.

sub call_of ($uri, %task) {
    $t->clear_requests('down');
    my $res = $t->post_json("/$uri", encode_json({ task => \%task }),
                            headers => [ 'X-User' => 'u' ]);
    is($res->{status}, $uri =~ /^refused/ ? 422 : 204, "$uri: the app's answer");

    my @calls;
    $t->wait_for(sub { @calls = $t->requests('down') });
    is(scalar @calls, 1, "$uri: one call");

    my $stored = '';
    $t->wait_for(sub { ($stored = stored()) =~ /"delivery"/ });

    ok($stored ne '' && index($stored, 's3') < 0, "$uri: no secret is stored")
        or diag($stored);

    unlink files();
    return $calls[0];
}

# The same for one that cannot be made: returns why.

sub dead ($uri, %task) {
    $t->clear_requests('down');
    my $before = length $t->error_log;
    $t->post_json("/$uri", encode_json({ task => \%task }),
                  headers => [ 'X-User' => 'u' ]);

    my @dead;
    ok($t->wait_for(sub { @dead = glob "$outbox/dead/*" }), "$uri: it is dead");
    $t->no_request('down', "$uri: no call");

    my ($error) = stored() =~ /"error":"((?:[^"\\]|\\.)*)"/;
    unlink @dead;
    return $error =~ s/\\"/"/gr;
}

my $encoded = 's3%2Fcr%22t%26e%3D%25';

is(call_of('path', v => 'a b/&')->{target},
    "/a/$encoded/b?k=$encoded&v=a%20b%2F%26", 'secrets and values in a URL');
is(call_of('form', v => 'a b&')->{body}, "k=$encoded&v=a%20b%26", 'in a form');
is_deeply(call_of('json', v => 'a "b')->{json},
    { k => "<$secret>", v => 'a "b' }, 'in JSON');

my $call = call_of('header', which => 1);
is(header($call, 'X-Key'), "Bearer $secret", 'a secret by way of a map');
is(header($call, 'X-Twice'), "$secret,$secret", 'a secret twice');

is(header(call_of('host', host => '127.0.0.1'), 'Host'),
    '127.0.0.1:' . $t->port('down'), 'a host with a variable');

$call = call_of('hidden', v => 'v', w => 'w');
is_deeply($call->{json}{task}, { w => 'w' }, 'a hidden field');
is(header($call, 'X-V'), '<>', 'which has no value either');

$call = call_of('query', v => 'v');
is($call->{target}, '/q?id=', 'a field that the task lacks');

my $user = { id => 'u', map { $_ => undef } qw(email first_name last_name) };
my $result = { status => 204, location => undef };

is_deeply($call->{json}, { action => 'A', user => $user, task => { v => 'v' },
    result => $result, response => undef }, 'the payload of an after-step');

# after-steps are made ready before the app is called: nginx must not keep what a
# map is then

$t->clear_requests('down');
is($t->post_json('/mapped_answer', '{"task":{}}')->{status}, 302,
   'the app has done it');
my @calls;
$t->wait_for(sub { (@calls = $t->requests('down')) >= 2 });
is(join(' ', map { $_->{target} } @calls), '/m /n', 'the after-steps are called');
is(header($calls[0], 'X-Did'), 'ok', 'and know what it is now');
ok($t->wait_for(sub { stored() =~ /"delivery".*"delivery"/s }), 'they wait');
unlink files();

is(call_of('tasks/7/done?x=1')->{target}, '/tasks/7?x=1',
   'the location of the action counts, wherever the app has led');

# an expression of a map that does not match

for my $name (qw(hook app)) {
    ($call) = reverse $t->requests($name);
    is(header($call, 'X-Id'), 'none/7', "$name: captures stay");
}

$call = call_of('refused/undo', v => 'v');
my ($step) = grep { $_->{target} eq '/step' } reverse $t->requests('hook');
my $key = header($step, 'Idempotency-Key') =~ s/"//gr;

is_deeply($call->{json}, { action => 'A', user => $user, task => { v => 'v' },
    undo => { reason => 'refused', step => undef, key => $key } },
    'the payload of an undo, with the key of its step');
is(header($call, 'Flowdash-Undo'), qq("$key"), 'which a header has as well');
isnt(header($call, 'Idempotency-Key'), header($step, 'Idempotency-Key'),
    'and a key of its own');
is((header($call, 'Idempotency-Key') =~ /^"([0-9a-f]{32})-/)[0],
   (header($step, 'Idempotency-Key') =~ /^"([0-9a-f]{32})-/)[0],
    'of the same execution');
is(header($call, 'User-Agent'), header($step, 'User-Agent'),
    'otherwise the headers of a step');

$call = call_of('refused/delete', v => '7/8');
is("$call->{method} $call->{target}", 'DELETE /d/7%2F8', 'a DELETE');
is($call->{body}, '', 'has no payload');


# What cannot be called

like(dead('tested'), qr/^the secret "\$crm_token" is not stored, /,
    'a secret that a map has tested');
like(dead('dots', v => '..'), qr/"\." or "\.\."/, 'a path that leads up');
like(dead('empty', v => ''), qr/leaves a part of the path empty/,
    'a part of the path that is empty');
like(dead('control', v => "a\nb"), qr/X-V has a control character/,
    'a control character');
like(dead('host', host => 'a@b'), qr/makes the host of the URL invalid/,
    'no host');
like(dead("refused/$_", v => 'v'), qr/a field that the task lacks/,
    "an undo that lacks a field: $_") for qw(missing mapped);


# What there is no call for

$t->clear_requests('down');
$t->post_json('/skipped', '{"task":{"tell":"0"}}');
ok($t->wait_for(sub { !files() }), 'nothing is stored of a skipped one');
$t->no_request('down', 'nor called');

unlike($t->error_log, qr/s3/, 'no secret is in the log');

$t->done;
