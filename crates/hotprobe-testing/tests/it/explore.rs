//! Schedules by seed.

use hotprobe_testing::{self as testing, Failure, Options, Summary};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Two threads add to a counter, not atomically.
fn lost_update(number: usize, seed: u64) -> Result<Summary, Failure> {
    hotprobe::event! { static ADD: fn(read: u32); }
    Options::new().try_explore(number, seed, |t| {
        t.attach(|batch, to| ADD.attach_in(batch, move |_| to.send("counter", ())));
        let counter = Arc::new(AtomicU32::new(0));
        let threads = [(); 2].map(|()| {
            let counter = Arc::clone(&counter);
            testing::spawn(move || {
                ADD.fire(0);
                let read = counter.load(Ordering::SeqCst);
                ADD.fire(read);
                counter.store(read + 1, Ordering::SeqCst);
            })
        });
        threads.into_iter().for_each(testing::JoinHandle::join);
        assert_eq!(counter.load(Ordering::SeqCst), 2, "an update is lost");
    })
}

#[test]
fn a_lost_update_is_found_and_replayed_by_its_seed() {
    let failure = lost_update(200, 1).unwrap_err();
    assert!(failure.report().contains("an update is lost"), "{failure}");
    let (_, seed) = failure.run().split_once("(seed 0x").unwrap();
    let seed = u64::from_str_radix(seed.trim_end_matches(')'), 16).unwrap();
    let again = lost_update(1, seed).unwrap_err();
    assert!(again.report().contains("an update is lost"), "{again}");
    assert_eq!(again.run(), format!("explore@0 (seed {seed:#x})"));
}

/// In which order three threads come through, by two steps each.
fn orders(number: usize, seed: u64) -> Vec<String> {
    hotprobe::event! { static STEP: fn(by: &str); }
    let mut orders = Vec::new();
    Options::new().explore(number, seed, |t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |by| to.send(by, ())));
        let order = Arc::new(Mutex::new(String::new()));
        let threads = ["a", "b", "c"].map(|by| {
            let order = Arc::clone(&order);
            testing::spawn(move || {
                for _ in 0..2 {
                    STEP.fire(by);
                    order.lock().unwrap().push_str(by);
                }
            })
        });
        threads.into_iter().for_each(testing::JoinHandle::join);
        orders.push(order.lock().unwrap().clone());
    });
    orders
}

#[test]
fn schedules_differ_by_seed_and_are_the_same_for_the_same() {
    let first = orders(30, 7);
    let different: BTreeSet<_> = first.iter().collect();
    assert!(different.len() >= 6, "{different:?}");
    let second = orders(30, 7);
    // On a busy machine a thread may be taken to be blocked that is only slow.
    let same = first.iter().zip(&second).filter(|(a, b)| a == b).count();
    assert!(same >= 28, "{same} are the same: {first:?} {second:?}");
}

#[test]
fn events_may_be_taken_and_need_not_be() {
    hotprobe::event! { static STEP: fn(by: &str, n: u32); }
    Options::new().explore(10, 3, |t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |by, n| to.send(by, n)));
        let threads =
            ["a", "b"].map(|by| testing::spawn(move || (0..3).for_each(|n| STEP.fire(by, n))));
        t.expect("b", 0_u32);
        t.expect("b", 1_u32);
        threads.into_iter().for_each(testing::JoinHandle::join);
    });
}

#[test]
fn a_thread_that_is_blocked_is_not_waited_for() {
    hotprobe::event! { static STEP: fn(by: &str); }
    Options::new().explore(20, 5, |t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |by| to.send(by, ())));
        let (sender, receiver) = std::sync::mpsc::channel();
        let a = testing::spawn(move || {
            STEP.fire("a");
            receiver.recv().unwrap();
            STEP.fire("a");
        });
        let b = testing::spawn(move || {
            STEP.fire("b");
            sender.send(()).unwrap();
            STEP.fire("b");
        });
        a.join();
        b.join();
    });
}

#[test]
fn a_deadlock_is_found() {
    hotprobe::event! { static LOCKED: fn(by: &str); }
    let options = Options::new().dead_time(Duration::from_millis(1500));
    let failure = options.try_explore(200, 11, |t| {
        t.attach(|batch, to| LOCKED.attach_in(batch, move |by| to.send(by, "one of two")));
        let locks = Arc::new((Mutex::new(0), Mutex::new(0)));
        let a = {
            let locks = Arc::clone(&locks);
            testing::spawn(move || {
                let _first = locks.0.lock();
                LOCKED.fire("a");
                let _second = locks.1.lock();
            })
        };
        let b = testing::spawn(move || {
            LOCKED.fire("b");
            let _second = locks.1.lock();
            LOCKED.fire("b");
            let _first = locks.0.lock();
        });
        a.join();
        b.join();
    });
    let failure = failure.unwrap_err();
    assert!(
        failure
            .report()
            .starts_with("deadlock: a joined thread has not ended"),
        "{failure}"
    );
    assert!(failure.run().starts_with("explore@"), "{failure}");
}

#[test]
fn holding_is_refused() {
    let failure = Options::new().try_explore(1, 0, |t| {
        let _held = t.expect_held("t", 1);
    });
    let failure = failure.unwrap_err();
    assert!(
        failure
            .report()
            .starts_with("a sender cannot be held in `explore`, which chooses the order itself"),
        "{failure}"
    );
}
