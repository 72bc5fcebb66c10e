//! What is to be recorded, and how: the builder, and all that is checked before a recording starts.

use super::recording::Recording;
use super::{Overflow, RecordError};
use crate::capture::buffers::{Buffers, Limits};
use crate::capture::encode;
use crate::capture::ring::RecordHeader;
use crate::formats::export::{Header, RecordFilter, SliceRule};
use crate::formats::file::{Exporter, Format, expanded};
use hotprobe::{AnyEvent, Batch, Metadata, Parameter, ProbeOptions};
use hotprobe_clock::Clock;
use hotprobe_filter::{Condition, Filter, ParseError};
use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// The builder of a recording: which events to record, and how. [`start`](Self::start) attaches to
/// all events at one instant.
///
/// ```
/// use hotprobe::fire;
/// use hotprobe_record::Recorder;
///
/// hotprobe::event! {
///     static REQUEST_RECEIVED: fn(id: u64, path: &str);
///     static REQUEST_DONE: fn(id: u64, status: u16);
/// }
///
/// let recording = Recorder::new()
///     .slice("request", &REQUEST_RECEIVED, &REQUEST_DONE, "id")
///     .start()?;
/// fire!(REQUEST_RECEIVED, 1, "/orders");
/// fire!(REQUEST_DONE, 1, 200);
/// let trace = recording.finish()?; // nothing is lost after this
/// # let directory = std::env::temp_dir();
/// # std::env::set_current_dir(directory).unwrap();
/// # if false {
/// trace.save("trace.pftrace")?;
/// # }
/// # assert_eq!(trace.sum().written, 2);
/// # Ok::<(), hotprobe_record::RecordError>(())
/// ```
///
/// # Memory
/// Each thread gets a buffer at its first firing ([`max_buffer_bytes`](Self::max_buffer_bytes)).
/// When the thread ends, its buffer goes to the next thread. All buffers together never exceed the
/// cap ([`max_total_bytes`](Self::max_total_bytes)).
///
/// In addition, a recording keeps about a hundred bytes for each thread that fired, and some dozen
/// for each event whose firings the thread lost. This is bounded, too: the recording distinguishes
/// one thread for each 4 KiB of the cap, at least 1,024 and at most 16,384; fewer if threads lose
/// firings of very many events. Later threads are recorded as one thread, `(N other threads)`.
/// [`Trace::other_threads`](super::Trace::other_threads) returns how many they are.
#[must_use = "a recorder records nothing before `start`"]
pub struct Recorder {
    patterns: Vec<String>,
    events: Vec<&'static dyn AnyEvent>,
    slices: Vec<Slice>,
    per_thread: usize,
    together: usize,
    overflow: Overflow,
    cut_at: usize,
    stream: Option<StreamTarget>,
    dump_on_panic: Option<PathBuf>,
    clock: Clock,
    tasks: bool,
    /// A mistake is reported by `start`.
    filter: Option<Result<Condition, ParseError>>,
}

struct Slice {
    name: String,
    begin: &'static dyn AnyEvent,
    end: &'static dyn AnyEvent,
    key: String,
}

enum StreamTarget {
    Path(PathBuf),
    Writer(Exporter),
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

/// The bytes of the buffers for each begin without an end that is remembered, of all slices
/// together.
const BYTES_AN_OPEN: usize = 1 << 10;
const BYTES_A_THREAD: usize = 4 << 10;
const MOST_THREADS: (usize, usize) = (1 << 10, 1 << 14);
const BYTES_A_ROW: usize = 1 << 10;
const MOST_ROWS: (usize, usize) = (1 << 12, 1 << 16);
const MOST_OPEN: (usize, usize) = (1 << 8, 1 << 16);

impl Recorder {
    /// Creates a recorder without events. By default a thread's buffer has 1 MiB, all buffers 64
    /// MiB; the newest records are dropped when a buffer is full; texts are cut at 512 bytes; the
    /// clock is the system's.
    pub fn new() -> Self {
        Self {
            patterns: Vec::new(),
            events: Vec::new(),
            slices: Vec::new(),
            per_thread: 1 << 20,
            together: 64 << 20,
            overflow: Overflow::DropNewest,
            cut_at: 512,
            stream: None,
            dump_on_panic: None,
            clock: Clock::System,
            tasks: false,
            filter: None,
        }
    }

