//! A recording that goes on: its handle, and what happens at its end.

use super::stream::Stream;
use super::{RecordError, Trace};
use crate::capture::buffers::Buffers;
use crate::formats::file::Exporter;
use hotprobe::{Batch, ProbeGroup, SynchronizeError, synchronize, synchronize_timeout};
use std::fmt;
use std::mem;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// A recording that goes on. Made by [`Recorder::start`](super::Recorder::start).
///
/// [`finish`](Self::finish) it to get what it recorded. Dropped, it ends: what it streams is finished and flushed, the rest
/// is gone.
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
    inner: Arc<Inner>,
    stream: Option<Stream>,
}

/// What others may need of it, too: those who stop it, those who dump it.
pub(crate) struct Inner {
    pub(crate) buffers: Arc<Buffers>,
    probes: Mutex<ProbeGroup>,
    /// Only one may copy at a time.
    copying: Mutex<()>,
    dump: Option<Dump>,
}

/// What to do on a panic.
struct Dump {
    path: PathBuf,
    done: AtomicBool,
}

impl Inner {
    /// Nobody begins to record after this.
    pub(crate) fn detach(&self) {
        // Taken out first: what detaching drops is not dropped under the lock.
        let mut probes = mem::take(&mut *lock(&self.probes));
        probes.detach();
    }

    fn copy(&self) -> Trace {
        let _one = lock(&self.copying);
        Trace::copied(Arc::clone(&self.buffers))
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
        let inner = Arc::new(Inner {
            buffers,
            probes: Mutex::default(),
            copying: Mutex::new(()),
            dump: dump.filter(|_| !streamed).map(|path| Dump {
                path,
                done: AtomicBool::new(false),
            }),
        });
        if inner.dump.is_some() {
            on_panic(&inner);
        }
        let stream = exporter
            .map(|(path, exporter)| Stream::start(Arc::clone(&inner), path, exporter))
            .transpose()?;
        *lock(&inner.probes) = batch.commit();
        Ok(Self { inner, stream })
    }

    /// Ends the recording: detaches from all events at one instant, waits for the firings that are in flight, and returns
    /// what was recorded. No record is lost after this point.
    ///
    /// Blocks the thread, as [`synchronize`](hotprobe::synchronize) does; of a streamed recording also until the rest is written.
    ///
    /// # Errors
    /// [`InProbe`](RecordError::InProbe) inside a probe, a `pinned` scope or a captured `Drop`: the recording goes on, and is in
    /// the error. [`Stream`](RecordError::Stream): the first error of the file that was streamed to, and the counts.
    /// [`Forked`](RecordError::Forked).
    pub fn finish(mut self) -> Result<Trace, RecordError> {
        if !self.inner.buffers.is_of_this_process() {
            return Err(RecordError::Forked);
        }
        // Not to wait, but to know whether one could.
        if synchronize_timeout(Duration::ZERO) == Err(SynchronizeError::InProbe) {
            return Err(RecordError::InProbe(Box::new(self)));
        }
        self.inner.detach();
        if let Some(stream) = self.stream.take() {
            return stream.finish();
        }
        if synchronize().is_err() {
            return Err(RecordError::InProbe(Box::new(self)));
        }
        let buffers = Arc::clone(&self.inner.buffers);
        let end = buffers.clock.now();
        Ok(Trace::finished(buffers, end))
    }

    /// What is in the buffers now; the recording goes on. Of a flight recorder, which
    /// [overwrites the oldest](super::Overflow::OverwriteOldest), these are the last seconds.
    ///
    /// Copies the buffers, one after the other. A thread that fires while its own is being copied, and that is full, loses
    /// that, which is counted. Works anywhere, inside a probe too.
    ///
    /// # Errors
    /// [`Streamed`](RecordError::Streamed): the records are in the file. [`Forked`](RecordError::Forked).
    ///
    /// ```
    /// use hotprobe_record::{Overflow, Recorder};
    /// hotprobe::event! { static ITEM: fn(n: u64); }
    ///
    /// let recording = Recorder::new()
    ///     .event(&ITEM)
    ///     .overflow(Overflow::OverwriteOldest)
    ///     .buffer_per_thread(8 << 10)
    ///     .start()?;
    /// (0..1_000_000).for_each(|n| ITEM.fire(n));
    /// let last = recording.snapshot()?.records().last().unwrap();
    /// assert_eq!(format!("{:?}", last.values()), "[U64(999999)]");
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    pub fn snapshot(&self) -> Result<Trace, RecordError> {
        if !self.inner.buffers.is_of_this_process() {
            return Err(RecordError::Forked);
        }
        if self.stream.is_some() {
            return Err(RecordError::Streamed);
        }
        Ok(self.inner.copy())
    }

    /// Saves a [`snapshot`](Self::snapshot), in the format that the path's ending tells.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot), and [`Trace::save`].
    ///
    /// ```no_run
    /// # fn example(recording: &hotprobe_record::Recording) -> Result<(), hotprobe_record::RecordError> {
    /// recording.dump("last-seconds.pftrace")?;
    /// # Ok(()) }
    /// ```
    pub fn dump(&self, path: impl AsRef<Path>) -> Result<(), RecordError> {
        self.snapshot()?.save(path)
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.inner.detach();
        let Some(stream) = self.stream.take() else {
            return;
        };
        // Inside a probe it can only be told to end; it does so when the probe has.
        let inside = synchronize_timeout(Duration::ZERO) == Err(SynchronizeError::InProbe);
        if inside || !self.inner.buffers.is_of_this_process() {
            stream.end();
        } else {
            drop(stream.finish());
        }
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("events", &self.inner.buffers.header.events.len())
            .field("is_streamed", &self.stream.is_some())
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The recordings to be dumped on a panic.
static ON_PANIC: Mutex<Vec<Weak<Inner>>> = Mutex::new(Vec::new());

/// Adds it to those; the hook is put in once.
fn on_panic(inner: &Arc<Inner>) {
    static HOOKED: AtomicBool = AtomicBool::new(false);
    {
        let mut list = lock(&ON_PANIC);
        list.retain(|inner| inner.strong_count() > 0);
        list.push(Arc::downgrade(inner));
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
    // (If this thread panics while it holds the lock, or another one copies, it is not waited for.)
    let list: Vec<_> = match ON_PANIC.try_lock() {
        Ok(list) => list.iter().filter_map(Weak::upgrade).collect(),
        Err(_) => return,
    };
    for inner in list {
        let Some(dump) = &inner.dump else { continue };
        if dump.done.swap(true, Ordering::Relaxed) || !inner.buffers.is_of_this_process() {
            continue;
        }
        let Ok(one) = inner.copying.try_lock() else {
            continue;
        };
        let trace = Trace::copied(Arc::clone(&inner.buffers));
        drop(one);
        match trace.save(&dump.path) {
            Ok(()) => eprintln!("recording saved to {}", dump.path.display()),
            Err(error) => eprintln!("recording not saved: {error}"),
        }
    }
}

static_assertions::assert_impl_all!(Recording: Send, Sync);
