# Memory that runs out.  Each call of the module that could fail for that does
# so once, alone, and once more with all calls behind it: nginx must live on,
# the client must not wait in vain, and the app must get either exactly the
# right body or no request at all.  An action that is lost is never lost without
# a line in the error log, a result in the access log, and a counter.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::DNS;
use Test::Flowdash::Failing;
use Test::Flowdash::TLS;

use IO::Compress::Gzip qw(gzip);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);

my $t = Test::Flowdash->new(log_level => 'info');

my $failing = Test::Flowdash::Failing->new($t)
    or plan skip_all => 'this module is not linked for failing calls';

my @json = ('Content-Type' => 'application/json');
my @urlencoded = ('Content-Type' => 'application/x-www-form-urlencoded');
my @multipart = ('Content-Type' => 'multipart/form-data; boundary=x-x');
my $key = encode_base64('k' x 32, '');

authority($t, 'ca');
certificate($t, 'server', by => 'ca', names => 'DNS:crm.test,IP:127.0.0.1');
certificate($t, 'client', by => 'ca');
my $pin = pin($t, 'server');

chmod 0600, $t->write_file('key.txt', "whsec_$key\n"),
    $t->write_file('user.txt', "me:secret\n"),
    $t->write_file('token.txt', "s3cret\n");


# Endpoints: with a connection for each call, with one that is kept, one that
# refuses; the app's GET is the stored task.

my $change = '{"task":{"Stage":"Done","Owner":null,"New":[1,{"a":2.50}]}}';

$t->endpoint(once => { headers => \@json, body => $change, close => 1 });
$t->endpoint(kept => { headers => \@json, body => '{"task":{"Kept":"yes"}}' });
$t->endpoint(text => { headers => \@json, body => '{"task":{"Text":"t"}}' });
$t->endpoint(refuses => { status => 422, headers => \@json,
                          body => '{"errors":["Not \u00fc",'
                              . '{"field":"D\u00fc","message":"No"}]}' });
$t->endpoint(invalid => { headers => \@json, body => '{"task":{"a":1,}}' });
$t->endpoint(echo => sub {
    my ($req) = @_;
    my ($task) = $req->{body} =~ /"task":(.*)\}$/s;
    $task =~ s/\["1","2"\]/["2","3","4"]/;
    return { headers => \@json, body => qq({"task":$task}) };
});
$t->endpoint(me => sub {
    my ($req) = @_;
    return { status => 302, headers => [ Location => 'login' ] }
        if $req->{target} =~ /away/;
    return { headers => [ @json, $req->{target} =~ /kept/ ? ()
                          : ('Set-Cookie' => 'a=1') ],
             body => '{"data":{"id":7,"email":"a\u00fc","name":"Ann"}}' };
});
$t->raw_endpoint(silent => 'stall');
$t->endpoint(busy => { status => 503 });
$t->endpoint(app => sub {
    my ($req) = @_;
    return { body => 'stored' } if $req->{method} ne 'GET';
    return { headers => \@json,
             body => '{"data":{"Stage":"Open","Owner":"me","Old":1.0}}' };
});

Test::Flowdash::DNS::start($t, dns => {
    'crm.test' => { A => [ '127.0.0.1' ], ttl => 1 } });

my $once = 'http://127.0.0.1:%%PORT_once%%';
my $call = "flowdash_call $once/a;";
my $silent = 'flowdash_call http://127.0.0.1:%%PORT_silent%%/;';
my $text = 'flowdash_call http://127.0.0.1:%%PORT_text%%/a;';
my $step = "flowdash_step Call { $call }";
my $app = 'proxy_pass http://127.0.0.1:%%PORT_app%%;';

