# Undos and after-steps are delivered: by which rules they are tried again, what
# a reload does to them, and what the log says.  With an outbox, and without.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use JSON::PP qw(decode_json encode_json);

my $t = Test::Flowdash->new(log_level => 'info');

my @json = ('Content-Type' => 'application/json');

# A path says what its endpoint does: /fail/NAME until the file NAME exists,
# /hang/NAME takes as long, /half breaks off, all others are fine.

sub exists_file ($name) { return -e $t->dir . "/$name" }

$t->endpoint(others => sub ($req) {
    my ($what, $name) = $req->{target} =~ m{^/(\w+)/(\w+)};

    return { status => 503, headers => [ 'Retry-After' => 2 ] }
        if $what eq 'fail' && !exists_file($name);
    return { until => sub { exists_file($name) } } if $what eq 'hang';
    return { status => 200, headers => [ 'Content-Length' => 10 ],
             body => 'half', no_length => 1, close => 1 } if $what eq 'half';
    return { status => 302, headers => [ Location => 'http://x.example/y' ] }
        if $what eq 'moved' && !exists_file($name);
    return { status => 401 }
        if $what eq 'secret'
           && header($req, 'Authorization') ne 'Bearer new';
    return { headers => \@json, body => '{}' };
});

$t->endpoint(app => { status => 204 });

sub step ($name) {
    return qq(flowdash_step "Step $name" {
                flowdash_call http://127.0.0.1:%%PORT_others%%/step/$name;
            });
}

# an action whose after-steps have these paths

sub action ($name, @paths) {
    my $after = join "\n", map {
        qq(flowdash_after "$_" {
               flowdash_call http://127.0.0.1:%%PORT_others%%$_;
               flowdash_set_header Authorization "Bearer \$token";
           })
    } @paths;

    return qq(location = /$name {
        flowdash_action "$name";
        @{[ step($name) ]}
        $after
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    });
}

my $actions = join "\n",
    action(fails => '/fail/fails', '/fine/fails'),
    action(moved => '/moved/moved'),
    action(half => '/half/half'),
    action(hangs => '/hang/hangs'),
    action(works => '/fine/works'),
    action(slow => '/hang/slow', '/fine/slow'),
    action(secret => '/secret/secret');

sub config ($outbox, $more = '') {
    return <<"END";
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    $outbox
    flowdash_secret \$token file:%%DIR%%/token;
    flowdash_user id "ann";

    server {
        listen 127.0.0.1:%%PORT_http%%;
        server_name localhost;

        $actions
        $more
    }
}
END
}

my $outbox = 'flowdash_outbox %%DIR%%/outbox fsync=off;';

sub targets ($name, $n) {
    my @found;
    $t->wait_for(sub {
        @found = grep { $_->{target} =~ m{/\Q$name\E$} } $t->requests('others');
        return @found >= $n;
    });
    return join ' ', map { $_->{target} } @found;
}

sub perform ($name) {
    $t->clear_requests('app');
    my $res = $t->post_json("/$name", '{"task":{"a":"b"}}');
    is($res->{status}, 204, "$name: the app answers");
    return;
}

sub logged ($re, $name) {
    return ok($t->wait_for(sub { $t->error_log =~ $re }), $name);
}

# what the master could not read behind a worker's back
sub touch ($name) { $t->write_file($name, ''); return }

# a record that waits is due now

sub hurry {
    my $dir = $t->dir . '/outbox';
    my @waiting;
    $t->wait_for(sub { @waiting = glob "$dir/*/[0-9]*/*" });
    for my $file (@waiting) {
        rename $file, "$dir/waiting/" . $file =~ s{.*/}{}r;
    }
    return scalar @waiting;
}

$t->write_file('token', 'old');
$t->config(config($outbox));
$t->run;


# an endpoint that fails, and then works

{
    perform('fails');
    is(targets('fails', 3), '/step/fails /fail/fails /fine/fails',
       'a failure does not keep the next after-step');
    logged(qr{\[error\] .* flowdash: action "fails": after-step "/fail/fails"
              \ failed:\ status\ 503,\ called\ "http://127\.0\.0\.1:\d+/fail/fails",
              \ tries\ 1,\ id\ [0-9a-f]{32}}x, 'it is logged');

    touch('fails');
    is(targets('fails', 4),
       '/step/fails /fail/fails /fine/fails /fail/fails', 'tried again');
    logged(qr{\[info\] .* after-step "/fail/fails" succeeded, .* tries 2},
           'and that it succeeds');

    my ($step, @calls) = grep { $_->{target} =~ /fails$/ }
        $t->requests('others');
    is(header($calls[0], 'Idempotency-Key'),
       header($calls[2], 'Idempotency-Key'), 'both tries have the same key');
    isnt(header($calls[0], 'Idempotency-Key'),
         header($step, 'Idempotency-Key'), 'which is not that of the step');
    isnt(header($calls[0], 'traceparent'), header($calls[2], 'traceparent'),
         'a traceparent for each');
    is(substr(header($calls[0], 'traceparent'), 0, 35),
       substr(header($step, 'traceparent'), 0, 35), 'all of one trace');
}


