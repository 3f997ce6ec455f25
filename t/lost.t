# Actions that the gateway itself cannot continue, after endpoints were called:
# the disk is full, a file cannot be opened, or nginx ends the request.  The app
# is not called, and the client, the error log, the access log and the counters
# say what happened.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use JSON::PP ();

my $t = Test::Flowdash->new;
my $dir = $t->dir;
my $room = "$dir/full_disk.so.room";

my @json = ('Content-Type' => 'application/json');
my @multipart = ('Content-Type' => 'multipart/form-data; boundary=x-x');

# the disk becomes full, or the directory is gone, when the endpoint is called:
# nginx has the client's upload then

$t->endpoint(crm => sub {
    my ($req) = @_;
    my ($how) = $req->{target} =~ m{^/(\w*)};
    $t->write_file('full_disk.so.room', $1) if $how =~ /^full(\d+)/;
    rename "$dir/client_body_temp", "$dir/away" if $how eq 'away';
    return { headers => \@json, body => '{"task":{"Stage":"Done"}}' };
});
$t->endpoint(slow => { until => sub { -e "$dir/go" } });
$t->endpoint(app => { body => 'the app' });

my $step = <<'END';
            flowdash_action "Save";
            flowdash_step "CRM" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/$http_x_how;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
END

my $conf = <<"END";
%%GLOBALS%%
worker_shutdown_timeout 10ms;
events { }
http {
    %%HTTP_GLOBALS%%
    client_max_body_size 0;
    client_body_buffer_size 4k;
    flowdash_zone flowdash:1m;
    flowdash_decode on;

    log_format journal escape=json
        '{"status":"\$status","result":"\$flowdash_result",'
        '"error":"\$flowdash_error","failed_step":"\$flowdash_failed_step",'
        '"id":"\$flowdash_id","statuses":"\$flowdash_step_status",'
        '"app":"\$upstream_status"}';

    server {
        listen 127.0.0.1:%%PORT_http%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        access_log %%DIR%%/journal.log journal if=\$flowdash_action;

        location /page { $step }

        location /variable {
            flowdash_action "\$flowdash_task_Stage";
            flowdash_dry_run \$flowdash_task_Dry;
            flowdash_step "CRM" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /only {
            client_body_in_file_only clean;
            $step
        }

        location /error {
            error_page 500 /sorry;
            $step
        }

        location /named {
            error_page 500 \@sorry;
            $step
        }

        location /large {
            client_max_body_size 1k;
            error_page 413 /too_large;
            $step
        }

        location /too_large {
            access_log %%DIR%%/large.log journal;
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /sorry { proxy_pass http://127.0.0.1:%%PORT_app%%; }
        location \@sorry { proxy_pass http://127.0.0.1:%%PORT_app%%; }

        location /slow/call {
            flowdash_action "Wait";
            flowdash_step "Slow" {
                flowdash_call http://127.0.0.1:%%PORT_slow%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /slow/proxy {
            flowdash_action "Wait";
            flowdash_step "Slow" {
                proxy_pass http://127.0.0.1:%%PORT_slow%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /slow/fetch {
            flowdash_action "Wait";
            flowdash_dry_run \$http_x_dry;
            flowdash_task_from /fetched pointer=/task;
            flowdash_step "CRM" {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /fetched { proxy_pass http://127.0.0.1:%%PORT_slow%%; }

        location /status { flowdash_status json; }
    }
}
END

$t->allow_log(qr/No space left on device|open\(\) .* failed/);
$t->preload('full_disk');
$t->config($conf);
$t->run;

# the counters of an action, or of one of its steps

sub counters {
    my ($name, $step) = @_;
    my $status = JSON::PP::decode_json($t->get('/status')->{body});
    my ($one) = grep { $_->{name} eq $name } @{ $status->{actions} };
    ($one) = grep { $_->{name} eq $step } @{ $one->{steps} } if $step;
    return { map { $_ => $one->{$_} } qw(started succeeded running failed) };
}

sub lines { return split /\n/, $t->read_file('journal.log') // '' }

my $seen = 0;

sub next_line {
    $t->wait_for(sub { lines() > $seen });
    return JSON::PP::decode_json((lines())[$seen++] // '{}');
}

sub form {
    my ($size) = @_;
    return join "\r\n", '--x-x',
        'Content-Disposition: form-data; name="task[Stage]"', '', 'Open',
        '--x-x', 'Content-Disposition: form-data; name="f"; filename="f"',
        'Content-Type: text/plain', '', 'y' x $size, '--x-x--', '';
}

my $json = '{"task":{"Stage":"Open","x":"' . 'y' x 100_000 . '"}}';


# The disk is full at once, within a turn, in a later turn; no file can be
# opened.  [ location, method, what the endpoint does, its body's size ]

my ($started, $passed) = (0, 0);

for my $row (
    [ '/page', 'PUT', 'full0', 100_000 ],
    [ '/page', 'PUT', 'full300000', 600_000 ],
    [ '/page', 'PUT', 'full2500000', 4_000_000 ],
    [ '/page', 'PUT', 'away', 100_000 ],
    [ '/only', 'POST', 'full0', 100_000 ],
    [ '/only', 'POST', 'full0', 'json' ],
    [ '/error', 'PUT', 'full0', 100_000 ],
    [ '/error', 'PUT', 'full2500000', 4_000_000 ],
    [ '/named', 'PUT', 'full0', 100_000 ],
    [ '/page', 'PUT', 'fine', 100_000 ],
    [ '/only', 'POST', 'fine', 'json' ],
) {
    my ($uri, $method, $how, $size) = @$row;
    my $name = "$method $uri, $how, $size";
    my $fine = $how eq 'fine';

    my ($type, $body) = $size eq 'json' ? (\@json, $json)
                                        : (\@multipart, form($size));
    my $log = $t->error_log;
    my $res = $t->request($method, $uri, body => $body, timeout => 60,
                          headers => [ @$type, 'X-How' => $how ]);
    unlink $room;
    rename "$dir/away", "$dir/client_body_temp";

    $log = substr $t->error_log, length $log;
    my @failed = $log =~ /(flowdash: .*)/g;
    my $line = next_line();

    $started++;
    $passed += $fine;

    $t->only_request('crm', "$name: one call");
    is($res->{status}, $fine ? 200 : 500, "$name: status");
    is_deeply(counters('Save'), {
        started => $started, succeeded => $passed, running => 0,
        failed => { internal => $started - $passed },
    }, "$name: the counters");
    is_deeply(counters('Save', 'CRM'), {
        started => $started, succeeded => $started, running => 0,
        failed => {},
    }, "$name: those of the step");

    if ($fine) {
        is(length $t->only_request('app')->{body}, length $body,
           "$name: the app");
        is("@failed", '', "$name: the log");
        is("$line->{result}, $line->{error}", 'ok, ', "$name: the journal");
        next;
    }

    if ($uri =~ /error|named/) {
        my $page = $t->only_request('app', "$name: the page");
        is($page->{method}, 'GET', "$name: the page's method");
        is($page->{body}, '', "$name: no body");
        is($page->header('Content-Type') // '', '', "$name: no type");
        is($res->{body}, 'the app', "$name: the page");

    } else {
        $t->no_request('app', "$name: the app");
        like($res->{body}, qr/The gateway in front of the app failed/,
             "$name: the page");
    }

    is(scalar @failed, 1, "$name: one line");
    like($failed[0] // '', qr/^flowdash: action "Save" failed: internal, the (?x:
         )changed body could not be copied to a file, id $line->{id}\b/, "$name: the line");
    is_deeply([ @$line{qw(status result error failed_step statuses)} ],
              [ 500, 'failed', 'internal', '', 200 ], "$name: the journal");
}


# what nginx cannot read is no action yet, also on its way to an error page

my $before = counters('Save');
my $chunk = "7d0\r\n" . 'x' x 2000 . "\r\n0\r\n\r\n";
my $large = $t->request('POST', '/large', body => $chunk, headers => [
    @json, 'Transfer-Encoding' => 'chunked', 'Content-Length' => undef ]);

is($large->{status}, 413, 'too large');
is($t->only_request('app')->{method}, 'GET', 'too large: the page');
$t->wait_for(sub { $t->read_file('large.log') });
like($t->read_file('large.log'), qr/"status":"413","result":"","error":"",/,
     'too large: no result');
is_deeply(counters('Save'), $before, 'too large: not counted');


# What nginx cannot store is: all of the body is there at once, or in pieces.
# A name with variables is not known then.

my ($unread, $nameless) = (0, 0);
my $internal = counters('Save')->{failed}{internal};
my $upload = form(100_000);

rename "$dir/client_body_temp", "$dir/away";

for my $row (
    [ '/page', 'whole' ], [ '/page', 'pieces' ],
    [ '/error', 'whole' ], [ '/error', 'pieces' ],
    [ '/named', 'pieces' ],
    [ '/variable', 'whole' ], [ '/variable', 'pieces' ],
    [ '/page', 'http2' ],
) {
    my ($uri, $how) = @$row;
    my $name = "no file, $uri, $how";
    my $action = $uri eq '/variable' ? '' : 'Save';
    my $log = $t->error_log;
    my ($status, $page);

    if ($how eq 'http2') {
        my $res = $t->h2_request('POST', $uri, body => $upload,
                                 headers => \@multipart);

        # the reset of a stream that is not read to its end may hide its answer
        ($status, $page) = $res->{status} ? @$res{qw(status body)}
            : (500, '<h1>500');

    } else {

        # the rest of the body is not taken for a request
        my $head = "POST $uri HTTP/1.1\r\nHost: localhost\r\n"
            . "Content-Type: $multipart[1]\r\n"
            . 'Content-Length: ' . length($upload) . "\r\n\r\n";
        my ($first, $rest) = unpack 'a3000a*', $upload;
        my $raw = $t->raw_request($how eq 'whole' ? $head . $upload
                                  : [ $head . $first, \0.1, $rest ]);

        is(() = $raw =~ m{^HTTP/1\.1 }mg, 1, "$name: one answer");
        ($status, $page) = $raw =~ m{\AHTTP/1\.1 (\d+).*?\r\n\r\n(.*)}s;
    }

    is($status, 500, "$name: status");
    $action ? $unread++ : $nameless++;
    $t->no_request('crm', "$name: no call");

    if ($uri =~ /error|named/) {
        my $request = $t->only_request('app', "$name: the page");
        is("$request->{method} $request->{body}", 'GET ', "$name: its request");

    } else {
        $t->no_request('app', "$name: the app");
        like($page, $how eq 'whole' ? qr/The gateway in front of the app failed/
             : qr/<h1>500|The gateway/, "$name: the page");
    }

    my $line = $action ? next_line() : {};
    my @failed;

    # the request may end after its answer
    $t->wait_for(sub {
        @failed = substr($t->error_log, length $log) =~ /(flowdash: .*\n)/g;
    });

    is(scalar @failed, 1, "$name: one line");
    like($failed[0] // '', qr/^flowdash: action "$action" failed: internal, (?x:
         )nginx could not read or store the request's body, id (\w{32}),/,
         "$name: the line");

    if ($action) {
        like($failed[0] // '', qr/, id $line->{id},/, "$name: the id");
        is_deeply([ @$line{qw(status result error failed_step statuses)} ],
                  [ 500, 'failed', 'internal', '', '' ], "$name: the journal");
    }
}

rename "$dir/away", "$dir/client_body_temp";

is(counters('Save')->{failed}{internal}, $internal + $unread,
   'no file: counted');
is(counters('')->{failed}{internal}, $nameless, 'no file: without a name');
is(counters('Save')->{running}, 0, 'no file: none is running');


# nginx ends requests when a worker that quits may not wait any longer

for my $how (qw(call proxy fetch)) {
    my $n = { call => 1, proxy => 2, fetch => 3 }->{$how};
    my $log = $t->error_log;

    unlink "$dir/go";
    my $request = $t->start('POST', "/slow/$how", body => '{"task":{"a":1}}',
                            headers => \@json);
    $t->wait_for(sub { $t->requests('slow') == $n });

    is(counters('Wait')->{running}, $n == 3 ? 0 : 1, "$how: it is running")
        if $how ne 'fetch';

    $t->reload;
    is($t->finish($request)->{body}, '', "$how: no answer");

    my $line = next_line();
    $log = substr $t->error_log, length $log;
    my $name = $how eq 'fetch' ? 'task' : 'Slow';

    my @failed = $log =~ /(flowdash: action .*)/g;
    is(scalar @failed, 1, "$how: one line");
    like($failed[0] // '', qr/ "Wait" failed on step "$name": internal, nginx (?x:
         )ended the request, .*id $line->{id}\b/, "$how: the line");
    is_deeply([ @$line{qw(result error failed_step)} ],
              [ 'failed', 'internal', $name ], "$how: the journal");
    is_deeply(counters('Wait'), { started => $n, succeeded => 0, running => 0,
              failed => { internal => $n } }, "$how: the counters");

    next if $how eq 'fetch';
    is_deeply(counters('Wait', 'Slow'), { started => $n, succeeded => 0,
              running => 0, failed => { internal => $n } },
              "$how: those of the step");
}

# a dry run, which is not known to be one yet

my $waiting = counters('Wait');
my $dry = $t->start('POST', '/slow/fetch', body => '{"task":{"a":1}}',
                    headers => [ @json, 'X-Dry' => 1 ]);
$t->wait_for(sub { $t->requests('slow') == 4 });
$t->reload;
$t->finish($dry);

my $dry_line = next_line();
is("$dry_line->{result} $dry_line->{error}", 'failed internal',
   'a dry run: the journal');
is_deeply(counters('Wait'), $waiting, 'a dry run: not counted');

$t->write_file('go', '');
$t->no_request('app', 'the app is not called');

$t->done;
