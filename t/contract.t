#!/usr/bin/perl

# The main job: the seed example through one flowdash_call step and one
# proxy_pass step, to the app.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->endpoint(crm => {
    headers => [ 'Content-Type' => 'application/json' ],
    body => '{"task": {"Expected Close Date": "2020-02-01"}}',
});
$t->endpoint(hook => {});
$t->write_file(users => "ann:{PLAIN}secret\n");
$t->endpoint(billing => { body => 'ok' });
$t->endpoint(app => { body => 'stored' });

$t->config(<<'EOC');
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%

    log_format flow '$flowdash_action|$flowdash_result|$flowdash_failed_step|'
                    '$flowdash_error|$flowdash_step_status|'
                    '$flowdash_task_expected_close_date|'
                    '$flowdash_task_international_|$flowdash_step_time';

    # what a client says of itself is not verified

    server {
        listen 127.0.0.1:%%PORT_other%%;

        location /unverified {
            flowdash_action "Finish";
            flowdash_step "CRM" {
                flowdash_call http://127.0.0.1:%%PORT_hook%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /verified {
            auth_basic           "Tasks";
            auth_basic_user_file %%DIR%%/users;

            flowdash_user   id $remote_user;
            flowdash_action "Finish";
            flowdash_step "CRM" {
                flowdash_call http://127.0.0.1:%%PORT_hook%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }

    server {
        listen 127.0.0.1:%%PORT_http%%;

        access_log %%DIR%%/flow.log flow;

        flowdash_user id         $http_x_user_id;
        flowdash_user email      $http_x_user_email;
        flowdash_user first_name $http_x_user_first_name;
        flowdash_user last_name  $http_x_user_last_name;

        location ~ ^/tasks/(?<id>\d+)/finish$ {
            flowdash_action "Finish";

            flowdash_step "Update CRM" {
                flowdash_call       http://127.0.0.1:%%PORT_crm%%/hooks/$id/x;
                flowdash_set_header Authorization "Bearer $http_x_token";
            }

            flowdash_step "Invoice" {
                proxy_pass http://127.0.0.1:%%PORT_billing%%/invoices?a=1;
            }

            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }
}
EOC

$t->run;

my $task = <<'EOJ';
{
    "Stage": "Completed", "Assigned To": "user@example.com", "Company ID": "42", "Company Name": "Acme Corp",
    "Number of Employees": "20", "Contract Value": "10000", "International?": false, "Expected Close Date": "2020-01-31"
  }
EOJ
chomp $task;

my $body = qq({ "other" : [1.0, 1e400] ,"task": $task, "n": "\\u00e9" }\n);

my $res = $t->post_json('/tasks/7/finish', $body, headers => [
    'X-User-Id' => 'abc123', 'X-User-Email' => 'user@example.com',
    'X-User-First-Name' => 'Example', 'X-User-Last-Name' => 'User',
    'X-Token' => 'secret', 'Cookie' => 'session=1', 'X-Other' => 'kept',
]);

is($res->{status}, 200, 'the request went on');
is($res->{body}, 'stored', 'and the app has answered');

my $user = '{"id":"abc123","email":"user@example.com",'
           . '"first_name":"Example","last_name":"User"}';
my $crm = $t->only_request('crm');

is($crm->{method}, 'POST', 'method');
is($crm->{target}, '/hooks/7/x', 'URL with a variable');
is($crm->{body}, qq({"action":"Finish","user":$user,"task":$task}),
    'payload to flowdash_call');

(my $changed = $task) =~ s/2020-01-31/2020-02-01/;
my $billing = $t->only_request('billing');

is($billing->{method}, 'POST', 'method by proxy_pass');
is($billing->{target}, '/invoices?a=1', 'URI of proxy_pass');
is($billing->{body}, qq({"action":"Finish","user":$user,"task":$changed}),
    'payload to proxy_pass, with the change of the step before');

for ($crm, $billing) {
    is($_->header('Content-Type'), 'application/json', 'Content-Type');
    is($_->header('Content-Length'), length $_->{body}, 'Content-Length');
}

is($crm->header('Authorization'), 'Bearer secret', 'flowdash_set_header');
is($billing->header('Authorization'), undef, 'of its step only');

my $app = $t->only_request('app');
(my $wanted = $body) =~ s/2020-01-31/2020-02-01/;

is($app->{body}, $wanted, 'the app gets the change and every byte else');
is($app->header('Content-Length'), length $wanted, 'with its length');
is($app->header('X-Other'), 'kept', 'and the client\'s headers');
is($app->header('Cookie'), 'session=1', 'cookie included');

$t->wait_for(sub { length($t->read_file('flow.log') // '') });
like($t->read_file('flow.log'),
    qr/^Finish\|ok\|-\|-\|200 : 200\|2020-02-01\|false\|\d\.\d{3} : \d\.\d{3}$/,
    'variables');

# the user without flowdash_user, and with it

sub act {
    my ($path, $login) = @_;
    return $t->post_json($path, '{"task":{}}', port => 'other',
        headers => [ $login ? (Authorization => "Basic $login") : () ]);
}

my $nobody = { map { $_ => undef } qw(id email first_name last_name) };
my $boss = 'Ym9zczp4';                # boss:x
my $ann = 'YW5uOnNlY3JldA==';          # ann:secret

for my $login (undef, $boss, $ann) {
    is(act('/unverified', $login)->{status}, 200, 'no flowdash_user');
    is_deeply($t->only_request('hook')->{json}{user}, $nobody,
        'no user, whatever the client says');
    $t->only_request('app');
}

is(act('/verified', $_)->{status}, 401, 'auth_basic refuses it')
    for undef, $boss, 'YW5uOng=';
$t->no_request($_) for qw(hook app);
is(act('/verified', $ann)->{status}, 200, 'auth_basic has verified it');
is_deeply($t->only_request('hook')->{json}{user}, { %$nobody, id => 'ann' },
    '$remote_user is the user then');
$t->only_request('app');

$t->done;
