//! **Two writers lose nothing.**

use crate::{Captured, UNLIMITED, all_is_reclaimed, check, warm};

hotprobe::event! { static E: fn(); }

/// Two threads attach to an event that has a probe already.
///
/// Cost: 5 executions, below 0.1 s.
#[test]
fn of_two_attaches_none_is_lost() {
    check(UNLIMITED, || {
        let e = E::new();
        let (old, old_fate) = Captured::new();
        let old = e.attach(move || old.run());
        let (first, first_fate) = Captured::new();
        let writer = warm(move || e.attach(move || first.run()));
        let (second, second_fate) = Captured::new();
        let second = e.attach(move || second.run());
        let first = writer.join();
        assert_eq!(e.probe_count(), 3);
        e.fire();
        for fate in [old_fate, first_fate, second_fate] {
            assert_eq!(fate.runs(), 1);
        }
        drop((old, first, second));
        assert!(!e.is_enabled());
        all_is_reclaimed();
    });
}

/// Two threads: one attaches, one detaches another probe of the same event.
///
/// Cost: 5 executions, below 0.1 s.
#[test]
fn of_an_attach_and_a_detach_none_is_lost() {
    check(UNLIMITED, || {
        let e = E::new();
        let (old, old_fate) = Captured::new();
        let old = e.attach(move || old.run());
        let (new, new_fate) = Captured::new();
        let writer = warm(move || e.attach(move || new.run()));
        assert!(old.detach());
        let new = writer.join();
        assert_eq!(e.probe_count(), 1);
        e.fire();
        assert_eq!((old_fate.runs(), new_fate.runs()), (0, 1));
        drop(new);
        assert!(!e.is_enabled());
        all_is_reclaimed();
    });
}
