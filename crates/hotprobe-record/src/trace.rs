//! What was recorded: read, counted, written to files.

use super::RecordError;
use crate::capture::buffers::Buffers;
use crate::capture::decode::{Decoded, Decoder};
use crate::capture::ring::{Copied, RecordHeader, Ring};
use crate::capture::tally::{Tally, lost_without_buffer};
use crate::formats::chrome::Chrome;
use crate::formats::ctf::Ctf;
use crate::formats::export::{Export, Field, Lost, ThreadInfo, Total};
use crate::formats::output::Patient;
use crate::formats::perfetto::Perfetto;
use hotprobe::Metadata;
use hotprobe_clock::Clock;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The result of a recording. Returned by [`Recording::finish`](super::Recording::finish) and
/// [`Recording::snapshot`](super::Recording::snapshot).
///
/// ```
/// use hotprobe::fire;
/// hotprobe::event! { static STORED: fn(key: &str, bytes: usize); }
///
/// let recording = hotprobe_record::Recorder::new().event(&STORED).start()?;
/// fire!(STORED, "a", 7);
/// let trace = recording.finish()?;
///
/// for entry in trace.records() {
///     println!("{:?} {} {:?}", entry.time(), entry.event().name(), entry.values());
/// }
/// assert_eq!(trace.sum().fired, 1);
/// # Ok::<(), hotprobe_record::RecordError>(())
/// ```
///
/// It owns the recording's buffers, which its clones share.
#[derive(Clone)]
pub struct Trace {
    buffers: Arc<Buffers>,
    threads: Vec<Arc<Thread>>,
    parts: Vec<Part>,
    /// What stands in no buffer, in the order of time.
    lost: Vec<Lost>,
    totals: Vec<Total>,
    /// Of each event; none without a condition.
    rejected: Vec<u64>,
    other_threads: u64,
    end: u64,
    streamed: bool,
}

/// The records of a buffer.
#[derive(Clone)]
struct Part {
    /// The ring where they are; otherwise they are in `around`.
    ring: Option<usize>,
    around: Copied,
}

/// A thread that fired.
///
/// ```
/// # hotprobe::event! { static TICK: fn(); }
/// let recording = hotprobe_record::Recorder::new().event(&TICK).start()?;
/// std::thread::Builder::new().name("worker".into()).spawn(|| TICK.fire()).unwrap().join().unwrap();
/// let trace = recording.finish()?;
/// assert_eq!(trace.threads().next().unwrap().name(), Some("worker"));
/// # Ok::<(), hotprobe_record::RecordError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Thread(ThreadInfo);

impl Thread {
    /// Returns the thread's number in the operating system; if that is not available, the standard
    /// library's.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// Returns its name, as it was when it first fired.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread")
            .field("id", &self.id())
            .field("name", &self.name())
            .finish()
    }
}

/// A recorded firing. [`Trace::records`] returns them.
///
/// ```
/// # hotprobe::event! { static ITEM: fn(n: u64); }
/// use hotprobe_record::{Recorded, Recorder};
///
/// let recording = Recorder::new().event(&ITEM).start()?;
/// ITEM.fire(7);
/// let trace = recording.finish()?;
/// let entry = trace.records().next().expect("it was fired");
/// assert_eq!(entry.event().name(), ITEM.name());
/// assert_eq!(entry.values(), [Recorded::U64(7)]);
/// assert!(entry.time() <= trace.duration());
/// # Ok::<(), hotprobe_record::RecordError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    time: u64,
    event: &'static Metadata,
    thread: Arc<Thread>,
    task: Option<u64>,
    values: Vec<Recorded>,
}

impl Entry {
    /// Returns the time of the firing, since the recording started.
    #[must_use]
    pub fn time(&self) -> Duration {
        Duration::from_nanos(self.time)
    }

