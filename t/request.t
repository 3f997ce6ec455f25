#!/usr/bin/perl

# The client's request: however its JSON body comes, the task is found in it,
# and the app gets it with just the changes.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->endpoint(set => {
    headers => [ 'Content-Type' => 'application/json' ],
    body => '{"task":{"Date":"new"}}',
});
$t->endpoint(keep => { body => 'ok' });
$t->endpoint(app => { body => 'stored' });

my @pointers = ('/task', '', '/a/b', '/items/1', '/0/x', '/a~1b/m~0n', '/');
my $locations = join '', map { <<"EOC" } 0 .. $#pointers;
    location = /pointer/$_ {
        flowdash_action "Do";
        flowdash_task "$pointers[$_]";
        flowdash_step "Set" {
            flowdash_call http://127.0.0.1:%%PORT_set%%/;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
EOC

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    client_max_body_size 20m;
    proxy_request_buffering off;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        listen 127.0.0.1:%%PORT_h2%% http2;

        location /set {
            flowdash_action "Do";
            flowdash_step "Set" {
                flowdash_call http://127.0.0.1:%%PORT_set%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;

            location /set/11 {
                proxy_http_version 1.1;
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /set/small {
                client_max_body_size 10;
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
        }

        location /memory {
            client_body_buffer_size 8m;

            location /memory/set {
                flowdash_action "Do";
                flowdash_step "Set" {
                    flowdash_call http://127.0.0.1:%%PORT_set%%/;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /memory/keep {
                flowdash_action "Do";
                flowdash_step "Keep" {
                    proxy_pass http://127.0.0.1:%%PORT_keep%%;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /memory/variable {
                flowdash_action "Do";
                flowdash_step "Keep" {
                    proxy_pass http://127.0.0.1:%%PORT_keep%%;
                }
                proxy_set_body "\$request_body ";
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
        }

        location /keep {
            flowdash_action "Do";
            flowdash_step "Keep" {
                proxy_pass http://127.0.0.1:%%PORT_keep%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        $locations
    }
}
EOC

$t->run;

my $in  = '{"id":1,"task":{"Date":"old","N":10000.00,"E":"\u00e9\/"},"z":[1e400]}';
my $out = $in =~ s/old/new/r;
my $fields = '{"Date":"old","N":10000.00,"E":"\u00e9\/"}';

# the ways in which a body comes

for (
    [ 'HTTP/1.1', sub { $t->post_json($_[0], $in) } ],
    [ 'HTTP/1.0', sub { $t->post_json($_[0], $in, version => '1.0') } ],
    [ 'chunked', sub { $t->post_json($_[0], $in, chunked => 1) } ],
    [ 'HTTP/2', sub { $t->h2_request('POST', $_[0], body => $in,
        headers => [ 'Content-Type', 'application/json' ]) } ],
    [ 'HTTP/2 without length', sub { $t->h2_request('POST', $_[0],
        body => $in, no_length => 1,
        headers => [ 'Content-Type', 'application/json' ]) } ],
    [ '+json', sub { $t->request('PUT', $_[0], body => $in,
        headers => [ 'Content-Type', 'Application/Vnd.X+JSON; a=b' ]) } ],
) {
    my ($way, $request) = @$_;

    for my $uri ('/set', '/set/11') {
        is($request->($uri)->{status}, 200, "$way: $uri");

        my $call = $t->only_request('set');
        is($call->{json}{action}, 'Do', "$way: called once");
        like($call->{body}, qr/"task":\Q$fields\E}$/, "$way: task");

        my $app = $t->only_request('app');
        is($app->{body}, $out, "$way: the app's body");
        is($app->header('Content-Length'), length $out, "$way: length");
        is($app->header('Transfer-Encoding'), undef, "$way: one framing");
    }

    is($request->('/keep')->{status}, 200, "$way: /keep");
    $t->only_request('keep');
    is($t->only_request('app')->{body}, $in, "$way: untouched");
}

# large bodies, in a temporary file

my $large = '{"big":"' . 'x' x 10_000_000 . '","task":{"Date":"old"}}';

for my $chunked (0, 1) {
    is($t->post_json('/set', $large, chunked => $chunked)->{status}, 200,
        "10 MB, chunked $chunked");
    like($t->only_request('set')->{body}, qr/"task":\{"Date":"old"\}\}$/,
         'task');
    ok($t->only_request('app')->{body} eq $large =~ s/old/new/r,
       'the app has it');
}

my $task = '{"task":{"Date":"old",' . join(',', map { qq("f$_":$_) } 1 .. 3000)
           . ',"pad":"' . 'y' x 1_000_000 . '"}}';

is($t->post_json('/set', $task)->{status}, 200, 'a task of 1 MB');
ok($t->only_request('app')->{body} eq $task =~ s/old/new/r, 'the app has it');
is($t->only_request('set')->header('Expect'), undef,
   'the call waits for nothing');

# in several buffers of memory, and another request behind it

my $long = '{"task":{"Date":"old"},"pad":"'
    . join('', map { "$_ " } 1 .. 500_000) . '"}';

for (
    [ 'HTTP/1.1', sub { $t->post_json($_[0], $long, socket => $_[1],
        headers => [ Connection => 'keep-alive' ]) } ],
    [ 'chunked', sub { $t->post_json($_[0], $long, socket => $_[1],
        chunked => 1, headers => [ Connection => 'keep-alive' ]) } ],
    [ 'HTTP/2', sub { $t->h2_request('POST', $_[0], body => $long,
        headers => [ 'Content-Type', 'application/json' ]) } ],
    [ 'HTTP/2 without length', sub { $t->h2_request('POST', $_[0],
        body => $long, no_length => 1,
        headers => [ 'Content-Type', 'application/json' ]) } ],
) {
    my ($way, $request) = @$_;
    my $socket = $t->connect;

    for (
        [ 'set', 'set', $long =~ s/old/new/r ],
        [ 'keep', 'keep', $long ],
        [ 'variable', 'keep', "$long " ],
    ) {
        my ($name, $step, $wanted) = @$_;

        is($request->("/memory/$name", $socket)->{status}, 200,
            "3 MB in memory, $way: $name");
        $t->only_request($step);
        ok($t->only_request('app')->{body} eq $wanted, 'the app has it');
    }
}

is($t->post_json('/set/small', $in)->{status}, 413, 'too large');
is($t->post_json('/set/small', $in, chunked => 1)->{status}, 413,
    'too large in chunks');
$t->no_request('set', 'not called');
$t->no_request('app', 'the app is not reached');

# headers about the body

$t->post_json('/set', $in, headers => [ 'Content-MD5', 'x', 'X-A', 'a',
    'Digest', 'y', 'Content-Digest', 'z', 'X-B', 'b', 'Repr-Digest', 'w' ]);
my $app = $t->only_request('app');
is($app->header($_), undef, "$_ is gone")
    for qw(Content-MD5 Digest Content-Digest Repr-Digest);
is($app->header('X-A') . $app->header('X-B'), 'ab', 'others are not');
is($app->header('Content-Type'), 'application/json', 'Content-Type stays');

$t->post_json('/keep', $in, headers => [ 'Content-MD5', 'x' ]);
is($t->only_request('app')->header('Content-MD5'), 'x',
   'kept with an unchanged body');
$t->only_request($_) for qw(set keep);

# no body

for my $type (undef, 'text/plain') {
    my @type = $type ? ('Content-Type', $type) : ();
    is($t->request('POST', '/set', headers => [ 'Content-Length', 0, @type ])
        ->{status}, 200, 'no body');
    like($t->only_request('set')->{body}, qr/"task":\{\}\}$/, 'an empty task');
    $app = $t->only_request('app');
    is($app->{body}, '{"task":{"Date":"new"}}', 'a body for the change');
    is($app->header('Content-Type'), 'application/json', 'which is JSON');
    is($app->header('Content-Length'), 23, 'with its length');
}

$t->request('POST', '/keep', headers => [ 'Content-Length', 0 ]);
$t->only_request('keep');
$app = $t->only_request('app');
is($app->{body}, '', 'no change, no body');
is($app->header('Content-Type'), undef, 'and no Content-Type');

# other methods pass

is($t->get('/set')->{status}, 200, 'GET');
$t->only_request('app');
is($t->request('DELETE', '/set')->{status}, 200, 'DELETE');
$t->only_request('app');
$t->no_request('set', 'no action');

# pointers

my @rows = (
    [ '/task', '{}', '{"task":{"Date":"new"}}' ],
    [ '/task', ' { } ', ' {"task":{"Date":"new"} } ' ],
    [ '/task', '{ "a" : 1 }', '{ "a" : 1,"task":{"Date":"new"} }' ],
    [ '/task', '{"task":{}}', '{"task":{"Date":"new"}}' ],
    [ '/task', '{"task": { "a":{} , "b":[] } }',
        '{"task": { "a":{} , "b":[],"Date":"new" } }' ],
    [ '/task', '{"t\u0061sk":{"D\u0061te":0}}',
        '{"t\u0061sk":{"D\u0061te":"new"}}' ],
    [ '/task', '{"a":{"task":1},"task":{"Date":[{"Date":{}}]}}',
        '{"a":{"task":1},"task":{"Date":"new"}}' ],
    [ '', '{"Date":"old"}', '{"Date":"new"}' ],
    [ '', '{}', '{"Date":"new"}' ],
    [ '/a/b', '{"b":{},"a":{"b":{"x":1}}}',
        '{"b":{},"a":{"b":{"x":1,"Date":"new"}}}' ],
    [ '/a/b', '{"a":{"c":{}}}', '{"a":{"c":{},"b":{"Date":"new"}}}' ],
    [ '/a/b', '{"b":1}', '{"b":1,"a":{"b":{"Date":"new"}}}' ],
    [ '/items/1', '{"items":[{},{"Date":1}]}', '{"items":[{},{"Date":"new"}]}' ],
    [ '/items/1', '{"items":[{}]}', 400 ],
    [ '/items/1', '{"items":{"1":{}}}', '{"items":{"1":{"Date":"new"}}}' ],
    [ '/0/x', '[{"y":1}]', '[{"y":1,"x":{"Date":"new"}}]' ],
    [ '/0/x', '{}', '{"0":{"x":{"Date":"new"}}}' ],
    [ '/a~1b/m~0n', '{"a/b":{"m~n":{"Date":1}}}',
        '{"a/b":{"m~n":{"Date":"new"}}}' ],
    [ '/a~1b/m~0n', '{}', '{"a/b":{"m~n":{"Date":"new"}}}' ],
    [ '/', '{"":{"Date":1}}', '{"":{"Date":"new"}}' ],


    # what cannot be read

    map { [ '/task', $_, 400 ] }

    '{', 'x', '[]', '"task"', '1', ' ', '{"task":}', '{"task":{}}x',
    '{"task":{}},', '{"task":{"a":01}}', '{"task":{"a":1.}}', "{'task':{}}",
    '{"task":{"a":tru}}', '{"task":{"a":"\x"}}', '{"task":{"a":"' . "\n" . '"}}',
    "{\"task\":\f{}}", "{\"task\":\x0b{}}", "\xef\xbb\xbf{}",
    "{\"task\":{}\0}", '{"task":{/* */}}',

    # UTF-8

    "{\"a\":\"\xff\"}", "{\"a\":\"\xc0\xaf\"}", "{\"a\":\"\xed\xa0\x80\"}",
    "{\"a\":\"\xf4\x90\x80\x80\"}", "{\"a\":\"\xc3\"}", "{\"a\":\"\xe2\x82\"}",
    "{\"a\":\"\xc3\xff\"}",

    # not an object, or twice

    '{"task":null}', '{"task":[]}', '{"task":"x"}', '{"task":1}',
    '{"task":{},"task":{}}', '{"task":{},"t\u0061sk":1}',
    '{"task":{"a":1,"b":2,"a":3}}', '{"task":{"a":1,"\u0061":3}}',
    '{"task":{"\ud800":1}}', '{"task":{"\udc00\ud800":1}}',

    # depth

    '{"task":{"a":' . '[' x 127 . ']' x 127 . '}}',
    '[' x 100_000,
);

push @rows,
    [ '/task', '{"x":{"a":1,"a":2},"x":1,"task":{"s":{"b":1,"c":2}}}',
        '{"x":{"a":1,"a":2},"x":1,"task":{"s":{"b":1,"c":2},"Date":"new"}}' ],
    [ '/task', '{"task":{"\ud83d\ude00":1,"x":"\u0000"}}',
        '{"task":{"\ud83d\ude00":1,"x":"\u0000","Date":"new"}}' ],
    [ '/task', '{"task":{"a":' . '[' x 126 . ']' x 126 . '}}',
        '{"task":{"a":' . '[' x 126 . ']' x 126 . ',"Date":"new"}}' ];

for (@rows) {
    my ($pointer, $body, $wanted) = @$_;
    my ($i) = grep { $pointers[$_] eq $pointer } 0 .. $#pointers;
    my $name = "\"$pointer\" " . substr $body, 0, 60;
    $name =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;

    my $res = $t->post_json("/pointer/$i", $body);

    if ($wanted eq '400') {
        is($res->{status}, 400, "$name: 400");
        $t->no_request('set', 'nothing is called');
        $t->no_request('app', 'the app is not reached');

    } else {
        is($res->{status}, 200, "$name: 200");
        is($t->only_request('app')->{body}, $wanted, 'body');
        $t->only_request('set');
    }
}

# media types and codings

for (
    [ 'text/plain' ], [ 'multipart/mixed' ],
    [ 'application/jsonx' ], [ '+json' ],

    # to some apps, these are forms

    [ 'application/x-www-form-urlencoded+json' ],
    [ 'application/json;x="application/x-www-form-urlencoded"' ],
    [ 'application/json; x=application/x-www-form-urlencoded' ],
    [ 'multipart/form-data+json;boundary=b' ],
    [ 'application/json;x="Multipart/form-data;boundary=b"' ],
    [ 'application/x-www-form-urlencoded; x=json' ],
    [ 'application/x-www-form-urlencoded; x="multipart/form-data"' ],
    [ 'multipart/form-data; boundary=b; x=urlencoded' ],

    [ 'application/json',
        'Content-Encoding', 'gzip' ], [],
) {
    my @headers = @$_ ? ('Content-Type', @$_) : ();
    is($t->request('POST', '/set', headers => \@headers, body => '{}')
        ->{status}, 415, "415: @headers");
    $t->no_request('set', 'nothing is called');
    $t->no_request('app', 'the app is not reached');
}

is($t->post_json('/set', '{}', headers => [ 'Content-Encoding', 'Identity' ])
    ->{status}, 200, 'identity');
$t->only_request($_) for qw(set app);

$t->done;
