#!/usr/bin/env bash
# The second half of ci/admin.sh: a `live_server` under load, as the README has it.
#   ci/lib/live_server.sh BUILT TOOLS UI OUT
# Folders: cargo's; one that has playwright-core; the Perfetto UI's; where pictures and traces go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=ci/lib/tidy.sh
source ci/lib/tidy.sh
built=$(realpath "$1") tools=$2 ui=$3 out=$4

fail() { echo "FAILED: $*" >&2; exit 1; }

# The README's lines: what begins with one of the words, in the section's code.
lines() {
    sed -n '/^## See it on a real server/,/^## What it costs/p' README.md | grep -E "^($1) .*9000"
}
[ "$(lines 'curl|go' | wc -l)" -ge 6 ] || fail 'the README has not the lines that are tried here'

run=$(lines cargo)
limit 3600 'cargo build of live_server' cargo build --quiet --release --example live_server
read -ra arguments <<<"${run#*-- }"
[ "${arguments[0]}" = --serve ] || fail "the README's line is another: $run"

server=
kill_server() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null
}
at_exit kill_server
serve() { # as the README says
    "$built/release/examples/live_server" "${arguments[@]}" >"$out/live" 2>&1 &
    server=$!
    await 300 'the start of live_server' serves
}
serves() {
    kill -0 "$server" 2>/dev/null || fail "live_server: $(cat "$out/live")"
    grep -q '^asked over' "$out/live"
}
larger() { # FILE BYTES
    [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -gt "$2" ]
}
address=http://127.0.0.1:9000/debug/probes

serve
grep -q "^look into it: $address\$" "$out/live" || fail "it does not say where to look: $(cat "$out/live")"
(cd "$tools" && limit 3600 'the page of live_server in Chromium' node "$OLDPWD/ci/readers/admin/live.mjs" "${address%/debug/probes}" "$out")

# As written; each has to say what it is there for.
printed=$out/printed
rm -rf "$printed"
mkdir -p "$printed"
while read -r line; do
    number=$((${number:-0} + 1))
    (cd "$printed" && PPROF_TMPDIR=$printed limit 600 "$line" bash -c "$line" >"$number.out" 2>"$number.err") || fail "$line: $(cat "$printed/$number.err")"
    case "$line" in
    *events*match*) expected='"name":"live_server::events::REQUEST_BEGIN"' ;;
    *tail*) expected='^event: record' ;;
    *latency*) expected='GET /orders/report' ;;
    *record*) expected= ;;
    *metrics*) expected='^hotprobe_events_registered 6$' ;;
    *pprof*) expected='axum::' ;;
    *) fail "the README has a line that nothing is expected of: $line" ;;
    esac
    grep -qE "$expected" "$printed/$number.out" || [ -z "$expected" ] || fail "$line: printed $(head -c 500 "$printed/$number.out")"
done < <(lines 'curl|go')
echo 'ok: the lines of the README do what they say'
# `go tool pprof` shows its user the error that it receives.
PPROF_TMPDIR=$printed limit 300 'go tool pprof' go tool pprof -top "$address/stacks?event=STORE_BEGIN" >"$out/pprof.err" 2>&1 && fail 'pprof takes an event that is not there'
grep -q "none of the program's 6 events" "$out/pprof.err" || fail "pprof says only: $(cat "$out/pprof.err")"
echo 'ok: go tool pprof shows what is wrong'
curl() {
    limit 600 "curl $*" curl "$@"
}
curl -sSf "$address/metrics" | limit 300 promtool promtool check metrics
echo 'ok: promtool has nothing to say of the metrics'

# With SIGTERM in the middle, three times. How long it takes is printed; that it does not wait for
# what is open, which would take five minutes, is checked.
end_of() { # after SIGTERM, in ms
    local begun=$(($(date +%s%N) / 1000000))
    kill -TERM "$server"
    limit 600 'live_server after SIGTERM' tail --pid="$server" -s 0.01 -f /dev/null
    ended=$(($(date +%s%N) / 1000000 - begun))
    wait "$server" || fail "live_server: $(cat "$out/live")"
    server=
}
least=
for _ in 1 2 3; do
    [ -n "$server" ] || serve
    # (What the last turn left would be taken for what has come.)
    rm -f "$out/part.pftrace" "$out/tail"
    curl -sS -X POST -o "$out/part.pftrace" "$address/record?seconds=300&match=*&slice=request,live_server::events::REQUEST_BEGIN,live_server::events::REQUEST_END,request" &
    client=$!
    await 600 'a megabyte of a recording' larger "$out/part.pftrace" 1000000
    end_of
    wait "$client" || true
    [ "$ended" -ge "${least:-$ended}" ] || least=$ended
    : "${least:=$ended}"
    serve
    curl -sS -N "$address/tail?match=*::REQUEST_END&seconds=300&limit=1000000" >"$out/tail" &
    client=$!
    await 600 'a record of a tail' grep -qs '^event: record' "$out/tail"
    end_of
    wait "$client" || fail 'the tail was cut off'
    grep -q '"reason":"shutdown"' "$out/tail" || fail 'the tail does not say why it ended'
    [ "$ended" -ge "${least_tail:-$ended}" ] || least_tail=$ended
    : "${least_tail:=$ended}"
done
[ "$least" -lt 100000 ] || fail "SIGTERM with a recording open: it took $least ms to end"
[ "$least_tail" -lt 100000 ] || fail "SIGTERM with a tail open: it took $least_tail ms to end"
echo "ok: ended by SIGTERM within $least ms with a recording open, $least_tail ms with a tail"

# What was recorded by the page, by the README's line, and until the server ended.
python3 - "$out" <<'PYTHON'
import json, sys
out = sys.argv[1]
sql = {
    "slices": "select name, count(*) as n, min(dur) as least, max(dur) as most from slice where category = 'slice' group by name order by name",
    "records": "select count(*) as n from slice",
    "wrong": "select name, severity, value from stats where severity = 'error' and value > 0",
}
files = ["page.pftrace", "printed/trace.pftrace", "part.pftrace"]
json.dump([{"trace": f"{out}/{name}", "cut": None, "sql": sql} for name in files], open(f"{out}/queries.json", "w"))
PYTHON
(cd "$tools" && limit 3600 'the Perfetto UI in Chromium' node "$OLDPWD/ci/readers/record/query.mjs" --ui "$ui" "$out/queries.json" "$out/answers.json")
python3 - "$out" <<'PYTHON'
import json, sys
page, line, part = json.load(open(f"{sys.argv[1]}/answers.json"))
for what, answer, names in [("the page's", page, ["lookup", "request", "store"]), ("the line's", line, []), ("the part", part, ["request"])]:
    found = {row["name"]: row for row in answer["slices"]}
    records = int(answer["records"][0]["n"])
    print(f"{what}: {records} records,", ", ".join(f"{row['n']} slices {name}" for name, row in found.items()) or "no slices")
    assert answer["wrong"] == [], answer["wrong"]
    assert records > 0, what
    assert sorted(found) == names, (what, sorted(found))
    for name, row in found.items():
        assert int(row["n"]) > 0 and int(row["most"]) >= int(row["least"]) >= 0, (what, row)
PYTHON
echo 'ok: recordings open in Perfetto, also what was sent until SIGTERM'
