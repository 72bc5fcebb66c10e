//! Recording: what is kept, what is lost and counted, what is refused.

use crate::{child, eventually, quiet_planned_panics, text};
use hotprobe::record::{Count, Overflow, RecordError, Recorded, Recorder, Recording, Trace};
use hotprobe::{AnyEvent, fire};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// One event, everything else as it is.
fn record(event: &'static dyn AnyEvent) -> Recording {
    Recorder::new().event(event).start().expect("it can start")
}

fn finish(recording: Recording) -> Trace {
    recording.finish().expect("outside of probes")
}

/// The first arguments of all records.
fn firsts(trace: &Trace) -> Vec<Recorded> {
    trace
        .records()
        .map(|entry| entry.values()[0].clone())
        .collect()
}

fn numbers(trace: &Trace) -> Vec<u64> {
    let number = |value| match value {
        Recorded::U64(number) => number,
        other => panic!("{other:?} is no number"),
    };
    firsts(trace).into_iter().map(number).collect()
}

fn texts(trace: &Trace) -> Vec<(String, bool)> {
    let one = |value| match value {
        Recorded::Text { text, cut } => (text, cut),
        other => panic!("{other:?} is no text"),
    };
    firsts(trace).into_iter().map(one).collect()
}

/// Each count adds up, and so do they together; returns the sum.
fn balanced(trace: &Trace) -> Count {
    let mut fired = 0;
    for (event, thread, count) in trace.counts() {
        assert_eq!(
            count.fired,
            count.written + count.lost,
            "{event:?} {thread:?}"
        );
        fired += count.fired;
    }
    let sum = trace.sum();
    assert_eq!(sum.fired, fired);
    assert_eq!(sum.fired, sum.written + sum.lost);
    sum
}

/// A place for files, empty.
fn directory(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("record")
        .join(name);
    std::fs::remove_dir_all(&directory).ok();
    std::fs::create_dir_all(&directory).expect("a place for files");
    directory
}

#[test]
fn a_record_has_time_thread_and_arguments() {
    #[derive(Clone, Copy)]
    struct Plain;
    hotprobe::event! {
        static EVENT: fn(
            a: bool, b: char, c: u8, d: i64, e: u128, f: i128, g: f32, h: f64, i: &str, j: &[u8], k: Option<u16>,
            l: Plain, #[redact] m: &str, n: bool,
        );
    }
    let before = SystemTime::now();
    let recording = record(&EVENT);
    thread::Builder::new()
        .name("a worker".into())
        .spawn(|| {
            let text = "quotes \" ' < & \u{2028} \0 é 🦀";
            for _ in 0..3 {
                EVENT.fire(
                    true,
                    'é',
                    255,
                    i64::MIN,
                    u128::MAX,
                    i128::MIN,
                    1.5,
                    f64::NAN,
                    text,
                    &[0, 255, 1],
                    Some(7),
                    Plain,
                    "secret",
                    false,
                );
            }
        })
        .expect("a thread")
        .join()
        .expect("it ends well");
    let trace = finish(recording);
    assert!(
        trace.started() >= before - Duration::from_millis(1)
            && trace.started() <= SystemTime::now()
    );
    assert_eq!(trace.records().count(), 3);
    let mut last = Duration::ZERO;
    for entry in trace.records() {
        assert!(entry.time() >= last && entry.time() <= trace.duration());
        last = entry.time();
        assert_eq!(entry.event().name(), EVENT.name());
        assert_eq!(entry.thread().name(), Some("a worker"));
        assert!(entry.thread().id() > 0);
        let all = format!("{:?}", entry.values());
        assert!(!all.contains("secret"), "{all}");
        let text = |text: &str| Recorded::Text {
            text: text.into(),
            cut: false,
        };
        assert!(matches!(entry.values()[7], Recorded::F64(number) if number.is_nan()));
        assert_eq!(
            entry.values()[..7],
            [
                Recorded::Bool(true),
                Recorded::Char('é'),
                Recorded::U64(255),
                Recorded::I64(i64::MIN),
                Recorded::U128(u128::MAX),
                Recorded::I128(i128::MIN),
                Recorded::F32(1.5),
            ]
        );
        assert_eq!(
            entry.values()[8..11],
            [
                text("quotes \" ' < & \u{2028} \0 é 🦀"),
                Recorded::Bytes {
                    bytes: vec![0, 255, 1],
                    cut: false
                },
                text("Some(7)"),
            ]
        );
        assert!(matches!(&entry.values()[11], Recorded::Opaque(name) if name.ends_with("Plain")));
        assert_eq!(
            entry.values()[12..],
            [Recorded::Redacted, Recorded::Bool(false)]
        );
    }
}

