#!/usr/bin/env bash
# What would be published contains what it needs, its licences too, and builds by itself, from the
# other packages and not from the tree; and nothing that only we need: no scripts, no models, no
# planted bugs. A few minutes: each package is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

flags=()
# Where there are changes that are not committed, they are what is being worked on.
if [ -n "$(git status --porcelain 2>/dev/null)" ]; then
    flags+=(--allow-dirty)
fi
crates=$(python3 ci/lib/crates.py)
failed=0 packages=()
while read -r name kind _; do
    packages+=(--package "$name")
    list=$(cargo package --quiet --list "${flags[@]}" --package "$name")
    wanted=(Cargo.toml LICENSE-MIT LICENSE-APACHE "src/${kind/bin/main}.rs")
    [ "$name" != hotprobe ] || wanted+=(README.md CHANGELOG.md)
    for file in "${wanted[@]}"; do
        grep -Fxq "$file" <<<"$list" || { echo "ci/package.sh: $name: $file is not packaged" >&2; failed=1; }
    done
    if grep -E '^(\.ci|\.cargo|ci|crates|examples|benches|tests)/|\.patch$' <<<"$list"; then
        echo "ci/package.sh: $name: these do not belong into the package" >&2
        failed=1
    fi
done <<<"$crates"
[ "$failed" = 0 ] || exit 1
# Together: Cargo keeps a registry of its own for those of them that need each other. It would take
# what an earlier run unpacked from it, of the same versions, for this run's.
unpacked=${CARGO_HOME:-$HOME/.cargo}/registry/src
[ ! -d "$unpacked" ] || find "$unpacked" -mindepth 2 -maxdepth 2 -path '*/-*/hotprobe*' -exec rm -rf {} +
cargo package "${flags[@]}" "${packages[@]}"
