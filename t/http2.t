#!/usr/bin/perl

# flowdash_http_version: calls use HTTP/1.1; HTTP/2 must be asked for, and needs
# a libcurl that loses no answer over it.  With such a libcurl, many calls share
# a connection, and streams that are reset or stall, answers that come early,
# and connections that the endpoint gives up harm no other call.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use JSON::PP qw(decode_json);
use POSIX ();

use Test::Flowdash::Libcurl;
use Test::Flowdash::TLS;

my $t = Test::Flowdash->new(log_level => 'info');
my $dir = $t->dir;

authority($t, 'ca');
certificate($t, 'good', by => 'ca', names => 'IP:127.0.0.1');

my @frames = qw(split lost cut untyped two one kept);

my @locations = (
    [ many => 'nginx' ],
    [ forced => 'nginx', 'flowdash_http_version 1.1;' ],
    [ plain => 'plain', '', 'http' ],
    [ few => 'few' ],
    [ some => 'some' ],
    [ nghttpd => 'nghttpd' ],
    [ http1 => 'http1' ],
    [ no_alpn => 'no_alpn' ],
    [ node => 'node' ],
    (map { [ $_ => "frames_$_" ] } @frames),
    [ short => 'node', 'flowdash_timeout 400ms;' ],
    [ again => 'node', 'flowdash_retry 2 error;' ],
    [ short_again => 'node', 'flowdash_retry 2 error timeout=400ms;' ],
    [ both => 'both' ],
    [ never_again => 'both', 'flowdash_resend off;' ],
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
    VERSION

    server {
        listen 127.0.0.1:%%PORT_http%% backlog=4096;
        access_log %%DIR%%/flow.log flow;
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
        keepalive_requests 100000;
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
    my ($workers, $version) = @_;
    $t->stop;
    $t->config($config =~ s/WORKERS/$workers/r =~ s/VERSION/$version/r);
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
    }) or fail("$file: $n lines more");
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

# status, error and attempts of each call

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


# the version that a call uses, and what it offers by ALPN

sub uses {
    my ($path, $file, $expected, $name) = @_;
    is(call($path), '200 204', $name);
    my ($line) = nginx_lines($file, 1);
    is("$line->{version} $line->{alpn}", $expected, "$name: the version");
    is($line->{upgrade}, '--', "$name: no upgrade is asked for");
}


# HTTP/1.1, although the endpoint offers both

run(1, '');
uses('many/ok', 'nginx.log', 'HTTP/1.1 http/1.1', 'by default');
uses('plain/ok', 'plain.log', 'HTTP/1.1 -', 'without TLS');


# what "nginx -t" says

my $asks = 'flowdash_http_version 2;';

sub refused {
    my ($libcurl, $name) = @_;
    $t->conf_fails($asks, qr{ invalid "2" in "flowdash_http_version": HTTP/2 }
        . qr{needs libcurl 8\.5 or newer, but \Q$libcurl\E is loaded; to make }
        . qr{calls over HTTP/1\.1, delete "flowdash_http_version 2;" in }
        . qr{/\S+/test\.conf:\d+\n}, $name);
}

$t->conf_ok('flowdash_http_version 1.1;', '1.1');
$t->conf_fails("flowdash_http_version $_;",
               qr/invalid "$_" in "flowdash_http_version": "1\.1" or "2" is /,
               "refused: $_") for qw(1 1.0 1.10 2.0 3 http2);
$t->conf_fails('flowdash_http_version 1.1;' x 2,
               qr/"flowdash_http_version" directive is duplicate/, 'twice');

# that libcurl is of other versions

SKIP: {
    skip 'sanitizers preload libraries of their own' if $ENV{FLOWDASH_SANITIZED};

    $t->write_file('other.c', <<'EOC');
#include <stdlib.h>
#include <curl/curl.h>

curl_version_info_data *curl_version_info(CURLversion age)
{
    static curl_version_info_data  info;

    info.version = getenv("OTHER_VERSION");
    info.version_num = strtol(getenv("OTHER_NUMBER"), NULL, 16);
    info.features = getenv("OTHER_HTTP2")[0] == '1' ? CURL_VERSION_HTTP2 : 0;

    return &info;
}
EOC
    system("gcc -shared -fPIC -o $dir/other.so $dir/other.c") == 0
        or BAIL_OUT('gcc does not make a library');

    local $ENV{FLOWDASH_PRELOAD} = "$dir/other.so";
    local @ENV{qw(OTHER_VERSION OTHER_NUMBER OTHER_HTTP2)};

    for my $other ([ '7.88.1', '075801', 1 ], [ '8.4.0', '080400', 1 ],
                   [ '8.5.0', '080500', 1, 'accepted' ],
                   [ '8.14.1', '080e01', 1, 'accepted' ],
                   [ '10.0.0-DEV', '0a0000', 1, 'accepted' ],
                   [ '8.14.1', '080e01', 0 ])
    {
        my ($version, $number, $does_http2, $accepted) = @$other;
        @ENV{qw(OTHER_VERSION OTHER_NUMBER OTHER_HTTP2)} = @$other[0 .. 2];

        my $name = $version . ($does_http2 ? '' : ' without HTTP/2');
        $accepted ? $t->conf_ok($asks, "libcurl $name") : refused($name, $name);
    }
}

