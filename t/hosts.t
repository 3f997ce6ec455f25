# /etc/hosts, where it can't be used: nginx starts nevertheless, and asks the
# resolver.  (What is in the file: t/unit/hosts.c; that it is read: t/names.t.)

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Flowdash::Namespace;
use Test::Flowdash;

use Test::Flowdash::DNS;

plan skip_all => 'no namespace of its own'
    if !Test::Flowdash::Namespace::private();

my $t = Test::Flowdash->new;

$t->endpoint(crm => {});
$t->endpoint(app => { body => 'stored' });
Test::Flowdash::DNS::start($t, dns => {
    'crm.test' => { A => [ '127.0.0.1' ] } });

$t->config(<<'EOC');
    resolver 127.0.0.1:%%PORT_dns%% ipv6=off;

    location / {
        flowdash_action "Do";
        flowdash_step "Name" {
            flowdash_call http://crm.test:%%PORT_crm%%/;
        }
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
EOC

# a name of the file leads to a port where nobody listens

sub hosts {
    my ($name, $size, $text, $status, $message) = @_;

    my $path = $text =~ m{^/} ? $text : $t->write_file('hosts', $text);
    truncate $path, $size or die "$path: $!\n" if $size;
    Test::Flowdash::Namespace::replace('/etc/hosts', $path);
    unlink $t->dir . '/stderr.log';

    $t->run;
    is($t->post_json('/', '{"task":{}}')->{status}, $status, $name);
    $t->stop;
    Test::Flowdash::Namespace::restore('/etc/hosts');

    my $log = $t->error_log . ($t->read_file('stderr.log') // '');
    my @warnings = $log =~ /\[warn\].*("\/etc\/hosts".*)/g;
    s/:\d+$/:/ for @warnings;
    is("@warnings", $message, "$name: what is logged");
}

hosts('a name of the file', 0, "127.0.0.2 crm.test\n", 502, '');
hosts('an empty file', 0, '', 200, '');
hosts('a file shorter than the system says', 0, '/sys/kernel/uevent_seqnum',
      200, '');
hosts('a file that is too large', 100_000_000, "127.0.0.2 crm.test\n", 200,
      '"/etc/hosts" is not read: it is not a regular file, or it is too large in '
      . $t->dir . '/nginx.conf:');

$t->done;
