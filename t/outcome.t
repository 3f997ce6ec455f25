#!/usr/bin/perl

# The outcome of an action whose steps have passed: what its app did, whatever
# the client gets.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use JSON::PP ();
use Test::Flowdash::TLS;

my $t = Test::Flowdash->new;
my $dir = $t->dir;

$t->write_file($_, 'a file') for qw(static static_page static_404);


# the app: the path says what it does

sub answer {
    my ($status, @headers) = @_;
    my $text = "status $status";
    return (send => join "\r\n", "HTTP/1.1 $status Any",
            'Content-Length: ' . length $text, @headers, '', $text);
}

my %app = (
    reset => sub { return (then => 'reset') },
    close => sub { return (then => 'close') },
    hang => sub { return (then => 'stall') },
    half => sub { return (send => "HTTP/1.1 302 Found\r\nLoca") },
    junk => sub { return (send => "no HTTP at all\n") },
    body => sub { return (send => "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx") },
    early => sub { return (send => "HTTP/1.1 100 Continue\r\n\r\n", answer(200)) },
    accel => sub { return answer(422, 'X-Accel-Redirect: /fine') },
    accel_named => sub { return answer(422, 'X-Accel-Redirect: @app') },
    sent => sub { return answer(200, 'X-Accel-Redirect: /missing') },
    issue => sub { return answer(302, 'Location: /issues/7') },
    login => sub { return answer(302, 'Location: /login?back=1') },
    header => sub { return answer(200, 'X-Outcome: ' . shift) },

    # the first server that is asked, and the second one

    reset_first => sub { return first() ? (then => 'reset') : answer(422) },
    crash_first => sub { return first() ? answer(500) : answer(422) },
    reset_first_ok => sub { return first() ? (then => 'reset') : answer(200) },

    # a response that nginx keeps for a second, and then none

    once => sub {
        return first() ? answer(200, 'Cache-Control: max-age=1')
            : (then => 'reset');
    },
);

sub first {
    return unlink("$dir/asked") ? 0 : $t->write_file('asked', '');
}

sub app {
    my ($request) = @_;
    my ($what, $value) = $request->{target} =~ m{^/(\w+)(?:/(.*))?$};
    return $app{$what}->($value) if $app{$what};
    return answer($what);
}

$t->raw_endpoint($_ => \&app) for qw(app second one other);
$t->server(resolver => sub { sleep 1 while 1 });

# accepts nothing: its queue of one connection is full

my @waiting;
my $full = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
    or die "listen: $!\n";
{
    my $port = $full->sockport;
    for (1 .. 3) {
        push @waiting, IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port",
                                             Blocking => 0);
    }
}

authority($t, 'ca');
certificate($t, 'good', by => 'ca', names => 'DNS:localhost');

my $app = 'http://127.0.0.1:%%PORT_app%%';


# [ name, what the action's location has, the client's status, the result,
#   $flowdash_app_status ]

