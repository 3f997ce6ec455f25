# Where calls may go: flowdash_allow and flowdash_deny are about the address that
# is connected to, however a name, a kept connection or a variable leads to it.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use IO::Socket::IP;
use IO::Socket::UNIX;
use JSON::PP qw(encode_json);
use Test::Flowdash::DNS;
use Test::Flowdash::Server;
use Time::HiRes qw(sleep);

my $t = Test::Flowdash->new;
my $dir = $t->dir;
my $port = $t->port('one');
my $six = `cat /proc/net/if_inet6 2>/dev/null` =~ /^0+1 /m;

# The endpoints listen at the same port of different addresses.  Each one
# records the connections that it gets, apart from the requests.

$t->server(one => \&endpoint);

for ([ two => '127.0.0.2' ], $six ? [ six => '::1' ] : ()) {
    my ($name, $address) = @$_;
    my $listen = IO::Socket::IP->new(LocalHost => $address, ReuseAddr => 1,
                                     LocalPort => $port, Listen => 64)
        or BAIL_OUT("$address: $@");
    $t->server($name => sub { endpoint($listen, $_[1]) });
}

my $unix = IO::Socket::UNIX->new(Local => "$dir/hook.sock", Listen => 64);
$t->server(unix => sub { endpoint($unix, $_[1]) });

sub endpoint {
    my ($listen, $record) = @_;

    Test::Flowdash::Server::serve_raw($listen, sub {
        my ($request) = @_;
        my $close = $request->{target} =~ m{/(?:again|rebound)$};
        my $status = $request->{target} =~ m{/again$}
            ? "503 Later\r\nRetry-After: 2" : '200 OK';

        return (send => "HTTP/1.1 $status\r\nContent-Length: 0\r\n"
                . ($close ? "Connection: close\r\n\r\n" : "\r\n"),
                then => $close ? 'close' : 'next');
    }, $record, accepted => sub {
        $record->(bless { body => '', target => 'connection' },
                  'Test::Flowdash::Message');
    });
}

my $one = { A => [ '127.0.0.1' ], ttl => 0 };
my $two = { A => [ '127.0.0.2' ], ttl => 0 };
my $both = { A => [ '127.0.0.2', '127.0.0.1' ], ttl => 0 };

Test::Flowdash::DNS::start($t, dns => {
    'one.test' => $one, 'two.test' => $two,
    'other.test' => $two, 'other2.test' => $one,
    (map { ("both$_.test" => $both) } 1 .. 6),
    'mapped1.test' => { AAAA => [ '::ffff:127.0.0.1' ] },
    'mapped2.test' => { AAAA => [ '::ffff:127.0.0.2' ] },
    'six.test' => { AAAA => [ '::1' ] },
    'nat64.test' => { AAAA => [ '64:ff9b::127.0.0.2' ] },
    'zero.test' => { A => [ '0.0.0.0' ] },
    'none.test' => {},
    'rebound.test' => sub { return $_[1] == 1 ? $one : $two },
    'again.test' => sub { return $_[1] == 1 ? $one : $two },
    'half.test' => sub { return $_[1] == 1 ? $two : $both },
});

$t->endpoint(app => { body => 'stored' });


# [ name, rules, host, what becomes of it: the endpoint, or 'denied' ]

my $only = 'flowdash_allow 127.0.0.1; flowdash_deny all;';
my $not = 'flowdash_deny 127.0.0.2;';

