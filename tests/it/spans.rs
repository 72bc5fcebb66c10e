//! Spans: both halves, guards, outcomes (G16).

#![allow(
    clippy::many_single_char_names,
    clippy::similar_names,
    clippy::uninlined_format_args,
    reason = "spans a, b, c; began and begin"
)]

use hotprobe::{
    Batch, Half, OnPanic, Outcome, Probe, ProbeOptions, Span, SpanBegin, SpanEnd, SpanId,
    TypedSpan, Value, end, fire, start,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What the probes of a span saw, in order.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Begin(SpanId, Option<SpanId>),
    End(SpanId, Outcome, Option<u16>),
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Seen>>>);

impl Log {
    fn begin(&self) -> impl Fn(&SpanBegin) + Send + Sync + 'static {
        let log = self.0.clone();
        move |begin| {
            log.lock()
                .unwrap()
                .push(Seen::Begin(begin.id(), begin.parent()))
        }
    }

    fn end(&self) -> impl Fn(&SpanEnd, Option<u16>) + Send + Sync + 'static {
        let log = self.0.clone();
        move |end, value| {
            log.lock()
                .unwrap()
                .push(Seen::End(end.id(), end.outcome(), value))
        }
    }

    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The outcomes and values of the ends, each of which had its begin before.
    fn ends(&self) -> Vec<(Outcome, Option<u16>)> {
        let mut open = Vec::new();
        let mut ends = Vec::new();
        for seen in self.take() {
            match seen {
                Seen::Begin(id, _) => open.push(id),
                Seen::End(id, outcome, value) => {
                    let at = open.iter().position(|open| *open == id);
                    open.remove(at.expect("it began, and has not ended"));
                    ends.push((outcome, value));
                }
            }
        }
        assert_eq!(open, [], "each has ended");
        ends
    }
}

#[test]
fn a_probe_gets_the_arguments_and_the_values_of_both_halves() {
    hotprobe::span! { static S: fn(route: &str, bytes: usize) -> (status: u16, note: &str); }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (first, second) = (seen.clone(), seen.clone());
    let probe = S.attach(
        move |begin, route, bytes| {
            first
                .lock()
                .unwrap()
                .push(format!("{} {route} {bytes}", begin.id()))
        },
        move |end, status, note| {
            second.lock().unwrap().push(format!(
                "{} {status:?} {note:?} {}",
                end.id(),
                end.outcome()
            ));
        },
    );
    let span = start!(S, "/a", 7);
    let id = span.id().expect("it is on");
    span.end(200, &String::from("fine"));
    drop(S.start("/b", 8));
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(
        seen[..2],
        [
            format!("{id} /a 7"),
            format!("{id} Some(200) Some(\"fine\") ended")
        ]
    );
    assert!(seen[3].ends_with(" None None dropped"), "{seen:?}");
    probe.detach();
    assert!(!S.is_enabled());
}

#[test]
fn however_the_code_leaves_a_span_it_ends_once() {
    hotprobe::span! { static S: fn() -> (status: u16); }
    fn question(fails: bool) -> Result<(), ()> {
        let span = start!(S);
        if fails { Err(()) } else { Ok(()) }?;
        end!(span, 200);
        Ok(())
    }
    let log = Log::default();
    let probe = S.attach(log.begin(), log.end());
    question(true).unwrap_err();
    question(false).unwrap();
    let span = start!(S);
    std::thread::spawn(move || span.end(201)).join().unwrap();
    let _ = start!(S);
    catch_unwind(|| {
        let _span = start!(S);
        std::panic::resume_unwind(Box::new("through it"));
    })
    .unwrap_err();
    let entered = start!(S).entered();
    drop(entered);
    start!(S).entered().exit().end(202);
    assert_eq!(
        log.ends(),
        [
            (Outcome::Dropped, None),
            (Outcome::Ended, Some(200)),
            (Outcome::Ended, Some(201)),
            (Outcome::Dropped, None),
            (Outcome::Panicked, None),
            (Outcome::Dropped, None),
            (Outcome::Ended, Some(202)),
        ]
    );
    drop(probe);
}

#[test]
fn a_span_begun_while_unwinding_has_not_panicked() {
    hotprobe::span! { static S: fn() -> (status: u16); }
    struct Cleanup;
    impl Drop for Cleanup {
        fn drop(&mut self) {
            drop(start!(S));
        }
    }
    let log = Log::default();
    let _probe = S.attach(log.begin(), log.end());
    catch_unwind(|| {
        let _cleanup = Cleanup;
        std::panic::resume_unwind(Box::new("through it"));
    })
    .unwrap_err();
    assert_eq!(log.ends(), [(Outcome::Dropped, None)]);
}

