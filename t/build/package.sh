#!/bin/sh
#
# Build the Debian package for the Debian that this runs in: build/*.deb.  What
# else comes of it, the source package for instance, is in build/package.

set -eu
cd "$(dirname "$0")/../.."

name=libnginx-mod-http-flowdash
version=$(sed -n 's/^#define NGX_HTTP_FLOWDASH_VERSION *"\(.*\)"/\1/p' \
          ngx_flowdash_module/core/ngx_http_flowdash.h)
debian=$(. /etc/os-release && echo "${VERSION_ID-} $VERSION_CODENAME")
suite=${debian#* }

# 1.0.0-1~deb12u1 of Debian 12 is older than what Debian 13 has
revision=$(dpkg-parsechangelog -S Version)
case $revision in
    "$version"-*) ;;
    *) echo "debian/changelog: $revision is no version $version" >&2; exit 1 ;;
esac

# an entry must not be as old as the one before it
date=$(LC_ALL=C date --utc --rfc-email \
       --date "$(dpkg-parsechangelog -S Date) + 1 second")

work=build/package
tree=$work/$name-$version
rm -rf $work "build/${name}_"*.deb
mkdir -p "$tree"

t/build/files.sh >"$work/files"

grep --null-data --invert-match '^debian/' "$work/files" |
    tar --create --gzip --sort=name --owner=0 --group=0 --numeric-owner \
        --no-recursion --null --files-from=- \
        --transform "s,^,$name-$version/,S" \
        --file "$work/${name}_$version.orig.tar.gz"

tar --extract --directory "$tree" --strip-components 1 \
    --file "$work/${name}_$version.orig.tar.gz"
grep --null-data '^debian/' "$work/files" |
    xargs --null cp --parents --target-directory "$tree"

{
    echo "$name ($revision~deb${debian% *}u1) $suite; urgency=medium"
    echo
    echo "  * Build for Debian ${debian% *}."
    echo
    echo " -- $(dpkg-parsechangelog -S Maintainer)  $date"
    echo
    cat debian/changelog
} >"$tree/debian/changelog"

echo "building the package for $suite; this takes about a minute"
if ! (cd "$tree" && dpkg-buildpackage -us -uc) >$work/log 2>&1; then
    tail -n 40 $work/log >&2
    exit 1
fi

cp "$work/${name}_"*.deb build

if [ -n "${LINTIAN-}" ]; then
    lintian --tag-display-limit 0 --fail-on error,warning $work/*.changes
fi

echo "built $(echo "build/${name}_"*.deb)"
