# The module's own error page as people get it, from a form in a browser: in
# light, in dark, on a phone, and as axe-core sees it.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::Browser;
use Test::Flowdash::Npm;

use utf8;

for my $program (qw(chromium chromedriver)) {
    plan(skip_all => "there is no $program")
        if !grep { -x "$_/$program" } split /:/, $ENV{PATH};
}

my $axe = npm_modules('axe-core');

my $t = Test::Flowdash->new;

my $html = '<b>bold</b><script>document.title = "x"</script>';
my $names = qq(Prü"fung" </script><h1>\n\x{1f600}'s);
utf8::encode($names);

my $errors = '{"message":"The task has 3 errors.","errors":{"Contract Value":'
    . '["is missing"],"<b>Due</b>":["is not a date","is in the past"]}}';

$t->endpoint(crm => sub {
    my $req = shift;
    return { status => 409, headers => [ 'Content-Type' => 'application/json' ],
             body => $errors } if $req->{target} =~ /fields/;
    return { status => 409, headers => [ 'Content-Type' => 'text/plain' ],
             body => $req->{target} =~ /long/ ? 'xY' x 2000
                     : $req->{target} =~ /html/ ? $html
                     : 'The contract value is missing.' };
});
$t->endpoint(app => { body => 'app' });

$t->write_file('form.html', <<'EOC');
<!DOCTYPE html>
<html lang="en"><title>Form</title>
<form method="post"><input name="a" value="1"><button>Save</button></form>
EOC

sub quoted { return '"' . $_[0] =~ s/["\\]/\\$&/gr . '"' }

my $crm = 'flowdash_call http://127.0.0.1:%%PORT_crm%%';

my $languages = <<"EOC";
    location = /arabic {
        flowdash_languages ar;
        flowdash_pass_status 409;
        flowdash_action "Finish";
        flowdash_step "Update CRM" { $crm/; }
        try_files /none /form.html;
    }
    location = /japanese {
        flowdash_languages ja;
        flowdash_pass_status 409;
        flowdash_action "完了";
        flowdash_step "CRM を更新" { $crm/; }
        try_files /none /form.html;
    }
    location = /german {
        flowdash_languages de;
        flowdash_action "Abschließen";
        flowdash_step "Update CRM" { $crm/; }
        try_files /none /form.html;
    }
EOC
utf8::encode($languages);

my $long = 'Donaudampfschifffahrtsgesellschaft' x 12;

$t->config(<<"EOC");
    root %%DIR%%;
    flowdash_error_detail on;
    flowdash_methods POST;

    # a form, sent to its own address
    error_page 405 =200 /form.html;

    location = /form.html { default_type text/html; }

    location = /refused {
        flowdash_pass_status 409;
        flowdash_action "Finish";
        flowdash_step "Update CRM" { $crm/; }
        try_files /none /form.html;
    }
    location = /failed {
        flowdash_error_detail off;
        flowdash_action "Finish";
        flowdash_step "Update CRM" { $crm/; }
        try_files /none /form.html;
    }
    location = /fields {
        flowdash_pass_status 409;
        flowdash_action "Finish";
        flowdash_step "Update CRM" { $crm/fields; }
        try_files /none /form.html;
    }
    location = /names {
        flowdash_action @{[quoted($names)]};
        flowdash_step @{[quoted($names)]} { $crm/html; }
        try_files /none /form.html;
    }
    location = /long {
        flowdash_action "$long";
        flowdash_step "$long" { $crm/long; }
        try_files /none /form.html;
    }
    $languages
    location = /unread {
        flowdash_action "Save";
        flowdash_max_fields_size 1;
        flowdash_task "";
        flowdash_step "S" { $crm/; }
        try_files /none /form.html;
    }
EOC
$t->run;

my $url = 'http://127.0.0.1:' . $t->port('http');
my $shots = $ENV{FLOWDASH_SHOTS};           # where to look at the pages

my @looks = (
    [ dark => [qw(refused names fields)], dark => 1 ],
    [ phone => [qw(refused long fields)], width => 360, height => 740 ],
    [ light => [qw(refused failed names long unread fields)] ],
    [ languages => [qw(arabic japanese german)] ],
    [ 'narrow languages' => [qw(arabic japanese german)], width => 360 ],
);

# the heading, what it means, and the direction, where it is not English
my %language = (
    arabic => [ 'لم يُنفَّذ الإجراء «Finish»', 'لم يتغير أي شيء في التطبيق.', 'rtl' ],
    japanese => [ '「完了」は実行されませんでした', 'アプリでは何も変更されていません。' ],
    german => [ '„Abschließen“ wurde nicht ausgeführt',
                'In der Anwendung wurde nichts geändert.' ],
);

my $browser;

for (@looks) {
    my ($look, $pages, %option) = @$_;
    $browser = Test::Flowdash::Browser->new(%option);

    for my $page (@$pages) {
        my $name = "$look, $page";

        $browser->go("$url/$page");
        $browser->click('button');
        my ($heading, $meaning, $direction) = @{ $language{$page}
            // [ 'was not carried out', 'Nothing was changed in the app.' ] };

        like($browser->wait('h1', qr/\w/), qr/\Q$heading\E\z/,
            "$name: heading");
        like($browser->text('main'), qr/\Q$meaning\E/,
            "$name: what it means");
        is($browser->script('return getComputedStyle(document.body).direction'),
            $direction // 'ltr', "$name: the direction");
        like($browser->text('code'), qr/^[0-9a-f]{32}$/, "$name: the id");

        SKIP: {
            skip 'there is no axe-core', 1 if !$axe;
            is(join("\n", $browser->axe), '', "$name: axe-core");
        }

        ok(!$browser->script('return document.documentElement.scrollWidth'
            . ' > innerWidth'), "$name: no scrolling to the side");
        is($browser->script('return performance.getEntriesByType("resource")'
            . '.filter(e => !/favicon/.test(e.name)).length'), 0,
            "$name: nothing else is loaded");

        $browser->screenshot("$shots/$page-$look.png")
            if $shots;

        $browser->click('a');
        is($browser->wait('button', qr/Save/) && $browser->script(
            'return location.href'), "$url/$page", "$name: the way back");
    }
}

$browser->go("$url/names");
$browser->click('button');
utf8::decode(my $shown = $names =~ s/\s+/ /gr);
is($browser->wait('h1', qr/\w/), "\x{201c}$shown\x{201d} was not carried out",
    'the action\'s name');
is($browser->text('strong'), $shown, 'the step\'s name');
is($browser->text('blockquote'), $html, 'the endpoint\'s message');
is($browser->script('return document.querySelectorAll('
    . '"h1, script, b, link, img").length'), 1, 'nothing of them is HTML');

$browser->go("$url/fields");
$browser->click('button');
$browser->wait('h1', qr/\w/);
is($browser->text('blockquote'), <<'EOC' =~ s/\n\z//r, 'the errors by field');
The task has 3 errors.
Contract Value: is missing
<b>Due</b>: is not a date
<b>Due</b>: is in the past
EOC

$browser->go("$url/refused");
$browser->click('button');
$browser->wait('h1', qr/\w/);
is($browser->text('main') =~ s/\n+/\n/gr =~ s/[0-9a-f]{32}/ID/r . "\n", <<'EOC',
“Finish” was not carried out
The step Update CRM refused the action. The answer was:
The contract value is missing.
Nothing was changed in the app.
What you can do
Go back, check what you entered, and try again.
Back to where you were
If you need help, give support this number:
ID
EOC
    'all of its words');

undef $browser;                             # its connection, too
$t->done;
