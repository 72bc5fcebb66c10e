//! A running recording: its handle, and what happens at its end.

use super::stream::StreamThread;
use super::{RecordError, Trace};
use crate::capture::buffers::Buffers;
use crate::capture::probes::Capture;
use crate::formats::file::Exporter;
use hotprobe::{Batch, SynchronizeError, synchronize, synchronize_timeout};
use hotprobe_filter::BindError;
use std::fmt;
use std::mem;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// A running recording. Returned by [`Recorder::start`](super::Recorder::start).
///
/// [`finish`](Self::finish) ends it and returns what was recorded. Dropping it also ends it, and
/// discards the records. If they are streamed, the drop blocks the thread until the file is
/// complete and flushed, except inside a probe, where it does not wait.
///
/// ```
/// use hotprobe::fire;
/// hotprobe::event! { static TICK: fn(); }
///
/// let recording = hotprobe_record::Recorder::new().event(&TICK).start()?;
/// fire!(TICK);
/// let trace = recording.finish()?;
/// fire!(TICK);
/// assert_eq!(trace.records().count(), 1);
/// # Ok::<(), hotprobe_record::RecordError>(())
/// ```
#[must_use = "a dropped `Recording` ends at once (`let _ = …` drops it at once, too): bind it to a name, and `finish` it"]
pub struct Recording {
    state: Arc<RecordingState>,
    streaming: Option<Streaming>,
}

/// What the panic hook needs of a recording, too.
struct RecordingState {
    capture: Arc<Capture>,
    dump: Option<Dump>,
}

/// What to do on a panic.
struct Dump {
    path: PathBuf,
    done: AtomicBool,
}

/// The thread that writes a streamed recording, and its file, if it is one.
struct Streaming {
    path: Option<PathBuf>,
    thread: StreamThread,
}

impl Streaming {
    /// Waits until the rest is written.
    fn finish(
        self,
        buffers: &Arc<Buffers>,
        in_flight: Option<Duration>,
    ) -> Result<Trace, RecordError> {
        let streamed = match in_flight {
            None => self.thread.finish(),
            Some(in_flight) => self.thread.finish_within(in_flight),
        };
        let streamed = streamed.map_err(|error| RecordError::io(None, error))?;
        let buffers = Arc::clone(buffers);
        let trace = Trace::streamed(buffers, streamed.threads, &streamed.tally, streamed.end);
        match streamed.error {
            None => Ok(trace),
            Some(source) => Err(RecordError::Stream {
                path: self.path,
                source,
                trace: Box::new(trace),
            }),
        }
    }
}

impl Recording {
    pub(crate) fn start(
        buffers: Arc<Buffers>,
        batch: Batch,
        exporter: Option<(Option<PathBuf>, Exporter)>,
        dump: Option<PathBuf>,
    ) -> Result<Self, RecordError> {
        let streamed = exporter.is_some();
        let capture = Arc::new(Capture::new(buffers));
        let state = Arc::new(RecordingState {
            capture: Arc::clone(&capture),
            dump: dump.filter(|_| !streamed).map(|path| Dump {
                path,
                done: AtomicBool::new(false),
            }),
        });
        if state.dump.is_some() {
            on_panic(&state);
        }
        let streaming = match exporter {
            None => None,
            Some((path, exporter)) => {
                let thread = StreamThread::start(Arc::clone(&capture), exporter);
                let thread = thread.map_err(|source| RecordError::Thread { source })?;
                Some(Streaming { path, thread })
            }
        };
        capture.attach(batch);
        Ok(Self { state, streaming })
    }

    fn buffers(&self) -> &Arc<Buffers> {
        &self.state.capture.buffers
    }

    /// Ends the recording: detaches from all events at one instant, waits for the firings that are
    /// in flight, and returns what was recorded. No record is lost after this point.
    ///
    /// It blocks the thread, as [`synchronize`](hotprobe::synchronize) does, and for a streamed
    /// recording also until the rest is written.
    ///
    /// # Errors
    /// [`InProbe`](RecordError::InProbe) inside a probe, a `pinned` scope or a captured `Drop`: the
    /// recording still runs, and is in the error. [`Stream`](RecordError::Stream): the first error
    /// of the file that was streamed to, and the counts. [`Forked`](RecordError::Forked).
    pub fn finish(self) -> Result<Trace, RecordError> {
        self.finish_in(None)
    }

