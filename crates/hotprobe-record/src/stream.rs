//! A recording that is written while it runs: the thread that empties the buffers.

use crate::capture::buffers::Buffers;
use crate::capture::decode::{Decoded, Decoder};
use crate::capture::probes::Capture;
use crate::capture::ring::Drain;
use crate::capture::tally::{Tally, lost_without_buffer};
use crate::formats::export::{Lost, ThreadInfo};
use crate::formats::file::Exporter;
use hotprobe::__private::discard;
use hotprobe::{SynchronizeError, synchronize, synchronize_timeout};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long it sleeps: the longer, the less there was to do. And how often the file is brought up
/// to date.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(5);
const FLUSH: Duration = Duration::from_millis(200);

/// The handle of the thread.
pub(crate) struct StreamThread {
    thread: JoinHandle<Streamed>,
    end: Arc<StreamEnd>,
}

/// How the thread is told to end.
#[derive(Default)]
struct StreamEnd {
    ended: AtomicBool,
    /// How long it waits for firings in flight; forever if there is none.
    in_flight: OnceLock<Duration>,
}

/// What the thread has written, when it ends.
pub(crate) struct Streamed {
    pub(crate) threads: Vec<ThreadInfo>,
    pub(crate) tally: Tally,
    /// Nanoseconds since the recording started.
    pub(crate) end: u64,
    /// The first error of the file or writer.
    pub(crate) error: Option<io::Error>,
}

impl StreamThread {
    pub(crate) fn start(capture: Arc<Capture>, exporter: Exporter) -> io::Result<Self> {
        let end = Arc::new(StreamEnd::default());
        let seen = Arc::clone(&end);
        let thread = thread::Builder::new()
            .name("recording".to_owned())
            .spawn(move || run(&capture, exporter, &seen))?;
        Ok(Self { thread, end })
    }

    /// Signals the thread that all probes are detached.
    pub(crate) fn end(&self) {
        // Release: pairs with the Acquire in `run`.
        self.end.ended.store(true, Ordering::Release);
        self.thread.thread().unpark();
    }

    /// As [`finish`](Self::finish), but the thread waits for firings in flight no longer than this.
    pub(crate) fn finish_within(self, in_flight: Duration) -> io::Result<Streamed> {
        // (It is set once: this takes the handle.)
        let _ = self.end.in_flight.set(in_flight);
        self.finish()
    }

    /// Waits until it has written the rest.
    ///
    /// # Errors
    /// The thread panicked.
    pub(crate) fn finish(self) -> io::Result<Streamed> {
        self.end();
        self.thread.join().map_err(|payload| {
            discard(payload);
            panicked()
        })
    }
}

fn panicked() -> io::Error {
    io::Error::other("the writer panicked")
}

fn run(capture: &Capture, exporter: Exporter, end: &StreamEnd) -> Streamed {
    let buffers = &capture.buffers;
    let mut drains = Drains {
        buffers,
        rings: Vec::new(),
        next: BinaryHeap::new(),
        beyond: HashMap::new(),
        decoder: Decoder::new(buffers.timer),
    };
    let mut output = Output {
        buffers,
        exporter,
        error: None,
        threads: Vec::new(),
        tally: Tally::default(),
        unflushed: Unflushed::default(),
    };
    output.attempt(|exporter| exporter.header(&buffers.header));
    let mut pause = SHORTEST;
    let mut flushed = Instant::now();
    loop {
        // Acquire: pairs with the Release in `end`.
        if end.ended.load(Ordering::Acquire) {
            break;
        }
        let most = drains.round(&mut output, buffers.timer.ticks());
        // In eighths.
        let full = most * 8 / buffers.limits.words as u64;
        if flushed.elapsed() > FLUSH {
            output.flush();
            flushed = Instant::now();
        }
        if output.error.is_some() {
            // The thread continues, so that the program can finish the recording when it likes, but
            // no firing pays for it.
            capture.detach();
            pause = LONGEST;
        } else {
            match full {
                0 => pause = (2 * pause).min(LONGEST),
                1 => {}
                2..4 => pause = (pause / 2).max(SHORTEST),
                _ => {
                    // It may be about to overflow.
                    pause = SHORTEST;
                    continue;
                }
            }
        }
        thread::park_timeout(pause);
    }
    // All is detached. Firings in flight may still record. (This thread is in no probe.)
    let settled = end.settle();
    let time = buffers.timer.now();
    drains.round(&mut output, u64::MAX);
    if !settled {
        drains.give_up(&mut output);
    }
    drains.rest(&mut output);
    output.count_others();
    output.flush();
    let totals = output.tally.totals();
    output.attempt(|exporter| exporter.finish(time, &totals));
    output.flush();
    let Output {
        error,
        threads,
        tally,
        ..
    } = output;
    Streamed {
        threads,
        tally,
        end: time,
        error,
    }
}

