//! The trait for code that is generic over spans, [`TypedSpan`], and the type of their guards.

use crate::any::AnyEvent;
use crate::batch::Batch;
use crate::options::ProbeOptions;
use crate::place::TypedHalves;
use crate::probe::Probe;
use crate::span::SpanGuard;
use crate::typed::Sealed;

/// The guard of a span that has begun, as [`start!`](crate::start!) returns it: `Span<REQUEST>`.
///
/// The span ends when its guard is dropped, or by its `end`, which takes the end's values. The
/// guard is `Send`: it may move to another thread, into a future, into a struct. If no probe was
/// attached when the span began, the guard is off, and dropping it costs one comparison.
///
/// | method | |
/// |---|---|
/// | `end(values…)` | ends it; [`end!`](crate::end!) does so lazily |
/// | `entered()` | makes it current on this thread ([`Entered`](crate::Entered)) |
/// | `id()` | its [`SpanId`](crate::SpanId), or `None` if it is off |
///
/// ```
/// use hotprobe::{Span, start};
/// hotprobe::span! { static REQUEST: fn(route: &str) -> (status: u16); }
///
/// struct Request {
///     span: Span<REQUEST>,
/// }
///
/// let request = Request { span: start!(REQUEST, "/orders") };
/// request.span.end(200);
/// ```
pub type Span<S> = <S as TypedSpan>::Guard;

/// A span of any signature, for code that is generic over spans.
///
/// Every span that [`span!`](crate::span!) declares implements it, and nothing else can.
///
/// ```
/// use hotprobe::{Probe, TypedSpan, start};
/// hotprobe::span! { static REQUEST: fn(route: &str) -> (status: u16); }
///
/// fn attach<S: TypedSpan>(span: &'static S, begin: Box<S::Begin>, end: Box<S::End>) -> Probe {
///     span.attach_boxed(begin, end)
/// }
///
/// let probe = attach(
///     &REQUEST,
///     Box::new(|begin, route| println!("{} {route}", begin.id())),
///     Box::new(|end, status| println!("{} {status:?}", end.id())),
/// );
/// start!(REQUEST, "/orders").end(200);
/// # drop(probe);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a span",
    note = "spans are declared by `hotprobe::span! {{ pub static NAME: fn(name: Type, …) -> (name: Type, …); }}`"
)]
pub trait TypedSpan: Sealed {
    /// The type of the probes of its begin: `dyn Fn(&SpanBegin, …) + Send + Sync`.
    type Begin: ?Sized;

    /// The type of the probes of its end: `dyn Fn(&SpanEnd, …) + Send + Sync`, with an `Option` of
    /// each value.
    type End: ?Sized;

    /// The guard of one that has begun.
    type Guard: SpanGuard;

    /// Attaches a pair of boxed probes, as the span's `attach` attaches closures.
    fn attach_boxed(&'static self, begin: Box<Self::Begin>, end: Box<Self::End>) -> Probe {
        self.typed_halves()
            .attach(ProbeOptions::new(), (begin, end))
    }

    /// Queues a pair of boxed probes in a batch, with its options.
    fn attach_boxed_in(
        &'static self,
        batch: &mut Batch,
        options: ProbeOptions,
        begin: Box<Self::Begin>,
        end: Box<Self::End>,
    ) {
        self.typed_halves().attach_in(batch, options, (begin, end));
    }

    /// Returns its begin as an event of the catalogue, for dynamic probes.
    ///
    /// ```
    /// use hotprobe::{TypedSpan, start};
    /// hotprobe::span! { static REQUEST: fn(route: &str); }
    ///
    /// let begin = REQUEST.begin_event();
    /// assert!(begin.name().ends_with("::REQUEST/begin"));
    /// let probe = begin.attach(|metadata, values| println!("{} {values:?}", metadata.name()));
    /// drop(start!(REQUEST, "/orders"));
    /// # drop(probe);
    /// ```
    fn begin_event(&'static self) -> &'static dyn AnyEvent;

    /// Returns its end as an event of the catalogue, for dynamic probes.
    fn end_event(&'static self) -> &'static dyn AnyEvent;

    /// Returns the parts that the provided methods use.
    #[doc(hidden)]
    fn typed_halves(&'static self) -> TypedHalves<Self::Begin, Self::End>;
}
