package Test::Flowdash::Power;

# What a loss of power leaves of a directory, as a file system with a journal
# does it: what was synced, and any part of the rest.  t/tool/machine.c
# notes what nginx syncs.
#
#   * A file has what was synced, or any number of bytes more.
#   * What was created, moved or removed is so if its directory was synced since;
#     otherwise it may be so or not.  A file that was moved is in one place.
#
# All file names but "lock" are expected to be of one file only.

use v5.36;

use File::Path qw(make_path remove_tree);

# new($outbox, $machine): the two directories of t/tool/machine.c

sub new ($class, $outbox, $machine) {
    make_path($outbox, map { "$machine/$_" } qw(f d ever made));
    my $self = bless { outbox => $outbox, machine => $machine }, $class;
    $self->boot;
    return $self;
}

# The machine is started again.

sub boot ($self) {
    my $id = join '', map { sprintf '%04x', int rand 65536 } 1 .. 8;
    $id =~ s/^(.{8})(.{4})(.{4})(.{4})/$1-$2-$3-$4-/;
    _write("$self->{machine}/boot_id", "$id\n");
}

# Nginx must not run.  Returns how many files there were, how many of them have
# lost something, and how many are gone.

sub fails ($self) {
    my $root = (stat $self->{outbox})[1];
    my (%now, %synced);

    _walk($self->{outbox}, $root, \%now);
    $self->_read_synced(\%synced);

    my %place = $self->_places(\%now, \%synced, $root);
    my @counts = $self->_rebuild(\%now, \%place, $root);
    $self->boot;
    return @counts;
}

# Entities are named "d INODE", "f NAME" and "l INODE", the lock in a directory.
# Each has the directory in which it is, and its name there.

sub _entity ($parent, $name, $inode, $type) {
    return $type eq 'd' ? "d $inode" : $name eq 'lock' ? "l $parent"
        : "f " . $name =~ s{\.\d+$}{}r;
}

sub _walk ($path, $parent, $found) {
    opendir my $dir, $path or die "$path: $!\n";
    for my $name (grep { !/^\.\.?$/ } readdir $dir) {
        my ($inode, $size) = (lstat "$path/$name")[1, 7];
        my $type = -d _ ? 'd' : 'f';
        my $entity = _entity($parent, $name, $inode, $type);
        $found->{$entity} = { parent => $parent, name => $name };

        if ($type eq 'd') {
            _walk("$path/$name", $inode, $found);
        } else {
            $found->{$entity}{size} = $size;
            $found->{$entity}{text} = _read("$path/$name") =~ s/\0.*//sr;
        }
    }
}

# where all was when its directory was synced last

