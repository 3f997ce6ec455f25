package Test::Flowdash::Crowd;

# Very many records of one kind, of which each has a call to make.  One is made
# by nginx; the others have its lines, another id, and MACs of their own.

use v5.36;

use Digest::SHA qw(hmac_sha256);
use File::Path qw(make_path remove_tree);
use List::Util qw(max);
use Test::Flowdash::Books;
use Time::HiRes qw(sleep time);

use constant { PATIENCE => 1200, LOST => 3 };


# new($t, $outbox, $count): nginx runs, and the file "crowd.down" exists

sub new ($class, $t, $outbox, $count) {
    return bless { t => $t, dir => $t->dir, outbox => $outbox,
                   count => $count }, $class;
}

sub template ($self) {
    my $t = $self->{t};
    my ($file, $text);

    $t->post_json('/crowd', '{"task":{"N":"crowd"}}')->{status} == 200
        or return;
    $t->wait_for(sub {
        ($file) = grep { m{/\d+(?:\.\w+)?/} }
            Test::Flowdash::Books::records($self->{outbox});
        $file && rename "$self->{outbox}/$file", "$self->{dir}/crowd.record";
    }) or return;

    $text = Test::Flowdash::Books::read_record("$self->{dir}/crowd.record");
    ($self->{id}) = $text =~ /"id":"(\w+)"/ or return;
    $self->{lines} = [ map { substr $_, 65 } split /\n/, $text ];
    $self->{secret} = $t->read_file('outbox.key') =~ s/\s+\z//r;
    return $self->_record($self->{id}) eq "$text\0";
}

sub _record ($self, $id) {
    my ($last, $text) = ("\0" x 32, '');

    for my $line (@{ $self->{lines} }) {
        my $json = $line =~ s/\Q$self->{id}\E/$id/gr;
        $last = hmac_sha256($last . $json, $self->{secret});
        $text .= unpack('H*', $last) . " $json\n";
    }
    return "$text\0";                   # or it was cut
}

# A third belongs to a worker that has died, the others are single files.

sub make ($self) {
    my $dir = "$self->{dir}/crowd";
    my $worker = 'worker-' . sprintf '%032x', 17;

    make_path(map { "$dir/$_" } 'single', "$worker/sending", "$worker/now");
    $self->_write("$dir/$worker/lock", '');
    for my $n (1 .. $self->{count}) {
        my $id = sprintf '%032x', $n;
        my $place = $n % LOST ? 'single' : "$worker/sending";
        $self->_write("$dir/$place/$id", $self->_record($id));
    }
    $self->{worker} = $worker;
}

sub _write ($self, $path, $text) {
    open my $file, '>:raw', $path or die "$path: $!\n";
    chmod 0600, $file;
    print $file $text;
    close $file or die "$path: $!\n";
}

sub move ($self) {
    my ($dir, $outbox) = ("$self->{dir}/crowd", $self->{outbox});

    rename "$dir/$self->{worker}", "$outbox/$self->{worker}" or die $!;
    opendir my $single, "$dir/single" or die $!;
    for my $id (grep { !/^\./ } readdir $single) {
        rename "$dir/single/$id", "$outbox/waiting/$id" or die "$id: $!\n";
    }
    remove_tree($dir);
}

# wait(faster => sub ($seconds), faults => sub ($n)): until all are gone.
# Returns { left, missing, twice, longest: how long a request took }.

sub wait ($self, %option) {
    my ($end, $left, $longest, $n) = (time + PATIENCE, $self->{count}, 0, 0);
    my $next = time + 2;

    while ($left && time < $end) {
        my $begun = time;
        eval { $self->{t}->get('/ping') };
        $longest = max $longest, time - $begun;
        sleep 0.1;

        # what an endpoint had no time for waits for some seconds

        $option{faster}->(5);
        next if time < $next;

        $next = time + 2;
        $option{faults}->($n) if $n++ < 8;
        $left = Test::Flowdash::Books::records($self->{outbox});
    }

    my $log = $self->{t}->read_file('counted.log');
    my %times;
    $times{$1}++ while $log =~ /^200 (?:\\x22)?(\w{32})/gm;
    my @missing = grep { !$times{ sprintf '%032x', $_ } } 1 .. $self->{count};
    my $twice = grep { $_ > 1 } values %times;
    return { left => $left, missing => scalar @missing, twice => $twice,
             longest => $longest, count => $self->{count} };
}

1;
