//! G9: recursion is bounded.

use crate::isolated;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

hotprobe::event! {
    static RECURSIVE: fn();
    static OTHER: fn();
}

#[test]
fn eight_firings_nest_and_the_ninth_is_skipped_and_counted() {
    isolated(
        "depth::eight_firings_nest_and_the_ninth_is_skipped_and_counted",
        || {
            let calls = Arc::new(AtomicU64::new(0));
            let probe = RECURSIVE.attach({
                let calls = Arc::clone(&calls);
                move || {
                    calls.fetch_add(1, Ordering::SeqCst);
                    RECURSIVE.fire();
                }
            });
            for round in 1..=100 {
                RECURSIVE.fire();
                assert_eq!(calls.load(Ordering::SeqCst), 8 * round);
                assert_eq!(hotprobe::stats().skipped_nested, round);
            }
            // `pinned` is not a level, however deep.
            hotprobe::pinned(|| hotprobe::pinned(|| hotprobe::pinned(|| RECURSIVE.fire())));
            assert_eq!(calls.load(Ordering::SeqCst), 8 * 101);
            assert_eq!(hotprobe::stats().skipped_nested, 101);
            // Nor do other threads count.
            thread::spawn(|| RECURSIVE.fire()).join().unwrap();
            assert_eq!(calls.load(Ordering::SeqCst), 8 * 102);
            drop(probe);
            hotprobe::synchronize().unwrap();
        },
    );
}

#[test]
fn two_events_that_fire_one_another_are_bounded_and_the_depth_comes_back() {
    let calls = Arc::new(AtomicU64::new(0));
    let ping = |event: fn()| {
        let calls = Arc::clone(&calls);
        move || {
            calls.fetch_add(1, Ordering::SeqCst);
            event();
        }
    };
    hotprobe::event! { static PING: fn(); static PONG: fn(); }
    let one = PING.attach(ping(|| PONG.fire()));
    let two = PONG.attach(ping(|| PING.fire()));
    for n in 1..=10 {
        PING.fire();
        assert_eq!(calls.load(Ordering::SeqCst), 8 * n);
    }
    drop((one, two));
    let probe = OTHER.attach(|| ());
    OTHER.fire();
    probe.detach_and_wait().unwrap();
}
