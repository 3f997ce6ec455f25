# Memory that runs out in whole actions: as in t/memory.t, each call of the
# module that could fail for that does so once.  Then the app is not called
# without a mark, and no undo or after-step is lost without a line in the error
# log.  With an outbox that waits for the disk, with one that does not, and
# without one.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::Failing;

use JSON::PP qw(decode_json);

my $t = Test::Flowdash->new(log_level => 'info');

my $failing = Test::Flowdash::Failing->new($t)
    or plan skip_all => 'this module is not linked for failing calls';

# it waits for what workers that end have in the log, which takes minutes there
plan skip_all => 'takes too long under sanitizers'
    if $ENV{FLOWDASH_SANITIZED} && !$ENV{FLOWDASH_MEMORY_WHOLE};

my @json = ('Content-Type' => 'application/json');

$t->endpoint(crm => sub ($req) {
    return { status => 503 }
        if $req->{target} =~ m{^/undo/} && -e $t->dir . '/down';
    return { headers => \@json, body => '{"task":{"Id":"17"}}' };
});
$t->endpoint(app => sub ($req) {
    return { status => 409 } if $req->{target} =~ /refused/;
    return { headers => \@json, body => '{"a":1}' };
});

$t->write_file('token', 'a "secret"');
$t->write_file('key', 'k' x 32);
chmod 0600, map { $t->dir . "/$_" } qw(token key);

my $crm = 'http://127.0.0.1:%%PORT_crm%%';
my $app = 'http://127.0.0.1:%%PORT_app%%';

# where the undo or after-step of a request is told its number

my $n = '/$http_x_number';

sub conf ($outbox) {
    return <<"EOC";
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    log_format flow '\$http_x_number \$flowdash_id \$flowdash_result';
    flowdash_zone flowdash:1m executions=20;
    $outbox
    flowdash_secret \$token file:%%DIR%%/token;
    flowdash_user id "ann";

    server {
        listen 127.0.0.1:%%PORT_http%%;
        access_log %%DIR%%/flow.log flow;

        location /whole/ {
            flowdash_action "Whole \$uri";
            flowdash_step "Optional" {
                flowdash_optional on;
                flowdash_call $crm/optional;
            }
            flowdash_step "CRM" {
                flowdash_call $crm/step$n;
                flowdash_undo {
                    flowdash_call $crm/undo$n;
                    flowdash_set_header X-Id "\$flowdash_task_id";
                    flowdash_set_header Authorization "Bearer \$token";
                }
            }
            flowdash_after "Notify" { flowdash_call $crm/after$n; }
            flowdash_after "Chat" {
                flowdash_if \$flowdash_app_status;
                flowdash_call $crm/chat;
                flowdash_set_body json
                    '{"text":"\$flowdash_action","key":"\$token"}';
            }
            proxy_pass $app;
        }
    }
}
EOC
}

# each copy of it, and each line of the record, needs memory of its own

my $long = '{"task":{"Stage":"' . 'x' x 9000 . '"}}';

my %read = (flow => 0, error => 0);
my $number = 0;
my %failed;                             # paths of calls that have failed

# all that endpoints were called for, by number: step, undo, after, app

my %calls;

sub collect {
    for my $req ($t->new_requests('crm')) {
        $calls{$2}{$1}++ if $req->{target} =~ m{^/(step|undo|after)/(\d+)};
    }
    $calls{ $_->header('X-Number') }{app}++ for $t->new_requests('app');
    return;
}

# one request, and what it has led to as far as nothing has to be tried again

sub send_one ($uri, $enough) {
    my $i = ++$number;
    my $res = $t->request('POST', $uri, headers => [ @json, 'X-Number' => $i ],
        body => $uri =~ /long/ ? $long : '{"task":{"Stage":"Done"}}',
        timeout => 60);
    for (1 .. 20) {
        collect();
        last if !$calls{$i}{step} || $calls{$i}{undo} || $calls{$i}{$enough};
        select undef, undef, undef, 0.005;
    }
    return ($i, $res);
}

# with "expected", what must be there in the end, unless the log says why not

sub explore ($name, $uri, $enough) {
    my (%paths, @sent, $right);

    for (1 .. 3) {
        my $last;
        $paths{$_}++ for $failing->record(sub {
            ($last, my $res) = send_one($uri, $enough);
            $right = $res->{status};
            select undef, undef, undef, 0.1;
        });
        ok($calls{$last}{$enough}, "$name: $enough") or return;
    }

    my $stride = $ENV{FLOWDASH_SANITIZED} ? 8 : 2;
    my $k = 0;
    my $hit = 0;
    for my $path (sort keys %paths) {
        next if $failed{$path} || $k++ % $stride;

        my ($i, $res);
        my ($n) = $failing->fail($path, 0, sub {
            ($i, $res) = send_one($uri, $enough);
        });
        $failed{$path} += $n;
        $hit++ if $n;
        my $stack = $failing->stack;
        push @sent, [ $i, $res, $stack ];
        push @sent, [ send_one($uri, $enough), $stack, 'the next one' ]
            if $res->{status} != $right;
    }
    my $failed = grep { $failed{$_} } keys %paths;
    cmp_ok($failed, '>', 20, "$name: calls that have failed: $failed");

    return @sent;
}

# the line of each request in the access log, by number

