package Test::Flowdash::Bare;

# For the tests that try something in a Debian of their own.

use v5.36;

use Exporter qw(import);

our @EXPORT = qw(content write_file run_in);

sub content ($name) {
    open my $in, '<', $name or die "$name: $!\n";
    local $/;
    return scalar readline $in;
}

sub write_file ($name, $content) {
    open my $out, '>', $name or die "$name: $!\n";
    print $out $content;
    close $out or die "$name: $!\n";
}

# Runs commands in $root, without any network but a loopback if $netless.
# Returns how they ended, and what they printed.

sub run_in ($suite, $root, $netless, $commands) {
    local $ENV{NETLESS} = $netless;
    open my $pipe, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh',
        qw(t/build/contained.sh t/build/in-debian.sh), $suite, $root,
        'sh', '-euc', $commands or die "sh: $!\n";
    my $output = do { local $/; <$pipe> };
    close $pipe;
    return ($?, $output);
}

1;
