# How endpoints fail and what counts as success, by both engines: the client's
# status, the variables, the one line in the error log, the untouched app.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Test::Flowdash::Server;

my $t = Test::Flowdash->new;
my $dir = $t->dir;

my @json = ('Content-Type' => 'application/json');
my $change = '{"task":{"f":"new"}}';
my $deep = '[' x 200 . ']' x 200;


# [ name, what the endpoint does, status, error, step's status ]; a reference
# of two holds the values for flowdash_call and proxy_pass

my @failures = (
    (map { [ "status_$_", { status => $_, headers => \@json,
                            body => $change },
             502, 'status', $_ ] }
        300, 301, 302, 304, 307, 400, 401, 404, 409, 429, 500, 502, 503, 504),

    [ close => 'close', 502, 'connect' ],
    [ reset => 'reset', 502, 'connect' ],
    [ cut => 'cut', 502, 'connect' ],
    [ cut_chunk => 'cut_chunk', 502, 'connect' ],
    (map { [ $_ => $_, 502, [ 'connect', 'response_invalid' ] ] }
        qw(cut_status cut_header cut_line cut_204 cut_http10)),

    # nginx passes on what comes first, or waits for more

    [ cut_after_100 => 'cut_after_100', 502,
      [ 'connect', '(?:status|connect|response_invalid)' ],
      [ 502, '\d+' ] ],
    [ stall => 'stall', 504, 'timeout' ],
    [ stall_body => 'stall_body', 504, 'timeout' ],
    [ deadline => 'stall', 504, 'deadline' ],
    [ garbage => 'garbage', 502, 'response_invalid' ],
    [ http09 => 'http09', 502, 'response_invalid' ],
    [ big_header => 'big_header', 502,
      [ 'response_too_large', 'response_invalid' ] ],
    [ size_1 => { headers => \@json, body => '{"task":{"f":"new","g":"'
                  . 'x' x (65536 - 29) . '"}}   ' },
      502, 'response_too_large' ],
    [ huge => 'huge', 502, 'response_too_large' ],
    [ endless => 'endless', 502, 'response_too_large' ],

    (map { [ "invalid_$_->[0]", { headers => \@json, body => $_->[1] },
             502, 'response_invalid', 200 ] } (
        [ text => 'ok' ],
        [ open => '{"task":{"f":"new"}' ],
        [ two_marks => "\xef\xbb\xbf" x 2 . $change ],
        [ more => "$change}" ],
        [ number => '{"task":1}' ],
        [ string => '{"task":"f"}' ],
        [ array => '{"task":[{"f":"new"}]}' ],
        [ null => '{"task":null}' ],
        [ twice => '{"task":{"f":"new"},"task":{}}' ],
        [ twice_escaped => '{"task":{"f":"new"},"t\u0061sk":{}}' ],
        [ other_case => '{"f":"new","Task":{}}' ],
        [ field_twice => '{"task":{"f":1,"g":2,"f":1}}' ],
        [ deep => qq({"task":{"f":$deep}}) ],
        [ deep_elsewhere => qq({"task":{"f":"new"},"x":$deep}) ],
        [ utf8 => qq({"task":{"f":"\xff"}}) ],
        [ surrogate => qq({"task":{"f":"\xed\xa0\x80"}}) ],
        [ control => qq({"task":{"f":"a\x01"}}) ],
    )),

    [ invalid_suffix => { headers => [ 'Content-Type' =>
                            'application/vnd.a+json; charset=utf-8' ],
                          body => 'ok' }, 502, 'response_invalid', 200 ],
    [ invalid_201 => { status => 201, headers => \@json, body => '{' },
      502, 'response_invalid', 201 ],
    [ twice_no_type => { body => '{"task":{"f":1,"f":2}}' },
      502, 'response_invalid', 200 ],
);


# where redirects lead to, and what the log says of that

my %redirects = (
    host => [ '//me:secret@h.test:9/x', '//h.test:9/x' ],
    relative => [ '/login?secret', '/login' ],
    fragment => [ 'https://h.test#secret', 'https://h.test' ],
    line => [ "/a\tb", '/a\tb' ],

    # cut, so that the rest stays in the line: 512 bytes with "Location: "

    long => [ '/' . 'x' x 800, '/' . 'x' x 501 ],
    long_line => [ '/' . "\t" x 800 . 'b', '/' . '\t' x 501 ],
    long_user => [ 'http://' . 'u' x 800 . ':secret@h.test/a?' . 'q' x 800,
                   'http://h.test/a' ],

    # not what a URL is

    slash => [ 'http:/me:secret@h.test/', '' ],
    path => [ 'http://me:p/secret@h.test/', 'http://' ],
    twice => [ 'http://me:p@secret@h.test/', 'http://h.test/' ],
);

