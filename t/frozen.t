# Connections to an endpoint that freeze: nobody closes them, and nothing comes
# any more.  Calls that wait on one time out, and others get another connection;
# with HTTP/2 also while some still wait.  An endpoint that is just slow keeps
# its connection.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use IO::Select;
use IO::Socket::INET;
use POSIX ();

use Test::Flowdash::Libcurl;
use Test::Flowdash::TLS;

my $t = Test::Flowdash->new(log_level => 'info');
my $dir = $t->dir;
my $http2 = libcurl_does_http2();

authority($t, 'ca');
certificate($t, 'good', by => 'ca', names => 'IP:127.0.0.1');

$t->endpoint(app => { body => 'stored' });
$t->endpoint(plain => { body => '' });

$t->write_file('node.log', '');
$t->server(node => sub {
    my ($listen) = @_;
    POSIX::dup2(fileno $listen, 0);
    exec 'node', "$FindBin::Bin/tool/h2.js", "$dir/node.log",
        "$dir/good.pem", "$dir/good.key", 'h2';
}) if $http2;

relay('h1', 'plain');
relay('h2', 'node') if $http2;

sub location {
    my ($name, $url, $set) = @_;
    return <<"EOC";
        location ~ ^/$name/(?<behaviour>.*)\$ {
            flowdash_action "Do";
            flowdash_step "S" {
                $set
                flowdash_call $url/\$behaviour?code=;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
EOC
}

my %url = (h1 => 'http://127.0.0.1:%%PORT_h1%%',
           ($http2 ? (h2 => 'https://127.0.0.1:%%PORT_h2%%') : ()));
my $locations = join '', map {
    my $version = $_ eq 'h2' ? 'flowdash_http_version 2;' : '';
    location($_, $url{$_}, $version),
    location("${_}_short", $url{$_}, "$version flowdash_timeout 1s;"),
    location("${_}_slow", $url{$_}, "$version flowdash_timeout 8s;"),
    location("${_}_again", $url{$_},
             "$version flowdash_retry 2 timeout timeout=5s;"),
} sort keys %url;

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    log_format flow '\$request_uri|\$status \$flowdash_step_status';
    access_log %%DIR%%/flow.log flow;
    flowdash_ssl_trusted_certificate ca.pem;
    flowdash_timeout 100s;
    flowdash_deadline 200s;
    flowdash_keepalive_timeout 900s;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        $locations
    }
}
EOC
$t->run;


# A relay to an endpoint.  It says in a file what becomes of its connections,
# which it counts from 1: "open N", "closed N" by nginx, and "held N" when
# something comes while there is a file "frozen.NAME.N".

sub relay {
    my ($name, $to) = @_;
    my $port = $t->port($to);

    $t->write_file("$name.log", '');
    $t->server($name => sub {
        my ($listen) = @_;
        my $n = 0;
        local $SIG{CHLD} = 'IGNORE';

        while (my $client = $listen->accept) {
            $n++;
            next if fork;
            relay_one($name, $n, $client, $port);
            POSIX::_exit(0);
        }
    });
}

sub relay_one {
    my ($name, $n, $client, $port) = @_;
    my $server = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port")
        or die "relay: $@\n";
    my %other = ($client => $server, $server => $client);
    my %held = ($client => '', $server => '');

    my $say = sub {
        open my $log, '>>', "$dir/$name.log" or die "$name.log: $!\n";
        syswrite $log, "$_[0] $n\n";
    };

    $say->('open');

    while (1) {
        my $frozen = -e "$dir/frozen.$name.$n";

        for my $from (IO::Select->new($client, $server)->can_read(0.01)) {
            if (!sysread $from, $held{$from}, 65536, length $held{$from}) {
                $say->('closed') if $from == $client;
                return;
            }
            $say->('held') if $frozen;
        }

        next if $frozen;

        for my $from ($client, $server) {
            while (length $held{$from}) {
                my $sent = syswrite $other{$from}, $held{$from} or return;
                substr $held{$from}, 0, $sent, '';
            }
        }
    }
}

sub said {
    my ($name, $what) = @_;
    my $n = () = $t->read_file("$name.log") =~ /^$what$/mg;
    return $n;
}

sub opened { return said($_[0], qr/open \d+/) }

sub freeze {
    my ($name) = @_;
    my $n = opened($name);
    $t->write_file("frozen.$name.$n", '');
    return $n;
}

sub closed {
    my ($name, $n) = @_;
    return $t->wait_for(sub { said($name, "closed $n") });
}

sub begin {
    return $t->start('POST', "/$_[0]", body => '{"task":{}}',
                     headers => [ 'Content-Type', 'application/json' ]);
}

# the client's status, and that of each attempt

sub result {
    my ($running) = @_;
    my $before = () = ($t->read_file('flow.log') // '') =~ /\n/g;
    $t->finish($running);
    my @lines;
    $t->wait_for(sub {
        @lines = split /\n/, $t->read_file('flow.log') // '';
        return @lines > $before;
    });
    return $lines[-1] =~ s/.*\|//r;
}

sub call { return result(begin($_[0])) }


for my $name (sort keys %url) {
    like(call("$name/ok"), qr/^200 /, "$name: a call") for 1, 2;
    is(opened($name), 1, "$name: both on one connection");

    my $n = freeze($name);
    is(call("${name}_short/ok"), '504 504', "$name: the connection freezes");
    like(call("$name/ok"), qr/^200 /, "$name: the next call succeeds");
    is(opened($name), $n + 1, "$name: on another connection");
    ok(closed($name, $n), "$name: the first one is closed");

    $n = freeze($name);
    like(call("${name}_again/ok"), qr/^200 504, 200$/,
         "$name: repeated after a timeout");
    is(opened($name), $n + 1, "$name: on another connection");
    ok(closed($name, $n), "$name: the one before is closed");
}

# libcurl itself does not use a connection of HTTP/1 for other calls then

my $lines = () = $t->error_log =~ /\[info\].*nothing arrived on a connection/g;
is($lines, $http2 ? 2 : 0, 'the log tells of frozen connections of HTTP/2');

if ($http2) {

    # while another call waits on the connection

    my $n = freeze('h2');
    my $held = begin('h2/ok');
    $t->wait_for(sub { said('h2', "held $n") });

    is(call('h2_short/ok'), '504 504', 'shared: a call times out');
    is(call('h2/ok'), '200 200', 'shared: the next call succeeds');
    cmp_ok(opened('h2'), '>', $n, 'shared: on another connection');
    is(said('h2', "closed $n"), 0, 'shared: the first one stays');

    unlink "$dir/frozen.h2.$n";
    is(result($held), '200 200', 'shared: the other call is answered at last');
    ok(closed('h2', $n), 'shared: then the connection is closed');

    # a slow endpoint: something has come since

    is(call('h2/ok'), '200 200', 'slow: a call');
    my $opened = opened('h2');
    my $slow = begin('h2_slow/stall');
    $t->wait_for(sub { $t->read_file('node.log') =~ /stall/ });
    is(call('h2/ok'), '200 200', 'slow: a call beside one without an answer');
    is(result($slow), '504 504', 'slow: which times out');
    is(call('h2/ok'), '200 200', 'slow: the next call');
    is(opened('h2'), $opened, 'slow: on the same connection');
}

$t->done;
