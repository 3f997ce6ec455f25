#!/usr/bin/perl

# JSON that an app's parser could read in another way than the endpoints: what
# is no JSON (RFC 8259), and the rules of flowdash_strict that are about JSON.
# What is read reaches the endpoint with the bytes in which it came.

use v5.36;

use Encode qw(encode_utf8);
use FindBin;
use JSON::PP qw(decode_json);
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->endpoint(crm => sub ($req) {
    return $req->{target} eq '/told' ? { body => 'ok' }
         : { headers => [ 'Content-Type', 'application/json' ],
             body => encode_utf8(
                 decode_json($req->{body})->{task}{answer}) };
});
$t->endpoint(store => sub ($req) {
    return { headers => [ 'Content-Type', 'application/json' ],
             body => pack 'H*', $req->{target} =~ /([0-9a-f]*)$/ };
});
$t->endpoint(app => { body => 'done' });

my $told = <<'END';
                flowdash_step "Told" {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/told;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
END

my $answers = $told =~ s/told;/answer;/r;

my @pointers = ('/task', '', '/a/b', '/0/x', '/K');

my @relaxed = qw(bom case control dots json meaning);

my $locations = join '', map({ <<"END" } 0 .. $#pointers),
            location = /pointer/$_ {
                flowdash_action "Do";
                flowdash_task "$pointers[$_]";
$told
            }
END
    map({ <<"END" } @relaxed);
            location = /without/$_ {
                flowdash_action "Do";
                flowdash_strict all -$_;
$told
            }
            location = /answer/without/$_ {
                flowdash_action "Do";
                flowdash_strict all -$_;
$answers
            }
END

$t->config(<<"END");
    %%GLOBALS%%
    events { }
    http {
        %%HTTP_GLOBALS%%

        map \$flowdash_task_stage \$by_stage {
            Done     Finish;
        }

        server {
            listen 127.0.0.1:%%PORT_http%%;

$locations
            location = /answer {
                flowdash_action "Do";
$answers
            }

            location = /map {
                flowdash_action \$by_stage;
$told
            }

            location = /types {
                flowdash_action "Do";
                flowdash_types application/json multipart/form-data;
$told
            }

            location = /types/json {
                flowdash_action "Do";
                flowdash_types application/json text/json;
$told
            }

            location = /required {
                flowdash_action "Do";
                flowdash_task /task required;
$told
            }

            location = /required/map {
                flowdash_action \$by_stage;
                flowdash_task /task required;
$told
            }

            location = /required/not {
                flowdash_action \$arg_action;
                flowdash_task /task required;
$told
            }

            location /required/inherited {
                flowdash_task /a/b required;

                location = /required/inherited/here {
                    flowdash_action "Do";
$told
                }

                location = /required/inherited/other {
                    flowdash_action "Do";
                    flowdash_task /c;
$told
                }
            }

            location = /required/flat {
                flowdash_action "Do";
                flowdash_task "" required;
$told
            }

            location = /stored {
                flowdash_action "Do";
                flowdash_task_from /store/\$arg_stored pointer=/task;
$told
            }

            location = /stored/relaxed {
                flowdash_action "Do";
                flowdash_task_from /store/\$arg_stored pointer=/task;
                flowdash_strict all -case;
$told
            }

            location = /set {
                flowdash_action "Do";
                flowdash_set stage Done;
$told
            }

            location = /set/relaxed {
                flowdash_action "Do";
                flowdash_set stage Done;
                flowdash_strict all -case;
$told
            }

            location /store {
                proxy_pass http://127.0.0.1:%%PORT_store%%;
            }
        }
    }
END

for (
    [ 'flowdash_task /a optional', qr/"optional" in "flowdash_task": "requ/ ],
    [ 'flowdash_task /a required required', qr/number of arguments/ ],
    [ 'flowdash_task /a; flowdash_task /b required', qr/is duplicate/ ],
) {
    $t->conf_fails("$_->[0];", $_->[1], "refused: $_->[0]");
}

$t->run;


# a name for a test, and what was logged since the last time

sub show ($text) {
    return substr($text, 0, 70) =~ s/([^ -~])/sprintf '\x%02x', ord $1/ger;
}

my $logged = 0;

sub log_since () {
    my $log = substr $t->error_log, $logged;
    $logged += length $log;

    return join '', map { s/\\"/"/gr . "\n" }
                    grep { /flowdash:/ } split /\n/, $log;
}

# the request is read: the endpoint and the app get the task as it came

sub read_as_it_is ($uri, $body, $task) {
    my $name = "$uri " . show($body);

    is($t->post_json($uri, $body)->{status}, 200, "read: $name");

    my $call = $t->only_request('crm');
    like($call->{body}, qr/"task":\Q$task\E}$/, 'the endpoint is told');
    is($t->only_request('app')->{body}, $body, 'the app gets the body');
    log_since;
}

# it is refused: nothing is called, and the log says why

sub refused ($uri, $body, $why, $status = 400) {
    my $name = "$uri " . show($body);

    is($t->post_json($uri, $body)->{status}, $status, "$status: $name");
    $t->no_request('crm', 'nothing is called');
    $t->no_request('app', 'the app is not reached');
    like(log_since, $why, 'the log says why');
}

sub rule ($rule) { return qr/\(flowdash_strict $rule\)/ }


# What RFC 8259 has not, and some parsers accept: in the task, on the way, and
# beside it

my @no_json = (
    '01', '-01', '00', '1.', '.5', '-.5', '-', '+1', '1e', '1e+', '1.e1',
    '0x1', '1_000', '0.e1', '2.e-3', '1eE2', '-NaN', 'NaN', 'nan', 'Infinity',
    '-Infinity', 'True', 'nul', 'undefined', "'x'", 'x', '"x', 'x"',
    '"\\x41"', '"\\\'"', '"\\U0041"', '"\\0"', '"\\a"', '"\\u00"', '"\\u00g0"',
    "\"\\u\"", "\"\\\n\"", "\"a\tb\"", "\"a\nb\"", "\"\0\"", "\"\x1f\"",
    "\"\\", '[1,]', '[,1]', '[1,,2]', '[1 2]', '[1:2]', '["a":1]', '[1',
    '[1}', '{"a":1]', '{"a":1,}', '{,"a":1}', '{"a"}', '{"a":}', '{"a",1}',
    '{"a" "b"}', '{a:1}', "{'a':1}", '{1:1}', '{null:1}', '{"a":1 "b":2}',
    '{"a":1;"b":2}', '{"a"=>1}', '1/* x */', '1// x', '1#x', '<a>', '*',
    "\xa0" . '1', "1\x0b", "1\x0c", "\x0c1", "\"\xff\"", "\"\xc0\xaf\"",
    "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xc3\"", "\x{c2}\x{a0}1",
    '', ',', ':', '1,', '[]]', '{}}', '@', '0 1', "\x7f", '1u', '(1)',
    '"\\ud83d\\u"', "\xe2\x80\xa81", '""""', '"a"b', '-1-', '--1', '1.2.3',
    '9e+-1', "\xef\xbc\x91",
);

for my $value (@no_json) {
    refused('/pointer/0', qq({"task":{"a":$value}}), qr/not JSON|not allowed in JSON/);
    refused('/pointer/0', qq({"task":{"a":1},"b":$value}),
            qr/not JSON|not allowed in JSON/);
}

for my $text (' ', 'null x', '{}{}', "{} {}", '{}]', '{"task":{}}x',
              '{"task":{}},', "{\"task\":{}}\0", "{\"task\":{}}\x1a",
              '{"task":{}}:', '{"task":{}} {"task":{}}', '{"task":{}}//x',
              "\x1e" . '{"task":{}}', ")]}',\n" . '{"task":{}}', ',{}',
              "{\"task\":{}}\x0c", "\x0b{\"task\":{}}", '({"task":{}})',
              'task={"task":{}}', "{\0\"\0t\0a\0s\0k\0\"\0:\0{\0}\0}\0",
              "\xff\xfe{\0}\0", "\xfe\xff\0{\0}", "\0{\0}", '{"task":{}',
              '{"task":{"a":"b}}', '{"task":{}}"', '{"task":{}} "x, {"',
              '{"task":{}}"\\', '{"task":{}}"\\u', '7"', '{"task":{"a":-12')
{
    refused('/pointer/0', $text, qr/not JSON|not allowed in JSON/);
}

# only its end shows that a number is one
refused('/pointer/1', '-12345', qr/not an object .*, at byte 6,/);


# What RFC 8259 has, and parsers read in the same way, or in their own way from
# the same bytes

for my $value (
    '0', '-0', '0.0', '-0.0', '1e400', '-1e400', '1E-400', '1.0', '100e-2',
    '9007199254740993', '18446744073709551616', '1' x 60, '0.1e1', '1e00',
    '""', '"\\u0000"', '"a\\u0000b"', "\"\x7f\"", "\"\xe2\x80\xa8\"",
    '"\\ud83d\\ude00"', '"\\uD83D\\uDE00\\uD83D\\uDE00"', "\"\xf0\x9f\x98\x80\"",
    '"\\uffff\\ufdd0\\ufeff"', '"\\\\ud800"', '"\\\\\\ud83d\\ude00"',
    '"\\b\\f\\n\\r\\t\\/\\"\\\\"', '"/*"', '"\\u003c"', 'true', 'false', 'null',
    '[]', '{}', '[ ]', "{\n}", '[[[]],{"a":{"a":{"a":1}}}]', '{"":1}',
    '{"constructor":1,"prototype":2}', '{"constructor":"x"}',
    '{"prototype":{"constructor":1}}', '{"constructor":{"x":{"prototype":1}}}',
    '{"constructor":[{"prototype":1}]}', '[{"constructor":1},{"prototype":2}]',
    '[{"constructor":1},[{"prototype":2}]]', '{"__proto":1,"_proto__":2}',
    '{"__PROTO__":1,"Constructor":{"prototype":1}}', '{"ref":1,"$id":"1"}',
    '{"a":1,"A":2,"b":{"a":1,"a ":2}}', '[{"a":1},{"a":2}]',
    '{"\\ufeffa":1,"a":2}',
) {
    read_as_it_is('/pointer/0', qq({"task":{"v":$value}}), qq({"v":$value}));
    read_as_it_is('/pointer/0', qq({"x":$value, "task": {}}), '{}');
}

read_as_it_is('/pointer/0', qq( \t\r\n{"task"\n:\t{ "a" : 1 }\r} \n),
              '{ "a" : 1 }');

# no parser of JSON skips it in a name

read_as_it_is('/pointer/0', qq({"\\ufefftask":1,"task":{"\\ufeffa":1,"a":2}}),
              '{"\ufeffa":1,"a":2}');


# A name that occurs twice: at every depth of the task, not beside it

for my $task ('{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '{"v":{"a":1,"a":2}}',
              '{"v":[[{"x":{"a":1,"b":{},"a":2}}]]}', '{"v":{"":1,"":2}}',
              '{"v":{"\\n":1,"x":2,"\\u000a":3}}',
              '{"v":[{"a":1},{"b":{"c":1,"c":1}}]}',
              "{\"v\":{\"\xc3\xa9\":1,\"\\u00e9\":2}}",
              '{"v":{"a":{"b":1},"c":[{"a":1}],"a":2}}')
{
    refused('/pointer/0', qq({"task":$task}), qr/occurs twice/);
    read_as_it_is('/pointer/0', qq({"x":$task,"y":[$task],"task":{}}), '{}');
}

# what is remembered of an object is forgotten at its end

my $many = '[' . join(',', ('{"a":1,"\u0062":{}}') x 20_000) . ']';

ok($t->post_json('/pointer/0', qq({"task":{"v":$many}}))->{status} == 200,
   'many objects with the same names');
ok($t->only_request('crm')->{body} =~ /"task":\{"v":\Q$many\E\}\}$/,
   'the endpoint is told');
$t->only_request('app');

refused('/pointer/0', '{"task":{},"x":1,"task":{}}', qr/occurs twice/);
refused('/pointer/2', '{"a":{"b":{}},"a":1}', qr/occurs twice/);


# Names that fold to one

for (
    [ '/pointer/0', '{"Task":{}}' ],
    [ '/pointer/0', '{"task":{},"TASK":{}}' ],
    [ '/pointer/0', '{"\\u0054ask":1,"x":2}' ],
    [ '/pointer/0', "{\"ta\xc5\xbfk\":{\"a\":1},\"task\":{}}" ],   # U+017F
    [ '/pointer/0', '{"ta\\u017fk":{}}' ],
    [ '/pointer/0', "{\"tas\xe2\x84\xaa\":{}}" ],                 # U+212A
    [ '/pointer/4', '{"k":{}}' ],
    [ '/pointer/4', '{"\\u212a":{}}' ],
    [ '/pointer/2', '{"A":{"b":{}}}' ],
    [ '/pointer/2', '{"a":{"B":{}}}' ],
    [ '/pointer/2', '{"a":{"b":{},"B":1}}' ],
    [ '/pointer/3', '[{"X":{}}]' ],
    [ '/pointer/0', '{"task":{"Stage":1,"stage":2}}' ],
    [ '/pointer/0', '{"task":{"Stage":1,"x":2,"STAGE":2}}' ],
    [ '/pointer/0', '{"task":{"ss":1,"\\u017fS":2}}' ],
    [ '/pointer/0', "{\"task\":{\"k\":1,\"\xe2\x84\xaa\":2}}" ],
    [ '/pointer/0', "{\"task\":{\"\xc3\x84\":1,\"\xc3\xa4\":2}}" ],
    [ '/pointer/0', '{"task":{"\\u03c3":1,"\\u03c2":2}}' ],
    [ '/pointer/0', '{"task":{"I":1,"\\u0131":2}}' ],
    [ '/pointer/1', '{"Stage":1,"stage":2}' ],
) {
    refused(@$_, rule('case'));
}

read_as_it_is('/without/case', @$_) for
    [ '{"Task":1,"task":{"a":1},"TASK":2}', '{"a":1}' ],
    [ '{"Task":{"a":1}}', '{}' ],
    [ '{"task":{"Stage":1,"stage":2}}', '{"Stage":1,"stage":2}' ];

# strings in which a parser that takes each body for a form finds the task

for ('{"task":{"a":1},"x":"&task[a]=2&"}', '{"task":{"a":"&task.a=2&"}}',
     '{"x":"&a&%74ask%5ba]=2"}')
{
    refused('/pointer/0', $_, rule('json'));
    refused('/types', $_, rule('json'));
}

refused('/pointer/2', '{"x":"&a[b][c]=1"}', rule('json'));

read_as_it_is(@$_) for
    [ '/without/json', '{"task":{"a":1},"x":"&task[a]=2&"}', '{"a":1}' ],
    [ '/types/json', '{"task":{"a":1},"x":"&task[a]=2&"}', '{"a":1}' ],
    [ '/pointer/0', '{"task":{"a":"?task[a]=1&tasks[a]=1&task=1&a=2&"}}',
      '{"a":"?task[a]=1&tasks[a]=1&task=1&a=2&"}' ],
    [ '/pointer/1', '{"a":"&a=1&","b":"&"}', '{"a":"&a=1&","b":"&"}' ];

refused('/without/case', '{"task":{"Stage":1,"stage":2,"Stage":1}}',
        qr/occurs twice/);

# others on the way, and those in values, are not compared

read_as_it_is('/pointer/0', '{"X":1,"x":2,"Y":{"y":1,"Y":2},"task":{}}', '{}');
read_as_it_is('/pointer/2', '{"B":{"A":1},"a":{"A":1,"b":{"A":1,"B":2}}}',
              '{"A":1,"B":2}');
read_as_it_is('/pointer/3', '[{"x":{}},{"X":1}]', '{}');


# Names with a meaning

for my $object (
    '{"__proto__":1}', '{"__proto__":{"task":{}}}', '{"\\u005f_proto__":1}',
    '{"x":{"__proto__":{}}}', '{"x":[[{"y":{"__proto__":null}}]]}',
    '{"constructor":{"prototype":{"task":{}}}}',
    '{"x":{"constructor":{"a":1,"prototype":null}}}',
    '{"constructor":{"a":{"b":[]},"prototyp\\u0065":1}}',
) {
    my ($inside) = $object =~ /^\{(.*)\}$/;

    refused('/pointer/0', $_, rule('meaning')) for
        qq({"task":$object}), qq({"task":{"v":[$object]}}),
        qq({$inside,"task":{}}), qq({"task":{},$inside}), $object,
        qq({"z":$object}), qq({"z":[$object,{"task":1}],"task":{"a":1}});

    read_as_it_is('/without/meaning', qq({"task":$object,$inside}), $object);
}

for my $name ('$ref', 'json_class', '\\u0024ref') {
    refused('/pointer/0', $_, rule('meaning')) for
        qq({"task":{"$name":"#/x"}}), qq({"task":{"v":[{"$name":1}]}}),
        qq({"$name":"1","task":{}}), qq({"task":{},"$name":1}),
        qq({"$name":1});

    refused('/pointer/2', qq({"a":{"$name":1}}), rule('meaning'));

    read_as_it_is('/pointer/0', qq({"x":{"$name":1},"task":{}}), '{}');
    read_as_it_is('/without/meaning', qq({"task":{"$name":1}}),
                  qq({"$name":1}));
}


for ('{"due":1,"due(1i)":2}', '{"due(1i)":2,"due":1}', '{"a()":1,"a":2}') {
    refused('/pointer/0', qq({"task":$_}), rule('meaning'));
    read_as_it_is('/without/meaning', qq({"task":$_}), $_);
}

read_as_it_is('/pointer/0', qq({"task":$_}), $_) for
    '{"due(1i)":1,"due(2i)":2}', '{"due":1,"due (1)":2,"x(1":3,"x":4}';


# Names that are paths to lodash and express-validator

for (
    [ '/pointer/0', '{"task":{"a":1},"task.a":2}' ],
    [ '/pointer/0', '{"task[a]":2}' ],
    [ '/pointer/2', '{"a.b":{"x":1},"a":{"b":{}}}' ],
    [ '/pointer/2', '{"a":{"b":{},"b.x":1}}' ],
) {
    refused(@$_, rule('dots'));
}

read_as_it_is('/without/dots', '{"task":{"a":1},"task.a":2}', '{"a":1}');
read_as_it_is('/pointer/0', '{"tasks.a":1,"x.task":2,"task":{"a.b":1}}',
              '{"a.b":1}');


# A byte order mark; it stays no JSON without the rule

refused('/pointer/0', "\xef\xbb\xbf{\"task\":{}}",
        qr/the request's body: a byte order mark \(flowdash_strict bom\), at byte 0/);
refused('/pointer/0', "\xef\xbb\xbf", rule('bom'));
refused('/without/bom', "\xef\xbb\xbf{\"task\":{}}", qr/: not JSON, at byte/);
refused('/pointer/0', "\xef\xbb", qr/not allowed in JSON/);
refused('/pointer/0', " \xef\xbb\xbf{}", qr/: not JSON, at byte/);


# Null characters in names, half of a surrogate pair in the task

for (
    [ '/pointer/0', '{"task\\u0000":{}}' ],
    [ '/pointer/0', '{"task":{},"task\\u0000x":1}' ],
    [ '/pointer/0', '{"\\u0000":1,"task":{}}' ],
    [ '/pointer/2', '{"a":{"b\\u0000":1}}' ],
    [ '/pointer/0', '{"task":{"Stage\\u0000":1}}' ],
    [ '/pointer/0', '{"task":{"v":[{"\\u0000x":1}]}}' ],
    [ '/pointer/0', '{"task":{"v":"\\ud800"}}' ],
    [ '/pointer/0', '{"task":{"v":"\\ud800\\u0041"}}' ],
    [ '/pointer/0', '{"task":{"v":"\\ude00\\ud83d"}}' ],
    [ '/pointer/0', '{"task":{"v":["\\ud83d\\ude00","\\ud83dx\\ude00"]}}' ],
    [ '/pointer/0', '{"task":{"v":{"a":"\\udc00"}}}' ],
) {
    refused(@$_, rule('control'));
}

refused('/pointer/0', '{"task":{"\\ud800":1}}', qr/half of a surrogate pair/);
refused('/pointer/0', '{"task":{"v":{"\\ud800":1}}}',
        qr/half of a surrogate pair/);

read_as_it_is('/pointer/0', $_, '{}') for
    '{"x":{"\\u0000":1},"task":{}}', '{"x":"\\ud800","task":{}}',
    '{"x":{"\\ud800":"\\u0000"},"task":{}}';

read_as_it_is('/without/control', qq({"task":$_}), $_) for
    '{"a\\u0000":"\\ud800\\u0041"}', '{"v":{"\\u0000":1}}';


# The same in answers: the step fails, except for a byte order mark

for (
    [ '{"Task":{"a":1}}',                     rule('case') ],
    [ '{"task":{"a":1,"A":2}}',               rule('case') ],
    [ '{"task":{"ANSWER":2}}',                rule('case') ],
    [ '{"task":{"b":1,"An\\u017fwer":2}}',    rule('case') ],
    [ '{"task":{"__proto__":1}}',             rule('meaning') ],
    [ '{"__proto__":{"task":{"a":1}}}',       rule('meaning') ],
    [ '{"task":{"a":{"$ref":1}}}',            rule('meaning') ],
    [ '{"task":{"a":1,"a(1i)":2}}',           rule('meaning') ],
    [ '{"task":{"answer(1)":2}}',             rule('meaning') ],
    [ '{"task":{"a\\u0000":1}}',              rule('control') ],
    [ '{"task":{"a":"\\ud800"}}',             rule('control') ],
    [ '{"task":{"v":{"a":1,"a":2}}}',         qr/occurs twice/ ],
    [ '{"task":{"a":1},"task":{}}',           qr/occurs twice/ ],
) {
    my ($body, $why) = @$_;
    my $name = 'an answer ' . show($body);
    my $task = $body =~ s/(["\\])/\\$1/gr;
    my ($rule) = $why =~ /flowdash_strict (\w+)/;

    for my $uri ('/answer', $rule ? "/answer/without/$rule" : ()) {
        my $fails = $uri eq '/answer';

        my $res = $t->post_json($uri, qq({"task":{"answer":"$task"}}));

        is($res->{status}, $fails ? 502 : 200, "$uri: $name");
        $t->only_request('crm');

        if ($fails) {
            $t->no_request('app', 'the app is not reached');
            like(log_since, qr/response_invalid.*$why/, 'the log says why');

        } else {
            $t->only_request('app');
            log_since;
        }
    }
}

is($t->post_json('/answer',
                 '{"task":{"answer":"\ufeff{\"task\":{\"a\":1}}"}}')
   ->{status}, 200, 'an answer with a byte order mark');
$t->only_request('crm');
like($t->only_request('app')->{body}, qr/"a":1}}$/, 'is read');
log_since;


# The stored task, and the merged one

for (
    [ '{"task":{"Stage":1}}',            '{"task":{"stage":2}}', 400,
        rule('case') ],
    [ '{"task":{"Stage":1}}',            '{"task":{"x":1,"STAGE":2}}', 400,
        rule('case') ],
    [ '{"task":{"Stage":1,"stage":1}}',  '{"task":{"a":2}}', 502,
        rule('case') ],
    [ '{"Task":{"Stage":1}}',            '{"task":{"a":2}}', 502,
        rule('case') ],
    [ '{"task":{"a":{"b":1,"b":2}}}',    '{"task":{"a":2}}', 502,
        qr/occurs twice/ ],
    [ '{"task":{"__proto__":1}}',        '{"task":{"a":2}}', 502,
        rule('meaning') ],
    [ '{"task":{"due":1}}',              '{"task":{"due(1i)":2}}', 400,
        rule('meaning') ],
    [ '{"task":{"due(1i)":1}}',          '{"task":{"due":2}}', 400,
        rule('meaning') ],
) {
    my ($stored, $body, $status, $why) = @$_;
    my $uri = '/stored?stored=' . unpack 'H*', $stored;

    is($t->post_json($uri, $body)->{status}, $status,
       show("$status: $stored stored, $body"));
    $t->only_request('store');
    $t->no_request($_) for qw(crm app);
    like(log_since, $why, 'the log says why');
}

is($t->post_json('/stored/relaxed?stored=' . unpack('H*', '{"task":{"A":1}}'),
                 '{"task":{"a":2}}')->{status}, 200, 'without the rule');
like($t->only_request('crm')->{body}, qr/"task":\{"A":1,"a":2\}\}$/,
     'the endpoint is told both');
$t->only_request($_) for qw(store app);

# the query, beside a stored task

is($t->post_json('/stored?task[stage]=2&stored='
                 . unpack('H*', '{"task":{"Stage":1}}'), '{}')->{status}, 400,
   'the query has a name in another case than the stored task');
$t->only_request('store');
$t->no_request($_) for qw(crm app);
like(log_since, rule('case'), 'the log says why');


# flowdash_set

refused('/set', '{"task":{"Stage":"Open"}}', rule('case'));
refused('/set', '{"task":{"\\u017ftage":"Open"}}', rule('case'));

is($t->post_json($_->[0], $_->[1])->{status}, 200, "$_->[0] $_->[1]"),
like($t->only_request('crm')->{body}, $_->[2], 'is told'),
$t->only_request('app')
    for [ '/set', '{"task":{"a":1}}', qr/\{"a":1,"stage":"Done"\}/ ],
        [ '/set', '{"task":{"stage":1}}', qr/\{"stage":"Done"\}/ ],
        [ '/set/relaxed', '{"task":{"Stage":1}}',
            qr/\{"Stage":1,"stage":"Done"\}/ ];
log_since;


# A task that must be there

my $form = 'application/x-www-form-urlencoded';

sub post ($uri, $type, $body) {
    return $t->request('POST', $uri, body => $body,
                       headers => [ 'Content-Type', $type ])->{status};
}

for (
    [ '/required', '{"Stage":"Done"}', '/task' ],
    [ '/required', '{"x":{"task":{}}}', '/task' ],
    [ '/required', '{}', '/task' ],
    [ '/required/map', '{"Stage":"Done"}', '/task' ],
    [ '/required/inherited/here', '{"a":{"c":1}}', '/a/b' ],
) {
    my ($uri, $body, $pointer) = @$_;
    refused($uri, $body, qr/the request has no task at the pointer "$pointer"/);
}

for (
    [ '/required',      $form, 'Stage=Done' ],
    [ '/required',      $form, 'taskx[Stage]=Done' ],
    [ '/required',      $form, '' ],
    [ '/required?a=b',  $form, '' ],
    [ '/required/map',  $form, 'Stage=Done' ],
    [ '/required/flat', $form, '' ],
    [ '/required/flat', $form, '&' ],
    [ '/required/flat', 'application/json', '' ],
    [ '/required',      'application/json', '' ],
    [ '/required',      'multipart/form-data; boundary=B', '--B--' ],
    [ '/required',      'multipart/form-data; boundary=B',
        qq(--B\r\nContent-Disposition: form-data; name="Stage"\r\n)
        . "\r\nDone\r\n--B--\r\n" ],
) {
    is(post(@$_), 400, 'required: ' . show("@$_"));
    $t->no_request($_) for qw(crm app);
    like(log_since, qr/the request has no task at the pointer "/, 'the log');
}

for (
    [ '/required',       'application/json', '{"task":{}}' ],
    [ '/required/flat',  'application/json', '{}' ],
    [ '/required',       $form, 'task[Stage]=Done' ],
    [ '/required?task[Stage]=Done', $form, '' ],
    [ '/required?task[Stage]=Done', 'application/json', '' ],
    [ '/required/flat?Stage=Done',  $form, '' ],
    [ '/required/flat',  $form, 'Stage=Done' ],
    [ '/required/map',   $form, 'task[Stage]=Done' ],
    [ '/required/inherited/other', 'application/json', '{"x":1}' ],
) {
    is(post(@$_), 200, 'there: ' . show("@$_"));
    $t->only_request($_) for qw(crm app);
    log_since;
}

# a name that is empty, and does not depend on the task

is(post('/required/not', 'application/json', '{"x":1}'), 200, 'no action');
$t->no_request('crm');
is($t->only_request('app')->{body}, '{"x":1}', 'the request passes');

is(post('/required/not?action=Do', 'application/json', '{"x":1}'), 400,
   'an action');
$t->no_request($_) for qw(crm app);

# otherwise the log tells what found nothing

log_since;

for (
    [ '/pointer/0', 'application/json', '{"Stage":"Done"}', '/task' ],
    [ '/pointer/2', 'application/json', '{"a":{}}', '/a/b' ],
    [ '/pointer/0', $form, 'Stage=Done', '/task' ],
    [ '/pointer/0', 'application/json', '', '/task' ],
) {
    is(post(@$_[0 .. 2]), 200, "found nothing: " . show("@$_"));
    $t->only_request($_) for qw(crm app);
    like(log_since, qr/\[info\].*flowdash: the request has no task at the (?#
         )pointer "$_->[3]"/, 'the log says so');
}

is(post('/map', 'application/json', '{"Stage":"Done"}'), 200, 'a map');
$t->no_request('crm');
$t->only_request('app');
like(log_since, qr/\[info\].*no task at the pointer "\/task"/,
     'the log says why it is no action');

is(post('/pointer/0', 'application/json', '{"task":{}}'), 200, 'an empty task');
$t->only_request($_) for qw(crm app);
unlike(log_since, qr/no task/, 'is there');

$t->done;
