//! G15: no lost detach, whatever allocation fails.

use crate::{CHILD, Witness, alloc, child, isolated, text};
use hotprobe::{Batch, Probe, ProbeGroup, ProbeOptions};
use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

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
                // The thread is inside `pinned`, so that crossbeam, which aborts without memory, is
                // not asked.
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
                // And with its handle gone, only the snapshot still names it: it must not be freed
                // before that is.
                drop(last);
                hotprobe::synchronize().unwrap();
                assert_eq!(SCARCE.probes().len(), 5);
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
fn an_event_left_with_tombstones_and_what_has_panicked_is_off() {
    isolated(
        "alloc_failure::an_event_left_with_tombstones_and_what_has_panicked_is_off",
        || {
            crate::quiet_planned_panics();
            let panics = SCARCE.attach(|| panic!("planned"));
            let (probes, _) = attach(3);
            SCARCE.fire();
            assert!(panics.has_panicked() && SCARCE.is_enabled());
            let group = ProbeGroup::from_iter(probes);
            hotprobe::pinned(|| {
                alloc::fail_after(0, true);
                drop(group);
                assert!(alloc::stop_failing());
            });
            assert!(!SCARCE.is_enabled());
            assert_eq!(SCARCE.probe_count(), 1);
        },
    );
}

#[test]
fn a_group_over_many_events_is_detached_without_memory_for_a_list_of_them() {
    isolated(
        "alloc_failure::a_group_over_many_events_is_detached_without_memory_for_a_list_of_them",
        || {
            const LARGE: usize = 1 << 16;
            hotprobe::event! { static A: fn(); static B: fn(); static C: fn(); static D: fn(); }
            let calls = Arc::new(AtomicU64::new(0));
            let count = |n: u64| {
                let calls = Arc::clone(&calls);
                move || {
                    calls.fetch_add(n, Ordering::SeqCst);
                }
            };
            let kept = [A.attach(count(1)), B.attach(count(1)), C.attach(count(1))];
            #[allow(
                clippy::large_stack_arrays,
                reason = "a probe that is seen in the memory"
            )]
            let bytes = [1_u8; LARGE];
            let early = A.attach(move || assert_eq!(bytes[LARGE - 1], 1));
            early.detach();
            hotprobe::synchronize().unwrap();
            let with_it = alloc::live_bytes();
            let mut group = ProbeGroup::from_iter([
                A.attach(count(100)),
                B.attach(count(100)),
                C.attach(count(100)),
                D.attach(count(100)),
                early,
            ]);
            hotprobe::pinned(|| {
                alloc::fail_after(0, true);
                group.detach();
                assert!(alloc::stop_failing());
            });
            hotprobe::synchronize().unwrap();
            assert!(!D.is_enabled());
            let fire = || {
                calls.store(0, Ordering::SeqCst);
                A.fire();
                B.fire();
                C.fire();
                D.fire();
                calls.load(Ordering::SeqCst)
            };
            assert_eq!(fire(), 3);
            // What the snapshots still name has not been freed; what they do not, has.
            let left = [A.probes(), B.probes(), C.probes(), D.probes()].map(|probes| probes.len());
            assert_eq!(left, [1, 1, 1, 0]);
            assert!(with_it - alloc::live_bytes() > 32_768);
            // Later updates take the tombstones out.
            let more = [A.attach(count(1)), B.attach(count(1)), D.attach(count(1))];
            assert_eq!(fire(), 6);
            drop((kept, more));
            assert_eq!(fire(), 0);
            hotprobe::synchronize().unwrap();
            let stats = hotprobe::stats();
            assert_eq!(stats.retired, stats.reclaimed);
        },
    );
}