    /// Adds the events whose full name matches the pattern, as [`matching`](hotprobe::matching)
    /// finds them: `shop::*`.
    ///
    /// ```
    /// # mod shop { hotprobe::event! { pub static SOLD: fn(); } }
    /// let recording = hotprobe_record::Recorder::new().matching("*::shop::*").start()?;
    /// # shop::SOLD.fire(); drop(recording);
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn matching(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.push(pattern.into());
        self
    }

    /// Adds this event: one that `event!` declared, or one that the catalogue found.
    ///
    /// ```
    /// # hotprobe::event! { static DONE: fn(id: u64); static BEGUN: fn(id: u64); }
    /// let found = hotprobe::find(BEGUN.name()).expect("it is in this program");
    /// let recording = hotprobe_record::Recorder::new().event(&DONE).event(found).start()?;
    /// # drop(recording);
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn event(mut self, event: &'static dyn AnyEvent) -> Self {
        self.events.push(event);
        self
    }

    /// Adds every event of the program.
    ///
    /// ```
    /// # hotprobe::event! { static TICK: fn(); }
    /// let recording = hotprobe_record::Recorder::new().all().start()?;
    /// # TICK.fire(); drop(recording);
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn all(self) -> Self {
        self.matching("*")
    }

    /// Adds two events, and shows each pair of them as one slice called `name`, across threads and
    /// awaits. `begin` and `end` pair if the parameter `key`, which both need, has the same value.
    ///
    /// ```
    /// # use hotprobe_record::Recorder;
    /// # hotprobe::event! { static OPENED: fn(file: u64, path: &str); }
    /// # hotprobe::event! { static CLOSED: fn(file: u64); }
    /// let slice = |key| Recorder::new().slice("file", &OPENED, &CLOSED, key);
    /// let recording = slice("file").start()?;
    /// # drop(recording);
    ///
    /// let error = slice("path").start().unwrap_err();
    /// assert!(error.to_string().ends_with("has no parameter `path`; it has `file: u64`"));
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn slice(
        mut self,
        name: impl Into<String>,
        begin: &'static dyn AnyEvent,
        end: &'static dyn AnyEvent,
        key: impl Into<String>,
    ) -> Self {
        self.slices.push(Slice {
            name: name.into(),
            begin,
            end,
            key: key.into(),
        });
        self
    }

    /// Records only the firings that meet the condition, for all events, those of slices included.
    /// The others are counted apart ([`Trace::rejected`](super::Trace::rejected)). The page of
    /// [`hotprobe_filter`] has the grammar.
    ///
    /// Events of a pattern that the condition does not fit are left out
    /// ([`Recording::left_out`]).
    ///
    /// ```
    /// # hotprobe::event! { static DONE: fn(route: &str, status: u16); }
    /// use hotprobe_record::Recorder;
    ///
    /// let recording = Recorder::new().event(&DONE).filter("status >= 500").start()?;
    /// DONE.fire("/orders", 200);
    /// DONE.fire("/orders", 503);
    /// let trace = recording.finish()?;
    /// assert_eq!((trace.sum().fired, trace.rejected().next().unwrap().1), (1, 1));
    ///
    /// let error = Recorder::new().event(&DONE).filter("statsu >= 500").start().unwrap_err();
    /// assert!(error.to_string().contains("did you mean `status`?"));
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn filter<C>(mut self, condition: C) -> Self
    where
        C: TryInto<Condition>,
        C::Error: Into<ParseError>,
    {
        self.filter = Some(condition.try_into().map_err(Into::into));
        self
    }

