package Test::Flowdash::TLS;

# Authorities and certificates, made by openssl in the test's directory: NAME
# becomes NAME.pem and NAME.key there.

use v5.36;

use Exporter qw(import);

our @EXPORT = qw(authority certificate pin openssl);

my @KEY = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1');


# authority($t, $name, by => another): signs itself, unless another does

sub authority ($t, $name, %option) {
    certificate($t, $name, subject => "/CN=Authority $name", %option,
                ext => 'basicConstraints=critical,CA:TRUE');
}

# certificate($t, $name, by => authority, subject, names, password,
#             expired => 1, then another has to sign it)

sub certificate ($t, $name, %option) {
    my $subject = $option{subject} // "/CN=$name";
    my $ext = $option{ext} // 'basicConstraints=CA:FALSE';
    $ext .= "\nsubjectAltName=$option{names}" if $option{names};
    my @password = defined $option{password}
        ? ('-passout', "pass:$option{password}") : ('-nodes');
    my $by = $option{by};

    $t->write_file("$name.ext", "$ext\n");
    openssl($t, 'req', @KEY, @password, '-subj', $subject,
            '-keyout', "$name.key", '-out', "$name.csr");
    return _expired($t, $name, $by) if $option{expired};
    openssl($t, 'x509', '-req', '-in', "$name.csr", '-out', "$name.pem",
            '-days', 30, '-extfile', "$name.ext",
            $by ? ('-CA', "$by.pem", '-CAkey', "$by.key", '-CAcreateserial')
                : ('-signkey', "$name.key"));
}

# "openssl x509" of OpenSSL 3.5 refuses a negative number of days, and that of
# 3.0 takes no dates.

sub _expired ($t, $name, $by) {
    $t->write_file('ca.index', '');
    $t->write_file('ca.conf', <<'END');
[ca]
default_ca = any
[any]
database = ca.index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any_subject
[any_subject]
commonName = supplied
END
    openssl($t, 'ca', '-batch', '-config', 'ca.conf', '-in', "$name.csr",
            '-out', "$name.pem", '-extfile', "$name.ext", '-notext',
            '-cert', "$by.pem", '-keyfile', "$by.key",
            '-startdate', '20200101000000Z', '-enddate', '20200201000000Z');
}

# what pins the public key of a certificate, as libcurl wants it

sub pin ($t, $name) {
    my $der = openssl($t, 'x509', '-in', "$name.pem", '-noout', '-pubkey');
    $t->write_file("$name.pub", $der);
    openssl($t, 'pkey', '-pubin', '-in', "$name.pub", '-outform', 'der',
            '-out', "$name.der");
    openssl($t, 'dgst', '-sha256', '-binary', '-out', "$name.sha256",
            "$name.der");
    return 'sha256//' . openssl($t, 'base64', '-A', '-in', "$name.sha256");
}

sub openssl ($t, @arguments) {
    my $dir = $t->dir;

    defined(my $pid = open my $output, '-|') or die "fork: $!\n";
    if (!$pid) {
        chdir $dir or die "$dir: $!\n";
        open STDERR, '>>', 'openssl.log';
        exec 'openssl', @arguments;
    }

    my $text = do { local $/; readline $output } // '';
    close $output
        or die "openssl @arguments: $?\n", $t->read_file('openssl.log');
    return $text;
}

1;
