#!/bin/bash
#
# Build the Debian package for each of the SUITEs:  deb.sh SUITE ...
#
# This Debian's own is build/*.deb afterwards, that of another one is
# build/SUITE/*.deb: it is built there, in build/debian-SUITE.

set -eu
cd "$(dirname "$0")/../.."

here=$(. /etc/os-release && echo "$VERSION_CODENAME")

for suite; do
    if [ "$suite" = "$here" ]; then
        make --no-print-directory package LINTIAN=1
        continue
    fi

    t/build/contained.sh t/build/in-debian.sh "$suite" "build/debian-$suite" \
        sh -c 't/build/packages.sh make && make package LINTIAN=1'

    mkdir -p "build/$suite"
    rm -f "build/$suite/"*.deb
    cp "build/debian-$suite/flowdash/build/"*.deb "build/$suite"
    echo "copied to $(echo "build/$suite/"*.deb)"
done
