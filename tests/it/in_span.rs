//! Futures in spans: each begin has its end, and what is current is current in the right polls.

use hotprobe::{InSpan, Outcome, SpanId, end, start};
use std::cell::Cell;
use std::future::{Future, pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Yields once.
fn yield_once() -> impl Future<Output = ()> {
    let mut yielded = false;
    poll_fn(move |_| {
        if std::mem::replace(&mut yielded, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
}

/// A future that pends, and says what is current when it is polled and when it is dropped.
struct Watch<F: Fn(&str)>(F);

impl<F: Fn(&str)> Future for Watch<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        (self.0)("polled");
        Poll::Pending
    }
}

impl<F: Fn(&str)> Drop for Watch<F> {
    fn drop(&mut self) {
        (self.0)("dropped");
    }
}

type Ends = Arc<Mutex<Vec<(Outcome, Option<u16>)>>>;

#[test]
fn of_ten_requests_of_which_five_are_dropped_at_an_await_ten_end() {
    hotprobe::span! { static REQUEST: fn(request: u64) -> (ok: bool); }
    async fn handle(request: u64) {
        let span = start!(REQUEST, request);
        if request % 2 == 0 {
            pending::<()>().await;
        }
        end!(span, true);
    }
    let (begins, ends) = (Arc::new(AtomicUsize::new(0)), Ends::default());
    let (began, ended) = (begins.clone(), ends.clone());
    let _probe = REQUEST.attach(
        move |_, _| {
            began.fetch_add(1, Ordering::Relaxed);
        },
        move |end, ok| {
            ended
                .lock()
                .unwrap()
                .push((end.outcome(), ok.map(u16::from)))
        },
    );
    for request in 0..10 {
        // Once with a guard, once around the future.
        let poll_it = |future: Pin<&mut dyn Future<Output = ()>>| {
            let mut context = Context::from_waker(Waker::noop());
            assert_eq!(future.poll(&mut context).is_pending(), request % 2 == 0);
        };
        if request < 5 {
            poll_it(pin!(handle(request)));
        } else {
            let around = async {
                if request % 2 == 0 {
                    pending::<()>().await;
                }
            };
            poll_it(pin!(
                around
                    .in_span(start!(REQUEST, request))
                    .ending(|(), s| s.end(true))
            ));
        }
    }
    assert_eq!(begins.load(Ordering::Relaxed), 10);
    let ends = ends.lock().unwrap();
    assert_eq!(ends.len(), 10);
    assert_eq!(
        ends.iter()
            .filter(|end| **end == (Outcome::Ended, Some(1)))
            .count(),
        5
    );
    assert_eq!(
        ends.iter()
            .filter(|end| **end == (Outcome::Dropped, None))
            .count(),
        5
    );
}

#[test]
fn the_span_is_current_in_each_poll_and_in_the_drop_and_ends_after_it() {
    hotprobe::span! { static S: fn(); }
    let log = Arc::new(Mutex::new(Vec::new()));
    let ended = Arc::clone(&log);
    let _probe = S.attach(
        |_| (),
        move |end| {
            ended
                .lock()
                .unwrap()
                .push((format!("{}", end.outcome()), Some(end.id())))
        },
    );
    let span = start!(S);
    let id = span.id();
    let watched = Arc::clone(&log);
    let mut future = Box::pin(
        Watch(move |what| {
            watched
                .lock()
                .unwrap()
                .push((what.to_owned(), SpanId::current()))
        })
        .in_span(span),
    );
    assert!(poll(future.as_mut()).is_pending());
    assert_eq!(SpanId::current(), None);
    std::thread::scope(|scope| {
        let other =
            scope.spawn(|| poll(future.as_mut()).is_pending() && SpanId::current().is_none());
        assert!(other.join().unwrap());
    });
    drop(future);
    assert_eq!(SpanId::current(), None);
    let log = log.lock().unwrap();
    let whats: Vec<_> = log.iter().map(|(what, _)| what.as_str()).collect();
    assert_eq!(whats, ["polled", "polled", "dropped", "dropped"]);
    assert!(log.iter().all(|(_, current)| *current == id), "{log:?}");
}

#[test]
fn a_ready_future_has_ended_and_its_values_are_lazy() {
    hotprobe::span! { static S: fn() -> (status: u16); }
    let evaluated = Cell::new(0);
    let run = || {
        let future = ready(7u16).in_span(start!(S)).ending(|out, span| {
            assert_eq!(SpanId::current(), None);
            end!(span, {
                evaluated.set(evaluated.get() + 1);
                *out
            });
        });
        assert_eq!(poll(pin!(future)), Poll::Ready(7));
    };
    run();
    assert_eq!(evaluated.get(), 0, "it is off");
    let ends = Ends::default();
    let ended = Arc::clone(&ends);
    let _probe =
        S.attach_end(move |end, status| ended.lock().unwrap().push((end.outcome(), status)));
    run();
    assert_eq!(evaluated.get(), 1);
    // Without values; and by an ending that drops the guard.
    assert!(poll(pin!(ready(()).in_span(start!(S)))).is_ready());
    assert!(
        poll(pin!(
            ready(()).in_span(start!(S)).ending(|(), span| drop(span))
        ))
        .is_ready()
    );
    let ended = (Outcome::Ended, None);
    assert_eq!(
        *ends.lock().unwrap(),
        [(Outcome::Ended, Some(7)), ended, ended]
    );
}

#[test]
fn a_poll_that_panics_has_panicked_and_one_in_an_unwinding_thread_has_not() {
    hotprobe::span! { static S: fn() -> (status: u16); }
    struct Cleanup;
    impl Drop for Cleanup {
        fn drop(&mut self) {
            // Begun before the panic; polled and ready while the thread unwinds.
            let future = ready(()).in_span(SPAN.take().unwrap());
            assert!(poll(pin!(future)).is_ready());
        }
    }
    std::thread_local! {
        static SPAN: Cell<Option<hotprobe::Span<S>>> = const { Cell::new(None) };
    }
    let ends = Ends::default();
    let ended = Arc::clone(&ends);
    let _probe =
        S.attach_end(move |end, status| ended.lock().unwrap().push((end.outcome(), status)));
    let mut future = Box::pin(
        async {
            let _inner = start!(S).entered();
            yield_once().await;
            std::panic::resume_unwind(Box::new("in the poll"))
        }
        .in_span(start!(S)),
    );
    let mut poll_it = || catch_unwind(AssertUnwindSafe(|| poll::<_>(future.as_mut())));
    let pending: Poll<()> = poll_it().unwrap();
    assert!(pending.is_pending());
    assert_eq!(
        SpanId::current(),
        None,
        "what the poll entered ends with it"
    );
    poll_it().unwrap_err();
    assert_eq!(SpanId::current(), None);
    drop(future);
    SPAN.set(Some(start!(S)));
    catch_unwind(|| {
        let _cleanup = Cleanup;
        std::panic::resume_unwind(Box::new("around it"));
    })
    .unwrap_err();
    let panicked = (Outcome::Panicked, None);
    assert_eq!(
        *ends.lock().unwrap(),
        [panicked, panicked, (Outcome::Ended, None)]
    );
}

#[test]
fn spans_of_nested_futures_are_parents_and_a_task_has_the_one_that_it_was_given() {
    hotprobe::span! { static OUTER: fn(); static INNER: fn(); }
    let parents = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&parents);
    let _probes = (
        OUTER.attach_begin(|_| ()),
        INNER.attach_begin(move |begin| seen.lock().unwrap().push(begin.parent())),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let id = runtime.block_on(async {
        let outer = start!(OUTER);
        let id = outer.id();
        async {
            ready(()).in_span(start!(INNER)).await;
            tokio::task::yield_now().await;
            drop(start!(INNER));
            // A spawned task inherits nothing.
            tokio::spawn(async { drop(start!(INNER)) }).await.unwrap();
            tokio::spawn(async { drop(start!(INNER)) }.in_current_span())
                .await
                .unwrap();
            tokio::spawn(ready(()).in_span(start!(INNER)))
                .await
                .unwrap();
        }
        .in_span(outer)
        .await;
        id
    });
    assert_eq!(*parents.lock().unwrap(), [id, id, None, id, id]);
}

#[test]
fn an_outer_span_that_is_left_inside_a_poll_leaves_the_polls_own_current_and_no_longer() {
    hotprobe::span! { static S: fn(); }
    let _probe = S.attach_begin(|_| ());
    let outer = Rc::new(Cell::new(Some(start!(S).entered())));
    let inner = start!(S);
    let id = inner.id();
    let future = {
        let outer = Rc::clone(&outer);
        poll_fn(move |_| {
            drop(outer.take());
            assert_eq!(SpanId::current(), id);
            Poll::<()>::Pending
        })
        .in_span(inner)
    };
    let mut future = Box::pin(future);
    assert!(poll(future.as_mut()).is_pending());
    assert_eq!(SpanId::current(), None);
}

#[test]
fn futures_in_spans_that_are_send_stay_so() {
    hotprobe::span! { static S: fn() -> (status: u16); }
    fn is_send<F: Future + Send + 'static>(_: &F) {}
    let held = async {
        let span = start!(S);
        yield_once().await;
        span.end(1);
    };
    is_send(&held);
    is_send(
        &ready(())
            .in_span(start!(S))
            .ending(|(), span| end!(span, 1)),
    );
    is_send(&ready(()).in_current_span());
    drop(held);
}

#[test]
fn a_poll_allocates_nothing() {
    hotprobe::span! { static S: fn(); }
    for on in [false, true] {
        let probe = on.then(|| S.attach(|_| (), |_| ()));
        drop(start!(S));
        let mut future = pin!(pending::<()>().in_span(start!(S)));
        let before = crate::alloc::allocations();
        for _ in 0..100 {
            assert!(poll(future.as_mut()).is_pending());
        }
        drop(start!(S).entered());
        assert_eq!(crate::alloc::allocations(), before);
        drop(probe);
    }
}
