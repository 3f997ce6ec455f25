#!/usr/bin/perl

# flowdash_methods: which methods, and which overrides of them, are an action.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->endpoint(good => { body => 'ok' });
$t->endpoint(app => { body => 'stored' });

my $action = <<'EOC';
    flowdash_action "Do";
    flowdash_step "Good" { proxy_pass http://127.0.0.1:%%PORT_good%%; }
    proxy_pass http://127.0.0.1:%%PORT_app%%;
EOC

$t->config(<<"EOC");
server {
    listen 127.0.0.1:%%PORT_http%%;
    listen 127.0.0.1:%%PORT_h2%% http2;
    underscores_in_headers on;
    client_max_body_size 4m;

    location / { $action }
    location /put { flowdash_methods PUT; $action }
    location /delete { flowdash_methods DELETE; $action }
    location /get { flowdash_methods GET; $action }
    location /query { flowdash_methods QUERY VERSION-CONTROL; $action }
    location /all { flowdash_methods all; $action }
    location /options { flowdash_methods OPTIONS; $action }
    location /none { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /whole { flowdash_methods PUT; flowdash_task ""; $action }
    location /guarded { flowdash_methods PUT; flowdash_guard on; $action }
    location /gzip { flowdash_methods PUT; flowdash_decode on; $action }

    location /tried/ {
        flowdash_methods PUT;
        flowdash_action "Try";
        flowdash_step "Good" { proxy_pass http://127.0.0.1:%%PORT_good%%; }
        try_files /none /put;
    }

    location /mirrored {
        mirror /put/mirror;
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
}
EOC

$t->run;

my @json = ('Content-Type', 'application/json');
my @form = ('Content-Type', 'application/x-www-form-urlencoded');
my @parts = ('Content-Type', 'multipart/form-data; boundary=BB');

# what happens to a request: 'action', 'passes', or a status

sub fate ($method, $path, %option) {
    my $http2 = delete $option{http2};
    my $res = $http2 ? $t->h2_request($method, $path, %option)
                     : $t->request($method, $path, %option);
    my @calls = $t->new_requests('good');
    my @app = $t->new_requests('app');

    return $res->{status} . (@calls ? ' called' : '') . (@app ? ' passed' : '')
        if $res->{status} != 200 || @app != 1 || @calls > 1;
    return @calls ? 'action' : 'passes';
}

sub is_action ($method, $path, %option) {
    my $name = delete $option{name}
        // "$method $path @{ $option{headers} // [] } "
           . ($option{body} // '') =~ s/\s+/ /gr;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(fate($method, $path, %option), 'action', "action: $name");
}

sub passes ($method, $path, %option) {
    my $name = delete $option{name}
        // "$method $path @{ $option{headers} // [] } "
           . ($option{body} // '') =~ s/\s+/ /gr;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(fate($method, $path, %option), 'passes', "passes: $name");
}

sub refused ($status, $method, $path, %option) {
    my $name = delete $option{name}
        // "$method $path @{ $option{headers} // [] } "
           . ($option{body} // '') =~ s/\s+/ /gr;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(fate($method, $path, %option), $status, "$status: $name");
}

# the method itself

is_action($_, '/') for qw(POST PUT PATCH);
passes($_, '/') for qw(GET HEAD OPTIONS DELETE QUERY PURGE MKCOL COPY POSTS);
is_action('DELETE', '/delete');
is_action($_, '/query') for qw(QUERY VERSION-CONTROL);
is_action('QUERY', '/query', http2 => 1, name => 'QUERY in HTTP/2');
passes($_, '/query') for qw(POST PUT QUER QUERYS VERSION_CONTROL);
is_action($_, '/all')
    for qw(GET HEAD POST PUT PATCH DELETE MKCOL COPY MOVE PROPFIND PROPPATCH
           LOCK UNLOCK QUERY PURGE X_Y);
passes('OPTIONS', '/all');
is_action('OPTIONS', '/options');
is_action($_, '/get') for qw(GET HEAD);
passes($_, '/get') for qw(POST OPTIONS);

# overrides in headers

for my $header ('X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override',
    'x-http-method-override', 'X_HTTP_METHOD_OVERRIDE', 'X_http-Method')
{
    is_action('GET', '/put', headers => [ $header, 'PUT' ]);
    is_action('POST', '/put', headers => [ $header, 'put' ]);
    refused(400, 'DELETE', '/put', headers => [ $header, 'Put' ]);
    passes('POST', '/put', headers => [ $header, 'PATCH' ]);
}
passes('POST', '/put', headers => [ $_, 'PUT' ])
    for 'X-HTTP-Methods', 'HTTP-Method', 'X-Override-Method', 'Method',
        'X-HTTP-Method-Overrid';
is_action('GET', '/query', headers => [ 'X-HTTP-Method', 'query' ]);
is_action('OPTIONS', '/all', headers => [ 'X-HTTP-Method', 'get' ]);
passes('OPTIONS', '/all', headers => [ 'X-HTTP-Method', 'OPTIONS' ]);
is_action('POST', '/get', headers => [ 'X-HTTP-Method', 'HEAD' ]);
is_action('GET', '/put', http2 => 1, name => 'a header in HTTP/2',
    headers => [ 'X-HTTP-Method-Override', 'PUT' ]);

# an override does not make it less of an action

is_action('POST', '/', headers => [ 'X-HTTP-Method-Override', $_ ])
    for 'GET', 'PUT', '';
is_action('POST', '/?_method=GET');
is_action('POST', '/', headers => \@form, body => '_method=get');

# nor does it make it another action than the endpoints are told of

refused(400, 'POST', '/', headers => [ 'X-HTTP-Method-Override', $_ ])
    for 'DELETE', 'x', 'x' x 100;
refused(400, 'POST', '/?_method=DELETE');
refused(400, 'POST', '/', headers => \@form, body => '_method=delete');
refused(400, 'POST', '/', headers => \@json, body => $_)
    for '{"_method":"DELETE"}', '{"\u005fmethod":"delete","task":{}}';
refused(400, 'POST', '/?_method=PUT', headers => \@json,
        body => '{"_method":"PATCH"}');
is_action('POST', '/', headers => \@json, body => $_)
    for '{"_method":"PUT"}', '{"task":{"_method":"DELETE"}}', '{"method":"x"}';

# in the query

is_action('GET', "/put?$_")
    for '_method=PUT', '_method=put', 'a=b&_method=PUT&c', '_METHOD=PUT',
        '%5fmethod=%50%75t', '_method[]=PUT', '_method%5b0%5d=PUT',
        '_method=&_method=PUT';

# some of these are refused as well, by flowdash_strict

for ('.method=PUT', '[_method]=PUT', '?_method=PUT', 'a;_method=PUT',
    '_method=PUT;a', '%20_method=PUT', '_method=+PUT%00', '%00_method=PUT',
    '_method%00=PUT')
{
    like(fate('GET', "/put?$_"), qr/^(?:action|400)$/,
        "an action or refused: $_");
}

passes('GET', "/put?$_")
    for '_method=PATCH', '_method=PUTS', '_method', '_method=', 'method=PUT',
        'my_method=PUT', '_methods=PUT', 'a=_method=PUT', '_method=P+UT',
        '_method=' . 'PUT' x 20, '_method=' . 'x' x 1000;
refused(400, 'GET', '/put?a=1#&_method=PUT');

# in the body of a POST

my $part = sub ($name, $value) {
    return qq(--BB\r\nContent-Disposition: form-data; name="$name"\r\n\r\n)
        . "$value\r\n";
};

is_action('POST', '/put', headers => \@form, body => $_)
    for '_method=put', 'a=b&_method=PUT', 'task[a]=b&%5Fmethod=pUt',
        '_method=PUT&task[a]=b', '_method[]=PUT';
is_action('POST', '/put', headers => \@form, body => '_method=PUT',
    chunked => 1, name => 'chunked');
is_action('POST', '/put', headers => \@form, body => '_method=PUT',
    http2 => 1, no_length => 1, name => 'in HTTP/2 without a length');
is_action('POST', '/put', headers => \@parts, body => "$_--BB--\r\n")
    for $part->('_method', 'put'), $part->('a', 'b') . $part->('_method', 'PUT'),
        $part->('_method', 'PUT') . $part->('task[a]', 'b'),
        $part->('_method[]', 'PUT'), $part->('_METHOD', ' PUT'),
        $part->('_method"; filename="', 'PUT');    # no file to Go
is_action('POST', '/put', headers => \@parts, name => 'beside a long file',
    body => $part->('file"; filename="f', 'x' x 2_000_000)
        . $part->('_method', 'PUT') . "--BB--\r\n");
is_action('POST', '/put', headers => \@json, body => $_)
    for '{"_method":"PUT"}', '{"task":{},"_method":"put"}',
        '{"\u005fmethod":"\u0050ut"}';
is_action('POST', '/whole', headers => \@form, body => '_method=put&a=b');
is_action('POST', '/whole', headers => \@json, body => '{"_method":"put"}');
is_action('POST', '/whole', headers => \@parts,
    body => $part->('_method', 'put') . "--BB--\r\n");

passes('POST', '/put', headers => \@form, body => $_)
    for '', 'a=b', '_method=', '_method', '_method=PATCH', 'a=_method%3DPUT';
passes('POST', '/put', headers => \@parts, body => "$_--BB--\r\n")
    for $part->('a', 'b'), $part->('_method', 'PATCH'),
        $part->('_method"; filename="f', 'PUT');
passes('POST', '/put', headers => \@json, body => $_)
    for '{}', '{"_method":"PATCH"}', '{"task":{"_method":"PUT"}}',
        '{"_method":["PUT"]}', '{"method":"PUT"}', '{"_method":5}';
passes('POST', '/put');
passes('POST', '/put', headers => [ 'Content-Type', $_ ], body => '_method=PUT')
    for 'application/octet-stream', 'text/plain', 'image/png';
passes('DELETE', '/put', headers => \@form, body => '_method=PUT');
passes('POST', '/none', headers => \@form, body => '_method=PUT&;=%%');

$t->request('POST', '/put', headers => \@form, body => 'b=c&_method=PATCH');
is($t->only_request('app')->{body}, 'b=c&_method=PATCH',
   'what passes is untouched');

# what cannot be judged is refused

refused(415, 'POST', '/put', body => $part->('_method', 'PUT') . "--BB--\r\n",
        headers => [ 'Content-Type', "$_; boundary=BB" ])
    for 'multipart/mixed', 'Multipart/Related';
passes('POST', '/put', headers => [ 'Content-Type', 'multi' ], body => 'a');
refused(415, 'POST', '/put', body => '_method=PUT');
refused(415, 'POST', '/put', body => '_method=PUT',
    headers => [ @form, 'Content-Encoding', 'gzip' ]);
refused(415, 'POST', '/put', body => '_method=PUT',
    headers => [ @form, 'Content-Type', 'text/plain' ]);
refused(400, 'POST', '/put', headers => \@json, body => $_)
    for '{"_method":', '[]', '{"_method":"GET","_method":"PUT"}',
        '{"\ud800":1,"_method":"PUT"}';
refused(400, 'POST', '/put', headers => \@parts,
    body => $part->('_method', 'PUT'));
refused(400, 'POST', '/put', headers => \@parts, name => 'a long _method',
    body => $part->('_method', 'P' x 1000) . "--BB--\r\n");

# overrides that differ

for (
    [ 'GET', '/put?_method=PUT&_method=PATCH' ],
    [ 'GET', '/put?_method=PATCH&_method=PUT' ],
    [ 'PUT', '/put?_method=PATCH', 'X-HTTP-Method', 'GET' ],
    [ 'GET', '/put', 'X-HTTP-Method', 'PUT', 'X-HTTP-Method', 'PATCH' ],
    [ 'GET', '/put', 'X-HTTP-Method', 'PATCH, PUT' ],
    [ 'GET', '/put', 'X-HTTP-Method', 'PUT', 'X-Method-Override', 'PATCH' ],
    [ 'POST', '/?_method=GET', 'X-HTTP-Method-Override', 'PUT' ],
) {
    my ($method, $path, @headers) = @$_;
    refused(400, $method, $path, headers => \@headers);
}
refused(400, 'POST', '/put?_method=PATCH', headers => \@form,
    body => '_method=PUT');
refused(400, 'POST', '/', headers => \@form, body => '_method=PUT&_method=GET');
refused(400, 'POST', '/?_method=PUT', headers => \@parts,
    body => $part->('_method', 'GET') . "--BB--\r\n");
is_action('POST', '/put?_method=Put', headers => [ @form, 'X-HTTP-Method',
    'pUT, put' ], body => '_method=PUT&_method=put');
passes('GET', '/put?_method=PATCH&_method=DELETE');
passes('GET', '/none?_method=PATCH&_method=PUT');
like($t->error_log, qr/request_invalid, two overrides of the request's method differ/,
    'the log says so');
for ([ PUT => 'GET' ], [ 'DELETE' ]) {
    my $res = $t->request('POST', '/', body => '{}', headers => [ @json,
        map { ('X-HTTP-Method-Override', $_) } @$_ ]);
    like($res->{json}{detail}, qr/^The request names two methods, /,
         "@$_: and so does the answer");
}

# with the guard

is_action('POST', '/guarded', headers => \@form, body => '_method=PUT');
refused(403, 'POST', '/guarded', headers => \@form, body => '_method=PATCH');
refused(403, 'POST', '/guarded', headers => \@form, body => 'a=b');
refused(403, 'POST', '/guarded', headers => [ 'Content-Type', 'text/plain' ],
    body => '_method=PUT');
passes('GET', '/guarded');

# an internal redirect to another action

is_action('POST', '/tried/', headers => \@form, body => '_method=PUT');
passes('POST', '/tried/', headers => \@form, body => '_method=PATCH');

# a subrequest of another module

passes('POST', '/mirrored', headers => [ @json, 'X-HTTP-Method', 'PUT' ],
    body => '{}');
$t->wait_for(sub { $t->error_log =~ /subrequest of another module/ });
like($t->error_log, qr/subrequest of another module to an action/,
    'by an override');

$t->done;
