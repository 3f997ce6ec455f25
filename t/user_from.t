#!/usr/bin/perl

# Who the user is: the app tells, once for all actions of the next seconds, and
# nobody is taken for somebody.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::TLS;

my $t = Test::Flowdash->new(log_level => 'info');

authority($t, 'ca');
certificate($t, $_, by => 'ca') for qw(server ada bob);
my $json = [ 'Content-Type' => 'application/json' ];

my $ME = '{"id":7,"email":"a@example.com","first_name":"Ada \u00e9",'
    . '"last_name":null,"role":"chief","age":1.50,"api_key":"s3cret",'
    . '"admin":true,"tags":["a"],"nested":{"id":8}}';

$t->endpoint(crm => sub {
    my ($req) = @_;
    return { status => $req->header('X-Crm') // 200, headers => $json,
             body => '{}' };
});

# the app: /me/... is the user, as the client's headers say; /api/... the task

$t->endpoint(app => sub {
    my ($req) = @_;
    my $h = sub { $req->header("X-Me-$_[0]") };

    return { headers => $json, body => '{"task":{"stored":1}}' }
        if $req->{target} =~ m{^/api};
    return { status => 201, body => 'done',
             headers => [ 'Set-Cookie' => 'app=1' ] }
        if $req->{target} !~ m{^/(?:app/)?me};

    my @headers = ('Content-Type' => $h->('Type') // 'application/json');
    push @headers, Location => $h->('Location') if $h->('Location');
    push @headers, 'Set-Cookie' => 's=2; Path=/', 'Set-Cookie' => 't=3'
        if $h->('Cookie');
    push @headers, 'WWW-Authenticate' => 'Bearer realm="x"'
        if $h->('Auth');
    my $body = $h->('Body') // $ME;
    $body = " null \n" if $body eq 'spaces';
    $body = ' ' x 10_000_000 if $body eq 'large';
    return { status => $h->('Status') // 200, headers => \@headers,
             body => $body };
});
$t->raw_endpoint(stall => 'stall');
$t->raw_endpoint(cut => 'cut', body => $ME);

my $step = <<'END';
                flowdash_step "CRM" {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                    flowdash_set_header X-Crm $http_x_crm;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
END

$t->config(<<"END");
    %%GLOBALS%%
    events { }
    http {
        %%HTTP_GLOBALS%%

        flowdash_zone flowdash:64k;

        map \$flowdash_user_role \$by_role { chief "Finish"; default ""; }

        log_format flow '\$flowdash_user_id|\$flowdash_user_role|\$flowdash_error|'
                        '\$flowdash_failed_step';

        server {
            listen 127.0.0.1:%%PORT_http%%;
            access_log %%DIR%%/flow.log flow;

            flowdash_user_from /me;

            location / {
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location = /set {
                flowdash_action "Finish";
                $step
            }

            location = /wins {
                flowdash_action "Finish";
                flowdash_user email \$http_x_mail;
                flowdash_user role \$flowdash_user_role;
                flowdash_user age "\$flowdash_user_age \$flowdash_user_tags";
                $step
            }

            location = /role {
                flowdash_action \$by_role;
                $step
            }

            location = /led {
                flowdash_action \$by_role;
                $step
                try_files /nowhere /pointer;
            }

            location = /task {
                flowdash_action "Finish";
                flowdash_task_from /api/task;
                $step
            }

            location = /dry {
                flowdash_action "Finish";
                flowdash_dry_run 1;
                flowdash_user_from /me cache=1h;
                $step
            }

            location = /off {
                flowdash_action "Finish";
                flowdash_user_from off;
                $step
            }

            location = /page {
                flowdash_action "Finish";
                error_page 401 403 502 = \@page;
                $step
            }
            location \@page { return 409 "page"; }

            location = /static {
                flowdash_action "Finish";
                error_page 502 =200 /file.txt;
                $step
            }
            location = /file.txt { root %%DIR%%; }

            location = /pointer {
                flowdash_action "Finish";
                flowdash_user_from /app/me?a=\$arg_a pointer=/data/user;
                $step
            }

            location = /unusable {
                flowdash_action "Finish";
                flowdash_user_from /me/\$arg_a;
                $step
            }

            location = /stalls {
                flowdash_action "Finish";
                flowdash_user_from /stall;
                flowdash_timeout 500ms;
                $step
            }

            location = /cut {
                flowdash_action "Finish";
                flowdash_user_from /cut/me;
                $step
            }

            location /stall { proxy_pass http://127.0.0.1:%%PORT_stall%%; }
            location /cut/ { proxy_pass http://127.0.0.1:%%PORT_cut%%; }

            location ~ ^/kept/(?<task>\\d+)\$ {
                set \$tenant \$arg_tenant;
                flowdash_action "Finish";
                flowdash_user_from /me?for=\$arg_for cache=1h;
                $step
            }

            location ~ ^/short/\\d+\$ {
                flowdash_action "Finish";
                flowdash_user_from /me?for=\$arg_for cache=300ms;
                $step
            }

            location = /status { flowdash_status json; }
            location = /prometheus { flowdash_status prometheus; }
        }

        server {
            listen 127.0.0.1:%%PORT_https%% ssl;
            ssl_certificate server.pem;
            ssl_certificate_key server.key;
            ssl_client_certificate ca.pem;
            ssl_verify_client optional;

            location /me {
                default_type application/json;
                return 200 '{"id":"\$ssl_client_s_dn"}';
            }
            location /kept/ {
                flowdash_action "Finish";
                flowdash_user_from /me cache=1h;
                $step
            }
        }

        server {
            listen 127.0.0.1:%%PORT_other%%;
            location /me { proxy_pass http://127.0.0.1:%%PORT_app%%; }
            location /kept/ {
                flowdash_action "Finish";
                flowdash_user_from /me?for=\$arg_for cache=1h;
                $step
            }
        }
    }
END
$t->write_file('file.txt', 'file');
$t->run;

sub act {
    my ($uri, %header) = @_;
    my $port = delete $header{port} // 'http';
    return $t->request('POST', $uri, body => '{"task":{"a":1}}', port => $port,
        headers => [ 'Content-Type' => 'application/json', %header ]);
}

sub user_is {
    my ($wanted, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($user) = $t->only_request('crm')->{body} =~ /"user":(\{.*?\})/;
    is($user, $wanted, $name);
}

sub app_got {
    my ($wanted, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @requests = $t->new_requests('app');
    is(join(' ', map { "$_->{method} $_->{target}" } @requests), $wanted,
        $name);
    return @requests;
}

sub cookies { return join ' ', map { s/;.*//r } $_[0]->header('Set-Cookie') }

# the members that are always sent, as they are spelled; nothing else leaks

my $FOUR = '{"id":7,"email":"a@example.com","first_name":"Ada é",'
    . '"last_name":null}';
utf8::encode($FOUR) if utf8::is_utf8($FOUR);

my $res = act('/set', Cookie => 'session=1', Authorization => 'Bearer x');
is($res->{status}, 201, 'the app answers');
user_is($FOUR, 'four members, a number as it is spelled');
my ($get, $post) = app_got('GET /me POST /set', 'the app is asked once');
is($get->header('Cookie'), 'session=1', 'with the client\'s cookie');
is($get->header('Authorization'), 'Bearer x', 'and authorization');
is($get->header('Accept'), 'application/json', 'for JSON');
is($get->header('Content-Length'), undef, 'without a body');

# flowdash_user wins, also with an empty value, and can ask for more

is(act('/wins')->{status}, 201, 'flowdash_user beside it');
user_is('{"id":7,"email":null,"first_name":"Ada é","last_name":null,'
    . '"role":"chief","age":"1.50 "}', 'its names win');
app_got('GET /me POST /wins', 'asked');

# is it an action?  the user may tell

is(act('/role')->{status}, 201, 'an action for this role');
is(scalar(my @calls = $t->new_requests('crm')), 1, 'called');
app_got('GET /me POST /role', 'asked');
is(act('/role', 'X-Me-Body' => '{"id":1,"role":"x"}')->{status}, 201,
    'no action for another');
$t->no_request('crm', 'not called');
app_got('GET /me POST /role', 'asked, and sent');

# an internal redirect leads to another action, which asks another page

is(act('/led', 'X-Me-Body' => '{"id":1,"data":{"user":{"id":2}}}')->{status},
    201, 'led to an action');
user_is('{"id":2,"email":null,"first_name":null,"last_name":null}',
    'the user of the second page');
app_got('GET /me GET /app/me?a= POST /pointer', 'both are asked');

# the user comes first: a stranger costs one request

is(act('/task')->{status}, 201, 'with flowdash_task_from');
app_got('GET /me GET /api/task POST /task', 'the order');
$t->only_request('crm');
is(act('/task', 'X-Me-Status' => 401)->{status}, 401, 'a stranger');
app_got('GET /me', 'one request only');

is(act('/off')->{status}, 201, 'off');
user_is('{"id":null,"email":null,"first_name":null,"last_name":null}',
    'nobody');
app_got('POST /off', 'not asked');

is(act('/pointer?a=%20b', 'X-Me-Body' =>
    "{\"data\":{\"user\":$ME}}")->{status}, 201, 'pointer=');
user_is($FOUR, 'the user there');
app_got('GET /app/me?a=%2520b POST /pointer?a=%20b', 'arguments are encoded');

# what is no string and no number is no id, and what is no scalar is null

for (
    [ '{"id":"x\"\\\\","email":1e400}', '"x\"\\\\","email":1e400' ],
    [ '{"id":["a"],"email":{"a":1}}', 'null,"email":null' ],
    [ '{"id":null}', 'null,"email":null' ],
    [ '{}', 'null,"email":null' ],
    [ '{"Id":"a","EMAIL":"b"}', 'null,"email":null' ],
    [ '{"__proto__":{"id":1},"a.b":1,"a":1}', 'null,"email":null' ],
) {
    is(act('/set', 'X-Me-Body' => $_->[0])->{status}, 201, $_->[0]);
    user_is("{\"id\":$_->[1],\"first_name\":null,\"last_name\":null}", 'user');
    $t->new_requests('app');
}

# all that ends the action: nothing is called, and the app does not get it

my @html = (Accept => 'text/html,*/*;q=0.8');

for (
    [ 401, 'no_user', 'X-Me-Status' => 401 ],
    [ 403, 'no_user', 'X-Me-Status' => 403 ],
    [ 401, 'no_user', 'X-Me-Body' => 'null' ],
    [ 401, 'no_user', 'X-Me-Body' => 'spaces' ],
    [ 401, 'no_user', 'X-Me-Status' => 302, 'X-Me-Location' => '/login' ],
    [ 401, 'no_user', 'X-Me-Status' => 302, 'X-Me-Location' => '/login', @html,
      'X-Requested-With' => 'XMLHttpRequest' ],
    [ 401, 'no_user', 'X-Me-Status' => 302, 'X-Me-Location' => '/login', @html,
      'HX-Request' => 'true' ],
    [ 401, 'no_user', 'X-Me-Status' => 302, 'X-Me-Location' => '/login', @html,
      'Sec-Fetch-Mode' => 'cors' ],
    [ 502, 'status', 'X-Me-Status' => 302 ],
    [ 502, 'status', 'X-Me-Status' => 300, 'X-Me-Location' => '/login' ],
    [ 502, 'status', 'X-Me-Status' => 404 ],
    [ 502, 'status', 'X-Me-Status' => 500 ],
    [ 502, 'response_invalid', 'X-Me-Type' => 'text/html' ],
    [ 502, 'response_invalid', 'X-Me-Body' => '' ],
    [ 502, 'response_invalid', 'X-Me-Body' => '{' ],
    [ 502, 'response_invalid', 'X-Me-Body' => '[]' ],
    [ 502, 'response_invalid', 'X-Me-Body' => '"null"' ],
    [ 502, 'response_invalid', 'X-Me-Body' => '7' ],
    [ 502, 'response_invalid', 'X-Me-Body' => '{"id":1,"id":2}' ],
    [ 502, 'response_invalid', 'X-Me-Body' => '{"id":"\ud800"}' ],
    [ 502, 'response_invalid', 'X-Me-Body' => "{\"id\":\"\xff\"}" ],
    [ 502, 'response_too_large', 'X-Me-Body' => 'large' ],
    [ 504, 'timeout', uri => '/stalls' ],
    [ 502, 'connect', uri => '/cut' ],
    [ 400, 'request_invalid', uri => '/unusable' ],
    [ 400, 'request_invalid', uri => '/unusable?a=..' ],
    [ 502, 'response_invalid', uri => '/pointer' ],
    [ 401, 'no_user', uri => '/pointer',
      'X-Me-Body' => '{"data":{"user":null}}' ],
) {
    my ($status, $error, %header) = @$_;
    my $uri = delete $header{uri} // '/set';
    $res = act($uri, %header);
    is($res->{status}, $status, "$uri @$_");
    is($res->header('Location'), undef, 'no redirect');
    $t->no_request('crm', 'nothing is called');
    is(join(' ', grep { !/^GET/ } map { "$_->{method} $_->{target}" }
            $t->new_requests('app')), '', 'the app does not get it');
    ok($t->wait_for(sub {
        $t->read_file('flow.log') =~ /\|\Q$error\E\|user\n\z/
    }), "$error is logged");
}

my $log = join "\n", $t->error_log =~ /^.*\[error\].*flowdash: .*/mg;
like($log, qr/on step "user": no_user 401, the app refused the user, called/,
    'the log tells why');
like($log, qr/no_user 302, Location: \/login, called/, 'and where to');
unlike($log, qr/s3cret/, 'no secrets');

# what the user is told

is(act('/set', 'X-Me-Status' => 401)->{json}{detail},
    'You are not signed in, or your session has ended. Nothing was changed in '
    . 'the app.', 'problem+json');
like(act('/set', 'X-Me-Status' => 403, @html)->{body},
    qr/You may not do this\./, 'HTML');
like(act('/set', 'X-Me-Status' => 500, @html)->{body},
    qr/Your identity could not be determined\./, 'the app fails');
$t->new_requests('app');

# a browser that sends a form is led to the page to log in; by a GET, as the
# redirect was the answer to a GET

for (
    [ '/login?back=%2Fme', '/login?back=%2Fme' ],
    [ 'https://sso.example/x', 'https://sso.example/x' ],
    [ '//sso.example/x', '//sso.example/x' ],
    [ 'login', '/app/login' ],
    [ '?login', '/app/me?login' ],
    [ '../a:b', '/app/../a:b' ],
) {
    for my $status (301, 302, 303, 307, 308) {
        $res = act('/pointer?a=1', 'X-Me-Status' => $status, @html,
                   'X-Me-Location' => $_->[0], 'X-Me-Cookie' => 1);
        is($res->{status}, 303, "$status $_->[0]");
        is($res->header('Location'), $_->[1], 'to');
        is(cookies($res), 's=2 t=3', 'with cookies');
    }
}
$res = act('/set', 'X-Me-Status' => 302, 'X-Me-Location' => '/login',
    'Sec-Fetch-Mode' => 'navigate');
is($res->{status}, 303, 'a browser that says so');
$t->no_request('crm', 'nothing is called');
$t->new_requests('app');

# cookies of the page reach the client, before the app's own, whatever happens

for (
    [ '/set', 201, 's=2 t=3 app=1' ],
    [ '/set', 502, 's=2 t=3', 'X-Crm' => 500 ],
    [ '/set', 401, 's=2 t=3', 'X-Me-Status' => 401 ],
    [ '/set', 502, 's=2 t=3', 'X-Me-Status' => 500 ],
    [ '/set', 502, 's=2 t=3', 'X-Me-Body' => '{' ],
    [ '/page', 409, 's=2 t=3', 'X-Crm' => 500 ],
    [ '/page', 409, 's=2 t=3', 'X-Me-Status' => 403 ],
    [ '/static', 200, 's=2 t=3', 'X-Crm' => 500 ],

    # nginx puts a page in the place of a file, and drops all headers

    [ '/static', 412, 's=2 t=3', 'X-Crm' => 500, 'If-Match' => '"x"' ],
    [ '/dry', 200, 's=2 t=3' ],
) {
    my ($uri, $status, $cookies, @header) = @$_;
    $res = act($uri, 'X-Me-Cookie' => 1, @header);
    is($res->{status}, $status, "$uri @header");
    is(cookies($res), $cookies, 'cookies');
}
is(act('/set', 'X-Me-Status' => 401, 'X-Me-Auth' => 1)
    ->header('WWW-Authenticate'), 'Bearer realm="x"', 'how to log in');
is(act('/set', 'X-Me-Status' => 403, 'X-Me-Auth' => 1)
    ->header('WWW-Authenticate'), undef, 'not after a 403');
$t->new_requests($_) for qw(app crm);

# a dry run shows the user, and asks like an action

$res = act('/dry');
is($res->{json}{user_from}, 'app', 'a dry run has asked the app');
is($res->{json}{steps}[0]{body}{user}{id}, 7, 'and shows the user');
is(act('/dry')->{json}{user_from}, 'cache', 'or not');
is(act('/dry', 'X-Me-Status' => 401)->{status}, 401, 'nobody gets one');
app_got('GET /me GET /me', 'asked');

# the cache: the same client, the same user

sub counts {
    my $status = $t->get('/status')->{json};
    return "$status->{user_cache_hits} $status->{user_cache_misses}";
}

my ($hits, $misses) = split ' ', counts();

for (1 .. 3) {
    is(act("/kept/$_", Cookie => 'a')->{status}, 201, "task $_");
    user_is($FOUR, 'the user');
}
app_got('GET /me?for= POST /kept/1 POST /kept/2 POST /kept/3', 'asked once');
is(counts(), $hits + 2 . ' ' . ($misses + 1), 'hits and misses');
like($t->get('/prometheus')->{body},
    qr/^flowdash_user_cache_hits_total ${\($hits + 2)}\n/m, 'for Prometheus');

# anything else about the client: another entry

for (
    [ '/kept/1', Cookie => 'b' ],
    [ '/kept/1', Cookie => 'a', 'X-Any' => 1 ],
    [ '/kept/1', 'X-Cookie' => 'a' ],
    [ '/kept/1', 'X-Any' => 'Cookie', 'X-Other' => 'a' ],
    [ '/kept/1', 'X-Any' => 'Cooki', 'X-Other' => 'ea' ],
    [ '/kept/1', Authorization => 'a' ],
    [ '/kept/1', Cookie => 'a', Host => 'other' ],
    [ '/kept/1?for=me', Cookie => 'a' ],
    [ '/kept/1?tenant=b', Cookie => 'a' ],
    [ '/kept/1', Cookie => 'a', port => 'other' ],
) {
    my ($uri, @header) = @$_;
    is(act($uri, @header)->{status}, 201, "$uri @header");
    is(scalar(grep { $_->{method} eq 'GET' } $t->new_requests('app')), 1,
        'asked');
    $t->only_request('crm');
}

# but not what is about the request itself

is(act('/kept/1', Cookie => 'a', Accept => 'x/y', 'If-Match' => '"x"',
    'Idempotency-Key' => 'k')->{status}, 201, 'other headers of the request');
$t->only_request('crm');
app_got('POST /kept/1', 'are not sent to the page: not asked');

# two clients that only their certificates tell apart

for (qw(ada bob ada)) {
    system 'curl', qw(-sk -o /dev/null -d a=b --cert), $t->dir . "/$_.pem",
        '--key', $t->dir . "/$_.key",
        'https://127.0.0.1:' . $t->port('https') . '/kept/1';
    is($t->only_request('crm')->{json}{user}{id}, "CN=$_", "$_ is $_");
}
system 'curl', qw(-sk -o /dev/null -d a=b),
    'https://127.0.0.1:' . $t->port('https') . '/kept/1';
is($t->only_request('crm')->{json}{user}{id}, undef, 'nobody is nobody');
$t->new_requests('app');

# what is not kept

for (
    [ 'Set-Cookie', 201, 'X-Me-Cookie' => 1 ],
    [ 'no id', 201, 'X-Me-Body' => '{"id":null}' ],
    [ 'id 0', 201, 'X-Me-Body' => '{"id":0}' ],
    [ 'id false', 201, 'X-Me-Body' => '{"id":false}' ],
    [ '203', 201, 'X-Me-Status' => 203 ],
    [ '401', 401, 'X-Me-Status' => 401 ],
    [ '500', 502, 'X-Me-Status' => 500 ],
    [ 'too long', 201,
      'X-Me-Body' => '{"id":1,"email":"' . ('x' x 2000) . '"}' ],
) {
    my ($what, $status, @header) = @$_;
    for my $n (1, 2) {
        is(act('/kept/1', @header)->{status}, $status, "$what, $n");
        is(scalar(grep { $_->{method} eq 'GET' } $t->new_requests('app')), 1,
            'asked');
    }
    $t->new_requests('crm');
}

# a time that is over

act('/short/1', Cookie => 'short');
select undef, undef, undef, 0.4;
act('/short/1', Cookie => 'short');
is(scalar(grep { $_->{method} eq 'GET' } $t->new_requests('app')), 2,
    'asked again after cache=');

# another configuration finds nothing of the old one's

$t->new_requests('crm');
$t->reload;
is(act('/kept/1', Cookie => 'a')->{status}, 201, 'after a reload');
app_got('GET /me?for= POST /kept/1', 'asked again');
is((split ' ', counts())[0] >= $hits + 2, 1, 'the counters stay');
$t->only_request('crm');

# many more users than there is room for

act('/kept/1', Cookie => "user=$_") for 1 .. 60;
is(scalar(grep { $_->{method} eq 'GET' } $t->new_requests('app')), 60,
    'all of them are asked for');
act('/kept/1', Cookie => 'user=60');
is(scalar(grep { $_->{method} eq 'GET' } $t->new_requests('app')), 0,
    'the last one is kept');
$t->new_requests('crm');

$t->done;
