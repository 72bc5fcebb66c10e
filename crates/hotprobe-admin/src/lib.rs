//! `/debug/probes`: look into a live server from a browser, `curl`, or the program `hotprobe`.
//!
//! An axum router over the events that a program declares with [`hotprobe`]. It attaches nothing
//! until a request asks for it, and detaches when the request's time is up or its client
//! disconnects.
//!
//! ```no_run
//! use hotprobe_admin::{Admin, router};
//! use std::net::SocketAddr;
//!
//! hotprobe::event! {
//!     /// A request has been answered.
//!     static ANSWERED: fn(route: &str, status: u16);
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let hello = || async {
//!         hotprobe::fire!(ANSWERED, "/", 200);
//!         "hello"
//!     };
//!     // It answers this machine only; with `.token(…)`, any client that sends the token.
//!     let app = axum::Router::new()
//!         .route("/", axum::routing::get(hello))
//!         .nest_service("/debug/probes", router(Admin::new()));
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:9000").await?;
//!     axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
//! }
//! ```
//!
//! Open `http://127.0.0.1:9000/debug/probes`, or use a terminal.
//!
//! A program without a server needs one line, and no async code: [`listen`] serves the same on a
//! Unix socket of the process, which `hotprobe ps` and `hotprobe -p PID` find.
//!
//! ```
//! # fn main() -> Result<(), hotprobe_admin::ListenError> {
//! let _probes = hotprobe_admin::listen()?;
//! # Ok(()) }
//! ```
//!
//! # What do you want to do?
//!
//! | task | panel of the page | endpoint |
//! |---|---|---|
//! | find out which request is slow ([a walk](#which-request-is-slow)) | Latency | [`POST /latency`](#latency) |
//! | see how often events fire | Rates | [`GET /rates`](#rates) |
//! | see each firing, with its arguments | Tail | [`GET /tail`](#tail) |
//! | record everything for Perfetto, Chrome or babeltrace2 | Record | [`POST /record`](#record) |
//! | see from where an event is fired, as a flame graph or for pprof | Stacks | [`GET /stacks`](#stacks) |
//! | list the events, with docs, parameters and attached probes | the list | [`GET /events`](#events) |
//! | watch the process from Prometheus | a link | [`GET /metrics`](#stats) |
//! | let clients of other machines in | | [`Admin::token`], [behind a proxy](#behind-a-proxy) |
//! | limit what requests may do | | [`Admin::max_sessions`], [`max_duration`](Admin::max_duration), [`max_memory_bytes`](Admin::max_memory_bytes) |
//! | look into a program without a server | | [`listen`], [`Admin::listen`] |
//! | serve on a port or a socket of its own, without axum | | [`Admin::serve`] |
//! | serve on a Unix socket, by axum | | [`Admin::unix_socket`] |
//! | shut down gracefully, with a tail open | | [`Shutdown`] |
//!
//! ```text
//! curl 'http://127.0.0.1:9000/debug/probes/events?match=shop::*'
//! curl -N 'http://127.0.0.1:9000/debug/probes/tail?match=shop::*&limit=20'
//! curl -X POST -OJ 'http://127.0.0.1:9000/debug/probes/record?match=shop::*&seconds=10'
//! curl -X POST 'http://127.0.0.1:9000/debug/probes/record?match=shop::*&format=ctf' | tar x
//! curl -X POST \
//!     'http://127.0.0.1:9000/debug/probes/latency?begin=shop::RECEIVED&end=shop::DONE&key=id'
//! go tool pprof -http=: 'http://127.0.0.1:9000/debug/probes/stacks?event=shop::PLACED'
//! curl -H "Authorization: Bearer $TOKEN" https://shop.example/debug/probes/metrics
//! ```
//!
//! The program `hotprobe` (the package `hotprobe-cli`) uses the same endpoints.
//!
//! # Features and environment variables
//!
//! The crate has no features. [`listen`] reads `HOTPROBE_LISTEN` (`off`, or the socket's path),
//! `HOTPROBE_DIR` and `XDG_RUNTIME_DIR` (where sockets are). A program that takes its token from a
//! variable passes it to [`Admin::token`]. `TMPDIR` determines where CTF traces are written
//! before they are sent. (`HOTPROBE_URL` and `HOTPROBE_TOKEN` are variables of the program
//! `hotprobe`.)
//!
//! # Mounting it
//!
//! ```no_run
//! use hotprobe_admin::{Admin, router};
//! use std::net::SocketAddr;
//! use std::time::Duration;
//!
//! # async fn example(signal: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
//! let admin = Admin::new();
//! let shutdown = admin.shutdown();
//! let app = axum::Router::new()
//!     .route("/", axum::routing::get(|| async { "the shop" }))
//!     .nest_service("/debug/probes", router(admin));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:9000").await?;
//! let begin = shutdown.clone();
//! let server = axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
//!     .with_graceful_shutdown(async move {
//!         signal.await;
//!         begin.begin();
//!     });
//! shutdown.serve(server, Duration::from_secs(10)).await.unwrap_or(Ok(()))
//! # }
//! ```
//!
//! Four parts of this matter:
//!
//! * `into_make_service_with_connect_info::<SocketAddr>()`: without a token, the router must know
//!   the peer's address.
//! * [`Shutdown::begin`], before the server ends: it ends all streams. Otherwise they delay a
//!   graceful shutdown until their time is up.
//! * [`Shutdown::serve`], which bounds the graceful shutdown: a connection whose client does not
//!   read stays open, and no server notices that its session has ended. What is open after 10 s
//!   ends with the runtime, as when `main` returns.
//! * `nest_service("/debug/probes", …)` answers both `/debug/probes` and `/debug/probes/`. With
//!   `nest("/debug/probes", …)`, which works in a router of any state, axum passes on only the
//!   first of these. The page's links work from either.
//!
//! # Other servers, and none
//!
//! | the program | what to do |
//! |---|---|
//! | has no server, or no async code | [`listen`] at the beginning of `main` |
//! | uses axum | mount [`router()`](crate::router()), as above |
//! | uses tonic, hyper or another server of tokio | `tokio::spawn(admin.serve(listener))`, on a port or a socket of its own: [`Admin::serve`] |
//! | uses actix or another runtime | [`listen`], whose thread has a runtime of its own |
//! | is a service of systemd | [`listen`], with `RuntimeDirectory=shop` and `Environment=HOTPROBE_DIR=/run/shop` in the unit; an operator connects as the same user or as root: `sudo HOTPROBE_DIR=/run/shop hotprobe ps` |
//! | runs in a container | [`listen`]; `kubectl exec POD -- hotprobe list`, with the program in the image. Or [`Admin::serve`] on `127.0.0.1:9000`, and `kubectl port-forward POD 9000` |
//! | is on another machine | `ssh -L /tmp/shop.sock:/run/user/1000/hotprobe/4711.sock HOST`, then `hotprobe --url unix:/tmp/shop.sock list`; or `ssh HOST hotprobe list` |
//!
//! # Which request is slow?
//!
//! The example `live_server` has a slow route. One click finds it:
//!
//! ```text
//! cargo run --release -p hotprobe-examples --example live_server -- \
//!     --serve --port 9000 --connections 4
//! ```
//!
//! 1. Open the page and press Enter. The page opens with *Latency*, and has guessed two events, the
//!    parameter that pairs them and the label; you can correct each: here from `REQUEST_BEGIN` to
//!    `REQUEST_END`, paired by `request`, a row for each `route`. It looks for names that differ
//!    only in their ending, as those of a begin and an end do, for parameters of the same name and
//!    type, and for a `route`, `path`, `operation` or the like.
//! 2. After a second: "Slowest: GET /orders/report", a table, and a bar for each route. Escape
//!    stops, and keeps what was measured.
//! 3. To see why, choose *Record*, press Enter, and open the trace in Perfetto: pairs of events
//!    with such names are slices in it, and the slices of one request are nested. Inside a report,
//!    there are sixteen slices of the store, one after the other.
//!
//! (`ci/admin.sh` does this in a browser.)
//!
//! # Who is let in
//!
//! | | without a token | with [`Admin::token`] |
//! |---|---|---|
//! | who | a peer on this machine: `127.0.0.0/8`, `::1`, and the former as an IPv6 address; by a Unix socket of [`listen`] or [`Admin::serve`], a process of the same user or of root | any client that sends `Authorization: Bearer …`, compared in constant time; otherwise 401 |
//! | the peer is unknown (no `ConnectInfo`) | 403, with what to do; with [`Admin::unix_socket`], it is let in | does not matter |
//! | through a proxy, recognized by a header that only proxies send (see below) | 403: behind a proxy, every peer is on this machine | does not matter |
//! | HTTP/1.0 | 403: nginx uses it by default | 505 for endpoints that open a session, since a response that was cut off would look complete |
//! | `Host` | `localhost`, `127.…`, `[::1]`, with any port; otherwise 403, since other names may be an attacker's (DNS rebinding) | any: a page of another name does not have the token |
//! | `Origin`, if it is sent | must name this `Host`; otherwise 403 | the same: a proxy must pass on `Host` |
//! | `Sec-Fetch-Site`, if it is sent | endpoints that attach accept `same-origin` and `none` only; otherwise 403 | the same |
//!
//! An empty token is an error. A client that is let in sees the arguments
//! of every event, except those marked `#[redact]`: these never leave the process. Without a token,
//! any account on this machine is let in.
//!
//! ## Behind a proxy
//!
//! Set a token, or do not pass on `/debug/probes`. Without a token, a request is refused if it has
//! a header for the client's address (`Forwarded`, `X-Forwarded-…`, `X-Real-IP`, `X-Client-IP`,
//! `CF-Connecting-IP`, `True-Client-IP`, `X-Envoy-External-Address` and their like), `Via`,
//! `CDN-Loop`, or one of a vendor's own (`CF-…`, `CloudFront-…`, `Fastly-…`, `X-Envoy-…` and
//! others). But a proxy that speaks HTTP/1.1 and adds none of these, such as `HAProxy` without
//! `option forwardfor`, `stunnel`, or a tunnel to this machine (`ssh -R`), cannot be distinguished
//! from a peer on this machine. A Unix socket needs no such trust ([`Admin::unix_socket`]).
//!
//! With a token, a proxy must pass on `Host`, stream responses, and have a long read timeout:
//!
//! | | `Host` | streams | timeout |
//! |---|---|---|---|
//! | nginx | `proxy_set_header Host $http_host;`: otherwise it is the address in `proxy_pass` | `proxy_http_version 1.1; proxy_buffering off;` | `proxy_read_timeout 310s;`: 60 s by default |
//! | Caddy | as it is | `flush_interval -1`, for recordings | no limit by default |
//! | Envoy | as it is | as it is | `timeout: 0s` for the route: 15 s by default |
//!
//! Streams (`tail`, `rates`, `format=live`) and recordings send something at least once a second,
//! if only a comment, an empty packet or a line break, so a proxy's read timeout does not end
//! them. Other formats of `latency` and `stacks`, and CTF archives, come as a whole at the end: for
//! those, the timeout must be longer than the session.
//!
//! The page keeps the token in the tab's session storage and sends it only in the header: it is in
//! no address, and so in no log and in no `Referer`. The page loads nothing from elsewhere, and its
//! content security policy lets the browser run only the page's own script. Responses are not
//! stored (`Cache-Control: no-store`).
//!
//! # Endpoints
//!
//! `match` is a pattern of [`matching`](hotprobe::matching), or a full name; it may be repeated.
//! `seconds` may have a fraction, and is from 0.1 to the server's cap ([`Admin::max_duration`],
//! 300). A `POST` takes its parameters in the URL, or as a form of at most 4 KiB. A request has at
//! most 256 parameters, and 1 KiB of patterns with `*`. An empty parameter counts as absent.
//!
//! | | parameters | response |
//! |---|---|---|
//! | `GET /` | `match`, here also a part of a name | the page |
//! | `GET /events` | `match` (all) | JSON |
//! | `GET /guess` | `match`, `begin`, `end` | JSON |
//! | `GET /stats` | | JSON |
//! | `GET /metrics` | | Prometheus' text format |
//! | `GET /rates` | `match`, `seconds` (60) | server-sent events: how often each was fired, every second |
//! | `GET /tail` | `match`, `seconds` (60), `limit` (10000, to 1000000), `rate` a second (200, to 1000) | server-sent events: a record each |
//! | `POST /record` | `match`, `seconds` (10), `format` (`perfetto`, `chrome`, `ctf`), `slice`, `tasks` (0) | the trace, while it is recorded; for CTF, a tar archive at the end |
//! | `POST /latency` | `begin`, `end`, `key`, `label`, `seconds` (10), `format` (`text`, `json`, `svg`, `hlog`, `all`, `live`) | at the end: latencies by label; with `live`, also once a second |
//! | `GET /stacks` | `event`, `weight`, `label`, `every` (1), `seconds` (10), `format` (`pprof`, `folded`, `svg`, `all`, `live`) | at the end: the call stacks that lead to the event |
//! | `POST /stop` | `session` | ends a session early; its response has what came until then |
//!
//! ## `/events`
//!
//! Sorted by name. Two events may have the same name (in two functions of a module); name, file,
//! line and column together identify an event.
//!
//! ```json
//! {"total": 12, "events": [{
//!   "name": "shop::orders::PLACED", "module": "shop::orders",
//!   "file": "src/orders.rs", "line": 7, "column": 16,
//!   "docs": "An order has been placed.",
//!   "parameters": [{"name": "id", "type": "u64", "redacted": false}],
//!   "enabled": true, "probe_count": 1, "probes": [{"name": "recording", "panicked": false}]
//! }]}
//! ```
//!
//! ## `/guess`
//!
//! The pairs of events that are a begin and its end, the best first; the page and the program
//! `hotprobe` choose from them. `NAME_BEGIN` and `NAME_END`, and other such words, are a pair if
//! they have a parameter in common that is not redacted: a `key`. The `label` is a parameter such
//! as `route`, `path` or `operation`, or `null`; `keys` and `labels` list all that are possible.
//! `match` selects the preferred events. With `begin`, the response has the pair that begins with
//! this event; with `begin` and `end`, the pair of these two, or none. A pair that was found only
//! by a common parameter, not by its names, has `"by_name": false`.
//!
//! ```json
//! {"pairs": [{
//!   "begin": "shop::REQUEST_BEGIN", "end": "shop::REQUEST_END",
//!   "name": "request", "by_name": true,
//!   "key": "id", "keys": ["id"], "label": "route", "labels": ["route", "status"]
//! }]}
//! ```
//!
//! ## `/stats`
//!
//! The identity of the process ([`Admin::version`] sets the version; the uptime counts from
//! [`Admin::new`]), the counters of [`stats`](hotprobe::stats()), and the current numbers.
//!
//! ```json
//! {
//!   "program": "shop", "version": "1.4.0", "pid": 4711, "uptime_seconds": 86400,
//!   "hotprobe": "0.1.0", "events": 12, "events_enabled": 1, "probes": 1, "sessions": 1,
//!   "max_sessions": 4, "probe_panics": 0, "skipped_nested": 0, "skipped_registering": 0,
//!   "retired": 9, "reclaimed": 9, "drop_panics": 0
//! }
//! ```
//!
//! ## `/metrics`
//!
//! The numbers of `/stats` for Prometheus, as `hotprobe_events_registered`,
//! `hotprobe_probe_panics_total`, `hotprobe_admin_sessions_open` and so on.
//! [`Metrics`](hotprobe_profile::Metrics#names) lists the names. Latencies and counts that your
//! program measures appear there too if you pass them to [`Admin::metrics`].
//!
//! ## `/rates`
//!
//! `begin`, then `rates` each second, whose numbers are in the order of `begin`'s events, then
//! `end`. `reason` is `time`, `stopped` or `shutdown`.
//!
//! ```text
//! event: begin
//! data: {"seconds":60.0,"events":[{"name":"shop::PLACED","file":"shop.rs","line":7,"column":16}]}
//!
//! event: rates
//! data: {"seconds":1.001,"fired":[1730]}
//!
//! event: end
//! data: {"reason":"time"}
//! ```
//!
//! ## `/tail`
//!
//! `begin`, then `record`s, and `lost` wherever firings exceeded `rate`, then `end` with
//! the sums, without firings after the limit; `reason` is `limit`, `time`, `stopped` or
//! `shutdown`. `at` is in seconds since the tail began. Numbers beyond 2⁵³ and NaN are sent as
//! text; so are bytes, in hex. A text is cut at 256 bytes and then ends with `…`. A redacted
//! parameter is `null`.
//!
//! ```text
//! event: begin
//! data: {"seconds":60.0,"limit":10000,"rate":200,"events":["shop::PLACED"]}
//!
//! event: record
//! data: {"at":0.001234,"event":"shop::PLACED","values":{"id":17,"symbol":"ACME"}}
//!
//! event: lost
//! data: {"lost":31}
//!
//! event: end
//! data: {"reason":"time","records":9000,"lost":31}
//! ```
//!
//! ## `/record`
//!
//! `slice=request,shop::RECEIVED,shop::DONE,id` is
//! [`Recorder::slice`](hotprobe_record::Recorder::slice): a name, the two events, and the parameter
//! that pairs them. It may be repeated, and its events need no `match`. With `tasks=1` a Perfetto
//! trace has tracks of tokio's tasks.
//!
//! ## `/latency`
//!
//! The time from `begin` to `end`, each a name or a pattern that matches one event. `key` is the
//! parameter of both that pairs them, `label` a parameter of either. `text` is a table, `hlog` an
//! HDR log, and `all` is JSON with each of the others in it: the page shows one measurement in
//! several ways. The JSON is that of [`LatencySnapshot`](hotprobe_profile::LatencySnapshot), whose
//! durations are in nanoseconds, and `complete`:
//!
//! ```json
//! {
//!   "complete": true, "title": "from shop::RECEIVED to shop::DONE", "filter": null,
//!   "started_unix_ms": 1700000000000, "duration_ns": 10000000000,
//!   "counts": {
//!     "begins": 17, "ends": 17, "matched": 17, "unmatched_begins": 0, "unmatched_ends": 0,
//!     "evicted": 0, "open": 0, "carried": 0, "skipped": 0, "begins_without_key": 0,
//!     "ends_without_key": 0, "rejected": 0
//!   },
//!   "labels": [{
//!     "label": "/orders", "count": 17, "min_ns": 900, "p50_ns": 1007, "p90_ns": 1500,
//!     "p99_ns": 2000, "p999_ns": 2000, "max_ns": 2003, "mean_ns": 1100, "sum_ns": 18700,
//!     "too_short": 0, "too_long": 0
//!   }]
//! }
//! ```
//!
//! With `format=live`, the response is a stream of server-sent events: `latency` once a second,
//! with the JSON above (`complete` is false until the end), then `end`, with the JSON of `all`. A
//! report takes some microseconds for each label, and reports together at most one part in fifty of
//! the time: a slow one delays the next.
//!
//! ```text
//! event: latency
//! data: {"complete":false,"title":"from shop::RECEIVED to shop::DONE",…,"labels":[…]}
//!
//! event: end
//! data: {"text":"…","json":{…},"svg":"<svg …","hlog":"…"}
//! ```
//!
//! ## `/stacks`
//!
//! [`Stacks`](hotprobe_profile::Stacks) of `event`, a name or a pattern, which may be repeated; so
//! may `label`. A firing counts one, or the value of the parameter `weight`; `every=10` takes the
//! stack of one firing in ten. Without debug information, inlined functions do not show.
//! `go tool pprof` prints what is wrong with a request. With `format=live`, the response is a
//! stream of server-sent events: `stacks` once a second, with the JSON of
//! [`StackCounts`](hotprobe_profile::StackCounts), then `end`, with the JSON of `all`, which has
//! the same counts, `complete`, and each of the other formats.
//!
//! ## `/stop`
//!
//! Ends a session early, as if its time were up. The session's number is in the header
//! `hotprobe-session` of its response. Any client that is let in may stop any session.
//!
//! ```text
//! curl -X POST 'http://127.0.0.1:9000/debug/probes/stop?session=7'
//! {"stopped":7}
//! ```
//!
//! ## Errors
//!
//! A sentence, as text; with `Accept: application/json`, the JSON below. `kind` is one word for
//! programs; `nearest` is there only if there are similar names.
//!
//! ```json
//! {"error": {"status": 404, "kind": "unknown-event",
//!   "message": "`shop::PLACD` is none of the program's 12 events: …",
//!   "nearest": ["shop::orders::PLACED"]}}
//! ```
//!
//! | status | kind | |
//! |---|---|---|
//! | 400 | `parameter`, `host` | which parameter, and what was expected; `Host` is missing, or was sent twice |
//! | 401 | `token` | the token is missing or wrong |
//! | 403 | `forbidden` | see above |
//! | 404 | `unknown-event`, `path`, `session` | no event matches; with the nearest names. Or no endpoint, or no session, is there |
//! | 405 | `method` | with `Allow` |
//! | 408, 413, 415 | `body` | the body did not arrive in 5 s; is larger than 4 KiB; is not a form |
//! | 429 | `sessions` | no more sessions may be open at once; with `Retry-After` |
//! | 503 | `shutdown`, `recording`, `profile` | the server shuts down; no thread could be started |
//! | 505 | `version` | HTTP/1.0, where a response that was cut off would look complete: sessions need HTTP/1.1 |
//! | 507 | `memory` | a session's share of the memory is too small for a record, or for a measurement |
//!
//! # Sessions
//!
//! A session is the temporary attachment of a request. It is detached when its time is up, when the
//! client disconnects, when `POST /stop` ends it, or when [`Shutdown::begin`] is called, whichever
//! comes first. At most [`Admin::max_sessions`] (4) are open at once. The buffers of all
//! recordings, and the tables of all latencies and stacks, stay within [`Admin::max_memory_bytes`]
//! (64 MiB), of which each session has an equal share: labels, pairs or stacks beyond it are
//! counted as `(other)`, or dropped and counted. (While stacks are written, the program's debug
//! information takes additional memory.)
//!
//! Nothing that the program does keeps a session attached: detaching needs no thread and waits for
//! no firing. After that, firings in flight are waited for, for at most a second. One that has not
//! ended by then, in a `Debug` that blocks say, is counted as lost by a recording and a tail; a
//! latency and a profile of stacks are marked incomplete (`"complete": false` in JSON, a last line
//! in the text of a latency). If no thread can be started to write the response, the connection is
//! cut off.
//!
//! A shutdown also ends a latency or a profile of stacks with a response: what was measured until
//! then.
//!
//! A CTF trace is sent only at its end, and until then its records stay in the buffers. A thread's
//! buffer has 64 to 256 KiB: when it is full, the thread's firings are lost, and counted in the
//! trace. Perfetto and Chrome traces empty their buffers all the time.
//!
//! A client that reads slowly costs at most 256 KiB beside a recording's buffers, and 128 KiB that
//! hyper keeps: records that do not fit are lost, and counted in the trace, or in the tail. When
//! the time is up, the client may read the rest. It is cut off if it reads nothing for 10 s, after
//! two minutes in any case, and half a second after a shutdown began. A connection that is cut off
//! ends without HTTP's last chunk, so that clients know; a Perfetto or Chrome trace can be opened
//! all the same, up to that point. If the client still does not read, its connection, without a
//! session, keeps at most 128 KiB until it disconnects or the server ends.
//!
//! # What it costs
//!
//! Mounted and idle: some kilobytes; no thread, no task. [`listen`] starts one thread, which sleeps
//! until a client connects. An open session is one task; a recording also has a thread, which
//! writes. At the end of a session, a thread writes the response. A CTF trace is written to a
//! temporary folder first, which only this user can read, and which is removed however the session
//! ends.
//!
//! ```text
//! cargo run --release -p hotprobe-benches --features server --bin overhead_server -- \
//!     --probes --seconds 32
//! ```
//!
//! compares, in turn, a server with four events a request, which does little else (100,000 requests
//! a second on one thread, about 10 µs each), with the same server when each request knows its
//! peer, with that server where this is mounted, and with that server while all four events are
//! recorded to a client that reads. On two cores (AMD EPYC), which servers, load, the recording's
//! thread and its client share, the median of 80 rounds was (quartiles):
//!
//! | compared with the line above | throughput | requests for each second of the server's CPU |
//! |---|---|---|
//! | each request knows its peer: axum's `ConnectInfo` | 0.983 (0.961 to 0.992) | 0.986 (0.974 to 0.992) |
//! | mounted and idle | 0.999 (0.988 to 1.015) | 0.999 (0.996 to 1.009) |
//! | recording 4 events a request | 0.944 (0.917 to 0.953) | 0.948 (0.943 to 0.955) |
//!
//! So a recording of everything at such a rate, some 380,000 records and 18 MB a second, costs each
//! request about half a microsecond of the server's own thread, 130 ns for each firing: about 50 to
//! fire it, of which the clock is more than half (sampled with `perf`), and the rest to send its 47
//! bytes, and for what the writing thread does to the caches. That thread takes about 100 ns more
//! for each firing, on a core that the server may want. Requests that do more, or fewer events,
//! cost less. With `tasks=1` twice as much is sent, which took another 0.02 of the throughput. A
//! token instead of `ConnectInfo` saves the cost of the latter.
//!
//! A firing pays for the attached probes: for `rates`, a dynamic probe that increments a counter
//! shared by all threads; for `record`, what [a recording](hotprobe_record) costs; for `latency`
//! and `stacks`, what [these](hotprobe_profile) cost, where a stack is the most expensive (`every`
//! is for that); for `tail`, at most `rate` times a second, formatting the arguments and an
//! allocation, and otherwise one attempt to get a permit. Nothing ever waits for a client.
//!
//! # For readers of the code
//!
//! 1. [`Admin`], the settings (`admin.rs`, `admin_error.rs`); [`router()`] and what all responses
//!    have in common (`router.rs`).
//! 2. Servers of its own: [`Admin::serve`] (`serve.rs`), [`listen`] (`listen/`); the other end of a
//!    connection (`peer.rs`). Who may open it (`access.rs`); the request that was let in
//!    (`request.rs`), its parameters (`parameters.rs`); responses (`response.rs`) and errors
//!    (`errors.rs`).
//! 3. The endpoints, a file each (`endpoints/`); the rule by which events are paired (`guess.rs`).
//! 4. What they share: sessions and their end, with [`Shutdown`] (`sessions.rs`); bodies that are
//!    sent while they are made (`pipe.rs`); threads that write (`hand_over.rs`); server-sent events
//!    (`sse.rs`); measurements answered at their end (`measure.rs`), and reported while they run
//!    (`live.rs`); the process's name and age (`about.rs`); CTF traces as an archive
//!    (`ctf_archive.rs`).

mod about;
mod access;
mod admin;
mod admin_error;
mod ctf_archive;
mod endpoints;
mod errors;
mod guess;
mod hand_over;
mod listen;
mod live;
mod measure;
mod parameters;
mod peer;
mod pipe;
mod request;
mod response;
mod router;
mod serve;
mod sessions;
mod sse;

pub use admin::Admin;
pub use admin_error::AdminError;
pub use listen::{ListenError, Listening, listen};
pub use router::router;
pub use serve::Socket;
pub use sessions::Shutdown;

/// Compiles the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
