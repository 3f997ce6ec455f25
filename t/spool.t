#!/usr/bin/perl

# Uploads that nginx has spooled to a file: whoever passes them on, however
# often, the app gets the changed form.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->endpoint(crm => { headers => [ 'Content-Type' => 'application/json' ],
                      body => '{"task":{"a":"new","b":1}}' });
$t->endpoint($_ => { body => 'stored' }) for qw(app copy left);

# reads a request and closes, so that nginx asks another server

$t->raw_endpoint(closing => 'close');

$t->write_file('fastcgi/x', '');

my $step = <<'END';
            flowdash_action "Save";
            flowdash_step "CRM" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/;
            }
END
my $http = <<"END";
        client_body_buffer_size 4k;
        flowdash_task /issue;

        location /plain { $step proxy_pass http://127.0.0.1:%%PORT_app%%; }

        location /left { $step proxy_pass http://127.0.0.1:%%PORT_left%%; }

        location /sendfile {
            $step
            sendfile on;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /unbuffered {
            $step
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /only {
            $step
            client_body_in_file_only clean;
            proxy_set_header X-File \$request_body_file;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /mirror {
            $step
            mirror /mirrored;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /mirrored {
            internal;
            proxy_pass http://127.0.0.1:%%PORT_copy%%\$request_uri;
        }

        location /fallback {
            $step
            try_files /nowhere \@app;
        }

        location \@app {
            proxy_set_header X-File "-\$request_body_file";
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
END

sub conf {
    my ($more) = @_;
    return <<"END";
        upstream servers {
            server 127.0.0.1:%%PORT_closing%% max_fails=0;
            server 127.0.0.1:%%PORT_app%% backup;
        }

        server {
            listen 127.0.0.1:%%PORT_http%%;
            listen 127.0.0.1:%%PORT_h2%% http2;
            $http
            location /next {
                $step
                $more
                proxy_pass http://servers;
            }
        }
END
}

$t->config(conf(''));
$t->run;

# two files, so that a slice of the spooled file begins behind another

my $file = join '', map { chr rand 256 } 1 .. 100_000;
my $body = join "\r\n", '--xyz',
    'Content-Disposition: form-data; name="f"; filename="a"', '', $file,
    '--xyz', 'Content-Disposition: form-data; name="issue[a]"', '', 'old',
    '--xyz', 'Content-Disposition: form-data; name="g"; filename="b"', '',
    reverse($file), '--xyz--', '';
(my $wanted = $body) =~ s/\nold\r/\nnew\r/;
$wanted =~ s/(--xyz)--\r\n\z/$1\r\n/;
$wanted .= "Content-Disposition: form-data; name=\"issue[b]\"\r\n\r\n1\r\n"
    . "--xyz--\r\n";

my %option = (body => $body, headers =>
              [ 'Content-Type' => 'multipart/form-data; boundary=xyz' ]);

my $mirrored = 0;

sub passes {
    my ($method, $path, $http) = @_;
    my $res = $http eq 'HTTP/2' ? $t->h2_request($method, $path, %option)
        : $http eq 'HTTP/2 without length'
        ? $t->h2_request($method, $path, %option, no_length => 1)
        : $t->request($method, $path, %option, chunked => $http eq 'chunked');
    is($res->{status}, 200, "$method $path by $http");
    my $app = $t->only_request('app');
    ok($app->{body} eq $wanted, 'the form with the changes');
    $t->only_request('crm');
    return $app;
}

sub mirrored {
    my $before = $mirrored++;
    $t->wait_for(sub { $t->requests('copy') > $before });
    ok($t->only_request('copy')->{body} eq $wanted, 'and so does the mirror');
}

for my $path (qw(/plain /sendfile /unbuffered /mirror /fallback)) {
    for my $method (qw(POST PUT)) {
        for ('HTTP/1.1', 'chunked', 'HTTP/2', 'HTTP/2 without length') {
            passes($method, $path, $_);
            mirrored() if $path eq '/mirror';
        }
    }
}

is(passes('POST', '/fallback', 'HTTP/1.1')->header('X-File'), '-',
    'a file that is not the body has no name');

my $app = passes('POST', '/only', 'HTTP/1.1');
like($app->header('X-File'), qr/client_body_temp/, 'a body as a file');

# PUT may be sent once more, and POST where it is allowed

sub first_server {
    ok($t->only_request('closing')->{body} eq $wanted,
       'the first server got the same');
}

passes('PUT', '/next', 'HTTP/1.1');
first_server();

is($t->request('POST', '/next', %option)->{status}, 502, 'POST is not');
first_server();
$t->no_request('app', 'and no other');
$t->only_request('crm');

$t->config(conf('proxy_next_upstream error non_idempotent;'));
$t->reload;

for ('HTTP/1.1', 'HTTP/2') {
    passes('POST', '/next', $_);
    first_server();
}
passes('POST', '/plain', 'HTTP/1.1');

# so may what has stayed in memory

for ([ 'application/json', '{"x":1,"issue":{"a":"old","b":1},"y":2}' ],
     [ 'application/x-www-form-urlencoded', 'x=1&issue[a]=old&issue[b]=1&y=2' ])
{
    my ($type, $small) = @$_;

    is($t->request('POST', '/next', body => $small,
                   headers => [ 'Content-Type' => $type ])->{status}, 200,
        "$type, in memory");

    $small =~ s/old/new/;
    is($t->only_request('closing')->{body}, $small, 'the first server');
    is($t->only_request('app')->{body}, $small, 'and the next got the changes');
    $t->only_request('crm');
}

# a client that leaves in the midst: how far its request gets is left to chance

my $exchange = $t->start('POST', '/left', %option);
close $exchange->{socket};
ok($t->wait_for(sub { $t->access_log =~ m{ /left } }), 'a client leaves');
$t->new_requests('crm');

$t->done;
