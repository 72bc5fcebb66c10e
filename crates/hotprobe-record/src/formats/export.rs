//! What an exporter is told, and in which order: the seam between recording and file formats.
//!
//! An exporter writes as it is told, so that one serves both a finished recording and one that is
//! streamed to a file while it runs. Records of one thread come in the order in which they were
//! fired, and those of all threads in the order of time, but for two things: clocks may step back
//! between threads, and what is streamed may be late if it was just being written when the round of
//! its time began. An exporter has to take that. Between rounds it may be told to flush.

use hotprobe::Metadata;
use hotprobe_filter::{BindError, Condition, Filter};
use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

/// What is known when a recording starts.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    /// The wall clock at time 0, so that a trace lines up with logs.
    pub(crate) wall: SystemTime,
    /// The program's process id, and its name as far as it is known.
    pub(crate) process: (u32, String),
    /// All events that may occur; [`Record::event`] is an index here.
    pub(crate) events: Vec<&'static Metadata>,
    /// Pairs of events that begin and end one thing.
    pub(crate) slices: Vec<SliceRule>,
    /// How many begins without an end are remembered, of all slices together.
    pub(crate) most_open: usize,
    /// Which firings are recorded; all of them without it.
    pub(crate) filter: Option<Arc<RecordFilter>>,
}

/// The condition of a recording.
#[derive(Debug)]
pub(crate) struct RecordFilter {
    pub(crate) condition: Condition,
    /// Its indexes are those of [`Header::events`].
    pub(crate) filter: Filter,
    /// The events of patterns that the condition does not fit.
    pub(crate) left_out: Vec<BindError>,
}

/// A begin and an end, paired by a parameter.
#[derive(Clone, Debug)]
pub(crate) struct SliceRule {
    pub(crate) name: String,
    /// Event, and index of the parameter in it.
    pub(crate) begin: (usize, usize),
    pub(crate) end: (usize, usize),
}

/// A thread that fired; told before its first record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ThreadInfo {
    /// Counts from 0 in each recording; [`Record::thread`].
    pub(crate) index: usize,
    /// The operating system's number for it, where there is one.
    pub(crate) id: u64,
    /// (Shared, so that it can be copied without an allocation.)
    pub(crate) name: Option<Arc<str>>,
}

/// One recorded firing.
#[derive(Clone, Debug)]
pub(crate) struct Record<'a> {
    /// Nanoseconds since the recording started.
    pub(crate) time: u64,
    pub(crate) thread: usize,
    pub(crate) event: usize,
    /// The tokio task, where there is one.
    pub(crate) task: Option<u64>,
    /// In the order of the event's parameters.
    pub(crate) values: &'a [Field<'a>],
}

/// An argument as it was recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field<'a> {
    Bool(bool),
    Char(char),
    U64(u64),
    I64(i64),
    U128(u128),
    I128(i128),
    F32(f32),
    F64(f64),
    /// Text; also what `Debug` wrote. `cut` if there was more of it than is kept.
    Str {
        text: &'a str,
        cut: bool,
    },
    Bytes {
        bytes: &'a [u8],
        cut: bool,
    },
    /// Its type, since it has no value that could be recorded.
    Opaque(&'a str),
    Redacted,
    /// No value: `None`.
    Absent,
    /// Its `Debug` panicked.
    Failed,
}

/// Firings of one event on one thread that were not recorded, at the place where they are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Nanoseconds since the recording started: of the first that was lost, as nearly as it is
    /// known.
    pub(crate) time: u64,
    pub(crate) thread: usize,
    pub(crate) event: usize,
    pub(crate) count: u64,
}

/// For each event and thread that fired: exact at the end, `fired == written + lost`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Total {
    pub(crate) thread: usize,
    pub(crate) event: usize,
    pub(crate) fired: u64,
    pub(crate) written: u64,
    pub(crate) lost: u64,
}

/// Returns the events of which firings were lost.
pub(crate) fn lossy_events(totals: &[Total]) -> HashSet<usize> {
    let lossy = totals.iter().filter(|total| total.lost > 0);
    lossy.map(|total| total.event).collect()
}

/// A file format.
pub(crate) trait Export {
    /// First of all, once.
    fn header(&mut self, header: &Header) -> io::Result<()>;
    /// Before the thread's first record; and again if its name has changed.
    fn thread(&mut self, thread: &ThreadInfo) -> io::Result<()>;
    fn record(&mut self, record: &Record<'_>) -> io::Result<()>;
    fn lost(&mut self, lost: &Lost) -> io::Result<()>;
    /// Everything so far is to be in the file, so that it can be opened: called now and then while
    /// streaming.
    fn flush(&mut self) -> io::Result<()>;
    /// After a failure, which is the last that happens: reports thread and event of each record
    /// that no reader finds in what was written. Records flushed before are not among them.
    fn unwritten(&self, tell: &mut dyn FnMut(usize, usize));
    /// Last of all, once. `end`: nanoseconds since the recording started.
    fn finish(&mut self, end: u64, totals: &[Total]) -> io::Result<()>;
}
