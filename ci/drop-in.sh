#!/usr/bin/env bash
# Puts `trackside::sync` and `trackside::thread` in the place of std's, in the sources of other people's crates, by nothing
# but a search and replace; runs their own tests as published and so changed, and looks at what the second run recorded.
# The same tests must pass, all that they did must be in the record, and nothing may be found that is not known here.
#
#   ci/drop-in.sh                     all crates
#   ci/drop-in.sh threadpool parking  these only
#
# Needs cargo and the crate registry. Sources, logs and reports stay in `drop-in/work` in the target folder, and so do the
# records of what did not end as it should. TRIES=3 ci/drop-in.sh runs the changed tests three times.
# Exit code: 0 all as it should be, 1 not so, 2 the script itself is at fault.
set -euo pipefail

# Name | version | the roots whose `sync` and `thread` are replaced | features to test with | what else is replaced, if anything
# must be. Whatever is of `core` and not replaced is not seen. Why these:
crates=(
    # Condvar, Mutex, mpsc, Barrier; workers that panic; four million jobs through one lock.
    "threadpool|1.8.1|std||"
    # RwLock, Condvar and Mutex in one another; poisoned ones taken nonetheless.
    "fail|0.5.1|std|failpoints|"
    # A token out of Mutex, Condvar and an atomic.
    "parking|2.2.1|std||"
    # A cell initialised once, out of an atomic pointer and parked threads.
    "once_cell|1.21.4|std||"
    # A lock made of many RwLocks, with std's own tests of poisoning; scopes, wait groups. Its AtomicCell takes plain memory
    # for one of core's atomics, which a tracked one cannot be: so core's stay.
    "crossbeam-utils|0.8.23|std||"
    # Pointers counted by debts that others pay, some of them as their threads end.
    "arc-swap|1.9.5|std,core|internal-test-strategies,weak|"
    # A scheduler: latches, sleeping workers, panics that travel. Wherever serde_json is linked, which trackside does, the type
    # of what a usize is compared with has to be said.
    "rayon-core|1.13.0|std||s/\.sum\(\);/.sum::<usize>();/"
    # Lists and blocks without locks; threads that park; lots of messages.
    "crossbeam-channel|0.5.17|std,core||"
)

# The programs whose allocator counts with an atomic: crate / program. What std frees of a thread after all else comes too late
# for the record; and what the recorder itself allocates is recorded like anything else, but does not wait for room.
counting=("crossbeam-channel/golang")

# What is found and right: the crate | the beginning of the finding's first line | why.
known=(
    "crossbeam-utils|recursive read lock on \`src/sync/sharded_lock.rs:|its test \`smoke\` holds two read guards at once"
    "crossbeam-channel|possible lost update on \`src/waker.rs:192\`|it looks at \`is_empty\`, takes the lock, and stores what the waiters behind the lock say"
)

root=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
work=$target/drop-in/work
patience=1500
export CARGO_TERM_COLOR=never
# Their warnings are not ours, not even where they are forbidden.
export RUSTFLAGS="--cap-lints warn"

fault() {
    echo "$1" >&2
    exit 2
}

# Has cargo get the sources of all crates, as those of a package that depends on them. Prints the folder they are in.
fetch() {
    local crate name version from=$work/fetch
    mkdir -p "$from/src"
    touch "$from/src/lib.rs"
    {
        printf '[workspace]\n[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2024"\n[dependencies]\n'
        for crate in "${crates[@]}"; do
            IFS='|' read -r name version _ <<<"$crate"
            printf '%s = "=%s"\n' "$name" "$version"
        done
    } >"$from/Cargo.toml"
    cargo metadata --quiet --manifest-path "$from/Cargo.toml" --format-version 1 >"$from/metadata" ||
        fault "the sources are not to be had"
    IFS='|' read -r name version _ <<<"${crates[0]}"
    grep -oE "\"manifest_path\":\"[^\"]*/$name-$version/Cargo.toml\"" "$from/metadata" | head -1 |
        sed -E "s/^[^:]*:\"(.*)\/$name-.*/\1/"
}

# copy <from> <to>: sources that are a workspace of their own, whatever is around them.
copy() {
    cp -r "$1" "$2"
    chmod -R u+w "$2"
    rm -f "$2/Cargo.lock"
    printf '\n[workspace]\n' >>"$2/Cargo.toml"
}

