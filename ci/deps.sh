#!/usr/bin/env bash
# Four small dependencies are part of what this crate promises its users. A fifth is a decision, not an
# accident: whoever takes it changes this list. So is each that a feature brings.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

check() { # WHAT EXPECTED ARGUMENTS…: of cargo tree
    local what=$1 expected=$2 found
    shift 2
    found=$(cargo tree -e normal --depth 1 --prefix none --format '{p}' "$@" | tail -n +2 | cut -d ' ' -f 1 | sort -u)
    if [ "$found" != "$expected" ]; then
        echo "ci/deps.sh: the dependencies $what are not what they were (< expected, > found):" >&2
        diff <(echo "$expected") <(echo "$found") >&2 || true
        exit 1
    fi
    echo "$what:" $found
}

check "by default" $'crossbeam-epoch\nlinkme\nsmallvec\nstatic_assertions'
check "with testing" $'crossbeam-epoch\nlinkme\nsimilar\nsmallvec\nstatic_assertions' --features testing
check "with all features" $'crossbeam-epoch\nlinkme\nsimilar\nsmallvec\nstatic_assertions\ntokio' --all-features