my $conf = <<"EOC";
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%

    flowdash_zone flowdash:1m;
    flowdash_user id    \$http_x_user;
    flowdash_user email "me\@example.com";

    log_format flow escape=json
        '{"status":"\$status","id":"\$flowdash_id",'
        '"action":"\$flowdash_action",'
        '"result":"\$flowdash_result","failed":"\$flowdash_failed_step",'
        '"error":"\$flowdash_error","message":"\$flowdash_error_message",'
        '"steps":"\$flowdash_step_name|\$flowdash_step_status|'
        '\$flowdash_step_time|\$flowdash_skipped",'
        '"stage":"\$flowdash_task_stage","owner":"\$flowdash_task_owner"}';

    flowdash_secret \$token file:token.txt;
    map \$token \$mapped { default "\$token"; }
    map \$http_x_name \$name { default \$flowdash_task_stage; none ""; }

    server {
        listen 127.0.0.1:%%PORT_https%% ssl;
        ssl_certificate server.pem;
        ssl_certificate_key server.key;
        ssl_client_certificate ca.pem;
        ssl_verify_client on;
        location / { proxy_pass http://127.0.0.1:%%PORT_kept%%; }
    }

    server {
        listen 127.0.0.1:%%PORT_http%%;
        access_log %%DIR%%/flow.log flow;
        client_body_buffer_size 2k;
        flowdash_decode on;

        location /task {
            flowdash_action "Save \$flowdash_task_stage";
            flowdash_set By \$http_x_user;
            flowdash_set_json More '{"n":[1,2]}';

            flowdash_step "Call" {
                flowdash_sign_key whsec_$key;
                flowdash_set_header X-Task \$flowdash_task_stage;
                flowdash_call $once/\$flowdash_task_stage?q=\$http_x_user;
            }
            flowdash_step "Proxy" {
                flowdash_if \$flowdash_task_stage;
                flowdash_accept Kept;
                proxy_pass http://127.0.0.1:%%PORT_kept%%/b;
            }
            flowdash_step "Kept" { $text }
            $app
        }

        location /same {
            flowdash_action Same;
            flowdash_step "Same" { return 204; }
            $app
        }

        location /query {
            flowdash_action Query;
            flowdash_step "Text" { flowdash_set_header X-Token \$mapped; $text }
            flowdash_step "Call" { flowdash_call $once/\$token?t=\$token; }
            $app
        }

        location /none {
            flowdash_action \$name;
            flowdash_step "None" { $call }
            $app
        }

        location /stored {
            flowdash_extract \$owner /Owner from=stored;
            flowdash_action "Stored \$flowdash_task_owner\$owner";
            flowdash_task_from /get/\$http_x_user?a=\$arg_a pointer=/data;
            flowdash_step "Stored" { $text }
            $app
        }

        location /user {
            flowdash_action "User \$flowdash_user_name";
            flowdash_user name \$flowdash_user_name;
            flowdash_user_from /me\$uri?a=\$arg_a pointer=/data cache=1h;
            flowdash_require_user on;
            flowdash_step "User" { $text }
            $app
        }
        location /me { proxy_pass http://127.0.0.1:%%PORT_me%%; }

        location /name {
            flowdash_action \$flowdash_task_stage;
            flowdash_set By "\$flowdash_task_stage";
            flowdash_step "Name" {
                flowdash_if \$flowdash_task_stage;
                flowdash_set_header X-Stage \$flowdash_task_stage;
                $text
            }
            $app
        }

        location /extract {
            flowdash_extract \$stage /task/Stage;
            flowdash_extract \$query /q from=query;
            flowdash_extract \$tag   "/task/Tags/[a=1]/b";
            flowdash_extract \$again "/Tags/[a=1]/b" from=task;
            flowdash_action "Extract \$stage\$query\$tag\$again";
            flowdash_step "Extract" { $text }
            $app
        }
        location /batch {
            flowdash_extract \$stage /task/Stage;
            flowdash_action \$stage;
            flowdash_step "Batch" { $text }
            $app
        }

        location /own {
            flowdash_action "Own";
            flowdash_hide_field Owner;
            flowdash_step "JSON" {
                flowdash_pass_field Stage;
                flowdash_set_body json '{"a":"\$arg_a","s":"\$flowdash_task_stage",
                    "t":\$flowdash_json_task,"u":\$flowdash_json_user,
                    "f":\$flowdash_json_task_stage,"n":\$flowdash_json_action}';
                flowdash_set_from_answer Text /task/Text required;
                flowdash_set_from_answer Gone /task/Gone;
                flowdash_call http://127.0.0.1:%%PORT_text%%/ method=PUT;
            }
            flowdash_step "Form" {
                flowdash_hide_field none;
                flowdash_accept Text;
                flowdash_set_body form 'a=\$arg_a&t=\$flowdash_json_task';
                flowdash_set_from_answer More /task;
                proxy_pass http://127.0.0.1:%%PORT_text%%/;
            }
            $app
        }

        location /get { $app }
        location \@get { $app }

        location /file {
            client_body_in_file_only clean;
            flowdash_action File;
            flowdash_step "Kept" { $text }
            $app
        }

        location /echo {
            flowdash_user team \$http_x_team;
            flowdash_action "Echo \$flowdash_task_stage";
            flowdash_step "Echo" {
                flowdash_set_header X-Stage \$flowdash_task_stage;
                flowdash_call http://127.0.0.1:%%PORT_echo%%/;
            }
            $app
        }

        location /others {
            flowdash_action Others;
            flowdash_step "Unix" {
                flowdash_optional on;
                flowdash_call http://unix:%%DIR%%/nobody.sock:/;
            }
            flowdash_step "Proxy" {
                flowdash_proxy http://localhost:%%PORT_kept%% file:user.txt;
                flowdash_call http://crm.test/;
            }
            flowdash_step "TLS" {
                flowdash_optional on;
                flowdash_proxy https://127.0.0.1:%%PORT_https%%;
                flowdash_ssl_trusted_certificate ca.pem;
                flowdash_ssl_pinned_key "$pin";
                flowdash_call https://crm.test/;
            }
            $app
        }

        location /large {
            client_max_body_size 1k;
            error_page 413 /get;
            flowdash_action Large;
            flowdash_step "Kept" { $text }
        }

        location /large/named {
            client_max_body_size 1k;
            error_page 413 = \@get;
            flowdash_action Large;
            flowdash_step "Kept" { $text }
        }

        location /invalid {
            flowdash_action Invalid;
            flowdash_step "Invalid" {
                flowdash_call http://127.0.0.1:%%PORT_invalid%%/;
            }
            $app
        }

        location /silent {
            flowdash_timeout 50ms;
            flowdash_action Silent;
            flowdash_step "Call" { flowdash_optional on; $silent }
            flowdash_step "Proxy" {
                proxy_pass http://127.0.0.1:%%PORT_silent%%;
            }
            $app
        }

        location /retry {
            flowdash_action Retry;
            flowdash_step "Retry" {
                flowdash_retry 1 503 timeout=5s;
                flowdash_optional on;
                flowdash_call http://127.0.0.1:%%PORT_busy%%/;
            }
            flowdash_step "Text" { $text }
            $app
        }

        location /refused {
            flowdash_action "Refused";
            flowdash_error_detail on;
            flowdash_step "Refuses" {
                flowdash_pass_status 422;
                flowdash_call http://127.0.0.1:%%PORT_refuses%%/;
            }
            $app
        }

        location /page {
            error_page 502 /sorry;
            flowdash_action "Page";
            flowdash_step "Refuses" {
                proxy_pass http://127.0.0.1:%%PORT_refuses%%;
            }
            $app
        }

        location /sorry { return 502 "sorry: \$flowdash_failed_step"; }

        location /tls {
            resolver 127.0.0.1:%%PORT_dns%% ipv6=off;
            flowdash_action TLS;
            flowdash_step "TLS" {
                flowdash_allow 127.0.0.0/8;
                flowdash_deny all;
                flowdash_ssl_trusted_certificate ca.pem;
                flowdash_ssl_certificate client.pem;
                flowdash_ssl_certificate_key client.key;
                flowdash_call https://me:pass\@\$http_x_host:%%PORT_https%%/;
            }
            $app
        }

        location /dry {
            flowdash_action Dry;
            flowdash_dry_run 1;
            flowdash_step "Call" {
                flowdash_sign_key whsec_$key;
                flowdash_set_header X-Task \$flowdash_task_stage;
                $call
            }
            flowdash_step "Proxy" {
                flowdash_if \$flowdash_task_nothing;
                proxy_pass http://127.0.0.1:%%PORT_kept%%/b;
            }
            $app
        }

        # for "nginx -t" only

        location /more {
            flowdash_action More;
            flowdash_methods POST PUT;
            flowdash_user team \$http_x_team;
            flowdash_task /a/b~1c;
            flowdash_step "More" {
                flowdash_sign_key file:key.txt whsec_$key;
                flowdash_proxy http://localhost:1 file:user.txt;
                flowdash_allow all;
                flowdash_ssl_pinned_key "$pin";
                flowdash_pass_status 409 422;
                flowdash_accept a b;
                flowdash_call http://me:pass\@localhost/a?b=\$arg_c;
            }
            flowdash_step "Unix" {
                flowdash_proxy off;
                flowdash_call http://unix:/a.sock:/b;
            }
            if (\$arg_x) { return 204; }
        }

        location /counters { access_log off; flowdash_status prometheus; }

        location /status/json { flowdash_status json; }
        location /status/html { flowdash_status html; }
        location /status/prometheus { flowdash_status prometheus; }
    }
}
EOC