#[test]
fn arguments_and_values_are_not_evaluated_while_it_is_off() {
    hotprobe::span! { static S: fn(item: u64) -> (status: u16); }
    fn never<T>() -> T {
        unreachable!("it is off")
    }
    assert!(!S.is_enabled());
    let span = start!(S, never());
    assert_eq!(span.id(), None);
    // Attached in between: this one stays invisible.
    let log = Log::default();
    let mine = log.clone();
    let probe = S.attach(
        move |_, _| {
            mine.0
                .lock()
                .unwrap()
                .push(Seen::Begin(SpanId::current().unwrap(), None))
        },
        log.end(),
    );
    end!(span, never());
    let off = start!(S, 1);
    probe.detach();
    end!(off, 2);
    assert!(start!(S, never()).entered().id().is_none());
}

#[test]
fn a_probe_attached_in_between_gets_no_end_and_a_detached_one_none_either() {
    hotprobe::span! { static S: fn() -> (status: u16); }
    let (early, late) = (Log::default(), Log::default());
    let first = S.attach(early.begin(), early.end());
    let span = start!(S);
    let second = S.attach(late.begin(), late.end());
    let mut batch = Batch::new();
    S.attach_in(&mut batch, late.begin(), late.end());
    let group = batch.commit();
    let inner = start!(S);
    span.end(1);
    second.detach();
    drop(group);
    inner.end(2);
    assert_eq!(
        early.ends(),
        [(Outcome::Ended, Some(1)), (Outcome::Ended, Some(2))]
    );
    let late = late.take();
    assert!(
        matches!(late[..], [Seen::Begin(..), Seen::Begin(..)]),
        "{late:?}"
    );
    drop(first);
}

#[test]
fn a_probe_on_one_half_sees_that_half_of_every_span_begun_since() {
    hotprobe::span! { static S: fn() -> (status: u16); }
    let log = Log::default();
    let before = start!(S);
    let end = S.attach_end(log.end());
    assert!(S.is_enabled() && S.begin_event().is_enabled() && S.end_event().is_enabled());
    drop(before);
    assert_eq!(log.take(), []);
    start!(S).end(3);
    assert!(matches!(
        log.take()[..],
        [Seen::End(_, Outcome::Ended, Some(3))]
    ));
    drop(end);
    let begin = S.attach_begin(log.begin());
    start!(S).end(4);
    assert!(matches!(log.take()[..], [Seen::Begin(_, None)]));
    assert_eq!((S.probe_count(), S.probes().len()), (1, 1));
    drop(begin);
}

#[test]
fn a_panic_in_one_half_switches_both_off_and_leaves_the_others() {
    hotprobe::span! { static S: fn() -> (status: u16); }
    for in_begin in [true, false] {
        let log = Log::default();
        let ends = Arc::new(AtomicUsize::new(0));
        let mine = Arc::clone(&ends);
        let bad = S.attach(
            move |_| {
                if in_begin {
                    std::panic::resume_unwind(Box::new("in a begin"));
                }
            },
            move |_, _| {
                mine.fetch_add(1, Ordering::Relaxed);
                std::panic::resume_unwind(Box::new("in an end"));
            },
        );
        let good = S.attach(log.begin(), log.end());
        start!(S).end(5);
        start!(S).end(6);
        assert!(bad.has_panicked());
        assert_eq!(ends.load(Ordering::Relaxed), usize::from(!in_begin));
        assert_eq!(
            log.ends(),
            [(Outcome::Ended, Some(5)), (Outcome::Ended, Some(6))]
        );
        drop((bad, good));
    }
}

#[test]
fn a_begin_that_propagates_a_panic_stops_no_other_begin_and_the_ends_follow() {
    hotprobe::span! { static S: fn() -> (status: u16); }
    let log = Log::default();
    let propagate = || ProbeOptions::new().on_panic(OnPanic::Propagate);
    let ends = Arc::new(AtomicUsize::new(0));
    let mine = Arc::clone(&ends);
    let bad = S.attach_with(
        propagate(),
        |_| std::panic::resume_unwind(Box::new("in a begin")),
        move |_, _| {
            mine.fetch_add(1, Ordering::Relaxed);
        },
    );
    let good = S.attach(log.begin(), log.end());
    let payload = catch_unwind(|| start!(S)).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"in a begin"));
    assert_eq!(log.ends(), [(Outcome::Panicked, None)]);
    assert_eq!(ends.load(Ordering::Relaxed), 1);
    drop(bad);
    // The same in an end, also where the thread unwinds already: then it is counted, and goes no
    // further.
    let bad = S.attach_with(
        propagate(),
        |_| (),
        |_, _| std::panic::resume_unwind(Box::new("in an end")),
    );
    let late = S.attach(log.begin(), log.end());
    let payload = catch_unwind(|| start!(S).end(7)).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"in an end"));
    assert_eq!(log.ends(), [(Outcome::Ended, Some(7)); 2]);
    let payload = catch_unwind(|| {
        let _span = start!(S);
        std::panic::resume_unwind(Box::new("around it"));
    })
    .unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"around it"));
    assert_eq!(log.ends(), [(Outcome::Panicked, None); 2]);
    drop((bad, good, late));
}

