#!/usr/bin/env bash
# Runs the tests by the command that README gives, so that the command cannot go stale: each crate's
# library, integration and documentation tests, and those of the examples. It costs most of its time
# on the first build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

line='cargo test --workspace --all-features'
if ! grep -Fxq -- "$line" README.md; then
    echo "ci/test.sh: README.md has no line '$line': change both together" >&2
    exit 1
fi
$line