$t->config($conf);
$t->run;

my @trace = ('Idempotency-Key' => 'key-1',
             tracestate => 'a=b', tracestate => 'c=d',
             traceparent => "00-${\ ('ab' x 16)}-${\ ('cd' x 8)}-01");

my $json = '{"other":[true],"task":{"Stage":"Open","Owner":"me","N":1.0}}';
my $form = 'a=b&task%5BStage]=Op%65n&task[Owner]=me&task[Tag][]=1'
    . '&task[Tag][]=2';
my $upload = join "\r\n", (map { ('--x-x',
    qq(Content-Disposition: form-data; name="task[$_->[0]]"), '', $_->[1]) }
        [ Stage => 'Open' ], [ Owner => 'me' ], [ 'Tag][' => 1 ]),
    '--x-x', 'Content-Disposition: form-data; name="f"; filename="f.bin"', '',
    'x' x 20_000, '--x-x--', '';
gzip(\$json => \my $gzip) or die;
my $chunk = "7d0\r\n" . 'x' x 2000 . "\r\n0\r\n\r\n";


# A scenario is a request, which must have the same end whenever no call fails:
# its status, and what the app gets.  "whole" says of an answer of the module
# if it is all there; "new" takes only calls that no scenario before has made,
# because each request waits for something; "before" each something is done.

