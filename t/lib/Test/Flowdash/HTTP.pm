package Test::Flowdash::HTTP;

# HTTP/1 messages as bytes: an incremental parser that the client and the
# servers of the harness share.  A message is a hash with
#   method target version          of a request,
#   version status reason interim  of an answer (interim: its 1xx forerunners),
#   headers                        [name, value] pairs as received,
#   body                           raw bytes, transfer coding removed.

use v5.36;

sub new ($class, %option) {      # request => 1: requests, else answers
    return bless { in => '', interim => [], %option }, $class;
}

sub add ($self, $bytes) { $self->{in} .= $bytes; return $self }

# The next message that is complete, or nothing; dies when it is no HTTP.
# At the end of the stream, $eof completes an answer of unstated length.

sub next_message ($self, $eof = 0) {
    my $m = $self->{message} //= $self->_head or return;

    if (!$self->{request} && $m->{status} =~ /^1/) {
        push @{ $self->{interim} }, $m->{status};
        delete $self->{message};
        return $self->next_message($eof);
    }

    $self->_body($m, $eof) or return;
    return delete $self->{message};
}

# What there is of a message that broke off.

sub incomplete ($self) { return delete $self->{message} }

sub _head ($self) {
    $self->{in} =~ s/\A(.*?)\r?\n\r?\n//s or return;
    my ($start, @lines) = split /\r?\n/, $1;

    my %m = (headers => [], body => '');
    if ($self->{request}) {
        @m{qw(method target version)}
            = $start =~ m{^(\S+) (\S+) HTTP/(\d\.\d)$}
            or die "malformed request line: $start\n";

    } else {
        @m{qw(version status reason)}
            = $start =~ m{^HTTP/(\d(?:\.\d)?) (\d{3}) ?(.*)$}
            or die "malformed status line: $start\n";
        $m{interim} = $self->{interim};
    }

    for my $line (@lines) {
        my ($name, $value) = $line =~ /^([^:\s]+):[ \t]*(.*?)[ \t]*$/
            or die "malformed header: $line\n";
        push @{ $m{headers} }, [ $name, $value ];
    }

    return bless \%m, 'Test::Flowdash::Message';
}

sub _body ($self, $m, $eof) {
    return 1 if $self->{no_body} || ($m->{status} // '') =~ /^(?:204|304)$/;
    return $self->_chunked($m)
        if ($m->header('Transfer-Encoding') // '') =~ /chunked/i;

    my $length = $m->header('Content-Length');
    if (!defined $length) {
        return 1 if $self->{request};
        $m->{body} .= $self->{in};
        $self->{in} = '';
        return $eof;
    }

    $length =~ /^\d+$/ or die "malformed Content-Length: $length\n";
    $m->{body} .= substr $self->{in}, 0, $length - length $m->{body}, '';
    return length $m->{body} == $length;
}

sub _chunked ($self, $m) {
    while ($self->{in} =~ /\A([0-9a-fA-F]+)[^\n]*\n/) {
        my ($size, $start) = (hex $1, $+[0]);

        if ($size == 0) {        # trailers are dropped
            return $self->{in} =~ s/\A0+[^\n]*\n(?:[^\r\n]+\r?\n)*\r?\n//;
        }

        return if length $self->{in} < $start + $size + 2;
        $m->{body} .= substr $self->{in}, $start, $size;
        substr $self->{in}, 0, $start + $size + 2, '';
    }
    return;
}

# The other direction: a start line with headers, and a body in chunks.

sub head ($start, @headers) {
    my $head = "$start\r\n";
    while (my ($name, $value) = splice @headers, 0, 2) {
        $head .= "$name: $value\r\n" if defined $value;
    }
    return "$head\r\n";
}

sub chunks ($body, $size = 4096) {
    my @pieces = unpack "(a$size)*", $body;
    return join '', map { sprintf "%x\r\n%s\r\n", length, $_ } @pieces, '';
}


package Test::Flowdash::Message;

use JSON::PP ();

sub none ($class) {              # stands for the answer that did not come
    return bless { status => 0, headers => [], body => '' }, $class;
}

# The values of a header: as a list, or joined by ", "; undef without any.

sub header ($self, $name) {
    my @values = map { $_->[1] } grep { lc $_->[0] eq lc $name }
        @{ $self->{headers} };
    return wantarray ? @values : @values ? join ', ', @values : undef;
}

# The decoded body, undef when it is no JSON.

sub json ($self) {
    return $self->{json} //= eval { JSON::PP::decode_json($self->{body}) };
}

1;
