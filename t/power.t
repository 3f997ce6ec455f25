#!/usr/bin/perl

# What t/proofs/whole.t calls a loss of power: what was synced is always there,
# and each thing that may get lost is lost at times.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::Power;

use constant TIMES => 40;

my $t = Test::Flowdash->new;
my ($disk, $machine) = map { $t->dir . "/$_" } qw(disk machine);
my (%seen, $changed);

$t->preload('machine');

# what a program does with its files

my $program = $t->write_file('program.pl', <<'END');
use v5.36;
use IO::Handle;

chdir $ENV{FLOWDASH_OUTBOX} or die $!;
mkdir $_ or die $! for qw(now later);
synced('.');

for my $name (qw(synced removed moved gone)) {
    append($name, 'one');
    synced("now/$name");
}
synced('now');
unlink 'now/removed' or die $!;
rename 'now/gone', 'later/gone' or die $!;
mkdir 'dir' or die $!;

append('new', 'one');
synced('now');              # "gone" is not there, so it has to be in "later"
append('synced', ' two');
append('unsynced', 'one');
synced('now/unsynced');     # but not the directory
rename 'now/moved', 'later/moved' or die $!;

# as nginx writes, without a buffer

sub append ($name, $text) {
    open my $file, '>>', "now/$name" or die $!;
    syswrite $file, $text;
}

sub synced ($name) {
    open my $file, '<', $name or die $!;
    $file->sync or die $!;
}
END

for my $n (1 .. TIMES) {
    srand $n;
    my $power = Test::Flowdash::Power->new($disk, $machine);
    local %ENV = (%ENV, FLOWDASH_OUTBOX => $disk, FLOWDASH_MACHINE => $machine,
                  LD_PRELOAD => $t->{preload});
    system($^X, $program) == 0 or die 'the program fails';
    delete $ENV{LD_PRELOAD};

    $power->fails;
    my @left = found();
    $seen{$_}++ for @left;

    # nothing was written since

    $power->fails;
    $changed++ if "@left" ne join ' ', found();
    system('rm', '-rf', $disk, $machine) == 0 or die $!;
}

is($changed, undef, 'what is on the disk stays there');

# each: always, or at times

sub times_of ($pattern) {
    my $n = 0;
    $n += $seen{$_} for grep { /^$pattern$/ } keys %seen;
    return $n == TIMES ? 'always' : $n ? 'at times' : 'never';
}

is(times_of('now/synced=one.*'), 'always', 'a synced file is there');
is(times_of('now/synced=one'), 'at times', '... without what came after');
is(times_of('now/synced=one two'), 'at times', '... with it');
is(times_of('now/synced=one t?w?'), 'at times', '... with a part of it');
is(times_of('now/new=.*'), 'always', 'a file of a synced directory is there');
is(times_of('now/new='), 'at times', '... but not what is in it');
is(times_of('now/unsynced=.*'), 'at times',
   'a synced file is lost with its directory');
is(times_of('now/removed=one'), 'never', 'what was removed is so, when synced');
is(times_of('later/gone=one'), 'always', 'what went away has come there');
is(times_of('(?:now|later)/moved=one'), 'always', 'what is moved is in a place');
is(times_of('now/moved=one'), 'at times', '... the old one');
is(times_of('later/moved=one'), 'at times', '... or the new one');
is(times_of('dir/'), 'at times', 'a new directory may be lost');

$t->done;

sub found () {
    my @found;
    for my $path (glob "$disk/* $disk/*/*") {
        my $name = $path =~ s{^\Q$disk\E/}{}r;
        if (-d $path) {
            push @found, "$name/";
            next;
        }
        push @found, "$name=" . Test::Flowdash::Power::_read($path) =~ s/\0//gr;
    }
    return @found;
}
