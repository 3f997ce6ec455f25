# The languages of the module's own pages: which one a client gets, and what the
# configuration says about it.  What they say is in t/unit/language.c.

use FindBin;
use lib "$FindBin::Bin/lib";
use feature 'signatures';
no warnings 'experimental::signatures';
use Test::Flowdash;

my $t = Test::Flowdash->new;

$t->endpoint(crm => { status => 409 });
$t->endpoint(app => { body => 'app' });

my $action = <<'EOC';
        flowdash_action "Finish";
        flowdash_step "CRM" { flowdash_call http://127.0.0.1:%%PORT_crm%%/; }
        proxy_pass http://127.0.0.1:%%PORT_app%%/;
EOC

$t->config(<<"EOC");
    flowdash_methods POST;

    location = /all {
$action
    }
    location / {
        flowdash_languages de EN pt;

        location = /some {
$action
        }
        location = /one {
            flowdash_languages fr;
$action
        }
    }
EOC
$t->run;

sub act ($path, $accept, @headers) {
    return $t->request('POST', $path, body => '{"task":{"a":1}}', headers => [
        'Content-Type' => 'application/json', Accept => 'text/html', @headers,
        map { ('Accept-Language' => $_) } ref $accept ? @$accept : $accept ]);
}


# what the client likes best of what there is

my @cases = (
    # Accept-Language, /all, /some
    [ [], 'en', 'de' ],
    [ '', 'en', 'de' ],
    [ 'de', 'de', 'de' ],
    [ 'DE', 'de', 'de' ],
    [ 'en', 'en', 'en' ],
    [ 'de-AT', 'de', 'de' ],
    [ 'de-Latn-DE-1996', 'de', 'de' ],
    [ 'zh-Hans-CN', 'zh', 'de' ],
    [ 'ar', 'ar', 'de' ],
    [ 'es-419', 'es', 'de' ],
    [ 'it', 'it', 'de' ],
    [ 'ja', 'ja', 'de' ],
    [ 'nl', 'nl', 'de' ],
    [ 'pl', 'pl', 'de' ],
    [ 'pt-BR,pt;q=0.9,en;q=0.8', 'pt', 'pt' ],
    [ 'fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5', 'fr', 'en' ],
    [ 'en;q=0.8, de;q=0.9', 'de', 'de' ],
    [ 'en;q=0.8 , pl;q=0.9', 'pl', 'en' ],
    [ "en ;\tq=0.8,pt ; q=0.9", 'pt', 'pt' ],
    [ 'en, pt', 'en', 'en' ],                   # the first of equals
    [ 'pt, en', 'pt', 'pt' ],
    [ [ 'tlh', 'en;q=0.1' ], 'en', 'en' ],      # several lines are one list
    [ [ 'pt;q=0.1', 'en;q=0.2' ], 'en', 'en' ],
    [ '*', 'en', 'de' ],
    [ 'tlh, *;q=0.1', 'en', 'de' ],
    [ 'tlh', 'en', 'de' ],
    [ '*, fr', 'en', 'de' ],                    # "*": what is not named
    [ '*, de;q=0.5', 'en', 'en' ],
    [ '*;q=0.5, de;q=0.4, en;q=0.3', 'ar', 'pt' ],
    [ 'fr;q=0.5, *;q=0.5', 'fr', 'de' ],
    [ 'pt;q=0', 'en', 'de' ],                   # refused
    [ 'en;q=0, *', 'ar', 'de' ],
    [ '*, en;q=0', 'ar', 'de' ],
    [ 'de;q=0, *;q=0.1', 'en', 'en' ],
    [ 'en;q=0.0, de;q=0.000, *', 'ar', 'pt' ],
    [ 'en-GB;q=0, *', 'en', 'de' ],             # another English is not
    [ 'en;q=0, en-GB', 'en', 'en' ],
    [ 'de-AT, en;q=0.9, de;q=0.5', 'de', 'de' ],
    [ '*;q=0', 'en', 'de' ],                    # all are: the first one
    [ 'en;q=0', 'en', 'de' ],
    [ 'en;q=0, de;q=0, pt;q=0', 'en', 'de' ],
    [ 'pt;q=0, en;q=0.001', 'en', 'en' ],
    [ 'deu', 'en', 'de' ],                      # not "de" with something
    [ 'd', 'en', 'de' ],
    [ 'i-klingon', 'en', 'de' ],
    [ 'pt_BR', 'en', 'de' ],                    # not a tag
    [ 'pt;q=high', 'en', 'de' ],
    [ 'pt;q=-1', 'en', 'de' ],
    [ 'pt;q=9', 'pt', 'pt' ],
    [ 'en;q=0.2, pt;q=0.3 ;x=1', 'pt', 'pt' ],
    [ ',,;,;q=1, -, --, pt', 'pt', 'pt' ],
    [ "pt\xff", 'en', 'de' ],
    [ 'x' x 4000 . ',pt', 'pt', 'pt' ],
);

for (@cases) {
    my ($accept, %wanted);
    ($accept, @wanted{qw(/all /some)}) = @$_;

    my $name = ref $accept ? join ' and ', @$accept : $accept;
    $name =~ s/[^ -~]/?/g;
    $name = substr $name, 0, 50;

    for my $path (sort keys %wanted) {
        my $res = act($path, $accept);
        my ($lang) = $res->{body} =~ /<html lang="([^"]*)"/;
        is($lang, $wanted{$path}, "$path, $name");
        is($res->header('Content-Language'), $wanted{$path},
            "$path, $name: Content-Language");
    }
}


