#!/usr/bin/env bash
# `cargo test` builds the examples, but does not run them. This does, briefly, by the lines that
# README gives. A few minutes to build, then seconds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=ci/lib/tidy.sh
source ci/lib/tidy.sh

run() {
    # Long enough for a slow machine; an example that hangs is a failure.
    limit 900 "$*" "$@"
}

limit 3600 'cargo build' cargo build --release --examples
greetings=$(run cargo run --quiet --release --example hello)
echo "$greetings"
# What the probe saw, not just that it ended well: three greetings recorded, then three before and
# after.
for expected in '^Said hello to JP @ ' '^Said hello to Varya @ ' '^About to say hello to Kirr @ '; do
    grep -q "$expected" <<<"$greetings" || {
        echo "ci/examples.sh: hello did not print a line like '$expected'" >&2
        exit 1
    }
done
found=$(run cargo run --quiet --release --example verify_pool)
echo "$found"
for expected in '^deadlock: nothing came on stream "b"' '^deadlock: a joined thread has not ended' '^explore: 100 runs pass'; do
    grep -q "$expected" <<<"$found" || {
        echo "ci/examples.sh: verify_pool did not print a line like '$expected'" >&2
        exit 1
    }
done
run cargo run --quiet --release --example live_server -- --seconds 1 --connections 4

# The traffic of that server, recorded. (What is in the files: ci/record.sh.)
traces=$(mktemp -d)
at_exit rm -rf "$traces"
recorded=$(run cargo run --quiet --release --example record -- --out "$traces" --seconds 1 --connections 4)
echo "$recorded"
grep -Eq '^([0-9]+) requests asked, \1 requests in the trace from begin to end$' <<<"$recorded" || {
    echo "ci/examples.sh: record did not find each request in the trace" >&2
    exit 1
}
for file in trace.pftrace trace.json ctf/metadata; do
    [ -s "$traces/$file" ] || { echo "ci/examples.sh: record wrote no $file" >&2; exit 1; }
done
