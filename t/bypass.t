#!/usr/bin/perl

# Ways by which a request could reach the app although its action has failed
# or has not run.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Test::Flowdash;
use Time::HiRes qw(sleep);

my $t = Test::Flowdash->new;

$t->endpoint(good => { body => 'ok' });
$t->endpoint(bad => { status => 500 });
$t->endpoint(app => { body => 'stored' });
$t->raw_endpoint(gzip => sub {
    return send => "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
        . "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n"
        . "x" x 10;
});
$t->endpoint(empty => { status => 204, headers => [ 'Cache-Control',
    'max-age=60' ] });
$t->endpoint(html => { headers => [ 'Content-Type', 'text/html' ],
    body => '<p>ok</p>' });
$t->raw_endpoint(cut => sub {
    return send => "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
        . "Content-Length: 100\r\n\r\n<p>ok";
});
$t->endpoint(cached => { headers => [ 'Content-Type', 'application/json',
    'Cache-Control', 'max-age=60' ], body => ' ' x 70_000 . '{}' });

# reads once the file "go" is there

$t->server(late => sub {
    my ($listen, $record) = @_;

    setsockopt $listen, SOL_SOCKET, SO_RCVBUF, 65536;

    while (accept my $client, $listen) {
        sleep 0.1 until defined $t->read_file('go');
        my ($head, $body) = ('', '');
        1 while $head !~ /\r\n\r\n/ && sysread $client, $head, 1, length $head;
        my ($length) = $head =~ /^Content-Length: (\d+)/im;
        1 while length $body < $length
            && sysread $client, $body, $length - length $body, length $body;
        $record->({ body => $body });
        syswrite $client, "HTTP/1.0 204 No Content\r\n\r\n";
    }
});

