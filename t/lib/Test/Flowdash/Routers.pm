package Test::Flowdash::Routers;

=head1 NAME

Test::Flowdash::Routers - apps' real routers, and what they make of a URL

=head1 SYNOPSIS

    use Test::Flowdash::Routers;

    my $routers = Test::Flowdash::Routers->new($t);
    my $did = $routers->ask([ $request, ... ]);
    is($did->{express}[0]{handler}, 'finish');

    my @answers = exchange($port, [ $request, ... ]);

=head1 DESCRIPTION

The programs in t/routers are apps of which there is no more than the router:
each has the routes below as an app of its kind usually has them, in the
framework's default settings, behind the framework's usual server.  Their
handlers do nothing but say which one was reached, in headers of the answer:

    X-Handler    finish, save, update ..., or "none"
    X-Task       the task that the router has found in the URL
    X-Method     the method, as the framework sees it

    /tasks/ID             show (GET), save, destroy (DELETE)
    /tasks/ID/finish      finish
    /issues/ID            show (GET), update, destroy (DELETE)
    /issues/bulk_update   bulk_update
    /issues/ID/edit.js    preview, which saves nothing
    /login                login

Where a framework has a handler look at the method by itself, as Django and PHP
do, it is reached by all methods.

=cut

use v5.36;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use Mojo::IOLoop;
use Mojo::Reactor::Poll;

use Test::Flowdash::Npm;

our @EXPORT = qw(exchange);

my $DIR = abs_path(dirname(__FILE__) . '/../../../routers');
my $TOMCAT = '/usr/share/java/tomcat10-embed-core.jar'
    . ':/usr/share/java/tomcat10-annotations-api.jar'
    . ':/usr/share/java/tomcat10-servlet-api.jar';

# By program: its routers, and how it is started with their ports.

my @PROGRAMS = (
    { routers => [ 'express' ],
      command => sub (@port) { return ('node', "$DIR/express.js", @port) } },
    { routers => [ 'rails', 'sinatra' ],
      command => sub (@port) { return ('ruby', "$DIR/rails.rb", @port) } },
    { routers => [ 'django', 'flask' ],
      command => sub (@port) {
          return ('/usr/bin/python3', '-B', "$DIR/wsgi.py", @port);
      } },
    { routers => [ 'php' ],
      command => sub ($port) {
          return (qw(php -q -S), "127.0.0.1:$port", '-t', "$DIR/php",
                  "$DIR/php/index.php");
      } },
    { routers => [ 'mojolicious' ],
      command => sub ($port) { return ($^X, "$DIR/mojolicious.pl", $port) } },
    { routers => [ 'tomcat' ], slow => 1,
      command => sub ($port) {
          return ('java', '-cp', $TOMCAT, "$DIR/TomcatRouter.java", $port);
      } },
);

# Starts them, and returns when all of them answer.  Those that take long to
# start only if "slow" is true.

sub new ($class, $t, %option) {
    my $self = bless { t => $t, port => {} }, $class;

    for my $program (@PROGRAMS) {
        next if $program->{slow} && !$option{slow};
        my ($name, @more) = @{ $program->{routers} };
        my @ports = map { $self->{port}{$_} = $t->port($_) } $name, @more;
        $t->server($name => sub ($listen, $record) {
            close $listen;
            _run($t->dir, $name, $program->{command}->(@ports));
        });
    }

    for my $name ($self->names) {
        $t->wait_for(sub { $self->_is_up($name) }, 120)
            or die "$name does not start: ", map { $t->read_file($_) // '' }
                map { "$_->{routers}[0].out" } @PROGRAMS;
    }

    return $self;
}

sub _run ($dir, $name, @command) {
    $ENV{NODE_PATH} = npm_modules('express');
    chdir $dir;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', "$name.out";
    open STDERR, '>&', \*STDOUT;
    exec @command;
}

sub _is_up ($self, $name) {
    my ($answer) = exchange($self->{port}{$name}, [
        "POST /login HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
    ]);
    return (_said($answer)->{handler} // '') eq 'login';
}

sub names ($self) { return sort keys %{ $self->{port} } }

# What each router does with each request, a string of bytes:
# { router => [ { handler, task, method } ... ] }, in the order of the requests.
# There is no handler when the server has refused the request.

sub ask ($self, $requests) {
    my %did;

    exchange_all(map {
        my $did = $did{$_} = [];
        [ $self->{port}{$_}, $requests, sub ($n, $answer) {
            $did->[$n] = _said($answer);
        } ];
    } $self->names);

    return \%did;
}

sub _said ($answer) {
    my %value;
    $value{ lc $1 } = $2 while $answer =~ /^X-(Handler|Task|Method): ?(.*?)\r?$/mgi;
    $value{task} =~ s/%([0-9a-fA-F]{2})/chr hex $1/ge if $value{task};
    return \%value;
}

# Sends requests to a port, several at a time, and returns the head of each
# answer, empty when there was none.

sub exchange ($port, $requests) {
    my @answers;
    exchange_all([ $port, $requests, sub ($n, $answer) {
        $answers[$n] = $answer;
    } ]);
    return @answers;
}

# The same for several [ $port, $requests, $code ] at once.

sub exchange_all (@batches) {
    my $loop = Mojo::IOLoop->new(reactor => Mojo::Reactor::Poll->new);
    my $open = 0;

    for my $batch (@batches) {
        my ($port, $requests, $code) = @$batch;
        my $next = 0;

        my $more;
        $more = sub {
            return $loop->stop if $next >= @$requests && !$open;
            return if $next >= @$requests;

            my $n = $next++;
            $open++;
            _exchange($loop, $port, $requests->[$n], sub ($answer) {
                $open--;
                $code->($n, $answer);
                $more->();
            });
        };
        $loop->next_tick($more) for 1 .. 4;
    }

    $loop->start;
    return;
}

sub _exchange ($loop, $port, $request, $done) {
    my $answer = '';

    $loop->client({ address => '127.0.0.1', port => $port },
                  sub ($loop, $error, $stream) {
        return $done->('') if $error;

        my $end = sub {
            my $call = $done or return;
            undef $done;
            $stream->close;
            $call->($answer);
        };

        $stream->timeout(300);
        $stream->on(error => sub { });
        $stream->on(close => $end);
        $stream->on(read => sub ($stream, $bytes) {
            $answer .= $bytes;
            $end->() if $answer =~ /\r?\n\r?\n/;
        });
        $stream->write($request);
    });
}

1;
