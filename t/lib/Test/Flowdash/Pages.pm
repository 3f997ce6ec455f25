package Test::Flowdash::Pages;

=head1 NAME

Test::Flowdash::Pages - the documentation, as tests read it

=head1 SYNOPSIS

    use Test::Flowdash::Pages;

    for my $page (pages()) {                    # README.md, docs/...
        for my $block (blocks($page)) {
            say "$page:$block->{line}: $block->{kind}";
        }
    }

=head1 BLOCKS

A block of code is fenced, C<```sh>, or indented by four columns more than the
text around it.  It has

    line      the number of its first line in the page
    kind      the fence's word; if there is none, what it looks like: nginx,
              sh, json, promql, http, syntax (of a directive), or nothing
    fenced    whether it is
    text      without the indentation
    comment   the HTML comment before it, without its frame, or nothing
    before    the paragraph before it

A fence that nobody closes is an exception.

=cut

use v5.36;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Find qw(find);

our @EXPORT = qw(pages page blocks looks_like prose);

my $ROOT = abs_path(dirname(__FILE__) . '/../../../..');

# names, from the top of the repository; nothing of what was built

sub pages () {
    my @pages;
    my $wanted = sub {
        $File::Find::prune = 1 if m{^\Q$ROOT\E/(?:build|\.git|\.pc)\z};
        push @pages, s{^\Q$ROOT\E/}{}r if /\.md\z/ || m{/debian/README[^/]*\z};
    };
    find({ wanted => $wanted, no_chdir => 1 }, $ROOT);
    return sort @pages;
}

# its text, as characters

sub page ($name) {
    open my $file, '<:utf8', "$ROOT/$name" or die "$name: $!\n";
    local $/;
    return scalar readline $file;
}

sub blocks ($name) {
    return grep { ref } _parts($name);
}

# What is left of a page for those who read it: each block and each comment is
# an empty line, so that all lines keep their numbers.

sub prose ($name) {
    my $text = join '', map { ref ? "\n" x $_->{lines} : $_ } _parts($name);
    $text =~ s/(<!--.*?-->)/"\n" x ($1 =~ tr,\n,,)/ges;
    return $text;
}

# lines, and blocks

sub _parts ($name) {
    my @lines = split /^/, page($name);
    my (@parts, $before, $comment);
    my ($list, $n) = (0, 0);
    my $blank = 1;
    my $paragraph = '';

    while ($n < @lines) {
        my $line = $lines[$n];
        my ($block, $end);

        if ($line =~ /^( *)(```+|~~~+) *([\w-]*) *$/) {
            ($block, $end) = _fenced($name, \@lines, $n, $1, $2);
            $block->{kind} = $3;
        } elsif ($blank && $line =~ /^ {@{[$list + 4]},}\S/) {
            ($block, $end) = _indented(\@lines, $n, $list + 4);
            $block->{kind} = looks_like($block->{text});
        }

        if ($block) {
            push @parts, { %$block, line => $n + 1, lines => $end - $n,
                           before => $paragraph, comment => $comment };
            $n = $end;
            ($blank, $comment) = (0, undef);
            next;
        }

        if ($line =~ /^\s*$/) {
            $blank = 1;
        } elsif ($line =~ /^\s*<!--/) {
            $end = $n;
            $end++ while $end < $#lines && $lines[$end] !~ /-->\s*$/;
            $comment = join('', @lines[$n .. $end])
                =~ s/\s+/ /gr =~ s/^\s*<!-- ?|\s*-->\s*$//gr;
            push @parts, @lines[$n .. $end];
            $n = $end + 1;
            $blank = 1;
            next;
        } else {
            $list = length $1 if $line =~ /^( *(?:[*+-]|\d+[.)]) +)\S/;
            $list = 0 if $line =~ /^\S/ && $line !~ /^(?:[*+-]|\d+[.)]) /
                && $blank;
            $paragraph = $blank ? $line : $paragraph . $line;
            ($blank, $comment) = (0, undef);
        }

        push @parts, $line;
        $n++;
    }

    return @parts;
}

sub _fenced ($name, $lines, $n, $indentation, $fence) {
    my $end = $n + 1;
    $end++ while $end < @$lines && $lines->[$end] !~ /^ *\Q$fence\E\s*$/;
    die "$name:" . ($n + 1) . ": the block has no end\n" if $end == @$lines;

    my $text = join '', map { s/^$indentation//r }
        @$lines[$n + 1 .. $end - 1];
    return ({ fenced => 1, text => $text }, $end + 1);
}

sub _indented ($lines, $n, $columns) {
    my $end = $n;
    for my $next ($n .. $#$lines) {
        next if $lines->[$next] =~ /^\s*$/;
        last if $lines->[$next] !~ /^ {$columns}/;
        $end = $next + 1;
    }

    my $text = join '', map { s/^ {1,$columns}//r } @$lines[$n .. $end - 1];
    return ({ fenced => 0, text => $text }, $end);
}

# Blocks that are not fenced have no word for what they are.

my $COMMANDS = join '|', qw(apt apt-get apt-mark build/[\w/]+ cat chmod chown cp
    curl docker echo git go grep install jq kill kubectl ln ls make mkdir nginx
    node openssl php printf promtool python3 rm ruby sed service ssh sudo
    systemctl t/[\w/.]+ tail touch umask);

sub looks_like ($text) {
    my $code = $text =~ s/\s#\s.*$//gmr;        # comments
    my $continued = $code =~ s/\\\n\s*/ /gr;
    my @lines = grep { /\S/ && !/^\s*#/ } split /\n/, $continued;

    return 'syntax' if $text =~ /^Syntax: /;
    return 'http' if $text =~ m{\A(?:[A-Z]+ /\S* HTTP/|HTTP/[\d.]+ \d)};
    return 'sh' if $continued =~ /\A(?:\w+=\S+ )*(?:$COMMANDS)(?: |$)/m
        && $code !~ /;\s*\z/;
    return 'json' if $text =~ /\A\s*(?:\{\s*"|\[\s*[\{\["\d])/;
    return 'promql' if $text =~ /\bflowdash_\w+_(?:total|count|bucket|sum)\b/
        && $text =~ /\b(?:sum|rate|increase|histogram_quantile)\b/;
    return 'nginx' if $code =~ /\A\s*[a-z]\w*\s+\S/
        && $code =~ /[;}]\s*\z/;
    return '';
}

1;
