package Test::Flowdash::Npm;

# Packages of npm, which "make test" installs into build/npm.

use v5.36;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use List::Util qw(first);

our @EXPORT = qw(npm_modules);

my $ROOT = abs_path(dirname(__FILE__) . '/../../../..');

# The directory in which a package is, for NODE_PATH; nothing, for skip(), if
# there is none.  Where FLOWDASH_NPM says that it is there, it has to be.

sub npm_modules ($package) {
    my $npm = $ENV{FLOWDASH_NPM};
    my @dirs = $npm ? "$npm/node_modules"
        : ("$ROOT/build/npm/node_modules", split /:/, $ENV{NODE_PATH} // '');

    my $dir = first { -e "$_/$package/package.json" } @dirs;
    die qq(npm's package $package is not in $npm: "make test-deps" )
        . "installs it\n" if $npm && !$dir;

    return $dir;
}

1;
