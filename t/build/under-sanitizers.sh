#!/bin/sh
#
# Run a command, and fail as well if any sanitizer had something to report
# meanwhile: a worker that dies isn't always noticed by the test that killed it.

here=$(cd "$(dirname "$0")" && pwd)

# workers may run as another user, who can't read what is below /root
reports=$(mktemp -d "${TMPDIR:-/tmp}/flowdash-reports.XXXXXX") || exit 1
chmod 1777 "$reports"
install -m 644 "$here/lsan.supp" "$reports/suppressions"
trap 'rm -rf "$reports"' EXIT
trap 'exit 1' HUP INT TERM

# every module of nginx defines ngx_modules and two more as nginx does
ASAN_OPTIONS=detect_odr_violation=0
ASAN_OPTIONS=$ASAN_OPTIONS:log_path=$reports/asan
ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=1:detect_stack_use_after_return=1
ASAN_OPTIONS=$ASAN_OPTIONS:strict_string_checks=1:handle_abort=1

# gcc's libubsan writes its message to standard error, which is nginx's error
# log, whatever log_path says.  It's the report of libasan, about the abort(),
# that goes there.
UBSAN_OPTIONS=abort_on_error=1:print_stacktrace=1:log_path=$reports/ubsan

LSAN_OPTIONS=suppressions=$reports/suppressions:print_suppressions=0
FLOWDASH_SANITIZED=1    # to tests: all is slower

export ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS FLOWDASH_SANITIZED

"$@"
status=$?

for report in "$reports"/asan.* "$reports"/ubsan.*; do
    [ -f "$report" ] || continue
    echo "== sanitizer report $(basename "$report")"
    cat "$report"
    status=1
done

exit $status
