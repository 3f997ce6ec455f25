package Test::Flowdash::Spelling;

=head1 NAME

Test::Flowdash::Spelling - a request, spelled in another way

=head1 SYNOPSIS

    use Test::Flowdash::Spelling;

    srand 11;
    my $spelled = spell('POST', '/tasks/7/finish', [ '/login', '/tasks/8' ]);
    say "$spelled->{method} $spelled->{target}";

=head1 DESCRIPTION

One to three things, taken by chance, are done to the path, and maybe one to the
query, the method or the host.  Some apps read the result as the same request,
some as another one, some as none: this file does not know which.  All of it
depends on srand() only.

The others are paths to which a detour may lead, or from which one may come, and
now and then they are spelled in other ways, too.

spell() returns

    method, target    of the request line
    headers           [ name, value, ... ], which replace those of the same name
    field             for a form, the value of its field "_method", if any

=cut

use v5.36;

use Exporter qw(import);

our @EXPORT = qw(spell);

my @METHODS = qw(POST PUT PATCH DELETE GET HEAD OPTIONS MKCOL FINISH);
my @OVERRIDES = qw(X-HTTP-Method-Override X-HTTP-Method X-Method-Override);

# What separates, ends, hides or climbs, somewhere.  U+212A folds to "k", and
# U+017F to "s"; the last ones are overlong forms of "/" and ".".

my @PIECES = ('/', '//', '/./', '/../', '/x/../', '\\', '%5c', '%2f', '%2F',
              '%252f', '%2e', '%2e%2e', '..%2f', '%2e%2e%2f', '..;/', '/..;/',
              ';', ';x', ';x=1', '%3b', '%3bx', '+', '%20', '%09', '%0a', '%0d',
              '%00', '%23', '%3f', '?', '.', '..', ',', ':', '@', '~', '*', '|',
              '%', '%zz', '%u002f', '%e2%84%aa', '%c5%bf', '%ef%bc%8f', '%c0%af',
              '%c0%ae');

# What some apps take for "/", or for the end of a segment or of the path.

my @SLASHES = ('\\', '%5c', '%5C', '\\\\', '/\\', '%255c');
my @STOPS = (';', ';x', ';x=1', ';/', '%3b', '%3Bx', ';%0a', '%0a', '%0A', '%0ax',
             '%0d%0a', '%0a/', '%0a.json', '%e2%80%a8', '%c2%85');

my @ENDS = ('/', '//', '/.', '/..', '.', '..', ' ', '%20', '+', '%09', '%0a',
            '%0d%0a', '%00', ';', ';x', ';x=1', '%3bx', ':', ',', '~', '*', 'a',
            '-x', 'a/', '/x', '/x/..', '/edit', '.json', '.json/', '.JSON',
            '.html', '.HTML', '.xml', '.js', '.php', '%2ejson', '?', '%3f', '%23',
            '.json;x', '/;x', '/%2e', '%2f', '%2f..', '%5c');

no warnings 'qw';                   # some have a comma

my @IDS = map { my $form = $_; sub ($id) { return $form =~ s/N/$id/r } }
    qw(+N 0N 00N -N N.0 NaN Ne0 0xN N,2 N%20 %20N %2bN N-x Na N;x N.x N:x N_
       N%0a N%2f N%00 (N) N* %ef%bc%91 %d9%a1 N%2f..%2fN);

my @WAYS = (
    [ 4 => \&_escape ], [ 2 => \&_escape_all ], [ 1 => \&_escape_again ],
    [ 3 => \&_case ], [ 3 => \&_byte ], [ 4 => \&_piece ], [ 5 => \&_end ],
    [ 3 => \&_id ], [ 5 => \&_detour ], [ 2 => \&_segment ], [ 1 => \&_before ],
    [ 2 => \&_slash ], [ 4 => \&_stop ],
);
my @ways = map { ($_->[1]) x $_->[0] } @WAYS;

sub spell ($method, $path, $others) {
    my $from = rand() < 0.15 ? _any(@$others) : $path;
    my %r = (method => $method, target => $from, headers => []);

    for (1 .. 1 + int rand 3) {
        $r{target} = _any(@ways)->($r{target}, $others);
    }

    $r{target} .= _query() if rand() < 0.2;
    $r{method} = _any(@METHODS) if rand() < 0.2;
    $r{field} = _any('patch', 'put', 'PUT', map { lc } @METHODS)
        if rand() < 0.2;
    push @{ $r{headers} }, _any(@OVERRIDES), _any(@METHODS) if rand() < 0.1;
    push @{ $r{headers} }, Host => _any('LOCALHOST', 'localhost.',
        'localhost:80', 'other.example.com', '127.0.0.1', '_') if rand() < 0.1;
    $r{target} = _any('http://localhost', 'http://other.example.com',
                      'HTTP://a:80') . $r{target}
        if $r{target} =~ m{^/} && rand() < 0.05;

    # what no client can put into a request line
    $r{target} =~ s/([\x00-\x20\x7f])/sprintf '%%%02X', ord $1/ge;
    return \%r;
}

