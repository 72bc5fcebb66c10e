//! Recording one event, by `hotprobe-record` and by its peers: hot (records as fast as they come)
//! and paced (batches, with a pause in which the recorder can catch up), and how many of them were
//! lost. Most peers have one state for the whole process, so each is measured in its own.

mod lttng;
mod peers;

use crate::lttng as tracer;
use crate::measure::{Figures, figures};
use std::thread;
use std::time::{Duration, Instant};

/// The number of records in one slice of the hot kind, and in one batch of the paced kind.
const SLICE: u64 = 4096;
const BATCH: u64 = 1000;
const ROUNDS: u64 = 200;

/// A text of 32 bytes.
pub(crate) const TEXT: &str = "0123456789abcdef0123456789abcdef";

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One `u64`.
    Number,
    /// A text of 32 bytes.
    Text,
}

/// How records follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Without a pause.
    Hot,
    /// In batches of 1000, with 1 ms of sleep between them.
    Paced,
}

/// What is measured of each recorder, with its name.
pub const RUNS: [(&str, Kind, Pace); 4] = [
    ("number_hot", Kind::Number, Pace::Hot),
    ("number_paced", Kind::Number, Pace::Paced),
    ("text_hot", Kind::Text, Pace::Hot),
    ("text_paced", Kind::Text, Pace::Paced),
];

/// A recorder that is running.
pub trait Session {
    /// Records `n` events, each with a number.
    fn numbers(&mut self, n: u64);

    /// Records `n` events, each with a text of 32 bytes.
    fn texts(&mut self, n: u64);

    /// Stops. Returns how many events were written; none if the recorder cannot say.
    fn finish(self: Box<Self>) -> Option<u64>;
}

/// How a recorder is started.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// Once.
    Once(fn() -> Box<dyn Session>),
    /// For each slice again, so that its buffer has room.
    EachSlice(fn() -> Box<dyn Session>),
    /// In a process that is not written in Rust.
    Lttng,
}

/// A recorder.
#[derive(Clone, Copy, Debug)]
pub struct Recorder {
    /// The name that values are called by.
    pub name: &'static str,
    /// The name in the table.
    pub what: &'static str,
    /// What becomes of records that come faster than they are written.
    pub when_full: &'static str,
    /// How it is started.
    pub start: Start,
}

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Nanoseconds of a record.
    pub figures: Figures,
    /// The share of the records that were lost, if the recorder can say.
    pub lost: Option<f64>,
}

/// All recorders, in the order of the table.
pub use peers::RECORDERS;

impl Recorder {
    /// Measures it, in this process; none if it is not installed.
    #[must_use]
    pub fn measure(&self, kind: Kind, pace: Pace) -> Option<Outcome> {
        match self.start {
            Start::Once(start) => Some(once(start, kind, pace)),
            Start::EachSlice(start) => Some(each_slice(start, kind, pace)),
            Start::Lttng => lttng::measure(kind, pace),
        }
    }
}

fn records_of(pace: Pace) -> u64 {
    match pace {
        Pace::Hot => SLICE,
        Pace::Paced => BATCH,
    }
}

/// Measures one slice.
fn slice(session: &mut dyn Session, kind: Kind, pace: Pace) -> f64 {
    if pace == Pace::Paced {
        thread::sleep(Duration::from_millis(1));
    }
    let n = records_of(pace);
    let start = Instant::now();
    match kind {
        Kind::Number => session.numbers(n),
        Kind::Text => session.texts(n),
    }
    start.elapsed().as_nanos() as f64 / n as f64
}

fn outcome(slices: Vec<f64>, fired: u64, written: Option<u64>) -> Outcome {
    Outcome {
        figures: figures(slices),
        lost: written.map(|written| 1.0 - written as f64 / fired as f64),
    }
}

fn once(start: fn() -> Box<dyn Session>, kind: Kind, pace: Pace) -> Outcome {
    let mut session = start();
    let slices = (0..ROUNDS).map(|_| slice(&mut *session, kind, pace));
    let slices = slices.collect();
    outcome(slices, ROUNDS * records_of(pace), session.finish())
}

fn each_slice(start: fn() -> Box<dyn Session>, kind: Kind, pace: Pace) -> Outcome {
    let mut written = 0;
    let slices = (0..ROUNDS).map(|_| {
        let mut session = start();
        // The thread's buffer.
        match kind {
            Kind::Number => session.numbers(1),
            Kind::Text => session.texts(1),
        }
        let time = slice(&mut *session, kind, pace);
        written += session.finish().unwrap_or(0);
        time
    });
    let slices = slices.collect();
    outcome(slices, ROUNDS * (records_of(pace) + 1), Some(written))
}

/// The version of LTTng-UST, if it is installed.
#[must_use]
pub fn lttng_version() -> Option<String> {
    tracer::version()
}
