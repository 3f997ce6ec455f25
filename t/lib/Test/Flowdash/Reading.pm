package Test::Flowdash::Reading;

=head1 NAME

Test::Flowdash::Reading - whether an app has read what the endpoint was told

=head1 SYNOPSIS

    my $told = Test::Flowdash::Reading::parse('{"Stage":"Done"}');
    my @wrong = Test::Flowdash::Reading::compare(
        told => $told, pointer => [ 'task' ], parser => 'qs',
        reading => $reading, type => $content_type, raw => $request);

=head1 WHAT AGREES

Apps differ in what they make of a form, and some of that is no disagreement
about the task.  All that is let pass is here:

=over

=item * A name that is repeated is an array for the endpoint.  An app that reads
the first or the last of its values agrees.

=item * An index is a member for the endpoint.  An app may have an array of the
members in the order of their indexes.

=item * A name without "=" is "" for the endpoint, and may be null for an app.
Rails leaves it out of an array, Starlette leaves it out if it is the last one of
a body.

=item * An empty pair is one without a name for Plack.

=item * A file input without a file is [] for the endpoint; an app may have
nothing, an empty string, or a file without a name and bytes.

=item * An empty object or array is an empty field of a form.

=item * A file's name is compared without folders, its type in lower case and
without parameters.

=item * Numbers are compared as floating-point numbers; one that is too large for
the app's language may be a string of its digits.

=item * Rails drops null from JSON's arrays, and puts the members of a JSON body
that has no member of the controller's name into one (wrap_parameters): with the
pointer "", beside the task; with that name as the pointer, instead of the task
that the endpoint was told is not there.  "utf8", "_method", and
"authenticity_token" are not put into it.

=item * formidable, and Koa's koa-body with it, takes a value whose part has a
Content-Type for a file without a name.

=item * qs, as Koa and others use it, reads five brackets of a name.

=item * Koa reads "a.b" of a urlencoded body as "a[b]".  With the pointer "", where
nothing else is named "a", the endpoint is told "a.b".

=item * Half of a surrogate pair in JSON may be U+FFFD.

=item * busboy cuts a name after 100 bytes, unless its options say otherwise, as
they do here.

=item * Tornado's names of urlencoded fields, and with their default options
busboy's and multer's of parts, are bytes of UTF-8 read as ISO-8859-1.

=item * An app that reads query and body as one may have the same value twice.

=item * An app that binds JSON to a struct ("bound") has names in the struct's
case; the endpoint has the client's.

=item * PHP has "_" for dots and spaces in the names of a form's fields.

=item * An app that has refused the request, or read nothing of its body, does
nothing.

=back

=cut

use v5.36;
no warnings qw(recursion);

use Encode ();


# JSON with the types of its values: a string is "s..." and a number "n...",
# true, false and null are "t", "f" and "z".  A member that is there twice is
# { '$twice' }, which nothing agrees with.

sub parse ($text) {
    pos($text) = 0;
    my $value = _value(\$text);
    $text =~ /\G\s*\z/gc or die "no JSON: $text\n";
    return $value;
}

my %LITERAL = (true => 't', false => 'f', null => 'z');
my %ESCAPE = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t");

