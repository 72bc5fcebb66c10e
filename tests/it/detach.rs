//! G4: what a detach promises; and that concurrent writers lose nothing.

use crate::{Door, Witness, eventually};
use hotprobe::{Batch, Probe, ProbeGroup};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

#[test]
fn a_thread_that_fires_in_a_loop_sees_the_probe_and_then_never_again() {
    hotprobe::event! { static LOOPED: fn(); }
    for _ in 0..100 {
        let calls = Arc::new(AtomicU64::new(0));
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    LOOPED.fire();
                }
            });
            let probe = LOOPED.attach({
                let calls = Arc::clone(&calls);
                move || {
                    calls.fetch_add(1, Ordering::SeqCst);
                }
            });
            eventually("the probe is called", || calls.load(Ordering::SeqCst) > 0);
            probe.detach_and_wait().unwrap();
            let then = calls.load(Ordering::SeqCst);
            for _ in 0..20 {
                thread::yield_now();
            }
            assert_eq!(
                calls.load(Ordering::SeqCst),
                then,
                "called after detach_and_wait"
            );
            stop.store(true, Ordering::Relaxed);
        });
    }
}

#[test]
fn no_firing_that_happens_after_a_detach_calls_the_probe_whichever_call_won() {
    hotprobe::event! { static RACED: fn(); }
    for _ in 0..2000 {
        let gone = Arc::new(AtomicBool::new(false));
        let probe = Arc::new(RACED.attach({
            let gone = Arc::clone(&gone);
            move || assert!(!gone.load(Ordering::SeqCst))
        }));
        let keeps_it_enabled = RACED.attach(|| ());
        let barrier = Barrier::new(2);
        let wins = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    barrier.wait();
                    wins.fetch_add(u64::from(probe.detach()), Ordering::SeqCst);
                    gone.store(true, Ordering::SeqCst);
                    RACED.fire();
                });
            }
        });
        assert_eq!(
            wins.load(Ordering::SeqCst),
            1,
            "exactly one call detached it"
        );
        assert!(!probe.has_panicked(), "called after a detach had returned");
        drop(keeps_it_enabled);
    }
}

#[test]
fn a_firing_in_flight_may_run_on_but_synchronize_waits_for_it() {
    hotprobe::event! { static SLOW: fn(); }
    let door = Arc::new(Door::new());
    let finished = Arc::new(AtomicBool::new(false));
    let (witness, dropped) = Witness::new();
    let probe = SLOW.attach({
        let (door, finished) = (Arc::clone(&door), Arc::clone(&finished));
        move || {
            witness.touch();
            door.pass();
            finished.store(true, Ordering::SeqCst);
        }
    });
    thread::scope(|scope| {
        scope.spawn(|| SLOW.fire());
        door.wait_for_arrival();
        assert!(probe.detach(), "detach does not wait");
        assert!(dropped.try_recv().is_err(), "its captures are in use");
        SLOW.fire(); // would wait at the door forever
        let waiter = scope.spawn(move || {
            hotprobe::synchronize().unwrap();
            assert!(
                finished.load(Ordering::SeqCst),
                "synchronize returned too early"
            );
            dropped
                .try_recv()
                .expect("the captures have been dropped by then");
        });
        thread::sleep(std::time::Duration::from_millis(20));
        assert!(!waiter.is_finished());
        door.open();
        waiter.join().unwrap();
    });
}

