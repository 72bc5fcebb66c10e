//! How long it takes from one event to another, who fires how often, and from where. (Feature `profile`.)
//!
//! # Latencies
//!
//! Two events, and a parameter that both have: each value of it that comes by first at the one and then at the other is a
//! pair. They may be fired on different threads, and whatever may be awaited between.
//!
//! ```
//! use hotprobe::fire;
//! use hotprobe_profile::Latency;
//!
//! hotprobe::event! {
//!     static REQUEST_RECEIVED: fn(id: u64, path: &str);
//!     static REQUEST_DONE: fn(id: u64, route: &str, status: u16);
//! }
//!
//! let timing = Latency::between(&REQUEST_RECEIVED, &REQUEST_DONE, "id").label("route").start()?;
//! # fire!(REQUEST_RECEIVED, 1, "/orders/7");
//! # fire!(REQUEST_DONE, 1, "/orders/{id}", 200);
//! // … while the program serves …
//! let snapshot = timing.snapshot();
//! println!("{snapshot}");
//! # let directory = std::env::temp_dir();
//! # if false {
//! snapshot.save("latency.svg")?;
//! # }
//! # assert_eq!(snapshot.label("/orders/{id}").unwrap().count(), 1);
//! # Ok::<(), hotprobe_profile::ProfileError>(())
//! ```
//!
//! ```text
//! latency          count      p50      p90      p99    p99.9      max
//! /orders/{id}      1234  12.3 µs  45.2 µs   136 µs   1.02 ms  1.31 ms
//! 1234 begins: 1234 matched, 0 unmatched, 0 evicted, 0 open
//! 1234 ends: 1234 matched, 0 unmatched
//! ```
//!
//! What a parameter's name cannot say, a probe of one's own does: it calls [`begin`](Latency::begin) and
//! [`end`](Latency::end) with any key that has `Hash` and `Eq`, and any label.
//!
//! ```
//! use hotprobe_profile::Latency;
//! use std::sync::Arc;
//!
//! hotprobe::event! {
//!     static TASK_SENT: fn(queue: usize, number: u64);
//!     static TASK_TAKEN: fn(queue: usize, number: u64);
//! }
//!
//! const QUEUES: [&str; 2] = ["mail", "pictures"];
//! let waiting = Arc::new(Latency::builder().title("in the queue").pairs_at_most(10_000).build()?);
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
//! Measuring is bounded: so many pairs open, so many labels ([`LatencyBuilder`](crate::LatencyBuilder)). Whatever
//! finds no room, or no partner, is counted, and [`PairCounts`](crate::PairCounts) adds up in each snapshot, also
//! while the program fires, and over resets:
//!
//! * `carried + begins == matched + unmatched_begins + evicted + open`
//! * `ends == matched + unmatched_ends`
//!
//! A begin whose key is open already takes that one's place, which counts as an unmatched begin. So a key that is used
//! again after its end was lost gives no pair that is far too long.
//!
//! If pairs are open when measuring begins, or labels come from outside (paths, say), look at the counts: many unmatched ends, or much in
//! `(other)`, mean that the table shows a part only. [`reset`](Latency::reset) begins anew.
//!
//! ## Files
//!
//! | ending | what opens it |
//! |---|---|
//! | `.hlog` | what reads HDR histogram logs, of any language: a tag for each label |
//! | `.svg` | a browser: a histogram for each label |
//! | `.prom` | Prometheus, or its node exporter's text files |
//! | `.txt` | the table |
//!
//! # Rates
//!
//! [`Counts`](crate::Counts) counts firings of any events, by name or by a pattern, and by the value of a
//! parameter:
//!
//! ```
//! use hotprobe_profile::Counts;
//! hotprobe::event! { static REQUEST_DONE: fn(id: u64, client: &str); }
//!
//! let counting = Counts::new().by(&REQUEST_DONE, "client").labels_at_most(1000).start()?;
//! let mut before = counting.snapshot();
//! for _ in 0..3 {
//!     # REQUEST_DONE.fire(1, "10.0.0.7");
//!     // … each second …
//!     let now = counting.snapshot();
//!     println!("{}", now.since(&before));
//!     before = now;
//! }
//! # assert_eq!(before.labels()[0].total(), 3);
//! # Ok::<(), hotprobe_profile::ProfileError>(())
//! ```
//!
//! Counts of events are exact. Counts by label are, too, as long as there are no more labels than there is room for; beyond
//! that the most frequent are listed, and each entry says by how much it may be too high
//! ([`error`](crate::LabelCount::error)), at most: never more than the total divided by the room. What is not listed is
//! bounded in the same way ([`unlisted_at_most`](crate::LabelCounts::unlisted_at_most)).
//!
//! [`Counter`](crate::Counter) and [`LabelCounter`](crate::LabelCounter) count in probes of one's own.
//!
//! # Stacks
//!
//! [`Stacks`](crate::Stacks) counts the call stacks that lead to events: each firing as 1, and as what a parameter
//! says, a number of bytes, rows, nanoseconds.
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
//! go tool pprof -top -sample_index=rows rows.pb.gz        which functions, by rows; by firings: -sample_index=samples
//! go tool pprof -tags rows.pb.gz                          how much by each label's value
//! go tool pprof -tagfocus=tenant=ours -http=: rows.pb.gz  one tenant's, as a graph
//! ```
//!
//! | ending | what opens it |
//! |---|---|
//! | `.pb.gz` | `go tool pprof`, and what else reads its format; both numbers, labels, files and lines |
//! | `.folded` | flame graph tools, speedscope; the weight if there is one, else firings |
//! | `.svg` | a browser: a flame graph of the same |
//!
//! ## What functions are called
//!
//! A stack is taken without any debug information. Its names, though, depend on it. Of the same server, released
//! (`[profile.release]` of `Cargo.toml`), the innermost frames of one stack:
//!
//! | `debug =` | names | lines | inlined functions | here |
//! |---|---|---|---|---|
//! | `"limited"` | whole | yes | yes | `report::{{closure}}`, `Store::add::{{closure}}`, … with their paths: 104 functions |
//! | `"line-tables-only"` | last parts | yes | yes | `{async_fn#0}`, `{async_fn#0}`, `{closure#0}`: told apart by their lines |
//! | nothing, cargo's default | whole | no | no | `<F as axum::handler::Handler<…>>::call::{{closure}}`: the report is inlined into it; 35 functions |
//! | stripped | addresses | no | no | and frames of this library among them |
//!
//! So `debug = "limited"` is what to release with if there will be stacks; it costs nothing but the file's size. It is enough to have
//! it for one's own packages, and line tables for the others.
//!
//! ## What a stack is of async code
//!
//! The stack of the poll: the runtime's worker, then the futures that lie in each other. What awaits a task that was spawned is on no stack
//! of that. A label tells tasks apart. [`stacks`](crate::stacks) says more, also on memory.
//!
//! # An example that is checked
//!
//! `cargo run --release --features profile --example profile -- --out DIR` profiles a server under load, in all three ways. Its clients
//! measure by themselves, and it prints both and compares. (Three seconds on a virtual machine with two processors, server and
//! clients on both of them; a stack was taken of each answer of the store.)
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
//! Counts are equal. No percentile is above the clients', who wait for the server; what they wait for besides (`outside`: sockets, HTTP,
//! a thread that is free) is the same for each route, though these differ by the factor twenty. Requests to the store and the catalogue are
//! as many as follow from the requests that were asked, and of each answer of the store there is a stack.
//!
//! # What it costs
//!
//! On the threads that fire, where this was measured (a virtual machine with two processors; `cargo benches --bench profile`
//! measures it, and says whether it is what is aimed at):
//!
//! | | takes |
//! |---|---|
//! | a pair: `begin` and `end` | two readings of the clock (48 ns; with the feature `tsc` less) and 42 ns |
//! | the same, and both events fired with typed probes | 48 ns above the clock |
//! | … with dynamic ones ([`Latency::between`]) | 77 ns above the clock |
//! | the same on each of two threads at once | 1.2 times of that, the clock included; beside other work on the same processors up to 2.3 |
//! | a count | 0 to 2 ns above a probe that does nothing |
//! | a stack of 30 frames (`--bench stacks`) | 3.8 µs; of 60, 6.6 µs; of 120, 12.2 µs |
//! | … what `Backtrace::force_capture` takes there | 5.4 µs, 10.4 µs, 19.5 µs |
//! | a stack that is new, or one with a label | within a tenth of one that is known |
//! | a stack while another thread takes one, too | 2.3 times as long |
//! | a firing that `every` passes over | 10 ns |
//!
//! What was aimed at for stacks, half of `force_capture`, is missed: it is 0.71 of 30 frames, 0.62 of 120. A frame takes 93 ns, and all of that is the
//! platform's unwinder: it looks each frame up in the unwind tables, as it does for `force_capture`, which asks it a second time where the
//! frame's function begins (157 ns). The rest is 1 µs: 0.65 before the first frame, of `force_capture`, too; and four frames of this library, which are taken and not
//! shown. What hash and table take is too little to be told from that. Less would need another way to walk the stack: by frame pointers, which Rust's own
//! libraries are not built with, or by unwind tables that are read in advance.
//!
//! `begin` reads the clock before it takes its lock, and `end` before anything else: of the measurement itself, a latency has the
//! locking of its begin in it.
//!
//! # Where it blocks
//!
//! A firing that is measured takes one or two small locks; each is held for some nanoseconds, by code that neither allocates
//! nor fires. One exception is a key's own `Eq`: what that fires at measurements on the same thread is skipped, and counted. A snapshot
//! takes the same locks, one after the other, and copies a histogram under one for some microseconds.
//!
//! A child after `fork` may inherit a lock that is held for ever: it must not fire what is measured.

#[cfg(doc)]
use crate::Latency;
