#!/usr/bin/perl

# Writes the captures of clients that could not be run: their bytes are what
# their sources would send.

use v5.36;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use MIME::Base64 qw(encode_base64);

my $captures = abs_path(dirname(__FILE__) . '/..');
my $made = 'from the source, not recorded';

my $umlauts = "Gr\xc3\xb6\xc3\x9fe";
my $text = "Gr\xc3\xbc\xc3\x9fe \"a\" & b\r\nzweite Zeile";
my $text_json = $text =~ s/"/\\"/gr =~ s/\r\n/\\r\\n/r;

my $offer = '{"filename":"%s","contentType":"text/plain","size":7}';
my $task = qq({"Stage":"Open","Assigned To":"a b","Note":"$text_json"});
my $with_file = '{"Stage":"Open","Offer":[' . sprintf($offer, 'offer.txt')
    . ']}';

sub http ($headers, $body) {
    return join "\r\n", 'POST /tasks/7 HTTP/1.1', 'Host: tasks.example.com',
        @$headers, '', $body;
}

sub form ($boundary, $quote, @parts) {
    my $body = join '', map {
        my ($content, @lines) = reverse @$_;
        join "\r\n", "--$boundary", reverse(@lines), '', "$content\r\n";
    } @parts;
    $body .= "--$boundary--\r\n";
    my $given = $quote ? qq("$boundary") : $boundary;
    return http([ "Content-Type: multipart/form-data; boundary=$given",
                  'Content-Length: ' . length $body ], $body);
}

sub save ($client, $name, $title, $version, $pointer, $meant, $bytes, %more) {
    my %about = (client => $title, version => $version, made => $made,
                 pointer => $pointer, task => $meant, %more);
    my @lines = map { defined $about{$_} ? "$_: $about{$_}\n" : () }
        qw(client version made pointer task note refused);
    make_path("$captures/$client");
    open my $file, '>:raw', "$captures/$client/$name.http" or die;
    print $file @lines, "\n", $bytes;
    close $file or die;
}


# .NET: MultipartFormDataContent.  A name that is a token has no quotes, one
# that is not ASCII is an encoded word, and a file has two names.

my $guid = '7a4e9d3c-3a71-4b8c-9c39-5a2d7f1f9d10';
my $plain = 'Content-Type: text/plain; charset=utf-8';

sub dotnet ($name, $pointer, $meant, $bytes, %more) {
    save('dotnet', $name, '.NET HttpClient', 'dotnet/runtime 04da5a1',
         $pointer, $meant, $bytes, %more);
}

sub disposition ($parameters) {
    return "Content-Disposition: form-data; $parameters";
}

sub word ($text) { return '"=?utf-8?B?' . encode_base64($text, '') . '?="' }

sub net_form (@parts) { return form($guid, 1, @parts) }

my $stage = [ $plain, disposition('name="task[Stage]"'), 'Open' ];

dotnet('multipart', '/task', $task, net_form($stage,
    [ $plain, disposition('name="task[Assigned To]"'), 'a b' ],
    [ $plain, disposition('name="task[Note]"'), $text ]));
dotnet('flat', '', '{"Stage":"Open","Due":""}', net_form(
    [ $plain, disposition('name=Stage'), 'Open' ],
    [ $plain, disposition('name=Due'), '' ]), refused => '400 parts');
dotnet('flat-quoted', '', '{"Stage":"Open","Due":""}', net_form(
    [ $plain, disposition('name="Stage"'), 'Open' ],
    [ $plain, disposition('name="Due"'), '' ]),
    note => 'form.Add(content, "\"Stage\"")');
dotnet('file', '/task', $with_file, net_form($stage,
    [ 'Content-Type: text/plain',
      disposition('name="task[Offer]"; filename=offer.txt; '
                  . "filename*=utf-8''offer.txt"), "10 EUR\n" ]),
    refused => '400 parts');
dotnet('file-quoted', '/task', $with_file, net_form($stage,
    [ 'Content-Type: text/plain',
      disposition('name="task[Offer]"; filename="offer.txt"'), "10 EUR\n" ]),
    note => 'with a ContentDispositionHeaderValue of its own');
dotnet('file-space', '/task', $with_file =~ s/offer\.txt/an offer.txt/r,
    net_form($stage, [ 'Content-Type: text/plain',
        disposition('name="task[Offer]"; filename="an offer.txt"; '
                    . "filename*=utf-8''an%20offer.txt"), "10 EUR\n" ]));
dotnet('untyped', '/task', $with_file, net_form($stage,
    [ disposition('name="task[Offer]"; filename="an offer.txt"; '
                  . "filename*=utf-8''an%20offer.txt"), "10 EUR\n" ]),
    refused => '400 type');
dotnet('filename', '/task', $with_file =~ s/offer\.txt/$umlauts.txt/r,
    net_form($stage, [ 'Content-Type: text/plain',
        disposition('name="task[Offer]"; filename=' . word("$umlauts.txt")
            . "; filename*=utf-8''Gr%C3%B6%C3%9Fe.txt"), "10 EUR\n" ]),
    refused => '400 words');
dotnet('names', '/task', qq({"Stage":"Open","$umlauts":"3"}),
    net_form($stage,
        [ $plain, disposition('name=' . word("task[$umlauts]")), '3' ]),
    refused => '400 words');
