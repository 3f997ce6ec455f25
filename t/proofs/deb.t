#!/usr/bin/perl

# "make deb-test": in a Debian that has nothing else, apt installs the package,
# the quick start works as it is written there, the package's own test passes,
# and nginx starts when the package was removed.
#
# FLOWDASH_SUITES: bookworm, trixie.  Each of them is made once by debootstrap,
# build/bare-SUITE, and tried in a copy.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::Flowdash::Bare;
use Test::More;

plan skip_all => 'FLOWDASH_SUITES says in which Debian'
    if !$ENV{FLOWDASH_SUITES};
plan skip_all => 'this needs root' if $> != 0;

chdir "$FindBin::Bin/../.." or die "chdir: $!\n";

my $page = content('docs/quick-start.md');

# the files of the page, and its commands, by the heading above them
my %file = $page =~ m{^Write this to `(/\S+)`:\n\n(?:<!--\N*-->\n)?```nginx\n(.*?)^```$}gms;
my %part = $page =~ /^## (.+?)\n(.*?)(?=^## |\z)/gms;
my %commands = map { $_ => join '', $part{$_} =~ /^```sh\n(.*?)^```$/gms }
    keys %part;
my ($printed) = $part{'Try it'} =~ /^```json\n(.*?)^```$/ms;
my ($logged) = $part{'Try it'} =~ /^```text\n(.*?)^```$/ms;

is(scalar keys %file, 2, 'the page has two files');
ok($commands{$_}, qq(the page has commands below "$_"))
    for 'Install', 'The action', 'Try it';

my $here = `. /etc/os-release && printf %s "\$VERSION_CODENAME"`;

subtest $_ => \&try_in, $_ for split ' ', $ENV{FLOWDASH_SUITES};
done_testing();


