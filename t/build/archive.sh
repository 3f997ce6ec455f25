#!/bin/sh
#
# Print the URI of one of Debian's archives, by its label, as this machine's
# apt knows it:  archive.sh Debian|Debian-Security
#
# It is empty if apt doesn't know that one.

set -eu

uri() {
    # shellcheck disable=SC2016         # apt's
    apt-get indextargets --format '$(LABEL)|$(REPO_URI)' \
        'Created-By: Packages' 'Origin: Debian' |
        awk -F '|' -v label="$1" '$1 == label {print $2; exit}'
}

if [ -z "$(uri Debian)" ]; then         # a fresh container has no lists yet
    apt-get -q update >&2
fi

uri=$(uri "$1")

case $uri in                            # a list of mirrors, as in clouds
    mirror+file:*) awk '/^[^#]/ {print $1; exit}' "${uri#mirror+file:}" ;;
    *)             echo "$uri" ;;
esac
