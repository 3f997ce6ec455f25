package Test::Flowdash::Points;

# Kills nginx, or the power of its machine, at a point of its work: at a call
# that changes the outbox, that asks an endpoint or the app, or that answers.
# t/tool/points.c does it, and notes which points there are.

use v5.36;

use File::Path qw(make_path);
use List::Util qw(min sum0);
use Time::HiRes qw(time);

# if none of those is reached for so long, others will do, too; s

use constant { SOON => 1, LATER => 4 };

# what a worker does only at times

my $RARE = qr/take|give a|lock|directory|again|to (?:undo|after|dead|unknown)/;


# new($machine, @points): the directory of t/tool/machine.c, and points that are
# known before nginx comes to them

sub new ($class, $machine, @points) {
    make_path("$machine/points");
    for my $point (@points) {
        open my $file, '>', "$machine/points/$point" or die "$point: $!\n";
    }
    return bless { machine => $machine, hits => {}, armed => 0, more => 0,
                   until => 0 }, $class;
}

# arm($those, $power): who comes to one of those points first is killed, or the
# power fails.  These are points where the fewest faults were.  Returns true if
# all of them are rare.

sub arm ($self, $those, $power) {
    my %hits = map { ($_ => sum0 values %{ $self->{hits}{$_} // {} }) }
        grep { /$those/ } $self->_names;
    my $most = $self->{more} + (min(values %hits) // return);

    my @next = grep { $hits{$_} <= $most } sort keys %hits;
    my $rare = !grep { !/$RARE/ } @next;

    $self->{armed} = 1;
    $self->{until} = time + ($rare ? LATER : SOON);
    $self->_write('kill', join '', map { ($power ? 'off ' : '') . "$_\n" }
                  @next);
    return $rare;
}

# Returns what has happened: "kill" or "power", and the point; or nothing.

sub happened ($self) {
    for my $file (qw(hit off)) {
        next if !$self->{armed};
        open my $text, '<', "$self->{machine}/$file" or next;
        chomp(my $point = readline $text);
        my $what = $file eq 'hit' ? 'kill' : 'power';
        @$self{qw(armed more)} = (0, 0);
        $self->{hits}{$point}{$what}++;
        unlink "$self->{machine}/hit";
        return ($what, $point);
    }
    return;
}

sub is_off ($self) { return -e "$self->{machine}/off" }

sub power_is_back ($self) { unlink "$self->{machine}/off" }

# Returns true while points wait for somebody.

sub is_armed ($self) {
    return 0 if !$self->{armed};
    return 1 if time < $self->{until} || !$self->disarm;
    $self->{more}++;
    return 0;
}

# Returns false if somebody has come.

sub disarm ($self) {
    return 0 if !unlink "$self->{machine}/kill";
    $self->{armed} = 0;
    return 1;
}

# { POINT => { kill => times, power => times } }, for all points

sub all ($self) {
    return { map { ($_ => { kill => 0, power => 0,
                            %{ $self->{hits}{$_} // {} } }) } $self->_names };
}

sub _names ($self) {
    opendir my $dir, "$self->{machine}/points" or die $!;
    return grep { !/^\./ } readdir $dir;
}

sub _write ($self, $name, $text) {
    open my $file, '>', "$self->{machine}/$name.new" or die "$name: $!\n";
    print $file $text;
    close $file or die "$name: $!\n";
    rename "$self->{machine}/$name.new", "$self->{machine}/$name"
        or die "$name: $!\n";
}

1;
