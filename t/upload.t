# A browser edits a task by a form with files, in front of an app that reads it
# by a parser of its own; and an upload that is too large for anybody's memory.

use lib 't/lib';
use v5.36;
use utf8;
use Test::Flowdash;

use Digest::SHA qw(sha256_hex);
use Encode qw(encode);
use List::Util qw(all);

use Test::Flowdash::App;
use Test::Flowdash::Browser;

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output);

my $t = Test::Flowdash->new;

# Only the CRM's refusal depends on what it is told.
$t->endpoint(crm => sub ($req) {
    return { status => 422 } if $req->{body} =~ /not this one/;
    return { headers => [ 'Content-Type' => 'application/json' ],
             body => '{"task":{"due_date":"2020-02-01"}}' };
});
$t->server(app => \&Test::Flowdash::App::serve);

$t->config(<<'EOC');
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%

    map $flowdash_task_status_id $action {
        5        "Finish";
        default  "";
    }

    log_format sent '$request_method $content_length';

    server {
        listen 127.0.0.1:%%PORT_http%%;
        client_max_body_size 0;
        access_log %%DIR%%/sent.log sent;

        location /issues/ {
            flowdash_task   /issue;
            flowdash_action $action;

            flowdash_step "CRM" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/;
            }

            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /small {
            return 200 "small";
        }
    }
}
EOC

$t->run;

my $url = 'http://127.0.0.1:' . $t->port('http');
my $token = Test::Flowdash::App::TOKEN;

# The names of the form's fields, in the order of the page.
my @before = qw(utf8 _method authenticity_token issue[subject] issue[status_id]
    issue[due_date] issue[lock_version] issue[is_private]);
my @after = qw(issue[custom_field_values][1] issue[plan] issue[notes]
    attachments[1][file] attachments[1][description] commit);

# Bytes of which many look like the end of a line, of a part, or of all.
sub random_bytes ($size) {
    my $bytes = '';

    while (length $bytes < $size) {
        $bytes .= join '', map { chr rand 256 } 1 .. 1 + rand 200;
        $bytes .= ("\r\n", "\r\n--", "\r\n------WebKitFormBoundary", '--', "\0",
                   "\r", "\n", "--\r\n\r\n")[rand 8];
    }

    return substr $bytes, 0, $size;
}


subtest 'in a browser' => sub {
    plan skip_all => 'no chromium and chromedriver' unless all {
        my $name = $_;
        grep { -x "$_/$name" } split /:/, $ENV{PATH};
    } qw(chromium chromedriver);

    my $browser = Test::Flowdash::Browser->new;

    subtest 'multipart, an action' => sub { finish($browser) };
    subtest 'multipart, no action this time' => sub { edit($browser) };
    subtest 'multipart, the endpoint refuses' => sub { refused($browser) };
    subtest 'urlencoded' => sub { urlencoded($browser) };
};

# what the app got by the last submit, alone
sub stored () {
    return $t->only_request('app', 'the app got it once');
}

# what the page of the app shows of a field or file
sub shown ($browser, $name) {
    return $browser->text(qq([data-name="$name"] td));
}

sub begin ($browser, $id, $query = '') {
    $t->clear_requests($_) for qw(crm app);
    $browser->go("$url/issues/$id$query");
}

