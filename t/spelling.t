#!/usr/bin/perl

# Spelling: aspell knows each word of the pages, the comments and the messages,
# or t/lint/words.txt has it; codespell finds none of the usual slips.
#
# A line of a comment that is indented is an example.  Names of the code are no
# words: what stands in backticks or braces; one word in quotes, or quotes with an
# underscore; what has an underscore, a digit, a dollar, dots or slashes inside;
# options; and nameLikeThis.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Encode qw(decode_utf8 encode_utf8);
use File::Basename qw(dirname);
use File::Find qw(find);
use File::Path qw(make_path);
use File::Spec;
use File::Temp qw(tempdir);
use List::Util qw(any uniq);
use Test::Flowdash::Pages;
use Test::More;

my $ROOT = "$FindBin::Bin/..";
my $LIST = 't/lint/words.txt';

for my $program (qw(aspell codespell)) {
    plan skip_all => "there is no $program"
        if !any { -x "$_/$program" } File::Spec->path;
}

# What is read of each kind of file, by its name.  A file of none of them is a
# failure, so that nothing is left out by chance.

my @READ = (
    [ qr{^LICENSE$|^t/(?:captures|fuzz/corpus)/|\.dict$|\.json$|\.supp$}
        => undef ],                             # others' words, and data
    [ qr{^t/lint/words\.txt$|^debian/source/format$}
        => undef ],                             # see below; a version
    [ qr{/docker/flowdash/|/module-flowdash$|\.gitignore$}
        => undef ],                             # names
    [ qr{\.png$} => undef ],                    # pictures
    [ qr{^debian/tests/control$|^debian/rules$|^debian/clean$|^debian/libnginx[\w.-]+$} => \&by_hash ],
    [ qr{\.md$} => undef ],                     # pages(), see below
    [ qr{^CHANGES$|^debian/(?:changelog|control|copyright)$|\.copyright$}
        => \&as_it_is ],
    [ qr{/error_language_table\.c$|_error_language_table\.c$}
        => \&c_comments ],                      # strings in other languages
    [ qr{^ngx_flowdash_module/.*\.[ch]$} => \&c_messages ],
    [ qr{\.[ch]$|\.java$|\.go$|\.css$|\.php$|\.js$} => \&c_comments ],
    [ qr{\.lua$} => \&lua ],
    [ qr{\.s?html$} => \&html ],
    [ qr{\.(?:xml|svg)$} => \&html ],
    [ qr{\.t$|\.p[lm]$} => \&perl ],
    [ qr{\.(?:sh|py|rb|ya?ml|conf|cfg)$|Makefile|Dockerfile|^config$|/version$}
        => \&by_hash ],
    [ qr{} => \&by_first_line ],
);

my %text;                           # by the file's name, its lines kept
my @unknown;

find({ no_chdir => 1, wanted => sub {
    my $name = s{^\Q$ROOT\E/?}{}r;
    $File::Find::prune = 1 if $name =~ m{^(?:build|\.\w+)$};
    return if !-f || $name eq '' || $name =~ /^\.\w+$|~$/;

    my ($how) = map { $_->[1] } grep { $name =~ $_->[0] } @READ;
    my ($first) = grep { $name =~ $_->[0] } @READ;
    return if !$first->[1];
    $text{$name} = $first->[1]->(content($name))
        // (push(@unknown, $name), '');
} }, $ROOT);

$text{$_} = page_text($_) for pages();

is("@unknown", '', 'it is known what to read of each file');
cmp_ok(scalar keys %text, '>', 200, 'files were read');

my @words = map { decode_utf8($_) } split /\n/, content_bytes($LIST);

my %listed = map { $_ => 1 } @words;

is(join(' ', sort { lc $a cmp lc $b || $a cmp $b } uniq @words),
   join(' ', @words), "$LIST is sorted");

check_codespell();
check_aspell();
done_testing();


sub content ($name) { return decode_utf8(content_bytes($name)) }

sub content_bytes ($name) {
    open my $file, '<:raw', "$ROOT/$name" or die "$name: $!\n";
    local $/;
    return readline($file) // '';
}

# What is left of a file.  The rest becomes nothing, line by line.

sub as_it_is ($text) { return $text }

sub gone ($text) { return $text =~ s/[^\n]+/ /gr }

# comments, and strings if those are wanted, which are messages if they have
# two words

