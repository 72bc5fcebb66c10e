//! Where a span is current: [`Entered`], on a thread; [`InSpan`], around a future.

use crate::current::{self, Leave, SpanId};
use crate::span::{RawSpan, SpanGuard};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A span that is current on this thread: the parent of spans that begin here, and the span of
/// events that fire here.
///
/// Dropping it ends the span; [`exit`](Self::exit) gives the guard back. It is not `Send`, since
/// it belongs to its thread, so it cannot be held across an `.await` in a future that moves between
/// threads: use [`InSpan::in_span`] there. Entered spans may be dropped in any order.
///
/// ```
/// use hotprobe::{SpanId, start};
/// hotprobe::span! { static LOOKUP: fn(item: u64); }
///
/// # let probe = LOOKUP.attach_begin(|_, _| ());
/// let entered = start!(LOOKUP, 7).entered();
/// assert_eq!(SpanId::current(), entered.id());
/// entered.exit().end();
/// assert_eq!(SpanId::current(), None);
/// ```
#[must_use = "a span is current until its `Entered` is dropped, which ends it: bind it to a name \
              (`let _ = …` drops it at once)"]
pub struct Entered<G: SpanGuard> {
    guard: G,
    not_send: PhantomData<*const ()>,
}

impl<G: SpanGuard> Entered<G> {
    /// Enters a span, for `span!`.
    #[doc(hidden)]
    #[inline(always)]
    pub fn new(guard: G) -> Self {
        if let Some(id) = guard.raw().id() {
            crate::__private::unlikely();
            enter(id);
        }
        Self {
            guard,
            not_send: PhantomData,
        }
    }

    /// Returns the span's id, if a probe was attached when it began.
    #[inline]
    #[must_use]
    pub fn id(&self) -> Option<SpanId> {
        self.guard.raw().id()
    }

    /// Makes it no longer current, and gives the guard back. The span continues.
    #[inline(always)]
    pub fn exit(mut self) -> G {
        let guard = self.guard.take();
        if let Some(id) = guard.raw().id() {
            crate::__private::unlikely();
            exit(id);
        }
        guard
    }
}

#[inline(never)]
fn enter(id: SpanId) {
    current::push(id);
}

#[inline(never)]
fn exit(id: SpanId) {
    current::remove(id);
}

impl<G: SpanGuard> Drop for Entered<G> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(id) = self.guard.raw().id() {
            crate::__private::unlikely();
            exit(id);
        }
    }
}

impl<G: SpanGuard> fmt::Debug for Entered<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entered").field(&self.guard).finish()
    }
}

/// Runs futures in spans. Implemented for every future.
///
/// The span is current while the future is polled and while it is dropped, on whatever thread that
/// happens. It ends when the future is ready, when a poll panics, or when the future is dropped
/// before: a timeout, a `select!`, a client that is gone. So each begin has its end.
///
/// ```
/// use hotprobe::{InSpan, end, start};
/// hotprobe::span! {
///     static REQUEST: fn(route: &str) -> (status: u16);
///     static LOOKUP: fn(item: u64);
/// }
///
/// async fn handle(item: u64) -> u16 {
///     // Its parent is the request, on whatever thread.
///     let found = async { item == 7 }.in_span(start!(LOOKUP, item)).await;
///     if found { 200 } else { 404 }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let status = handle(7)
///     .in_span(start!(REQUEST, "/items"))
///     .ending(|status, span| end!(span, *status))
///     .await;
/// # assert_eq!(status, 200);
/// # }
/// ```
///
/// A spawned task inherits no span. `spawn(fut.in_span(start!(TASK)))` gives it one of its own,
/// whose parent is the current one where `start!` is evaluated; `spawn(fut.in_current_span())`
/// makes the current one its own current one.
///
/// # Cost
/// None allocates. Off, a poll costs two comparisons.
pub trait InSpan: Future + Sized {
    /// Returns the future in a span, which has begun already.
    #[inline]
    fn in_span<G: SpanGuard>(self, span: G) -> SpanFuture<Self, G> {
        SpanFuture {
            future: self,
            leave: Leave(None),
            span,
        }
    }

    /// Returns the future with the current span of this thread as the current one of each of its
    /// polls. Nothing ends with it.
    #[inline]
    fn in_current_span(self) -> InCurrentSpan<Self> {
        InCurrentSpan {
            future: self,
            leave: Leave(None),
            span: SpanId::current(),
        }
    }
}

impl<F: Future> InSpan for F {}

/// Ends a poll that panics: neither its span nor what it had entered is current any more, and the
/// span has panicked.
struct Polling<'a, G: SpanGuard> {
    span: &'a mut G,
}

impl<G: SpanGuard> Drop for Polling<'_, G> {
    #[cold]
    fn drop(&mut self) {
        if let Some(id) = self.span.raw().id() {
            current::cut(id);
            self.span.raw_mut().be_panicked();
            drop(self.span.take());
        }
    }
}