#[test]
fn more_arguments_than_the_first_word_has_room_for_are_told_apart() {
    hotprobe::event! {
        static MANY: fn(
            a: u64, b: &str, c: bool, d: u64, e: u64, f: u64, g: i64, h: i64, i: i64, j: i64, k: i64, l: i64, m: i64, n: i64,
            o: i64, p: i64, q: i64, r: i64, s: i64, t: i64, u: i64, v: &str, w: bool, x: char,
        );
    }
    let recording = record(&MANY);
    MANY.fire(
        1, "two", true, 4, 5, 6, -7, -8, -9, -10, -11, -12, -13, -14, -15, -16, -17, -18, -19, -20,
        -21, "22", false, 'x',
    );
    let trace = finish(recording);
    let entry = trace.records().next().expect("it was fired");
    let values = entry.values();
    assert_eq!(values.len(), 24);
    assert_eq!(
        values[..2],
        [
            Recorded::U64(1),
            Recorded::Text {
                text: "two".into(),
                cut: false
            }
        ]
    );
    assert_eq!(values[5], Recorded::U64(6));
    for (index, value) in (6..).zip(&values[6..21]) {
        assert_eq!(*value, Recorded::I64(-(index + 1)));
    }
    assert_eq!(
        values[21..],
        [
            Recorded::Text {
                text: "22".into(),
                cut: false
            },
            Recorded::Bool(false),
            Recorded::Char('x')
        ]
    );
}

#[test]
fn all_threads_count_exactly_however_much_is_lost() {
    hotprobe::event! { static NUMBER: fn(n: u64); static TEXT: fn(n: u64, text: &str); }
    const THREADS: u64 = 4;
    // `ci/full.sh` asks for many more.
    let each: u64 = match std::env::var("HOTPROBE_RECORDS") {
        Ok(all) => all.parse::<u64>().expect("a number") / (5 * THREADS) * 4,
        Err(_) => 100_000,
    };
    let enough = if each > 100_000 { 1 << 30 } else { 1 << 24 };
    for bytes in [1 << 12, 1 << 16, 1 << 22, enough] {
        let recording = Recorder::new()
            .event(&NUMBER)
            .event(&TEXT)
            .cut_texts_at(64)
            .buffer_per_thread(bytes)
            .buffers_together(4 * bytes)
            .start()
            .expect("it can start");
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for (n, len) in (0..each).zip((0..16).cycle()) {
                        fire!(NUMBER, n);
                        if n % 4 == 0 {
                            fire!(TEXT, n, &"0123456789abcdef"[..len]);
                        }
                    }
                });
            }
        });
        let trace = finish(recording);
        let sum = balanced(&trace);
        assert_eq!(sum.fired, THREADS * (each + each / 4));
        assert_eq!(trace.records().count() as u64, sum.written);
        assert!(bytes != enough || sum.lost == 0, "{sum:?}");
        assert!(bytes > 1 << 16 || sum.lost > 0, "{sum:?}");
        let mut seen = HashMap::new();
        for (event, thread, count) in trace.counts() {
            *seen.entry((event.name(), thread.id())).or_insert(0) += count.fired;
        }
        assert_eq!(seen.len() as u64, 2 * THREADS);
        for ((name, _), fired) in seen {
            assert_eq!(
                fired,
                if name == NUMBER.name() {
                    each
                } else {
                    each / 4
                }
            );
        }
    }
}

#[test]
fn threads_that_end_lose_nothing_and_share_the_memory() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    const THREADS: u64 = 500;
    // Room for four buffers.
    let recording = Recorder::new()
        .event(&NUMBER)
        .buffer_per_thread(64 << 10)
        .buffers_together(256 << 10)
        .start()
        .expect("it can start");
    for n in 0..THREADS {
        thread::spawn(move || NUMBER.fire(n))
            .join()
            .expect("it ends well");
    }
    let trace = finish(recording);
    assert_eq!(balanced(&trace).lost, 0);
    assert!(numbers(&trace).into_iter().eq(0..THREADS));
    assert_eq!(trace.threads().count() as u64, THREADS);
    assert_eq!(
        trace
            .counts()
            .filter(|(.., count)| count.fired == 1)
            .count() as u64,
        THREADS
    );
}

