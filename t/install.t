#!/usr/bin/perl

# "make install" asks the nginx that is to load the module whether it can, and
# says why it can't: another version, or one that was configured in another way.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Basename qw(dirname);
use File::Spec::Functions qw(abs2rel);
use File::Temp qw(tempdir);
use Test::More;

chdir "$FindBin::Bin/.." or die "chdir: $!\n";

my $module = 'build/ngx_http_flowdash_module.so';
my $out = abs2rel(dirname($ENV{FLOWDASH_MODULE} // $module));
my ($tree) = grep { -d } glob "$out/nginx_*-werror $out/nginx_*";
plan skip_all => 'the module was not built by "make"'
    if !$tree || $out !~ /^build/ || $ENV{FLOWDASH_SANITIZED};

my $dir = tempdir(CLEANUP => 1);

my ($version) = content("$tree/src/core/nginx.h")
    =~ /^#define NGINX_VERSION *"(.*)"/m;
my ($configure) = content("$tree/objs/ngx_auto_config.h")
    =~ /^#define NGX_CONFIGURE "(.*)"$/m;

sub content ($name) {
    open my $in, '<', $name or die "$name: $!\n";
    local $/;
    return scalar readline $in;
}

# something that says to be an nginx, and how it ends when it loads a module
sub nginx ($version, $configure, $error) {
    open my $out, '>', "$dir/nginx" or die "$dir/nginx: $!\n";
    print $out <<~"END";
        #!/bin/sh
        if [ "\$1" = -V ]; then
            {
                echo 'nginx version: nginx/$version'
                echo "configure arguments: $configure"
            } >&2
            exit 0
        fi
        [ -z '$error' ] || { echo 'nginx: [emerg] $error' >&2; exit 1; }
        END
    close $out;
    chmod 0755, "$dir/nginx";
    return "$dir/nginx";
}

sub install ($nginx) {
    delete local $ENV{MAKEFLAGS};

    # nothing is built: other tests are using the module
    my $werror = $tree =~ /-werror$/ ? 1 : '';
    my $output = `make -o build --no-print-directory install OUT='$out' WERROR=$werror \\
        NGINX='$nginx' DESTDIR='$dir/root' MODULES_DIR=/modules 2>&1`;
    return ($?, $output);
}

my $installed = "$dir/root/modules/ngx_http_flowdash_module.so";

my ($status, $output) = install(nginx('1.0.15', $configure, ''));
isnt($status, 0, 'another version is refused');
like($output, qr/it is nginx 1\.0\.15, and the module was built for nginx \Q$version\E\./,
     'and both versions are named');

my $other = $configure =~ s/--with-compat//r =~ s/--with-threads//r
    . ' --with-file-aio --with-ld-opt=-Wl,-z,now';
my $incompatible = 'module "x.so" is not binary compatible in x.conf:1';

($status, $output) = install(nginx($version, $other, $incompatible));
isnt($status, 0, 'another configuration is refused');
like($output, qr/^  Only nginx has: --with-file-aio *$/m, 'what nginx has');
like($output, qr/^  Only the module has: --with-compat(?: --with-threads)? *$/m,
     'what the module has');

my $missing = 'dlopen() "x.so" failed (libcurl.so.4: cannot open shared object'
    . ' file) in x.conf:1';

($status, $output) = install(nginx($version, $configure, $missing));
isnt($status, 0, 'a module that is not loaded is refused');
like($output, qr/^  nginx: \[emerg\] \Q$missing\E$/m, 'as nginx says it');

($status, $output) = install('/nonexistent/nginx');
isnt($status, 0, 'an nginx that is not there is refused');
like($output, qr{^  "/nonexistent/nginx -V" fails$}m, 'and named');

ok(!-e $installed, 'nothing was installed until now');

($status, $output) = install(nginx($version, $configure, ''));
is($status, 0, 'the nginx it was built for') or diag($output);
ok(-e $installed, 'the module is installed');
is(content("$dir/root/usr/share/flowdash/notify.js"), content('docs/notify.js'),
   'and the script for pages');
unlink $installed;

# the nginx under test is a real one, and mostly of this version
my $nginx = $ENV{FLOWDASH_NGINX} // '/usr/sbin/nginx';

SKIP: {
    skip 'the nginx under test is another one', 2
        if !-x $nginx || `$nginx -V 2>&1` !~ m{nginx/\Q$version\E\b.*--with-compat}s;
    ($status, $output) = install($nginx);
    is($status, 0, 'the nginx that is tested') or diag($output);
    ok(-e $installed, 'the module is installed for it');
    unlink $installed;
}

($status, $output) = install('');
is($status, 0, 'without an nginx, nobody is asked') or diag($output);
ok(-e $installed, 'the module is installed there');

# what is new after "configuring" is not silent for half a minute
{
    delete local $ENV{MAKEFLAGS};
    like(scalar `make -n build OUT=$dir/new 2>&1`,
         qr/configuring for nginx.*compiling, about 30 s/s,
         'the build says that it takes a while');
}

done_testing();