sub finish ($browser) {
    my $subject = 'Äpfel & Birnen = 1 + 1 100% 🍐 "x"; <b>';
    my $notes = "One\r\nTwo\r\n\r\n--\r\n";
    my ($file, $plan) = map { random_bytes($_) } 300_000, 20_000;
    my $name = 'naïve "plan".bin';

    my $path = $t->write_file(encode('UTF-8', $name), $file);
    my $plan_path = $t->write_file(encode('UTF-8', 'Größe.pdf'), $plan);

    begin($browser, 1);
    $browser->type('#subject', $subject);
    $browser->choose('#status', 5);
    $browser->click('#private');
    $browser->type('#custom', 'Ünïted & Co');
    $browser->attach('#plan', $plan_path);
    $browser->type('#notes', $notes =~ s/\r//gr);
    $browser->attach('#file', $path);
    $browser->type('#description', 'ÿ+%41');
    $browser->click('#submit');
    is($browser->wait('h1', qr/stored/), 'Issue 1 is stored', 'stored');

    is(shown($browser, 'issue[due_date]'), '2020-02-01', 'page: the date');
    is(shown($browser, 'issue[subject]'), $subject, 'page: the subject');
    is(shown($browser, 'attachments[1][file]'), sha256_hex($file),
        'page: the file');

    my $call = $t->only_request('crm');

    is($call->{json}{action}, 'Finish', 'the action');
    is_deeply($call->{json}{task}, {
        subject => $subject, status_id => '5', due_date => '',
        lock_version => '3', is_private => [ '0', '1' ],
        custom_field_values => { 1 => 'Ünïted & Co' }, notes => $notes,
        plan => [ { filename => 'Größe.pdf', size => 20_000,
                    contentType => 'application/pdf' } ],
    }, 'the task as the endpoint gets it');
    like($call->{body}, qr/"size":20000\}/, 'a size is a number');

    my $got = stored();

    is_deeply($got->{fields}, [
        [ 'utf8', '✓' ], [ '_method', 'patch' ],
        [ 'authenticity_token', $token ], [ 'issue[subject]', $subject ],
        [ 'issue[status_id]', '5' ], [ 'issue[due_date]', '2020-02-01' ],
        [ 'issue[lock_version]', '3' ], [ 'issue[is_private]', '0' ],
        [ 'issue[is_private]', '1' ],
        [ 'issue[custom_field_values][1]', 'Ünïted & Co' ],
        [ 'issue[notes]', $notes ],
        [ 'attachments[1][description]', 'ÿ+%41' ], [ 'commit', 'Submit' ],
    ], 'the app gets all fields as typed, and the endpoint\'s date');
    is_deeply($got->{order}, [ @before, 'issue[is_private]', @after ],
        'in their order, files included');

    # Mojolicious leaves a browser's escape of the quotes as it is
    is_deeply($got->{uploads}, [
        { name => 'issue[plan]', filename => 'Größe.pdf', size => 20_000,
          type => 'application/pdf', sha256 => sha256_hex($plan) },
        { name => 'attachments[1][file]', filename => $name =~ s/"/%22/gr,
          type => 'application/octet-stream', size => 300_000,
          sha256 => sha256_hex($file) },
    ], 'and its files');
}

sub edit ($browser) {
    my $file = random_bytes(50_000);

    begin($browser, 2);
    $browser->type('#subject', 'Größer');
    $browser->choose('#status', 1);
    $browser->type('#due', '2020-01-31');
    $browser->attach('#file', $t->write_file('plain.bin', $file));
    $browser->click('#submit');
    is($browser->wait('h1', qr/stored/), 'Issue 2 is stored', 'stored');

    $t->no_request('crm', 'nothing was called');
    is(shown($browser, 'issue[due_date]'), '2020-01-31', 'the date as typed');

    my $got = stored();

    is($got->{params}{'issue[subject]'}, 'Größer', 'the subject');
    is_deeply($got->{order}, [ @before, @after ], 'all fields');
    is($got->{uploads}[0]{size}, 0, 'no file was chosen here');
    is($got->{uploads}[1]{sha256}, sha256_hex($file), 'and one here');

    my ($sent) = reverse $t->read_file('sent.log') =~ /^POST (\d+)$/mg;
    is($got->header('Content-Length'), $sent, 'as long as it was sent');
}

sub refused ($browser) {
    begin($browser, 2);
    $browser->type('#subject', 'not this one');
    $browser->choose('#status', 5);
    $browser->attach('#file', $t->write_file('refused.bin', 'refused'));
    $browser->click('#submit');

    like($browser->wait('h1', qr/Finish/), qr/Finish/,
        'the error page names the action');
    like($browser->text('body'), qr/CRM/, 'and the step');
    $t->only_request('crm', 'the endpoint was called');
    $t->no_request('app', 'the app was not');

    $browser->go("$url/issues/2");
    is($browser->script('return document.querySelector("#subject").value'),
        'Größer', 'the subject is still the old one');
    is($browser->script('return document.querySelector("#due").value'),
        '2020-01-31', 'so is the date');
}

