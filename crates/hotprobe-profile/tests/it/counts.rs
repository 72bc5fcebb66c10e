//! Firings counted: by event, by label, on any number of threads.

use hotprobe::fire;
use hotprobe_profile::{Counter, Counts, LabelCounter, ProfileError};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

#[test]
fn every_firing_is_counted_whatever_the_threads() {
    hotprobe::event! { static COUNTED: fn(x: u64); static BESIDE: fn(); }
    const THREADS: u32 = 80;
    let counter = Counter::new("in a probe of its own");
    counter.inc_by(7);
    let probe = COUNTED.attach({
        let counter = counter.clone();
        move |_| counter.inc()
    });
    let session = Counts::new()
        .event(&COUNTED)
        .event(&BESIDE)
        .event(&COUNTED)
        .counter(&counter)
        .start()
        .unwrap();
    // More at once than have a place of their own; and again, with the places of those that have
    // ended.
    for _ in 0..2 {
        let barrier = Barrier::new(THREADS as usize);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    fire!(COUNTED, 0);
                    barrier.wait();
                    (1..500).for_each(|i| fire!(COUNTED, i));
                });
            }
        });
    }
    fire!(BESIDE);
    let snapshot = session.finish().unwrap();
    drop(probe);
    fire!(COUNTED, 0);
    let counts: Vec<_> = snapshot
        .events()
        .iter()
        .map(|event| (event.name(), event.count()))
        .collect();
    let all = 2 * u64::from(THREADS) * 500;
    assert_eq!(
        counts,
        [
            (COUNTED.name(), all),
            (BESIDE.name(), 1),
            ("in a probe of its own", all)
        ]
    );
    assert_eq!(counter.count(), all + 7);
}

#[test]
fn what_threads_count_in_their_last_destructors_is_counted() {
    struct Last(Counter);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.inc();
        }
    }
    thread_local!(static LAST: std::cell::RefCell<Option<Last>> = const { std::cell::RefCell::new(None) });
    let counter = Counter::new("last");
    for i in 0..8 {
        let counter = counter.clone();
        // (A scope would not wait for destructors.)
        let thread = thread::spawn(move || {
            // Destructors run in one order or the other.
            let first = i % 2 == 0;
            if first {
                counter.inc();
            }
            LAST.with(|last| *last.borrow_mut() = Some(Last(counter.clone())));
            if !first {
                counter.inc();
            }
        });
        thread.join().unwrap();
    }
    assert_eq!(counter.count(), 16);
}

#[test]
fn labels_are_exact_while_there_is_room_and_bounded_after() {
    hotprobe::event! { static ROUTED: fn(route: &str, status: u16); }
    let session = Counts::new()
        .by(&ROUTED, "route")
        .by(&ROUTED, "status")
        .max_labels(4)
        .start()
        .unwrap();
    let mut fired = 0_u64;
    let mut fire_all = |routes: &[(&str, u64)]| {
        for &(route, times) in routes {
            (0..times).for_each(|i| fire!(ROUTED, route, if i == 0 { 500 } else { 200 }));
            fired += times;
        }
    };
    fire_all(&[("/a", 50), ("/b", 30), ("/c", 2)]);
    let exact = session.snapshot();
    assert_eq!(exact.events().len(), 1, "the event itself is counted once");
    let [routes, statuses] = exact.breakdowns() else {
        panic!("{exact:?}")
    };
    assert_eq!(
        (routes.event(), routes.parameter()),
        (ROUTED.name(), "route")
    );
    assert!(routes.is_exact() && statuses.is_exact());
    let listed = |labels: &hotprobe_profile::Breakdown| -> Vec<_> {
        let labels = labels.labels().iter();
        labels
            .map(|label| (label.label().to_owned(), label.count(), label.error()))
            .collect()
    };
    assert_eq!(
        listed(routes),
        [
            ("/a".into(), 50, 0),
            ("/b".into(), 30, 0),
            ("/c".into(), 2, 0)
        ]
    );
    assert_eq!(
        listed(statuses),
        [("200".into(), 79, 0), ("500".into(), 3, 0)]
    );

    fire_all(&[("/d", 1), ("/e", 1), ("/f", 1), ("/a", 10)]);
    let bounded = session.snapshot();
    let routes = &bounded.breakdowns()[0];
    assert!(!routes.is_exact());
    assert_eq!(routes.total(), 95);
    // /e took the place of /d, and /f that of /c or /e.
    assert_eq!(
        listed(routes)[..2],
        [("/a".into(), 60, 0), ("/b".into(), 30, 0)]
    );
    for (label, count, error) in listed(routes) {
        let exact = match &*label {
            "/a" => 60,
            "/b" => 30,
            "/c" => 2,
            _ => 1,
        };
        assert!(
            count - error <= exact && exact <= count,
            "{label} {count} {error}"
        );
        assert!(error <= routes.total() / 4);
    }
    assert_eq!(routes.max_unlisted(), 2);

    let since = bounded.since(&exact);
    assert_eq!(since.event(ROUTED.name()).unwrap().count(), 13);
    assert_eq!(since.breakdowns()[0].total(), 13);
    assert_eq!(listed(&since.breakdowns()[0])[0], ("/a".into(), 10, 0));
    assert_eq!(
        listed(&since.breakdowns()[1]),
        [("200".into(), 9, 0), ("500".into(), 4, 0)]
    );
    assert_eq!(
        session
            .finish()
            .unwrap()
            .event(ROUTED.name())
            .unwrap()
            .count(),
        fired
    );
}

