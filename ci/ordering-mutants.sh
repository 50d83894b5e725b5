#!/usr/bin/env bash
# Shows that the loom models can fail: weakens one ordering, or breaks one rule, at a time, and demands that a model
# notices. A green run of the models proves nothing without this (see the module doc of loom-tests).
#
#   ci/ordering-mutants.sh [word]     all mutants, or those whose description or place contains the word
#
# Works in a scratch copy; the tree is only read. Exit code: 0 if every mutant was killed, 1 if one survived, 2 if the
# script itself is at fault: a mutation that no longer applies, or one that does not compile.
#
# Out of scope, because no data is handed over by these:
#   pipe.rs   Relaxed counters and flags: statistics, and `open`, whose late readers record into rings that are swept
#   fork.rs   Relaxed generation: changed only by the one thread of a forked child
#   gates.rs, object.rs  Relaxed words that are right by themselves; the fence is for two clients that change at once
#   local.rs  compiler fences against signal handlers of the same thread: loom has no signals (nor elsewhere)
#   sync.rs   the facade: no ordering of its own
# And because loom cannot see it:
#   sticky.rs Acquire and Release forbid that a thread hears of a store before the one ahead of it is made. Loom makes them
#             in the order of the program, whatever their orderings; that the bits must be read by writing, it does show
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/ordering-mutants
# A tighter bound in the caller's environment would let mutants escape.
unset LOOM_MAX_PREEMPTIONS
# Compiling is most of the time here.
export CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_OPT_LEVEL=1
wanted=${1:-}
files=(spsc draft registry signal version)

# Two copies: one to break, one to break it from, so that an edit meanwhile does not shift the lines.
for copy in tree original; do
    mkdir -p "$scratch/$copy/src"
    cp -r "${source:-$root}/src/ring" "$scratch/$copy/src/ring"
    cp -r "${source:-$root}/loom-tests" "$scratch/$copy/loom-tests"
    rm -rf "$scratch/$copy/loom-tests/target"
    source=$scratch/$copy
done
tree=$scratch/tree
original=$scratch/original

build() {
    cargo build --quiet --release --locked --manifest-path "$tree/loom-tests/Cargo.toml" 2>"$scratch/build.log"
}

# Says which model failed, or nothing if all of them held.
killer() {
    local status=0 by
    TRACKSIDE_LOOM=mutant timeout 600 "$CARGO_TARGET_DIR/release/loom-tests" >"$scratch/run.log" 2>"$scratch/panic.log" || status=$?
    [ $status -eq 0 ] && return
    # The last line that begins with a model's name: the model that ran when it ended, in whatever way.
    by=$(grep -oE '^[a-z]+_[a-z_]+' "$scratch/run.log" | tail -1)
    [ $status -ne 124 ] || by+=" (hangs)"
    echo "$by"
}

survivors=0
killed=0

# mutant <path below the root> <line, or - for the first that differs> <description> <sed script>
mutant() {
    local path=$1 line=$2 what=$3 script=$4 place by
    case "$what ${path##*/}" in *"$wanted"*) ;; *) return 0 ;; esac
    sed -E "$script" "$original/$path" >"$tree/$path"
    if cmp -s "$original/$path" "$tree/$path"; then
        echo "the mutation no longer applies: $what ($path)" >&2
        exit 2
    fi
    [ "$line" != - ] || line=$({ cmp "$original/$path" "$tree/$path" || true; } | grep -oE '[0-9]+$')
    place="${path##*/}:$line"
    if ! build; then
        cat "$scratch/build.log" >&2
        echo "the mutant does not compile: $what ($place)" >&2
        exit 2
    fi
    by=$(killer)
    cp "$original/$path" "$tree/$path"
    if [ -n "$by" ]; then
        killed=$((killed + 1))
    else
        survivors=$((survivors + 1))
        by="SURVIVED"
    fi
    printf '%-58s %-16s %s\n' "$what" "$place" "$by"
}

try() {
    mutant "src/ring/$1.rs" "${@:2}"
}

if ! build; then
    cat "$scratch/build.log" >&2
    exit 2
fi
if [ -n "$(killer)" ]; then
    cat "$scratch/run.log" "$scratch/panic.log" >&2
    echo "the models fail without any mutation" >&2
    exit 2
