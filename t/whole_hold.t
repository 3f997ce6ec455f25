# With fsync=on, the response to an action with undos or after-steps waits until
# its outcome is on the disk, whatever sends it, and however long that takes.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use feature 'signatures';
no warnings 'experimental::signatures';

my $t = Test::Flowdash->new(log_level => 'info');

$t->preload('sync');

my @json = ('Content-Type' => 'application/json');
my $long = join '', map { sprintf "%07d\n", $_ } 1 .. 150_000;

my %app = (
    broken => { status => 500 },
    json => { headers => \@json, body => '{"id":1}' },
    long => { headers => [ 'Content-Type' => 'text/plain' ], body => $long },
    none => { status => 204 },
    moved => { status => 302, headers => [ Location => '/tasks/1' ] },
    stale => { status => 409, headers => \@json, body => '{"stale":1}' },
);

# the app makes the next sync, that of the outcome, wait or fail
$t->endpoint(app => sub ($req) {
    my ($name, $sync) = $req->{target} =~ m{^/(\w+)/\w+\?(\w+)};
    $t->write_file("sync.so.$sync", '') if $sync ne 'ok';
    return $app{$name};
});
# the step makes the sync of the mark, before the app is called, wait
$t->endpoint(hook => sub ($req) {
    $t->write_file('sync.so.wait', '')
        if $req->{target} eq '/crm' && -e $t->dir . '/mark.waits';
    return { headers => \@json, body => '{}' };
});

