# The line about a timeout says how far the step had got: a host that is not
# reached and an endpoint that is slow need different people.

use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util qw(max);
use Test::Flowdash;
use Time::HiRes qw(time);

use constant LATE => 60;

my $t = Test::Flowdash->new;

$t->endpoint(app => { body => 'the app' });
$t->raw_endpoint(stall => 'stall');
$t->raw_endpoint(stall_body => sub {
    return (send => "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
            then => 'stall');
});

# one that takes no connection, and one that reads nothing
$t->server(full => sub { $_[0]->listen(0); 1 while sleep 1000 });
$t->server(deaf => sub {
    my ($listen) = @_;
    my @kept;
    while (my $socket = $listen->accept) { push @kept, $socket }
});
$t->server(udp => sub { 1 while sleep 1000 });


# something comes in the last millisecond, and then no more
$t->server(late => sub {
    my ($listen) = @_;
    my @due;
    while (1) {
        my $wait = @due ? max 0, $due[0][0] - time : undef;
        my $bits = '';
        vec($bits, $listen->fileno, 1) = 1;
        push @due, [ time + 0.1990 + rand 0.0015, $listen->accept ]
            if select $bits, undef, undef, $wait;
        @due = sort { $a->[0] <=> $b->[0] } @due;
        while (@due && $due[0][0] <= time) {
            my ($time, $socket) = @{ shift @due };
            syswrite $socket, 'H';
            push @due, [ time + 1000, $socket ];
        }
    }
});

my $stall = 'http://127.0.0.1:%%PORT_stall%%/';
my $full = 'http://127.0.0.1:%%PORT_full%%/';
my $short = 'flowdash_timeout 300ms';

