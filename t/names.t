# Names of endpoints: nginx's resolver where there is one, the hosts file before
# it, the system's resolver else.  However late or wrong an answer is, it is the
# matter of one call, and the only worker serves others meanwhile.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash::Namespace;
use Test::Flowdash;

use Test::Flowdash::DNS;
use Time::HiRes qw(sleep time);

my $t = Test::Flowdash->new;
my $private = Test::Flowdash::Namespace::private();
my $go = $t->dir . '/go';
my @late = (until => sub { -e $go });       # answers once the test lets it
my $one = { A => [ '127.0.0.1' ] };

my %names = (
    (map { $_ => $one } map { ("$_.test", "$_.sub.test") }
        'http', 'server', 'location', 'step', 'mixed', 'dot', 'proxy',
        'variable', 'fast', 'hosted'),
    'late.test' => { %$one, @late },
    'silent.test' => { silent => 1 },
    'servfail.test' => { rcode => 'SERVFAIL' },
    'refused.test' => { rcode => 'REFUSED' },
    'nothing.test' => {},
    'cached.test' => { %$one, ttl => 60 },
    'ttl.test' => { %$one, ttl => 1 },
    'valid.test' => { %$one, ttl => 1 },
    'six.test' => { AAAA => [ '::1' ] },
    'both.test' => { A => [ '127.0.0.1' ], AAAA => [ '::1' ] },
    'two.test' => { A => [ '127.0.0.1', '127.0.0.2' ] },
    'again.test' => sub {
        my ($type, $n) = @_;
        return $n == 1 ? { rcode => 'NXDOMAIN' } : $one;
    },
    'silent_at_first.test' => sub {
        my ($type, $n) = @_;
        return $n == 1 ? { silent => 1 } : $one;
    },
);

# one that was read from a file of the machine's, where it can't be written

my ($hosted) = $private ? 'hosted.test'
    : map { /^127\.0\.0\.1\s+(?:\S+\s+)*?((?!\S*localhost\s)\S+)/ }
      `cat /etc/hosts`;

if ($private) {
    Test::Flowdash::Namespace::replace('/etc/hosts', $t->write_file('hosts',
        "127.0.0.1 Hosted.Test\n127.0.0.1 local.test\n"));
    Test::Flowdash::Namespace::replace('/etc/resolv.conf',
        $t->write_file('resolv.conf',
            "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n"));

    Test::Flowdash::DNS::start($t, system_dns => {
        'system.test' => $one, 'silent.test' => { silent => 1 },
        'late.test' => { %$one, @late },
    }, port => 53);
}

Test::Flowdash::DNS::start($t, $_ => \%names)
    for qw(dns dns_server dns_location dns_step);

$t->endpoint(hook => {});
$t->endpoint(app => { body => 'stored' });

my $locations = '';

# [ name, its step ]; a step that is no directive is the host of its call

