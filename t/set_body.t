# flowdash_set_body and flowdash_call's method: endpoints with a contract of
# their own, called from nginx.conf alone.  Whatever the values are, the body is
# JSON of the same shape, or a form of the same pairs; it is signed, shown in a
# dry run and sent again as it is.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Digest::SHA qw(hmac_sha256_base64);
use JSON::PP ();

my $t = Test::Flowdash->new(log_level => 'info');

my $json = JSON::PP->new->utf8;
my @json = ('Content-Type' => 'application/json');


# As the documentation of each product says

$t->endpoint(slack => sub {
    my $body = eval { $json->decode($_[0]{body}) };
    return { status => 400, body => 'invalid_payload' }
        if !$body || !($body->{text} || $body->{blocks});
    return { headers => [ 'Content-Type' => 'text/html' ], body => 'ok' };
});

$t->endpoint(form => sub {
    return header($_[0], 'Content-Type') eq 'application/x-www-form-urlencoded'
        ? { headers => \@json, body => '{"task":{"stage":"foreign"}}' }
        : { status => 415 };
});

my $attempt = 0;
$t->endpoint(any => sub {
    return { status => 503, headers => [ 'Retry-After' => 0 ] }
        if $_[0]{target} =~ /retry/ && $attempt++ % 2 == 0;
    return $_[0]{target} =~ /off|items|empty/
        ? {} : { headers => \@json, body => '{"task":"not an object"}' };
});
$t->endpoint('app');

my $any = 'http://127.0.0.1:%%PORT_any%%';
my $app = 'proxy_pass http://127.0.0.1:%%PORT_app%%;';
my $key = 'C2FVsBQIhrscChlQIMV+b5sSYspob7oD';

$t->write_file('token', "t0\"ken\n");
chmod 0600, $t->dir . '/token';