#[test]
fn what_a_thread_fires_while_it_ends_is_recorded_too() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    struct Late(u64);
    impl Drop for Late {
        fn drop(&mut self) {
            for _ in 0..10 {
                NUMBER.fire(self.0);
            }
        }
    }
    thread_local! {
        static FIRST: RefCell<Option<Late>> = const { RefCell::new(None) };
        static SECOND: RefCell<Option<Late>> = const { RefCell::new(None) };
    }
    let recording = record(&NUMBER);
    for _ in 0..20 {
        thread::spawn(|| {
            // One is dropped before the recorder's own, the other after it.
            FIRST.with_borrow_mut(|late| *late = Some(Late(1)));
            NUMBER.fire(0);
            SECOND.with_borrow_mut(|late| *late = Some(Late(2)));
        })
        .join()
        .expect("it ends well");
    }
    let trace = finish(recording);
    assert_eq!(balanced(&trace), {
        let mut all = Count::default();
        (all.fired, all.written) = (20 * 21, 20 * 21);
        all
    });
    assert_eq!(trace.threads().count(), 20);
    assert!(trace.counts().all(|(.., count)| count.fired == 21));
}

#[test]
fn threads_beyond_the_cap_lose_what_they_fire_and_it_is_counted() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let recording = Recorder::new()
        .event(&NUMBER)
        .buffer_per_thread(8 << 10)
        .buffers_together(16 << 10)
        .start()
        .expect("it can start");
    let barrier = std::sync::Barrier::new(5);
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                barrier.wait();
                NUMBER.fire(1);
                barrier.wait();
                NUMBER.fire(2);
                barrier.wait();
            });
        }
    });
    let trace = finish(recording);
    let sum = balanced(&trace);
    assert_eq!((sum.fired, sum.written), (10, 4));
    assert_eq!(trace.lost().count(), 3, "three threads without a buffer");
    assert!(trace.lost().all(|(.., lost)| lost == 2));
}

#[test]
fn a_flight_recorder_keeps_the_last_and_counts_the_rest() {
    hotprobe::event! { static NUMBER: fn(n: u64); static TEXT: fn(n: u64, text: &str); }
    const EACH: u64 = 100_000;
    let recording = Recorder::new()
        .event(&NUMBER)
        .event(&TEXT)
        .overflow(Overflow::OverwriteOldest)
        .buffer_per_thread(8 << 10)
        .start()
        .expect("it can start");
    for n in 0..EACH {
        NUMBER.fire(n);
        TEXT.fire(n, &"0123456789"[..(n % 10) as usize]);
    }
    let check = |trace: &Trace| {
        let sum = balanced(trace);
        assert_eq!(sum.fired, 2 * EACH);
        let last = numbers(trace);
        assert_eq!(last.len() as u64, sum.written);
        assert!(last.len() > 100, "{} of 8 KiB", last.len());
        let expected: Vec<u64> = (0..EACH).flat_map(|n| [n, n]).collect();
        assert_eq!(last, expected[expected.len() - last.len()..]);
    };
    check(&recording.snapshot().expect("it is in memory"));
    check(&recording.snapshot().expect("again"));
    check(&finish(recording));
}

#[test]
fn a_flight_recorders_buffer_goes_from_thread_to_thread() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let recording = Recorder::new()
        .event(&NUMBER)
        .overflow(Overflow::OverwriteOldest)
        .buffer_per_thread(8 << 10)
        .buffers_together(16 << 10)
        .start()
        .expect("it can start");
    for thread in 0..300 {
        thread::spawn(move || {
            for n in 0..20 {
                NUMBER.fire(thread * 20 + n);
            }
        })
        .join()
        .expect("it ends well");
    }
    let trace = finish(recording);
    let sum = balanced(&trace);
    assert_eq!(sum.fired, 6000);
    assert!(sum.written > 200);
    assert_eq!(trace.counts().count(), 300);
    assert!(trace.counts().all(|(.., count)| count.fired == 20));
    let last = numbers(&trace);
    assert!(last.contains(&5999));
}

