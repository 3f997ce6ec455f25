# What flowdash_status shows of undos and after-steps: each try is counted, as
# "undo STEP" and "after NAME", and they do not stop their action.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->write_file('key', 'k' x 32);
chmod 0600, $t->dir . '/key';

$t->endpoint(hook => sub {
    my ($req) = @_;
    return { status => $req->{target} eq '/bad' ? 503 : 200 };
});
$t->endpoint(app => sub {
    my ($req) = @_;
    return { status => $req->{target} eq '/no' ? 409 : 204 };
});

my $hook = 'http://127.0.0.1:%%PORT_hook%%';
my $steps = qq(
    flowdash_step CRM {
        flowdash_call $hook/crm;
        flowdash_undo { flowdash_call $hook/undo; }
    }
    flowdash_step Bill { return 204; }
    flowdash_after Mail { flowdash_call $hook/mail; }
    flowdash_after Bad { flowdash_call $hook/bad; }
    proxy_pass http://127.0.0.1:%%PORT_app%%;
);

$t->config(<<"EOC")->run;
flowdash_outbox %%DIR%%/outbox key=file:%%DIR%%/key fsync=off;
flowdash_zone all:1m;

server {
    listen 127.0.0.1:%%PORT_http%%;

    location = /ok { flowdash_action Finish; $steps }
    location = /no { flowdash_action Finish; $steps }
    location = /named { flowdash_action \$arg_name; $steps }
    location = /idle {
        flowdash_action Idle;
        flowdash_step S { return 204; }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location = /json       { flowdash_status json; }
    location = /prometheus { flowdash_status prometheus; }
    location = /page       { flowdash_status html; }
}
EOC

sub action {
    my ($name) = @_;
    my ($action) = grep { $_->{name} eq $name }
        @{ $t->get('/json')->{json}{actions} };
    return $action;
}

sub deliveries { return map { $_->{name} => $_ } @{ action($_[0])->{deliveries} } }

is_deeply([ map { $_->{name} } @{ action('Finish')->{deliveries} } ],
    [ 'undo CRM', 'after Mail', 'after Bad' ], 'in the order of the steps');
is_deeply([ map { $_->{name} } @{ action('Finish')->{steps} } ],
    [ 'CRM', 'Bill' ], 'which are not among them');
ok(!exists action('Idle')->{deliveries}, 'none of an action without them');

is($t->post_json('/ok', '{"task":{}}')->{status}, 204, 'the app agrees');

my %of;
ok($t->wait_for(sub { %of = deliveries('Finish'); $of{'after Bad'}{started} }),
   'after-steps are counted');
is($of{'after Mail'}{succeeded}, 1, 'one that succeeds');
is($of{'after Mail'}{last_status}, 200, 'its status');
is_deeply($of{'after Bad'}{failed}, { status => 1 }, 'one that fails');
is($of{'after Bad'}{last_status}, 503, 'its status');
ok($of{'after Bad'}{sent} > 0, 'what it has sent');
is($of{'undo CRM'}{started}, 0, 'no undo');
like($of{'after Bad'}{endpoint}, qr{^http://127\.0\.0\.1:\d+$}, 'its endpoint');

is($t->post_json('/no', '{"task":{}}')->{status}, 409, 'the app refuses');
ok($t->wait_for(sub { %of = deliveries('Finish'); $of{'undo CRM'}{started} }),
   'an undo is counted');
is($of{'undo CRM'}{succeeded}, 1, 'it succeeds');

$t->post_json('/named?name=Named', '{"task":{}}');
ok($t->wait_for(sub {
    my $action = action('Named');
    return $action && ($action->{deliveries}[2] // {})->{started};
}), 'an action whose name has variables');
is_deeply([ map { $_->{name} } @{ action('Named')->{deliveries} } ],
    [ 'undo CRM', 'after Mail', 'after Bad' ], 'has the same');
is(scalar @{ action('Named')->{steps} }, 2, 'and its steps');

my $action = action('Finish');
is($action->{state}, 'degraded', 'a failing after-step does not stop an action');
ok(!$action->{failing}, 'which does not fail');

my $prometheus = $t->get('/prometheus')->{body};
like($prometheus, qr/^flowdash_step_runs_total\{action="Finish",step="undo\ CRM"
                      [^}]*\}\ 1$/mx, 'Prometheus: an undo')
    or diag(grep { /undo/ } split /^/, $prometheus);
like($prometheus, qr/\{action="Finish",step="after Bad"/, 'an after-step');

my $page = $t->get('/page')->{body};
like($page, qr/&#8634; undo 100/, 'the page: the undo below its step');
like($page, qr/stroke-dasharray/, 'the after-steps behind the app');
like($page, qr{<tr class="bad"><th scope="row">(?:<\w[^>]*>)?after Bad}, 'in the table');
$t->write_file('page.html', $page);

$t->done;
