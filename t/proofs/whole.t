#!/usr/bin/perl

# "make faults": executions with undos and after-steps, and faults at random
# times and at each point of the work: killed workers, a loss of power, a full
# disk, endpoints and an app that fail in every way.  In the end the books of the
# endpoint, of the app and the outbox must agree about each of them, see
# Test::Flowdash::Books.  The table of docs/whole-actions-faults.md is written
# from what has happened, if FLOWDASH_WHOLE_TABLE names it.
#
# FLOWDASH_WHOLE: how many executions; FLOWDASH_SEED: the same choices again;
# FLOWDASH_WHOLE_FAULTS: only these, separated by "|"; FLOWDASH_WHOLE_CROWD: how
# many records wait at once in the end.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Path qw(make_path remove_tree);
use List::Util qw(max min shuffle sum0);
use POSIX ();
use Test::Flowdash;
use Test::Flowdash::Books;
use Test::Flowdash::Crowd;
use Test::Flowdash::Points;
use Test::Flowdash::Power;
use Test::Flowdash::WholeTable;
use Time::HiRes qw(sleep time);

use constant { CLIENTS => 24, UP => 60, DRAINED => 240, ENOUGH => 5000 };

my $executions = $ENV{FLOWDASH_WHOLE} // 10_000;
my $crowd = $ENV{FLOWDASH_WHOLE_CROWD} // min 100_000, 10 * $executions;
my $seed = $ENV{FLOWDASH_SEED} || 1 + int rand 1 << 31;
my $t = Test::Flowdash->new(log_level => 'info');
my $dir = $t->dir;
my ($outbox, $machine) = ("$dir/outbox", "$dir/machine");
my $power = Test::Flowdash::Power->new($outbox, $machine);
my $points = Test::Flowdash::Points->new($machine, map { my $when = $_;
    map { "$when move a record to $_" } qw(after undo) } qw(before after));
my $begin = time;
my (@happened, %kept, %clients, %all);
my ($fast, $armed, $phase) = (0, 0);

note("FLOWDASH_SEED=$seed makes the same choices again");
srand $seed;

$ENV{FLOWDASH_OUTBOX} = $outbox;
$ENV{FLOWDASH_MACHINE} = $machine;
$t->preload('points');
my $tool = $t->{preload};
$t->preload('machine');
$t->write_file('outbox.key', "a key of the outbox, for this test only\n");
make_path("$dir/damaged");
Test::Flowdash::Books::books($t, $seed);

# fsync=off has other promises; the names of the executions begin with a number.
# A tenth more than asked for: some clients find no nginx.

phase('on', 1, int $executions * 0.95);
phase('off', 101, int $executions * 0.15);

my $waited = $crowd ? crowd() : undef;
ends(time - $begin);


sub phase ($fsync, $number, $count) {
    $phase = { fsync => $fsync, number => $number, from => time };
    unlink "$dir/mercy";
    config();
    start();

    my @numbers = $number .. $number + CLIENTS - 1;
    %clients = map { client($_, $count / CLIENTS) => 1 } @numbers;
    inject();
    quiet();
    drain(qr/undo|after-step|move|remove|give|take
             |the[ ](?:delivery|again|outcome)/x);
    $phase->{answers} = answers();
    check("fsync=$fsync: what the outbox has kept is shown", \%all);

    # a person decides what is unknown, by the app's book, and what is dead is
    # tried again: everything becomes whole.  The power may take back a decision.

    $t->write_file('mercy', '');
    my @rounds = ([ after => qr/record to after|the outcome/ ],
                  [ undo => qr/record to undo/ ],
                  [ waiting => qr/the again/ ]);
    for my $round (@rounds, ([ qr/./ ]) x 5) {
        my ($to, $arms) = @$round;
        $phase->{arms} = $arms;         # before a worker can look
        tick();
        last if !operator($to);
        drain($arms);
    }
    $points->disarm;
    my %then;
    check("fsync=$fsync: all is done, or undone", \%then);
    is(join(' ', grep { $then{$_}{place} && !$kept{$_}
                        && !is_lost($then{$_}{place}) } sort keys %then), '',
       "fsync=$fsync: nothing else is left in the outbox");
    stop();
    remove_tree($outbox, map { "$machine/$_" } qw(f d ever made));
    $power = Test::Flowdash::Power->new($outbox, $machine);
    %kept = ();
}

