//! G10: synchronize waits for others, never for itself.

use crate::{Door, Witness, eventually, isolated};
use hotprobe::SynchronizeError::{InProbe, TimedOut};
use hotprobe::{synchronize, synchronize_timeout};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const MOMENT: Duration = Duration::from_millis(20);

#[test]
fn inside_a_probe_pinned_or_a_captured_drop_it_returns_in_probe() {
    hotprobe::event! { static INSIDE: fn(); }
    let results = Arc::new(Mutex::new(Vec::new()));
    let probe = Arc::new(INSIDE.attach({
        let results = Arc::clone(&results);
        move || {
            results.lock().unwrap().push(synchronize());
            results
                .lock()
                .unwrap()
                .push(synchronize_timeout(Duration::MAX));
        }
    }));
    INSIDE.fire();
    hotprobe::pinned(|| {
        results.lock().unwrap().push(synchronize());
        INSIDE.fire();
        assert_eq!(probe.detach_and_wait(), Err(InProbe), "an error, but");
        assert!(!probe.is_attached(), "detached all the same");
    });
    struct Synchronizes(Arc<Mutex<Vec<Result<(), hotprobe::SynchronizeError>>>>);
    impl Drop for Synchronizes {
        fn drop(&mut self) {
            self.0.lock().unwrap().push(synchronize());
        }
    }
    let captured = Synchronizes(Arc::clone(&results));
    let probe = INSIDE.attach(move || {
        let _ = &captured;
    });
    probe.detach_and_wait().unwrap();
    assert_eq!(*results.lock().unwrap(), [Err(InProbe); 6]);
    assert_eq!(synchronize(), Ok(()), "and outside again it works");
}

#[test]
fn with_a_thread_stuck_in_a_probe_it_times_out_and_can_be_called_again() {
    hotprobe::event! { static STUCK: fn(); static FREE: fn(); }
    let door = Arc::new(Door::new());
    let stuck = STUCK.attach({
        let door = Arc::clone(&door);
        move || door.pass()
    });
    thread::scope(|scope| {
        scope.spawn(|| STUCK.fire());
        door.wait_for_arrival();
        let grace = hotprobe::grace_period();
        for _ in 0..5 {
            let begin = Instant::now();
            assert_eq!(synchronize_timeout(MOMENT), Err(TimedOut));
            assert!(begin.elapsed() >= MOMENT);
            assert_eq!(synchronize_timeout(Duration::ZERO), Err(TimedOut));
            assert!(!grace.is_over());
        }
        // Attach, detach and fire continue to work meanwhile.
        let calls = Arc::new(AtomicU64::new(0));
        let (witness, dropped) = Witness::new();
        let free = FREE.attach({
            let calls = Arc::clone(&calls);
            move || {
                witness.touch();
                calls.fetch_add(1, Ordering::SeqCst);
            }
        });
        FREE.fire();
        free.detach();
        FREE.fire();
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert!(dropped.try_recv().is_err());
        door.open();
        synchronize().unwrap();
        dropped.try_recv().unwrap();
        assert!(grace.is_over());
    });
    drop(stuck);
}

#[test]
fn a_pinned_scope_holds_it_up_and_its_end_lets_it_go() {
    let door = Door::new();
    thread::scope(|scope| {
        scope.spawn(|| hotprobe::pinned(|| door.pass()));
        door.wait_for_arrival();
        assert_eq!(synchronize_timeout(MOMENT), Err(TimedOut));
        let waiter = scope.spawn(synchronize);
        thread::sleep(MOMENT);
        assert!(!waiter.is_finished());
        door.open();
        waiter.join().unwrap().unwrap();
    });
}

#[test]
fn while_eight_threads_fire_it_returns_and_what_was_detached_is_never_called_again() {
    hotprobe::event! { static CROWDED: fn(); }
    let stop = AtomicBool::new(false);
    let keeps_it_enabled = CROWDED.attach(|| ());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    CROWDED.fire();
                }
            });
        }
        for _ in 0..200 {
            let over = Arc::new(AtomicBool::new(false));
            let (witness, dropped) = Witness::new();
            let probe = CROWDED.attach({
                let over = Arc::clone(&over);
                move || {
                    witness.touch();
                    assert!(!over.load(Ordering::SeqCst), "called after synchronize");
                }
            });
            probe.detach();
            synchronize().unwrap();
            over.store(true, Ordering::SeqCst);
            dropped.try_recv().expect("dropped by then");
            assert!(!probe.has_panicked());
        }
        stop.store(true, Ordering::Relaxed);
    });
    drop(keeps_it_enabled);
}

