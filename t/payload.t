# How many pieces of memory of a MB nginx holds at once.  A large payload is in
# slices of the client's body: there is no other piece.  What must be a copy is
# freed when the step has ended: more steps need no more.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->endpoint($_) for qw(crm app);

my %handler = (
    call => 'flowdash_call http://127.0.0.1:%%PORT_crm%%/;',
    proxy => 'proxy_pass http://127.0.0.1:%%PORT_crm%%;',
);

# in a form, a field is escaped

my $body = 'flowdash_set_body form a=$flowdash_task_a;';

$handler{"${_}_body"} = "$body $handler{$_}" for keys %handler;

sub steps {
    my ($n, $handler) = @_;
    return join '', map { "flowdash_step $_ { $handler }" } 1 .. $n;
}

my $locations = join '', map {
    my $handler = $_;
    map { "location /$handler$_ { flowdash_action Save;"
          . steps($_, $handler{$handler})
          . 'proxy_pass http://127.0.0.1:%%PORT_app%%; }' } 2, 20;
} sort keys %handler;

$t->config(<<"EOC");
    client_max_body_size 4m;

    $locations
EOC

$t->run;

my $task = '{"task":{"a":"' . 'x' x 1_000_000 . '"}}';

# nginx's debug log says what is allocated and freed

sub most_held {
    my ($uri) = @_;
    my $before = length $t->error_log;

    is($t->post_json($uri, $task)->{status}, 200, "$uri passes");
    is(scalar(grep { length $_->{body} > 1_000_000 } $t->new_requests('crm')),
       ($uri =~ /(\d+)/)[0], 'with all payloads');
    $t->only_request('app');

    my ($now, $most, %held) = (0, 0);
    for (split /\n/, substr $t->error_log, $before) {
        if (/ (?:malloc|posix_memalign): ([0-9A-F]+):(\d+)/
            && $2 >= 1_000_000)
        {
            $held{$1} = 1;
            $now++;
            $most = $now if $now > $most;
        }
        elsif (/ free: ([0-9A-F]+)/ && delete $held{$1}) {
            $now--;
        }
    }
    return $most;
}

for my $handler (sort keys %handler) {
    my $two = most_held("/${handler}2");
    is($two, 1, 'the body') unless $handler =~ /_body/;
    is(most_held("/${handler}20"), $two, "$handler: no more with 20 steps");
}

$t->done;
