# What an action holds while its step waits: the client's body once, and little
# more, however the body has come, and whatever steps there were before.

use FindBin;
use lib "$FindBin::Bin/lib";
use v5.36;
use Test::Flowdash;

use IO::Select;

use constant { ACTIONS => 8, FIELDS => 9_500, MOST => 1.3 };

plan(skip_all => 'a sanitizer has a malloc() of its own')
    if $ENV{FLOWDASH_SANITIZED};

my $t = Test::Flowdash->new;

# reads calls, and answers none: when it is time, it closes their connections

$t->server(silent => sub ($listen, $) {
    my $select = IO::Select->new($listen);
    my ($read, $all) = (0, 0);

    while (1) {
        if (-e $t->dir . '/go') {
            close $_ for grep { $_ != $listen } $select->handles;
            $select = IO::Select->new($listen);
        }

        for my $socket ($select->can_read(0.1)) {
            if ($socket == $listen) {
                $select->add($listen->accept // next);
            } elsif (my $n = sysread $socket, my $bytes, 1_000_000) {
                $read += $n;
                $t->write_file('read', $read);
            } else {
                $select->remove($socket);
            }
        }
    }
});

$t->endpoint('app');
$t->endpoint(crm => { headers => [ 'Content-Type' => 'application/json' ],
                      body => '{"task":{"field 3":"changed","New":1}}' });

my %step = (
    call => 'flowdash_call http://127.0.0.1:%%PORT_silent%%/;',
    proxied => 'proxy_pass http://127.0.0.1:%%PORT_silent%%;',
);

my $app = 'flowdash_action Save; proxy_pass http://127.0.0.1:%%PORT_app%%;';
my $before = join '', map {
    qq(flowdash_step "$_" { flowdash_call http://127.0.0.1:%%PORT_crm%%/; } )
} 1 .. 3;

$t->config(<<"EOC");
%%GLOBALS%%
events { worker_connections 2048; }
http {
    %%HTTP_GLOBALS%%
    flowdash_timeout 600s;
    flowdash_deadline 600s;
    proxy_read_timeout 600s;
    client_max_body_size 8m;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        client_body_buffer_size 2m;

        location /call { flowdash_step Last { $step{call} } $app }
        location /proxied { flowdash_step Last { $step{proxied} } $app }
        location /steps { $before flowdash_step Last { $step{proxied} } $app }

        location /file {
            client_body_buffer_size 16k;
            flowdash_step Last { $step{proxied} }
            $app
        }
    }
}
EOC
$t->run;

my ($worker) = $t->worker_pids;
my $task = '{"task":{' . join(',', map { qq("field $_":") . 'x' x 95 . '"' }
                              1 .. FIELDS) . '}}';
my $sent = 0;
my @actions;

# starts some, and waits until all of their calls have been read

sub hold ($path) {
    push @actions, map { $t->start('POST', $path, body => $task,
        headers => [ 'Content-Type' => 'application/json' ]) } 1 .. ACTIONS;

    # a payload is a little longer than the body

    $sent += ACTIONS * length $task;
    $t->wait_for(sub { ($t->read_file('read') || 0) >= $sent })
        or die "the calls do not come\n";

    open my $in, '<', "/proc/$worker/status" or die "/proc: $!\n";
    my ($resident) = join('', <$in>) =~ /^VmRSS:\s+(\d+) kB/m;
    return $resident * 1024;
}

# what is free in the worker, and its caches, are taken by the first ones

for my $path (qw(/call /proxied /steps /file)) {
    my $some = hold($path);
    my $each = (hold($path) - $some) / ACTIONS / length $task;
    cmp_ok($each, '<', MOST, sprintf '%s: %.2f times the body', $path, $each);
}

$t->write_file('go', '');
my @other = grep { $t->finish($_)->{status} != 502 } @actions;
is(scalar @other, 0, 'all end');
$t->no_request('app', 'and no app is reached');

$t->done;
