#!/usr/bin/perl

# docs/recipes/rest.md in front of a REST API of npm's.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(encode_json);
use MIME::Base64;
use Test::Flowdash;
use Test::Flowdash::Recipe;

my $t = Test::Flowdash->new(log_level => 'info');
my $npm = npm_app('rest', 'json-server@0.17.4');
my $auth = 'Basic ' . encode_base64('ada:secret', '');

$t->write_file('db.json', encode_json({
    tasks => [ { id => 1, title => 'Call them', status => 'open', due => undef },
               { id => 2, title => 'Write', status => 'done', due => undef } ],
    projects => [ { id => 1, name => 'One' } ],
}));
$t->write_file('etc/nginx/users', "ada:{PLAIN}secret\n");

answering_endpoint($t, 'hooks');
start_app($t, app => [ "$npm/node_modules/.bin/json-server", '--host',
                       '127.0.0.1', '--port', $t->port('app'), 'db.json' ],
          ready => '/tasks', dir => $t->dir);
run_recipe($t, 'docs/recipes/rest.md', 'hooks.example.com' => 'hooks',
           '127.0.0.1:3000' => 'app');

sub ask ($method, $path, $task = undef, @headers) {
    return $t->request($method, $path, headers => [
        Authorization => $auth, Accept => 'application/json',
        $task ? ('Content-Type' => 'application/json') : (), @headers ],
        $task ? (body => $task) : ());
}

# what the app has: /tasks, or one of them

sub stored ($path = '/tasks') { $t->get($path, port => 'app')->json }

my $json = JSON::PP->new->canonical;
my $before = $json->encode(stored());

sub unchanged ($name) { is($json->encode(stored()), $before, "$name: nothing has changed") }


subtest 'a change by the endpoint' => sub {
    answers($t, 'hooks', 200, '{"task":{"due":"2020-02-01","title":"mine"}}');
    is(ask(PATCH => '/tasks/1', '{"status":"done"}')->{status}, 200, 'finish');

    my $call = $t->only_request('hooks');
    is_deeply($call->json, shown('docs/recipes/rest.md', 'action'),
              'the endpoint is told what the page says');
    is(header($call, 'Authorization'), undef, 'no password');
    is_deeply(stored('/tasks/1'), { id => 1, title => 'Call them',
        status => 'done', due => '2020-02-01' }, 'the app has it');

    answers($t, 'hooks', 204);
    is(ask(POST => '/tasks', '{"title":"New"}')->{status}, 201, 'create');
    is($t->only_request('hooks')->json->{action}, 'Create', 'the action');
    is(ask(DELETE => '/tasks/3')->{status}, 200, 'delete');
    $call = $t->only_request('hooks')->json;
    is($call->{action}, 'Delete', 'the action');
    is($call->{task}{title}, 'New', 'the task that is deleted');
    for ([ '/tasks/1', '{"status":"open"}' ], [ '/tasks/2', '{"title":"Wrote"}' ],
         [ '/tasks/2', '{"status":"done"}' ])
    {
        is(ask(PATCH => @$_)->{status}, 200, "@$_");
        is($t->only_request('hooks')->json->{action}, 'Update', 'the action');
    }
    is(ask(PATCH => '/tasks/99', '{"status":"open"}')->{status}, 404, 'no such task');
    $t->no_request('hooks');
    $before = $json->encode(stored());
};

subtest 'a veto' => sub {
    answers($t, 'hooks', 422, '{"message":"Not before Friday"}');
    for ([ PATCH => '/tasks/1', '{"status":"done"}' ],
         [ POST => '/tasks', '{"title":"No"}' ], [ DELETE => '/tasks/1' ])
    {
        my $answer = ask(@$_);
        is($answer->{status}, 502, $_->[0]);
        is($answer->json->{step}, 'Check', 'which step');
        $t->only_request('hooks');
    }
    unchanged('veto');
    answers($t, 'hooks', 204);
};

subtest 'a stranger' => sub {
    for ([ PATCH => '/tasks/1' ], [ POST => '/tasks' ], [ DELETE => '/tasks/1' ]) {
        is($t->request(@$_, body => '{"status":"done"}', headers => [
            'Content-Type' => 'application/json' ])->{status}, 401, $_->[0]);
    }
    $t->no_request('hooks');
    unchanged('stranger');
};

subtest 'ways around' => sub {
    my $done = '{"status":"done"}';

    for my $path ('/TASKS/1', '/tasks/1/', '//tasks//1', '/tasks/%31',
                  '/x/../tasks/1', '/tasks/1?x=1', '/tasks/1%3fx')
    {
        my $answer = ask(PATCH => $path, $done);
        $t->new_requests('hooks') ? pass("$path: an action, $answer->{status}")
            : unchanged("$path: $answer->{status}");
        ask(PATCH => '/tasks/1', '{"status":"open"}');
        $t->new_requests('hooks');
    }

    my @no = (
        [ PUT => '/tasks/1', $done ],
        [ POST => '/tasks/1', $done ],
        [ POST => '/projects/1/tasks', $done ],
        [ PATCH => '/projects/1', '{"name":"x"}' ],
        [ PATCH => '/tasks/1;x', $done ],
        [ PATCH => '/tasks\\1', $done ],
        [ PATCH => '/tasks/1/x', $done ],
        [ PATCH => '/tasks/1', '{"status":"open","status":"done"}' ],
        [ PATCH => '/tasks/1?status=open', $done ],
        [ PATCH => '/tasks/1', $done, 'Content-Encoding' => 'gzip' ],
        [ PATCH => '/tasks/1', 'status=done',
          'Content-Type' => 'application/x-www-form-urlencoded' ],
        [ GET => '/tasks/1', undef, 'X-HTTP-Method-Override' => 'DELETE' ],
        [ POST => '/tasks', '{"id":1}', 'X-HTTP-Method-Override' => 'PUT' ],
        [ POST => '/projects', '{}', 'X-HTTP-Method-Override' => 'PATCH' ],
    );

    for my $request (@no) {
        my ($method, $path) = @$request;
        like(ask(@$request)->{status}, qr/^4/, "$method $path is refused");
        $t->no_request('hooks');
    }
    unchanged('ways around');
};

$t->done;
