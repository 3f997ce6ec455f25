#!/bin/sh
#
# Print the names of the sources, each with a zero byte behind it: what git
# knows of in a checkout, or in the copy of one that in-debian.sh makes, and
# otherwise all that is there.

set -eu
cd "$(dirname "$0")/../.."

if [ -e .git ]; then
    # whoever it belongs to: only the index is read
    git -c safe.directory="$PWD" ls-files -z
elif [ -e build/tracked ]; then
    cat build/tracked
else
    find . -path ./build -prune -o \( -type f -o -type l \) -printf '%P\0'
fi