if (!libcurl_does_http2()) {
    refused(libcurl_version(), 'this libcurl: ' . libcurl_version());
    $t->done;
    exit;
}


# From here on with a libcurl that does HTTP/2.

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
node($_, $_) for qw(both http1 no_alpn);

# t/tool/h2_frames.js in each of its modes

for my $mode (@frames) {
    $t->server("frames_$mode" => sub {
        my ($listen) = @_;
        POSIX::dup2(fileno $listen, 0);
        exec 'node', "$FindBin::Bin/tool/h2_frames.js", "$dir/good.pem",
            "$dir/good.key", $mode;
    });
}

$t->server(nghttpd => sub {
    my ($listen) = @_;
    my $port = $listen->sockport;
    close $listen;

    open STDOUT, '>', "$dir/nghttpd.log";
    open STDERR, '>', "$dir/nghttpd.err";
    exec 'nghttpd', '-v', '--echo-upload', '-a', '127.0.0.1', '-d', $dir,
        $port, "$dir/good.key", "$dir/good.pem";
});

$t->wait_for(sub { eval { $t->connect('nghttpd') } });


# calls share a connection once there is one

my $n = $ENV{FLOWDASH_SANITIZED} ? 300 : 1000;

sub nghttpd_connections {
    my ($n) = @_;
    my %ids = map { /^\[id=(\d+)\].*recv HEADERS/ ? ($1 => 1) : () }
        lines('nghttpd.log', $n);
    return scalar keys %ids;
}

run(1, $asks);

uses('many/ok', 'nginx.log', 'HTTP/2.0 h2', 'HTTP/2');
is(call('nghttpd/ok'), '200 200', 'nghttpd');
is(nghttpd_connections(1), 1, 'its log tells connections');

is(many('/many/ok', $n, 50), $n, 'many calls to nginx');
my @lines = nginx_lines('nginx.log', $n);
is(scalar @lines, $n, 'each once');
is(different('version', @lines), 'HTTP/2.0', 'over HTTP/2');
is(count(@lines), 1, 'over one connection');

is(many('/nghttpd/ok', $n, 50), $n, 'many calls to nghttpd');
is(nghttpd_connections($n), 1, 'over one connection');

is(many('/many/ok', 40, 20, 100_000), 40, 'large calls to nginx');
@lines = nginx_lines('nginx.log', 40);
is(scalar @lines, 40, 'each once');
is(count(@lines), 1, 'over one connection');
logged(2 * $n + 40);

# without one, calls that begin at once may make one each

run(2, $asks);
is(many('/many/ok', $n, 50), $n, 'two workers');
@lines = nginx_lines('nginx.log', $n);
is(scalar @lines, $n, 'each once');
is(different('version', @lines), 'HTTP/2.0', 'over HTTP/2');
cmp_ok(count(@lines), '<=', 100, 'over fewer connections');
logged($n);


# not over HTTP/2

run(1, $asks);

uses('forced/ok', 'nginx.log', 'HTTP/1.1 http/1.1', '1.1 in a step');
is(many('/many/ok', 20, 20), 20, 'and HTTP/2 elsewhere');
like(different('version', nginx_lines('nginx.log', 20)), qr{HTTP/2\.0},
     'to the same endpoint');
logged(20);

uses('plain/ok', 'plain.log', 'HTTP/1.1 -', 'HTTP/2 without TLS');

for my $name (qw(http1 no_alpn)) {
    is(many("/$name/ok", 20, 20), 20, "an endpoint that does not: $name");
    is(different('version', node_lines("$name.log", 20)), '1.1',
       "$name: the version");
}
logged(40);


# slow answers

