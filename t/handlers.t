#!/usr/bin/perl

# Other content handlers than proxy_pass, behind the action and in steps:
# fastcgi_pass, uwsgi_pass, dav, return, unix sockets; and the neighbors in
# the phase, mirror and try_files.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use FCGI;
use IO::Socket::UNIX;

my $t = Test::Flowdash->new;

my @set = (
    headers => [ 'Content-Type' => 'application/json' ],
    body => '{"task":{"Date":"new"}}',
);

$t->endpoint(set => { @set });
$t->endpoint(app => { body => 'stored' });
$t->endpoint(mirror => { body => 'mirrored' });
$t->raw_endpoint(hints => sub {
    my $body = '{"task":{"Date":"new"}}';
    return (send => "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
            send => "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    . 'Content-Length: ' . length($body) . "\r\n\r\n$body",
            then => 'stall');
});

# both record their variables, and answer as the endpoint does

sub answer {
    return "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n"
           . '{"task":{"Date":"new"}}';
}

$t->server(fcgi => sub {
    my ($listen, $record) = @_;

    my %env;
    my ($in, $out, $err) = (IO::Handle->new, IO::Handle->new, IO::Handle->new);
    my $request = FCGI::Request($in, $out, $err, \%env, fileno $listen);

    while ($request->Accept >= 0) {
        read $in, my $body, $env{CONTENT_LENGTH} || 0;
        $record->(bless { %env, body => $body }, 'Test::Flowdash::Message');
        print $out answer();
        $request->Finish;
    }
});

$t->server(uwsgi => sub {
    my ($listen, $record) = @_;

    while (my $s = $listen->accept) {
        read $s, my $head, 4;
        read $s, my $vars, unpack 'x v', $head;

        my %env = unpack '(v/a)*', $vars;
        read $s, my $body, $env{CONTENT_LENGTH} || 0;
        $record->(bless { %env, body => $body }, 'Test::Flowdash::Message');

        print $s "HTTP/1.1 " . answer() =~ s/^Status: //r;
        close $s;
    }
});

my $vars = join "\n", map { my $p = $_; map { "${p}_param $_;" } (
    'CONTENT_LENGTH $content_length', 'CONTENT_TYPE $content_type',
    'REQUEST_METHOD $request_method',
    'X_FILE $request_body_file' ) } qw(fastcgi uwsgi);

# what nginx's own files of parameters have