my @rows = (
    [ 'ok', "proxy_pass $app/200;", 200, 'ok', 200 ],
    [ 'redirect', "proxy_pass $app/303;", 303, 'ok', 303 ],
    [ 'refusal', "proxy_pass $app/422;", 422, 'refused', 422 ],
    [ 'session', "proxy_pass $app/401;", 401, 'refused', 401 ],
    [ 'crash', "proxy_pass $app/500;", 500, 'unknown', 500 ],
    [ 'busy', "proxy_pass $app/503;", 503, 'unknown', 503 ],
    [ 'body', "proxy_pass $app/body;", 200, 'ok', 200 ],

    # no answer

    [ 'reset', "proxy_pass $app/reset;", 502, 'unknown', '' ],
    [ 'close', "proxy_pass $app/close;", 502, 'unknown', '' ],
    [ 'hang', "proxy_pass $app/hang; proxy_read_timeout 50ms;", 504, 'unknown',
      '' ],
    [ 'half', "proxy_pass $app/half;", 502, 'unknown', '' ],
    [ 'junk', "proxy_pass $app/junk;", undef, 'unknown', '' ],
    [ 'early', "proxy_pass $app/early;", undef, 'unknown', 100 ],

    # nobody has got a byte

    [ 'down', 'proxy_pass http://127.0.0.1:%%PORT_nobody%%;', 502, 'refused',
      '' ],
    [ 'socket', 'proxy_pass http://unix:%%DIR%%/nobody.sock;', 502, 'refused',
      '' ],
    [ 'connecting', "proxy_pass http://127.0.0.1:@{[ $full->sockport ]};
      proxy_connect_timeout 50ms;", 504, 'refused', '' ],
    [ 'all_down', 'proxy_pass http://all_down;', 502, 'refused', '' ],
    [ 'no_live', 'proxy_pass http://no_live;', 502, 'refused', '' ],
    [ 'no_resolver', 'set $host1 app.example; proxy_pass http://$host1;', 502,
      'refused', '' ],
    [ 'resolving', 'set $host1 app.example; resolver 127.0.0.1:%%PORT_resolver%%;
      resolver_timeout 50ms; proxy_pass http://$host1;', 502, 'refused', '' ],
    [ 'no_tls', 'proxy_pass https://127.0.0.1:%%PORT_plain%%;', 502, 'refused',
      '' ],
    [ 'slow_tls', 'proxy_pass https://127.0.0.1:%%PORT_app%%;
      proxy_connect_timeout 50ms;', 504, 'refused', '' ],
    [ 'untrusted', 'proxy_pass https://127.0.0.1:%%PORT_tls%%;
      proxy_ssl_verify on; proxy_ssl_trusted_certificate %%DIR%%/ca.pem;
      proxy_ssl_name other.example;', 502, 'refused', '' ],
    [ 'trusted', 'proxy_pass https://127.0.0.1:%%PORT_tls%%;
      proxy_ssl_verify on; proxy_ssl_trusted_certificate %%DIR%%/ca.pem;
      proxy_ssl_name localhost;', 204, 'ok', 204 ],
    [ 'bad_url', 'set $url1 ftp://x; proxy_pass $url1;', 500, 'refused', '' ],

    # the client gets something else

    [ 'page', "proxy_pass $app/422; proxy_intercept_errors on;
      error_page 422 =200 /fine;", 200, 'refused', 422 ],
    [ 'page_crash', "proxy_pass $app/500; proxy_intercept_errors on;
      error_page 500 =404 /fine;", 404, 'unknown', 500 ],
    [ 'page_named', "proxy_pass $app/422; proxy_intercept_errors on;
      error_page 422 =200 \@fine;", 200, 'refused', 422 ],
    [ 'page_app', "proxy_pass $app/422; proxy_intercept_errors on;
      error_page 422 = /second;", 200, 'refused', 422 ],
    [ 'page_down', 'proxy_pass http://127.0.0.1:%%PORT_nobody%%;
      error_page 502 =200 /second;', 200, 'refused', '' ],
    [ 'page_named_down', 'proxy_pass http://127.0.0.1:%%PORT_nobody%%;
      error_page 502 = @fine;', 200, 'refused', '' ],
    [ 'page_timeout', "proxy_pass $app/hang; proxy_read_timeout 50ms;
      error_page 504 =200 \@app;", 200, 'unknown', '' ],
    [ 'accel', "proxy_pass $app/accel;", 200, 'refused', 422 ],
    [ 'accel_named', "proxy_pass $app/accel_named;", 200, 'refused', 422 ],
    [ 'sent', "proxy_pass $app/sent;", 404, 'ok', 200 ],

    # another app gets the same request

    [ 'fallback', 'proxy_pass http://127.0.0.1:%%PORT_nobody%%;
      error_page 502 = @app;', 200, 'ok', 200 ],
    [ 'fallback_refusal', "proxy_pass $app/404; proxy_intercept_errors on;
      error_page 404 = \@refusal;", 422, 'refused', 422 ],
    [ 'fallback_crash', "proxy_pass $app/404; proxy_intercept_errors on;
      error_page 404 = \@crash;", 500, 'unknown', 500 ],
    [ 'fallback_late', "proxy_pass $app/hang; proxy_read_timeout 50ms;
      error_page 504 = \@app;", 200, 'unknown', '' ],

    # several servers

    [ 'next', 'proxy_pass http://first_down/302;', 302, 'ok', 302 ],
    [ 'next_refusal', 'proxy_pass http://first_down/422;', 422, 'refused',
      422 ],
    [ 'next_acted', 'proxy_pass http://two/reset_first;
      proxy_next_upstream error non_idempotent;', 422, 'unknown', 422 ],
    [ 'next_crash', 'proxy_pass http://two/crash_first;
      proxy_next_upstream http_500 non_idempotent;', 422, 'unknown', 422 ],
    [ 'next_ok', 'proxy_pass http://two/reset_first_ok;
      proxy_next_upstream error non_idempotent;', 200, 'ok', 200 ],
    [ 'next_403', 'proxy_pass http://then_down/403;
      proxy_next_upstream http_403 error non_idempotent;', 502, 'refused',
      '' ],

    # content handlers without an upstream

    [ 'gif', 'flowdash_methods GET; empty_gif;', 200, 'ok', 200 ],
    [ 'static', 'root %%DIR%%;', 405, 'refused', 405 ],
    [ 'static_page', 'root %%DIR%%; error_page 405 =200 /fine;', 200,
      'unknown', '' ],
    [ 'static_404', 'root %%DIR%%; error_page 405 =404 /fine;', 404,
      'refused', 404 ],
    [ 'try', 'root %%DIR%%; try_files /nowhere @app;', 200, 'ok', 200 ],
    [ 'try_404', 'root %%DIR%%; try_files /nowhere =404;', 404, 'refused',
      404 ],
    [ 'try_500', 'root %%DIR%%; try_files /nowhere =500;', 500, 'unknown',
      500 ],

    # flowdash_success

    [ 'success_code', "flowdash_success 302; proxy_pass $app/200;", 200,
      'refused', 200 ],
    [ 'success_codes', "flowdash_success 200 302; proxy_pass $app/302;", 302,
      'ok', 302 ],
    [ 'success_class', "flowdash_success 2xx; proxy_pass $app/303;", 303,
      'refused', 303 ],
    [ 'success_crash', "flowdash_success 2xx; proxy_pass $app/500;", 500,
      'unknown', 500 ],
    [ 'success_409', "flowdash_success 2xx 409; proxy_pass $app/409;", 409,
      'ok', 409 ],
    [ 'success_5xx', "flowdash_success 2xx 5xx; proxy_pass $app/503;", 503,
      'ok', 503 ],

    # flowdash_outcome, as for Redmine

    [ 'redmine', "flowdash_outcome \$redmine; proxy_pass $app/issue;", 302,
      'ok', 302 ],
    [ 'redmine_form', "flowdash_outcome \$redmine; proxy_pass $app/200;", 200,
      'refused', 200 ],
    [ 'redmine_login', "flowdash_outcome \$redmine; proxy_pass $app/login;",
      302, 'refused', 302 ],
    [ 'redmine_crash', "flowdash_outcome \$redmine; proxy_pass $app/500;", 500,
      'unknown', 500 ],
    [ 'redmine_page', "flowdash_outcome \$redmine; proxy_pass $app/422;
      proxy_intercept_errors on; error_page 422 =200 /fine;", 200, 'refused',
      422 ],
    [ 'redmine_down', 'flowdash_outcome $redmine;
      proxy_pass http://127.0.0.1:%%PORT_nobody%%;', 502, 'refused', '' ],
    [ 'redmine_fallback', "flowdash_outcome \$redmine; proxy_pass $app/404;
      proxy_intercept_errors on; error_page 404 = \@issue;", 302, 'ok', 302 ],
    [ 'redmine_hang', "flowdash_outcome \$redmine; proxy_pass $app/hang;
      proxy_read_timeout 50ms;", 504, 'unknown', '' ],
    [ 'says_ok', "flowdash_outcome \$upstream_http_x_outcome;
      proxy_pass $app/header/ok;", 200, 'ok', 200 ],
    [ 'says_refused', "flowdash_outcome \$upstream_http_x_outcome;
      proxy_pass $app/header/refused;", 200, 'refused', 200 ],
    [ 'says_unknown', "flowdash_outcome \$upstream_http_x_outcome;
      proxy_pass $app/header/unknown;", 200, 'unknown', 200 ],
    [ 'says_perhaps', "flowdash_outcome \$upstream_http_x_outcome;
      proxy_pass $app/header/perhaps;", 200, 'unknown', 200 ],
    [ 'says_nothing', "flowdash_outcome \$upstream_http_x_outcome;
      proxy_pass $app/200;", 200, 'unknown', 200 ],
    [ 'says_off', "flowdash_outcome off; proxy_pass $app/200;", 200, 'ok',
      200 ],
);

my $action = 'flowdash_action "%s"; flowdash_step "Any" { return 204; }';

my $locations = join '', map {
    my ($name, $conf) = @$_;
    "location = /$name { " . sprintf($action, $name) . " $conf }\n"
} @rows;

$t->config(<<"EOC");
%%GLOBALS%%
worker_shutdown_timeout 10ms;
events { }
http {
    %%HTTP_GLOBALS%%
    flowdash_zone flowdash:256k;

    log_format journal '\$uri|\$status|\$flowdash_result|'
                       '\$flowdash_app_status|\$flowdash_id|\$sent_http_x_now';
    access_log %%DIR%%/journal.log journal;

    map \$flowdash_app_status:\$upstream_http_location \$redmine {
        default          refused;
        ~^302:/issues/   ok;
        ~^5              unknown;
    }

    upstream all_down { server 127.0.0.1:%%PORT_nobody%%;
                        server 127.0.0.1:%%PORT_nobody2%%; }
    upstream no_live { server 127.0.0.1:%%PORT_nobody%% down; }
    upstream first_down { server 127.0.0.1:%%PORT_nobody%% weight=9 max_fails=0;
                          server 127.0.0.1:%%PORT_app%% max_fails=0; }
    upstream two { server 127.0.0.1:%%PORT_one%% max_fails=0;
                   server 127.0.0.1:%%PORT_other%% max_fails=0; }
    upstream then_down { server 127.0.0.1:%%PORT_app%% weight=9 max_fails=0;
                         server 127.0.0.1:%%PORT_nobody%% max_fails=0; }

    proxy_ssl_session_reuse off;        # nginx never frees the sessions

    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;

    server { listen 127.0.0.1:%%PORT_plain%%; access_log off; }

    server {
        listen 127.0.0.1:%%PORT_tls%% ssl;
        ssl_certificate %%DIR%%/good.pem;
        ssl_certificate_key %%DIR%%/good.key;
        access_log off;
        location / { return 204; }
    }

    server {
        listen 127.0.0.1:%%PORT_http%%;
        add_header X-Now "\$flowdash_result" always;
        flowdash_result_headers on;

        location /fine { internal; return 200 "fine\\n"; }
        location \@fine { return 200 "fine\\n"; }
        location /second { internal; proxy_pass http://127.0.0.1:%%PORT_second%%/200; }
        location \@app { rewrite ^ /200 break; proxy_pass http://127.0.0.1:%%PORT_second%%; }
        location \@refusal { rewrite ^ /422 break; proxy_pass http://127.0.0.1:%%PORT_second%%; }
        location \@issue { rewrite ^ /issue break; proxy_pass http://127.0.0.1:%%PORT_second%%; }
        location \@crash { rewrite ^ /500 break; proxy_pass http://127.0.0.1:%%PORT_second%%; }
        location /status { access_log off; flowdash_status json; }

        location /told {
            flowdash_action "Finish";
            flowdash_step "CRM" { return 204; }
            flowdash_step "Skipped" { flowdash_if 0; return 204; }
            flowdash_step "Mail" { flowdash_optional on; return 500; }
            flowdash_step 'Bill "A" <b>' { return 204; }
            proxy_pass http://127.0.0.1:%%PORT_nobody%%;

            location /told/none {
                flowdash_step "Skipped" { flowdash_if 0; return 204; }
                proxy_pass http://127.0.0.1:%%PORT_nobody%%;
            }
            location /told/named {
                proxy_pass http://127.0.0.1:%%PORT_nobody%%;
                error_page 502 /fine;
            }
            location /told/recursive {
                proxy_pass http://127.0.0.1:%%PORT_nobody%%;
                recursive_error_pages on;
                error_page 502 /fine;
            }
            location /told/timeout {
                proxy_pass $app/hang;
                proxy_read_timeout 50ms;
            }
        }

        location /slow {
            @{[ sprintf $action, 'slow' ]}
            proxy_pass $app/hang;
        }

        location /cache/ {
            @{[ sprintf $action, 'cache' ]}
            proxy_pass $app/once/;
            proxy_cache cache;
            proxy_cache_key \$uri;
            proxy_cache_methods POST;
            proxy_cache_valid 200 1h;
            proxy_cache_use_stale error;

            location /cache/update {
                proxy_pass $app/once/;
                proxy_cache_use_stale updating;
                proxy_cache_background_update on;
            }
        }

        $locations
    }
}
EOC
$t->run;

my $seen = 0;

sub next_line {
    my @lines;
    $t->wait_for(sub {
        @lines = split /\n/, $t->read_file('journal.log') // '';
        return @lines > $seen;
    });
    my %line;
    @line{qw(uri status result app_status id now)} =
        map { $_ eq '-' ? '' : $_ } split /\|/, $lines[$seen++];
    return \%line;
}

my %count;

sub ends {
    my ($line, $name, $status, $result, $app_status) = @_;

    is("$line->{result} $line->{app_status}", "$result $app_status", $name);
    is($line->{status}, $status, "$name: what the client gets")
        if defined $status;
    $count{$name =~ s/:.*//r}{$result}++;
    return;
}

for my $row (@rows) {
    my ($name, $conf, $status, $result, $app_status) = @$row;

    my $log = $t->error_log;
    my $res = $conf =~ /methods GET/ ? $t->get("/$name")
        : $name eq 'junk' || $name eq 'early'
        ? $t->raw_request("POST /$name HTTP/1.1\r\nHost: a\r\n"
              . "Content-Type: application/json\r\nContent-Length: 2\r\n"
              . "Connection: close\r\n\r\n{}") && undef
        : $t->post_json("/$name", '{}');
    my $line = next_line();
    ends($line, $name, $status, $result, $app_status);

    # the response says the same

    if ($res) {
        is($line->{now}, $result, "$name: when the header is sent");
        is(header($res, 'Flowdash-Result'), $result, "$name: Flowdash-Result");
    }

    my @lines = substr($t->error_log, length $log)
                =~ /\[(?:error|warn)\] \S+ \S+ (flowdash: .*)/g;
    my $what = $app_status ne '' ? "the app answered $app_status\\b"
        : qr/the app (?:did not get the request|was called, but did not answer)/;

    $result eq 'ok' ? is("@lines", '', "$name: no line")
        : like("@lines", qr/^flowdash: action "$name" $result: its steps (?x:
               )were carried out, (?:but|and) $what.*, id $line->{id}\b/,
               "$name: one line");
}

like($t->error_log, qr/action "says_$_" unknown: [^\n]*; the value of (?x:
     )flowdash_outcome is none of "ok", "refused" and "unknown", id/,
     "$_: the line says why") for qw(perhaps nothing);
unlike($t->error_log, qr/action "says_unknown" unknown: [^\n]*none of/,
       'but not where it is right');


sub after {
    my ($uri) = @_;
    $t->post_json($uri, '{}');
    return next_line();
}

for my $name (qw(app second one other)) {
    $t->new_requests($name);
    $t->clear_requests($name);
}

# from a cache: nobody has asked the app, or does it now, or has just tried

for my $way (qw(old update)) {
    ends(after('/cache/' . $way), "cache: $way", 200,
         'ok', 200);
    $t->only_request('app');
    $t->clear_requests('app');
    ends(after('/cache/' . $way), "cache: $way, kept",
         200, 'refused', '');
    $t->no_request('app');

    $t->wait_for(sub {
        my $line = after("/cache/$way");
        my $result = $line->{result};
        $count{cache}{$result}++;
        is("$line->{status} $result", '200 unknown', "cache: $way, stale")
            if $result ne 'refused';
        return $result ne 'refused';
    });
    $t->wait_for(sub { scalar $t->requests('app') });
    $t->new_requests('app');
    $t->clear_requests('app');
    unlink "$dir/asked";
}


# an app that is not there: the user's page says what has been done

{
    my $json = sub {
        my ($uri, @headers) = @_;
        my $res = $t->post_json($uri, '{}', headers => \@headers);
        $count{Finish}{ next_line()->{result} }++;
        return $res;
    };

    my $res = $json->('/told', Accept => 'application/json');
    my ($id) = $t->read_file('journal.log') =~ /\|(\w+)\|refused\n\z/;
    is("$res->{status} " . header($res, 'Content-Type'),
       '502 application/problem+json', 'JSON');
    is(header($res, 'Content-Length'), length $res->{body}, 'its length');
    is_deeply(JSON::PP::decode_json($res->{body}), {
        title => 'The action was not carried out', status => 502,
        detail => 'The app could not be reached, but these steps have been '
            . 'carried out: "CRM, Bill "A" <b>". Nothing was changed in the '
            . 'app.', action => 'Finish', told => [ 'CRM', 'Bill "A" <b>' ],
        id => $id }, 'what it says');
    is(header($res, 'Flowdash-Result') . header($res, 'Flowdash-Id'),
       "refused$id", 'the headers say the same');

    $res = $json->('/told', Accept => 'text/html', 'HX-Request' => 'true');
    like($res->{body}, qr{<p>The app could not be reached, but these steps (?x:
         )have been carried out: <strong><bdi>CRM, Bill &quot;A&quot; (?x:
         )&lt;b&gt;</bdi></strong>. Nothing was changed in the app\.</p>}, 'HTML');
    unlike($res->{body}, qr/nginx/, 'and nothing of nginx');
    like(header($res, 'HX-Trigger'), qr/^\{"flowdash:failed":\{"message":(?x:
         )"The app could not be reached/, 'htmx is told');

    $res = $json->('/told', Accept => 'text/html', 'Accept-Language' => 'de');
    like($res->{body}, qr/nicht erreichbar, aber diese Schritte wurden/, 'German');

    $res = $json->('/told/none', Accept => 'application/json');
    like($res->{body}, qr/"detail":"The app could not be reached\. Nothing (?x:
         )was changed in the app\.",.*"told":\[\],"id"/, 'no step was called');

    is($json->("/told/$_", Accept => 'application/json')->{body}, "fine\n",
       "error_page has another page: $_") for qw(named recursive);
    like($json->('/told/timeout', Accept => 'application/json')->{body},
         qr/<center>nginx/, 'what is unknown has the page of nginx');
    $t->only_request('app');
    $t->clear_requests('app');
}


# nginx ends the request while the app works on it

{
    my $socket = $t->connect;
    $socket->autoflush(1);
    print $socket "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
        . "Content-Type: application/json\r\n\r\n{}";
    $t->wait_for(sub { scalar $t->requests('app') });
    $t->reload;
    ends(next_line(), 'slow', undef, 'unknown', '');
    $t->only_request('app');
}


# the counters

my $status = JSON::PP::decode_json($t->get('/status')->{body});

for my $action (@{ $status->{actions} }) {
    my $name = $action->{name};
    my %is = %{ $count{$name} };
    is_deeply([ @$action{qw(succeeded refused unknown aborted)} ],
              [ map { $_ // 0 } @is{qw(ok refused unknown)}, 0 ],
              "$name: the counters");
}

$t->done;
