# What happens seldom: long lists of headers, internal redirects and subrequests
# of other modules around an action, upstreams that fail in their own way, and
# values that can't be used.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;
my @json = ('Content-Type' => 'application/json');

$t->endpoint(crm => { headers => \@json, body => '{"task":{"Seen":true}}' });
$t->endpoint(app => sub {
    my ($req) = @_;
    my $ssi = '<!--# include virtual="/inside" -->';
    return { headers => [ 'Content-Type' => 'text/html' ],
             body => $req->{target} eq '/ssi' ? "page $ssi" : 'stored' };
});
$t->endpoint(change => sub {
    my ($req) = @_;
    return { headers => \@json,
             body => '{"task":' . $req->header('X-Change') . '}' };
});
$t->raw_endpoint(stall => 'stall');

my $step = 'flowdash_step "CRM" { '
    . 'flowdash_call http://127.0.0.1:%%PORT_crm%%/; }';
my $app = 'proxy_pass http://127.0.0.1:%%PORT_app%%;';

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%

    flowdash_zone flowdash:1m;

    map "" \$tab { default "a\tb"; }

    log_format flow '\$uri|\$flowdash_result|\$flowdash_error';

    server {
        listen 127.0.0.1:%%PORT_http%%;
        access_log %%DIR%%/flow.log flow;
        error_page 404 /plain;

        location /action { flowdash_action "Do"; $step $app }
        location /name { flowdash_action "\$http_x_name"; $step $app }
        location /plain { $app }

        # redirects

        location /maybe {
            flowdash_action \$http_x_maybe;
            $step
            try_files /none /plain;
        }

        location /large {
            client_max_body_size 20;
            error_page 413 = \@again;
            flowdash_action "Large";
            $step
            $app
        }

        location \@again {
            flowdash_action "Again";
            flowdash_methods GET;
            $step
            $app
        }

        location /missing { error_page 404 /get; }

        location /get {
            flowdash_methods GET POST;
            flowdash_action "Get";
            flowdash_set A 1;
            $step
            $app
        }

        # subrequests of other modules, which are GET

        location /auth {
            auth_request /get;
            $app
        }

        location /ssi {
            ssi on;
            flowdash_action "Page";
            flowdash_step "CRM" {
                ssi off;
                proxy_pass http://127.0.0.1:%%PORT_crm%%;
            }
            $app
        }

        location /inside {
            flowdash_methods GET;
            flowdash_action "Inside";
            $step
            $app
        }

        # upstreams

        location /timeout {
            flowdash_action "Timeout";
            flowdash_step "Stall" {
                proxy_read_timeout 100ms;
                proxy_pass http://127.0.0.1:%%PORT_stall%%;
            }
            $app
        }

        location /nowhere {
            flowdash_action "Nowhere";
            flowdash_step "Nowhere" { proxy_pass \$http_x_nowhere; }
            $app
        }

        # values

        location /dry {
            flowdash_dry_run 1;
            flowdash_set Name \$http_x_name;
            flowdash_action "Dry";
            flowdash_step "Maybe" {
                flowdash_if \$flowdash_task_my_stage;
                proxy_pass http://127.0.0.1:%%PORT_crm%%;
            }
            $app
        }

        location /stored {
            flowdash_task_from /\$tab;
            flowdash_action "Stored";
            $step
            $app
        }

        location /underscore {
            flowdash_task /my_task;
            flowdash_action "Underscore";
            $step
            $app
        }

        location /change {
            flowdash_action "Change";
            flowdash_max_fields_size 2k;
            flowdash_step "Change" {
                flowdash_set_header X-Change \$http_x_change;
                flowdash_call http://127.0.0.1:%%PORT_change%%/;
            }
            $app
        }

        location /set {
            flowdash_action "Set";
            flowdash_set_json F \$http_x_json;
            $step
            $app
        }

        location /url {
            flowdash_action "URL";
            flowdash_step "URL" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/a/\$arg_x?b;
            }
            $app
        }

        location /fails {
            error_page 502 = /plain;
            flowdash_action "Fails";
            flowdash_step "Fails" { return 500; }
        }

        location /status { flowdash_status json; }
    }
}
EOC

$t->run;

# The requests that an endpoint has got since the last time: all of them.

sub requests {
    my ($name) = @_;
    my @requests = $t->requests($name);
    $t->clear_requests($name);
    return @requests;
}

sub bodies { return join ' and ', map { $_->{body} } requests(@_) }

# POST to a location: the status, what the CRM and the app get

my $task = '{"task":{"Stage":"Open"}}';
my $seen = '{"task":{"Stage":"Open","Seen":true}}';

sub post {
    my ($uri, $status, $app, $name, %option) = @_;

    my $res = $t->post_json($uri, $option{body} // $task,
                            headers => $option{headers} // [],
                            timeout => 60);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($res->{status}, $status, "$name: status");
    is(bodies('app'), $app, "$name: the app") if defined $app;
    return $res;
}

