package Test::Flowdash::Client;

# The client's half of Test::Flowdash: plain sockets, every byte as it was
# asked for, and curl for HTTP/2.

use v5.36;

use IO::Socket::INET;
use List::Util qw(min);
use POSIX ();
use Time::HiRes qw(time);

use Test::Flowdash::HTTP;


# request($method, $path, headers => [...], body => $bytes, port => 'http',
#         version => '1.1', chunked => 1, timeout => 60)
# The answer: { status, reason, version, headers, body, json, raw, interim },
# with error => 'timeout', 'closed' ... when it is not whole, and status 0 when
# there is none.  A header of the value undef suppresses a default one.

sub request ($self, $method, $path, %option) {
    return $self->finish($self->start($method, $path, %option));
}

sub get ($self, $path, %option) {
    return $self->request('GET', $path, %option);
}

sub post_json ($self, $path, $bytes, %option) {
    my @headers = ('Content-Type' => 'application/json',
                   @{ $option{headers} // [] });
    return $self->request('POST', $path, %option, headers => \@headers,
                          body => $bytes);
}

# request() in two halves, for many at a time: finish(start(...)).  The timeout
# is that of each half: what the test does between them takes none of it.

sub start ($self, $method, $path, %option) {
    my @headers = @{ $option{headers} // [] };
    my %own = map { lc $_ => 1 } @headers[grep { $_ % 2 == 0 } keys @headers];
    my $version = $option{version} // '1.1';
    my $body = $option{body};

    unshift @headers, Host => 'localhost' if !$own{host};
    push @headers, Connection => 'close'
        if !$own{connection} && $version ne '1.0';

    if ($option{chunked}) {
        push @headers, 'Transfer-Encoding' => 'chunked';
        $body = Test::Flowdash::HTTP::chunks($body // '');
    } elsif (defined $body && !$own{'content-length'}) {
        push @headers, 'Content-Length' => length $body;
    }

    my $head = Test::Flowdash::HTTP::head("$method $path HTTP/$version",
                                          @headers);
    my $exchange = $self->_exchange([ $head . ($body // '') ], %option);
    $exchange->{parser}
        = Test::Flowdash::HTTP->new(no_body => $method eq 'HEAD');

    _pump($exchange, sub { !@{ $exchange->{out} } });
    return $exchange;
}

sub finish ($self, $exchange) {
    my $parser = $exchange->{parser};
    my $answer;

    eval {
        my $given = 0;
        _pump($exchange, sub {
            $parser->add(substr $exchange->{raw}, $given);
            $given = length $exchange->{raw};
            return $answer = $parser->next_message;
        });
        $answer //= $parser->next_message(1) if $exchange->{eof};
        1;
    } or $exchange->{error} = $@ =~ s/\n//r;

    delete $exchange->{socket};                 # closes it, if it is ours
    return _answer($answer, $parser, $exchange->{raw},
                   $answer ? undef : $exchange->{error} // 'closed');
}

sub _answer ($answer, $parser, $raw, $error) {
    $answer //= $parser->incomplete // Test::Flowdash::Message->none;
    $answer->{raw} = $raw;
    $answer->{error} = $error if $error;
    $answer->json if length $answer->{body} < 1_000_000;
    return $answer;
}

# raw_request($bytes | [ $bytes, \$pause, $bytes ... ], port, timeout, socket)
# sends these bytes, returns what comes until the close or the timeout

sub raw_request ($self, $bytes, %option) {
    my $exchange = $self->_exchange(ref $bytes ? $bytes : [ $bytes ], %option);
    _pump($exchange, sub { 0 });
    return $exchange->{raw};
}

# a socket to a port, for request(..., socket => $socket) on a kept connection

sub connect ($self, $port = 'http') {
    my $peer = '127.0.0.1:' . $self->_number($port);
    return IO::Socket::INET->new(Proto => 'tcp', Timeout => 60,
                                 PeerAddr => $peer) // die "$peer: $@\n";
}

sub _number ($self, $port) {
    return $port =~ /^\d+$/ ? $port : $self->port($port);
}

sub _exchange ($self, $parts, %option) {
    my $socket = $option{socket} // $self->connect($option{port} // 'http');
    $socket->blocking(0);
    return { socket => $socket, out => [ @$parts ], raw => '',
             timeout => $option{timeout} // 60 };
}

# Moves bytes both ways until $until says so, the peer closes or time is up.

sub _pump ($x, $until) {
    local $SIG{PIPE} = 'IGNORE';
    my $out = $x->{out};
    my $end = time + $x->{timeout};
    my $resume;

    while (!$until->() && !$x->{eof}) {
        my $left = $end - time;
        if ($left <= 0) {
            $x->{error} = 'timeout';
            return;
        }

        if (@$out && ref $out->[0]) {           # a pause
            $resume //= time + ${ $out->[0] };
            $left = min($left, $resume - time);
            if ($left <= 0) {
                shift @$out;
                undef $resume;
                next;
            }
        }

        my ($in, $write) = ('', '');
        vec($in, fileno $x->{socket}, 1) = 1;
        $write = $in if @$out && !ref $out->[0];
        select $in, $write, undef, $left;

        _write($x) if $write =~ /[^\0]/;
        _read($x);
    }
}

sub _write ($x) {
    my $out = $x->{out};
    my $n = syswrite $x->{socket}, $out->[0];

    if (defined $n) {
        substr $out->[0], 0, $n, '';
        shift @$out if $out->[0] eq '';
    } elsif (!$!{EAGAIN}) {
        @$out = ();                             # nobody reads it any more
    }
}

sub _read ($x) {
    my $n = sysread $x->{socket}, $x->{raw}, 1 << 18, length $x->{raw};

    return if $n || !defined $n && $!{EAGAIN};
    $x->{error} = defined $n ? 'closed' : "$!";
    $x->{eof} = 1;
}

# request() over HTTP/2 without TLS, by curl; its port is "h2" by default;
# no_length => 1 sends a body without Content-Length.

sub h2_request ($self, $method, $path, %option) {
    my $port = $self->_number($option{port} // 'h2');

    my @command = ('curl', '--http2-prior-knowledge', qw(-s -i -g),
                   '--path-as-is', '--max-time', $option{timeout} // 60);
    push @command, $method eq 'HEAD' ? '-I' : ('-X', $method);

    my @headers = @{ $option{headers} // [] };
    my $body = defined $option{body}
        && $self->write_file('h2.body', $option{body});
    if ($body) {
        push @command, $option{no_length} ? ('-T', '-')
            : ('--data-binary', "\@$body");
        push @command, '-H', 'Content-Type:'    # curl's own
            if !grep { lc eq 'content-type' } @headers;
    }
    while (my ($name, $value) = splice @headers, 0, 2) {
        push @command, '-H', $value eq '' ? "$name;" : "$name: $value";
    }

    defined(my $pid = open my $output, '-|') or die "fork: $!\n";
    if (!$pid) {
        open STDIN, '<', $body || '/dev/null';
        exec @command, "http://127.0.0.1:$port$path" or POSIX::_exit(127);
    }
    my $raw = do { local $/; readline $output } // '';
    close $output;

    my $parser = Test::Flowdash::HTTP->new(no_body => $method eq 'HEAD');
    my $answer = eval { $parser->add($raw)->next_message(1) };
    return _answer($answer, $parser, $raw, $? ? 'curl: ' . ($? >> 8) : $@);
}

1;
