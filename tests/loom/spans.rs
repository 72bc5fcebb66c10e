//! **A span's halves belong together** (G16): no probe gets an end without its begin, and each
//! begin has its end, except for a detach. And spans are part of a batch's one instant (G5).

use crate::{UNLIMITED, check, warm};
use hotprobe::{Batch, Probe, ProbeGroup, SpanBegin, SpanEnd, start};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

hotprobe::span! { static S: fn(); }
hotprobe::event! { static E: fn(); }

/// What the pair of one probe saw.
#[derive(Clone, Default)]
struct Seen {
    begins: Arc<AtomicUsize>,
    ends: Arc<AtomicUsize>,
}

impl Seen {
    fn get(&self) -> (usize, usize) {
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        (count(&self.begins), count(&self.ends))
    }

    fn begin(&self) -> impl Fn(&SpanBegin) + Send + Sync + 'static {
        let begins = Arc::clone(&self.begins);
        move |_| {
            begins.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn end(&self) -> impl Fn(&SpanEnd) + Send + Sync + 'static {
        let ends = Arc::clone(&self.ends);
        move |_| {
            ends.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn attach(&self, span: S) -> Probe {
        span.attach(self.begin(), self.end())
    }

    fn attach_in(&self, batch: &mut Batch, span: S) {
        span.attach_in(batch, self.begin(), self.end());
    }
}

/// Two threads: one runs `changes`, the other `spans`. Then the same with the bodies exchanged:
/// loom is not blind in the same place for both.
fn both(exchanged: bool, changes: impl FnOnce() + 'static, spans: impl FnOnce() + 'static) {
    if exchanged {
        let changing = warm(changes);
        spans();
        changing.join();
    } else {
        let spanning = warm(spans);
        changes();
        spanning.join();
    }
}

fn attach_in_a_batch(span: S, pairs: &[&Seen]) -> ProbeGroup {
    let mut batch = Batch::new();
    for seen in pairs {
        seen.attach_in(&mut batch, span);
    }
    batch.commit()
}

/// One attaches, one begins a span and ends it.
fn attach(beside_another: bool, batched: bool) {
    for exchanged in [false, true] {
        check(UNLIMITED, move || {
            let s = S::new();
            let (first, seen) = (Seen::default(), Seen::default());
            let other = beside_another.then(|| first.attach(s));
            let mine = seen.clone();
            both(
                exchanged,
                move || {
                    if batched {
                        attach_in_a_batch(s, &[&mine]).leak();
                    } else {
                        mine.attach(s).leak();
                    }
                },
                move || start!(s).end(),
            );
            let (begins, ends) = seen.get();
            assert_eq!(begins, ends, "an end without its begin, or none");
            if beside_another {
                assert_eq!(first.get(), (1, 1));
            }
            other.into_iter().for_each(Probe::leak);
        });
    }
}

/// Cost: 34 executions, below 0.1 s (2 explorations).
#[test]
fn an_attach_alone() {
    attach(false, false);
}

/// Cost: 146 executions, 0.1 s (2 explorations).
#[test]
fn an_attach_beside_another() {
    attach(true, false);
}

/// Cost: 34 executions, below 0.1 s (2 explorations).
#[test]
fn an_attach_in_a_batch() {
    attach(false, true);
}

/// Cost: 146 executions, below 0.1 s (2 explorations).
#[test]
fn an_attach_in_a_batch_beside_another() {
    attach(true, true);
}

/// One commits two pairs to one span, one begins it and ends it.
///
/// Cost: 34 executions, below 0.1 s (2 explorations).
#[test]
fn two_probes_of_one_batch() {
    for exchanged in [false, true] {
        check(UNLIMITED, move || {
            let s = S::new();
            let (a, b) = (Seen::default(), Seen::default());
            let (mine, other) = (a.clone(), b.clone());
            both(
                exchanged,
                move || attach_in_a_batch(s, &[&mine, &other]).leak(),
                move || start!(s).end(),
            );
            assert_eq!(a.get().0, a.get().1, "an end without its begin, or none");
            assert_eq!(a.get(), b.get(), "half a batch");
        });
    }
}

/// One commits pairs to two spans, one begins the second inside the first: if it found the first,
/// it finds the second.
///
/// Cost: 225 executions, 0.2 s (2 explorations).
#[test]
fn two_spans_of_one_batch() {
    for exchanged in [false, true] {
        check(UNLIMITED, move || {
            let (outer, inner) = (S::new(), S::new());
            let (a, b) = (Seen::default(), Seen::default());
            let (mine, other) = (a.clone(), b.clone());
            let (found, then) = (a.clone(), b.clone());
            both(
                exchanged,
                move || {
                    let mut batch = Batch::new();
                    mine.attach_in(&mut batch, outer);
                    other.attach_in(&mut batch, inner);
                    batch.commit().leak();
                },
                move || {
                    let span = start!(outer);
                    start!(inner).end();
                    if found.get().0 == 1 {
                        assert_eq!(then.get(), (1, 1), "half a batch");
                    }
                    span.end();
                },
            );
            for seen in [a, b] {
                assert_eq!(
                    seen.get().0,
                    seen.get().1,
                    "an end without its begin, or none"
                );
            }
        });
    }
}

/// One commits a probe of an event and a pair of a span, in either order; one fires the event
/// before or after the span: if it found the first, it finds the second.
///
/// Cost: 744 executions, 0.4 s (8 explorations).
#[test]
fn an_event_and_a_span_of_one_batch() {
    for exchanged in [false, true] {
        for event_first in [false, true] {
            for span_queued_first in [false, true] {
                check(UNLIMITED, move || {
                    event_and_span(exchanged, event_first, span_queued_first);
                });
            }
        }
    }
}

fn event_and_span(exchanged: bool, event_first: bool, span_queued_first: bool) {
    let (s, e) = (S::new(), E::new());
    let seen = Seen::default();
    let fired = Arc::new(AtomicUsize::new(0));
    let (mine, counter) = (seen.clone(), Arc::clone(&fired));
    let (span_seen, event_seen) = (seen.clone(), Arc::clone(&fired));
    both(
        exchanged,
        move || {
            let mut batch = Batch::new();
            if span_queued_first {
                mine.attach_in(&mut batch, s);
            }
            e.attach_in(&mut batch, move || {
                counter.fetch_add(1, Ordering::Relaxed);
            });
            if !span_queued_first {
                mine.attach_in(&mut batch, s);
            }
            batch.commit().leak();
        },
        move || {
            if event_first {
                e.fire();
                let found = event_seen.load(Ordering::Relaxed) == 1;
                start!(s).end();
                assert!(!found || span_seen.get() == (1, 1), "half a batch");
            } else {
                start!(s).end();
                let found = span_seen.get().0 == 1;
                e.fire();
                assert!(
                    !found || event_seen.load(Ordering::Relaxed) == 1,
                    "half a batch"
                );
            }
        },
    );
    assert_eq!(
        seen.get().0,
        seen.get().1,
        "an end without its begin, or none"
    );
}

/// One detaches, one begins a span and ends it: an end only if there was a begin.
///
/// Cost: 630 executions, 0.4 s (4 explorations).
#[test]
fn a_detach() {
    for exchanged in [false, true] {
        for beside_another in [false, true] {
            check(UNLIMITED, move || {
                let s = S::new();
                let (first, seen) = (Seen::default(), Seen::default());
                let other = beside_another.then(|| first.attach(s));
                let probe = seen.attach(s);
                both(
                    exchanged,
                    move || {
                        probe.detach();
                    },
                    move || start!(s).end(),
                );
                let (begins, ends) = seen.get();
                assert!(ends <= begins, "an end without its begin");
                if beside_another {
                    assert_eq!(first.get(), (1, 1));
                }
                other.into_iter().for_each(Probe::leak);
            });
        }
    }
}

/// One detaches a batch's group of two pairs: who found one gone finds the other gone, at the end
/// too.
///
/// Cost: 18 763 executions, 8.5 s (2 explorations).
#[test]
fn a_detach_of_a_group() {
    for exchanged in [false, true] {
        check(UNLIMITED, move || {
            let s = S::new();
            let (a, b) = (Seen::default(), Seen::default());
            let mut group = attach_in_a_batch(s, &[&a, &b]);
            both(exchanged, move || group.detach(), move || start!(s).end());
            for seen in [&a, &b] {
                assert!(seen.get().1 <= seen.get().0, "an end without its begin");
            }
            assert!(
                b.get().0 <= a.get().0 && b.get().1 <= a.get().1,
                "half a group"
            );
        });
    }
}

/// One attaches and detaches, one begins a span and ends it.
///
/// Cost: 5 044 executions, 3.2 s (2 explorations).
#[test]
fn an_attach_and_a_detach() {
    for exchanged in [false, true] {
        check(UNLIMITED, move || {
            let s = S::new();
            let (first, seen) = (Seen::default(), Seen::default());
            let other = first.attach(s);
            let mine = seen.clone();
            both(
                exchanged,
                move || {
                    mine.attach(s).detach();
                },
                move || start!(s).end(),
            );
            let (begins, ends) = seen.get();
            assert!(ends <= begins, "an end without its begin");
            assert_eq!(first.get(), (1, 1));
            other.leak();
        });
    }
}

/// Three threads: one begins a span, one attaches, one ends the span.
///
/// Cost: 416 executions, 0.4 s.
#[test]
fn a_span_that_ends_on_another_thread() {
    check(UNLIMITED, || {
        let s = S::new();
        let (first, seen) = (Seen::default(), Seen::default());
        let other = first.attach(s);
        let (sender, receiver) = loom::sync::mpsc::channel();
        let begins = warm(move || sender.send(start!(s)).unwrap());
        let ends = warm(move || receiver.recv().unwrap().end());
        seen.attach(s).leak();
        begins.join();
        ends.join();
        let (begins, ends) = seen.get();
        assert_eq!(begins, ends, "an end without its begin, or none");
        assert_eq!(first.get(), (1, 1));
        other.leak();
    });
}
