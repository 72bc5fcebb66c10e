//! **Detach from inside a probe:** of itself, and of its neighbour.

use crate::{Captured, UNLIMITED, all_is_reclaimed, check, fires_only, warm};
use hotprobe::Probe;
use std::sync::{Arc, OnceLock};

hotprobe::event! { static E: fn(); }

/// Two threads: one fires a probe that detaches itself, one detaches it as well, and reclaims.
///
/// Cost: 79 388 executions, 13 s.
#[test]
fn a_probe_detaches_itself() {
    check(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let itself = Arc::new(OnceLock::<Probe>::new());
        let weak = Arc::downgrade(&itself);
        let wins = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let won = Arc::clone(&wins);
        let probe = e.attach(move || {
            captured.run();
            if let Some(itself) = weak.upgrade() {
                let itself = itself.get().unwrap();
                won.fetch_add(
                    usize::from(itself.detach()),
                    std::sync::atomic::Ordering::Relaxed,
                );
                assert!(!itself.is_attached());
                captured.run();
            }
        });
        itself.set(probe).unwrap();
        let firing = warm(fires_only(move || {
            e.fire();
            e.fire();
        }));
        let won = itself.get().unwrap().detach();
        hotprobe::reclaim();
        firing.join();
        assert!(fate.runs() <= 2, "it ran again after its own detach");
        let wins = wins.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(wins + usize::from(won), 1);
        all_is_reclaimed();
        assert_eq!(fate.drops(), 1);
    });
}

/// Two threads: both fire an event whose first probe detaches the second; one reclaims then.
///
/// Cost: 54 056 executions, 10 s.
#[test]
fn a_probe_detaches_its_neighbour() {
    check(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let neighbour = Arc::new(OnceLock::<Probe>::new());
        let first = {
            let neighbour = Arc::clone(&neighbour);
            e.attach(move || {
                neighbour.get().unwrap().detach();
            })
        };
        neighbour.set(e.attach(move || captured.run())).unwrap();
        let firing = warm(fires_only(move || e.fire()));
        e.fire();
        hotprobe::reclaim();
        firing.join();
        // A firing that came to it had detached it before.
        assert_eq!(fate.runs(), 0);
        all_is_reclaimed();
        assert_eq!(fate.drops(), 1);
        first.leak();
    });
}
