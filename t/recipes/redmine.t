#!/usr/bin/perl

# docs/recipes/redmine.md in front of Debian's Redmine, by HTTP and in a
# browser.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use MIME::Base64;
use Test::Flowdash;
use Test::Flowdash::Browser;
use Test::Flowdash::Pages;
use Test::Flowdash::Recipe;

plan(skip_all => 'this needs root') if $> != 0;

my $page = 'docs/recipes/redmine.md';
my $script = "$FindBin::Bin/redmine.sh";
my $root = recipes_dir() . '/redmine';
my %key = (ada => 'a' x 40, admin => 'b' x 40);

system($script, 'install', $root) == 0 or die "Redmine cannot be installed\n";

my $t = Test::Flowdash->new(log_level => 'info');
my $json = JSON::PP->new->canonical;

my ($njs) = grep { $_->{kind} eq 'js' } blocks($page);
$t->write_file('etc/nginx/redmine.js',
               $njs->{text} =~ s{127\.0\.0\.1:\K3000}{$t->port('redmine')}er);
$t->write_file('etc/nginx/redmine-key.conf',
               "proxy_set_header X-Redmine-API-Key $key{admin};\n");

answering_endpoint($t, 'hooks');
start_app($t, redmine => [ $script, 'start', $root, $t->port('redmine') ],
          ready => '/login');
run_recipe($t, $page, 'hooks.example.com' => 'hooks',
           '127.0.0.1:3000' => 'redmine');

my $url = 'http://127.0.0.1:' . $t->port('http');

# what Redmine has, asked without nginx

sub issue ($id) {
    return $t->get("/issues/$id.json", port => 'redmine', headers => [
        'X-Redmine-API-Key' => $key{admin} ])->json->{issue};
}

sub status ($id) { issue($id)->{status}{name} }

my $browser = Test::Flowdash::Browser->new(width => 1200);

$browser->go("$url/login");
$browser->type('#username', 'ada');
$browser->type('#password', 'ada-secret');
$browser->click('#login-submit');
like($browser->wait('#loggedas', qr/ada/), qr/ada/, 'logged in');

sub close_issue ($id) {
    $browser->go("$url/issues/$id/edit");
    $browser->choose('#issue_status_id', 5);
    # by then, the form has asked for another one, with this status
    $browser->wait_for_script('return !jQuery.active && '
        . '!document.querySelector("#ajax-indicator").offsetParent');
    $browser->click('#issue-form > input[type=submit]');
}

subtest 'a change by the endpoint' => sub {
    answers($t, 'hooks', 200, 
            '{"task":{"due_date":"2030-02-01","subject":"x"}}');
    close_issue(1);
    like($browser->wait('#flash_notice', qr/./), qr/^Successful update/,
         'the form');
    shot($browser, 'redmine-success');

    my $call = $t->only_request('hooks');
    my $shown = shown($page, 'action');
    my %told = %{ $call->json };
    $told{task} = { map { $_ => $told{task}{$_} } keys %{ $shown->{task} } };
    is_deeply(\%told, $shown, 'the endpoint is told what the page says');
    unlike($call->{body}, qr/authenticity_token|secret|aaaa|bbbb/,
           'no secret');
    is(header($call, 'Cookie'), undef, 'no cookie');
    is(status(1), 'Closed', 'it is closed');
    is(issue(1)->{due_date}, '2030-02-01', 'the date of the endpoint');
    is(issue(1)->{subject}, 'Issue 1', 'and no other field');
};

subtest 'a veto' => sub {
    answers($t, 'hooks', 422, '{"message":"Not before Friday"}');
    my $before = $json->encode(issue(2));
    close_issue(2);
    like($browser->wait('main', qr/Check/), qr/Not before Friday/,
         'the user sees why');
    shot($browser, 'redmine-refusal');
    $t->only_request('hooks');
    is($json->encode(issue(2)), $before, 'nothing has changed');
};


