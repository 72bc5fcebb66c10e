//! How long it takes from one event to another, who fires how often, and from where. (Feature `profile`.)
//!
//! # Latencies
//!
//! Two events, and a parameter that both have: each value of it that comes by first at the one and then at the other is a
//! pair. They may be fired on different threads, and whatever may be awaited between.
//!
//! ```
//! use hotprobe::fire;
//! use hotprobe::profile::Latency;
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
//! # Ok::<(), hotprobe::profile::ProfileError>(())
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
//! use hotprobe::profile::Latency;
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
//! # Ok::<(), hotprobe::profile::ProfileError>(())
//! ```
//!
//! ## What is counted
//!
//! Measuring is bounded: so many pairs open, so many labels ([`LatencyBuilder`](crate::profile::LatencyBuilder)). Whatever
//! finds no room, or no partner, is counted, and [`PairCounts`](crate::profile::PairCounts) adds up in each snapshot, also
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
//! [`Counts`](crate::profile::Counts) counts firings of any events, by name or by a pattern, and by the value of a
//! parameter:
//!
//! ```
//! use hotprobe::profile::Counts;
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
//! # Ok::<(), hotprobe::profile::ProfileError>(())
//! ```
//!
//! Counts of events are exact. Counts by label are, too, as long as there are no more labels than there is room for; beyond
//! that the most frequent are listed, and each entry says by how much it may be too high
//! ([`error`](crate::profile::LabelCount::error)), at most: never more than the total divided by the room. What is not listed is
//! bounded in the same way ([`unlisted_at_most`](crate::profile::LabelCounts::unlisted_at_most)).
//!
//! [`Counter`](crate::profile::Counter) and [`LabelCounter`](crate::profile::LabelCounter) count in probes of one's own.
//!
//! # Stacks
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
//! | the same on each of two threads at once | 1.2 times of that, the clock included |
//! | a count | 1 to 2 ns above a probe that does nothing |
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
use crate::profile::Latency;
