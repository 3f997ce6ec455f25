package Scenarios;

# What clients are asked to send, what they mean by it, and how each client is
# run.  Values are bytes, in UTF-8.

use v5.36;

my $note = "Gr\xc3\xbc\xc3\x9fe, \"50 %\" & <mehr>; a=b+c #1 'x' \\ {y}\r\n"
    . "zweite Zeile \xe2\x82\xac";
my $note_json = $note =~ s/["\\]/\\$&/gr =~ s/\r\n/\\r\\n/r;

my @fields = (
    'utf8' => "\xe2\x9c\x93",
    'authenticity_token' => 'p0+/q==',
    'task[Stage]' => 'Open',
    'task[Assigned To]' => 'user@example.com',
    'task[Note]' => $note,
    "task[Gr\xc3\xb6\xc3\x9fe]" => '3',
    'task[Due]' => '',
    'task[Labels][]' => 'red',
    'task[Labels][]' => 'blue',
);

my $task = qq({"Stage":"Open","Assigned To":"user\@example.com",)
    . qq("Note":"$note_json","Gr\xc3\xb6\xc3\x9fe":"3","Due":"",)
    . qq("Labels":["red","blue"]});

# the same of a client that cannot repeat a name
my @simple = @fields[0 .. 13];
my $simple = $task =~ s/,"Labels".*/}/r;

my $json = qq({"task":{"Stage":"Open","Assigned To":"user\@example.com",)
    . qq("Note":"$note_json","Gr\xc3\xb6\xc3\x9fe":3,"Due":null,)
    . qq("Done":false,"Price":10000.5,"Labels":["red","blue"]},"v":[1,{}]});
my $json_task = $json =~ s/^\{"task":|,"v":.*//gr;

# A file is [ name, content ]; TYPE is what the client says that it is.

my @file = ('task[Stage]' => 'Open',
            'task[Offer]' => [ 'offer.txt', "10 EUR\n" ]);
my $file = '{"Stage":"Open","Offer":[{"filename":"offer.txt",'
    . '"contentType":"TYPE","size":7}]}';

my $odd = "Angebot Gr\xc3\xb6\xc3\x9fe 1;2 'x'.txt";

my %scenarios = (
    urlencoded => [ '/task', $task, @fields ],
    multipart => [ '/task', $task, @fields ],
    query => [ '/task', $task, @fields ],
    json => [ '/task', $json_task, $json ],
    flat => [ '', '{"Stage":"Open","Assigned To":"a b","Due":""}',
              'Stage' => 'Open', 'Assigned To' => 'a b', 'Due' => '' ],
    file => [ '/task', $file, @file ],
    files => [
        '/task', '{"Stage":"Open","Offers":[{"filename":"offer.txt",'
        . '"contentType":"TYPE","size":7},{"filename":"second.txt",'
        . '"contentType":"TYPE","size":0}]}',
        'task[Stage]' => 'Open',
        'task[Offers][]' => [ 'offer.txt', "10 EUR\n" ],
        'task[Offers][]' => [ 'second.txt', '' ] ],
    filename => [
        '/task', '{"Stage":"Open","Offer":[{"filename":"' . $odd
        . '","contentType":"TYPE","size":3}]}',
        'task[Stage]' => 'Open', 'task[Offer]' => [ $odd, "x\r\n" ] ],
    beside => [
        '/task', '{"Stage":"Open"}',
        'task[Stage]' => 'Open', 'attachments[1][file]' => [ $odd, "x\r\n" ] ],
    names => [
        '/task', '{"Stage":"Open","Size (L)":"3","Who\'s, else?":"4"}',
        'task[Stage]' => 'Open', 'task[Size (L)]' => '3',
        "task[Who's, else?]" => '4' ],
    semicolon => [
        '/task', '{"Stage":"Open","a;b":"4"}', 'task[Stage]' => 'Open',
        'task[a;b]' => '4', 'attachment' => [ 'empty.txt', '' ] ],
    quotes => [
        '/task', '{"Stage":"Open","Size \"L\"":"3"}',
        'task[Stage]' => 'Open', 'task[Size "L"]' => '3',
        'attachment' => [ 'empty.txt', '' ] ],
    quoted => [
        '/task', '{"Stage":"Open","Offer":[{"filename":"\"a\".txt",'
        . '"contentType":"TYPE","size":1}]}',
        'task[Stage]' => 'Open', 'task[Offer]' => [ '"a".txt', 'x' ] ],
    redmine => [
        '/issue', '{"status_id":"5","is_private":["0","1"],'
        . '"subject":"Can\'t log in","description":"' . $note_json . '",'
        . '"custom_field_values":{"1":"x","2":["","a","b"]},'
        . '"due_date":"2020-01-31","lock_version":"3"}',
        '_method' => 'patch', 'authenticity_token' => 'p0+/q==',
        'issue[status_id]' => '5',
        'issue[is_private]' => '0', 'issue[is_private]' => '1',
        'issue[subject]' => "Can't log in", 'issue[description]' => $note,
        'issue[custom_field_values][1]' => 'x',
        'issue[custom_field_values][2][]' => '',
        'issue[custom_field_values][2][]' => 'a',
        'issue[custom_field_values][2][]' => 'b',
        'issue[due_date]' => '2020-01-31', 'issue[lock_version]' => '3',
        'issue[notes]' => '', 'time_entry[hours]' => '',
        'was_default_status' => '1', 'last_journal_id' => '',
        'attachments[dummy][file]' => undef, 'commit' => 'Submit' ],
    rails => [
        '/issue', '{"Stage":"Open","tag_ids":["","1","2"],"items_attributes":'
        . '{"0":{"_destroy":["false","1"],"id":"8","name":"a b"},'
        . '"1690000000000":{"name":"new"}},"due(1i)":"2020","due(2i)":"1"}',
        'utf8' => "\xe2\x9c\x93", '_method' => 'patch',
        'authenticity_token' => 'p0+/q==',
        'issue[Stage]' => 'Open', 'issue[tag_ids][]' => '',
        'issue[tag_ids][]' => '1', 'issue[tag_ids][]' => '2',
        'issue[items_attributes][0][_destroy]' => 'false',
        'issue[items_attributes][0][_destroy]' => '1',
        'issue[items_attributes][0][id]' => '8',
        'issue[items_attributes][0][name]' => 'a b',
        'issue[items_attributes][1690000000000][name]' => 'new',
        'issue[due(1i)]' => '2020', 'issue[due(2i)]' => '1',
        'commit' => 'Update Issue' ],
    image => [ '/task', '{"Stage":"Open"}', 'task[Stage]' => 'Open',
               'go' => \'image' ],
    nofile => [
        '/task', '{"Stage":"Open","Offer":[],"Offers":[]}',
        'task[Stage]' => 'Open', 'task[Offer]' => undef,
        'task[Offers][]' => undef ],
);
$scenarios{redmine}[1] =~ s/\}\z/,"notes":""}/;
$scenarios{simple} = [ '/task', $simple, @simple ];

