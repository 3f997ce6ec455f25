package Test::Flowdash::Browser;

=head1 NAME

Test::Flowdash::Browser - headless Chromium, driven by WebDriver

=head1 SYNOPSIS

    my $browser = Test::Flowdash::Browser->new(width => 360, dark => 1);

    $browser->go($url);
    $browser->click('#finish');
    is($browser->wait('#status', qr/done/), 'Finish: done.');

    $browser->type('#subject', 'Naïve');
    $browser->choose('#stage', 'Completed');
    $browser->attach('#file', '/tmp/plan.pdf');
    $browser->click('#submit');

    is_deeply([$browser->axe], [], 'accessible');

Elements are named by CSS selectors, and have a minute to appear. What can't be
done, dies.

=cut

use v5.36;

use Encode qw(decode);
use File::Temp;
use HTTP::Tiny;
use JSON::PP qw(decode_json encode_json);
use MIME::Base64 qw(decode_base64);
use Scalar::Util qw(weaken);
use Time::HiRes qw(sleep time);

use Test::Flowdash::Npm;

my $ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';    # says the standard
my @ARGUMENTS = qw(--headless --no-sandbox --disable-gpu --disable-quic
    --no-first-run --disable-background-networking --disable-sync
    --disable-component-update);

# Those that are open when the test ends must close before Perl takes apart what
# closing one needs.

my @browsers;

END { $_ && $_->DESTROY for @browsers }

# new(width => 1024, height => 900, dark => 0, scripts => 1, scale => 1,
#     load => 'normal')
# With load => 'none', nothing waits until a page is there: what the user does
# meanwhile can be tested.