#[test]
fn a_snapshot_is_of_one_moment_while_threads_fire() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    for overflow in [Overflow::OverwriteOldest, Overflow::DropNewest] {
        let recording = Recorder::new()
            .event(&NUMBER)
            .overflow(overflow)
            .buffer_per_thread(8 << 10)
            .start()
            .expect("it can start");
        let (stop, fired) = (AtomicBool::new(false), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut n = 0;
                    while !stop.load(Ordering::Relaxed) {
                        NUMBER.fire(n);
                        n += 1;
                    }
                    fired.fetch_add(n, Ordering::Relaxed);
                });
            }
            let mut before = 0;
            for _ in 0..200 {
                let trace = recording.snapshot().expect("it is in memory");
                let sum = balanced(&trace);
                assert!(sum.fired >= before, "a later one has no less");
                before = sum.fired;
                if overflow == Overflow::OverwriteOldest {
                    let mut of_thread: HashMap<u64, Vec<u64>> = HashMap::new();
                    for entry in trace.records() {
                        let [Recorded::U64(n)] = entry.values() else {
                            panic!("one number")
                        };
                        of_thread.entry(entry.thread().id()).or_default().push(*n);
                    }
                    for numbers in of_thread.values() {
                        assert!(numbers.is_sorted(), "{numbers:?}");
                    }
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
        let sum = balanced(&finish(recording));
        assert_eq!(sum.fired, fired.into_inner());
    }
}

#[test]
fn texts_are_cut_at_whole_characters_and_marked() {
    hotprobe::event! { static TEXT: fn(text: &str); static BYTES: fn(bytes: &[u8]); static DEBUG: fn(text: Option<&str>); }
    let recording = Recorder::new()
        .event(&TEXT)
        .event(&BYTES)
        .event(&DEBUG)
        .cut_texts_at(9)
        .start()
        .expect("it can start");
    TEXT.fire("123456789");
    TEXT.fire("1234567890");
    TEXT.fire("12345678é");
    TEXT.fire("");
    BYTES.fire(&[7; 10]);
    DEBUG.fire(Some("abcdefgh"));
    DEBUG.fire(None);
    let trace = finish(recording);
    let text = |text: &str, cut| Recorded::Text {
        text: text.into(),
        cut,
    };
    assert_eq!(
        firsts(&trace),
        [
            text("123456789", false),
            text("123456789", true),
            text("12345678", true),
            text("", false),
            Recorded::Bytes {
                bytes: vec![7; 9],
                cut: true
            },
            text("Some(\"abc", true),
            text("None", false),
        ]
    );
}

#[test]
fn a_debug_that_panics_or_never_ends_costs_that_value_only() {
    quiet_planned_panics();
    #[derive(Clone, Copy)]
    enum Bad {
        Panics,
        Fails,
        WritesWithoutEnd,
        WritesWithoutEndWhateverItIsTold,
        PanicsLate,
    }
    impl fmt::Debug for Bad {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                Self::Panics => panic!("planned"),
                Self::Fails => Err(fmt::Error),
                Self::WritesWithoutEnd => loop {
                    f.write_str("without end ")?;
                },
                Self::WritesWithoutEndWhateverItIsTold => loop {
                    f.write_str("without end ").ok();
                },
                Self::PanicsLate => {
                    f.write_str("a beginning")?;
                    panic!("planned");
                }
            }
        }
    }
    hotprobe::event! { static BAD: fn(bad: Bad, n: u64); }
    let recording = Recorder::new()
        .event(&BAD)
        .cut_texts_at(20)
        .start()
        .expect("it can start");
    for bad in [
        Bad::Panics,
        Bad::Fails,
        Bad::WritesWithoutEnd,
        Bad::WritesWithoutEndWhateverItIsTold,
        Bad::PanicsLate,
    ] {
        BAD.fire(bad, 7);
    }
    let trace = finish(recording);
    assert_eq!(balanced(&trace).written, 5);
    let cut = Recorded::Text {
        text: "without end without ".into(),
        cut: true,
    };
    assert_eq!(
        firsts(&trace),
        [
            Recorded::Failed,
            Recorded::Failed,
            cut.clone(),
            cut,
            Recorded::Failed
        ]
    );
    assert!(
        trace
            .records()
            .all(|entry| entry.values()[1] == Recorded::U64(7))
    );
}

