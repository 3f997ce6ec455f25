package Test::Flowdash::Failing;

# Makes a chosen call of the module fail, as if memory had run out: the
# test's side of t/tool/failing_calls.c.

use v5.36;

use constant {                      # failing_t, in words of 8 bytes
    RECORD => 0, PATH => 1, MORE => 2, FAILED => 3, STACK => 4, CALLS => 68,
    PATHS => 69, MAX_PATHS => 65536,
};

# new($t): for all nginx that are started from now on; nothing if the module is
# not linked for it, as that of "make build" is not

sub new ($class, $t) {
    open my $module, '<:raw', $t->{module} or die "$t->{module}: $!\n";
    my $code = do { local $/; readline $module };
    return if $code !~ /FLOWDASH_FAILING/;

    my $path = $t->write_file('failing', "\0" x (8 * (PATHS + MAX_PATHS)));
    chmod 0666, $path;
    $ENV{FLOWDASH_FAILING} = $path;
    open my $file, '+<:raw', $path or die "$path: $!\n";

    return bless { file => $file, module => $t->{module} }, $class;
}

sub _read ($self, $word, $n = 1) {
    sysseek $self->{file}, 8 * $word, 0;
    sysread $self->{file}, my $bytes, 8 * $n;
    return unpack 'Q*', $bytes;
}

sub _write ($self, $word, @values) {
    sysseek $self->{file}, 8 * $word, 0;
    syswrite $self->{file}, pack 'Q*', @values;
}

# the paths of the calls that the module makes meanwhile, each once

sub record ($self, $code) {
    $self->_write(CALLS, 0);
    $self->_write(RECORD, 1, 0, 0, 0);
    $code->();
    $self->_write(RECORD, 0);

    my ($n) = $self->_read(CALLS);
    die "$n calls are too many\n" if $n > MAX_PATHS;
    my %seen;
    return grep { !$seen{$_}++ } $n ? $self->_read(PATHS, $n) : ();
}

# The call of this path fails, with more => 1 all later ones do, too.  Returns
# how many have failed, and what the code has returned.

sub fail ($self, $path, $more, $code) {
    $self->_write(RECORD, 0, $path, $more ? 1 : 0, 0);
    my $result = $code->();
    $self->_write(RECORD, 0, 0, 0);

    return (($self->_read(FAILED))[0], $result);
}

# where the last call failed, for where()

sub stack ($self) { return [ $self->_read(STACK, 64) ] }

# where the last call failed, or that of a stack, for a person to read

sub where ($self, $of = $self->stack) {
    my @stack;
    for my $offset (@$of) {
        last if !$offset;
        push @stack, sprintf '0x%x', $offset - 1;
    }
    open my $lines, '-|', 'addr2line', '-sfpe', $self->{module}, @stack
        or return "@stack";
    return join '', map { "  $_" } readline $lines;
}

1;
