# flowdash_set_from_answer: a field of the task from any place of an endpoint's
# own JSON.  The id of an issue that Jira or GitLab has created arrives in the
# app's form; a "task" of theirs changes nothing.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::Pages;

use JSON::PP ();

my $t = Test::Flowdash->new(log_level => 'info');

my $json = JSON::PP->new->utf8;
my @json = ('Content-Type' => 'application/json');


# POST /rest/api/2/issue needs a project, a type and a summary

$t->endpoint(jira => sub {
    my $f = eval { $json->decode($_[0]{body})->{fields} };
    return { status => 400, headers => \@json,
             body => '{"errorMessages":["Field required"],"errors":{}}' }
        if $_[0]{method} ne 'POST' || $_[0]{target} ne '/rest/api/2/issue'
           || !$f->{project}{key} || !$f->{issuetype}{name} || !$f->{summary};
    return { status => 201, headers => \@json, body =>
        '{"id":"10042","key":"OPS-7","self":"https://jira.example/issue/10042",'
        . '"task":{"status":"foreign"}}' };
});

# POST /projects/:id/issues needs a title; PUT changes an issue

$t->endpoint(gitlab => sub {
    return { status => 401 } if (header($_[0], 'PRIVATE-TOKEN') // '') ne 'glpat';
    return { status => 400 } if !eval { $json->decode($_[0]{body})->{title} };
    return { status => $_[0]{method} eq 'PUT' ? 200 : 201, headers => \@json,
             body => '{"id":90071992547409931,"iid":14,"labels":["a","b"],'
                     . '"assignee":null,"web_url":"https://gitlab.example/14",'
                     . '"closed_at":"2026-01-02T03:04:05Z",'
                     . '"custom_fields":[{"id":3,"value":"x"},'
                     . '{"id":7,"value":"S-1"}],"task":"a string"}' };
});

# answers by their number, which the client's header has

my @text = ('Content-Type' => 'text/plain');
my @answers = (
    key => [ '{"key":"new"}', \@json ],
    number => [ '{"key": 1.50 }', \@json ],
    null => [ '{"key":null}', \@json ],
    object => [ '{"key":{ "b":[1] }}', \@json ],
    none => [ '{"a":2,"ke":"x","KEYS":1}', \@json ],
    task => [ '{"key":"new","task":{"a":2,"b":3,"key":4}}', \@json ],
    string => [ '{"key":"new","task":"a string"}', \@json ],
    twice => [ '{"key":1,"key":2}', \@json ],
    case => [ '{"key":1,"Key":2}', \@json ],
    taskcase => [ '{"key":1,"task":{"KEY":2}}', \@json ],
    half => [ '{"key":"\\ud800"}', \@json ],
    array => [ '[{"key":1}]', \@json ],
    broken => [ '{"key":1', \@json ],
    empty => [ '', \@json ],
    ok => [ 'ok', \@text ],
    texted => [ '{"key":1}', \@text ],
    untyped => [ '{"key":1}', [] ],
    untyped_text => [ 'ok', [] ],
);
my %number = map { $answers[2 * $_] => $_ } 0 .. $#answers / 2;

$t->endpoint(any => sub {
    my ($body, $headers) = @{ $answers[2 * header($_[0], 'X-N') + 1] };
    return { body => $body, headers => $headers };
});
# what the page's configurations call besides

$t->endpoint(chat => sub {
    return { status => 400, body => 'invalid_payload' }
        if !eval { $json->decode($_[0]{body})->{blocks} };
    return { headers => [ 'Content-Type' => 'text/html' ], body => 'ok' };
});
$t->endpoint(sms => { status => 201, headers => \@json, body => '{"sid":"SM1"}' });
$t->endpoint('app');

my $app = 'proxy_pass http://127.0.0.1:%%PORT_app%%;';
my $any = 'http://127.0.0.1:%%PORT_any%%';

# the configurations of the page: only hosts and files are others

my @pages = map { $_->{text} } grep {
    ($_->{comment} // '') =~ /run by t\/set_from_answer/
} blocks('docs/calling.md');
is(scalar @pages, 3, 'three configurations in docs/calling.md');

my %host = ('hooks.slack.com' => 'chat', 'jira.example.com' => 'jira',
            'gitlab.example.com' => 'gitlab', 'sms.example.com' => 'sms');

for my $i (0 .. $#pages) {
    for ($pages[$i]) {
        s{https://([\w.]+)}{http://127.0.0.1:%%PORT_$host{$1}%%}g;
        s{file:/etc/nginx/}{file:%%DIR%%/}g;
        s{listen 80;}{listen 127.0.0.1:%%PORT_page$i%%;};
    }
}

for my $secret (qw(slack.path jira.token gitlab.token)) {
    $t->write_file($secret, "glpat\n");
    chmod 0600, $t->dir . "/$secret";
}

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    upstream task_app { server 127.0.0.1:%%PORT_app%%; }
    @pages
    server {
    listen 127.0.0.1:%%PORT_http%%;

    location /jira {
        flowdash_task /issue;
        flowdash_action "Escalate";
        flowdash_step "Create a Jira issue" {
            flowdash_call http://127.0.0.1:%%PORT_jira%%/rest/api/2/issue;
            flowdash_set_body json '{ "fields": {
                "project": { "key": "OPS" }, "issuetype": { "name": "Bug" },
                "summary": "\$flowdash_task_subject" } }';
            flowdash_set_from_answer jira_key /key required;
            flowdash_set_from_answer jira_url /self;
        }
        $app
    }

    location /gitlab {
        flowdash_task "";
        flowdash_action "Escalate";
        flowdash_step "Create a GitLab issue" {
            flowdash_call http://127.0.0.1:%%PORT_gitlab%%/api/v4/projects/1/issues;
            flowdash_set_header PRIVATE-TOKEN glpat;
            flowdash_set_body json '{"title":\$flowdash_json_task_title}';
            flowdash_set_from_answer issue /iid required;
            flowdash_set_from_answer big /id;
            flowdash_set_from_answer labels /labels;
            flowdash_set_from_answer assignee /assignee;
            flowdash_set_from_answer sap "/custom_fields/[id=7]/value" required;
            flowdash_set_from_answer second /labels/1;
            flowdash_set_from_answer gone /nothing/here;
        }
        flowdash_step "Change it" {
            proxy_method PUT;
            flowdash_set_header PRIVATE-TOKEN glpat;
            flowdash_set_body json '{"title":"#\$flowdash_task_issue"}';
            flowdash_set_from_answer url /web_url;
            proxy_pass http://127.0.0.1:%%PORT_gitlab%%/api/v4/projects/1/issues/14;
        }
        $app
    }

    location /any {
        flowdash_set_header X-N \$http_x_n;
        flowdash_action A;
        flowdash_step S {
            flowdash_call $any;
            flowdash_set_from_answer key /key;
        }
        $app

        location /any/required {
            flowdash_action A;
            flowdash_step S {
                flowdash_call $any;
                flowdash_set_from_answer other /other;
                flowdash_set_from_answer key /key required;
            }
            $app
        }
        location /any/json {
            flowdash_action A;
            flowdash_step S {
                flowdash_call $any;
                flowdash_require_json on;
                flowdash_set_from_answer key /key;
            }
            $app
        }
        location /any/accept {
            flowdash_action A;
            flowdash_step S {
                flowdash_call $any;
                flowdash_accept all;
                flowdash_set_from_answer key /key;
            }
            $app
        }
        location /any/named {
            flowdash_action A;
            flowdash_step S {
                flowdash_call $any;
                flowdash_accept a;
                flowdash_hide_field key;
                flowdash_set_from_answer key /task/b;
            }
            $app
        }
        location /any/optional {
            flowdash_action A;
            flowdash_step S {
                flowdash_optional on;
                flowdash_call $any;
                flowdash_accept a;
                flowdash_set_from_answer key /key required;
            }
            $app
        }
        location /any/body {
            flowdash_action A;
            flowdash_step S {
                flowdash_call $any;
                flowdash_set_body json '{}';
            }
            $app
        }
        location /any/body/json {
            flowdash_action A;
            flowdash_step S {
                flowdash_call $any;
                flowdash_require_json on;
                flowdash_set_body json '{}';
            }
            $app
        }
        location /any/inherited {
            flowdash_accept all;
            location /any/inherited/one {
                flowdash_action A;
                flowdash_step S {
                    flowdash_call $any;
                    flowdash_set_body json '{}';
                }
                $app
            }
        }
        location /any/form {
            flowdash_action A;
            flowdash_task "";
            flowdash_step S {
                flowdash_call $any;
                flowdash_set_from_answer key /key;
            }
            $app
        }
    }
    }
}
EOC

