//! The queue's own models, which go through hotprobe's events: `RUSTFLAGS="--cfg loom"`.
#![cfg(loom)]

use bounded_queue::Queue;
use loom::sync::Arc;
use loom::thread;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Two push, and the one of them pops then: with room for one, somebody may be refused. Returns how
/// many executions loom has explored.
fn two_push_and_one_pops(around: impl Fn() + Copy + Send + Sync + 'static) -> usize {
    let executions = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&executions);
    loom::model(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let queue = Arc::new(Queue::new(1));
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                around();
                let pushed = queue.push(1).is_ok();
                around();
                pushed
            })
        };
        let pushed = queue.push(2).is_ok();
        let popped = queue.pop();
        let also_pushed = other.join().unwrap();
        assert!(pushed || also_pushed, "somebody has found room");
        assert!(popped.is_some() || !pushed, "what was pushed was there");
    });
    executions.load(Ordering::Relaxed)
}

#[test]
fn alone() {
    let executions = two_push_and_one_pops(|| ());
    assert!(executions > 10);
    // For the script, which compares it with that of a build without events.
    println!("executions: {executions}");
}

#[cfg(feature = "probes")]
mod probed {
    use super::*;
    use bounded_queue::events::{FULL, POPPED, PUSHED};
    use hotprobe::{Batch, OnPanic, Probe, ProbeOptions, SynchronizeError, fire};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// Events are the process's: one test at a time.
    fn by_itself() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A probe that asserts what must hold at that step. Its panic goes through the model, which
    /// fails.
    fn keeps_the_bound() -> Probe {
        let options = ProbeOptions::new().on_panic(OnPanic::Propagate);
        PUSHED.attach_with(options, |len, capacity| {
            assert!(
                len <= capacity,
                "the queue holds {len}, more than {capacity}"
            );
        })
    }

    /// With the feature `planted` this must fail: the queue's own assertions do not see that bug.
    #[test]
    fn the_bound_is_kept_at_each_step() {
        let _by_itself = by_itself();
        let _probe = keeps_the_bound();
        two_push_and_one_pops(|| ());
    }

    #[test]
    #[cfg(not(feature = "planted"))]
    fn events_do_not_enlarge_the_state_space() {
        let _by_itself = by_itself();
        let off = two_push_and_one_pops(|| ());

        let calls = std::sync::Arc::new(AtomicUsize::new(0));
        let count = |_: usize| {
            let calls = std::sync::Arc::clone(&calls);
            move || {
                calls.fetch_add(1, Ordering::Relaxed);
            }
        };
        let (pushed, popped, full) = (count(0), count(1), count(2));
        let probes = [
            PUSHED.attach(move |_, _| pushed()),
            POPPED.attach(move |_| popped()),
            FULL.attach(move |_| full()),
        ];
        let on = two_push_and_one_pops(|| ());
        assert_eq!(on, off);
        assert!(
            calls.load(Ordering::Relaxed) >= 2 * on,
            "and they are called"
        );
        drop(probes);

        let pinned = hotprobe::pinned(|| two_push_and_one_pops(|| hotprobe::pinned(|| ())));
        assert_eq!(pinned, off);

        // Attached, fired, detached, batched and waited for inside the model, on either of its
        // threads.
        let inside = two_push_and_one_pops(|| {
            let probe = PUSHED.attach(|_, _| ());
            let mut batch = Batch::new();
            POPPED.attach_in(&mut batch, |_| ());
            FULL.attach_in(&mut batch, |_| ());
            batch.detach(&probe);
            let mut group = batch.commit();
            group.detach_and_wait().unwrap();
            assert!(hotprobe::grace_period().is_over());
            assert!(!PUSHED.is_enabled() && !POPPED.is_enabled());
        });
        assert_eq!(inside, off);
        hotprobe::synchronize().unwrap();
        assert_eq!(
            std::sync::Arc::strong_count(&calls),
            1,
            "captures are dropped"
        );
    }

    hotprobe::event! {
        /// A step whose probe does something that loom sees.
        static STEP: fn(n: &loom::sync::atomic::AtomicUsize, thread: usize);
        /// Fired by its probe.
        static INNER: fn(n: &loom::sync::atomic::AtomicUsize);
    }