push @failures, map {
    [ "redirect_$_", { status => 302, location => $redirects{$_}[0] },
      502, 'status', 302 ]
} sort keys %redirects;


# [ name, what the endpoint does, whether "f" is changed ]

my @successes = (
    [ empty => { headers => \@json }, 0 ],
    [ nothing => {}, 0 ],
    (map { [ "blank_$_->[0]", { headers => \@json, body => $_->[1] }, 0 ] }
        [ space => ' ' ], [ line => "\r\n" ], [ mark => "\xef\xbb\xbf" ],
        [ both => "\xef\xbb\xbf\r\n\t " ]),
    [ mark => { headers => \@json, body => "\xef\xbb\xbf$change" }, 1 ],
    [ mark_no_type => { body => "\xef\xbb\xbf$change" }, 1 ],
    [ text => { headers => [ 'Content-Type' => 'text/plain' ],
                body => $change }, 0 ],
    [ html => { headers => [ 'Content-Type' => 'text/html' ],
                body => '<p>ok</p>' }, 0 ],
    [ xml => { headers => [ 'Content-Type' => 'application/xml+jsonp' ],
               body => $change }, 0 ],
    [ no_type => { body => 'ok' }, 0 ],
    [ no_type_array => { body => "[$change]" }, 0 ],
    [ no_type_open => { body => '{"task":{"f":"new"}' }, 0 ],
    [ no_type_object => { body => $change }, 1 ],
    [ array => { headers => \@json, body => "[$change]" }, 0 ],
    [ string => { headers => \@json, body => '"ok"' }, 0 ],
    [ null => { headers => \@json, body => 'null' }, 0 ],
    [ no_task => { headers => \@json, body => '{"f":"new","Tasks":{}}' }, 0 ],
    [ empty_task => { headers => \@json, body => '{"task":{}}' }, 0 ],
    [ nested_task => { headers => \@json, body => qq({"a":$change}) }, 0 ],
    [ status_204 => { status => 204 }, 0 ],
    [ status_204_json => { status => 204, headers => \@json }, 0 ],
    (map { [ "change_$_", { status => $_, headers => \@json,
                            body => $change }, 1 ] }
        200, 201, 202, 203, 206, 226, 299),
    [ suffix => { headers => [ 'Content-Type' => 'application/hal+json' ],
                  body => $change }, 1 ],
    [ charset => { headers => [ 'Content-Type' =>
                                'Application/JSON ; charset="utf-8"' ],
                   body => " $change\r\n" }, 1 ],
    [ form_feeds => { headers => [ 'Content-Type' => "\f\f" ],
                      body => $change }, 1 ],
    [ form_feeds_around => { headers => [ 'Content-Type' =>
                                          "\f application/json\x0b\f" ],
                             body => $change }, 1 ],
    [ form_feed_inside => { headers => [ 'Content-Type' =>
                                         "application/\fjson" ],
                            body => $change }, 0 ],
    [ chunked => { headers => \@json, body => $change, chunked => 1 }, 1 ],
    [ no_length => { headers => \@json, body => $change, no_length => 1 },
      1 ],
    [ drip => 'drip', 1 ],
    [ size => { headers => \@json, body => '{"task":{"f":"new","g":"'
                . 'x' x (65536 - 29) . '"}}  ' }, 1 ],
);

my %answer = (interim => 'continue',
              map { $_->[0] => $_->[1] } @failures, @successes);
