package Test::Flowdash::Books;

# An endpoint and an app that write down what they did for whom, and what their
# books say in the end.  They obey the contract: an undo of a key that was never
# seen is answered 2xx and remembered, and the step with that key is refused when
# it comes later.  Otherwise they do what may go wrong, by chance.
#
# Each execution has a name, the field N of its task.  A line of a book is
#   time, what was called, step, N, key, what became of it, how it was answered

use v5.36;

use IO::Socket::INET;
use JSON::PP ();
use Mojo::IOLoop;
use Mojo::Reactor::Poll;
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(time);

use Test::Flowdash::HTTP;

# How often out of 1000 calls what happens.  "done": it takes effect first;
# "late": it takes effect when the caller has given up.

my %WAYS = (
    step => { ok => 800, refuse => 40, fail => 25, done_fail => 25,
              cut => 20, done_cut => 20, done_stall => 20, late => 30,
              done_bad => 20 },
    undo => { ok => 850, fail => 30, done_fail => 20, cut => 30,
              done_cut => 30, late => 20, again => 20 },
    app => { ok => 780, refuse => 70, fail => 30, done_fail => 30, cut => 20,
             done_cut => 30, done_stall => 20, late => 20 },
);
$WAYS{after} = $WAYS{undo};


# serve($t, name => \&handler): a server that is down while the file "name.down"
# exists; the handler gets a request and a function to do something later.  It
# returns status, headers and body, or "cut", "reset" or "stall", and how long
# to wait before.

sub serve ($t, $name, $handler) {
    my $down = $t->dir . "/$name.down";
    my $port = $t->port($name);

    $t->server($name => sub ($listen, $record) {
        my $loop = Mojo::IOLoop->new(reactor => Mojo::Reactor::Poll->new);
        my %server = (loop => $loop, handler => $handler, streams => {});
        my ($id, $reserved);

        my $up = sub ($socket) {
            $id = $loop->server({ fd => fileno $socket }, sub ($, $stream, $n) {
                _serve($stream, $n, \%server);
            });
        };

        $loop->max_connections(10_000);
        $up->($listen);
        $loop->recurring(0.05 => sub {
            if ($id && -e $down) {
                $loop->remove($id);
                undef $id;
                close $listen;
                $_->close for values %{ $server{streams} };
                $reserved = _socket($port);
            } elsif (!$id && !-e $down) {
                $listen = _socket($port, Listen => 1024);
                $up->($listen);
                close $reserved;
            }
        });
        $loop->start;
    });
}

sub _socket ($port, @more) {
    return IO::Socket::INET->new(Proto => 'tcp', LocalAddr => '127.0.0.1',
                                 LocalPort => $port, ReuseAddr => 1, @more)
        // die "port $port: $@\n";
}

sub _serve ($stream, $n, $server) {
    my $parser = Test::Flowdash::HTTP->new(request => 1);

    $server->{streams}{$n} = $stream;
    $stream->timeout(0);
    $stream->on(error => sub { });
    $stream->on(close => sub { delete $server->{streams}{$n} });
    $stream->on(read => sub ($stream, $bytes) {
        $parser->add($bytes);
        while (my $request = $parser->next_message) {
            my ($pause, @answer) = $server->{handler}->($request, sub (@what) {
                $server->{loop}->timer(@what) });
            my $send = sub (@) { _answer($stream, @answer) };
            $pause ? $server->{loop}->timer($pause, $send) : $send->();
        }
    });
}

sub _answer ($stream, $status, $body = '', @headers) {
    return if $status eq 'stall' || !$stream->handle;
    if ($status =~ /\D/) {
        $stream->handle->setsockopt(SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0)
            if $status eq 'reset';
        return $stream->close;
    }
    $stream->write(Test::Flowdash::HTTP::head("HTTP/1.1 $status Status",
        @headers, 'Content-Length' => length $body) . $body);
}