my $comment = qr/# (?:HELP|TYPE) .*/;

my %whole = (
    page => sub {
        $_[0] =~ m{\A<!doctype html>.*</(?:html|main|script)>\s*\z}is
    },
    json => sub { defined eval { JSON::PP::decode_json($_[0]) } },
    metrics => sub {
        $_[0] =~ /\A(?:$comment\n|\w+(?:\{.*\})? \S+\n)+\z/
    },
);

my @scenarios = (
    [ 'JSON', '/task', [ @json, @trace ], $json ],
    [ 'JSON, gzip', '/task', [ @json, 'Content-Encoding' => 'gzip' ], $gzip ],
    [ 'JSON in a file', '/task', \@json,
      $json =~ s/true/'"' . 'x' x 5000 . '"'/er ],
    [ 'urlencoded', '/task?a=b', \@urlencoded, $form ],
    [ 'multipart in a file', '/task', \@multipart, $upload ],
    [ 'no body', '/task?task[Stage]=a', [], undef ],
    [ 'nothing changes', '/same', \@json, $json ],
    [ 'no action', '/none', [ @json, 'X-Name' => 'none' ], $json ],
    [ 'stored task', '/stored?a=%20', \@json, $json ],
    [ 'the user', '/user?a=%20', \@json, $json ],
    [ 'a user who is kept', '/user/kept?a=%20', \@json, $json ],
    [ 'nobody', '/user/away?a=%20', [ @json, Accept => 'text/html' ], $json,
      status => 303 ],
    [ 'a file only', '/file', \@multipart, $upload ],
    [ 'a query', '/same?task[Owner]=you&task[Stage]=%31', \@json,
      '{"other":[true]}' ],
    [ 'fields of the query', '/query?task[Text]=a&task[Tag][]=1', [], undef ],
    [ 'a query, a body', '/echo?task[Tag][]=1&task[Tag][]=2', \@urlencoded,
      'a=b', new => 1 ],
    [ 'a query that says otherwise', '/echo?task[Owner]=you', \@urlencoded,
      $form, status => 400, new => 1 ],
    [ 'a file', '/echo', \@multipart, $upload
          =~ s/"f"(.*?\r\n)/"task[File]"$1Content-Type: text\/plain\r\n/r,
      new => 1 ],
    [ 'a name that is escaped', '/name', \@json,
      $json =~ s/Open/Op\\u0065n/r ],
    [ 'extracted from JSON', '/extract?q=%31', \@json,
      '{"task":{"Stage":"Op\u0065n","Tags":[{"b":"\u0062","a":1}]}}' ],
    [ 'extracted from a form', '/extract', \@urlencoded,
      'task[Stage]=a%20b&task[Tags][0][a]=1&task[Tags][0][b]=%31' ],
    [ 'extracted from parts', '/extract', \@multipart, $upload ],
    [ 'extracted, but different', '/extract?q=1', \@json,
      '{"task":{},"q":2}', status => 400 ],
    [ 'a batch with an action', '/batch', \@json, '[{},{"task":{"Stage":1}}]',
      status => 400 ],
    [ 'a contract of its own', '/own?a=%22', \@json, $json ],
    [ 'control characters', '/echo', \@json, '{"task":{"Stage":"a\nb"}}',
      status => 400, new => 1 ],
    [ 'not UTF-8', '/echo', [ @json, 'X-Team' => "\xff" ], $json,
      status => 400, new => 1 ],
    [ 'nothing at all', '/query', [], undef, new => 1 ],
    [ 'retry, optional', '/retry', \@json, $json, new => 1 ],
    [ 'TLS by name', '/tls', [ @json, 'X-Host' => 'crm.test' ], $json ],
    [ 'failed, page', '/refused', [ @json, Accept => 'text/html',
      'HX-Request' => 'true' ], $json, status => 422, whole => $whole{page} ],
    [ 'failed, JSON', '/refused', [ @json, Accept => 'application/json' ],
      $json, status => 422, whole => $whole{json} ],
    [ 'invalid answer', '/invalid', \@json, $json, status => 502 ],
    [ 'invalid body', '/task', \@json, '{"task":', status => 400 ],
    [ 'invalid name', '/task', \@json, '{"task":{"\ud800":1}}',
      status => 400 ],
    [ 'too large', '/large', [ @json, 'Transfer-Encoding' => 'chunked',
      'Content-Length' => undef ], $chunk, status => 413 ],
    [ 'too large, named location', '/large/named', [ @json,
      'Transfer-Encoding' => 'chunked', 'Content-Length' => undef ], $chunk ],
    [ 'no answer', '/silent', \@json, $json, status => 504, new => 1 ],
    [ 'failed, error_page', '/page', \@json, $json, status => 502 ],
    [ 'JSON, a new worker', '/task', [ @json, @trace ], $json, new => 1,
      before => sub { $t->reload or die "no reload\n" } ],
    [ 'others, a new worker', '/others', \@json, $json, new => 1,
      before => sub { $t->reload or die "no reload\n" } ],
    [ 'TLS, a new worker', '/tls', [ @json, 'X-Host' => 'crm.test' ], $json,
      new => 1, before => sub { $t->reload or die "no reload\n" } ],
    [ 'dry run', '/dry', \@json, $json, whole => $whole{json} ],
    map { [ "status, $_->[0]", "/status/$_->[0]", [], undef, method => 'GET',
            whole => $whole{$_->[1]} ] }
        [ html => 'page' ], [ json => 'json' ], [ prometheus => 'metrics' ],
);

