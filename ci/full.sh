#!/usr/bin/env bash
# What is checked before a piece of work is called done, and takes too long for each landing:
# browsers and other readers, real servers, a race detector, every planted bug, and what is found by
# repeating. `.ci/run` has to pass as well. The list, and which script belongs where:
# ci/lib/tiers.sh. Besides the scripts, there are:
#
# * stress         the stress of tests/stress, and one that attaches and detaches without pause
# * repeat         the tests of the core, record and testing, again and again: some failures depend
#                  on how threads interleave
# * fallback       the core's tests without membarrier
# * threads        threads that come and go, and what they leave behind
# * records        a recording of many records, at loss rates from none to nearly all of them
#                  (10^8 take 4 GiB of memory)
# * requests       many hostile requests to `/debug/probes`
# * survivors      `cargo mutants` (settings: .cargo/mutants.toml; tests: .config/nextest.toml):
#                  changes the source in one place after the other, and lists the changes that no
#                  test notices. Each survivor needs a test, or an entry with its reason in
#                  .cargo/mutants.toml. Without --long: one of 200 parts, chosen by the commit.
#
# Usage: ci/full.sh [PART]...              all parts by default; about an hour on two cores
#        ci/full.sh --long [PART]...       an hour of stress, 1000 repeats, 10^6 threads, 10^8
#                                          records, 10^5 requests, all of `cargo mutants`: a day
#        ci/full.sh --list                 the names of the parts
#        SECONDS_EACH=60 REPEAT=10 THREADS=100000 RECORDS=1000000 REQUESTS=1000 \
#            MUTANTS="--file src/batch.rs" ci/full.sh ...
#        KEEP=1 ci/full.sh ...             keeps what was built, in target/full
#
# What is built goes to a folder of its own, and is removed at the end; so is what each script
# builds for itself, when that script ends. Nothing is waited for without bound: what hangs is
# named.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null
export CI=true CARGO_TERM_COLOR=never

# shellcheck source=ci/lib/tiers.sh
source ci/lib/tiers.sh
# shellcheck source=ci/lib/install.sh
source ci/lib/install.sh
# shellcheck source=ci/lib/tidy.sh
source ci/lib/tidy.sh

long=
if [ "${1:-}" = --long ]; then
    long=1
    shift
fi
seconds_each=${SECONDS_EACH:-$([ "$long" ] && echo 3600 || echo 120)}
repeat=${REPEAT:-$([ "$long" ] && echo 1000 || echo 10)}
threads=${THREADS:-$([ "$long" ] && echo 1000000 || echo 100000)}
records=${RECORDS:-$([ "$long" ] && echo 100000000 || echo 10000000)}
requests=${REQUESTS:-$([ "$long" ] && echo 100000 || echo 10000)}

stress() {
    local run=(cargo run --release --package hotprobe-checks --bin stress --)
    limit "$((seconds_each + 3600))" 'the stress' "${run[@]}" --seconds "$seconds_each"
    limit "$((seconds_each + 3600))" 'the stress that attaches all the time' \
        "${run[@]}" --seconds "$((seconds_each / 6 + 1))" --churning 1
    ci/tsan.sh "$((seconds_each / 6 + 1))"
}

repeat() {
    local n packages=(--package hotprobe --package hotprobe-record --package hotprobe-testing)
    limit 3600 'cargo test' cargo test --all-features --release "${packages[@]}" --test it --no-run
    for ((n = 1; n <= repeat; n++)); do
        # (`consumers` and `ui` build other crates: nothing of it varies.)
        if ! HOTPROBE_CONSUMERS_APART=1 limit 3600 "the tests, the ${n}th time" cargo test --quiet --all-features --release "${packages[@]}" --test it -- \
            --skip ui:: --skip consumers::; then
            echo "failed the ${n}th time"
            return 1
        fi
    done
    echo "$repeat times"
}