# books($t, $seed): starts the endpoint "hook" and the app "app".  Their weather
# is in hook.weather and app.weather: ok, slow, fail or reset.  While there is no
# file "mercy", a few undos and after-steps are refused whenever they come; then
# all of them succeed.

sub books ($t, $seed) {
    my $dir = $t->dir;
    my %state;                          # in the process of its server
    my ($seeded, %acted);

    serve($t, hook => sub ($request, $later) {
        $seeded //= srand $seed;
        my ($what, $step) = $request->{target} =~ m{^/(\w+)/(\w+)}
            or return (0, 404);
        my $n = $request->json->{task}{N} // '';
        my $key = $request->header($what eq 'undo' ? 'Flowdash-Undo'
                                   : 'Idempotency-Key') // '';
        my $never = $what ne 'step' && $n =~ /[14]3$/ && !-e "$dir/mercy";
        return _called($dir, 'hook', [ $what, $step, $n, $key ],
                       sub { _endpoint(\%state, $what, $key) }, $later,
                       $never ? 'refuse'
                       : $what ne 'step' && -e "$dir/mercy" ? 'ok' : '');
    });

    serve($t, app => sub ($request, $later) {
        $seeded //= srand $seed + 1;
        my $n = $request->json->{task}{N} // '';
        return _called($dir, 'app', [ 'app', '-', $n, '-' ],
                       sub { $acted{$n}++ ? 'again' : 'done' }, $later,
                       $acted{$n} ? 'refuse' : '');
    });
}

sub _endpoint ($state, $what, $key) {
    my $before = $state->{$key} // '';

    if ($what eq 'step') {
        return 'refused' if $before eq 'undone';
        $state->{$key} = 'done';
        return 'done';
    }
    return 'delivered' if $what eq 'after';
    $state->{$key} = 'undone';
    return $before ? 'undone' : 'remembered';
}

# One call: whether it takes effect, and how it is answered, see serve().

sub _called ($dir, $book, $names, $do, $later, $way) {
    my $weather = _weather("$dir/$book.weather");
    $way ||= { fail => 'fail', reset => 'cut' }->{$weather}
        // _way($names->[0]);
    my $write = sub ($became) {
        _note("$dir/$book.book", @$names, $became, $way) };

    if ($way eq 'late') {
        $later->(1.2 + rand 2, sub (@) { $write->($do->()) });
        return (0, 'stall');
    }

    my $became = $way =~ /^(?:ok|done)/ ? $do->() : 'not';
    $write->($became);
    my $pause = $weather eq 'slow' ? rand 1.5 : 0;
    return ($pause, 409, '{}') if $became eq 'refused';
    return ($pause, _words($names->[0], $way));
}

sub _words ($what, $way) {
    my @json = ('Content-Type' => 'application/json');
    my $body = $what eq 'step' ? '{"task":{"Stage":"Told"}}' : '{"id":17}';

    return (422, '{}', @json) if $way eq 'refuse';
    return (503, '', $way eq 'fail' ? () : ('Retry-After' => 2))
        if $way =~ /fail|again/;
    return rand(2) < 1 ? 'cut' : 'reset' if $way =~ /cut/;
    return 'stall' if $way eq 'done_stall';
    return (200, '{"task":', @json) if $way eq 'done_bad';
    return (303, '', Location => '/tasks/17') if $what eq 'app' && rand(2) < 1;
    return (200, $body, @json);
}

sub _way ($what) {
    my $n = rand 1000;
    for my $way (sort keys %{ $WAYS{$what} }) {
        return $way if ($n -= $WAYS{$what}{$way}) < 0;
    }
    return 'ok';
}

sub _weather ($path) {
    open my $file, '<', $path or return 'ok';
    return readline($file) // 'ok';
}

sub _note ($path, @line) {
    open my $file, '>>', $path or die "$path: $!\n";
    syswrite $file, join("\t", time, @line) . "\n";
}


