package Test::Flowdash::BenchPage;

=head1 NAME

Test::Flowdash::BenchPage - what t/bench/bench has measured, as a page

=head1 SYNOPSIS

    my $page = Test::Flowdash::BenchPage->new($results);
    print $page->page, $page->picture;

A ratio is made within each round, of what was measured seconds apart.  The
median of these is shown, with the least and the greatest.

=cut

use v5.36;

use List::Util qw(max min sum0);
use POSIX qw(strftime);
use Test::Flowdash::Bench qw(median);

# What is wanted of a ratio: its name, the greatest that is good, and the two
# figures, each for rounds().

my @WANTED = (
    [ 'one proxied step, eight fields, to two plain hops', 1.03,
      [ cpu => 'actions', 'proxied' ], [ cpu => 'actions', 'two' ] ],
    [ 'one `flowdash_call`, eight fields, to a plain hop and libcurl alone',
      1.10, [ cpu => 'actions', 'call' ],
      [ cpu => 'actions', 'hop', 'libcurl' ] ],
    [ '1 MB of JSON, one proxied step, to Lua with `location.capture`', 0.20,
      [ cpu => '1 MB', 'proxied' ], [ cpu => '1 MB', 'capture' ] ],
    [ '1 MB of JSON, one proxied step, to two plain hops', 1.3,
      [ cpu => '1 MB', 'proxied' ], [ cpu => '1 MB', 'two' ] ],
    [ '10 MB of JSON to 1 MB, one proxied step', 11,
      [ cpu => '10 MB', 'proxied' ], [ cpu => '1 MB', 'proxied' ] ],
    [ 'a form with a file of 1 MB, one proxied step, to two plain hops', 1.2,
      [ cpu => 'multipart', 'proxied' ], [ cpu => 'multipart', 'two' ] ],
    [ 'a proxied step, one of eight to a single one', 1.03,
      [ step => 'actions', 'proxied', 8 ],
      [ step => 'actions', 'proxied', 1 ] ],
    [ 'a `flowdash_call`, one of eight to a single one', 1.03,
      [ step => 'actions', 'call', 8 ], [ step => 'actions', 'call', 1 ] ],
    [ '99th percentile at half load, one `flowdash_call`, to the better of '
      . 'Lua with an HTTP client and `ngx.fetch`', 1.0,
      [ p99 => '50 %', 'call' ], [ best => '50 %', 'client', 'fetch' ] ]);

# The sections that have a table each, and their titles.

my @SECTIONS = (
    [ '100 kB', 'JSON of 100 kB' ], [ '1 MB', 'JSON of 1 MB' ],
    [ '10 MB', 'JSON of 10 MB' ],
    [ '100 kB, spooled', 'JSON of 100 kB, in a file' ],
    [ '1 MB, spooled', 'JSON of 1 MB, in a file' ],
    [ '10 MB, spooled', 'JSON of 10 MB, in a file' ],
    [ 'multipart', 'A form with a file of 1 MB' ],
    [ 'one connection', 'One connection' ],
    [ '1,024 connections', '1,024 connections' ],
    [ 'TLS', 'An endpoint with TLS' ], [ '2 workers', 'Two workers' ]);

my %TITLE = (actions => 'A task of eight fields', map { @$_ } @SECTIONS);
my @RATES = map { "$_ %" } 25, 50, 75, 90;
my @SIZES = ('1 kB', '1 MB');

# Who does the same as ours, in the same way.

my %RIVALS = (proxied => [ qw(capture subrequest) ],
              call => [ qw(http resty fetch haproxy apache node) ]);


sub new ($class, $result) {
    my %name = map { $_->{id} => $_->{name} } @{ $result->{peers} };
    my @order = map { $_->{id} } @{ $result->{peers} };
    return bless { %$result, name => \%name, order => \@order }, $class;
}


# Figures.

# rounds($what, $section, @peers): what was measured, one of each round; of
# several peers, the sum.  "best" is the least p99 of them, and "step" what each
# of so many steps costs beyond a plain hop.  "client" is lua-resty-http, or, if
# that was not there, what stands for it.

