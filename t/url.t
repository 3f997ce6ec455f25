#!/usr/bin/perl

# The URL of a flowdash_call.  One without variables is parsed once, one with
# variables for each call: what endpoints get is the same.  A proxy sees all
# of it, so that it can name any host and port.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash;

use IO::Socket::UNIX;
use Test::Flowdash::Server;

my $t = Test::Flowdash->new;
my $dir = $t->dir;

my $unix = IO::Socket::UNIX->new(Local => "$dir/hook.sock", Listen => 8)
    or die "$dir/hook.sock: $!\n";
$t->server(unix => sub {
    my (undef, $record) = @_;
    Test::Flowdash::Server::serve($unix, {}, $record);
});

$t->endpoint(proxy => { body => 'ok' });
$t->endpoint(app => { body => 'stored' });

# what is in front of the path; the Host that it makes

my @origins = (
    [ 'http://crm.example.com', 'crm.example.com' ],
    [ 'http://crm.example.com:80', 'crm.example.com' ],
    [ 'http://crm.example.com:443', 'crm.example.com:443' ],
    [ 'http://crm.example.com:0081', 'crm.example.com:81' ],
    [ 'HTTP://CRM.Example.COM:8080', 'CRM.Example.COM:8080' ],
    [ 'http://crm.example.com.', 'crm.example.com.' ],
    [ 'http://localhost:65535', 'localhost:65535' ],
    [ 'http://192.0.2.1', '192.0.2.1' ],
    [ 'http://192.0.2.1:8080', '192.0.2.1:8080' ],
    [ 'http://3221225985:8080', '192.0.2.1:8080' ],
    [ 'http://[2001:db8::1]', '[2001:db8::1]' ],
    [ 'http://[2001:DB8:0::1]:8080', '[2001:db8::1]:8080' ],
    [ 'http://[fe80::1%25eth0]:8080', '[fe80::1]:8080' ],
    [ 'http://user:secret@crm.example.com:8080', 'crm.example.com:8080' ],
    [ 'http://us%40er:%2F@crm.example.com', 'crm.example.com' ],
);
my @paths = ('', '/', '/a/b', '?q=1', '/?', '/a?', '//', '/a//b/',
             '/%2e%41?%zz',
             q(/<>|^`'), q(/?<>|^`'), q(/{,}?{a:{}}}));

my @locations;

sub location {
    my ($url, @directives) = @_;
    my $n = @locations;

    push @locations, <<"EOC";
    location = /$n {
        flowdash_action "Do";
        @directives
        flowdash_step "Hook" { flowdash_call "$url"; }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
EOC
}

sub pair {                      # with a variable, which is nothing, and without
    my ($url, @directives) = @_;

    location($url, @directives);
    location($url =~ /\?/ ? "$url\$nothing" : "$url?\$nothing", @directives);
}

my $set = 'flowdash_set_header Host';

pair($_->[0] . '/a') for @origins;
pair("http://crm.example.com$_") for grep { /\?/ } @paths;
location("http://crm.example.com$_") for grep { !/\?/ } @paths;
pair('http://crm.example.com:8080/a', "$set other.example.com;");
pair('http://crm.example.com:8080/a', "$set '';");
location("http://[2001:db8::1]$_/a") for '', ':81';
location("http://\$tenant.example.com$_/a") for '', ':80', ':81';
pair("http://unix:$dir/hook.sock:/a", 'flowdash_proxy off;');

$t->config(<<"EOC");
%%GLOBALS%%
events { }
http {
    %%HTTP_GLOBALS%%
    map '' \$nothing { default ''; }
    map '' \$tenant  { default acme; }
    flowdash_allow all;
    flowdash_proxy http://127.0.0.1:%%PORT_proxy%%;

    server {
        listen 127.0.0.1:%%PORT_http%%;
        @locations
    }
}
EOC
$t->run;

my $at = 0;

sub call {
    my $endpoint = shift // 'proxy';
    my $n = $at++;
    my $status = $t->post_json("/$n", '{"task":{}}')->{status};
    my $request = $t->only_request($endpoint);

    return { status => $status, target => $request->{target},
             authorization => header($request, 'Authorization') // '',
             host => join '|', map { $_->[1] } grep { lc $_->[0] eq 'host' }
                                                   @{ $request->{headers} } };
}

sub same {
    my ($name, $endpoint) = @_;
    my ($constant, $variable) = (call($endpoint), call($endpoint));

    is($constant->{status}, 200, "$name: called");
    $_->{target} =~ s/\?$// for $constant, $variable;
    is_deeply($constant, $variable, "$name: the same with a variable");
    return $constant;
}

for my $origin (@origins) {
    my ($name, $host) = @$origin;
    is(same($name)->{host}, $host, "$name: one Host, the right one");
}

same("path $_") for grep { /\?/ } @paths;

for my $path (grep { !/\?/ } @paths) {
    my $got = call();
    is($got->{target}, 'http://crm.example.com' . ($path || '/'),
       "path $path: sent as it is");
}

is(same('Host is set')->{host}, 'other.example.com', 'flowdash_set_header Host');
is(same('no Host is set')->{host}, 'crm.example.com:8080',
   'flowdash_set_header Host with nothing: the own one');
# on the proxy's connection, of which libcurl remembers the first host

is(call()->{host}, $_, "one connection: $_")
    for '[2001:db8::1]', '[2001:db8::1]:81', 'acme.example.com',
        'acme.example.com', 'acme.example.com:81';

is(same('unix socket', 'unix')->{host}, 'localhost', 'unix socket: a Host');

$t->done;
