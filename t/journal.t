# The access log as a journal of actions, by the log_format of
# docs/operating.md: each line is JSON, whatever the names are, and tells the
# steps, their attempts and the end; and $flowdash_step_name.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use JSON::PP ();

my $t = Test::Flowdash->new;
my $journal = $t->dir . '/actions.log';

open my $file, '<:raw', "$FindBin::Bin/../docs/operating.md" or die $!;
my $page = do { local $/; readline $file };

my ($format) = $page =~ /^```nginx\n(log_format flowdash .*?)^```$/ms;
$format =~ s{/var/log/nginx/actions\.log}{$journal};

my ($more) = $page =~ /^```nginx\n(map \$flowdash_traceparent .*?)^```$/ms;
$more =~ s{/var/log/nginx/(actions-\w+\.log)}{@{[$t->dir]}/$1}g;

my @jq = $page =~ /^    jq (-\w+) '([^']+)' \S+\/actions\.log$/mg;

# names that are hard to write, as in nginx.conf, and what they are

my $rocket = "\xf0\x9f\x9a\x80";
my @odd = (
    [ qq(Say \\"a: b\\" </script>), 'Say "a: b" </script>' ],
    [ qq($rocket \\\\u0041 \\\\), "\x{1f680} \\u0041 \\" ],
    [ "two\\nlines\\t\x01", "two\nlines\t\x01" ],
    [ "\xe2\x80\xa8 \x7f '", "\x{2028} \x7f '" ],
);

my $n = 0;

$t->endpoint(ok => {});
$t->endpoint(no => { status => 422 });
$t->endpoint(again => sub { return { status => $n++ % 2 ? 200 : 503 } });
$t->endpoint(app => { status => 201 });

