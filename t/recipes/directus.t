#!/usr/bin/perl

# docs/recipes/directus.md in front of Directus, by HTTP and in a browser.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(encode_json);
use Test::Flowdash;
use Test::Flowdash::Browser;
use Test::Flowdash::Recipe;

my $page = 'docs/recipes/directus.md';
my $script = "$FindBin::Bin/directus.sh";
my $dir = recipes_dir() . '/directus';

system($script, 'install', $dir) == 0 or die "Directus cannot be installed\n";

my $t = Test::Flowdash->new(log_level => 'info');
my $json = JSON::PP->new->canonical;
my $db = $t->dir . '/directus.db';

system('cp', "$dir/empty.db", $db) == 0 or die "no $dir/empty.db\n";

answering_endpoint($t, 'hooks');
start_app($t, directus =>
          [ $script, 'start', $dir, $t->port('directus'), $db ], ready => '/server/ping');


# As the administrator, without nginx: a collection, and a user who may edit
# it.

sub admin ($method, $path, $body = undef) {
    my $answer = $t->request($method, $path, port => 'directus',
        timeout => 300, headers => [ Authorization => 'Bearer admin-token',
                     'Content-Type' => 'application/json' ],
        defined $body ? (body => encode_json($body)) : ());
    die "$method $path: $answer->{status} $answer->{body}\n"
        if $answer->{status} !~ /^2/;
    return $answer->json && $answer->json->{data};
}

admin(POST => '/collections', {
    collection => 'tasks', schema => {}, meta => {}, fields => [
        { field => 'id', type => 'integer', meta => { hidden => \1 },
          schema => { is_primary_key => \1, has_auto_increment => \1 } },
        { field => 'title', type => 'string', schema => {},
          meta => { interface => 'input' } },
        { field => 'status', type => 'string',
          schema => { default_value => 'open' },
          meta => { interface => 'select-radio', options => { choices => [
              map +{ text => ucfirst, value => $_ }, qw(open done) ] } } },
        { field => 'due', type => 'date', schema => {},
          meta => { interface => 'datetime' } } ] });
admin(POST => '/items/tasks',
      [ map +{ title => $_ }, 'Call them', 'Write', 'Ship' ]);

my $policy = admin(POST => '/policies', { name => 'Editor', app_access => \1,
    permissions => [ map +{ collection => 'tasks', action => $_,
        fields => ['*'], permissions => {}, validation => {} },
        qw(create read update delete) ] });
my $role = admin(POST => '/roles', { name => 'Editor',
    policies => [ { policy => $policy->{id} } ] });
my $ada = admin(POST => '/users', { email => 'ada@example.com',
    password => 'ada-secret', first_name => 'Ada', last_name => 'Lovelace',
    role => $role->{id}, token => 'ada-token' });

run_recipe($t, $page, 'hooks.example.com' => 'hooks',
           '127.0.0.1:8055' => 'directus');

my $url = 'http://127.0.0.1:' . $t->port('http');

sub stored ($id) { $json->encode(admin(GET => "/items/tasks/$id")) }

my $browser = Test::Flowdash::Browser->new(width => 1200);

$browser->go("$url/admin/login");
$browser->type('input[type=email]', 'ada@example.com');
$browser->type('input[type=password]', 'ada-secret');
$browser->click('button[type=submit]');
$browser->wait_for_script(
    'return location.pathname == "/admin/content/tasks"');

# Chooses "Done" in the form of a task, and saves it.

sub finish ($id) {
    $browser->go("$url/admin/content/tasks/$id");
    $browser->click('.v-radio + .v-radio');
    $browser->wait_for_script('const icon = document.querySelector('
        . '"header [data-icon=check]");'
        . 'return icon && !icon.closest("button").disabled');
    $browser->script('document.querySelector("header [data-icon=check]")'
        . '.closest("button").click()');
}

subtest 'a veto' => sub {
    answers($t, 'hooks', 422, '{"message":"Not before Friday"}');
    my $before = stored(2);
    finish(2);
    like($browser->wait('.v-error', qr/Friday/), qr/Not before Friday/,
         'the app shows what the endpoint says');
    shot($browser, 'directus-refusal');
    $t->only_request('hooks');
    is(stored(2), $before, 'nothing has changed');
};

subtest 'a change by the endpoint' => sub {
    answers($t, 'hooks', 200, '{"task":{"due":"2030-02-01","title":"x"}}');
    finish(1);
    ok($browser->wait_for_script('return location.pathname == '
           . '"/admin/content/tasks" && '
           . 'document.body.innerText.includes("2030")'),
       'the app is content');
    shot($browser, 'directus-success');

    my $call = $t->only_request('hooks');
    my $shown = shown($page, 'action');
    $shown->{user}{id} = $ada->{id};            # another one each time
    is_deeply($call->json, $shown, 'the endpoint is told what the page says');
    is(header($call, $_), undef, "no $_") for qw(Cookie Authorization);
    is_deeply(admin(GET => '/items/tasks/1'), { id => 1, title => 'Call them',
        status => 'done', due => '2030-02-01' },
        'the date, and no other field');
};


