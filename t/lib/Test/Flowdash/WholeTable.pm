package Test::Flowdash::WholeTable;

# The page about what t/proofs/whole.t has done: docs/whole-actions-faults.md.

use v5.36;

use List::Util qw(sum0);
use POSIX qw(strftime);


my @WORDS = qw(done undone nothing unknown dead damaged lost wrong);

my $WHOLE = 'it is done everywhere, or undone, or shown';

# what each fault must not break

my %PROMISES = (
    'power fails' => 'what was synced counts; nothing else does',
    'power fails at a point' => 'what was synced counts; nothing else does',
    'reload' => 'nothing is lost, and nothing waits for it',
    'upgrade' => 'nothing is lost, and nothing waits for it',
    'the endpoint is down' => 'undos and after-steps wait for it',
    'the endpoint is down for an hour' => 'undos and after-steps wait for it',
    'the app is down' => 'the steps are undone',
    'the app is slow' => 'what nobody knows is shown, and not undone',
    'the app answers 503' => 'what nobody knows is shown, and not undone',
    'the app cuts connections' => 'what nobody knows is shown, and not undone',
    'the disk is full' => 'nobody is told anything, or the outcome is shown',
    'max_size is reached' => 'nobody is told anything',
    'the clock jumps by an hour, and back' => 'no delivery is lost',
    'a record is cut' => 'it is kept as it is, and not sent',
    'a record is forged' => 'it is kept as it is, and not sent',
    'a record is of a newer version' => 'it is kept as it is, and not sent',
    'a client tries again before the undo of its first try' =>
        'the late undo does not meet the second try',
    'an undo comes before its step' => 'the step is refused',
    'a step comes after its undo, and is refused' =>
        'the undo was remembered',
);

# without these points, before or after, the program has not reached what matters

sub points () {
    my @calls = ('create a record', 'write the mark', 'sync the mark',
                 'write the outcome', 'sync the outcome', 'call a step',
                 'call the app', 'call an undo', 'call an after-step',
                 'answer the client', 'remove a record');
    return ((map { ("before $_", "after $_") } @calls),
            'half write the mark', 'half write the outcome',
            (map { "read the answer of $_" } 'a step', 'the app', 'an undo',
             'an after-step'),
            (map { "move a record to $_" } qw(sending later unknown dead undo
                                              after)),
            (map { "take over $_" } 'what ran', 'what was sent'),
            'give a group away', 'name the directory');
}


# write($path, all => { N => execution }, happened => [ fault ], points => {},
# crowd => result)

sub write ($path, %what) {
    my $all = $what{all};
    my (%rows, %times);

    for my $fault (@{ $what{happened} }) {
        $times{ $fault->{what} }++;
        for my $x (values %$all) {
            next if $x->{start} > $fault->{to} || $x->{end} < $fault->{from};
            $rows{ $fault->{what} }{$x} = $x;
        }
    }
    for my $x (values %$all) {
        $rows{ way($_) }{$x} = $x for keys %{ $x->{ways} };
        $rows{"all with `fsync=$x->{phase}{fsync}`"}{$x} = $x;
    }

    my @faults = grep { $times{$_} } sort keys %rows;
    my ($every, $call) = map { my $those = $_; [ grep { /$those/ && !$times{$_} }
                                                 sort keys %rows ] }
        qr/^all/, qr/^an? /;

    open my $file, '>', $path or die "$path: $!\n";
    print $file _words($all, $what{happened}),
        _rows(\%rows, \%times, 'all executions', @$every),
        "\nThe machine:\n\n",
        _rows(\%rows, \%times, 'what happened', @faults),
        "\nEndpoints, app and clients:\n\n",
        _rows(\%rows, \%times, 'what they did', @$call),
        _points($what{points}), _crowd($what{crowd});
    close $file or die "$path: $!\n";
}