    /// Returns the event's name, parameters and place in the source.
    #[must_use]
    pub fn event(&self) -> &'static Metadata {
        self.event
    }

    /// Returns the thread that fired it.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Returns the number of the tokio task that fired it, if one did and tasks are noted
    /// (`Recorder::tasks`, feature `tokio`).
    #[must_use]
    pub fn task(&self) -> Option<u64> {
        self.task
    }

    /// Returns the arguments, in the order of the event's parameters.
    #[must_use]
    pub fn values(&self) -> &[Recorded] {
        &self.values
    }
}

/// An argument as it was recorded.
///
/// ```
/// # hotprobe::event! { static LOGIN: fn(user: &str, #[redact] token: &str); }
/// use hotprobe_record::{Recorded, Recorder};
///
/// let recording = Recorder::new().event(&LOGIN).max_text_bytes(4).start()?;
/// LOGIN.fire("Varvara", "secret");
/// let trace = recording.finish()?;
/// let entry = trace.records().next().unwrap();
/// let user = Recorded::Text { text: "Varv".into(), cut: true };
/// assert_eq!(entry.values(), [user, Recorded::Redacted]);
/// # Ok::<(), hotprobe_record::RecordError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Recorded {
    /// A truth value.
    Bool(bool),
    /// A character.
    Char(char),
    /// An unsigned integer of up to 64 bits.
    U64(u64),
    /// A signed integer of up to 64 bits.
    I64(i64),
    /// An unsigned integer of 128 bits.
    U128(u128),
    /// A signed integer of 128 bits.
    I128(i128),
    /// A floating-point number of 32 bits.
    F32(f32),
    /// A floating-point number of 64 bits.
    F64(f64),
    /// Text, or what the argument's `Debug` wrote.
    Text {
        /// As much of it as was kept.
        text: String,
        /// Whether there was more.
        cut: bool,
    },
    /// Bytes.
    Bytes {
        /// As many of them as were kept.
        bytes: Vec<u8>,
        /// Whether there were more.
        cut: bool,
    },
    /// The name of the argument's type, for a value that cannot be recorded.
    Opaque(String),
    /// An argument marked `#[redact]`, which only typed probes see.
    Redacted,
    /// No value: `None`.
    Absent,
    /// The argument's `Debug` panicked, or returned an error of its own.
    Failed,
}

impl From<Field<'_>> for Recorded {
    fn from(field: Field<'_>) -> Self {
        match field {
            Field::Bool(value) => Self::Bool(value),
            Field::Char(value) => Self::Char(value),
            Field::U64(value) => Self::U64(value),
            Field::I64(value) => Self::I64(value),
            Field::U128(value) => Self::U128(value),
            Field::I128(value) => Self::I128(value),
            Field::F32(value) => Self::F32(value),
            Field::F64(value) => Self::F64(value),
            Field::Str { text, cut } => Self::Text {
                text: text.to_owned(),
                cut,
            },
            Field::Bytes { bytes, cut } => Self::Bytes {
                bytes: bytes.to_owned(),
                cut,
            },
            Field::Opaque(name) => Self::Opaque(name.to_owned()),
            Field::Redacted => Self::Redacted,
            Field::Absent => Self::Absent,
            Field::Failed => Self::Failed,
        }
    }
}

/// Numbers of firings, which add up: `fired == written + lost`.
///
/// ```
/// # hotprobe::event! { static ITEM: fn(n: u64); }
/// let recording = hotprobe_record::Recorder::new().event(&ITEM).start()?;
/// (0..3).for_each(|n| ITEM.fire(n));
/// let count = recording.finish()?.sum();
/// assert_eq!((count.fired, count.written, count.lost), (3, 3, 0));
/// # Ok::<(), hotprobe_record::RecordError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Count {
    /// Firings that called the recorder's probe.
    pub fired: u64,
    /// Firings whose record is in the trace, or in the file of a streamed recording.
    pub written: u64,
    /// Firings that are not recorded.
    pub lost: u64,
}

impl Trace {
    /// Of buffers into which nobody writes any more.
    pub(crate) fn finished(buffers: Arc<Buffers>, end: u64) -> Self {
        let parts = (0..buffers.ring_count())
            .filter_map(|index| {
                let around = buffers.ring(index)?.finished();
                let ring = Some(index);
                Some(Part { ring, around })
            })
            .collect();
        Self::new(buffers, parts, Vec::new(), end)
    }

