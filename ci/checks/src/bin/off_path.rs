//! What an event that is off compiles to: `ci/off-path.sh` looks at these functions' instructions.

use hotprobe::{InSpan, Span, end, fire, start};
use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

hotprobe::event! {
    /// Fired by the macro.
    static E: fn(x: u64);
    /// Fired by the method. (Another event, so that the two functions are not merged into one.)
    static F: fn(x: u64);
}

/// The leaf that `docs::performance` shows.
#[inline(never)]
pub fn leaf(x: u64) {
    fire!(E, x);
}

/// The same, through the plain method.
#[inline(never)]
pub fn leaf_method(x: u64) {
    F.fire(x);
}

hotprobe::event! {
    /// Before some work.
    static BEGIN: fn(x: u64);
    /// After it.
    static END: fn(x: u64);
}

hotprobe::span! {
    /// Around the same work.
    pub static S: fn(x: u64) -> (y: u64);
}

/// What is between a begin and an end.
#[inline(never)]
fn work(x: u64) -> u64 {
    black_box(x)
}

/// Two events that are off around some work.
#[inline(never)]
#[allow(clippy::must_use_candidate, reason = "only its code matters")]
pub fn two_events(x: u64) -> u64 {
    fire!(BEGIN, x);
    let y = work(x);
    fire!(END, y);
    y
}

/// A span that is off around the same work.
#[inline(never)]
#[allow(clippy::must_use_candidate, reason = "only its code matters")]
pub fn span(x: u64) -> u64 {
    let span = start!(S, x);
    let y = work(x);
    end!(span, y);
    y
}

/// A future with a poll that is not inlined.
#[derive(Debug)]
pub struct Work;

impl Future for Work {
    type Output = u64;

    #[inline(never)]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u64> {
        black_box(context);
        if black_box(true) {
            Poll::Pending
        } else {
            Poll::Ready(1)
        }
    }
}

/// Polls the future alone.
#[inline(never)]
pub fn poll_alone(future: Pin<&mut Work>, context: &mut Context<'_>) -> Poll<u64> {
    future.poll(context)
}

/// Polls it in a span.
#[inline(never)]
pub fn poll_in_span(
    future: Pin<&mut hotprobe::SpanFuture<Work, Span<S>>>,
    context: &mut Context<'_>,
) -> Poll<u64> {
    future.poll(context)
}

fn main() {
    two_events(black_box(3));
    span(black_box(4));
    let mut context = Context::from_waker(Waker::noop());
    let polls = (
        poll_alone(pin!(Work), &mut context),
        poll_in_span(pin!(Work.in_span(start!(S, 5))), &mut context),
    );
    assert!(polls.0.is_pending() && polls.1.is_pending());
    // Both halves, and the events: none is known to be off forever.
    let spanned = (
        S.attach(|_, x| println!("{x}"), |_, y| println!("{y:?}")),
        BEGIN.attach(|x| println!("{x}")),
        END.attach(|x| println!("{x}")),
    );
    two_events(black_box(3));
    span(black_box(4));
    drop(spanned);
    // Something attaches, so that the events are not known to be off forever.
    let probes = [E.attach(|x| println!("{x}")), F.attach(|x| println!("{x}"))];
    leaf(black_box(1));
    leaf_method(black_box(2));
    drop(probes);
}