    /// Does the same as [`finish`](Self::finish), but waits at most `in_flight` for firings in
    /// flight, such as one in a `Debug` that blocks. Such a firing is counted as lost, in the trace
    /// or in what was streamed to.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    ///
    /// ```
    /// # use hotprobe_record::Recorder;
    /// # use std::time::Duration;
    /// # hotprobe::event! { static TICK: fn(); }
    /// let recording = Recorder::new().event(&TICK).start()?;
    /// TICK.fire();
    /// let trace = recording.finish_within(Duration::from_secs(1))?;
    /// assert_eq!(trace.records().count(), 1);
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn finish_within(self, in_flight: Duration) -> Result<Trace, RecordError> {
        self.finish_in(Some(in_flight))
    }

    /// Returns why events of patterns were left out: the condition does not fit them. Each error
    /// has the event's name.
    ///
    /// ```
    /// # mod kiosk {
    /// #     hotprobe::event! { pub static SOLD: fn(price: u64); pub static CLOSED: fn(); }
    /// # }
    /// # kiosk::SOLD.fire(1); kiosk::CLOSED.fire();
    /// use hotprobe_record::Recorder;
    ///
    /// let recording = Recorder::new().matching("*::kiosk::*").filter("price > 1k").start()?;
    /// assert!(recording.left_out()[0].event().ends_with("::CLOSED"));
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    #[must_use]
    pub fn left_out(&self) -> &[BindError] {
        let filter = self.buffers().header.filter.as_ref();
        filter.map_or(&[], |filter| &filter.left_out)
    }

    /// Detaches from all events at one instant, without waiting. Later firings are not recorded;
    /// [`finish`](Self::finish) returns the earlier ones.
    ///
    /// ```
    /// # use hotprobe_record::Recorder;
    /// # hotprobe::event! { static TICK: fn(); }
    /// let recording = Recorder::new().event(&TICK).start()?;
    /// recording.detach();
    /// TICK.fire();
    /// assert_eq!(recording.finish()?.records().count(), 0);
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn detach(&self) {
        self.state.capture.detach();
    }

    fn finish_in(mut self, in_flight: Option<Duration>) -> Result<Trace, RecordError> {
        if !self.buffers().is_of_this_process() {
            return Err(RecordError::Forked);
        }
        // Not to wait, but to know whether one could.
        if synchronize_timeout(Duration::ZERO) == Err(SynchronizeError::InProbe) {
            return Err(RecordError::in_probe(self));
        }
        self.state.capture.detach();
        if let Some(streaming) = self.streaming.take() {
            return streaming.finish(self.buffers(), in_flight);
        }
        let settled = in_flight.map_or_else(synchronize, synchronize_timeout);
        let buffers = Arc::clone(self.buffers());
        match settled {
            Ok(()) => {}
            Err(SynchronizeError::TimedOut) if in_flight.is_some() => {
                return Ok(Trace::given_up(&buffers));
            }
            Err(_) => return Err(RecordError::in_probe(self)),
        }
        let end = buffers.timer.now();
        Ok(Trace::finished(buffers, end))
    }