    /// Of buffers in which firings are in flight that do not end: they are lost.
    pub(crate) fn given_up(buffers: &Arc<Buffers>) -> Self {
        loop {
            let before: Vec<_> = buffers.unfinished().collect();
            let trace = Self::copied_with(Arc::clone(buffers), before.clone());
            // A firing that has ended before the copy is in it, and one that has not ended after it
            // is not.
            if before.iter().copied().eq(buffers.unfinished()) {
                return trace;
            }
        }
    }

    /// Of buffers that are being written.
    pub(crate) fn copied(buffers: Arc<Buffers>) -> Self {
        Self::copied_with(buffers, Vec::new())
    }

    fn copied_with(buffers: Arc<Buffers>, unfinished: Vec<Lost>) -> Self {
        let part = |ring: &Ring| Part {
            ring: None,
            around: ring.copy(),
        };
        let parts = buffers.rings().map(part).collect();
        let end = buffers.timer.now();
        Self::new(buffers, parts, unfinished, end)
    }

    fn new(buffers: Arc<Buffers>, parts: Vec<Part>, unfinished: Vec<Lost>, end: u64) -> Self {
        let (mut threads, other_threads) = buffers.threads_from(0);
        let mut lost = lost_without_buffer(&buffers, &mut threads);
        lost.extend(parts.iter().flat_map(|part| &part.around.left).copied());
        lost.extend(unfinished);
        lost.sort_by_key(|lost| lost.time);
        let mut trace = Self {
            rejected: rejected(&buffers),
            buffers,
            threads: shared(threads),
            parts,
            lost,
            totals: Vec::new(),
            other_threads,
            end,
            streamed: false,
        };
        let mut tally = Tally::default();
        let mut merge = Merge::new(&trace);
        while let Some(step) = merge.next() {
            match step {
                TraceStep::Lost(lost) => tally.lost(lost.thread, lost.event, lost.count),
                TraceStep::Record(thread, words) => {
                    let head = RecordHeader::from_word(words[0]);
                    let event = head.event() as usize;
                    if head.kind() == RecordHeader::LOST {
                        tally.lost(thread, event, words[2]);
                    } else {
                        tally.written(thread, event, 1);
                    }
                }
            }
        }
        trace.totals = tally.totals();
        trace
    }

    /// Of a recording whose records are in a file.
    pub(crate) fn streamed(
        buffers: Arc<Buffers>,
        threads: Vec<ThreadInfo>,
        tally: &Tally,
        end: u64,
    ) -> Self {
        Self {
            rejected: rejected(&buffers),
            other_threads: buffers.others().map_or(0, |(_, count)| count),
            buffers,
            threads: shared(threads),
            parts: Vec::new(),
            lost: Vec::new(),
            totals: tally.totals(),
            end,
            streamed: true,
        }
    }

