# flowdash_optional with conditions: the action goes on only if each attempt of
# the step has failed in one of the ways that are named.  What may be a veto, or
# a request that makes an endpoint crash, never gets past it.  And
# $flowdash_skipped tells the app.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::DNS;

use JSON::PP qw(decode_json);

my $t = Test::Flowdash->new(log_level => 'info');

my @json = ('Content-Type' => 'application/json');
my $body = '{"task": {"f":"old"} }';
my @all = qw(error timeout 429 502 503 504);


# Endpoints: the path says what they do.

sub half {
    my ($status) = @_;
    return "HTTP/1.1 $status X\r\nContent-Type: application/json\r\n"
        . "Content-Length: 100\r\n\r\n{";
}

my %body = (invalid => '{"task":', list => '{"task":[]}',
            large => '{"task":{"a":"' . 'x' x 70_000 . '"}}');
my $n = 0;                              # in the endpoint's process

Test::Flowdash::DNS::start($t, dns => { 'none.test' => {} });

$t->endpoint(hook => sub {
    my ($how) = $_[0]{target} =~ m{^/(\w+)};
    $how = (split /_/, $how)[$n++ % 2] if $how =~ /_/;  # in turn
    return { headers => \@json, body => $body{$how} } if $body{$how};
    return { status => $how, headers => \@json, body => '{"task":{"f":"n"}}' };
});
$t->raw_endpoint(raw => sub {
    my ($how, $status) = $_[0]{target} =~ m{^/([a-z]+)_?(\d*)};
    $how //= '';
    return send => half($status), then => 'stall' if $how eq 'stall';
    return send => half($status) if $how eq 'cut';
    return send => "HTTP/1.1 2" if $how eq 'half';
    return then => $how eq 'silent' ? 'stall' : 'reset';
});
$t->raw_endpoint(mute => 'stall');
$t->raw_endpoint(proxy => sub {
    return send => "HTTP/1.1 502 X\r\nContent-Length: 0\r\n\r\n";
});
$t->endpoint(app => { body => 'stored' });

my $hook = '127.0.0.1:%%PORT_hook%%';
my $raw = '127.0.0.1:%%PORT_raw%%';
my $mute = '127.0.0.1:%%PORT_mute%%';
my $down = '127.0.0.1:%%PORT_nobody%%';
my $resolver = 'resolver 127.0.0.1:%%PORT_dns%% ipv6=off;';
my $short = 'flowdash_timeout 200ms;';
my $again = 'proxy_next_upstream error timeout http_500 http_502 http_503
             http_403 non_idempotent; proxy_next_upstream_timeout 0;';

# [ name, the words that are needed, directives, where ], and only with "call"
# or "pass"

