//! G6: no user code under a lock. Each of these would deadlock if there were.

use crate::{Witness, alloc, isolated};
use hotprobe::{Batch, Probe};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

hotprobe::event! {
    static OUTER: fn();
    static INNER: fn();
}

/// Attaches, fires and detaches when it is dropped.
struct Meddler(Arc<AtomicU64>);

impl Drop for Meddler {
    fn drop(&mut self) {
        let count = Arc::clone(&self.0);
        let probe = INNER.attach(move || {
            count.fetch_add(1, Ordering::SeqCst);
        });
        INNER.fire();
        probe.detach();
        INNER.fire();
        let mut batch = Batch::new();
        INNER.attach_in(&mut batch, || ());
        drop(batch.commit());
        hotprobe::reclaim();
        assert_eq!(
            hotprobe::synchronize(),
            Err(hotprobe::SynchronizeError::InProbe)
        );
        let _ = hotprobe::stats();
    }
}

#[test]
fn a_captured_drop_may_attach_detach_fire_and_commit() {
    let count = Arc::new(AtomicU64::new(0));
    for _ in 0..50 {
        let meddler = Meddler(Arc::clone(&count));
        let probe = OUTER.attach(move || {
            let _ = &meddler;
        });
        OUTER.fire();
        probe.detach_and_wait().unwrap();
    }
    assert_eq!(count.load(Ordering::SeqCst), 50);
}

#[test]
fn a_probe_may_attach_detach_fire_commit_and_reclaim() {
    hotprobe::event! { static BUSYBODY: fn(); static QUIET: fn(); }
    let kept: Arc<Mutex<Vec<Probe>>> = Arc::default();
    let probe = BUSYBODY.attach({
        let kept = Arc::downgrade(&kept);
        move || {
            let kept = kept.upgrade().unwrap();
            kept.lock().unwrap().push(QUIET.attach(|| ()));
            QUIET.fire();
            let mut batch = Batch::new();
            QUIET.attach_in(&mut batch, || ());
            for probe in kept.lock().unwrap().iter() {
                batch.detach(probe);
            }
            drop(batch.commit());
            hotprobe::reclaim();
            let _ = hotprobe::grace_period().is_over();
        }
    });
    for _ in 0..100 {
        BUSYBODY.fire();
    }
    assert!(!probe.has_panicked());
    assert_eq!(QUIET.probe_count(), 0);
}

#[test]
fn an_allocator_may_fire_events_whose_probes_attach_and_detach() {
    isolated(
        "locks::an_allocator_may_fire_events_whose_probes_attach_and_detach",
        || {
            hotprobe::event! { static FROM_ALLOCATOR: fn(); }
            let calls = Arc::new(AtomicU64::new(0));
            let mut batch = Batch::new();
            let on_alloc = Arc::clone(&calls);
            alloc::ALLOCATED.attach_in(&mut batch, move |_| {
                on_alloc.fetch_add(1, Ordering::Relaxed);
                // Allocates in turn, and fires in turn, to the bound on nesting.
                FROM_ALLOCATOR.attach(|| ()).detach();
            });
            let on_free = Arc::clone(&calls);
            alloc::FREED.attach_in(&mut batch, move |_| {
                on_free.fetch_add(1, Ordering::Relaxed);
                FROM_ALLOCATOR.fire();
            });
            let group = batch.commit();
            alloc::FIRES.store(true, Ordering::SeqCst);
            // On a thread that has to be registered, and one that is.
            for n in 0..4 {
                alloc::PINS.store(n % 2 == 1, Ordering::SeqCst);
                thread::spawn(|| {
                    let probe = FROM_ALLOCATOR.attach(|| ());
                    FROM_ALLOCATOR.fire();
                    probe.detach();
                    let waited =
                        hotprobe::synchronize_timeout(std::time::Duration::from_millis(100));
                    // (It may take longer. But nothing is in progress on this thread.)
                    assert_ne!(waited, Err(hotprobe::SynchronizeError::InProbe));
                })
                .join()
                .unwrap();
            }
            alloc::FIRES.store(false, Ordering::SeqCst);
            drop(group);
            hotprobe::synchronize().unwrap();
            assert!(calls.load(Ordering::Relaxed) > 0);
            let stats = hotprobe::stats();
            assert!(stats.skipped_nested > 0, "{stats:?}");
            assert!(stats.skipped_registering > 0, "{stats:?}");
            assert_eq!(stats.retired, stats.reclaimed);
        },
    );
}

