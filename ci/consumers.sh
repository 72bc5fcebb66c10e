#!/usr/bin/env bash
# Why: macros are expanded in other people's crates, where other lints, editions, names and attributes
# reign than in ours. The crates in tests/consumers stand for them: their tests pass, clippy and rustdoc
# have nothing to say about what `event!` and `fire!` expand to.
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
