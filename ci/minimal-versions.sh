#!/usr/bin/env bash
# The lower bounds of Cargo.toml are versions that work: each published crate builds with the oldest versions that its
# manifest allows. A bound that nobody builds is a guess. In a copy, since it needs a lock file of its own; with no
# features, and with all.
#
# Usage: ci/minimal-versions.sh          (three minutes on two cores)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=ci/lib/copy.sh
source ci/lib/copy.sh

target=$(realpath -m "${CARGO_TARGET_DIR:-$PWD/target}/minimal-versions")
crates=$(python3 ci/lib/crates.py)
rm -rf "$target/tree"
members=(crates/*)
copy_workspace "$target/tree" "${members[@]}"
# What the copy leaves out has bounds of its own, which nobody is promised.
rm -f "$target/tree/Cargo.lock"
cd "$target/tree"
export CARGO_TARGET_DIR=$target/build RUSTC_BOOTSTRAP=1

cargo update --quiet -Z direct-minimal-versions
while read -r name _; do
    echo "== $name"
    cargo check --quiet --locked --package "$name"
    cargo check --quiet --locked --package "$name" --all-features
done <<<"$crates"
echo "each crate builds with the lower bounds of its dependencies"
