# What of a failing endpoint's answer the user gets to see: its message with
# flowdash_error_detail, its status with flowdash_pass_status.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Encode qw(decode encode);
use JSON::PP ();

my $t = Test::Flowdash->new;

# the answer that the task asks for

$t->endpoint(crm => sub {
    my $req = shift;
    my $task = $req->json->{task};
    my $type = $task->{type};
    return { status => $task->{status} // 409,
             headers => [ defined $type ? ('Content-Type' => $type) : () ],
             body => join '', map { pack('H*', $_->[0]) x $_->[1] }
                 @{ $task->{body} } };
});
$t->endpoint(app => { body => 'app' });

# the page of the documentation

open my $docs, '<', "$FindBin::Bin/../docs/operating.md" or die "docs: $!\n";
my ($page) = do { local $/; <$docs> } =~ /^```html\n(.*?)^```$/ms;
$t->write_file('docs.html', $page);

my $call = 'flowdash_call http://127.0.0.1:%%PORT_crm%%/;';
my $proxy = 'proxy_pass http://127.0.0.1:%%PORT_crm%%/;';

$t->write_file('sorry.html',
    '<p><!--# echo var="flowdash_error_message" default="nothing" --></p>');

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%

    log_format flow escape=json
        '{"uri":"\$request_uri","message":"\$flowdash_error_message"}';

    server {
        listen 127.0.0.1:%%PORT_http%%;
        access_log %%DIR%%/flow.log flow;
        add_header X-Message \$flowdash_error_message always;
        add_header X-Error \$flowdash_error always;
        add_header X-Text \$flowdash_error_text always;
        proxy_pass_request_headers on;

        location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }

        location /off { flowdash_action A; flowdash_step S { $call } }

        location /on {
            flowdash_error_detail on;
            flowdash_action A;
            flowdash_step S { $call }

            location /on/off {
                flowdash_error_detail off;
                flowdash_action A;
                flowdash_step S { $call }
            }
        }

        location /proxy {
            flowdash_error_detail on;
            flowdash_action A;
            flowdash_step S { $proxy }
        }

        location /step {
            flowdash_action A;
            flowdash_step S { flowdash_error_detail on; $call }
        }

        location /steps {
            flowdash_error_detail on;
            flowdash_pass_status 409;
            flowdash_action A;
            flowdash_step S {
                flowdash_error_detail off;
                flowdash_pass_status none;
                $call
            }
        }

        location /large {
            flowdash_error_detail on;
            flowdash_max_response_size 2m;
            flowdash_action A;
            flowdash_step S { $call }
        }

        location /optional {
            flowdash_error_detail on;
            flowdash_pass_status 409;
            flowdash_action A;
            flowdash_step S { flowdash_optional on; $call }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /page {
            flowdash_error_detail on;
            flowdash_pass_status 409 422 599;
            error_page 409 502 /sorry.html;
            flowdash_action A;
            flowdash_step S { $call }
        }

        location /pass {
            flowdash_pass_status 409 422 503;
            flowdash_action A;
            flowdash_step S { $call }
            flowdash_step P { $proxy }
        }

        location /pass/proxy {
            flowdash_pass_status 409 422 503;
            flowdash_action A;
            flowdash_step S { $proxy }
        }

        location /pass/intercept {
            flowdash_pass_status 409;
            proxy_intercept_errors on;
            error_page 409 /sorry.html;
            flowdash_action A;
            flowdash_step S { $proxy }
        }

        location /json {
            flowdash_error_detail on;
            error_page 502 \@json;
            flowdash_action A;
            flowdash_step S { $call }
        }

        location \@json {
            return 200 '{"errors":\$flowdash_json_errors,@{[
                       ]}"message":\$flowdash_json_error_message}';
        }

        location /docs {
            flowdash_error_detail on;
            error_page 400 502 /docs.html;
            flowdash_action A;
            flowdash_step S { $call }
            proxy_pass http://127.0.0.1:1;
        }

        location = /docs.html {
            internal;
            ssi on;
            root %%DIR%%;
            default_type text/html;
        }

        location = /sorry.html {
            internal;
            ssi on;
            root %%DIR%%;
            default_type text/html;
        }
    }
}
EOC

