# What docs/ says of the numbers, and the dashboard and the alerts there, are
# about the numbers that the module has: names, types, labels.  Prometheus' own
# promtool reads all of it, and the expressions find something.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use File::Spec;
use JSON::PP qw(decode_json encode_json);
use List::Util qw(any first uniq);

my $docs = "$FindBin::Bin/../docs";
my $promtool = first { -x } map { "$_/promtool" } File::Spec->path;

my $t = Test::Flowdash->new;

sub content ($path) {
    open my $file, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar readline $file;
}

# what promtool says of a file, if it does not agree

sub refused ($command, $name, $text) {
    my $path = $t->write_file($name, $text);
    my $output = qx{$promtool $command $path 2>&1};
    return $? || $output =~ /error|lint/i ? $output || 'failed' : '';
}


# The numbers, after some actions of which each is counted in its own way.

$t->endpoint(good => {});
$t->endpoint(bad => { status => 503 });
$t->endpoint(app => {});

$t->config(<<'END');
    flowdash_zone counted:64k;

    server {
        listen 127.0.0.1:%%PORT_http%%;

        location / {
            flowdash_action "Good";
            flowdash_step "Call" {
                flowdash_call http://127.0.0.1:%%PORT_good%%/;
            }
            flowdash_step "Proxy" {
                proxy_pass http://127.0.0.1:%%PORT_good%%/;
            }
            flowdash_after "Tell" {
                flowdash_call http://127.0.0.1:%%PORT_good%%/;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location /bad {
            flowdash_action "\"Bad\"";
            flowdash_step "Optional" {
                flowdash_optional on;
                flowdash_call     http://127.0.0.1:%%PORT_none%%/;
            }
            flowdash_step "Refused" {
                flowdash_call  http://127.0.0.1:%%PORT_bad%%/;
                flowdash_retry 1;
            }
            proxy_pass http://127.0.0.1:%%PORT_app%%;
        }

        location = /metrics { flowdash_status prometheus; }
        location = /json    { flowdash_status json; }
    }
END
$t->run;

is($t->post_json('/', '{"task":{}}')->{status}, 200, 'a good one') for 1 .. 2;
is($t->post_json('/bad', '{"task":{}}')->{status}, 502, 'a bad one');
is($t->post_json('/bad', '{')->{status}, 400, 'one without JSON');

my $metrics = $t->get('/metrics')->{body};

my %type = $metrics =~ /^# TYPE (\w+) (\w+)$/mg;
my %labels;                         # of each metric, without "le"
my @series = $metrics =~ /^(\w.*) \S+$/mg;

for my $series (@series) {
    my ($name, $labels) = $series =~ /^(\w+)(.*)$/;
    $name =~ s/_(?:bucket|count|sum)$// if !$type{$name};
    $labels{$name}{$_} = 1
        for grep { $_ ne 'le' } $labels =~ /[{,](\w+)="(?:[^"\\]|\\.)*"/g;
}

cmp_ok(scalar keys %type, '>', 10, 'metrics');
ok(!(grep { !/^flowdash_/ } keys %type), 'all of them have our name');


# The tables.

my $watching = content("$docs/watching.md");

is_deeply([ sort $watching =~ /^\| `(flowdash_\w+)` \| (\w+ \| .*?) ?\|/mg ],
    [ sort map { my $metric = $_;
                 ($metric, "$type{$metric} | "
                  . join ', ', sort_labels(keys %{ $labels{$metric} })) }
      keys %type ],
    'each metric is described, with its type and its labels');

sub sort_labels (@names) {
    my %at = (action => 1, step => 2, reason => 3, code => 4,
              version => 1, nginx => 2, libcurl => 3);
    return sort { $at{$a} <=> $at{$b} } @names;
}