my @cases = (
    [ free => '', '127.0.0.2', 'two' ],
    [ deny => $not, '127.0.0.2', 'denied' ],
    [ deny_other => $not, '127.0.0.1', 'one' ],
    [ only => $only, '127.0.0.1', 'one' ],
    [ only_other => $only, '127.0.0.2', 'denied' ],
    [ deny_all => 'flowdash_deny all;', '127.0.0.1', 'denied' ],
    [ allow_all => 'flowdash_allow all;', '127.0.0.2', 'two' ],

    [ order_1 => "$not flowdash_allow 127.0.0.0/8; flowdash_deny all;",
      '127.0.0.2', 'denied' ],
    [ order_2 => "flowdash_allow 127.0.0.0/8; $not flowdash_deny all;",
      '127.0.0.2', 'two' ],
    [ cidr => 'flowdash_deny 127.0.0.2/31;', '127.0.0.2', 'denied' ],
    [ cidr_other => 'flowdash_deny 127.0.0.2/31;', '127.0.0.1', 'one' ],
    [ cidr_8 => 'flowdash_deny 127.0.0.0/8;', '127.0.0.1', 'denied' ],
    [ v6_only => 'flowdash_deny ::/0;', '127.0.0.1', 'one' ],

    $six ? (
        [ six => 'flowdash_deny ::1;', '[::1]', 'denied' ],
        [ six_name => 'flowdash_deny ::1;', 'six.test', 'denied' ],
        [ six_only => 'flowdash_allow ::1; flowdash_deny all;', '[::1]',
          'six' ],
        [ six_zero => 'flowdash_deny ::1;', '[::]', 'denied' ],
        [ v4_only => 'flowdash_deny 0.0.0.0/0;', '[::1]', 'six' ],
        [ mapped => $not, 'mapped2.test', 'denied' ],
        [ mapped_url => $not, '[::ffff:127.0.0.2]', 'denied' ],
        [ mapped_only => $only, 'mapped1.test', 'one' ],
        [ mapped_other => $only, 'mapped2.test', 'denied' ],
        [ nat64 => $not, 'nat64.test', 'denied' ],
    ) : (),

    [ unix => 'flowdash_deny unix:;', 'unix', 'denied' ],
    [ unix_all => 'flowdash_deny all;', 'unix', 'denied' ],
    [ unix_only => 'flowdash_allow unix:; flowdash_deny all;', 'unix',
      'unix' ],
    [ unix_only_other => 'flowdash_allow unix:; flowdash_deny all;',
      '127.0.0.1', 'denied' ],
    [ unix_other => 'flowdash_deny 0.0.0.0/0; flowdash_deny ::/0;', 'unix',
      'unix' ],

    [ name => $not, 'two.test', 'denied' ],
    [ name_other => $not, 'one.test', 'one' ],
    [ name_only => $only, 'two.test', 'denied' ],
    [ zero => 'flowdash_deny 127.0.0.1;', 'zero.test', 'denied' ],
    [ retry => "$not flowdash_retry 3 error timeout 5xx;", 'two.test',
      'denied' ],
    (map { [ "both_$_", $_ < 4 ? $not : $only, "both$_.test", 'one' ] }
        1 .. 6),

    [ decimal => $not, '2130706434', 'denied' ],
    [ decimal_other => $not, '2130706433', 'one' ],
    [ hex => $not, '0x7f000002', 'denied' ],
    [ hex_part => $not, '0x7f.2', 'denied' ],
    [ hex_other => $only, '0x7f.1', 'one' ],
    [ octal => $not, '0177.0.0.02', 'denied' ],
    [ short => $not, '127.2', 'denied' ],

    [ rebound => $only, 'rebound.test', 'one' ],
    [ other_free => '', 'other.test', 'two' ],
    [ other => $not, 'other.test', 'denied' ],
    [ other2_free => '', 'other2.test', 'one' ],
    [ other2 => $not, 'other2.test', 'one' ],
    [ half_free => '', 'half.test', 'two' ],
    [ half => $not, 'half.test', 'one' ],
);

sub location {
    my ($name, $rules, $host) = @_;
    my $url = $host eq 'unix' ? "unix:$dir/hook.sock:/$name"
                              : "$host:$port/$name";
    return <<"EOC";
        location = /$name {
            flowdash_action "Do $name";
            flowdash_step "Hook" { $rules flowdash_call http://$url; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
EOC
}

my $locations = join '', map { location(@$_) } @cases,
    [ again => "$not flowdash_retry 2 503 error;", 'again.test' ],
    [ variable => $only, '$flowdash_task_h' ],
    [ part => $only, '${flowdash_task_h}.test' ],
    [ argument => $only, '$arg_h' ];

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    resolver 127.0.0.1:%%PORT_dns%%;
    log_format flow '\$uri|\$status|\$flowdash_error|\$flowdash_step_status';
    access_log %%DIR%%/flow.log flow;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        $locations
    }

    server {
        listen 127.0.0.1:%%PORT_inherit%%;
        $not
        ${\ location(server => '', '127.0.0.2') }
        ${\ location(step => 'flowdash_allow all;', '127.0.0.2') }
        ${\ location(step_other => 'flowdash_deny 127.0.0.1;', '127.0.0.2') }
    }
}
EOC
$t->run;

