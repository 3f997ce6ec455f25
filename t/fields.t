#!/usr/bin/perl

# Which fields are set before the first step, which a step may change, and
# steps that are run only if.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->endpoint($_ => sub {
    my ($req) = @_;
    return { headers => [ 'Content-Type' => 'application/json' ],
             body => '{"task":' . ($req->header('X-Change') // '{}') . '}' };
}) for qw(one two);
$t->endpoint(app => { body => 'stored' });

$t->config(<<'END');
    %%GLOBALS%%
    events { }
    http {
        %%HTTP_GLOBALS%%

        # not volatile: what it has found must not stick

        map $flowdash_task_stage $done { Done 1; '["0","Done"]' 1; default ""; }

        log_format flow '$flowdash_step_status|$flowdash_step_time';

        server {
            listen 127.0.0.1:%%PORT_http%%;
            access_log %%DIR%%/flow.log flow;

            location /above {
                flowdash_set "Set Above" x;

                location /above/inside {
                    flowdash_action "Save";
                    flowdash_step "1" {
                        flowdash_call http://127.0.0.1:%%PORT_one%%;
                    }
                    proxy_pass http://127.0.0.1:%%PORT_app%%;
                }
            }

            location /set {
                flowdash_action "Save";
                flowdash_set      by      $http_x_by;
                flowdash_set      was     $flowdash_task_stage;
                flowdash_set_json n       $arg_n;
                flowdash_set_json "a b"   '[1, {"x":null}]';
                flowdash_set      text    "constant";
                flowdash_step "1" { flowdash_call http://127.0.0.1:%%PORT_one%%; }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /accept {
                flowdash_action "Save";
                flowdash_set_header X-Change $http_x_change;

                flowdash_step "1" {
                    flowdash_accept Stage "Due Date";
                    flowdash_call http://127.0.0.1:%%PORT_one%%;
                }
                flowdash_step "2" {
                    flowdash_accept none;
                    flowdash_call http://127.0.0.1:%%PORT_two%%;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /inherited {
                flowdash_action "Save";
                flowdash_set_header X-Change $http_x_change;
                flowdash_accept none;

                flowdash_step "1" { flowdash_call http://127.0.0.1:%%PORT_one%%; }
                flowdash_step "2" {
                    flowdash_accept all;
                    flowdash_call http://127.0.0.1:%%PORT_two%%;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /if {
                flowdash_action "Save";

                flowdash_step "1" {
                    flowdash_if $arg_if;
                    flowdash_set_header X-Change $http_x_change;
                    flowdash_call http://127.0.0.1:%%PORT_one%%;
                }
                flowdash_step "2" {
                    flowdash_if $done;
                    flowdash_call http://127.0.0.1:%%PORT_two%%;
                }
                flowdash_step "3" {
                    flowdash_if 0;
                    return 500;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /named {
                flowdash_action "Save $done";
                flowdash_step "1" {
                    flowdash_set_header X-Change $http_x_change;
                    flowdash_call http://127.0.0.1:%%PORT_one%%;
                }
                flowdash_step "2" {
                    flowdash_if $done;
                    flowdash_call http://127.0.0.1:%%PORT_two%%;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
        }
    }
END
$t->run;

sub sent { return $t->only_request($_[0])->{body} }

my $posted = 0;

sub post {
    my ($uri, $task, %header) = @_;
    $posted++;
    return $t->post_json($uri, qq({"task":$task}), headers => [ %header ]);
}

# flowdash_set

is(post('/above/inside', '{"a":1}')->{status}, 200, 'inherited');
like(sent('one'), qr/"task":\{"a":1,"Set Above":"x"\}/, 'payload');
is(sent('app'), '{"task":{"a":1,"Set Above":"x"}}', 'body');

is(post('/set?n=1.50', '{"stage":"New","by":"me"}', 'X-By' => "J\"\xc3\xa9")
    ->{status}, 200, 'strings and JSON');
my $wanted = qq({"stage":"New","by":"J\\"\xc3\xa9","was":"New","n":1.50,)
    . '"a b":[1, {"x":null}],"text":"constant"}';
like(sent('one'), qr/"task":\Q$wanted\E\}/, 'payload');
is(sent('app'), qq({"task":$wanted}), 'body');

for ([ '', 'nothing' ], [ '1,"x":2', 'more than one value' ], [ '{', 'half' ],
     [ '%22', 'not decoded' ], [ '[' x 128 . ']' x 128, 'too deep' ]) {
    is(post("/set?n=$_->[0]", '{}')->{status}, 400, "no JSON: $_->[1]");
    $t->no_request('one', 'nothing is called');
    $t->no_request('app', 'the app is not reached');
}
is(post('/set?n=1', '{}', 'X-By' => "\xff")->{status}, 400, 'not UTF-8');
$t->no_request('app', 'the app is not reached');

$posted++;
is($t->request('POST', '/set?n=1', body => 'task[by]=me', headers => [
    'Content-Type' => 'application/x-www-form-urlencoded', 'X-By' => 'you' ])
    ->{status}, 200, 'in a form');
sent('one');
is(sent('app'), 'task[by]=you&task%5Bwas%5D=&task%5Bn%5D=1&'
    . 'task%5Ba%20b%5D%5B0%5D=1&task%5Ba%20b%5D%5B1%5D%5Bx%5D=&'
    . 'task%5Btext%5D=constant', 'body');

my $deep = '[' x 127 . ']' x 127;
is(post("/set?n=$deep", '{}')->{status}, 200, 'as deep as it may be');
like(sent('one'), qr/"n":\Q$deep\E/, 'payload');
sent('app');

# flowdash_accept

is(post('/accept', '{"Stage":1,"Other":2}', 'X-Change' =>
    '{"Stage":3,"Other":2,"Due Date":4,"Bad \"one\"":6,"Worse":7}')
    ->{status}, 200, 'accept');
sent('one');
like(sent('two'), qr/"task":\{"Stage":3,"Other":2,"Due Date":4\}/,
    'only what is named');
is(sent('app'), '{"task":{"Stage":3,"Other":2,"Due Date":4}}', 'body');
my @lines = $t->error_log
    =~ /\[\w+\].*(flowdash: action "Save": the answer.*)/g;
is(scalar @lines, 1, 'one line for the action');
like($lines[0], qr/to step "1" has the field "Bad \\"one\\"", which/, 'this');

is(post('/accept', '{"Stage":1}', 'X-Change' => '{"Stage":1}')->{status}, 200,
    'what is not changed');
@lines = $t->error_log =~ /\[\w+\].*(flowdash: action "Save": the answer.*)/g;
is(scalar @lines, 1, 'is not ignored');
sent($_) for qw(one two app);

is(post('/inherited', '{}', 'X-Change' => '{"a":1}')->{status}, 200,
    'inherited');
like(sent('one'), qr/"task":\{\}/, 'first');
like(sent('two'), qr/"task":\{\}/, 'none');
is(sent('app'), '{"task":{"a":1}}', 'all');

# flowdash_if

sub steps_are {
    my ($wanted, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $t->wait_for(sub { ($t->read_file('flow.log') =~ tr/\n//) >= $posted });
    my ($line) = $t->read_file('flow.log') =~ /(.*)\n\z/;
    like($line, $wanted, $name);
}

for (
    [ '/if?if=1', '{"stage":"New"}', '{}', 1, 0, qr/^200 : - : -\|.* : - : -$/ ],
    [ '/if', '{"stage":"New"}', '{}', 0, 0, qr/^- : - : -\|/ ],
    [ '/if?if=0', '{"stage":"Done"}', '{}', 0, 1, qr/^- : 200 : -\|/ ],
    [ '/if?if=00', '{"stage":"New"}', '{"stage":"Done"}', 1, 1,
      qr/^200 : 200 : -\|/ ],
    [ '/if?if=1', '{"stage":"Done"}', '{"stage":"New"}', 1, 0,
      qr/^200 : - : -\|/ ],
    [ '/named', '{"stage":"New"}', '{"stage":"Done"}', 1, 1, qr/^200 : 200\|/ ],
    [ '/named', '{"stage":"Done"}', '{"stage":""}', 1, 0, qr/^200 : -\|/ ],
) {
    my ($uri, $task, $change, $one, $two, $steps) = @$_;
    is(post($uri, $task, 'X-Change' => $change)->{status}, 200,
        "$uri $task $change");
    is(scalar(my @one = $t->new_requests('one')), $one, 'first step');
    is(scalar(my @two = $t->new_requests('two')), $two, 'second step');
    $t->only_request('app');
    steps_are($steps, 'variables');
}

for ([ 'task[stage]=New&task[stage]=Done', 'a field that is there twice',
       'the field \"stage\", which the task has twice, ' ],
     [ 'task[stage(1i)]=2026', 'a field of which only a part is there',
       'a field that the task has twice, or ' ]) {
    my $before = length $t->error_log;
    is($t->request('POST', '/if', body => $_->[0], headers => [
        'Content-Type' => 'application/x-www-form-urlencoded' ])->{status},
       400, $_->[1]);
    $t->no_request('app', 'the app is not reached');
    like(substr($t->error_log, $before), qr/request_invalid, flowdash_if (?#
         )depends on \Q$_->[2]\E/, 'the log says which');
}

# a checkbox of Rails: "map" can say what both values mean

$posted++;
is($t->request('POST', '/if', body => 'task[stage]=0&task[stage]=Done',
    headers => [ 'Content-Type' => 'application/x-www-form-urlencoded' ])
    ->{status}, 200, 'a field that is there twice, and is known to "map"');
is(scalar(my @second = $t->new_requests('two')), 1, 'second step');
$t->only_request('app');
$t->new_requests('one');

# what nginx -t says

my $conf = 'location /x { flowdash_action "x"; %s flowdash_step "s" '
    . '{ %s return 200; } proxy_pass http://127.0.0.1:1; }';

for (
    [ 'flowdash_set "" x;', '', qr/invalid "" in "flowdash_set"/ ],
    [ "flowdash_set a \"\xff\";", '', qr/the value must be UTF-8/ ],
    [ 'flowdash_set_json a x;', '', qr/invalid "x" in "flowdash_set_json": a JSON value/ ],
    [ "flowdash_set_json a '1 2';", '', qr/a JSON value is expected/ ],
    [ "flowdash_set_json a '\"\\\\ud800\"';", '', qr/a JSON value is expected/ ],
    [ 'flowdash_set a 1; flowdash_set_json a 2;', '', qr/it is set twice here/ ],
    [ '', 'flowdash_set a 1;', qr/is for the whole action/ ],
    [ '', 'flowdash_set_json a 1;', qr/is for the whole action/ ],
    [ '', 'flowdash_decode on;', qr/is for the whole action/ ],
    [ '', 'flowdash_max_fields_size 1;', qr/is for the whole action/ ],
    [ 'flowdash_max_fields_size 0;', '', qr/a size over 0 is expected/ ],
    [ '', 'flowdash_max_fields 1;', qr/is for the whole action/ ],
    [ 'flowdash_max_fields 1; flowdash_max_fields 1;', '', qr/duplicate/ ],
    (map { [ "flowdash_max_fields $_;", '', qr/a number over 0 is expected/ ] }
        '0', '-1', '1k', '""'),
    [ 'flowdash_if 1;', '', qr/allowed in "flowdash_step" only/ ],
    [ '', 'flowdash_if 1; flowdash_if 2;', qr/duplicate/ ],
    [ '', 'flowdash_accept a; flowdash_accept b;', qr/duplicate/ ],
    [ '', "flowdash_accept \"\xff\";", qr/must be UTF-8/ ],
) {
    $t->conf_fails(sprintf($conf, @$_[0, 1]), $_->[2], "@$_[0, 1]");
}

$t->conf_ok(sprintf($conf, "flowdash_set_json a '\"x\"';", ''), 'a string');

$t->done;
