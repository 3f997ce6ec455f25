#!/usr/bin/perl

# The style of nginx's sources, as far as a program of this size can see it:
# style.pl file.c file.h ...

use strict;
use warnings;

my $failed = 0;

sub complain {
    my ($file, $line, $message) = @_;
    print "$file:$line: $message\n";
    $failed = 1;
}

sub check_lines {
    my ($file, $lines) = @_;
    my $in_comment = 0;

    for my $n (1 .. @$lines) {
        my $line = $lines->[$n - 1];
        my $say = sub { complain($file, $n, $_[0]) };

        $say->('tab') if $line =~ /\t/;
        $say->('not ASCII') if $line =~ /[^\x00-\x7f]/;
        $say->(length($line) . ' columns, 79 are allowed')
            if length($line) > 79;
        $say->('blank at the end of the line') if $line =~ /\s$/;

        if ($in_comment) {
            $in_comment = $line !~ m{\*/};
            next;
        }

        $in_comment = $line =~ m{/\*(?!.*\*/)};

        my $code = $line;
        $code =~ s/"(?:[^"\\]|\\.)*"/""/g;
        $code =~ s{'(?:[^'\\]|\\.)+'}{''}g;
        $code =~ s{/\*.*?(?:\*/|$)}{}g;

        $say->('// comment') if $code =~ m{//};
        $say->('#if 0') if $code =~ /^\s*#\s*if\s+0\b/;
        $say->('keyword without a blank after it')
            if $code =~ /\b(?:if|for|while|switch)\(/;
        $say->('brace without a blank before it') if $code =~ /\)\{/;

        # what a statement begins with stands at a multiple of 4; lines that
        # continue one are free
        my ($indent, $first) = $code =~ /^( *)(.*)/;
        $say->('indented by ' . length $indent)
            if $first =~ /^(?:(?:if|for|while|switch) \(|do \{|return\b|
                           goto\ |break;|continue;|case\ |default:|\})/x
            && length($indent) % 4 && $first !~ /^\},?$|^\} *\\?$/;

        # a condition may go over several lines: it ends where its
        # parentheses do
        next if $code !~ /^\s*(?:\} )?(?:else )?(?:if|for|while) \(|^\s*else\b/;
        next if $code =~ /^\s*\} while \(/;

        my ($all, $last) = ($code, $n);
        while ($last < @$lines && ($all =~ tr/(//) > ($all =~ tr/)//)) {
            my $next = $lines->[$last++];
            $next =~ s/"(?:[^"\\]|\\.)*"/""/g;
            $next =~ s{'(?:[^'\\]|\\.)+'}{''}g;
            $all .= $next;
        }

        # "{" may stand on a line of its own below a long condition;
        # "{ /* void */ }" is nginx's empty body
        $say->('body without braces')
            if $all !~ /\{\s*\}?\s*\\?$/
            && ($lines->[$last] // '') !~ /^\s*\{/;
    }
}

# A function's name is what stands at the line's beginning before "(" and
# has a "{" below: nginx puts the type and the braces on lines of their own.
sub check_functions {
    my ($file, $lines) = @_;

    for my $n (1 .. @$lines) {
        next if $lines->[$n - 1] ne '{';

        my $head = $n - 1;
        $head-- while $head > 1 && $lines->[$head - 1] =~ /^\s/;

        my $say = sub { complain($file, $head, $_[0]) };

        my ($name) = $lines->[$head - 1] =~ /^(\w+)\(/;
        if (!defined $name) {
            $say->('the function\'s name begins no line')
                if $lines->[$head - 1] =~ /\(/;
            next;
        }

        $say->("$name() begins with neither ngx_http_flowdash_ nor "
            . 'ngx_flowdash_') if $name !~ /^ngx_(?:http_)?flowdash_/;

        # above the type there may be a comment, above that two blank lines
        my $above = $head - 2;
        $say->('the type of the function does not stand on a line above it')
            if $lines->[$above] !~ /^\w[\w *]*$/;

        # between them nginx leaves one or none
        my $comment = $above - ($lines->[$above - 1] eq '' ? 2 : 1);
        if ($lines->[$comment] =~ m{\*/$}) {
            $above = $comment + 1;
            $above-- while $above > 0 && $lines->[$above - 1] !~ m{^/\*};
            $above--;
        }

        my $blank = 0;
        $blank++ while $blank < $above && $lines->[$above - 1 - $blank] eq '';
        $say->("$blank blank lines above the function, not 2")
            if $blank != 2 && $lines->[$above - 1 - $blank] !~ /^#/;

        my $end = $n;
        $end++ while $end < @$lines && $lines->[$end] ne '}';
        my $size = $end - $n;
        $say->("$name() has $size lines, 80 are allowed") if $size > 80;
    }
}

# in a header: what a function is for, above its prototype
sub check_prototypes {
    my ($file, $lines) = @_;

    for my $n (2 .. @$lines) {
        next if $lines->[$n - 1] !~ /^(?!typedef|static)\w[\w *]*?(\w+)\(/;
        my $name = $1;

        # one comment may serve the prototypes that stand together below it
        my $above = $n - 2;
        $above-- while $above > 0 && $lines->[$above] =~ m{^[\w ](?!.*\*/$)};

        complain($file, $n, "$name() has no comment above it")
            if $lines->[$above] !~ m{\*/$};
    }
}

for my $file (@ARGV) {
    open my $in, '<', $file or die "$file: $!\n";
    my $text = do { local $/; <$in> };
    my @lines = split /\n/, $text;

    complain($file, scalar @lines, 'no newline at the end') if $text !~ /\n\z/;
    complain($file, scalar @lines, 'blank line at the end') if $text =~ /\n\n\z/;

    check_lines($file, \@lines);
    check_functions($file, \@lines);
    check_prototypes($file, \@lines) if $file =~ /\.h$/;
}

exit $failed;
