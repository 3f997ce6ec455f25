package Test::Flowdash::Generator;

=head1 NAME

Test::Flowdash::Generator - requests like those of clients, and slightly other

=head1 SYNOPSIS

    my $generator = Test::Flowdash::Generator->new($seed);
    my $request = $generator->request([ 'task' ]);
    # { method, query, type, body, kind }

=head1 DESCRIPTION

A request begins as one that a real client sends: fields of a task and others,
as a urlencoded body, multipart, query or JSON.  Then some of these are changed:
the list of fields, the spelling of a name, headers of a part, bytes at places
where a parser looks at them.  The generator knows how requests are made up, not
which of them are read differently by whom.

The numbers are Perl's rand(), which is the same everywhere.

=cut

use v5.36;

my @FIELDS = (qw(Stage Approved approved_by Tag Status Kind_of_Task due-date),
              'Contract Value', "Gr\xc3\xb6\xc3\x9fe");
my @VALUES = ('Completed', 'Open', 'boss', 'attacker', '5', '10000.00', '',
              'a b', 'a+b%41', "\xc3\xa9\xe2\x82\xac", 'x;y', 'a=b&c', 'true',
              '{"a":1}', '[1]', "line\r\nline", '"quoted"', '<b>');
my @OTHERS = ([ 'utf8', "\xe2\x9c\x93" ], [ 'authenticity_token', 'kq3/Xb+7==' ],
              [ 'commit', 'Save' ], [ 'next', '/tasks' ], [ 'Stage', 'Open' ],
              [ 'id', '7' ], [ 'tasks', 'x' ]);

# what a parser may look for

my @STRUCTURE = ('[', ']', '=', '&', '.', ';', ':', '"', "'", '\\', '/', ',',
                 '%', '+', ' ', "\t", "\r", "\n", "\r\n", "\0", '_', '-', '?',
                 '#', '{', '}', '(', ')', '@', '*', "\xef\xbb\xbf", "\xc2\xa0",
                 "\xe2\x80\xa8", "\xc5\xbf", "\xe2\x84\xaa", '%00', '%0A',
                 '%5B', '%5D', '%2E', '%20', '%3D', '%26', '%25', '[]', '[0]',
                 '[a]', '][', '--', '=?UTF-8?B?dGFzaw==?=', '=?utf-8?q?task?=',
                 "''", '%EF%BB%BF', '%C5%BF', '%E2%80%A8', '%', '%u005B');
my @MEANINGFUL = qw(__proto__ constructor prototype toString hasOwnProperty
                    length _method _charset_ __class__ $set $where 0 1);

sub new ($class, $seed) {
    srand $seed;
    return bless { seed => $seed }, $class;
}

sub pick (@list) { return $list[rand @list] }
sub chance ($percent) { return rand(100) < $percent }


# request([ names of the pointer ])

sub request ($self, $pointer) {
    my $kind = pick(('urlencoded') x 8, ('multipart') x 9, ('json') x 7,
                    ('query') x 3);
    my %r = (kind => $kind, method => pick(qw(POST POST POST PUT PATCH)),
             query => '');
    my $mutations = pick(0, 0, 1, 1, 1, 1, 2, 2, 3);

    if ($kind eq 'json') {
        _json_request(\%r, $pointer, $mutations);
    } else {
        _form_request(\%r, $pointer, $mutations);
    }

    return \%r;
}

sub _form_request ($r, $pointer, $mutations) {
    my @fields = _fields($pointer, $r->{kind});
    my @query = chance(85) ? () : _fields_of_query($pointer, \@fields);
    my $bytes = 0;

    for (1 .. $mutations) {
        if (chance(55)) {
            _change_fields($pointer, \@fields);
        } else {
            $bytes++;
        }
    }

    if ($r->{kind} eq 'multipart') {
        _multipart($r, \@fields, $bytes);
    } elsif ($r->{kind} eq 'urlencoded') {
        $r->{type} = 'application/x-www-form-urlencoded';
        $r->{body} = _change_bytes(_urlencoded(@fields), $bytes);
        _change_type($r) if chance(8);
    } else {
        push @query, @fields;
        ($r->{body}, $r->{type}) = ('', pick(
            undef, undef, 'application/x-www-form-urlencoded'));
    }

    return if !@query;
    $r->{query} = '?' . _urlencoded(@query);
    $r->{query} = _change_bytes($r->{query}, $bytes || chance(20))
        if $r->{kind} eq 'query' || chance(30);
    $r->{query} =~ tr/\x00-\x20\x7f//d;         # nginx refuses these itself
    $r->{query} =~ s/#.*//s;
}


