//! Changes of events: batches, `synchronize`, and conditions that could slow them down.

use crate::layout_a::floors;
use crate::{Subject, contended};
use hdrhistogram::Histogram;
use hotprobe::{Batch, Probe, ProbeGroup, fire};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

hotprobe::event! {
    static BATCHED: fn(x: u64);
    static BUSY: fn(x: u64);
}

/// Commits a batch of `n` probes to one event, and detaches the group: how long each took.
///
/// # Panics
/// If the event does not have the expected number of probes.
#[must_use]
pub fn batch(n: u64) -> (Duration, Duration) {
    let start = Instant::now();
    let mut batch = Batch::new();
    for i in 0..n {
        BATCHED.attach_in(&mut batch, move |_| {
            black_box(i);
        });
    }
    let mut group = batch.commit();
    let attach = start.elapsed();
    assert_eq!(BATCHED.probe_count() as u64, n);
    let start = Instant::now();
    group.detach();
    let detach = start.elapsed();
    assert_eq!(BATCHED.probe_count(), 0);
    (attach, detach)
}

/// Repeats a batch of `N` probes and the detach of its group.
fn batches<const N: u32>(n: u64) {
    for _ in 0..n {
        let _times = batch(N.into());
    }
}

const fn batch_of<const N: u32>(name: &'static str) -> Subject {
    Subject {
        name,
        per_iteration: N,
        run: batches::<N>,
    }
}

/// Batches of two sizes. An operation is a probe's attach and detach.
pub const BATCHES: [Subject; 2] = [
    batch_of::<1_000>("batch_1k"),
    batch_of::<10_000>("batch_10k"),
];

/// A histogram of nanoseconds, up to a minute.
///
/// # Panics
/// Never: the bounds are possible.
#[must_use]
pub fn nanoseconds() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("these bounds are possible")
}

/// The measurements of a thread that ran next to the readers.
#[derive(Debug)]
pub struct Beside {
    /// Nanoseconds of each operation.
    pub times: Histogram<u64>,
    /// The number of retired objects that were not yet reclaimed, sampled every few operations.
    pub backlog: Histogram<u64>,
}

impl Default for Beside {
    fn default() -> Self {
        Self {
            times: nanoseconds(),
            backlog: nanoseconds(),
        }
    }
}

impl Beside {
    /// Repeats `operation` for a duration. Only operations during which all readers ran are
    /// counted. With more threads than cores, a reader is often not running: it either does not
    /// interfere, or is stopped inside a firing and delays everything.
    pub fn repeat(
        &mut self,
        time: Duration,
        readers: &Readers,
        mut operation: impl FnMut(u64) -> u64,
    ) {
        const FEW: usize = 16;
        let begin = Instant::now();
        let mut i = 0;
        let mut before = readers.progress();
        while begin.elapsed() < time {
            let start = Instant::now();
            let few: [u64; FEW] = std::array::from_fn(|_| {
                i += 1;
                operation(i)
            });
            let now = readers.progress();
            if readers.went_on(&before, &now, start.elapsed()) {
                for each in few {
                    self.times.saturating_record(each);
                }
                let stats = hotprobe::stats();
                self.backlog
                    .saturating_record(stats.retired - stats.reclaimed);
            }
            before = now;
        }
    }
}

/// Measures `synchronize` after a detach.
///
/// # Panics
/// Inside a probe, where waiting is not possible.
#[must_use]
pub fn synchronize(i: u64) -> u64 {
    let probe = BUSY.attach(move |_| {
        black_box(i);
    });
    probe.detach();
    let start = Instant::now();
    hotprobe::synchronize().expect("not in a probe");
    elapsed(start)
}

/// Measures a pair of attach and detach.
#[must_use]
pub fn pair(i: u64) -> u64 {
    let start = Instant::now();
    let probe = BUSY.attach(move |_| {
        black_box(i);
    });
    drop(probe);
    elapsed(start)
}

/// Measures the barrier on all threads that a detach asks the kernel for, alone.
#[must_use]
pub fn membarrier(_: u64) -> u64 {
    let start = Instant::now();
    contended::membarrier();
    elapsed(start)
}

