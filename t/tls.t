#!/usr/bin/perl

# flowdash_call over TLS: which certificates are accepted, client certificates,
# protocols, pinned keys; what is read again on a reload, and sessions.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Test::Flowdash::TLS;
use Test::Flowdash::TLSServer;

my $t = Test::Flowdash->new;

authority($t, $_) for qw(ca other_ca);
authority($t, 'between', by => 'ca');

my $here = 'DNS:localhost,IP:127.0.0.1';

certificate($t, 'good', by => 'ca', names => $here);
certificate($t, 'expired', by => 'ca', names => $here, expired => 1);
certificate($t, 'self', names => $here);
certificate($t, 'wrong_host', by => 'ca', names => 'DNS:example.com');
certificate($t, 'other', by => 'other_ca', names => $here);

certificate($t, "client_$_", by => 'ca', subject => "/O=Test/CN=client $_")
    for qw(a b);
certificate($t, 'client_other', by => 'other_ca');
certificate($t, 'client_expired', by => 'ca', expired => 1);
certificate($t, 'client_chain', by => 'between', subject => '/CN=in between');
certificate($t, 'client_locked', by => 'ca', password => 'opensesame');

$t->write_file('both.pem', join '', map { $t->read_file("$_.pem") }
                           qw(other_ca ca));
$t->write_file('chain.pem', join '', map { $t->read_file("$_.pem") }
                            qw(client_chain between));
sub copy { $t->write_file($_[1], $t->read_file($_[0])) }

copy('ca.pem', 'trusted.pem');
copy('client_a.pem', 'client.pem');
copy('client_a.key', 'client.key');

# a connection that breaks off in the handshake

$t->server(breaks => sub {
    my ($listen) = @_;
    while (my $sock = $listen->accept) {
        sysread $sock, my $hello, 1;
        close $sock;
    }
});

# endpoints that refuse a client by an alert, or by closing without a word

for my $version ('TLSv1.2', 'TLSv1.3') {
    $t->server('refuses' . substr($version, -1) => sub {
        my ($listen, $record) = @_;
        serve_tls($listen, $record, sub {
            my (undef, undef, $tls) = @_;
            return ($tls->seal("HTTP/1.1 204 No Content\r\n\r\n"), 1);
        }, version => $version, ca => $t->dir . '/ca.pem',
           cert => $t->dir . '/good.pem', key => $t->dir . '/good.key');
    });
}

$t->server(closes => sub {
    my ($listen, $record) = @_;
    serve_tls($listen, $record, sub { return ('', 0) },
              cert => $t->dir . '/good.pem', key => $t->dir . '/good.key');
});

my $pin = pin($t, 'good');
my $pin_other = pin($t, 'other');


# name => what the step does; the endpoint's port is that of %to

my %step = (
    good => '',
    expired => '',
    self => '',
    wrong_host => '',
    other => '',
    system => 'flowdash_ssl_trusted_certificate '
              . '/etc/ssl/certs/ca-certificates.crt;',
    trusted_off => 'flowdash_ssl_trusted_certificate off;',
    both => 'flowdash_ssl_trusted_certificate both.pem;',
    both_other => 'flowdash_ssl_trusted_certificate both.pem;',
    self_trusted => 'flowdash_ssl_trusted_certificate self.pem;',
    self_wrong => 'flowdash_ssl_trusted_certificate good.pem;',
    breaks => 'flowdash_retry 2 error;',

    (map { ("verify_$_" => 'flowdash_ssl_verify off;') }
        qw(good expired self wrong_host other)),

    mtls_none => '',
    mtls_inherited => '',
    mtls_off => 'flowdash_ssl_certificate off;',
    mtls_a => pair('client_a'),
    mtls_b => pair('client_b'),
    mtls_other => pair('client_other'),
    mtls_chain => pair('chain', 'client_chain'),
    mtls_file => pair('client'),
    (map { ("refused${_}_expired" => pair('client_expired'),
            "refused${_}_other" => pair('client_other'),
            "refused${_}_a" => pair('client_a')) } 2, 3),
    refused3_none => '',
    closed_a => pair('client_a'),
    closed_none => '',

    default_tls12 => '',
    default_tls13 => '',
    default_tls11 => 'flowdash_retry off;',
    tls12_tls12 => 'flowdash_ssl_protocols TLSv1.2;',
    tls12_tls13 => 'flowdash_retry off; flowdash_ssl_protocols TLSv1.2;',
    tls12_good => 'flowdash_ssl_protocols TLSv1.2;',
    tls13_tls12 => 'flowdash_retry off; flowdash_ssl_protocols TLSv1.3;',
    tls13_tls13 => 'flowdash_ssl_protocols TLSv1.3;',
    tls13_good => 'flowdash_ssl_protocols TLSv1.3;',
    all_tls12 => 'flowdash_ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;',

    pin_right => "flowdash_ssl_pinned_key $pin;",
    pin_wrong => "flowdash_ssl_pinned_key $pin_other;",
    pin_first => "flowdash_ssl_pinned_key $pin $pin_other;",
    pin_second => "flowdash_ssl_pinned_key $pin_other $pin;",
    pin_off_right => "flowdash_ssl_verify off; flowdash_ssl_pinned_key $pin;",
    pin_off_wrong => "flowdash_ssl_verify off;
                      flowdash_ssl_pinned_key $pin_other;",
    pin_self => "flowdash_ssl_pinned_key " . pin($t, 'self') . ';',

    trusted_file => 'flowdash_ssl_trusted_certificate trusted.pem;',
    (map { ("resumed_tls12_$_" => 'flowdash_ssl_protocols TLSv1.2;',
            "resumed_tls13_$_" => '') } 1, 2),
    unlike_a => pair('client_a'),
    unlike_b => pair('client_b'),
);

