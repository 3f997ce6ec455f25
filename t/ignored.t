#!/usr/bin/perl

# Answers of 2xx in which there is no task, such as a login page: by default the
# step has succeeded, but they are counted, shown, and logged once a minute;
# flowdash_require_json fails the step.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Mojo::JSON qw(decode_json);

my $t = Test::Flowdash->new(log_level => 'info');

$ENV{FLOWDASH_LATER} = $t->dir . '/later';
$t->preload('later');

my $json = 'application/json';
my $task = '{"task":{"f":"old"}}';
my $new = '{"task":{"f":"new"}}';

# [ name, media type, body, what the log says of it, if it is ignored, what it
#   says with flowdash_require_json on; nothing: the step succeeds ]

my @answers = (
    [ login => 'text/html', '<html><input type=password></html>',
      'has a media type other than JSON', 'has a media type other than JSON, text/html' ],
    [ text => 'text/plain', 'ok', 'has a media type other than JSON',
      'has a media type other than JSON, text/plain' ],
    [ type => 'text/plain', $new, 'has a media type other than JSON',
      'has a media type other than JSON, text/plain' ],
    [ quoted => qq(text/html; a="b\x{1}\\"), 'ok', 'has a media type other than JSON',
      'has a media type other than JSON, text/html; a=\"b\u0001\\\\\"' ],
    [ array => $json, '[1,2]', 'is JSON, but not an object',
      "is JSON, but not an object, $json" ],
    [ tasks => $json, "[$new]", 'is JSON, but not an object',
      "is JSON, but not an object, $json" ],
    [ number => $json, ' 5 ', 'is JSON, but not an object',
      "is JSON, but not an object, $json" ],
    [ null => $json, 'null', 'is JSON, but not an object',
      "is JSON, but not an object, $json" ],
    [ no_type => '', '<html>', 'is not JSON', 'is not JSON' ],
    [ no_type_array => '', '[]', 'is JSON, but not an object',
      'is JSON, but not an object' ],
    [ bom => $json, "\xef\xbb\xbf[]", 'is JSON, but not an object',
      "is JSON, but not an object, $json" ],
    [ object => $json, '{"ok":true}', 'is an object without "task"' ],
    [ fields => $json, '{"f":"new"}', 'is an object without "task"' ],
    [ no_type_object => '', '{"ok":true}', 'is an object without "task"' ],

    [ empty => $json, '' ], [ space => $json, " \r\n" ],
    [ html_space => 'text/html', "\n" ],
    [ braces => $json, '{}' ], [ wide_braces => $json, "{ \n}" ],
    [ no_fields => $json, '{"task":{}}' ],
    [ changes => $json, $new ], [ no_type_changes => '', $new ],
    [ more => 'application/vnd.api+json', qq({"ok":1,"task":{"f":"new"}}) ],
);

my %answer = map { $_->[0] => $_ } @answers, [ upper => $json,
                                               '{"Task":{"f":"new"}}' ],
    [ other => $json, '{"task":{"f":"new","Stage":"Done"}}' ];

$t->endpoint(hook => sub {
    my ($name) = $_[0]{target} =~ m{^/(\w+)};
    my (undef, $type, $body) = @{ $answer{$name} };
    return { headers => [ $type ? ('Content-Type' => $type) : () ],
             body => $body };
});
$t->endpoint(app => { body => 'stored' });

my @calls = ('flowdash_call', 'proxy_pass');

