#!/bin/bash
#
# Run a command in another Debian, in a copy of the checkout:
#
#   contained.sh in-debian.sh SUITE ROOT COMMAND ...
#
# ROOT is that Debian.  If it is missing, debootstrap makes it; packages come
# from where this machine's apt gets its own.  Its /flowdash is a copy of the
# checkout, with a build/ of its own that stays.  With NETLESS=1 in the
# environment, the command has no network but its own loopback.
#
# One run at a time: the next one would empty the /tmp of the first.

set -eu
cd "$(dirname "$0")/../.."

suite=$1
root=$(realpath -m "$2")
shift 2

mkdir -p "$(dirname "$root")"
exec {lock}>>"$root.lock"
flock --nonblock "$lock" || {
    echo "$root is in use: $(cat "$root.lock")" >&2
    exit 1
}
echo "process ${CONTAINER-$$} runs \"$*\" there since $(date +%T)" \
    >"$root.lock"

debian=$(t/build/archive.sh Debian)
[ -n "$debian" ] || {
    echo "This machine's apt knows no archive of Debian's." >&2
    exit 1
}
security=$(t/build/archive.sh Debian-Security)


if [ ! -d "$root" ]; then
    eval "$(apt-config shell http_proxy Acquire::http::Proxy \
                             https_proxy Acquire::https::Proxy)"
    export http_proxy https_proxy

    rm -rf "$root.new"
    debootstrap --variant=minbase "$suite" "$root.new" "$debian"
    mv "$root.new" "$root"
fi

{
    echo "deb $debian $suite main"
    echo "deb $debian $suite-updates main"
    [ -z "$security" ] || echo "deb $security $suite-security main"
} >"$root/etc/apt/sources.list"

# The programs by which apt finds a proxy are not installed in there.
apt-config dump | grep '^Acquire::' | grep -vi 'auto-\?detect' \
    >"$root/etc/apt/apt.conf.d/90machine"

cp -L --remove-destination /etc/resolv.conf /etc/hosts "$root/etc"

settings=()
for name in TERM http_proxy https_proxy no_proxy; do
    [ -z "${!name-}" ] || settings+=("$name=${!name}")
done

# This machine may trust more than Debian does: a proxy that looks into TLS, or
# a mirror of one's own.
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/machine.crt"
    echo 'Acquire::https::CaInfo "/etc/machine.crt";' \
        >>"$root/etc/apt/apt.conf.d/90machine"
    settings+=(NODE_EXTRA_CA_CERTS=/etc/machine.crt)
fi

if command -v npm >/dev/null; then
    settings+=("npm_config_registry=$(npm config get registry)")
fi


# tests that were killed leave things there
find "$root/tmp" -mindepth 1 -delete

# What has not changed keeps its time: make must not build all of it again.
rsync --recursive --links --perms --checksum --delete \
    --exclude=/build/ --exclude=/.git ./ "$root/flowdash/"

# for package.sh, which finds no .git there
mkdir -p "$root/flowdash/build"
t/build/files.sh >"$root/flowdash/build/tracked"

# unshare, in the tests, needs a root that is a mount
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"

net=()
[ -z "${NETLESS-}" ] || net=(unshare --net)

env -i "${settings[@]}" HOME=/root LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    "${net[@]}" chroot "$root" sh -c 'cd /flowdash && "$@"' sh "$@" {lock}>&-
