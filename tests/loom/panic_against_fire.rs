//! **Panic quarantine against concurrent firing:** a probe that panicked is off for good, its
//! neighbours run on.

use crate::{Captured, UNLIMITED, check, quiet_panic, warm};

hotprobe::event! { static E: fn(); }

/// Two threads fire, twice each, a probe that panics.
///
/// Cost: 467 executions, 0.1 s.
#[test]
fn whoever_saw_it_panic_sees_it_off() {
    check(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || {
            captured.run();
            quiet_panic();
        });
        let firing = warm(move || {
            e.fire();
            e.fire();
        });
        e.fire();
        e.fire();
        assert!(
            fate.runs() <= 2,
            "a thread ran it again after it had panicked there"
        );
        firing.join();
        assert!(fate.runs() <= 2);
        assert_eq!(hotprobe::stats().probe_panics, fate.runs() as u64);
        assert!(!e.is_enabled() && probe.has_panicked() && probe.is_attached());
        assert_eq!(e.probe_count(), 1);
        probe.leak();
    });
}

/// Two threads fire: the neighbour runs in each firing.
///
/// Cost: 34 executions, below 0.1 s.
#[test]
fn its_neighbour_runs_on() {
    check(UNLIMITED, || {
        let e = E::new();
        let bad = e.attach(quiet_panic);
        let (captured, fate) = Captured::new();
        let good = e.attach(move || captured.run());
        let firing = warm(move || e.fire());
        e.fire();
        firing.join();
        assert_eq!(fate.runs(), 2);
        assert!(e.is_enabled());
        bad.leak();
        good.leak();
    });
}

/// Two threads: one fires a probe that panics, which switches the event off; one attaches another
/// probe.
///
/// Cost: 29 executions, below 0.1 s.
#[test]
fn an_attach_beside_it_is_not_lost() {
    check(UNLIMITED, || {
        let e = E::new();
        let bad = e.attach(quiet_panic);
        let firing = warm(move || e.fire());
        let (captured, fate) = Captured::new();
        let good = e.attach(move || captured.run());
        firing.join();
        let before = fate.runs();
        e.fire();
        assert_eq!(fate.runs(), before + 1);
        bad.leak();
        good.leak();
    });
}
