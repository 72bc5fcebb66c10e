//! **Pinned scope against synchronize:** it waits for the scope, and never for itself.

use crate::{Captured, UNLIMITED, check, warm};
use hotprobe::__private::Canary;
use hotprobe::SynchronizeError;
use loom::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

hotprobe::event! { static E: fn(); }

/// Two threads: one fires twice inside `pinned`, one detaches and synchronizes.
///
/// Cost: 5 112 executions, 1.0 s.
#[test]
fn the_probes_of_a_scope_are_dropped_after_it() {
    check(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let scope = warm(move || {
            hotprobe::pinned(|| {
                e.fire();
                e.fire();
            });
        });
        probe.detach();
        hotprobe::synchronize().unwrap();
        assert_eq!(fate.drops(), 1);
        scope.join();
    });
}

/// Two threads: what a scope reads may be reclaimed after a synchronize that began when nobody
/// could find it any more.
///
/// Cost: 267 executions, below 0.1 s.
#[test]
fn synchronize_waits_for_the_scope() {
    check(UNLIMITED, || {
        let current = Arc::new(AtomicUsize::new(0));
        let memory = Arc::new([Canary::new(), Canary::new()]);
        let scope = {
            let (current, memory) = (Arc::clone(&current), Arc::clone(&memory));
            warm(move || {
                hotprobe::pinned(|| memory[current.load(Ordering::Acquire)].alive());
            })
        };
        current.store(1, Ordering::Release);
        hotprobe::synchronize().unwrap();
        memory[0].dead();
        scope.join();
    });
}

/// Two threads: inside a probe, a scope and a captured `Drop`, synchronize says so at once,
/// whatever the other thread does.
///
/// Cost: 38 823 executions, 7.8 s.
#[test]
fn synchronize_inside_does_not_wait() {
    struct Synchronizes;
    impl Drop for Synchronizes {
        fn drop(&mut self) {
            assert_eq!(hotprobe::synchronize(), Err(SynchronizeError::InProbe));
        }
    }
    check(UNLIMITED, || {
        let e = E::new();
        let value = Synchronizes;
        let probe = e.attach(move || {
            let _ = &value;
            assert_eq!(hotprobe::synchronize(), Err(SynchronizeError::InProbe));
        });
        let firing = warm(move || {
            e.fire();
            hotprobe::pinned(|| {
                assert_eq!(hotprobe::synchronize(), Err(SynchronizeError::InProbe))
            });
        });
        probe.detach_and_wait().unwrap();
        firing.join();
        assert_eq!(hotprobe::stats().drop_panics, 0);
        assert_eq!(hotprobe::stats().probe_panics, 0);
    });
}