my $steps = <<'EOC';
    flowdash_action "Finish";
    flowdash_step "CRM" {
        flowdash_call http://127.0.0.1:%%PORT_hook%%/crm;
        flowdash_undo { flowdash_call http://127.0.0.1:%%PORT_hook%%/undo; }
    }
    flowdash_after "Notify" {
        flowdash_call http://127.0.0.1:%%PORT_hook%%/notify;
    }
EOC

my %handler = (
    buffered => 'proxy_pass http://127.0.0.1:%%PORT_app%%;
                 proxy_buffers 4 4k; proxy_buffer_size 4k;
                 proxy_busy_buffers_size 8k;',
    streamed => 'proxy_pass http://127.0.0.1:%%PORT_app%%;
                 proxy_buffering off;',
    zipped => 'proxy_pass http://127.0.0.1:%%PORT_app%%; gzip on;
               gzip_proxied any; gzip_types *; gzip_min_length 1;',
    closed => 'proxy_pass http://127.0.0.1:%%PORT_app%%;
               proxy_intercept_errors on; error_page 409 /close;',
    paged => 'proxy_pass http://127.0.0.1:%%PORT_app%%;
              proxy_intercept_errors on; error_page 409 =200 /page.txt;',
);

my $locations = join '', map { <<"EOC" } sort keys %handler;
    location ~ ^/\\w+/$_\$ { $steps $handler{$_} }
EOC

my $conf = <<"EOC";
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    flowdash_outbox %%DIR%%/outbox;
    flowdash_user id ann;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location = /page.txt { }
        location = /close { return 444; }
        location = /static { $steps }
        location = /stale/proxied {
            flowdash_action "Finish";
            flowdash_step "CRM" {
                proxy_pass http://127.0.0.1:%%PORT_hook%%/crm;
                flowdash_undo {
                    flowdash_call http://127.0.0.1:%%PORT_hook%%/undo;
                }
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
        location = /page.html { $steps flowdash_methods all; }
        location = /json/any {
            $steps flowdash_methods all;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
        $locations
    }
}
EOC

$t->config($conf);
$t->write_file("page.$_", "a page\n") for qw(txt html);
$t->run;

sub clear {
    $t->clear_requests($_) for qw(hook app);
    unlink map { $t->dir . "/sync.so.$_" } qw(wait waits fail full mute);
}

sub told ($n) {
    my @calls;
    $t->wait_for(sub { (@calls = $t->requests('hook')) >= $n });
    return join ' ', map { $_->{target} } @calls;
}

sub records ($where) {
    return map { $t->read_file($_ =~ s{.*/outbox/}{outbox/}r) // '' }
           glob $t->dir . "/outbox/$where/*";
}

sub waits { return $t->wait_for(sub { -e $t->dir . '/sync.so.waits' }) }

my @body = (headers => \@json, body => '{"task":{}}');

# the worker quits while a step waits: the request keeps it until it ends

{
    clear();
    $t->write_file('sync.so.wait', '');
    my $pid = open my $out, '-|';
    if (!$pid) {
        my $res = $t->request(POST => '/stale/proxied?ok', @body);
        print $res->{status} // 'none', "\n";
        close STDOUT;
        POSIX::_exit(0);
    }
    ok(waits(), 'nginx is reloaded while a step waits for the disk');
    $t->signal('HUP');
    ok($t->wait_for(sub { $t->error_log =~ /gracefully shutting down/ }),
       '... the old worker is told to quit');
    unlink $t->dir . '/sync.so.wait';

    chomp(my $got = readline($out) // '');
    is($got, 409, '... the client gets its response');
    close $out;
    is(told(2), '/crm /undo', '... the step is undone');
}


# what the client gets after the wait

my @rows = (
    (map { [ json => $_, 200, '{"id":1}' ], [ long => $_, 200, $long ],
           [ none => $_, 204, '' ], [ moved => $_, 302, undef ],
           [ stale => $_, 409, '{"stale":1}', 'undo' ] }
         qw(buffered streamed)),
    [ json => 'zipped', 200, '{"id":1}' ],
    [ stale => 'paged', 200, "a page\n", 'undo' ],
);

for my $row (@rows) {
    my ($app, $handler, $status, $body, $sent) = @$row;
    my $name = "$app, $handler";

    for my $version (1, 2) {
        clear();

        my $pid = open my $out, '-|';
        if (!$pid) {
            my $res = $version == 1
                ? $t->request(POST => "/$app/$handler?wait", @body)
                : $t->h2_request(POST => "/$app/$handler?wait", @body);
            print $res->{status}, "\n", $res->{body} // '';
            close STDOUT;
            POSIX::_exit(0);
        }

        ok(waits(), "$name: HTTP/$version waits for the disk");

        my $read = '';
        vec($read, fileno $out, 1) = 1;
        is(select($read, undef, undef, 0), 0, '... the client as well');
        is(told(1), '/crm', '... and nothing else is sent');

        unlink $t->dir . '/sync.so.wait';

        chomp(my $got = readline $out);
        is($got, $status, '... and then gets the header');
        $got = do { local $/; readline $out } // '';
        ok(!defined $body || $got eq $body, '... and the body');
        close $out;

        is(told(2), '/crm /' . ($sent // 'notify'), '... the outcome is told');
    }
}


# the disk fails: the client gets its response, a person has to look

{
    clear();
    my $res = $t->request(POST => '/json/buffered?fail', @body);

    is($res->{status}, 200, 'sync fails: the client gets its response');
    is($res->{body}, '{"id":1}', '... all of it');
    ok($t->wait_for(sub { glob $t->dir . '/outbox/unknown/*' }),
       '... the record is unknown');
    is(told(1), '/crm', '... nothing is sent');
    unlink glob $t->dir . '/outbox/unknown/*';
    clear();
}

# the outcome is written when the request has ended, without a response

{
    clear();
    my $res = $t->request(POST => '/stale/closed?wait', @body);
    ok(!$res->{status}, 'the request has ended');
    ok(waits(), '... its outcome waits for the disk');
    is(told(1), '/crm', '... nothing is sent');
    unlink $t->dir . '/sync.so.wait';
    is(told(2), '/crm /undo', '... the step is undone');

    clear();
    $res = $t->request(POST => '/stale/closed?fail', @body);
    ok(!$res->{status}, 'another one has ended');
    ok($t->wait_for(sub { records('unknown') == 1 }),
       '... the disk fails: the record is unknown');
    is(told(1), '/crm', '... nothing is sent');
    unlink glob $t->dir . '/outbox/unknown/*';
    clear();
}

# it fails before the app is called

{
    clear();
    $t->write_file('sync.so.fail', '');
    my $res = $t->request(POST => '/json/buffered?ok', @body);

    is($res->{status}, 500, 'the first sync fails: so does the action');
    $t->no_request('hook', '... no step is called');
    $t->no_request('app', '... nor the app');
    clear();
}

# there is no room for the line that says that the app is called

{
    clear();
    $t->write_file('sync.so.full', '');
    my $res = $t->request(POST => '/json/buffered?ok', @body);

    is($res->{status}, 500, 'the mark cannot be written: the action fails');
    is(told(2), '/crm /undo', '... the step is undone');
    $t->no_request('app', '... the app is not called');
    clear();
}

# the response to a HEAD has no body, also if its header has waited

for my $path ('/page.html', '/json/any') {
    clear();
    my $got = $t->raw_request("HEAD $path?ok HTTP/1.1\r\nHost: a\r\n"
                              . "Connection: close\r\n\r\n");

    like($got, qr{^HTTP/1.1 200 }, "HEAD $path: its header comes");
    like($got, qr/\r\n\r\n\z/, '... and nothing else');
    is(told(2), '/crm /notify', '... the action is whole');
}

# the client leaves while its response waits

for my $version (1, 2) {
    clear();
    my $pid = fork // die $!;
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        exec 'curl', '-s', $version == 2 ? '--http2-prior-knowledge' : (),
            '-H', 'Content-Type: application/json', '-d', '{"task":{}}',
            'http://127.0.0.1:' . $t->port($version == 2 ? 'h2' : 'http')
            . '/long/buffered?wait'
            or POSIX::_exit(1);
    }
    ok(waits(), "the client leaves HTTP/$version: its response waits");
    kill KILL => $pid;
    waitpid $pid, 0;
    ok($t->wait_for(sub { $t->request(GET => '/page.txt')->{status} == 200 }),
       '... others are served');
    unlink $t->dir . '/sync.so.wait';
    is(told(2), '/crm /notify', '... the after-step is sent');
}

{
    clear();
    is($t->request(POST => '/static', @body)->{status}, 404,
       'a handler of nginx itself: there is no such file');
    is(told(2), '/crm /undo', '... so that the step is undone');
}

# a person decides, and the disk has no room for that yet

for my $decision (qw(undo after)) {
    clear();
    $t->request(POST => '/broken/buffered?ok', @body);
    ok($t->wait_for(sub { records('unknown') == 1 }), "unknown: $decision");
    clear();

    $t->write_file('sync.so.mute', '');
    my $refused = () = $t->error_log =~ /person has decided for/g;
    my ($record) = glob $t->dir . '/outbox/unknown/*';
    rename $record, $record =~ s/unknown/$decision/r or die $!;

    ok($t->wait_for(sub {
        (() = $t->error_log =~ /person has decided for/g) > $refused
    }), '... it cannot be written down');
    unlink $t->dir . '/sync.so.mute';
    is(told(1), $decision eq 'undo' ? '/undo' : '/notify',
       '... it is carried out later');
    is(records('unknown'), 0, '... and not forgotten');
    unlink glob $t->dir . '/outbox/unknown/*';
}

# a worker that may not wait ends the request while the mark waits for the disk:
# the app is not called, whatever the disk says

$t->config("worker_shutdown_timeout 10ms;\n$conf");
$t->reload;

for my $disk (qw(works fails)) {
    clear();
    $t->write_file('mark.waits', '');
    my $request = $t->start(POST => '/json/buffered?ok', @body);
    ok(waits(), "the request ends before the mark is safe, the disk $disk");
    $t->signal('HUP');
    ok($t->wait_for(sub { grep { /"line":"outcome"/ } records('*/now') }),
       '... it has ended');
    $t->write_file('sync.so.fail', '') if $disk eq 'fails';
    unlink map { $t->dir . "/$_" } qw(mark.waits sync.so.wait);

    ok(!$t->finish($request)->{status}, '... without a response');
    is(told(2), '/crm /undo', '... the step is undone');
    $t->no_request('app', '... the app is not called');
    is(records('unknown'), 0, '... nothing is unknown');
    unlink glob $t->dir . '/outbox/unknown/*';
    clear();
}

ok($t->wait_for(sub { !grep { -f && !/lock$/ } glob $t->dir
                      . '/outbox/*/*/*' }), 'nothing waits');

$t->allow_log(qr/flowdash: |fsync/);
$t->done;
