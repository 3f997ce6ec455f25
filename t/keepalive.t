# Connections that are kept for the next calls: how many, for how long, and what
# becomes of those which the server closes or speaks on unasked; with epoll,
# poll and select, over TCP and TLS.  UNIX-domain sockets are not kept.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use IO::Select;
use IO::Socket::UNIX;
use Time::HiRes qw(sleep);
use Test::Flowdash::Libcurl;
use Test::Flowdash::Server;

my $t = Test::Flowdash->new;
my $dir = $t->dir;

system("openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=test"
       . " -addext subjectAltName=IP:127.0.0.1 -keyout $dir/key.pem"
       . " -out $dir/cert.pem 2>$dir/openssl.log") == 0
    or BAIL_OUT('openssl does not make a certificate');

# over HTTP/2, the endpoint may send frames to an idle connection

my $http2 = libcurl_does_http2();
my @tls = $http2 ? qw(tls tls2) : qw(tls);

$t->endpoint(app => { body => 'stored' });

# /slow waits until the test lets it go, by a file with the request's number.

my $slow = 0;

$t->endpoint(hook => sub {
    return {} if $_[0]{target} !~ /slow/;
    my $number = ++$slow;
    return { until => sub { -e "$dir/go.$number" } };
});

# What happens to a connection once its answer is out, by the call's path.
# Those that go wrong answer when all have been asked, so that none of them is
# taken for another call before it has gone wrong; and go wrong when the worker
# has the answer, so that it never reads both at once.

my $answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
my $unasked = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";

my %wrong = (close => [], reset => [ then => 'reset' ],
             unasked => [ send => $unasked, then => 'stall' ],
             both => [ send => $unasked ]);

my %seen;                       # connections

my $raw = sub {
    my ($request) = @_;
    my ($what) = $request->{target} =~ m{(\w+)$};

    # only the first call on a connection is answered

    my $seen = $seen{ $request->{conn} }++;
    return if $what =~ /^(?:again|once)$/ && $seen;
    $what = 'unasked' if $what eq 'again';

    return send => $answer =~ s/\r\n/\r\nConnection: close\r\n/r
        if $what eq 'last';
    return (send => $answer, then => 'next') if !$wrong{$what};
    return (until => sub { -e "$dir/all-asked" }, send => $answer,
            until => sub { -e "$dir/answered" }, @{ $wrong{$what} });
};

$t->raw_endpoint(raw => $raw);

my $unix = IO::Socket::UNIX->new(Local => "$dir/hook.sock", Listen => 128)
    or die "$dir/hook.sock: $!\n";
$t->server(unix => sub {
    my (undef, $record) = @_;
    Test::Flowdash::Server::serve_raw($unix, $raw, $record);
});

my $log = 0;                    # where the error log of this nginx begins