    /// Sets the size of each firing thread's buffer, in bytes; 1 MiB by default. Rounded down to a
    /// power of two.
    pub fn max_buffer_bytes(mut self, bytes: usize) -> Self {
        self.per_thread = bytes;
        self
    }

    /// Limits the size of all buffers together, in bytes; 64 MiB by default. A thread that gets no
    /// buffer loses what it fires, which is counted. The limit also bounds the begins without an
    /// end that the slices of a streamed recording remember: one for each KiB, at most 65,536, of
    /// all slices together.
    pub fn max_total_bytes(mut self, bytes: usize) -> Self {
        self.together = bytes;
        self
    }

    /// Sets what happens when a buffer is full; by default, the newest record is dropped.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Limits the length of a recorded text, `Debug` output or byte string, in bytes; 512 by
    /// default. Longer values are cut between characters, and marked as cut.
    pub fn max_text_bytes(mut self, bytes: usize) -> Self {
        self.cut_at = bytes;
        self
    }

    /// Sets the clock by which times are measured; the system's by default, with or without the
    /// feature `tsc`.
    ///
    /// With `Clock::Tsc` a record takes about half the time, but between threads the clock may step
    /// back by some tens of nanoseconds. Where the processor has no usable counter, the system's
    /// clock takes its place: [`Trace::clock`](super::Trace::clock) returns the one that was used.
    ///
    /// ```
    /// use hotprobe_record::{Clock, Recorder};
    /// # hotprobe::event! { static TICK: fn(); }
    /// let recording = Recorder::new().event(&TICK).clock(Clock::System).start()?;
    /// # TICK.fire();
    /// assert_eq!(recording.finish()?.clock(), Clock::System);
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets whether each record has the number of the tokio task that fired it (feature `tokio`);
    /// off by default.
    ///
    /// The number is [`Entry::task`](super::Entry::task). A Perfetto trace then also has a track
    /// for each task, with a copy of what the task fired: the file is about twice as long.
    ///
    /// ```
    /// # hotprobe::event! { static TICK: fn(); }
    /// let recording = hotprobe_record::Recorder::new().event(&TICK).tasks(true).start()?;
    /// # TICK.fire(); drop(recording);
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    #[cfg(feature = "tokio")]
    pub fn tasks(mut self, yes: bool) -> Self {
        self.tasks = yes;
        self
    }

    /// Streams the records to a file, for recordings longer than memory allows: a background thread
    /// empties the buffers. The file's extension determines the format, as for
    /// [`Trace::save`](super::Trace::save).
    ///
    /// In the name, `%p` is replaced by the number of the process, `%t` by the seconds since 1970,
    /// and `%%` by `%`. A file has one writer: `start` refuses a file that another recording is
    /// writing, in this process or another, even under another name. (On Unix by `flock`, which
    /// some file systems lack.)
    ///
    /// If writing fails, the recording stops, and [`finish`](Recording::finish) returns the error.
    /// Firings never wait for the file. What was written so far can be opened.
    ///
    /// ```no_run
    /// # hotprobe::event! { static TICK: fn(); }
    /// let recorder = hotprobe_record::Recorder::new().event(&TICK);
    /// let recording = recorder.stream_to("trace.pftrace").start()?;
    /// # drop(recording);
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn stream_to(mut self, path: impl Into<PathBuf>) -> Self {
        self.stream = Some(StreamTarget::Path(path.into()));
        self
    }

    /// Writes a Perfetto trace to any writer, as [`stream_to`](Self::stream_to).
    pub fn stream_perfetto_to(mut self, writer: impl Write + Send + 'static) -> Self {
        self.stream = Some(StreamTarget::Writer(Format::perfetto(writer)));
        self
    }