# The menu of the list of issues, by which one or several are changed.

sub menu ($status, @ids) {
    $browser->go("$url/projects/demo/issues?set_filter=1&f[]=");
    $browser->script('document.querySelector("#issue-' . $_
        . ' input[type=checkbox]").click()') for @ids;
    $browser->script("jQuery('#issue-$ids[0] td.subject').trigger("
        . 'jQuery.Event("contextmenu", { pageX: 300, pageY: 300, which: 3 }))'
    );
    $browser->wait_for_script(
        'return !!document.querySelector("#context-menu a.submenu")');
    $browser->script('[...document.querySelectorAll("#context-menu a")]'
        . ".find(link => link.textContent.trim() == '$status').click()");
}

subtest 'the menu' => sub {
    answers($t, 'hooks', 422, '{"message":"Not before Friday"}');
    menu('Closed', 2);
    like($browser->wait('main', qr/Check/), qr/Check/, 'one issue: a veto');
    is($t->only_request('hooks')->json->{task}{subject}, 'Issue 2',
       'it is told');
    menu('Closed', 2, 3);
    like($browser->wait('main', qr/Check/), qr/Check/, 'two issues: a veto');
    my $call = $t->only_request('hooks')->json;
    is($call->{action}, 'Finish several', 'the action');
    is_deeply($call->{task},
              { ids => [ '2', '3' ], issue => { status_id => '5' } },
              'it is told which ones, and no token');
    is(status($_), 'New', "$_ is not closed") for 2, 3;

    menu('In Progress', 3);
    like($browser->wait('#flash_notice', qr/./), qr/^Successful/,
         'another status');
    $t->no_request('hooks');
    is(status(3), 'In Progress', 'it is changed');

    answers($t, 'hooks', 200, '{"task":{"due_date":"2030-03-01"}}');
    menu('Closed', 3);
    like($browser->wait('#flash_notice', qr/./), qr/^Successful/, 'a change');
    $t->only_request('hooks');
    is(issue(3)->{due_date}, '2030-03-01', 'the date of the endpoint');
};


# The REST API.

sub api ($method, $path, $body, @headers) {
    return $t->request($method, $path, body => $body, headers => [
        'Content-Type' => 'application/json', @headers ]);
}

subtest 'the REST API' => sub {
    my $close = '{"issue":{"status_id":5}}';
    my @ada = ('X-Redmine-API-Key' => $key{ada});
    my @basic = (Authorization =>
                 'Basic ' . encode_base64('ada:ada-secret', ''));

    answers($t, 'hooks', 422);
    for my $user (\@ada, \@basic) {
        is(api(PUT => '/issues/2.json', $close, @$user)->{status}, 502,
           'a veto');
        my $call = $t->only_request('hooks');
        is_deeply($call->json->{user}, shown($page, 'action')->{user},
                  'the user');
        is($call->json->{task}{subject}, 'Issue 2', 'the issue');
        is(header($call, $_->[0]), undef, "no $_->[0]") for \@ada, \@basic;
    }
    is(status(2), 'New', 'it is not closed');

    for my $user ([], [ 'X-Redmine-API-Key' => 'c' x 40 ],
                  [ Authorization => 'Basic ' . encode_base64('ada:no', '') ])
    {
        is(api(PUT => '/issues/2.json', $close, @$user)->{status}, 401,
           'a stranger');
    }
    like(api(PUT => "/issues/2.json?key=$key{ada}", $close)->{status}, qr/^4/,
         'a key in the query');
    for my $way ([ "/issues/2.json?key=$key{admin}", $close ],
                 [ "/issues/2.json?%6bey=$key{admin}", $close ],
                 [ '/issues/2.json', $close =~ s/\}$/,"key":"$key{admin}"}/r ],
                 [ "/issues/2.json?key=$key{admin}",
                   $close =~ s/\}$/,"key":"$key{admin}"}/r ])
    {
        like(api(PUT => @$way, @ada)->{status}, qr/^4/, 'keys of two users');
    }
    is(api(POST => '/projects/demo/issues.json', $close, @ada)->{status}, 403,
       'a new issue');
    is(api(DELETE => '/issues/2.json', '', @ada)->{status}, 403, 'no issue');
    $t->no_request('hooks');
    is(status(2), 'New', 'it is not closed');

    is(api(PUT => '/issues/2.json', '{"issue":{"notes":"x"}}', @ada)->{status},
       204, 'without a status, it passes');
    is(api(PUT => '/issues/1.json', $close, @ada)->{status}, 204,
       'one that was closed before passes');
    $t->no_request('hooks');

    answers($t, 'hooks', 200, '{"task":{"due_date":"2030-04-01"}}');
    is(api(PUT => '/issues/4.json', $close, @ada)->{status}, 204, 'a change');
    $t->only_request('hooks');
    is(issue(4)->{due_date}, '2030-04-01', 'the date of the endpoint');
    is(status(4), 'Closed', 'it is closed');
};


