//! The cost of a record on top of reading the clock. Subjects are measured in turn, in one process,
//! in slices. The least disturbed slices count, so the machine may be in use.
//!
//! `cargo benches --bench recorded`; by the processor's counter: `--features tsc`. (`record.rs`
//! measures the same and more by criterion, one subject after the other.)
//!
//! With the feature `peers`, which that alias has, the same is then measured of other recorders,
//! each in its own process: hot and paced, with the share of the records that were lost.
//! `hotprobe_benches::recorded` has them.
//!
//! `cargo benches --bench recorded -- paced`: the same where a program does other work between its
//! records. A slice is a batch of 1000; before each, the thread sleeps for a millisecond. Then how
//! many records of an event that fires without pause a streamed file takes, and how many bytes each
//! has in it.

#![allow(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds of one run are far below 2^53"
)]

use hotprobe::{AnyEvent, fire};
use hotprobe_benches::measure;
use hotprobe_record::{Clock, Recorder};
use std::hint::black_box;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

hotprobe::event! {
    static NONE: fn();
    static NUMBER: fn(x: u64);
    static TEXT: fn(text: &str);
    static REQUEST: fn(id: u64, path: &str, status: u16);
    static SIX: fn(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64);
    static DEBUG: fn(x: Option<u64>);
    static NOT_RECORDED: fn(x: u64);
}

