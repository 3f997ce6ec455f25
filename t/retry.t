# flowdash_retry: a flaky endpoint, and for each condition which attempts were
# made, with which ids, within which limits, and what is told about them.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Digest::SHA qw(sha256_hex);
use IO::Socket::INET;
use List::Util qw(max sum0);
use POSIX qw(strftime);

use Test::Flowdash::HTTP;
use Test::Flowdash::Libcurl;
use Test::Flowdash::Server;

my $t = Test::Flowdash->new(log_level => 'info');
my $dir = $t->dir;
my $http2 = libcurl_does_http2();

my @json = ('Content-Type' => 'application/json');
my $body = '{"task":{"f":"old"}}';
my $stolen = '{"task":{"f":"stolen"}}';
my $long = 'x' x 40_000;


# [ name, the step's directives, what the endpoint does at each attempt and
# then 200, the step's status, error ]

my @rows;

# each condition, against each failure

my %kind = (reset => [ 502, 'connect' ], stall => [ 504, 'timeout' ],
            map { $_ => [ $_, 'status' ] } 429, 500, 502, 503, 504, 507);
my %fulfilled = (
    error => [ 'reset' ], timeout => [ 'stall' ], 'timeout=2s' => [ 'stall' ],
    (map { $_ => [ $_ ] } 429, 500, 502, 503, 504),
    '5xx' => [ 500, 502, 503, 504, 507 ],
    '429 error 500' => [ 'reset', 429, 500 ],
    '' => [ 'reset', 'stall', 429, 503 ],
    off => [],
);

for my $condition (sort keys %fulfilled) {
    for my $failure (sort keys %kind) {
        my ($status, $error) = @{ $kind{$failure} };
        my $again = grep { $_ eq $failure } @{ $fulfilled{$condition} };
        my $name = "$condition-$failure" =~ s/\W/_/gr;
        my $set = $condition eq 'off' ? 'flowdash_retry off;'
            : "flowdash_retry 1 $condition;";

        # Only what stalls is to run out of time: an attempt without a time of
        # its own has half of the step's.

        if ($failure ne 'stall') {
            $set =~ s/=2s/=200s/;
        } elsif ($condition !~ /=/) {
            $set .= 'flowdash_timeout ' . ($again ? '4s;' : '1s;');
        }

        push @rows, [ $name, $set, [ $failure ],
                      $again ? ("$status, 200", '') : ($status, $error) ];
    }
}

