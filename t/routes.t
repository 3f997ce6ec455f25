# The way to the action: the configurations of README.md and docs/your-app.md,
# word for word, in front of the routers of real apps.  However a URL is
# spelled, no router reaches a handler that changes something without a call
# having been made.
#
# The spellings are made by chance, and nothing here knows which of them are
# bad: each request goes through nginx, and what nginx has passed to the app is
# given to all routers.
#
#   FLOWDASH_SPELLINGS  how many for each configuration, 250
#   FLOWDASH_SEED       others than the usual ones
#   FLOWDASH_SLOW       Tomcat, too
#   FLOWDASH_DOCS       the directory of another README.md and docs/

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::Routers;
use Test::Flowdash::Spelling;

use JSON::PP qw(encode_json);
use List::Util qw(first uniq);
use MIME::Base64 qw(encode_base64);

my $N = $ENV{FLOWDASH_SPELLINGS} // 250;
my $SEED = $ENV{FLOWDASH_SEED} || 11;
my $DOCS = $ENV{FLOWDASH_DOCS} // "$FindBin::Bin/..";

# What the apps behind the configurations are asked to do.  Each request is a
# method, a target, and a body by the kind of it; "others" are URLs that nobody
# has to guard, or of another task; "told" are the handlers that do what the
# endpoints are told; "loose" are others to which a router leads what it does
# not know, as the documentation says; "uncalled" are those that a request may
# reach without a call, by its number.

my $issue = { subject => 'Can log in', status_id => 5 };
my $task = { name => 'Call them', 'Expected Close Date' => '2020-01-31' };

my %TRY = (
    'README.md 1' => {
        requests => [ [ POST => '/tasks/7/finish', json => { task => $task } ] ],
        others => [ '/login', '/tasks/8', '/tasks/8/finish' ],
        told => [ 'finish' ],
        loose => { php => [ 'save' ] },
    },
    'docs/your-app.md 1' => {
        requests => [ [ POST => '/issues/1', form => $issue ],
                      [ POST => '/issues/1', multipart => $issue ],
                      [ POST => '/issues/1', query => $issue ],
                      [ POST => '/issues/bulk_update', form => $issue ],
                      [ POST => '/issues/1', form => { status_id => 2 } ] ],
        others => [ '/login', '/issues/1/edit.js', '/issues/2',
                    '/tasks/7/finish', '/uploads.js', '/issues' ],
        told => [ 'update', 'bulk_update' ],
        uncalled => { 4 => [ 'update', 'bulk_update' ] },
    },
    'docs/your-app.md 2' => {
        requests => [ [ PUT => '/issues/1.json', json => { issue => $issue } ],
                      [ PATCH => '/issues/1', json => { issue => $issue } ],
                      [ DELETE => '/issues/1.json', json => { issue => {} } ],
                      [ POST => '/issues/1', form => $issue ] ],
        others => [ '/login', '/issues/2', '/issues/2.json' ],
        told => [ 'update', 'bulk_update' ],
    },
    'docs/your-app.md 3' => {
        requests => [ [ PUT => '/tasks/7', json => $task ],
                      [ PATCH => '/tasks/7', json => $task ] ],
        others => [ '/login', '/tasks/8' ],
        told => [ 'save' ],
    },
);

# The others have no URLs of their own to be spelled: the form's location is
# that of the third, and GraphQL has one URL for everything.

my %NO_ROUTES = map { $_ => 1 } 'docs/your-app.md 4', 'docs/your-app.md 5';

# Handlers that change nothing of a task, and methods that no app should change
# anything by: the documentation says that neither is guarded.

my %harmless = map { $_ => 1 } qw(none show preview login);
my %safe = map { $_ => 1 } qw(GET HEAD OPTIONS);

my $routers_of = Test::Flowdash->new(module => 0);
my $routers = Test::Flowdash::Routers->new($routers_of,
                                           slow => $ENV{FLOWDASH_SLOW});

my %conf = map { configurations($_) } 'README.md', 'docs/your-app.md';

is(join(', ', sort keys %conf), join(', ', sort keys %TRY, keys %NO_ROUTES),
   'the configurations of the pages');

for my $name (grep { $TRY{$_} } sort keys %conf) {
    subtest $name => sub { try($name, $conf{$name}) };
}

$routers_of->done;


# The examples of a page that are whole: an nginx.conf, or a file that it
# includes, with an upstream for the app; by the page's name and a number.
# Nothing is changed in them but where things are, and the stand-ins for app and
# endpoints are left out.

