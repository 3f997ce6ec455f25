# libcurl fails, as it does without memory: calls that are running end with
# "internal" at once, their sockets are closed, the log has one alert, and the
# same worker makes the next call.  If libcurl only refuses one call, the others
# continue.  None of that is counted as an answer of the endpoint's.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new(log_level => 'info');
my $dir = $t->dir;

# /slow waits for a file

$t->endpoint(hook => sub {
    my ($request) = @_;
    return { headers => [ 'Content-Type' => 'application/json' ],
             body => '{"task":{"by":"hook"}}',
             until => sub { $request->{target} !~ /slow/ || -e "$dir/go" } };
});
$t->endpoint(app => { body => 'stored' });

$t->preload('libcurl_fails');
$t->config(<<'EOC');
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    log_format flow '$status $flowdash_error $flowdash_step_status';
    access_log %%DIR%%/flow.log flow;
    flowdash_zone flowdash:1m;
    flowdash_timeout 100s;
    flowdash_deadline 200s;
    flowdash_keepalive_timeout 900s;    # no sweep in between

    server {
        listen 127.0.0.1:%%PORT_http%%;

        location = /metrics {
            access_log off;
            flowdash_status prometheus;
        }

        location ~ ^/(?<path>.*)$ {
            flowdash_action "Do";
            flowdash_retry 3 error timeout;
            flowdash_step "Hook" {
                flowdash_call http://127.0.0.1:%%PORT_hook%%/$path;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }
}
EOC
$t->run;

my ($worker) = $t->worker_pids;

sub let_fail { $t->write_file('libcurl_fails.so.how', $_[0]) }

sub failed { return !-e "$dir/libcurl_fails.so.how" }

sub act { return $t->post_json($_[0], '{"task":{}}')->{status} }

sub begin {
    return $t->start('POST', $_[0], body => '{"task":{}}',
                     headers => [ 'Content-Type', 'application/json' ]);
}

sub alerts {
    my $alerts = () = $t->error_log =~ /\[alert\]/g;
    return $alerts;
}

# the worker's sockets that lead to the endpoint

sub sockets {
    my $port = sprintf '%04X', $t->port('hook');
    my %inode = map { (readlink($_) // '') =~ /^socket:\[(\d+)\]/
                      ? ($1 => 1) : () } glob "/proc/$worker/fd/*";

    open my $file, '<', "/proc/$worker/net/tcp" or die "/proc/net/tcp: $!\n";
    return scalar grep { my @f = split; ($f[2] // '') =~ /:$port$/
                         && $inode{ $f[9] } } <$file>;
}

# the last four lines of the log, sorted, once it has all of so many: a request
# is logged after its answer

sub logged {
    my ($all) = @_;
    my @lines;
    $t->wait_for(sub {
        @lines = split /\n/, $t->read_file('flow.log');
        return @lines >= $all;
    });
    return join '; ', sort @lines[-4 .. -1];
}

# what was added, since the last time, to the counters of failures, by reason,
# and of answers, by status

my %counted;

sub counted {
    my $metrics = $t->get('/metrics')->{body};
    my %now = map { s/_total.*(?:reason|code)=/ /r } $metrics =~ /^flowdash_(?#
        )((?:actions_failed|steps_failed|step_answers)_total\{.*"\}) (\d+)$/mg;
    my %before = %counted;
    %counted = %now;
    return join ', ', map { my $more = $now{$_} - ($before{$_} // 0);
                            $more ? s/\}/: $more/r : () } sort keys %now;
}

sub counters {
    my ($internal, $answered) = @_;
    my $text = qq(actions_failed "internal": $internal, step_answers "2xx": )
        . qq($answered, step_answers "none": $internal, )
        . qq(steps_failed "internal": $internal);
    return $internal ? $text : qq(step_answers "2xx": $answered);
}


# each call of the multi interface, with calls that are running and one
# connection that is kept

my $n = 0;

for my $how (qw(nothing action add remove)) {
    unlink "$dir/go";
    my $alerts = alerts();
    my $before = () = $t->requests('hook');

    is(act('/ok'), 200, "$how: a call");
    my @running = map { begin("/slow/$_") } 1 .. 3;
    $t->wait_for(sub { $t->requests('hook') == $before + 4 });
    is(sockets(), 3, "$how: three are running");

    # the next call begins; "remove" fails when it ends

    let_fail($how);
    my $last = act('/ok');

    ok(failed(), "$how: libcurl has failed");
    is(join(' ', map { $t->finish($_)->{status} } @running), '500 500 500',
       "$how: calls that are running end");
    is($last, $how eq 'remove' ? 200 : 500, "$how: the one by which it failed");
    is(sockets(), 0, "$how: all sockets are closed") if $how ne 'add';
    is(alerts(), $alerts + 1, "$how: one alert");

    $n += 5;
    my $internal = join '; ', ('500 internal 500') x 3;
    $internal .= '; 500 internal 500' if $how ne 'remove';
    $internal = "200 - 200; $internal" if $how eq 'remove';
    is(logged($n), $internal, "$how: the reason, without another attempt");
    is(counted(), $how eq 'remove' ? counters(3, 2) : counters(4, 1),
       "$how: the counters");

    $t->write_file('go', '');
    is(join(' ', map { act($_) } qw(/ok /ok /slow/again)), '200 200 200',
       "$how: the next calls");
    counted();
    $n += 3;
}


# what concerns one call, or none

for my $how (qw(memory added inside again)) {
    unlink "$dir/go";
    my $alerts = alerts();
    my $before = () = $t->requests('hook');
    my $ends = $how eq 'again' ? '200 - 200' : '500 internal 500';

    my @running = map { begin("/slow/$_") } 1 .. 3;
    $t->wait_for(sub { $t->requests('hook') == $before + 3 });
    let_fail($how);
    my $last = act('/ok');

    ok(failed(), "$how: libcurl has refused");
    is($last, $ends =~ s/ .*//r, "$how: the call");
    is(sockets(), 3 + ($how eq 'again'), "$how: the others keep their sockets");
    is(alerts(), $alerts + 1, "$how: one alert");

    $t->write_file('go', '');
    is(join(' ', map { $t->finish($_)->{status} } @running), '200 200 200',
       "$how: the others succeed");
    is(logged($n += 4), join('; ', ('200 - 200') x 3 , $ends),
       "$how: the reason");
    is(counted(), $how eq 'again' ? counters(0, 4) : counters(1, 3),
       "$how: the counters");
    is(act('/ok'), 200, "$how: the next call");
    counted();
    $n++;
    is(scalar $t->requests('hook'), $before + ($how eq 'again' ? 5 : 4),
       "$how: nothing was called twice");
}

is(join(' ', $t->worker_pids), $worker, 'it is still the same worker');
like($t->error_log, qr/failed on step "Hook": internal, libcurl has failed/,
     'the log names the reason');


# each allocation of libcurl's in turn

my ($i, %status, $dead) = 0;

while (!$dead) {
    unlink "$dir/libcurl_fails.so.failed";
    let_fail(++$i);

    $status{ act('/ok') }++;
    last if !-e "$dir/libcurl_fails.so.failed";

    $status{ 'next ' . act('/ok') }++;
    $dead = "@{[ $t->worker_pids ]}" ne $worker;
}

note(join ', ', map { "$_: $status{$_}" } sort keys %status);

cmp_ok($i, '>', 20, 'allocations of a call fail, one after the other');
is($dead, '', 'and the worker lives on');
is($status{'next 200'}, $i - 1, 'each next call succeeds');
is(join(' ', grep { !/^(?:200|500|502|next 200)$/ } keys %status), '',
   'none waits for its timeout');

$t->stop;


# a socket of libcurl's that nginx cannot watch

$t->preload('epoll_fails');
$t->run;
my $before = () = $t->requests('hook');
$t->write_file('epoll_fails.so.port', $t->port('http'));

is(act('/ok'), 500, 'a socket that cannot be watched');
ok(!-e "$dir/epoll_fails.so.port", 'epoll has failed');
is((split /\n/, $t->read_file('flow.log'))[-1], '500 internal 500',
   'it is the fault of this machine')
    if $t->wait_for(sub { $t->read_file('flow.log') =~ /500\n\z/ });
like($t->error_log, qr/\[alert\].*epoll_ctl\(.*failed.*\n(?:.*\n)*?.*internal, (?x:
     )nginx cannot watch the connection: its alert before this line says why,/,
     'the log names the reason, behind the alert');
is(act('/ok'), 200, 'the next call');
is(scalar $t->requests('hook'), $before + 1, 'the first was not sent');

$t->allow_log(qr/\[alert\].*flowdash: curl_multi_\w+\(\) failed/);
$t->allow_log(qr/\[alert\].*epoll_ctl\(.*\) failed/);

$t->done;
