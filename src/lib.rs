//! Typed trace events for live Rust processes.
//!
//! An *event* is a named place in the code. While nothing is attached to it, passing through costs
//! one load and one branch, and its arguments are not even evaluated. At any moment, from any
//! thread, a closure (a *probe*) can be attached to it, and later detached, while the process
//! serves traffic: no restart, no root, no stopped world.
//!
//! ```
//! use hotprobe::fire;
//!
//! hotprobe::event! {
//!     /// About to greet `who`.
//!     pub static HELLO: fn(who: &str);
//! }
//!
//! fire!(HELLO, "nobody"); // off: one load, one branch; the arguments are not evaluated
//! let probe = HELLO.attach(|who| println!("{who}"));
//! fire!(HELLO, "JP");
//! probe.detach_and_wait()?; // no firing runs it any more, and its captures have been dropped
//! # Ok::<(), hotprobe::SynchronizeError>(())
//! ```
//!
//! # What do you want to do?
//!
//! | goal | where |
//! |---|---|
//! | declare events, and fire them | [`event!`], [`fire!`] |
//! | attach a closure to one event | the event's `attach`; [`Probe`], [`ProbeOptions`], [`OnPanic`] |
//! | attach to many events at one instant, and detach at one | [`Batch`], [`ProbeGroup`] |
//! | wait until no firing runs a detached probe | [`synchronize`]; without blocking: [`grace_period`] |
//! | make a hot loop of firings cheaper | [`pinned`] |
//! | list the events of a library that no code names | [`register!`] |
//! | find events by name, and attach to any of them | [`find`], [`matching`], [`events`]; [`AnyEvent`], [`Value`] |
//! | write code that is generic over events | [`TypedEvent`], [`Event`] |
//! | count panics and skipped firings; see what events cost | [`stats`]; [`docs::performance`] |
//!
//! Begin with [`docs::patterns`]. [`docs::limitations`] lists what this crate does not do, and what
//! to do instead. [`docs::design`] explains how it works, lists its guarantees with their tests,
//! and maps the source; [`docs::glossary`] defines the words.
//!
//! # Other crates
//!
//! This crate is the core. It has no features, so no dependency can change how it behaves. These
//! crates use its public API:
//!
//! * `hotprobe-record` records events for Perfetto, Chrome and babeltrace2.
//! * `hotprobe-profile` measures latencies between events, counts firings, and collects call
//!   stacks.
//! * `hotprobe-testing` tests concurrent code, event by event.
//! * `hotprobe-admin` serves `/debug/probes` in an axum server.
//! * `hotprobe-cli` is the program `hotprobe`, which queries `/debug/probes` from a terminal.

#[macro_use]
mod macros;

mod any;
mod attribute;
mod batch;
mod catalog;
mod current;
pub mod docs;
mod dynamic;
mod error;
mod event;
mod grace;
mod in_span;
mod metadata;
mod options;
#[allow(
    unsafe_code,
    reason = "the type-safe wrapper between the macros and rcu"
)]
mod place;
mod probe;
#[allow(
    unsafe_code,
    reason = "the RCU core, behind the safe API of the modules above it"
)]
mod rcu;
mod span;
mod stats;
mod sync;
mod typed;
mod typed_span;
mod user_text;
mod value;

pub use any::AnyEvent;
pub use batch::{Batch, ProbeGroup};
pub use catalog::{events, find, matching};
pub use current::SpanId;
pub use dynamic::Firing;
pub use error::SynchronizeError;
pub use event::Event;
pub use grace::{GracePeriod, grace_period, pinned, reclaim, synchronize, synchronize_timeout};
pub use in_span::{EndingFuture, Entered, InCurrentSpan, InSpan, SpanFuture};
pub use metadata::{Half, Metadata, Parameter, SpanHalf};
pub use options::{OnPanic, ProbeOptions};
pub use probe::{Probe, ProbeInfo};
pub use span::{Outcome, SpanBegin, SpanEnd, SpanGuard};
pub use stats::{Stats, stats};
pub use typed::TypedEvent;
pub use typed_span::{Span, TypedSpan};
pub use value::Value;

/// What the macros expand to. Not part of the public API, but safe whatever is done with it.
#[doc(hidden)]
pub mod __private {
    pub use crate::attribute::{Attribute, docs, docs_len, is_redact};
    pub use crate::catalog::list;
    pub use crate::dynamic::DynamicProbe;
    pub use crate::event::Argument;
    pub use crate::macros::symbols;
    pub use crate::metadata::{module, plain, plain_len, text};
    pub use crate::place::{Erased, Place, Signature, SpanSignature, Typed, TypedHalves};
    pub use crate::rcu::panic::discard;
    pub use crate::rcu::slot::Slot;
    pub use crate::span::{RawSpan, ending, fmt_guard, is_on};
    pub use crate::typed::Sealed;
    pub use crate::user_text::{Written, write_user_text};
    pub use crate::value::{ByDebug, ByDisplay, ByError, ByKind, ByName, Kind, redacted};
    pub use linkme;
    pub use std::boxed::Box;
    pub use std::vec::Vec;

    crate::sync::model_only! {
        pub use crate::rcu::lane::{light_barriers, refuse_barriers};
        pub use crate::rcu::pin::Participant;
        pub use crate::sync::Canary;
    }

    /// What the closure around the arguments of `fire!` returns, so that a `return` in them does
    /// not compile.
    #[derive(Debug)]
    pub struct ArgumentsMustNotReturn;

    /// What a span has in place of an answer to `fire!`: an error shows the name.
    #[derive(Debug)]
    pub struct ASpanIsBegunByStart;

    /// What an event has in place of an answer to `start!`.
    #[derive(Debug)]
    pub struct AnEventIsFiredByFire;

    /// Marks the branch that calls it as the unlikely one.
    #[cold]
    #[inline(always)]
    pub const fn unlikely() {}
}
