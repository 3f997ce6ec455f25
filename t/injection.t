# Values from outside lead no call elsewhere, add no header and no line to a
# log; no header of the client reaches an endpoint; secrets are not logged.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use JSON::PP ();
use MIME::Base64 qw(encode_base64);

# at "debug", nginx logs all that it sends
my $t = Test::Flowdash->new(log_level => 'info');

$t->endpoint(hook => sub {
    my $req = shift;
    my ($status) = $req->{target} =~ m{^/status/(\d+)};
    return { status => $status // 200,
             headers => [ 'Content-Type' => 'application/json' ],
             body => $req->{target} =~ /invalid/ ? '{"task": S3CRET' : '' };
});
$t->endpoint(app => { body => 'app' });

my $config = <<'EOC';
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    log_format flow escape=json '{"action":"$flowdash_action",'
                                '"error":"$flowdash_error"}';

    flowdash_connect_timeout 100s;
    flowdash_timeout 100s;
    flowdash_deadline 200s;

    map $http_x_v $mapped { default "<$http_x_v>"; }

    server {
        listen 127.0.0.1:%%PORT_http%%;
        access_log %%DIR%%/flow.log flow;

        LOCATION /task/path : "A" {
            flowdash_call http://HOOK/a/$flowdash_task_v/b;
        }
        LOCATION /task/name : "A" {
            flowdash_call http://HOOK/a$flowdash_task_v;
        }
        LOCATION /task/query : "A" {
            flowdash_call http://HOOK/a?q=$flowdash_task_v&r=1;
        }
        LOCATION /task/two : "A" {
            flowdash_call http://HOOK/a/$flowdash_task_v$flowdash_task_v/b;
        }
        LOCATION /task/header : "A" {
            flowdash_set_header X-V $flowdash_task_v;
            flowdash_call http://HOOK/;
        }
        LOCATION /task/proxy : "A" {
            flowdash_set_header X-V $flowdash_task_v;
            proxy_pass http://HOOK/;
        }
        LOCATION /task/user : "A" {
            flowdash_user email $flowdash_task_v;
            flowdash_call http://HOOK/;
        }
        LOCATION /task/action : "A $flowdash_task_v" {
            flowdash_call http://HOOK/status/$flowdash_task_status;
        }
        location /task/others {
            flowdash_action "A $flowdash_task_v";
            flowdash_step "S" {
                proxy_set_header X-V $flowdash_task_v;
                proxy_pass http://HOOK/;
            }
            add_header X-V $flowdash_task_v always;
            add_header X-Action $flowdash_action always;
            proxy_set_header X-V $flowdash_task_v;
            proxy_set_header X-Action $flowdash_action;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
        LOCATION ~ (?s)^/capture/(?<v>.*)$ : "A" {
            flowdash_call http://HOOK/a/$v/$1?q=$v;
        }
        LOCATION ~ (?s)^/user/(?<u>.*)$ : "A" {
            flowdash_user email $u;
            proxy_pass http://HOOK/;
        }
        LOCATION ~ (?s)^/header/(?<h>.*)$ : "A" {
            flowdash_set_header X-V "a $h";
            proxy_pass http://HOOK/;
        }
        LOCATION ~ (?s)^/name/(?<n>.*)$ : "$n" { flowdash_call http://HOOK/; }
        set $copy $arg_v;
        LOCATION /arg : "A" {
            flowdash_call http://HOOK/$arg_v/$copy?q=$arg_v;
        }
        LOCATION /args : "A" { flowdash_call http://HOOK/?$args; }
        LOCATION /map : "A" {
            flowdash_set_header X-V $http_x_v;
            flowdash_set_header X-Map $mapped;
            flowdash_call http://HOOK/$http_x_v?q=$mapped;
        }
    }

    # what a step inherits is evaluated for the step

    server {
        listen 127.0.0.1:%%PORT_inherit%%;
        server_name gateway.example;

        proxy_set_header Cookie $http_cookie;
        proxy_set_header Host $host;
        proxy_set_header X-Secret $http_x_secret;
        proxy_set_header X-Forwarded-For $http_x_forwarded_for;
        proxy_set_header X-Session $cookie_session;
        proxy_set_header X-Agent $http_user_agent;

        LOCATION /call : "A" { flowdash_call http://HOOK/; }
        LOCATION /proxy : "A" { proxy_pass http://HOOK/; }
        LOCATION /cookie/call : "A" {
            flowdash_set_header Cookie $http_cookie;
            flowdash_set_header User-Agent $http_user_agent;
            flowdash_call http://HOOK/;
        }
    }

    server {
        listen 127.0.0.1:%%PORT_plain%%;

        LOCATION /call : "A" { flowdash_call http://HOOK/; }
        LOCATION /proxy : "A" { proxy_pass http://HOOK/; }
        LOCATION /cookie/call : "A" {
            flowdash_set_header Cookie $http_cookie;
            flowdash_set_header User-Agent $http_user_agent;
            flowdash_set_header content-type "application/json; a=b";
            flowdash_set_header Accept "";
            flowdash_call http://HOOK/;
        }
        LOCATION /cookie/proxy : "A" {
            flowdash_set_header Cookie $http_cookie;
            flowdash_set_header User-Agent $http_user_agent;
            flowdash_set_header content-type "application/json; a=b";
            flowdash_set_header Accept "";
            proxy_pass http://HOOK/;
        }
    }

    server {
        listen 127.0.0.1:%%PORT_secret%%;

        LOCATION ~ ^/call(?<to>/.*)$ : "A" {
            flowdash_set_header X-Key "key S3CRET";
            flowdash_set_header X-Client $http_authorization;
            flowdash_call http://me:S3CRET@HOOK/$to?key=S3CRET;
        }
        LOCATION ~ ^/path(?<to>/.*)$ : "A" {
            flowdash_call http://me:S3CRET@HOOK/status/$arg_status?key=S3CRET;
        }
        LOCATION ~ ^/invalid$ : "A" {
            flowdash_call http://me:S3CRET@HOOK/invalid?key=S3CRET;
        }
        LOCATION ~ ^/refused$ : "A" {
            flowdash_call http://me:S3CRET@127.0.0.1:%%PORT_nobody%%/?S3CRET;
        }
        LOCATION ~ ^/resolve$ : "A" {
            flowdash_call http://me:S3CRET@nonexistent.invalid/?S3CRET;
        }
        LOCATION ~ ^/tls$ : "A" {
            flowdash_call https://me:S3CRET@127.0.0.1:%%PORT_http%%/?S3CRET;
        }
        LOCATION ~ ^/proxy$ : "A" {
            flowdash_set_header Authorization "Bearer S3CRET";
            proxy_pass http://HOOK/status/500?key=S3CRET;
        }
    }
}
EOC

$config =~ s{LOCATION (.*?) : (".*?") \{(.*?;)\s*\}}
            {location $1 {
            flowdash_action $2;
            flowdash_step "S" {$3}
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }}gs;
$config =~ s/HOOK/127.0.0.1:%%PORT_hook%%/g;

$t->config($config)->run;

my $json = JSON::PP->new->utf8;
my @json = ('Content-Type' => 'application/json');

sub post {
    my ($path, %option) = @_;
    $t->clear_requests($_) for qw(hook app);
    return $t->request('POST', $path, body => '{"task":{}}', %option,
                       headers => [ @json, @{ $option{headers} // [] } ]);
}

# with the value as the task's field

sub post_value {
    my ($path, $value, %task) = @_;
    return post($path, body => $json->encode({ task => { v => $value,
                                                         %task } }));
}

sub target {
    my ($call, @more) = $t->requests('hook');
    return @more ? 'several calls' : $call ? $call->{target} : 'no call';
}

sub refused {
    my ($name, $res) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($res->{status}, 400, "$name: 400");
    is(target(), 'no call', "$name: nothing is called");
    is(scalar $t->requests('app'), 0, "$name: the app neither");
    like((split /\n/, $t->error_log)[-1], qr/: request_invalid, \w/,
        "$name: why") if $res->{status} == 400;
}

sub shown { return $_[0] =~ s/([^!-~])/sprintf '\\x%02x', ord $1/ger }


# A field's value in a URL

for (
    [ 'a b' => 'a%20b' ], [ 'a/b' => 'a%2Fb' ], [ '%2f' => '%252f' ],
    [ '%' => '%25' ], [ 'a#b' => 'a%23b' ], [ 'a?b' => 'a%3Fb' ],
    [ '@evil.example' => '%40evil.example' ], [ '/' => '%2F' ],
    [ '//evil.example/' => '%2F%2Fevil.example%2F' ],
    [ '/../..' => '%2F..%2F..' ], [ '../x' => '..%2Fx' ],
    [ 'a&b=c' => 'a%26b%3Dc' ], [ 'a+b;c' => 'a%2Bb%3Bc' ],
    [ ':80' => '%3A80' ], [ 'a\\b' => 'a%5Cb' ], [ '"<>`{|}^' =>
      '%22%3C%3E%60%7B%7C%7D%5E' ],
    [ '$http_cookie' => '%24http_cookie' ], [ '[1-3]{a,b}' =>
      '%5B1-3%5D%7Ba%2Cb%7D' ],
    [ "\x{e9}\x{20ac}\x{1f600}" => '%C3%A9%E2%82%AC%F0%9F%98%80' ],
    [ "\x{85}\x{2028}" => '%C2%85%E2%80%A8' ],
    [ 'x HTTP/1.1' => 'x%20HTTP%2F1.1' ], [ '...' => '...' ],
    [ 'A-Za.z0_9~' => 'A-Za.z0_9~' ], [ 'a' x 5000 => 'a' x 5000 ],
) {
    my ($value, $encoded) = @$_;
    my $name = substr shown($value), 0, 40;

    for (
        [ '/task/path' => "/a/$encoded/b" ], [ '/task/name' => "/a$encoded" ],
        [ '/task/query' => "/a?q=$encoded&r=1" ],
        [ '/task/two' => "/a/$encoded$encoded/b" ],
    ) {
        my ($path, $target) = @$_;
        is(post_value($path, $value)->{body}, 'app', "$path, $name: passes");
        is(lc target(), lc $target, "$path, $name: encoded");
        is(join('|', header($t->only_request('hook'), 'Host')),
            '127.0.0.1:' . $t->port('hook'), "$path, $name: one Host, its own");
    }
}

my @control = ("\r\nX-Evil: 1", "a\rb", "a\nb", "\0", "a\0", "\x01", "\x1f",
               "\x7f", "a\n", "\n", " HTTP/1.1\r\nHost: evil\r\n\r\nGET /");

for my $value (@control) {
    refused("$_, " . shown($value), post_value($_, $value))
        for '/task/path', '/task/name', '/task/query', '/task/header',
            '/task/proxy';
}

# the variables in nginx's own directives, which send what they are given

for my $value ("\r\nX-Evil: 1", "a\nX-Evil: 1") {
    my $res = post_value('/task/others', $value);
    is(scalar(grep { $_ && defined $_->header('X-Evil') }
              $res, $t->requests('hook'), $t->requests('app')), 0,
        'no header by variables in other directives, ' . shown($value));
}

refused("a tab in a URL", post_value('/task/path', "a\tb"));
refused("$_ as a part of the path", post_value('/task/path', $_))
    for '.', '..';
refused('".." made of two', post_value('/task/two', '.'));

post_value('/task/query', '..');
is(target(), '/a?q=..&r=1', '".." is nothing special in a query');
refused('an empty part of the path', post_value('/task/path', ''));
post_value('/task/query', '');
is(target(), '/a?q=&r=1', 'an empty value is nothing special in a query');
post_value('/task/name', '');
is(target(), '/a', 'nor at the end of a part');


# Values as nginx has them: decoded in captures, not in arguments

for (
    [ '/capture/a%20b' => '/a/a%20b/a%20b?q=a%20b' ],
    [ '/capture/a%2fb' => '/a/a%2Fb/a%2Fb?q=a%2Fb' ],
    [ '/capture/%252f' => '/a/%252f/%252f?q=%252f' ],
    [ '/capture/a/../b' => '/a/b/b?q=b' ],
    [ '/capture/%23%3F%40?x' => '/a/%23%3F%40/%23%3F%40?q=%23%3F%40' ],
    [ '/capture/%ff%c3%a9' => '/a/%FF%C3%A9/%FF%C3%A9?q=%FF%C3%A9' ],
    [ '/arg?v=a%20b' => '/a%2520b/a%2520b?q=a%2520b' ],
    [ '/arg?v=%2e%2e%2f' => '/%252e%252e%252f/%252e%252e%252f?q='
                            . '%252e%252e%252f' ],
    [ '/arg?v=%0d%0aX-Evil:1' => '/%250d%250aX-Evil%3A1/%250d%250aX-Evil%3A1'
                                 . '?q=%250d%250aX-Evil%3A1' ],
    [ '/arg?v=a/b' => '/a%2Fb/a%2Fb?q=a%2Fb' ],
    [ '/args?a=1&b=2' => '/?a%3D1%26b%3D2' ],
) {
    my ($path, $target) = @$_;
    is(post($path)->{status}, 200, "$path: passes");
    is(lc target(), lc $target, "$path: encoded");
}

refused($_, post($_))
    for '/capture/a%0d%0aX-Evil:%201', '/capture/%0a', '/capture/%7f',
        '/capture/a%09b', '/header/%0d%0aX-Evil:%201', '/header/%0a',
        '/header/%7f', '/arg?v=..', '/arg?v=.', '/user/%ff', '/name/%ff';

is(post('/capture/%00')->{status}, 400, '%00 is refused by nginx');
is(target(), 'no call', 'and nothing is called');

is(post('/map', headers => [ 'X-V' => 'a b/?#@%2f' ])->{status}, 200,
    'a header and a map: passes');
is(lc target(), lc '/a%20b%2F%3F%23%40%252f?q=%3Ca%20b%2F%3F%23%40%252f%3E',
    'a header and a map: encoded in a URL');


# Headers

for my $value ('a b', 'a: b, c;d="e"', '@#?/..%2f', "a\tb", '$http_cookie',
               "\x{e9}\x{20ac}", 'a' x 5000, 'a:b', "'\\", '; x')
{
    for my $path ('/task/header', '/task/proxy') {
        my $name = "$path, " . substr shown($value), 0, 20;
        utf8::encode(my $bytes = $value);

        is(post_value($path, $value)->{body}, 'app', "$name: passes");
        my $call = $t->only_request('hook');
        is($call->header('X-V'), $bytes, "$name: as it is");
        is(join(' ', sort map { lc $_->[0] } @{ $call->{headers} })
                =~ s/connection //r,
            'accept content-length content-type host idempotency-key '
            . 'traceparent user-agent x-v',
            "$name: no other header");
    }
}

post_value('/task/user', "a\"\\\r\n\x01\x{e9}</script>");
is($t->only_request('hook')->{json}{user}{email},
    "a\"\\\r\n\x01\x{e9}</script>", 'any text in flowdash_user');


# The client's headers

my %client = (
    Host => 'client.example', Cookie => 'session=1; a=b',
    Authorization => 'Basic Y2xpZW50', Accept => 'text/client',
    'User-Agent' => 'client/1.0', Referer => 'http://client.example/',
    'X-Secret' => 'client', 'X-Forwarded-For' => '192.0.2.1',
    'X-Http-Method-Override' => 'PATCH', 'Accept-Encoding' => 'gzip, client',
    'Accept-Language' => 'client', Origin => 'http://client.example',
    'Proxy-Authorization' => 'Basic client', 'If-None-Match' => '"client"',
    Range => 'bytes=0-1', Via => '1.1 client', 'X_Under' => 'client',
);

my $client = qr/client|session|192\.0\.2|Y2xpZW50|PATCH|bytes=|gzip/;

for my $port ('inherit', 'plain') {
    for my $path ('/call', '/proxy') {
        my $name = "$port, $path";
        my $res = post($path, headers => [ %client ], port => $port);
        my $call = $t->only_request('hook');
        my $app = $t->only_request('app');
        my @names = map { lc $_->[0] } @{ $call->{headers} };

        is($res->{body}, 'app', "$name: passes");
        is(join(' ', grep { /$client/ } map { @$_ } @{ $call->{headers} }),
            '', "$name: nothing of the client's reaches an endpoint");
        is(join(' ', grep { !/^(?:host|connection|accept|user-agent|
                                  idempotency-key|traceparent|
                                  content-(?:type|length))$/x } @names), '',
            "$name: no header but the step's own");
        is($call->header('Content-Type'), 'application/json',
            "$name: Content-Type");
        is($call->header('Accept'), 'application/json', "$name: Accept");
        like($call->header('User-Agent'), qr/^ngx_flowdash\/[\d.]+$/,
            "$name: User-Agent");
        is($call->header('Host'), '127.0.0.1:' . $t->port('hook'),
            "$name: Host") if $name ne 'inherit, /proxy';

        for (grep { !/^(?:Host|X_Under)$/ } sort keys %client) {
            is($app->header($_), $client{$_}, "$name: the app gets $_");
        }
        is($app->header('Host'), 'client.example', "$name: the app gets Host")
            if $port eq 'inherit';
        is($app->header('X-Session'), 1, "$name: the app gets a cookie")
            if $port eq 'inherit';
    }
}

for (
    [ plain => '/cookie/call' ], [ plain => '/cookie/proxy' ],
    [ inherit => '/cookie/call' ],
) {
    my ($port, $path) = @$_;
    my $name = "$port, $path";
    is(post($path, headers => [ %client ], port => $port)->{body}, 'app',
        "$name: passes");
    my $call = $t->only_request('hook');

    is(join('|', header($call, 'Cookie')), $client{Cookie},
        "$name: flowdash_set_header Cookie");
    is(join('|', header($call, 'User-Agent')), 'client/1.0',
        "$name: flowdash_set_header User-Agent");
    is($call->header('Authorization'), undef, "$name: but no other");
    next if $port eq 'inherit';

    is(join('|', header($call, 'Content-Type')), 'application/json; a=b',
        "$name: flowdash_set_header Content-Type");
    is(join('|', header($call, 'Accept')), '', "$name: no Accept");
    my $app = $t->only_request('app');
    is($app->header('Content-Type'), 'application/json',
        "$name: the app has the client's Content-Type");
}


# Logs

my $size = length $t->error_log;
my $evil = "x\n2020/01/01 00:00:00 [crit] 1#1: evil\r\n\e[31m\0";

my $res = post_value('/task/action', $evil, status => 500);
is($res->{status}, 502, 'log: the action fails');
is($t->only_request('hook')->{json}{action}, "A $evil",
    'log: the name, called');
is($res->json->{action}, "A $evil", 'log: the name, in problem+json');
is($res->json->{status}, 502, 'log: problem+json');

my @lines = split /\n/, substr $t->error_log, $size;
is(scalar(grep { /flowdash: action/ } @lines), 1, 'log: one line');
is(scalar(grep { /^2020/ } @lines), 0, 'log: none of it is forged');
is(scalar(grep { /[\x00-\x08\x0b-\x1f\x7f]/ } @lines), 0,
    'log: no control characters');

$size = length $t->error_log;
is(post_value('/task/action', 'n' x 5000, status => 500)->{status}, 502,
    'log: a long name');
@lines = grep { /flowdash: action/ } split /\n/, substr $t->error_log, $size;
like($lines[0], qr/ \[error\] .*"A n+.*id [0-9a-f]{32}/, 'log: and its id');
like($lines[0], qr/ step "S": status 500/, 'log: and the step');

ok($t->wait_for(sub { $t->read_file('flow.log') =~ /"A n+/ }), 'access log');
is(scalar(grep { !eval { JSON::PP->new->decode($_) } }
          split /\n/, $t->read_file('flow.log')), 0,
    'access log: one object in each line');


# Secrets

my @secret = (port => 'secret',
              headers => [ Authorization => 'Bearer S3CRET' ]);

is(post('/call/x', @secret)->{status}, 200, 'secrets: a call');

my $call = $t->only_request('hook');
is($call->header('Authorization'), 'Basic ' . encode_base64('me:S3CRET', ''),
    'secrets: user and password are sent');
is($call->header('X-Key'), 'key S3CRET', 'secrets: flowdash_set_header');
is($call->header('X-Client'), 'Bearer S3CRET', 'secrets: the client\'s');
like($call->{target}, qr/\?key=S3CRET$/, 'secrets: the query');

$size = length $t->error_log;

for ([ '/path/?status=500' => 'status' ], [ '/path/?status=302' => 'status' ],
     [ '/path/?status=401' => 'status' ], [ '/path/?status=..' =>
     'request_invalid' ], [ '/invalid' => 'response_invalid' ],
     [ '/refused' => 'connect' ], [ '/resolve' => 'resolve' ],
     [ '/tls' => 'tls' ], [ '/proxy' => 'status' ])
{
    my ($path, $error) = @$_;
    my $res = post($path, @secret);
    my $log = substr $t->error_log, $size;
    $size += length $log;

    like($log, qr/flowdash: .*: $error[ ,]/, "secrets, $path: fails");
    unlike($log, qr/S3CRET/, "secrets, $path: not in the log");
    unlike($res->{raw}, qr/S3CRET|\bme\b/, "secrets, $path: nor on the page");
}

unlike($t->error_log . $t->read_file('flow.log') . $t->access_log, qr/S3CRET/,
    'secrets: not in any log');

$t->done;
