#!/usr/bin/perl

# Records what clients send into t/captures/CLIENT/NAME.http:
#
#     t/captures/record/record.pl [CLIENT ...]
#
# Without arguments, every client of the tables below that is installed is
# recorded.  Those of npm are expected in build/clients:
#
#     npm install --prefix build/clients --no-save --no-package-lock \
#         axios form-data got htmx.org jquery node-fetch superagent undici
#
# A file begins with lines about the capture, in the way of HTTP's headers.
# Behind an empty line there are the bytes of the request, as they came:
#
#     client:  who sent it
#     version: and which version of it
#     made:    how it was recorded
#     pointer: the flowdash_task with which it is replayed
#     task:    what the client meant, as JSON: endpoints are to be told this
#     note:    what is special about it, if anything is
#     refused: if it is, the status, and a word of the log: a rule, mostly
#     whole:   the same for the pointer "", if it is only then refused

use v5.36;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;

use lib dirname(abs_path(__FILE__));
use Pages;
use Scenarios;

my $here = dirname(abs_path(__FILE__));
my $root = abs_path("$here/../../..");
my $clients = $ENV{FLOWDASH_CLIENTS} //= "$root/build/clients";
my $dir = tempdir(CLEANUP => 1);
my $server = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1')
    or die "listen: $@\n";
my $base = 'http://127.0.0.1:' . $server->sockport;

sub spew ($path, $bytes) {
    make_path(dirname($path));
    open my $file, '>:raw', $path or die "$path: $!\n";
    print $file $bytes;
    close $file or die "$path: $!\n";
    return $path;
}

sub slurp ($path) {
    open my $file, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar readline $file;
}

sub output (@command) {
    open my $pipe, '-|', @command or return '';
    local $/;
    return (readline $pipe) // '';
}

# A request, whole, and its answer: an empty one, or what $get returns for a
# page that a browser loads.

sub receive ($socket) {
    my $bytes = '';
    my $continued;

    while (1) {
        if ($bytes =~ /\A(.*?\r\n\r\n)(.*)\z/s) {
            my ($head, $body) = ($1, $2);
            my $length = $head =~ /^content-length:\s*(\d+)/mi ? $1 : 0;
            my $whole = $head =~ /^transfer-encoding:/mi
                ? $body =~ /(?:\A|\r\n)0\r\n\r\n\z/ : length $body >= $length;
            return $bytes if $whole;
            $socket->syswrite("HTTP/1.1 100 Continue\r\n\r\n")
                if $head =~ /^expect:/mi && !$continued++;
        }
        return if !IO::Select->new($socket)->can_read(30);
        $socket->sysread($bytes, 1 << 16, length $bytes) or return;
    }
}

sub answer ($socket, $type, $body) {
    $socket->syswrite("HTTP/1.1 200 OK\r\nContent-Type: $type\r\n"
        . 'Content-Length: ' . length($body) . "\r\nConnection: close\r\n\r\n"
        . $body);
    $socket->close;
}

sub start (@command) {
    defined(my $pid = fork) or die "fork: $!\n";
    return $pid if $pid;

    setpgrp;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', "$dir/log";
    open STDERR, '>&', \*STDOUT;
    exec @command or exit 127;
}

sub end ($pid) {
    kill KILL => -$pid;
    waitpid $pid, 0;
}

# runs a command and returns the first request it sends
sub request_of (@command) {
    spew("$dir/log", '');
    my $pid = start(@command);
    my $bytes;

    if (IO::Select->new($server)->can_read(60)) {
        my $socket = $server->accept;
        $bytes = receive($socket);
        answer($socket, 'application/json', '{}');
    }

    end($pid);
    print slurp("$dir/log") if !defined $bytes;
    return $bytes;
}

sub save ($client, $name, $bytes, %about) {
    my @lines = map { defined $about{$_} ? "$_: $about{$_}\n" : () }
        qw(client version made pointer task note refused whole);
    spew("$root/t/captures/$client/$name.http", join '', @lines, "\n", $bytes);
    say "  $name";
}

sub about ($client, $name, $version, $made) {
    my %scenario = Scenarios::scenario($client, $name);
    return (client => Scenarios::title($client), version => $version,
            made => $made, %scenario{qw(pointer task note refused whole)});
}

# one process for each request
sub record_programs ($client) {
    my ($program, $version, @names) = Scenarios::program($client);
    $version = output('sh', '-c', $version) =~ s/\s+\z//r =~ s/\n.*//sr;
    return say "$client: not installed" if $version eq '';

    say "$client $version";
    for my $name (@names) {
        my %scenario = Scenarios::scenario($client, $name);
        my @arguments = @{ $scenario{arguments} };

        for (@arguments) {
            spew("$dir/files/$_->[0]", $_->[1]), $_ = "\@$dir/files/$_->[0]"
                if ref;
        }

        my ($shown, @command) = $program->($scenario{kind}, "$base/tasks/7",
                                           @arguments);
        s{^record/}{$here/} for @command;
        $shown =~ s/\Q$base/\$url/g;
        $shown =~ s/\Q$dir\E\/files\///g;

        my $bytes = request_of(@command);
        if (!defined $bytes) {
            say "  $name: nothing was sent";
            next;
        }
        save($client, $name, $bytes, about($client, $name, $version, $shown));
    }
}

# one page with a frame for each request, which the page in it sends by itself
sub record_browser ($client) {
    my ($command, $version, @names) = Scenarios::browser($client);
    $version = output('sh', '-c', $version) =~ s/\s+\z//r;
    return say "$client: not installed" if $version eq '';

    my %missing = map { $_ => 1 } @names;
    my $end = time + 120;

    say "$client $version";
    make_path("$dir/$client");
    spew("$dir/log", '');
    my $pid = start($command->("$dir/$client", "$base/all"));

    while (%missing && time < $end) {
        next if !IO::Select->new($server)->can_read(1);
        my $socket = $server->accept;
        my $bytes = receive($socket) // next;
        my ($path) = $bytes =~ m{\A\S+ /([^? ]*)};

        if ($path =~ s{^page/}{}) {
            answer($socket, 'text/html; charset=utf-8', Pages::page($path));
        } elsif ($path eq 'all') {
            answer($socket, 'text/html', Pages::all(@names));
        } elsif ($path =~ s{^script/}{}) {
            my $file = Pages::script($path);
            answer($socket, 'text/javascript',
                   slurp("$clients/node_modules/$file"));
        } else {
            answer($socket, 'text/html', '');
            delete $missing{$path} or next;
            save($client, $path, $bytes, about($client, $path, $version,
                Pages::made($path, $clients)));
        }
    }

    end($pid);
    say "  $_: nothing was sent" for sort keys %missing;
}

for my $client (@ARGV ? @ARGV : Scenarios::clients()) {
    Scenarios::is_browser($client) ? record_browser($client)
        : record_programs($client);
}