sub action {
    my ($name, $step, $set) = @_;
    $step = "flowdash_call http://$step:%%PORT_hook%%/$name;"
        if $step !~ /;/;

    $set //= '';
    return <<"EOC";
        location = /$name {
            $set
            flowdash_action "Do $name";
            flowdash_step "Hook" { $step }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
EOC
}

sub call { return "flowdash_call http://$_[0]:%%PORT_hook%%/$_[1];" }

my $v4 = 'resolver 127.0.0.1:%%PORT_dns%% ipv6=off';

$locations .= action(@$_) for (
    (map { [ $_ => "$_.test" ] }
        qw(http late servfail refused nothing cached ttl fast six both)),
    [ silent => 'flowdash_connect_timeout 500ms; '
      . call('silent.test', 'silent') ],
    [ nxdomain => 'nowhere.test' ],
    [ too_long => 'a' x 64 . '.test' ],
    [ localhost => 'localhost' ], [ localhost_dot => 'localhost.' ],
    [ below => 'a.localhost' ], [ address => '127.0.0.1' ],
    [ location => 'location.test',
      'resolver 127.0.0.1:%%PORT_dns_location%% ipv6=off;' ],
    [ step => 'resolver 127.0.0.1:%%PORT_dns_step%% ipv6=off; '
      . call('step.test', 'step') ],
    [ valid => 'valid.test', "$v4 valid=900s;" ],
    [ hosted => $hosted // 'localhost' ],
    [ mixed => 'MiXeD.Test' ],
    [ dot => 'dot.test.' ],
    [ again => 'flowdash_retry 2 error; ' . call('again.test', 'again') ],
    [ twice => 'flowdash_retry 1 error; ' . call('nowhere.test', 'twice') ],
    [ silent_at_first => 'flowdash_retry 1 timeout=100s;
      flowdash_connect_timeout 2s; '
      . call('silent_at_first.test', 'silent_at_first') ],
    [ short => 'flowdash_timeout 300ms; ' . call('silent.test', 'short') ],
    [ leave => 'flowdash_connect_timeout 700ms; '
      . call('silent.test', 'leave') ],
    [ long => 'late.test' ],
    [ proxy => 'flowdash_proxy http://proxy.test:%%PORT_hook%%;
      flowdash_call http://nowhere.test/proxy;' ],
    [ proxy_none => 'flowdash_proxy http://nowhere.test:%%PORT_hook%%;
      flowdash_call http://http.test/proxy;' ],
    [ variable => 'flowdash_allow all; '
      . call('$arg_h', 'variable') ],
);

my $system = join '', map { action(@$_) } (
    [ system => 'system.test' ], [ local => 'local.test' ],
    [ long => 'late.test' ], [ fast => '127.0.0.1' ],
    [ nxdomain => 'nowhere.test' ],
    [ silent => 'flowdash_connect_timeout 500ms; '
      . call('silent.test', 'silent') ],
    [ short => 'flowdash_timeout 300ms; ' . call('silent.test', 'short') ],
    [ leave => 'flowdash_connect_timeout 700ms; '
      . call('silent.test', 'leave') ],
);

sub run {
    my ($http, $server) = @_;
    $t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    log_format flow '\$uri|\$status|\$flowdash_error|\$flowdash_step_status';
    access_log %%DIR%%/flow.log flow;

    flowdash_keepalive 0;
    flowdash_connect_timeout 100s;
    flowdash_timeout 200s;
    flowdash_deadline 300s;
    $http

    server {
        listen 127.0.0.1:%%PORT_http%%;
        location = /plain { return 200 "plain"; }
        $server
    }
}
EOC
    $t->run;
}

sub begin {
    my ($name, $port) = @_;
    return $t->start('POST', "/$name", body => '{"task":{}}',
                     port => $port // 'http',
                     headers => [ 'Content-Type', 'application/json' ]);
}

sub called { return scalar grep { $_->{target} =~ m{/$_[0]$} }
                    $t->requests('hook') }

# how many lines there are in the log of accesses, and the newest for an action

sub flow {
    my ($name) = @_;
    my @lines;
    $t->wait_for(sub {
        @lines = ($t->read_file('flow.log') // '') =~ m{^/$name\|(.*)}mg;
    });
    return $lines[-1];
}

sub good {
    my ($name, $message, $port, $uri) = @_;
    my $before = called($name);
    my $res = $t->finish(begin($uri // $name, $port));
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is("$res->{status} " . (called($name) - $before), '200 1', $message);
}

sub bad {
    my ($name, $flow, $message, $port) = @_;
    $t->finish(begin($name, $port));
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(flow($name), $flow, $message);
    is(called($name), 0, "$message: nothing is called");
}

sub said { return grep { /flowdash: .*$_[0]/ } split /\n/, $t->error_log }

sub queries { return Test::Flowdash::DNS::queries($t, @_) }


# which resolver

run(<<"EOC", $locations);
    resolver 127.0.0.1:%%PORT_dns%%;

    server {
        listen 127.0.0.1:%%PORT_server%%;
        resolver 127.0.0.1:%%PORT_dns_server%% ipv6=off;
        ${\ action(server => 'server.test') }
    }
EOC

good(http => 'the resolver of http');
is(queries('dns', 'http.test'), 'A AAAA', 'both kinds of addresses');
good(server => 'that of the server', 'server');
is(queries('dns_server', 'server.test'), 'A', 'ipv6=off');
good(location => 'that of the location');
is(queries('dns_location', 'location.test'), 'A', 'asked');
good(step => 'that of the step');
is(queries('dns_step', 'step.test'), 'A', 'asked, too');


# what it says

bad(nxdomain => '502|resolve|502', 'a name that does not exist');
bad(servfail => '502|resolve|502', 'a server that fails');
bad(refused => '502|resolve|502', 'a server that refuses');
bad(nothing => '502|resolve|502', 'a name without addresses');
bad(too_long => '502|resolve|502', 'a name that can not be');
bad(silent => '504|timeout|504', 'no answer in flowdash_connect_timeout');
bad(short => '504|timeout|504', 'no answer in flowdash_timeout');

is(queries('dns', 'a' x 64 . '.test'), '', 'which is not asked for');
ok(said(qr/"Do nxdomain".*: resolve, Host not found, called "http:.*nowhere/),
   'the log says that there is no such host');
ok(said(qr/"Do silent".*: timeout, the resolver did not answer, called/),
   'the log says who did not answer');


# what names mean

good(mixed => 'upper case');
is(queries('dns', 'mixed.test'), 'A AAAA', 'is asked for in lower case');
good(dot => 'a dot at the end');
is(queries('dns', 'dot.test'), 'A AAAA', 'is not asked for');
good(localhost => 'localhost');
good(localhost_dot => 'localhost, with a dot');
good(below => 'a name below localhost');
good(address => 'an address');
is(join(' ', grep { /localhost|127/ } map { $_->{name} } $t->requests('dns')),
   '', 'no server is asked for these');

SKIP: {
    skip 'no name in /etc/hosts' if !$hosted;
    good(hosted => 'a name of /etc/hosts');
    is(queries('dns', $hosted), '', 'no server is asked for it');
}

SKIP: {
    skip 'no IPv6 here' if `cat /proc/net/if_inet6 2>/dev/null` !~ /^0+1 /;
    bad(six => '502|connect|502', 'nobody listens at ::1');
    # in an order that changes from call to call
    good(both => '127.0.0.1 after ::1 has refused') for 1 .. 6;
}

good(variable => 'a host from a variable', 'http', 'variable?h=Variable.test');
is(queries('dns', 'variable.test'), 'A AAAA', 'is looked up');
good(variable => 'an address from it', 'http', 'variable?h=127.0.0.1');
good(proxy => 'the host of a proxy');
is(queries('dns', 'proxy.test'), 'A AAAA', 'is looked up');
is(join(' ', grep { m{/proxy$} } map { $_->{target} } $t->requests('hook')),
   'http://nowhere.test/proxy',
   "the endpoint's is the proxy's to look up");
bad(proxy_none => '502|resolve|502', 'a proxy that does not exist');


# how long answers count

good($_ => "$_, first") for qw(ttl valid), ('cached') x 3;
is(queries('dns', 'cached.test'), 'A AAAA', 'one look-up for many calls');


# attempts

good(again => 'a name that exists later');
is(flow('again'), '200|-|502, 200', 'a look-up for each attempt');
bad(twice => '502|resolve|502, 502', 'a name that never exists');
good(silent_at_first => 'a server that answers later');
is(flow('silent_at_first'), '200|-|504, 200', 'a look-up for each attempt');


# Others are served meanwhile; clients leave; workers are told to end.

sub meanwhile {
    my ($whose) = @_;
    my ($ok, $max) = (0, 0);
    my $begin = time;

    unlink $go;

    my @late = map { begin('long') } 1 .. 3;
    my $silent = begin('silent');

    for (1 .. 20) {
        my $start = time;
        $ok++ if $t->finish(begin('fast'))->{status} == 200;
        $ok++ if $t->get('/plain')->{body} eq 'plain';
        $max = time - $start if time - $start > $max;
    }

    is($ok, 40, "$whose: others are served");
    is(called('long'), 0, "$whose: before the late name is known");
    is($t->finish($silent)->{status}, 504, "$whose: no answer");

    # The system's waits for 30 seconds until it gives up.

    $t->get('/plain');
    cmp_ok(time - $begin, '<', 25, "$whose: does not hold the worker up");

    $t->write_file('go', '');
    is(join(' ', map { $t->finish($_)->{status} } @late), '200 200 200',
       "$whose: which it is in the end");
    is(called('long'), 3, "$whose: for all who wait for it");
    note(sprintf 'the slowest two requests of others: %.1f ms', $max * 1000);
}

# begins actions, the last one of which looks for the name that nobody knows, and
# waits until the name server is asked for it

sub look_up {
    my ($server, @names) = @_;
    my $before = queries($server, 'silent.test');
    my @running = map { begin($_) } @names;

    $t->wait_for(sub { queries($server, 'silent.test') ne $before });
    return @running;
}

sub endings {
    my ($whose, $server) = @_;
    my @leaving = look_up($server, 'leave');
    @leaving = ();
    is(flow('leave'), '504|timeout|504', "$whose: a client has left");

    unlink $go;
    my @running = look_up($server, qw(long long silent));

    ok($t->reload, "$whose: reload during look-ups");
    good(fast => "$whose: new workers work");
    $t->write_file('go', '');
    is(join(' ', map { $t->finish($_)->{status} } @running), '200 200 504',
       "$whose: the old one ends its own");

    unlink $go;
    @running = look_up($server, qw(long long silent));

    $t->signal('QUIT');
    ok($t->wait_for(sub { !$t->worker_pids }), "$whose: QUIT during look-ups");
    $t->write_file('go', '');
    is(join(' ', map { $t->finish($_)->{status} } @running), '200 200 504',
       "$whose: the worker ends them");
}

meanwhile("nginx's");

sleep 2.1;                          # of the worker's clock, which has seconds
good($_ => "$_, again") for qw(ttl valid);
is(queries('dns', 'ttl.test'), 'A AAAA A AAAA', 'ttl: asked again');
is(queries('dns', 'valid.test'), 'A', 'valid=: not yet');


endings("nginx's", 'dns');
$t->stop;


# the system's resolver

SKIP: {
    skip 'not root, or no namespaces' if !$private;

    $t->clear_requests('hook');
    unlink $t->dir . '/flow.log';
    run('', $system);

    good(system => "the system's");
    is(queries('system_dns', 'system.test'), 'A AAAA', 'asked');
    good(local => "the system's: a name of /etc/hosts");
    is(queries('system_dns', 'local.test'), '', 'not asked');
    bad(nxdomain => '502|resolve|502', "the system's: no such name");
    bad(silent => '504|timeout|504', "the system's: silent");
    bad(short => '504|timeout|504', "the system's: flowdash_timeout");
    meanwhile("the system's");
    endings("the system's", 'system_dns');
}

$t->done;