my %raw = (
    cut_chunk => sub {
        return send => "HTTP/1.1 200 OK\r\n"
            . "Content-Type: application/json\r\n"
            . "Transfer-Encoding: chunked\r\n\r\n"
            . sprintf "%x\r\n%s\r\n", length $change, $change;
    },

    # in its header, so that no empty line ends it

    cut_status => sub { return send => "HTTP/1.1 200 OK\r\n" },
    cut_header => sub { return send => "HTTP/1.1 200 OK\r\nA: b\r\n" },
    cut_line => sub { return send => "HTTP/1.1 200 OK\r\nContent-Ty" },
    cut_204 => sub { return send => "HTTP/1.1 204 No Content\r\nA: b\r\n" },
    cut_http10 => sub { return send => "HTTP/1.0 200 OK\r\n" },
    cut_after_100 => sub {
        return send => "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n";
    },

    stall_body => sub {
        return (send => "HTTP/1.1 200 OK\r\n"
                . "Content-Type: application/json\r\n"
                . "Content-Length: 100\r\n\r\n$change", then => 'stall');
    },

    http09 => sub { return send => $change },

    endless => sub {
        Test::Flowdash::Server::behaviour('huge')->(@_, no_length => 1);
    },
);

my $app;

sub name { return ($_[0]{target} =~ m{^/(\w+)})[0] }

$t->endpoint(app => { body => 'app' });
$app = $t->port('app');

