# A payload of 16k or more is sent in slices of the client's body, and so is the
# changed body: whatever sends them, and however often, all of it comes.

use FindBin;
use lib "$FindBin::Bin/lib";
use v5.36;
use Test::Flowdash;
use Test::Flowdash::Libcurl;
use Test::Flowdash::TLS;
use Test::Flowdash::TLSServer;

use Digest::SHA qw(hmac_sha256_base64 sha256_hex);
use FCGI;
use IO::Compress::Gzip qw(gzip);
use IO::Handle;
use JSON::PP;
use MIME::Base64 qw(encode_base64);

my $t = Test::Flowdash->new;
my $dir = $t->dir;

my @json = ('Content-Type' => 'application/json');
my $change = '{"task":{"Stage":"Done","New":[1]}}';

# answers with a change, if it is asked for one

sub answer ($request) {
    return { headers => \@json, body => $change }
        if $request->{target} =~ /change/;
    return { };
}

$t->endpoint($_ => \&answer) for qw(crm billing);
$t->endpoint($_) for qw(app copy);

# says 503 once

my $busy = 0;
$t->endpoint(busy => sub ($request) {
    return $busy++ % 2 ? { } : { status => 503 };
});

# A kept connection is closed before the payload is read, or in the middle of
# it; a new one gets an answer and stays.

my $ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

$t->raw_endpoint(dead => sub ($request, $n, %) {
    state %seen;
    return (send => $ok, then => 'next') if !$seen{$n}++;
    return (until => sub { -e "$dir/go" }, then => 'reset');
});

certificate($t, 'tls', names => 'IP:127.0.0.1');
$t->server(dead_tls => sub ($listen, $record) {
    serve_tls($listen, $record, sub ($request, $first, $tls) {
        return ($tls->seal($ok), 1) if $first;
        return $tls->alert;
    }, cert => "$dir/tls.pem", key => "$dir/tls.key");
});

$t->raw_endpoint(closing => 'close');

$t->server(fcgi => sub ($listen, $record) {
    my %env;
    my ($in, $out, $err) = (IO::Handle->new, IO::Handle->new, IO::Handle->new);
    my $request = FCGI::Request($in, $out, $err, \%env, fileno $listen);

    while ($request->Accept >= 0) {
        my $body = '';
        1 while read $in, $body, 65536, length $body;
        $record->(bless { %env, body => $body }, 'Test::Flowdash::Message');
        print $out "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n"
            . $change;
        $request->Finish;
    }
});

my $secret = 'x' x 30;
my $key = encode_base64($secret, '');

my %step = (
    call     => 'flowdash_call http://127.0.0.1:%%PORT_crm%%/change;',
    hidden   => 'flowdash_hide_field Secret "Value 7";
                 flowdash_call http://127.0.0.1:%%PORT_crm%%/change;',
    signed   => "flowdash_sign_key whsec_$key;
                 flowdash_call http://127.0.0.1:%%PORT_crm%%/change;",
    proxied  => 'proxy_pass http://127.0.0.1:%%PORT_crm%%/change;',
    fastcgi  => 'fastcgi_param CONTENT_LENGTH $content_length;
                 fastcgi_param REQUEST_METHOD POST;
                 fastcgi_pass 127.0.0.1:%%PORT_fcgi%%;',
    variable => 'proxy_set_body $request_body;
                 proxy_pass http://127.0.0.1:%%PORT_crm%%/change;',
    next     => 'proxy_next_upstream error non_idempotent;
                 proxy_pass http://servers/change;',
    busy     => 'flowdash_retry 1 503;
                 flowdash_call http://127.0.0.1:%%PORT_busy%%/;',
    dead     => 'flowdash_call http://127.0.0.1:%%PORT_dead%%/;',
    dead_tls => 'flowdash_call https://127.0.0.1:%%PORT_dead_tls%%/;',
);

# the endpoint behind an nginx that speaks HTTP/2

my $http2 = libcurl_does_http2() && 'http2';

$step{http2} = 'flowdash_http_version 2;
                flowdash_call https://127.0.0.1:%%PORT_https%%/change;'
    if $http2;

my %app = (
    plain      => 'proxy_set_header X-Digest $flowdash_task_digest;',
    decoded    => 'flowdash_decode on;',
    unbuffered => 'proxy_http_version 1.1; proxy_request_buffering off;',
    mirror     => 'mirror /copy;',
    file       => 'client_body_in_file_only clean;',
    chunked    => 'proxy_http_version 1.1;',
    variable   => 'proxy_set_body $request_body;',
);

