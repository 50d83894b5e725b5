#!/usr/bin/env bash
# How many instructions recording takes, by operation, counted under callgrind: what belongs beside the times of
# `cargo bench --bench ratios`, and does not depend on who else is on the machine.
#
#   ci/instructions.sh
#
# Exit code: 0 with a table, or with a line that says why there is none; 1 if an operation takes more than it may, which is
# the promise that a disabled client costs one load, and an event a few stores; 2 if the script itself is at fault.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in valgrind callgrind_annotate; do
    if ! command -v "$tool" >/dev/null; then
        echo "SKIPPED: there is no $tool here"
        exit 0
    fi
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The path of what was built is the one thing that cargo tells in no other way.
binary=$(cargo bench --bench instructions --no-run --message-format=json 2>"$scratch/build.log" |
    sed -nE '/"name":"instructions"/s/.*"executable":"([^"]+)".*/\1/p' | tail -1) || true
if [ -z "$binary" ]; then
    cat "$scratch/build.log" >&2
    exit 2
fi
if ! valgrind --tool=callgrind --callgrind-out-file="$scratch/out" "$binary" >"$scratch/run.log" 2>&1; then
    cat "$scratch/run.log" >&2
    exit 2
fi
callgrind_annotate --inclusive=yes --threshold=100 --auto=no --show-percs=no "$scratch/out" >"$scratch/functions"

# Instructions of one function of the benchmark, all that it calls included.
count() {
    awk -v name="instructions::$1 " '
        index($0 " ", name) { gsub(",", "", $1); print $1; found = 1; exit }
        END { if (!found) exit 1 }' "$scratch/functions" ||
        { echo "no function $1 in the profile" >&2; exit 2; }
}

events=$(sed -nE 's/^operations in each function: ([0-9]+);.*/\1/p' "$scratch/run.log")
around=$(count loop_alone)

# Where the counter is not read in place, events take another way, of which nothing is promised.
in_place=$(grep -c 'read in place by the SDK: true' "$scratch/run.log" || true)
too_many=0

# row <function> <what it is> <loops around it> [<the most it may take>]
row() {
    local all
    all=$(count "$1")
    awk -v all="$all" -v around="$around" -v loops="$3" -v events="$events" -v what="$2" -v most="${4:-0}" '
        BEGIN {
            each = (all - loops * around) / events
            above = most && each > most
            printf "| %s | %.1f |%s\n", what, each, above ? " more than " most : ""
            exit above
        }' || too_many=$in_place
}

grep '^operations' "$scratch/run.log"
echo
echo "| operation | instructions |"
echo "|---|--:|"
row raw_read "raw read of the counter" 1
row state_change_static "state change, static name" 1 33
row state_change_dynamic "state change, 32-byte dynamic name" 1 50
row state_change_coarse "state change, static name, coarse timestamps" 1
row read_static "read, static name" 1
row state_change_disabled "state change, client disabled" 1 9
row variable_static "write, static variable" 1
row variable_dynamic "write, 32-byte dynamic variable" 1
row std_lock "std Mutex, lock + unlock" 1
row tracked_lock "TrackedMutex, lock + unlock (2 events)" 1 155
row tracked_read "TrackedRwLock, read + unlock (2 events)" 1 170
row tracked_nested "two TrackedMutexes, nested (4 events)" 1 470
# What is drained are the events of two of the functions above.
events=$((2 * events))
row drain_and_encode "drain + encode, half with static and half with dynamic names" 0
exit "$too_many"