my $seen = 0;                           # requests to the app
my %read = map { $_ => 0 } qw(flow.log error.log);
my ($failures, $uncounted) = (0, 0);    # that the counters know of
my %failed;                             # paths of calls, in all scenarios

# where each round takes long, not all are needed under sanitizers as well

my $stride = $ENV{FLOWDASH_SANITIZED} ? 4 : 1;

# t/memory_more.t is this file again, for the other half of the scenarios: two
# processes need half the time.  What the other one makes fail counts as failed
# here, too.

my $half = $ENV{FLOWDASH_MEMORY} // 0;

for my $i (keys @scenarios) {
    my ($name, @request) = @{ $scenarios[$i] };
    subtest $name => sub { explore(@request, other => $i % 2 != $half) };
}

subtest 'nginx -t' => \&configuration if $half;
subtest 'start' => \&start if $half;

my @lines = split /\n/, $t->read_file('flow.log');
is_deeply([ grep { !eval { JSON::PP::decode_json($_) } } @lines ], [],
          'the access log is JSON');

# what an endpoint is said to have answered, it has answered

my %refuses = map { $_ => 1 } qw(Refused Page Silent);
my @misread = grep {
    $_->{error} eq 'status' && !$refuses{ $_->{action} }
} map { eval { JSON::PP::decode_json($_) } // () } @lines;
is(scalar @misread, 0, 'no failure is taken for an answer')
    or diag(explain($misread[0]));

# what is said when libcurl's multi handle is abandoned
$t->allow_log(qr/\[alert\].*flowdash: curl_multi_\w+\(\) failed/);

$t->done;


# Finds the calls that a scenario makes, and makes one after the other fail.

sub explore {
    my ($uri, $headers, $body, %o) = @_;

    my $send = sub {
        my $res = $t->request($o{method} // 'POST', $uri, body => $body,
            headers => [ @$headers, 'X-User' => 'u1' ], timeout => 60);
        my @all = $t->requests('app');
        my @got = grep { $_->{method} ne 'GET' } @all[$seen .. $#all];
        $seen = @all;
        return { status => $res->{status}, error => $res->{error} // '',
                 answer => $res->{body}, told(),
                 app => join ' and ', map { $_->{body} } @got };
    };

    my ($right, %paths);
    for (1 .. 3) {                      # with connections new and kept
        $o{before}->() if $o{before};
        $paths{$_}++ for $failing->record(sub { $right = $send->() });
    }

    is($right->{status}, $o{status} // 200, 'status') or return;
    ok(!$o{whole} || $o{whole}->($right->{answer}), 'answer')
        or return diag($right->{answer});

    counted($right);

    if ($o{other}) {
        $failed{$_}++ for keys %paths;
        return;
    }

    my $n = 0;
    for my $path (sort keys %paths) {
        next if $o{new} && ($failed{$path} || $n++ % $stride);

        my @errors;
        for my $more ($o{new} ? 0 : (0, 1)) {
            $o{before}->() if $o{before};
            my ($failed, $res) = $failing->fail($path, $more, $send);
            $failed{$path} += $failed;
            push @errors, "$_, more: $more" for
                unexplained($res, $right, $failing->where),
                $failed ? faults($res, $right, $o{whole})
                        : differences($res, $right);
        }
        my $next = $send->();
        push @errors, "$_, in the next request"
            for differences($next, $right), counted($next);

        fail(join "\n", @errors, $failing->where), last if @errors;
    }

    my $failed = grep { $failed{$_} } keys %paths;
    cmp_ok($failed, '>', 2, "calls that have failed: $failed");
}

# What the logs say of the last request: its line in the access log, and the
# lines about a failed action.

sub told {
    my @lines;
    for (1 .. 10_000) {
        @lines = new_lines('flow.log');
        last if @lines;
        select undef, undef, undef, 0.002;
    }
    return (line => eval { JSON::PP::decode_json($lines[0]) } // {},
            requests => scalar @lines,
            log => [ grep { /flowdash: action "[^"]*" (?:failed|aborted)/ }
                     new_lines('error.log') ]);
}

# the complete lines that have been added

sub new_lines {
    my ($name) = @_;
    open my $file, '<:raw', $t->dir . "/$name" or die "$name: $!\n";
    seek $file, $read{$name}, 0;
    my $new = do { local $/; readline $file } // '';
    $new =~ s/[^\n]*\z//;
    $read{$name} += length $new;
    return split /\n/, $new;
}

# Whether a request that has not ended as it should have is accounted for.  What
# nginx cannot read is not an action yet, a status page is none, and a dry run
# that cannot be sent has lost nothing.

sub unexplained {
    my ($res, $right, $where) = @_;
    my $line = $res->{line};
    my $failed = ($line->{result} // '') =~ /^(?:failed|aborted)$/;

    my @faults;
    push @faults, "lines in the access log: $res->{requests}"
        if $res->{requests} != 1;
    push @faults, "result $line->{result}, lines: @{ $res->{log} }"
        if @{ $res->{log} } != $failed;
    push @faults, "lost without a result: status $res->{status}"
        if !$failed && $right->{line}{result} ne ''
            && grep({ $res->{$_} ne $right->{$_} } qw(status error app))
            && $line->{result} ne 'dry_run'
            && $where !~ /\A\s*ngx_http_flowdash_action_begin /;

    # "connect", where a new connection is not found a place in nginx

    push @faults, "failed for $line->{error}" if $line->{result} eq 'failed'
        && $line->{error} !~ /^(?:internal|connect|$right->{line}{error})$/;
    push @faults, "passed, although it has failed"
        if $line->{result} eq 'ok' && $res->{app} ne $right->{app};
    push @faults, counted($res);
    return @faults;
}

# Whether started = succeeded + failed, and as many have failed as the access
# log says.  Aborted ones have failed, too.  Without memory in the zone, an action is "uncounted"; a dry run is
# counted only if it fails before it is known to be one.

sub counted {
    my ($res) = @_;
    my $metrics = $t->get('/counters')->{body};

    my %sum = map { $_ => 0 }
        qw(started succeeded aborted running failed uncounted);
    $sum{$1} += $2 while $metrics
        =~ /^flowdash_(?:actions_)?([a-z]+)(?:_total)?(?:\{.*\})? (\d+)$/gm;
    $sum{failed} += $sum{aborted};

    my $more = $sum{failed} - $failures;
    my $failed = ($res->{line}{result} // '') =~ /^(?:failed|aborted)$/;
    my $left_out = $sum{uncounted} - $uncounted
        || ($res->{line}{action} // '') eq 'Dry';
    ($failures, $uncounted) = ($sum{failed}, $sum{uncounted});

    return map { "the counters: $_" }
        ($sum{running} ? "$sum{running} running" : ()),
        ($sum{started} != $sum{succeeded} + $sum{failed}
            ? "$sum{started} started, $sum{succeeded} succeeded" : ()),
        ($more != $failed && !$left_out ? "$more failed" : ());
}

# What must not be after a failure.  A connection may be closed without an
# answer, or in the middle of one.

sub faults {
    my ($res, $right, $whole) = @_;

    my @faults;
    push @faults, "the client got: $res->{error}"
        if $res->{error} !~ /^(?:|closed|Connection reset by peer)$/;
    push @faults, "status $res->{status}"
        if $res->{status} !~ /^(?:0|500|502|$right->{status})$/;
    push @faults, "the app got: $res->{app}"
        if $res->{app} ne '' && $res->{app} ne $right->{app};
    push @faults, "a broken answer: $res->{answer}"
        if $whole && $res->{status} == $right->{status} && !$res->{error}
            && !$whole->($res->{answer});
    return @faults;
}

sub differences {
    my ($res, $right) = @_;
    return map { "$_ is $res->{$_}, not $right->{$_}" }
        grep { $res->{$_} ne $right->{$_} } qw(status error app);
}

# nginx refuses a configuration for which memory does not suffice, and does
# not crash.

sub configuration {
    my $test = sub { return join "\n", $t->test_config($conf) };
    my (%seen, $right);

    my @paths = $failing->record(sub { $right = $test->() });
    like($right, qr/^1\n.*test is successful/s, 'accepted') or return;

    all_fail($test, qr/test failed/, grep { !$seen{$_}++ } @paths);
}

# A worker that cannot call anybody does not start.

sub start {
    my $once = sub {
        return join "\n", $t->test_config($conf,
            '-gdaemon off; master_process off;');
    };

    # neither the configuration, nor the request that a worker is seen by

    my @get = $failing->record(sub { $t->get('/get') });
    $t->stop;
    my %before = map { $_ => 1 } @get,
        $failing->record(sub { $t->test_config($conf) });
    my @paths = grep { !$before{$_} } $failing->record(sub {
        $t->run;
        $t->get('/get');
        $t->stop;
    });

    all_fail($once, qr/\[emerg\].*(?:curl_global_init|libcurl|RAND_bytes)/,
             @paths);
}

# nginx must end with an error, for each of these calls

sub all_fail {
    my ($run, $message, @paths) = @_;

    my $n = 0;
    for my $path (@paths[map { $_ * $stride } 0 .. $#paths / $stride]) {
        my ($failed, $result) = $failing->fail($path, 0, $run);
        $n += $failed;
        fail($result . $failing->where)
            if !$failed || $result !~ /^\n.*$message/s;
    }

    cmp_ok($n, '>', 0, "calls that have failed: $n");
}
