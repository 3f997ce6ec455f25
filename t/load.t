#!/usr/bin/perl

# A thousand actions at once wait for an endpoint; the worker goes on serving
# others meanwhile.  And when there are no connections or descriptors left,
# calls fail, not workers, and not actions whose steps have been called.

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

use IO::Select;

my $t = Test::Flowdash->new(log_level => "info");
my $dir = $t->dir;
my $n = 1000;

# answers its requests when there is a file "go"

$t->endpoint(slow => sub {
    return { until => sub { -e "$dir/go" },
             headers => [ 'Content-Type' => 'application/json' ],
             body => '{"task":{"Date":"new"}}' };
});
$t->endpoint(app => { body => 'stored' });

my $config = <<'EOC';
%%GLOBALS%%
worker_rlimit_nofile 4096;
events { worker_connections CONNECTIONS; }
http {
    %%HTTP_GLOBALS%%

    # so that nothing runs out of time until all are there
    flowdash_timeout 300s;
    flowdash_deadline 600s;
    flowdash_connect_timeout 300s;
    proxy_connect_timeout 300s;
    proxy_read_timeout 300s;

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
    my $before = () = $t->requests('slow');
    unlink "$dir/go";

    my @running = map { $t->start('POST', $uri, @json) } 1 .. $n;
    my $others = 0;

    ok($t->wait_for(sub { $t->requests('slow') == $before + $n }, 250),
       "$uri: all wait for the endpoint");

    for (1 .. 20) {
        $others++ if $t->get('/other')->{body} eq 'other';
    }

    is($others, 20, "$uri: others are served");

    $t->write_file('go', '');
    my $ok = grep { $t->finish($_)->{body} eq 'stored' } @running;

    is($ok, $n, "$uri: all have ended well");
    is(scalar $t->requests('slow'), $before + $n,
       "$uri: each was called once");
}

$t->stop;

# far too few connections: an action holds one, its call wants another

$t->config($config =~ s/CONNECTIONS/41/r);
$t->run;

# One after the other: nginx itself closes connections in which nothing has
# come yet, when it wants theirs.

my (@called, @failed);
my $before = () = $t->requests('slow');

unlink "$dir/go";

for (1 .. 24) {
    my $exchange = $t->start('POST', '/call', @json);
    my $answer = IO::Select->new($exchange->{socket});

    $t->wait_for(sub {
        return $t->requests('slow') > $before + @called
            || $answer->can_read(0);
    });
    push @{ $answer->can_read(0) ? \@failed : \@called }, $exchange;
}

cmp_ok(scalar @called, '>', 12, 'for some there are enough');
cmp_ok(scalar @failed, '>', 2, 'for others not');
is(join(' ', map { $t->finish($_)->{status} } @failed),
   join(' ', (500) x @failed), 'whose calls have failed');

# All are answered at once: the connections that libcurl then keeps must not be
# missing when nginx wants to reach the app.

$t->write_file('go', '');
my @status = map { $t->finish($_)->{status} } @called;

is("@status", join(' ', (200) x @called), 'the calls of the others have not');
like($t->error_log, qr/worker_connections are not enough/, 'the log says why');

is($t->post_json('/call', '{}')->{status}, 200, 'and it goes on');

# Far too few descriptors: ten connections are kept, and clients take what is
# left, the last one by the client that acts.

$t->stop;
$t->config($config =~ s/CONNECTIONS/512/r =~ s/nofile 4096/nofile 64/r);
$t->run;

my ($worker) = $t->worker_pids;
my $descriptors = sub {

    # the test's own may be inherited, above the limit

    return scalar grep { m{/(\d+)$} && $1 < 64 } glob "/proc/$worker/fd/*";
};

unlink "$dir/go";
$before = () = $t->requests('slow');
my @running = map { $t->start('POST', '/call', @json) } 1 .. 10;
$t->wait_for(sub { $t->requests('slow') == $before + 10 });
$t->write_file('go', '');
is(join(' ', map { $t->finish($_)->{status} } @running),
   join(' ', (200) x 10), 'ten calls at the same time');

# not before these have given theirs back

$t->wait_for(sub { !connections('http') && !connections('app') });

my @clients;

while (@clients < 64 && $descriptors->() < 63) {
    push @clients, $t->connect;
    $t->wait_for(sub { connections('http') == @clients });
}

cmp_ok(scalar @clients, '>', 20, 'clients take all descriptors but one');
is($t->post_json('/call', '{}')->{status}, 200,
   'idle connections give theirs for the app');
ok($t->wait_for(sub { $descriptors->() < 63 - 5 }), 'all of them are closed');
is($t->post_json('/call', '{}')->{status}, 200, 'the next call');
close $_ for @clients;

# what nginx itself says of it
$t->allow_log(qr/\[(?:alert|crit)\].*worker_connections are not enough/);

$t->done;

# how many the worker has, from or to a port

sub connections {
    my $end = sprintf ':%04X', $t->port($_[0]);
    my %own = map { (readlink($_) // '') =~ /^socket:\[(\d+)\]/ ? ($1 => 1) : () }
        glob "/proc/$worker/fd/*";

    open my $file, '<', "/proc/$worker/net/tcp" or die "/proc/net/tcp: $!\n";
    return scalar grep {
        my @f = split;
        "$f[1] $f[2]" =~ /$end\b/ && $f[3] ne '0A' && $own{ $f[9] // '' };
    } <$file>;
}
