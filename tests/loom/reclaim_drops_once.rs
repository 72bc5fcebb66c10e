//! **Reclaim by one thread while another fires and a third retires:** each snapshot and each
//! captured value goes once, and never on the thread that fires.

use crate::{Captured, all_is_reclaimed, check, fires_only, preemptions, warm};

hotprobe::event! { static E: fn(); }

/// Three threads: one fires; one detaches; one detaches and reclaims.
///
/// Three preemptions: into the firing, out of it, and one between unlinking and retiring or between
/// retiring and freeing. With four it does not end within minutes.
///
/// Cost: 32 069 executions, 7.6 s.
#[test]
fn one_fires_one_retires_one_reclaims() {
    check(preemptions(3), || {
        let e = E::new();
        let (first, first_fate) = Captured::new();
        let first = e.attach(move || first.run());
        let (second, second_fate) = Captured::new();
        let second = e.attach(move || second.run());
        let firing = warm(fires_only(move || e.fire()));
        let retiring = warm(move || assert!(second.detach()));
        assert!(first.detach());
        hotprobe::reclaim();
        firing.join();
        retiring.join();
        all_is_reclaimed();
        assert_eq!((first_fate.drops(), second_fate.drops()), (1, 1));
    });
}