fallback() {
    # (`consumers` and `ui` build other crates, and fire nothing.)
    HOTPROBE_MEMBARRIER=off HOTPROBE_CONSUMERS_APART=1 timeout 3600 cargo test --package hotprobe --test it -- \
        --skip ui:: --skip consumers::
}

threads() {
    local name=membarrier::threads_that_come_and_go_leave_nothing_behind
    # (The variable says that it has a process of its own already: so its figures are printed.)
    HOTPROBE_TEST_CHILD=$name HOTPROBE_THREADS=$threads timeout 3600 \
        cargo test --release --package hotprobe --test it -- --nocapture --exact "$name"
}

records() {
    HOTPROBE_RECORDS=$records limit $((3600 + records / 1000)) "a recording of $records records" \
        cargo test --all-features --release --package hotprobe-record --test it -- \
        counts::all_threads_count_exactly_however_much_is_lost
}

requests() {
    HOTPROBE_HOSTILE=$requests limit $((3600 + requests)) "$requests hostile requests" \
        cargo test --all-features --release --package hotprobe-admin --test it -- hostile
}

survivors() {
    local which=()
    cargo_tool cargo-mutants cargo-nextest
    if [ -n "${MUTANTS:-}" ]; then
        read -ra which <<<"$MUTANTS"
    elif [ -z "$long" ]; then
        which=(--shard "$((16#$(git rev-parse --short=7 HEAD) % 200))/200")
    fi
    # It changes a copy of the tree; one target directory for all copies, so that what others wrote
    # is built once. (Each test has a limit of its own.)
    CARGO_TARGET_DIR="$built/survivors" limit "$([ "$long" ] && echo 200000 || echo 20000)" 'cargo mutants' \
        cargo mutants --workspace --output "$tools" --colors never "${which[@]}"
}

name_of() { # ENTRY: `ci/overhead.sh --plant` is called `overhead-plant`
    local name=${1#ci/}
    name=${name/.sh/}
    echo "${name/ --/-}"
}

declare -A entry_of=()
parts=()
for entry in "${full[@]}" "${more[@]}"; do
    entry_of[$(name_of "$entry")]=$entry
    parts+=("$(name_of "$entry")")
done
if [ "${1:-}" = --list ]; then
    printf '%s\n' "${parts[@]}"
    exit
fi
for part in "$@"; do
    [ -n "${entry_of[$part]:-}" ] || { echo "ci/full.sh: no part '$part'; there are: ${parts[*]}" >&2; exit 2; }
done
[ "$#" -eq 0 ] || parts=("$@")

check_tiers
(need cc git objdump python valgrind)
mkdir -p "$tools/full"
built=${CARGO_TARGET_DIR:-$PWD/target}/full
scratch "$built"
# (Tools and logs stay.)
export CARGO_TARGET_DIR=$built CARGO_INCREMENTAL=0 HOTPROBE_TOOLS=$tools
failed=()
for part in "${parts[@]}"; do
    begun=$SECONDS verdict=passed log=$tools/full/$part.log
    read -ra words <<<"${entry_of[$part]}"
    # In a shell of its own, where `set -e` holds. (Behind `if` or `||` it would not.)
    set +e
    (set -e; "${words[@]}") >"$log" 2>&1
    status=$?
    set -e
    if [ "$status" -ne 0 ]; then
        verdict=FAILED
        failed+=("$part")
    fi
    printf '%-8s %6d s  %-16s %s\n' "$verdict" $((SECONDS - begun)) "$part" "$(grep -v '^$' "$log" | tail -n 1 | cut -c 1-120)"
    [ "$verdict" = passed ] || tail -n 40 "$log" | sed 's/^/    /'
done
if [ "${#failed[@]}" -gt 0 ]; then
    echo "$SECONDS s; failed: ${failed[*]}; logs: $tools/full/"
    exit 1
fi
echo "$SECONDS s; all ${#parts[@]} parts passed; logs: $tools/full/"
