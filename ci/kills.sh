#!/usr/bin/env bash
# Kills the collector 200 times, or as often as the first argument says, at random moments while three clients send to it;
# after each, every batch that it had acknowledged must be there, once.
set -euo pipefail
cd "$(dirname "$0")/.."

TRACKSIDE_KILLS=${1:-200} cargo test --release --package trackside-collector --test it -- --nocapture kills::killed
