#!/usr/bin/perl

# The documentation says what the module has, no more and no less, and its
# examples are accepted by nginx.

use strict;
use warnings;

use File::Temp;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

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
                   "core/$name");
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
    for qw(flowdash_call flowdash_if flowdash_optional);

($table) = source('ngx_http_flowdash_variables.c')
    =~ /ngx_http_flowdash_vars\[\] = \{(.*?)ngx_http_null_variable/s;

$variables{ /_$/ ? "${_}NAME" : $_ } = 1 for $table =~ /ngx_string\("(\w+)"\)/g;

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

my @pages = (glob "$root/*.md $root/docs/*.md $root/docs/*/*.md"
    . " $root/docs/*/*/*.md");
my %known = (%contexts, metrics(),
             flowdash_send_key => 1,            # the example of CONTRIBUTING.md
             map { (s/NAME$//r => 1) } keys %variables);

for my $page (@pages) {
    my $text = content($page);
    my @unknown = grep { !$known{$_} && !/^flowdash_task_/ }
        map { s/_seconds\K_(?:bucket|count|sum)$//r }
        $text =~ /\b(flowdash_\w+)/g;
    is(join(' ', @unknown), '', name($page) . ': names that exist');

    my @dead = grep { !link_leads($page, $_) } $text =~ /\]\(([^)]+)\)/g;
    is(join(' ', @dead), '', name($page) . ': links');
}

# Prometheus'; their names end like no directive's

sub metrics {
    return map { ($_ => 1) } source('ngx_http_flowdash_status_prometheus.c')
        =~ /(?:"|# TYPE )(flowdash_\w+_(?:entries|info|max|running|seconds|total))/g;
}

sub name { return $_[0] =~ s{^\Q$root\E/}{}r }

sub link_leads {
    my ($page, $link) = @_;
    return 1 if $link =~ /^https?:/;

    my ($file, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;
    my $path = $file eq '' ? $page : $page =~ s{[^/]*$}{}r . $file;

    return 0 if !-f $path;
    return 1 if !defined $anchor;

    # as headings are made into anchors: lower case, only words and hyphens
    return scalar grep { lc(s/[^\w -]//gr) =~ tr/ /-/r eq $anchor }
        content($path) =~ /^#+ (.*)$/gm;
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


# The patch of CONTRIBUTING.md fits; the manual has all directives, and mandoc
# has nothing to say.

my ($patch) = content("$root/CONTRIBUTING.md") =~ /^```diff\n(.*?)^```$/ms;
my $patched = piped('patch', "patch --dry-run -p1 -d $root 2>&1", $patch);
is($patched =~ /FAILED|malformed|No file/ ? $patched : '', '',
   'CONTRIBUTING.md: the patch fits');

my $manual = `$root/docs/packaging/man`;

is(join(' ', sort $manual =~ /^\.It Ic (flowdash_\w+)$/gm),
   join(' ', sort keys %contexts), 'the manual has all directives');
is(piped('mandoc', 'mandoc -T lint -W warning 2>&1', $manual), '',
   'mandoc has nothing to say');

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


# The examples.

my $t = Test::Flowdash->new;

$t->write_file('fastcgi_params', '');

# what files in examples are taken for

$t->write_file('sign.key', 'whsec_' . 'A' x 43 . "=\n");
$t->write_file('proxy.user', "user:password\n");
chmod 0600, map { $t->dir . "/$_" } qw(sign.key proxy.user);

system("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=example -days 2"
       . " -keyout @{[$t->dir]}/pair.key -out @{[$t->dir]}/pair.pem"
       . " 2>@{[$t->dir]}/openssl.log") == 0
    or die 'openssl: ', $t->read_file('openssl.log');

for my $page (@pages) {
    my $text = content($page);
    my $n = 0;

    while ($text =~ /^```nginx\n(.*?)^```$/gms) {
        my ($ok, $output) = $t->test_config(whole($1));
        my @messages = grep { /\[(?:warn|emerg)\]/ } split /\n/, $output;

        is(join("\n", $ok ? () : 'refused', @messages), '',
           name($page) . ': example ' . ++$n);
    }

    is(() = $text =~ /^```nginx$/gm, $n, name($page) . ': examples are closed');
}

# an example as a whole nginx.conf, in which nothing is taken from the machine

sub whole {
    my ($conf) = @_;
    my %level = map { $_ => 1 } top_level($conf);

    if (!$level{http} && !$level{events}) {

        if (!grep { $level{$_} } qw(server log_format map geo upstream)) {
            $conf = "location / {\nflowdash_action x;\n$conf\n"
                . "proxy_pass http://app;\n}\n" if $level{flowdash_step};
            $conf = "server {\nlisten 80;\n$conf\n}\n";
        }

        $conf = "http {\n$conf\n}\n";
    }

    $conf =~ s/^\s*(?:load_module|error_log)\s[^;]*;//gm;
    $conf =~ s{(access_log|root)(\s+)/\S*?([^/\s;]+)(?=[\s;])}
              {$1$2%%DIR%%/$3}g;
    $conf =~ s{(_ssl_(?:trusted_)?certificate\s+)[^;\s]+}
              {$1%%DIR%%/pair.pem}g;
    $conf =~ s{(_ssl_certificate_key\s+)[^;\s]+}{$1%%DIR%%/pair.key}g;
    $conf =~ s{(flowdash_proxy\s+\S+\s+file:)[^;\s]+}
              {$1%%DIR%%/proxy.user}g;
    $conf =~ s{(flowdash_sign_key\s[^;]*;)}
              {$1 =~ s|file:[^;\s]+|file:%%DIR%%/sign.key|gr}ge;
    $conf =~ s/(\blisten\s+)(?:[\d.]+:)?(\d+)/${1}127.0.0.1:%%PORT_p$2%%/g;

    my %defined = map { $_ => 1 } $conf =~ /\bupstream\s+(\S+)/g;
    my %used = map { $_ => 1 }
        $conf =~ m{_pass\s+(?:\w+://)?([a-z][\w.-]*)(?=[/;])}g;

    my $stubs = join '', map { "upstream $_ { server 127.0.0.1:1; }\n" }
        grep { !$defined{$_} && $_ ne 'unix' } sort keys %used;

    $conf .= "http { }\n" if $conf !~ /\bhttp\s*\{/;
    $conf = "events { }\n$conf" if $conf !~ /\bevents\s*\{/;
    $conf =~ s/(\bhttp\s*\{)/$1\n%%HTTP_GLOBALS%%\n$stubs/;

    return "%%GLOBALS%%\n$conf";
}

# the names of the directives outside of all blocks

sub top_level {
    my ($conf) = @_;
    my $string = qr/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/;

    $conf =~ s/$string/x/g;
    $conf =~ s/#.*$//gm;
    1 while $conf =~ s/(?<!\$)\{[^{}]*\}/;/;

    return $conf =~ /(?:\A|;)\s*(\w+)/g;
}

$t->done;
