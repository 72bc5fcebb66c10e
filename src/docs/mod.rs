//! Why it is built so, what it guarantees, where its limits are: pages with running code.
//!
//! * [`patterns`]: how programs and libraries use it. Begin here.
//! * [`limitations`]: what it does not do, and what to do instead.
//! * [`loom_models`]: events in code that is checked with loom, and probes that check it.
//! * `profiling`, with the feature `profile`: how long it takes from one event to another, who fires how often.
//! * `recording`, with the feature `record`: events recorded, what is kept and lost, what it costs.
//! * `testing` (feature `testing`): tests of concurrent code, event by event; beside loom, shuttle and turmoil.
//! * `admin` (feature `axum`): `/debug/probes`: how it is mounted, who is let in, what each endpoint answers.
//! * `cli` (feature `cli`): the program `hotprobe`, which asks `/debug/probes` from a terminal.
//! * [`performance`]: what an event costs, off and on, and how to see it for yourself.
//! * [`design`]: how it works and why, and a table of what it guarantees.
//! * [`orderings`]: every atomic access, what it orders, and its partner.
//! * [`glossary`]: the words.

#[cfg(feature = "axum")]
pub mod admin;
#[cfg(feature = "cli")]
pub mod cli;
pub mod design;
pub mod glossary;
pub mod limitations;
pub mod loom_models;
pub mod orderings;
pub mod patterns;
pub mod performance;
#[cfg(feature = "profile")]
pub mod profiling;
#[cfg(feature = "record")]
pub mod recording;
#[cfg(feature = "testing")]
pub mod testing;
