//! **Detach, then synchronize:** no firing runs the probe any more, what it captured has been
//! dropped, and every firing in flight has ended.

use crate::{Captured, UNLIMITED, check, preemptions, warm};
use hotprobe::__private::Canary;
use loom::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

hotprobe::event! { static E: fn(); }

/// Two threads: one fires twice, one detaches and synchronizes.
///
/// Cost: 38 146 executions, 6.8 s.
#[test]
fn it_never_runs_again_and_its_captures_are_dropped() {
    check(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let firing = warm(move || {
            e.fire();
            e.fire();
        });
        probe.detach();
        hotprobe::synchronize().unwrap();
        // (`Captured::run` would notice a later one.)
        assert_eq!(fate.drops(), 1);
        firing.join();
    });
}

/// Two threads: the probe stays attached, and reads memory that the other thread replaces,
/// synchronizes, and reclaims itself: the use of synchronize as RCU's. A grace period may be
/// running when it does.
///
/// Three preemptions: into the first firing, out of it when the grace period has begun, and out of
/// the second. Without a bound it does not end within minutes.
///
/// Cost: 7 971 executions, 1.5 s.
#[test]
fn every_firing_in_flight_has_ended() {
    check(preemptions(3), || {
        let e = E::new();
        let current = Arc::new(AtomicUsize::new(0));
        let memory = Arc::new([Canary::new(), Canary::new()]);
        let probe = {
            let (current, memory) = (Arc::clone(&current), Arc::clone(&memory));
            e.attach(move || memory[current.load(Ordering::Acquire)].alive())
        };
        let firing = warm(move || {
            e.fire();
            e.fire();
        });
        // Something to reclaim, which begins a grace period; a firing may keep it from ending.
        let second = e.attach(|| ());
        hotprobe::reclaim();
        current.store(1, Ordering::Release);
        hotprobe::synchronize().unwrap();
        memory[0].dead();
        firing.join();
        probe.leak();
        second.leak();
    });
}
