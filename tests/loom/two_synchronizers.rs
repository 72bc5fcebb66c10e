//! **Two synchronizers:** each finds dropped what was detached before its call.

use crate::{Captured, check, preemptions, warm};

hotprobe::event! { static E: fn(); }

/// Two threads detach a probe each, and synchronize. Two preemptions: each call flushes crossbeam's queue, dozens of accesses.
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
