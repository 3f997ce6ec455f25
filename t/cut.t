#!/usr/bin/perl

# Answers that end too early: an endpoint closes the connection after each octet
# of an answer.  Only a whole answer counts, over a new connection and over a
# kept one; where no octet has come on a kept one, the call is sent once more.
# Over TLS, a record may be cut as well, and octets come that are no answer.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use Test::Flowdash;
use Test::Flowdash::Server;
use Test::Flowdash::TLS;
use Test::Flowdash::TLSServer;

my $t = Test::Flowdash->new(log_level => 'warn');

my $changed = '{"task":{"f":"new"}}';
my $type = "Content-Type: application/json\r\n";
my $length = 'Content-Length: ' . length($changed) . "\r\n";
my $chunks = sprintf "5\r\n%s\r\n%x\r\n%s\r\n", substr($changed, 0, 5),
    length($changed) - 5, substr $changed, 5;

my %answer = (
    length  => "HTTP/1.1 200 OK\r\n$type$length\r\n$changed",
    http10  => "HTTP/1.0 200 OK\r\n$type$length\r\n$changed",
    lf      => "HTTP/1.1 200 OK\n" . "$type$length\n$changed" =~ s/\r//gr,
    empty   => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    204     => "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n",
    chunked => "HTTP/1.1 200 OK\r\n${type}Transfer-Encoding: chunked\r\n\r\n"
               . "${chunks}0\r\n\r\n",
    100     => "HTTP/1.1 100 Continue\r\n\r\n"
               . "HTTP/1.1 200 OK\r\n$type$length\r\n$changed",
    103     => "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
               . "HTTP/1.1 204 No Content\r\n\r\n",
);

my $answer = sub {
    my ($what, $n) = $_[0]{target} =~ m{(\w+)(?:/|%2F)(\d+)$};
    return (send => $answer{empty}, then => 'next') if $what eq 'ok';
    return send => substr $answer{$what}, 0, $n;
};

$t->raw_endpoint(new => $answer);

my %seen;
$t->raw_endpoint(kept => sub {
    my ($request, $n) = @_;
    return $answer->($request) if $seen{$n}++;
    return (send => $answer{empty}, then => 'next');
});

# The same on a UNIX-domain socket, which is not kept

my $unix = IO::Socket::UNIX->new(Local => $t->dir . '/cut.sock', Listen => 128)
    or die "cut.sock: $!\n";
$t->server(unix => sub {
    my (undef, $record) = @_;
    Test::Flowdash::Server::serve_raw($unix, $answer, $record);
});

# Over TLS, on a kept connection: some octets of an answer, whole records or one
# that is cut, with an alert at the end or without; or only an alert, which may
# be cut.

my %tls = (gcm => [ 'TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256' ],
           chacha => [ 'TLSv1.2', 'ECDHE-ECDSA-CHACHA20-POLY1305' ],
           cbc => [ 'TLSv1.2', 'ECDHE-ECDSA-AES128-SHA' ],
           etm => [ 'TLSv1.2', 'ECDHE-ECDSA-AES256-SHA384' ],
           13 => [ 'TLSv1.3', undef ]);

certificate($t, 'tls', names => 'IP:127.0.0.1');

my %way = (
    cut     => sub { my ($tls, $n) = @_; $tls->seal(substr $answer{empty}, 0, $n) },
    alert   => sub { my ($tls, $n) = @_;
                     $tls->seal(substr $answer{empty}, 0, $n) . $tls->alert },
    record  => sub { my ($tls, $n) = @_;
                     substr $tls->seal($answer{empty}), 0, $n },
    hello   => sub { $_[0]->hello_request . $_[0]->alert },
    end     => sub { my ($tls, $n) = @_; substr $tls->alert, 0, $n },
);

for my $name (keys %tls) {
    my ($version, $ciphers) = @{ $tls{$name} };

    $t->server("tls_$name" => sub {
        my ($listen, $record) = @_;
        serve_tls($listen, $record, sub {
            my ($request, $first, $tls) = @_;
            my ($way, $n) = $request->{target} =~ m{(\w+)(?:/|%2F)(\d+)$};
            return ($tls->seal($answer{empty}), 1) if $first || $way eq 'ok';
            return $way{$way}->($tls, $n);
        }, version => $version, ciphers => $ciphers,
           cert => $t->dir . '/tls.pem', key => $t->dir . '/tls.key');
    });
}

$t->endpoint(app => { body => 'stored' });

