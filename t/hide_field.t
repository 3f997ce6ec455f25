# flowdash_hide_field and flowdash_pass_field: which fields of the task a step is
# told.  What is hidden is in no payload, header, URL, id or dry run, and no
# answer changes it; the app gets it as the client has sent it.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new(log_level => 'info');

my @json = ('Content-Type' => 'application/json');
my $answer = '{"task":{"password":"changed","stage":"Done"}}';

$t->endpoint(hook => sub {
    return { headers => \@json, body => $_[0]{target} =~ /change/ ? $answer : '' };
});
$t->endpoint(app => sub {
    return $_[0]{method} eq 'GET'
        ? { headers => \@json,
            body => '{"task":{"stage":"Old","password":"s3cr3t","n":[1]}}' } : {};
});

my $hook = 'http://127.0.0.1:%%PORT_hook%%';
my $app = 'proxy_pass http://127.0.0.1:%%PORT_app%%;';

my $config = <<"EOC";
    map \$flowdash_task_password \$mapped { default "<\$flowdash_task_password>"; }

    flowdash_hide_field password authenticity_token token;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        flowdash_user id joe;

        location /json {
            flowdash_action A;
            flowdash_dry_run \$arg_dry;
            flowdash_step S {
                flowdash_call $hook/;
            }
            flowdash_step P {
                flowdash_hide_field salary;
                proxy_pass $hook;
            }
            flowdash_step N {
                flowdash_hide_field none;
                flowdash_call $hook/;
            }
            flowdash_step F {
                flowdash_hide_field stage;
                flowdash_pass_field stage salary gone;
                flowdash_call $hook/;
            }
            flowdash_step O {
                flowdash_pass_field none;
                flowdash_call $hook/;
            }
            $app
        }

        location /form {
            flowdash_task "";
            flowdash_action A;
            flowdash_step S {
                flowdash_call $hook/;
            }
            $app
        }

        location /said {
            flowdash_action A;
            flowdash_dry_run \$arg_dry;
            flowdash_extract \$extracted /password from=task;
            flowdash_user email \$flowdash_task_password;
            flowdash_user note "\$extracted";
            flowdash_step S {
                flowdash_set_header X-Extracted \$extracted;
                flowdash_set_header X-Field \$flowdash_task_password;
                flowdash_set_header X-Map \$mapped;
                flowdash_set_header X-JSON \$flowdash_json_task_password;
                flowdash_set_header X-Task \$flowdash_json_task;
                flowdash_set_header X-User \$flowdash_json_user;
                flowdash_call $hook/?p=\$flowdash_task_password&m=\$mapped;
            }
            flowdash_step P {
                if (\$request_method) {
                    set \$field \$flowdash_task_password;
                }
                proxy_set_header X-Set \$field;
                proxy_set_header X-Extracted \$extracted;
                proxy_set_header X-Field \$flowdash_task_password;
                proxy_set_header X-Map \$mapped;
                proxy_set_header X-JSON \$flowdash_json_task_password;
                proxy_set_header X-Task \$flowdash_json_task;
                proxy_set_header X-User \$flowdash_json_user;
                proxy_set_header X-Action \$flowdash_json_action;
                proxy_pass $hook;
            }
            flowdash_step I {
                flowdash_if \$flowdash_task_password;
                flowdash_call $hook/if;
            }
            proxy_set_header X-Field \$flowdash_task_password;
            proxy_set_header X-Extracted \$extracted;
            proxy_set_header X-Map \$mapped;
            proxy_set_header X-Task \$flowdash_json_task;
            $app
        }

        location /stored {
            flowdash_action A;
            flowdash_task_from /get;
            flowdash_step S {
                flowdash_set_header X-Field \$flowdash_stored_password;
                flowdash_set_header X-JSON \$flowdash_json_stored_password;
                flowdash_set_header X-N \$flowdash_json_stored_n;
                flowdash_set_body json '{"p":"\$flowdash_stored_password",
                                         "t":\$flowdash_json_task}';
                flowdash_call $hook/;
            }
            $app
        }
        location /get { $app }

        location /change {
            flowdash_action A;
            flowdash_step S { flowdash_call $hook/change; }
            $app
        }
        location /change/named {
            flowdash_action A;
            flowdash_step S {
                flowdash_accept password;
                flowdash_call $hook/change;
            }
            $app
        }
        location /change/passed {
            flowdash_action A;
            flowdash_hide_field none;
            flowdash_pass_field other;
            flowdash_step S { flowdash_call $hook/change; }
            $app
        }

        location /asked {
            flowdash_action A;
            flowdash_step S { flowdash_call $hook/; }
            try_files /none /asked_then;
        }
        location /asked_then {
            auth_request /auth;
            $app
        }
        location = /auth {
            proxy_set_header X-Field \$flowdash_task_password;
            proxy_set_header X-Extracted \$extracted;
            proxy_set_header X-Task \$flowdash_json_task;
            proxy_set_header X-User \$flowdash_json_user;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            $app
        }

        location /id {
            flowdash_action A;
            flowdash_step S {
                flowdash_hide_field secret;
                flowdash_pass_field seen;
                flowdash_call $hook/;
            }
            flowdash_step T {
                flowdash_pass_field also secret;
                flowdash_call $hook/;
            }
            $app
        }
    }
