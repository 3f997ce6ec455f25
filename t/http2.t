#!/usr/bin/perl

# flowdash_call over HTTP/2: many calls share few connections; streams that
# are reset or stall, and connections that are given up, harm no other call.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use JSON::PP qw(decode_json);
use POSIX ();
use Time::HiRes qw(time);

use Test::Flowdash::TLS;

my $t = Test::Flowdash->new(log_level => 'info');
my $dir = $t->dir;

authority($t, 'ca');
certificate($t, 'good', by => 'ca', names => 'IP:127.0.0.1');

# t/tool/h2.js in one of its modes

sub node {
    my ($name, $mode) = @_;

    $t->write_file("$name.log", '');
    $t->server($name => sub {
        my ($listen) = @_;
        POSIX::dup2(fileno $listen, 0);
        exec 'node', "$FindBin::Bin/tool/h2.js", "$dir/$name.log",
            "$dir/good.pem", "$dir/good.key", $mode;
    });
}

node('node', 'h2');
node($_, 'http1') for qw(http1 http1_again);
node('no_alpn', 'no_alpn');

$t->server(nghttpd => sub {
    my ($listen) = @_;
    my $port = $listen->sockport;
    close $listen;

    open STDOUT, '>', "$dir/nghttpd.log";
    open STDERR, '>', "$dir/nghttpd.err";
    exec 'nghttpd', '-v', '--echo-upload', '-a', '127.0.0.1', '-d', $dir,
        $port, "$dir/good.key", "$dir/good.pem";
});

# t/tool/h2_frames.js in each of its modes

my @frames = qw(split lost cut untyped whole two one);

for my $mode (@frames) {
    $t->server("frames_$mode" => sub {
        my ($listen) = @_;
        POSIX::dup2(fileno $listen, 0);
        exec 'node', "$FindBin::Bin/tool/h2_frames.js", "$dir/good.pem",
            "$dir/good.key", $mode;
    });
}

# accepts connections, and says nothing

$t->server(silent => sub { select undef, undef, undef, 60 });

my @locations = (
    [ many => 'nginx' ],
    [ forced => 'nginx', 'flowdash_http_version 1.1;' ],
    [ plain => 'plain', '', 'http' ],
    [ few => 'few' ],
    [ some => 'some' ],
    [ nghttpd => 'nghttpd' ],
    [ http1 => 'http1' ],
    [ http1_again => 'http1_again' ],
    [ no_alpn => 'no_alpn' ],
    [ silent => 'silent', 'flowdash_connect_timeout 2s;' ],
    [ node => 'node' ],
    [ early => 'node', 'flowdash_timeout 8s;' ],
    [ early_nginx => 'nginx', 'flowdash_timeout 8s;' ],
    (map { [ $_ => "frames_$_", 'flowdash_timeout 8s;' ] } @frames),
    [ short => 'node', 'flowdash_timeout 400ms;' ],
    [ again => 'node', 'flowdash_retry 2 error timeout=2s;' ],
);

