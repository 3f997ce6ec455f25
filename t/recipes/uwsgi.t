#!/usr/bin/perl

# docs/recipes/uwsgi.md in front of uWSGI, with the app in t/recipes/python.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json encode_json);
use Test::Flowdash;
use Test::Flowdash::Recipe;
use Test::Flowdash::Recipe::Form;

my $page = 'docs/recipes/uwsgi.md';
my $t = Test::Flowdash->new(log_level => 'info');

sub reset_tasks () {
    $t->write_file('tasks.json', encode_json({
        1 => { title => 'Call them', status => 'open', due => '' } }));
}

reset_tasks();
answering_endpoint($t, 'hooks');
start_app($t, python => [ 'uwsgi', '--plugin', 'python3', '--master',
    '--die-on-term', '--socket', '127.0.0.1:' . $t->port('python'),
    '--env', 'TASKS=' . $t->dir . '/tasks.json',
    '--env', 'PYTHONDONTWRITEBYTECODE=1',
    '--wsgi-file', "$FindBin::Bin/python/app.py" ]);
run_recipe($t, $page, 'hooks.example.com' => 'hooks',
           '127.0.0.1:3031' => 'python');

check_form_app($t, page => $page, fields => '%s',
    stored => sub { $t->read_file('tasks.json') },
    reset => \&reset_tasks,
    token => 'csrf_token',
    same => [ '/tasks/1', '/TASKS/1', '/tasks/1/', '//tasks//1', '/tasks/%31',
              '/x/../tasks/1' ],
    around => [ '/v0/tasks/1', '/V0/tasks/1', '/login/../v0/tasks/1',
                '/tasks/1/x', '/tasks/1%3fx', '/tasks/1;x', '/login?/tasks/1',
                '/tasks/1?status=open', '/tasks/1?%73tatus=open',
                (map { [ '/tasks/1', $_ ] } 'status=open&status=done',
                 'status=done&status=open', 'Status=done', 'status=Done',
                 'status=done;status=open'),
                map { [ '/', undef, $_ => '/tasks/1' ] }
                    qw(X-Original-URL X-Rewrite-URL) ]);
$t->done;
