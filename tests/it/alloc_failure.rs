//! G15: no lost detach, whatever allocation fails.

use crate::{Witness, alloc, isolated};
use hotprobe::{Probe, ProbeGroup};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

hotprobe::event! {
    static SCARCE: fn();
    static OTHER: fn();
}

/// Probes in order, and what each has counted.
fn attach(n: usize) -> (Vec<Probe>, Vec<Arc<AtomicU64>>) {
    (0..n)
        .map(|_| {
            let calls = Arc::new(AtomicU64::new(0));
            let counted = Arc::clone(&calls);
            let probe = SCARCE.attach(move || {
                counted.fetch_add(1, Ordering::SeqCst);
            });
            (probe, calls)
        })
        .unzip()
}

#[test]
fn a_detach_without_memory_takes_effect_and_is_made_good_later() {
    isolated(
        "alloc_failure::a_detach_without_memory_takes_effect_and_is_made_good_later",
        || {
            for victim in 0..6 {
                let (probes, calls) = attach(6);
                let (witness, dropped) = Witness::new();
                let last = SCARCE.attach(move || witness.touch());
                // The thread is inside `pinned`, so that crossbeam, which aborts without memory, is not asked.
                let (detached, failed) = hotprobe::pinned(|| {
                    alloc::fail_after(0, true);
                    let detached = probes[victim].detach() & last.detach();
                    (detached, alloc::stop_failing())
                });
                assert!(detached && failed, "the detach was made without memory");
                SCARCE.fire();
                for (n, calls) in calls.iter().enumerate() {
                    assert_eq!(calls.load(Ordering::SeqCst), u64::from(n != victim));
                }
                assert_eq!(SCARCE.probe_count(), 5);
                assert!(!probes[victim].detach() && !probes[victim].is_attached());
                // The captures are dropped although the event still names the probe.
                hotprobe::synchronize().unwrap();
                dropped.try_recv().expect("dropped after a grace period");
                // And with its handle gone, only the snapshot still names it: it must not be freed before that is.
                drop(last);
                hotprobe::synchronize().unwrap();
                SCARCE.fire();
                // A later update takes the tombstones out.
                let (more, _) = attach(1);
                SCARCE.fire();
                assert_eq!(calls[(victim + 1) % 6].load(Ordering::SeqCst), 3);
                drop((probes, more));
                assert_eq!(SCARCE.probe_count(), 0);
                assert!(!SCARCE.is_enabled());
                hotprobe::synchronize().unwrap();
                let stats = hotprobe::stats();
                assert_eq!(stats.retired, stats.reclaimed);
            }
        },
    );
}

#[test]
fn an_event_left_with_tombstones_only_is_off() {
    isolated(
        "alloc_failure::an_event_left_with_tombstones_only_is_off",
        || {
            // Registered, and with crossbeam's first bags allocated.
            drop(attach(1));
            hotprobe::synchronize().unwrap();
            let (probes, _) = attach(3);
            let baseline = alloc::live_bytes();
            let other = OTHER.attach(|| ());
            hotprobe::pinned(|| {
                alloc::fail_after(0, true);
                for probe in &probes {
                    probe.detach();
                }
                alloc::stop_failing();
            });
            assert!(!SCARCE.is_enabled());
            assert_eq!(SCARCE.probe_count(), 0);
            drop((probes, other));
            // The handles are gone, the tombstones may still be named: attach, detach, and all is freed.
            drop(attach(1));
            hotprobe::synchronize().unwrap();
            assert!(
                alloc::live_bytes() <= baseline + 4096,
                "{} bytes",
                alloc::live_bytes() - baseline
            );
        },
    );
}

#[test]
fn each_nth_allocation_of_a_group_detach_may_fail() {
    isolated(
        "alloc_failure::each_nth_allocation_of_a_group_detach_may_fail",
        || {
            for n in 0.. {
                let (probes, calls) = attach(8);
                let kept = SCARCE.attach(|| ());
                let mut group = ProbeGroup::from_iter(probes);
                group.extend((0..5).map(|_| OTHER.attach(|| ())));
                let also_kept = OTHER.attach(|| ());
                let failed = hotprobe::pinned(|| {
                    alloc::fail_after(n, true);
                    group.detach();
                    alloc::stop_failing()
                });
                SCARCE.fire();
                assert!(
                    calls.iter().all(|calls| calls.load(Ordering::SeqCst) == 0),
                    "allocation {n}"
                );
                assert_eq!((SCARCE.probe_count(), OTHER.probe_count()), (1, 1));
                drop((kept, also_kept));
                assert!(!SCARCE.is_enabled() && !OTHER.is_enabled());
                hotprobe::synchronize().unwrap();
                let stats = hotprobe::stats();
                assert_eq!(stats.retired, stats.reclaimed);
                if !failed {
                    assert!(n > 2, "the detach allocates something");
                    return;
                }
            }
        },
    );
}