my @names = ('one', 'two', 'unix', $six ? 'six' : ());

sub requests    { return scalar grep { $_->{target} ne 'connection' }
                         $t->requests($_[0]) }
sub connections { return scalar grep { $_->{target} eq 'connection' }
                         $t->requests($_[0]) }

# which endpoints have got a connection or a request: "one:1/1"

sub counts {
    my @counts = map { connections($_) || requests($_)
                       ? "$_:" . connections($_) . '/' . requests($_) : () }
        @names;
    $t->clear_requests($_) for @names;
    return join ' ', @counts;
}

my %acts = (again => 1);

sub act {
    my ($name, %option) = @_;
    $acts{ $name =~ s/\?.*//r }++;
    return $t->post_json("/$name", $option{body} // '{"task":{}}',
                         port => $option{port} // 'http')->{status};
}

# the newest line about an action in the log of accesses

sub flow {
    my ($name) = @_;
    my @lines;
    $t->wait_for(sub {
        @lines = ($t->read_file('flow.log') // '') =~ m{^/\Q$name\E\|(.*)}mg;
        return @lines >= $acts{$name};
    });
    return $lines[-1];
}

sub denied {
    my ($name, $message, %option) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    act($name, %option);
    is(flow($name), '502|denied|502', "$message: denied");
    is(counts(), '', "$message: nothing is connected to");
}


# the rules

my $again = $t->start('POST', '/again', body => '{"task":{}}',
                      headers => [ 'Content-Type', 'application/json' ]);
$t->wait_for(sub { requests('one') });
is(counts(), 'one:1/1', 'a call that will be repeated');

for (@cases) {
    my ($name, $rules, $host, $where) = @$_;
    next if $name =~ /^(?:other|half)/;

    if ($where eq 'denied') {
        denied($name, "$host, $name");
        next;
    }

    is(act($name), 200, "$host, $name: allowed");
    like(counts(), qr{^$where:[01]/1$}, "$host, $name: by $where only");
}

denied(server => "the server's rules", port => 'inherit');
is(act($_, port => 'inherit'), 200, 'rules of a step replace them')
    for qw(step step_other);
counts();

my ($line) = grep { /flowdash: action "Do deny"/ } split /\n/, $t->error_log;
like($line // '', qr/on step "Hook": denied, flowdash_deny denies the address, (?#
    )called "http:\/\/127\.0\.0\.2:$port\/deny"/, 'the log says so');
is(scalar(() = $t->error_log =~ /flowdash: step "Hook".*two\.test/g), 0,
   'flowdash_retry does not repeat it');


# names that change

sleep 1.1;
denied(rebound => 'a name that now leads elsewhere');
$t->finish($again);
is(flow('again'), '502|denied|503, 502', 'so before a second attempt');
is(counts(), '', 'nothing is connected to');


# kept connections

is(act('other_free'), 200, 'a location without rules');
is(counts(), 'two:1/1', 'opens a connection');
denied(other => 'not for one that denies the address');
is(act('other_free'), 200, 'the former');
like(counts(), qr{^two:[01]/1$}, 'may go on');

is(act('other2'), 200, 'a location with rules');
is(act('other2_free'), 200, 'and one without');
is(counts(), 'one:1/2', 'share a connection that both allow');

is(act('half_free'), 200, 'a connection to one address');
is(counts(), 'two:1/1', 'is kept');
sleep 1.1;
is(act('half'), 200, 'is denied when the host has another one, too');
is(counts(), 'one:1/1', 'which is used');


# hosts of variables

my @invalid = ('a@b', '127.0.0.1@127.0.0.2', 'a:81', ':81', 'a/b', '127.0.0.1/',
               '[::1]', '::1', '', 'a' x 254, "a\r\nb", "a\n", "a\0b", "a\tb",
               'a b', ' ', '%2f', '127.0.0.1%00', 'a?b', 'a#b', 'a\\b', 'a,b',
               'a;b', '*', '$host', '.', '.a', "\xe4", "\x{4e00}", '${a}');

for my $value (@invalid) {
    my $show = encode_json([ $value ]);
    is(act('variable', body => encode_json({ task => { h => $value } })), 400,
       "$show as a host");
    is(flow('variable'), '400|request_invalid|400', "$show: error");
}

is(act('part', body => '{"task":{"h":""}}'), 400, 'a part, empty');
is(act("argument?h=$_"), 400, "$_ as an argument")
    for 'a%40b', '%5B::1%5D', '127.0.0.1%2F', '127.0.0.1:80', '127.0.0.1@b', '';
is(counts(), '', 'nothing is connected to');

sub host {
    my ($value) = @_;
    return act('variable', body => encode_json({ task => { h => $value } }));
}

for my $value (qw(127.0.0.1 one.test ONE.Test one.test. 2130706433 0x7f.1
                  localhost both1.test))
{
    is(host($value), 200, "$value: allowed");
    like(counts(), qr{^one:[01]/1$}, "$value: called");
}

for my $value (qw(127.0.0.2 two.test 2130706434 0x7f.2 127.2 0177.0.0.2)) {
    is(host($value), 502, "$value: not allowed");
    is(flow('variable'), '502|denied|502', "$value: denied");
}

is(act('part', body => '{"task":{"h":"one"}}'), 200, 'a part');
is(counts(), 'one:0/1', 'is called, and nothing else was');

for my $value ('a' x 253, join('.', ('a' x 63) x 3, 'a' x 61), '-', '_', 'a..b',
               'none.test', '127.0.0.1.', '999.1.1.1')
{
    host($value);
    like(flow('variable'), qr/^(?:502\|resolve\|502|200\|-\|200)$/,
         substr($value, 0, 20) . ': no address');
}

$t->stop;


# nginx -t

sub conf {
    my ($rules, $host, $server) = @_;
    return ($server // '') . location('a', $rules, $host // '127.0.0.1');
}


$t->conf_ok(conf($_), "$_ is all right") for $only, $not, 'flowdash_allow all;',
    'flowdash_deny all;', 'flowdash_deny 10.0.0.0/8; flowdash_allow all;',
    'flowdash_deny fc00::/7; flowdash_deny unix:;';
$t->conf_fails(conf(@$_[0, 1, 3]), qr/\[emerg\].*$_->[2]/, $_->[4])
    for (
    [ '', '$arg_h', 'a variable: "flowdash_allow" must', '',
      'a host of a variable without rules' ],
    [ $not, '$arg_h', 'a variable: "flowdash_allow" must', '',
      'a host of a variable without flowdash_allow' ],
    [ 'flowdash_allow 10.0.0.0/8; flowdash_deny 127.0.0.0/8;', '$arg_h',
      'a variable: the last rule must decide', '',
      'a host of a variable, and nothing is said of other addresses' ],
    [ 'flowdash_allow 10.0.0.0/8;', undef, 'without a "flowdash_deny"', '',
      'flowdash_allow without flowdash_deny' ],
    [ 'flowdash_deny all; flowdash_allow 10.0.0.0/8;', undef,
      'after one for "all" never matches', '', 'a rule after all' ],
    [ 'flowdash_deny 10.0.0.0/33;', undef,
      'invalid "10.0.0.0/33" in "flowdash_deny"', '', 'a bad CIDR' ],
    [ 'flowdash_deny example.com;', undef,
      'invalid "example.com" in "flowdash_deny"', '', 'a name' ],
    [ 'flowdash_allow unix:/tmp;', undef,
      'invalid "unix:/tmp" in "flowdash_allow"', '', 'a path' ],
    [ 'flowdash_deny;', undef, 'number of arguments', '', 'no address' ],
    [ "$not flowdash_proxy http://127.0.0.1:1;", undef,
      'would check only the address of "flowdash_proxy"', '', 'with a proxy' ],
    [ '', '$arg_h', 'would check only the address of "flowdash_proxy"',
      "$only flowdash_proxy http://127.0.0.1:1;", 'with a proxy, inherited' ],
    [ $only, '127.0.0.1:$arg_p', 'port must not have variables|Port number|(?#
      )Malformed|URL', '', 'a port of a variable' ],
);
$t->conf_ok(conf('flowdash_allow all; flowdash_proxy http://127.0.0.1:1;', '$arg_h'),
        'flowdash_allow all with a proxy');

$t->done;
