//! What the probes of a span get, [`SpanBegin`] and [`SpanEnd`], and what its guard consists of.

use crate::current::{SpanId, current};
use crate::metadata::Metadata;
use crate::rcu::domain;
use std::fmt;
use std::mem;
use std::thread::panicking;

/// How a span ended.
///
/// ```
/// use hotprobe::{Outcome, start};
/// use std::sync::{Arc, Mutex};
/// hotprobe::span! { static REQUEST: fn() -> (status: u16); }
///
/// let seen = Arc::new(Mutex::new(Vec::new()));
/// let probe = REQUEST.attach_end({
///     let seen = Arc::clone(&seen);
///     move |end, status| seen.lock().unwrap().push((end.outcome(), status))
/// });
/// start!(REQUEST).end(200);
/// drop(start!(REQUEST));
/// assert_eq!(*seen.lock().unwrap(), [(Outcome::Ended, Some(200)), (Outcome::Dropped, None)]);
/// # drop(probe);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// By `end` or [`end!`](crate::end!), or its future became ready.
    Ended,
    /// Its guard was dropped: a return, a `?`, a future dropped at an `.await`.
    Dropped,
    /// A panic unwound through what it was around.
    Panicked,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ended => "ended",
            Self::Dropped => "dropped",
            Self::Panicked => "panicked",
        })
    }
}

/// A span that begins, as its probes get it.
///
/// ```
/// use hotprobe::{SpanBegin, start};
/// hotprobe::span! { static LOOKUP: fn(item: u64); }
///
/// let probe = LOOKUP.attach_begin(|begin: &SpanBegin, item| match begin.parent() {
///     Some(parent) => println!("{}: item {item}, inside {parent}", begin.id()),
///     None => println!("{}: item {item}", begin.id()),
/// });
/// start!(LOOKUP, 7).end();
/// # drop(probe);
/// ```
#[derive(Clone, Copy)]
pub struct SpanBegin {
    id: SpanId,
    parent: Option<SpanId>,
    since: u64,
}

impl SpanBegin {
    /// Returns the span's id.
    #[inline]
    #[must_use]
    pub const fn id(&self) -> SpanId {
        self.id
    }

    /// Returns the span that was current on the thread when this one began
    /// ([`SpanId::current`]).
    #[inline]
    #[must_use]
    pub const fn parent(&self) -> Option<SpanId> {
        self.parent
    }

    /// Returns the sequence when it began, for `span!`.
    #[doc(hidden)]
    #[inline(always)]
    #[must_use]
    pub const fn since(&self) -> u64 {
        self.since
    }
}

impl fmt::Debug for SpanBegin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanBegin")
            .field("id", &self.id)
            .field("parent", &self.parent)
            .finish_non_exhaustive()
    }
}

/// A span that ends, as its probes get it.
///
/// ```
/// use hotprobe::{Outcome, SpanEnd, start};
/// hotprobe::span! { static LOOKUP: fn(item: u64); }
///
/// let probe = LOOKUP.attach_end(|end: &SpanEnd| {
///     if end.outcome() != Outcome::Ended {
///         println!("{}: {}", end.id(), end.outcome());
///     }
/// });
/// drop(start!(LOOKUP, 7)); // prints that it was dropped
/// # drop(probe);
/// ```
#[derive(Clone, Copy)]
pub struct SpanEnd {
    id: SpanId,
    outcome: Outcome,
    since: u64,
}

impl SpanEnd {
    /// Returns the span's id, the one of its [`SpanBegin`].
    #[inline]
    #[must_use]
    pub const fn id(&self) -> SpanId {
        self.id
    }

    /// Returns how it ended.
    #[inline]
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns the sequence when it began, for `span!`.
    #[doc(hidden)]
    #[inline(always)]
    #[must_use]
    pub const fn since(&self) -> u64 {
        self.since
    }
}

impl fmt::Debug for SpanEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanEnd")
            .field("id", &self.id)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// A guard without its type. Two words, which live in registers; the first is zero if it is off.
#[doc(hidden)]
pub struct RawSpan {
    /// The span's id; zero: no probe was attached when it began.
    id: u64,
    /// The sequence when it began, and the flags below.
    since: u64,
}

/// It began while its thread was unwinding, or was ready then.
const UNWINDING: u64 = 1 << 63;
/// Dropped from here on, it has ended.
const READY: u64 = 1 << 62;
/// Dropped from here on, it has panicked.
const PANICKED: u64 = 1 << 61;
const FLAGS: u64 = UNWINDING | READY | PANICKED;

