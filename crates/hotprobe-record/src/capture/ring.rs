//! The ring of one buffer: a ring of words that its thread writes without a lock.
//!
//! A record is some words; the first tells what it is and how long. Positions count words and never
//! go back: the words between `tail` and `head` are records. The words are atomics, so that no
//! `unsafe` is needed and a read that overlaps a write is no more than a wrong word, which is found
//! out before anybody uses it.
//!
//! **Drop newest.** The writer moves `head`, a reader moves `tail`: an ordinary queue of one writer
//! and one reader.
//!
//! **Overwrite oldest.** The writer moves both. A reader ([`Ring::copy`]) compares `sequence`
//! before and after it copies: it is odd while the writer moves `tail`, and grows with each move.
//! If it has changed, the reader tries again. `held` makes sure that this ends: while it is not 0,
//! the writer does not move `tail`, and what it has no room for is lost. Several readers may copy
//! at once.
//!
//! **Allocation.** A global allocator may fire events, into this ring too. So nothing is allocated
//! while `left` is locked, nor in a sequence, nor while a record is being written: `hand_over`
//! makes room beforehand for all that a thread may leave, and a reader makes room before it locks.
//!
//! **The window.** A reader that keeps up leaves a ring that is empty again and again. For that the
//! writer then uses the first words of the ring only (`window` of them), which stay in the cache:
//! where it leaves the window, it looks whether the reader has read most of it; then it puts a
//! `SKIP` there, a record as long as the rest of the ring, in which nothing is written, and
//! continues at the front. If the front is used up before the reader has passed the skip, another
//! skip goes from there to the words behind the first one, which are free: a ring takes as much as
//! without a window, less a word for each of the two.
//!
//! What is lost is counted by event, at first beside the ring ([`Losses`]); with the next record
//! that finds room a mark with the number goes before it, so that it stands where something is
//! missing.
//!
//! # Orderings
//!
//! One thread writes; one at a time reads. Handing a ring to another thread is ordered by a lock.
//! Each row names the model in `tests/loom/ring.rs` that fails when the ordering is weakened;
//! `tests/loom/mutants/` has the patches that weaken them.
//!
//! | where | access | orders | partner | model |
//! |---|---|---|---|---|
//! | `commit`, `mark`, `hand_over`: `head` | store, `Release` | a record's words before it can be found | the Acquire loads of `head` in `begin` and `try_copy` | `commit`: `what_is_drained_is_whole_and_losses_stand_where_they_were` |
//! | `begin`, `try_copy`, `range`: `head` | load, `Acquire` | the words up to it | those stores | |
//! | `peek`: `tail` | store, `Release` | the reading of words, before the writer may overwrite them | the Acquire loads in `room` and `free` | `what_is_drained_is_whole_and_losses_stand_where_they_were` |
//! | `room`, `free`: `tail` | load, `Acquire` | as above | that store | |
//! | `sequenced`: fence | fence, `Release` | the change of the sequence, before each word written after it | the fence in `try_copy` | `a_copy_is_of_one_moment` |
//! | `sequenced`: its end | store, `Release` | what was changed in it | the Acquire load in `try_copy` | |
//! | `try_copy`: `sequence`, at first | load, `Acquire` | as above | that store | |
//! | `try_copy`: fence, and `sequence` again | fence, `Acquire`; load, `Relaxed` | a reader that has read a later word finds the sequence changed | the fence in `sequenced` | `a_copy_is_of_one_moment` |
//! | `held` | `Relaxed` | nothing: seen too late, it costs the reader another try | | |
//! | `Losses::add`: `len` | store, `Release` | a loss's time and count before it can be found | the Acquire load in `Losses::all` | |
//! | words, `limit`, `thread`, `tail_thread`, losses | `Relaxed` | nothing: the accesses above order them | | |
//!
//! Where the last column is empty, no bug of that kind is planted. The planted bugs:
//!
//! | patch | model that fails |
//! |---|---|
//! | `ring_front_written_before_it_is_read` | `ring::a_window_keeps_what_is_not_read_yet` |
//! | `ring_skip_while_much_is_not_read` | `ring::a_window_keeps_what_is_not_read_yet` |
//! | `ring_copy_does_not_look_again` | `ring::a_copy_is_of_one_moment` |
//! | `ring_no_fence_after_copying` | `ring::a_copy_is_of_one_moment` |
//! | `ring_no_fence_before_overwriting` | `ring::a_copy_is_of_one_moment` |
//! | `ring_record_published_relaxed` | `ring::what_is_drained_is_whole_and_losses_stand_where_they_were` |
//! | `ring_room_told_before_it_is_read` | `ring::what_is_drained_is_whole_and_losses_stand_where_they_were` |
//!
//! Litmus tests, in `ci/rc11/record.litmus`, allow load buffering, which the models cannot explore
//! (`docs::orderings` of the core explains them):
//!
//! <!-- ci/rc11.sh --write: begin -->
//! | access | weakened to | litmus test that fails |
//! |---|---|---|
//! | `commit`, `head`: store | `Relaxed` | `drop_newest` |
//! | `mark`, `head`: store | `Relaxed` | `drop_newest_with_a_mark` |
//! | `hand_over`, `head`: store | `Relaxed` | `drop_newest_with_a_new_writer` |
//! | `Drain::begin`, `head`: load | `Relaxed` | `drop_newest` |
//! | `Drain::peek`, `tail`: store | `Relaxed` | `drop_newest`, by load buffering |
//! | `room`, `tail`: load | `Relaxed` | `drop_newest`, by load buffering |
//! | `free`, `tail`: load | `Relaxed` | none: `hand_over` and each record look again, in `room`, before a word is written |
//! | `sequenced`: fence | none | `overwrite_oldest` |
//! | `sequenced`, its end: store | `Relaxed` | `overwrite_oldest` |
//! | `try_copy`, `sequence`, at first: load | `Relaxed` | `overwrite_oldest` |
//! | `try_copy`, `head`: load | `Relaxed` | `overwrite_oldest` |
//! | `try_copy`: fence | none | `overwrite_oldest` |
//! | `range`, `head`: load | `Relaxed` | none: nobody writes any more, and a reader that knows this has synchronized with the writers |
//! | `Losses::add`, `len`: store | `Relaxed` | `a_loss_while_a_reader_copies` |
//! | `Losses::all`, `len`: load | `Relaxed` | `a_loss_while_a_reader_copies` |
//! | `record_texts`, `ENCODING`: store | `Relaxed` | none: its readers load again |
//! | `record_texts`, its end: store | `Relaxed` | `a_debug_that_is_still_running` |
//! | `unfinished`: load | `Relaxed` | `a_debug_that_is_still_running` |
//! | `StreamThread::end`, `ended`: store | `Relaxed` | `what_is_recorded_is_streamed_at_the_end` |
//! | `stream::run`, `ended`: load | `Relaxed` | `what_is_recorded_is_streamed_at_the_end` |
//! <!-- ci/rc11.sh --write: end -->
//!
//! Elsewhere in the crate, `stream.rs` signals the end to its thread by a Release store and an
//! Acquire load. Numbers of recordings, losses of threads without a buffer (read after the last
//! firing), and which panic dumps first are `Relaxed`.

