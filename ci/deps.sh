#!/usr/bin/env bash
# Five small dependencies are part of what the core promises its users. A sixth is a decision, not
# an accident: it changes the list below. So is each dependency of another crate. The list also has
# which of our crates each may use: the core none, filter and testing the core, record and profile
# the core, the clock and filter, admin record and profile, the program none. Seconds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=0

direct() { # CRATE [FLAG]...: of cargo tree; its direct dependencies
    cargo tree --package "$1" -e normal,build --depth 1 --prefix none --format '{p}' "${@:2}" | tail -n +2 | cut -d ' ' -f 1 | sort -u
}

check() { # CRATE DEPENDENCIES [FLAG]...
    local expected found what="$1 ${*:3}"
    expected=$(tr -s ' \n' '\n' <<<"$2" | sed '/^$/d' | sort -u)
    found=$(direct "$1" "${@:3}")
    if [ "$found" != "$expected" ]; then
        echo "ci/deps.sh: the dependencies of $what are not what they were (< expected, > found):" >&2
        diff <(echo "$expected") <(echo "$found") >&2 || true
        failed=1
    fi
    echo "$what: ${found//$'\n'/ }"
    seen+=" $1 "
}

seen=
check hotprobe 'crossbeam-epoch linkme pin-project-lite smallvec static_assertions' --all-features
check hotprobe-clock ''
check hotprobe-clock 'fastant' --all-features
filter='crossbeam-utils hotprobe static_assertions strsim winnow'
check hotprobe-filter "$filter"
check hotprobe-filter "$filter serde" --all-features
record='crossbeam-utils hotprobe hotprobe-clock hotprobe-filter prost rustix serde_json static_assertions'
check hotprobe-record "$record"
check hotprobe-record "$record serde tokio" --all-features
profile='addr2line backtrace crossbeam-utils elsa flate2 hdrhistogram hotprobe hotprobe-clock hotprobe-filter memmap2 object prometheus-client
    prost rustc-demangle self_cell smallvec static_assertions tempfile'
check hotprobe-profile "$profile"
check hotprobe-profile "$profile serde" --all-features
check hotprobe-testing 'hotprobe similar'
check hotprobe-testing 'hotprobe similar tokio' --all-features
check hotprobe-admin 'axum base64 form_urlencoded futures-core hotprobe hotprobe-profile hotprobe-record hyper hyper-util nix rustix serde serde_json sha2
    static_assertions strsim subtle tar tempfile tokio' --all-features
check hotprobe-cli 'base64 clap clap_complete clap_mangen console getrandom indicatif open rustix serde serde_json signal-hook ureq' --all-features

crates=$(python3 ci/lib/crates.py)
while read -r name _; do
    [[ "$seen" = *" $name "* ]] || { echo "ci/deps.sh: the dependencies of $name are not listed" >&2; failed=1; }
done <<<"$crates"

# Who declares events builds no server, no runtime, no encoder; and a test run of the core builds
# none of what the other crates are for.
none_of() { # EDGES PATTERN
    local found
    found=$(cargo tree --package hotprobe -e "$1" --all-features --prefix none --format '{p}' |
        cut -d ' ' -f 1 | grep -Ex "$2" | sort -u || true)
    if [ -n "$found" ]; then
        echo "ci/deps.sh: the core depends on ${found//$'\n'/ } ($1)" >&2
        failed=1
    fi
}
none_of normal,build 'axum|hyper|prost|tokio|clap|hotprobe-.*'
none_of normal,build,dev 'axum|hyper|prost|clap|hotprobe-.*'

# What users register in their own registry is a collector of this: of one version, of course.
versions=$(cargo tree --workspace --all-features -e normal,build,dev --prefix none --format '{p}' |
    grep -E '^prometheus-client ' | cut -d ' ' -f 2 | sort -u)
if [ "$(wc -w <<<"$versions")" -ne 1 ]; then
    echo "ci/deps.sh: versions of prometheus-client in the tree: ${versions//$'\n'/ }" >&2
    failed=1
fi
exit "$failed"
