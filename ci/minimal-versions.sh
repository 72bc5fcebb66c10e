#!/usr/bin/env bash
# The lower bounds in Cargo.toml are versions that work: each published crate builds with the oldest
# versions that its manifest allows, once without features and once with all. Nobody else builds
# with these versions, so a bound that is not checked here is a guess. Runs in a copy of the
# workspace, because it needs a lock file of its own. Checks every crate, also after a failure.
#
# Usage: ci/minimal-versions.sh          (three minutes on two cores)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=ci/lib/copy.sh
source ci/lib/copy.sh
# shellcheck source=ci/lib/tidy.sh
source ci/lib/tidy.sh

target=$(realpath -m "${CARGO_TARGET_DIR:-$PWD/target}/minimal-versions")
crates=$(python3 ci/lib/crates.py)
rm -rf "$target/tree"
scratch "$target"
members=(crates/*)
copy_workspace "$target/tree" "${members[@]}"
# The bounds of dev-dependencies are not part of what users get; the copy leaves them out.
rm -f "$target/tree/Cargo.lock"
cd "$target/tree"
export CARGO_TARGET_DIR=$target/build RUSTC_BOOTSTRAP=1

limit 600 'cargo update' cargo update --quiet -Z direct-minimal-versions
failed=()
while read -r name _; do
    for features in --no-default-features --all-features; do
        echo "== $name $features"
        limit 1800 "cargo check of $name" cargo check --quiet --locked --package "$name" "$features" || failed+=("$name $features")
    done
done <<<"$crates"
if [ "${#failed[@]}" -gt 0 ]; then
    printf 'ci/minimal-versions.sh: does not build with the lower bounds: %s\n' "${failed[@]}" >&2
    exit 1
fi
echo "each crate builds with the lower bounds of its dependencies"
