#!/usr/bin/env bash
# The ring under ThreadSanitizer, on nightly. Loom proves small programs in all interleavings; this runs a large one in
# some, as the compiler made it.
#
#   ci/tsan.sh [runs]            20 runs by default; demands that none reports anything
#   ci/tsan.sh mutants [runs]    demands that each weakened ordering is reported, in every one of 5 runs by default
#
# Exit code: 0 as demanded, 1 not so, 2 the script itself is at fault.
#
# The orderings of `closed` are not among the mutants: every word is also ordered by head or tail, so without them there
# is no data race that a sanitizer could see, only a ring taken for empty too early. Loom shows that.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/tsan
export RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer"
export TSAN_OPTIONS="halt_on_error=1 exitcode=66"
target=x86_64-unknown-linux-gnu
log=$(mktemp)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" "$log"' EXIT

# build <root of a tree>
build() {
    if ! cargo +nightly build --quiet --release --locked --target $target \
        --manifest-path "$1/ci/tsan-stress/Cargo.toml" 2>"$log"; then
        cat "$log" >&2
        exit 2
    fi
}

# Runs the stress once. Its status: 0 nothing to report, 66 a report, anything else a failed check or a hang.
run() {
    timeout 300 "$CARGO_TARGET_DIR/$target/release/tsan-stress" >"$log" 2>&1
}

clean() {
    local runs=$1 failed=0 status
    build "$root"
    for ((i = 1; i <= runs; i++)); do
        status=0
        run || status=$?
        if [ $status -ne 0 ]; then
            failed=$((failed + 1))
            cat "$log"
        fi
    done
    echo "$runs runs, $failed with a report or a failure"
    [ "$failed" -eq 0 ]
}

mutants() {
    local runs=$1 escaped=0 file=src/ring/spsc.rs line text reports status
    mkdir -p "$scratch/src" "$scratch/ci"
    cp -r "$root/src/ring" "$scratch/src/ring"
    cp -r "$root/ci/tsan-stress" "$scratch/ci/tsan-stress"
    # What each mutant is made from, so that an edit of the tree meanwhile does not shift the lines.
    cp "$scratch/$file" "$scratch/original"
    while IFS=: read -r line text; do
        sed -E "${line}s/Ordering::(Release|Acquire)/Ordering::Relaxed/" "$scratch/original" >"$scratch/$file"
        if cmp -s "$scratch/original" "$scratch/$file"; then
            echo "the mutation no longer applies: line $line of $file" >&2
            exit 2
        fi
        build "$scratch"
        reports=0
        for ((i = 1; i <= runs; i++)); do
            status=0
            run || status=$?
            # A check that fails is a catch as well, but this is about the sanitizer.
            [ $status -ne 66 ] || reports=$((reports + 1))
        done
        printf '%-80s reported in %d of %d runs\n' "${file##*/}:$line $(sed -E 's/^ +//' <<<"$text")" "$reports" "$runs"
        [ "$reports" -eq "$runs" ] || escaped=$((escaped + 1))
    done < <(grep -nE '\b(head|tail)\.(load|store)\(.*Ordering::(Release|Acquire)' "$scratch/original")
    [ "$escaped" -eq 0 ]
}

case ${1:-20} in
mutants) mutants "${2:-5}" ;;
*) clean "${1:-20}" ;;
esac
