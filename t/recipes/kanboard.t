#!/usr/bin/perl

# docs/recipes/kanboard.md in front of a stand-in, t/recipes/kanboard.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json encode_json);
use MIME::Base64;
use Test::Flowdash;
use Test::Flowdash::Browser;
use Test::Flowdash::Recipe;

my $page = 'docs/recipes/kanboard.md';
my $t = Test::Flowdash->new(log_level => 'info');
my $dir = $t->dir;

$t->write_file('board.json', encode_json({
    columns => { 1 => 2, 2 => 2, 3 => 1 },
    titles => { 1 => 'Call them', 2 => 'Write', 3 => 'Ship' } }));
$t->write_file('etc/nginx/users', "ada:{PLAIN}secret\n");
$t->write_file('srv/kanboard/assets/board.js', slurp('board.js'));
$t->write_file('srv/kanboard/assets/board.css', slurp('board.css'));

sub slurp ($name) {
    open my $file, '<', "$FindBin::Bin/kanboard/$name" or die "$name: $!\n";
    local $/;
    return scalar readline $file;
}

start_fpm($t, 'php', TASKS => "$dir/board.json");
answering_endpoint($t, 'hooks');
run_recipe($t, $page, 'hooks.example.com' => 'hooks',
    '127.0.0.1:9000' => 'php', more => sub ($conf) {
        $conf =~ s{/usr/share/flowdash}{$FindBin::Bin/../../docs};
        return $conf =~ s{%%DIR%%/srv(/kanboard/index)}{$FindBin::Bin$1}r;
    });

my $port = $t->port('http');

sub stored () { $t->read_file('board.json') }

my $browser = Test::Flowdash::Browser->new(width => 1000, height => 600);
$browser->go("http://ada:secret\@127.0.0.1:$port/");

sub drag ($card, $column) {
    $browser->go("http://127.0.0.1:$port/");
    $browser->wait("#task-$card", qr/./);
    $browser->script("const drop = (name, element) => element.dispatchEvent("
        . "new DragEvent(name, { bubbles: true, cancelable: true }));"
        . "drop('dragstart', document.querySelector('#task-$card'));"
        . "drop('drop', document.querySelector("
        . "'[data-column-id=\"$column\"].board-task-list'));");
}

# whether the board that has come back has the card in this column

sub dropped ($card, $column) {
    return $browser->wait_for_script('return !!document.querySelector('
        . "'[data-column-id=\"$column\"] "
        . "#task-$card:not(.task-board-saving-state)')");
}

subtest 'a veto' => sub {
    answers($t, 'hooks', 422, '{"message":"Not before Friday"}');
    my $before = stored();
    drag(1, 4);
    like($browser->wait_for_script('return document.querySelector('
            . '"flowdash-notify")?.shadowRoot?.textContent'),
         qr/Not before Friday/, 'the board shows why');
    shot($browser, 'kanboard-refusal');
    is_deeply($t->only_request('hooks')->json, shown($page, 'action'),
              'the endpoint is told what the page says');
    is(stored(), $before, 'nothing has changed');
};

subtest 'a change by the endpoint' => sub {
    answers($t, 'hooks', 200, '{"task":{"position":2,"task_id":"2"}}');
    drag(1, 4);
    ok(dropped(1, 4),
       'the card is there');
    shot($browser, 'kanboard-success');
    my $call = $t->only_request('hooks');
    is(header($call, $_), undef, "no $_") for qw(Authorization Cookie);
    unlike($call->{body}, qr/token/, 'no token');
    is(decode_json(stored())->{position}, 2, 'the position of the endpoint');
    is_deeply(decode_json(stored())->{columns}, { 1 => 4, 2 => 2, 3 => 1 },
              'and no other card');

    drag(3, 2);
    ok(dropped(3, 2),
       'to another column');
    $t->no_request('hooks', 'no call');
};

sub ask ($query, $body, %option) {
    return $t->request($option{method} // 'POST',
        ($option{path} // '/') . $query, body => $body, headers => [
            'Content-Type' => $option{type} // 'application/json',
            'X-Requested-With' => 'XMLHttpRequest',
            Accept => 'application/json',
            $option{stranger} ? () : (Authorization =>
                'Basic ' . encode_base64('ada:secret', '')),
            @{ $option{headers} // [] } ]);
}

my $card = '{"task_id":"2","src_column_id":"2","dst_column_id":"4",'
    . '"swimlane_id":"1","position":1}';
my $save = '?controller=BoardAjaxController&action=save&project_id=1'
    . '&csrf_token=token-of-ada';

subtest 'a stranger' => sub {
    my $before = stored();
    is(ask($save, $card, stranger => 1)->{status}, 401, 'needs a password');
    is(ask($save, $card, stranger => 1, headers => [ 'Remote-User' => 'ada' ])
       ->{status}, 401, 'and no header');
    $t->no_request('hooks');
    is(stored(), $before, 'nothing has changed');
};

subtest 'ways around' => sub {
    answers($t, 'hooks', 422);
    my $before = stored();
    my $form = [ 'task_ids=2&column_id=4',
                 type => 'application/x-www-form-urlencoded' ];
    my @ways = (
        [ $save, $card ], [ $save =~ s/save/SAVE/r, $card ],
        [ $save =~ s/Board/board/r, $card ], [ $save =~ s/c/%63/r, $card ],
        [ $save =~ s/\?/?controller=CommentController&/r, $card ],
        [ "$save&controller=CommentController", $card ],
        [ "$save&action=reload", $card ], [ $save =~ s/c/C/r, $card ],
        [ "$save;controller=CommentController", $card ],
        [ $save =~ s/save&/save%00&/r, $card ],
        [ $save =~ s/save&/save+&/r, $card ],
        [ $save, $card =~ s/"4"/4/r ], [ $save, $card =~ s/"4"/"04"/r ],
        [ $save, $card =~ s/"4"/"4 "/r ], [ $save, $card =~ s/"4"/4.0/r ],
        [ $save, $card =~ s/\}/,"dst_column_id":"3"}/r ],
        [ "$save&dst_column_id=3", $card ], [ "$save&src_column_id=4", $card ],
        [ $save, $card =~ s/"2"/"4"/gr =~ s/"4"/"2"/r ],
        [ '?controller=TaskMovePositionController&action=save',
          '{"task_id":2,"column_id":4}' ],
        [ '?controller=TaskBulkMoveColumnController&action=save', @$form ],
        [ $save, $card, path => '/index.php' ],
        [ $save, $card, path => '/index.php/' ],
        [ $save, $card, path => '/INDEX.PHP' ],
        [ '', '{"method":"moveTaskPosition",'
              . '"params":{"task_id":2,"column_id":4}}', path => '/jsonrpc.php' ],
        [ '', $card ], [ '?action=save', $card ],
        [ $save, $card, method => 'PUT' ], [ $save, $card, method => 'GET' ],
    );
    for my $way (@ways) {
        my $answer = ask(@$way);
        my $calls = $t->new_requests('hooks');
        is(stored(), $before, "$way->[0]: $answer->{status}, $calls calls");
    }

    is(ask('?controller=CommentController&action=save', 'comment=x',
           type => $form->[2])->{status}, 303, 'a comment passes');
    $t->no_request('hooks');
};

$t->done;
