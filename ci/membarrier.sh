#!/usr/bin/env bash
# Firings have no barrier of their own: grace periods make up for it by `membarrier`. Whether that
# works on this machine and its kernel, no model can say. This runs store buffering with plain
# stores, `membarrier` on one side, and two controls without it. The controls have to show
# reordering: a run without that proves nothing, and fails. (The program:
# ci/checks/src/bin/membarrier_litmus.rs.) Then it plants: no membarrier, which has to be noticed;
# and one processor, where nothing can be shown.
#
# Usage: ci/membarrier.sh [ROUNDS]      10^6 by default: a few minutes on a busy machine
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ "$(uname -s)" != Linux ]; then
    echo "skipped: only Linux has membarrier"
    exit 0
fi

target=${CARGO_TARGET_DIR:-$PWD/target}
cargo build --quiet --release --package hotprobe-checks --features membarrier --bin membarrier_litmus
litmus=$target/release/membarrier_litmus

"$litmus" "${1:-1000000}"

plant() { # WHAT EXPECTED COMMAND...
    local found
    if found=$("${@:3}" 2>&1) || ! grep -q "$2" <<<"$found"; then
        printf 'ci/membarrier.sh: planted, and NOT noticed: %s\n%s\n' "$1" "$found" >&2
        exit 1
    fi
    echo "planted and noticed: $1"
}

plant 'a fence in the place of membarrier' 'REORDERED in spite' "$litmus" 100000 --plant
plant 'one processor' 'no control' taskset --cpu-list "$(taskset -cp $$ | sed 's/.*: //; s/[,-].*//')" "$litmus" 10