    /// Writes a Chrome trace to any writer, as [`stream_to`](Self::stream_to).
    ///
    /// ```
    /// # hotprobe::event! { static TICK: fn(); }
    /// let recorder = hotprobe_record::Recorder::new().event(&TICK);
    /// let recording = recorder.stream_chrome_json_to(std::io::sink()).start()?;
    /// TICK.fire();
    /// assert_eq!(recording.finish()?.sum().written, 1);
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn stream_chrome_json_to(mut self, writer: impl Write + Send + 'static) -> Self {
        self.stream = Some(StreamTarget::Writer(Format::chrome(writer)));
        self
    }

    /// Saves the buffers at the first panic of any thread, caught or not: what happened just
    /// before. It installs a panic hook, which also calls the previous hook. `%p` and `%t` in the
    /// name are replaced as in [`stream_to`](Self::stream_to).
    ///
    /// ```no_run
    /// use hotprobe_record::{Overflow, Recorder};
    /// # hotprobe::event! { static TICK: fn(); }
    ///
    /// let recording = Recorder::new()
    ///     .event(&TICK)
    ///     .overflow(Overflow::OverwriteOldest)
    ///     .dump_on_panic("last-seconds.pftrace")
    ///     .start()?;
    /// # drop(recording);
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn dump_on_panic(mut self, path: impl Into<PathBuf>) -> Self {
        self.dump_on_panic = Some(path.into());
        self
    }

    /// Attaches to all events, at one instant.
    ///
    /// # Errors
    /// A pattern that matches nothing; a slice's key that one of its events lacks, has of another
    /// type, or keeps from dynamic probes; a condition that is none, or does not fit an event;
    /// limits that contradict each other; a file that cannot be created, or that another recording
    /// writes.
    pub fn start(self) -> Result<Recording, RecordError> {
        let (events, filter) = self.filtered()?;
        let slices = self
            .slices
            .iter()
            .map(|slice| slice.rule(&events))
            .collect::<Result<_, _>>()?;
        let limits = self.limits(&events)?;
        let dump_on_panic = self.dump_on_panic.as_deref().map(expanded);
        if let Some(path) = &dump_on_panic {
            RecordError::format_of(path)?;
        }
        let exporter = match self.stream {
            None => None,
            Some(StreamTarget::Writer(exporter)) => Some((None, exporter)),
            Some(StreamTarget::Path(path)) => {
                let path = expanded(&path);
                let created = RecordError::format_of(&path)?.create(&path);
                let exporter = created.map_err(|error| RecordError::io(Some(&path), error))?;
                Some((Some(path), exporter))
            }
        };

        let timer = self.clock.start();
        let header = Header {
            wall: timer.wall(),
            process: (std::process::id(), program()),
            events: events.iter().map(|event| event.metadata()).collect(),
            slices,
            most_open: (self.together / BYTES_AN_OPEN).clamp(MOST_OPEN.0, MOST_OPEN.1),
            filter,
        };
        let buffers = Arc::new(Buffers::new(timer, header, limits));
        let batch = match (timer.is_tsc(), self.tasks) {
            (false, false) => probes::<false, false>(&buffers, &events),
            (false, true) => probes::<false, true>(&buffers, &events),
            (true, false) => probes::<true, false>(&buffers, &events),
            (true, true) => probes::<true, true>(&buffers, &events),
        };
        Recording::start(buffers, batch, exporter, dump_on_panic)
    }

