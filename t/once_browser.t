# flowdash_once as people meet it in Chromium: they click twice, or open the form
# again and click there, while nothing seems to happen.  One of their requests
# is carried out, and they end on the task's page.  If there is nothing to show
# them, a page says so.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::Browser;
use Test::Flowdash::Npm;

use utf8;

for my $program (qw(chromium chromedriver)) {
    plan(skip_all => "there is no $program")
        if !grep { -x "$_/$program" } split /:/, $ENV{PATH};
}

my $axe = npm_modules('axe-core');
my $shots = $ENV{FLOWDASH_SHOTS};           # where to look at the pages

my $t = Test::Flowdash->new(log_level => 'info');

# An app with a form for each task, which has another token each time.  Sent, it
# leads to the task; for a long task it is a page that is too long to be kept.

my $token = 0;

sub form {
    my ($task, $key) = @_;
    my $to = $key ? "/keyed/$task/finish" : "/tasks/$task/finish";
    $key //= '';
    $token++;
    return <<"END";
<!DOCTYPE html>
<html lang="en"><title>Edit</title>
<h1>Edit $task</h1>
<form method="post" action="$to">
<input type="hidden" name="token" value="$token">
<input type="hidden" name="key" value="$key">
<input id="stage" name="Stage" value="Completed">
<button>Finish</button>
</form></html>
END
}

