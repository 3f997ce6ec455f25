#!/usr/bin/perl

# The gateways with which "make bench" compares the module still do the whole
# job, and so does the module there; what it is made of compiles.  Only those
# are tried whose packages other tests need, too; t/bench/bench has the checks.

use v5.36;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use List::Util qw(first);
use Test::More;

my $bench = "$FindBin::Bin/bench";
my $dir = tempdir(CLEANUP => 1);
my @flags = qw(-O2 -D_GNU_SOURCE -Wall -Wextra -Werror);

for my $source ("$bench/load.c", "$bench/others.c", "$bench/peers/libcurl.c") {
    my $said = `cc @flags -o $dir/program $source -lcurl -lm 2>&1`;
    is($said, '', "compiles: $source");
}

SKIP: {
    my $modules = '/usr/lib/nginx/modules';
    my @missing = grep { !-e }
        map { "$modules/ngx_http_${_}_module.so" } qw(lua js);
    skip "there is no $missing[0]", 2 if @missing;
    skip 'there is no taskset', 2 if !has('taskset');

    # HAProxy's Lua still changes from version to version
    my $haproxy = has('haproxy') && `haproxy -v` =~ /version 2\.6\./;
    my $kinds = join '|', qw(hop flowdash lua njs), $haproxy ? 'haproxy' : ();
    my $said = `$bench/bench --check --kinds='^(?:$kinds)\$' 2>&1`;
    is($?, 0, 'the whole job') or diag($said);
    cmp_ok(scalar(() = $said =~ /^  \w/mg), '>=', 14, 'of all of them')
        or diag($said);
}

# a page of almost nothing

my %figures = (cpu => [ 10, 12 ], rps => [ 100, 90 ], p50 => [ 1, 1 ],
               p99 => [ 2, undef ]);
my @ids = qw(hop two proxied call capture libcurl);
my %result = (
    made => 0, took => 60, rounds => 2, seconds => 1, quick => 1,
    failed => { 'actions: hop' => 'why' }, bytes => { '1 MB' => 1e6 },
    machine => { cpu => 'one', processors => 1, memory => 1, system => 'Debian',
                 kernel => '6', versions => { nginx => '1' } },
    reference => { hop => [ 1, 2 ], loop => [ 1, 2 ] },
    peers => [ map { { id => $_, name => $_ } } @ids ],
    sections => { actions => { map { $_ => \%figures } @ids } });

open my $file, '>', "$dir/results.json" or die "$!\n";
print $file encode_json(\%result);
close $file;

my $said = `$bench/page $dir/results.json $dir/page.md $dir/page.svg 2>&1`;
is("$? $said", '0 ', 'the page is written, without a warning');

my $page = do { local (@ARGV, $/) = "$dir/page.md"; <> };
like($page, qr/^\|\ one\ proxied\ step,\ [^|]*
    \|\ 1.03\ \|\ 1.00\ \(1.00\ to\ 1.00\)\ \|\ met\ \|$/mx,
     'it says what is met');
like($page, qr/come from a quick run/, 'and that it is worth nothing');

done_testing();

sub has ($program) {
    return first { -x "$_/$program" } split(/:/, $ENV{PATH}), '/usr/sbin';
}
