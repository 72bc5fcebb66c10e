//! **No use after retire:** a snapshot is freed, and a captured value dropped, after every firing
//! that found it.

use crate::{Captured, UNLIMITED, check, warm};

hotprobe::event! { static E: fn(); }

/// Two threads: one fires, one detaches and reclaims.
///
/// Cost: 1 181 executions, 0.2 s.
#[test]
fn fire_against_detach_and_reclaim() {
    check(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let firing = warm(move || e.fire());
        assert!(probe.detach());
        hotprobe::reclaim();
        firing.join();
        assert!(fate.runs() <= 1);
    });
}

/// Two threads: one detaches; one reclaims, and fires then, when there may be something of which
/// nobody knows any more, if it was retired before it was unlinked.
///
/// Cost: 150 executions, below 0.1 s.
#[test]
fn detach_against_reclaim_and_fire() {
    check(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let detaching = warm(move || assert!(probe.detach()));
        hotprobe::reclaim();
        e.fire();
        detaching.join();
        assert!(fate.runs() <= 1);
    });
}