#[test]
fn what_was_detached_without_memory_is_dropped_by_the_next_reclaim() {
    isolated(
        "alloc_failure::what_was_detached_without_memory_is_dropped_by_the_next_reclaim",
        || {
            let (witness, dropped) = Witness::new();
            let probe = SCARCE.attach(move || witness.touch());
            let (kept, _) = attach(3);
            // No snapshot is left to be reclaimed; and the detach retires none.
            hotprobe::synchronize().unwrap();
            hotprobe::pinned(|| {
                alloc::fail_after(0, true);
                probe.detach();
                assert!(alloc::stop_failing());
            });
            dropped.try_recv().unwrap_err();
            hotprobe::reclaim();
            dropped.try_recv().expect("dropped, as after any detach");
            drop(kept);
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
            // The handles are gone, the tombstones may still be named: attach, detach, and all is
            // freed.
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

/// What is tried with each allocation failing, one by one.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Detach,
    DetachTheOnlyOne,
    DetachByDrop,
    DetachAndWait,
    DetachGroup,
    DetachGroupOfSingles,
    Attach,
    AttachWith,
    CommitAttaches,
    CommitDetaches,
    CommitBoth,
    FirstFiring,
}

const OPERATIONS: [Operation; 12] = [
    Operation::Detach,
    Operation::DetachTheOnlyOne,
    Operation::DetachByDrop,
    Operation::DetachAndWait,
    Operation::DetachGroup,
    Operation::DetachGroupOfSingles,
    Operation::Attach,
    Operation::AttachWith,
    Operation::CommitAttaches,
    Operation::CommitDetaches,
    Operation::CommitBoth,
    Operation::FirstFiring,
];

/// Which probes the last firings of both events have called, a bit each.
static CALLED: AtomicU64 = AtomicU64::new(0);

/// Fires both events; who was called?
fn called() -> u64 {
    CALLED.store(0, Ordering::SeqCst);
    SCARCE.fire();
    OTHER.fire();
    CALLED.load(Ordering::SeqCst)
}

fn call(bit: u32) -> impl Fn() + Send + Sync {
    move || {
        CALLED.fetch_or(1 << bit, Ordering::SeqCst);
    }
}

/// Bits 0 to 5 are single probes of `SCARCE`, 6 is the only single probe of `OTHER`, 8 and 9 are a
/// batch's group, one on each. From 16 on: the probes that it attaches.
const THERE: u64 = 0b11_0111_1111;

impl Operation {
    /// Who is called after it, if it has been done.
    fn after(self) -> u64 {
        match self {
            Self::Detach | Self::DetachByDrop | Self::DetachAndWait => THERE & !(1 << 2),
            Self::DetachTheOnlyOne => THERE & !(1 << 6),
            Self::DetachGroup => THERE & !(0b11 << 8),
            Self::DetachGroupOfSingles => THERE & !0b111_1111,
            Self::Attach | Self::AttachWith => THERE | 1 << 16,
            Self::CommitAttaches => THERE | 0b111 << 16,
            Self::CommitDetaches => THERE & !(0b11 << 8 | 1 << 2),
            Self::CommitBoth => (THERE & !(0b11 << 8 | 1 << 2)) | 0b111 << 16,
            Self::FirstFiring => THERE,
        }
    }

    /// Whether it must get along without memory, as far as it is hotprobe's affair.
    fn detaches_only(self) -> bool {
        matches!(
            self,
            Self::Detach
                | Self::DetachTheOnlyOne
                | Self::DetachByDrop
                | Self::DetachAndWait
                | Self::DetachGroup
                | Self::DetachGroupOfSingles
        )
    }

    /// Does it. `failing` is called just before what is tried. Handles that are still of use are
    /// given back; there is room for them.
    fn perform(
        self,
        singles: &mut Vec<Probe>,
        group: &mut ProbeGroup,
        committed: &mut Option<ProbeGroup>,
        failing: impl Fn(),
    ) {
        let mut batch = Batch::new();
        let options = ProbeOptions::new().name(String::from("scarce"));
        if matches!(self, Self::CommitDetaches | Self::CommitBoth) {
            batch.detach(&singles[2]);
            batch.detach_group(std::mem::take(group));
        }
        if matches!(self, Self::CommitAttaches | Self::CommitBoth) {
            SCARCE.attach_in(&mut batch, call(16));
            OTHER.attach_in(&mut batch, call(17));
            SCARCE.attach_in_with(&mut batch, options.clone(), call(18));
        }
        match self {
            Self::Detach => {
                failing();
                assert!(singles[2].detach());
            }
            Self::DetachTheOnlyOne => {
                failing();
                assert!(singles[6].detach());
            }
            Self::DetachByDrop => {
                let probe = singles.remove(2);
                failing();
                drop(probe);
            }
            Self::DetachAndWait => {
                failing();
                singles[2].detach_and_wait().unwrap();
            }
            Self::DetachGroup => {
                failing();
                group.detach();
            }
            Self::DetachGroupOfSingles => {
                let mut all: ProbeGroup = singles.drain(..).collect();
                failing();
                all.detach();
            }
            Self::Attach => {
                failing();
                singles.push(SCARCE.attach(call(16)));
            }
            Self::AttachWith => {
                failing();
                singles.push(SCARCE.attach_with(options, call(16)));
            }
            Self::CommitAttaches | Self::CommitDetaches | Self::CommitBoth => {
                failing();
                *committed = Some(batch.commit());
            }
            Self::FirstFiring => {
                failing();
                SCARCE.fire();
            }
        }
    }
}

/// Lanes that are allocated together (`rcu/lane.rs`); this thread has one.
const CHUNK: usize = 64;

const OPERATION: &str = "HOTPROBE_TEST_OPERATION";

/// In a process of its own: performs the operation of that index, with the `n`th allocation
/// failing, and all after it if `all`.
fn perform_without_memory(index: usize, n: usize, all: bool) {
    let operation = OPERATIONS[index];
    let mut singles: Vec<Probe> = Vec::with_capacity(16);
    singles.extend((0..6).map(|bit| SCARCE.attach(call(bit))));
    singles.push(OTHER.attach(call(6)));
    let mut batch = Batch::new();
    SCARCE.attach_in(&mut batch, call(8));
    OTHER.attach_in(&mut batch, call(9));
    let mut group = batch.commit();
    let mut committed = None;
    let mut run = || {
        let failing = || {
            // A thread that looks while it fails, this one or another, must not find it half done.
            alloc::when_failing(|| eprintln!("at the failure: {:x};", called()));
            alloc::fail_after(n, all);
        };
        operation.perform(&mut singles, &mut group, &mut committed, failing);
        alloc::stop_failing()
    };
    let failed = if matches!(operation, Operation::FirstFiring) {
        // On a thread that has never fired, when all lanes of the first chunk belong to others.
        let (fired, parked) = (Barrier::new(CHUNK), Barrier::new(CHUNK));
        std::thread::scope(|scope| {
            for _ in 1..CHUNK {
                scope.spawn(|| {
                    hotprobe::pinned(|| ());
                    fired.wait();
                    parked.wait();
                });
            }
            fired.wait();
            let failed = scope.spawn(&mut run).join().unwrap();
            parked.wait();
            failed
        })
    } else {
        assert_eq!(called(), THERE);
        run()
    };
    eprintln!("afterwards: {:x};", called());
    // Whatever was made without memory is made good.
    hotprobe::synchronize().unwrap();
    assert_eq!(called(), operation.after());
    drop((singles, group, committed));
    assert!(!SCARCE.is_enabled() && !OTHER.is_enabled());
    assert_eq!((SCARCE.probe_count(), OTHER.probe_count()), (0, 0));
    hotprobe::synchronize().unwrap();
    let stats = hotprobe::stats();
    assert_eq!(stats.retired, stats.reclaimed);
    eprintln!("failed: {failed};");
}

/// What stands behind `key` in what a child has printed.
fn told(text: &str, key: &str) -> Vec<String> {
    let after = text.split(key).skip(1);
    let words = after.filter_map(|rest| rest.split(';').next());
    words.map(|word| word.trim().to_owned()).collect()
}

#[test]
fn each_nth_allocation_of_each_operation_may_fail_and_nothing_is_done_by_half() {
    let name =
        "alloc_failure::each_nth_allocation_of_each_operation_may_fail_and_nothing_is_done_by_half";
    if env::var(CHILD).is_ok_and(|child| child == name) {
        let operation = env::var(OPERATION).unwrap();
        let mut words = operation.split(' ').map(|word| word.parse().unwrap());
        let mut next = || words.next().unwrap();
        return perform_without_memory(next(), next(), next() == 1);
    }
    for (index, operation) in OPERATIONS.into_iter().enumerate() {
        let (before, after) = (format!("{THERE:x}"), format!("{:x}", operation.after()));
        for all in [false, true] {
            let (mut survived, mut aborted) = (0, 0);
            for n in 0.. {
                let arguments = format!("{index} {n} {}", u8::from(all));
                let output = child(name).env(OPERATION, &arguments).output().unwrap();
                let text = text(&output);
                let what =
                    format!("{operation:?}, allocation {n}, all later ones too: {all}\n{text}");
                let seen = told(&text, "at the failure: ");
                // (A thread that is being registered skips its firings.)
                let skipped =
                    |mask: &String| matches!(operation, Operation::FirstFiring) && mask == "0";
                assert!(
                    seen.iter()
                        .all(|mask| *mask == before || *mask == after || skipped(mask)),
                    "half done: {what}"
                );
                if output.status.success() {
                    assert!(told(&text, "afterwards: ") == [&*after], "{what}");
                    if told(&text, "failed: ") == ["false"] {
                        assert!(n > 0, "it allocates something: {what}");
                        break;
                    }
                    survived += 1;
                } else {
                    // As any failed allocation in Rust ends a process; not by a panic.
                    let ended = text.contains("memory allocation of");
                    assert!(ended && output.status.code() != Some(101), "{what}");
                    assert!(
                        !operation.detaches_only() || seen.last() == Some(&after),
                        "it ended before the detach took effect: {what}"
                    );
                    aborted += 1;
                }
            }
            println!(
                "{operation:?}, all later ones too: {all}: {survived} survived, {aborted} aborted"
            );
        }
    }
}
