#!/bin/sh
#
# Run the tests in another Debian, build/debian-SUITE:
#
#   contained.sh test-in.sh SUITE make-args

set -eu
cd "$(dirname "$0")/../.."

suite=$1
shift

# shellcheck disable=SC2016         # the other shell's
exec t/build/in-debian.sh "$suite" "build/debian-$suite" sh -c \
    't/build/packages.sh make && make test "$@"' sh "$@"