my $odd = join "\n", map { qq(
        location /odd$_ {
            flowdash_action "$odd[$_][0]";
            flowdash_step "$odd[$_][0]" {
                flowdash_call http://127.0.0.1:%%PORT_ok%%/;
            }
            flowdash_step "Plain" {
                proxy_pass http://127.0.0.1:%%PORT_no%%;
            }
        }) } 0 .. $#odd;

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    $format
    $more

    map \$http_authorization \$dry { ~. 0; default \$http_x_dry_run; }

    server {
        listen 127.0.0.1:%%PORT_http%%;

        flowdash_dry_run \$dry;

        location /finish/ {
            flowdash_action "Finish";
            flowdash_step "Update CRM" {
                flowdash_retry 1 503;
                flowdash_call http://127.0.0.1:%%PORT_again%%/;
            }
            flowdash_step "Mail" {
                flowdash_if \$http_x_mail;
                flowdash_call http://127.0.0.1:%%PORT_ok%%/;
            }
            flowdash_step "Invoice" {
                flowdash_if \$http_x_invoice;
                proxy_pass http://127.0.0.1:%%PORT_no%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /field {
            flowdash_action "\$flowdash_task_name";
            flowdash_step "Tell" {
                flowdash_call http://127.0.0.1:%%PORT_ok%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /name {
            flowdash_action "\$http_x_name";
            flowdash_step "Tell" {
                flowdash_call http://127.0.0.1:%%PORT_ok%%/;
            }
        }

        location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }

        $odd

        location = /header {
            flowdash_action "Header";
            flowdash_step "one\\ntwo" { return 205; }
            flowdash_step "t\\nhree" { return 404; }
            add_header X-Steps \$flowdash_step_name always;
            add_header X-Failed \$flowdash_failed_step always;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }
}
EOC

$t->run;

my $lines = 0;
my $strict = JSON::PP->new->utf8;

# acts, and returns the new line, decoded

sub act {
    my ($uri, $body, @headers) = @_;

    $t->post_json($uri, $body, headers => \@headers);

    my @lines;
    $t->wait_for(sub {
        @lines = split /\n/, $t->read_file('actions.log') // '';
        return @lines > $lines;
    });

    is(@lines, ++$lines, "$uri: one line");

    my $line = eval { $strict->decode($lines[-1]) };
    ok($line, 'which is JSON') or diag("$@ $lines[-1]");
    return $line // {};
}

sub told {
    my ($line, @members) = @_;
    return join '|', map { $_ // 'none' } @$line{@members};
}

my @all = qw(action result error failed_step steps statuses errors ignored app status);


my $line = act('/finish/1', '{}', Authorization => 'Basic YW5uOng=');

is(told($line, @all),
   'Finish|ok|||Update CRM : Mail : Invoice|503, 200 : - : -|-, - : - : -||201|201',
   'an action that was carried out, with attempts');
like($line->{times}, qr/^0\.\d{3}, 0\.\d{3} : - : -$/, 'their times');
like($line->{total}, qr/^0\.\d+$/, 'the whole time, a number');
like($line->{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d$/,
     'when it was');
like($line->{id}, qr/^[0-9a-f]{32}$/, 'its id');
is(told($line, qw(client user)), '127.0.0.1|ann', 'client and user');
is(join(' ', sort keys %$line), join(' ', sort @all,
    qw(time id times total client_left client user)), 'no more');
is($line->{client_left}, '', 'the client has stayed');

$line = act('/finish/1', '{}', 'X-Mail' => 1, 'X-Invoice' => 1);
is(told($line, @all), 'Finish|failed|status|Invoice|'
   . 'Update CRM : Mail : Invoice|503, 200 : 200 : 422|-, - : - : -|||502',
   'one that has failed on a step');

$line = act('/finish/1', '{"task":', 'Content-Encoding' => 'gzip');
is(told($line, @all), 'Finish|failed|request_invalid|||||||415',
   'one that could not be read');

$line = act('/field', '{');
is(told($line, @all), '|failed|request_invalid|||||||400',
   'one whose name is not known');

$line = act('/finish/1', '{}', 'X-Dry-Run' => 1);
is(told($line, @all), 'Finish|dry_run||||||||200', 'a dry run');

$t->post_json('/', '{}');
$t->post_json('/field', '{"task":{}}');
$line = act('/field', '{"task":{"name":"0"}}');
is(told($line, @all), '0|ok|||Tell|200|-||201|201',
   'no action makes no line, but one of the name 0 does');


# The same for Elastic and OpenTelemetry: of all lines so far, which are JSON.

sub lines_of {
    my ($name) = @_;
    return map { eval { $strict->decode($_) } // {} }
        split /\n/, $t->read_file("actions-$name.log") // '';
}

my ($call) = $t->requests('again');
my ($trace, $span) = header(($t->requests('app'))[0], 'traceparent')
    =~ /^00-(\w+)-(\w+)-/;
like(header($call, 'traceparent'), qr/^00-$trace-/, 'one trace');

my @ecs = lines_of('ecs');
is(@ecs, $lines, 'ECS: all lines');
is(told($ecs[0], qw(event.action event.outcome event.reason event.id trace.id
                    http.response.status_code flowdash.statuses)),
   "Finish|success||$ecs[0]{'event.id'}|$trace|201|503, 200 : - : -",
   'ECS: an action that was carried out');
like($ecs[0]{'event.duration'}, qr/^[1-9]\d*000000$/, 'ECS: its duration');
is(told($ecs[1], qw(event.outcome event.reason flowdash.failed_step)),
   'failure|status|Invoice', 'ECS: one that has failed');
is($ecs[-2]{'event.outcome'}, 'unknown', 'ECS: a dry run');

my @otel = lines_of('otel');
is(@otel, $lines, 'OpenTelemetry: all lines');
is(told($otel[0], qw(TraceId SpanId SeverityText SeverityNumber Body)),
   "$trace|$span|INFO|9|action Finish: ok", 'OpenTelemetry: carried out');
is(told($otel[1], qw(SeverityText SeverityNumber Body)),
   'ERROR|17|action Finish: failed', 'OpenTelemetry: failed');
is(told($otel[1]{Attributes}, qw(flowdash.failed_step error.type)),
   'Invoice|status', 'OpenTelemetry: its attributes');


# Odd names: those with control characters are in JSON's escapes.

for my $i (0 .. $#odd) {
    my $name = $odd[$i][1];
    $line = act("/odd$i", '{}');

    my ($action, $steps) = map {
        $name =~ /[\x00-\x08\x0a-\x1f]/
            ? eval { JSON::PP->new->allow_nonref->decode(qq("$_")) } : $_
    } $line->{action}, $line->{steps};

    is($action, $name, "odd name $i: of an action");
    is($steps, "$name : Plain", 'of a step');
    is(told($line, 'failed_step', 'statuses'), 'Plain|200 : 422', 'the rest');
}

my @names = ('"\ud83d\ude80\u2028"', '"\u0000\u001f\"\\\\"', '[1,"\n"]',
             '{"a":"</script>"}', '"' . '\\\\\"' x 1000 . '"');

for my $name (@names) {
    $line = act('/field', qq({"task":{"name":$name}}));
    is($line->{result}, 'ok', 'a name from a field: ' . substr $name, 0, 30);
}

for my $body ('{}', '{') {
    $line = act('/name', $body, 'X-Name' => "N\xff");
    is(told($line, @all), '|failed|request_invalid|||||||400',
       'a name that is not UTF-8');
}

my $res = $t->post_json('/header', '{}');
is(header($res, 'X-Steps'), 'one\ntwo : t\nhree',
   'no line break in a header');
is(header($res, 'X-Failed'), 't\nhree', 'nor of the step that has failed');
$lines++;


# The one-liners of the page.

SKIP: {
    skip 'no jq', 4 if system('command -v jq >/dev/null') != 0;

    is(@jq, 6, 'three of them');

    my @failed = split /\n/, jq(@jq[0, 1]);
    like($failed[0], qr/^\S+\tFinish\tInvoice\tstatus\t503, 200 : 200 : 422\t/,
         'what has failed');

    my ($ok) = grep { /"result":"ok"/ } split /\n/, $t->read_file('actions.log');
    $t->write_file('told.log', join "\n",
                   $ok, $ok =~ s/"result":"ok"/"result":"unknown"/r
                            =~ s/"app":"[^"]*"/"app":"502, 503"/r);
    like(jq(@jq[2, 3], $t->dir . '/told.log'),
         qr/^\S+\t[^\t]+\tunknown\t502, 503\t\w+$/,
         'what the app has not done');

    my ($steps) = jq(@jq[4, 5]) =~ /^(.*)$/m;
    like($steps, qr/^\[\["Update CRM","503, 200","-, -","0\.\d+, 0\.\d+"\],/,
         'each step with its statuses, errors and times');
}

sub jq {
    my ($switch, $filter, $file) = @_;
    open my $out, '-|', 'jq', $switch, $filter, $file // $journal or die $!;
    local $/;
    return scalar readline $out;
}

$t->done;
