# flowdash_sign_key: signatures by both engines, as Standard Webhooks' own
# library and a few lines of Perl verify them; its keys, and that they are
# seen nowhere.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::Npm;

use Digest::SHA qw(hmac_sha256 sha512);
use File::Find qw(find);
use IPC::Open2 qw(open2);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);

my $modules = npm_modules('standardwebhooks');

my $t = Test::Flowdash->new;
my $dir = $t->dir;
my @json = ('Content-Type' => 'application/json');
my $urlencoded = 'application/x-www-form-urlencoded';

# Keys as bytes, by name; of all lengths, so that all paddings are there.

my %length = (http => 32, first => 24, second => 25, file => 64, server => 26,
              call => 31, proxy => 40, new => 32,
              map { ("many_$_" => 24 + $_) } 1 .. 12);
my %key = map { $_ => substr sha512($_), 0, $length{$_} } keys %length;
my %whsec = map { $_ => 'whsec_' . encode_base64($key{$_}, '') } keys %key;
my %unpadded = map { $_ => $whsec{$_} =~ s/=+$//r } keys %key;

sub key_file {
    my ($name, $content, $mode) = @_;
    chmod $mode // 0600, $t->write_file($name, $content);
}

key_file('file.key', "\t $whsec{file} \r\n");
key_file('proxy.key', $unpadded{proxy});

$t->endpoint(hook => {
    headers => \@json,
    body => qq({"task":{"Changed \xc3\xa9":[1.0,"\\u00e9"]}}),
});
$t->endpoint(app => {});
$t->endpoint(no => { status => 400 });

my $n = 0;                              # in the endpoint's process

$t->endpoint(flaky => sub {
    return $n++ ? {} : { status => 503, delay => 1.1 };
});

my $call = 'flowdash_call http://127.0.0.1:%%PORT_hook%%/call;';
my $proxy = 'proxy_pass http://127.0.0.1:%%PORT_hook%%/proxy;';
my $both = qq(flowdash_step "Call" { $call } flowdash_step "Proxy" { $proxy });
my $many = join ' ', map { $whsec{"many_$_"} } 1 .. 12;

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%

    flowdash_sign_key $whsec{http};
    client_max_body_size 8m;

    server {
        listen 127.0.0.1:%%PORT_http%%;

        location /plain {
            flowdash_action Do;
            $both
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /rotated {
            flowdash_action Do;
            flowdash_sign_key $whsec{first} "$unpadded{second}"
                              file:$dir/file.key;
            $both
        }

        location /many {
            flowdash_action Do;
            flowdash_sign_key $many;
            $both
        }

        location /steps {
            flowdash_action Do;
            flowdash_step "Not" { flowdash_sign_key off; $call }
            flowdash_step "Not either" { flowdash_sign_key off; $proxy }
            flowdash_step "Own" { flowdash_sign_key $whsec{call}; $call }
            flowdash_step "Own, too" {
                flowdash_sign_key file:proxy.key;
                $proxy
            }
        }

        location /off {
            flowdash_action Do;
            flowdash_sign_key off;
            flowdash_set_header webhook-id "mine";
            $both
            location /off/on {
                flowdash_action Do;
                flowdash_sign_key $whsec{first};
                flowdash_set_header X-Other 1;
                flowdash_step "Call" { $call }
                flowdash_step "Proxy" { $proxy }
            }
        }

        location /named {
            flowdash_action Do;
            flowdash_set_header Idempotency-Key "other";
            $both
        }

        location /retried {
            flowdash_action Do;
            flowdash_step "Flaky" {
                flowdash_retry 2 503;
                flowdash_call http://127.0.0.1:%%PORT_flaky%%/;
            }
        }

        location /fails {
            flowdash_action Do;
            flowdash_step "No" {
                flowdash_call http://127.0.0.1:%%PORT_no%%/;
            }
        }

        location /proxy_fails {
            flowdash_action Do;
            flowdash_step "No" {
                proxy_pass http://127.0.0.1:%%PORT_no%%/;
            }
        }
    }

    server {
        listen 127.0.0.1:%%PORT_second%%;
        flowdash_sign_key $whsec{server};
        location / {
            flowdash_action Do;
            $both
        }
    }
}
EOC

$t->run;

my (@answers, @cases, $start);

sub act {
    my ($uri, %option) = @_;
    my $type = delete $option{type} // $json[1];

    $start = time;
    $t->clear_requests($_) for qw(hook app flaky);
    push @answers, $t->request('POST', $uri, body => '{"task":{}}', %option,
        headers => [ 'Content-Type' => $type, @{ $option{headers} // [] } ]);
    return $t->requests($uri eq '/retried' ? 'flaky' : 'hook');
}

# what the library must say of a call

sub reference {
    my ($name, $key, $call, $verdict, %changed) = @_;
    my %headers = map { lc $_->[0] => $_->[1] } @{ $call->{headers} };

    push @cases, { name => $name, verdict => $verdict, key => $key,
                   headers => { %headers, %changed },
                   body => encode_base64($changed{body} // $call->{body}) };
}

# a call that is signed by these keys, and no others

sub signed {
    my ($name, $call, @keys) = @_;
    my %header = map { $_ => [ header($call, "webhook-$_") ] }
        qw(id timestamp signature);
    my ($id, $timestamp) = map { $header{$_}[0] // '' } qw(id timestamp);
    my $content = "$id.$timestamp.$call->{body}";

    is(join('|', map { scalar @{ $header{$_} } } sort keys %header), '1|1|1',
       "$name: each header once");
    like($timestamp, qr/^[1-9]\d*$/, "$name: a time");
    ok($timestamp >= $start && $timestamp <= time + 1,
       "$name: it is that of the call");
    is($header{signature}[0], join(' ', map {
        'v1,' . encode_base64(hmac_sha256($content, $key{$_}), '') } @keys),
       "$name: the signature");

    reference("$name, by $_", $whsec{$_}, $call, 'verified') for @keys;
    return $id;
}

sub unsigned {
    my ($name, $call) = @_;
    is_deeply([ grep { $_->[0] =~ /^webhook-/i } @{ $call->{headers} } ], [],
              "$name: no signature");
}


# both engines

my @engine = ('flowdash_call', 'proxy_pass');
my $text = qq({"task":{"Name":"\xc3\xa9 \xf0\x9f\x98\x80","n":1.50,"x":""}});
my @calls = act('/plain', body => $text);
my $app = $t->only_request('app');

is(join('|', map { $_->{target} } @calls), '/call|/proxy', 'both are called');
cmp_ok(index($calls[1]{body}, qq("Changed \xc3\xa9":[1.0,"\\u00e9"])), '>', 0,
       'the second with what the first has changed');
unsigned('the app', $app);

for (0, 1) {
    my $id = signed($engine[$_], $calls[$_], 'http');
    is(header($calls[$_], 'Idempotency-Key'), qq("$id"),
       "$engine[$_]: webhook-id is what Idempotency-Key has in its quotes");
}
isnt(header($calls[0], 'webhook-id'), header($calls[1], 'webhook-id'),
     'the steps have their own');

# what the library refuses

for my $call (@calls) {
    my $name = "refused, $call->{target}";
    my $no = 'No matching signature found';
    my $timestamp = header($call, 'webhook-timestamp');

    reference("$name: body", $whsec{http}, $call, $no,
              body => $call->{body} =~ s/1\.50/1.51/r);
    reference("$name: more", $whsec{http}, $call, $no,
              body => "$call->{body} ");
    reference("$name: id", $whsec{http}, $call, $no,
              'webhook-id' => header($call, 'webhook-id') . '0');
    reference("$name: time", $whsec{http}, $call, $no,
              'webhook-timestamp' => $timestamp + 1);
    reference("$name: too late", $whsec{http}, $call,
              'Message timestamp too old',
              'webhook-timestamp' => $timestamp - 1000);
    reference("$name: another key", $whsec{server}, $call, $no);
}

# a client's own headers have no say, and go to the app

my @own = ('webhook-id' => 'mine', 'Webhook-Timestamp' => 1,
           'WEBHOOK-SIGNATURE' => 'v1,AAAA');
@calls = act('/plain', headers => [ @own ]);
signed("$engine[$_], a client's own", $calls[$_], 'http') for 0, 1;
is_deeply([ map { @$_ } grep { $_->[0] =~ /^webhook-/i }
            @{ $t->only_request('app')->{headers} } ], \@own,
          'the app gets the client\'s');

# all kinds of payloads

my $big = '{"task":{"Big":"' . "\xe2\x82\xac" x 100_000 . '"}}';
my $part = "--x\r\nContent-Disposition: form-data; name=\"task[%s]\"\r\n"
    . "\r\n%s\r\n";
my $multipart = join '', (map { sprintf $part, @$_ }
    [ 'Name', "\xc3\xa9\r\n" ], [ 'Due', '2020-01-31' ]), "--x--\r\n";

for (
    [ 'big', body => $big ],
    [ 'urlencoded', type => $urlencoded,
      body => 'task[Name]=%C3%A9+%2B&task[Due]=2020-01-31&x=y' ],
    [ 'multipart', type => 'multipart/form-data; boundary=x',
      body => $multipart ],
    [ 'chunked', chunked => 1 ],
) {
    my ($name, %request) = @$_;
    @calls = act('/plain', %request);
    is(scalar @calls, 2, "$name: both are called");
    like($calls[0]{body}, qr/^\{"action":"Do",.*,"task":\{/, 'by a payload');
    signed("$engine[$_], $name", $calls[$_], 'http') for 0, 1;
}


# keys

@calls = act('/rotated');
signed("$engine[$_], three keys", $calls[$_], qw(first second file)) for 0, 1;

@calls = act('/many');
signed("$engine[$_], twelve keys", $calls[$_], map { "many_$_" } 1 .. 12)
    for 0, 1;

@calls = act('/steps');
is(scalar @calls, 4, 'four steps');
unsigned("$engine[$_], off in the step", $calls[$_]) for 0, 1;
signed('flowdash_call, in the step', $calls[2], 'call');
signed('proxy_pass, in the step, from a file', $calls[3], 'proxy');

@calls = act('/off');
is_deeply([ map { my $call = $_; map { header($call, "webhook-$_") }
                  qw(id timestamp signature) } @calls ], [ 'mine', 'mine' ],
          'off in the location: flowdash_set_header is free');

@calls = act('/off/on');
signed("$engine[$_], on again", $calls[$_], 'first') for 0, 1;

@calls = act('/', port => 'second');
signed("$engine[$_], the server's", $calls[$_], 'server') for 0, 1;

@calls = act('/named');
is(join('|', map { scalar header($_, 'Idempotency-Key') } @calls),
   'other|other', 'another Idempotency-Key');
like(signed("$engine[$_], another Idempotency-Key", $calls[$_], 'http'),
     qr/^[0-9a-f]{32}-[0-9a-f]{16}$/, 'webhook-id is the call\'s') for 0, 1;

# attempts

my @attempts = act('/retried');
my @signed = map { signed("attempt $_", $attempts[$_ - 1], 'http') } 1, 2;
is(scalar @attempts, 2, 'two attempts');
is($signed[0], $signed[1], 'have one webhook-id');
is(header($attempts[0], 'Idempotency-Key'),
   header($attempts[1], 'Idempotency-Key'), 'and one Idempotency-Key');
ok(header($attempts[1], 'webhook-timestamp')
   > header($attempts[0], 'webhook-timestamp'), 'the time is taken anew');

# failures, for what is said of them

act('/fails');
is($answers[-1]{status}, 502, 'a call fails');
act('/proxy_fails');
is($answers[-1]{status}, 502, 'a proxied step fails');

# a new key for the file

key_file('file.key', "$whsec{new}\n");
ok($t->reload, 'nginx reads its configuration again');
@calls = act('/rotated');
signed("$engine[$_], a new key", $calls[$_], qw(first second new)) for 0, 1;

unlike($t->error_log, qr/all users can read/, 'no warning for the files');


# the library's verdicts

sub verdicts {
    local $ENV{NODE_PATH} = $modules;
    local $SIG{PIPE} = 'IGNORE';

    my $pid = open2(my $from, my $to, 'node',
                    "$FindBin::Bin/tool/verify-webhook.js");
    print $to JSON::PP->new->ascii->encode(\@cases);
    close $to;
    my $answer = do { local $/; readline $from };
    waitpid $pid, 0;

    return @{ JSON::PP::decode_json($answer || '[]') };
}

SKIP: {
    skip 'npm\'s standardwebhooks is not there; "make test-deps" installs it',
        scalar @cases if !$modules;

    my @verdicts = verdicts();
    is($verdicts[$_], $cases[$_]{verdict}, "the library: $cases[$_]{name}")
        for 0 .. $#cases;
}


# nginx -t, which says what is wrong, but no key

my @needles = map { quotemeta } map {
    my $hex = unpack 'H*', $key{$_};
    ($key{$_}, $unpadded{$_} =~ s/^whsec_//r, $hex, uc $hex)
} keys %key;
my $secret = do { local $" = '|'; qr/@needles/ };

my $short = encode_base64('x' x 23, '');
my $long = encode_base64('y' x 65, '');
my $odd = 'Odd' . encode_base64('z' x 30, '');
my $bad = qr/$secret|\Q$short\E|\Q$long\E|OddenpO?|x{23}|y{65}/;

sub http { return "$_[0]\nserver { listen 127.0.0.1:%%PORT_http%%; }" }

sub steps {
    return "$_[0]\nserver { listen 127.0.0.1:%%PORT_http%%; location / {\n"
        . "flowdash_action A;\nflowdash_step S {\n$_[1]\n} } }";
}

sub refused {
    my ($name, $conf, $message) = @_;
    my ($ok, $output) = $t->test_config($conf);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(!$ok && $output =~ /\[emerg\][^\n]*$message/, "refused: $name")
        or diag($output);
    ok($output !~ $bad, "$name: no key is shown");
}

my $none = 'a key starts with "whsec_"';
my $base64 = 'after "whsec_", a key must be in standard base64';
my $padding = 'the padding of the key\'s base64 is wrong';
my $few = 'the key has fewer than 24 bytes';

$t->write_file('empty.key', '');
$t->write_file('blank.key', " \n\t\r\n");
$t->write_file('odd.key', $odd);
$t->write_file('two.key', "$whsec{http}\n$whsec{new}\n");
$t->write_file('short.key', "whsec_$short\n");
$t->write_file('large.key', "$whsec{http}\n" x 200);
chmod 0600, "$dir/$_.key" for qw(empty blank odd two short large);

for (
    [ 'no prefix', $odd, $none ],
    [ 'another prefix', "whpk_$odd", $none ],
    [ 'upper case', "WHSEC_$odd", $none ],
    [ 'nothing', '""', $none ],
    [ 'the prefix alone', 'whsec_', $few ],
    [ 'only padding', 'whsec_==', $padding ],
    [ 'not base64', "whsec_$odd!", $base64 ],
    [ 'base64url', "whsec_-_$odd", $base64 ],
    [ 'a blank', qq("whsec_ $odd"), $base64 ],
    [ 'half a quantum', "whsec_${odd}AA", $base64 ],
    [ 'too much padding', "whsec_$odd==", $padding ],
    [ 'padding within', "whsec_AA==$odd", $padding ],
    [ '23 bytes', "whsec_$short", $few ],
    [ '65 bytes', "whsec_$long", 'the key has more than 64 bytes' ],
    [ 'a file without a name', 'file:', 'after "file:", the name' ],
    [ 'a key as a file', "file:whsec_$odd", 'after "file:", the name' ],
    [ 'off and a key', "off $whsec{http}", '"off" must stand alone' ],
) {
    my ($name, $argument, $reason) = @$_;
    refused($name, http("flowdash_sign_key $argument;"),
        qr/invalid argument 1 of "flowdash_sign_key": \Q$reason\E.* (?#
            )in \Q$dir\E\/test\.conf:\d/);
}

refused('the third', http("flowdash_sign_key $whsec{http} $whsec{new} $odd;"),
    qr/invalid argument 3 of "flowdash_sign_key": \Q$none/);
refused('a key and off', http("flowdash_sign_key $whsec{http} off;"),
    qr/invalid argument 2 of "flowdash_sign_key": "off" must stand alone/);
refused('off twice', http('flowdash_sign_key off off;'),
    qr/invalid argument 1 of "flowdash_sign_key": "off" must stand alone/);
refused('nothing at all', http('flowdash_sign_key;'),
    qr/invalid number of arguments in "flowdash_sign_key"/);
refused('a missing file', http("flowdash_sign_key file:none.key;"),
    qr/"\Q$dir\E\/none\.key" failed \(2: /);
refused('a directory', http("flowdash_sign_key file:$dir;"),
    qr/no secret in "\Q$dir\E": a file of up to 4k/);
refused('a large file', http('flowdash_sign_key file:large.key;'),
    qr/no secret in "\Q$dir\E\/large\.key": a file of up to 4k/);

for ([ empty => $none ], [ blank => $none ], [ odd => $none ],
     [ two => '' ], [ short => $few ])
{
    my ($file, $reason) = @$_;
    refused("file: $file", http("flowdash_sign_key file:$file.key;"),
        qr/no key in "\Q$dir\E\/$file\.key": $reason/);
}

refused('twice', http("flowdash_sign_key $whsec{http};\n"
                      . "flowdash_sign_key $whsec{new};"),
    qr/"flowdash_sign_key" directive is duplicate/);
refused('off, and on', http("flowdash_sign_key off;\n"
                            . "flowdash_sign_key $whsec{new};"),
    qr/"flowdash_sign_key" directive is duplicate/);

for my $name (qw(webhook-id Webhook-Timestamp WEBHOOK-SIGNATURE)) {
    my $set = qq(flowdash_set_header $name "";);
    my $key = "flowdash_sign_key $whsec{http};";
    my $why = qr/"flowdash_step" "S": "flowdash_sign_key" makes the headers (?#
        )webhook-id, .*"flowdash_set_header" must not/;

    refused("$name with it", steps('', "$set $key $call"), $why);
    refused("$name with it, proxied", steps('', "$set $key $proxy"), $why);
    refused("$name with one inherited", steps($key, "$set $call"), $why);
    refused("$name inherited", steps($set, "$key $proxy"), $why);
    $t->conf_ok(steps($key, "flowdash_sign_key off; $set $call"),
        "accepted: $name with none");
}

# a file that others can read is warned of, if they get to its directory

chmod 0711, $dir;
key_file('all.key', $whsec{new}, 0644);
key_file('group.key', $whsec{new}, 0640);

for ([ all => 1 ], [ group => 0 ]) {
    my ($file, $warned) = @$_;
    my ($ok, $output)
        = $t->test_config(http("flowdash_sign_key file:$file.key;"));

    ok($ok, "accepted: $file can read it") or diag($output);
    my $warns = $output =~ /\[warn\].*"\Q$dir\E\/$file\.key" in (?#
        )"flowdash_sign_key": all users can read the secret/;
    is($warns ? 1 : 0, $warned, 'with a warning, or none');
    ok($output !~ $bad, 'and no key is shown');
}

my ($ok, $output) = $t->test_config(steps("flowdash_sign_key file:group.key;",
                                          $call), '-T');
ok($ok, 'nginx -T');
like($output, qr/flowdash_sign_key file:group\.key;/, 'shows its name');
ok($output !~ $bad, 'but no key');


# whatever was written meanwhile

$t->stop;

my @files;

find({ no_chdir => 1, wanted => sub {
    push @files, $_ if -f && !m{/(?:nginx|test)\.conf$|\.key$};
} }, $dir);

my %read = map { $_ => $t->read_file(substr $_, length "$dir/") } @files;

like($t->error_log, qr/\[debug\]/, 'the error log has what there is');
cmp_ok(length $read{"$dir/$_"}, '>', 0, "$_ is there")
    for qw(error.log access.log hook.requests test.out);
is(join(' ', grep { $read{$_} =~ $bad } @files), '', 'no file has a key');
is(scalar(grep { $_->{raw} =~ $bad } @answers), 0, 'no answer has one');

$t->done;
