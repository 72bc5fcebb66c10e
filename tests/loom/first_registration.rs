//! **First registration:** cold threads, which join the collector at their first firing, and leave
//! it.

use crate::{Captured, check, check_cold, cold, preemptions};

hotprobe::event! { static E: fn(); }

/// Two threads register first in the process: one collector is made.
///
/// Three preemptions: joining and leaving walk crossbeam's list of threads; with four it takes 13
/// s.
///
/// Cost: 22 507 executions, 1.8 s.
#[test]
fn two_threads_register_first() {
    check_cold(preemptions(3), || {
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
/// Two preemptions, since a cold thread does so much: with three it takes 30 s, with four minutes.
///
/// Cost: 11 408 executions, 0.9 s.
#[test]
fn a_cold_firing_against_detach_and_reclaim() {
    check(preemptions(2), || {
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
/// Two preemptions, for the same reason.
///
/// Cost: 9444 executions, 0.8 s.
#[test]
fn a_cold_firing_against_detach_and_synchronize() {
    check(preemptions(2), || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let firing = cold(move || e.fire());
        probe.detach_and_wait().unwrap();
        assert_eq!(fate.drops(), 1);
        firing.join().unwrap();
    });
}
