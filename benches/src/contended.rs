//! Threads that fire concurrently, and next to one that attaches and detaches.

use crate::Subject;
use crate::measure::{Figures, figures};
use crate::writers::nanoseconds;
use hotprobe::fire;
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
pub enum Churn {
    /// Nothing.
    None,
    /// Attaches and detaches a probe of the same event 100 times a second.
    Now,
    /// Attaches and detaches without a pause.
    Always,
}

/// Fires one event on a thread that reads the clock after each firing. Returns the 99.99th
/// percentile of the gaps in nanoseconds. The other thread exists in every case.
#[must_use]
pub fn gap(churn: Churn, time: Duration) -> f64 {
    let probe = GAPS.attach(|_| ());
    let stop = AtomicBool::new(false);
    let gaps = thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                if churn != Churn::None {
                    drop(GAPS.attach(|_| ()));
                }
                if churn != Churn::Always {
                    thread::sleep(Duration::from_millis(10));
                }
            }
        });
        let mut gaps = nanoseconds();
        let start = Instant::now();
        let mut last = start;
        let mut i = 0;
        while last.duration_since(start) < time {
            fire!(GAPS, i);
            let now = Instant::now();
            gaps.saturating_record(u64::try_from((now - last).as_nanos()).unwrap_or(u64::MAX));
            last = now;
            i += 1;
        }
        stop.store(true, Ordering::Relaxed);
        gaps
    });
    drop(probe);
    gaps.value_at_quantile(0.9999) as f64
}
