#!/usr/bin/perl

# Endpoints that compress their answers unasked: what libcurl or nginx can undo
# is undone, within flowdash_max_response_size; anything else fails the step.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Compress::Zlib qw(compress memGzip);
use Test::Flowdash;

my $t = Test::Flowdash->new;

my $json = '{"task":{"a":"new"}}';

my %coded = (
    gzip     => memGzip($json),
    'x-gzip' => memGzip($json),
    deflate  => compress($json),
    br       => pack('H*', '8b09807b227461736b223a7b2261223a226e6577227d7d03'),
    identity => $json,
    bomb     => memGzip('{"task":{"a":"' . 'x' x 10_000_000 . '"}}'),
    broken   => substr(memGzip($json), 0, 20),
    unknown  => $json,
    two      => memGzip(memGzip($json)),
    none     => '',
);

my %name = (bomb => 'gzip', broken => 'gzip', two => 'gzip, gzip',
            none => 'gzip', unknown => 'x-none');

$t->endpoint(hook => sub {
    my ($req) = @_;
    my ($what, $type) = $req->{target} =~ m{([\w-]+)((?:/|%2F)untyped)?$};
    return { headers => [ 'Content-Encoding' => $name{$what} // $what,
                          $type ? () : ('Content-Type' => 'application/json') ],
             body => $coded{$what} };
});
$t->endpoint(app => { body => 'stored' });

$t->config(<<'END');
    flowdash_task "";

    location ~ ^/call/(?<what>.*) {
        flowdash_action "Do";
        flowdash_step "Hook" {
            flowdash_call http://127.0.0.1:%%PORT_hook%%/$what;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location ~ ^/asked/(?<what>.*) {
        flowdash_action "Do";
        flowdash_step "Hook" {
            flowdash_call http://127.0.0.1:%%PORT_hook%%/$what;
            flowdash_set_header Accept-Encoding gzip;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location ~ ^/proxy/(?<what>.*) {
        flowdash_action "Do";
        flowdash_step "Hook" {
            proxy_pass http://127.0.0.1:%%PORT_hook%%/$what;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location ~ ^/gunzip/(?<what>.*) {
        flowdash_action "Do";
        flowdash_step "Hook" {
            gunzip on;
            proxy_pass http://127.0.0.1:%%PORT_hook%%/$what;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
END
$t->run;

my $br = `curl -V` =~ /\bbrotli\b/;

for (
    [ 'call/gzip' ], [ 'call/x-gzip' ], [ 'call/deflate' ],
    ($br ? [ 'call/br' ] : ()), [ 'call/identity' ], [ 'call/gzip/untyped' ],
    [ 'call/two' ], [ 'asked/gzip' ],
    [ 'call/bomb', 'response_too_large', qr/is over flowdash_max_response/ ],
    [ 'call/broken', 'response_invalid|connect', qr/./ ],
    [ 'call/unknown', 'response_invalid', qr/x-none/ ],
    [ 'proxy/identity' ],
    [ 'proxy/gzip', 'response_invalid', qr/has the Content-Encoding gzip/ ],
    [ 'proxy/gzip/untyped', 'response_invalid', qr/Content-Encoding gzip/ ],
    [ 'proxy/unknown', 'response_invalid', qr/Content-Encoding x-none/ ],
    [ 'gunzip/gzip' ],
    [ 'gunzip/bomb', 'response_too_large', qr/is over flowdash_max_response/ ],
    [ 'call/none' ], [ 'proxy/none' ],
    [ 'gunzip/deflate', 'response_invalid', qr/Content-Encoding deflate/ ],
) {
    my ($what, $error, $log) = @$_;
    my $before = length $t->error_log;
    my $res = $t->post_json("/$what", '{"a":"old"}');
    my $call = $t->only_request('hook');

    is(header($call, 'Accept-Encoding'), $what =~ /asked/ ? 'gzip' : undef,
       "$what: what is asked for");

    if (!$error) {
        is($res->{status}, 200, "$what: passes");
        is($t->only_request('app')->{body},
           $what =~ /none/ ? '{"a":"old"}' : '{"a":"new"}',
           "$what: what the app gets");
        next;
    }

    is($res->{status}, 502, "$what: 502");
    $t->no_request('app');
    like(join("\n", grep { /flowdash: / } split /\n/, substr $t->error_log, $before),
         qr/on step "Hook": (?:$error)[ ,][^\n]*$log/, "$what: the log");
}

$t->done;