    /// The chosen events, but for those of patterns that the condition does not fit, and the
    /// condition.
    #[allow(clippy::type_complexity, reason = "used once")]
    fn filtered(
        &self,
    ) -> Result<(Vec<&'static dyn AnyEvent>, Option<Arc<RecordFilter>>), RecordError> {
        let chosen = self.chosen()?;
        let Some(condition) = self.filter.clone().transpose()? else {
            return Ok((chosen, None));
        };
        let (mut events, mut bound, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for &event in &chosen {
            match condition.bind(event.metadata()) {
                Ok(condition) => {
                    events.push(event);
                    bound.push(condition);
                }
                Err(error) if self.is_explicit(event) => return Err(error.into()),
                Err(error) => left_out.push(error),
            }
        }
        if events.is_empty() {
            // (It fails, and says why.)
            condition.select(chosen)?;
        }
        let filter = RecordFilter {
            condition,
            filter: Filter::new(bound),
            left_out,
        };
        Ok((events, Some(Arc::new(filter))))
    }

    /// Returns whether the event was chosen by itself, or by a slice.
    fn is_explicit(&self, event: &'static dyn AnyEvent) -> bool {
        let mut slices = self.slices.iter();
        self.events.contains(&event)
            || slices.any(|slice| slice.begin == event || slice.end == event)
    }

    /// The events, each once, in the order in which they were chosen.
    fn chosen(&self) -> Result<Vec<&'static dyn AnyEvent>, RecordError> {
        let mut events = self.events.clone();
        events.extend(
            self.slices
                .iter()
                .flat_map(|slice| [slice.begin, slice.end]),
        );
        for pattern in &self.patterns {
            let matching = hotprobe::matching(pattern);
            if matching.is_empty() {
                return Err(RecordError::NothingMatches {
                    pattern: pattern.clone(),
                    events: hotprobe::events().len(),
                });
            }
            events.extend(matching);
        }
        let mut seen = std::collections::HashSet::new();
        events.retain(|event| seen.insert(*event));
        if events.is_empty() {
            return Err(RecordError::NothingChosen);
        }
        Ok(events)
    }

