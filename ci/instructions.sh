#!/usr/bin/env bash
# How many instructions recording takes, by operation, counted under callgrind: what belongs beside the times of
# `cargo bench --bench ratios`, and does not depend on who else is on the machine. And how many it takes where the crate
# is built without the feature `tracked`: as many as std's, and none.
#
#   ci/instructions.sh
#
# Exit code: 0 with two tables, or with a line that says why there are none; 1 if an operation takes more than it may, which
# is the promise that a disabled client costs one load, an event a few stores, and what is not compiled in nothing; 2 if the
# script itself is at fault.
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

# profile <benchmark> [<argument of cargo>...]: builds and runs it. Its functions are what `count` knows from then on.
profile() {
    bench=$1
    # The path of what was built is the one thing that cargo tells in no other way.
    binary=$(cargo bench --bench "$bench" "${@:2}" --no-run --message-format=json 2>"$scratch/build.log" |
        sed -nE "/\"name\":\"$bench\"/s/.*\"executable\":\"([^\"]+)\".*/\1/p" | tail -1) || true
    if [ -z "$binary" ]; then
        cat "$scratch/build.log" >&2
        exit 2
    fi
    if ! valgrind --tool=callgrind --callgrind-out-file="$scratch/out" "$binary" >"$scratch/run.log" 2>&1; then
        cat "$scratch/run.log" >&2
        exit 2
    fi
    callgrind_annotate --inclusive=yes --threshold=100 --auto=no --show-percs=no "$scratch/out" >"$scratch/functions"
    events=$(sed -nE 's/^operations in each function: ([0-9]+).*/\1/p' "$scratch/run.log")
    grep '^operations' "$scratch/run.log"
}

# Instructions of one function of the benchmark, all that it calls included.
count() {
    awk -v name="$bench::$1 " '
        index($0 " ", name) { gsub(",", "", $1); print $1; found = 1; exit }
        END { if (!found) exit 1 }' "$scratch/functions" ||
        { echo "no function $1 in the profile" >&2; exit 2; }
}

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

# same <function> <function> <what it is>: the first may take no other number of instructions than the second.
same() {
    local ours stds
    ours=$(count "$1")
    stds=$(count "$2")
    awk -v ours="$ours" -v stds="$stds" -v events="$events" -v what="$3" '
        BEGIN {
            printf "| %s | %.1f | %.1f |%s\n", what, ours / events, stds / events, ours == stds ? "" : " not the same"
            exit ours != stds
        }' || not_off=1
}

profile instructions
around=$(count loop_alone)
# Where the counter is not read in place, events take another way, of which nothing is promised.
in_place=$(grep -c 'read in place by the SDK: true' "$scratch/run.log" || true)
too_many=0
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
row tracked_nested "two TrackedMutexes, nested (4 events)" 1 490
# What is drained are the events of two of the functions above.
events=$((2 * events))
row drain_and_encode "drain + encode, half with static and half with dynamic names" 0

echo
echo "Without the feature \`tracked\`:"
profile twins --no-default-features
not_off=0
echo
echo "| operation, with the loop around it | trackside | std |"
echo "|---|--:|--:|"
same ours::mutex stds::mutex "Mutex, lock + unlock"
same ours::read stds::read "RwLock, read + unlock"
same ours::write stds::write "RwLock, write + unlock"
same ours::load stds::load "AtomicU64, load"
same ours::add stds::add "AtomicU64, fetch_add"
same ours::exchange stds::exchange "AtomicU64, compare_exchange"
same ours::get stds::get "OnceLock, get"
same ours::force stds::force "LazyLock, dereferenced"
same ours::pass stds::pass "mpsc, send + recv"
same ours::update stds::update "Tracked<u64>, update; beside a u64"
echo
echo "| event, with the loop around it | instructions | the loop |"
echo "|---|--:|--:|"
same state_change nothing "state change, static name"
same dynamic_name nothing "write, dynamic name"
same variable nothing "write, static variable"
same object nothing "event with a map and an object"
same lock nothing "guard of a lock: two events"
same function nothing "function: call and return"
[ "$too_many" -eq 0 ] && [ "$not_off" -eq 0 ]