my $json = decode_json($t->get('/json')->{body});
my ($section) = $watching =~ /^## JSON\n(.*?)^## /ms;
my %described = map { $_ => 1 }
    map { /`(\w+)`/g } $section =~ /^\| (`.*?) \|/mg;
my %there = map { $_ => 1 } members($json);

is_deeply([ sort keys %described ], [ sort keys %there ],
    'each member of the JSON is described');

# those whose names are not values

sub members ($value) {
    return map { members($_) } @$value if ref $value eq 'ARRAY';
    return () if ref $value ne 'HASH';
    return map { ($_, /^(?:failed|buckets|statuses|once)$/
                     ? () : members($value->{$_})) }
        keys %$value;
}


# The dashboard.

my $dashboard = decode_json(content("$docs/grafana.json"));
my @panels = @{ $dashboard->{panels} };
my ($input) = @{ $dashboard->{__inputs} };
my %required = map { $_->{id} => 1 } @{ $dashboard->{__requires} };

is($input->{pluginId}, 'prometheus', 'it asks for a Prometheus');
cmp_ok($dashboard->{schemaVersion}, '>=', 36, 'its schema is not an old one');
is($dashboard->{id}, undef, 'it has no id of somebody\'s Grafana');
is(scalar(uniq map { $_->{id} } @panels), scalar @panels,
    'each panel has an id');

my @places;
my @expressions;

for my $panel (@panels) {
    my $title = $panel->{title};
    my %place = %{ $panel->{gridPos} };

    ok($required{ $panel->{type} }, "$title: its type is required");
    ok($place{x} + $place{w} <= 24, "$title: it is as wide as there is room");
    is(scalar(grep { overlap($_, $panel->{gridPos}) } @places), 0,
        "$title: a place of its own");
    push @places, $panel->{gridPos};

    for my $target (@{ $panel->{targets} }) {
        is($target->{datasource}{uid}, "\${$input->{name}}",
            "$title: the datasource");
        push @expressions, [ $title, $target->{expr},
                             $target->{legendFormat} ];
    }
}

sub overlap ($one, $other) {
    return $one->{x} < $other->{x} + $other->{w}
        && $other->{x} < $one->{x} + $one->{w}
        && $one->{y} < $other->{y} + $other->{h}
        && $other->{y} < $one->{y} + $one->{h};
}

for my $variable (@{ $dashboard->{templating}{list} }) {
    my ($metric, $label) = $variable->{query}{query}
        =~ /^label_values\((\w+), (\w+)\)$/;
    ok($labels{$metric}{$label}, "$variable->{name}: what there is to choose");
}

is(join(' ', grep { my $metric = $_; !grep { $_->[1] =~ /\b$metric\b/ }
                    @expressions }
         qw(flowdash_step_retries_total flowdash_step_answers_ignored_total
            flowdash_actions_failed_total flowdash_actions_aborted_total
            flowdash_actions_refused_total flowdash_actions_unknown_total
            flowdash_steps_tolerated_total)),
    '', 'all that can go wrong without a failure of a step has a panel');
like((map { $_->[1] } grep { $_->[1] =~ /step_answers_total/ } @expressions)[0],
    qr/by \(action, step, code\)/, 'answers are told apart by their steps');

my %variable = map { ("\$$_->{name}" => $_->{allValue}) }
    @{ $dashboard->{templating}{list} };
$variable{'$__rate_interval'} = '5m';

for (@expressions) {
    my ($title, $expression, $legend) = @$_;

    is(join(' ', foreign($expression)), '', "$title: what the module has");

    my ($by) = $expression =~ /\bby \(([^)]*)\)/;
    is(join(' ', grep { ($by // '') !~ /\b$_\b/ } $legend =~ /\{\{(\w+)}}/g),
        '', "$title: the legend's labels");

    $_->[1] = $expression =~ s{(\$\w+)}{$variable{$1} // $1}ger;
    unlike($_->[1], qr/\$/, "$title: no other variables");
    unlike($_->[1], qr/\) - /, "$title: no difference, which can be negative");
}

# names in an expression that are no metric, and labels that its metrics lack

sub foreign ($expression) {
    my @metrics = map { $type{$_} ? $_ : s/_(?:bucket|count|sum)$//r }
        $expression =~ /\b(flowdash_\w+)/g;
    my @labels = $expression =~ /[{,]\s*(\w+)\s*[=!]/g;

    push @labels, grep { $_ ne 'le' } map { split /,\s*/ }
        $expression =~ /\bby \(([^)]*)\)/g;

    return uniq grep { !$type{$_} } @metrics if any { !$type{$_} } @metrics;
    return uniq grep { my $label = $_; any { !$labels{$_}{$label} } @metrics }
        @labels;
}


# The examples in YAML.

my ($scrape, $alerts) = $watching =~ /^```yaml\n(.*?)^```$/msg;

for my $expression ($alerts =~ /^ +expr: \|\n(.*?)^ +(?:for|labels):/msg) {
    my ($first) = $expression =~ /(flowdash_\w+)/;
    is(join(' ', grep { /^flowdash/ } foreign($expression)), '',
        "the alert by $first: metrics of the module");
}

SKIP: {
    skip 'there is no promtool', 1 if !$promtool;

    $t->write_file('metrics', $metrics);
    is(qx{$promtool check metrics <${\ $t->dir}/metrics 2>&1}, '',
        'promtool has nothing to say about the metrics');

    my $n = 0;

    is(refused('check rules', 'dashboard.yml', encode_json({ groups => [ {
            name => 'dashboard',
            rules => [ map { { record => 'e' . $n++, expr => $_->[1] } }
                       @expressions ] } ] })),
        '', 'the dashboard\'s expressions can be read');

    is(refused('test rules', 'found.yml', encode_json({ tests => [ {
            interval => '1m',
            input_series => [ map { { series => $_, values => '0+1x30' } }
                              @series ],
            promql_expr_test => [ map { {
                expr => "count($_->[1]) > bool 0", eval_time => '20m',
                exp_samples => [ { labels => '{}', value => 1 } ],
            } } @expressions ] } ] })),
        '', 'and find something');

    is(refused('check config', 'prometheus.yml', $scrape), '',
        'the configuration of Prometheus');
    is(refused('check rules', 'alerts.yml', $alerts), '', 'the alerts');
    # counters of what happens every so many minutes, for two hours

    my %every = (EVERY_SIX => 6, EVERY_TWENTY => 20);
    my $rules = <<'END';
rule_files: [alerts.yml]
tests:
  - name: one in ten fails
    interval: 1m
    input_series:
      - series: flowdash_actions_failed_total{action="A",reason="status"}
        values: 0+6x30
      - series: flowdash_actions_failed_total{action="B",reason="request_invalid"}
        values: 0+6x30
      - series: flowdash_actions_failed_total{action="C",reason="status"}
        values: 0x9 1x20
      - series: flowdash_action_duration_seconds_count{action="A"}
        values: 0+60x30
      - series: flowdash_action_duration_seconds_count{action="B"}
        values: 0+60x30
      - series: flowdash_action_duration_seconds_count{action="C"}
        values: 0x9 1x20
    alert_rule_test:
      - alertname: ActionFails
        eval_time: 12m
        exp_alerts: &alerts
          - exp_labels: { action: A, severity: page }
            exp_annotations: { summary: 10% of "A" fail }
      - alertname: ActionFails
        eval_time: 15m
        exp_alerts: *alerts
      - alertname: ActionFails
        eval_time: 20m
        exp_alerts: *alerts

  - name: quiet, one "Finish" every six minutes, and all fail
    interval: 1m
    input_series:
      - series: flowdash_actions_failed_total{action="Finish",reason="status"}
        values: EVERY_SIX
      - series: flowdash_action_duration_seconds_count{action="Finish"}
        values: EVERY_SIX
      - series: flowdash_actions_failed_total{action="Half",reason="status"}
        values: EVERY_TWENTY
      - series: flowdash_action_duration_seconds_count{action="Half"}
        values: EVERY_SIX
      - series: flowdash_actions_failed_total{action="Once",reason="status"}
        values: 0x30 1x120
      - series: flowdash_action_duration_seconds_count{action="Once"}
        values: 0x30 1x120
      - series: flowdash_actions_failed_total{action="Client",reason="request_invalid"}
        values: EVERY_SIX
      - series: flowdash_action_duration_seconds_count{action="Client"}
        values: EVERY_SIX
    alert_rule_test:
      - alertname: ActionFails
        eval_time: 110m
        exp_alerts: []
      - alertname: RareActionFails
        eval_time: 12m
        exp_alerts: []
      - alertname: RareActionFails
        eval_time: 40m
        exp_alerts: &rare
          - exp_labels: { action: Finish, severity: page }
            exp_annotations: { summary: 100% of "Finish" fail }
      - alertname: RareActionFails
        eval_time: 120m
        exp_alerts: *rare

  - name: the app fails or refuses after the endpoints have agreed
    interval: 1m
    input_series:
      - { series: 'flowdash_app_answers_total{action="A",code="2xx"}', values: 0+54x90 }
      - { series: 'flowdash_app_answers_total{action="A",code="5xx"}', values: 0+6x90 }
      - { series: 'flowdash_app_answers_total{action="Gone",code="none"}', values: EVERY_SIX }
      - { series: 'flowdash_app_answers_total{action="Once",code="2xx"}', values: 0+1x90 }
      - { series: 'flowdash_app_answers_total{action="Once",code="5xx"}', values: 0x20 1x70 }
      - { series: 'flowdash_app_answers_total{action="Stale",code="2xx"}', values: 0+3x90 }
      - { series: 'flowdash_app_answers_total{action="Stale",code="4xx"}', values: 0+1x90 }
      - { series: 'flowdash_actions_refused_total{action="Stale"}', values: 0+1x90 }
      - { series: 'flowdash_actions_refused_total{action="Used"}', values: 0+1x90 }
      - { series: 'flowdash_actions_unknown_total{action="A"}', values: 0x90 }
      - { series: 'flowdash_actions_unknown_total{action="Once"}', values: 0x20 1x70 }
      - { series: 'flowdash_app_answers_total{action="Used",code="2xx"}', values: 0+9x90 }
      - { series: 'flowdash_app_answers_total{action="Used",code="4xx"}', values: 0+1x90 }
    alert_rule_test:
      - alertname: ActionIsUnknown
        eval_time: 25m
        exp_alerts:
          - exp_labels: { action: Once, severity: ticket }
            exp_annotations:
              summary: nobody knows whether the app has carried out "Once"
      - alertname: ActionIsUnknown
        eval_time: 40m
        exp_alerts: []
      - alertname: AppFails
        eval_time: 40m
        exp_alerts:
          - exp_labels: { action: A, severity: page }
            exp_annotations:
              summary: the app fails in 10% of "A", which the endpoints were told of
          - exp_labels: { action: Gone, severity: page }
            exp_annotations:
              summary: the app fails in 100% of "Gone", which the endpoints were told of
      - alertname: AppRefuses
        eval_time: 70m
        exp_alerts:
          - exp_labels: { action: Stale, severity: ticket }
            exp_annotations:
              summary: the app refuses 25% of "Stale", which the endpoints were told of

  - name: an optional step fails, which the action tolerates
    interval: 1m
    input_series:
      - series: flowdash_steps_failed_total{action="A",step="Mail",reason="connect"}
        values: 0+3x90
      - series: flowdash_step_runs_total{action="A",step="Mail"}
        values: 0+4x90
      - series: flowdash_steps_failed_total{action="A",step="CRM",reason="status"}
        values: 0+1x90
      - series: flowdash_step_runs_total{action="A",step="CRM"}
        values: 0+4x90
      - series: flowdash_steps_tolerated_total{action="A",step="Mail"}
        values: 0+3x90
      - series: flowdash_steps_tolerated_total{action="A",step="CRM"}
        values: 0x90
      - series: flowdash_steps_tolerated_total{action="A",step="Once"}
        values: 0x50 1x40
      - series: flowdash_actions_succeeded_total{action="A"}
        values: 0+4x90
      - series: flowdash_action_duration_seconds_count{action="A"}
        values: 0+4x90
    alert_rule_test:
      - alertname: StepFails
        eval_time: 60m
        exp_alerts:
          - exp_labels: { action: A, step: Mail, severity: ticket }
            exp_annotations:
              summary: 75% of the runs of "Mail" of "A" fail
      - alertname: StepIsTolerated
        eval_time: 45m
        exp_alerts:
          - exp_labels: &mail { action: A, step: Mail, severity: ticket }
            exp_annotations: &told
              summary: '"A" happens although "Mail" fails'
      - alertname: StepIsTolerated
        eval_time: 60m
        exp_alerts:
          - exp_labels: *mail
            exp_annotations: *told
          - exp_labels: { action: A, step: Once, severity: ticket }
            exp_annotations:
              summary: '"A" happens although "Once" fails'
      - alertname: StepIsTolerated
        eval_time: 70m
        exp_alerts:
          - exp_labels: *mail
            exp_annotations: *told
      - alertname: ActionFails
        eval_time: 60m
        exp_alerts: []
      - alertname: RareActionFails
        eval_time: 60m
        exp_alerts: []

  - name: one action is stuck, another is busy, the third does nothing
    interval: 1m
    input_series:
      - { series: 'flowdash_actions_running{action="Stuck"}', values: 0x5 2x60 }
      - { series: 'flowdash_actions_running{action="Busy"}', values: 5x60 }
      - { series: 'flowdash_actions_running{action="Idle"}', values: 0x60 }
      - series: flowdash_action_duration_seconds_count{action="Stuck"}
        values: 0+1x5 5x60
      - series: flowdash_action_duration_seconds_count{action="Busy"}
        values: 0+1x60
      - series: flowdash_action_duration_seconds_count{action="Idle"}
        values: 0x60
    alert_rule_test:
      - alertname: ActionIsStuck
        eval_time: 15m
        exp_alerts: []
      - alertname: ActionIsStuck
        eval_time: 40m
        exp_alerts:
          - exp_labels: { action: Stuck, severity: page }
            exp_annotations:
              summary: 2 of "Stuck" are running, and none ends

  - name: a step takes from 2.5 to 5 seconds
    interval: 1m
    input_series:
      - series: flowdash_step_duration_seconds_bucket{action="A",step="S",le="2.5"}
        values: 0x30
      - series: flowdash_step_duration_seconds_bucket{action="A",step="S",le="5.0"}
        values: 0+60x30
      - series: flowdash_step_duration_seconds_bucket{action="A",step="S",le="+Inf"}
        values: 0+60x30
    alert_rule_test:
      - alertname: StepIsSlow
        eval_time: 25m
        exp_alerts:
          - exp_labels: { action: A, step: S, severity: ticket }
            exp_annotations: { summary: '"S" of "A" takes 4.875s' }

  - name: the zone of one is nearly full, another does not count, the third does
    interval: 1m
    input_series:
      - { series: 'flowdash_zone_entries{instance="a"}', values: 95x30 }
      - { series: 'flowdash_zone_entries{instance="b"}', values: 80x30 }
      - { series: 'flowdash_zone_entries{instance="c"}', values: 80x30 }
      - { series: 'flowdash_zone_entries_max{instance="a"}', values: 100x30 }
      - { series: 'flowdash_zone_entries_max{instance="b"}', values: 100x30 }
      - { series: 'flowdash_zone_entries_max{instance="c"}', values: 100x30 }
      - { series: 'flowdash_uncounted_total{instance="a"}', values: 0x30 }
      - { series: 'flowdash_uncounted_total{instance="b"}', values: 0+1x30 }
      - { series: 'flowdash_uncounted_total{instance="c"}', values: 7x30 }
    alert_rule_test:
      - alertname: FlowdashZoneIsFull
        eval_time: 20m
        exp_alerts:
          - exp_labels: { instance: a, severity: ticket }
            exp_annotations: { summary: The zone of a is full }
          - exp_labels: { instance: b, severity: ticket }
            exp_annotations: { summary: The zone of b is full }
END
    $rules =~ s{(EVERY_\w+)}{
        my $minutes = $every{$1};
        join ' ', map { int $_ / $minutes } 0 .. 120 }gex;
    is(refused('test rules', 'alerting.yml', $rules), '',
       'when they are raised');
}

$t->done;
