# flowdash_secret: a variable from a file, which has its value only while a call
# is made.  All that the endpoints get is compared, and then everything else is
# searched for it.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new(log_level => 'info');
my $dir = $t->dir;
my $task = '{"task":{"f":"a"}}';

my %secret = (token => 's3cret-TOKEN', path => 's3cret-a/b c?%', new => 's3cret-NEW');

sub secret_file {
    my ($name, $content, $mode) = @_;
    $t->write_file($name, $content);
    chmod $mode // 0600, "$dir/$name";
    return;
}

# as Kubernetes mounts them: a link to a link

secret_file('token.1', "$secret{token}\n");
secret_file('path', "$secret{path}\r\n");
symlink 'token.1', "$dir/..data" or die;
symlink '..data', "$dir/token" or die;

$t->endpoint(hook => sub {
    return { status => $_[0]{target} =~ m{^/(\d+)} ? $1 : 204 };
});
$t->endpoint(app => { body => 'stored' });

my $hook = 'http://127.0.0.1:%%PORT_hook%%';
my $app = 'proxy_pass http://127.0.0.1:%%PORT_app%%;';

sub action {
    my ($name, $step, $set) = @_;
    return <<"EOC";
        location = /$name {
            @{[ $set // '' ]}
            flowdash_action "Do $name";
            flowdash_step "Call" { $step }
            $app
        }
EOC
}

my $bearer = 'flowdash_set_header Authorization "Bearer $crm_token";';

my $locations = join '',
    action('call', "$bearer flowdash_call $hook/call;"),
    action('proxy', "$bearer proxy_pass $hook/proxy;"),
    action('braces', qq(flowdash_set_header X-A "\${CRM_token}-";
                        flowdash_call $hook/braces;)),
    action('url', "flowdash_call $hook/200/\$url_secret/x?k=\$crm_token;"),
    action('url_fails', "flowdash_call $hook/403/\$url_secret/x?k=\$crm_token;"),
    action('down', "$bearer flowdash_retry 1 error; flowdash_call
                    http://127.0.0.1:%%PORT_none%%/\$crm_token/\$mapped;"),
    action('map', "flowdash_set_header X-Map \$mapped;
                   flowdash_set_header X-Part \$part;
                   flowdash_call $hook/map;"),
    action('body', "flowdash_set_body json '{\"t\":\"\$crm_token\",
                    \"m\":\"\$mapped\",\"u\":\$flowdash_json_user}';
                    flowdash_call $hook/body;", 'flowdash_user id $crm_token;'),
    action('form', "flowdash_set_body form 't=\$url_secret';
                    proxy_pass $hook/form;"),
    action('dry', "$bearer flowdash_set_body json '{\"t\":\"\$crm_token\"}';
                   flowdash_call $hook/dry/\$url_secret;",
           'flowdash_dry_run 1;'),
    action('inherited', "if (\$arg_none) { return 204; } proxy_pass $hook/in;",
           $bearer),

    # what has no value: each where a request can see it
    action('user', "flowdash_call $hook/user;", 'flowdash_user id $crm_token;'),
    action('set', "flowdash_call $hook/set;",
           'flowdash_set by $crm_token; flowdash_set_json j "[\\"$mapped\\"]";'),
    action('if', "flowdash_if \$crm_token; flowdash_call $hook/if;"),
    action('host', "flowdash_allow all; flowdash_call http://\$crm_token/;"),
    action('nginx', "proxy_set_header X-A \"a\$crm_token\";
                     proxy_pass $hook/nginx?\$crm_token;"),
    action('step_set', "set \$copy \$crm_token; proxy_set_header X-A \"a\$copy\";
                        proxy_pass $hook/step_set;"),
    action('app', "$bearer flowdash_call $hook/call;",
           'proxy_set_header X-App "a$crm_token$mapped$copy";
            add_header X-Response "a$crm_token$mapped$copy" always;'),
    action('cached', "flowdash_set_header X-Map \$mapped;
                      flowdash_call $hook/cached;", 'if ($mapped) { }');

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%

    flowdash_secret \$crm_token  file:token;
    flowdash_secret \$url_secret file:$dir/path;
    flowdash_zone flowdash:1m;

    map \$crm_token \$mapped { "" empty; default "mapped-\$crm_token"; }
    map \$crm_token \$part   { "~^s3cret-(?<named>.*)" "part-\$named-\$1"; }

    log_format flow '\$uri|\$crm_token|\$url_secret|\$mapped|\$part|\$named|'
                    '\$copy|\$http_authorization';
    access_log %%DIR%%/flow.log flow;
    log_subrequest on;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        set \$copy "\$crm_token\$url_secret";

        $locations

        location = /named {
            flowdash_action "Do \$crm_token";
            flowdash_step "Call" { flowdash_call $hook/named; }
            $app
        }
        location = /return  { return 200 "a\$crm_token\$mapped\$copy"; }
        location = /rewrite { rewrite ^ /return?\$crm_token redirect; }
        location = /json    { flowdash_status json; }
        location = /metrics { flowdash_status prometheus; }
        location = /flows   { flowdash_status html; }
    }
}
EOC

$t->run;

my @answers;

sub act {
    my ($name, %option) = @_;
    my $answer = $t->post_json("/$name", $task, %option);
    push @answers, $answer;
    return $answer;
}

sub get {
    my ($name) = @_;
    my $answer = $t->get("/$name");
    push @answers, $answer;
    return $answer;
}

# what the endpoint has got under this path

sub got {
    my ($path, $header) = @_;
    my ($request) = grep { $_->{target} =~ m{^/$path\b} } $t->requests('hook');
    return 'nothing' if !$request;
    return $header eq 'target' ? $request->{target}
        : $header eq 'body' ? $request->{body}
        : $request->header($header) // 'none';
}


# What the endpoints get

is(act('call')->{status}, 200, 'flowdash_call');
is(got('call', 'Authorization'), "Bearer $secret{token}", 'a header');
is(act('proxy')->{status}, 200, 'proxy_pass');
is(got('proxy', 'Authorization'), "Bearer $secret{token}",
   'a header of proxy_pass');
is(act('inherited')->{status}, 200, 'inherited');
is(got('in', 'Authorization'), "Bearer $secret{token}", 'an inherited header');
is(act('braces')->{status}, 200, 'in braces');
is(got('braces', 'X-A'), "$secret{token}-", 'in braces, and another case');
is(act('url')->{status}, 200, 'in a URL');
is(got(200, 'target'), '/200/s3cret-a%2Fb%20c%3F%25/x?k=s3cret-TOKEN',
   'in a URL, encoded');
is(act('map')->{status}, 200, 'through a map');
is(got('map', 'X-Map'), "mapped-$secret{token}", 'through a map: its value');
is(got('map', 'X-Part'), 'part-TOKEN-TOKEN', 'and its captures');
is(act('body')->{status}, 200, 'in a body');
like(got('body', 'body'), qr/^\{"t":"s3cret-TOKEN",\s+"m":"mapped-s3cret-TOKEN",(?#
    )"u":\{"id":null,/, 'in a body: its value, but not in the user');
is(act('form')->{status}, 200, 'in a form');
is(got('form', 'body'), 't=s3cret-a%2Fb%20c%3F%25', 'in a form: encoded');


# Failures: the log has the URL without secrets.

is(act('url_fails')->{status}, 502, 'refused');
is(act('url_fails', headers => [ Accept => 'text/html' ])->{status},
   502, 'refused, in HTML');
is(got(403, 'target'), '/403/s3cret-a%2Fb%20c%3F%25/x?k=s3cret-TOKEN',
   'refused: it was sent');
is(act('down')->{status}, 502, 'no endpoint');
like($t->error_log, qr{called "http://127\.0\.0\.1:\d+/403/\*\*\*/x"},
     'the log has the URL');
like($t->error_log, qr{called "http://127\.0\.0\.1:\d+/\*\*\*/\*\*\*"},
     'also of a map');

my $dry = act('dry');
is($dry->{status}, 200, 'a dry run');
like($dry->{json}{steps}[0]{url}, qr{/dry/\*\*\*$}, 'a dry run: the URL');
is_deeply($dry->{json}{steps}[0]{body}, { t => '***' }, 'a dry run: the body');
is(got('dry', 'target'), 'nothing', 'a dry run: no call');


# Where there is no value

is(act('user')->{status}, 200, 'flowdash_user');
like(got('user', 'body'), qr/"user":\{"id":null,/, 'flowdash_user: null');
is(act('set')->{status}, 200, 'flowdash_set');
like(got('set', 'body'), qr/"by":"","j":\["empty"\]\}\}$/, 'flowdash_set: empty');
is(act('if')->{status}, 200, 'flowdash_if');
is(got('if', 'target'), 'nothing', 'flowdash_if: not true');
is(act('host')->{status}, 400, 'a host');
is(act('nginx')->{status}, 200, 'directives of nginx');
is(got('nginx', 'X-A'), 'a', 'proxy_set_header: empty');
is(got('nginx', 'target'), '/nginx?', 'proxy_pass: empty');
is(act('step_set')->{status}, 200, 'set in a step');
is(got('step_set', 'X-A'), 'a', 'set in a step: empty');
is(act('named')->{status}, 200, 'flowdash_action');
is(got('named', 'body') =~ /"action":"([^"]*)"/ && $1, 'Do ',
   'flowdash_action: empty');
is(act('cached')->{status}, 200, 'a map that was read before');
is(got('cached', 'X-Map'), 'empty', 'a map that was read before stays empty');

my $res = act('app');
is($res->{status}, 200, 'the app');
is(header($res, 'X-Response'), 'aempty', 'add_header: empty');
is(join(' ', grep { defined } map { $_->header('X-App') } $t->requests('app')),
   'aempty', 'proxy_set_header of the app: empty');
is(get('return')->{body}, 'aempty', 'return: empty');
is(header(get('rewrite'), 'Location') =~ /\?(.*)/ && $1, '', 'rewrite: empty');

my $page = join '', map { get($_)->{raw} } qw(json metrics flows);
like($page, qr/flowdash_steps_failed_total\{/, 'the pages are there');


# Nothing else has it.

sub found {
    my ($text) = @_;
    return join ' ', $text =~ /(s3cret-[^\s"]+|TOKEN|%2Fb%20)/g;
}

my @warned = grep { /\[warn\].*secret/ } split /\n/, $t->error_log;
is(scalar @warned, 2, 'warned once of each secret');
like($warned[0], qr/flowdash: the secret "\$crm_token" is empty wherever (?#
    )a directive other than "flowdash_set_header", "flowdash_set_body" or (?#
    )"flowdash_call" uses it,/,
    'with the right directives');

is(found($_->{raw}), '', 'no answer has it') for @answers;
is(found(join "\n", map { $_->{raw} // '' } $t->requests('app')), '',
   'nor has the app got it');

$t->wait_for(sub { ($t->read_file('flow.log') // '') =~ m{^/flows\|}m });

# a step's own log can show the header that the step has got

my @flow = split /\n/, $t->read_file('flow.log');
is(found(join "\n", map { s/\|[^|]*$//r } @flow), '', 'the access log');
like((grep { m{^/call\|} } @flow)[0], qr{^/call\|-\|-\|empty\|\|-\|\|-$},
     'the access log of an action');
is(found($t->error_log), '', 'the error log');


# Reload: a file that is gone, and a new secret

rename "$dir/token.1", "$dir/gone" or die;
is($t->signal('HUP'), 1, 'the file is gone');
$t->wait_for(sub { $t->error_log =~ /\[emerg\].*"\Q$dir\E\/token" failed/ });
$t->allow_log(qr/\[emerg\].*token" failed/);
is(act('call')->{status}, 200, 'nginx runs on');
is((map { $_->header('Authorization') } $t->requests('hook'))[-1],
   "Bearer $secret{token}", 'with what it had');

secret_file('token.1', $secret{new});
is($t->reload, 1, 'another token');
is(act('call')->{status}, 200, 'a call with it');
is((map { $_->header('Authorization') } $t->requests('hook'))[-1],
   "Bearer $secret{new}", 'the new one is sent');


# nginx -t

sub http { return "flowdash_secret $_[0];\n$_[1]\nserver { listen 127.0.0.1:%%PORT_http%%; }" }

sub refused {
    my ($directive, $message, $name, $more) = @_;
    my ($ok, $output) = $t->test_config(http($directive, $more // ''));
    ok(!$ok, "refused: $name");
    like($output, $message, "$name: the message");
    unlike($output, qr/s3cret/, "$name: shows nothing");
}

my %content = (
    empty => [ '', 'the file is empty' ],
    newline => [ "\n", 'the file is empty' ],
    two => [ "s3cret\ns3cret\n", 'the file has more than one line' ],
    blank => [ "s3cret\n\n", 'the file has more than one line' ],
    cr => [ "s3cret\rs3cret", 'the file has more than one line' ],
    nul => [ "s3cret\0", 'the file has a control character' ],
    tab => [ "s3cret\ts3cret", 'the file has a control character' ],
    space => [ " s3cret\n", 'the line begins or ends with a space' ],
    space_end => [ "s3cret \n", 'the line begins or ends with a space' ],
    latin => [ "s3cret\xe9", 'a text in UTF-8, without a byte order mark, is' ],
    mark => [ "\xef\xbb\xbfs3cret", 'a text in UTF-8, without a byte order' ],
    large => [ 's3cret' x 1000, 'a file of up to 4k is expected' ],
);

for my $name (sort keys %content) {
    my ($content, $message) = @{ $content{$name} };
    secret_file("bad.$name", $content);
    refused("\$a file:bad.$name", qr{no secret in "\Q$dir\E/bad\.$name": (?#
        )\Q$message\E}, $name);
}

refused('$a file:none', qr/"\Q$dir\E\/none" failed .*No such file/, 'no file');
refused('$a file:.', qr/a file of up to 4k/, 'a directory');
refused('$a file:', qr/second parameter of "flowdash_secret" "\$a"/, 'no path');
refused('$a s3cret', qr/second parameter of "flowdash_secret" "\$a": a (?#
    )file with the secret is expected, such as "file:\/path"/, 'the secret');
refused("$_ file:token", qr/first parameter of "flowdash_secret": a (?#
    )variable is expected, such as "\$crm_token"/, "$_ as a name")
    for qw(a $ $1 $a-b ${a} $a$b), '""';
refused('$flowdash_a file:token', qr/"\$flowdash_" are the module's own/,
        'a name of the module');
refused('$uri file:token', qr/the duplicate "uri" variable/, 'of nginx');
refused('$args file:token', qr/"\$args" of "flowdash_secret" has a value/,
        'of nginx, which can be set');
refused('$a file:token', qr/the duplicate "a" variable/, 'twice',
        'flowdash_secret $a file:path;');
refused('$a file:token', qr/the duplicate "a" variable/, 'a map',
        'map $uri $a { default 1; }');
refused('$b file:token; map $uri $a { default 1; } flowdash_secret $a file:path',
        qr/"\$a" of "flowdash_secret" has a value already/, 'a map before it');
refused('$a file:token', qr/the duplicate "a" variable/, 'set',
        'server { set $a 1; }');
$t->conf_fails('flowdash_secret $a file:token;',
               qr/"flowdash_secret" directive is not allowed here/, 'a server');

sub warned {
    my ($directives, $step) = @_;
    my ($ok, $output) = $t->test_config("flowdash_secret \$a file:token;
        server {
            listen 127.0.0.1:%%PORT_http%%;
            location / {
                $directives
                flowdash_action A;
                flowdash_step S { $step }
                proxy_pass http://127.0.0.1:1;
            }
        }");
    ok($ok, 'accepted') or diag($output);
    return join "\n", grep { /\[warn\]/ } split /\n/, $output;
}

my $call = 'flowdash_call https://crm.example.com/;';
my $empty = qr/the secret "\$a" is empty here: only "flowdash_set_header", (?#
    )"flowdash_set_body" and "flowdash_call" can send it /;

is(warned('', "flowdash_set_header A \"\$a\"; $call"), '', 'no warning');
is(warned('', 'flowdash_call https://crm.example.com/$a;'), '',
   'no warning of a URL');

for ([ 'flowdash_user id $a;', 'flowdash_user' ],
     [ 'flowdash_set f "x$a";', 'flowdash_set' ],
     [ 'flowdash_set_json f "[\\"${a}\\"]";', 'flowdash_set_json' ],
     [ 'flowdash_task_from /tasks/$a;', 'flowdash_task_from' ],
     [ 'flowdash_dry_run $a;', 'flowdash_dry_run' ])
{
    my ($directive, $name) = @$_;
    like(warned($directive, $call), qr/" in "$name": $empty/, "warned: $name");
}

like(warned('', "flowdash_if \$a; $call"),
     qr/"\$a" in "flowdash_if": the secret "\$a" is empty here/, 'flowdash_if');
is(warned('', "flowdash_if \$args; $call"), '', 'another name: no warning');
like(warned('', 'proxy_set_header Authorization "Bearer $a"; proxy_pass
                 http://127.0.0.1:1;'),
     qr/the secret "\$a" is empty in "proxy_set_header": only (?#
     )"flowdash_set_header", "flowdash_set_body" and "flowdash_call" can send it .*:\d+$/,
     'proxy_set_header in a step');
like(warned('', "flowdash_set_header X-A \$a; flowdash_call http://crm.example.com/;"),
     qr/the header "X-A" to "flowdash_call" .* can be read by anybody on the/,
     'over http://');
like(warned('', "flowdash_call http://crm.example.com/\$a;"),
     qr/the secret "\$a" in "flowdash_call" .* can be read by anybody on the/,
     'over http://, in the URL');

like(warned('', "flowdash_set_body json '{\"a\":\"\$a\"}';
                 flowdash_call http://crm.example.com/;"),
     qr/the secret "\$a" in the body to "flowdash_call" .* can be read by (?#
     )anybody on the/, 'over http://, in the body');

chmod 0711, $dir;
chmod 0644, "$dir/token.1";
like(warned('', $call), qr/"\Q$dir\E\/token" in "flowdash_secret": all users (?#
    )can read the secret; "chmod o-r \Q$dir\E\/token" prevents this/,
    'a file that all can read');
chmod 0600, "$dir/token.1";

my ($ok, $output) = $t->test_config(http('$a file:token', ''), '-T');
ok($ok, 'nginx -T');
like($output, qr/flowdash_secret \$a file:token;/, 'nginx -T: the directive');
unlike($output, qr/s3cret/, 'nginx -T: not the secret');

$t->done;
