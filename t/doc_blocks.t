# Each block of code in the documentation is right: nginx accepts the
# configurations, parsers read the programs and the data, commands are run, and
# an example that shows a request and what becomes of it is played.
#
# An HTML comment before a block, which no reader sees, says what the test does
# with it, beside what it does with all blocks of the kind:
#
#   <!-- run -->                      commands: end well
#   <!-- run: finds something -->     and print something
#   <!-- run: sample of FILE -->      what commands find in that file
#   <!-- run: configuration -->       of an example; "configuration, too" is
#                                     another file of the same one
#   <!-- run: request -->             curl; the next ones are about this request
#   <!-- run: request METHOD URI -->  its body
#   <!-- run: stored -->              what the app answers to GET
#   <!-- run: endpoint gets -->       the body of the call
#   <!-- run: app gets -->            the body, or some lines of the request
#   <!-- run: client gets -->         what curl prints
#   <!-- run: log FILE -->            all lines of that log
#   <!-- run by t/NAME.t -->          it is there that it is run
#   <!-- not run: REASON -->          commands, and what no parser can read
#
# What an endpoint answers is JSON with a "task", in the paragraph before what
# the app gets.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;
use Test::Flowdash::Pages;
use feature 'signatures';
no warnings 'experimental::signatures';

use Encode qw(encode_utf8);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Spec;
use JSON::PP qw(decode_json encode_json);
use List::Util qw(any first uniq);
use MIME::Base64 qw(encode_base64);

my $ROOT = "$FindBin::Bin/..";
my $t = Test::Flowdash->new;
my $dir = $t->dir;

my %block = map { $_ => [ blocks($_) ] } pages();
my @pages = grep { @{ $block{$_} } } sort keys %block;

cmp_ok(scalar(map { @$_ } values %block), '>', 100, 'blocks were found');

# How each kind is read.  What it says is wrong; no message, or undef if the
# program is not there.