impl RawSpan {
    /// Returns the one of a span that is off.
    #[inline(always)]
    #[must_use]
    pub const fn off() -> Self {
        Self { id: 0, since: 0 }
    }

    /// Begins one: to be called before the begin is fired, so that a probe whose attach the
    /// sequence covers is in the snapshot that the begin finds.
    #[inline(always)]
    #[must_use]
    pub fn begin() -> (Self, SpanBegin) {
        let since = domain().sequence.now();
        let id = SpanId::next();
        let parent = current();
        let unwinding = if panicking() { UNWINDING } else { 0 };
        let raw = Self {
            id: id.get(),
            since: since | unwinding,
        };
        (raw, SpanBegin { id, parent, since })
    }

    /// Returns whether a probe was attached when it began.
    #[inline(always)]
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.id != 0
    }

    /// Returns the span's id, if it is on.
    #[inline(always)]
    #[must_use]
    pub fn id(&self) -> Option<SpanId> {
        SpanId::new(self.id)
    }

    /// Takes it out, and leaves one that is off.
    #[inline(always)]
    #[must_use]
    pub fn take(&mut self) -> Self {
        mem::replace(self, Self::off())
    }

    /// From here on, a drop ends it, since its future is ready, unless a panic begins now.
    pub(crate) fn be_ready(&mut self) {
        self.since |= READY;
        if panicking() {
            self.since |= UNWINDING;
        }
    }

    /// From here on, a drop says that it panicked.
    #[inline(always)]
    pub(crate) fn be_panicked(&mut self) {
        self.since |= PANICKED;
    }

    /// Returns what its probes get: ended by `end`.
    #[inline(always)]
    #[must_use]
    pub fn ended(self) -> Option<SpanEnd> {
        self.with(Outcome::Ended)
    }

    /// Returns what its probes get: its guard was dropped.
    #[inline(never)]
    #[must_use]
    pub fn dropped(self) -> Option<SpanEnd> {
        let outcome = if self.since & PANICKED != 0 || (self.since & UNWINDING == 0 && panicking())
        {
            Outcome::Panicked
        } else if self.since & READY != 0 {
            Outcome::Ended
        } else {
            Outcome::Dropped
        };
        self.with(outcome)
    }

    #[inline(always)]
    fn with(self, outcome: Outcome) -> Option<SpanEnd> {
        let since = self.since & !FLAGS;
        let id = SpanId::new(self.id)?;
        Some(SpanEnd { id, outcome, since })
    }
}

impl fmt::Debug for RawSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.id(), f)
    }
}

/// Formats a guard, for `span!`.
#[doc(hidden)]
pub fn fmt_guard(
    raw: &RawSpan,
    begin: &'static Metadata,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    f.debug_struct("Span")
        .field("name", &begin.whole_name())
        .field("id", &raw.id())
        .finish()
}

/// The guard of any span, for generic code. Implemented by what [`span!`](crate::span!) declares.
///
/// ```
/// use hotprobe::{InSpan, SpanFuture, SpanGuard, start};
/// hotprobe::span! { static JOB: fn(); }
///
/// /// A job, with whatever span its caller gives it.
/// fn job<G: SpanGuard>(span: G) -> SpanFuture<impl Future<Output = u32>, G> {
///     async { 7 }.in_span(span)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(job(start!(JOB)).await, 7);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a span that has begun",
    note = "begin one with `start!(SPAN, arguments…)`; an `Entered` span becomes one again by its `exit`"
)]
pub trait SpanGuard: fmt::Debug {
    /// Returns the guard without its type.
    #[doc(hidden)]
    fn raw(&self) -> &RawSpan;

    /// Returns the guard without its type.
    #[doc(hidden)]
    fn raw_mut(&mut self) -> &mut RawSpan;

    /// Takes the guard out, and leaves one that is off.
    #[doc(hidden)]
    #[must_use]
    fn take(&mut self) -> Self
    where
        Self: Sized;
}

/// Returns whether a span is on, for `end!`.
#[doc(hidden)]
#[inline(always)]
pub fn is_on<G: SpanGuard>(span: &G) -> bool {
    span.raw().is_on()
}

/// Ends a span, for `end!`: the closure borrows what its arguments name, and owns the guard alone.
#[doc(hidden)]
#[inline(always)]
pub fn ending<G: SpanGuard, R>(span: G, end: impl FnOnce(G) -> R) {
    end(span);
}