#[test]
fn a_stream_of_later_retires_cannot_starve_it() {
    hotprobe::event! { static STREAM: fn(); }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    STREAM.attach(|| ()).detach();
                }
            });
        }
        for _ in 0..50 {
            synchronize().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_grace_period_is_over_without_anybody_blocking() {
    hotprobe::event! { static POLLED: fn(); }
    let (witness, dropped) = Witness::new();
    let probe = POLLED.attach(move || witness.touch());
    probe.detach();
    let grace = hotprobe::grace_period();
    eventually("the grace period is over", || grace.is_over());
    dropped.try_recv().unwrap();
    let copy = grace;
    assert!(grace.is_over() && copy.is_over(), "once over, over forever");
}

#[test]
fn grace_periods_are_equal_if_they_wait_for_the_same() {
    isolated(
        "synchronize::grace_periods_are_equal_if_they_wait_for_the_same",
        || {
            hotprobe::event! { static EQUAL: fn(); }
            let probe = EQUAL.attach(|| ());
            let before = hotprobe::grace_period();
            assert_eq!(before, hotprobe::grace_period(), "nothing happened between");
            hotprobe::pinned(|| probe.detach());
            let after = hotprobe::grace_period();
            assert_ne!(before, after, "only one waits for the detach");
            eventually("both are over", || before.is_over() && after.is_over());
        },
    );
}

#[test]
fn many_synchronizers_at_once_all_return() {
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..100 {
                    synchronize().unwrap();
                }
            });
        }
    });
}

#[test]
fn a_timeout_costs_no_memory() {
    isolated("synchronize::a_timeout_costs_no_memory", || {
        let door = Door::new();
        thread::scope(|scope| {
            scope.spawn(|| hotprobe::pinned(|| door.pass()));
            door.wait_for_arrival();
            let _ = synchronize_timeout(Duration::ZERO);
            let before = crate::alloc::live_bytes();
            for _ in 0..10_000 {
                let _ = synchronize_timeout(Duration::ZERO);
            }
            let after = crate::alloc::live_bytes();
            assert!(after - before < 4096, "{} bytes", after - before);
            door.open();
        });
        synchronize().unwrap();
    });
}

/// Each dropped capture detaches a probe in turn, whose number is later than all that was asked
/// for; and they come faster than one thread can drop them.
#[test]
fn nor_can_a_stream_of_captured_drops_that_detach() {
    isolated(
        "synchronize::nor_can_a_stream_of_captured_drops_that_detach",
        || {
            hotprobe::event! { static INNER: fn(); static OUTER: fn(); }
            struct Slow(Option<hotprobe::Probe>);
            impl Drop for Slow {
                fn drop(&mut self) {
                    drop(self.0.take());
                    thread::sleep(Duration::from_millis(1));
                }
            }
            const PATIENCE: Duration = Duration::from_secs(60);
            let (stop, gave_up) = (AtomicBool::new(false), AtomicBool::new(false));
            thread::scope(|scope| {
                scope.spawn(|| {
                    let begin = Instant::now();
                    while !stop.load(Ordering::Relaxed) {
                        let slow = Slow(Some(INNER.attach(|| ())));
                        let outer = OUTER.attach(move || {
                            let _ = &slow;
                        });
                        // Only retires: others have to drop it.
                        hotprobe::pinned(|| outer.detach());
                        thread::sleep(Duration::from_micros(200));
                        if begin.elapsed() > PATIENCE {
                            gave_up.store(true, Ordering::Relaxed);
                            break;
                        }
                    }
                });
                eventually("some wait", || hotprobe::stats().retired > 100);
                synchronize().unwrap();
                stop.store(true, Ordering::Relaxed);
            });
            assert!(
                !gave_up.load(Ordering::Relaxed),
                "they went after what others retired"
            );
        },
    );
}