impl StreamEnd {
    /// Waits for the firings in flight. Returns whether all have ended.
    fn settle(&self) -> bool {
        loop {
            let result = match self.in_flight.get() {
                None => synchronize(),
                Some(&in_flight) => synchronize_timeout(in_flight),
            };
            match result {
                Ok(()) => return true,
                Err(SynchronizeError::TimedOut) if self.in_flight.get().is_some() => return false,
                // (This thread is in no probe.)
                Err(_) => thread::yield_now(),
            }
        }
    }
}

/// All buffers, on their way to be empty.
struct Drains<'a> {
    buffers: &'a Buffers,
    /// By the number of the buffer; none of one that is about to be made.
    rings: Vec<Option<Drain<'a>>>,
    /// By time: those that have something. Empty between rounds.
    next: BinaryHeap<Reverse<(u64, usize)>>,
    /// What threads without a buffer lost, as far as it has been told.
    beyond: HashMap<(usize, usize), u64>,
    decoder: Decoder,
}

impl Drains<'_> {
    /// Tells what there is, up to this moment, the earliest first; how many words the fullest
    /// buffer had.
    ///
    /// (Later than a later round's can be only what was in flight at this moment. What is left out
    /// for being too young are a few records, of which there is one copy for each buffer.)
    fn round(&mut self, output: &mut Output<'_>, until: u64) -> u64 {
        let buffers = self.buffers;
        self.rings.resize_with(buffers.made(), || None);
        for (index, place) in self.rings.iter_mut().enumerate() {
            if place.is_none() {
                *place = buffers.ring(index).map(Drain::new);
            }
            if let Some(drain) = place {
                drain.begin();
                if let Some(time) = drain.peek().filter(|&time| time <= until) {
                    self.next.push(Reverse((time, index)));
                }
            }
        }
        while let Some(Reverse((_, index))) = self.next.pop() {
            let Some(drain) = &mut self.rings[index] else {
                continue;
            };
            // As long as no other's is earlier.
            let other = self.next.peek().map(|&Reverse(other)| other);
            loop {
                let (thread, words) = drain.take();
                output.tell(&mut self.decoder, thread, words);
                let Some(time) = drain.peek().filter(|&time| time <= until) else {
                    break;
                };
                if other.is_some_and(|other| other < (time, index)) {
                    self.next.push(Reverse((time, index)));
                    break;
                }
            }
        }
        let read = self.rings.iter().flatten().map(Drain::words_read);
        let most = read.max().unwrap_or(0);
        buffers.take_left().for_each(|lost| output.lost(lost));
        for mut lost in buffers.beyond() {
            let told = self.beyond.entry((lost.thread, lost.event)).or_default();
            let new = lost.count - *told;
            *told = lost.count;
            if new > 0 {
                lost.count = new;
                output.lost(lost);
            }
        }
        most
    }

    /// Counts the firings as lost that are still in flight, in a `Debug` that does not return. What
    /// ends meanwhile is told.
    fn give_up(&mut self, output: &mut Output<'_>) {
        loop {
            let before: Vec<_> = self.buffers.unfinished().collect();
            self.round(output, u64::MAX);
            // A firing that has ended before the round is in it, and one that has not ended after
            // it is not.
            if before.iter().copied().eq(self.buffers.unfinished()) {
                output.know(usize::MAX);
                for lost in before {
                    output.lost(lost);
                }
                return;
            }
        }
    }

    /// What has no mark in any buffer, when nobody writes any more.
    fn rest(&mut self, output: &mut Output<'_>) {
        let buffers = self.buffers;
        for ring in buffers.rings() {
            let around = ring.finished();
            let all = around.before.into_iter().chain(around.after);
            all.chain(around.left).for_each(|lost| output.lost(lost));
        }
        output.know(usize::MAX);
        let mut threads = output.threads.clone();
        let known = threads.len();
        for lost in lost_without_buffer(buffers, &mut threads) {
            // (The others have been told.)
            if lost.thread == known {
                if let Some(info) = threads.pop() {
                    output.introduce(info);
                }
                output.lost(lost);
            }
        }
    }
}

