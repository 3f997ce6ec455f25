# The harness itself: plain nginx, no module.

BEGIN { delete $ENV{FLOWDASH_TALLY} }   # what fails here is meant to

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Fcntl qw(LOCK_EX);
use File::Temp qw(tempdir);
use Time::HiRes qw(sleep time);

my $t = Test::Flowdash->new(module => 0);
my @json = ('Content-Type' => 'application/json');
my $task = { headers => \@json, body => '{"task":{}}' };
my $bytes = join '', map { chr } 0 .. 255;
my $large = $bytes x 5000;
my $dir = $t->dir;


# nginx, a request through it, and what the endpoint records

$t->endpoint(app => sub {
    my $req = shift;
    return { headers => [ 'X-Method' => $req->{method}, 'X-A' => 1,
                          'x-a' => 2 ],
             body => $req->{body} };
});
$t->endpoint(crm => $task);
$t->endpoint(delayed => { %$task, delay => 0.4 });
$t->endpoint(late => sub {
    my ($what) = shift->{target} =~ m{^/late/(never|\d)};
    my $wait = sub { $what ne 'never' && -e "$dir/go" };
    return $what ? { %$task, until => $wait } : $task;
});
$t->endpoint(chunked => { %$task, chunked => 1, body => $large });
$t->endpoint(open => { %$task, no_length => 1 });
$t->endpoint(close => { %$task, close => 1 });
$t->endpoint(none => { status => 204 });
$t->endpoint(mute => sub { return });

my @behaviours = qw(cut reset close stall drip garbage big_header continue
                    huge);
$t->raw_endpoint("raw_$_" => $_) for @behaviours;
$t->raw_endpoint(raw_endless => 'huge', no_length => 1, size => 1000);

my $asked = 0;

$t->raw_endpoint(own => sub {
    my ($req, $n, %option) = @_;
    my $body = "$n $req->{target} $option{word} " . ++$asked;
    my $head = "HTTP/1.1 200 OK\r\nContent-Length: " . length($body) . "\r\n";
    return (send => $head, pause => 0.1, send => "\r\n$body", then => 'next')
        if $req->{target} !~ /last/;
    return (until => sub { -e "$dir/sent" }, send => "$head\r\n",
            then => $req->{target} =~ /reset/ ? 'reset' : 'close');
}, word => 'hello', accepted => sub { $t->write_file("accepted.$_[0]", '') });

my $conf = <<'END';
%%GLOBALS%%

events {
}