pin_project_lite::pin_project! {
    /// A future in a span: see [`InSpan::in_span`].
    ///
    /// ```
    /// use hotprobe::{InSpan, Span, SpanFuture, start};
    /// hotprobe::span! { static REQUEST: fn(route: &str); }
    ///
    /// fn traced<F: Future>(route: &str, future: F) -> SpanFuture<F, Span<REQUEST>> {
    ///     future.in_span(start!(REQUEST, route))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(traced("/", async { 200 }).await, 200);
    /// # }
    /// ```
    #[must_use = "futures do nothing unless they are awaited or polled"]
    #[derive(Debug)]
    pub struct SpanFuture<F, G: SpanGuard> {
        // Dropped in this order: the span is current while the future is dropped, and then ends.
        #[pin]
        future: F,
        leave: Leave,
        span: G,
    }

    impl<F, G: SpanGuard> PinnedDrop for SpanFuture<F, G> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(id) = this.span.raw().id() {
                enter(id);
                this.leave.0 = Some(id);
            }
        }
    }
}

impl<F: Future, G: SpanGuard> SpanFuture<F, G> {
    /// Returns a future that ends the span with values: when the future is ready, `ending` gets
    /// its output and the guard, and ends it.
    ///
    /// `ending` is called also while no probe is attached. A span that it drops has ended without
    /// values.
    #[inline]
    pub fn ending<E>(self, ending: E) -> EndingFuture<F, G, E>
    where
        E: FnOnce(&F::Output, G),
    {
        EndingFuture {
            inner: self,
            ending: Some(ending),
        }
    }

    /// Polls, and calls `ready` when the future is ready: if the span is off only if `ALSO_OFF`.
    #[inline(always)]
    fn poll_then<const ALSO_OFF: bool>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        ready: impl FnOnce(&F::Output, G),
    ) -> Poll<F::Output> {
        let this = self.project();
        if let Some(id) = this.span.raw().id() {
            crate::__private::unlikely();
            enter(id);
        }
        let polling = Polling { span: this.span };
        // In one place, on or off: it is inlined once.
        let poll = this.future.poll(cx);
        let span = &mut *mem::ManuallyDrop::new(polling).span;
        let on = span.raw().is_on();
        if on {
            crate::__private::unlikely();
            polled(span.raw_mut(), poll.is_ready());
        }
        if on || ALSO_OFF {
            if let Poll::Ready(output) = &poll {
                ready(output, span.take());
            }
        }
        poll
    }
}

#[inline(never)]
fn polled(raw: &mut RawSpan, ready: bool) {
    if let Some(id) = raw.id() {
        current::cut(id);
    }
    if ready {
        raw.be_ready();
    }
}

impl<F: Future, G: SpanGuard> Future for SpanFuture<F, G> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.poll_then::<false>(cx, |_, span| drop(span))
    }
}

pin_project_lite::pin_project! {
    /// A future in a span that ends with values: see [`SpanFuture::ending`].
    ///
    /// ```
    /// use hotprobe::{EndingFuture, InSpan, Span, end, start};
    /// hotprobe::span! { static REQUEST: fn(route: &str) -> (status: u16); }
    ///
    /// type Ending = fn(&u16, Span<REQUEST>);
    ///
    /// fn traced<F: Future<Output = u16>>(future: F) -> EndingFuture<F, Span<REQUEST>, Ending> {
    ///     future.in_span(start!(REQUEST, "/")).ending(|status, span| end!(span, *status))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(traced(async { 200 }).await, 200);
    /// # }
    /// ```
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct EndingFuture<F, G: SpanGuard, E> {
        #[pin]
        inner: SpanFuture<F, G>,
        ending: Option<E>,
    }
}

impl<F, G, E> Future for EndingFuture<F, G, E>
where
    F: Future,
    G: SpanGuard,
    E: FnOnce(&F::Output, G),
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let ending = this.ending;
        this.inner
            .poll_then::<true>(cx, |output, span| match ending.take() {
                Some(ending) => ending(output, span),
                None => drop(span),
            })
    }
}

impl<F: fmt::Debug, G: SpanGuard, E> fmt::Debug for EndingFuture<F, G, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndingFuture")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

pin_project_lite::pin_project! {
    /// A future whose polls have the same current span: see [`InSpan::in_current_span`].
    ///
    /// ```
    /// use hotprobe::{InCurrentSpan, InSpan};
    ///
    /// /// What a task spawns belongs to the span that is current here.
    /// fn inherited<F: Future>(future: F) -> InCurrentSpan<F> {
    ///     future.in_current_span()
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(tokio::spawn(inherited(async { 7 })).await.unwrap(), 7);
    /// # }
    /// ```
    #[must_use = "futures do nothing unless they are awaited or polled"]
    #[derive(Debug)]
    pub struct InCurrentSpan<F> {
        #[pin]
        future: F,
        leave: Leave,
        span: Option<SpanId>,
    }

    impl<F> PinnedDrop for InCurrentSpan<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(id) = *this.span {
                enter(id);
                this.leave.0 = Some(id);
            }
        }
    }
}

impl<F: Future> Future for InCurrentSpan<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let Some(id) = *this.span {
            enter(id);
        }
        let _leave = Leave(*this.span);
        this.future.poll(cx)
    }
}
