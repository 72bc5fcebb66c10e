#!/usr/bin/env bash
# Four small dependencies are part of what this crate promises its users. A fifth is a decision, not an
# accident: whoever takes it changes this list.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

expected=$'crossbeam-epoch\nlinkme\nsmallvec\nstatic_assertions'
found=$(cargo tree -e normal --depth 1 --prefix none --format '{p}' | tail -n +2 | cut -d ' ' -f 1 | sort -u)
if [ "$found" != "$expected" ]; then
    echo "ci/deps.sh: the dependencies are not what they were (< expected, > found):" >&2
    diff <(echo "$expected") <(echo "$found") >&2 || true
    exit 1
fi
echo "$found"
