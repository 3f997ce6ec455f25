#!/usr/bin/perl

# Forms and queries as real task apps get them: which of their fields a step is
# sent, and that only those which it changes are other bytes for the app.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

# each request says itself what the endpoint answers

$t->endpoint(crm => sub {
    my ($req) = @_;
    return { headers => [ 'Content-Type' => 'application/json' ],
             body => '{"task":' . $req->header('X-Change') . '}' };
});
$t->endpoint(app => { body => 'stored' });

my $step = <<'END';
            flowdash_step "CRM" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                flowdash_set_header X-Change $http_x_change;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
END

$t->config(<<"END");
    %%GLOBALS%%
    events { }
    http {
        %%HTTP_GLOBALS%%

        map \$flowdash_task_status_id \$action { 5 "Finish"; default ""; }
        map \$flowdash_task_status_id \$is_five { 5 1; default ""; }

        server {
            listen 127.0.0.1:%%PORT_http%%;
            flowdash_task /issue;

            location ~ ^/issues/\\d+\$ {
                flowdash_action \$action;
                $step
            }

            location /always {
                flowdash_action "Save";
                $step
            }

            location /a/b {
                flowdash_action "Save";
                flowdash_task /a/b;
                $step
            }

            location /my {
                flowdash_action "Save";
                flowdash_task /my_task;
                $step
            }

            location /0 {
                flowdash_action "Save";
                flowdash_task /issues/0/task;
                $step
            }

            location /flat {
                flowdash_action "Save";
                flowdash_task "";
                $step
            }

            location /never {
                flowdash_action \$arg_never;
                $step
            }

            location /stored {
                flowdash_action "Save";
                flowdash_task_from /task;
                flowdash_step "CRM" {
                    flowdash_if \$is_five;
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                    flowdash_set_header X-Change "{}";
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location = /task {
                default_type application/json;
                return 200 '{"issue":{"status_id":["4","5"],"a":"1"}}';
            }

            location /memory {
                flowdash_action "Save";
                client_body_buffer_size 1m;
                $step
            }

            location /decoded {
                flowdash_action "Save";
                flowdash_decode on;
                $step
            }

            location /small {
                flowdash_action "Save";
                flowdash_max_fields_size 1k;
                $step
            }

            location /rewritten/ {
                rewrite ^/rewritten/(.*) /always?x=1;
            }

            location /uri {
                flowdash_action "Save";
                flowdash_step "CRM" {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                    flowdash_set_header X-Change \$http_x_change;
                }
                set \$before \$request_uri;
                proxy_pass http://127.0.0.1:%%PORT_app%%\$request_uri;
            }

            location / {
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
        }
    }
END
$t->run;

my $urlencoded = 'application/x-www-form-urlencoded';

sub send_form {
    my ($path, $type, $body, $change) = @_;
    return $t->request('POST', $path, body => $body, headers => [
        $type ? ('Content-Type' => $type) : (), 'X-Change' => $change // '{}' ]);
}

sub part {
    my ($name, $value, @headers) = @_;
    my $file = ref $value ? '; filename="' . $value->[0] . '"' : '';
    return qq(Content-Disposition: form-data; name="$name"$file\r\n)
        . join('', map { "$_\r\n" } @headers)
        . "\r\n" . (ref $value ? $value->[1] : $value);
}

sub multipart {
    my ($boundary, @parts) = @_;
    return join('', map { "--$boundary\r\n$_\r\n" } @parts)
        . "--$boundary--\r\n";
}

sub task_is {
    my ($wanted, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($task) = $t->only_request('crm')->{body} =~ /"task":(.*)\}$/;
    is($task, $wanted, $name);
}

# A Rails app's edit form, with a file, and its date empty.

my $file = join '', map { chr(rand 256) . "\r\n--" } 1 .. 50_000;
my @fields = ( [ 'utf8', "\xe2\x9c\x93" ], [ '_method', 'patch' ],
    [ 'authenticity_token', 'x+/=&' ], [ 'issue[is_private]', '0' ],
    [ 'issue[subject]', "a \xc3\xa9 & b" ], [ 'issue[status_id]', '5' ],
    [ 'issue[due_date]', '' ], [ 'issue[lock_version]', '3' ],
    [ 'issue[custom_field_values][7]', 'x' ],
    [ 'attachments[1][file]', [ 'plan.bin', $file ],
        'Content-Type: application/octet-stream' ],
    [ 'last_journal_id', '' ] );
my $wanted_task = qq({"is_private":"0","subject":"a \xc3\xa9 & b",)
    . q("status_id":"5","due_date":"","lock_version":"3",)
    . q("custom_field_values":{"7":"x"}});
my $type = 'multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxk';
my ($boundary) = $type =~ /boundary=(.*)/;

my $body = multipart($boundary, map { part(@$_) } @fields);
my $res = send_form('/issues/1', $type, $body,
                    '{"due_date":"2020-02-01","done":null}');

is($res->{status}, 200, 'multipart: passed');
task_is($wanted_task, 'payload');

my $app = $t->only_request('app');
my @changed = map { $_->[0] eq 'issue[due_date]' ? [ $_->[0], '2020-02-01' ]
                                                 : $_ } @fields;
my $wanted = multipart($boundary, (map { part(@$_) } @changed),
                       part('issue[done]', ''));
ok($app->{body} eq $wanted, 'the date where it stood, the file, a new field');
is($app->header('Content-Length'), length $wanted, 'length');
is($app->header('Content-Type'), $type, 'type');

# the same as a urlencoded form, with a spelling of its own

my $encoded = 'utf8=%E2%9C%93&_method=patch&&authenticity_token=x%2b%2F%3D&'
    . 'issue%5Bstatus_id%5D=5&issue[due_date]=&issue[subject]=a+%c3%A9%20b&'
    . 'issue[lock_version]=3&';
$res = send_form('/issues/1', $urlencoded, $encoded,
                 '{"due_date":"2020-02-01"}');
is($res->{status}, 200, 'urlencoded: passed');
task_is(qq({"status_id":"5","due_date":"","subject":"a \xc3\xa9 b",)
        . '"lock_version":"3"}', 'payload');
($wanted = $encoded) =~ s/due_date\]=/due_date]=2020-02-01/;
is($t->only_request('app')->{body}, $wanted, 'the date where it stood');

# the context menu, whose fields are in the query

$res = send_form('/issues/3?ids[]=3&issue%5Bstatus_id%5D=5&issue[x]=%7E',
                 $urlencoded, '_method=patch&authenticity_token=x',
                 '{"status_id":"6","due_date":"2020-02-01"}');
is($res->{status}, 200, 'query: passed');
task_is('{"status_id":"5","x":"~"}', 'payload');
$app = $t->only_request('app');
is($app->{target}, '/issues/3?ids[]=3&issue%5Bstatus_id%5D=6&issue[x]=%7E'
    . '&issue%5Bdue_date%5D=2020-02-01', 'changed there');
is($app->{body}, '_method=patch&authenticity_token=x', 'the body is as sent');

# another status is no Finish, and the URL for previews is none at all

for my $row ([ '/issues/1', $type, $body =~ s/\r\n5\r\n/\r\n4\r\n/r ],
             [ '/issues/1', $urlencoded, $encoded =~ s/=5/=4/r ],
             [ '/issues/3?issue[status_id]=4&issue[a]=%41', '', '' ],
             [ '/issues/1/edit.js', $urlencoded, $encoded ]) {
    $res = send_form(@$row, '{"due_date":"x"}');
    is($res->{status}, 200, "$row->[0]: no action");
    $t->no_request('crm', 'nothing is called');
    $app = $t->only_request('app');
    is($app->{target}, $row->[0], 'URI');
    ok($app->{body} eq $row->[2], 'every byte');
}

# an app whose body is the task, and which looks at the media type

for my $method (qw(PUT PATCH)) {
    $res = $t->request($method, '/flat/tasks/1?notify=1', body =>
        '{"name":"x","Expected Close Date":"2020-01-31"}', headers => [
        'Content-Type' => 'application/json; charset=utf-8',
        'X-Change' => '{"Expected Close Date":"2020-02-01"}' ]);
    is($res->{status}, 200, "$method of a task");
    task_is('{"name":"x","Expected Close Date":"2020-01-31"}', 'payload');
    $app = $t->only_request('app');
    is("$app->{method} $app->{target}", "$method /flat/tasks/1?notify=1",
        'method and URI');
    is($app->{body}, '{"name":"x","Expected Close Date":"2020-02-01"}', 'body');
    is($app->header('Content-Type'), 'application/json; charset=utf-8', 'type');
}

# what is sent, what the endpoint is told, what it answers, what the app gets

for (
    [ '/always', 'issue[a]=1&issue[b]=2', '{"a":"1","b":"2"}',
      '{"b":"2","a":"1"}', 'issue[a]=1&issue[b]=2' ],
    [ '/always', '', '{}', '{"a":1}', 'issue%5Ba%5D=1' ],
    [ '/always', 'x=1', '{}', '{"a":"b c&="}', 'x=1&issue%5Ba%5D=b%20c%26%3D' ],
    [ '/always', 'issue[a]', '{"a":""}', '{"a":"x"}', 'issue[a]=x' ],
    [ '/always', 'issue[a]=1&y=2&issue[a]=3', '{"a":["1","3"]}', '{"a":"4"}',
      'issue[a]=4&y=2' ],
    [ '/always', 'issue[a]=1&issue[a]=2', '{"a":["1","2"]}', '{"a":[7,8,9]}',
      'issue[a]=7&issue[a]=8&issue%5Ba%5D=9' ],
    [ '/always', 'issue[a][]=1&issue[a][]=2&z', '{"a":["1","2"]}',
      '{"a":["2"]}', 'issue[a][]=2&z' ],
    [ '/always', 'issue[a][]=1', '{"a":["1"]}', '{"a":[]}', 'issue[a][]=' ],
    [ '/always', 'issue[a]=1', '{"a":"1"}', '{"a":["x","y"]}',
      'issue%5Ba%5D%5B%5D=x&issue%5Ba%5D%5B%5D=y' ],
    [ '/always', 'issue[a][x]=1&issue[a][y][z]=2',
      '{"a":{"x":"1","y":{"z":"2"}}}', '{"a":{"x":"1","y":{"z":3}}}',
      'issue[a][x]=1&issue[a][y][z]=3' ],
    [ '/always', 'issue[a]=1', '{"a":"1"}',
      '{"a":[{"b":1},[2,null]],"c":{},"d":true,"e":false,"f":1.50}',
      'issue%5Ba%5D%5B0%5D%5Bb%5D=1&issue%5Ba%5D%5B1%5D%5B%5D=2&'
      . 'issue%5Ba%5D%5B1%5D%5B%5D=&issue%5Bc%5D=&issue%5Bd%5D=true&'
      . 'issue%5Be%5D=false&issue%5Bf%5D=1.50' ],
    [ '/always', 'issue[a][0][b][]=1&issue[c][d][0][e]=2',
      '{"a":{"0":{"b":["1"]}},"c":{"d":{"0":{"e":"2"}}}}',
      '{"a":[{"b":["1"]},{"b":[]}]}',
      'issue[a][0][b][]=1&issue%5Ba%5D%5B1%5D%5Bb%5D%5B%5D='
      . '&issue[c][d][0][e]=2' ],
    [ '/always', 'issue[a][0][b]=1&issue[a][0][c]=2&issue[a][1][b]=3&'
      . 'x[][a]=1&x[][b]=2',
      '{"a":{"0":{"b":"1","c":"2"},"1":{"b":"3"}}}', '{}',
      'issue[a][0][b]=1&issue[a][0][c]=2&issue[a][1][b]=3&x[][a]=1&x[][b]=2' ],
    [ '/a/b', 'a[b][c]=1&a[c]=2&b=3', '{"c":"1"}', '{"c":2,"d":3}',
      'a[b][c]=2&a[c]=2&b=3&a%5Bb%5D%5Bd%5D=3' ],
    [ '/always', 'issue[a+][b%20c]=1&x[+]=2', '{"a ":{"b c":"1"}}', '{}',
      'issue[a+][b%20c]=1&x[+]=2' ],
    [ '/0', 'issues[0][task][a]=1&issues[1][task][a]=2&x[][y]=1',
      '{"a":"1"}', '{"a":2}',
      'issues[0][task][a]=2&issues[1][task][a]=2&x[][y]=1' ],
    [ '/flat', 'Expected+Close+Date=x&y=1',
      '{"Expected Close Date":"x","y":"1"}', '{"Expected Close Date":null}',
      'Expected+Close+Date=&y=1' ],
    [ '/always', 'issue[a]=%01%7f&b=%00', '{"a":"\u0001' . "\x7f\"}",
      '{"b":"\u0002"}', 'issue[a]=%01%7f&b=%00&issue%5Bb%5D=%02' ],
    [ '/always', 'discount=50%&x=a;b;;c=d&issue[a]=1%3b2', '{"a":"1;2"}',
      '{"a":"1;3"}', 'discount=50%&x=a;b;;c=d&issue[a]=1%3B3' ],
    [ '/my', 'my_task[a]=1&my-task[a]=2&my_tas[a]=3&my.tas', '{"a":"1"}',
      '{}', 'my_task[a]=1&my-task[a]=2&my_tas[a]=3&my.tas' ],
    [ '/always', '_charset_=utf-8&issue[a]=1', '{"a":"1"}', '{}',
      '_charset_=utf-8&issue[a]=1' ],
) {
    my ($path, $sent, $task, $change, $wanted) = @$_;
    $res = send_form($path, $urlencoded, $sent, $change);
    is($res->{status}, 200, "$sent: 200");
    task_is($task, 'payload');
    $app = $t->only_request('app');
    is($app->{body}, $wanted, 'body');
    is($app->header('Content-Length'), length $wanted, 'length');
    is($app->header('Content-Type'), $urlencoded, 'type');
}

# the query, with and without a body

for (
    [ '/always?issue[a]=1', undef, '', '{"a":"1"}', '{"a":2,"b":3}',
      '/always?issue[a]=2&issue%5Bb%5D=3', '' ],
    [ '/always?issue[a]=1', 'application/json', '{"x":{"b":2}}',
      '{"a":"1"}', '{"a":2,"b":3}',
      '/always?issue[a]=2&issue%5Bb%5D=3', '{"x":{"b":2}}' ],
    [ '/always?issue[a]=1', $urlencoded, 'x=y',
      '{"a":"1"}', '{"a":2}', '/always?issue[a]=2', 'x=y' ],
    [ '/flat?a=1', $urlencoded, 'a=1&b=2', '{"a":"1","b":"2"}', '{"a":3}',
      '/flat?a=3', 'a=3&b=2' ],
    [ '/flat?a=1', $urlencoded, 'b=2', '{"b":"2","a":"1"}', '{"a":3,"c":4}',
      '/flat?a=3', 'b=2&c=4' ],
    [ '/flat?a=1', 'application/json', '{"b":2}', '{"b":2}', '{"b":3}',
      '/flat?a=1', '{"b":3}' ],
    [ '/always/a%2Fb/../c?issue[a]=%31', undef, '', '{"a":"1"}', '{"a":2}',
      '/always/a%2Fb/../c?issue[a]=2', '' ],
    [ '/rewritten/x?issue[a]=1', undef, '', '{"a":"1"}', '{"a":2}',
      '/always?x=1&issue[a]=2', '' ],
    [ '/uri?issue[a]=1', undef, '', '{"a":"1"}', '{"a":2}',
      '/uri?issue[a]=2', '' ],
    [ '/always?issue=7', 'application/json', '{"issue":{"a":1}}', '{"a":1}',
      '{"a":2}', '/always?issue=7', '{"issue":{"a":2}}' ],
    [ '/always?issue[a]=1', 'text/plain; charset="UTF-8"', '', '{"a":"1"}',
      '{}', '/always?issue[a]=1', '' ],
    [ '/always', 'text/plain; charset=utf-7', '', '{}', '{}', '/always', '' ],
    [ '/always?issue[a', undef, '', 400 ],
    [ '/always?issue=5&issue[a]=1', undef, '', 400 ],
    [ '/always?issue[a]=1&issue=5', undef, '', 400 ],
    [ '/always?%zz', undef, '', 400 ],
    [ '/always?issue[a]=1;', undef, '', 400 ],
    [ '/always?x=1;issue[a]', undef, '', 400 ],
    [ '/always?issue[a]=1', 'text/plain; charset=utf-7', '', 415 ],
    [ '/always?x=1', "$urlencoded; charset*=utf-8''utf-7", '', 415 ],
) {
    my ($uri, $type, $sent, $task, $change, $target, $wanted) = @$_;
    $res = $t->request('POST', $uri, $sent eq '' ? () : (body => $sent),
        headers => [ $type ? ('Content-Type' => $type) : (),
                     'X-Change' => $change // '{}' ]);
    if ($task =~ /^\d+$/) {
        is($res->{status}, $task, "$uri: $task");
        $t->no_request('crm', 'nothing is called');
        $t->no_request('app', 'the app is not reached');
        next;
    }
    is($res->{status}, 200, "$uri: 200");
    task_is($task, 'payload');
    $app = $t->only_request('app');
    is($app->{target}, $target, 'URI');
    is($app->{body}, $wanted, 'body');
}

# what cannot be read, or could be read in another way

my $long = 'x' x 2000;

for (
    (map { [ '/always', $urlencoded, $_, 400 ] }
        'issue[[a]=1', 'issue[a=1', 'issue=1', 'issue[]=1', 'issue[a]b=1',
        'issue]a=1', '[issue][a]=1', ' issue[a]=1', '%20issue[a]=1',
        'issue[a]%00=1', '%00issue[a]=1', 'issue[a]=%zz', 'issue[%zz]=1',
        'issue[a]=%f', '%zz=1', 'issue[a]=1&issue[a][b]=2',
        'issue[a]=1&issue[a][]=2', 'issue[a][]=1&issue[a][b]=2',
        'issue[a][b]=1&issue[a]=2', 'issue[a]=%ff', "issue[\xff]=1",
        'x=1;issue[a]=2', 'issue[a]=1;issue[b]=2', 'issue%5B%5Ba%5D=1',
        'issue[a][+]=1', 'issue[a][%20]=1', 'issue[+a]=1', 'issue[a][ x]=1',
        'issue[a][][b]=1', 'issue[a][][0]=1', 'issue[a][1][][b]=1',
        'issue[a][][]=1', 'issue[a][][][b]=1', 'issue[a][]=1&issue[a][][b]=2',
        'issue[x][a][][b][c]=1',
        'issue[a]=1;2', 'issue[a]=1;', 'issue[a]=;', 'issue[a];x', 'x;issue[a]',
        'x=1;;issue%5ba];', 'x;%zz', 'issue[a]=1&issue;x=1',
        'issue[a]=1&issue;=1', 'issue[a]=1&%69ssue;', 'issue;x=1&issue[a]=1',
        'issue' . '[a]' x 33 . '=1'),
    (map { [ '/flat', $urlencoded, $_, 400 ] }
        '=1', 'a+=1', 'a%20=1', 'a[=1', 'a]=1', '[a]=1', ' a=1', 'a=1;b=2', 'a[b]c=1'),
    (map { [ '/0', $urlencoded, $_, 400 ] }
        'issues[][task][a]=1', 'issues[ ][task][a]=1', 'issues[]=1',
        'issues[1][task][a]=1', 'x=1&issues[5][y]=1'),
    (map { [ '/a/b', $urlencoded, $_, 400 ] }
        'a[][c]=1', 'a[b][x]=1&a[][b][y]=2', 'x=1&a[]=2',
        'a;a[b][x]=1', 'a;5Bb%5D%5Bx%5D=1&a[b][y]=2', 'a;x=1&a[b][y]=2'),
    (map { [ '/my', $urlencoded, $_, 400 ] }        # underscores to PHP
        'my.task[a]=1', 'my+task[a]=1', 'my%20task[a]=1', 'my[task[a]=1',
        'my%5btask=1'),
    [ '/a/b', $urlencoded, 'a=1', 400 ], [ '/a/b', $urlencoded, 'a[b]=1', 400 ],
    (map { [ '/always', "$urlencoded; $_", 'issue[a]=1', 415 ],
           [ '/always', "application/json; $_", '{"issue":{}}', 415 ],
           [ '/always', "multipart/form-data; boundary=x; $_",
             multipart('x', part('issue[a]', 1)), 415 ] }
        'charset=utf-7', 'charset =utf-7',
        'charset= utf-7', 'Charset="utf-7"', "charset*=utf-8''utf-7",
        'charset*0=utf-7', 'charset=utf-8; charset=utf-8',
        'charset=utf-8; charset=utf-7', 'x="; charset=utf-7"',
        'x=y, charset=utf-7', 'x charset=utf-7', 'charset=utf-8 x'),
    [ '/always', $urlencoded, '_charset_=iso-8859-1&issue[a]=1', 415 ],
    [ '/flat', $urlencoded, '_charset_=iso-8859-1&a=1', 415 ],
    [ '/always', 'multipart/form-data; boundary=x',
      multipart('x', part('issue[a]', "\xff")), 400 ],
    [ '/small', $urlencoded, 'x=' . $long, 413 ],
    [ '/small', $urlencoded, join('&', map { "issue[a$_]=1" } 1 .. 10), 413 ],
    [ '/always', $urlencoded, join('&', map { "issue[a$_]=1" } 1 .. 100_000),
      413 ],
    [ '/always', 'multipart/form-data', 'x', 400 ],
    [ '/always', "multipart/form-data; boundary=$long",
      multipart($long, part('issue[a]', 1)), 400 ],
    [ '/always', 'multipart/form-data; boundary=x; boundary=y',
      multipart('x', part('issue[a]', 1)), 400 ],
    [ '/always', 'multipart/form-data; boundary=x', 'x' x 1_000_000, 400 ],
    [ '/always', 'multipart/form-data; boundary=x',
      multipart('x', "Content-Disposition: form-data\r\n\r\n1"), 400 ],
    [ '/always', 'multipart/form-data; boundary=x',
      multipart('x', part('issue[a', 1)), 400 ],
    [ '/always', 'multipart/form-data; boundary=x',
      multipart('x', part('f', [ "a\r\nb", 1 ])), 400 ],
    [ '/always', 'multipart/form-data; boundary="x:"', multipart('x:',
      part('issue[a]', 1), "Content-Disposition: form-data; name=\"f\"\r\n"
      . "--x:--\r\n\r\n1", part('issue[b]', 2)), 400 ],
    [ '/always', 'multipart/form-data; boundary=x',
      multipart('x', part('f', [ 'a\"; name=\"issue[a]', 1 ])), 400 ],
    [ '/always', 'multipart/form-data; boundary=x',
      multipart('x', part('f', [ 'a', "1\n--x\r\n" . part('issue[a]', 1) ])),
      400 ],
    [ '/always', 'multipart/form-data; boundary=x',
      multipart('x', part('issue[a]', 1)) =~ s/--\r\n$//r, 400 ],
    (map { [ '/always', 'multipart/form-data; boundary=x',
             multipart('x', part('issue[a]', 1, 'Content-Type: text/plain; '
                                 . $_)), 415 ] }
        'charset=latin1', "charset*=utf-8''latin1"),
    [ '/small', 'multipart/form-data; boundary=x',
      multipart('x', part('issue[a]', $long)), 413 ],
    (map { [ '/always', 'multipart/form-data; boundary=x',
             multipart('x', @$_), 400 ] }
        [ part('issue[a]', 5), part('issue[a]', [ '', '' ]) ],
        [ part('issue[a]', [ 'f', 'x' ]), part('issue[a]', 5) ]),
    (map { [ $_, $urlencoded, 'x=1', 400 ] }
        '/issues/1?x=1#&issue[status_id]=5', '/issues/1#?issue[status_id]=5'),
    [ '/always', 'text/plain', 'issue[a]=1', 415 ],
    (map { [ '/always', "$urlencoded$_", 'issue[a]=1', 415 ] }
        'x', ' x', ' x; y=z', ', text/plain', '; x', '/json', "\tx"),
    [ '/always', "$urlencoded, x/y+json", '{"issue":{}}', 415 ],
) {
    my ($path, $type, $sent, $status) = @$_;
    $res = send_form($path, $type, $sent);
    my $name = substr "$type: $sent", 0, 100;
    $name =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
    is($res->{status}, $status, "$status: $name");
    $t->no_request('crm', 'nothing is called');
    $t->no_request('app', 'the app is not reached');
}

# apps differ in which of two types they take, even where these agree

for ($urlencoded, 'application/json', 'text/plain') {
    $res = $t->request('POST', '/always', body => 'issue[a]=1', headers => [
        'Content-Type' => $_, 'Content-Type' => $urlencoded ]);
    is($res->{status}, 415, "two types: $_");
    $t->no_request('crm', 'nothing is called');
    $t->no_request('app', 'the app is not reached');
}

# where there is no action, it is the app's to judge them

for ('application/json; charset=utf-7', "$urlencoded x") {
    is(send_form('/never?x=1', $_, "x=\xff")->{status}, 200, "no action: $_");
    $app = $t->only_request('app');
    is($app->{body}, "x=\xff", 'the body is as sent');
    is($app->header('Content-Type'), $_, 'so is the type');
}

# a coding that only the module would take for one that it knows

for ([ '/always', 'identity ,deflate' ], [ '/always', 'identity x' ],
     [ '/always', 'identity;q=1' ], [ '/decoded', 'gzip ,br' ],
     [ '/decoded', 'gzip;' ], [ '/decoded', 'gzip, identity' ]) {
    my ($path, $coding) = @$_;
    $res = $t->request('POST', $path, body => 'issue[a]=1', headers => [
        'Content-Type' => $urlencoded, 'Content-Encoding' => $coding ]);
    is($res->{status}, 415, "415: $coding");
    $t->no_request('app', 'the app is not reached');
}

# the same where the name depends on the task: it might be an action

for ('issue[status_id=5', 'issue[status_id]=4&issue[status_id]=5',
     'x=1;issue[status_id]=5', 'issue[status_id]=4&issue[Status-Id]=5',
     'issue[status_id]=5;', 'x;issue[status_id]') {
    is(send_form('/issues/1', $urlencoded, $_)->{status}, 400, "doubt: $_");
    $t->no_request('crm', 'nothing is called');
    $t->no_request('app', 'the app is not reached');
}

is(send_form('/issues/1?issue[status_id]=4', $urlencoded,
             'issue[status_id]=5')->{status}, 400, 'query and body differ');
$t->no_request('app', 'the app is not reached');

# also if the stored task says the same bytes

for ([ '/stored?issue[status_id]=4&issue[status_id]=5', 'x=1' ],
     [ '/stored', 'issue[status_id]=4&issue[status_id]=5' ]) {
    my ($uri, $sent) = @$_;
    is(send_form($uri, $urlencoded, $sent)->{status}, 400,
        "stored, and in doubt: $uri $sent");
    $t->no_request('app', 'the app is not reached');
}
is(send_form('/stored?issue[a]=1', $urlencoded, 'x=1')->{status}, 200,
    'stored as an array');
$t->only_request('app');

# what a form cannot say fails the step

for (
    [ 'application/x-www-form-urlencoded', 'issue[a]=1', '{"b[c":1}' ],
    [ 'application/x-www-form-urlencoded', 'issue[a]=1', '{"":1}' ],
    [ 'application/x-www-form-urlencoded', 'issue[a]=1', '{"a\n":1}' ],
    [ 'application/x-www-form-urlencoded', 'issue[a]=1', '{"b":"\u0000"}' ],
    [ 'application/x-www-form-urlencoded', 'issue[a]=1', '{"a":"\ud800"}' ],
    (map { [ 'application/x-www-form-urlencoded', 'issue[a]=1', $_ ] }
        '{"a":{"b]":1}}', '{"a":{"b]":{"c":[1,2]}}}',
        '{"a":{"x":[1,2],"y":{"z":1,"b]":{"c":[1,2]}}}}'),
    [ 'application/x-www-form-urlencoded', 'issue[a]=1',
      '{"a":' . '[' x 40 . ']' x 40 . '}' ],
    [ 'multipart/form-data; boundary=xyz', multipart('xyz',
      part('issue[a]', 1)), '{"a":"1\r\n--xyz\r\n"}' ],
    [ 'application/x-www-form-urlencoded', 'issue[a]=1', '{"F":{"'
      . 'k' x 2000 . '":[' . join(',', (1) x 2000) . ']}}' ],
    (map { [ 'multipart/form-data; boundary=xyz', multipart('xyz',
             part('issue[a]', 1)), $_ ] }
        '{"--xyz":1}', '{"a":{"x":{"--xyz--":1}}}', '{"a":[{"--xyz":[]}]}'),
    [ 'multipart/form-data; boundary=xyz', multipart('xyz',
      part('issue[a]', 1)), '{"a\"; filename=\"x":"1"}' ],
    (map { [ 'multipart/form-data; boundary=xyz', multipart('xyz',
             part('issue[f]', [ 'x', 'content' ], 'Content-Type: a/b')),
             qq({"f":$_}) ] }
        'null', '[]', '[{"name":"x","contentType":"a/b","size":7}]',
        '[{"filename":"x","contentType":"a/b","size":"7"}]',
        '{"0":{"filename":"x","contentType":"a/b","size":7}}',
        '[[{"filename":"x","contentType":"a/b","size":7}]]'),
    [ 'multipart/form-data; boundary=xyz', multipart('xyz',
      part('issue[f][]', [ 'x', '' ], 'Content-Type: a/b'),
      part('issue[f][]', [ 'y', '' ], 'Content-Type: a/b')),
      '{"f":[{"filename":"y","contentType":"a/b","size":0},'
      . '{"filename":"x","contentType":"a/b","size":0}]}' ],
) {
    my ($type, $sent, $change) = @$_;
    $res = send_form('/always', $type, $sent, $change);
    is($res->{status}, 502, '502: ' . substr $change, 0, 100);
    $t->only_request('crm');
    $t->no_request('app', 'the app is not reached');
}

like($t->error_log, qr/$_/, "the log says: $_")
    for 'a file cannot be changed', 'too large for a form';

# as large as it may be, but no larger, with all that is repeated

for ([ 328, 200 ], [ 329, 502 ]) {
    my ($len, $status) = @$_;
    # 3 times issue[f][x...][] and a digit
    $res = send_form('/small', $urlencoded, '', '{"f":{"' . 'x' x $len
        . '":[' . join(',', 0 .. 2) . ']}}');
    is($res->{status}, $status, "a name of $len bytes: $status");
    $t->only_request('crm');
    my @app = $t->new_requests('app');
    is(scalar @app, $status == 200 ? 1 : 0, 'whether the app is reached');
}

# a file of the task, said again in another spelling

$body = multipart('xyz', part('issue[f]', [ "a b\xc3\xa9.txt", "1\r\n2" ],
                              'Content-Type: text/plain'),
                  part('issue[a]', ''));
$res = send_form('/always', 'multipart/form-data; boundary="xyz"', $body,
    '{ "f": [ { "size": 4, "filename": "a b\u00e9.txt", '
    . '"contentType": "text\/plain" } ], "a": "x"}');
is($res->{status}, 200, 'a file is a field');
task_is(qq({"f":[{"filename":"a b\xc3\xa9.txt","contentType":"text/plain",)
        . '"size":4}],"a":""}', 'payload');
is($t->only_request('app')->{body}, $body =~ s/("issue\[a\]"\r\n\r\n)/$1x/r,
   'kept');

$res = send_form('/always', 'multipart/form-data; boundary=x', multipart('x',
    part('issue[f][]', [ 'a', '12' ], 'Content-Type: a/b'),
    part('issue[f][]', [ 'b', '' ], 'Content-Type: c/d')));
task_is('{"f":[{"filename":"a","contentType":"a/b","size":2},'
    . '{"filename":"b","contentType":"c/d","size":0}]}', 'several files');
$t->only_request('app');

# a form without fields gets some

$res = send_form('/always', 'multipart/form-data; boundary=x', "--x--\r\n",
                 '{"a":"1","b":2}');
is($res->{status}, 200, 'no parts');
$t->only_request('crm');
is($t->only_request('app')->{body}, multipart('x', part('issue[a]', 1),
                                  part('issue[b]', 2)), 'two now');

# chunked, and over HTTP/1.0

$res = $t->request('POST', '/always', body => 'issue[a]=1', chunked => 1,
    headers => [ 'Content-Type' => $urlencoded, 'X-Change' => '{"a":2}' ]);
is($res->{status}, 200, 'chunked');
$t->only_request('crm');
is($t->only_request('app')->{body}, 'issue[a]=2', 'body');

# edits in and across the buffers of a body that comes in many pieces

@fields = map { [ "issue[f$_]", $_ % 3 ? 'x' : 'y' x 200 ] } 1 .. 150;
$body = multipart('-xyz', map { part(@$_) } @fields);
for my $size (1, 7, 100, 5000) {
    my $chunks = join '', map { sprintf "%x\r\n%s\r\n", length, $_ }
                              unpack("(a$size)*", $body), '';
    $res = $t->request('POST', '/memory', body => $chunks, headers => [
            'Content-Type' => 'multipart/form-data; boundary=-xyz',
            'Content-Length' => undef, 'Transfer-Encoding' => 'chunked',
            'X-Change' => '{' . join(',', map { qq("f$_":"z$_") }
                                     grep { $_ % 2 } 1 .. 150) . '}' ]);
    is($res->{status}, 200, "pieces of $size");
    $t->only_request('crm');
    is($t->only_request('app')->{body}, multipart('-xyz', map {
        part($fields[$_ - 1][0], $_ % 2 ? "z$_" : $fields[$_ - 1][1])
    } 1 .. 150), 'every byte');
}

$t->done;
