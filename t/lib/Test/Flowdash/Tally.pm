package Test::Flowdash::Tally;

# A harness for prove that also notes what has passed and failed, at the end of
# the file FLOWDASH_TALLY names: t/build/tally sums it up.

use v5.36;

use parent 'TAP::Harness';

sub summary ($self, $aggregate, $interrupted = 0) {
    $self->SUPER::summary($aggregate, $interrupted);

    open my $file, '>>', $ENV{FLOWDASH_TALLY} or die "FLOWDASH_TALLY: $!\n";
    for my $name ($aggregate->descriptions) {
        my ($test) = $aggregate->parsers($name);
        say $file join "\t", $name, $test->passed - $test->skipped,
            scalar $test->skipped, $test->has_problems ? _problem($test) : '';
    }
    say $file "interrupted\t0\t0\tinterrupted" if $interrupted;
    close $file or die "FLOWDASH_TALLY: $!\n";
}

sub _problem ($test) {
    my @failed = $test->failed;
    my $signal = $test->wait & 127;

    return @failed . ' of ' . $test->tests_run if @failed;
    return $signal ? "signal $signal" : $test->exit ? 'exit ' . $test->exit
        : ($test->parse_errors)[0];
}

1;
