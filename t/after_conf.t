# flowdash_after and flowdash_undo: what "nginx -t" refuses of them and why,
# what is inherited, and the ids of such actions.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;
my @json = ('Content-Type' => 'application/json');
my $hex = '[0-9a-f]';

# All the texts are in what nginx says.

sub refused {
    my ($name, $conf, @texts) = @_;
    my ($ok, $output) = $t->test_config($conf);
    my ($line) = $output =~ /(\[emerg\].*)/s;
    my @missing = grep { index($line // '', $_) < 0 } @texts;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(!$ok && defined $line && !@missing, "refused: $name")
        or diag("missing: @missing\n", $output);
    return;
}

sub accepted {
    my ($name, $conf) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $t->conf_ok($conf, "accepted: $name");
}

my $step = 'flowdash_step S { flowdash_call http://127.0.0.1/; }';

sub location { return "location / {\n$_[0]\nproxy_pass http://127.0.0.1:1;\n}" }
sub action   { return location("flowdash_action A;\n$_[0]") }
sub after    { return action("$step flowdash_after Mail { $_[0] }") }
sub step     { return action("flowdash_step S { return 204; $_[0] }") }
sub undo     { return step("flowdash_undo { $_[0] }") }

my $call = 'flowdash_call http://127.0.0.1/;';
my $after = '"flowdash_after" "Mail"';
my $undo = '"flowdash_undo" of "flowdash_step" "S"';
my @block = ([ \&after, $after ], [ \&undo, $undo ]);


# The structure

accepted('flowdash_after', after($call));
accepted('flowdash_undo of a step by another handler', undo($call));
accepted('flowdash_undo of a step with flowdash_call',
    action("flowdash_step S { $call flowdash_undo { $call } }"));
accepted('flowdash_undo before the handler',
    action("flowdash_step S { flowdash_undo { $call } $call }"));
accepted('flowdash_after before flowdash_action',
    location("flowdash_after A { $call } $step flowdash_action A;"));
accepted('one name for a step and flowdash_after',
    action("$step flowdash_after S { $call }"));

refused('two flowdash_after of one name',
    action("$step flowdash_after M { $call } flowdash_after M { $call }"),
    '"M" in "flowdash_after"', 'has a "flowdash_after" of this name');

# Which of two actions is meant by server and location

sub servers {
    return join '', map { "server { listen 127.0.0.1:$_->[0]; server_name $_->[1];"
                          . " $_->[2] }\n" } @_;
}

sub calls {
    my ($undo, $after) = @_;
    return action("flowdash_step S { $call
                       flowdash_undo { flowdash_call http://127.0.0.1/$undo; } }
                   flowdash_after M { flowdash_call http://127.0.0.1/$after; }");
}

my @ports = map { $t->port($_) } qw(one other);

accepted('the same action in two servers of a name', servers(
    [ $ports[0], 'a.test', calls('u', 'm') ],
    [ $ports[1], 'a.test b.test', calls('u', 'm') ]));
accepted('another undo in a server of another name', servers(
    [ $ports[0], 'a.test', calls('u', 'm') ],
    [ $ports[1], 'b.test a.test', calls('v', 'n') ]));
refused('another undo in a server of the same name', servers(
    [ $ports[0], 'a.test', calls('u', 'm') ],
    [ $ports[1], 'a.test', calls('v', 'm') ]),
    $undo, '"http://127.0.0.1/v" is another URL than "http://127.0.0.1/u"');
refused('another after-step in a server of the same name', servers(
    [ $ports[0], 'a.test', calls('u', 'm') ],
    [ $ports[1], 'a.test', calls('u', 'n') ]),
    '"flowdash_after" "M"', '"http://127.0.0.1/n" is another URL than',
    'another first name in "server_name" is expected');

refused('flowdash_after without a name', action("$step flowdash_after '' { $call }"),
    '"flowdash_after"', 'must be UTF-8 and not empty');
refused('two flowdash_undo', step("flowdash_undo { $call } flowdash_undo { $call }"),
    '"flowdash_undo" directive is duplicate');
refused('flowdash_undo outside a step', action("$step flowdash_undo { $call }"),
    '"flowdash_undo" is allowed in "flowdash_step" only');
refused('flowdash_after in a step', step("flowdash_after M { $call }"),
    '"M" in "flowdash_after"', 'is for the whole action',
    'is the "}" of "flowdash_step" "S" missing');
refused('flowdash_after outside an action',
    location("flowdash_after M { $call }"),
    '"flowdash_after" outside an action', '"flowdash_action" is missing');
refused('flowdash_after without a step',
    location("flowdash_action A; flowdash_after M { $call }"),
    '"flowdash_action" "A" has no "flowdash_step"');

for (@block) {
    my ($block, $name) = @$_;

    refused("flowdash_step in $name", $block->("flowdash_step T { $call }"),
        '"T" in "flowdash_step"', 'a step cannot be in a step',
        "is the \"}\" of $name missing");
    refused("flowdash_after in $name", $block->("flowdash_after T { $call }"),
        '"T" in "flowdash_after"', "is the \"}\" of $name missing");
    refused("flowdash_undo in $name", $block->("flowdash_undo { $call }"),
        "\"flowdash_undo\" in $name", 'delete the block');
    refused("flowdash_action in $name", $block->("flowdash_action B; $call"),
        'a step cannot be an action');
    refused("a location in $name", $block->("$call location /a { }"),
        "location \"/a\" in $name");

    refused("nothing in $name", $block->(''), "$name: \"flowdash_call\" is missing");
    refused("$_ in $name", $block->($_), $name,
        'no other content handler', '"flowdash_call" is expected')
        for 'proxy_pass http://127.0.0.1:1;', 'fastcgi_pass 127.0.0.1:1;';
    refused("flowdash_call and proxy_pass in $name",
        $block->("$call proxy_pass http://127.0.0.1:1;"),
        "\"flowdash_call\" in $name", 'another content handler as well');
    refused("proxy_pass and flowdash_call in $name",
        $block->("proxy_pass http://127.0.0.1:1; $call"),
        "\"flowdash_call\" in $name", 'another content handler as well');
    refused("$_ in $name", $block->("$call $_"), $name, 'are not executed here',
        '"map"', '"flowdash_if"')
        for 'set $a b;', 'if ($uri) { set $a b; }', 'return 204;',
            'rewrite ^ /a break;';

    refused("$_ in $name", $block->("$call $_;"), $name,
        '"' . s/ .*//r . '" has no effect here', 'delete it', 'action "A"')
        for 'flowdash_accept all', 'flowdash_accept a', 'flowdash_retry 2',
            'flowdash_retry off', 'flowdash_set_from_answer a /b',
            'flowdash_require_json off', 'flowdash_error_detail on',
            'flowdash_pass_status 404';
    refused("$_ in $name", $block->("$call $_;"),
        "\"flowdash_optional\" in $name", 'delete')
        for 'flowdash_optional on', 'flowdash_optional off',
            'flowdash_optional error';
    refused("$_ in $name", $block->("$call $_;"), $name,
        '"' . s/ .*//r . '"', 'is for the whole action')
        for 'flowdash_deadline 1s', 'flowdash_dry_run 1', 'flowdash_set a b';
    refused("flowdash_set_header Idempotency-Key in $name",
        $block->("$call flowdash_set_header Idempotency-Key \"\";"), $name,
        '"Idempotency-Key"', 'delete');

    accepted("$_ in $name", $block->("$call $_;"))
        for 'flowdash_if $arg_a', 'flowdash_timeout 1s', 'flowdash_deny all',
            'flowdash_set_body json \'{"a":"$arg_a"}\'', 'flowdash_proxy off',
            'flowdash_hide_field a', 'flowdash_pass_field none',
            'flowdash_user id $arg_a', 'flowdash_set_header A $arg_a',
            'flowdash_connect_timeout 1s', 'flowdash_max_response_size 1k',
            'resolver 127.0.0.1', 'flowdash_http_version 1.1';

    my ($ok, $output) = $t->test_config($block->("$call\nproxy_set_header A b;"));
    like($output, qr/\[warn\] .*\Q$name: "proxy_set_header" has no effect\E/,
        "proxy_set_header in $name");
    like($output, qr/ in \S+:\d+$/m, 'with its line');
}

refused('Flowdash-Undo', undo("$call flowdash_set_header Flowdash-Undo a;"),
    $undo, '"Flowdash-Undo"', 'delete the directive');
accepted('Flowdash-Undo in flowdash_after',
    after("$call flowdash_set_header Flowdash-Undo a;"));
refused('Idempotency-Key in a step that has an undo',
    step("flowdash_set_header Idempotency-Key a; flowdash_undo { $call }"),
    '"flowdash_step" "S"', '"Idempotency-Key"', 'names its step');
refused('Idempotency-Key around it',
    action("flowdash_set_header Idempotency-Key a; $step
            flowdash_after Mail { $call }"),
    $after, '"Idempotency-Key"');
accepted('Idempotency-Key around others',
    action("flowdash_set_header Idempotency-Key a; $step
            flowdash_after Mail { $call flowdash_set_header B c; }"));

refused('a host with a variable',
    undo('flowdash_call http://$arg_host/;'), $undo, '"flowdash_allow"');
refused('what is beyond the proxy',
    after("$call flowdash_proxy http://127.0.0.1:1/; flowdash_deny 10.0.0.0/8;"),
    $after, '"flowdash_proxy"');


# Keys that would be stored, and times that no deadline limits

$t->write_file('token', "sesame\n");
chmod 0600, $t->dir . '/token';

sub warned {
    my ($name, $conf, @texts) = @_;
    my ($ok, $output) = $t->test_config(<<"CONF");
flowdash_secret \$crm_token file:%%DIR%%/token;
server {
listen 127.0.0.1:%%PORT_http%%;
$conf
}
CONF
    my @warnings = grep { /\[warn\]/ && !/flowdash_outbox/ } split /\n/, $output;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    if (!@texts) {
        is(join("\n", $ok ? () : $output, @warnings), '', "no warning: $name");
        return;
    }

    my @missing = grep { index($warnings[0] // '', $_) < 0 } @texts;
    ok($ok && @warnings == 1 && !@missing, "warning: $name")
        or diag("missing: @missing\n", $output);
    return;
}

for (@block) {
    my ($block, $name) = @$_;

    warned("$_ in $name", $block->("$call flowdash_set_header $_;"), $name,
        'the header "' . s/ .*//r . '" is stored', '"flowdash_secret"')
        for 'Authorization "Bearer abc"', 'authorization $http_authorization',
            'Cookie a=b', 'X-Api-Key abc', 'Private-token abc',
            'Client-Secret abc', 'Proxy-Authorization abc';
    warned("$_ in $name", $block->("$call flowdash_set_header $_;"))
        for 'Authorization "Bearer $crm_token"', 'Authorization ""',
            'X-Api-Key ${CRM_TOKEN}', 'X-Keyboard us', 'Accept text/plain';
    warned("a long time in $name",
        $block->("$call flowdash_timeout 10m;"));
}

warned('a key in the step', step('flowdash_set_header X-Api-Key abc;'));
warned('a key that the undo inherits',
    step("flowdash_set_header X-Api-Key abc; flowdash_undo { $call }"),
    $undo, '"X-Api-Key"');
warned('a key around a step and flowdash_after',
    action("flowdash_set_header X-Api-Key abc; $step
            flowdash_after Mail { $call }"), $after, '"X-Api-Key"');


# What is around an undo or an after-step need not fit

accepted('flowdash_retry, and others that only steps obey',
    action("flowdash_retry 3; flowdash_accept a; flowdash_error_detail on;
            flowdash_pass_status 404; flowdash_require_json on;
            flowdash_set_from_answer a /b;
            flowdash_step S { $call flowdash_undo { $call } }
            flowdash_after M { $call }"));


# Ids: of a whole action, each execution has an own one; others follow the
# client's key.

$t->endpoint(hook => {});
$t->endpoint(app => {});

my %in = (
    plain  => [ '', '' ],
    after  => [ '', 'flowdash_after Mail { flowdash_call http://127.0.0.1:%%PORT_hook%%/; }' ],
    undo   => [ 'flowdash_undo { flowdash_call http://127.0.0.1:%%PORT_hook%%/; }', '' ],
);

my $actions = join '', map { qq(
    location /$_ {
        flowdash_action A;
        flowdash_step S {
            flowdash_call http://127.0.0.1:%%PORT_hook%%/step;
            $in{$_}[0]
        }
        $in{$_}[1]
        location /$_/inner {
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
        if (\$arg_if) {
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }) } sort keys %in;

$t->config(<<"CONF")->run;
flowdash_secret \$crm_token file:%%DIR%%/token;
map \$flowdash_task_tell \$tell { default \$flowdash_task_tell; }

server {
    listen 127.0.0.1:%%PORT_http%%;
    flowdash_user id \$http_x_user;
    $actions

    location /dry {
        flowdash_action A;
        flowdash_dry_run 1;
        flowdash_set_header X-From S;
        flowdash_step S {
            flowdash_call http://127.0.0.1:%%PORT_hook%%/step;
            flowdash_set_body json '{"mine":1}';
            flowdash_hide_field password;
            flowdash_undo {
                flowdash_call http://127.0.0.1:%%PORT_hook%%/undo/\$flowdash_task_a
                    method=PUT;
                flowdash_set_header Authorization "Bearer \$crm_token";
            }
        }
        flowdash_step T {
            return 204;
            flowdash_undo {
                flowdash_call http://127.0.0.1:%%PORT_hook%%/t?id=\$flowdash_task_id
                    method=DELETE;
                flowdash_if \$tell;
            }
        }
        flowdash_after Mail {
            flowdash_call http://127.0.0.1:%%PORT_hook%%/mail;
            flowdash_hide_field a;
        }
        flowdash_after Form {
            flowdash_call http://127.0.0.1:%%PORT_hook%%/form;
            flowdash_set_body form 'a=\$flowdash_task_a';
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
}
CONF

for my $kind (sort keys %in) {
    for my $uri ("/$kind", "/$kind/inner", "/$kind?if=1") {

        $t->clear_requests('hook');

        for (1, 2) {
            my $res = $t->post_json($uri, '{"task":{"a":1}}',
                headers => [ 'X-User' => 'u', 'Idempotency-Key' => '"k"' ]);
            is($res->{status}, 200, "$uri is performed");
        }

        my @id = map { header($_, 'Idempotency-Key') }
            grep { $_->{target} eq '/step' } $t->requests('hook');
        is(scalar @id, 2, "$uri: two executions");

        if ($kind eq 'plain') {
            is($id[1], $id[0], "$uri: the id follows from the client's key");
        } else {
            isnt($id[1], $id[0], "$uri: each has an id of its own");
            like($_, qr/^"$hex{32}-$hex{16}"$/, "$uri: it is random") for @id;
        }
    }
}


# A dry run shows them; what only the app or a failure tells is null.

$t->clear_requests('hook');
my $task = '{"task":{"a":"x y","password":"p","tell":1}}';
my $res = $t->post_json('/dry', $task, headers => [ 'X-User' => 'u' ]);
my ($s, $t2) = @{ $res->{json}{steps} };
my $user = { id => 'u', map { $_ => undef } qw(email first_name last_name) };
my $port = $t->port('hook');

is($s->{undo}{method}, 'PUT', 'the method of an undo');
is($s->{undo}{url}, "http://127.0.0.1:$port/undo/x%20y", 'its URL');
is_deeply($s->{undo}{body}, { action => 'A', user => $user,
    task => { a => 'x y', tell => 1 },
    undo => { reason => undef, step => undef, key => undef } },
    'its payload, which it does not share with its step');
is_deeply([ sort @{ $s->{undo}{headers} } ], [ sort qw(Content-Type Accept
    User-Agent Idempotency-Key Authorization Flowdash-Undo traceparent) ],
    'the names of its headers');
ok(!exists $s->{undo}{$_}, "no $_ of an undo") for qw(step optional);
is_deeply($s->{body}, { mine => 1 }, 'the payload of its step');

is($t2->{undo}{error}, 'request_invalid', 'the field comes with the answer');
like($t2->{undo}{detail}, qr/URL of flowdash_undo .* field that the task lacks/,
    'which is said');

my ($mail, $form) = @{ $res->{json}{after} };
is($mail->{after}, 'Mail', 'an after-step');
is_deeply($mail->{body}, { action => 'A', user => $user,
    task => { password => 'p', tell => 1 }, result => undef,
    response => undef }, 'its payload');
ok((grep { $_ eq 'X-From' } @{ $mail->{headers} }), 'an inherited header');
is($form->{body}, 'a=x%20y', 'a payload of its own');

$res = $t->post_json('/dry', '{"task":{"a":"x","id":"7","tell":0}}');
$t2 = $res->{json}{steps}[1];
is($t2->{undo}{url}, "http://127.0.0.1:$port/t", 'a URL with a field');
is($t2->{undo}{body}, undef, 'a DELETE has no payload');
ok($t2->{undo}{skipped} && !$t2->{skipped}, 'flowdash_if of an undo');

$res = $t->post_json('/dry', '{"task":{"a":".."}}');
like($res->{json}{steps}[0]{undo}{detail}, qr/"\." or "\.\."/,
    'a part of the path that leads up');

$t->no_request('hook');

$t->done;