my @rows = (
    (map { [ "status_$_", $_, '', "http://$hook/$_" ] } qw(429 502 503 504)),
    (map { [ "status_$_", '', '', "http://$hook/$_" ] }
        qw(302 400 401 403 404 408 500 501 505)),
    (map { [ $_, '', '', "http://$hook/$_" ] } qw(invalid list large)),
    [ refused => 'error', '', "http://$down/" ],
    [ no_name => 'error', $resolver, 'http://none.test/', 'call' ],
    [ no_name => 'error', "$resolver set \$none none.test;", 'http://$none/',
      'pass' ],
    [ silent => 'timeout', $short, "http://$raw/silent" ],

    # nginx does not tell it from a handshake that fails
    [ refused_tls => 'error', '', "https://$down/", 'call' ],
    [ refused_tls => '', '', "https://$down/", 'pass' ],

    # a proxy that refuses is no outage of the endpoint
    [ proxy => '', 'flowdash_proxy http://127.0.0.1:%%PORT_proxy%%;',
      'https://127.0.0.1:%%PORT_hook%%/', 'call' ],
    [ proxy_down => 'error', "flowdash_proxy http://$down;",
      'https://127.0.0.1:%%PORT_hook%%/', 'call' ],

    # the request may be why
    [ crash => '', '', "http://$raw/crash" ],

    # half an answer may be a veto
    [ half => '', '', "http://$raw/half" ],
    (map {
        [ "cut_$_", '', '', "http://$raw/cut_$_" ],
        [ "stall_$_", '', 'flowdash_timeout 3s;', "http://$raw/stall_$_" ],
    } 200, 403, 503),

    # never
    [ certificate => '', '', 'https://127.0.0.1:%%PORT_tls%%/', 'call' ],
    [ handshake => '', '', "https://127.0.0.1:%%PORT_http%%/" ],
    [ denied => '', 'flowdash_deny all;', "http://$hook/503", 'call' ],

    # all attempts count
    [ again_503 => '503', 'flowdash_retry 1 503;', "http://$hook/503", 'call' ],
    [ again_503_502 => '502 503', 'flowdash_retry 1 502 503;',
      "http://$hook/503_502", 'call' ],
    [ again_500_503 => '', 'flowdash_retry 1 5xx;', "http://$hook/500_503",
      'call' ],
    [ again_503_invalid => '', 'flowdash_retry 1 503;',
      "http://$hook/503_invalid", 'call' ],
    [ again_503_403 => '', 'flowdash_retry 1 503;', "http://$hook/503_403",
      'call' ],
    [ again_refused => 'error', 'flowdash_retry 1 error;', "http://$down/",
      'call' ],
    [ again_silent => 'timeout', 'flowdash_retry 1 timeout=100ms;',
      "http://$raw/silent", 'call' ],
    [ again_crash => '', 'flowdash_retry 1 error;', "http://$raw/crash",
      'call' ],
    [ next_503_502 => '502 503', $again, 'http://two/503_502', 'pass' ],
    [ next_500_503 => '', $again, 'http://two/500_503', 'pass' ],
    [ next_403_503 => '', $again, 'http://two/403_503', 'pass' ],
    [ next_crash => '', $again, 'http://crash/503', 'pass' ],
    [ next_down => '503 error', $again, 'http://down/503', 'pass' ],
    [ next_silent => '503 timeout', "proxy_read_timeout 100ms; $again",
      'http://silent/503', 'pass' ],

    [ handler_503 => '503', '', 'return 503', 'other' ],
    [ handler_500 => '', '', 'return 500', 'other' ],
);

my %location;                           # by its name: [ passes, words ]

sub step {
    my ($engine, $words, $set, $url) = @_;
    my $call = $engine eq 'call' ? "flowdash_call $url;"
        : $engine eq 'pass' ? "proxy_pass $url;" : "$url;";
    return qq(flowdash_step "May fail" {
                  flowdash_optional $words; $set $call
              });
}

