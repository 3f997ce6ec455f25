package Test::Flowdash::Server;

# The servers behind endpoint() and raw_endpoint().  Each is one process, forked
# with a listening socket, that serves all its connections from an event loop
# and never returns.
#
# A handler is called with each request and must not block: it returns what to
# do, a list of pairs
#
#     send  => $bytes
#     pause => $seconds
#     until => sub { ... }      wait until it is true; asked every 10 ms
#     then  => 'next'           wait for the connection's next request
#              'reset'          reset the connection
#              'stall'          do nothing until the client closes it
#
# and the connection is closed at the end of the list.

use v5.36;

use Mojo::IOLoop;
use Mojo::Reactor::Poll;
use Socket qw(SOL_SOCKET SO_LINGER);

use Test::Flowdash::HTTP;

my %REASON = (200 => 'OK', 204 => 'No Content', 400 => 'Bad Request',
              404 => 'Not Found', 500 => 'Internal Server Error');


# serve_raw($listen, sub ($request, $n, %option) { ... }, $record, %option)
# $n counts the connections from 1; the option "accepted" is called with each.

sub serve_raw ($listen, $handler, $record, %option) {
    my $loop = Mojo::IOLoop->new(reactor => Mojo::Reactor::Poll->new);
    my $accepted = $option{accepted} // sub { };
    my $n = 0;

    my $accept = sub ($loop, $stream, $id) {
        my $number = ++$n;
        my $c = { loop => $loop, stream => $stream,
                  parser => Test::Flowdash::HTTP->new(request => 1) };

        $c->{handle} = sub ($request) {
            $request->{conn} = $number;
            $record->($request);
            return $handler->($request, $number, %option);
        };

        $stream->timeout(0);
        $stream->on(error => sub { });
        $stream->on(close => sub { %$c = () });
        $stream->on(read => sub ($stream, $bytes) {
            $c->{parser}->add($bytes);
            _next_request($c);
        });
        $accepted->($number);
    };

    $loop->max_connections(100_000);
    $loop->server({ fd => fileno $listen }, $accept);
    $loop->start;
}

sub _next_request ($c) {
    return if $c->{busy} || !$c->{parser};

    my @actions = eval {
        my $request = $c->{parser}->next_message or return;
        $c->{busy} = 1;
        $c->{handle}->($request);
    };
    warn "endpoint: $@" if $@;

    _act($c, @actions, then => 'close') if $c->{busy} || $@;
}

sub _act ($c, $what, $value, @later) {
    my $stream = $c->{stream} or return;        # the client has gone
    my $go_on = sub { _act($c, @later) };

    if ($what eq 'send') {
        $stream->write($value, $go_on);

    } elsif ($what eq 'pause') {
        return $go_on->() if !$value;
        $c->{loop}->timer($value, $go_on);

    } elsif ($what eq 'until') {
        return $go_on->() if $value->();
        $c->{loop}->timer(0.01, sub { _act($c, $what, $value, @later) });

    } elsif ($value eq 'next') {
        $c->{busy} = 0;
        _next_request($c);

    } elsif ($value ne 'stall') {
        $stream->handle->setsockopt(SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0)
            if $value eq 'reset';
        $stream->close;
    }
}


# The answers of endpoint(): whole and well-formed.

sub serve ($listen, $answer, $record) {
    serve_raw($listen, sub ($request, @) {
        my $said = ref $answer eq 'CODE' ? eval { $answer->($request) }
            : $answer;
        warn "endpoint: $@" if $@;
        $said = { status => 500 } if ref $said ne 'HASH';

        my ($bytes, $close) = _render($request, $said);
        return (pause => $said->{delay} // 0,
                until => $said->{until} // sub { 1 },
                send => $bytes, then => $close ? 'close' : 'next');
    }, $record);
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


# The ready-made behaviors of a raw endpoint.

sub _json ($option, @headers) {
    my $body = $option->{body} // '{"task":{}}';
    return Test::Flowdash::HTTP::head(
        'HTTP/1.1 200 OK', 'Content-Type' => 'application/json',
        'Content-Length' => length $body, @headers) . $body;
}

my %BEHAVIOUR = (
    close => sub (@) { return },
    reset => sub (@) { return (then => 'reset') },
    stall => sub (@) { return (then => 'stall') },

    garbage => sub (@) {
        return (send => "\x00\x01\xff this is no HTTP \r\n\r\n\x80\n");
    },

    cut => sub ($request, $n, %o) {
        return (send => _json(\%o)
            =~ s/^(Content-Length: )(\d+)/$1 . ($2 + 100)/emr);
    },

    drip => sub ($request, $n, %o) {
        return map { (send => $_, pause => 0.003) } split //, _json(\%o);
    },

    big_header => sub ($request, $n, %o) {
        return (send => _json(\%o, 'X-Big' => 'x' x 100_000));
    },

    continue => sub ($request, $n, %o) {
        return (send => "HTTP/1.1 100 Continue\r\n\r\n" x 2
            . "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
            . _json(\%o));
    },

    huge => sub ($request, $n, %o) {
        my $fill = 'x' x ($o{size} // 10_000_000);
        my $answer = _json({ body => qq({"task":{"Huge":"$fill"}}) });
        $answer =~ s/^Content-Length: .*\n//m if $o{no_length};
        return (send => $answer);
    },
);

sub behaviour ($name) {
    return $BEHAVIOUR{$name} // die "no such behaviour: $name\n";
}

1;