my @common = qw(urlencoded multipart query json flat);
my @files = qw(file files filename beside names);
my @odd = qw(quotes quoted semicolon);

sub by ($program, @before) {
    return sub ($kind, $url, @arguments) {
        return ("$program->[-1] @before $kind" =~ s/  +/ /gr, @$program,
                @before, $kind, $url, @arguments);
    };
}

my $python = '/usr/bin/python3';
my $java = [ 'java', '-cp', '/usr/share/java/*' ];

sub python ($name) {
    return by([ $python, "record/${name}_client.py" ]),
        "$python -c 'import $name; print($name.__version__)'";
}

sub node ($name, $package = $name) {
    return by([ 'node', 'record/node_client.mjs' ], $name),
        "node -p 'require(process.env.FLOWDASH_CLIENTS +"
        . " \"/node_modules/$package/package.json\").version'";
}

sub php ($name, $version) {
    return by([ 'php', 'record/php_client.php' ], $name),
        "php -r 'echo $version;'";
}

my $text = 'text/plain';
my $binary = 'application/octet-stream';

# client => [ title, type of files, program, version, scenarios; scenario =>
# { what is different } ]

my %programs = (
    requests => [ 'Python requests', $text, python('requests'),
                  @common, @files, @odd, 'untyped' ],
    httpx => [ 'Python httpx', $text, python('httpx'), @common, @files ],
    aiohttp => [ 'Python aiohttp', $text, python('aiohttp'),
                 qw(urlencoded query json flat), @files, 'unquoted' ],
    go => [ 'Go net/http and mime/multipart', $binary,
            by([ 'go', 'run', 'record/go_client.go' ]),
            'go env GOVERSION', @common, @files, @odd ],
    lwp => [ 'LWP with HTTP::Request::Common', $text,
             by([ 'perl', 'record/lwp_client.pl' ]),
             'perl -MLWP -e "print LWP->VERSION"', @common, @files, @odd ],
    mojo => [ 'Mojo::UserAgent', $text,
              by([ 'perl', 'record/mojo_client.pl' ]),
              'perl -MMojolicious -e "print Mojolicious->VERSION"',
              @common, @files, 'untyped' ],
    'net-http' => [ 'Ruby Net::HTTP', $binary,
                    by([ 'ruby', 'record/net_http_client.rb' ]),
                    'ruby -e "print RUBY_VERSION"', @common, @files ],
    guzzle => [ 'PHP Guzzle', $text,
                by([ 'php', 'record/php_client.php' ], 'guzzle'),
                'dpkg-query -W -f \'${Version}\' php-guzzlehttp-guzzle',
                @common, @files ],
    'php-curl' => [ 'PHP curl extension', $text,
                    php('curl', 'PHP_VERSION'), qw(urlencoded simple json file
                    filename beside names) ],
    'php-stream' => [ 'PHP file_get_contents() with http_build_query()', $text,
                      php('stream', 'PHP_VERSION'), qw(urlencoded json flat) ],
    fetch => [ 'Node fetch', $text,
               by([ 'node', 'record/node_client.mjs' ], 'fetch'),
               'node -v', @common, @files ],
    undici => [ 'undici', $text, node('undici'), @common, @files ],
    'node-fetch' => [ 'node-fetch', $text, node('node-fetch'),
                      @common, @files ],
    got => [ 'got', $text, node('got'), qw(multipart query json flat),
             @files ],
    superagent => [ 'superagent', $text, node('superagent'),
                    qw(urlencoded multipart json), @files, 'object' ],
    axios => [ 'axios with FormData of Node', $text, node('axios'),
               @common, @files, qw(object urlencoded-object params) ],
    'form-data' => [ 'axios with npm\'s form-data', $text,
                     node('axios-form-data', 'form-data'),
                     qw(multipart), @files ],
    okhttp => [ 'OkHttp', $text, by([ @$java, 'record/OkHttpClientRun.java' ]),
                'dpkg-query -W -f \'${Version}\' libokhttp-java',
                @common, @files ],
    'apache-httpclient' => [
        'Apache HttpClient', $binary,
        by([ @$java, 'record/ApacheClientRun.java' ]),
        'dpkg-query -W -f \'${Version}\' libhttpclient-java',
        @common, @files, qw(compatible rfc6532) ],
    spring => [ 'Spring RestTemplate', $text,
                by([ @$java, 'record/SpringClientRun.java' ]),
                'dpkg-query -W -f \'${Version}\' libspring-web-java',
                qw(urlencoded multipart json flat), @files ],
    symfony => [ 'PHP Symfony HttpClient and Mime', $text,
                 by([ 'php', 'record/php_client.php' ], 'symfony'),
                 'dpkg-query -W -f \'${Version}\' php-symfony-http-client',
                 @common, @files ],
    'rest-client' => [ 'Ruby rest-client', $text,
                       by([ 'ruby', 'record/rest_client_client.rb' ]),
                       'ruby -rrest-client -e "print RestClient::VERSION"',
                       @common, @files ],
    urllib => [ 'Python urllib', $text,
                by([ $python, 'record/urllib_client.py' ]),
                "$python -V | cut -d' ' -f2",
                qw(urlencoded query json flat data-json) ],
    httpie => [ 'HTTPie', $text, \&httpie, 'http --version',
                qw(urlencoded multipart query), @files ],
    curl => [ 'curl', $text, \&curl, 'curl -V | cut -d" " -f2',
              @common, @files, @odd, qw(data data-raw data-json data-binary
              data-file get escape) ],
    wget => [ 'Wget', $text, \&wget, 'wget -V | cut -d" " -f3',
              'post-data' ],
);

