# The demo: started as a user does, walked through by HTTP, by the commands that
# it prints, and in a browser; and nothing is left of it.
#
#   FLOWDASH_SHOTS  the directory in which README's picture of an action is left

use lib 't/lib';
use v5.36;
use utf8;

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

binmode $_, ':utf8' for map { Test::More->builder->$_ }
    qw(output failure_output todo_output);

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

    my $shown = wait_for($run, qr/^Finish: .*^  Task app .*\n/ms);
    my $told = '\{"action":"Finish","user":\{"id":"abc123",.*?"task":\{'
        . '"Stage":"Completed",.*"Expected\ Close\ Date":';

    like($shown, qr{^Finish:\ ok,\ the\ task\ app\ answered\ 204\n
        \ \ Update\ CRM\ {6}POST\ /tasks/1/finished\ answered\ 200\n
        \ {18}received\ $told"2020-01-31"\}\}\n
        \ {18}answered\ \{"task":\{"Expected\ Close\ Date":"2020-02-01"\}\}\n
        \ {18}changed\ \ Expected\ Close\ Date:\ "2020-01-31"\ ->\ "2020-02-01"\n
        \ \ Notify\ billing\ \ POST\ /invoices\ answered\ 200\n
        \ {18}received\ $told"2020-02-01"\}\}\n
        \ {18}answered\ ok\n
        \ {18}changed\ \ nothing\n
        \ \ Task\ app\ {8}PUT\ /tasks/1/finish\ answered\ 204\n}mx,
        'the terminal shows the calls, and what they have changed');

    $answer = qx{$reject};

    like($answer, qr{\AHTTP/1.1 422 }, 'reject');
    like($answer, qr{^Content-Type: application/problem\+json\r$}m,
        'problem+json');

    my $problem = decode_json($answer =~ s/.*\r\n\r\n//sr);

    is($problem->{status}, 422, 'its status');
    is($problem->{action}, 'Reject', 'its action');
    is($problem->{step}, 'Update CRM', 'its step');
    is($problem->{message}, 'The contract is already signed',
        'what the CRM says');

    like(wait_for($run, qr/^Reject: .*not called\.$/ms),
        qr{^Reject:\ failed\ on\ Update\ CRM,\ the\ user\ got\ 422\n
        \ \ Update\ CRM\ {6}POST\ /tasks/1/rejected\ answered\ 422\n
        \ {18}received\ .*\n
        \ {18}answered\ \{"message":"The\ contract\ is\ already\ signed"\}\n
        \ \ The\ task\ app\ was\ not\ called\.\n}mx,
        'the terminal shows where the action has stopped');
    like(wait_for($run, qr/^The gateway's error log:/m),
        qr/^The gateway's error log:\n  .*flowdash: action "Reject" failed/m,
        'and what the gateway has logged');

    is(qx{$show}, $expected, 'the task is unchanged');
};


subtest 'what the endpoints received' => sub {
    my @calls = map { decode_json($_) } lines_of('calls.jsonl', 4);

    is(join(', ', map { "$_->{who} $_->{status}" } @calls),
        'CRM 200, Billing 200, Task app 204, CRM 422', 'who was called');

    my %contract = (
        action => 'Finish',
        user => { id => 'abc123', email => 'user@example.com',
                  first_name => 'Example', last_name => 'User' },
        task => { %{ decode_json($first)->{task} }, Stage => 'Completed' },
    );

    is_deeply(decode_json($calls[0]{received}), \%contract, 'the CRM');

    $contract{task}{'Expected Close Date'} = '2020-02-01';

    is_deeply(decode_json($calls[1]{received}), \%contract, 'billing');
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

    for my $link (qw(flows metrics flows.json journal.html)) {
        like($page, qr/<a href="\Q$link\E"/, "the page leads to $link");
        ok($http->get("$url/$link")->{success}, 'which is there');
    }

    for my $link (qw(flows journal.html)) {
        like(output($run), qr{ \Q$url/$link\E$}m, "$link is printed");
    }
};


subtest 'a form' => sub {
    my $stored = qr{<th scope="row">Expected Close Date</th>\s+<td>}
        . '2020-02-01</td>';

    like(qx{$form}, qr/$stored/, 'the app has the CRM\'s date');
    like(wait_for($run, qr/^Finish: ok, .*answered 200\n(?:  .*\n)+/m),
        qr{^Finish:\ ok,\ the\ task\ app\ answered\ 200\n
        \ \ Update\ CRM\ .*\n
        \ {18}received\ .*\n
        \ {18}answered\ .*\n
        \ {18}changed\ .*"2020-01-31"\ ->\ "2020-02-01"\n
        \ \ Task\ app\ {8}POST\ /tasks/1\ answered\ 200\n\n?}mx,
        'the terminal shows that the app was called, and not the file');

    my $edit = $form =~ s/Completed/Negotiation/r;
    my $calls = lines_of('calls.jsonl', 6);

    unlike(qx{$edit}, qr/2020-02-01/, 'no action: the date as it was sent');
    is(scalar(lines_of('calls.jsonl', 7)), $calls + 1, 'only the app is called');
    like(wait_for($run, qr/^No action/m), qr{^No\ action:\ the\ task\ app\ got
        \ POST\ /tasks/1,\ and\ answered\ 200\n}mx, 'the terminal says so');

    my $veto = $form =~ s/Completed/Rejected/r;

    like(qx{$veto}, qr/was not carried out/, 'an action that stops');
    is(scalar(lines_of('calls.jsonl', 8)), $calls + 2, 'the app is not called');

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

    is($answer->{status}, 422, 'status');
    like($answer->{headers}{'content-type'}, qr{^text/html}, 'HTML');
    like($answer->{content}, qr/Reject/, 'the action');
    like($answer->{content}, qr/Update CRM/, 'the step');
    unlike($answer->{content}, qr/127\.0\.0\.1|maintenance/,
        'nothing internal');
};


subtest 'in a browser' => sub {
    plan skip_all => 'no chromium and chromedriver' unless has_browser();

    for my $look ([ 'wide, light' ], [ '360 pixels, dark', width => 360,
                                       height => 740, dark => 1 ])
    {
        my ($name, %option) = @$look;

        subtest $name => sub { walk(Test::Flowdash::Browser->new(%option)) };
    }
};

subtest 'README\'s picture' => sub {
    plan skip_all => 'no chromium and chromedriver' unless has_browser();

    my $shots = $ENV{FLOWDASH_SHOTS} // $dir;

    take_picture("$shots/action.png");
    take_picture("$dir/again.png");
    ok(bytes("$shots/action.png") eq bytes("$dir/again.png"),
        'is the same when it is taken again');
    cmp_ok(-s "$shots/action.png", '<=', 150_000, 'is small');
};

sub has_browser () {
    return all {
        my $name = $_;
        grep { -x "$_/$name" } split /:/, $ENV{PATH};
    } qw(chromium chromedriver);
}

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
    is($browser->text('#calls h3'), 'Finish ✓ carried out', 'its calls');
    is($browser->text('#calls ol'), join("\n",
        'Update CRM', 'POST /tasks/1/finished', '✓ answered 200',
        'changed Expected Close Date: 2020-01-31 → 2020-02-01',
        'What it received and answered',
        'Notify billing', 'POST /invoices', '✓ answered 200',
        'What it received and answered',
        'Task app', 'PUT /tasks/1/finish', '✓ answered 204'),
        'by its steps, with what they have changed');

    $browser->click('#calls ol li:nth-child(2) summary');
    like($browser->text('#calls ol li:nth-child(2) pre'),
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
    is($browser->text('#failed-title'), 'Answer: 422', 'title');

    $browser->click('#back');
    is($browser->wait('#status', qr/unchanged/),
        'Reject: failed. The task is unchanged.', 'the task is unchanged');
    is($browser->text($stage), 'Completed', 'it is');
    is($browser->text('#calls > li:nth-child(1)'), join("\n",
        'Reject ✗ stopped at Update CRM',
        'Update CRM', 'POST /tasks/1/rejected', '✗ answered 422',
        'What it received and answered', 'The task app was not called.'),
        'only the CRM was called');
    is($browser->text('#calls > li:nth-child(2) h3'), 'Finish ✓ carried out',
        'which is beside the action before');

    $browser->go("$url/flows");
    is($browser->wait('h1', qr/\w/), 'Flows', 'the flows');
    like($browser->script(
             'return document.querySelector("tr.bad").textContent'),
         qr/^Update CRM.*answered 422, /s,
        'where an action stops');
    ok(!$browser->script($wider), 'they need no scrolling to the side');
    accessible($browser, 'the flows');

    read_journal($browser);
    ok(!$browser->script($wider), 'nor does the journal');
    accessible($browser, 'the journal');

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


sub read_journal ($browser) {
    $browser->go("$url/journal.html");

    my $last = $browser->wait('tbody tr', qr/Reject/);

    for my $has ('✗ failed', 'Update CRM 422', 'not called', '422') {
        like($last, qr/\Q$has/, "the last action in the journal: $has");
    }
    unlike($last, qr/billing|ok/, 'and nothing that it has not done');

    my $before = $browser->text('tbody tr:nth-child(2)');

    for my $has ('✓ ok', 'Update CRM 200', 'Notify billing 200', '204') {
        like($before, qr/\Q$has/, "the action before: $has");
    }
}


sub fill_in ($browser) {
    my $date = '[data-field="Expected Close Date"] td';

    $browser->click('#plain');
    is($browser->wait('h1', qr/^Edit/), 'Edit Acme Corp', 'the form');
    ok(!$browser->script('return document.documentElement.scrollWidth
                          > innerWidth'), 'it needs no scrolling either');
    accessible($browser, 'the form');

    $browser->click('#save');
    is($browser->wait($date, qr/you sent/),
        "2020-02-01\nchanged by a step; you sent 2020-01-31",
        'the first click is an action that changes something');
    like($browser->text('#calls'), qr{^Finish.*finished.*/tasks/1\n✓}s,
        'and shows who was called');
    accessible($browser, 'the form\'s answer');

    $browser->click('#reject');
    is($browser->wait('h1', qr/not/), '“Reject” was not carried out',
        'the second click is an action that stops');
    like($browser->text('main'), qr/Update CRM/, 'the error page names the step');

    $browser->click('main a');
    is($browser->wait('h1', qr/^Edit/), 'Edit Acme Corp', 'back to the form');

    $browser->choose('#stage', 'Negotiation');
    $browser->type('#date', '2020-03-01');
    $browser->click('#save');
    like($browser->wait('#calls', qr/Task app/), qr/^No action.*POST/s,
        'without an action, the app is called');
    is($browser->text($date), '2020-03-01', 'with the date typed');

    $browser->click('#again');
    $browser->choose('#stage', 'Completed');
    $browser->attach('#file', "$demo/html/task.json");
    $browser->click('#save');
    like($browser->wait($date, qr/^2020-02/), qr/^2020-02-01/,
        'an action with a file');
    is($browser->text('[data-field="Stage"] td'), 'Completed', 'the stage');
    is($browser->text('[data-field="Attach"] td'), 'task.json', 'the file');
    $browser->click('#form summary');
    like($browser->text('#form pre'), qr/"Stage": "Negotiation"/, 'its content');
}


# Two actions as the demo's page shows them.  Nothing in it depends on the time
# or on an id, so that it only changes when the page does.

sub take_picture ($file) {
    my $browser = Test::Flowdash::Browser->new(width => 720, height => 1200,
                                               scale => 1.5);

    $browser->go("$url/");
    $browser->wait('h1', qr/Acme/);
    $browser->click('#reset');
    $browser->wait('#status', qr/at the start/);
    $browser->click('#reject');
    $browser->wait('#failed-title', qr/422/);
    $browser->click('#back');
    $browser->wait('#status', qr/unchanged/);
    $browser->click('#finish');
    $browser->wait('#status', qr/done/);
    $browser->script('document.querySelector("#calls").parentNode
                      .style.padding = "1rem"');
    $browser->screenshot($file, 'section:has(#calls)');
}

sub bytes ($file) {
    open my $fh, '<:raw', $file or die "$file: $!\n";
    local $/;
    return readline $fh;
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
