package Test::Flowdash::Model;

# A model of one execution of an action with undos and after-steps: the worker,
# its record on the disk, the endpoints, the app, the network, the client and an
# operator.  search() tries every order in which things can happen, with every
# fault between any two operations, and looks at the books after each.
#
# What cannot change the books is left out: which worker recovers a record, when
# a delivery is tried again, and what is written in it.

use v5.36;

# new(%world), of which each member has a default:
#   steps     1 or 2
#   undo      0: they have no undo
#   afters    0 or 1
#   attempts  of a step, at most
#   servers   of the app, tried one after the other
#   crashes   how many there may be, of the kinds in "kinds"
#   kinds     "kill" of the worker, "power" of the machine
#   fsync     0: nothing is synced
#   retry     1: the client may try again with its key
#   operator  1: a person moves what is dead or unknown
#   full      1: any write, and any sync, may fail
#   wrong     a known mistake, see t/whole_model.t

sub new ($class, %world) {
    return bless {
        steps => 1, undo => 1, afters => 0, attempts => 1, servers => 1, crashes => 1,
        kinds => 'kill power', fsync => 1, retry => 0, operator => 0,
        full => 0, wrong => '', %world,
    }, $class;
}

sub _wrong ($self, $what) { return $self->{wrong} eq $what }

# A state:
#   pc       what the worker does next, see %DO; "none": nobody has the record
#   lines    of the record, a character each, see todo()
#   held     those that are not written yet: they go with the next that is
#   synced   how many of them survive a loss of power
#   place    of the record: "", now, undo, after, unknown, dead, removed
#   kept     where it is after a loss of power
#   boot     1: the machine was started again since the record was begun
#   tries    that are left of the call in progress
#   counts   1: an attempt of it may have taken effect
#   keys     what the endpoints know of each step's key: 0 nothing, 1 done,
#            2 undone; then the same for the keys of the client's retry
#   after    1: the endpoint of the after-step has got it
#   app      1: the app has done what the client wanted; retried: once more
#   net      what is on its way: 1 2 calls of steps, u v their undos,
#            a the after-step, p the app's request
#   crashes  that are left
#   client   "waits", "told" of an error, "done", "retried"

my @FIELDS = qw(pc lines held synced place kept boot tries counts keys after app
                retried net crashes client);
my %UNDO = (1 => 'u', 2 => 'v');
my %STEP = reverse %UNDO;

# what a line says: the call, its end without and with effect, its undo

my %LINES = (1 => [qw(1 x X p)], 2 => [qw(2 y Y q)]);
my %DELIVERED = (u => 'p', v => 'q', a => 'd');
my %NAMES = (
    b => 'begin', m => 'mark', o => 'outcome ok', r => 'outcome refused',
    f => 'outcome failed', u => 'outcome unknown', d => 'after delivered',
    map {
        my ($call, $clean, $effect, $undone) = @{ $LINES{$_} };
        ($call => "call $_", $clean => "answer $_, without effect",
         $effect => "answer $_, counts", $undone => "undo $_ delivered")
    } keys %LINES
);
my %CALLS = (1 => 'step 1', 2 => 'step 2', u => 'the undo of step 1',
             v => 'the undo of step 2', a => 'the after-step',
             p => 'the request to the app');

my %DO = (
    begin => \&_begin, write => \&_write_call, sync => \&_sync_call,
    call => \&_call, wait => \&_wait, ended => \&_ended, mark => \&_mark,
    syncmark => \&_sync_mark, ask => \&_ask, asked => \&_asked,
    fail => \&_fail, outcome => \&_outcome, syncoutcome => \&_sync_outcome,
    tell => \&_tell, deliver => \&_deliver, sent => \&_sent, none => \&_take,
);

# Breadth first, so that what it finds is the shortest: { states } and, if the
# books do not agree, { error, schedule }.

