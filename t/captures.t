# What real clients send, as t/captures/record/record.pl has recorded it,
# replayed to the byte: each request is accepted, the endpoint is told the task
# that the client meant, and the app gets the same bytes.  A capture that is
# refused says so, and by which rule.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use JSON::PP ();

my $json = JSON::PP->new->canonical->allow_nonref->utf8;

my @required = qw(client version made pointer task);

# about the capture, and its bytes

sub capture {
    my ($path) = @_;

    open my $file, '<:raw', $path or die "$path: $!\n";
    my ($about, $bytes) = split /\n\n/, do { local $/; readline $file }, 2;
    my %capture = map { /^(\w+): ?(.*)/ } split /\n/, $about;

    $capture{name} = $path =~ s{.*/captures/}{}r =~ s/\.http$//r;
    $capture{bytes} = $bytes;
    return \%capture;
}

my @captures = map { capture($_) } sort glob "$FindBin::Bin/captures/*/*.http";

for my $capture (@captures) {
    my @missing = grep { !defined $capture->{$_} } @required;
    is("@missing", '', "$capture->{name}: says what it is");
}

my $docs = do {
    open my $file, '<', "$FindBin::Bin/../docs/clients.md" or die;
    local $/;
    readline $file;
};
my %clients = map { ("| $_->{client} | $_->{version} |" => 1) } @captures;
my %described = map { $_ => 1 } $docs =~ /^(\| [^|]+ \| [^|]+ \|)$/mg;
delete $described{'| client | version |'};
is(join("\n", sort keys %described), join("\n", sort keys %clients),
    'docs/clients.md names each client and its version, and no others');

my $t = Test::Flowdash->new(log_level => 'info');    # it is read often

# one endpoint changes nothing; the other changes the first of these fields
# that the task has

my @changes = ([ Stage => 'Open', 'Completed' ],
               [ due_date => '2020-01-31', '2020-02-01' ]);

$t->endpoint(same => { body => '{}',
                       headers => [ 'Content-Type' => 'application/json' ] });
$t->endpoint(changed => sub {
    my $task = shift->json->{task};
    my ($change) = grep { defined $task->{$_->[0]} } @changes;
    return { headers => [ 'Content-Type' => 'application/json' ],
             body => $json->encode({ task => { $change->[0],
                                               $change->[2] } }) };
});
$t->endpoint(app => { status => 201, body => 'app' });

# a port for each pointer and answer: the bytes must not say which is meant

my %pointers = map { $_->{pointer} => 1 } @captures;
my @pointers = sort keys %pointers;
my $servers = '';

sub port { return "$_[0]_" . ($_[1] =~ tr{/}{_}r) }

for my $pointer (@pointers, '') {
    for my $answer (qw(same changed)) {
        my $port = port($answer, $pointer);
        next if $servers =~ /PORT_\Q$port\E%/;
        $servers .= <<"END";
            server {
                listen 127.0.0.1:%%PORT_$port%%;
                flowdash_task "$pointer";
                flowdash_methods GET POST PUT PATCH;

                location / {
                    flowdash_action "Finish";
                    flowdash_step "CRM" {
                        flowdash_call http://127.0.0.1:%%PORT_$answer%%/;
                    }
                    proxy_pass http://127.0.0.1:%%PORT_app%%;
                }
            }
END
    }
}

$t->config(<<"END");
    %%GLOBALS%%
    events { }
    http {
        %%HTTP_GLOBALS%%
        keepalive_timeout 0;            # raw_request() reads until the close
$servers
    }
END
$t->run;

# the status, and the requests of endpoint and app

sub replay {
    my ($capture, $pointer, $answer) = @_;

    my $raw = $t->raw_request($capture->{bytes},
                              port => port($answer, $pointer));
    my ($status) = $raw =~ m{\AHTTP/1\.1 (\d+)};
    return ($status // 'none', [ $t->new_requests($answer) ],
            [ $t->new_requests('app') ]);
}

my $changed = 0;

# what the app is to get: the request as the client's bytes say it

