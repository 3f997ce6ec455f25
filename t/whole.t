# flowdash_undo and flowdash_after with flowdash_outbox: what endpoints are told
# of each outcome, in which order, and what is left in the outbox.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use feature "signatures";
no warnings "experimental::signatures";

use Compress::Zlib qw(memGzip);
use JSON::PP qw(decode_json);

my $t = Test::Flowdash->new(log_level => 'info');

my @json = ('Content-Type' => 'application/json');

# every call is answered by what its path asks for
$t->endpoint(crm => sub ($req) {
    my $told = $req->{body} ? decode_json($req->{body}) : {};
    my $want = $told->{task}{crm} // '';

    return { status => 409, headers => \@json, body => '{}' }
        if $want eq 'no' && $req->{target} eq '/bill';
    return { status => 503 } if $want eq 'down' && $req->{target} =~ /undo/
        && !-e $t->dir . '/crm_is_back';
    return { status => 503 }
        if $want eq 'broken' && $req->{target} eq '/deal';
    return { headers => \@json, body => '{"task":{"crm_id":"17/4"}}' }
        if $req->{target} eq '/crm';
    return { headers => \@json, body => '{}' };
});

my %app = (
    created => { status => 302, headers => [ Location => '/tasks/1' ] },
    (map { $_ => { status => 201, headers => [ Location => "/tasks/$_",
                                               'X-Accel-Redirect' => "/$_" ] }
     } qw(page another)),
    json => { headers => [ @json, 'X-App' => 'yes' ],
              body => qq({"id": 1,\n "name":"a"}) },
    gzip => { headers => [ @json, 'Content-Encoding' => 'gzip' ],
              body => memGzip('{"zip":true}') },
    large => { headers => \@json, body => '[' . ('1,' x 40_000) . '1]' },
    huge => { headers => [ 'Content-Type' => 'text/plain' ],
              body => join '', map { sprintf '%07d,', $_ } 1 .. 200_000 },
    no_json => { headers => \@json, body => '{"id":' },
    stale => { status => 409, headers => \@json, body => '{"stale":1}' },
    error => { status => 500 },
);
$t->endpoint(app => sub ($req) {
    return $app{created} if $req->{target} eq '/another';
    my $task = decode_json($req->{body})->{task};
    return $app{ $task->{app} } // { status => 204 };
});

$t->write_file('token', 'a "secret"');

$t->config(<<'EOC');
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    log_format flow '$uri|$status|$flowdash_result|$flowdash_failed_step';
    access_log %%DIR%%/flow.log flow;

    flowdash_outbox %%DIR%%/outbox;
    flowdash_secret $token file:%%DIR%%/token;
    flowdash_user id "ann";
    flowdash_zone counters:1m;

    server {
        listen 127.0.0.1:%%PORT_http%%;

        location = /finish {
            flowdash_action "Finish";

            flowdash_step "CRM" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/crm;
                flowdash_undo {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/undo/crm/$flowdash_task_crm_id;
                    flowdash_set_header Authorization "Bearer $token";
                }
            }

            flowdash_step "Billing" {
                proxy_pass http://127.0.0.1:%%PORT_crm%%/bill;
                flowdash_undo {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/undo/bill method=DELETE;
                }
            }

            flowdash_after "Notify" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/notify;
            }

            flowdash_after "Chat" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/chat;
                flowdash_set_body json '{"text":"$flowdash_action $flowdash_app_status","key":"$token"}';
            }

            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /page {
            internal;
            add_header Location /none always;
            return 200 "a page";
        }

        location = /another {
            internal;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /handler {
            flowdash_action "Handler";
            flowdash_step "CRM" { flowdash_call http://127.0.0.1:%%PORT_crm%%/crm; }
            flowdash_after "Notify" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/notify;
            }
            alias %%DIR%%/folder;
            flowdash_methods GET;
        }

        location = /once {
            flowdash_action "Once";
            flowdash_once $arg_key 10m;
            flowdash_step "CRM" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/crm;
                flowdash_undo {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/undo/crm;
                }
            }
            flowdash_after "Notify" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/notify;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /deal {
            flowdash_action "Deal";
            flowdash_step "Deal" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/deal;
                flowdash_undo {
                    flowdash_if $flowdash_task_crm_id;
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/undo/deal;
                }
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /nobody {
            flowdash_action "Nobody";
            flowdash_step "CRM" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/crm;
                flowdash_undo {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/undo/crm;
                }
            }
            proxy_pass http://127.0.0.1:%%PORT_nobody%%;
        }
    }
}
EOC

