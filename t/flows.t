# The page of flowdash_status in a browser: it draws the flows and has the same
# in tables, brings itself up to date, does without scripts, fits a wall and a
# phone, and axe-core finds nothing wrong with it.

use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Encode qw(encode);
use JSON::PP qw(decode_json);
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
$t->endpoint(app => sub {
    my ($request) = @_;
    return { status => $request->json->{task}{app} // 200, body => 'app' };
});

my $call = 'flowdash_call http://me:secret@127.0.0.1:%%PORT_crm%%/path?key=1;';
my $app = 'proxy_pass http://127.0.0.1:%%PORT_app%%;';
my $long = 'Donaudampfschifffahrtsgesellschaftskapitaen' x 3;
my $wide = '日本語の長い名前のステップ' x 3;
my $rtl = 'تحديث بيانات العميل في النظام';

sub config {
    my ($locations) = @_;
    return encode('UTF-8', <<"EOC");
flowdash_zone flowdash:1m executions=200;
upstream billing { server 127.0.0.1:%%PORT_crm%%; }
server {
    listen 127.0.0.1:%%PORT_http%%;
    $locations
    location = /flows { flowdash_status html; }
    location = /json { flowdash_status json; }
}
EOC
}

my $finish = <<"EOC";
    location = /finish {
        flowdash_action "Finish";
        flowdash_step "CRM" { $call }
        flowdash_step "Billing" { proxy_pass http://billing/path?key=2; }
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
    location = /down {
        flowdash_action "Down";
        flowdash_step "CRM" { $call }
        proxy_pass http://127.0.0.1:%%PORT_closed%%;
    }
    location = /handlers {
        flowdash_action "Handlers";
        flowdash_step "A" { set \$to crm; proxy_pass http://\$to/a; }
        flowdash_step "B" { return 204; }
        flowdash_step "C" {
            fastcgi_param A "proxy_pass http://elsewhere/;";
            fastcgi_pass unix:/run/secret.sock;
        }
        flowdash_step "D" { # proxy_pass http://elsewhere/;
            proxy_pass
                "http://unix:/run/a.sock:/path";
        }
        flowdash_step "E" {
            if (\$arg_a) { proxy_pass http://127.0.0.1:1; }
            grpc_pass grpcs://[::1]:443;
        }
        flowdash_step "F" { fastcgi_pass 127.0.0.1:9000; }
        flowdash_step "G" { include %%DIR%%/steps/*.conf; }
        flowdash_step "H" { include %%DIR%%/empty.conf; include steps/b.conf; }
        $app
    }
    location = /names {
        flowdash_action "$wide";
        flowdash_step "$rtl" { $call }
        flowdash_step "$wide" { $call }
        flowdash_step "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW" { $call }
        flowdash_step '"</title><script>alert(1)</script>&lt' { $call }
        $app
    }
    location = /long {
        flowdash_action "$long";
        ${\ join '', map { qq(flowdash_step "$_ $long" { $call }) } 1 .. 9 }
        $app
    }
EOC

my $many = join '', map { <<"EOC" } 1 .. 27;
    location = /many/$_ {
        flowdash_action "Action $_";
        flowdash_step "CRM" { $call }
        flowdash_step "Billing" { $call }
        $app
    }
EOC

sub act {
    my ($uri, $status, %task) = @_;
    my $task = join ',', map { qq("$_":$task{$_}) } sort keys %task;
    $task = join ',', grep { length } $task, '"status":' . ($status // 200);
    return $t->post_json($uri, qq({"task":{$task}}));
}

my $flows = 'http://127.0.0.1:' . $t->port('http') . '/flows';

my %browser = (
    light => Test::Flowdash::Browser->new(width => 1200),
    dark => Test::Flowdash::Browser->new(dark => 1, width => 1920,
                                         height => 1080),
    phone => Test::Flowdash::Browser->new(width => 360, height => 740),
    scriptless => Test::Flowdash::Browser->new(scripts => 0),
);

# On a screen, on a dark wall, on a phone, with and without numbers: nothing
# that axe-core would find, and nothing that has to be scrolled sideways.

sub looks_well {
    my ($what, @numbers) = @_;
    my $query = $what =~ /one/ ? shift @numbers : '';

    for my $name (qw(light dark phone)) {
        my $browser = $browser{$name};

        for my $numbers ('', @numbers) {
            $browser->go($flows . $query) if !$numbers;
            $browser->click('#all') if $numbers;

            is(join("\n", $browser->axe), '',
               "$what, $name$numbers: accessible") if $axe;
            is($browser->script('return document.documentElement.scrollWidth
                                 <= document.documentElement.clientWidth'), 1,
               "$what, $name$numbers: fits");
            $browser->screenshot(
                "$ENV{FLOWDASH_SHOTS}/$what-$name$numbers.png")
                if $ENV{FLOWDASH_SHOTS};
        }
    }
}

# The flows as they are in the tables: "name: station, station, ...; ..."; a
# station that is marked has its class.

my $chains = <<'END';
    return [...document.querySelectorAll('.flow')].map(flow =>
        flow.querySelector('h2').textContent + ': '
        + [...flow.querySelectorAll('tbody th')].map(th =>
            th.firstChild.textContent + (th.parentNode.className
                && ' ' + th.parentNode.className)).join(', ')).join('; ')
END

# The same as they are drawn, without names that are cut.

my $drawn = <<'END';
    return [...document.querySelectorAll('.flow')].map(flow =>
        [...flow.querySelectorAll('g')].map(g =>
            (g.querySelector('title') || g.querySelector('.n')).textContent
            + (g.getAttribute('class') && ' ' + g.getAttribute('class')))
        .join(', ')).join('; ')
END

# Of the first flow: the color and the width of each link.

my $links = <<'END';
    return [...document.querySelector('svg').querySelectorAll(
        'path[stroke-width]')].map(path => getComputedStyle(path).stroke + ' '
            + path.getAttribute('stroke-width')).join(', ')
END

my ($green, $gray) = ('rgb(18, 128, 90)', 'rgb(195, 203, 213)');

sub same_drawn {
    my ($browser, $what) = @_;
    my $tables = $browser->script($chains) =~ s/(^|; ).*?: all steps[^,;]*, /$1/gr;
    is($browser->script($drawn), $tables, "$what: the drawings say the same");
}

sub row {
    my ($browser, $n, $name) = @_;
    return $browser->script(<<"END") =~ s/\s+/ /gr =~ s/ $//r;
        const flow = [...document.querySelectorAll('.flow')].find(flow =>
            flow.querySelector('h2').textContent == '$name');
        return [...flow.querySelectorAll('tbody tr')[$n].cells]
            .map(cell => [...cell.childNodes].map(node => node.textContent)
                .join(' ')).join(' | ');
END
}

# what stands at a station of the first drawing

sub texts {
    my ($browser, $selector) = @_;
    return $browser->script(<<"END");
        return [...document.querySelectorAll('svg $selector')[0]
            ?.querySelectorAll('text') ?? []].map(text => text.textContent)
            .join(', ');
END
}

sub wait_for_texts {
    my ($browser, $selector, $pattern) = @_;
    my $texts = '';

    for (my $end = time + 60; time < $end; sleep 1) {
        $texts = texts($browser, $selector);
        last if $texts =~ $pattern;
    }

    return $texts;
}

sub status { return decode_json($t->get('/json')->{body}) }


# no action at all

$t->write_file('empty.conf', "# nothing\n");
$t->write_file('steps/a.conf', 'if ($arg_a) { proxy_pass http://127.0.0.1:1; }');
$t->write_file('steps/b.conf', "include steps/c;\n");
$t->write_file('steps/c', 'proxy_pass http://127.0.0.2:81/path;');

$t->config(config(''));
$t->run;
looks_well('nothing');
is($browser{light}->script($chains), '', 'nothing: no flow');
like($browser{light}->text('main'), qr/no actions.*None\./s,
     'nothing: it says so');
$t->stop;


# one that nobody has run, and that fails

$t->config(config($finish));
$t->run;

my $browser = $browser{light};
my $scriptless = $browser{scriptless};

$browser->go($flows);

is($browser->script($chains), 'Finish: all steps, CRM none, Billing none, '
   . 'Chat none, app none', 'the flow as it is configured');
same_drawn($browser, 'new');
is(join(', ', map { $_->{endpoint} } @{ status()->{actions}[0]{steps} }),
   'http://127.0.0.1:' . $t->port('crm') . ', http://billing, http://127.0.0.1:'
   . $t->port('crm'), 'the endpoints, without path and secrets');
is(row($browser, 2, 'Finish'),
   "Billing http://billing | 0 | \x{2013} | \x{2013} | \x{2013} | | never run",
   'no numbers yet');
like(row($browser, 3, 'Finish'), qr/^Chat .* optional /, 'a step is optional');
is($browser->text('#sum'), '1 idle', 'the summary: it is idle');
is($browser->script('return document.title'), 'Flows', 'the title');
is($browser->script($links), join(', ', ("$gray 2.5") x 4),
   'the links are thin and gray');

$scriptless->go($flows);
is($scriptless->script($chains), $browser->script($chains),
   'without scripts: the same');

# marks that only this document has

$browser->script('window.mine = 1; return 1');
$scriptless->script('window.mine = 1; return 1');

act('/finish') for 1 .. 4;
my $widths = $browser->wait('#sum', qr/fine/) && $browser->script($links);
is($widths, join(', ', ("$green 6.1") x 4), 'they get green, and wider');

is(texts($browser, 'g:last-of-type'), "app, 100\x{a0}%, last 200",
   'the app is the last station');

my $answer = act('/finish', 409);
is($answer->{status}, 502, 'an action that fails');
act('/finish', 409) for 1 .. 5;

like(wait_for_texts($browser, 'g.bad', qr/6 times/),
     qr/^CRM, answered 409, 6 times in the last 2 min, 127\.0\.0\.1:\d+$/,
   'the page has noticed: what the endpoint has answered, and how often');
is($browser->script('return document.title'), '(1) Flows',
   'its title says how many are failing');
is($browser->text('#sum'), '1 failing', 'and so does the summary');
is($browser->script('return window.mine'), 1, 'without being loaded anew');
is($browser->script($chains), 'Finish: all steps, CRM bad, Billing none, '
   . 'Chat none, app none', 'the step that has failed, and what is behind it');
same_drawn($browser, 'failed');
is($browser->script($links), "$green 7.3, " . join(', ', ("$gray 6.1") x 3),
   'behind the break the links are gray, and thinner');
like(row($browser, 0, 'Finish'), qr/^all steps \| [\d.]+ \| 40\.0\s%.* \| (?#
     )10, 4 succeeded, p95 \d+\sms status 6$/, 'the numbers of the action');
like(row($browser, 1, 'Finish'), qr/^CRM \S+ answered 409, 6 times in the (?#
     )last 2 min \| .* \| 409 \| 10, 4 succeeded, /, 'of the step');
like(row($browser, 4, 'Finish'), qr/^app \| .* \| 100\s% .* 200 \| (?#
     )4 answered 2xx, p95 \d+\sms$/,
     'of the app');

my ($line) = map { s/\s+/ /gr } $browser->text('.failures tbody tr:last-child');
like($line, qr/^(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d, \d+ (?:s|min) ago (?#
    )Finish CRM status 409 502 [0-9a-f]{32}$/,
     'the failure is listed: what the endpoint has answered, and the client got');

my ($id) = $line =~ /(\w{32})$/;
like($t->error_log, qr/"Finish" failed on step "CRM".*, id $id/,
     'with the id of the log');
like($answer->{body}, qr/$id/, 'which the user was told');

like($scriptless->wait('.failures', qr/409/), qr/409/,
     'without scripts: it is loaded anew from time to time');
is($scriptless->script('return window.mine || 0'), 0,
   'without scripts: as a new document');

# what somebody is about to copy stays

$browser->script('getSelection().selectAllChildren(
    document.querySelector(".failures tr:last-child code")); return 1');
act('/finish', 500);
sleep 6;
is($browser->script('return String(getSelection())'), $id,
   'a selection is left alone');
$browser->script('getSelection().removeAllRanges();
    document.querySelector("#all").focus(); return 1');
like(wait_for_texts($browser, 'g.bad', qr/500/), qr/answered 500/,
     'then it goes on');
is($browser->script('return document.activeElement.id'), 'all',
   'the focus stays where it was');
$browser->click('#all');
like($browser->text('.numbers'), qr/^Station Per minute/,
     'the numbers, for those who want them');

looks_well('failed', '-numbers');


# one execution, by a link, and by its id

$browser->go($flows);
$browser->click('.failures tbody tr:last-child a');
like($browser->text('main') =~ s/\s+/ /gr, qr/^Execution .* all flows Finish: (?#
     )failed The app was not called\. It began at .* and took .* The user got (?#
     )502\. Id $id Station .* CRM failed: status 409 \d+ ms 1 app not called$/,
     'a failure is a link to its execution');
looks_well('one', "?id=$id");

$browser->type('[name=id]', " $id ");
$browser->script('document.querySelector("form").requestSubmit(); return 1');
like($browser->wait('h2', qr/Finish/), qr/^Finish: failed$/, 'the id is found');
$browser->type('[name=id]', 'nonsense');
$browser->script('document.querySelector("form").requestSubmit(); return 1');
is($browser->wait('h2', qr/Not/), 'Not found', 'what is no id is not found');
sleep 6;
is($browser->text('h2'), 'Not found', 'also when it is brought up to date');
unlike($browser->text('#when'), qr/does not answer/, '... as it answers');
$browser->click('header a');
is($browser->wait('h1', qr/Flows/), 'Flows', 'a link leads back');


# the few that fail among many do not break the flow

act('/finish', 500);
act('/finish') for 1 .. 12;
$browser->go($flows);
is($browser->script($chains), 'Finish: all steps, CRM bad, Billing, Chat, app',
   'most have passed: nothing is broken');
unlike($browser->script($links), qr/\Q$gray/, 'most have passed: all is green');


# what the app answers

act('/finish', 200, app => 422);
is(status()->{actions}[0]{app}{statuses}{'4xx'}, 1, 'the app says no');
is(status()->{actions}[0]{app}{last_status}, 422, 'with this status');
is(status()->{actions}[0]{app}{recent}{failed}, 0, 'it has not failed');
act('/finish', 200, app => 503) for 1, 2;

my $json = status()->{actions}[0]{app};
is_deeply($json->{statuses}, { '1xx' => 0, '2xx' => 16, '3xx' => 0, '4xx' => 1,
          '5xx' => 2, none => 0 }, 'the answers of the app');
is("$json->{recent}{failed} $json->{recent}{now_failed}", '2 2',
   'and how often it has failed');
is($json->{recent}{called} >= 15, 1, 'of those that it has got');
$browser->go($flows);
is(texts($browser, 'g:last-of-type'),
   'app, answered 503, 2 times in the last 2 min', 'the app fails');
like($browser->script($chains), qr/, app bad$/, 'it is marked');


# no gateway; the failures above may have been minutes ago

act('/finish', 500) for 1 .. 20;
wait_for_texts($browser, 'g.bad', qr/500/);
$t->stop;
is($browser->wait('#when', qr/does not/),
   'The gateway does not answer; these are the last figures.',
   'no gateway: it says so');
like($browser->script($chains), qr/^Finish: all steps, CRM bad, /,
     'no gateway: what was known is left');


# more

$t->config(config("$finish $others $many"));
$t->run;

sub act_many {
    act('/optional', 503);
    act('/named?name=Zero', 503);
    act('/down');
    act("/many/$_", $_ % 7 ? 200 : 500) for 1 .. 20;
    $t->post_json('/many/5', '{"task":[]}');
}

act('/finish') for 1 .. 3;
act('/named?name=Another');
is(act('/many/6', 200, delay => 2.6)->{status}, 200, 'slow');
act_many();

$browser = $browser{light};
$browser->go($flows);
my @chains = split /; /, $browser->script($chains);

is(scalar @chains, 35, 'many: all of them');
is(scalar(grep { $_ eq '<b>Optional</b>: all steps, Maybe weak, app' } @chains),
   1, 'many: an optional step that fails stops nothing');
like(row($browser, 1, '<b>Optional</b>'), qr/optional answered 503, once in /,
     'many: it says so');
is(join('; ', map { s/:.*//r } @chains[0 .. 8]), join('; ', 'Down',
   map({ "Action $_" } 5, 7, 14), 'Zero', '<b>Optional</b>', 'Action 6',
   'Finish', 'Action 1'), 'many: the failing ones first, then degraded ones');
is($chains[1], 'Action 5: all steps bad, CRM, Billing, app',
   'many: what is refused is marked at the action');
like(row($browser, 0, 'Action 5'), qr/^all steps request_invalid, once in /,
     'many: with the reason');
is($chains[6], 'Action 6: all steps, CRM slow, Billing slow, app',
   'many: a slow one');
is($chains[0], 'Down: all steps, CRM, app bad', 'many: the app is down');
like(row($browser, 2, 'Down'), qr/^app no answer, .* 1 without answer$/,
     'many: it says so');
is($browser->script('return document.title'), '(5) Flows', 'many: the title');
is($browser->text('#sum'), '5 failing 2 degraded 18 fine 10 idle',
   'many: the summary');
is(join(' ', map { $_->{state} } grep { $_->{name} =~ /^(?:Zero|Action [689]|Handlers)$/ }
        @{ status()->{actions} }), 'idle degraded fine fine failing',
   'many: the states in JSON');
is(status()->{failing}, 5, 'many: how many are failing in JSON');

my $endpoints = [ map { $_->{endpoint} } map { @{ $_->{steps} } }
    grep { $_->{name} eq 'Handlers' } @{ status()->{actions} } ];
is_deeply($endpoints, [ '', '', 'unix:/run/secret.sock',
          'http://unix:/run/a.sock', 'grpcs://[::1]:443', '127.0.0.1:9000',
          'http://127.0.0.2:81', 'http://127.0.0.2:81' ],
          'many: the endpoints of other handlers');

same_drawn($browser, 'many');

is($browser->script('return [...document.querySelectorAll(".flow")]
       .slice(0, 10).filter(flow => flow.getBoundingClientRect().bottom <= 900)
       .length'), 10, 'many: the ten that matter most on one screen');
# up to the next station of its row, or the right edge

is($browser->script(<<'END'), '', 'many: no text runs into the next');
    const end = text => text.getBBox().x + text.getBBox().width;
    const x = g => g.querySelector('circle').cx.baseVal.value;
    const y = g => g.querySelector('circle').cy.baseVal.value;
    return [...document.querySelectorAll('svg')].flatMap(svg => {
        const stations = [...svg.querySelectorAll('g')];
        const action = [...svg.children].filter(node => node.matches('text'));
        const limits = stations.map((g, i) => i + 1 < stations.length
            && y(g) == y(stations[i + 1]) ? x(stations[i + 1]) - 8 : 1212);
        return [...action.filter(text => end(text) > 262),
                ...stations.flatMap((g, i) =>
                    [...g.querySelectorAll('text')].filter(text =>
                        end(text) > limits[i]))];
    }).map(text => text.textContent).join("\n");
END

$browser->type('#filter', 'action 2');
is($browser->script('return [...document.querySelectorAll(".flow")]
       .filter(flow => flow.checkVisibility()).length'), 9,
   'many: some are found');

act_many();
looks_well('many', '-numbers');

# fifty failures

act('/named?name=Zero', 503) for 1 .. 50;

for my $name (qw(light phone)) {
    my $browser = $browser{$name};
    $browser->go($flows);
    is($browser->script('return document.querySelectorAll(
           ".failures tbody tr").length'), 50, "many, $name: 50 failures");
    is($browser->script('document.querySelector(".failures").scrollIntoView();
           return document.querySelector(".failures").scrollHeight < 6000'), 1,
       "many, $name: they fit on a few screens");
    $browser->screenshot("$ENV{FLOWDASH_SHOTS}/failures-$name.png")
        if $ENV{FLOWDASH_SHOTS};
}

like($browser{phone}->text('.failures tbody tr:last-child') =~ s/\s+/ /gr,
     qr/ ago Zero CRM status 503 502 \w{32}$/, 'many, phone: a failure');

my $body = $t->get('/flows')->{body};
unlike($body, qr/secret\@|key=|\/path/, 'no secrets');
unlike($body, qr/src=|href="(?!\?id=\w+")|url\(|\@import/, 'nothing else is loaded');
unlike($body, qr/\son\w+=|\sstyle=|<script>alert/, 'no handlers, no styles');

$t->done;