push @rows, (
    [ none => '', [ 503 ], 503, 'status' ],
    [ at_once => 'flowdash_retry 3;', [], 200 ],

    # so many

    [ n_1 => 'flowdash_retry 1 503;', [ (503) x 4 ], '503, 503', 'status' ],
    [ n_3 => 'flowdash_retry 3 503;', [ (503) x 3, 500 ],
      '503, 503, 503, 500', 'status' ],
    [ n_10 => 'flowdash_retry 10 5xx;', [ 503, 500, 502 ],
      '503, 500, 502, 200' ],
    [ mixed => 'flowdash_retry 3 503 error timeout=3s;',
      [ '503 1', 'reset', 'stall' ], '503, 502, 504, 200' ],
    [ ends_refused => 'flowdash_retry 3;', [ 503, 404 ],
      '503, 404', 'status' ],
    [ ends_invalid => 'flowdash_retry 3;', [ 503, 'text' ],
      '503, 200', 'response_invalid' ],

    # breaking off

    [ close => 'flowdash_retry 1 error;', [ 'close' ], '502, 200' ],
    [ cut => 'flowdash_retry 1 error;', [ 'cut' ], '502, 200' ],
    [ cut_503 => 'flowdash_retry 1 error;', [ 'cut 503' ], '502, 200' ],
    [ reset_body => 'flowdash_retry 1 error;', [ 'reset_body' ], '502, 200' ],
    [ cut_off => 'flowdash_retry 1 503;', [ 'cut' ], 502, 'connect' ],
    [ resets => 'flowdash_retry 2 error;', [ ('reset') x 3 ],
      '502, 502, 502', 'connect' ],

    # stalling

    [ stall_body => 'flowdash_retry 1 timeout=2s;', [ 'stall_body' ],
      '504, 200' ],
    [ stalls => 'flowdash_retry 2 timeout; flowdash_timeout 6s;',
      [ ('stall') x 4 ], '504, 504, 504', 'timeout' ],
    [ stalls_time => 'flowdash_retry 2 timeout=300ms;', [ ('stall') x 4 ],
      '504, 504, 504', 'timeout' ],
    [ stall_long => 'flowdash_retry 2 timeout=200s; flowdash_timeout 1s;',
      [ 'stall' ], 504, 'timeout' ],
    [ stall_second => 'flowdash_retry 2 503; flowdash_timeout 4s;',
      [ 503, 'stall' ], '503, 504', 'timeout' ],
    [ stall_deadline => 'flowdash_retry 2 503;', [ 503, 'stall' ],
      '503, 504', 'deadline' ],

    # never

    (map { [ "status_$_", 'flowdash_retry 3 error timeout 429 5xx;',
             [ $_ ], $_, 'status' ] }
        301, 400, 401, 404, 409, 422, 430, 499, 600),
    [ text => 'flowdash_retry 3 error 5xx;', [ 'text' ],
      200, 'response_invalid' ],
    [ garbage => 'flowdash_retry 3 error 5xx;', [ 'garbage' ],
      502, 'response_invalid' ],
    [ large => 'flowdash_retry 3 error 5xx;', [ { body => $long x 2 } ],
      502, 'response_too_large' ],
    [ large_503 => 'flowdash_retry 3 error 5xx;',
      [ { status => 503, body => $long x 2 } ], 502, 'response_too_large' ],
    [ large_header => 'flowdash_retry 3 error 5xx;',
      [ { headers => [ 'X-Long' => $long, 'X-Longer' => $long ] } ],
      502, 'response_too_large' ],

    # libcurl's own limits

    (map { [ $_->[0] => 'flowdash_retry 3 error 5xx; '
             . 'flowdash_max_response_size 1m;', [ { headers => $_->[1] } ],
             502, 'response_too_large' ] }
        [ header_line => [ 'X-Long' => 'x' x 150_000 ] ],
        [ header_lines => [ map { ("X-Long-$_" => $long) } 1 .. 10 ] ]),

    # Retry-After

    (map { [ "after_@$_[0]", 'flowdash_retry 1;', [ "503 @$_[1]" ],
             '503, 200' ] }
        [ 1 => 1 ], [ date => 'date' ], [ past => 'past' ], [ 0 => 0 ],
        [ negative => '-1' ], [ soon => 'soon' ]),
    [ after_429 => 'flowdash_retry 1 429;', [ '429 1' ], '429, 200' ],
    [ after_other => 'flowdash_retry 2;', [ '503 1', 503 ], '503, 503, 200' ],
    [ after_year => 'flowdash_retry 1;', [ '503 31536000' ], 503, 'status' ],
    [ after_ages => 'flowdash_retry 1;', [ '503 ' . 9 x 20 ], 503, 'status' ],
    [ after_text => 'flowdash_retry 1;', [ '503 ' . 9 x 20 . 'x' ],
      '503, 200' ],
    [ after_timeout => 'flowdash_retry 1; flowdash_timeout 200s;',
      [ '503 200' ], 503, 'status' ],
    [ after_second => 'flowdash_retry 5; flowdash_timeout 200s;',
      [ 429, '503 200' ], '429, 503', 'status' ],
    [ after_deadline => 'flowdash_retry 1;', [ '503 200' ], 503, 'status' ],

    # nothing of an answer is left for the next one

    [ left_type => 'flowdash_retry 1;',
      [ 503, { headers => [], body => 'ok' } ], '503, 200' ],
    [ left_body => 'flowdash_retry 1;', [ 503, { body => '' } ], '503, 200' ],
    [ left_text => 'flowdash_retry 1;',
      [ { status => 503, headers => [ 'Content-Type' => 'text/html' ],
          body => '<p>later' },
        { headers => [], body => '{"task":{"g":"new"}}' } ], '503, 200' ],
    [ left_length => 'flowdash_retry 2;',
      [ ({ status => 503, body => $long }) x 2,
        { body => qq({"task":{"g":"new"},"x":"$long"}) } ],
      '503, 503, 200' ],
    [ left_header => 'flowdash_retry 2;',
      [ ({ status => 503, headers => [ 'X-Long' => $long ] }) x 2,
        { headers => [ @json, 'X-Long' => $long ],
          body => '{"task":{"g":"new"}}' } ], '503, 503, 200' ],

    # by other ways

    [ http2 => 'flowdash_retry 1 503; flowdash_ssl_verify off;'
               . ($http2 ? 'flowdash_http_version 2;' : ''), [ 503 ],
      '503, 200' ],
    [ signed => "flowdash_retry 1; flowdash_sign_key whsec_@{[ 'AB12' x 8 ]};",
      [ '503 1' ], '503, 200' ],
    [ inherited => '', [ 503 ], '503, 200' ],
    [ overridden => 'flowdash_retry off;', [ 503 ], 503, 'status' ],
);