#[test]
fn labels_are_counted_exactly_on_many_threads() {
    let labels = LabelCounter::new("labels", 10).unwrap();
    thread::scope(|scope| {
        for thread in 0..8 {
            let labels = &labels;
            scope.spawn(move || {
                for i in 0..1000 {
                    labels.inc(["x", "y", "z"][(i + thread) % 3]);
                }
                labels.inc_by("n", 5);
            });
        }
    });
    let session = Counts::new().labels(&labels).start().unwrap();
    let snapshot = session.snapshot();
    let [labels] = snapshot.breakdowns() else {
        panic!("{snapshot:?}")
    };
    assert!(labels.is_exact());
    assert_eq!(
        (labels.event(), labels.parameter(), labels.total()),
        ("labels", "label", 8040)
    );
    let count = |name| {
        labels
            .labels()
            .iter()
            .find(|label| label.label() == name)
            .unwrap()
            .count()
    };
    assert_eq!(count("x") + count("y") + count("z"), 8000);
    assert_eq!(count("n"), 40);
}

#[test]
fn rates_are_counts_by_the_time_that_they_took() {
    hotprobe::event! { static RATED: fn(); }
    let session = Counts::new()
        .event(&RATED)
        .by(&RATED_BY, "of")
        .start()
        .unwrap();
    hotprobe::event! { static RATED_BY: fn(of: &str); }
    (0..1000).for_each(|_| fire!(RATED));
    fire!(RATED_BY, "one");
    thread::sleep(Duration::from_millis(2));
    let first = session.snapshot();
    (0..10).for_each(|_| fire!(RATED));
    thread::sleep(Duration::from_millis(2));
    let second = session.snapshot();
    for (snapshot, count) in [
        (&first, 1000.0),
        (&second, 1010.0),
        (&second.since(&first), 10.0),
    ] {
        let rate = snapshot.event(RATED.name()).unwrap().rate();
        let expected = count / snapshot.duration().as_secs_f64();
        assert!((rate / expected - 1.0).abs() < 1e-9, "{rate} {expected}");
    }
    assert_eq!(
        second.since(&first).duration(),
        second.duration().saturating_sub(first.duration())
    );
    assert!(
        second.since(&first).breakdowns()[0].labels().is_empty(),
        "nothing new"
    );
    let of_nothing = first.since(&first);
    assert!(of_nothing.duration().is_zero() && of_nothing.events()[0].rate() == 0.0);
}

