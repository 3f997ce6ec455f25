# The receivers in docs/endpoints.md, as an endpoint's developer pastes them:
# each is called by nginx, and by callers who must not be believed.

use FindBin;
use lib "$FindBin::Bin/lib";
use feature 'signatures';
no warnings 'experimental::signatures';
use Test::Flowdash;

use Digest::SHA qw(hmac_sha256_base64);
use MIME::Base64;

my $t = Test::Flowdash->new;
my $page = do {
    open my $file, '<', "$FindBin::Bin/../docs/endpoints.md" or die "$!\n";
    local $/;
    readline $file;
};

my %receiver = (
    node => { block => 'js', file => 'receiver.mjs', run => [qw(node)] },
    python => { block => 'python', file => 'receiver.py',
                run => [qw(/usr/bin/python3)] },
    php => { block => 'php', file => 'receiver.php' },
    go => { block => 'go', file => 'receiver.go', run => [qw(go run)] },
);

for my $name (sort keys %receiver) {
    my $receiver = $receiver{$name};
    my $program = $name eq 'python' ? '/usr/bin/python3' : $name;

    $receiver->{here} = -x $program
        || grep { -x "$_/$program" } split /:/, $ENV{PATH};
    $receiver->{port} = $t->port("$name receiver");
    $receiver->{run} //= [ 'php', '-S', "127.0.0.1:$receiver->{port}" ];
}

my $secret = 'whsec_' . encode_base64('0123456789abcdef' x 2, '');
my $key_file = $t->write_file('flowdash.key', "$secret\n");
chmod 0600, $key_file;

# the block is what a reader pastes, but for its port and its files
sub block ($kind, %option) {
    my ($text) = $page =~ /^```$kind\n(.*?)^```$/ms
        or die "docs/endpoints.md has no block of $kind\n";

    $text =~ s{/etc/crm/flowdash\.key}{$key_file}g;
    $text =~ s{/var/lib/crm/answers\.json}{$t->dir . '/answers.json'}ge;
    $text =~ s/\b8080\b/$option{port}/g;

    # only here: they listen for everybody
    $text =~ s/listen\($option{port}\)/listen($option{port}, '127.0.0.1')/;
    $text =~ s/\('', $option{port}\)/('127.0.0.1', $option{port})/;
    $text =~ s/":$option{port}"/"127.0.0.1:$option{port}"/;

    return $text;
}

my @here = grep { $receiver{$_}{here} } sort keys %receiver;

for my $name (@here) {
    my ($receiver, $path) = $receiver{$name};

    $path = $t->write_file($receiver->{file},
                           block($receiver->{block}, port => $receiver->{port}));
    $t->server($name => sub ($listen, $record) {
        local $ENV{HOME} = $t->dir;            # go's cache
        open STDERR, '>>', $t->dir . "/$name.log" or die "$name: $!\n";
        exec @{ $receiver->{run} }, $path or die "$name: $!\n";
    });
}

$t->endpoint(app => { body => 'app' });
$t->config(join '', map { <<"EOC" } @here);
    location = /$_ {
        flowdash_methods      POST;
        flowdash_action       "Finish";
        flowdash_pass_status  422;
        flowdash_error_detail on;

        flowdash_step "CRM" {
            flowdash_call     http://127.0.0.1:$receiver{$_}{port}/hooks;
            flowdash_sign_key file:$key_file;
        }

        proxy_pass http://127.0.0.1:%%PORT_app%%/$_;
    }
EOC
$t->run;

my $genuine = '{"action":"Finish","user":{"id":"a"},"task":{"Stage":"Done"}}';

