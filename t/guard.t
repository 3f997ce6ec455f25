#!/usr/bin/perl

# flowdash_guard: what is no action only reads, on whatever way it comes.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->endpoint(good => { body => 'ok' });
$t->endpoint(bad => { status => 500 });
$t->endpoint(copy => { body => 'copied' });
$t->endpoint(page => { body => 'the page' });
$t->endpoint(app => sub ($req) {
    return { status => 500 } if $req->{target} =~ m{^/breaks};
    return { headers => [ 'X-Accel-Redirect', $1 ] }
        if $req->{target} =~ m{^/accel(/.*)};
    return { body => 'stored' };
});

$t->write_file('static.txt', 'static');

$t->config(<<'EOC');
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    log_format result "[$request] [$status] [$flowdash_error] "
                      "[$flowdash_result] [$flowdash_id]";
    access_log %%DIR%%/result.log result;
    flowdash_zone flowdash:1m;

    map $flowdash_task_stage $finish { volatile; Completed "Finish";
                                       default ""; }

    upstream app { server 127.0.0.1:%%PORT_app%%; }

    server {
        listen 127.0.0.1:%%PORT_http%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        flowdash_guard on;
        underscores_in_headers on;

        location / { proxy_pass http://app; }
        location = /login { flowdash_guard off; proxy_pass http://app; }

        location /tasks/ {
            flowdash_action "Finish";
            flowdash_methods POST;
            flowdash_step "Good" { proxy_pass http://127.0.0.1:%%PORT_good%%; }
            proxy_pass http://app;

            location /tasks/open/ {
                flowdash_action off;
                proxy_pass http://app;
            }
        }

        location /maybe/ {
            flowdash_action $finish;
            flowdash_step "Good" { proxy_pass http://127.0.0.1:%%PORT_good%%; }
            proxy_pass http://app;
        }

        location /fails/ {
            flowdash_action "Fail";
            error_page 502 = @page;
            flowdash_step "Bad" { proxy_pass http://127.0.0.1:%%PORT_bad%%; }
            proxy_pass http://app;
        }

        location /paged/ {
            error_page 403 = @page;
            proxy_pass http://app;
        }

        location = /static.txt { }
        location @page { proxy_pass http://127.0.0.1:%%PORT_page%%; }

        location /denied/ {
            error_page 403 /static.txt;
            proxy_pass http://app;
        }

        location /closed/ {
            deny all;
            error_page 403 /page/closed;
            proxy_pass http://app;
        }

        location /excepted/ {
            limit_except POST { deny all; }
            error_page 403 = @app;
            proxy_pass http://app;
        }

        location /page/ { proxy_pass http://127.0.0.1:%%PORT_page%%; }

        location /breaks/ {
            flowdash_guard off;
            error_page 500 = @page;
            proxy_intercept_errors on;
            proxy_pass http://app;
        }

        location /dispatch/ {
            error_page 418 = @app;
            recursive_error_pages on;
            return 418;
        }

        location /dispatch/once/ {
            error_page 418 = @app;
            return 418;
        }

        location @app { proxy_pass http://app; }

        location /tried/ {
            flowdash_guard off;
            try_files /none @app;
        }

        location /tried/here/ { try_files /none @open; }
        location @open { flowdash_guard off; proxy_pass http://app; }

        location /tried/action/ {
            flowdash_action "Try";
            flowdash_step "Good" { proxy_pass http://127.0.0.1:%%PORT_good%%; }
            try_files /none @app;
        }

        location /tried/maybe/ {
            flowdash_action $finish;
            flowdash_step "Good" { proxy_pass http://127.0.0.1:%%PORT_good%%; }
            try_files /none @app;
        }

        location /tried/other/ {
            flowdash_guard off;
            flowdash_action "Try";
            flowdash_methods PUT;
            flowdash_step "Good" { proxy_pass http://127.0.0.1:%%PORT_good%%; }
            try_files /none @app;
        }

        location /accel/ {
            flowdash_guard off;
            proxy_pass http://app;
        }

        location /accel/action/ {
            flowdash_action "Accel";
            flowdash_step "Good" { proxy_pass http://127.0.0.1:%%PORT_good%%; }
            proxy_pass http://app;
        }

        location /rewritten/ { rewrite ^ /login last; }
        location /moved/ { return 307 /elsewhere; }

        location /if/ {
            if ($arg_x) { set $y 1; }
            proxy_pass http://app;
        }

        location /mirrored/ {
            mirror /copy;
            proxy_pass http://app;
        }

        location /mirrored/open/ {
            flowdash_guard off;
            mirror /copy;
            proxy_pass http://app;
        }

        location = /copy { proxy_pass http://127.0.0.1:%%PORT_copy%%; }
        location = /status { flowdash_status json; }
        location = /metrics { flowdash_status prometheus; }
    }
}
EOC

$t->run;

my @json = ('Content-Type', 'application/json');
my $task = '{"task":{"Stage":"Completed"}}';
my $guarded = 0;

sub act ($method, $path, %option) {
    return $t->request($method, $path,
        body => $method =~ /^(GET|HEAD|OPTIONS)$/ ? undef : $task,
        headers => \@json, %option);
}

sub passes ($method, $path, $name, %option) {
    my $res = act($method, $path, %option);
    is($res->{status}, 200, $name);
    my $req = $t->only_request('app', "$name: one request to the app");
    return ($req, $res);
}

sub refused ($method, $path, $name, %option) {
    my $res = act($method, $path, %option);
    is($res->{status}, 403, $name);
    $t->no_request('app', "$name: none to the app");
    $guarded++;
    return $res;
}

# methods

passes($_, '/issues/1', "$_ reads") for qw(GET HEAD OPTIONS);
refused($_, '/issues/1', "$_ changes")
    for qw(POST PUT PATCH DELETE MKCOL COPY MOVE PROPFIND PROPPATCH LOCK
           UNLOCK QUERY PURGE VERSION-CONTROL GET_ HEADS);

for my $method (qw(TRACE CONNECT)) {
    like(act($method, '/issues/1', body => undef)->{status}, qr/^40[05]$/,
         "$method: nginx's own refusal");
    $t->no_request('app', "$method: none to the app");
}

is(act('get', '/issues/1')->{status}, 400, 'lower case: nginx refuses it');
$t->no_request('app');

refused($_, '/issues/1', "$_ with a body", body => '{"task":{}}',
        headers => [ 'Content-Type', 'application/json' ])
    for qw(GET OPTIONS);
refused('GET', '/issues/1', 'GET with a body in chunks', body => 'a=b',
        chunked => 1);
refused('OPTIONS', '/tasks/1', 'OPTIONS with a body, there', body => 'a=b');
passes('GET', '/login', 'an exception with a body', body => 'a=b');
refused('OPTIONS', '/excepted/1', 'with a body, by an error page',
        body => 'a=b');
passes('POST', '/login', 'an exception');
passes('PUT', '/login', 'for all methods');

# the answer

my $res = refused('POST', '/issues/1%0a1abc?x=%22', 'a page',
    headers => [ @json, 'Accept', 'text/html' ]);
is($res->header('Content-Type'), 'text/html; charset=utf-8', 'is HTML');
like($res->{body}, qr/<h1>The\ action\ was\ not\ carried\ out<.*
    Nothing\ can\ be\ changed\ at\ this\ address\.\ Nothing\ was\ changed\ in
    .*please\ contact\ support/sx, 'and says what happened');
my ($id) = $res->{body} =~ m{<code>([0-9a-f]{32})</code>};
ok($id, 'with an id');
$t->wait_for(sub { $t->error_log =~ /guarded: .*1abc/ });
like($t->error_log, qr{\[error\]\ .*flowdash:\ guarded:\ "POST"\ to\ #
    "/issues/1%0a1abc\?x=%22"\ is\ not\ an\ action,\ id\ $id}x,
    'the log has the URI');
$t->wait_for(sub { ($t->read_file('result.log') // '') =~ /1abc/ });
like($t->read_file('result.log'),
    qr{1abc\S* \S+\] \[403\] \[guarded\] \[failed\] \[$id\]}, 'variables');

$res = refused('POST', '/issues/1', 'to a client that sends JSON');
is($res->header('Content-Type'), 'application/problem+json', 'is JSON');
is_deeply({ %{ $res->{json} }, id => '' }, {
    title => 'The action was not carried out', status => 403,
    detail => 'Nothing can be changed at this address. '
        . 'Nothing was changed in the app.',
    action => '', id => '' }, 'with these members');

# actions

passes('POST', '/tasks/1', 'an action');
is(scalar $t->new_requests('good'), 1, 'has its call');
passes('GET', '/tasks/1', 'reading there');
refused('PUT', '/tasks/1', 'a method that is not listed');
refused('GET', '/tasks/1', 'an override that is not listed',
    headers => [ 'X-HTTP-Method-Override', 'DELETE' ]);
refused('POST', '/tasks/open/1', 'a location whose action is off');
passes('GET', '/tasks/open/1', 'reading there');

refused('POST', '/maybe/1?_method=DELETE', 'no name, but another method');
refused('POST', '/maybe/1', 'no name, but another method in the body',
        body => '_method=delete', headers => [ 'Content-Type',
        'application/x-www-form-urlencoded' ]);
passes('POST', '/maybe/1', 'an action by the task');
is(scalar $t->new_requests('good'), 1, 'has its call');
passes('POST', '/maybe/1', 'an empty name: the location has judged it',
    body => '{"task":{"Stage":"Open"}}');
is(scalar $t->new_requests('good'), 0, 'no call');
refused('DELETE', '/maybe/1', 'a method that is not listed');

# overrides make a GET guarded

for my $header ('X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override',
    'x_http_method_override', 'X-HTTP_Method')
{
    refused('GET', '/issues/1', "GET with $header",
        headers => [ $header, 'Patch' ]);
    passes('GET', '/issues/1', "GET with $header: HEAD",
        headers => [ $header, 'head' ]);
}
refused('GET', "/issues/1?a=b&$_", "GET with $_")
    for '_method=delete', '_method=PUT', '%5Fmeth%6fd=%50UT', '_METHOD=PUT',
        '_method[]=PUT', '_method%5B0%5D=PUT', '[_method]=PUT', '.method=PUT',
        '%20_method=PUT', '+_method=PUT', '?_method=PUT', ';_method=PUT',
        '_method=&_method=PUT', '_method=get&_method=PUT', '_method%00=PUT',
        '_method=PUT;x=1', '_method=%20PUT', '_method=x', '#&_method=PUT';
passes('GET', "/issues/1?a=b&$_", "GET with $_")
    for '_method=get', '_method=', '_method', 'method=PUT', '_methods=PUT',
        'a_method=PUT', '_method_x=PUT', 'b=_method%3DPUT', '_method=head',
        '_meth=PUT', '_=PUT';
refused('OPTIONS', '/issues/1?_method=PUT', 'OPTIONS with an override');
refused('HEAD', '/issues/1?_method=PUT', 'HEAD with an override');
passes('POST', '/login?_method=PUT', 'an exception with an override');

# internal redirects

refused('POST', '/tried/1', 'try_files leads to a guarded location');
refused('POST', '/tried/here/1', 'try_files in a guarded location');
passes('GET', '/tried/1', 'reading there');
passes('POST', '/tried/action/1', 'try_files of an action');
passes('POST', '/tried/maybe/1', 'try_files, judged by an action of no name',
    body => '{"task":{"Stage":"Open"}}');
refused('POST', '/tried/other/1', 'try_files after no action');
is(scalar $t->new_requests('good'), 1, 'one call');

passes('POST', '/rewritten/1', 'a rewrite: the last location decides');
is(act('POST', '/moved/1')->{status}, 307, 'return: nginx answers itself');
refused('POST', '/if/1?x=1', '"if" inherits it');

is(act('POST', '/accel/issues/1')->{status}, 403,
   'X-Accel-Redirect: the method that the client has sent');
is(scalar(my @to_app = $t->new_requests('app')), 1, 'the app was asked once');
$guarded++;
is(act('GET', '/accel/issues/1')->{status}, 200, 'GET');
is(scalar(@to_app = $t->new_requests('app')), 2, 'twice');
is(act('POST', '/accel/action/static.txt')->{status}, 200,
   'X-Accel-Redirect after an action');
is(scalar(@to_app = $t->new_requests('app')), 2, 'has passed');
is(scalar $t->new_requests('good'), 1, 'one call');

# error pages

$res = act('POST', '/fails/1');
is($res->{body}, 'the page', 'the error page of an action that fails');
is($t->only_request('page')->{method}, 'GET', 'is a GET');
$res = act('POST', '/paged/1');
is($res->{body}, 'the page', 'the error page of the guard');
$guarded++;
my $page = $t->only_request('page');
is($page->{method}, 'GET', 'is a GET');
is($page->{body}, '', 'without the body');
is(act('POST', '/paged/1', headers => [ 'X-HTTP-Method-Override', 'PUT' ])
    ->{body}, 'the page', 'with an override');
$guarded++;
is($t->only_request('page')->header('X-HTTP-Method-Override'), undef,
   'which the page does not get');
$res = act('POST', '/denied/1');
is($res->{body}, 'static', 'at a URI, static');
is($res->{status}, 403, 'with the status');
$guarded++;
is(act('POST', '/closed/1')->{body}, 'the page', 'after deny, at a URI');
is($t->only_request('page')->{method}, 'GET', 'is a GET');
is(act('POST', '/closed/1?_method=PUT')->{body}, 'the page',
   'whose query is the own one');
$t->only_request('page');
is(act('POST', '/closed/1', headers => [ 'X-HTTP-Method', 'PUT' ])->{status},
   403, 'but no override');
$guarded++;
$t->no_request('page', 'gets to the page');
is(act('POST', '/breaks/1')->{body}, 'the page', "after the app's own error");
$t->only_request('page');
$t->only_request('app');
refused('POST', '/dispatch/1', 'a named location is no way around');
refused('POST', '/dispatch/once/1', 'without recursive_error_pages');
passes('GET', '/dispatch/1', 'reading there');

# subrequests are not judged, and none is made for what is refused

refused('POST', '/mirrored/1', 'mirror');
$t->no_request('copy', 'nothing is mirrored');
passes('POST', '/mirrored/open/1', 'mirror of an exception');
$t->wait_for(sub { $t->requests('copy') });
$t->only_request('copy', 'is mirrored');

# a body that is not read does not become a request

my $inner = "POST /login HTTP/1.1\r\nHost: a\r\n\r\n";
my $raw = $t->raw_request("POST /issues/1 HTTP/1.1\r\nHost: localhost\r\n"
    . 'Content-Length: ' . length($inner) . "\r\n\r\n$inner");
is(scalar(() = $raw =~ m{HTTP/1.1 }g), 1, 'one answer');
like($raw, qr/^HTTP\/1.1 403 .*\r\nConnection: close/s, 'and the end');
$t->no_request('app', 'the body is no request');
$raw = $t->raw_request("DELETE /issues/1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    . "GET /issues/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
like($raw, qr/^HTTP\/1.1 403 .*HTTP\/1.1 200 /s,
    'without a body the connection goes on');
$t->only_request('app');
$guarded += 2;

# HTTP/2; curl may notice the end of the stream before the answer

$res = $t->h2_request('DELETE', '/issues/1');
is($res->{status}, 403, 'HTTP/2');
$t->h2_request('POST', '/issues/1', body => $task, headers => \@json);
$t->h2_request('POST', '/issues/1', body => 'x' x 200_000, no_length => 1);
$t->no_request('app', 'none to the app');
$guarded += 3;
is($t->h2_request('GET', '/issues/1')->{status}, 200, 'HTTP/2, reading');
$t->only_request('app');

# counters

is(act('POST', '/status')->{status}, 403, 'a status page is guarded, too');
$guarded++;
is($t->get('/status')->{json}{guarded}, $guarded, 'counted in JSON');
like($t->get('/metrics')->{body},
    qr/^# TYPE flowdash_guarded_total counter\nflowdash_guarded_total $guarded$/m,
    'and for Prometheus');
$t->no_request('app');

$t->stop;


# without any step, and inherited

$t->config(<<'EOC');
    flowdash_guard off;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
        location /guarded/ {
            flowdash_guard on;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
            location /guarded/open { flowdash_guard off;
                proxy_pass http://127.0.0.1:%%PORT_app%%; }
            location /guarded/not {
                proxy_pass http://127.0.0.1:%%PORT_app%%; }
        }
    }
EOC
$t->run;

for ([ '/', 200 ], [ '/guarded/', 403 ], [ '/guarded/open', 200 ],
    [ '/guarded/not', 403 ])
{
    my ($path, $status) = @$_;
    is($t->post_json($path, '{}')->{status}, $status, "without steps: $path");
}
is(scalar(@to_app = $t->new_requests('app')), 2, 'two to the app');

$t->done;
