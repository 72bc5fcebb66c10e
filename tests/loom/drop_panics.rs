//! **Synchronize against a captured `Drop` that panics:** the rest is dropped all the same.

use crate::{Captured, UNLIMITED, check, quiet_panic, warm};

hotprobe::event! { static E: fn(); }

struct Panics;

impl Drop for Panics {
    fn drop(&mut self) {
        quiet_panic();
    }
}

/// Two threads: one fires, one detaches two probes, of which the first panics when it is dropped,
/// and synchronizes.
///
/// Cost: 19 792 executions, 3.5 s.
#[test]
fn the_rest_is_dropped() {
    check(UNLIMITED, || {
        let e = E::new();
        let bad = Panics;
        let bad = e.attach(move || {
            let _ = &bad;
        });
        let (captured, fate) = Captured::new();
        let good = e.attach(move || captured.run());
        let firing = warm(move || e.fire());
        bad.detach();
        good.detach();
        hotprobe::synchronize().unwrap();
        assert_eq!(fate.drops(), 1);
        let stats = hotprobe::stats();
        assert_eq!(stats.drop_panics, 1);
        assert_eq!(stats.retired, stats.reclaimed);
        firing.join();
    });
}