use crate::formats::export::Lost;
use crate::overflow::Overflow;
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering, fence, model_only, plain, spinning};
use crossbeam_utils::CachePadded;
use std::mem;
use std::sync::PoisonError;

/// The first word of a record: 4 bits what it is, 20 how many words it has, 16 the event, 24 for
/// what comes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader(u64);

impl RecordHeader {
    /// A firing: this, its time, and what the writer put behind that.
    pub(crate) const RECORD: u64 = 0;
    /// The same, with a task.
    pub(crate) const RECORD_IN_TASK: u64 = 1;
    /// Losses: this, the time of the first, how many.
    pub(crate) const LOST: u64 = 2;
    /// From here on another thread writes: this, its number.
    pub(crate) const THREAD: u64 = 3;
    /// Nothing: the next record is behind this one's words, of which only the first is written.
    pub(crate) const SKIP: u64 = 4;

    /// The most that a record can have.
    pub(crate) const MAX_WORDS: u64 = (1 << 20) - 1;
    pub(crate) const MAX_EVENTS: usize = 1 << 16;

    pub(crate) const fn new(kind: u64, words: u64, event: u32, extra: u64) -> Self {
        Self(kind | words << 4 | (event as u64) << 24 | extra << 40)
    }

    pub(crate) const fn from_word(word: u64) -> Self {
        Self(word)
    }

    pub(crate) const fn kind(self) -> u64 {
        self.0 & 0xf
    }

    pub(crate) const fn words(self) -> u64 {
        self.0 >> 4 & Self::MAX_WORDS
    }

    pub(crate) const fn event(self) -> u32 {
        (self.0 >> 24 & 0xffff) as u32
    }

    pub(crate) const fn extra(self) -> u64 {
        self.0 >> 40
    }
}

const LOST_WORDS: u64 = 3;
const THREAD_WORDS: u64 = 2;

/// Losses that have no mark yet, by event. One thread writes them, so that nothing is added
/// atomically.
struct Losses {
    rows: Box<[Row]>,
    /// The events that have any, in the order of their first.
    which: Box<[plain::AtomicU64]>,
    len: AtomicU64,
}

struct Row {
    count: AtomicU64,
    /// Of the first.
    time: plain::AtomicU64,
}

impl Losses {
    fn new(events: usize) -> Self {
        let row = |_| Row {
            count: AtomicU64::new(0),
            time: plain::AtomicU64::new(0),
        };
        Self {
            rows: (0..events).map(row).collect(),
            which: (0..events).map(|_| plain::AtomicU64::new(0)).collect(),
            len: AtomicU64::new(0),
        }
    }

