#!/usr/bin/perl

# The style of nginx's sources, and the words of comments, as far as a program
# of this size can see them:
# style.pl file.c file.h ...

use strict;
use warnings;

my ($file, @lines);    # the one being checked
my $failed = 0;

sub complain {
    my ($line, $message) = @_;
    print "$file:$line: $message\n";
    $failed = 1;
}

# what is left of a line when literals have lost their contents
sub bare {
    my ($line) = @_;
    $line =~ s/"(?:[^"\\]|\\.)*"/""/g;
    $line =~ s{'(?:[^'\\]|\\.)+'}{''}g;
    return $line;
}

# Comments are plain English: house.md's words, as far as they can be seen.
my @WORDS = (
    [ qr/\ban (?:UR[IL]|UTF|user|unix)/i, '"a URL", not "an URL"' ],
    [ qr/\bshall\b/i, '"must", "should" or the present, not "shall"' ],
    [ qr/(?:^|[.,;:]) ?else\b/i, '"otherwise", not "else"' ],
    [ qr/\b(?:go|goes|going|gone) on\b/, '"continue", not "go on"' ],
    [ qr/\banew\b/i, '"again", not "anew"' ],
    [ qr/\b(?:doubtful|excuse[sd]?)\b/i, '"ambiguous", "tolerate"' ],
);

sub check_words {
    my ($text) = @_;

    while ($text =~ m{/\*(.*?)\*/}sg) {
        my ($n, $comment) = (1 + substr($text, 0, $-[0]) =~ tr/\n//, $1);
        $comment =~ s/\n\s*\*?//g;
        $comment =~ s/"[^"]*"//g;              # what is quoted is code
        $comment =~ s/\s+/ /g;

        $comment =~ $_->[0] and complain($n, $_->[1]) for @WORDS;
    }
}

sub check_lines {
    my $in_comment = 0;

    for my $n (1 .. @lines) {
        my $line = $lines[$n - 1];

        # what users read is in the string literals of the languages' table
        utf8::decode($line) if $file =~ /_language_table\.c\z/;
        my $source = $file =~ /_language_table\.c\z/ ? bare($line) : $line;

        complain($n, 'tab, or not ASCII') if $source =~ /[^\x20-\x7e]/;
        complain($n, 'more than 79 columns') if length($line) > 79;
        complain($n, 'blank at the end') if $line =~ /\s$/;

        my $began_in_comment = $in_comment;
        $in_comment = $line !~ m{\*/} if $in_comment;
        next if $began_in_comment;
        $in_comment = $line =~ m{/\*(?!.*\*/)};

        my $code = bare($line);
        $code =~ s{/\*.*?(?:\*/|$)}{}g;

        complain($n, '// comment') if $code =~ m{//};
        complain($n, '#if 0') if $code =~ /^\s*#\s*if\s+0\b/;
        complain($n, 'no blank after the keyword')
            if $code =~ /\b(?:if|for|while|switch)\(/;
        complain($n, 'no blank before the brace') if $code =~ /\)\{/;

        # other lines may continue one above them, and stand anywhere
        complain($n, 'indented by no multiple of 4')
            if $code =~ /^([ ]*)(?:if|for|while|switch|do|return|goto|break
                         |continue|case|default|\}[ ]else)\b/x
            && length($1) % 4;
        complain($n, 'brace of a function not on a line of its own')
            if $code =~ /^\w.*\) ?\{/;

        check_braces($n, $code);
    }
}

# A condition ends where its parentheses do, maybe lines below; its brace may
# then stand on the next line.
sub check_braces {
    my ($n, $code) = @_;

    return if $code !~ /^\s*(?:\} )?(?:(?:else )?(?:if|for|while) \(|else\b)/
        || $code =~ /^\s*\} while \(/;

    while ($n < @lines && ($code =~ tr/(//) > ($code =~ tr/)//)) {
        $code .= bare($lines[$n++]);
    }

    complain($n, 'body without braces')
        if $code !~ /\{(?:.*\})?\s*\\?$/ && ($lines[$n] // '') !~ /^\s*\{/;
}

# nginx puts a function's type, its name and its braces on lines of their own
sub check_functions {
    for my $n (grep { $lines[$_ - 1] eq '{' } 2 .. @lines) {
        my $head = $n - 2;
        $head-- while $head > 1 && $lines[$head] =~ /^\s/;
        my ($name) = $lines[$head] =~ /(\w+)\(/ or next;

        complain($head + 1, "$name() is neither ngx_http_flowdash_...() nor "
            . 'ngx_flowdash_...()') if $name !~ /^ngx_(?:http_)?flowdash_/;

        my $above = $head - 1;
        complain($head + 1, 'not the type alone above the function\'s name')
            if $lines[$head] !~ /^\w+\(/ || $lines[$above--] !~ /^\w[\w *]*$/;

        # a comment may stand above it, with a blank line or without
        my $comment = $lines[$above] eq '' ? $above - 1 : $above;
        if ($lines[$comment] =~ m{\*/$}) {
            $comment-- while $comment > 0 && $lines[$comment] !~ m{^/\*};
            $above = $comment - 1;
        }

        complain($head + 1, 'not two blank lines above the function')
            if join("\n", @lines[$above - 2 .. $above]) !~ /[^\n]\n\n$|^#/m;

        my ($end) = grep { $lines[$_] eq '}' } $n .. $#lines;
        complain($head + 1, "$name() has more than 80 lines")
            if $end - $n > 80;
    }
}

# in a header, a comment stands above each prototype, or group of them; an
# inline function has its type on the line above its name
sub check_prototypes {
    for my $n (grep { $lines[$_] =~ /^(?!typedef|static)\w.*\(/
                      && $lines[$_ - 1] !~ /^static / } 1 .. $#lines) {
        my $above = $n - 1;
        $above-- while $lines[$above] =~ /[,;]$/;
        complain($n + 1, 'no comment above the prototype')
            if $lines[$above] !~ m{\*/$};
    }
}

for (@ARGV) {
    $file = $_;
    open my $in, '<', $file or die "$file: $!\n";
    my $text = do { local $/; <$in> };
    @lines = split /\n/, $text;

    complain($#lines, 'not one newline at the end') if $text !~ /[^\n]\n\z/;

    check_lines();
    check_words($text);
    check_functions();
    check_prototypes() if $file =~ /\.h$/;
}

exit $failed;
