#!/usr/bin/perl

# "make soak": many kinds of actions for a long time, with endpoints that fail
# in many ways, clients that leave, and a reload every 20 seconds.  After it,
# nginx's access log and its counters say what endpoints and app have seen, call
# by call: nothing is lost, and nothing doubled without being counted.
#
# FLOWDASH_SOAK: how many seconds; FLOWDASH_SEED: the same clients again.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(max sum0);
use Mojo::JSON qw(decode_json);
use Test::Flowdash;
use Test::Flowdash::Server;
use Time::HiRes qw(sleep time);

use constant { RELOAD => 20, CLIENTS => 6, LARGE => 300_000 };

plan skip_all => 'FLOWDASH_SOAK says how many seconds' if !$ENV{FLOWDASH_SOAK};

my $seconds = $ENV{FLOWDASH_SOAK};
my $seed = $ENV{FLOWDASH_SEED} || 1 + int rand 1 << 31;
my $t = Test::Flowdash->new(log_level => 'error');
my $end;

note("FLOWDASH_SEED=$seed has the same clients again");

# What the clients ask an endpoint to do, and how often.

my %WAYS = (
    change => 40, none => 10, large => 4, refuse => 5, fail => 4, again => 8,
    late => 4, cut => 3, cut_body => 3, close => 4, reset => 2, leave => 8,
    timeout => 5, stall => 1, garbage => 2, chunked => 5,
);
my @ways = map { ($_) x $WAYS{$_} } sort keys %WAYS;

my $change = '{"task":{"Stage":"Changed","By":"endpoint"}}';
my %seen;                               # in an endpoint's process

sub json ($body, @headers) {
    return Test::Flowdash::HTTP::head('HTTP/1.1 200 OK',
        'Content-Type' => 'application/json',
        'Content-Length' => length $body, @headers) . $body;
}

sub status ($status) {
    return "HTTP/1.1 $status Status\r\nContent-Length: 0\r\n\r\n";
}

