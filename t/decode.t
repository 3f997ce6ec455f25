#!/usr/bin/perl

# Request bodies that are compressed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use IO::Compress::Gzip qw(gzip);

my $t = Test::Flowdash->new;

$t->endpoint(crm => sub {
    my ($req) = @_;
    return { headers => [ 'Content-Type' => 'application/json' ],
             body => '{"task":' . ($req->header('X-Change') // '{}') . '}' };
});
$t->endpoint(app => { body => 'stored' });

my $action = <<'END';
                flowdash_action "Save";
                flowdash_step "CRM" {
                    flowdash_set_header X-Change $http_x_change;
                    flowdash_call http://127.0.0.1:%%PORT_crm%%;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
END

$t->config(<<"END");
            flowdash_decode on;
            client_body_buffer_size 4k;

            location /on { $action }
            location /off { flowdash_decode off; $action }
            location /unlimited { client_max_body_size 0; $action }
            location /large { client_max_body_size 20m; $action }
            location /names {
                set \$name "";
                flowdash_action \$http_x_action;
                flowdash_step "CRM" { return 500; }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
END
$t->run;

sub zipped {
    my ($text) = @_;
    gzip(\$text => \my $zipped) or die;
    return $zipped;
}

sub post {
    my ($uri, $body, %header) = @_;
    my %h = ('Content-Type' => 'application/json',
             'Content-Encoding' => 'gzip', %header);
    return $t->request('POST', $uri, body => $body,
                       headers => [ map { $_ => $h{$_} } sort keys %h ]);
}

my $task = '{"task":{"a":"' . join('', map { chr(97 + rand 26) } 1 .. 50_000)
    . '"}}';
my $zipped = zipped($task);

is(post('/on', $zipped, 'X-Change' => '{"b":1}')->{status}, 200, 'JSON');
like($t->only_request('crm')->{body}, qr/\Q${\ substr($task, 1, -1)}\E/,
     'payload');
my $app = $t->only_request('app');
is($app->{body}, $task =~ s/\}\}$/,"b":1}}/r, 'decoded for the app');
is($app->header('Content-Encoding'), undef, 'and no coding');
is($app->header('Content-Length'), length $app->{body}, 'length');

is(post('/on', $zipped)->{status}, 200, 'nothing is changed');
$t->only_request('crm');
$app = $t->only_request('app');
ok($app->{body} eq $zipped, 'as sent');
is($app->header('Content-Encoding'), 'gzip', 'with its coding');

is(post('/on', zipped('task[a]=1'), 'X-Change' => '{"a":2}',
    'Content-Type' => 'application/x-www-form-urlencoded')->{status}, 200,
    'urlencoded');
$t->only_request('crm');
is($t->only_request('app')->{body}, 'task[a]=2', 'body');

my $form = "--x\r\nContent-Disposition: form-data; name=\"task[a]\"\r\n\r\n1"
    . "\r\n--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\""
    . "\r\n\r\n" . 'x' x 100_000 . "\r\n--x--\r\n";
is(post('/on', zipped($form), 'X-Change' => '{"a":2}',
    'Content-Type' => 'multipart/form-data; boundary=x')->{status}, 200,
    'multipart');
$t->only_request('crm');
$app = $t->only_request('app');
ok($app->{body} eq $form =~ s/\n1\r/\n2\r/r, 'body');
is($app->header('Content-Encoding'), undef, 'no coding');

is(post('/names', $zipped)->{status}, 200, 'no action');
ok($t->only_request('app')->{body} eq $zipped, 'as sent');

is(post('/on', '', 'Content-Length' => 0)->{status}, 200, 'no body');
$t->only_request($_) for qw(crm app);

# limits, and what is not gzip

my $bomb = zipped('{"task":{"a":"' . ' ' x 100_000_000 . '"}}');

for (
    [ '/off', $zipped, 415 ], [ '/on', $task, 400 ], [ '/on', '', 200 ],
    [ '/on', substr($zipped, 0, -1), 400 ], [ '/on', $zipped . 'x', 400 ],
    [ '/on', $zipped . $zipped, 400 ],
    [ '/on', $bomb, 413 ], [ '/unlimited', $bomb, 413 ],
    [ '/large', $bomb, 413 ],
    [ '/on', $zipped, 415, 'Content-Encoding' => 'br' ],
    [ '/on', $zipped, 415, 'Content-Encoding' => 'gzip, gzip' ],
    [ '/on', zipped('{"task":'), 400 ],
    [ '/on', zipped($zipped), 400 ],
) {
    my ($uri, $body, $status, @header) = @$_;
    is(post($uri, $body, @header)->{status}, $status,
        "$uri @header, " . length($body) . ": $status");
    if ($status == 200) {
        $t->only_request($_) for qw(crm app);
        next;
    }
    $t->no_request('crm', 'nothing is called');
    $t->no_request('app', 'the app is not reached');
}

is($t->request('POST', '/on', body => $zipped, headers => [
    'Content-Type' => 'application/json', 'Content-Encoding' => 'gzip',
    'Content-Encoding' => 'gzip' ])->{status}, 415, 'two codings');

$t->done;
