//! **Two synchronizers:** each finds dropped what was detached before its call.

use crate::{Captured, check, preemptions, warm};

hotprobe::event! { static E: fn(); }

/// Two threads detach a probe each, and synchronize.
///
/// Two preemptions: both flush crossbeam's queue several times, dozens of accesses to the same
/// memory on both sides. With three it does not end within minutes.
///
/// Cost: 23 513 executions, 4.7 s.
#[test]
fn each_finds_its_own_dropped() {
    check(preemptions(2), || {
        let e = E::new();
        let (first, first_fate) = Captured::new();
        let first = e.attach(move || first.run());
        let (second, second_fate) = Captured::new();
        let second = e.attach(move || second.run());
        let other = warm(move || {
            first.detach();
            hotprobe::synchronize().unwrap();
            assert_eq!(first_fate.drops(), 1);
        });
        second.detach();
        hotprobe::synchronize().unwrap();
        assert_eq!(second_fate.drops(), 1);
        other.join();
    });
}

/// Three threads: two detach a probe each and synchronize, a third fires.
///
/// One preemption, for the same reason, and one thread more.
///
/// Cost: 4 902 executions, 0.9 s.
#[test]
fn each_waits_for_the_firing() {
    check(preemptions(1), || {
        let e = E::new();
        let (first, first_fate) = Captured::new();
        let first = e.attach(move || first.run());
        let (second, second_fate) = Captured::new();
        let second = e.attach(move || second.run());
        let firing = warm(move || e.fire());
        let other = warm(move || {
            first.detach_and_wait().unwrap();
            assert_eq!(first_fate.drops(), 1);
        });
        second.detach_and_wait().unwrap();
        assert_eq!(second_fate.drops(), 1);
        firing.join();
        other.join();
    });
}