sub action {
    my ($name, $steps, $set) = @_;
    return <<"EOC";
        location = /$name {
            @{[ $set // '' ]}
            flowdash_action "Do $name";
            $steps
            proxy_set_header X-Skipped \$flowdash_skipped;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
EOC
}

my $locations = '';

for my $row (@rows) {
    my ($name, $needed, $set, $url, $engines) = @$row;
    my %needed = map { $_ => 1 } split / /, $needed;

    for my $engine ($engines || qw(call pass)) {
        my $set = $engine eq 'pass' ? $set =~ s/flowdash_(?:retry|deny).*?;//gr
            : $set;
        my %words = (all => "@all");
        $words{only} = join ' ', sort keys %needed if $needed;

        # one of them is missing

        for my $word (sort keys %needed) {
            $words{"but_$word"} = join ' ', grep { $_ ne $word } @all;
        }

        for my $kind (sort keys %words) {
            my $place = "${name}_${engine}_$kind";
            $location{$place} = [ $needed && $kind !~ /^but/,
                                  $words{$kind} ];
            $locations .= action($place, step($engine, $words{$kind}, $set,
                                              $url));
        }
    }
}

my $fails = "flowdash_optional 503; flowdash_call http://$hook/503;";
my $ok = "flowdash_call http://$hook/204;";

my @odd = ('a, b', '100%', ' x ', "\xc3\xa9\xe2\x82\xac", 'a\"b\\\\c', 'l\nr;');

$locations .= action('none', qq(flowdash_step "a" { flowdash_optional 503; $ok }));
$locations .= action('two', join "\n",
    qq(flowdash_step "First one" { $fails }),
    qq(flowdash_step "Second" { flowdash_optional on; $ok }),
    qq(flowdash_step "Third" { flowdash_optional on; return 403; }));
$locations .= action('odd', join "\n", map { qq(flowdash_step "$_" { $fails }) } @odd);
$locations .= action('last', qq(
    flowdash_step "May fail" { $fails }
    flowdash_step "Vetoes" { flowdash_optional 503; return 403; }));
$locations .= action('deadline', step('call', "@all", '', "http://$raw/silent"),
                     'flowdash_deadline 200ms;');
$locations .= action('task', qq(
    flowdash_step "May fail" { $fails }
    flowdash_step "Reads" {
        flowdash_set_header X-Skipped \$flowdash_skipped;
        flowdash_call http://$hook/204;
    }));

system('openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=test'
       . " -keyout @{[ $t->dir ]}/key.pem -out @{[ $t->dir ]}/cert.pem"
       . " 2>@{[ $t->dir ]}/openssl.log") == 0
    or BAIL_OUT('openssl does not make a certificate');

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    log_format flow '\$uri|\$flowdash_result|\$flowdash_skipped|\$flowdash_error';
    access_log %%DIR%%/flow.log flow;
    flowdash_zone flowdash:4m;

    upstream two    { server $hook max_fails=0; server $hook max_fails=0; }
    upstream crash  { server $raw max_fails=0; server $hook backup; }
    upstream down   { server $hook max_fails=0; server $down backup; }
    upstream silent { server $mute max_fails=0; server $hook backup; }

    server {
        listen 127.0.0.1:%%PORT_http%%;
        listen 127.0.0.1:%%PORT_tls%% ssl;
        ssl_certificate cert.pem;
        ssl_certificate_key key.pem;
        $locations
        location = /json    { flowdash_status json; }
        location = /metrics { flowdash_status prometheus; }
        location = /flows   { flowdash_status html; }
    }
}
EOC

$t->run;

my %flow;

sub act {
    my ($name) = @_;
    $t->clear_requests('app');
    return $t->request('POST', "/$name", body => $body, headers => \@json);
}

sub app_header {
    my ($app) = $t->requests('app');
    return $app ? $app->header('X-Skipped') : 'not called';
}

sub flow {
    my ($name) = @_;
    my $flow;
    $t->wait_for(sub {
        ($flow) = ($t->read_file('flow.log') // '') =~ m{^/$name\|(.*)}m;
    });
    return $flow;
}

# these take their time: enough for half an answer on a busy machine

my %slow = map { $_ => $t->start('POST', "/$_", body => $body,
                                 headers => \@json) }
    grep { /^stall/ } keys %location;
my $tolerated = 0;

for my $name (sort { ($slow{$a} ? 1 : 0) <=> ($slow{$b} ? 1 : 0) || $a cmp $b }
              keys %location)
{
    my ($passes, $words) = @{ $location{$name} };
    my $res = $slow{$name} ? $t->finish($slow{$name}) : act($name);
    my $status = $res->{status};


    $tolerated += $passes ? 1 : 0;

    is($status =~ s/^50[24]$/failed/r, $passes ? 200 : 'failed',
       "$name: $words");
    is(app_header(), $passes ? 'May fail' : 'not called', "$name: the app")
        if !$slow{$name};
    like(flow($name), $passes ? qr/^ok\|May fail\|-/
                              : qr/^failed\|-\|(?!-)/, "$name: in the log");
}


# $flowdash_skipped

is(act('none')->{status}, 200, 'no failure');
is(app_header(), undef, 'no failure: no header');
is(flow('none'), 'ok|-|-', 'no failure: empty');

is(act('two')->{status}, 200, 'two of three');
is(app_header(), 'First one, Third', 'two of three: those that failed');

is(act('odd')->{status}, 200, 'odd names');
is(app_header(), 'a%2C b, 100%25, %20x%20, %C3%A9%E2%82%AC, a%22b%5Cc, '
   . 'l%0Ar%3B', 'odd names: encoded');
is(join('|', map { s/%(..)/chr hex $1/ger } split /, /, app_header()),
   join('|', map { s/\\n/\n/r =~ s/\\(.)/$1/gr } @odd),
   'odd names: nothing is lost');

is(act('last')->{status}, 502, 'a veto after a failure');
is(app_header(), 'not called', 'a veto: the app');
is(flow('last'), 'failed|May fail|status', 'a veto: is not among them');

is(act('deadline')->{status}, 504, 'the deadline is no time-out of the step');

is(act('task')->{status}, 200, 'in a later step');
my ($reads) = grep { $_->{target} eq '/204' && $_->header('X-Skipped') }
    $t->requests('hook');
is($reads->header('X-Skipped'), 'May fail', 'in a later step: known');


# The numbers: each failure that was tolerated, and no other.

my $metrics = $t->get('/metrics')->{body};
my %total;

$total{$1} += $2 while $metrics =~ /^(flowdash_steps_\w+_total)\{.*\} (\d+)$/mg;

is($total{flowdash_steps_tolerated_total}, $tolerated + 2 + @odd + 1 + 1,
   'metrics: the sum');
cmp_ok($total{flowdash_steps_failed_total}, '>',
       $total{flowdash_steps_tolerated_total}, 'metrics: others failed, too');
like($metrics, qr/^flowdash_steps_tolerated_total\{action="Do two",(?#
    )step="First one"\} 1$/m, 'metrics: of a step');
like($metrics, qr/^flowdash_steps_tolerated_total\{action="Do two",(?#
    )step="Second"\} 0$/m, 'metrics: none of another');

my ($last) = grep { $_->{name} eq 'Do last' }
    @{ decode_json($t->get('/json')->{body})->{actions} };

is(join(' ', map { "$_->{name}:$_->{tolerated}" } @{ $last->{steps} }),
   'May fail:1 Vetoes:0', 'JSON');
is($last->{state}, 'failing', 'JSON: a veto of an optional step');

my $page = $t->get('/flows')->{body};

like($page, qr{May fail<.*?<p>optional</p><p class="stop">answered 503, (?#
    )once in the last 2 min, 1 tolerated</p>}s, 'page: tolerated');
like($page, qr{<tr class="bad"><th scope="row"><bdi>Vetoes<.*?<p class="stop">(?#
    )answered 403, once in the last 2 min</p>}s, 'page: not tolerated');


# nginx -t

my $step = 'location / { flowdash_action A; flowdash_step S { return 204;';

for my $word (qw(500 5xx)) {
    $t->conf_fails("$step flowdash_optional error $word; } }",
        qr/invalid "$word" in "flowdash_optional": 500 is always a failure, /,
        "refused: $word");
}

$t->conf_fails("$step flowdash_optional timeout=3s; } }",
    qr/"timeout=3s" in "flowdash_optional": "timeout" has no time here/,
    'a time');

for my $words ('on error', 'error off', 'tls', 'denied', '501', '4xx', '""',
               'error, timeout', '$arg_a') {
    $t->conf_fails("$step flowdash_optional $words; } }",
        qr/in "flowdash_optional": "on" or "off" alone, or some of "error"/,
        "refused: $words");
}

$t->conf_ok("$step flowdash_optional error timeout 429 502 503 504; } }",
            'all of them');

$t->done;