#[test]
fn a_debug_that_fires_is_recorded_with_what_it_fires() {
    hotprobe::event! { static OUTER: fn(fires: Fires, n: u64); static INNER: fn(n: Option<u64>, m: u64); }
    static INNER_FIRED: AtomicU64 = AtomicU64::new(0);
    #[derive(Clone, Copy)]
    struct Fires;
    impl fmt::Debug for Fires {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            // (Not called if it is clear before that there is no room.)
            INNER_FIRED.fetch_add(1, Ordering::Relaxed);
            INNER.fire(Some(1), 2);
            f.write_str("it fired")
        }
    }
    for bytes in [1 << 16, 1 << 13] {
        let recording = Recorder::new()
            .event(&OUTER)
            .event(&INNER)
            .buffer_per_thread(bytes)
            .cut_texts_at(16)
            .start()
            .expect("it can start");
        for n in 0..300 {
            OUTER.fire(Fires, n);
        }
        let trace = finish(recording);
        let sum = balanced(&trace);
        assert_eq!(sum.fired, 300 + INNER_FIRED.swap(0, Ordering::Relaxed));
        assert_eq!(sum.lost == 0, bytes == 1 << 16);
        let text = |text: &str| Recorded::Text {
            text: text.into(),
            cut: false,
        };
        for entry in trace.records() {
            if entry.event().name() == OUTER.name() {
                assert_eq!(entry.values()[0], text("it fired"));
            } else {
                assert_eq!(entry.values(), [text("Some(1)"), Recorded::U64(2)]);
            }
        }
    }
}

#[test]
fn several_recordings_at_once_do_not_disturb_each_other() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    // More than a thread has seats for.
    let mut recordings: Vec<_> = (0..10).map(|_| record(&NUMBER)).collect();
    let mut expected = Vec::new();
    for n in 0..10 {
        NUMBER.fire(n);
        thread::spawn(move || NUMBER.fire(n))
            .join()
            .expect("it ends well");
        expected.extend([n, n]);
        let trace = finish(recordings.pop().expect("ten"));
        assert_eq!(numbers(&trace), expected);
        assert_eq!(trace.threads().count() as u64, n + 2);
    }
}

#[test]
fn finish_inside_a_probe_is_refused_and_the_recording_goes_on() {
    hotprobe::event! { static NUMBER: fn(n: u64); static FINISH: fn(); }
    let recording = Mutex::new(Some(record(&NUMBER)));
    let back = Arc::new(Mutex::new(None));
    let given = Arc::clone(&back);
    let probe = FINISH.attach(move || {
        let recording = recording.lock().unwrap().take().unwrap();
        let error = recording.finish().unwrap_err();
        assert!(error.to_string().contains("inside a probe"), "{error}");
        *given.lock().unwrap() = error.into_recording();
    });
    NUMBER.fire(1);
    FINISH.fire();
    NUMBER.fire(2);
    assert!(!probe.has_panicked());
    let recording = back.lock().unwrap().take().expect("it is handed back");
    assert_eq!(numbers(&finish(recording)), [1, 2]);
}

#[test]
fn what_is_in_flight_at_the_end_is_waited_for() {
    hotprobe::event! { static SLOW: fn(slow: Slow); }
    static INSIDE: AtomicBool = AtomicBool::new(false);
    #[derive(Clone, Copy)]
    struct Slow;
    impl fmt::Debug for Slow {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            INSIDE.store(true, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(100));
            f.write_str("slow")
        }
    }
    let recording = record(&SLOW);
    thread::scope(|scope| {
        scope.spawn(|| SLOW.fire(Slow));
        eventually("it is inside", || INSIDE.load(Ordering::SeqCst));
        assert_eq!(texts(&finish(recording)), [("slow".to_owned(), false)]);
    });
}

