#!/bin/sh
#
# Build an nginx of the version installed, with sanitizers, from Debian's
# source package:  CC= CC_OPT= LD_OPT= sanitized.sh NGINX DIR configure-args
#
# DIR/nginx is then its tree, with objs/nginx, objs/src/**.o, and all objects
# in objs/libnginx.a for programs that test our functions.  Nothing is
# done when it is there.

set -eu

nginx=$1 dir=$2; shift 2
here=$(cd "$(dirname "$0")" && pwd)

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

version=$("$nginx" -v 2>&1 | sed 's|.*nginx/\([0-9.]*\).*|\1|')
settings="$version | $CC | $CC_OPT | $LD_OPT | $*"
settings="$settings | $(cksum "$here/sanitizer_options.c")"

[ "$(cat "$dir/nginx/objs/settings" 2>/dev/null)" != "$settings" ] || exit 0


# Debian's patches are not needed, so the original tarball will do.  It is
# fetched with an apt configuration of our own: the machine's sources, but
# for source packages, and lists in $dir/apt.  This needs no root and leaves
# the machine as it is.
fetch() {
    apt=$dir/apt
    rm -rf "$apt"
    mkdir -p "$apt/sources" "$apt/lists/partial" "$apt/cache"

    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        case $file in
            *.list)    script='s/^ *deb /deb-src /' ;;
            *.sources) script='s/^Types:.*/Types: deb-src/' ;;
            *)         continue ;;
        esac
        [ ! -f "$file" ] ||
            sed "$script" "$file" >"$apt/sources/$(basename "$file")"
    done

    # What is to run after an update is about the machine's own lists.
    # _apt, whom root's apt-get would become, can't write here.
    cat >"$apt/apt.conf" <<END
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$apt/sources";
Dir::State::Lists "$apt/lists";
Dir::Cache "$apt/cache";
APT::Sandbox::User "root";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END

    # A repository of the machine's may have no sources: never mind.
    apt-get -c "$apt/apt.conf" -qq update || :

    # A security update's source may be gone from the archive while the
    # release's is there, with the same original tarball.
    apt-cache -c "$apt/apt.conf" madison nginx |
        awk -F ' *[|] *' -v v="$version-" 'index($2, v) == 1 {print $2}' |
        sort -Vru >"$apt/versions"

    while read -r package; do
        (cd "$dir" &&
            apt-get -c "$apt/apt.conf" -qq --only-source --tar-only \
                --download-only source "nginx=$package") || :
        [ ! -f "$tarball" ] || return 0
    done <"$apt/versions"

    echo "There is no source package of nginx $version to be had." >&2
    exit 1
}


tarball=$dir/nginx_$version.orig.tar.gz
[ -f "$tarball" ] || fetch

echo "building nginx $version with sanitizers"

rm -rf "$dir/nginx"
mkdir "$dir/nginx"
tar -xzf "$tarball" -C "$dir/nginx" --strip-components=1
cd "$dir/nginx"

# configure's little programs leak, and shall be judged by what they print.
unset CFLAGS
export ASAN_OPTIONS=detect_leaks=0
$CC -g -O1 -c -o sanitizer_options.o "$here/sanitizer_options.c"

{
    ./configure --error-log-path=stderr "$@" --with-cc="$CC" \
        --with-cc-opt="$CC_OPT" --with-ld-opt="$PWD/sanitizer_options.o $LD_OPT" &&
        make -f objs/Makefile -j "$(nproc)" binary
} >build.log 2>&1 || { tail -n 20 build.log >&2; exit 1; }

objcopy --redefine-sym main=nginx_main objs/src/core/nginx.o objs/nginx_main.o
find objs -name '*.o' ! -path objs/src/core/nginx.o -exec \
    ar rcs objs/libnginx.a {} +

echo "$settings" >objs/settings