    /// Returns the records, sorted by time; those of one thread are in the order of its firings.
    /// Between threads, clocks may differ by some tens of nanoseconds. A streamed recording returns
    /// none: they are in its file.
    ///
    /// ```
    /// # hotprobe::event! { static ITEM: fn(n: u64); }
    /// use hotprobe_record::{Recorded, Recorder};
    ///
    /// let recording = Recorder::new().event(&ITEM).start()?;
    /// (0..3).for_each(|n| ITEM.fire(n));
    /// let trace = recording.finish()?;
    /// let items: Vec<_> = trace.records().map(|entry| entry.values()[0].clone()).collect();
    /// assert_eq!(items, [0, 1, 2].map(Recorded::U64));
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    #[must_use]
    pub fn records(&self) -> Records<'_> {
        Records {
            trace: self,
            merge: Merge::new(self),
            decoder: Decoder::new(self.buffers.timer),
        }
    }

    /// Returns all events that the recording was attached to, fired or not.
    pub fn events(&self) -> impl Iterator<Item = &'static Metadata> {
        self.buffers.header.events.iter().copied()
    }

    /// Returns the threads that fired, in the order of their first firings.
    pub fn threads(&self) -> impl Iterator<Item = &Thread> {
        self.threads.iter().map(|thread| &**thread)
    }

    /// Returns how many threads share the entry `(N other threads)`, because there were more than a
    /// recording distinguishes ([memory](super::Recorder#memory)); 0 if [`threads`](Self::threads)
    /// lists each.
    ///
    /// ```
    /// # hotprobe::event! { static TICK: fn(); }
    /// let recorder = hotprobe_record::Recorder::new().event(&TICK);
    /// let recording = recorder.max_total_bytes(1 << 20).start()?;
    /// for _ in 0..1100 {
    ///     std::thread::spawn(|| TICK.fire()).join().unwrap();
    /// }
    /// let trace = recording.finish()?;
    /// assert_eq!((trace.threads().count(), trace.other_threads()), (1025, 76));
    /// assert_eq!(trace.threads().last().unwrap().name(), Some("(76 other threads)"));
    /// assert_eq!(trace.sum().written, 1100);
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    #[must_use]
    pub fn other_threads(&self) -> u64 {
        self.other_threads
    }

    /// Returns the [`Count`] of each event on each thread that fired it.
    ///
    /// ```
    /// # hotprobe::event! { static TICK: fn(); }
    /// let recording = hotprobe_record::Recorder::new().event(&TICK).start()?;
    /// TICK.fire();
    /// let trace = recording.finish()?;
    /// for (event, thread, count) in trace.counts() {
    ///     let of = (event.name(), thread.name());
    ///     println!("{of:?}: {} of {}", count.written, count.fired);
    /// }
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn counts(&self) -> impl Iterator<Item = (&'static Metadata, &Thread, Count)> {
        self.totals.iter().map(|total| {
            let count = Count {
                fired: total.fired,
                written: total.written,
                lost: total.lost,
            };
            let event = self.buffers.header.events[total.event];
            (event, &*self.threads[total.thread], count)
        })
    }

    /// Returns the number of lost firings of each event on each thread that lost any.
    ///
    /// ```
    /// # hotprobe::event! { static ITEM: fn(n: u64); }
    /// let recorder = hotprobe_record::Recorder::new().event(&ITEM);
    /// let recording = recorder.max_buffer_bytes(8 << 10).start()?;
    /// (0..1_000_000).for_each(|n| ITEM.fire(n));
    /// let trace = recording.finish()?;
    /// let (event, _, lost) = trace.lost().next().expect("that many do not fit");
    /// assert_eq!(event.name(), ITEM.name());
    /// assert_eq!(lost + trace.records().count() as u64, 1_000_000);
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn lost(&self) -> impl Iterator<Item = (&'static Metadata, &Thread, u64)> {
        let lost = |(event, thread, count): (_, _, Count)| (event, thread, count.lost);
        self.counts().map(lost).filter(|&(_, _, lost)| lost > 0)
    }

    /// Returns the sum of all [`counts`](Self::counts).
    #[must_use]
    pub fn sum(&self) -> Count {
        let mut sum = Count::default();
        for total in &self.totals {
            sum.fired += total.fired;
            sum.written += total.written;
            sum.lost += total.lost;
        }
        sum
    }

    /// Returns the condition that recorded firings meet; `None` if all are recorded.
    #[must_use]
    pub fn filter(&self) -> Option<String> {
        let filter = self.buffers.header.filter.as_ref();
        filter.map(|filter| filter.condition.to_string())
    }

    /// Returns how many firings of each event did not meet the condition, exactly. They are neither
    /// recorded nor lost, and in none of the [`counts`](Self::counts). Without a condition, it
    /// yields nothing.
    ///
    /// ```
    /// # hotprobe::event! { static DONE: fn(status: u16); }
    /// let recorder = hotprobe_record::Recorder::new().event(&DONE);
    /// let recording = recorder.filter("status >= 500").start()?;
    /// (498..=500).for_each(|status| DONE.fire(status));
    /// let trace = recording.finish()?;
    /// let (event, rejected) = trace.rejected().next().expect("there is a condition");
    /// assert_eq!((event.name(), rejected), (DONE.name(), 2));
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn rejected(&self) -> impl Iterator<Item = (&'static Metadata, u64)> {
        self.events().zip(self.rejected.iter().copied())
    }

    /// Returns the clock that measured the times: [`Clock::System`] if the processor has no usable
    /// counter, even if `Clock::Tsc` was chosen.
    ///
    /// ```
    /// use hotprobe_record::{Clock, Recorder};
    /// # hotprobe::event! { static TICK: fn(); }
    /// let trace = Recorder::new().event(&TICK).start()?.finish()?;
    /// assert_eq!(trace.clock(), Clock::System);
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.buffers.timer.clock()
    }

    /// Returns when the recording started.
    #[must_use]
    pub fn started(&self) -> SystemTime {
        self.buffers.header.wall
    }

    /// Returns how long the recording lasted.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.end)
    }

    /// Writes a file, whose extension determines the format: `.pftrace` or `.perfetto-trace` for
    /// Perfetto, `.json` for Chrome and other readers of its format, `.ctf` or an existing
    /// directory for a directory of CTF.
    ///
    /// # Errors
    /// [`UnknownFormat`](RecordError::UnknownFormat); [`Io`](RecordError::Io);
    /// [`Streamed`](RecordError::Streamed).
    ///
    /// ```no_run
    /// # fn example(trace: &hotprobe_record::Trace) -> Result<(), hotprobe_record::RecordError> {
    /// trace.save("trace.pftrace")?;
    /// # Ok(()) }
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), RecordError> {
        let path = path.as_ref();
        let format = RecordError::format_of(path)?;
        self.is_here()?;
        let save = || self.export(&mut *format.create(path)?);
        save().map_err(|error| RecordError::io(Some(path), error))
    }

    /// Writes it as a Perfetto trace.
    ///
    /// # Errors
    /// [`Io`](RecordError::Io), with the writer's error; [`Streamed`](RecordError::Streamed).
    ///
    /// ```no_run
    /// # fn example(trace: &hotprobe_record::Trace) -> Result<(), hotprobe_record::RecordError> {
    /// let mut bytes = Vec::new();
    /// trace.write_perfetto(&mut bytes)?;
    /// # Ok(()) }
    /// ```
    pub fn write_perfetto(&self, writer: impl Write) -> Result<(), RecordError> {
        self.is_here()?;
        let mut exporter = Perfetto::new(Patient::new(writer));
        self.export(&mut exporter)
            .map_err(|error| RecordError::io(None, error))
    }

    /// Writes it as a Chrome trace, which is JSON.
    ///
    /// # Errors
    /// [`Io`](RecordError::Io), with the writer's error; [`Streamed`](RecordError::Streamed).
    ///
    /// ```no_run
    /// # fn example(trace: &hotprobe_record::Trace) -> Result<(), hotprobe_record::RecordError> {
    /// trace.write_chrome_json(std::io::stdout())?;
    /// # Ok(()) }
    /// ```
    pub fn write_chrome_json(&self, writer: impl Write) -> Result<(), RecordError> {
        self.is_here()?;
        let mut exporter = Chrome::new(Patient::new(writer));
        self.export(&mut exporter)
            .map_err(|error| RecordError::io(None, error))
    }

    /// Writes it as a directory of CTF 1.8.
    ///
    /// # Errors
    /// [`Io`](RecordError::Io), with the file system's error; [`Streamed`](RecordError::Streamed).
    ///
    /// ```no_run
    /// # fn example(trace: &hotprobe_record::Trace) -> Result<(), hotprobe_record::RecordError> {
    /// trace.write_ctf("trace")?;
    /// # Ok(()) }
    /// ```
    pub fn write_ctf(&self, directory: impl AsRef<Path>) -> Result<(), RecordError> {
        self.is_here()?;
        let path = directory.as_ref();
        let write = || self.export(&mut Ctf::create(path)?);
        write().map_err(|error| RecordError::io(Some(path), error))
    }

    fn is_here(&self) -> Result<(), RecordError> {
        if self.streamed {
            Err(RecordError::Streamed)
        } else {
            Ok(())
        }
    }

    fn export(&self, exporter: &mut dyn Export) -> io::Result<()> {
        exporter.header(&self.buffers.header)?;
        for thread in &self.threads {
            exporter.thread(&thread.0)?;
        }
        let timer = &self.buffers.timer;
        let mut decoder = Decoder::new(*timer);
        let mut merge = Merge::new(self);
        while let Some(step) = merge.next() {
            match step {
                TraceStep::Lost(lost) => exporter.lost(&lost.in_nanoseconds(timer))?,
                TraceStep::Record(thread, words) => {
                    let values = |event| self.values(event);
                    decoder.decode(thread, words, values, |decoded| match decoded {
                        Decoded::Record(record) => exporter.record(&record),
                        Decoded::Lost(lost) => exporter.lost(&lost),
                    })?;
                }
            }
        }
        exporter.finish(self.end, &self.totals)?;
        exporter.flush()
    }

    /// How many parameters an event has.
    fn values(&self, event: usize) -> usize {
        self.buffers.header.events[event].parameters().len()
    }
}

