# $flowdash_json_NAME: the task, the user, a field, or any other variable of the
# module as a complete JSON value, which fits into a header, a log and HTML.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Encode qw(decode_utf8);
use JSON::PP ();

my $t = Test::Flowdash->new;

$t->endpoint(hook => sub {
    my $req = shift;
    return { status => $req->{target} =~ /fails/ ? 422 : 200,
             headers => [ 'Content-Type' => 'application/json' ],
             body => $req->{target} =~ /fails/
                 ? '{"message":"\\"No\\" <b>, & no\u2028"}'
                 : '{"task":{"stage":"Done"}}' };
});
$t->endpoint('app');

my @names = qw(task user task_stage task_n task_list task_none task_due_date
               task_gone action id failed_step error error_message step_name
               json_task);

my $headers = join "\n", map { "add_header X-$_ \$flowdash_json_$_ always;" }
                         @names[0 .. $#names - 1];

my $config = <<"EOC";
    map \$flowdash_json_task_stage \$mapped { default "<\$flowdash_json_task_stage>"; }

    map "\$flowdash_json_stored_done:\$flowdash_json_task_done" \$todo_action {
        "~^true:"           "";
        "~:(false|null)\\z" "";
        default             "Finish";
    }

    server {
        listen 127.0.0.1:%%PORT_http%%;

        flowdash_user id \$http_x_user;
        flowdash_user email \$flowdash_task_owner;
        $headers

        location / {
            flowdash_action "A \$flowdash_task_name";
            flowdash_step "S <\$1>" {
                flowdash_set_header X-Before \$flowdash_json_task_stage;
                flowdash_set_header X-Map \$mapped;
                flowdash_call http://127.0.0.1:%%PORT_hook%%;
            }
            flowdash_step T {
                flowdash_user id "step's own";
                flowdash_set_header X-After \$flowdash_json_task_stage;
                flowdash_set_header X-Map \$mapped;
                flowdash_set_header X-User \$flowdash_json_user;
                proxy_set_header X-Sub \$flowdash_json_task_stage;
                proxy_pass http://127.0.0.1:%%PORT_hook%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /fails {
            flowdash_action A;
            flowdash_error_detail on;
            flowdash_step S {
                flowdash_call http://127.0.0.1:%%PORT_hook%%/fails;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /cycle {
            flowdash_action A;
            flowdash_user email \$flowdash_json_user;
            flowdash_step S {
                flowdash_set_header X-User \$flowdash_json_user;
                flowdash_call http://127.0.0.1:%%PORT_hook%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /none { return 204; }

        location = /stored/true {
            default_type application/json;
            return 200 '{"done":true}';
        }
        location = /stored/false {
            default_type application/json;
            return 200 '{"title":"","done":false}';
        }

        location ~ ^/todos/(.*) {
            flowdash_action \$todo_action;
            flowdash_task "";
            flowdash_task_from /stored/\$1;
            flowdash_step S { return 403; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /early {
            flowdash_action A;
            if (\$flowdash_json_task = x) { return 400; }
            if (\$flowdash_json_task_x = x) { return 400; }
            if (\$flowdash_json_action = x) { return 400; }
            flowdash_step S { return 204; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }
EOC

$t->config("%%GLOBALS%%\nevents { }\nhttp {\n%%HTTP_GLOBALS%%\n"
                . "$config\n}\n");
$t->run;

utf8::encode(my $bytes = '"\"Q\" \\\\ <b>' . "\x{e9}&\x{2028}\\u0001\"");

my $task = <<"EOT";
{ "name": $bytes,
  "stage":\t"<Open>",
  "n": 10000.00, "list": [ 1, {"a b" : "\\/ &"} ], "none": null,
  "owner": "a\\"b",
  "due date": 1, "due_date": 2 }
EOT
chomp $task;


# All of them, in the answer to the client

my $r = $t->request(POST => '/', headers => [
    'Content-Type' => 'application/json', 'X-User' => "caf\xc3\xa9 <x>",
], body => qq({"task":$task}));

is($r->{status}, 200, 'the action goes on');

sub shown { return header($r, "X-$_[0]") }

is(shown('task_stage'), '"Done"', 'a field is a string with its quotes');
is(shown('task_n'), '10000.00', 'a number as it was spelled');
is(shown('task_list'), '[1,{"a b":"\/ \u0026"}]', 'any value, on one line');
is(shown('task_none'), 'null', 'null');
is(shown('task_gone'), 'null', 'a field that the task lacks');
is(shown('task_due_date'), '1', 'two that fit: the first, as elsewhere');
is(shown('error'), 'null', 'what is empty');
is(shown('action'), '"A \"Q\" \\\\ \u003cb\u003e' . "\xc3\xa9"
                    . '\u0026\u2028\u0001"', 'a text, escaped once');
like(shown('id'), qr/^"[0-9a-f]{32}"\z/, 'an id');
is(shown('user'), qq({"id":"caf\xc3\xa9 \\u003cx\\u003e","email":"a\\"b",)
                  . '"first_name":null,"last_name":null}', 'the user');
is(shown('step_name'), '"S \u003c$1\u003e : T"', 'a list');

is(shown('task'), '{"name":"\"Q\" \\\\ \u003cb\u003e' . "\xc3\xa9"
                  . '\u0026\u2028\u0001",'
                  . '"stage":"Done","n":10000.00,"list":[1,{"a b":"\/ \u0026"}],'
                  . '"none":null,"owner":"a\"b","due date":1,"due_date":2}',
   'the task, on one line');
is_deeply(JSON::PP->new->utf8->decode(shown('task')),
          { %{ JSON::PP->new->utf8->decode($task) }, stage => 'Done' },
          'and it means the same');


# What the steps got: as the task was then

my ($s, $u) = $t->new_requests('hook');
is(header($s, 'X-Before'), '"\u003cOpen\u003e"', 'before an answer');
is(header($u, 'X-After'), '"Done"', 'after it');
is(header($u, 'X-Sub'), '"Done"', 'in a directive of nginx');
is(header($u, 'X-User'), qq({"id":"step's own","email":null,"first_name":null,)
                         . '"last_name":null}', "the step's own user");
is(header($s, 'X-Map'), '<"\u003cOpen\u003e">', 'no map keeps the old value');
is(header($u, 'X-Map'), '<"Done">', 'but has the new one');
$t->only_request('app');


# A failed action

$r = $t->post_json('/fails', '{"task":{}}');
is($r->{status}, 502, 'an action that fails');
is(shown('error'), '"status"', 'its reason');
is(shown('failed_step'), '"S"', 'its step');
like(shown('error_message'), qr/^"\\"No\\" \\u003cb\\u003e, \\u0026 no/,
     "the endpoint's message");
$t->new_requests('hook');


# A user that would contain itself; bytes that are no UTF-8; no task at all

$r = $t->post_json('/cycle', '{"task":{}}');
is($r->{status}, 200, 'a user that contains itself');
my $call = $t->only_request('hook');
is(header($call, 'X-User'),
   '{"id":null,"email":"null","first_name":null,"last_name":null}',
   'ends there');
is($call->{json}{user}{email},
   '{"id":null,"email":"null","first_name":null,"last_name":null}',
   'in the payload, too');
$t->only_request('app');

$r = $t->request(POST => '/', headers => [
    'Content-Type' => 'application/json', 'X-User' => "\xff",
], body => '{"task":{}}');
is($r->{status}, 400, 'a user that is no UTF-8 is refused');
is(shown('user'), '{"id":null,"email":null,"first_name":null,'
                  . '"last_name":null}', 'and is null');

$r = $t->request(GET => '/none');
is(shown($_), 'null', "$_ is null where there is no action") for qw(task user id);

$r = $t->post_json('/early', '{"task":{}}');
is($r->{status}, 200, 'read too early');
$t->only_request('app');
is_deeply([ $t->error_log =~ /"(\$flowdash_\w+)" is read before the task/g ],
          [ '$flowdash_json_task', '$flowdash_json_task_x' ],
          'the log warns of those that depend on the task');
is(shown('task'), '{}', 'has a value later');

$t->new_requests($_) for qw(hook app);


# Yes or no, as docs/your-app.md has it: 502 is an action that is refused

for ([ 'title=a' => 200 ], [ 'done=' => 502 ], [ 'done=on' => 502 ],
     [ 'done=false' => 502 ], [ '{"title":"a"}' => 200 ],
     [ '{"done":true}' => 502 ], [ '{"done":"false"}' => 502 ],
     [ '{"done":0}' => 502 ], [ '{"done":[]}' => 502 ],
     [ '{"done":false}' => 200 ], [ '{"done":null}' => 200 ])
{
    my ($sent, $expected) = @$_;
    my $type = $sent =~ /^\{/ ? 'application/json'
             : 'application/x-www-form-urlencoded';

    for (false => true =>) {
        my $r = $t->request(POST => "/todos/$_", body => $sent,
                            headers => [ 'Content-Type' => $type ]);
        is($r->{status}, $_ eq 'true' ? 200 : $expected,
           "$sent where done is $_");
    }
}

$t->new_requests('app');


# Names that do not exist

for my $name (qw(foo json_task taskstage)) {
    my ($ok, $output) = $t->test_config(
        "location / { add_header X \$flowdash_json_$name; return 204; }");
    ok(!$ok && index($output, qq(unknown "flowdash_json_$name" variable: )
                              . qq(there is no "\$flowdash_$name")) >= 0,
       "unknown: $name")
        or diag($output);
}

my ($ok, $output) = $t->test_config(
    'location / { set $flowdash_json_mine 1; return 204; }');
ok($ok, "a variable of one's own may have such a name") or diag($output);

$t->done;