http {
    %%HTTP_GLOBALS%%

    server {
        listen 127.0.0.1:%%PORT_http%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        client_max_body_size 4m;

        location / {
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /late {
            proxy_pass http://127.0.0.1:%%PORT_late%%;
        }

        location /refused {
            proxy_pass http://127.0.0.1:%%PORT_nobody%%;
        }

        location /small {
            client_max_body_size 1;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }
}
END

$t->config($conf)->run;
my @workers = $t->worker_pids;
is(@workers, 1, 'one worker');

my $res = $t->post_json('/a?b=%20', $bytes, headers => [ 'X-B' => 'c' ]);
is($res->{status}, 200, 'status');
is($res->{body}, $bytes, 'every byte goes there and back');
is($res->header('X-A'), '1, 2', 'header, joined');
is_deeply([ header($res, 'x-A') ], [ 1, 2 ], 'header, as a list');
is($res->header('X-None'), undef, 'no header');
like($res->{raw}, qr!^HTTP/1\.1 200 OK\r\n!, 'raw');

my $call = $t->only_request('app');
like("$call->{method} $call->{target} $call->{version}",
     qr{^POST /a\?b=%20 1\.[01]$}, 'recorded: the request line');
is($call->{body}, $bytes, 'recorded: the body');
is(header($call, 'content-type'), 'application/json', 'recorded: a header');
is($call->{conn}, 1, 'recorded: the connection');
is($call->{json}, undef, 'no JSON');

$t->clear_requests('app');
is(scalar(my @none = $t->requests('app')), 0, 'records cleared');
$t->no_request('app', 'nor is any new');
$t->post_json('/', '{"a": [1]}', port => 'app');
is_deeply($t->only_request('app')->{json}, { a => [ 1 ] }, 'recorded: JSON');

is($t->get('/x')->header('X-Method'), 'GET', 'get');
is($t->request('HEAD', '/x')->{body}, '', 'HEAD');
is($t->request('PUT', '/x', body => $large, chunked => 1)->{body}, $large,
   'chunked');
is($t->request('PUT', '/x', body => $bytes, version => '1.0')->{body}, $bytes,
   'HTTP/1.0');
is($t->post_json('/small', $large x 3)->{status}, 413,
   'an answer before the body is read');
is($t->get('/refused')->{status}, 502, 'an unused port refuses');
is($t->get('/late/never', timeout => 0.1)->{error}, 'timeout', 'timeout');
is($t->get('/', headers => [ Host => undef ])->{status}, 400, 'no Host');

like($t->raw_request([ "GET / HTTP/1.0\r\n", \0.1, "\r\n" ]), qr/ 200 OK/,
     'raw request in parts');
like($t->raw_request("FOO\r\n\r\n"), qr/ 400 /, 'raw request, bad');
is(join(' ', map { $_->{target} } $t->new_requests('app')),
   '/x /x /x /x /', 'new requests: those since they were asked for');

ok($t->wait_for(sub { $t->access_log =~ m{"GET /x HTTP/1.1" 200} }),
   'access log');
like($t->error_log, qr/\[debug\]/, 'error log');


# endpoints

is($t->get('/', port => 'chunked')->{body}, $large, 'endpoint: chunked');
is($t->get('/', port => 'chunked')->header('Content-Length'), undef,
   'endpoint: chunked has no length');
is($t->get('/', port => 'open')->{body}, '{"task":{}}',
   'endpoint: no length');
is($t->get('/', port => 'none')->{status}, 204, 'endpoint: 204');
is($t->get('/', port => 'mute')->{status}, 500, 'endpoint: no answer');

my @keep = (headers => [ Connection => 'keep-alive' ]);
my $socket = $t->connect('crm');
$t->get('/', socket => $socket, @keep) for 1 .. 3;
$t->get('/', port => 'crm');
is(join(' ', map { $_->{conn} } $t->requests('crm')), '1 1 1 2',
   'endpoint: keepalive');
like($t->raw_request("GET / HTTP/1.1\r\n\r\n", port => 'close'),
     qr/Connection: close\r\n.*\{"task":\{\}\}$/s, 'endpoint: close');

my $begin = time;
is($t->get('/', port => 'delayed')->{status}, 200, 'endpoint: delay');
cmp_ok(time - $begin, '>=', 0.4, 'endpoint: delayed');

my @started = map { $t->start('POST', "/late/$_", body => $_) } 1 .. 100;
my @late;
ok($t->wait_for(sub {
    @late = grep { m{^/late/\d} } map { $_->{target} } $t->requests('late');
    return @late == 100;
}), 'endpoint: 100 at a time, each is recorded');
is($t->get('/', port => 'late')->{status}, 200, 'which delay no other');
is(join('', map { $_->{raw} } @started), '', 'none is answered');
$t->write_file('go', '');
is(scalar(grep { $t->finish($_)->{status} == 200 } @started), 100,
   'until they are');


# raw endpoints

my %raw = map { $_ => $t->get('/', port => "raw_$_",
                              timeout => /stall/ ? 0.2 : 60) } @behaviours;

is($raw{cut}{error}, 'closed', 'raw: cut');
is($raw{cut}{body}, '{"task":{}}', 'raw: cut, what there is');
is($raw{reset}{error}, 'Connection reset by peer', 'raw: reset');
is("$raw{close}{status} $raw{close}{raw}", '0 ', 'raw: close');
is($raw{close}{error}, 'closed', 'raw: close is no reset');
is($raw{stall}{error}, 'timeout', 'raw: stall');
is($raw{drip}{body}, '{"task":{}}', 'raw: drip');
like($raw{garbage}{error}, qr/malformed/, 'raw: garbage');
is(length $raw{big_header}->header('X-Big'), 100_000, 'raw: big header');
is_deeply($raw{continue}{interim}, [ 100, 100, 103 ], 'raw: continue');
is($raw{continue}{status}, 200, 'raw: continue, at last');
cmp_ok(length $raw{huge}{body}, '>', 10_000_000, 'raw: huge');
ok($t->get('/', port => 'raw_endless')->{json}{task}{Huge},
   'raw: huge without length');

$socket = $t->connect('own');
ok($t->wait_for(sub { -e "$dir/accepted.1" }), 'raw: a connection');
$begin = time;
is($t->get('/1', socket => $socket, @keep)->{body}, '1 /1 hello 1',
   'raw: own');
cmp_ok(time - $begin, '>=', 0.1, 'raw: a pause');
my @stalled = map { $t->start('GET', '/', port => 'raw_stall') } 1 .. 20;
ok($t->wait_for(sub { 21 == (my @r = $t->requests('raw_stall')) }),
   'raw: many at a time');
is($t->get('/2', socket => $socket, @keep)->{body}, '1 /2 hello 2',
   'raw: the same connection');
is($t->get('/3', port => 'own')->{body}, '2 /3 hello 3',
   'raw: another connection, the same process');

my @last = map { $t->start('GET', "/$_", port => 'own') } qw(last lastreset);
ok($t->wait_for(sub { 5 == (my @r = $t->requests('own')) }), 'raw: until');
ok(!(grep { $_->{raw} ne '' } @last), 'raw: until, nothing is sent yet');
$t->write_file('sent', '');
@last = map { $t->finish($_) } @last;
is("$last[0]{status} $last[0]{error}", '200 closed', 'raw: closed in the end');
is($last[1]{error}, 'Connection reset by peer', 'raw: reset in the end');
is_deeply([ sort map { $_->{target} } $t->requests('own') ],
          [ qw(/1 /2 /3 /last /lastreset) ], 'raw: recorded');
ok(!eval { $t->raw_endpoint(x => 'nonsense') }, 'raw: no such behaviour');


# HTTP/2

$res = $t->h2_request('POST', '/h2?[a]=1', headers => [ @json, 'X-B' => '' ],
                      body => $bytes);
is("$res->{version} $res->{status}", '2 200', 'h2');
is($res->{body}, $bytes, 'h2: body');
is($t->h2_request('PUT', '/', body => $large, no_length => 1)->{body}, $large,
   'h2: body without length');
is($t->h2_request('HEAD', '/')->{status}, 200, 'h2: HEAD');
like($t->h2_request('GET', '/late/never', timeout => 0.1)->{error},
     qr/^curl: /, 'h2: timeout');


# configurations, while nginx runs

my ($ok, $output) = $t->test_config($conf);
ok($ok, 'test_config');
like($output, qr/test is successful/, 'test_config: output');
conf_ok($t, 'location / { return 204; }', 'conf_ok');
conf_fails($t, 'location / { nonsense; }', qr/unknown directive "nonsense"/,
           'conf_fails: a location');
conf_fails($t, 'server { listen 80; } nonsense;', qr/unknown directive/,
           'conf_fails: a server');


# reload, restart

ok($t->reload, 'reload');
isnt(($t->worker_pids)[0], $workers[0], 'a new worker');
is($t->get('/')->{status}, 200, 'at work');
is($t->stop, 0, 'stop');
is(eval { $t->get('/'); 1 }, undef, 'nobody listens');

$t->config('location / { return 200 $hostname; }')->run;
is($t->get('/')->{status}, 200, 'a short configuration, run again');

my $other = Test::Flowdash->new(module => 0);
my %ports = map { $t->port("x$_") => 1, $other->port($_) => 1 } 1 .. 200;
is(scalar keys %ports, 400, 'ports are unique');
$other->{done} = 1;


# failures: tests of their own, in which something goes wrong

sub script {
    my ($code) = @_;
    my $file = $t->write_file('script.t', <<"END");
        use lib '$FindBin::Bin/lib';
        use Test::Flowdash;
        \$| = 1;
        my \$t = Test::Flowdash->new(module => 0);
        print "dir ", \$t->dir, " guard \$t->{guard}\\n";
        \$t->endpoint(app => {});
        \$t->raw_endpoint(bad => 'stall');
        my \$stalled = \$t->start('GET', '/', port => 'bad');
        \$t->config('location / { return 204; }')->run;
        $code
END
    open my $run, '-|', "'$^X' '$file' 2>&1" or die $!;
    my $out = do { local $/; readline $run };
    close $run;
    my ($dir, $guard) = $out =~ /^dir (\S+) guard (\d+)$/m;
    my $status = $? >> 8;
    my $gone = $t->wait_for(sub { !-e $dir && !alive($guard) });
    return ($out, $status, $gone);
}

# processes of a group, zombies that init has yet to reap excepted

sub alive {
    my ($group) = @_;
    return grep {
        my $stat;
        open($stat, '<', $_)
            && (readline($stat) // '') =~ /\) [^Z] \d+ $group /;
    } glob '/proc/[0-9]*/stat';
}

my %case = (
    'all is well' => [ '', qr/^1\.\.3$/m, 0 ],
    'a worker dies' => [ 'kill KILL => $t->worker_pids;
                          $t->wait_for(sub { $t->error_log =~ /on signal/ });',
                         qr/not ok 2.*exited on signal 9/s ],
    'a worker dies, allowed' => [ '$t->allow_log(qr/on signal 9/);
                                   kill KILL => $t->worker_pids;
                                   $t->wait_for(sub {
                                       $t->error_log =~ /on signal/ });',
                                 qr/^ok 2/m, 0 ],
    'nginx does not stop' => [ '$t->signal("STOP"); $t->stop(0.3);',
                               qr/not ok 1.*did not stop within 0.3 s/s ],
    'nginx is killed' => [ '$t->signal("KILL");', qr/not ok 1.*signal 9/s ],
    'a sanitizer speaks' => [ 'open my $f, ">>", $t->dir . "/stderr.log";
                               print $f "x.c:1: runtime error: x\n";
                               close $f;',
                              qr/not ok 2.*runtime error/s ],
    'two requests' => [ '$t->get("/", port => "app") for 1, 2;
                         $t->only_request("app");',
                        qr/not ok 1 - one request to app.*got: '2'/s ],
    'no request' => [ '$t->only_request("app", "the app");',
                      qr/not ok 1 - the app.*got: '0'/s ],
    'one too many' => [ '$t->get("/", port => "app"); $t->no_request("app");',
                        qr/not ok 1 - no request to app/ ],
    'one more later' => [ '$t->get("/", port => "app");
                           $t->only_request("app");
                           $t->get("/", port => "app");',
                          qr/^ok 1.*not ok 4 .*got: 'app'/ms ],
    'one more, and cleared' => [ '$t->only_request("bad");
                                  $t->get("/", port => "bad", timeout => 0.1);
                                  $t->clear_requests("bad");',
                                 qr/^ok 1.*not ok 2 .*overlooked/ms ],
    'done is forgotten' => [ 'ok(1); exit;', qr/not ok 2 - done/ ],
    'the test dies' => [ 'die "too bad\n";', qr/too bad/ ],
    'the test is ended' => [ 'kill TERM => $$; sleep 9;', qr/^dir/ ],
    'the test is killed' => [ 'kill KILL => $$; sleep 9;', qr/^dir/ ],
    'the test is skipped' => [ 'plan(skip_all => "no");', qr/# SKIP no/, 0 ],
    'the test hangs' => [ '1 while sleep 9;', qr/takes too long/ ],
    'nginx does not start' => [ '$t->stop; $t->config("nonsense;")->run;',
                                qr/unknown directive.*does not start/s ],
);

for my $name (sort keys %case) {
    my ($code, $expect, $status) = @{ $case{$name} };
    local $ENV{FLOWDASH_TIMEOUT} = $name =~ /hangs/ ? 3 : 600;
    my ($out, $exit, $gone) = script("$code\n\$t->done;\n");

    subtest $name => sub {
        like($out, $expect, 'output');
        is($exit, 0, 'success') if defined $status;
        ok($exit || $out !~ /^1\.\./m, 'failure') if !defined $status;
        ok($gone, 'all processes and files are gone');
    };
}


# how "make test" ends: what prove has counted, and what it has not

sub tally {
    my ($status, %test) = @_;
    my $file = $t->write_file('tally', "plain\n");
    local $ENV{PERL5LIB} = "$FindBin::Bin/lib";
    local $ENV{FLOWDASH_TALLY} = $file;
    unlink "$file.said";

    for my $name (sort keys %test) {
        my $path = $t->write_file("$name.t", "use Test::More; $test{$name}");
        my $out = `prove --harness Test::Flowdash::Tally $path 2>&1`;
        like($out, qr/^Result: (?:PASS|FAIL|NOTESTS)$/m, "prove: $name");
    }

    my $line = `$FindBin::Bin/build/tally $file $status` =~ s/\Q$dir\E//gr;
    return ($? >> 8) . " $line";
}

my @good = (a => 'ok(1) for 1 .. 1200; done_testing;',
            b => 'ok(1); SKIP: { skip "no", 3; } done_testing;',
            c => 'plan(skip_all => "no");');

is(tally(0, @good), "0 All 1,201 assertions of 2 files passed "
   . "(plain 1,201), 3 were skipped.\n", 'tally: all passed');
is(tally(2, @good), "2 FAILED, plain: see above\n",
   'tally: something else has failed');
is(tally(0), "1 FAILED, plain: see above\n", 'tally: nothing was run');
is(tally(2, @good, x => 'ok($_ % 3) for 1 .. 9; done_testing;',
         y => 'ok(1); exit 3;', z => 'ok(1); kill KILL => $$;'),
   "2 FAILED, plain: /x.t (3 of 9), /y.t (exit 3), /z.t (signal 9)\n",
   'tally: what has failed');
like(tally(0, x => 'use Test::Flowdash; is(1, 2, "same"); done_testing;'),
     qr{^1 /x\.t: .*Failed test 'same'.*got: '1'.*\nFAILED, plain: /x\.t \(1 of 1}s,
     'tally: what it has said');
is(tally(0, x => 'plan(tests => 2); ok(1); POSIX::_exit(0);'),
   "1 FAILED, plain: /x.t (Bad plan.  You planned 2 tests but ran 1.)\n",
   'tally: what was not run');

SKIP: {
    skip 'no Debian', 1 if system('command -v dpkg-query >/dev/null') != 0;
    is(`$FindBin::Bin/build/packages.sh -n dpkg no-such-a no-such-b`,
       " no-such-a no-such-b\n", 'packages that are missing');
}


# two runs in one Debian

open my $lock, '>', "$dir/debian.lock" or die "$dir/debian.lock: $!\n";
print $lock "process 7 runs \"make test\" there\n";
$lock->flush;
flock $lock, LOCK_EX or die "flock: $!\n";
is(`$FindBin::Bin/build/in-debian.sh trixie $dir/debian true 2>&1`,
   "$dir/debian is in use: process 7 runs \"make test\" there\n",
   'another Debian: one run at a time');
is($? >> 8, 1, 'another Debian: the second run fails');

$t->new_requests('app');
$t->done;
