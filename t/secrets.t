# Secrets are seen nowhere: tokens, keys, passwords, cookies and bodies go
# through successes and all kinds of failures, and then every answer, page,
# metric and log, at level debug, is searched for them.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Digest::SHA qw(sha512);
use MIME::Base64 qw(encode_base64);

my $t = Test::Flowdash->new;
my @json = ('Content-Type' => 'application/json');


# By name: each is a word of its own.

my %secret = map { $_ => "s3cret-$_-" . substr unpack('H*', sha512($_)), 0, 8 }
    qw(token variable password query proxy_token proxy_query proxy_password
       cookie authorization key task answer answer_cookie fetched client_query
       reason file);

my $key = substr sha512('key'), 0, 32;
my $whsec = encode_base64($key, '');
my $key_of_file = substr sha512('file'), 0, 32;
my $whsec_of_file = encode_base64($key_of_file, '');

# Every spelling of one, by its name.

my %spelling = (
    (map { ("$_ as it is" => $secret{$_},
            "$_ in base64" => encode_base64($secret{$_}, ''),
            "$_ in hex" => unpack 'H*', $secret{$_}) } keys %secret),
    'user and password' => encode_base64("me:$secret{password}", ''),
    'proxy user and password'
        => encode_base64("proxy:$secret{proxy_password}", ''),
    (map { my $sign = $_->[1];
           ("$_->[0] in base64" => $sign =~ s/=+$//r,
            "$_->[0] as it is" => MIME::Base64::decode_base64($sign),
            "$_->[0] in hex" => unpack 'H*',
                MIME::Base64::decode_base64($sign)) }
        [ 'sign key' => $whsec ], [ 'sign key of a file' => $whsec_of_file ]),
);

# the names of the secrets in a text

sub found {
    my ($text) = @_;
    return join ', ', grep { index($text, $spelling{$_}) >= 0 }
        sort keys %spelling;
}


# Endpoints: the path says what they do.

my $body = qq({"task":{"f":"$secret{answer}"}});

