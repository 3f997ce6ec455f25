#!/usr/bin/perl

# An action has passed, and the app has not been called yet: content handlers
# in C, JavaScript (njs) and Lua call others first.  The client leaves
# meanwhile: the request goes on, or the action is refused, aborted or unknown,
# and log, journal, counters and page say so.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use JSON::PP ();
use Socket qw(SOL_SOCKET SO_LINGER);

my $t = Test::Flowdash->new;
my $dir = $t->dir;

$t->endpoint($_ => { until => sub { -e "$dir/go" }, body => 'looked up' })
    for qw(look app);
$t->endpoint(quick => { body => 'yes' });
$t->endpoint(redirect => { headers => [ 'X-Accel-Redirect' => '@closed' ] });
$t->write_file('file', 'a file');

# a resolver that never answers

$t->server(resolver => sub { sleep 1 while 1 });


my %load = $t->debian_modules;

my $handlers = $t->nginx_module('handlers');
$load{c} = "load_module $handlers;" if $handlers;

$t->write_file('handlers.js', <<"EOJ");
async function subrequest(r) {
    await r.subrequest('/look');
    r.internalRedirect('/app');
}

async function fetch(r) {
    await ngx.fetch('http://127.0.0.1:@{[ $t->port('look') ]}/');
    r.internalRedirect('\@app');
}

async function both(r) {
    await r.subrequest('/look');
    let app = await r.subrequest('/app', { method: 'POST',
                                           body: r.requestText });
    r.return(app.status, app.responseText);
}

export default { subrequest, fetch, both };
EOJ

my %location = (c => <<'EOC', js => <<'EOC', lua => <<'EOC');
        location /c/ignoring { %%ACTION%% asks_first on; }
EOC
        location /js/subrequest { %%ACTION%% js_content h.subrequest; }
        location /js/fetch { %%ACTION%% js_content h.fetch; }
        location /js/both { %%ACTION%% js_content h.both; }
        location /js/try { %%ACTION%% try_files /nowhere @js; }
        location @js { js_content h.subrequest; }
