#!/usr/bin/perl

# docs/recipes/redmine.md with an undo and an after-step, in front of Debian's
# Redmine, in a browser: a form that is stale when it is sent undoes what the
# endpoint was told, and others hear only of what Redmine has done.

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
    $conf =~ s/(?=^    upstream redmine )/$block{flowdash_outbox}/m
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

answering_endpoint($t, 'hooks');
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

answers($t, 'hooks', 204);

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
    is(paths(@calls), '/finish /finished', 'the after-step is told');
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

$t->done;