sub search ($self) {
    my $first = {
        pc => 'begin', lines => '', held => '', synced => 0, place => '', kept => '',
        boot => 0, tries => 0, counts => 0, keys => '0' x (2 * $self->{steps}),
        after => 0, app => 0, retried => 0, net => '',
        crashes => $self->{crashes}, client => 'waits',
    };
    my @queue = ($first);
    my %from = (_key($first) => []);

    while (my $state = shift @queue) {
        my $key = _key($state);
        my $error = $self->error($state);
        return { states => scalar keys %from, error => $error,
                 schedule => _schedule(\%from, $key) } if $error;

        for my $next ($self->_next($state)) {
            my ($what, $then) = @$next;
            my $key_then = _key($then);
            next if $from{$key_then};
            $from{$key_then} = [ $key, $what ];
            push @queue, $then;
        }
    }

    return { states => scalar keys %from };
}

sub _key ($state) { return join '|', @{$state}{@FIELDS} }

sub _schedule ($from, $key) {
    my @schedule;
    while (my ($before, $what) = @{ $from->{$key} }) {
        unshift @schedule, $what;
        $key = $before;
    }
    return \@schedule;
}


# What is wrong with the books of the endpoints and the app, and the outbox.

sub error ($self, $s) {
    my @keys = split //, $s->{keys};
    my @own = @keys[0 .. $self->{steps} - 1];
    my @retried = $self->_wrong('keys follow from the client\'s') ? @own
        : @keys[$self->{steps} .. $#keys];

    return 'a step of an action that happened was undone'
        if $s->{app} && grep { $_ == 2 } @own;
    return 'a step of the repetition was undone'
        if $s->{retried} && grep { $_ == 2 } @retried;
    return 'an after-step of an action that did not happen was delivered'
        if $s->{after} && !$s->{app};

    # what is still on its way, or in the hands of the execution, can change it

    return if $s->{net} ne '' || $s->{pc} !~ /^(?:none|deliver)/;
    return if !$self->{fsync} && $s->{boot};    # the record may be lost

    my $place = $s->{place};
    my $todo = $self->todo($s);
    return if $place =~ /^(?:undo|after|unknown|dead)$/ || $todo eq 'unknown';
    $todo = '' if $place ne 'now';

    for my $step (1 .. $self->{steps}) {
        return "step $step took effect, and nobody knows"
            if $self->{undo} && !$s->{app} && !$s->{retried} && $own[$step - 1] == 1 && $todo !~ /$UNDO{$step}/;
    }
    return 'the action happened, and the after-step is forgotten'
        if $s->{app} && $self->{afters} && !$s->{after} && $todo !~ /a/;
    return;
}

# What the record says is to be delivered, or "unknown".

sub todo ($self, $s) {
    my $lines = $s->{lines};
    my ($outcome) = $lines =~ /.*([orfu])/;

    if (!$outcome) {
        my $lost = $s->{boot} && !$self->{fsync}
            && !$self->_wrong('what another boot has left is undone');
        $outcome = $lost || $lines =~ /m/ ? 'u' : 'f';
    }

    $outcome = 'r' if $outcome eq 'u' && $self->_wrong('undo on unknown');
    $outcome = 'o' if $outcome eq 'u' && $self->_wrong('after on unknown');
    return 'unknown' if $outcome eq 'u';
    return $self->{afters} && $lines !~ /d/ ? 'a' : '' if $outcome eq 'o';
    return join '', map { $UNDO{$_} }
        grep { $self->_to_undo($lines, $_) } 1 .. $self->{steps};
}

sub _to_undo ($self, $lines, $step) {
    my ($call, $clean, $effect, $undone) = @{ $LINES{$step} };
    return 0 if !$self->{undo} || $lines !~ /$call/ || $lines =~ /[$clean$undone]/;
    return $lines =~ /$effect/
        || !$self->_wrong('a call without an answer does not count');
}


# What can happen next: pairs of words and the state that follows.

sub _next ($self, $s) {
    my ($do, $what) = split / /, $s->{pc};
    my @next = ($DO{$do}->($self, $s, $what), $self->_arrivals($s));
    push @next, $self->_crashes($s) if $s->{crashes};
    push @next, $self->_operator($s) if $self->{operator};
    push @next, $self->_retry($s) if $self->{retry};
    return @next;
}

sub _to ($s, $what, %changes) { return [ $what, { %$s, %changes } ] }

sub _line ($self, $s, $line, $pc, $full) {
    my $before = $s->{held} eq '' ? '' : ', and what was held';
    my @next = _to($s, "the worker writes \"$NAMES{$line}\"$before", held => '',
                   lines => $s->{lines} . $s->{held} . $line, pc => $pc);
    push @next, _to($s, "\"$NAMES{$line}\" cannot be written", pc => $full)
        if $self->{full};
    return @next;
}

sub _hold ($s, $line, $pc) {
    return _to($s, "the worker holds \"$NAMES{$line}\"",
               held => $s->{held} . $line, pc => $pc);
}

sub _sync ($self, $s, $pc, $fails) {
    return _to($s, 'the worker continues', pc => $pc) if !$self->{fsync};

    my $directory = !$self->_wrong('the directory is not synced');
    my @next = _to($s, 'the worker syncs the record', pc => $pc,
                   synced => length $s->{lines},
                   $directory ? (kept => $s->{place}) : ());
    push @next, _to($s, 'the record cannot be synced', pc => $fails)
        if $self->{full};
    return @next;
}

# What is on its way three times can do no more than what is so twice.

sub _send ($s, $call, $pc) {
    my $net = join '', sort split //, $s->{net} . $call;
    return _to($s, "the worker sends $CALLS{$call}", pc => $pc,
               net => $net =~ s/(.)\1\K\1//r);
}


# The execution: its steps

sub _begin ($self, $s, @) {
    my @next = _to($s, 'the worker creates the record', place => 'now',
                   held => 'b', pc => 'write 1');
    push @next, _to($s, 'the record cannot be created', pc => 'none')
        if $self->{full};
    return @next;
}

sub _write_call ($self, $s, $step) {
    my $now = { %$s, tries => $self->{attempts}, counts => 0 };
    return _to($now, 'the worker continues', pc => "call $step")
        if !$self->{undo};
    return _hold($now, $step, "call $step")
        if $self->_wrong('the call is held');
    return $self->_line($now, $step, "sync $step", 'fail');
}

sub _sync_call ($self, $s, $step) {
    return _to($s, 'the worker continues', pc => "call $step")
        if $self->_wrong('the call is not synced');
    return $self->_sync($s, "call $step", 'fail');
}

sub _call ($self, $s, $step) {
    my $now = { %$s, tries => $s->{tries} - 1 };
    return (_send($now, $step, "wait $step"),
            _to($now, "the endpoint of step $step cannot be reached",
                pc => "ended $step-4"));
}

sub _wait ($self, $s, $step) {
    return (_to($s, "step $step times out", pc => "ended $step-n"),
            _to($s, 'the client leaves', pc => "ended $step-l"));
}

# How an attempt has ended: 2 done, i an answer that is no good, 4 refused,
# n nobody knows, l the client has left.

sub _ended ($self, $s, $what) {
    my ($step, $how) = split /-/, $what;
    my ($call, $clean, $effect, $undone) = @{ $LINES{$step} };
    my $counts = $how ne '4' || $s->{counts}
        && !$self->_wrong('only the last attempt counts') ? 1 : 0;
    my $pc = $how ne '2' ? 'fail'
        : $step < $self->{steps} ? 'write ' . ($step + 1) : 'mark';

    my $line = $counts ? $effect : $clean;
    my @next = $self->{undo} ? $self->_line($s, $line, $pc, $pc)
        : _hold($s, $line, $pc);
    push @next, _to($s, "the worker tries step $step again", pc => "call $step",
                    counts => $counts) if $s->{tries} && $how =~ /[4n]/;
    return @next;
}

sub _fail ($self, $s, @) {
    return $self->_line($s, 'f', 'tell f', 'tell f');
}

# the app

sub _mark ($self, $s, $late) {
    my $now = { %$s, tries => $self->{servers}, counts => 0 };
    return _to($now, 'the worker continues', pc => 'ask')
        if $self->_wrong('the mark comes after the call') && !$late;
    return $self->_line($late ? $s : $now, 'm',
                        $late ? 'asked' : 'syncmark', 'fail');
}

sub _sync_mark ($self, $s, @) {
    return _to($s, 'the worker continues', pc => 'ask')
        if $self->_wrong('the mark is not synced');
    return $self->_sync($s, 'ask', 'fail');
}

sub _ask ($self, $s, @) {
    my $now = { %$s, tries => $s->{tries} - 1 };
    my $late = $self->_wrong('the mark comes after the call')
        && $s->{lines} !~ /m/;
    return (_send($now, 'p', $late ? 'mark late' : 'asked'),
            $self->_app_ended($now, '4', 'the app cannot be reached'));
}

sub _asked ($self, $s, @) {
    return ($self->_app_ended($s, 'n', 'the app does not answer in time'),
            _to($s, 'the client leaves', pc => 'outcome u'));
}

# one server of the app: 2 it did it, 4 it did not, n nobody knows

sub _app_ended ($self, $s, $how, $what) {
    my $counts = $how eq 'n' || $s->{counts}
        && !$self->_wrong('the last server decides') ? 1 : 0;
    my @next = _to($s, $what, pc => 'outcome '
                   . ($how eq '2' ? 'o' : $counts ? 'u' : 'r'));
    push @next, _to($s, "$what; another server is tried", pc => 'ask',
                    counts => $counts) if $s->{tries} && $how ne '2';
    return @next;
}

sub _outcome ($self, $s, $outcome) {
    return $self->_line($s, $outcome, "syncoutcome $outcome", "tell $outcome");
}

sub _sync_outcome ($self, $s, $outcome) {
    return $self->_sync($s, "tell $outcome", "tell $outcome");
}

sub _tell ($self, $s, $outcome) {
    return _to($s, 'the client gets the answer', pc => 'deliver', tries => 0,
               counts => 0, client => $outcome eq 'o' ? 'done' : 'told');
}


# Deliveries: by the worker of the execution, or one that recovers it.  All that
# wait are tried in any order, as some of them may fail.

sub _deliver ($self, $s, @) {
    my $todo = $self->todo($s);
    return _to($s, 'the record is set aside as unknown', pc => 'none',
               place => 'unknown') if $todo eq 'unknown';
    return _to($s, 'the record is removed', pc => 'none', place => 'removed')
        if $todo eq '';
    return map { _send($s, $_, "sent $_") } split //, $todo;
}

sub _sent ($self, $s, $call) {
    my $place = $self->_wrong('what could not be delivered is removed')
        ? 'removed' : 'dead';
    return (_to($s, "$CALLS{$call} times out", pc => 'deliver'),
            _to($s, "$CALLS{$call} is given up", pc => 'none',
                place => $place));
}

sub _take ($self, $s, @) {
    my %outcome = (undo => 'r', after => 'o');
    my $place = $s->{place};

    return _to($s, 'a worker takes the record', pc => 'deliver')
        if $place eq 'now';
    return _to($s, 'a worker takes the record', pc => 'deliver', place => 'now',
               lines => $s->{lines} . $outcome{$place}) if $outcome{$place};
    return;
}


# Calls arrive, or get lost, and so do the answers, whoever waits for them.

sub _arrivals ($self, $s) {
    my %seen;
    return map { $self->_arrival({ %$s, net => $s->{net} =~ s/$_//r }, $_) }
        grep { !$seen{$_}++ } split //, $s->{net};
}

sub _arrival ($self, $s, $call) {
    return $self->_app_arrival($s) if $call eq 'p';
    return $self->_delivery($s, $call) if $call !~ /\d/;

    my $key = substr $s->{keys}, $call - 1, 1;
    my $waits = $s->{pc} eq "wait $call";
    my $ended = sub ($how) { $waits ? (pc => "ended $call-$how") : () };
    my @next = (_to($s, "step $call is lost"));
    push @next, _to($s, "step $call is refused", $ended->('4')) if $waits;
    return @next if $key eq '2';

    my @done = (keys => _set($s->{keys}, $call, 1));
    push @next, _to($s, "step $call takes effect, its answer is lost", @done);
    push @next, _to($s, "step $call takes effect", @done, $ended->('2')),
        _to($s, "step $call takes effect, its answer is no good", @done,
            $ended->('i')) if $waits;
    return @next;
}

sub _set ($keys, $step, $value) {
    substr $keys, $step - 1, 1, $value;
    return $keys;
}

sub _app_arrival ($self, $s) {
    my $waits = $s->{pc} eq 'asked';
    my $done = { %$s, app => 1 };
    my @next = (_to($s, 'the request to the app is lost'),
                _to($done, 'the app acts, its answer is lost'));
    push @next, $self->_app_ended($s, '4', 'the app refuses'),
        $self->_app_ended($done, '2', 'the app acts') if $waits;
    return @next;
}

sub _delivery ($self, $s, $call) {
    my %effect = (after => 1);
    if (my $step = $STEP{$call}) {
        my $forgets = $self->_wrong('an endpoint forgets what it did not know')
            && substr($s->{keys}, $step - 1, 1) eq '0';
        %effect = $forgets ? () : (keys => _set($s->{keys}, $step, 2));
    }

    my @next = (_to($s, "$CALLS{$call} is lost"),
                _to($s, "$CALLS{$call} arrives, its answer is lost", %effect));
    if ($s->{pc} eq "sent $call") {
        push @next, map {
            _to($_->[1], "$CALLS{$call} is delivered", %effect)
        } $self->_line($s, $DELIVERED{$call}, 'deliver', 'deliver');
    }
    return @next;
}


# What others do.

sub _crashes ($self, $s) {
    return if $s->{pc} eq 'none' && $s->{place} =~ /^(?:removed)?$/
        && $s->{kept} eq $s->{place};

    my $after = { %$s, pc => 'none', tries => 0, counts => 0,
                  held => '', crashes => $s->{crashes} - 1,
                  client => $s->{client} eq 'waits' ? 'told' : $s->{client} };
    my @next;
    push @next, _to($after, 'the worker is killed')
        if $self->{kinds} =~ /kill/ && $s->{pc} ne 'none';
    push @next, $self->_power($after) if $self->{kinds} =~ /power/;
    return @next;
}

# Any part of what was not synced may be on the disk: lines up to one of them,
# as what follows a hole is not read; the file where it was, or where it is.

sub _power ($self, $s) {
    my ($n, @next) = length $s->{lines};
    my %places = map { $_ => 1 } $s->{place}, $s->{kept};

    for my $place (sort keys %places) {
        for my $left ($place eq '' ? 0 : ($s->{synced} .. $n)) {
            my $where = $place || 'nowhere';
            push @next, _to($s, "power fails: the record is $where, $left of "
                            . "$n lines are left", boot => 1,
                            place => $place, kept => $place, synced => $left,
                            lines => substr $s->{lines}, 0, $left);
        }
    }
    return @next;
}

# A person has seen what the app did, or did not do.

sub _operator ($self, $s) {
    return if $s->{pc} ne 'none' || $s->{net} ne '';
    return _to($s, 'the operator wants new tries', place => 'now')
        if $s->{place} eq 'dead';
    return if $s->{place} ne 'unknown';
    my $to = $s->{app} ? 'after' : 'undo';
    return _to($s, "the operator moves the record to $to/", place => $to);
}

# The client tries again with its key, and all of it goes well, unless an
# endpoint refuses the key.  What fails in it is an execution like the first.

sub _retry ($self, $s) {
    return if $s->{client} ne 'told';
    my $steps = $self->{steps};
    my $from = $self->_wrong('keys follow from the client\'s') ? 0 : $steps;
    my $keys = $s->{keys};
    return if substr($keys, $from, $steps) =~ /2/;
    substr $keys, $from, $steps, '1' x $steps;
    return _to($s, 'the client tries again', client => 'retried',
               retried => 1, keys => $keys);
}

1;
