//! **No use after retire:** a snapshot is freed, and a captured value dropped, after every firing that
//! found it.

use crate::{Captured, UNLIMITED, check, warm};

hotprobe::event! { static E: fn(); }

/// Two threads: one fires, one detaches and reclaims.
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