#[test]
fn a_pattern_that_matches_nothing_is_refused() {
    let error = Recorder::new().matching("nowhere::*").start().unwrap_err();
    assert!(
        matches!(&error, RecordError::NothingMatches { pattern, .. } if pattern == "nowhere::*")
    );
    // Even beside one that matches.
    let error = Recorder::new()
        .all()
        .matching("nowhere::*")
        .start()
        .unwrap_err();
    assert!(error.to_string().contains("`nowhere::*`"), "{error}");
    assert!(matches!(
        Recorder::new().start(),
        Err(RecordError::NothingChosen)
    ));
}

#[test]
fn a_slices_key_that_does_not_pair_is_refused_with_the_parameters_listed() {
    hotprobe::event! {
        static BEGIN: fn(id: u64, name: &str);
        static END: fn(id: u64, status: u16);
        static OTHER: fn(id: u32);
        static SECRET: fn(#[redact] id: u64);
        static NOTHING: fn();
    }
    let slice = |begin: &'static dyn AnyEvent, end: &'static dyn AnyEvent, key: &str| {
        Recorder::new().slice("request", begin, end, key).start()
    };
    drop(slice(&BEGIN, &END, "id").expect("it pairs"));
    let messages = [
        (
            slice(&BEGIN, &END, "name"),
            "END` has no parameter `name`; it has `id: u64`, `status: u16`",
        ),
        (
            slice(&BEGIN, &NOTHING, "id"),
            "NOTHING` has no parameter `id`; it has none",
        ),
        (
            slice(&BEGIN, &OTHER, "id"),
            "OTHER`: give a parameter that is of one type in both; they have `id: u64`",
        ),
        (slice(&BEGIN, &SECRET, "id"), "marked `#[redact]`"),
        (slice(&BEGIN, &BEGIN, "id"), "give two events"),
    ];
    for (result, expected) in messages {
        let error = result.unwrap_err().to_string();
        assert!(error.starts_with("the slice `request`: "), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn limits_that_leave_no_room_are_refused_with_what_would_do() {
    hotprobe::event! { static TEXT: fn(text: &str); }
    let recorder = || Recorder::new().event(&TEXT);
    let error = recorder()
        .buffer_per_thread(100)
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.contains("give at least 1024"), "{error}");
    drop(
        recorder()
            .buffer_per_thread(1024)
            .start()
            .expect("what was asked for"),
    );
    let error = recorder()
        .buffers_together(100)
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.contains("one buffer of 1048576 bytes"), "{error}");
    let error = recorder()
        .overflow(Overflow::OverwriteOldest)
        .stream_perfetto_to(io::sink())
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.contains("cannot be streamed"), "{error}");
    let error = recorder()
        .stream_to("trace.txt")
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.contains("`.pftrace`"), "{error}");
    let error = recorder()
        .stream_to("/nowhere/trace.json")
        .start()
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("`/nowhere/trace.json` could not be written: "),
        "{error}"
    );
}

#[test]
fn an_event_that_is_chosen_twice_is_recorded_once() {
    hotprobe::event! { static CHOSEN_TWICE: fn(n: u64); }
    let recording = Recorder::new()
        .event(&CHOSEN_TWICE)
        .matching("*::CHOSEN_TWICE")
        .event(hotprobe::find(CHOSEN_TWICE.name()).expect("it is there"))
        .start()
        .expect("it can start");
    assert_eq!(CHOSEN_TWICE.probe_count(), 1);
    CHOSEN_TWICE.fire(1);
    assert_eq!(numbers(&finish(recording)), [1]);
    assert!(!CHOSEN_TWICE.is_enabled());
}