    /// Relaxed, here and below unless noted: one thread writes; the others check `sequence`, or
    /// come after it.
    fn len(&self) -> usize {
        usize::try_from(self.len.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    fn add(&self, event: u32, time: u64, count: u64) {
        let row = &self.rows[event as usize];
        let before = row.count.load(Ordering::Relaxed);
        row.count.store(before + count, Ordering::Relaxed);
        if before == 0 {
            let len = self.len();
            row.time.store(time, Ordering::Relaxed);
            self.which[len].store(event.into(), Ordering::Relaxed);
            // Release: pairs with the Acquire in `all`: who finds the row finds its count. (Losses
            // while a reader copies are added outside a sequence.)
            self.len.store(len as u64 + 1, Ordering::Release);
        }
    }

    /// The losses, the latest begun first; then there are none.
    fn pop(&self, thread: usize) -> Option<Lost> {
        let index = self.len().checked_sub(1)?;
        let lost = self.get(index, thread);
        self.rows[lost.event].count.store(0, Ordering::Relaxed);
        self.len.store(index as u64, Ordering::Relaxed);
        Some(lost)
    }

    fn get(&self, index: usize, thread: usize) -> Lost {
        let event = self.which[index].load(Ordering::Relaxed);
        let event = usize::try_from(event).unwrap_or(usize::MAX);
        let row = &self.rows[event];
        Lost {
            time: row.time.load(Ordering::Relaxed),
            thread,
            event,
            count: row.count.load(Ordering::Relaxed),
        }
    }

    fn all(&self, thread: usize) -> impl Iterator<Item = Lost> {
        // (A reader that overlaps the writer may see anything here; it finds that out later.)
        // Acquire: pairs with the Release in `add`.
        let len = index(self.len.load(Ordering::Acquire)).min(self.which.len());
        (0..len).map(move |index| self.get(index, thread))
    }
}

/// The ring. Its methods document which are the writing thread's, and which a reader's.
pub(crate) struct Ring {
    words: Box<[AtomicU64]>,
    overflow: Overflow,
    /// What the longest record takes: with less room than that, no mark is put in.
    longest: u64,
    /// How many words are used while the reader keeps up, a power of two; 0: all.
    window: u64,
    writer: CachePadded<WriterState>,
    /// Where the oldest record begins.
    tail: CachePadded<AtomicU64>,
    /// The thread of the record at `tail`; moved with it.
    tail_thread: plain::AtomicU64,
    left: Mutex<Left>,
    /// How many readers copy.
    held: AtomicU64,
}

/// What was lost of threads that wrote here before, and of which there is no mark.
#[derive(Default)]
struct Left {
    losses: Vec<Lost>,
    /// How many rows more the threads whose records are still here may leave when these are
    /// overwritten. There is room for them.
    promised: usize,
}

impl Left {
    fn room(&self) -> usize {
        self.losses.capacity() - self.losses.len()
    }
}

/// What the writer writes.
struct WriterState {
    head: AtomicU64,
    /// So far it may write without looking at `tail`; 0 if it has to look for other reasons.
    limit: plain::AtomicU64,
    /// Odd while a change is being made; a copy is valid only if the sequence is the same before
    /// and after it.
    sequence: AtomicU64,
    thread: plain::AtomicU64,
    /// Where the records of this thread begin.
    since: plain::AtomicU64,
    /// Where the last skip to the front begins, and ends.
    skip: plain::AtomicU64,
    skip_end: plain::AtomicU64,
    /// Whether another one goes from the front to the words behind it.
    has_returned: plain::AtomicU64,
    /// Drop newest: what found no room. Overwrite oldest: what was overwritten.
    losses: Losses,
    /// What was lost while a reader copied.
    while_held: Losses,
}

impl Ring {
    /// Creates a ring of `words` words, a power of two, for records of at most `longest` words.
    pub(crate) fn new(
        words: usize,
        overflow: Overflow,
        events: usize,
        longest: u64,
        thread: usize,
    ) -> Self {
        assert!(words.is_power_of_two() && longest + LOST_WORDS <= words as u64);
        Self {
            words: (0..words).map(|_| AtomicU64::new(0)).collect(),
            overflow,
            longest,
            window: 0,
            writer: CachePadded::new(WriterState {
                head: AtomicU64::new(0),
                limit: plain::AtomicU64::new(words as u64),
                sequence: AtomicU64::new(0),
                thread: plain::AtomicU64::new(thread as u64),
                since: plain::AtomicU64::new(0),
                skip: plain::AtomicU64::new(0),
                skip_end: plain::AtomicU64::new(0),
                has_returned: plain::AtomicU64::new(0),
                losses: Losses::new(events),
                while_held: Losses::new(events),
            }),
            tail: CachePadded::new(AtomicU64::new(0)),
            tail_thread: plain::AtomicU64::new(thread as u64),
            left: Mutex::new(Left::default()),
            held: AtomicU64::new(0),
        }
    }

    /// Has a ring that drops the newest use `window` words, a power of two, while a [`Drain`] keeps
    /// up. Does nothing if the ring is not several times as large, or too large for a skip. Such a
    /// ring cannot be copied.
    pub(crate) fn with_window(mut self, window: u64) -> Self {
        let sizes = 4 * window..=RecordHeader::MAX_WORDS + 1;
        if self.overflow == Overflow::DropNewest && sizes.contains(&self.capacity()) {
            self.window = window;
            self.writer.limit.store(window, Ordering::Relaxed);
        }
        self
    }

    #[inline(always)]
    fn word(&self, at: u64) -> &AtomicU64 {
        word(&self.words, at)
    }

    fn capacity(&self) -> u64 {
        self.words.len() as u64
    }

    /// Writer: begins a record.
    #[inline(always)]
    pub(crate) fn begin(&self) -> RecordWriter<'_> {
        // Relaxed: this thread's own.
        let start = self.writer.head.load(Ordering::Relaxed);
        RecordWriter {
            ring: self,
            words: &self.words,
            start,
            at: start + 1,
            limit: self.writer.limit.load(Ordering::Relaxed),
        }
    }

    /// Writer: firings are lost.
    #[cold]
    pub(crate) fn lose(&self, event: u32, time: u64, count: u64) {
        let writer = &*self.writer;
        if self.is_held() || self.overflow == Overflow::OverwriteOldest {
            writer.while_held.add(event, time, count);
        } else {
            self.sequenced(|| writer.losses.add(event, time, count));
        }
        writer.limit.store(0, Ordering::Relaxed);
    }

    /// Whether a reader copies.
    pub(crate) fn is_held(&self) -> bool {
        // Relaxed: seen too late, it costs the reader another try.
        self.held.load(Ordering::Relaxed) > 0
    }

    /// Writer: makes a change that a copy must see as a whole: of `tail`, losses, marks.
    fn sequenced<R>(&self, change: impl FnOnce() -> R) -> R {
        let sequence = &self.writer.sequence;
        let before = sequence.load(Ordering::Relaxed);
        sequence.store(before + 1, Ordering::Relaxed);
        // Release fence: pairs with the Acquire fence in `try_copy`: a reader that reads a word
        // written after this fence sees that the sequence has changed.
        fence(Ordering::Release);
        let result = change();
        // Release: pairs with the Acquire in `try_copy`: a reader that finds the change complete
        // sees what it changed.
        sequence.store(before + 2, Ordering::Release);
        result
    }

    /// Writer: whether the words up to `end` may be written, those from `start` being the record in
    /// work; and up to where.
    fn room(&self, start: u64, end: u64) -> Option<u64> {
        // Acquire: pairs with the Release in `Drain::peek`: the reader is done with the words
        // before it.
        let tail = self.tail.load(Ordering::Acquire);
        let limit = self.limit(tail);
        if end <= limit {
            return Some(limit);
        }
        if self.overflow == Overflow::DropNewest || self.is_held() {
            return None;
        }
        self.sequenced(|| self.overwrite(tail, start, end))
    }

    /// Writer: up to where it may write while the reader is at `tail`.
    fn limit(&self, tail: u64) -> u64 {
        let end = self.skip_end();
        if tail >= end {
            tail + self.capacity()
        } else if self.has_returned() {
            // The words up to the ring's end: the front has what is not read yet.
            end + self.capacity()
        } else {
            // One word less, for the second skip.
            tail + self.capacity() - 1
        }
    }

    fn skip_end(&self) -> u64 {
        self.writer.skip_end.load(Ordering::Relaxed)
    }

    fn has_returned(&self) -> bool {
        self.writer.has_returned.load(Ordering::Relaxed) != 0
    }

    /// Writer, with no record in work: skips to the front if that is where the record at `start`
    /// should be.
    fn skip_to_front(&self, start: u64, words: u64) -> Option<u64> {
        let window = self.window;
        let in_ring = start & (self.capacity() - 1);
        if window == 0
            || in_ring < window / 4 * 3
            || in_ring.next_multiple_of(window) >= in_ring + words
        {
            return None;
        }
        // Relaxed: `room`, below, looks again.
        let tail = self.tail.load(Ordering::Relaxed);
        let front = start - in_ring + self.capacity();
        let is_read = tail >= self.skip_end() && start - tail <= window / 2;
        let has_space = front + window / 4 <= tail + self.capacity();
        // Behind the last window comes the front anyway.
        let is_last = in_ring + words >= self.capacity();
        if !is_read || !has_space || is_last {
            return None;
        }
        self.room(start, start + 1)?;
        self.skip(start, front);
        let writer = &*self.writer;
        writer.skip.store(start, Ordering::Relaxed);
        writer.skip_end.store(front, Ordering::Relaxed);
        writer.has_returned.store(0, Ordering::Relaxed);
        Some(front)
    }

    /// Writer: puts a skip.
    fn skip(&self, start: u64, end: u64) {
        RecordWriter {
            ring: self,
            words: &self.words,
            start,
            at: end,
            limit: end,
        }
        .commit(RecordHeader::SKIP, 0, 0);
    }

    /// Writer: finds room for `words` words, from `start` on, or behind a skip that begins there;
    /// from where they may be written, and up to where.
    fn place(&self, start: u64, words: u64) -> Option<(u64, u64)> {
        if let Some(limit) = self.room(start, start + words) {
            return Some((start, limit));
        }
        let end = self.skip_end();
        let writer = &*self.writer;
        let behind = writer.skip.load(Ordering::Relaxed) + 1 + self.capacity();
        // Relaxed: `room` has seen as much, and looks again.
        let is_in_front = self.tail.load(Ordering::Relaxed) < end && !self.has_returned();
        // (If the reader has just passed the skip, there is room from `start` on.)
        let start = if is_in_front && behind + words <= end + self.capacity() {
            self.skip(start, behind);
            writer.has_returned.store(1, Ordering::Relaxed);
            behind
        } else {
            start
        };
        Some((start, self.room(start, start + words)?))
    }

    /// Writer: moves `tail` beyond the oldest records, and counts them as lost.
    fn overwrite(&self, mut tail: u64, start: u64, end: u64) -> Option<u64> {
        let writer = &*self.writer;
        let capacity = self.capacity();
        // Some more than needed, so that not each record has to do this.
        let wanted = (end + capacity / 32).min(start + capacity);
        if end > wanted {
            return None;
        }
        while tail + capacity < wanted {
            // Relaxed: this thread, or one that handed over to it, wrote them.
            let head = RecordHeader::from_word(self.word(tail).load(Ordering::Relaxed));
            let second = self.word(tail + 1).load(Ordering::Relaxed);
            match head.kind() {
                RecordHeader::THREAD => {
                    let mut left = self.left();
                    left.promised -= promise(head);
                    Self::leave_losses(&mut left, &writer.losses, self.tail_thread());
                    self.tail_thread.store(second, Ordering::Relaxed);
                }
                RecordHeader::LOST => {
                    let count = self.word(tail + 2).load(Ordering::Relaxed);
                    writer.losses.add(head.event(), second, count);
                }
                _ => writer.losses.add(head.event(), second, 1),
            }
            tail += head.words();
        }
        // Relaxed: the fence in `sequenced` is before the words that are written next.
        self.tail.store(tail, Ordering::Relaxed);
        Some(tail + capacity)
    }

    /// Writer: puts losses aside that belong to a thread that writes here no more. `hand_over` has
    /// made room: this is called in a sequence, where nothing may be allocated.
    fn leave_losses(left: &mut Left, losses: &Losses, thread: usize) {
        debug_assert!(losses.len() <= left.room());
        while let Some(lost) = losses.pop(thread) {
            left.losses.push(lost);
        }
    }

    /// How many losses of threads before there are beside the records, or may be once these are
    /// overwritten.
    pub(crate) fn rows_left(&self) -> usize {
        let left = self.left();
        left.losses.len() + left.promised
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether losses are to be marked before the next record.
    fn is_in_arrears(&self) -> bool {
        let writer = &*self.writer;
        writer.while_held.len() > 0
            || self.overflow == Overflow::DropNewest && writer.losses.len() > 0
    }

    /// Writer: marks for what was lost, as many as there is room for, from `start` on; where they
    /// end.
    fn mark(&self, start: u64) -> u64 {
        let writer = &*self.writer;
        let own = (self.overflow == Overflow::DropNewest).then_some(&writer.losses);
        let mut at = start;
        for losses in own.into_iter().chain([&writer.while_held]) {
            while losses.len() > 0 {
                let Some((start, _)) = self.place(at, LOST_WORDS + self.longest) else {
                    break;
                };
                at = start;
                self.sequenced(|| {
                    let Some(lost) = losses.pop(0) else { return };
                    #[allow(clippy::cast_possible_truncation, reason = "of an event's number")]
                    let head =
                        RecordHeader::new(RecordHeader::LOST, LOST_WORDS, lost.event as u32, 0);
                    self.word(at).store(head.0, Ordering::Relaxed);
                    self.word(at + 1).store(lost.time, Ordering::Relaxed);
                    self.word(at + 2).store(lost.count, Ordering::Relaxed);
                    at += LOST_WORDS;
                    // Release: as in `commit`.
                    writer.head.store(at, Ordering::Release);
                });
            }
        }
        at
    }

    /// The thread that writes here, or did last. Asked by who owns the ring or is the only one
    /// left.
    pub(crate) fn thread(&self) -> usize {
        index(self.writer.thread.load(Ordering::Relaxed))
    }

    fn tail_thread(&self) -> usize {
        index(self.tail_thread.load(Ordering::Relaxed))
    }

    /// Between writers: whether another thread could write here for a while.
    pub(crate) fn free(&self) -> u64 {
        let head = self.writer.head.load(Ordering::Relaxed);
        // Acquire: as in `room`.
        let tail = self.tail.load(Ordering::Acquire);
        let free = self.limit(tail) - head;
        if tail >= self.skip_end() || self.has_returned() {
            return free;
        }
        let behind = self.capacity()
            - 1
            - (self.writer.skip.load(Ordering::Relaxed) & (self.capacity() - 1));
        free.max(behind)
    }

    /// Between writers: whether records of a new thread would find room, however it overflows.
    pub(crate) fn has_room(&self) -> bool {
        self.overflow == Overflow::OverwriteOldest || self.free() >= self.longest + THREAD_WORDS
    }

    /// The new writer, first of all: from here on the records are another thread's. Handing over is
    /// ordered by the caller's lock. False if it is not possible now.
    pub(crate) fn hand_over(&self, thread: usize) -> bool {
        let before = self.thread();
        if before == thread {
            return true;
        }
        let writer = &*self.writer;
        let at = writer.head.load(Ordering::Relaxed);
        let Some((at, _)) = self.place(at, THREAD_WORDS) else {
            return false;
        };
        let is_overwriting = self.overflow == Overflow::OverwriteOldest;
        let own = (!is_overwriting).then_some(&writer.losses);
        let now = || own.into_iter().chain([&writer.while_held]);
        // What the thread before may still leave: a row for each event among its records, of which
        // each has two words at least, and among the losses that were marked or overwritten.
        let promised = if is_overwriting {
            let tail = self.tail.load(Ordering::Relaxed);
            let since = writer.since.load(Ordering::Relaxed).max(tail);
            let records = index((at - since).div_ceil(2));
            writer.losses.rows.len().min(records + writer.losses.len())
        } else {
            0
        };
        let wanted = now().map(Losses::len).sum::<usize>() + promised;
        let mut left = self.left_with_room(wanted);
        left.promised += promised;
        self.sequenced(|| {
            now().for_each(|losses| Self::leave_losses(&mut left, losses, before));
            let head = RecordHeader::new(RecordHeader::THREAD, THREAD_WORDS, 0, promised as u64);
            self.word(at).store(head.0, Ordering::Relaxed);
            self.word(at + 1).store(thread as u64, Ordering::Relaxed);
            writer.thread.store(thread as u64, Ordering::Relaxed);
            writer.since.store(at + THREAD_WORDS, Ordering::Relaxed);
            writer.limit.store(0, Ordering::Relaxed);
            // Release: as in `commit`.
            writer.head.store(at + THREAD_WORDS, Ordering::Release);
        });
        true
    }

    /// The new writer: locks `left`, with room for `wanted` rows besides those that are promised.
    /// Allocates unlocked.
    fn left_with_room(&self, wanted: usize) -> MutexGuard<'_, Left> {
        let mut bigger = Vec::new();
        loop {
            let mut left = self.left();
            let needed = left.losses.len() + left.promised + wanted;
            if left.losses.capacity() >= needed {
                return left;
            }
            if bigger.capacity() >= needed {
                bigger.append(&mut left.losses);
                mem::swap(&mut bigger, &mut left.losses);
                drop(left);
                // The old memory, unlocked. (No other writer uses the room meanwhile; a reader that
                // takes all leaves none.)
                bigger = Vec::new();
                continue;
            }
            let more = needed.max(2 * left.losses.len());
            drop(left);
            bigger = Vec::with_capacity(more);
        }
    }

    /// A reader: the record at this position; where the next begins.
    fn read(&self, at: u64, record: &mut Vec<u64>) -> u64 {
        record.clear();
        // Relaxed, here and below: the caller has what makes them whole.
        let first = self.word(at).load(Ordering::Relaxed);
        let end = at + RecordHeader::from_word(first).words();
        record.push(first);
        record.extend((at + 1..end).map(|at| self.word(at).load(Ordering::Relaxed)));
        end
    }

    /// A reader: where the skip at this position ends; none if it is a record.
    fn skipped(&self, at: u64) -> Option<u64> {
        let head = RecordHeader::from_word(self.word(at).load(Ordering::Relaxed));
        (head.kind() == RecordHeader::SKIP).then(|| at + head.words())
    }

    /// The reader of a ring that drops the newest: what threads lost that wrote here before, and of
    /// which there is no mark.
    pub(crate) fn take_left(&self) -> Vec<Lost> {
        mem::take(&mut self.left().losses)
    }

    /// A reader, while the thread continues to write: all that is there, and the losses that belong
    /// to it, as of one moment.
    ///
    /// Allocates only while the ring is not held: what is fired then finds it as it always is.
    pub(crate) fn copy(&self) -> Copied {
        let mut copied = self.room_for_copy(self.words.len());
        loop {
            self.held.fetch_add(1, Ordering::Relaxed);
            let missing = loop {
                if let Some(missing) = self.try_copy(&mut copied) {
                    break missing;
                }
                spinning();
                std::hint::spin_loop();
            };
            self.held.fetch_sub(1, Ordering::Relaxed);
            if missing == 0 {
                break;
            }
            copied.left.clear();
            copied.left.reserve(missing);
        }
        copied.words.shrink_to_fit();
        copied
    }

    /// Returns none if the ring was changed meanwhile; otherwise how many rows there must be room
    /// for in `left`, 0 if there is.
    fn try_copy(&self, copied: &mut Copied) -> Option<usize> {
        let writer = &*self.writer;
        // Acquire: pairs with the Release at the end of `sequenced`.
        let sequence = writer.sequence.load(Ordering::Acquire);
        if sequence % 2 == 1 {
            return None;
        }
        // Acquire: pairs with the Release in `commit`.
        let head = writer.head.load(Ordering::Acquire);
        let tail = self.tail.load(Ordering::Relaxed);
        if head.checked_sub(tail)? > self.capacity() {
            return None;
        }
        let words = (tail..head).map(|at| self.word(at).load(Ordering::Relaxed));
        copied.words.clear();
        copied.words.extend(words);
        let missing = self.around(copied);
        if missing > 0 {
            return Some(missing);
        }
        // Acquire fence: pairs with the Release fence in `sequenced`: if one of the words above was
        // already overwritten, the sequence is seen to have changed.
        fence(Ordering::Acquire);
        (writer.sequence.load(Ordering::Relaxed) == sequence).then_some(0)
    }

    /// Makes a copy with room for `words` words, and for all losses besides those in `left`.
    fn room_for_copy(&self, words: usize) -> Copied {
        let rows = self.writer.losses.rows.len();
        Copied {
            words: Vec::with_capacity(words),
            thread: 0,
            before: Vec::with_capacity(rows),
            after: Vec::with_capacity(2 * rows),
            left: Vec::new(),
        }
    }

    /// Copies what belongs to the records, without them; returns how many rows there must be room
    /// for in `left`, 0 if there is.
    fn around(&self, copied: &mut Copied) -> usize {
        let writer = &*self.writer;
        let (first, last) = (self.tail_thread(), self.thread());
        let (before, after) = match self.overflow {
            Overflow::DropNewest => (None, Some(&writer.losses)),
            Overflow::OverwriteOldest => (Some(&writer.losses), None),
        };
        copied.thread = first;
        copied.before.clear();
        copied.after.clear();
        let rows = before.into_iter().flat_map(|losses| losses.all(first));
        copied.before.extend(rows);
        let after = after.into_iter().chain([&writer.while_held]);
        copied
            .after
            .extend(after.flat_map(|losses| losses.all(last)));
        copied.left.clear();
        let left = self.left();
        if left.losses.len() > copied.left.capacity() {
            return left.losses.len();
        }
        copied.left.extend_from_slice(&left.losses);
        0
    }

    /// When nobody writes any more: what belongs to the records, which stay where they are
    /// ([`Self::range`]).
    pub(crate) fn finished(&self) -> Copied {
        let mut copied = self.room_for_copy(0);
        loop {
            match self.around(&mut copied) {
                0 => return copied,
                missing => copied.left.reserve(missing),
            }
        }
    }

    /// When nobody writes any more: where the records are.
    pub(crate) fn range(&self) -> (u64, u64) {
        // Acquire: as in `Drain::begin`.
        let head = self.writer.head.load(Ordering::Acquire);
        (self.tail.load(Ordering::Relaxed), head)
    }

    /// When nobody writes any more: the record at this position; where the next begins.
    pub(crate) fn record_at(&self, at: u64, record: &mut Vec<u64>) -> u64 {
        self.read(at, record)
    }
}

/// The reader of a ring that drops the newest: takes one record after the other out of it. There is
/// one at a time.
pub(crate) struct Drain<'a> {
    ring: &'a Ring,
    /// The thread of the record.
    thread: usize,
    /// Where the next record begins; up to where the writer may overwrite; up to where there are
    /// records.
    at: u64,
    released: u64,
    end: u64,
    /// How many words it has read since `begin`.
    read: u64,
    record: Vec<u64>,
    /// Whether the record has still to be taken.
    is_here: bool,
}

