//! **Quarantine against detach:** a detach is not undone.

use crate::{Captured, UNLIMITED, all_is_reclaimed, check, fires_only, quiet_panic, warm};

hotprobe::event! { static E: fn(); }

/// Two threads: one fires a probe that panics, one detaches it.
///
/// Cost: 4 410 executions, 0.9 s.
#[test]
fn a_detached_probe_stays_detached() {
    check(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || {
            captured.run();
            quiet_panic();
        });
        let firing = warm(fires_only(move || e.fire()));
        assert!(probe.detach());
        assert!(!probe.is_attached());
        hotprobe::reclaim();
        firing.join();
        assert!(!probe.is_attached(), "the quarantine undid the detach");
        assert!(!probe.detach());
        assert_eq!(probe.has_panicked(), fate.runs() == 1);
        e.fire();
        assert!(fate.runs() <= 1 && !e.is_enabled());
        all_is_reclaimed();
        assert_eq!(fate.drops(), 1);
    });
}
