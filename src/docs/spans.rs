//! Spans: when to use them, and when events.
//!
//! A *span* is an operation with a begin and an end: a request, a query, a lock that is held. An
//! *event* is a point: an order has been placed, a cache has missed. Both are off until a probe is
//! attached, and both call it in place.
//!
//! # When spans, when events
//!
//! | you want to know | use |
//! |---|---|
//! | how long something takes, and how many are open | a span |
//! | what happened inside a request, across tasks and threads | a span for the request; events and spans inside it |
//! | that something happened, how often, with which values | an event |
//! | a state that changes: a queue's length, a connection's phase | an event for each change |
//! | the time between two places that are no operation, on two machines for example | two events with a common key |
//!
//! Two events, `REQUEST_BEGIN` and `REQUEST_END`, are not a span: the code must fire the second on
//! every path, and cannot when its future is dropped at an `.await`. They need an id that both
//! pass, and a reader has to guess that they belong together. A span does all of this by itself:
//!
//! ```
//! use hotprobe::{end, start};
//!
//! hotprobe::span! {
//!     /// A request, from its first byte to its last.
//!     pub static REQUEST: fn(route: &str) -> (status: u16);
//! }
//!
//! fn handle(route: &str, body: &[u8]) -> Result<u16, std::str::Utf8Error> {
//!     let span = start!(REQUEST, route);
//!     let text = std::str::from_utf8(body)?; // it ends here, too: dropped, without a status
//!     let status = if text.is_empty() { 400 } else { 200 };
//!     end!(span, status);
//!     Ok(status)
//! }
//!
//! let probe = REQUEST.attach(
//!     |begin, route| println!("{}: {route}", begin.id()),
//!     |end, status: Option<u16>| println!("{}: {} {status:?}", end.id(), end.outcome()),
//! );
//! handle("/orders", b"7").unwrap();
//! handle("/orders", b"\xff").unwrap_err();
//! # drop(probe);
//! ```
//!
//! # What a probe can rely on
//!
//! A probe on both halves gets exactly one end for each begin that it got, however the code leaves
//! the span. The end's [`Outcome`](crate::Outcome) shows how: `Ended`, `Dropped` (a return, a `?`,
//! a future dropped at an `.await`) or `Panicked`. The values of the end are `None` unless `end`
//! passed them. Exceptions:
//!
//! * The probe was detached in between, or switched off after a panic in one of its halves.
//! * The guard was leaked, or the task is never polled again: then the span stays open.
//! * The process ended.
//!
//! A probe gets no end without its begin. So a span that began before the probe was attached stays
//! invisible to it, even if it ends an hour later; the first results of a measurement of long
//! requests come after the first request that began since.
//!
//! A begin beyond 8 nested firings is skipped, as that of an event, and its end with it. The end of
//! a span whose begin ran is never skipped for its depth.
//!
//! The two halves are one probe: one closure that captures a map may be filled by the begin and
//! emptied by the end. Let both share it:
//!
//! ```
//! use hotprobe::{SpanId, start};
//! use std::collections::HashMap;
//! use std::sync::{Arc, Mutex};
//! use std::time::Instant;
//!
//! hotprobe::span! { static LOOKUP: fn(item: u64); }
//!
//! let open: Arc<Mutex<HashMap<SpanId, Instant>>> = Arc::default();
//! let began = Arc::clone(&open);
//! let probe = LOOKUP.attach(
//!     move |begin, _item| {
//!         began.lock().unwrap().insert(begin.id(), Instant::now());
//!     },
//!     move |end| {
//!         let began = open.lock().unwrap().remove(&end.id()).expect("it began");
//!         println!("{:?}", began.elapsed());
//!     },
//! );
//! start!(LOOKUP, 7).end();
//! # drop(probe);
//! ```
//!
//! # Async code
//!
//! `fut.in_span(start!(REQUEST, …))` runs a future in a span ([`InSpan`](crate::InSpan)). The span
//! is current in each poll, on whatever thread, and ends with the future: when it is ready, when it
//! panics, or when it is dropped by a timeout, a `select!` or a client that is gone.
//!
//! ```
//! use hotprobe::{InSpan, end, start};
//! use std::time::Duration;
//!
//! hotprobe::span! {
//!     static REQUEST: fn(route: &str) -> (status: u16);
//!     static QUERY: fn(table: &str);
//! }
//!
//! async fn orders() -> u16 {
//!     // Its parent is the request.
//!     query("orders").in_span(start!(QUERY, "orders")).await
//! }
//! # async fn query(_: &str) -> u16 { 200 }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let request = orders()
//!     .in_span(start!(REQUEST, "/orders"))
//!     .ending(|status, span| end!(span, *status));
//! // If the time is up, the request is dropped, and so are its span and the query's.
//! let status = tokio::time::timeout(Duration::from_secs(1), request).await;
//! # assert_eq!(status, Ok(200));
//! # }
//! ```
//!
//! A guard that is not entered may be held across an `.await`: it is `Send`, and not current.
//! [`Entered`](crate::Entered) may not, since it belongs to a thread; the compiler says so where
//! the future has to be `Send`. What is entered inside a poll is no longer current when that poll
//! is over.
//!
//! A spawned task inherits nothing:
//!
//! ```
//! use hotprobe::{InSpan, start};
//! hotprobe::span! { static JOB: fn(); }
//!
//! # async fn job() {}
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! // A span of its own. `start!` is evaluated here, so its parent is the current span here.
//! let first = tokio::spawn(job().in_span(start!(JOB)));
//! // None of its own: what begins in the task has the current span here as its parent.
//! let second = tokio::spawn(job().in_current_span());
//! # first.await.unwrap();
//! # second.await.unwrap();
//! # }
//! ```
//!
//! Work that is handed to a thread pool takes [`SpanId::current`](crate::SpanId::current) with it,
//! and runs in [`SpanId::scope`](crate::SpanId::scope).
//!
//! # Parents
//!
//! The parent of a span is the innermost span that is current on the thread where `start!` is
//! evaluated, and *on*: that had a probe when it began. Spans without probes leave no trace, so a
//! query's parent is the request if only the two are observed, whatever lies between them. A thread
//! remembers 32 current spans; further ones are not current.
//!
//! Dynamic probes get the current span of an event, too: see
//! [`Firing::span`](crate::Firing::span).
//!
//! # In place of `#[instrument]`
//!
//! This crate has no attribute for functions. An attribute needs a procedural macro, and with it a
//! parser of Rust in the build of every library that declares a span; it has to choose which
//! arguments are recorded, and formats all others by `Debug`; and it hides where the span begins
//! and ends. One line does the same, and shows it:
//!
//! ```
//! use hotprobe::{InSpan, end, start};
//!
//! hotprobe::span! {
//!     static PARSE: fn(bytes: usize);
//!     static FETCH: fn(url: &str) -> (bytes: usize);
//! }
//!
//! fn parse(input: &str) -> Option<u64> {
//!     let _span = start!(PARSE, input.len()).entered();
//!     input.trim().parse().ok()
//! }
//!
//! async fn fetch(url: &str) -> Vec<u8> {
//!     async { url.as_bytes().to_vec() }
//!         .in_span(start!(FETCH, url))
//!         .ending(|body, span| end!(span, body.len()))
//!         .await
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! #     assert_eq!(parse(" 7"), Some(7));
//! #     assert!(fetch("").await.is_empty());
//! # }
//! ```
//!
//! Bind the guard to a name that begins with `_`, not to `_` itself: `let _ = start!(…)` ends the
//! span at once.
//!
//! # Next to `tracing`'s spans
//!
//! | | `tracing` | here |
//! |---|---|---|
//! | a guard that is held across an `.await` | stays entered on that thread: other tasks get it as their parent | is not current; an entered one is not `Send`, and what a poll entered ends with the poll |
//! | a future that is dropped | `close`, when the last handle is dropped | an end, with the outcome `Dropped` |
//! | how it ended | a field that somebody records | `Outcome`, and typed values |
//! | values | recorded by name, at run time | typed: an argument that is missing does not compile |
//! | attached while the program runs | a reload of the filter; spans that are open stay half-known | at one instant, for all spans and events of a batch; nobody gets half a span |
//! | off | a load and a branch at each of new, enter, exit, close | a load and a branch at `start!`, a comparison at the end |
//! | fields that are added later (`Span::record`) | yes | no: fire an event inside the span |
//! | a span with several handles (`Clone`), links (`follows_from`) | yes | no: one guard, one parent |
//!
//! # What it costs
//!
//! Off, a span costs what two disabled events cost, and one comparison where its guard is dropped:
//! a guard is two words, which live in registers. A poll in a span that is off costs two
//! comparisons. Nothing allocates. On, a pair of probes costs two firings and the id, which a
//! thread takes from a block of its own. A span takes longer to build than an event: it has both
//! halves' functions.
