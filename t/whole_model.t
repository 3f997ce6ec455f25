#!/usr/bin/perl

# Every schedule of crashes, lost calls and late ones that a small execution
# with undos and after-steps can meet: the books of endpoints, app and outbox
# agree in each, see Test::Flowdash::Model.  Each known mistake breaks them: that
# shows what the model can find, and its schedule says why the rule is there.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Flowdash::Model;

my %all = (steps => 1, afters => 1, attempts => 2, servers => 2, retry => 1,
           operator => 1, full => 1);

agrees('the worker is killed, twice', steps => 2, afters => 1, crashes => 2,
       kinds => 'kill', operator => 1);
agrees('power fails, twice', steps => 2, afters => 1, crashes => 2,
       kinds => 'power');
agrees('each of them once', steps => 2, afters => 1, crashes => 2);
agrees('two attempts, two servers, a full disk, a retry, an operator', %all);
agrees('nothing is synced', %all, attempts => 1, fsync => 0);
agrees('steps without undos', %all, steps => 2, undo => 0, attempts => 1);
agrees('a long action, with all but crashes', %all, steps => 2, crashes => 0,
       retry => 0);

finds('the mark comes after the call');
finds('the mark is not synced');
finds('the call is not synced');
finds('the call is held');
finds('the directory is not synced');
finds('undo on unknown');
finds('after on unknown');
finds('a call without an answer does not count');
finds('only the last attempt counts', attempts => 2);
finds('the last server decides', servers => 2);
finds('an endpoint forgets what it did not know');
finds('what another boot has left is undone', fsync => 0);
finds('keys follow from the client\'s', retry => 1);
finds('what could not be delivered is removed');

done_testing();


sub agrees ($name, %world) {
    my $found = Test::Flowdash::Model->new(%world)->search;
    is($found->{error}, undef, "$name: $found->{states} states")
        or diag(schedule($found));
    cmp_ok($found->{states}, '>', 1000, "$name: many states");
}

# the shortest schedule that a mistake makes possible

sub finds ($wrong, %world) {
    my $found = Test::Flowdash::Model->new(afters => 1, %world,
                                           wrong => $wrong)->search;
    ok($found->{error}, "found: $wrong") or return;
    note(schedule($found));

    # without the mistake it is none

    is(Test::Flowdash::Model->new(afters => 1, %world)->search->{error}, undef,
       "otherwise not: $wrong");
}

sub schedule ($found) {
    return join "\n", map { "  $_" } @{ $found->{schedule} // [] },
        "so that $found->{error}";
}
