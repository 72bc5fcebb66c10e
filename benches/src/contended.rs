//! Threads that fire concurrently, and next to one that attaches and detaches.

use crate::Subject;
use crate::layout_a::floors;
use crate::measure::{Figures, figures};
use crate::writers::nanoseconds;
use hdrhistogram::Histogram;
use hotprobe::fire;
use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

hotprobe::event! {
    static GAPS: fn(x: u64);
}

/// Runs a subject on one thread, alternately while the others are idle and while they run it too.
/// Returns the cost of an operation in both cases; none if the others hardly ran.
#[must_use]
pub fn alone_and_together(
    subject: &Subject,
    threads: usize,
    rounds: usize,
) -> Option<(Figures, Figures)> {
    const SLICE: u64 = 30_000;
    let begin = Barrier::new(threads);
    // Others continue until the first is done, so that all of its slice is in company.
    let done = AtomicUsize::new(0);
    let others: Vec<AtomicU64> = (1..threads).map(|_| AtomicU64::new(0)).collect();
    thread::scope(|scope| {
        for other in &others {
            let (begin, done) = (&begin, &done);
            scope.spawn(move || {
                for round in 0..2 * rounds {
                    begin.wait();
                    while round % 2 == 1 && done.load(Ordering::Acquire) <= round {
                        (subject.run)(SLICE / 16);
                        other.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let mut slices = [Vec::new(), Vec::new()];
        (subject.run)(SLICE);
        for round in 0..2 * rounds {
            begin.wait();
            // The others come out of the barrier meanwhile.
            (subject.run)(SLICE / 4);
            let progress = || others.iter().map(|other| other.load(Ordering::Relaxed));
            let before: Vec<u64> = progress().collect();
            let start = Instant::now();
            (subject.run)(SLICE);
            let time = start.elapsed().as_nanos() as f64;
            // In company, or not at all: elsewhere the core may have been somebody else's.
            let company = progress()
                .zip(before)
                .all(|(now, before)| now - before >= 8);
            if round % 2 == 0 || company {
                let operations = SLICE * u64::from(subject.per_iteration);
                slices[round % 2].push(time / operations as f64);
            }
            done.store(round + 1, Ordering::Release);
        }
        let [alone, company] = slices;
        (company.len() > 20).then(|| (figures(alone), figures(company)))
    })
}

/// The work of another thread meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meanwhile {
    /// Nothing.
    Nothing,
    /// Attaches and detaches a probe of the same event, this often.
    Changes(Rate),
    /// Asks the kernel for a barrier on all threads, this often, as each detach does.
    Barriers(Rate),
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// A hundred times a second.
    Hundred,
    /// Without a pause.
    Unlimited,
}

/// Measures each of many firings, for a duration. The other thread exists in every case. A firing
/// is between two readings of the processor's counter; those are part of it.
#[must_use]
pub fn tail(meanwhile: Meanwhile, time: Duration) -> Tail {
    let probe = GAPS.attach(|_| ());
    let tail = beside(meanwhile, || Tail::of(time, |i| fire!(GAPS, i)));
    drop(probe);
    tail
}

/// Measures the readings of the counter alone.
#[must_use]
pub fn tail_of_nothing(time: Duration) -> Tail {
    beside(Meanwhile::Nothing, || {
        Tail::of(time, |i| {
            black_box(i);
        })
    })
}

fn beside<R>(meanwhile: Meanwhile, f: impl FnOnce() -> R) -> R {
    let stop = AtomicBool::new(false);
    let begun = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _pinned = Pinned::to(0);
            while !stop.load(Ordering::Relaxed) {
                let rate = match meanwhile {
                    Meanwhile::Nothing => Rate::Hundred,
                    Meanwhile::Changes(rate) => {
                        drop(GAPS.attach(|_| ()));
                        rate
                    }
                    Meanwhile::Barriers(rate) => {
                        membarrier();
                        rate
                    }
                };
                // Its first time is another matter: it gets memory from the system.
                begun.store(true, Ordering::Release);
                if rate == Rate::Hundred {
                    thread::sleep(Duration::from_millis(10));
                }
            }
        });
        let pinned = Pinned::to(1);
        while !begun.load(Ordering::Acquire) {
            thread::yield_now();
        }
        let result = f();
        drop(pinned);
        stop.store(true, Ordering::Relaxed);
        result
    })
}

/// This thread stays on one processor, as long as this lives, if there are several: otherwise, a
/// thread that wakes up may take the place of one that fires. Does nothing on other systems than
/// Linux.
struct Pinned {
    #[cfg(target_os = "linux")]
    before: Option<rustix::thread::CpuSet>,
}

impl Pinned {
    #[cfg(target_os = "linux")]
    fn to(nth: usize) -> Self {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

        let before = sched_getaffinity(None).ok().filter(|all| all.count() > 1);
        let place = before.as_ref().and_then(|all| {
            let mut possible = (0..CpuSet::MAX_CPU).filter(|n| all.is_set(*n));
            possible.nth(nth)
        });
        if let Some(place) = place {
            let mut one = CpuSet::new();
            one.set(place);
            // Without it, the longest firings are longer.
            let _ = sched_setaffinity(None, &one);
        }
        Self { before }
    }

    #[cfg(not(target_os = "linux"))]
    fn to(_: usize) -> Self {
        Self {}
    }
}

#[cfg(target_os = "linux")]
impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = rustix::thread::sched_setaffinity(None, before);
        }
    }
}

/// A barrier on all threads of the process, as the kernel makes it. Does nothing where there is
/// none.
pub fn membarrier() {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{MembarrierCommand, membarrier};
        use std::sync::Once;

        // (This crate has registered as well, unless it must not.)
        static REGISTERED: Once = Once::new();
        REGISTERED.call_once(|| {
            let _ = membarrier(MembarrierCommand::RegisterPrivateExpedited);
        });
        // Where a filter forbids it, nothing is measured.
        let _ = membarrier(MembarrierCommand::PrivateExpedited);
    }
}

/// The durations of single firings.
#[derive(Debug)]
pub struct Tail {
    ticks: Histogram<u64>,
    nanoseconds_per_tick: f64,
}

impl Tail {
    fn of(time: Duration, mut fire: impl FnMut(u64)) -> Self {
        let mut ticks = nanoseconds();
        let (start, first) = (Instant::now(), floors::ticks());
        let mut i = 0;
        // Reading the system's clock each time would disturb the caches.
        while i % 1024 != 0 || start.elapsed() < time {
            let before = floors::ticks();
            fire(black_box(i));
            let after = floors::ticks();
            ticks.saturating_record(after.wrapping_sub(before));
            i += 1;
        }
        let elapsed = floors::ticks().wrapping_sub(first);
        Self {
            ticks,
            nanoseconds_per_tick: start.elapsed().as_nanos() as f64 / elapsed as f64,
        }
    }

    /// Nanoseconds at a percentile; 100 is the longest.
    #[must_use]
    pub fn at(&self, percentile: f64) -> f64 {
        self.ticks.value_at_percentile(percentile) as f64 * self.nanoseconds_per_tick
    }
}
