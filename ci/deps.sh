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
    echo "$what: $(tr '\n' ' ' <<<"$found")"
}

base=$'crossbeam-epoch\nlinkme\nsmallvec\nstatic_assertions'
check 'without features' "$base"
# What features ask for, nobody gets who does not ask for them.
profile=$'backtrace\nflate2\nhdrhistogram\nprometheus-client\nprost'
axum=$'axum\nbase64\nform_urlencoded\nfutures-core\nserde\nserde_json\nsha2\nstrsim\nsubtle\ntokio'
cli=$'clap\nclap_complete\nindicatif\nureq'
check 'with all features' "$(sort -u <<<"$base"$'\nfastant\nsimilar\n'"$profile"$'\n'"$axum"$'\n'"$cli")" --all-features