# answered by the receiver itself; "signed" is what is signed, the body if not
sub ask ($name, %option) {
    my $id = $option{id} // 'id-1';
    my $time = $option{time} // time;
    my $body = $option{body} // $genuine;
    my $signed = $option{signed} // $body;

    my $mac = hmac_sha256_base64("$id.$time.$signed",
        decode_base64(($option{secret} // $secret) =~ s/^whsec_//r));
    $mac .= '=' while length($mac) % 4;

    my $headers = [
        'Content-Type' => 'application/json',
        $option{bare} ? () : ('webhook-id' => $id, 'webhook-timestamp' => $time,
            'webhook-signature' => ($option{before} // '') . "v1,$mac"),
        $option{undo} ? ('Flowdash-Undo' => qq("$option{undo}")) : (),
    ];

    my $res = $t->request('POST', '/hooks', body => $body,
        headers => $headers, port => $receiver{$name}{port});
    return $res;
}

for my $name (sort keys %receiver) {
    subtest $name => sub {
        plan skip_all => "there is no $name" if !$receiver{$name}{here};
        try_out($name);
    };
}

sub try_out ($name) {
    $t->wait_for(sub {
        IO::Socket::INET->new(PeerAddr => "127.0.0.1:$receiver{$name}{port}");
    }) or return fail("$name listens") || diag($t->read_file("$name.log"));

    my $act = sub ($task) {
        return $t->request('POST', "/$name", headers => [
            'Content-Type' => 'application/json',
            Accept => 'application/json' ], body => qq({"task":$task}));
    };

    my $res = $act->('{"Stage":"Done","Expected Close Date":null}');
    is($res->{status}, 200, 'nginx calls it, and the app');
    is_deeply($t->only_request('app')->json->{task},
        { Stage => 'Done', 'Expected Close Date' => '2020-02-01' },
        'with the change');

    $res = $act->('{"Stage":""}');
    is($res->{status}, 422, 'it says no');
    is($res->json->{message}, 'The stage is missing.', 'and why');
    $t->no_request('app');

    is(ask($name)->{status}, 200, 'a call that is signed');
    is(ask($name, before => 'v1,AAAA v2,x ')->{status}, 200,
        'one of several signatures fits');

    my $again = ask($name, body => $genuine =~ s/Done//r);
    is($again->{status}, 200, 'the same id: the answer of the first call');
    like($again->{body}, qr/2020-02-01/, 'with its body');

    my %forged = (
        'no headers' => { bare => 1 },
        'another body' => { signed => "$genuine " },
        'another key' => { secret => 'whsec_' . encode_base64('x' x 32, '') },
        'old' => { time => time - 301 },
        'from the future' => { time => time + 400 },
        'a time that is none' => { time => 'now' },
        'an empty time' => { time => '' },
        'an empty list' => { before => ' , v1 ,,v1, ', secret => 'whsec_AAAA' },
    );

    is(ask($name, %{ $forged{$_} })->{status}, 401, "refused: $_")
        for sort keys %forged;

    # the contract of an undo; "e1" is an execution

    my $undo = sub ($undone, $id) {
        return ask($name, id => $id, undo => $undone)->{status};
    };

    is(ask($name, id => 'e1-step')->{status}, 200, 'a step');
    like($undo->('e1-step', 'e1-undo'), qr/^20[04]$/, 'is undone');
    is(ask($name, id => 'e1-step')->{status}, 409, 'it cannot come again');
    like($undo->('e1-step', 'e1-undo'), qr/^20[04]$/, 'the undo can');

    like($undo->('e2-step', 'e2-undo'), qr/^20[04]$/,
        'an undo that has overtaken its step');
    is(ask($name, id => 'e2-step')->{status}, 409, 'the step is refused');
    is(ask($name, id => 'e2-other')->{status}, 200, 'but no other one');

    is($undo->('e3-step', 'e4-undo'), 401, 'an undo of another execution');
    is(ask($name, id => 'e3-step')->{status}, 200, 'undoes nothing');

    # the page's own way to try it

    my $script = $t->write_file('try.sh',
        block('sh', port => $receiver{$name}{port}));
    my $output = `sh $script 2>&1`;
    like($output, qr/^HTTP\S+ 200\b/m, 'tried by the shell');
    like($output, qr/2020-02-01/, 'with the change');
}

$t->done;