sub logged {
    my ($message, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    like($t->error_log, $message, $name);
}


# More headers than nginx's list has in its first part

my @many = map { ("X-Header-$_" => $_) } 1 .. 45;

my $res = $t->request('POST', '/action', body => $task,
                      headers => [ @many, @json ]);
is($res->{status}, 200, 'a Content-Type behind many headers');
is(bodies('app'), $seen, 'is the one of the body');
is(scalar requests('crm'), 1, 'one call');

$res = $t->request('POST', '/action', body => $task, headers => [
    @many, 'Content-Type' => 'text/plain', Accept => 'application/json' ]);
is($res->{status}, 415, 'another behind many headers');
is($res->header('Content-Type'), 'application/problem+json',
   'and what the client accepts');

$res = $t->request('POST', '/action', body => $task,
                   headers => [ @json, @many, @json ]);
is($res->{status}, 415, 'two Content-Types, far from each other');

is(bodies($_), '', "nothing for the $_") for qw(crm app);

for my $accept ('text/html;q=0.5, application/json ; q=0.6',
                'text/html; q=0.5 ,application/json;level=1; q=0.6',
                "text/html;q=.5,\t*/*", 'application/json;q=0.1, '
                . 'application/problem+json;q=0.9, text/html;q=0.5',
                'text/html;xq=1;q=0.1, application/*;q=0.2')
{
    $res = $t->request('POST', '/action', body => '{',
                       headers => [ @json, Accept => $accept ]);
    is($res->header('Content-Type'), 'application/problem+json',
       "JSON is preferred by: $accept");
}


# Redirects

post('/maybe', 200, $task, 'no action, and a location that is none');
is(bodies('crm'), '', 'no call');

post('/maybe', 200, $seen, 'an action, and a location that is none',
     headers => [ 'X-Maybe' => 'Do' ]);
is(scalar requests('crm'), 1, 'one call');

my $chunked = "POST /large HTTP/1.1\r\nHost: localhost\r\n"
    . "Content-Type: application/json\r\nConnection: close\r\n"
    . "Transfer-Encoding: chunked\r\n\r\n"
    . "19\r\n$task\r\n0\r\n\r\n";
like($t->raw_request($chunked), qr{^HTTP/1.1 500 },
     'an error page for a body that is too large leads to an action');
is(bodies($_), '', "nothing for the $_") for qw(crm app);

$res = $t->request('GET', '/missing', headers => \@json, body => $task);
is($res->{status}, 404, 'an error page that is an action');
is(bodies('app'), $seen =~ s/"Seen/"A":"1","Seen/r, 'it has the body');
is(scalar requests('crm'), 1, 'one call');


# Subrequests

post('/auth', 403, '', 'auth_request for an action');
is(bodies('crm'), '', 'no call');
logged(qr/a subrequest of another module to an action/, 'it is logged');

$res = post('/ssi', 200, undef, 'an action whose page includes another');
is($res->{body}, 'page stored', 'the page');
is(join(' ', map { "$_->{method} $_->{target}" } requests('app')),
   'POST /ssi GET /inside', 'the app');
is(scalar requests('crm'), 1, 'one call');


# Upstreams

post('/timeout', 504, '', 'an upstream that times out by itself');
logged(qr/on step "Stall": timeout, connected, request sent, no answer within (?x:
   )\d+m?s \(proxy_read_timeout or similar\)/, 'a timeout');

post('/nowhere', 500, '', 'an upstream without a URL',
     headers => [ 'X-Nowhere' => 'nowhere' ]);
logged(qr/on step "Nowhere": internal/, 'an internal error');


# Values

post('/name', 400, '', 'a name that is not UTF-8',
     headers => [ 'X-Name' => "\xff" ]);
post('/dry', 400, '', 'a dry run of what would be refused',
     headers => [ 'X-Name' => "\xff" ]);

$res = post('/dry', 200, '', 'a dry run with a condition that is not clear',
            body => '{"task":{"my stage":"","my-stage":""}}');
my ($dry) = @{ $res->{json}{steps} };
is($dry->{error}, 'request_invalid', 'it is an error');
ok(!$dry->{skipped}, 'and not skipped');

post('/stored', 400, '', 'flowdash_task_from with a control character');
logged(qr/a variable of flowdash_task_from is empty, or has a control/,
       'says so');

for my $name ('my.task', 'my_task', 'my task', 'my[task', ' my_task',
              '[my_task', "my_task\x7f")
{
    my $field = $name =~ s/([^\w.])/sprintf '%%%02x', ord $1/ger;
    my $res = $t->request('POST', '/underscore', body => "$field\[a]=1",
        headers => [ 'Content-Type' => 'application/x-www-form-urlencoded' ]);
    is($res->{status}, $name eq 'my_task' ? 200 : 400,
       "a form with $field, which PHP may read as the task's");
}
is(bodies('app'), 'my_task[a]=1&my_task%5BSeen%5D=true', 'the one that is');
is(scalar requests('crm'), 1, 'one call');

# a change as JSON, of which nothing is left in a form

sub change {
    my ($type, $body, $change, $app, $name, $uri) = @_;
    my $res = $t->request('POST', $uri // '/change', body => $body, headers => [
        'Content-Type' => $type, 'X-Change' => $change ]);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(bodies('app'), $app, $name);
    return $res->{status};
}

