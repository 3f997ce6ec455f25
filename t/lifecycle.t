#!/usr/bin/perl

# Reload and quit let running actions end; nothing is left open behind them.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

my $go = $t->dir . '/go';

$t->endpoint(slow => {
    until => sub { -e $go },
    headers => [ 'Content-Type' => 'application/json' ],
    body => '{"task":{"Date":"new"}}',
});
$t->endpoint(fast => { body => 'ok' });
$t->endpoint(app => { body => 'stored' });

# nginx has a buffer of 4096 bytes for what comes first

my $header = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    . "Content-Length: 5000\r\n\r\n";
my $filled = '{"task":{"Date":"new"}}' . ' ' x 4977;
my $first = 4096 - length $header;

$t->raw_endpoint(filling => sub {
    return (send => $header . substr($filled, 0, $first),
            until => sub { $t->write_file('sent', ''); -e $go },
            send => substr $filled, $first);
});

my $conf = <<'EOC';
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP_GLOBALS%%

    server {
        listen 127.0.0.1:%%PORT_http%%;

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

        location /filled_app {
            flowdash_action "Do";
            flowdash_step "Fast" {
                flowdash_call http://127.0.0.1:%%PORT_fast%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_filling%%;
            proxy_buffer_size 4k;
        }

        location /filled_step {
            flowdash_action "Do";
            flowdash_step "Filling" {
                proxy_pass http://127.0.0.1:%%PORT_filling%%/;
                proxy_buffer_size 4k;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /fast {
            flowdash_action "Do";
            flowdash_step "Fast" {
                flowdash_call http://127.0.0.1:%%PORT_fast%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }
}
EOC

$t->config($conf);
$t->run;

# actions that wait for the slow endpoint, and how they end once it answers

sub running {
    unlink $go;
    my @running = map {
        $t->start('POST', $_, body => '{}',
                  headers => [ 'Content-Type', 'application/json' ])
    } map { ("/call$_", "/proxy$_") } 1 .. 4;

    $t->wait_for(sub { $t->requests('slow') == 8 });
    $t->clear_requests('slow');
    return @running;
}

sub end {
    my ($name, @running) = @_;
    $t->write_file('go', '');
    is($t->finish($_)->{body}, 'stored', $name) for @running;
}

# idle connections in libcurl's pool must not keep a worker, nor alarm it

is($t->post_json('/fast', '{}')->{status}, 200, 'a call') for 1 .. 8;

my @running = running();
my %old = map { $_ => 1 } $t->worker_pids;

$t->reload;

is($t->post_json('/fast', '{}')->{status}, 200, 'new workers serve');
end('ended after a reload', @running);

ok($t->wait_for(sub { !grep { kill 0 => $_ } keys %old }),
   'the old workers are gone');

# An answer of which nginx has just filled its buffer: nginx before 1.23.1
# waits for the rest without a timer, and a worker that quits waits for timers.

for my $place (qw(app step)) {
    unlink $go, $t->dir . '/sent';
    my $filled = $t->start('POST', "/filled_$place", body => '{}',
                           headers => [ 'Content-Type', 'application/json' ]);
    $t->wait_for(sub { -e $t->dir . '/sent' });

    %old = map { $_ => 1 } $t->worker_pids;
    $t->reload;
    $t->write_file('go', '');

    is(length $t->finish($filled)->{body}, $place eq 'app' ? 5000 : 6,
       "a filled buffer, $place");
    ok($t->wait_for(sub { !grep { kill 0 => $_ } keys %old }),
       'the old workers are gone');
}

# 20 reloads in a row under calls

for (1 .. 20) {
    my $one = $t->start('POST', '/fast', body => '{}',
                        headers => [ 'Content-Type', 'application/json' ]);
    $t->signal('HUP');
    is($t->finish($one)->{status}, 200, 'a call during a reload');
}

# a worker that may not wait gives its calls up, and no answer reaches them

$t->config("worker_shutdown_timeout 10ms;\n$conf");
$t->reload;

@running = running();
%old = map { $_ => 1 } $t->worker_pids;
my $reached = $t->requests('app');

$t->config($conf);
$t->reload;

is($t->finish($_)->{body}, '', 'given up') for @running;
$t->write_file('go', '');

ok($t->wait_for(sub { !grep { kill 0 => $_ } keys %old }),
   'the old workers are gone');
is(scalar $t->requests('app'), $reached, 'the app is not reached');

# quit

@running = running();
$t->signal('QUIT');
ok($t->wait_for(sub { !$t->worker_pids }), 'all workers are about to end');
end('ended after QUIT', @running);

$t->done;
