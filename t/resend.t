#!/usr/bin/perl

# A kept connection that closes as a call is sent on it: the call is sent once
# more, on a new connection, if no octet of an answer has come; never a third
# time.  It is counted and logged, and flowdash_resend forbids it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use Test::Flowdash;
use Test::Flowdash::Server;
use Test::Flowdash::TLS;
use Test::Flowdash::TLSServer;

my $t = Test::Flowdash->new;
my $dir = $t->dir;

my $answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

# What comes on a kept connection.  On a new one, a call is answered.

my %kept = (
    none     => [ ],
    reset    => [ then => 'reset' ],
    octet    => [ send => 'H' ],
    lost     => [ send => 'H', then => 'reset' ],
    part     => [ send => 'HTTP/1.1 20' ],
    line     => [ send => "HTTP/1.1 200 OK\r\n" ],
    continue => [ send => "HTTP/1.1 100 Continue\r\n\r\n" ],
    408      => [ send => "HTTP/1.1 408 Request Timeout\r\n"
                          . "Content-Length: 0\r\nConnection: close\r\n\r\n" ],
);

my %seen;
my $raw = sub {
    my ($request, $n) = @_;
    my ($what) = $request->{target} =~ m{([^/]+)$};
    my $first = !$seen{$n}++;

    return if $what eq 'dead';
    return @{ $kept{408} } if $what eq 'late';
    return (until => sub { -e "$dir/go" }, send => $first ? $answer : 'H',
            then => $first ? 'next' : 'close') if $what eq 'many';
    return (until => sub { keys %seen >= 3 }, send => $answer, then => 'next')
        if $what eq 'three' && $first;
    return if $what eq 'three';
    return (send => $answer, then => 'next') if $first || !$kept{$what};
    return (until => sub { -e "$dir/go" }, @{ $kept{$what} });
};

$t->raw_endpoint($_ => $raw) for qw(hook three);

my $unix = IO::Socket::UNIX->new(Local => "$dir/hook.sock", Listen => 128)
    or die "$dir/hook.sock: $!\n";
$t->server(unix => sub {
    my (undef, $record) = @_;
    Test::Flowdash::Server::serve_raw($unix, $raw, $record);
});

# TLS says that it ends, or does not: no octet of an answer

certificate($t, 'tls', names => 'IP:127.0.0.1');

my @certificate = (cert => "$dir/tls.pem", key => "$dir/tls.key");