EOC

$t->config("%%GLOBALS%%\nevents { }\nhttp {\n%%HTTP_GLOBALS%%\n$config\n}\n");
$t->run;

my $task = '{ "stage": "Open", "password": "s3cr3t",' . "\n"
           . '"salary": 10.00,"Authenticity_Token":"s3cr3t",'
           . '"token(1i)":"s3cr3t", "x":"y"}';
my $body = qq({"task":$task});

# The whole request, as it went to the endpoint

sub hidden {
    my ($name, @calls) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(scalar(grep { join("\n", $_->{target}, $_->{body},
                          map { @$_ } @{ $_->{headers} }) =~ /s3cr3t/i }
              @calls), 0, "$name: it never leaves");
}

sub task { return ($_[0]{body} =~ /"task":(.*)\}\z/s)[0] }


# The payload, for each step its own

is($t->post_json('/json', $body)->{status}, 200, 'the action goes on');

my @calls = $t->new_requests('hook');
is(scalar @calls, 5, 'five calls');
hidden('payload', @calls[0, 1, 3, 4]);
is(task($calls[0]), '{"stage":"Open","salary":10.00,"x":"y"}',
   'what is left, in its order and spelling');
is(task($calls[1]), '{"stage":"Open","x":"y"}',
   'a step hides more than its location');
is(task($calls[2]), $task, 'or nothing');
is(task($calls[3]), '{"salary":10.00}', 'what is passed, and not hidden');
is(task($calls[4]), '{}', 'nothing at all');
is($t->only_request('app')->{body}, $body, 'the app gets all of it');

