package Test::Flowdash::Libcurl;

# Which libcurl the module uses: curl(1) uses the same one.

use v5.36;

use Exporter qw(import);

our @EXPORT = qw(libcurl_version libcurl_does_http2);

# as curl_version_info() says it, such as 7.88.1

sub libcurl_version () {
    my ($version) = `curl --version` =~ m{ libcurl/([\w.-]+)};
    return $version // die "curl does not say which libcurl it uses\n";
}

# whether "flowdash_http_version 2" is accepted

sub libcurl_does_http2 () {
    my ($major, $minor) = split /\./, libcurl_version();
    return $major > 8 || $major == 8 && $minor >= 5;
}

1;