call('node/ok');
node_lines('node.log', 1);
is(many('/node/slow', 10, 10), 10, 'slow answers');
is(scalar node_lines('node.log', 10), 10, 'each call arrives once');
logged(10);


# Answers that come before the call's body is sent, as a refusal may.  A body of
# more than 64 kB can't be sent before the endpoint begins to read it.

lines('app.log', 0);

for my $at_a_time (1, 20) {
    is(many('/node/early', 60, $at_a_time), 60,
       "early answers, $at_a_time at a time");
    is(many('/node/unread', 60, $at_a_time, 100_000), 60,
       "to large bodies, $at_a_time at a time");
}
is(scalar node_lines('node.log', 240), 240, 'each call arrives once');
is(different('result', logged(240)), '200 200', 'one attempt each');

# libcurl stops sending then, which Node may answer by a reset

is(many('/node/unread?code=403', 40, 20, 100_000), 0, 'early refusals');
like(different('result', logged(40)), qr/^(?:502 connect 502 )?502 status 403$/,
     'all fail their step');
node_lines('node.log', 40);

# nginx resets the stream of a call that it does not read

is(many('/many/text', 10, 1, 100_000), 10, 'nginx, to large bodies');
is(different('result', logged(10)), '200 200', 'one attempt each');
nginx_lines('nginx.log', 10);
lines('app.log', 0);

# frame by frame; an answer that is not complete counts as none: with it, the
# app would get the task without the endpoint's change

is(many("/$_/x", 5, 1, 100_000), 5, "an early answer: $_")
    for qw(split cut untyped);
is(many("/$_/x", 5, 1), 5, "an answer of 6 kB without its length: $_")
    for qw(one two);
is(different('result', logged(25)), '200 200', 'one attempt each');

is(many('/lost/x', 5, 1, 100_000), 0, 'an answer without its body');
like(different('result', logged(5)), qr/^502 connect 502$/, 'fails the step');

is(scalar grep({ / \d{6}$/ } lines('app.log', 0)), 0,
   'the app gets no task that was not changed');


# An answer on a kept connection that breaks off after 0 to 20 octets: the call
# must not be sent again, since libcurl doesn't say whether any have come.

for my $octets (0 .. 20) {
    is(call('kept/x'), '200 200', "a connection that breaks at $octets");
    is(call('kept/x'), '502 connect 502', 'one attempt');
}


# connections that are given up between calls and under them

is(many('/few/ok', 30, 1), 30, 'GOAWAY after each fifth call');
is(count(nginx_lines('few.log', 30)), 6, 'a new connection each time');
is(different('result', logged(30)), '200 204', 'one attempt each');

is(many('/few/ok', 300, 20), 300, 'the same, and others begin');
is(scalar nginx_lines('few.log', 300), 300, 'each call arrives once');
unlike(different('result', logged(300)), qr/500|connect|internal/, 'none fails');

is(many('/some/ok', 300, 20), 300, 'GOAWAY while others begin');
is(scalar nginx_lines('some.log', 300), 300, 'each call arrives once');
like(different('result', logged(300)), qr/^200 204(?: 200 502, 204)?$/,
     'one attempt each, and one more for a stream that was refused');


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
beside('node/once?code=REFUSED_STREAM', '200 502, 200', 'REFUSED_STREAM', 0);
beside('again/once?code=INTERNAL_ERROR', '200 502, 200',
       'repeated after RST_STREAM', 1);
beside('short_again/stall', '504 timeout 504, 504, 504',
       'repeated, and stalled', 0);


# an endpoint that wants HTTP/1.1 for some requests

is(call('both/once?code=HTTP_1_1_REQUIRED'), '200 502, 200',
   'HTTP_1_1_REQUIRED: sent again');
is(join(' ', map { $_->{version} } node_lines('both.log', 2)), '2 1.1',
   'over HTTP/1.1');
is(call('never_again/reset?code=HTTP_1_1_REQUIRED'), '502 connect 502',
   'HTTP_1_1_REQUIRED, flowdash_resend off');
is(scalar node_lines('both.log', 1), 1, 'is called once');
like($t->error_log, qr/connect, the endpoint requires HTTP\/1\.1, called/,
     'the log says why');


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
    like(different('result', grep { $_->{path} =~ /gone/ } @logged),
         qr/^502 connect 502(?:, 502)?$/,
         'a connection breaks off under calls; it was a kept one');
    like(different('result', grep { $_->{path} =~ /slow/ } @logged),
         qr/^(?:200 200 )?200 502, 200$/,
         'those that may be repeated are, some by newer libcurls');
}

$t->done;
