#!/usr/bin/perl

# LWP with HTTP::Request::Common: KIND URL [NAME VALUE | NAME @FILE] ...

use v5.36;

use HTTP::Request::Common;
use JSON::PP;
use LWP::UserAgent;
use URI;

my ($kind, $url, @fields) = @ARGV;
my $agent = LWP::UserAgent->new;

if ($kind eq 'json') {
    my $json = JSON::PP->new->utf8->canonical;
    $agent->request(POST $url, Content_Type => 'application/json',
                    Content => $json->encode($json->decode($fields[0])));
} elsif ($kind eq 'urlencoded') {
    $agent->request(POST $url, \@fields);
} elsif ($kind eq 'query') {
    my $uri = URI->new($url);
    $uri->query_form(@fields);
    $agent->request(POST $uri);
} else {
    my @form = map { s/\A\@// ? [ $_ ] : $_ } @fields;
    $agent->request(POST $url, Content_Type => 'form-data',
                    Content => \@form);
}
