//! G13: bounded memory.

use crate::{Door, alloc, isolated};
use hotprobe::{Batch, Probe, ProbeGroup};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

hotprobe::event! {
    static CHURNED: fn();
}

#[test]
fn a_million_attach_detach_pairs_under_firing_threads_leave_nothing() {
    isolated(
        "memory::a_million_attach_detach_pairs_under_firing_threads_leave_nothing",
        || {
            const PAIRS: u64 = 1_000_000;
            let stop = AtomicBool::new(false);
            let warm_up = || {
                drop(CHURNED.attach(|| ()));
                hotprobe::synchronize().unwrap();
            };
            warm_up();
            let baseline = alloc::live_bytes();
            thread::scope(|scope| {
                let firing = [(); 2].map(|()| {
                    scope.spawn(|| {
                        while !stop.load(Ordering::Relaxed) {
                            CHURNED.fire();
                        }
                    })
                });
                let payload = [0_u8; 100];
                // The least that was seen: more may wait while a firing thread has no processor.
                let mut backlog = isize::MAX;
                for n in 0..PAIRS {
                    let probe = CHURNED.attach(move || {
                        std::hint::black_box(&payload);
                    });
                    probe.detach();
                    if n > PAIRS / 2 && n % 10_000 == 0 {
                        backlog = backlog.min(alloc::live_bytes() - baseline);
                    }
                }
                stop.store(true, Ordering::Relaxed);
                // The scope's end does not wait for their thread-local destructors, which give back
                // what crossbeam holds for them; this does.
                for thread in firing {
                    thread.join().unwrap();
                }
                assert!(backlog < 20 << 20, "a backlog of {backlog} bytes");
            });
            // Some rounds, since the threads that fired leave what they had to crossbeam's queue.
            for _ in 0..20 {
                warm_up();
            }
            let left = alloc::live_bytes() - baseline;
            assert!(left <= 8192, "{left} bytes are left");
            let stats = hotprobe::stats();
            assert_eq!(stats.retired, stats.reclaimed);
        },
    );
}

#[test]
fn a_stalled_reader_costs_a_snapshot_and_a_slot_for_each_swap_and_it_all_comes_back() {
    isolated(
        "memory::a_stalled_reader_costs_a_snapshot_and_a_slot_for_each_swap_and_it_all_comes_back",
        || {
            const SWAPS: u64 = 20_000;
            drop(CHURNED.attach(|| ()));
            hotprobe::synchronize().unwrap();
            let baseline = alloc::live_bytes();
            let door = Door::new();
            thread::scope(|scope| {
                let stalled = scope.spawn(|| hotprobe::pinned(|| door.pass()));
                door.wait_for_arrival();
                for _ in 0..SWAPS {
                    drop(CHURNED.attach(|| ()));
                }
                let stats = hotprobe::stats();
                assert_eq!(
                    stats.retired - stats.reclaimed,
                    2 * SWAPS,
                    "visible in the stats"
                );
                let each = (alloc::live_bytes() - baseline) / isize::try_from(SWAPS).unwrap();
                assert!(each < 400, "{each} bytes a swap");
                door.open();
                stalled.join().unwrap();
            });
            hotprobe::synchronize().unwrap();
            let stats = hotprobe::stats();
            assert_eq!(stats.retired, stats.reclaimed);
            for _ in 0..20 {
                hotprobe::synchronize().unwrap();
            }
            let left = alloc::live_bytes() - baseline;
            assert!(left <= 8192, "{left} bytes are left");
        },
    );
}

#[test]
fn single_attaches_to_one_event_do_not_pile_up_snapshots() {
    isolated(
        "memory::single_attaches_to_one_event_do_not_pile_up_snapshots",
        || {
            let probes: Vec<Probe> = (0..4000).map(|_| CHURNED.attach(|| ())).collect();
            let live = alloc::live_bytes();
            // All snapshots together would be 4000 * 4000 / 2 * 16 bytes = 128 MB.
            assert!(live < 16 << 20, "{live} bytes");
            drop(ProbeGroup::from_iter(probes));
        },
    );
}

#[test]
fn where_nothing_is_to_be_reclaimed_no_grace_period_begins() {
    isolated(
        "memory::where_nothing_is_to_be_reclaimed_no_grace_period_begins",
        || {
            drop(CHURNED.attach(|| ()));
            hotprobe::synchronize().unwrap();
            // A grace period would allocate: crossbeam queues what it is to do at the end.
            let before = alloc::allocations();
            for _ in 0..100 {
                hotprobe::reclaim();
            }
            assert_eq!(alloc::allocations(), before);
        },
    );
}

#[test]
fn a_batch_of_n_probes_is_one_snapshot() {
    isolated("memory::a_batch_of_n_probes_is_one_snapshot", || {
        const N: usize = 100_000;
        let before = hotprobe::stats().retired;
        let mut batch = Batch::new();
        for _ in 0..N {
            CHURNED.attach_in(&mut batch, || ());
        }
        let mut group = batch.commit();
        assert_eq!(
            hotprobe::stats().retired,
            before,
            "nothing was there to be replaced"
        );
        CHURNED.fire();
        group.detach();
        let stats = hotprobe::stats();
        assert_eq!(
            stats.retired,
            before + N as u64 + 1,
            "one snapshot, and the probes"
        );
        assert_eq!(stats.retired, stats.reclaimed);
    });
}
