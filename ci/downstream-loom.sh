#!/usr/bin/env bash
# People put events into code that they check with loom themselves, under their own `--cfg loom`,
# with hotprobe built as ever. tests/consumers/bounded_queue is such a crate. Shown here: its models
# pass with events off, on, and attached inside the model; loom explores as many executions as
# without any events; a bug planted in the queue is found by a probe, and by nothing else.
#
# Usage: ci/downstream-loom.sh           (about a minute from scratch)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root/tests/consumers"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}/downstream-loom"
export RUSTFLAGS="--cfg loom"
unset CARGO_ENCODED_RUSTFLAGS

model() { # ARGUMENTS…: of cargo test
    cargo test --quiet --release --package bounded_queue --test model "$@" -- --nocapture --test-threads=1 2>&1
}

fail() { # WHAT OUTPUT
    printf 'ci/downstream-loom.sh: %s\n%s\n' "$1" "$2" >&2
    exit 1
}

executions() { # OUTPUT
    sed -n 's/^.*executions: \([0-9]*\).*$/\1/p' <<<"$1"
}

with=$(model) || fail "the models fail" "$with"
without=$(model --no-default-features) || fail "the model fails without events" "$without"
if [ -z "$(executions "$with")" ] || [ "$(executions "$with")" != "$(executions "$without")" ]; then
    fail "events change the number of executions" "$with $without"
fi
echo "$(executions "$with") executions, with events and without"

# A planted bug: the model by itself does not see it, the probe does.
blind=$(model --no-default-features --features planted) || fail "the planted bug is seen without a probe" "$blind"
if seen=$(model --features planted the_bound_is_kept_at_each_step); then
    fail "the planted bug is NOT found" "$seen"
fi
grep -q 'the queue holds 2, more than 1' <<<"$seen" || fail "it fails, but not by the probe's assertion" "$seen"
echo "planted, and found by a probe: the queue holds 2, more than 1"

cargo clippy --quiet --package bounded_queue --all-targets -- -D warnings