/// Counts what is written, and fails when it is told to.
#[derive(Clone, Default)]
struct Counting {
    bytes: Arc<AtomicUsize>,
    flushed: Arc<AtomicUsize>,
    fail_after: Option<usize>,
    panics: bool,
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let before = self.bytes.fetch_add(bytes.len(), Ordering::SeqCst);
        if self
            .fail_after
            .is_some_and(|after| before + bytes.len() > after)
        {
            assert!(!self.panics, "planned");
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "planned: the disk is full",
            ));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed
            .store(self.bytes.load(Ordering::SeqCst), Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn a_streamed_recording_outlasts_its_buffers() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let writer = Counting::default();
    let recording = Recorder::new()
        .event(&NUMBER)
        .buffer_per_thread(64 << 10)
        .stream_chrome_json_to(writer.clone())
        .start()
        .expect("it can start");
    // A record takes at least three words, and more than 50 bytes in the file.
    const FIT: u64 = 2 * (64 << 10) / 24;
    let deadline = Instant::now() + Duration::from_secs(60);
    let fired: u64 = thread::scope(|scope| {
        let threads = [(); 2].map(|()| {
            scope.spawn(|| {
                let mut n = 0;
                while (writer.bytes.load(Ordering::SeqCst) as u64) < 500 * FIT
                    && Instant::now() < deadline
                {
                    for _ in 0..500 {
                        NUMBER.fire(n);
                        n += 1;
                    }
                    thread::sleep(Duration::from_millis(2));
                }
                n
            })
        });
        threads.map(|thread| thread.join().unwrap()).iter().sum()
    });
    assert!(matches!(recording.snapshot(), Err(RecordError::Streamed)));
    let trace = finish(recording);
    let sum = balanced(&trace);
    assert_eq!(sum.fired, fired);
    assert!(sum.written > 2 * FIT, "{sum:?}");
    assert_eq!(trace.counts().count(), 2);
    assert_eq!(trace.records().count(), 0);
    assert!(matches!(
        trace.save("trace.json"),
        Err(RecordError::Streamed)
    ));
    let written = writer.bytes.load(Ordering::SeqCst);
    assert!(written > 0);
    assert_eq!(writer.flushed.load(Ordering::SeqCst), written);
}

#[test]
fn a_streamed_recording_counts_exactly_while_it_loses() {
    hotprobe::event! { static NUMBER: fn(n: u64); static TEXT: fn(text: &str); }
    let recording = Recorder::new()
        .event(&NUMBER)
        .event(&TEXT)
        .buffer_per_thread(8 << 10)
        .buffers_together(24 << 10)
        .stream_perfetto_to(io::sink())
        .start()
        .expect("it can start");
    const EACH: u64 = 300_000;
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..EACH {
                    NUMBER.fire(n);
                    if n % 3 == 0 {
                        TEXT.fire("a text");
                    }
                }
            });
        }
    });
    let sum = balanced(&finish(recording));
    assert_eq!(sum.fired, 4 * (EACH + EACH / 3));
    assert!(sum.lost > 0 && sum.written > 0, "{sum:?}");
}

#[test]
fn a_writer_that_fails_stops_the_recording_and_not_the_program() {
    quiet_planned_panics();
    hotprobe::event! { static NUMBER: fn(n: u64); }
    for (panics, expected) in [(false, "the disk is full"), (true, "it panicked")] {
        let recording = Recorder::new()
            .event(&NUMBER)
            .stream_chrome_json_to(Counting {
                fail_after: Some(10_000),
                panics,
                ..Counting::default()
            })
            .start()
            .expect("it can start");
        eventually("it is detached", || {
            NUMBER.fire(1);
            !NUMBER.is_enabled()
        });
        let error = recording.finish().unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn dropping_a_recording_detaches_and_finishes_what_it_streams() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let writer = Counting::default();
    let recording = Recorder::new()
        .event(&NUMBER)
        .stream_perfetto_to(writer.clone())
        .start()
        .expect("it can start");
    NUMBER.fire(1);
    drop(recording);
    assert!(!NUMBER.is_enabled());
    let written = writer.bytes.load(Ordering::SeqCst);
    assert!(written > 0);
    assert_eq!(writer.flushed.load(Ordering::SeqCst), written);
}

#[test]
fn dropping_a_recording_inside_a_probe_does_not_wait() {
    hotprobe::event! { static NUMBER: fn(n: u64); static DROP: fn(); }
    let writer = Counting::default();
    let recording = Recorder::new()
        .event(&NUMBER)
        .stream_perfetto_to(writer.clone())
        .start()
        .expect("it can start");
    NUMBER.fire(1);
    let recording = Mutex::new(Some(recording));
    let probe = DROP.attach(move || drop(recording.lock().unwrap().take()));
    DROP.fire();
    assert!(!NUMBER.is_enabled() && !probe.has_panicked());
    eventually("it is finished", || {
        let written = writer.bytes.load(Ordering::SeqCst);
        written > 0 && writer.flushed.load(Ordering::SeqCst) == written
    });
}

#[test]
fn a_trace_is_saved_in_the_format_of_its_ending() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let directory = directory("saved");
    let recording = record(&NUMBER);
    NUMBER.fire(1);
    let trace = finish(recording);
    for name in ["a.pftrace", "a.perfetto-trace", "a.json", "A.JSON"] {
        let path = directory.join(name);
        trace.save(&path).expect("it can be written");
        assert!(path.metadata().expect("it is there").len() > 0);
    }
    trace
        .save(directory.join("a.ctf"))
        .expect("it can be written");
    trace
        .write_ctf(directory.join("another"))
        .expect("it can be written");
    for name in ["a.ctf", "another"] {
        assert!(
            directory
                .join(name)
                .read_dir()
                .expect("a directory")
                .count()
                > 0
        );
    }
    let error = trace.save(directory.join("a.txt")).unwrap_err();
    assert!(error.to_string().contains("`.json` for Chrome"), "{error}");
    let error = trace
        .save(directory.join("missing").join("a.json"))
        .unwrap_err();
    assert!(
        matches!(error, RecordError::Io { path: Some(_), .. }),
        "{error}"
    );
}