sub new ($class, %option) {
    my $profile = File::Temp->newdir;
    my $self = bless { profile => $profile }, $class;

    push @browsers, $self;
    weaken($browsers[-1]);

    local $ENV{TMPDIR} = $profile;      # both leave things there

    # It takes a port that is free for IPv4, and gives up if another process has
    # the same one for IPv6.

    for (1 .. 10) {
        last if $self->_start_driver;
    }
    die "chromedriver does not start\n" if !$self->{url};

    my $session = $self->_post('', { capabilities => { alwaysMatch => {
        pageLoadStrategy => $option{load} // 'normal',
        'goog:chromeOptions' => {
            args => [@ARGUMENTS, "--user-data-dir=$profile"] } } } });

    $self->{url} .= "/$session->{sessionId}";

    $self->_chromium('Emulation.setDeviceMetricsOverride',
        width => $option{width} // 1024, height => $option{height} // 900,
        deviceScaleFactor => $option{scale} // 1, mobile => JSON::PP::false);

    $self->_chromium('Emulation.setEmulatedMedia', features => [
        { name => 'prefers-color-scheme',
          value => $option{dark} ? 'dark' : 'light' } ]);

    $self->_chromium('Emulation.setScriptExecutionDisabled',
        value => JSON::PP::true) if !($option{scripts} // 1);

    return $self;
}

sub _start_driver ($self) {
    $self->{pid} = open $self->{driver}, '-|', 'chromedriver', '--port=0'
        or die "chromedriver: $!\n";

    while (readline $self->{driver}) {
        return $self->{url} = "http://127.0.0.1:$1/session"
            if /successfully on port (\d+)/;
    }

    close $self->{driver};
    return;
}

sub DESTROY ($self) {
    local ($@, $?, $!);

    my $pid = delete $self->{pid} or return;
    eval { $self->_send(DELETE => '') };
    kill TERM => $pid;
    close $self->{driver};
}

sub go ($self, $url) {
    $self->_post('/url', { url => $url });
}

sub click ($self, $selector) {
    $self->_post($self->_find($selector) . '/click', {});
}

# Two clicks as a mouse makes them.  Between the two, the sub is called: Chromium
# takes them for a double click however long that lasts.  With load => 'none',
# the second one does not wait for the page that the first one asks for.

sub double_click ($self, $selector, $between) {
    my $place = $self->script('const element = document.querySelector('
        . encode_json([$selector]) . '[0]);'
        . 'element.scrollIntoView({ block: "center" });'
        . 'const box = element.getBoundingClientRect();'
        . 'return { x: box.x + box.width / 2, y: box.y + box.height / 2 }');

    for my $count (1, 2) {
        for my $type (qw(mousePressed mouseReleased)) {
            $self->_chromium('Input.dispatchMouseEvent', type => $type,
                             button => 'left', clickCount => $count, %$place);
        }
        $between->() if $count == 1;
    }
}

# Replaces what is in a text field by characters.  As keys they would have to be
# in the Basic Multilingual Plane, says chromedriver; so they are inserted as by
# an input method.

sub type ($self, $selector, $text) {
    my $field = $self->_find($selector);

    $self->_post("$field/clear", {});
    $self->_post("$field/click", {});
    $self->_chromium('Input.insertText', text => $text);
}

# chooses an option of a select by its value

sub choose ($self, $selector, $value) {
    $self->click(qq($selector option[value="$value"]));
}

# chooses a file, named by an absolute path in bytes, in a file input

sub attach ($self, $selector, $path) {
    $self->_post($self->_find($selector) . '/value',
                 { text => decode('UTF-8', $path) });
}

# as a user sees it: none when it is hidden

sub text ($self, $selector) {
    return $self->_send(GET => $self->_find($selector) . '/text');
}

# The text, as soon as it matches; whatever it is after a minute.  If nobody
# looks at it, that is an error.

sub wait ($self, $selector, $pattern) {
    for (my $end = time + 60; ; sleep 0.05) {
        my $text = eval { $self->text($selector) } // '';
        return $text if $text =~ $pattern;

        next if time <= $end;
        die "$selector has \"$text\" after a minute\n" if !defined wantarray;
        return $text;
    }
}

# of the page that is open: hashes with name and value

sub cookies ($self) { return $self->_send(GET => '/cookie') }

# until the script returns something true; what it is after a minute

sub wait_for_script ($self, $script) {
    for (my $end = time + 60; ; sleep 0.05) {
        my $result = eval { $self->script($script) };
        return $result if $result || time > $end;
    }
}

# enters a frame; without a selector, leaves it

sub frame ($self, $selector = undef) {
    my ($id) = ($selector ? $self->_find($selector) : '') =~ m{([^/]+)$};
    $self->_post('/frame', { id => $id && { $ELEMENT => $id } });
}

sub script ($self, $script) {
    return $self->_post('/execute/sync', { script => $script, args => [] });
}

# What axe-core finds wrong with the page for people with disabilities, a line
# for each element.  npm_modules('axe-core') tells whether it is there.

sub axe ($self) {
    state $axe = do {
        my $modules = npm_modules('axe-core') // die "there is no axe-core\n";
        my $file = "$modules/axe-core/axe.min.js";

        open my $fh, '<:utf8', $file or die "$file: $!\n";
        local $/;
        readline $fh;
    };

    $self->script("$axe; return true");

    my $found = $self->_post('/execute/async', { args => [], script => <<'END' });
        const done = arguments[arguments.length - 1];
        axe.run(document, { iframes: false }).then(({ violations }) =>
            done(violations.flatMap(rule =>
            rule.nodes.map(node => `${rule.id}: ${rule.help}: ${node.html}`))),
            error => done([String(error)]));
END

    return @$found;
}

# a PNG of what is seen, or of one element

sub screenshot ($self, $file, $selector = undef) {
    my $what = $selector ? $self->_find($selector) : '';

    open my $fh, '>:raw', $file or die "$file: $!\n";
    print $fh decode_base64($self->_send(GET => "$what/screenshot"));
    close $fh or die "$file: $!\n";
}

sub _find ($self, $selector) {
    for (my $end = time + 60; time < $end; sleep 0.05) {
        my $found = $self->_post('/elements',
            { using => 'css selector', value => $selector });
        return "/element/$found->[0]{$ELEMENT}" if @$found;
    }

    die "there is no $selector\n";
}

sub _chromium ($self, $command, %params) {
    $self->_post('/goog/cdp/execute', { cmd => $command, params => \%params });
}

sub _post ($self, $path, $body) {
    return $self->_send(POST => $path, encode_json($body));
}

sub _send ($self, $method, $path, $body = '') {
    my $answer = HTTP::Tiny->new(no_proxy => ['127.0.0.1'], timeout => 300)
        ->request($method, $self->{url} . $path, { content => $body });
    my $value = eval { decode_json($answer->{content})->{value} };

    return $value if $answer->{success};
    die "$method $path: ", $value ? $value->{message} : $answer->{content};
}

1;
