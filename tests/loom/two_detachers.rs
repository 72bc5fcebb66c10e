//! **Two concurrent detachers:** one of them did it, and for the other it is off already.

use crate::{Captured, UNLIMITED, all_is_reclaimed, check, warm};
use loom::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

hotprobe::event! { static E: fn(); }

/// Two threads detach one probe, and fire then.
///
/// Cost: 30 executions, below 0.1 s.
#[test]
fn one_wins_and_for_both_it_is_off() {
    check(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = Arc::new(e.attach(move || captured.run()));
        let both = Arc::clone(&probe);
        let detach = move |probe: &hotprobe::Probe| {
            let won = probe.detach();
            assert!(!probe.is_attached());
            e.fire();
            won
        };
        let other = warm(move || detach(&both));
        let won = detach(&probe);
        let other_won = other.join();
        assert!(won != other_won);
        assert_eq!(fate.runs(), 0, "it ran after a detach");
        all_is_reclaimed();
        assert_eq!(fate.drops(), 1);
    });
}

/// Two threads: one writes, and detaches; one asks whether the probe is attached.
///
/// Cost: 6 executions, below 0.1 s.
#[test]
fn who_sees_it_detached_sees_what_came_before() {
    check(UNLIMITED, || {
        let e = E::new();
        let probe = Arc::new(e.attach(|| ()));
        let written = Arc::new(AtomicBool::new(false));
        let (asked, read) = (Arc::clone(&probe), Arc::clone(&written));
        let asking = warm(move || {
            if !asked.is_attached() {
                assert!(read.load(Ordering::Relaxed));
            }
        });
        written.store(true, Ordering::Relaxed);
        probe.detach();
        asking.join();
    });
}