fn elapsed(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Threads that fire an event, and their numbers of firings.
#[derive(Debug)]
pub struct Readers(Vec<Progress>);

/// A cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Progress(AtomicU64);

impl Readers {
    fn progress(&self) -> [u64; 8] {
        std::array::from_fn(|n| {
            self.0
                .get(n)
                .map_or(0, |progress| progress.0.load(Ordering::Relaxed))
        })
    }

    /// Returns whether all threads fired, at least once per 100 ns, and none was stopped for long
    /// meanwhile.
    fn went_on(&self, before: &[u64; 8], now: &[u64; 8], time: Duration) -> bool {
        let some = u64::try_from(time.as_nanos() / 100)
            .unwrap_or(u64::MAX)
            .max(1);
        time < Duration::from_millis(1) && (0..self.0.len()).all(|n| now[n] - before[n] >= some)
    }
}

/// Runs `f` while `readers` threads (8 at most) fire an event that has a probe.
///
/// # Panics
/// If a thread cannot start.
pub fn with_busy<R>(readers: usize, f: impl FnOnce(&Readers) -> R) -> R {
    let stop = AtomicBool::new(false);
    let probe = BUSY.attach(|_| ());
    let readers = Readers((0..readers).map(|_| Progress::default()).collect());
    let result = thread::scope(|scope| {
        let (ready, all_ready) = mpsc::channel();
        for progress in &readers.0 {
            let (stop, ready) = (&stop, ready.clone());
            scope.spawn(move || {
                fire!(BUSY, 0);
                ready.send(()).expect("somebody waits");
                let mut i = 0;
                while !stop.load(Ordering::Relaxed) {
                    for _ in 0..16 {
                        fire!(BUSY, i);
                        i += 1;
                    }
                    progress.0.store(i, Ordering::Relaxed);
                }
            });
        }
        for () in all_ready.iter().take(readers.0.len()) {}
        let result = f(&readers);
        stop.store(true, Ordering::Relaxed);
        result
    });
    drop(probe);
    result
}

/// Runs `f` while `n` threads sleep that have fired and taken part in the floors.
///
/// # Panics
/// If a thread cannot start.
pub fn with_threads<R>(n: usize, f: impl FnOnce() -> R) -> R {
    let probe = BUSY.attach(|_| ());
    let result = thread::scope(|scope| {
        let (ready, all_ready) = mpsc::channel();
        let mut wake = Vec::new();
        for _ in 0..n {
            let ready = ready.clone();
            let (waker, sleep) = mpsc::channel::<()>();
            wake.push(waker);
            let thread = thread::Builder::new().stack_size(64 << 10);
            let run = move || {
                fire!(BUSY, 0);
                let _participant = floors::join();
                ready.send(()).expect("somebody waits");
                // Until the sender is gone.
                let _ = sleep.recv();
            };
            thread.spawn_scoped(scope, run).expect("a thread more");
        }
        for () in all_ready.iter().take(n) {}
        f()
    });
    drop(probe);
    result
}

/// Runs `n` threads, a few at a time, each of which fires once and ends.
///
/// # Panics
/// If a thread cannot start.
pub fn threads_that_end(n: usize) {
    let probe = BUSY.attach(|_| ());
    for _ in 0..n / 16 {
        with_threads(16, || ());
    }
    drop(probe);
}

/// Attaches a probe for the first time in this process, and detaches it. Returns how long the
/// attach took.
#[must_use]
pub fn first_attach() -> Duration {
    let start = Instant::now();
    let probe = BUSY.attach(|_| ());
    let time = start.elapsed();
    drop(probe);
    time
}

/// Runs `f` with `mib` MiB more on the heap, in blocks of 64 bytes.
pub fn with_heap<R>(mib: usize, f: impl FnOnce() -> R) -> R {
    let heap: Vec<Box<[u64; 8]>> = (0..mib * 16384).map(|i| Box::new([i as u64; 8])).collect();
    let heap = black_box(heap);
    let result = f();
    drop(heap);
    result
}

/// Runs `f` while 64 other events have 16 probes each.
///
/// # Panics
/// If one of them has been detached.
pub fn with_events<R>(f: impl FnOnce() -> R) -> R {
    let group = others::attached();
    let result = f();
    assert_eq!(group.len(), 64 * 16);
    result
}

mod others {
    use super::{Probe, ProbeGroup};

    macro_rules! others {
        ($($name:ident)*) => {
            hotprobe::event! { $(static $name: fn(x: u64);)* }

            pub(super) fn attached() -> ProbeGroup {
                let mut group = ProbeGroup::new();
                for _ in 0..16 {
                    group.extend([$($name.attach(|_| ())),*] as [Probe; 64]);
                }
                group
            }
        };
    }
    others! {
        A0 A1 A2 A3 A4 A5 A6 A7 A8 A9 AA AB AC AD AE AF
        B0 B1 B2 B3 B4 B5 B6 B7 B8 B9 BA BB BC BD BE BF
        C0 C1 C2 C3 C4 C5 C6 C7 C8 C9 CA CB CC CD CE CF
        D0 D1 D2 D3 D4 D5 D6 D7 D8 D9 DA DB DC DD DE DF
    }
}