sub _read_synced ($self, $synced) {
    for my $path (glob "$self->{machine}/d/*") {
        my ($parent) = $path =~ m{/(\d+)$};
        my ($time, @lines) = split /\n/, _read($path);
        for my $line (@lines) {
            my ($name, $inode, $type) = split /\t/, $line;
            my $entity = _entity($parent, $name, $inode, $type);
            next if $type eq 'd' && $self->_made($inode) > $time;
            next if ($synced->{$entity}{time} // 0) > $time;
            $synced->{$entity} = { parent => $parent, name => $name,
                                   time => $time };
        }
    }
}

# Another directory had this inode before that.

sub _made ($self, $inode) {
    my $path = "$self->{machine}/made/$inode";
    return -s $path ? _read($path) : -1;
}

# Where each is when the power is back; nothing: it is gone.

sub _places ($self, $now, $synced, $root) {
    my @all = sort keys %{ { %$now, %$synced } };
    my (%place, %sure);

    # it was synced, and then its going away from there

    for my $entity (@all) {
        my $ever = -e "$self->{machine}/ever/" . $entity =~ s/^\w //r;
        $sure{$entity} = 1
            if !$synced->{$entity} && $ever && $entity !~ /^l/;
    }

    # so it was if the directory in which it was synced is certainly gone: what
    # a journal has kept it has kept in order

    my %last = map { ($_ => $sure{$_} ? $now->{$_}
                      : $synced->{$_} // $now->{$_}) } @all;
    for my $entity (grep { /^f/ } @all) {
        $sure{$entity} = 1 if !_reaches(\%last, $entity, $root);
    }

    # a lock is made before all else in its directory, and removed after it

    for my $entity (@all) {
        my ($is, $was) = ($now->{$entity}, $synced->{$entity});
        $place{$entity} = $entity =~ /^l/ ? $is // $was
            : $sure{$entity} || rand(2) < 1 ? $is : $was;
    }

    # ... and how a directory was made before what was moved there

    $self->_force(\%place, $now, $_, $root) for keys %sure;

    for my $entity (@all) {             # directories are first
        next if _reaches(\%place, $entity, $root)
            || $entity =~ /^d/ && !$place{$entity};
        $place{$entity} = $synced->{$entity};
        next if _reaches(\%place, $entity, $root);
        delete $place{$entity};

        # of its two directories the old one is gone: it has left it before

        $self->_force(\%place, $now, $entity, $root)
            if $synced->{$entity} && $now->{$entity};
    }

    return %place;
}

sub _force ($self, $place, $now, $entity, $root) {
    while (my $at = $place->{$entity} //= $now->{$entity}) {
        last if $at->{parent} == $root;
        $entity = "d $at->{parent}";
    }
}

sub _reaches ($place, $entity, $root) {
    my %seen;
    while (my $at = $place->{$entity}) {
        return 1 if $at->{parent} == $root;
        $entity = "d $at->{parent}";
        return 0 if $seen{$entity}++;
    }
    return 0;
}

sub _rebuild ($self, $now, $place, $root) {
    my ($files, $less, $gone) = (0, 0, 0);
    my %made;

    for my $entity (sort keys %{ { %$now, %$place } }) {
        next if $entity =~ /^l/;
        my ($kind, $id) = split / /, $entity, 2;
        my $at = $place->{$entity};
        if ($kind eq 'f') {
            $files++;
            $gone++ if !$at;
        }
        next if !$at || !_reaches($place, $entity, $root);

        my $path = _path($place, $entity, $root);
        $made{$path} = $kind eq 'd' ? undef : $self->_content($id, $now);
        $less++ if $kind eq 'f' && $now->{$entity}
            && $made{$path} ne _padded(@{ $now->{$entity} }{qw(text size)});
    }
    for my $entity (grep { /^l/ } keys %$place) {
        next if !$place->{$entity} || !_reaches($place, $entity, $root);
        $made{ _path($place, $entity, $root) } = '';
    }

    remove_tree($self->{outbox}, { keep_root => 1 });
    remove_tree(map { ("$self->{machine}/$_") } qw(f d ever made));
    make_path(map { ("$self->{machine}/$_") } qw(f d ever made));
    for my $path (sort keys %made) {
        my $whole = "$self->{outbox}/$path";
        defined $made{$path} ? _write($whole, $made{$path})
            : make_path($whole);
    }
    $self->_all_synced($self->{outbox}, $root);
    return ($files, $less, $gone);
}

sub _path ($place, $entity, $root) {
    my @names;
    while (my $at = $place->{$entity}) {
        unshift @names, $at->{name};
        last if $at->{parent} == $root;
        $entity = "d $at->{parent}";
    }
    return join '/', @names;
}

# half of them exactly what was synced, the others any number of bytes more

sub _content ($self, $name, $now) {
    my ($size, $text) = (0, '');
    if (-e "$self->{machine}/f/$name") {
        ($size, $text) = split /\n/, _read("$self->{machine}/f/$name"), 2;
    }

    my $here = $now->{"f $name"};
    if ($here && $here->{text} =~ /^\Q$text/) {
        my $more = length($here->{text}) - length $text;
        my $way = int rand 4;
        $more = $way < 2 ? 0 : $way == 2 ? $more : int rand $more + 1;
        $text = substr $here->{text}, 0, length($text) + $more;
        $size = $here->{size} if $size == 0 || $more;
    }
    return _padded($text, $size);
}

sub _padded ($text, $size) {
    my $rest = $size - length $text;
    return $rest > 0 ? $text . "\0" x $rest : $text;
}

# what is there now was read from the disk

sub _all_synced ($self, $path, $inode) {
    my $machine = $self->{machine};
    opendir my $dir, $path or die "$path: $!\n";
    my $text = "0\n";
    for my $name (grep { !/^\.\.?$/ } readdir $dir) {
        my ($entry, $size) = (lstat "$path/$name")[1, 7];
        my $type = -d _ ? 'd' : 'f';
        $text .= "$name\t$entry\t$type\n";
        _write("$machine/ever/" . ($type eq 'd' ? $entry : $name), '');

        $type eq 'd' ? $self->_all_synced("$path/$name", $entry)
            : _write("$machine/f/$name", "$size\n"
                     . _read("$path/$name") =~ s/\0.*//sr);
    }
    _write("$machine/d/$inode", $text);
}

sub _read ($path) {
    open my $file, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar(readline $file) // '';
}

sub _write ($path, $text) {
    open my $file, '>:raw', $path or die "$path: $!\n";
    print $file $text;
    close $file or die "$path: $!\n";
}

1;
