# Random forms and JSON texts, and random changes: what the module makes of
# them is compared with a plain model, to the byte, and with what stock
# parsers read, Mojolicious and Node's.  The model knows also what the module
# refuses, and why.
#
# Needs FLOWDASH_REWRITE, the program of t/tool/rewrite.c; the rounds are
# FLOWDASH_ROUNDS in the environment, the seed is FLOWDASH_SEED, and the
# number of failures that are shown is FLOWDASH_FAILURES.

use strict;
use warnings;

use FindBin;
use IPC::Open2 qw(open2);
use JSON::PP ();
use List::Util qw(first shuffle);
use Mojo::Message::Request;
use Mojo::Parameters;
use Test::More;

plan skip_all => 'FLOWDASH_REWRITE is not set' if !$ENV{FLOWDASH_REWRITE};

my $rounds = $ENV{FLOWDASH_ROUNDS} || 3000;
my $seed = $ENV{FLOWDASH_SEED} // 1;
my $max_failures = $ENV{FLOWDASH_FAILURES} || 3;

my $max_brackets = 32;

# a Node that isn't Debian's finds node-busboy only so
$ENV{NODE_PATH} = join ':', grep { length } $ENV{NODE_PATH} // '',
                                            '/usr/share/nodejs';

$SIG{PIPE} = 'IGNORE';

my %program = (tool => [$ENV{FLOWDASH_REWRITE}],
               node => ['node', "$FindBin::Bin/tool/read-form.js"]);
my (%to, %from, %pid);
for my $name (keys %program) {
    $pid{$name} = open2($from{$name}, $to{$name}, @{$program{$name}});
    binmode $_ for $from{$name}, $to{$name};
    $to{$name}->autoflush(1);
}


# -- the programs

sub receive {
    my ($name, $len) = @_;
    my $data = '';
    while (length($data) < $len) {
        read($from{$name}, $data, $len - length($data), length $data)
            or die "@{$program{$name}} has ended\n";
    }
    return $data;
}

sub receive_string {
    my ($name) = @_;
    return receive($name, unpack 'N', receive($name, 4));
}

sub rewrite {
    my ($case, $body, $changes) = @_;
    print {$to{tool}} pack('a N N/a* N', $case->{kind}, int rand 2**31,
                           $case->{type}, scalar @{$case->{pointer}}),
        (map { pack 'N/a*', $_ } @{$case->{pointer}}),
        pack('N/a* N/a*', $body, $changes);
    my %answer;
    $answer{$_} = receive_string('tool') for qw(verdict error task body);
    return \%answer;
}

sub node_reads {
    my ($case, $body) = @_;
    print {$to{node}} pack('N/a*', pack('a N/a* a*', $case->{kind},
                                        $case->{type}, $body));
    return receive_string('node');
}

