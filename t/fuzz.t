#!/usr/bin/perl

# The fuzzers of t/fuzz, each for a number of inputs that does not depend on
# the machine: those of its corpus, and what libFuzzer makes of them.  "make
# fuzz" runs them for as long as you like.
#
# Needs FLOWDASH_FUZZ, the directory of the programs.

use v5.36;

use FindBin;
use File::Temp ();
use Test::More;

plan skip_all => 'FLOWDASH_FUZZ is not set' if !$ENV{FLOWDASH_FUZZ};

# what takes less than 10 seconds, all together half a minute
my %runs = (
    gzip => 60_000, keys => 150_000, multipart => 80_000, pointer => 150_000,
    record => 150_000, scan => 150_000, select => 60_000, task => 150_000,
    template => 50_000, text => 150_000, url => 150_000,
    urlencoded => 120_000, whole => 12_000,
);

# every module of nginx defines ngx_modules and two more as nginx does
$ENV{ASAN_OPTIONS} = 'detect_odr_violation=0';
$ENV{UBSAN_OPTIONS} = 'print_stacktrace=1';

my @fuzzers = map { m{([^/]+)\.c\z} } glob "$FindBin::Bin/fuzz/*.c";

is_deeply([ sort keys %runs ], \@fuzzers, 'all fuzzers are here');

# two at a time
my $logs = File::Temp->newdir;
my (%running, %status);

for my $name (@fuzzers) {
    ended() if keys %running > 1;
    $running{start($name)} = $name;
}
ended() while %running;

for my $name (@fuzzers) {
    open my $fh, '<:raw', "$logs/$name.log" or die "$name.log: $!\n";
    my $said = do { local $/; readline $fh };
    my ($n) = $said =~ /number_of_executed_units: (\d+)/;

    ok($status{$name} == 0 && ($n // 0) >= $runs{$name},
       "$name: no property is broken in $runs{$name} runs")
        or diag $said =~ s/[^\n\x20-\x7e]/?/gr;
}

done_testing;


sub ended () {
    my $pid = waitpid -1, 0;
    $status{delete $running{$pid}} = $?;
}

sub start ($name) {
    my $dir = "$logs/$name";
    my ($dict) = grep { -f } map { "$FindBin::Bin/fuzz/$_.dict" } $name, 'any';

    # libFuzzer writes what it learns into the first directory
    mkdir $_ or die "$_: $!\n" for $dir, "$dir/learned";

    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;

    open STDOUT, '>', "$dir.log" or die "$dir.log: $!\n";
    open STDERR, '>&', \*STDOUT or die "$dir.log: $!\n";

    # where "whole" has its sockets and files
    $ENV{TMPDIR} = $dir;

    exec "$ENV{FLOWDASH_FUZZ}/$name", "-runs=$runs{$name}", '-seed=1',
        '-max_len=2048', '-timeout=600', '-print_final_stats=1',
        "-dict=$dict", "-artifact_prefix=$dir/",
        "$dir/learned", "$FindBin::Bin/fuzz/corpus/$name"
        or die "$name: $!\n";
}