impl<'a> Drain<'a> {
    pub(crate) fn new(ring: &'a Ring) -> Self {
        debug_assert!(ring.overflow == Overflow::DropNewest);
        // Relaxed: the reader's own.
        let at = ring.tail.load(Ordering::Relaxed);
        Self {
            ring,
            thread: ring.tail_thread(),
            at,
            released: at,
            end: at,
            read: 0,
            record: Vec::new(),
            is_here: false,
        }
    }

    /// From here on it has what there is now.
    pub(crate) fn begin(&mut self) {
        // Acquire: pairs with the Release in `commit`: the records up to it are whole.
        self.end = self.ring.writer.head.load(Ordering::Acquire);
        self.read = 0;
    }

    /// How many words it has read since `begin`.
    pub(crate) fn words_read(&self) -> u64 {
        self.read
    }

    /// The time of the next record.
    pub(crate) fn peek(&mut self) -> Option<u64> {
        while !self.is_here && self.at < self.end {
            if let Some(end) = self.ring.skipped(self.at) {
                self.at = end;
            } else {
                self.at = self.ring.read(self.at, &mut self.record);
                self.read += self.record.len() as u64;
                self.see();
            }
            if self.at - self.released > self.ring.capacity() / 16 || self.at == self.end {
                // Release: pairs with the Acquire in `room`: the writer may write over what has
                // been read.
                self.ring.tail.store(self.at, Ordering::Release);
                self.released = self.at;
            }
        }
        self.is_here.then(|| self.record[1])
    }

