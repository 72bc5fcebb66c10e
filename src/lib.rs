//! Typed trace events for live Rust processes.
//!
//! An *event* is a named place in the code. While nothing is attached to it, passing through costs one
//! load and one branch, and its arguments are not even evaluated. At any moment, from any thread, a
//! closure (a *probe*) can be attached to it, and later detached, while the process serves traffic: no
//! restart, no root, no stopped world.
//!
//! ```
//! use hotprobe::fire;
//!
//! hotprobe::event! {
//!     /// About to greet `who`.
//!     pub static HELLO: fn(who: &str);
//! }
//!
//! fire!(HELLO, "nobody"); // off: one load, one branch
//! let probe = HELLO.attach(|who| println!("{who}"));
//! fire!(HELLO, "JP");
//! probe.detach_and_wait()?; // no firing runs it any more; what it captured has been dropped
//! # Ok::<(), hotprobe::SynchronizeError>(())
//! ```
//!
//! # A tour, in reading order
//!
//! 1. [`event!`] declares events, [`fire!`] passes through them (`src/macros.rs`).
//! 2. [`Event`]: the place, and what is known of it (`src/event.rs`).
//! 3. [`Probe`], [`ProbeOptions`], [`OnPanic`]: an attached closure and its handle (`src/probe.rs`).
//! 4. [`Batch`], [`ProbeGroup`]: many probes at one instant, and the gate that makes it one (`src/batch.rs`).
//! 5. [`synchronize`], [`grace_period`], [`reclaim`], [`pinned`]: waiting for firings (`src/grace.rs`);
//!    [`stats`]: what has happened, in numbers (`src/stats.rs`).
//! 6. [`events`], [`find`], [`matching`]: the catalogue of all events (`src/catalog.rs`). [`AnyEvent`]: one whose
//!    signature isn't known, and its dynamic probes (`src/any.rs`); [`Value`]: an argument as they see it
//!    (`src/value.rs`).
//! 7. The snapshot: the immutable probe vector that a firing reads (`src/snapshot.rs`).
//! 8. RCU: how it is swapped under the firings' feet, and what becomes of the old one (`src/rcu/`, all the
//!    `unsafe` there is; its invariants stand at the head of `src/rcu/mod.rs`).
//! 9. The std/loom switch (`src/sync.rs`).
//!
//! Other crates use nothing but this one's public API: `hotprobe-record`, `hotprobe-profile`, `hotprobe-testing`,
//! `hotprobe-admin`, and the program `hotprobe` (`hotprobe-cli`).
//!
//! The pages of [`docs`] say why it is built so, what it guarantees and where its limits are.

#[macro_use]
mod macros;

mod any;
mod batch;
mod catalog;
pub mod docs;
mod error;
mod event;
mod grace;
mod probe;
#[allow(unsafe_code, reason = "all of it is here")]
mod rcu;
mod snapshot;
mod stats;
mod sync;
mod value;

pub use any::AnyEvent;
pub use batch::{Batch, ProbeGroup};
pub use catalog::{events, find, matching};
pub use error::SynchronizeError;
pub use event::{Event, Metadata, Parameter, TypedEvent};
pub use grace::{GracePeriod, grace_period, pinned, reclaim, synchronize, synchronize_timeout};
pub use probe::{OnPanic, Probe, ProbeInfo, ProbeOptions};
pub use stats::{Stats, stats};
pub use value::Value;

/// What the macros expand to. Not part of the public API, but safe whatever is done with it.
#[doc(hidden)]
pub mod __private {
    pub use crate::any::DynamicProbe;
    pub use crate::catalog::list;
    pub use crate::event::{Argument, plain, plain_len};
    pub use crate::macros::symbols;
    pub use crate::rcu::place::{Erased, Place};
    pub use crate::rcu::slot::Slot;
    pub use crate::value::{ByDebug, ByKind, ByName, Kind, redacted};
    pub use linkme;
    pub use std::boxed::Box;

    crate::sync::model_only! {
        pub use crate::rcu::pin::Participant;
        pub use crate::sync::Canary;
    }

    /// Marks the branch that calls it as the unlikely one.
    #[cold]
    #[inline(always)]
    pub const fn unlikely() {}
}
