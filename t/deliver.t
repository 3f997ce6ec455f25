# Undos and after-steps are delivered: by which rules they are tried again, what
# a reload does to them, and what the log says.  With an outbox, and without.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Digest::SHA qw(hmac_sha256_base64);
use MIME::Base64 qw(encode_base64);

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

# a connection gives one answer, and is kept; the next call on it gets none

my %answered;
$t->raw_endpoint(kept => sub ($request, $n) {
    return if $answered{$n}++;
    return (send => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            then => 'next');
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

# what an after-step may have besides

my $others = 'http://127.0.0.1:%%PORT_others%%';
my $more = qq(
    location = /never {
        flowdash_action "never";
        @{[ step('never') ]}
        flowdash_after "late" {
            flowdash_call $others/hang/never;
            flowdash_timeout 1s;
        }
        flowdash_after "nobody" {
            flowdash_call http://127.0.0.1:%%PORT_nobody%%/fine/never;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location = /kept {
        flowdash_action "kept";
        flowdash_step "Step kept" {
            flowdash_call http://127.0.0.1:%%PORT_kept%%/step/kept;
        }
        flowdash_after "again" {
            flowdash_call http://127.0.0.1:%%PORT_kept%%/fine/kept;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location = /lost {
        flowdash_action "lost";
        @{[ step('lost') ]}
        flowdash_after "gone" {
            flowdash_call $others/fine/\$flowdash_task_gone/lost;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location = /host {
        flowdash_action "host";
        @{[ step('host') ]}
        flowdash_allow 127.0.0.1;
        flowdash_deny all;
        flowdash_after "one" {
            flowdash_call http://127.0.0.\$flowdash_task_one:%%PORT_others%%/fine/host?\$token;
        }
        flowdash_after "two" {
            flowdash_call http://127.0.0.\$flowdash_task_two:%%PORT_others%%/two/host?\$token;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
);

my $signed_by = 'old' x 8;

sub config ($outbox) {
    my $key = 'whsec_' . encode_base64($signed_by, '');

    return <<"END";
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    $outbox
    flowdash_secret \$token file:%%DIR%%/token;
    flowdash_sign_key $key;
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
    my $res = $t->post_json("/$name", '{"task":{"one":"1","two":"2"}}');
    is($res->{status}, 204, "$name: the app answers");
    return;
}

# Standard Webhooks

sub is_signed ($call, $key) {
    my ($id, $time) = map { header($call, "webhook-$_") } qw(id timestamp);
    my $mac = hmac_sha256_base64("$id.$time.$call->{body}", $key);
    $mac .= '=' while length($mac) % 4;

    return qq("$id") eq header($call, 'Idempotency-Key')
        && header($call, 'webhook-signature') eq "v1,$mac";
}

sub records {
    my $dir = $t->dir . '/outbox';
    return scalar grep { -f && !/lock$/ } glob "$dir/*/*/* $dir/waiting/*";
}

sub logged ($re, $name) {
    return ok($t->wait_for(sub { $t->error_log =~ $re }), $name);
}

# what the master could not read behind a worker's back
sub touch ($name) { $t->write_file($name, ''); return }

$t->write_file('token', 'old');
$t->config(config($outbox));
$t->run;


# an endpoint that fails, and then works; two others fail meanwhile

{
    perform($_) for qw(fails moved secret);
    is(targets('fails', 3), '/step/fails /fail/fails /fine/fails',
       'a failure does not keep the next after-step');
    logged(qr{\[error\] .* flowdash: action "fails": after-step "/fail/fails" }
           . qr{failed: status 503, called "http://127\.0\.0\.1:\d+/fail/fails", }
           . qr{tries 1, id [0-9a-f]{32}}, 'it is logged');

    touch('fails');
    logged(qr{\[info\] .* after-step "/fail/fails" succeeded, .* tries \d},
           'tried again, it succeeds');
    like(targets('fails', 4),
         qr{^/step/fails /fail/fails /fine/fails( /fail/fails)+$},
         'what has succeeded is not tried again');

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
    logged(qr{after-step "/moved/moved" failed: status 302, Location: }
           . qr{http://x\.example/y}, 'a redirect is a failure');
    touch('moved');

    perform('half');
    is(targets('half', 2), '/step/half /half/half',
       'the header says whether it succeeded');
}


# what can never be delivered is kept; the log has a line for the first

sub lost { return () = $t->error_log =~ /after-step "gone" is dead/g }

{
    perform('lost') for 1 .. 3;
    ok($t->wait_for(sub { (my @dead = glob $t->dir . '/outbox/dead/*') == 3 }),
       'three are dead');
    is(lost(), 1, 'the log has a line');
    unlink glob $t->dir . '/outbox/dead/*';
}


# what takes too long, who is not there, and where a call must not go

{
    perform($_) for qw(never host);
    logged(qr{after-step "late" failed: timeout, connected, request sent, no }
           . qr{answer within 1s \(flowdash_timeout\)}, 'it takes too long');
    logged(qr{after-step "nobody" failed: connect}, 'nobody is there');
    logged(qr{after-step "two" failed: denied, flowdash_deny denies the }
           . qr{address, called "http://127\.0\.0\.2:\d+/two/host", },
           'where it must not go');
    is(targets('host?old', 1), '/fine/host?old', 'another host, a secret');
    unlike($t->error_log, qr/\?old/, 'which no log has');
    touch('never');
}


# a kept connection that was dead

{
    perform('kept');
    ok($t->wait_for(sub { return $t->requests('kept') == 3 }),
       'a call on a dead connection is sent again');
    my @calls = $t->requests('kept');
    is(header($calls[1], 'Idempotency-Key'),
       header($calls[2], 'Idempotency-Key'), 'with the same key');
    logged(qr{\[info\] .* after-step "again" is sent again: connect},
           'it is logged');
    unlike($t->error_log, qr{after-step "again" failed}, 'it did not fail');
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
    logged(qr{after-step "/secret/secret" failed: status 401},
           'an old secret is refused');

    perform('slow');
    is(targets('slow', 2), '/step/slow /hang/slow', 'a call is in flight');
    my ($old) = $t->worker_pids;

    $t->write_file('token', 'new');
    $signed_by = 'new' x 8;
    $t->config(config($outbox));
    ok($t->reload, 'reloaded');
    ok(kill(0, $old), 'the old worker waits for it');

    touch('slow');
    ok($t->wait_for(sub { !kill 0, $old }), 'and only for it');
    is(targets('slow', 3), '/step/slow /hang/slow /fine/slow',
       'the rest is sent, and nothing twice');

    logged(qr{after-step "/secret/secret" succeeded},
           'the last secret is accepted');

    my @secret = grep { $_->{target} eq '/secret/secret' }
        $t->requests('others');
    like(join(' ', map { header($_, 'Authorization') } @secret),
         qr{^(Bearer old )+Bearer new$},
         'which is that of the present configuration');
    ok(is_signed($secret[0], 'old' x 8), 'the first call is signed');
    ok(is_signed($secret[-1], 'new' x 8), 'the last one by the present key');
}


# nothing is left, but what cannot be delivered

logged(qr{after-step "/moved/moved" succeeded}, 'the redirect is gone');
logged(qr{after-step "late" succeeded}, 'so is the delay');
ok($t->wait_for(sub { records() == 2 }), 'two records wait');
is(targets('host?new', 0), '', 'of which nothing is sent twice');


# what is no longer configured

{
    unlink $t->dir . '/fails';
    $t->clear_requests('others');
    perform('fails');
    targets('fails', 3);
    $actions =~ s{location = /fails}{location = /other};
    $t->config(config($outbox));
    ok($t->reload, 'its location has another name now');
    logged(qr{after-step "/fail/fails" is dead: request_invalid, it is no }
           . qr{longer configured, tries \d}, 'it is dead');
    ok($t->wait_for(sub { return scalar(my @dead = glob $t->dir
                                                   . '/outbox/dead/*') }),
       'and kept for a person');
}

is($t->stop, '0', 'nginx stops');


# without an outbox, records wait in memory

{
    $actions =~ s{location = /other}{location = /fails};
    $t->write_file('error.log', '');
    $t->clear_requests('others');
    $t->config(config(''));
    $t->run;

    perform('lost') for 1 .. 3;
    ok($t->wait_for(sub { lost() == 3 }),
       'without an outbox, the log has a line for each that is dead');

    perform('fails');
    is(targets('fails', 3), '/step/fails /fail/fails /fine/fails',
       'tried at once');
    touch('fails');
    logged(qr{after-step "/fail/fails" succeeded}, 'tried again as well');

    unlink $t->dir . '/fails';
    $t->clear_requests('others');
    perform('fails');
    targets('fails', 3);
    my ($old) = $t->worker_pids;
    ok($t->reload, 'reloaded');
    ok($t->wait_for(sub { !kill 0, $old }),
       'what waits in memory does not keep a worker');
    logged(qr{\[crit\] .* flowdash: the worker ends, and what 1 actions},
           'and it is lost, says the log');
}

$t->allow_log(qr/flowdash: /);
$t->done;