sub try_in ($suite) {
    my @debs = glob $suite eq $here ? 'build/*.deb' : "build/$suite/*.deb";
    is(scalar @debs, 1, 'the package was built') or return;

    my $bare = "build/bare-$suite";
    my $root = "build/try-$suite";

    run_in($suite, $bare, '', 'true') if !-d $bare;
    system("rm -rf $root && cp -a $bare $root") == 0 or die "cp: $?\n";
    system("cp @debs $root/root") == 0 or die "cp: $?\n";

    # a chroot has no init that could start something, on the machine's ports
    write_file("$root/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n");
    chmod 0755, "$root/usr/sbin/policy-rc.d";

    # without a terminal, curl would draw its progress
    write_file("$root/root/.curlrc", "silent\nshow-error\n");

    my ($status, $output) = run_in($suite, $root, '', <<~"END");
        cd /root
        ! command -v make git gcc nginx
        export DEBIAN_FRONTEND=noninteractive
        $commands{Install}
        test -e /etc/nginx/modules-enabled/50-mod-http-flowdash.conf
        rm /usr/sbin/policy-rc.d
        END
    is($status, 0, 'apt installs the package') or return diag($output);

    write_file("$root$_", $file{$_}) for keys %file;

    ($status, $output) = run_in($suite, $root, 1, <<~"END");
        ip link set lo up
        $commands{'The action'}
        echo ==== try
        $commands{'Try it'}
        echo ==== later
        sleep 1; sort -r /var/log/nginx/stand-ins.log
        echo ==== refused
        sed -i 's/return 200 .*Expected.*/return 422;/' \\
            /etc/nginx/sites-available/stand-ins
        service nginx reload
        sleep 1
        $commands{'Try it'}
        echo
        echo ==== guarded
        curl --user ada:secret --data a=b --output /dev/null \\
            --write-out '%{http_code}\\n' http://127.0.0.1:8080/tasks/7/end
        echo ==== metrics
        curl http://127.0.0.1:9145/metrics
        echo ==== own test
        service nginx stop
        rm /etc/nginx/sites-enabled/stand-ins /etc/nginx/sites-enabled/tasks
        debian/tests/action
        echo ==== manual
        zcat /usr/share/man/man7/ngx_http_flowdash_module.7.gz |
            sed -n 's/^[.]It Ic flowdash_/flowdash_/p'
        echo ==== notify
        sed -n 's/^window[.]\\(fetch\\) .*/\\1/p' /usr/share/flowdash/notify.js
        echo ==== directives
        zcat /usr/share/doc/libnginx-mod-http-flowdash/directives.md.gz |
            sed -n 's/^### flowdash_/flowdash_/p'
        END
    is($status, 0, 'the quick start: all commands succeed')
        or return diag($output);

    my %said = $output =~ /^==== (.+?)\n(.*?)(?=^==== |\z)/gms;

    is(index($said{try}, $printed), 0, 'the app has answered what the page says')
        or diag($said{try});
    is($said{later}, $logged, 'endpoint and app have got what the page says');
    like($said{refused}, qr/"status":502.*"step":"Update CRM"/s,
         'an endpoint that says no');
    is($said{guarded}, "403\n", 'what is no action is refused');
    like($said{metrics}, qr/^flowdash_actions_started_total\S+ 2$/m,
         'both are counted');
    like($said{metrics}, qr/^flowdash_build_info\{version="[\d.]+",nginx=/m,
         'the versions');
    like($said{'own test'}, qr/^An action went through/m, 'debian/tests/action');
    is($said{manual}, $said{directives}, 'the manual has all directives');
    is($said{notify}, "fetch\n", 'the script for pages is there');

    # apt has the libraries still, there is no network for anything else
    ($status, $output) = run_in($suite, $root, 1, <<~'END');
        ip link set lo up
        cd /etc/nginx/sites-enabled
        ln -s ../sites-available/stand-ins ../sites-available/tasks .
        service nginx start
        sleep 1
        export DEBIAN_FRONTEND=noninteractive

        # no init is there, but packages are to believe so
        printf '#!/bin/sh\nexit 0\n' >/usr/sbin/policy-rc.d
        chmod 755 /usr/sbin/policy-rc.d

        echo ==== removed
        apt-get remove -y libnginx-mod-http-flowdash
        test ! -e /etc/nginx/modules-enabled/50-mod-http-flowdash.conf
        echo ==== running
        curl --user ada:secret http://127.0.0.1:8080/
        echo ==== test
        ! nginx -t 2>&1

        # installed again, while something else is wrong, and without that
        echo 'nonsense on;' >/etc/nginx/conf.d/nonsense.conf
        echo ==== wrong
        apt-get install -y /root/*.deb
        test -e /etc/nginx/modules-enabled/50-mod-http-flowdash.conf
        echo ==== continues
        curl --user ada:secret http://127.0.0.1:8080/
        rm /etc/nginx/conf.d/nonsense.conf
        echo ==== right
        apt-get install -y --reinstall /root/*.deb
        sleep 1
        echo ==== reloaded
        curl --user ada:secret http://127.0.0.1:8080/
        echo ==== removed again
        apt-get remove -y libnginx-mod-http-flowdash
        service nginx stop
        rm tasks
        apt-get autoremove -y --purge
        ! ls /usr/lib/*/libyajl.so.2
        echo ==== again
        nginx -t
        service nginx start
        sleep 1
        curl http://127.0.0.1:3000/
        service nginx stop
        END
    is($status, 0, 'removed: all commands succeed') or return diag($output);

    %said = $output =~ /^==== (.+?)\n(.*?)(?=^==== |\z)/gms;

    my $reloads = qr/^Triggering nginx reload .*^Reloading nginx \w+: nginx/ms;
    my $failed = qr/$reloads .*failed/;
    like($said{removed}, $failed, 'removed: apt says that nginx cannot reload');
    is($said{running}, $printed, 'removed: the running nginx continues');
    like($said{test}, qr/unknown directive "flowdash_/,
         'removed: nginx -t names what it does not know');
    like($said{wrong}, $failed, 'nginx -t fails: so does the reload, says apt');
    is($said{continues}, $printed,
       'nginx -t fails: the running nginx continues');
    like($said{right}, qr/$reloads\.\r?$/m,
         'nginx -t succeeds: so does the reload');
    is($said{reloaded}, $printed, 'nginx -t succeeds: the action');
    like($said{again}, qr/^\Q$printed\E/m, 'removed: nginx starts');

    system("rm -rf $root");
}