# Fields: { path => [ 'task', 'Stage' ], value, file => 1 }; a path's last
# element is '' for a name that ends in [].

sub _fields ($pointer, $kind) {
    my @fields;

    for my $name (_some(\@FIELDS, 1 + rand 4)) {
        push @fields, { path => [ @$pointer, $name ], value => pick(@VALUES) };
    }

    push @fields, _repeated($pointer) if chance(15);
    push @fields, _indexed($pointer) if chance(12);
    push @fields, _file([ @$pointer, pick(qw(Offer Plan)) ])
        if $kind eq 'multipart' && chance(35);

    my @others = map { { path => [ $_->[0] ], value => $_->[1] } }
        _some(\@OTHERS, rand 3);
    return chance(50) ? (@others, @fields) : (@fields, @others);
}

sub _some ($list, $count) {
    my @left = @$list;
    return map { splice @left, rand @left, 1 } 1 .. $count;
}

sub _repeated ($pointer) {
    my $name = pick(qw(Tag Watchers Labels));
    my @path = (@$pointer, $name, chance(60) ? '' : ());
    return map { { path => \@path, value => pick(@VALUES) } } 1 .. pick(1 .. 3);
}

sub _indexed ($pointer) {
    my @path = (@$pointer, pick(qw(Lines Price)));
    my @names = pick([ 0 ], [ 0, 1 ], [ 0, 1, 2 ], [ 'net' ], [ 7 ], [ 1, 0 ],
                     [ 'net', 'gross' ], [ 25 ], [ 0, 'net' ]);
    my @rest = chance(40) ? pick('sum', 'x', '') : ();
    return map { { path => [ @path, $_, @rest ], value => pick(@VALUES) } }
        @{ $names[0] };
}

sub _file ($path) {
    return { path => $path, file => 1, value => pick('PDF', '', "\0\xff"),
             filename => pick('offer.pdf', 'a b.txt', "\xc3\xa9.txt", 'x',
                              'a;b.txt', "o'neil.pdf", ''),
             type => pick('application/pdf', 'text/plain',
                          'application/octet-stream',
                          'text/plain; charset=utf-8') };
}

sub _fields_of_query ($pointer, $fields) {
    my @query = chance(60)
        ? { path => [ pick(qw(next id controller format)) ], value => 'x' } : ();
    push @query, { %{ pick(@$fields) }, file => 0, chance(50) ? ()
                   : (value => pick(@VALUES)) } if chance(40);
    push @query, _fields($pointer, 'query') if chance(20);
    return @query;
}

sub _change_fields ($pointer, $fields) {
    my $at = int rand @$fields;
    my $field = $fields->[$at];
    my $copy = { %$field, path => [ @{ $field->{path} } ],
                 value => pick(@VALUES) };

    pick(
        sub { push @$fields, $copy },
        sub { _spell($copy); push @$fields, $copy },
        sub { _spell($copy); unshift @$fields, $copy },
        sub { _spell($copy); push @$fields, $copy },
        sub { _spell($field) },
        sub { _spell($field) },
        sub { push @{ $copy->{path} }, pick('', 0, 'x'); push @$fields, $copy },
        sub { $fields->[$at]{path}[-1] = pick(@MEANINGFUL) },
        sub { splice @{ $field->{path} }, rand @{ $field->{path} }, 0,
                  pick(@MEANINGFUL, '', 'x') },
        sub { splice @{ $field->{path} }, rand @{ $field->{path} }, 1
                  if @{ $field->{path} } > 1 },
        sub { push @{ $field->{path} }, map { pick(qw(a b 0)) }
                  1 .. pick(1 .. 6, 28 .. 34) if chance(50) },
        sub { @$fields = reverse @$fields },
        sub { $field->{path}[-1] = 'n' x pick(50, 90 .. 105, 200, 300)
                  if chance(40) },
        sub { _fill($fields) if chance(12) },
        sub { $field->{value} = pick(map { "$_$field->{value}" } @STRUCTURE) },
        sub { $field->{value} .= pick(@STRUCTURE) },
        sub { $field->{file} ? $field->{filename} .= pick(@STRUCTURE)
                  : ($field->{raw} = 1) },
    )->();
}

