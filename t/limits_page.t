# docs/limits.md: the limits of requests and answers, and of nginx -t, are where
# the page says, and what happens beyond them is what it says.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $json = 'application/json';
my $form = 'application/x-www-form-urlencoded';
my $parts = 'multipart/form-data; boundary=';

# the rows of the table below a heading: each is [ cells ]
sub rows {
    my ($heading) = @_;
    open my $file, '<', "$FindBin::Bin/../docs/limits.md" or die "$!\n";
    my $page = do { local $/; readline $file };
    my ($section) = $page =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms;
    my @rows = map { [ split / \| / ] } $section =~ /^\| (.*) \|$/gm;
    return @rows[1 .. $#rows];
}

my $t = Test::Flowdash->new(log_level => 'info');
my $n = 0;                          # names the file of the next answer

$t->endpoint(crm => sub {
    my ($req) = @_;
    my ($header, $body) = split /\n\n/, $t->read_file('answer'), 2;
    return { body => $body, headers => [ 'Content-Type' => $json,
                                         map { split /: / } split /\n/, $header ] };
});
$t->endpoint(app => sub { return { body => 'done' } });

my $handlers = <<'EOC';
        flowdash_step "CRM" { flowdash_call http://127.0.0.1:%%PORT_crm%%/; }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
EOC

$t->config(<<"EOC");
    large_client_header_buffers 4 64k;
    client_body_buffer_size 4m;

    location / {
        flowdash_action "Save";
        $handlers
    }
    location /wide {
        client_max_body_size 4m;
        flowdash_max_response_size 4m;
        flowdash_action "Save";
        $handlers
    }
    location /decode {
        flowdash_decode on;
        flowdash_action "Save";
        $handlers
    }
    location /extract {
        flowdash_extract \$extracted /a;
        flowdash_action "\$extracted";
        $handlers
    }
    location /root {
        flowdash_task "";
        flowdash_action "Save";
        $handlers
    }
    location /proxy {
        flowdash_action "Save";
        flowdash_step "CRM" { proxy_pass http://127.0.0.1:%%PORT_crm%%/; }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
    location /host {
        resolver 127.0.0.1:1;
        resolver_timeout 1s;
        flowdash_action "Save";
        flowdash_step "CRM" {
            flowdash_allow all;
            flowdash_call http://\$arg_host/;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
EOC

sub answer { $t->write_file(answer => "$_[0]\n\n$_[1]") }

answer('', '{}');
$t->run;

sub request {
    my ($uri, $type, $body, @headers) = @_;
    return $t->request('POST', $uri, body => $body, timeout => 60, headers => [
        'Content-Type' => $type, Accept => $json, @headers ]);
}

# an object of JSON with so many members; so many levels; so many pairs

sub object { return '{' . join(',', map { qq("$_":0) } 1 .. $_[0]) . '}' }
sub nested { return '{"task":{"a":' . '[' x ($_[0] - 2) . ']' x ($_[0] - 2) . '}}' }
sub pairs { return join '&', map { "a$_=" } 1 .. $_[0] }
sub brackets { return 'task' . '[a]' x $_[0] . '=1' }
sub text { return '{"task":{"a":"' . 'x' x ($_[0] - 17) . '"}}' }

sub gzip {
    my ($text) = @_;
    require IO::Compress::Gzip;
    IO::Compress::Gzip::gzip(\$text, \my $gzip) or die;
    return $gzip;
}

sub part {
    my ($boundary, $header) = @_;
    return "--$boundary\r\n"
        . "Content-Disposition: form-data; name=\"task[a]\"\r\n$header\r\n"
        . "1\r\n--$boundary--\r\n";
}

# the part's headers with a Content-Type as long as all of them need it
sub long_part {
    my $rest = length("Content-Disposition: form-data; name=\"task[a]\"\r\n")
        + length "Content-Type: text/plain; x=\r\n\r\n";
    return part('b', 'Content-Type: text/plain; x='
                . 'y' x ($_[0] - $rest) . "\r\n");
}

my $m = 1024 * 1024;

# what is at the limit, which passes, and what is beyond it

my %request = (
    'a body' => [ [ '/', $json, text($m) ], [ '/', $json, text($m + 1) ] ],
    'a body in gzip, decoded' => [ map {
        [ '/decode', $json, gzip($_), 'Content-Encoding' => 'gzip' ]
    } text($m), text($m + 1) ],
    'the text of a urlencoded form' => [ map {
        [ '/wide', $form, 'task[a]=' . 'x' x $_ ]
    } $m - 2000, $m ],
    'memory for the fields of the task' => [ map {
        [ '/', $json, '{"task":' . object($_) . '}' ]
    } 7000, 20_000 ],
    'pairs of name and value in a form' => [ map { [ '/', $form, pairs($_) ] }
        1000, 1001 ],
    'pairs of name and value in a query' => [ map {
        [ '/?' . pairs($_), $json, '{}' ]
    } 1000, 1001 ],
    'nesting of JSON' => [ map { [ '/', $json, nested($_) ] } 128, 129 ],
    'brackets in a name of a form' => [ map { [ '/', $form, brackets($_) ] }
        32, 33 ],
    'brackets in a name of a query' => [ map {
        [ '/?' . brackets($_), $json, '' ]
    } 5, 6 ],
    'dots in a name of a form, if the pointer is `""`' => [ map {
        [ '/root', $form, 'a' . '.a' x $_ . '=1' ]
    } 32, 33 ],
    'the headers of a part in `multipart/form-data`' => [ map {
        [ '/', $parts . 'b', long_part($_) ]
    } 16_384, 16_385 ],
    'the boundary of `multipart/form-data`' => [ map {
        [ '/', $parts . 'b' x $_, part('b' x $_, '') ]
    } 70, 71 ],
    'a value of `flowdash_extract`' => [ map {
        [ '/extract', $json, '{"a":"' . 'x' x $_ . '"}' ]
    } 65_536, 65_537 ],
    'the elements of a batch' => [ map {
        [ '/extract', $json, '[' . join(',', ('{}') x $_) . ']' ]
    } 100, 101 ],
    'a host made of variables in `flowdash_call`' => [ map {
        [ '/host?host=' . 'a' x $_, $json, '{}' ]
    } 253, 254 ],
);

my @rows = rows('Requests');
is(join(', ', sort map { $_->[0] } @rows), join(', ', sort keys %request),
   'all limits of requests are tried');

for my $row (@rows) {
    my ($what, $limit, $by, $beyond) = @$row;
    my ($status, $text) = $beyond =~ /^(\d+).*?: `(.*)`$/;
    my ($at, $over) = $request{$what}->@*;

    $t->clear_requests($_) for qw(crm app);

    my $res = request(@$at);
    $what =~ /^a host/ ? is($res->{status}, 502, "$what: looked up")
        : is($res->{status}, 200, "$what: $limit pass");

    my $before = length $t->error_log;
    $t->clear_requests($_) for qw(crm app);
    $res = request(@$over);
    is($res->{status}, $status, "$what: $status beyond");
    like(substr($t->error_log, $before), qr/\Q$text\E/, "$what: $text");
    $t->no_request($_, "$what: no request to $_") for qw(crm app);
}

my $long_line = sub { 'X-A: ' . 'x' x $_[0] };

my %answer = (
    'a body' => [ map { [ [ '/' ], '', text($_) ] } 65_536, 65_537 ],
    'memory for the fields of the task' => [ map {
        [ [ '/wide' ], '', '{"task":' . object($_) . '}' ]
    } 7000, 20_000 ],
    'nesting of JSON' => [ map { [ [ '/' ], '', nested($_) ] } 128, 129 ],
    'the header, with `proxy_pass`' => [ map {
        [ [ '/proxy' ], $long_line->($_), '{}' ]
    } 2000, 70_000 ],
    'the header, with `flowdash_call`' => [ map {
        [ [ '/' ], $long_line->($_), '{}' ]
    } 60_000, 70_000 ],
    'a line of the header, with `flowdash_call` over HTTP/1.1' => [ map {
        [ [ '/wide' ], $long_line->($_), '{}' ]
    } 90_000, 110_000 ],
    'all of the header, with `flowdash_call` over HTTP/1.1' => undef,
    'pairs of the client\'s form with the answer\'s changes' => [ map {
        [ [ '/', $form, 'task[a]=1' ], '', '{"task":' . object($_) . '}' ]
    } 999, 1000 ],
    'brackets that a changed field of a form needs' => [ map {
        [ [ '/', $form, 'task[a]=1' ], '',
          '{"task":{"a":' . '{"a":' x $_ . '1' . '}' x $_ . '}}' ]
    } 31, 32 ],
);

@rows = rows('Answers');
is(join(', ', sort map { $_->[0] } @rows), join(', ', sort keys %answer),
   'all limits of answers are tried');

for my $row (@rows) {
    my ($what, $limit, $by, $beyond) = @$row;
    my ($reason, $text) = $beyond =~ /^`(\w+)`: `(.*)`$/;
    my ($at, $over) = ($answer{$what} // next)->@*;

    $t->clear_requests($_) for qw(crm app);

    answer($at->@[1, 2]);
    my $res = request($at->[0][0], $at->[0][1] // $json, $at->[0][2] // '{}');
    is($res->{status}, 200, "$what: $limit pass");

    my $before = length $t->error_log;
    $t->clear_requests($_) for qw(crm app);
    answer($over->@[1, 2]);
    $res = request($over->[0][0], $over->[0][1] // $json,
                   $over->[0][2] // '{}');
    is($res->{status}, 502, "$what: 502 beyond");
    like(substr($t->error_log, $before), qr/: $reason\b.*\Q$text\E/,
         "$what: $reason, $text");
    $t->no_request('app', "$what: no request to the app");
    $t->clear_requests('crm');
}

# what nginx -t refuses

sub key { return 'flowdash_sign_key whsec_' . 'A' x $_[0] . ';' }

$t->write_file(long => "user:password\n" . ' ' x 4096);
chmod 0600, $t->dir . '/long';

my $step = 'location / { flowdash_action a; flowdash_step s { '
    . 'flowdash_call http://127.0.0.1:1/; } proxy_pass http://127.0.0.1:1; ';

my %conf = (
    'the zone of `flowdash_zone`' => undef,      # in t/metrics.t
    'the time of `flowdash_once`' => [ map {
        ('flowdash_once $request_id ' . $_ . ';') } '20d', '1728001s' ],
    'the number of `flowdash_retry`' => [ 'flowdash_retry 10;',
                                          'flowdash_retry 11;' ],
    'a method of `flowdash_methods`' => [ map { "flowdash_methods $_;" }
                                          'A' x 32, 'A' x 33 ],
    'the statuses of `flowdash_pass_status`' => [ 'flowdash_pass_status 599;',
                                                  'flowdash_pass_status 444;' ],
    'the pointer of `flowdash_task`' => [ map { 'flowdash_task ' . '/a' x $_ . ';' }
                                          127, 128 ],
    'the pointer of `flowdash_extract`' => [ map {
        'flowdash_extract $x ' . '/a' x $_ . ';' } 127, 128 ],
    'a key of `flowdash_sign_key`, decoded' => [ key(32), key(28) ],
    'a file of `flowdash_sign_key` or `flowdash_proxy`' => [
        '', 'flowdash_proxy http://127.0.0.1:1 file:%%DIR%%/long;' ],
    '/etc/hosts' => undef,
);

@rows = rows('The configuration');
is(join(', ', sort map { $_->[0] } @rows), join(', ', sort keys %conf),
   'all limits of nginx -t are tried');

for my $what (sort keys %conf) {
    my ($at, $over) = ($conf{$what} // next)->@*;

    for ([ $at, 1 ], [ $over, 0 ]) {
        my ($conf, $passes) = @$_;
        my ($ok, $output) = $t->test_config(
            "%%GLOBALS%%\nevents { }\nhttp {\n%%HTTP_GLOBALS%%\n"
            . "flowdash_zone counted:64k;\nserver { listen 127.0.0.1:%%PORT_y%%; $step $conf } }\n}\n");
        is($ok ? 1 : 0, $passes, "$what: " . substr($conf, 0, 30))
            or diag $output;
    }
}

$t->done;
