# The other half of t/memory.t.

use FindBin;

$ENV{FLOWDASH_MEMORY} = 1;
do "$FindBin::Bin/memory.t";
die $@ if $@;