$t->write_file('params', join '', $vars,
    map { "\n${_}_param REQUEST_URI \$request_uri;" } qw(fastcgi uwsgi));

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    $vars

    map \$content_length \$mapped { volatile; default \$content_length; }

    server {
        listen 127.0.0.1:%%PORT_http%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        listen unix:%%DIR%%/endpoint.sock;

        location = /hook {
            default_type application/json;
            return 200 '{"task":{"Date":"\$request_method \$http_host"}}';
        }

        location /fcgi {
            flowdash_action "Do";
            flowdash_step "Set" {
                flowdash_call http://127.0.0.1:%%PORT_set%%/;
            }
            # read before the action, it must be forgotten
            if (\$content_length = 1) { return 403; }
            fastcgi_pass 127.0.0.1:%%PORT_fcgi%%;
        }

        location /uwsgi {
            flowdash_action "Do";
            flowdash_step "Set" {
                flowdash_call http://127.0.0.1:%%PORT_set%%/;
            }
            uwsgi_pass 127.0.0.1:%%PORT_uwsgi%%;
        }

        location ~ ^/uri/(?<id>[^/]+)/finish\\z {
            flowdash_action "Do";
            flowdash_step "Set" {
                flowdash_call http://127.0.0.1:%%PORT_set%%/tasks/\$id;
            }
            include %%DIR%%/params;
            fastcgi_param REQUEST_URI \$uri\$is_args\$args;
            uwsgi_param REQUEST_URI \$uri\$is_args\$args;
            fastcgi_pass 127.0.0.1:%%PORT_fcgi%%;
            if (\$arg_by = uwsgi) { uwsgi_pass 127.0.0.1:%%PORT_uwsgi%%; }
        }

        location /dav {
            flowdash_action "Do";
            flowdash_step "Set" {
                flowdash_call http://127.0.0.1:%%PORT_set%%/;
            }
            dav_methods PUT;
            create_full_put_path on;
        }

        location /dav/unchanged {
            flowdash_action "Do";
            flowdash_step "Keep" {
                return 204;
            }
            dav_methods PUT;
        }

        location /file {
            flowdash_action "Do";
            flowdash_step "Set" {
                flowdash_call http://127.0.0.1:%%PORT_set%%/;
            }
            client_body_in_file_only clean;
            fastcgi_pass 127.0.0.1:%%PORT_fcgi%%;
        }

        location /hints/call {
            flowdash_action "Do";
            flowdash_step "Set" {
                flowdash_call http://127.0.0.1:%%PORT_hints%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /hints/proxy {
            flowdash_action "Do";
            flowdash_step "Set" {
                flowdash_timeout 3s;
                proxy_pass http://127.0.0.1:%%PORT_hints%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /steps/fcgi {
            flowdash_action "Do";
            flowdash_step "Set" {
                fastcgi_pass 127.0.0.1:%%PORT_fcgi%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /steps/uwsgi {
            flowdash_action "Do";
            flowdash_step "Set" {
                uwsgi_pass 127.0.0.1:%%PORT_uwsgi%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /steps/return {
            flowdash_action "Do";
            flowdash_step "Set" {
                default_type application/json;
                return 200 '{"task":{"Date":"new"}}';
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /steps/refuse {
            flowdash_action "Do";
            flowdash_step "Set" {
                return 403;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /steps/sub {
            flowdash_action "Do";
            flowdash_step "Set" {
                sub_filter_types application/json;
                sub_filter '"new"' '"newer"';
                proxy_pass http://127.0.0.1:%%PORT_set%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /steps/unix {
            flowdash_action "Do";
            flowdash_step "Set" {
                flowdash_call http://unix:%%DIR%%/endpoint.sock:/hook;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /steps/upstream {
            flowdash_action "Do";
            flowdash_step "Set" {
                proxy_http_version 1.1;
                proxy_set_header Connection "";
                proxy_pass http://pool;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /steps/if {
            flowdash_action "Do";
            flowdash_step "Set" {
                if (\$http_x_never) { return 500; }
                proxy_pass http://pool;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        # a call that leaves its answer to another handler

        location /steps/other {
            flowdash_action "Do";
            flowdash_step "Set" {
                flowdash_set_header X-Own "mine";
                flowdash_call http://127.0.0.1:%%PORT_closed%%/;
                set \$other 1;
                if (\$other) { proxy_pass http://127.0.0.1:%%PORT_set%%; }
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /mirror {
            flowdash_action "Do";
            flowdash_step "Set" {
                proxy_pass http://127.0.0.1:%%PORT_set%%;
            }
            mirror /mirrored;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /mirrored {
            internal;
            proxy_pass http://127.0.0.1:%%PORT_mirror%%/;
        }

        location /try {
            flowdash_action "Do";
            flowdash_step "Set" {
                proxy_pass http://127.0.0.1:%%PORT_set%%;
            }
            try_files /nonexistent \@app;
        }

        location \@app {
            flowdash_action "Again";
            flowdash_step "Set" {
                proxy_pass http://127.0.0.1:%%PORT_set%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }

    upstream pool {
        server 127.0.0.1:%%PORT_closed%%;
        server 127.0.0.1:%%PORT_set%%;
        keepalive 2;
    }
}
EOC

$t->run;

my $in  = '{"task":{"Date":"something old"}}';
my $out = '{"task":{"Date":"new"}}';
my @json = (headers => [ 'Content-Type', 'application/json' ]);

for my $app (qw(fcgi uwsgi)) {
    for (
        [ 'HTTP/1.1', sub { $t->post_json("/$app", $in) } ],
        [ 'chunked', sub { $t->post_json("/$app", $in, chunked => 1) } ],
        [ 'HTTP/2', sub { $t->h2_request('POST', "/$app", body => $in,
            no_length => 1, @json) } ],
        [ 'no body', sub { $t->request('POST', "/$app",
            headers => [ 'Content-Length', 0 ]) } ],
    ) {
        my ($way, $request) = @$_;

        is($request->()->{status}, 200, "$app: $way");
        my $got = $t->only_request($app);
        is($got->{body}, $out, 'body');
        is($got->{CONTENT_LENGTH}, length $out, 'CONTENT_LENGTH');
        is($got->{CONTENT_TYPE}, 'application/json', 'CONTENT_TYPE');
        is($got->{REQUEST_METHOD}, 'POST', 'REQUEST_METHOD');
        is($got->{HTTP_TRANSFER_ENCODING}, undef, 'no Transfer-Encoding');
        $t->only_request('set');
    }
}

# the URL as nginx has read it, however the client has spelled it

for my $app (qw(fcgi uwsgi)) {
    for my $path ('/uri/8/finish', '/uri/7/finish/../../8/finish',
        '/uri/7/../8/finish', '/uri/7%2f..%2f8/finish', '//uri/./8/finish',
        '/uri/%38/%66inish', '/uri/7/finish/%2e%2e/../8/finish')
    {
        is($t->post_json("$path?x=%20&by=$app", $in)->{status}, 200,
           "$app: $path");
        is($t->only_request($app)->{REQUEST_URI},
           "/uri/8/finish?x=%20&by=$app", 'REQUEST_URI');
        is($t->only_request('set')->{target}, '/tasks/8',
           'the endpoint is told the same');
    }
}

is($t->request('PUT', '/dav/task.json', body => $in, @json)->{status}, 201,
    'dav PUT');
$t->only_request('set');
is($t->read_file('dav/task.json'), $out, 'is stored with the change');
is($t->request('PUT', '/dav/task.json', body => $in, chunked => 1, @json)
    ->{status}, 204, 'dav PUT again, chunked');
$t->only_request('set');
is($t->read_file('dav/task.json'), $out, 'is stored');
is($t->request('PUT', '/dav/unchanged', body => $in, @json)->{status}, 201,
    'dav PUT without a change');
is($t->read_file('dav/unchanged'), $in, 'is stored as sent');

is($t->post_json('/file', $in)->{status}, 200, 'client_body_in_file_only');
my $got = $t->only_request('fcgi');
is($got->{body}, $out, 'body');
like($got->{X_FILE}, qr/client_body_temp/, 'a file');
$t->only_request('set');
ok($t->wait_for(sub { !(() = glob $t->dir . '/client_body_temp/*') }),
   'which is removed');

my %by = (fcgi => 'fcgi', uwsgi => 'uwsgi', upstream => 'set', if => 'set');

for (qw(fcgi uwsgi return unix upstream if)) {
    my $wanted = $_ eq 'unix' ? '{"task":{"Date":"POST localhost"}}' : $out;

    for my $i (1 .. 2) {
        is($t->post_json("/steps/$_", $in)->{status}, 200, "step by $_");
        is($t->only_request('app')->{body}, $wanted,
           'the app gets the change');
        $t->only_request($by{$_}) if $by{$_};
    }
}

is($t->post_json('/steps/sub', $in)->{status}, 200, 'step with sub_filter');
is($t->only_request('app')->{body}, '{"task":{"Date":"newer"}}',
   'the answer filtered');
$t->only_request('set');

is($t->post_json('/steps/refuse', $in)->{status}, 502, 'step by return 403');
$t->no_request('app', 'the app is not reached');

is($t->post_json('/steps/other', $in)->{status}, 200, 'instead of a call');
is($t->only_request('app')->{body}, $out, 'the app gets the change');
$got = $t->only_request('set');
is(header($got, 'Content-Type'), 'application/json', 'the headers of the step');
is(header($got, 'X-Own'), 'mine', 'also its own');
like(header($got, 'Idempotency-Key'), qr/^"\w+-\w+"$/, 'and the key');

# 103 before the answer: nginx up to 1.28 takes it for the answer

my ($old) = `$t->{nginx} -v 2>&1` =~ m{/1\.(\d+)\.};

for ([ call => 200 ], [ proxy => $old < 29 ? 504 : 200 ]) {
    my ($way, $status) = @$_;
    is($t->post_json("/hints/$way", $in)->{status}, $status, "103, $way");
    is(join(', ', map { $_->{body} } $t->new_requests('app')),
       $status == 200 ? $out : '', "103, $way: the app");
}

like($t->error_log, qr/ failed on step "Set": timeout, connected, .*, called /,
     '103, proxy: why') if $old < 29;

is($t->post_json('/mirror', $in)->{status}, 200, 'mirror');
is($t->only_request('app')->{body}, $out, 'the app');
$t->wait_for(sub { scalar $t->requests('mirror') });
is($t->only_request('mirror')->{body}, $out, 'the mirror sees the change');
$t->only_request('set');

is($t->post_json('/try', $in)->{status}, 200, 'try_files');
is($t->only_request('app')->{body}, $out, 'the app');
$t->only_request('set', 'one action for a request');

$t->done;
