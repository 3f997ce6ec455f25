#!/usr/bin/perl

# The promise: an app does exactly what the endpoints were told, or nothing.
# Generated requests go through the module, to an endpoint that records what it
# is told, and on to an app.  Each parser of Test::Flowdash::Parsers then reads
# the very bytes that the app got, and must find the task in them, with the
# endpoint's changes, and nothing else.  The test knows no list of bad requests.
#
# FLOWDASH_DIFFERENTIAL=100000 makes as many requests, other ones each time, and
# asks more parsers; FLOWDASH_SEED=n makes the same ones again.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util qw(min sum0);
use Test::Flowdash;
use Test::Flowdash::Generator;
use Test::Flowdash::Npm;
use Test::Flowdash::Parsers;
use Test::Flowdash::Reading;

use constant BATCH => 500;

plan skip_all => 'npm\'s packages are not there' if !npm_modules('express');

my $more = $ENV{FLOWDASH_DIFFERENTIAL};
my $count = $more || 1000;
my $seed = $ENV{FLOWDASH_SEED} || ($more ? 1 + int rand 1 << 31 : 1);
my $t = Test::Flowdash->new(log_level => 'info');

# what the endpoint answers where it changes the task

my $CHANGE = '{"Stage":"Changed","Added by":"endpoint"}';

my %POINTER = (task => [ 'task' ], deep => [ 'a', 'b' ],
               index => [ 'tasks', 0 ], whole => []);

my @actions = qw(same same same change change decide set);

$t->endpoint(crm => sub ($req) {
    return { headers => [ 'Content-Type' => 'application/json' ],
             body => $req->{target} eq '/change' ? qq({"task":$CHANGE}) : '' };
});
$t->endpoint(app => {});
$t->config(configuration());
$t->run;

my $parsers = Test::Flowdash::Parsers->new($t, more => $more);
my $generator = Test::Flowdash::Generator->new($seed);
my (%seen, %wrong, %refused, $socket);

diag("seed $seed") if $more;
note("FLOWDASH_SEED=$seed makes the same requests again");

