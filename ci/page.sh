#!/usr/bin/env bash
# The collector's page in headless Chromium: what it shows, by mouse and by keyboard, light and dark; and that names and
# values, whatever is in them, stay text. Takes pictures on the way.
#
#   ci/page.sh               pictures go to target/page
#   ci/page.sh docs          pictures go to docs, to be looked at and committed
#
# Wants Node.js and a Chromium: the one that $CHROMIUM names, or is on the PATH, or that apt-get can install. Without them
# it says so, and passes. PAGE_PROFILE=dev tests a debug build.
set -euo pipefail
cd "$(dirname "$0")/.."

profile=${PAGE_PROFILE:-release}
target=${CARGO_TARGET_DIR:-target}
shots=${1:-target/page}

skip() {
    echo "SKIPPED: $1"
    exit 0
}

find_browser() {
    local name
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
        if [ -n "$name" ] && command -v "$name"; then
            return
        fi
    done
    return 1
}

command -v node >/dev/null && command -v npm >/dev/null || skip "there is no Node.js, which the page's tests need"
if ! find_browser >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 || true
fi
CHROMIUM=$(find_browser) || skip "there is no Chromium to be had, which the page's tests need"
export CHROMIUM

cargo build --profile "$profile" --quiet -p trackside-collector --bin trackside
cargo build --profile "$profile" --quiet --example shop
folder=$(cd "$target" && pwd)/${profile/#dev/debug}
export TRACKSIDE_BIN=$folder/trackside TRACKSIDE_SHOP=$folder/examples/shop
mkdir -p "$shots"
PAGE_SHOTS=$(cd "$shots" && pwd)
export PAGE_SHOTS

cd tests/page
npm ci --silent --no-audit --no-fund --ignore-scripts
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
timeout 300 node --test --test-concurrency=1 --test-timeout=280000 --test-reporter=spec >"$log" 2>&1 || status=$?
cat "$log"
count() {
    sed -nE "s/^ℹ $1 ([0-9]+)$/\1/p" "$log" | tail -1
}
# In the words of the other test runner, which .ci/run counts.
echo "test result: $([ "$status" = 0 ] && echo ok || echo FAILED). $(count pass) passed; $(count fail) failed; in the browser"
[ "$status" = 0 ] || exit "$status"

for picture in findings-light findings-dark finding deadlock trace locks live; do
    size=$(stat -c %s "$PAGE_SHOTS/page-$picture.png")
    echo "page-$picture.png: $size bytes"
    if [ "$size" -lt 10000 ] || [ "$size" -gt 220000 ]; then
        echo "page-$picture.png: not the size of a picture to be put into docs/"
        exit 1
    fi
done
