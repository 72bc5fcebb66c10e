//! G2: probes run in attach order, on the firing thread, before `fire` returns.

use hotprobe::Probe;
use std::sync::{Arc, Mutex};
use std::thread;

hotprobe::event! {
    static STEP: fn(n: u64);
    static WHERE: fn();
}

#[test]
fn attach_order_is_firing_order_at_each_step() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let attach = |name: &'static str| -> Probe {
        let seen = Arc::clone(&seen);
        STEP.attach(move |n| seen.lock().unwrap().push((name, n)))
    };
    let mut n = 0;
    let mut fire = |expected: &[&'static str]| {
        n += 1;
        STEP.fire(n);
        let got: Vec<_> = seen.lock().unwrap().drain(..).collect();
        let expected: Vec<_> = expected.iter().map(|name| (*name, n)).collect();
        assert_eq!(got, expected);
        assert_eq!(STEP.probe_count(), expected.len());
        assert_eq!(STEP.is_enabled(), !expected.is_empty());
    };

    fire(&[]);
    let p1 = attach("p1");
    fire(&["p1"]);
    assert!(p1.detach());
    fire(&[]);
    assert!(!p1.detach(), "harmless the second time");
    fire(&[]);
    let p1 = attach("p1");
    fire(&["p1"]);
    let p2 = attach("p2");
    fire(&["p1", "p2"]);
    let p3 = attach("p3");
    fire(&["p1", "p2", "p3"]);
    assert!(p2.detach());
    fire(&["p1", "p3"]);
    assert!(p1.detach());
    fire(&["p3"]);
    assert!(p3.detach());
    fire(&[]);
}

#[test]
fn probes_run_on_the_firing_thread_before_fire_returns() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let probe = WHERE.attach({
        let seen = Arc::clone(&seen);
        move || seen.lock().unwrap().push(thread::current().id())
    });
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                WHERE.fire();
                assert!(seen.lock().unwrap().contains(&thread::current().id()));
            });
        }
    });
    assert_eq!(seen.lock().unwrap().len(), 4);
    drop(probe);
}

#[test]
fn a_batch_keeps_the_order_of_queuing_and_comes_after_what_is_there() {
    hotprobe::event! { static ORDERED: fn(); static OTHER: fn(); }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = |n: u32| {
        let seen = Arc::clone(&seen);
        move || seen.lock().unwrap().push(n)
    };
    let first = ORDERED.attach(note(0));
    let mut batch = hotprobe::Batch::new();
    for n in 1..=20 {
        ORDERED.attach_in(&mut batch, note(n));
        OTHER.attach_in(&mut batch, note(100 + n));
    }
    let group = batch.commit();
    let last = ORDERED.attach(note(21));
    ORDERED.fire();
    assert_eq!(*seen.lock().unwrap(), (0..=21).collect::<Vec<_>>());
    seen.lock().unwrap().clear();
    OTHER.fire();
    assert_eq!(*seen.lock().unwrap(), (101..=120).collect::<Vec<_>>());
    assert_eq!((group.len(), ORDERED.probe_count()), (40, 22));
    drop((first, group, last));
    assert_eq!((ORDERED.probe_count(), OTHER.probe_count()), (0, 0));
}