    /// Looks what the record is.
    fn see(&mut self) {
        if RecordHeader::from_word(self.record[0]).kind() == RecordHeader::THREAD {
            self.thread = index(self.record[1]);
            let tail_thread = &self.ring.tail_thread;
            tail_thread.store(self.record[1], Ordering::Relaxed);
        } else {
            self.is_here = true;
        }
    }

    /// The record at whose time `peek` looked, and its thread.
    pub(crate) fn take(&mut self) -> (usize, &[u64]) {
        self.is_here = false;
        (self.thread, &self.record)
    }
}

#[inline(always)]
fn word(words: &[AtomicU64], at: u64) -> &AtomicU64 {
    &words[position(words, at)]
}

#[inline(always)]
fn position(words: &[AtomicU64], at: u64) -> usize {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the mask keeps what is needed"
    )]
    let index = at as usize & (words.len() - 1);
    index
}

/// Relaxed: the Release in `commit` comes after it.
#[inline(always)]
fn put(words: &[AtomicU64], at: u64, value: u64) {
    word(words, at).store(value, Ordering::Relaxed);
}

#[inline(always)]
fn put_bytes(words: &[AtomicU64], at: u64, bytes: &[u8]) {
    let whole = bytes.len() / 8;
    let first = position(words, at);
    let Some(to) = words.get(first..first + whole) else {
        return put_bytes_around(words, at, bytes);
    };
    for (to, chunk) in to.iter().zip(bytes.chunks_exact(8)) {
        // Relaxed: as in `put`.
        to.store(little_endian(chunk), Ordering::Relaxed);
    }
    if bytes.len() % 8 > 0 {
        put(words, at + whole as u64, last_word(bytes));
    }
}

