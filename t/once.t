# flowdash_once: of the requests with the same key, one is carried out, in
# whichever worker; the others get its response, or are told what is known.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Mojo::JSON qw(decode_json);

my $t = Test::Flowdash->new(log_level => 'info');

# the app says what it did, with everything that must not be kept; by the path
# it is told what else to answer, and until when to wait

$t->endpoint(app => sub {
    my ($req) = @_;
    my ($answer) = $req->{target} =~ m{/as-([a-z]+)};
    my ($gate) = $req->{target} =~ /[?&]until=(\w+)/;
    $answer //= '';

    my %r = (
        headers => [
            'Content-Type' => 'text/html; charset=utf-8',
            'Set-Cookie' => 'a=1; Path=/', 'Set-Cookie' => 'b=2',
            'Cache-Control' => 'private', 'Cache-Control' => 'max-age=5',
            'ETag' => '"x1"', 'Last-Modified' => 'Mon, 05 Oct 2026 10:00:00 GMT',
            'Link' => '</a>; rel=next', 'X-App' => "did $req->{body}",
            'X-Accel-Expires' => 0, 'X-Accel-Buffering' => 'yes',
            'Date' => 'Mon, 05 Oct 2026 10:00:00 GMT',
        ],
        body => "page of $req->{body}\n",
    );
    %r = (status => 302, headers => [ Location => '/tasks/1' ])
        if $answer eq 'redirect';
    %r = (status => 204) if $answer eq 'nothing';
    %r = (status => 422, body => 'no') if $answer eq 'refused';
    %r = (status => 503, body => 'down') if $answer eq 'unknown';
    $r{body} = 'x' x 65536 if $answer eq 'long';
    $r{body} = 'x' x 65537 if $answer eq 'large';
    $r{chunked} = 1 if $answer =~ /^(?:chunked|large)$/;
    $r{until} = sub { -e $t->dir . "/$gate" } if $gate;
    return \%r;
});
$t->raw_endpoint(cut => 'cut', body => 'half of it', length => 100);
$t->endpoint(crm => sub {
    my ($req) = @_;
    my $gate = $req->header('X-Until');
    my $status = $req->header('X-Status');
    return {
        status => $status && !-e $t->dir . "/$status" ? 409 : 200,
        headers => [ 'Content-Type' => 'application/json' ], body => '{}',
        $gate ? (until => sub { -e $t->dir . "/$gate" }) : (),
    };
});

my $step = <<'END';
            flowdash_step "CRM" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                flowdash_set_header X-Until $arg_hold;
                flowdash_set_header X-Status $arg_fail;
                flowdash_timeout 600s;
            }
            flowdash_deadline 600s;
            proxy_read_timeout 600s;
            proxy_set_header X-Pid $pid;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
END