#[test]
fn sixteen_threads_that_commit_batches_and_detach_groups_lose_nothing_and_leave_nothing() {
    hotprobe::event! {
        static A: fn(); static B: fn(); static C: fn();
    }
    const ROUNDS: u64 = 300;
    let calls = Arc::new(AtomicU64::new(0));
    let captured = Arc::new(());
    thread::scope(|scope| {
        for seed in 0..16_u64 {
            let (calls, captured) = (&calls, &captured);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let mut batch = Batch::new();
                    let probe = || {
                        let (calls, captured) = (Arc::clone(calls), Arc::clone(captured));
                        move || {
                            let _ = &captured;
                            calls.fetch_add(1, Ordering::Relaxed);
                        }
                    };
                    A.attach_in(&mut batch, probe());
                    if (seed + round) % 2 == 0 {
                        B.attach_in(&mut batch, probe());
                    }
                    C.attach_in(&mut batch, probe());
                    let mut group = batch.commit();
                    let before = calls.load(Ordering::Relaxed);
                    A.fire();
                    C.fire();
                    assert!(
                        calls.load(Ordering::Relaxed) >= before + 2,
                        "its own probes at least"
                    );
                    match round % 3 {
                        0 => group.detach(),
                        1 => drop(group),
                        _ => {
                            let mut batch = Batch::new();
                            batch.detach_group(group);
                            assert!(batch.commit().is_empty());
                        }
                    }
                }
            });
        }
    });
    assert_eq!(
        (A.probe_count(), B.probe_count(), C.probe_count()),
        (0, 0, 0)
    );
    assert!(!A.is_enabled() && !B.is_enabled() && !C.is_enabled());
    hotprobe::synchronize().unwrap();
    assert_eq!(
        Arc::strong_count(&captured),
        1,
        "every capture has been dropped"
    );
}

#[test]
fn a_batch_does_nothing_before_its_commit_and_a_dropped_one_never() {
    hotprobe::event! { static BATCHED: fn(); }
    let calls = Arc::new(AtomicU64::new(0));
    let count = || {
        let calls = Arc::clone(&calls);
        move || {
            calls.fetch_add(1, Ordering::SeqCst);
        }
    };
    let single = BATCHED.attach(count());
    let group = ProbeGroup::from_iter([BATCHED.attach(count())]);
    let (witness, dropped) = Witness::new();

    let mut batch = Batch::new();
    BATCHED.attach_in(&mut batch, move || witness.touch());
    batch.detach(&single);
    batch.detach_group(group);
    BATCHED.fire();
    assert_eq!(
        (calls.load(Ordering::SeqCst), BATCHED.probe_count()),
        (2, 2)
    );

    drop(batch);
    dropped
        .try_recv()
        .expect("what was queued is dropped with it");
    BATCHED.fire();
    assert_eq!(
        (calls.load(Ordering::SeqCst), BATCHED.probe_count()),
        (4, 2)
    );
    assert!(single.is_attached());
    // (The group's probe stays forever: the batch owned it.)

    let mut batch = Batch::new();
    batch.detach(&single);
    BATCHED.attach_in(&mut batch, count());
    let new = batch.commit();
    assert!(!single.is_attached() && !single.detach());
    BATCHED.fire();
    assert_eq!(
        (calls.load(Ordering::SeqCst), BATCHED.probe_count()),
        (6, 2)
    );
    drop(new);
}

#[test]
fn a_dropped_handle_detaches_and_a_leaked_one_does_not() {
    hotprobe::event! { static KEPT: fn(); }
    let probe: Probe = KEPT.attach(|| ());
    drop(probe);
    assert_eq!(KEPT.probe_count(), 0);
    KEPT.attach(|| ()).leak();
    let mut group = ProbeGroup::new();
    group.extend([KEPT.attach(|| ()), KEPT.attach(|| ())]);
    assert_eq!(group.iter().filter(|probe| probe.is_attached()).count(), 2);
    group.leak();
    assert_eq!(KEPT.probe_count(), 3);
}

#[test]
fn a_group_can_be_used_again_after_its_detach() {
    hotprobe::event! { static AGAIN: fn(); }
    let mut group = ProbeGroup::new();
    group.add(AGAIN.attach(|| ()));
    group.detach();
    group.detach();
    assert!(group.is_empty() && !AGAIN.is_enabled());
    group.add(AGAIN.attach(|| ()));
    assert!(!group.is_empty() && AGAIN.is_enabled());
    group.detach_and_wait().unwrap();
    assert!(!AGAIN.is_enabled());
}