my $urlencoded = 'application/x-www-form-urlencoded';

$t->request('POST', '/change', body => 'task[a]=', headers => [
    'Content-Type' => $urlencoded, Digest => 'of it',
    'X-Change' => '{"a":null}' ]);
my ($same) = requests('app');
is($same->{body}, 'task[a]=', 'null is as empty as the field was');
is($same->header('Digest'), 'of it', 'nothing has changed');

change("$urlencoded; charset=utf8", 'task[a]=1', '{"a":2}', 'task[a]=2',
       'another name of UTF-8');
change('text/json', '{"task":{"a":1}}', '{"a":2}', '{"task":{"a":2}}',
       'another name of JSON');

# a field of the query beside a body, even one that has nothing in it

for my $body ('{"task":{"a":[1]}}', '{"task":{}}') {
    requests('change');
    is(change('application/json', $body, '{}', '', "$body and a query",
              '/change?task[a]=1'), 400, 'is refused');
    is(scalar requests('change'), 0, 'nothing is called');
}

my $file = join "\r\n", '--x-x',
    'Content-Disposition: form-data; name="task[a]"; filename="a.txt"',
    'Content-Type: text/plain', '', 'text', '--x-x--', '';
my $multipart = 'multipart/form-data; boundary=x-x';

is(change($multipart, $file, '{}', '', 'a file, and a string in the query',
          '/change?task[a]=1'), 400, 'is refused');
logged(qr/query and its body both have fields of the task \(flowdash_strict query/,
       'says so');

# a file that the step says again, and one that it makes of it

requests('change');
change($multipart, $file, '{}', $file, 'a file');
my @first = requests('change');
is(scalar @first, 1, 'the step is asked once');
my ($told) = $first[0]{body} =~ /"a":(\[.*?\])/;

change($multipart, $file, qq({"a":$told}), $file, 'the same again');
change($multipart, $file, '{"a":' . $told =~ s/^\[/{"0":/r =~ s/\]$/}/r . '}',
       '', 'members of an object instead of elements');
change($multipart, $file, '{"a":' . $told =~ s/4/5/r . '}', '', 'another size');

# limits

my $status = change($urlencoded, 'task[a]=1', '{}', '',
                    'a query over flowdash_max_fields_size',
                    '/change?task[b]=' . 'x' x 3000);
is($status, 413, 'too large');
$status = change($urlencoded, join('&', map { "task[$_]=" } 1 .. 20), '{}', '',
                 'pairs over flowdash_max_fields_size');
is($status, 413, 'too large');

# values that are no JSON, or too much of it

post('/set', 200, '{"task":{"Stage":"Open","F":[1],"Seen":true}}', 'JSON',
     headers => [ 'X-JSON' => '[1]' ]);
post('/set', 400, '', 'JSON that is not UTF-8',
     headers => [ 'X-JSON' => qq("\xff") ]);

for my $depth (20, 200) {
    my $deep = '[' x $depth . '1' . ']' x $depth;
    my $res = $t->request('POST', '/set', body => 'task[a]=1', headers => [
        'Content-Type' => $urlencoded, 'X-JSON' => $deep ]);
    is($res->{status}, $depth < 30 ? 200 : 400, "$depth arrays in a form");
}
requests('app');

for my $half ('\ud800', '\udc00', '\ud800\ud800', '\ud800x\udc00',
              '\ud800\n\udc00')
{
    post('/action', 400, '', "half of a pair in a name: $half",
         body => qq({"task":{"$half":1}}));
}

post('/url?x=1', 200, $seen, 'a part of a path');
post('/url?x=', 400, '', 'an empty part of a path');

# a request of which no header is left

my $old = "POST /fails HTTP/1.0\r\nContent-Type: application/json\r\n"
    . "Content-Length: 2\r\n\r\n{}";
like($t->raw_request($old), qr{^HTTP/1.1 200 .*stored$}s, 'a fallback');
my ($request) = requests('app');
is("$request->{method} $request->{body}", 'GET ', 'gets no body');
is($request->header('Content-Type') // $request->header('Content-Length'),
   undef, 'and no header of one');

my %action = map { $_->{name} => $_ }
    @{ $t->get('/status')->{json}{actions} };
is($action{''}{failed}{request_invalid}, 1, 'no name is counted as ""');
is($action{Dry}{started}, 0, 'a dry run is not counted');

$t->done;