#[test]
fn the_environment_asks_for_recordings() {
    const NAME: &str = "record::the_environment_asks_for_recordings";
    hotprobe::event! { static ASKED_FOR: fn(n: u64); }
    if std::env::var("HOTPROBE_TEST_CHILD").is_ok_and(|name| name == NAME) {
        match hotprobe::record::from_env() {
            Ok(recordings) => {
                ASKED_FOR.fire(1);
                println!(
                    "{} recordings, {}",
                    recordings.len(),
                    ASKED_FOR.probe_count()
                );
                recordings.finish().expect("it can be written");
            }
            Err(error) => println!("{error}"),
        }
        return;
    }
    let directory = directory("environment");
    let says = |value: &str| {
        let output = child(NAME)
            .env("HOTPROBE_RECORD", value)
            .current_dir(&directory)
            .output();
        text(&output.expect("the test binary starts"))
    };
    assert!(says("").contains("0 recordings, 0"));
    assert!(says("*::ASKED_FOR=a.json,*ASKED*=b.pftrace").contains("2 recordings, 2"));
    for name in ["a.json", "b.pftrace"] {
        assert!(directory.join(name).metadata().expect("it is there").len() > 0);
    }
    assert!(says("*::ASKED_FOR").contains("`*::ASKED_FOR` has no `=`: expected `PATTERN=FILE`"));
    let nothing = says("nowhere::*=c.json");
    assert!(
        nothing.contains("`nowhere::*` matches none of the program's"),
        "{nothing}"
    );
}

#[test]
fn a_panic_of_the_process_dumps_the_flight_recorder() {
    const NAME: &str = "record::a_panic_of_the_process_dumps_the_flight_recorder";
    hotprobe::event! { static NUMBER: fn(n: u64); }
    if std::env::var("HOTPROBE_TEST_CHILD").is_ok_and(|name| name == NAME) {
        let recording = Recorder::new()
            .event(&NUMBER)
            .overflow(Overflow::OverwriteOldest)
            .dump_on_panic("dump.json")
            .start()
            .expect("it can start");
        (0..1000).for_each(|n| NUMBER.fire(n));
        let result = thread::spawn(|| panic!("out of ideas")).join();
        assert!(result.is_err());
        drop(recording);
        return;
    }
    let directory = directory("panic");
    let output = child(NAME)
        .current_dir(&directory)
        .output()
        .expect("the test binary starts");
    let said = text(&output);
    assert!(
        said.contains("out of ideas") && said.contains("recording saved to dump.json"),
        "{said}"
    );
    let dumped = std::fs::read_to_string(directory.join("dump.json")).expect("it is there");
    assert!(dumped.contains("999"), "{}", dumped.len());
}

#[cfg(feature = "tokio")]
#[test]
fn records_name_their_tokio_task() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let recording = record(&NUMBER);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let id = runtime.block_on(async {
        tokio::spawn(async {
            NUMBER.fire(1);
            tokio::task::id().to_string()
        })
        .await
        .expect("it ends well")
    });
    NUMBER.fire(2);
    let trace = finish(recording);
    let tasks: Vec<_> = trace.records().map(|entry| entry.task()).collect();
    assert_eq!(tasks, [Some(id.parse().expect("a number")), None]);
}
