//! Profiles a live process by its [`hotprobe`] events: latencies between events, counts and rates,
//! and the call stacks that lead to events.
//!
//! # Quick start
//!
//! ```
//! use hotprobe::fire;
//! use hotprobe_profile::{Counts, Latency, Stacks};
//!
//! hotprobe::event! {
//!     static REQUEST_RECEIVED: fn(id: u64);
//!     static REQUEST_DONE: fn(id: u64, route: &str, rows: u64);
//! }
//!
//! let latency = Latency::between(&REQUEST_RECEIVED, &REQUEST_DONE, "id").label("route").start()?;
//! let counts = Counts::new().by(&REQUEST_DONE, "route").start()?;
//! let stacks = Stacks::at(&REQUEST_DONE).weight("rows").start()?;
//!
//! // … while the program serves …
//! fire!(REQUEST_RECEIVED, 1);
//! fire!(REQUEST_DONE, 1, "/orders", 20);
//!
//! println!("{}\n{}", latency.snapshot(), counts.snapshot()); // tables; measuring continues
//! let latency = latency.finish()?; // detached, and complete
//! let stacks = stacks.finish()?;
//! # if false {
//! latency.save("latency.svg")?;
//! stacks.save("rows.pb.gz")?; // go tool pprof -http=: rows.pb.gz
//! # }
//! # assert_eq!(latency.label("/orders").unwrap().count(), 1);
//! # assert_eq!(stacks.counts().weight, 20);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! All measurements have the same shape. A builder starts a session, which attaches to all its
//! events at one instant. `snapshot` returns the results so far; `detach` stops measuring without
//! waiting; `finish` also waits for the firings in flight and returns the results. Dropping a
//! session detaches. A `finish` inside a probe cannot wait: its error gives the session back
//! ([`FinishError::into_session`]).
//!
//! # What do you want to do?
//!
//! | task | use |
//! |---|---|
//! | measure how long it takes from one event to another | [`Latency`] → [`LatencySession`] |
//! | measure that in probes of your own, with keys of any type | [`LatencyMeter`] |
//! | count firings, in total and by a parameter's value; print rates | [`Counts`] → [`CountsSession`] |
//! | count in probes of your own | [`Counter`], [`LabelCounter`] |
//! | find the call stacks that lead to an event, by number or weight | [`Stacks`] → [`StacksSession`] |
//! | export all of them to Prometheus | [`Metrics`] |
//! | save a result as a file | [`LatencySnapshot::save`], [`CountsSnapshot::save`], [`StackProfile::save`] |
//! | read a result in code, compare it, or serialize it | [`LabelLatency`], [`Breakdown`], [`StackSample`]; feature `serde` |
//! | measure a running server from a browser or a terminal | the crates `hotprobe-admin` and `hotprobe-cli` |
//!
//! # Features
//!
//! None is enabled by default, and none changes a measurement that does not ask for it.
//!
//! | feature | adds |
//! |---|---|
//! | `tsc` | `Clock::Tsc` for [`Latency::clock`]: the processor's time stamp counter, which is faster to read |
//! | `serde` | `Serialize` for all results. In JSON, a duration is an integer of nanoseconds whose name ends with `_ns` |
//! | `prometheus-collector` | `Collector` for [`Metrics`], to register it in a registry of prometheus-client 0.25 |
//!
//! The crate reads no environment variables.
//!
//! # Latencies
//!
//! [`Latency::between`] takes two events and the name of a parameter that both have. A begin and
//! the next end with the same value of this parameter are a pair. The two events may fire on
//! different threads, and the code between them may await.
//!
//! ```text
//! latency       count      p50      p90     p99      max
//! /orders/{id}  1,234  12.3 µs  45.2 µs  136 µs  1.31 ms
//! 1,234 begins: 1,234 matched, 0 unmatched, 0 evicted, 0 open
//! 1,234 ends: 1,234 matched, 0 unmatched
//! ```
//!
//! Where a parameter's name is not enough, attach typed probes of your own. They call
//! [`begin`](LatencyMeter::begin) and [`end`](LatencyMeter::end) of a [`LatencyMeter`], with a key
//! of any type that implements `Hash` and `Eq`, and any label.
//!
//! ```
//! use hotprobe_profile::LatencyMeter;
//! use std::sync::Arc;
//!
//! hotprobe::event! {
//!     static TASK_SENT: fn(queue: usize, number: u64);
//!     static TASK_TAKEN: fn(queue: usize, number: u64);
//! }
//!
//! const QUEUES: [&str; 2] = ["mail", "pictures"];
//! let waiting = LatencyMeter::builder().title("in the queue").max_pairs(10_000).build()?;
//! let waiting = Arc::new(waiting);
//! let mut batch = hotprobe::Batch::new();
//! TASK_SENT.attach_in(&mut batch, {
//!     let waiting = Arc::clone(&waiting);
//!     move |queue, number| waiting.begin((queue, number))
//! });
//! TASK_TAKEN.attach_in(&mut batch, {
//!     let waiting = Arc::clone(&waiting);
//!     move |queue, number| waiting.end(&(queue, number), QUEUES[queue])
//! });
//! let probes = batch.commit();
//! # TASK_SENT.fire(0, 1);
//! # TASK_TAKEN.fire(0, 1);
//! # assert_eq!(waiting.snapshot().label("mail").unwrap().count(), 1);
//! # drop(probes);
//! # Ok::<(), hotprobe_profile::ProfileError>(())
//! ```
//!
//! ## What is counted
//!
//! Memory is bounded: [`max_pairs`](Latency::max_pairs) limits the open pairs, and
//! [`max_labels`](Latency::max_labels) the labels. Everything beyond a limit, and every begin or
//! end without a partner, is counted. [`PairCounts`] adds up in each snapshot, also while the
//! program fires and across resets:
//!
//! * `carried + begins == matched + unmatched_begins + evicted + open`
//! * `ends == matched + unmatched_ends`
//!
//! A begin whose key is already open replaces the open one, which counts as an unmatched begin. So
//! a reused key whose end was lost does not produce a pair that is far too long.
//!
//! Look at the counts if pairs are open when measuring starts, or if labels come from outside
//! (paths, for example). Many unmatched ends, or many pairs in `(other)`, mean that the table shows
//! only a part. [`reset`](LatencySession::reset) starts again.
//!
//! ## Files
//!
//! | extension | opened by |
//! |---|---|
//! | `.hlog` | readers of HDR histogram logs, in any language: a tag for each label |
//! | `.svg` | a browser: a histogram for each label |
//! | `.prom` | Prometheus, or its node exporter's text files |
//! | `.txt` | the table |
//!
//! # Rates
//!
//! [`Counts`] counts the firings of any events, chosen by event or by pattern, and by the value of
//! a parameter:
//!
//! ```
//! use hotprobe_profile::Counts;
//! hotprobe::event! { static REQUEST_DONE: fn(id: u64, client: &str); }
//!
//! let counts = Counts::new().by(&REQUEST_DONE, "client").max_labels(1000).start()?;
//! let mut before = counts.snapshot();
//! for _ in 0..3 {
//!     # REQUEST_DONE.fire(1, "10.0.0.7");
//!     // … each second …
//!     let now = counts.snapshot();
//!     println!("{}", now.since(&before));
//!     before = now;
//! }
//! # assert_eq!(before.breakdowns()[0].total(), 3);
//! # Ok::<(), hotprobe_profile::ProfileError>(())
//! ```
//!
//! Counts of events are exact. Counts by label are exact up to [`max_labels`](Counts::max_labels)
//! different labels. Beyond that, the most frequent labels are listed, each with the amount by
//! which its count may be too high ([`error`](LabelCount::error)): at most the total divided by
//! `max_labels`. [`max_unlisted`](Breakdown::max_unlisted) bounds the count of a label that is not
//! listed.
//!
//! # Stacks
//!
//! [`Stacks`] counts the call stacks that lead to events. Each firing counts as 1, and as the value
//! of a parameter: a number of bytes, rows, nanoseconds.
//!
//! ```
//! use hotprobe::fire;
//! use hotprobe_profile::Stacks;
//!
//! hotprobe::event! { static ROWS_READ: fn(tenant: &str, rows: u64); }
//!
//! fn report() {
//!     fire!(ROWS_READ, "ours", 5000);
//! }
//!
//! let stacks = Stacks::at(&ROWS_READ).weight("rows").label("tenant").start()?;
//! report();
//! let profile = stacks.snapshot();
//! let [sample] = &profile.samples()[..] else { unreachable!() };
//! assert!(sample.frames()[0].name().ends_with("::report"));
//! assert_eq!((sample.count(), sample.weight()), (1, 5000));
//! # if false {
//! profile.save("rows.pb.gz")?;
//! # }
//! # Ok::<(), hotprobe_profile::ProfileError>(())
//! ```
//!
//! ```text
//! go tool pprof -top -sample_index=rows rows.pb.gz        functions, by rows
//! go tool pprof -top -sample_index=samples rows.pb.gz     functions, by firings
//! go tool pprof -tags rows.pb.gz                          totals by each label's value
//! go tool pprof -tagfocus=tenant=ours -http=: rows.pb.gz  one tenant, as a graph
//! ```
//!
//! | extension | opened by |
//! |---|---|
//! | `.pb.gz` | `go tool pprof`, and other readers of its format: both numbers, labels, files and lines |
//! | `.folded` | flame graph tools, speedscope: the weight if there is one, otherwise firings |
//! | `.svg` | a browser: a flame graph of the same |
//!
//! ## Names of functions
//!
//! Capturing a stack needs no debug information, but its names depend on it. These are the
//! innermost frames of one stack of the same server, built for release with different settings in
//! `[profile.release]` of `Cargo.toml`:
//!
//! | `debug =` | names | lines | inlined functions | here |
//! |---|---|---|---|---|
//! | `"limited"` | whole | yes | yes | `report::{{closure}}`, `Store::add::{{closure}}`, … with their paths: 104 functions |
//! | `"line-tables-only"` | last parts | yes | yes | `{async_fn#0}`, `{async_fn#0}`, `{closure#0}`: distinguished by their lines |
//! | nothing, cargo's default | whole | no | no | `<F as axum::handler::Handler<…>>::call::{{closure}}`: the report is inlined into it; 35 functions |
//! | stripped | addresses | no | no | including frames of this library |
//!
//! So release with `debug = "limited"` if you want stacks; it costs only the file's size. It is
//! enough for your own packages, with line tables for the others.
//!
//! ## Stacks of async code
//!
//! The stack is that of the poll: the runtime's worker, then the futures that contain one another.
//! A spawned task's stack does not include the code that awaits the task. Use a label to
//! distinguish tasks. [`stacks`] explains more, memory included.
//!
//! # A checked example
//!
//! From the repository, `cargo run --release --example profile -- --out DIR` profiles a server
//! under load, in all three ways. Its clients measure by themselves, and the example prints both
//! and compares. (Three seconds on a virtual machine with two processors, shared by server and
//! clients; a stack was captured of each response of the store.)
//!
//! ```text
//! as measured by        server   clients     server  clients     server  clients    outside
//!                               requests              p50 µs              p99 µs    mean µs
//! POST /orders           15917     15917       73.2      293        233     4112      261.5
//! GET /orders/{id}       63650     63650        142      393       4227     4588      279.3
//! GET /orders            15908     15908        143      393       4260     4620      275.3
//! GET /orders/report       392       392       2540     2884      11207    11403      278.2
//! ```
//!
//! The counts are equal. No percentile is above the clients', who wait for the server. The rest of
//! their waiting (`outside`: sockets, HTTP, a free thread) is the same for each route, although the
//! routes differ by a factor of twenty. The requests to the store and the catalogue follow from the
//! requests of the clients, and there is a stack for each response of the store.
//!
//! # Cost
//!
//! An event without a session costs one load and one branch, as any event without a probe. The cost
//! of a measured firing, on a virtual machine with two processors, by
//! `cargo benches --bench profile`, which also compares it with the target:
//!
//! | | takes |
//! |---|---|
//! | a pair: `begin` and `end` | two readings of the clock (48 ns; less with `Clock::Tsc`) and 42 ns |
//! | the same, with both events fired and typed probes | 48 ns above the clock |
//! | … with dynamic probes ([`Latency`]) | 77 ns above the clock |
//! | the same on each of two threads at once | 1.2 times that, the clock included; up to 2.3 beside other work on the same processors |
//! | a count | 0 to 2 ns above a probe that does nothing |
//! | a stack of 30 frames (`--bench stacks`) | 3.8 µs; of 60, 6.6 µs; of 120, 12.2 µs |
//! | … by `Backtrace::force_capture` | 5.4 µs, 10.4 µs, 19.5 µs |
//! | a new stack, or one with a label | within a tenth of a known one |
//! | a firing that `every` skips | 10 ns |
//!
//! The target for stacks, half of `force_capture`, is missed: it is 0.71 for 30 frames and 0.62 for
//! 120. A frame takes 93 ns, all of it in the platform's unwinder. It looks up each frame in the
//! unwind tables, as it does for `force_capture`, which also asks where the frame's function begins
//! (157 ns). The rest is 1 µs: 0.65 µs before the first frame, as in `force_capture`, and four
//! frames of this library that are captured and not shown. The hash and the table take too little
//! to be measured beside that. A faster capture would have to walk the stack in another way: by
//! frame pointers, which Rust's own libraries are built without, or by unwind tables that are read
//! in advance.
//!
//! `begin` reads the clock before it takes its lock, and `end` before anything else. So a latency
//! includes the locking of its begin, and no other part of the measurement.
//!
//! # Blocking
//!
//! A measured firing takes one or two small locks. Each is held for some nanoseconds, by code that
//! neither allocates nor fires. The one exception is a key's own `Eq`: firings inside it, at
//! measurements on the same thread, are skipped and counted. A snapshot takes the same locks one
//! after the other, and copies a histogram under each, which takes some microseconds.
//!
//! A child after `fork` may inherit a lock that is held forever: it must not fire measured events.
//!
//! # The code, in reading order
//!
//! 1. `latency/`: [`LatencyMeter`], pairs of a begin and an end (`meter.rs`, `meter_builder.rs`);
//!    [`Latency`] and [`LatencySession`], by a parameter of any two events (`between.rs`,
//!    `session.rs`). Below them: open pairs (`open_pairs.rs`) and their keys (`key.rs`), the labels
//!    (`label_table.rs`), the histograms (`histograms.rs`). [`LatencySnapshot`], the result
//!    (`snapshot.rs`).
//! 2. `counts/`: [`Counts`] and [`CountsSession`], firings of any events (`builder.rs`,
//!    `session.rs`); [`Counter`] and [`LabelCounter`] (`counters.rs`); the most frequent labels
//!    (`frequent.rs`). [`CountsSnapshot`], the result (`snapshot.rs`).
//! 3. [`stacks`]: [`Stacks`]; its own page lists the files.
//! 4. `output/`: the formats. A result does not know them: each file adds its method to the
//!    results. [`Metrics`] (`metrics.rs`) collects several results for Prometheus
//!    (`output/exposition.rs`).
//! 5. Shared: sessions and [`FinishError`] (`session.rs`), chosen events (`chosen.rs`), labels as
//!    bounded texts (`label.rs`), parameters by name (`parameter.rs`), hashes (`hash.rs`), a number
//!    for each thread (`threads.rs`), [`ProfileError`] (`error.rs`).

mod chosen;
mod counts;
mod error;
mod hash;
mod label;
mod latency;
mod metrics;
mod output;
mod parameter;
mod session;
pub mod stacks;
mod threads;

pub use counts::builder::Counts;
pub use counts::counters::{Counter, LabelCounter};
pub use counts::session::CountsSession;
pub use counts::snapshot::{Breakdown, CountsSnapshot, EventCount, LabelCount};
pub use error::ProfileError;
pub use hotprobe_clock::Clock;
pub use latency::between::Latency;
pub use latency::meter::LatencyMeter;
pub use latency::meter_builder::LatencyMeterBuilder;
pub use latency::session::LatencySession;
pub use latency::snapshot::{LabelLatency, LatencySnapshot, PairCounts};
pub use metrics::Metrics;
pub use session::FinishError;
pub use stacks::{StackCounts, StackFrame, StackProfile, StackSample, Stacks, StacksSession};
