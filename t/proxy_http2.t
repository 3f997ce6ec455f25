# proxy_pass over HTTP/2, which nginx speaks to upstreams since 1.29.4: payload,
# headers and answer of a step, and the changed request to the app.  An older
# nginx skips this file.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

my ($known) = $t->test_config('location / { proxy_http_version 2; }');

if (!$known) {
    plan(skip_all => 'this nginx has no HTTP/2 for proxy_pass');
}

$t->endpoint(hook => { headers => [ 'Content-Type' => 'application/json' ],
                       body => '{"task":{"A":2}}' });
$t->endpoint(app => { body => 'stored' });

# nginx is the endpoint and the app, too: it takes HTTP/2 apart

$t->config(<<'END');
    server {
        listen 127.0.0.1:%%PORT_hook2%%;
        http2 on;

        location / { proxy_pass http://127.0.0.1:%%PORT_hook%%; }
        location /no { return 422 '{"message":"no"}'; }
    }

    server {
        listen 127.0.0.1:%%PORT_app2%%;
        http2 on;

        location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    }

    server {
        listen 127.0.0.1:%%PORT_http%%;
        proxy_http_version 2;

        location /yes {
            flowdash_action "Do";
            flowdash_step "One" {
                proxy_pass http://127.0.0.1:%%PORT_hook2%%/one;
            }
            flowdash_step "Two" {
                proxy_pass http://127.0.0.1:%%PORT_hook2%%/two;
            }
            proxy_pass http://127.0.0.1:%%PORT_app2%%;
        }

        location /no {
            flowdash_action "Do";
            flowdash_step "One" {
                proxy_pass http://127.0.0.1:%%PORT_hook2%%/no;
            }
            proxy_pass http://127.0.0.1:%%PORT_app2%%;
        }
    }
END
$t->run;

# small ones, and such as need several frames

for my $size (1, 10_000, 16_384, 50_000) {
    my $long = '9' x $size;
    my $res = $t->post_json('/yes', qq({"task":{"A":1,"B":$long}}));

    is($res->{status}, 200, "$size bytes: passes");
    is($res->{body}, 'stored', 'the app has answered');

    my ($one, $two, @more) = $t->new_requests('hook');
    is(scalar @more, 0, 'two calls');
    is($one->{json}{task}{A}, 1, 'the first gets the task');
    is($two->{json}{task}{A}, 2, 'the second gets the change');
    isnt(header($one, 'Idempotency-Key'), undef, 'it has an Idempotency-Key');

    is($t->only_request('app')->{body}, qq({"task":{"A":2,"B":$long}}),
       'the app gets the changed task');
}

is($t->post_json('/no', '{"task":{"A":1}}')->{status}, 502, 'a refusal');
$t->no_request('app');

$t->done;
