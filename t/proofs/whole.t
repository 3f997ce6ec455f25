#!/usr/bin/perl

# "make faults": executions with undos and after-steps, and faults at random
# points: killed workers, a loss of power, a full disk, endpoints and an app that
# fail in every way.  In the end the books of the endpoint, of the app and the
# outbox must agree about each of them, see Test::Flowdash::Books.  The table of
# docs/whole-actions-faults.md is written from what has happened, if
# FLOWDASH_WHOLE_TABLE names it.
#
# FLOWDASH_WHOLE: how many executions; FLOWDASH_SEED: the same faults again;
# FLOWDASH_WHOLE_FAULTS: only these, separated by spaces.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(max min sum0);
use POSIX ();
use Test::Flowdash;
use Test::Flowdash::Books;
use Test::Flowdash::Power;
use Time::HiRes qw(sleep time);

use constant { CLIENTS => 12, UP => 60, DRAINED => 600 };

my $executions = $ENV{FLOWDASH_WHOLE} // 10_000;
my $seed = $ENV{FLOWDASH_SEED} || 1 + int rand 1 << 31;
my $t = Test::Flowdash->new(log_level => 'info');
my $dir = $t->dir;
my ($outbox, $machine) = ("$dir/outbox", "$dir/machine");
my $power = Test::Flowdash::Power->new($outbox, $machine);
my (@happened, %kept);

note("FLOWDASH_SEED=$seed makes the same faults again");
srand $seed;

$ENV{FLOWDASH_OUTBOX} = $outbox;
$ENV{FLOWDASH_MACHINE} = $machine;
$t->preload('machine');
$t->write_file('outbox.key', "a key of the outbox, for this test only\n");
Test::Flowdash::Books::books($t, $seed);
config();
start();

my $begin = time;
my %clients = map { client($_) => 1 } 1 .. CLIENTS;
inject();
quiet();
drain();
my %answers = answers();
my $first = check('what the outbox has kept is shown');
table($first) if $ENV{FLOWDASH_WHOLE_TABLE};

# a person decides what is unknown, by the app's book, and what is dead is tried
# again: everything becomes whole

$t->write_file('mercy', '');
operator();
drain();
my $second = check('all is done, or undone');
is(join(' ', grep { !$kept{$_} && $second->{$_}{place} } sort keys %$second),
   '', 'nothing is left in the outbox');

ends(time - $begin);


