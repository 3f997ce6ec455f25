# The demo: started as a user does, walked through by HTTP, by the commands that
# it prints, and in a browser; and nothing is left of it.

use lib 't/lib';
use v5.36;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use List::Util qw(all);
use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);

use Test::Flowdash::Browser;
use Test::Flowdash::Npm;

my $demo = abs_path(dirname(__FILE__)) . '/demo';

my $dir = tempdir(CLEANUP => 1);
my $tmp = "$dir/tmp";           # for the demo; root's has workers of nobody's
mkdir $tmp;
chmod 0711, $dir, $tmp;

my $http = HTTP::Tiny->new(no_proxy => ['127.0.0.1']);
my @started;


# Start the demo; it leads a process group, as it does in a terminal.

sub start (%env) {
    my $out = "$dir/out-" . @started;

    my $pid = fork // die "fork: $!\n";

    if (!$pid) {
        setpgrp;
        $SIG{INT} = 'DEFAULT';
        %ENV = (%ENV, TMPDIR => $tmp, NGINX => $ENV{FLOWDASH_NGINX} // '',
                %env);
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $out;
        open STDERR, '>&', \*STDOUT;
        exec "$demo/run" or POSIX::_exit(127);
    }

    my $run = { pid => $pid, out => $out };
    push @started, $run;

    for (my $end = time + 300; time < $end; sleep 0.05) {
        ($run->{url}) = output($run) =~ m{(http://127\.0\.0\.1:\d+)/\n};
        last if $run->{url} && output($run) =~ /^Ctrl-C/m;
        last if has_ended($run);
    }

    return $run;
}

sub output ($run) {
    open my $fh, '<', $run->{out} or return '';
    local $/;
    return readline($fh) // '';
}

# the output, as soon as it matches

sub wait_for ($run, $pattern) {
    for (my $end = time + 60; time < $end; sleep 0.05) {
        return output($run) if output($run) =~ $pattern;
    }

    return output($run);
}

# the lines of a log that the demo serves, as soon as there are so many

sub lines_of ($name, $n) {
    my @lines;

    for (my $end = time + 60; time < $end; sleep 0.05) {
        @lines = split /\n/, $http->get("$started[0]{url}/$name")->{content};
        last if @lines >= $n;
    }

    return @lines;
}

# whether it has ended, or does so in time

sub ends ($run) {
    for (my $end = time + 60; time < $end; sleep 0.05) {
        return 1 if has_ended($run);
    }

    return 0;
}

sub has_ended ($run) {
    if (!exists $run->{status} && waitpid($run->{pid}, WNOHANG) > 0) {
        $run->{status} = $?;
    }

    return exists $run->{status};
}

sub listens ($url) {
    return !!IO::Socket::INET->new(PeerAddr => $url =~ s{^http://}{}r);
}

END {
    local $?;
    kill KILL => -$_->{pid} for grep { !has_ended($_) } @started;
}


my $run = start();
my $url = $run->{url} // BAIL_OUT("the demo does not start:\n" . output($run));

my ($finish, $reject, $form, $show, $happened) = map { s/^    //mgr }
    output($run) =~ /((?:^    .*\n)+)/mg;

my $first = $http->get("$url/tasks/1.json")->{content};


subtest 'by the commands printed' => sub {
    my $answer = qx{$finish};

    like($answer, qr{\AHTTP/1.1 204 }, 'finish');

    my $expected = $first =~ s/Negotiation/Completed/r
        =~ s/2020-01-31/2020-02-01/r;

    is(qx{$show}, $expected, 'the app has the changed date, nothing else');

    my $shown = wait_for($run, qr/\A(?=.*^CRM: )(?=.*^Billing: )(?#
        )(?=.*^Task app: PUT)(?=.*^Gateway: )/ms);
    my $received = qr/received \{\s*"action":\s*"Finish"/;

    like($shown, qr{^CRM: POST /tasks/1/finished answered 200; $received}m,
        'the terminal shows the call of the CRM');
    like($shown, qr{^Billing: POST /invoices answered 200; $received}m,
        'and of billing');
    like($shown, qr{^Task app: PUT /tasks/1/finish answered 204$}m,
        'and the app\'s');
    like($shown, qr{^Gateway: PUT /tasks/1/finish answered 204; action }m,
        'and what came of it');
    like($shown, qr{; action "Finish" ok, steps 200 : 200 in }, 'in detail');

    $answer = qx{$reject};

    like($answer, qr{\AHTTP/1.1 502 }, 'reject');
    like($answer, qr{^Content-Type: application/problem\+json\r$}m,
        'problem+json');

    my $problem = decode_json($answer =~ s/.*\r\n\r\n//sr);

    is($problem->{status}, 502, 'its status');
    is($problem->{action}, 'Reject', 'its action');
    is($problem->{step}, 'Update CRM', 'its step');

    is(qx{$show}, $expected, 'the task is unchanged');
};


subtest 'what the endpoints received' => sub {
    my @calls = map { decode_json($_) } lines_of('calls.jsonl', 4);

    is(join(', ', map { "$_->{who} $_->{status}" } @calls),
        'CRM 200, Billing 200, Task app 204, CRM 503', 'who was called');

    my %contract = (
        action => 'Finish',
        user => { id => 'abc123', email => 'user@example.com',
                  first_name => 'Example', last_name => 'User' },
        task => { %{ decode_json($first)->{task} }, Stage => 'Completed' },
    );

    is_deeply(decode_json($calls[0]{body}), \%contract, 'the CRM');

    $contract{task}{'Expected Close Date'} = '2020-02-01';

    is_deeply(decode_json($calls[1]{body}), \%contract, 'billing');
};


subtest 'what happened' => sub {
    lines_of('journal.jsonl', 2);

    my ($metrics, $flows, $journal) = map { scalar qx{$_} }
        split /\n/, $happened;

    like($metrics, qr/^flowdash_actions_succeeded_total\{action="Finish"} 1$/m,
        'the metrics have the action that was carried out');
    like($metrics, qr/^flowdash_steps_failed_total\{action="Reject",
                       step="Update\ CRM",reason="status"}\ 1$/mx,
        'and the step that failed');

    is_deeply([ map { "$_->{action}, $_->{step}: $_->{reason}" }
                @{ decode_json($flows)->{failures} } ],
        [ 'Reject, Update CRM: status' ], 'the failure, as JSON');

    my @journal = map { decode_json($_) } split /\n/, $journal;

    is(join(', ', map { "$_->{action} $_->{result}" } @journal),
        'Finish ok, Reject failed', 'the journal');
    is($journal[0]{steps}, 'Update CRM : Notify billing', 'its steps');
    is($journal[1]{failed_step}, 'Update CRM', 'where it stopped');
    is($journal[1]{id}, decode_json($flows)->{failures}[0]{id},
        'by the same id');

    my $page = $http->get("$url/")->{content};

    for my $link (qw(flows metrics flows.json journal.jsonl)) {
        like($page, qr/<a href="\Q$link\E"/, "the page leads to $link");
        ok($http->get("$url/$link")->{success}, 'which is there');
    }

    for my $link (qw(flows journal.jsonl)) {
        like(output($run), qr{ \Q$url/$link\E$}m, "$link is printed");
    }
};


subtest 'a form' => sub {
    my $stored = qr{<th scope="row">Expected Close Date</th>\s+<td>}
        . '2020-02-01</td>';

    like(qx{$form}, qr/$stored/, 'the app has the CRM\'s date');
    like(wait_for($run, qr/^Task app: POST/m),
        qr{^Task app: POST /tasks/1 answered 200$}m,
        'the terminal shows that the app was called, and not the file');

    my $edit = $form =~ s/Completed/Negotiation/r;
    my $calls = () = output($run) =~ /^CRM: /mg;

    unlike(qx{$edit}, qr/2020-02-01/, 'no action: the date as it was sent');
    is(scalar(() = output($run) =~ /^CRM: /mg), $calls, 'nothing is called');

    # more than the app's buffer, which it needs not to lose
    my $large = "$dir/large";
    open my $fh, '>', $large or die "$large: $!\n";
    print $fh 'x' x 2_000_000;
    close $fh;

    my $answer = qx{${\ ($form =~ s{/etc/hostname}{$large}r)}};

    like($answer, qr/received 2000\d+ bytes/, 'a large file');
    is($http->get("$url/tasks/1")->{url}, "$url/form.html",
        'reloaded, it is the form again');
};


subtest 'a browser is told in HTML' => sub {
    my $answer = $http->put("$url/tasks/1/reject", { content => $first,
        headers => { 'Accept' => 'text/html,*/*;q=0.8',
                     'Content-Type' => 'application/json' } });

    is($answer->{status}, 502, 'status');
    like($answer->{headers}{'content-type'}, qr{^text/html}, 'HTML');
    like($answer->{content}, qr/Reject/, 'the action');
    like($answer->{content}, qr/Update CRM/, 'the step');
    unlike($answer->{content}, qr/127\.0\.0\.1|maintenance/,
        'nothing internal');
};


subtest 'in a browser' => sub {
    plan skip_all => 'no chromium and chromedriver' unless all {
        my $name = $_;
        grep { -x "$_/$name" } split /:/, $ENV{PATH};
    } qw(chromium chromedriver);

    for my $look ([ 'wide, light' ], [ '360 pixels, dark', width => 360,
                                       height => 740, dark => 1 ])
    {
        my ($name, %option) = @$look;

        subtest $name => sub { walk(Test::Flowdash::Browser->new(%option)) };
    }
};

sub accessible ($browser, $what) {
    SKIP: {
        skip 'there is no axe-core', 1 if !npm_modules('axe-core');
        is(join("\n", $browser->axe), '', "$what: axe-core finds nothing");
    }
}

sub walk ($browser) {
    my $stage = '[data-field="Stage"] td';
    my $date = '[data-field="Expected Close Date"]';

    $browser->go("$url/");
    is($browser->wait('h1', qr/\w/), 'Acme Corp', 'the task');

    $browser->click('#reset');
    is($browser->wait($stage, qr/^Neg/), 'Negotiation', 'its stage');
    is($browser->wait("$date td", qr/^2020-01/), '2020-01-31', 'its date');

    $browser->click('#finish');
    is($browser->wait('#status', qr/^Finish: [a-z]/), 'Finish: done.',
        'finish');
    like($browser->text($stage), qr/^Completed/, 'the new stage');
    is($browser->text("$date.by-step td"),
        "2020-02-01\nchanged by a step, was 2020-01-31", 'the new date');
    is($browser->text('#calls li:nth-child(1) b'), 'CRM', 'first call');
    is($browser->text('#calls li:nth-child(2) b'), 'Billing', 'second call');
    is($browser->text('#calls li:nth-child(3) b'), 'Task app', 'third call');
    like($browser->text('#calls li:nth-child(2)'), qr/answered 200/, 'answer');

    $browser->click('#calls li:nth-child(2) summary');
    like($browser->text('#calls li:nth-child(2) pre'),
        qr/"Expected Close Date": "2020-02-01"/,
        'the second step was sent the new date');

    my $wider = 'return document.documentElement.scrollWidth > innerWidth';
    ok(!$browser->script($wider), 'no scrolling to the side');
    accessible($browser, 'the demo\'s page');

    $browser->click('#reject');
    $browser->frame('#failed iframe');
    like($browser->wait('h1', qr/\w/), qr/Reject/, 'the error page\'s heading');
    like($browser->text('body'), qr/Update CRM/, 'the error page\'s step');
    ok(!$browser->script($wider), 'it needs no scrolling to the side');
    $browser->frame;
    is($browser->text('#failed-title'), 'Answer: 502 Bad Gateway', 'title');

    $browser->click('#back');
    is($browser->wait('#status', qr/unchanged/),
        'Reject: failed. The task is unchanged.', 'the task is unchanged');
    is($browser->text($stage), 'Completed', 'it is');
    like($browser->text('#calls'), qr/\ACRM\n.*503\nWhat it received\z/s,
        'only the CRM was called');

    $browser->go("$url/flows");
    is($browser->wait('h1', qr/\w/), 'Flows', 'the flows');
    like($browser->text('li.bad'), qr/^Update CRM\n.*stops here: answered 503/s,
        'where an action stops');
    ok(!$browser->script($wider), 'they need no scrolling to the side');
    accessible($browser, 'the flows');
    $browser->go("$url/");
    $browser->wait('h1', qr/\w/);

    fill_in($browser);
    ok(!$browser->script($wider), 'nor does the form\'s answer');

    $browser->go("$url/");
    $browser->wait('h1', qr/\w/);

    $http->put("$url/tasks/1/finish", { content => $first,
        headers => { 'Content-Type' => 'application/json' } });
    $browser->script('window.dispatchEvent(new Event("focus"))');
    like($browser->wait('#calls', qr/invoices/), qr{/tasks/1/finish\n},
        'back from the terminal, it shows the calls made meanwhile');
}


sub fill_in ($browser) {
    my $date = '[data-field="Expected Close Date"] td';

    $browser->click('#plain');
    is($browser->wait('h1', qr/^Edit/), 'Edit Acme Corp', 'the form');
    ok(!$browser->script('return document.documentElement.scrollWidth
                          > innerWidth'), 'it needs no scrolling either');

    $browser->type('#date', '2020-03-01');
    $browser->click('#save');
    $browser->wait('h1', qr/received/);
    is($browser->text($date), '2020-03-01', 'no action: the date typed');

    $browser->click('main > p a');
    $browser->choose('#stage', 'Completed');
    $browser->attach('#file', "$demo/html/task.json");
    $browser->click('#save');
    is($browser->wait($date, qr/^2020-02/), '2020-02-01',
        'an action: the CRM\'s date');
    is($browser->text('[data-field="Stage"] td'), 'Completed', 'the stage');
    is($browser->text('[data-field="Attach"] td'), 'task.json', 'the file');
    $browser->click('summary');
    like($browser->text('pre'), qr/"Stage": "Negotiation"/, 'its content');
}


subtest 'a second demo, and a third on the first one\'s port' => sub {
    my $second = start();

    ok($second->{url}, 'the second one starts');
    isnt($second->{url}, $url, 'on another port');
    kill TERM => $second->{pid};
    ok(ends($second), 'it ends on SIGTERM');
    is($second->{status}, 0, 'with success');
    ok(!kill(0 => -$second->{pid}), 'no process is left');

    my $third = start(PORT => $url =~ s/.*://r);

    ok($third->{status}, 'the third one does not start');
    like(output($third), qr/Address already in use/, 'and says why');
    ok(!kill(0 => -$third->{pid}), 'no process is left of it');
};


unlike(output($run), qr/\[(?:alert|emerg|crit)\]|Sanitizer|runtime error/,
    'nothing alarming in the log');

kill INT => -$run->{pid};
ok(ends($run), 'Ctrl-C ends it');
is($run->{status}, 0, 'with success');
ok(!kill(0 => -$run->{pid}), 'no process is left');
ok(!listens($url), 'nobody listens');
is(join(' ', glob "$tmp/*"), '', 'no file is left');

done_testing();
