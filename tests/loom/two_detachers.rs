//! **Two concurrent detachers:** one of them did it, and for the other it is off already.

use crate::{Captured, UNLIMITED, all_is_reclaimed, check, warm};
use std::sync::Arc;

hotprobe::event! { static E: fn(); }

/// Two threads detach one probe, and fire then.
#[test]
fn one_wins_and_for_both_it_is_off() {
    check(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = Arc::new(e.attach(move || captured.run()));
        let both = Arc::clone(&probe);
        let detach = move |probe: &hotprobe::Probe| {
            let won = probe.detach();
            assert!(!probe.is_attached());
            e.fire();
            won
        };
        let other = warm(move || detach(&both));
        let won = detach(&probe);
        let other_won = other.join();
        assert!(won != other_won);
        assert_eq!(fate.runs(), 0, "it ran after a detach");
        all_is_reclaimed();
        assert_eq!(fate.drops(), 1);
    });
}
