#!/usr/bin/perl

# A thousand actions at once wait for an endpoint; the worker goes on serving
# others meanwhile.  And when there are no connections left, calls fail, not
# workers.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

BEGIN {
    # this process and its endpoints need a descriptor for each action

    if (!$ENV{FLOWDASH_LIMIT} && `sh -c "ulimit -n"` < 4096) {
        $ENV{FLOWDASH_LIMIT} = 1;
        exec 'sh', '-c', 'ulimit -n 4096; exec "$@"', 'sh', $^X, $0;
    }
}

use Test::Flowdash;

my $t = Test::Flowdash->new(log_level => "info");
my $n = 1000;

$t->endpoint(slow => {
    delay => 2,
    headers => [ 'Content-Type' => 'application/json' ],
    body => '{"task":{"Date":"new"}}',
});
$t->endpoint(app => { body => 'stored' });

my $config = <<'EOC';
%%GLOBALS%%
worker_rlimit_nofile 4096;
events { worker_connections CONNECTIONS; }
http {
    %%HTTP_GLOBALS%%
    proxy_ignore_client_abort on;

    server {
        listen 127.0.0.1:%%PORT_http%% backlog=4096;

        location = /other { return 200 "other"; }

        location /call {
            flowdash_action "Do";
            flowdash_step "Slow" {
                flowdash_call http://127.0.0.1:%%PORT_slow%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /proxy {
            flowdash_action "Do";
            flowdash_step "Slow" {
                proxy_pass http://127.0.0.1:%%PORT_slow%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }
}
EOC

my @json = (body => '{}', headers => [ 'Content-Type', 'application/json' ]);

$t->config($config =~ s/CONNECTIONS/4096/r);
$t->run;

for my $uri ('/call', '/proxy') {
    $t->clear_requests('slow');

    my @running = map { $t->start('POST', $uri, timeout => 60, @json) } 1 .. $n;
    my $others = 0;

    for (1 .. 20) {
        $others++ if $t->get('/other')->{body} eq 'other';
    }

    is($others, 20, "$uri: others are served");

    my $ok = grep { $t->finish($_)->{body} eq 'stored' } @running;

    is($ok, $n, "$uri: all have ended well");
    is(scalar $t->requests('slow'), $n, "$uri: each was called once");
}

$t->stop;

# far too few connections: an action holds one, its call wants another

$t->config($config =~ s/CONNECTIONS/41/r);
$t->run;

# One after the other: nginx itself closes connections in which nothing has
# come yet, when it wants theirs.

my (@running, %status);

for (1 .. 24) {
    push @running, $t->start('POST', '/call', timeout => 30, @json);
    select undef, undef, undef, 0.03;
}

$status{ $t->finish($_)->{status} }++ for @running;

is(join(' ', sort keys %status), '200 502', 'some calls have failed');
like($t->error_log, qr/worker_connections are not enough/, 'the log says why');

is($t->post_json('/call', '{}')->{status}, 200, 'and it goes on');

# what nginx itself says of it
$t->allow_log(qr/\[(?:alert|crit)\].*worker_connections are not enough/);

$t->done;