#[test]
fn a_begin_too_deep_is_skipped_with_its_end_and_an_end_never_is() {
    hotprobe::span! { static S: fn() -> (status: u16); }
    hotprobe::event! { static DEEP: fn(level: usize); }
    let log = Log::default();
    let _probe = S.attach(log.begin(), log.end());
    let spans: Arc<Mutex<Vec<Span<S>>>> = Arc::default();
    let _deep = {
        let spans = Arc::clone(&spans);
        DEEP.attach(move |level| {
            if level < 7 {
                DEEP.fire(level + 1);
                return;
            }
            // At the limit: a begin is skipped, an end is not.
            let off = start!(S);
            assert_eq!(off.id(), None);
            off.end(1);
            let on = spans.lock().unwrap().pop().unwrap();
            on.end(2);
        })
    };
    let skipped = hotprobe::stats().skipped_nested;
    spans.lock().unwrap().push(start!(S));
    fire!(DEEP, 0);
    assert_eq!(log.ends(), [(Outcome::Ended, Some(2))]);
    assert!(hotprobe::stats().skipped_nested > skipped);
    // Nothing is left in progress.
    hotprobe::synchronize().unwrap();
    start!(S).end(3);
    assert_eq!(log.ends(), [(Outcome::Ended, Some(3))]);
}

#[test]
fn spans_begin_and_end_in_probes_of_spans() {
    hotprobe::span! { static OUTER: fn(); static INNER: fn() -> (status: u16); }
    let log = Log::default();
    let _inner = INNER.attach(log.begin(), log.end());
    let _outer = OUTER.attach(|_| start!(INNER).end(1), |_| start!(INNER).end(2));
    start!(OUTER).end();
    assert_eq!(
        log.ends(),
        [(Outcome::Ended, Some(1)), (Outcome::Ended, Some(2))]
    );
}

#[test]
fn the_parent_is_the_innermost_current_span_that_is_on() {
    hotprobe::span! { static S: fn() -> (status: u16); static OFF: fn(); }
    let log = Log::default();
    let _probe = S.attach(log.begin(), log.end());
    let a = start!(S).entered();
    let off = start!(OFF).entered();
    let b = start!(S).entered();
    let c = start!(S);
    let ids = [a.id(), b.id(), c.id()];
    // Entered spans may be left in any order.
    drop(a);
    assert_eq!(SpanId::current(), ids[1]);
    let d = start!(S);
    drop((off, b));
    assert_eq!(SpanId::current(), None);
    let worker = std::thread::spawn(move || ids[2].unwrap().scope(|| start!(S)));
    let e = worker.join().unwrap();
    let parents: Vec<_> = log
        .take()
        .into_iter()
        .filter_map(|seen| match seen {
            Seen::Begin(_, parent) => Some(parent),
            Seen::End(..) => None,
        })
        .collect();
    assert_eq!(parents, [None, ids[0], ids[1], ids[1], ids[2]]);
    drop((c, d, e));
}