# By HTTP.

sub ask ($method, $path, $body = undef, @headers) {
    my %own = @headers;
    return $t->request($method, $path, timeout => 300, headers => [
        $own{Authorization} ? () : (Authorization => 'Bearer ada-token'),
        $own{'Content-Type'} || !defined $body ? ()
            : ('Content-Type' => 'application/json'),
        @headers ], defined $body ? (body => $body) : ());
}

my $done = '{"status":"done"}';

subtest 'who it is' => sub {
    my @type = (headers => [ 'Content-Type' => 'application/json' ]);

    for my $way ([ PATCH => '/items/tasks/2', $done ],
                 [ POST => '/items/tasks', $done ])
    {
        my ($method, $path) = @$way;
        is($t->request($method, $path, body => $done, @type)->{status}, 401,
           'a stranger');
        is(ask(@$way, Authorization => 'Bearer wrong')->{status}, 401,
           'a wrong token');
        is($t->request($method, "$path?access_token=ada-token",
                       body => $done, @type)->{status}, 401,
           'a token in the query');
        $t->no_request('hooks');
    }

    is(ask(PATCH => '/items/tasks/3?access_token=admin-token', $done)
       ->{status}, 200, 'two tokens');
    is($t->only_request('hooks')->json->{user}{email}, 'ada@example.com',
       'Ada');
    my ($last) = @{ admin(GET => '/activity?sort=-id&limit=1&fields=user') };
    is($last->{user}, $ada->{id}, 'and Directus agrees');

    answers($t, 'hooks', 204);
    is(ask(PATCH => '/items/tasks/1', '{"title":"Called"}')->{status}, 200,
       'an edit of a task that is done');
    is(ask(PATCH => '/items/tasks/2', '{"title":"Wrote"}')->{status}, 200,
       'an edit of one that is open');
    $t->no_request('hooks');
};

subtest 'ways around' => sub {
    answers($t, 'hooks', 422);
    my $many = '{"keys":[2],"data":{"status":"done"}}';
    my $graphql = encode_json({ query => 'mutation { '
        . 'update_tasks_item(id: 2, data: { status: "done" }) { id } }' });
    my @ways = (
        (map { [ PATCH => $_, $done ] } qw(
            /items/tasks/2 /ITEMS/TASKS/2 /items/tasks/2/ //items//tasks//2
            /items/%74asks/2 /items/tasks/%32 /items/Tasks/2 /items%2ftasks%2f2
            /x/../items/tasks/2 /items/tasks/2;x /items/tasks\\2
            /items/tasks/02 /items/tasks/2?fields=id /auth/login/../../items/tasks/2 /users/me
            /items/tasks/2/x /presets/2 /items/tasks/2.0)),
        [ PATCH => '/items/tasks', $many ],
        [ PATCH => '/items/tasks/', $many ],
        [ PATCH => '/items/tasks', '[{"id":2,"status":"done"}]' ],
        [ POST => '/items/tasks', '[{"id":2,"status":"done"}]' ],
        [ PATCH => '/items/tasks/2', '{"status":"open","status":"done"}' ],
        [ PATCH => '/items/tasks/2', '{"stat\u0075s":"done"}' ],
        [ PATCH => '/items/tasks/2', 'status=done',
          'Content-Type' => 'application/x-www-form-urlencoded' ],
        [ PATCH => '/items/tasks/2', $done, 'Content-Type' => 'text/plain' ],
        [ PUT => '/items/tasks/2', $done ], [ DELETE => '/items/tasks/2' ],
        [ DELETE => '/items/tasks', '[2]' ],
        [ POST => '/items/tasks/2', $done,
          'X-HTTP-Method-Override' => 'PATCH' ],
        [ SEARCH => '/items/tasks', '{"query":{"limit":1}}' ],
        (map { [ POST => $_, $graphql ] }
            '/graphql', '/GraphQL', '/graphql/', '/graphql/system'),
        [ GET => '/graphql?query=mutation'
          . '%7Bdelete_tasks_item(id:2)%7Bid%7D%7D' ],
        [ POST => '/utils/import/tasks', '[{"id":2,"status":"done"}]' ],
        [ GET => '/flows/trigger/1' ], [ POST => '/mcp', '{}' ],
    );

    my $before = stored(2);
    for my $way (@ways) {
        my $answer = ask(@$way);
        my $calls = $t->new_requests('hooks');
        is(stored(2), $before,
           "$way->[0] $way->[1]: $answer->{status}, $calls calls");
    }

    my ($error) = @{ ask(DELETE => '/items/tasks/2')->json->{errors} };
    is($error->{extensions}{code}, 'FORBIDDEN', 'the app knows the code');
    like($error->{message}, qr/\w+ \w+/, 'and has something to say');
};

$t->done;