# each language says all of it: its title, what happened, what can be done

my ($known) = ($t->test_config('flowdash_languages x;'))[1]
    =~ /the known ones are ((?:\w\w, )+\w\w)/;
my @known = split /, /, $known;
cmp_ok(scalar @known, '>=', 10, 'the languages');

my %seen;

for my $language (@known) {
    my $res = act('/all', $language);
    my ($title) = $res->{body} =~ /<title>(.*)<\/title>/;
    my ($what) = $res->{body} =~ /<p>(.*<strong><bdi>CRM<\/bdi>.*)<\/p>/;

    like($title, qr/Finish/, "$language: the action's name");
    ok($title && !$seen{$title}++, "$language: a title of its own");
    ok($what && !$seen{$what}++, "$language: what happened");
    is($res->{body} =~ / dir="(\w+)"/ && $1,
        $language eq 'ar' ? 'rtl' : 'ltr', "$language: the direction");
    like($res->header('Vary'), qr/\bAccept-Language\b/,
        "$language: Vary");

    my $json = act('/all', $language, Accept => 'application/json');
    my $problem = $json->json;
    is($json->header('Content-Language'), $language, "$language: problem+json");
    like($problem->{detail}, qr/"CRM"/, "$language: its detail");
    ok(!$seen{ $problem->{title} }++, "$language: its title");
    is($problem->{status}, 502, "$language: its status");
}

is(act('/one', 'de')->header('Content-Language'), 'fr', 'the only one');
like(act('/one', 'de')->{body}, qr/«\xc2?\xa0?.*Finish/, 'which it is');


# the directive

$t->conf_ok('flowdash_languages ja en;', 'a list');

for (
    [ 'flowdash_languages de klingon;',
      qr/"klingon" in "flowdash_languages": the known ones are en, ar, de, /,
      'a language that is not known' ],
    [ 'flowdash_languages de-AT;', qr/"de-AT" in "flowdash_languages": the known ones are /,
      'a tag that is too precise' ],
    [ 'flowdash_languages de en DE;', qr/"DE" in "flowdash_languages": it is named twice/,
      'a language twice' ],
    [ 'flowdash_languages de; flowdash_languages en;', qr/is duplicate/,
      'two lists' ],
    [ 'flowdash_languages;', qr/invalid number of arguments/, 'an empty list' ],
    [ 'location /x { flowdash_action X; proxy_pass http://127.0.0.1:1; '
      . 'flowdash_step S { flowdash_languages de; '
      . 'flowdash_call http://127.0.0.1:1/; } }',
      qr/flowdash_languages[^\n]*step/s, 'in a step' ],
) {
    my ($conf, $message, $name) = @$_;
    $t->conf_fails($conf, $message, "$name is refused");
}

$t->clear_requests($_) for qw(crm app);
$t->done;