my $config = <<"EOC";
    flowdash_secret \$token file:%%DIR%%/token;
    map \$flowdash_task_title \$mapped { default "<\$flowdash_task_title>"; }

    server {
        listen 127.0.0.1:%%PORT_http%%;
        flowdash_user id \$http_x_user;
        flowdash_hide_field password;

        location /slack {
            flowdash_action "Finish";
            flowdash_step "Tell Slack" {
                flowdash_call http://127.0.0.1:%%PORT_slack%%/services/T/B/X;
                flowdash_set_body json '{
                    "text": "\$flowdash_action: \${flowdash_task_title}\\n\\t\\\\"\$mapped\\\\"",
                    "blocks": [ { "type": "section", "text": {
                        "type": "plain_text", "text": \$flowdash_json_task_title } } ]
                }';
            }
            $app
        }
        location /slack/wrong {
            flowdash_action "Finish";
            flowdash_step "Tell Slack" {
                flowdash_call http://127.0.0.1:%%PORT_slack%%/services/T/B/X;
                flowdash_set_body json '{}';
            }
            $app
        }

        location /form {
            flowdash_action "Finish";
            flowdash_step "F" {
                flowdash_call http://127.0.0.1:%%PORT_form%%/;
                flowdash_set_body form
                    'To=%2B49&Body=\$flowdash_task_title&Raw=\$flowdash_json_task&Tail=a+\$1-\$mapped&Empty=\$flowdash_task_none';
            }
            flowdash_step "P" {
                proxy_pass http://127.0.0.1:%%PORT_form%%/;
                flowdash_set_body form 'Body=\$flowdash_task_title';
            }
            $app
        }

        location ~ ^/json/(.*) {
            flowdash_action "Finish";
            flowdash_dry_run \$arg_dry;
            flowdash_set_body json '{"t":"a\$flowdash_task_title-\$1 \$http_x_v","v":[\$flowdash_json_task_title,\$flowdash_json_task_n],"u":\$flowdash_json_user,"all":\$flowdash_json_task,"id":\$flowdash_json_id}';
            flowdash_sign_key "whsec_$key";
            flowdash_step "C" {
                flowdash_call $any/call method=PUT;
            }
            flowdash_step "P" {
                proxy_method PATCH;
                proxy_pass $any/proxy;
            }
            flowdash_step "O" {
                flowdash_set_body off;
                flowdash_set_header Content-Type application/x-own;
                flowdash_call $any/off;
                flowdash_if \$arg_off;
            }
            flowdash_step "T" {
                flowdash_set_body json \$flowdash_json_task;
                flowdash_set_header Content-Type application/x-own;
                flowdash_call $any/task method=POST;
            }
            $app
        }

        location /delete {
            flowdash_action "Delete";
            flowdash_methods DELETE;
            flowdash_dry_run \$arg_dry;
            flowdash_sign_key "whsec_$key";
            flowdash_step "D" { flowdash_call $any/items/\$arg_id method=DELETE; }
            flowdash_step "B" {
                flowdash_set_body json '{"id":\$flowdash_json_id}';
                flowdash_call $any/items method=DELETE;
            }
            flowdash_step "E" {
                flowdash_set_body form '';
                flowdash_call $any/empty;
            }
            flowdash_step "F" {
                flowdash_set_body form '';
                proxy_pass $any/empty;
            }
            $app
        }

        location /secret {
            flowdash_action "A";
            flowdash_dry_run \$arg_dry;
            flowdash_step "S" {
                flowdash_set_body json '{"token":"\$token","all":"<\$flowdash_task_a>"}';
                flowdash_call $any/secret;
            }
            flowdash_step "P" {
                flowdash_set_body form 'token=\$token';
                proxy_pass $any/secret;
            }
            $app
        }

        location /due {
            flowdash_action "A";
            flowdash_step "S" {
                flowdash_set_body json '{"due":"\${flowdash_task_due_date}"}';
                flowdash_call $any/due;
            }
            $app

            location /due/json {
                flowdash_action "A";
                flowdash_step "S" {
                    flowdash_set_body form due=\$flowdash_json_task_due_date;
                    proxy_pass $any/due;
                }
                $app
            }
        }

        location /retry {
            flowdash_action "A";
            flowdash_step "R" {
                flowdash_set_body json '{"r":\$flowdash_json_task,"at":"\$msec"}';
                flowdash_retry 2;
                flowdash_call $any/retry method=PATCH;
            }
            $app
        }
    }
EOC

$t->config("%%GLOBALS%%\nevents { }\nhttp {\n%%HTTP_GLOBALS%%\n$config\n}\n");
$t->run;

sub task { return $json->canonical->encode({ task => $_[0] }) }
sub said { return $json->decode($_[0]{body}) }


# A chat's incoming webhook, which answers "ok"

