package Test::Flowdash::Bench;

=head1 NAME

Test::Flowdash::Bench - gateways side by side, load on them, and what it costs

=head1 SYNOPSIS

    my $t = Test::Flowdash::Bench->new;

    $t->start_others;                       # the app and the endpoint
    my $peer = $t->start_peer('flowdash');  # t/bench/peers/flowdash.conf
    my $r = $t->measure($peer, '/call', body('1 kB'), connections => 64,
                        seconds => 3);
    say "$r->{cpu} us of CPU an action, $r->{rps} actions a second";

=head1 PLACEHOLDERS

In the files of t/bench/peers, these words are replaced: PORT and PORT2 (of the
peer), APP, CRM and CRM_TLS (where the app and the endpoint listen), WORKERS,
BUFFER, THREADS, DIR (the peer's own), PEERS (t/bench/peers), RESTY, MODULE, CA,
CERTIFICATE and KEY, and, for nginx, NGINX, HTTP and UPSTREAMS, which are the
same in all of them.
"STEPS 4 call" stands for four steps by flowdash_call, "STEPS 4 proxied" for
four by proxy_pass.

=cut

use v5.36;

use Cwd qw(abs_path);
use Exporter ();
use File::Basename qw(dirname);
use File::Path qw(make_path);
use IO::Socket::INET;
use JSON::PP qw(decode_json encode_json);
use List::Util qw(first sum0);
use Time::HiRes qw(clock_gettime CLOCK_PROCESS_CPUTIME_ID sleep time);

use Test::Flowdash ();
use Test::Flowdash::Npm;
use Test::Flowdash::TLS;

use parent -norequire, 'Test::Flowdash';

our @EXPORT_OK = qw(body contract median resty ANSWER CHANGED STAGE);

sub import { goto &Exporter::import }

my $ROOT = abs_path(dirname(__FILE__) . '/../../../..');
my $PEERS = "$ROOT/t/bench/peers";

use constant { STAGE => 'Completed', CHANGED => 'Completed, invoiced' };
use constant ANSWER => '{"task":{"Stage":"' . CHANGED . '"}}';

my %USER = (id => 'abc123', email => 'user@example.com',
            first_name => 'Example', last_name => 'User');


# Bodies.

my %FIELDS = ('1 kB' => 8, '100 kB' => 1000, '1 MB' => 9_500,
              '10 MB' => 100_000);
my $BOUNDARY = 'xxBOUNDARYxx';

# body($size) of the table above, or of "multipart": { size, type, text }

sub body ($size) {
    return multipart() if $size eq 'multipart';

    my $text = '{"task":{"Stage":"' . STAGE . '",'
        . '"Assigned To":"user@example.com","Company ID":"42",'
        . '"Company Name":"Acme Corp","Number of Employees":"20",'
        . '"Contract Value":"10000","International?":false';

    # the eighth field fills up what is missing to 1,000 bytes
    $text .= ',"Notes":"' . 'Called them on Monday. ' x 34 . '"';
    $text .= sprintf ',"Field number %06d of the task":"value %06d, and some '
        . 'words to make it as long as people write"', $_, $_
        for 9 .. $FIELDS{$size};

    return { size => $size, type => 'application/json', text => "$text}}" };
}

# a file of 1 MB, and behind it the field that is changed

sub multipart () {
    srand 1;
    my $file = join '', map { pack 'L', rand 2 ** 32 } 1 .. 1 << 18;
    my $text = join '', map {
        my ($name, $value) = @$_;
        "--$BOUNDARY\r\nContent-Disposition: form-data; $name\r\n\r\n"
            . "$value\r\n"
    } [ 'name="task[Title]"', 'Offer' ],
      [ 'name="file"; filename="a.bin"', $file ],
      [ 'name="task[Stage]"', STAGE ];

    return { size => 'multipart', text => "$text--$BOUNDARY--\r\n",
             type => "multipart/form-data; boundary=$BOUNDARY" };
}

# what the endpoint must be told of a body

sub contract ($body) {
    my $task = $body->{size} eq 'multipart'
        ? { Title => 'Offer', Stage => STAGE }
        : decode_json($body->{text})->{task};
    return { action => 'Finish', user => { %USER }, task => $task };
}


# What runs beside each other.  The gateway has a processor of its own, where
# there is one; with two workers, it shares all of them.

sub new ($class, %option) {
    my $self = Test::Flowdash::new($class, log_level => 'error', %option);

    $self->{done} = 1;                      # this is no test
    authority($self, 'ca');
    certificate($self, 'crm', by => 'ca',
                names => 'DNS:localhost,DNS:127.0.0.1,IP:127.0.0.1');

    my ($first, @more) = processors();
    $self->{processors} = { gateway => $first,
        others => join(',', @more ? @more : $first),
        all => join(',', $first, @more) };
    return $self;
}

# the numbers of those that we may use

sub processors () {
    my ($list) = _slurp('/proc/self/status') =~ /^Cpus_allowed_list:\s*(\S+)/m;
    return map { /(\d+)-(\d+)/ ? $1 .. $2 : $_ } split /,/, $list // '0';
}

# the app and the endpoint, also over TLS

sub start_others ($self) {
    my @ports = map { $self->port($_) } qw(app crm);
    my $pid = $self->_fork(sub {
        _exec($self->{processors}{others}, "$ROOT/build/bench/others", @ports,
              ANSWER);
    });

    $self->_wait_for_peer({ name => 'others', main => $pid, port => $_,
                            alone => 1 }) for @ports;
    $self->_start('tls', 'tls', 'crm_tls');
}

# start_peer($kind, %option)
# A kind is a file in t/bench/peers.  Options: how many "workers"; other ports,
# "app" and "crm"; Apache's "threads", HAProxy's "buffer"; a log, "callgrind",
# under which it runs then.  Returns { name, kind, port, pids }.

my $number = 0;

sub start_peer ($self, $kind, %option) {
    my $name = $kind . ++$number;
    return $self->_start($name, $kind, $name, %option);
}

sub _start ($self, $name, $kind, $port, %option) {
    my ($file) = grep { -e } map { "$PEERS/$kind.$_" } qw(conf cfg js);
    my $dir = "$self->{dir}/$name";
    my $workers = $option{workers} // 1;
    my @valgrind = $option{callgrind} ? _valgrind($option{callgrind}) : ();
    my %value = (
        PORT => $self->port($port), PORT2 => $self->port("${port}_second"),
        APP => $option{app} // $self->port('app'),
        CRM => $option{crm} // $self->port('crm'),
        CRM_TLS => $self->port('crm_tls'), WORKERS => $workers,
        MASTER => @valgrind ? 'off' : 'on', MODULE => $self->{module},
        THREADS => $option{threads} // 1100,
        BUFFER => $option{buffer} // 65536, DIR => $dir, PEERS => $PEERS,
        RESTY => resty() // $PEERS,
        ANSWER => ANSWER, CA => "$self->{dir}/ca.pem",
        CERTIFICATE => "$self->{dir}/crm.pem", KEY => "$self->{dir}/crm.key");

    make_path($dir);
    my $conf = $self->write_file("$name/conf", _expand_peer($file, \%value));
    my $processor = $self->{processors}{ $kind eq 'tls' ? 'others'
        : $workers > 1 ? 'all' : 'gateway' };

    my $pid = $self->_fork(sub {
        open STDERR, '>>', "$dir/stderr";
        open STDOUT, '>&', \*STDERR;
        $ENV{NODE_PATH} = npm_modules('fastify') if $kind eq 'node';
        _exec($processor,
            $kind eq 'haproxy' ? ('haproxy', '-db', '-q', '-f', $conf)
            : $kind eq 'apache' ? ('apache2', '-DFOREGROUND', '-f', $conf)
            : $kind eq 'node' ? ('node', $file, @value{
                  qw(PORT CRM CRM_TLS APP CA)})
            : (@valgrind, $self->{nginx}, '-e', 'stderr', '-c', $conf));
    });

    my $peer = { name => $name, kind => $kind, port => $value{PORT},
                 main => $pid, workers => $workers,
                 alone => scalar($kind =~ /haproxy|node/ || @valgrind) };
    $self->_wait_for_peer($peer);
    return $peer;
}

sub _exec ($processor, @command) {
    $ENV{PATH} .= ':/usr/sbin';
    exec 'taskset', '-c', $processor, @command or POSIX::_exit(1);
}

sub _wait_for_peer ($self, $peer) {
    my $end = time + 60;

    while (time < $end) {
        my $socket = IO::Socket::INET->new(
            PeerAddr => '127.0.0.1', PeerPort => $peer->{port});
        my @pids = $peer->{alone} ? $peer->{main} : _children($peer->{main});
        $peer->{pids} = \@pids;
        return if $socket && @pids >= ($peer->{workers} // 1);
        last if defined $self->_reap($peer->{main}, 0);
        sleep 0.1;
    }

    die "$peer->{name} does not start:\n", $self->peer_log($peer);
}

sub peer_log ($self, $peer) {
    return join '', map { $self->read_file("$peer->{name}/$_") // '' }
        qw(stderr error.log);
}

# where lua-resty-http is, if it is there: in RESTY_HTTP, or where packages of
# Lua are installed

sub resty () {
    return first { -e "$_/resty/http.lua" }
        grep { defined } $ENV{RESTY_HTTP}, '/usr/local/share/lua/5.1',
            '/usr/share/lua/5.1';
}

sub stop_peer ($self, $peer) {
    kill TERM => $peer->{main};
    return if defined $self->_reap($peer->{main}, 3);
    kill KILL => $peer->{main}, @{ $peer->{pids} };
    $self->_reap($peer->{main}, 10);
}

sub _children ($pid) {
    return split ' ', _slurp("/proc/$pid/task/$pid/children");
}

sub _expand_peer ($file, $value) {
    my $text = _slurp($file);
    my $user = $> == 0 ? 'user root;' : '';
    my $paths = join "\n    ", map { "${_}_temp_path $value->{DIR}/$_;" }
        qw(client_body proxy fastcgi uwsgi scgi);

    $value->{NGINX} = <<"END";
$user
daemon off;
master_process $value->{MASTER};
worker_processes $value->{WORKERS};
worker_rlimit_nofile 16384;
pid $value->{DIR}/pid;
error_log $value->{DIR}/error.log error;
events { worker_connections 8192; }
END
    $value->{HTTP} = <<"END";
access_log off;
    $paths
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_max_body_size 0;
    client_body_buffer_size 32m;
END
    $value->{UPSTREAMS} = join "\n    ", 'proxy_http_version 1.1;',
        'proxy_set_header Connection "";', map {
            "upstream " . lc . " { server 127.0.0.1:$value->{$_}; "
                . 'keepalive 1024; keepalive_requests 1000000000; '
                . 'keepalive_timeout 1h; }'
        } qw(APP CRM CRM_TLS);

    $text =~ s/%%STEPS (\d+) (\w+)%%/_steps($1, $2, $value)/ge;
    $text =~ s/%%(\w+)%%/$value->{$1} \/\/ die "$file: $1\n"/ge;
    return $text;
}

sub _steps ($n, $how, $value) {
    my $handler = $how eq 'proxied' ? 'proxy_pass http://crm/crm;'
        : "flowdash_call http://127.0.0.1:$value->{CRM}/crm;";
    return join "\n            ",
        map { qq(flowdash_step "CRM $_" { $handler }) } 1 .. $n;
}


# What they cost.

# microseconds of CPU of all threads of a peer, since it began; the kernel's
# part belongs to it

sub cpu ($self, $peer) {
    return sum0(map { /^(\d+)/ ? $1 / 1000 : 0 }
        map { _slurp($_) } map { glob "/proc/$_/task/*/schedstat" }
        @{ $peer->{pids} });
}

# resident bytes

sub memory ($self, $peer) {
    return sum0(map { 1024 * $_ } map { /^VmRSS:\s+(\d+)/m ? $1 : 0 }
        map { _slurp("/proc/$_/status") } @{ $peer->{pids} });
}

sub _slurp ($name) {
    open my $file, '<', $name or return '';
    local $/;
    return readline($file) // '';
}

# measure($peer, $uri, $body, connections, seconds, rate): what t/bench/load.c
# prints, and { cpu => microseconds an action }

sub measure ($self, $peer, $uri, $body, %option) {
    my $before = $self->cpu($peer);
    my $result = $self->_program('others', "$ROOT/build/bench/load",
        $peer->{port}, $uri, $body->{type}, $self->body_file($body),
        $option{connections}, $option{seconds}, $option{rate} // ());

    $result->{cpu} = ($self->cpu($peer) - $before) / $result->{requests};
    return $result;
}

# the same for libcurl alone, which calls the endpoint with the payload; with
# "callgrind", a log, it is counted

sub measure_libcurl ($self, $body, %option) {
    my $file = "$self->{dir}/payload $body->{size}";
    $self->write_file("payload $body->{size}", encode_json(contract($body)))
        if !-e $file;

    return $self->_program('gateway', _libcurl($option{callgrind}), $option{tls}
        ? 'https://localhost:' . $self->port('crm_tls') . '/crm'
        : 'http://127.0.0.1:' . $self->port('crm') . '/crm',
        $file, $option{connections}, $option{seconds},
        $option{tls} ? "$self->{dir}/ca.pem" : ());
}

sub _libcurl ($log) {
    my $program = "$ROOT/build/bench/libcurl";
    return $log ? (_valgrind($log), $program) : $program;
}

sub _valgrind ($log) {
    return ('valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null',
            "--log-file=$log");
}

sub body_file ($self, $body) {
    my $file = "$self->{dir}/body $body->{size}";
    $self->write_file("body $body->{size}", $body->{text}) if !-e $file;
    return $file;
}

sub _program ($self, $processors, @command) {
    open my $pipe, '-|', 'taskset', '-c', $self->{processors}{$processors},
        @command or die "taskset: $!\n";
    my $output = do { local $/; readline $pipe } // '';
    close $pipe or die "@command\n";

    my $result = decode_json($output);
    die "@command: no answer\n" if !$result->{requests};
    return $result;
}

# Nothing but the processor: microseconds of CPU for the same work each time.

sub spin ($self) {
    my $before = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
    my $x = 1;
    $x = ($x * 1103515245 + 12345) & 0x7fffffff for 1 .. 1_000_000;
    return 1e6 * (clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $before);
}

sub median (@values) {
    my @sorted = sort { $a <=> $b } @values;
    return if !@sorted;
    return sum0(@sorted[$#sorted / 2, @sorted / 2]) / 2;
}

1;