# Several ways to say the same, where a client has them.

my %also = (
    untyped => [ 'file' ], unquoted => [ 'multipart' ],
    compatible => [ 'beside' ], rfc6532 => [ 'filename' ],
);

my $object = '{"task":{"Stage":"Open","Assigned To":"a b","Note":"\u00fc",'
    . '"Labels":["red","blue"],"Size":{"w":1,"h":"2"}},"commit":"x"}';
my $object_task = '{"Stage":"Open","Assigned To":"a b","Note":"' . "\xc3\xbc"
    . '","Labels":["red","blue"],"Size":{"w":"1","h":"2"}}';
$scenarios{$_} = [ '/task', $object_task, $object ]
    for qw(object urlencoded-object params);

my $short = '{"Stage":"Open","Note":"a b"}';
$scenarios{$_} = [ '/task', $short, 'task[Stage]=Open&task[Note]=a+b' ]
    for qw(data get post-data data-file);
$scenarios{'data-raw'} = [ '/task', $short =~ s/a b/\xc3\xbc/r,
                           'task[Stage]=Open', "task[Note]=\xc3\xbc" ];
$scenarios{'data-binary'} = [ '/task', $short =~ s/a b/a \\"b\\"/r,
                              'task[Stage]=Open', 'task[Note]=a "b"' ];
