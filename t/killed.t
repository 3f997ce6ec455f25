# A worker is killed in the middle of actions: "running" says what really runs,
# at once and later on.  Old and new workers of a reload both count.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Mojo::JSON qw(decode_json);

my $t = Test::Flowdash->new;

$t->endpoint(slow => {
    until => sub { -e $t->dir . '/go' },
    headers => [ 'Content-Type' => 'application/json' ],
    body => '{"task":{"A":2}}',
});
$t->endpoint(app => { body => 'stored' });

# one worker, so that it is known who has what

$t->config(<<'END');
    flowdash_zone flowdash:1m;

    server {
        listen 127.0.0.1:%%PORT_http%%;

        location = /status { flowdash_status json; }
        location = /metrics { flowdash_status prometheus; }

        location /one {
            flowdash_action "One";
            flowdash_timeout 600s;
            flowdash_deadline 600s;
            flowdash_step "Slow" {
                flowdash_call http://127.0.0.1:%%PORT_slow%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /two {
            flowdash_action "Two";
            flowdash_timeout 600s;
            flowdash_deadline 600s;
            flowdash_step "Slow" {
                proxy_pass http://127.0.0.1:%%PORT_slow%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }
END
$t->run;
$t->allow_log(qr/exited on signal 9/);

# how many run: of One, of Two; both formats say the same

sub running {
    my $status = decode_json($t->get('/status')->{body});
    my %running = map { $_->{name} => $_->{running} } @{ $status->{actions} };
    my $text = $t->get('/metrics')->{body};

    for my $name (qw(One Two)) {
        $text =~ /^flowdash_actions_running\{action="$name"\} (\d+)$/m;
        is($1, $running{$name}, "$name: both formats agree");
    }

    return "$running{One} $running{Two}";
}

# starts actions, which wait for the endpoint

my $calls = 0;

sub start {
    my @started = map {
        $t->start('POST', $_, body => '{"task":{"A":1}}', timeout => 600,
                  headers => [ 'Content-Type' => 'application/json' ])
    } @_;

    $calls += @started;
    ok($t->wait_for(sub { $t->requests('slow') == $calls }), 'they wait');
    return @started;
}

# kills a worker, and waits until nothing of it is left

sub kill_worker {
    my ($pid) = @_;
    kill KILL => $pid;
    ok($t->wait_for(sub { !kill 0 => $pid }), 'a worker is killed');
    ok($t->wait_for(sub { $t->worker_pids == 1 }), 'there is one worker');
}

is(running(), '0 0', 'at first nothing runs');

my @lost = start('/one', '/one', '/two');
is(running(), '2 1', 'all are counted');

kill_worker($t->worker_pids);
is(running(), '0 0', 'what a killed worker had runs no more');
is($t->finish($_)->{status}, 0, 'its client gets nothing') for @lost;

my @first = start('/two');
is(running(), '0 1', 'its successor begins with nothing');

# an old worker that has one, and the new one

my ($old) = $t->worker_pids;
ok($t->reload, 'reloaded');
is(running(), '0 1', 'the old worker counts');

my @second = start('/one', '/two');
is(running(), '1 2', 'both workers count');

kill_worker($old);
is(running(), '1 1', 'the old worker counts no more, the new one does');
is($t->finish($_)->{status}, 0, 'its client gets nothing') for @first;

# twice in a row; nobody looks before the next one begins

kill_worker($t->worker_pids);
kill_worker($t->worker_pids);
is($t->finish($_)->{status}, 0, 'the client gets nothing') for @second;

my @third = start('/one');
is(running(), '1 0', 'one runs');

$t->write_file('go', '');
is($t->finish($_)->{body}, 'stored', 'it ends') for @third;
is(running(), '0 0', 'nothing runs any more');

$t->done;