sub rounds ($self, $what, $section, @peers) {
    my $n = $what eq 'step' ? pop @peers : 1;
    my $client = $self->{name}{resty} ? 'resty' : 'http';
    @peers = map { $_ eq 'client' ? $client : $_ } @peers;
    my $measured = $self->{sections}{$section} // {};
    my @of = $what eq 'step' ? ($n > 1 ? "$peers[0]$n" : $peers[0], 'hop')
        : grep { $what ne 'best' || $measured->{$_} } @peers;
    my $key = { best => 'p99', step => 'cpu' }->{$what} // $what;
    my @all = map { ($measured->{$_} // {})->{$key} // [] } @of;

    return map {
        my $round = $_;
        my @values = map { $_->[$round] } @all;
        !@values || grep({ !defined } @values) ? undef
            : $what eq 'step' ? ($values[0] - $values[1]) / $n
            : $what eq 'best' ? min(@values) : sum0(@values);
    } 0 .. $self->{rounds} - 1;
}

sub ratios ($self, $one, $other) {
    my @one = $self->rounds(@$one);
    my @other = $self->rounds(@$other);
    return map { $one[$_] / $other[$_] }
        grep { defined $one[$_] && $other[$_] } keys @one;
}

sub middle ($self, @of) {
    return scalar median(grep { defined } $self->rounds(@of));
}

sub spread ($format, @values) {
    return '-' if !@values;
    return sprintf "$format ($format to $format)", median(@values),
        min(@values), max(@values);
}

sub figure ($value) {
    return '-' if !defined $value;
    my $text = sprintf $value < 10 ? '%.2f' : $value < 100 ? '%.1f' : '%.0f',
        $value;
    return thousands($text);
}

sub thousands ($text) {
    1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
    return $text;
}


# The page.

sub page ($self) {
    return join "\n", $self->head, $self->wanted, $self->losses,
        $self->how, $self->actions, $self->steps, $self->rates,
        (map { $self->section(@$_) } @SECTIONS), $self->memory,
        $self->instructions, $self->system_calls, $self->noise;
}

sub head ($self) {
    my $quick = $self->{quick} ? "\n**These figures are worth nothing: they "
        . "come from a quick run, which only shows\nthat everything works.**\n"
        : '';
    return <<"END";
# Benchmarks

What an action costs, compared with plain proxies and with gateways in which
somebody has programmed the same.
$quick
<!-- not run: it takes most of an hour -->

    make bench

measures all of it on your machine, and writes this page.
Times depend on the machine, and on what else it does: compare only the ratios.

![CPU time of an action, for each of the gateways.](images/benchmarks.svg)
END
}

sub wanted ($self) {
    my @rows;
    for (@WANTED) {
        my ($name, $limit, $one, $other) = @$_;
        my @ratios = $self->ratios($one, $other);
        push @rows, [ $name, sprintf('%.2f', $limit),
            spread('%.2f', @ratios), !@ratios ? '-'
            : median(@ratios) <= $limit ? 'met' : '**not met**' ];
    }
    my ($call, $hop) = map { $self->memory_of('1 kB', $_) } qw(call hop);
    push @rows, $self->wanted_memory('a waiting `flowdash_call`, eight fields, '
        . 'beyond what a plain hop takes', 24, 'kB',
        defined $hop ? $call - $hop : ());
    push @rows, $self->wanted_memory('a waiting `flowdash_call`, 1 MB of JSON',
        1.2, 'of the body', map { 1024 * $_ / $self->{bytes}{'1 MB'} }
            $self->memory_of('1 MB', 'call'));

    return "## What is wanted\n\n"
        . "Ratios of CPU time, unless another unit is named: the median of "
        . "all rounds, the least\nand the greatest.\n\n"
        . table([ 'work', 'at most', 'measured', '' ], @rows);
}

sub wanted_memory ($self, $name, $limit, $unit, @value) {
    return [ $name, "$limit $unit", @value
        ? (sprintf("%.2f $unit", @value),
           $value[0] <= $limit ? 'met' : '**not met**') : ('-', '-') ];
}

# in kB, or nothing

sub memory_of ($self, $size, $id) {
    my $of = $self->{memory}{$size} // {};
    return $of->{$id} ? $of->{$id}{each} : ();
}

# where another one takes less than ours does

sub losses ($self) {
    my @rows;
    my %unit = (cpu => 'CPU time', p99 => '99th percentile');

    for my $ours (sort keys %RIVALS) {
        for my $section ('actions', (map { $_->[0] } @SECTIONS), @RATES) {
            for my $other (@{ $RIVALS{$ours} }) {
                my $what = $section =~ /%$/ ? 'p99' : 'cpu';
                my @ratios = $self->ratios([ $what, $section, $ours ],
                                           [ $what, $section, $other ]);
                push @rows, [ $TITLE{$section} // "Load of $section",
                              $self->name($ours), $self->name($other),
                              $unit{$what}, spread('%.2f', @ratios) ]
                    if @ratios && median(@ratios) > 1;
            }
        }
        for my $size (@SIZES) {
            my $of = ($self->{memory} // {})->{$size} // next;
            push @rows, map {
                [ "Waiting, $size", $self->name($ours), $self->name($_),
                  'memory', sprintf '%.2f', $of->{$ours}{each} / $of->{$_}{each}
                ]
            } grep { $of->{$_} && $of->{$ours}{each} > $of->{$_}{each} }
                @{ $RIVALS{$ours} };
        }
    }

    return "## Where we lose\n\n" . (@rows
        ? table([ 'work', 'ours', 'takes more than', 'of', 'ratio' ], @rows)
        : "In none of the comparisons below.\n");
}

sub how ($self) {
    my $m = $self->{machine};
    my $versions = join ', ', map { name_of($_) . " $m->{versions}{$_}" }
        sort { lc $a cmp lc $b } keys %{ $m->{versions} };
    my $date = strftime('%Y-%m-%d', gmtime $self->{made});
    my $minutes = sprintf '%.0f', $self->{took} / 60;
    my $failed = join '', map { "* $_: `" . ($self->{failed}{$_}
        =~ s/`/'/gr =~ s/^(.{200}).*/$1 .../r) . "`\n" }
        sort keys %{ $self->{failed} };
    $failed = "\nThese failed:\n\n$failed" if $failed;

    return <<"END";
## How it is measured

Measured on $date in $minutes minutes: $m->{processors} processors
(`$m->{cpu}`), $m->{memory} MB of memory, $m->{system}, Linux $m->{kernel};
$versions.

Everything that Debian has for the purpose is compared, and a gateway in Node.
All is on loopback.
`t/bench/peers` has the configuration and the script of each, written as
somebody would who knows it well.
Each is first checked to do the whole job: the endpoint gets the
[payload](endpoints.md) and none of the client's headers, the app gets the
changed task, and if the endpoint refuses, the client is told and the app is not
called.
The scripts read JSON and write it again; ours leaves what is not changed as it
was, to the byte.

* A *plain hop* is nginx that proxies to the app.
  *Two plain hops*, in the same worker, are the least that a proxied call before
  it can cost.
* *libcurl alone* is a small program that makes the same calls on `epoll`.
* The app and the endpoint are one program that answers at once.
* The gateway has one worker and a processor of its own; the load, the app and
  the endpoint share the others.
* The *cosocket client* does only what is needed here.
  `lua-resty-http` is not in Debian: it is measured if `RESTY_HTTP` names its
  directory.
* For HAProxy, the buffers are as large as a body needs; for Apache, there are
  as many threads as connections.
* All of nginx hold a body in memory (`client_body_buffer_size 32m`), except
  where it says "in a file".
* Ours has `flowdash_max_fields_size 100m` and `flowdash_max_fields 200000`, for
  bodies of 10 MB.

Each figure is the median of the rounds, $self->{rounds} of $self->{seconds} s each.
Within a round, all are measured one after the other.
CPU time is that of the gateway's processes and threads, in its own code and in
the kernel, divided by the number of requests.
$failed
END
}

sub actions ($self) {
    return "## $TITLE{actions}\n\n"
        . "1 kB of JSON, one step, 64 connections, as many requests as the "
        . "gateway can take.\nWhere it had time left (`*`), the load was "
        . "too small to find its greatest rate.\n\n"
        . $self->costs('actions');
}

sub section ($self, $id, $title) {
    return $self->{sections}{$id} ? "## $title\n\n" . $self->costs($id) : ();
}

sub costs ($self, $id) {
    my $of = $self->{sections}{$id};
    my $base = $of->{two} ? 'two' : 'call';
    my $workers = $id eq '2 workers' ? 2 : 1;

    return table([ '', 'CPU time, us', "to ${\ $self->name($base) }",
                   'requests a second' ], map {
        my $cpu = $self->middle(cpu => $id, $_);
        my $rate = $self->middle(rps => $id, $_);
        my $idle = defined $cpu && $_ ne 'libcurl'
            && $cpu * $rate < 0.9e6 * $workers;
        [ $self->name($_), figure($cpu),
          spread('%.2f', $self->ratios([ cpu => $id, $_ ],
                                       [ cpu => $id, $base ])),
          figure($rate) . ($idle ? ' `*`' : '') ];
    } grep { $of->{$_} && !/\d$/ } @{ $self->{order} });
}

sub steps ($self) {
    my @rows;
    for my $ours (qw(proxied call)) {
        for my $n (1, 2, 4, 8) {
            my $id = $n > 1 ? "$ours$n" : $ours;
            push @rows, [ $ours eq 'call' ? '`flowdash_call`' : 'proxied', $n,
                figure($self->middle(cpu => 'actions', $id)),
                figure($self->middle(step => 'actions', $ours, $n)) ];
        }
    }
    return "## More steps\n\n"
        . "With 64 connections, as above.\n\n"
        . table([ '', 'steps', 'CPU time, us',
                  'of each step, beyond a plain hop' ], @rows);
}

sub rates ($self) {
    my @shares = grep { $self->{sections}{$_} } @RATES;
    return () if !@shares;

    return "## Latency\n\n"
        . "Requests come at random moments, at a share of the greatest rate of "
        . "each gateway.\nThe time of a request begins when it is due, even if "
        . "it cannot be sent yet.\nThe faster a gateway is, the more requests "
        . "that are, and one processor sends and\nanswers them all: what the "
        . "99th percentile of a plain hop has beyond that of slower\ngateways "
        . "is the machine's.\n"
        . "Milliseconds: the median, and the 99th percentile.\n\n"
        . table([ '', @shares ], map {
            my $id = $_;
            [ $self->name($id), map {
                join ', ', map { figure(defined ? $_ / 1000 : undef) }
                    $self->middle(p50 => $_, $id), $self->middle(p99 => $_, $id)
            } @shares ];
        } grep { $self->{sections}{ $shares[0] }{$_} } @{ $self->{order} });
}

sub memory ($self) {
    my @sizes = grep { $self->{memory}{$_} } @SIZES or return ();
    return "## Memory\n\n"
        . "What a request takes in the gateway while the endpoint does not "
        . "answer, and what is\nstill held when all of them have ended, in "
        . "kB.\n\n"
        . table([ '', map { my $n = 2 * (values %{ $self->{memory}{$_} })[0]{n};
                            ("$_, each", 'left by ' . thousands($n) . ' of them') } @sizes ], map {
            my $id = $_;
            [ $self->name($id), map { figure($self->{memory}{$_}{$id}{each}),
                figure(max(0, $self->{memory}{$_}{$id}{kept})) } @sizes ];
        } grep { $self->{memory}{ $sizes[0] }{$_} } @{ $self->{order} });
}

sub instructions ($self) {
    my @sizes = grep { $self->{instructions}{$_} } @SIZES or return ();
    return "## Instructions\n\n"
        . "Of a request, without those of the kernel, counted by "
        . "`callgrind`.\n\n"
        . table([ '', @sizes ], map {
            my $id = $_;
            [ $self->name($id), map { figure($self->{instructions}{$_}{$id}) }
                @sizes ];
        } grep { $self->{instructions}{ $sizes[0] }{$_} } @{ $self->{order} });
}

sub system_calls ($self) {
    my $of = $self->{system_calls} or return ();
    return "## System calls\n\nOf a request, counted by `strace`.\n\n"
        . table([ '', 'all', '' ], map {
            [ $self->name($_), sprintf('%.1f', $of->{$_}{sum}),
              join ', ', map { sprintf '`%s` %.1f', @$_ } @{ $of->{$_}{of} } ]
        } grep { $of->{$_} } @{ $self->{order} });
}

sub noise ($self) {
    my %of = (hop => 'a plain hop', loop => 'a loop that only computes');
    return "## Noise\n\n"
        . "Each round begins with the same two pieces of work.\nWhat they "
        . "took, compared with their own median, is the noise of the "
        . "machine.\n\n"
        . table([ '', 'least', 'middle half', 'greatest' ], map {
            my @took = sort { $a <=> $b } @{ $self->{reference}{$_} };
            my $median = median(@took);
            my ($low, $high) = map { $took[$_ * $#took] / $median } 0.25, 0.75;
            [ $of{$_}, sprintf('%.2f', $took[0] / $median),
              sprintf('%.2f to %.2f', $low, $high),
              sprintf '%.2f', $took[-1] / $median ];
        } sort keys %of);
}

sub name ($self, $id) { return name_of($self->{name}{$id}) }

# what people do not type as a word

sub name_of ($text) {
    return $text =~ s/\b(\w+_\w+|\w+\.\w+|lua-[\w-]+)/`$1`/gr;
}

sub table ($head, @rows) {
    return join '', map { '| ' . join(' | ', @$_) . " |\n" }
        $head, [ map { '---' } @$head ], @rows;
}


# The picture: CPU time of an action, as bars.

sub picture ($self) {
    my ($width, $left, $bar) = (760, 190, 440);
    my $y = 10;
    my @lines;

    for my $panel ([ 'actions', '1 kB of JSON, one step: CPU time, us', 1 ],
                   [ '1 MB', '1 MB of JSON, one step: CPU time, ms', 1000 ])
    {
        my ($id, $title, $unit) = @$panel;
        my $of = $self->{sections}{$id} or next;
        my @ids = grep { $of->{$_} && !/\d$/
            && defined $self->middle(cpu => $id, $_) } @{ $self->{order} };
        my %cpu = map { $_ => $self->middle(cpu => $id, $_) } @ids;
        my $most = max(values %cpu);

        $y += 24;
        push @lines, qq(<text x="10" y="$y" class="title">$title</text>);
        $y += 10;
        for (@ids) {
            my $length = sprintf '%.1f', max(1, $bar * $cpu{$_} / $most);
            my $class = /^(?:proxied|call)$/ ? 'ours'
                : /^(?:hop|two|libcurl)$/ ? 'floor' : 'other';
            push @lines,
                sprintf('<text x="%d" y="%d" text-anchor="end">%s</text>',
                        $left - 8, $y + 14, $self->{name}{$_}),
                sprintf('<rect x="%d" y="%d" width="%s" height="16" '
                        . 'class="%s"/>', $left, $y + 2, $length, $class),
                sprintf('<text x="%.1f" y="%d">%s</text>', $left + $length + 6,
                        $y + 14, figure($cpu{$_} / $unit));
            $y += 20;
        }
    }

    $y += 10;
    my $lines = join "\n", @lines;
    return <<"END";
<svg xmlns="http://www.w3.org/2000/svg" width="$width" height="$y" viewBox="0 0 $width $y" role="img" aria-label="CPU time of an action, for each of the gateways">
<style>
text { font: 13px sans-serif; fill: #222 }
.title { font-weight: bold }
.ours { fill: #1769aa }
.floor { fill: #999 }
.other { fill: #d9862b }
</style>
<rect width="$width" height="$y" fill="#fff"/>
$lines
</svg>
END
}

1;