mkdir $t->dir . '/folder';
$t->run;

my $outbox = $t->dir . '/outbox';

# the records of all directories but those for a person
sub records {
    my @found = glob "$outbox/*/*/* $outbox/waiting/*";
    return grep { -f && !m{/lock$} } @found;
}

sub nothing_waits ($name) {
    ok($t->wait_for(sub { !records() }), "$name: nothing waits in the outbox");
}

sub perform ($uri, %task) {
    $t->clear_requests($_) for qw(crm app);
    return $t->post_json($uri, JSON::PP->new->canonical
                                   ->encode({ task => \%task }));
}

sub calls ($n) {
    my @calls;
    $t->wait_for(sub { (@calls = $t->requests('crm')) >= $n });
    return @calls;
}

sub targets (@calls) { return join ' ', map { $_->{target} } @calls }


# ok

{
    my $res = perform('/finish', app => 'json');

    is($res->{status}, 200, 'ok: the app answers');
    is($res->{body}, $app{json}{body}, 'ok: with its body');

    my @calls = calls(4);
    is(targets(@calls), '/crm /bill /notify /chat', 'ok: the after-steps');

    my $told = $calls[2]{json};
    is_deeply([ sort keys %$told ], [ qw(action response result task user) ],
              'ok: what an after-step is told');
    is_deeply($told->{result}, { status => 200, location => undef },
              'ok: the result');
    is_deeply($told->{response}, { id => 1, name => 'a' },
              'ok: the response');
    is($told->{task}{crm_id}, '17/4', 'ok: the task with its changes');
    is_deeply($calls[3]{json}, { text => 'Finish 200', key => 'a "secret"' },
              'ok: a body of its own, with a secret');
    nothing_waits('ok');
}

{
    my $res = perform('/finish', app => 'created');

    is(header($res, 'Location') =~ s{.*(?=/tasks)}{}r, '/tasks/1',
       'a redirect comes through');
    my @calls = calls(4);
    is($calls[2]{json}{result}{status}, 302, 'a redirect is ok');
    like($calls[2]{json}{result}{location}, qr{/tasks/1$}, 'its location');
    is($calls[2]{json}{response}, undef, 'no JSON: no response');
    ok(!exists $calls[2]{json}{truncated}, '... and nothing is missing');
}

