#!/usr/bin/perl

# Error pages: what nginx itself refuses, before the action begins, gets there as
# a GET without a body, at a named location and at a URI; everything else as it
# was.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->endpoint(crm => { body => 'ok' });
$t->endpoint(app => { status => 503, body => 'broken' });
$t->endpoint(page => { body => 'the page' });
$t->endpoint(bad => { status => 400, body => 'bad' });

my $sent = $t->dir . '/sent';

$t->endpoint(slow => { until => sub { -e $sent }, body => 'the slow page' });

$t->write_file('users', "abc123:{PLAIN}secret\n");

my $action = <<'EOC';
    flowdash_action $name;
    flowdash_methods POST PUT;
    flowdash_step "CRM" { proxy_pass http://127.0.0.1:%%PORT_crm%%; }
    proxy_pass http://127.0.0.1:%%PORT_app%%;
EOC

my $all = $action =~ s/POST PUT/all/r;

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%

    map \$uri \$page { default \@page; /uri/variable /uri/page; }
    map \$arg_name \$name { default "Finish"; none ""; }

    large_client_header_buffers 4 1k;
    proxy_intercept_errors on;

    # for all locations, with an action and without one
    error_page 400 401 403 405 413 418 494 500 501 503 = \@page;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        listen 127.0.0.1:%%PORT_h2%% http2;

        if (\$uri ~ "[;\\\\\\\\]") { return 400; }
        if (\$uri = /routed/1) { return 418; }
        if (\$uri ~ "^/slow/(a+)+\$") { return 418; }

        location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
        location /other/ { return 418; }
        location /bad/ { proxy_pass http://127.0.0.1:%%PORT_bad%%; }

        location /large/ { client_max_body_size 10; $action }
        location /slow/ { client_max_body_size 10; $action
                          error_page 413 = \@slow; }
        location /denied/ { deny all; $action }
        location /password/ { auth_basic "T"; $action
                              auth_basic_user_file %%DIR%%/users; }
        location /returned/ { return 418; $action }
        location /if/ { if (\$arg_x) { return 403; } $action }
        location /except/ { limit_except PUT { deny all; } $action }
        location /passes/ { $action }

        location /variable/ { deny all; error_page 403 = \$page; $action }
        location /uri/ { deny all; error_page 403 = \$page; $action }
        location /uri/named/ { deny all; error_page 403 /page; $action }
        location /all/ { deny all; $all }
        location /all/uri/ { deny all; error_page 403 /page?a=b; $all }
        location /fails/ { error_page 502 /page?a=b;
                           flowdash_action "Fail"; flowdash_methods all;
                           flowdash_step "No" { return 500; }
                           proxy_pass http://127.0.0.1:%%PORT_app%%; }
        location /page { proxy_pass http://127.0.0.1:%%PORT_page%%; }
        location /uri/page { proxy_pass http://127.0.0.1:%%PORT_page%%; }

        location \@page { proxy_pass http://127.0.0.1:%%PORT_page%%; }

        # nginx does not set a read handler of its own here
        location \@slow { proxy_ignore_client_abort on;
                          proxy_pass http://127.0.0.1:%%PORT_slow%%; }
    }

    server {
        listen 127.0.0.1:%%PORT_guarded%%;
        flowdash_guard on;

        location / { client_max_body_size 10; $action }

        # the guard refuses what nginx has refused, and that has a page as well
        location /twice/ {
            client_max_body_size 10;
            recursive_error_pages on;
            error_page 413 = \@twice;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location \@twice {
            recursive_error_pages on;
            error_page 403 = \@page;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location \@page { proxy_pass http://127.0.0.1:%%PORT_page%%; }
    }
}
EOC

$t->run;

my @form = ('Content-Type', 'application/x-www-form-urlencoded');
my $body = 'task[Stage]=Completed';

sub is_page ($res, $name) {
    is($res->{body}, 'the page', $name) if $res;
    my $page = $t->only_request('page', "$name: asks for it once");
    is($page->{method}, 'GET', "$name: by a GET");
    is($page->{body}, '', "$name: without a body");
    is(header($page, $_), undef, "$name: without a $_")
        for qw(Content-Length Content-Type Transfer-Encoding
               X-HTTP-Method-Override);
    $t->no_request($_, "$name: nothing to the $_") for qw(app crm);
    return $page;
}

sub stays ($res, $method, $name, $called = 0) {
    is($res->{body}, 'the page', $name);
    my $page = $t->only_request('page', "$name: asks for it once");
    is($page->{method}, $method, "$name: by a $method");
    my @calls = $t->new_requests('crm');
    is(scalar @calls, $called, "$name: calls");
    return $page;
}

# sends a part of the body, gets the page's request, sends the rest

sub in_parts ($path, $name, $more, $port = 'http') {
    my $seen = () = $t->requests('page');
    my $socket = $t->connect($port);

    print $socket "POST $path HTTP/1.1\r\nHost: localhost\r\n"
        . "Content-Length: 100000\r\n\r\n", 'x' x 10_000;
    $t->wait_for(sub { $t->requests('page') > $seen });

    my $page = $t->only_request('page', "$name: before the rest");
    is($page->{method}, 'GET', "$name: a GET");
    is(header($page, 'Content-Length'), undef, "$name: without the body");

    my $raw = $t->raw_request('x' x 90_000 . $more, socket => $socket);
    is(scalar(() = $raw =~ m{HTTP/1.1 }g), 1, "$name: one answer");
    like($raw, qr/the page\z/, "$name: the page");
    $t->no_request('app', "$name: nothing to the app");
    return;
}

sub post ($path, %option) {
    return $t->request('POST', $path, body => $body, headers => \@form,
                       %option);
}

# what nginx refuses in the location of an action

for my $path (qw(/large/1 /denied/1 /password/1 /returned/1 /if/1?x=1
                 /except/1 /variable/1))
{
    my $page = is_page(post($path), "POST $path");
    is($page->{target}, $path, 'of the same URL');

    is_page(post($path, chunked => 1), "POST $path in chunks")
        if $path !~ /large/;
    is_page(post($path, headers => [ @form, 'X-HTTP-Method-Override', 'PUT' ]),
            "POST $path with an override");
    is_page(post($path, body => undef, headers => []), "POST $path, no body")
        if $path !~ /large/;

    # curl may notice the end of the stream before the answer

    $t->h2_request('POST', $path, body => $body, headers => \@form);
    is_page(undef, "POST $path, HTTP/2");
}

is_page($t->request('PUT', '/denied/1', body => $body, headers => \@form),
        'PUT is listed');
is_page(post('/large/1', chunked => 1), 'too large in chunks: read in vain');

my $res = $t->request('POST', '/denied/1', headers => [ @form,
    'Content-Length', 80, 'Expect', '100-continue' ]);
is_page($res, 'a body that is not sent yet');
is("@{ $res->{interim} }", '', 'the client is not asked for it');

# a body that nobody has read

my $inner = "POST /passes/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";

for my $path (qw(/large/1 /denied/1)) {
    my $raw = $t->raw_request("POST $path HTTP/1.1\r\nHost: localhost\r\n"
        . 'Content-Length: ' . length($inner) . "\r\n\r\n$inner");
    is(scalar(() = $raw =~ m{HTTP/1.1 }g), 1, "$path: it is no request");
    like($raw, qr/^HTTP\/1.1 200 .*\r\nConnection: close.*the page/s,
         'the connection ends');
    $t->only_request('page');
    $t->no_request('app');

    in_parts($path, "$path, in parts", $inner);
}

# a body that nginx has begun to read: the rest comes while the page is made

{
    my $socket = $t->connect('http');

    print $socket "POST /slow/1 HTTP/1.1\r\nHost: localhost\r\n"
        . "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n";
    like(readline $socket, qr/^HTTP\/1.1 100 /, 'nginx reads');
    is(readline $socket, "\r\n", 'no header');

    print $socket "14\r\n", 'x' x 20, "\r\n";
    $t->wait_for(sub { $t->requests('slow') });
    $t->only_request('slow');

    print $socket "14\r\n", 'x' x 20, "\r\n";

    # without the pause the page could come first, and hide a crash
    select undef, undef, undef, 0.5;
    $t->write_file('sent', '');

    my $raw = $t->raw_request("0\r\n\r\n", socket => $socket);
    like($raw, qr/^HTTP\/1.1 200 .*the slow page\z/s, 'the page is sent');
    $t->no_request('app');
}

# what stays as it was

stays($t->get('/denied/1'), 'GET', 'a GET');
stays($t->request('DELETE', '/denied/1'), 'DELETE', 'not listed: no action');
stays(post('/other/1'), 'POST', 'a location without an action');

is(stays(post('/passes/1'), 'POST', 'an action that has passed', 1)->{body},
   $body, 'with its body');
$t->only_request('app');
is(stays(post('/passes/1?name=none'), 'POST', 'judged, of no name')->{body},
   $body, 'with its body');
$t->only_request('app');
is(stays(post('/'), 'POST', 'no action')->{body}, $body, 'with its body');
$t->only_request('app');

# not the app's own refusals, where there is no action

is(stays(post('/bad/1'), 'POST', 'an app that says 400')->{body}, $body,
   'with its body');
$t->only_request('bad');

# the administrator leads somewhere, before nginx looks for a location

is(stays(post('/routed/1'), 'POST', 'a server that leads away')->{body}, $body,
   'with its body');

# nginx makes a GET of it for a URI, but keeps body and headers

for ([ '/uri/variable', '/uri/page' ], [ '/uri/named/1', '/page' ],
     [ '/all/uri/1', '/page?a=b' ], [ '/fails/1', '/page?a=b' ])
{
    my ($path, $uri) = @$_;
    my $page = is_page(post($path, headers => [ @form,
                            'X-HTTP-Method-Override', 'PUT' ]), $path);
    is($page->{target}, $uri, "$path: the page's own URI");
    is_page(post($path, chunked => 1), "$path, in chunks");
}

in_parts('/uri/named/1', 'a URI, in parts', '');

# a HEAD stays one: the client expects no body

for my $path (qw(/all/1 /all/uri/1 /fails/1)) {
    my $raw = $t->raw_request("HEAD $path HTTP/1.1\r\nHost: localhost\r\n\r\n"
        . "GET /passes/1 HTTP/1.1\r\nHost: localhost\r\n"
        . "Connection: close\r\n\r\n");
    unlike($raw, qr/\r\n\r\nthe page.*HTTP/s, "HEAD $path: no body");
    is($t->new_requests('page') && 1, 1, "HEAD $path: the page");
    $t->new_requests('app');
}

# what nginx does not understand, and so has no location

for (
    [ 'a length that is none', 'Content-Length: x' ],
    [ 'two lengths', "Content-Length: 1\r\nContent-Length: 2" ],
    [ 'two hosts', 'Host: a' ],
    [ 'a coding that nginx does not know', 'Transfer-Encoding: x' ],
    [ 'a long header', 'X: ' . 'x' x 2000 ],
    [ 'TRACE', 'X: y', 'TRACE' ],
    [ 'CONNECT', 'X: y', 'CONNECT' ],
) {
    my ($name, $header, $method) = (@$_, 'POST');
    my $raw = $t->raw_request("$method /passes/1 HTTP/1.1\r\n"
                              . "Host: localhost\r\n$header\r\n\r\n");
    like($raw, qr/the page\z/, $name);
    my $page = $t->only_request('page');
    is($page->{method}, 'GET', 'is a GET');
    is(header($page, 'Content-Length'), undef, 'without a body');
}
is_page(post('/passes/..;/1'), 'refused by the server');
is_page(post('/slow/' . 'a' x 40 . '!'), 'an expression that PCRE gives up');
$t->allow_log(qr/pcre2?_(?:match|exec)\(\) failed/);

# beside the guard

is_page(post('/1', port => 'guarded'), 'the page, not what the guard says');
is_page(post('/twice/1', port => 'guarded'), 'the page of the guard');

in_parts('/twice/1', 'the page of the guard, in parts', '', 'guarded');

# nginx sends a request to "post_action" when its answer has been sent, also that
# of an action that has failed

my $post_action = qr/"post_action" in location "\/a", which has a (?x:
    )"flowdash_action": it would get the request of a failed action/;
my $rest = 'location @app { proxy_pass http://127.0.0.1:%%PORT_app%%; }';

conf_fails($t, "location /a { post_action \@app; $action } $rest",
           $post_action, 'post_action in an action');
conf_fails($t, "post_action \@app; location /a { $action } $rest",
           $post_action, 'post_action above an action');
conf_fails($t, "location /a { $action if (\$arg_x) { post_action \@app; } } $rest",
           qr/post_action|directive is not allowed/, 'post_action in an if');
conf_ok($t, "set \$name x; location /a { $action } location /b { post_action \@app; } $rest",
        'post_action elsewhere');

$t->done;
