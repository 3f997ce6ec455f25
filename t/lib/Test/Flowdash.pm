package Test::Flowdash;

=head1 NAME

Test::Flowdash - nginx, endpoints and a byte-exact client for one test file

=head1 SYNOPSIS

    use lib 't/lib';
    use Test::Flowdash;             # strict, warnings and Test::More, too

    my $t = Test::Flowdash->new;

    $t->endpoint(crm => { body => '{"task":{"Stage":"Done"}}',
                          headers => [ 'Content-Type', 'application/json' ] });
    $t->endpoint(app => sub ($req) { return { body => $req->{body} } });

    $t->config(<<'END');
        location /finish {
            flowdash_action "Finish";
            flowdash_step "CRM" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/hook;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    END
    $t->run;

    my $res = $t->post_json('/finish', '{"task":{"Stage":"Open"}}');
    is($res->{status}, 200, 'the action goes on');

    my $call = $t->only_request('crm');
    is($call->{json}{action}, 'Finish', 'the call names its action');
    is(header($call, 'Cookie'), undef, 'no cookie');

    $t->done;                       # stops nginx, looks through its logs

=head1 CONFIGURATIONS

config(), test_config(), conf_ok() and conf_fails() take a whole nginx.conf
(it has an C<events> block), servers for its http block, or the inside of a
server that listens on %%PORT_http%%.  These words are replaced:

    %%PORT_name%%     the port of that name, as by port()
    %%DIR%%           the temporary directory
    %%GLOBALS%%       load_module, pid, error_log, worker_processes 1 ...
    %%HTTP_GLOBALS%%  access_log, default_type, root, temporary paths

=head1 ENVIRONMENT

    FLOWDASH_NGINX    the nginx to test; else nginx in PATH or /usr/sbin
    FLOWDASH_MODULE   the module; else build/ngx_http_flowdash_module.so
    FLOWDASH_PRELOAD  LD_PRELOAD for nginx alone, as sanitizers need it
    FLOWDASH_NPM      where npm's packages are; else build/npm, if it exists
    FLOWDASH_KEEP     keep the temporary directory
    FLOWDASH_TIMEOUT  seconds until a test file is ended by force, 1200
    FLOWDASH_TALLY    a file; what failing tests say is added to FILE.said

=head1 TIME

No test may depend on the speed of the machine.  All limits here are far beyond
what is ever needed and cost nothing unless something is wrong: wait_for() what
shall be, and let an endpoint answer "until" something is.

=cut

use v5.36;

use Carp qw(croak);
use Cwd qw(abs_path);
use Exporter ();
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Spec;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use List::Util qw(first);
use POSIX qw(WNOHANG);
use Storable qw(nfreeze thaw);
use Test::More;
use Test2::API ();
use Time::HiRes qw(sleep time);

use Test::Flowdash::HTTP;
use parent 'Test::Flowdash::Client';

our @EXPORT = (qw(header conf_ok conf_fails), @Test::More::EXPORT);

my $ROOT = abs_path(dirname(__FILE__) . '/../../..');
my $REPORT = qr/Sanitizer|runtime error|SUMMARY:|\[alert\]|exited on signal/;
my $TROUBLE = qr/$REPORT|\[emerg\]|open socket/;
my @SANITIZER_OPTIONS = qw(ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS);
my @tests;                          # every instance, for the END block

sub import { strict->import; warnings->import; goto &Exporter::import }

# What a failing test says stands far above the last line of "make test", which
# t/build/tally writes: that shows it once more.

if (my $tally = $ENV{FLOWDASH_TALLY}) {
    my $name = $0 =~ s/^\Q$ROOT\E\///r;

    Test2::API::test2_stack()->top->listen(sub ($hub, $event, @) {
        my @said = grep { ($_->{tag} // '') eq 'DIAG' }
            @{ $event->facet_data->{info} // [] } or return;
        open my $file, '>>', "$tally.said" or return;
        print $file map { "$name: $_\n" }
            map { split /\n/, $_->{details} } @said;
    });
}


# The life of a test.  Everything it starts joins the process group of a guard,
# so that one kill() ends it all; the guard does so by itself once the test is
# gone, however it went.

# new(module => 0 | path, log_level => 'debug')

sub new ($class, %option) {
    my $nginx = $ENV{FLOWDASH_NGINX}
        // first { -x } map { "$_/nginx" } File::Spec->path, '/usr/sbin';
    my $module = $option{module} // $ENV{FLOWDASH_MODULE}
        // "$ROOT/build/ngx_http_flowdash_module.so";

    BAIL_OUT('no nginx found') if !$nginx || !-x $nginx;

    my $self = bless {
        pid => $$,
        dir => tempdir('flowdash-XXXXXXXX', TMPDIR => 1),
        nginx => File::Spec->rel2abs($nginx),
        module => $module && File::Spec->rel2abs($module),
        log_level => $option{log_level} // 'debug',
        ports => {}, seen => {}, exits => [], allowed => [], suspect => '',
    }, $class;

    $SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
    $self->{guard} = $self->_fork(sub { $self->_guard });
    push @tests, $self;

    return $self;
}

sub _fork ($self, $code) {
    STDOUT->flush;
    defined(my $pid = fork) or die "fork: $!\n";

    if ($pid) {
        setpgrp $pid, $self->{guard} // $pid;
        return $pid;
    }

    setpgrp 0, $self->{guard} // 0;
    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP CHLD);
    open STDOUT, '>&', \*STDERR;
    eval { $code->(); 1 } or warn $@;
    POSIX::_exit(127);
}

sub _guard ($self) {
    my $end = time + ($ENV{FLOWDASH_TIMEOUT} || 1200);

    while (getppid == $self->{pid}) {
        if (time > $end) {
            warn "# the test takes too long\n";
            kill TERM => $self->{pid};
            sleep 5;
            kill KILL => $self->{pid} if getppid == $self->{pid};
        }
        sleep 0.2;
    }

    $self->_remove_dir;
    kill KILL => -$$;
}

sub _remove_dir ($self) {
    return remove_tree($self->{dir}) if !$ENV{FLOWDASH_KEEP};
    warn "# kept: $self->{dir}\n";
}

# stops nginx, asserts that it and its logs are all right, and that no request
# was overlooked (see only_request()), ends the plan

sub done ($self) {
    $self->stop;
    $self->{done} = 1;

    my @more = grep { $self->_overlooked($_) } sort keys %{ $self->{seen} };

    my @lines = grep { /$TROUBLE/ }
        split /\n/, join "\n", map { $self->read_file($_) // '' }
            'error.log', 'stderr.log';
    push @lines, grep { /$REPORT/ } split /\n/, $self->{suspect};

    for my $allowed (@{ $self->{allowed} }) {
        @lines = grep { !/$allowed/ } @lines;
    }
    $#lines = 19 if @lines > 20;

    is(join(', ', grep { $_ ne '0' } @{ $self->{exits} }), '',
       'nginx exited with 0');
    is(join("\n", @lines), '', 'nothing alarming in the logs');
    is("@more", '', 'no request was overlooked');

    done_testing();
}

sub allow_log ($self, $re) { push @{ $self->{allowed} }, $re; return $self }

END {
    my $status = $?;

    for my $t (grep { $_->{pid} == $$ } @tests) {
        local @SIG{qw(INT TERM HUP)} = ('IGNORE') x 3;
        my $plan = Test2::API::test2_stack()->top->plan // '';
        fail('done() was called')
            if !$t->{done} && !$status && $plan ne 'SKIP';

        kill KILL => -$t->{guard};
        waitpid $t->{guard}, 0;
        $t->_remove_dir;
    }

    $? = $status;
}


# Endpoints.

# endpoint(name => { status, headers, body, chunked, no_length, close,
#                    delay => seconds, until => sub { ... } })
# endpoint(name => sub ($request) { return { ... } })
# It answers after the delay, and once the sub of "until" returns true.  All
# subs run in the endpoint's process: its variables are not the test's, but it
# sees the test's files.

sub endpoint ($self, $name, $answer = {}) {
    require Test::Flowdash::Server;
    return $self->_endpoint($name, sub ($listen, $record) {
        Test::Flowdash::Server::serve($listen, $answer, $record);
    });
}

# raw_endpoint(name => sub ($request, $n, %option) { ... }, %option)
# raw_endpoint(name => 'drip', body => ...), or another of %BEHAVIOUR
# The sub returns what to do, as Test::Flowdash::Server explains.

sub raw_endpoint ($self, $name, $handler, %option) {
    require Test::Flowdash::Server;
    $handler = Test::Flowdash::Server::behaviour($handler) if !ref $handler;

    return $self->_endpoint($name, sub ($listen, $record) {
        Test::Flowdash::Server::serve_raw($listen, $handler, $record, %option);
    });
}

# server(name => sub ($listen, $record) { ... }): what speaks no HTTP; the sub
# runs in a process of its own and serves the listening socket.

sub server ($self, $name, $serve) { return $self->_endpoint($name, $serve) }

# The socket that reserves the port becomes the one that listens on it.

sub _endpoint ($self, $name, $serve) {
    croak "endpoint $name exists already" if $self->{seen}{$name};

    $self->port($name);
    my $listen = delete $self->{ports}{$name}{socket};
    $listen->listen(1024) or die "listen: $!\n";
    $self->{seen}{$name} = { offset => 0, requests => [] };
    $self->write_file("$name.requests", '');

    $self->_fork(sub {
        open my $file, '>>:raw', "$self->{dir}/$name.requests" or die $!;
        $serve->($listen, sub ($request) {
            my $bytes = nfreeze($request);
            syswrite $file, pack('N', length $bytes) . $bytes;
        });
    });

    return $self;
}

# all requests received so far, in order of arrival; recorded before the answer

sub requests ($self, $name) {
    my $seen = $self->{seen}{$name} // croak "no endpoint $name";

    open my $file, '<:raw', "$self->{dir}/$name.requests" or die $!;
    seek $file, $seen->{offset}, 0;
    while (read($file, my $length, 4) == 4) {
        $length = unpack 'N', $length;
        last if read($file, my $bytes, $length) != $length;
        my $request = thaw($bytes);
        $request->json if length $request->{body} < 1_000_000;
        push @{ $seen->{requests} }, $request;
        $seen->{offset} += 4 + $length;
    }

    return @{ $seen->{requests} };
}

sub clear_requests ($self, $name) {
    croak "no endpoint $name" if !$self->{seen}{$name};
    fail("no request to $name was overlooked") if $self->_overlooked($name);
    truncate "$self->{dir}/$name.requests", 0;
    $self->{seen}{$name} = { offset => 0, requests => [] };
    return $self;
}

# The requests since one of these three was called last: all of them; the only
# one; none.  The test fails if there are others, as well as when more of them
# are found by clear_requests() and done().

sub new_requests ($self, $name) {
    my @requests = $self->requests($name);
    my $seen = $self->{seen}{$name};
    my @new = @requests[($seen->{asked} // 0) .. $#requests];
    $seen->{asked} = @requests;
    return @new;
}

sub only_request ($self, $name, $test = "one request to $name") {
    my @new = $self->new_requests($name);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(scalar @new, 1, $test);
    return $new[0] // Test::Flowdash::Message->none;
}

sub no_request ($self, $name, $test = "no request to $name") {
    my @new = $self->new_requests($name);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is(scalar @new, 0, $test);
}

sub _overlooked ($self, $name) {
    return defined $self->{seen}{$name}{asked}
        && scalar(my @more = $self->new_requests($name));
}

# A port stays bound, with SO_REUSEADDR, but not listening: nginx can listen on
# it, and the kernel gives it to nobody else.  Unused, it refuses connections.

sub port ($self, $name) {
    my $port = $self->{ports}{$name} //= do {
        my $socket = IO::Socket::INET->new(
            Proto => 'tcp', LocalAddr => '127.0.0.1', ReuseAddr => 1)
            or die "no free port: $@\n";
        { socket => $socket, number => $socket->sockport };
    };
    return $port->{number};
}


# Files and configurations.

sub dir ($self) { return $self->{dir} }

sub write_file ($self, $name, $content) {
    my $path = "$self->{dir}/$name";
    make_path(dirname($path));
    open my $file, '>:raw', $path or die "$path: $!\n";
    print $file $content;
    close $file or die "$path: $!\n";
    return $path;
}

sub read_file ($self, $name) {
    open my $file, '<:raw', "$self->{dir}/$name" or return;
    local $/;
    return scalar readline $file;
}

sub error_log ($self)  { return $self->read_file('error.log') // '' }
sub access_log ($self) { return $self->read_file('access.log') // '' }

sub config ($self, $string) {
    $self->write_file('nginx.conf', $self->_expand($string,
        pid => 'nginx.pid', error_log => "$self->{dir}/error.log"));
    return $self;
}

# nginx -t, or -T: whether it agrees, and what it says

sub test_config ($self, $string, $switch = '-t') {
    $self->write_file('test.conf', $self->_expand($string,
        pid => 'test.pid', error_log => 'stderr'));
    $self->write_file('test.out', '');

    my $pid = $self->_start_nginx('test.out', $switch, '-c', 'test.conf');
    my $status = $self->_reap($pid, 60);
    my $output = $self->read_file('test.out');
    if (!defined $status) {
        kill KILL => $pid;
        waitpid $pid, 0;
        $output .= "nginx $switch did not end\n";
    }

    $self->{suspect} .= $output;
    return (defined $status && $status eq '0', $output);
}

sub conf_ok ($self, $string, $name) {
    my ($ok, $output) = $self->test_config($string);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok($ok, $name) || diag($output);
}

sub conf_fails ($self, $string, $message, $name) {
    my ($ok, $output) = $self->test_config($string);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(!$ok && $output =~ $message, $name) || diag($output);
}

sub _expand ($self, $conf, %file) {
    if ($conf !~ /\bevents\s*\{/) {
        $conf = "server {\nlisten 127.0.0.1:%%PORT_http%%;\n$conf\n}"
            if $conf !~ /\bserver\s*\{/;
        $conf = "%%GLOBALS%%\nevents {\n}\n"
            . "http {\n%%HTTP_GLOBALS%%\n$conf\n}\n";
    }

    my @globals = ("pid $self->{dir}/$file{pid}",
                   "error_log $file{error_log} $self->{log_level}",
                   map { "env $_" } grep { $ENV{$_} } @SANITIZER_OPTIONS);
    push @globals, "load_module $self->{module}" if $self->{module};
    push @globals, 'worker_processes 1' if $conf !~ /^\s*worker_processes\s/m;
    push @globals, 'user root' if $> == 0 && $conf !~ /^\s*user\s/m;

    my @http = ("access_log $self->{dir}/access.log",
                'default_type text/plain', "root $self->{dir}",
                "client_body_temp_path $self->{dir}/client_body_temp",
                map { "${_}_temp_path $self->{dir}/${_}_temp" }
                    qw(proxy fastcgi uwsgi scgi));

    $conf =~ s/%%GLOBALS%%/join ' ', map { "$_;" } @globals/ge;
    $conf =~ s/%%HTTP_GLOBALS%%/join ' ', map { "$_;" } @http/ge;
    $conf =~ s/%%DIR%%/$self->{dir}/g;
    $conf =~ s/%%PORT_(\w+)%%/$self->port($1)/ge;
    return $conf;
}


# nginx.

sub run ($self) {
    croak 'nginx runs already' if $self->{master};
    croak 'no config() yet' if !-e "$self->{dir}/nginx.conf";
    unlink "$self->{dir}/nginx.pid";

    my $pid = $self->{master} = $self->_start_nginx(
        'stderr.log', '-c', 'nginx.conf', '-g', 'daemon off;');
    my $conf = $self->read_file('nginx.conf');
    my $workers = $conf =~ /\bmaster_process\s+off/ ? 0
        : $conf =~ /\bworker_processes\s+(\d+)/ ? $1 : 1;

    # the pid file is written once nginx listens

    my $status;
    my $up = $self->wait_for(sub {
        return 1 if defined($status = $self->_reap($pid, 0));
        return ($self->read_file('nginx.pid') // '') =~ /^$pid$/
            && $self->worker_pids >= $workers;
    });
    return $self if $up && !defined $status;

    $self->{master} = undef if defined $status;
    diag($self->error_log =~ s/^.*\[debug\].*\n//gmr,
         $self->read_file('stderr.log'));
    die "nginx does not start\n";
}

sub _start_nginx ($self, $output, @arguments) {
    return $self->_fork(sub {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/$output" or die $!;
        open STDERR, '>&', \*STDOUT;

        my @preload = grep { $_ } $ENV{FLOWDASH_PRELOAD}, $self->{preload};
        $ENV{LD_PRELOAD} = "@preload" if @preload;
        $ENV{ASAN_OPTIONS} .= ':verify_asan_link_order=0'
            if $self->{preload} && $ENV{ASAN_OPTIONS};
        for my $name (grep { $ENV{$_} } @SANITIZER_OPTIONS) {
            $ENV{$name} =~ s/(^|:)log_path=[^:]*//g;
        }

        exec $self->{nginx}, '-p', "$self->{dir}/", '-e', 'stderr', @arguments
            or die "$self->{nginx}: $!\n";
    });
}

# Compiles a C file of t/tool, and loads it into all nginx that are started from
# now on, before the C library; without a name, nothing is loaded any more.

sub preload ($self, $name = undef) {
    $self->{preload} = $name && "$self->{dir}/$name.so";
    return if !$name;
    system($ENV{CC} || 'cc', qw(-Wall -Wextra -Werror -O1 -shared -fPIC -o),
           $self->{preload}, "$ROOT/t/tool/$name.c") == 0
        or die "$name.c does not compile\n";
}

# Makes a module of nginx from t/tool, to be loaded beside ours; nginx's headers
# are where that was built.  Returns its path, or nothing without them.

sub nginx_module ($self, $name) {
    my ($objs) = grep { -e "$_/ngx_auto_config.h" }
                      glob(dirname($self->{module}) . '/nginx*/objs') or return;
    my @folders = qw(core event event/modules event/quic os/unix http
                     http/modules http/v2 http/v3);

    system($ENV{CC} || 'cc', qw(-Wall -Wextra -Werror -O1 -shared -fPIC),
           (map { ('-isystem', $_) } $objs, map { "$objs/../src/$_" } @folders),
           '-o', "$self->{dir}/$name.so", "$ROOT/t/tool/$name.c") == 0
        or die "$name.c does not compile\n";

    return "$self->{dir}/$name.so";
}

# Debian's modules, as the lines that load them, by name: those that fit this
# nginx.

sub debian_modules ($self) {
    my $modules = '/usr/lib/nginx/modules';
    my %load = (
        js => "load_module $modules/ngx_http_js_module.so;",
        lua => "load_module $modules/ndk_http_module.so;"
            . "load_module $modules/ngx_http_lua_module.so;",
    );

    for my $name (sort keys %load) {
        my ($ok, $output) = $self->test_config(
            "%%GLOBALS%% $load{$name} events { } http { %%HTTP_GLOBALS%% }");
        next if $ok;
        die $output if $output !~ /dlopen\(\)|not binary compatible|version/;
        delete $load{$name};
    }

    return %load;
}

# the exit code, "signal N", or nothing when the time is up first

sub _reap ($self, $pid, $seconds) {
    _poll(sub { waitpid($pid, WNOHANG) == $pid }, $seconds) or return;
    return $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
}

# QUIT, or TERM; returns the exit code, or a word on what went wrong instead

sub stop ($self, $seconds = 60, $signal = 'QUIT') {
    my $pid = delete $self->{master} or return;

    kill $signal => $pid;
    my $status = $self->_reap($pid, $seconds);

    if (!defined $status) {
        $status = "did not stop within $seconds s";
        kill KILL => $pid, map { $_->{pid} } _children($pid);
        waitpid $pid, 0;
    }

    push @{ $self->{exits} }, $status;
    return $status;
}

# HUP; true when new workers have taken the place of all the old ones.  They must
# not be those of an earlier HUP.

sub reload ($self) {
    $self->wait_for(sub { $self->_master_waits });
    my %old = map { $_ => 1 } $self->worker_pids;
    $self->signal('HUP');
    return $self->wait_for(sub {
        my @now = $self->worker_pids;
        return @now && !grep({ $old{$_} } @now) && $self->_master_waits;
    });
}

# The master blocks signals unless it has nothing to do.  SIGHUP is the first.

sub _master_waits ($self) {
    open my $status, '<', "/proc/$self->{master}/status" or return;
    return !grep { /^(?:ShdPnd|SigBlk):.*(\w)$/ && hex($1) & 1 } <$status>;
}

sub signal ($self, $name) { return kill $name => $self->{master} }
sub master_pid ($self) { return $self->{master} }

# the workers that are up and not about to exit

sub worker_pids ($self) {
    my $title = qr/^(?:nginx: worker process|angie: worker process #\d+)\s*$/;
    my @workers = grep { $_->{title} =~ $title } _children($self->{master});
    return map { $_->{pid} } @workers;
}

sub _children ($parent) {
    my @children;
    for my $proc (glob '/proc/[0-9]*') {
        open my $stat, '<', "$proc/stat" or next;
        next if (readline($stat) // '') !~ /^(\d+) .*\) \S $parent /s;
        my $pid = $1;
        open my $cmdline, '<', "$proc/cmdline" or next;
        my $title = readline($cmdline) // '';
        push @children, { pid => $pid, title => $title =~ tr/\0/ /r };
    }
    return @children;
}

# what a condition returns as soon as it is true

sub wait_for ($self, $condition, $seconds = 60) {
    my $result = _poll($condition, $seconds);
    diag('waited in vain: ', join ' line ', (caller)[1, 2]) if !$result;
    return $result;
}

sub _poll ($condition, $seconds) {
    my $end = time + $seconds;
    while (1) {
        my $result = $condition->();
        return $result if $result || time >= $end;
        sleep 0.01;
    }
}


# Of a request or an answer; see Test::Flowdash::HTTP.

sub header ($message, $name) { return $message->header($name) }

1;