$t->server(tls => sub {
    my ($listen, $record) = @_;
    serve_tls($listen, $record, sub {
        my ($request, $first, $tls) = @_;
        my ($what) = $request->{target} =~ m{([^/]+)$};
        return ($tls->seal($answer), 1) if $first || !$kept{$what};

        select undef, undef, undef, 0.01 until -e "$dir/go";
        return '' if $what eq 'reset';
        return $tls->seal($kept{$what}[1] // '') . $tls->alert;
    }, @certificate);
});

# one that answers once, and is gone when the next call comes

$t->server(gone => sub {
    my ($listen, $record) = @_;
    serve_tls($listen, $record, sub {
        my (undef, undef, $tls) = @_;
        my $listener = getppid;
        kill 'KILL', $listener;
        select undef, undef, undef, 0.01 while getppid == $listener;
        return ($tls->seal($answer), 0);
    }, @certificate);
});

# one that reads the beginning of a call on a kept connection, and closes it

$t->server(early => sub {
    my ($listen, $record) = @_;
    my $n = 0;

    while (my $socket = $listen->accept) {
        my $parser = Test::Flowdash::HTTP->new(request => 1);
        my $request;

        $n++;

        until ($request = $parser->next_message) {
            sysread $socket, my $bytes, 65536 or last;
            $parser->add($bytes);
        }

        $request->{conn} = $n;
        $record->($request);
        syswrite $socket, $answer;
        sysread $socket, my $bytes, 100 if $n == 1;
        sysread $socket, $bytes, 1 if $n > 1;       # until it is closed
        close $socket;
    }
});

# the same over TLS, with an alert that libcurl may never read

$t->server(early_tls => sub {
    my ($listen, $record) = @_;
    serve_tls($listen, $record, sub {
        my ($request, $first, $tls) = @_;
        my $socket = $tls->{socket};
        return $tls->seal($answer) if $request->{conn} > 1;

        syswrite $socket, $tls->seal($answer);
        sysread $socket, my $bytes, 100;
        return $tls->alert;
    }, @certificate);
});

$t->endpoint(app => { body => 'stored' });

my %url = (hook => 'http://127.0.0.1:%%PORT_hook%%',
           three => 'http://127.0.0.1:%%PORT_three%%',
           unix => 'http://unix:%%DIR%%/hook.sock:',
           tls => 'https://127.0.0.1:%%PORT_tls%%');

my $locations = '';

sub action {
    my ($name, $url, $directives) = @_;
    $locations .= <<"END";
        location = /$name {
            flowdash_action "Do $name";
            flowdash_step "Hook" { flowdash_call $url; $directives }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
END
}

for my $to (qw(hook tls)) {
    action("$to/$_", "$url{$to}/$to/$_", '') for 'ok', keys %kept;
    action("$to/off/$_", "$url{$to}/$to/off/$_", 'flowdash_resend off;')
        for qw(none 408);
}

action('three', "$url{three}/three", '');
action('early', 'http://127.0.0.1:%%PORT_early%%/early', '');
action('early_tls', 'https://127.0.0.1:%%PORT_early_tls%%/early_tls', '');
action('gone', 'https://127.0.0.1:%%PORT_gone%%/gone', '');
action("unix/$_", "$url{unix}/unix/$_", '') for qw(ok none);
action('many', "$url{hook}/many", '');
action('kept/many', "$url{hook}/kept/many", 'flowdash_connect_timeout 1s;');
action('dead', "$url{hook}/dead", '');
action('late', "$url{hook}/late", '');
action('retry', "$url{hook}/retry/part", 'flowdash_retry 1 error;');
action('retried', "$url{hook}/retried/dead", 'flowdash_retry 1 error;');

$t->config(<<"END");
    %%GLOBALS%%
    events { }
    http {
        %%HTTP_GLOBALS%%
        flowdash_zone z:1m;
        client_max_body_size 10m;
        flowdash_ssl_trusted_certificate tls.pem;
        flowdash_connect_timeout 100s;
        flowdash_timeout 200s;
        flowdash_deadline 300s;

        log_format flow '\$uri|\$flowdash_error|\$flowdash_step_status|';
        access_log %%DIR%%/flow.log flow;

        server {
            listen 127.0.0.1:%%PORT_http%%;
            $locations
            location = /metrics { flowdash_status prometheus; }
        }
    }
END
$t->run;

my @json = (headers => [ 'Content-Type', 'application/json' ]);

sub start {
    return $t->start('POST', "/$_[0]", body => '{"task":{"a":1}}', @json);
}

sub act { return $t->finish(start(@_))->{status} }

# the worker waits for an answer when the endpoint goes on

sub act_waiting {
    my ($name, $to) = @_;
    my $n = $t->requests($to);
    my $action = start($name);

    $t->wait_for(sub { $t->requests($to) > $n });
    $t->get('/metrics');
    $t->write_file('go', '');

    my $res = $t->finish($action);
    unlink "$dir/go";
    return $res->{status};
}

# the last line of the access log, once there are $n

sub flow {
    my ($name, $n) = @_;
    my @lines;
    $t->wait_for(sub {
        @lines = ($t->read_file('flow.log') // '') =~ m{^/\Q$name\E(\|.*)}mg;
        return @lines == $n;
    });
    return $lines[-1];
}

# how many connections to an endpoint it has closed, and the worker not

sub closed {
    my $port = sprintf '%04X', $t->port($_[0]);
    open my $file, '<', '/proc/net/tcp' or die "/proc/net/tcp: $!\n";
    return scalar grep { /^\s*\d+: \S+ \S+:$port 08 / } <$file>;
}

# one kept connection

my %sent_again = (none => '502, 200', reset => '502, 200', 408 => '408, 200');

for my $to (qw(hook tls)) {
    for my $what (sort keys %kept, 'off/none', 'off/408') {
        next if $to eq 'tls' && $what eq 'lost';

        my $name = "$to/$what";
        is(act("$to/ok"), 200, "$name: a connection is kept");

        my $passes = $sent_again{$what};
        is(act_waiting($name, $to), $passes ? 200 : 502, "$name: the call");

        my ($ok, @calls) = $t->new_requests($to);

        is(join(' ', map { $_->{conn} - $ok->{conn} } @calls),
           $passes ? '0 1' : '0', "$name: connections");
        is(header($calls[-1], 'Idempotency-Key'),
           header($calls[0], 'Idempotency-Key'), "$name: the id stays");
        is(flow($name, 1),
           $passes ? "|-|$passes|" :
           $what =~ /408/ ? '|status|408|' : '|connect|502|',
           "$name: variables");
        is(scalar(() = $t->error_log =~ m{attempt 1 failed: [^\n]*, (?#
               )retrying at once, called "[^"]*/\Q$name\E"}g),
           $passes ? 1 : 0, "$name: log");
    }
}

# a UNIX-domain socket is not kept, so nothing is sent again

for my $what (qw(ok none ok)) {
    is(act("unix/$what"), 200, "unix/$what");
}

is(join(' ', map { $_->{conn} } $t->new_requests('unix')), '1 2 3',
   'unix: each call has its own connection');

# Several kept connections, all dead: the call goes to one of them, and then to
# a new one.

my @three = map { start('three') } 1 .. 3;
is($t->finish($_)->{status}, 200, 'three at the same time') for @three;

my @first = $t->new_requests('three');
is(join(' ', sort map { $_->{conn} } @first), '1 2 3', 'three connections');

is(act('three'), 200, 'all of them are dead');

my @again = $t->new_requests('three');
is(scalar @again, 2, 'dead: two attempts');
is($again[1]{conn}, 4, 'dead: the second on a new connection');

# an endpoint that never answers, and one that always says 408

is(act('dead'), 502, 'a new connection is closed');
is(act('hook/ok'), 200, 'a connection is kept');
is(act('dead'), 502, 'a kept one, then a new one is closed');
is(flow('dead', 2), '|connect|502, 502|', 'two attempts');
is(act('hook/ok'), 200, 'a connection is kept');
is(act('late'), 502, '408, and again');
is(flow('late', 1), '|status|408, 408|', 'two attempts, too');

# a kept connection that is closed while a long call is sent

my $long = '{"task":{"a":"' . 'x' x 8_000_000 . '"}}';

for (qw(early early_tls)) {
    is(act($_), 200, "$_: a connection is kept");
    is($t->post_json("/$_", $long)->{status}, 200, "$_: closed in the middle");
    is(flow($_, 2), '|-|502, 200|', "$_: it is sent once more");
    is(scalar $t->new_requests($_), 2, "$_: and comes once");
}

# The log tells why the new connection has failed, not what was wrong with the
# old one, even if libcurl itself has opened the new one.

is(act('gone'), 200, 'gone: a connection is kept');
is(act('gone'), 502, 'gone: nothing listens any more');
is(flow('gone', 2) =~ /^\|connect\|/, 1, 'gone: variables');
like($t->error_log, qr{"Do gone" failed on step "Hook": connect, (?#
     )(?:attempts 2, )?(?:Failed to|Couldn't) connect}, 'gone: log');

# flowdash_retry has its own count

is(act('hook/ok'), 200, 'a connection is kept');
is(act('retried'), 502, 'it is closed, and new ones are closed');
is(flow('retried', 1), '|connect|502, 502, 502|',
   'once more at once, and once by flowdash_retry');
is(act('hook/ok'), 200, 'a connection is kept');
is(act_waiting('retry', 'hook'), 200, 'it is closed within an answer');
is(flow('retry', 1), '|-|502, 200|', 'once by flowdash_retry');
is(scalar(() = $t->error_log =~ m{retrying in [^\n]*/retry/part", }g), 1,
   'which the log says');

my ($retries) = $t->get('/metrics')->{body}
    =~ /^flowdash_step_retries_total\{action="Do three",.*\} (\d+)$/m;
is($retries, 1, 'it is counted as a retry');

# Nginx tells of the first answer when a timer of libcurl's is over for each
# call: libcurl reads all answers at once, of which nginx has not told it.

$t->new_requests('hook');
$t->stop;
$t->preload('late_events');
$t->run;

my @status;

for my $name (qw(many kept/many)) {
    my $before = $t->requests('hook');
    my @many = map { start($name) } 1 .. 6;
    $t->wait_for(sub { $t->requests('hook') == $before + 6 });
    my ($worker) = $t->worker_pids;
    kill STOP => $worker;
    $t->write_file('go', '');
    $t->wait_for(sub { closed('hook') == 6 }) if $name ne 'many';
    kill CONT => $worker;
    push @status, map { $t->finish($_)->{status} } @many;
    unlink "$dir/go";

    my %conn = map { $_->{conn} => 1 } $t->new_requests('hook');
    is(scalar keys %conn, 6, "$name: connections");
}

is("@status", '200 ' x 6 . '502 ' x 5 . '502', 'many: an octet, none again');

$t->new_requests($_) for qw(hook app);
$t->done;
