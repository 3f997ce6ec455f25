# Bodies so long that others have turns between their pieces: what the client
# sends meanwhile, and a changed body that has to become a file.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use Socket qw(IPPROTO_TCP TCP_CORK);

my $t = Test::Flowdash->new(log_level => 'info');

$t->endpoint(crm => { headers => [ 'Content-Type' => 'application/json' ],
                      body => '{"task":{"Stage":"Done"}}' });
$t->endpoint(app => sub {
    my ($req) = @_;
    my $file = $req->header('X-File') // return { body => length $req->{body} };
    return { body => $t->read_file($file =~ s/^\Q${\ $t->dir}\E//r) };
});

$t->config(<<'EOC');
    client_max_body_size 0;

    location / {
        flowdash_action "Save";
        flowdash_step "CRM" {
            flowdash_call http://127.0.0.1:%%PORT_crm%%/;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location /file {
        client_body_in_file_only clean;
        sendfile on;                # slow_read is not for what nginx sends
        proxy_set_header X-File $request_body_file;
        flowdash_action "Save";
        flowdash_step "CRM" {
            flowdash_call http://127.0.0.1:%%PORT_crm%%/;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location /first {
        flowdash_action $flowdash_task_none;
        flowdash_step "CRM" {
            flowdash_call http://127.0.0.1:%%PORT_crm%%/;
        }
        error_page 404 405 = @second;
    }

    location @second {
        flowdash_action "Save";
        flowdash_step "CRM" {
            flowdash_call http://127.0.0.1:%%PORT_crm%%/;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }

    location /plain { return 200 "plain"; }
EOC

$t->run;

sub form {
    my ($stage, $size) = @_;
    return join "\r\n", '--x-x',
        'Content-Disposition: form-data; name="task[Stage]"', '', $stage,
        '--x-x', 'Content-Disposition: form-data; name="f"; filename="f"', '',
        'y' x $size, '--x-x--', '';
}

my @multipart = ('Content-Type' => 'multipart/form-data; boundary=x-x');

# Each byte of the next request is an event, in whatever state the first one is.

my $size = 24_000_000;
my $form = form('Open', $size);
my $next = "GET /plain HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

my $head = "POST / HTTP/1.1\r\nHost: localhost\r\n$multipart[0]: "
    . "$multipart[1]\r\nContent-Length: " . length($form) . "\r\n\r\n";
my $raw = $t->raw_request([ $head, $form,
    map { (\0.005, $_) } split //, $next ], timeout => 60);

my @answers = $raw =~ /\r\n\r\n(\d+|plain)/g;
is("@answers", length($form) . ' plain', 'a request behind a long one');

is(scalar $t->requests('crm'), 1, 'one call');
my @app = $t->requests('app');
is(scalar @app, 1, 'one request to the app');
ok($app[0]{body} eq form('Done', $size), 'with the change');

# not only the upload is read in turns, but also what is written of it

for my $size (0, 1_000_000, 5_000_000) {
    $t->clear_requests($_) for qw(crm app);

    my $res = $t->request('POST', '/file', body => form('Open', $size),
                          headers => \@multipart, timeout => 60);
    is($res->{status}, 200, "a file of $size bytes");
    ok($res->{body} eq form('Done', $size), 'is the one for the app');

    is(scalar $t->requests('crm'), 1, 'one call');
    @app = $t->requests('app');
    is(scalar @app, 1, 'one request to the app');
    ok($app[0]{body} eq form('Done', $size), 'with the change');
}

# a redirect leads from a location where it is no action to one where it is

$t->clear_requests($_) for qw(crm app);
my $led = $t->request('POST', '/first', body => form('Open', 5_000_000),
                      headers => \@multipart, timeout => 60);
is($led->{status}, 200, 'a redirect');
is(scalar $t->requests('crm'), 1, 'one call');
@app = $t->requests('app');
is(scalar @app, 1, 'one request to the app');
ok($app[0]{body} eq form('Done', 5_000_000), 'with the change');

# A reload while a long body is read, and another while what changes is written:
# the old worker stays until the action is done.

$t->stop;
$t->preload('slow_read');
$t->run;

for my $turn (1 .. 2) {
    $t->clear_requests($_) for qw(crm app);
    my $before = () = $t->error_log =~ /gracefully shutting down/g;
    my $slow = $t->start('POST', '/file', body => form('Open', 3_000_000),
                         headers => \@multipart);

    # the first half is read before the call, the second half written after it

    $turn == 1 ? $t->wait_for(sub { $t->error_log =~ /buffered to a temp/ })
        : $t->wait_for(sub { $t->requests('crm') });
    $t->signal('HUP');
    ok($t->wait_for(sub {
        $before < (() = $t->error_log =~ /gracefully shutting down/g)
    }), 'a reload');

    my $res = $t->finish($slow);

    is($res->{status}, 200, 'the action goes on');
    ok($res->{body} eq form('Done', 3_000_000), 'to the end');
    is(scalar $t->requests($_), 1, "one request to $_") for qw(crm app);
    ok(($t->requests('app'))[0]{body} eq form('Done', 3_000_000),
       'with the change');
}

$t->stop;
$t->preload;
$t->run;

# a client that leaves: the end of its connection comes with the last byte

$t->clear_requests($_) for qw(crm app);

my $socket = $t->connect;
print $socket $head, substr $form, 0, -10;
$socket->flush;
$socket->setsockopt(IPPROTO_TCP, TCP_CORK, 1);
print $socket substr $form, -10;
$socket->flush;
$socket->shutdown(1);

is(do { local $/; readline $socket } // '', '', 'a client that leaves');
ok($t->wait_for(sub { $t->error_log =~ /closed connection before an action/ },
                60), 'is noticed');
is(scalar $t->requests($_), 0, "nothing for the $_") for qw(crm app);

$t->done;
