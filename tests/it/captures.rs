//! G7: where and when captures drop.

use crate::{Door, Witness, eventually, isolated, quiet_planned_panics};
use hotprobe::{Batch, Probe, ProbeGroup};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

hotprobe::event! {
    static EVENT: fn();
}

#[test]
fn an_outside_detach_has_dropped_the_captures_when_it_returns() {
    isolated(
        "captures::an_outside_detach_has_dropped_the_captures_when_it_returns",
        || {
            for others in [0, 1, 4, 16] {
                let kept: Vec<Probe> = (0..others).map(|_| EVENT.attach(|| ())).collect();
                for _ in 0..1000 {
                    let (witness, dropped) = Witness::new();
                    let probe = EVENT.attach(move || witness.touch());
                    EVENT.fire();
                    assert!(dropped.try_recv().is_err());
                    probe.detach();
                    assert_eq!(
                        dropped.try_recv(),
                        Ok(thread::current().id()),
                        "{others} others"
                    );
                    drop(probe);
                    assert!(dropped.try_recv().is_err(), "dropped once");
                }
                drop(kept);
            }
            // The same for a group, and for what a commit detaches.
            let (witness, dropped) = Witness::new();
            let mut group = ProbeGroup::from_iter([EVENT.attach(move || witness.touch())]);
            group.detach();
            dropped.try_recv().unwrap();
            let (witness, dropped) = Witness::new();
            let probe = EVENT.attach(move || witness.touch());
            let mut batch = Batch::new();
            batch.detach(&probe);
            drop(batch.commit());
            dropped.try_recv().unwrap();
        },
    );
}

/// Each thread that has exited leaves something in crossbeam's queue; that must not delay a detach.
#[test]
fn even_behind_thousands_of_threads_that_have_exited() {
    isolated(
        "captures::even_behind_thousands_of_threads_that_have_exited",
        || {
            let keeps_it_enabled = EVENT.attach(|| ());
            for _ in 0..3000 {
                thread::spawn(|| EVENT.fire()).join().unwrap();
            }
            let (witness, dropped) = Witness::new();
            EVENT.attach(move || witness.touch()).detach();
            dropped.try_recv().expect("dropped when detach returned");
            drop(keeps_it_enabled);
        },
    );
}

#[test]
fn captures_never_drop_on_a_firing_thread_nor_in_attach() {
    isolated(
        "captures::captures_never_drop_on_a_firing_thread_nor_in_attach",
        || {
            hotprobe::event! { static HOT: fn(); }
            let stop = AtomicBool::new(false);
            let (sender, dropped_on) = std::sync::mpsc::channel();
            let writers = thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        while !stop.load(Ordering::Relaxed) {
                            HOT.fire();
                        }
                    });
                }
                let writer = thread::current().id();
                for _ in 0..20_000 {
                    let witness = Witness::to(sender.clone());
                    let probe = HOT.attach(move || witness.touch());
                    probe.detach();
                }
                stop.store(true, Ordering::Relaxed);
                writer
            });
            hotprobe::synchronize().unwrap();
            drop(sender);
            let threads: Vec<_> = dropped_on.iter().collect();
            assert_eq!(threads.len(), 20_000, "each exactly once");
            assert!(threads.iter().all(|&thread| thread == writers));

            // What could not be dropped by its own detach is not dropped by an attach either.
            let (witness, dropped) = Witness::new();
            let probe = HOT.attach(move || witness.touch());
            hotprobe::pinned(|| probe.detach());
            assert!(dropped.try_recv().is_err());
            let others: Vec<_> = (0..200).map(|_| HOT.attach(|| ())).collect();
            assert!(dropped.try_recv().is_err(), "dropped in attach");
            hotprobe::reclaim();
            dropped.try_recv().expect("reclaim drops");
            drop(others);
        },
    );
}

#[test]
fn inside_a_firing_or_pinned_a_detach_only_retires() {
    let (witness, dropped) = Witness::new();
    let probe = Arc::new(Mutex::new(Some(EVENT.attach(move || witness.touch()))));
    hotprobe::event! { static INSIDE: fn(); }
    let detacher = INSIDE.attach({
        let probe = Arc::clone(&probe);
        move || drop(probe.lock().unwrap().take())
    });
    let door = Arc::new(Door::new());
    thread::scope(|scope| {
        // Hold the grace period up, so that other tests cannot drop it meanwhile.
        let held = scope.spawn(|| hotprobe::pinned(|| door.pass()));
        door.wait_for_arrival();
        INSIDE.fire();
        assert!(dropped.try_recv().is_err());
        hotprobe::pinned(|| {
            let (witness, dropped) = Witness::new();
            EVENT.attach(move || witness.touch()).detach();
            assert!(dropped.try_recv().is_err());
        });
        door.open();
        held.join().unwrap();
    });
    hotprobe::synchronize().unwrap();
    dropped.try_recv().expect("the next call outside drops it");
    drop(detacher);
}

#[test]
fn a_chain_of_probes_that_own_probes_drops_without_recursion() {
    isolated(
        "captures::a_chain_of_probes_that_own_probes_drops_without_recursion",
        || {
            let dropped = Arc::new(AtomicU64::new(0));
            struct Link(Option<Probe>, Arc<AtomicU64>);
            impl Drop for Link {
                fn drop(&mut self) {
                    self.1.fetch_add(1, Ordering::SeqCst);
                }
            }
            // A small stack: two thousand nested drops would not fit.
            let run = {
                let dropped = Arc::clone(&dropped);
                move || {
                    let mut chain = None;
                    for _ in 0..2000 {
                        let link = Link(chain.take(), Arc::clone(&dropped));
                        chain = Some(EVENT.attach(move || {
                            let _ = &link.0;
                        }));
                    }
                    assert_eq!(EVENT.probe_count(), 2000);
                    chain.unwrap().detach();
                }
            };
            thread::Builder::new()
                .stack_size(128 << 10)
                .spawn(run)
                .unwrap()
                .join()
                .unwrap();
            assert_eq!(
                dropped.load(Ordering::SeqCst),
                2000,
                "all, before detach returned"
            );
            assert_eq!(EVENT.probe_count(), 0);
        },
    );
}

