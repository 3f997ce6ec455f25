#!/usr/bin/perl

# flowdash_strict and flowdash_types: what nginx accepts, how they are
# inherited, and, for each rule, that the log names it and that it can be
# relaxed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->endpoint(crm => { body => 'ok' });
$t->endpoint(adds => { headers => [ 'Content-Type' => 'application/json' ],
                       body => '{"task":{"Stage":"Done"}}' });
$t->endpoint(app => { body => 'stored' });

my @rules = qw(json bom control dots case php parts words query fields meaning
               raw type);

my $step = <<'END';
                flowdash_step "CRM" {
                    flowdash_call http://127.0.0.1:%%PORT_crm%%/;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
END

# JSON in a form has bytes that "raw" does not allow, either.

my $without = join '', map { my $more = $_ eq 'json' ? '-raw' : ''; <<"END" }
            location /without/$_ {
                flowdash_action "Finish";
                flowdash_strict all -$_ $more;
$step
            }
            location /flat/without/$_ {
                flowdash_action "Finish";
                flowdash_task "";
                flowdash_strict all -$_ $more;
$step
            }
END
    @rules;

$t->config(<<"END");
    %%GLOBALS%%
    events { }
    http {
        %%HTTP_GLOBALS%%
        underscores_in_headers on;

        server {
            listen 127.0.0.1:%%PORT_http%%;

            location /all {
                flowdash_action "Finish";
$step
            }
            location /flat/all {
                flowdash_action "Finish";
                flowdash_task "";
$step
            }
            location /flat/set {
                flowdash_action "Finish";
                flowdash_task "";
                flowdash_set Stage Done;
$step
            }
            location /flat/adds {
                flowdash_action "Finish";
                flowdash_task "";
                flowdash_step "CRM" {
                    flowdash_call http://127.0.0.1:%%PORT_adds%%/;
                }
                proxy_pass http://127.0.0.1:%%PORT_app%%;
            }
            location /types {
                flowdash_action "Finish";
                flowdash_types application/json Application/Vnd.API+json;
$step
                location /types/form {
                    flowdash_types application/x-www-form-urlencoded
                                   multipart/form-data;
                    proxy_pass http://127.0.0.1:%%PORT_app%%;
                }
                location /types/same {
                    proxy_pass http://127.0.0.1:%%PORT_app%%;
                }
            }
            location /none {
                flowdash_action "Finish";
                flowdash_strict none;
$step
            }
$without
        }
    }
END


# what nginx accepts

sub http { return "$_[0]\nserver { listen 127.0.0.1:%%PORT_http%%; }" }

for ('all', 'none', 'bom', 'bom dots raw', 'all -bom', 'all -bom -dots',
     'ALL', join(' ', @rules), 'all ' . join(' ', map { "-$_" } @rules))
{
    $t->conf_ok(http("flowdash_strict $_;"), "flowdash_strict $_");
}

for (
    [ 'dot',        qr/"dot" in "flowdash_strict": a rule is one of json, bom, control, dots, (?:\w+, ){8}type; "all -rule" means all but this one/ ],
    [ '-dots',      qr/"-dots" in "flowdash_strict": a rule is one of/ ],
    [ '""',         qr/"" in "flowdash_strict": a rule is one of/ ],
    [ 'DOTS',       qr/"DOTS" in "flowdash_strict": a rule is one of/ ],
    [ 'dots all',   qr/"all" in "flowdash_strict": a rule is one of/ ],
    [ 'all dots',   qr/"dots" in "flowdash_strict": after "all"/ ],
    [ 'all ""',     qr/"" in "flowdash_strict": after "all"/ ],
    [ 'all -dot',   qr/"-dot" in "flowdash_strict": a rule is one of/ ],
    [ 'all -',      qr/"-" in "flowdash_strict": a rule is one of/ ],
    [ 'none dots',  qr/"dots" in "flowdash_strict": "none" must stand alone/ ],
    [ 'all; flowdash_strict none', qr/"flowdash_strict" directive is dupl/ ],
) {
    $t->conf_fails(http("flowdash_strict $_->[0];"), $_->[1],
                   "refused: flowdash_strict $_->[0]");
}

$t->conf_ok(http("flowdash_types $_;"), "flowdash_types $_")
    for 'application/json', 'text/json', 'application/vnd.api+json',
        'multipart/form-data application/x-www-form-urlencoded';

$t->conf_fails(http("flowdash_types $_;"),
               qr/" in "flowdash_types": a type must be "application\/json"/,
               "refused: flowdash_types $_")
    for 'json', 'application/xml', '"application/json; charset=utf-8"', '*/*',
        '+json', 'multipart/*', '""';

$t->conf_fails(http('flowdash_types text/json; flowdash_types text/json;'),
               qr/"flowdash_types" directive is duplicate/,
               'refused: flowdash_types twice');

$t->run;


# which media types are read

my $json = '{"task":{"Stage":"Open"}}';
my $form = 'task[Stage]=Open';

for (
    [ '/types',      'application/json',               $json, 200 ],
    [ '/types',      'APPLICATION/JSON; charset=utf-8', $json, 200 ],
    [ '/types',      'application/vnd.api+json',       $json, 200 ],
    [ '/types',      'application/merge-patch+json',   $json, 415 ],
    [ '/types',      'text/json',                      $json, 415 ],
    [ '/types',      'application/x-www-form-urlencoded', $form, 415 ],
    [ '/types',      'multipart/form-data; boundary=B', '--B--', 415 ],
    [ '/types/same', 'text/json',                      $json, 415 ],
    [ '/types/form', 'application/x-www-form-urlencoded', $form, 200 ],
    [ '/types/form', 'multipart/form-data; boundary=B',
        qq(--B\r\nContent-Disposition: form-data; name="task[Stage]"\r\n)
        . "\r\nOpen\r\n--B--\r\n", 200 ],
    [ '/types/form', 'application/json',               $json, 415 ],
    [ '/all',        'text/json',                      $json, 200 ],
) {
    my ($uri, $type, $body, $status) = @$_;

    is($t->request('POST', $uri, headers => [ 'Content-Type', $type ],
                   body => $body)->{status},
       $status, "$uri, $type: $status");

    if ($status == 200) {
        $t->only_request($_) for qw(crm app);

    } else {
        $t->no_request($_) for qw(crm app);
    }
}

like($t->error_log, qr/flowdash_types does not name the request's Content-T/,
     'the log says why');

for my $type (undef, 'text/plain') {
    is($t->request('POST', '/types', headers => [ 'Content-Length', 0,
                       $type ? ('Content-Type', $type) : () ])->{status},
       200, 'no body: ' . ($type // 'no type'));
    $t->only_request($_) for qw(crm app);
}


# a request for each rule: [ rule, pointer or not, type, body, query, status ]

my $urlencoded = 'application/x-www-form-urlencoded';
my $multipart = 'multipart/form-data; boundary=B';

sub part {
    my ($headers, $value) = @_;
    return "--B\r\n$headers\r\n\r\n$value\r\n--B--\r\n";
}

my $disposition = 'Content-Disposition: form-data; name="task[Offer]"';

for (
    [ 'json', '', $urlencoded, $json, '', 415 ],
    [ 'bom', '', $urlencoded, "%EF%BB%BFa=b&$form", '', 400 ],
    [ 'control', '', $urlencoded, 'task[Stage]=a&b%01=c', '', 400 ],
    [ 'dots', '', $urlencoded, 'task.Stage=a', '', 400 ],
    [ 'case', '', 'application/json', '{"task":{"a":1,"A":2}}', '', 400 ],
    [ 'php', '/flat', $urlencoded, 'a_b=1&a.b=2', '', 400 ],
    [ 'parts', '', $multipart, part("$disposition\r\nX-Any: a", 'a'), '', 400 ],
    [ 'words', '', $multipart, part(qq($disposition; filename="=?UTF-8?B?YQ==?="\r
Content-Type: text/plain), 'a'), '', 400 ],
    [ 'query', '', $urlencoded, 'task[Stage]=a', 'task[Date]=b', 400 ],
    [ 'fields', '', $urlencoded, join('&', map { "a$_=b" } 1 .. 1001), '',
      413 ],
    [ 'meaning', '', 'application/json', '{"task":{"__proto__":{}}}', '', 400 ],
    [ 'raw', '', $urlencoded, 'task[Stage]=a<b', '', 400 ],
    [ 'type', '', $multipart, part("$disposition; filename=\"a\"", 'a'), '',
      400 ],
) {
    my ($rule, $flat, $type, $body, $query, $status) = @$_;

    for my $strict ('all', "without/$rule") {
        my $log = length $t->error_log;
        my $uri = "$flat/$strict" . ($query && "?$query");
        my $res = $t->request('POST', $uri, headers => [ 'Content-Type', $type ],
                              body => $body);
        my $named = substr($t->error_log, $log) =~ /\(flowdash_strict (\w+)\)/ ? $1 : '';

        if ($strict eq 'all') {
            is($res->{status}, $status, "$rule: $status");
            is($named, $rule, "$rule: the log names the rule");
            $t->no_request($_) for qw(crm app);

        } else {
            is($res->{status}, 200, "$rule: passes without it");
            is($named, '', "$rule: no rule is named");
            $t->only_request($_) for qw(crm app);
        }
    }
}

# a field that is added to JSON, and of which the query has another value

for ([ set => 400 ], [ adds => 502 ]) {
    my ($where, $status) = @$_;

    is($t->post_json("/flat/$where?Stage=Open", '{"a":1}')->{status}, $status,
       "$where: $status");
    $t->no_request('app');
    is($t->post_json("/flat/$where?$_", '{"a":1}')->{status}, 200,
       "$where, $_: passes") for 'Stage=Done', 'stage_id=Open';
    is(scalar $t->new_requests('app'), 2, "$where: the app");
}

like($t->error_log, qr/query has a different value for it \(flowdash_strict query/,
     'the log says why');
$t->new_requests($_) for qw(crm adds);

$t->done;
