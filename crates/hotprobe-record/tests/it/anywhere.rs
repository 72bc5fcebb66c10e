//! Recordings where it is difficult: over a fork, with an allocator that fires.
#![cfg(unix)]

use super::*;
use crate::alloc::{ALLOCATED, FIRES, FREED, allocations};
use test_support::isolated;
use test_support::system::in_child;

/// What a thread that is in nobody's way does.
fn elsewhere<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().expect("it ends well"))
}

/// The arguments of the records in a Chrome trace; its other numbers, such as time stamps, may be anything.
fn event_values(file: &str) -> Vec<serde_json::Value> {
    let file: serde_json::Value = serde_json::from_str(file).expect("it is whole");
    let events = file.as_array().expect("a list").iter();
    events
        .filter(|event| event["cat"] == "event")
        .flat_map(|event| event["args"].as_object().expect("arguments"))
        .map(|(_, value)| value.clone())
        .collect()
}

#[test]
fn a_child_that_is_forked_inside_of_a_recording_neither_hangs_nor_touches_the_parents() {
    hotprobe::event! { static NUMBER: fn(n: u64); static TEXT: fn(text: Option<&str>); }
    isolated(
        "anywhere::a_child_that_is_forked_inside_of_a_recording_neither_hangs_nor_touches_the_parents",
        || {
            let directory = directory("forked");
            for streamed in [true, false] {
                let path = directory.join(format!("{streamed}.json"));
                let mut recorder = Recorder::new().event(&NUMBER).event(&TEXT);
                if streamed {
                    recorder = recorder.stream_to(&path);
                }
                let mut recording = Some(recorder.start().expect("it can start"));
                let stop = AtomicBool::new(false);
                let fired = AtomicU64::new(0);
                thread::scope(|scope| {
                    // The child may be forked while this one is anywhere, the registry included.
                    scope.spawn(|| {
                        while !stop.load(Ordering::SeqCst) {
                            elsewhere(|| NUMBER.fire(1));
                            fired.fetch_add(1, Ordering::SeqCst);
                        }
                    });
                    for _ in 0..20 {
                        NUMBER.fire(1);
                        TEXT.fire(Some("parent"));
                        fired.fetch_add(2, Ordering::SeqCst);
                        let code = in_child(|| {
                            for _ in 0..10_000 {
                                NUMBER.fire(666_666);
                                TEXT.fire(Some("of the forked"));
                            }
                            elsewhere(|| NUMBER.fire(666_666));
                            match recording.take().map(Recording::finish) {
                                Some(Err(RecordError::Forked)) => 0,
                                _ => 1,
                            }
                        });
                        assert_eq!(code, 0);
                        // One that only drops it.
                        let drops = || {
                            drop(recording.take());
                            0
                        };
                        assert_eq!(in_child(drops), 0);
                    }
                    stop.store(true, Ordering::SeqCst);
                });
                let trace = finish(recording.take().expect("only the children took theirs"));
                let sum = balanced(&trace);
                assert_eq!((sum.fired, sum.lost), (fired.into_inner(), 0));
                if !streamed {
                    trace.save(&path).expect("it can be written");
                }
                let file = std::fs::read_to_string(&path).expect("it is there");
                let values = event_values(&file);
                let of_the_child = |value: &serde_json::Value| {
                    value.as_u64() == Some(666_666)
                        || value
                            .as_str()
                            .is_some_and(|it| it.contains("of the forked"))
                };
                assert!(!values.iter().any(of_the_child));
                assert_eq!(
                    values
                        .iter()
                        .filter(|value| value.as_u64() == Some(1))
                        .count() as u64,
                    sum.written - 20
                );
                assert_eq!(
                    values
                        .iter()
                        .filter(|value| value.as_str() == Some("parent"))
                        .count(),
                    20
                );
            }
        },
    );
}

#[test]
fn an_allocator_that_fires_is_recorded_while_recordings_of_it_start_and_finish() {
    isolated(
        "anywhere::an_allocator_that_fires_is_recorded_while_recordings_of_it_start_and_finish",
        || {
            static TYPED: AtomicU64 = AtomicU64::new(0);
            let count = |_| {
                TYPED.fetch_add(1, Ordering::SeqCst);
            };
            let _typed = [ALLOCATED.attach(count), FREED.attach(count)];
            FIRES.store(true, Ordering::SeqCst);
            for overflow in [Overflow::DropNewest, Overflow::OverwriteOldest] {
                for bytes in [1 << 12, 1 << 20] {
                    let before_start = TYPED.load(Ordering::SeqCst);
                    let recording = Recorder::new()
                        .event(&ALLOCATED)
                        .event(&FREED)
                        .overflow(overflow)
                        .max_buffer_bytes(bytes)
                        .max_total_bytes(3 * bytes)
                        .start()
                        .expect("it can start");
                    let after_start = TYPED.load(Ordering::SeqCst);
                    let of_threads: Vec<u64> = (0..6)
                        .map(|_| {
                            elsewhere(|| {
                                let before = allocations();
                                for n in 0..100 {
                                    drop(std::hint::black_box(vec![n; n + 1]));
                                }
                                (allocations() - before) as u64
                            })
                        })
                        .collect();
                    drop(recording.snapshot().expect("it is in memory"));
                    let before_finish = TYPED.load(Ordering::SeqCst);
                    let trace = recording.finish().expect("outside probes");
                    let after_finish = TYPED.load(Ordering::SeqCst);
                    let sum = balanced(&trace);
                    // The recorder's probe and the counting one are attached one after the other: what one has seen and the
                    // other not was fired while it started or finished.
                    assert!(
                        sum.fired >= before_finish - after_start,
                        "{sum:?}, and at least {} fired",
                        before_finish - after_start
                    );
                    assert!(sum.fired <= after_finish - before_start, "{sum:?}");
                    // The losses too are those of the threads that fired.
                    let mut of_others = 0;
                    let mut full = Vec::new();
                    for thread in trace.threads() {
                        let allocated = trace
                            .counts()
                            .filter(|(event, by, _)| {
                                event.name() == ALLOCATED.name() && by.id() == thread.id()
                            })
                            .map(|(.., count)| count.fired)
                            .sum::<u64>();
                        full.push(allocated);
                        if thread.id() == 0 {
                            of_others += allocated;
                        }
                    }
                    for least in of_threads {
                        assert!(full.iter().any(|&count| count >= least), "{full:?}");
                    }
                    // (Reading the registry for the snapshot allocates, too.)
                    assert!(of_others <= 16, "{of_others} of no thread: {trace:?}");
                }
            }
            FIRES.store(false, Ordering::SeqCst);
        },
    );
}