    /// Returns a copy of the buffers; the recording continues. For a flight recorder, which
    /// [overwrites the oldest](super::Overflow::OverwriteOldest) records, these are the last
    /// seconds.
    ///
    /// Buffers are copied one after the other. While a thread's buffer is being copied and is full,
    /// the thread loses its firings, which are counted; so does a thread for which only that buffer
    /// would be free. It works anywhere: inside a probe, and inside another `snapshot` whose
    /// allocator fires events.
    ///
    /// # Errors
    /// [`Streamed`](RecordError::Streamed): the records are in the file.
    /// [`Forked`](RecordError::Forked).
    ///
    /// ```
    /// use hotprobe_record::{Overflow, Recorder};
    /// hotprobe::event! { static ITEM: fn(n: u64); }
    ///
    /// let recording = Recorder::new()
    ///     .event(&ITEM)
    ///     .overflow(Overflow::OverwriteOldest)
    ///     .max_buffer_bytes(8 << 10)
    ///     .start()?;
    /// (0..1_000_000).for_each(|n| ITEM.fire(n));
    /// let last = recording.snapshot()?.records().last().unwrap();
    /// assert_eq!(format!("{:?}", last.values()), "[U64(999999)]");
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn snapshot(&self) -> Result<Trace, RecordError> {
        if !self.buffers().is_of_this_process() {
            return Err(RecordError::Forked);
        }
        if self.streaming.is_some() {
            return Err(RecordError::Streamed);
        }
        Ok(Trace::copied(Arc::clone(self.buffers())))
    }

    /// Saves a [`snapshot`](Self::snapshot) to a file, whose extension determines the format.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot), and [`Trace::save`].
    ///
    /// ```no_run
    /// # use hotprobe_record::{RecordError, Recording};
    /// # fn example(recording: &Recording) -> Result<(), RecordError> {
    /// recording.dump("last-seconds.pftrace")?;
    /// # Ok(()) }
    /// ```
    pub fn dump(&self, path: impl AsRef<Path>) -> Result<(), RecordError> {
        self.snapshot()?.save(path)
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.state.capture.detach();
        let Some(streaming) = self.streaming.take() else {
            return;
        };
        // Inside a probe it can only be told to end; it does so when the probe has.
        let inside = synchronize_timeout(Duration::ZERO) == Err(SynchronizeError::InProbe);
        if inside || !self.buffers().is_of_this_process() {
            streaming.thread.end();
        } else {
            drop(streaming.thread.finish());
        }
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("events", &self.buffers().header.events.len())
            .field("is_streamed", &self.streaming.is_some())
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The recordings to be dumped on a panic.
static ON_PANIC: Mutex<Vec<Weak<RecordingState>>> = Mutex::new(Vec::new());

/// Adds it to those; the hook is put in once.
fn on_panic(state: &Arc<RecordingState>) {
    static HOOKED: AtomicBool = AtomicBool::new(false);
    // Nothing is allocated or freed under the lock: an allocator may fire an event whose probe
    // starts a recording.
    let mut bigger: Vec<Weak<RecordingState>> = Vec::new();
    let mut gone = Vec::new();
    loop {
        let mut list = lock(&ON_PANIC);
        if list.len() < list.capacity() {
            list.push(Arc::downgrade(state));
            break;
        }
        if bigger.capacity() > list.len() && gone.capacity() >= list.len() {
            for state in list.drain(..) {
                let to = if state.strong_count() > 0 {
                    &mut bigger
                } else {
                    &mut gone
                };
                to.push(state);
            }
            mem::swap(&mut bigger, &mut list);
            continue;
        }
        let wanted = 2 * list.len() + 4;
        drop(list);
        bigger = Vec::with_capacity(wanted);
        gone = Vec::with_capacity(wanted);
    }
    if !HOOKED.swap(true, Ordering::Relaxed) {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            before(info);
            dump_all();
        }));
    }
}

fn dump_all() {
    // (If this thread panics while it holds the lock, it does not wait for itself.)
    let list: Vec<_> = match ON_PANIC.try_lock() {
        Ok(list) => list.iter().filter_map(Weak::upgrade).collect(),
        Err(_) => return,
    };
    for state in list {
        let Some(dump) = &state.dump else { continue };
        if dump.done.swap(true, Ordering::Relaxed) || !state.capture.buffers.is_of_this_process() {
            continue;
        }
        let trace = Trace::copied(Arc::clone(&state.capture.buffers));
        match trace.save(&dump.path) {
            Ok(()) => eprintln!("recording saved to {}", dump.path.display()),
            Err(error) => eprintln!("recording not saved: {}", error.in_full()),
        }
    }
}

static_assertions::assert_impl_all!(Recording: Send, Sync);
