#!/usr/bin/perl

# docs/recipes/php.md in front of PHP, with the app in t/recipes/php.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json encode_json);
use Test::Flowdash;
use Test::Flowdash::Recipe;
use Test::Flowdash::Recipe::Form;

my $page = 'docs/recipes/php.md';
my $t = Test::Flowdash->new(log_level => 'info');
my $dir = $t->dir;

sub reset_tasks () {
    $t->write_file('tasks.json', encode_json({
        1 => { title => 'Call them', status => 'open', due => '' } }));
}

reset_tasks();
answering_endpoint($t, 'hooks');
start_fpm($t, 'php', TASKS => "$dir/tasks.json");
run_recipe($t, $page, 'hooks.example.com' => 'hooks',
    '127.0.0.1:9000' => 'php', more => sub ($conf) {
        $conf =~ s{%%DIR%%/srv/tasks}{$FindBin::Bin/php}r;
    });

check_form_app($t, page => $page, fields => 'task[%s]',
    stored => sub { $t->read_file('tasks.json') },
    reset => \&reset_tasks,
    token => '_token',
    same => [ '/tasks/1', '/TASKS/1', '/tasks/1/', '//tasks//1', '/tasks/%31',
              '/x/../tasks/1' ],
    around => [ '/old/tasks/1', '/index.php/tasks/1', '/OLD/tasks/1',
                '/index.php', '/login/../old/tasks/1', '/tasks/1/x',
                '/tasks/1%3fx', '/tasks/1;x', '/login?/tasks/1',
                '/tasks/1?task[status]=done', '/tasks/1?%74ask[status]=open',
                (map { [ '/tasks/1', $_ ] }
                 'task[status]=open&task[status]=done', 'task[status]=done&task[status]=open', 'task[status][]=done',
                 'task[status]=Done', 'task%5bstatus%5d=done',
                 'task.status=done'),
                map { [ '/', undef, $_ => '/tasks/1' ] }
                    qw(X-Original-URL X-Rewrite-URL) ]);
$t->done;