sub config () {
    my $hook = 'http://127.0.0.1:%%PORT_hook%%';
    my $steps = join '', map {
        my ($name, $handler) = @$_;
        <<"END";
            flowdash_step "$name" {
                $handler
                flowdash_undo { flowdash_call $hook/undo/$name; }
            }
END
    } [ Crm => "flowdash_call $hook/step/Crm;" ],
      [ Billing => "flowdash_retry 1 error 503; "
        . "flowdash_call $hook/step/Billing;" ],
      [ Chat => "proxy_pass $hook/step/Chat; proxy_read_timeout 1s;" ];

    $t->config(<<"END");
%%GLOBALS%%
env LD_PRELOAD;
env FLOWDASH_OUTBOX;
env FLOWDASH_MACHINE;
worker_processes 2;
events { }
http {
    %%HTTP_GLOBALS%%
    flowdash_zone whole:2m;
    flowdash_outbox $outbox key=file:$dir/outbox.key max_age=10m;
    flowdash_timeout 1s;
    proxy_connect_timeout 1s;
    proxy_read_timeout 1s;
    log_format whole "\$arg_n|\$flowdash_id|\$flowdash_result|\$status|"
                     "\$upstream_status";
    access_log %%DIR%%/whole.log whole;

    upstream two {
        server 127.0.0.1:%%PORT_app%% max_fails=0;
        server 127.0.0.1:%%PORT_app%% max_fails=0;
    }

    server {
        listen 127.0.0.1:%%PORT_http%% backlog=4096;
        server_name whole.test;

        location /one {
            flowdash_action "Finish";
            $steps
            flowdash_after "Mail" { flowdash_call $hook/after/Mail; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        # of which nginx asks the second server if the first does not answer

        location /two {
            flowdash_action "Replace";
            $steps
            flowdash_after "Mail" { flowdash_call $hook/after/Mail; }
            proxy_pass http://two;
        }
    }
}
END
}


# Nginx is nobody's child, so that it can be upgraded, but of the test's process
# group, so that it ends with the test.

sub start () {
    unlink "$dir/nginx.pid";
    my $launcher = $t->_fork(sub {
        my $pid = fork // die "fork: $!\n";
        if ($pid) {
            $t->wait_for(sub { pid('nginx.pid') == $pid || !kill 0 => $pid });
            POSIX::_exit(0);
        }
        exec_nginx();
    });
    waitpid $launcher, 0;
    $t->wait_for(sub { workers(pid('nginx.pid')) >= 2 }, UP)
        or BAIL_OUT('nginx does not start: ' . substr $t->error_log, -2000);
}

sub exec_nginx () {
    open STDIN, '<', '/dev/null';
    open STDERR, '>>', "$dir/stderr.log" or die $!;
    $ENV{LD_PRELOAD} = join ' ', grep { $_ }
        $ENV{FLOWDASH_PRELOAD}, $t->{preload};
    exec $t->{nginx}, '-p', "$dir/", '-e', 'stderr', '-c', 'nginx.conf', '-g',
        'daemon off;' or die "$t->{nginx}: $!\n";
}

sub pid ($name) {
    return ($t->read_file($name) // '') =~ /^(\d+)/ ? $1 : 0;
}

sub workers ($master) {
    return 0 if !$master;
    return map { $_->{pid} } grep { $_->{title} =~ /^nginx: worker process\s*$/ }
        Test::Flowdash::_children($master);
}

# all processes of nginx, old ones that still end, too

sub processes () {
    my $group = getpgrp $t->{guard};
    my @pids;
    for my $proc (glob '/proc/[0-9]*') {
        open my $stat, '<', "$proc/stat" or next;
        my ($pid, $pgrp) = (readline($stat) // '')
            =~ /^(\d+) \(nginx[^)]*\) [^Z] \d+ (\d+) /s or next;
        push @pids, $pid if $pgrp == $group;
    }
    return @pids;
}

sub kill_all () {
    while (my @pids = processes()) {
        kill KILL => @pids;
        sleep 0.02;
    }
}


# One client after the other.  Each execution has a name, which is its field N;
# some clients leave, and some try again with the same key.

sub client ($number) {
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;

    srand $seed + 10 * $number;
    my $quota = $executions / CLIENTS;
    open my $book, '>>', "$dir/clients.book" or POSIX::_exit(1);
    for (my $n = 1; $n <= $quota; $n++) {
        my $key = "$number-$n";
        for (my $try = 0; $try < 3; $try++) {
            my $answer = execute($book, $try ? "$key-$try" : $key, $key);
            last if $answer =~ /^[23]/ || rand(2) < 1;
            $n++;
            sleep rand 0.5;             # or there are most when all is down
        }
        sleep rand 0.1;
    }
    POSIX::_exit(0);
}

sub execute ($book, $name, $key) {
    my ($method, $place) = rand(4) < 1 ? qw(PUT two) : qw(POST one);
    my $leaves = rand(25) < 1;
    my $socket = wait_until_up() or return 'no nginx';
    my $start = time;

    my $answer = eval {
        my $exchange = $t->start($method, "/$place?n=$name",
            socket => $socket, timeout => 120,
            body => qq({"task":{"N":"$name","Stage":"Open"}}),
            headers => [ 'Content-Type' => 'application/json',
                         'Idempotency-Key' => qq("$key") ]);
        sleep rand 0.4 if $leaves;
        $leaves ? { status => 'left' } : $t->finish($exchange);
    };
    my $status = $answer && $answer->{status} || 'none';
    syswrite $book, join("\t", $name, $start, time, $status) . "\n";
    return $status;
}

sub wait_until_up () {
    my $end = time + UP;
    while (time < $end) {
        my $socket = eval { $t->connect };
        return $socket if $socket;
        sleep 0.05;
    }
    return;
}

sub answers () {
    return map { my ($n, $start, $end, $status) = split /\t/;
                 ($n => { start => $start, end => $end, status => $status }) }
        Test::Flowdash::Books::_lines("$dir/clients.book");
}


# Faults, as long as there are clients.

sub inject () {
    my %faults = (
        'a worker is killed' => [ 6, \&kill_worker ],
        'nginx is killed' => [ 2, sub { kill_all(); start() } ],
        'power fails' => [ 4, \&power_fails ],
        'reload' => [ 2, sub { kill HUP => pid('nginx.pid') } ],
        'upgrade' => [ 1, \&upgrade ],
        'the endpoint is down' => [ 2, sub { flag('hook.down', 3) } ],
        'the endpoint is slow' => [ 1, sub { weather('hook', 'slow') } ],
        'the endpoint answers 503' => [ 1, sub { weather('hook', 'fail') } ],
        'the endpoint cuts connections' => [ 1,
            sub { weather('hook', 'reset') } ],
        'the app is down' => [ 2, sub { flag('app.down', 2) } ],
        'the app is slow' => [ 1, sub { weather('app', 'slow') } ],
        'the app answers 503' => [ 1, sub { weather('app', 'fail') } ],
        'the app cuts connections' => [ 1, sub { weather('app', 'reset') } ],
        'the disk is full' => [ 2, sub { flag('machine/full', 1) } ],
        'the clock jumps by an hour, and back' => [ 1,
            sub { flag('machine/later', 2, 'x' x 3600) } ],
        'a record is cut' => [ 1, sub { damage(\&cut) } ],
        'a record is forged' => [ 1, sub { damage(\&forge) } ],
        'a record is of a newer version' => [ 1, sub { damage(\&newer) } ],
    );

    if ($ENV{FLOWDASH_WHOLE_FAULTS}) {
        my $only = $ENV{FLOWDASH_WHOLE_FAULTS} =~ s/ /|/gr;
        delete @faults{ grep { !/$only/ } keys %faults };
    }
    my @all = map { ($_) x $faults{$_}[0] } sort keys %faults;

    while (running()) {
        sleep 0.3 + rand 1;
        next if !@all;
        my $what = $all[rand @all];
        my $begun = time;
        my $done = $faults{$what}[1]->();
        next if ($done // 1) eq 'not';
        push @happened, { what => $what, from => $begun, to => time };
        Test::Flowdash::Books::_note("$dir/faults.book", $what, $begun);
    }
}

sub running () {
    for my $pid (keys %clients) {
        delete $clients{$pid} if waitpid($pid, POSIX::WNOHANG()) == $pid;
    }
    return scalar keys %clients;
}

sub kill_worker () {
    my @workers = workers(pid('nginx.pid')) or return 'not';
    kill KILL => $workers[rand @workers];
}

sub power_fails () {
    kill_all();
    my ($files, $less, $gone) = $power->fails;
    note("power failed: of $files records, $gone are gone, $less have lost "
         . 'lines');
    start();
}

# the old one ends when it has nothing to do any more

sub upgrade () {
    my $old = pid('nginx.pid');
    kill USR2 => $old;
    $t->wait_for(sub { -e "$dir/nginx.pid.oldbin"
                       && workers(pid('nginx.pid')) >= 2 });
    kill QUIT => $old;
    $t->wait_for(sub { !-e "$dir/nginx.pid.oldbin" });
}

sub weather ($who, $what) {
    flag("$who.weather", 2, $what);
}

# a file that is there for some time

sub flag ($name, $seconds, $text = '') {
    $t->write_file("$name.new", $text);
    rename "$dir/$name.new", "$dir/$name";
    sleep $seconds * (0.3 + rand);
    unlink "$dir/$name";
}

# Something is done to a record that waits for its next try.

sub damage ($how) {
    my @waiting = grep { !m{^(?:dead|unknown)/|/(?:now|sending)/} }
        Test::Flowdash::Books::records($outbox) or return 'not';
    my $file = $waiting[rand @waiting];
    my $text = Test::Flowdash::Books::read_record("$outbox/$file")
        // return 'not';
    my ($n) = $text =~ /\bN\\*"\s*:\s*\\*"([\d-]+)/ or return 'not';
    my $new = $how->($text);
    return 'not' if $new eq $text;

    # in place, as a worker may have just opened it

    open my $record, '+<:raw', "$outbox/$file" or return 'not';
    truncate $record, length $new if $how == \&cut;
    print $record $new;
    close $record;
    $kept{$n} = $file =~ s{.*/}{}r;
}

# behind the lines there may be space that was reserved
sub cut ($text) {
    $text =~ s{\0+\z}{};
    return substr $text, 0, length($text) / 2;
}

sub forge ($text) { return $text =~ s/whole\.test/other\.test/r }

sub newer ($text) { return $text =~ s/"(version|v)":\s*\K1/9/r }


# After the faults

sub quiet () {
    unlink map { "$dir/$_" } qw(hook.down app.down hook.weather app.weather
                                machine/full machine/later);
}

# The clock is fast, so that what is due comes soon.

sub drain () {
    my ($end, $later, $waiting) = (time + DRAINED, 0);
    sleep 5;                            # what is late has come
    while (time < $end) {
        $waiting = grep { !m{^(?:dead|unknown)/} }
            Test::Flowdash::Books::records($outbox);
        last if !$waiting;
        $t->write_file('machine/later.new', 'x' x ($later += 30));
        rename "$machine/later.new", "$machine/later";
        sleep 0.5;
    }
    is($waiting, 0, 'nothing waits any more');
}

# A person looks into the app's book.

sub operator () {
    my $books = Test::Flowdash::Books::read_books($dir);
    my $outbox_of = Test::Flowdash::Books::outbox($outbox);

    for my $n (sort keys %$outbox_of) {
        next if $kept{$n};
        my $file = $outbox_of->{$n};
        my ($place, $name) = split m{/}, $file;
        my $to = $place eq 'dead' ? 'waiting'
            : $books->{$n}{app} ? 'after' : 'undo';
        rename "$outbox/$file", "$outbox/$to/$name" or die "$file: $!\n";
    }
}

# All books: { N => { verdict, place, ways, start, end } }

sub check ($name) {
    my $books = Test::Flowdash::Books::read_books($dir);
    my $records = Test::Flowdash::Books::outbox($outbox);
    my (%all, @wrong, %count);

    for my $n (sort keys %answers) {
        my $x = $books->{$n} // { keys => {}, ways => {} };
        my $answer = $answers{$n};
        my ($verdict, @what) = Test::Flowdash::Books::verdict(
            $x, $records->{$n}, $answer->{status},
            scalar grep { $_->{what} eq 'the disk is full'
                          && $answer->{end} >= $_->{from}
                          && $answer->{start} <= $_->{to} } @happened);

        # what somebody has damaged must still be there, and says no more

        if ($kept{$n}) {
            $verdict = 'damaged';
            @what = ();
        }
        push @wrong, map { "$n: $_" } @what;
        $all{$n} = { %$answer, verdict => $verdict, place => $records->{$n},
                     ways => $x->{ways} };
        $count{$verdict}++;
    }
    for my $n (sort keys %kept) {
        push @wrong, "$n: the damaged record is gone"
            if !grep { m{/\Q$kept{$n}\E} } Test::Flowdash::Books::records($outbox);
    }

    is(scalar @wrong, 0, "$name: " . join ', ',
       map { "$count{$_} $_" } sort keys %count);
    $#wrong = 29 if @wrong > 30;
    diag(join "\n", @wrong) if @wrong;
    return \%all;
}


# The table: for each fault the executions that ran meanwhile

sub table ($all) {
    my @words = qw(done undone nothing unknown dead damaged wrong);
    my (%rows, %times);

    for my $fault (@happened) {
        $times{ $fault->{what} }++;
        for my $x (values %$all) {
            next if $x->{start} > $fault->{to} || $x->{end} < $fault->{from};
            $rows{ $fault->{what} }{$x} = $x;
        }
    }
    for my $x (values %$all) {
        $rows{ way($_) }{$x} = $x for keys %{ $x->{ways} };
        $rows{'(all executions)'}{$x} = $x;
    }

    open my $file, '>', $ENV{FLOWDASH_WHOLE_TABLE} or die $!;
    print $file <<"END" =~ s/^ {4}//gmr,
    # Whole actions and faults

    `make faults` sends @{[ scalar keys %$all ]} requests through an action with three undos and
    an after-step, and lets things fail at random: @{[ scalar @happened ]} faults of the machine,
    and each call of an endpoint or of the app may fail in its own way.
    Then it compares what the endpoint has written down, what the app has, and
    what the outbox keeps.

    Each row counts the executions that ran during a fault:

    * *done*: the app acted, and the after-step was delivered.
    * *undone*: the app did not act, and each step that took effect was undone.
    * *nothing*: the app did not act, and no step took effect.
    * *unknown* and *dead*: the record is in that directory, for a person.
      Afterwards the test moves these records, as the app's book says, and all of
      them end as done or undone.
    * *damaged*: the test has changed the record, which is kept and not sent.
    * *wrong*: the books do not agree.

END
        "| what happened | times | ", join(' | ', @words), " |\n",
        '|---|', '---|' x (@words + 1), "\n";
    for my $what (sort keys %rows) {
        my %count;
        $count{ $_->{verdict} }++ for values %{ $rows{$what} };
        my $times = $times{$what} // values %{ $rows{$what} };
        print $file '| ', join(' | ', $what, $times,
                               map { $count{$_} // 0 } @words), " |\n";
    }
    close $file or die $!;
}

sub way ($way) {
    my ($what, $how) = split / /, $way;
    my %who = (step => 'a step', undo => 'an undo', after => 'an after-step',
               app => 'the app');
    my %how = (
        ok => 'succeeds', refuse => 'refuses', fail => 'answers 503',
        again => 'answers 503 with Retry-After',
        done_fail => 'takes effect, and answers 503',
        cut => 'breaks off', done_cut => 'takes effect, and breaks off',
        done_stall => 'takes effect, and never answers',
        late => 'takes effect when nobody waits for it any more',
        done_bad => 'takes effect, and answers no JSON',
        refused => 'comes after its undo, and is refused',
        remembered => 'comes before its step',
    );
    return "$who{$what} $how{$how}";
}

sub ends ($seconds) {
    note(sprintf '%d executions, %d faults, %d s', scalar keys %answers,
         scalar @happened, $seconds);
    my $master = pid('nginx.pid');
    kill QUIT => $master;
    ok($t->wait_for(sub { !processes() }), 'nginx ends');
    $t->allow_log(qr/exited on signal 9/);
    $t->allow_log(qr/No space left on device/);
    $t->done;
}
