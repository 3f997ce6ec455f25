# What "nginx -t" refuses, naming the directive, the value and the reason, and
# what it accepts.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;
my $dir = $t->dir;

$t->write_file('empty.pem', '');
$t->write_file('text.pem', "no certificate\n");
$t->write_file('broken.pem', "-----BEGIN CERTIFICATE-----\nAAAA\n"
                             . "-----END CERTIFICATE-----\n");

system("openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost"
       . " -keyout $dir/key.pem -out $dir/cert.pem 2>$dir/openssl.log") == 0
    or BAIL_OUT('openssl does not make a certificate');

# All the texts are in what nginx says.

sub refused {
    my ($name, $conf, @texts) = @_;
    my ($ok, $output) = $t->test_config($conf);
    my ($line) = $output =~ /(\[emerg\].*)/s;
    my @missing = grep { index($line // '', $_) < 0 } @texts;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(!$ok && defined $line && !@missing, "refused: $name")
        or diag("missing: @missing\n", $output);
    return $output;
}

sub accepted {
    my ($name, $conf) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $t->conf_ok($conf, "accepted: $name");
}

sub location { return "location / {\n$_[0]\n}" }
sub action   { return location("flowdash_action A;\n$_[0]") }
sub step     { return action("flowdash_step S {\n$_[0]\n}") }
sub call     { return step("flowdash_call $_[0];") }

sub http {
    return "$_[0]\nserver { listen 127.0.0.1:%%PORT_http%%; }";
}


# The structure: actions, steps, and what is in them

refused('a step outside an action',
    location('flowdash_step S { return 204; }'),
    '"flowdash_step" outside an action', '"flowdash_action" is missing',
    "$dir/test.conf:");
refused('an action without steps', action(''),
    '"flowdash_action" "A" has no "flowdash_step"');
refused('an action without steps inside one that is off',
    location('flowdash_action off; location /a { flowdash_action A; }'),
    '"flowdash_action" "A" has no "flowdash_step"');
refused('steps of an action that is off',
    location('flowdash_action off; flowdash_step S { return 204; }'),
    '"flowdash_step" outside an action');

for my $inside ('', 'set $a b;', 'proxy_set_header A b;',
                'flowdash_timeout 1s;', 'if ($uri = /) { set $a b; }',
                'if ($uri ~ /) { set $a b; }', 'rewrite_log on;')
{
    refused("a step without a content handler: {$inside}", step($inside),
        '"flowdash_step" "S" has no content handler', '"flowdash_call"');
}

refused('a step that has the handler of its location only',
    location('flowdash_action A; proxy_pass http://127.0.0.1:1;
              flowdash_step S { proxy_set_header A b; }'),
    '"flowdash_step" "S" has no content handler');
refused('a step in a step', step('flowdash_step T { return 204; }'),
    '"T"', '"flowdash_step"', 'a step cannot be in a step');
refused('a location in a step',
    step('return 204; location /a { return 204; }'),
    'location "/a"', '"flowdash_step" "S"', 'a step has no locations');
refused('a location in a step, by expression',
    step('location ~ ^/b { return 204; } return 204;'),
    'location "^/b"', '"flowdash_step" "S"', 'a step has no locations');
refused('two steps of one name',
    action('flowdash_step "a b" { return 204; }
            flowdash_step "a b" { return 200; }'),
    '"a b"', '"flowdash_step"', 'has a step of this name');
refused('a step as an action', step('flowdash_action B; return 204;'),
    '"B"', '"flowdash_action"', 'a step cannot be an action');
refused('a step as no action', step('flowdash_action off; return 204;'),
    '"off"', '"flowdash_action"', 'a step cannot be an action');
refused("$_ in a step", step("$_; return 204;"),
    '"flowdash_step" "S"', '"' . s/ .*//r . '"', 'is for the whole action')
    for 'flowdash_task ""', 'flowdash_methods GET', 'flowdash_methods all',
        'flowdash_guard on', 'flowdash_guard off', 'flowdash_deadline 1s',
        'flowdash_dry_run 1', 'flowdash_dry_run off';

refused('flowdash_call in a location',
    location('flowdash_call http://localhost/;'),
    '"flowdash_call"', 'allowed in "flowdash_step" only');
refused('flowdash_call in an action',
    action('flowdash_call http://localhost/;'),
    '"flowdash_call"', 'allowed in "flowdash_step" only');

my $not_here = 'directive is not allowed here';

refused('flowdash_call in an if',
    location('if ($uri) { flowdash_call http://localhost/; }'),
    '"flowdash_call"', $not_here);
refused('flowdash_call in an if of a step',
    step('if ($uri) { flowdash_call http://localhost/; }'),
    '"flowdash_call"', $not_here);
refused('flowdash_call in limit_except',
    location('limit_except GET { flowdash_call http://localhost/; }'),
    '"flowdash_call"', $not_here);
refused("$_ at server level", "$_ server { listen 127.0.0.1:1; }",
    '"flowdash_', $not_here)
    for 'flowdash_action A;', 'flowdash_step A { return 204; }',
        'flowdash_call http://localhost/;';
refused("$_ at http level", http($_), '"flowdash_', $not_here)
    for 'flowdash_action A;', 'flowdash_step A { return 204; }',
        'flowdash_call http://localhost/;';
refused("$_ in an if", location("if (\$uri) { $_ }"), '"flowdash_', $not_here)
    for 'flowdash_action A;', 'flowdash_step A { return 204; }';

my $other = 'has another content handler as well';

refused('flowdash_call before proxy_pass',
    step('flowdash_call http://localhost/; proxy_pass http://127.0.0.1:1;'),
    '"flowdash_call"', '"flowdash_step" "S"', $other);
refused('flowdash_call after proxy_pass',
    step('proxy_pass http://127.0.0.1:1; flowdash_call http://localhost/;'),
    '"flowdash_call"', '"flowdash_step" "S"', $other);


# what is for flowdash_call only, in a step that has another content handler

refused("$_ for proxy_pass", step("$_; proxy_pass http://127.0.0.1:1;"),
    '"flowdash_step" "S"', '"' . s/ .*//r . '" is for "flowdash_call" only')
    for 'flowdash_retry 1', 'flowdash_proxy http://localhost:1',
        'flowdash_http_version 1.1', 'flowdash_connect_timeout 1s',
        'flowdash_ssl_verify off', 'flowdash_ssl_protocols TLSv1.2',
        'flowdash_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt',
        'flowdash_ssl_pinned_key "sha256//' . 'A' x 43 . '="';
refused("$_ for proxy_pass", step("$_; proxy_pass http://127.0.0.1:1;"),
    '"flowdash_step" "S"', '"flowdash_allow" and "flowdash_deny"',
    'flowdash_call')
    for 'flowdash_allow all', 'flowdash_deny all';

refused("$_ twice", action("$_; $_; flowdash_step S { return 204; }"),
    '"' . s/ .*//r . '" directive is duplicate')
    for 'flowdash_methods GET', 'flowdash_methods all', 'flowdash_guard on',
        'flowdash_guard off', 'flowdash_dry_run 1', 'flowdash_dry_run off',
        'flowdash_success 200', 'flowdash_outcome off';

refused('a certificate that is a directory',
    call('http://localhost/; flowdash_ssl_trusted_certificate /tmp'),
    '"/tmp" in "flowdash_ssl_trusted_certificate"',
    'a file with certificates in PEM is expected');
refused('a key that is a directory',
    call('http://localhost/; flowdash_sign_key file:/tmp'), '"/tmp"');


# URLs

my $scheme = 'must start with "http://" or "https://"';
my $characters = 'must not have white space, control characters, non-ASCII';
my $port = 'the port must not have variables';

for (
    [ 'ftp', 'ftp://localhost/', $scheme ],
    [ 'no scheme', 'localhost/x', $scheme ],
    [ 'a scheme alone', 'http:', $scheme ],
    [ 'one slash', 'http:/localhost/', $scheme ],
    [ 'a scheme from a variable', '$scheme://localhost/', $scheme ],
    [ 'a variable', '$uri', $scheme ],
    [ 'no host', 'http://', 'has no host' ],
    [ 'no host but a path', 'http:///x', 'has no host' ],
    [ 'no host but a query', 'https://?x', 'has no host' ],
    [ 'no host but a user', 'http://user@/x', 'has no host' ],
    [ 'no host but a port', 'http://:80/x', '' ],
    [ 'a port from a variable', 'http://localhost:$server_port/', $port ],
    [ 'a port from a variable behind one', 'http://$host:$server_port/',
      $port ],
    [ 'a variable behind the port', 'http://localhost:80$uri', $port ],
    [ 'a user from a variable', 'http://$remote_user@localhost/',
      'user and password must not have variables' ],
    [ 'a fragment', 'http://localhost/a#b', 'or a fragment' ],
    [ 'a space in the path', 'http://localhost/a b', $characters ],
    [ 'a space in the host', 'http://local host/', $characters ],
    [ 'a line feed', "http://localhost/a\nb", $characters ],
    [ 'a letter that is not ASCII', "http://localhost/\xc3\xa9",
      $characters ],
    [ 'a ".." in the path', 'http://localhost/a/../b', 'may be "." or ".."' ],
    [ 'a "." at the end', 'http://localhost/a/.', 'may be "." or ".."' ],
    [ 'unix, a ".." in the path', 'http://unix:/a.sock:/../b',
      'may be "." or ".."' ],
    [ 'port 99999', 'http://localhost:99999/', 'ort number' ],
    [ 'a port that is no number', 'http://localhost:http/', 'ort number' ],
    [ 'a bad IPv6 address', 'http://[::1/', '' ],
    [ 'unix by https', 'https://unix:/a.sock:/',
      'is written "http://unix:' ],
    [ 'unix, no path', 'http://unix:', 'must be absolute' ],
    [ 'unix, an empty path', 'http://unix::/x', 'must be absolute' ],
    [ 'unix, a relative path', 'http://unix:a/b.sock:/',
      'must be absolute' ],
    [ 'unix, a variable in the path', 'http://unix:/$host.sock:/',
      'path of a unix socket must not have variables' ],
    [ 'unix, a path of 200 characters', 'http://unix:/' . 'a' x 200 . ':/',
      'path of a unix socket is too long' ],
    [ 'unix, a URI without a slash', 'http://unix:/a.sock:b',
      'must start with "/"' ],
) {
    my ($name, $url, $reason) = @$_;
    my ($shown) = split /\n/, $url;
    my $output = refused("URL: $name", call(qq("$url")),
        $url =~ /@/ ? 'invalid URL' : qq(invalid "$shown));
    unlike($output, qr/@/, "no user is shown: $name") if $url =~ /@/;
    like($output,
        qr{ in "flowdash_call": (?=\S).*\Q$reason\E.* in \Q$dir\E/test.conf:},
        "and why: $name");
}

refused("URL: a variable host without flowdash_allow: $_",
    call(qq("$_")), '"flowdash_step" "S"',
    'flowdash_allow" must say which addresses may be called')
    for 'http://$host/', 'http://a.$host:80/', 'http://localhost$uri';

refused('URL: an unknown variable', call('http://localhost/$no_such'),
    'unknown "no_such" variable');
refused('URL: an open brace', call('"http://localhost/${uri"'),
    'closing bracket in "uri" variable is missing');
refused('URL: a dollar sign alone', call('"http://localhost/$-"'),
    'invalid variable name');
refused('URL: empty', call('""'), 'invalid "" in "flowdash_call"', $scheme);
refused('two URLs', step('flowdash_call http://a/; flowdash_call http://b/;'),
    '"flowdash_call" directive is duplicate');


# Values

for my $pointer ('task', '~0', '/a~', '/a~2', '/~/b', 'a/b', '#/task', ' /a') {
    refused("pointer $pointer", action(qq(flowdash_task "$pointer";)),
        qq(invalid "$pointer" in "flowdash_task"), 'a JSON pointer is empty');
}

refused('a pointer that is not UTF-8', action("flowdash_task /\xff;"),
    'in "flowdash_task"', 'must be UTF-8');
refused('a pointer deeper than any body',
    action('flowdash_task ' . '/a' x 128 . ';'),
    'in "flowdash_task"', 'deeper than any accepted body');

for my $directive (qw(flowdash_connect_timeout flowdash_timeout
                      flowdash_deadline))
{
    refused("$directive $_", action(qq($directive "$_";)),
        qq(invalid "$_" in "$directive"), 'a time over 0 is expected')
        for '0', '0s', 'soon', '-1', '-1s', '5 x', '1.5s', '', '5sec',
            '99999999999999999999d';
}

refused("flowdash_max_response_size $_",
    action(qq(flowdash_max_response_size "$_";)),
    qq(invalid "$_" in "flowdash_max_response_size"),
    'a size over 0 is expected')
    for '0', '0k', 'large', '-1', '-1k', '1.5m', '', '64kb',
        '99999999999999999999m';

refused("flowdash_accept Stage $_", action("flowdash_accept Stage $_;"),
    qq(invalid "$_" in "flowdash_accept"), 'it must stand alone')
    for 'all', 'none';

refused('flowdash_ssl_verify maybe', action('flowdash_ssl_verify maybe;'),
    '"maybe"', '"flowdash_ssl_verify"', 'it must be "on" or "off"');
refused("method $_", action(qq(flowdash_methods POST "$_";)),
    qq(invalid "$_" in "flowdash_methods"),
    q(a method is 1 to 32 of the characters A-Z, "-" and "_"))
    for 'foo', 'all', 'POST DATA', 'M2', 'A' x 33, '';

refused("flowdash_retry $_", action("flowdash_retry $_;"),
    'invalid "' . s/ .*|"//gr . '" in "flowdash_retry"',
    'the number of repeats is expected, from 1 to 10, or "off"')
    for '0', '11', '-1', '1.5', '2x', '""', 'on', 'error', 'off 503',
        '99999999999999999999';
refused("flowdash_retry 2 $_", action("flowdash_retry 2 $_;"),
    'invalid "' . s/^(?:503 )?"?|"$//gr . '" in "flowdash_retry"',
    '"error", "timeout", "timeout=time", "429", "500"', 'is expected')
    for '501', '5XX', '4xx', '3', 'off', 'always', 'timeouts', 'Error',
        'error=1s', '503=1s', '503 404', '""', '"503 504"';
refused("flowdash_retry 2 timeout=$_", action("flowdash_retry 2 timeout=$_;"),
    qq(invalid "timeout=$_" in "flowdash_retry"),
    'a time over 0 for one attempt is expected')
    for '', '0', '0s', '-1s', 'soon', '1.5s', '99999999999999999999d';
refused('flowdash_retry with two times',
    action('flowdash_retry 2 timeout=1s 503 timeout=2s;'),
    'invalid "timeout=2s" in "flowdash_retry"',
    'only one "timeout=time" is expected');
refused('flowdash_retry of nothing', action('flowdash_retry;'),
    'invalid number of arguments in "flowdash_retry"');
refused('flowdash_retry in a proxied step',
    step('flowdash_retry 2; proxy_pass http://127.0.0.1:1;'),
    '"flowdash_step" "S"', '"flowdash_retry" is for "flowdash_call" only');
refused('flowdash_retry off in a proxied step',
    step('flowdash_retry off; proxy_pass http://127.0.0.1:1;'),
    '"flowdash_step" "S"', '"flowdash_retry" is for "flowdash_call" only');
refused('flowdash_retry in an if',
    location('if ($uri) { flowdash_retry 2; }'),
    '"flowdash_retry"', $not_here);

my $certificate = 'flowdash_ssl_trusted_certificate';
my $pem = 'a file with certificates in PEM is expected';

refused('a trusted certificate that is missing',
    action("$certificate $dir/none.pem;"),
    "$dir/none.pem", 'No such file or directory');
like(($t->test_config(action("$certificate none.pem;")))[1],
    qr/invalid "none.pem" in "$certificate": \Q$pem\E/, 'and its directive');

for (qw(empty text broken)) {
    my (undef, $output) = $t->test_config(
        action("$certificate $dir/$_.pem;"));
    like($output, qr/invalid "\S+$_.pem" in "$certificate": \Q$pem\E/,
        "refused: a trusted certificate, $_");
    unlike($output, qr/test is successful/, "and it is the end: $_");
}

refused('a trusted certificate without a name', action("$certificate '';"),
    qq(invalid "" in "$certificate"), 'the name of a file is expected');


# Names

refused('an empty action', location('flowdash_action "";'),
    'invalid "" in "flowdash_action"', 'the name is empty', '"off"');
refused('an action that is not UTF-8', location("flowdash_action \"a\xff\";"),
    'in "flowdash_action"', 'must be UTF-8');
refused('an empty step', action('flowdash_step "" { return 204; }'),
    'invalid "" in "flowdash_step"', 'must be UTF-8 and not empty');
refused('a step that is not UTF-8',
    action("flowdash_step \"\xc3\" { return 204; }"),
    'in "flowdash_step"', 'must be UTF-8 and not empty');
refused('an empty field of the user', action('flowdash_user "" a;'),
    'invalid "" in "flowdash_user"', 'must be UTF-8 and not empty');
refused('a field of the user that is not UTF-8',
    action("flowdash_user \"\xed\xa0\x80\" a;"),
    'in "flowdash_user"', 'must be UTF-8 and not empty');

refused('header "' . s/[^ -~]/?/gr . '"',
    action(qq(flowdash_set_header "$_" a;)),
    'in "flowdash_set_header"', 'not the name of a header')
    for '', 'A B', 'A:', ':A', "A\nB", "A\r", "\xc3\xa9", 'A(b)', 'A,B',
        'A=b', 'A/b', "A\tB", 'A@b', 'A{b}', '[A]';

refused("header $_", action("flowdash_set_header $_ a;"),
    qq(invalid "$_" in "flowdash_set_header"), 'belongs to the connection')
    for qw(Connection content-length Expect Keep-Alive Proxy-Connection TE
           Trailer TRANSFER-ENCODING Upgrade);


# What is there twice

refused("$_ twice", action("$_;\n$_;"),
    '"' . s/ .*//r . '" directive is duplicate')
    for 'flowdash_action B', 'flowdash_task /a', 'flowdash_timeout 1s',
        'flowdash_connect_timeout 1s', 'flowdash_deadline 1s',
        'flowdash_max_response_size 1k', 'flowdash_ssl_verify on',
        'flowdash_retry 2', "$certificate $dir/cert.pem";

refused('flowdash_action off twice',
    location('flowdash_action off; flowdash_action off;'),
    '"flowdash_action" directive is duplicate');
refused('flowdash_task "" twice', http('flowdash_task ""; flowdash_task "";'),
    '"flowdash_task" directive is duplicate');
refused('a field of the user twice',
    http('flowdash_user id $arg_a; flowdash_user id $arg_b;'),
    'invalid "id" in "flowdash_user"', 'it is set twice here');
refused('a header twice',
    action('flowdash_set_header X-A a; flowdash_set_header X-B b;
            flowdash_set_header X-A c;'),
    'invalid "X-A" in "flowdash_set_header"', 'it is set twice here');
refused('flowdash_task with another word',
    http('flowdash_task /task needed;'),
    '"needed" in "flowdash_task"', '"required" is expected');
accepted('flowdash_task required', http('flowdash_task /task required;'));
refused('a header twice, in another case',
    action('flowdash_set_header X-A a; flowdash_set_header x-a b;'),
    'invalid "x-a" in "flowdash_set_header"', 'it is set twice here');


# What is accepted

my $all = <<"EOC";
    flowdash_user id \$remote_user;
    flowdash_user ID \$http_x_id;
    flowdash_user role "a \$http_x_role";
    flowdash_set_header X-A "a \$http_x_a";
    flowdash_set_header "!#%&'*+-.^_`|~" a;
    flowdash_set_header Host example.com;
    flowdash_connect_timeout 500ms;
    flowdash_timeout "1m 5s";
    flowdash_retry 3 error timeout=10s 429 5xx;
    flowdash_max_response_size 2m;
    flowdash_ssl_verify off;
    flowdash_ssl_trusted_certificate cert.pem;
EOC

my $step = $all;

$all .= <<"EOC";
    flowdash_methods POST GET DELETE QUERY VERSION-CONTROL;
    flowdash_task /a~0/b~1/0//\xc3\xa9;
    flowdash_deadline 1h;
    flowdash_dry_run \$arg_dry;
EOC

accepted('every directive at http level', http($all));
accepted('every directive at server level',
    "server { listen 127.0.0.1:%%PORT_http%%; $all }");
accepted('every directive in a location', location($all));
accepted('every directive in a step',
    step("$step flowdash_call http://localhost/;"));
accepted('every directive on all levels', <<"EOC");
    $all
    server {
        listen 127.0.0.1:%%PORT_http%%;
        $all
        location / { $all flowdash_action A; flowdash_step S { $step
            flowdash_call http://localhost/; } }
    }
EOC

accepted("in a step: $_", step($_))
    for 'return 204;', 'return 301 /a;', 'proxy_pass http://127.0.0.1:1;',
        'proxy_pass http://127.0.0.1:1/a/b?c=d;',
        'proxy_pass http://127.0.0.1:1$request_uri;',
        'proxy_pass http://unix:/a.sock:/b;',
        'fastcgi_pass 127.0.0.1:1;', 'uwsgi_pass 127.0.0.1:1;',
        'scgi_pass 127.0.0.1:1;', 'grpc_pass 127.0.0.1:1;', 'stub_status;',
        'if ($uri = /) { return 503; } return 204;',
        'if ($uri ~ a(.)) { set $x $1; } flowdash_call http://localhost/$x;',
        'flowdash_call http://localhost/; if ($uri) { set $y 1; }',
        'rewrite ^ /b break; proxy_pass http://127.0.0.1:1;',
        'limit_rate 1k; deny all; flowdash_call http://localhost/;';

accepted("URL $_", call(qq("$_")))
    for 'http://localhost', 'HTTPS://LOCALHOST:443/', 'http://localhost?a=b',
        'http://user:pass@localhost:1/', 'http://[::1]:80/a', 'http://1.2.3.4',
        'http://localhost/$uri/${uri}a?b=$args&c', 'http://localhost/?$args',
        'http://localhost/%2f/...//b/.a?../b', 'http://unix:/a.sock',
        'http://unix:/a.sock:', 'http://unix:/a.sock:/b$uri?c',
        'http://a_b.example.com/', 'https://xn--bcher-kva.example/a;b=c';

accepted("pointer \"$_\"", action(qq(flowdash_task "$_";
                                     flowdash_step S { return 204; })))
    for '', '/', '//', '/a/b', '/~0~1', '/a' x 127;

accepted("flowdash_retry $_", call("http://localhost/; flowdash_retry $_"))
    for 'off', '1', '10', '2 error', '2 timeout', '2 timeout=3s',
        '2 timeout=1500ms 5xx', '2 error timeout 429 500 502 503 504 5xx';
accepted('flowdash_retry around a proxied step', <<'EOC');
    flowdash_retry 2;
    location / {
        flowdash_retry off;
        flowdash_action A;
        flowdash_step S { proxy_pass http://127.0.0.1:1; }
    }
EOC

accepted('flowdash_action off in a location',
    location('flowdash_action off;'));
accepted('an action by a variable',
    location('flowdash_action "a $arg_b"; flowdash_step S { return 204; }'));
accepted('steps that another location has, too',
    'location /a { flowdash_action A; flowdash_step S { return 204; } }
     location /b { flowdash_action A; flowdash_step S { return 204; } }');
accepted('steps whose names differ in case',
    action('flowdash_step S { return 204; } flowdash_step s { return 204; }'));
accepted('inherited steps in a nested action', <<'EOC');
    location / {
        flowdash_action A;
        flowdash_step S { return 204; }
        location /b { flowdash_action B; }
        location /c { flowdash_step S { return 204; } }
        location /d { flowdash_action off; }
        if ($arg_a) { set $a b; }
        limit_except POST { deny all; }
    }
EOC
accepted('"off" as a variable\'s value',
    location('set $o off; flowdash_action $o;
              flowdash_step S { return 204; }'));
accepted('the module, not used', '');

$t->done;
