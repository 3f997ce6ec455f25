#!/usr/bin/perl

# docs/recipes/slack.md, docs/recipes/jira.md and docs/recipes/gitlab.md, with
# stand-ins that check the documented requests, and an app with forms.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json);
use MIME::Base64;
use Test::Flowdash;
use Test::Flowdash::Recipe;

my $t = Test::Flowdash->new(log_level => 'info');
my $json = 'application/json';

sub secret ($name, $value) {
    chmod 0600, $t->write_file("etc/nginx/$name", "$value\n");
}

$t->write_file('etc/nginx/users', "ada:{PLAIN}secret\n");
secret('slack.secret', 'XXXXXXXXXXXXXXXXXXXXXXXX');
secret('jira.token', 'jira-secret');
secret('gitlab.token', 'glpat-secret');

$t->endpoint(app => sub ($request) {
    return { headers => [ 'Content-Type' => $json ], body => '{"task":'
             . '{"title":"Call them","issue_iid":24}}' }
        if $request->{method} eq 'GET';
    return { status => 303, headers => [ Location => '/tasks/7' ] };
});

sub answer ($status, $body, $type = $json) {
    return { status => $status, body => $body,
             headers => [ 'Content-Type' => $type ] };
}

# "down" in the file: the service is not there

sub down () { ($t->read_file('down') // '') =~ /1/ }

$t->endpoint(slack => sub ($request) {
    return answer(503, '', 'text/plain') if down();
    return answer(403, 'invalid_token', 'text/plain')
        if $request->{target} ne '/services/T00000000/B00000000/' . 'X' x 24;
    my $text = eval { decode_json($request->{body})->{blocks}[0]{text} };
    return answer(400, 'invalid_payload', 'text/plain')
        if $request->{method} ne 'POST' || !$text || !length $text->{text}
            || $text->{type} ne 'plain_text' || length $text->{text} > 3000
            || $request->header('Content-Type') ne $json;
    return answer(200, 'ok', 'text/plain');
});

$t->endpoint(jira => sub ($request) {
    return answer(401, '{"message":"Client must be authenticated"}')
        if ($request->header('Authorization') // '') ne 'Bearer jira-secret';
    my $fields = eval { decode_json($request->{body})->{fields} } // {};
    return answer(400, '{"message":"You must specify a summary of the issue."}')
        if "$request->{method} $request->{target}" ne 'POST /rest/api/2/issue'
            || ($fields->{project}{key} // '') ne 'CRM'
            || ($fields->{issuetype}{name} // '') ne 'Task'
            || !length($fields->{summary} // '');
    return answer(201, '{"task":{"title":"no"},"id":"10000"}')
        if $fields->{summary} eq 'No key';
    return answer(201, '{"task":{"title":"no"},"id":"10000",'
                  . '"key":"CRM-24","self":"https://jira.example.com/rest/api/2/issue/10000"}');
});

$t->endpoint(gitlab => sub ($request) {
    return answer(401, '{"message":"401 Unauthorized"}')
        if ($request->header('PRIVATE-TOKEN') // '') ne 'glpat-secret';
    return answer(503, '{"message":"Not before Friday"}') if down();
    my $event = eval { decode_json($request->{body})->{state_event} } // '';
    return answer(404, '{"message":"404 Not found"}')
        if "$request->{method} $request->{target}"
            ne 'PUT /api/v4/projects/42/issues/24' || $event ne 'close';
    return answer(200, '{"iid":24,"state":"closed",'
                  . '"closed_at":"2030-02-01T00:00:00.000Z"}');
});

sub run_page ($name, $host) {
    $t->stop;
    run_recipe($t, "docs/recipes/$name.md", $host => $name,
               '127.0.0.1:3000' => 'app');
    return;
}

sub ask ($path, $form, %option) {
    return $t->request(POST => $path, body => $form, headers => [
        'Content-Type' => 'application/x-www-form-urlencoded',
        Accept => $json, $option{stranger} ? () : (Authorization =>
            'Basic ' . encode_base64('ada:secret', '')) ]);
}

sub nothing_leaks () {
    my $logs = $t->error_log . $t->access_log;
    unlike($logs, qr/jira-secret|glpat-secret|XXXXXX/, 'no secret in a log');
    return;
}

sub stranger ($name, $path) {
    is(ask($path, 'task[title]=x', stranger => 1)->{status}, 401, 'a stranger');
    $t->no_request($_) for $name, 'app';
    return;
}

my $form = 'task%5Btitle%5D=Call+them&task%5B_token%5D=token-of-ada'
    . '&task%5Bpassword%5D=ada-secret';

subtest 'Slack' => sub {
    run_page('slack', 'hooks.slack.com');
    stranger('slack', '/tasks/7/finish');

    my $ask = 'task%5Btitle%5D=Call+them+%26+%22ask%22';
    is(ask('/tasks/7/finish', $ask)->{status}, 303, 'finished');
    my $call = $t->only_request('slack');
    is_deeply($call->json, shown('docs/recipes/slack.md', 'blocks'),
              'the channel gets what the page says');
    is(header($call, 'Authorization'), undef, 'no password');
    is($t->only_request('app')->{body}, $ask,
       'the app gets the form as it was');

    $t->write_file('down', 1);
    is(ask('/tasks/7/finish', $form)->{status}, 303, 'without Slack, too');
    unlike($t->only_request('slack')->{body}, qr/token|secret/, 'no token');
    $t->only_request('app');
    $t->write_file('down', 0);
    nothing_leaks();
};

subtest 'Jira' => sub {
    run_page('jira', 'jira.example.com');
    stranger('jira', '/tasks/7/escalate');

    is(ask('/tasks/7/escalate', $form)->{status}, 303, 'escalated');
    my $call = $t->only_request('jira');
    is_deeply($call->json, shown('docs/recipes/jira.md', 'fields'),
              'Jira gets what the page says');
    is($t->only_request('app')->{body}, "$form&task%5Bjira_key%5D=CRM-24",
       'the app gets the key, and nothing that Jira calls a task');

    for my $title ('', 'No+key') {
        my $answer = ask('/tasks/7/escalate', $form =~ s/Call\+them/$title/r);
        is($answer->{status}, 502, "a title \"$title\" is refused");
        is($answer->json->{message}, 'You must specify a summary of the issue.',
           'the user sees why') if !$title;
        $t->only_request('jira');
        $t->no_request('app');
    }
    nothing_leaks();
};

subtest 'GitLab' => sub {
    run_page('gitlab', 'gitlab.example.com');
    stranger('gitlab', '/tasks/7/finish');

    for my $more ('', '&task%5Bissue_iid%5D=25') {
        is(ask('/tasks/7/finish', $form . $more)->{status}, 303, 'finished');
        my $call = $t->only_request('gitlab');
        is_deeply($call->json, shown('docs/recipes/gitlab.md', 'state_event'),
                  'GitLab gets what the page says');
        my ($get, $post) = $t->new_requests('app');
        is($get->{target}, '/tasks/7.json', 'the stored issue counts');
        is($post->{body}, "$form$more&task%5Bclosed_at%5D="
           . '2030-02-01T00%3A00%3A00.000Z', 'the app gets the date');
    }

    $t->write_file('down', 1);
    my $answer = ask('/tasks/7/finish', $form);
    is($answer->{status}, 502, 'a veto');
    is($answer->json->{message}, 'Not before Friday', 'the user sees why');
    $t->only_request('gitlab');
    is(($t->new_requests('app'))[-1]{method}, 'GET', 'the app got nothing else');
    nothing_leaks();
};

$t->done;