# The session of a user, by HTTP.

my %cookie;

sub ask ($method, $path, $body = undef, @headers) {
    my $cookies = join '; ', map { "$_=$cookie{$_}" } sort keys %cookie;
    my $answer = $t->request($method, $path, headers => [
        $cookies ? (Cookie => $cookies) : (),
        Host => '127.0.0.1:' . $t->port('http'),
        defined $body && !(grep { $_ eq 'Content-Type' } @headers)
            ? ('Content-Type' => 'application/x-www-form-urlencoded') : (),
        @headers ], defined $body ? (body => $body) : ());
    for my $header (@{ $answer->{headers} }) {
        $cookie{$1} = $2 if lc $header->[0] eq 'set-cookie'
            && $header->[1] =~ /^(\w+)=([^;]+)/;
    }
    return $answer;
}

sub encode ($text) { $text =~ s/(\W)/sprintf '%%%02X', ord $1/ger }

sub token ($path) {
    my ($token) = ask(GET => $path)->{body}
        =~ /name="csrf-token" content="([^"]+)"/ or die "$path has no token\n";
    return encode($token);
}

my $form = '_method=patch&issue%5Bstatus_id%5D=5';

subtest 'a stranger' => sub {
    for my $path ('/issues/2', '/issues/bulk_update?ids[]=2',
                  '/projects/demo/issues')
    {
        is(ask(POST => $path, $form)->{status}, 401, $path);
        is(ask(POST => $path, $form, 'X-Redmine-API-Key' => $key{ada})
           ->{status}, 401, "$path, with a key");
    }
    $t->no_request('hooks');
    is(status(2), 'New', 'it is not closed');
};

