package Test::Flowdash::Recipe;

=head1 NAME

Test::Flowdash::Recipe - the configurations of docs/recipes, in front of real apps

=head1 SYNOPSIS

    use Test::Flowdash;
    use Test::Flowdash::Recipe;

    my $t = Test::Flowdash->new;

    start_app($t, app => [ 'node', 'server.js', $t->port('app') ],
              ready => '/tasks');
    answering_endpoint($t, 'hooks');

    run_recipe($t, 'docs/recipes/rest.md',
               'hooks.example.com' => 'hooks', '127.0.0.1:3000' => 'app');

    answers($t, 'hooks', 422, '{"message":"no"}');

=head1 ENVIRONMENT

    FLOWDASH_RECIPES  where apps are installed; else build/recipes
    FLOWDASH_SHOTS    where screenshots go; none without it

=cut

use v5.36;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use JSON::PP qw(decode_json);
use Test::More;

use Test::Flowdash::Pages;

our @EXPORT = qw(run_recipe shown start_app start_fpm recipes_dir npm_app shot
    answering_endpoint answers);

my $ROOT = abs_path(dirname(__FILE__) . '/../../../..');

# where apps are installed; they stay there

sub recipes_dir ($name = '') {
    my $dir = $ENV{FLOWDASH_RECIPES} // "$ROOT/build/recipes";
    make_path("$dir/$name");
    return $name ? "$dir/$name" : $dir;
}

# npm_app('json-server@0.17.4', ...) installs the packages, whose scripts do not
# run, and returns their directory.

sub npm_app ($name, @packages) {
    my $dir = recipes_dir($name);
    my $done = "$dir/installed";

    if (!-e $done || _content($done) ne "@packages\n") {
        system('npm', 'install', '--prefix', $dir, qw(--no-save
               --no-package-lock --no-audit --no-fund --ignore-scripts
               --loglevel=error), @packages) == 0
            or die "npm cannot install @packages\n";
        open my $file, '>', $done or die "$done: $!\n";
        print $file "@packages\n";
        close $file or die "$done: $!\n";
    }

    return $dir;
}

# A block of nginx's configuration from a page: the one that says "http {", or
# the one that the pattern finds.

sub recipe ($page, $which = qr/^http \{/m) {
    my ($block) = grep { $_->{kind} eq 'nginx' && $_->{text} =~ $which }
        blocks($page);
    return ($block // die "$page has no such block\n")->{text};
}

# The JSON of a page that has a member of this name.

sub shown ($page, $member) {
    my ($block) = grep { $_->{kind} eq 'json' && $_->{text} =~ /"$member":/ }
        blocks($page);
    return decode_json(($block // die "$page shows no $member\n")->{text});
}

# Starts nginx with the configuration of a page, on the port "http".  The hosts
# in it become ports of the test; more(...) changes what the text has besides.

sub run_recipe ($t, $page, %option) {
    my $more = delete $option{more} // sub ($conf) { $conf };
    my $conf = recipe($page);
    my $load = join '', $conf =~ m{^load_module modules/ngx_http_js_module\.so;\n}gm;

    $load =~ s{modules/}{/usr/lib/nginx/modules/}g;
    $conf =~ s/^load_module .*;\n//gm;
    $conf =~ s/\blisten 80;/listen 127.0.0.1:%%PORT_http%%;/g;
    $conf =~ s/\b(proxy_set_header\s+Host\s+\$host);/$1:\$server_port;/g;

    for my $host (sort keys %option) {
        my $port = "127.0.0.1:%%PORT_$option{$host}%%";
        $conf =~ s{https://\Q$host\E(?=[/;])}{http://$port}g
            + $conf =~ s{(?<=[ /])\Q$host\E(?=[/;])}{$port}g
            or die "$page: $host is not there\n";
    }

    $conf =~ s{(?<=[\s:"])/(?=(?:etc|srv|var)/)}{%%DIR%%/}g;
    $conf =~ s{\binclude(\s+)(?=\w+;)}{include$1/etc/nginx/}g;
    $conf =~ s/(?<=^http \{\n)/%%HTTP_GLOBALS%%\n/m;

    $conf = $more->("%%GLOBALS%%\n$load$conf");
    my ($ok, $said) = $t->test_config($conf);
    is(join("\n", $said =~ /^.*\[(?:warn|emerg)\].*$/gm), '',
       "$page: nginx -t has nothing to say");

    $t->config($conf);
    return $t->run;
}

# start_app($t, name => [ command ... ], ready => '/path',
#           env => { ... }, dir => '...')
# The app listens on the port of that name, and ends with the test.  Waits until
# it answers the path with less than 500, or, without a path, until it listens;
# how long that takes does not matter.

sub start_app ($t, $name, $command, %option) {
    my $log = $t->dir . "/$name.log";
    $t->port($name);

    my $pid = $t->_fork(sub {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', $log or die "$log: $!\n";
        open STDERR, '>&', \*STDOUT;
        %ENV = (%ENV, %{ $option{env} // {} });
        chdir $option{dir} or die "$option{dir}: $!\n" if $option{dir};
        exec @$command or die "$command->[0]: $!\n";
    });

    my $ended;
    my $up = $t->wait_for(sub {
        return 1 if $ended = defined $t->_reap($pid, 0);
        return !!eval { $t->connect($name) } if !$option{ready};
        my $status = eval { $t->get($option{ready}, port => $name,
                                    timeout => 300)->{status} } // 0;
        return $status && $status < 500;
    }, 600);
    return $pid if $up && !$ended;

    die "$name does not start:\n", $t->read_file("$name.log") // '';
}

# PHP by FastCGI on the port of that name, with these variables for scripts

sub start_fpm ($t, $name, %env) {
    my ($fpm) = glob '/usr/sbin/php-fpm*' or die "there is no php-fpm\n";
    my ($dir, $port) = ($t->dir, $t->port($name));
    my $env = join "\n", map { "env[$_] = $env{$_}" } sort keys %env;

    $t->write_file('fpm.conf', <<"END");
[global]
daemonize = no
error_log = $dir/fpm.log
[www]
user = root
group = root
listen = 127.0.0.1:$port
pm = static
pm.max_children = 2
php_value[session.save_path] = $dir
$env
END

    return start_app($t, $name => [ $fpm, '-R', '-y', "$dir/fpm.conf" ]);
}

# An endpoint whose answers the test chooses by answers(): at first 204.

sub answering_endpoint ($t, $name) {
    $t->write_file("$name.answer", "204\n");

    return $t->endpoint($name, sub ($request) {
        my ($status, $body) = split /\n/, $t->read_file("$name.answer"), 2;
        return { status => $status, body => $body,
                 headers => [ 'Content-Type' => 'application/json' ] };
    });
}

sub answers ($t, $name, $status, $body = '') {
    $t->write_file("$name.answer", "$status\n$body");
    return;
}

# what the browser shows, for somebody to look at

sub shot ($browser, $name) {
    my $dir = $ENV{FLOWDASH_SHOTS} or return;
    make_path($dir);
    $browser->screenshot("$dir/$name.png");
    return;
}

sub _content ($name) {
    open my $file, '<', $name or die "$name: $!\n";
    local $/;
    return scalar readline $file;
}

1;