#[test]
fn the_catalogue_has_both_halves_over_one_cell() {
    mod shop {
        hotprobe::span! {
            /// A request.
            pub(super) static REQUEST: fn(route: &str, #[redact] token: &str) -> (status: u16, #[redact] session: u64);
        }
    }
    use shop::REQUEST;
    let halves = hotprobe::matching(REQUEST.name());
    assert_eq!(halves, [REQUEST.begin_event(), REQUEST.end_event()]);
    assert_ne!(REQUEST.begin_event(), REQUEST.end_event());
    let [begin, end] = [halves[0].metadata(), halves[1].metadata()];
    assert_eq!(begin.name(), format!("{}/begin", REQUEST.name()));
    assert_eq!(hotprobe::matching("*::shop::REQUEST/end"), [halves[1]]);
    assert_eq!(hotprobe::find(end.name()), Some(halves[1]));
    assert_eq!(begin.docs().trim(), "A request.");
    assert_eq!(begin.module_path(), end.module_path());
    assert!(
        end.module_path().ends_with("::shop"),
        "{}",
        end.module_path()
    );
    assert_eq!((begin.line(), begin.column()), (end.line(), end.column()));
    assert_eq!(begin.span().unwrap().half(), Half::Begin);
    assert_eq!(end.span().unwrap().name(), REQUEST.name());
    let redacted = end
        .parameters()
        .iter()
        .map(|p| (p.name(), p.is_redacted()))
        .collect::<Vec<_>>();
    assert_eq!(redacted, [("status", false), ("session", true)]);

    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut batch = Batch::new();
    for half in halves {
        let seen = Arc::clone(&seen);
        half.attach_firing_in(&mut batch, move |firing| {
            seen.lock().unwrap().push((
                firing.metadata().span().unwrap().half(),
                format!("{:?}", firing.values()),
                firing.outcome(),
                firing.values().iter().all(|value| value.is_absent()),
                firing.span(),
            ));
        });
    }
    let group = batch.commit();
    let span = start!(REQUEST, "/a", "secret");
    let id = span.id();
    span.end(200, 9);
    drop(start!(REQUEST, "/b", "secret"));
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(seen.len(), 4);
    assert_eq!(
        seen[0],
        (Half::Begin, "[\"/a\", [redacted]]".into(), None, false, id)
    );
    assert_eq!(
        seen[1],
        (
            Half::End,
            "[200, [redacted]]".into(),
            Some(Outcome::Ended),
            false,
            id
        )
    );
    assert_eq!(seen[3].1, "[none, [redacted]]");
    assert_eq!(seen[3].2, Some(Outcome::Dropped));
    assert_eq!(
        format!("{:?}", group.iter().next().unwrap())
            .matches("/begin")
            .count(),
        0
    );
    assert!(Value::Absent.is_absent());
}

#[test]
fn a_dynamic_probe_of_one_half_is_called_for_that_half() {
    hotprobe::span! { static S: fn(route: &str) -> (status: u16); }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let end = {
        let seen = Arc::clone(&seen);
        S.end_event().attach(move |metadata, values| {
            seen.lock()
                .unwrap()
                .push(format!("{} {values:?}", metadata.name()));
        })
    };
    assert!(S.begin_event().is_enabled(), "one off check");
    start!(S, "/").end(200);
    assert_eq!(*seen.lock().unwrap(), [format!("{}/end [200]", S.name())]);
    drop(end);
}

#[test]
fn events_carry_the_current_span() {
    hotprobe::event! { static E: fn(); }
    hotprobe::span! { static S: fn(); }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mine = Arc::clone(&seen);
    let event: &dyn hotprobe::AnyEvent = &E;
    let probes = (
        event.attach_firing(move |firing| mine.lock().unwrap().push(firing.span())),
        S.attach_begin(|_| ()),
    );
    fire!(E);
    let span = start!(S).entered();
    fire!(E);
    assert_eq!(*seen.lock().unwrap(), [None, span.id()]);
    drop((span, probes));
}

#[test]
fn an_event_and_a_span_of_one_batch_come_and_go_together() {
    hotprobe::event! { static E: fn(); }
    hotprobe::span! { static S: fn() -> (status: u16); }
    let log = Log::default();
    let events = Arc::new(AtomicUsize::new(0));
    let mut batch = Batch::new();
    S.attach_in_with(
        &mut batch,
        ProbeOptions::new().name("watch"),
        log.begin(),
        log.end(),
    );
    {
        let events = Arc::clone(&events);
        E.attach_in(&mut batch, move || {
            events.fetch_add(1, Ordering::Relaxed);
        });
    }
    S.attach_boxed_in(
        &mut batch,
        ProbeOptions::new(),
        Box::new(log.begin()),
        Box::new(log.end()),
    );
    assert!(!S.is_enabled() && !E.is_enabled());
    let mut group = batch.commit();
    assert_eq!((S.probe_count(), group.len()), (2, 3));
    assert_eq!(S.probes()[0].name(), Some("watch"));
    let open = start!(S);
    fire!(E);
    group.detach();
    drop(open);
    fire!(E);
    assert_eq!(events.load(Ordering::Relaxed), 1);
    assert_eq!(log.take().len(), 2);
    assert!(!S.is_enabled() && !E.is_enabled());
}

#[test]
fn generics_traits_lifetimes_and_shadowed_names() {
    #[allow(non_upper_case_globals)]
    const status: u16 = 404;
    #[derive(Clone, Copy, Debug)]
    struct Own;
    hotprobe::span! {
        static S: for<'a> fn(parts: &'a [&'a str], own: Own, status: u16) -> (parts: &'a [&'a str], status: u16);
        pub(crate) static EMPTY: pub(self) fn() -> ();
    }
    trait Service {
        fn call<T: AsRef<str>>(&self, part: T) -> usize;
    }
    impl Service for Own {
        fn call<T: AsRef<str>>(&self, part: T) -> usize {
            let span = start!(S, &[part.as_ref()], *self, status);
            end!(span, &[part.as_ref(), "b"], status);
            part.as_ref().len()
        }
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (first, second) = (seen.clone(), seen.clone());
    let _probe = S.attach(
        move |_, parts, own, code| {
            first
                .lock()
                .unwrap()
                .push(format!("{parts:?} {own:?} {code}"))
        },
        move |_, parts, code| second.lock().unwrap().push(format!("{parts:?} {code:?}")),
    );
    assert_eq!(Own.call(String::from("a")), 1);
    start!(EMPTY).end();
    assert_eq!(
        *seen.lock().unwrap(),
        ["[\"a\"] Own 404", "Some([\"a\", \"b\"]) Some(404)"]
    );
}

#[test]
fn code_over_any_span_attaches_boxed_pairs() {
    hotprobe::span! { static S: fn() -> (status: u16); }
    fn attach<T: TypedSpan>(span: &'static T, begin: Box<T::Begin>, end: Box<T::End>) -> Probe {
        span.attach_boxed(begin, end)
    }
    let log = Log::default();
    let probe = attach(&S, Box::new(log.begin()), Box::new(log.end()));
    start!(S).end(1);
    assert_eq!(log.ends(), [(Outcome::Ended, Some(1))]);
    assert!(format!("{:?} {probe:?}", S).contains(S.name()));
}

#[test]
fn a_span_that_is_leaked_has_no_end() {
    hotprobe::span! { static S: fn() -> (status: u16); }
    let log = Log::default();
    let _probe = S.attach(log.begin(), log.end());
    std::mem::forget(start!(S));
    assert!(matches!(log.take()[..], [Seen::Begin(..)]));
}

#[test]
fn many_threads_begin_attach_and_end_and_each_probe_sees_pairs() {
    hotprobe::span! { static S: fn() -> (status: u16); }
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (sender, receiver) = std::sync::mpsc::sync_channel::<Span<S>>(16);
    let begins = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                sender.send(start!(S)).unwrap();
                start!(S).end(1);
            }
        })
    };
    let ends = std::thread::spawn(move || receiver.into_iter().for_each(|span| span.end(2)));
    for round in 0..300 {
        let (began, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let unpaired = Arc::new(Mutex::new(std::collections::HashSet::new()));
        let (a, b, u, v) = (
            began.clone(),
            ended.clone(),
            unpaired.clone(),
            unpaired.clone(),
        );
        let begin = move |begin: &SpanBegin| {
            a.fetch_add(1, Ordering::Relaxed);
            assert!(u.lock().unwrap().insert(begin.id()), "it began twice");
        };
        let end = move |end: &SpanEnd, _: Option<u16>| {
            b.fetch_add(1, Ordering::Relaxed);
            assert!(
                v.lock().unwrap().remove(&end.id()),
                "an end without its begin"
            );
        };
        let probe = if round % 2 == 0 {
            vec![S.attach(begin, end)]
        } else {
            let mut batch = Batch::new();
            S.attach_in(&mut batch, begin, end);
            batch.commit().into_iter().collect()
        };
        while ended.load(Ordering::Relaxed) < 50 {
            std::thread::yield_now();
        }
        assert!(!probe[0].has_panicked());
        probe[0].detach_and_wait().unwrap();
        assert!(!probe[0].has_panicked());
        let open = unpaired.lock().unwrap().len();
        assert_eq!(
            began.load(Ordering::Relaxed),
            ended.load(Ordering::Relaxed) + open
        );
        // Those in the channel, in both threads' hands, and one in each half.
        assert!(open <= 16 + 4, "{open} have no end");
    }
    stop.store(true, Ordering::Relaxed);
    begins.join().unwrap();
    ends.join().unwrap();
}

#[test]
fn guards_are_send_and_fit_in_two_words() {
    hotprobe::span! { static S: fn(); }
    fn is_send<T: Send + Sync + 'static>(_: &T) {}
    let span = start!(S);
    is_send(&span);
    assert_eq!(size_of::<Span<S>>(), 16);
    let _ = AssertUnwindSafe(span);
}
