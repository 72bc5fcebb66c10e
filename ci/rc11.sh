#!/usr/bin/env bash
# Checks the memory orderings by the rules of the standard, load buffering included, which loom does
# not explore: the litmus tests in ci/rc11/, by the program ci/checks/src/bin/rc11/ (its head
# explains the memory model and what is checked). First the checker itself is tested, by the classic
# tests in every combination of orderings. Then every test has to hold, to fail with each bug that
# is planted in it, and to fail with an ordering weakened by one step. Each ordering is tied to its
# line of the source. At the end, the script plants errors in a copy, and expects to find each.
#
# Usage: ci/rc11.sh                 half a minute on two cores
#        ci/rc11.sh --write         renews the tables of litmus tests in the documentation
#        ci/rc11.sh --strict        without load buffering, which shows what only that breaks: fails
#        ci/rc11.sh --show TEST     also prints how TEST fails, with each bug and weakened ordering
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# It needs nothing but std, so cargo and its dependencies are not needed either.
target=${CARGO_TARGET_DIR:-$PWD/target}/ci
mkdir -p "$target"
rustc --edition 2024 --crate-name rc11 -C opt-level=3 -o "$target/rc11" ci/checks/src/bin/rc11/main.rs
"$target/rc11" "$@" .
[ "$#" = 0 ] || exit 0

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

plant() { # WHAT EXPECTED FILE SCRIPT: edits FILE by sed, and expects the error
    local found
    rm -rf "${copy:?}"/*
    cp -r --parents src crates/hotprobe-record/src ci/rc11 "$copy"
    # Of the classic tests, which take longest, two are enough.
    sed -i '/^family LB$/,$d' "$copy/ci/rc11/classics.litmus"
    sed -i "$4" "$copy/$3"
    if cmp -s "$3" "$copy/$3"; then
        echo "ci/rc11.sh: could not plant: $1" >&2
        exit 1
    fi
    if found=$("$target/rc11" "$copy" 2>&1) || ! grep -Eq "$2" <<<"$found"; then
        printf 'ci/rc11.sh: planted, and NOT noticed: %s\n%s\n' "$1" "$found" >&2
        exit 1
    fi
    echo "planted and noticed: $1"
}

plant 'a weaker ordering in the source' 'row leave: src/rcu/lane.rs has 0 times, not 1' \
    src/rcu/lane.rs 's/self.word.store(OUT, Ordering::Release)/self.word.store(OUT, Ordering::Relaxed)/'
plant 'a new ordering without a test' 'src/rcu/gate.rs:[0-9]+: no row has this .Ordering::SeqCst' \
    src/rcu/gate.rs '$a fn planted(flag: \&AtomicBool) -> bool { flag.load(Ordering::SeqCst) }'
plant 'a test with another ordering than the source' 'row take_any_publish: its tests have' \
    ci/rc11/lane.litmus 's| rel/rlx @take_any| acqrel/rlx @take_any|'
plant 'a test of a broken protocol' 'a_firing_against_a_grace_period: a race on M' \
    ci/rc11/lane.litmus 's/if word >= 1$/if word >= 0/'
plant 'an ordering that no test needs' 'row scan_taken: weakened to .Relaxed., no test fails' \
    ci/rc11/lane.litmus 's/add taken (0 - 1) rel @give_back/add taken 0 rel @give_back/'
plant 'a reason that is not true' 'row enter_word: weakened to .Relaxed., .* though it says that it may' \
    ci/rc11/lane.litmus '/^row enter_word$/a may Relaxed: because'
plant 'a test that nothing makes fail' 'nothing makes it fail' \
    ci/rc11/record.litmus '/^test what_is_recorded_is_found_at_the_end$/,/^end$/s/check .*/check 1/'
plant 'an error in a table' 'src/docs/orderings.rs: its table is out of date' \
    src/docs/orderings.rs '/`Record::leave`, `word`: store | `Relaxed`/d'
plant 'a wrong verdict on a classic test' 'SB: forbidden, which is not as listed' \
    ci/rc11/classics.litmus '/^family SB$/,/^end$/s/forbidden (s0=sc l0=sc | f0=sc)/forbidden (f0=sc)/'
plant 'a classic test that is allowed more than listed' 'MP: allowed, which is not as listed' \
    ci/rc11/classics.litmus '/^family MP$/,/^end$/s/(l0=acq | f1=acq)/(l0=rlx)/'
