#!/usr/bin/perl

# A host with two addresses: no socket can be made for one of them.  If one is
# made for the other, what comes of that counts.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->endpoint(hook => { status => 204 });
$t->endpoint(app => { body => 'stored' });

$t->preload('no_ipv6');
$t->config(<<'EOC');
    location / {
        flowdash_action "Do";
        flowdash_step "Hook" { flowdash_call http://localhost:%%PORT_hook%%/; }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location /refused {
        flowdash_action "Do";
        flowdash_step "Hook" { flowdash_call http://localhost:%%PORT_nobody%%/; }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location /none {
        flowdash_action "Do";
        flowdash_step "Hook" { flowdash_call http://[::1]:%%PORT_nobody%%/; }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
EOC
$t->run;

sub act { return $t->post_json($_[0], '{"task":{}}')->{status} }

is(act('/'), 200, 'the other address answers');
$t->only_request('hook');
$t->only_request('app');

is(act('/refused'), 502, 'it refuses the connection');
my ($line) = $t->error_log =~ /(flowdash: action .*)/;
like($line, qr/ connect, Failed to connect to localhost /, 'the log says so');
unlike($line, qr/descriptors/, 'and not what kept the call from the one');

is(act('/none'), 500, 'there is no other address');
($line) = $t->error_log =~ /\n.*flowdash: .*\n.*(flowdash: action .*)/s;
like($line, qr/ internal, file descriptors are not enough, nothing was sent to /,
     'the log says why');

$t->done;
