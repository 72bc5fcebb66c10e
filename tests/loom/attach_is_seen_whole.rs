//! **An attach is seen whole:** a firing that finds a probe finds what was written before the
//! attach, the snapshot and what the probe captured.

use crate::{Captured, UNLIMITED, check, warm};

hotprobe::event! { static E: fn(); }

/// Two threads: one attaches two probes, one fires. The firing finds a prefix of them.
///
/// Two, so that the firing's off check can find the first snapshot and its load after the pin the
/// second: it is that load which has to be an Acquire then.
///
/// Cost: 26 executions, below 0.1 s.
#[test]
fn a_firing_finds_the_probes_in_attach_order_and_whole() {
    check(UNLIMITED, || {
        let e = E::new();
        let firing = warm(move || e.fire());
        let (first, first_fate) = Captured::new();
        let first = e.attach(move || first.run());
        let (second, second_fate) = Captured::new();
        let second = e.attach(move || second.run());
        firing.join();
        assert!(first_fate.runs() >= second_fate.runs());
        first.leak();
        second.leak();
    });
}
