#!/usr/bin/perl

# $1 is what the location's regular expression has captured: a "map" over the
# client's field, by which the action gets its name, does not replace it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->endpoint(crm => { body => 'ok' });
$t->endpoint(app => sub {
    my ($req) = @_;
    return { headers => [ 'Content-Type' => 'application/json' ],
             body => '{"task":{"stored":1}}' };
});

$t->config(<<'END');
    %%GLOBALS%%
    events { }
    http {
        %%HTTP_GLOBALS%%

        map $flowdash_task_stage $action { "~^(done.*)" "Finish"; default ""; }

        server {
            listen 127.0.0.1:%%PORT_http%%;

            location ~ ^/tasks/(\d+)$ {
                flowdash_action    $action;
                flowdash_task_from /stored/$1;
                flowdash_step "Call" {
                    flowdash_if   $action;
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/call/$1;
                }
                flowdash_step "Proxy" {
                    proxy_pass http://127.0.0.1:%%PORT_crm%%/proxy/$1;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%/app/$1;
            }

            location /stored { proxy_pass http://127.0.0.1:%%PORT_app%%; }
        }
    }
END
$t->run;

is($t->post_json('/tasks/7', '{"task":{"Stage":"done99"}}')->{status}, 200,
   'an action');
is(join(' ', map { $_->{target} } $t->new_requests('crm')),
   '/call/7 /proxy/7', 'the endpoints are called for this task');
is(join(' ', map { $_->{target} } $t->new_requests('app')),
   '/stored/7 /app/7', 'and so is the app');

is($t->post_json('/tasks/8', '{"task":{"Stage":"open"}}')->{status}, 200,
   'no action');
is($t->only_request('app')->{target}, '/app/8', 'the app alone');
$t->no_request('crm');

$t->done;