my $hostile = qq(",}]</script>&amp; \\ \x{2028}\x01\n'\$1 %00 é);

is($t->post_json('/slack', task({ title => $hostile }))->{status}, 200,
   'Slack is told');
my $call = $t->only_request('slack');
is_deeply(said($call), {
    text => "Finish: $hostile\n\t\"<$hostile>\"",
    blocks => [ { type => 'section', text => { type => 'plain_text',
                                               text => $hostile } } ],
}, 'in its own words, whatever the title is');
unlike($call->{body}, qr/[<>&]|\xe2\x80\xa8/, 'what means something in HTML is escaped');
is(header($call, 'Content-Type'), 'application/json', 'as JSON');
$t->only_request('app');

is($t->post_json('/slack/wrong', task({}))->{status}, 502,
   'what Slack refuses fails the step');
$t->no_request('app');
$t->new_requests('slack');


# A form API, by both handlers

is($t->post_json('/form', task({ title => 'a&b=c é+ %41', stage => 'x' }))
     ->{status}, 200, 'a form');
my ($f, $p) = $t->new_requests('form');
is($f->{body} =~ s/Raw=[^&]*&//r,
   'To=%2B49&Body=a%26b%3Dc%20%C3%83%C2%A9%2B%20%2541&Tail=a+-'
   . '%3Ca%26b%3Dc%20%C3%83%C2%A9%2B%20%2541%3E&Empty=',
   'each value is encoded, the text is sent as it is');
my ($raw) = $f->{body} =~ /Raw=([^&]*)/;
$raw =~ s/%(..)/chr hex $1/ge;
is($json->decode($raw)->{stage}, 'x', 'a JSON value is one of them');
is($p->{body}, 'Body=a%26b%3Dc%20%C3%83%C2%A9%2B%20%2541', 'proxy_pass');
is(header($p, 'Content-Type'), 'application/x-www-form-urlencoded', 'its type');
is(header($p, 'Content-Length'), length $p->{body}, 'its length');
like($t->only_request('app')->{body}, qr/"stage":"x"/,
     'the member "task" of an answer is not the module\'s');


# JSON: methods, signatures, the dry run, what is hidden

my $body = '{"task":{"title":"a\u0022b","n": 1.50,"password":"s3cr3t"}}';
my @user = ('X-User' => 'joe', 'X-V' => "\\\"\t");

my $r = $t->request(POST => '/json/cap%22', headers => [ @json, @user ],
                    body => $body);
is($r->{status}, 200, 'JSON');
my ($c, $x, $whole) = $t->new_requests('any');

is("$c->{method} $x->{method} $whole->{method}", 'PUT PATCH POST', 'methods');
is_deeply(said($c), {
    t => qq(aa"b-cap" \\"\t), v => [ 'a"b', 1.5 ],
    u => { id => 'joe', email => undef, first_name => undef,
           last_name => undef },
    all => { title => 'a"b', n => 1.5 },
    id => header($c, 'Idempotency-Key') =~ /([0-9a-f]{32})/,
}, 'each variable for where it stands');
like($c->{body}, qr/,1\.50\]/, 'a number as it is spelled');
is($x->{body}, $c->{body}, 'the same by proxy_pass');
is($whole->{body}, '{"title":"a\u0022b","n":1.50}', 'nothing but the task');
is(header($whole, 'Content-Type'), 'application/x-own', 'a type of its own');
is(scalar(grep { $_->{body} =~ /s3cr3t/ } $c, $x, $whole), 0,
   'what is hidden is in none of them');

for ($c, $x, $whole) {
    my $signed = join '.', header($_, 'webhook-id'),
                 header($_, 'webhook-timestamp'), $_->{body};
    is(header($_, 'webhook-signature'),
       'v1,' . hmac_sha256_base64($signed, MIME::Base64::decode($key)) . '=',
       'what is sent is signed');
}
is($t->only_request('app')->{body}, $body, 'nothing of the answers is merged');

$r = $t->request(POST => '/json/x?off=1', headers => [ @json, @user ],
                 body => $body);
my $off = ($t->new_requests('any'))[2];
is(said($off)->{action}, 'Finish', 'off: the contract of the module');
$t->only_request('app');

$r = $t->request(POST => '/json/cap%22?dry=1', headers => [ @json, @user ],
                 body => $body);
my @steps = @{ $r->json->{steps} };
is(join(' ', map { $_->{method} } @steps), 'PUT PATCH POST POST',
   'a dry run shows the methods');
is_deeply({ %{ $steps[0]{body} }, id => 0 }, { %{ said($c) }, id => 0 },
          'and the bodies');
$t->no_request('any');


# DELETE has a body only if there is a template

$r = $t->request(DELETE => '/delete?id=7');
is($r->{status}, 200, 'DELETE');
my @calls = $t->new_requests('any');
is("$calls[0]{method} $calls[0]{target} '$calls[0]{body}'",
   "DELETE /items/7 ''", 'has no body');
is(header($calls[0], $_), undef, "no $_")
    for qw(Content-Type Content-Length Transfer-Encoding);
ok(header($calls[0], 'webhook-signature'), 'is signed');
is("$calls[1]{method} $calls[1]{body}",
   'DELETE {"id":"' . (header($calls[1], 'Idempotency-Key')
                       =~ /([0-9a-f]{32})/)[0] . '"}', 'unless a template says so');
is("$_->{method} '$_->{body}' " . header($_, 'Content-Type'),
   "POST '' application/x-www-form-urlencoded", 'an empty form')
    for @calls[2, 3];
$t->only_request('app');

$r = $t->request(DELETE => '/delete?id=7&dry=1');
@steps = @{ $r->json->{steps} };
is_deeply([ map { [ $_->{method}, $_->{body} ] } @steps[0, 2] ],
          [ [ 'DELETE', undef ], [ 'POST', undef ] ], 'a dry run without bodies');


# A secret

is($t->post_json('/secret', task({ a => 1 }))->{status}, 200, 'a secret');
@calls = $t->new_requests('any');
is(said($calls[0])->{token}, 't0"ken', 'is in JSON');
is($calls[1]{body}, 'token=t0%22ken', 'and in a form');
$t->only_request('app');

$r = $t->post_json('/secret?dry=1', task({ a => 1 }));
is_deeply([ map { $_->{body} } @{ $r->json->{steps} } ],
          [ { token => '***', all => '<1>' }, 'token=%2A%2A%2A' ],
          'not in a dry run');


# A repeated call has the same bytes

is($t->post_json('/retry', task({ a => 1 }))->{status}, 200, 'repeated');
@calls = $t->new_requests('any');
is(scalar @calls, 2, 'two attempts');
is("$calls[1]{method} $calls[1]{body}", "$calls[0]{method} $calls[0]{body}",
   'say the same');
$t->only_request('app');


# What cannot be sent

for my $case (
    [ 'a user that is no UTF-8', '/json/x', '{"task":{}}', [ 'X-User' => "\xff" ],
      'the value of $flowdash_json_user in flowdash_set_body is not UTF-8' ],
    [ 'a header that is no UTF-8', '/json/x', '{"task":{}}', [ 'X-V' => "\xff" ],
      'the value of $http_x_v in flowdash_set_body is not UTF-8' ],
    [ 'two fields for one variable', '/due', '{"task":{"due date":1,"due_date":2}}',
      [], '${flowdash_task_due_date} of flowdash_set_body depends on a field '
          . 'that the task has twice' ],
    [ 'two fields for one JSON value', '/due/json',
      '{"task":{"due date":1,"due_date":2}}', [],
      '$flowdash_json_task_due_date of flowdash_set_body depends on' ],
) {
    my ($name, $uri, $body, $headers, $why) = @$case;

    my $seen = length $t->error_log;
    is($t->request(POST => $uri, headers => [ @json, @$headers ],
                   body => $body)->{status}, 400, "$name: refused");
    like(substr($t->error_log, $seen), qr/request_invalid, \Q$why/,
         "$name: says why");
}

is($t->post_json('/due', task({ 'due date' => 'x' }))->{status}, 200, 'one field');
is($t->only_request('any')->{body}, '{"due":"x"}', 'is sent');
$t->only_request('app');
$t->no_request($_) for qw(any app);


# nginx -t

sub step { return "location / { flowdash_action A; flowdash_step S {\n"
                  . "$_[0] return 204;\n} }" }

sub refused {
    my ($template, $near, $why, $kind) = @_;
    my ($ok, $output) = $t->test_config(
        step("flowdash_set_body " . ($kind // 'json') . " $template;"));
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(!$ok && index($output, qq(invalid "$near" in "flowdash_set_body": $why))
               >= 0, "refused: $template") or diag($output);
}

my $not = 'this is not JSON';
my $quotes = 'this variable is a complete JSON value, which stands outside';
my $outside = 'outside of quotes, only a variable $flowdash_json_... is JSON';
my $name = 'the name of a member cannot have a variable';
my $dollar = 'a "$" without the name of a variable';

refused(q('{"a":"$flowdash_json_id"}'), '{"a":"$flowdash_json_id"}', $quotes);
refused(q('{"a":"${Flowdash_JSON_id}"}'), '{"a":"${Flowdash_JSON_id}"}', $quotes);
refused(q('{"a":$flowdash_id}'), '{"a":$flowdash_id}', $outside);
refused(q('{"a":$1}'), '{"a":$1}', $outside);
refused(q('{"a$host":1}'), '{"a$host":1}', $name);
refused(q('{"a$host" : 1}'), '{"a$host" : 1}', $name);
refused(q('{$flowdash_json_id:1}'), '{$flowdash_json_id:1}', $name);
refused(q('{"a":"$"}'), '{"a":"$"}', $dollar);
refused(q('{"a":"a $ b"}'), '{"a":"a $ b"}', $dollar);
refused(q('{"a":"\\\\$host"}'), '{"a":"\\$host"}',
    'a backslash before something');
refused(q('{"a":1,}'), '{"a":1,}', $not);
refused(q('{"a":tru$flowdash_json_id}'), '{"a":trunull}', $not);
refused(q('{"a":$flowdash_json_id$flowdash_json_id}'), '{"a":nullnull}', $not);
refused(q('{"a":${flowdash_json_id}5}'), '{"a":null5}', $not);
refused(q('{"a":-$flowdash_json_id}'), '{"a":-null}', $not);
refused(q('{"a":"\\\\u00$host"}'), '{"a":"\\u00x"}', $not);
refused(q('{"a":"b"c"}'), '{"a":"b"c"}', $not);
refused(q('{"a":"b'), '{"a":"b', $not);
refused(q(''), '', $not);
refused(q('{} {}'), '{} {}', $not);
refused(q('{"a":"\\\\ud800$host"}'), '{"a":"\\ud800x"}', 'half of a surrogate');
refused("'{\"a\":\"\xff\"}'", "{\"a\":\"\xff\"}", 'a control character, or not UTF-8');

refused(q('a b=1'), 'a b=1', 'in a form, only visible characters', 'form');
refused(q('a$host=1'), 'a$host=1', 'a variable stands after the "="', 'form');
refused(q('$host'), '$host', 'a variable stands after the "="', 'form');
refused(q('a=1&$host=1'), 'a=1&$host=1', 'a variable stands after', 'form');
refused(q('a=50%'), 'a=50%', 'a percent sign is written as %25', 'form');
refused(q('a=5%4g'), 'a=5%4g', 'a percent sign is written as %25', 'form');
refused(q('a=$'), 'a=$', $dollar, 'form');

for my $case (
    [ 'flowdash_set_body xml "<a/>";', 'invalid "xml"', '"json" or "form"' ],
    [ 'flowdash_set_body json;', 'invalid "json"', 'or "off"' ],
    [ 'flowdash_set_body off; flowdash_set_body json "{}";', 'is duplicate' ],
    [ 'flowdash_set_body json $flowdash_json_none;',
      'unknown "flowdash_json_none" variable' ],
    [ q(flowdash_set_body json '{"a":"$unknown_one"}';),
      'unknown "unknown_one" variable' ],
) {
    my ($conf, @texts) = @$case;
    my ($ok, $output) = $t->test_config(step($conf));
    is(scalar(grep { index($output, $_) < 0 } @texts), 0, "refused: $conf")
        or diag($output);
}

for my $method (qw(method=GET method=put method= PUT method=$arg_m)) {
    $t->conf_fails("location / { flowdash_action A; flowdash_step S {
                    flowdash_call http://127.0.0.1/ $method; } }",
        qr/invalid "\Q$method\E" in "flowdash_call": "method=POST", "method=PUT"/,
        "refused: $method");
}

unlike($t->error_log, qr/s3cr3t|t0.*ken/, 'nothing of it in the log');

$t->done;
