#!/usr/bin/perl

# flowdash_proxy: what proxies of each kind are asked for, and with which
# credentials; how calls through them fail; what "nginx -t" says.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use JSON::PP qw(decode_json);
use MIME::Base64 qw(encode_base64);
use POSIX ();

use Test::Flowdash::TLS;

my $t = Test::Flowdash->new;
my $dir = $t->dir;

authority($t, $_) for qw(ca other_ca);
certificate($t, 'good', by => 'ca', names => 'DNS:crm.invalid,DNS:localhost');
certificate($t, 'other', by => 'other_ca', names => 'DNS:localhost');

my $secret = 'open:sesame';
$t->write_file('user', "me:$secret\n");
$t->write_file('wrong', 'me:barley');
$t->write_file('other_user', 'you:simsim');
chmod 0600, map { "$dir/$_" } qw(user wrong other_user);


# t/tool/proxy.js in one of its modes, and endpoints that no resolver knows

sub proxy {
    my ($name, @arguments) = @_;

    $t->write_file("$name.log", '');
    $t->server($name => sub {
        my ($listen) = @_;
        POSIX::dup2(fileno $listen, 0);
        exec 'node', "$FindBin::Bin/tool/proxy.js", "$dir/$name.log",
            @arguments;
    });
}

proxy('http_proxy', 'http');
proxy('http_second', 'http');
proxy('http_auth', 'http', "me:$secret");
proxy('https_proxy', 'https', "$dir/good.pem", "$dir/good.key");
proxy('https_other', 'https', "$dir/other.pem", "$dir/other.key");
proxy('socks', 'socks5');
proxy('socks_second', 'socks5');
proxy('socks_auth', 'socks5', "me:$secret");

$t->endpoint(crm => sub {
    my ($request) = @_;
    my ($status) = $request->{target} =~ m{/(\d+)$};
    return { status => $status, body => '{"task":{"f":"new"}}' };
});
$t->endpoint(app => { body => 'stored' });

my $http = 'http://crm.invalid:%%PORT_crm%%';
my $https = 'https://crm.invalid:%%PORT_tls%%';
my $here = '127.0.0.1';

