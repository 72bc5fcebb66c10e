//! **First registration:** cold threads, which join the collector at their first firing, and leave it.

use crate::{Captured, check, check_cold, cold, preemptions};

hotprobe::event! { static E: fn(); }

/// Two threads register first in the process: one collector is made.
#[test]
fn two_threads_register_first() {
    check_cold(preemptions(2), || {
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
