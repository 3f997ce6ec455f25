#!/usr/bin/perl

# "make faults": what fails, and what the client, the endpoint, the app, the log
# and the counters get to see.  Each row of the table is tried, and
# docs/faults.md is written from what has happened, if FLOWDASH_FAULTS names it.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select;
use List::Util qw(sum0);
use Mojo::JSON qw(decode_json);
use Test::Flowdash;
use Test::Flowdash::DNS;

my $t = Test::Flowdash->new(log_level => 'info');
my $dir = $t->dir;
$ENV{FLOWDASH_LATER} = "$dir/later";    # of t/tool/later.c
my $changed = '{"task":{"Stage":"Changed"}}';
my $task = '{"task":{"Stage":"Open"}}';
my @json = (headers => [ 'Content-Type' => 'application/json' ]);
my (@rows, $section);

sub answer ($body, @headers) {
    return Test::Flowdash::HTTP::head('HTTP/1.1 200 OK',
        'Content-Type' => 'application/json',
        'Content-Length' => length $body, @headers) . $body;
}

# What an endpoint, or the app, does when a request has come.

my $whole = answer($changed);
my %does = (
    ok         => sub { (send => $whole, then => 'next') },
    close      => sub { () },
    reset      => sub { (then => 'reset') },
    part_line  => sub { (send => 'HTTP/1.1 20') },
    part_head  => sub { (send => "HTTP/1.1 200 OK\r\nContent-Ty") },
    part_body  => sub { (send => substr $whole, 0, -5) },
    part_chunk => sub { (send => "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                         . "chunked\r\n\r\n5\r\n{\"tas") },
    garbage    => sub { (send => "no HTTP\r\n\r\n") },
    no_json    => sub { (send => answer('{"task":'), then => 'next') },
    header     => sub { (send => answer($changed, 'X-Big' => 'x' x 100_000)) },
    large      => sub { (send => answer('{"task":{"a":"' . 'x' x 100_000
                                        . '"}}')) },
    refuse     => sub { (send => "HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n",
                         then => 'next') },
    stall      => sub { (then => 'stall') },
    stall_body => sub { (send => substr($whole, 0, -5), then => 'stall') },
    wait       => sub { (until => sub { -e "$dir/go" }, send => $whole,
                         then => 'next') },
);

my %kept;                               # in the endpoint's process
$does{kept_close} = sub ($n) { $kept{$n}++ ? () : $does{ok}->() };
$does{kept_408} = sub ($n) {
    return $kept{$n}++ ? (send => "HTTP/1.1 408 Late\r\nContent-Length: 0\r\n"
                          . "Connection: close\r\n\r\n") : $does{ok}->();
};

for my $name (qw(hook app)) {
    $t->raw_endpoint($name => sub ($request, $n, @) {
        my ($what) = $request->{target} =~ m{^/(\w+)};
        return ($does{ $name eq 'app' && $what !~ s/^app_// ? 'ok' : $what }
                // $does{ok})->($n);
    });
}
Test::Flowdash::DNS::start($t, dns => { 'silent.test' => { silent => 1 } });

my $hook = 'http://127.0.0.1:%%PORT_hook%%';
my $app = 'proxy_pass http://127.0.0.1:%%PORT_app%%;';

my $locations = join '', map { action(@$_) }
    (map { my $what = $_; ([ "/call/$what", "flowdash_call $hook/$what;" ],
                           [ "/pass/$what", "proxy_pass $hook/$what;" ]) }
     sort keys %does),
    [ '/call/refused', 'flowdash_call http://127.0.0.1:%%PORT_nobody%%/;' ],
    [ '/pass/refused', 'proxy_pass http://127.0.0.1:%%PORT_nobody%%/;' ],
    [ '/call/name', 'flowdash_call http://nobody.test/;' ],
    [ '/call/silent', 'flowdash_call http://silent.test/;' ],
    [ '/call/tls', 'flowdash_call https://127.0.0.1:%%PORT_http%%/;' ],
    [ '/call/denied', "flowdash_deny all; flowdash_call $hook/ok;" ],
    [ '/call/optional', "flowdash_optional on; flowdash_call $hook/close;" ],
    (map { [ "/app/$_", "flowdash_call $hook/ok;",
             "proxy_pass http://127.0.0.1:%%PORT_app%%/app_$_;" ] }
     qw(close reset part_head stall)),
    [ '/app/refused', "flowdash_call $hook/ok;",
      'proxy_pass http://127.0.0.1:%%PORT_nobody%%;' ];

sub action ($uri, $step, $handler = $app) {
    return <<"END";
        location $uri {
            flowdash_action "Finish";
            flowdash_step "Hook" { $step }
            $handler
        }
END
}

# nginx with other limits than usual

sub config (%limit) {
    my $main = $limit{main} // '';
    my $zone = $limit{zone} // '1m';
    my $events = $limit{events} // '';
    $t->config(<<"END");
%%GLOBALS%%
$main
events { $events }
http {
    %%HTTP_GLOBALS%%
    resolver 127.0.0.1:%%PORT_dns%% ipv6=off;
    resolver_timeout 1s;
    flowdash_zone faults:$zone;
    flowdash_timeout 3s;
    proxy_read_timeout 3s;
    log_format fault "\$flowdash_result|\$flowdash_error|\$status";

    server {
        listen 127.0.0.1:%%PORT_http%%;
        access_log %%DIR%%/faults.log fault;
        location = /status { access_log off; flowdash_status json; }
        location /slow { $limit{slow} }
        $locations
    }
}
END
}

sub slow ($timeout = '60s') {
    return qq(flowdash_action "Finish"; flowdash_timeout $timeout;
              flowdash_step "Hook" { flowdash_call $hook/wait; } $app);
}


section('The endpoint, called by flowdash_call');

config(slow => slow());
$t->run;

row('does not listen', 'call/refused' => '500, 0, 0, failed internal');
row('has an unknown name', 'call/name' => '502, 0, 0, failed resolve');
row('has a name whose DNS server does not answer', 'call/silent'
    => '504, 0, 0, failed timeout');
row('has a denied address', 'call/denied'
    => '502, 0, 0, failed denied');
row('does not speak TLS', 'call/tls' => '502, 0, 0, failed tls');
row('closes the connection without an answer', 'call/close'
    => '502, 1, 0, failed connect');
row('resets the connection', 'call/reset' => '502, 1, 0, failed connect');
row('closes it in the first line of the answer', 'call/part_line'
    => '502, 1, 0, failed connect');
row('closes it in the header', 'call/part_head' => '502, 1, 0, failed connect');
row('closes it in the body', 'call/part_body' => '502, 1, 0, failed connect');
row('closes it in a chunk', 'call/part_chunk' => '502, 1, 0, failed connect');
row('closes a keepalive connection as the call is sent', 'call/kept_close'
    => '200, 2, 1, ok', before => 'call/kept_close');
row('answers 408 on a keepalive connection', 'call/kept_408' => '200, 2, 1, ok',
    before => 'call/kept_408');
row('answers something that is not HTTP', 'call/garbage'
    => '502, 1, 0, failed response_invalid');
row('claims JSON, and answers something else', 'call/no_json'
    => '502, 1, 0, failed response_invalid');
row('sends a header of 100 kB', 'call/header'
    => '502, 1, 0, failed response_too_large');
row('sends a body of 100 kB', 'call/large'
    => '502, 1, 0, failed response_too_large');
row('refuses', 'call/refuse' => '422|502, 1, 0, failed status');
row('never answers', 'call/stall' => '504, 1, 0, failed timeout');
row('stops in the body', 'call/stall_body' => '504, 1, 0, failed timeout');
row('closes the connection; the step is optional', 'call/optional'
    => '200, 1, 1, ok');

section('The endpoint, called by proxy_pass');

row('does not listen', 'pass/refused' => '500, 0, 0, failed internal');
row('closes the connection without an answer', 'pass/close'
    => '502, 1, 0, failed connect');
row('resets the connection', 'pass/reset' => '502, 1, 0, failed connect');
row('closes it in the header', 'pass/part_head'
    => '502, 1, 0, failed response_invalid');
row('closes it in the body', 'pass/part_body' => '502, 1, 0, failed connect');
row('closes it in a chunk', 'pass/part_chunk' => '502, 1, 0, failed connect');
row('sends a header of 100 kB', 'pass/header'
    => '502, 1, 0, failed response_invalid|response_too_large');
row('sends a body of 100 kB', 'pass/large'
    => '502, 1, 0, failed response_too_large');
row('refuses', 'pass/refuse' => '422|502, 1, 0, failed status');
row('never answers', 'pass/stall' => '504, 1, 0, failed timeout');

section('The app, after the steps have passed');

row('does not listen', 'app/refused' => '502, 1, 0, ok');
row('closes the connection without an answer', 'app/close' => '502, 1, 1, ok');
row('resets the connection', 'app/reset' => '502, 1, 1, ok');
row('closes it in the header', 'app/part_head' => '502, 1, 1, ok');
row('never answers', 'app/stall' => '504, 1, 1, ok');

section('The client');

row('leaves before its body is complete', sub {
    my $socket = $t->connect;
    print $socket "POST /call/ok HTTP/1.1\r\nHost: x\r\nContent-Type: "
        . "application/json\r\nContent-Length: 100\r\n\r\n{";
    close $socket;
} => '400|499, 0, 0, none');
row('leaves while a step runs', sub {
    my $running = started();
    my $before = () = $t->requests('app');
    close delete $running->{socket};
    go();
    $t->wait_for(sub { $t->requests('app') > $before });
} => '200|499, 1, 1, ok');

section('nginx');

row('is reloaded while a step runs', sub {
    my $running = started();
    $t->reload;
    go();
    return $t->finish($running);
} => '200, 1, 1, ok');
row('is told to quit while a step runs', sub {
    my $running = started();
    $t->signal('QUIT');
    go();
    my $answer = $t->finish($running);
    $t->stop;
    $t->run;
    return $answer;
} => '200, 1, 1, ok');
row('is upgraded while a step runs', \&upgrade => '200, 1, 1, ok');

$t->stop;
config(slow => slow(), main => 'worker_shutdown_timeout 1s;');
$t->run;
row('quits, and worker_shutdown_timeout ends a step', sub {
    my $running = started();
    $t->signal('QUIT');
    my $answer = $t->finish($running);
    $t->stop;
    $t->run;
    return $answer;
} => '0, 1, 0, none|failed internal');

row('has a worker that is killed while a step runs', sub {
    my $running = started();
    my ($worker) = $t->worker_pids;
    kill KILL => $worker;
    my $answer = $t->finish($running);
    $t->wait_for(sub { grep { $_ != $worker } $t->worker_pids });
    is(running(), 0, 'no action is said to run');
    go();
    return $answer;
} => '0, 1, 0, none');
$t->allow_log(qr/\[alert\].*exited on signal 9/);

$t->stop;
$t->preload('full_disk');
config(slow => slow() . ' client_body_in_file_only clean;');
$t->run;
row('has no room on the disk for a changed body', sub {
    my $running = started();
    $t->write_file('full_disk.so.room', 0);
    go();
    my $answer = $t->finish($running);
    unlink "$dir/full_disk.so.room";
    return $answer;
} => '500, 1, 0, failed internal');
$t->allow_log(qr/No space left on device/);
$t->preload;

# 25 actions with a step fill the smallest zone

$t->stop;
config(slow => slow() =~ s/"Finish"/\$arg_n/r, zone => '32k');
$t->run;
$t->write_file('go', '');
$t->post_json("/slow?n=$_", $task) for 1 .. 40;
row('has a zone that is full', sub {
    return $t->post_json('/slow?n=new', $task);
} => '200, 1, 1, ok', counted => 'uncounted');

$t->stop;
$t->preload('later');
config(slow => slow());
$t->run;
row('has its clock set forward by an hour while a step runs', sub {
    my $running = started();
    $t->write_file('later', 'x' x 3600);
    go();
    return $t->finish($running);
} => '200, 1, 1, ok');
row('has its clock set back by an hour while a step runs', sub {
    my $running = started();
    unlink "$dir/later";
    go();
    return $t->finish($running);
} => '200, 1, 1, ok');

# others take what there is, so that a call gets nothing

$t->stop;
$t->preload;
config(slow => slow(), main => 'worker_rlimit_nofile 64;');
$t->run;
row('has no descriptor for a call', sub {
    my @clients = clients();
    return $t->post_json('/call/ok', $task);
} => '502, 0, 0, failed connect');

$t->stop;
config(slow => slow(), events => 'worker_connections 17;');
$t->run;
my @waiting = fill();
row('has no worker_connections for a call', sub {
    my $answer;

    # until nginx knows that the client before this one has gone

    $t->wait_for(sub {
        $answer = $t->post_json('/call/ok', $task);
        return $answer->{status};
    });
    return $answer;
} => '502, 0, 0, failed connect');
go();
$t->finish($_) for @waiting;
$t->allow_log(qr/worker_connections are not enough/);

$t->stop;
$t->write_file('malloc_fails.so.left', pack 'q', 0);
$t->preload('malloc_fails');
config(slow => slow());
$t->run;
allocations();
$t->allow_log(qr/\[(?:emerg|alert)\].*(?:malloc|memalign|curl_multi_\w+)\(/);
$t->allow_log(qr/Cannot allocate memory/);
$t->preload;

$t->stop;
write_table() if $ENV{FLOWDASH_FAULTS};
$t->done;


sub section ($name) { push @rows, $section = [ $name ] }

# An action of the /slow location, whose endpoint waits for go().

sub started () {
    unlink "$dir/go";
    my $before = () = $t->requests('hook');
    my $exchange = $t->start('POST', '/slow', body => $task, @json);
    $t->wait_for(sub { $t->requests('hook') > $before });
    return $exchange;
}

# Only a daemon can be upgraded: it is not a child of the test.

sub upgrade () {
    my $pid = sub { ($t->read_file('nginx.pid') // '') =~ s/\s//gr };

    $t->stop;
    system($t->{nginx}, '-p', "$dir/", '-c', 'nginx.conf', '-e', 'stderr') == 0
        or die "nginx does not start\n";
    $t->wait_for($pid);

    my $old = $pid->();
    my $running = started();

    kill USR2 => $old;
    $t->wait_for(sub { -e "$dir/nginx.pid.oldbin" && $pid->() });
    my $new = $pid->();
    kill QUIT => $old;
    go();
    my $answer = $t->finish($running);

    $t->wait_for(sub { !kill 0 => $old });
    is($t->get('/status')->{status}, 200, 'the new one serves');
    kill QUIT => $new;
    $t->wait_for(sub { !kill 0 => $new });
    $t->run;
    return $answer;
}

# Clients that take all descriptors but one.

sub clients () {
    my @clients;
    while (@clients < 64 && descriptors() < 63) {
        my $before = descriptors();
        push @clients, $t->connect;
        $t->wait_for(sub { descriptors() > $before });
    }
    return @clients;
}

# Actions that wait for their endpoint, as many as there can be: one connection
# is left, for a client.

sub fill () {
    my @waiting;
    unlink "$dir/go";

    while (@waiting < 16) {
        my $before = () = $t->requests('hook');
        my $exchange = $t->start('POST', '/slow', body => $task, @json);
        my $answer = IO::Select->new($exchange->{socket});
        $t->wait_for(sub {
            $t->requests('hook') > $before || $answer->can_read(0) });
        if ($answer->can_read(0)) {
            $t->finish($exchange);
            last;
        }
        push @waiting, $exchange;
    }
    return @waiting;
}

# the test's own may be inherited, above the limit

sub descriptors () {
    my ($worker) = $t->worker_pids;
    return scalar grep { m{/(\d+)$} && $1 < 64 } glob "/proc/$worker/fd/*";
}

# Each allocation of a worker in turn fails, from the client's connection on.  A
# row has all that end alike.  Which allocations there are after the call, and
# after the app's answer, differs from run to run, so that one row has all that
# may come of them.

sub allocations () {
    my ($worker) = $t->worker_pids;
    my ($n, %seen) = 0;

    while (++$n < 2000) {
        my $left;
        my $seen = observe(sub {
            left($n);
            my $answer = $t->post_json('/call/ok', $task);
            $left = left(0);
            return $answer;
        }, 1);
        last if $left;

        my ($status, $calls, $app) = @{$seen}{qw(status calls app)};
        push @{ $seen->{wrong} }, 'called twice' if $calls > 1 || $app > 1;
        push @{ $seen->{wrong} }, 'lost' if $status == 200 && $calls + $app < 2;
        is(join(', ', @{ $seen->{wrong} }), '', "allocation $n")
            or diag(join ', ', map { "$_ $seen->{$_}" } sort keys %$seen);
        $seen = $app ? after_app($seen) : after_call($seen) if $calls;
        $seen{ join ' | ', columns($seen) } ||= $seen;
    }

    cmp_ok($n, '>', 30, "allocations fail: $n");
    is(join(' ', $t->worker_pids), $worker, 'the worker lives on');
    push @$section, [ 'has no memory for an allocation', columns($seen{$_}) ]
        for sort keys %seen;
}

# libcurl tells a lack of memory from a header that is too large only at times

sub after_call ($seen) {
    my $both = 'internal or response_too_large';
    my ($reason) = $seen->{result} =~ /^failed (internal|response_too_large)$/;
    is($seen->{status}, { internal => 500, response_too_large => 502 }->{
                           $reason // '' }, "after the call: $seen->{result}");
    return { %$seen, status => '500 or 502', result => "failed $both",
             log => $both };
}

sub after_app ($seen) {
    is($seen->{status} . $seen->{log} =~ s/-//r,
       $seen->{log} eq '-' ? '200' : '500emerg', 'after the app');
    return { %$seen, status => '200 or 500', log => '- or emerg' };
}

# sets how many allocations are left before one fails, tells how many were

sub left ($n) {
    open my $file, '+<:raw', "$dir/malloc_fails.so.left" or die $!;
    sysread $file, my $before, 8;
    sysseek $file, 0, 0;
    syswrite $file, pack 'q', $n;
    return unpack 'q', $before;
}

sub go () { $t->write_file('go', '') }

sub running () { return sum0(map { $_->{running} } @{ status()->{actions} }) }

sub status () {
    return $t->wait_for(sub {
        my $body = $t->get('/status')->{body};
        return $body && decode_json($body);
    });
}

# What happened: the client's status, the calls, the app's requests, and how the
# access log says it ended.  "|" separates what may be.

sub row ($what, $do, $expected, %option) {
    $t->post_json("/$option{before}", $task) if $option{before};

    my $seen = observe(ref $do ? $do : sub { $t->post_json("/$do", $task) },
                       scalar($expected =~ /none$/));
    my $name = ref $do ? "nginx or client: $what" : "$do: $what";
    my @parts = split /, /, $expected;

    like(join(', ', @{$seen}{qw(status calls app result)}),
         qr/^@{[ join ', ', map { "(?:$_)" } @parts ]}$/, $name);
    is(join(', ', @{ $seen->{wrong} }), '', "$name: all say the same");
    is($seen->{counted}, $option{counted}, "$name: counted")
        if $option{counted};
    push @$section, [ $what, columns($seen) ];
}

sub columns ($seen) {
    return (@{$seen}{qw(status calls app result log counted)},
            @{ $seen->{wrong} } ? 'wrong' : 'right');
}

# $quiet: there may be no line in the access log

sub observe ($do, $quiet) {
    my $master = $t->master_pid;
    my %before = numbers();
    my %read = map { $_ => length($t->read_file($_) // '') }
        qw(faults.log error.log);

    my $answer = $do->();
    $t->wait_for(sub { new_part('faults.log', \%read) ne '' })
        if !$quiet || !ref $answer;
    $t->wait_for(sub { running() <= $before{running} });

    my %now = numbers();
    my ($line) = reverse split /\n/, new_part('faults.log', \%read);
    my ($result, $error, $logged) = map { $_ eq '-' ? '' : $_ }
        split /\|/, $line // '-|-|';
    my $log = new_part('error.log', \%read);
    my @failed = $log =~ /flowdash: action "[^"]*" failed\b.*?: (\w+)/g;
    my $level = qr/warn|error|crit|alert|emerg/;
    my %levels = map { $_ => 1 }
        $log =~ /^(?!.*flowdash: action ).* \[($level)\]/gm;
    my @counted = grep { $now{$_} > $before{$_} }
        qw(succeeded failed aborted uncounted);
    @counted = 'started' if !@counted && $now{started} > $before{started};

    my %seen = (
        status => ref $answer ? $answer->{status} : $logged,
        calls => $now{hook} - $before{hook}, app => $now{app} - $before{app},
        result => "$result $error" =~ s/^ $/none/r =~ s/ $//r,
        log => join(', ', @failed, sort keys %levels) || '-',
        counted => $t->master_pid != $master ? 'gone'
            : join(' ', @counted) || '-',
    );

    # the logs and the counters must say the same

    my $counts = { ok => 'succeeded', failed => 'failed',
                   aborted => 'aborted' }->{$result} // '-|started';
    my @wrong;
    push @wrong, "logged as @failed" if "@failed" ne $error;
    push @wrong, "counted as $seen{counted}"
        if $seen{counted} !~ /^(?:$counts|gone|uncounted)$/;

    return { %seen, wrong => \@wrong };
}

sub new_part ($name, $read) {
    return substr $t->read_file($name) // '', $read->{$name};
}

# what endpoint and app have got, and what is counted

sub numbers () {
    my $status = status();
    my %n = map { $_ => scalar(my @all = $t->requests($_)) } qw(hook app);
    for my $name (qw(started succeeded aborted running)) {
        $n{$name} = sum0(map { $_->{$name} } @{ $status->{actions} });
    }
    $n{failed} = sum0(map { values %{ $_->{failed} } } @{ $status->{actions} });
    return (%n, uncounted => $status->{uncounted});
}

sub write_table () {
    open my $file, '>', $ENV{FLOWDASH_FAULTS} or die $!;
    my $text = <<'END';
# What happens when something fails

`make faults` provokes each fault, and writes this page from what happened.

* *client* is the status that the client got, 0 if its connection was closed.
* *calls* and *app* are how many requests the endpoint and the app got.
* *result* is `$flowdash_result` with `$flowdash_error`, or none.
* *log* is the reason that the error log gives for the failed action, and the
  levels of other lines.
* *counted* is what the counters say, `gone` if they restarted with nginx.
* *verdict* is *right* if this is what must happen, and if the result, the log
  and the counters agree.

[Operating](operating.md#reasons) explains the errors.
END
    for (@rows) {
        my ($name, @all) = @$_;
        $text .= "\n## $name\n\n| what it does | client | calls | app | result "
            . "| log | counted | verdict |\n"
            . "|---|---|---|---|---|---|---|---|\n"
            . join '', map { '| ' . join(' | ', @$_) . " |\n" } @all;
    }
    print $file $text;
    close $file or die $!;
}
