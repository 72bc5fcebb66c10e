//! G5: what a batch attaches begins at one instant over any number of events, and its group ends at
//! one.

use hotprobe::{Batch, ProbeGroup};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

hotprobe::event! {
    static A: fn();
    static B: fn();
    // Events whose vectors are long, so that a commit takes its time: some lie between A and B in
    // memory, which is the order of the swaps.
    static LONG_1: fn(); static LONG_2: fn(); static LONG_3: fn(); static LONG_4: fn();
    static LONG_5: fn(); static LONG_6: fn(); static LONG_7: fn(); static LONG_8: fn();
}

const LONG: [&(dyn Fn(&mut Batch) + Sync); 8] = [
    &|batch| LONG_1.attach_in(batch, || ()),
    &|batch| LONG_2.attach_in(batch, || ()),
    &|batch| LONG_3.attach_in(batch, || ()),
    &|batch| LONG_4.attach_in(batch, || ()),
    &|batch| LONG_5.attach_in(batch, || ()),
    &|batch| LONG_6.attach_in(batch, || ()),
    &|batch| LONG_7.attach_in(batch, || ()),
    &|batch| LONG_8.attach_in(batch, || ()),
];

thread_local! {
    /// The generation of the batch whose probe ran last on this thread, at A and at B.
    static SEEN: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// Attaches a batch at A and B whose probes write down their generation.
fn attach(generation: u64) -> ProbeGroup {
    let mut batch = Batch::new();
    A.attach_in(&mut batch, move || {
        SEEN.with(|seen| seen.set((generation, seen.get().1)))
    });
    B.attach_in(&mut batch, move || {
        SEEN.with(|seen| seen.set((seen.get().0, generation)))
    });
    LONG.iter().for_each(|attach| attach(&mut batch));
    batch.commit()
}

fn fire_and_read(fire: impl FnOnce(), read: impl FnOnce((u64, u64)) -> u64) -> u64 {
    SEEN.with(|seen| seen.set((0, 0)));
    fire();
    SEEN.with(|seen| read(seen.get()))
}

/// Fires one event after the other; the probes of one batch must be found as one. `attached` is the
/// last batch whose commit has returned, `ending` the last one whose group's detach may have begun.
fn observe(a_first: bool, attached: &AtomicU64, ending: &AtomicU64) -> u64 {
    let fire_a = || fire_and_read(|| A.fire(), |(a, _)| a);
    let fire_b = || fire_and_read(|| B.fire(), |(_, b)| b);
    let attached_before = attached.load(Ordering::SeqCst);
    let (first, second) = if a_first {
        let a = fire_a();
        (a, fire_b())
    } else {
        let b = fire_b();
        (b, fire_a())
    };
    let ending_after = ending.load(Ordering::SeqCst);
    assert!(
        first == 0 || second != 0 || ending_after >= first,
        "batch {first} was found at one event and not at the other, before its end"
    );
    assert!(
        first != 0 || second == 0 || attached_before < second,
        "group {second} was gone at one event, and found at the other afterwards"
    );
    u64::from(first != 0 && first == second)
}

/// Two readers in both orders, one writer; the process to itself, since it is a matter of a few
/// cycles.
fn readers_in_both_orders(pinned: bool) {
    let (attached, ending, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let both = AtomicU64::new(0);
    let mut long = Batch::new();
    for _ in 0..300 {
        LONG.iter().for_each(|attach| attach(&mut long));
    }
    let _long = long.commit();
    thread::scope(|scope| {
        for a_first in [true, false] {
            let (attached, ending, stop, both) = (&attached, &ending, &stop, &both);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let look = || observe(a_first, attached, ending);
                    let seen = if pinned {
                        hotprobe::pinned(look)
                    } else {
                        look()
                    };
                    both.fetch_add(seen, Ordering::Relaxed);
                }
            });
        }
        let begin = Instant::now();
        let mut generation = 0;
        while begin.elapsed() < Duration::from_secs(3) {
            generation += 1;
            let mut group = attach(generation);
            attached.store(generation, Ordering::SeqCst);
            if generation % 4 != 0 {
                std::hint::spin_loop();
            } else {
                thread::yield_now();
            }
            // From here on its end may be seen.
            ending.store(generation, Ordering::SeqCst);
            group.detach();
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(
        both.load(Ordering::Relaxed) > 0,
        "no reader ever found both: nothing was tested"
    );
}

#[test]
fn a_batch_is_found_at_both_events_or_at_neither() {
    crate::isolated(
        "instant::a_batch_is_found_at_both_events_or_at_neither",
        || {
            readers_in_both_orders(false);
        },
    );
}

#[test]
fn inside_pinned_too() {
    crate::isolated("instant::inside_pinned_too", || {
        readers_in_both_orders(true)
    });
}

#[test]
fn inside_one_firing_a_group_is_gone_for_all_its_later_probes_once_it_is_gone() {
    hotprobe::event! { static LONG: fn(); }
    use std::sync::{Arc, Mutex};
    let group: Arc<Mutex<Option<ProbeGroup>>> = Arc::default();
    let calls = Arc::new(AtomicU64::new(0));
    // An ordinary probe, in front, which ends the group in the midst of the firing.
    let ender = LONG.attach({
        let group = Arc::downgrade(&group);
        move || {
            if let Some(mut group) = group.upgrade().unwrap().lock().unwrap().take() {
                group.detach();
            }
        }
    });
    let mut batch = Batch::new();
    for _ in 0..5 {
        let calls = Arc::clone(&calls);
        LONG.attach_in(&mut batch, move || {
            calls.fetch_add(1, Ordering::SeqCst);
        });
    }
    *group.lock().unwrap() = Some(batch.commit());
    LONG.fire();
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    drop(ender);
}

#[test]
fn a_batch_over_a_hundred_events_begins_and_ends_as_one() {
    hotprobe::event! { static E0: fn(n: u32); static E1: fn(n: u32); static E2: fn(n: u32); }
    let mut batch = Batch::new();
    for _ in 0..100 {
        E0.attach_in(&mut batch, |_| ());
        E1.attach_in(&mut batch, |_| ());
        E2.attach_in(&mut batch, |_| ());
    }
    let mut group = batch.commit();
    assert_eq!(
        (E0.probe_count(), E1.probe_count(), E2.probe_count()),
        (100, 100, 100)
    );
    assert!(group.iter().all(hotprobe::Probe::is_attached));
    group.detach();
    assert_eq!(
        (E0.probe_count(), E1.probe_count(), E2.probe_count()),
        (0, 0, 0)
    );
}
