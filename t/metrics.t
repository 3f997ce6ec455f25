# Metrics: after a scripted run of 1,000 actions by two workers, with a reload
# in the middle, JSON and Prometheus' text say exactly what was done.  Zones that
# are too small, or change; thousands of names, and odd ones.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::Libcurl;

use Encode qw(encode_utf8);
use IPC::Open3 qw(open3);
use JSON::PP ();
use List::Util qw(shuffle sum0);
use Mojo::JSON qw(decode_json encode_json);
use Time::HiRes qw(sleep time);

my $t = Test::Flowdash->new(log_level => 'info');

my @json = ('Content-Type' => 'application/json');
my $answer = '{"task":{"f":"new"}}';
my $no = '{"message":"no"}';


# The endpoints.  The path says what they do: /status/N/..., /again/... fails
# the first time, /slow hangs until the test lets go.

my %calls;

$t->endpoint(hook => sub {
    my ($request) = @_;
    my (undef, $how, $status) = split m{/}, $request->{target};

    return { until => sub { -e $t->dir . '/go' }, headers => \@json,
             body => $answer } if $how eq 'slow';

    $status = $calls{ header($request, 'Idempotency-Key') }++ ? 200 : 503
        if $how eq 'again';
    return { headers => [ 'Content-Type' => 'text/html' ], body => $no }
        if $how eq 'login';
    return { status => $status, headers => \@json,
             body => $how eq 'bad' ? '{' : $status == 200 ? $answer : $no };
});
$t->raw_endpoint(close => 'close');
$t->raw_endpoint(stall => 'stall');
$t->raw_endpoint(cut => 'cut');
$t->raw_endpoint(garbage => 'garbage');
$t->endpoint(app => { body => 'app' });


# What is done.  Each kind: how often, where, the action's name, how it ends,
# and the steps that are run: [ name, how it ends, the status of each call or 0,
# how many of the calls had a connection, the length of the last answer, whether
# it is ignored ].

my $ok = length $answer;

my %kinds = (
    good => { n => 266, uri => '/good', action => 'Finish', steps => [
        [ 'CRM', ok => [ 200 ], 1, $ok ],
        [ 'Billing', ok => [ 200 ], 1, $ok ],
        [ 'Kept', ok => [ 200 ], 1, $ok ] ] },
    unreadable => { n => 20, uri => '/good', body => '{"task":1}',
        action => 'Finish', error => 'request_invalid', steps => [] },
    refused => { n => 40, uri => '/refused', action => 'Reject',
        error => 'status', steps => [
        [ 'CRM', ok => [ 200 ], 1, $ok ],
        [ 'No', status => [ 422 ], 1, length $no ] ] },
    proxy_refused => { n => 40, uri => '/proxy_refused',
        action => 'Reject by proxy', error => 'status', steps => [
        [ 'No', status => [ 500 ], 1, length $no ] ] },
    timeout => { slow => 1, n => 12, uri => '/timeout',
        action => 'Time out', error => 'timeout', steps => [
        [ 'Slow', timeout => [ 0 ], 1, 0 ] ] },
    proxy_timeout => { slow => 1, n => 12, uri => '/proxy_timeout',
        action => 'Time out by proxy', error => 'timeout', steps => [
        [ 'Slow', timeout => [ 0 ], 1, 0 ] ] },
    deadline => { slow => 1, n => 8, uri => '/deadline', action => 'Too long',
        error => 'deadline', steps => [
        [ 'Slow', deadline => [ 0 ], 1, 0 ] ] },
    close => { n => 30, uri => '/close', action => 'Break off',
        error => 'connect', steps => [
        [ 'Closed', connect => [ 0 ], 1, 0 ] ] },
    cut => { n => 10, uri => '/cut', action => 'Cut', error => 'connect',
        steps => [ [ 'Cut', connect => [ 0 ], 1, 11 ] ] },
    proxy_cut => { n => 10, uri => '/proxy_cut', action => 'Cut by proxy',
        error => 'connect', steps => [ [ 'Cut', connect => [ 0 ], 1, 11 ] ] },
    proxy_close => { n => 10, uri => '/proxy_close',
        action => 'Break off by proxy', error => 'connect', steps => [
        [ 'Closed', connect => [ 0 ], 1, 0 ] ] },
    garbage => { n => 20, uri => '/garbage', action => 'Garbage',
        error => 'response_invalid', steps => [
        [ 'Garbage', response_invalid => [ 0 ], 1, 0 ] ] },
    down => { n => 30, uri => '/down', action => 'Down', error => 'connect',
        steps => [ [ 'Down', connect => [ 0 ], 0, 0 ] ] },
    proxy_down => { n => 30, uri => '/proxy_down', action => 'Down by proxy',
        error => 'connect', steps => [ [ 'Down', connect => [ 0 ], 0, 0 ] ] },
    next => { n => 30, uri => '/next', action => 'Next', steps => [
        [ 'Two', ok => [ 0, 200 ], 1, $ok ] ] },
    denied => { n => 20, uri => '/denied', action => 'Denied',
        error => 'denied', steps => [ [ 'Inside', denied => [ 0 ], 0, 0 ] ] },
    optional => { n => 40, uri => '/optional', action => 'Optional', steps => [
        [ 'Maybe', status => [ 503 ], 1, length $no ],
        [ 'CRM', ok => [ 200 ], 1, $ok ] ] },
    retried => { slow => 1, n => 40, uri => '/retried',
        action => 'Retried', steps => [
        [ 'Again', ok => [ 503, 200 ], 2, $ok ] ] },
    gave_up => { slow => 1, n => 40, uri => '/gave_up', action => 'Give up',
        error => 'status', steps => [
        [ 'Never', status => [ 503, 503 ], 2, length $no ] ] },
    run => { n => 20, uri => '/if?run=1', action => 'Sometimes', steps => [
        [ 'If', ok => [ 200 ], 1, $ok ], [ 'CRM', ok => [ 200 ], 1, $ok ] ] },
    skipped => { n => 40, uri => '/if', action => 'Sometimes', steps => [
        [ 'CRM', ok => [ 200 ], 1, $ok ] ] },
    fetched => { n => 20, uri => '/fetch/200', action => 'Fetch', steps => [
        [ 'CRM', ok => [ 200 ], 1, $ok ] ] },
    not_fetched => { n => 20, uri => '/fetch/404', action => 'Fetch',
        error => 'status', last => 'task', steps => [] },
    bad => { n => 20, uri => '/bad', action => 'Bad answer',
        error => 'response_invalid', steps => [
        [ 'Bad', response_invalid => [ 200 ], 1, 1 ] ] },
    local => { n => 20, uri => '/local', action => 'Here', steps => [
        [ 'Yes', ok => [ 204 ], 0, 0 ] ] },
    local_no => { n => 20, uri => '/local_no', action => 'Here',
        error => 'status', steps => [ [ 'Yes', status => [ 403 ], 0, 0 ] ] },
    user => { n => 20, uri => '/user', headers => [ 'X-User' => "\xff" ],
        action => 'User', error => 'request_invalid', steps => [
        [ 'CRM', request_invalid => [], 0, 0 ] ] },
    url => { n => 20, uri => '/url?host=a..b/', action => 'URL',
        error => 'request_invalid', steps => [
        [ 'Where', request_invalid => [], 0, 0 ] ] },
    (map { my $name = "name $_"; $name =~ tr/ /-/;
           ( $name => { n => 4, uri => "/named?n=$name", action => $name,
                        steps => [ [ 'CRM', ok => [ 200 ], 1, $ok ] ] }) }
        1 .. 8),
    login => { n => 20, uri => '/login', action => 'Log in', steps => [
        [ 'Page', ok => [ 200 ], 1, length $no, 'ignored' ] ] },
    nameless => { n => 40, uri => '/named', none => 1 },
);