/// Where it goes: the file, and the counts of what it has.
struct Output<'a> {
    buffers: &'a Buffers,
    exporter: Exporter,
    /// The first. Nothing is written after it, and all that comes is lost.
    error: Option<io::Error>,
    /// Those that the exporter knows.
    threads: Vec<ThreadInfo>,
    tally: Tally,
    unflushed: Unflushed,
}

/// Records that may not be in the file yet, counted.
#[derive(Default)]
struct Unflushed {
    /// By thread, and by event; none of threads that have not fired lately.
    counts: Vec<Vec<u64>>,
    /// The threads that have.
    threads: Vec<usize>,
}

impl Unflushed {
    fn add(&mut self, thread: usize, event: usize, events: usize) {
        if let Some(count) = self
            .counts
            .get_mut(thread)
            .and_then(|counts| counts.get_mut(event))
        {
            *count += 1;
            return;
        }
        if thread >= self.counts.len() {
            self.counts.resize_with(thread + 1, Vec::new);
        }
        self.threads.push(thread);
        self.counts[thread] = vec![0; events];
        self.counts[thread][event] = 1;
    }

    fn remove(&mut self, thread: usize, event: usize) {
        let counts = self.counts.get_mut(thread);
        if let Some(count) = counts.and_then(|counts| counts.get_mut(event)) {
            *count = count.saturating_sub(1);
        }
    }

    /// Tells thread, event and count of each; then there are none.
    fn take(&mut self, mut tell: impl FnMut(usize, usize, u64)) {
        for thread in mem::take(&mut self.threads) {
            let counts = mem::take(&mut self.counts[thread]);
            for (event, count) in counts.into_iter().enumerate().filter(|&(_, n)| n > 0) {
                tell(thread, event, count);
            }
        }
    }
}

