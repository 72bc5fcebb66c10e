//! G14: counts are exact.

use crate::{isolated, quiet_planned_panics};
use hotprobe::{Batch, Probe};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

#[test]
fn every_firing_of_every_thread_is_seen_by_the_probe_once() {
    hotprobe::event! { static COUNTED: fn(n: u64); }
    const FIRINGS: u64 = 200_000;
    let sum = Arc::new(AtomicU64::new(0));
    let probe = COUNTED.attach({
        let sum = Arc::clone(&sum);
        move |n| {
            sum.fetch_add(n, Ordering::Relaxed);
        }
    });
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..FIRINGS / 2 {
                    hotprobe::fire!(COUNTED, 1);
                }
                hotprobe::pinned(|| {
                    for _ in 0..FIRINGS / 2 {
                        COUNTED.fire(1);
                    }
                });
            });
        }
    });
    assert_eq!(sum.load(Ordering::SeqCst), 4 * FIRINGS);
    probe.detach_and_wait().unwrap();
}

#[test]
fn stats_count_exactly_in_a_process_of_their_own() {
    isolated(
        "counts::stats_count_exactly_in_a_process_of_their_own",
        || {
            quiet_planned_panics();
            hotprobe::event! { static S: fn(); static T: fn(); }
            assert_eq!(hotprobe::stats(), hotprobe::Stats::default());
            let p = S.attach(|| panic!("planned: counted"));
            assert_eq!(hotprobe::stats().retired, 0, "nothing was replaced");
            for _ in 0..5 {
                S.fire();
            }
            let q = S.attach(|| ());
            let after = hotprobe::stats();
            assert_eq!(
                (after.probe_panics, after.retired),
                (1, 1),
                "one panic; one snapshot replaced"
            );
            p.detach();
            q.detach();
            let after = hotprobe::stats();
            assert_eq!(
                (after.retired, after.reclaimed),
                (5, 5),
                "three snapshots, two probes"
            );

            let mut batch = Batch::new();
            for _ in 0..10 {
                S.attach_in(&mut batch, || ());
                T.attach_in(&mut batch, || ());
            }
            let group = batch.commit();
            assert_eq!((S.probe_count(), T.probe_count()), (10, 10));
            drop(group);
            let after = hotprobe::stats();
            assert_eq!((after.retired, after.reclaimed), (5 + 22, 5 + 22));
            assert_eq!((after.skipped_nested, after.drop_panics), (0, 0));
        },
    );
}

#[test]
fn probe_count_is_right_while_threads_attach_and_detach() {
    hotprobe::event! { static BUSY: fn(); }
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let probes: Vec<Probe> = (0..3).map(|_| BUSY.attach(|| ())).collect();
                    assert!((3..=12).contains(&BUSY.probe_count()));
                    drop(probes);
                }
            });
        }
    });
    assert_eq!(BUSY.probe_count(), 0);
}
