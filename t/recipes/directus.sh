#!/bin/bash
#
# Directus, with SQLite and a Node.js of its own, all from npm:
#
#   directus.sh install DIR         makes DIR, and in it an empty empty.db
#   directus.sh start DIR PORT DB   Directus at 127.0.0.1:PORT
#
# "install" does what is missing.  Two of its packages are compiled, which takes
# minutes.

set -eu

dir=$2
arch=x64
[ "$(uname -m)" = x86_64 ] || arch=arm64

packages="directus@11.17.4 node-linux-$arch@22.23.3 node-gyp@11.5.0"
node=$dir/node_modules/node-linux-$arch
export PATH=$node/bin:$PATH

export KEY=recipe SECRET=0123456789abcdef0123456789abcdef TELEMETRY=false \
    DB_CLIENT=sqlite3 ADMIN_EMAIL=admin@example.com ADMIN_PASSWORD=admin-secret \
    ADMIN_TOKEN=admin-token CACHE_ENABLED=false \
    PRESSURE_LIMITER_ENABLED=false LOG_STYLE=raw

case $1 in
install)
    [ "$(cat "$dir/installed" 2>/dev/null)" != "$packages" ] || exit 0
    mkdir -p "$dir"
    # shellcheck disable=SC2086         # words
    npm install --prefix "$dir" --no-save --no-package-lock --no-audit \
        --no-fund --ignore-scripts --loglevel=error $packages

    for package in isolated-vm sqlite3; do
        (cd "$dir/node_modules/$package" &&
            node "$dir/node_modules/.bin/node-gyp" rebuild --release \
                "--nodedir=$node") >"$dir/$package.log" 2>&1 ||
            { tail -n 20 "$dir/$package.log" >&2; exit 1; }
    done

    rm -f "$dir/empty.db"
    cd "$dir"
    DB_FILENAME=$dir/empty.db node_modules/.bin/directus bootstrap
    echo "$packages" >"$dir/installed"
    ;;

start)
    export HOST=127.0.0.1 PORT=$3 DB_FILENAME=$4
    cd "$dir"
    exec node_modules/.bin/directus start
    ;;
esac