fn shared(threads: Vec<ThreadInfo>) -> Vec<Arc<Thread>> {
    threads
        .into_iter()
        .map(|info| Arc::new(Thread(info)))
        .collect()
}

/// The [records](Trace::records), in the order of their times.
///
/// ```
/// # hotprobe::event! { static ITEM: fn(n: u64); }
/// let recording = hotprobe_record::Recorder::new().event(&ITEM).start()?;
/// ITEM.fire(7);
/// for entry in &recording.finish()? {
///     assert_eq!(entry.event().name(), ITEM.name());
/// }
/// # Ok::<(), hotprobe_record::RecordError>(())
/// ```
#[allow(
    clippy::into_iter_without_iter,
    reason = "`records` is the method, beside `events` and `threads`"
)]
impl<'a> IntoIterator for &'a Trace {
    type Item = Entry;
    type IntoIter = Records<'a>;

    fn into_iter(self) -> Records<'a> {
        self.records()
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace")
            .field("events", &self.buffers.header.events.len())
            .field("threads", &self.threads.len())
            .field("sum", &self.sum())
            .field("duration", &self.duration())
            .finish_non_exhaustive()
    }
}

/// The records of a [`Trace`]: an iterator over [`Entry`]s.
///
/// ```
/// # hotprobe::event! { static ITEM: fn(n: u64); }
/// let recording = hotprobe_record::Recorder::new().event(&ITEM).start()?;
/// (0..3).for_each(|n| ITEM.fire(n));
/// let trace = recording.finish()?;
/// let mut records: hotprobe_record::Records<'_> = trace.records();
/// assert!(records.next().is_some() && records.count() == 2);
/// # Ok::<(), hotprobe_record::RecordError>(())
/// ```
pub struct Records<'a> {
    trace: &'a Trace,
    merge: Merge<'a>,
    decoder: Decoder,
}

