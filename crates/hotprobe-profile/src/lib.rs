//! Profiling: how long it takes from one event to another, how often events are fired, and from where.
//!
//! ```
//! use hotprobe::fire;
//! use hotprobe_profile::{Counts, Latency};
//!
//! hotprobe::event! {
//!     static REQUEST_RECEIVED: fn(id: u64);
//!     static REQUEST_DONE: fn(id: u64, route: &str);
//! }
//!
//! let timing = Latency::between(&REQUEST_RECEIVED, &REQUEST_DONE, "id").label("route").start()?;
//! let counting = Counts::new().by(&REQUEST_DONE, "route").start()?;
//! fire!(REQUEST_RECEIVED, 1);
//! fire!(REQUEST_DONE, 1, "/orders");
//! println!("{}\n{}", timing.snapshot(), counting.snapshot()); // tables
//! # assert_eq!(timing.snapshot().label("/orders").unwrap().count(), 1);
//! # Ok::<(), hotprobe_profile::ProfileError>(())
//! ```
//!
//! [`guide`](crate::guide) says how it is used, and what it costs. In reading order:
//!
//! 1. [`Latency`]: pairs of a begin and an end (`latency.rs`); its limits: [`LatencyBuilder`] (`builder.rs`); by the
//!    parameters of any two events: [`LatencyProbe`], [`Timing`] (`between.rs`).
//! 2. What is begun and has not ended (`pairs.rs`); which labels there are (`labels.rs`); the histograms
//!    (`histograms.rs`).
//! 3. [`LatencySnapshot`]: what was measured (`latencies.rs`); as a table (`text.rs`), HDR log (`hlog.rs`), for
//!    Prometheus (`prometheus.rs`), as a picture (`svg.rs`).
//! 4. [`Counter`] and [`LabelCounter`], counted in one's own probes (`counter.rs`); the most frequent labels
//!    (`top.rs`). [`Counts`] and [`Counting`]: firings of any events (`counts.rs`). [`CountsSnapshot`]: what was counted
//!    (`counted.rs`).
//! 5. [`Stacks`]: the call stacks that lead to events ([`stacks`]).
//! 6. What they share: a thread's number (`threads.rs`), hashes (`hash.rs`), arguments as keys and labels (`key.rs`),
//!    parameters by name (`parameter.rs`),
//!    [`ProfileError`] (`error.rs`).

mod counts;
mod error;
pub mod guide;
mod hash;
mod label;
mod latency;
mod output;
mod parameter;
pub mod stacks;
mod threads;

pub use counts::counters::{Counter, LabelCounter};
pub use counts::counting::{Counting, Counts};
pub use counts::snapshot::{CountsSnapshot, EventCount, LabelCount, LabelCounts};
pub use error::ProfileError;
pub use hotprobe_clock::Clock;
pub use latency::builder::LatencyBuilder;
pub use latency::measurement::Latency;
pub use latency::probe::{LatencyProbe, Timing};
pub use latency::snapshot::{LabelLatency, LatencySnapshot, PairCounts};
pub use stacks::{StackCounts, StackFrame, StackProfile, StackSample, Stacks, StacksBuilder};
