#!/usr/bin/perl

# The rooms of docs/how-it-works.md: rooms.pl OBJECTS, the folder in which
# nginx's build has put the module's object files.
#
# An include, or a symbol that another file defines, may lead to the file's own
# room or further down; and no file may lead back to itself.  What nm says of
# the object files can't be argued with: a declaration of one's own instead of
# an include is seen as well.

use strict;
use warnings;

use File::Basename qw(basename dirname);

# from the bottom to the top; the last one is ngx_flowdash_module/ itself
my @ROOMS = qw(data outbox core call request watch step deliver once error .);

# rooms that are used, and tested, without any request
my %REQUESTLESS = map { $_ => 1 } qw(data outbox call);

# what declares the execution of a request
my $EXECUTION = 'core/ngx_http_flowdash.h';

# nginx's modules name themselves to find their configuration
my $EVERYBODYS = 'ngx_http_flowdash_module';

my %LIMIT = ('.c' => 600, '.h' => 300);
my %LONG = (                      # may have more lines than that, because
    'ngx_http_flowdash_action.c' => 'a state machine is read as a whole',
    'ngx_http_flowdash_module.c' => 'most of it is the table of directives',
    'ngx_http_flowdash_error_language_table.c' => 'a row for each language',
);

my $SOURCES = 'ngx_flowdash_module';
my ($objects) = @ARGV;
my $failed = 0;

sub complain {
    my ($message) = @_;
    print "$message\n";
    $failed = 1;
}

my %rank;
@rank{@ROOMS} = 0 .. $#ROOMS;

my %text;                         # of each file, by its path in $SOURCES
my %path;                         # by its name, which is used only once

for my $file (glob "$SOURCES/*.[ch] $SOURCES/*/*.[ch]") {
    open my $in, '<', $file or die "$file: $!\n";
    my $name = $file =~ s{^\Q$SOURCES\E/}{}r;
    $text{$name} = do { local $/; <$in> };

    complain("$name: no such room") if !exists $rank{ dirname($name) };
    complain("$name: there is another file of this name")
        if $path{ basename($name) };
    $path{ basename($name) } = $name;
}


# What leads where: $uses{a}{b} is why a needs b, both without their suffix.

my %uses;

sub use_file {
    my ($from, $to, $why) = @_;
    my @rank = map { $rank{ dirname($_) } // 0 } $from, $to;

    complain("$from: $why leads up to $to") if $rank[1] > $rank[0];

    my ($a, $b) = map { s/\.[ch]$//r } $from, $to;
    $uses{$a}{$b} //= $why if $a ne $b;
}

sub includes {
    for my $name (sort keys %text) {
        for my $header ($text{$name} =~ /^#include [<"](.*?)[>"]/mg) {
            my $to = $path{$header} or next;
            use_file($name, $to, "#include <$header>");
        }
    }
}

# whether a file includes another, be it by way of others

sub reaches {
    my ($name, $to, $seen) = (@_, {});
    return 1 if $name eq $to;
    return 0 if $seen->{$name}++;

    return scalar grep { reaches($_, $to, $seen) } grep { defined }
        map { $path{$_} } $text{$name} =~ /^#include [<"](.*?)[>"]/mg;
}

# A type may be named by files that don't call each other: circles are looked
# for among the symbols only.

sub symbols {
    my (%defined, %undefined);

    for my $object (glob "$objects/*/ngx_*flowdash*.o") {
        my $name = $path{ basename($object) =~ s/o$/c/r }
            or next;              # left over from a file that is gone

        open my $nm, '-|', 'nm', $object or die "nm: $!\n";
        while (<$nm>) {
            my ($type, $symbol) = /([A-Za-z]) (ngx_(?:http_)?flowdash_\w+)$/
                or next;
            next if $symbol eq $EVERYBODYS;

            if ($type eq 'U') {
                push @{ $undefined{$symbol} }, $name;
            } elsif ($type =~ /[TDBRC]/) {
                $defined{$symbol} = $name;
            }
        }
        close $nm or die "nm $object failed\n";
    }

    die "there are no object files in $objects\n" if !%defined;

    for my $symbol (sort keys %undefined) {
        my $to = $defined{$symbol} or next;
        use_file($_, $to, "$symbol()") for @{ $undefined{$symbol} };

        my $header = $to =~ s/c$/h/r;
        complain("$to: $symbol() is used by other files, "
                 . "but $header does not declare it")
            if ($text{$header} // '') !~ /\b$symbol\b/;
    }

    for my $symbol (sort keys %defined) {
        complain("$defined{$symbol}: $symbol() is used by no other file, "
                 . 'and not static') if !$undefined{$symbol};
    }
}

sub circle {
    my ($name, $seen, @trail) = @_;

    if (my ($first) = grep { $trail[$_] eq $name } 0 .. $#trail) {
        @trail = (@trail[$first .. $#trail], $name);
        complain('a circle: ' . join ' ', map {
            $_ ? "-> $trail[$_] ($uses{ $trail[$_ - 1] }{ $trail[$_] })"
               : $trail[0]
        } 0 .. $#trail);
        return;
    }

    return if $seen->{$name}++;
    circle($_, $seen, @trail, $name) for sort keys %{ $uses{$name} };
}


symbols();

my %seen;
circle($_, \%seen) for sort keys %uses;

includes();

for my $name (sort keys %text) {
    my $lines = $text{$name} =~ tr/\n//;
    my ($suffix) = $name =~ /(\.[ch])$/;

    complain("$name: $lines lines, more than $LIMIT{$suffix}")
        if $lines > $LIMIT{$suffix} && !$LONG{ basename($name) };

    complain("$name: a request in a room that knows none")
        if $REQUESTLESS{ dirname($name) }
           && ($text{$name} =~ /\bngx_http_request_t\b/
               || reaches($name, $EXECUTION));
}

exit $failed;
