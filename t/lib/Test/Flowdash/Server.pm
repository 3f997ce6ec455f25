package Test::Flowdash::Server;

# The two servers behind endpoint() and raw_endpoint().  Each runs in a process
# of its own, forked with a listening socket, and never returns.

use v5.36;

use Mojo::IOLoop;
use Mojo::Reactor::Poll;
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_LINGER);

use Test::Flowdash::HTTP;

use constant CONNECTION_SECONDS => 60;      # a raw connection's life, at most

my %REASON = (200 => 'OK', 204 => 'No Content', 400 => 'Bad Request',
              404 => 'Not Found', 500 => 'Internal Server Error');


# Many keepalive connections in one process; a delayed answer blocks no other.

sub serve ($listen, $answer, $record) {
    my $loop = Mojo::IOLoop->new(reactor => Mojo::Reactor::Poll->new);
    my $n = 0;

    my $accept = sub ($loop, $stream, $id) {
        my $c = { n => ++$n, loop => $loop, stream => $stream,
                  answer => $answer, record => $record,
                  parser => Test::Flowdash::HTTP->new(request => 1) };

        $stream->timeout(0);
        $stream->on(error => sub { });
        $stream->on(close => sub { %$c = () });
        $stream->on(read => sub ($stream, $bytes) {
            $c->{parser}->add($bytes);
            _next_request($c);
        });
    };

    $loop->max_connections(100_000);
    $loop->server({ fd => fileno $listen }, $accept);
    $loop->start;
}

sub _next_request ($c) {
    return if $c->{busy} || !$c->{parser};

    my $request = eval { $c->{parser}->next_message };
    if ($@) {
        warn "endpoint: $@";
        return $c->{stream}->close;
    }
    return if !$request;

    $c->{busy} = 1;
    $request->{conn} = $c->{n};
    $c->{record}->($request);

    my $answer = $c->{answer};
    if (ref $answer eq 'CODE') {
        $answer = eval { $answer->($request) };
        warn "endpoint: $@" if $@;
        $answer = { status => 500 } if ref $answer ne 'HASH';
    }

    return _send($c, $request, $answer) if !$answer->{delay};
    $c->{loop}->timer($answer->{delay}
                      => sub { _send($c, $request, $answer) });
}

sub _send ($c, $request, $answer) {
    return if !$c->{stream};                # the client has gone

    my ($bytes, $close) = _render($request, $answer);
    $c->{stream}->write($bytes, sub {
        return $c->{stream}->close_gracefully if $close;
        $c->{busy} = 0;
        _next_request($c);
    });
}

sub _render ($request, $answer) {
    my $status = $answer->{status} // 200;
    my $body = $answer->{body} // '';
    my $bodyless = $request->{method} eq 'HEAD' || $status =~ /^(?:204|304)$/;

    my $reason = $REASON{$status} // 'Status';
    my $wish = $request->header('Connection') // '';
    my $close = $answer->{close} || $answer->{no_length}
        || $wish =~ /close/i
        || $request->{version} eq '1.0' && $wish !~ /keep-alive/i;

    my @headers = @{ $answer->{headers} // [] };
    my %own = map { lc $_ => 1 } @headers[grep { $_ % 2 == 0 } keys @headers];

    push @headers, Connection => $close ? 'close' : 'keep-alive'
        if !$own{connection};

    if ($answer->{chunked}) {
        push @headers, 'Transfer-Encoding' => 'chunked';
        $body = Test::Flowdash::HTTP::chunks($body);
    } elsif (!$own{'content-length'} && !$answer->{no_length}
             && $status !~ /^(?:204|304)$/)
    {
        push @headers, 'Content-Length' => length $body;
    }

    return (Test::Flowdash::HTTP::head("HTTP/1.1 $status $reason", @headers)
            . ($bodyless ? '' : $body), $close);
}


# One process per connection: the handler may do to the socket what it likes.

sub serve_raw ($listen, $handler, $record, %option) {
    local $SIG{CHLD} = 'IGNORE';
    my $n = 0;

    while (1) {
        my $sock = $listen->accept or select undef, undef, undef, 0.01;
        next if !$sock;
        $n++;

        defined(my $pid = fork) or die "fork: $!\n";
        next if $pid;

        close $listen;
        alarm CONNECTION_SECONDS;
        $sock->setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
        eval { _raw_connection($sock, $handler, $record, $n, %option); 1 }
            or warn "raw endpoint: $@";
        POSIX::_exit(0);
    }
}

sub _raw_connection ($sock, $handler, $record, $n, %option) {
    my $parser = Test::Flowdash::HTTP->new(request => 1);

    while (1) {
        my $request = $parser->next_message;
        if (!$request) {
            sysread $sock, my $bytes, 65536 or return;
            $parser->add($bytes);
            next;
        }

        $request->{conn} = $n;
        $record->($request);
        my $result = $handler->($sock, $request, $n, %option);
        return if ($result // '') ne 'again';
    }
}

# The ready-made behaviours of a raw endpoint.

sub _json ($option, @headers) {
    my $body = $option->{body} // '{"task":{}}';
    return Test::Flowdash::HTTP::head(
        'HTTP/1.1 200 OK', 'Content-Type' => 'application/json',
        'Content-Length' => length $body, @headers) . $body;
}

my %BEHAVIOUR = (
    close => sub (@) { return },

    reset => sub ($sock, @) {
        $sock->setsockopt(SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0);
    },

    stall => sub ($sock, @) {
        1 while sysread $sock, my $bytes, 65536;
    },

    garbage => sub ($sock, @) {
        print $sock "\x00\x01\xff this is no HTTP \r\n\r\n\x80\n";
    },

    cut => sub ($sock, $request, $n, %o) {
        my $answer = _json(\%o);
        $answer =~ s/^(Content-Length: )(\d+)/$1 . ($2 + 100)/em;
        print $sock $answer;
    },

    drip => sub ($sock, $request, $n, %o) {
        for my $byte (split //, _json(\%o)) {
            print $sock $byte or return;
            select undef, undef, undef, $o{pause} // 0.003;
        }
    },

    big_header => sub ($sock, $request, $n, %o) {
        print $sock _json(\%o, 'X-Big' => 'x' x 100_000);
    },

    continue => sub ($sock, $request, $n, %o) {
        print $sock "HTTP/1.1 100 Continue\r\n\r\n" x 2,
            "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n",
            _json(\%o);
    },

    huge => sub ($sock, $request, $n, %o) {
        my $fill = 'x' x ($o{size} // 10_000_000);
        my $answer = _json({ body => qq({"task":{"Huge":"$fill"}}) });
        $answer =~ s/^Content-Length: .*\n//m if $o{no_length};
        print $sock $answer;
    },
);

sub behaviour ($name) {
    return $BEHAVIOUR{$name} // die "no such behaviour: $name\n";
}

1;
