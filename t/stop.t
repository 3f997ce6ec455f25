# nginx is told to end at once, in the middle of calls: it does, and leaves
# nothing open.  Some calls are under way, one waits for a name, one for its
# next attempt, and one connection is kept.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::DNS;

my $t = Test::Flowdash->new;

$t->endpoint(kept => { headers => [ 'Content-Type' => 'application/json' ],
                       body => '{"task":{"Kept":true}}' });
$t->endpoint(busy => { status => 503,
                       headers => [ 'Retry-After' => 60 ] });
$t->raw_endpoint(stall => 'stall');
$t->endpoint(app => { body => 'stored' });

Test::Flowdash::DNS::start($t, dns => { 'silent.test' => { silent => 1 } });

my %step = (
    kept => 'flowdash_call http://127.0.0.1:%%PORT_kept%%/;',
    call => 'flowdash_call http://127.0.0.1:%%PORT_stall%%/;',
    proxy => 'proxy_pass http://127.0.0.1:%%PORT_stall%%/;',
    name => 'resolver 127.0.0.1:%%PORT_dns%% ipv6=off;
             flowdash_call http://silent.test/;',
    retry => 'flowdash_retry 1 503;
              flowdash_call http://127.0.0.1:%%PORT_busy%%/;',
);

my $locations = join '', map { qq(
    location /$_ {
        flowdash_timeout 600s;
        flowdash_deadline 600s;
        flowdash_connect_timeout 600s;
        flowdash_action "Do";
        flowdash_step "Step" { $step{$_} }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
) } sort keys %step;

# without a master, too: then it is the worker that gets the signal

my $n = 0;

for my $master ('on', 'off') {
    $n++;
    $t->clear_requests($_) for qw(kept stall busy dns app);

    $t->config("%%GLOBALS%%\nmaster_process $master;\nevents { }\n"
        . "http {\n%%HTTP_GLOBALS%%\nserver {\n"
        . "listen 127.0.0.1:%%PORT_http%%;\n$locations\n}\n}\n");
    $t->run;

    my $task = '{"task":{"A":1}}';
    is($t->post_json('/kept', $task)->{status}, 200, "master $master: a call");

    my @waiting = map {
        $t->start('POST', "/$_", body => $task, timeout => 60,
                  headers => [ 'Content-Type' => 'application/json' ])
    } qw(call proxy name retry);

    ok($t->wait_for(sub {
        return $t->requests('stall') == 2 && $t->requests('dns') > 0
            && $n == (() = $t->error_log =~ /attempt 1 failed: status 503/g);
    }, 60), 'all wait');

    is($t->stop(60, 'TERM'), 0, 'nginx has ended');

    for my $exchange (@waiting) {
        is($t->finish($exchange)->{status}, 0, 'no answer');
    }
    is(scalar $t->requests('app'), 1, 'the app got only the first');
}

$t->done;
