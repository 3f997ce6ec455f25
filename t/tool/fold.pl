#!/usr/bin/perl

# Unicode's simple case folding, from what Perl knows of it:
#
#     fold.pl           the table for the module's sources
#     fold.pl version   the version of Unicode that this Perl knows
#     fold.pl list      each character that folds to another one, and that one
#
# It is the folding of the statuses C and S in Unicode's CaseFolding.txt, and
# two more: the dotted capital I and the dotless small i of Turkish are an "i",
# too.  A comparison of capitals, or of small letters, finds them equal to it;
# Java's equalsIgnoreCase() does both.  Debian 12's Perl knows Unicode 14.0; what
# later versions change for its characters is added here.

use v5.26;
use warnings;

use Unicode::UCD qw(casefold);

my %TURKISH = (0x130 => ord 'i', 0x131 => ord 'i');

# what Unicode 15.1 has added for older characters, which also look the same
my %ADDED = (0x1fd3 => 0x390, 0x1fe3 => 0x3b0, 0xfb05 => 0xfb06);

my $LAST = 0x10ffff;

# those of ASCII are in the code
sub folds {
    my @folds;

    for my $char (0x80 .. $LAST) {
        next if $char >= 0xd800 && $char < 0xe000;

        my $fold   = casefold($char);
        my $simple = $fold && $fold->{simple} ne '' ? hex $fold->{simple}
                                                    : $char;
        $simple = $TURKISH{$char} // $ADDED{$char} // $simple;

        push @folds, [ $char, $simple ] if $simple != $char;
    }

    return @folds;
}

# Characters with the same distance to what they fold to, all of them or every
# second one, are one range.
sub ranges {
    my @ranges;

    for my $fold (folds()) {
        my ($char, $delta) = ($fold->[0], $fold->[1] - $fold->[0]);
        my $range = $ranges[-1];
        my $step  = $range ? $char - $range->{last} : 0;

        if ($range && $range->{delta} == $delta && $step <= 2
            && ($range->{first} == $range->{last} || $range->{step} == $step))
        {
            @$range{qw(last step)} = ($char, $step);
            next;
        }

        push @ranges,
             { first => $char, last => $char, step => 1, delta => $delta };
    }

    return @ranges;
}

sub table {
    my @entries = map { sprintf '{ 0x%05x, 0x%05x, %d, %6d }',
                                @$_{qw(first last step delta)} } ranges();
    my $version = Unicode::UCD::UnicodeVersion();

    print <<"END";

/*
 * Made by t/tool/fold.pl from Unicode $version.  Of each range, every "step"th
 * character folds to the one that is "delta" behind it.
 */


static const ngx_http_flowdash_fold_range_t  ngx_http_flowdash_fold_table[] = {
END

    while (my @line = splice @entries, 0, 2) {
        print '    ', join(', ', @line), @entries ? ',' : '', "\n";
    }

    print "};\n";
}

my $what = shift // 'table';

if ($what eq 'version') {
    say Unicode::UCD::UnicodeVersion();

} elsif ($what eq 'list') {
    printf "%x %x\n", @$_ for folds();

} else {
    table();
}