$scenarios{'data-json'} = [ '/task', $json_task, $json ];
$scenarios{escape} = $scenarios{quotes};

# What differs: client => { scenario => what }, where what has a task, a note
# the rule that refuses it, and
# the one that does with the pointer "".

my $newline = sub ($task) { $task =~ s/\\r\\n/\\n/r };
my $lines = { meant => $newline,
              note => 'URLSearchParams leaves the line breaks of a page' };

my $index = sub ($task) {
    $task =~ s/\["red","blue"\]/{"0":"red","1":"blue"}/r;
};
my $members = { meant => $index,
                note => 'it sends the index of an element as a name' };

my $question = sub ($task) {
    $task =~ s/"Gr\xc3\xb6\xc3\x9fe":/"Gr??e":/r =~ s/(Angebot Gr)..../$1??/r;
};
my $ascii = { meant => $question,
              note => 'its default mode sends ASCII; RFC6532 is the remedy' };

# quotation marks are %22 for some clients, and \" for others

my $names = { meant => $question, note => 'it writes names in ASCII' };

my $odd_name = { refused => '400 parts' };
my $encoded = { refused => '400 words' };
my %odd = map { $_ => $odd_name } @odd;

# a backslash is no part of a name
my $backslash = { refused => '400 backslash' };

my %different = (
    requests => { %odd, quoted => $encoded,
                  untyped => { refused => '400 type' } },
    go => { %odd },
    lwp => { %odd },
    mojo => { untyped => { refused => '400 type' } },
    curl => { %odd, escape => $odd_name, quoted => $encoded,
              'data-json' => { refused => '415 json' },
              'data-raw' => { refused => '400 raw' } },
    chromium => {
        (map { $_ => $lines } qw(fetch-query fetch-urlencoded
                                 htmx-urlencoded)),
        (map { ("form-$_" => $odd_name) } @odd), 'form-quoted' => $encoded },
    guzzle => { urlencoded => $members, query => $members },
    'php-curl' => { urlencoded => $members },
    symfony => { urlencoded => $members,
                 query => { refused => '400 semicolon' } },
    spring => { multipart => $names, filename => $names },
    urllib => { 'data-json' => { refused => '415 json' } },
    'php-stream' => { urlencoded => $members },
    axios => { map { $_ => $members } qw(object urlencoded-object params) },
    'apache-httpclient' => { multipart => $ascii, filename => $ascii },
    aiohttp => { names => $backslash, filename => $encoded,
                 beside => { whole => '400 words' } },
);
$different{firefox} = $different{chromium};

sub quoted (@words) {
    return join ' ', map {
        /[^\w.\/:\$=@%+-]/ ? "'" . s/'/'\\''/gr =~ s/\r\n/\\r\\n/gr . "'" : $_
    } @words;
}

sub pairs (@fields) {
    my @pairs;
    while (my ($name, $value) = splice @fields, 0, 2) {
        push @pairs, [ $name, $value ];
    }
    return @pairs;
}

