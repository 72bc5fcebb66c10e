#!/usr/bin/env bash
# Why: macros are expanded in other people's crates, with other lints, editions, names and
# attributes than ours. The crates in tests/consumers are such crates: their tests pass, and clippy
# and rustdoc find nothing wrong with what `event!` and `fire!` expand to.
#
# Usage: ci/consumers.sh            (about a minute from scratch)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root/tests/consumers"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}/consumers"

cargo test --workspace
cargo clippy --workspace --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items