$t->config(<<'EOC');
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;
    proxy_cache_methods GET HEAD POST;

    map $flowdash_task_stage $finish { volatile; Completed "Finish";
                                       default ""; }

    server {
        listen 127.0.0.1:%%PORT_http%%;

        location = /if-completed {
            flowdash_action $finish;
            flowdash_step "Bad" { proxy_pass http://127.0.0.1:%%PORT_bad%%; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /fallback {
            error_page 502 = @fallback;
            flowdash_action "Do";
            flowdash_step "Bad" { proxy_pass http://127.0.0.1:%%PORT_bad%%; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location @fallback {
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /first {
            flowdash_action $http_x_maybe;
            flowdash_step "Good" { proxy_pass http://127.0.0.1:%%PORT_good%%; }
            try_files /none /second;
        }

        location = /second {
            flowdash_action "Second";
            flowdash_step "Bad" { proxy_pass http://127.0.0.1:%%PORT_bad%%; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /mirrored {
            mirror /second;
            proxy_pass http://127.0.0.1:%%PORT_good%%;
        }

        location = /mirrored/late {
            client_max_body_size 16m;
            client_body_buffer_size 16m;
            mirror /late;
            error_page 404 405 = @late;
        }

        location @late {
            flowdash_action "Do";
            flowdash_step "Good" { proxy_pass http://127.0.0.1:%%PORT_good%%; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /late {
            internal;
            client_max_body_size 16m;
            proxy_pass http://127.0.0.1:%%PORT_late%%/;
        }

        location = /gunzip {
            flowdash_action "Do";
            flowdash_step "Broken" {
                gunzip on;
                proxy_pass http://127.0.0.1:%%PORT_gzip%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /cached {
            flowdash_action "Do";
            flowdash_step "Cached" {
                proxy_cache cache;
                proxy_cache_key cached;
                flowdash_max_response_size 1m;
                proxy_pass http://127.0.0.1:%%PORT_cached%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /cached/empty {
            flowdash_action "Do";
            flowdash_step "Cached" {
                proxy_cache cache;
                proxy_cache_key empty;
                proxy_cache_valid 204 1m;
                proxy_pass http://127.0.0.1:%%PORT_empty%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /ssi {
            ssi on;
            flowdash_action "Do";
            flowdash_step "HTML" {
                proxy_pass http://127.0.0.1:%%PORT_html%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /ssi/cut {
            ssi on;
            flowdash_action "Do";
            flowdash_step "HTML" {
                proxy_pass http://127.0.0.1:%%PORT_cut%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /unread {
            client_max_body_size 20;
            error_page 400 413 = @fallback;
            flowdash_action "Do";
            flowdash_step "Bad" { proxy_pass http://127.0.0.1:%%PORT_bad%%; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /mirrored/page {
            mirror /second/page;
            proxy_pass http://127.0.0.1:%%PORT_good%%;
        }

        location = /second/page {
            error_page 403 = @fallback;
            flowdash_action "Second";
            flowdash_step "Bad" { proxy_pass http://127.0.0.1:%%PORT_bad%%; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /cached/small {
            flowdash_action "Do";
            flowdash_step "Cached" {
                proxy_cache cache;
                proxy_cache_key cached;
                proxy_pass http://127.0.0.1:%%PORT_cached%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }
}
EOC

$t->run;

sub app {
    my @requests = $t->requests('app');
    $t->clear_requests('app');
    return @requests;
}

# an action that depends on the task

my @json = ('Content-Type', 'application/json');
my $completed = '{"task":{"Stage":"Completed"}}';

is($t->post_json('/if-completed', '{"task":{"Stage":"Open"}}')->{status}, 200,
    'not an action this time');
is(scalar app(), 1, 'the app gets it');

for (
    [ 502, $completed, @json ],
    [ 400, '{"task":{"Stage":"Completed","Stage":"Completed"}}', @json ],
    [ 400, '{"task":{"Stage":"Completed"},}', @json ],
    [ 400, '{"task":{"stage":"Open","Stage":"Completed"}}', @json ],
    [ 400, '{"task":{"Stage":"Completed","a":' . '[' x 200 . ']' x 200 . '}}',
        @json ],
    [ 415, $completed, 'Content-Type', 'application/vnd.api' ],
    [ 415, $completed ],
    [ 415, $completed, @json, 'Content-Encoding', 'x-identity' ],
    [ 415, $completed, @json, 'Content-Type', 'text/plain' ],
) {
    my ($status, $body, @headers) = @$_;
    my $name = substr($body, 0, 40) . " @headers";

    is($t->request('POST', '/if-completed', body => $body,
        headers => \@headers)->{status}, $status, "$name: $status");
    is(scalar app(), 0, 'the app is not reached');
}

# an error page by the app

is($t->post_json('/fallback', $completed)->{status}, 200, 'a fallback');
my ($app) = app();
is($app->{method}, 'GET', 'is asked for a page only');
is($app->{body}, '', 'without the body');
is($app->header('Content-Type') // $app->header('Content-Length'), undef,
    'and its headers');

# redirects

is($t->post_json('/first', $completed)->{status}, 502,
    'no action in the first location, one in the second');
is($t->post_json('/first', $completed, headers => [ 'X-Maybe', 'First' ])
    ->{status}, 200, 'an action in the first, not again in the second');
is(scalar app(), 1, 'reaches the app once');

# subrequests of others

is($t->post_json('/mirrored', $completed)->{status}, 200, 'mirror');
$t->wait_for(sub { $t->error_log =~ /subrequest of another module/ });
like($t->error_log, qr/subrequest of another module to an action/,
    'does not enter an action');
is(scalar app(), 0, 'the app is not reached');

# answers that nginx's filters and cache have

my $res = $t->post_json('/gunzip', $completed);
is($res->{status}, 502, 'an answer that a filter fails on');
like($res->{body}, qr/Broken/, 'has its page');
is(scalar app(), 0, 'the app is not reached');

is($t->post_json('/cached', $completed)->{status}, 200, 'cached') for 1, 2;
is(scalar app(), 2, 'the app is reached');
is($t->post_json('/cached/small', $completed)->{status}, 502,
    'too large from the cache') for 1, 2;
is(scalar app(), 0, 'the app is not reached');
is(scalar $t->requests('cached'), 1, 'by the cache');

# an empty answer from the cache, and the end that SSI keeps to itself

is($t->post_json('/cached/empty', $completed)->{status}, 200, 'empty, cached')
    for 1, 2;
is($t->post_json('/ssi', $completed)->{status}, 200, 'HTML under ssi');
is(scalar app(), 3, 'the app is reached');
is($t->post_json('/ssi/cut', $completed)->{status}, 502, 'HTML broken off');
is(scalar app(), 0, 'the app is not reached');

# bodies that nginx cannot read, with an error page by the app

my $head = "POST /unread HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
           . "Content-Type: application/json\r\n"
           . "Transfer-Encoding: chunked\r\n\r\n";

for ([ 'broken', 'zzz' ], [ 'too large', "20\r\n" . ' ' x 32 . "\r\n0\r\n\r\n" ]) {
    my ($name, $rest) = @$_;

    $t->raw_request([ $head . "B\r\n{\"task\":{}}\r\n", \0.2, "$rest\r\n" ]);
    ($app) = app();
    is($app && $app->{method}, 'GET', "$name chunk: a page only");
    is($app && $app->{body}, '', 'without the body');
}

is($t->post_json('/mirrored/page', $completed)->{status}, 200, 'mirror');
$t->wait_for(sub { 2 == (() = $t->error_log =~ /subrequest of another/g) });
is(scalar app(), 0, 'no page of the app for it');

# an action, while a subrequest still sends the body that was read before

my $long = '{"task":{"Stage":"Completed"},"pad":"'
    . join('', map { "$_ " } 1 .. 1_500_000) . '"}';

is($t->post_json('/mirrored/late', $long)->{status}, 200, 'mirror, and action');
($app) = app();
ok($app && $app->{body} eq $long, 'the app has the body');
$t->write_file('go', '');
$t->wait_for(sub { $t->requests('late') });
ok(($t->requests('late'))[0]{body} eq $long, 'and so has the other');

$t->allow_log(qr/inflate\(\) failed/);

$t->done;