sub action {
    my ($uri, $set, $in_step) = @_;
    my ($call, $name) = $uri =~ /(\d)_(\w+)$/;
    $in_step //= '';
    return qq(
        location = /$uri {
            $set
            flowdash_action "Do $uri";
            flowdash_step "Hook" {
                $in_step
                $calls[$call] http://127.0.0.1:%%PORT_hook%%/$name/p?key=secret;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        });
}

my $locations = join '', map { my $call = $_; map {
        action("${call}_$_", ''), action("strict/${call}_$_",
                                         'flowdash_require_json on;')
    } keys %answer } 0, 1;

my $levels = action('http/0_text', '', '')
    . action('http/off/0_text', 'flowdash_require_json off;')
    . action('http/step/0_text', '', 'flowdash_require_json off;');

my $app = 'proxy_pass http://127.0.0.1:%%PORT_app%%;';

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    flowdash_zone flowdash:1m;
    log_format flow '\$uri|\$flowdash_result|\$flowdash_error|'
                    '\$flowdash_step_status|\$flowdash_step_error|'
                    '\$flowdash_ignored';
    access_log %%DIR%%/flow.log flow;
    flowdash_require_json on;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        flowdash_require_json off;
        $locations

        @{[ action('relaxed/0_upper', 'flowdash_strict none;') ]}
        @{[ action('relaxed/strict/0_upper', 'flowdash_strict none;
                   flowdash_require_json on;') ]}
        @{[ action('none/0_text', '', 'flowdash_accept none;') ]}
        @{[ action('none/strict/0_text', '', 'flowdash_accept none;
                   flowdash_require_json on;') ]}
        @{[ action('named/0_login', '', 'flowdash_accept f;') ]}
        @{[ action('named/all/0_login', '', 'flowdash_accept all;') ]}
        @{[ action('quiet/0_login', 'error_log %%DIR%%/error.log error;') ]}
        @{[ action('quiet/0_login', '') =~ s{location = \K\S+}{/heard}r ]}
        @{[ action('named/0_other', '', 'flowdash_accept f;') ]}
        @{[ action('none/0_other', '', 'flowdash_accept none;') ]}
        @{[ action('optional/0_text', 'flowdash_require_json on;',
                   'flowdash_optional on;') ]}

        location = /three {
            flowdash_action "Three";
            flowdash_step "First" { return 200 hello; }
            flowdash_step "Second" { return 204; }
            flowdash_step "Third" {
                flowdash_call http://127.0.0.1:%%PORT_hook%%/array;
            }
            $app
        }

        location = /json { flowdash_status json; }
        location = /metrics { flowdash_status prometheus; }
        location = /flows { flowdash_status html; }
    }

    server {
        listen 127.0.0.1:%%PORT_other%%;
        $levels
    }
}
EOC
$t->run;


sub act {
    my ($uri, %option) = @_;
    return $t->post_json("/$uri", $task, %option);
}

sub flow {
    my ($uri) = @_;
    my @flow;
    $t->wait_for(sub {
        @flow = ($t->read_file('flow.log') // '') =~ m{^/$uri\|(.*)}mg;
    });
    return $flow[-1];
}

# what is logged of the action that a location has

sub lines {
    my ($uri) = @_;
    my ($id) = map { quotemeta } @_;
    return grep { /flowdash: / && m{request: "POST /$id } }
        split /\n/, $t->error_log;
}

sub ignored { return grep { /the answer to step "[^"]*" is ignored/ } lines(@_) }

sub counted {
    my ($uri) = @_;
    my $json = decode_json($t->get('/json')->{body});
    my ($action) = grep { $_->{name} eq "Do $uri" } @{ $json->{actions} };
    return $action->{steps}[0]{ignored};
}


for my $call (0, 1) {

    for my $answer (@answers) {
        my ($name, $type, $body, $why, $refused) = @$answer;
        my $uri = "${call}_$name";
        my $what = "$name, $calls[$call]";
        my $changed = $name =~ /changes|more/ ? $new : $task;

        # by default

        is(act($uri)->{status}, 200, "$what: succeeds");
        is($t->only_request('app')->{body}, $changed, "$what: the app");
        is(counted($uri), $why ? 1 : 0, "$what: counted");
        is(flow($uri), 'ok|-|200|-|' . ($why ? 'Hook' : '-'),
           "$what: in the variables");

        my $shown = $type =~ s/(["\\])/\\$1/gr =~ s/\x01/\\u0001/r;
        like(join("\n", ignored($uri)), $why
             ? qr{^\S+ \S+ \[warn\] [^\n]*flowdash: the answer to step "Hook"(?#
                 ) is ignored: it \Q$why\E@{[ $type ? qr/, "\Q$shown\E"/
                                                    : '' ]}, called(?#
                 ) "http://127[^"]*/$name/p", id [0-9a-f]{32}, client[^\n]*$}
             : qr/^$/, "$what: the log");
        unlike(join("\n", lines($uri)), qr/secret/, "$what: no secret");

        # if JSON is required

        $uri = "strict/$uri";
        is(act($uri)->{status}, $refused ? 502 : 200, "$what, required");
        is(scalar ignored($uri), $why && !$refused ? 1 : 0,
           "$what, required: no line about an ignored one");

        if (!$refused) {
            is($t->only_request('app')->{body}, $changed,
               "$what, required: the app");
            next;
        }

        $t->no_request('app');
        is(counted($uri), 0, "$what, required: it has failed");
        is(flow($uri), 'failed|response_invalid|200|response_invalid|-',
           "$what, required: in the variables");
        like(join("\n", lines($uri)),
             qr/response_invalid 200, flowdash_require_json: the answer (?#
             )\Q$refused\E, called/, "$what, required: the log");
    }

    # a name that some take for "task" fails the step by a rule of its own

    for my $uri ("${call}_upper", "strict/${call}_upper") {
        is(act($uri)->{status}, 502, "$uri: fails");
        $t->no_request('app');
        like(join("\n", lines($uri)),
             qr/response_invalid 200, the answer's body: .*(?#
             )\(flowdash_strict case\)/, "$uri: why");
    }
}

for my $uri ('relaxed/0_upper', 'relaxed/strict/0_upper') {
    is(act($uri)->{status}, 200, "$uri: passes");
    is($t->only_request('app')->{body}, $task, "$uri: changes nothing");
    is(counted($uri), 1, "$uri: counted");
    is(scalar ignored($uri), 1, "$uri: logged");
}


# flowdash_accept none: nothing could be overlooked, but a login page could be

is(act('none/0_text')->{status}, 200, 'accept none: succeeds');
is(counted('none/0_text'), 1, 'accept none: counted');
is(scalar ignored('none/0_text'), 0, 'accept none: not logged');
is(act('none/strict/0_text')->{status}, 502, 'accept none, required: fails');

# where the configuration names fields, somebody expects them

for ([ 'named/0_login', 'error' ], [ 'named/all/0_login', 'warn' ]) {
    my ($uri, $level) = @$_;
    act($uri) for 1 .. 2;
    like(join("\n", ignored($uri)), qr/^\S+ \S+ \[$level\] [^\n]*$/,
         "$uri: one line at the level $level");
}
$t->new_requests('app');

# the same for the fields that it does not name: once a minute, and each action
# has a line at the level "warn" or "error"

for ([ 'named/0_other', 'Stage', 'error warn' ],
     [ 'none/0_other', 'f', 'warn warn' ]) {
    my ($uri, $field, $levels) = @$_;
    act($uri) for 1 .. 2;
    my @levels = $t->error_log
        =~ m{ \[(\w+)\] .*: action "Do $uri": the answer to step "Hook" has (?#
             )the field "$field", which flowdash_accept does not name: (?#
             )ignored, id }g;
    is("@levels", $levels, "$uri: the levels");
}
$t->new_requests('app');

is(act('optional/0_text')->{status}, 200, 'optional, required: goes on');
is(flow('optional/0_text'), 'ok|-|200|response_invalid|-',
   'optional, required: in the variables');


# where the directive stands

for ([ 'http/0_text', 502 ], [ 'http/off/0_text', 200 ],
     [ 'http/step/0_text', 200 ])
{
    my ($uri, $status) = @$_;
    is(act($uri, port => $t->port('other'))->{status}, $status,
       "$uri: $status");
}

$t->new_requests('app');


# several steps

is(act('three')->{status}, 200, 'three steps');
is(flow('three'), 'ok|-|200 : 204 : 200|- : - : -|First : Third',
   'three steps: two of them');
is(scalar ignored('three'), 2, 'three steps: a line each');
$t->new_requests('app');


# each is counted, and a line written once a minute

sub counts_and_warns {
    my ($name, $uri) = @_;
    my $before = ignored($uri);

    $t->write_file('later', 'x' x 100);
    act($uri) for 1 .. 3;
    is(ignored($uri) - $before, 1, "$name: after a minute, one line");

    $t->write_file('later', 'x' x 120);
    act($uri);
    is(ignored($uri) - $before, 1, "$name: after less, none");

    $t->write_file('later', 'x' x 200);
    act($uri) for 1 .. 2;
    is(ignored($uri) - $before, 2, "$name: after another minute, another");

    unlink $ENV{FLOWDASH_LATER};
    act($uri);
    is(ignored($uri) - $before, 3, "$name: with the clock set back");
    $t->new_requests('app');
}

# a line that the log does not take silences none that it takes

act('quiet/0_login');
is(scalar ignored('quiet/0_login'), 0, 'at the level error: no line');
act('heard');
is(scalar ignored('heard'), 1, 'at the level warn: a line right away');
is(counted('quiet/0_login'), 2, 'both are counted');
$t->new_requests('app');

counts_and_warns('counted', '0_login');
is(counted('0_login'), 8, 'all of them are counted');
is(scalar ignored('1_login'), 1, 'those of others are not logged again');

my $metrics = $t->get('/metrics')->{body};
like($metrics, qr/^# TYPE flowdash_step_answers_ignored_total counter$/m,
     'Prometheus: a counter');
like($metrics, qr/^flowdash_step_answers_ignored_total(?#
     )\{action="Do 0_login",step="Hook"\} 8$/m, 'Prometheus: its value');
like($metrics, qr/^flowdash_step_answers_ignored_total(?#
     )\{action="Do 0_changes",step="Hook"\} 0$/m, 'Prometheus: none');
like($t->get('/flows')->{body},
     qr{ignored 8</p>}, 'the flow page');


# without a zone

$t->stop;
$t->config(action('0_login', ''));
$t->run;
counts_and_warns('no zone', '0_login');


# nginx -t

my $step = 'location / { flowdash_action A; flowdash_step S {';

$t->conf_fails("$step return 204; flowdash_require_json maybe; } }",
    qr/"maybe" in "flowdash_require_json" directive, it must be "on" or "off"/,
    'maybe');
$t->conf_fails("$step return 204; flowdash_require_json on;
                flowdash_require_json on; } }",
    qr/"flowdash_require_json" directive is duplicate/, 'twice');

$t->done;