sub location {
    my ($name, $port, $set, $scheme) = @{ $_[0] };
    $_ //= '' for $set, $scheme;
    my $url = ($scheme || 'https') . "://127.0.0.1:%%PORT_$port%%";
    return <<"EOC";
        location ~ ^/$name/(?<behaviour>.*)\$ {
            flowdash_action "Do";
            flowdash_step "S" {
                $set
                flowdash_call $url/\$behaviour?code=\$arg_code;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
EOC
}

my $locations = join '', map { location($_) } @locations;
my $text = 'x' x 4000;

my $config = <<"EOC";
%%GLOBALS%%
worker_processes WORKERS;
events { worker_connections 2048; }
http {
    %%HTTP_GLOBALS%%

    log_format app '\$request_uri \$content_length';
    log_format flow '\$request_uri|\$status|\$flowdash_error|'
                    '\$flowdash_step_status';
    log_format endpoint '\$server_protocol|\$ssl_alpn_protocol|\$connection|'
                        '\$http_upgrade\$http_http2_settings';

    flowdash_ssl_trusted_certificate ca.pem;

    server {
        listen 127.0.0.1:%%PORT_http%% backlog=4096;
        access_log %%DIR%%/flow.log flow;
        proxy_ignore_client_abort on;
        $locations
    }

    server {
        listen 127.0.0.1:%%PORT_app%%;
        access_log %%DIR%%/app.log app;
        location / { return 200 stored; }
    }

    ssl_certificate good.pem;
    ssl_certificate_key good.key;

    # Behind these endpoints, because nginx does not read a body for a "return".

    server {
        listen 127.0.0.1:%%PORT_read%%;
        access_log off;
        location / { return 204; }
    }

    server {
        listen 127.0.0.1:%%PORT_nginx%% ssl http2;
        access_log %%DIR%%/nginx.log endpoint;
        location / { proxy_pass http://127.0.0.1:%%PORT_read%%; }
        location /text { return 200 "$text"; }
    }

    server {
        listen 127.0.0.1:%%PORT_few%% ssl http2;
        keepalive_requests 5;
        access_log %%DIR%%/few.log endpoint;
        location / { proxy_pass http://127.0.0.1:%%PORT_read%%; }
    }

    server {
        listen 127.0.0.1:%%PORT_some%% ssl http2;
        keepalive_requests 50;
        access_log %%DIR%%/some.log endpoint;
        location / { proxy_pass http://127.0.0.1:%%PORT_read%%; }
    }

    server {
        listen 127.0.0.1:%%PORT_plain%%;
        access_log %%DIR%%/plain.log endpoint;
        location / { return 204; }
    }
}
EOC

sub run {
    my ($workers) = @_;
    $t->stop;
    $t->config($config =~ s/WORKERS/$workers/r);
    $t->run;
}

sub start {
    my ($path, $size) = @_;
    my $body = sprintf '{"task":{"f":"old%s"}}', 'x' x ($size // 0);
    return $t->start('POST', $path, body => $body,
                     headers => [ 'Content-Type' => 'application/json' ]);
}

# how many of the calls have succeeded

sub many {
    my ($path, $n, $at_a_time, $size) = @_;
    my (%count, @running);

    my $finish = sub {
        my $answer = $t->finish(shift @running);
        $count{join ' ', $answer->{status}, $answer->{error} // ()}++;
    };

    for (1 .. $n) {
        push @running, start($path, $size);
        $finish->() if @running == $at_a_time;
    }
    $finish->() while @running;

    note("$_: $count{$_}") for sort keys %count;
    return $count{200} // 0;
}

# the lines that were added to a file since the last time

my %read;

sub lines {
    my ($file, $n) = @_;
    my @lines;

    $t->wait_for(sub {
        @lines = (substr $t->read_file($file) // '', $read{$file} // 0)
            =~ /(.*\n)/g;
        return @lines >= $n;
    });
    $read{$file} += length join '', @lines;

    chomp @lines;
    return @lines;
}

# lines of the endpoints, as hashes

sub nginx_lines {
    my ($file, $n) = @_;
    return map { my %line;
        @line{qw(version alpn connection upgrade)} = split /\|/, $_, -1;
        \%line } lines($file, $n);
}

sub node_lines { return map { decode_json($_) } lines(@_) }

sub different {
    my ($what, @lines) = @_;
    my %values = map { $_->{$what} => 1 } @lines;
    return join ' ', sort keys %values;
}

sub count { return scalar split / /, different('connection', @_) }

# status, error and attempts of one call, and how long it took

sub result {
    my ($exchange) = @_;
    return $t->finish($exchange)->{status};
}

sub logged {
    my ($n) = @_;
    return map { m{^/(\S+?)\|(\S+)\|(.*)\|(.*)} ? { path => $1,
        result => join ' ', grep { $_ ne '-' } $2, $3, $4 } : () }
        lines('flow.log', $n);
}

sub call {
    my ($path) = @_;
    $t->finish(start("/$path"));
    return (logged(1))[0]{result};
}


# few connections

$t->wait_for(sub { eval { $t->connect('nghttpd') } });

my $n = $ENV{FLOWDASH_SANITIZED} ? 300 : 1000;

for my $workers (1, 2) {
    run($workers);

    is(many('/many/ok', $n, 50), $n, "$workers: many calls to nginx");
    my @lines = nginx_lines('nginx.log', $n);
    is(scalar @lines, $n, "$workers: each once");
    is(different('version', @lines), 'HTTP/2.0', "$workers: over HTTP/2");
    is(different('alpn', @lines), 'h2', "$workers: by ALPN");
    cmp_ok(count(@lines), '<=', 4 * $workers, "$workers: few connections");
    note(count(@lines), ' connections');

    is(many('/nghttpd/ok', $n, 50), $n, "$workers: many calls to nghttpd");
    my %ids = map { /^\[id=(\d+)\].*recv HEADERS/ ? ($1 => 1) : () }
        lines('nghttpd.log', $n);
    cmp_ok(scalar keys %ids, '<=', 4 * $workers,
           "$workers: few connections to nghttpd");
    cmp_ok(scalar keys %ids, '>', 0, "$workers: as its log says");
    note(scalar keys %ids, ' connections');
}

run(1);
logged(4 * $n);


# not over HTTP/2

is(call('forced/ok'), '200 204', 'flowdash_http_version 1.1');
my ($line) = nginx_lines('nginx.log', 1);
is($line->{version}, 'HTTP/1.1', 'the version');
is($line->{alpn}, 'http/1.1', 'what is offered');
is(many('/many/ok', 20, 20), 20, 'and HTTP/2 elsewhere');
like(different('version', nginx_lines('nginx.log', 20)), qr{HTTP/2\.0},
   'to the same endpoint');
logged(20);

is(call('plain/ok'), '200 204', 'without TLS');
($line) = nginx_lines('plain.log', 1);
is($line->{version}, 'HTTP/1.1', 'the version');
is($line->{upgrade}, '--', 'no upgrade is asked for');

for my $name (qw(http1 no_alpn)) {
    my $start = time;
    is(many("/$name/ok", 20, 20), 20, "20 calls at once: $name");
    cmp_ok(time - $start, '<', 3, 'without waiting for each other');
    is(different('version', node_lines("$name.log", 20)), '1.1',
       'the version');
}
logged(40);


# an endpoint that has no time for a handshake

{
    my $start = time;
    my @running = map { start('/silent/ok') } 1 .. 12;
    is(join(' ', map { result($_) } @running), join(' ', (504) x 12),
       'no handshake: all calls fail');

    # each by its own timeout of 2 s, and not one behind the other

    cmp_ok(time - $start, '<', 20, 'together');
    is(different('result', logged(12)), '504 timeout 504', 'by a timeout');
}


# calls on a connection of others, whose answers take longer than one waits for
# a connection

call('node/ok');
node_lines('node.log', 1);
is(many('/node/slow', 10, 10), 10, 'slow answers');
is(scalar node_lines('node.log', 10), 10, 'each call arrives once');
logged(10);


# Answers that come before the call's body is sent, as a refusal may.  libcurl
# 7.88 does not see that such a stream has ended.  A body of more than 64 kB
# can't be sent before the endpoint begins to read it.
#
# An answer that it reads together with the reset of its stream it throws away.
# Others on the same connection, and a body that is not sent for long, make that
# likelier.  Then the call fails, at once.

lines('app.log', 0);

for my $at_a_time (1, 20) {
    cmp_ok(many('/early/early', 60, $at_a_time), '>=', 50,
           "early answers, $at_a_time at a time");
    cmp_ok(many('/early/unread', 60, $at_a_time, 100_000), '>=',
           $at_a_time == 1 ? 50 : 1, "to large bodies, $at_a_time at a time");
}
like(different('result', logged(240)), qr/^200 200(?: 502 connect 502)?$/,
     'one attempt each');

is(many('/early/unread?code=403', 40, 20, 100_000), 0, 'early refusals');
like(different('result', logged(40)), qr/^(?:502 connect 502 )?502 status 403$/,
     'as such');

# nginx says how long its answer is, and grants no more of the body

cmp_ok(many('/early_nginx/text', 10, 1, 100_000), '>=', 1,
       'nginx, to large bodies');
like(different('result', logged(10)), qr/^200 200(?: 502 connect 502)?$/,
     'none is waited for');
nginx_lines('nginx.log', 10);

# frame by frame

is(many('/whole/x', 5, 1, 100_000), 5, 'an answer with its length');
is(many("/$_/x", 5, 1), 5, "an answer of 6 kB without: $_") for qw(one two);
is(different('result', logged(15)), '200 200', 'one attempt each');

# What libcurl has thrown away does not count as an answer.  With it, the app
# would get the task without the endpoint's change.

is(many('/lost/x', 5, 1, 100_000), 0, 'an answer that is lost');
many("/$_/x", 5, 1, 100_000) for qw(cut untyped split);
logged(20);
is(scalar grep({ m{^/(?!early_nginx).* \d{6}$} } lines('app.log', 0)), 0,
   'the app gets no task that was not changed');


# connections that are given up between calls and under them

is(many('/few/ok', 30, 1), 30, 'GOAWAY after each fifth call');
is(count(nginx_lines('few.log', 30)), 6, 'a new connection each time');
is(different('result', logged(30)), '200 204', 'one attempt each');

is(many('/some/ok', 300, 20), 300, 'GOAWAY while others begin');
is(scalar nginx_lines('some.log', 300), 300, 'each call arrives once');
is(different('result', logged(300)), '200 204', 'one attempt each');


# streams that end or stall; others of the connection go on

sub beside {
    my ($path, $expect, $name, $same) = @_;
    node_lines('node.log', 0);

    my @running = map { start('/node/slow') } 1 .. 3;
    $t->wait_for(sub { $t->read_file('node.log') =~ m{(.*/slow.*\n){3}\z} });

    push @running, start("/$path");
    $t->finish($_) for @running;
    push @running, my $after = start('/node/ok');
    $t->finish($after);

    my @logged = logged(5);
    my ($one) = grep { $_->{path} eq $path } @logged;
    is($one->{result}, $expect, $name);
    is(different('result', grep { $_->{path} ne $path } @logged), '200 200',
       "$name: others go on");

    my @lines = node_lines('node.log', 5);
    is(count(@lines), 1, "$name: in the same connection") if $same;
}

# with what came before
call('node/ok');

beside("node/reset?code=$_", '502 connect 502', "RST_STREAM, $_", 1)
    for qw(INTERNAL_ERROR CANCEL NO_ERROR);
beside('node/cut?code=INTERNAL_ERROR', '502 connect 502',
       'RST_STREAM in the body', 1);
beside('short/stall', '504 timeout 504', 'a stream that stalls', 1);
beside('short/stall_body', '504 timeout 504',
       'a stream that stalls in the body', 1);
beside('node/once?code=REFUSED_STREAM', '200 200', 'REFUSED_STREAM', 0);
beside('again/once?code=INTERNAL_ERROR', '200 502, 200',
       'repeated after RST_STREAM', 1);
beside('again/stall', '504 timeout 504, 504, 504', 'repeated, and stalled', 1);


# whole connections

is(call("node/$_"), '502 connect 502', "a connection ends: $_")
    for qw(goaway_error gone);
is(call('node/goaway'), '200 200', 'answered after GOAWAY');
is(call('node/ok'), '200 200', 'the next one elsewhere');

{
    node_lines('node.log', 0);
    my @running = map { start("/node/slow") } 1 .. 5;
    $t->wait_for(sub { $t->read_file('node.log') =~ m{(.*/slow.*\n){5}\z} });
    push @running, start('/node/goaway');
    $t->finish($_) for @running;
    is(different('result', logged(6)), '200 200',
       'GOAWAY under calls: all are answered');

    call('node/ok');
    node_lines('node.log', 0);
    @running = map { start('/again/slow') } 1 .. 3;
    $t->wait_for(sub { $t->read_file('node.log') =~ m{(.*/slow.*\n){3}\z} });
    push @running, start('/node/gone');
    $t->finish($_) for @running;

    my @logged = logged(4);
    is(different('result', grep { $_->{path} =~ /gone/ } @logged),
       '502 connect 502', 'a connection breaks off under calls');
    like(different('result', grep { $_->{path} =~ /slow/ } @logged),
         qr/^(?:200 200 )?200 502, 200$/,
         'those that may be repeated are, some by newer libcurls');
}

$t->done;
