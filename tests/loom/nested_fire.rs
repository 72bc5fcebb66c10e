//! **Nested fire:** a probe fires another event, under the pin of the firing that called it.

use crate::{Captured, UNLIMITED, all_is_reclaimed, check, fires_only, warm};

hotprobe::event! {
    static OUTER: fn();
    static INNER: fn();
}

/// Two threads: one fires, and its probe fires another event, twice; one detaches both probes and
/// reclaims.
///
/// Cost: 28 015 executions, 5.6 s.
#[test]
fn what_an_inner_firing_found_is_not_reclaimed_before_the_outer_ends() {
    check(UNLIMITED, || {
        let (outer, inner) = (OUTER::new(), INNER::new());
        let (captured, fate) = Captured::new();
        let probe = inner.attach(move || captured.run());
        let (around, around_fate) = Captured::new();
        let outer_probe = outer.attach(move || {
            inner.fire();
            around.run();
            inner.fire();
        });
        let firing = warm(fires_only(move || outer.fire()));
        assert!(probe.detach());
        assert!(outer_probe.detach());
        hotprobe::reclaim();
        firing.join();
        assert!(fate.runs() <= 2 && around_fate.runs() <= 1);
        all_is_reclaimed();
        assert_eq!((fate.drops(), around_fate.drops()), (1, 1));
    });
}