hotprobe::event! {
    static CHANGED: fn();
}

/// Runs `update`, which changes `CHANGED`; while its `n`th allocation is made, three probes are
/// attached there. None: it has not as many allocations.
fn outrun<R>(n: usize, update: impl FnOnce() -> R) -> (R, Option<Vec<Probe>>) {
    let (before, quicker) = (AtomicUsize::new(n), Arc::new(Mutex::new(None)));
    let allocated = alloc::ALLOCATED.attach({
        let quicker = Arc::clone(&quicker);
        move |_| {
            // (Allocates in turn, and wraps around then.)
            if before.fetch_sub(1, Ordering::SeqCst) == 0 {
                let probes = (0..3).map(|_| CHANGED.attach(|| ())).collect::<Vec<_>>();
                *quicker.lock().unwrap() = Some(probes);
            }
        }
    });
    alloc::FIRES.store(true, Ordering::SeqCst);
    let result = update();
    alloc::FIRES.store(false, Ordering::SeqCst);
    drop(allocated);
    let quicker = quicker.lock().unwrap().take();
    (result, quicker)
}

#[test]
fn an_update_that_another_one_outran_is_done_all_the_same_and_leaves_nothing_behind() {
    isolated(
        "locks::an_update_that_another_one_outran_is_done_all_the_same_and_leaves_nothing_behind",
        || {
            const LARGE: usize = 1 << 16;
            let updates: [fn(Probe) -> Vec<Probe>; 4] = [
                |large| {
                    large.detach();
                    Vec::new()
                },
                |large| {
                    let new = CHANGED.attach(|| ());
                    large.detach();
                    vec![new]
                },
                |large| {
                    let mut batch = Batch::new();
                    batch.detach(&large);
                    drop(batch.commit());
                    Vec::new()
                },
                |large| {
                    let mut batch = Batch::new();
                    batch.detach(&large);
                    for _ in 0..3 {
                        CHANGED.attach_in(&mut batch, || ());
                    }
                    batch.commit().leak();
                    Vec::new()
                },
            ];
            for (which, update) in updates.into_iter().enumerate() {
                for n in 0.. {
                    let kept = [(); 4].map(|()| CHANGED.attach(|| ()));
                    let before = CHANGED.probe_count();
                    #[allow(
                        clippy::large_stack_arrays,
                        reason = "a probe that is seen in the memory"
                    )]
                    let bytes = [1_u8; LARGE];
                    let large = CHANGED.attach(move || assert_eq!(bytes[LARGE - 1], 1));
                    let with_it = alloc::live_bytes();
                    let (new, quicker) = outrun(n, || update(large));
                    CHANGED.fire();
                    let more = quicker.as_ref().map_or(0, Vec::len)
                        + if which == 3 { 3 } else { new.len() };
                    assert_eq!(
                        CHANGED.probe_count(),
                        before + more,
                        "update {which}, allocation {n}"
                    );
                    // No snapshot names it any more: its memory has been freed.
                    hotprobe::synchronize().unwrap();
                    let freed = with_it - alloc::live_bytes();
                    assert!(
                        freed > 32_768,
                        "update {which}, allocation {n}: {freed} bytes"
                    );
                    drop((kept, new));
                    if quicker.is_none() {
                        assert!(n > 1, "the update allocates something");
                        break;
                    }
                }
            }
        },
    );
}

#[test]
fn a_batch_may_be_built_inside_of_another_and_across_threads() {
    hotprobe::event! { static NESTED: fn(); }
    let mut outer = Batch::new();
    NESTED.attach_in(&mut outer, || ());
    let mut inner = Batch::new();
    NESTED.attach_in(&mut inner, || ());
    let (witness, dropped) = Witness::new();
    let inner = thread::spawn(move || {
        NESTED.attach_in(&mut inner, move || witness.touch());
        inner.commit()
    })
    .join()
    .unwrap();
    let outer = outer.commit();
    assert_eq!(NESTED.probe_count(), 3);
    drop((inner, outer));
    hotprobe::synchronize().unwrap();
    dropped.try_recv().unwrap();
}
