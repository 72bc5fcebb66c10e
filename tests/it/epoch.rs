//! G12: our own epoch: other crates' pins do not hold ours back, nor ours theirs.

use crate::Witness;
use std::time::Duration;

#[test]
fn a_pin_of_the_default_collector_does_not_hold_up_synchronize() {
    hotprobe::event! { static EVENT: fn(); }
    let guard = crossbeam_epoch::pin();
    let (witness, dropped) = Witness::new();
    EVENT.attach(move || witness.touch()).detach();
    hotprobe::synchronize_timeout(Duration::from_secs(30)).unwrap();
    dropped.try_recv().unwrap();
    drop(guard);
}

#[test]
fn a_pinned_scope_of_ours_does_not_hold_up_the_default_collector() {
    hotprobe::pinned(|| {
        let (witness, dropped) = Witness::new();
        crossbeam_epoch::pin().defer(move || drop(witness));
        crate::eventually("the default collector collects", || {
            crossbeam_epoch::pin().flush();
            dropped.try_recv().is_ok()
        });
    });
}
