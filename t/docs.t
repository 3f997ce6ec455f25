#!/usr/bin/perl

# The documentation says what the module has, no more and no less, and its links
# lead somewhere.

use strict;
use warnings;

use File::Temp;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash::Pages;
use Test::More;

my $root = "$FindBin::Bin/..";
my $src = "$root/ngx_flowdash_module";

sub content {
    my ($name) = @_;
    open my $file, '<:utf8', $name or die "$name: $!\n";
    local $/;
    return scalar readline $file;
}

# a source file, whichever room it is in

sub source {
    my ($name) = @_;
    return content(grep { -e } map { "$src/$_" } $name, "watch/$name",
                   "core/$name", "step/$name");
}


# What the module has: the entries of its tables.

my %contexts;                       # of each directive
my %variables;

my %context_of = (MAIN => 'http', SRV => 'server', LOC => 'location');

my ($table) = source('ngx_http_flowdash_module.c')
    =~ /ngx_http_flowdash_commands\[\] = \{(.*?)ngx_null_command/s;

while ($table =~ /ngx_string\("(\w+)"\),\s*([\w|\s]+?),/g) {
    my ($name, $type) = ($1, $2);
    $contexts{$name} = join ', ', map { $context_of{$_} }
        grep { $type =~ /\bNGX_HTTP_${_}_CONF\b/ } qw(MAIN SRV LOC);
}

$contexts{$_} = 'flowdash_step'                 # a location of its kind
    for qw(flowdash_optional flowdash_undo);
$contexts{$_} = 'flowdash_step, flowdash_undo, flowdash_after'
    for qw(flowdash_call flowdash_if);

my ($json) = source('ngx_http_flowdash_variables_json.c')
    =~ /_prefix =\s+ngx_string\("(\w+_)"\)/;

($table) = source('ngx_http_flowdash_variables.c')
    =~ /ngx_http_flowdash_vars\[\] = \{(.*?)ngx_http_null_variable/s;

$variables{ /_$/ ? "${_}NAME" : $_ } = 1 for $table =~ /ngx_string\("(\w+)"\)/g;
$variables{"${json}NAME"} = 1;

my ($digest) = source('ngx_http_flowdash_task_digest.c')
    =~ /_name =\s+ngx_string\("(\w+)"\)/;
$variables{$digest} = 1;

cmp_ok(scalar keys %contexts, '>', 10, 'the command table was read');
cmp_ok(scalar keys %variables, '>', 6, 'the table of variables was read');


# What is described.

my $directives = content("$root/docs/directives.md");

my %described = $directives =~ /^### (flowdash_\w+)\n(.*?)(?=^##|\z)/gms;
my @described = $directives =~ /^### \$(flowdash_\w+)$/gm;

is(join(' ', sort keys %described), join(' ', sort keys %contexts),
   'the directives described are those of the command table');

for my $name (sort keys %described) {
    my ($syntax, $default, $context) = $described{$name}
        =~ /\A\n    Syntax:  (.+)\n    Default: (.+)\n    Context: (.+)\n\n/;

    like($syntax, qr/^$name .*[;}]$/, "$name: syntax");
    like($default, qr/^(?:\x{2014}|$name .*;)$/, "$name: default");
    is($context, $contexts{$name}, "$name: context");
}

# since when: the first version whose changes name it

my @versions = reverse content("$root/CHANGES")
    =~ /^Changes with ngx_flowdash_module (\S+) .*?\n(.*?)(?=^Changes|\z)/gms;
my (%since, %said);

while (my ($changes, $version) = splice @versions, 0, 2) {
    $since{$_} //= $version for $changes =~ /(\$?\bflowdash_\w+)/g;
}

while ($directives =~ /^### (\$?flowdash_\w+)\n(.*?)(?=^##|\z)/gms) {
    my ($name, $text) = ($1, $2);
    ($said{$name}) = $text =~ /\A\n(?:    \N+\n)*\n?
        This\ (?:directive|variable)\ appeared\ in\ version\ (\S+)\.\n/x;
    is($said{$name}, $since{ $name =~ s/NAME$//r }, "$name: since when");
}

# the contents by purpose

my ($contents) = $directives =~ /^## Directives by purpose\n(.*?)(?=^## )/ms;

is(join(' ', sort $contents =~ /\[(flowdash_\w+)\]\(#\g1\)/g),
   join(' ', sort keys %contexts), 'the contents have each directive, once');

is(join(' ', sort @described), join(' ', sort keys %variables),
   'the variables described are those of the module');


# What is tested.

my $tests = join "\n", map { content($_) } grep { !/docs\.t$/ } glob
    "$root/t/*.t";

my @untested = grep { $tests !~ /\b$_\s/ } sort keys %contexts;
push @untested, map { "\$$_" }
    grep { my $name = s/NAME$//r; $tests !~ /\$\{?$name(?:\b|(?<=_)\w)/ }
    sort keys %variables;

is(join(' ', @untested), '', 'all of them are used by a test');


# Names that are in no table are mistakes, or promises.

my @pages = map { "$root/$_" } pages();
my %anchors;                        # of each page
my %known = (%contexts, metrics(),
             flowdash_send_key => 1,            # the example of CONTRIBUTING.md
             flowdash_NAME => 1,                # of which there is JSON
             map { (s/NAME$//r => 1) } keys %variables);

for my $page (@pages) {
    my $text = content($page);
    my @unknown = grep { !$known{$_} && !/^flowdash_(?:task|stored|json|user)_/ }
        map { s/_seconds\K_(?:bucket|count|sum)$//r }
        $text =~ /\b(flowdash_\w+)/g;
    is(join(' ', @unknown), '', name($page) . ': names that exist');

    # links, images, and addresses that stand for themselves
    my $prose = prose(name($page)) =~ s/(`+).*?\1//gsr;
    my @links = $prose =~ /\]\(\s*([^)\s]+)[^)]*\)/g;
    push @links, $prose =~ /<(\w+:[^>\s]+)>/g, $prose =~ /^\[[^]]+\]: +(\S+)/gm;

    my @dead = grep { !link_leads($page, $_) } @links;
    is(join(' ', @dead), '', name($page) . ': links');

    # words that a native reader stops at, and what stands for them
    my @foreign = $prose =~ /\b(?:
          anew                          # again
        | shall                         # must
        | go(?:es)?\ on                 # continues
        | an\ URLs?                     # a URL
        | (?:is|are)\ no\ (?:action|error|form|HTTP|JSON|object|step|task)
        )\b | (?:^E|[,;]\ e)lse\b        # otherwise
        /gmx;
    is(join(', ', @foreign), '', name($page) . ': plain English');
}

# Prometheus'; their names end like no directive's

sub metrics {
    return map { ($_ => 1) } map { source("ngx_http_flowdash_status_$_.c")
        =~ /(?:"|# TYPE )(flowdash_\w+_(?:bytes|dead|entries|info|max|running|seconds|total|unknown|waiting))\b/g }
        qw(prometheus outbox);
}

sub name { return $_[0] =~ s{^\Q$root\E/}{}r }

# Nobody is asked whether an address elsewhere exists, but it can.

sub link_leads {
    my ($page, $link) = @_;

    return $link =~ m{^https://(?:[a-z\d-]+\.)+[a-z]{2,}(?::\d+)?
        (?:/(?:[\w.~!$&'*+,;=:@/?\#-]|%[\dA-Fa-f]{2})*)?$}x
        && $link !~ /[.,;:!?']$/ if $link =~ /^\w+:/;

    my ($file, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;
    my $path = $file eq '' ? $page : $page =~ s{[^/]*$}{}r . $file;

    return 0 if $file =~ m{^/} || !-e $path || -d $path && defined $anchor;
    return 1 if !defined $anchor;
    return $anchors{$path}{$anchor} // anchors($path)->{$anchor};
}

# As headings are made into anchors: lower case, only words and hyphens; if two
# are the same, the second one ends with -1.

sub anchors {
    my ($path) = @_;
    my %seen;

    for ($path =~ /\.md$/ ? prose(name($path)) =~ /^#+ (.*)$/gm : ()) {
        my $text = s/\[([^]]*)\]\([^)]*\)/$1/gr;
        my $anchor = lc($text =~ s/[^\w -]//gr) =~ tr/ /-/r;
        my $n = $seen{$anchor}++;
        $anchors{$path}{ $n ? "$anchor-$n" : $anchor } = 1;
    }

    return $anchors{$path} //= {};
}


# The plan of the sources: its drawing has all rooms, and its tables have all
# files; and what it and the pages about internals name in the sources exists.

my $plan = content("$root/docs/how-it-works.md");

my @rooms = map { s{.*/(.*)/$}{$1}r } glob "$src/*/";
my @drawn = map { m{\| (\w+)/ }g } $plan =~ /^    (.*)$/gm;

is(join(' ', sort @drawn), join(' ', sort @rooms),
   'the drawing has the rooms that exist');

my %planned;

while ($plan =~ m{^### (?:(\w+)/|The top)\n(.*?)(?=^##|\z)}gms) {
    my ($room, $text) = (defined $1 ? "$1/" : '', $2);
    $planned{ $room . $_ } = 1 for $text =~ /^\| `([\w.]+)` \|/gm;
}

my %files = map { short_name(s{^\Q$src\E/}{}r) => 1 }
    glob "$src/*.[ch] $src/*/*.[ch]";

is(join(' ', sort keys %planned), join(' ', sort keys %files),
   'the tables of the plan have the files that exist');

# without the prefix that all have but the common header

sub short_name {
    my ($file) = @_;
    return $file =~ /ngx_http_flowdash\.h$/ ? $file
        : $file =~ s/(?:ngx_http_flowdash_)?(\w+)\.[ch]$/$1/r;
}

my %word = map { $_ => 1 } map { content($_) =~ /\w*flowdash\w+/gi }
    glob "$src/*.[ch] $src/*/*.[ch]";
my $room = join '|', @rooms;

for my $page ("$root/docs/how-it-works.md",
              grep { !m{/libcurl\.md$} } glob "$root/docs/internals/*.md")
{
    my $text = content($page);

    # functions, tables, types and constants, but nginx's; files with their room
    my @gone = grep { !$word{$_} && !$word{"ngx_http_flowdash_$_"} }
        grep { !/^(?:ngx_|curl_)/i || /flowdash/i }
        $text =~ /`(\w+)(?:\(\)|\[\])`/g,
        $text =~ /`(\w+_[te])`/g,
        $text =~ /`(NGX_\w+)`/g;

    push @gone, grep { !$files{$_} } $text =~ m{`((?:$room)/[\w.]+)`}g;

    is(join(' ', @gone), '', name($page) . ': names of the sources');
}


# The version is one definition; these say it to people and packagers.

my ($version) = source('ngx_http_flowdash.h')
    =~ /NGX_HTTP_FLOWDASH_VERSION  "([\d.]+)"/;

my %says = (
    'CHANGES' => qr/\A\nChanges with ngx_flowdash_module (\S+) /,
    'debian/changelog' => qr/\A[\w-]+ \((.+)-\d+\) /,
    'docs/packaging/pkg-oss/docs/nginx-module-flowdash.xml'
        => qr{ver="([\d.]+)"},
    'docs/packaging/pkg-oss/contrib/src/ngx_flowdash_module/version'
        => qr{_VERSION := (\S+)},
    'docs/packaging/README.md' => qr{ngx_flowdash_module-([\d.]+)\.tar},
    'docs/directives.md' => qr{`ngx_flowdash/([\d.]+)`},
);

for my $file (sort keys %says) {
    my ($said) = content("$root/$file") =~ $says{$file};
    is($said, $version, "$file: the version");
}


# The manual has all directives, and mandoc has nothing to say.

my $manual = `$root/docs/packaging/man`;

is(join(' ', sort $manual =~ /^\.It Ic (flowdash_\w+)$/gm),
   join(' ', sort keys %contexts), 'the manual has all directives');
is(piped('mandoc', 'mandoc -T lint -W warning 2>&1', $manual), '',
   'mandoc has nothing to say');

# what make can do

{
    delete local $ENV{MAKEFLAGS};
    my $help = `make --no-print-directory -C $root help 2>&1`;
    is($?, 0, 'make help') or diag($help);

    my ($names) = content("$root/Makefile") =~ /^\.PHONY: (.*?[^\\])$/ms;
    my %inner = map { $_ => 1 }
        qw(all build test-deps test-plain test-sanitized covered help FORCE);
    is(join(' ', grep { !$inner{$_} && $help !~ /^make $_ /m }
                 grep { /\w/ } split /[\s\\]+/, $names), '',
       'make help has all that is to be run by hand');
}


# what a command says to $input; nothing where it is not installed
sub piped {
    my ($program, $command, $input) = @_;
    return '' if !grep { -x "$_/$program" } split /:/, $ENV{PATH};

    my $file = File::Temp->new;
    binmode $file, ':utf8';
    print $file $input;
    close $file;
    return scalar `$command <$file`;
}

done_testing();
