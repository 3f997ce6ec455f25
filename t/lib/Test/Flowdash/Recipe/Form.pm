package Test::Flowdash::Recipe::Form;

=head1 NAME

Test::Flowdash::Recipe::Form - what holds for a task app with a session and a form

=head1 SYNOPSIS

    check_form_app($t, page => 'docs/recipes/php.md', fields => 'task[%s]',
                   token => '_token', stored => sub { ... },
                   around => [ '/old/tasks/1' ]);

The app is the one of t/recipes/php or t/recipes/python: C</login> with a
password, and the form of task 1 at C</tasks/1>.  The endpoint is "hooks".

=cut

use v5.36;

use Exporter qw(import);
use Test::More;

use Test::Flowdash::Browser;
use Test::Flowdash::HTTP;
use Test::Flowdash::Recipe;

our @EXPORT = qw(check_form_app);

sub check_form_app ($t, %app) {
    my $url = 'http://127.0.0.1:' . $t->port('http');
    my $stored = $app{stored};
    my ($name) = $app{page} =~ m{(\w+)\.md};
    my $browser = Test::Flowdash::Browser->new(width => 800, height => 600);

    my $save = sub {
        $browser->go("$url/tasks/1");
        $browser->script('document.querySelector("#new-status").value = "done"');
        $browser->type('#password', 'ada-secret');
        $browser->click('#save');
    };

    $browser->go("$url/login");
    $browser->type('input', 'ada-secret');
    $browser->click('button');
    is($browser->wait('#status', qr/./), 'open', 'logged in');
    $t->no_request('hooks', 'no endpoint gets the login');

    subtest 'a veto' => sub {
        answers($t, 'hooks', 422, '{"message":"Not before Friday"}');
        my $before = $stored->();
        $save->();
        like($browser->wait('main', qr/Check/), qr/Check/, 'the user sees it');
        shot($browser, "$name-refusal");
        $t->only_request('hooks');
        is($stored->(), $before, 'nothing has changed');
    };

    subtest 'ways around' => sub {
        $browser->go("$url/tasks/1");
        my $token = $browser->script(
            'return document.querySelector("[name*=token]").value');
        my $form = _form(%app, value => $token);
        my $cookie = join '; ', map { "$_->{name}=$_->{value}" }
            @{ $browser->cookies };
        my @type = ('Content-Type' => 'application/x-www-form-urlencoded');
        my $before = $stored->();

        # a browser that is not logged in, which has a token all the same
        my $answer = $t->request(POST => '/tasks/1', body => $form,
                                 headers => \@type);
        is($answer->{status}, 401, 'a stranger');
        $t->no_request('hooks');

        # The endpoint says no: whatever is sent, the task stays as it is.
        for my $way (@{ $app{around} }) {
            my ($path, $fields, @headers) = ref $way ? @$way : $way;
            my $body = $fields ? $form =~ s/[^&]*status[^&]*/$fields/r : $form;
            my $answer = $t->request(POST => $path, body => $body,
                headers => [ Cookie => $cookie, @type, @headers ]);
            my $calls = $t->new_requests('hooks');
            is($stored->(), $before,
               "$path @{[ $fields // '' ]}: $answer->{status}, $calls calls");
        }

        answers($t, 'hooks', 204);
        for my $good (@{ $app{same} }) {
            is($t->request(POST => $good, body => $form,
                           headers => [ Cookie => $cookie, @type ])->{status},
               303, "$good is the task");
            is($t->only_request('hooks')->{target}, '/tasks/1', 'it is told');
            $app{reset}->();
        }
    };

    subtest 'a change by the endpoint' => sub {
        answers($t, 'hooks', 200, '{"task":{"due":"2020-02-01","title":"x"}}');
        $save->();
        is($browser->wait('#due', qr/./), '2020-02-01', 'the date');
        is($browser->text('#status'), 'done', 'the status');
        shot($browser, "$name-success");

        my $call = $t->only_request('hooks');
        is_deeply($call->json, shown($app{page}, 'action'),
                  'the endpoint is told what the page says');
        unlike($call->{raw} // $call->{body}, qr/ada-secret|oken/,
               'no password, no token');
        is(header($call, 'Cookie'), undef, 'no cookie');
    };
    return;
}

sub header ($message, $name) { return $message->header($name) }

# the form that the browser would send

sub _form (%app) {
    my %field = (title => 'Call%20them', status => 'done',
                 password => 'ada-secret', $app{token} => $app{value});
    return join '&', map { sprintf("$app{fields}=%s", $_, $field{$_}) }
        sort keys %field;
}

1;
