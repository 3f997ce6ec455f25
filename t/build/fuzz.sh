#!/bin/sh
#
# Run fuzzers one after the other:  fuzz.sh DIR SECONDS NAME...
#
# DIR/NAME is the program.  What it learns is kept in DIR/learned/NAME, the
# inputs that break a property in DIR/found.

set -u

dir=$1 seconds=$2
shift 2

# every module of nginx defines ngx_modules and two more as nginx does
export ASAN_OPTIONS=detect_odr_violation=0:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1

failed=
mkdir -p "$dir/found"

for name; do
    mkdir -p "$dir/learned/$name"

    dict=t/fuzz/$name.dict
    [ -f "$dict" ] && dict=-dict=$dict || dict=-dict=t/fuzz/any.dict

    echo "== $name, $seconds s"
    "$dir/$name" -max_total_time="$seconds" -max_len=4096 -timeout=60 \
        -verbosity=0 -print_final_stats=1 "$dict" \
        -artifact_prefix="$dir/found/$name-" \
        "$dir/learned/$name" "t/fuzz/corpus/$name" >"$dir/$name.log" 2>&1 ||
        failed="$failed $name"

    case "$failed " in
        *" $name "*) cat "$dir/$name.log" ;;
        *) sed -n 's/^stat::\(number_of_executed_units\|new_units_added\): */\1 /p' \
               "$dir/$name.log" ;;
    esac
done

[ -z "$failed" ] || {
    echo "failed:$failed; to repeat it: $dir/NAME $dir/found/NAME-..." >&2
    exit 1
}
