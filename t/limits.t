# What a request, an answer or a stored task may cost: limits hold everywhere,
# whatever else is wrong with it.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new(log_level => 'info');

$t->endpoint(crm => sub {
    my ($req) = @_;
    my $body = $t->read_file('answer');
    return { headers => [ 'Content-Type' => 'application/json' ],
             body => $body };
});
$t->endpoint(app => sub { return { body => 'done' } });
$t->endpoint(down => sub {
    return { status => 500, body => $t->read_file('answer'),
             headers => [ 'Content-Type' => 'application/json' ] };
});

$t->config(<<'EOC');
    client_max_body_size 32m;
    flowdash_max_response_size 32m;
    flowdash_decode on;
    flowdash_error_detail on;

    location / {
        flowdash_action "Save";
        flowdash_step "CRM" {
            flowdash_call http://127.0.0.1:%%PORT_crm%%/;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location /many {
        flowdash_max_fields_size 4m;
        flowdash_action "Save";
        flowdash_step "CRM" {
            flowdash_call http://127.0.0.1:%%PORT_crm%%/;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location /stored {
        flowdash_action "Save";
        flowdash_task_from /api;
        flowdash_step "CRM" {
            flowdash_call http://127.0.0.1:%%PORT_app%%/;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location = /api { proxy_pass http://127.0.0.1:%%PORT_crm%%/; }

    location /set {
        flowdash_action "Save";
        flowdash_set_json X $http_x;
        flowdash_max_fields_size 32k;
        flowdash_step "CRM" {
            flowdash_call http://127.0.0.1:%%PORT_crm%%/;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location /down {
        flowdash_action "Save";
        flowdash_step "CRM" {
            flowdash_call http://127.0.0.1:%%PORT_down%%/;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
EOC

sub answer { $t->write_file(answer => $_[0]) }

answer('{}');
$t->run;

sub gzip {
    my ($text) = @_;
    require IO::Compress::Gzip;
    IO::Compress::Gzip::gzip(\$text, \my $gzip) or die;
    return $gzip;
}

sub post {
    my ($uri, $body, @headers) = @_;
    return $t->request('POST', $uri, body => $body, timeout => 60, headers => [
        'Content-Type' => 'application/json', Accept => 'application/json',
        @headers ]);
}

sub refused {
    my ($res, $status, $log, $test) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($res->{status}, $status, "$test: $status");
    like($t->error_log, $log, "$test: logged");
    $t->no_request($_, "$test: no request to $_") for qw(crm app);
}

# what is too deep, alone and behind a refusal

my $deep = '[' x 1_000_000;

for my $start ('', '{"task":5,"x":', '{"task":{"a":1,"a":1,"x":', '[5,') {
    refused(post('/', $start . $deep), 400,
            qr/body: nested too deep, at byte 1\d\d/, "deep, $start");
    refused(post('/', gzip($start . $deep), 'Content-Encoding' => 'gzip'), 400,
            qr/body: nested too deep, at byte 1\d\d/, "deep gzip, $start");
}

# The index: an object with many fields, each of which needs little of the text.

sub fields { return '{"task":{' . join(',', map { qq("$_":0) } 1 .. $_[0]) . '}}' }

my $many = fields(20_000);
my $large = qr/over flowdash_max_fields_size, at byte \d+/;

refused(post('/', $many), 413, qr/body: $large/, 'many fields');
refused(post('/', gzip($many), 'Content-Encoding' => 'gzip'), 413,
        qr/body: $large/, 'many fields in gzip');
refused(post('/', '{"task":{' . join(',', map {
            '"\\u0061' . 'x' x 10_000 . qq($_":0) } 1 .. 110) . '}}'), 413,
        qr/body: $large/, 'names with escapes');

is(post('/many', $many)->{status}, 200, 'a greater limit');
$t->only_request($_) for qw(crm app);

# the text itself is bounded by client_max_body_size only

is(post('/', '{"task":{"a":"' . 'x' x 4_000_000 . '","b":[' . '0,' x 500_000
        . '0]}}')->{status}, 200, 'a long text with few fields');
$t->only_request($_) for qw(crm app);

# answers, and the stored task

answer($many);
my $res = post('/', '{"task":{}}');
is($res->{status}, 502, 'many fields in an answer');
like($t->error_log, qr/failed on step "CRM": response_too_large.*$large/,
     'are too many');
$t->only_request('crm');
$t->no_request('app');

is(post('/many', '{"task":{}}')->{status}, 200, 'a greater limit');
$t->only_request($_) for qw(crm app);

is(post('/stored', '{"task":{}}')->{status}, 502,
   'many fields in a stored task');
$t->only_request('crm');
$t->no_request('app');

answer('{"task":5,"x":' . $deep);
is(post($_, '{"task":{}}')->{status}, 502, "a deep answer for $_"),
    $t->only_request('crm') for '/', '/stored';
$t->no_request('app');

for my $message ($deep, '{"detail":"No.","x":' . $deep,
                 '{"error":{"message":"No.","x":' . $deep,
                 '{"detail":"No.",' . substr($many, 1))
{
    answer($message);
    $res = post('/down', '{"task":{}}');
    is($res->{status}, 502, 'a message beside what is large');
    $t->only_request('down');
}
like($res->{body}, qr/No\./, 'is shown if it can be read');

# flowdash_set_json

$res = post('/set', '{"task":{}}', X => '[' x 5000);
is($res->{status}, 400, 'flowdash_set_json with what is too deep');
$t->no_request($_) for qw(crm app);

# parsers disagree about these as they do in the client's own task

for ([ '{"a":1,"a":2}', qr/twice/ ], [ '[{"a":{"b":1,"b":1}}]', qr/twice/ ],
     [ '{"__proto__":{}}', qr/\(flowdash_strict meaning\)/ ],
     [ '{"constructor":{"prototype":1}}', qr/\(flowdash_strict meaning\)/ ],
     [ '"\\ud800"', qr/\(flowdash_strict control\)/ ],
     [ '{' . join(',', map { qq("$_":0) } 1 .. 900) . '}',
       qr/over flowdash_max_fields_size/ ],
     map { [ $_, qr/flowdash_set_json is not JSON/ ] }
         '1,"y":2', '1}', '1}{"X":2', '[1', '1 2', '', "\xff") {
    my ($json, $error) = @$_;
    my $log = length $t->error_log;
    $res = post('/set', '{"task":{}}', X => $json);
    is($res->{status}, 400, 'a client\'s ' . substr($json, 0, 40));
    like(substr($t->error_log, $log), $error, 'the log says why');
    $t->no_request($_) for qw(crm app);
}

answer('{}');
is(post('/set', '{"task":{}}', X => '[{"a":1},{"a":2}]')->{status}, 200,
   'other JSON is set');
like($t->only_request('crm')->{body}, qr/"task":\{"X":\[\{"a":1\},\{"a":2\}\]\}/,
     'as it is');
$t->only_request('app');

# the nodes of a value that a form gets take 50 times its bytes

$res = $t->request('POST', '/set', body => 'x=1', headers => [
    'Content-Type' => 'application/x-www-form-urlencoded',
    'X' => '[1' . ',1' x 3000 . ']' ]);
is($res->{status}, 400, 'a form with many elements by flowdash_set_json');
like($t->error_log, qr/a value that is too large for a form/, 'says so');
$t->no_request($_) for qw(crm app);

$t->done;
