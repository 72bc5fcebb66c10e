//! Dynamic probes: closures that see an event's arguments as values, whatever its signature.

use crate::current::{SpanId, current};
use crate::metadata::Metadata;
use crate::rcu::slot::Slot;
use crate::span::{Outcome, SpanBegin, SpanEnd};
use crate::value::Value;
use std::fmt;

/// One half of a span that is fired.
#[derive(Clone, Copy)]
enum Half<'a> {
    Begin(&'a SpanBegin),
    End(&'a SpanEnd),
}

/// What a dynamic probe does: a method for each kind of firing, so that a firing of an event passes
/// on nothing about spans.
trait Call: Send + Sync {
    fn event(&self, metadata: &'static Metadata, values: &[Value<'_>]);
    fn half(&self, metadata: &'static Metadata, values: &[Value<'_>], half: Half<'_>);
}

/// A closure that gets metadata and values.
struct OfValues<P>(P);

impl<P: Fn(&'static Metadata, &[Value<'_>]) + Send + Sync> Call for OfValues<P> {
    #[inline]
    fn event(&self, metadata: &'static Metadata, values: &[Value<'_>]) {
        (self.0)(metadata, values);
    }

    fn half(&self, metadata: &'static Metadata, values: &[Value<'_>], _: Half<'_>) {
        (self.0)(metadata, values);
    }
}

/// A closure that gets the whole firing.
struct OfFirings<P>(P);

impl<P: Fn(&Firing<'_>) + Send + Sync> Call for OfFirings<P> {
    fn event(&self, metadata: &'static Metadata, values: &[Value<'_>]) {
        (self.0)(&Firing {
            metadata,
            values,
            span: current(),
            parent: None,
            outcome: None,
        });
    }

    fn half(&self, metadata: &'static Metadata, values: &[Value<'_>], half: Half<'_>) {
        let (span, parent, outcome) = match half {
            Half::Begin(begin) => (begin.id(), begin.parent(), None),
            Half::End(end) => (end.id(), None, Some(end.outcome())),
        };
        (self.0)(&Firing {
            metadata,
            values,
            span: Some(span),
            parent,
            outcome,
        });
    }
}

/// A probe that sees values: one type for all events, so that they need to know nothing else of it.
#[doc(hidden)]
pub struct DynamicProbe {
    metadata: &'static Metadata,
    call: Box<dyn Call>,
}

impl DynamicProbe {
    pub(crate) fn new(
        metadata: &'static Metadata,
        probe: impl Fn(&'static Metadata, &[Value<'_>]) + Send + Sync + 'static,
    ) -> Self {
        let call = Box::new(OfValues(probe));
        Self { metadata, call }
    }

    pub(crate) fn of_firings(
        metadata: &'static Metadata,
        probe: impl Fn(&Firing<'_>) + Send + Sync + 'static,
    ) -> Self {
        let call = Box::new(OfFirings(probe));
        Self { metadata, call }
    }

    /// Calls the one in this slot, for `event!`, with the arguments of a firing. (Not inlined: each
    /// event would have a copy of its own.)
    #[inline(never)]
    pub fn run(slot: Slot<'_>, values: &[Value<'_>]) {
        slot.run(|probe: &Self| probe.call.event(probe.metadata, values));
    }

    /// Calls the one in this slot, for `span!`, for a span that begins.
    #[inline(never)]
    pub fn run_begin(slot: Slot<'_>, begin: &SpanBegin, values: &[Value<'_>]) {
        slot.run_since(begin.since(), |probe: &Self| {
            let half = Half::Begin(begin);
            probe.call.half(probe.metadata, values, half);
        });
    }

    /// Calls the one in this slot, for `span!`, for a span that ends.
    #[inline(never)]
    pub fn run_end(slot: Slot<'_>, end: &SpanEnd, values: &[Value<'_>]) {
        slot.run_since(end.since(), |probe: &Self| {
            let half = Half::End(end);
            probe.call.half(probe.metadata, values, half);
        });
    }
}

impl fmt::Debug for DynamicProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamicProbe")
            .field("event", &self.metadata.name())
            .finish_non_exhaustive()
    }
}

/// A firing as a dynamic probe sees it: of an event, or of the begin or the end of a span.
///
/// It is what `attach_firing` of [`AnyEvent`](crate::AnyEvent) gives its probes, and borrows from
/// the firing.
///
/// ```
/// use hotprobe::{AnyEvent, Firing, TypedSpan, end, start};
/// hotprobe::span! { static REQUEST: fn(route: &str) -> (status: u16); }
///
/// fn print(firing: &Firing<'_>) {
///     let name = firing.metadata().name();
///     println!("{name} {:?} {:?} {:?}", firing.span(), firing.outcome(), firing.values());
/// }
///
/// let event: &'static dyn AnyEvent = REQUEST.end_event();
/// let probe = event.attach_firing(print);
/// end!(start!(REQUEST, "/"), 200);
/// # drop(probe);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Firing<'a> {
    metadata: &'static Metadata,
    values: &'a [Value<'a>],
    span: Option<SpanId>,
    parent: Option<SpanId>,
    outcome: Option<Outcome>,
}

impl<'a> Firing<'a> {
    /// Returns the description of what fired. [`Metadata::span`] says whether it is half of a span.
    #[must_use]
    pub const fn metadata(&self) -> &'static Metadata {
        self.metadata
    }

    /// Returns the arguments, one for each parameter. The values of a span that ended without them
    /// are [`Value::Absent`].
    #[must_use]
    pub const fn values(&self) -> &'a [Value<'a>] {
        self.values
    }

    /// Returns the span that begins or ends; for an event, the one that is current on this thread
    /// ([`SpanId::current`]).
    #[must_use]
    pub const fn span(&self) -> Option<SpanId> {
        self.span
    }

    /// Returns the parent of a span that begins; otherwise `None`.
    #[must_use]
    pub const fn parent(&self) -> Option<SpanId> {
        self.parent
    }

    /// Returns how a span ended; otherwise `None`.
    #[must_use]
    pub const fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }
}