$t->run;


# Issues, created from nginx.conf alone

my @form = ('Content-Type' => 'application/x-www-form-urlencoded');

my $r = $t->request(POST => '/jira', headers => \@form,
                    body => 'issue%5Bsubject%5D=It+broke&issue%5Bstatus%5D=Open');
is($r->{status}, 200, 'Jira has an issue');
$t->only_request('jira');
is($t->only_request('app')->{body},
   'issue%5Bsubject%5D=It+broke&issue%5Bstatus%5D=Open'
   . '&issue%5Bjira_key%5D=OPS-7'
   . '&issue%5Bjira_url%5D=https%3A%2F%2Fjira.example%2Fissue%2F10042',
   'its key is in the form that the app gets, and nothing else');

$r = $t->request(POST => '/jira', headers => \@form, body => 'issue%5Ba%5D=1');
is($r->{status}, 502, 'Jira refuses an issue without a summary');
$t->no_request('app');
$t->new_requests('jira');

$r = $t->post_json('/gitlab', '{"title":"It broke","assignee":"joe"}');
is($r->{status}, 200, 'GitLab has an issue');
my @calls = $t->new_requests('gitlab');
is(join(' ', map { "$_->{method} $_->{target} $_->{body}" } @calls),
   'POST /api/v4/projects/1/issues {"title":"It broke"} '
   . 'PUT /api/v4/projects/1/issues/14 {"title":"#14"}', 'and a change of it');
