#!/usr/bin/env bash
# Grace periods in Spin: ci/spin/grace_periods.pml, whose head lists what is checked and what the
# model leaves out. Two threads that fire and two workers, to completion; then liveness, under weak
# fairness, of one worker beside a thread that fires without pause. Then each bug that the model
# knows is planted, and has to be found.
#
# States are kept by a hash (HC4), so two could be taken for one: with the 42 million states of the
# largest run, that is unlikely, but possible. Takes some minutes, and 2.3 GB.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=ci/lib/install.sh
source ci/lib/install.sh
need cc spin

model=$PWD/ci/spin/grace_periods.pml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

verify() { # COMPILER FLAGS, RUN FLAGS, MODEL FLAGS...: the verifier's report
    spin -a "${@:3}" "$model" >/dev/null
    # shellcheck disable=SC2086  # words are wanted
    cc -w -O2 $1 -DMEMLIM=6000 -o pan pan.c
    # shellcheck disable=SC2086
    ./pan $2 >report 2>&1 || true
    # (Runs out of memory, or of depth: no verdict.)
    if grep -Eq 'max search depth too small|memory bound|out of memory' report; then
        cat report >&2
        return 1
    fi
    grep -m 1 'errors:' report
}

safety=('-DSAFETY -DHC4' '-m1000000 -n')
liveness=('-DNFAIR=4 -DHC4' '-m1000000 -n -a -f')

holds() { # WHAT COMPILER FLAGS, RUN FLAGS, MODEL FLAGS...
    verify "${@:2}" >errors
    if ! grep -q 'errors: 0' errors; then
        cat report >&2
        echo "ci/spin.sh: $1 does not hold" >&2
        exit 1
    fi
    echo "holds: $1 ($(sed -n 's/ *\([0-9]*\) states, stored.*/\1/p' report) states)"
}

plant() { # BUG COMPILER FLAGS, RUN FLAGS, MODEL FLAGS...
    verify "${@:2}" "-DBUG=$1" >errors
    if grep -q 'errors: 0' errors; then
        echo "ci/spin.sh: planted, and NOT noticed: $1" >&2
        exit 1
    fi
    echo "planted and noticed: $1 ($(sed -n 's/^pan:1: \(.*\) (at depth.*/\1/p' report))"
}

holds 'one worker' "${safety[@]}" -DWORKERS=1 -DFIRINGS=2
holds 'one worker returns' "${liveness[@]}" -DWORKERS=1 -DLIVE
holds 'one worker returns beside a thread that fires without pause' "${liveness[@]}" -DWORKERS=1 -DLIVE -DENDLESS
for bug in NO_HEAVY_BARRIER SCAN_ONE_GENERATION_EARLY RETIRED_JOINS_A_RUNNING_GRACE_PERIOD \
    SYNCHRONIZE_WAITS_FOR_A_RUNNING_ONE OVER_WHILE_ANOTHER_DROPS WITHOUT_CROSSBEAM WITHOUT_THE_SCAN \
    RETIRED_IS_READY_AT_ONCE GENERATION_BEFORE_THE_UNLINK TAKEN_BY_TWO; do
    plant "$bug" "${safety[@]}" -DFLUSHES=1
done
plant SCAN_IS_LOST "${liveness[@]}" -DWORKERS=1 -DLIVE
plant SCAN_WAITS_FOR_OUT "${liveness[@]}" -DWORKERS=1 -DLIVE -DENDLESS
holds 'two workers' "${safety[@]}" -DFLUSHES=1