# change <folder> <roots> <besides>: the search and replace, and what links the recorder in. Prints how many lines of code the
# former changed.
change() {
    local folder=$1 roots="\b(${2//,/|})::(sync|thread)\b" besides=$3 file
    local -a files
    mapfile -t files < <(find "$folder/src" "$folder/tests" -name '*.rs' 2>/dev/null)
    grep -hE "$roots" "${files[@]}" | grep -cvE '^ *//' || fault "nothing to replace in $folder"
    sed -i -E "s/$roots/trackside::\2/g;$besides" "${files[@]}"
    printf '\n[dependencies.trackside]\npath = "%s"\n[dependencies.recorder]\npath = "%s/ci/drop-in/recorder"\n' \
        "$root" "$root" >>"$folder/Cargo.toml"
    for file in "$folder/src/lib.rs" "$folder"/tests/*.rs "$folder"/tests/*/main.rs; do
        [ ! -f "$file" ] || printf '\nextern crate recorder as _;\n' >>"$file"
    done
    # In the edition of 2015, paths begin at the crate's root, and there is nothing but what is named there.
    grep -q '^edition' "$folder/Cargo.toml" || printf '\nextern crate trackside;\n' >>"$folder/src/lib.rs"
}

# run <folder> <features> <log>: a crate's tests; what became of each of them is in <log>.told.
run() {
    local folder=$1 features=$2 log=$3 status=0
    local -a what=(--no-fail-fast --lib --tests)
    [ -z "$features" ] || what+=(--features "$features")
    : >"$log.told"
    if ! (cd "$folder" && cargo test --no-run "${what[@]}") >"$log.build" 2>&1; then
        grep -E '^error' -A12 "$log.build" | head -100
        return 1
    fi
    (cd "$folder" && timeout "$patience" cargo test "${what[@]}") >"$log" 2>"$log.stderr" || status=$?
    grep -E '^test .* \.\.\. (ok|FAILED|ignored)' "$log" | sort >"$log.told" || true
    [ $status -ne 124 ] || echo "not done in $patience s" | tee -a "$log.told"
}

count() { grep -cE "$@" || true; }

# The sum of what is on standard input, one number a line.
total() {
    local sum
    sum=$(paste -sd+)
    echo $((${sum:-0}))
}

# number <name> <report>: a number of a report in JSON.
number() { sed -nE "s/^ {4}\"$1\": ([0-9]+),?$/\1/p" "$2"; }

# What a report may not have any of.
gaps=(duplicates holes batches_missing not_arrived variables_bounded lock_orders_bounded lock_cycles_bounded
    disciplines_bounded findings_dropped)