is($t->only_request('app')->{body},
   '{"title":"It broke","assignee":null,"issue":14,"big":90071992547409931,'
   . '"labels":["a","b"],"sap":"S-1","second":"b",'
   . '"url":"https://gitlab.example/14"}', 'any value, as it is spelled');


# The page's configurations, as they are written there

sub page_request {
    my ($n, $uri, $headers, $body) = @_;
    return $t->request(POST => $uri, headers => $headers, body => $body,
                       port => "page$n");
}

$r = page_request(0, '/tasks/1/finish', \@json,
                  '{"task":{"title":"<!channel> \\"done\\""}}');
is($r->{status}, 200, 'the page: a chat');
my $call = $t->only_request('chat');
is($call->{target}, '/services/T0/B0/glpat', 'its URL');
is_deeply($json->decode($call->{body})->{blocks}[0]{text},
          { type => 'plain_text', text => '<!channel> "done"' }, 'its text');
$t->only_request('app');

$r = page_request(1, '/issues/1/escalate', \@form,
                  'issue[id]=5&issue[subject]=It+%22broke%22&x=1');
is($r->{status}, 200, 'the page: Jira');
$call = $t->only_request('jira');
is(header($call, 'Authorization'), 'Bearer glpat', 'its token');
is_deeply($json->decode($call->{body})->{fields}{summary}, '#5: It "broke"',
          'the summary');
is($t->only_request('app')->{body},
   'issue[id]=5&issue[subject]=It+%22broke%22&x=1&issue%5Bjira_key%5D=OPS-7',
   'the key');

$r = page_request(2, '/tasks/1/close', \@json, '{"task":{"issue":14,"title":"a b"}}');
is($r->{status}, 200, 'the page: GitLab and a form API');
$call = $t->only_request('gitlab');
is("$call->{method} $call->{target} $call->{body}",
   'PUT /api/v4/projects/1/issues/14 { "state_event": "close",'
   . "\n" . ' ' x 40 . '"title": "a b" }', 'GitLab');
is($t->only_request('sms')->{body}, 'To=%2B4930123456&Body=a%20b%20is%20closed',
   'a text message');
like($t->only_request('app')->{body}, qr/"closed_at":"2026-01-02T03:04:05Z"/,
     'when it was closed');


# Answers of all kinds: what the app gets, or why the step has failed