/// The same where the ring's end is among the words.
#[cold]
#[inline(never)]
fn put_bytes_around(words: &[AtomicU64], at: u64, bytes: &[u8]) {
    for (at, chunk) in (at..).zip(bytes.chunks(8)) {
        put(words, at, little_endian(chunk));
    }
}

/// Returns at most eight bytes as a word, the first lowest.
#[inline(always)]
fn little_endian(bytes: &[u8]) -> u64 {
    let from_all = <[u8; 8]>::try_from(bytes).map(u64::from_le_bytes);
    from_all.unwrap_or_else(|_| {
        let highest_first = bytes.iter().rev();
        highest_first.fold(0, |word, &byte| word << 8 | u64::from(byte))
    })
}

/// Returns the bytes behind the last whole word, of which there are some. (Shifted out of the last
/// eight: a copy of so few bytes would be a call of `memcpy`.)
#[inline(always)]
fn last_word(bytes: &[u8]) -> u64 {
    let rest = bytes.len() % 8;
    match bytes.last_chunk::<8>() {
        Some(&last) => u64::from_le_bytes(last) >> (64 - 8 * rest),
        None => little_endian(bytes),
    }
}

/// How many rows the thread before a mark of a new thread may leave.
fn promise(mark: RecordHeader) -> usize {
    index(mark.extra())
}

