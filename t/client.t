#!/usr/bin/perl

# A client that goes away: before the first call the action is dropped, after
# it the action runs to its end, and so does the app.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_LINGER);

my $t = Test::Flowdash->new;

# They answer once the test lets them.

my $go = $t->dir . '/go';
my $let = sub { -e $go };

$t->endpoint($_ => {
    until => $let,
    headers => [ 'Content-Type' => 'application/json' ],
    body => '{"task":{"Date":"new"}}',
}) for qw(one two);
$t->endpoint(fails => { until => $let, status => 500 });
$t->endpoint(app => { body => 'stored' });
$t->endpoint(accel => { headers => [ 'X-Accel-Redirect' => '/hidden' ] });

# it answers when the client has left

my $left = $t->dir . '/left';
$t->endpoint(slow => { until => sub { -e $left }, body => 'done' });

$t->config(<<'EOC');
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%

    log_format flow '$request_uri $status $flowdash_result $flowdash_step_status'
                    ' $flowdash_client_left';

    proxy_cache_path %%DIR%%/cache keys_zone=lock:1m;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        listen 127.0.0.1:%%PORT_h2%% http2;

        access_log %%DIR%%/flow.log flow;

        location /call {
            flowdash_action "Do";
            flowdash_step "One" {
                flowdash_call http://127.0.0.1:%%PORT_one%%/;
            }
            flowdash_step "Two" {
                flowdash_call http://127.0.0.1:%%PORT_two%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /proxy {
            flowdash_action "Do";
            flowdash_step "One" {
                proxy_pass http://127.0.0.1:%%PORT_one%%/;
            }
            flowdash_step "Two" {
                proxy_pass http://127.0.0.1:%%PORT_two%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        # ways from the action to the app

        flowdash_connect_timeout 100s;
        proxy_read_timeout 900s;

        location /direct {
            flowdash_action "Do";
            flowdash_step "Any" { return 204; }
            proxy_pass http://127.0.0.1:%%PORT_slow%%;
        }

        location /named {
            flowdash_action "Do";
            flowdash_step "Any" { return 204; }
            try_files /nowhere @app;
        }

        location @app { proxy_pass http://127.0.0.1:%%PORT_slow%%; }

        location /accel {
            flowdash_action "Do";
            flowdash_step "Any" { return 204; }
            proxy_pass http://127.0.0.1:%%PORT_accel%%;
        }

        location /hidden {
            internal;
            proxy_method POST;
            proxy_pass http://127.0.0.1:%%PORT_slow%%;
        }

        location /page {
            flowdash_action "Do";
            flowdash_step "Any" { return 204; }
            proxy_pass http://127.0.0.1:%%PORT_nobody%%;
            error_page 502 = /hidden;
        }

        location /variable {
            set $app 127.0.0.1:%%PORT_slow%%;
            flowdash_action "Do";
            flowdash_step "Any" { return 204; }
            proxy_pass http://$app;
        }

        location /lock {
            flowdash_action "Do";
            flowdash_step "Any" { return 204; }
            proxy_cache lock;
            proxy_cache_methods POST;
            proxy_cache_key lock;
            proxy_cache_lock on;
            proxy_cache_lock_timeout 10ms;
            proxy_ignore_client_abort on;
            proxy_pass http://127.0.0.1:%%PORT_slow%%;
        }

        # apps that are not there

        location /down/tcp {
            flowdash_action "Do";
            flowdash_step "Any" { return 204; }
            proxy_pass http://127.0.0.1:%%PORT_nobody%%;
        }

        location /down/unix {
            flowdash_action "Do";
            flowdash_step "Any" { return 204; }
            proxy_pass http://unix:%%DIR%%/nobody.sock;
        }

        location /fails {
            flowdash_action "Do";
            flowdash_step "One" {
                flowdash_call http://127.0.0.1:%%PORT_fails%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }
}
EOC

$t->run;

sub head {
    my ($uri, $length) = @_;
    return "POST $uri HTTP/1.1\r\nHost: localhost\r\n"
           . "Content-Type: application/json\r\nContent-Length: $length\r\n\r\n";
}

# what has become of an action

sub logged {
    my ($uri) = @_;
    $t->write_file('go', '');
    $t->wait_for(sub { ($t->read_file('flow.log') // '') =~ /^\Q$uri\E /m });
    unlink $go;
    my ($line) = ($t->read_file('flow.log') // '') =~ /^\Q$uri\E (.*)$/m;
    return $line;
}

# $flowdash_client_left, which the line in the error log has, too

my $time = qr/\d+\.\d{3}/;

sub times_in_log {
    my ($uri) = @_;
    return $t->error_log
        =~ m{ \[warn\] .*?flowdash: the client left after ($time)s, (?x:
              )action "Do" continues, id \w+[^,\n]*, client: .*"POST \Q$uri\E }g;
}

sub counts {
    my @counts = map { scalar $t->requests($_) } @_;
    $t->clear_requests($_) for @_;
    return "@counts";
}

# before the first call

my $s = $t->connect;
print $s head('/call/before', 100), '{"task"';
close $s;

like(logged('/call/before'), qr/^4\d\d - - -$/, 'the client left during its body');
is(counts(qw(one two app)), '0 0 0', 'nothing was called');

# after it, by close and by reset

for my $reset (0, 1) {
    for my $engine (qw(call proxy)) {
        my $uri = "/$engine/after/$reset";

        $s = $t->connect;
        $s->autoflush(1);
        print $s head($uri, 2), '{}';
        $t->wait_for(sub { scalar $t->requests('one') });
        setsockopt($s, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)) if $reset;
        close $s;

        like(logged($uri), qr/^\d+ ok 200 : 200 $time$/, "$uri: ran to its end");

        my $two = $t->only_request('two');
        my $app = $t->only_request('app');
        is($two->{json}{task}{Date}, 'new', 'the second step got the change');
        is($app->{body}, '{"task":{"Date":"new"}}', 'and the app');
        is(counts(qw(one two app)), '1 1 1', 'each was called once');
    }
}

# HTTP/2: curl is stopped, and the connection is closed

for my $engine (qw(call proxy)) {
    my $uri = "/$engine/h2";
    my $pid = fork() // die;

    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec 'curl', '-s', '--http2-prior-knowledge', '-d', '{}',
            '-H', 'Content-Type: application/json',
            'http://127.0.0.1:' . $t->port('h2') . $uri;
    }

    $t->wait_for(sub { scalar $t->requests('one') });
    kill 'KILL', $pid;
    waitpid $pid, 0;

    like(logged($uri), qr/^\d+ ok 200 : 200 $time$/, "$uri: ran to its end");
    is(counts(qw(one two app)), '1 1 1', 'each was called once');
}

# the client leaves when the app has the request

for my $way (qw(direct named accel page variable)) {
    for my $reset (0, 1) {
        my $uri = "/$way/$reset";

        $s = $t->connect;
        $s->autoflush(1);
        print $s head($uri, 2), '{}';
        $t->wait_for(sub { scalar $t->requests('slow') });
        setsockopt($s, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)) if $reset;
        close $s;
        $t->get('/nothing');            # nginx has seen that it has left
        is($t->read_file('flow.log') =~ /^\Q$uri\E /m, '',
           "$uri: the app's request goes on");
        $t->write_file('left', '');
        # an error page asks for a page, with GET

        my $result = $way eq 'page' ? 'refused' : 'ok';
        like(logged($uri), qr/^\d+ $result 204 $time$/,
             "$uri: until the app answers");
        unlink $left;
        $t->only_request('slow');
        $t->clear_requests('slow');
    }
}

$t->new_requests('accel');

# it leaves when its request, which has waited for another one, is with the app

my @waiting = map {
    my $n = $_;
    my $socket = $t->connect;
    $socket->autoflush(1);
    print $socket head("/lock/$n", 2), '{}';
    $t->wait_for(sub { $t->requests('slow') == $n });
    $socket;
} 1 .. 2;
close $waiting[1];
$t->get('/nothing');
is($t->read_file('flow.log') =~ m{^/lock/2 }m, '', 'a lock: it goes on');
$t->write_file('left', '');
like(logged('/lock/1'), qr/^\d+ ok 204 -$/, 'a lock: the one that stays ends');
like(logged('/lock/2'), qr/^\d+ ok 204 $time$/, 'a lock: the other one ends');
unlink $left;
$t->clear_requests('slow');

# an app that is not there: the client, which stays, is told

is($t->post_json("/down/$_", '{}')->{status}, 502, "$_: 502")
    for qw(tcp unix);
$t->allow_log(qr/\[crit\].*nobody\.sock/);

# a failure that nobody waits for

$s = $t->connect;
$s->autoflush(1);
print $s head('/fails', 2), '{}';
$t->wait_for(sub { scalar $t->requests('fails') });
close $s;

like(logged('/fails'), qr/^502 failed 500 $time$/, 'failed without a client');
is(counts('app'), '0', 'the app is not reached');

# pipelined requests on one connection

$t->write_file('go', '');
my $raw = $t->raw_request(join('', map { head("/call/pipe$_", 2) . '{}' } 1 .. 2)
    . "GET /none HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
like(logged("/call/pipe$_"), qr/^200 ok 200 : 200 -$/, 'nobody has left')
    for 1 .. 2;
is(() = $raw =~ /stored/g, 2, 'pipelined requests are answered');
is(counts(qw(one two app)), '2 2 2', 'each was called');

# one line for each that left, with the same time, and none for the others

my %left = ($t->read_file('flow.log') // '')
           =~ m{^(\S+) \d+ (?:ok|failed|refused) [^\n]*?(-|\d+\.\d{3})$}mg;
my @left = sort grep { $left{$_} ne '-' } keys %left;

is_deeply([ map { times_in_log($_) } @left ], [ map { $left{$_} } @left ],
          'the error log has the same times');
is(scalar @left, 4 + 2 + 10 + 1 + 1, 'of all that left');
is(() = $t->error_log =~ /the client left/g, scalar @left, 'and of nobody else');

$t->done;
