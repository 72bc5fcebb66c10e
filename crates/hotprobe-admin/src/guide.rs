//! `/debug/probes`: look into a live server from a browser or `curl`. (Feature `axum`.)
//!
//! # Mounted
//!
//! ```no_run
//! use hotprobe_admin::{Admin, router};
//! use std::net::SocketAddr;
//!
//! # async fn example(signal: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
//! let admin = Admin::new();
//! let shutdown = admin.shutdown();
//! let app = axum::Router::new()
//!     .route("/", axum::routing::get(|| async { "the shop" }))
//!     .nest_service("/debug/probes", router(admin));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:9000").await?;
//! axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
//!     .with_graceful_shutdown(async move {
//!         signal.await;
//!         shutdown.begin();
//!     })
//!     .await
//! # }
//! ```
//!
//! Three things make it whole:
//!
//! * `into_make_service_with_connect_info::<SocketAddr>()`: without a token, it has to know who asks.
//! * [`Shutdown::begin`](crate::Shutdown::begin) before the server ends: it ends what is streamed, which else would
//!   hold up a graceful shutdown until its time is over.
//! * `nest_service("/debug/probes", …)` answers `/debug/probes` and `/debug/probes/`. With `nest("/debug/probes", …)`, which
//!   works in a router of any state, axum passes on the first of these alone. The page's links work from either.
//!
//! Then `http://127.0.0.1:9000/debug/probes` is a page with every event of the program: filter them, read their docs and
//! parameters, watch how often they are fired, tail them, record them, measure how long it takes from one to another, see
//! what calls them. The same from a terminal:
//!
//! ```text
//! curl 'http://127.0.0.1:9000/debug/probes/events?match=shop::*'
//! curl -N 'http://127.0.0.1:9000/debug/probes/tail?match=shop::*&limit=20'
//! curl -X POST -o trace.pftrace 'http://127.0.0.1:9000/debug/probes/record?match=shop::*&seconds=10'
//! curl -X POST 'http://127.0.0.1:9000/debug/probes/record?match=shop::*&seconds=10&format=ctf' | tar x
//! curl -X POST 'http://127.0.0.1:9000/debug/probes/latency?begin=shop::RECEIVED&end=shop::DONE&key=id&label=path'
//! go tool pprof -http=: 'http://127.0.0.1:9000/debug/probes/stacks?event=shop::PLACED&seconds=10'
//! curl -H "Authorization: Bearer $TOKEN" https://shop.example/debug/probes/metrics
//! ```
//!
//! # Which one is slow?
//!
//! The example `live_server` has a route that is. Who has never seen it finds it by two clicks:
//!
//! ```text
//! cargo run --release --features axum,record,profile --example live_server -- --serve --port 9000 --connections 4
//! ```
//!
//! 1. Open the page, and press *Latency*. Which two events, which parameter pairs them and which one tells them apart is a guess
//!    that can be corrected: here, from `REQUEST_BEGIN` to `REQUEST_END`, paired by `request`, for each `route`. It looks for names
//!    that end as a begin and an end do, for parameters of one name and type, and for a `route`, `path`, `operation` or the like.
//! 2. Press *Measure*. After ten seconds: "Slowest: GET /orders/report", the table, a histogram for each route.
//! 3. Why? Press *Record*, and open the trace in Perfetto: pairs of events named like these are slices in it, and those of
//!    one request stand inside of each other. Inside of a report there are sixteen of the store, one after the other.
//!
//! (`ci/admin.sh` does it in a browser.)
//!
//! # Who is let in
//!
//! | | without a token | with [`Admin::token`] |
//! |---|---|---|
//! | who | a peer on this machine: `127.0.0.0/8`, `::1`, and the former as an IPv6 address | whoever sends `Authorization: Bearer …`, compared in constant time; else 401 |
//! | the peer is not known (no `ConnectInfo`) | 403, with what to do | does not matter |
//! | through a proxy (`Forwarded`, `X-Forwarded-…`, `X-Real-IP`, `Via`) | 403: behind one, everybody is on this machine | does not matter |
//! | `Host` | `localhost`, `127.…`, `[::1]`, with any port; else 403, since other names may be an attacker's (DNS rebinding) | any: a page of another name does not have the token |
//! | `Origin`, if it is sent | has to be of this `Host`; else 403 | the same: a proxy has to pass `Host` on |
//! | `Sec-Fetch-Site`, if it is sent | what attaches answers `same-origin` and `none` only; else 403 | the same |
//!
//! An empty token lets nobody in. A proxy that adds none of these headers cannot be told from a peer on this machine: set a
//! token behind one. Whoever is let in sees the arguments of every event, but for those that are marked `#[redact]`: nothing of
//! them leaves the process. Whoever is on this machine, under whatever account, is let in without a token.
//!
//! The page keeps the token in the tab's session storage, and sends it in the header alone: it is in no address, so in no log
//! and in no `Referer`. The page loads nothing from elsewhere, and its content security policy lets the browser run its own
//! script only. Answers are not stored (`Cache-Control: no-store`).
//!
//! # What each endpoint answers
//!
//! `match` is a pattern of [`matching`](hotprobe::matching), or a full name; it may be said several times. `seconds` may have a
//! fraction, and is from 0.1 to the server's cap ([`Admin::seconds_at_most`], 300). What is `POST` takes its parameters in the
//! URL, or as a form, of 4 KiB at most. There may be 256 parameters.
//!
//! | | parameters | answers |
//! |---|---|---|
//! | `GET /` | `match`, of which a part will do | the page |
//! | `GET /events` | `match`; all, if it is not said | JSON |
//! | `GET /stats` | | JSON |
//! | `GET /metrics` | | Prometheus' text format |
//! | `GET /rates` | `match`, `seconds` (60) | server-sent events: how often each was fired, every second |
//! | `GET /tail` | `match`, `seconds` (60), `limit` (10000, to 1000000), `rate` a second (200, to 1000) | server-sent events: a record each |
//! | `POST /record` | `match`, `seconds` (10), `format` (`perfetto`, `chrome`, `ctf`), `slice`, `tasks` (0) | the trace, while it is recorded; of CTF, a tar archive at the end |
//! | `POST /latency` | `begin`, `end`, `key`, `label`, `seconds` (10), `format` (`text`, `json`, `svg`, `hlog`, `all`) | at the end: how long it took, by label |
//! | `GET /stacks` | `event`, `weight`, `label`, `every` (1), `seconds` (10), `format` (`pprof`, `folded`, `svg`, `all`) | at the end: the call stacks that lead to the event |
//!
//! `record` is there with the feature `record`; without it, the answer is 501. `slice=request,shop::RECEIVED,shop::DONE,id` is
//! `Recorder::slice`: a name, the two events, and the parameter that pairs them; it may be said
//! several times, and its events need no `match`. With `tasks=1` a Perfetto trace has tracks of tokio's tasks
//! (`Recorder::tasks`), and in every format each record names its task. `latency` and `stacks` are there with the feature `profile`.
//!
//! ## `/events`
//!
//! Sorted by name. Two events may have one name (in two functions of a module); name, file, line and column together are
//! one's own.
//!
//! ```json
//! {"total": 12, "events": [{
//!   "name": "shop::orders::PLACED", "module": "shop::orders", "file": "src/orders.rs", "line": 7, "column": 16,
//!   "docs": "An order has been placed.",
//!   "parameters": [{"name": "id", "type": "u64", "redacted": false}],
//!   "enabled": true, "probe_count": 1, "probes": [{"name": "recording", "panicked": false}]
//! }]}
//! ```
//!
//! ## `/stats`
//!
//! What [`stats`](hotprobe::stats()) counts, and what is there now. `/metrics` has the same numbers, as `hotprobe_events`,
//! `hotprobe_probe_panics_total` and so on.
//!
//! ```json
//! {"events": 12, "events_enabled": 1, "probes": 1, "sessions": 1, "sessions_at_most": 4, "probe_panics": 0,
//!  "skipped_nested": 0, "skipped_registering": 0, "retired": 9, "reclaimed": 9, "drop_panics": 0}
//! ```
//!
//! ## `/rates`
//!
//! `begin`, then `rates` each second, whose numbers are in the order of `begin`'s events, then `end`. `reason` is `time` or
//! `shutdown`.
//!
//! ```text
//! event: begin
//! data: {"seconds":60.0,"events":[{"name":"shop::PLACED","file":"src/orders.rs","line":7,"column":16}]}
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
//! `begin`, then `record`s, and `lost` wherever more was fired than is sent, then `end` with the sums; `reason` is `limit`,
//! `time` or `shutdown`. `at` is in seconds since the tail began. Of values: numbers beyond 2⁵³ and what is no number are
//! text; so are bytes, in hex; a text is cut at 256 bytes, and ends with `…` then; a redacted parameter is `null`.
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
//! ## `/latency`
//!
//! [`Latency::between`](hotprobe_profile::Latency::between) two events, each a name or a pattern that one event matches; `key` is
//! the parameter of both by which an end finds its begin, `label` one of either. `text` is a table; `hlog` is an HDR log; `all` is
//! JSON with each of the others in it, for the page, which shows one measurement in several ways. Durations are in nanoseconds:
//!
//! ```json
//! {"title": "from shop::RECEIVED to shop::DONE", "seconds": 10.0,
//!  "counts": {"begins": 17, "ends": 17, "matched": 17, "unmatched_begins": 0, "unmatched_ends": 0, "evicted": 0, "open": 0,
//!             "skipped": 0, "begins_without_key": 0, "ends_without_key": 0},
//!  "labels": [{"label": "/orders", "count": 17, "min_ns": 900, "p50_ns": 1007, "p90_ns": 1500, "p99_ns": 2000, "p999_ns": 2000,
//!              "max_ns": 2003, "mean_ns": 1100}]}
//! ```
//!
//! ## `/stacks`
//!
//! [`Stacks`](hotprobe_profile::Stacks) of `event`, a name or a pattern, which may be said several times; so may `label`. A firing
//! counts one, or as much as the parameter `weight` says; `every=10` takes the stack of one in ten. Without debug information,
//! functions that were inlined do not show. What is wrong with a request `go tool pprof` prints.
//!
//! ## What is refused
//!
//! A sentence, as text; with `Accept: application/json`, this. `kind` is one word, and `nearest` there only with names in it.
//!
//! ```json
//! {"error": {"status": 404, "kind": "unknown-event",
//!   "message": "`shop::PLACD` is none of the program's 12 events: …", "nearest": ["shop::orders::PLACED"]}}
//! ```
//!
//! | status | kind | |
//! |---|---|---|
//! | 400 | `parameter`, `host` | which parameter, and what was expected; `Host` is missing, or said twice |
//! | 401 | `token` | the token is missing, or another |
//! | 403 | `forbidden` | see above |
//! | 404 | `unknown-event` | no event is matched; with the nearest names |
//! | 405 | `method` | with `Allow` |
//! | 408, 413, 415 | `body` | did not come in 5 s; is larger than 4 KiB; is no form |
//! | 429 | `sessions` | as many are open as may be at once; with `Retry-After` |
//! | 501 | `feature` | the program was built without it |
//! | 503 | `shutdown`, `recording`, `profile` | the server ends; no thread could be had |
//! | 507 | `memory` | a session's share of the memory is too little for a record, or for a measurement |
//!
//! # For how long
//!
//! Everything that is attached is attached for a time, and is detached when that is up, when the client goes away, and when
//! [`Shutdown::begin`](crate::Shutdown::begin) is called, whichever comes first. At most
//! [`Admin::sessions_at_most`] (4) are open at once, and the buffers of all recordings, and the tables of all latencies and
//! stacks, are within [`Admin::memory_at_most`] (64 MiB), of which each has its share: labels, pairs or stacks beyond it are counted
//! as `(other)`, or given up and counted. (While stacks are written, the program's debug information takes what it takes.)
//!
//! A latency and a profile of stacks are written at their end, also if that is the shutdown: what was measured until then.
//!
//! A client that reads slowly costs at most 256 KiB beside a recording's buffers: what does not fit is lost, and counted in the
//! trace, or in the tail. When the time is up, it may read the rest; one that takes nothing for 10 s, or goes on for
//! two minutes, is cut off, and so is one that has not got it half a second after the shutdown began. A connection that is cut
//! off ends without HTTP's last chunk, so that clients know; a Perfetto or Chrome trace opens all the same, to that point.
//!
//! # What it costs
//!
//! Mounted and idle: some kilobytes; no thread, no task. An open session is one task; a recording also has a thread, which
//! writes, and at its end one of the runtime's threads for blocking calls waits for firings in flight.
//!
//! `cargo run --release --features axum,record --example overhead_server -- --probes --seconds 32` compares, in turn, a server
//! with four events a request, which does little else (100,000 requests a second on one thread, about 10 µs each), with the same
//! when each request knows its peer, with that where this is mounted, and with that while all four events are recorded to a
//! client that reads. On two cores (AMD EPYC), which servers, load, the recording's thread and its client share, the median of
//! 80 rounds was (quartiles):
//!
//! | compared with the line above | throughput | requests for each second of the server's CPU |
//! |---|---|---|
//! | each request knows its peer: axum's `ConnectInfo` | 0.983 (0.961 to 0.992) | 0.986 (0.974 to 0.992) |
//! | mounted and idle | 0.999 (0.988 to 1.015) | 0.999 (0.996 to 1.009) |
//! | recording 4 events a request | 0.944 (0.917 to 0.953) | 0.948 (0.943 to 0.955) |
//! | the same, with the feature `tsc` | 0.956 (0.931 to 0.967) | 0.962 (0.952 to 0.967) |
//!
//! So a recording of everything at such a rate, some 380,000 records and 18 MB a second, costs each request about half a
//! microsecond of the server's own thread, 130 ns for each firing: about 50 to fire it, of which the clock is more than half
//! (sampled with `perf`), and the rest to send its 47 bytes, and for what the writing thread does to the caches. That thread
//! takes about 100 ns more for each firing, on a core that the server may want. Requests that do more, or events that are fewer,
//! pay less of it. With `tasks=1` twice as much is sent, which took another 0.02 of the throughput. With a token instead of
//! `ConnectInfo`, its cost is saved.
//!
//! A firing pays for what is attached: for `rates` a dynamic probe that adds one to a counter that all threads share; for
//! `record` what [a recording](crate::docs) costs; for `latency` and `stacks` what
//! [they cost](hotprobe_profile::guide), and a stack more than the rest (`every` is for that); for `tail`, for as many firings a second as `rate` says, writing the
//! arguments down and an allocation, and for the others one attempt to get a place. Nothing ever waits for a client.

#[allow(unused_imports, reason = "for the links above")]
use crate::Admin;
