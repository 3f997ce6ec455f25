# Which level's directives a step and an action see: http, server, location,
# nested location, "if", step.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->endpoint(crm => sub {
    my $req = shift;
    return { until => sub { 0 } } if $req->{target} =~ m{^/stall};
    return $req->{target} =~ m{^/slow} ? { delay => 2.5 } : {};
});
$t->endpoint(large => { body => '{"task":{"a":"' . 'x' x 2000 . '"}}' });
$t->endpoint(app => sub { return { body => 'app' } });

$t->config(<<'EOC');
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%

    proxy_set_header X-Level proxy-http;

    flowdash_user id http;
    flowdash_user team $arg_team;
    flowdash_set_header X-Level http;
    flowdash_set_header X-Http 1;
    flowdash_task /http;
    flowdash_methods POST PUT;
    flowdash_max_response_size 1k;

    log_format flow '$request_uri $flowdash_action $flowdash_result '
                    '$flowdash_error';

    server {
        listen 127.0.0.1:%%PORT_http%%;
        access_log %%DIR%%/flow.log flow;

        location /http {
            flowdash_action "http";
            flowdash_step S { flowdash_call http://127.0.0.1:%%PORT_crm%%/; }
            flowdash_step P { proxy_pass http://127.0.0.1:%%PORT_crm%%/; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /location {
            flowdash_user email location;
            flowdash_set_header X-Level location;
            flowdash_task /location;
            flowdash_methods DELETE;
            flowdash_action "location";
            flowdash_step S { flowdash_call http://127.0.0.1:%%PORT_crm%%/; }
            flowdash_step P {
                proxy_set_header X-Level proxy-step;
                proxy_pass http://127.0.0.1:%%PORT_crm%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /step {
            flowdash_user email location;
            flowdash_set_header X-Level location;
            flowdash_action "step";
            flowdash_step S {
                flowdash_user last_name step;
                flowdash_set_header X-Level step;
                flowdash_call http://127.0.0.1:%%PORT_crm%%/;
            }
            flowdash_step P {
                flowdash_user last_name step-p;
                flowdash_set_header X-Level step-p;
                proxy_set_header X-Proxy 1;
                proxy_pass http://127.0.0.1:%%PORT_crm%%/;
            }
            flowdash_step T { flowdash_call http://127.0.0.1:%%PORT_crm%%/; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /large {
            flowdash_action "large";
            flowdash_step S { flowdash_call http://127.0.0.1:%%PORT_large%%; }
            location /large/proxy {
                flowdash_step S { proxy_pass http://127.0.0.1:%%PORT_large%%; }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
            location /large/location {
                flowdash_max_response_size 8k;
                flowdash_step S { proxy_pass http://127.0.0.1:%%PORT_large%%; }
                flowdash_step T {
                    flowdash_call http://127.0.0.1:%%PORT_large%%;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
            location /large/step {
                flowdash_step S {
                    flowdash_max_response_size 8k;
                    flowdash_call http://127.0.0.1:%%PORT_large%%;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
            location /large/inner {
                flowdash_max_response_size 8k;
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /nested {
            flowdash_action "outer";
            flowdash_step One {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/1;
            }
            flowdash_step Two { proxy_pass http://127.0.0.1:%%PORT_crm%%/2; }

            if ($arg_if) {
                set $unused 1;
            }
            if ($arg_to) {
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
            limit_except POST PATCH {
                allow all;
            }

            location /nested/plain {
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
            location ~ ^/nested/deep {
                location ~ ^/nested/deep/deeper {
                    proxy_pass http://127.0.0.1:%%PORT_app%%;
                }
            }
            location /nested/name {
                flowdash_action "inner";
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
            location /nested/steps {
                flowdash_step Three {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/3;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
            location /nested/off {
                flowdash_action off;
                proxy_pass http://127.0.0.1:%%PORT_app%%;
                location /nested/off/on {
                    flowdash_action "again";
                    flowdash_step Four {
                        flowdash_call http://127.0.0.1:%%PORT_crm%%/4;
                    }
                    proxy_pass http://127.0.0.1:%%PORT_app%%;
                }
            }
            location /nested/user {
                flowdash_user id inner;
                flowdash_set_header X-Level inner;
                flowdash_task /inner;
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }

    server {
        listen 127.0.0.1:%%PORT_server%%;
        access_log %%DIR%%/flow.log flow;

        flowdash_user first_name server;
        flowdash_set_header X-Level server;
        flowdash_task "";
        flowdash_methods GET PATCH;
        flowdash_timeout 2s;

        location /server {
            flowdash_action "server";
            flowdash_step S { flowdash_call http://127.0.0.1:%%PORT_crm%%/; }
            flowdash_step P { proxy_pass http://127.0.0.1:%%PORT_crm%%/; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /slow {
            flowdash_action "slow";
            flowdash_step S {
                flowdash_call http://127.0.0.1:%%PORT_crm%%/stall;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;

            location /slow/location {
                flowdash_timeout 20s;
                flowdash_deadline 200ms;
                flowdash_step S {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/stall;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }

            location /slow/step {
                flowdash_step S {
                    flowdash_timeout 100s;
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/slow;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
        }
    }

    server {
        listen 127.0.0.1:%%PORT_default%%;
        flowdash_set_header X-Level "";

        location / {
            flowdash_action "default";
            flowdash_step P { proxy_pass http://127.0.0.1:%%PORT_crm%%/; }
            flowdash_step S { flowdash_call http://127.0.0.1:%%PORT_crm%%/; }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }
    }
}
EOC

$t->run;

my $body = '{"http":{"f":"h"},"location":{"f":"l"},"inner":{"f":"i"},"f":"t"}';

sub act {
    my ($method, $path, %option) = @_;
    $t->clear_requests($_) for qw(crm app large);
    return $t->request($method, $path, body => $body, %option,
        headers => [ 'Content-Type' => 'application/json' ]);
}

sub targets { return join ' ', map { $_->{target} } $t->requests($_[0]) }

sub user {
    my $user = $_[0]{json}{user};
    return join ' ', map { "$_=" . ($user->{$_} // '') } sort keys %$user;
}


# http

is(act('POST', '/http?team=red')->{body}, 'app', 'http: the action passes');

my @calls = $t->requests('crm');
is(scalar @calls, 2, 'http: both steps were run');

for (@calls) {
    is($_->{json}{action}, 'http', 'http: the action');
    is(user($_), 'email= first_name= id=http last_name= team=red',
        'http: flowdash_user');
    is($_->{json}{task}{f}, 'h', 'http: flowdash_task');
    is($_->header('X-Http'), 1, 'http: flowdash_set_header');
}

is($calls[0]->header('X-Level'), 'http', 'http: in flowdash_call');
is($calls[1]->header('X-Level'), 'proxy-http',
    'http: proxy_set_header comes after flowdash_set_header');

is(act('PUT', '/http')->{body}, 'app', 'http: flowdash_methods, PUT');
is(scalar $t->requests('crm'), 2, 'http: is an action');
act('PATCH', '/http');
is(scalar $t->requests('crm'), 0, 'http: PATCH is none here');
is(scalar $t->requests('app'), 1, 'http: and passes');


# server

act('GET', '/server', port => 'server');
@calls = $t->requests('crm');
is(scalar @calls, 2, 'server: flowdash_methods, GET');

for (@calls) {
    is(user($_), 'email= first_name=server id= last_name=',
        'server: flowdash_user replaces the list');
    is($_->{json}{task}{f}, 't', 'server: flowdash_task');
    is($_->header('X-Http'), undef,
        'server: flowdash_set_header replaces the list');
}

is($calls[0]->header('X-Level'), 'server', 'server: flowdash_set_header');
act('POST', '/server', port => 'server');
is(scalar $t->requests('crm'), 0, 'server: POST is none here');


# location

act('DELETE', '/location');
@calls = $t->requests('crm');
is(scalar @calls, 2, 'location: flowdash_methods, DELETE');

for (@calls) {
    is(user($_), 'email=location first_name= id= last_name=',
        'location: flowdash_user');
    is($_->{json}{task}{f}, 'l', 'location: flowdash_task');
}

is($calls[0]->header('X-Level'), 'location',
    'location: flowdash_set_header');
is($calls[1]->header('X-Level'), 'proxy-step',
    'location: proxy_set_header of the step');
act('POST', '/location');
is(scalar $t->requests('crm'), 0, 'location: POST is none here');


# step

act('POST', '/step');
@calls = $t->requests('crm');

is(join(' | ', map { user($_) } @calls),
    'email= first_name= id= last_name=step | '
    . 'email= first_name= id= last_name=step-p | '
    . 'email=location first_name= id= last_name=', 'step: flowdash_user');
is(join(' ', map { $_->header('X-Level') } @calls), 'step step-p location',
    'step: flowdash_set_header');
is(join(' ', map { $_->header('X-Proxy') // '-' } @calls), '- 1 -',
    'step: proxy_set_header');


# the defaults

act('PATCH', '/', port => 'default');
is(scalar $t->requests('crm'), 0, 'no methods but those that are listed');
act('POST', '/', port => 'default');
@calls = $t->requests('crm');
is($calls[0]->header('X-Level'), 'proxy-http',
    'an empty flowdash_set_header leaves proxy_set_header alone');
is($calls[1]->header('X-Level'), undef,
    'an empty flowdash_set_header sends none');


# flowdash_max_response_size

is(act('POST', '/large')->{status}, 502, 'size: http, flowdash_call');
is(act('POST', '/large/proxy')->{status}, 502, 'size: http, proxy_pass');
is(act('POST', '/large/location')->{status}, 200, 'size: location');
is(act('POST', '/large/step')->{status}, 200, 'size: step');
is(act('POST', '/large/inner')->{status}, 502,
    'size: a step is merged with its own location');


# times

is(act('PATCH', '/slow', port => 'server')->{status}, 504, 'timeout: server');
is(act('PATCH', '/slow/location', port => 'server')->{status}, 504,
    'timeout: deadline of the location');
is(act('PATCH', '/slow/step', port => 'server')->{status}, 200,
    'timeout: step');

ok($t->wait_for(sub { $t->read_file('flow.log') =~ /^\Q$_\E$/m }), "log: $_")
    for '/slow slow failed timeout', '/slow/location slow failed deadline',
        '/slow/step slow ok -', '/large large failed response_too_large',
        '/large/proxy large failed response_too_large';


# nested locations, "if", limit_except

for (
    [ '/nested', 'outer', '/1 /2' ],
    [ '/nested/plain', 'outer', '/1 /2' ],
    [ '/nested/deep/deeper', 'outer', '/1 /2' ],
    [ '/nested?if=1', 'outer', '/1 /2' ],
    [ '/nested?to=1', 'outer', '/1 /2' ],
    [ '/nested/name', 'inner', '/1 /2' ],
    [ '/nested/steps', 'outer', '/3' ],
    [ '/nested/off', '', '' ],
    [ '/nested/off/on', 'again', '/4' ],
    [ '/nested/user', 'outer', '/1 /2' ],
) {
    my ($path, $action, $called) = @$_;
    my $res = act('POST', $path);

    is($res->{body}, 'app', "$path: the app answers");
    is(targets('crm'), $called, "$path: its steps");
    is((join ' ', map { $_->{json}{action} } $t->requests('crm')),
        join(' ', map { $action } split ' ', $called), "$path: its name");
    is(targets('app'), $path, "$path: the app, once");
}

act('PUT', '/nested');
is(targets('crm'), '/1 /2', 'limit_except inherits the action');

act('POST', '/nested/user');
@calls = $t->requests('crm');
is($calls[0]{json}{task}{f}, 'i',
    'flowdash_task is read where the action is performed');
is($calls[0]->header('X-Level'), 'http',
    'flowdash_set_header where the step is written');
is(user($calls[0]), 'email= first_name= id=http last_name= team=',
    'flowdash_user where the step is written');

$t->done;