sub config ($limit = '') {
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
    flowdash_outbox $outbox key=file:$dir/outbox.key
                    fsync=$phase->{fsync} max_age=2h$limit;
    flowdash_timeout 1s;
    proxy_connect_timeout 1s;
    proxy_read_timeout 1s;
    log_format whole "\$arg_n|\$flowdash_id|\$flowdash_result|\$status|"
                     "\$upstream_status";
    access_log %%DIR%%/whole.log whole;
    log_format counted "\$status \$http_idempotency_key";

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

        # for very many records: nginx is quick enough to count them itself

        location = /crowd {
            flowdash_action "Crowd";
            flowdash_step "Ask" { return 200; }
            flowdash_after "Count" {
                flowdash_call http://127.0.0.1:%%PORT_http%%/counted;
            }
            proxy_pass http://127.0.0.1:%%PORT_http%%/ping;
        }

        location = /counted {
            access_log %%DIR%%/counted.log counted;
            if (-f %%DIR%%/crowd.down) { return 503; }
            return 200;
        }

        location = /ping {
            access_log off;
            return 200;
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
    $t->wait_for(sub { $points->is_off || workers(pid('nginx.pid')) >= 2 }, UP)
        or BAIL_OUT('nginx does not start: ' . substr $t->error_log, -2000);
}

sub exec_nginx () {
    open STDIN, '<', '/dev/null';
    open STDERR, '>>', "$dir/stderr.log" or die $!;
    $ENV{LD_PRELOAD} = join ' ', grep { $_ }
        $ENV{FLOWDASH_PRELOAD}, $tool, $t->{preload};
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

# All processes of nginx, old ones that still end, too: also if only a thread is
# left, which writes to the disk.  It has the sockets until then.

sub processes () {
    my $group = getpgrp $t->{guard};
    my @pids;
    for my $proc (glob '/proc/[0-9]*') {
        open my $stat, '<', "$proc/stat" or next;
        my ($pid, $state, $pgrp) = (readline($stat) // '')
            =~ /^(\d+) \(nginx[^)]*\) (\S) \d+ (\d+) /s or next;
        push @pids, $pid if $pgrp == $group
            && ($state ne 'Z' || (() = glob "$proc/task/*") > 1);
    }
    return @pids;
}

sub stop () {
    kill QUIT => pid('nginx.pid');
    ok($t->wait_for(sub { !processes() }), "fsync=$phase->{fsync}: nginx ends")
        or kill_all();
}

sub kill_all () {
    while (my @pids = processes()) {
        kill KILL => @pids;
        sleep 0.02;
    }
}


# One client after the other.  Each execution has a name, which is its field N;
# some clients leave, and some try again with the same key.

sub client ($number, $quota) {
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;

    srand $seed + 10 * $number;
    open my $book, '>>', "$dir/clients.book" or POSIX::_exit(1);
    for (my $n = 1; $n <= $quota; $n++) {
        my $key = "$number-$n";
        for (my $try = 0; $try < 3; $try++) {
            my $answer = execute($book, $try ? "$key-$try" : $key, $key);
            last if $answer =~ /^[23]/;
            sleep rand 0.8;             # or there are most when all is down
            last if rand(2) < 1;
            $n++;
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

# of the clients of this phase

sub answers () {
    my %all = map { my ($n, $start, $end, $status) = split /\t/;
                    ($n => { start => $start, end => $end, status => $status }) }
        Test::Flowdash::Books::_lines("$dir/clients.book");
    my ($first, $last) = ($phase->{number}, $phase->{number} + CLIENTS - 1);
    return { map { ($_ => $all{$_}) }
             grep { my ($number) = /^(\d+)/;
                    $number >= $first && $number <= $last } keys %all };
}


# Faults, as long as there are clients.

sub inject () {
    my $faults = faults();
    my $only = $ENV{FLOWDASH_WHOLE_FAULTS} // '';
    my @names = grep { /$only/ } sort keys %$faults;
    my @all = map { ($_) x $faults->{$_}[0] } @names;
    my @once = shuffle(@names);         # each of them, and then at random

    $phase->{arms} = qr/./;
    while (running()) {
        nap(0.3 + rand 1.2);
        next if !@all;
        my $what = shift @once // $all[rand @all];
        my $begun = time;
        my $done = $faults->{$what}[1]->();
        happened($what, $begun) if ($done // 1) ne 'not';
    }
    $phase->{arms} = undef;
    $points->disarm;
    tick();
}

sub faults () {
    my %faults = (
        'a worker is killed' => [ 3, \&kill_worker ],
        'nginx is killed' => [ 2, sub { kill_all(); start() } ],
        'power fails' => [ 2, \&power_fails ],
        'reload' => [ 2, sub { kill HUP => pid('nginx.pid') } ],
        'upgrade' => [ 1, \&upgrade ],
        'the endpoint is down' => [ 1, sub { flag('hook.down', 1) } ],
        'the endpoint is down for an hour' => [ 1, \&down_for_an_hour ],
        'the endpoint is slow' => [ 1, sub { weather('hook', 'slow') } ],
        'the endpoint answers 503' => [ 1, sub { weather('hook', 'fail') } ],
        'the endpoint cuts connections' => [ 1,
            sub { weather('hook', 'reset') } ],
        'the app is down' => [ 1, sub { flag('app.down', 1) } ],
        'the app is slow' => [ 1, sub { weather('app', 'slow') } ],
        'the app answers 503' => [ 1, sub { weather('app', 'fail') } ],
        'the app cuts connections' => [ 1, sub { weather('app', 'reset') } ],
        'the disk is full' => [ 2, sub { flag('machine/full', 1) } ],
        'max_size is reached' => [ 1, \&max_size ],
        'the clock jumps by an hour, and back' => [ 1,
            sub { flag('machine/later', 1, 'x' x 3600) } ],
        'a record is cut' => [ 1, sub { damage(\&cut) } ],
        'a record is forged' => [ 1, sub { damage(\&forge) } ],
        'a record is of a newer version' => [ 1, sub { damage(\&newer) } ],
    );

    # without fsync, what was damaged may be lost as well

    delete @faults{ grep { /^a record/ } keys %faults }
        if $phase->{fsync} eq 'off';
    return \%faults;
}

sub happened ($what, $begun = time) {
    push @happened, { what => $what, from => $begun, to => time,
                      phase => $phase };
    Test::Flowdash::Books::_note("$dir/faults.book", $what, $begun);
}

# Meanwhile there are faults at points.

sub nap ($seconds) {
    my $end = time + $seconds;
    while ((my $left = $end - time) > 0) {
        tick();
        sleep min 0.05, $left;
    }
}

sub tick () {
    my ($what, $point) = $points->happened;
    if ($what) {
        happened(($what eq 'kill' ? 'a worker is killed' : 'power fails')
                 . ' at a point');
        power_fails() if $what eq 'power';
        $armed = time + rand 0.5;
    }
    return if !$phase->{arms} || $points->is_armed || time < $armed;

    # what is rare is made to happen

    if ($points->arm($phase->{arms}, rand(3) < 1)) {
        rand(4) < 3 ? kill_worker() : kill HUP => pid('nginx.pid');
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
    $points->power_is_back;
    $phase->{power} = time;
    note("power failed: of $files records, $gone are gone, $less have lost "
         . 'lines');
    start();
}

# the old one ends when it has nothing to do any more

sub upgrade () {
    my $old = pid('nginx.pid');
    kill USR2 => $old;
    until_(sub { -e "$dir/nginx.pid.oldbin"
                 && workers(pid('nginx.pid')) >= 2 });
    kill QUIT => $old;
    until_(sub { !-e "$dir/nginx.pid.oldbin" });
}

# ... or without power

sub until_ ($code) {
    $t->wait_for(sub { $points->is_off || $code->() });
}

sub down_for_an_hour () {
    $t->write_file('hook.down', '');
    for (1 .. 6) {
        faster(600);
        nap(0.2);
    }
    unlink "$dir/hook.down";
}

# time that passes, for nginx

sub faster ($seconds) {
    open my $file, '>>', "$machine/fast" or die $!;
    truncate $file, $fast += $seconds;
}

# each record reserves about 70 kB

sub max_size () {
    config(' max_size=1m');
    kill HUP => pid('nginx.pid');
    nap(0.5 + rand 0.5);
    config();
    kill HUP => pid('nginx.pid');
}

sub weather ($who, $what) {
    flag("$who.weather", 1, $what);
}

# a file that is there for some time

sub flag ($name, $seconds, $text = '') {
    $t->write_file("$name.new", $text);
    rename "$dir/$name.new", "$dir/$name";
    nap($seconds * (0.3 + rand));
    unlink "$dir/$name";
}

# Something is done to a record that waits for its next try.  Who moves a record
# has it: a worker moves it before it reads it.

sub damage ($how) {
    my ($n, $text, $new, $id);
    my $taken = "$dir/damaged/new";

    for my $file (shuffle(Test::Flowdash::Books::records($outbox))) {
        next if $file !~ m{/\d+(?:\.\w+)?/(\w+)[^/]*$};
        $id = $1;
        rename "$outbox/$file", $taken or next;
        $text = Test::Flowdash::Books::read_record($taken);
        ($n) = $text =~ /\bN\\*"\s*:\s*\\*"([\d-]+)/;
        $new = $n ? $how->($text) : '';
        last if $new && $new ne $text;
        rename $taken, "$outbox/waiting/$id" or die "$file: $!\n";
        undef $new;
    }
    return 'not' if !$new;

    my $end = $how == \&cut ? '' : "\0";
    truncate $taken, 0 or die $!;
    open my $record, '+<:raw', $taken or die $!;
    print $record $new, $end;
    close $record or die $!;
    $t->write_file("machine/f/$id", length("$new$end") . "\n$new");
    rename $taken, "$outbox/waiting/$id" or die "$id: $!\n";
    $kept{$n} = { id => $id, text => $new };
}

sub cut ($text) { return substr $text, 0, length($text) / 2 }

sub forge ($text) { return $text =~ s/whole\.test/other\.test/r }

sub newer ($text) { return $text =~ s/"(version|v)":\s*\K1/9/r }


# After the faults

sub quiet () {
    unlink map { "$dir/$_" } qw(hook.down app.down hook.weather app.weather
                                machine/full machine/later);
}

# Time passes fast, so that what is due comes soon, while nothing is in flight.
# At first there are faults at the points that "arms" fits, if there are any.

sub drain ($arms) {
    my ($end, $waiting, $still) = (time + DRAINED, 0, 0);
    $phase->{arms} = $arms;
    nap(3.5);                           # what is late has come
    my $faults = time + min 20, $executions / 100;
    while (time < $end) {
        undef $phase->{arms} if time > $faults;
        tick();
        my @waiting = grep { !m{^(?:dead|unknown)/} }
            Test::Flowdash::Books::records($outbox);
        $waiting = @waiting;
        next if $points->is_off;
        last if !$waiting;
        my $calls = grep { m{/(?:now|sending)/} } @waiting;
        if ($calls && $still++ < 50) {
            sleep 0.05;
            next;
        }
        $still = 0;
        faster(60);
        sleep 0.12;
    }
    undef $phase->{arms};
    $points->disarm;
    is($waiting, 0, "fsync=$phase->{fsync}: nothing waits any more");
}

# A person looks into the app's book, and moves what belongs into those of the
# three directories.  Returns how many records there were.  What is damaged, or has
# no line, stays.

sub operator ($those) {
    my $books = Test::Flowdash::Books::read_books($dir);
    my $outbox_of = Test::Flowdash::Books::outbox($outbox);

    delete @$outbox_of{ keys %kept, grep { !/^[\d-]+$/ } keys %$outbox_of };
    for my $n (sort keys %$outbox_of) {
        my $file = $outbox_of->{$n};
        my ($place, $name) = split m{/}, $file;
        my $to = $place eq 'dead' ? 'waiting'
            : $books->{$n}{app} ? 'after' : 'undo';
        next if $to !~ $those;
        rename "$outbox/$file", "$outbox/$to/$name" or die "$file: $!\n";
    }
    return scalar keys %$outbox_of;
}

# A power failure may leave nothing but the name of a record that nobody synced,
# even if a person has decided by then.

sub is_lost ($file) {
    return $phase->{fsync} eq 'off' && $phase->{power}
        && Test::Flowdash::Books::read_record("$outbox/$file") !~ /\n/;
}

# What somebody has damaged must still be there, as it was.

sub damaged () {
    my @wrong;
    my @all = Test::Flowdash::Books::records($outbox);
    for my $n (sort keys %kept) {
        my ($id, $text) = @{ $kept{$n} }{qw(id text)};
        my ($file) = grep { m{^dead/\Q$id\E} } @all;
        push @wrong, "$n: the damaged record $id is gone" if !$file;
        push @wrong, "$n: the damaged record $id was changed" if $file
            && Test::Flowdash::Books::read_record("$outbox/$file") ne $text;
    }
    return @wrong;
}

# All books: adds { N => { verdict, place, ways, start, end } }

sub check ($name, $all) {
    my $books = Test::Flowdash::Books::read_books($dir);
    my %count;
    my @wrong = damaged();
    my $records = Test::Flowdash::Books::outbox($outbox);
    my $answers = $phase->{answers};
    my @full = grep { $_->{what} eq 'the disk is full' } @happened;

    for my $n (sort keys %$answers) {
        my $x = $books->{$n} // { keys => {}, ways => {} };
        my $answer = $answers->{$n};
        my ($verdict, @what) = Test::Flowdash::Books::verdict(
            $x, $records->{$n}, $answer->{status},
            full => scalar(grep { $answer->{end} >= $_->{from}
                                  && $answer->{start} <= $_->{to} } @full),
            lost => $phase->{fsync} eq 'off'
                && ($phase->{power} // 0) > $answer->{start});

        # this one says no more

        if ($kept{$n}) {
            $verdict = 'damaged';
            @what = ();
        }
        push @wrong, map { "$n: $_" } @what;
        $all->{$n} = { %$answer, verdict => $verdict, place => $records->{$n},
                       phase => $phase, ways => $x->{ways} };
        $count{$verdict}++;
    }
    again_before_undo($books, $all);

    is(scalar @wrong, 0, "$name: " . join ', ',
       map { "$count{$_} $_" } sort keys %count);
    $#wrong = 29 if @wrong > 30;
    diag(join "\n", @wrong) if @wrong;
}

# A client has tried again with the same key, before the undo was there.

sub again_before_undo ($books, $all) {
    for my $n (grep { /^\d+-\d+-\d+$/ } keys %$all) {
        my ($key) = $n =~ /^(\d+-\d+)/;
        my $undone = $books->{$key} && $books->{$key}{undone} or next;
        $all->{$n}{ways}{'client again'} = 1 if $undone > $all->{$n}{start};
    }
}


# Very many records: from a worker that has died, and moved by a person.

sub crowd () {
    $phase = { fsync => 'on', from => time };
    $t->write_file('crowd.down', '');
    config();
    start();
    my $crowd_of = Test::Flowdash::Crowd->new($t, $outbox, $crowd);
    ok($crowd_of->template, 'a record waits, of which others are made');
    $crowd_of->make;
    unlink "$dir/crowd.down";

    my $from = time;
    $crowd_of->move;
    my $result = $crowd_of->wait(
        faster => \&faster,
        faults => sub ($n) {
            $n % 2 ? kill_worker() : kill HUP => pid('nginx.pid') });
    is($result->{left}, 0, "none of $crowd records is left");
    is($result->{missing}, 0, '... and each of them was delivered');
    note(sprintf '%d records in %.0f s, %d times twice; a request took %.0f ms '
         . 'at most', $crowd, time - $from, $result->{twice},
         1000 * $result->{longest});
    happened("$crowd records wait", $from);
    stop();
    return $result;
}

sub ends ($seconds) {
    my $all = $points->all;
    note(sprintf '%d executions, %d faults, %d s', scalar keys %all,
         scalar @happened, $seconds);
    note(join "\n", map { sprintf '%-45s %2d kills %2d without power', $_,
                          @{ $all->{$_} }{qw(kill power)} } sort keys %$all);

    my %did = map { ($_->{what} => 1) } @happened;
    my %ways = map { ($_ => 1) } map { keys %{ $_->{ways} } } values %all;
    my @never = grep { !$did{$_} }
        do { $phase = { fsync => 'on' }; keys %{ faults() } };
    push @never, grep { !$ways{$_} } 'step refused', 'client again';
    for my $point (Test::Flowdash::WholeTable::points()) {
        push @never, $point if !sum0 map { values %{ $all->{$_} } }
            grep { /(?:^| )\Q$point\E$/ } keys %$all;
    }
    my $enough = $executions >= ENOUGH && !$ENV{FLOWDASH_WHOLE_FAULTS};
    is(join(', ', sort @never), '', 'every kind of fault has happened')
        if $enough;
    note('these did not happen: ', join ', ', sort @never) if @never;

    Test::Flowdash::WholeTable::write($ENV{FLOWDASH_WHOLE_TABLE},
        all => \%all, happened => \@happened, points => $all, crowd => $waited)
        if $ENV{FLOWDASH_WHOLE_TABLE};

    $t->allow_log(qr/exited on signal 9/);
    $t->allow_log(qr/No space left on device/);
    $t->done;
}
