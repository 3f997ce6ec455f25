#!/bin/sh
#
# Add up what gcov has counted below DIR, write it to DIR/html, and print the
# files with the fewest of their branches run: coverage.sh DIR LINES BRANCHES
# Fails if fewer percent of all lines, or of all branches, were run.

set -eu

dir=$1 lines=$2 branches=$3
root=$(cd "$(dirname "$0")/../.." && pwd)

rm -rf "$dir/html"
mkdir "$dir/html"

# without -j, which hangs when gcov's output is not understood
status=0
gcovr --root "$root" --filter "$root/ngx_flowdash_module/" \
    --html-details "$dir/html/index.html" --html-title ngx_flowdash_module \
    --json-summary "$dir/summary.json" \
    --fail-under-line "$lines" --fail-under-branch "$branches" \
    "$dir" || status=$?

jq -r '
    def line($name):
        [.line_percent, .branch_percent, $name] |
        "\(.[0] | tostring | (" " * (5 - length)) + .) %" +
        "  \(.[1] | tostring | (" " * (5 - length)) + .) %  \(.[2])";

    "  lines branches",
    (.files | sort_by(.branch_percent)[:10][] | line(.filename)),
    line("all of ngx_flowdash_module/")
' "$dir/summary.json"

echo "What was not run: $dir/html/index.html"

exit $status