my %to = (
    (map { $_ => 'good' } qw(system trusted_off both verify_good tls12_good
                             tls13_good),
        grep { /^pin/ } keys %step),
    both_other => 'other', self_trusted => 'self', self_wrong => 'self',
    pin_self => 'self', trusted_file => 'stranger',
    (map { ("verify_$_" => $_) } qw(expired self wrong_host other)),
    (map { $_ => 'mtls' } grep { /^mtls/ } keys %step),
    (map { $_ => 'resumed' } grep { /^resumed/ } keys %step),
    (map { /^refused(\d)/ ? ($_ => "refuses$1") : () } keys %step),
    closed_a => 'closes', closed_none => 'closes',
    unlike_a => 'asks', unlike_b => 'asks',
    map { /_(tls1\d)$/ ? ($_ => $1) : () } keys %step,
);

# what the location says, and the step may take back

my %outer = map { $_ => pair('client_a') } qw(mtls_inherited mtls_off);

sub pair {
    my ($certificate, $key) = (@_, @_);
    return "flowdash_ssl_certificate $certificate.pem;
            flowdash_ssl_certificate_key $key.key;";
}

sub step {
    my ($name, $set) = @_;
    my $to = $to{$name} // $name;
    return <<"EOC";
        location = /$name {
            flowdash_action "Do";
            @{[ $outer{$name} // '' ]}
            flowdash_step "$name" {
                $set
                flowdash_call https://127.0.0.1:%%PORT_$to%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
EOC
}

sub endpoint {
    my ($name, $certificate, $set) = @_;
    return <<"EOC";
    server {
        listen 127.0.0.1:%%PORT_$name%% ssl;
        ssl_certificate $certificate.pem;
        ssl_certificate_key $certificate.key;
        access_log %%DIR%%/endpoint.log endpoint;
        @{[ $set // '' ]}
        location / { return 204; }
    }
EOC
}

my $locations = join '', map { step($_, $step{$_}) } sort keys %step;
my $endpoints = join '',
    (map { endpoint($_, $_) } qw(good expired self wrong_host other)),
    endpoint('mtls', 'good', 'ssl_client_certificate ca.pem;
                              ssl_verify_client on; ssl_verify_depth 2;'),
    endpoint('asks', 'good', 'ssl_client_certificate ca.pem;
                              ssl_verify_client on; keepalive_timeout 0;
                              ssl_session_cache shared:asks:1m;'),
    endpoint('tls11', 'good', 'ssl_protocols TLSv1 TLSv1.1;
                               ssl_ciphers DEFAULT@SECLEVEL=0;'),
    endpoint('tls12', 'good', 'ssl_protocols TLSv1.2;'),
    endpoint('tls13', 'good', 'ssl_protocols TLSv1.3;'),
    endpoint('stranger', 'good', 'keepalive_timeout 0;
                                  ssl_session_tickets off;'),
    endpoint('resumed', 'good', 'keepalive_timeout 0;
                                 ssl_session_cache shared:resumed:1m;');

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%

    log_format flow '\$uri|\$status|\$flowdash_error|\$flowdash_step_status';
    log_format endpoint '\$server_port|\$status|\$ssl_protocol|'
                        '\$ssl_session_reused|\$ssl_client_s_dn|'
                        '\$connection|\$ssl_client_verify';

    flowdash_retry 2;
    flowdash_timeout 300s;
    flowdash_deadline 600s;
    flowdash_connect_timeout 100s;
    flowdash_ssl_trusted_certificate ca.pem;
    ssl_protocols TLSv1.2 TLSv1.3;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        access_log %%DIR%%/flow.log flow;
        $locations
    }

    server {
        listen 127.0.0.1:%%PORT_app%%;
        access_log off;
        location / { return 200 stored; }
    }

    $endpoints
}
EOC

$t->run;


# what a call came to, and what the endpoint has logged of it

my ($flow, $endpoint) = (0, 0);

sub call {
    my ($name) = @_;
    my $status = $t->post_json("/$name", '{}')->{status};
    my $lines;

    $t->wait_for(sub {
        $lines = substr $t->read_file('flow.log') // '', $flow;
        return $lines =~ /\n/;
    });
    $flow += length $lines;

    my ($error, $tries) = $lines =~ m{^/$name\|$status\|(.*)\|(.*)\n$};
    return join ' ', $status, grep { ($_ // '') ne '' } $error, $tries;
}

sub endpoint_logged {
    my ($n) = (@_, 1);
    my @lines;

    $t->wait_for(sub {
        @lines = (substr $t->read_file('endpoint.log') // '', $endpoint)
            =~ /(.*\n)/g;
        return @lines >= $n;
    });
    $endpoint += length join '', @lines;

    return map { chomp; my %line;
        @line{qw(port status protocol reused client connection verify)}
            = split /\|/;
        \%line } @lines;
}

sub accepted { is(call($_[0]), '200 - 204', $_[1]) }
sub refused { is(call($_[0]), '502 tls 502', $_[1]) }


# certificates

accepted('good', 'a certificate of an authority that is trusted');
refused('expired', 'one that has expired');
refused('self', 'one that has signed itself');
refused('wrong_host', 'one of another host');
refused('other', 'one of another authority');
refused('system', 'one of none of the system\'s authorities');
refused('trusted_off', 'these, instead of what is inherited');
accepted('both', 'a file of several authorities: the second');
accepted('both_other', 'a file of several authorities: the first');
accepted('self_trusted', 'one that has signed itself, and is trusted');
refused('self_wrong', 'one that has signed itself, another is trusted');

unlike($t->error_log, qr/attempt \d failed/, 'no certificate is tried twice');
is(call('breaks'), '502 tls 502, 502, 502',
   'a handshake that breaks off is repeated');

accepted("verify_$_", "verified by nobody: $_")
    for qw(good expired self wrong_host other);
refused($_, "what nobody has verified serves nobody else: $_")
    for qw(expired self wrong_host other);


# client certificates

$endpoint = length $t->read_file('endpoint.log');

is(call('mtls_none'), '502 status 400', 'no client certificate');
is((endpoint_logged())[0]{verify}, 'NONE', 'as the endpoint sees it');

accepted('mtls_a', 'a client certificate');
is((endpoint_logged())[0]{client}, 'CN=client a,O=Test', 'its subject');

accepted('mtls_inherited', 'one that is inherited');
is((endpoint_logged())[0]{client}, 'CN=client a,O=Test', 'its subject');

is(call('mtls_off'), '502 status 400', 'one that is not to be inherited');
is((endpoint_logged())[0]{verify}, 'NONE', 'as the endpoint sees it');

accepted('mtls_b', 'another client certificate');
is((endpoint_logged())[0]{client}, 'CN=client b,O=Test', 'its own subject');

accepted('mtls_chain', 'a client certificate with an intermediate one');
is((endpoint_logged())[0]{client}, 'CN=in between', 'its subject');

is(call('mtls_other'), '502 status 400', 'one of an unknown authority');
is((endpoint_logged())[0]{verify} =~ /^FAILED/, 1, 'as the endpoint sees it');

is(call('mtls_none'), '502 status 400', 'no connection is borrowed');
endpoint_logged();

for my $name (qw(a b a b)) {
    call("unlike_$name");
    is((endpoint_logged())[0]{client}, "CN=client $name,O=Test",
        "no session is borrowed: $name");
}


# Refused by an alert, which in TLS 1.3 comes after the handshake; and by an
# endpoint that closes, so that there is nothing to be sure of.

for my $version (2, 3) {
    accepted("refused${version}_a", "TLS 1.$version: one that is not refused");

    for ([ expired => 'certificate expired' ], [ other => 'unknown ca' ]) {
        my ($name, $alert) = @$_;
        refused("refused${version}_$name", "TLS 1.$version: $name, once");
        like($t->error_log, qr/failed on step "refused${version}_$name": tls, (?#
             )the endpoint refused the gateway's certificate: [^\n]*(?#
             )alert $alert/, 'the log says so');
    }
}

refused('refused3_none', 'TLS 1.3: none, once');
like($t->error_log, qr/failed on step "refused3_none": tls, the endpoint (?#
     )requires a certificate of the gateway \(flowdash_ssl_certificate\): [^\n]*(?#
     )alert certificate required/, 'the log says so');

is(call("closed_$_"), '502 connect 502, 502, 502', "closed, $_") for qw(a none);
like($t->error_log, qr/failed on step "closed_a": connect, [^\n]*; has (?#
     )flowdash_ssl_certificate expired\?, called/, 'it is asked for');
unlike($t->error_log, qr/"closed_none": [^\n]*expired/, 'where there is one');


# protocols

$endpoint = length $t->read_file('endpoint.log');

accepted('default_tls12', 'TLSv1.2 by default');
accepted('default_tls13', 'TLSv1.3 by default');
accepted('tls12_tls12', 'TLSv1.2 only, where there is nothing else');
accepted('tls12_good', 'TLSv1.2 only, where there is more');
accepted('tls13_tls13', 'TLSv1.3 only, where there is nothing else');
accepted('tls13_good', 'TLSv1.3 only, where there is more');
accepted('all_tls12', 'all of them');
is(join(' ', map { $_->{protocol} } endpoint_logged(7)),
   join(' ', map { "TLSv1.$_" } 2, 3, 2, 2, 3, 3, 2), 'as the endpoint says');

refused($_, "$_ does not match")
    for qw(tls12_tls13 tls13_tls12 default_tls11);
is(scalar endpoint_logged(0), 0, 'and nothing was sent');

like(openssl($t, 's_client', '-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0',
             '-connect', '127.0.0.1:' . $t->port('tls11')),
     qr/Protocol *: TLSv1\.1/, 'although the endpoint has TLSv1.1');


# pinned keys

accepted('pin_right', 'the pinned key');
refused('pin_wrong', 'another key');
accepted('pin_first', 'the first of two pinned keys');
accepted('pin_second', 'the second of two pinned keys');
accepted('pin_off_right', 'the pinned key, the certificate not verified');
refused('pin_off_wrong', 'another key, the certificate not verified');
refused('pin_self', 'the pinned key in a certificate that is not trusted');


# sessions, of a whole worker's

for my $protocol (qw(tls12 tls13)) {
    $endpoint = length $t->read_file('endpoint.log');
    call("resumed_${protocol}_$_") for (1, 2) x 10;

    my @lines = endpoint_logged(20);
    my %connections = map { $_->{connection} => 1 } @lines;

    is(scalar keys %connections, 20, "$protocol: a connection for each call");
    is(join('', map { $_->{reused} } @lines), '.' . 'r' x 19,
       "$protocol: all but the first take up the session");
}


# files that were replaced

$endpoint = length $t->read_file('endpoint.log');

accepted('trusted_file', 'a trusted authority');
copy('other_ca.pem', 'trusted.pem');
accepted('trusted_file', 'replaced: the old one, until nginx reloads');

call('mtls_file');
copy("client_b.$_", "client.$_") for qw(pem key);
call('mtls_file');

$t->reload;

refused('trusted_file', 'the new one after it');
call('mtls_file');
is(join(' ', map { $_->{client} =~ /CN=client (\w)/ } endpoint_logged(5)),
   'a a b', 'a client certificate likewise');

copy("client_a.$_", "client.$_") for qw(key);
$t->signal('HUP');
$t->wait_for(sub { $t->error_log =~ /must be a pair in PEM/ });
like($t->error_log, qr/\[emerg\].*must be a pair in PEM/,
     'half of a pair is not taken');
call('mtls_file');
like((endpoint_logged())[0]{client}, qr/client b/, 'and it goes on');
$t->allow_log(qr/must be a pair in PEM|SSL_CTX_use_PrivateKey|key values mis/);


# nginx -t

my $call = 'flowdash_call https://127.0.0.1:%%PORT_good%%/;';

sub conf {
    my ($step, $location) = @_;
    return "location / { flowdash_action A; @{[ $location // '' ]}
            flowdash_step S { $step } empty_gif; }";
}

sub outer { return "$_[0] server { listen 127.0.0.1:%%PORT_http%%; $_[1] }" }

my ($a, $b) = map { pair("client_$_") } qw(a b);
my ($a_pem, $a_key) = split /\n/, $a;

$t->conf_ok(conf("$a $call"), 'a pair');
$t->conf_ok(conf("flowdash_ssl_certificate chain.pem;
                  flowdash_ssl_certificate_key client_chain.key; $call"),
            'a pair with an intermediate certificate');
$t->conf_fails(conf("$a_pem $call"),
    qr/"flowdash_step" "S": "flowdash_ssl_certificate" and (?#
    )"flowdash_ssl_certificate_key" must both be set/, 'no key');
$t->conf_fails(conf("$a_key $call"), qr/must both be set/, 'no certificate');
$t->conf_fails(conf("flowdash_ssl_certificate client_b.pem; $a_key $call"),
    qr/"flowdash_step" "S": .* must be a pair in PEM/, 'no pair');
$t->conf_fails(conf("$a_pem flowdash_ssl_certificate_key none.key; $call"),
    qr/none\.key" failed .*No such file/, 'a key that is not there');
$t->conf_fails(conf("flowdash_ssl_certificate none.pem; $a_key $call"),
    qr/none\.pem" failed .*No such file/, 'a certificate that is not there');
$t->conf_fails(conf("flowdash_ssl_certificate client_a.key; $a_key $call"),
    qr/must be a pair in PEM/, 'a key as a certificate');
$t->conf_fails(conf("$a_pem $a_pem $a_key $call"), qr/is duplicate/, 'twice');
$t->conf_fails(conf("flowdash_ssl_certificate off; $a_key $call"),
    qr/must both be set/, 'off, and a key');
$t->conf_fails(conf("$a_pem flowdash_ssl_certificate_key off; $call"),
    qr/off" failed .*No such file/, 'no key is "off"');
$t->conf_fails(conf("flowdash_ssl_certificate off; $a_pem $a_key $call"),
    qr/is duplicate/, 'off and on');

my ($ok, $output) = $t->test_config(conf(pair('client_locked') . $call));
ok(!$ok, 'a key with a password');
like($output, qr/the key without a password/, 'what is said of it');
unlike($output, qr/pass phrase:|did not end/i, 'nobody is asked for it');

$t->conf_ok(outer($a, conf($call)), 'a pair of http');
$t->conf_ok(outer($a, conf("$b $call")), 'another in the step');
$t->conf_ok(outer(pair('client_locked'), conf("$b $call")),
            'one that no step uses may be wrong');
$t->conf_fails(outer($a, conf("flowdash_ssl_certificate client_b.pem; $call")),
    qr/must both be set/, 'a pair is inherited as a whole: certificate');
$t->conf_fails(outer($a, conf(
    "flowdash_ssl_certificate_key client_b.key; $call")),
    qr/must both be set/, 'a pair is inherited as a whole: key');
$t->conf_fails(outer($a_pem, conf($call, $a_key)), qr/must both be set/,
    'nor is it put together of two levels');

$t->conf_fails(conf("flowdash_ssl_trusted_certificate client_a.key; $call"),
    qr/invalid value|with certificates in PEM is expected/,
    'no certificate to trust');
$t->conf_fails(conf("flowdash_ssl_trusted_certificate none.pem; $call"),
    qr/none\.pem/, 'a certificate to trust that is not there');

$t->conf_ok(conf("flowdash_ssl_protocols $_; $call"), "protocols $_")
    for 'TLSv1.2', 'TLSv1.3', 'TLSv1.3 TLSv1.2', 'TLSv1.1 TLSv1.2',
        'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3';
$t->conf_fails(conf("flowdash_ssl_protocols $_; $call"),
    qr/"flowdash_ssl_protocols" must not leave out/, "a gap: $_")
    for 'TLSv1.1 TLSv1.3', 'TLSv1 TLSv1.2', 'TLSv1 TLSv1.1 TLSv1.3';
$t->conf_fails(conf("flowdash_ssl_protocols $_; $call"), qr/invalid value/,
    "protocols $_") for 'SSLv3', 'TLSv1.4', 'TLSv1.2 tls';

my $hash = 'A' x 43 . '=';
$t->conf_ok(conf("flowdash_ssl_pinned_key sha256//$hash; $call"), 'a pin');
$t->conf_fails(conf("flowdash_ssl_pinned_key $_; $call"),
    qr/(?:invalid (?:value|number)|is expected|is duplicate)/, "no pin: $_")
    for 'good.pem', 'sha256//', "sha256/$hash", "sha1//$hash", $hash, '""',
        "sha256//A$hash", 'sha256//' . 'A' x 42 . '==', "sha256//'$hash",
        'sha256//' . '!' x 43 . '=', "sha256//$hash sha256//",
        "'sha256//$hash;sha256//$hash'",
        "sha256//$hash; flowdash_ssl_pinned_key sha256//$hash";

$t->done;