sub _value ($text) {
    $$text =~ /\G\s*/gc;

    return 's' . _unescape($1)
        if $$text =~ /\G"([^"\\]*(?:\\.[^"\\]*)*)"/gcs;
    return "n$1" if $$text =~ /\G(-?[0-9][-+.0-9eE]*)/gc;
    return $LITERAL{$1} if $$text =~ /\G(true|false|null)/gc;

    if ($$text =~ /\G\[\s*/gc) {
        my @values;
        while ($$text !~ /\G\s*\]/gc) {
            $$text =~ /\G\s*,/gc or die "no JSON\n" if @values;
            push @values, _value($text);
        }
        return \@values;
    }

    $$text =~ /\G\{/gc or die 'no JSON: ' . substr($$text, pos $$text) . "\n";
    my %members;
    while ($$text !~ /\G\s*\}/gc) {
        $$text =~ /\G\s*,/gc or die "no JSON\n" if %members;
        my $name = substr _value($text), 1;
        $$text =~ /\G\s*:/gc or die "no JSON\n";
        my $value = _value($text);
        $members{$name} = exists $members{$name}
            ? { '$twice' => [ $members{$name}, $value ] } : $value;
    }
    return "n" . substr $members{'$number'}, 1 if exists $members{'$number'};
    return \%members;
}

sub _unescape ($string) {
    utf8::decode($string);
    return $string if $string !~ /\\/;
    $string =~ s/\\u(d[89ab]..)\\u(d[c-f]..)
                /chr 0x10000 + ((hex($1) & 0x3ff) << 10) + (hex($2) & 0x3ff)
                /giex;
    $string =~ s/\\u(....)|\\(.)
                /defined $1 ? chr hex $1 : $ESCAPE{$2} \/\/ $2/gsex;
    return $string;
}

# A line of a parser: for each of its parsers, what it has read of each source.

sub views ($line) {
    no warnings 'utf8';
    my $parsers = parse($line);
    my %reading;

    for my $name (keys %$parsers) {
        my %source;
        my $views = $parsers->{$name};
        for my $view (ref $views ? @$views : ()) {
            my ($source, $kind, $value) = @$view;
            $value = _nest($value) if $kind eq 'spairs';
            $source{ substr $source, 1 }
                = _merge($source{ substr $source, 1 }, $value);
        }
        $reading{$name} = ref $views && \%source;
    }

    return \%reading;
}

# Pairs of name and value as the tree which their names say.  A name that says
# none is a name of the top level.

sub _nest ($pairs) {
    my (%values, @names);
    for my $pair (@$pairs) {
        my $name = substr $pair->[0], 1;
        push @names, $name if !$values{$name};
        push @{ $values{$name} }, $pair->[1];
    }

    my $tree = {};
    for my $name (@names) {
        my @values = @{ $values{$name} };
        my @path = _path($name);
        my $value = @values > 1 ? \@values : $values[0];

        if (@path > 1 && $path[-1] eq '') {
            pop @path;
            $value = \@values;
        }
        $value = $_ eq '' ? [ $value ] : { $_ => $value }
            for reverse @path[1 .. $#path];
        $tree = _merge($tree, { $path[0] => $value });
    }
    return $tree;
}

sub _path ($name) {
    my ($first, $rest) = $name =~ /^([^\[\]]+)((?:\[[^\[\]]*\])+)\z/
        or return $name;
    return ($first, $rest =~ /\[([^\[\]]*)\]/g);
}

# Two views of one source, or values of one name: { '$both' } agrees with
# nothing.

sub _members ($array) {
    return { map { $_ => $array->[$_] }
             grep { ref $array->[$_] || $array->[$_] ne 'z' } keys @$array };
}

sub _merge ($one, $other) {
    return $other if !defined $one;
    return [ map { _merge($one->[$_], $other->[$_]) }
             0 .. ($#$one > $#$other ? $#$one : $#$other) ]
        if ref $one eq 'ARRAY' && ref $other eq 'ARRAY';
    return $one if !defined $other;

    # an array, and files by their names or indexes, or the other way round
    ($one, $other) = map { ref eq 'ARRAY' ? _members($_) : $_ } $one, $other
        if (grep { ref eq 'ARRAY' } $one, $other) == 1
            && (grep { ref eq 'HASH' && !$_->{'$file'} } $one, $other) == 1;

    # of a value and an object, the object goes on
    return { '$both' => [ map { ref eq 'HASH' ? _merge($_, $other) : $_ }
                          @{ $one->{'$both'} } ] }
        if ref $one eq 'HASH' && $one->{'$both'} && ref $other eq 'HASH'
            && (grep { ref eq 'HASH' && !$_->{'$file'} } @{ $one->{'$both'} }) == 1
            && !$other->{'$file'} && !$other->{'$both'};

    return { '$both' => [ $one, $other ] }
        if ref $one ne 'HASH' || ref $other ne 'HASH'
            || $one->{'$file'} || $other->{'$file'};

    my %all = %$one;
    $all{$_} = _merge($all{$_}, $other->{$_}) for keys %$other;
    return \%all;
}


our $typed;                 # a value with a type is a file for this parser

# compare(told => ..., pointer => [...], parser => its name,
#         reading => views()'s value for it, type => the Content-Type,
#         raw => the request's bytes)
# What is wrong, in words; nothing if the app does what the endpoint was told.

sub compare (%it) {
    local $typed = $it{parser} =~ /^(?:formidable|koa-body)\z/;
    $it{json} = $it{type} =~ /json/i;
    $it{bare} = $it{parser} eq 'rails' && _has_bare($it{raw});
    my ($told, $reading) = (_told_for(\%it), $it{reading});
    my $indexes = %$told && !grep { !/^\d+\z/ } keys %$told;
    my %task = map { $_ => task($reading->{$_}, $it{pointer}, $indexes) }
        keys %$reading;
    my $alone = $it{json} && !@{ $it{pointer} };    # the query is
    my (@wrong, %seen);

    $told = { map { fc, $told->{$_} } keys %$told } if $task{bound};

    for my $source (sort keys %task) {
        next if $alone && $source eq 'query';
        my $task = $task{$source} // next;
        my $its = $source eq 'query' && $it{parser} =~ /^(?:koa|starlette)/
            ? $it{told} : $told;
        if (ref $task eq 'ARRAY') {
            @seen{ keys %$told } = ();
            push @wrong, "$source has " . show($task)
                if !_index_agrees($its, $task);
            next;
        }

        $task = { map { fc, $task->{$_} } keys %$task } if $source eq 'bound';
        delete @$task{qw(task tasks a)}         # what holds tasks elsewhere
            if $source eq 'bound' && !@{ $it{pointer} };
        delete $task->{''} if $it{parser} eq 'plack' && !@{ $it{pointer} }
            && agree('s', $task->{''});

        for my $field (sort keys %$task) {
            @seen{ $field, $field =~ s/(?<=.)\..*//sr } = ();
            next if $alone && $source eq 'merged' && !exists $its->{$field}
                && exists $reading->{query}{$field};
            next if $source eq 'merged' && _same($its->{$field},
                                                 $task->{$field});
            push @wrong, "$source has $field=" . show($task->{$field})
                . ' instead of ' . show($its->{$field})
                if !agree($its->{$field}, $task->{$field})
                && !($it{bare} && _agree_bare($its->{$field},
                                              $task->{$field}));
        }
    }

    # an app that can't read such a body at all does nothing

    my $body = $reading->{body} // $reading->{merged} // $reading->{json};
    return @wrong if ref $body ne 'HASH' || !%$body
        || $reading->{json} && !$task{json};

    push @wrong, map { "$_=" . show($told->{$_}) . ' is missing' }
        grep { !exists $seen{$_} && !agree($told->{$_}, undef) } sort keys %$told;
    return @wrong;
}

# What the endpoint was told, in the words of a parser: PHP's names of a form's
# fields have "_" for a dot and a space; Rails has its own ways with JSON.

sub _told_for ($it) {
    my $told = $it->{told};
    my $urlencoded = $it->{type} =~ /urlencoded/i;

    return { map { tr/. /__/r => $told->{$_} } sort keys %$told }
        if $it->{parser} eq 'php' && !$it->{json} && !@{ $it->{pointer} };
    return { map { $_ => _deep($told->{$_}, 5 - @{ $it->{pointer} }) }
             keys %$told } if $it->{parser} eq 'qs' && !$it->{json};
    return _for_koa($told, $it->{pointer})
        if $it->{parser} =~ /^koa/ && $urlencoded;
    return _without_last($told, $it)
        if $it->{parser} eq 'starlette' && $urlencoded;
    return $told if $it->{parser} ne 'rails' || !$it->{json};

    $told = _without($told, 'z');
    my $merged = $it->{reading}{merged};
    return { task => _wrapped($told), %$told } if !@{ $it->{pointer} }
        && !exists $told->{task} && ref $merged eq 'HASH' && $merged->{task};
    return $told if %$told || "@{ $it->{pointer} }" ne 'task';
    return _wrapped({ map { $_ => $merged->{$_} }
                      grep { $_ ne 'task' && !exists $it->{reading}{query}{$_} }
                      keys %$merged });
}

sub _wrapped ($members) {
    my %all = %$members;
    delete @all{qw(utf8 _method authenticity_token)};
    return \%all;
}

# whether a pair of the query or a urlencoded body has no "="

sub _has_bare ($raw) {
    my ($query, $body) = $raw =~ /\A\S+ [^? ]*(\S*).*?\r\n\r\n(.*)/s;
    return grep { length && !/=/ } map { split /&/ } $query =~ s/^\?//r, $body;
}

# without the last pair of the body, if that has no "="

sub _without_last ($told, $it) {
    my ($name) = $it->{raw} =~ /(?:&|\r\n\r\n)([^=&\r\n]+)&*\z/ or return $told;
    $name =~ tr/+/ /;
    $name =~ s/%(..)/chr hex $1/ge;
    utf8::decode($name);

    my @path = _path($name);
    for my $token (@{ $it->{pointer} }) {
        return $told if shift(@path) ne $token;
    }
    return _without_path($told, @path);
}

# arrays without some of their empty strings

sub _agree_bare ($told, $read) {
    return agree($told, $read) if !ref $told || ref $told ne ref $read;
    return !grep { !_agree_bare($told->{$_}, $read->{$_}) }
        keys %{ { %$told, %$read } } if ref $told eq 'HASH';

    my @read = @$read;
    for my $element (@$told) {
        next if @read && agree($element, $read[0]) && shift @read;
        return 0 if $element ne 's';
    }
    return !@read;
}

sub _without_path ($value, @path) {
    return ref $value eq 'ARRAY' ? [ @$value[0 .. $#$value - 1] ] : undef
        if !@path || $path[0] eq '';
    return $value if ref $value ne 'HASH';

    my %all = %$value;
    my $name = shift @path;
    $all{$name} = _without_path($all{$name}, @path);
    delete $all{$name} if !defined $all{$name}
        || ref $all{$name} && !(ref $all{$name} eq 'HASH' ? %{ $all{$name} }
                                : @{ $all{$name} });
    return \%all;
}

# Koa reads "a.b" as "a[b]".  The module refuses that where it matters for
# the task.

sub _for_koa ($told, $pointer) {
    my $all = {};
    for my $name (sort keys %$told) {
        my @path = _path($name =~ s/\.([^.\[]+)/[$1]/gr);
        @path = $name if @$pointer;
        my $value = _deep($told->{$name}, 6 - @path - @$pointer);
        $value = { $_ => $value } for reverse @path[1 .. $#path];
        $all = _merge($all, { $path[0] => $value });
    }
    return $all;
}

# "*" agrees with all: what has more brackets than qs reads

sub _deep ($value, $left) {
    return $value if ref $value ne 'HASH';
    return '*' if !$left;
    return { map { $_ => _deep($value->{$_}, $left - 1) } keys %$value };
}

# without the elements of arrays that are this one

sub _without ($value, $element) {
    return [ map { _without($_, $element) } grep { $_ ne $element } @$value ]
        if ref $value eq 'ARRAY';
    return $value if ref $value ne 'HASH';
    return { map { $_ => _without($value->{$_}, $element) } keys %$value };
}

# The task of a view, undef if there is none.  A form's may be an array, if all
# of the task's fields are indexes.

sub task ($view, $pointer, $indexes = 0) {
    for my $name (@$pointer) {
        ($view) = grep { ref eq 'HASH' } @{ $view->{'$both'} }
            if ref $view eq 'HASH' && $view->{'$both'};
        $view = ref $view eq 'HASH' ? $view->{$name}
            : ref $view eq 'ARRAY' && $name =~ /^\d+\z/ ? $view->[$name]
            : undef;
    }
    ($view) = grep { ref eq 'HASH' } @{ $view->{'$both'} }
        if ref $view eq 'HASH' && $view->{'$both'};
    return ref $view eq 'HASH' && !$view->{'$file'}
        || ref $view eq 'ARRAY' && ($indexes || grep { ref } @$view) ? $view
        : undef;
}

sub agree ($told, $read) {
    return _absent($told) if !defined $read;
    return 0 if !defined $told;
    return 1 if $told eq '*';
    return 1 if $typed && ref $told ne 'HASH' && ref $read
        && _are_values(ref $told ? $told : [ $told ], $read);
    return _files_agree($told, [ $read ]) if ref $read eq 'HASH'
        && $read->{'$file'};

    if (ref $told eq 'HASH') {
        return _members_agree($told, $read) if ref $read eq 'HASH';
        return %$told && _index_agrees($told, $read) || !%$told && !@$read
            if ref $read eq 'ARRAY';
        return !%$told && $read =~ /^(?:s|z)\z/;
    }

    if (ref $told eq 'ARRAY') {
        return _elements_agree($told, $read) if ref $read eq 'ARRAY';
        return !@$told && (ref $read ? !%$read : $read =~ /^(?:s|z)\z/)
            if !@$told || ref $read;
        return agree($told->[0], $read) || agree($told->[-1], $read);
    }

    return 0 if ref $read;
    $told =~ s/[\x{d800}-\x{dfff}]/\x{fffd}/g;
    $read =~ s/[\x{d800}-\x{dfff}]/\x{fffd}/g;
    return $told eq $read || $told eq 's' && $read eq 'z'
        || $told =~ /^n/ && $read =~ /^n/
            && _double($told) == _double($read)
        || $told =~ /^n(.*)/ && $read eq "s$1";
}

# Perl itself would compare whole numbers as such

sub _double ($number) { return unpack 'd', pack 'd', substr $number, 1 }

# Values of which some have been read as files, or as files and values.

sub _are_values ($told, $read) {
    return !grep { !_are_values($told, $_) } @$read if ref $read eq 'ARRAY';
    return _are_values($told, $read->{'$both'})
        if ref $read && $read->{'$both'};
    return grep { agree($_, $read) } @$told if !ref $read;
    return 0 if !$read->{'$file'};

    my ($name, $type, $size) = @{ $read->{'$file'} };
    return $name eq 's' && $type ne 's' && grep { !ref && $size eq 'n'
        . length Encode::encode('UTF-8', substr $_, 1) } @$told;
}

# what may be missing: [] is a file input without a file

sub _absent ($told) {
    return ref $told eq 'HASH' ? %$told && !grep { !_absent($_) } values %$told
        : ref $told eq 'ARRAY' && !@$told;
}

# a name of the query and of the body with the same value

sub _same ($told, $read) {
    return !grep { !_same($told->{$_}, $read->{$_}) } keys %{ { %$told, %$read } }
        if ref $told eq 'HASH' && ref $read eq 'HASH';
    return @$read == 2 * @$told && !grep { !agree($told->[$_ % @$told],
                                                  $read->[$_]) } keys @$read
        if ref $told eq 'ARRAY' && ref $read eq 'ARRAY' && @$told;
    return defined $told && !ref $told && defined $read
        && !grep { !agree($told, $_) } ref $read eq 'ARRAY' ? @$read : $read;
}

sub _members_agree ($told, $read) {
    return 0 if grep { !exists $told->{$_} } keys %$read;
    return !grep { !agree($told->{$_}, $read->{$_}) } keys %$told;
}

sub _index_agrees ($told, $read) {
    return 0 if grep { !/^\d+\z/ } keys %$told;
    my @members = @{$told}{ sort { $a <=> $b } keys %$told };
    my @read = grep { $_ ne 'z' } @$read;
    return @members == @read
        && !grep { !agree($members[$_], $read[$_]) } keys @read;
}

sub _elements_agree ($told, $read) {
    return 1 if !@$told && !grep { !agree($told, $_) } @$read;
    return 1 if _files_agree($told, $read);
    return @$told == @$read
        && !grep { !agree($told->[$_], $read->[$_]) } keys @$told;
}

sub _files_agree ($told, $read) {
    return 0 if grep { ref $_ ne 'HASH' || !$_->{'$file'} } @$read;
    my @read = map { _file(@{ $_->{'$file'} }) } @$read;
    return !grep { $_ !~ /^\|.*\|0\z/ } @read
        if ref $told eq 'ARRAY' && !@$told;
    return 0 if ref $told ne 'ARRAY'
        || grep { ref $_ ne 'HASH' || !exists $_->{filename} } @$told;

    my @told = map { _file($_->{filename}, $_->{contentType} // 's',
                           $_->{size}) } @$told;
    return "@told" eq "@read"
        || @read == 1 && ($told[0] eq $read[0] || $told[-1] eq $read[0]);
}

sub _file ($name, $type, $size, @) {
    return join '|', substr($name, 1) =~ s{^.*[/\\]}{}sr,
        lc(substr $type, 1) =~ s/\s*;.*//sr, substr $size, 1;
}

# whether a value could decide as this one does

sub is_or_has ($read, $value) {
    return ref $read eq 'ARRAY' ? grep { is_or_has($_, $value) } @$read
        : defined $read && !ref $read && $read eq "s$value";
}

sub show ($value) {
    return 'nothing' if !defined $value;
    return '[' . join(',', map { show($_) } @$value) . ']'
        if ref $value eq 'ARRAY';
    return '{' . join(',', map { "$_:" . show($value->{$_}) }
                           sort keys %$value) . '}' if ref $value;

    my $text = $value =~ /^s(.*)/s ? qq("$1") : $value =~ s/^n//r;
    $text =~ s/([^\x20-\x7e])/sprintf '\\x{%x}', ord $1/ge;
    return length $text > 200 ? substr($text, 0, 200) . '...' : $text;
}

1;