sub configurations {
    my ($page) = @_;
    open my $file, '<', "$DOCS/$page" or die "$page: $!\n";
    my $text = do { local $/; readline $file };

    my @conf = grep { /^(?:http \{|upstream task_app )/m }
        $text =~ /^```nginx\n(.*?)^```$/gms;

    for (@conf) {
        s/^# stand-ins for .*//ms;
        $_ = "load_module x;\nevents { }\nhttp {\n$_}\n" if !/^http \{/m;
        s/^load_module .*;$/%%GLOBALS%%/m;
        s/^http \{/http {\n%%HTTP_GLOBALS%%/m;
        s/(\blisten +)(?:127\.0\.0\.1:80)?80\b/${1}127.0.0.1:%%PORT_http%%/;
        s/(\bupstream +(\w+) +\{ server 127\.0\.0\.1:)\d+/$1%%PORT_$2%%/g;
        s{https://crm\.example\.com|http://127\.0\.0\.1:3001}
         {http://127.0.0.1:%%PORT_crm%%}g;
        s{(auth_basic_user_file +)[^;]+}{$1%%DIR%%/users};
        s{file:\K/etc/nginx/crm\.token}{%%DIR%%/crm.token};
    }

    return map { ("$page " . ($_ + 1) => $conf[$_]) } keys @conf;
}

sub try {
    my ($name, $conf) = @_;
    my $t = Test::Flowdash->new(log_level => 'info');

    $t->write_file('users', "abc123:{PLAIN}secret\n");
    chmod 0600, $t->write_file('crm.token', "token\n");
    $t->endpoint($_ => { status => 204 }) for qw(crm billing);
    $t->endpoint(sso => { headers => [ 'X-User-Id' => 'abc123' ] });
    $t->server(task_app => \&app);
    $t->config($conf);
    $t->run;

    srand $SEED;
    my @requests = requests($TRY{$name});
    my @answers = exchange($t->port('http'), \@requests);
    my ($called, $told) = calls($t);
    my @passed = map { $_->{raw} } $t->requests('task_app');

    is(scalar(grep { !$_ } @answers), 0, 'nginx answers each request');
    exists $called->{0} or diag($answers[0]);
    ok($called->{0}, 'the plain request is an action');

    my $direct = $routers->ask(\@requests);
    my $behind = $routers->ask(\@passed);
    my @marks = map { mark($_) } @passed;
    my %fetch = map { $passed[$_] =~ /^GET / ? ($marks[$_] => $_) : () }
        keys @passed;

    my $uncalled = $TRY{$name}{uncalled} // {};
    my %may = map { $_ => { map { $_ => 1 } @{ $uncalled->{$_} } } }
        keys %$uncalled;

    for my $router ($routers->names) {
        my @reached = grep { acts($direct->{$router}[$_]) } keys @requests;
        my @acted = grep { acts($behind->{$router}[$_]) } keys @passed;
        note(sprintf '%s: %d of %d spellings are an action; behind nginx %d',
             $router, scalar @reached, scalar @requests, scalar @acted);

        cmp_ok(scalar @reached, '>', $N / 50,
               "$router: some of the spellings are understood");
        ok(scalar(grep { $marks[$_] == 0 } @acted),
           "$router: the plain request is carried out");

        my @uncalled = grep {
            my $may = $may{ $marks[$_] % @{ $TRY{$name}{requests} } };
            !$called->{ $marks[$_] }
                && !$may->{ $behind->{$router}[$_]{handler} };
        } @acted;
        is(shown(\@passed, $behind->{$router}, @uncalled), '',
           "$router: nothing is carried out without a call");

        my @other = grep {
            my ($mark, $did) = ($marks[$_], $behind->{$router});
            my $told = $told->{$mark};
            my $shown = $did->[ $fetch{$mark} // $_ ];
            defined $told && number($did->[$_]{task}) != number($told)
                || found($shown) && $shown->{task} ne $did->[$_]{task};
        } @acted;
        is(shown(\@passed, $behind->{$router}, @other), '',
           "$router: the endpoint is told of the same task");

        my %told = map { $_ => 1 } @{ $TRY{$name}{told} },
            @{ $TRY{$name}{loose}{$router} // [] };
        my @untold = grep { !$told{ $behind->{$router}[$_]{handler} } } @acted;
        is(shown(\@passed, $behind->{$router}, @untold), '',
           "$router: nothing else is carried out");
    }

    $t->done;
}

# As many requests as are asked for, plain ones first; each has a number, which
# endpoints and the app are told as well.

sub requests {
    my ($try) = @_;
    my @plain = @{ $try->{requests} };

    return map {
        my $plain = $plain[ $_ % @plain ];
        my ($method, $target, $kind, $data) = @$plain;
        my $spelled = $_ < @plain
            ? { method => $method, target => $target, headers => [] }
            : spell($method, $target, $try->{others});
        request($_, $spelled, $kind, $data);
    } 0 .. $N - 1;
}

sub request {
    my ($n, $spelled, $kind, $data) = @_;
    my ($target, $type, $body) = body($spelled, $kind, $data);

    my @headers = (
        Host => 'localhost', Connection => 'close',
        Authorization => 'Basic ' . encode_base64('abc123:secret', ''),
        'X-Redmine-API-Key' => '0123456789abcdef',
        traceparent => sprintf('00-%032x-%016x-01', $n + 1, 1),
        'X-Mark' => $n,
        'Content-Length' => length $body,
        $type ? ('Content-Type' => $type) : (),
    );

    my %own = @{ $spelled->{headers} };
    my $head = "$spelled->{method} $target HTTP/1.1\r\n";
    while (my ($name, $value) = splice @headers, 0, 2) {
        $head .= "$name: " . (delete $own{$name} // $value) . "\r\n";
    }
    $head .= "$_: $own{$_}\r\n" for sort keys %own;

    return "$head\r\n$body";
}

sub body {
    my ($spelled, $kind, $data) = @_;
    my $target = $spelled->{target};
    my $boundary = 'A1B2C3';

    return ($target, 'application/json', encode_json($data))
        if $kind eq 'json';

    my @fields = map { [ "issue[$_]", $data->{$_} ] } sort keys %$data;
    unshift @fields, [ _method => $spelled->{field} ] if $spelled->{field};
    my $form = join '&', map { "$_->[0]=" . $_->[1] =~ tr/ /+/r } @fields;

    return ($target . ($target =~ /\?/ ? '&' : '?') . $form, undef, '')
        if $kind eq 'query';
    return ($target, 'application/x-www-form-urlencoded', $form)
        if $kind eq 'form';

    return ($target, "multipart/form-data; boundary=$boundary", join '',
            (map { "--$boundary\r\nContent-Disposition: form-data;"
                   . qq( name="$_->[0]"\r\n\r\n$_->[1]\r\n) } @fields),
            "--$boundary--\r\n");
}

# The app: keeps what nginx sends, as bytes.

sub app {
    my ($listen, $record) = @_;
    my $loop = Mojo::IOLoop->new(reactor => Mojo::Reactor::Poll->new);
    my $json = encode_json({ issue => { id => 1, status => { id => 2 } } });
    my $answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        . 'Content-Length: ' . length($json) . "\r\n"
        . "Connection: close\r\n\r\n$json";

    $loop->server({ fd => fileno $listen }, sub {
        my (undef, $stream) = @_;
        my $in = '';

        $stream->timeout(0);
        $stream->on(error => sub { });
        $stream->on(read => sub {
            $in .= $_[1];
            my ($head) = $in =~ /\A(.*?\r\n\r\n)/s or return;
            my ($length) = $head =~ /^Content-Length: (\d+)/mi;
            return if length $in < length($head) + ($length // 0);
            $record->(bless { raw => $in, body => '' },
                      'Test::Flowdash::Message');
            $stream->write($answer, sub { $stream->close });
        });
    });
    $loop->start;
}

# By the requests' numbers: which were called, and of which task.

sub calls {
    my ($t) = @_;
    my (%called, %told);

    for my $call (map { $t->requests($_) } qw(crm billing)) {
        my ($trace) = header($call, 'traceparent') =~ /^00-0+([0-9a-f]+)-/;
        my $mark = hex($trace) - 1;
        $called{$mark} = 1;
        $told{$mark} = $1 =~ s/%([0-9a-f]{2})/chr hex $1/gier
            if $call->{target} =~ m{^/tasks/(.*)$};
    }

    return (\%called, \%told);
}

sub mark { return $_[0] =~ /^X-Mark: (\d+)\r$/mi ? $1 : -1 }

sub acts {
    my ($did) = @_;
    return defined $did->{handler} && !$harmless{ $did->{handler} }
        && !$safe{ $did->{method} };
}

sub found {
    my ($did) = @_;
    return defined $did->{handler} && $did->{handler} ne 'none';
}

# as most apps make a number of it

sub number { return $_[0] =~ /^[\s+]*(\d+)/ ? $1 : 0 }

sub shown {
    my ($requests, $did, @which) = @_;
    my @lines = map {
        my ($line) = $requests->[$_] =~ /\A(.*?)\r\n/;
        "$line  -> $did->[$_]{handler} $did->[$_]{task}"
            =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ger . "\n";
    } @which;
    splice @lines, 10, @lines, sprintf "... %d in all\n", scalar @lines
        if @lines > 10;
    return join '', @lines;
}
