package Test::Flowdash::DNS;

# A name server over UDP that answers as a test says, and when.

use v5.36;

use IO::Socket::INET;
use Socket qw(AF_INET6 inet_aton inet_pton);
use Time::HiRes qw(time);

use Test::Flowdash::HTTP;

my %TYPE = (A => 1, AAAA => 28);
my %RCODE = (NOERROR => 0, SERVFAIL => 2, NXDOMAIN => 3, REFUSED => 5);

# start($t, $name => { 'name.test' => ANSWER, ... }, address => '127.0.0.1',
#       port => $t->port($name))
# ANSWER, or what a sub ($type, $n) makes of the n-th query for the name and
# type:
#     { A => [...], AAAA => [...], ttl => 60, delay => seconds,
#       until => sub { ... },
#       rcode => 'NXDOMAIN', silent => 1 }
# Names it doesn't know are NXDOMAIN.  Queries are recorded: see queries().

sub start ($t, $server, $answers, %option) {
    my $socket = IO::Socket::INET->new(
        Proto => 'udp', LocalAddr => $option{address} // '127.0.0.1',
        LocalPort => $option{port} // $t->port($server))
        or die "no UDP socket for $server: $@\n";

    $t->server($server => sub ($listen, $record) {
        _serve($socket, $answers, $record);
    });
}

# the types of the queries for a name, in order of arrival: "A AAAA A"

sub queries ($t, $server, $name) {
    return join ' ', map { $_->{type} }
        grep { $_->{name} eq $name } $t->requests($server);
}

sub _serve ($socket, $answers, $record) {
    my (%count, @later);

    while (1) {
        my $ready = '';
        vec($ready, fileno $socket, 1) = 1;

        if (select($ready, undef, undef, @later ? 0.01 : undef) > 0) {
            my $peer = $socket->recv(my $query, 512) // next;
            my ($name, $type) = _question($query);

            $record->(bless { name => $name, type => $type, body => '' },
                      'Test::Flowdash::Message');

            my $answer = $answers->{ lc $name } // { rcode => 'NXDOMAIN' };
            $answer = $answer->($type, ++$count{"$name $type"})
                if ref $answer eq 'CODE';
            next if $answer->{silent};

            push @later, { time => time + ($answer->{delay} // 0),
                           until => $answer->{until} // sub { 1 },
                           peer => $peer,
                           bytes => _answer($query, $type, $answer) };
        }

        my @now = grep { $_->{time} <= time && $_->{until}->() } @later;
        my %now = map { $_ => 1 } @now;
        @later = grep { !$now{$_} } @later;
        $socket->send($_->{bytes}, 0, $_->{peer}) for @now;
    }
}

sub _question ($query) {
    my ($labels) = unpack 'x12 Z*', $query;
    my $type = unpack 'n', substr $query, 12 + length($labels) + 1;
    my %name = reverse %TYPE;

    return (join('.', unpack '(C/a)*', $labels), $name{$type} // $type);
}

sub _answer ($query, $type, $answer) {
    my ($labels) = unpack 'x12 Z*', $query;
    my $question = substr $query, 12, length($labels) + 5;
    my $rcode = $RCODE{ $answer->{rcode} // 'NOERROR' };
    my @addresses = @{ $answer->{$type} // [] };

    return pack('a2 n5', $query, 0x8180 | $rcode, 1, scalar @addresses, 0, 0)
        . $question . join '', map {
            my $bytes = $type eq 'A' ? inet_aton($_)
                                     : inet_pton(AF_INET6, $_);
            pack 'n n n N n/a*', 0xc00c, $TYPE{$type}, 1,
                $answer->{ttl} // 60, $bytes;
        } @addresses;
}

1;