# the same action ends the step's run in the same place

my $call = 'flowdash_call http://127.0.0.1:%%PORT_hook%%';
my $pass = 'proxy_pass http://127.0.0.1:%%PORT_hook%%';
my $app = 'proxy_pass http://127.0.0.1:%%PORT_app%%;';

sub action {
    my ($uri, $name, @steps) = @_;
    my $set = @steps % 2 ? pop @steps : '';
    my $steps = '';

    while (my ($step, $what) = splice @steps, 0, 2) {
        $steps .= qq(flowdash_step "$step" { $what; }\n);
    }

    return qq(location $uri { $set flowdash_action "$name"; $steps $app }\n);
}

my $locations = join '',
    action('/good', 'Finish', CRM => "$call/status/200/Finish.CRM",
        Billing => "$pass/status/200/Finish.Billing",
        Kept => 'proxy_http_version 1.1; proxy_set_header Connection "";
                 proxy_pass http://kept/status/200/Finish.Kept'),
    action('/refused', 'Reject', CRM => "$call/status/200/Reject.CRM",
        No => "$call/status/422/Reject.No", Later => "$call/status/200/-"),
    action('/proxy_refused', 'Reject by proxy',
        No => "$pass/status/500/Reject%20by%20proxy.No"),
    action('/timeout', 'Time out', Slow => 'flowdash_timeout 2s;
        flowdash_call http://127.0.0.1:%%PORT_stall%%/Time%20out.Slow'),
    action('/proxy_timeout', 'Time out by proxy', Slow => 'flowdash_timeout
        2s; proxy_pass
        http://127.0.0.1:%%PORT_stall%%/Time%20out%20by%20proxy.Slow'),
    action('/deadline', 'Too long', Slow =>
        'flowdash_call http://127.0.0.1:%%PORT_stall%%/Too%20long.Slow',
        'flowdash_deadline 2s;'),
    action('/close', 'Break off', Closed =>
        'flowdash_call http://127.0.0.1:%%PORT_close%%/Break%20off.Closed'),
    action('/proxy_close', 'Break off by proxy', Closed => 'proxy_pass
        http://127.0.0.1:%%PORT_close%%/Break%20off%20by%20proxy.Closed'),
    action('/cut', 'Cut', Cut =>
        'flowdash_call http://127.0.0.1:%%PORT_cut%%/Cut.Cut'),
    action('/proxy_cut', 'Cut by proxy', Cut => 'proxy_pass
        http://127.0.0.1:%%PORT_cut%%/Cut%20by%20proxy.Cut'),
    action('/garbage', 'Garbage', Garbage =>
        'flowdash_call http://127.0.0.1:%%PORT_garbage%%/Garbage.Garbage'),
    action('/down', 'Down', Down =>
        'flowdash_call http://127.0.0.1:%%PORT_nobody%%/'),
    action('/proxy_down', 'Down by proxy', Down =>
        'proxy_pass http://127.0.0.1:%%PORT_nobody%%/'),
    action('/next', 'Next', Two => 'proxy_next_upstream error non_idempotent;
        proxy_pass http://two/status/200/Next.Two'),
    action('/denied', 'Denied', Inside => "flowdash_deny all; $call/-"),
    action('/optional', 'Optional', Maybe => "flowdash_optional on;
        $call/status/503/Optional.Maybe",
        CRM => "$call/status/200/Optional.CRM"),
    action('/retried', 'Retried',
        Again => "flowdash_retry 1 503; $call/again/-/Retried.Again"),
    action('/gave_up', 'Give up', Never => "flowdash_retry 1 503;
        $call/status/503/Give%20up.Never"),
    action('/if', 'Sometimes', If => "flowdash_if \$arg_run;
        $call/status/200/Sometimes.If",
        CRM => "$call/status/200/Sometimes.CRM"),
    action('/fetch/', 'Fetch', CRM => "$call/status/200/Fetch.CRM",
        'flowdash_task_from /stored$uri;'),
    action('/bad', 'Bad answer', Bad => "$call/bad/200/Bad%20answer.Bad"),
    action('/login', 'Log in', Page => "$call/login/200/Log%20in.Page"),
    action('/local', 'Here', Yes => 'return 204'),
    action('/local_no', 'Here', Yes => 'return 403'),
    action('/user', 'User', CRM => "flowdash_user id \$http_x_user; $call/-"),
    action('/url', 'URL', Where => 'flowdash_deny 192.0.2.1;
        flowdash_allow all; flowdash_call http://$arg_host/'),
    action('/hang', 'Hang', Slow => "$call/slow/-/Hang.Slow"),
    action('/named', '$arg_n', CRM => "$call/status/200/\$arg_n.CRM");

my $config = <<"EOC";
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP_GLOBALS%%
    flowdash_zone flowdash:1m;
    log_format pid '\$pid \$status \$flowdash_id';
    access_log %%DIR%%/pid.log pid;

    upstream kept { server 127.0.0.1:%%PORT_hook%%; keepalive 8; }
    upstream two  { server 127.0.0.1:%%PORT_nobody%% max_fails=0;
                    server 127.0.0.1:%%PORT_hook%% backup; }

    server {
        listen 127.0.0.1:%%PORT_http%% reuseport;
        $locations

        location /stored/fetch/200 {
            default_type application/json; return 200 '{"task":{"f":"old"}}';
        }
        location /stored/fetch/404 { return 404; }
        location = /json {
            flowdash_status json;
            if (\$arg_if) { set \$x 1; }
        }
        location = /metrics { flowdash_status prometheus; }
        location = /flows   { flowdash_status html; }

        location = /closed {
            flowdash_status json;
            deny all;
        }
        location = /rewritten { rewrite ^ /json last; }
    }
}
EOC

$t->config($config);
$t->run;


# What is shown.

sub status {
    my $res = $t->get('/json');
    return decode_json($res->{body});
}

# lines as { name and labels => value }

sub prometheus {
    my ($text) = @_;
    return { map { /^(.*) (\S+)$/ } grep { !/^#/ } split /\n/, $text };
}

# nothing, or promtool's complaints

sub promtool {
    my ($text) = @_;
    my $file = $t->write_file('metrics.txt', $text);
    my $output = `promtool check metrics < $file 2>&1`;
    return $output . ($? ? "exit $?" : '');
}

my $first = status();

is($first->{since} > 0 && $first->{since} <= $first->{now}, 1, 'since when');
is(scalar @{ $first->{actions} }, 26, 'the actions with names are there');
is($first->{actions}[0]{name}, 'Finish', 'in the order of the configuration');
is(join(' ', map { $_->{name} } @{ $first->{actions}[0]{steps} }),
   'CRM Billing Kept', 'with their steps');
is(promtool($t->get('/metrics')->{body}), '', 'Prometheus can read zeros');


# The run: some twenty actions at a time.

my %expected;

sub expect {
    my ($kind) = @_;
    return if $kind->{none};

    my $action = $expected{ $kind->{action} } //= {};
    $action->{started}++;
    $kind->{error} ? $action->{failed}{ $kind->{error} }++
                   : $action->{succeeded}++;

    for (@{ $kind->{steps} }) {
        my ($name, $how, $statuses, $connected, $received, $ignored) = @$_;
        my $step = $action->{steps}{$name} //= {};
        my $calls = @$statuses;

        $step->{started}++;
        $how eq 'ok' ? $step->{succeeded}++ : $step->{failed}{$how}++;
        $step->{tolerated} += $how ne 'ok' && !$kind->{error} ? 1 : 0;
        $step->{calls} += $calls;
        $step->{retries} += $calls > 1 ? $calls - 1 : 0;
        $step->{connected} += $connected;
        $step->{received} += $received;
        $step->{ignored} += $ignored ? 1 : 0;
        $step->{statuses}{ $_ ? substr($_, 0, 1) . 'xx' : 'none' }++
            for @$statuses;
    }
}

my %wrong;

sub finish {
    my ($kind, $exchange) = @{ $_[0] };
    my $status = $t->finish($exchange)->{status};
    $wrong{"$kind->{uri} $status"}++
        if ($status == 200) != !$kind->{error};
}

sub act {
    my (@waiting, @slow);

    for my $kind (@_) {
        expect($kind);
        push @{ $kind->{slow} ? \@slow : \@waiting }, [
            $kind, $t->start('POST', $kind->{uri},
            body => $kind->{body} // '{"task":{"f":"old"}}',
            headers => [ @json, @{ $kind->{headers} // [] } ]) ];
        finish(shift @waiting) if @waiting >= 20;
    }

    finish($_) for @waiting, @slow;
}

srand 5;
my @run = shuffle map { my $kind = $kinds{$_}; ($kind) x $kind->{n} }
    sort keys %kinds;

is(scalar @run, 1000, 'a run of 1,000 actions');

act(@run[0 .. 499]);
is($t->reload, 1, 'reloaded');
act(@run[500 .. 999]);

is(join(', ', sort keys %wrong), '', 'all have ended as they should');

my %pids;
$pids{$_}++ for $t->read_file('pid.log') =~ /^(\d+)/mg;
is(scalar(grep { $_ > 50 } values %pids), 4,
   'two workers have done it, and two after the reload');


# What endpoints have got, by the names in the path.

my (%sent, %conns);

for my $endpoint (qw(hook stall close cut garbage)) {
    for ($t->requests($endpoint)) {
        my ($action, $step) = $_->{target} =~ m{/([^/]+)\.(\w+)$} or next;
        $action =~ s/%20/ /g;
        $sent{$action}{$step} += length $_->{body};
        $conns{"$endpoint $_->{conn}"} = 1;
    }
}


# JSON, all of it but what depends on time

sub without_time {
    my ($counters) = @_;
    my $time = delete $counters->{time_ms};
    my %rest = (%$counters, runs => $time->{count});

    delete $rest{per_minute};

    # at most those of all times: a test may take more than five minutes
    my $recent = delete $rest{recent};
    my $failing = delete $rest{failing};
    $rest{recent} = 'more have ended than begun'
        if $recent->{ended} > $rest{started};
    $rest{recent} = 'more have failed than ended'
        if $recent->{failed} > $recent->{ended};
    $rest{recent} = 'failing, but nothing has failed'
        if $failing && !$recent->{failed};
    $rest{recent} = 'more in two minutes than in five'
        if $recent->{now_ended} > $recent->{ended}
            || $recent->{now_failed} > $recent->{failed};
    $rest{runs} = 'not those of the buckets'
        if sum0(values %{ $time->{buckets} }) != $time->{count};

    return \%rest;
}

my ($opened, %shown);

sub show {
    my ($status) = @_;
    my %shown;

    for my $action (@{ $status->{actions} }) {
        my $shown = $shown{ $action->{name} } = without_time($action);

        # the app was called each time that the steps have passed

        my $app = delete $shown->{app};
        $shown->{app} = 'has answered too often, or not always 2xx'
            if $app->{statuses}{'2xx'} != $shown->{succeeded}
                || sum0(values %{ $app->{statuses} }) != $shown->{succeeded}
                || $app->{last_status} != ($shown->{succeeded} ? 200 : 0);
        delete $shown->{state};

        for my $step (@{ delete $shown->{steps} }) {
            my $counters = without_time($step);
            $opened += $counters->{opened};
            $counters->{connected} = $counters->{opened}
                + delete $counters->{reused};
            delete $counters->{opened};
            delete $counters->{last_status};
            $shown->{steps}{ delete $counters->{name} } = $counters;
        }
        delete $shown->{name};
    }

    return \%shown;
}

sub expected {
    my %all;

    for my $name (keys %expected) {
        my $action = $expected{$name};
        my $all = $all{$name} = { succeeded => 0, aborted => 0, running => 0,
                                  refused => 0, unknown => 0,
                                  failed => {}, %$action, runs => $action->{started} };

        # what is refused at once takes no time

        $all->{runs} -= $kinds{unreadable}{n} if $name eq 'Finish';

        $all->{steps} = { map {
            my $step = $action->{steps}{$_};
            ($_ => { succeeded => 0, aborted => 0, running => 0,
                     refused => 0, unknown => 0,
                     failed => {}, %$step,
                     runs => $step->{started},
                     sent => $sent{$name}{$_} // 0,
                     statuses => { (map { ($_ => 0) }
                         qw(none 1xx 2xx 3xx 4xx 5xx)),
                         %{ $step->{statuses} // {} } } });
        } keys %{ $action->{steps} } };
    }

    return \%all;
}

# what is not counted, but shown, and steps that were never run

sub strip {
    my ($shown) = @_;

    for my $action (values %$shown) {
        my $steps = $action->{steps};
        delete @{ $steps->{$_} }{qw(endpoint optional)} for keys %$steps;
        delete $steps->{$_}
            for grep { $steps->{$_}{started} == 0 } keys %$steps;
    }

    delete $shown->{Hang};
    return $shown;
}

my $status = status();
my $by_name = { map { $_->{name} => $_ } @{ $status->{actions} } };
my ($no_step) = grep { $_->{name} eq 'Later' }
    @{ $by_name->{Reject}{steps} };

is($no_step->{started}, 0, 'the step behind one that fails is not counted');
is($by_name->{Optional}{steps}[0]{optional}, JSON::PP::true, 'optional');
is($by_name->{Finish}{steps}[0]{optional}, JSON::PP::false, 'not optional');
is($by_name->{Finish}{steps}[0]{endpoint}, 'http://127.0.0.1:'
   . $t->port('hook'), 'the endpoint');
is($status->{uncounted}, 0, 'all are counted');
is($status->{entries}, sum0(map { 1 + @{ $_->{steps} } }
   @{ $status->{actions} }), 'as many entries as are shown');
is($status->{since}, $first->{since}, 'since the first start');

my $shown = strip(show($status));
my $expected = expected();

is(join(', ', sort keys %$shown), join(', ', sort keys %$expected),
   'the actions');

for my $name (sort keys %$expected) {
    is_deeply($shown->{$name}, $expected->{$name}, qq(JSON: "$name"));
}

is($opened, scalar keys %conns, 'connections, as endpoints have seen them');


# Prometheus says the same

sub label { return join ',', map { qq($_->[0]="$_->[1]") } @_ }

# the versions come from elsewhere: CHANGES, nginx -v, curl --version

sub build_info {
    open my $changes, '<', "$FindBin::Bin/../CHANGES" or die "CHANGES: $!\n";
    my ($ours) = join('', <$changes>) =~ /ngx_flowdash_module ([\d.]+)/;
    my ($nginx) = `$ENV{FLOWDASH_NGINX} -v 2>&1` =~ m{nginx/([\d.]+)};

    return 'flowdash_build_info{' . label([ version => $ours ],
        [ nginx => $nginx ], [ libcurl => libcurl_version() ]) . '}';
}

sub expected_lines {
    my ($status) = @_;
    my %line = ('flowdash_zone_entries' => $status->{entries},
                'flowdash_zone_entries_max' => $status->{max_entries},
                'flowdash_uncounted_total' => $status->{uncounted},
                'flowdash_guarded_total' => $status->{guarded},
                'flowdash_user_cache_hits_total' => $status->{user_cache_hits},
                'flowdash_user_cache_misses_total' =>
                    $status->{user_cache_misses},
                'flowdash_outbox_oldest_seconds' =>
                    $status->{outbox}{oldest_seconds},
                'flowdash_outbox_size_bytes' => $status->{outbox}{size},
                (map { ('flowdash_once_total{' . label([ result => $_ ]) . '}'
                        => $status->{once}{$_}) } keys %{ $status->{once} }),
                build_info() => 1);

    $line{"flowdash_outbox_$_"} = $status->{outbox}{$_}
        for qw(waiting unknown dead);
    $line{"flowdash_outbox_${_}_total"} = $status->{outbox}{$_}
        for qw(delivered failed broken);

    my $add = sub {
        my ($name, $value, @labels) = @_;
        $line{"$name\{" . label(@labels) . '}'} = $value;
    };

    my $times = sub {
        my ($name, $time, @labels) = @_;
        my $n = 0;

        for (sort { $a <=> $b } grep { /\d/ } keys %{ $time->{buckets} }) {
            $n += $time->{buckets}{$_};
            $add->("${name}_bucket", $n, @labels,
                   [ le => sprintf '%.3f', $_ / 1000 ]);
        }

        $add->("${name}_bucket", $time->{count}, @labels, [ le => '+Inf' ]);
        $add->("${name}_count", $time->{count}, @labels);
        $add->("${name}_sum", sprintf('%.3f', $time->{sum} / 1000), @labels);
    };

    for my $action (@{ $status->{actions} }) {
        my @a = [ action => $action->{name} ];

        $add->("flowdash_actions_${_}_total", $action->{$_}, @a)
            for qw(started succeeded refused unknown aborted);
        $add->('flowdash_actions_running', $action->{running}, @a);
        $add->('flowdash_actions_failed_total', $action->{failed}{$_}, @a,
               [ reason => $_ ]) for keys %{ $action->{failed} };
        $times->('flowdash_action_duration_seconds', $action->{time_ms}, @a);

        $times->('flowdash_app_duration_seconds', $action->{app}{time_ms}, @a);

        my $statuses = $action->{app}{statuses};
        $add->('flowdash_app_answers_total', $statuses->{$_}, @a,
               [ code => $_ ]) for grep { $statuses->{$_} } keys %$statuses;

        for my $step (@{ $action->{steps} }) {
            my @s = (@a, [ step => $step->{name} ]);

            $add->('flowdash_steps_succeeded_total', $step->{succeeded}, @s);
            $add->('flowdash_steps_tolerated_total', $step->{tolerated}, @s);
            $add->('flowdash_step_runs_total', $step->{started}, @s);
            $add->("flowdash_step_${_}_total", $step->{$_}, @s)
                for qw(calls retries);
            $add->("flowdash_step_${_}_bytes_total", $step->{$_}, @s)
                for qw(sent received);
            $add->("flowdash_step_connections_${_}_total", $step->{$_}, @s)
                for qw(opened reused);
            $add->('flowdash_step_answers_ignored_total', $step->{ignored},
                   @s);
            $add->('flowdash_steps_failed_total', $step->{failed}{$_}, @s,
                   [ reason => $_ ]) for keys %{ $step->{failed} };
            $add->('flowdash_step_answers_total', $step->{statuses}{$_}, @s,
                   [ code => $_ ])
                for grep { $step->{statuses}{$_} } keys %{ $step->{statuses} };
            $times->('flowdash_step_duration_seconds', $step->{time_ms}, @s);
        }
    }

    return \%line;
}

my $metrics = $t->get('/metrics');

is(header($metrics, 'Content-Type'),
   'text/plain; version=0.0.4; charset=utf-8', 'the type of the metrics');
is_deeply(prometheus($metrics->{body}), expected_lines(status()),
          'Prometheus: the same numbers');
is(promtool($metrics->{body}), '', 'promtool has nothing to say');
like(promtool("a_total 1\n"), qr/\S/, 'as it would have of something wrong');


# The last failures

my $failures = $status->{failures};
my @failed = grep { $_->{error} } @run;

is(scalar @$failures, 50, 'the last 50 failures');
is(scalar(grep { $failures->[$_]{time} > $failures->[$_ - 1]{time} } 1 .. 49),
   0, 'the last one first');

my %ids = map { $_ => 1 } $t->read_file('pid.log') =~ /(\w{32})$/mg;
is(scalar(grep { !$ids{ $_->{id} } } @$failures), 0,
   'their ids are those of the access log');

my %last = map { my $step = $_->{last} // ($_->{steps}[-1] // [ '' ])->[0];
                 ("$_->{action}|$step|$_->{error}" => 1) } @failed;
is(join(', ', grep { !$last{$_} }
        map { "$_->{action}|$_->{step}|$_->{reason}" } @$failures), '',
   'with action, step and reason');
like($_->{status}, qr/^(?:400|502|504)$/, "status $_->{status}")
    for @$failures[0 .. 2];


# Actions that hang, also over a reload

my @hanging = map { $t->start('POST', '/hang', body => '{"task":{}}',
                              headers => \@json) } 1 .. 7;

sub running {
    my ($running) = map { $_->{running} }
        grep { $_->{name} eq 'Hang' } @{ status()->{actions} };
    return $running;
}

is($t->wait_for(sub { running() == 7 }), 1, 'seven are running');
is($t->reload, 1, 'reloaded while they are');
is(running(), 7, 'they still are');
like($t->get('/metrics')->{body},
     qr/^flowdash_actions_running\{action="Hang"\} 7$/m, 'Prometheus, too');
$t->write_file('go', '');
is($t->finish($_)->{status}, 200, 'it ends') for @hanging;
is(running(), 0, 'none is running any more');
is((grep { $_->{name} eq 'Hang' } @{ status()->{actions} })[0]{succeeded}, 7,
   'they were counted by the old workers');


# The location itself

for my $uri (qw(/json /metrics /flows)) {
    my $head = $t->request('HEAD', $uri);
    is($head->{status} . length($head->{body}), '2000', "HEAD $uri");
    is(header($head, 'Content-Length') > 1000, 1, "HEAD $uri: its length");
    is($t->post_json($uri, '{}')->{status}, 405, "POST $uri");
}

is(header($t->get($_), 'Content-Type'), 'application/json', "JSON: $_")
    for '/json', '/json?if=1';
is(header($t->get('/flows'), 'Content-Type'), 'text/html; charset=utf-8',
   'HTML');
is($t->get('/closed')->{status}, 403, 'nginx\'s deny holds');
is($t->get('/rewritten')->{status}, 200, 'a rewrite may lead there');

$t->stop;


# nginx -t

my $step = 'flowdash_action a; flowdash_step s { return 204; }';

sub http {
    my ($zone, $location) = @_;
    return "$zone server { listen 127.0.0.1:%%PORT_http%% reuseport;
            location / { $location } }";
}

my $one = 'flowdash_zone f:1m;';

$t->conf_ok(http($one, $step), 'a zone');
$t->conf_ok(http($one, "flowdash_status $_;"), "format $_")
    for qw(html json prometheus);
$t->conf_ok(http('flowdash_zone f:32k;', $step), 'the smallest zone');

for (
    [ '', 'flowdash_status json;', qr/"flowdash_status" needs/, 'no zone' ],
    [ 'flowdash_zone f:31k;', $step, qr/"f:31k".*at least 32k/, 'too small' ],
    [ 'flowdash_zone f:0;', $step, qr/"f:0".*at least/, '0' ],
    [ 'flowdash_zone f:-1m;', $step, qr/"f:-1m".*at least/, 'negative' ],
    [ 'flowdash_zone f:x;', $step, qr/"f:x".*at least/, 'no number' ],
    [ 'flowdash_zone f:;', $step, qr/"f:".*at least/, 'empty size' ],
    [ 'flowdash_zone f;', $step, qr/"f".*a name and a size/, 'no size' ],
    [ 'flowdash_zone :1m;', $step, qr/":1m".*a name and a size/, 'no name' ],
    [ 'flowdash_zone;', $step, qr/invalid number of arguments/, 'nothing' ],
    [ "$one $one", $step, qr/"flowdash_zone" directive is duplicate/,
      'two zones' ],
    [ 'limit_req_zone $uri zone=f:1m rate=1r/s; flowdash_zone f:1m;', $step,
      qr/zone "f"/, 'a zone of another module' ],
    [ $one, 'flowdash_status xml;', qr/"xml".*"html", "json"/, 'format xml' ],
    [ $one, 'flowdash_status JSON;', qr/"JSON".*"html", "json"/,
      'format JSON' ],
    [ $one, 'flowdash_status;', qr/invalid number of arguments/,
      'no format' ],
    [ $one, 'flowdash_status json; flowdash_status json;',
      qr/"flowdash_status" directive is duplicate/, 'two formats' ],
    [ $one, $one, qr/"flowdash_zone" directive is not allowed here/,
      'a zone in a location' ],
) {
    my ($zone, $location, $message, $name) = @$_;
    $t->conf_fails(http($zone, $location), $message, "nginx -t: $name");
}


# A zone that is too small: nothing fails, and it is said once

sub many {
    my ($zone, $more) = @_;
    my $locations = join '', map { qq(location = /a$_ {
        flowdash_action "a$_"; flowdash_step one { return 204; }
        flowdash_step two { return 204; } try_files /nowhere \@app; }\n)
    } 1 .. 20;

    return <<"EOC";
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP_GLOBALS%%
    $zone
    keepalive_requests 100000;
    client_header_buffer_size 2m;       # for all that come at once
    server {
        listen 127.0.0.1:%%PORT_http%%;
        $locations

        # the app
        log_not_found off;
        location \@app { return 200 app; }

        location = /no {
            flowdash_action "no"; flowdash_step one { return 403; }
        }
        location = /named {
            flowdash_action \$arg_n; flowdash_step one { return 204; }
            try_files /nowhere \@app;
        }
        location = /field {
            flowdash_action \$flowdash_task_name;
            flowdash_step one { return 204; }
            try_files /nowhere \@app;
        }
        location = /header {
            flowdash_action \$http_x_name;
            flowdash_step one { return 204; }
            try_files /nowhere \@app;
        }
        $more
        location = /json    { flowdash_status json; }
        location = /metrics { flowdash_status prometheus; }
        location = /flows   { flowdash_status html; }
    }
}
EOC
}

sub warnings { return scalar(() = $t->error_log =~ /zone is too small|(?#
    )zone of flowdash_zone is too small/g) }

$t->config(many('flowdash_zone f:32k;', ''));
$t->run;

is(status()->{uncounted}, 0, 'too small: nothing was run yet');
is(warnings(), 1, 'too small: said at the start');
is(join(' ', map { $t->post_json("/a$_", '{"task":{}}')->{status} } 1 .. 20),
   join(' ', (200) x 20), 'too small: no action fails');
is($t->post_json('/no', '{"task":{}}')->{status}, 502, 'too small: but one');

$status = status();
my $counted = sum0(map { $_->{started} + sum0(map { $_->{started} }
    @{ $_->{steps} }) } @{ $status->{actions} });

is($counted + $status->{uncounted}, 62, 'too small: all are counted, or not');
is($status->{uncounted} > 0, 1, 'too small: some are not');
is($status->{entries} <= $status->{max_entries}, 1, 'too small: bounded');
is(join(' ', map { "$_->{action} $_->{step}" } @{ $status->{failures} }),
   'no one', 'too small: the failure is known anyway');
is($t->reload, 1, 'too small: reloaded');
is(warnings(), 1, 'too small: it was said once');
is(promtool($t->get('/metrics')->{body}), '', 'too small: metrics');
like($t->get('/flows')->{body}, qr/flowdash_zone is too small/,
     'too small: the page says so');


# A reload with another size

$t->config(many('flowdash_zone f:1m;', ''));
is($t->reload, 1, 'another size: reloaded');

$status = status();
is($status->{uncounted} . '|' . @{ $status->{failures} }, '0|0',
   'another size: it starts anew');
is($status->{entries}, 62, 'another size: there is room for all');
is($t->post_json('/a20', '{"task":{}}')->{status}, 200, 'another size: works');
is((grep { $_->{name} eq 'a20' } @{ status()->{actions} })[0]{started}, 1,
   'another size: counts');

# and with another name, and without

$t->config(many('flowdash_zone g:1m;', '') =~ s/^\s+flowdash_status.*$//mr);
is($t->reload, 1, 'another name: reloaded');
is((grep { $_->{name} eq 'a20' } @{ status()->{actions} })[0]{started}, 0,
   'another name: anew');

$t->config(many('', '') =~ s/flowdash_status \w+;/return 204;/gr);
is($t->reload, 1, 'no zone: reloaded');
is($t->post_json('/a20', '{"task":{}}')->{status}, 200, 'no zone: works');
$t->stop;


# Thousands of names: what has no room is counted together

my $body = '{"task":{}}';

sub name_them {
    my ($n) = @_;
    my $bytes = join '', map { "POST /named?n=n$_ HTTP/1.1\r\nHost: a\r\n"
        . "Content-Type: application/json\r\n"
        . 'Content-Length: ' . length($body) . "\r\n"
        . ($_ == $n ? "Connection: close\r\n" : '') . "\r\n$body" } 1 .. $n;

    return scalar(() = $t->raw_request($bytes, timeout => 60)
                  =~ m{HTTP/1\.1 200}g);
}

for my $zone ([ '1m', 1 ], [ '32m', 0 ]) {
    my ($size, $small) = @$zone;

    $t->config(many("flowdash_zone f:$size;", ''));
    $t->run;
    $t->post_json('/a1', $body);

    is(name_them(10_000), 10_000, "$size: actions of 10,000 names");
    $t->post_json('/a1', $body) for 1 .. 4;

    my $start = time;
    my %page = map { $_ => $t->get($_) } qw(/json /metrics /flows);
    my $time = time - $start;

    $status = decode_json($page{'/json'}{body});
    my ($a1) = grep { $_->{name} eq 'a1' } @{ $status->{actions} };

    is($a1->{started} . $a1->{steps}[1]{started}, '55',
       "$size: what is configured is counted");
    is(sum0(map { $_->{started} } @{ $status->{actions} },
            map { @{ $_->{steps} } } @{ $status->{actions} })
       + $status->{uncounted}, 20_000 + 15, "$size: the rest together");
    is($status->{uncounted} > 0, $small ? 1 : '', "$size: whether there is");
    is($status->{entries} <= $status->{max_entries}, 1, "$size: bounded");
    is($status->{entries} > ($small ? 800 : 20_000), 1, "$size: but used");
    is($status->{max_entries} > ($small ? 850 : 27_000), 1,
       "$size: an entry takes 1.2k");
    is(scalar @{ $status->{actions} }, scalar keys %{ { map {
        ($_->{name} => 1) } @{ $status->{actions} } } },
       "$size: each name once");

    is($page{$_}{status}, 200, "$size: $_ answers") for sort keys %page;
    is($time < 20, 1, "$size: soon") or diag($time);
    is(length($page{$_}{body}) < 6000 * $status->{entries}, 1, "$size: $_ is "
       . 'as large as its entries are many') for sort keys %page;
    is(promtool($page{'/metrics'}{body}), '', "$size: metrics") if $small;
    diag(sprintf '%s: %d entries, %.1f s, %s', $size, $status->{entries},
         $time, join ', ', map { "$_ " . length $page{$_}{body} }
         sort keys %page) if $ENV{TEST_VERBOSE};

    $t->stop;
}


# Names of all kinds

my $emoji = "\x{1f600}";
my %names = (
    quotes => q(a "quoted" 'name' \\ and more),
    script => '</script><script>alert(1)</script>',
    html => '<b>&amp; "x"',
    newline => "two\nlines\r\n\ttab",
    control => "\x01\x1b[31mred\x7f",
    emoji => "$emoji Z\x{fc}rich",
    long => 'l' x 300,
    wide => 'x' . "\x{fc}" x 150,
    separator => "\x{2028}\x{2029}",
    template => '${x} {{ y }} %s %n',
);

my $quoted = sub {
    return '"' . encode_utf8($_[0] =~ s/([\\"])/\\$1/gr) . '"';
};

# in a configuration, "\n" and so on are what they are; "$" would be a variable

my $odd = join '', map {
    my $name = $quoted->($names{$_});
    qq(location = /step_$_ { flowdash_action "step $_";
       flowdash_step $name { return 403; } }\n)
} sort keys %names;

$t->config(many('flowdash_zone f:1m;', $odd));
$t->run;

sub cut {
    my ($name) = @_;
    chop $name while length encode_utf8($name) > 96;
    return $name;
}

for (sort keys %names) {
    my $task = encode_json({ task => { name => $names{$_} } });
    is($t->post_json('/field', $task)->{status}, 200, "an action: $_");
    is($t->post_json("/step_$_", $body)->{status}, 502, "a step: $_");
}

$status = eval { status() };
is($@, '', 'odd names: JSON');
$by_name = { map { $_->{name} => $_ } @{ $status->{actions} } };

my $text = $t->get('/metrics')->{body};
my $html = $t->get('/flows')->{body};

is(promtool($text), '', 'odd names: metrics');
is(utf8::decode(my $copy = $text), 1, 'odd names: UTF-8');
is(scalar(() = $html =~ /<script/g), 1, 'odd names: the page has its script');
unlike($html, qr/<b>|alert\(1\)<\/script/, 'odd names: and nothing else');

for (sort keys %names) {
    my $name = cut($names{$_});
    my $label = encode_utf8($name) =~ s/([\\"])/\\$1/gr =~ s/\n/\\n/gr;
    my $escaped = encode_utf8($name);
    $escaped =~ s/([&<>"])/'&' . { qw(& amp < lt > gt " quot) }->{$1} . ';'/ge;

    is($by_name->{$name}{succeeded}, 1, "JSON: an action: $_");
    is($by_name->{"step $_"}{steps}[0]{name}, $name, "JSON: a step: $_");
    is(scalar(grep { $_->{step} eq $name } @{ $status->{failures} }), 1,
       "JSON: a failure: $_");
    like($text, qr/^flowdash_actions_started_total\{action="\Q$label\E"\} 1$/m,
         "Prometheus: an action: $_");
    like($text, qr/^flowdash_step_runs_total\{action="step $_",(?#
        )step="\Q$label\E"\} 1$/m, "Prometheus: a step: $_");
    like($html, qr/<h2><bdi>\Q$escaped\E</, "HTML: an action: $_");
    like($html, qr/<th scope="row"><bdi>\Q$escaped\E</, "HTML: a step: $_");
    like($html, qr/<td><bdi>\Q$escaped\E</, "HTML: a failure: $_");
}

# two that are the same as far as they are shown

$t->post_json('/field', encode_json({ task => { name => 'l' x 250 } }));
($by_name) = grep { $_->{name} eq 'l' x 96 } @{ status()->{actions} };
is($by_name->{started}, 2, 'names with the same beginning are one');

# one that is no text

is($t->post_json('/header', $body, headers => [ 'X-Name' => "\xff\xfe" ])
   ->{status}, 400, 'a name that is no UTF-8 is refused');
$status = eval { status() };
is($@, '', 'no UTF-8: JSON');
is((grep { $_->{name} eq '' } @{ $status->{actions} })[0]{failed}
   {request_invalid}, 1, 'no UTF-8: counted without a name');
is("$status->{failures}[0]{action}|$status->{failures}[0]{status}", '|400',
   'no UTF-8: the failure');
is(promtool($t->get('/metrics')->{body}), '', 'no UTF-8: metrics');
like($t->get('/flows')->{body}, qr/its name could not be determined/,
     'no UTF-8: the page');

# Names from variables: the steps have the order of the configuration, with
# those that did not run, and with their endpoints

my $hook = 'http://127.0.0.1:' . $t->port('hook');

$t->config(many('flowdash_zone f:1m;', <<"EOC"));
    location = /ordered {
        flowdash_action \$arg_n;
        flowdash_step zebra { flowdash_call $hook/status/403/a; }
        flowdash_step apple { flowdash_optional on;
                              flowdash_call $hook/status/200/b; }
    }
    location = /either { flowdash_action \$arg_n;
                         flowdash_step same { flowdash_call $hook/login; } }
    location = /or     { flowdash_action \$arg_n;
                         flowdash_step same { return 204; }
                         try_files /nowhere \@app; }
EOC
is($t->reload, 1, 'named by variables: reloaded');

is($t->post_json('/ordered?n=Ordered', $body)->{status}, 502, 'ordered');
is($t->post_json('/or?n=Either', $body)->{status}, 200, 'either');

sub steps_of {
    my ($name) = @_;
    my ($action) = grep { $_->{name} eq $name } @{ status()->{actions} };
    return join ', ', map { my $step = $_; join ' ', map { $step->{$_} // '' }
        qw(name endpoint optional started) } @{ $action->{steps} };
}

is(steps_of('Ordered'), "zebra $hook 0 1, apple $hook 1 0",
   'named by variables: order, endpoints, and a step that did not run');
is(steps_of('Either'), 'same  0 1',
   'named by variables: no endpoint if it could be one of two');

$t->done;