fn index(word: u64) -> usize {
    usize::try_from(word).unwrap_or(usize::MAX)
}

/// What [`Ring::copy`] found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Copied {
    pub(crate) words: Vec<u64>,
    /// The thread of the first record.
    pub(crate) thread: usize,
    /// Lost before the first record.
    pub(crate) before: Vec<Lost>,
    /// Lost after the last one.
    pub(crate) after: Vec<Lost>,
    /// Lost somewhere, by threads that wrote here once.
    pub(crate) left: Vec<Lost>,
}

/// A record in work. Nobody sees it before it is committed; dropped, it has not been.
pub(crate) struct RecordWriter<'a> {
    ring: &'a Ring,
    /// The ring's: not looked up for each word.
    words: &'a [AtomicU64],
    start: u64,
    at: u64,
    limit: u64,
}

impl RecordWriter<'_> {
    /// Returns whether `words` more words fit as it is. Where not, `reserve` may make room.
    #[inline(always)]
    pub(crate) fn has_room(&self, words: u64) -> bool {
        self.at + words <= self.limit
    }

    /// Returns whether `words` more words fit, having made room; must be called
    /// before they are put.
    #[inline(always)]
    pub(crate) fn reserve(&mut self, words: u64) -> bool {
        self.has_room(words) || self.make_room(words)
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self, words: u64) -> bool {
        let ring = self.ring;
        if self.at == self.start + 1 && ring.is_in_arrears() {
            if !ring.is_held() {
                let start = ring.mark(self.start);
                self.at += start - self.start;
                self.start = start;
            }
            // A loss without a mark is before this record: where there is no room for the mark, the
            // record is lost, too.
            if ring.is_in_arrears() {
                return false;
            }
            let Some((start, _)) = ring.place(self.start, ring.longest) else {
                return false;
            };
            self.move_to(start);
        }
        if self.at == self.start + 1
            && let Some(front) = ring.skip_to_front(self.start, 1 + words)
        {
            self.move_to(front);
        }
        let Some((start, limit)) = ring.place(self.start, self.at + words - self.start) else {
            return false;
        };
        self.move_to(start);
        // No further than the window, which ends where the writer has to look whether it leaves it.
        let end = self.at + words;
        let limit = match ring.window {
            0 => limit,
            window => limit.min(end.next_multiple_of(window)),
        };
        self.limit = limit;
        let next = if ring.is_in_arrears() { 0 } else { limit };
        ring.writer.limit.store(next, Ordering::Relaxed);
        true
    }

    /// Continues the record, of which nobody knows yet, at another place.
    fn move_to(&mut self, start: u64) {
        if start == self.start {
            return;
        }
        for at in self.start + 1..self.at {
            let word = word(self.words, at).load(Ordering::Relaxed);
            put(self.words, at - self.start + start, word);
        }
        self.at = self.at - self.start + start;
        self.start = start;
    }

    /// Puts a word, for which room is reserved.
    #[inline(always)]
    pub(crate) fn put(&mut self, word: u64) {
        debug_assert!(self.at < self.limit);
        put(self.words, self.at, word);
        self.at += 1;
    }

    /// Puts bytes, for whose words room is reserved; the first byte of a word lowest.
    #[inline(always)]
    pub(crate) fn put_bytes(&mut self, bytes: &[u8]) {
        put_bytes(self.words, self.at, bytes);
        self.at += bytes.len().div_ceil(8) as u64;
    }

    /// Where the next word goes.
    #[inline(always)]
    pub(crate) fn position(&self) -> u64 {
        self.at
    }

    /// Puts a word where one was put before.
    #[inline(always)]
    pub(crate) fn put_at(&mut self, at: u64, word: u64) {
        put(self.words, at, word);
    }

    /// The record is whole: it is there from now on.
    #[inline(always)]
    pub(crate) fn commit(self, kind: u64, event: u32, extra: u64) {
        let head = RecordHeader::new(kind, self.at - self.start, event, extra);
        put(self.words, self.start, head.0);
        // Release: pairs with the Acquires in `Drain::begin` and `try_copy`.
        self.ring.writer.head.store(self.at, Ordering::Release);
    }
}

