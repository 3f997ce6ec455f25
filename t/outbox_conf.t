# flowdash_outbox: what "nginx -t" says of its parameters, its directory and its
# key, and how the directory is created.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

my $t = Test::Flowdash->new;
my $dir = $t->dir;
my $threads = ($t->test_config('', '-V'))[1] =~ /--with-threads/;
my $off = 'fsync=off';

$t->write_file('key', 'k' x 32 . "\n");
$t->write_file('short.key', "k\n");
$t->write_file('file', '');
chmod 0600, map { "$dir/$_" } qw(key short.key);
chmod 0755, $dir;

mkdir "$dir/$_" for qw(all foreign used link_to);
chmod 0777, "$dir/all";
$t->write_file('foreign/mine.txt', '');
mkdir "$dir/used/$_" for qw(waiting undo after unknown dead);
symlink "$dir/link_to", "$dir/link";

my $step = 'flowdash_step S { flowdash_call http://127.0.0.1/; }';
my $after = 'flowdash_after M { flowdash_call http://127.0.0.1/; }';

sub conf {
    my ($outbox, $location) = @_;
    $location //= "$step $after proxy_pass http://127.0.0.1:1;";
    return ($outbox ? "flowdash_outbox $outbox;\n" : '')
        . "server { listen 127.0.0.1:%%PORT_http%%; location / {\n"
        . "flowdash_action A;\n$location\n} }";
}

sub refused {
    my ($name, $outbox, @texts) = @_;
    my ($ok, $output) = $t->test_config(conf($outbox));
    my ($line) = $output =~ /(\[emerg\].*)/s;
    my @missing = grep { index($line // '', $_) < 0 } @texts;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(!$ok && defined $line && !@missing, "refused: $name")
        or diag("missing: @missing\n", $output);
    return;
}

# accepted, with these warnings or without any

sub warned {
    my ($name, $conf, @texts) = @_;
    my ($ok, $output) = $t->test_config($conf);
    my @missing = grep { index($output, $_) < 0 } @texts;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok($ok && !@missing && (@texts || $output !~ /\[warn\]/), "accepted: $name")
        or diag("missing: @missing\n", $output);
    return;
}

my $key = "key=file:$dir/key";


# Parameters

warned('a path and a key', conf("$dir/box $key $off"));
warned('all parameters',
    conf("$dir/box $key $off max_size=1g max_age=12h"));
warned('without a key', conf("$dir/box $off"), 'there is no "key="',
    "runs as the workers' user can forge a record");
warned('without an outbox', conf(''), 'there is no "flowdash_outbox"',
    'are lost when nginx or a worker ends');
warned('without an outbox, and no need of one',
    conf('', "$step proxy_pass http://127.0.0.1:1;"));

refused('two of them', "$dir/box $key $off; flowdash_outbox $dir/other $key $off",
    '"flowdash_outbox" directive is duplicate');
refused('no path', "$key $off", 'the path of a directory is expected');
refused('an empty path', "'' $key $off", 'the path of a directory is expected');
refused('a variable in the path', "$dir/\$host $key $off",
    'the path of a directory is expected', 'variables are not allowed');
refused('an unknown parameter', "$dir/box $key sync=off",
    '"sync=off" in "flowdash_outbox"', '"key=", "fsync=", "max_size="');
refused('a second path', "$dir/box $dir/box2", 'after the path, "key="');
refused('fsync=yes', "$dir/box $key fsync=yes", '"on" or "off" is expected');
refused("$_ twice", "$dir/box $off $_ $_", 'given twice')
    for $key, 'max_size=1g', 'max_age=1d';
refused('fsync= twice', "$dir/box $key fsync=off fsync=off", 'given twice');
refused("max_size=$_", "$dir/box $key $off max_size=$_", 'at least 1m')
    for '1000', '0', 'much', '-1', '';
refused("max_age=$_", "$dir/box $key $off max_age=$_", 'a time over 0')
    for '0', 'long', '';

if ($threads) {
    warned('fsync=on', conf("$dir/box $key fsync=on"));
    warned('fsync is on', conf("$dir/box $key"));
}
else {
    refused('fsync=on', "$dir/box $key fsync=on", '--with-threads');
    warned('fsync is off', conf("$dir/box $key"));
}


# The key

refused('a key in the configuration', "$dir/box $off key=secretsecretsecret",
    'invalid "key="', 'such as "key=file:/path"');
refused('a missing file', "$dir/box $off key=file:$dir/no", "$dir/no");
refused('a variable', "$dir/box $off key=file:\$k", 'variables are not allowed');
refused('a short key', "$dir/box $off key=file:$dir/short.key",
    'at least 16 characters');

my (undef, $output) = $t->test_config(conf("$dir/box $off key=secretsecretsecret"));
unlike($output, qr/secretsecret/, 'the key is in no message');


# The image filter uses what holds a response back

my ($image) = grep { -f } map { "$_/modules/ngx_http_image_filter_module.so" }
    '/usr/lib/nginx', '/usr/share/nginx';

SKIP: {
    skip 'no image filter', 3 if !$image || !$threads;

    my $load = "%%GLOBALS%%\nload_module $image;\nevents { }\nhttp {\n"
        . '%%HTTP_GLOBALS%%';
    my $both = "$step $after proxy_pass http://127.0.0.1:1;";

    for my $filter ('image_filter test;', 'image_filter off;') {
        my ($ok, $output) = $t->test_config(
            "$load\n" . conf("$dir/box $key", "$both $filter") . "\n}");
        is($ok, $filter =~ /off/ ? 1 : '', "fsync=on with $filter")
            or diag($output);
        like($output, qr/"image_filter" cannot be used with undos/, 'why')
            if $filter !~ /off/;
    }
}


# The directory

my $mode = (stat "$dir/box")[2];
is(defined $mode ? sprintf('%o', $mode & 07777) : 'missing', '700',
    'nginx creates the directory');

mkdir "$dir/open";
chmod 0750, "$dir/open";

warned('an empty directory', conf("$dir/open $key $off"));
warned('the directory of an outbox', conf("$dir/used $key $off"));
warned('a link to a directory', conf("$dir/link $key $off"));
warned('a slash at the end', conf("$dir/box/ $key $off"));
warned('a relative path', conf("relative $key $off"));
ok(-d "$dir/relative", 'it begins at the prefix');

refused('a file', "$dir/file $key $off", 'is not a directory');
refused('a directory in a file', "$dir/file/box $key $off",
    'the directory cannot be used', 'Not a directory');
refused('a directory of all users', "$dir/all $key $off",
    'all users can write to this directory');
refused('a directory with other files', "$dir/foreign $key $off",
    'mine.txt" is not a part of an outbox', 'the directory has other files');
refused('no directory to create it in', "$dir/missing/box $key $off",
    'mkdir()', "$dir/missing/box", 'No such file');
refused('the directory of something else',
    "$dir/uwsgi_temp $key $off", 'the same path name');
refused('a path that is too long', "$dir/" . 'x' x 250 . '/' . 'x' x 250 . '/'
    . 'x' x 30 . " $key $off", 'the path is too long');

$t->done;
