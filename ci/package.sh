#!/usr/bin/env bash
# What would be published contains what it needs, and builds by itself; and no scripts of ours.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

flags=()
# Where there are changes that are not committed, they are what is being worked on.
if [ -n "$(git status --porcelain 2>/dev/null)" ]; then
    flags+=(--allow-dirty)
fi
cargo package "${flags[@]}"
list=$(cargo package --list "${flags[@]}")
for wanted in README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE src/lib.rs; do
    grep -Fxq "$wanted" <<<"$list" || { echo "ci/package.sh: $wanted is not packaged" >&2; exit 1; }
done
if grep -E '^(\.ci|ci)/' <<<"$list"; then
    echo "ci/package.sh: these do not belong into the package" >&2
    exit 1
fi