for my $row ([ page => 200, '/none' ], [ another => 302, '/tasks/1' ]) {
    my ($app, $status, $location) = @$row;
    my $res = perform('/finish', app => $app);

    is("$res->{status} " . header($res, 'Location') =~ s{.*//[^/]+}{}r,
       "$status $location", "the app leads to $app: what the client gets");
    my @calls = calls(4);
    is_deeply($calls[2]{json}{result},
              { status => 201, location => "/tasks/$app" },
              '... an after-step is told what the app has said');
}

{
    $t->clear_requests('crm');
    my $res = $t->get('/handler');
    is($res->{status}, 301, 'a handler of nginx redirects');
    like((calls(2))[1]{json}{result}{location}, qr{/handler/$},
         '... its location is told');
}

for my $row ([ gzip => { zip => JSON::PP::true } ], [ large => undef, 1 ],
             [ huge => undef ], [ no_json => undef ]) {
    my ($app, $response, $truncated) = @$row;
    my $res = perform('/finish', app => $app);

    is($res->{body}, $app{$app}{body}, "$app: the client gets all of it");
    my @calls = calls(4);
    is_deeply($calls[2]{json}{response}, $response, "$app: the response");
    is($calls[2]{json}{truncated}, $truncated ? JSON::PP::true : undef,
       "$app: truncated or not");
}


# refused

{
    my $res = perform('/finish', app => 'stale');

    is($res->{status}, 409, 'refused: the app says so');
    is($res->{body}, '{"stale":1}', 'refused: with its own words');

    my @calls = calls(4);
    is(targets(@calls), '/crm /bill /undo/bill /undo/crm/17%2F4',
       'refused: undos in the reverse order');

    my ($crm, $bill, $undo_bill, $undo_crm) = @calls;
    is($undo_bill->{method}, 'DELETE', 'refused: a method of its own');
    is($undo_bill->{body}, '', 'refused: DELETE has no body');
    is(header($undo_crm, 'Authorization'), 'Bearer a "secret"',
       'refused: a secret in a header');
    is(header($undo_crm, 'Flowdash-Undo'), header($crm, 'Idempotency-Key'),
       'refused: the key of the step');
    isnt(header($undo_crm, 'Idempotency-Key'),
         header($crm, 'Idempotency-Key'), 'refused: a key of its own');
    is_deeply($undo_crm->{json}{undo}, { reason => 'refused', step => undef,
              key => header($crm, 'Idempotency-Key') =~ s/"//gr },
              'refused: the reason, and this key in the payload');
    is($undo_crm->{json}{task}{crm_id}, '17/4',
       'refused: the task as the step has left it');
    nothing_waits('refused');
}

{
    my $res = perform('/nobody', app => 'x');

    is($res->{status}, 502, 'nobody is there');
    like($res->{body}, qr/What they did is being undone/,
         'nobody is there: the user is told');
    is(targets(calls(2)), '/crm /undo/crm', 'nobody is there: undone');
    nothing_waits('nobody is there');
}


# with flowdash_once

for my $app (qw(json huge stale)) {
    my @res;

    for my $time (qw(first second)) {
        push @res, perform("/once?key=$app", app => $app);
        nothing_waits("once, $app, the $time time");
    }

    is($_->{body}, $app{$app}{body}, "once, $app: the response")
        for @res[$app eq 'huge' ? 0 : (0, 1)];
    is($res[1]{status}, { json => 200, huge => 409, stale => 409 }->{$app},
       "once, $app: the second time");

    # only what was refused may be repeated
    is(targets($t->requests('crm')), $app eq 'stale' ? '/crm /undo/crm' : '',
       "once, $app: what the second has called");
}


# failed

{
    my $res = perform('/finish', app => 'json', crm => 'no');

    is($res->{status}, 502, 'failed: a step has said no');
    my @calls = calls(3);
    is(targets(@calls), '/crm /bill /undo/crm/17%2F4',
       'failed: what has taken effect is undone');
    is_deeply($calls[2]{json}{undo},
              { reason => 'status', step => 'Billing',
                key => header($calls[0], 'Idempotency-Key') =~ s/"//gr },
              'failed: the reason');
    $t->no_request('app', 'failed: the app is not called');
    nothing_waits('failed');
}


# unknown

{
    my $res = perform('/finish', app => 'error');

    is($res->{status}, 500, 'unknown: the app fails');

    my @unknown;
    ok($t->wait_for(sub { @unknown = glob "$outbox/unknown/*" }),
       'unknown: a person has to look');
    is(targets($t->requests('crm')), '/crm /bill', 'unknown: nothing is sent');

    my @lines = map { map { decode_json($_) } split /\t/, substr $_, 65 }
        split /\n/, $t->read_file("outbox/unknown/" . $unknown[0] =~ s{.*/}{}r)
            =~ s/\0+\z//r;
    is($lines[0]{action}, 'Finish', 'unknown: the record can be read');

    rename $unknown[0], "$outbox/undo/" . $unknown[0] =~ s{.*/}{}r
        or die $!;
    is(targets(calls(4)), '/crm /bill /undo/bill /undo/crm/17%2F4',
       'unknown: moved to undo/, it is undone');
    nothing_waits('unknown');
}


# a delivery that fails is tried again

{
    perform('/finish', app => 'stale', crm => 'down');
    is(targets(calls(4)), '/crm /bill /undo/bill /undo/crm/17%2F4',
       'down: both are tried');

    my @waiting;
    ok($t->wait_for(sub { @waiting = records() }), 'down: the record waits');
    unlike($t->read_file($waiting[0] =~ s{^\Q@{[ $t->dir ]}/}{}r), qr/a .?.?"secret/,
           'down: it has no secret');

    $t->write_file('crm_is_back', '');
    is(targets((calls(5))[4]), '/undo/crm/17%2F4', 'down: tried again');
    nothing_waits('down');
}


# an undo with a condition that may ask for what the answer would have set

{
    is(perform('/deal', app => 'stale')->{status}, 409, 'condition: refused');
    is(targets(calls(1)), '/deal', '... it is not met: there is no undo');
    nothing_waits('condition');

    is(perform('/deal', crm => 'broken')->{status}, 502,
       'condition: the step fails');
    my @dead;
    ok($t->wait_for(sub { @dead = glob "$outbox/dead/*" }),
       '... what it asks for is not known: the undo is dead');
    is(targets(calls(1)), '/deal', '... and not sent');
    like($t->error_log, qr/its flowdash_if was not met before the step had /,
         '... which is logged');
}

$t->allow_log(qr/flowdash: /);
$t->done;
