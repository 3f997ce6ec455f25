# The manifests of docs/packaging/kubernetes: each object has the form that its
# kind has, what one names in another is there, pods live as long as their
# actions, and the configuration in the ConfigMap runs an action.

use FindBin;
use lib "$FindBin::Bin/lib";
use feature 'signatures';
no warnings 'experimental::signatures';
use Test::Flowdash;

use File::Basename qw(basename);
use JSON::PP qw(decode_json);
use List::Util qw(first sum0);
use MIME::Base64;

use Test::Flowdash::Npm;

my $modules = npm_modules('kubernetes-models');
my ($node) = grep { -x } map { "$_/node" } split /:/, $ENV{PATH};
plan(skip_all => 'there is no Node') if !$node;
plan(skip_all => q(npm's kubernetes-models is not there)) if !$modules;

my $root = "$FindBin::Bin/..";
my $t = Test::Flowdash->new;

$t->endpoint(crm => { headers => [ 'Content-Type' => 'application/json' ],
                      body => '{"task":{"Expected Close Date":"2020-02-01"}}' });
$t->endpoint(app => { body => 'done' });
$t->write_file('tasks.users', "ada:{PLAIN}secret\n");

for my $file (glob "$root/docs/packaging/kubernetes/*.yaml") {
    subtest basename($file) => sub { try_out($file) };
}

sub try_out ($file) {
    my $found = decode_json(
        qx{NODE_PATH=$modules $node $root/t/tool/kubernetes.js <$file});

    is(join("\n", @{ $found->{errors} }), '', 'as the schemas want it');

    my %object;
    push @{ $object{ $_->{kind} } }, $_ for @{ $found->{documents} };
    is(scalar @{ $object{$_} }, 1, "one $_")
        for qw(ConfigMap Deployment Service Ingress PodDisruptionBudget);

    fits_together(\%object);
    lives_long_enough($object{Deployment}[0], $object{ConfigMap}[0]);
    runs($object{ConfigMap}[0]{data}{tasks});
}

sub fits_together ($object) {
    my $deployment = $object->{Deployment}[0];
    my $pod = $deployment->{spec}{template};
    my $labels = $pod->{metadata}{labels};
    my @containers = @{ $pod->{spec}{containers} };
    my %port = map { $_->{name} => $_->{containerPort} }
        map { @{ $_->{ports} // [] } } @containers;

    is_deeply($_, $labels, 'it selects the pods')
        for $deployment->{spec}{selector}{matchLabels},
            $object->{Service}[0]{spec}{selector},
            $object->{PodDisruptionBudget}[0]{spec}{selector}{matchLabels},
            map { $_->{labelSelector}{matchLabels} }
                @{ $pod->{spec}{topologySpreadConstraints} };

    my $policy = first { $_->{spec}{podSelector}{matchLabels}{app}
                         eq $labels->{app} } @{ $object->{NetworkPolicy} };
    ok($policy, 'a NetworkPolicy has the pods');

    my @named = (
        (map { $_->{targetPort} } @{ $object->{Service}[0]{spec}{ports} }),
        (map { $_->{port} } map { @{ $_->{ports} } }
             @{ $policy->{spec}{ingress} }),
        (map { $_->{port} } grep { $_ } map { @$_{qw(httpGet tcpSocket)} }
             grep { $_ } map { @$_{qw(readinessProbe livenessProbe)} }
             @containers),
    );
    is(join(' ', grep { $_ && !$port{$_} } @named), '', 'ports that exist');
    is($pod->{metadata}{annotations}{'prometheus.io/port'}, $port{metrics},
       'the port of the numbers');

    my ($path) = @{ $object->{Ingress}[0]{spec}{rules}[0]{http}{paths} };
    is($path->{backend}{service}{name}, $object->{Service}[0]{metadata}{name},
       'the Ingress knows the Service');
    is($path->{backend}{service}{port}{name},
       $object->{Service}[0]{spec}{ports}[0]{name}, 'and its port');

    my ($nginx) = grep { $_->{name} eq 'nginx' } @containers;
    is(join(' ', sort map { $_->{name} } @{ $nginx->{volumeMounts} }),
       join(' ', sort map { $_->{name} } @{ $pod->{spec}{volumes} }),
       'volumes are mounted');
    my ($sites) = map { $_->{configMap}{name} // () }
        @{ $pod->{spec}{volumes} };
    is($sites, $object->{ConfigMap}[0]{metadata}{name}, 'the ConfigMap');

    my $conf = $object->{ConfigMap}[0]{data}{tasks};
    is(join(' ', sort { $a <=> $b } $conf =~ /listen (\d+);/g),
       join(' ', sort { $a <=> $b } values %port), 'nginx listens on the ports');
    like($conf, qr{location = \Q$nginx->{readinessProbe}{httpGet}{path}\E },
         'and has the path of the probe');
    like($conf, qr{auth_basic_user_file $_/tasks\.users;}, 'and the users')
        for map { $_->{mountPath} } grep { $_->{name} eq 'users' }
            @{ $nginx->{volumeMounts} };
}

sub lives_long_enough ($deployment, $map) {
    my $pod = $deployment->{spec}{template}{spec};
    my $longest = sum0($map->{data}{tasks}
        =~ /^(?:flowdash_deadline|proxy_read_timeout) +(\d+)s;/mg);
    my %pause = map { $_->{name} => $_->{lifecycle}{preStop}{exec}{command}[1] }
        @{ $pod->{containers} };

    cmp_ok($longest, '>', 0, 'actions have a limit');
    cmp_ok($pod->{terminationGracePeriodSeconds}, '>',
           $pause{nginx} + $longest, 'a pod lives as long as its actions');
    return if !$pause{app};

    cmp_ok($pause{app}, '>=', $pause{nginx} + $longest, 'so does the app');
    cmp_ok($pod->{terminationGracePeriodSeconds}, '>', $pause{app},
           'and is not killed');
}

sub runs ($conf) {
    my $dir = $t->dir;

    $conf =~ s/(server +)\S+:3000;/${1}127.0.0.1:%%PORT_app%%;/
        or die 'no app';
    $conf =~ s{https://crm\.example\.com}{http://127.0.0.1:%%PORT_crm%%}
        or die 'no endpoint';
    $conf =~ s{/etc/nginx/users/}{$dir/} or die 'no users';
    $conf =~ s{listen 8080;}{listen 127.0.0.1:%%PORT_http%%;};
    $conf =~ s{listen 9145;}{listen 127.0.0.1:%%PORT_numbers%%;};

    $t->config("%%GLOBALS%%\nevents { }\n"
               . "http {\n%%HTTP_GLOBALS%%\n$conf\n}\n");
    $t->run;

    is($t->get('/ready')->{status}, 200, 'it is ready');
    $t->new_requests('app');

    my $res = $t->post_json('/tasks/7/finish', '{"task":{"Stage":"Done"}}',
        headers => [ Authorization => 'Basic ' . encode_base64('ada:secret', ''),
                     Host => 'tasks.example.com' ]);
    is($res->{status}, 200, 'an action');

    my $call = $t->only_request('crm');
    is($call->json->{user}{id}, 'ada', 'tells the endpoint the user');
    my $request = $t->only_request('app');
    is($request->json->{task}{'Expected Close Date'}, '2020-02-01',
       'and the app the change');
    is(header($request, 'Host'), 'tasks.example.com', 'under its name');

    is($t->post_json('/tasks/7/finish', '{}')->{status}, 401,
       'nobody else may');
    like($t->get('/metrics', port => 'numbers')->{body},
         qr/^flowdash_actions_started_total\{action="Finish"\} 1$/m,
         'it is counted');
    $t->stop;
}

$t->done;