my @locations = (
    [ http => 'http_proxy', 'http' ],
    [ https => 'https_proxy', 'https', '', 'localhost' ],
    [ https_other => 'https_other', 'https', '', 'localhost' ],
    [ https_unverified => 'https_other', 'https', 'flowdash_ssl_verify off;',
      'localhost' ],
    [ socks => 'socks', 'socks5' ],
    [ socksh => 'socks', 'socks5h' ],
    [ resolver => 'socks', 'socks5', "resolver $here:%%PORT_nobody%%;" ],
    [ auth => 'http_auth', 'http', '', $here, ' file:user' ],
    [ auth_wrong => 'http_auth', 'http', '', $here, ' file:wrong' ],
    [ auth_none => 'http_auth', 'http' ],
    [ auth_retry => 'http_auth', 'http', 'flowdash_retry 1;' ],
    [ socks_auth_retry => 'socks_auth', 'socks5', 'flowdash_retry 1;' ],
    [ socks_auth => 'socks_auth', 'socks5', '', $here, ' file:user' ],
    [ socks_auth_wrong => 'socks_auth', 'socks5', '', $here, ' file:wrong' ],
    [ socks_auth_none => 'socks_auth', 'socks5' ],
    [ any_one => 'http_proxy', 'http', '', $here, ' file:user' ],
    [ any_two => 'http_proxy', 'http', '', $here, ' file:other_user' ],
    [ down => 'nobody', 'http' ],
    [ unknown => 'http_proxy', 'http', '', 'proxy.invalid' ],
    [ socks_down => 'nobody', 'socks5' ],
    [ small => 'http_second', 'http', 'flowdash_max_response_size 1k;
                                       flowdash_retry 1 503;' ],
);

sub location {
    my ($name, $url, $set) = @_;
    return <<"EOC";
        location ~ ^/$name/(?<code>\\d+)\$ {
            flowdash_action "Do";
            flowdash_step "S" {
                $set
                flowdash_call $url/hook/\$code;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
EOC
}

my $locations = '';

for my $location (@locations) {
    my ($name, $port, $scheme, $set, $host, $file) = @$location;
    $_ //= '' for $set, $file;
    $host ||= $here;
    $set .= "flowdash_proxy $scheme://$host:%%PORT_$port%%$file;";
    $locations .= location("$name/plain", $http, $set)
        . location("$name/tls", $https, $set);
}

my $nowhere = "$here:%%PORT_nobody%%";
my $local = "http://$here:%%PORT_crm%%";
my $socks = "flowdash_proxy socks5://$here:%%PORT_socks_second%%;";

$t->config(<<"EOC");
%%GLOBALS%%
env http_proxy=http://$nowhere;
env https_proxy=http://$nowhere;
env HTTPS_PROXY=http://$nowhere;
env ALL_PROXY=socks5h://$nowhere;
env all_proxy=socks5h://$nowhere;
env no_proxy=*;
env NO_PROXY=*;

events { }
http {
    %%HTTP_GLOBALS%%

    log_format flow '\$uri|\$status|\$flowdash_error|\$flowdash_step_status';

    flowdash_set_header Authorization "Bearer for-the-endpoint";
    flowdash_ssl_trusted_certificate ca.pem;
    flowdash_timeout 100s;
    flowdash_proxy http://$here:%%PORT_http_proxy%%/;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        access_log %%DIR%%/flow.log flow;

        $locations
        @{[ location('inherited', $http, '') ]}
        @{[ location('off', $local, 'flowdash_proxy off;') ]}
    }

    server {
        listen 127.0.0.1:%%PORT_second%%;
        access_log %%DIR%%/flow.log flow;
        $socks

        @{[ location('inherited', $http, '') ]}
        @{[ location('own', $http,
                     "flowdash_proxy http://$here:%%PORT_http_proxy%%;") ]}
    }

    server {
        listen 127.0.0.1:%%PORT_third%%;
        access_log %%DIR%%/flow.log flow;
        flowdash_proxy off;

        @{[ location('inherited', $local, '') ]}
        @{[ location('tls', "https://localhost:%%PORT_tls%%", '') ]}
    }

    server {
        listen 127.0.0.1:%%PORT_tls%% ssl;
        ssl_certificate good.pem;
        ssl_certificate_key good.key;
        access_log off;
        location / { proxy_pass http://127.0.0.1:%%PORT_crm%%; }
    }
}
EOC

$t->run;


# what a call came to, what the proxy was asked, and what the endpoint got

my (%read, @asked, @got);

sub lines {
    my ($file) = @_;
    my @lines = (substr $t->read_file($file) // '', $read{$file} // 0)
        =~ /(.*\n)/g;
    $read{$file} += length join '', @lines;
    return @lines;
}

sub call {
    my ($uri, $proxy, $port) = @_;
    my @lines;

    lines("$proxy.log") if $proxy;
    $t->clear_requests('crm');
    $t->clear_requests('app');

    $t->post_json($uri, '{"task":{"f":"old"}}', port => $port // 'http');
    $t->wait_for(sub { @lines = lines('flow.log') });

    @asked = map { decode_json($_) } $proxy ? lines("$proxy.log") : ();
    @got = $t->requests('crm');

    my ($flow) = map { m{^\Q$uri\E\|(.*)} ? $1 : () } @lines;
    return join ' ', grep { $_ ne '-' } split /\|/, $flow // 'nothing logged';
}

sub passes {
    my ($uri, $proxy, $name, $port) = @_;
    is(call($uri, $proxy, $port), '200 200', $name);
    my $app = $t->only_request('app');
    is($app->{json}{task}{f}, 'new', "$name: the answer is read");
}

my $crm = 'crm.invalid:' . $t->port('crm');
my $tls = 'crm.invalid:' . $t->port('tls');


my $basic = 'Basic ' . encode_base64("me:$secret", '');
my $other = 'Basic ' . encode_base64('you:simsim', '');


# a tunnel belongs to its user; the one without a user is next

for ([ any_one => $basic ], [ any_two => $other ]) {
    my ($name, $credentials) = @$_;
    call("/$name/tls/200", 'http_proxy');
    is($asked[0]{headers}{'proxy-authorization'}, $credentials,
       "a tunnel for $name");
    is(call("/$name/tls/200", 'http_proxy'), '200 200', 'and once more');
    is(scalar @asked, 0, 'through the same tunnel');
}


# an http proxy

passes('/http/plain/200', 'http_proxy', 'http://');
is("$asked[0]{by} $asked[0]{target}", "absolute http://$crm/hook/200",
   'the absolute form');
is($asked[0]{headers}{host}, $crm, 'and the Host of the endpoint');
is($asked[0]{headers}{'proxy-authorization'}, undef, 'no credentials');
is(header($got[0], 'Authorization'), 'Bearer for-the-endpoint',
   'the headers are passed on');

passes('/http/tls/200', 'http_proxy', 'https://');
is("$asked[0]{by} $asked[0]{target}", "connect $tls", 'by CONNECT');
is(join(' ', grep { !/^(?:host|user-agent|proxy-connection)$/ }
             sort keys %{ $asked[0]{headers} }), '',
   'the proxy gets none of the headers');
is(header($got[0], 'Authorization'), 'Bearer for-the-endpoint',
   'the endpoint does');

is(call('/http/tls/200', 'http_proxy'), '200 200', 'once more');
is(scalar @asked, 0, 'through the same tunnel');

# those of the endpoint, with and without TLS

is(call("/http/$_/503", 'http_proxy'), '502 status 503', "status, $_")
    for qw(plain tls);
is(call('/small/tls/503', 'http_second'), '502 status 503, 503',
   'headers of CONNECT are not the answer\'s: Retry-After, and their size');
is(scalar @asked, 1, 'a tunnel for both');


# an HTTPS proxy

passes("/https/$_/200", 'https_proxy', "$_ through https") for qw(plain tls);
is("$asked[0]{by} $asked[0]{target}", "connect $tls", 'by CONNECT');
is(call('/https_other/tls/200', 'https_other'), '502 tls 502',
   'a proxy that is not trusted');
is(call('/https_other/plain/200', 'https_other'), '502 tls 502',
   'a proxy that is not trusted, without TLS behind it');
is(scalar @asked, 0, 'and it is told nothing');
is(call('/https_unverified/tls/200', 'https_other'), '502 tls 502',
   'flowdash_ssl_verify is about the endpoint');


# a SOCKS proxy

for my $name (qw(socks socksh resolver)) {
    passes("/$name/plain/200", 'socks', "$name: http://");
    passes("/$name/tls/200", 'socks', "$name: https://");
    is($asked[0] ? "$asked[0]{type} $asked[0]{target}" : 'no tunnel',
       "name $tls", "$name: the proxy resolves the name")
        if $name eq 'socks';
}
call('/socks/plain/503', 'socks');
ok(!grep({ $_->{type} ne 'name' } @asked), 'never an address');


# credentials

for my $kind (qw(plain tls)) {
    passes("/auth/$kind/200", 'http_auth', "a user, $kind");
    is($asked[0]{headers}{'proxy-authorization'}, $basic,
       "as the proxy sees it, $kind");
    is(header($got[0], 'Proxy-Authorization'), undef, 'and nobody else');

    passes("/socks_auth/$kind/200", 'socks_auth', "a user, SOCKS, $kind");
    is($asked[0]{user}, 'me', "as the proxy sees it, SOCKS, $kind");
}

# without TLS, 407 is an answer like another

for my $name (qw(auth_wrong auth_none)) {
    is(call("/$name/plain/200", 'http_auth'), '502 status 407',
       "$name: plain");
    is(call("/$name/tls/200", 'http_auth'), '502 connect 502', "$name: TLS");
    is(call("/socks_$name/$_/200", 'socks_auth'), '502 connect 502',
       "$name: SOCKS, $_") for qw(plain tls);
    is(scalar @asked, 0, "$name: SOCKS, nothing is asked for");
}
is(scalar @got, 0, 'no call has come through');
is(call('/auth_retry/plain/200', 'http_auth'), '502 status 407',
   '407 is not repeated');
is(call('/auth_retry/tls/200', 'http_auth'), '502 connect 502',
   'nor is a refused CONNECT');
is(call('/socks_auth_retry/plain/200', 'socks_auth'), '502 connect 502, 502',
   'a refusal by a SOCKS proxy is');

my $log = $t->error_log;
my $encoded = join '|', map { s/^Basic //r } $basic, $other;
unlike($log, qr/sesame|$encoded|barley|simsim/,
       'no password in the log, not even for debugging');
like($log, qr/\[debug\]/, 'which is on');


# proxies that cannot be used

my $logged = length $t->error_log;

for my $kind (qw(plain tls)) {
    is(call("/down/$kind/200"), '502 connect 502', "down, $kind");
    is(call("/socks_down/$kind/200"), '502 connect 502', "down, SOCKS, $kind");
    is(call("/unknown/$kind/200"), '502 resolve 502', "no such host, $kind");
}

my @named = substr($t->error_log, $logged)
    =~ m{failed on step .*, proxy (\w+)://[\w.]+:\d+: .*, called}g;
is("@named", 'http socks5h http http socks5h http', 'the log names the proxy');


# inheritance, and the environment, which has only proxies that are down

passes('/inherited/200', 'http_proxy', 'a proxy of http');
is($asked[0]{by}, 'absolute', 'is used');
passes('/off/200', 'http_proxy', 'off in the step');
is(scalar @asked, 0, 'is heeded');
passes('/inherited/200', 'socks_second', 'a proxy of the server', 'second');
is($asked[0]{by}, 'socks5', 'is used');
passes('/own/200', 'http_proxy', 'a proxy of the step', 'second');
is($asked[0]{by}, 'absolute', 'is used');
passes('/inherited/200', 'http_proxy', 'off in the server', 'third');
is(scalar @asked, 0, 'is heeded');
passes('/tls/200', 'http_proxy', 'off, with TLS', 'third');
is(scalar @asked, 0, 'is heeded');


# nginx -t

sub conf {
    my ($proxy, $step, $call) = @_;
    $call //= 'http://crm.invalid/';
    return "location / { flowdash_action A; flowdash_step S {
            $proxy @{[ $step // '' ]} flowdash_call $call; } empty_gif; }";
}

$t->conf_ok(conf("flowdash_proxy $_;"), $_) for qw(http://proxy:3128
    https://proxy:443 socks5://proxy:1080 socks5h://proxy:1080 off
    http://[::1]:3128 http://127.0.0.1:3128/ HTTP://proxy:3128);

my $schemes = qr/must start with "http:\/\/", "https:\/\/", "socks5:\/\/" or/;
my $host = qr/a proxy is written as its host and port/;

$t->conf_fails(conf("flowdash_proxy $_;"),
    qr/invalid "\Q$_\E" in "flowdash_proxy": .*$schemes/,
    "scheme: $_") for qw(proxy:3128 ftp://proxy:21 socks4://proxy:1080 http:
                         socks://proxy:1080 //proxy:3128 on http://);
$t->conf_fails(conf("flowdash_proxy $_;"), $host, "not host and port: $_")
    for qw(http://proxy https://proxy socks5://proxy http://proxy:3128/path
           http://proxy/ http://proxy:3128// http:///proxy:3128
           http://proxy:3128?a http://proxy:3128/?a http://proxy:3128/a/);
$t->conf_fails(conf("flowdash_proxy $_;"), qr/"flowdash_proxy"/,
    "no host: $_") for qw(http://:3128 http://proxy:99999 http://proxy:x);

for my $url (qw(http://me:sesame@proxy:3128 socks5://me:sesame@proxy:1080
                sesame@proxy:3128 http://sesame%40@proxy:3128))
{
    my ($ok, $output) = $t->test_config(conf("flowdash_proxy $url;"));
    ok(!$ok, 'a user in the URL');
    like($output, qr/a user in the URL of "flowdash_proxy".*"file:\/path"/,
         'what is said of it');
    unlike($output, qr/sesame/, 'without the password');
}

sub file {
    my ($name, $content, $mode) = @_;
    $t->write_file($name, $content);
    chmod $mode // 0600, "$dir/$name";
    return conf("flowdash_proxy http://proxy:3128 file:$name;");
}

$t->conf_ok(file('a', "me:pass word\n"), 'a file');
$t->conf_ok(file('b', "me:\n"), 'an empty password');
$t->conf_ok(conf("flowdash_proxy http://proxy:3128 file:$dir/a;"),
            'a file with its path');
$t->conf_fails(conf('flowdash_proxy http://proxy:3128 file:none;'),
    qr/none" failed .*No such file/, 'a file that is not there');
$t->conf_fails(conf('flowdash_proxy http://proxy:3128 file:;'),
    qr/invalid second parameter of "flowdash_proxy"/, 'a file without a name');

for my $content ('sesame', '', "\n", ':sesame', "me:sesame\nyou:sesame\n") {
    my ($ok, $output) = $t->test_config(file('c', $content));
    ok(!$ok, 'a file with something else');
    like($output, qr{/c" of "flowdash_proxy": one line, "user:password"},
         'what is said of it');
    unlike($output, qr/sesame/, 'without what is in it');
}

my ($ok, $output) = $t->test_config(
    conf('flowdash_proxy http://proxy:3128 me:sesame;'));
ok(!$ok, 'user and password themselves');
unlike($output, qr/sesame/, 'are not shown');

chmod 0711, $dir;
($ok, $output) = $t->test_config(file('d', 'me:sesame', 0644));
ok($ok, 'a file that others can read');
like($output, qr/\[warn\].*d" in "flowdash_proxy": (?#
    )all users can read the secret/, 'is warned of');

$t->conf_fails(conf('flowdash_proxy off off;'), qr/./, 'off with more');
$t->conf_fails(conf('flowdash_proxy off; flowdash_proxy off;'),
    qr/is duplicate/, 'twice');
$t->conf_fails(conf('flowdash_proxy http://proxy:3128;', '',
                    'http://unix:/run/crm.sock:/'),
    qr/a unix socket cannot be called through "flowdash_proxy"/,
    'a unix socket');
$t->conf_ok(conf('flowdash_proxy off;', '', 'http://unix:/run/crm.sock:/'),
            'a unix socket, without a proxy');

my $all = qr/would check only the address of "flowdash_proxy"/;
my $proxy = 'flowdash_proxy http://proxy:3128;';

$t->conf_fails(conf($proxy, $_), $all, "with $_")
    for 'flowdash_deny 10.0.0.0/8;', 'flowdash_deny unix:;',
        'flowdash_allow 10.0.0.0/8; flowdash_deny all;';
$t->conf_ok(conf($proxy, 'flowdash_allow all;'), 'with flowdash_allow all');
$t->conf_ok(conf('flowdash_proxy off;', 'flowdash_deny 10.0.0.0/8;'),
            'flowdash_deny without a proxy');
$t->conf_fails("$proxy server { listen 127.0.0.1:%%PORT_http%%;
                flowdash_deny 10.0.0.0/8; @{[ conf('') ]} }", $all,
               'of different levels');

$t->done;