#[test]
fn what_cannot_be_counted_is_refused() {
    hotprobe::event! { static KNOWN: fn(id: u64, #[redact] token: &str); }
    let refused = |counts: Counts| counts.start().unwrap_err().to_string();
    assert_eq!(
        refused(Counts::new()),
        "no event was chosen: call `event` or `matching` before `start`"
    );
    let error = Counts::new()
        .matching("no_such_crate::*")
        .start()
        .unwrap_err();
    assert!(matches!(error, ProfileError::NothingMatches { .. }));
    assert_eq!(
        error.to_string(),
        format!(
            "no event matches `no_such_crate::*` (of {}); `hotprobe::events()` lists their names",
            hotprobe::events().len()
        )
    );
    assert!(refused(Counts::new().matching("no_such_event")).ends_with("; try `*no_such_event*`"));
    assert_eq!(
        refused(Counts::new().event(&KNOWN).by(&KNOWN, "path")),
        format!(
            "`{}` has no parameter `path`; it has `id: u64`, `#[redact] token: &str`",
            KNOWN.name()
        )
    );
    assert!(
        refused(Counts::new().by(&KNOWN, "token"))
            .contains("keeps its parameter `token` to typed probes")
    );
    for room in [0, 65_537] {
        let expected = format!("room for {room} labels is not possible: give 1 to 65536");
        assert_eq!(
            LabelCounter::new("x", room).unwrap_err().to_string(),
            expected
        );
        assert_eq!(
            refused(Counts::new().by(&KNOWN, "id").max_labels(room)),
            expected
        );
    }
    assert!(!KNOWN.is_enabled(), "nothing was attached");
}

#[test]
fn a_session_that_was_detached_or_not_finished_keeps_its_counts() {
    hotprobe::event! { static TICK: fn(); }
    let detached = Counts::new().event(&TICK).start().unwrap();
    let session = Counts::new().event(&TICK).start().unwrap();
    fire!(TICK);
    detached.detach();
    detached.detach();
    fire!(TICK);
    assert_eq!(detached.finish().unwrap().events()[0].count(), 1);
    let error = hotprobe::pinned(|| session.finish().unwrap_err());
    assert!(!TICK.is_enabled());
    fire!(TICK);
    let session = error.into_session();
    assert_eq!(session.snapshot().events()[0].count(), 2);
    assert_eq!(session.finish().unwrap().events()[0].count(), 2);
}

#[test]
fn snapshots_are_compared_by_value() {
    hotprobe::event! { static TICK: fn(label: &str); }
    let session = Counts::new().by(&TICK, "label").start().unwrap();
    fire!(TICK, "a");
    let first = session.snapshot();
    assert_eq!(first, first.clone());
    fire!(TICK, "a");
    let second = session.snapshot();
    assert_ne!(first, second);
    assert_ne!(first.events(), second.events());
    assert_ne!(first.breakdowns(), second.breakdowns());
}

#[test]
fn what_is_given_twice_is_listed_once() {
    hotprobe::event! { static TWICE: fn(label: &str); }
    let counter = Counter::new("own");
    let labels = LabelCounter::new("own", 4).unwrap();
    let session = Counts::new()
        .by(&TWICE, "label")
        .by(&TWICE, "label")
        .counter(&counter)
        .counter(&counter.clone())
        .labels(&labels)
        .labels(&labels.clone())
        .start()
        .unwrap();
    fire!(TWICE, "a");
    counter.inc();
    labels.inc("b");
    let snapshot = session.snapshot();
    let events: Vec<_> = snapshot
        .events()
        .iter()
        .map(|e| (e.name(), e.count()))
        .collect();
    assert_eq!(events, [(TWICE.name(), 1), ("own", 1)]);
    let totals: Vec<_> = snapshot
        .breakdowns()
        .iter()
        .map(|b| (b.event(), b.total()))
        .collect();
    assert_eq!(totals, [(TWICE.name(), 1), ("own", 1)]);
}

#[test]
fn firings_that_a_condition_rejects_are_counted_apart_and_events_that_it_does_not_fit_are_left_out()
{
    mod filtered {
        hotprobe::event! {
            pub(super) static DONE: fn(route: &str, status: u16);
            pub(super) static TICK: fn();
        }
    }
    use filtered::{DONE, TICK};
    let session = Counts::new()
        .by(&DONE, "route")
        .matching("*::counts::filtered::*")
        .filter(r#"status >= 500 && route != "/health""#)
        .start()
        .unwrap();
    let left_out: Vec<_> = session
        .left_out()
        .iter()
        .map(hotprobe_filter::BindError::event)
        .collect();
    assert_eq!(left_out, [TICK.name()]);
    let first = session.snapshot();
    for status in 400..600 {
        fire!(DONE, "/orders", status);
        fire!(DONE, "/health", status);
        fire!(TICK);
    }
    let snapshot = session.finish().unwrap();
    for snapshot in [&snapshot.since(&first), &snapshot] {
        let [done] = snapshot.events() else {
            panic!("{snapshot}")
        };
        assert_eq!((done.count(), done.rejected()), (100, 300));
        let [routes] = snapshot.breakdowns() else {
            panic!("{snapshot}")
        };
        assert_eq!(
            (routes.total(), routes.labels()[0].label()),
            (100, "/orders")
        );
        let text = snapshot.to_string();
        assert!(
            text.contains(r#"where status >= 500 && route != "/health": 300 rejected"#),
            "{text}"
        );
    }
    // One that was chosen by itself has to fit; so has one of a pattern.
    let error = Counts::new()
        .event(&TICK)
        .filter("status > 1")
        .start()
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("has no parameter `status`; it has none"),
        "{error}"
    );
    let error = Counts::new()
        .matching("*::counts::filtered::*")
        .filter("x > 1")
        .start()
        .unwrap_err();
    assert!(
        error.to_string().contains("fits none of the 2 events"),
        "{error}"
    );
    let error = Counts::new()
        .event(&DONE)
        .filter("status >")
        .start()
        .unwrap_err();
    assert!(error.to_string().contains("found the end"), "{error}");
}
