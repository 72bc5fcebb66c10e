#!/usr/bin/env bash
# What events cost, against what the machine asks for the same without them (`docs::performance`): instructions,
# counted by callgrind, and ratios of times that were measured in turn. Fails if a row of benches/src/rows.rs is above
# its gate; says which miss their target.
#
# Usage: ci/overhead.sh [--rows GROUP]... [--attempts N]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ "$(uname -m)" = x86_64 ] && [ "$(uname -s)" = Linux ] && ! command -v valgrind >/dev/null; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q >/dev/null
    "${as_root[@]}" apt-get install -qy --no-install-recommends valgrind >/dev/null
fi

target="${CARGO_TARGET_DIR:-$PWD/target}/overhead"
# Flags that a caller has set for other builds (sanitizers, coverage) would change the code.
env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR="$target" \
    cargo build --quiet --release --no-default-features --manifest-path benches/Cargo.toml
"$target/release/overhead" "$@"
