# docs/scaling-out.md: two nodes behind HAProxy, and behind nginx, with the
# page's own configurations.  A node that stops, dies or is taken out; a user
# who always gets the same node; and the queries, which add the nodes up.

use FindBin;
use lib "$FindBin::Bin/lib";
use feature 'signatures';
no warnings 'experimental::signatures';
use Test::Flowdash;

use File::Spec;
use JSON::PP qw(decode_json);
use List::Util qw(first sum0 uniq);
use MIME::Base64;

my ($haproxy, $promtool) = map {
    my $name = $_;
    first { -x } map { "$_/$name" } File::Spec->path, '/usr/sbin';
} qw(haproxy promtool);

my $page = do {
    open my $file, '<', "$FindBin::Bin/../docs/scaling-out.md" or die "$!\n";
    local $/;
    readline $file;
};

# the block of a language that begins with this comment
sub block ($language, $comment) {
    my ($text) = $page =~ /^```$language\n(\Q# $comment\E\n.*?)^```$/ms;
    die "no block of $language has the comment: $comment\n" if !$text;
    return $text;
}


# The nodes.  Each is an nginx of its own; endpoint and app are the first one's.

my @nodes = map { Test::Flowdash->new } 1, 2;
my $t = $nodes[0];

$t->endpoint(crm => sub ($request) {
    my $hold = $request->{body} =~ /"hold"/;
    return { headers => [ 'Content-Type' => 'application/json' ],
             body => '{"task":{"Expected Close Date":"2020-02-01"}}',
             $hold ? (until => sub { -e $t->dir . '/go' }) : () };
});
$t->endpoint(app => { body => 'done' });

my $node = block(nginx => 'each node: /etc/nginx/sites-available/tasks');
my %password = map { $_ => "secret-$_" } map { "user$_" } 1 .. 24;