sub _any (@choice) { return $choice[rand @choice] }

sub _hex ($byte) {
    return sprintf rand() < 0.5 ? '%%%02x' : '%%%02X', ord $byte;
}

# anywhere behind the first slash

sub _place ($path) { return 1 + int rand length $path }

sub _escape ($path, $) {
    for (1 .. _any(1, 1, 2, 3)) {
        my $at = _place($path);
        next if $at >= length $path;
        substr $path, $at, 1, _hex(substr $path, $at, 1);
    }
    return $path;
}

sub _escape_all ($path, $) {
    my $what = _any(qr/[a-z]/i, qr{(?<=.)/}, qr/\d/, qr/\./, qr/[^\/]/);
    return $path =~ s/($what)/_hex($1)/ger;
}

sub _escape_again ($path, $) {
    return $path =~ s/%/%25/gr if $path =~ /%/;
    return $path =~ s{([^/])}{ rand() < 0.2 ? _hex($1) =~ s/%/%25/r : $1 }ger;
}

sub _case ($path, $) {
    return _any(uc $path, ucfirst(lc $path),
                $path =~ s{/\K([a-z])}{uc $1}ger,
                $path =~ s{([a-z])}{ rand() < 0.3 ? uc $1 : $1 }ger);
}

# any byte at any place, as it is or escaped; it may replace the one there

sub _byte ($path, $) {
    my $byte = chr int rand 256;
    $byte = _hex($byte) if $byte =~ /[^\x21-\x7e]/ || rand() < 0.5;
    substr $path, _place($path), int(rand 2), $byte;
    return $path;
}

# a piece at any place, or where segments meet

sub _piece ($path, $) {
    my @meet = length $path;
    push @meet, $-[0] || 1, $+[0] while $path =~ m{/}g;
    my $at = rand() < 0.5 ? _place($path) : _any(@meet);
    substr $path, $at, 0, _any(@PIECES);
    return $path;
}

sub _end ($path, $) { return $path . _any(@ENDS) }

# one slash, or all but the first

sub _slash ($path, $) {
    my $slash = _any(@SLASHES);
    return $path =~ s{(?<=.)/}{$slash}gr if rand() < 0.5;

    my @at = map { $_ + 1 } grep { substr($path, $_ + 1, 1) eq '/' }
        0 .. length($path) - 2;
    substr $path, _any(@at), 1, $slash if @at;
    return $path;
}

# where a segment ends, most often the last one

sub _stop ($path, $) {
    my @at = length $path;
    push @at, $-[0] while $path =~ m{(?<=.)/}g;
    substr $path, rand() < 0.5 ? $at[0] : _any(@at), 0, _any(@STOPS);
    return $path;
}

sub _id ($path, $) {
    my $make = _any(@IDS);
    return $path =~ s{/\K(\d+)}{$make->($1)}er;
}

# from one path up to the root, and down to the other

sub _detour ($path, $others) {
    my @paths = ($path, _any(@$others));
    @paths = reverse @paths if rand() < 0.5;
    my ($from, $to) = @paths;

    my $slash = _any('/', '/', '%2f', '%2F', '%5c', '\\', '%252f');
    my $up = _any('..', '..', '%2e%2e', '.%2e', '..;', '..%3b', '..;x', ';/..');
    my $levels = ($from =~ tr{/}{}) + int(rand 3) - int(rand 2);

    $to =~ s{/}{$slash}g if rand() < 0.5;
    $to = "$slash$to" =~ s{^\Q$slash\E/?}{$slash}r;
    return $from . "$slash$up" x $levels . $to;
}

# something in one more segment, or one segment less

sub _segment ($path, $) {
    my @segments = split m{/}, $path, -1;
    my $at = 1 + int rand @segments - 1;
    splice @segments, $at, _any(0, 0, 1),
        _any('', '.', 'x', ';', ';x', 'index.php', '1', '%20', '%2e', 'api');
    return join '/', @segments;
}

sub _before ($path, $) {
    return _any('/', '/.', '/x/..', '//localhost', '/;x', '/index.php', '/%2e',
                '/%2f', '/%20', '/\\') . $path;
}

sub _query () {
    return _any('?', '?x', '?x=1', '?x[]=1', '?format=json', '?format=xml',
                '?ids[]=1', '?utf8=%E2%9C%93', '?/../x', '?#', '#x', '#?x=1',
                '?_method=' . _any(@METHODS), '?_method=' . lc _any(@METHODS),
                '?X-HTTP-Method-Override=' . _any(@METHODS), ';x?y=1');
}

1;