#[test]
fn a_drop_that_panics_is_counted_and_does_not_stop_the_others() {
    quiet_planned_panics();
    struct Bomb(Witness);
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("planned: a captured Drop panics");
        }
    }
    let before = hotprobe::stats().drop_panics;
    let mut group = ProbeGroup::new();
    let mut receivers = Vec::new();
    for n in 0..10 {
        let (witness, receiver) = Witness::new();
        receivers.push(receiver);
        group.add(if n % 2 == 0 {
            let bomb = Bomb(witness);
            EVENT.attach(move || bomb.0.touch())
        } else {
            EVENT.attach(move || witness.touch())
        });
    }
    group.detach_and_wait().unwrap();
    for receiver in receivers {
        receiver.try_recv().expect("each was dropped");
    }
    assert!(hotprobe::stats().drop_panics >= before + 5);
}

#[test]
fn a_drop_that_does_not_return_holds_only_itself() {
    isolated(
        "captures::a_drop_that_does_not_return_holds_only_itself",
        || {
            struct Stuck(Arc<Door>);
            impl Drop for Stuck {
                fn drop(&mut self) {
                    self.0.pass();
                }
            }
            let door = Arc::new(Door::new());
            let stuck = Stuck(Arc::clone(&door));
            let mut group = ProbeGroup::from_iter([EVENT.attach(move || {
                let _ = &stuck;
            })]);
            let mut receivers = Vec::new();
            for _ in 0..5 {
                let (witness, receiver) = Witness::new();
                receivers.push(receiver);
                group.add(EVENT.attach(move || witness.touch()));
            }
            let detacher = thread::spawn(move || drop(group));
            door.wait_for_arrival();
            // Attach, detach and fire continue to work; what is ready is dropped by others.
            let (witness, dropped) = Witness::new();
            EVENT.attach(move || witness.touch()).detach();
            eventually("the others drop", || {
                hotprobe::reclaim();
                dropped.try_recv().is_ok()
            });
            for receiver in receivers {
                receiver
                    .try_recv()
                    .expect("the rest of the group has been dropped");
            }
            let waited = hotprobe::synchronize_timeout(std::time::Duration::from_millis(20));
            assert_eq!(
                waited,
                Err(hotprobe::SynchronizeError::TimedOut),
                "what another thread drops is waited for"
            );
            door.open();
            hotprobe::synchronize().unwrap();
            detacher.join().unwrap();
        },
    );
}

#[test]
fn a_probe_may_own_its_own_handle() {
    let slot: Arc<Mutex<Option<Probe>>> = Arc::default();
    let (witness, dropped) = Witness::new();
    let probe = EVENT.attach({
        let slot = Arc::clone(&slot);
        move || {
            let _ = &slot;
            witness.touch();
        }
    });
    *slot.lock().unwrap() = Some(probe);
    let probe = slot.lock().unwrap().take().unwrap();
    drop(slot);
    probe.detach_and_wait().unwrap();
    dropped.try_recv().unwrap();
}

/// Those that exit while a grace period runs leave what they had behind it in the queue.
#[test]
fn also_if_the_threads_exit_while_a_reader_stalls() {
    isolated(
        "captures::also_if_the_threads_exit_while_a_reader_stalls",
        || {
            let keeps_it_enabled = EVENT.attach(|| ());
            let door = Door::new();
            thread::scope(|scope| {
                let reader = scope.spawn(|| hotprobe::pinned(|| door.pass()));
                door.wait_for_arrival();
                EVENT.attach(|| ()).detach();
                for _ in 0..2000 {
                    scope.spawn(|| EVENT.fire()).join().unwrap();
                }
                door.open();
                reader.join().unwrap();
            });
            let (witness, dropped) = Witness::new();
            EVENT.attach(move || witness.touch()).detach();
            dropped.try_recv().expect("dropped when detach returned");
            let stats = hotprobe::stats();
            assert_eq!(stats.retired, stats.reclaimed);
            drop(keeps_it_enabled);
        },
    );
}

#[test]
fn a_detach_that_comes_too_late_drops_what_the_first_could_not() {
    isolated(
        "captures::a_detach_that_comes_too_late_drops_what_the_first_could_not",
        || {
            let (witness, dropped) = Witness::new();
            let probe = EVENT.attach(move || witness.touch());
            assert!(hotprobe::pinned(|| probe.detach()));
            assert!(dropped.try_recv().is_err());
            assert!(!probe.detach());
            dropped.try_recv().expect("the next call outside drops it");
        },
    );
}

#[test]
fn what_a_dropped_batch_had_queued_may_panic_when_it_drops() {
    quiet_planned_panics();
    struct Bomb(Witness);
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("planned: a queued probe's captures panic");
        }
    }
    let before = hotprobe::stats().drop_panics;
    let (first, second) = (Witness::new(), Witness::new());
    let mut batch = Batch::new();
    for witness in [first.0, second.0] {
        let bomb = Bomb(witness);
        EVENT.attach_in(&mut batch, move || bomb.0.touch());
    }
    drop(batch);
    assert!(hotprobe::stats().drop_panics >= before + 2);
    first.1.try_recv().unwrap();
    second.1.try_recv().unwrap();
}
