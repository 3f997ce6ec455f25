# flowdash_dry_run: what the steps of an action would send is shown, as it is
# sent in earnest, without secrets; no endpoint is called, and neither the app.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use JSON::PP ();
use List::Util qw(uniq);
use MIME::Base64 qw(encode_base64);

my $t = Test::Flowdash->new;
my @json = ('Content-Type' => 'application/json');
my @dry = (headers => [ 'X-Dry-Run' => 1 ]);

my $key = encode_base64('k' x 32, '');
my $odd = q("Say \"a: b\" </script>\n) . qq(\xf0\x9f\x9a\x80");

$t->endpoint(hook => { headers => \@json, body => '{"task":{"Seen":true}}' });
$t->endpoint(app => sub {
    my ($req) = @_;
    return {} if $req->{method} ne 'GET';
    return { headers => \@json, body => '{"task":{"A":1,"B":[2, 3]}}' };
});

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%

    map \$remote_addr:\$http_x_dry_run \$dry_run {
        default     0;
        127.0.0.1:1 1;
    }

    map "\$host" \$page { volatile; default "\$flowdash_task_page"; }

    log_format flow '\$uri|\$status|\$flowdash_action|\$flowdash_result'
                    '|\$flowdash_step_name|\$flowdash_step_status';

    flowdash_zone flowdash:1m;

    flowdash_user id    \$http_x_user;
    flowdash_user email "it's me";

    server {
        listen 127.0.0.1:%%PORT_http%%;
        access_log %%DIR%%/flow.log flow;

        flowdash_dry_run \$dry_run;
        add_header X-Result \$flowdash_result;

        location /finish/ {
            flowdash_action "Finish";
            flowdash_set By \$http_x_user;

            flowdash_step "Call" {
                flowdash_set_header Authorization "Bearer secret-token";
                flowdash_set_header X-Empty \$http_none;
                flowdash_sign_key whsec_$key;
                flowdash_retry 3;
                flowdash_call http://me:secret-pass\@127.0.0.1:%%PORT_hook%%/a/\$flowdash_task_f?key=secret-key;
            }
            flowdash_step "Proxied" {
                flowdash_set_header User-Agent Me;
                flowdash_optional on;
                proxy_pass http://127.0.0.1:%%PORT_hook%%/proxied;
            }
            flowdash_step "Later" {
                flowdash_if \$flowdash_task_seen;
                flowdash_optional 503 error;
                flowdash_call http://127.0.0.1:%%PORT_hook%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /stored {
            flowdash_action "\$flowdash_task_name";
            flowdash_task_from /tasks/1;
            flowdash_set_json C '{"d": 1e2}';
            flowdash_step "Call" {
                flowdash_call http://127.0.0.1:%%PORT_hook%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /tasks/ { proxy_pass http://127.0.0.1:%%PORT_app%%; }

        location /values {
            flowdash_action "Values";
            flowdash_step "URL" {
                flowdash_call http://127.0.0.1:%%PORT_hook%%/\$flowdash_task_page/x;
            }
            flowdash_step "Skipped" {
                flowdash_if   \$flowdash_task_page;
                flowdash_call http://127.0.0.1:%%PORT_hook%%/\$flowdash_task_page/x;
            }
            flowdash_step "Header" {
                flowdash_set_header X-Text \$flowdash_task_text;
                return 204;
            }
            flowdash_step "User" {
                flowdash_user team \$http_x_team;
                flowdash_call http://unix:/tmp/no.sock:/in?key=secret-key;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /odd {
            flowdash_action $odd;
            flowdash_step $odd { flowdash_call http://[::1]:1/; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /form {
            flowdash_action "Form";
            flowdash_task /issue;
            flowdash_dry_run "\$flowdash_task_dry_run";
            flowdash_step "Call" {
                flowdash_call http://127.0.0.1:%%PORT_hook%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /never {
            flowdash_action "Never";
            flowdash_dry_run off;
            flowdash_step "Call" {
                flowdash_call http://127.0.0.1:%%PORT_hook%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /always {
            flowdash_action "Always";
            flowdash_dry_run on;
            flowdash_methods GET POST;
            flowdash_step "Call" {
                flowdash_call http://127.0.0.1:%%PORT_hook%%/;
            }
            error_page 404 412 \@app;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location \@app { proxy_pass http://127.0.0.1:%%PORT_app%%; }

        location = /status { access_log off; flowdash_status json; }
    }
}
EOC

$t->run;

my $lines = 0;

# the answer, with "log", "calls" and "app": what has been logged and called

sub act {
    my ($uri, $body, %option) = @_;

    $t->clear_requests($_) for qw(hook app);

    my $res = ref $body ? $t->request(@$body, %option)
                        : $t->post_json($uri, $body, %option);
    my @log;
    $t->wait_for(sub {
        @log = split /\n/, $t->read_file('flow.log') // '';
        return @log > $lines;
    });
    $lines = @log;

    $res->{log} = $log[-1];
    $res->{calls} = [ $t->requests('hook') ];
    $res->{app} = [ map { "$_->{method} $_->{target}" } $t->requests('app') ];
    return $res;
}

sub called { return @{ $_[0]{calls} } + @{ $_[0]{app} } }


# The same request, in earnest and dry.

my $task = '{ "n": 10000.00, "f" : "a b/ü?", "u": "\u00e9\n" }';
my @who = ('X-User' => 'ann', 'Idempotency-Key' => '"secret-idem"',
           Traceparent => '00-' . 'ab' x 16 . '-' . 'cd' x 8 . '-01',
           Tracestate => 'v=secret-state', Cookie => 'c=secret-cookie');

my $real = act('/finish/1?secret-arg', qq({"task":$task}),
               headers => \@who);
my $res = act('/finish/1?secret-arg', qq({"task":$task}),
              headers => [ @who, @{ $dry[1] } ]);
my $port = $t->port('hook');

is(@{ $real->{calls} }, 3, 'in earnest, the steps are called');
is("@{ $real->{app} }", 'POST /finish/1?secret-arg', 'and the app');

is($res->{status}, 200, 'dry: 200');
is(header($res, 'Content-Type'), 'application/json', 'as JSON');
is(header($res, 'Content-Length'), length $res->{body}, 'with its length');
is(called($res), 0, 'nobody is called');
is(header($res, 'X-Result'), 'dry_run', '$flowdash_result says it');
is($res->{log}, '/finish/1|200|Finish|dry_run|-|-', 'no step in the log');

my $shown = $res->{json};

is(join(',', sort keys %$shown), 'action,dry_run,id,steps', 'what is shown');
is($shown->{action}, 'Finish', 'the action');
is($shown->{dry_run}, JSON::PP::true, 'that it is dry');
is(header($real->{calls}[0], 'Idempotency-Key') =~ s/^"|-.*//gr, $shown->{id},
   'the id that the action would have');

my @steps = @{ $shown->{steps} };

is(join(',', map { $_->{step} } @steps), 'Call,Proxied,Later',
   'all steps, in their order');
is(join(',', map { $_->{url} } @steps),
   "http://127.0.0.1:$port/a/a%20b%2F%C3%BC%3F,,http://127.0.0.1:$port/",
   'their URLs, without user, password and query');
is(join(',', map { $_->{handler} } @steps),
   'flowdash_call,proxy_pass or another,flowdash_call', 'who would call');
is(join(',', uniq map { $_->{method} } @steps), 'POST', 'by POST');
is(join(',', map { $_->{skipped} ? 1 : 0 } @steps), '0,0,1',
   'which would be skipped, by the request alone');
is(join(',', map { $_->{optional} ? 1 : 0 } @steps), '0,1,1',
   'which are optional');
is_deeply(delete $steps[2]{tolerates}, [ 'error', '503' ], 'for which failures');
is(join(',', uniq map { join ' ', sort keys %$_ } @steps),
   'body handler headers method optional skipped step url', 'no more');

sub names { return join ' ', sort { $a cmp $b } map { lc } @_ }

my %own = map { $_ => 1 } qw(host content-length connection);

for my $n (0 .. 2) {
    is(names(@{ $steps[$n]{headers} }),
       names(grep { !$own{ lc $_ } }
             map { $_->[0] } @{ $real->{calls}[$n]{headers} }),
       "$steps[$n]{step}: the headers that are sent, by name");
}

my ($body) = $res->{body} =~ /"body":(\{.*?\}\}),"skipped"/;

is($body, $real->{calls}[0]{body}, 'the payload, byte for byte');
is_deeply($steps[2]{body}, $steps[0]{body}, 'later steps see no answer');
is($steps[0]{body}{task}{By}, 'ann', 'they see what flowdash_set has set');

my @secrets = $res->{raw} =~ /secret|$key|whsec|v1,|abab|me:|Bearer/g;
is("@secrets", '', 'nothing secret');

my $json = $t->get('/status')->{json};
my ($counted) = grep { $_->{name} eq 'Finish' } @{ $json->{actions} };
is("$counted->{started} $counted->{succeeded}", '1 1', 'it is not counted');


# The stored task is fetched; without a name it is no action.

$res = act('/stored', '{"task":{"name":"N","B":7}}', @dry);
is($res->{json}{action}, 'N', 'with a name from a field');
like($res->{body}, qr/"task":\{"A":1,"B":7,"name":"N","C":\{"d": 1e2\}\}\}/,
     'the stored task, the request\'s fields over it, those that are set');
is("@{ $res->{app} }", 'GET /tasks/1', 'the app is asked for it, only');

$res = act('/stored', '{"task":{"B":7}}', @dry);
is("@{ $res->{app} }", 'GET /tasks/1 POST /stored',
   'a request that is no action goes on');
is($res->{log}, '/stored|200|-|-|-|-', 'and is none in the log');


# Requests that are refused.

for ([ 400, '{"task":' ], [ 400, '{"task":1}' ],
     [ 415, '{}', 'Content-Encoding' => 'br' ])
{
    my ($status, $bytes, @headers) = @$_;
    $res = act('/finish/1', $bytes, headers => [ @{ $dry[1] }, @headers ]);
    is("$res->{status} " . called($res), "$status 0", "$bytes: $status");
    is($res->{log}, "/finish/1|$status|Finish|failed|-|-", 'it has failed');
}

$json = $t->get('/status')->{json};
($counted) = grep { $_->{name} eq 'Finish' } @{ $json->{actions} };
is("$counted->{started} $counted->{succeeded}", '1 1', 'none is counted');


# Steps whose request cannot be made.

$res = act('/values', '{"task":{"text":"a\\nb"}}',
           headers => [ @{ $dry[1] }, 'X-Team' => "\xff" ]);
is("$res->{status} " . called($res), '200 0', 'a step that cannot be called');

@steps = @{ $res->{json}{steps} };
is(join('; ', map { $_->{error} ? "$_->{error}, $_->{detail}" : 'none' }
              @steps),
   'request_invalid, a variable of flowdash_call leaves a part of the path '
   . 'empty; none; request_invalid, the value of flowdash_set_header X-Text '
   . 'has a control character; request_invalid, the value of flowdash_user '
   . 'team is not UTF-8', 'says why, unless it is skipped');
is(join(',', map { $_->{url} } @steps), ',,,', 'its URL is not known');
is(join(',', map { $_->{body} ? $_->{body}{action} : '' } @steps),
   'Values,Values,Values,', 'the payload is, if it can be made');

$res = act('/values', '{"task":{"page":"p"}}', @dry);
is(join(',', map { $_->{error} // '' } @{ $res->{json}{steps} }), ',,,',
   'with other values, none of them has an error');
is($res->{json}{steps}[3]{url}, 'http://unix:/tmp/no.sock:/in',
   'the URL of a unix socket');

$res = act('/odd', '{}', @dry);
my $name = qq(Say "a: b" </script>\n\x{1f680});
is($res->{json}{action}, $name, 'an odd name of the action');
is($res->{json}{steps}[0]{step}, $name, 'and of a step');
is($res->{json}{steps}[0]{url}, 'http://[::1]:1/', 'a URL that is an address');


# Forms, and values from the task.

my @form = ('Content-Type' => 'application/x-www-form-urlencoded');

$res = act(undef, [ 'POST', '/form' ], headers => \@form,
           body => 'issue[dry_run]=1&issue[a]=%C3%A9&token=secret');
is_deeply($res->{json}{steps}[0]{body}{task}, { dry_run => '1', a => "\x{e9}" },
          'a form is shown as JSON');
is(called($res), 0, 'and not sent');

$res = act(undef, [ 'POST', '/form' ], headers => \@form,
           body => 'issue[dry_run]=0');
is(called($res), 2, '"0" is in earnest');

$res = act(undef, [ 'POST', '/form' ], headers => \@form,
           body => 'issue[dry_run]=&issue[dry-run]=1');
is("$res->{status} " . called($res), '400 0',
   'nothing is done if it is in doubt');
like($t->error_log, qr/flowdash_dry_run depends on a field that the task has/,
     'which the log says');


# Who may.

for my $headers ([], [ 'X-Dry-Run' => 0 ], [ 'X-Dry-Run' => '' ],
                 [ 'X-Dry-Run' => 2 ])
{
    $res = act('/finish/1', qq({"task":$task}), headers => $headers);
    is(called($res), 4, "in earnest: @$headers");
}

$res = act('/never', '{}', @dry);
is(called($res), 2, '"off" takes it back');
is($res->{log}, '/never|200|Never|ok|Call|200', 'and it is logged as ever');

$res = act('/always', '{}');
is(header($res, 'X-Result') . called($res), 'dry_run0', 'a constant');


# The answer belongs to the gateway.

for my $headers ([ 'If-Match' => '"x"' ], [ 'If-None-Match' => '*' ],
                 [ 'If-Unmodified-Since' => 'Thu, 01 Jan 1970 00:00:00 GMT' ],
                 [ Range => 'bytes=0-1' ])
{
    $res = act('/always', '{}', headers => $headers);
    is("$res->{status} " . called($res), '200 0', "with $headers->[0]");
}

$res = act(undef, [ 'GET', '/always?a=1' ]);
is("$res->{status} $res->{json}{action} " . called($res), '200 Always 0',
   'a GET');

my $large = '{"task":{"a":"' . 'x' x 900_000 . '"}}';
my @kept = (socket => $t->connect, headers => [ Connection => 'keep-alive' ]);

$res = act('/always', $large, @kept);
is($res->{json}{steps}[0]{body}{task}{a}, 'x' x 900_000, 'a large task');
$res = act('/always', '{}', @kept);
is($res->{status}, 200, 'and the connection goes on');

$t->done;
