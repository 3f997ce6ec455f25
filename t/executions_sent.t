# flowdash_zone with executions=: what is sent of an execution that has undos or
# after-steps, while it waits and when it has been delivered; also by the worker
# that takes over after a crash.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Mojo::JSON qw(decode_json);

my $t = Test::Flowdash->new;

my @json = ('Content-Type' => 'application/json');

$t->endpoint(crm => { status => 204 });
$t->endpoint(slow => { until => sub { -e $t->dir . '/go' }, status => 204 });
$t->endpoint(undo => sub {
    return { status => -e $t->dir . '/undo_is_back' ? 204 : 503,
             headers => [ 'Retry-After' => 1 ] };
});
$t->endpoint(app => sub {
    my ($request) = @_;
    return { status => $request->json->{task}{app} // 200, body => 'app' };
});

$t->config(<<'END');
    flowdash_zone flowdash:1m executions=100;
    flowdash_outbox %%DIR%%/outbox;
    flowdash_result_headers on;

    server {
        listen 127.0.0.1:%%PORT_http%%;

        location = /json { flowdash_status json; }
        location = /page { flowdash_status html; }

        location = /finish {
            flowdash_action "Finish";
            flowdash_step "CRM" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                flowdash_undo { flowdash_call http://127.0.0.1:%%PORT_undo%%/; }
            }
            flowdash_step "Bill" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                flowdash_undo { flowdash_call http://127.0.0.1:%%PORT_crm%%/; }
            }
            flowdash_step "Slow" {
                flowdash_if $arg_slow;
                flowdash_call http://127.0.0.1:%%PORT_slow%%/;
            }
            flowdash_after "Chat" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }
END
$t->run;
$t->allow_log(qr/exited on signal 9/);
$t->allow_log(qr/undo of step "CRM" failed|takes over/);

sub act {
    my ($task) = @_;
    return header($t->post_json('/finish', qq({"task":$task})), 'Flowdash-Id');
}

# the outcome, and what is waiting, done and dead; when it is as expected

sub becomes {
    my ($id, $expected, $name) = @_;
    my $told = '';
    $t->wait_for(sub {
        my $json = decode_json($t->get("/json?id=$id")->{body});
        my $sent = $json->{deliveries};
        $told = "$json->{outcome} "
                . ($sent ? "$sent->{waiting} $sent->{done} $sent->{dead}" : '-');
        return $told eq $expected;
    }, 30);
    is($told, $expected, $name);
    return;
}

becomes(act('{}'), 'ok 0 1 0', 'an after-step was sent');

my $refused = act('{"app":422}');
becomes($refused, 'refused 1 1 0', 'one undo was sent, the other one waits');
like($t->get("/page?id=$refused")->{body},
     qr/undos or after-steps: 1 sent, 1 waiting, 0 dead\./, 'the page says so');

my $unknown = act('{"app":500}');
becomes($unknown, 'unknown -', 'of what is unknown, nothing is sent');


# its worker dies before the app is called; another one undoes it

my $slow = $t->start('POST', '/finish?slow=1', body => '{"task":{}}',
                     headers => [ @json ], timeout => 600);
ok($t->wait_for(sub { $t->requests('slow') }), 'one waits');
my ($id) = header(($t->requests('slow'))[0], 'Idempotency-Key')
           =~ /^"([0-9a-f]+)/;
kill KILL => $t->worker_pids;
becomes($id, 'failed 1 1 0', 'what a dead worker has begun is undone');
$t->finish($slow);

$t->write_file('undo_is_back', '');
becomes($id, 'failed 0 2 0', 'all of it');
becomes($refused, 'refused 0 2 0', 'and of the one that was refused');


# a person decides

my $outbox = $t->dir . '/outbox';
rename "$outbox/unknown/$unknown", "$outbox/after/$unknown" or die "$!\n";
becomes($unknown, 'ok 0 1 0', 'a person knows that the app has done it');

$t->done;
