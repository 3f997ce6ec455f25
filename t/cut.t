#!/usr/bin/perl

# Answers that end too early: an endpoint closes the connection after each octet
# of an answer.  Only a whole answer counts, over a new connection and over a
# kept one; where no octet has come on a kept one, the call is sent once more.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

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
$t->endpoint(app => { body => 'stored' });

$t->config(<<'END');
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

    location ~ ^/proxy/(?<what>\w+/\d+)$ {
        flowdash_action "Do";
        flowdash_step "S" {
            proxy_pass http://127.0.0.1:%%PORT_new%%/$what;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
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
        act('kept/ok/0') if $way eq 'kept/';
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
    is(other($what, 0, $last, 'proxy/', qr/502 (?:connect|response_invalid|(?#
       )status)\|\d+/), '', "$what, cut, proxy_pass");
}

is(scalar(grep { $_->{body} eq $changed } $t->requests('app')), 5,
   'only whole answers change the task');

$t->new_requests($_) for qw(new kept app);
$t->done;
