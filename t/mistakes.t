# Mistakes that operators make, and what "nginx -t" says of each: a refusal or a
# warning, with the place of the mistake and what would be right.  What differs
# from a mistake by little, and is right, stands beside it: it gets no message.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash::Namespace;
use Test::Flowdash;
use Test::Flowdash::TLS;

use File::Basename qw(dirname);

my $t = Test::Flowdash->new;
my $dir = $t->dir;

$t->write_file('sign.key', 'whsec_' . 'A' x 43 . "=\n");
$t->write_file('open.key', 'whsec_' . 'A' x 43 . "=\n");
$t->write_file('proxy.user', "me:sesame\n");
$t->write_file('steps.conf',
    'flowdash_step "S" { flowdash_call http://127.0.0.1/;');
chmod 0600, map { "$dir/$_" } qw(sign.key proxy.user);
chmod 0644, "$dir/open.key";

authority($t, 'ca');
certificate($t, 'good', by => 'ca');
certificate($t, 'expired', by => 'ca', expired => 1);

chmod 0600, map { "$dir/$_.key" } qw(good expired);

# others get to them only if all directories on the way let them
chmod 0755, $dir;
mkdir "$dir/closed";
chmod 0750, "$dir/closed";
$t->write_file("closed/$_", $t->read_file($_)) for qw(open.key good.key);
chmod 0644, glob "$dir/closed/*";
symlink "$dir/closed", "$dir/link";

my $may_enter = 1;

for (my $path = $dir; $path ne '/'; $path = dirname($path)) {
    $may_enter &&= (stat $path)[2] & 1;
}

# a container's secrets: a mount that nobody can write to, and Docker's place

my @mounted;

if (Test::Flowdash::Namespace::private()) {
    for my $path ('/run', '/run/container') {
        mkdir $path;
        system('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', $path) == 0
            or die "no mount over $path\n";
    }

    mkdir '/run/secrets';
    @mounted = map { "/run/$_/open.key" } qw(container secrets);
    system('cp', "$dir/closed/open.key", $_) for @mounted;
    system('mount', '-o', 'remount,ro', '/run/container') == 0
        or die "the mount can be written to\n";
}
$t->write_file('readable.key', $t->read_file('good.key'));
chmod 0604, "$dir/readable.key";
$t->write_file('group.key', $t->read_file('good.key'));
chmod 0640, "$dir/group.key";
$t->write_file('both.pem',
               $t->read_file('expired.pem') . $t->read_file('good.pem'));
$t->write_file('old.pem', $t->read_file('expired.pem') x 2);
$t->write_file('chain.pem',
               $t->read_file('good.pem') . $t->read_file('expired.pem'));


# Where the mistake is made: in the action, in a step that calls or one that is
# proxied, or around the server.  HERE stands in the line that is to be named,
# which is that of the mistake itself unless it says otherwise.

sub here { return $_[0] =~ /HERE/ ? $_[0] : "$_[0] # HERE" }

sub outer {
    my ($http, $location) = @_;
    return "$http\nserver {\nlisten 127.0.0.1:%%PORT_http%%;\n"
        . "location / {\n$location\n}\n}";
}

