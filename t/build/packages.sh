#!/bin/sh
#
# Install those of the Debian packages named that are missing, or, with -n as
# the first argument, only name them.
# Asks neither for anything nor for root if there is nothing to install.

set -eu

name_only=
if [ "${1-}" = -n ]; then
    name_only=1
    shift
    command -v dpkg-query >/dev/null || exit 0      # others know themselves
fi

missing=
for package; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) ||
        status=
    [ "$status" = installed ] || missing="$missing $package"
done

[ -n "$missing" ] || exit 0

if [ -n "$name_only" ]; then
    echo "$missing"
    exit 0
fi

echo "installing:$missing"

sudo=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
        { echo "Neither root nor sudo: install them as root." >&2; exit 1; }
    sudo=sudo
fi

# A fresh container has no package lists, an old machine has stale ones.  One
# of somebody's other repositories may be out of order: apt-get install
# will tell whether that matters.
$sudo apt-get -q update || :

# RUNLEVEL=1 lets invoke-rc.d start nothing, and SYSTEMD_OFFLINE=1 systemctl:
# nobody asked for an nginx on port 80, or a Prometheus on 9090.
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 SYSTEMD_OFFLINE=1 \
    apt-get -q -y --no-install-recommends install $missing