my $r = $t->post_json('/json?dry=1', $body);
is($r->json->{dry_run} ? 1 : 0, 1, 'a dry run');
is_deeply([ map { $_->{body}{task}{salary} // 'none' } @{ $r->json->{steps} } ],
          [ 10, 'none', 10, 10, 'none' ], 'shows the same');
is(scalar(() = $r->{body} =~ /s3cr3t/g), 3, 'and hides the same');


# A form's CSRF token and password

my $form = 'authenticity_token=s3cr3t&password=s3cr3t&stage=Open&'
           . 'Token%281i%29=s3cr3t&x=%79';
$r = $t->request(POST => '/form', headers => [
    'Content-Type' => 'application/x-www-form-urlencoded',
], body => $form);
is($r->{status}, 200, 'a form goes on');
my $call = $t->only_request('hook');
hidden('form', $call);
is(task($call), '{"stage":"Open","x":"y"}', 'its other fields are told');
is($t->only_request('app')->{body}, $form, 'the app gets the form');


# Variables: what a step sends, by flowdash_ directives and by nginx's own

is($t->post_json('/said', $body)->{status}, 200, 'variables');
@calls = $t->new_requests('hook');
hidden('variables', @calls);

is($calls[0]{target}, '/?p=&m=%3C%3E', 'the URL');
is(header($calls[0], 'X-Field'), undef, 'a header');
is(header($calls[0], 'X-Map'), '<>', 'a map');
is(header($calls[0], 'X-JSON'), 'null', 'JSON');
is(header($calls[0], 'X-Task'), '{"stage":"Open","salary":10.00,"x":"y"}',
   'the task');
like(header($calls[0], 'X-User'), qr/"email":null/, 'the user');

is(header($calls[1], 'X-Set'), undef, 'proxy_pass: set');
is(header($calls[1], 'X-Field'), undef, 'proxy_pass: a header');
is(header($calls[1], 'X-Map'), '<>', 'proxy_pass: a map');
is(header($calls[1], 'X-JSON'), 'null', 'proxy_pass: JSON');
is(header($calls[1], 'X-Task'), header($calls[0], 'X-Task'),
   'proxy_pass: the task');
is(header($calls[1], 'X-User'), header($calls[0], 'X-User'),
   'proxy_pass: the user');
is(header($calls[1], 'X-Action'), '"A"', 'proxy_pass: others have a value');

is($calls[2]{target}, '/if', 'a condition still sees the field');

my $got = $t->only_request('app');
is(header($got, 'X-Field'), 's3cr3t', 'the app sees it');
is(header($got, 'X-Map'), '<s3cr3t>', 'also by a map');
is(header($got, 'X-Extracted'), 's3cr3t', 'or under another name');
like(header($got, 'X-Task'), qr/s3cr3t.*s3cr3t.*s3cr3t/, 'and by JSON');

$r = $t->post_json('/said?dry=1', $body);
unlike($r->{body}, qr/s3cr3t/, 'no dry run shows it');
like($r->{body}, qr/"extracted":\{"extracted":null\}/,
     'not even under another name');


# The stored task

is($t->post_json('/stored', '{"task":{"stage":"New"}}')->{status}, 200,
   'the stored task');
$call = $t->only_request('hook');
hidden('stored', $call);
is(header($call, 'X-JSON'), 'null', 'it has no such field, either');
is(header($call, 'X-N'), '[1]', 'but others');
is($call->{json}{t}{stage}, 'New', 'the task is told');
$t->new_requests('app');


# Answers

is($t->post_json('/change', $body)->{status}, 200, 'an answer');
like($t->only_request('app')->{body},
     qr/"stage": "Done", "password": "s3cr3t"/,
     'changes what it was told, not what is hidden');
like($t->error_log,
     qr/\[warn\] .* the[ ]answer[ ]to[ ]step[ ]"S"[ ]has[ ]the[ ]field
        [ ]"password",[ ]which[ ]flowdash_accept[ ]does[ ]not[ ]name/x,
     'the log says so');

is($t->post_json('/change/named', $body)->{status}, 200, 'one that is named');
like($t->only_request('app')->{body},
     qr/"stage": "Open", "password": "changed"/, 'is changed');

is($t->post_json('/change/passed', $body)->{status}, 200, 'not passed');
like($t->only_request('app')->{body},
     qr/"stage": "Done", "password": "changed"/,
     'does not mean that it cannot be changed');
$t->new_requests('hook');


# A subrequest of another module, after the action: it is none of a step

for my $n (1 .. 16) {
    my $padded = qq({"task":$task,"padding":") . 'x' x (40 * $n) . '"}';
    is($t->post_json('/asked', $padded)->{status}, 200, 'auth_request, later');
    @calls = $t->new_requests('app');
    is(scalar @calls, 2, 'the app is asked before it gets the task') or last;
    is(header($calls[0], 'X-Field'), 's3cr3t', 'and sees the field');
    like(header($calls[0], 'X-Task'), qr/s3cr3t/, 'also by JSON');
    is($calls[1]{body}, $padded, 'the task follows');
}

hidden('auth_request', $t->new_requests('hook'));


# The id, which all endpoints get, does not depend on what one of them hides or
# none of them is told

sub id {
    my ($task) = @_;
    $t->request(POST => '/id', headers => [ @json, 'Idempotency-Key' => 'k' ],
                body => qq({"task":$task}));
    $t->new_requests('app');
    return header(($t->new_requests('hook'))[0], 'Idempotency-Key') =~ s/-.*//r;
}

my $id = id('{"seen":1,"also":1,"secret":1,"password":1,"other":1}');
like($id, qr/^"[0-9a-f]{64}\z/, 'an id of the key');
is(id('{"seen":1,"also":1,"secret":2,"password":1,"other":1}'), $id,
   'the same for another value of a field that one step hides');
is(id('{"seen":1,"also":1,"secret":1,"password":2,"other":1}'), $id,
   'of one that all of them hide');
is(id('{"seen":1,"also":1,"secret":1,"password":1,"other":2}'), $id,
   'of one that none of them is told');
isnt(id('{"seen":2,"also":1,"secret":1,"password":1,"other":1}'), $id,
     'another for a field that one step is told');
isnt(id('{"seen":1,"also":2,"secret":1,"password":1,"other":1}'), $id,
     'or the other step');

unlike($t->error_log, qr/s3cr3t/, 'nothing of it in the log');


# nginx -t

sub action { return "location / { flowdash_action A; $_[0] flowdash_step S "
                    . '{ return 204; } }' }

for my $name (qw(flowdash_hide_field flowdash_pass_field)) {
    $t->conf_fails(action("$name a none;"),
        qr/invalid "none" in "$name": it must stand alone/, "$name: none alone");
    $t->conf_fails(action("$name all a;"),
        qr/invalid "all" in "$name": it must stand alone/, "$name: all alone");
    $t->conf_fails(action("$name a; $name b;"),
        qr/"$name" directive is duplicate/, "$name: twice");
    $t->conf_fails(action("$name '';"),
        qr/invalid "" in "$name": the field's name/, "$name: an empty name");
    my ($ok, $output) = $t->test_config(action("$name a, b;"));
    ok($ok && $output =~ /"a," in "$name": the comma is part/,
       "$name: a comma is warned of") or diag($output);
}

$t->conf_fails(action('flowdash_hide_field all;'),
    qr/invalid "all" in "flowdash_hide_field": it must stand/,
    'hide: all is not a word, "flowdash_pass_field none" is');

$t->done;
