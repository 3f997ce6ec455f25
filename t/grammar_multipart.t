#!/usr/bin/perl

# The grammar of multipart/form-data, by the rules parts, words and type: what
# browsers and other clients send is read; what parsers of apps read in
# different ways is refused, and nothing is called, unless the rule is relaxed.

use lib 't/lib';
use v5.36;
use Test::Flowdash;

my $t = Test::Flowdash->new;

# each request says itself what the endpoint answers

$t->endpoint(crm => sub ($req) {
    return { headers => [ 'Content-Type' => 'application/json' ],
             body => '{"task":' . $req->header('X-Change') . '}' };
});
$t->endpoint(app => { body => 'stored' });

my $locations = join '', map { <<"END" }
            location $_->[0] {
                flowdash_action "Finish";
                $_->[1]
                flowdash_step "CRM" {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                    flowdash_set_header X-Change \$http_x_change;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
END
    [ '/strict', '' ],
    [ '/flat', 'flowdash_task "";' ],
    [ '/relaxed/parts', 'flowdash_strict all -parts;' ],
    [ '/relaxed/bom', 'flowdash_strict all -bom;' ],
    [ '/relaxed/control', 'flowdash_strict all -control;' ],
    [ '/relaxed/words', 'flowdash_strict all -words;' ],
    [ '/relaxed/type', 'flowdash_strict all -type;' ],
    [ '/dry', 'flowdash_dry_run 1;' ];

$t->config(<<"END");
    %%GLOBALS%%
    events { }
    http {
        %%HTTP_GLOBALS%%
        server {
            listen 127.0.0.1:%%PORT_http%%;
$locations
        }
    }
END
$t->run;

my $type = 'multipart/form-data; boundary=BB';
my $d = 'Content-Disposition: form-data';
my $pdf = "\r\nContent-Type: application/pdf";

my $sent = 0;
my %logged;     # what the log must say of each request

# each part is its headers and its content
sub form (@parts) {
    return join('', map { "--BB\r\n$_->[0]\r\n\r\n$_->[1]\r\n" } @parts)
        . "--BB--\r\n";
}

sub act ($path, $body, $change = '{}', $content_type = $type) {
    $sent++;
    return $t->request('POST', "$path?n=$sent", body => $body, headers => [
        'Content-Type' => $content_type, 'X-Change' => $change ]);
}

sub told () {
    my ($task) = $t->only_request('crm')->{body} =~ /"task":(.*)\}\z/s;
    return $task;
}

sub passes ($path, $body, $task, $name, %arg) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $res = act($path, $body, $arg{change} // '{}', $arg{type} // $type);

    is($res->{status}, 200, "$name: passes");
    is(told(), $task, "$name: what the endpoint is told");

    my $app = $t->only_request('app');
    my $wanted = $arg{app} // $body;

    ok($app->{body} eq $wanted, "$name: the app gets every byte")
        or diag $app->{body};
    is($app->header('Content-Length'), length $wanted, "$name: length");
}

sub refused ($path, $body, $log, $name, %arg) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $res = act($path, $body, '{}', $arg{type} // $type);

    is($res->{status}, $arg{status} // 400, "$name: refused");
    $t->no_request('crm', "$name: nothing is called");
    $t->no_request('app', "$name: the app is not reached");
    $logged{$sent} = [ $log, $name ];
}


# What clients send, each as its own requests show it.

my @value = ("$d; name=\"task[Stage]\"", 'Open');
my $open = [ @value ];
my $with_type = sub ($header) { [ "$value[0]\r\n$header", $value[1] ] };
my $offer = sub ($file = 'offer.pdf') {
    return "$d; name=\"task[Offer]\"; filename=\"$file\"";
};
my $told = sub ($file = 'offer.pdf', $type = 'application/pdf') {
    return qq([{"filename":"$file","contentType":"$type","size":3}]);
};

for (
    [ 'browsers, curl, requests, axios, Go', $open, [ $offer->() . $pdf,
                                                      'PDF' ] ],
    [ 'aiohttp', [ "Content-Type: text/plain; charset=utf-8\r\n$value[0]",
                   'Open' ],
      [ 'Content-Type: application/pdf' . "\r\n" . $offer->(), 'PDF' ] ],
    [ 'Guzzle, OkHttp 3', $with_type->('Content-Length: 4'),
      [ $offer->() . "\r\nContent-Length: 3$pdf", 'PDF' ] ],
    [ 'Faraday', $open, [ $offer->() . "\r\nContent-Length: 3$pdf\r\n"
                          . 'Content-Transfer-Encoding: binary', 'PDF' ] ],
    [ 'Apache HttpClient', $with_type->('Content-Type: text/plain; '
        . "charset=ISO-8859-1\r\nContent-Transfer-Encoding: 8bit"),
      [ $offer->() . "$pdf\r\nContent-Transfer-Encoding: binary", 'PDF' ] ],
    [ 'Dart', [ "content-disposition: form-data; name=\"task[Stage]\"\r\n"
                . "content-type: text/plain; charset=utf-8\r\n"
                . 'content-transfer-encoding: binary', 'Open' ],
      [ "content-type: application/pdf\r\ncontent-disposition: form-data; "
        . 'name="task[Offer]"; filename="offer.pdf"', 'PDF' ] ],
    [ '.NET with quotes', [ "Content-Type: text/plain; charset=utf-8\r\n"
                            . $value[0], 'Open' ],
      [ $offer->() . "; filename*=utf-8''offer.pdf$pdf", 'PDF' ] ],
) {
    my ($name, @parts) = @$_;
    passes('/strict', form(@parts),
           '{"Stage":"Open","Offer":' . $told->() . '}', $name);
}

for ("Gr\xc3\xb6\xc3\x9fe.pdf", 'a b;c=d&e.pdf', '100% 5%x.pdf', 'R&D.pdf',
     'Q & A (1) [final], {new}#+~!.pdf', '...', "Bild\xe2\x80\xaf1.png")
{
    passes('/strict', form([ $offer->($_) . $pdf, 'PDF' ]),
           '{"Offer":' . $told->($_) . '}', "a file called $_");
}

passes('/strict', form($open), '{"Stage":"Open"}', "a form's $_", type => $_)
    for 'multipart/form-data;boundary=BB', 'multipart/form-data; boundary="BB"',
        'multipart/form-data; boundary=BB; charset=UTF-8',
        'multipart/form-data; charset=utf-8; boundary=BB';


# No file chosen: a browser sends a file without name and content.

my $octets = "\r\nContent-Type: application/octet-stream";
my $none = [ $offer->('') . $octets, '' ];

passes('/strict', form($open, $none), '{"Stage":"Open","Offer":[]}',
       'no file', change => $_)
    for '{}', '{"Offer":[]}', '{"Offer" : [ ]}';

passes('/strict', form([ "$d; name=\"task[F][]\"; filename=\"\"$octets", '' ],
                       [ "$d; name=\"task[F][]\"; filename=\"a\"$pdf", 'PDF' ],
                       [ "$d; name=\"task[F][]\"; filename=\"\"$octets", '' ],
                       [ "$d; name=\"task[F][]\"; filename=\"b\"$pdf", 'PDF' ]),
       '{"F":[{"filename":"a","contentType":"application/pdf","size":3},'
       . '{"filename":"b","contentType":"application/pdf","size":3}]}',
       'two of four files');
passes('/strict', form([ "$d; name=\"task[F][]\"", '' ],
                       [ "$d; name=\"task[F][]\"; filename=\"\"$octets", '' ]),
       '{"F":[""]}', 'the hidden field of Rails, and no file');
passes('/strict', form(($none) x 2), '{"Offer":[]}', 'no file twice');
passes('/strict', form([ "$d; name=\"task[F][x]\"; filename=\"\"$octets", '' ]),
       '{"F":{"x":[]}}', 'no file in an object');

my $res = act('/dry', form($none));
like($res->{body}, qr/"task":\{"Offer":\[\]\}/, 'the dry run shows the same');

for ('[{"filename":"","contentType":"application/octet-stream","size":0}]',
     'null', '""', $told->())
{
    $res = act('/strict', form($open, $none), qq({"Offer":$_}));
    is($res->{status}, 502, "an answer makes $_ of no file");
    told();
    $t->no_request('app', 'the app is not reached');
}


# An endpoint's value takes the headers of the old one with it that tell of it.

for ('Content-Length: 4', 'Content-Type: text/plain; charset=ISO-8859-1',
     'Content-Type: text/plain; charset=us-ascii',
     "Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit")
{
    my $form = form($with_type->($_), [ $offer->() . $pdf, 'PDF' ]);
    my $task = '{"Stage":"Open","Offer":' . $told->() . '}';

    passes('/strict', $form, $task, "$_: changed",
           change => qq({"Stage":"\xc3\x84nderung"}),
           app => form([ $value[0], "\xc3\x84nderung" ],
                       [ $offer->() . $pdf, 'PDF' ]));
    passes('/strict', $form, $task, "$_: told again",
           change => '{"Stage":"Open"}');
}

passes('/strict', form($with_type->('Content-Type: text/plain')),
       '{"Stage":"Open"}', 'another type: changed', change => '{"Stage":"x"}',
       app => form([ $with_type->('Content-Type: text/plain')->[0], 'x' ]));


# The rule parts: what the headers of a part, and of the request, must not be.
# Each is refused; with the rule relaxed it is read as "relaxed" says.

my $f = "$d; name=\"task[F]\"";
my $file_a = '{"F":[{"filename":"a","contentType":"a/b","size":1}]}';

for (
    # file or value
    [ 'FileName', "$f; FileName=\"a\"\r\nContent-Type: a/b", $file_a ],
    [ 'filename* alone', "$f; filename*=UTF-8''a\r\nContent-Type: a/b",
      $file_a ],
    [ 'no space before filename', "$f;filename=\"a\"\r\nContent-Type: a/b",
      $file_a ],
    [ 'a tab before filename', "$f;\tfilename=\"a\"\r\nContent-Type: a/b",
      $file_a ],
    [ 'a filename without quotes', "$f; filename=a\r\nContent-Type: a/b",
      $file_a ],
    [ 'filename before name', "$d; filename=\"a\"; name=\"task[F]\"\r\n"
      . 'Content-Type: a/b', $file_a ],
    [ 'a filename* that differs', "$f; filename=\"a\"; filename*=UTF-8''b\r\n"
      . 'Content-Type: a/b', $file_a ],
    [ 'a filename in Content-Type', "$f\r\nContent-Type: text/plain; "
      . 'filename=a', '{"F":"x"}' ],
    [ 'another filename in Content-Type', "$f; filename=\"a\"\r\n"
      . 'Content-Type: a/b; filename=b', '{"F":[{"filename":"a",'
      . '"contentType":"a/b; filename=b","size":1}]}' ],

    # the name
    [ 'a name in upper case', "$d; NAME=\"task[F]\"", '{"F":"x"}' ],
    [ 'a disposition in upper case', 'Content-Disposition: Form-Data; '
      . 'name="task[F]"', '{"F":"x"}' ],
    [ 'no space after the colon', 'Content-Disposition:form-data; '
      . 'name="task[F]"', '{"F":"x"}' ],
    [ 'two spaces', "$d;  name=\"task[F]\"", '{"F":"x"}' ],
    [ 'a semicolon at the end', "$f;", '{"F":"x"}' ],
    [ 'another parameter', "$f; x=y", '{"F":"x"}' ],
    [ 'an escape in the name', "$d; name=\"task[F%5D]\"", '{"F%5D":"x"}' ],
    [ 'a semicolon in the name', "$d; name=\"task[F;]\"", '{"F;":"x"}' ],
    [ 'an equals sign in the name', "$d; name=\"task[F=]\"", '{"F=":"x"}' ],

    # other headers
    [ 'another header', "$f\r\nX-Name: task[G]", '{"F":"x"}' ],
    [ 'a Content-ID', "$f\r\nContent-ID: <task[G]>", '{"F":"x"}' ],
    [ 'a Content-Encoding', "$f\r\nContent-Encoding: identity", '{"F":"x"}' ],
    [ 'an encoding in upper case', "$f\r\nContent-Transfer-Encoding: 8BIT",
      '{"F":"x"}' ],
    [ 'a wrong length', "$f\r\nContent-Length: 2", '{"F":"x"}' ],
    [ 'a length that is none', "$f\r\nContent-Length: 1,1", '{"F":"x"}' ],

    # parts in parts
    [ 'a part of parts', "$f\r\nContent-Type: multipart/x; boundary=C",
      '{"F":"x"}' ],
    [ 'a file of parts', "$f; filename=\"a\"\r\nContent-Type: Multipart/x",
      '{"F":[{"filename":"a","contentType":"Multipart/x","size":1}]}' ],
    [ 'a message', "$f\r\nContent-Type: message/rfc822", '{"F":"x"}' ],
    [ 'a form in a form', "$f\r\n"
      . 'Content-Type: application/x-www-form-urlencoded', '{"F":"x"}' ],
) {
    my ($name, $headers, $relaxed) = @$_;
    refused('/strict', form([ $headers, 'x' ]),
            qr/\(flowdash_strict parts\), at byte 0,/, $name);
    passes('/relaxed/parts', form([ $headers, 'x' ]), $relaxed,
           "$name, relaxed");
}

# Parts that are not the task's to the module, but could be to the app: they
# are judged as well, also behind others.

for (
    [ 'a second name', "$d; name=\"o\"; name=\"task[F]\"" ],
    [ 'name*', "$d; name=\"o\"; name*=UTF-8''task%5BF%5D" ],
    [ 'name in upper case', "$d; name=\"o\"; Name=\"task[F]\"" ],
    [ 'a name in another parameter', "$d; name=\"o\"; x=\";name=task[F]\"" ],
    [ 'a name in the name', "$d; name=\"o,name=task[F]\"" ],
    [ 'a name in the filename', "$d; name=\"o\"; filename=\"(name=task[F])\"" ],
    [ 'a name in Content-Type', "$d; name=\"o\"\r\n"
      . 'Content-Type: text/plain; name="task[F]"' ],
    [ 'a Content-ID', "$d; name=\"o\"\r\nContent-ID: task[F]" ],
    [ 'two dispositions', "$d; name=\"o\"\r\n$d; name=\"task[F]\"" ],
    [ 'a space before the colon', "$d; name=\"o\"\r\n"
      . 'Content-Disposition : form-data; name="task[F]"' ],
    [ 'escaped brackets', "$d; name=\"task%5BF%5D\"" ],
    [ 'lower case', "$d; name=\"task%5bF%5d\"" ],
    [ 'an escaped letter', "$d; name=\"%74ask[F]\"" ],
    [ 'aiohttp: a slash first', "$d; name=\"/task[F]\"" ],
    [ 'Netty: a colon first', "$d; name=\":task[F]\"" ],
    [ 'Netty: a comma first', "$d; name=\",task[F]\"" ],
    [ 'Netty: an equals sign first', "$d; name=\"=task[F]\"" ],
    [ 'NBSP', "$d; name=\"\xc2\xa0task[F]\"" ],
    [ 'an ideographic space', "$d; name=\"task[F]\xe3\x80\x80\"" ],
    [ 'parts', "$d; name=\"o\"\r\nContent-Type: multipart/form-data; "
      . 'boundary=CC' ],
    [ 'parts in a parameter', "$d; name=\"o\"; filename=\"a\"\r\n"
      . 'Content-Type: a/b; x="multipart; boundary=CC"' ],
    [ 'a wrong length', "$d; name=\"o\"\r\nContent-Length: 0" ],
) {
    my ($name, $headers) = @$_;
    my $at = length(form($open)) - length "--BB--\r\n";
    refused('/strict', form($open, [ $headers, 'x' ]),
            qr/\(flowdash_strict parts\), at byte $at,/, "beside the task: $name");
}

passes('/strict', form($open, [ "$d; name=\"file\"; filename=\""
                                . 'C:\a%41&amp;=?.."' . "\r\n"
                                . 'Content-Type: text/plain;charset=latin1',
                                'x' ],
                              [ "$d; name=\"o\"; filename=\"a\"", 'x' ]),
       '{"Stage":"Open"}', 'files beside the task may have any name and type');

# With "", all parts are the task's.

refused('/flat', form([ "$d; name=\"$_->[0]\"", 'x' ]),
        qr/\(flowdash_strict parts\), at byte 0,/, "flat: $_->[1]")
    for [ 'Stage;x', 'a semicolon' ], [ 'Stage ', 'a space' ],
        [ 'Stage%5B', 'an escape' ], [ ' Stage', 'a space first' ],
        [ '/Stage', 'a slash first' ], [ 'Stage:', 'a colon last' ],
        [ 'Stage,', 'a comma last' ], [ 'Stage=x', 'an equals sign' ],
        [ 'Stage=?', 'half of an encoded word' ];
passes('/strict', form([ "$d; name=\"task[a:b,/]\"", 'x' ]), '{"a:b,/":"x"}',
       'a colon, a comma and slashes within a name');

# A value that undici reads without its beginning, and one that Rails cuts.

for ([ bom => "\xef\xbb\xbfOpen", "\xef\xbb\xbfOpen", '\ufeffOpen',
       'a byte order mark before a value' ],
     [ control => "Open\0", 'Open\u0000', 'Open\u0000',
       'a value with a NUL, where some apps end it' ])
{
    my ($rule, $value, $told, $answered, $error) = @$_;
    my $body = form([ $value[0], $value ]);

    refused('/strict', $body, qr/\Q$error (flowdash_strict $rule)\E,/, $error);
    passes("/relaxed/$rule", $body, qq({"Stage":"$told"}), "$error, relaxed");
    passes('/strict', form($open, [ "$d; name=\"o\"", $value ]),
           '{"Stage":"Open"}', "$error, beside the task");

    is(act('/strict', form($open), qq({"Stage":"$answered"}))->{status}, 502,
       "$error, from an endpoint");
    told();
    $t->no_request('app', "$error, from an endpoint: no app");
}


# A field of an answer gets a name that would be read, or none.

for (
    [ '/strict', 'a;b' ], [ '/strict', 'a%22' ], [ '/strict', '%5Bb', 1 ],
    [ '/strict', 'name=y' ], [ '/strict', 'a,FileName *', 1 ],
    [ '/strict', 'x name=y' ], [ '/relaxed/parts', ';fileName*' ],
    [ '/relaxed/parts', 'x name=y' ],
    [ '/flat', "a\xc2\xa0" ], [ '/flat', "\xe3\x80\x80a" ], [ '/flat', 'a;b' ])
{
    my ($uri, $name, $deep) = @$_;
    my $change = $deep ? qq({"Stage":{"$name":"x"}}) : qq({"$name":"x"});
    my $body = $uri eq '/flat' ? form([ "$d; name=\"Stage\"", 'x' ])
             : form($open);

    is(act($uri, $body, $change)->{status}, 502, "$uri: an answer's $change");
    told();
    $t->no_request('app', "$uri: an answer's $change: no app");
}

for ([ '/relaxed/parts', 'a;b' ], [ '/relaxed/parts', 'a%22' ],
     [ '/strict', "a\xc2\xa0" ])
{
    my ($uri, $name) = @$_;

    is(act($uri, form($open), qq({"$name":"x"}))->{status}, 200,
       "$uri: an answer's $name");
    told();
    like($t->only_request('app')->{body}, qr/name="task\[\Q$name\E\]"\r\n\r\nx\r\n/,
         "$uri: an answer's $name: the app's part");
}


# The boundary: each names one that some parser takes for another.

my $cc = form([ "$d; name=\"o\"", "x\r\n--CC\r\n$f\r\n\r\n5\r\n--CC--\r\n" ],
              $open);

for ('boundary=BB; x="boundary =CC"', 'boundary=BB; x=y', 'boundary=BB;',
     'x=y; boundary=BB', 'Boundary=BB', ' boundary=BB', "\tboundary=BB")
{
    refused('/strict', $cc, qr/Content-Type has an unusual boundary, or anoth(?#
            )er parameter \(flowdash_strict parts\),/, "the request's $_",
            type => "multipart/form-data; $_");
}

refused('/strict', form($open) =~ s/BB/BB=CC/gr,
        qr/a boundary with an equals sign, .* \(flowdash_strict parts\),/,
        "= in $_",
        type => "multipart/form-data; boundary=$_")
    for 'BB=CC', '"BB=CC"';
passes('/strict', form($open) =~ s/BB/BB:CC/gr, '{"Stage":"Open"}',
       'a colon in quotes', type => 'multipart/form-data; boundary="BB:CC"');
passes('/relaxed/parts', form($open) =~ s/BB/--=BB.C=/gr, '{"Stage":"Open"}',
       'an equals sign, relaxed',
       type => 'multipart/form-data; boundary="--=BB.C="');
passes('/relaxed/parts', $cc, '{"Stage":"Open"}', 'relaxed',
       type => 'multipart/form-data; boundary=BB; x="boundary =CC"');


# The rule words: the name of a file of the task that apps decode.

for (
    [ '=?UTF-8?B?w6k=?=' ], [ '=?iso-8859-1?Q?a?= b.pdf' ],
    [ 'a%41.pdf' ], [ '%22a%22.pdf', '\"a\"' . '.pdf' ], [ 'a%2fb.pdf' ],
    [ 'a&auml;.pdf' ], [ 'a&#46;pdf' ], [ 'a&ltb.pdf' ], [ 'dir/a.pdf' ],
    [ 'C:\a.pdf', 'C:\\\\a.pdf' ], [ ' a.pdf' ], [ 'a.pdf ' ], [ '..' ],
    [ "\xef\xbb\xbf" . 'a.pdf' ],
) {
    my ($file, $relaxed) = @$_;
    refused('/strict', form([ $offer->($file) . $pdf, 'PDF' ]),
            qr/\(flowdash_strict words\), at byte 0,/, "a file called $file");
    passes('/relaxed/words', form([ $offer->($file) . $pdf, 'PDF' ]),
           '{"Offer":' . $told->($relaxed // $file) . '}',
           "a file called $file, relaxed");
}


# The rule type: a file of the task has one.

refused('/strict', form($open, [ $offer->(), 'PDF' ]),
        qr/a part has a file without a Content-Type \(flowdash_strict type\),/,
        'a file without a Content-Type');
for my $odd ('text/plain; in; charset=utf-8', 'text/plain; a=', 'text',
             'text/plain; a="b', 'text/plain a=b')
{
    refused('/strict',
            form($open, [ $offer->() . "\r\nContent-Type: $odd", 'PDF' ]),
            qr/an unusual Content-Type \(flowdash_strict parts\),/,
            "a file of the type $odd");
}
passes('/relaxed/type', form($open, [ $offer->(), 'PDF' ]),
       '{"Stage":"Open","Offer":' . $told->('offer.pdf', '') . '}',
       'a file without a Content-Type, relaxed');


# Other charsets, in which the value would be another.

refused('/strict', form([ "$value[0]\r\n$_", "\xc3\x84" ]),
        qr/a value that is not ASCII/, $_, status => 415)
    for 'Content-Type: text/plain; charset=ISO-8859-1',
        'Content-Type: text/plain; charset="us-ascii"',
        'Content-Transfer-Encoding: binary';
refused('/strict', form($with_type->("Content-Type: text/plain; $_")),
        qr/a charset other than UTF-8/, $_, status => 415)
    for 'charset=utf-16', 'charset=ISO-8859-1; charset=utf-7',
        "charset*=utf-8''ISO-8859-1";


my %line = map { $_ =~ m{"POST /\w+\?n=(\d+) } ? ($1 => $_) : () }
    grep { / \[error\] / } split /\n/, $t->error_log;

like($line{$_} // '', $logged{$_}[0], "$logged{$_}[1]: the log says why")
    for sort { $a <=> $b } keys %logged;

$t->done;
