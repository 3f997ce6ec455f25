#!/usr/bin/perl

# An action that needs a user: without an id, nothing is called.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new(log_level => 'info');
my $json = [ 'Content-Type' => 'application/json' ];

$t->endpoint(crm => { headers => $json, body => '{}' });
$t->endpoint(app => sub {
    my ($req) = @_;
    return { status => 201, body => 'done' } if $req->{method} ne 'GET';
    return { headers => $json, body => $req->{target} eq '/api'
             ? '{"task":{}}' : $req->header('X-Me') // '{}' };
});

my $step = <<'END';
                flowdash_step "CRM" {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
END

$t->config(<<"END");
    %%GLOBALS%%
    events { }
    http {
        %%HTTP_GLOBALS%%
        flowdash_zone flowdash:64k;
        flowdash_require_user on;
        log_format flow '\$flowdash_result|\$flowdash_error|'
                        '\$flowdash_failed_step|\$status';

        server {
            listen 127.0.0.1:%%PORT_http%%;
            access_log %%DIR%%/flow.log flow;

            flowdash_user id \$http_x_id;

            location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
            location = /set { flowdash_action "Finish"; $step }
            location = /task {
                flowdash_action "Finish";
                flowdash_task_from /api;
                $step
            }
            location = /page {
                flowdash_action "Finish";
                error_page 401 = \@page;
                $step
            }
            location \@page { return 409 "page"; }
            location = /dry {
                flowdash_action "Finish";
                flowdash_dry_run 1;
                $step
            }
            location = /none {
                flowdash_action \$arg_name;
                $step
            }
            location = /off {
                flowdash_action "Finish";
                flowdash_require_user off;
                $step
            }
            location = /from {
                flowdash_action "Finish";
                flowdash_user email e;
                flowdash_user_from /me;
                $step
            }
            location = /kept {
                flowdash_action "Finish";
                flowdash_user email e;
                flowdash_user_from /me cache=1h;
                $step
            }
            location = /wins {
                flowdash_action "Finish";
                flowdash_user_from /me;
                $step
            }
            location = /own {
                flowdash_action "Finish";
                flowdash_step "own" {
                    flowdash_user id \$http_x_own;
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                }
                flowdash_step "last" {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
            location = /status { flowdash_status json; }
        }
    }
END
$t->run;

sub act {
    my ($uri, %header) = @_;
    return $t->request('POST', $uri, body => '{"task":{"a":1}}',
        headers => [ 'Content-Type' => 'application/json', %header ]);
}

sub app_got { return join ' ', map { $_->{method} } $t->new_requests('app') }

for (
    [ 1, '/set', 'X-Id' => 'ada' ],
    [ 0, '/set' ],
    [ 0, '/set', 'X-Id' => '' ],
    [ 0, '/set', 'X-Id' => '0' ],
    [ 1, '/set', 'X-Id' => '00' ],
    [ 0, '/set', 'X-Id' => "\xff" ],
    [ 1, '/set', 'X-Id' => 'false' ],
    [ 1, '/task', 'X-Id' => 'ada' ],
    [ 0, '/task' ],
    [ 0, '/none?name=Finish' ],
    [ 1, '/off' ],
    [ 1, '/from', 'X-Me' => '{"id":7}' ],
    [ 1, '/from', 'X-Me' => '{"id":-7}' ],
    [ 1, '/from', 'X-Me' => '{"id":"7"}' ],
    [ 0, '/from', 'X-Id' => 'ada' ],
    [ 0, '/from', 'X-Me' => '{"id":""}' ],
    [ 0, '/from', 'X-Me' => '{"id":null}' ],
    [ 0, '/from', 'X-Me' => '{"id":0}' ],
    [ 0, '/from', 'X-Me' => '{"id":"0"}' ],
    [ 0, '/from', 'X-Me' => '{"id":false}' ],
    [ 0, '/from', 'X-Me' => '{"id":true}' ],
    [ 0, '/from', 'X-Me' => '{"id":{"a":1}}' ],
    [ 0, '/from', 'X-Me' => '{"id":["a"]}' ],
    [ 1, '/kept', 'X-Me' => '{"id":"kept"}' ],
    [ 1, '/kept', 'X-Me' => '{"id":"kept"}' ],
    [ 0, '/kept', 'X-Me' => '{"id":""}' ],
    [ 0, '/kept', 'X-Me' => '{"id":""}' ],
    [ 1, '/wins', 'X-Me' => '{"id":7}', 'X-Id' => 'ada' ],
    [ 0, '/wins', 'X-Me' => '{"id":7}' ],
    [ 1, '/own', 'X-Id' => 'ada', 'X-Own' => 'own' ],
    [ 0, '/own', 'X-Id' => 'ada' ],
    [ 0, '/own', 'X-Own' => 'own' ],
) {
    my ($allowed, $uri, @header) = @$_;
    my $res = act($uri, @header);
    is($res->{status}, $allowed ? 201 : 401, "$uri @header");
    my @calls = $t->new_requests('crm');
    is(@calls > 0, $allowed == 1, 'calls');
    my $got = app_got();
    is($got =~ /POST/ ? 1 : 0, $allowed, 'the app');
    is($got =~ /GET.*GET/, '', 'is asked once at most');
    is($got, '', 'not even for the task') if $uri eq '/task' && !$allowed;
    is($res->{json}{detail}, 'You are not signed in, or your session has ended.'
        . ' Nothing was changed in the app.', 'the page') if !$allowed;
}

$t->wait_for(sub { $t->read_file('flow.log') =~ tr/\n// == 32 });
like($t->read_file('flow.log'), qr/^failed\|no_user\|-\|401$/m, 'variables');
like($t->error_log, qr/"Finish" failed: no_user, the user has no id, id /,
    'the log');

# no action: whoever it is; a page of the configuration; a dry run

is(act('/none')->{status}, 201, 'no action');
is(app_got(), 'POST', 'the app gets it');
is(act('/page')->{status}, 409, 'error_page');
is(app_got(), '', 'the app does not get it');
is(act('/dry')->{status}, 401, 'no dry run without a user');
is(act('/dry', 'X-Id' => 'ada')->{json}{steps}[0]{body}{user}{id}, 'ada',
    'it shows the user');
$t->no_request('crm', 'nothing is called');

my $action = $t->get('/status')->{json}{actions}[0];
is($action->{failed}{no_user}, 21, 'counted');
is($action->{state}, 'fine', 'that strangers try does not make it fail');

# what nginx -t refuses

my $one = 'flowdash_step s { flowdash_call http://127.0.0.1/; } '
    . 'location /app { return 204; }';
my $with = sub { "location / { flowdash_action a; @_ $one }" };

$t->conf_ok($with->('flowdash_require_user off;'), 'off');
$t->conf_ok($with->('flowdash_require_user on; flowdash_user id $remote_user;'),
    'with an id');
$t->conf_ok($with->('flowdash_require_user on; flowdash_user_from /me;'),
    'with a page');

for (
    [ 'flowdash_require_user on;', qr/nothing tells the user's id/ ],
    [ 'flowdash_require_user on; flowdash_user ID $remote_user;',
      qr/nothing tells the user's id/ ],
    [ 'flowdash_require_user on; flowdash_user id $remote_user;
       flowdash_step own { flowdash_user email e;
                           flowdash_call http://127.0.0.1/; }',
      qr/"flowdash_step" "own": .*nothing tells the user's id/ ],
    [ 'flowdash_step own { flowdash_require_user on;
                           flowdash_call http://127.0.0.1/; }',
      qr/"flowdash_require_user" is for the whole action/ ],
    [ 'flowdash_step own { flowdash_user_from /me;
                           flowdash_call http://127.0.0.1/; }',
      qr/"flowdash_user_from" is for the whole action/ ],
    [ 'flowdash_user_from /me cache=5s;',
      qr/"cache=" of "flowdash_user_from" needs "flowdash_zone".* in \S+:\d/ ],
    [ 'flowdash_user_from me;', qr/a path of this server/ ],
    [ 'flowdash_user_from http://app/me;', qr/a path of this server/ ],
    [ 'flowdash_user_from /a/../me;', qr/a path of this server/ ],
    [ 'flowdash_user_from /me pointer=user;', qr/a JSON pointer is empty or/ ],
    [ 'flowdash_user_from /me chache=5s;', qr/"pointer=" with a JSON pointer/ ],
    [ 'flowdash_user_from /me cache=5s cache=6s;', qr/each once/ ],
    [ 'flowdash_user_from /me pointer=/a pointer=/b;', qr/each once/ ],
    [ 'flowdash_user_from off cache=5s;', qr/a path of this server/ ],
    [ 'flowdash_user_from /me cache=0;', qr/up to 1h/ ],
    [ 'flowdash_user_from /me cache=2h;', qr/up to 1h/ ],
    [ 'flowdash_user_from /me cache=$t;', qr/up to 1h/ ],
    [ 'flowdash_user_from /me; flowdash_user_from /you;', qr/is duplicate/ ],
) {
    $t->conf_fails($with->($_->[0]), $_->[1], $_->[0]);
}

$t->done;