# read_books($dir): what is in both, by the name of the execution:
#   { app => when it acted, after => when, keys => { STEP => { KEY => done or
#     undone } }, ways => { "step done_cut" => 1, ... } }

sub read_books ($dir) {
    my %all;
    for my $line (map { _lines("$dir/$_.book") } qw(hook app)) {
        my ($time, $what, $step, $n, $key, $became, $way) = split /\t/, $line;
        my $x = $all{$n} //= { keys => {}, ways => {}, undone => 0 };
        $x->{ways}{"$what $way"} = 1;
        $x->{ways}{"$what $became"} = 1 if $became =~ /^(?:refused|remembered)$/;

        if ($what eq 'app') {
            $x->{app} //= $time if $became eq 'done';
        } elsif ($what eq 'after') {
            $x->{after} //= $time if $became eq 'delivered';
        } elsif ($became =~ /^(?:done|undone|remembered)$/) {
            $x->{keys}{$step}{$key} = $became =~ s/remembered/undone/r;
            $x->{undone} = $time if $became eq 'undone';
        }
    }
    return \%all;
}

sub _lines ($path) {
    open my $file, '<', $path or return;
    chomp(my @lines = readline $file);
    return @lines;
}

# outbox($path): the records in it, by the name of the execution: where it is,
# relative to the path.  A record in which nothing was called has no name.

sub outbox ($path) {
    my %found;
    for my $file (records($path)) {
        my $text = read_record("$path/$file") // next;
        my ($n) = $text =~ /\bN\\*"\s*:\s*\\*"([\d-]+)/;
        $found{ $n // "nothing called, $file" } = $file;
    }
    return \%found;
}

sub read_record ($path) {
    open my $file, '<:raw', $path or return;
    local $/;
    return scalar(readline $file) =~ s/\0.*//sr;
}

# the files of all records below a path

sub records ($path, $below = '') {
    opendir my $dir, "$path/$below" or return;
    return map { -d "$path/$below$_" ? records($path, "$below$_/") : "$below$_" }
        grep { !/^\.\.?$|\block$/ } readdir $dir;
}


# verdict($execution, $place, $answer, $full): what became of one, in one word,
# and what is wrong with it.  The place is that of its record, or nothing; the
# answer what the client was told.  Options are "full": there was no room to write
# the outcome; "lost": without fsync, the power has failed since.

sub verdict ($x, $place, $answer, %option) {
    my %states = map { $_ => 1 } map { values %$_ } values %{ $x->{keys} };
    my @keys = map { scalar keys %$_ } values %{ $x->{keys} };
    my $kept = ($place // '') =~ m{^(unknown|dead)/} ? $1 : '';
    my $lost = $option{lost} && !$place;
    my ($gone, @wrong) = (0);

    push @wrong, 'several keys for one step' if grep { $_ > 1 } @keys;
    push @wrong, 'told of success, and not done'
        if $answer =~ /^[23]/ && !$x->{app};
    push @wrong, 'told of success, and yet unknown'
        if $answer =~ /^[23]/ && $kept eq 'unknown'
        && !$option{full} && !$option{lost};
    push @wrong, "the record is in $place" if $place && !$kept;

    if ($x->{app}) {
        push @wrong, 'happened, and a step was undone' if $states{undone};
        $gone = !$x->{after} && !$kept;
        push @wrong, 'happened, and the after-step is lost' if $gone && !$lost;
        push @wrong, 'the after-step came before the action'
            if $x->{after} && $x->{after} < $x->{app};
    } else {
        push @wrong, 'did not happen, and the after-step was delivered'
            if $x->{after};
        $gone = $states{done} && !$kept;
        push @wrong, 'did not happen, and a step was not undone'
            if $gone && !$lost;
    }

    my $word = @wrong ? 'wrong' : $kept ? $kept : $gone ? 'lost'
        : $x->{app} ? 'done'
        : $x->{undone} ? 'undone' : 'nothing';
    return ($word, @wrong);
}

1;
