package Test::Flowdash::TLSServer;

# A server that has its TLS records in its own hands: it can cut one anywhere,
# send one unasked, and close with or without an alert.

use v5.36;

use Exporter qw(import);
use Net::SSLeay;

use Test::Flowdash::HTTP;

our @EXPORT = qw(serve_tls);

my %VERSION = ('TLSv1.2' => 0x0303, 'TLSv1.3' => 0x0304);


# serve_tls($listen, $record, sub ($request, $first, $tls) { ... }, %option)
# The sub gets the connection's first request with $first set, and returns
# octets to send and, for the connection to stay open, another true value; it
# makes the octets by $tls->seal($octets) and $tls->alert.  Options: cert, key,
# version (TLSv1.2, TLSv1.3), ciphers (of TLS 1.2), ca (a client needs a
# certificate of it: otherwise it gets an alert, and the connection stays open).

sub serve_tls ($listen, $record, $handler, %option) {
    my $context = _context(%option);
    my $n = 0;

    $SIG{CHLD} = 'IGNORE';

    while (my $socket = $listen->accept) {
        $n++;
        next if fork;
        close $listen;
        _serve($socket, $context, sub ($request, $first, $tls) {
            $request->{conn} = $n;
            $request->{cipher} = Net::SSLeay::get_cipher($tls->{ssl});
            $request->{version} = Net::SSLeay::get_version($tls->{ssl});
            $record->($request);
            return $handler->($request, $first, $tls);
        });
        exit;
    }
}

sub _context (%option) {
    my $context = Net::SSLeay::CTX_new() or die "CTX_new\n";

    if (my $version = $option{version}) {
        $version = $VERSION{$version} // die "version: $version\n";
        Net::SSLeay::CTX_set_min_proto_version($context, $version);
        Net::SSLeay::CTX_set_max_proto_version($context, $version);
    }

    Net::SSLeay::CTX_set_cipher_list($context, $option{ciphers})
        or die "ciphers: $option{ciphers}\n" if $option{ciphers};
    if ($option{ca}) {
        Net::SSLeay::CTX_load_verify_locations($context, $option{ca}, '')
            or die "ca: $option{ca}\n";
        Net::SSLeay::CTX_set_verify($context, Net::SSLeay::VERIFY_PEER()
            | Net::SSLeay::VERIFY_FAIL_IF_NO_PEER_CERT());
    }

    Net::SSLeay::set_cert_and_key($context, $option{cert}, $option{key})
        or die "certificate\n";
    return $context;
}

sub _serve ($socket, $context, $handler) {
    my $tls = bless { ssl => Net::SSLeay::new($context), socket => $socket,
                      map { $_ => Net::SSLeay::BIO_new(Net::SSLeay::BIO_s_mem()) }
                          qw(in out) }, __PACKAGE__;
    my $parser = Test::Flowdash::HTTP->new(request => 1);

    Net::SSLeay::set_bio($tls->{ssl}, $tls->{in}, $tls->{out});
    Net::SSLeay::set_accept_state($tls->{ssl});

    for (my $first = 1; ; $first = 0) {
        my $request;
        while (!($request = $parser->next_message)) {
            my $octets = $tls->_read // return;
            $parser->add($octets);
        }
        my ($octets, $stays) = $handler->($request, $first, $tls);
        syswrite $socket, $octets;
        last if !$stays;
    }

    close $socket;
}

# what the client says, or undef when it has gone

sub _read ($self) {
    while (1) {
        my $octets = Net::SSLeay::read($self->{ssl});
        syswrite $self->{socket}, $self->_out;
        return $octets if defined $octets && length $octets;
        sysread $self->{socket}, my $bytes, 65536 or return;
        Net::SSLeay::BIO_write($self->{in}, $bytes);
    }
}

sub _out ($self) {
    my $octets = '';
    while (my $n = Net::SSLeay::BIO_pending($self->{out})) {
        $octets .= Net::SSLeay::BIO_read($self->{out}, $n);
    }
    return $octets;
}

# records for these octets

sub seal ($self, $octets) {
    Net::SSLeay::write($self->{ssl}, $octets) if length $octets;
    return $self->_out;
}

# the alert "close notify"

sub alert ($self) {
    Net::SSLeay::shutdown($self->{ssl});
    return $self->_out;
}

# TLS 1.2: asks for another handshake

sub hello_request ($self) {
    Net::SSLeay::renegotiate($self->{ssl});
    Net::SSLeay::do_handshake($self->{ssl});
    return $self->_out;
}

1;
