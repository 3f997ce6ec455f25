# What the user is told when a step fails: the module's own page, as HTML or
# problem+json, or the one of error_page; and that nothing goes on behind it.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use JSON::PP ();

my $t = Test::Flowdash->new;

$t->endpoint(ok => {});
$t->endpoint(fail => sub {
    my $req = shift;
    return { status => $req->{target} eq '/504' ? 504 : 500,
             headers => [ 'X-Inner' => 1, 'Content-Type' => 'text/html' ],
             body => 'the inner detail' };
});
$t->endpoint(never => {});
$t->endpoint(accel => sub {
    my $req = shift;
    return { headers => [ 'X-Accel-Redirect' =>
                          $req->{target} =~ /named/ ? '@accel' : '/accel/' ] };
});
$t->endpoint(app => sub {
    my $req = shift;
    my ($to) = $req->{target} =~ /to=(\S+)/;
    return { body => 'app',
             headers => [ defined $to ? ('X-Accel-Redirect' => $to) : () ] };
});

$t->write_file('sorry.html', join ' ', 'Sorry:', map {
    qq(<!--# echo var="flowdash_$_" default="none" -->)
} qw(action failed_step error result id));

# three steps, the second of which fails
my $steps = <<'EOC';
    flowdash_step "First" { flowdash_call http://127.0.0.1:%%PORT_ok%%/; }
    flowdash_step "Second <b>&\"'" {
        flowdash_call http://127.0.0.1:%%PORT_fail%%/inner/path;
    }
    flowdash_step "Third" { flowdash_call http://127.0.0.1:%%PORT_never%%/; }
    proxy_pass http://127.0.0.1:%%PORT_app%%;
EOC

my $page = qq(flowdash_action "Page"; $steps);
my $proxied = $steps =~ s/flowdash_call/proxy_pass/gr;

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    log_format flow '\$request_uri|\$status|\$flowdash_action|'
                    '\$flowdash_failed_step|\$flowdash_error|\$flowdash_id';

    server {
        listen 127.0.0.1:%%PORT_http%%;
        access_log %%DIR%%/flow.log flow;

        add_header X-Step \$flowdash_failed_step always;
        add_header X-Error \$flowdash_error always;
        add_header X-Id \$flowdash_id always;

        location / {
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /call { flowdash_action "Finish <i>&amp;"; $steps }
        location /proxy { flowdash_action "Finish <i>&amp;"; $proxied }

        location /fields {
            flowdash_max_fields_size 8;
            flowdash_action "Fields";
            $steps
        }

        location ~ ^/named/(?<name>.*) { flowdash_action "\$name"; $steps }

        location /task { flowdash_action "\$flowdash_task_name"; $steps }

        location /connect {
            flowdash_action "Connect";
            flowdash_step "S" { flowdash_call http://127.0.0.1:1/; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /utf8 {
            flowdash_action "Abschlie\xc3\x9fen";
            flowdash_step "Pr\xc3\xbcfung \\\\" { return 500; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /sorry.html {
            internal;
            ssi on;
            root %%DIR%%;
            default_type text/html;
            add_header X-Sorry "\$flowdash_failed_step, \$flowdash_error"
                       always;
            add_header X-Id \$flowdash_id always;
        }

        location /page {
            error_page 502 400 415 /sorry.html;
            $page
        }

        location /page/intercept {
            proxy_intercept_errors on;
            error_page 500 502 /sorry.html;
            flowdash_action "Page";
            $proxied
        }

        location /page/504/intercept {
            proxy_intercept_errors on;
            error_page 504 = \@named;
            flowdash_action "Page";
            flowdash_step "S" {
                proxy_pass http://127.0.0.1:%%PORT_fail%%/504;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /page/200 { error_page 502 =200 /sorry.html; $page }
        location /page/302 { error_page 502 =302 /elsewhere; $page }
        location /page/equal { error_page 502 = /status; $page }
        location /page/504 { error_page 504 500 /sorry.html; $page }
        location /page/named { error_page 502 \@named; $page }
        location /page/url { error_page 502 http://example.com/; $page }
        location /page/missing { error_page 502 /nosuch.html; $page }

        location /page/inner {
            error_page 502 /sorry.html;
            flowdash_action "Page";
            flowdash_step "S" {
                error_page 500 =200 /sorry.html;
                error_page 503 =204 \@named;
                return 500;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /status { return 409 'by the page'; }
        location \@named { return 502 'named: \$flowdash_failed_step'; }

        location /nosuch.html { root %%DIR%%; }

        # error pages that are actions

        location /to/named { error_page 502 \@action; $steps
                             flowdash_action "To"; }
        location /to/plain { error_page 502 \@app; $steps
                             flowdash_action "To"; }
        location /to/uri { error_page 502 /posted; $steps
                           flowdash_action "To"; }
        location /to/get { error_page 502 /get/action; $steps
                           flowdash_action "To"; }
        location /to/itself {
            recursive_error_pages on;
            error_page 502 /to/itself;
            flowdash_methods GET POST;
            flowdash_action "To";
            $steps
        }

        location \@action {
            flowdash_action "Other";
            flowdash_step "Never" {
                flowdash_call http://127.0.0.1:%%PORT_never%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location \@app { proxy_pass http://127.0.0.1:%%PORT_app%%; }

        location /posted {
            flowdash_action "Other";
            flowdash_step "Never" {
                flowdash_call http://127.0.0.1:%%PORT_never%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /get/action {
            flowdash_methods GET;
            flowdash_action "Other";
            flowdash_step "Never" {
                flowdash_call http://127.0.0.1:%%PORT_never%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        # X-Accel-Redirect

        location /pass {
            flowdash_methods POST GET;
            flowdash_action "Pass";
            flowdash_step "First" {
                flowdash_call http://127.0.0.1:%%PORT_ok%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location \@pass {
            flowdash_action "Pass again";
            flowdash_step "Never" {
                flowdash_call http://127.0.0.1:%%PORT_never%%/;
            }
            return 200 'named once';
        }

        location /accel/ { internal; return 200 'followed'; }
        location \@accel { return 200 'followed'; }

        location /accel/proxy {
            flowdash_action "Accel";
            flowdash_step "S" { proxy_pass http://127.0.0.1:%%PORT_accel%%/; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
        location /accel/named {
            flowdash_action "Accel";
            flowdash_step "S" {
                proxy_pass http://127.0.0.1:%%PORT_accel%%/named;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
        location /accel/call {
            flowdash_action "Accel";
            flowdash_step "S" {
                flowdash_call http://127.0.0.1:%%PORT_accel%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
        location /rewrite/last {
            flowdash_action "Rewrite";
            flowdash_step "S" {
                rewrite ^ /accel/ last;
                proxy_pass http://127.0.0.1:%%PORT_ok%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /rewrite/fail {
            flowdash_action "Rewrite";
            flowdash_step "S" { rewrite ^ /status last; return 204; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /small {
            client_max_body_size 10;
            flowdash_action "Small";
            $steps
        }
    }
}
EOC

$t->run;

my $body = '{"task":{"a":1}}';
my $step = qq(Second <b>&"');
my $browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,'
              . 'image/avif,image/webp,*/*;q=0.8';

sub act {
    my ($path, %option) = @_;
    my $accept = delete $option{accept};
    $t->clear_requests($_) for qw(ok fail never app accel);
    return $t->request('POST', $path, body => $body, %option, headers => [
        'Content-Type' => 'application/json', Accept => $accept,
        @{ $option{headers} // [] } ]);
}

sub called {
    return join ' ', map { ($_) x $t->requests($_) }
        qw(ok fail never accel app);
}

sub kind { return ($_[0]->header('Content-Type') // '') =~ s/;.*//r }


# the module's own page

my $ports = join '|', map { $t->port($_) } qw(ok fail never app http);
my $inner = qr/127\.0\.0\.1|localhost|https?:|inner|\b(?:$ports)\b/i;

for my $path ('/call', '/proxy') {
    my $res = act($path, accept => $browser);
    my $id = $res->header('X-Id');

    is($res->{status}, 502, "$path: status");
    is(called(), 'ok fail', "$path: the third and the app see nothing");
    is($res->header('Content-Type'), 'text/html; charset=utf-8',
        "$path: HTML for a browser");
    is($res->header('Content-Length'), length $res->{body},
        "$path: with its length");
    like($res->{body}, qr/^<!DOCTYPE html>\n<html lang="en" dir="ltr">.*<\/html>\n\z/s,
        "$path: a whole page");
    like($res->{body}, qr/<title>[^<]+<\/title>.*<main>.*<h1>/s,
        "$path: title and heading");
    like($res->{body}, qr/Finish &lt;i&gt;&amp;amp;/, "$path: the action");
    like($res->{body}, qr/Second &lt;b&gt;&amp;(?:"|&quot;)(?:'|&#39;)/,
        "$path: the step");
    unlike($res->{body}, qr/<[bi]>/, "$path: escaped");
    like($id, qr/^[0-9a-f]{32}$/, "$path: the id");
    like($res->{body}, qr/\b$id\b/, "$path: is on the page");
    like($t->error_log, qr/ \[error\] .*flowdash: .*\bid $id\b/,
        "$path: and in the log");
    unlike($res->{body}, $inner, "$path: nothing internal");
    is($res->header('X-Inner'), undef, "$path: no header of the endpoint");

    $res = act($path, accept => 'application/json');
    my $problem = $res->json;

    is($res->{status}, 502, "$path: status, JSON");
    is($res->header('Content-Type'), 'application/problem+json',
        "$path: problem+json");
    is($res->header('Content-Length'), length $res->{body},
        "$path: problem+json with its length");
    is($problem->{status}, 502, "$path: problem+json, status");
    is($problem->{action}, 'Finish <i>&amp;', "$path: problem+json, action");
    is($problem->{step}, $step, "$path: problem+json, step");
    is($problem->{id}, $res->header('X-Id'), "$path: problem+json, id");
    like($problem->{title}, qr/\w/, "$path: problem+json, title");
    like($problem->{detail}, qr/\Q$step\E/, "$path: problem+json, detail");
    unlike($res->{body}, $inner, "$path: problem+json, nothing internal");
    is($res->header('X-Step'), $step, "$path: \$flowdash_failed_step");
    is($res->header('X-Error'), 'status', "$path: \$flowdash_error");
}

my $res = act('/utf8', accept => 'text/html');
like($res->{body}, qr/Abschlie\xc3\x9fen/, 'UTF-8, the action');
like($res->{body}, qr/Pr\xc3\xbcfung \\</, 'UTF-8, the step');
$res = act('/utf8', accept => 'application/json');
is($res->json->{action}, "Abschlie\x{df}en", 'UTF-8 in JSON, the action');
is($res->json->{step}, "Pr\x{fc}fung \\", 'UTF-8 in JSON, the step');

isnt(act('/call')->header('X-Id'), act('/call')->header('X-Id'),
    'each execution has its own id');


# Accept

my ($html, $json) = ('text/html', 'application/problem+json');

for (
    [ $browser => $html ], [ 'text/html' => $html ], [ 'text/*' => $html ],
    [ 'application/json' => $json ], [ 'application/problem+json' => $json ],
    [ 'application/vnd.api+json' => $json ], [ 'Application/JSON' => $json ],
    [ 'application/*' => $json ], [ '*/*' => $json ], [ undef, $json ],
    [ '' => $json ], [ 'image/png' => $json ],
    [ 'application/json, text/plain, */*' => $json ],
    [ 'application/json;q=0.5, text/html' => $html ],
    [ 'application/json;q=0.5,text/html;q=0.4' => $json ],
    [ 'text/html ; q=0.4 , application/json ; q=0.5' => $json ],
    [ 'text/html;level=1;q=0.3, application/json;Q=0.4' => $json ],
    [ 'application/json;q=0.999, text/html;q=1' => $html ],
    [ 'application/json;q=0, text/html;q=0.001' => $html ],
    [ 'application/json;q=0.001, text/html;q=0' => $json ],
    [ 'application/json;q=0, */*' => $html ],
    [ '*/*, text/html;q=0.5' => $json ], [ '*/*;q=0.1, text/html' => $html ],
    [ 'text/html;q=0.5, application/*' => $json ],
    [ 'text/*, application/json;q=0.9' => $html ],
    [ 'application/json, text/html' => $json ],
    [ ',, ,text/html,,' => $html ], [ 'text/html;' => $html ],
    [ 'text/htmlx' => $json ], [ ';q=1,/' => $json ],
    [ 'text/html;foo="a,application/json;q=1"' => $html ],
) {
    my ($accept, $kind) = @$_;
    is(kind(act('/call', accept => $accept)), $kind,
        'Accept: ' . ($accept // 'none'));
}

is(kind(act('/call', accept => 'text/html;q=0.1',
            headers => [ Accept => 'application/json' ])), $json,
    'Accept: on two lines');
is(kind($t->request('POST', '/call', headers => [ Accept => '*/*' ])), $html,
    'Accept: */*, nothing sent');

for (
    [ $json, 'a script', 'Sec-Fetch-Dest' => 'empty' ],
    [ $json, 'a script, Accept: */*', 'sec-fetch-dest' => 'empty',
      Accept => '*/*' ],
    [ $json, 'jQuery', 'X-Requested-With' => 'XMLHttpRequest' ],
    [ $html, 'a script that asks for HTML', 'Sec-Fetch-Dest' => 'empty',
      Accept => 'text/html, */*;q=0.1' ],
    [ $html, 'htmx', 'Sec-Fetch-Dest' => 'empty', 'HX-Request' => 'true',
      Accept => '*/*' ],
    [ $html, 'htmx, in another order', 'HX-Request' => 'true',
      'X-Requested-With' => 'XMLHttpRequest' ],
    [ $html, 'a form in a page', 'Sec-Fetch-Dest' => 'document' ],
    [ $html, 'an app on a phone', 'X-Requested-With' => 'com.example.app' ],
) {
    my ($type, $name, @headers) = @$_;
    is(kind($t->request('POST', '/call', headers => \@headers)), $type,
        "without a preference: $name");
}
is(kind($t->request('POST', '/call')), $html, 'no Accept, nothing sent');


# requests that cannot be read

$res = act('/call', body => '{', accept => $browser);
is($res->{status}, 400, 'invalid request: status');
like($res->{body}, qr/Finish &lt;i&gt;/, 'invalid request: HTML');
is(called(), '', 'invalid request: nothing is called');
$res = act('/call', body => '{', accept => 'application/json');
is($res->json->{status}, 400, 'invalid request: problem+json');
ok(!exists $res->json->{step}, 'invalid request: no step');
is($res->header('X-Error'), 'request_invalid', 'invalid request: error');
$res = $t->request('POST', '/call', body => 'a', headers => [
    'Content-Type' => 'text/plain', Accept => 'application/json' ]);
is($res->{status}, 415, 'unknown media type: status');
is($res->json->{status}, 415, 'unknown media type: problem+json');
$res = act('/page', body => '{');
is($res->{status}, 400, 'invalid request, error_page: status');
like($res->{body}, qr/^Sorry: Page none request_invalid failed [0-9a-f]{32}$/,
    'invalid request, error_page: the page');


# its words

my %words = (
    '' => qr/data that was sent could not be read\. Nothing was changed/,
    fields => qr/Too much was sent at once\. .*>Go back, shorten/s,
    type => qr/format that is not supported here\. .*Trying again will not/s,
    utf8 => qr/<h1>The action was not carried out.* could not be read\. /s,
);

sub form {
    my ($path, $form, $accept) = @_;
    return $t->request('POST', $path, body => $form, headers => [
        Accept => $accept, 'Content-Type' =>
            'application/x-www-form-urlencoded' ]);
}

like(act('/call', body => '{', accept => $browser)->{body}, $words{''},
    'words: not read');
like($t->request('POST', '/call', body => 'a', headers => [
        'Content-Type' => 'text/csv', Accept => $browser ])->{body},
    $words{type}, 'words: 415');

$res = form('/fields', 'task[a]=1234567890', $browser);
is($res->{status}, 413, 'words: 413, status');
like($res->{body}, $words{fields}, 'words: 413');
$res = form('/named/%ff', 'task[a]=1', $browser);
is($res->{status}, 400, 'words: an action\'s name that is not UTF-8, status');
like($res->{body}, $words{utf8}, 'words: an action\'s name that is not UTF-8');
unlike($res->{body}, qr/\xff/, 'which is not shown');
$res = form('/named/%ff', 'task[a]=1', 'application/json');
is($res->json->{action}, '', 'nor in problem+json');

like(act('/call', accept => $browser)->{body},
    qr/ does not work right now\. Nothing was changed.*>Wait a moment, then/s,
    'words: a status of 500');
like(act('/connect', accept => $browser)->{body},
    qr/could not be reached\. .*>Wait a moment, then/s, 'words: connect');


# names from outside

my $name = qq(\e[1m</script><script>"'\n\xf0\x9f\x98\x80);
my $encoded = join '', map { sprintf '%%%02x', ord } split //, $name;

$res = form('/task', "task[name]=$encoded", $browser);
is($res->{status}, 502, 'a name with all sorts of characters');
like($res->{body}, qr{<h1>\xe2\x80\x9c&lt;/script&gt;&lt;script&gt;
    &quot;'\ \xf0\x9f\x98\x80\xe2\x80\x9d}x, 'in HTML');
unlike($res->{body}, qr/<script|\e/, 'escaped');
is(form('/task', "task[name]=$encoded", 'application/json')->json->{action},
    do { utf8::decode(my $copy = $name); $copy }, 'in JSON');

for ([ 125, 'x' ], [ 200, 'x' ], [ 200, "\xe2\x82\xac" ]) {
    my ($n, $char) = @$_;
    $res = form('/task', 'task[name]='
                . ($char =~ s/([^x])/sprintf '%%%02x', ord $1/ger) x $n,
                $browser);
    my ($shown) = $res->{body} =~ /<h1>\xe2\x80\x9c(.*)\xe2\x80\x9d was/;
    my $cut = $char x int(125 / length $char);
    $cut .= "\xe2\x80\xa6" if length $cut < length $char x $n;
    is($shown, $cut, "a name of $n characters of " . length($char));
    cmp_ok(length $res->{body}, '<', 4096, 'the page is small');
}


# the way back

for (
    [ 'http://localhost/tasks/7?a=b&c="' => '/tasks/7?a=b&amp;c=&quot;' ],
    [ 'HTTPS://LOCALHOST/' => '/' ],
    [ 'http://localhost/a//b/../c:d@e' => '/a//b/../c:d@e' ],
    map { [ $_, undef ] } undef, '', '/', '/tasks', 'localhost/a',
    'http:/localhost/a', 'http://localhost', 'http://localhostile/',
    'http://localhost.example.com/', 'http://localhost:8080/',
    'http://localhost@example.com/', 'http://a@localhost/', 'http://', 'http:',
    'http://example.com/', 'http://example.com/http://localhost/',
    'http://localhost//example.com/', 'http://localhost/\\example.com/',
    "http://localhost/\t/example.com/", "http://localhost/a\tb",
    "http://localhost/\xc3\xa9", "http://localhost/a b",
    'javascript:alert(1)//http://localhost/', 'data:text/html,a',
    'ftp://localhost/a', 'file:///localhost/a', 'http://localhost\\a',
    'http://localhost?a', 'http://localhost#a',
) {
    my ($referer, $link) = @$_;
    $res = act('/call', accept => $browser, headers => [ Referer => $referer ]);
    my ($href) = $res->{body} =~ /<a href="([^"]*)"/;
    is($href, $link, 'back: ' . ($referer // 'none') =~ s/[^ -~]/?/gr);
    unlike($res->{body}, qr/javascript|example\.com/, 'nowhere else')
        if !defined $link;
}

$res = act('/call', accept => $browser, headers => [
    Host => 'app.example:8443', Referer => 'https://app.example:8443/x' ]);
like($res->{body}, qr{<a href="/x">}, 'back: a host with a port');
$res = act('/call', headers => [ Referer => 'http://localhost/' ]);
unlike($res->{body}, qr{localhost|"/"}, 'back: not in problem+json');


# error_page

for my $accept ($browser, 'application/json') {
    $res = act('/page', accept => $accept);
    is($res->{status}, 502, 'error_page: status');
    is(called(), 'ok fail', 'error_page: the app sees nothing');
    like($res->{body}, qr/^Sorry:\ Page\ Second\ &lt;b&gt;&amp;&quot;'
                          \ status\ failed\ [0-9a-f]{32}$/x,
        'error_page: wins, and has the variables');
    is($res->header('X-Sorry'), "$step, status", 'error_page: add_header');
    ok($res->{body} =~ /(\w+)$/ && $res->header('X-Id') eq $1,
        'error_page: one id');
}

$res = act('/page/200');
is($res->{status}, 200, 'error_page =200: status');
like($res->{body}, qr/^Sorry: Page Second/, 'error_page =200: the page');
$res = act('/page/302');
is($res->{status}, 302, 'error_page =302: status');
$res = act('/page/equal');
is($res->{status}, 409, 'error_page =: the status of the page');
is($res->{body}, 'by the page', 'error_page =: the page');
$res = act('/page/named');
is($res->{status}, 502, 'named location: status');
is($res->{body}, "named: $step", 'named location: the page');
$res = act('/page/url');
is($res->{status}, 302, 'error_page with a URL: status');
is($res->header('Location'), 'http://example.com/', 'error_page with a URL');
$res = act('/page/504', accept => 'text/html');
is($res->{status}, 502, 'error_page for other statuses: status');
like($res->{body}, qr/Second &lt;b/, 'error_page for other statuses: ours');
is(act('/page/missing')->{status}, 404, 'error_page that is missing');
is(called(), 'ok fail', 'error_page that is missing: no app');

$res = act('/page/intercept');
is($res->{status}, 502, 'proxy_intercept_errors in a step: status');
is($res->header('X-Sorry'), "$step, status",
    'proxy_intercept_errors in a step: the page is for the client');
is(called(), 'ok fail', 'proxy_intercept_errors in a step: no app');
$res = act('/page/504/intercept');
is($res->{status}, 502, 'proxy_intercept_errors, a 504: status');
is($res->header('X-Error'), 'status', 'proxy_intercept_errors, a 504: error');
$res = act('/page/inner');
is($res->{status}, 502, 'error_page in a step: the step fails');
is($res->header('X-Sorry'), 'S, status', 'error_page in a step: not taken');
is(called(), '', 'error_page in a step: no app');


# error pages that are actions

# the app gets at most a GET that has nothing of what was sent

for (qw(named plain uri)) {
    act("/to/$_");
    my ($app) = $t->requests('app');
    is("$app->{method} $app->{body}", 'GET ',
        "error_page to the app, $_: without the request's body");
    is(join(' ', grep { /^(?:content-|transfer-)/i }
            map { $_->[0] } @{ $app->{headers} }), '',
        "error_page to the app, $_: and its headers");
    is(called(), 'ok fail app', "error_page to the app, $_: once");
}

for (qw(get itself)) {
    $res = act("/to/$_");
    cmp_ok($res->{status}, '>=', 500, "error_page into an action, $_: status");
    is(called(), 'ok fail', "error_page into an action, $_: no app, no step");
}


# X-Accel-Redirect

is(act('/pass')->{body}, 'app', 'an action that passes');
is(act('/pass?to=/pass/again')->{body}, 'app', 'X-Accel-Redirect of the app');
is(join(' ', map { $_->{target} } $t->requests('app')),
    '/pass?to=/pass/again /pass/again',
    'X-Accel-Redirect of the app: followed');
is(called(), 'ok app app', 'and the action runs once');
is(act('/pass?to=@pass')->{body}, 'named once',
    'X-Accel-Redirect to a named location');
is(called(), 'ok app', 'and no other action runs');

for (qw(proxy named)) {
    $res = act("/accel/$_");
    is($res->{status}, 502, "X-Accel-Redirect of an endpoint, $_: fails");
    is($res->json->{step}, 'S', "X-Accel-Redirect of an endpoint, $_: step");
    is($res->header('X-Error'), 'response_invalid',
        "X-Accel-Redirect of an endpoint, $_: why");
    is(called(), 'accel', "X-Accel-Redirect of an endpoint, $_: no app");
}

is(act('/accel/call')->{body}, 'app',
    'X-Accel-Redirect means nothing to flowdash_call');
is(act('/rewrite/last')->{body}, 'app',
    'rewrite ... last in a step: another location answers');
is(act('/rewrite/fail')->{status}, 502,
    'rewrite ... last in a step: another location fails');
is(called(), '', 'rewrite ... last in a step: no app');


# 413 and the connection

$res = act('/small', body => $body x 10, accept => 'application/json');
is($res->{status}, 413, '413: status');
like($res->{body}, qr{<center><h1>413 }, '413: is nginx\'s own');
is(called(), '', '413: nothing is called');
is(act('/small', body => '{"a":1}   {}')->{status}, 413, '413: 11 bytes');

for my $path ('/call', '/proxy', '/page', '/page/named') {
    my $socket = $t->connect;
    my @keep = (socket => $socket, headers => [ Connection => 'keep-alive',
                                                Accept => $browser ]);
    is(act($path, @keep)->{status}, 502, "keepalive, $path: an error");
    is(act($path, @keep, chunked => 1)->{status}, 502,
        "keepalive, $path: another");
    is($t->get('/', @keep)->{body}, 'app',
        "keepalive, $path: the connection goes on");
}

my $raw = $t->raw_request("POST /call HTTP/1.0\r\nContent-Length: 2\r\n"
    . "Content-Type: application/json\r\n\r\n{}");
like($raw, qr/^HTTP\/1\.1 502 .*\r\nConnection: close\r\n.*\r\n\{.*\}\n\z/s,
    'HTTP/1.0');

ok($t->wait_for(sub {
    $t->read_file('flow.log')
        =~ m{^/page\|502\|Page\|Second <b>&\\x22'\|status\|[0-9a-f]{32}$}m
}), 'the access log behind an error page');

$t->done;