my @cases = (
    [ "$short; flowdash_call $stall;",
      'connected, request sent, no answer within 300ms (flowdash_timeout)' ],
    [ "$short; proxy_pass $stall;",
      'connected, request sent, no answer within 300ms (flowdash_timeout)' ],
    [ "proxy_read_timeout 1s; proxy_pass $stall;",
      'connected, request sent, no answer within 1s'
      . ' (proxy_read_timeout or similar)' ],
    [ "flowdash_retry 1 timeout=300ms; flowdash_call $stall;",
      'connected, request sent, no answer within 300ms'
      . ' (timeout of flowdash_retry)' ],
    [ "$short; flowdash_call http://127.0.0.1:%%PORT_stall_body%%/;",
      'connected, the answer did not end within 300ms (flowdash_timeout)' ],
    [ "$short; proxy_pass http://127.0.0.1:%%PORT_stall_body%%/;",
      'connected, the answer did not end within 300ms (flowdash_timeout)' ],
    [ "flowdash_connect_timeout 300ms; flowdash_call $full;",
      'no connection within 300ms (flowdash_connect_timeout)' ],
    [ "$short; flowdash_call $full;",
      'no connection within 300ms (flowdash_timeout)' ],
    [ "$short; proxy_pass $full;",
      'no connection within 300ms (flowdash_timeout)' ],
    [ "proxy_connect_timeout 1s; proxy_pass $full;",
      'no connection within 1s (proxy_connect_timeout or similar)' ],
    [ "$short; flowdash_proxy $full; flowdash_call http://192.0.2.1/;",
      'no connection through the proxy within 300ms (flowdash_timeout)' ],
    [ "$short; flowdash_proxy $stall; flowdash_call https://192.0.2.1/;",
      'no connection through the proxy within 300ms (flowdash_timeout)' ],
    [ "flowdash_connect_timeout 300ms;
       flowdash_call https://127.0.0.1:%%PORT_stall%%/;",
      'no connection, or no complete TLS handshake within 300ms'
      . ' (flowdash_connect_timeout)' ],
    [ "$short; proxy_pass https://127.0.0.1:%%PORT_stall%%/;",
      'no connection, or no complete TLS handshake within 300ms'
      . ' (flowdash_timeout)' ],
    [ "$short; resolver 127.0.0.1:%%PORT_udp%%;
       flowdash_call http://some.example/;",
      'the resolver did not answer within 300ms (flowdash_timeout)' ],
    [ "$short; resolver 127.0.0.1:%%PORT_udp%%; set \$to some.example;
       proxy_pass http://\$to/;",
      'the resolver did not answer within 300ms (flowdash_timeout)' ],
    [ "$short; flowdash_call http://127.0.0.1:%%PORT_deaf%%/;",
      'connected, the endpoint did not read the whole request within'
      . ' 300ms (flowdash_timeout)', 'large' ],
    [ "$short; proxy_pass http://127.0.0.1:%%PORT_deaf%%/;",
      'connected, the endpoint did not read the whole request within'
      . ' 300ms (flowdash_timeout)', 'large' ],
    [ "flowdash_call $stall;",
      'connected, request sent, no answer within 700ms (flowdash_deadline)',
      'deadline 700ms' ],
    [ "flowdash_optional on; flowdash_timeout 1600ms; flowdash_call $stall; }
       flowdash_step Last { flowdash_call $stall;",
      qr/connected, request sent, no answer within 1?\d\d?\d?ms, (?x:
         )all that was left of flowdash_deadline/, 'deadline 3s' ],
);

my $locations = join '', map {
    my ($step, undef, $how) = @{ $cases[$_] };
    my $deadline = ($how // '') =~ /^(deadline .*)/ ? "flowdash_$1;" : '';
    <<"EOC" } keys @cases;
    location = /$_ {
        $deadline
        flowdash_action "Case $_";
        flowdash_step "The step" { $step }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
EOC

$t->config(<<"EOC");
server {
    listen 127.0.0.1:%%PORT_http%%;
    client_max_body_size 20m;

    # only what is to run out of time does
    flowdash_connect_timeout 300s;
    flowdash_timeout 300s;
    flowdash_deadline 900s;
    proxy_connect_timeout 300s;
    proxy_read_timeout 300s;
    $locations

    location = /late {
        flowdash_action "Late";
        flowdash_timeout 30s;
        flowdash_step "The step" {
            flowdash_retry 1 timeout=200ms;
            flowdash_call http://127.0.0.1:%%PORT_late%%/;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
}
EOC
$t->run;

# a queue that has room takes the connection
my @queue;
while (@queue < 20) {
    push @queue, IO::Socket::INET->new(Timeout => 0.3, PeerAddr =>
                                       '127.0.0.1:' . $t->port('full')) || last;
}

my $large = '{"task":{"x":"' . 'y' x 16_000_000 . '"}}';

my @running = map {
    my $large = ($cases[$_][2] // '') eq 'large' ? $large : '{"task":{}}';
    $t->start('POST', "/$_", body => $large,
              headers => [ 'Content-Type' => 'application/json' ]);
} keys @cases;

for (keys @cases) {
    my ($step, $detail, $how) = @{ $cases[$_] };
    my ($reason) = ($how // '') =~ /^(deadline)/ ? $1 : 'timeout';
    $detail = quotemeta $detail if !ref $detail;

    is($t->finish($running[$_])->{status}, 504, "$step: status");

    my ($line) = $t->error_log =~ /(action "Case $_" failed .*)/;
    like($line, qr/ failed on step "(?:The step|Last)": $reason, (?x:
         )(?:attempts \d+, )?$detail, /, "$step: $detail");
}

is(() = $t->error_log =~ /attempt 1 failed: timeout, connected, request sent, (?x:
   )no answer within 300ms \(timeout of flowdash_retry\)/g, 1,
   'an attempt that is repeated');

# libcurl alone would forget some of these: it wakes for what has come, finds
# that there is half a millisecond left, and has taken its timer off the list

my @late = map {
    $t->start('POST', '/late', body => '{"task":{}}',
              headers => [ 'Content-Type' => 'application/json' ]);
} 1 .. LATE;

is((grep { $t->finish($_)->{status} == 504 } @late), LATE,
   'something comes in the last millisecond');
is(() = $t->error_log =~ /action "Late" failed (?x:
   ).*within 200ms \(timeout of flowdash_retry\), /g, LATE,
   '... and the attempt ends in time');

$t->no_request('app');
$t->done;
