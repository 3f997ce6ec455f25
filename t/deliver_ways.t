# Undos and after-steps are called as steps are: through flowdash_proxy, with a
# certificate of the gateway, and over HTTP/2.  All of this is of the
# configuration, with an outbox and without.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::Libcurl;
use Test::Flowdash::TLS;

use JSON::PP qw(decode_json);
use POSIX ();

my $t = Test::Flowdash->new(log_level => 'info');
my $dir = $t->dir;

authority($t, 'ca');
certificate($t, 'good', by => 'ca', names => 'DNS:localhost,IP:127.0.0.1');
certificate($t, 'client', by => 'ca', subject => '/CN=gateway');

$t->write_file("$_.log", '') for qw(proxy endpoint);
$t->server(proxy => sub {
    my ($listen) = @_;
    POSIX::dup2(fileno $listen, 0);
    exec 'node', "$FindBin::Bin/tool/proxy.js", "$dir/proxy.log", 'http';
});

$t->endpoint(hook => {});
$t->endpoint(app => sub ($req) {
    return { status => $req->{target} =~ /refused/ ? 422 : 204 };
});

# name => what the undo and the after-step have, and where they are called

my $proxy = 'flowdash_proxy http://127.0.0.1:%%PORT_proxy%%;';
my $pair = 'flowdash_ssl_certificate client.pem;
            flowdash_ssl_certificate_key client.key;';
my $tls = 'https://127.0.0.1:%%PORT_tls%%';

my %way = (
    proxy => [ $proxy, 'http://hook.invalid:%%PORT_plain%%' ],
    tunnel => [ "$proxy $pair", 'https://localhost:%%PORT_tls%%' ],
    certificate => [ $pair, $tls ],
);
$way{http2} = [ "$pair flowdash_http_version 2;", $tls ]
    if libcurl_does_http2();

my $locations = join '', map {
    my ($set, $url) = @{ $way{$_} };
    <<"EOC";
        location = /$_ {
            flowdash_action "Do";
            flowdash_step "S" {
                flowdash_call http://127.0.0.1:%%PORT_hook%%/step;
                flowdash_undo { flowdash_call $url/undo/$_; $set }
            }
            flowdash_after "A" { flowdash_call $url/after/$_; $set }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
EOC
} sort keys %way;

sub config ($outbox) {
    return <<"EOC";
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    log_format endpoint '\$request_uri|\$server_protocol|\$ssl_client_s_dn|'
                        '\$ssl_client_verify|\$status';
    $outbox
    flowdash_user id "ann";
    flowdash_ssl_trusted_certificate ca.pem;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        $locations
    }

    server {
        listen 127.0.0.1:%%PORT_plain%%;
        listen 127.0.0.1:%%PORT_tls%% ssl http2;
        ssl_certificate good.pem;
        ssl_certificate_key good.key;
        ssl_client_certificate ca.pem;
        ssl_verify_client optional;
        access_log %%DIR%%/endpoint.log endpoint;
        location / { proxy_pass http://127.0.0.1:%%PORT_hook%%; }
    }
}
EOC
}

# the endpoint's line of a path; undef: it was not called

sub line ($path) {
    my $line;
    $t->wait_for(sub {
        ($line) = $t->read_file('endpoint.log') =~ /^\Q$path\E\|(.*)/m;
    });
    return $line;
}

# what the proxy was asked for

sub asked {
    return join ' ', map { decode_json($_)->{target} // '' }
        split /\n/, $t->read_file('proxy.log');
}

for my $outbox ('flowdash_outbox %%DIR%%/outbox fsync=off;', '') {
    my $name = $outbox ? 'an outbox' : 'memory';

    $t->config(config($outbox));
    $t->run;

    for my $way (sort keys %way) {
        truncate "$dir/$_.log", 0 for qw(proxy endpoint);

        for my $what (qw(after undo)) {

            my $refused = $what eq 'undo' ? '?refused' : '';
            $t->post_json("/$way$refused", '{"task":{}}');

            my ($version, $subject, $verified, $status)
                = split /\|/, line("/$what/$way") // '';
            is($status, 200, "$name, $way: $what is called");
            is($version, $way eq 'http2' ? 'HTTP/2.0' : 'HTTP/1.1',
               "... $version");

            if ($way ne 'proxy') {
                is("$subject $verified", 'CN=gateway SUCCESS',
                   '... with the certificate of the gateway');
            }
        }

        # a tunnel may be kept

        my $port = $t->port('tls');
        my %asked = (
            proxy => qr{^http://hook\.invalid:\d+/after/proxy[ ]
                         http://hook\.invalid:\d+/undo/proxy$}x,
            tunnel => qr{^localhost:$port( localhost:$port)?$},
        );
        like(asked(), $asked{$way} // qr/^$/, "$name, $way: by its way");
    }

    is($t->stop, '0', 'nginx stops');
}

$t->done;
