#!/usr/bin/env bash
# The lints of Cargo.toml are warnings, so that they do not stop anyone at work; here they are errors.
# (They include the one that asks each `unsafe` block for its reason.)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo clippy --all-targets --all-features -- -D warnings
# Features are additive: the library is as good without them, and with one of them.
cargo clippy --lib -- -D warnings
cargo clippy --lib --features testing -- -D warnings
cargo clippy --bin hotprobe --features cli -- -D warnings
# The benches are a package of their own; this also shows that they compile.
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/overhead" \
    cargo clippy --manifest-path benches/Cargo.toml --all-targets -- -D warnings
