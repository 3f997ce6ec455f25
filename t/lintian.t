#!/usr/bin/perl

# Debian's package is built as "make package" does it, and lintian finds nothing
# in it.  What goes into it, t/package.t tests; t/proofs/deb.t installs it.

use v5.36;

use FindBin;
use File::Temp qw(tempdir);
use Test::More;

plan skip_all => 'no Debian' if system('command -v dpkg-query >/dev/null');
plan skip_all => 'the package has no sanitizers' if $ENV{FLOWDASH_SANITIZED};

chdir "$FindBin::Bin/.." or die "chdir: $!\n";

my $dir = tempdir(CLEANUP => 1);

# without optimization, in half the time: not for anybody's build/
delete @ENV{qw(MAKEFLAGS MAKELEVEL)};
@ENV{qw(DEB_BUILD_OPTIONS LINTIAN)} = ('noopt parallel=2', 1);
my $output = output("t/build/files.sh | tar -c --null -T - | tar -xC $dir"
                    . " && $dir/t/build/package.sh 2>&1");
if (!is($?, 0, 'the package is built, and lintian finds nothing')) {
    diag($output);
    done_testing();
    exit;
}

my ($deb, @others) = glob "$dir/build/*.deb";
is(scalar @others, 0, 'it is one package');

my ($abi) = output('cat /usr/share/nginx/src/debian/*.abisubstvars')
    =~ /^nginx:abi=(\S+)$/m;
like(output("dpkg-deb -f $deb Depends"), qr/(?:^|, )\Q$abi\E(?:,|$)/,
     'it needs the nginx that it was built for');

my $files = output("dpkg-deb -c $deb");
like($files, qr{ \./\Q$_\E$}m, $_) for
    'usr/lib/nginx/modules/ngx_http_flowdash_module.so',
    'usr/share/nginx/modules-available/mod-http-flowdash.conf',
    'usr/share/man/man7/ngx_http_flowdash_module.7.gz',
    map { "usr/share/doc/libnginx-mod-http-flowdash/$_" }
        qw(README.md.gz changelog.gz copyright quick-start.md.gz);

# nginx reloads by itself, and only a configuration that is right

like(output("dpkg-deb -I $deb $_"), qr/dpkg-trigger --no-await nginx-reload$/m,
     "$_: nginx is to reload") for qw(postinst postrm);
unlike(output("dpkg-deb -I $deb $_"), qr/invoke|service|systemctl|restart/,
       "$_: nothing is restarted") for qw(postinst prerm postrm);

done_testing();


sub output ($command) {
    return `$command`;
}