model_only! {
    /// The ring, for models: records of a time and some words.
    #[allow(missing_docs, missing_debug_implementations, reason = "a model's door")]
    pub struct ModelRing(Ring);

    #[allow(missing_docs, reason = "a model's door")]
    impl ModelRing {
        pub fn new(words: usize, overflow: Overflow, longest: u64) -> Self {
            Self(Ring::new(words, overflow, 1, longest, 0))
        }

        pub fn with_window(self, window: u64) -> Self {
            let ring = self.0.with_window(window);
            assert_eq!(ring.window, window);
            Self(ring)
        }

        /// Writes a record of this time and `words` words, each of them the time; false
        /// if it was lost.
        pub fn write(&self, time: u64, words: u64) -> bool {
            let mut writer = self.0.begin();
            if !writer.reserve(1 + words) {
                self.0.lose(0, time, 1);
                return false;
            }
            for _ in 0..=words {
                writer.put(time);
            }
            writer.commit(RecordHeader::RECORD, 0, 0);
            true
        }

        pub fn hand_over(&self, thread: usize) -> bool {
            self.0.hand_over(thread)
        }

        /// Reads what is there: `Ok` the words of a record, `Err` how many were lost.
        pub fn drain(&self, mut each: impl FnMut(Result<&[u64], u64>)) {
            let mut drain = Drain::new(&self.0);
            drain.begin();
            while drain.peek().is_some() {
                Self::tell(drain.take().1, &mut each);
            }
        }

        fn tell(record: &[u64], each: &mut impl FnMut(Result<&[u64], u64>)) {
            match RecordHeader::from_word(record[0]).kind() {
                RecordHeader::LOST => each(Err(record[2])),
                RecordHeader::THREAD => {}
                _ => each(Ok(&record[1..])),
            }
        }

        /// Copies what is there while the writer continues.
        pub fn copy(&self, mut each: impl FnMut(Result<&[u64], u64>)) {
            let copied = self.0.copy();
            copied.before.iter().for_each(|lost| each(Err(lost.count)));
            let mut rest = &copied.words[..];
            while let Some(&first) = rest.first() {
                let words = index(RecordHeader::from_word(first).words());
                Self::tell(&rest[..words], &mut each);
                rest = &rest[words..];
            }
            copied.after.iter().chain(&copied.left).for_each(|lost| each(Err(lost.count)));
        }

        /// Returns what has no mark yet, when nobody writes any more.
        pub fn lost_without_mark(&self) -> u64 {
            let around = self.0.finished();
            around.before.iter().chain(&around.after).chain(&around.left).map(|lost| lost.count).sum()
        }
    }
}

#[cfg(test)]
mod tests;