for (my $done = 0; $done < $count; $done += BATCH) {
    batch(min(BATCH, $count - $done));
    diag(sprintf '%d requests, %d passed on, %d disagreements', $done + BATCH,
         $seen{passed} // 0, sum0(map { scalar @$_ } values %wrong))
        if $more && $done % (BATCH * 20) == 0;
}

report();

is(sum0(map { scalar @$_ } values %wrong), 0,
   'each app has read what the endpoint was told, or nothing');
cmp_ok($seen{told}, '>', 0.3 * $count, 'enough requests are accepted');
cmp_ok($seen{refused}, '>', 0.1 * $count, 'enough requests are refused');

$t->done;


sub configuration () {
    my $locations = '';

    for my $name (sort keys %POINTER) {
        my $pointer = join '', map { "/$_" } @{ $POINTER{$name} };

        $locations .= <<"END";
            location /$name/ {
                flowdash_task "$pointer";

                location /$name/same   { flowdash_action "Save"; %STEP% }
                location /$name/change { flowdash_action "Save"; %STEP% }
                location /$name/decide { flowdash_action \$decided; %STEP% }
                location /$name/set {
                    flowdash_action "Save";
                    flowdash_set approved_by nginx;
                    %STEP%
                }
            }
END
    }

    $locations =~ s/%STEP%/<<'END'/ge;

                    flowdash_step "CRM" {
                        flowdash_call http://127.0.0.1:%%PORT_crm%%/$way;
                        flowdash_set_header X-Id $http_x_id;
                    }
                    proxy_pass http://127.0.0.1:%%PORT_app%%;
END

    return <<"END";
        %%GLOBALS%%
        events { }
        http {
            %%HTTP_GLOBALS%%
            access_log off;

            map \$flowdash_task_stage \$decided { Completed "Finish"; default ""; }
            map \$uri \$way { ~/change change; default same; }

            server {
                listen 127.0.0.1:%%PORT_http%%;
                client_max_body_size 4m;
                $locations
            }
        }
END
}


# Sends requests, then compares: what is refused needs no comparison.

sub batch ($size) {
    my @requests = map { send_one($_) } 1 .. $size;

    my %told = map { scalar $_->header('X-Id') => $_ } $t->requests('crm');
    my %got = map { scalar $_->header('X-Id') => $_ } $t->requests('app');
    $t->clear_requests($_) for qw(crm app);

    my @passed;
    for my $request (@requests) {
        my $id = $request->{id};
        $request->{told} = $told{$id};
        count($request, $told{$id}, $got{$id});
        next if !$got{$id};
        $request->{raw} = raw($got{$id});
        $request->{got_type} = $got{$id}->header('Content-Type') // '';
        push @passed, $request;
    }

    my @readings = $parsers->read(map { $_->{raw} } @passed);
    judge($passed[$_], $readings[$_]) for keys @passed;
}

sub send_one ($n) {
    state $id = 0;
    my $pointer = Test::Flowdash::Generator::pick(sort keys %POINTER,
                                                  'task', 'whole');
    my $action = Test::Flowdash::Generator::pick(@actions);
    my $request = $generator->request($POINTER{$pointer});

    @$request{qw(id pointer action)} = (++$id, $POINTER{$pointer}, $action);
    my @headers = ('X-Id' => $id, Connection => 'keep-alive',
                   defined $request->{type}
                       ? ('Content-Type' => $request->{type}) : ());

    $socket //= $t->connect;
    my $answer = $t->request($request->{method},
        "/$pointer/$action$request->{query}", headers => \@headers,
        body => $request->{body}, socket => $socket);
    $socket = undef if $answer->{error}
        || ($answer->header('Connection') // '') ne 'keep-alive';
    $request->{status} = $answer->{status};
    return $request;
}

sub raw ($message) {
    return Test::Flowdash::HTTP::head(
        "$message->{method} $message->{target} HTTP/1.0",
        map { @$_ } @{ $message->{headers} }) . $message->{body};
}

sub count ($request, $told, $got) {
    my $what = $told ? 'told' : $got ? 'no action' : 'refused';
    $seen{$what}++;
    $seen{passed}++ if $got;
    $seen{"$request->{kind}, $what"}++;
    $refused{ $request->{status} }++ if !$got;
}

# What one request's readings are worth.  If no endpoint was told, because the
# field that decides is another one for the module, no app may read the value
# that had made it an action; beside JSON without a pointer, the query is the
# operator's business.

sub judge ($request, $reading) {
    my $message = $request->{told};
    my $told = $message
        && Test::Flowdash::Reading::parse($message->{body})->{task};
    my $change = Test::Flowdash::Reading::parse($CHANGE);
    $told = { %$told, %$change } if $told && $request->{action} eq 'change';

    for my $parser (sort keys %$reading) {
        my $read = $reading->{$parser};
        $seen{"read by $parser"}++ if $read;
        next if !$read;

        my @wrong = $told ? Test::Flowdash::Reading::compare(
                told => $told, pointer => $request->{pointer},
                parser => $parser, reading => $read,
                raw => $request->{raw}, type => $request->{got_type})
            : not_told($request, $read);
        push @{ $wrong{$parser} }, [ $request, @wrong ] if @wrong;
    }
}

sub not_told ($request, $reading) {
    my $alone = $request->{got_type} =~ /json/i && !@{ $request->{pointer} };

    for my $source (sort keys %$reading) {
        next if $alone && ($source eq 'query' || $source eq 'merged'
                           && exists $reading->{query}{Stage});
        my $task = Test::Flowdash::Reading::task($reading->{$source},
                                                 $request->{pointer});
        return "$source has Stage=Completed, and no endpoint was told"
            if ref $task eq 'HASH' && Test::Flowdash::Reading::is_or_has($task->{Stage},
                                                           'Completed');
    }
    return;
}


sub report () {
    my $show = $ENV{FLOWDASH_SHOW} // 5;
    my $say = $more || %wrong ? \&diag : \&note;

    $say->(map { "$_: $seen{$_}\n" } sort keys %seen);
    $say->(map { "refused with $_: $refused{$_}\n" } sort keys %refused);

    for my $parser (sort keys %wrong) {
        my @all = @{ $wrong{$parser} };
        diag("$parser: " . @all . " disagreements\n");
        for my $one (@all[0 .. min($#all, $show - 1)]) {
            my ($request, @what) = @$one;
            diag(join '', map { "    $_\n" } @what,
                 "/$request->{action}, task at /@{ $request->{pointer} }",
                 $request->{told} ? "told $request->{told}{body}" : 'not told',
                 map { s/([^\n\x20-\x7e])/sprintf '\\x%02x', ord $1/ger }
                 split /\n/, substr $request->{raw}, 0, 3000);
        }
    }
    diag("FLOWDASH_SEED=$seed makes the same requests again") if %wrong;
}
