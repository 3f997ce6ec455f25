#!/usr/bin/perl

# Values that tell what a request is: they are extracted from body, query, task
# and stored task, and read as strictly as a field of the task.  No spelling of
# a request may make them empty while the app reads them.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

my $JSON = 'application/json';
my $FORM = 'application/x-www-form-urlencoded';
my $PARTS = 'multipart/form-data; boundary=b';

$t->endpoint(hook => sub {
    my ($req) = @_;
    return { headers => [ 'Content-Type' => $JSON ],
             body => '{"task":' . ($req->header('X-Change') // '{}') . '}' };
});

$t->endpoint(app => sub {
    my ($req) = @_;
    return { status => 204, body => '' } if $req->{method} ne 'GET';
    return { headers => [ 'Content-Type' => $JSON ], body =>
             $req->header('X-Stored') // '{"issue":{"status":{"id":1}}}' };
});

my $step = <<'END';
                flowdash_step "Hook" {
                    flowdash_call http://127.0.0.1:%%PORT_hook%%/;
                    flowdash_set_header X-Extracted "<$value>";
                    flowdash_set_header X-Change $http_x_change;
                }
                flowdash_step "Again" {
                    flowdash_if $http_x_change;
                    flowdash_call http://127.0.0.1:%%PORT_hook%%/;
                    flowdash_set_header X-Extracted "<$value>";
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
END

$t->config(<<"END");
    %%GLOBALS%%
    events { }
    http {
        %%HTTP_GLOBALS%%
        client_max_body_size 4m;

        map "\$controller:\$action" \$moved {
            "BoardAjaxController:save"  "Move";
            default                     "";
        }
        map \$value \$finished  { finish "Finish"; default ""; }
        map \$value \$otherwise { finish "Finish"; default "Other"; }
        map "\$was:\$becomes" \$closed { ~^5: ""; ~:5\\z "Close"; default ""; }
        map \$query \$mutation {
            "mutation F(\$i: ID!) { finish(id: \$i) { id } }" "Finish";
            "~^query [A-Z][a-z]*\\z"                       "";
            default                                      "unknown";
        }

        map \$finished \$again { Finish 1; default ""; }
        limit_req_zone \$again zone=names:32k rate=1000r/s;

        flowdash_extract \$value /method;
        log_format extracted '\$uri|\$value|\$flowdash_result|\$status';

        server {
            listen 127.0.0.1:%%PORT_http%%;
            access_log %%DIR%%/extracted.log extracted;
            flowdash_guard on;

            location /kanboard {
                flowdash_extract \$controller /controller from=query;
                flowdash_extract \$action     /action     from=query;
                flowdash_action \$moved;
                flowdash_task "";
                $step
            }

            location /by_get {
                flowdash_methods GET POST;
                flowdash_extract \$value /action from=query;
                flowdash_action \$finished;
                flowdash_task "";
                flowdash_step "Refused" { return 403; }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /rpc {
                flowdash_action \$finished;
                flowdash_task /params;
                $step
            }

            location /otherwise {
                flowdash_action \$otherwise;
                flowdash_task /params;
                $step
            }

            location /deep {
                flowdash_extract \$value /a/b from=body;
                flowdash_action \$finished;
                $step
            }

            location /loose {
                flowdash_strict none;
                flowdash_action \$finished;
                $step
            }

            location /no_query {
                flowdash_strict all -query;
                flowdash_action \$finished;
                $step
            }

            location /selected {
                flowdash_extract \$value "/issue/custom_fields/[id=7]/value";
                flowdash_action \$finished;
                flowdash_task /issue;
                $step
            }

            location /in_task {
                flowdash_extract \$value "/custom_fields/[id=7]/value" from=task;
                flowdash_action \$finished;
                flowdash_task /issue;
                $step
            }

            location /stored {
                flowdash_extract \$value   /note from=task;
                flowdash_extract \$was     /status/id from=stored;
                flowdash_extract \$becomes /status/id from=task;
                flowdash_action \$closed;
                flowdash_dry_run \$arg_dry;
                flowdash_task /issue;
                flowdash_task_from \$uri;
                $step
            }

            location /graphql {
                flowdash_types application/json;
                flowdash_extract \$query /query;
                flowdash_action \$mutation;
                flowdash_task /variables;
                $step
            }

            location /always {
                flowdash_action "Always";
                $step
            }

            location /not_here {
                flowdash_extract \$elsewhere /x;
                flowdash_action "Here\$controller";
                $step
            }

            location /rewritten {
                if (\$value = x) { return 204; }
                flowdash_action \$finished;
                $step
            }

            # a "map" that was read before there is a task; what "set" has
            # stored stays

            location /limited {
                limit_req zone=names burst=1000;
                set \$stored here;
                flowdash_action \$again;
                $step
            }
            location /asked {
                auth_request /auth;
                auth_request_set \$asked \$upstream_status;
                set \$stored here;
                flowdash_action "\$again";
                flowdash_step "Hook" {
                    flowdash_if \$finished;
                    flowdash_call http://127.0.0.1:%%PORT_hook%%/;
                    flowdash_set_header X-Extracted "<\$value,\$stored,\$asked>";
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
            location = /auth {
                internal;
                proxy_set_header X-Action "\$again";
                proxy_pass_request_body off;
                proxy_set_header Content-Length "";
                proxy_method GET;
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
        }
    }
END
$t->run;

# sends a request, and checks what became of it: the status of a refusal, "" if
# it is not an action, or what the step got for \$value

sub judge {
    my ($uri, $type, $body, $wanted, $why, @headers) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $res = $t->request('POST', $uri, body => $body // '', headers =>
        [ ($type ? ('Content-Type' => $type) : ()), @headers ]);
    my @calls = $t->new_requests('hook');
    my @app = grep { $_->{method} ne 'GET' } $t->new_requests('app');

    my $got = $res->{status} ne 204 ? $res->{status}
        : @calls ? $calls[0]->header('X-Extracted') : '';

    $got .= ' and was called' if $res->{status} ne 204 && (@calls || @app);

    is($got, $wanted, $why);
    is($app[0]{body}, $body // '', "$why: as it came") if $res->{status} eq 204;
    return @calls;
}

# the part of a form with this name

sub part {
    my ($name, $value, $more) = @_;
    return "--b\r\nContent-Disposition: form-data; name=\"$name\""
        . ($more // '') . "\r\n\r\n$value\r\n";
}

# Kanboard: what a request does is in its query

my $move = '/kanboard?controller=BoardAjaxController&action=save&project_id=1';
my @task = ($JSON, '{"task_id":7,"dst_column_id":3}');

judge($move, @task, '<>', 'a card is moved');
judge($move, $JSON, '{"method":"m"}', '<m>',
    'what the level above extracts is inherited');
judge('/kanboard?controller=BoardAjaxController&action=check', @task, '',
    'something else');
judge('/kanboard', @task, '', 'nothing');
judge('/kanboard?controller=%42oardAjaxController&%61ction=s%61ve', @task,
    '<>', 'percent-encoded, names and values');
judge('/kanboard?controller=BoardAjaxController&action=save', $FORM,
    'task_id=7', '<>', 'a form');
judge('/kanboard?controller=BoardAjaxController&action=save', undef, undef,
    '<>', 'without a body');

for (
    [ 'controller=X&controller=BoardAjaxController&action=save', 'twice' ],
    [ 'controller=BoardAjaxController&action=save&action=x', 'the other one' ],
    [ 'controller=BoardAjaxController&action=save&action=save',
      'twice the same' ],
    [ 'Controller=BoardAjaxController&action=save', 'in another case' ],
    [ 'controller[]=BoardAjaxController&action=save', 'an array' ],
    [ 'controller%5B%5D=BoardAjaxController&action=save', 'encoded' ],
    [ 'controller[x]=BoardAjaxController&action=save', 'an object' ],
    [ 'controller=x&controller[]=BoardAjaxController&action=save', 'both' ],
    [ 'controller[]=BoardAjaxController&controller=x&action=save',
      'the other way round' ],
    [ 'x=1;controller=BoardAjaxController&action=save', 'a semicolon' ],
    [ 'controller=BoardAjaxController;action=save', 'instead of "&"' ],
    [ '+controller=BoardAjaxController&action=save', 'a space before' ],
    [ '%20controller=BoardAjaxController&action=save', 'an encoded one' ],
    [ 'controller+=BoardAjaxController&action=save', 'a space behind' ],
    [ '[controller=BoardAjaxController&action=save', 'a bracket before' ],
    [ 'controller%00x=BoardAjaxController&action=save', 'a NUL' ],
    [ 'controller=BoardAjaxController%00x&action=save', 'in the value' ],
    [ '%EF%BB%BFcontroller=BoardAjaxController&action=save', 'a BOM' ],
    [ 'controller[=BoardAjaxController&action=save', 'to PHP, another' ],
    [ 'controller=%ff&action=save', 'not UTF-8' ],
    [ 'controller.x=BoardAjaxController&action=save', 'a dot' ],
) {
    judge("/kanboard?$_->[0]", @task, 400, "the query: $_->[1]");
}

is($t->get("/by_get?$_->[0]")->{status}, $_->[1], "a GET, $_->[0]") for
    [ 'action=finish', 502 ], [ 'act%69on=f%69nish&x=1', 502 ],
    [ 'action=finish&action=x', 400 ], [ 'action[]=finish', 400 ],
    [ 'action=show', 200 ], [ 'x=1', 200 ];
$t->new_requests('app');

# body and query, of which apps prefer the one or the other

judge($move, $FORM, 'action=check', 400, 'the body contradicts the query');
judge($move, $FORM, 'action=save', '<>', 'it does not');
judge($move, $JSON, '{"action":"check"}', 400, 'nor may JSON');
judge($move, $JSON, '{"action":"save"}', '<>', 'which does not');
judge($move, $JSON, '{"action":["save"]}', 400, 'JSON with an array');
judge($move, $PARTS, part(action => 'x') . "--b--\r\n", 400, 'nor may parts');
judge('/kanboard?controller=BoardAjaxController', $FORM, 'action=save', 400,
    'only in the body');
judge('/rpc?method=finish', $JSON, '{}', 400, 'only in the query');
judge('/rpc?method=finish', $JSON, '{"method":"x"}', 400, 'another one');
judge('/rpc?method=finish', $JSON, '{"method":"finish"}', '<finish>',
    'the same in both');
judge('/rpc?method[]=finish', $JSON, '{"method":"x"}', 400, 'an array');
judge('/no_query?method=finish', $JSON, '{"method":"x"}', '',
    'flowdash_strict without query');
judge('/no_query?method=x', $JSON, '{"method":"finish"}', '<finish>',
    'the body counts');

# JSON

judge('/rpc', $JSON, '{"method":"finish","params":{"a":1}}', '<finish>',
    'JSON-RPC');
judge('/rpc', $JSON, '{"params":{"method":"finish"}}', '', 'another place');
judge('/rpc', $JSON, '{"method":"f\u0069nish"}', '<finish>', 'an escape');
judge('/rpc', $JSON, '{"m\u0065thod":"finish"}', '<finish>', 'in the name');
judge('/rpc', $JSON, '{"method":null}', '', 'null');
judge('/rpc', $JSON, '{"method":7}', '', 'a number');
judge('/rpc', $JSON, '{"method":"start"}', '', 'another method');

for (
    [ '{"method":"x","method":"finish"}', 'a name twice' ],
    [ '{"method":"x","m\u0065thod":"finish"}', 'one with an escape' ],
    [ '{"Method":"finish"}', 'in another case' ],
    [ '{"method":["finish"]}', 'an array, which JavaScript takes for it' ],
    [ '{"method":{"x":"finish"}}', 'an object' ],
    [ '{"method":"finish\ud800"}', 'half of a surrogate pair' ],
    [ '{"method":"finish\u0000"}', 'a NUL' ],
    [ '{"method.x":"finish"}', 'a dot' ],
    [ '{"method":"finish"', 'not JSON' ],
    [ '{"method":"' . 'x' x 65537 . '"}', 'over 64k' ],
    [ '{"method":"finish","params":5}', 'the task is none' ],
) {
    judge('/rpc', $JSON, $_->[0], 400, "JSON: $_->[1]");
}

judge('/rpc', $JSON, '{"method":"' . 'x' x 65536 . '"}', '', '64k');
judge('/rpc', 'text/plain', '{"method":"finish"}', 415, 'another media type');
judge('/loose', $JSON, '{"Method":"finish"}', '', 'without rules: another name');
judge('/loose', $JSON, '{"method":"x","method":"finish"}', 400,
    'but not a name twice');
judge('/otherwise', $JSON, '{"method":"x"}', '<x>', 'a name by default');
judge('/otherwise', $JSON, '{"method":["finish"]}', '<>',
    'which is there for an array, too');
judge('/otherwise', $JSON, '{"method":"x","method":"finish"}', 400,
    'twice is refused');

# urlencoded forms

judge('/rpc', $FORM, 'method=finish&x=1', '<finish>', 'a form');
judge('/rpc', $FORM, 'a=1&%6dethod=f%69nish', '<finish>', 'encoded');
judge('/rpc', $FORM, 'method=start', '', 'another method');
judge('/rpc', $FORM, 'method', '', 'without a value');
judge('/rpc', $FORM, 'items[][a]=1&x.y=2&x_y=3', '', 'other names may be odd');

for (
    [ 'method=x&method=finish', 'a name twice' ],
    [ 'METHOD=finish', 'in another case' ],
    [ 'method[]=finish', 'an array' ],
    [ 'method[0]=finish', 'with an index' ],
    [ 'x=1;method=finish', 'a semicolon' ],
    [ 'method=finish;x=1', 'behind it' ],
    [ 'method=' . 'x' x 65537, 'over 64k' ],
    [ '{"method":"finish"}', 'it is JSON', 415 ],
) {
    judge('/rpc', $FORM, $_->[0], $_->[2] // 400, "a form: $_->[1]");
}

judge('/deep', $FORM, 'a[b]=finish&a[c]=1', '<finish>', 'in brackets');
judge('/deep', $JSON, '{"a":{"b":"finish"}}', '<finish>', 'in an object');
judge('/deep', $FORM, 'a[c]=1&b=finish', '', 'elsewhere');
judge('/deep', $FORM, $_, 400, "deep: $_")
    for 'a.b=finish', 'a[B]=finish', 'a[b][]=finish', 'a[]=1&a[][b]=finish',
        'a=finish', 'a[b]=x&a[b][]=finish';

# multipart/form-data

judge('/rpc', $PARTS, part(method => 'finish') . "--b--\r\n", '<finish>',
    'a part');
judge('/rpc', $PARTS, part(file => 'x' x 2000000,
    "; filename=\"f\"\r\nContent-Type: text/plain") . part(method => 'finish')
    . "--b--\r\n", '<finish>', 'behind a long file');
judge('/rpc', $PARTS, part(methods => 'finish') . "--b--\r\n", '',
    'another name');

for (
    [ part(method => 'x') . part(method => 'finish'), 'a name twice' ],
    [ part(Method => 'finish'), 'in another case' ],
    [ part('method[]' => 'finish'), 'an array' ],
    [ part(method => 'finish', "; filename=\"f\"\r\nContent-Type: text/plain"),
      'a file' ],
    [ part(method => "finish\0"), 'a NUL' ],
    [ part(method => 'x' x 65537), 'over 64k' ],
) {
    judge('/rpc', $PARTS, "$_->[0]--b--\r\n", 400, "parts: $_->[1]");
}

# selectors

my $fields = '"custom_fields":[{"id":6,"value":"x"},{"id":7,"value":"finish"}]';

for my $uri ('/selected', '/in_task') {
    judge($uri, $JSON, "{\"issue\":{$fields}}", '<finish>', "$uri: JSON");
    judge($uri, $JSON, '{"issue":{"custom_fields":[{"id":8,"value":"finish"}'
        . ']}}', '', "$uri: another id");
    judge($uri, $JSON, '{"issue":{"custom_fields":{"0":{"id":"7","value":'
        . '"finish"}}}}', '<finish>', "$uri: an object of them");
    judge($uri, $FORM, 'issue[custom_fields][0][id]=6&issue[custom_fields][1]'
        . '[id]=7&issue[custom_fields][1][value]=finish', '<finish>',
        "$uri: a form");
    judge($uri, $FORM, 'issue[custom_fields][][id]=7&issue[custom_fields][]'
        . '[value]=finish', 400, "$uri: one that apps read differently");
    judge($uri, $JSON, '{"issue":{"custom_fields":[{"id":7,"value":"x"},'
        . '{"id":7,"value":"finish"}]}}', 400, "$uri: two of them");
    judge($uri, $JSON, '{"issue":{"custom_fields":[{"id":"07","value":'
        . '"finish"}]}}', 400, "$uri: a number that is spelled differently");
    judge($uri, $JSON, '{"issue":{"custom_fields":[{"id":"\\uff17","value":'
        . '"finish"}]}}', 400, "$uri: a digit of another script");
}

# the task changes, and so does what is extracted from it

is($t->request('POST', '/in_task', body => "{\"issue\":{$fields}}", headers =>
    [ 'Content-Type' => $JSON, 'X-Change' =>
      '{"custom_fields":[{"value":"changed","id":"7"}]}' ])->{status}, 204,
    'a step changes it');
is(join(' ', map { $_->header('X-Extracted') } $t->new_requests('hook')),
    '<finish> <changed>', 'the next step gets the new value');
$t->only_request('app');

is($t->request('POST', '/in_task', body => "{\"issue\":{$fields}}", headers =>
    [ 'Content-Type' => $JSON, 'X-Change' =>
      '{"custom_fields":[{"value":"a","id":7},{"value":"b","id":7}]}' ])
    ->{status}, 204, 'a step makes two of them');
is(join(' ', map { $_->header('X-Extracted') } $t->new_requests('hook')),
    '<finish> <>', 'there is no value then');
$t->only_request('app');

# the stored task: has it just become closed?

judge('/stored/1', $JSON, '{"issue":{"status":{"id":5},"note":"n"}}', '<n>',
    'it has');
judge('/stored/1', $JSON, '{"issue":{"status":{"id":5}}}', '',
    'it was before', 'X-Stored' => '{"issue":{"status":{"id":5}}}');
judge('/stored/1', $JSON, '{"issue":{"status":{"id":4}}}', '', 'it has not');

my $dry = $t->post_json('/stored/1?dry=1',
                        '{"issue":{"status":{"id":5},"note":"n"}}')->json;
is(join(' ', map { "$_=$dry->{extracted}{$_}" } qw(value was becomes)),
   'value=n was=1 becomes=5', 'a dry run shows what was extracted');
$t->no_request('hook', 'and calls nothing');
$t->new_requests('app');

judge('/stored/1', $JSON, '{"issue":{"note":"x"}}', '', 'something else',
    'X-Stored' => '{"issue":{"status":{"id":5}}}');
judge('/stored/1', $JSON, '{"issue":{"status":{"id":5}}}', 502,
    'the app says both', 'X-Stored' => '{"issue":{"status":{"id":5,"id":4}}}');
judge('/stored/1', $JSON, '{"issue":{"status":{"id":4,"id":5}}}', 400,
    'the client does');

# GraphQL: whole documents, not their names

my $finish = '"query":"mutation F($i: ID!) { finish(id: $i) { id } }"';

my ($call) = judge('/graphql', $JSON,
    "{\"operationName\":\"F\",$finish,\"variables\":{\"i\":\"7\"}}", '<>',
    'a mutation that is listed');
like($call->{body}, qr/^\{"action":"Finish",.*"task":\{"i":"7"\}\}$/,
    'its variables are the task');
judge('/graphql', $JSON, '{"query":"query Issues","variables":null}', '',
    'a query without variables');
judge('/graphql', $JSON, '{"query":"query Issues"}', '', 'without the member');
judge('/graphql', $JSON, "{$finish,\"variables\":null}", 400,
    'an action needs them');
judge('/graphql', $FORM, 'query=mutation', 415, 'a form');
judge('/graphql?query=mutation+%7B+x+%7D', $JSON, '{"query":"query Issues"}',
    400, 'a query that some servers prefer');
judge('/graphql', $JSON, '{"query":"query Issues","query":"mutation"}', 400,
    'two documents');

# batches

my $query = '{"query":"query Issues"}';

judge('/graphql', $JSON, "[$query]", '', 'a batch with a query');
judge('/graphql', $JSON, " [$query, {\"query\":\"query Users\",\"variables\":"
    . "null} ]\n", '', 'with two');
judge('/graphql', $JSON, '[]', '', 'an empty one');
judge('/graphql', $JSON, '[' . join(',', ($query) x 100) . ']', '',
    'with a hundred');

for (
    [ "[{$finish,\"variables\":{\"i\":\"7\"}}]", 'a single action' ],
    [ "[$query,{$finish,\"variables\":{\"i\":\"7\"}}]", 'an action' ],
    [ "[$query,{\"query\":\"query A\",\"query\":\"x\"}]", 'a name twice' ],
    [ "[$query,{\"query\":[\"mutation\"]}]", 'an array' ],
    [ "[$query,[$query]]", 'a batch in a batch' ],
    [ "[$query,7]", 'a number' ],
    [ "[$query,null]", 'null' ],
    [ "[$query", 'not JSON' ],
    [ "[$query]]", 'nor this' ],
    [ '[' . join(',', ($query) x 101) . ']', 'too many' ],
    [ '[' x 200, 'too deep' ],
) {
    judge('/graphql', $JSON, $_->[0], 400, "a batch: $_->[1]");
}

judge('/rpc', $JSON, '[{"method":"start"},{"method":"x"}]', '', 'JSON-RPC');
judge('/rpc', $JSON, '[{"method":"start"},{"method":"finish"}]', 400,
    'with an action');
judge('/rpc', $JSON, '[{"method":"start"},{"method":["finish"]}]', 400,
    'or what could be one');
judge('/rpc', $JSON, '[{"method":"start"},{"method":"x","method":"y"}]', 400,
    'or is ambiguous');
judge('/always', $JSON, '[{}]', 400, 'each is an action');
like($t->error_log, qr/a batch with an action; an action must be a request of its/,
    'the log says so');

# elsewhere, the variable is empty; before the body is read, there is a warning

judge('/not_here', $JSON, '{"x":"y"}', '<>', 'another location\'s variable');
judge('/rewritten', $JSON, '{"method":"start"}', '', 'it is read too early');
like($t->error_log, qr/"\$value" is read before the task has been read/,
    'the log warns');

judge('/limited', $JSON, '{"method":"finish"}', '<finish>',
    'what limit_req has read before');
judge('/limited', $JSON, '{"method":"start"}', '', 'and it is no action');
judge('/asked', $JSON, '{"method":"finish"}', '<finish,here,200>',
    'what auth_request has read before');
judge('/asked', $JSON, '{"method":"start"}', '', 'nor is this');

# what is refused is logged with the rule, the place and the variable

like($t->error_log, qr/the\ request's\ query,\ for\ \$controller:\ a\ name
    .*\Q (flowdash_strict case), at byte 0\E/x, 'the log names the rule');
like($t->error_log, qr/for \$action: the request's query and its body do/,
    'and both places');

# the access log has the value

$t->wait_for(sub { $t->read_file('extracted.log')
                   =~ m{^/rpc\|finish\|ok\|204$}m });
like($t->read_file('extracted.log'), qr{^/rpc\|finish\|ok\|204$}m, 'logged');

# what nginx -t says

my $conf = '%s location /x { flowdash_action "x$v"; %s flowdash_step "s" '
    . '{ return 200; } proxy_pass http://127.0.0.1:1; }';
my $ok = 'flowdash_extract $v /v;';

$t->conf_ok(sprintf($conf, '', $ok), 'in a location');
$t->conf_ok(sprintf($conf, $ok, $ok), 'on two levels');
$t->conf_ok(sprintf($conf, '', 'flowdash_extract $v "" from=body;'), 'a body');
$t->conf_ok(sprintf($conf, '', 'flowdash_extract $v "/a/[b=c d]/0";'),
    'a selector');

for (
    [ 'flowdash_extract v /v;', qr/a variable is expected/ ],
    [ 'flowdash_extract $ /v;', qr/a variable is expected/ ],
    [ 'flowdash_extract "$v-x" /v;', qr/a variable is expected/ ],
    [ 'flowdash_extract $1 /v;', qr/a variable is expected/ ],
    [ 'flowdash_extract $flowdash_x /v;', qr/are the module's own/ ],
    [ 'flowdash_extract $uri /v;', qr/the duplicate "uri" variable/ ],
    [ 'flowdash_extract $args /v;', qr/another directive, such as "set"/ ],
    [ 'flowdash_extract $v v;', qr/a JSON pointer is empty or starts/ ],
    [ 'flowdash_extract $v /v from=header;', qr/"from=body", "from=query"/ ],
    [ 'flowdash_extract $v "" from=task;', qr/begins with the name of a f/ ],
    [ 'flowdash_extract $v "/[a=b]" from=stored;', qr/begins with the name/ ],
    [ 'flowdash_extract $v "/a/[0]";', qr/an index has no brackets/ ],
    [ 'flowdash_extract $v "/a/[b=1]/[c=2]";', qr/behind a name or an index/ ],
    [ "$ok $ok", qr/invalid "\$v" in "flowdash_extract": it is extracted twi/ ],
    [ "$ok flowdash_extract \$V /v;", qr/it is extracted twice here/ ],
    [ "set \$v x; $ok", qr/another directive, such as "set" or "map", makes/ ],
    [ "$ok set \$v x;", qr/the duplicate "v" variable/ ],
    [ "flowdash_step \"t\" { $ok return 200; }", qr/is for the whole action/ ],
) {
    my ($text, $error) = @$_;
    $t->conf_fails(sprintf($conf, '', $text), $error, $text);
}

$t->done;
