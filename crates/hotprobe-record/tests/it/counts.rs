//! What is lost is counted, on each thread, and in flight recorders.

use super::*;

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
            .max_text_bytes(64)
            .max_buffer_bytes(bytes)
            .max_total_bytes(4 * bytes)
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
        .max_buffer_bytes(64 << 10)
        .max_total_bytes(256 << 10)
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
        .max_buffer_bytes(8 << 10)
        .max_total_bytes(16 << 10)
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
        .max_buffer_bytes(8 << 10)
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
        .max_buffer_bytes(8 << 10)
        .max_total_bytes(16 << 10)
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
            .max_buffer_bytes(8 << 10)
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