    /// loom runs all threads of a model on one, and switches inside probes that use its types:
    /// firings begin and end in every order, each nested in none of the others.
    #[test]
    fn firings_of_a_models_threads_may_end_in_any_order() {
        let _by_itself = by_itself();
        let ends = std::sync::Arc::new(Mutex::new(Vec::new()));
        let orders = std::sync::Arc::new(Mutex::new(std::collections::BTreeSet::new()));
        let captured = std::sync::Arc::new(());

        let begun = std::sync::Arc::new(AtomicUsize::new(0));
        let step = STEP.attach({
            let (ends, begun) = (std::sync::Arc::clone(&ends), std::sync::Arc::clone(&begun));
            let captured = std::sync::Arc::clone(&captured);
            move |n, thread| {
                let _ = &captured;
                // How many are inside, this one included.
                let inside = begun.fetch_add(1, Ordering::Relaxed) + 1;
                n.fetch_add(1, loom::sync::atomic::Ordering::Relaxed);
                fire!(INNER, n);
                // Elsewhere it may be past its end; here somebody is inside: this one.
                assert_eq!(hotprobe::synchronize(), Err(SynchronizeError::InProbe));
                begun.fetch_sub(1, Ordering::Relaxed);
                ends.lock().unwrap().push((thread, inside));
            }
        });
        let inner = INNER.attach(|n| {
            n.fetch_add(1, loom::sync::atomic::Ordering::Relaxed);
        });
        let (all, last) = (std::sync::Arc::clone(&orders), std::sync::Arc::clone(&ends));
        loom::model(move || {
            let n = Arc::new(loom::sync::atomic::AtomicUsize::new(0));
            let other = {
                let n = Arc::clone(&n);
                thread::spawn(move || hotprobe::pinned(|| fire!(STEP, &n, 1)))
            };
            fire!(STEP, &n, 0);
            other.join().unwrap();
            assert_eq!(
                n.load(loom::sync::atomic::Ordering::Relaxed),
                4,
                "all were called"
            );
            all.lock()
                .unwrap()
                .insert(std::mem::take(&mut *last.lock().unwrap()));
            // Nobody is inside any more: in the midst of the model, it can be waited for.
            hotprobe::synchronize().unwrap();
        });
        let seen = orders.lock().unwrap();
        // (Up to its first step, the model's own thread always runs first.)
        let in_turn = [(0, 1), (1, 1)];
        let one_within_the_other = [(1, 2), (0, 1)];
        let the_first_ends_first = [(0, 1), (1, 2)];
        for order in [in_turn, one_within_the_other, the_first_ends_first] {
            assert!(seen.contains(&order[..]), "{order:?} is not in {seen:?}");
        }
        drop(inner);
        step.detach_and_wait().unwrap();
        assert_eq!(std::sync::Arc::strong_count(&captured), 1);
        let stats = hotprobe::stats();
        assert_eq!(
            (stats.retired, stats.skipped_nested, stats.probe_panics),
            (stats.reclaimed, 0, 0)
        );
    }

    /// A probe detached while another of the model's threads is inside it.
    #[test]
    fn a_detach_inside_of_anothers_firing_takes_effect_and_is_made_good_when_it_has_ended() {
        let _by_itself = by_itself();
        loom::model(|| {
            let captured = std::sync::Arc::new(());
            let probe = STEP.attach({
                let captured = std::sync::Arc::clone(&captured);
                move |n, _| {
                    n.fetch_add(1, loom::sync::atomic::Ordering::Relaxed);
                    assert!(
                        std::sync::Arc::strong_count(&captured) >= 2,
                        "not dropped meanwhile"
                    );
                    n.fetch_add(1, loom::sync::atomic::Ordering::Relaxed);
                    assert!(
                        std::sync::Arc::strong_count(&captured) >= 2,
                        "not dropped meanwhile"
                    );
                }
            });
            let n = Arc::new(loom::sync::atomic::AtomicUsize::new(0));
            let other = {
                let n = Arc::clone(&n);
                thread::spawn(move || fire!(STEP, &n, 1))
            };
            n.load(loom::sync::atomic::Ordering::Relaxed);
            probe.detach();
            fire!(STEP, &n, 0);
            other.join().unwrap();
            let calls = n.load(loom::sync::atomic::Ordering::Relaxed);
            assert!(
                calls == 0 || calls == 2,
                "by the other thread, or not at all"
            );
            hotprobe::synchronize().unwrap();
            assert_eq!(std::sync::Arc::strong_count(&captured), 1);
        });
        assert_eq!(hotprobe::stats().probe_panics, 0);
    }
}
