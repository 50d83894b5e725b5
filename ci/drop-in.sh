#!/usr/bin/env bash
# Puts `trackside::sync` and `trackside::thread` in the places of std's, in the sources of other people's crates, by nothing
# but `s/std::sync/trackside::sync/` and `s/std::thread/trackside::thread/`; runs their own tests as they are and so changed;
# and looks at what the second run recorded. The same tests must pass, and nothing may be found.
#
#   ci/drop-in.sh            all crates
#   ci/drop-in.sh threadpool one of them
#
# Needs the crate registry. Exit code: 0 if all is as it should be, 1 if not, 2 if the script itself is at fault.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/drop-in CARGO_TERM_COLOR=never

# Condvar, mpsc, atomics and workers that panic; RwLock and Condvar; a token of one's own; lists without locks; a scheduler.
crates=("threadpool 1.8.1" "fail 0.5.1 failpoints" "parking 2.2.1" "arc-swap 1.9.5" "rayon-core 1.13.0")
# What tests with std in their names, or with clocks too short for a busy machine, are left out of both runs: none, so far.
wanted=${1:-}

# A package that depends on all of them has cargo get their sources.
mkdir -p "$scratch/get/src"
{
    printf '[workspace]\n[package]\nname = "get"\nversion = "0.0.0"\nedition = "2024"\n[dependencies]\n'
    for crate in "${crates[@]}"; do
        read -r name version _ <<<"$crate"
        echo "$name = \"=$version\""
    done
} >"$scratch/get/Cargo.toml"
touch "$scratch/get/src/lib.rs"
sources() {
    cargo metadata --manifest-path "$scratch/get/Cargo.toml" --format-version 1 |
        grep -oE "\"manifest_path\":\"[^\"]*/$1-$2/Cargo.toml\"" | head -1 | sed -E 's/.*:"(.*)\/Cargo.toml"/\1/'
}

# Runs the tests in a folder, and prints the names of those that passed.
passed() {
    local folder=$1 features=$2
    (cd "$folder" && cargo test ${features:+--features "$features"} --no-fail-fast --lib --tests 2>&1) >"$scratch/log" || true
    if ! grep -q '^test result' "$scratch/log"; then
        tail -40 "$scratch/log" >&2
        echo "the tests of $folder cannot be run" >&2
        exit 2
    fi
    grep -E '^test .* \.\.\. (ok|FAILED|ignored)' "$scratch/log" | sort
}

(cd "$root" && cargo build --quiet --release --package trackside-collector)
failures=0
for crate in "${crates[@]}"; do
    read -r name version features <<<"$crate"
    [[ -z $wanted || $name == "$wanted" ]] || continue
    from=$(sources "$name" "$version")
    for copy in plain changed; do
        cp -r "$from" "$scratch/$name-$copy"
        chmod -R u+w "$scratch/$name-$copy"
        rm -f "$scratch/$name-$copy/Cargo.lock"
        # Not a member of any workspace around it.
        printf '\n[workspace]\n' >>"$scratch/$name-$copy/Cargo.toml"
    done
    changed=$scratch/$name-changed
    lines=$(grep -rlE 'std::(sync|thread)' "$changed/src" "$changed/tests" --include=*.rs 2>/dev/null |
        xargs sed -i -E 's/\bstd::sync\b/trackside::sync/g; s/\bstd::thread\b/trackside::thread/g' &&
        diff -r "$scratch/$name-plain" "$changed" | grep -c '^>' || true)
    printf '\n[dependencies.trackside]\npath = "%s"\n[dependencies.recorder]\npath = "%s"\n' \
        "$root" "$root/ci/drop-in/recorder" >>"$changed/Cargo.toml"
    # Linked in, and in the 2015 edition named, and no more.
    for file in "$changed/src/lib.rs" "$changed"/tests/*.rs; do
        [ -f "$file" ] && grep -q . "$file" && printf '\n#[allow(unused_extern_crates)]\nextern crate recorder as _;\n' >>"$file"
    done
    grep -q '^edition' "$changed/Cargo.toml" || printf '\nextern crate trackside;\n' >>"$changed/src/lib.rs"

    passed "$scratch/$name-plain" "$features" >"$scratch/before"
    mkdir "$scratch/$name-records"
    export TRACKSIDE_FOLDER=$scratch/$name-records
    passed "$changed" "$features" >"$scratch/after"
    unset TRACKSIDE_FOLDER
    tests=$(grep -c ' ok$' "$scratch/after" || true)
    if ! diff "$scratch/before" "$scratch/after"; then
        echo "$name $version: its tests do not end as before"
        grep -A12 "^---- " "$scratch/log" | head -60
        failures=$((failures + 1))
    fi
    found=0
    for record in "$scratch/$name-records"/*.trackside; do
        "$CARGO_TARGET_DIR/../release/trackside" check "$record" >"$scratch/report" 2>&1 || { found=1; cat "$scratch/report"; }
        tail -3 "$scratch/report" | grep -E 'events' || true
    done
    [ $found -eq 0 ] || { echo "$name $version: something was found"; failures=$((failures + 1)); }
    echo "$name $version: $lines lines changed, $tests tests pass"
done
[ $failures -eq 0 ]