# of the location
my %around = (
    stall_deadline => 'flowdash_deadline 4s;',
    after_deadline => 'flowdash_deadline 200s;',
    inherited => 'flowdash_retry 1;',
    overridden => 'flowdash_retry 1;',
);

# where the task is not what it is for the others
my %unchanged = map { $_ => 1 } qw(left_type left_body);


# The endpoint

my %script = (
    (map { $_->[0] => $_->[2] } @rows),
    (map { $_ => [ 503 ] } qw(one two)),
    (map { $_ => [ '503 2' ] } qw(client reload quit)),
);
my %attempts;

sub answer {
    my (%answer) = @_;
    return Test::Flowdash::HTTP::head(
        'HTTP/1.1 ' . ($answer{status} // 200) . ' As said',
        @{ $answer{headers} // \@json }, Connection => 'close',
        'Content-Length' => $answer{length} // length($answer{body} // ''))
        . ($answer{body} // '');
}

sub http_date { return strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime shift) }

sub cut {
    return send => answer(status => $_[0], body => $stolen, length => 99);
}

my %act = (
    text => sub { return send => answer(body => 'ok') },
    cut => \&cut,
    reset_body => sub { return (cut(), pause => 0.1, then => 'reset') },
    stall_body => sub { return (cut(), then => 'stall') },
);

$t->raw_endpoint(flaky => sub {
    my ($request) = @_;
    my ($name) = $request->{target} =~ m{^/(\w+)};
    my $how = $script{$name}[$attempts{$name}++]
        // { body => '{"task":{"g":"new"}}' };

    return send => answer(%$how) if ref $how;

    my ($what, $value) = split ' ', $how;
    return ($act{$what} // Test::Flowdash::Server::behaviour($what))
        ->($value) if $what =~ /^[a-z]/;

    $value = http_date(time + ($value eq 'past' ? -9 : 5))
        if ($value // '') =~ /^(?:date|past)$/;
    return send => answer(status => $what, body => $stolen, headers =>
                          [ @json, 'Retry-After' => $value, 'X-Old' => 1 ]);
});

$t->endpoint(app => { body => 'stored' });


# one that answers on a connection once, and then closes it when it is asked

my %pooled;

$t->raw_endpoint(pooled => sub {
    my ($request, $n) = @_;
    return if $pooled{$n}++;
    return (send => answer(body => '{"task":{"g":"new"}}')
            =~ s/Connection: close\r\n//r, then => 'next');
});

# ones that do not come to TLS, or to a connection

$t->server(no_tls => sub {
    my ($listen, $record) = @_;
    while (1) {
        my $sock = $listen->accept or next;
        sysread $sock, my $hello, 65536;
        $record->(Test::Flowdash::Message->none);
    }
});
$t->server(full => sub { $_[0]->listen(0); 1 while sleep 1000 });

# an endpoint of two servers

$t->endpoint(first => { status => 503, headers => \@json, body => $stolen });
$t->endpoint(second => { headers => \@json, body => '{"task":{"g":"new"}}' });


my $locations = '';

for my $row (@rows) {
    my ($name, $directives) = @$row;
    my $url = $name eq 'http2' ? 'https://127.0.0.1:%%PORT_tls%%'
        : 'http://127.0.0.1:%%PORT_flaky%%';

    $locations .= action($name, $around{$name} // '',
                         "$directives flowdash_call $url/$name/p?key=secret;");
}

# without the endpoint: [ name, the step's directives, status, error ]

my @others = (
    [ refused => 'flowdash_retry 1 error;
                  flowdash_call http://127.0.0.1:%%PORT_nobody%%/;',
      '502, 502', 'connect' ],
    [ refused_off => 'flowdash_retry 1 timeout;
                      flowdash_call http://127.0.0.1:%%PORT_nobody%%/;',
      502, 'connect' ],
    [ resolve => 'flowdash_retry 1 error; resolver 127.0.0.1:%%PORT_udp%%;
                  flowdash_call http://a..b/;',
      '502, 502', 'resolve' ],
    [ resolver => 'flowdash_retry 1 timeout; resolver 127.0.0.1:%%PORT_udp%%;
                   flowdash_connect_timeout 300ms;
                   flowdash_call http://some.example/;',
      '504, 504', 'timeout' ],
    [ resolver_time => 'flowdash_retry 1 timeout=300ms;
                        resolver 127.0.0.1:%%PORT_udp%%;
                        flowdash_call http://some.example/;',
      '504, 504', 'timeout' ],
    [ resolver_own => 'resolver 127.0.0.1:%%PORT_udp%%;
                       resolver_timeout 300ms;
                       flowdash_connect_timeout 900s; flowdash_timeout 900s;
                       flowdash_call http://some.example/;', 504, 'timeout' ],
    [ connect => 'flowdash_retry 1 timeout; flowdash_connect_timeout 300ms;
                  flowdash_call http://127.0.0.1:%%PORT_full%%/;',
      '504, 504', 'timeout' ],
    [ connect_off => 'flowdash_retry 1 error; flowdash_connect_timeout 300ms;
                      flowdash_call http://127.0.0.1:%%PORT_full%%/;',
      504, 'timeout' ],
    [ no_tls => 'flowdash_retry 1 error;
                 flowdash_call https://127.0.0.1:%%PORT_no_tls%%/;',
      '502, 502', 'tls' ],
    [ certificate => 'flowdash_retry 3;
                      flowdash_call https://127.0.0.1:%%PORT_tls%%/;',
      502, 'tls' ],
    [ denied => 'flowdash_retry 3; flowdash_deny all;
                 flowdash_call http://127.0.0.1:%%PORT_flaky%%/denied;',
      502, 'denied' ],
    ($http2 ? [ stream => 'flowdash_retry 1 error; flowdash_ssl_verify off;
                           flowdash_http_version 2;
                           flowdash_call https://127.0.0.1:%%PORT_tls%%/444;',
                '502, 502', 'connect' ] : ()),
);

$locations .= action($_->[0], '', $_->[1]) for @others;

$locations .= action('pooled', '',
    'flowdash_call http://127.0.0.1:%%PORT_pooled%%/;');
$locations .= action('proxied', 'proxy_next_upstream http_503 non_idempotent;',
    'proxy_pass http://two;');

$locations .= action($_, '', "flowdash_retry 1;
    flowdash_call http://127.0.0.1:%%PORT_flaky%%/$_;")
    for qw(client reload quit);

sub action {
    my ($name, $around, $step) = @_;
    return <<"EOC";
        location = /$name {
            $around
            flowdash_action "Do $name";
            flowdash_step "$name" { $step }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
EOC
}

$locations .= <<'EOC';
        location = /steps {
            flowdash_retry 1;
            flowdash_action "Do steps";
            flowdash_step "one" {
                flowdash_call http://127.0.0.1:%%PORT_flaky%%/one;
            }
            flowdash_step "between" { return 204; }
            flowdash_step "two" {
                flowdash_call http://127.0.0.1:%%PORT_flaky%%/two;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
EOC

system("openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=test"
       . " -keyout $dir/key.pem -out $dir/cert.pem 2>$dir/openssl.log") == 0
    or BAIL_OUT('openssl does not make a certificate');

$t->config(<<"EOC");
%%GLOBALS%%
events { worker_connections 2048; }
http {
    %%HTTP_GLOBALS%%
    log_format flow '\$uri|\$status|\$flowdash_result|\$flowdash_error|'
                    '\$flowdash_step_status|\$flowdash_step_time|'
                    '\$request_time|\$flowdash_id';

    # only what is to run out of time does
    flowdash_connect_timeout 300s;
    flowdash_timeout 300s;
    flowdash_deadline 900s;

    upstream two {
        server 127.0.0.1:%%PORT_first%%;
        server 127.0.0.1:%%PORT_second%% backup;
    }

    server {
        listen 127.0.0.1:%%PORT_http%%;
        access_log %%DIR%%/flow.log flow;
        $locations
    }

    server {
        listen 127.0.0.1:%%PORT_tls%% ssl http2;
        ssl_certificate cert.pem;
        ssl_certificate_key key.pem;
        access_log %%DIR%%/tls.log combined;
        location / { proxy_pass http://127.0.0.1:%%PORT_flaky%%; }
        location /444 { return 444; }
    }
}
EOC

$t->run;


sub act {
    my ($name, @headers) = @_;
    return $t->start('POST', "/$name", body => $body,
                     headers => [ @json, @headers ]);
}

sub flow {
    my ($name) = @_;
    my $line;

    $t->wait_for(sub {
        ($line) = ($t->read_file('flow.log') // '') =~ m{^/$name\|(.*)}m;
    });

    my %flow;
    @flow{qw(status result error step_status step_time time id)}
        = split /\|/, $line // '';
    return \%flow;
}

sub to {
    my ($endpoint, $name) = @_;
    return grep { $_->{target} =~ m{^/$name\b} } $t->requests($endpoint);
}

sub lines { return grep { /flowdash: $_[0]/ } split /\n/, $t->error_log }

sub repeats { return lines(qq(step "$_[0]":)) }
sub failure { return lines(qq(action "Do $_[0]")) }

# what the client, the variables and the log say

sub told {
    my ($name, $res, $step_status, $error) = @_;
    my $flow = flow($name);
    my $n = split /, /, $step_status;
    my $status = !$error ? 200 : $error =~ /^(?:timeout|deadline)/ ? 504 : 502;
    my @repeats = repeats($name);
    my @failure = failure($name);

    is($res->{status}, $status, "$name: status $status");
    is($flow->{step_status}, $step_status, "$name: attempts $step_status");
    is($flow->{error}, $error || '-', "$name: error " . ($error || 'none'));
    like($flow->{step_time}, qr/^\d+\.\d{3}(?:, \d+\.\d{3}){@{[ $n - 1 ]}}$/,
         "$name: a time for each attempt");
    is(scalar @repeats, $n - 1, "$name: a line for each repeat");

    for my $i (1 .. $n - 1) {
        like($repeats[$i - 1], qr/ \[warn\] .*: \*\d+ flowdash: (?#
            )step "$name": attempt $i failed: \w+( \d{3})?(, [^"]*)?, (?#
            )retrying in \d+\.\d{3}s, called "http[^"?]*", (?#
            )id $flow->{id}, client:/, "$name: line $i");
    }

    unlike("@repeats@failure", qr/secret/, "$name: no secrets in the log");
    is(scalar @failure, $error ? 1 : 0, "$name: the action's line");
    like($failure[0], $n > 1 ? qr/, attempts $n, / : qr/^(?!.*attempts)/,
         "$name: the number of attempts in it") if $error;

    return $flow;
}

# what the endpoint was sent

sub sent {
    my ($name, $flow, @calls) = @_;
    my $digest = substr sha256_hex($name), 0, 16;
    my $ids = join ' ', map { header($_, 'Idempotency-Key') // 'none' } @calls;
    my (%trace, %parent);

    for (@calls) {
        my (undef, $trace, $parent) = split /-/, header($_, 'traceparent');
        $trace{$trace}++;
        $parent{$parent}++;
    }

    is($ids, join(' ', (qq("$flow->{id}-$digest")) x @calls),
       "$name: the same id");
    is(keys %trace, 1, "$name: the same trace");
    is(keys %parent, @calls, "$name: another parent");
    is(scalar(grep { $_->{body} ne $calls[0]{body} } @calls), 0,
       "$name: the same payload");
    is($calls[0]{json}{task}{f}, 'old', "$name: which is the task");
}

sub stored {
    my ($name, $unchanged) = @_;
    my ($app, $more) = to('app', $name);

    is($more, undef, "$name: the app is called once");
    return is($app->{body}, $body, "$name: the task is as it was")
        if $unchanged;
    is_deeply($app->{json}{task}, { f => 'old', g => 'new' },
              "$name: the task is as the last answer says");
}

sub row {
    my ($row, $exchange) = @_;
    my ($name, undef, undef, $step_status, $error) = @$row;
    my $res = $t->finish($exchange);
    my $flow = told($name, $res, $step_status, $error);
    my @calls = to('flaky', $name);
    my $n = split /, /, $step_status;

    is(scalar @calls, $n, "$name: attempts") or return;
    sent($name, $flow, @calls);

    return stored($name, $unchanged{$name}) if !$error;
    is(scalar to('app', $name), 0, "$name: the app is not called");
}


# Those that take time go together, then the others.

my @slow = grep { "@{ $_->[2] }" =~ /stall/ } @rows;
my @fast = grep { "@{ $_->[2] }" !~ /stall/ } @rows;
my @full;

# until there is no more room in the queue of the one that accepts none

while (@full < 20) {
    push @full, IO::Socket::INET->new(Timeout => 0.3, PeerAddr =>
                                      '127.0.0.1:' . $t->port('full')) || last;
}

for my $rows (\@slow, \@fast) {
    my @running = map { act($_->[0]) } @$rows;
    row($_, shift @running) for @$rows;
}

my @running = map { act($_->[0]) } @others;

for my $other (@others) {
    my ($name, undef, $step_status, $error) = @$other;
    told($name, $t->finish(shift @running), $step_status, $error);
    is(scalar to('app', $name), 0, "$name: the app is not called");
}

is(scalar $t->requests('no_tls'), 2, 'two handshakes');
is(scalar(() = $t->read_file('tls.log') =~ m{ /444 }g), $http2 ? 2 : 0,
   'two streams, of HTTP/2');
is(scalar to('flaky', 'denied'), 0, 'nothing is sent where it is denied');
my $version = $http2 ? '2.0' : '1.1';
like($t->read_file('tls.log'),
     qr{"POST /http2/p\?key=secret HTTP/\Q$version\E" 503}, "HTTP/$version");


# The waits: as logged, and by what the attempts leave of the request's time.
# All of them are told by the worker's own clock.

sub waits { return map { /retrying in (\S+)s/ } repeats($_[0]) }

for my $row (@rows) {
    my ($name) = @$row;
    my @waits = waits($name);
    my $flow = flow($name);

    for my $i (0 .. $#waits) {
        my $short = 0.2 * 2 ** $i;
        my $asked = $row->[2][$i] =~ /^\d+ (1|date)$/ ? $1 : 0;

        like($waits[$i], $asked eq 'date' ? qr/^[1-5]\.000$/ : qr/^1\.000$/,
             "$name: waits as long as it is asked to") if $asked;
        ok($waits[$i] >= $short / 2 && $waits[$i] <= $short,
           "$name: wait $i, $waits[$i]") if !$asked;
    }

    cmp_ok($flow->{time} - sum0(split /, /, $flow->{step_time}), '>',
           sum0(@waits) - 0.01, "$name: it does wait") if @waits;
}

my %waits = map { $_ => 1 } map { waits($_->[0]) } @rows;

cmp_ok(keys %waits, '>', 20, 'waits are random');


# The limits

sub time_of {
    my ($time) = join(' ', failure($_[0])) =~ /, time ([\d.]+)s,/;
    return $time;
}

for my $row (qw(after_year after_timeout after_second after_deadline)) {
    cmp_ok(time_of($row), '<', 100, "$row: fails at once");
}

for ([ stall_second => 4 ], [ stall_deadline => 4 ], [ stalls => 6 ],
     [ stall_long => 1 ], [ '429_stall' => 1 ], [ off_stall => 1 ],
     [ stalls_time => 1.1 ], [ resolver => 0.6 ], [ resolver_time => 0.6 ],
     [ connect => 0.6 ])
{
    my ($row, $time) = @$_;
    cmp_ok(time_of($row), '>', $time - 0.1, "$row: not before its time");
    cmp_ok(time_of($row), '<', $time + 100, "$row: and not long after");
}

my @times = split /, /, flow('stalls_time')->{step_time};

is(scalar(grep { $_ > 0.29 && $_ < 100 } @times), 3,
   'each attempt has its own time');

@times = split /, /, flow('mixed')->{step_time};

cmp_ok($times[2], '>', 2.9, 'the time of an attempt that ran out of it');
cmp_ok(max(@times[0, 1, 3]), '<', 2.9, 'the others have not waited');


# Several steps: an id each

$t->finish(act('steps'));

my $flow = flow('steps');

is($flow->{step_status}, '503, 200 : 204 : 503, 200', 'steps: status');
like($flow->{step_time}, qr/^[\d.]+, [\d.]+ : [\d.]+ : [\d.]+, [\d.]+$/,
     'steps: time');
sent($_, $flow, to('flaky', $_)) for qw(one two);

my @traces = map { (split /-/, header($_, 'traceparent'))[1] }
    map { to('flaky', $_) } qw(one two);

is(scalar(grep { $_ eq $traces[0] } @traces), 4, 'steps: one trace');


# Signed anew

my ($one, $two) = to('flaky', 'signed');

is(header($two, 'webhook-id'), header($one, 'webhook-id'), 'signed: one id');
cmp_ok(header($two, 'webhook-timestamp'), '>',
       header($one, 'webhook-timestamp'), 'signed: two times');
isnt(header($two, 'webhook-signature'), header($one, 'webhook-signature'),
     'signed: two signatures');


# A kept connection that closes instead of answering is an attempt, which is
# made again although nothing is to be repeated; t/resend.t has more.

is($t->finish(act('pooled'))->{status}, 200, 'pooled: first');
$t->clear_requests('app');
is($t->finish(act('pooled'))->{status}, 200, 'pooled: second');

my @calls = $t->requests('pooled');

is(join(' ', map { $_->{conn} } @calls), '1 1 2', 'pooled: connections');
is(header($calls[2], 'Idempotency-Key'), header($calls[1], 'Idempotency-Key'),
   'pooled: the same id');
isnt(header($calls[1], 'Idempotency-Key'),
     header($calls[0], 'Idempotency-Key'), 'pooled: that of the execution');
stored('pooled');
ok($t->wait_for(sub {
    return $t->read_file('flow.log') =~ m{^/pooled.*\|-\|502, 200\|}m;
}), 'pooled: two attempts');
is(scalar repeats('pooled'), 1, 'pooled: a line');


# What nginx's upstream has tried

is($t->finish(act('proxied'))->{status}, 200, 'proxied: passes');
$flow = flow('proxied');
is($flow->{step_status}, '503, 200', 'proxied: both statuses');
like($flow->{step_time}, qr/^\d+\.\d{3}, \d+\.\d{3}$/, 'proxied: both times');
sent('proxied', $flow, $t->requests($_)) for qw(first second);
is_deeply(map({ [ map { $_->{headers} } $t->requests($_) ] }
              qw(second first)), 'proxied: the same request');
stored('proxied');


# A client that goes while the call waits: the action goes on

my $exchange = act('client');

$t->wait_for(sub { scalar repeats('client') });
close delete $exchange->{socket};

like(flow('client')->{step_status}, qr/^503, 200$/, 'client: ended');
is(scalar to('flaky', 'client'), 2, 'client: called again');
$t->wait_for(sub { scalar to('app', 'client') });
stored('client');


# Workers wait for what waits.

for my $how (qw(reload quit)) {
    $exchange = act($how);
    my %old = map { $_ => 1 } $t->worker_pids;

    $t->wait_for(sub { scalar repeats($how) });
    $t->signal($how eq 'reload' ? 'HUP' : 'QUIT');

    my $res = $t->finish($exchange);

    is($res->{body}, 'stored', "$how: ended");
    is(flow($how)->{step_status}, '503, 200', "$how: by a second attempt");
    is(scalar to('flaky', $how), 2, "$how: called again");
    stored($how);

    ok($t->wait_for(sub { !grep { kill 0 => $_ } keys %old }),
       "$how: the worker ends");
}

$t->done;