dotnet('urlencoded', '/task', $task, do {
    my $body = 'task%5BStage%5D=Open&task%5BAssigned+To%5D=a+b'
        . '&task%5BNote%5D='
        . $text =~ s/[^A-Za-z0-9 ]/sprintf '%%%02X', ord $&/ger =~ tr/ /+/r;
    http([ 'Content-Type: application/x-www-form-urlencoded',
           'Content-Length: ' . length $body ], $body);
});
dotnet('json', '/task', '{"Stage":"Open","Assigned To":"a b","Done":false}',
    do {
        my $body = '{"task":{"Stage":"Open","Assigned To":"a b",'
            . '"Done":false}}';
        http([ 'Transfer-Encoding: chunked',
               'Content-Type: application/json; charset=utf-8' ],
            sprintf("%X\r\n%s\r\n0\r\n\r\n", length $body, $body));
    });


# Dart: package http, and dio, which writes the headers of a file in another
# order.  Names of headers are in lower case.

my $dart = 'dart-http-boundary-' . 'aB3+_x' x 8 . 'abc';
my @binary = ('content-type: text/plain; charset=utf-8',
              'content-transfer-encoding: binary');

sub lower ($parameters) {
    return "content-disposition: form-data; $parameters";
}

my @dart = ([ lower('name="task[Stage]"'), 'Open' ],
            [ lower('name="task[Assigned To]"'), 'a b' ],
            [ lower('name="task[Note]"'), @binary, $text ]);
my @dart_file = ([ lower('name="task[Stage]"'), 'Open' ],
    [ 'content-type: text/plain',
      lower('name="task[Offer]"; filename="offer.txt"'), "10 EUR\n" ]);

my @http = ('Dart package http', 'dart-lang/http 31bcb36');
save('dart', 'multipart', @http, '/task', $task, form($dart, 0, @dart));
save('dart', 'file', @http, '/task', $with_file, form($dart, 0, @dart_file));

my @dio = ('Dart package dio', 'cfug/dio 02303a3');
my $dio = '--dio-boundary-0123456789';
@{ $dart_file[1] }[0, 1] = @{ $dart_file[1] }[1, 0];
save('dio', 'multipart', @dio, '/task', $task, form($dio, 0, @dart));
save('dio', 'file', @dio, '/task', $with_file, form($dio, 0, @dart_file));


# React Native: FormData.js with RCTNetworking on iOS (the order of a part's
# headers is that of an NSDictionary) and OkHttp on Android.

my @native = ('React Native', 'facebook/react-native 098d0d0');
my $native = 'bCq' . 'x-_.Z7' x 11 . '9';
my @native_stage = lower('name="task[Stage]"');
my @native_file = (
    lower('name="task[Offer]"; filename="offer.txt"'),
    'content-type: text/plain');
my $encoded = $with_file =~ s/offer\.txt/$umlauts 1.txt/r;

sub native ($name, $boundary, @parts) {
    save('react-native', $name, @native, '/task', $with_file,
         form($boundary, 0, @parts));
    s/offer\.txt/Gr%C3%B6%C3%9Fe%201.txt/ for @{ $parts[1] };
    save('react-native', "$name-filename", @native, '/task', $encoded,
         form($boundary, 0, @parts), refused => '400 words');
}

native('ios', $native, [ @native_stage, 'Open' ],
       [ @native_file, "10 EUR\n" ]);
native('ios-order', $native, [ @native_stage, 'Open' ],
       [ reverse(@native_file), "10 EUR\n" ]);
native('android', '0a7b4f1e-9d3c-4e0a-8a51-2f6c1f0d7e55',
       [ @native_stage, 'Content-Length: 4', 'Open' ],
       [ $native_file[0], 'Content-Type: text/plain', 'Content-Length: 7',
         "10 EUR\n" ]);


# Retrofit: @Part with a converter for text, and a MultipartBody.Part.

my @retrofit = ('Retrofit', 'square/retrofit 5e29655');
my @converted = ('Content-Transfer-Encoding: binary',
                 'Content-Type: text/plain; charset=UTF-8');
my @retrofit_parts = map {
    [ disposition("name=\"task[$_->[0]]\""), @converted,
      'Content-Length: ' . length $_->[1], $_->[1] ]
} [ Stage => 'Open' ], [ 'Assigned To' => 'a b' ], [ Note => $text ];

save('retrofit', 'multipart', @retrofit, '/task', $task,
    form('5c1d0ef2-6a3f-4a52-a4e3-0d2f0f4f7a11', 0, @retrofit_parts));
save('retrofit', 'file', @retrofit, '/task', $with_file,
    form('5c1d0ef2-6a3f-4a52-a4e3-0d2f0f4f7a11', 0, $retrofit_parts[0],
        [ disposition('name="task[Offer]"; filename="offer.txt"'),
          'Content-Type: text/plain', 'Content-Length: 7', "10 EUR\n" ]));


# Rust's reqwest.  A name in which it has to encode something stands in name*
# alone, which few apps read.

my @reqwest = ('Rust reqwest', 'seanmonstar/reqwest 0cba31d');
my $reqwest = join '-', ('0123456789abcdef') x 4;
my @reqwest_stage = ([ disposition('name="task[Stage]"'), 'Open' ]);

save('reqwest', 'file', @reqwest, '/task', $with_file, form($reqwest, 0,
    @reqwest_stage, [ disposition('name="task[Offer]"; filename="offer.txt"'),
                      'Content-Type: text/plain', "10 EUR\n" ]));
save('reqwest', 'names', @reqwest, '/task',
     '{"Stage":"Open","Assigned To":"a b"}', form($reqwest, 0, @reqwest_stage,
         [ disposition("name*=utf-8''task[Assigned%20To]"), 'a b' ]),
     refused => '400 parts');
save('reqwest', 'names-noop', @reqwest, '/task',
     '{"Stage":"Open","Assigned To":"a b"}', form($reqwest, 0, @reqwest_stage,
         [ disposition('name="task[Assigned To]"'), 'a b' ]),
     note => 'with percent_encode_noop()');
