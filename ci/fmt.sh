#!/usr/bin/env bash
# One layout for all, so that a diff shows changes and nothing else. Rustfmt's default style.
# Seconds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo fmt --all --check
cargo fmt --all --check --manifest-path tests/consumers/Cargo.toml
