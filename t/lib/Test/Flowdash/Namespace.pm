package Test::Flowdash::Namespace;

# Makes the test run again with mounts and a network of its own, where it may
# write /etc/hosts and bind port 53, if it is allowed to:
#
#     use Test::Flowdash::Namespace;          # before Test::Flowdash
#     ok(...) if Test::Flowdash::Namespace::private();

use v5.36;

use constant { SIOCSIFFLAGS => 0x8914, IFF_UP => 1 };

sub import ($class) {
    return _loopback_up() if private();
    return if $> != 0 || system('unshare -mn true 2>/dev/null') != 0;

    $ENV{FLOWDASH_NAMESPACE} = $$;
    exec 'unshare', '-mn', $^X, $0, @ARGV;
}

# exec() keeps the process's id, which the variable of another test has not

sub private () { return ($ENV{FLOWDASH_NAMESPACE} // 0) == $$ }

sub _loopback_up () {
    socket my $socket, 2, 2, 0 or die "socket: $!\n";
    my $request = pack 'a16 s x22', 'lo', IFF_UP;
    ioctl $socket, SIOCSIFFLAGS, $request or die "lo: $!\n";
}

# another content for a file of the system's, as this test sees it

sub replace ($path, $source) {
    system('mount', '--bind', $source, $path) == 0
        or die "no mount over $path\n";
}

# the one of before

sub restore ($path) {
    system('umount', $path) == 0 or die "no mount over $path to remove\n";
}

1;
