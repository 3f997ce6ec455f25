#!/usr/bin/perl

# Mojo::UserAgent: KIND URL [NAME VALUE | NAME @FILE] ...

use v5.36;

use Encode qw(decode encode);
use Mojo::JSON qw(decode_json);
use Mojo::UserAgent;

my ($kind, $url, @fields) = @ARGV;
my $agent = Mojo::UserAgent->new;
my %form;

if ($kind eq 'json') {
    $agent->post($url => json => decode_json($fields[0]));
    exit;
}

while (my ($name, $value) = map { decode('UTF-8', $_) } splice @fields, 0, 2) {
    push @{ $form{$name} }, $value =~ s/\A\@//
        ? { file => encode('UTF-8', $value),
            filename => $value =~ s{.*/}{}r,
            $kind eq 'untyped' ? () : ('Content-Type' => 'text/plain') }
        : $value;
}

if ($kind eq 'urlencoded') {
    $agent->post($url => form => \%form);
} elsif ($kind eq 'query') {
    my $to = Mojo::URL->new($url);
    $agent->post($to->query(\%form));
} else {
    $agent->post($url => { 'Content-Type' => 'multipart/form-data' }
                 => form => \%form);
}