$t->run;

# a body is a string, or pairs of a string and how often it is repeated

sub act {
    my ($path, $type, $body, %option) = @_;
    my @body = ref $body ? @$body : ([ $body, 1 ]);
    my %task = (status => $option{status} // 409, type => $type,
                body => [ map { [ unpack('H*', $_->[0]), $_->[1] ] } @body ]);
    return $t->request('POST', $path,
        body => JSON::PP::encode_json({ task => \%task }),
        headers => [ 'Content-Type' => 'application/json',
                     Accept => $option{accept} // 'application/json' ]);
}

sub message {
    my $res = act(@_);
    return $res->json->{message};
}

my ($json, $problem) = ('application/json', 'application/problem+json');


# Where it is found

for (
    [ 'detail', $problem, '{"title":"T","detail":"D","message":"M"}', 'D' ],
    [ 'title', $problem, '{"title":"T","status":409,"message":"M"}', 'T' ],
    [ 'a title that is none of a problem', $json, '{"title":"T"}', undef ],
    [ 'message', $json, '{"error":"E","message":"M","title":"T"}', 'M' ],
    [ 'error', $json, '{"error":"E","errors":["F"]}', 'E' ],
    [ 'error, an object', $json, '{"error":{"code":4,"message":"M"}}', 'M' ],
    [ 'error, an object with nothing', $json,
      '{"error":{"code":4},"errors":["F"]}', 'F' ],
    [ 'errors, some empty', $json, '{"errors":["a","","b",""]}', 'a; b' ],
    [ 'errors', $json, '{"status":"Fail","errors":["No date.", "No name"]}',
      'No date. No name' ],
    [ 'errors without full stops', $json, '{"errors":["No date","No name"]}',
      'No date; No name' ],
    [ 'errors that are not all strings', $json,
      '{"errors":[1,["x"],{"a":"y]\""},"It \"is\"",null]}', 'It "is"' ],
    [ 'errors that are an object', $json, '{"errors":{"a":["b"]}}', 'a: b' ],
    [ 'errors, none', $json, '{"errors":[]}', undef ],
    [ 'the next one, where one is no string', $json,
      '{"detail":[{"x":1}],"message":7,"error":"E"}', 'E' ],
    [ 'the next one, where one is empty', $json,
      '{"message":" \u0000","error":"E"}', 'E' ],
    [ 'plain text', 'text/plain', "It is\n closed.\r\n", 'It is closed.' ],
    [ 'plain text with a charset', 'Text/Plain;charset=UTF-8', "\xc3\xa9",
      "\x{e9}" ],
    [ 'JSON of another type', 'application/vnd.x+json; a=b',
      '{"message":"M"}', 'M' ],
    [ 'JSON without a type', undef, '{"message":"M"}', 'M' ],
    [ 'text without a type', undef, 'text', undef ],
    [ 'HTML', 'text/html', '<p>M', undef ],
    [ 'HTML that is JSON', 'text/html', '{"message":"M"}', undef ],
    [ 'text of another kind', 'text/plainer', 'M', undef ],
    [ 'nothing', $json, '', undef ],
    [ 'JSON, no object', $json, '["message"]', undef ],
    [ 'JSON, broken', $json, '{"message":"M"', undef ],
    [ 'JSON, too deep', $json, '{"message":"M","a":' . '[' x 200
      . ']' x 200 . '}', undef ],
    [ 'a message further inside', $json, '{"a":{"message":"M"}}', undef ],
) {
    my ($name, $type, $body, $message) = @$_;
    is(message('/on', $type, $body), $message, $name);
}

is(message('/proxy', $json, '{"message":"M"}'), 'M', 'by proxy_pass');
is(message('/proxy', 'text/plain', 'M'), 'M', 'text by proxy_pass');


# What is left of it

my $x = 'x' x 2000;
my $e = "\xc3\xa9";

for (
    [ 'white space', "\t a \n\r\n\x0bb\xe2\x80\xa8c\xc2\x85d ", 'a b c d' ],
    [ 'control characters', "a\0b\x07c\x7fd\xc2\x9ce\x08", 'abcde' ],
    [ 'colours', "\e[1;31mred\e[0m, \e[38;5;9mred\e[m", 'red, red' ],
    [ 'the cursor', "a\e[2J\e[1;1Hb\e7\e(B\ecd\e=", 'abd' ],
    [ 'a title', "a\e]0;evil\x07b\e]8;;http://x/\e\\c\e]8;;\e\\d", 'abcd' ],
    [ 'strings of a terminal', "a\ePevil\e\\b\e_evil\xc2\x9cc", 'abc' ],
    [ 'the other form', "a\xc2\x9b31mb\xc2\x9d0;evil\x07c", 'abc' ],
    [ 'escapes that have no end', "a\e[31", 'a' ],
    [ 'an escape at the end', "a\e", 'a' ],
    [ 'a string that has no end', "a\e]0;b", 'a0;b' ],
    [ 'a string whose end is far', "a\e]" . 'b' x 300 . "\x07c",
      'a' . 'b' x 300 . 'c' ],
    [ 'quotation marks in two wrong encodings', "\xc3\xa2\xc2\x80\xc2\x9cHi",
      "\x{e2}Hi" ],
    [ 'marks of direction', "a\xe2\x80\xaeb\xe2\x81\xa6c\xef\xbb\xbfd",
      'abcd' ],
    [ 'other characters', "$e\xe2\x82\xac\xf0\x9f\x98\x80 \\ \" ' < > &",
      "\x{e9}\x{20ac}\x{1f600} \\ \" ' < > &" ],
    [ 'text that is not UTF-8', "caf\xe9", undef ],
    [ 'overlong', "a\xc0\x80b", undef ],
    [ 'a surrogate', "a\xed\xa0\x80b", undef ],
    [ '1021 bytes', 'x' x 1021, 'x' x 1021 ],
    [ '1022 bytes', 'x' x 1022, 'x' x 1021 . "\x{2026}" ],
    [ 'a character on the border', 'x' x 1020 . "$e$e",
      'x' x 1020 . "\x{2026}" ],
    [ 'emoji on the border', 'x' x 1019 . "\xf0\x9f\x98\x80",
      'x' x 1019 . "\x{2026}" ],
    [ 'a space on the border', 'x' x 1020 . ' y', 'x' x 1020 . "\x{2026}" ],
    [ 'a space behind the border', 'x' x 1021 . ' ', 'x' x 1021 ],
    [ 'a list of many', undef, 'a; ' x 63 . 'a',
      '{"errors":[' . '"a",' x 999 . '"a"]}' ],
    [ 'a list that is cut', undef, "x" x 1021 . "\x{2026}",
      qq({"errors":["$x","$x"]}) ],
) {
    my ($name, $text, $message, $body) = @$_;
    is(message('/on', 'text/plain', $text), $message, "text: $name")
        if defined $text;

    $text = eval { decode('UTF-8', $text, 1) } if defined $text;
    next if !defined $text && !$body;
    $body //= JSON::PP->new->utf8->encode({ message => $text });
    is(message('/on', $json, $body), $message, "JSON: $name");
}

is(message('/on', $json, '{"message":"a\ud800","error":"E"}'), 'a?',
    'JSON: half of a surrogate pair');
is(message('/on', $json, '{"message":"a\udc00","error":"E"}'), 'E',
    'JSON: its other half');
is(message('/on', $json, "{\"message\":\"a\xff\"}"), undef, 'JSON: no UTF-8');

my $mega = 2 ** 20;

for (
    [ 'text', 'text/plain', [ x => $mega ], 1022 ],
    [ 'JSON', $json, [ '{"message":"' => 1 ], [ '\u00e9' => $mega / 6 ],
      [ '"}' => 1 ], 511 ],
    [ 'escapes', 'text/plain', [ "\e]" => $mega / 2 ], 0 ],
    [ 'a list', $json, [ '{"errors":[' => 1 ], [ '"\t",' => $mega / 5 ],
      [ '"end"]}' => 1 ], 0 ],
    [ 'members', $json, [ '{"message":"M"' => 1 ], [ ',"a":1' => $mega / 6 ],
      [ '}' => 1 ], 1 ],
) {
    my ($name, $type, @body) = @$_;
    my $length = pop @body;
    is(length(message('/large', $type, \@body) // ''), $length,
        "1 MB: $name");
}

my $res = act('/on', 'text/plain', 'x' x 70_000);
is($res->header('X-Error'), 'response_too_large', 'over the size: error');
is($res->json->{message}, undef, 'over the size: no message');


# Errors by field

sub errors { return act(@_)->json->{errors} }

for (
    [ 'strings', '["No date.","","No name"]',
      { message => 'No date.' }, { message => 'No name' } ],
    [ 'field and message',
      '[{"field":"due","message":"is \u003cb\u003e\u00e9","code":7}]',
      { field => 'due', message => "is <b>\x{e9}" } ],
    [ 'pointer and detail, as in RFC 9457',
      '[{"detail":"must be positive","pointer":"#/age"}]',
      { pointer => '#/age', message => 'must be positive' } ],
    [ 'all four', '[{"detail":"d","pointer":"/p","message":"m","field":"f"}]',
      { field => 'f', message => 'm' } ],
    [ 'no field', '[{"message":"m"},{"field":null,"detail":"d"}]',
      { message => 'm' }, { message => 'd' } ],
    [ 'of Rails and Laravel', '{"title":["is blank","is short"],"due" : [ "?" ]}',
      { field => 'title', message => 'is blank' },
      { field => 'title', message => 'is short' },
      { field => 'due', message => '?' } ],
    [ 'white space', " [ { \"field\" : \"a\" ,\n\"message\" : \"b\" } ,\t\"c\" ] ",
      { field => 'a', message => 'b' }, { message => 'c' } ],
    [ 'brackets and quotes in strings',
      '[{"a":"}\\"]","field":"[\\\\","message":"]}\\"{["},"\\\\",["x"],"y"]',
      { field => '[\\', message => ']}"{[' }, { message => '\\' },
      { message => 'y' } ],
    [ 'control characters',
      '[{"field":"a\\r\\nb\\u001b[1mc","message":"d\\u202ee\\u0000f"}]',
      { field => 'a bc', message => 'def' } ],
    [ 'numbers, words, no message',
      '[1, true,null ,-1.5e3,{"field":"a"},{"message":4},{},[],"z" , 7 ]',
      { message => 'z' } ],
    [ 'half of a surrogate pair', '[{"field":"a\ud800","message":"b"}]',
      { field => 'a?', message => 'b' } ],
    [ 'nothing', '[]' ], [ 'an empty object', '{}' ],
    [ 'a number', '7' ], [ 'null', 'null' ],
    [ 'an object of another kind', '{"trace":"at x.c:7","title":["a"]}' ],
    [ 'an object of another kind, inside', '{"title":["a",{"b":"c"}]}' ],
    [ 'an object of another kind, at its end', '{"title":["a"],"code":7}' ],
) {
    my ($name, $errors, @expected) = @$_;
    is_deeply(errors('/on', $json, qq({"message":"M","errors":$errors})),
        @expected ? \@expected : undef, "errors: $name");
}

is_deeply(errors('/on', $problem, '{"title":"T","errors":["a"]}'),
    [ { message => 'a' } ], 'errors in problem+json');
is_deeply(errors('/proxy', $json, '{"errors":["a"]}'), [ { message => 'a' } ],
    'errors by proxy_pass');
is(errors($_, $json, '{"errors":["a"]}'), undef, "$_: errors: off")
    for '/off', '/on/off', '/steps';
is(errors('/on', 'text/plain', '{"errors":["a"]}'), undef, 'errors in text');
is(errors('/on', $json, '{"errors":["a"]'), undef, 'errors in broken JSON');
is(errors('/on', $json, '{"error":{"errors":["a"]}}'), undef,
    'errors further inside');

my $found = errors('/large', $json, '{"errors":[' . '"a",' x 999 . '"b"]}');
is(scalar @$found, 64, 'errors: at most 64');
$found = errors('/large', $json,
    '{"errors":{' . join(',', map { qq("f$_":["a"]) } 1 .. 999) . '}}');
is(scalar @$found, 64, 'errors: at most 64 of an object');
is($found->[63]{field}, 'f64', 'errors: the first 64');
$found = errors('/large', $json, '{"errors":{"'
    . 'f' x 200 . '":["' . 'm' x 2000 . '"]}}');
is($found->[0]{field}, 'f' x 125 . "\x{2026}", 'errors: a long field is cut');
is($found->[0]{message}, 'm' x 1021 . "\x{2026}",
    'errors: a long message is cut');
$found = errors('/large', $json, '{"errors":['
    . join(',', map { '"' . 'm' x 2000 . '"' } 1 .. 64) . ']}');
is(scalar @$found, 17, 'errors: at most 16 kB, and one');

for (
    [ 'strings', [ '{"errors":{"a":[' => 1 ], [ '"\t",' => $mega / 5 ],
      [ '"end"]}}' => 1 ], undef ],
    [ 'fields', [ '{"errors":{"a":["b"]' => 1 ],
      [ ',"\u0061":["\t"]' => $mega / 16 ], [ '}}' => 1 ],
      [ { field => 'a', message => 'b' } ] ],
    [ 'objects', [ '{"errors":[{"field":"a","message":"b"}' => 1 ],
      [ ',{"\u0061":"\t"}' => $mega / 15 ], [ ']}' => 1 ],
      [ { field => 'a', message => 'b' } ] ],
    [ 'one object', [ '{"errors":[{"field":"a"' => 1 ],
      [ ',"\u0061":"\t"' => $mega / 14 ], [ ',"message":"b"}]}' => 1 ],
      [ { field => 'a', message => 'b' } ] ],
) {
    my ($name, @body) = @$_;
    my $expected = pop @body;
    is_deeply(errors('/large', $json, \@body), $expected,
        "errors, 1 MB: $name");
}

is(message('/on', $json, '{"errors":[{"field":"a","message":"b."},"c",'
    . '{"pointer":"/d","detail":"e"}]}'), 'a: b. c; /d: e',
    'errors make a message');
is(message('/on', $json, '{"message":"M","errors":["a"]}'), 'M',
    'only if there is none');
is(act('/on', $json, '{"message":"M","errors":{"a":["b"]}}')
    ->header('X-Text'), 'The step "S" refused the action. Nothing was '
    . 'changed in the app. The answer was: M; a: b', 'errors in the text');
like(act('/on', $json, '{"errors":["a"]}')->header('X-Text'),
    qr/The answer was: a$/, 'errors in the text, once');

sub quoted_answer {
    my ($body) = @_;
    my $html = act('/on', $json, $body, accept => 'text/html')->{body};
    $html =~ m{<blockquote dir="auto">(.*?)</blockquote>}s;
    return $1 =~ s/\n//gr;
}

is(quoted_answer('{"message":"<M>","errors":[{"field":"<a>\\"","message":"<b>"}]}'),
    '&lt;M&gt;<ul><li><strong><bdi>&lt;a&gt;&quot;</bdi></strong>: &lt;b&gt;'
    . '</li></ul>', 'errors in HTML');
is(quoted_answer('{"errors":["a","b"]}'), '<ul><li>a</li><li>b</li></ul>',
    'errors in HTML without a message');

is(act('/json', $json, '{"errors":{"a":["<b>\\u2028"]}}')->{body},
    '{"errors":[{"field":"a","message":"\u003cb\u003e"}],'
    . '"message":"a: \u003cb\u003e"}',
    '$flowdash_json_errors');
is(act('/json', $json, '{}')->{body}, '{"errors":null,"message":null}',
    '$flowdash_json_errors without any');


# Who gets it

is(message('/off', $json, '{"message":"M"}'), undef, 'off is the default');
is(message('/on/off', $json, '{"message":"M"}'), undef, 'off');
is(message('/step', $json, '{"message":"M"}'), 'M', 'in a step');
is(message('/steps', $json, '{"message":"M"}'), undef, 'off in a step');

my $evil = q(<b>"It's"</b> & </script><script>alert(1)</script>);

for my $path ('/on', '/proxy') {
    $res = act($path, 'text/plain', $evil, accept => 'text/html');
    like($res->{body}, qr{<blockquote[^>]*>&lt;b&gt;&quot;It's&quot;&lt;/b&gt;
        \ &amp;\ &lt;/script&gt;&lt;script&gt;alert\(1\)&lt;/script&gt;
        </blockquote>}x, "$path: in HTML");
    unlike($res->{body}, qr/<b>|<script/, "$path: escaped");
    is($res->header('X-Message'), $evil, "$path: the variable");
}

unlike(act('/off', 'text/plain', $evil, accept => 'text/html')->{body},
    qr/blockquote>|alert/, 'not in HTML');
is(act('/off', $json, '{"message":"M"}')->header('X-Message'), undef,
    'no variable');
is(act('/on', $json, '{"message":"a\r\nX-Evil: 1\n\nb"}')->header('X-Evil'),
    undef, 'no header is made by it');

$res = act('/page', 'text/plain', $evil);
is($res->{status}, 409, 'error_page for a status that is passed');
like($res->{body}, qr{^<p>&lt;b&gt;&quot;It'?(?:&#39;)?s&quot;.*&amp;.*</p>},
    'the variable in SSI');
unlike($res->{body}, qr/<script/, 'which escapes it');
like(act('/page', 'text/html', $evil)->{body}, qr/nothing/,
    'error_page without a message');

$page = qr{<h1>\xe2\x80\x9cA\xe2\x80\x9d was not carried out</h1>\n<p>};

for ([ 409, qr{It stopped at the step <b>S</b>\.\s.*\s<p>&lt;b&gt;.*</p>}s ],
     [ 200, qr{<h1>The task app does not answer</h1>\s*</html>} ])
{
    my ($status, $words) = @$_;
    like(act('/docs', 'text/plain', $evil, status => $status)->{body}, $words,
        "the documentation's page, $status");
}

like($t->request('POST', '/docs', body => '{', headers => [
        'Content-Type' => 'application/json' ])->{body},
    qr{${page}The data that was sent could not be read},
    'the documentation\'s page, 400');

my @logged = grep { /\[error\]/ } split /\n/, $t->error_log;

ok((grep { m{: status 409, called "[^"]*", time [\d.]+s, message (?#
            )"<b>\\"It's\\"</b> & .*</script>", id } } @logged),
    'it is in the error log, escaped');
ok((grep { /, message "x{256}", id / } @logged), 'and cut');
is(scalar(grep { m{"POST /(?:off|on/off|pass)[ /]} && /message/ } @logged), 0,
    'but not if it is off');


# The whole text

is(act('/on', 'text/plain', 'No.')->header('X-Text'),
    'The step "S" refused the action. Nothing was changed in the app. '
    . 'The answer was: No.', 'the text with a message');
is(act('/off', 'text/plain', 'No.')->header('X-Text'),
    'The step "S" refused the action. Nothing was changed in the app.',
    'the text without one');
is(act('/optional', 'text/plain', 'No.')->header('X-Text'), undef,
    'no text where nothing failed');
is(length(act('/large', 'text/plain', 'x' x 2000)->header('X-Text')),
    length(act('/off', 'text/plain', '')->header('X-Text') . ' The answer was: ')
    + 1024, 'the longest message');


# Statuses

for my $path ('/pass', '/pass/proxy') {
    for my $status (409, 422, 503) {
        $res = act($path, $json, '{}', status => $status);
        is($res->{status}, $status, "$path, $status: passed");
        is($res->json->{status}, $status, "$path, $status: problem+json");
        is($res->header('X-Error'), 'status', "$path, $status: the reason");
        is($res->json->{detail}, 'The step "S" '
           . ($status == 503 ? 'does not work right now' : 'refused the action')
           . '. Nothing was changed in the app.', "$path, $status: in words");
    }

    $res = act($path, $json, '{}', status => 410);
    is($res->{status}, 502, "$path: another status");
    is($res->json->{status}, 502, "$path: another status, problem+json");
}

is(act('/steps', $json, '{}')->{status}, 502, 'passed to none, in a step');
is(act('/page', $json, '{}', status => 422)->{status}, 422,
    'error_page for other statuses: status');
is(act('/page', $json, '{"message":"M"}', status => 422)->json->{message},
    'M', 'error_page for other statuses: the own page');
is(act('/page', $json, '{}', status => 599)->{status}, 599, 'the last one, 599');
is(act('/page', $json, '{}', status => 500)->{status}, 502, 'a status not passed, 500');
is(act('/optional', $json, '{}')->{body}, 'app', 'of an optional step');

$res = act('/pass/intercept', $json, '{}');
is($res->{status}, 409, 'proxy_intercept_errors');
like($res->{body}, qr/nothing/, 'proxy_intercept_errors: error_page');

my $log = sub { (JSON::PP->new->utf8->decode($_))->{message} };
ok($t->wait_for(sub {
    grep { $log->() eq $evil } split /\n/, $t->read_file('flow.log')
}), 'the access log');


# nginx -t

my $action = 'location / { flowdash_action A; flowdash_step S { return 204; }';

for (
    [ '399', '"399"', 'from 400 to 599' ], [ '600', 'from 400 to 599' ],
    [ '200', 'from 400 to 599' ], [ '4xx', '"4xx"' ], [ '""', 'from 400' ],
    [ '-409', '"-409"' ], [ '409 none', '"none"' ], [ 'none 409', '"none"' ],
    [ '409 422 409', '"409"', 'named twice' ], [ '408', 'special in nginx' ],
    [ '407', 'concerns the connection' ], [ '421', 'concerns the connection' ],
    [ '444', 'special in nginx' ], [ '494', 'special in nginx' ],
    [ '499', 'special in nginx' ], [ '409; flowdash_pass_status 422',
                                     '"flowdash_pass_status"', 'duplicate' ],
) {
    my ($value, @texts) = @$_;
    my (undef, $output) = $t->test_config(
        "$action flowdash_pass_status $value; }");
    s/special in nginx/a special meaning in nginx/ for @texts;
    is(join(', ', grep { index($output, $_) < 0 } '[emerg]', @texts), '',
        "refused: flowdash_pass_status $value");
}

$t->conf_ok("$action flowdash_pass_status $_; }", "flowdash_pass_status $_")
    for 'none', '400', '409 422', '599 500 401';
$t->conf_fails("$action flowdash_error_detail maybe; }",
    qr/it must be "on" or "off"/, 'flowdash_error_detail maybe');

$t->done;
