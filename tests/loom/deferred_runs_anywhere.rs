//! **The function deferred through crossbeam may run on a third thread**, in the midst of a firing:
//! it only tells, and what it tells carries what the firings did.

use crate::{Captured, check, fires_only, past_its_destructors, preemptions};
use loom::thread;

hotprobe::event! { static E: fn(); static OTHER: fn(); }

/// Three threads: one past its destructors, so that crossbeam speaks for it, fires; one detaches
/// and reclaims, twice; one fires another event, and crossbeam collects at that firing's pin.
///
/// One preemption, and two yields, which are none: the probe gives way in the midst of its firing,
/// and the reclaimer between its two calls, which is what the theorem needs. With two preemptions
/// it does not end within minutes.
///
/// Cost: 24 946 executions, 6.0 s.
#[test]
fn a_third_thread_ends_the_grace_period() {
    check(preemptions(1), || {
        let (e, other) = (E::new(), OTHER::new());
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || {
            captured.run();
            thread::yield_now();
        });
        other.attach(|| ()).leak();
        let firing = past_its_destructors(fires_only(move || e.fire()));
        let third = past_its_destructors(fires_only(move || other.fire()));
        assert!(probe.detach());
        hotprobe::reclaim();
        thread::yield_now();
        hotprobe::reclaim();
        firing.join();
        third.join();
        assert!(fate.runs() <= 1);
    });
}
