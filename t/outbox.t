# flowdash_outbox end to end: what waits there survives the end of a worker, of
# nginx, a reload and kill -9, and is sent by another worker.

use v5.36;

use File::Path qw(make_path);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;
my $box = $t->dir . '/box';

# endpoints and the app look at these files: they are down while theirs exists

sub down { $t->write_file("$_.down", '') for @_; return }
sub up   { unlink map { $t->dir . "/$_.down" } @_; return }

my $is_down = sub ($name) { -e $t->dir . "/$name.down" };

$t->endpoint($_ => do { my $name = $_; sub {
    return { status => $is_down->($name) ? 503 : 200 };
} }) for qw(step undo after);

$t->endpoint(app => sub {
    return { status => 204 } if !$is_down->('app');
    return { status => 422 };
});
$t->endpoint(slow => { status => 204, until => sub { -e $t->dir . '/go' } });

$t->write_file('key', 'k' x 32);
chmod 0600, $t->dir . '/key';

sub location {
    my ($name, $step, $app) = @_;
    return <<"END";
    location /$name {
        flowdash_action Finish;
        flowdash_step One {
            flowdash_call http://127.0.0.1:%%PORT_$step%%/;
            flowdash_undo { flowdash_call http://127.0.0.1:%%PORT_undo%%/; }
        }
        flowdash_after Mail { flowdash_call http://127.0.0.1:%%PORT_after%%/; }
        proxy_pass http://127.0.0.1:%%PORT_$app%%/;
    }
END
}

my $conf = <<"END";
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP_GLOBALS%%
    flowdash_zone flowdash:1m;
    flowdash_outbox $box key=file:key fsync=off;
    server {
        listen 127.0.0.1:%%PORT_http%%;
        location = /status { flowdash_status json; }
        location = /status.html { flowdash_status html; }
        location = /status.txt { flowdash_status prometheus; }
@{[ location('finish', 'step', 'app') ]}
@{[ location('step_hangs', 'slow', 'app') ]}
@{[ location('app_hangs', 'step', 'slow') ]}
    }
}
END

$t->config($conf)->run;

sub finish {
    return $t->post_json('/finish', '{"task":{"A":"1"}}');
}

# all files of records below a directory of the outbox

sub files {
    my ($pattern) = @_;
    return grep { -f && !m{/(?:lock|scan\.lock)$} } glob "$box/$pattern";
}

sub empty { return !files('*/*') && !files('*/*/*') }


# Sent at once

is(finish()->{status}, 204, 'the app does it');
ok($t->wait_for(sub { $t->requests('after') == 1 }), 'the after-step runs');
$t->new_requests($_) for qw(step after);
ok($t->wait_for(\&empty), 'nothing is left in the outbox');

down('app');
is(finish()->{status}, 422, 'the app refuses');
ok($t->wait_for(sub { $t->requests('undo') == 1 }), 'the step is undone');
$t->new_requests($_) for qw(step undo);
ok($t->wait_for(\&empty), 'nothing is left in the outbox');
up('app');


# An endpoint that is down, and all that can happen to nginx in the meantime

down('after');
is(finish()->{status}, 204, 'the client does not wait for an endpoint');
ok($t->wait_for(sub { files('worker-*/[0-9]*/*') == 1 }), 'the record waits');
my ($id) = map { s{.*/}{}r } files('worker-*/[0-9]*/*');
my $of = sub { grep { m{/\Q$id\E$} } files('*/*/*') };

$t->reload;
ok($t->wait_for(sub { files('worker-*/[0-9]*/*') == 1 }),
   'after a reload, a new worker has it');

kill KILL => $t->worker_pids;
ok($t->wait_for(sub { $t->worker_pids == 2 }), 'the workers were killed');
ok($t->wait_for(sub { 2 == (() = glob("$box/worker-*")) && $of->() }),
   'a new worker has it');

$t->stop;

# in waiting/, or where a worker had just taken it from one that was killed
is(scalar $of->(), 1, 'when nginx has stopped, it is still there');

$t->run;
ok($t->wait_for(sub { files('worker-*/[0-9]*/*') == 1 }),
   'a worker of another nginx has it');

$t->stop(60, 'TERM');
is($of->(), 1, 'it is there when nginx was terminated');

up('after');
$t->run;
ok($t->wait_for(\&empty), 'it is sent when the endpoint is up again');
cmp_ok(scalar $t->requests('after'), '>=', 2, 'again');
is(scalar(() = $t->requests('undo')), 1, 'nothing was undone');
$t->new_requests($_) for qw(step after);


# The power has failed: a worker's directory has the name again that it had
# before the worker put anything into it.  As on a disk, it is not new.

down('after');
finish();
ok($t->wait_for(sub { files('worker-*/[0-9]*/*') == 1 }), 'a record waits');
($id) = map { s{.*/}{}r } files('worker-*/[0-9]*/*');
$t->stop(60, 'TERM');
my ($file) = grep { -e } map { glob "$box/$_/$id" } qw(* */*);
my $new = "$box/new-" . '0' x 32;
make_path("$new/now", "$new/sending");
$t->write_file('box/new-' . '0' x 32 . '/lock', '');
rename $file, "$new/now/$id" or die "$file: $!\n";
utime 1, 1, $new or die "$new: $!\n";
up('after');
$t->run;
ok($t->wait_for(\&empty), 'a worker takes it over');
cmp_ok(scalar $t->requests('after'), '>=', 2, '... and sends what is in it');
ok($t->wait_for(sub { !-e $new }), '... and removes the directory');
$t->new_requests($_) for qw(step after);


# Workers that are killed in the middle

my $request = $t->start(POST => '/step_hangs', body => '{"task":{}}',
    headers => [ 'Content-Type' => 'application/json' ]);
ok($t->wait_for(sub { $t->requests('slow') == 1 }), 'a step is called');
$t->new_requests('slow');

kill KILL => $t->worker_pids;
ok($t->wait_for(sub { $t->requests('undo') == 2 }),
   'the worker was killed: the step is undone');
my ($undo) = $t->new_requests('undo');
is($undo->{json}{undo}{reason}, 'crash', 'the endpoint is told why');
ok($t->wait_for(\&empty), 'nothing is left in the outbox');

$request = $t->start(POST => '/app_hangs', body => '{"task":{}}',
    headers => [ 'Content-Type' => 'application/json' ]);
ok($t->wait_for(sub { $t->requests('slow') == 2 }), 'the app is called');
$t->new_requests($_) for qw(slow step);

kill KILL => $t->worker_pids;
ok($t->wait_for(sub { files('unknown/*') == 1 }),
   'the worker was killed: whether the app has done it is unknown');
($id) = map { s{.*/}{}r } files('unknown/*');
like($t->error_log, qr/\[error\].* is unknown, .*id: \Q$id\E/, 'this is logged');

ok($t->wait_for(sub {
    return ($t->get('/status')->{json}{outbox}{unknown} // 0) == 1;
}), 'flowdash_status shows it');
like($t->get('/status.html')->{body}, qr/>1 unknown: a person has to decide</,
     'so does the page');
like($t->get('/status.txt')->{body}, qr/^flowdash_outbox_unknown 1$/m,
     'and Prometheus');
$t->no_request('undo', 'nothing is sent');

rename "$box/unknown/$id", "$box/undo/$id";
ok($t->wait_for(sub { $t->requests('undo') == 3 }), 'a person decides');
($undo) = $t->new_requests('undo');
is($undo->{json}{undo}{reason}, 'unknown', 'the endpoint is told why');
ok($t->wait_for(\&empty), 'nothing is left in the outbox');

$t->write_file('go', '');
$t->allow_log(qr/exited on signal 9/);
$t->done;
