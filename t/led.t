#!/usr/bin/perl

# A step that is led to another location, by "rewrite" or otherwise: the limits
# for the bodies of clients there mean nothing for a payload, and no status of
# nginx's own is taken for the endpoint's.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use FCGI;

my $t = Test::Flowdash->new(log_level => 'info');

my @json = ('Content-Type' => 'application/json');

$t->endpoint(hook => sub {
    my ($req) = @_;
    return { headers => [ 'X-Accel-Redirect' => '/small' ] }
        if $req->{target} eq '/accel';
    return { headers => [ 'X-Accel-Redirect' => '/forged%0aline' ] }
        if $req->{target} eq '/lines';
    return { status => 502 } if $req->{target} eq '/502';
    return { headers => \@json, body => '{"task":{"Seen":true}}' };
});
$t->endpoint(app => { body => 'stored' });

$t->server(fcgi => sub {
    my ($listen, $record) = @_;

    my %env;
    my ($in, $out, $err) = (IO::Handle->new, IO::Handle->new, IO::Handle->new);
    my $request = FCGI::Request($in, $out, $err, \%env, fileno $listen);

    while ($request->Accept >= 0) {
        read $in, my $body, $env{CONTENT_LENGTH} || 0;
        $record->(bless { %env, body => $body }, 'Test::Flowdash::Message');
        print $out "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n"
                   . '{"task":{"Seen":true}}';
        $request->Finish;
    }
});

my @ways = (
    [ direct => 'proxy_pass http://127.0.0.1:%%PORT_hook%%/direct;' ],
    [ once   => 'rewrite ^ /small last;' ],
    [ twice  => 'rewrite ^ /middle last;' ],
    [ here   => 'client_max_body_size 10;
                 proxy_pass http://127.0.0.1:%%PORT_hook%%/here;' ],
    [ call   => 'client_max_body_size 10;
                 flowdash_call http://127.0.0.1:%%PORT_hook%%/call;' ],
    [ if     => 'client_max_body_size 10;
                 if ($arg_x = "") { rewrite ^ /small last; }' ],
    [ cgi    => 'rewrite ^ /fcgi last;' ],
    [ accel  => 'proxy_pass http://127.0.0.1:%%PORT_hook%%/accel;' ],
    [ lines  => 'proxy_pass http://127.0.0.1:%%PORT_hook%%/lines;' ],
    [ error  => 'proxy_pass http://127.0.0.1:%%PORT_hook%%/502;
                 proxy_intercept_errors on; error_page 502 = /small;' ],
    [ try    => 'try_files /missing /small;
                 proxy_pass http://127.0.0.1:%%PORT_hook%%/;' ],
    [ 413    => 'return 413;' ],
);

my $actions = join '', map { qq(
    location /$_->[0] {
        flowdash_action "Do";
        flowdash_step "Led" { $_->[1] }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
) } @ways;

$t->config(<<"EOC");
    log_format led '\$uri \$flowdash_error \$flowdash_step_status';
    access_log %%DIR%%/led.log led;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        $actions

        location = /middle {
            client_max_body_size 10;
            rewrite ^ /small last;
        }

        location = /small {
            client_max_body_size 10;
            proxy_pass http://127.0.0.1:%%PORT_hook%%/small;
        }

        location = /fcgi {
            client_max_body_size 10;
            fastcgi_param CONTENT_LENGTH \$content_length;
            fastcgi_param REQUEST_METHOD \$request_method;
            fastcgi_pass 127.0.0.1:%%PORT_fcgi%%;
        }
    }
EOC
$t->run;

my $task = '{"task":{"Stage":"Open"}}';
my $changed = '{"task":{"Stage":"Open","Seen":true}}';

# the endpoint gets the payload, whatever the limits

my $expected = '{"action":"Do","user":{"id":null,"email":null,"first_name":null,'
    . '"last_name":null},"task":{"Stage":"Open"}}';

for ([ qw(direct hook) ], [ qw(once hook) ], [ qw(twice hook) ],
     [ qw(here hook) ], [ qw(call hook) ], [ qw(if hook) ], [ qw(cgi fcgi) ])
{
    my ($way, $endpoint) = @$_;
    my $res = $t->post_json("/$way", $task);
    is($res->{status}, 200, "$way: goes on");
    is($t->only_request('app')->{body}, $changed, "$way: with the change");

    my $call = $t->only_request($endpoint);
    is($call->{body}, $expected, "$way: the payload");
    is($endpoint eq 'fcgi' ? $call->{CONTENT_LENGTH}
                           : join(', ', $call->header('Content-Length')),
       length $expected, "$way: its length");
}

# nobody has said 413 but the step itself; other ways lead nowhere

for ([ accel => 'response_invalid', 502, 1 ],
     [ lines => 'response_invalid', 502, 1 ],
     [ error => 'status', 502, 1 ],
     [ try   => 'response_invalid', 502, 0 ],
     [ 413   => 'status', 413, 0 ])
{
    my ($way, $error, $status, $calls) = @$_;
    my $res = $t->post_json("/$way", $task);
    is($res->{status}, 502, "$way: fails");
    $t->no_request('app');
    is(scalar $t->new_requests('hook'), $calls, "$way: calls");

    my $why = '';
    $t->wait_for(sub {
        ($why) = ($t->read_file('led.log') // '') =~ m{^/$way (.*)}m;
    });
    is($why, "$error $status", "$way: why");
}

# what an endpoint sends begins no line of the log

my @lines = grep { /forged/ && !/\[debug\]/ } split /^/, $t->error_log;
is(scalar @lines, 1, 'a line break in X-Accel-Redirect: one line');
like($lines[0], qr{the step was redirected to "/forged\\nline", which is not},
     'which is escaped');
unlike($t->error_log, qr/^line/m, 'there is no other');

# clients still have their limit

is($t->post_json('/small', $task)->{status}, 413, 'a client is limited');
$t->no_request($_) for qw(hook fcgi);

$t->done;