fi

printf '%-58s %-16s %s\n' mutant place "killed by"

# Every ordering stronger than Relaxed, one at a time, however many there are on a line; and every fence.
for file in "${files[@]}"; do
    while IFS=: read -r line text; do
        code=${text%%//*}
        for ordering in Release Acquire AcqRel SeqCst; do
            count=$(grep -o "Ordering::$ordering" <<<"$code" | wc -l || true)
            for ((nth = 1; nth <= count; nth++)); do
                # What is accessed, for the table.
                access=$(grep -oE '[a-z_]+\.(load|store|swap|fetch_[a-z]+|compare_exchange[a-z_]*)' <<<"$code" | head -1 || true)
                try "$file" "$line" "${access:-line $line}: $ordering -> Relaxed" \
                    "${line}s/Ordering::$ordering/Ordering::Relaxed/$nth"
            done
        done
        if grep -qE '\bfence\(' <<<"$code"; then
            try "$file" "$line" "without the fence" "${line}s/[a-z_:]*fence\([^)]*\);//"
        fi
    done < <(grep -nE 'Ordering::(Release|Acquire|AcqRel|SeqCst)|\bfence\(' "$original/src/ring/$file.rs" |
        grep -vE '^[0-9]+: *//|compiler_fence')
done

# The rules that are not orderings. Each names what would be wrong with the code after it.

# - the ring
try spsc - "drain reads closed after head" \
    '/let closed = self.ring.closed.load/d; s|^( *let publish_every)|let closed = self.ring.closed.load(Ordering::Acquire);\n\1|'
try spsc - "drain publishes the tail before it reads the frames" \
    's|^( *let publish_every)|self.ring.tail.store(head, Ordering::Release);\n\1|'
try spsc - "drain does not publish what is left" '/^        self.publish\(\);/d'
try spsc - "a frame is published before it is written" \
    's|^( *let Producer \{ ring, .*)|\1\nring.head.store(index.wrapping_add(len as u64), Ordering::Release);|'
try spsc - "room for one word more than there is" 's/used \+ len <= self.ring.capacity\(\)/used + len <= self.ring.capacity() + 1/'
try spsc - "the limit is a frame too far" 's/self.limit = tail.wrapping_add\(self.ring.capacity\(\) as u32\)/self.limit = tail.wrapping_add(self.ring.capacity() as u32 + 3)/'
try spsc - "a drop leaves the limit, so no gap is told" '/self.limit = self.head as u32;/d'
try spsc - "a gap is told again and again" '/self.announced = self.dropped;/d'
try spsc - "a gap tells one frame too few" 's/let lost = self.dropped - self.announced;/let lost = self.dropped - self.announced - 1;/'
try spsc - "room is made for the gap only, not for the frame too" 's/self.refresh\(gap \+ len\)/self.refresh(if gap > 0 { gap } else { len })/'
try spsc - "drops are not counted in public" '/self.ring.dropped.store/d'
try spsc - "half full is not noticed" '/self.past_half = true;/d'
try spsc - "a producer does not close its ring" '/self.ring.closed.store\(true/d'
try spsc - "the count of events does not go on with the next lease" '/self.ring.events.store/d'
try spsc - "a new lease of a ring begins closed" '/ring.closed.store\(false/d'

# - drafts
try draft - "a draft is published before its last word is written" \
    's|^( *)(let last = unsafe.*)|\1\2\n\1self.ring.head.store(self.head.wrapping_add((HEAD_WORDS + WORDS + 1) as u64), Ordering::Release);|'
try draft - "a draft is published when it is written" \
    's|^( *)self.draft = draft;|\1self.draft = draft;\n\1self.ring.head.store(self.head.wrapping_add((HEAD_WORDS + WORDS) as u64), Ordering::Release);|'
try draft - "a section counts one event" 's/\+ 2 \* EVENT/+ EVENT/'
try draft - "a draft counts no event when it is published" 's/ as u64 \+ EVENT\)/ as u64)/'
try draft - "a draft leaves no room for its release" 's/open_at\(head, WORDS \+ 1,/open_at(head, WORDS,/'
try draft - "a draft is completed after it is published" 's/if self.head.wrapping_add\(1\) != draft.0 \{/if false {/'
try draft - "a draft tells of another lock" 's/const LOCK: usize = HEAD_WORDS \+ 1/const LOCK: usize = HEAD_WORDS/'
try draft - "a draft is published twice" 's/if !self.open_draft\(\).is_some\(\) \{/if false {/'
try draft - "a draft without its last word is told as if it had one" 's/- Head::LONGER/- (Head::LONGER - (1 << 48))/'

# - the registry
try registry - "a lease does not reach the flusher" '/shelf.fresh.push/d'
try registry - "a ring that was given back is forgotten" '/\.free\.extend\(parts\)/d'
try registry - "a ring is leased from its beginning again" 's/Some\(free\) => free,/Some(free) => (free.0, 0),/'
try registry - "a ring is leased while it is in use" \
    's/None => return None,/None => (shelf.all[0].clone(), 0),/'
try registry - "a closed registry goes on leasing" 's/lock\(&self.shelf\).closed = true/let _ = \&self.shelf/'

# - the bits
try sticky - "the bits are read by a load" 's/fetch_or\(0, Ordering::Release\)/load(Ordering::Acquire)/'

# - the signal
try signal - "wake does nothing" '/self.unparker.unpark\(\);/d'
try signal - "flush does not wake" '/let epoch = state.requested;/{n;d}'
try signal - "stop does not wake" '/state.stop_by = Some/{n;d}'
try signal - "a flush is content with the epoch before its own" 's/state.completed >= epoch/state.completed + 1 >= epoch/'
try signal - "a request asks for the epoch after the latest" 's/epoch: state.requested,/epoch: state.requested + 1,/'
try signal - "complete tells nobody" '/state.completed = epoch;/{n;d}'
try signal - "stopped tells nobody" '/lock\(&self.state\).stopped = true;/{n;d}'
try signal - "a flush does not notice that the flusher is gone" 's/if state.stopped \{/if false {/'

# - the numbers of an atomic's writes
try version - "a load does not look again" 's/\(after == before\)\.then_some/true.then_some/'
try version - "a load takes a value while a writer is at work" 's/before & \(BUSY \| STRAYS\)/before \& STRAYS/'
try version - "a load takes a value while somebody is astray" 's/before & \(BUSY \| STRAYS\)/before \& BUSY/'
try version - "a load is content with the id of an earlier period" 's/ \|\| place.id < period//'
try version - "a second writer gets the lock" 's/before & BUSY == 0 \{/true {/'
try version - "who was disturbed takes a place" 's/undisturbed\.then_some/true.then_some/'
try version - "who came while somebody was astray takes a place" 's/before & STRAYS == 0 && //'
try version - "who goes astray leaves no word before" \
    '/count_stray\(STRAY\);/d; s/count_stray\(CHANGE - STRAY\)/count_stray(CHANGE)/'
try version - "who goes astray takes no number" '/fn astray/,/^    }/{/fetch_add/d}'
try version - "a load that takes the lock takes a number" '0,/^ *if writes != Writes::Never \{/s//if true {/'
try version - "a write is told the number before its own" '/place.number = place.number.wrapping_add/d'
try version - "an exchange that fails keeps its number" '/self.number.fetch_sub/d'
try version - "an exchange that fails is no change" 's/renewed \|\| writes != Writes::Never/renewed || wrote/'
try version - "a new period goes on with the old numbers" '/self.base.store/d'
try version - "a new period is no change, so a load does not notice it" 's/renewed \|\| writes/writes/'

# - the flusher's protocol, of which the models have a copy of their own
protocol=loom-tests/src/models/shutdown.rs
mutant $protocol - "the flusher reads the request after the rings" \
    '/let request = signal.request\(\);/d; s|^( *)settle\(flusher\);|settle(flusher);\nlet request = signal.request();|'
mutant $protocol - "the flusher completes a request before it settles it" \
    '/^ *signal.complete/d; 0,/flusher.step\(\);/s|flusher.step\(\);|signal.complete(request.epoch);\nflusher.step();|'

echo "$killed killed, $survivors survived"
[ $survivors -eq 0 ]