sub urlencoded ($browser) {
    my $subject = 'Äpfel & Birnen = 1 + 1 100% 🍐 "x"; <b>';

    begin($browser, 3, '?enctype=application/x-www-form-urlencoded');
    $browser->type('#subject', $subject);
    $browser->choose('#status', 5);
    $browser->attach('#file', $t->write_file('by-name.bin', 'x'));
    $browser->click('#submit');
    is($browser->wait('h1', qr/stored/), 'Issue 3 is stored', 'stored');
    is(shown($browser, 'issue[due_date]'), '2020-02-01', 'the date');

    my $got = stored();

    is($got->header('Content-Type'), 'application/x-www-form-urlencoded',
        'Content-Type');
    is_deeply([ map { $_->[0] } @{ $got->{fields} } ], [ @before, @after ],
        'the fields in their order');
    is($got->{params}{'issue[subject]'}, $subject, 'the subject as typed');
    is($got->{params}{utf8}, '✓', 'a field beside the task');
    is($got->{params}{authenticity_token}, $token, 'and another');
    is($got->{params}{'attachments[1][file]'}, 'by-name.bin', 'a file\'s name');
}


# The app asks for the token in the body, where the menu has it.

subtest 'a context menu: the fields are in the query' => sub {
    my @urlencoded = (headers => [
        'Content-Type' => 'application/x-www-form-urlencoded' ],
        body => '_method=patch&authenticity_token=' . $token =~ s/\+/%2B/r);

    for my $case ([ 'a date to be', '' ], [ 'an empty date',
                                          '&issue%5Bdue_date%5D=&back=%2F' ])
    {
        my ($name, $more) = @$case;

        $t->clear_requests($_) for qw(crm app);

        my $res = $t->request('POST',
            "/issues/3?ids[]=3&issue%5Bstatus_id%5D=5$more", @urlencoded);

        is($res->{status}, 200, "$name: answer");

        my $call = $t->only_request('crm');
        is($call->{json}{task}{status_id}, '5', "$name: payload");

        my $got = stored();
        is($got->{params}{'issue[due_date]'}, '2020-02-01', "$name: the date");
        is($got->{params}{'issue[status_id]'}, '5', "$name: the status");
        is($got->{params}{'ids[]'}, '3', "$name: what is no field");
        is($got->{params}{authenticity_token}, $token, "$name: the token");
    }
};


# The last bytes are sent while the worker is stopped, and requests on other
# connections behind them: all of them wait for the worker when it goes on, in
# this order.

use constant TIOCOUTQ => 0x5411;    # tcp(7), SIOCOUTQ: bytes without an ack

# until the worker's side of the connection has all that was sent
sub delivered ($socket) {
    $t->wait_for(sub {
        my $queued = pack 'i', 0;
        ioctl($socket, TIOCOUTQ, $queued) or die "ioctl: $!\n";
        return !unpack 'i', $queued;
    }) or fail('all is delivered');
}

