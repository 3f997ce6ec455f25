# flowdash_optional: a step that may fail.  The action goes on with the task as
# it was, a line at "warn" says so; what is wrong with the request, or a time
# that is over for all steps, is no matter of a step.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new(log_level => 'info');

my @json = ('Content-Type' => 'application/json');
my $body = '{"task": {"f":"old","g": 1.00} }';
my $change = '{"task":{"f":"new"}}';
my $deep = '[' x 120 . ']' x 120;

my $form = 'a=1&b=%32';
my @form = ('Content-Type' => 'application/x-www-form-urlencoded');


# What the endpoint does, by the name of the action

my %answer = (
    status => { status => 500, headers => \@json, body => $change },
    redirect => { status => 302, headers => \@json, body => $change },
    text => { headers => \@json, body => 'ok' },
    no_object => { headers => \@json, body => '{"task":["f"]}' },
    twice => { headers => \@json,
               body => '{"task":{"f":"new","g":1,"g":2}}' },
    large => { headers => \@json,
               body => qq({"task":{"f":"new","g":") . 'x' x 70_000 . '"}}' },
    retried => { status => 503, headers => \@json, body => $change },
    bad_gateway => { status => 502, headers => \@json, body => $change },
    form => { headers => \@json,
              body => qq({"task":{"a":"new","b":$deep}}) },
    form_file => { headers => \@json, body => '{"task":{"a":"new"}}' },
);

sub name { return ($_[0]{target} =~ m{^/(\w+)})[0] }

$t->endpoint(hook => sub {
    return $answer{name($_[0])} // { headers => \@json, body => $change };
});
$t->raw_endpoint(reset => 'reset');
$t->raw_endpoint(stall => 'stall');
$t->raw_endpoint(large_header => 'big_header');
$t->raw_endpoint(cut => 'cut', body => $change);
$t->endpoint(app => { body => 'stored' });


# [ name, the step's directives, where it calls, error, step's status ]

my $hook = '127.0.0.1:%%PORT_hook%%';

my @failures = (
    [ status => '', $hook, 'status 500', 500 ],
    [ bad_gateway => '', $hook, 'status 502', 502 ],
    [ redirect => '', $hook, 'status 302', 302 ],
    [ refused => '', '127.0.0.1:%%PORT_nobody%%', 'connect', 502 ],
    [ reset => '', '127.0.0.1:%%PORT_reset%%', 'connect', 502 ],
    [ cut => '', '127.0.0.1:%%PORT_cut%%', 'connect', 502 ],
    [ stall => 'flowdash_timeout 300ms;', '127.0.0.1:%%PORT_stall%%',
      'timeout', 504 ],
    [ text => '', $hook, 'response_invalid 200', 200 ],
    [ no_object => '', $hook, 'response_invalid 200', 200 ],
    [ twice => '', $hook, 'response_invalid 200', 200 ],
    [ large => '', $hook, 'response_too_large', 502 ],
);

my $locations = '';

for my $row (@failures) {
    my ($name, $set, $host) = @$row;
    my $engine = 0;

    for my $call ('flowdash_call', 'proxy_pass') {
        $locations .= action($name . '_' . $engine++,
            optional("$set $call http://$host/$name/p?key=secret;"));
    }
}

sub optional {
    return qq(flowdash_step "May fail" { flowdash_optional on; $_[0] });
}

sub action {
    my ($name, $steps, $set) = @_;
    return <<"EOC";
        location = /$name {
            @{[ $set // '' ]}
            flowdash_action "Do $name";
            $steps
            flowdash_step "Last" {
                flowdash_call http://$hook/last;
                flowdash_accept none;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
EOC
}

my $fails = "flowdash_call http://$hook/status/p;";

$locations .= action('passes', optional("flowdash_call http://$hook/change;"));
$locations .= action('off',
                     qq(flowdash_step S { flowdash_optional off; $fails }));
$locations .= action('retried',
    optional("flowdash_retry 1; flowdash_call http://$hook/retried;"));
$locations .= action("retried_$_->[0]", optional("flowdash_retry 1 error 502;
    flowdash_call http://$_->[1]/bad_gateway;"))
    for [ answer => $hook ], [ reset => '127.0.0.1:%%PORT_reset%%' ];
$locations .= action("next_$_", optional("proxy_next_upstream error timeout
    invalid_header http_502 non_idempotent; proxy_read_timeout @{[ $_ eq 'stall' ? 3 : 60 ]}s;
    proxy_pass http://next_$_/bad_gateway;"))
    for qw(answer reset large stall);
$locations .= action('certificate',
    optional("flowdash_call https://127.0.0.1:%%PORT_tls%%/;"));
$locations .= action('denied', optional("flowdash_deny all; $fails"));
$locations .= action('more', optional($fails) . <<"EOC");
    flowdash_step "Changes" { flowdash_call http://$hook/change; }
    flowdash_step "Fails, too" { flowdash_optional on; return 503; }
EOC
$locations .= action('form', optional("flowdash_call http://$hook/form;"),
                     'flowdash_task "";');
$locations .= action('form_file',
    optional("flowdash_call http://$hook/form_file;"), 'flowdash_task "";');

$locations .= action('deadline',
    optional('flowdash_call http://127.0.0.1:%%PORT_stall%%/;'),
    'flowdash_deadline 400ms;');
$locations .= <<"EOC";
        location = /deadline_last {
            flowdash_deadline 400ms;
            flowdash_action "Do deadline_last";
            flowdash_step "May fail" {
                flowdash_optional on;
                flowdash_call http://127.0.0.1:%%PORT_stall%%/;
            }
            flowdash_step "Also" {
                flowdash_optional on;
                flowdash_call http://$hook/last;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
EOC

# what is wrong with the request

my %invalid = (
    user => "flowdash_user id \$http_x_user; $fails",
    header => "flowdash_set_header X-A \$flowdash_task_f; $fails",
    condition => "flowdash_if \$flowdash_task_f_g; $fails",
    host => 'flowdash_allow all; flowdash_call http://$arg_host/;',
);

$locations .= action("invalid_$_", optional($invalid{$_}))
    for sort keys %invalid;

system('openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=test'
       . " -keyout @{[ $t->dir ]}/key.pem -out @{[ $t->dir ]}/cert.pem"
       . " 2>@{[ $t->dir ]}/openssl.log") == 0
    or BAIL_OUT('openssl does not make a certificate');

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    log_format flow '\$uri|\$status|\$flowdash_result|\$flowdash_failed_step|'
                    '\$flowdash_error|\$flowdash_step_status|'
                    '\$flowdash_step_error';
    proxy_buffering off;

    upstream next_answer { server $hook; server $hook; }
    upstream next_reset {
        server 127.0.0.1:%%PORT_reset%%;
        server $hook backup;
    }
    upstream next_stall {
        server 127.0.0.1:%%PORT_stall%%;
        server $hook backup;
    }
    upstream next_large {
        server 127.0.0.1:%%PORT_large_header%%;
        server $hook backup;
    }

    server {
        listen 127.0.0.1:%%PORT_http%%;
        listen 127.0.0.1:%%PORT_tls%% ssl;
        ssl_certificate cert.pem;
        ssl_certificate_key key.pem;
        access_log %%DIR%%/flow.log flow;
        $locations
    }
}
EOC

$t->run;


sub act {
    my ($name, %option) = @_;
    my $query = $option{query} // '';

    $t->clear_requests($_) for qw(hook app);
    return $t->request('POST', "/$name$query", body => $option{body} // $body,
                       headers => $option{headers} // \@json);
}

sub flow {
    my ($name) = @_;
    my $flow;

    $t->wait_for(sub {
        ($flow) = ($t->read_file('flow.log') // '') =~ m{^/$name\|(.*)}m;
    });
    return $flow;
}

sub lines {
    my ($name) = @_;
    return grep { /flowdash: action "Do $name"(?!:)/ } split /\n/, $t->error_log;
}

sub called {
    my ($name) = @_;
    return grep { $_->{target} =~ m{^/$name\b} } $t->requests('hook');
}

# The action goes on: the next step and the app have what the client has sent.

sub goes_on {
    my ($name, $res, $error, $step_status, $step_error, $sent) = @_;
    my ($last) = called('last');
    my ($app, $more) = $t->requests('app');
    my ($line, @lines) = lines($name);

    is($res->{status}, 200, "$name: the action goes on");
    is($res->{body}, 'stored', "$name: the app answers");
    is($app->{body}, $sent // $body, "$name: with what the client sent");
    is($more, undef, "$name: once");
    is(flow($name), "200|ok|-|-|$step_status|$step_error",
       "$name: in the variables");

    is(scalar @lines, 0, "$name: one line");
    like($line, qr/ \[warn\] [\d#]+: \*\d+ flowdash: (?#
        )action "Do $name" continues although optional step (?#
        )"May fail" failed: $error[, ].*, time \d+\.\d{3}s, id [0-9a-f]{32}, client:/,
        "$name: which says what has failed");
    unlike($line, qr/secret/, "$name: but the secrets");
    return $last;
}

# in $flowdash_step_error: only what the status does not tell

sub told { return $_[0] =~ /^status/ ? '-' : $_[0] =~ s/ .*//r }

for my $row (@failures) {
    my ($name, undef, $host, $error, $step_status) = @$row;

    for my $action ("${name}_0", "${name}_1") {
        my $last = goes_on($action, act($action), $error,
                           "$step_status : 200", told($error) . ' : -');

        like($last->{body}, qr/,"task":\{"f":"old","g": ?1\.00\}\}$/,
             "$action: so has the next step");
        like((lines($action))[0], qr{, called "http://[^"]*/$name/p",},
             "$action: what was called");
    }
}

goes_on('certificate', act('certificate'), 'tls', '502 : 200', 'tls : -');
goes_on('denied', act('denied'), 'denied', '502 : 200', 'denied : -');
goes_on('retried', act('retried'), 'status 503, attempts 2',
        '503, 503 : 200', '-, - : -');

# a 502 that an endpoint has sent is not one that stands for no answer

goes_on('retried_answer', act('retried_answer'), 'status 502, attempts 2',
        '502, 502 : 200', '-, - : -');
goes_on('retried_reset', act('retried_reset'), 'connect, attempts 2',
        '502, 502 : 200', 'connect, connect : -');
goes_on('next_answer', act('next_answer'), 'status 502', '502, 502 : 200',
        '-, - : -');
goes_on('next_reset', act('next_reset'), 'status 502', '502, 502 : 200',
        'connect, - : -');
goes_on('next_stall', act('next_stall'), 'status 502', '504, 502 : 200',
        'timeout, - : -');
goes_on('next_large', act('next_large'), 'status 502', '502, 502 : 200',
        'response_invalid, - : -');


# Without a failure it is a step like any other, and so is one that is not
# optional, be it said.

is(act('passes')->{status}, 200, 'no failure');
is($t->only_request('app')->{json}{task}{f}, 'new', 'no failure: merged');
is(scalar lines('passes'), 0, 'no failure: no line');

is(act('off')->{status}, 502, 'off: fails');
is(flow('off'), '502|failed|S|status|500|-', 'off: on the step');
is(scalar $t->requests('app'), 0, 'off: the app is not called');


# Several of them

is(act('more')->{status}, 200, 'more: goes on');
is(flow('more'), '200|ok|-|-|500 : 200 : 503 : 200|- : - : - : -',
   'more: statuses');
is($t->only_request('app')->{json}{task}{f}, 'new',
   'more: what has not failed is merged');
is(join(' ', map { /optional step "([^"]+)"/ } lines('more')),
   'May fail Fails, too', 'more: a line each');


# The second field of the answer is one that a form cannot have: neither is
# merged.

my $last = goes_on('form', act('form', headers => \@form, body => $form),
                   'response_invalid 200', '200 : 200',
                   'response_invalid : -', $form);

is_deeply($last->{json}{task}, { a => '1', b => '2' },
          'form: the next step has what was sent');

my $part = "--x\r\nContent-Disposition: form-data; name=";
my $multipart = qq($part"b"\r\n\r\n1\r\n)
    . qq($part"a"; filename="f"\r\nContent-Type: a/b\r\n\r\n1\r\n)
    . "--x--\r\n";

goes_on('form_file', act('form_file', body => $multipart, headers =>
        [ 'Content-Type' => 'multipart/form-data; boundary=x' ]),
        'response_invalid 200', '200 : 200', 'response_invalid : -',
        $multipart);


# What is wrong with the request is not the step's.

for (
    [ user => headers => [ @json, 'X-User' => "\xff" ] ],
    [ header => body => '{"task":{"f":"a\\nb"}}' ],
    [ condition => body => '{"task":{"f g":"","f-g":2}}' ],
    [ host => query => '?host=a/b' ],
) {
    my ($name, %request) = @$_;

    $name = "invalid_$name";
    is(act($name, %request)->{status}, 400, "$name: status 400");
    like(flow($name), qr/^400\|failed\|May fail\|request_invalid\|.*(?#
        )\|request_invalid$/,
         "$name: in the variables");
    like((lines($name))[0], qr/ \[error\] .* failed on step "May fail"(?#
        ): request_invalid/, "$name: in the log");
    is(scalar lines($name), 1, "$name: one line");
    is(scalar called('last'), 0, "$name: no other step");
    is(scalar $t->requests('app'), 0, "$name: the app is not called");
}


# No time is left for the others.

is(act('deadline')->{status}, 504, 'deadline: status 504');
is(flow('deadline'), '504|failed|Last|deadline|504 : -|deadline : deadline',
   'deadline: the next step has failed');
is(scalar called('last'), 0, 'deadline: without a call');
is(scalar $t->requests('app'), 0, 'deadline: the app is not called');

my @lines = lines('deadline');

like($lines[0], qr/ \[warn\] .* optional step "May fail" failed: deadline, /,
     'deadline: the optional step');
like($lines[1], qr/ \[error\] .* failed on step "Last": deadline, /,
     'deadline: and the next');

is(act('deadline_last')->{status}, 200, 'deadline, all optional: goes on');
is(flow('deadline_last'), '200|ok|-|-|504 : -|deadline : deadline',
   'deadline, all optional: none');
is(scalar called('last'), 0, 'deadline, all optional: no call');
is($t->only_request('app')->{body}, $body, 'deadline, all optional: the app');


# nginx -t

my $step = 'location / { flowdash_action A; flowdash_step S {';

$t->conf_fails("$step return 204; flowdash_optional on;
                flowdash_optional on; } }",
    qr/"flowdash_optional" directive is duplicate/, 'twice');
$t->conf_fails("$step return 204; flowdash_optional maybe; } }",
    qr/"maybe" in "flowdash_optional": "on" or "off" alone, or some of "error"/,
    'maybe');
$t->conf_fails('flowdash_optional on;',
    qr/"flowdash_optional" (?:directive )?is (?:not )?allowed /, 'a server');
$t->conf_fails('location / { flowdash_optional on; }',
    qr/"flowdash_optional" is allowed in "flowdash_step" only/, 'a location');
$t->conf_fails("$step if (\$uri) { flowdash_optional on; } return 204; } }",
    qr/"flowdash_optional" directive is not allowed here/, 'an if');
$t->conf_ok("$step proxy_pass http://127.0.0.1:1; flowdash_optional on; } }",
            'a proxied step');

$t->done;