sub action {
    my ($mistake) = @_;
    return outer('', qq(
        flowdash_action "Finish";
        ) . here($mistake) . qq(
        flowdash_step "CRM" {
            flowdash_call https://127.0.0.1/;
        }
        proxy_pass http://127.0.0.1:1;));
}

sub step {
    my ($mistake, $http, $handler) = @_;
    return outer($http // '', qq(
        flowdash_action "Finish";
        flowdash_step "CRM" {
            ) . here($mistake) . qq(
            ) . ($handler // '') . qq(
        }
        proxy_pass http://127.0.0.1:1;));
}

sub calling { return step($_[0], '', 'flowdash_call https://127.0.0.1/;') }
sub proxied { return step($_[0], '', 'proxy_pass http://127.0.0.1:1;') }

sub http {
    return outer(here($_[0]), 'flowdash_action "Finish";
        flowdash_step "CRM" { return 204; }
        proxy_pass http://127.0.0.1:1;');
}

sub upstream {
    my ($name, $server, $call) = @_;
    return step($call, "upstream $name { server $server; }");
}

my $in_step = '(action "Finish")';

my @table = (

# The structure

[ emerg => 'a "}" is missing before the app\'s proxy_pass',
  outer('', qq(
    flowdash_action "Finish";
    flowdash_step "CRM" {
        flowdash_call http://127.0.0.1/;
    proxy_pass http://127.0.0.1:1;)),
  '"flowdash_call" in "flowdash_step" "CRM"', 'another content handler',
  'is a "}" missing' ],
[ emerg => 'a "}" is missing before the next step',
  outer('', qq(
    flowdash_action "Finish";
    flowdash_step "CRM" {
        flowdash_call http://127.0.0.1/;
    flowdash_step "Invoice" { # HERE
        flowdash_call http://127.0.0.1/;
    })),
  '"Invoice" in "flowdash_step"', 'a step cannot be in a step',
  'is the "}" of "flowdash_step" "CRM" missing' ],
[ emerg => 'a "}" is missing before a location',
  outer('', qq(
    flowdash_action "Finish";
    flowdash_step "CRM" {
        flowdash_call http://127.0.0.1/;
    location /a { return 204; })),
  'location "/a" in "flowdash_step" "CRM"', 'is a "}" missing' ],
[ emerg => 'a "}" is missing between two proxy_pass',
  outer('', qq(
    flowdash_action "Finish";
    flowdash_step "CRM" { # HERE
        proxy_pass http://127.0.0.1:1;
    proxy_pass http://127.0.0.1:2;)),
  '"flowdash_step" "CRM"', '"proxy_pass" is in the step twice', 'is a "}" missing' ],
[ emerg => 'a "}" is missing at the end of an included file',
  outer('', 'flowdash_action "Finish"; include steps.conf;'),
  '"flowdash_step" "S"', 'the "}" of the step is missing', 'steps.conf:1' ],
[ '' => 'all "}" are there', action('') ],

[ warn => 'no handler for the app',
  outer('', qq(
    flowdash_action "Finish"; # HERE
    flowdash_step "CRM" { flowdash_call http://127.0.0.1/; })),
  '"flowdash_action" "Finish"', 'no content handler', '"proxy_pass"' ],
[ warn => 'no handler for the app, but pages',
  outer('error_page 404 /404.html; error_page 502 @down;', qq(
    flowdash_action "Finish"; # HERE
    flowdash_step "CRM" { flowdash_call http://127.0.0.1/; })),
  '"flowdash_action" "Finish"', 'no content handler' ],
[ warn => 'no handler for the app, but a step\'s',
  outer('', qq(
    flowdash_action "Finish"; # HERE
    flowdash_methods GET POST;
    flowdash_step "CRM" { proxy_pass http://127.0.0.1:1; }
    )),
  '"flowdash_action" "Finish"', 'no content handler' ],
[ warn => 'no handler for the app, but a rewrite that stays',
  outer('', qq(
    flowdash_action "Finish"; # HERE
    rewrite ^ \$uri break;
    flowdash_step "CRM" { flowdash_call http://127.0.0.1/; })),
  '"flowdash_action" "Finish"', 'no content handler', '"proxy_pass"' ],
(map { [ '' => "the app is reached by $_", outer('', qq(
    flowdash_action "Finish";
    flowdash_step "CRM" { flowdash_call http://127.0.0.1/; }
    $_)) ] }
    'proxy_pass http://127.0.0.1:1;', 'fastcgi_pass 127.0.0.1:1;',
    'try_files $uri /index.php;', 'rewrite ^ /index.php last;',
    'dav_methods PUT;', 'error_page 405 = @app;', 'location /a { proxy_pass http://127.0.0.1:1; }',
    'if ($arg_a) { proxy_pass http://127.0.0.1:1; }',
    'flowdash_methods GET;'),

[ warn => 'a value of the stored task, which is not fetched',
  action('flowdash_extract $x /a from=stored;'),
  '"flowdash_action" "Finish"', '"$x" is always empty',
  '"flowdash_task_from"' ],
[ '' => 'which is fetched', action('flowdash_extract $x /a from=stored;
    flowdash_task_from $uri;') ],
[ '' => 'which other locations may fetch',
  outer('flowdash_extract $x /a from=stored;', qq(
    flowdash_action "Finish";
    flowdash_step "CRM" { flowdash_call http://127.0.0.1/; }
    proxy_pass http://127.0.0.1:1;)) ],

[ warn => 'flowdash_step "$name"',
  outer('', qq(
    flowdash_action "Finish";
    flowdash_step "\$arg_a" { # HERE
        flowdash_call https://127.0.0.1/;
    }
    proxy_pass http://127.0.0.1:1;)),
  '"$arg_a" in "flowdash_step"', 'are not evaluated' ],
[ '' => 'a step that costs US$', calling('') =~ s/"CRM"/"Costs US\$ 1"/r ],

# What belongs elsewhere

(map { my ($name) = /(\w+)/; [ emerg => "$name in a step", calling("$_;"),
    '"flowdash_step" "CRM"', qq("$name"), 'for the whole action', 'outside',
    $in_step ] }
    'flowdash_task /a', 'flowdash_methods POST', 'flowdash_deadline 1s',
    'flowdash_set a b', 'flowdash_set_json a 1', 'flowdash_guard on', 'flowdash_dry_run off',
    'flowdash_once off',
    'flowdash_types application/json', 'flowdash_strict all',
    'flowdash_user_from /me', 'flowdash_require_user on',
    'flowdash_success 200', 'flowdash_outcome $upstream_status'),

(map { my ($name) = /(\w+)/; my ($directive, $hint) = split /: /;
    [ emerg => "$name in a proxied step", proxied("$directive;"),
      '"flowdash_step" "CRM"', qq($name"), '"flowdash_call" only', $in_step,
      $hint ? qq("$hint") : 'no equivalent' ] }
    'flowdash_ssl_verify off: proxy_ssl_verify',
    'flowdash_ssl_protocols TLSv1.2: proxy_ssl_protocols',
    'flowdash_ssl_trusted_certificate good.pem: proxy_ssl_trusted_certificate',
    'flowdash_ssl_certificate good.pem: proxy_ssl_certificate',
    'flowdash_ssl_certificate_key good.key: proxy_ssl_certificate_key',
    'flowdash_ssl_pinned_key sha256//' . 'A' x 43 . '=',
    'flowdash_connect_timeout 1s: proxy_connect_timeout',
    'flowdash_http_version 1.1: proxy_http_version',
    'flowdash_retry 2: proxy_next_upstream',
    'flowdash_proxy off', 'flowdash_deny all'),
[ '' => 'flowdash_timeout in a proxied step', proxied('flowdash_timeout 1s;') ],

(map { my ($name) = /(\w+)/; [ warn => "$name in a step", calling("$_;"),
    '"flowdash_step" "CRM"', qq("$name"), 'has no effect', $in_step ] }
    'allow 10.0.0.1', 'deny all', 'auth_basic "Tasks"',
    'auth_basic_user_file users', 'auth_request /auth', 'satisfy any',
    'limit_req zone=a', 'error_page 502 /error.html'),
[ warn => 'allow in a proxied step', proxied('allow all;'), '"allow"' ],
[ warn => 'allow in a step, hard to read',
  calling(qq(set \$a "} allow"; # { "
             set \$b '\\'{'; set \$c \${a}};
             'allow' 10.0.0.1; # HERE)), '"allow"' ],
[ '' => 'words in a step that are no directives',
  calling(q(set $a "allow all;"; # allow all; {
            set $b '} auth_basic x;'; set $c "\" error_page 1 2;";
            flowdash_set_header allow all;
            if ($a = allow) { set $d allow; })) ],
[ '' => 'allow, limit_req and error_page in the action',
  action('allow all; limit_req zone=a; error_page 502 /error.html;
          auth_basic "Tasks"; auth_basic_user_file users;') ],

# Where calls go

[ emerg => 'a variable host without allow',
  step('flowdash_call "http://$arg_h/";'),
  '"flowdash_step" "CRM"', '"flowdash_call" "http://$arg_h/"', 'has a variable',
  '"flowdash_allow" must', $in_step ],
[ emerg => 'a variable host without a last rule',
  step('flowdash_call "http://$arg_h/"; # HERE
        flowdash_allow 10.0.0.1; flowdash_deny 10.0.0.0/8;'),
  '"flowdash_step" "CRM"', '"flowdash_call" "http://$arg_h/"',
  '"flowdash_deny all"', $in_step ],
[ '' => 'a variable host with allow', step('flowdash_call "http://$arg_h/";
    flowdash_allow 10.0.0.0/8; flowdash_deny all;') ],
[ emerg => 'allow without deny', calling('flowdash_allow 10.0.0.1;'),
  '"flowdash_step" "CRM"', '"flowdash_allow" "10.0.0.1"', 'no effect',
  '"flowdash_deny all"', $in_step ],
[ emerg => 'allow without deny, inherited',
  step('flowdash_call http://127.0.0.1/; # there',
       'flowdash_allow 10.0.0.1; # HERE'),
  '"flowdash_step" "CRM"', '"flowdash_allow" "10.0.0.1"', $in_step ],
[ emerg => 'a rule after all',
  calling("flowdash_deny all;\nflowdash_allow 10.0.0.1; # HERE"),
  '"flowdash_step" "CRM"', '"flowdash_allow" "10.0.0.1"', 'never matches',
  $in_step ],
[ '' => 'all after a rule',
  calling('flowdash_allow 10.0.0.1; flowdash_deny all;') ],

[ emerg => 'a placeholder', step('flowdash_call "http://127.0.0.1/{id}";'),
  '"http://127.0.0.1/{id}" in "flowdash_call"', 'brace', '"$id"', '"%7B"' ],
(map { [ emerg => "a placeholder in $_", step(qq(flowdash_call "$_";)),
  qq("$_" in "flowdash_call"), 'a name in braces', '"${id}"' ] }
    'http://127.0.0.1/?a={{b}}', 'http://127.0.0.1/a{issue.id}?b',
    'http://127.0.0.1/$uri{1}', 'http://{tenant}.example.com/',
    'http://unix:/a.sock:/{id}'),
(map { [ warn => "braces in $_", step(qq(flowdash_call '$_';)),
  '"flowdash_step" "CRM"', '"flowdash_call" "http://127.0.0.1/', 'a brace',
  '"%7B"', $in_step ] }
    'http://127.0.0.1/?filter={"a":{}}', 'http://127.0.0.1/a{2,3}',
    'http://127.0.0.1/$uri?a={', 'http://127.0.0.1/}{$arg_a}'),
[ '' => 'braces in the password',
  step('flowdash_call "http://a:s{e}}-{@127.0.0.1/";') ],
[ emerg => 'a placeholder behind a password',
  step('flowdash_call "http://a:s{e}@127.0.0.1/{id}";'),
  'invalid URL in "flowdash_call"', 'a name in braces' ],
[ '' => 'braces in the path of a socket',
  step('flowdash_call "http://unix:/a{,}.sock:/";') ],
[ '' => 'braces of a variable', step('flowdash_call "http://127.0.0.1/${uri}";') ],
[ '' => 'escaped braces', step('flowdash_call http://127.0.0.1/%7Bid%7D;') ],

[ emerg => 'IPv6 without brackets', step('flowdash_call http://::1:80/;'),
  '"http://::1:80/" in "flowdash_call"', 'in brackets', '"http://[::1]:80/"' ],
[ emerg => 'IPv6 without brackets and port',
  step('flowdash_call http://fd00::1/a;'),
  '"http://fd00::1/a" in "flowdash_call"', 'in brackets' ],
[ emerg => 'a proxy by IPv6 without brackets',
  http('flowdash_proxy http://::1:3128;'),
  '"http://::1:3128" in "flowdash_proxy"', 'in brackets' ],
[ '' => 'a host that looks like IPv6', step('flowdash_call http://fd00.de:1/;') ],
[ '' => 'IPv6 in brackets', step('flowdash_call http://[::1]:80/;') ],
[ '' => 'a user and a port', step('flowdash_call http://me:a@127.0.0.1:80/;') ],

[ warn => 'a call to an upstream\'s name',
  upstream('billing', '127.0.0.1:1', 'flowdash_call http://billing/a;'),
  '"flowdash_call" "http://billing/a"', 'upstream "billing"',
  '"proxy_pass http://billing', $in_step ],
[ warn => 'a call to an upstream\'s name in another case, by its port',
  upstream('billing', '127.0.0.1:1', 'flowdash_call http://Billing:80/a;'),
  'upstream "billing"' ],
[ warn => 'a call to an upstream\'s name, with a token',
  upstream('billing', '127.0.0.1:1',
    'flowdash_set_header Cookie a; flowdash_call http://billing/a;'),
  'upstream "billing"' ],
[ '' => 'a call to a host that an upstream has as well',
  upstream('crm.example.com', 'crm.example.com:80',
           'flowdash_call http://crm.example.com/;')
      =~ s/server crm.example.com:80/server localhost:80/r
      =~ s/upstream \S+/upstream localhost/r
      =~ s/http:..crm.example.com/http:\/\/localhost/r ],
[ '' => 'a call to a host beside an upstream',
  upstream('billing', '127.0.0.1:1', 'flowdash_call http://billings/a;') ],
[ '' => 'a call to a host that proxy_pass calls as well',
  step('flowdash_call http://localhost/a;')
      =~ s{proxy_pass http://127.0.0.1:1}{proxy_pass http://localhost:1}r ],

# Secrets and certificates

[ warn => 'Authorization over http://',
  step('flowdash_set_header Authorization "Bearer a"; # there
        flowdash_call http://192.0.2.1/; # HERE'),
  '"flowdash_step" "CRM"', '"Authorization"', '"http://192.0.2.1/"',
  'https://', $in_step ],
[ warn => 'Cookie over http://',
  step('flowdash_set_header cookie "a=b"; flowdash_call http://192.0.2.1/;'),
  '"cookie"' ],
[ warn => 'an inherited Authorization over http://',
  step('flowdash_call http://192.0.2.1/;',
       'flowdash_set_header Authorization "Bearer a";'), '"Authorization"' ],
[ warn => 'a password over http://',
  step('flowdash_call http://me:sesame@192.0.2.1/;'),
  'password', '"http://192.0.2.1/"', 'https://' ],
[ warn => 'Authorization over http:// to a variable host',
  step('flowdash_set_header Authorization a; flowdash_allow all;
        flowdash_call "http://$arg_a/"; # HERE'), '"Authorization"' ],
(map { [ '' => "Authorization over $_",
  step("flowdash_set_header Authorization a; flowdash_call $_;") ] }
    'https://192.0.2.1/', 'http://127.0.0.1/', 'http://127.0.0.53:8080/',
    'http://localhost/', 'http://api.localhost/', 'http://[::1]/',
    'http://unix:/a.sock:/'),
[ '' => 'no Authorization over http://',
  step('flowdash_set_header Authorization ""; flowdash_set_header X-A b;
        flowdash_call http://192.0.2.1/;') ],
[ warn => 'verification off',
  step('flowdash_ssl_verify off; flowdash_call https://192.0.2.1/;'),
  '"flowdash_ssl_verify" is off', '"https://192.0.2.1/"',
  '"flowdash_ssl_trusted_certificate"', '"flowdash_ssl_pinned_key"',
  $in_step ],
[ '' => 'verification off, loopback',
  step('flowdash_ssl_verify off; flowdash_call https://localhost/;') ],
[ '' => 'verification off, without TLS',
  step('flowdash_ssl_verify off; flowdash_call http://192.0.2.1/;') ],
[ '' => 'verification off, a pinned key',
  step('flowdash_ssl_verify off; flowdash_call https://192.0.2.1/;
        flowdash_ssl_pinned_key sha256//' . 'A' x 43 . '=;') ],

[ emerg => 'a certificate without a key',
  calling('flowdash_ssl_certificate good.pem;'),
  '"flowdash_step" "CRM"', '"flowdash_ssl_certificate" "', 'good.pem"',
  '"flowdash_ssl_certificate_key"', $in_step ],
[ emerg => 'a key without a certificate',
  calling('flowdash_ssl_certificate_key good.key;'),
  '"flowdash_ssl_certificate_key" "', 'good.key"', 'on the same level', $in_step ],
[ emerg => 'a pair that is none',
  calling("flowdash_ssl_certificate good.pem; # HERE
           flowdash_ssl_certificate_key expired.key;"),
  '"flowdash_ssl_certificate" "', 'good.pem"', 'must be a pair', $in_step ],
[ warn => 'an expired certificate',
  calling('flowdash_ssl_certificate expired.pem;')
      =~ s/(HERE\n)/$1 flowdash_ssl_certificate_key expired.key;/r,
  '"expired.pem" in "flowdash_ssl_certificate"', 'expired', 'CN=expired' ],
[ warn => 'an expired certificate in a chain',
  http('flowdash_ssl_certificate chain.pem;'),
  '"chain.pem" in "flowdash_ssl_certificate"', 'expired', 'CN=expired' ],
[ warn => 'an expired authority',
  http('flowdash_ssl_trusted_certificate expired.pem;'),
  '"expired.pem" in "flowdash_ssl_trusted_certificate"', 'expired' ],
[ warn => 'expired authorities',
  http('flowdash_ssl_trusted_certificate old.pem;'),
  '"old.pem" in "flowdash_ssl_trusted_certificate"', 'CN=expired' ],
[ '' => 'an expired authority beside another',
  http('flowdash_ssl_trusted_certificate both.pem;') ],
[ '' => 'the system\'s authorities',
  http('flowdash_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;') ],
[ warn => 'a key that others may read',
  calling('flowdash_ssl_certificate_key readable.key;')
      =~ s/(HERE\n)/$1 flowdash_ssl_certificate good.pem;/r,
  'readable.key" in "flowdash_ssl_certificate_key"', 'all users', 'chmod' ],
[ '' => 'a key that a group may read',
  calling('flowdash_ssl_certificate good.pem;
           flowdash_ssl_certificate_key group.key;') ],
[ '' => 'a key in a directory that others may not enter',
  calling('flowdash_ssl_certificate good.pem;
           flowdash_ssl_certificate_key closed/good.key;') ],
[ warn => 'a sign key that others may read',
  http('flowdash_sign_key file:open.key;'),
  'open.key" in "flowdash_sign_key"', 'all users', 'chmod' ],
(map { [ '' => "a sign key in a directory that others may not enter, $_",
    http("flowdash_sign_key file:$_/open.key;") ] } 'closed', 'link'),
(map { [ '' => 'a sign key in ' . dirname($_),
    http("flowdash_sign_key file:$_;") ] } @mounted),
[ '' => 'a sign key that others may not read',
  http('flowdash_sign_key file:sign.key;') ],

[ emerg => 'a sign key\'s path', http('flowdash_sign_key /etc/sign.key;'),
  'argument 1 of "flowdash_sign_key"', '"file:' ],
[ emerg => 'a sign key\'s relative path', http('flowdash_sign_key keys/sign.key;'),
  '"flowdash_sign_key"', '"file:' ],
[ emerg => 'a sign key from the environment', http('flowdash_sign_key $KEY;'),
  '"flowdash_sign_key"', 'variables are not allowed', '"file:' ],
[ emerg => 'a sign key\'s path from the environment',
  http('flowdash_sign_key file:$KEY;'),
  '"flowdash_sign_key"', 'variables are not allowed' ],
[ emerg => 'the path of a proxy\'s user',
  http('flowdash_proxy http://a:1 /etc/proxy.user;'),
  '"flowdash_proxy"', '"file:' ],
(map { my ($name, $value) = split; [ emerg => "a variable in $name",
    http("$_;"), qq("$value" in "$name"), 'variables are not allowed' ] }
    'flowdash_ssl_certificate $ssl_dir/a.pem',
    'flowdash_ssl_certificate_key $ssl_dir/a.key',
    'flowdash_ssl_trusted_certificate $ssl_dir/a.pem',
    'flowdash_timeout $arg_timeout', 'flowdash_deadline ${arg_a}s',
    'flowdash_max_response_size $arg_size', 'flowdash_methods $arg_method',
    'flowdash_task $arg_pointer', 'flowdash_retry $arg_n',
    'flowdash_proxy $http_proxy', 'flowdash_pass_status $arg_status'),

# Values

[ emerg => 'methods with commas', http('flowdash_methods POST, PUT;'),
  '"POST," in "flowdash_methods"', 'not by commas' ],
[ emerg => 'types with commas',
  http('flowdash_types application/json, text/csv;'),
  '"application/json," in "flowdash_types"', 'not by commas' ],
[ emerg => 'statuses with commas', http('flowdash_pass_status 422, 409;'),
  '"422," in "flowdash_pass_status"', 'not by commas' ],
[ emerg => 'conditions with commas', http('flowdash_retry 2 429, 503;'),
  '"429," in "flowdash_retry"', 'not by commas' ],
[ warn => 'fields with commas', http('flowdash_accept Stage, Amount;'),
  '"Stage," in "flowdash_accept"', 'the comma' ],
[ '' => 'a field with a comma in it', http('flowdash_accept "Stage, old" A;') ],

[ emerg => 'a header set twice',
  calling("flowdash_set_header X-A a;\nflowdash_set_header x-a b; # HERE"),
  '"x-a" in "flowdash_set_header"', 'set twice', "test.conf:",
  'step "CRM"', 'action "Finish"' ],
[ emerg => 'a header of the signature',
  calling('flowdash_sign_key file:sign.key; # there
           flowdash_set_header Webhook-Id a; # HERE'),
  '"flowdash_step" "CRM"', '"flowdash_set_header" "Webhook-Id"',
  '"flowdash_sign_key"', $in_step ],

(map { [ emerg => "flowdash_if $_", calling("flowdash_if $_;"),
    '"flowdash_if"', 'neither empty nor "0"', '"map"' ] }
    '($a = b)', '($arg_a)', '$arg_a = b', '"$arg_a = b"', '"$arg_a != b"',
    '"$arg_a ~ b"', '!$arg_a', '-f $request_filename', 'off', 'false', 'no'),
[ warn => 'flowdash_if with a prefix', calling('flowdash_if x$arg_a;'),
  '"x$arg_a" in "flowdash_if"', 'always' ],
(map { [ '' => "flowdash_if $_", calling("flowdash_if $_;") ] }
    '$arg_a', '"$arg_a$arg_b"', '0$arg_a', '""', '0', '1', 'on',
    '"${arg_a}0"'),

[ warn => 'flowdash_dry_run on', http('flowdash_dry_run on;'),
  '"on" in "flowdash_dry_run"', 'every action here is a dry run' ],
[ warn => 'flowdash_dry_run no', http('flowdash_dry_run no;'),
  '"no" in "flowdash_dry_run"', 'every action here is a dry run', '"off"' ],
[ warn => 'flowdash_dry_run 1', action('flowdash_dry_run 1;'),
  '"1" in "flowdash_dry_run"', 'action "Finish"' ],
(map { [ warn => "flowdash_dry_run $_", http("flowdash_dry_run $_;"),
    qq("$_" in "flowdash_dry_run"), 'client', '"map"' ] }
    '$http_x_dry_run', '${http_x_dry_run}', '$arg_dry', '$cookie_dry',
    '0$args'),
(map { [ '' => "flowdash_dry_run $_", http("map \$remote_addr \$dry { default 0; }
    flowdash_dry_run $_;") ] } '$dry', 'off', '0', '""'),

[ emerg => 'flowdash_success 1xx', http('flowdash_success 1xx;'),
  '"1xx" in "flowdash_success"', 'from 200 to 599', '"2xx"' ],
[ emerg => 'flowdash_success 600', http('flowdash_success 200 600;'),
  '"600" in "flowdash_success"', 'from 200 to 599' ],
[ emerg => 'flowdash_success with commas', http('flowdash_success 200, 302;'),
  '"200," in "flowdash_success"', 'not by commas' ],
[ emerg => 'flowdash_success twice the same', http('flowdash_success 2xx 204;'),
  '"204" in "flowdash_success"', 'named twice' ],
[ emerg => 'flowdash_success $arg_a', http('flowdash_success $arg_a;'),
  '"$arg_a" in "flowdash_success"', 'variables are not allowed' ],
[ '' => 'flowdash_success', http('flowdash_success 2xx 302 409;') ],
[ emerg => 'flowdash_outcome ok', http('flowdash_outcome ok;'),
  '"ok" in "flowdash_outcome"', 'a variable is expected', '"map"', '"off"' ],
(map { [ warn => "flowdash_outcome $_", http("flowdash_outcome $_;"),
    qq("$_" in "flowdash_outcome"), 'the client decides', '"map"',
    '$upstream_http_location' ] } '$http_x_outcome', '$arg_a', '$cookie_a'),
[ '' => 'flowdash_outcome', http('flowdash_outcome $upstream_http_x_outcome;') ],
[ '' => 'flowdash_outcome off', http('flowdash_outcome off;') ],
(map { [ emerg => "$_ with the other", http($_), 'exclude each other',
    '$flowdash_app_status' ] }
    'flowdash_outcome $upstream_status; flowdash_success 200;',
    'flowdash_success 200; flowdash_outcome $upstream_status;'),
[ '' => 'flowdash_success, and flowdash_outcome further out',
  action('flowdash_success 200;')
  =~ s/^/flowdash_outcome \$upstream_status;/r ],

(map { [ warn => "flowdash_user $_", http("flowdash_user $_ \$remote_user;"),
    qq("$_" in "flowdash_user"), 'a separate member', 'is null' ] }
    'ID', 'Id', 'Email', 'EMail', 'e-mail', 'firstName', 'Last-Name',
    'lastname'),
[ '' => 'flowdash_user ID beside id', http('flowdash_user ID $remote_user;
    flowdash_user id $remote_user;') ],
[ '' => 'flowdash_user with more', http('flowdash_user id $remote_user;
    flowdash_user role $remote_user; flowdash_user mail $remote_user;') ],

[ warn => 'a timeout above the deadline', calling('flowdash_timeout 90s;'),
  '"flowdash_step" "CRM"', '"flowdash_timeout"', '90s', '"flowdash_deadline"',
  '60s', $in_step ],
[ warn => 'a timeout above the deadline, inherited',
  step('flowdash_call https://127.0.0.1/; # there',
       "flowdash_timeout 500; # HERE\nflowdash_deadline 400ms;"),
  '"flowdash_timeout"', '500s', '400ms', 'seconds' ],
[ '' => 'a deadline below the default timeout', http('flowdash_deadline 5s;') ],
[ '' => 'a deadline below the default timeout, and a step',
  calling('') =~ s/(flowdash_action)/flowdash_deadline 5s; $1/r ],
[ '' => 'a deadline below a timeout further out',
  calling('') =~ s/(flowdash_action)/flowdash_deadline 5s; $1/r
              =~ s/^/flowdash_timeout 10s;/r ],
[ '' => 'a timeout below one for connecting further out',
  calling('flowdash_timeout 2s;') =~ s/^/flowdash_connect_timeout 3s;
      flowdash_retry 2 timeout=3s;/r ],
[ warn => 'a timeout above a deadline further out',
  calling('flowdash_timeout 10s;') =~ s/^/flowdash_deadline 5s;/r,
  '"flowdash_timeout"', '10s', '"flowdash_deadline"', '5s', $in_step ],
[ warn => 'connecting longer than a timeout, both further out',
  step('flowdash_call https://127.0.0.1/; # there',
       "flowdash_timeout 10s;\nflowdash_connect_timeout 11s; # HERE")
      =~ s/(flowdash_action)/flowdash_deadline 5s; $1/r,
  '"flowdash_connect_timeout"', '11s', '"flowdash_timeout"', '10s' ],
[ '' => 'a timeout that is the deadline', calling('flowdash_timeout 60s;') ],
[ warn => 'connecting longer than the timeout',
  calling('flowdash_connect_timeout 20s;'),
  '"flowdash_connect_timeout"', '20s', '"flowdash_timeout"', '15s', $in_step ],
[ '' => 'a timeout below the default for connecting',
  calling('flowdash_timeout 2s;') ],
[ '' => 'connecting as long as the timeout',
  calling('flowdash_connect_timeout 15s;') ],
[ warn => 'an attempt longer than the timeout',
  calling('flowdash_retry 2 timeout=20s;'),
  '"flowdash_retry"', '20s', '"flowdash_timeout"', '15s', $in_step ],
(map { [ warn => "$_ 5000", http("$_ 5000;"), qq("5000" in "$_"),
    '5000 seconds', '"5000ms"' ] }
    'flowdash_timeout', 'flowdash_connect_timeout', 'flowdash_deadline'),
[ warn => 'flowdash_retry timeout=5000',
  http('flowdash_retry 2 timeout=5000;'), '"timeout=5000" in "flowdash_retry"',
  '5000 seconds', '"5000ms"' ],
(map { [ '' => $_, http("$_;") ] } 'flowdash_timeout 5000ms',
    'flowdash_timeout 60', 'flowdash_deadline 300',
    'flowdash_deadline 5000s; flowdash_timeout 999'),

# The user

[ emerg => 'an id that nothing tells',
  outer('', qq(
    flowdash_action "Finish"; # HERE
    flowdash_require_user on;
    flowdash_user name Ada;
    flowdash_step "CRM" { flowdash_call https://127.0.0.1/; }
    proxy_pass http://127.0.0.1:1;)),
  '"flowdash_require_user"', '"flowdash_user id ..."',
  '"flowdash_user_from"' ],
[ emerg => 'a step that replaces the id',
  calling('flowdash_user name Ada;') =~ s/\bserver \{/flowdash_user id Ada;
    flowdash_require_user on; server {/r =~ s/ # HERE//r
    =~ s/"CRM" \{/$& # HERE/r,
  '"flowdash_require_user"', '"flowdash_user id ..."', '"CRM"' ],
[ '' => 'a user who needs an id',
  action('flowdash_require_user on; flowdash_user_from /me;') ],
[ emerg => 'cache= without a zone',
  action('flowdash_user_from /me cache=5s;'),
  '"cache="', '"flowdash_zone flowdash:1m"' ],
[ emerg => 'flowdash_once without a zone',
  action('flowdash_once $flowdash_task_digest 5s;'),
  '"flowdash_once" needs "flowdash_zone"' ],
[ '' => 'flowdash_once with a zone', 'flowdash_zone a:1m;'
  . action('flowdash_once $http_idempotency_key 24h wait=0s;') ],
[ '' => 'flowdash_once off', action('flowdash_once off;') ],
[ emerg => 'flowdash_once without a time',
  action('flowdash_once $flowdash_task_digest;'),
  'a key and a time are expected' ],
[ emerg => 'flowdash_once with the same key for all',
  action('flowdash_once key 5s;'), 'the key must have a variable' ],
[ emerg => 'flowdash_once for no time',
  action('flowdash_once $flowdash_task_digest 0;'), 'from 1s to 20d' ],
[ emerg => 'flowdash_once for too long',
  action('flowdash_once $flowdash_task_digest 21d;'), 'from 1s to 20d' ],
[ warn => 'flowdash_once 5000', 'flowdash_zone a:1m;'
  . action('flowdash_once $flowdash_task_digest 5000;'), '5000 seconds' ],
[ emerg => 'flowdash_once with another parameter',
  action('flowdash_once $flowdash_task_digest 5s 60s;'), '"wait=" with a' ],
[ emerg => 'flowdash_once with a wrong wait=',
  action('flowdash_once $flowdash_task_digest 5s wait=x;'),
  '"wait=" with a' ],
[ emerg => 'flowdash_once twice', 'flowdash_zone a:1m;'
  . action('flowdash_once $flowdash_task_digest 5s;
            flowdash_once $flowdash_task_digest 5s;'), 'is duplicate' ],
[ '' => 'cache= with a zone',
  'flowdash_zone a:1m;' . action('flowdash_user_from /me cache=5s;') ],
[ warn => 'cache=2000', 'flowdash_zone a:1m;'
  . action('flowdash_user_from /me cache=2000;'), '2000 seconds',
  '"2000ms"' ],
[ emerg => 'cache=5000', action('flowdash_user_from /me cache=5000;'),
  '"cache=5000" in "flowdash_user_from"', 'up to 1h' ],

# Status

[ emerg => 'a status without a zone',
  outer('', 'flowdash_status html; # HERE'),
  '"flowdash_status"', '"flowdash_zone flowdash:1m"' ],
[ emerg => 'the user from a URL', outer('', qq(
    flowdash_user_from http://app/me; # HERE
    flowdash_action "Finish"; flowdash_step "CRM" { return 204; }
    proxy_pass http://127.0.0.1:1;)),
  '"http://app/me"', '"flowdash_user_from"', '"/users/me"' ],
[ '' => 'a status with a zone', outer('flowdash_zone a:1m;',
  'flowdash_status html;') ],
(map {[ emerg => "a zone with $_", outer("flowdash_zone a:1m $_; # HERE", ''),
  qq("$_"), '"flowdash_zone"', 'up to 100000' ]}
  qw(executions= executions=-1 executions=1k executions=100001 executions
     execution=5 exec)),
[ '' => 'a zone with executions',
  outer('flowdash_zone a:1m executions=100000;', 'flowdash_status html;') ],

);

for (@table) {
    my ($level, $name, $conf, @texts) = @$_;

    next if !$may_enter && grep { $_ eq 'all users' } @texts;

    $conf = "limit_req_zone \$uri zone=a:1m rate=1r/s;\n$conf"
        if $conf =~ /limit_req /;

    my ($ok, $output) = $t->test_config($conf);
    my @messages = grep { /\[(?:warn|emerg)\]/ } split /\n/, $output;

    if ($level eq '') {
        is(join("\n", $ok ? () : 'refused', @messages), '',
           "no message: $name") or diag($conf);
        next;
    }

    my ($line) = grep { /HERE/ } split /\n/, $t->read_file('test.conf');
    push @texts, " in $dir/test.conf:" . line('HERE') if defined $line;

    my @found = grep { my $message = $_;
                       $message =~ /\[$level\]/
                       && !grep { index($message, $_) < 0 } @texts } @messages;

    ok(@found == 1 && $ok == ($level eq 'warn')
       && ($level eq 'emerg' || @messages == 1), "$level: $name")
        or diag(join "\n", @messages, 'expected:', @texts);
}

# an app whose handler is set when values are merged, and not before

SKIP: {
    my $module = $t->nginx_module('handlers');
    skip 'no headers of nginx', 2 if !$module;

    for ([ '', qr/no content handler/ ], [ 'late_handler on;', qr/^$/ ]) {
        my ($handler, $message) = @$_;
        my $location = outer('', qq(
            flowdash_action "Finish";
            flowdash_step "CRM" { flowdash_call http://127.0.0.1/; }
            $handler));

        my ($ok, $output) = $t->test_config(
            "%%GLOBALS%% load_module $module; events { }"
            . " http { %%HTTP_GLOBALS%% $location }");
        my ($line) = grep { /\[warn\]/ } split /\n/, $output;
        ok($ok && ($line // '') =~ $message, "another module: $handler")
            or diag($output);
    }
}

# the line of a word in the last configuration

sub line {
    my ($word) = @_;
    my @lines = split /\n/, $t->read_file('test.conf');
    my ($number) = grep { $lines[$_ - 1] =~ /$word/ } 1 .. @lines;
    return $number;
}

$t->done;
