# The page of flowdash_status in a browser: it draws the chains, brings itself
# up to date, does without scripts, and axe-core finds nothing wrong with it.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::Browser;
use Test::Flowdash::Npm;

for my $program (qw(chromium chromedriver)) {
    plan(skip_all => "there is no $program")
        if !grep { -x "$_/$program" } split /:/, $ENV{PATH};
}

my $axe = npm_modules('axe-core');
my $t = Test::Flowdash->new;

my @json = ('Content-Type' => 'application/json');

$t->endpoint(crm => sub {
    my ($request) = @_;
    my $task = $request->json->{task};
    return { status => $task->{status} // 200, delay => $task->{delay},
             body => '' };
});
$t->endpoint(app => { body => 'app' });

my $call = 'flowdash_call http://me:secret@127.0.0.1:%%PORT_crm%%/path?key=1;';
my $app = 'proxy_pass http://127.0.0.1:%%PORT_app%%;';
my $long = 'Donaudampfschifffahrtsgesellschaftskapitaen' x 3;

sub config {
    my ($locations) = @_;
    return <<"EOC";
flowdash_zone flowdash:1m;
server {
    listen 127.0.0.1:%%PORT_http%%;
    $locations
    location = /flows { flowdash_status html; }
}
EOC
}

my $finish = <<"EOC";
    location = /finish {
        flowdash_action "Finish";
        flowdash_step "CRM" { $call }
        flowdash_step "Billing" {
            proxy_pass http://127.0.0.1:%%PORT_crm%%;
        }
        flowdash_step "Chat" { flowdash_optional on; $call }
        $app
    }
EOC

my $others = <<"EOC";
    location = /optional {
        flowdash_action "<b>Optional</b>";
        flowdash_step "Maybe" { flowdash_optional on; $call }
        $app
    }
    location = /named {
        flowdash_action \$arg_name;
        flowdash_step "CRM" { $call }
        $app
    }
    location = /long {
        flowdash_action "$long";
        ${\ join '', map { qq(flowdash_step "$_ $long" { $call }) } 1 .. 9 }
        $app
    }
EOC

my $many = join '', map { <<"EOC" } 1 .. 30;
    location = /many/$_ {
        flowdash_action "Action $_";
        flowdash_step "CRM" { $call }
        flowdash_step "Billing" { $call }
        $app
    }
EOC

sub act {
    my ($uri, $status) = @_;
    $status //= 200;
    return $t->post_json($uri, qq({"task":{"status":$status}}));
}

my $flows = 'http://127.0.0.1:' . $t->port('http') . '/flows';

my %browser = (
    light => Test::Flowdash::Browser->new,
    dark => Test::Flowdash::Browser->new(dark => 1),
    phone => Test::Flowdash::Browser->new(width => 360, height => 740),
    scriptless => Test::Flowdash::Browser->new(scripts => 0),
);

# in light, in dark, on a phone: nothing that axe-core would find, and nothing
# that has to be scrolled sideways

