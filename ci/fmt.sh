#!/usr/bin/env bash
# One layout for all, so that a diff shows changes and nothing else. Rustfmt's default style.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo fmt --check
cargo fmt --check --manifest-path ci/off_path/Cargo.toml
cargo fmt --check --manifest-path benches/Cargo.toml