subtest 'ways around' => sub {
    is(ask(POST => '/login', 'username=ada&password=ada-secret'
           . '&authenticity_token=' . token('/login'))->{status}, 302,
       'logged in');
    my $token = 'authenticity_token=' . token('/issues/2');

    is(ask(POST => '/issues/2', "$token&_method=patch&issue%5Bnotes%5D=x")
       ->{status}, 302, 'without a status, it passes');
    $t->no_request('hooks');

    # Endpoints that say no: whatever is sent, the issue stays as it is.
    answers($t, 'hooks', 422);
    my $json = '{"issue":{"status_id":5}}';
    my @type = ('Content-Type' => 'application/json');
    my @json = (@type, 'X-Redmine-API-Key' => $key{ada});
    my @ways = (
        (map { [ POST => $_, "$token&$form" ] } qw(
            /issues/2 /issues/02 /issues/2x /ISSUES/2 /issues/2/ //issues//2
            /issues/%32 /issues/2.html /issues/2.xml /issues/2.js
            /issues/2.json /issues/2.json/ /issues/2.JSON /issues/2?x=1
            /issues/2%3fx /issues/2%2e /login/../issues/2
            /issues/2;x /issues\\2 /issues/%2b2 /projects/demo/issues/2
            /issues/2/edit /issues/2/edit.js /issues/bulk_update?ids[]=2
            /issues/bulk_update?id=2 /issues/bulk_edit?ids[]=2
            /issues/2?format=json /issues/2?ids[]=2), "/issues/2?key=$key{admin}&format=json",
            "/issues/2.xml?key=$key{ada}", '/login?x=/issues/2',
            '/my/../issues/2.html'),
        (map { [ POST => '/issues/2', "$token&$_" ] }
            '_method=put&issue[status_id]=5',
            '_method=patch&issue[status_id]=05',
            '_method=patch&issue[status_id]=5+',
            '_method=patch&issue%5bstatus_id%5d=5',
            '_method=patch&issue[status_id]=2&issue[status_id]=5',
            '_method=patch&issue[status_id]=5&issue[status_id]=2',
            '_method=patch&issue[status_id][]=5',
            '_method=patch&%69ssue[status_id]=%35',
            "_method=patch&issue[status_id]=5&format=json&key=$key{admin}",
            '_method=patch&issue.status_id=5',
            '_method=patch&issue[status_id]=2;issue[status_id]=5'),
        [ POST => '/issues/2?issue[status_id]=5', "$token&_method=patch" ],
        [ POST => '/issues/2?_method=patch&issue[status_id]=5&' . $token, '' ],
        [ POST => "/issues/2?%69ssue%5Bstatus_id%5D=5&_method=patch&$token",
          '' ],
        [ PATCH => '/issues/2', "$token&issue[status_id]=5" ],
        [ PUT => '/issues/2.json', $json, @json ],
        [ PATCH => '/issues/2.json', $json, @json ],
        [ PUT => '/issues/2', $json, @json ],
        [ PUT => '/issues/2.json', '{"status_id":5}', @json ],
        [ PUT => '/issues/2.json', '{"Issue":{"status_id":5}}', @json ],
        [ PUT => '/issues/2.json?issue[status_id]=5', '{}', @json ],
        [ PUT => '/issues/2.json?issue[status_id]=5', '', @json ],
        [ PUT => '/issues/2.json', 'issue[status_id]=5', @json ],
        [ PUT => '/issues/2.json', 'issue[status_id]=5',
          'X-Redmine-API-Key' => $key{ada} ],
        [ POST => '/issues/2.json', $json, @json,
          'X-HTTP-Method-Override' => 'PUT' ],
        [ PUT => '/issues/2.xml', '<issue><status_id>5</status_id></issue>',
          'X-Redmine-API-Key' => $key{ada},
          'Content-Type' => 'application/xml' ],
        [ PUT => "/issues/2.json?key=$key{ada}", $json, @type ],
        [ GET => "/issues/2?_method=patch&issue[status_id]=5&$token" ],
        [ GET => '/issues/2', "$token&$form" ],
        [ POST => '/my/page', "$token&$form",
          'X-HTTP-Method-Override' => 'PATCH' ],
        [ POST => '/imports', $token ], [ POST => '/mail_handler', 'key=x' ],
        [ GET => '/sys/fetch_changesets' ],
    );

    for my $way (@ways) {
        my $answer = ask(@$way);
        my $called = $t->new_requests('hooks');
        is(status(2), 'New', substr "$way->[0] $way->[1]: "
           . "$answer->{status}, $called calls", 0, 150);
        cookie_is_ada() or diag("@$way: the session is gone");
    }

    is(ask(POST => '/projects/demo/issues', "$token&issue[subject]=Closed"
           . '&issue[tracker_id]=1&issue[status_id]=5')->{status}, 502,
       'a new one that is closed');
    like($t->only_request('hooks')->{body}, qr/"subject":"Closed"/,
         'is an action');
};

# after each way, or later ones would prove nothing

sub cookie_is_ada () { ask(GET => '/my/page')->{status} == 200 }

$t->done;
