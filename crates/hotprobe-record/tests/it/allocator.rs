//! An allocator that fires recorded events, at the worst moments: no firing and no snapshot waits for itself.

use super::*;
use crate::alloc::{ALLOCATED, FIRES, allocations};
use std::cell::Cell;
use test_support::isolated;

hotprobe::event! {
    static E0: fn(n: u64);
    static E1: fn(n: u64);
    static E2: fn(n: u64);
    static E3: fn(n: u64);
}

/// One buffer, which one thread after the other fills with records of all events.
fn one_buffer_of_many_threads(threads: u64) -> Recording {
    let recording = Recorder::new()
        .event(&ALLOCATED)
        .event(&E0)
        .event(&E1)
        .event(&E2)
        .event(&E3)
        .overflow(Overflow::OverwriteOldest)
        .max_buffer_bytes(4096)
        .max_total_bytes(4096)
        .start()
        .expect("it can start");
    for n in 0..threads {
        let fire = move || {
            E0.fire(n);
            E1.fire(n);
            E2.fire(n);
            E3.fire(n);
        };
        thread::spawn(fire).join().expect("it ends well");
    }
    recording
}

/// Runs this on a thread, and fails if it never ends.
fn ends<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let begin = Instant::now();
    let thread = thread::spawn(work);
    while !thread.is_finished() {
        if begin.elapsed() > Duration::from_secs(60) {
            // (So that this thread does not wait likewise.)
            FIRES.store(false, Ordering::SeqCst);
            panic!("never happened: {what} ended");
        }
        thread::yield_now();
    }
    thread.join().expect("it ends well")
}

#[test]
fn a_firing_that_overwrites_what_many_threads_left_allocates_nothing() {
    isolated(
        "allocator::a_firing_that_overwrites_what_many_threads_left_allocates_nothing",
        || {
            let recording = one_buffer_of_many_threads(24);
            let made = ends("1000 firings", || {
                E0.fire(0); // this takes the buffer over
                FIRES.store(true, Ordering::SeqCst);
                let before = allocations();
                for n in 0..1000 {
                    E0.fire(n);
                }
                let made = allocations() - before;
                FIRES.store(false, Ordering::SeqCst);
                made
            });
            assert_eq!(made, 0);
            let trace = finish(recording);
            let sum = balanced(&trace);
            assert_eq!(sum.fired, 24 * 4 + 1001);
            // All that the threads before fired was overwritten, and is counted for the thread that fired it.
            for event in [E1.name(), E2.name(), E3.name()] {
                let counts = trace.counts().filter(|(of, ..)| of.name() == event);
                let lost: Vec<_> = counts.map(|(.., count)| count.lost).collect();
                assert_eq!(lost, [1; 24]);
            }
        },
    );
}

#[test]
fn a_snapshot_whose_allocations_are_recorded_does_not_wait_for_itself() {
    isolated(
        "allocator::a_snapshot_whose_allocations_are_recorded_does_not_wait_for_itself",
        || {
            let recording = one_buffer_of_many_threads(60);
            // The thread that copies has no buffer yet: each allocation looks for one.
            let recording = ends("a snapshot", move || {
                FIRES.store(true, Ordering::SeqCst);
                let trace = recording.snapshot();
                FIRES.store(false, Ordering::SeqCst);
                assert!(balanced(&trace.expect("it is in memory")).fired >= 240);
                recording
            });
            let sum = balanced(&finish(recording));
            assert!(sum.fired > 240, "the allocations are counted: {sum:?}");
        },
    );
}

#[test]
fn a_snapshot_inside_of_a_snapshot_does_not_wait_for_it() {
    thread_local! {
        static DEPTH: Cell<u64> = const { Cell::new(0) };
    }
    isolated(
        "allocator::a_snapshot_inside_of_a_snapshot_does_not_wait_for_it",
        || {
            let recording = Arc::new(one_buffer_of_many_threads(60));
            let inner = Arc::clone(&recording);
            let taken = Arc::new(AtomicU64::new(0));
            let counted = Arc::clone(&taken);
            let probe = ALLOCATED.attach(move |_| {
                if DEPTH.replace(1) == 0 {
                    assert!(inner.snapshot().is_ok());
                    counted.fetch_add(1, Ordering::SeqCst);
                    DEPTH.set(0);
                }
            });
            let outer = Arc::clone(&recording);
            ends("snapshots in snapshots", move || {
                FIRES.store(true, Ordering::SeqCst);
                assert!(outer.snapshot().is_ok());
                FIRES.store(false, Ordering::SeqCst);
            });
            assert!(probe.detach() && !probe.has_panicked());
            assert!(taken.load(Ordering::SeqCst) > 10);
        },
    );
}

#[test]
fn a_recording_that_starts_inside_the_start_of_another_is_dumped_too() {
    thread_local! {
        static INSIDE: Cell<bool> = const { Cell::new(true) };
    }
    isolated(
        "allocator::a_recording_that_starts_inside_the_start_of_another_is_dumped_too",
        || {
            quiet_planned_panics();
            let directory = directory("dumps_inside");
            let to = directory.clone();
            let start = Arc::new(move |name: String| {
                let path = to.join(name);
                let recorder = Recorder::new().event(&E0).dump_on_panic(path);
                recorder
                    .max_buffer_bytes(1 << 13)
                    .start()
                    .expect("it can start")
            });
            let kept = Arc::new(Mutex::new(Vec::new()));
            for n in 0..4 {
                kept.lock().unwrap().push(start(format!("{n}.json")));
            }
            // The list of recordings to dump grows with the fifth: some allocations of these sizes begin a recording.
            let (inner, all) = (Arc::clone(&start), Arc::clone(&kept));
            let probe = ALLOCATED.attach(move |bytes| {
                if matches!(bytes, 64 | 96) && !INSIDE.replace(true) {
                    let mut kept = all.lock().unwrap();
                    let name = format!("{}.json", kept.len());
                    kept.push(inner(name));
                    INSIDE.set(kept.len() > 30);
                }
            });
            let outer = ends("starts in starts", move || {
                FIRES.store(true, Ordering::SeqCst);
                INSIDE.set(false);
                let recording = start("outer.json".to_owned());
                INSIDE.set(true);
                FIRES.store(false, Ordering::SeqCst);
                recording
            });
            assert!(probe.detach() && !probe.has_panicked());
            thread::spawn(|| panic!("planned")).join().unwrap_err();
            let kept = kept.lock().unwrap().len();
            assert!(kept > 4, "a recording started inside");
            let files = std::fs::read_dir(&directory).unwrap().count();
            assert_eq!(files, kept + 1);
            drop(outer);
        },
    );
}