sub conf {
    my ($events, $http, $tls) = @_;
    my %url = (hook => 'http://127.0.0.1:%%PORT_hook%%/hook',
               (map { $_ => 'http://127.0.0.1:%%PORT_hook%%/slow' }
                   qw(slow twice)),
               unix => 'http://unix:%%DIR%%/hook.sock:/stay',
               tls => 'https://127.0.0.1:%%PORT_tls%%/',
               ($http2 ? (tls2 => 'https://127.0.0.1:%%PORT_tls2%%/') : ()),
               map { $_ => "http://127.0.0.1:%%PORT_raw%%/$_" }
                   qw(close reset unasked both stay last again once));
    my %more = (last => 'flowdash_step "Stop" { return 418; }',
                twice => "flowdash_step Again { flowdash_call $url{hook}; }");
    my $actions = join '', map { <<"EOC" } sort keys %url;
        location = /$_ {
            flowdash_action "Do $_";
            ${\ ($_ eq 'tls2' ? 'flowdash_http_version 2;' : '') }
            flowdash_step "Hook" { flowdash_call $url{$_}; }
            ${\ ($more{$_} // '') }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
EOC

    $t->config(<<"EOC");
%%GLOBALS%%
events { $events }
http {
    %%HTTP_GLOBALS%%
    flowdash_ssl_trusted_certificate cert.pem;
    flowdash_connect_timeout 100s;
    flowdash_timeout 200s;
    flowdash_deadline 300s;
    client_header_timeout 900s;
    $http

    server {
        listen 127.0.0.1:%%PORT_http%%;
        $actions
    }

    server {
        listen 127.0.0.1:%%PORT_tls%% ssl;
        listen 127.0.0.1:%%PORT_tls2%% ssl http2;
        ssl_certificate cert.pem;
        ssl_certificate_key key.pem;
        keepalive_timeout ${\ ($tls // 60) };
        location / { return 204; }
    }
}
EOC
    $log = length $t->error_log;
    $t->run;
}

sub act  { return $t->post_json($_[0], '{"task":{}}')->{status} }

sub begin {
    return $t->start('POST', $_[0], body => '{"task":{}}',
                     headers => [ 'Content-Type', 'application/json' ]);
}

# So many calls at the same time: when all of them have come, they are answered
# one after the other.  Or the location is given: then they are answered all at
# once while the worker is stopped, if need be for so long that libcurl's timers
# are over and several calls end in one turn of its own.

my $answered = 0;

sub together {
    my ($n, $at_once, $stopped) = @_;
    my ($worker) = $t->worker_pids;
    my $before = () = $t->requests('hook');

    my @running = map { begin($at_once // '/slow') } 1 .. $n;
    my $answers = IO::Select->new(map { $_->{socket} } @running);
    $t->wait_for(sub { $t->requests('hook') == $before + $n });
    kill STOP => $worker if $at_once;

    for my $i (1 .. $n) {
        $t->write_file('go.' . ++$answered, '');
        $t->wait_for(sub { $i == (() = $answers->can_read(0)) })
            if !$at_once;
    }

    if ($at_once) {
        ok($t->wait_for(sub {
            sockets('hook', qr/01/, qr/:0*[1-9A-F]/) == $n
        }), 'all answers have come before the worker goes on');
        sleep $stopped;
        kill CONT => $worker;
    }

    is(scalar(grep { $t->finish($_)->{status} == 200 } @running), $n,
       "$n calls at the same time");
}

# how many connections an endpoint has seen

sub opened {
    my %conn = map { $_->{conn} => 1 } $t->requests($_[0]);
    return scalar keys %conn;
}

# The worker's sockets that lead to a port, in any state or in some, whatever
# waits in their queues (octets to be sent, and to be read), or those that the
# worker has not shut down: ESTABLISHED, CLOSE_WAIT.

sub sockets {
    my ($name, $states, $queues) = @_;
    $states //= qr/../;
    $queues //= qr/:/;
    my $port = sprintf '%04X', $t->port($name);
    my ($worker) = $t->worker_pids;
    my %inode = map { (readlink($_) // '') =~ /^socket:\[(\d+)\]/
                      ? ($1 => 1) : () } glob "/proc/$worker/fd/*";

    open my $file, '<', "/proc/$worker/net/tcp" or die "/proc/net/tcp: $!\n";
    return scalar grep { my @f = split; ($f[2] // '') =~ /:$port$/
                         && $f[3] =~ $states && $f[4] =~ $queues
                         && $inode{ $f[9] } } <$file>;
}

sub usable { return sockets($_[0], qr/0[18]/) }

# the worker's sockets that were shut down, but have their descriptor still

sub shut_down {
    my ($worker) = $t->worker_pids;
    my %open;
    for my $family (qw(tcp unix)) {
        open my $file, '<', "/proc/$worker/net/$family" or die "$family: $!\n";
        $open{ $family eq 'tcp' ? $_->[9] : $_->[6] } = 1
            for grep { $family eq 'unix' || $_->[3] =~ /^(?:01|08|0A)$/ }
                map { [ split ] } <$file>;
    }
    return scalar grep { /^socket:\[(\d+)\]/ && !$open{$1} }
        map { readlink($_) // '' } glob "/proc/$worker/fd/*";
}

# the worker's UNIX-domain sockets, those of nginx's own included

sub unix_sockets {
    my ($worker) = $t->worker_pids;
    open my $file, '<', "/proc/$worker/net/unix" or die "/proc/net/unix: $!\n";
    my %unix = map { (split)[6] => 1 } <$file>;
    return scalar grep { /^socket:\[(\d+)\]/ && $unix{$1} }
        map { readlink($_) // '' } glob "/proc/$worker/fd/*";
}

# lines of the error log since nginx was started

sub said {
    my @lines = substr($t->error_log, $log) =~ /^.*$_[0].*$/mg;
    return @lines;
}

# How often the worker has woken up, and its ticks of CPU time.

sub activity {
    my ($worker) = $t->worker_pids;
    open my $file, '<', "/proc/$worker/status" or die $!;
    my ($switches) = map { /^voluntary_ctxt_switches:\s+(\d+)/ } <$file>;
    open $file, '<', "/proc/$worker/stat" or die $!;
    my @stat = split ' ', <$file> =~ s/^.*\) //r;
    return ($switches, $stat[11] + $stat[12]);
}

sub rests {
    my ($name) = @_;
    my @before = activity();
    sleep 1;
    my @after = activity();

    cmp_ok($after[0] - $before[0], '<', 8, "$name: the worker sleeps");
    cmp_ok($after[1] - $before[1], '<', 20, "$name: without CPU time");
}


# how many are kept

conf('', 'flowdash_keepalive 4; flowdash_keepalive_timeout 900s;');

is(act('/hook'), 200, 'a call') for 1 .. 5;
is(opened('hook'), 1, 'calls after each other share a connection');
is(sockets('hook'), 1, 'which is kept');

together(20);
is(opened('hook'), 20, 'calls at the same time have one each');
ok($t->wait_for(sub { sockets('hook') <= 4 }),
   'not more are kept than flowdash_keepalive');
cmp_ok(sockets('hook'), '>=', 1, 'but some');

together(20, '/slow', 1);
ok($t->wait_for(sub { sockets('hook') <= 4 }),
   'nor if the answers come all at once');
cmp_ok(sockets('hook'), '>=', 1, 'some again');

$t->clear_requests('hook');
together(20, '/twice', 1);
is(scalar $t->requests('hook'), 40, 'and with two calls for each action');
is(opened('hook'), 20, 'the second uses what the first has opened');
ok($t->wait_for(sub { sockets('hook') <= 4 }), 'none are left over');

# what the server does

my @how = qw(close reset unasked both);

my @asked = map { begin("/$_") } @how;
$t->wait_for(sub { $t->requests('raw') == 4 });
$t->write_file('all-asked', '');
$t->finish($_) for @asked;
$t->write_file('answered', '');
is(opened('raw'), 4, 'four connections whose servers have more to say');
$t->wait_for(sub { sockets('raw') == 0 });
is(sockets('raw'), 0, 'all are closed before their time');
is(act('/stay'), 200, 'the next call');
is(scalar $t->requests('raw'), 5, 'nothing is called twice');

# the next call comes while libcurl still has it

for my $what (qw(close unasked)) {
    unlink "$dir/answered";
    is(act("/$what"), 200, "$what: the call");
    $t->write_file('answered', '');
    ok($t->wait_for(sub { !usable('raw') }), "$what: it is shut down");
    is(act('/stay'), 200, "$what: the next call at once");
}

is(join(' ', said(qr/flowdash: action/)), '', 'no call has failed');

# libcurl sends a call again, each time; the first connection is that of /stay

$t->clear_requests('raw');
is(scalar(grep { act('/once') != 200 } 1 .. 40), 0,
   'a connection for each of 40 calls, and nobody counts');
is(scalar $t->requests('raw'), 80, 'each was tried on the one before');

my $unix_sockets = unix_sockets();

is(act('/unix'), 200, 'unix: a call') for 1 .. 3;
is(opened('unix'), 3, 'unix: each has its own connection');
ok($t->wait_for(sub { unix_sockets() == $unix_sockets }),
   'unix: none is kept');

# an exchange that is over before libcurl has had to wait for anything

$t->stop;
$t->preload('no_wait');
$t->run;
$unix_sockets = unix_sockets();

for my $what (qw(close unasked)) {
    unlink "$dir/answered";
    is(act($_), 200, "no waiting: $_") for "/$what", '/unix';
    ok($t->wait_for(sub { unix_sockets() == $unix_sockets }),
       'no waiting, unix: none is kept');
    $t->write_file('answered', '');
    ok($t->wait_for(sub { !usable('raw') }),
       "no waiting, $what: it is closed");
    is(act('/stay'), 200, "no waiting, $what: /stay");
}

unlink "$dir/answered";
is(act($_), 200, "no waiting: $_") for qw(/stay /again);
$t->write_file('answered', '');
ok($t->wait_for(sub { !usable('raw') }),
   'no waiting, the second try of a call: it is closed');
is(act('/stay'), 200, 'no waiting: the next call');

is(join(' ', said(qr/flowdash: action/)), '', 'no call has failed');

# events of which nginx knew before libcurl read the answers

$t->stop;
$t->preload('late_events');
conf('', 'flowdash_keepalive_timeout 900s;');

together(10, '/slow', 0);
is(sockets('hook'), 10, 'late events: all connections are kept');
is(usable('hook'), 10, 'and none is shut down');

$t->stop;
$t->preload;
conf('', 'flowdash_keepalive 4; flowdash_keepalive_timeout 900s;');

is(act('/stay'), 200, 'one more') for 1 .. 2;
ok($t->reload, 'reload with idle connections');
is(act("/$_"), 200, "$_: a call") for qw(hook unix), @tls;
is($t->stop, 0, 'quit with idle connections');


# none

conf('', 'flowdash_keepalive 0;');
$t->clear_requests('hook');

is(act('/hook'), 200, 'flowdash_keepalive 0: a call') for 1 .. 3;
is(opened('hook'), 3, 'each has its own connection');
ok($t->wait_for(sub { !sockets('hook') }), 'none is kept');
together(8);
ok($t->wait_for(sub { !sockets('hook') }), 'nor after many at a time');
$t->stop;


# the other event methods, and servers that close TLS connections

for my $method (qw(epoll poll select)) {
    my ($built) = $t->test_config("%%GLOBALS%% events { use $method; }");

  SKIP: {
    skip "nginx is built without $method" if !$built;
    conf("use $method;", 'flowdash_keepalive_timeout 900s;', '900s');
    $t->clear_requests($_) for qw(hook raw unix);

    together(10);
    is(act('/hook'), 200, "$method: a call");
    is(opened('hook'), 10, "$method: connections are kept");
    is(sockets('hook'), 10, "$method: all of them");
    is(act('/close'), 200, "$method: the server closes");
    is(act('/unix'), 200, "$method: unix") for 1, 2;
    is(opened('unix'), 2, "$method: unix, not kept");

    for my $tls (@tls) {
        is(act("/$tls"), 200, "$method: $tls") for 1, 2;
        is(sockets($tls), 1, "$method: $tls, kept");
    }

    rests("$method, at rest");
    $t->stop;

    conf("use $method;", 'flowdash_keepalive_timeout 1s;', '1s');
    together(3);
    is(act("/$_"), 200, "$method: $_") for qw(close unix), @tls;
    $t->wait_for(sub { !grep { sockets($_) } qw(hook raw), @tls });
    is(sockets($_), 0, "$method: $_, closed in the end")
        for qw(hook raw), @tls;
    rests("$method, all closed") if $method eq 'epoll';
    is(act("/$_"), 200, "$method: $_ again") for qw(hook unix), @tls;
    $t->stop;
  }
}


# A connection that is never idle for long still gets old, and the kernel knows
# for how long a peer may say nothing.

$t->preload('user_timeout');
conf('', 'flowdash_keepalive_timeout 900s; flowdash_keepalive_time 1s;');

is(act('/stay'), 200, 'age: the first call');
my $opened = opened('raw');
$t->wait_for(sub { act('/stay') == 200 && opened('raw') > $opened });
is(opened('raw'), $opened + 1, 'age: in the end, another connection is opened');

is(act('/unix'), 200, 'a UNIX socket');
is($t->read_file('user_timeout.so.log'), "200000\n" x 2,
   "the kernel's limit is flowdash_timeout");

$t->stop;
$t->preload;


# nginx takes an idle socket's place for a client just after libcurl has looked
# for sockets to close, and while it is to look again sooner than it can: the
# descriptor is closed nevertheless.  On a slow machine libcurl could, and there
# is nothing to see.

conf('worker_connections 32;',
     'flowdash_keepalive 8; flowdash_keepalive_timeout 900s;');

together(4);
my $kept = usable('hook');
my @idle = map { $t->connect } 1 .. 14;

unlink "$dir/answered";
is(act('/close'), 200, 'a connection that will be closed');
sleep 1.2;                              # libcurl looks once a second
$t->write_file('answered', '');
ok($t->wait_for(sub { !usable('raw') }), 'libcurl is to look again');
sleep 0.3;
is(act('/hook'), 200, 'it looks now, as a call begins');

push @idle, map { $t->connect } 1 .. 12;
ok($t->wait_for(sub { usable('hook') < $kept }),
   'clients take the places of idle sockets');
ok($t->wait_for(sub { !shut_down() }), 'which are closed before their time');
close $_ for @idle;
$t->stop;


# Too few worker_connections: idle sockets give their places away, and when
# there are no more, the call fails and nothing else.  Clients that have not
# sent all of a request take what there is, one by one.

conf('worker_connections 16;', 'flowdash_keepalive 8;');

together(4);

# a client that has not gone yet may have taken the place of one already

ok(sockets('hook'), 'idle sockets');

my @clients;
my $seen = qr/http request line: "POST \/hook |\d worker_connections are not/;

while (@clients < 12 && !said(qr/failed on step "Hook"/)) {
    my $before = said($seen);

    push @clients, $t->connect;
    print { $clients[-1] } "POST /hook HTTP/1.1\r\n";
    $t->wait_for(sub { said($seen) > $before });
    act('/last');
}

cmp_ok(scalar @clients, '>', 8, 'idle sockets give way');
ok(said(qr/failed on step "Hook": internal, worker_connections are not (?#
         )enough, nothing was sent to "/),
   'at last the call fails');
ok(said(qr/\[error\].*worker_connections are not enough for a call/),
   'the log says why');

close $_ for @clients;
ok($t->wait_for(sub { act('/hook') == 200 }), 'and it goes on');

$t->allow_log(qr/\[alert\].*worker_connections are not enough/);

$t->done;
