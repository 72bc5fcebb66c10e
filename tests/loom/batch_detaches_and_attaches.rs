//! **Detach and attach in one batch:** the detaches take effect before the attaches.

use crate::{Captured, UNLIMITED, address, all_is_reclaimed, check, fires_only, warm};
use hotprobe::Batch;

hotprobe::event! { static E: fn(); }

/// Two threads: one replaces an event's probe in one batch and reclaims, one fires twice. Each
/// firing runs the old one, or neither, or the new one, and never goes back.
///
/// Cost: 151 836 executions, 28 s.
#[test]
fn a_probe_is_replaced() {
    check(UNLIMITED, || {
        let e = E::new();
        let (old, old_fate) = Captured::new();
        let old = e.attach(move || old.run());
        let (new, new_fate) = Captured::new();
        let fates = (old_fate.clone(), new_fate.clone());
        let firing = warm(fires_only(move || {
            let runs = || (fates.0.runs(), fates.1.runs());
            let mut seen = vec![runs()];
            for _ in 0..2 {
                e.fire();
                seen.push(runs());
            }
            seen
        }));
        let mut batch = Batch::new();
        batch.detach(&old);
        e.attach_in(&mut batch, move || new.run());
        let group = batch.commit();
        hotprobe::reclaim();
        let seen = firing.join();
        let mut new_ran = false;
        for pair in seen.windows(2) {
            let (old, new) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
            assert!(old + new <= 1, "both ran in one firing");
            assert!(!(new_ran && new == 0), "it is back at the old one");
            new_ran |= new == 1;
        }
        all_is_reclaimed();
        assert_eq!((old_fate.drops(), new_fate.drops()), (1, 0));
        group.leak();
    });
}

/// Two threads: one detaches from one event and attaches to another in one batch, one fires both.
/// Who finds the new probe does not run the old one afterwards.
///
/// Cost: 140 executions, below 0.1 s.
#[test]
fn the_detach_comes_before_the_attach() {
    check(UNLIMITED, || {
        let mut pair = [E::new(), E::new()];
        pair.sort_by_key(|e| address(e));
        let [a, b] = pair;
        let (old, old_fate) = Captured::new();
        let old = a.attach(move || old.run());
        let (new, new_fate) = Captured::new();
        let firing = warm(move || {
            b.fire();
            a.fire();
        });
        let mut batch = Batch::new();
        b.attach_in(&mut batch, move || new.run());
        batch.detach(&old);
        let group = batch.commit();
        firing.join();
        assert!(old_fate.runs() + new_fate.runs() <= 1);
        group.leak();
    });
}
