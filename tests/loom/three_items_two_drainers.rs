//! **Synchronize with three items and two drainers:** it waits for what another thread has taken to
//! drop.

use crate::{Captured, all_is_reclaimed, check, preemptions, warm};

hotprobe::event! { static E: fn(); }

/// Two threads: three probes have been detached; one thread reclaims, one synchronizes.
///
/// Two preemptions, as for two synchronizers: both flush. One suffices for what it is about, to
/// stop the thread that has taken a closure before it drops it.
///
/// Cost: 4 851 executions, 0.9 s.
#[test]
fn synchronize_waits_for_what_the_other_has_taken() {
    check(preemptions(2), || {
        let e = E::new();
        let fates: Vec<_> = (0..3)
            .map(|_| {
                let (captured, fate) = Captured::new();
                e.attach(move || captured.run()).detach();
                fate
            })
            .collect();
        let reclaiming = warm(hotprobe::reclaim);
        hotprobe::synchronize().unwrap();
        assert!(fates.iter().all(|fate| fate.drops() == 1));
        reclaiming.join();
        all_is_reclaimed();
    });
}