impl Iterator for Records<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            let TraceStep::Record(thread, words) = self.merge.next()? else {
                continue;
            };
            let trace = self.trace;
            let values = |event| trace.values(event);
            let entry = self
                .decoder
                .decode(thread, words, values, |decoded| match decoded {
                    Decoded::Record(record) => Some(Entry {
                        time: record.time,
                        event: trace.buffers.header.events[record.event],
                        thread: Arc::clone(&trace.threads[record.thread]),
                        task: record.task,
                        values: record.values.iter().copied().map(Recorded::from).collect(),
                    }),
                    Decoded::Lost(_) => None,
                });
            if entry.is_some() {
                return entry;
            }
        }
    }
}

impl fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}

/// What comes next in a trace.
enum TraceStep<'a> {
    Lost(Lost),
    /// A thread's record, or mark of losses.
    Record(usize, &'a [u64]),
}

/// Goes through all buffers at once, the earliest first.
struct Merge<'a> {
    cursors: Vec<Cursor<'a>>,
    /// By time: those that have something.
    next: BinaryHeap<Reverse<(u64, usize)>>,
    /// The one whose step was told last: it has to move on.
    last: Option<usize>,
}

/// A place in a buffer.
struct Cursor<'a> {
    words: Words<'a>,
    at: u64,
    end: u64,
    thread: usize,
    before: &'a [Lost],
    after: &'a [Lost],
    /// The current record, unless there is a loss.
    record: Vec<u64>,
    lost: Option<Lost>,
}

