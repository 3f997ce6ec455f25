#!/usr/bin/perl

# With --add-module, the filter that collects a step's answer stands where a
# loaded module's stands: behind nginx's last filter that changes a body.  nginx
# calls its filters from the last in its list to the first.

use strict;
use warnings;

use Cwd qw(abs_path);
use FindBin;
use File::Temp qw(tempdir);
use Test::More;

my $ROOT = "$FindBin::Bin/..";
my $NAME = 'ngx_http_flowdash_module';
my $named = $ENV{NGINX_SRC} || '/usr/share/nginx/src';
my $src = abs_path($named) // $named;

my ($configure) = grep { -f "$src/$_" } qw(configure auto/configure);
plan(skip_all => "no source of nginx in $src") if !$configure;

my $dir = tempdir('flowdash-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);

my @all = modules();
my ($at) = grep { $all[$_] eq $NAME } 0 .. $#all;

is(scalar(grep { $_ eq $NAME } @all), 1, 'built in once');
is($all[$at - 1], 'ngx_http_postpone_filter_module', 'behind it: postpone');
is_deeply([ @all[$at + 1 .. $at + 5] ],
          [ map { "ngx_http_${_}_filter_module" }
            qw(ssi charset sub addition gunzip) ],
          'before it: what changes a body');

done_testing();

# the modules of an nginx that has just been configured, in nginx's order

sub modules {
    mkdir "$dir/nginx" or die "$dir/nginx: $!\n";
    for my $path (grep { !m{/(?:objs|Makefile)$} } glob "$src/*") {
        symlink $path, "$dir/nginx/" . $path =~ s{.*/}{}r
            or die "$path: $!\n";
    }

    delete local $ENV{CFLAGS};
    my $log = qx{cd $dir/nginx && ./$configure --add-module=$ROOT \\
        --with-http_sub_module --with-http_addition_module \\
        --with-http_gunzip_module 2>&1};
    die "configure: $log" if $?;

    open my $fh, '<', "$dir/nginx/objs/ngx_modules.c" or die "ngx_modules.c: $!\n";
    return map { /^ +&(\w+),/ ? $1 : () } <$fh>;
}
