#!/usr/bin/perl

# "make faults": what fails, and what the client, the endpoint, the app and the
# log get to see.  Each row of the table is tried; docs/faults.md is written
# from what has happened, if FLOWDASH_FAULTS names it.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(sum0);
use Mojo::JSON qw(decode_json);
use Test::Flowdash;
use Test::Flowdash::DNS;

my $t = Test::Flowdash->new(log_level => 'info');
my $dir = $t->dir;
my $changed = '{"task":{"Stage":"Changed"}}';
my $task = '{"task":{"Stage":"Open"}}';
my @json = (headers => [ 'Content-Type' => 'application/json' ]);
my (@rows, $section);

sub answer ($body, @headers) {
    return Test::Flowdash::HTTP::head('HTTP/1.1 200 OK',
        'Content-Type' => 'application/json',
        'Content-Length' => length $body, @headers) . $body;
}

# What an endpoint, or the app, does when a request has come.

my $whole = answer($changed);
my %does = (
    ok         => sub { (send => $whole, then => 'next') },
    close      => sub { () },
    reset      => sub { (then => 'reset') },
    part_line  => sub { (send => 'HTTP/1.1 20') },
    part_head  => sub { (send => "HTTP/1.1 200 OK\r\nContent-Ty") },
    part_body  => sub { (send => substr $whole, 0, -5) },
    part_chunk => sub { (send => "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                         . "chunked\r\n\r\n5\r\n{\"tas") },
    garbage    => sub { (send => "no HTTP\r\n\r\n") },
    no_json    => sub { (send => answer('{"task":'), then => 'next') },
    header     => sub { (send => answer($changed, 'X-Big' => 'x' x 100_000)) },
    large      => sub { (send => answer('{"task":{"a":"' . 'x' x 100_000
                                        . '"}}')) },
    refuse     => sub { (send => "HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n",
                         then => 'next') },
    stall      => sub { (then => 'stall') },
    stall_body => sub { (send => substr($whole, 0, -5), then => 'stall') },
    wait       => sub { (until => sub { -e "$dir/go" }, send => $whole,
                         then => 'next') },
);

my %kept;                               # in the endpoint's process
$does{kept_close} = sub ($n) { $kept{$n}++ ? () : $does{ok}->() };
$does{kept_408} = sub ($n) {
    return $kept{$n}++ ? (send => "HTTP/1.1 408 Late\r\nContent-Length: 0\r\n"
                          . "Connection: close\r\n\r\n") : $does{ok}->();
};

for my $name (qw(hook app)) {
    $t->raw_endpoint($name => sub ($request, $n, @) {
        my ($what) = $request->{target} =~ m{^/(\w+)};
        return ($does{ $name eq 'app' && $what !~ s/^app_// ? 'ok' : $what }
                // $does{ok})->($n);
    });
}
Test::Flowdash::DNS::start($t, dns => { 'silent.test' => { silent => 1 } });

my $hook = 'http://127.0.0.1:%%PORT_hook%%';
my $app = 'proxy_pass http://127.0.0.1:%%PORT_app%%;';

my $locations = join '', map { action(@$_) }
    (map { my $what = $_; ([ "/call/$what", "flowdash_call $hook/$what;" ],
                           [ "/pass/$what", "proxy_pass $hook/$what;" ]) }
     sort keys %does),
    [ '/call/refused', 'flowdash_call http://127.0.0.1:%%PORT_nobody%%/;' ],
    [ '/pass/refused', 'proxy_pass http://127.0.0.1:%%PORT_nobody%%/;' ],
    [ '/call/name', 'flowdash_call http://nobody.test/;' ],
    [ '/call/silent', 'flowdash_call http://silent.test/;' ],
    [ '/call/tls', 'flowdash_call https://127.0.0.1:%%PORT_http%%/;' ],
    [ '/call/denied', "flowdash_deny all; flowdash_call $hook/ok;" ],
    [ '/call/optional', "flowdash_optional on; flowdash_call $hook/close;" ],
    (map { [ "/app/$_", "flowdash_call $hook/ok;",
             "proxy_pass http://127.0.0.1:%%PORT_app%%/app_$_;" ] }
     qw(close reset part_head stall)),
    [ '/app/refused', "flowdash_call $hook/ok;",
      'proxy_pass http://127.0.0.1:%%PORT_nobody%%;' ];

sub action ($uri, $step, $handler = $app) {
    return <<"END";
        location $uri {
            flowdash_action "Finish";
            flowdash_step "Hook" { $step }
            $handler
        }
END
}

# nginx with other limits than usual

sub config (%limit) {
    my $main = $limit{main} // '';
    my $zone = $limit{zone} // '1m';
    $t->config(<<"END");
%%GLOBALS%%
$main
events { }
http {
    %%HTTP_GLOBALS%%
    resolver 127.0.0.1:%%PORT_dns%% ipv6=off;
    resolver_timeout 1s;
    flowdash_zone faults:$zone;
    flowdash_timeout 3s;
    proxy_read_timeout 3s;
    log_format fault "\$flowdash_result|\$flowdash_error|\$status";

    server {
        listen 127.0.0.1:%%PORT_http%%;
        access_log %%DIR%%/faults.log fault;
        location = /status { access_log off; flowdash_status json; }
        location /slow { $limit{slow} }
        $locations
    }
}
END
}

sub slow ($timeout = '60s') {
    return qq(flowdash_action "Finish"; flowdash_timeout $timeout;
              flowdash_step "Hook" { flowdash_call $hook/wait; } $app);
}


section('The endpoint, called by flowdash_call');

config(slow => slow());
$t->run;

row('does not listen', 'call/refused' => '502, 0, 0, failed connect');
row('has a name that nobody knows', 'call/name' => '502, 0, 0, failed resolve');
row('has a name whose server does not answer', 'call/silent'
    => '504, 0, 0, failed timeout');
row('is at an address that is denied', 'call/denied' => '502, 0, 0, failed denied');
row('speaks no TLS', 'call/tls' => '502, 0, 0, failed tls');
row('closes the connection without an answer', 'call/close'
    => '502, 1, 0, failed connect');
row('resets it', 'call/reset' => '502, 1, 0, failed connect');
row('closes it in the first line of the answer', 'call/part_line'
    => '502, 1, 0, failed connect');
row('closes it in the header', 'call/part_head' => '502, 1, 0, failed connect');
row('closes it in the body', 'call/part_body' => '502, 1, 0, failed connect');
row('closes it in a chunk', 'call/part_chunk' => '502, 1, 0, failed connect');
row('closes a kept connection as the call is sent', 'call/kept_close'
    => '200, 2, 1, ok', before => 'call/kept_close');
row('answers 408 on a kept connection', 'call/kept_408' => '200, 2, 1, ok',
    before => 'call/kept_408');
row('answers what is no HTTP', 'call/garbage'
    => '502, 1, 0, failed response_invalid');
row('answers what is no JSON, but says so', 'call/no_json'
    => '502, 1, 0, failed response_invalid');
row('answers a header of 100 kB', 'call/header'
    => '502, 1, 0, failed response_too_large');
row('answers a body of 100 kB', 'call/large'
    => '502, 1, 0, failed response_too_large');
row('refuses', 'call/refuse' => '422|502, 1, 0, failed status');
row('never answers', 'call/stall' => '504, 1, 0, failed timeout');
row('stops in the body', 'call/stall_body' => '504, 1, 0, failed timeout');
row('closes the connection; the step is optional', 'call/optional'
    => '200, 1, 1, ok');

section('The endpoint, called by proxy_pass');

row('does not listen', 'pass/refused' => '502, 0, 0, failed connect');
row('closes the connection without an answer', 'pass/close'
    => '502, 1, 0, failed connect');
row('resets it', 'pass/reset' => '502, 1, 0, failed connect');
row('closes it in the header', 'pass/part_head'
    => '502, 1, 0, failed response_invalid');
row('closes it in the body', 'pass/part_body' => '502, 1, 0, failed connect');
row('closes it in a chunk', 'pass/part_chunk' => '502, 1, 0, failed connect');
row('answers a header of 100 kB', 'pass/header'
    => '502, 1, 0, failed response_invalid|response_too_large');
row('answers a body of 100 kB', 'pass/large'
    => '502, 1, 0, failed response_too_large');
row('refuses', 'pass/refuse' => '422|502, 1, 0, failed status');
row('never answers', 'pass/stall' => '504, 1, 0, failed timeout');

section('The app, after the steps have passed');

row('does not listen', 'app/refused' => '502, 1, 0, ok');
row('closes the connection without an answer', 'app/close' => '502, 1, 1, ok');
row('resets it', 'app/reset' => '502, 1, 1, ok');
row('closes it in the header', 'app/part_head' => '502, 1, 1, ok');
row('never answers', 'app/stall' => '504, 1, 1, ok');

section('The client');

row('leaves before its body has come', sub {
    my $socket = $t->connect;
    print $socket "POST /call/ok HTTP/1.1\r\nHost: x\r\nContent-Type: "
        . "application/json\r\nContent-Length: 100\r\n\r\n{";
    close $socket;
} => '400|499, 0, 0, none');
row('leaves while a step runs', sub {
    my $running = started();
    my $before = () = $t->requests('app');
    close delete $running->{socket};
    go();
    $t->wait_for(sub { $t->requests('app') > $before });
} => '200|499, 1, 1, ok');

section('nginx');

row('is reloaded while a step runs', sub {
    my $running = started();
    $t->reload;
    go();
    return $t->finish($running);
} => '200, 1, 1, ok');
row('is told to quit while a step runs', sub {
    my $running = started();
    $t->signal('QUIT');
    go();
    my $answer = $t->finish($running);
    $t->stop;
    $t->run;
    return $answer;
} => '200, 1, 1, ok');
row('is upgraded while a step runs', \&upgrade => '200, 1, 1, ok');

$t->stop;
config(slow => slow(), main => 'worker_shutdown_timeout 1s;');
$t->run;
row('quits, and worker_shutdown_timeout ends a step', sub {
    my $running = started();
    $t->signal('QUIT');
    my $answer = $t->finish($running);
    $t->stop;
    $t->run;
    return $answer;
} => '0, 1, 0, none|failed internal');

row('has a worker that is killed while a step runs', sub {
    my $running = started();
    my ($worker) = $t->worker_pids;
    kill KILL => $worker;
    my $answer = $t->finish($running);
    $t->wait_for(sub { grep { $_ != $worker } $t->worker_pids });
    is(running(), 0, 'no action is said to run');
    go();
    return $answer;
} => '0, 1, 0, none');
$t->allow_log(qr/\[alert\].*exited on signal 9/);

$t->stop;
$t->preload('full_disk');
config(slow => slow() . ' client_body_in_file_only clean;');
$t->run;
row('has no room on the disk for a changed body', sub {
    my $running = started();
    $t->write_file('full_disk.so.room', 0);
    go();
    my $answer = $t->finish($running);
    unlink "$dir/full_disk.so.room";
    return $answer;
} => '500, 1, 0, failed internal');
$t->allow_log(qr/No space left on device/);
$t->preload;

$t->stop;
config(slow => slow(), zone => '32k');
$t->run;
row('has a zone that is full', 'call/ok' => '200, 1, 1, ok');

$t->stop;
write_table() if $ENV{FLOWDASH_FAULTS};
$t->done;


sub section ($name) { push @rows, $section = [ $name ] }

# An action of the /slow location, whose endpoint waits for go().

sub started () {
    unlink "$dir/go";
    my $before = () = $t->requests('hook');
    my $exchange = $t->start('POST', '/slow', body => $task, @json);
    $t->wait_for(sub { $t->requests('hook') > $before });
    return $exchange;
}

# Only a daemon can be upgraded: it is not a child of the test.

sub upgrade () {
    my $pid = sub { ($t->read_file('nginx.pid') // '') =~ s/\s//gr };

    $t->stop;
    system($t->{nginx}, '-p', "$dir/", '-c', 'nginx.conf', '-e', 'stderr') == 0
        or die "nginx does not start\n";
    $t->wait_for($pid);

    my $old = $pid->();
    my $running = started();

    kill USR2 => $old;
    $t->wait_for(sub { -e "$dir/nginx.pid.oldbin" && $pid->() });
    my $new = $pid->();
    kill QUIT => $old;
    go();
    my $answer = $t->finish($running);

    $t->wait_for(sub { !kill 0 => $old });
    is($t->get('/status')->{status}, 200, 'the new one serves');
    kill QUIT => $new;
    $t->wait_for(sub { !kill 0 => $new });
    $t->run;
    return $answer;
}

sub go () { $t->write_file('go', '') }

sub running () {
    my $status = decode_json($t->get('/status')->{body});
    return sum0(map { $_->{running} } @{ $status->{actions} });
}

# What happened: the client's status, the calls, the app's requests, and how the
# log says it ended.  "|" separates what may be.

sub row ($what, $do, $expected, %option) {
    $t->post_json("/$option{before}", $task) if $option{before};
    my %before = map { $_ => scalar(my @all = $t->requests($_)) } qw(hook app);
    my $logged = length($t->read_file('faults.log') // '');

    my $answer = ref $do ? $do->() : $t->post_json("/$do", $task);
    my $status = ref $answer ? $answer->{status} : '';

    my ($calls, $app, $end) = split /, /, $expected =~ s/^[^,]*, //r;
    if ($end ne 'none' || !ref $answer) {
        $t->wait_for(sub {
            length($t->read_file('faults.log') // '') > $logged });
    }

    my @lines = split /\n/, substr $t->read_file('faults.log') // '', $logged;
    my ($result, $error, $logged_status)
        = map { $_ eq '-' ? '' : $_ } split /\|/, $lines[-1] // '-|-|';
    $status = $logged_status if $status eq '';
    my %now = map { $_ => scalar(my @all = $t->requests($_)) - $before{$_} }
        qw(hook app);
    my $seen = join ', ', $status, $now{hook}, $now{app},
        "$result $error" =~ s/^ $/none/r =~ s/ $//r;

    my @parts = split /, /, $expected;
    like($seen, qr/^@{[ join ', ', map { "(?:$_)" } @parts ]}$/,
         ref $do ? "nginx or client: $what" : "$do: $what");
    push @$section, [ $what, split /, /, $seen ];
}

sub write_table () {
    open my $file, '>', $ENV{FLOWDASH_FAULTS} or die $!;
    my $text = <<'END';
# What happens when something fails

`make faults` tries each row, and writes this page from what has happened.
The client gets the status, 0 if its connection was closed; *calls* and *app*
say how many requests the endpoint and the app have got; the result is
`$flowdash_result` with `$flowdash_error`, or none.
What the errors mean is in [Operating](operating.md#reasons).
END
    for (@rows) {
        my ($name, @all) = @$_;
        $text .= "\n## $name\n\n| what it does | client | calls | app | result |\n"
            . "|---|---|---|---|---|\n"
            . join '', map { '| ' . join(' | ', @$_) . " |\n" } @all;
    }
    print $file $text;
    close $file or die $!;
}
