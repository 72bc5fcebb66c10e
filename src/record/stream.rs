//! A recording that is written while it goes on: the thread that empties the buffers.

use super::buffers::Buffers;
use super::encode::{Decoded, Decoder};
use super::export::{Lost, ThreadInfo};
use super::file::Exporter;
use super::recording::Inner;
use super::trace::{Tally, lost_without_buffer};
use super::{RecordError, Trace};
use crate::probe::discard;
use crate::synchronize;
use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long it sleeps when there was little to do, and how often the file is brought up to date.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(10);
const FLUSH: Duration = Duration::from_millis(200);

/// The thread, seen from outside.
pub(crate) struct Stream {
    thread: JoinHandle<Result<Trace, RecordError>>,
    end: Arc<AtomicBool>,
}

impl Stream {
    pub(crate) fn start(
        inner: Arc<Inner>,
        path: Option<PathBuf>,
        exporter: Exporter,
    ) -> Result<Self, RecordError> {
        let end = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&end);
        let thread = thread::Builder::new()
            .name("recording".to_owned())
            .spawn(move || run(&inner, path.as_deref(), exporter, &told))
            .map_err(|error| RecordError::io(None, error))?;
        Ok(Self { thread, end })
    }

    /// Tells it that all is detached.
    pub(crate) fn end(&self) {
        // Release: pairs with the Acquire in `run`.
        self.end.store(true, Ordering::Release);
        self.thread.thread().unpark();
    }

    /// Waits until it has written the rest.
    pub(crate) fn finish(self) -> Result<Trace, RecordError> {
        self.end();
        self.thread.join().unwrap_or_else(|payload| {
            discard(payload);
            Err(RecordError::io(None, panicked()))
        })
    }
}

fn panicked() -> io::Error {
    io::Error::other("it panicked")
}

fn run(
    inner: &Inner,
    path: Option<&Path>,
    exporter: Exporter,
    end: &AtomicBool,
) -> Result<Trace, RecordError> {
    let buffers = &inner.buffers;
    let mut writer = Writer {
        buffers,
        exporter,
        error: None,
        threads: Vec::new(),
        tally: Tally::default(),
        beyond: HashMap::new(),
        decoder: Decoder::default(),
        scratch: Vec::new(),
    };
    writer.attempt(|exporter| exporter.header(&buffers.header));
    let mut pause = SHORTEST;
    let mut flushed = Instant::now();
    loop {
        // Acquire: pairs with the Release in `end`.
        if end.load(Ordering::Acquire) {
            break;
        }
        let busy = writer.drain() > buffers.limits.words as u64 / 8;
        if flushed.elapsed() > FLUSH {
            writer.attempt(|exporter| exporter.flush());
            flushed = Instant::now();
        }
        if writer.error.is_some() {
            // It goes on, so that the program can end it when it likes; but nobody pays for it any more.
            inner.detach();
            pause = LONGEST;
        } else if busy {
            pause = SHORTEST;
            continue;
        }
        thread::park_timeout(pause);
        pause = (2 * pause).min(LONGEST);
    }
    // All is detached. Firings in flight may still record. (This thread is in no probe.)
    while synchronize().is_err() {
        thread::yield_now();
    }
    let time = buffers.clock.now();
    writer.drain();
    writer.rest();
    let totals = writer.tally.totals();
    writer.attempt(|exporter| exporter.finish(time, &totals));
    writer.attempt(|exporter| exporter.flush());
    match writer.error {
        Some(error) => Err(RecordError::io(path, error)),
        None => Ok(Trace::streamed(
            Arc::clone(buffers),
            writer.threads,
            &writer.tally,
            time,
        )),
    }
}

struct Writer<'a> {
    buffers: &'a Buffers,
    exporter: Exporter,
    /// The first. Nothing is written after it.
    error: Option<io::Error>,
    /// Those that the exporter knows.
    threads: Vec<ThreadInfo>,
    tally: Tally,
    /// What threads without a buffer lost, as far as it has been told.
    beyond: HashMap<(usize, usize), u64>,
    decoder: Decoder,
    scratch: Vec<u64>,
}

impl Writer<'_> {
    /// Whether it could be written. A user's writer may panic.
    fn attempt(&mut self, write: impl FnOnce(&mut Exporter) -> io::Result<()>) -> bool {
        if self.error.is_some() {
            return false;
        }
        let result = catch_unwind(AssertUnwindSafe(|| write(&mut self.exporter)));
        self.error = match result {
            Ok(result) => result.err(),
            Err(payload) => {
                discard(payload);
                Some(panicked())
            }
        };
        self.error.is_none()
    }

    /// Writes what there is; how many words the fullest buffer had.
    fn drain(&mut self) -> u64 {
        let mut most = 0;
        let buffers = self.buffers;
        for ring in buffers.rings() {
            let mut scratch = std::mem::take(&mut self.scratch);
            let read = ring.drain(&mut scratch, |thread, words| self.tell(thread, words));
            most = most.max(read);
            self.scratch = scratch;
            for lost in ring.take_left() {
                self.lost(lost);
            }
        }
        for mut lost in buffers.beyond() {
            let told = self.beyond.entry((lost.thread, lost.event)).or_default();
            let new = lost.count - *told;
            *told = lost.count;
            if new > 0 {
                lost.count = new;
                self.lost(lost);
            }
        }
        most
    }

    /// What has no mark in any buffer, when nobody writes any more.
    fn rest(&mut self) {
        let buffers = self.buffers;
        for ring in buffers.rings() {
            let around = ring.finished();
            for lost in around
                .before
                .into_iter()
                .chain(around.after)
                .chain(around.left)
            {
                self.lost(lost);
            }
        }
        self.know(usize::MAX);
        let mut threads = self.threads.clone();
        let known = threads.len();
        for lost in lost_without_buffer(buffers, &mut threads) {
            // (The others have been told.)
            if lost.thread == known {
                if let Some(info) = threads.pop() {
                    self.attempt(|exporter| exporter.thread(&info));
                    self.threads.push(info);
                }
                self.lost(lost);
            }
        }
    }

    fn tell(&mut self, thread: usize, words: &[u64]) {
        self.know(thread);
        let mut decoder = std::mem::take(&mut self.decoder);
        let header = &self.buffers.header;
        let values = |event: usize| header.events[event].parameters().len();
        decoder.decode(thread, words, values, |decoded| match decoded {
            Decoded::Lost(lost) => self.lost(lost),
            Decoded::Record(record) => {
                if self.attempt(|exporter| exporter.record(&record)) {
                    self.tally.written(thread, record.event, 1);
                }
            }
        });
        self.decoder = decoder;
    }

    fn lost(&mut self, lost: Lost) {
        self.know(lost.thread);
        self.tally.lost(&lost);
        self.attempt(|exporter| exporter.lost(&lost));
    }

    /// The exporter has to know a thread before its first record.
    fn know(&mut self, thread: usize) {
        if thread >= self.threads.len() {
            for info in self.buffers.threads_from(self.threads.len()) {
                self.attempt(|exporter| exporter.thread(&info));
                self.threads.push(info);
            }
        }
    }
}
