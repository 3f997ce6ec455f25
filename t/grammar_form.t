#!/usr/bin/perl

# The grammar of urlencoded forms and queries: what some parser would read as
# another task is refused by a rule, and only by that; what browsers send is
# read.  Each row tells who reads it otherwise.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->endpoint(crm => sub {
    my ($req) = @_;
    return { headers => [ 'Content-Type' => 'application/json' ],
             body => '{"task":' . ($req->header('X-Change') // '{}') . '}' };
});
$t->endpoint(app => { body => 'stored' });

my @rules = qw(json bom control dots case php words query fields meaning raw);

sub action {
    my ($location, $pointer, @more) = @_;
    return <<"END";
            location $location {
                flowdash_action "Save";
                flowdash_task "$pointer";
                @more
                flowdash_step "CRM" {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                    flowdash_set_header X-Change \$http_x_change;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
END
}

my $locations = join '',
    map({ my $rule = $_;
          my @strict = $rule eq 'all' ? () : "flowdash_strict all -$rule;";
          (action("/task/$rule", '/task', @strict),
           action("/my/$rule", '/my_task', @strict),
           action("/a/$rule", '/a/b', @strict),
           action("/flat/$rule", '', @strict)) } 'all', @rules),
    action('/few', '/task', 'flowdash_max_fields 3;'),
    action('/second', '/tasks/1'),
    action('/set', '/task', 'flowdash_max_fields 3;',
           'flowdash_set_json Tags "[1,2]";'),
    action('/mangled', '', 'flowdash_set approved_by boss;'),
    action('/folded', '/task', 'flowdash_set Stage Done;');

$t->config(<<"END");
    %%GLOBALS%%
    events { }
    http {
        %%HTTP_GLOBALS%%
        server {
            listen 127.0.0.1:%%PORT_http%%;
            $locations
            location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
        }
    }
END
$t->run;

my $urlencoded = 'application/x-www-form-urlencoded';

sub post {
    my ($uri, $body, %more) = @_;
    my $log = length $t->error_log;
    my $res = $t->request('POST', $uri, defined $body ? (body => $body) : (),
        headers => [
            defined $body ? ('Content-Type' => $more{type} // $urlencoded) : (),
            'X-Change' => $more{change} // '{}' ]);
    $res->{log} = substr $t->error_log, $log;
    return $res;
}

sub shown {
    my $s = substr join(' ', grep { defined } @_), 0, 90;
    return $s =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ger;
}

sub refused {
    my ($res, $status, $rule, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($res->{status}, $status, "$status: $name");
    like($res->{log}, qr/\(flowdash_strict $rule/, 'the log names the rule')
        if $rule;
    $t->no_request('crm', 'nothing is called');
    $t->no_request('app', 'the app is not reached');
}

sub passed {
    my ($res, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($res->{status}, 200, "200: $name");
    my $app = $t->only_request('app');
    return ($t->only_request('crm')->{body} =~ /"task":(.*)\}$/, $app);
}

# rule, location, query or undef, body or undef, who reads it otherwise, and
# what it is without the rule: refused all the same by another one, or read

my $bom = "\xef\xbb\xbf";

for (
    [ json => 'task', undef, '{"task":{"Stage":"Completed"}}',
      'all that parse any body', 'refused' ],
    [ json => 'flat', undef, " \n{\"Stage\":1}", 'white space', 'refused' ],
    [ json => 'task', undef, "$bom\{}", 'a BOM', 'refused' ],
    [ json => 'task', undef, '{"task":{},"a":"&task[Stage]=Open&b="}',
      'a polyglot', 'refused' ],
    [ json => 'task', undef, '[{"task":1}]', 'an array', 'refused' ],
    [ json => 'task', undef, '/*=*/{"task":1}', 'comments', 'read' ],

    [ bom => 'task', undef, "${bom}task[a]=1", 'undici, Koa', 'refused' ],
    [ bom => 'task', undef, '%EF%BB%BFtask[a]=1', 'TextDecoder', 'read' ],
    [ bom => 'flat', undef, 'x=1&%ef%bb%bfa=1', 'TextDecoder', 'read' ],
    [ bom => 'task', '%EF%BB%BFtask[a]=1', undef, 'TextDecoder', 'read' ],

    [ control => 'task', undef, '?task[a]=1', 'URLSearchParams', 'refused' ],
    [ control => 'task', '?task[a]=1', undef, 'URLSearchParams', 'refused' ],
    [ control => 'task', undef, "task[a]=1\n", 'Mojolicious', 'read' ],
    [ control => 'task', undef, "task[a]=1\r\n", 'Mojolicious', 'read' ],
    [ control => 'task', undef, "task[a]=1\0", 'Rack', 'read' ],
    [ control => 'task', undef, "x=\x01&task[a]=1", 'any', 'read' ],
    [ control => 'task', undef, "x\t=1", 'any', 'read' ],
    [ control => 'task', undef, "x=\x7f", 'any', 'read' ],
    [ control => 'task', undef, 'task[a]=5%00', 'Rails', 'read' ],
    [ control => 'flat', undef, 'a=%005', 'Rails', 'read' ],
    [ control => 'task', undef, 'x%00=1', 'PHP', 'read' ],
    [ control => 'task', undef, 'x%0A=1', 'any', 'read' ],

    (map({ [ dots => 'task', undef, $_, 'Koa', 'read' ],
           [ dots => 'a', undef, 'a[b.c]=1', 'express-fileupload', 'read' ],
    [ dots => 'task', $_, undef, 'Koa', 'read' ] }
        'task.Stage=1', 'task%2EStage=1', '.task[Stage]=1', '.task.Stage=1',
        'task.Stage[x]=1', 'task.=1')),
    (map({ [ dots => 'a', undef, $_, 'Koa', 'read' ] }
        'a.b[c]=1', 'a.b.c=1', '.a.b[c]=1', '.a[b][c]=1', 'a%2eb=1')),
    (map({ [ dots => 'flat', undef, $_, 'Koa', 'read' ] }
        '.a=1', '.a[b]=1', 'a.b=1&a=2', 'a=2&a.b=1', 'a.b=1&a[c]=2',
        'a[c]=1&a.b=2', 'a.b.c=1&a.b=2', 'a.b=2&a.b.c=1', 'a.b[c]=1&a[d]=1',
        '.' x 40 . '=1', 'a' . '.a' x 33 . '=1',
        'a.b.=1', 'a.b.[c]=1', 'a.b..c=1')),
    [ dots => 'flat', undef, 'A.b=1&a=2', '.NET', 'read' ],

    (map({ [ case => 'task', undef, $_, 'Go, .NET', 'read' ] }
        'Task[a]=1', 'TASK[a]=1', 'ta%C5%BFk[a]=1', 'TASK=1',
        'task[a]=1&Task[a]=2', 'x=1&tas%E2%84%AA[a]=1')),
    (map({ [ case => 'task', undef, $_, 'Go, .NET', 'read' ] }
        'task[Stage]=1&task[stage]=2', 'task[Kind]=1&task[%E2%84%AAind]=2',
        'task[%C3%89]=1&task[%C3%A9]=2')),
    (map({ [ case => 'a', undef, $_, 'Go, .NET', 'read' ] }
        'A[b][c]=1', 'a[B][c]=1', 'A[B]=1')),
    [ case => 'flat', undef, 'Stage=1&stage=2', 'Go, .NET', 'read' ],
    [ case => 'flat', 'stage=2', 'Stage=1', 'Go, .NET', 'read' ],
    [ case => 'task', 'Task[a]=1', undef, 'Go, .NET', 'read' ],

    (map({ [ php => 'flat', undef, $_, 'PHP', 'read' ] }
        'approved_by=x&approved.by=y', 'approved+by=x&approved.by=y',
        'approved.by=x&approved_by=y', 'a_b[c]=1&a.b[c]=2',
        'Approved.by=x&approved_by=y')),
    [ php => 'flat', 'approved.by=x', 'approved_by=y', 'PHP', 'read' ],
    [ php => 'my', undef, 'My.task[a]=1', 'PHP', 'read' ],

    (map({ [ words => 'task', undef, $_, 'Tomcat', 'read' ] }
        '%3D?UTF-8?B?dGFza1tTdGFnZV0%3D?%3D=1',
        'x%3D?UTF-8?Q?task%5B?%3D=1')),
    [ words => 'flat', undef, 'a%3D?utf-8?q?a?%3D=1', 'Tomcat', 'read' ],

    [ query => 'task', 'task[Approved]=boss', 'task[a]=1',
      'which of the two differs', 'read' ],
    [ query => 'task', 'task[a]=1', 'task[a]=1', 'not the same one', 'read' ],
    [ query => 'flat', 'a=1', 'a=2&b=3', 'one of the two', 'read' ],
    [ query => 'flat', 'a[]=1', 'a=1', 'one of the two', 'read' ],

    (map({ [ fields => $_, 'task[x][a][b][c][d][e]=1' =~ s/task/$_ eq 'flat'
             ? 'x' : 'task'/er, undef, 'Express', 'read' ] } 'task', 'flat')),
    [ fields => 'task', undef, join('&', 'task[a]=1', ('x=') x 1000),
      'PHP, qs', 'read' ],
    [ fields => 'task', undef, '&' x 1000 . 'task[a]=1', 'qs', 'read' ],
    [ fields => 'task', '&' x 1000 . 'task[a]=1', undef, 'qs', 'read' ],

    (map({ [ meaning => 'task', undef, $_, 'merging libraries', 'read' ] }
        'task[__proto__]=1', 'task[a][__proto__][b]=1', '__proto__[task]=1',
        'task[constructor][prototype][a]=1', 'task[toString]=1',
        'constructor[prototype][task]=1', 'task[a][constructor]=1',
        'x[constructor][prototype][a]=1', 'x[a][][constructor].prototype=1',
        'x.constructor.prototype.a=1')),
    (map({ [ meaning => 'a', undef, $_, 'Spring', 'read' ] }
        "a['b'][c]=1", 'a[%22b%22][c]=1')),
    [ meaning => 'flat', undef, 'a.__proto__.b=1', 'Koa', 'read' ],
    (map({ [ meaning => 'task', undef, $_, 'Spring, Netty, aiohttp', 'read' ] }
        '!task[Stage]=1', ':task[Stage]=1', '/task[Stage]=1',
        "task[a]=1&task['Stage']=2", 'task[%22Stage%22]=1', '*!task[a]=1')),
    [ meaning => 'flat', undef, '!Stage=1', 'Spring', 'read' ],
    [ meaning => 'flat', undef, ':action=1', 'Zope', 'read' ],
    [ meaning => 'task', undef, 'task[due]=1&task[due(1i)]=2', 'Rails', 'read' ],
    [ meaning => 'task', undef, 'task[due()]=1&task[due]=2', 'Rails', 'read' ],
    [ meaning => 'flat', 'due=1', 'due(1)=2', 'Rails', 'read' ],
    [ meaning => 'flat', undef, 'hasOwnProperty=1', 'qs', 'read' ],

    [ raw => 'task', undef, "x=\xc2\xa6task[a]\xc2\xbd1", 'formidable',
      'read' ],
    [ raw => 'task', undef, "task[a]=\xc3\xa9", 'formidable', 'read' ],
    (map({ [ raw => 'task', undef, "x$_=1", 'any', 'read' ],
           [ raw => 'task', undef, "task[a$_]=1", 'any', 'read' ] }
        ' ', '"', '#', '<', '>', '{', "\xc3\xa9")),
    (map({ [ raw => 'task', undef, "task[a]=$_", 'any', 'read' ] }
        '#', '<', '>')),
    (map({ [ raw => 'task', "x=$_", undef, 'any', 'read' ] }
        '"', '<', '>', "\xc3\xa9")),
    [ raw => 'task', 'a{=1', undef, 'any', 'read' ],
    [ raw => 'task', undef, 'task[a]=b ', 'aiohttp', 'read' ],
    [ raw => 'flat', undef, 'Stage=a]=b', 'qs', 'read' ],
    [ raw => 'flat', undef, 'Stage=a%5d=b', 'qs', 'read' ],
    [ raw => 'task', undef, 'x%ff=1', 'any', 'read' ],
) {
    my ($rule, $place, $query, $body, $who, $without) = @$_;
    my $name = "$rule, $place: " . shown($query && "?$query", $body);
    my $status = $rule eq 'json' ? 415
                 : $rule eq 'fields' && ($query // $body) =~ /=&|&&/ ? 413
                 : 400;
    my $uri = sub { "/$place/$_[0]" . (defined $query ? "?$query" : '') };

    refused(post($uri->('all'), $body), $status, $rule, "$name ($who)");

    my $res = post($uri->($rule), $body);
    if ($without eq 'read') {
        is($res->{status}, 200, 'read without the rule');
    } else {
        is($res->{status}, 400, 'refused by another rule');
        unlike($res->{log}, qr/\(flowdash_strict $rule/, 'not by this one');
    }
    $t->new_requests($_) for 'crm', 'app';
}

# what the log tells whoever has sent it

my $json = post('/task/all', '{"task":1}');
like($json->{$_}, qr/Content-Type.* should be application\/json/,
     "which type was meant: the $_") for 'log', 'body';
like(post('/task/all', "task[a]=1\n")->{log}, qr/--data-binary/,
     'where the newline comes from');
like(post('/task/all', 'task[lines][][qty]=1')->{log},
     qr/\[\] inside a name, .* give the elements an index, as in a\[0\]\[b\]/,
     'what to write instead of []');
like(post('/second', 'tasks[1][a]=1&tasks[2][a]=2')->{log},
     qr/an index greater than the task's/, 'an element after the task');
$t->no_request('crm', 'nothing is called');
$t->no_request('app', 'the app is not reached');

# what browsers and common clients send

for (
    [ 'task', undef, '&&task[a]=1&x=2&', '{"a":"1"}' ],
    [ 'task', undef, 'task[a]=a b "c" {d}|^`\\&x= "',
      '{"a":"a b \"c\" {d}|^`\\\\"}' ],
    [ 'task', undef, 'task%5BTags%5D%5B%5D=1&task%5BTags%5D%5B%5D=2',
      '{"Tags":["1","2"]}' ],
    [ 'task', undef, 'task[a]=b]=c', '{"a":"b]=c"}' ],
    [ 'task', undef, 'task[a]=x==&y=z=', '{"a":"x=="}' ],
    [ 'task', undef, 'task[a]=%E2%9C%93%0D%0A%EF%BB%BF',
      "{\"a\":\"\xe2\x9c\x93\\r\\n$bom\"}" ],
    [ 'task', undef, 'tasks[a]=1&my.task=2&xtask[b]=3&x[task][c]=4&task[a]=1',
      '{"a":"1"}' ],
    [ 'task', undef, 'x.y=1&x=2&X=3&x[y]=4&a_b=1&a.b=2&task[a.b]=1&task[a_b]=2',
      '{"a.b":"1","a_b":"2"}' ],
    [ 'task', undef, 'task[a][x]=1&task[a][X]=2', '{"a":{"x":"1","X":"2"}}' ],
    [ 'a', undef, 'a[x]=1&a.x=2&A[x]=3&a[b][c]=4', '{"c":"4"}' ],
    [ 'task', 'Task=7&next=/x', 'task[a]=1', '{"a":"1"}' ],
    [ 'task', undef, ':action=x&save:method=1&task[lines][0][qty]=1',
      '{"lines":{"0":{"qty":"1"}}}' ],
    [ 'flat', undef, 'address.city=x&address.zip=y&submit.x=1&submit.y=2',
      '{"address.city":"x","address.zip":"y","submit.x":"1","submit.y":"2"}' ],
    [ 'flat', undef, 'wait...=1&a..b=2&c.=3&d.[e]=4',
      '{"wait...":"1","a..b":"2","c.":"3","d.":{"e":"4"}}' ],
    [ 'flat', 'next=/a&controller=b', 'a=1',
      '{"a":"1","next":"/a","controller":"b"}' ],
    [ 'flat', 'a=1', 'a=1&b=2', '{"a":"1","b":"2"}' ],
    [ 'task', 'task[a][b][c][d][e]=1', undef,
      '{"a":{"b":{"c":{"d":{"e":"1"}}}}}' ],
    [ 'task', undef, 'task' . '[a]' x 7 . '=1', '{"a":' . '{"a":' x 6 . '"1"'
      . '}' x 7 ],
    [ 'task', undef, join('&', 'task[a]=1', ('x=') x 999), '{"a":"1"}' ],
    [ 'task', undef, 'x[constructor]=1&task[a]=__proto__', '{"a":"__proto__"}' ],
    [ 'task', undef, 'constructorprototype=1&constructor[x]=2&'
      . 'constructor][prototyp=3&task[a]=1', '{"a":"1"}' ],
) {
    my ($place, $query, $body, $task) = @$_;
    my $uri = "/$place/all" . (defined $query ? "?$query" : '');
    my ($told, $app) = passed(post($uri, $body), shown($uri, $body));
    is($told, $task, 'payload');
    is($app->{target}, $uri, 'the URI as sent');
    is($app->{body}, $body // '', 'the body as sent');
}

# the query of a JSON body

for ([ 'flat', 'page=1&filter[a]=b&x;y=z', '{"a":1}', 400 ],
     [ 'flat', 'page=1&filter[a]=b&Page=2', '{"a":1}', 200 ],
     [ 'flat', 'a=1', '{"a":1}', 200 ], [ 'flat', 'a=2', '{"a":1}', 400 ],
     [ 'flat', 'a=1', '{"a":{}}', 400 ],
     [ 'task', 'task[a]=1', '{"task":{}}', 400 ],
     [ 'task', 'task[a]=1', '{"x":{}}', 200 ]) {
    my ($place, $query, $body, $status) = @$_;
    my $res = post("/$place/all?$query", $body, type => 'application/json');
    is($res->{status}, $status, "$status: $body with ?$query");
    $t->new_requests($_) for 'crm', 'app';
}

# charsets in which ASCII is ASCII

for my $charset (qw(ISO-8859-1 iso-8859-1 US-ASCII "us-ascii")) {
    my %type = (type => "$urlencoded; charset=$charset");
    is((passed(post('/task/all?x=1', 'task[a]=%41', %type), $charset))[0],
       '{"a":"A"}', 'payload');
    refused(post('/task/all', $_, %type), 415, '', "$charset: $_")
        for 'task[a]=%C3%A9', 'x=%e9&task[a]=1', 'task[%80]=1';
    refused(post('/task/all?x=%E9', 'task[a]=1', %type), 415, '',
            "$charset: the query");
    for my $change ('{"a":"\u00e9"}', '{"\u00e9":1}', '{"a":{"\u00e9":1}}') {
        is(post('/task/all', 'task[a]=1', %type, change => $change)->{status},
           502, "$charset: $change");
        $t->only_request('crm');
        $t->no_request('app', 'the app is not reached');
    }
}
refused(post('/task/all', 'task[a]=1', type => "$urlencoded; charset=utf-7"),
        415, '', 'utf-7');
passed(post('/task/all', 'task[a]=%C3%A9', type => "$urlencoded;charset=UTF-8"),
       'UTF-8');

# what an endpoint adds, or flowdash_set

for (
    [ case => 'task', 'task[Stage]=1', '{"stage":2}' ],
    [ case => 'flat', 'Stage=1', '{"stage":2}' ],
    [ php => 'flat', 'approved_by=1', '{"approved.by":2}' ],
    [ php => 'flat', 'a=1', '{"approved.by":2,"approved_by":3}' ],
    [ dots => 'flat', 'a=1', '{"a.b":2}' ],
    [ dots => 'flat', 'a.b=1', '{"a":2}' ],
    [ dots => 'flat', 'x=1', '{".a":2}' ],
    [ meaning => 'task', 'task[a]=1', '{"valueOf":2}' ],
    [ meaning => 'task', 'task[a(1i)]=1', '{"a":2}' ],
    [ meaning => 'task', 'task[a]=1', '{"a(1i)":2}' ],
    [ meaning => 'task', 'task[a]=1', '{"b":2,"b(1i)":2}' ],
    [ meaning => 'task', 'task[a]=1', '{"!a":2}' ],
    [ meaning => 'task', 'task[a]=1', '{"a":{"x":{"toString":2}}}' ],
    [ control => 'task', 'task[a]=1', '{"a":"x\u0000"}' ],
    [ words => 'task', 'task[a]=1', '{"x=?UTF-8?B?eA==?=":2}' ],
    [ bom => 'flat', 'a=1', '{"\ufeffb":2}' ],
) {
    my ($rule, $place, $body, $change) = @$_;
    my $res = post("/$place/all", $body, change => $change);
    is($res->{status}, 502, "$rule, $place: $body, $change");
    like($res->{log}, qr/response_invalid.*\(flowdash_strict $rule/, 'says so');
    $t->only_request('crm');
    $t->no_request('app', 'the app is not reached');

    is(post("/$place/$rule", $body, change => $change)->{status}, 200,
       'added without the rule');
    $t->only_request($_) for 'crm', 'app';
}

for ([ '{}', 200 ], [ '[]', 502 ], [ '{"f":1}', 502 ]) {
    my ($deepest, $status) = @$_;
    is(post('/task/all?task[a]=1', undef, change =>
                qq({"a":{"b":{"c":{"d":{"e":$deepest}}}}}))->{status}, $status,
       "a query with $deepest in five brackets");
    $t->new_requests($_) for 'crm', 'app';
}

refused(post('/mangled', 'approved.by=attacker'), 400, 'php',
        'flowdash_set and PHP');
refused(post('/folded', 'task[stage]=Open'), 400, 'case',
        'flowdash_set and case');
passed(post('/mangled', 'approved_by=attacker'), 'the same name');

# flowdash_max_fields, with what is added

for ([ '/few', 'task[a]=1&x=2&y=3', '{}', 200 ],
     [ '/few', 'task[a]=1&x=2&y=3&', '{"a":4}', 200 ],
     [ '/few', 'task[a]=1&x=2&', '{"b":3}', 200 ],
     [ '/few', 'task[a]=1&x=2', '{"a":[1,2]}', 200 ],
     [ '/few', 'task[a]=1&task[a]=2&task[a]=3', '{"a":4,"b":[1,2]}', 200 ],
     [ '/few', 'task[a]=1&x=2&y=3', '{"b":3}', 502 ],
     [ '/few', 'task[a]=1&x=2', '{"b":3,"c":4}', 502 ],
     [ '/few', 'task[a]=1&x=2', '{"a":{"x":1,"y":2,"z":3}}', 502 ],
     [ '/few', 'task[a]=1&x=2&y=3&z=4', '{}', 413 ],
     [ '/set', 'task[a]=1', '{}', 200 ],
     [ '/set', 'task[a]=1', '{"Tags":[]}', 200 ],
     [ '/set', 'task[a]=1', '{"b":1}', 502 ],
     [ '/set', 'task[a]=1&x=2', '{}', 413 ],
     [ '/set', 'task[Tags]=1&x=2', '{}', 200 ],
     [ '/set', 'task[Tags]=1&x=2&y=3', '{}', 413 ],
     [ '/set', 'task[Tags]=1', '{"b":1}', 200 ]) {
    my ($place, $body, $change, $status) = @$_;
    my $res = post($place, $body, change => $change);
    is($res->{status}, $status, "$place $body, $change: $status");
    like($res->{log}, qr/flowdash_max_fields \(flowdash_strict fields/, 'says so')
        if $status != 200;
    is(scalar(my @crm = $t->new_requests('crm')), $status == 413 ? 0 : 1,
       'whether it is called');
    is(scalar(my @app = $t->new_requests('app')), $status == 200 ? 1 : 0,
       'whether the app is reached');
}

my $parts = sub {
    join('', map({ "--x\r\nContent-Disposition: form-data; name=\"$_\"\r\n\r\n"
                   . "1\r\n" } @_), "--x--\r\n");
};
for ([ [ 'x', 'y', 'task[a]' ], 200 ], [ [ 'x', 'y', 'z', 'task[a]' ], 413 ]) {
    my ($names, $status) = @$_;
    is(post('/few', $parts->(@$names), type => 'multipart/form-data; boundary=x')
           ->{status}, $status, scalar(@$names) . ' parts');
    $t->new_requests($_) for 'crm', 'app';
}

# a space at the end of a name, which Netty leaves out, is not written either

refused(post('/flat/all', $_), 400, undef, shown('a space:', $_))
    for 'a+=1', 'a%20=1', 'a+[]=1', 'a+[b]=1';
for ([ '/flat/all', 'a=1', 502 ], [ '/task/all', 'task[a]=1', 200 ]) {
    my ($place, $body, $status) = @$_;
    is(post($place, $body, change => '{"b ":1}')->{status}, $status,
       "an endpoint adds one, $place: $status");
    $t->only_request('crm');
    is(scalar(my @app = $t->new_requests('app')), $status == 200 ? 1 : 0,
       'whether the app is reached');
}

# names of parts are judged by the same rules

for ([ '(?:bom|parts)' => "${bom}task[a]" ], [ dots => 'task.a' ], [ case => 'Task[a]' ],
     [ words => '=?UTF-8?B?dGFzaw?=' ], [ meaning => '__proto__[task]' ],
     [ undef, 't]ask[Stage]' ], [ undef, 'ta]sk[Stage]]' ],
     [ undef, ':task[Stage]' ], [ undef, '//task[Stage]' ],
     [ raw => "x\xff" ]) {
    my ($rule, $name) = @$_;
    refused(post('/task/all', $parts->($name),
                 type => 'multipart/form-data; boundary=x'), 400, $rule,
            shown("a part $name"));
}

$t->done;
