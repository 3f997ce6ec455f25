# docs/coming-from.md: what each configuration after does, and that the one
# before it is refused for nothing, and does what the page says of it.

use FindBin;
use lib "$FindBin::Bin/lib";
use feature 'signatures';
no warnings 'experimental::signatures';
use Test::Flowdash;

use JSON::PP qw(decode_json);
use MIME::Base64;

my $page = do {
    open my $file, '<', "$FindBin::Bin/../docs/coming-from.md" or die "$!\n";
    local $/;
    readline $file;
};

my $t = Test::Flowdash->new;
my $dir = $t->dir;
my $json = 'application/json';

# what the endpoint answers is in a file: status, type and body
my $answer = sub {
    my ($status, $type, $body) = split /\n/, $t->read_file('answer');
    return { status => $status, headers => [ 'Content-Type' => $type ],
             body => $body };
};

$t->endpoint(crm => $answer);
$t->endpoint(zapier => { headers => [ 'Content-Type' => $json ],
                         body => '{"status":"success","task":{"Stage":"no"}}' });
$t->endpoint(slack => { body => 'ok' });
$t->endpoint(sso => { headers => [
    'X-User-Id' => 'abc123', 'X-User-Email' => 'user@example.com',
    'X-User-First-Name' => 'Example', 'X-User-Last-Name' => 'User' ] });
$t->endpoint(app => sub ($request) {
    return { headers => [ 'Content-Type' => 'text/html',
                          'Set-Cookie' => 'seen=1' ],
             body => $request->{body} =~ /long answer/ ? 'x' x 20_000
                                                        : 'done' };
});

$t->write_file('tasks.users', "ada:{PLAIN}secret\n");
$t->write_file('crm.token', "the-token\n");
chmod 0600, "$dir/crm.token";
$t->write_file('njs/tasks.js', block('js', '// before: /etc/nginx/njs/tasks.js'));

my %modules = $t->debian_modules;
my %load = (njs => $modules{js}, Lua => $modules{lua});

sub block ($language, $comment) {
    my ($text) = $page =~ /^```$language\n(\Q$comment\E\n.*?)^```$/ms;
    die "no block of $language: $comment\n" if !$text;
    return $text;
}