sub _rows ($rows, $times, $head, @those) {
    my @table = ('| ' . join(' | ', $head, 'times', @WORDS)
                 . " | the promise |\n",
                 '|---|' . '---:|' x (@WORDS + 1) . "---|\n");
    for my $what (@those) {
        my %count;
        $count{ $_->{verdict} }++ for values %{ $rows->{$what} };
        my $n = $times->{$what} // values %{ $rows->{$what} };
        push @table, '| ' . join(' | ', $what, $n, (map { $count{$_} // 0 } @WORDS),
                                 $PROMISES{$what} // $WHOLE) . " |\n";
    }
    return @table;
}

sub _words ($all, $happened) {
    my ($n, $faults) = (scalar keys %$all, scalar @$happened);
    my $day = strftime '%Y-%m-%d', gmtime;

    return <<"END";
# Whole actions and faults

`make faults` sends requests through an action with three undos and an
after-step, and lets things fail: at random times, and at each point of the
work.
Every call of an endpoint or of the app may fail in its own way, too.
Then it compares what the endpoint has written down, what the app has, and what
[the outbox](whole-actions.md#the-outbox) keeps.
This page is written by its last run, of $day: $n executions and $faults faults.

* [Faults](#faults)
* [Points](#points)
* [Very many records](#very-many-records)

## Faults

Each row counts the executions that ran during a fault, and what became of them:

* *done*: the app acted, and the after-step was delivered.
* *undone*: the app did not act, and each step that took effect was undone.
* *nothing*: the app did not act, and no step took effect.
* *unknown* and *dead*: the record is in that directory, for a person.
  Afterwards the test moves these records, as the app's book says, and all of
  them end as done or undone.
* *damaged*: the test has changed the record.
* *lost*: the record is gone, and with it an undo or an after-step.
  This may only happen with `fsync=off`, when the power fails.
* *wrong*: the books do not agree.

None is left that waits: time passes until all are delivered, or dead.

END
}

sub _points ($points) {
    my @rows;
    my %calls;

    for my $point (keys %$points) {
        my ($how, $call) = split / /, $point, 2;
        $calls{$call}{$how} = $points->{$point}{kill};
        $calls{$call}{power} += $points->{$point}{power};
    }
    for my $call (sort keys %calls) {
        push @rows, '| ' . join(' | ', $call, map { $calls{$call}{$_} // '' }
                                qw(before half after power)) . " |\n";
    }

    return <<"END", @rows;

## Points

A worker was killed right before, in the middle of, and right after each call
that changes the outbox, asks an endpoint or the app, or answers.
In the last column it is the power that failed, at any of these.

| what nginx was doing | killed before | half-way | killed after | power failed |
|---|---:|---:|---:|---:|
END
}

sub _crowd ($crowd) {
    return '' if !$crowd;
    return <<"END";

## Very many records

$crowd->{count} records waited at once.
A third of them belonged to a worker that had died, the others were moved to
`waiting/` one by one.
Workers were killed and nginx was reloaded meanwhile.

| delivered | not delivered | delivered more than once | left in the outbox |
|---:|---:|---:|---:|
| @{[ $crowd->{count} - $crowd->{missing} ]} | $crowd->{missing} | $crowd->{twice} | $crowd->{left} |
END
}

sub way ($way) {
    my ($what, $how) = split / /, $way;
    my %who = (step => 'a step', undo => 'an undo', after => 'an after-step',
               app => 'the app', client => 'a client');
    my %how = (
        ok => 'succeeds', refuse => 'refuses', fail => 'answers 503',
        done_fail => 'takes effect, and answers 503',
        cut => 'breaks off', done_cut => 'takes effect, and breaks off',
        done_stall => 'takes effect, and never answers',
        late => 'takes effect when nobody waits for it any more',
        done_bad => 'takes effect, and answers no JSON',
        refused => 'comes after its undo, and is refused',
        remembered => 'comes before its step',
        again => $what eq 'client'
            ? 'tries again before the undo of its first try'
            : 'answers 503 with Retry-After',
    );
    return "$who{$what} $how{$how}";
}

1;