# as many fields as apps stop at

sub _fill ($fields) {
    my @more = map { { path => [ "more$_" ], value => '1' } }
        1 .. pick(100, 127 .. 129, 990 .. 1005, 1020);
    push @$fields, splice @more, rand @more, @more;
    chance(50) ? push @$fields, @more : unshift @$fields, @more;
}

# another spelling of a name; "spelling" is used as it is

sub _spell ($field) {
    my $path = $field->{path};
    my $at = int rand @$path;
    my $letter = int rand(length $path->[$at] || 1);

    pick(
        sub { $path->[$at] = lc $path->[$at] },
        sub { $path->[$at] = uc $path->[$at] },
        sub { $path->[$at] =~ s/^(.{$letter})(.)/$1 . ($2 ^. ' ')/es },
        sub { $path->[$at] =~ s/s/\xc5\xbf/i },
        sub { $path->[$at] =~ s/k/\xe2\x84\xaa/i },
        sub { $path->[$at] =~ s/[_ .-]/pick('.', '_', ' ', '-', '[')/e },
        sub { $path->[$at] = pick(' ', '.', '_', "\t", "\0", "\xef\xbb\xbf", '?',
                                  @STRUCTURE) . $path->[$at] },
        sub { $path->[$at] .= pick(' ', '.', '_', "\t", "\0", @STRUCTURE) },
        sub { substr($path->[$at], $letter, 0) = pick(@STRUCTURE)
                  if length $path->[$at] > $letter },
        sub { $field->{spelling} = join '.', @$path },
        sub { $field->{spelling} = join '', map { "[$_]" } @$path },
        sub { $field->{spelling} = join('[', @$path) . ']' },
        sub { $field->{spelling} = _name($path) =~ s/\]\[/].[/r },
        sub { $field->{spelling} = _name($path) . pick(']', '[', 'x', '.x') },
        sub { $field->{spelling} = join pick('.', '[', ']', '%5B', '__', '/',
                                             '->', ' '), @$path },
        sub { $field->{double} = 1 },
    )->();
}

sub _name ($path) {
    my ($first, @rest) = @$path;
    return join '', $first, map { "[$_]" } @rest;
}


# As browsers, jQuery, curl and others escape.

sub _urlencoded (@fields) {
    my $safe = pick('A-Za-z0-9_.~-', 'A-Za-z0-9_.*-', "A-Za-z0-9_.!~*'()-",
                    'A-Za-z0-9_.\[\]~-', 'A-Za-z0-9_.\[\]/:,~-');
    my $plus = chance(50);
    my $lower = chance(10);

    my @pairs;
    for my $field (@fields) {
        my @both = ($field->{spelling} // _name($field->{path}),
                    $field->{value});
        for my $part (keys @both) {
            next if $part && $field->{raw};
            for my $level (1 .. 1 + ($field->{double} && !$part ? 1 : 0)) {
                $both[$part] =~ s/([^$safe])/sprintf $lower ? '%%%02x'
                    : '%%%02X', ord $1/ge;
            }
            $both[$part] =~ s/%20/+/g if $plus;
        }
        push @pairs, $both[1] eq '' && chance(30) ? $both[0] : join '=', @both;
    }

    return join '&', @pairs;
}

# A byte or a piece of structure, before, after or instead of something that a
# parser looks at, or anywhere.

