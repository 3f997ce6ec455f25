# By what endpoints and the app recognize an execution, its steps and its
# trace: Idempotency-Key, $flowdash_id, traceparent and tracestate, by both
# engines.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Digest::SHA qw(sha256_hex);
use List::Util qw(uniq);

my $t = Test::Flowdash->new;
my @json = ('Content-Type' => 'application/json');
my @engine = ('flowdash_call', 'proxy_pass');
my $hex = '[0-9a-f]';

$t->endpoint(hook => {});
$t->endpoint(no => { status => 503 });
$t->endpoint(app => sub {
    my ($req) = @_;
    return {} if $req->{method} ne 'GET';
    my $status = $req->header('X-Stored') // 5;
    return { headers => \@json, body => qq({"task":{"Status":$status}}) };
});

# A location with steps: [ name, engine, what else is in it ].

sub action {
    my ($uri, $set, @steps) = @_;
    my @url = ('flowdash_call http://127.0.0.1:%%PORT_hook%%/call;',
               'proxy_pass http://127.0.0.1:%%PORT_hook%%/proxy;');
    my $steps = '';

    for (@steps) {
        my ($name, $engine, $in) = @$_;
        $steps .= qq(flowdash_step "$name" { $url[$engine] ) . ($in // '')
            . " }\n";
    }

    return "location $uri { flowdash_action \$name;\n$set\n$steps"
        . "proxy_pass http://127.0.0.1:%%PORT_app%%; }\n";
}

my $zwoelf = "Zw\xc3\xb6lf";

sub both { return ([ 'First', 0, @_ ], [ $zwoelf, 1, @_ ]) }

my $locations = join '',
    action('/do', '', both()),
    action('/other', '', both()),
    action('/preset', 'flowdash_set Set $http_x_set;', both()),
    action('/swapped', '', [ $zwoelf, 0 ], [ 'More', 1 ], [ 'First', 1 ]),
    action('/early', 'set $early $request_id; add_header X-Early $early;',
           both('flowdash_set_header X-Request $request_id;
                 flowdash_set_header X-Flowdash $flowdash_id;')),
    action('/late', 'add_header X-Late $request_id;
                     proxy_set_header X-Request $request_id;
                     proxy_set_header X-Flowdash $flowdash_id;',
           [ 'Call', 0 ], [ 'Proxy', 1,
             'proxy_set_header X-Request $request_id;
              proxy_set_header X-Flowdash $flowdash_id;' ]),
    action('/set', '',
           both('flowdash_set_header idempotency-key "my $flowdash_id";
                 flowdash_set_header Traceparent "my trace";
                 flowdash_set_header TRACESTATE "my=state";')),
    action('/none', '', both('flowdash_set_header Idempotency-Key "";
                              flowdash_set_header traceparent $http_none;
                              flowdash_set_header tracestate "";'));

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    large_client_header_buffers 4 16k;
    underscores_in_headers on;

    map \$http_x_action \$name { "" Do; default \$http_x_action; }
    map \$flowdash_task_status \$stored {
        5 Finish; 6 Reopen; default "";
    }

    log_format flow '\$uri|\$flowdash_id|\$request_id';

    flowdash_user id         \$http_x_user;
    flowdash_user email      \$http_x_email;
    flowdash_user "the team" \$http_x_team;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        access_log %%DIR%%/flow.log flow;

        $locations

        location /stored {
            flowdash_action \$stored;
            flowdash_task_from /tasks/1;
            flowdash_step "First" {
                flowdash_call http://127.0.0.1:%%PORT_hook%%/call;
            }
            flowdash_step "Second" {
                proxy_pass http://127.0.0.1:%%PORT_hook%%/proxy;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /tasks/ { proxy_pass http://127.0.0.1:%%PORT_app%%; }

        location /fails {
            flowdash_action "Do";
            flowdash_step "No" {
                flowdash_call http://127.0.0.1:%%PORT_no%%/;
            }
        }

        location /retried {
            flowdash_action "Do";
            flowdash_step "No" {
                flowdash_retry 1;
                flowdash_call http://127.0.0.1:%%PORT_no%%/again;
            }
        }
    }
}
EOC

$t->run;

# Acts, and returns what each step and the app got, and the line of the log.

my $lines = 0;

sub act {
    my ($uri, @headers) = @_;
    my %got;

    $t->clear_requests($_) for qw(hook no app);
    my %request = (body => '{"task":{}}', headers => [ @json, @headers ]);
    %request = (%request, %{ pop @headers }) if ref $headers[-1];
    $got{answer} = $t->request($uri =~ s/^PUT // ? 'PUT' : 'POST', $uri,
        %request);
    $got{calls} = [ $t->requests('hook'), $t->requests('no') ];
    ($got{app}, my @more)
        = grep { $_->{method} ne 'GET' } $t->requests('app');
    is(scalar @more, 0, "$uri: the app is reached once at most");

    my @log;
    $t->wait_for(sub {
        @log = split /\n/, $t->read_file('flow.log') // '';
        return @log > $lines;
    });
    $lines = @log;
    @got{qw(uri id request_id)} = split /\|/, $log[-1];

    return \%got;
}

sub values_of {
    my ($got, $name) = @_;
    return map { [ header($_, $name) ] } @{ $got->{calls} };
}

# of each call the one value of a header, or what there is instead

sub each_of {
    my ($got, $name) = @_;
    return map { @$_ == 1 ? $_->[0] : 'none or many: ' . join '|', @$_ }
        values_of($got, $name);
}

# the values of a header in what is given to act()

sub sent {
    my ($name, @headers) = @_;
    my @values;
    while (my ($key, $value) = splice @headers, 0, 2) {
        push @values, $value if $key eq $name;
    }
    return @values;
}

sub step_id { return substr sha256_hex($_[0]), 0, 16 }

# $flowdash_id as it must remain, because endpoints remember it for days; the
# task is the last, and usually '{}'

sub id_with_task { return sha256_hex(pack '(Q>/a*)*', @_) }
sub id_of { return id_with_task(@_, '{}') }


# without a key of the client's

my $got = act('/do');
my ($first, $second) = each_of($got, 'Idempotency-Key');

is($got->{answer}{status}, 200, 'an action');
is($got->{calls}[0]{target} . $got->{calls}[1]{target}, '/call/proxy',
   'both engines were used');
like($got->{id}, qr/^$hex{32}$/, '$flowdash_id has 32 digits');
is($got->{id}, $got->{request_id}, 'and is $request_id, in the access log');
is($first, qq("$got->{id}-) . step_id('First') . '"',
   'flowdash_call: "<id>-<step>" with its quotes');
is($second, qq("$got->{id}-) . step_id($zwoelf) . '"',
   'proxy_pass: another one for another step');

isnt(act('/do')->{id}, $got->{id}, 'another execution has another id');

my ($moved, $more, $again) = each_of($got = act('/swapped'),
                                      'Idempotency-Key');
is($again, qq("$got->{id}-) . step_id('First') . '"',
   'a step has its name\'s digits in another place, too');
is($moved, qq("$got->{id}-) . step_id($zwoelf) . '"',
   'and by another engine');
is($more, qq("$got->{id}-) . step_id('More') . '"', 'a step between');

# nginx's own directives that read $request_id first, and last

$got = act('/early');
is(header($got->{answer}, 'X-Early'), $got->{id}, '$request_id is read first');
is(join('|', each_of($got, $_)), "$got->{id}|$got->{id}",
   "$_ by flowdash_set_header") for qw(X-Request X-Flowdash);

$got = act('/late');
is(header($got->{answer}, 'X-Late'), $got->{id}, '$request_id is read last');
is(header($got->{app}, $_), $got->{id}, "$_ to the app")
    for qw(X-Request X-Flowdash);
is(header($got->{calls}[1], $_), $got->{id}, "$_ by proxy_set_header")
    for qw(X-Request X-Flowdash);


# a key of the client's

my @user = ('X-User' => 'u1', 'X-Email' => 'u1@example.com');
my @members = (id => 'u1', email => 'u1@example.com', first_name => '',
               last_name => '', 'the team' => '');

sub keyed { return act($_[0], 'Idempotency-Key' => @_[1 .. $#_]) }

my $bare = '8e03978e-40d5-43dd-bc93-6894a57f9324';

$got = keyed('/do', qq("$bare"), @user);

is($got->{id}, id_of($bare, qw(localhost POST /do Do), @members),
   'a key, and a user: $flowdash_id is made of them');
is((each_of($got, 'Idempotency-Key'))[$_],
   qq("$got->{id}-) . step_id($_ ? $zwoelf : 'First') . '"',
   "$engine[$_]: with the step's digits") for 0, 1;
like($got->{request_id}, qr/^$hex{32}$/, '$request_id is what it was');
is(header($got->{app}, 'Idempotency-Key'), qq("$bare"),
   'the app gets what the client has sent');

is(keyed('/do', @$_)->{id}, $got->{id}, "the same id: @$_") for (
    [ qq("$bare"), @user ],
    [ $bare, @user ],
    [ $bare, @user, Cookie => 'other=1' ],
    [ $bare, @user, Host => 'LOCALHOST:8080' ],
    [ $bare, @user, traceparent => "00-${\('1' x 32)}-${\('2' x 16)}-01" ],
);
is(act('/do', 'idempotency-KEY' => $bare, @user)->{id}, $got->{id},
   'the name in any case');

my $late = keyed('/late', $bare, @user);
is(header($late->{app}, 'X-Flowdash'), $late->{id},
   'proxy_set_header of the app');
is(header($late->{calls}[1], 'X-Flowdash'), $late->{id}, 'and of a step');
is(header($late->{app}, 'X-Request'), $late->{request_id}, '$request_id');

my $early = keyed('/early', $bare, @user);
is(join('|', each_of($early, 'X-Flowdash')), "$early->{id}|$early->{id}",
   'flowdash_set_header');
like($early->{id}, qr/^$hex{64}$/, '$request_id was read before');

my @different = (
    [ 'method' => keyed('PUT /do', $bare, @user)->{id} ],
    [ 'URI' => keyed('/other', $bare, @user)->{id} ],
    [ 'query' => keyed('/do?', $bare, @user)->{id} ],
    [ 'spelling of the URI' => keyed('/d%6f', $bare, @user)->{id} ],
    [ 'action' => keyed('/do', $bare, @user, 'X-Action' => 'Undo')->{id} ],
    [ 'host' => keyed('/do', $bare, @user, Host => 'example.com')->{id} ],
    [ 'key' => keyed('/do', uc $bare, @user)->{id} ],
    [ 'user' => keyed('/do', $bare, 'X-User' => 'u2',
                      'X-Email' => 'u1@example.com')->{id} ],
    [ 'user without the rest' => keyed('/do', $bare, 'X-User' => 'u1')->{id} ],
    [ 'team' => keyed('/do', $bare, @user, 'X-Team' => 'a')->{id} ],
    [ 'borders' => keyed('/do', $bare, 'X-User' => 'u1u1@example.com')
                   ->{id} ],
);

like($_->[1], qr/^$hex{64}$/, "another $_->[0]: an id of the key")
    for @different;
is(scalar(uniq $got->{id}, map { $_->[1] } @different), @different + 1,
   'and all differ');
is(keyed('/do?', $bare, @user)->{id},
   id_of($bare, qw(localhost POST /do? Do), @members),
   'the URI as it was sent');

# the task that the client sends

sub with {
    my ($body, @headers) = @_;
    return keyed('/do', $bare, @user, { body => $body,
        headers => [ 'Idempotency-Key' => $bare, @user,
                     @headers ? @headers : @json ] });
}

my @form = ('Content-Type' => 'application/x-www-form-urlencoded');
my $ten = with('{"task":{"Amount":10}}');

is($ten->{id}, id_with_task($bare, qw(localhost POST /do Do), @members,
                            '{"Amount":10}'), 'the task as it is sent');
is(with('{"task":{"Amount":10}}')->{id}, $ten->{id}, 'the same again');
is(with('{"a":1, "task":{"Amount":10},"b":[2]}')->{id}, $ten->{id},
   'what is no part of the task does not matter');
is(with('task[Amount]=10', @form)->{id},
   id_with_task($bare, qw(localhost POST /do Do), @members,
                '{"Amount":"10"}'), 'a form');

my @tasks = map { with(@$_)->{id} } (
    [ '{"task":{"Amount":11}}' ], [ '{"task":{"Amount":"11"}}' ],
    [ '{"task":{"Amount":10.0}}' ], [ '{"task":{"amount":10}}' ],
    [ '{"task":{"Amount":10,"Note":""}}' ], [ '{"task":{}}' ], [ '{}' ],
    [ 'task[Amount]=10', @form ], [ 'task[Amount]=12', @form ],
    [ 'task[Amount][]=10', @form ],
);

like($_, qr/^$hex{64}$/, 'an id of the key') for @tasks;
is($tasks[5], $tasks[6], 'no task is like an empty one');
is(scalar(uniq $ten->{id}, @tasks), @tasks, 'another task, another id');

my $parts = sub {
    my ($boundary, $value) = @_;
    return with("--$boundary\r\nContent-Disposition: form-data; "
        . qq(name="task[Amount]"\r\n\r\n$value\r\n--$boundary--\r\n),
        'Content-Type' => "multipart/form-data; boundary=$boundary")->{id};
};

is($parts->('A', 10), $parts->('B', 10), 'the boundary does not matter');
is($parts->('A', 10), $tasks[7], 'nor the kind of form');
is(with('{"task":{"Amount":"10"}}')->{id}, $tasks[7],
   'nor JSON, when the endpoints are told the same');
isnt($parts->('A', 11), $parts->('A', 10), 'the value does');
is(keyed('/do?task[Amount]=10', $bare, @user, { body => '',
        headers => [ 'Idempotency-Key' => $bare, @user ] })->{id},
   id_with_task($bare, qw(localhost POST /do?task[Amount]=10 Do), @members,
                '{"Amount":"10"}'), 'a task in the query');

# what is set, answered or stored is no part of it

is(keyed('/preset', $bare, @user, 'X-Set' => $_)->{id},
   id_of($bare, qw(localhost POST /preset Do), @members), "flowdash_set: $_")
    for 1, 2;

# strings

for ([ '"a"', 'a' ], [ '"a\\"b"', 'a"b' ], [ '"a\\\\"', 'a\\' ],
     [ '"\\\\\\""', '\\"' ], [ '" a b "', ' a b ' ], [ '"a,b;c"', 'a,b;c' ],
     [ "a:/?!#'()", "a:/?!#'()" ], [ 'x' x 255, 'x' x 255 ],
     [ '"' . 'x' x 255 . '"', 'x' x 255 ],
     [ '"' . '\\"' x 255 . '"', '"' x 255 ])
{
    my ($header, $key) = @$_;
    is(keyed('/do', $header, @user)->{id},
       id_of($key, qw(localhost POST /do Do), @members),
       'valid: ' . substr $header, 0, 40);
}

# and no strings

my @refused = (
    '', '""', '"', 'a b', 'a,b', '"a", "b"', 'a;p=1', '"a";p=1', '"a"; p',
    'a"b', '"a', 'a"', '"a"b', '"a" "b"', 'a\\b', '"a\\b"', '"a\\"', '"\\',
    "a\tb", "\"a\tb\"", "a\x01", "\"\x01\"", "a\x7f", "\"\x7f\"",
    "\xc3\xa9", "\"\xc3\xa9\"", "\"\xff\"", ':' . "\x80",
    'x' x 256, '"' . 'x' x 256 . '"', '"' . '\\"' x 256 . '"', 'x' x 10_000,
    '"' . 'x' x 10_000 . '"', '"' . '\\' x 10_000,
);

my @refusals = map { [ $_, 'Idempotency-Key' => $_, @user ] } @refused;
push @refusals,
    [ 'twice', ('Idempotency-Key' => $bare) x 2, @user ],
    [ 'once empty', 'Idempotency-Key' => $bare, 'Idempotency-Key' => '',
      @user ],
    [ 'no user', 'Idempotency-Key' => $bare ],
    [ 'user without an id', 'Idempotency-Key' => $bare, 'X-User' => '',
      'X-Email' => 'u1@example.com' ];
my @ids;

for (@refusals) {
    my ($what, @headers) = @$_;
    my $name = substr $what =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ger, 0, 40;

    $got = act('/do', @headers);
    like($got->{id}, qr/^$hex{32}$/, "not used: $name");
    is($got->{id}, $got->{request_id}, 'the id is $request_id');
    is((each_of($got, 'Idempotency-Key'))[$_],
       qq("$got->{id}-) . step_id($_ ? $zwoelf : 'First') . '"',
       "$engine[$_]: as without one") for 0, 1;
    is_deeply([ header($got->{app}, 'Idempotency-Key') ],
              [ sent('Idempotency-Key', @headers) ], 'the app gets it');
    push @ids, $got->{id};
}

is(scalar(uniq @ids), @ids, 'no two are the same');
my $logged = () = $t->error_log =~ /\[info\].*Idempotency-Key is ignored, /g;
is($logged, @ids, 'each has a line in the log');
like($t->error_log, qr/is ignored, because the user has no id/, 'and a reason');
unlike($t->error_log, qr/\[(?:warn|error|crit)\]/, 'none is an error');

# the name of the action, by the stored task

for ([ 5, 'Finish' ], [ 6, 'Reopen' ], [ '6,"Amount":7', 'Reopen' ]) {
    my ($status, $action) = @$_;
    $got = keyed('/stored', $bare, @user, 'X-Stored' => $status);
    is($got->{id}, id_of($bare, qw(localhost POST /stored), $action, @members),
       "flowdash_task_from: $action");
    is(join('|', each_of($got, 'Idempotency-Key')),
       join('|', map { qq("$got->{id}-) . step_id($_) . '"' }
            qw(First Second)), 'by both engines');
}

$got = keyed('/stored', $bare, 'X-Stored' => 5);
is($got->{id}, $got->{request_id}, 'a stored task, and no user');

# the number that support is told, and that a repeated call has

$got = keyed('/fails', $bare, @user);
is($got->{answer}{status}, 502, 'a step fails');
like($got->{answer}{body}, qr/$got->{id}/, 'the id is on the page');
like($t->error_log, qr/failed on step "No".* id $got->{id},/, 'in the log');
is((each_of(keyed('/fails', $bare, @user), 'Idempotency-Key'))[0],
   (each_of($got, 'Idempotency-Key'))[0], 'and the same when it is repeated');

$got = act('/retried');
my @keys = each_of($got, 'Idempotency-Key');
my @traces = each_of($got, 'traceparent');
is(scalar @keys, 2, 'two attempts');
is($keys[0], $keys[1], 'the same key');
is($keys[0], qq("$got->{id}-) . step_id('No') . '"', 'of the step');
is(scalar(uniq @traces), 2, 'two parents in the trace');
is(scalar(uniq map { substr $_, 0, 35 } @traces), 1, 'one trace');


# the trace

my $trace = '0af7651916cd43dd8448eb211c80319c';
my $parent = 'b7ad6b7169203331';
my $new = qr/00-($hex{32})-($hex{16})-($hex{2})/;

sub parsed { return map { [ /^$new$/ ] } each_of($_[0], 'traceparent') }

for (
    [ "00-$trace-$parent-01", '01' ], [ "00-$trace-$parent-00", '00' ],
    [ "00-$trace-$parent-03", '03' ], [ "01-$trace-$parent-01", '01' ],
    [ "cc-$trace-$parent-01-more", '01' ], [ "cc-$trace-$parent-02-", '00' ],
) {
    my ($sent, $flags) = @$_;

    $got = act('/do', traceparent => $sent, tracestate => 'a=1,b=2');
    my @calls = parsed($got);
    is(join('|', map { $_->[0] // '' } @calls), "$trace|$trace",
       "continued: $sent");
    is(join('|', map { $_->[2] // '' } @calls), "$flags|$flags", 'the flags');
    is(scalar(uniq $parent, '0' x 16, map { $_->[1] // '' } @calls), 4,
       'each call is a new parent');
    is(join('|', each_of($got, 'tracestate')), 'a=1,b=2|a=1,b=2',
       'with its state');
    is(header($got->{app}, 'traceparent'), $sent, 'the app gets it');
    is(header($got->{app}, 'tracestate'), 'a=1,b=2', 'and its state');
}

$got = act('/do', TraceParent => "00-$trace-$parent-01", tracestate => 'a=1',
           TRACESTATE => 'b=2', 'X-Other' => 1, tracestate => 'c=3');
is(join('|', each_of($got, 'tracestate')), 'a=1, b=2, c=3|a=1, b=2, c=3',
   'several states are joined');
is_deeply([ header($got->{app}, 'tracestate') ], [ 'a=1', 'b=2', 'c=3' ],
          'the app gets them as they came');

is_deeply([ values_of(act('/do', traceparent => "00-$trace-$parent-01", @$_),
                      'tracestate') ], [ [], [] ], "no state: $$_[1]")
    for [ 'X-None', 'none' ], [ tracestate => '' ], [ tracestate => "a=\x01" ],
        [ tracestate => "a=\xff" ];

my @begun;

for (
    [], [ traceparent => '' ], [ traceparent => $trace ],
    [ (traceparent => "00-$trace-$parent-01") x 2 ],
    (map { [ traceparent => $_ ] }
        "00-$trace-$parent", "00-$trace-$parent-1", "00-$trace-$parent-0g",
        "00-$trace-$parent-01-", "00-$trace-$parent-01-more",
        "00-$trace-$parent-01,", "00-$trace-$parent-01x",
        "cc-$trace-$parent-01x", "0-$trace-$parent-011",
        '00-' . '0' x 32 . "-$parent-01", "00-$trace-" . '0' x 16 . '-01',
        "ff-$trace-$parent-01", uc("00-$trace-$parent-01"),
        "00-$trace-" . uc($parent) . '-01', "FF-$trace-$parent-01",
        "00_${trace}_${parent}_01", "00-$trace-$parent-01 x", 'x' x 10_000),
) {
    my (@headers) = @$_;
    my $name = substr "@headers", 0, 90;

    $got = act('/do', @headers, tracestate => 'a=1');
    my @calls = parsed($got);
    is(scalar(uniq map { $_->[0] // '' } @calls), 1,
       "one trace is begun: $name");
    is(scalar(uniq map { $_->[1] // '' } @calls), 2, 'of two parents');
    is(join('|', map { $_->[2] // '' } @calls), '01|01', 'sampled');
    is_deeply([ values_of($got, 'tracestate') ], [ [], [] ], 'no state');
    my @app = header($got->{app}, 'traceparent');
    like("@app", qr/^00-$calls[0][0]-$hex{16}-01$/, 'the app gets it, too');
    is_deeply([ header($got->{app}, 'tracestate') ], [], 'without a state');
    push @begun, $calls[0][0];
}

is(scalar(uniq $trace, '0' x 32, @begun), @begun + 2, 'each its own');


# flowdash_set_header is heard

my @all = ('Idempotency-Key' => $bare, @user, tracestate => 'a=1',
           traceparent => "00-$trace-$parent-01");

$got = act('/set', @all);
is(join('|', each_of($got, 'Idempotency-Key')), "my $got->{id}|my $got->{id}",
   'it replaces Idempotency-Key');
is(join('|', each_of($got, 'traceparent')), 'my trace|my trace',
   'it replaces traceparent');
is(join('|', each_of($got, 'tracestate')), 'my=state|my=state',
   'it replaces tracestate');
is(join('|', each_of(act('/set'), 'tracestate')), 'my=state|my=state',
   'without one of the client\'s, too');

$got = act('/none', @all);
is(scalar @{ $got->{calls} }, 2, 'empty values');
is_deeply([ values_of($got, $_) ], [ [], [] ], "no $_")
    for qw(Idempotency-Key traceparent tracestate);

$t->done;