sub curl ($kind, $url, @fields) {
    my %how = (
        urlencoded => sub { map { ('--data-urlencode',
            ($_->[0] =~ s/\W/sprintf '%%%02X', ord $&/ager) . "=$_->[1]") }
            pairs(@fields) },
        multipart => sub { map {
            my ($name, $value) = @$_;
            my $is_file = $value =~ s/^@(.*)/'@"' . $1 =~ s{"}{\\"}gr . '"'/e;
            ($is_file ? '-F' : '--form-string', "$name=$value")
        } pairs(@fields) },
        data => sub { ('-d', $fields[0]) },
        'data-raw' => sub { map { ('-d', $_) } @fields },
        'data-binary' => sub { ('--data-binary', join '&', @fields) },
        'data-json' => sub { ('-d', $fields[0]) },
        'data-file' => sub { ('--data-binary', $fields[0]) },
        json => sub { ('--json', $fields[0]) },
    );
    $how{flat} = $how{urlencoded};
    $how{query} = sub { ('-G', '-X', 'POST', $how{urlencoded}->()) };
    $how{get} = sub { ('-g', '-X', 'POST', "$url?$fields[0]") };
    $how{escape} = sub { ('--form-escape', $how{multipart}->()) };

    my @command = ('curl', '-s', $how{$kind}->(), $kind eq 'get' ? () : $url);
    return (quoted(@command), @command);
}

sub wget ($kind, $url, @fields) {
    my @command = ('wget', '-q', '-O', '/dev/null',
                   "--post-data=$fields[0]", $url);
    return (quoted(@command), @command);
}

sub httpie ($kind, $url, @fields) {
    my @items = map {
        my ($name, $value) = map { s/[=:@;]/\\$&/gr } @$_;
        $_->[1] =~ /^@/ ? $name =~ s/\\//gr . $_->[1]
            : $kind eq 'query' ? "$name==$_->[1]" : "$name=$_->[1]";
    } pairs(@fields);
    my @command = ('http', '--ignore-stdin',
                   $kind eq 'multipart' ? '--multipart'
                   : $kind eq 'query' ? () : '--form', 'POST', $url, @items);
    return (quoted(@command), @command);
}

# Browsers: command and version

my %browsers = (
    chromium => [ 'Chromium', sub ($dir, $url) {
        return ('chromium', '--headless', '--no-sandbox', '--disable-gpu',
                "--user-data-dir=$dir", '--remote-debugging-port=0', $url);
    }, 'chromium --version | cut -d" " -f2' ],
    firefox => [ 'Firefox', sub ($dir, $url) {
        return ('firefox', '--headless', '--no-remote', '--profile', $dir,
                $url);
    }, 'firefox --version | sed "s/.* //"' ],
);

my @browser = qw(form-urlencoded form-multipart form-get form-file form-files
    form-filename form-beside form-names form-quotes form-quoted form-semicolon
    form-quotes-urlencoded form-semicolon-urlencoded
    form-nofile form-image form-flat form-redmine
    form-rails form-redmine-urlencoded form-rails-multipart
    fetch-multipart fetch-urlencoded fetch-json fetch-file fetch-filename
    fetch-query xhr-multipart xhr-file
    jquery-urlencoded jquery-object jquery-serialize jquery-get
    htmx-urlencoded htmx-multipart htmx-file htmx-nofile);

sub clients () { return (sort keys %browsers, keys %programs) }
sub is_browser ($client) { return exists $browsers{$client} }

sub title ($client) {
    return ($browsers{$client} // $programs{$client} // die "$client?\n")->[0];
}

sub program ($client) {
    my ($title, $type, $program, $version, @names)
        = @{ $programs{$client} // die "no client $client\n" };
    return ($program, $version, @names);
}

sub browser ($client) {
    my ($title, $command, $version) = @{ $browsers{$client} };
    return ($command, $version, @browser);
}

# a browser's scenario is named by how it is sent, and what
sub scenario ($client, $name) {
    my ($type, $kind, $what) = ($text, $name, $name);

    if ($browsers{$client}) {
        ($kind, $what) = $name =~ /^(\w+)-(\w+)/;
        $what = 'query' if $what eq 'get';
        $what = 'urlencoded' if $what eq 'serialize';
    } else {
        $type = $programs{$client}[1];
        $what = $also{$name}[0] if $also{$name};
        $kind = 'multipart' if grep { $_ eq $name } @files, @odd, 'simple';
        $kind = 'urlencoded' if $name eq 'flat';
    }

    my ($pointer, $meant, @arguments)
        = @{ $scenarios{$what} // die "no scenario $what\n" };
    $meant =~ s/TYPE/$type/g;

    my %what = %{ $different{$client}{$name} // {} };
    $meant = $what{meant}->($meant) if $what{meant};

    return (kind => $kind, pointer => $pointer, task => $meant,
            arguments => [ @arguments ], %what{qw(note refused whole)});
}

1;