# pairs as Node's program says them: [name, value, filename]
sub packed {
    return join '', map { pack 'a N/a* N/a* N/a*', defined $_->[2] ? 'f' : 'v',
                          $_->[0], $_->[1], $_->[2] // '' } @_;
}

sub bytes {
    my ($s) = @_;
    utf8::encode($s);
    return $s;
}

sub chars {
    my ($s) = @_;
    utf8::decode($s);
    return $s;
}

# the pairs of values, and those of files
sub mojo_reads {
    my ($case, $body) = @_;
    my (@flat, @files);
    if ($case->{kind} eq 'u') {
        @flat = @{Mojo::Parameters->new($body)->pairs};
    } else {
        my $req = Mojo::Message::Request->new;
        $req->parse("POST / HTTP/1.1\r\nContent-Type: $case->{type}\r\n"
                    . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
        @flat = @{$req->body_params->pairs};
        @files = map { [bytes($_->name), $_->slurp, bytes($_->filename)] }
                     @{$req->uploads};
    }
    my @pairs;
    push @pairs, [map { bytes($_) } splice @flat, 0, 2] while @flat;
    return packed(@pairs), packed(@files);
}


# -- the dice; all strings are bytes

my @field_names = ('a', 'b', 'Subject', 'custom field', "\xc3\xa9", 'x.y', '0',
    'A', 'a&b=c', '+', "\xf0\x9f\x98\x80", '%41', 'e mail', ':', '-', "'",
    'size', 'status_id', ';', '<b>', '/', '?', '#');
my @odd_names = ('', 'a[b]', ']', "\n", ' x', "\x7f", 'say "x"', 'a\\b',
    '; filename=a', 'a Name*');
my @keys = ('x', 'y', '0', '1', "\xc3\xbc", 'a b', 'x.y', '&', '=', '%5B');
my @texts = ('', 'x', 'a b', 'a+b', '100%', '%41', "\xc3\xa9\xe2\x82\xac", '&',
    '=', 'a=b&c=d', ' ', '  two  ', '"quoted"', "tab\t", "l1\r\nl2", "\n",
    "\r\n", "\r", '--', "\r\n--", '0', 'null', '[1]', '{"a":1}',
    "\xf0\x9f\x98\x80", ';', 'a;b', '~', '\\', 'issue[a]', "\0", "\x1f", "\x7f",
    'Lorem ipsum dolor sit amet, consectetur adipisici elit. ' x 8);

# names that are never the task's, and those which only urlencoded forms have
my @others = ('utf8', '_method', 'authenticity_token', 'attachments[1][file]',
    'attachments[dummy][file]', 'back_url', 'issues[a]', 'issue_id', 'q[]',
    'commit');
my @odd_others = ('q[a]b', 'x]', '[');

# numbers, and as what they come out of Node
my %number = ('0' => '0', '1' => '1', '12' => '12', '-1' => '-1',
    '10000.00' => '10000', '1e400' => 'null', '-0.0' => '0',
    '123456789012345678901234567890' => '1.2345678901234568e+29');
my @numbers = sort keys %number;

sub one_of { return $_[rand @_] }
sub chance { return rand() < $_[0] }

sub different {
    my %seen;
    return grep { !$seen{$_}++ } @_;
}

sub text {
    return one_of(@texts) if chance(0.8);
    return join '', map { one_of(@texts) } 0 .. rand 4;
}

# ['s', bytes], ['n', spelling], ['l', literal], ['h'] (half of a surrogate
# pair), ['a', [...]], ['o', [[key, value], ...]]
sub value {
    my ($depth) = @_;
    return deep() if $depth == 1 && chance(0.01);
    my $n = rand($depth > 3 ? 10 : 16);
    return ['s', text()] if $n < 7;
    return ['n', one_of(@numbers)] if $n < 8;
    return ['l', one_of('true', 'false', 'null')] if $n < 10;
    my $scalars = chance(0.5) ? 9 : $depth + 1;
    return ['a', [map { value($scalars) } 1 .. rand 5]] if $n < 13;
    my @names = map { chance(0.01) ? one_of(@odd_names) : one_of(@keys) }
                    1 .. rand 4;
    return ['o', [map { [$_, value($depth + 1)] } different(@names)]];
}

# about as deep as a form can have it
sub deep {
    my $v = one_of(['s', 'x'], ['a', []], ['o', []]);
    $v = chance(0.5) ? ['a', [$v]] : ['o', [['x', $v]]]
        for 1 .. $max_brackets - 4 + rand 6;
    return $v;
}

sub space { return chance(0.8) ? '' : one_of(' ', "\n", "\t ", "\r\n") }

my $latin = JSON::PP->new->allow_nonref->utf8;
my $ascii = JSON::PP->new->allow_nonref->ascii;

sub spelled_string {
    my ($s) = @_;
    my $how = int rand 3;
    return $ascii->encode(chars($s)) if $how == 2;
    $s = $latin->encode(chars($s));
    $s =~ s{/}{\\/}g if $how == 1;
    return $s;
}

# a value as JSON, in one of its spellings
sub spelled {
    my ($v) = @_;
    my ($type, $x) = @$v;
    return spelled_string($x) if $type eq 's';
    return one_of('"\\ud83d"', '"\\ude00x"', '"\\ud83d\\ud83d"')
        if $type eq 'h';
    return $x if $type eq 'n' || $type eq 'l';
    return '[' . space() . join(',', map { space() . spelled($_) . space() }
                                @$x) . ']' if $type eq 'a';
    return '{' . space() . join(',', map { spelled_string($_->[0]) . space()
        . ':' . space() . spelled($_->[1]) . space() } @$x) . '}';
}


# -- values in the model

my %escape = ("\n" => '\n', "\r" => '\r', "\t" => '\t', "\b" => '\b',
              "\f" => '\f', '"' => '\"', '\\' => '\\\\');

sub own_string {
    my ($s, $format) = @_;
    $s =~ s/([\x00-\x1f"\\])/$escape{$1}
                              || sprintf $format || '\u%04X', ord $1/ge;
    return qq("$s");
}

# a value as JSON, in the module's own spelling
sub own {
    my ($v, $sorted) = @_;
    my ($type, $x) = @$v;
    return own_string($x) if $type eq 's';
    return $x if $type =~ /[nl]/;
    return '"\\ud83d"' if $type eq 'h';
    return '[' . join(',', map { own($_, $sorted) } @$x) . ']'
        if $type eq 'a';
    return '{' . join(',', map { own_string($_->[0]) . ':'
                                 . own($_->[1], $sorted) }
        $sorted ? sort { $a->[0] cmp $b->[0] } @$x : @$x) . '}';
}

# a value as Node's program writes it
sub node_writes {
    my ($v) = @_;
    my ($type, $x) = @$v;
    return own_string($x, '\u%04x') if $type eq 's';
    return $number{$x} if $type eq 'n';
    return $x if $type eq 'l';
    return '[' . join(',', map { node_writes($_) } @$x) . ']'
        if $type eq 'a';
    return '{' . join(',', map { own_string($_->[0], '\u%04x') . ':'
                                 . node_writes($_->[1]) }
                      sort { $a->[0] cmp $b->[0] } @$x) . '}';
}

# whether what Perl's decoder has made is that value
sub perl_has {
    my ($data, $v) = @_;
    my ($type, $x) = @$v;
    return !ref $data && bytes($data) eq $x if $type eq 's';
    return !ref $data && $data == $x if $type eq 'n';
    return $x eq 'null' ? !defined $data
        : ref $data && ($x eq 'true') == !!$data if $type eq 'l';
    if ($type eq 'a') {
        return ref $data eq 'ARRAY' && @$data == @$x
            && !grep { !perl_has($data->[$_], $x->[$_]) } 0 .. $#$x;
    }
    return ref $data eq 'HASH' && keys %$data == @$x
        && !grep { !exists $data->{chars($_->[0])}
                   || !perl_has($data->{chars($_->[0])}, $_->[1]) } @$x;
}


# -- forms in the model

sub name_of {
    my ($pointer, $field, $path) = @_;
    my ($root, @keys) = (@$pointer, $field);
    return join('', $root, map { "[$_]" } @keys) . $path;
}

# a name's field and keys; nothing if it is not the task's
sub keys_of {
    my ($pointer, $name) = @_;
    my ($root, $rest) = $name =~ /^([^][]+)((?:\[[^][]*\])*)\z/ or return;
    my @keys = ($root, $rest =~ /\[([^][]*)\]/g);
    for my $token (@$pointer) {
        return if !@keys || shift @keys ne $token;
    }
    return @keys;
}

# fields in their order, each with its name, the indexes of its pairs, and a
# node; nothing if one is mixed, or if apps would not agree on an array: Rack
# puts a[][b] into the last element unless that has the key, qs always, PHP
# never
sub fields_of {
    my ($pointer, @pairs) = @_;
    my (@fields, %field);
    for my $i (0 .. $#pairs) {
        my ($name, @keys) = keys_of($pointer, $pairs[$i]{name}) or next;
        my $f = $field{$name} //= do {
            push @fields, { name => $name, node => {}, pairs => [] };
            $fields[-1];
        };
        push @{$f->{pairs}}, $i;
        $f->{file} = 1 if $pairs[$i]{file};
        my $node = $f->{node};
        for my $n (0 .. $#keys) {
            my $key = $keys[$n];
            my $type = length $key ? 'object' : 'array';
            return if ($node->{type} //= $type) ne $type;
            return if $key eq '' && $n < $#keys;
            my $child = length $key ? $node->{of}{$key} : undef;
            if (!$child) {
                $child = { key => $key };
                push @{$node->{children}}, $child;
                $node->{of}{$key} = $child if length $key;
            }
            $node = $child;
        }
        return if ($node->{type} //= $pairs[$i]{file} ? 'file' : 'value')
                  ne ($pairs[$i]{file} ? 'file' : 'value');
        push @{$node->{pairs}}, $pairs[$i];
    }
    return \@fields;
}

# a browser sends a file without a name where the user has chosen none
sub chosen {
    my ($pair) = @_;
    return !$pair->{file} || $pair->{filename} ne '';
}

sub value_of {
    my ($node) = @_;
    return ['a', [map { value_of($_) }
                  grep { !$_->{pairs} || chosen($_->{pairs}[0]) }
                  @{$node->{children}}]]
        if $node->{type} eq 'array';
    return ['o', [map { [$_->{key}, value_of($_)] } @{$node->{children}}]]
        if $node->{type} eq 'object';
    my @v = map { $_->{file}
        ? ['o', [['filename', ['s', $_->{filename}]],
                 ['contentType', ['s', $_->{type} // '']],
                 ['size', ['n', length $_->{value}]]]]
        : ['s', $_->{value}] } grep { chosen($_) } @{$node->{pairs}};
    return $v[0] if @v == 1 && (!$node->{pairs}[0]{file}
                                || defined $node->{key} && $node->{key} eq '');
    return ['a', \@v];
}

sub task_of {
    my ($fields) = @_;
    return own(['o', [map { [$_->{name}, value_of($_->{node})] } @$fields]]);
}

# the pairs that say a value: [path, text]
sub pairs_of {
    my ($v, $repeated) = @_;
    my ($type, $x) = @$v;
    return ['', $type eq 'l' && $x eq 'null' ? '' : $x]
        if $type =~ /[snl]/;
    my $brackets = $repeated ? '' : '[]';
    return [$type eq 'a' ? $brackets : '', ''] if !@$x;
    return map { my $k = $_->[0]; map { ["[$k]$_->[0]", $_->[1]] }
                 pairs_of($_->[1]) } @$x if $type eq 'o';
    return map { my $i = $_; map { ["[$i]$_->[0]", $_->[1]] }
                 pairs_of($x->[$i]) } 0 .. $#$x
        if grep { $_->[0] =~ /[ao]/ } @$x;
    return map { [$brackets, (pairs_of($_))[0][1]] } @$x;
}

sub sayable {
    my ($case, $key) = @_;
    return $key ne '' && $key !~ /^ |[][\x00-\x1f\x7f]/
        && ($case->{kind} eq 'u'
            || $key !~ /["\\]|[; \t](?:file)?name[=*]/i
               && index($key, $case->{boundary}) < 0);
}

# a task that isn't can't have fields, nor get any
sub task_is_sayable {
    my ($case) = @_;
    return !grep { !sayable($case, $_) } @{$case->{pointer}};
}

# whether a form cannot have that value
sub unsayable {
    my ($case, $v, $brackets) = @_;
    my ($type, $x) = @$v;
    return 1 if $type eq 'h'
        || ($brackets // @{$case->{pointer}}) > $max_brackets;
    return $case->{kind} eq 'm' && index($x, $case->{boundary}) >= 0
        if $type =~ /[snl]/;
    $brackets = ($brackets // @{$case->{pointer}}) + 1;
    return $type eq 'a' && $brackets > $max_brackets if !@$x;
    return scalar grep { unsayable($case, $_, $brackets) } @$x
        if $type eq 'a';
    return scalar grep { !sayable($case, $_->[0])
                         || unsayable($case, $_->[1], $brackets) } @$x;
}

sub escaped {
    my ($s) = @_;
    $s =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;
    return $s;
}

# An item of a form is what stands between "&"s, or a part behind its
# delimiter: "raw".  "pair" is what parsers must read.
sub item {
    my ($case, $new, $old) = @_;
    my $same_name = $old && $old->{pair}{name} eq $new->{name};
    return $old if $same_name && $old->{pair}{value} eq $new->{value};
    my $raw;
    if ($case->{kind} eq 'u') {
        $raw = ($same_name ? $old->{head} : escaped($new->{name})) . '='
               . escaped($new->{value});
    } else {
        # headers that tell of the value go with it
        my $head = $same_name && $old->{head} !~ /^Content-Transfer/m
            ? $old->{head}
            : "\r\nContent-Disposition: form-data; name=\"$new->{name}\""
              . "\r\n\r\n";
        $raw = $head . $new->{value};
    }
    return { raw => $raw, pair => $new };
}

sub body_of {
    my ($case, @items) = @_;
    my @raw = map { $_->{raw} } @items;
    return join '&', @raw if $case->{kind} eq 'u';
    return $case->{start} . join "\r\n", map { "--$case->{boundary}$_" }
                                             @raw, $case->{end};
}

# the items of the form with the changes in it
sub changed {
    my ($case, $fields, @changes) = @_;
    my (%new, %behind, @tail);
    for my $change (@changes) {
        my ($name, $v) = @$change;
        my $f = first { $_->{name} eq $name } @$fields;
        my $repeated = $f && @{$f->{node}{pairs} || []} > 1;
        my @new = map { { name => name_of($case->{pointer}, $name, $_->[0]),
                          value => $_->[1] } } pairs_of($v, $repeated);
        if (!$f) {
            push @tail, @new;
            next;
        }
        $new{$_} = shift @new // 'none' for @{$f->{pairs}};
        $behind{$f->{pairs}[-1]} = \@new;
    }

    my ($i, @items) = (0);
    for my $item (@{$case->{items}}) {
        if (!$item->{pair}) {
            push @items, $item;
            next;
        }
        push @items, !$new{$i} ? $item : item($case, $new{$i}, $item)
            if ($new{$i} // '') ne 'none';
        push @items, map { item($case, $_) } @{$behind{$i++} || []};
    }
    # a "&" at the end of the form, with nothing behind it, is used
    pop @items if @tail && @items && $case->{items}[-1]{raw} eq '';
    return @items, map { item($case, $_) } @tail;
}


# -- random forms

sub pairs {
    my ($case) = @_;
    my ($kind, $pointer) = @$case{qw(kind pointer)};
    my @lists;

    my @fields = different(map { one_of(@field_names) } 1 .. rand 7);
    @fields = () if !task_is_sayable($case);

    for my $name (@fields) {
        my $base = name_of($pointer, $name, '');
        my $shape = int rand 8;
        my @paths = $shape < 3 ? ('')
            : $shape == 3 ? ('') x (2 + rand 3)
            : $shape == 4 ? ('[]') x (1 + rand 4)
            : $shape == 5 ? map { '[' . one_of(@keys) . ']' } 0 .. rand 4
            : $shape == 6 ? map { '[]' . one_of('[x]', '[y]', '[x][]',
                                                chance(0.03) ? '[]' : ()) }
                            0 .. chance(0.05) * 2
            : map { '[x]' . one_of('[a]', '[b]', '[a]') } 0 .. rand 3;
        # these may become a field that is mixed
        @paths = map { $_ . one_of('', '', '[]', '[z]') } @paths
            if chance(0.03);
        my $files = $kind eq 'm' && chance(0.2);
        my $all = chance(0.95);
        push @lists, [map { $files && ($all || chance(0.5))
            ? file($case, "$base$_") : { name => "$base$_", value => text() }
        } @paths];
    }

    my @names = @$pointer ? map { one_of(@others) } 1 .. rand 5 : ();
    push @names, one_of(@odd_others)
        if @$pointer && $kind eq 'u' && chance(0.1);
    push @lists, map { [$kind eq 'm' && /file/ ? file($case, $_)
        : { name => $_,
            value => $_ eq 'utf8' ? "\xe2\x9c\x93" : text() }] } @names;

    @lists = shuffle @lists;
    return map { @$_ } @lists if chance(0.4);
    my @pairs;
    while (@lists) {
        my $i = int rand @lists;
        push @pairs, shift @{$lists[$i]};
        splice @lists, $i, 1 if !@{$lists[$i]};
    }
    return @pairs;
}

# "said" and "ext" are what stands in filename and filename*
sub file {
    my ($case, $name) = @_;
    my %file = (name => $name, file => 1, value => content($case),
                type => one_of('text/plain', 'application/octet-stream'));
    my $how = int rand 12;
    if ($how == 0) {
        # none was chosen
        @file{qw(said filename value type)} = ('', '', '',
                                               'application/octet-stream');
    } elsif ($how == 1) {
        @file{qw(said filename)} = ('q%22%0d%0A.txt', "q\"\r\n.txt");
    } elsif ($how == 2) {
        # to Mojolicious that is no file, so that it decodes the content
        @file{qw(ext filename value)} = (one_of("UTF-8''", "utf-8'de'")
            . '%e2%82%ac%20x.txt', "\xe2\x82\xac x.txt", text());
    } elsif ($how == 3) {
        @file{qw(said ext filename)} = ('a.txt', "UTF-8''a.txt", 'a.txt');
    } else {
        $file{said} = $file{filename}
            = one_of('a.txt', "\xc3\xa9 b.pdf", 'c;d.bin', '%41', '0');
    }
    delete $file{type} if $how > 3 && chance(0.1);
    return \%file;
}

# a file's; with nearly the delimiter in it
sub content {
    my ($case) = @_;
    my $b = $case->{boundary};
    return join '', map { one_of(
        "\r\n", "\r\n--", "\n--", '-', '--', "\r\r\n", "\0\xff\xfe", text(),
        "\r\n--" . substr($b, 0, -1) . "\x01", $b,
        "\r\n-" . $b, join('', map { chr int rand 256 } 1 .. 20)) }
        1 .. rand 6;
}

# in one of the spellings that browsers and others use
sub sent {
    my ($s) = @_;
    my $plus = chance(0.7);
    my $lazy = chance(0.6);
    my $hex = one_of('%%%02X', '%%%02x');
    my $more = chance(0.1);
    $s =~ s{(.)}{
        my $c = $1;
        $c =~ /[A-Za-z0-9._*-]/
            ? $more && chance(0.1) ? sprintf $hex, ord $c : $c
        : $c eq ' ' && $plus ? '+'
        : $lazy && $c =~ m{[^\0-\x20\x7f&+%=;]} ? $c
        : sprintf $hex, ord $c }gse;
    return $s;
}

sub urlencoded {
    my ($case) = @_;
    my $empty = sub { map { { raw => '' } } 1 .. chance(0.05) * (1 + rand 2) };
    my @items = $empty->();
    for my $pair (@{$case->{pairs}}) {
        my ($name, $value) = (sent($pair->{name}), sent($pair->{value}));
        $value =~ s/%3D/=/ig if chance(0.3);
        my $bare = $value eq '' && chance(0.3);
        push @items, { raw => $bare ? $name : "$name=$value",
                       head => $name, pair => $pair }, $empty->();
    }
    $case->{items} = \@items;
}

sub boundary {
    my @c = ('A' .. 'Z', 'a' .. 'z', 0 .. 9);
    push @c, qw{' ( ) + _ - . / : = ?} if chance(0.3);
    @c = ('-', '-', 'a') if chance(0.1);
    return one_of('----WebKitFormBoundary', '---------', '', '')
           . join '', map { one_of(@c) } 1 .. 8 + rand 20;
}

sub head {
    my ($name, $said, $ext, $type) = @_;
    my @params = ("name=\"$name\"");
    push @params, "filename=\"$said\"" if defined $said;
    push @params, "filename*=$ext" if defined $ext;
    @params = reverse @params if chance(0.1);
    my @lines = (one_of('Content-Disposition', 'Content-Disposition',
                        'content-disposition') . one_of(': ', ': ', ':')
                 . join chance(0.9) ? '; ' : ';', 'form-data', @params);
    push @lines, "Content-Type: $type" if defined $type;
    push @lines, one_of('X-Extra: 1', 'Content-Language: de',
                        'Content-Transfer-Encoding: 8bit') if chance(0.1);
    @lines = reverse @lines if chance(0.2);
    return join '', "\r\n", (map { "$_\r\n" } @lines), "\r\n";
}

sub multipart {
    my ($case) = @_;
    for my $pair (@{$case->{pairs}}) {
        # the delimiter must not be in it, wherever
        1 while $pair->{value} =~ s/--\Q$case->{boundary}\E/--/;
        my $type = $pair->{type};
        $type = one_of('text/plain', 'text/plain; charset=utf-8')
            if !$pair->{file} && chance(0.1);
        my $head = head(@$pair{qw(name said ext)}, $type);
        push @{$case->{items}}, { head => $head, pair => $pair,
                                  raw => $head . $pair->{value} };
    }
    $case->{start} = chance(0.05) ? "\r\n" : '';
    $case->{end} = one_of("--\r\n", "--\r\n", "--\r\n", '--', "--\r\n\r\n");
}


# -- forms that are to be refused

# names that could be taken for the task's, if that has a pointer
sub bad_name {
    my ($pointer) = @_;
    return name_of($pointer, 'a', '[x]' x ($max_brackets + 1))
        if chance(0.1);
    return one_of('x]', '[', ' a', 'a[', 'a[b]c', '[a]', 'a[[b]]', "a\x01",
                  'a[ ]')
        if !@$pointer;
    my ($root, @rest) = @$pointer;
    my $task = join '', $root, map { "[$_]" } @rest;
    return "$root\[][a]" if @rest && $rest[0] =~ /^\d/ && chance(0.3);
    return $root =~ s/_/one_of('.', ' ')/er . '[a]'
        if $root =~ /_/ && chance(0.5);
    return one_of($root, $task, $task . '[]', "$root\[", "$root\[a",
                  "$root\[[a]]", "$root]", "$root\[a]b", "[$root][a]",
                  " $root\[a]", "$task\[a\x01]", "$task\[\x7f]",
                  "$task\[a][ ]", "$task\[ b]",
                  "$task\[\xff]");
}

# makes something wrong, and returns the verdict that is due
sub spoil {
    my ($case) = @_;
    my $pointer = $case->{pointer};
    my $name = name_of($pointer, 'a', '');
    my ($raw, $verdict);

    if ($case->{kind} eq 'u') {
        $raw = one_of(escaped(bad_name($pointer)) . '=1', 'b%zz=1', '%=1',
            escaped($name) . '=' . one_of('%', '%4', '%4x', '%ff', "\xc3",
                                          '%ed%a0%80'),
            one_of('b', 'b=1', 'b=1;;c') . ';'
            . one_of($name, escaped($name)) . one_of('', '=', '=2'),
            $name . one_of(';', '=;', '=1;', '=1;b', ';b=1'));
    } else {
        my $b = $case->{boundary};
        my $d = 'Content-Disposition: form-data;';
        ($raw, $verdict) = @{one_of(
            ["$d name=\"" . bad_name($pointer) . "\"\r\n\r\n"],
            ["$d name=\"$name\"\r\nContent-Type: text/plain; charset=latin1"
             . "\r\n\r\n", 'charset'],
            ["$d name=\"$name\"\r\n\r\n\xff", 'malformed'],
            ["$d name=\"$name\"\r\nContent-Transfer-Encoding: base64"
             . "\r\n\r\n", 'charset'],
            ["$d name=\"$name\"\r\nContent-Encoding: gzip\r\n\r\n", 'charset'],
            ["$d name=\"$name\"; filename*=latin1''x\r\n\r\n", 'charset'],
            map { [$_] } "$d name=\"a\\b\"\r\n\r\n", "$d name=\"\"\r\n\r\n",
            "$d name=\"b\\\"\"\r\n\r\n", "$d\r\n\r\n", "\r\n",
            "$d name=\"b\"; name=\"c\"\r\n\r\n",
            "$d name=\"b; name=c\"\r\n\r\n", "$d name=\"b\"\n\r\n",
            "$d filename=\"x; name=c\"; name=\"b\"\r\n\r\n",
            "$d\r\n name=\"b\"\r\n\r\n", "X: 1\r\n\r\n",
            "$d name=\"b\"\r\nX: 1--$b\r\n\r\n",
            "$d name=\"b--$b\"\r\n\r\n",
            "$d name=\"b\"\r\nno header\r\n\r\n",
            "$d name=\"b\"\r\n$d name=\"b\"\r\n\r\n",
            "$d name=\"$name\"; filename=\"\"\r\n\r\nx",
            "$d name=\"$name\"; filename*=x\r\n\r\nx",
            "$d name=\"$name\"; filename*=utf-8''%zz\r\n\r\nx",
            "$d name=\"$name\"\r\nContent-Type: application/octet-stream"
            . "\r\n\r\n",
            "$d name=\"b\"\r\n\r\nx--$b", "$d name=\"b\"\r\n\r\nx\n--$b",
            "$d name=\"b\"\r\n\r\n--$b", "$d name=\"b\"\r\n\r\n\r\n--${b}x",
            "$d name=\"b\"; filename=\"x\"\r\n\r\nx\r--$b")};
        $raw = "\r\n$raw";
        if (chance(0.1)) {
            $raw = head('b') . 'x';
            ($verdict, $case->{end}) = (undef, one_of('', '-', "--x", "\r\n"));
        } elsif (chance(0.05)) {
            $raw = head('b') . 'x';
            ($verdict, $case->{start}) = (undef, one_of('x', "\n", "\r"));
        }
    }
    splice @{$case->{items}}, rand(@{$case->{items}} + 1), 0, { raw => $raw };
    return $verdict // 'malformed';
}


# -- the rounds; each returns what is wrong, or nothing

my %count;

# changes as [name, value, spelling]: of fields that the task has, of new
# ones, and of some that remain what they are
sub changes {
    my ($case, $fields, $value_of) = @_;
    my @names = (@field_names, map { $_->{name} } @$fields, @$fields);
    my @changes;
    for my $name (different(map { my $n = one_of(@names);
                                  ref $n ? $n->{name} : $n } 1 .. rand 4))
    {
        my $f = first { $_->{name} eq $name } @$fields;
        my $v = value(1);
        if ($f && chance($f->{file} ? 0.9 : 0.2)) {
            $v = $value_of->($f);
            $v = reordered($v) if chance(0.5);
            $v = nearly($v) if chance(0.1);
            push @changes, [$name, $v, chance(0.5) ? own($v) : spelled($v)];
            next;
        }
        if ($case->{kind} eq 'm' && chance(0.01)) {
            my $with = one_of('a', '') . $case->{boundary} . one_of('b', '');
            $v = one_of(['s', $with], ['o', [[$with, ['s', 'x']]]],
                        ['a', [$v, ['o', [['x', $v], [$with, ['a', []]]]]]]);
        }
        $v = ['h'] if $case->{kind} ne 'j' && chance(0.01);
        push @changes, [$name, $v, spelled($v)];
    }
    if (chance(0.02)) {
        my $v = value(1);
        push @changes, [one_of(@odd_names), $v, spelled($v)];
    }
    my %said;
    return grep { !$said{$_->[0]}++ } @changes;
}

sub reordered {
    my ($v) = @_;
    my ($type, $x) = @$v;
    return ['a', [map { reordered($_) } @$x]] if $type eq 'a';
    return ['o', [shuffle map { [$_->[0], reordered($_->[1])] } @$x]]
        if $type eq 'o';
    return $v;
}

# another value, but not by much
sub nearly {
    my ($v) = @_;
    my ($type, $x) = @$v;
    return one_of(['s', "$x "], ['a', [$v]], $x =~ /^\d\z/ ? ['n', $x] : $v)
        if $type eq 's';
    return one_of(['s', $x], ['n', $x eq '12' ? '1' : '12']) if $type eq 'n';
    return $v if $type !~ /[ao]/ || !@$x;
    my @x = @$x;
    my $i = int rand @x;
    if (chance(0.2)) {
        splice @x, $i, 1;
    } else {
        $x[$i] = $type eq 'a' ? nearly($x[$i])
                 : [$x[$i][0], nearly($x[$i][1])];
    }
    return [$type, \@x];
}

sub said_object {
    my (@changes) = @_;
    return '{' . space() . join(',', map { spelled_string($_->[0]) . space()
        . ':' . space() . $_->[2] . space() } @changes) . '}';
}

sub form_round {
    my ($case) = @_;
    my $kind = $case->{kind};

    if ($kind eq 'm') {
        my $b = $case->{boundary} = boundary();
        $case->{type} = 'multipart/form-data; boundary='
            . ($b =~ /[^\w-]/ || chance(0.1) ? "\"$b\"" : $b);
    }

    $case->{pairs} = [pairs($case)];
    $kind eq 'u' ? urlencoded($case) : multipart($case);
    my $fields = fields_of($case->{pointer}, @{$case->{pairs}});
    my $due = chance(0.05) && task_is_sayable($case) ? spoil($case) : undef;
    my $body = $case->{body} = body_of($case, @{$case->{items}});
    my @changes = changes($case, $fields || [],
                          sub { value_of($_[0]{node}) });
    $case->{changes} = said_object(@changes);
    my $answer = $case->{answer} = rewrite($case, $body, $case->{changes});
    my $is = "$answer->{verdict}: $answer->{error}";

    if ($kind eq 'm' && $case->{boundary} =~ /boundary=/i) {
        $count{'refused types'}++;
        return $is =~ /^no boundary: .*more than one/ ? undef : $is;
    }

    if ($due) {
        $count{"spoilt forms ($due)"}++;
        return if $answer->{verdict} eq $due
                  || !$fields && $answer->{verdict} eq 'malformed';
        return "is $is, but $due is due";
    }

    if (!$fields) {
        $count{'mixed fields, ambiguous arrays'}++;
        return $is =~ /^malformed: (?:a field that is more|\[\] inside a name)/
            ? undef : "a mixed field is $is";
    }

    return "is $is" if $answer->{verdict} !~ /^(?:ok|refused)\z/;

    my $task = task_of($fields);
    return "the task is $answer->{task}, not $task"
        if $answer->{task} ne $task;

    # what is written as it is written in the task is no change, nor is a
    # file that is what it is
    my (@real, $refused);
    for my $change (@changes) {
        my ($name, $v, $spelling) = @$change;
        my $f = first { $_->{name} eq $name } @$fields;
        my $old = $f && value_of($f->{node});
        if ($f && own($old) eq $spelling) {
            $count{'unchanged values'}++;
        } elsif ($f && $f->{file}) {
            my $same = own($old, 1) eq own($v, 1);
            $count{$same ? 'files said again' : 'refused files'}++;
            $refused ||= !$same;
        } elsif (!task_is_sayable($case) || !sayable($case, $name)
                 || unsayable($case, $v))
        {
            $count{'refused values'}++;
            $refused = 1;
        } else {
            push @real, $change;
        }
    }
    return $answer->{verdict} eq 'refused' ? undef : 'is not refused'
        if $refused;
    return "is $is" if $answer->{verdict} ne 'ok';

    my @items = changed($case, $fields, @real);
    my $wanted = body_of($case, @items);
    return "is not as wanted: $wanted" if $answer->{body} ne $wanted;
    $count{'bodies unchanged'}++ if $wanted eq $body;

    my @pairs = map { $_->{pair} || () } @items;
    my $wrong = stock_parsers($case, $wanted, @pairs);
    return $wrong if $wrong;

    # the task in what was written, and its own fields as changes of that
    $task = task_of(fields_of($case->{pointer}, @pairs)
                    || return 'the result has a mixed field');
    for my $changes ('{}', '') {
        my $again = rewrite($case, $wanted, $changes);
        return "the result is $again->{verdict}: $again->{error}"
            if $again->{verdict} ne 'ok';
        return "the result's task is $again->{task}, not $task"
            if $again->{task} ne $task;
        return "the result is not written again as it is: $again->{body}"
            if $again->{body} ne $wanted;
    }

    $count{$kind}++;
    return;
}

sub stock_parsers {
    my ($case, $body, @pairs) = @_;

    my $node = node_reads($case, $body);
    my $wanted = packed(map { [$_->{name}, $_->{value}, $_->{file}
        ? defined $_->{ext} ? $_->{filename} : $_->{said} : undef] } @pairs);
    return "Node reads $node, not $wanted" if $node ne $wanted;

    # Mojolicious doesn't see a part whose name has a semicolon, and doesn't
    # know filename*
    @pairs = grep { $_->{name} !~ /;/ } @pairs if $case->{kind} eq 'm';
    my $values = packed(map { [$_->{name}, $_->{value}] }
                        grep { !defined $_->{said} } @pairs);
    my $files = packed(map { [$_->{name}, $_->{value}, $_->{said}] }
                       grep { defined $_->{said} } @pairs);
    my ($mojo_values, $mojo_files) = mojo_reads($case, $body);
    return "Mojolicious reads $mojo_values, not $values"
        if $mojo_values ne $values;
    return "Mojolicious reads the files $mojo_files, not $files"
        if $mojo_files ne $files;
    return;
}

# A text whose object at the pointer has members, or is missing from some
# token on; with the changes, too, as a text and as a value.
sub json_round {
    my ($case) = @_;
    my @pointer = @{$case->{pointer}};

    my @members = map { my $v = value(1);
        { name => $_, value => $v, text => spelled($v) } }
        different(map { one_of(@field_names, @odd_names) } 1 .. rand 6);
    my @changes = changes($case, \@members, sub { $_[0]{value} });
    my %new = map { $_->[0] => $_ } @changes;
    my $missing = @pointer && chance(0.2) ? 1 + int rand @pointer : 0;
    my $due = 'ok';

    if ($missing) {
        @members = ();
    } elsif (@members && chance(0.02)) {
        push @members, { %{one_of(@members)} };
        $due = 'duplicate';
    }

    # the object, or for want of it what is to be added to the last on the way
    my (@parts, @old, @now);
    for my $m (@members) {
        my $n = delete $new{$m->{name}};
        my $lead = space() . spelled_string($m->{name}) . space() . ':'
                   . space();
        my $end = space();
        push @parts, ["$lead$m->{text}", $lead . ($n ? $n->[2] : $m->{text}),
                      $end];
        push @now, [$m->{name}, $n ? $n->[1] : $m->{value}];
    }
    # names of the changes are spelled as they were said
    my @said = map { [$_->[0], $_->[1], $_->[2], spelled_string($_->[0])] }
                   @changes;
    $case->{changes} = '{' . join(',', map { "$_->[3]:$_->[2]" } @said) . '}';
    my @added = grep { $new{$_->[0]} } @said;
    my $added = join ',', map { "$_->[3]:$_->[2]" } @added;
    push @now, map { [$_->[0], $_->[1]] } @added;

    my @way = @pointer;
    my $value = ['o', \@now];
    if ($missing) {
        my @made = splice @way, $missing - 1;
        if (@changes) {
            $added = '{' . $added . '}';
            for my $token (reverse @made) {
                $added = own_string($token) . ":$added";
                $added = "{$added}" if $token ne $made[0];
                $value = ['o', [[$token, $value]]];
            }
        } else {
            $value = ['o', []];
        }
        if (chance(0.6)) {
            push @parts, [('"other" : [1, {}]') x 2, space()];
            unshift @{$value->[1]},
                ['other', ['a', [['n', '1'], ['o', []]]]];
        }
    }

    my $end = space();
    my $old = join ',', map { $_->[0] . $_->[2] } @parts;
    $old = '{' . ($old eq '' ? $end : $old) . '}';
    my $text = join ',', map { $_->[1] . $_->[2] } @parts;
    if (!@parts) {
        $text = $added . $end;
    } elsif ($added ne '') {
        # in front of the white space at the end
        my $space = $parts[-1][2];
        substr $text, length($text) - length($space), 0, ",$added";
    }
    my $object = $old;
    my ($body, $wanted) = ($old, '{' . $text . '}');

    if (!$missing && @way && chance(0.03)) {
        $body = $wanted = one_of('null', '5', '"x"', '[]', '[{}]');
        $due = 'no object';
    }

    for my $token (reverse @way) {
        my ($before, $behind) = (space(), space());
        if ($token =~ /^\d\z/ && chance(0.5)) {
            $before = '[' . '{},' x $token . $before;
            $behind .= ',{}' if my $more = chance(0.5);
            $behind .= ']';
            $value = ['a', [(['o', []]) x $token, $value,
                            $more ? ['o', []] : ()]];
        } else {
            my @m = ([$token, $value]);
            $before = spelled_string($token) . ':' . $before;
            if (chance(0.5)) {
                $before = '"other":{"b":[]},' . $before;
                unshift @m, ['other', ['o', [['b', ['a', []]]]]];
            }
            if (chance(0.5)) {
                $behind .= ',"behind" : 1';
                push @m, ['behind', ['n', '1']];
            }
            if ($due eq 'ok' && chance(0.01)) {
                $behind .= ',' . spelled_string($token) . ':{}';
                $due = 'duplicate';
            }
            $before = "{$before";
            $behind .= '}';
            $value = ['o', \@m];
        }
        $_ = "$before$_$behind" for $body, $wanted;
    }
    my ($before, $behind) = (space(), space());
    $_ = "$before$_$behind" for $body, $wanted;

    if (chance(0.02)) {
        $body =~ s/[]}]\s*\z// if my $cut = chance(0.3);
        $body .= one_of('x', '}', ',', "\x0b", "\xff") if !$cut;
        $due = 'malformed';
    }

    $case->{body} = $body;
    my $answer = $case->{answer} = rewrite($case, $body, $case->{changes});
    if ($answer->{verdict} ne $due) {
        return "is $answer->{verdict}: $answer->{error}, but $due is due";
    }
    if ($due ne 'ok') {
        $count{"JSON: $due"}++;
        return;
    }

    $object = '{}' if $missing;
    return "the task is $answer->{task}, not $object"
        if $answer->{task} ne $object;
    return "is not as wanted: $wanted" if $answer->{body} ne $wanted;
    $count{'bodies unchanged'}++ if $wanted eq $body;

    my $node = node_reads($case, $wanted);
    my $node_wanted = node_writes($value);
    return "Node reads $node, not $node_wanted" if $node ne $node_wanted;
    return 'Perl reads something else'
        if !perl_has($latin->decode($wanted), $value);

    $count{'objects missing'}++ if $missing;
    $count{j}++;
    return;
}

my $failed = 0;
my $done = 0;

for my $round (1 .. $rounds) {
    srand($seed * 1_000_003 + $round);
    my $kind = (('u') x 9, ('m') x 8, ('j') x 3)[rand 20];
    my @pointer = (['issue'], ['task', 'a'], ['edit-form'], ["\xc3\xbc"],
                   ['x_y'], ['list', '1']);
    my %case = (kind => $kind,
                pointer => chance(0.02) ? ['say "x"']
                           : one_of([], ['issue'], @pointer),
                type => $kind eq 'u' ? 'application/x-www-form-urlencoded'
                        : 'application/json');
    my $wrong = eval { $kind eq 'j' ? json_round(\%case)
                                    : form_round(\%case) };
    my $died = $@;
    $wrong = "died: $died" if $died;
    $done++;
    next if !defined $wrong;

    my $show = JSON::PP->new->allow_nonref->latin1;
    diag("FLOWDASH_SEED=$seed, round $round: ", $show->encode($wrong),
         "\n  type: $case{type}\n  pointer: @{$case{pointer}}",
         "\n  body: ", $show->encode($case{body} // ''),
         "\n  changes: ", $show->encode($case{changes} // ''),
         "\n  result: ", $show->encode($case{answer}{body} // ''));
    last if ++$failed >= $max_failures || $died =~ /has ended$/;
}

is($done, $rounds, "$rounds random rewrites with the seed $seed");
is($failed, 0, 'all of them are as in the model');
note(join ', ', map { "$_: $count{$_}" } sort keys %count);

if ($rounds >= 1000) {
    cmp_ok($count{$_} // 0, '>', 0, "there were some of $_")
        for qw(u m j), 'mixed fields, ambiguous arrays', 'refused values',
            'refused files', 'files said again', 'unchanged values',
            'bodies unchanged', 'objects missing', 'spoilt forms (malformed)',
            'spoilt forms (charset)', map { "JSON: $_" } 'duplicate',
            'no object', 'malformed';
}

for my $name (sort keys %program) {
    close $to{$name};
    close $from{$name};
    waitpid $pid{$name}, 0;
    is($?, 0, "@{$program{$name}} has ended well");
}
done_testing();