$t->endpoint(app => sub {
    my ($req) = @_;
    my ($task, $rest) = $req->{target} =~ m{^/\w+/(\w+)(.*)};
    my %html = (headers => [ 'Content-Type' => 'text/html' ]);

    return { %html, body => form($task, $1) }
        if ($rest // '') =~ m{^/edit\??(\w+)?\z};
    return { status => 404 } if !$task;
    return { %html, body => 'x' x 65537 } if $task eq 'long';
    return { status => 302, headers => [ Location => "/tasks/$task" ] }
        if $req->{method} eq 'POST';
    return { %html, body => "<!DOCTYPE html>\n<title>Task</title>"
        . "<h1>Task $task: finished</h1>" };
});

# An endpoint that answers when the test opens the gate with the task's name.

my @gates = qw(double again busy lost);

$t->endpoint(billing => sub {
    my ($req) = @_;
    my $task = $req->header('X-Task');
    return { until => sub { -e $t->dir . "/$task"
                            || !grep { $task eq $_ } @gates } };
});

sub open_gate { $t->write_file($_[0], '') }

my $action = <<'END';
                flowdash_action "Finish";
                flowdash_task "";
                flowdash_hide_field token;
                flowdash_deadline 600s;

                flowdash_step "Invoice" {
                    flowdash_call http://127.0.0.1:%%PORT_billing%%/;
                    flowdash_set_header X-Task $task;
                    flowdash_timeout 600s;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
END

$t->config(<<"END");
    %%GLOBALS%%
    events { }
    http {
        %%HTTP_GLOBALS%%
        log_format once '\$request_method \$uri \$flowdash_result '
                        '\$flowdash_task_digest';
        access_log %%DIR%%/once.log once;
        flowdash_zone flowdash:1m;
        flowdash_user id ada;

        server {
            listen 127.0.0.1:%%PORT_http%%;

            location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }

            # as for double clicks, but no machine is too slow for the time
            location ~ ^/tasks/(?<task>\\w+)/finish\\z {
                flowdash_once \$flowdash_task_digest 1h wait=600s;
                $action
            }
            location ~ ^/keyed/(?<task>\\w+)/finish\\z {
                flowdash_once \$flowdash_task_key 1h wait=100ms;
                $action
            }
        }
    }
END
$t->run;

my $url = 'http://127.0.0.1:' . $t->port('http');

# the requests of the task's form, as "result digest", as soon as so many have
# ended

sub sent {
    my ($task, $number) = @_;
    my @sent;

    $t->wait_for(sub {
        @sent = $t->read_file('once.log')
            =~ m{^POST /\w+/$task/finish (\S+ \S+)$}mg;
        return @sent >= $number;
    });
    is(scalar @sent, $number, "nginx has got $number requests");
    return @sent;
}

sub results { join ' ', map { /^(\S+)/ } @_ }

sub digests { my %digest = map { /(\S+)\z/ => 1 } @_; return keys %digest }

sub calls {
    my @billing = $t->new_requests('billing');
    my @app = grep { $_->{method} eq 'POST' } $t->new_requests('app');
    return @billing . ' ' . @app;
}

# waits until the endpoint has been called for the task, or until another request
# waits

sub wait_called {
    my ($task) = @_;
    ok($t->wait_for(sub {
        grep { $_->header('X-Task') eq $task } $t->requests('billing');
    }), 'the endpoint has been called');
}

my $waiting = 0;

sub wait_waiting {
    $waiting++;
    ok($t->wait_for(sub {
        $waiting <= (() = $t->error_log =~ /flowdash: waits for another/g);
    }), 'the second request waits for the first');
}

# the address and the heading of the page, when it is there

sub page {
    my ($browser, $path, $heading) = @_;
    ok($browser->wait_for_script("return document.readyState == 'complete'"
        . " && location.href == '$url$path'"), "at $path");
    return like($browser->wait('h1', $heading), $heading, 'the page');
}


my $browser = Test::Flowdash::Browser->new(load => 'none');

subtest 'a double click' => sub {
    $browser->go("$url/tasks/double/edit");
    page($browser, '/tasks/double/edit', qr/^Edit/);

    # Chromium gives up the first request when the second one begins.  The time
    # between the clicks is that which the first one needs to the endpoint.

    $browser->double_click('button', sub { wait_called('double') });
    wait_waiting();
    open_gate('double');

    page($browser, '/tasks/double', qr/^Task double: finished$/);
    my @sent = sent('double', 2);
    is(results(sort @sent), 'ok replayed', 'one was carried out');
    is(scalar(digests(@sent)), 1, 'both have the same task');
    like($t->error_log, qr/the client left after .* action "Finish" continues/,
         'the client of the first one has left');
    is(calls(), '1 1', 'one call of the endpoint, and one of the app');
};

subtest 'open the form again, and click again' => sub {
    $browser->go("$url/tasks/again/edit");
    page($browser, '/tasks/again/edit', qr/^Edit/);
    my $token = 'document.querySelector("[name=token]").value';
    my $first = $browser->script("return $token");

    $browser->click('button');
    wait_called('again');
    $browser->go("$url/tasks/again/edit");
    ok($browser->wait_for_script("return $token != $first"), 'another token');
    page($browser, '/tasks/again/edit', qr/^Edit/);
    $browser->click('button');
    wait_waiting();
    open_gate('again');

    page($browser, '/tasks/again', qr/^Task again: finished$/);
    my @sent = sent('again', 2);
    is(results(sort @sent), 'ok replayed', 'one was carried out');
    is(scalar(digests(@sent)), 1, 'both have the same task');
    is(calls(), '1 1', 'one call of the endpoint, and one of the app');
};

subtest 'back, and click again' => sub {
    $browser->script('history.back()');
    page($browser, '/tasks/again/edit', qr/^Edit/);
    $browser->click('button');
    page($browser, '/tasks/again', qr/^Task again: finished$/);
    is(results(sent('again', 3)), 'ok replayed replayed', 'not carried out');
    is(calls(), '0 0', 'nothing is called');
};

subtest 'a change' => sub {
    $browser->script('history.back()');
    page($browser, '/tasks/again/edit', qr/^Edit/);
    $browser->type('#stage', 'Cancelled');
    $browser->click('button');
    page($browser, '/tasks/again', qr/^Task again: finished$/);
    my @sent = sent('again', 4);
    is(results($sent[-1]), 'ok', 'it is carried out');
    is(scalar(digests(@sent)), 2, 'it is another task');
    is(calls(), '1 1', 'and called');
};

undef $browser;


# The pages that say why nothing is shown.  What comes before them is sent by
# HTTP.

$t->allow_log(qr/exited on signal 9/);

sub begin {
    my ($task, $stage) = @_;
    return $t->start(POST => "/keyed/$task/finish", timeout => 600,
        headers => [ 'Content-Type' => 'application/x-www-form-urlencoded',
                     Host => '127.0.0.1' ],
        body => "token=x&key=k$task&Stage=$stage");
}

is($t->finish(begin('long', 'Completed'))->{status}, 200, 'a long response');
is($t->finish(begin('other', 'Started'))->{status}, 302, 'another stage');
calls();
my $lost = begin('lost', 'Completed');
wait_called('lost');
my ($worker) = $t->worker_pids;
kill KILL => $worker;
ok($t->wait_for(sub { $t->worker_pids && !kill 0 => $worker }),
   'a worker has died');
$t->finish($lost);
calls();
my $busy = begin('busy', 'Completed');
wait_called('busy');
calls();

# what a page's heading, its text and its advice are

my $repeated = 'The action was not carried out again';

my %says = (
    busy => [ $repeated, 'It was sent before, and is still being carried out.',
              'Check the task before you try again.' ],
    long => [ $repeated, 'It was done before, but its result cannot be shown.',
              'Check the task before you try again.' ],
    lost => [ $repeated, 'It was sent before, and may have been carried out.',
              'Check the task before you try again.' ],
    other => [ '“Finish” was not carried out', 'Something else was already sent'
               . ' with the same form or key. Nothing was changed in the app.',
               'Go back, reload the page, and try again.' ],
);

for ([ light => () ], [ dark => dark => 1 ],
     [ phone => width => 360, height => 740 ])
{
    my ($look, %option) = @$_;
    $browser = Test::Flowdash::Browser->new(%option);

    for my $task (sort keys %says) {
        my $name = "$look, $task";

        $browser->go("$url/tasks/$task/edit?k$task");
        $browser->click('button');
        $browser->wait('h1', qr/not carried out/);
        is_deeply([ map { $browser->text($_) } 'h1', 'h1 + p', 'h2 + p' ],
                  $says{$task}, "$name: what it says");

        SKIP: {
            skip 'there is no axe-core', 1 if !$axe;
            is(join("\n", $browser->axe), '', "$name: axe-core");
        }

        ok(!$browser->script('return document.documentElement.scrollWidth'
            . ' > innerWidth'), "$name: no scrolling to the side");
        $browser->screenshot("$shots/once-$task-$look.png") if $shots;

        $browser->click('a');
        is($browser->wait('h1', qr/^Edit/), "Edit $task", "$name: the way back");
    }
}

is(calls(), '0 0', 'nothing is called');
open_gate('busy');
is($t->finish($busy)->{status}, 302, 'what still ran ends');
calls();

undef $browser;                             # its connection, too
$t->done;