my $locations = '';

for my $name (sort keys %step) {
    $locations .= "location /step/$name { flowdash_action Save;
        flowdash_step first { $step{$name} }
        flowdash_step second {
            proxy_pass http://127.0.0.1:%%PORT_billing%%; }
        proxy_pass http://127.0.0.1:%%PORT_app%%; }\n";
}

for my $name (sort keys %app) {
    $locations .= "location /app/$name { flowdash_action Save; $app{$name}
        flowdash_step first { $step{call} }
        proxy_pass http://127.0.0.1:%%PORT_app%%; }\n";
}

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%

    upstream servers {
        server 127.0.0.1:%%PORT_closing%% max_fails=0;
        server 127.0.0.1:%%PORT_crm%% backup;
    }

    flowdash_ssl_trusted_certificate tls.pem;
    flowdash_timeout 60s;
    client_max_body_size 8m;
    flowdash_max_fields_size 8m;
    flowdash_max_fields 10000;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        listen 127.0.0.1:%%PORT_https%% ssl http2;
        ssl_certificate tls.pem;
        ssl_certificate_key tls.key;

        $locations

        location = /change {
            proxy_pass http://127.0.0.1:%%PORT_crm%%;
        }

        location = /copy {
            internal;
            proxy_pass http://127.0.0.1:%%PORT_copy%%;
        }

        location /app/fallback {
            flowdash_action Save;
            flowdash_step first { $step{call} }
            error_page 502 = \@app;
            proxy_pass http://127.0.0.1:%%PORT_closing%%;
        }

        location \@app {
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /dry {
            flowdash_action Save;
            flowdash_dry_run 1;
            flowdash_step first { $step{call} }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }
}
EOC

$t->run;

# the members of a task of about so many octets: short fields, and long ones

sub members ($size) {
    my @members = ([ Stage => '"Open"' ], [ Secret => '"s"' ]);
    my $n = 0;

    while ($size > 0) {
        my $value = '"' . ('abc def ' x ($n % 5 == 3 ? 700 : 3)) . $n . '"';
        push @members, [ "Value $n", $value ];
        $size -= length $value;
        $n++;
    }
    return @members;
}

sub object (@members) {
    return '{' . join(',', map { "\"$_->[0]\":$_->[1]" } @members) . '}';
}

sub changed (@members) {
    return (map({ $_->[0] eq 'Stage' ? [ Stage => '"Done"' ] : $_ } @members),
            [ New => '[1]' ]);
}

my @user = ('"user":{"id":null,"email":null,"first_name":null,'
            . '"last_name":null}');

sub payload (@members) {
    return "{\"action\":\"Save\",@user,\"task\":" . object(@members) . '}';
}

sub same ($got, $wanted, $name) {
    ok($got eq $wanted, $name)
        or diag('got ' . length($got) . ', wanted ' . length($wanted));
}

# the members as a form

sub form (@members) {
    return join '&', map {
        my ($name, $value) = ($_->[0], $_->[1] =~ /"(.*)"/);
        "task%5B$name%5D=$value" =~ tr/ /+/r;
    } @members;
}

sub act ($uri, @members) {
    return $t->post_json($uri, ' {"task":' . object(@members) . ', "x": 1} ');
}

my $copies = 0;

for my $size (1000, 16_000, 30_000, 1_500_000) {
    my @members = members($size);
    my @changed = changed(@members);

    for my $name (qw(call hidden signed proxied fastcgi variable next),
                  $http2 || ())
    {
        is(act("/step/$name", @members)->{status}, 200, "$name, $size");

        my $to = $name eq 'fastcgi' ? 'fcgi' : 'crm';
        my $request = $t->only_request($to);
        my $wanted = payload($name ne 'hidden' ? @members
            : grep { $_->[0] !~ /^(?:Secret|Value 7)$/ } @members);

        same($request->{body}, $wanted, "$name, $size: the payload");
        is($name eq 'fastcgi' ? $request->{CONTENT_LENGTH}
           : $request->header('Content-Length'), length $wanted,
           "$name, $size: its length");

        if ($name eq 'signed') {
            my ($id, $time, $signature) = map { $request->header("webhook-$_") }
                qw(id timestamp signature);
            is($signature, 'v1,' . hmac_sha256_base64("$id.$time.$wanted",
                                                      $secret) . '=',
               "$name, $size: the signature");
        }

        $t->new_requests('closing') if $name eq 'next';

        same($t->only_request('billing')->{body}, payload(@changed),
             "$name, $size: the second payload");
        same($t->only_request('app')->{body},
             ' {"task":' . object(@changed) . ', "x": 1} ',
             "$name, $size: the changed body");
    }

    # sent more than once

    is(act('/step/busy', @members)->{status}, 200, "busy, $size");
    my @busy = $t->new_requests('busy');
    is(scalar @busy, 2, "busy, $size: two attempts");
    same($_->{body}, payload(@members), "busy, $size: the payload") for @busy;

    for my $name (qw(dead dead_tls)) {
        $t->write_file('go', '');
        is(act("/step/$name", @members)->{status}, 200,
           "$name, $size: a connection is kept");
        is(act("/step/$name", @members)->{status}, 200,
           "$name, $size: it is dead");
        unlink "$dir/go";

        my @calls = $t->new_requests($name);

        # the connection of the size before is dead, too

        is(scalar @calls, $size == 1000 ? 3 : 4, "$name, $size: calls");
        same($_->{body}, payload(@members), "$name, $size: the payload")
            for @calls;
    }

    $t->new_requests('app');
    $t->new_requests('billing');

    # the changed body

    for my $name ('fallback', sort keys %app) {
        my $body = '{"task":' . object(@members) . '}';
        my @headers = @json;

        if ($name eq 'decoded') {
            gzip(\$body => \my $zipped) or die;
            $body = $zipped;
            push @headers, 'Content-Encoding' => 'gzip';
        }

        is($t->request('POST', "/app/$name", body => $body,
                       headers => \@headers)->{status}, 200,
           "app, $name, $size");

        my $request = $t->only_request('app');
        my $wanted = '{"task":' . object(@changed) . '}';

        same($request->{body}, $wanted, "app, $name, $size: the body");
        is($request->header('Content-Length'), length $wanted,
           "app, $name, $size: its length");
        is($request->header('Content-Encoding'), undef,
           "app, $name, $size: no coding");

        is($request->header('X-Digest'),
           sha256_hex(pack('Q>a*', length object(@members), object(@members))),
           "app, $name, $size: the digest") if $name eq 'plain';

        if ($name eq 'mirror') {
            $t->wait_for(sub { $t->requests('copy') > $copies });
            $copies++;
            same($t->only_request('copy')->{body}, $wanted,
                 "app, $name, $size: the copy");
        }
        $t->new_requests($_) for qw(crm closing);
    }

    # the same as a form

    for my $name ('fallback', sort keys %app) {
        my $body = form(@members);
        my @headers = ('Content-Type' => 'application/x-www-form-urlencoded');

        my $wanted = $body =~ s/=Open/=Done/r . '&task%5BNew%5D%5B%5D=1';

        if ($name eq 'decoded') {
            gzip(\$body => \my $zipped) or die;
            $body = $zipped;
            push @headers, 'Content-Encoding' => 'gzip';
        }

        is($t->request('POST', "/app/$name", body => $body,
                       headers => \@headers)->{status}, 200,
           "form, $name, $size");

        same($t->only_request('crm')->{body}, payload(@members),
             "form, $name, $size: the payload");

        my $request = $t->only_request('app');

        same($request->{body}, $wanted, "form, $name, $size: the body");
        is($request->header('Content-Length'), length $wanted,
           "form, $name, $size: its length");

        if ($name eq 'mirror') {
            $t->wait_for(sub { $t->requests('copy') > $copies });
            $copies++;
            same($t->only_request('copy')->{body}, $wanted,
                 "form, $name, $size: the copy");
        }
        $t->new_requests('closing');
    }

    # a client that speaks HTTP/2, with a length and without

    for my $no_length (0, 1) {
        my $answer = $t->h2_request('POST', '/app/plain',
            body => '{"task":' . object(@members) . '}', headers => \@json,
            no_length => $no_length);
        is($answer->{status}, 200, "HTTP/2, $size");
        same($t->only_request('app')->{body},
             '{"task":' . object(@changed) . '}', "HTTP/2, $size: the body");
        $t->new_requests('crm');
    }

    # shown, not called

    my $shown = decode_json(act('/dry', @members)->{body});
    is_deeply($shown->{steps}[0]{body}, decode_json(payload(@members)),
              "dry run, $size");
}

$t->done;