my %read = (
    nginx => \&read_nginx,
    json => \&read_json,
    http => \&read_http,
    sh => \&read_sh,
    yaml => \&read_yaml,
    promql => \&read_promql,
    diff => sub ($text) {
        return said('patch', 'diff', $text, '--dry-run', '--fuzz=0', '-p1', '-d',
                    $ROOT, '-i') =~ s/^checking file .*\n(?:Hunk .* succeeded .*\n)*//gmr;
    },
    html => \&read_html,
    ini => sub ($text) {
        return join "\n", grep { !/^(?:|[#;].*|\[\w+\]|\w+=.*)$/ }
            split /\n/, $text;
    },
    js => sub ($text) { said('node', 'block.mjs', $text, '--check') },
    python => sub ($text) {
        said('/usr/bin/python3', 'block.py', $text, '-c',
             'import ast, sys; ast.parse(open(sys.argv[1]).read())');
    },
    php => sub ($text) {
        said('php', 'block.php', $text, '-l') =~ s/^No syntax errors .*\n//r;
    },
    go => sub ($text) { said('gofmt', 'block.go', $text, '-l', '-e') },
    ruby => sub ($text) {
        said('ruby', 'block.rb', $text, '-wc') =~ s/^Syntax OK\n//r;
    },
    perl => sub ($text) {
        said('perl', 'block.pl',
             "use Test::Flowdash;\nmy \$t;\nsub run {\n$text\n}\n",
             "-I$FindBin::Bin/lib", '-c') =~ s/^.* syntax OK\n//r;
    },
);

# An nginx configuration is read as it is run, a directive's syntax by
# t/docs.t.  These words say that there is nothing to read.

my $PROMETHEUS = qr/^(?:groups|scrape_configs):$/m;
my %plain = map { $_ => 1 } qw(text syntax);
my %needs_reason = map { $_ => 1 }
    qw(sh ini html js python php go ruby perl);

# What files in the configurations are taken for.

my %content = (
    auth_basic_user_file => sub { "ada:{PLAIN}secret\nabc123:{PLAIN}secret\n" },
    flowdash_outbox => sub { 'k' x 32 . "\n" },
    flowdash_proxy => sub { "user:password\n" },
    flowdash_secret => sub { "the-token\n" },
    flowdash_sign_key => sub { 'whsec_' . 'A' x 43 . "=\n" },
    certificate => sub { $t->read_file('pair.pem') },
    certificate_key => sub { $t->read_file('pair.key') },
    include => sub { '' },
);

my ($examples, $run) = (0, 0);
prepare();

for my $page (@pages) {
    subtest $page => sub {
        check($page, $_) for @{ $block{$page} };
        check_inline($page);
    };
}

run_commands();
play($_) for @pages;

cmp_ok($run, '>', 5, 'commands were run');
cmp_ok($examples, '>', 3, 'examples were played');
$t->done;


# One block, as it stands on the page.

sub check ($page, $block) {
    my $kind = $block->{kind};
    my $name = "line $block->{line}, " . ($kind || 'unknown');
    my ($how, $what) = marker($block);

    fail("$name: the comment \"$block->{comment}\" is understood")
        if ($how // '') eq '?';

    # a kind that is left to nobody, or would be read if it were not hidden
    my $guess = looks_like($block->{text});
    fail("$name: the word \"text\" is for text, and this looks like $guess")
        if $kind eq 'text' && $guess && !$how;

    # what to do about it: see the top of this file
    ok($how, "$name: is run, or says in a comment why not")
        if $needs_reason{$kind} || !$read{$kind} && !$plain{$kind}
            || $kind eq 'yaml' && $block->{text} !~ /$PROMETHEUS/;

    if (($how // '') eq 'by') {
        my $test = -e "$ROOT/$what" ? content($what) : '';
        ok(index($test, $page) >= 0 || index($test, $page =~ s{^docs/}{/}r) >= 0,
           "$name: $what reads the page");

        # that test has the modules
        return if $block->{text} =~ /\b(?:js_\w+|\w+_by_lua_block)\b/;
    }

    return if !$read{$kind} || ($how // '') eq 'not' && !$needs_reason{$kind};

    my $message = eval { $read{$kind}->($block->{text}) } // $@;
  SKIP: {
        skip $message, 1 if $message =~ /^no program \S+$/;
        is($message =~ s/\s+\z//r, '', "$name: can be read");
    }
}

# What stands between backticks in a sentence: whole directives, and make.

sub check_inline ($page) {
    my @code = uniq map { s/\s+/ /gr } prose($page) =~ /(?<!`)`([^`]+)`(?!`)/g;

    for my $code (grep { /^[a-z]\w* .*\w.*[;}]$/ } @code) {
        my @wrong = map { eval { read_nginx($_) } // $@ }
            "location / {\nproxy_pass http://app;\n$code\n}\n",
            "upstream x {\nserver 127.0.0.1:1;\n$code\n}\n",
            "$code\nserver {\nlisten 80;\n}\n";
        ok((any { !$_ } @wrong), "`$code`: nginx accepts it")
            || diag($wrong[0]);
    }

    # on other pages, it can be another Makefile
    return if $page =~ m{/packaging/};
    is(join(' ', unknown_targets($_)), '', "`$_`: there is this target")
        for grep { /^make / } @code;
}

sub marker ($block) {
    my $comment = $block->{comment} // '';
    return ('run', $1 // '') if $comment =~ /^run(?:: (.+))?$/;
    return ('by', $1) if $comment =~ m{^run by (t/[\w/]+\.t)$};
    return ('not', $1) if $comment =~ /^not run: (.*\w.* \w.*)$/;
    return ('?') if $comment =~ /\brun\b/;
    return;
}

sub content ($name) {
    open my $file, '<', "$ROOT/$name" or die "$name: $!\n";
    local $/;
    return scalar readline $file;
}

# what a program says of a file, the last of its arguments

sub said ($program, $name, $text, @arguments) {
    return "no program $program"
        if !(File::Spec->file_name_is_absolute($program) ? -x $program
             : any { -x "$_/$program" } File::Spec->path);

    my $path = $t->write_file("block/$name", encode_utf8($text));
    open my $pipe, '-|', 'sh', '-c', 'exec "$@" 2>&1 </dev/null', 'sh',
        $program, @arguments, $path or die "$program: $!\n";
    my $output = do { local $/; readline $pipe } // '';
    close $pipe;
    return $? && $output !~ /\S/ ? "$program fails" : $output;
}

sub read_json ($text) {
    # {...} is for what the page leaves out
    $text =~ s/\{\.\.\.\}/{}/g;
    $text =~ s/\[\.\.\.\]/[]/g;
    return eval { decode_json(encode_utf8($text)); '' } // $@;
}

# a request or an answer: names and values, and a body that is JSON if it says
# so

sub read_http ($text) {
    my ($head, $body) = split /\n\n/, $text, 2;
    my ($first, @headers) = split /\n/, $head;
    my @wrong = grep { !/^[\w-]+: \S/ } @headers;

    push @wrong, $first
        if $first !~ m{^(?:[A-Z]+ /\S* HTTP/1\.1|HTTP/1\.1 \d{3} \S.*)$};
    push @wrong, read_json($body) || ()
        if $head =~ m{^Content-Type: application/(?:\w+\+)?json$}m;
    return join "\n", @wrong;
}

# The shell reads it; the targets of make, and files of the repository, exist.

sub read_sh ($text) {
    my $wrong = said('bash', 'block.sh', $text, '-n');
    my $code = $text =~ s/\\\n/ /gr =~ s/(?:^|\s)#.*$//gmr;
    $wrong .= "make has no target $_\n" for unknown_targets($code);

    for my $path ($code =~ m{(?<![\w./-])((?:t|docs|debian)/[\w./-]+)}g) {
        $wrong .= "there is no $path\n" if !-e "$ROOT/$path";
    }

    return $wrong;
}

sub unknown_targets ($commands) {
    my ($targets) = content('Makefile') =~ /^\.PHONY:((?:.*\\\n)*.*)$/m;
    my %known = map { $_ => 1 } split ' ', $targets =~ s/\\\n/ /gr;

    return grep { !$known{$_} && !/=/ } map { split ' ' }
        grep { !/ -C/ } $commands =~ /^\s*make((?: +[^\s|&;]+)*)/gm;
}

sub read_yaml ($text) {
    my $wrong = said('ruby', 'block.yml', $text, '-ryaml', '-e',
                     'YAML.load_stream(File.read(ARGV[0]))');
    return $wrong if $wrong;

    return '' if $text !~ /$PROMETHEUS/;

    return said('promtool', 'block.yml', $text, 'check',
                $text =~ /^groups:/m ? 'rules' : 'config')
        =~ s/^Checking .*\n(?: +SUCCESS: .*\n)?\n?//r;
}

# as the only rule of a file

sub read_promql ($text) {
    return read_yaml(encode_json({ groups => [ {
        name => 'x', rules => [ { record => 'x', expr => $text } ] } ] })
        =~ s/^\{"groups":/groups:\n  /r =~ s/\}\z//r);
}

# tags and SSI's commands; what follows from them, only nginx can say

sub read_html ($text) {
    my @open;
    for my $command ($text =~ /<!--# *(\w+)/g) {
        push @open, $command if $command eq 'if';
        return "a $command without if\n"
            if $command =~ /^(?:elif|else|endif)$/ && !@open;
        pop @open if $command eq 'endif';
    }
    return @open ? "an if without endif\n" : '';
}


# nginx -t, with the module: no message at all.

sub read_nginx ($text) {
    my ($ok, $output) = $t->test_config(whole($t, $text));
    my @messages = grep { /\[(?:warn|emerg)\]/ } split /\n/, $output;
    return join "\n", $ok || @messages ? () : 'refused', @messages;
}

sub prepare {
    system("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=example -days 2"
           . " -keyout $dir/pair.key -out $dir/pair.pem 2>$dir/openssl.log") == 0
        or die 'openssl: ', $t->read_file('openssl.log');
}

# An example as a whole nginx.conf, in which nothing is taken from the machine:
# files are below the test's directory, and a port is another one.

sub whole ($t, $conf) {
    my %level = map { $_ => 1 } top_level($conf);

    if (!$level{http} && !$level{events} && !$level{worker_rlimit_nofile}) {

        if (!grep { $level{$_} } qw(server log_format map geo upstream)) {
            $conf = "flowdash_step x {\n$conf\n}\n" if $level{flowdash_call};
            $conf = "location / {\nflowdash_action x;\n$conf\n"
                . "proxy_pass http://app;\n}\n" if $level{flowdash_step} || $level{flowdash_call};

            # from the expression of a location that is not repeated there
            my $set = $conf =~ /\$id\b/ && $conf !~ /\?<id>/
                ? qq(set \$id "";\n) : '';
            $conf = "server {\nlisten 80;\n$set$conf\n}\n";
        }

        # from the http block, which is not repeated there
        $conf = "flowdash_secret \$crm_token file:/etc/nginx/crm.token;\n$conf"
            if $conf =~ /\$crm_token\b/ && $conf !~ /flowdash_secret/;
        $conf = "flowdash_outbox /var/lib/outbox key=file:/etc/outbox.key;\n"
            . $conf
            if $conf =~ /flowdash_(?:undo|after)\b/
            && $conf !~ /flowdash_outbox/;
        $conf = "map \$status $1 { default ok; }\n$conf"
            if $conf =~ /\bflowdash_outcome\s+(\$\w+);/
            && $conf !~ /\b(?:map|set)\b[^;{]*\Q$1\E\b/;

        $conf = "http {\n$conf\n}\n";
    }

    $conf =~ s/^\s*(?:load_module|error_log)\s[^;]*;//gm;
    $conf =~ s{(?<=[\s:"])/(?=(?:etc|srv|var)/)}{%%DIR%%/}g;
    $conf =~ s/(\blisten\s+)(?:[\d.]+:)?(\d+)/${1}127.0.0.1:%%PORT_p$2%%/g;

    write_files($t, $conf);

    for my $file ($conf =~ /^\s*include\s+(\w+);/gm) {
        $t->write_file($file, '');
    }

    my %defined = map { $_ => 1 } $conf =~ /\bupstream\s+(\S+)/g;
    my %used = map { $_ => 1 }
        $conf =~ m{_pass\s+(?:\w+://)?([a-z][\w.-]*)(?=[/;])}g;

    my $stubs = join '', map { "upstream $_ { server 127.0.0.1:1; }\n" }
        grep { !$defined{$_} && $_ ne 'unix' } sort keys %used;

    $conf .= "http { }\n" if $conf !~ /\bhttp\s*\{/;
    $conf = "events { }\n$conf" if $conf !~ /\bevents\s*\{/;
    $conf =~ s/(\bhttp\s*\{)/$1\n%%HTTP_GLOBALS%%\n$stubs/;

    return "%%GLOBALS%%\n$conf";
}

# Those that nginx wants to read, with something of their kind; of others, the
# directories.

sub write_files ($t, $conf) {
    $conf =~ s/(?<=\s)#.*$//gm;

    while ($conf =~ /(?<=[;{}])\s*(\w+)(\s[^;{}]*%%DIR%%[^;]*);/g) {
        my ($name, $arguments) = ($1, $2);
        $name =~ s/^\w+_ssl_(?:trusted_)?//;

        for my $file ($arguments =~ m|%%DIR%%/([^\s;"]+)|g) {
            make_path(dirname($t->dir . "/$file"));
            next if !$content{$name} || -e $t->dir . "/$file";
            next if $name eq 'flowdash_outbox'            # a directory
                && $arguments !~ /file:%%DIR%%.\Q$file\E/;
            $t->write_file($file, $content{$name}->());
            chmod $name =~ /^flowdash|key$/ ? 0600 : 0644, $t->dir . "/$file";
        }
    }
}

# the names of the directives outside of all blocks

sub top_level ($conf) {
    my $string = qr/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/;

    $conf =~ s/$string/x/g;
    $conf =~ s/#.*$//gm;
    1 while $conf =~ s/(?<!\$)\{[^{}]*\}/;/;

    return $conf =~ /(?:\A|;)\s*(\w+)/g;
}


# Commands, with files below the test's directory.  The samples of all pages
# are there; a line that the page has wrapped is one line.

sub run_commands {
    my %sample;

    for my $block (map { @$_ } @block{@pages}) {
        my ($how, $what) = marker($block);
        next if ($how // '') ne 'run' || $what !~ m{^sample of /(\S+)$};
        $sample{$1} .= $block->{text} =~ s{\n(?!\d{4}/|\*|flowdash |\{|\z) *}{ }gr;
    }
    $t->write_file("root/$_", encode_utf8($sample{$_})) for keys %sample;

    for my $page (@pages) {
        for my $block (@{ $block{$page} }) {
            my ($how, $what) = marker($block);
            next if ($how // '') ne 'run' || $what !~ /^(?:finds something)?$/;

            my ($status, $output) = shell($t->dir . '/root', $block->{text});
            my $name = "$page:$block->{line}";
            is($status, 0, "$name: ends well") or diag($output);
            like($output, qr/\S/, "$name: finds something") if $what;
            $run++;
        }
    }
}

sub shell ($root, $commands) {
    $commands =~ s{(?<=[\s:'"@>])/(?=(?:etc|var)/)}{$root/}g;
    make_path("$root/etc/nginx", "$root/var/log/nginx");
    my $script = $t->write_file('run.sh', encode_utf8("cd $root\n$commands"));
    my $output = qx{bash -eo pipefail $script 2>&1 </dev/null};
    return ($?, $output);
}


# The examples of a page.

sub play ($page) {
    my @parts = map {
        my ($how, $what) = marker($_);
        ($how // '') eq 'run' && $what && $what !~ /^(?:sample|finds) /
            ? { %$_, role => $what } : ();
    } @{ $block{$page} };

    while (@parts) {
        my $first = shift @parts;
        my $name = "$page:$first->{line}";

        is($first->{role}, 'configuration', "$name: an example begins so")
            or return;

        my $conf = $first->{text};
        $conf .= shift(@parts)->{text}
            while @parts && $parts[0]{role} eq 'configuration, too';

        my @steps;
        push @steps, shift @parts
            while @parts && $parts[0]{role} ne 'configuration';

        subtest $name => sub { example($conf, @steps) };
        $examples++;
    }
}

sub example ($conf, @parts) {
    my $t = Test::Flowdash->new(log_level => 'info');
    my $stand = { t => $t };

    $conf = whole($t, $conf);
    $conf =~ s{https?://(?=[\w.-]+\.example\.com/)([\w.-]+)}
              {http://127.0.0.1:%%PORT_endpoint%%}g;
    $conf =~ s/127\.0\.0\.1:(\d+)/127.0.0.1:%%PORT_p$1%%/g;

    my %listens = map { $_ => 1 } $conf =~ /\blisten\s+\S*%%PORT_p(\d+)%%/g;
    my %server = $conf =~ /\bupstream\s+(\w+)\s*\{\s*server\s+\S*%%PORT_p(\d+)%%/g;

    $t->endpoint(endpoint => sub {
        return { status => 200, headers => [ 'Content-Type', 'application/json' ],
                 body => $t->read_file('answer') };
    });
    for my $upstream (grep { !$listens{ $server{$_} } } sort keys %server) {
        $t->endpoint("p$server{$upstream}" => sub ($request) {
            my $stored = $request->{method} eq 'GET'
                ? $t->read_file('stored') : undef;
            return { status => 200, body => $stored // '{}',
                     headers => [ 'Content-Type', 'application/json',
                                  'X-User-Id', 'abc123' ] };
        });
        $stand->{app} = "p$server{$upstream}" if $upstream =~ /app/;
    }
    $stand->{ports} = [ uniq $conf =~ /%%PORT_p(\d+)%%/g ];
    ($stand->{http}) = sort { $a <=> $b } keys %listens;
    $t->config($conf);
    $t->run;

    my $requests = 0;
    while (@parts) {
        my %exchange = (request => shift @parts);
        like($exchange{request}{role}, qr/^request\b/,
             "line $exchange{request}{line}: what belongs to it follows a request");
        while (@parts && $parts[0]{role} !~ /^request\b/) {
            my $part = shift @parts;
            my ($role, $argument) = $part->{role}
                =~ m{^(stored|endpoint gets|app gets|client gets|log)(?:(?<=log) (/\S+))?$};
            fail("line $part->{line}: \"$part->{role}\" is known"), next
                if !$role;
            $exchange{$role} = { %$part, argument => $argument };
        }
        exchange($stand, \%exchange);
        $requests++;
    }
    cmp_ok($requests, '>', 0, 'it has a request');
    $t->done;
}

sub exchange ($stand, $exchange) {
    my $t = $stand->{t};

    my @prose = map { $_->{before} }
        grep { $_ } @$exchange{ 'app gets', 'endpoint gets' };
    my $answer = first { eval { ref decode_json($_)->{task} } }
        map { /`(\{[^`]+\})`/g } @prose;

    $stand->{answer} = $answer // $stand->{answer} // '{}';
    $t->write_file('answer', $stand->{answer});
    $t->write_file('stored', joined($exchange->{stored}{text}))
        if $exchange->{stored};
    my $printed = request($stand, $exchange->{request});

    my $is = sub ($got, $role) {
        my $part = $exchange->{$role} or return;
        return is($got, joined($part->{text}), "line $part->{line}: $role");
    };

    $is->($printed =~ s/\s+\z//r, 'client gets');

    my @calls = $t->new_requests('endpoint');
    $is->(join("\n", map { $_->{body} } @calls), 'endpoint gets');

    if (my $part = $exchange->{'app gets'}) {
        my ($got) = grep { $_->{method} ne 'GET' }
            $t->new_requests($stand->{app});
        my $whole = "$got->{method} $got->{target}\n\n$got->{body}\n"
            =~ s/\r\n/\n/gr;
        $part->{kind} eq 'json' ? $is->($got->{body}, 'app gets')
            : ok(index($whole, $part->{text}) >= 0,
                 "line $part->{line}: app gets") || diag($whole);
    }

    if (my $part = $exchange->{log}) {
        my @expected = sort split /\n/, $part->{text};
        my $file = $part->{argument} =~ s{^/}{}r;
        $t->wait_for(sub {
            ($t->read_file($file) // '') =~ tr/\n// >= @expected;
        });
        is(join("\n", sort split /\n/, documented($stand, $t->read_file($file))),
           join("\n", @expected), "line $part->{line}: the log");
    }
}

# returns what the client gets, or what the commands print

sub request ($stand, $part) {
    my $t = $stand->{t};

    if (my ($method, $uri) = $part->{role} =~ /^request (\w+) (\S+)$/) {
        my $answer = $t->request($method, $uri,
            port => "p$stand->{http}", body => joined($part->{text}),
            headers => [ 'Content-Type' => 'application/json',
                Authorization => 'Basic ' . encode_base64('abc123:secret', '')
            ]);
        is($answer->{status}, 200, "line $part->{line}: the request");
        return $answer->{body};
    }

    # the log is looked at below, when nginx has written it
    my $commands = $part->{text} =~ s/^cat .*\n//gmr;
    $commands =~ s{(//(?:localhost|127\.0\.0\.1))(?::(\d+))?(?=/)}
                  {"$1:" . $t->port('p' . ($2 // 80))}ge;
    $commands =~ s/-u \w+\K(?= )/:secret/g;
    $commands =~ s/^curl /curl -sS --fail /gm;
    $t->write_file($_, 'a file') for $commands =~ /\@(\w[\w.-]*)/g;

    my ($status, $output) = shell($t->dir, $commands);
    is($status, 0, "line $part->{line}: the request") or diag($output);
    return documented($stand, $output);
}

# the ports as on the page

sub documented ($stand, $text) {
    my %documented = map { ($stand->{t}->port("p$_") => $_) }
        @{ $stand->{ports} };
    return $text =~ s/\b(\d{4,5})\b/$documented{$1} \/\/ $1/ger;
}

# JSON that the page has wrapped

sub joined ($text) { return encode_utf8($text =~ s/\n *//gr) }
