#!/usr/bin/perl

# The stored task: fetched from the app when the request says only what
# changes, so that the steps see the whole, and the app only the changes.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;
my $json = [ 'Content-Type' => 'application/json' ];

$t->endpoint(crm => sub {
    my ($req) = @_;
    return { headers => $json,
             body => '{"task":' . ($req->header('X-Change') // '{}') . '}' };
});

# the app: /get/... is the stored task

$t->endpoint(app => sub {
    my ($req) = @_;

    return { status => 204, body => '' } if $req->{method} ne 'GET';

    my $answer = $req->header('X-Stored') // '{"issue":{"id":1,"status_id":4,'
        . '"due_date":"2020-01-31","estimate":10.50}}';
    return { headers => [ 'Content-Type' =>
                          $req->header('X-Type') // 'application/json',
                          'WWW-Authenticate' => 'Basic realm="app"' ],
             status => $req->header('X-Status') // 200, body => $answer };
});
$t->raw_endpoint(cut => 'cut', body => '{"issue":{}}');
$t->raw_endpoint(stall => 'stall');

my $step = <<'END';
                flowdash_step "CRM" {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                    flowdash_set_header X-Change $http_x_change;
                }
END

$t->config(<<"END");
    %%GLOBALS%%
    events { }
    http {
        %%HTTP_GLOBALS%%

        map \$flowdash_task_status_id \$finish { 5 "Finish"; default ""; }
        map "\$flowdash_task_status_id:\$flowdash_task_id" \$both {
            "5:1" "Finish"; default "";
        }
        map "\$flowdash_stored_status_id:\$flowdash_task_status_id" \$becomes {
            ~^5: ""; ~:5\$ "Close"; default "";
        }

        limit_req_zone \$server_name zone=slow:32k rate=1r/m;

        log_format flow '\$uri|\$flowdash_result|\$flowdash_failed_step|'
                        '\$flowdash_error|\$flowdash_step_status|\$status';

        server {
            listen 127.0.0.1:%%PORT_plain%%;
            default_type application/json;
            return 200 '{"issue":{"from":"nginx"}}';
        }

        server {
            listen 127.0.0.1:%%PORT_http%%;
            server_name tasks.example;
            access_log %%DIR%%/flow.log flow;
            underscores_in_headers on;

            flowdash_task /issue;
            flowdash_task_from \$uri;

            location /issues/ {
                flowdash_action "Save";
                $step
                proxy_set_header Host \$host;
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /finish/ {
                flowdash_action \$finish;
                $step
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /both/ {
                flowdash_action \$both;
                $step
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /becomes/ {
                flowdash_action \$becomes;
                flowdash_step "CRM" {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                    flowdash_set_header X-Was
                        "\$flowdash_stored_status_id \$flowdash_json_stored_due_date";
                    flowdash_set_header X-Change \$http_x_change;
                }
                flowdash_step "Again" {
                    flowdash_if \$http_x_change;
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                    flowdash_set_header X-Was
                        "\$flowdash_stored_status_id \$flowdash_task_status_id";
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /not_stored/ {
                flowdash_task_from off;
                flowdash_action "Save\$flowdash_stored_status_id";
                $step
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location ~ ^/data/(?<id>.+)\$ {
                flowdash_action "Save";
                flowdash_task "";
                flowdash_task_from /api/tasks/\$id?full=\$arg_full&a=b
                                   pointer=/data/0;
                $step
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /off/ {
                flowdash_action "Save";
                flowdash_task_from off;
                $step
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /limit/ {
                flowdash_action "Save";
                flowdash_max_response_size 10;
                $step
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /other/ {
                flowdash_action "Save";
                flowdash_task_from /\$arg_where/1;
                $step
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /stalls/ {
                flowdash_action "Save";
                flowdash_task_from /stall/1;
                flowdash_timeout 500ms;
                $step
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /api/ { proxy_pass http://127.0.0.1:%%PORT_app%%; }
            location /cut/ { proxy_pass http://127.0.0.1:%%PORT_cut%%; }
            location /stall/ { proxy_pass http://127.0.0.1:%%PORT_stall%%; }
            location /none/ { proxy_pass http://127.0.0.1:%%PORT_none%%; }
            location /kept/ {
                proxy_http_version 1.1;
                proxy_set_header Connection "";
                proxy_pass http://127.0.0.1:%%PORT_plain%%;
            }
            location /file/ { default_type application/json; root %%DIR%%; }
            location /return/ {
                default_type application/json;
                return 200 '{"issue":{"returned":true}}';
            }
            location /redirect/ { try_files /nowhere /file/1; }
            location /says/ {
                default_type application/json;
                return 200 '{"issue":{"is":"\$request_method \$request_uri \$request"}}';
            }
            location /slow/ {
                limit_req zone=slow burst=20;
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
            location /action/ {
                flowdash_methods GET;
                flowdash_action "View";
                $step
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
        }
    }
END
$t->write_file('file/1', '{"issue":{"from":"file"}}');
$t->run;

sub put {
    my ($uri, $body, %header) = @_;
    my %h = ('Content-Type' => 'application/json', %header);
    return $t->request('PUT', $uri, body => $body, headers => [ %h ]);
}

sub task_is {
    my ($wanted, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($task) = $t->only_request('crm')->{body} =~ /"task":(.*)\}$/;
    is($task, $wanted, $name);
}

# what the app got: that it was asked for the task, and what came of the action

sub fetched_and_sent {
    my @requests = $t->new_requests('app');
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(join(' ', map { $_->{method} =~ s/P.*/P/r } @requests), 'GET P',
       'the app is asked for the task, and gets the request');
    return @requests;
}

# the captured shape: a REST API, JSON that says only what changes, 204

my $res = put('/issues/1.json', '{"issue":{"due_date":"2020-02-01"}}',
    'X-Change' => '{"due_date":"2020-02-02","estimate":10.50,"done":true}',
    Cookie => 'session=1', Authorization => 'Bearer x', 'X-Api-Key' => 'k',
    'X-HTTP-Method-Override' => 'PATCH', 'X-Original-URL' => '/2',
    'X-Rewrite-URL' => '/2', 'X-Override-URL' => '/2', 'Idempotency-Key' => '"a"',
    'X_Original_URL' => '/2', 'If_Match' => '"x"',
    'If-Match' => '"x"', 'Accept-Encoding' => 'gzip', Host => 'tasks.example');

is($res->{status}, 204, 'the app answers');
task_is('{"id":1,"status_id":4,"due_date":"2020-02-01","estimate":10.50}',
        'the whole task, the change laid over');

my ($get, $app) = fetched_and_sent();
is("$get->{method} $get->{target}", 'GET /issues/1.json', 'fetched');
is($get->header('Cookie'), 'session=1', 'the client\'s cookie');
is($get->header('Authorization'), 'Bearer x', 'his authorization');
is($get->header('X-Api-Key'), 'k', 'his key');
is($get->header('Host'), 'tasks.example', 'the host');
is($get->header('Accept'), 'application/json', 'JSON is wanted');
is($get->header($_), undef, "no $_")
    for qw(If-Match Accept-Encoding Content-Type Content-Length
           X-HTTP-Method-Override Idempotency-Key
           X-Original-URL X-Rewrite-URL X-Override-URL
           X_Original_URL If_Match);
is($get->{body}, '', 'no body');

is($app->{method}, 'PUT', 'the app gets the request');
is($app->{body}, '{"issue":{"due_date":"2020-02-02","done":true}}',
    'with its own field, and what the step has changed');
is($app->header('If-Match'), '"x"', 'and the client\'s headers');
is($app->header('Idempotency-Key'), '"a"', 'his key, which is for this');

# forms: the changes go into the form

$res = $t->request('POST', '/issues/1', body => 'issue[status_id]=5',
    headers => [ 'Content-Type' => 'application/x-www-form-urlencoded',
                 'X-Change' => '{"estimate":11,"status_id":"5"}' ]);
is($res->{status}, 204, 'form');
task_is('{"id":1,"status_id":"5","due_date":"2020-01-31","estimate":10.50}',
        'payload');
is((fetched_and_sent())[1]{body}, 'issue[status_id]=5&issue%5Bestimate%5D=11',
    'the form with the change');

# is it an action?  by the request's own fields, if they tell

for (
    [ '/finish/1', '{"issue":{"status_id":5}}', 2, 1 ],
    [ '/finish/1', '{"issue":{"status_id":4}}', 1, 0 ],
    [ '/finish/1', '{"issue":{"due_date":1}}', 2, 0 ],
    [ '/finish/1', '{"issue":{"due_date":1}}', 2, 1,
      'X-Stored' => '{"issue":{"status_id":5}}' ],
    [ '/both/1', '{"issue":{"status_id":5}}', 2, 1 ],
    [ '/both/1', '{"issue":{"status_id":5,"id":2}}', 1, 0 ],
    [ '/off/1', '{"issue":{}}', 1, 1 ],
) {
    my ($uri, $body, $app, $crm, @header) = @$_;
    is(put($uri, $body, @header)->{status}, 204, "$uri $body");
    my @app = $t->new_requests('app');
    is(scalar @app, $app, 'requests to the app');
    is(scalar(my @crm = $t->new_requests('crm')), $crm, 'calls');
    is($app[-1]{body}, $body, 'the body is as it came');
}

# a status that has just become another one: not an edit of what is closed, nor
# a change of something else

for (
    [ '{"issue":{"status_id":5}}', 2, 1 ],
    [ '{"issue":{"status_id":5}}', 2, 0,
      'X-Stored' => '{"issue":{"status_id":5,"estimate":1}}' ],
    [ '{"issue":{"due_date":1}}', 2, 0,
      'X-Stored' => '{"issue":{"status_id":5,"estimate":1}}' ],
    [ '{"issue":{"due_date":1}}', 2, 0 ],
    [ '{"issue":{"status_id":4}}', 2, 0 ],
) {
    my ($body, $app, $crm, @header) = @$_;
    is(put('/becomes/1', $body, @header)->{status}, 204, "$body @header");
    my @app = $t->new_requests('app');
    is(scalar @app, $app, 'requests to the app');
    my @crm = $t->new_requests('crm');
    is(scalar @crm, $crm, 'calls');
    is($crm[0]->header('X-Was'), '4 "2020-01-31"',
       'the step knows what was') if $crm;
    is($app[-1]{body}, $body, 'the body is as it came');
}

# what steps change is not stored

is(put('/becomes/1', '{"issue":{"status_id":5}}',
       'X-Change' => '{"status_id":6}')->{status}, 204, 'a step changes it');
is(($t->new_requests('crm'))[1]->header('X-Was'), '4 6', 'the stored one stays');
fetched_and_sent();

# two stored fields for one variable: the empty name is not trusted

$res = put('/becomes/1', '{"issue":{}}',
    'X-Stored' => '{"issue":{"status_id":5,"Status Id":4}}');
is($res->{status}, 400, 'two stored fields for one variable');
$t->only_request('app', 'it was fetched');

is(put('/not_stored/1', '{"issue":{"status_id":5}}')->{status}, 204,
    'without a stored task, the variable is empty');
like($t->only_request('crm')->{body}, qr/^\{"action":"Save",/, 'the name');
$t->only_request('app');

# another shape of the answer, arguments, a path that is decoded

$res = put('/data/a%20b/7?full=x%26y', '{"a":1}',
    'X-Stored' => '{"data":[{"a":0,"b":2}],"a":9}', 'X-Change' => '{"b":3}');
is($res->{status}, 204, 'pointer=');
task_is('{"a":1,"b":2}', 'payload');
my @app = fetched_and_sent();
is($app[0]{target}, '/api/tasks/a%20b/7?full=x%2526y&a=b', 'URI');
is($app[1]{body}, '{"a":1,"b":3}', 'body');

# files, return, an internal redirect

for ([ 'file', '{"from":"file"}' ], [ 'return', '{"returned":true}' ],
     [ 'redirect', '{"from":"file"}' ]) {
    is(put("/other/x?where=$_->[0]", '{}')->{status}, 204, $_->[0]);
    task_is($_->[1], 'payload');
    $t->only_request('app');
}

# nothing is sent after the header: a server that keeps the connection would
# take it for the next request

is(put('/other/x?where=kept', '{}')->{status}, 204, 'a connection that is kept');
task_is('{"from":"nginx"}', 'payload');
$t->only_request('app');
unlike($t->error_log, qr/client sent invalid/, 'and no body');

# the fetch is a GET of its own also for nginx's variables: by those FastCGI
# apps are told what to do, and caches what they keep

is(put('/other/x?where=says', '{}')->{status}, 204, 'variables');
task_is('{"is":"GET /says/1 GET /says/1 HTTP/1.1"}', 'are of the fetch');
$t->only_request('app');

# a limit in the location which is fetched does not hold the fetch for ever

for (1 .. 3) {
    is(put('/other/x?where=slow', '{}')->{status}, 204, 'limit_req');
    fetched_and_sent();
    $t->only_request('crm');
}

# what fails, before any call

$t->wait_for(sub { $t->read_file('flow.log') =~ tr/\n// >= 26 });
my $logged = 26;

for (
    [ '/issues/1', 401, 'status', 'X-Status' => 401 ],
    [ '/issues/1', 403, 'status', 'X-Status' => 403 ],
    [ '/issues/1', 404, 'status', 'X-Status' => 404 ],
    [ '/issues/1', 502, 'status', 'X-Status' => 409 ],
    [ '/becomes/1', 404, 'status', 'X-Status' => 404 ],
    [ '/issues/1', 502, 'status', 'X-Status' => 500 ],
    [ '/issues/1', 502, 'status', 'X-Status' => 302 ],
    [ '/issues/1', 502, 'response_invalid', 'X-Stored' => '{' ],
    [ '/issues/1', 502, 'response_invalid', 'X-Stored' => '{}' ],
    [ '/issues/1', 502, 'response_invalid', 'X-Stored' => '[]' ],
    [ '/issues/1', 502, 'response_invalid', 'X-Stored' => '{"issue":null}' ],
    [ '/issues/1', 502, 'response_invalid', 'X-Stored' => '{"issue":{"a":1,"a":2}}' ],
    [ '/issues/1', 502, 'response_invalid', 'X-Type' => 'text/html' ],
    [ '/limit/1', 502, 'response_too_large' ],
    [ '/other/x?where=cut', 502, 'connect' ],
    [ '/other/x?where=none', 502, 'connect' ],
    [ '/stalls/x', 504, 'timeout' ],
    [ '/other/x?where=action', 500, 'internal' ],
    [ '/other/x?where=..', 400, 'request_invalid' ],
    [ '/other/x', 400, 'request_invalid' ],
    [ '/finish/1', 502, 'status', 'X-Status' => 500 ],
) {
    my ($uri, $status, $error, @header) = @$_;
    $res = put($uri, '{"issue":{}}', @header);
    is($res->{status}, $status, "$uri @header: $status");
    is($res->{json}{step}, 'task', 'the step');
    is($res->header('WWW-Authenticate'),
       $status == 401 ? 'Basic realm="app"' : undef, 'how to log in');
    $t->no_request('crm', 'nothing is called');
    is(scalar(grep { $_->{method} ne 'GET' } $t->new_requests('app')), 0,
        'the app is not reached');
    $logged++;
    $t->wait_for(sub { ($t->read_file('flow.log') =~ tr/\n//) >= $logged });
    my ($line) = $t->read_file('flow.log') =~ /(\S+)\n\z/;
    like($line, qr/\|failed\|task\|$error\|-\|$status$/, 'variables');
}

# what the task turns out to be is not the fetch's fault

$res = put('/finish/1', '{"issue":{}}',
    'X-Stored' => '{"issue":{"status_id":1,"Status Id":2}}');
is($res->{status}, 400, 'two fields for one variable');
is($res->{json}{step}, undef, 'no step');
$t->only_request('app', 'it was fetched');

# HTTP/1.1 clients that leave while the task is fetched: no crash, no call

$t->new_requests('stall');
my $exchange = $t->start('PUT', '/stalls/x', body => '{}', headers => $json);
$t->wait_for(sub { $t->new_requests('stall') });
close $exchange->{socket};
is($t->get('/api/x')->{status}, 200, 'still there');
$t->only_request('app', 'which is the only one');

# what nginx -t says

my $conf = 'location /x { flowdash_action "x"; %s flowdash_step "s" '
    . '{ return 200; } proxy_pass http://127.0.0.1:1; }';

for my $uri ('x', 'http://x/', '"/a b"', '$request_uri', '${request_uri}',
             '/x$is_args$args', '/x#y') {
    $t->conf_fails(sprintf($conf, "flowdash_task_from $uri;"),
        qr/invalid .* in "flowdash_task_from": a path of this server/,
        "refused: $uri");
}

$t->conf_fails(sprintf($conf, 'flowdash_task_from /x/../y;'),
    qr/a path of this server/, 'dot segment');
$t->conf_fails(sprintf($conf, 'flowdash_task_from /x pointer=x;'),
    qr/invalid "x" in "flowdash_task_from": a JSON pointer/, 'pointer');
$t->conf_fails(sprintf($conf, 'flowdash_task_from /x y;'),
    qr/"pointer=" with a JSON pointer is expected/, 'parameter');
$t->conf_fails(sprintf($conf, 'flowdash_task_from /x; flowdash_task_from /y;'),
    qr/duplicate/, 'twice');
$t->conf_fails(sprintf($conf, 'flowdash_step "t" '
    . '{ flowdash_task_from /x; return 200; }'),
    qr/is for the whole action/, 'in a step');
$t->conf_ok(sprintf($conf, 'flowdash_task_from $uri pointer=;'), 'no pointer');
$t->conf_ok(sprintf($conf, 'flowdash_task_from "/x?a=b/../c";'),
    'dots in the arguments');

$t->done;
