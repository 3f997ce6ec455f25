#!/bin/sh
#
# Does this nginx load the module that was built?  fits.sh NGINX MODULE TREE
#
# TREE is where the module was built.  If it does not fit, this says why.

set -eu

nginx=$1
module=$2
tree=$3

refuse() {
    echo "$nginx cannot load $module:" >&2
    for line; do
        echo "  $line" >&2
    done
    exit 1
}

# the switches of configure, one a line: what they set is left out
switches() {
    tr ' ' '\n' | sed -n 's/^"*\(--with[a-z0-9_-]*\).*/\1/p' |
        grep -v -e '-opt$' -e '^--with-cc$' | LC_ALL=C sort -u
}

"$nginx" -V >/dev/null 2>&1 || refuse "\"$nginx -V\" fails"
said=$("$nginx" -V 2>&1)

have=$(echo "$said" | sed -n 's,^nginx version: [^/]*/\([0-9.]*\).*,\1,p')
want=$(sed -n 's/^#define NGINX_VERSION *"\(.*\)"/\1/p' \
       "$tree/src/core/nginx.h")

if [ -n "$have" ] && [ "$have" != "$want" ]; then
    refuse "it is nginx $have, and the module was built for nginx $want." \
           "NGINX_SRC names the source tree of the nginx to build for."
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

printf '%s\n' "load_module $(realpath "$module");" "pid $dir/pid;" \
    'error_log stderr;' 'events { }' >"$dir/nginx.conf"

error=$("$nginx" -t -q -p "$dir" -c "$dir/nginx.conf" 2>&1) && exit 0
error=$(echo "$error" | grep emerg || echo "$error")

case $error in
    *'not binary compatible'*) ;;
    *) refuse "$error" ;;
esac

echo "$said" | switches >"$dir/nginx"
sed -n 's/^#define NGX_CONFIGURE//p' "$tree/objs/ngx_auto_config.h" |
    switches >"$dir/module"

only() {
    LC_ALL=C comm "$1" "$dir/nginx" "$dir/module" | tr '\n' ' '
}

refuse 'they were configured in ways that do not fit.' \
       "Only nginx has: $(only -23)" \
       "Only the module has: $(only -13)" \
       'Build both --with-compat, or the module with the arguments that' \
       '"nginx -V" shows, by NGINX_CONFIGURE.'