my $tls = join '', map { <<"END" } sort keys %tls;
    location ~ ^/tls_$_/(?<what>\\w+/\\d+)\$ {
        flowdash_action "Do";
        flowdash_step "S" {
            flowdash_call https://127.0.0.1:%%PORT_tls_$_%%/\$what;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
END

$t->config(<<'END' . "$tls}\n");
    flowdash_ssl_trusted_certificate tls.pem;

    log_format flow '$uri|$flowdash_error|$flowdash_step_status';
    access_log %%DIR%%/flow.log flow;

    server {
    listen 127.0.0.1:%%PORT_http%%;

    location ~ ^/(?<what>\w+/\d+)$ {
        flowdash_action "Do";
        flowdash_step "S" {
            flowdash_call http://127.0.0.1:%%PORT_new%%/$what;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location ~ ^/kept/(?<what>\w+/\d+)$ {
        flowdash_action "Do";
        flowdash_step "S" {
            flowdash_call http://127.0.0.1:%%PORT_kept%%/$what;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location ~ ^/unix/(?<what>\w+/\d+)$ {
        flowdash_action "Do";
        flowdash_step "S" {
            flowdash_call http://unix:%%DIR%%/cut.sock:/$what;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location ~ ^/proxy/(?<what>\w+/\d+)$ {
        flowdash_action "Do";
        flowdash_step "S" {
            proxy_pass http://127.0.0.1:%%PORT_new%%/$what;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
END
$t->run;

my $done = 0;

sub act {
    my ($uri) = @_;
    $done++;
    return $t->post_json("/$uri", '{"task":{}}')->{status};
}

# what the log says of the last actions, all but those that open a connection

sub logged {
    my ($n) = @_;
    my @lines;
    $t->wait_for(sub {
        @lines = split /\n/, $t->read_file('flow.log') // '';
        return @lines == $done;
    });
    return map { /^[^|]*\|(.*)/ } grep { !/^[^|]*ok/ } @lines[-$n .. -1];
}

# for what lengths of an answer an action ends otherwise than expected

sub other {
    my ($what, $from, $to, $way, $expected) = @_;
    my ($before, @status, @other) = $done;

    for my $n ($from .. $to) {
        act("${way}ok/0") if $way =~ /^(?:kept|unix|tls)/;
        push @status, act("$way$what/$n");
    }

    my @logged = logged($done - $before);

    for my $n ($from .. $to) {
        my $result = shift(@status) . ' ' . shift @logged;
        push @other, "$n: $result" if $result !~ /^$expected$/;
    }

    return join '; ', @other;
}

my $cut = qr/502 connect\|502/;

for my $what (sort keys %answer) {
    my $length = length $answer{$what};
    my $last = $length - 1;

    # to libcurl, the line break behind the last chunk's line may be half

    $last-- if $what eq 'chunked';

    is(other($what, 0, $last, '', $cut), '', "$what, cut");
    is(other($what, $length, $length, '', qr/200 -\|20[04]/), '',
       "$what, whole");
    is(other($what, 0, 0, 'kept/', qr/200 -\|502, 200/), '',
       "$what, nothing of it, on a kept connection: once more");
    is(other($what, 1, $last, 'kept/', $cut), '',
       "$what, cut, on a kept connection: once");
    is(other($what, 0, $last, 'unix/', $cut), '',
       "$what, cut, on a UNIX-domain socket: once");
    is(other($what, 0, $last, 'proxy/', qr/502 (?:connect|response_invalid|(?#
       )status)\|\d+/), '', "$what, cut, proxy_pass");
}

is(scalar(grep { $_->{body} eq $changed } $t->requests('app')), 5,
   'only whole answers change the task');

# over TLS

my $again = qr/200 -\|502, 200/;

for my $name (sort keys %tls) {
    my $way = "tls_$name/";
    my $length = length $answer{empty};

    # an alert is no answer, and most often the only thing that comes; but part
    # of a record may be one of an answer

    is(other($_, 0, 0, $way, $again), '', "$name, $_, nothing: once more")
        for grep { $name ne '13' || $_ ne 'hello' } sort keys %way;
    is(other('cut', 1, $length - 1, $way, $cut), '', "$name, cut: once");
    is(other('alert', 1, $length - 1, $way, $cut), '',
       "$name, cut, with an alert: once");
    is(other('record', 1, $length + 5, $way, $cut), '',
       "$name, cut within a record: once");
    is(other('end', 100, 100, $way, $again), '', "$name, an alert: once more");
    is(other('end', 1, 4, $way, $cut), '', "$name, part of an alert: once");

    my ($request) = $t->new_requests("tls_$name");
    my ($version, $cipher) = @{ $tls{$name} };
    is($request->{version}, $version, "$name: the version");
    is($request->{cipher}, $cipher, "$name: the cipher") if $cipher;
}

$t->new_requests($_) for qw(new kept unix app);
$t->done;
