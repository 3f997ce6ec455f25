#!/usr/bin/perl

# docs/recipes/graphql.md in front of a GraphQL server of npm's.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(encode_json);
use MIME::Base64;
use Test::Flowdash;
use Test::Flowdash::Recipe;

my $page = 'docs/recipes/graphql.md';
my $t = Test::Flowdash->new(log_level => 'info');
my $npm = npm_app('graphql', 'json-graphql-server@3.3.2');
my $auth = 'Basic ' . encode_base64('ada:secret', '');
my $json = JSON::PP->new->canonical;

$t->write_file('data.js', 'module.exports = { tasks: ['
    . '{ id: 1, title: "Call them", status: "open", due: "2019-01-01" },'
    . '{ id: 2, title: "Write", status: "open", due: "2019-01-01" } ] };');
$t->write_file('etc/nginx/users', "ada:{PLAIN}secret\n");

answering_endpoint($t, 'hooks');
start_app($t, app => [ "$npm/node_modules/.bin/json-graphql-server", 'data.js',
                       '-p', $t->port('app'), '-h', '127.0.0.1' ],
          ready => '/', dir => $t->dir);
run_recipe($t, $page, 'hooks.example.com' => 'hooks',
           '127.0.0.1:3000' => 'app');

my $save = 'mutation Save($id: ID!, $status: String, $due: String) { '
    . 'updateTask(id: $id, status: $status, due: $due) { id status due } }';
my $remove = 'mutation Remove($id: ID!) { removeTask(id: $id) { id } }';
my $all = '{ allTasks { id title status due } }';
my %done = (id => '1', status => 'done');

sub ask ($body, %option) {
    return $t->request($option{method} // 'POST', $option{path} // '/graphql',
        body => ref $body ? encode_json($body) : $body, headers => [
            'Content-Type' => $option{type} // 'application/json',
            Accept => 'application/json',
            $option{stranger} ? () : (Authorization => $auth) ]);
}

sub stored () {
    my $answer = $t->post_json('/graphql', encode_json({ query => $all }),
                               port => 'app');
    return $json->encode($answer->json->{data});
}

my $before = stored();

sub unchanged ($name) { is(stored(), $before, "$name: nothing has changed") }

subtest 'a veto' => sub {
    answers($t, 'hooks', 422, '{"message":"Not before Friday"}');
    for my $query ($save, $remove) {
        my $answer = ask({ query => $query, variables => \%done });
        is($answer->{status}, 502, 'refused');
        is($answer->json->{step}, 'Check', 'which step');
        $t->only_request('hooks');
    }
    unchanged('veto');
};

subtest 'queries' => sub {
    my @queries = ({ query => $all }, { query => "query All $all" },
                   { query => $all, variables => undef },
                   { query => $all, variables => {}, operationName => undef });
    for my $query (@queries) {
        my $answer = ask($query);
        is($answer->{status}, 200, 'passes');
        is($json->encode($answer->json->{data}), $before, 'as it was');
        $t->no_request('hooks');
    }
};

subtest 'a stranger' => sub {
    is(ask({ query => $save, variables => \%done }, stranger => 1)->{status},
       401, 'needs a password');
    $t->no_request('hooks');
    unchanged('stranger');
};

subtest 'ways around' => sub {
    my $known = { query => $save, variables => \%done };
    my @ways = (
        { query => 'mutation { updateTask(id: 1, status: "done") { id } }' },
        { query => "$save " , variables => \%done },
        { query => $all . $save, operationName => 'Save',
          variables => \%done },
        { query => "query A $all $save", operationName => 'A' },
        { query => "query A $all $save", operationName => 'Save',
          variables => \%done },
        { query => $save =~ s/Save/A/r, operationName => 'Save',
          variables => \%done },
        { query => "#\nmutation{removeTask(id:1){id}}" },
        { query => "\x{feff}mutation{removeTask(id:1){id}}" },
        { query => "subscription { x }" },
        { query => $save =~ s/status: String/Status: String/r,
          variables => \%done },
        { query => uc $remove, variables => { id => '2' } },
        { operationName => 'Save', variables => \%done },
        { extensions => { persistedQuery => { sha256Hash => 'x' } } },
        [ $known ], [ $known, { query => $all } ],
        [ { query => $all }, $known ],
        '{"query":"{ allTasks { id } }","query":' . $json->encode($save) . '}',
        '{"query":"mut\u0061tion{removeTask(id:1){id}}"}',
        '{"Query":"mutation{removeTask(id:1){id}}"}',
    );
    for my $way (@ways) {
        my $answer = ask($way);
        my $calls = $t->new_requests('hooks');
        is($calls, 0, 'no call') if $answer->{status} == 403;
        unchanged((ref $way ? $json->ascii->encode($way) : $way)
                  . ": $answer->{status}, $calls calls");
    }

    my %other = (
        'another URL' => [ $known, path => '/graphql/' ],
        'the root' => [ $known, path => '/' ],
        'a form' => [ 'query=mutation{removeTask(id:1){id}}',
                      type => 'application/x-www-form-urlencoded' ],
        'the document alone' => [ $remove, type => 'application/graphql' ],
        'the query' => [ '', path => '/graphql?query=mutation' ],
        'GET' => [ '', method => 'GET' ],
        'PUT' => [ $known, method => 'PUT' ],
    );
    for my $name (sort keys %other) {
        my ($body, @option) = @{ $other{$name} };
        like(ask($body, @option)->{status}, qr/^4/, "$name is refused");
        $t->no_request('hooks');
    }
    unchanged('other ways');
};

subtest 'a change by the endpoint' => sub {
    answers($t, 'hooks', 200, '{"task":{"due":"2020-02-01","title":"mine"}}');
    my $answer = ask({ query => $save, variables => \%done });
    is_deeply($answer->json->{data}{updateTask},
              { id => '1', status => 'done', due => '2020-02-01' },
              'the app has it');
    my $call = $t->only_request('hooks');
    is_deeply($call->json, shown($page, 'action'),
              'the endpoint is told what the page says');
    is(header($call, 'Authorization'), undef, 'no password');

    answers($t, 'hooks', 204);
    is(ask({ query => $remove, variables => { id => '2' } })->{status}, 200,
       'remove');
    is($t->only_request('hooks')->json->{action}, 'Remove', 'the action');
    unlike(stored(), qr/Write/, 'it is gone');
};

$t->done;
