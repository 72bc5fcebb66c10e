#!/usr/bin/env bash
# Part of ci/admin.sh: `/debug/probes` behind a real nginx. With a bare `proxy_pass`, as most
# configurations have it, nobody gets in without a token. With the lines that the docs of
# hotprobe-admin give, everything works, and a limit for silence ends no stream.
#   ci/lib/nginx.sh OPEN GUARDED TOKEN OUT
# The addresses of a server without a token and of one with; the token; where nginx's files go.
set -euo pipefail
# shellcheck source=ci/lib/tidy.sh
source "$(dirname "${BASH_SOURCE[0]}")/tidy.sh"
open=${1#http://} guarded=${2#http://} token=$3 folder=$4/nginx

fail() { echo "FAILED: behind nginx: $*" >&2; exit 1; }

rm -rf "$folder"
mkdir -p "$folder"
cat >"$folder/nginx.conf" <<CONF
daemon off;
pid $folder/pid;
error_log $folder/error.log;
events {}
http {
    access_log off;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    server {
        listen unix:$folder/open;
        location / { proxy_pass http://$open; }
    }
    server {
        listen unix:$folder/bare;
        location / { proxy_pass http://$guarded; }
    }
    server {
        listen unix:$folder/guarded;
        location / {
            proxy_pass http://$guarded;
            proxy_http_version 1.1;
            proxy_buffering off;
            proxy_set_header Host \$http_host;
            proxy_read_timeout 2s;
        }
    }
}
CONF
timeout 3600 nginx -p "$folder" -c "$folder/nginx.conf" >"$folder/output" 2>&1 &
nginx=$!
at_exit stop "$nginx"
started() {
    kill -0 "$nginx" 2>/dev/null || fail "it does not start: $(cat "$folder/output" "$folder/error.log")"
    [ -S "$folder/guarded" ]
}
await 300 'the start of nginx' started

ask() { # SOCKET PATH [ARGUMENT]...: prints the status; the body goes to $folder/answer
    limit 600 "curl $2" curl -sS -o "$folder/answer" -w '%{http_code}' --unix-socket "$folder/$1" "http://shop/debug/probes$2" "${@:3}"
}
expect() { # STATUS SOCKET PATH [ARGUMENT]...
    local status
    status=$(ask "${@:2}") || true
    [ "$status" = "$1" ] || fail "$2 $3: $status instead of $1: $(head -c 500 "$folder/answer")"
}
bearer=(-H "Authorization: Bearer $token")

for path in '' /events /stats /metrics '/tail?match=*&limit=1'; do
    expect 403 open "$path"
done
expect 403 open '/record?match=*&seconds=0.1' -X POST
echo 'ok: behind nginx with a bare proxy_pass, nobody gets in without a token'

expect 401 bare /events
expect 200 bare /events "${bearer[@]}"
expect 505 bare '/tail?match=*&limit=1' "${bearer[@]}"
grep -q proxy_http_version "$folder/answer" || fail "it does not say what to set: $(cat "$folder/answer")"
echo 'ok: with one, streams are refused, and the error names what nginx lacks'

expect 401 guarded /events
expect 200 guarded /events "${bearer[@]}"
expect 200 guarded '/tail?match=*::PLACED&limit=3' "${bearer[@]}"
[ "$(grep -c '^event: record' "$folder/answer")" = 3 ] || fail 'a tail has not its three records'
# Nothing of this event comes, and nginx gives up after 2 s without a byte.
expect 200 guarded '/tail?match=*::CANCELLED&seconds=6' "${bearer[@]}"
grep -q '"reason":"time"' "$folder/answer" || fail "a silent tail was cut off: $(tail -c 500 "$folder/answer")"
for format in perfetto chrome; do
    expect 200 guarded "/record?match=*::CANCELLED&seconds=6&format=$format" -X POST "${bearer[@]}"
done
# (The Chrome trace: JSON only if its end has come.)
python3 -m json.tool "$folder/answer" >/dev/null || fail 'a silent recording was cut off'
echo "ok: with the lines of the docs, everything works, and nginx's limit for silence ends nothing"
