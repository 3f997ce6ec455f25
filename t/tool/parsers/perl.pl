#!/usr/bin/perl

# How Mojolicious and Plack read requests: see Test::Flowdash::Parsers for what
# goes in and out.

use v5.36;
no warnings qw(recursion);

use HTTP::Request;
use HTTP::Message::PSGI qw(req_to_psgi);
use Mojo::JSON qw(decode_json);
use Mojo::Message::Request;
use Plack::Request;

use JSON::PP ();

my $json = JSON::PP->new->ascii->allow_nonref;
my %PARSER = (mojolicious => \&mojolicious, plack => \&plack);

STDOUT->autoflush(1);

while (my $path = readline STDIN) {
    chomp $path;
    open my $file, '<:raw', $path or die "$path: $!\n";
    while (read $file, my $length, 4) {
        read $file, my $raw, unpack 'N', $length;
        my %reading = map {
            my $parser = $_;
            ($parser => scalar eval { $PARSER{$parser}->($raw) });
        } keys %PARSER;
        say $json->encode(\%reading);
    }
}

sub file (@its) { return { '$file' => [ map { $_ // '' } @its ] } }

sub mojolicious ($raw) {
    my $req = Mojo::Message::Request->new;
    $req->parse($raw);
    die if $req->error || !$req->is_finished;

    my @views = ([ query => 'pairs', pairs($req->query_params->pairs) ]);
    if (($req->headers->content_type // '') =~ /json/i) {
        my $body = decode_json($req->body);
        return [ @views, [ body => 'tree', numbers($body) ] ];
    }

    my $body = pairs($req->body_params->pairs);
    push @$body, map { [ $_->name, file($_->filename,
                         $_->headers->content_type, $_->size) ] }
        @{ $req->uploads };
    return [ @views, [ body => 'pairs', $body ] ];
}

sub pairs ($flat) {
    my @all = @$flat;
    my @pairs;
    push @pairs, [ splice @all, 0, 2 ] while @all;
    return \@pairs;
}

# JSON's numbers are numbers for Perl, too

sub numbers ($value) {
    return [ map { numbers($_) } @$value ] if ref $value eq 'ARRAY';
    return { map { $_ => numbers($value->{$_}) } keys %$value }
        if ref $value eq 'HASH';
    return $value ? JSON::PP::true : JSON::PP::false if ref $value;

    my $text = $json->encode($value);
    return $text =~ /^-?[\dIN]/i && $text ne 'null' ? { '$number' => "$value" }
        : $value;
}

sub plack ($raw) {
    my ($head, $body) = split /\r\n\r\n/, $raw, 2;
    my ($start, @lines) = split /\r\n/, $head;
    my ($method, $target) = split / /, $start;
    my $req = Plack::Request->new(req_to_psgi(HTTP::Request->new(
        $method, "http://localhost$target",
        [ map { split /: /, $_, 2 } @lines ], $body)));

    my @body;
    $req->body_parameters->each(sub ($name, $value) {
        push @body, [ text($name), text($value) ];
    });
    $req->uploads->each(sub ($name, $upload) {
        push @body, [ text($name), file(text($upload->filename),
                         scalar $upload->content_type, $upload->size) ];
    });

    my @query;
    $req->query_parameters->each(sub ($name, $value) {
        push @query, [ text($name), text($value) ];
    });
    return [ [ query => 'pairs', \@query ], [ body => 'pairs', \@body ] ];
}

sub text ($bytes) {
    utf8::decode($bytes);
    return $bytes;
}
