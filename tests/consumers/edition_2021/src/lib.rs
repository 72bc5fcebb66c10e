//! Edition 2021.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, unreachable_pub)]

use hotprobe::{end, fire, start, InSpan, Probe, Span, TypedEvent};
use std::error::Error;

hotprobe::event! {
    /// About to greet `who`.
    pub static HELLO: fn(who: &str);
    /// Lifetimes.
    pub static SPLIT: for<'a> fn(whole: &'a str, parts: &'a [&'a str], error: Option<&dyn Error>);
    pub(crate) static INSIDE: fn(id: u64);
    static TICK: fn();
}

hotprobe::span! {
    /// A request.
    pub static REQUEST: fn(route: &str) -> (status: u16, note: Option<&str>);
    /// Lifetimes.
    pub static PARTS: for<'a> fn(whole: &'a str, parts: &'a [&'a str]) -> (first: &'a str);
    pub(crate) static LOOKUP: fn(#[redact] item: u64);
}

/// A guard in a struct.
#[derive(Debug)]
pub struct Held {
    span: Span<REQUEST>,
}

/// Begins and ends them.
pub async fn handle(route: &str) -> u16 {
    let held = Held {
        span: start!(REQUEST, route),
    };
    {
        let _lookup = start!(LOOKUP, 7).entered();
        start!(PARTS, route, &[route]).end(route);
    }
    let status = async { 200 }
        .in_span(start!(REQUEST, &route.to_uppercase()))
        .ending(|status, span| end!(span, *status, None))
        .await;
    held.span.end(status, Some(route));
    status
}

/// Fires them.
pub fn greet(who: &str) {
    fire!(HELLO, who);
    fire!(SPLIT, who, &[who], None);
    fire!(INSIDE, 1);
    fire!(TICK);
}

/// In an `async fn`.
pub async fn greet_later(who: &str) {
    fire!(HELLO, &who.to_uppercase());
    std::future::ready(()).await;
}

/// Attaches to any event.
pub fn attach<E: TypedEvent>(event: &'static E, probe: Box<E::Probe>) -> Probe {
    event.attach_boxed(probe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotprobe::Batch;

    #[test]
    fn edition_2021_declares_fires_and_probes() {
        let mut batch = Batch::new();
        INSIDE.attach_in(&mut batch, |id| assert_eq!(id, 1));
        TICK.attach_in(&mut batch, || ());
        let mut group = batch.commit();
        group.add(attach(&HELLO, Box::new(|who| assert_eq!(who, "JP"))));
        group.add(SPLIT.attach(|whole, parts, _| assert_eq!(whole, parts[0])));
        group.add(REQUEST.attach(
            |_, route| assert!(!route.is_empty()),
            |_, status, _| assert_eq!(status, Some(200)),
        ));
        group.add(PARTS.attach_end(|_, first| assert_eq!(first, Some("/"))));
        group.add(LOOKUP.attach_begin(|begin, _| assert_eq!(begin.parent(), None)));
        let waker = std::task::Waker::noop();
        let mut future = Box::pin(handle("/"));
        let poll =
            std::future::Future::poll(future.as_mut(), &mut std::task::Context::from_waker(waker));
        assert_eq!(poll, std::task::Poll::Ready(200));
        greet("JP");
        assert_eq!(group.iter().filter(|probe| probe.has_panicked()).count(), 0);
    }
}
