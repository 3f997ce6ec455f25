#!/bin/bash
#
# Run a command with mounts and processes of its own, as root.  However this
# ends, by Ctrl-C too, none of them is left: the kernel sees to that.
#
# CONTAINER is the process to end for that, by the number that it has outside.

set -m                      # the command doesn't get the terminal's signals

export CONTAINER=$$
unshare --mount --pid --fork --kill-child --mount-proc "$@" </dev/null &
job=$!

trap 'kill -KILL -- -$job; wait; exit 1' HUP INT TERM
wait "$job"