EOC
        location /lua/capture {
            %%ACTION%%
            content_by_lua_block {
                ngx.location.capture('/look')
                ngx.exec('/app')
            }
        }
        location /lua/socket {
            %%ACTION%%
            content_by_lua_block {
                local s = ngx.socket.tcp()
                s:connect('127.0.0.1', %%PORT_look%%)
                s:send('GET / HTTP/1.0\r\n\r\n')
                s:receive('*a')
                ngx.exec('@app')
            }
        }
        location /lua/sleep {
            %%ACTION%%
            content_by_lua_block {
                ngx.location.capture('/quick')
                ngx.sleep(0.2)
                ngx.location.capture('/look')
                ngx.exec('/app')
            }
        }
        location /lua/error { %%ACTION%% error_page 502 = @lua;
                              proxy_pass http://127.0.0.1:%%PORT_nobody%%; }
        location @lua { content_by_lua_block {
                            ngx.location.capture('/look')
                            ngx.exec('/app') } }

        # the administrator wants the client's leaving to end the request
        location /lua/check {
            %%ACTION%%
            lua_check_client_abort on;
            content_by_lua_block {
                local s = ngx.socket.tcp()
                s:connect('127.0.0.1', %%PORT_look%%)
                s:send('GET / HTTP/1.0\r\n\r\n')
                s:receive('*a')
                ngx.exec('@app')
            }
        }
        location /lua/subrequest {
            %%ACTION%%
            lua_check_client_abort on;
            content_by_lua_block {
                ngx.location.capture('/quick')
                local s = ngx.socket.tcp()
                s:connect('127.0.0.1', %%PORT_look%%)
                s:send('GET / HTTP/1.0\r\n\r\n')
                s:receive('*a')
                ngx.exec('@app')
            }
        }
EOC

my $action = 'flowdash_action "Do"; flowdash_step "Any" { return 204; }';

my $conf = <<"EOC";
%%GLOBALS%%
@{[ values %load ]}
worker_shutdown_timeout 10ms;
events { }
http {
    %%HTTP_GLOBALS%%
    @{[ $load{js} ? "js_import h from %%DIR%%/handlers.js;" : "" ]}

    flowdash_zone flowdash:64k;
    log_format journal escape=json '{"uri":"\$request_uri","status":"\$status",'
        '"id":"\$flowdash_id","result":"\$flowdash_result",'
        '"error":"\$flowdash_error"}';

    server {
        listen 127.0.0.1:%%PORT_http%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        access_log %%DIR%%/journal.log journal;
        proxy_read_timeout 900s;

        # its upstream does not look whether the client is there

        location /ignoring {
            internal;
            proxy_ignore_client_abort on;
            proxy_pass http://127.0.0.1:%%PORT_look%%;
        }
        location /look { internal; proxy_pass http://127.0.0.1:%%PORT_look%%; }
        location /quick { proxy_pass http://127.0.0.1:%%PORT_quick%%; }
        location /app { internal; proxy_pass http://127.0.0.1:%%PORT_app%%; }
        location \@app { proxy_pass http://127.0.0.1:%%PORT_app%%; }

        location /status { access_log off; flowdash_status json; }
        location /metrics { access_log off; flowdash_status prometheus; }
        location /flows { access_log off; flowdash_status html; }

        # a filter lets no answer through, and nothing else answers

        location = /range {
            %%ACTION%%
            flowdash_methods GET;
            alias %%DIR%%/file;
            error_page 416 = /close;
        }

        location /close { return 444; }

        location /reset {
            %%ACTION%%
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        # something was proxied before

        location /redirect { proxy_pass http://127.0.0.1:%%PORT_redirect%%; }
        location \@closed { %%ACTION%% try_files /nowhere \@close; }
        location \@close { return 444; }

        location /resolver {
            %%ACTION%%
            resolver 127.0.0.1:%%PORT_resolver%%;
            resolver_timeout 900s;
            set \$app app.example;
            proxy_pass http://\$app;
        }

@{[ map { $location{$_} } sort keys %load ]}
    }
}
EOC

$t->config($conf =~ s/%%ACTION%%/$action/gr);
$t->run;

my $seen = 0;

sub lines { return split /\n/, $t->read_file('journal.log') // '' }

sub next_line {
    $t->wait_for(sub { lines() > $seen });
    return JSON::PP::decode_json((lines())[$seen++] // '{}');
}

sub counters {
    my $status = JSON::PP::decode_json($t->get('/status')->{body});
    return $status->{actions}[0];
}

sub all_let_go {
    $t->write_file('go', '');
    my $line = next_line();
    unlink "$dir/go";
    return $line;
}


# ways to leave

my $body = '{"task":{"Stage":"Done"}}';

sub frame {
    my ($type, $flags, $stream, $payload) = @_;
    return substr(pack('N', length $payload), 1)
        . pack('CCN', $type, $flags, $stream) . $payload;
}

sub h2_post {
    my ($path) = @_;
    my @headers = (':method' => 'POST', ':path' => $path, ':scheme' => 'http',
                   ':authority' => 'localhost',
                   'content-type' => 'application/json');
    my $block = '';
    while (my ($name, $value) = splice @headers, 0, 2) {
        $block .= "\0" . pack('C/a* C/a*', $name, $value);
    }
    my $socket = $t->connect('h2');
    $socket->autoflush(1);
    print $socket "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", frame(4, 0, 0, ''),
        frame(1, 4, 1, $block), frame(0, 1, 1, $body);
    return $socket;
}

sub h1_post {
    my ($path) = @_;
    my $socket = $t->connect;
    $socket->autoflush(1);
    print $socket "POST $path HTTP/1.1\r\nHost: localhost\r\n"
        . "Content-Type: application/json\r\nContent-Length: @{[ length $body ]}"
        . "\r\n\r\n$body";
    return $socket;
}

sub h2_has_reset {
    my ($socket) = @_;
    print $socket frame(3, 0, 1, pack 'N', 8), frame(6, 0, 0, 'pingpong');
    my ($ping, $bytes) = (frame(6, 1, 0, 'pingpong'), '');
    while (index($bytes, $ping) < 0) {
        sysread $socket, $bytes, 4096, length $bytes or last;
    }
    return;
}

# whether a frame of this type comes for the stream until nginx answers a ping

sub h2_has {
    my ($socket, $type) = @_;
    my ($bytes, $found) = ('', 0);
    print $socket frame(6, 0, 0, 'pingpong');

    while (sysread $socket, $bytes, 4096, length $bytes) {
        while (length $bytes >= 9) {
            my ($high, $low, $is, $flags, $stream) = unpack 'CnCCN', $bytes;
            my $length = $high << 16 | $low;
            last if length $bytes < 9 + $length;
            return $found if $is == 6 && $flags == 1;
            $found = 1 if $is == $type && $stream == 1;
            substr $bytes, 0, 9 + $length, '';
        }
    }
    return;
}

my %leave = (
    'HTTP/1, close' => [ \&h1_post, sub { close $_[0] } ],
    'HTTP/1, reset' => [ \&h1_post, sub {
        setsockopt $_[0], SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
        close $_[0];
    } ],
    'HTTP/2, close' => [ \&h2_post, sub { close $_[0] } ],
    'HTTP/2, the stream' => [ \&h2_post, \&h2_has_reset ],
);

my %ways = (
    c => [ qw(ignoring) ],
    js => [ qw(subrequest fetch both try) ],
    lua => [ qw(capture socket sleep error) ],
);

# ngx.location.capture() does not work in HTTP/2

my $only_http1 = qr{^/lua/(?!socket)};
my $n = 0;

for my $module (sort keys %ways) { SKIP: {
    skip "no module for $module", 1 if !$load{$module};

    for my $way (@{ $ways{$module} }) {
        for my $how (sort keys %leave) {
            my ($post, $leave) = @{ $leave{$how} };
            my $name = "/$module/$way, $how";
            next if $name =~ $only_http1 && $how =~ m{HTTP/2};

            my $socket = $post->("/$module/$way");
            $t->wait_for(sub { scalar $t->requests('look') });
            $leave->($socket);
            $t->get('/quick');          # nginx has seen that it has left
            next_line();

            is((() = lines()), $seen, "$name: it goes on");
            my $line = all_let_go();
            is("$line->{status} $line->{result}", '200 ok', "$name: to its end");
            is($t->only_request('app', "$name: the app")->{body}, $body,
               "$name: the body");
            $n++;
            $t->clear_requests($_) for qw(look app quick);

            my $counters = counters();
            is("@$counters{qw(started succeeded aborted running)}", "$n $n 0 0",
               "$name: the counters");
        }
    }
} }


# HTTP/2: nginx itself resets the stream, since the client breaks the rules; it
# must not answer on it

{
    my $socket = h2_post('/reset');
    $t->wait_for(sub { scalar $t->requests('app') });
    print $socket frame(0, 1, 1, 'more than all');
    ok(h2_has($socket, 3), 'nginx resets the stream');

    my $line = all_let_go();
    is($line->{result}, 'ok', 'and the action runs to its end');
    $t->only_request('app');
    $t->clear_requests('app');
    $n++;

    is(h2_has($socket, 1), 0, 'without an answer');
    close $socket;
}


# what has not succeeded: a script may have called the app, no server has got
# the request, or nobody was asked

my %other = (unknown => 0, refused => 0, aborted => 0);

sub others { return $other{unknown} + $other{refused} + $other{aborted} }

sub is_not_ok {
    my ($name, $result, $line, $log, $text, $status) = @_;

    my @lines = $log =~ /\[error\] \S+ \S+ (flowdash: .*)/g;
    is(scalar @lines, 1, "$name: one line");
    like($lines[0] // '', qr/^flowdash: action "Do" $result: its steps were (?x:
         )carried out, $text, id $line->{id}\b/, "$name: the line");
    is("$line->{status} $line->{result} $line->{error}", "$status $result ",
       "$name: the journal");
    $t->no_request('app', "$name: not the app");

    $other{$result}++;
    my $counters = counters();
    is_deeply([ @$counters{qw(started succeeded running failed), keys %other} ],
              [ $n + others(), $n, 0, {}, values %other ],
              "$name: the counters");
    is($counters->{time_ms}{count}, $n + others(), "$name: its time counts");
    return;
}

my $script = 'and the request ended before the app answered; (?x:
             )a script may have called it';
my $nobody = 'but the request ended before the app was called';

SKIP: {
    skip 'no module for lua', 1 if !$load{lua};

    for my $path ('/lua/check', '/lua/subrequest') {
        my $log = $t->error_log;
        my $socket = h1_post($path);
        $t->wait_for(sub { scalar $t->requests('look') });
        close $socket;

        my $line = next_line();
        is_not_ok($path, 'unknown', $line, substr($t->error_log, length $log),
                  $script, 499);
        $t->clear_requests($_) for qw(look quick);
    }
}

{
    my $log = $t->error_log;
    my $socket = h1_post('/resolver');
    $t->wait_for(sub { $t->error_log =~ /resolve: "app.example"/ });
    is(counters()->{running}, 0, 'its steps have ended');
    is(counters()->{succeeded}, $n, 'it has not succeeded yet');
    $t->reload;

    my $line = next_line();
    is_not_ok('/resolver', 'refused', $line,
              substr($t->error_log, length $log),
              'but the app did not get the request', $line->{status});
}

{
    my $log = $t->error_log;
    $t->request('GET', '/range', headers => [ Range => 'bytes=999-' ]);
    my $line = next_line();
    $n++;

    is("$line->{status} $line->{result}", '444 ok', 'a filter: the journal');

    unlike(substr($t->error_log, length $log), qr/\[error\].* flowdash: /,
           'a filter: no line');
    my $counters = counters();
    is("@$counters{qw(succeeded aborted)}", "$n $other{aborted}",
       'a filter: the counters');
}

{
    my $log = $t->error_log;
    $t->post_json('/redirect', $body);
    $t->only_request('redirect');
    is_not_ok('/redirect', 'aborted', next_line(),
              substr($t->error_log, length $log), $nobody, 444);
}

my $metrics = $t->get('/metrics')->{body};
like($metrics, qr/^flowdash_actions_${_}_total\{action="Do"} $other{$_}$/m,
     "Prometheus: $_") for keys %other;
like($metrics, qr/^flowdash_actions_succeeded_total\{action="Do"} $n$/m,
     'not succeeded');

my $page = $t->get('/flows')->{body};
like($page, qr{\d+ succeeded, p95 .*<p>.*aborted $other{aborted}</p>},
     'the page');
my $ended = $n + others();
my $share = int(($ended - $other{aborted}) * 1000 / $ended) / 10;
like($page, qr{<td>$share\b}, 'not among those whose steps have passed');
like($page, qr{<td><bdi>Do</bdi></td><td></td><td>$_</td>},
     "among the last failures: $_") for grep { $other{$_} } keys %other;

my $failures = JSON::PP::decode_json($t->get('/status')->{body})->{failures};
is(join(' ', map { "$_->{reason}-$_->{step}" } @$failures),
   join(' ', ('aborted-') x $other{aborted}, ('refused-') x $other{refused},
        ('unknown-') x $other{unknown}), 'JSON: the last failures');

$t->done;
