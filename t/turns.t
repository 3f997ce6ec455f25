# A long body is read in turns, whatever it is, and wherever nginx has it: after
# each MB, the worker does something else.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use IO::Compress::Gzip qw(gzip);

my $t = Test::Flowdash->new;

$t->endpoint(crm => { headers => [ 'Content-Type' => 'application/json' ],
                      body => '{"task":{"Stage":"Done"}}' });
$t->endpoint(app => sub { return { body => length $_[0]{body} } });

$t->config(<<'EOC');
    client_max_body_size 32m;
    flowdash_max_fields_size 32m;
    flowdash_decode on;
    flowdash_accept Nothing;

    location / {
        flowdash_action "Save";
        flowdash_step "CRM" {
            flowdash_call http://127.0.0.1:%%PORT_crm%%/;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location /memory {
        client_body_buffer_size 32m;
        flowdash_action "Save";
        flowdash_step "CRM" {
            flowdash_call http://127.0.0.1:%%PORT_crm%%/;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
EOC

$t->run;

my $mb = 1024 * 1024;

# more than one, less than four
my $size = 3.5 * $mb;

my %body = (
    'application/json' =>
        '{"task":{"Stage":"Open"},"x":"' . 'y' x $size . '"}',
    'application/x-www-form-urlencoded' =>
        'task[Stage]=Open&x=' . 'y' x $size,
    'multipart/form-data; boundary=x-x' => join("\r\n", '--x-x',
        'Content-Disposition: form-data; name="task[Stage]"', '', 'Open',
        '--x-x', 'Content-Disposition: form-data; name="f"; filename="f"', '',
        'y' x $size, '--x-x--', ''),
);

# turns given in the requests since the last call

my $seen = 0;

sub turns {
    my $turns = () = $t->error_log =~ /flowdash action yields/g;
    my $new = $turns - $seen;
    $seen = $turns;
    return $new;
}

for my $type (sort keys %body) {
    my ($name) = $type =~ /([^;]*)/;
    my $body = $body{$type};

    for my $uri ('/', '/memory') {
        my $res = $t->request('POST', $uri, body => $body, timeout => 60,
                              headers => [ 'Content-Type' => $type ]);
        is($res->{body}, length $body, "$name for $uri: all of it");
        is(turns(), 3, 'a turn for others after each MB');
        $t->only_request($_) for qw(crm app);
    }

    # decoding has turns of its own; the last MB may end with the data

    gzip(\$body, \my $gzip) or die;
    my $res = $t->request('POST', '/', body => $gzip, timeout => 60,
                          headers => [ 'Content-Type' => $type,
                                       'Content-Encoding' => 'gzip' ]);
    is($res->{body}, length $gzip, "$name in gzip: all of it");
    cmp_ok(turns(), '>=', 5, 'decoded and read in turns');
    $t->only_request($_) for qw(crm app);
}

# a short body needs none, and neither does an empty one

for my $type (sort keys %body) {
    my ($name) = $type =~ /([^;]*)/;

    for my $body (substr($body{$type}, 0, 200), '') {
        gzip(\(my $copy = $body), \my $gzip) or die;
        for my $try ([ $body ], [ $gzip, 'Content-Encoding' => 'gzip' ]) {
            my ($sent, @coding) = @$try;
            $t->request('POST', '/', body => $sent, headers => [
                'Content-Type' => $type, @coding ]);
            $t->clear_requests($_) for qw(crm app);
        }
    }
    is(turns(), 0, "$name: no turn");
}

$t->done;
