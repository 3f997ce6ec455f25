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
                flowdash_if \$flowdash_task_stage;
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
logged(qr/on step "Stall": timeout, the upstream timed out/, 'a timeout');

post('/nowhere', 500, '', 'an upstream without a URL',
     headers => [ 'X-Nowhere' => 'nowhere' ]);
logged(qr/on step "Nowhere": internal/, 'an internal error');


# Values

post('/name', 400, '', 'a name that is not UTF-8',
     headers => [ 'X-Name' => "\xff" ]);
post('/dry', 400, '', 'a dry run of what would be refused',
     headers => [ 'X-Name' => "\xff" ]);

$res = post('/dry', 200, '', 'a dry run with a condition that is not clear',
            body => '{"task":{"stage":"","Stage":""}}');
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

my %action = map { $_->{name} => $_ }
    @{ $t->get('/status')->{json}{actions} };
is($action{''}{failed}{request_invalid}, 1, 'no name is counted as ""');
is($action{Dry}{started}, 0, 'a dry run is not counted');

$t->done;
