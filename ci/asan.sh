#!/usr/bin/env bash
# Memory that is used after it was freed, and memory that nobody frees: AddressSanitizer with leak
# detection, over the integration tests of the core, hotprobe-record and hotprobe-profile, and over
# the stress. Nothing may be reported. Two controls must be, since without them a clean run says
# nothing: a grace period that is over when it begins, and a retired snapshot that is forgotten.
#
# On a stable toolchain. The controls are built in copies, so that the tree stays as it is.
#
# Usage: ci/asan.sh [SECONDS]      (of the stress, 20 by default; five minutes in all on two cores)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=ci/lib/copy.sh
source ci/lib/copy.sh
# shellcheck source=ci/lib/tidy.sh
source ci/lib/tidy.sh

seconds=${1:-20}
target=x86_64-unknown-linux-gnu
if [ "$(rustc -vV | sed -n 's/^host: //p')" != "$target" ]; then
    echo "skipped: the sanitizer's runtime is known to come with $target only"
    exit 0
fi

work=${CARGO_TARGET_DIR:-$PWD/target}/asan
scratch "$work"
# Tests that leak on purpose: an event that lives in a box, and doors that a thread may still wait
# at.
printf 'leak:%s\n' a_probe_is_not_called_as_one_of_another_type \
    a_firing_that_does_not_end_is_counted_as_lost_by_finish_within >"$work/suppressions"
export LSAN_OPTIONS=suppressions=$work/suppressions:print_suppressions=0
export ASAN_OPTIONS=detect_leaks=1:exitcode=66
# Tests of other packages, which are built as they are, without the sanitizer.
export HOTPROBE_CONSUMERS_APART=1

build() { # FOLDER ARGUMENT...: cargo, with the sanitizer, in that folder
    (cd "$1" && unset CARGO_ENCODED_RUSTFLAGS && RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address \
        CARGO_TARGET_DIR="$work/build" CARGO_PROFILE_RELEASE_DEBUG=line-tables-only \
        limit 3600 "cargo $2" cargo "$2" --quiet --release --target "$target" "${@:3}")
}

stress() { # NAME SECONDS: 66 where something was reported
    limit $(($2 + 600)) "the stress, $1" "$work/$1.stress" --light --seconds "$2" >"$work/$1.log" 2>&1
}

keep_stress() { # NAME FOLDER
    build "$2" build --package hotprobe-checks --bin stress
    cp "$work/build/$target/release/stress" "$work/$1.stress"
}

# Skipped: what builds other packages.
build . test --all-features --package hotprobe --package hotprobe-record --package hotprobe-profile \
    --test it -- --skip ui:: --skip consumers::
echo 'ok: the integration tests'

keep_stress production .
stress production "$seconds" || {
    echo "ci/asan.sh: the stress failed, or something was reported (exit status $?):" >&2
    head -n 100 "$work/production.log" >&2
    exit 1
}
grep '^stress: ' "$work/production.log" || true
echo "ok: the stress, $seconds s"

control() { # NAME REPORT WHAT
    local status=0
    stress "$1" 5 || status=$?
    if [ "$status" = 0 ] || ! grep -Eq "$2" "$work/$1.log"; then
        echo "ci/asan.sh: planted, and NOT reported: $3 (exit status $status)" >&2
        tail -n 20 "$work/$1.log" >&2
        exit 1
    fi
    echo "planted and reported: $3"
}

copy() { # NAME
    rm -rf "${work:?}/$1"
    copy_workspace "$work/$1" crates/* ci/checks
}

copy early
replace "$work/early/src/rcu/reclaim.rs" 'self.grace.scan.as_ref().is_some_and(Scan::is_over)' \
    'self.grace.scan.is_some()'
keep_stress early "$work/early"
control early 'heap-use-after-free|SEGV' 'a grace period is over when it begins'

copy never
replace "$work/never/src/rcu/reclaim.rs" 'unsafe { self.snapshots.next.push(snapshot) };' \
    'let _ = snapshot;'
keep_stress never "$work/never"
control never 'LeakSanitizer: detected memory leaks' 'a retired snapshot is forgotten'