# what an answer means

{
    perform('moved');
    logged(qr{after-step "/moved/moved" failed: status 302, Location:
              \ http://x\.example/y}x, 'a redirect is a failure');
    perform('half');
    is(targets('half', 2), '/step/half /half/half',
       'the header says whether it succeeded');
}


# an endpoint that hangs does not stop one that works

{
    perform('hangs') for 1 .. 6;
    perform('works');
    is(targets('works', 2), '/step/works /fine/works',
       'others are delivered beside an endpoint that hangs');
    is(scalar(grep { $_->{target} eq '/hang/hangs' } $t->requests('others')),
       4, 'which gets four calls at a time');

    touch('hangs');
    is(scalar(split ' ', targets('hangs', 12)), 12, 'all of it is delivered');
}


# a reload: the call in flight ends, what is left of its record is for a new
# worker, and secrets are the new ones

{
    perform('secret');
    logged(qr{after-step "/secret/secret" failed: status 401},
           'an old secret is refused');

    perform('slow');
    is(targets('slow', 2), '/step/slow /hang/slow', 'a call is in flight');
    my ($old) = $t->worker_pids;

    $t->write_file('token', 'new');
    ok($t->reload, 'reloaded');
    ok(kill(0, $old), 'the old worker waits for it');

    touch('slow');
    ok($t->wait_for(sub { !kill 0, $old }), 'and only for it');
    is(targets('slow', 3), '/step/slow /hang/slow /fine/slow',
       'the rest is sent, and nothing twice');

    targets('secret', 3);
    my @secret = grep { $_->{target} eq '/secret/secret' }
        $t->requests('others');
    is(join(' ', map { header($_, 'Authorization') } @secret),
       'Bearer old Bearer new', 'the secret of the present configuration');
    logged(qr{after-step "/secret/secret" succeeded}, 'which is accepted');
}


# nothing is left, but what was moved

touch('moved');
is(targets('moved', 3), '/step/moved /moved/moved /moved/moved',
   'the last one succeeds');
ok($t->wait_for(sub { !grep { -f && !/lock$/ }
                      glob $t->dir . '/outbox/*/*/* '
                           . $t->dir . '/outbox/waiting/*' }),
   'the outbox is empty');


# what is no longer configured

{
    unlink $t->dir . '/fails';
    perform('fails');
    logged(qr{action "fails": after-step "/fail/fails" failed: [^\n]*
              tries\ 1,[^\n]*\n(?!.*succeeded).*}xs, 'it waits');
    $actions =~ s{location = /fails}{location = /other};
    $t->config(config($outbox));
    ok($t->reload, 'its location has another name now');
    logged(qr{after-step "/fail/fails" is dead: request_invalid, it is no
              \ longer\ configured,\ tries\ 1}x, 'it is dead');
    ok($t->wait_for(sub { glob $t->dir . '/outbox/dead/*' }),
       'and kept for a person');
}

ok($t->stop, 'nginx stops');


# without an outbox, records wait in memory

{
    $actions =~ s{location = /other}{location = /fails};
    $t->write_file('error.log', '');
    $t->clear_requests('others');
    $t->config(config(''));
    $t->run;

    perform('fails');
    is(targets('fails', 3), '/step/fails /fail/fails /fine/fails',
       'without an outbox');
    touch('fails');
    is(targets('fails', 4),
       '/step/fails /fail/fails /fine/fails /fail/fails',
       'it is tried again as well');

    unlink $t->dir . '/fails';
    perform('fails');
    targets('fails', 7);
    my ($old) = $t->worker_pids;
    ok($t->reload, 'reloaded');
    ok($t->wait_for(sub { !kill 0, $old }),
       'what waits in memory does not keep a worker');
    logged(qr{\[crit\] .* flowdash: the worker ends, and what 1 actions},
           'and it is lost, says the log');
}

$t->allow_log(qr/flowdash: /);
$t->done;