enum Words<'a> {
    Ring(&'a Ring),
    Copied(&'a [u64]),
}

impl<'a> Merge<'a> {
    fn new(trace: &'a Trace) -> Self {
        let rest = Cursor {
            words: Words::Copied(&[]),
            at: 0,
            end: 0,
            thread: 0,
            before: &trace.lost,
            after: &[],
            record: Vec::new(),
            lost: None,
        };
        let of = |part: &'a Part| {
            let around = &part.around;
            let ring = part.ring.and_then(|index| trace.buffers.ring(index));
            let (words, (at, end)) = match ring {
                Some(ring) => (Words::Ring(ring), ring.range()),
                None => (Words::Copied(&around.words), (0, around.words.len() as u64)),
            };
            Cursor {
                words,
                at,
                end,
                thread: around.thread,
                before: &around.before,
                after: &around.after,
                record: Vec::new(),
                lost: None,
            }
        };
        let mut merge = Self {
            cursors: trace.parts.iter().map(of).chain([rest]).collect(),
            next: BinaryHeap::new(),
            last: None,
        };
        (0..merge.cursors.len()).for_each(|index| merge.move_on(index));
        merge
    }

    fn move_on(&mut self, index: usize) {
        if let Some(time) = self.cursors[index].move_on() {
            self.next.push(Reverse((time, index)));
        }
    }

    fn next(&mut self) -> Option<TraceStep<'_>> {
        if let Some(last) = self.last.take() {
            self.move_on(last);
        }
        let Reverse((_, index)) = self.next.pop()?;
        self.last = Some(index);
        let cursor = &self.cursors[index];
        Some(match cursor.lost {
            Some(lost) => TraceStep::Lost(lost),
            None => TraceStep::Record(cursor.thread, &cursor.record),
        })
    }
}

impl Cursor<'_> {
    /// Goes to the next; its time, if there is one.
    fn move_on(&mut self) -> Option<u64> {
        if let Some((first, rest)) = self.before.split_first() {
            self.before = rest;
            self.lost = Some(*first);
            return Some(first.time);
        }
        self.lost = None;
        while self.at < self.end {
            self.read();
            if RecordHeader::from_word(self.record[0]).kind() != RecordHeader::THREAD {
                return Some(self.record[1]);
            }
            self.thread = usize::try_from(self.record[1]).unwrap_or(usize::MAX);
        }
        let (first, rest) = self.after.split_first()?;
        self.after = rest;
        self.lost = Some(*first);
        Some(first.time)
    }

    fn read(&mut self) {
        match self.words {
            Words::Ring(ring) => self.at = ring.record_at(self.at, &mut self.record),
            Words::Copied(words) => {
                let begin = usize::try_from(self.at).unwrap_or(usize::MAX);
                self.at += RecordHeader::from_word(words[begin]).words();
                let end = usize::try_from(self.at).unwrap_or(usize::MAX);
                self.record.clear();
                self.record.extend_from_slice(&words[begin..end]);
            }
        }
    }
}

static_assertions::assert_impl_all!(Trace: Send, Sync);

/// How many firings of each event the condition has rejected.
fn rejected(buffers: &Buffers) -> Vec<u64> {
    let Some(filter) = &buffers.header.filter else {
        return Vec::new();
    };
    (0..buffers.header.events.len())
        .map(|event| filter.filter.rejected(event))
        .collect()
}
