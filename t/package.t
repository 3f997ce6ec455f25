#!/usr/bin/perl

# What "make package" packs: the files that git knows of, and not what else is
# in a checkout.  t/proofs/deb.t builds the package and installs it.

use v5.36;

use FindBin;
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $dir = tempdir(CLEANUP => 1);

sub write_file ($name) {
    make_path(dirname("$dir/$name"));
    open my $out, '>', "$dir/$name" or die "$name: $!\n";
    print $out "$name\n";
    close $out or die "$name: $!\n";
}

sub files () { return join ' ', sort split /\0/, `$dir/t/build/files.sh` }

write_file($_) for qw(config src/a.c src/notes build/a.o);
make_path("$dir/t/build");
system('cp', "$FindBin::Bin/build/files.sh", "$dir/t/build") == 0 or die;

is(files(), 'config src/a.c src/notes t/build/files.sh',
   'no checkout: all but what was built');

SKIP: {
    skip 'no git', 3 if system('git --version >/dev/null 2>&1') != 0;
    my $git = "git -c init.defaultBranch=main -C $dir";

    system("$git init -q && $git add config src/a.c t") == 0 or die;
    is(files(), 'config src/a.c t/build/files.sh', 'a checkout');

    # the copy that in-debian.sh makes, without .git
    system("$dir/t/build/files.sh >$dir/build/tracked") == 0 or die;
    rename "$dir/.git", "$dir/build/.git" or die;
    is(files(), 'config src/a.c t/build/files.sh', 'a copy of it');

    write_file('.git');
    system("$dir/t/build/files.sh >/dev/null 2>&1");
    isnt($?, 0, 'a checkout that git cannot read');
}

done_testing();