sub request_of {
    my ($bytes) = @_;
    return Test::Flowdash::HTTP->new(request => 1)->add($bytes)->next_message;
}

sub canonical { return $json->encode($json->decode($_[0])) }

# what the only call says at a pointer of its task, which is a JSON object

sub told {
    my ($calls, $pointer) = @_;
    return 'calls: ' . @$calls if @$calls != 1;

    my $value = $calls->[0]{json}{task};
    for my $name (split m{/}, $pointer =~ s{^/}{}r) {
        $value = ref $value eq 'HASH' ? $value->{$name} : undef;
    }
    return $json->encode($value);
}

sub got {
    my ($requests) = @_;
    return 'requests: ' . @$requests if @$requests != 1;
    my $request = $requests->[0];
    return join "\n", "$request->{method} $request->{target}",
        $request->header('Content-Type') // 'no type', $request->{body};
}

# The headers of a part whose value is another.  What they say of the old one's
# length or bytes goes away with it.

sub part_headers {
    my ($headers) = @_;
    return $headers if $headers !~ /^content-(?:length|transfer-encoding):/im;
    my ($disposition) = $headers =~ /^content-disposition(:.*\r\n)/im;
    return "Content-Disposition$disposition";
}

# What the app is to get of a changed request; nothing, if the bytes that
# change are not there once.

sub changed {
    my ($capture, $request) = @_;
    my $task = $json->decode($capture->{task});

    my ($change) = grep { ($task->{$_->[0]} // '') eq $_->[1] } @changes
        or return;
    my ($was, $is) = @$change[1, 2];
    return if 1 != (() = "$request->{target}$request->{body}" =~ /\Q$was/g);

    my %new = %$request;
    $new{$_} =~ s/\Q$was/$is/ for qw(target body);
    $new{body} =~ s{^((?:\S+:\ .*\r\n)+)(?=\r\n\Q$is\E\r\n)}
                   {part_headers($1)}mex;
    return bless \%new, ref $request;
}

# why an action has failed, as the log says behind a certain byte

sub why {
    my ($log) = @_;
    my ($line) = substr($t->error_log, $log) =~ /(flowdash: action .*)/;
    return $line // 'nothing in the log';
}

sub refused {
    my ($capture, $pointer, $refused) = @_;
    my ($status, $reason) = split / /, $refused;
    my $log = length $t->error_log;
    my $name = "$capture->{name}, \"$pointer\"";

    my ($got, $calls, $app) = replay($capture, $pointer, 'same');
    my $line = why($log);

    is("$got, " . @$calls . ', ' . @$app, "$status, 0, 0",
        "$name: is refused, and nothing called");
    like($line, qr/ (?:body|query): .*\b$reason\b/, "$name: the log says why");
}

sub accepted {
    my ($capture) = @_;
    my ($name, $pointer) = @$capture{qw(name pointer)};
    my $sent = request_of($capture->{bytes});
    my $meant = canonical($capture->{task});
    my $log = length $t->error_log;

    my ($status, $calls, $app) = replay($capture, $pointer, 'same');
    is($status, 201, "$name: is accepted") || diag(why($log));
    is(told($calls, ''), $meant,
        "$name: the endpoint is told what the client meant");
    is(got($app), got([ $sent ]), "$name: the app gets the same bytes");

    if ($capture->{whole}) {
        refused($capture, '', $capture->{whole});

    } else {
        (undef, $calls) = replay($capture, '', 'same');
        is(told($calls, $pointer), $meant,
            "$name: the endpoint is told it as a part of the whole, too");
    }

    my $new = changed($capture, $sent) or return;
    $changed++;
    ($status, $calls, $app) = replay($capture, $pointer, 'changed');
    is(got($app), got([ $new ]), "$name: the app gets the changed field");
}

for my $capture (@captures) {
    if ($capture->{refused}) {
        refused($capture, @$capture{qw(pointer refused)});
    } else {
        accepted($capture);
    }
}

cmp_ok($changed, '>', @captures * 0.7, 'most have a field that is changed');

$t->done;
