# flowdash_zone with executions=: what has become of an execution, by its id:
# as JSON and on the page; while it runs, when it has ended, and when its worker
# has died.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Mojo::JSON qw(decode_json);

my $t = Test::Flowdash->new;

my @json = ('Content-Type' => 'application/json');

$t->endpoint(crm => sub {
    my ($request) = @_;
    my $task = $request->json->{task};
    return { status => $task->{status} // 200, body => '' };
});
$t->endpoint(slow => { until => sub { -e $t->dir . '/go' }, body => '' });
$t->endpoint(app => sub {
    my ($request) = @_;
    my $task = $request->json->{task};
    return { status => $task->{app} // 200, body => 'app',
             until => $task->{wait} ? sub { -e $t->dir . '/go' } : undef };
});

sub conf {
    my ($executions) = @_;
    my $many = join '', map { qq(flowdash_step "Step $_" { return 204; }) }
               1 .. 20;
    my $app = 'proxy_set_header Idempotency-Key "$flowdash_id";
               proxy_pass http://127.0.0.1:%%PORT_app%%;';
    my $call = 'flowdash_call http://127.0.0.1:%%PORT_crm%%/;';
    return <<"END";
    flowdash_zone flowdash:1m $executions;
    flowdash_user id \$arg_user;
    flowdash_result_headers on;

    server {
        listen 127.0.0.1:%%PORT_http%%;

        location = /json { flowdash_status json; }
        location = /page { flowdash_status html; }
        location = /metrics { flowdash_status prometheus; }

        location = /finish {
            flowdash_action "Finish <b>\\"it\\"</b>";
            flowdash_step "Proxied" { proxy_pass http://127.0.0.1:%%PORT_crm%%; }
            flowdash_step "Skipped" { flowdash_if \$arg_never; $call }
            flowdash_step "Optional" {
                flowdash_optional on;
                flowdash_retry 3;
                flowdash_call http://127.0.0.1:%%PORT_closed%%/;
            }
            flowdash_step "CRM" { $call }
            $app
        }

        location = /slow {
            flowdash_action "Slow";
            flowdash_step "Done" { return 204; }
            flowdash_step "Slow" {
                flowdash_call http://127.0.0.1:%%PORT_slow%%/;
            }
            $app
        }

        location = /many {
            flowdash_action "Many";
            $many
            $app
        }

        location = /down {
            flowdash_action "Down";
            flowdash_step "Done" { return 204; }
            proxy_pass http://127.0.0.1:%%PORT_closed%%;
        }
    }
END
}

# an action; its id

sub act {
    my ($uri, $task, @headers) = @_;
    my $res = $t->request('POST', $uri, body => qq({"task":$task}),
                          headers => [ @json, @headers ]);
    return header($res, 'Flowdash-Id');
}

# what is said of it: as JSON, without what depends on the clock

sub told {
    my ($id, $status) = @_;
    my $res = $t->get("/json?id=$id");
    is($res->{status}, $status // 200, 'JSON has its status');
    my $told = decode_json($res->{body});
    is($told->{deliveries}, undef, 'nothing is to be sent')
        if ($status // 200) == 200;
    delete $told->{$_} for qw(id time deliveries);
    $told->{time_ms} = 1 if defined $told->{time_ms};
    $_->{time_ms} = 1 for grep { $_->{calls} } @{ $told->{steps} // [] };
    return $told;
}

sub step {
    my ($name, $result, $calls, %more) = @_;
    return { name => $name, result => $result, calls => $calls,
             time_ms => $calls ? 1 : 0, reason => undef, status => undef,
             %more };
}

$t->config(conf('executions=50'));
$t->run;
$t->allow_log(qr/exited on signal 9/);

my $action = 'Finish <b>"it"</b>';

my $ok = act('/finish', '{}');
is_deeply(told($ok), {
    action => $action, state => 'ended', worker => undef, outcome => 'ok',
    reason => undef, failed_step => undef, status => 200, app_status => 200,
    time_ms => 1, more_steps => 0, steps => [
        step('Proxied', 'ok', 1, status => 200),
        step('Skipped', 'skipped', 0),
        step('Optional', 'tolerated', 4, reason => 'connect'),
        step('CRM', 'ok', 1, status => 200),
    ] }, 'an execution whose steps have passed');

my $failed = act('/finish', '{"status":409}');
is_deeply(told($failed), {
    action => $action, state => 'ended', worker => undef, outcome => 'failed',
    reason => 'status', failed_step => 'Proxied', status => 502,
    app_status => undef, time_ms => 1, more_steps => 0, steps => [
        step('Proxied', 'failed', 1, status => 409, reason => 'status'),
    ] }, 'one that has failed on its first step');

is_deeply(told(act('/finish', '[]')), {
    action => $action, state => 'ended', worker => undef, outcome => 'failed',
    reason => 'request_invalid', failed_step => undef, status => 400,
    app_status => undef, time_ms => 1, more_steps => 0, steps => [],
    }, 'one that has failed before its first step');

my $many = told(act('/many', '{}'));
is("@{[ map { $_->{name} } @{ $many->{steps} } ]}",
   "@{[ map { qq(Step $_) } 1 .. 16 ]}", 'the first 16 steps are kept');
is($many->{more_steps}, 4, 'the others are counted');
is($many->{outcome}, 'ok', 'and how all ended is, too');

for (['/down', '{}', 'refused 502 -'],
     ['/finish', '{"app":422}', 'refused 422 422'],
     ['/finish', '{"app":503}', 'unknown 503 503']) {
    my ($uri, $task, $expected) = @$_;
    my $told = told(act($uri, $task));
    is("$told->{outcome} $told->{status} " . ($told->{app_status} // '-'),
       $expected, "what the app did with $task");
}

for (['/down', '{}', 'not reached', ''], ['/finish', '{"app":422}', 'refused', 422],
     ['/finish', '{"app":503}', 'unknown', 503]) {
    my ($uri, $task, $result, $status) = @$_;
    like($t->get('/page?id=' . act($uri, $task))->{body},
         qr/>app<\/th><td class="$result">$result<\/td><td>$status</,
         "... on the page: $result");
}


# A client that repeats its key has the same id: the last one is found.

my @key = ('Idempotency-Key' => '"key"');
my $first = act('/finish?user=7', '{"app":500}', @key);
is(told($first)->{app_status}, 500, 'the first one');
is(length $first, 64, 'its id is longer');
is(act('/finish?user=7', '{"app":500}', @key), $first, 'repeated');


# What is asked for: nothing but an id is found.

for my $id ("%20$ok%20", "+$ok", join('', map { sprintf '%%%02x', ord }
            split //, $ok)) {
    is(told($id)->{outcome}, 'ok', "found: $id");
}

for my $id ('', substr($ok, 1), "${ok}0", uc($ok) . 'A', '%00', 'a' x 200,
            '%22%3E%3Cscript%3E') {
    is_deeply(told($id, 404), { error => 'no such execution is kept' },
              "not found: $id");
    my $page = $t->get("/page?id=$id");
    is($page->{status}, 404, '... on the page neither');
    like($page->{body}, qr/<h2>Not found<\/h2>/, '... which says so');
    unlike($page->{body}, qr/><script>/, '... and repeats nothing unescaped');
}

is($t->request('POST', "/json?id=$ok")->{status}, 405, 'only GET and HEAD');
like($t->get("/metrics?id=$ok")->{body}, qr/^# HELP/,
     'Prometheus is not told of one');
like($t->get('/json')->{body}, qr/^\{"now":/, 'without an id, all is shown');


# The page: of one, and the links to them.

my $page = $t->get("/page?id=$ok")->{body};
like($page, qr/Finish &lt;b&gt;&quot;it&quot;&lt;\/b&gt;/, 'names are escaped');
like($page, qr/<td class="tolerated">tolerated: connect</, 'a step of it');
like($page, qr/>app<\/th><td class="ok">ok<\/td><td>200</, 'and the app');

$page = $t->get("/page?id=$failed")->{body};
like($page, qr/: <span class="failed">failed<.*The user got 502\./s,
     'one that has failed');
like($page, qr/>app<\/th><td class="not called">not called</,
     'the app was not called');

$page = $t->get('/page')->{body};
like($page, qr/<a href="\?id=$failed"><code>$failed</, 'failures are links');
like($page, qr/<form><input name="id"/, 'there is a field to find one');


# In flight: its steps, then the app; then its worker dies.

sub in_flight {
    my ($uri, $task, $name) = @_;
    my $calls = $t->requests($name);
    my $started = $t->start('POST', $uri, timeout => 600, headers => [ @json ],
                            body => qq({"task":$task}));
    ok($t->wait_for(sub { $t->requests($name) > $calls }), "$name is called");
    my ($id) = header(($t->requests($name))[-1], 'Idempotency-Key')
               =~ /^"?([0-9a-f]+)/;
    return ($started, $id);
}

my ($slow, $slow_id) = in_flight('/slow', '{}', 'slow');
my ($pid) = $t->worker_pids;

my %running = (
    action => 'Slow', state => 'steps', worker => $pid, outcome => undef,
    reason => undef, failed_step => undef, status => undef,
    app_status => undef, time_ms => undef, more_steps => 0, steps => [
        step('Done', 'ok', 1, status => 204), step('Slow', 'running', 0),
    ]);

is_deeply(told($slow_id), \%running, 'its second step is running');
like($t->get("/page?id=$slow_id")->{body}, qr/Its steps are running\./,
     'the page says so');

my ($app, $app_id) = in_flight('/finish', '{"wait":true}', 'app');
my $told = told($app_id);
is("$told->{state} $told->{worker}", "app $pid", 'one waits for the app');

ok($t->reload, 'reloaded');
is_deeply(told($slow_id), \%running, 'the old worker still has it');

kill KILL => $pid;
ok($t->wait_for(sub { !kill 0 => $pid }), 'the old worker is killed');

is_deeply(told($slow_id), { %running, state => 'lost', outcome => 'unknown',
    steps => [ step('Done', 'ok', 1, status => 204),
               step('Slow', 'unknown', 0) ] },
    'what it had is unknown');
like($t->get("/page?id=$slow_id")->{body},
     qr/: <span class="unknown">unknown<.*worker process died/s,
     'the page says so');

$told = told($app_id);
is("$told->{state} $told->{outcome}", 'lost unknown', 'also with the app');
is($t->finish($_)->{status}, 0, 'its client gets nothing') for $slow, $app;
is(told($ok)->{outcome}, 'ok', 'what has ended before is as it was');


# its successor ends them

($slow, $slow_id) = in_flight('/slow', '{}', 'slow');
is(told($slow_id)->{state}, 'steps', 'the new worker has one');
$t->write_file('go', '');
is($t->finish($slow)->{status}, 200, 'it ends');
is(told($slow_id)->{outcome}, 'ok', 'and is said to');


# The oldest give way.

act('/down', '{}') for 1 .. 50;
told($slow_id, 404);
is(told($_)->{outcome}, 'ok', 'the last one is kept') for act('/finish', '{}');


# Another number is another ring; none is kept by default.

for my $executions ('executions=1', 'executions=0', '') {
    $t->config(conf($executions));
    ok($t->reload, "reloaded with \"$executions\"");

    my $id = act('/finish', '{"status":409}');
    my $res = $t->get("/json?id=$id");

    if ($executions =~ /1/) {
        is($res->{status}, 200, 'one is kept');
        act('/finish', '{}');
        told($id, 404);
        next;
    }

    is($res->{status}, 404, 'none is kept');
    is_deeply(decode_json($res->{body}),
              { error => 'flowdash_zone keeps no executions' }, 'JSON says so');
    like($t->get("/page?id=$id")->{body}, qr/executions=1000/,
         'and the page says how');
    my $flows = $t->get('/page')->{body};
    like($flows, qr/<td><code>$id</, 'failures are no links');
    unlike($flows, qr/<form/, 'and there is no field');
}

$t->done;