# nginx with the block of that name
sub run_block ($name, $load = '') {
    my $conf = block('nginx', "# $name");
    my $listen = 'listen 127.0.0.1:%%PORT_http%%;'
        . ' listen 127.0.0.1:%%PORT_h2%% http2;';

    $conf =~ s{https://crm\.example\.com}{http://127.0.0.1:%%PORT_crm%%};
    $conf =~ s{https://hooks\.(zapier|slack)\.example}
              {http://127.0.0.1:%%PORT_$1%%}g;
    $conf =~ s{/etc/nginx/njs/}{$dir/njs};
    $conf =~ s{/etc/ssl/certs/ca-certificates\.crt}{$dir/tasks.users};
    $conf =~ s{listen 80;}{$listen}
        or $conf = "server {\n$listen\n$conf\n"
            . "location = /sso { internal;\n"
            . "proxy_pass http://127.0.0.1:%%PORT_sso%%;\n"
            . "proxy_pass_request_body off;\n"
            . "proxy_set_header Content-Length ''; }\n}\n";

    # a line of Lua looks like the directive "user", which %%GLOBALS%% then lacks
    $load .= ' user root;' if $> == 0 && $conf =~ /^\s*user\s/m;

    $t->config("%%GLOBALS%%\n$load\nevents { }\nhttp {\n%%HTTP_GLOBALS%%\n"
        . "auth_basic Tasks; auth_basic_user_file $dir/tasks.users;\n"
        . "flowdash_secret \$crm_token file:$dir/crm.token;\n"
        . "upstream task_app { server 127.0.0.1:%%PORT_app%%; }\n$conf\n}\n");
    $t->run;
    return;
}

sub answers ($status, $type = $json, $body = '') {
    $t->write_file('answer', "$status\n$type\n$body");
    return;
}

sub finish ($body, %option) {
    my $request = $option{h2} ? 'h2_request' : 'request';
    return $t->$request('POST', '/tasks/7/finish', body => $body, headers => [
        'Content-Type' => $option{type} // $json, Cookie => 'session=1',
        Accept => $json,
        Authorization => 'Basic ' . encode_base64('ada:secret', '') ]);
}


# Flowdash's own example: the task of its documentation, to the last field.

subtest 'Flowdash' => sub {
    my $task = '{"Stage": "Started", "Assigned To": "user@example.com", '
        . '"Company ID": "42", "Company Name": "Acme Corp", '
        . '"Number of Employees": "20", "Contract Value": "10000", '
        . '"International?": false, "Expected Close Date": "2020-01-31"}';

    run_block('after: Flowdash');
    answers(200, $json, '{"task":{"Expected Close Date":"2020-02-01"}}');
    is(finish(qq({"task": $task}))->{status}, 200, 'the action');

    my $call = $t->only_request('crm');
    is_deeply($call->json, {
        action => 'Finish',
        user => { id => 'abc123', email => 'user@example.com',
                  first_name => 'Example', last_name => 'User' },
        task => { %{ decode_json($task) }, Stage => 'Completed' },
    }, 'API Call: as Flowdash would');
    is("$call->{method} $call->{target}", 'POST /flowdash/finish', 'where');
    is(header($call, 'Authorization'), 'Bearer the-token', 'its header');

    is($t->only_request('zapier')->json->{task}{'Expected Close Date'},
       '2020-02-01', 'Zapier gets the change');

    my $text = $t->only_request('slack');
    like($text->json->{text}, qr/^A task was finished, \w{32}$/, 'Slack');
    is(header($text, 'Content-Type'), $json, 'as JSON');

    my $request = $t->only_request('app');
    is_deeply($request->json->{task},
              { %{ decode_json($task) }, Stage => 'Completed',
                'Expected Close Date' => '2020-02-01' }, 'the app');
    $t->only_request('sso');

    answers(422);
    is(finish(qq({"task": $task}))->{status}, 502, 'a step says no');
    is(scalar $t->new_requests($_), $_ eq 'crm' ? 1 : 0, "$_ after that")
        for qw(crm zapier slack app);
    $t->only_request('sso');
    $t->stop;
};


subtest 'auth_request' => sub {
    my ($ok) = $t->test_config('location / { auth_request off; }');
    plan(skip_all => 'this nginx has no auth_request') if !$ok;
    my $body = '{"task":{"A":1}}';

    run_block('before: auth_request');
    my %says = (200 => 200, 403 => 403, 404 => 500);

    for my $status (sort keys %says) {
        answers($status);
        my $res = finish($body);
        is($res->{status}, $says{$status}, "before: $status");
        my $call = $t->only_request('crm');
        is("$call->{method} $call->{body}", 'GET ', 'a GET without a body');
        is(header($call, 'Cookie'), 'session=1', 'with the cookies');
        $status == 200 ? $t->only_request('app') : $t->no_request('app');
        unlike($res->{body}, qr/Finish/, 'which action?') if $status != 200;
    }
    $t->stop;

    run_block('after: auth_request');
    %says = (200 => 200, 403 => 403, 404 => 502);

    for my $status (sort keys %says) {
        answers($status);
        my $res = finish($body);
        is($res->{status}, $says{$status}, "after: $status");
        my $call = $t->only_request('crm');
        is($call->json->{user}{id}, 'ada', 'the user');
        is_deeply($call->json->{task}, { A => 1 }, 'and the task');
        is(header($call, 'X-Original-URI'), '/tasks/7/finish', 'the header');
        is(header($call, 'Cookie'), undef, 'no cookies');
        $status == 200 ? $t->only_request('app') : $t->no_request('app');
        is($res->json->{action}, 'Finish', 'which action') if $status != 200;
    }
    $t->stop;
};


# What both scripts and both steps are asked.  A script's status, and what the
# endpoint and the app got, are those of the page's tables.

my $long = 'x' x 20_000;
my $number = '12345678901234567890';
my $broken = qr/^(?:0|500)$/;       # an exception; as the version of njs has it

my %table = (
    'an action' => {
        body => '{"task":{"A":"1"}}', answer => '{"task":{"A":"2"}}',
        after => [ 200, qr/"task":\{"A":"1"}}$/, qr/^\{"task":\{"A":"2"}}$/ ],
        Lua => [ 200, qr/"task":\{"A":"1"}/, qr/^\{"task":\{"A":"2"}}$/ ],
        njs => [ 200, qr/"task":\{"A":"1"}/, qr/^\{"task":\{"A":"2"}}$/ ],
    },
    'a number' => {
        body => qq({"task":{"A":$number}}), answer => '{"task":{"B":"2"}}',
        after => [ 200, qr/:$number\b/, qr/:$number,/ ],
        Lua => [ 200, qr/:1\.2345678901235e\+19\b/,
                 qr/:1\.2345678901235e\+19\b/ ],
        njs => [ 200, qr/:12345678901234567000\b/,
                 qr/:12345678901234567000\b/ ],
    },
    'an empty list' => {
        body => '{"task":{"A":[]}}', answer => '{"task":{"B":"2"}}',
        after => [ 200, qr/"A":\[]/, qr/"A":\[]/ ],
        Lua => [ 200, qr/"A":\{}/, qr/"A":\{}/ ],
    },
    'a long body' => {
        body => qq({"task":{"A":"$long"}}), answer => '{"task":{"B":"2"}}',
        after => [ 200, qr/"A":"x{20000}"/, qr/"A":"x{20000}"/ ],
        Lua => [ 400 ],
    },
    'a field twice' => {
        body => '{"task":{"a":1,"a":2}}', answer => '{}',
        after => [ 400 ],
        Lua => [ 200, qr/"task":\{"a":2}/, qr/"a":1,"a":2/ ],
    },
    'a form' => {
        type => 'application/x-www-form-urlencoded',
        body => 'task[A]=1', answer => '{"task":{"A":"2"}}',
        after => [ 200, qr/"task":\{"A":"1"}/, qr/^task\[A\]=2$/ ],
        Lua => [ 400 ], njs => [ $broken ],
    },
    'an answer that is no JSON' => {
        body => '{"task":{"A":"1"}}', answer => 'ok', media => 'text/plain',
        after => [ 200, qr/"A":"1"/, qr/^\{"task":\{"A":"1"}}$/ ],
        njs => [ $broken, qr/"A":"1"/ ],
    },
    'HTTP/2' => {
        h2 => 1, body => '{"task":{"A":"1"}}', answer => '{}',
        after => [ 200, qr/"A":"1"/, qr/"A":"1"/ ],
    },
    'a long response' => {
        body => '{"task":{"A":"long answer"}}', answer => '{"task":{}}',
        response => 'x' x 20_000,
        after => [ 200, qr/long/, qr/long/ ],
        njs => [ $broken, qr/long/, qr/long/ ],
    },
    'a refusal' => {
        body => '{"task":{"A":"1"}}', answer => '', says => 403,
        after => [ 502, qr/"A":"1"/ ],
        Lua => [ 502, qr/"A":"1"/ ], njs => [ 502, qr/"A":"1"/ ],
    },
);

sub walk_through ($column) {
    for my $name (sort grep { $table{$_}{$column} } keys %table) {
        my $row = $table{$name};
        my ($status, $call, $request) = @{ $row->{$column} };

        answers($row->{says} // 200, $row->{media} // $json, $row->{answer});
        my $res = finish($row->{body}, type => $row->{type}, h2 => $row->{h2});
        like($res->{status}, ref $status ? $status : qr/^$status$/,
             "$column: $name");

        my ($call_got, @calls) = $t->new_requests('crm');
        is(scalar @calls, 0, 'no other call');
        is(!!$call_got, !!$call, 'is the endpoint called?');
        like($call_got->{body}, $call, 'what it gets') if $call && $call_got;
        is(header($call_got, 'Cookie'), $column eq 'after' ? undef : 'session=1',
           'its cookies') if $call_got;

        my ($app_got, @requests) = $t->new_requests('app');
        is(scalar @requests, 0, 'no other request');
        is(!!$app_got, !!$request, 'is the app called?');
        like($app_got->{body}, $request, 'what it gets')
            if $request && $app_got;

        next if $status ne '200';
        is($res->{body}, $row->{response} // 'done',
           'the client gets its response');
        is(header($res, 'Set-Cookie'), $column eq 'njs' ? undef : 'seen=1',
           'its cookie');
    }
}

for my $script (qw(Lua njs)) {
    subtest $script => sub {
        run_block("after: $script");
        walk_through('after');
        $t->stop;
    };

    subtest "$script, before" => sub {
        plan(skip_all => "no module for $script") if !$load{$script};
        run_block("before: $script", $load{$script});
        walk_through($script);
        $t->stop;
    };
}

$t->done;
