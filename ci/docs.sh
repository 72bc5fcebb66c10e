#!/usr/bin/env bash
# The documentation builds, and no link in it leads nowhere: with all features; and of each library
# by itself, without features and with each of them, since a link to what another feature brings
# would be broken for most readers. What is public is shown by examples (ci/lib/doc_examples.py).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export RUSTDOCFLAGS="${RUSTDOCFLAGS:-} -D warnings"

doc() { # ARGUMENTS…: of cargo doc
    echo "doc $*"
    cargo doc --quiet --no-deps "$@"
}

doc --workspace --all-features
crates=$(python3 ci/lib/crates.py)
# shellcheck disable=SC2046  # a word for each crate
python3 ci/lib/doc_examples.py "${CARGO_TARGET_DIR:-target}/doc" $(awk '$2 == "lib" { print $1 }' <<<"$crates")
while read -r name kind features; do
    [ "$kind" = lib ] || continue
    doc --package "$name"
    for feature in $features; do
        doc --package "$name" --features "$feature"
    done
done <<<"$crates"
