# The work for a request grows with its size, and not with the square of it:
# t/tool/linear.c reads inputs of one size and of twice that size, and callgrind
# counts the instructions.  They are the same on every machine.
#
# Needs FLOWDASH_LINEAR, the program of t/tool/linear.c; the smaller size is
# FLOWDASH_LINEAR_SIZE.

use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;

plan skip_all => 'FLOWDASH_LINEAR is not set' if !$ENV{FLOWDASH_LINEAR};

# sorting takes a little more than twice the work
my $max_ratio = 2.5;
my $size = $ENV{FLOWDASH_LINEAR_SIZE} || 25_000;

# what is refused in any case; all else is read to its end without rules
my %refused = (
    'JSON: the same field' => qr/occurs twice/,
    'JSON: too deep' => qr/nested too deep/,
    'JSON: too deep, objects' => qr/nested too deep/,
    'JSON: elements on the way' => qr/an array without the element/,
    'form: brackets in a field' => qr/too many brackets/,
);

my $dir = tempdir('flowdash-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);

my @lines = do {
    open my $out, '-|', 'valgrind', '-q', '--tool=callgrind',
        '--collect-atstart=no', "--callgrind-out-file=$dir/out",
        $ENV{FLOWDASH_LINEAR}, $size or die "valgrind: $!\n";
    my @read = <$out>;
    close $out;
    is($?, 0, 'the program runs');
    @read;
};

my %instructions;
for my $file (glob "$dir/out.*") {
    open my $in, '<', $file or die "$file: $!\n";
    my $dump = do { local $/; <$in> };
    my ($name) = $dump =~ /^desc: Trigger: Client Request: (.+)$/m or next;
    ($instructions{$name}) = $dump =~ /^totals: (\d+)$/m;
}

my (%work, %verdicts, @names);
for my $line (@lines) {
    chomp $line;
    my ($name, $bytes, $verdict) = split /\t/, $line;
    push @names, $name if !$work{$name};
    push @{ $work{$name} }, $instructions{"$name\t$bytes"} // 0;
    push @{ $verdicts{$name} }, $verdict;
}

ok(@names > 100, 'many kinds of input');

for my $name (@names) {
    my ($once, $twice) = @{ $work{$name} };
    my ($kind, $rules) = $name =~ /^(.*), (.*)$/;

    ok($once > 0 && $twice <= $max_ratio * $once, $name)
        or diag sprintf 'instructions: %d and %d, %.2f times', $once, $twice,
                        $once ? $twice / $once : 0;

    is($verdicts{$name}[1], $verdicts{$name}[0], "$name: both are judged");
    like($verdicts{$name}[0], $refused{$kind} // qr/^ok$/,
         "$name: and read as expected") if $rules eq 'not strict';
}

done_testing();
