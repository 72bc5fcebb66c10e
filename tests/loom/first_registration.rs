//! **First registration:** cold threads, which get a lane at their first firing, and give it back;
//! the first threads to join crossbeam's collector.

use crate::{Captured, UNLIMITED, check, check_cold, cold, past_its_destructors, preemptions};

hotprobe::event! { static E: fn(); }

/// Three threads: two past their destructors fire, and are the first of the process to join
/// crossbeam's collector: one collector is made.
///
/// Two preemptions, since joining and leaving walk crossbeam's list of threads.
///
/// Cost: 11 480 executions, 2.5 s.
#[test]
fn two_threads_join_the_collector_first() {
    check_cold(preemptions(2), || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        e.attach(move || captured.run()).leak();
        let first = past_its_destructors(move || e.fire());
        let second = past_its_destructors(move || e.fire());
        first.join();
        second.join();
        assert_eq!(fate.runs(), 2);
    });
}

/// Two threads register first in the process, and make the first chunk of lanes.
///
/// Cost: 208 executions, below 0.1 s.
#[test]
fn two_threads_register_first() {
    check_cold(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        e.attach(move || captured.run()).leak();
        let firing = cold(move || e.fire());
        e.fire();
        firing.join().unwrap();
        assert_eq!(fate.runs(), 2);
    });
}

/// Two threads: a cold one fires, one detaches and reclaims.
///
/// Cost: 3 163 executions, 0.5 s.
#[test]
fn a_cold_firing_against_detach_and_reclaim() {
    check(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let firing = cold(move || e.fire());
        assert!(probe.detach());
        hotprobe::reclaim();
        firing.join().unwrap();
        assert!(fate.runs() <= 1);
    });
}

/// Two threads: a cold one fires, one detaches and synchronizes.
///
/// Cost: 3 442 executions, 0.7 s.
#[test]
fn a_cold_firing_against_detach_and_synchronize() {
    check(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let firing = cold(move || e.fire());
        probe.detach_and_wait().unwrap();
        assert_eq!(fate.drops(), 1);
        firing.join().unwrap();
    });
}
