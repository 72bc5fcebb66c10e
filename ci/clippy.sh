#!/usr/bin/env bash
# The lints of Cargo.toml are warnings, so that they do not stop anyone at work; here they are
# errors. (They include the one that asks each `unsafe` block for its reason.) A few minutes the
# first time: the benches' peers are built for it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

clippy() { # ARGUMENTS…: of cargo clippy
    echo "clippy $*"
    cargo clippy --quiet "$@" -- -D warnings
}

clippy --workspace --all-targets --all-features
# Features are additive: each crate is as good without them, and with one of them. (By itself, too:
# in a workspace, what another member asks of a dependency would hide that a crate forgot to.)
crates=$(python3 ci/lib/crates.py)
while read -r name kind features; do
    clippy --package "$name" "--${kind/bin/bins}"
    for feature in $features; do
        clippy --package "$name" "--${kind/bin/bins}" --features "$feature"
    done
done <<<"$crates"
