#!/usr/bin/env bash
# Each library builds with the oldest Rust that Cargo.toml promises. Where that toolchain is
# installed, by building; otherwise by clippy's lint for library items that are newer (it does not
# see newer syntax). A minute.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

msrv=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
[ -n "$msrv" ] || { echo "ci/msrv.sh: no rust-version in Cargo.toml" >&2; exit 1; }
crates=$(python3 ci/lib/crates.py)
packages=()
while read -r name kind _; do
    [ "$kind" != lib ] || packages+=(--package "$name")
done <<<"$crates"
toolchain=$(rustup toolchain list 2>/dev/null | sed -n "s/^\(${msrv//./\\.}[-.][^ ]*\).*/\1/p" | head -n 1 || true)
if [ -n "$toolchain" ]; then
    cargo "+$toolchain" check "${packages[@]}" --lib --all-features
else
    echo "no $msrv toolchain here: build skipped; looking for newer library items with clippy instead"
    # (That lint only: the others are `ci/clippy.sh`'s affair.)
    cargo clippy "${packages[@]}" --lib --all-features -- -A clippy::all -A clippy::pedantic \
        -A clippy::undocumented_unsafe_blocks -D clippy::incompatible_msrv
fi