/// The name, and a function that measures one slice.
type Subject = (&'static str, Box<dyn Fn() -> Duration>);

/// The number of records made with one recording; they fit.
const SLICE: u64 = 4096;
const ROUNDS: usize = 200;

/// The recordings' clock: the feature `tsc` chooses the processor's counter.
#[cfg(feature = "tsc")]
const CLOCK: Clock = Clock::Tsc;
#[cfg(not(feature = "tsc"))]
const CLOCK: Clock = Clock::System;

const TEXT_OF_32: &str = "0123456789abcdef0123456789abcdef";

fn timed(call: impl Fn(u64)) -> Duration {
    let start = Instant::now();
    (0..SLICE).for_each(|i| call(black_box(i)));
    start.elapsed()
}

/// Measures one slice, with a fresh buffer.
fn recorded(call: impl Fn(u64)) -> Duration {
    let events: [&'static dyn AnyEvent; 6] = [&NONE, &NUMBER, &TEXT, &REQUEST, &SIX, &DEBUG];
    let recorder = events
        .into_iter()
        .fold(Recorder::new().clock(CLOCK), Recorder::event);
    let recording = recorder.start().expect("it can start");
    // This thread's buffer.
    call(0);
    let time = timed(call);
    let sum = recording.finish().expect("outside probes").sum();
    assert_eq!((sum.fired, sum.lost), (SLICE + 1, 0));
    time
}

/// Measures one slice on each of two threads at once.
fn two_threads() -> Duration {
    let recording = Recorder::new()
        .clock(CLOCK)
        .event(&NUMBER)
        .start()
        .expect("it can start");
    let barrier = Barrier::new(2);
    let one = || {
        fire!(NUMBER, 0);
        barrier.wait();
        timed(|i| fire!(NUMBER, i))
    };
    let time = thread::scope(|scope| {
        let [a, b] = [scope.spawn(one), scope.spawn(one)];
        (a.join().expect("it ends well") + b.join().expect("it ends well")) / 2
    });
    drop(recording);
    time
}

/// The number of records between two sleeps.
const BATCH: u64 = 1000;

/// Measures a batch of each of 400 after a sleep, all in one recording.
fn paced(stream: Option<&Path>, call: impl Fn(u64)) -> Vec<f64> {
    let recorder = Recorder::new().clock(CLOCK).event(&NUMBER).event(&TEXT);
    // (Of those that are not streamed, all records fit.)
    let recorder = match stream {
        Some(path) => recorder.stream_to(path),
        None => recorder.max_buffer_bytes(64 << 20),
    };
    let recording = recorder.start().expect("it can start");
    let slices = batches(call);
    let sum = recording.finish().expect("outside probes").sum();
    assert_eq!(sum.lost, 0);
    slices
}

fn batches(call: impl Fn(u64)) -> Vec<f64> {
    let batch = |_| {
        thread::sleep(Duration::from_millis(1));
        let start = Instant::now();
        (0..BATCH).for_each(|i| call(black_box(i)));
        start.elapsed().as_nanos() as f64 / BATCH as f64
    };
    (0..400).map(batch).collect()
}

/// Prints what [`paced`] measures, and what a streamed file takes.
fn print_paced(clock: impl Fn(u64)) {
    let file = std::env::temp_dir().join(format!("recorded-{}.pftrace", std::process::id()));
    let text = black_box(TEXT_OF_32);
    let number = |i| fire!(NUMBER, i);
    let write_text = |_| fire!(TEXT, text);
    let mut rows = [
        ("the clock alone", Vec::new()),
        ("u64", Vec::new()),
        ("32-byte text", Vec::new()),
        ("u64, streamed to a file", Vec::new()),
        ("32-byte text, streamed", Vec::new()),
    ];
    for _ in 0..5 {
        rows[0].1.extend(batches(&clock));
        rows[1].1.extend(paced(None, number));
        rows[2].1.extend(paced(None, write_text));
        rows[3].1.extend(paced(Some(&file), number));
        rows[4].1.extend(paced(Some(&file), write_text));
    }
    println!(
        "{:36} {:>8} {:>8} {:>8}",
        "ns, paced", "best", "median", "above"
    );
    let figures = rows.map(|(name, slices)| (name, measure::figures(slices)));
    for (name, ours) in &figures {
        let above = ours.median - figures[0].1.median;
        println!(
            "{name:36} {:8.2} {:8.2} {above:8.2}",
            ours.best, ours.median
        );
    }
    for rate in [1_000_000, 2_000_000, 4_000_000] {
        let recorder = Recorder::new().clock(CLOCK).event(&NUMBER).stream_to(&file);
        let recording = recorder.start().expect("it can start");
        let start = Instant::now();
        let mut fired = 0;
        while start.elapsed() < Duration::from_secs(2) {
            while u128::from(fired) < start.elapsed().as_nanos() * rate / 1_000_000_000 {
                fire!(NUMBER, fired);
                fired += 1;
            }
        }
        let sum = recording.finish().expect("outside probes").sum();
        let bytes = std::fs::metadata(&file).map_or(0, |metadata| metadata.len());
        println!(
            "{:.2} M a second for 2 s: {} of {} lost, {:.1} bytes a record",
            fired as f64 / 2e6,
            sum.lost,
            sum.fired,
            bytes as f64 / sum.written as f64
        );
    }
    // What stays behind in a temporary folder does no harm.
    let _ = std::fs::remove_file(&file);
}

fn main() {
    #[cfg(feature = "peers")]
    if let Ok(what) = std::env::var("RECORDED_PEER") {
        return peers::measure(&what);
    }
    if std::env::args().any(|argument| argument == "paced") {
        #[cfg(not(feature = "tsc"))]
        let start = Instant::now();
        return print_paced(move |_| {
            #[cfg(feature = "tsc")]
            black_box(fastant::Instant::now());
            #[cfg(not(feature = "tsc"))]
            black_box(start.elapsed());
        });
    }
    ours();
    #[cfg(feature = "peers")]
    peers::all();
}

fn ours() {
    #[cfg(not(feature = "tsc"))]
    let start = Instant::now();
    let clock = move || {
        timed(|_| {
            #[cfg(feature = "tsc")]
            black_box(fastant::Instant::now());
            #[cfg(not(feature = "tsc"))]
            black_box(start.elapsed());
        })
    };
    let text = black_box(TEXT_OF_32);
    let subjects: Vec<Subject> = vec![
        ("the clock alone", Box::new(clock)),
        ("a typed probe that does nothing", {
            Box::new(|| {
                let _probe = NOT_RECORDED.attach(|_| ());
                timed(|i| fire!(NOT_RECORDED, i))
            })
        }),
        ("a dynamic probe that does nothing", {
            Box::new(|| {
                let _probe = (&NOT_RECORDED as &dyn AnyEvent).attach(|_, values| {
                    black_box(values);
                });
                timed(|i| fire!(NOT_RECORDED, i))
            })
        }),
        ("no argument", Box::new(|| recorded(|_| fire!(NONE)))),
        ("u64", Box::new(|| recorded(|i| fire!(NUMBER, i)))),
        ("u64, two threads at once", Box::new(two_threads)),
        (
            "32-byte text",
            Box::new(move || recorded(|_| fire!(TEXT, text))),
        ),
        (
            "u64, 32-byte text, u16",
            Box::new(move || recorded(|i| fire!(REQUEST, i, text, 200))),
        ),
        (
            "six u64",
            Box::new(|| recorded(|i| fire!(SIX, i, i, i, i, i, i))),
        ),
        (
            "Option<u64>, by its Debug",
            Box::new(|| recorded(|i| fire!(DEBUG, Some(i)))),
        ),
    ];
    let mut slices = vec![Vec::with_capacity(ROUNDS); subjects.len()];
    for _ in 0..ROUNDS {
        for ((_, time), slices) in subjects.iter().zip(&mut slices) {
            slices.push(time().as_nanos() as f64 / SLICE as f64);
        }
    }
    let figures: Vec<_> = slices.into_iter().map(measure::figures).collect();
    let clock = figures[0];
    println!("{:36} {:>8} {:>8} {:>8}", "ns", "best", "median", "above");
    for ((name, _), ours) in subjects.iter().zip(&figures) {
        let above = ours.best - clock.best;
        println!(
            "{name:36} {:8.2} {:8.2} {above:8.2}",
            ours.best, ours.median
        );
    }
}

#[cfg(feature = "peers")]
mod peers {
    use hotprobe_benches::recorded::{RECORDERS, RUNS};
    use std::env;
    use std::process::Command;

    /// Measures each recorder in a process of its own, since most have one state for all of it.
    pub(super) fn all() {
        println!("\n{:55} {:>8} {:>8} lost", "ns", "best", "median");
        let program = env::current_exe().expect("the path of this program");
        for recorder in RECORDERS {
            for (run, ..) in RUNS {
                let status = Command::new(&program)
                    .env("RECORDED_PEER", format!("{}:{run}", recorder.name))
                    .status();
                assert!(status.expect("another process").success());
            }
        }
    }

    /// Measures one, and prints a line.
    pub(super) fn measure(what: &str) {
        let (name, run) = what.split_once(':').expect("a recorder and a run");
        let recorder = RECORDERS.iter().find(|recorder| recorder.name == name);
        let recorder = recorder.expect("a recorder of that name");
        let (_, kind, pace) = RUNS
            .into_iter()
            .find(|(each, ..)| *each == run)
            .expect("a run");
        let title = format!("{}: {run}", recorder.what);
        let Some(outcome) = recorder.measure(kind, pace) else {
            println!("{title:55} not installed");
            return;
        };
        let lost = outcome.lost.map_or("not known".into(), |lost| {
            format!("{:.1} % ({})", lost * 100.0, recorder.when_full)
        });
        let figures = outcome.figures;
        println!(
            "{title:55} {:8.2} {:8.2} {lost}",
            figures.best, figures.median
        );
    }
}