subtest '64 MB' => sub {
    my $boundary = 'xxBOUNDARYxx';
    my @block = map { random_bytes(1 << 20) } 1 .. 2;
    my $others = 8;

    my $field = sub ($name, $value) {
        return "--$boundary\r\nContent-Disposition: form-data; "
            . qq(name="$name"\r\n\r\n$value\r\n);
    };
    my $head = $field->('authenticity_token', $token)
        . $field->('issue[status_id]', 5)
        . "--$boundary\r\nContent-Disposition: form-data; "
        . 'name="attachments[1][file]"; filename="large.bin"' . "\r\n"
        . "Content-Type: application/octet-stream\r\n\r\n";
    my $tail = "\r\n" . $field->('issue[due_date]', '2020-01-31')
        . $field->('issue[notes]', 'behind the file') . "--$boundary--\r\n";

    # the file is so many times the block, with a boundary that is none
    my $upload = sub ($mbytes, $before_end = sub { }) {
        my $sha = Digest::SHA->new(256);
        my $socket = $t->connect;
        my $length = length($head) + ($mbytes << 20) + length $tail;

        $t->clear_requests($_) for qw(crm app);
        print $socket "POST /issues/1 HTTP/1.1\r\nHost: localhost\r\n",
            "Content-Type: multipart/form-data; boundary=$boundary\r\n",
            "Content-Length: $length\r\nConnection: close\r\n\r\n", $head;

        for my $n (1 .. $mbytes) {
            substr $block[$n % 2], 17 * $n, length($boundary) + 4,
                "\r\n--" . substr($boundary, 0, -1) . chr($n % 256);
            $sha->add($block[$n % 2]);
            print $socket $block[$n % 2];
        }

        $socket->flush;
        $before_end->($length - length $tail);
        print $socket $tail;
        $socket->flush;
        delivered($socket);

        return ($socket, $sha->hexdigest);
    };

    my ($worker) = $t->worker_pids;

    my $proc = sub ($file) {
        open my $fh, '<', "/proc/$worker/$file" or die "$file: $!\n";
        local $/;
        return readline $fh;
    };
    my $peak = sub { return $proc->('status') =~ /^VmHWM:\s+(\d+) kB/m && $1 };

    my $check = sub ($sha, $mbytes, $answer) {
        like($answer, qr{\AHTTP/1.1 200 }, "$mbytes MB: answer");

        my $call = $t->only_request('crm');
        is_deeply($call->{json}{task}, { status_id => '5',
            due_date => '2020-01-31', notes => 'behind the file' },
            "$mbytes MB: payload");

        my $got = stored();
        is($got->{params}{'issue[due_date]'}, '2020-02-01',
            "$mbytes MB: the date");
        is($got->{params}{'issue[notes]'}, 'behind the file',
            "$mbytes MB: another field");
        is($got->{uploads}[0]{size}, $mbytes << 20, "$mbytes MB: the size");
        is($got->{uploads}[0]{sha256}, $sha, "$mbytes MB: the checksum");
    };

    my ($socket, $sha) = $upload->(1);
    $check->($sha, 1, do { local $/; readline $socket });

    my $warm = $peak->();
    my @others = map { $t->connect } 1 .. $others;

    ($socket, $sha) = $upload->(64, sub ($length) {
        # nginx has all of it, but for a buffer, in a file without a name
        $t->wait_for(sub {
            grep { (readlink $_ // '') =~ /client_body_temp/ && -s $_ > $length - 32_768 }
                glob "/proc/$worker/fd/*";
        }) or fail('nginx has the body');
        delivered($socket);
        kill STOP => $worker;
        $t->wait_for(sub { $proc->('stat') =~ /^\d+ \(.*\) T /s });
    });
    $_->syswrite("GET /small HTTP/1.0\r\n\r\n") for @others;
    delivered($_) for @others;
    kill CONT => $worker;

    my @answers = map { my $other = $_; local $/; readline $other } @others;
    is(scalar(grep { /\r\n\r\nsmall\z/ } @answers), $others,
        'small requests are answered');

    $check->($sha, 64, do { local $/; readline $socket });

    # debug lines of the worker: each of its turns at the body, and what it did
    # between the first and the last
    my ($id) = reverse $t->error_log =~ /\*(\d+) flowdash action begins/g;
    my ($turns) = $t->error_log =~ /\*$id\ flowdash\ action\ begins\n
        (.*)\*$id\ flowdash\ step\ "CRM"\ starts/xs;
    my @turns = split /\*$id flowdash action handler, state:/, $turns // '';

    cmp_ok(scalar @turns, '>', 32, 'the body is read in many turns');
    is(scalar(grep { /"GET \/small/ } map { /(http request line: .*)/g }
                  @turns[1 .. $#turns - 1]),
        $others, 'the small requests have theirs between them');

    SKIP: {
        skip 'a sanitizer has memory of its own', 1
            if $proc->('maps') =~ /lib[a-z]+san\.so/;
        cmp_ok($peak->() - $warm, '<', 4096, 'kB more memory for 64 MB');
    }
};

$t->done;
