#!/bin/bash
#
# Redmine, as Debian 12 has it, in a Debian of its own:
#
#   redmine.sh install ROOT         makes that Debian below ROOT
#   redmine.sh start ROOT PORT      Redmine, with what redmine.rb puts into it,
#                                   at 127.0.0.1:PORT, until this process ends
#
# "install" does what is missing.  It needs root, and packages of Debian's.

set -eu
cd "$(dirname "$0")/../.."

what=$1
root=$2


export RAILS_ENV=production X_DEBIAN_SITEID=default LANG=C.UTF-8
data=/var/lib/dbconfig-common/sqlite3/redmine/instances/default/redmine_default

case $what in
install)
    cmp -s t/recipes/redmine.rb "$root/var/lib/redmine/seed" && exit
    t/build/packages.sh debootstrap rsync
    t/build/contained.sh t/build/in-debian.sh bookworm "$root" \
        bash t/recipes/redmine.sh inside "$root"
    ;;

start)
    # the mounts and processes end with this one
    exec unshare --mount --pid --fork --kill-child --mount-proc \
        t/build/in-debian.sh bookworm "$root" \
        bash t/recipes/redmine.sh serve "$root" "$3"
    ;;

inside)
    t/build/packages.sh redmine redmine-sqlite puma
    [ -e "$data.empty" ] || cp -p "$data" "$data.empty"
    cp -p "$data.empty" "$data"
    seed=$PWD/t/recipes/redmine.rb
    (cd /usr/share/redmine && bundle exec rails runner "$seed")
    cp -p "$data" "$data.seeded"
    cp "$seed" /var/lib/redmine/seed
    ;;

serve)
    cp -p "$data.seeded" "$data"
    cd /usr/share/redmine
    RAILS_LOG_TO_STDOUT=1 exec puma -e production -t 1:3 \
        -b "tcp://127.0.0.1:$3" config.ru
    ;;
esac