$t->endpoint(hook => sub {
    my ($request) = @_;
    my ($how, $what) = $request->{target} =~ m{/(status|body)/(\w+)}
        or return { status => 500 };
    my $status = $how eq 'status' ? $what : 200;

    my %body = (
        cut => qq({"task":{"f":"$secret{answer}"),
        utf8 => qq({"task":{"f":"$secret{answer}\xff"}}),
        twice => qq({"task":{"$secret{answer}":1,"$secret{answer}":2}}),
        number => qq({"task":"$secret{answer}"}),
        large => $body . ' ' x 70_000,
    );

    return { status => $status, body => $body{$what} // $body,
             headers => [ @json, 'Set-Cookie' => "a=$secret{answer_cookie}",
                          Location => "/?$secret{answer}",
                          'X-Reason' => $secret{reason} ] };
});

my $n = 0;                              # in the endpoint's process

$t->endpoint(flaky => sub {
    return { status => $n++ % 2 ? 200 : 503, headers => \@json,
             body => $body };
});

$t->raw_endpoint(stall => 'stall');
$t->raw_endpoint(close => 'close');
$t->raw_endpoint(cut => 'cut', body => $body);
$t->raw_endpoint(garbage => sub { return send => "$secret{answer}\r\n\r\n" });
$t->endpoint(app => { body => 'app' });

chmod 0600, $t->write_file('sign.key', "whsec_$whsec_of_file\n");
chmod 0600, $t->write_file('token', "$secret{file}\n");
chmod 0600, $t->write_file('proxy.cred', "proxy:$secret{proxy_password}\n");


# [ name, the steps' directives, statuses of flowdash_call and proxy_pass ]

sub url { return "127.0.0.1:%%PORT_$_[0]%%/$_[1]" }

my @rows = (
    [ ok => '', url('hook', 'status/200'), 200, 200 ],
    (map { [ "status_$_" => '', url('hook', "status/$_"), 502, 502 ] }
        301, 401, 404, 407, 422, 500, 503),
    (map { [ "body_$_" => '', url('hook', "body/$_"), 502, 502 ] }
        qw(cut utf8 twice number large)),
    [ secret_path => '', url('hook', 'status/422/$from_file'), 502, 0 ],
    [ secret_down => 'flowdash_retry 1 error;', url('nobody', '$from_file'),
      502, 0 ],
    [ timeout => 'flowdash_timeout 200ms;', url('stall', ''), 504, 504 ],
    [ close => '', url('close', ''), 502, 502 ],
    [ broken => '', url('cut', ''), 502, 502 ],
    [ garbage => '', url('garbage', ''), 502, 502 ],
    [ down => '', url('nobody', ''), 502, 502 ],
    [ no_name => 'resolver 127.0.0.1:%%PORT_dns%%; resolver_timeout 200ms;
                  flowdash_timeout 1s;', 'nonexistent.invalid/', 50, 0 ],
    [ denied => 'flowdash_deny all;', url('hook', ''), 502, 0 ],
    [ retried => 'flowdash_retry 1 503;', url('flaky', ''), 200, 0 ],
    [ gave_up => 'flowdash_retry 1 503;', url('hook', 'status/503'), 502, 0 ],
    [ retried_down => 'flowdash_retry 1 error;', url('nobody', ''), 502, 0 ],
    [ optional => 'flowdash_optional on;', url('hook', 'status/403'), 200,
      200 ],
    [ proxied => 'flowdash_proxy http://127.0.0.1:%%PORT_hook%%
                  file:%%DIR%%/proxy.cred;', url('hook', 'status/200'), 200,
      0 ],
    [ proxy_refuses => 'flowdash_proxy http://127.0.0.1:%%PORT_hook%%
                  file:%%DIR%%/proxy.cred;', url('hook', 'status/407'), 502,
      0 ],
    [ proxy_down => 'flowdash_proxy http://127.0.0.1:%%PORT_nobody%%
                  file:%%DIR%%/proxy.cred;', url('hook', 'status/200'), 502,
      0 ],
    [ socks => 'flowdash_connect_timeout 200ms;
                flowdash_proxy socks5://127.0.0.1:%%PORT_hook%%
                  file:%%DIR%%/proxy.cred;', url('hook', 'status/200'), 504,
      0 ],
    [ accept => 'flowdash_accept other;', url('hook', 'status/200'), 200,
      200 ],
);

my $headers = qq(
    flowdash_set_header Authorization "Bearer $secret{token}";
    flowdash_set_header X-Token "\$token \$arg_of_nobody";
    flowdash_set_header X-File  "File \$from_file";
);
my $proxy_headers = qq(
    proxy_set_header X-Api-Key "$secret{proxy_token}";
);

my $locations = '';

for (@rows) {
    my ($name, $set, $url, $call, $pass) = @$_;
    my $query = "key=$secret{query}";

    $locations .= <<"EOC" if $call;
        location = /call/$name {
            flowdash_action "Call $name";
            flowdash_step "The step" {
                $set $headers
                flowdash_call http://me:$secret{password}\@$url?$query;
            }
            $app::pass
        }
        location = /tls/$name {
            flowdash_action "TLS $name";
            flowdash_step "The step" {
                $set $headers
                flowdash_call https://me:$secret{password}\@$url?$query;
            }
            $app::pass
        }
EOC
    $locations .= <<"EOC" if $pass;
        location = /pass/$name {
            flowdash_action "Pass $name";
            flowdash_step "The step" {
                $set $headers $proxy_headers
                proxy_pass http://$url?key=$secret{proxy_query};
            }
            $app::pass
        }
EOC
}

BEGIN { $app::pass = 'proxy_pass http://127.0.0.1:%%PORT_app%%;' }

# what newer versions have, too

my ($has_dry_run) = $t->test_config(<<'EOC');
location / {
    flowdash_dry_run $arg_dry;
    flowdash_action "a";
    flowdash_step "s" { return 204; }
}
EOC

my $dry_run = $has_dry_run ? 'flowdash_dry_run $arg_dry;' : '';

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    flowdash_zone flowdash:1m;
    flowdash_secret \$from_file file:token;

    # all that the documentation says for logs
    log_format flow '\$remote_addr \$request_method \$uri \$status '
                    '\$flowdash_id \$flowdash_action \$flowdash_result '
                    '\$flowdash_failed_step \$flowdash_error '
                    '\$flowdash_step_status \$flowdash_step_time';
    access_log %%DIR%%/flow.log flow;

    # and what nobody should have
    log_format planted '\$http_authorization \$http_cookie \$args';

    server {
        listen 127.0.0.1:%%PORT_http%%;
        set \$token $secret{variable};

        flowdash_user id \$http_x_user;
        flowdash_sign_key whsec_$whsec file:%%DIR%%/sign.key;
        flowdash_ssl_verify off;
        $dry_run
        $locations

        location = /fetch {
            flowdash_task_from /stored/200;
            flowdash_action "Fetch";
            flowdash_step "The step" {
                flowdash_call http://127.0.0.1:%%PORT_hook%%/status/200;
            }
            $app::pass
        }
        location = /no_fetch {
            flowdash_task_from /stored/404;
            flowdash_action "Fetch not";
            flowdash_step "The step" { return 204; }
            $app::pass
        }
        location = /stored/200 {
            default_type application/json;
            return 200 '{"task":{"g":"$secret{fetched}"}}';
        }
        location = /stored/404 { return 404 "$secret{fetched}"; }

        location = /planted {
            access_log %%DIR%%/planted.log planted;
            return 204;
        }

        location = /json    { flowdash_status json; }
        location = /metrics { flowdash_status prometheus; }
        location = /flows   { flowdash_status html; }
    }
}
EOC
$t->run;


# The run: as a program, and as a browser, with all that clients may send.

my $task = qq({"task":{"f":"$secret{task}"}});
my %answer;

my @client = (
    Cookie => "session=$secret{cookie}",
    Authorization => "Bearer $secret{authorization}",
    'Idempotency-Key' => qq("$secret{key}"),
);

sub act {
    my ($uri, $bytes, @headers) = @_;
    my $answer = $t->post_json("$uri?client=$secret{client_query}", $bytes,
        headers => [ @client, @headers ]);
    $answer{"$uri @headers"} = $answer;
    return $answer;
}

for (@rows) {
    my ($name, undef, undef, $call, $pass) = @$_;

    for ([ call => $call ], [ pass => $pass ]) {
        my ($engine, $status) = @$_;
        next if !$status;
        like(act("/$engine/$name", $task, 'X-User' => 'u1')->{status},
             qr/^$status/, "/$engine/$name: $status");
        act("/$engine/$name", $task, Accept => 'text/html');
    }

    # one that speaks no TLS

    act("/tls/$name", $task) if $name =~ /^(?:ok|down|proxied|socks)$/;
}

is(act('/fetch', $task)->{status}, 200, 'fetched');
is(act('/no_fetch', $task)->{status}, 404, 'not fetched');

for ('{"task":{"f":"' . $secret{task}, qq({"task":"$secret{task}"}),
     qq({"task":{"$secret{task}":1,"$secret{task}":2}}),
     qq({"task":{"f":"$secret{task}\xff"}}), $secret{task})
{
    is(act('/call/ok', $_, Accept => 'text/html')->{status}, 400,
       'a body that cannot be read');
    act('/call/ok', $_);
}

act('/call/ok', $task, 'X-User' => "\xff$secret{authorization}");

if ($has_dry_run) {
    my $answer = $t->post_json('/call/ok?dry=1', $task, headers => \@client);
    like($answer->{body}, qr/Authorization/i, 'dry run: headers by name');
    is(found($answer->{body} =~ s/\Q$secret{task}\E//gr), '',
       'dry run: nothing but the task');
}

my %page = map { $_ => $t->get($_) } qw(/json /metrics /flows);
is($page{$_}{status}, 200, "$_ answers") for sort keys %page;


# That nothing is found must not be because nothing was there.

my @requests = map { $t->requests($_) } qw(hook flaky stall close cut garbage);
my $received = join "\n", map { my $request = $_;
    ($request->{target}, $request->{body},
     map { "$_->[0]: $_->[1]" } @{ $request->{headers} }) } @requests;
my $app = join "\n", map { map { "$_->[0]: $_->[1]" } @{ $_->{headers} } }
    $t->requests('app');

for (qw(token variable query proxy_token proxy_query task answer fetched file)) {
    like($received, qr/\Q$secret{$_}\E/, "endpoints have got: $_")
        if $_ ne 'answer';
}

like($received, qr/Basic \Q$spelling{'proxy user and password'}\E/,
     'a proxy has got the password');
like($received, qr/^webhook-signature: v1,\S+ v1,/m, 'calls are signed');
unlike($received, qr/\Q$secret{$_}\E/, "endpoints do not get: $_")
    for qw(cookie authorization key client_query);
like($app, qr/\Q$secret{$_}\E/, "the app gets: $_")
    for qw(cookie authorization key);

is(found($received =~ s/^webhook-.*//mgr) =~ /sign key/ || 0, 0,
   'endpoints do not get the keys of signatures');


# The search.

for my $name (sort keys %answer) {
    my $answer = $answer{$name};
    is(found($answer->{raw}), '', "the answer to $name");
}

is(found($page{$_}{raw}), '', "$_") for sort keys %page;

$t->stop;

is(found($t->read_file('flow.log')), '', 'the journal');
is(found($t->read_file('stderr.log') // ''), '', 'what nginx prints');

# At level debug, nginx itself writes each header that it gets, each header that
# its proxy_pass sends, and each value with variables: who asks for that, gets
# it.  Its own lines about errors name the URL of proxy_pass with its query, and
# the client's request.

my $NGINX = qr/^http (?:header: |args: |proxy header|(?#
    )script (?:copy|var|value))/;

my %line = (debug => [], other => []);
my $continued;

for my $line (split /\n/, $t->error_log) {
    my ($level, $text) = $line =~ m{^\d{4}/\S+ \S+ \[(\w+)\] \S+ (.*)}
        or do { push @{ $line{$continued // 'other'} }, $line; next };
    $text =~ s/^\*\d+ //;

    if ($level eq 'debug') {
        $continued = $text =~ $NGINX ? 'nginx' : 'debug';

        # the client's own URI, as in every access log
        $text =~ s/\?client=[\w-]+// if $text !~ /^flowdash/;
    } else {
        $continued = 'other';
        $text =~ s/, upstream: "[^"]*"// if $text !~ /^flowdash/;
        $text =~ s/, request: "[^"]*"//;        # the client's own
    }

    push @{ $line{$continued} }, $text;
}

my @own = grep { /^flowdash/ } map { @$_ } @line{qw(debug other)};
is(@own > 300, 1, 'the module has written a lot');

for my $level (qw(debug other)) {
    my %bad = map { ($_ => 1) } grep { found($_) ne '' } @{ $line{$level} };
    my @bad = sort keys %bad;
    $#bad = 9 if @bad > 10;
    is(join("\n", @bad), '', "the error log: $level");
}


# The search finds what there is.

$t->run;
$t->get("/planted?key=$secret{query}", headers => [
    Cookie => "a=$secret{cookie}",
    Authorization => 'Basic ' . encode_base64("me:$secret{password}", '') ]);
$t->stop;

is(found($t->read_file('planted.log')),
   'cookie as it is, password in base64, query as it is, user and password',
   'the search finds what was planted in a log');
is(found(join "\n", @{ $line{nginx} }) =~ /cookie as it is/, 1,
   'and what nginx has written of headers');
like(found("x $spelling{$_} y"), qr/\b\Q$_\E\b/, "it finds: $_")
    for sort keys %spelling;

$t->done;