sub _change_bytes ($text, $count, $places = qr/[\[\]=&.;:"\\%+\r\n{},]|^|$/) {
    for (1 .. $count) {
        my @places;
        push @places, pos($text) while $text =~ /$places/g;
        my $at = chance(75) && @places ? pick(@places) : int rand length $text;
        $at -= chance(50) if $at;

        my $new = pick(sub { chr int rand 256 },
                       sub { sprintf '%%%02X', int rand 256 },
                       sub { pick(@STRUCTURE) },
                       sub { substr $text, rand length $text, rand 9 })->();
        substr($text, $at, pick(0, 0, 0, 1, 1, 2)) = $new
            if $at <= length $text;
        substr($text, rand length $text, 1) = '' if chance(10);
    }
    return $text;
}


# Multipart: { headers => [ [ name, value ] ], body }

sub _multipart ($r, $fields, $changes) {
    my $boundary = pick('----WebKitFormBoundary7MA4YWxkTrZu0gW', 'BB',
                        '---------------------------9051914041544843365972754',
                        '1f4e9c0b3d2a4f6e8b7a5c9d0e1f2a3b');
    my @parts = map { _part($_) } @$fields;
    my ($open, $close, $before, $after) = ("--$boundary\r\n", "--$boundary--",
                                           '', "\r\n");
    my $bytes = 0;

    $r->{type} = "multipart/form-data; boundary=$boundary";
    $r->{type} = qq(multipart/form-data; boundary="$boundary") if chance(10);

    for (1 .. $changes) {
        pick(sub { _change_part(pick(@parts)) },
             sub { _change_part(pick(@parts)) },
             sub { _change_part(pick(@parts)) },
             sub { $bytes++ },
             sub { _change_type($r) },
             sub { $after = pick('', "\r\n\r\n", "\n", 'x', "\r\nepilogue") },
             sub { $before = pick("\r\n", 'preamble', "preamble\r\n", "\n") },
             sub { $close = pick("--$boundary", "--$boundary-",
                                 "--$boundary-- ", "--$boundary--\t") },
             sub { _nest($boundary, pick(@parts)) },
        )->();
    }

    my $body = join '', $before, map({ $open . join('', map {
        "$_->[0]$_->[1]\r\n" } @{ $_->{headers} }) . "\r\n$_->{body}\r\n" }
        @parts), $close, $after;
    $r->{body} = _change_bytes($body, $bytes,
                               qr/[\[\]=;:"\\\r\n]|--|filename|name/);
}

sub _part ($field) {
    my $name = $field->{spelling} // _name($field->{path});
    $name =~ s/"/%22/g;
    $name =~ s/\r\n?|\n/%0D%0A/g;
    my $disposition = qq(form-data; name="$name");
    my @headers;

    if ($field->{file}) {
        my $file = $field->{filename} =~ s/"/%22/gr;
        $disposition .= qq(; filename="$file");
        push @headers, [ 'Content-Type: ', $field->{type} ] if chance(95);
    }

    unshift @headers, [ 'Content-Disposition: ', $disposition ];
    push @headers, [ 'Content-Type: ', pick('text/plain',
                     'text/plain; charset=UTF-8', 'application/json') ]
        if !$field->{file} && chance(8);
    push @headers, [ 'Content-Length: ', length $field->{value} ] if chance(4);
    push @headers, [ 'Content-Transfer-Encoding: ', pick(qw(8bit binary 7bit)) ]
        if chance(4);
    @headers = reverse @headers if chance(5);
    return { headers => \@headers, body => $field->{value} };
}

sub _change_part ($part) {
    my $header = pick(@{ $part->{headers} });
    my ($disposition) = grep { $_->[0] =~ /disposition/i }
        @{ $part->{headers} };

    pick(
        sub { $header->[0] = uc $header->[0] },
        sub { $header->[0] = lc $header->[0] },
        sub { $header->[0] =~ s/: /pick(':', ':  ', " : ", ":\t", ":\r\n ")/e },
        sub { $header->[1] .= pick(@STRUCTURE) },
        sub { push @{ $part->{headers} }, [ "$header->[0]",
                  _change_bytes($header->[1], 1) ] },
        sub { push @{ $part->{headers} }, _header() },
        sub { unshift @{ $part->{headers} }, _header() },
        sub { $header->[1] = _change_bytes($header->[1], 1,
                  qr/[;="' \t\\%]|name|filename|form-data|^|$/) },
        (sub { _change_disposition($disposition // $header) }) x 4,
    )->();
}

sub _header () {
    my ($name, $value) = @{ pick(
        [ 'Content-Type', pick('text/plain', 'text/plain; charset=iso-8859-1',
                               'multipart/mixed; boundary=CC', 'text/html',
                               'application/json', 'message/rfc822', '') ],
        [ 'Content-Transfer-Encoding', pick(qw(base64 quoted-printable 7bit
                                               8bit binary x)) ],
        [ 'Content-Length', pick(0, 1, 3, 100, '', 'x') ],
        [ 'Content-Disposition', pick('form-data; name="task[Stage]"',
                                      'attachment; filename="x"', 'form-data') ],
        [ 'Content-Encoding', 'gzip' ], [ 'Content-ID', '<1>' ],
        [ 'X-Header', 'x' ], [ 'Content-Language', 'en' ],
        [ 'Content-Description', 'x' ], [ 'Name', 'task[Stage]' ]) };
    return [ "$name: ", $value ];
}

sub _change_disposition ($header) {
    my ($name) = $header->[1] =~ /\bname="([^"]*)"/;
    $name //= 'task[Stage]';
    my $file = pick('a', 'a.txt', '', 'task[Stage]', "\xc3\xa9", '../a',
                    'C:\\a.txt', 'a%22b', 'a\\"b');

    my $change = pick(
        [ qr/; name/, pick(';name', ' ;name', ";\tname", ';  name', ' name',
                           ', name', ';;name', "; \r\n name") ],
        [ qr/; name/, pick('; Name', '; NAME', '; name*', '; name*0', '; xname',
                           '; name ') ],
        [ qr/name="[^"]*"/, pick("name=$name", "name='$name'", "name=\"$name",
                                 "name=\"$name\"x", "name= \"$name\"",
                                 "name =\"$name\"", "name*=UTF-8''$name",
                                 "name=\"$name\"; name=\"x\"",
                                 "name=\"x\"; name=\"$name\"",
                                 "name=\"" . ($name =~ s/(\W)/\\$1/gr) . '"',
                                 'name="' . ($name =~ s/\[/%5B/gr) . '"') ],
        [ qr/form-data/, pick('Form-Data', 'FORM-DATA', 'attachment', 'file',
                              'form-data ', ' form-data', 'inline', '',
                              '"form-data"') ],
        [ qr/$/, pick('; ', ';', '; ;', '; ', '') . pick(
            qq(filename="$file"), qq(FileName="$file"), qq(filename=$file),
            qq(filename='$file'), "filename*=UTF-8''$file",
            "filename*=utf-8'en'$file", "filename*0=\"$file\"", 'filename',
            qq(filename="$file), qq(filename = "$file"), qq(x="$file"),
            qq(x="; filename=$file"), qq(size=3), qq(filename*="$file")) ],
        [ qr/; filename="[^"]*"/, '' ],
        [ qr/filename="[^"]*"/, pick(qq(filename="$file"), qq(filename=$file),
            qq(filename="x"; filename*=UTF-8''$file), "filename*=UTF-8''$file",
            qq(FILENAME="$file"), qq(filename="$file"; filename="x"),
            qq(filename="=?UTF-8?B?eA==?="), qq(filename='$file')) ]);
    $header->[1] =~ s/$change->[0]/$change->[1]/;
}

# a multipart part in a part

sub _nest ($boundary, $part) {
    my ($disposition) = grep { $_->[0] =~ /disposition/i }
        @{ $part->{headers} };
    my $inner = pick('CC', "${boundary}2");
    my $type = pick(qw(mixed form-data alternative related));
    my $field = pick('form-data; name="task[Stage]"',
                     'attachment; filename="a.txt"', 'file; filename="x"');

    push @{ $part->{headers} },
        [ 'Content-Type: ', "multipart/$type; boundary=$inner" ];
    $part->{body} = join "\r\n", "--$inner", "Content-Disposition: $field", '',
        pick(@VALUES), "--$inner--", '';
}

# the request's own Content-Type

sub _change_type ($r) {
    my $other = pick('application/json', 'text/plain', 'multipart/form-data',
                     'application/x-www-form-urlencoded', 'multipart/mixed',
                     'application/vnd.api+json', 'text/json', '');
    my ($boundary) = $r->{type} =~ /boundary="?([^";]+)/;
    $boundary //= 'BB';

    pick(
        sub { $r->{type} .= pick('; charset=', ';charset=', '; Charset=')
                  . pick(qw(utf-8 UTF-8 "utf-8" iso-8859-1 us-ascii utf-16
                            utf-7 windows-1252 utf8 x), '', "'utf-8'") },
        sub { $r->{type} = uc $r->{type} },
        sub { $r->{type} =~ s/^([^;]*)/ucfirst $1/e },
        sub { $r->{type} =~ s/; /pick(';', ' ; ', ';  ', ";\t", ', ', ';;')/e },
        sub { $r->{type} =~ s/^[^;]*/$other/ },
        sub { $r->{type} .= pick('; ', ', ', ';') . pick(
                  "boundary=CC", "boundary=\"$boundary\"", 'x=y',
                  "x=\"boundary=CC\"", 'x="boundary =CC"', "Boundary=$boundary",
                  "boundary*=UTF-8''CC", '', 'x', 'q=1') },
        sub { $r->{type} =~ s/boundary=/pick('Boundary=', 'boundary =',
                  'boundary= ', 'BOUNDARY=', 'x="; boundary=CC"; boundary=',
                  'boundary="CC"; boundary=', 'xboundary=CC; boundary=')/e },
        sub { $r->{type} = _change_bytes($r->{type}, 1, qr/[;=\/"-]|^|$/) },
    )->();
    $r->{type} =~ tr/\r\n\0//d;
    $r->{type} =~ s/^[ \t]+|[ \t]+$//g;
}


# JSON

my @SCALARS = ('"Completed"', '"Open"', '"boss"', '5', '10000.00', '1e400',
               '-0', '0.1', '123456789012345678901234567890', '1E2', 'true',
               'false', 'null', '""', '"\u00e9"', '"\ud83d\ude00"', '"a\/b"',
               "\"\xc3\xa9\"", '[]', '{}', '["a","b"]', '{"net":1}', '[null]',
               '[{"x":1},{"x":"2"}]', '"1"', '0', '[[1],[2]]');

sub _json_request ($r, $pointer, $mutations) {
    my @members = map { [ $_, pick(@SCALARS) ] } _some(\@FIELDS, 1 + rand 4);
    my @others = map { [ $_, pick(@SCALARS) ] }
        _some([ qw(utf8 commit id tasks other) ], rand 3);
    my @names = @$pointer;
    my ($bytes, $type) = (0, 0);

    for (1 .. $mutations) {
        pick((sub { _change_members(\@members, \@names, \@others) }) x 6,
             (sub { $bytes++ }) x 3, sub { $type = 1 })->();
    }

    my $space = pick('', '', ' ', "\n  ", "\t");
    my $text = _object(\@members, $space);
    my $outer = 1;
    for my $name (reverse @names) {
        my @around = $outer-- > 0 ? @others : ();
        splice @around, rand @around + 1, 0,
            $name =~ /^\d+\z/ ? [ undef, $text ] : [ $name, $text ];
        $text = $name =~ /^\d+\z/ ? "[$text]" : _object(\@around, $space);
    }

    $r->{type} = pick('application/json', 'application/json',
                      'application/json; charset=utf-8',
                      'application/vnd.api+json', 'text/json');
    _change_type($r) if $type || chance(5);
    $r->{type} = pick('application/x-www-form-urlencoded', 'text/plain',
                      'multipart/form-data; boundary=BB') if chance(3);
    $r->{body} = _change_bytes($text, $bytes, qr/[{}\[\]:,"\\]|^|$/);
    $r->{body} = pick("\xef\xbb\xbf", "\xff\xfe", ' ', "\n", 'x', '"', '//', '=',
                      'a=') . $r->{body} if chance(2);
    $r->{body} .= pick("\n", ' ', '{}', 'x', "\0", ',', "\xef\xbb\xbf", '&a=b',
                       ']', $text) if chance(3);
    $r->{query} = '?' . _urlencoded(_fields_of_query(
        $pointer, [ { path => [ @$pointer, 'Stage' ], value => 'Open' } ]))
        if chance(10);
}

sub _object ($members, $space) {
    return '{' . join(',', map { $space . _string($_->[0]) . ':'
        . ($space && ' ') . $_->[1] } @$members) . "$space}";
}

sub _string ($name) {
    return $name if $name =~ /^"/;              # spelled already
    return '"' . $name =~ s/(["\\])/\\$1/gr
        =~ s/([\x00-\x1f])/sprintf '\\u%04x', ord $1/ger . '"';
}

sub _change_members ($members, $names, $others) {
    my $member = pick(@$members);
    my $copy = [ $member->[0], pick(@SCALARS) ];

    pick(
        sub { push @$members, $copy },
        sub { _spell_member($copy); push @$members, $copy },
        sub { _spell_member($copy); unshift @$members, $copy },
        sub { _spell_member($member) },
        sub { $names->[-1] = _spell_name($names->[-1]) if @$names },
        sub { push @$others, [ _spell_name($names->[0]), _object($members, '') ]
                  if @$names },
        sub { push @$others, [ $names->[0], pick(@SCALARS,
                  _object([ $copy ], '')) ] if @$names },
        sub { push @$members, [ pick(@MEANINGFUL), pick(@SCALARS,
                  '{"Stage":"Completed"}', '{"prototype":{"Stage":"x"}}') ] },
        sub { $member->[1] = sprintf '{%s:%s,"x":{%s:1}}',
                  _string(pick(@MEANINGFUL)), pick(@SCALARS),
                  _string(pick(@MEANINGFUL)) },
        sub { $member->[1] = '{"x":1,' . pick('"x":2', '"X":2', '"\u0078":2')
                  . '}' },
        sub { $member->[1] = pick(
                  '01', '1.', '.5', '+1', '0x10', 'NaN', 'Infinity', '-',
                  '1e', '"\x"', "'a'", '"a', '"\ud800"', '"\u0000"', 'undefined',
                  "\"\t\"", "\"\xff\"", "\"\xed\xa0\x80\"", '[1,]', '{"a":1,}',
                  '1/**/', '9007199254740993', '1e-400', '"a" "b"', 'True',
                  '-0.0', '1E+2', '"\u2028"', "\"\xc2\x85\"", "\"\x7f\"") },
        sub { my $depth = pick(5, 20, 64, 100, 127 .. 130, 200, 513, 1001);
              $member->[1] = chance(50) ? '[' x $depth . ']' x $depth
                  : '{"a":' x $depth . '1' . '}' x $depth },
        sub { splice @$names, rand @$names + 1, 0, pick('x', @MEANINGFUL) },
        sub { pop @$names },
        sub { $member->[0] = 'n' x pick(100, 300) },
    )->();
}

sub _spell_member ($member) { $member->[0] = _spell_name($member->[0]) }

sub _spell_name ($name) {
    my $at = int rand(length $name || 1);
    return pick(
        sub { lc $name }, sub { uc $name },
        sub { $name =~ s/^(.{$at})([A-Za-z])/$1 . ($2 ^. ' ')/esr },
        sub { $name =~ s/s/\xc5\xbf/ir }, sub { $name =~ s/k/\xe2\x84\xaa/ir },
        sub { '"' . $name =~ s/^(.{$at})([ -~])/
                  $1 . sprintf '\\u%04x', ord $2/esr . '"' },
        sub { pick(@STRUCTURE) . $name }, sub { $name . pick(@STRUCTURE) },
        sub { $name =~ s/[_ .-]/pick('.', '_', ' ', '-', '')/er },
        sub { $name =~ s/_//gr }, sub { "$name\0" }, sub { "\"$name\\u0000\"" },
        sub { $name . pick(' ', "\xcc\x81", "\xe2\x80\x8b") },
    )->();
}

1;