sub looks_well {
    my ($what) = @_;

    for my $name (qw(light dark phone)) {
        my $browser = $browser{$name};
        $browser->go($flows);

        is(join("\n", $browser->axe), '', "$what, $name: accessible") if $axe;
        is($browser->script('return document.documentElement.scrollWidth
                             <= document.documentElement.clientWidth'), 1,
           "$what, $name: fits");
        $browser->screenshot("$ENV{FLOWDASH_SHOTS}/$what-$name.png")
            if $ENV{FLOWDASH_SHOTS};
    }
}

# the chains: "name: box, box, ...; ..."; a step that is marked has its class

my $chains = <<'END';
    return [...document.querySelectorAll('section:has(ol)')].map(section =>
        section.querySelector('h2').innerText + ': '
        + [...section.querySelectorAll('li')].map(li =>
            (li.querySelector('h3') || li).innerText
            + (li.className && ' ' + li.className)).join(', ')).join('; ')
END


# no action at all

$t->config(config(''));
$t->run;
looks_well('nothing');
is($browser{light}->script($chains), '', 'nothing: no chain');
like($browser{light}->text('main'), qr/no actions.*None\./s,
     'nothing: it says so');
$t->stop;


# one that nobody has run, and that fails

$t->config(config($finish));
$t->run;

my $browser = $browser{light};
my $scriptless = $browser{scriptless};

$browser->go($flows);

is($browser->script($chains), 'Finish: request, CRM, Billing, Chat, app',
   'the chain as it is configured');
is($browser->text('li:nth-child(2) p'), 'http://127.0.0.1:' . $t->port('crm'),
   'the endpoint, without path and secrets');
like($browser->text('li:nth-child(4)'), qr/optional/, 'a step is optional');
is($browser->text('h2 + dl'), "running\n0\nper minute\n0\nsucceeded\n\x{2013}\n"
   . "median\n\x{2013}\np95\n\x{2013}", 'no numbers yet');
is($browser->text('h2 + dl + .all'), 'never run', 'and none before');
is($browser->script('return document.title'), 'Flows', 'the title');

$scriptless->go($flows);
is($scriptless->script($chains), 'Finish: request, CRM, Billing, Chat, app',
   'without scripts: the same');

# marks that only this document has

$browser->script('window.mine = 1; return 1');
$scriptless->script('window.mine = 1; return 1');

is(act('/finish')->{status}, 200, 'an action');
my $answer = act('/finish', 409);
is($answer->{status}, 502, 'an action that fails');

my $stop = $browser->wait('.bad .stop', qr/./);

is($stop, 'stops here: answered 409, failed 1 of 2',
   'the page has noticed: where it stops');
is($browser->script('return document.title'), '(1) Flows',
   'its title says how many are failing');
like($browser->text('header'), qr/^Flows\s+1 of 1 actions failing\s/,
     'and so does its head');
is($browser->script('return window.mine'), 1, 'without being loaded anew');
is($browser->script($chains), 'Finish: request, CRM bad, Billing, Chat, app',
   'the step that has failed');
like($browser->text('h2 + dl'), qr/running\n0\n.*succeeded\n50\.0 %\n/s,
     'its numbers');
like($browser->text('h2 + dl + .all'), qr/^in all 2, 50\.0 % succeeded, p95 \d/,
     'and those before');
is($browser->text('.bad .stop + .all'), 'In all: status 1', 'by reason');

my ($row) = map { s/\s+/ /gr } $browser->text('tbody tr:first-child');
like($row, qr/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d, \d+ (?:s|min) ago (?#
    )Finish CRM status 502 (?#
    )[0-9a-f]{32}$/,
     'the failure is listed');

my ($id) = $row =~ /(\w{32})$/;
like($t->error_log, qr/"Finish" failed on step "CRM".*, id $id/,
     'with the id of the log');
like($answer->{body}, qr/$id/, 'which the user was told');

like($scriptless->wait('.bad .stop', qr/./), qr/stops here/,
     'without scripts: it is loaded anew from time to time');
is($scriptless->script('return window.mine || 0'), 0,
   'without scripts: as a new document');

# what somebody is about to copy stays

$browser->script('getSelection().selectAllChildren(
    document.querySelector("tbody code")); return 1');
act('/finish', 500);
sleep 6;
is($browser->script('return String(getSelection())'), $id,
   'a selection is left alone');
$browser->script('getSelection().removeAllRanges();
    document.querySelector(".scroll").focus(); return 1');
is($browser->wait('.bad .stop', qr/500/),
   'stops here: answered 500, failed 2 of 3', 'then it goes on');
is($browser->script('return document.activeElement.className'), 'scroll',
   'the focus stays where it was');

looks_well('failed');


# no gateway; the failures above may have been minutes ago

act('/finish', 500);
$browser->wait('.bad .stop', qr/500/);
$t->stop;
is($browser->wait('#when', qr/does not/),
   'The gateway does not answer, this is how it was.',
   'no gateway: it says so');
is($browser->script($chains), 'Finish: request, CRM bad, Billing, Chat, app',
   'no gateway: what was known is left');


# more

$t->config(config("$finish $others $many"));
$t->run;

act('/finish') for 1 .. 3;
act('/optional', 503);
act('/named?name=Zero', 503);
act('/named?name=Another');
act("/many/$_", $_ % 7 ? 200 : 500) for 1 .. 30;

looks_well('many');

$browser = $browser{light};
my @chains = split /; /, $browser->script($chains);

is(scalar @chains, 35, 'many: all of them');
is(scalar(grep { $_ eq '<b>Optional</b>: request, Maybe weak, app' } @chains),
   1, 'many: an optional step that fails stops nothing');
is($browser->text('.weak .stop'), 'fails: answered 503, failed 1 of 1',
   'many: it says so');
is(join('; ', map { s/:.*//r } @chains[0 .. 5, -1]), join('; ',
   map({ "Action $_" } 7, 14, 21, 28), 'Zero', 'Finish', 'Another'),
   'many: the failing ones first, names of variables last');
is($browser->script('return document.title'), '(5) Flows', 'many: the title');

$browser->type('#filter', 'action 2');
is($browser->script('return [...document.querySelectorAll("section:has(ol)")]
       .filter(section => section.checkVisibility()).length'), 11,
   'many: some are found');
$browser->script('document.querySelector("#filter").value = "";
                  window.mine = 2; return find() || 1');
is($browser->script('return getComputedStyle(document.querySelector(
       "li.bad + li + li"), "::before").backgroundColor'),
   $browser->script('return getComputedStyle(document.querySelector(
       "li.bad"), "::before").backgroundColor') =~ s/.*/rgb(201, 208, 217)/r,
   'many: links behind a break are gray');
is(scalar(() = $browser->script($chains) =~ / bad/g), 5, 'many: that fail');
is($browser->script('return document.querySelectorAll("tbody tr").length'), 5,
   'many: failures');

# one call that takes some time: the limit of the bucket that it falls into

is($t->post_json('/many/30', '{"task":{"delay":0.6}}')->{status}, 200, 'slow');
my @seconds = $t->get('/flows')->{body} =~ m{<dd>([\d.]+) s</dd>}g;
is(scalar @seconds, 3, 'the 95th percentiles of an action and two steps');
is(scalar(() = $t->get('/flows')->{body} =~ m{p95 [\d.]+ s</p>}g), 3,
   'and those in all');
is(join(' ', grep { !/^(?:1\.0|2\.5|5\.0|10\.0|30\.0)$/ } @seconds), '',
   'in seconds');

unlike($t->get('/flows')->{body}, qr/secret|key=|\/path/, 'no secrets');
unlike($t->get('/flows')->{body}, qr/src=|href=|url\(|\@import/,
       'nothing else is loaded');

$t->done;
