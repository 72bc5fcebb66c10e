#!/usr/bin/env bash
# What loom cannot see, the machine may: the stress of tests/stress under ThreadSanitizer, which
# watches every access of a real run. (Models explore all interleavings of small programs, this
# watches few of a large one.) Of the production code nothing must be reported. Three controls must
# be, otherwise a clean run shows nothing: a plain data race in the probes, a snapshot published by
# a Relaxed store, and grace periods that do not wait.
#
# On a stable toolchain, whose std is not instrumented: ci/tsan/mutex.rs and ci/tsan/suppressions
# say what that takes. Works on a copy, so that the tree stays as it is.
#
# Usage: ci/tsan.sh [SECONDS]            (of each run, 20 if not given; about a minute in all)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=ci/lib/copy.sh
source ci/lib/copy.sh
# shellcheck source=ci/lib/tidy.sh
source ci/lib/tidy.sh

seconds="${1:-20}"
target=x86_64-unknown-linux-gnu
if [ "$(rustc -vV | sed -n 's/^host: //p')" != "$target" ]; then
    echo "skipped: the sanitizer's runtime is known to come with $target only"
    exit 0
fi

work="${CARGO_TARGET_DIR:-$PWD/target}/tsan"
suppressions="$PWD/ci/tsan/suppressions"
scratch "$work"

copy() { # NAME: a fresh copy of what is needed
    rm -rf "${work:?}/$1"
    copy_workspace "$work/$1" crates/* ci/checks
    # A lock that the detector sees.
    cp ci/tsan/mutex.rs "$work/$1/src/tsan_mutex.rs"
    echo 'mod tsan_mutex;' >>"$work/$1/src/lib.rs"
    replace "$work/$1/src/sync.rs" 'pub(crate) use std::sync::{Mutex, MutexGuard};' \
        'pub(crate) use crate::tsan_mutex::{Mutex, MutexGuard};'
}

build() { # NAME
    # Each copy has its own paths, so its own build of the library; the rest is shared.
    limit 3600 "cargo build, $1" env -u CARGO_ENCODED_RUSTFLAGS RUSTC_BOOTSTRAP=1 \
        RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer" \
        CARGO_TARGET_DIR="$work/build" CARGO_PROFILE_RELEASE_DEBUG=line-tables-only \
        cargo build --quiet --release --target "$target" --manifest-path "$work/$1/Cargo.toml" \
        --package hotprobe-checks --bin stress
    cp "$work/build/$target/release/stress" "$work/$1/stress"
}

run() { # NAME LOG ARGUMENTS…: the exit status is that of the run; 66 where something was reported
    local name=$1 log=$2
    shift 2
    TSAN_OPTIONS="suppressions=$suppressions exitcode=66 history_size=4" \
        limit $((${seconds%.*} + 1800)) "the stress, $name" "$work/$name/stress" --light "$@" >"$work/$log.log" 2>&1
}

copy production
build production
copy relaxed
replace "$work/relaxed/src/rcu/cell.rs" 'self.published.store(next, Ordering::Release);' \
    'self.published.store(next, Ordering::Relaxed);'
build relaxed
copy early
replace "$work/early/src/rcu/reclaim.rs" 'self.grace.scan.as_ref().is_some_and(Scan::is_over)' \
    'self.grace.scan.is_some()'
build early

echo "the production code, $seconds s"
status=0
run production production --seconds "$seconds" || status=$?
grep '^stress: ' "$work/production.log" || true
if [ "$status" -ne 0 ]; then
    echo "ci/tsan.sh: it reported something, or failed (exit status $status):" >&2
    head -n 100 "$work/production.log" >&2
    exit 1
fi

control() { # NAME LOG WHAT WHERE ARGUMENTS…: must be reported, in a frame of WHERE
    local name=$1 log=$2 what=$3 where=$4 status=0
    shift 4
    # When it shows depends on what else the machine does: mostly at once. Each try is twice as
    # long.
    for seconds in 2 4 8 16 32; do
        status=0
        run "$name" "$log" --seconds "$seconds" "$@" || status=$?
        # (What has been freed too early may also end it in other ways, after the report.)
        if [ "$status" -ne 0 ] && grep -Eq 'WARNING: ThreadSanitizer: (data race|heap-use-after-free)' "$work/$log.log" &&
            grep -Eq "$where" "$work/$log.log"; then
            echo "planted and reported: $what ($(grep -c 'WARNING: ThreadSanitizer' "$work/$log.log") times)"
            return
        fi
    done
    echo "ci/tsan.sh: planted, and NOT reported: $what (exit status $status)" >&2
    tail -n 20 "$work/$log.log" >&2
    exit 1
}

control production race 'two probes write without synchronization' 'fire\.rs' --plant race
control relaxed relaxed 'a snapshot is published by a Relaxed store' 'rcu/cell\.rs|rcu/slot\.rs'
control early early 'a grace period is over when it begins' 'in (free|dealloc|drop)|rcu/reclaim\.rs'