my %behaviour = (
    change => sub { (send => json($change), then => 'next') },
    none => sub { (send => "HTTP/1.1 204 No Content\r\n\r\n", then => 'next') },
    large => sub { (send => json('{"task":{"Text":"' . 'x' x 50_000 . '"}}'),
                    then => 'next') },
    refuse => sub { (send => status(422), then => 'next') },
    fail => sub { (send => status(500), then => 'next') },
    again => sub { (send => $_[0] > 1 ? json($change) : status(503),
                    then => 'next') },
    late => sub { (pause => 0.3, send => json($change), then => 'next') },
    cut => sub { (send => "HTTP/1.1 200 OK\r\nContent-Le") },
    cut_body => sub { (send => json($change) =~ s/Changed.*//sr) },
    close => sub { () },
    reset => sub { (then => 'reset') },
    leave => sub { (send => json($change)) },   # without a word of it before
    timeout => sub { (send => status(408)) },
    stall => sub { (then => 'stall') },
    garbage => sub { (send => "no HTTP\r\n\r\n") },
    chunked => sub { (send => "HTTP/1.1 200 OK\r\nContent-Type: "
        . "application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        . Test::Flowdash::HTTP::chunks($change, 10), then => 'next') },
);

# A line of a file for each request that has come whole: the client's number.

sub peer ($name, $act) {
    $t->server($name => sub ($listen, $record) {
        open my $file, '>>', $t->dir . "/$name.seen" or die $!;
        Test::Flowdash::Server::serve_raw($listen, sub ($request, @) {
            my $n = $request->header('X-Number') // 'none';
            syswrite $file, "$n\n";
            return $act->($request, ++$seen{$n});
        }, sub { });
    });
}

for my $name (qw(crm billing chat)) {
    peer($name => sub ($request, $times) {
        my $way = $request->header("X-Way-\u$name");
        delete $seen{ $request->header('X-Number') } if $way ne 'again';
        return $behaviour{$way}->($times);
    });
}
peer(app => sub (@) { return (send => json('{}'), then => 'close') });

$t->config(<<'END');
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP_GLOBALS%%
    flowdash_zone soak:1m;
    log_format soak "$http_x_number|$flowdash_result|$flowdash_error|"
                    "$flowdash_step_name|$flowdash_step_status|$status";
    client_max_body_size 2m;

    server {
        listen 127.0.0.1:%%PORT_http%% backlog=4096;

        location /status { access_log off; flowdash_status json; }

        location /tasks {
            access_log %%DIR%%/soak.log soak;
            flowdash_action "Finish";
            flowdash_timeout 1s;

            flowdash_step "CRM" {
                flowdash_retry 1 error 503;
                flowdash_set_header X-Number $http_x_number;
                flowdash_set_header X-Way-Crm $http_x_way_crm;
                flowdash_call http://127.0.0.1:%%PORT_crm%%/;
            }
            flowdash_step "Billing" {
                flowdash_set_header X-Number $http_x_number;
                flowdash_set_header X-Way-Billing $http_x_way_billing;
                proxy_pass http://127.0.0.1:%%PORT_billing%%/;
            }
            flowdash_step "Chat" {
                flowdash_optional on;
                flowdash_set_header X-Number $http_x_number;
                flowdash_set_header X-Way-Chat $http_x_way_chat;
                flowdash_call http://127.0.0.1:%%PORT_chat%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }
}
END
$t->run;

$end = time + $seconds;
client($_) for 1 .. CLIENTS;
my @samples = watch();
check(@samples);
$t->done;


# One client after the other: each request on a connection of its own, with a
# number of its own.  Some close it as soon as all is sent.

sub client ($number) {
    my $pid = fork // die "fork: $!\n";
    return if $pid;

    srand $seed + $number;
    open my $file, '>>', $t->dir . '/clients.seen' or POSIX::_exit(1);

    for (my $n = 1; time < $end; $n++) {
        my $id = "$number-$n";
        my @request = request($id);
        my $leaves = rand(20) < 1;
        my $answer = eval {
            my $exchange = $t->start(@request);
            $leaves ? undef : $t->finish($exchange);
        };
        syswrite $file, join('|', $id, $leaves ? 'left'
                             : $answer ? $answer->{status} : "error $@") . "\n";
    }
    POSIX::_exit(0);
}

sub request ($id) {
    my $large = rand(40) < 1 ? 'x' x LARGE : 'x';
    my $kind = int rand 3;
    my $d = 'Content-Disposition: form-data; name=';

    my ($type, $body) = $kind == 0
        ? ('application/json', qq({"task":{"Stage":"Open","Text":"$large"}}))
        : $kind == 1 ? ('application/x-www-form-urlencoded',
                        "utf8=1&task%5BStage%5D=Open&task%5BText%5D=$large")
        : ('multipart/form-data; boundary=B', join '',
           qq(--B\r\n${d}"task[Stage]"\r\n\r\nOpen\r\n),
           qq(--B\r\n${d}"task[File]"; filename="a"\r\n),
           qq(Content-Type: text/plain\r\n\r\n$large\r\n--B--\r\n));

    return ('POST', '/tasks/1', body => $body, headers => [
        'Content-Type' => $type, 'X-Number' => $id,
        map { ("X-Way-$_" => $ways[rand @ways]) } qw(Crm Billing Chat) ]);
}

# reloads, and notes how much memory and how many descriptors the workers have

sub watch () {
    my ($reload, @samples) = time + RELOAD;

    while (time < $end) {
        sleep 1;
        push @samples, { map { %$_ } map { process($_) }
                         $t->master_pid, $t->worker_pids } ;
        next if time < $reload;
        ok($t->reload, 'reloaded');
        $reload = time + RELOAD;
    }

    1 while wait_client();
    return @samples;
}

sub wait_client () {
    my $pid = waitpid -1, POSIX::WNOHANG();
    sleep 0.1 if $pid == 0;
    my $log = $t->read_file('clients.seen') // '';
    state $last = [ '', time ];
    $last = [ length $log, time ] if $last->[0] ne length $log;
    return time - $last->[1] < 10;
}

sub process ($pid) {
    open my $status, '<', "/proc/$pid/status" or return {};
    my ($kb) = map { /^VmRSS:\s+(\d+)/ ? $1 : () } readline $status;
    my @descriptors = glob "/proc/$pid/fd/*";
    return { $pid => [ $kb // 0, scalar @descriptors ] };
}


sub lines ($name) {
    return split /\n/, $t->read_file($name) // '';
}

sub check (@samples) {
    my $status;
    ok($t->wait_for(sub {
        $status = decode_json($t->get('/status')->{body});
        return !grep { $_->{running} } @{ $status->{actions} };
    }), 'nothing runs any more');

    my ($action) = grep { $_->{name} eq 'Finish' } @{ $status->{actions} };
    my %client = map { split /\|/, $_, 2 } lines('clients.seen');
    my %log;
    for (lines('soak.log')) {
        my @parts = map { s/^-$//r } split /\|/, $_, -1;
        push @{ $log{ $parts[0] } }, \@parts;
    }
    my %at;
    for my $name (qw(crm billing chat app)) {
        $at{$name}{$_}++ for lines("$name.seen");
    }

    diag(sprintf '%d requests, %d reloads', scalar keys %client,
         $seconds / RELOAD);
    compare(\%client, \%log, \%at);
    counters($action, \%log);
    memory(@samples);
}

# each request by itself

sub compare ($client, $log, $at) {
    my (@lost, @doubled, @app, @client, %ends);

    for my $id (sort keys %$client) {
        my @lines = @{ $log->{$id} // [] };
        if (@lines != 1) {
            push @lost, "$id: " . @lines . ' lines in the access log'
                if @lines || $client->{$id} ne 'left';
            push @lost, "$id: $_ was called" for grep { $at->{$_}{$id} } keys %$at;
            next;
        }

        my (undef, $result, $error, $names, $statuses, $code) = @{ $lines[0] };
        my %attempts;
        @attempts{ map { lc } split / : /, $names }
            = map { [ split /, / ] } split / : /, $statuses;
        $ends{ $result ? "$result $error" : "no action, $code" }++;

        for my $step (qw(crm billing chat)) {
            my @attempts = grep { $_ ne '-' } @{ $attempts{$step} // [] };
            my $seen = $at->{$step}{$id} // 0;
            my $unanswered = grep { /^50[024]$/ } @attempts;
            push @doubled, "$id: $step has seen $seen of \"@attempts\""
                if $seen > @attempts || $seen < @attempts - $unanswered;
        }

        my $app = $at->{app}{$id} // 0;
        push @app, "$id: $result, and the app has seen it $app times"
            if $app != ($result eq 'ok');
        push @client, "$id: $result, but the client has got $client->{$id}"
            if $client->{$id} ne 'left'
                && ($result eq 'ok') != ($client->{$id} eq '200');
    }

    diag("$ends{$_} $_") for sort keys %ends;
    none('each request that was sent is in the log, or nobody has seen it',
         @lost);
    none('endpoints have seen what the log says', @doubled);
    none('the app has seen each action that passed once, and no other', @app);
    none('clients were told how it ended', @client);
}

sub none ($name, @wrong) {
    ok(!@wrong, $name)
        or diag(scalar @wrong, " times\n",
                map { "$_\n" } @wrong[0 .. ($#wrong > 9 ? 9 : $#wrong)]);
}

# the counters against the log

sub counters ($action, $log) {
    my @lines = grep { $_->[1] ne '' } map { @$_ } values %$log;

    is($action->{started}, scalar @lines, 'started');
    is($action->{succeeded}, scalar(grep { $_->[1] eq 'ok' } @lines),
       'succeeded');
    my %failed;
    $failed{ $_->[2] }++ for grep { $_->[1] eq 'failed' } @lines;
    is_deeply($action->{failed}, \%failed, 'failed, by reason');

    for my $step (@{ $action->{steps} }) {
        my ($runs, $calls, $good) = (0, 0, 0);
        for my $line (@lines) {
            my @names = split / : /, $line->[3];
            my @statuses = split / : /, $line->[4];
            for my $i (grep { $names[$_] eq $step->{name} } keys @names) {
                my @attempts = grep { $_ ne '-' } split /, /, $statuses[$i];
                $runs++;
                $calls += @attempts;
                $good += grep { /^2/ } @attempts;
            }
        }
        is($step->{started}, $runs, "$step->{name}: runs");
        is($step->{calls}, $calls, "$step->{name}: calls");
        is($step->{retries}, $calls - $runs, "$step->{name}: retries");
        is($step->{statuses}{'2xx'} // 0, $good, "$step->{name}: 2xx");
    }
}

# A worker lives for 20 seconds only; what grows is the master.

sub memory (@samples) {
    my $master = $t->master_pid;
    my @kb = map { $_->{$master}[0] } @samples;
    my @workers = map { my $s = $_; map { $s->{$_} } grep { $_ != $master } keys %$s }
        @samples;
    my $largest = max(map { $_->[0] } @workers);
    my $descriptors = max(map { $_->[1] } @workers);

    diag("master: $kb[ @kb / 4 ] kB after a quarter, $kb[-1] kB at the end; ",
         "workers: up to $largest kB, $descriptors descriptors");
    cmp_ok($kb[-1], '<', $kb[ @kb / 4 ] + 4096, 'the master does not grow');
    cmp_ok($largest, '<', 100_000, 'nor a worker beyond reason');
    cmp_ok($descriptors, '<', 300, 'nor its descriptors');
    ok($t->wait_for(sub { $t->worker_pids == 2 }), 'old workers are gone');
}