for my $n (0, 1) {
    my $dir = $nodes[$n]->dir;
    my $conf = $node =~ s/10\.0\.0\.21:3000/'127.0.0.1:' . $t->port('app')/er
        =~ s{https://crm\.example\.com}{'http://127.0.0.1:' . $t->port('crm')}er
        =~ s{/etc/nginx/tasks\.users}{$dir/tasks.users}r
        =~ s{/run/nginx\.drain}{$dir/nginx.drain}r
        =~ s/listen 8080;/listen 127.0.0.1:%%PORT_http%%;/r
        =~ s/listen 9145;/listen 127.0.0.1:%%PORT_numbers%%;/r
        =~ s/set_real_ip_from 10\.0\.0\.5;/set_real_ip_from 127.0.0.1;/r
        =~ s/allow 10\.0\.0\.9;/allow 127.0.0.1;/r;

    $nodes[$n]->write_file('tasks.users', join '',
        map { "$_:{PLAIN}$password{$_}\n" } sort keys %password);
    $nodes[$n]->config("%%GLOBALS%%\nevents { }\nhttp {\n%%HTTP_GLOBALS%%\n"
                       . "log_format user '\$remote_user \$remote_addr';\n"
                       . "access_log $dir/users.log user;\n$conf\n}\n");
    $nodes[$n]->run;
}

my @address = map { '127.0.0.1:' . $_->port('http') } @nodes;

# an action through a balancer
sub act ($balancer, %option) {
    my $user = $option{user} // 'user1';
    my $exchange = $t->start($option{method} // 'POST', '/tasks/7/finish',
        port => $balancer, socket => $option{socket},
        headers => [ 'Content-Type' => 'application/json',
                     Authorization => 'Basic '
                         . encode_base64("$user:$password{$user}", ''),
                     @{ $option{headers} // [] } ],
        body => '{"task":{"Stage":"' . ($option{stage} // 'Done') . '"}}');
    return $option{wait} // 1 ? $t->finish($exchange) : $exchange;
}

# a number of each node
sub numbers ($metric) {
    return map {
        my $metrics = $t->get('/metrics', port => $_->port('numbers'))->{body};
        sum0($metrics =~ /^$metric(?:\{.*\})? (\S+)$/mg);
    } @nodes;
}

sub ended { return numbers('flowdash_action_duration_seconds_count') }

# calls and requests to the app that were made since
sub told ($name) {
    return (scalar $t->new_requests('crm')) . ' '
        . (scalar $t->new_requests('app'));
}


# HAProxy.

sub haproxy ($name, $change = sub ($conf) { $conf }) {
    my $port = $t->port($name);
    my $conf = block(haproxy => 'the balancer: /etc/haproxy/haproxy.cfg');

    $conf =~ s/bind :80\b/bind 127.0.0.1:$port/ or die 'bind';
    $conf =~ s/10\.0\.0\.1${\($_ + 1)}:8080/$address[$_]/ or die 'server'
        for 0, 1;
    $conf =~ s/inter 2s/inter 500ms/ or die 'inter';
    my $path = $t->write_file("$name.cfg", $change->($conf));

    my $said = qx{$haproxy -c -f $path 2>&1};
    is($said =~ /\[(?:ALERT|WARNING)\]/ || $? ? $said : '', '',
       "$name: HAProxy agrees");

    $t->server($name => sub ($listen, $record) {
        exec $haproxy, '-db', '-q', '-f', $path or die "$haproxy: $!\n";
    });
    is_ready($name);
    return;
}

# until the balancer is there; a connection may meet the socket that was reserved
sub is_ready ($balancer) {
    return $t->wait_for(sub {
        my $ready = eval { $t->get('/ready', port => $balancer)->{status} };
        return ($ready // 0) == 200;
    });
}

# until the balancer has found both nodes
sub both_work ($balancer) {
    $t->wait_for(sub {
        my @before = ended();
        act($balancer) for 1 .. 4;
        my @now = ended();
        return $now[0] > $before[0] && $now[1] > $before[1];
    });
    told($balancer);
}

subtest 'behind HAProxy' => sub {
    plan(skip_all => 'there is no HAProxy') if !$haproxy;
    haproxy('haproxy');
    walk_through('haproxy', 'haproxy', 502);
    node_that_leaves();
};

subtest 'HAProxy, the same node for a user or a task' => sub {
    plan(skip_all => 'there is no HAProxy') if !$haproxy;

    # what the page says to write for a cookie
    my ($cookie) = $page =~ /`(req\.cook\(session\))`/ or die 'cookie';

    for my $by (qw(user session task)) {
        my $hash = block(haproxy => 'by the ' . ($by eq 'task' ? $by : 'user'))
            =~ s/^#.*\n//r;
        $hash =~ s/req\.hdr\(authorization\)/$cookie/ or die 'header'
            if $by eq 'session';
        haproxy("by_$by", sub ($conf) {
            $conf =~ s/^ *balance leastconn\n/$hash/m or die 'balance';
            return $conf;
        });
        same_node("by_$by", $by);
    }
};


# nginx as the balancer is a third one.

my $balancer = Test::Flowdash->new(module => 0);

# the page's variables for a user, in place of the task
my ($by_user) = $page =~ /`hash (\$http_authorization) consistent;`/
    or die 'user';
my ($by_session) = $page =~ /`(\$cookie_session)`/ or die 'session';

for my $how ('the balancer: nginx', 'by the task', 'by the user',
             'by the session')
{
    my ($by) = $how =~ /^by the (\w+)$/;
    my $conf = block(nginx => 'the balancer: nginx');

    if ($by) {
        my $other = block(nginx => 'by the task');
        my $key = $by eq 'user' ? $by_user : $by_session;
        $other =~ s/hash \$task /hash $key / if $by ne 'task';
        $conf =~ s/^upstream gateways \{.*?^\}\n/$other/ms or die 'upstream';
    }

    $conf =~ s/10\.0\.0\.1${\($_ + 1)}:8080/$address[$_]/ or die 'server'
        for 0, 1;
    $conf =~ s/fail_timeout=10s/fail_timeout=1s/g;
    my $port = $balancer->port($how =~ s/\W//gr);
    $conf =~ s/listen 80;/listen 127.0.0.1:$port;/ or die 'listen';
    $balancer->config($conf);
    $balancer->run;

    if ($by) {
        subtest "nginx, the same node for a $by" => sub {
            same_node($port, $by);
        };
    } else {
        subtest 'behind nginx' => sub { walk_through('nginx', $port, 502) };
        subtest 'behind nginx, a PUT' => sub { put_again($port) };
    }

    $balancer->stop;
}


# What is true of each balancer.

sub walk_through ($name, $port, $broken) {
    both_work($port);
    my @before = ended();
    is(act($port)->{status}, 200, 'an action') for 1 .. 20;
    my @after = ended();
    is(told($port), '20 20', 'each calls the endpoint and the app once');

    my @share = map { $after[$_] - $before[$_] } 0, 1;
    is(sum0(@share), 20, 'the nodes have counted them together');
    ok(!(grep { !$_ } @share), 'each has counted some') or diag("@share");

    my $number = $port =~ /^\d+$/ ? $port : $t->port($port);
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.2',
                                       PeerAddr => "127.0.0.1:$number");
    my $res = act($port, socket => $socket,
                  headers => [ 'X-Forwarded-For' => '192.0.2.99' ]);
    is($res->{status}, 200, 'a client that chooses an address');
    is(told($port), '1 1', 'passes');

    # the line is written after the response was sent
    my $lines;
    $t->wait_for(sub {
        $lines = join '', map { $_->read_file('users.log') } @nodes;
        return $lines =~ /^user1 127\.0\.0\.2$/m;
    });
    like($lines, qr/^user1 127\.0\.0\.2$/m, 'has its own address');
    unlike($lines, qr/ 192\.0\.2\.99$/m, 'and no other');
    $_->write_file('users.log', '') for @nodes;

    subtest 'the same key, the same calls' => sub {
        my $headers = [ 'Idempotency-Key' => "key-of-$name" ];
        my @one = ended();
        act($port, headers => $headers) for 1 .. 6;
        my @two = ended();
        ok($two[$_] > $one[$_], "node $_ had one of them") for 0, 1;
        my @calls = $t->new_requests('crm');
        is(scalar @calls, 6, 'six calls');
        is(scalar uniq(map { header($_, 'Idempotency-Key') } @calls), 1,
           'with one key');
        $t->new_requests('app');
    };

    subtest 'a node stops' => sub {
        my $exchange = act($port, stage => 'hold', wait => 0);
        $t->wait_for(sub { sum0(numbers('flowdash_actions_running')) });
        my ($busy) = grep { (numbers('flowdash_actions_running'))[$_] } 0, 1;

        # "nginx -s quit": its socket is closed at once, its action goes on
        $nodes[$busy]->signal('QUIT');
        $t->wait_for(sub { !IO::Socket::INET->new(PeerAddr => $address[$busy]) });
        is(act($port)->{status}, 200, 'the next request works') for 1 .. 4;

        $t->write_file('go', '');
        is($t->finish($exchange)->{status}, 200, 'so does the one it had');
        unlink $t->dir . '/go';
        is(told($port), '5 5', 'nothing was called twice');

        is($nodes[$busy]->stop, 0, 'the node has ended');
        $nodes[$busy]->run;
        both_work($port);
    };

    subtest 'a node dies in an action' => sub {
        my $exchange = act($port, stage => 'hold', wait => 0);
        kill_busy();
        is($t->finish($exchange)->{status}, $broken, 'the client is told');
        is(told($port), '1 0', 'nothing is sent to the other node');
        both_work($port);
    };
}

# A PUT is sent to the second node, and its call has the same key.

sub put_again ($port) {
    my $exchange = act($port, method => 'PUT', stage => 'hold', wait => 0);
    kill_busy();
    $t->wait_for(sub { $t->requests('crm') > 1 });
    $t->write_file('go', '');
    is($t->finish($exchange)->{status}, 200, 'the other node has done it');
    unlink $t->dir . '/go';

    my @calls = $t->new_requests('crm');
    is(scalar @calls, 2, 'the endpoint was called twice');
    is(scalar uniq(map { header($_, 'Idempotency-Key') } @calls), 1,
       'with one key');
    $t->only_request('app');
}

# kills the node that runs an action, and starts it again
sub kill_busy {
    my $busy;
    $t->wait_for(sub {
        my @running = numbers('flowdash_actions_running');
        ($busy) = grep { $running[$_] } 0, 1;
        return defined $busy;
    });
    $t->wait_for(sub { scalar $t->requests('crm') });

    my $dead = $nodes[$busy];
    kill KILL => $dead->master_pid, $dead->worker_pids;
    $dead->stop;
    pop @{ $dead->{exits} };
    $dead->run;
    return;
}

# "touch /run/nginx.drain"

sub node_that_leaves {
    my $exchange = act('haproxy', stage => 'hold', wait => 0);
    $t->wait_for(sub { sum0(numbers('flowdash_actions_running')) });
    my ($busy) = grep { (numbers('flowdash_actions_running'))[$_] } 0, 1;
    my $drain = $nodes[$busy]->write_file('nginx.drain', '');

    # HAProxy has asked when all requests are the other's
    $t->wait_for(sub {
        my @before = ended();
        act('haproxy') for 1 .. 12;
        my @now = ended();
        return $now[$busy] == $before[$busy];
    });
    told('haproxy');

    my $before = (ended())[$busy];
    is(act('haproxy')->{status}, 200, 'the other node works') for 1 .. 5;
    is((ended())[$busy], $before, 'alone');

    $t->write_file('go', '');
    is($t->finish($exchange)->{status}, 200, 'a running action is not cut off');
    unlink $t->dir . '/go';
    is((ended())[$busy], $before + 1, 'its node has ended it');

    unlink $drain;
    both_work('haproxy');
}

sub same_node ($port, $by) {
    my %where;

    for my $name (sort keys %password) {
        my $path = $by eq 'task' ? "/tasks/$name/finish" : '/tasks/7/finish';
        my $user = $by eq 'user' ? $name : 'user1';
        my $login = 'Basic ' . encode_base64("$user:$password{$user}", '');

        for (1 .. 3) {
            my @before = ended();
            my $res = $t->post_json($path, '{"task":{}}', port => $port,
                                    headers => [ Authorization => $login,
                                        $by eq 'session'
                                            ? (Cookie => "session=$name") : () ]);
            die "$path: $res->{status}\n" if $res->{status} != 200;
            my @after = ended();
            my ($node) = grep { $after[$_] > $before[$_] } 0, 1;
            $where{$name}{$node}++;
        }
    }

    is(join(' ', grep { keys %{ $where{$_} } > 1 } sort keys %where), '',
       "each $by has one node");
    is(scalar uniq(map { keys %$_ } values %where), 2, 'both nodes have some');
    told($port);
}


# The queries find what both nodes have counted.

subtest 'queries' => sub {
    plan(skip_all => 'there is no promtool') if !$promtool;

    my @queries = $page =~ /^```promql\n(.*?)^```$/gms;
    is(scalar @queries, 5, 'the page has queries');

    my (%series, %last);

    for my $n (0, 1) {
        my $metrics = $t->get('/metrics', port => $nodes[$n]->port('numbers'))
            ->{body} =~ s/libcurl="[^"]*"/libcurl="8"/r;
        $metrics =~ s/\bversion="[^"]*"/version="0.$n"/;

        # from nothing to what the node says, in five minutes
        for ($metrics =~ /^(flowdash_.*)$/mg) {
            my ($name, $value) = /^(.*) (\S+)$/ or die $_;
            my $instance = sprintf 'instance="10.0.0.1%d:9145"', $n + 1;
            $name =~ s/\{/{$instance,/ or $name .= '{' . $instance . '}';
            my $constant = $name =~ /running|info/;
            $series{$name} = $constant ? "$value+0x6"
                : sprintf '0+%sx6', $value / 5;
            $last{"$n $1"} += $value if $name =~ /^(\w+)/;
        }
    }

    my $ended = sum0(map { $last{"$_ flowdash_action_duration_seconds_count"} }
                     0, 1);
    cmp_ok($ended, '>', 10, 'there is something to add up');

    # one line of YAML
    my $line = sub ($text) {
        return "'" . ($text =~ s/\s+/ /gr =~ s/ $//r =~ s/'/''/gr) . "'";
    };
    my @tests = (
        [ "round($queries[0])", '{action="Finish"}', $ended ],
        [ "count($queries[1])", '', 0 ],
        [ "count($queries[2] > 0)", '{}', 1 ],
        [ $queries[3], '{action="Finish"}', 0 ],
        [ $queries[4], '{}', 2 ],
    );

    my $yaml = "evaluation_interval: 1m\ntests:\n  - interval: 1m\n"
        . "    input_series:\n";
    for my $name (sort keys %series) {
        $yaml .= '      - series: ' . $line->($name)
            . "\n        values: $series{$name}\n";
    }
    $yaml .= "    promql_expr_test:\n";
    for my $test (@tests) {
        my ($query, $labels, $value) = @$test;
        $yaml .= '      - expr: ' . $line->($query) . "\n        eval_time: 5m\n";
        $yaml .= "        exp_samples:\n          - labels: " . $line->($labels)
            . "\n            value: $value\n" if $labels;
    }

    my $path = $t->write_file('queries.yml', $yaml);
    my $output = qx{$promtool test rules $path 2>&1};
    is($?, 0, 'promtool agrees') or diag($output);
};

for my $name ('the second node', 'the balancer') {
    my $other = $name eq 'the balancer' ? $balancer : $nodes[1];
    subtest $name => sub { $other->done };
}

$t->done;