# Checks what one program recorded, <record without its ending> of <crate>. Prints what is wrong with it, and returns 1 if
# anything is; leaves the numbers of events and findings in its report.
check() {
    local record=$1 name=$2 status=0 wrong=0 lost forgiven what heading entry why
    "$target/release/trackside" check --format json "$record.trackside" >"$record.json" 2>"$record.log" || status=$?
    if [ $status -gt 1 ]; then
        cat "$record.log"
        return 1
    fi
    # Of a program that was killed, as some tests do to one that they start, the end is missing; of no other may anything be.
    # Two things are not held against it: what threads do that the tests left behind, after its end; and an operation on an
    # atomic that has waited for another one as long as it waits, on a machine that is very busy.
    if [ -s "$record.books" ]; then
        lost=$(sed -nE 's/.*lost [0-9]+ \((.*)\)$/\1/p' "$record.books")
        forgiven='after_shutdown|reentrant'
        [[ " ${counting[*]} " != *" $name/$(basename "${record%-*}") "* ]] || forgiven+='|thread_exit|ring_full'
        if grep -oE '[a-z_]+ [0-9]+' <<<"$lost" | grep -vE "^($forgiven) "; then
            echo "lost by ${record##*/}: $lost"
            wrong=1
        fi
        for what in "${gaps[@]}"; do
            [[ $lost != *reentrant* && $(number "$what" "$record.json") != 0 ]] || continue
            echo "incomplete: $what $(number "$what" "$record.json") in $record.json"
            wrong=1
        done
    fi
    [ $status -ne 0 ] || return $wrong
    "$target/release/trackside" check "$record.trackside" >"$record.txt" 2>&1 || true
    while IFS= read -r heading; do
        heading=${heading#*. }
        why=
        for entry in "${known[@]}"; do
            [[ $name != "${entry%%|*}" || $heading != "$(cut -d'|' -f2 <<<"$entry")"* ]] || why=${entry##*|}
        done
        if [ -n "$why" ]; then
            told+=("$name: $heading: $why")
        else
            echo "unexpected in $record.txt: $heading"
            wrong=1
        fi
    done < <(grep -E '^[0-9]+\. ' "$record.txt")
    return $wrong
}

# Tests a crate both ways, and adds its line to the table. Returns 1 if anything is not as it should be.
compare() {
    local name=$1 version=$2 roots=$3 features=$4 besides=$5
    local here=$work/$name wrong=0 try lines programs killed=0 events lost findings record
    rm -rf "$here"
    mkdir -p "$here/records"
    copy "$sources/$name-$version" "$here/published"
    copy "$sources/$name-$version" "$here/changed"
    lines=$(change "$here/changed" "$roots" "$besides") || exit 2
    run "$here/published" "$features" "$here/std" || fault "$name $version does not build as published"
    for ((try = 1; try <= ${TRIES:-1}; try++)); do
        DROP_IN_RECORDS=$here/records run "$here/changed" "$features" "$here/ours" || wrong=1
        if ! diff "$here/std.told" "$here/ours.told" >"$here/diff"; then
            echo "$name $version: its tests do not end as before:"
            head -20 "$here/diff"
            grep -E '^---- ' -A12 "$here/ours" | head -60 || true
            wrong=1
        fi
        for record in "$here/records"/*.books; do
            [ -f "$record" ] || continue
            [ -s "$record" ] || killed=$((killed + 1))
            if check "${record%.books}" "$name"; then rm -f "${record%.books}.trackside"; else wrong=1; fi
        done
        programs=$(find "$here/records" -name '*.books' | wc -l)
        events=$(for record in "$here/records"/*.json; do [ ! -f "$record" ] || number events "$record"; done | total)
        lost=$(cat "$here/records"/*.books 2>/dev/null | grep -oE 'lost [0-9]+' | grep -oE '[0-9]+' | total)
        findings=$(cat "$here/records"/*.txt 2>/dev/null | count '^[0-9]+\. ')
        table+=("$(printf '%-17s %-8s %5d %5d %5d %8d %6d %11d %5d %8d' "$name" "$version" "$lines" \
            "$(count ' ok$' "$here/std.told")" "$(count ' ok$' "$here/ours.told")" \
            "$programs" "$killed" "$events" "$lost" "$findings")")
        [ "$try" -eq "${TRIES:-1}" ] || { rm -rf "$here/records" && mkdir "$here/records"; killed=0; }
    done
    return $wrong
}

# A function, so that bash has read all of the script before it begins: it may be edited meanwhile.
main() {
    local wanted crate name version roots features besides began
    local -a failed=()
    for wanted in "$@"; do
        printf '%s\n' "${crates[@]}" | grep -q "^$wanted|" || fault "no such crate here: $wanted"
    done
    mkdir -p "$work"
    (cd "$root" && env -u RUSTFLAGS CARGO_TARGET_DIR="$target" cargo build --quiet --release --package trackside-collector)
    export CARGO_TARGET_DIR=$target/drop-in
    sources=$(fetch)
    [ -d "$sources" ] || fault "cargo does not say where the sources are"
    table=()
    told=()
    for crate in "${crates[@]}"; do
        IFS='|' read -r name version roots features besides <<<"$crate"
        [[ $# -eq 0 || " $* " == *" $name "* ]] || continue
        began=$SECONDS
        compare "$name" "$version" "$roots" "$features" "$besides" || failed+=("$name")
        echo "$name $version: $((SECONDS - began)) s"
    done

    echo
    echo "crate             version  lines   std  ours programs killed      events  lost findings"
    printf '%s\n' "${table[@]}"
    [ ${#told[@]} -eq 0 ] || printf '%s\n' "${told[@]}"
    if [ ${#failed[@]} -ne 0 ]; then
        echo "not as it should be: ${failed[*]}"
        exit 1
    fi
    exit 0
}

main "$@"
