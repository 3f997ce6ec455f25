#!/usr/bin/perl

# "make image-test": there may be no container engine here, so this does what
# docs/packaging/docker/Dockerfile says without one.  Each stage is a Debian by
# debootstrap; RUN and COPY are done as they are written.  In the second one
# nginx then runs as CMD says, with a site where docs mount it: an action goes
# through, the logs are the output, and STOPSIGNAL lets a running action end.
#
# FLOWDASH_SUITES: bookworm, trixie.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::Flowdash::Bare;
use Test::More;

plan skip_all => 'FLOWDASH_SUITES says in which Debian'
    if !$ENV{FLOWDASH_SUITES};
plan skip_all => 'this needs root' if $> != 0;

chdir "$FindBin::Bin/../.." or die "chdir: $!\n";

my %known = map { $_ => 1 } qw(ARG FROM RUN COPY WORKDIR EXPOSE STOPSIGNAL CMD);
my @lines = instructions('docs/packaging/docker/Dockerfile');

is(join(' ', grep { !$known{$_} } map { $_->[0] } @lines), '',
   'instructions that are known here');

subtest $_ => \&try_in, $_ for split ' ', $ENV{FLOWDASH_SUITES};
done_testing();


# name and rest of each instruction; a comment ends neither
sub instructions ($file) {
    my $text = content($file) =~ s/^\s*#.*\n//gmr =~ s/\\\n//gr;
    return map { [ /^(\w+)\s+(.*)$/ ] } grep { /\S/ } split /\n/, $text;
}

sub try_in ($suite) {
    my (%root, $root, $dir, %last);

    for my $line (@lines) {
        my ($name, $rest) = @$line;
        $rest =~ s/\$\{SUITE\}/$suite/g;
        $last{$name} = $rest;

        if ($name eq 'FROM') {
            my ($image, $stage) = $rest =~ /^(\S+)(?: AS (\w+))?$/;
            is($image, "debian:$suite-slim", "FROM $image") or return;
            $stage //= 'last';
            $root = $root{$stage} = stage($suite, $stage);
            $dir = '/';

        } elsif ($name eq 'WORKDIR') {
            $dir = $rest;

        } elsif ($name eq 'RUN') {
            my ($status, $output) = run_in($suite, $root, '', "cd $dir\n$rest");
            is($status, 0, 'RUN ' . substr $rest, 0, 40)
                or return diag($output);

        } elsif ($name eq 'COPY' && $rest =~ /^--from=(\w+) (\S+) (\S+)$/) {
            is(system("cp $root{$1}$2 $root$3"), 0, "COPY $rest") or return;

        } elsif ($name eq 'COPY') {

            # run_in() has copied it, but for .git and build
            is($rest, '. /flowdash', "COPY $rest");
            is(content('docs/packaging/docker/Dockerfile.dockerignore'),
               ".git\nbuild\n", 'but what is left out here, too');
        }
    }

    start($suite, $root, $last{CMD}, $last{STOPSIGNAL});
    system("rm -rf @root{sort keys %root}");
}

# a Debian for a stage, which "make deb-test" has made, or makes
sub stage ($suite, $name) {
    my ($bare, $root) = ("build/bare-$suite", "build/image-$suite-$name");

    run_in($suite, $bare, '', 'true') if !-d $bare;
    system("rm -rf $root && cp -a $bare $root") == 0 or die "cp: $?\n";

    # a chroot has no init that could start something, on the machine's ports
    write_file("$root/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n");
    chmod 0755, "$root/usr/sbin/policy-rc.d";
    return $root;
}

sub start ($suite, $root, $command, $signal) {
    my @command = map { s/\A"//r =~ s/"\z//r }
        $command =~ /"(?:[^"\\]|\\.)*"/g;
    my $nginx = join ' ', map { "'$_'" } @command;

    write_file("$root/etc/nginx/sites-enabled/tasks", <<~'END');
        server {
            listen 127.0.0.1:8080;

            location /tasks/ {
                flowdash_action "Finish";
                flowdash_step "Slow" {
                    flowdash_call http://127.0.0.1:8081/;
                }
                proxy_pass http://127.0.0.1:8082;
            }
        }
        END

    # the endpoint, which answers when nginx has been told to end, and the app
    write_file("$root/root/others", <<'    END' =~ s/^ {8}//gmr);
        use IO::Socket::INET;
        my ($endpoint, $app) = map {
            IO::Socket::INET->new(LocalAddr => "127.0.0.1:$_", Listen => 9,
                                  ReuseAddr => 1) or die "$_: $!\n";
        } 8081, 8082;

        for my $listen ($endpoint, $app) {
            my $socket = $listen->accept;
            sysread $socket, my $request, 65536;
            open my $called, '>', '/tmp/called';
            while ($listen == $endpoint && !-e '/tmp/told') {
                select undef, undef, undef, 0.1;
            }
            print $socket "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n"
                . "Content-Length: 7\r\n\r\nstored\n";
        }
    END

    write_file("$root/root/act", <<'    END' =~ s/^ {8}//gmr);
        use IO::Socket::INET;
        my $socket = IO::Socket::INET->new('127.0.0.1:8080') or die "$!\n";
        my $body = '{"task":{"A":1}}';
        print $socket "POST /tasks/7 HTTP/1.0\r\nHost: x\r\n"
            . "Content-Type: application/json\r\nContent-Length: "
            . length($body) . "\r\n\r\n$body";
        print <$socket>;
    END

    my ($status, $output) = run_in($suite, $root, 1, <<~"END");
        until_done() {
            for n in \$(seq 600); do
                ! "\$@" 2>/dev/null || return 0
                sleep 0.1
            done
            return 1
        }

        ip link set lo up
        perl /root/others &
        $nginx >/tmp/output 2>&1 &
        pid=\$!
        until_done test -s /run/nginx.pid
        perl /root/act >/tmp/answer &
        act=\$!
        until_done test -e /tmp/called
        kill -s ${\($signal =~ s/^SIG//r)} \$pid
        touch /tmp/told
        wait \$act
        wait \$pid
        echo ==== answer
        cat /tmp/answer
        echo ==== output
        cat /tmp/output
        END
    is($status, 0, "CMD $command, and $signal ends it") or diag($output);

    my %said = $output =~ /^==== (.+?)\n(.*?)(?=^==== |\z)/gms;
    like($said{answer}, qr/ 200 OK\r\n.*\r\n\r\nstored\n/s,
         'a running action ends first') or diag($output);
    like($said{output}, qr{"POST /tasks/7 HTTP/1\.0" 200},
         'the access log is its output');
}
