# After a peak, a worker gives its memory back to the system.

use FindBin;
use lib "$FindBin::Bin/lib";
use v5.36;
use Test::Flowdash;

use IO::Select;

use constant ACTIONS => 400;

my $t = Test::Flowdash->new(log_level => 'info');
my $dir = $t->dir;

# reads all calls, answers the first one, and the others when it is time

$t->server(crm => sub ($listen, $) {
    my $select = IO::Select->new($listen);
    my $n = 0;
    my %waiting;

    while (1) {
        for my $socket ($select->can_read(0.1)) {
            if ($socket == $listen) {
                my $new = $listen->accept or next;
                $select->add($new);
                $waiting{$new} = $new;
                $t->write_file('waiting', ++$n);
            } elsif (!sysread $socket, my $bytes, 1_000_000) {
                $select->remove($socket);
                delete $waiting{$socket};
            }
        }

        next if $n != 1 && !-e "$dir/go";
        syswrite $_, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
            . "Connection: close\r\n\r\n" for values %waiting;
        %waiting = ();
    }
});

$t->config(<<'EOC');
%%GLOBALS%%
events { worker_connections 2048; }
http {
    %%HTTP_GLOBALS%%
    flowdash_timeout 300s;
    flowdash_deadline 300s;
    client_body_buffer_size 128k;

    server {
        listen 127.0.0.1:%%PORT_http%%;

        location / {
            flowdash_action Save;
            flowdash_step CRM { flowdash_call http://127.0.0.1:%%PORT_crm%%/; }
            proxy_pass http://127.0.0.1:%%PORT_http%%/app;
        }

        location = /app { return 204; }
    }
}
EOC

$t->run;

my $line = qr/the worker had (\d+)M, and has (\d+)M/;

# the memory of an idle worker is known from its first action

is($t->post_json('/', '{"task":{"a":"quick"}}')->{status}, 204, 'an action');

my $task = '{"task":{"a":"' . 'x' x 100_000 . '"}}';

my @actions = map { $t->start('POST', '/', body => $task,
    headers => [ 'Content-Type' => 'application/json' ]) } 1 .. ACTIONS;

ok($t->wait_for(sub { ($t->read_file('waiting') || 0) > ACTIONS }),
   'many wait together');
unlike($t->error_log, $line, 'meanwhile, nothing is given back');

$t->write_file('go', '');

my @failed = grep { $t->finish($_)->{status} != 204 } @actions;
is(scalar @failed, 0, 'all end');

$t->wait_for(sub { $t->error_log =~ $line });

my ($before, $after) = $t->error_log =~ $line;

SKIP: {
    skip 'a sanitizer has a malloc() of its own', 1 if $ENV{FLOWDASH_SANITIZED};
    cmp_ok($after, '<', $before - 16, "from $before MB to $after MB");
}

$t->done;
