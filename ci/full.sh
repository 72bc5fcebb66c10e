#!/usr/bin/env bash
# What takes too long for every change, by hand: `.ci/run` leaves this script out.
#
# * the stress of tests/stress for an hour, and under ThreadSanitizer for ten minutes;
# * a thousand times those tests whose failure would depend on how threads interleave;
# * a hundred million records, at loss rates from none to nearly all of them (4 GiB of memory);
# * a hundred thousand hostile requests to `/debug/probes`;
# * `cargo mutants` (settings, and what is left out: .cargo/mutants.toml; tests: .config/nextest.toml): it
#   changes the source in one place after the other, and lists the changes that no test notices. Each survivor
#   is to be killed by a test, or to stand in .cargo/mutants.toml with its reason.
#
# Usage: ci/full.sh [stress|repeat|records|requests|mutants]...       (all if none is named; a day on a small machine)
#        SECONDS_EACH=60 REPEAT=10 MUTANTS="--file src/batch.rs" ci/full.sh        (smaller)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

stress() {
    local seconds="${SECONDS_EACH:-3600}"
    CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/stress" \
        cargo run --release --manifest-path ci/stress/Cargo.toml -- --seconds "$seconds"
    # One that churns: at times there is nothing to wait for but firings.
    CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/stress" \
        cargo run --release --manifest-path ci/stress/Cargo.toml -- --seconds "$((seconds / 6 + 1))" --churning 1
    ci/tsan.sh "$((seconds / 6 + 1))"
}

repeat() {
    local times="${REPEAT:-1000}" log n
    log=$(mktemp)
    cargo test --all-features --release --test it --no-run
    for ((n = 1; n <= times; n++)); do
        # (`consumers` and `ui` build other crates, `hello` and the servers run examples: nothing of it varies.)
        if ! HOTPROBE_CONSUMERS_APART=1 timeout 600 cargo test --quiet --all-features --release --test it -- \
            --skip ui:: --skip live_server:: --skip overhead_server:: --skip record_example:: --skip consumers:: --skip hello:: >"$log" 2>&1; then
            echo "ci/full.sh: failed the ${n}th time" >&2
            cat "$log" >&2
            exit 1
        fi
        if ((n % 10 == 0)); then echo "$n times"; fi
    done
    rm -f "$log"
}

records() {
    HOTPROBE_RECORDS="${RECORDS:-100000000}" cargo test --all-features --release --test it -- \
        record::counts::all_threads_count_exactly_however_much_is_lost
}

requests() {
    HOTPROBE_HOSTILE="${REQUESTS:-100000}" cargo test --all-features --release --test it -- admin::hostile
}

mutants() {
    local target="${CARGO_TARGET_DIR:-$PWD/target}" tool
    PATH="$PATH:$target/tools/bin"
    for tool in cargo-mutants cargo-nextest; do
        command -v "$tool" >/dev/null || cargo install "$tool" --locked --root "$target/tools"
    done
    # It changes a copy of the tree; one target directory for all copies, so that what others wrote is built once.
    # shellcheck disable=SC2086
    CARGO_TARGET_DIR="$target/cargo-mutants" \
        cargo mutants --output "$target" --colors never ${MUTANTS:-}
}

if [ "$#" -eq 0 ]; then set -- stress repeat records requests mutants; fi
for part in "$@"; do
    case "$part" in
    stress | repeat | records | requests | mutants) "$part" ;;
    *)
        echo "ci/full.sh: no part '$part'" >&2
        exit 2
        ;;
    esac
done
