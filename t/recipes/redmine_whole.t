#!/usr/bin/perl

# docs/recipes/redmine.md with an undo and an after-step, in front of Debian's
# Redmine, in a browser: a form that is stale when it is sent undoes what the
# endpoint was told, others hear only of what Redmine has done, and two clicks
# make one invoice.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::Flowdash;
use Test::Flowdash::Browser;
use Test::Flowdash::Pages;
use Test::Flowdash::Recipe;

plan(skip_all => 'this needs root') if $> != 0;

my $page = 'docs/recipes/redmine.md';
my $script = "$FindBin::Bin/redmine.sh";
my $root = recipes_dir() . '/redmine';
my $admin = 'b' x 40;

system($script, 'install', $root) == 0 or die "Redmine cannot be installed\n";

my $t = Test::Flowdash->new(log_level => 'info');

# the blocks that the page adds to its configuration

my %block = map { $_ => block($_) } qw(flowdash_outbox flowdash_undo);

sub block ($directive) {
    my ($block) = grep { $_->{kind} eq 'nginx' && $_->{text} !~ /^http/m
        && $_->{text} =~ /\b$directive\b/ } blocks($page);
    return ($block // die "$page has no $directive\n")->{text}
        =~ s{https://hooks\.example\.com}{http://127.0.0.1:%%PORT_hooks%%}gr
        =~ s{(?<=[ :])/(?=(?:etc|var)/)}{%%DIR%%/}gr;
}

sub whole ($conf) {
    my $more = 'log_format once \'$request_method $uri $flowdash_result '
        . "\$flowdash_task_digest';\naccess_log %%DIR%%/once.log once;\n"
        . "flowdash_timeout 600s; flowdash_deadline 600s;\n";

    $conf =~ s/(?=^    upstream redmine )/$more$block{flowdash_outbox}/m
        or die "$page has no upstream\n";
    my $location = quotemeta 'location ~* ^/issues/(?<id>[^/.]+) {';
    my $step = qr/flowdash_step "Check" \{.*?\n\s+\}\n/s;

    $conf =~ s/($location.*?)$step/$1$block{flowdash_undo}/s
        or die "$page has no step\n";
    return $conf;
}

my ($njs) = grep { $_->{kind} eq 'js' } blocks($page);
$t->write_file('etc/nginx/redmine.js',
               $njs->{text} =~ s{127\.0\.0\.1:\K3000}{$t->port('redmine')}er);
$t->write_file('etc/nginx/redmine-key.conf',
               "proxy_set_header X-Redmine-API-Key $admin;\n");
chmod 0600, $t->write_file('etc/nginx/outbox.key', 'k' x 44 . "\n");
mkdir $t->dir . "/$_" for qw(var var/lib var/lib/nginx);

# answers "finish" when the gate is open

$t->write_file('gate', '');
$t->endpoint(hooks => sub ($request) {
    return { status => 204, until => sub {
        $request->{target} ne '/finish' || -e $t->dir . '/gate' } };
});
start_app($t, redmine => [ $script, 'start', $root, $t->port('redmine') ],
          ready => '/login');
run_recipe($t, $page, 'hooks.example.com' => 'hooks',
           '127.0.0.1:3000' => 'redmine', more => \&whole);

my $url = 'http://127.0.0.1:' . $t->port('http');

# what Redmine has, and a change, without nginx

sub redmine ($method, $path, $body = undef) {
    return $t->request($method, $path, port => 'redmine', headers => [
        'X-Redmine-API-Key' => $admin, 'Content-Type' => 'application/json' ],
        defined $body ? (body => $body) : ());
}

sub status ($id) {
    return redmine(GET => "/issues/$id.json")->json->{issue}{status}{name};
}

# what the endpoint was told since then, as soon as there are so many calls

my $calls = 0;

sub told ($n) {
    $calls += $n;
    $t->wait_for(sub { $t->requests('hooks') >= $calls });
    return $t->new_requests('hooks');
}

sub paths (@calls) { join ' ', map { $_->{target} } @calls }

sub nothing_waits () {
    my $outbox = $t->dir . '/var/lib/nginx/outbox';
    ok($t->wait_for(sub {
        !grep { -f && !m{lock$} } glob("$outbox/*/* $outbox/*/*/*")
    }), 'nothing is left in the outbox');
    return;
}

my $browser = Test::Flowdash::Browser->new(width => 1200);

$browser->go("$url/login");
$browser->type('#username', 'ada');
$browser->type('#password', 'ada-secret');
$browser->click('#login-submit');
like($browser->wait('#loggedas', qr/ada/), qr/ada/, 'logged in');

sub form ($id) {
    $browser->go("$url/issues/$id/edit");
    $browser->choose('#issue_status_id', 5);
    # by then, the form has asked for another one, with this status
    $browser->wait_for_script('return !jQuery.active && '
        . '!document.querySelector("#ajax-indicator").offsetParent');
}

subtest 'a stale form' => sub {
    form(2);
    is(redmine(PUT => '/issues/2.json', '{"issue":{"notes":"meanwhile"}}')
       ->{status}, 204, 'somebody else changes the issue');
    $browser->click('#issue-form > input[type=submit]');
    like($browser->wait('#content', qr/updated by/), qr/has been updated by/,
         'Redmine refuses');
    shot($browser, 'redmine-stale');
    is(status(2), 'New', 'it is not closed');

    my @calls = told(2);
    is(paths(@calls), '/finish /undo', 'the endpoint is told to undo it');
    is(header($calls[1], 'Flowdash-Undo'),
       header($calls[0], 'Idempotency-Key'), 'by the key of its call');
    is_deeply($calls[1]->json->{undo}, { reason => 'refused', step => undef,
              key => header($calls[0], 'Idempotency-Key') =~ s/"//gr },
              'and why');
    is_deeply($calls[1]->json->{task}, $calls[0]->json->{task},
              'with the same task');
    nothing_waits();
    $t->no_request('hooks');
};

subtest 'sent again' => sub {
    form(2);
    $browser->click('#issue-form > input[type=submit]');
    like($browser->wait('#flash_notice', qr/./), qr/^Successful update/,
         'Redmine does it');
    is(status(2), 'Closed', 'it is closed');

    my @calls = told(2);
    is(paths(@calls), '/finish /invoices', 'the after-step is told');
    my $result = $calls[1]->json->{result};
    is($result->{status}, 302, 'what Redmine has answered');
    like($result->{location}, qr{/issues/2\b}, 'and where it has led to');
    nothing_waits();
    $t->no_request('hooks');
};

subtest 'a form that is not complete' => sub {
    form(3);
    $browser->script('document.querySelector("#issue_subject").value = "";'
        . 'document.querySelector("#issue-form").noValidate = true');
    $browser->click('#issue-form > input[type=submit]');
    like($browser->wait('#errorExplanation', qr/./), qr/Subject/,
         'Redmine refuses');
    is(status(3), 'New', 'it is not closed');
    is(paths(told(2)), '/finish /undo', 'undone');
    nothing_waits();
};

undef $browser;


# Two clicks.  The second one comes while the endpoint has not answered the first
# one yet.

$browser = Test::Flowdash::Browser->new(width => 1200, load => 'none');

my $submit = '#issue-form > input[type=submit]';

sub at ($path, $selector) {
    ok($browser->wait_for_script("return document.readyState == 'complete'"
        . " && location.href == '$url$path'"
        . " && !!document.querySelector('$selector')"), "at $path");
    return;
}

# Opens the form, and waits until that has loaded itself again with the status.
# The page before it may be there for a while, and be the same form.  No script
# is run in that one: while a page is asked for, chromedriver makes some wait.

my $opened = 0;

sub open_form ($id) {
    $browser->go("$url/issues/$id/edit");
    $browser->wait_for_script("return performance.timeOrigin != $opened");
    at("/issues/$id/edit", '#issue_status_id');
    $browser->script('const field = document.querySelector("#issue_status_id");'
        . 'field.value = 5;'
        . 'field.dispatchEvent(new Event("change", { bubbles: true }))');
    my $loads = 'performance.getEntriesByType("resource")'
        . '.filter(entry => /edit\.js/.test(entry.name)).length';
    ok($browser->wait_for_script("return $loads && !jQuery.active"),
       'the form has loaded itself again');
    $opened = $browser->script('return performance.timeOrigin');
    return;
}

sub wait_finish () {
    ok($t->wait_for(sub { $t->requests('hooks') > $calls }),
       'the endpoint has been called');
    return;
}

sub hold () { unlink $t->dir . '/gate'; return }
sub let_go () { $t->write_file('gate', ''); return }

my $waiting = 0;

sub wait_waiting () {
    $waiting++;
    ok($t->wait_for(sub {
        $waiting <= (() = $t->error_log =~ /flowdash: waits for another/g);
    }), 'the second request waits for the first');
    return;
}

# the requests for an issue that changed it, as [ result, digest ]

sub sent ($id, $number) {
    my @sent;
    $t->wait_for(sub {
        @sent = map { [ split ] } $t->read_file('once.log')
            =~ m{^POST /issues/$id (\S+ \S+)$}mg;
        return @sent >= $number;
    });
    is(scalar @sent, $number, "nginx has got $number requests");
    return @sent;
}

sub results (@sent) { join ' ', sort map { $_->[0] } @sent }

sub digests (@sent) { my %digest = map { $_->[1] => 1 } @sent; keys %digest }

sub is_closed_once ($id, $changes = 1) {
    at("/issues/$id", '#flash_notice');
    like($browser->text('#flash_notice'), qr/^Successful update/,
         'at the issue');
    my $issue = redmine(GET => "/issues/$id.json?include=journals")
        ->json->{issue};
    is($issue->{status}{name}, 'Closed', 'it is closed');
    is(scalar @{ $issue->{journals} }, $changes, "changes: $changes");
    is(paths(told(2)), '/finish /invoices', 'one invoice');
    nothing_waits();
    $t->no_request('hooks');
    return;
}

$browser->go("$url/login");
$browser->type('#username', 'ada');
$browser->type('#password', 'ada-secret');
$browser->click('#login-submit');
like($browser->wait('#loggedas', qr/ada/), qr/ada/, 'logged in');

subtest 'a double click' => sub {
    open_form(1);
    hold();
    $browser->double_click($submit, \&wait_finish);
    let_go();
    is_closed_once(1);
    is(results(sent(1, 1)), 'ok', "Redmine's scripts have ignored the second");
    shot($browser, 'redmine-double-click');
};

# As if Redmine were an app that lets users click twice: two of its scripts keep
# them from it.

subtest 'a double click, without these scripts' => sub {
    open_form(3);
    $browser->script('jQuery("#issue-form").off("submit");'
        . "document.querySelector('$submit')"
        . '.removeAttribute("data-disable-with")');
    hold();
    $browser->double_click($submit, \&wait_finish);
    wait_waiting();
    let_go();
    is_closed_once(3);
    my @sent = sent(3, 3);                  # and the incomplete one, above
    is(results(@sent[1, 2]), 'ok replayed', 'one was carried out');
    is(scalar(digests(@sent[1, 2])), 1, 'both have the same task');
    like($t->error_log, qr/the client left after .* action "Finish" continues/,
         'the client of the first one has left');
};

subtest 'the form again, in the meantime' => sub {
    my $token = 'return document.querySelector('
        . '"#issue-form [name=authenticity_token]").value';

    open_form(4);
    hold();
    my $first = $browser->script($token);
    $browser->click($submit);
    wait_finish();
    open_form(4);
    isnt($browser->script($token), $first, 'another authenticity_token');
    $browser->click($submit);
    wait_waiting();
    let_go();
    is_closed_once(4);
    my @sent = sent(4, 2);
    is(results(@sent), 'ok replayed', 'one was carried out');
    is(scalar(digests(@sent)), 1, 'both have the same task');
};

subtest 'the same change, later' => sub {
    is(redmine(PUT => '/issues/4.json', '{"issue":{"status_id":1}}')->{status},
       204, 'somebody opens the issue again');
    open_form(4);
    $browser->click($submit);
    is_closed_once(4, 3);
    my @sent = sent(4, 3);
    is($sent[2][0], 'ok', 'it is carried out');
    is(scalar(digests(@sent)), 2, 'it is another task');
};

undef $browser;
$t->done;