sub lines {
    my %lines;
    $t->wait_for(sub {
        %lines = map { /^(\d+) (\S*) (\S*)/ ? ($1 => { id => $2, result => $3 })
                                            : () }
                 split /\n/, $t->read_file('flow.log');
        return keys %lines >= $number;
    });
    return %lines;
}

# Which requests have lost something?  An app that has acted is followed by its
# after-step, and never by an undo; a step that was called, and not the app, by
# an undo; or the log names the action's id in a line about the loss.

sub lost ($refused, @sent) {
    my %lines = lines();
    my (%told, @lost);

    $told{ s{.*/}{}r } = 1 for glob $t->dir . '/box/{unknown,dead}/*';

    for (split /\n/, $t->error_log) {
        $told{$1} = 1 if /\[(?:crit|error)\].*id:? (\w+)/
            && !/flowdash: action "[^"]*" failed/;
    }

    for (@sent) {
        my ($i, $res, $stack, @more) = @$_;
        my $c = $calls{$i} // {};
        my $id = $lines{$i}{id};
        my $told = $id && $told{$id};
        my $what = join ' ', map { "$_:" . ($c->{$_} // 0) }
                   qw(step app undo after);
        $what = [ "$i: status $res->{status}, $what, id $id @more", $stack ];

        push @lost, [ "after-step lost", @$what ]
            if !$refused && $c->{app} && !$c->{after} && !$told;
        push @lost, [ "undone although it was done", @$what ]
            if !$refused && $c->{app} && $c->{undo};
        push @lost, [ "undo lost", @$what ]
            if $c->{step} && !$c->{undo}
                && ($refused && $c->{app} ? !$told : !$c->{app});
        push @lost, [ "after-step without the app", @$what ]
            if $c->{after} && ($refused || !$c->{app});
        push @lost, [ "app called without a step", @$what ]
            if $c->{app} && !$c->{step};
    }
    return @lost;
}

for my $mode ([ 'fsync=on' => "flowdash_outbox %%DIR%%/box key=file:key;" ],
              [ 'fsync=off' => "flowdash_outbox %%DIR%%/box key=file:key fsync=off;" ],
              [ 'no outbox' => '' ]) {
    my ($name, $outbox) = @$mode;

    $t->config(conf($outbox));
    $t->run;

    # without an outbox, the same calls are followed by other ones

    %failed = () if !$outbox;

    my @refused = explore("$name, refused", '/whole/refused', 'undo');
    my @ok = explore("$name, ok", '/whole/ok', 'after');

    if ($name eq 'fsync=on') {
        push @refused, explore("$name, long", '/whole/refused/long', 'undo');
        push @ok, explore("$name, long", '/whole/ok/long', 'after');
    }

    # what had no memory is tried again after some seconds

    for (1 .. 120) {
        collect();
        last if !lost(0, @ok) && !lost(1, @refused);
        select undef, undef, undef, 0.25;
    }
    my @lost = (lost(0, @ok), lost(1, @refused));
    is(scalar @lost, 0, "$name: nothing is lost silently")
        or diag(join "\n", map { ("$_->[0]: $_->[1]", $failing->where($_->[2])) }
            @lost[0 .. ($#lost < 9 ? $#lost : 9)]);

    retries($name) if $name eq 'fsync=off';
    $t->stop;
    collect();
}

# A worker was killed, and the next one has each record that waits, with one
# call that fails.

sub retries ($name) {
    my $box = $t->dir . '/box';

    # one record, which is put there again, under the same name

    $t->write_file('down', '');
    my ($i) = send_one('/whole/refused', 'undo');
    my %lines = lines();
    my ($id, $file) = $lines{$i}{id};
    $t->wait_for(sub { ($file) = glob "$box/worker-*/[0-9]*/$id" });
    my $record = do { local (@ARGV, $/) = $file; <> };
    unlink $file, $t->dir . '/down';

    my $again = sub ($with) {
        collect();
        $calls{$i}{undo} = 0;
        if ($with) {
            mkdir "$box/waiting/1";
            $t->write_file("box/waiting/1/$id", $record);
            chown +(stat "$box/waiting")[4, 5], "$box/waiting/1", "$box/waiting/1/$id";
        }
        my @old = $t->worker_pids;
        kill KILL => @old;
        $t->wait_for(sub { grep { $_ != $old[0] } $t->worker_pids });
        for (1 .. ($with ? 200 : 20)) {
            collect();
            last if $calls{$i}{undo};
            select undef, undef, undef, 0.01;
        }
        return $calls{$i}{undo};
    };

    my %before = map { $_ => 1 } $failing->record(sub { $again->(0) });
    my $done;
    my @paths = grep { !$before{$_} }
        $failing->record(sub { $done = $again->(1) });
    ok($done, "$name: a record that nobody has is sent") or return;

    # each takes seconds

    my $every = $ENV{FLOWDASH_SANITIZED} ? 60 : 20;
    my @lost;
    my $k = 0;
    for my $path (@paths) {
        next if $k++ % $every;
        $failing->fail($path, 0, sub { $again->(1) });
        my $stack = $failing->stack;
        my $sent = $t->wait_for(sub {
            collect();
            return $calls{$i}{undo};
        }, 60);
        push @lost, $failing->where($stack) if !$sent;
    }
    is(join("\n", @lost), '', "$name: what is tried again is not lost");
    return;
}

# what is said when libcurl's multi handle is abandoned
$t->allow_log(qr/\[alert\].*flowdash: curl_multi_\w+\(\) failed/);

$t->allow_log(qr/\[alert\].*exited on signal 9/);

$t->done;