$t->endpoint(hook => sub {
    my $answer = $answer{name($_[0])};
    return { %$answer, headers => [ @{ $answer->{headers} // [] },
             Location => $answer->{location} // "http://127.0.0.1:$app/stolen",
             'Set-Cookie' => 'endpoint=1', 'X-Endpoint' => 1,
             'WWW-Authenticate' => 'Basic realm="a"' ] };
});

$t->raw_endpoint(raw => sub {
    my ($request, $n) = @_;
    my $how = $answer{name($request)} // name($request);
    return ($raw{$how} // Test::Flowdash::Server::behaviour($how))
        ->($request, $n, body => $change);
});


# Two locations for each row, in which the steps differ.

my $locations = '';

for my $row (sort keys %answer) {
    my $port = ref $answer{$row} ? 'hook' : 'raw';
    my $url = "127.0.0.1:%%PORT_$port%%/$row/p?key=secret";
    my $set = $row =~ /^stall/ ? 'flowdash_timeout 1s;' : '';

    $locations .= step($row, "$set flowdash_call http://me:secret\@$url;",
                       "$set proxy_pass http://$url;");
}

$locations .= step('refused',
    'flowdash_call http://me:secret@127.0.0.1:%%PORT_nobody%%/?key=secret;',
    'proxy_pass http://127.0.0.1:%%PORT_nobody%%/?key=secret;');
$locations .= step('no_socket',
    'flowdash_call http://unix:%%DIR%%/none.sock:/a?key=secret;',
    'proxy_pass http://unix:%%DIR%%/none.sock:/a?key=secret;');
$locations .= step('resolve',
    'flowdash_call http://me:secret@nonexistent.invalid/a?key=secret;',
    'set $name nonexistent.invalid; resolver 127.0.0.1:%%PORT_udp%%;
     resolver_timeout 300ms; proxy_pass http://$name/a?key=secret;');
$locations .= step('unlisted', 'return 418;', 'proxy_pass http://down;');

$locations .= step('tls', 'flowdash_call https://127.0.0.1:%%PORT_tls%%/;',
    'proxy_ssl_verify on; proxy_ssl_trusted_certificate other.pem;
     proxy_pass https://127.0.0.1:%%PORT_tls%%/;');
$locations .= step('tls_other',
    'flowdash_ssl_trusted_certificate other.pem;
     flowdash_call https://127.0.0.1:%%PORT_tls%%/;', 'return 418;');
$locations .= step('tls_host',
    'flowdash_ssl_trusted_certificate other.pem;
     flowdash_call https://127.0.0.1:%%PORT_tls_other%%/;', 'return 418;');
$locations .= step('tls_plain',
    'flowdash_call https://127.0.0.1:%%PORT_http%%/;',
    'proxy_pass https://127.0.0.1:%%PORT_http%%/;');
$locations .= step('tls_trusted',
    'flowdash_ssl_trusted_certificate cert.pem;
     flowdash_call https://127.0.0.1:%%PORT_tls%%/;',
    'proxy_ssl_verify on; proxy_ssl_trusted_certificate cert.pem;
     proxy_ssl_name localhost; proxy_pass https://127.0.0.1:%%PORT_tls%%/;');
$locations .= step('tls_off',
    'flowdash_ssl_verify off; flowdash_call https://127.0.0.1:%%PORT_tls%%/;',
    'proxy_pass https://127.0.0.1:%%PORT_tls%%/;');

sub step {
    my ($row, @handlers) = @_;
    my $set = $row =~ /^deadline/ ? 'flowdash_deadline 700ms;' : '';

    return join '', map { <<"EOC" } 0, 1;
        location = /$_/$row {
            $set
            flowdash_action "Row $row $_";
            flowdash_step "The step" { $handlers[$_] }
            flowdash_step "Never" { return 204; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
EOC
}

sub certificate {
    my ($file, $names) = @_;
    system("openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=test"
           . " -addext subjectAltName=$names -keyout $dir/$file.key"
           . " -out $dir/$file.pem 2>$dir/openssl.log") == 0
        or BAIL_OUT('openssl does not make a certificate');
}

certificate(cert => 'DNS:localhost,IP:127.0.0.1');
certificate(other => 'DNS:example.com');
$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    log_format flow '\$uri|\$status|\$flowdash_action|\$flowdash_result|'
                    '\$flowdash_failed_step|\$flowdash_error|'
                    '\$flowdash_step_status';
    proxy_buffering off;
    flowdash_connect_timeout 100s;
    flowdash_timeout 100s;
    flowdash_deadline 200s;

    # else the sessions of a location that verifies nothing are taken up
    proxy_ssl_session_reuse off;

    upstream down {
        server 127.0.0.1:%%PORT_nobody%% down;
        server 127.0.0.1:%%PORT_http%% down;
    }

    server {
        listen 127.0.0.1:%%PORT_http%%;
        access_log %%DIR%%/flow.log flow;
        $locations
    }

    server {
        listen 127.0.0.1:%%PORT_buffered%%;
        access_log %%DIR%%/flow.log flow;
        proxy_buffering on;
        $locations
    }

    server {
        listen 127.0.0.1:%%PORT_tls%% ssl;
        ssl_certificate cert.pem;
        ssl_certificate_key cert.key;
        location / {
            default_type application/json;
            return 200 '$change';
        }
    }

    server {
        listen 127.0.0.1:%%PORT_tls_other%% ssl;
        ssl_certificate other.pem;
        ssl_certificate_key other.key;
        location / { return 204; }
    }
}
EOC

$t->run;

my $body = '{"task": {"f":"old"} }';
my @engine = ('flowdash_call', 'proxy_pass');
my $offset = 0;

sub act {
    my ($row, $engine, $port) = @_;
    return $t->start('POST', "/$engine/$row", body => $body,
                     port => $port // 'http', headers => \@json);
}

# what came to the logs since the last time, whole lines

sub new_lines {
    my $lines = substr $t->error_log, $offset;
    $offset += length $lines;
    return $lines;
}

sub failed {
    my ($row, $engine, $exchange, $status, $error, $step_status) = @_;
    my $name = "$engine[$engine], $row";
    my $res = $t->finish($exchange);
    my $port = join '|', map { $t->port($_) }
        qw(hook raw nobody tls tls_other);
    my $flow;

    is($res->{status}, $status, "$name: status $status");
    like($res->{body}, qr/The step/, "$name: the step on the page");
    unlike($res->{raw}, qr/X-Endpoint|Location:|Set-Cookie|WWW-Auth|
                           secret|127\.0\.0\.1|\b(?:$port)\b/ix,
        "$name: nothing internal in the answer");

    $t->wait_for(sub {
        ($flow) = $t->read_file('flow.log') =~ m{^/$engine/$row\|(.*)}m;
    });
    $step_status //= $status;           # as in $upstream_status
    like($flow, qr/^\Q$status|Row $row $engine|failed|The step\E\|
                   $error\|$step_status$/x, "$name: $error");

    is(scalar $t->requests('app'), 0, "$name: the app is not called");
    $t->clear_requests('app');
}

sub logged {
    my ($lines, $row, $engine, $error) = @_;
    my $name = "$engine[$engine], $row";
    my @lines = grep { /flowdash: action/ } split /\n/, $lines;
    my @own = grep { /"Row $row $engine"/ } @lines;

    is(scalar @own, 1, "$name: one line in the log");
    like($own[0] // '', qr/ \[error\] [\d#]+: \*\d+ flowdash: action (?#
        )"Row $row $engine" failed on step "The step": $error[, ].*(?#
        ), time \d+\.\d{3}s, id [0-9a-f]{32}, client:/,
        "$name: with all that is to say");
    unlike($own[0] // '', qr/secret/, "$name: but the secrets");

    return $own[0];
}


# failures

# those that wait do so together
my %waiting = map { $_->[0] => [ act($_->[0], 0), act($_->[0], 1) ] }
    grep { $_->[0] =~ /^stall|^deadline/ } @failures;

for my $row (@failures) {
    my ($name, $how, @expect) = @$row;

    for my $engine (0, 1) {
        my ($status, $error, $step_status)
            = map { ref ? $_->[$engine] : $_ } @expect;

        failed($name, $engine, $waiting{$name} ? $waiting{$name}[$engine]
               : act($name, $engine), $status, $error, $step_status);
    }
}

my $lines = new_lines();

for my $row (@failures) {
    my ($name, $how, undef, $error) = @$row;
    my $port = $t->port(ref $how ? 'hook' : 'raw');

    for my $engine (0, 1) {
        my $line = logged($lines, $name, $engine,
                          ref $error ? $error->[$engine] : $error);
        like($line, qr{, called "http://127\.0\.0\.1:$port/$name/p",},
            "$engine[$engine], $name: the URL in the log");
        like($line, qr/: status $row->[4],/, "$name: the status in the log")
            if $error eq 'status';
        next if $name !~ /^(?:status_30[127]|redirect_(\w+))$/;
        my $leads = $1 ? $redirects{$1}[1]
            : $engine ? '/stolen'       # as proxy_redirect leaves it
            : "http://127.0.0.1:$app/stolen";
        like($line, qr{, Location: \Q$leads\E, called},
             "$engine[$engine], $name: where it leads to");
    }
}


# failures that no endpoint is needed for

for (
    [ refused => 0, 502, 'connect' ], [ refused => 1, 502, 'connect' ],
    [ no_socket => 0, 502, 'connect' ], [ no_socket => 1, 502, 'connect' ],
    [ resolve => 0, 502, 'resolve' ], [ resolve => 1, 502, 'resolve' ],
    [ unlisted => 0, 502, 'status', 418 ], [ unlisted => 1, 502, 'connect' ],
    [ tls => 0, 502, 'tls' ], [ tls => 1, 502, '(?:tls|connect)' ],
    [ tls_other => 0, 502, 'tls' ], [ tls_host => 0, 502, 'tls' ],
    [ tls_plain => 0, 502, 'tls' ],
    [ tls_plain => 1, 502, '(?:tls|connect)' ],
) {
    my ($row, $engine, $status, $error, $step_status) = @$_;

    failed($row, $engine, act($row, $engine), $status, $error,
           $step_status);
    logged(new_lines(), $row, $engine, $error);
}


# nginx up to 1.28 takes an interim response for the final one

failed('interim', 1, act('interim', 1), 502, 'status', 100);
logged(new_lines(), 'interim', 1, 'status 100');


# the same with answers that nginx has buffered

for my $row (qw(size_1 huge endless cut status_404 invalid_text garbage)) {
    my ($error) = map { $_->[3] } grep { $_->[0] eq $row } @failures;
    my $res = $t->finish(act($row, 1, 'buffered'));
    is($res->{status}, 502, "proxy_buffering on, $row: status");
    logged(new_lines(), $row, 1, $error);
    is(scalar $t->requests('app'), 0, "proxy_buffering on, $row: no app");
    $t->clear_requests('app');
}


# successes

sub passed {
    my ($row, $engine, $changed, $port) = @_;
    my $name = "$engine[$engine], $row";

    $t->clear_requests('app');
    my $res = $t->finish(act($row, $engine, $port));
    is($res->{status}, 200, "$name: passes");
    is($res->{body}, 'app', "$name: the app answers");

    my $app = $t->only_request('app');
    return is($app->{json}{task}{f}, 'new', "$name: changes the task")
        if $changed;
    is($app->{body}, $body, "$name: changes nothing");
}

for my $row (@successes) {
    my ($name, undef, $changed) = @$row;
    passed($name, $_, $changed) for 0, 1;
}

passed('interim', 0, 1);
passed('tls_trusted', $_, 1) for 0, 1;
passed('tls_off', $_, 1) for 0, 1;
passed($_, 1, $_ ne 'nothing', 'buffered')
    for qw(size drip chunked no_length nothing);

is(join("\n", grep { / \[(?:error|crit|alert|emerg)\] / }
        split /\n/, new_lines()), '', 'no error is logged for a success');

# what was not verified is not taken up by what is

$t->clear_requests('app');
failed('tls', 0, act('tls', 0), 502, 'tls');
logged(new_lines(), 'tls', 0, 'tls');

$t->done;