impl Output<'_> {
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
        if self.error.is_some() {
            self.settle();
        }
        self.error.is_none()
    }

    /// After a failure: counts as written what a reader finds in the file, and the rest as lost.
    fn settle(&mut self) {
        let Self {
            exporter,
            unflushed,
            tally,
            ..
        } = self;
        exporter.unwritten(&mut |thread, event| {
            unflushed.remove(thread, event);
            tally.lost(thread, event, 1);
        });
        unflushed.take(|thread, event, count| tally.written(thread, event, count));
    }

    /// What is in the file now stays there.
    fn flush(&mut self) {
        if self.attempt(|exporter| exporter.flush()) {
            let tally = &mut self.tally;
            self.unflushed
                .take(|thread, event, count| tally.written(thread, event, count));
        }
    }

    fn tell(&mut self, decoder: &mut Decoder, thread: usize, words: &[u64]) {
        self.know(thread);
        let header = &self.buffers.header;
        let values = |event: usize| header.events[event].parameters().len();
        decoder.decode(thread, words, values, |decoded| match decoded {
            Decoded::Lost(lost) => self.lost_by(lost),
            Decoded::Record(record) => {
                if self.error.is_some() {
                    self.tally.lost(thread, record.event, 1);
                    return;
                }
                // (First: if it fails, it is known whether this one is in the file.)
                self.unflushed
                    .add(thread, record.event, header.events.len());
                self.attempt(|exporter| exporter.record(&record));
            }
        });
    }

    /// Losses with the time of the clock.
    fn lost(&mut self, lost: Lost) {
        self.know(lost.thread);
        self.lost_by(lost.in_nanoseconds(&self.buffers.timer));
    }

    fn lost_by(&mut self, lost: Lost) {
        self.tally.lost(lost.thread, lost.event, lost.count);
        self.attempt(|exporter| exporter.lost(&lost));
    }

    /// The exporter has to know a thread before anything of it.
    fn know(&mut self, thread: usize) {
        if thread >= self.threads.len() {
            let (new, _) = self.buffers.threads_from(self.threads.len());
            for info in new {
                self.introduce(info);
            }
        }
    }

    fn introduce(&mut self, info: ThreadInfo) {
        self.attempt(|exporter| exporter.thread(&info));
        self.threads.push(info);
    }

    /// The name of the threads that share a number says how many they are, which is known at the
    /// end.
    fn count_others(&mut self) {
        let Some((others, _)) = self.buffers.others() else {
            return;
        };
        self.attempt(|exporter| exporter.thread(&others));
        if let Some(place) = self.threads.get_mut(others.index) {
            *place = others;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Overflow;
    use crate::capture::buffers::Limits;
    use crate::formats::export::{Export, Header, Record, Total};
    use hotprobe::{Metadata, Parameter, Value};
    use hotprobe_clock::Clock;
    use std::sync::Mutex;
    use std::time::SystemTime;

    /// Which thread each record is of.
    #[derive(Clone, Default)]
    struct ThreadLog(Arc<Mutex<Vec<usize>>>);

    impl Export for ThreadLog {
        fn header(&mut self, _: &Header) -> io::Result<()> {
            Ok(())
        }
        fn thread(&mut self, _: &ThreadInfo) -> io::Result<()> {
            Ok(())
        }
        fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
            self.0.lock().unwrap().push(record.thread);
            Ok(())
        }
        fn lost(&mut self, _: &Lost) -> io::Result<()> {
            Ok(())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
        fn unwritten(&self, _: &mut dyn FnMut(usize, usize)) {}
        fn finish(&mut self, _: u64, _: &[Total]) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_round_leaves_to_the_next_what_was_fired_after_it_began() {
        static NUMBER: Metadata = Metadata::new(
            b"test::NUMBER",
            b"test",
            ("test.rs", 1, 1),
            "",
            &[Parameter::new("n", "u64", false)],
        );
        let header = Header {
            wall: SystemTime::now(),
            process: (0, String::new()),
            events: vec![&NUMBER],
            slices: Vec::new(),
            most_open: 0,
            filter: None,
        };
        let limits = Limits {
            is_drained: true,
            words: 1024,
            buffers: 2,
            overflow: Overflow::DropNewest,
            longest: 8,
            cut_at: 8,
            threads: 8,
            rows: 8,
        };
        let buffers = Arc::new(Buffers::new(Clock::default().start(), header, limits));
        let fire = || buffers.record::<false, false, false>(0, &[Value::U64(7)]);
        let told = ThreadLog::default();
        let mut drains = Drains {
            buffers: &buffers,
            rings: Vec::new(),
            next: BinaryHeap::new(),
            beyond: HashMap::new(),
            decoder: Decoder::new(buffers.timer),
        };
        let mut output = Output {
            buffers: &buffers,
            exporter: Box::new(told.clone()),
            error: None,
            threads: Vec::new(),
            tally: Tally::default(),
            unflushed: Unflushed::default(),
        };
        // Threads 0 and 1 by turns; the round begins after the second record.
        fire();
        let first = thread::scope(|scope| {
            let (go, step) = std::sync::mpsc::sync_channel(0);
            let (done, other) = std::sync::mpsc::channel();
            let fire = &fire;
            scope.spawn(move || {
                for () in step {
                    fire();
                    done.send(()).unwrap();
                }
            });
            let other_fires = || {
                go.send(()).unwrap();
                other.recv().unwrap();
            };
            other_fires();
            let until = loop {
                // (A clock may show the same twice.)
                let now = buffers.timer.ticks_of::<false>();
                if buffers.timer.ticks_of::<false>() > now {
                    break now;
                }
            };
            fire();
            other_fires();
            fire();
            drains.round(&mut output, until);
            let first = told.0.lock().unwrap().clone();
            drains.round(&mut output, u64::MAX);
            first
        });
        assert_eq!(first, [0, 1]);
        assert_eq!(*told.0.lock().unwrap(), [0, 1, 0, 1, 0]);
    }
}