#[test]
fn nor_can_a_chain_of_them_that_begins_when_the_wait_does() {
    isolated(
        "synchronize::nor_can_a_chain_of_them_that_begins_when_the_wait_does",
        || {
            hotprobe::event! { static STUCK: fn(); static CHAIN: fn(); }
            struct Stuck(Arc<Door>);
            impl Drop for Stuck {
                fn drop(&mut self) {
                    self.0.pass();
                }
            }
            struct Link(Option<hotprobe::Probe>, Arc<AtomicU64>);
            impl Drop for Link {
                fn drop(&mut self) {
                    self.1.fetch_add(1, Ordering::SeqCst);
                    drop(self.0.take());
                }
            }
            let dropped = Arc::new(AtomicU64::new(0));
            let mut chain = None;
            for _ in 0..1000 {
                let link = Link(chain.take(), Arc::clone(&dropped));
                chain = Some(CHAIN.attach(move || {
                    let _ = &link;
                }));
            }
            let door = Arc::new(Door::new());
            let stuck = Stuck(Arc::clone(&door));
            let probe = STUCK.attach(move || {
                let _ = &stuck;
            });
            thread::scope(|scope| {
                scope.spawn(move || probe.detach());
                door.wait_for_arrival();
                // Waits for what another thread is dropping; the chain comes right after it.
                let grace = hotprobe::grace_period();
                hotprobe::pinned(|| drop(chain));
                let over = grace.is_over();
                let dropped = dropped.load(Ordering::SeqCst);
                door.open();
                assert!(!over);
                assert!(dropped < 100, "it was led on by {dropped}");
            });
        },
    );
}

#[test]
fn a_grace_period_that_is_over_drops_no_further() {
    isolated(
        "synchronize::a_grace_period_that_is_over_drops_no_further",
        || {
            hotprobe::event! { static EARLY: fn(); static LATE: fn(); }
            struct Counts(Arc<AtomicU64>);
            impl Drop for Counts {
                fn drop(&mut self) {
                    self.0.fetch_add(1, Ordering::SeqCst);
                }
            }
            let (early, late) = <(Arc<AtomicU64>, Arc<AtomicU64>)>::default();
            let counts = Counts(Arc::clone(&early));
            let probe = EARLY.attach(move || {
                let _ = &counts;
            });
            let mut batch = hotprobe::Batch::new();
            for _ in 0..100 {
                let counts = Counts(Arc::clone(&late));
                LATE.attach_in(&mut batch, move || {
                    let _ = &counts;
                });
            }
            let group = batch.commit();
            hotprobe::pinned(|| drop(probe));
            let grace = hotprobe::grace_period();
            // Retired later, and dropped by those who ask for it.
            hotprobe::pinned(|| drop(group));
            eventually("it is over", || grace.is_over());
            assert_eq!(early.load(Ordering::SeqCst), 1);
            assert_eq!(late.load(Ordering::SeqCst), 0);
            hotprobe::reclaim();
            assert_eq!(late.load(Ordering::SeqCst), 100);
        },
    );
}

#[test]
fn the_timeout_holds_while_many_captures_drop_slowly() {
    isolated(
        "synchronize::the_timeout_holds_while_many_captures_drop_slowly",
        || {
            hotprobe::event! { static SLOW: fn(); }
            struct Slow(Arc<AtomicU64>);
            impl Drop for Slow {
                fn drop(&mut self) {
                    thread::sleep(Duration::from_millis(5));
                    self.0.fetch_add(1, Ordering::SeqCst);
                }
            }
            let dropped = Arc::new(AtomicU64::new(0));
            let group: hotprobe::ProbeGroup = (0..100)
                .map(|_| {
                    let slow = Slow(Arc::clone(&dropped));
                    SLOW.attach(move || {
                        let _ = &slow;
                    })
                })
                .collect();
            hotprobe::pinned(|| drop(group));
            assert_eq!(synchronize_timeout(MOMENT), Err(TimedOut));
            assert!(
                dropped.load(Ordering::SeqCst) < 50,
                "it went on after its time was up"
            );
            synchronize().unwrap();
            assert_eq!(dropped.load(Ordering::SeqCst), 100);
        },
    );
}

#[test]
fn a_grace_period_that_is_over_stays_over() {
    isolated(
        "synchronize::a_grace_period_that_is_over_stays_over",
        || {
            hotprobe::event! { static LARGE: fn(); static INNER: fn(); static OUTER: fn(); }
            let grace = hotprobe::grace_period();
            eventually("it is over", || grace.is_over());
            let mut batch = hotprobe::Batch::new();
            for _ in 0..5000 {
                LARGE.attach_in(&mut batch, || ());
            }
            let group = batch.commit();
            let inner = INNER.attach(|| ());
            let outer = OUTER.attach(move || {
                let _ = &inner;
            });
            // Much memory waits, and a closure whose drop detaches another.
            hotprobe::pinned(|| {
                outer.detach();
                drop(LARGE.attach(|| ()));
            });
            let _kept = INNER.attach(|| ());
            let door = Door::new();
            thread::scope(|scope| {
                scope.spawn(|| hotprobe::pinned(|| door.pass()));
                door.wait_for_arrival();
                hotprobe::pinned(|| drop(LARGE.attach(|| ())));
                assert!(grace.is_over() && grace.is_over());
                door.open();
            });
            drop(group);
        },
    );
}
