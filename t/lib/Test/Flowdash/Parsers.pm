package Test::Flowdash::Parsers;

=head1 NAME

Test::Flowdash::Parsers - the parsers of real apps, as processes

=head1 SYNOPSIS

    my $parsers = Test::Flowdash::Parsers->new($t, more => 0);
    my @readings = $parsers->read(@requests);    # raw HTTP requests

=head1 DESCRIPTION

Each process in t/tool/parsers gets the path of a file by line.  The file has
requests, each behind its length (four bytes, the highest first).  The process
answers each request with a line of JSON: an object with a member for each of
its parsers, which is null if the parser has refused the request, otherwise a
list of views:

    ["query", "pairs", [[name, value], ...]]
    ["body",  "tree",  {...}]

The first is where the view is from: "query", "body", "merged" (an app that
reads both as one), or "json" (an app that reads every body as JSON, whatever
its type).  A file is {"$file":[name, type, size]}, a number {"$number":"1e3"}.

=cut

use v5.36;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IO::Socket::INET;
use POSIX ();

use Test::Flowdash::Npm;
use Test::Flowdash::Reading;

my $TOOLS = abs_path(dirname(__FILE__) . '/../../../tool/parsers');

# Debian's own, where another Python or Ruby may come first in PATH
my $PYTHON = '/usr/bin/python3';
my $RUBY = '/usr/bin/ruby';

# new($t, more => 1): with those for which "make differential" is there, too

sub new ($class, $t, %option) {
    my $self = bless { t => $t, sockets => [] }, $class;

    $self->_program(node => 'node', "$TOOLS/node.js");
    $self->_program(python => $PYTHON, "$TOOLS/python.py");
    $self->_program(ruby => $RUBY, "$TOOLS/ruby.rb");
    $self->_server(php => qw(php -n -d request_order=GP -d display_errors=0 -S),
                   '127.0.0.1:' . $t->port('php server'), "$TOOLS/php.php");
    $self->_more if $option{more};

    $self->{sockets} = [ map { $t->connect($_) } @{ $self->{names} } ];
    return $self;
}

sub _more ($self) {
    my ($t, $dir) = ($self->{t}, $self->{t}->dir);

    $self->_program('python more', $PYTHON, "$TOOLS/python.py", 'more');
    $self->_program('ruby more', $RUBY, "$TOOLS/ruby.rb", 'more');
    $self->_program(perl => $^X, "$TOOLS/perl.pl");

    local $ENV{GO111MODULE} = 'off';
    local $ENV{GOCACHE} = "$dir/go";
    system('go', 'build', '-o', "$dir/go.parser", "$TOOLS/go.go") == 0
        or die "go.go can't be built\n";
    $self->_program(go => "$dir/go.parser");

    my @jars = grep { -e } map { "/usr/share/java/$_.jar" }
        qw(tomcat10-embed-core tomcat10-embed-el annotations-api);
    $self->_server(tomcat => 'java', '-cp', join(':', @jars),
                   "$TOOLS/Tomcat.java", $t->port('tomcat server'), $dir);
}

# A parser that speaks on its standard input and output is the "server" of a
# connection, so that it ends with the test.

sub _program ($self, $name, @command) {
    local $ENV{NODE_PATH} = npm_modules('express') // '';
    push @{ $self->{names} }, $name;

    $self->{t}->server($name => sub ($listen, $record) {
        my $connection = $listen->accept or die "$name: $!\n";
        open STDIN, '<&', $connection or die $!;
        open STDOUT, '>&', $connection or die $!;
        exec @command or die "$command[0]: $!\n";
    });
}

# One that is an HTTP server of its own gets each request over a connection.

sub _server ($self, $name, @command) {
    my $port = $self->{t}->port("$name server");
    push @{ $self->{names} }, $name;

    $self->{t}->server($name => sub ($listen, $record) {
        defined(my $pid = fork) or die "fork: $!\n";
        if (!$pid) {
            open STDOUT, '>', '/dev/null' or die $!;
            open STDERR, '>', '/dev/null' if !$ENV{FLOWDASH_DEBUG};
            exec @command or POSIX::_exit(127);
        }

        my $connection = $listen->accept or die "$name: $!\n";
        $connection->autoflush(1);
        while (my $path = readline $connection) {
            chomp $path;
            print $connection _ask($port, $pid, $_) for _frames($path);
        }
    });
}

sub _frames ($path) {
    open my $file, '<:raw', $path or die "$path: $!\n";
    my @frames;
    while (read $file, my $length, 4) {
        read $file, my $frame, unpack 'N', $length;
        push @frames, $frame;
    }
    return @frames;
}

# The server may need a while until it listens.  One that answers no line has
# refused the request.

sub _ask ($port, $pid, $request) {
    my $socket;
    until ($socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port")) {
        waitpid($pid, POSIX::WNOHANG()) == $pid
            and die "the server on port $port has ended\n";
        select undef, undef, undef, 0.05;
    }

    local $/;
    print $socket $request;
    $socket->flush;
    my $answer = readline $socket;
    my ($line) = ($answer // '') =~ /\r\n\r\n(\{.*\})\s*\z/s;
    return ($line // '{}') . "\n";
}

sub read ($self, @requests) {
    my $path = $self->{t}->write_file(
        'parsers.batch', join '', map { pack('N', length) . $_ } @requests);
    my @readings;

    for my $socket (@{ $self->{sockets} }) {
        print $socket "$path\n";
        $socket->flush;
    }

    for my $n (0 .. $#{ $self->{sockets} }) {
        my $socket = $self->{sockets}[$n];
        for my $reading (@readings[0 .. $#requests]) {
            my $line = readline($socket)
                // die "the parsers of $self->{names}[$n] have ended\n";
            $reading = { %{ $reading // {} },
                         Test::Flowdash::Reading::views($line)->%* };
        }
    }

    return @readings;
}

1;