$t->config(<<"END" =~ s/worker_processes 1;//r);
    %%GLOBALS%%
    worker_processes 2;
    worker_shutdown_timeout 60s;
    events { worker_connections 1000; }
    http {
        %%HTTP_GLOBALS%%
        flowdash_zone flowdash:32k;
        flowdash_user id \$http_x_user;
        flowdash_user email \$http_x_mail;
        flowdash_result_headers on;
        log_format once '\$request_uri \$flowdash_result \$flowdash_error '
                        '\$flowdash_task_digest';
        access_log %%DIR%%/once.log once;
        gzip on;
        gzip_min_length 1;
        gzip_types application/json;

        server {
            listen 127.0.0.1:%%PORT_http%%;
            listen 127.0.0.1:%%PORT_h2%% http2;
            listen 127.0.0.1:%%PORT_spread%% reuseport;
            server_name a;

            location = /metrics { flowdash_status prometheus; }
            location = /status { flowdash_status json; }

            location /tasks/ {
                flowdash_action "Finish";
                flowdash_methods POST PUT HEAD;
                flowdash_once \$http_idempotency_key 24h wait=600s;
                add_header X-Added \$request_id;
                expires 1h;
                $step
            }
            location /short/ {
                flowdash_action "Finish";
                flowdash_once \$http_idempotency_key 24h wait=0s;
                $step
            }
            location /click/ {
                flowdash_action "Finish";
                flowdash_hide_field token;
                flowdash_once \$flowdash_task_digest 1s;
                flowdash_set Stage "Done";
                $step
            }
            location /plain/ {
                flowdash_action "Finish";
                flowdash_once "\$http_idempotency_key" 1h;
                location /plain/off/ {
                    flowdash_once off;
                    proxy_pass http://127.0.0.1:%%PORT_app%%;
                }
                $step
            }
            location /named/ {
                flowdash_action "Finish";
                flowdash_once "\$flowdash_task_a" 1h;
                $step
            }
            location /dry/ {
                flowdash_action "Finish";
                flowdash_dry_run 1;
                flowdash_once \$http_idempotency_key 1h;
                $step
            }
            location /cut/ {
                flowdash_action "Finish";
                flowdash_once \$http_idempotency_key 1h;
                flowdash_step "CRM" {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                }
                proxy_pass http://127.0.0.1:%%PORT_cut%%;
            }
            location /down/ {
                flowdash_action "Finish";
                flowdash_once \$http_idempotency_key 1h;
                flowdash_step "CRM" {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                }
                proxy_pass http://127.0.0.1:%%PORT_nobody%%;
            }
            location /page/ {
                flowdash_action "Finish";
                flowdash_once \$http_idempotency_key 1h;
                error_page 409 422 = \@page;
                $step
            }
            location \@page { return 299 "page \$flowdash_error"; }

            location /here/ {
                flowdash_action "Finish";
                flowdash_once \$http_idempotency_key 1h;
                proxy_intercept_errors on;
                error_page 503 =200 /file.html;
                $step
            }
            location = /file.html { root %%DIR%%; sendfile on; }
        }
        server {
            listen 127.0.0.1:%%PORT_one%%;
            listen 127.0.0.1:%%PORT_two%%;
            server_name one;
            location /tasks/ {
                flowdash_action "Finish";
                flowdash_once \$http_idempotency_key 24h;
                $step
            }
        }
        server {
            listen 127.0.0.1:%%PORT_nameless%%;
            location /tasks/ {
                flowdash_action "Finish";
                flowdash_once \$http_idempotency_key 24h;
                $step
            }
        }
        server {
            listen 127.0.0.1:%%PORT_another%%;
            server_name _;
            location /tasks/ {
                flowdash_action "Finish";
                flowdash_once \$http_idempotency_key 24h;
                $step
            }
        }
        server {
            listen 127.0.0.1:%%PORT_third%%;
            server_name _;
            location /tasks/ {
                flowdash_action "Finish";
                flowdash_once \$http_idempotency_key 24h;
                $step
            }
        }
        server {
            listen 127.0.0.1:%%PORT_http%%;
            server_name b;
            location / {
                flowdash_action "Finish";
                flowdash_once \$http_idempotency_key 24h;
                $step
            }
        }
    }
END
$t->run;
$t->allow_log(qr/exited on signal 9/);

my $n = 0;

# a request with a key of its own, unless one is given

sub options {
    my (%o) = @_;
    my @headers = ('Content-Type' => 'application/json',
                   'X-User' => 'ada', 'X-Mail' => 'ada@example.com');
    push @headers, 'Idempotency-Key' => $o{key} if defined $o{key};
    push @headers, @{ $o{headers} // [] };
    my %h = @headers;
    delete @h{ grep { !defined $h{$_} } keys %h };
    return (headers => [ %h ], body => $o{body} // '{"task":{"a":1}}',
            timeout => 600, port => $o{port} // 'http');
}

sub begin {
    my ($path, %o) = @_;
    return $t->start($o{method} // 'POST', $path, options(%o));
}

sub send_it { return $t->finish(begin(@_)) }

sub calls {
    return scalar(@{ [ $t->new_requests('crm') ] }) . ' '
        . scalar(@{ [ $t->new_requests('app') ] });
}

sub counted {
    my ($result) = @_;
    my ($number) = $t->get('/metrics')->{body}
        =~ /^flowdash_once_total\{result="$result"\} (\d+)$/m;
    return $number;
}

# waits until so many requests have begun to wait

my $waiting = 0;

sub wait_waiting {
    my ($more) = @_;
    my $wanted = $waiting + $more;

    # one that had to wait again, after a first that failed, counts twice
    return ok($t->wait_for(sub {
        $waiting = () = $t->error_log =~ /flowdash: waits for another/g;
        return $waiting >= $wanted;
    }), "$more wait");
}

sub open_gate { $t->write_file($_[0], '') }

# all that a client gets, but for what is nginx's or this request's

sub same {
    my ($res) = @_;
    return join "\n", $res->{status},
        (map { defined header($res, $_) ? "$_: " . header($res, $_) : () }
         'Content-Type', 'Content-Length', 'Cache-Control', 'ETag',
         'Last-Modified', 'Link', 'X-App', 'Location', 'Expires'),
        (sort $res->{raw} =~ /^(Set-Cookie:.*?)\r$/mgi), $res->{body};
}


# what is kept, and what is not

my $first = send_it('/tasks/1', key => 'k1');
is($first->{status}, 200, 'the first one runs');
is(calls(), '1 1', 'endpoint and app are called');
is(header($first, 'Flowdash-Result'), 'ok', 'with its result');

my $again = send_it('/tasks/1', key => 'k1');
is(same($again) =~ s/^Expires.*\n//mr, same($first) =~ s/^Expires.*\n//mr,
   'the second one gets the same');
is(calls(), '0 0', 'nothing is called');
is(header($again, 'Flowdash-Result'), 'replayed', 'and says so');
is($again->{body}, qq(page of {"task":{"a":1}}\n), 'with the whole body');
is(scalar(() = $again->{raw} =~ /^Set-Cookie: [ab]=/mg), 2, 'both cookies');
isnt(header($again, 'X-Added'), header($first, 'X-Added'),
     'add_header adds what it adds to this request');
is(scalar(() = $again->{raw} =~ /^Cache-Control:/mg),
   scalar(() = $first->{raw} =~ /^Cache-Control:/mg),
   '"expires" replaces the same header');
like(header($again, 'Date'), qr/^\w{3}, /, 'a date');
isnt(header($again, 'Date'), 'Mon, 05 Oct 2026 10:00:00 GMT', "nginx's own");
unlike($again->{raw}, qr/^X-Accel/mi, 'nothing that is for nginx');
is(scalar(() = $again->{raw} =~ /^Date:/mg), 1, 'once');

$again = send_it('/tasks/1', key => 'k1',
                 headers => [ 'Accept-Encoding' => 'gzip' ]);
is(header($again, 'Content-Encoding'), 'gzip', 'gzip is done again');
$again = send_it('/tasks/1', key => 'k1', headers => [
    'Range' => 'bytes=1-2', 'If-None-Match' => '"x1"', 'If-Match' => '"y"' ]);
is($again->{status}, 200, 'no range, nor 304, nor 412');
is(calls(), '0 0', 'still nothing is called');

for my $as (qw(redirect nothing chunked long)) {
    my $path = "/tasks/as-$as";
    my $res = send_it($path, key => "k-$as");
    my $other = send_it($path, key => "k-$as");
    is(calls(), '1 1', "$as: called once");
    is(header($other, 'Flowdash-Result'), 'replayed', "$as: replayed");
    is($other->{status}, $res->{status}, "$as: the status");
    is($other->{body}, $res->{body}, "$as: the body");
    is(header($other, 'Location') // '', header($res, 'Location') // '',
       "$as: the target");
}

$t->write_file('file.html', 'from a file');
is(send_it('/here/as-unknown', key => 'h1')->{body}, 'from a file',
   'a page from a file');
$t->write_file('file.html', 'another');
is(send_it('/here/as-unknown', key => 'h1')->{body}, 'from a file',
   'is kept as it was');
is(calls(), '1 1', 'called once');

is(send_it('/tasks/1', method => 'HEAD', key => 'head')->{status}, 200, 'HEAD');
$again = send_it('/tasks/1', method => 'HEAD', key => 'head');
is(header($again, 'Flowdash-Result'), 'replayed', 'HEAD is replayed');
is(calls(), '1 1', 'and called once');

$t->get('/tasks/1', headers => [ 'Idempotency-Key' => 'k1' ]) for 1 .. 2;
is(calls(), '0 2', 'GET is no action: untouched');


# what is too large, or broke off

my $large = send_it('/tasks/as-large', key => 'large');
is(length $large->{body}, 65537, 'a large response arrives');
my $done = send_it('/tasks/as-large', key => 'large',
                   headers => [ Accept => 'application/json' ]);
is($done->{status}, 409, 'but is not kept');
like($done->{json}{detail}, qr/It was done before/, 'this is said');
unlike($done->{json}{detail}, qr/Nothing was changed/, 'and nothing wrong');
is($done->{json}{title}, 'The action was not carried out again', 'the title');
is(calls(), '1 1', 'nothing runs again');
is(counted('done'), 1, 'counted');

isnt(send_it('/cut/1', key => 'cut')->{error} // '', '', 'it breaks off');
is(send_it('/cut/1', key => 'cut')->{status}, 409, 'and is not kept as whole');
is(calls(), '1 0', 'nor runs again');
$t->requests('cut');


# outcomes

is(send_it('/tasks/as-refused', key => 'no')->{status}, 422, 'the app refuses');
is(send_it('/tasks/as-refused', key => 'no')->{body}, 'no', 'each time');
is(calls(), '2 2', 'the user can try again');

is(send_it('/tasks/as-unknown', key => 'un')->{status}, 503, 'the app is down');
is(send_it('/tasks/as-unknown', key => 'un')->{body}, 'down', 'is said again');
is(calls(), '1 1', 'nothing runs again');

is(send_it('/tasks/1?fail=ok', key => 'f')->{status}, 502, 'a step says no');
open_gate('ok');
is(send_it('/tasks/1?fail=ok', key => 'f')->{status}, 200, 'and later yes');
is(calls(), '2 1', 'this is a new try');

is(send_it('/down/1', key => 'd')->{status}, 502, 'nobody is there') for 1 .. 2;
is(calls(), '2 0', 'an app that got nothing is tried again');


# other requests, other users

my $other = send_it('/tasks/1', key => 'k1', body => '{"task":{"a":2}}',
                    headers => [ Accept => 'application/json' ]);
is($other->{status}, 422, 'another task with the same key');
like($other->{json}{detail}, qr/same form or key.*Nothing was changed/, 'is told');
is(header($other, 'Flowdash-Result'), 'failed', 'failed');
is(send_it('/tasks/2', key => 'k1')->{status}, 422, 'another path');
is(send_it('/tasks/1?x=1', key => 'k1')->{status}, 422, 'another query');
is(send_it('/tasks/1', method => 'PUT', key => 'k1')->{status}, 422, 'PUT');
is(calls(), '0 0', 'none of them runs');
is(counted('mismatch'), 4, 'counted');
like(send_it('/page/1', key => 'k1', body => '{"task":{"a":2}}')->{body},
     qr/^page mismatch/, 'an error page');

my @others = (
    [ 'another user', '/tasks/1', 'X-User' => 'bob' ],
    [ "another member of the user", '/tasks/1', 'X-Mail' => 'b@example.com' ],
    [ 'another host', '/tasks/1', Host => 'b' ],
);
for my $case (@others) {
    my ($name, $path, @headers) = @$case;
    $again = send_it($path, key => 'k1', headers => \@headers);
    is($again->{status}, 200, "$name: runs");
    is(calls(), '1 1', "$name: by itself");
}

# spellings of a host, and servers

for my $host ('a:80', 'A', 'a.', 'A.:' . $t->port('http')) {
    send_it('/tasks/1', key => "host $host", headers => [ Host => 'a' ]);
    $again = send_it('/tasks/1', key => "host $host",
                     headers => [ Host => $host ]);
    is(header($again, 'Flowdash-Result'), 'replayed', "the host $host");
    is(calls(), '1 1', '... is the same');
}

send_it('/tasks/1', key => 'ports', port => $_, headers => [ Host => 'one' ])
    for qw(one two one);
is(calls(), '1 1', 'the ports of a server are the same');

send_it('/tasks/1', key => 'nameless', port => $_, headers => [ Host => 'x' ])
    for qw(nameless another third nameless another third);
is(calls(), '3 3', 'servers without a name are others');

$again = send_it('/plain/off/1', key => 'k1') for 1 .. 2;
is(calls(), '2 2', 'off');
send_it('/tasks/1') for 1 .. 2;
is(calls(), '2 2', 'without a key');

my $nobody = [ 'X-User' => undef ];
$again = send_it('/tasks/1', key => 'k1', headers => $nobody);
is($again->{status}, 400, "a client's key without a user");
is(calls(), '0 0', 'is refused');
send_it('/click/1', headers => $nobody) for 1 .. 3;
is(calls(), '3 3', 'another key without a user has no effect');
is(scalar(() = $t->error_log =~ /flowdash_once has no effect/g), 1,
   'one line says so');
is(send_it('/named/1', body => '{"task":{"A":1,"a":2}}')->{status}, 400,
   'an ambiguous key');
is(calls(), '0 0', 'is refused');


# double clicks: a digest, for a second

my $click = { body => '{"task":{"a":1,"token":"x1"}}' };
is(send_it('/click/7', %$click)->{status}, 200, 'a click');
is(header(send_it('/click/7', body => '{"task":{"a":1,"token":"x2"}}'),
          'Flowdash-Result'), 'replayed',
   'a hidden field does not make it another request');
is(calls(), '1 1', 'one call');
is(header(send_it('/click/7', body => '{"task":{"a":3}}'), 'Flowdash-Result'),
   'ok', 'another task runs');
is(header(send_it($_, %$click), 'Flowdash-Result'), 'ok',
   "and the same form for $_") for '/click/8', '/click/7?x=1';
calls();
ok($t->wait_for(sub {
    header(send_it('/click/7', %$click), 'Flowdash-Result') eq 'ok';
}), 'when its time is over, it runs again');
is(calls(), '1 1', 'once');
like($t->read_file('once.log'), qr{^/click/7 ok - [0-9a-f]{64}$}m,
     'the digest is in the log');


# at the same time

my @all = map { begin('/tasks/1?until=g1', key => 'c1') } 1 .. 8;
ok($t->wait_for(sub { $t->new_requests('app') }), 'the first one runs');
wait_waiting(7);
is(send_it('/short/1', key => 'c1')->{status}, 422, 'another path meanwhile');
open_gate('g1');
my %bodies = map { $t->finish($_)->{body} => 1 } @all;
is(scalar(keys %bodies), 1, 'eight clients get the same');
is(calls(), '1 0', 'of one execution');

my $busy = begin('/short/1?until=g2', key => 'c2');
ok($t->wait_for(sub { $t->new_requests('app') }), 'it runs');
$again = send_it('/short/1?until=g2', key => 'c2',
                 headers => [ Accept => 'application/json' ]);
is($again->{status}, 409, 'wait=0s does not wait');
is(header($again, 'Retry-After'), 5, 'but says when to try again');
like($again->{json}{detail}, qr/still being carried out/, 'and why');
open_gate('g2');
is($t->finish($busy)->{status}, 200, 'the first one ends');
$t->new_requests('crm');

# the first client leaves, as a browser's does

my $left = begin('/tasks/1?until=g3', key => 'c3');
ok($t->wait_for(sub { $t->new_requests('app') }), 'it runs');
delete $left->{socket};
my $waiter = begin('/tasks/1?until=g3', key => 'c3');
my $leaver = begin('/tasks/1?until=g3', key => 'c3');
wait_waiting(2);
delete $leaver->{socket};
ok($t->wait_for(sub { $t->error_log =~ /closed connection while it waited/ }),
   'one that waits can leave');
open_gate('g3');
my $res = $t->finish($waiter);
is($res->{body}, qq(page of {"task":{"a":1}}\n),
   'the response is kept although its client has left');
is(calls(), '1 0', 'of one execution');

# it fails: one of those that wait is next

my @tries = map { begin('/tasks/1?fail=g5&hold=g4', key => 'c4') } 1 .. 3;
wait_waiting(2);
open_gate('g4');
is(join(' ', sort map { $t->finish($_)->{status} } @tries), '502 502 502',
   'each one fails by itself');
is(calls(), '3 0', 'after another');

# HTTP/2

my $h2 = $t->h2_request('POST', '/tasks/1',
                        options(key => 'k1', port => 'h2', headers => [ Host => 'localhost' ]));
is($h2->{status}, 200, 'HTTP/2');
is($h2->{body}, $first->{body}, 'gets the same');
is(calls(), '0 0', 'nothing is called');


# a dry run

my $dry = send_it('/dry/1', key => 'k1')->{json};
is_deeply($dry->{once}, { key => 'k1', result => 'used' }, 'a dry run shows it');
$dry = send_it('/dry/1', key => 'k1', headers => $nobody)->{json};
is_deeply($dry->{once}, { key => 'k1', result => 'refused' }, 'and a refusal');
$dry = send_it('/dry/1')->{json};
is_deeply($dry->{once}, { key => '', result => 'no key' }, 'and no key');


# a reload, and a worker that dies

my $old = begin('/tasks/1?until=g6', key => 'r1');
ok($t->wait_for(sub { $t->new_requests('app') }), 'it runs');
ok($t->reload, 'reloaded');
my $new = begin('/tasks/1?until=g6', key => 'r1');
wait_waiting(1);
is(send_it('/short/1?until=g6', key => 'r1')->{status}, 422, 'it is known');
open_gate('g6');
is($t->finish($new)->{body}, $t->finish($old)->{body},
   'a new worker waits for an old one');
is(calls(), '1 0', 'one execution');
is(header(send_it('/tasks/1', key => 'k1'), 'Flowdash-Result'), 'replayed',
   'what was kept stays');

my $lost = begin('/tasks/1?until=never', key => 'x1');
my $holder;
ok($t->wait_for(sub { ($holder) = $t->new_requests('app') }), 'it runs');
$holder = $holder->header('X-Pid');

# waits in the other worker, and in its own

my (@wait, %seen);
until ($seen{other} || @wait == 100) {
    push @wait, begin('/tasks/1?until=never', key => 'x1', port => 'spread');
    wait_waiting(1);
    my @pids = $t->error_log
        =~ /\[info\] (\d+)#.*flowdash: waits for another/g;
    $seen{ $pids[-1] == $holder ? 'own' : 'other' } = 1;
}
kill KILL => $holder;
ok($t->wait_for(sub { !kill 0 => $holder }), 'the worker is killed');
is($t->finish($lost)->{status}, 0, 'its client gets nothing');
my $last = $t->finish($wait[-1]);
is($last->{status}, 409, 'one that waits is told');
$t->finish($_) for @wait[0 .. $#wait - 1];
ok($t->wait_for(sub { $t->worker_pids == 2 }), 'there are two workers');
$res = send_it('/tasks/1?until=never', key => 'x1',
               headers => [ Accept => 'application/json' ]);
is($res->{status}, 409, 'then nobody knows what became of it');
like($res->{json}{detail}, qr/may have been carried out/, 'this is said');
is(calls(), '1 0', 'nothing runs again');
cmp_ok(counted('unknown'), '>=', 2, 'counted');


# a full zone: it has room for 128 keys

my @many = map { begin("/tasks/1?hold=g7", key => "m$_") } 1 .. 129;
my $refused = sub { counted('no_room') };
ok($t->wait_for(sub { $refused->() }), 'there is no more room');
ok($t->wait_for(sub { $t->requests('crm') }), 'those that have some run');
open_gate('g7');
my %status;
my @ended = map { $t->finish($_) } @many;
$status{ $_->{status} }++ for @ended;
is(join(' ', sort keys %status), '200 409', 'some run, the others do not');
my ($full) = grep { $_->{status} == 409 } @ended;
is(header($full, 'Retry-After'), 5, 'they can try again');
is(calls(), "$status{200} $status{200}", 'nothing was called for these');
is(send_it('/tasks/1?hold=g7', key => 'm1000')->{status}, 200,
   'those that have ended make room');
is(calls(), '1 1', 'one of them is called');

my $json = decode_json($t->get('/status')->{body})->{once};
is($json->{no_room}, $status{409}, 'the same in JSON');

$t->done;