sub is_answer {
    my ($uri, $name, $wanted, $task) = @_;
    my $seen = length $t->error_log;
    my $json = !$task;

    my $r = $t->request(POST => "/any$uri",
        headers => [ $json ? @json : @form, 'X-N' => $number{$name} ],
        body => $task // '{"task":{"a":1,"key":"old"}}');
    $t->new_requests('any');
    my ($app) = $t->new_requests('app');
    my $got = $app ? $app->{body} =~ s/^\{"task":|\}\z//gr
              : (substr($t->error_log, $seen) =~ /response_invalid 200, (.*?), called /
                 ? $1 : substr $t->error_log, $seen);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($got, $wanted, "/any$uri: $name");
}

my $old = '{"a":1,"key":"old"}';
my $new = '{"a":1,"key":"new"}';
my $is = 'flowdash_set_from_answer key';

is_answer('', 'key', $new);
is_answer('', 'number', '{"a":1,"key":1.50}');
is_answer('', 'null', '{"a":1,"key":null}');
is_answer('', 'object', '{"a":1,"key":{ "b":[1] }}');
is_answer('', $_, $new) for qw(task string);
is_answer('', $_, $old) for qw(none array empty ok texted untyped_text);
is_answer('', 'untyped', '{"a":1,"key":1}');
is_answer('', 'twice', "$is: the answer's body: a name on the way to the value "
                       . 'occurs twice, at byte 14');
is_answer('', 'case', "$is: the answer's body: a name that differs only in case "
                      . 'from one on the way to the task (flowdash_strict case), '
                      . 'at byte 14');
is_answer('', 'half', "$is: half of a surrogate pair (flowdash_strict control)");
is_answer('', 'broken', "the answer's body: not JSON, at byte 8");

is_answer('/required', 'key', $new);
is_answer('/required', 'null', '{"a":1,"key":null}');
is_answer('/required', 'none', "$is is required: the answer has nothing at /key");
is_answer('/required', 'array', "$is is required: the answer has nothing at /key");
is_answer('/required', 'empty', "$is is required: the answer is empty");
is_answer('/required', $_, "$is is required: the answer has a media type other "
                           . 'than JSON') for qw(ok texted);
is_answer('/required', 'untyped_text', "$is is required: the answer is not JSON");

is_answer('/json', 'key', $new);
is_answer('/json', 'string', $new);
is_answer('/json', 'none', $old);
is_answer('/json', 'array',
          'flowdash_require_json: the answer is JSON, but not an object, '
          . 'application/json');


# With flowdash_accept, the module's contract holds as well

is_answer('/accept', 'task', '{"a":2,"key":"new","b":3}');
is_answer('/accept', 'key', $new);
is_answer('/accept', 'none', $old);
is_answer('/accept', $_, $old) for qw(array empty ok);
is_answer('/accept', 'taskcase', "$is: the answer's task has such a field in "
                                 . 'another case (flowdash_strict case)');
is_answer('/named', 'task', '{"a":2,"key":3}');
is_answer('/named', 'none', $old);
is_answer('/optional', 'none', $old);
is_answer('/optional', 'task', '{"a":2,"key":"new"}');
is_answer('/inherited/one', 'task', '{"a":2,"key":4,"b":3}');


# flowdash_set_body alone: the answer means nothing

is_answer('/body', $_, $old)
    for qw(task string array broken twice empty ok untyped_text);
is_answer('/body/json', $_, $old) for qw(task string empty);
is_answer('/body/json', 'array',
          'flowdash_require_json: the answer is JSON, but not an object, '
          . 'application/json');
is_answer('/body/json', 'broken',
          "the answer's body: not JSON, at byte 8");

# in a form

is_answer('/form', 'number', 'a=1&key=1.50', 'a=1&key=x');
is_answer('/form', 'object', 'a=1&key%5Bb%5D%5B%5D=1', 'a=1&key=x');



# nginx -t

sub step { return "location / { flowdash_action A; flowdash_step S {\n"
                  . "$_[0] return 204;\n} }" }

for my $case (
    [ 'key', 'directive|arguments' ],
    [ 'key /a maybe', 'invalid "maybe" in "flowdash_set_from_answer": "required"' ],
    [ 'key a', 'invalid "a" in "flowdash_set_from_answer"' ],
    [ 'key /a~2', 'invalid "/a~2" in "flowdash_set_from_answer"' ],
    [ 'key "/a/[b"', 'invalid "/a/[b" in "flowdash_set_from_answer"' ],
    [ "'' /a", 'invalid "" in "flowdash_set_from_answer": the field\'s name' ],
    [ "\xff /a", 'the field\'s name must be UTF-8' ],
    [ 'key /a; flowdash_set_from_answer key /b',
      'invalid "key" in "flowdash_set_from_answer": it is set twice here' ],
) {
    my ($words, $message) = @$case;
    my ($ok, $output) = $t->test_config(step("flowdash_set_from_answer $words;"));
    ok(!$ok && $output =~ /\Q$message\E|invalid number of arguments/,
       "refused: $words") or diag($output);
}

$t->done;