sub c_text ($text, $strings) {
    my $left = '';

    while ($text =~ m{\G(?:(/\*.*?\*/|//[^\n]*)|("(?:[^"\\]|\\.)*")
                      |('(?:[^'\\\n]|\\.)'|[^/"']+|.))}xsg) {
        my ($comment, $string, $other) = ($1, $2, $3);

        if (defined $comment) {
            $left .= $comment =~ s{^/[/*]+|\*/$}{}gr =~ s/^ *\* / /gmr
                =~ s/^ {5}.*//gmr;
        } elsif (defined $string && $strings && $string =~ /[a-z],? [a-z]/i) {
            $left .= $string =~ s/\\"/"/gr =~ s/\\[nrtx0]/ /gr
                =~ s/<[^>]*>/ /gr;
        } else {
            $left .= gone($string // $other);
        }
    }

    return $left;
}

sub c_messages ($text) { return c_text($text, 1) }
sub c_comments ($text) { return c_text($text, 0) }

# comments of the shell's kind

sub by_hash ($text) {
    return join "\n", map { /(?:^|\s)#+ (?! {4})(.*)$/ ? $1 : '' }
        split /\n/, $text, -1;
}

sub lua ($text) {
    return join "\n", map { /^\s*-- (?! {4})(.*)$/ ? $1 : '' }
        split /\n/, $text, -1;
}

# those of the shell's kind, and POD but for its examples

sub perl ($text) {
    my $pod = 0;
    return join "\n", map {
        $pod = 1 if /^=(?:head|item|over|pod)/;
        $pod = 0 if /^=cut/;
        $pod ? /^[=\s]/ && !/^=head/ ? '' : s/[A-Z]<([^>]*)>/`$1`/gr
             : /(?:^|\s)#+ (?! {4})(.*)$/ ? $1 : '';
    } split /\n/, $text, -1;
}

sub html ($text) {
    $text =~ s/(<!--.*?-->|<(script|style)\b.*?<\/\2>)/gone($1)/gesi;
    $text =~ s/(<[^>]*>)/gone($1)/ges;
    return $text =~ s/&#?\w+;/ /gr;
}

sub by_first_line ($text) {
    return $text =~ /\A#!.*\bperl/ ? perl($text)
        : $text =~ /\A#!/ ? by_hash($text) : undef;
}

# a page: what people read, and the comments in its blocks

sub page_text ($name) {
    my @lines = split /\n/, prose($name), -1;

    for my $block (blocks($name)) {
        my $text = $block->{kind} eq 'text' ? $block->{text} =~ s/^    .*//gmr
            : $block->{kind} eq '' ? $block->{text} =~ s/\([^)\n]*\)/ /gr
            : $block->{kind} =~ /^(?:js|go|php)$/ ? c_comments($block->{text})
            : $block->{kind} eq 'html' ? html($block->{text})
            : by_hash($block->{text});
        my $n = $block->{line} + ($block->{fenced} ? 0 : -1);
        $lines[$n++] = $_ for split /\n/, $text, -1;
    }

    return join("\n", @lines) =~ s/\]\([^)]*\)/]/gr;
}


# the usual slips

sub check_codespell {
    my $dir = tempdir(CLEANUP => 1);

    for my $name (keys %text, $LIST) {
        make_path(dirname("$dir/$name"));
        open my $out, '>:raw', "$dir/$name.txt" or die "$name: $!\n";
        print $out encode_utf8(join "\n", map { "@$_" }
            words($text{$name} // content($name)));
        close $out;
    }

    # Plack, a server in Perl, is no misspelled plaque
    my $found = `cd $dir && codespell --ignore-words-list=plack . 2>&1`;
    is($found =~ s/^WARNING.*\n//gmr, '', 'codespell has nothing to say');
}

# words that aspell does not know, and those of the list that nobody needs

sub check_aspell {
    my %where;                      # of each word, first

    for my $name (sort keys %text) {
        my $n = 0;
        for my $line (words($text{$name})) {
            $n++;
            $where{$_} //= "$name:$n" for @$line;
        }
    }

    # aspell takes a name with a hyphen for two words
    my %hyphen = map { $_ => 1 } grep { $listed{$_} && /-/ } keys %where;
    my %bad = map { $_ => 1 } aspell(map { $hyphen{$_} ? split /-/ : $_ }
                                     sort keys %where);
    my %used = map { $_ => 1 } grep { any { $bad{$_} } split /-/ } keys %hyphen;

    my @wrong = grep {
        my ($word) = grep { $listed{$_} } $_, lcfirst;
        $used{$word} = 1 if defined $word;
        !defined $word;
    } grep { $where{$_} } sort keys %bad;

    is(join('', map { "$where{$_}: $_\n" } @wrong), '',
       "aspell or $LIST knows each word");
    is(join(' ', grep { !$used{$_} } @words), '', "$LIST: each word is needed");
}

sub aspell (@candidates) {
    my $dir = tempdir(CLEANUP => 1);
    open my $out, '>:utf8', "$dir/words" or die "$!\n";
    say $out $_ for @candidates;
    close $out;

    my $bad = decode_utf8(`aspell list --lang=en_US --encoding=utf-8 \\
        --mode=none --ignore=2 --personal=$dir/none --repl=$dir/no \\
        <$dir/words`);
    is($?, 0, 'aspell reads them');
    return split /\n/, $bad;
}

# the words of a text, an array for each line

sub words ($text) {
    $text =~ s/(`+)(.*?)\1/gone($2)/ges;
    $text =~ s/(\{[^{}]{1,300}\})/gone($1)/ges;
    $text =~ s/"(?:[^"\s]*|[^"\n]*\w_\w[^"\n]*)"/ /g;
    $text =~ tr/\x{2018}\x{2019}/''/;

    return map { [ map { word($_) } split ] } split /\n/, $text, -1;
}

sub word ($token) {
    return if $token =~ m{/|\w\(\)|^[-+]|\@\w|^[^*]*\w\*\W?$};
    $token =~ s/^[^\w\$%&]+|[^\w=\$]+$//g;
    $token =~ s/'s$//;
    return $token if $listed{$token};
    return if $token =~ m{[^\w'\x{2014}-]|[\d_]};

    return grep { length > 2 && !/^[A-Z]+s?$/ && !/^[a-z]+[A-Z]/ }
        map { s/^'+|'+$//gr }
        split /[-\x{2014}]+|'(?!(?:t|s|re|ve|ll|d|m)\b)/, $token;
}