    fn limits(&self, events: &[&'static dyn AnyEvent]) -> Result<Limits, RecordError> {
        let refuse = |reason| Err(RecordError::Limit { reason });
        if self.stream.is_some() && self.overflow == Overflow::OverwriteOldest {
            return refuse(
                "a recording that overwrites the oldest cannot be streamed, since nobody reads it in time: record \
                 without `stream_to`, and call `snapshot` or `dump`, or drop the newest"
                    .to_owned(),
            );
        }
        if events.len() > RecordHeader::MAX_EVENTS {
            return refuse(format!(
                "{} events are more than the {} that one recording can have: choose fewer",
                events.len(),
                RecordHeader::MAX_EVENTS
            ));
        }
        let values = |event: &&dyn AnyEvent| event.metadata().parameters().len();
        let longest_of = |event| encode::longest(values(event), self.cut_at);
        let Some(longest) = events.iter().max_by_key(|event| longest_of(event)) else {
            return Err(RecordError::NothingChosen);
        };
        // Beside the longest record there has to be room for a mark or two.
        let needed = (longest_of(longest) + 8).next_power_of_two();
        let given = self.per_thread / 8;
        let words = if given == 0 { 0 } else { 1 << given.ilog2() };
        if (words as u64) < needed || longest_of(longest) > RecordHeader::MAX_WORDS {
            return refuse(format!(
                "`max_buffer_bytes({})` is too little: a record of `{}` may take {} bytes, texts being cut at {}; give at \
                 least {}, or cut texts earlier",
                self.per_thread,
                longest.name(),
                longest_of(longest) * 8,
                self.cut_at,
                needed * 8
            ));
        }
        let buffers = (self.together / (words * 8)).min(1 << 16);
        if buffers == 0 {
            return refuse(format!(
                "`max_total_bytes({})` leaves no room for one buffer of {} bytes: give more, or a smaller \
                 `max_buffer_bytes`",
                self.together,
                words * 8
            ));
        }
        Ok(Limits {
            is_drained: self.stream.is_some(),
            words,
            buffers,
            overflow: self.overflow,
            longest: longest_of(longest),
            cut_at: self.cut_at,
            threads: (self.together / BYTES_A_THREAD).clamp(MOST_THREADS.0, MOST_THREADS.1),
            rows: (self.together / BYTES_A_ROW).clamp(MOST_ROWS.0, MOST_ROWS.1),
        })
    }
}

impl Slice {
    fn rule(&self, events: &[&'static dyn AnyEvent]) -> Result<SliceRule, RecordError> {
        let refuse = |reason| {
            Err(RecordError::Slice {
                slice: self.name.clone(),
                reason,
            })
        };
        let [begin, end] = [self.begin.metadata(), self.end.metadata()];
        if self.begin == self.end {
            return refuse(format!(
                "`{}` cannot both begin and end it: give two events",
                begin.name()
            ));
        }
        let mut keys = [0; 2];
        for (index, event) in keys.iter_mut().zip([begin, end]) {
            let found = event.parameters().iter().position(|p| p.name() == self.key);
            *index = match found {
                Some(index) if event.parameters()[index].is_redacted() => {
                    return refuse(format!(
                        "`{}` of `{}` is marked `#[redact]`, and cannot pair: give another parameter",
                        self.key,
                        event.name()
                    ));
                }
                Some(index) => index,
                None => {
                    return refuse(format!(
                        "`{}` has no parameter `{}`; it has {}",
                        event.name(),
                        self.key,
                        listed(event)
                    ));
                }
            };
        }
        let types = [
            begin.parameters()[keys[0]].type_name(),
            end.parameters()[keys[1]].type_name(),
        ];
        if types[0] != types[1] {
            return refuse(format!(
                "`{}` is `{}` in `{}`, and `{}` in `{}`: give a parameter that is of one type in both; they have {} and {}",
                self.key,
                types[0],
                begin.name(),
                types[1],
                end.name(),
                listed(begin),
                listed(end)
            ));
        }
        let number = |wanted| {
            events
                .iter()
                .position(|&event| event == wanted)
                .unwrap_or(0)
        };
        Ok(SliceRule {
            name: self.name.clone(),
            begin: (number(self.begin), keys[0]),
            end: (number(self.end), keys[1]),
        })
    }
}

/// A probe for each event, compiled for one clock, for noting tasks or not, and for what the event
/// has.
fn probes<const TSC: bool, const TASKS: bool>(
    buffers: &Arc<Buffers>,
    events: &[&'static dyn AnyEvent],
) -> Batch {
    let mut batch = Batch::new();
    for (index, event) in (0_u32..).zip(events) {
        let buffers = Arc::clone(buffers);
        let options = ProbeOptions::new().name("recording");
        if let Some(filter) = buffers.header.filter.clone() {
            event.attach_in_with(&mut batch, options, move |_, values| {
                if filter.filter.accepts(index as usize, values) {
                    buffers.record::<TSC, TASKS, false>(index, values);
                }
            });
        } else if has_one_text(event.metadata()) {
            event.attach_in_with(&mut batch, options, move |_, values| {
                buffers.record::<TSC, TASKS, true>(index, values);
            });
        } else {
            event.attach_in_with(&mut batch, options, move |_, values| {
                buffers.record::<TSC, TASKS, false>(index, values);
            });
        }
    }
    batch
}

/// Whether an event has one parameter, a text, as far as the name of its type shows.
fn has_one_text(event: &Metadata) -> bool {
    let [parameter] = event.parameters() else {
        return false;
    };
    let name = parameter.type_name();
    !parameter.is_redacted() && name.starts_with('&') && name.ends_with("str")
}

/// An event's parameters, for a message.
fn listed(event: &Metadata) -> String {
    let one = |p: &Parameter| format!("`{}: {}`", p.name(), p.type_name());
    let all: Vec<_> = event.parameters().iter().map(one).collect();
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(", ")
    }
}

/// The program's name, as far as it is known.
fn program() -> String {
    let path = std::env::current_exe().ok();
    let name = path.as_ref().and_then(|path| path.file_stem());
    name.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("patterns", &self.patterns)
            .field("events", &self.events)
            .field("overflow", &self.overflow)
            .finish_non_exhaustive()
    }
}
