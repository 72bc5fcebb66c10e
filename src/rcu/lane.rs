//! The lane: how a firing says that it is inside, without a barrier, and how a grace period finds
//! out.
//!
//! ```text
//! a firing                          a grace period n
//!   g = generation.load(Acquire)      unlink                            (under the lock)
//!   word.store(g, Release)            generation.store(n, Release)      (under the lock)
//!   light barrier                     heavy barrier
//!   read the snapshot, call           for each record: word.load(Acquire) >= n ?
//!   word.store(OUT, Release)
//! ```
//!
//! Of a light and a heavy barrier, one comes first. If the light one does, the scan sees that the
//! firing is inside, and of which generation. If the heavy one does, the firing sees the unlinked
//! state. A light barrier alone costs nothing: it only keeps the compiler from exchanging the store
//! and the loads behind it. The heavy one makes up for it, by
//! [`membarrier`]: a full barrier on every processor that runs a thread of the process.
//!
//! Where there is no `membarrier` (or not yet: the first attach registers for it), firings have a
//! full barrier of their own, and the heavy one is one too. The generation's lowest bit tells
//! firings which ([`FULL`]), so that the two differ by one branch.
//!
//! **Why a generation, and not a count.** The scan compares once and keeps nothing, so any thread
//! may continue it. A record that goes to another thread needs no reset. And a thread that fires
//! without pause cannot starve it: its next firing has the new generation.
//!
//! **Records** are in chunks, each with a bitmap of those that belong to a thread: a scan passes
//! threads that are gone at the cost of a bit. Chunks are never freed, and their records are used
//! again.

use super::membarrier::{self, Refused};
use super::{domain, pin};
use crate::sync::{
    AtomicBool, AtomicPtr, AtomicU64, MODEL, Ordering, asymmetric, const_fn, fence, model_only,
    plain,
};
use std::ptr;

/// Nothing is in progress. (More than any generation.)
const OUT: u64 = u64::MAX;

/// In a generation: firings have a full barrier of their own.
const FULL: u64 = 1;
/// In a generation: they have one again ([`Barriers::FullAgain`]), and acknowledge it.
const AGAIN: u64 = 2;

/// The number of a grace period, as it is in a generation.
const fn generation(number: u64) -> u64 {
    number << 2
}

const RECORDS: usize = if MODEL { 4 } else { 64 };

/// What a thread says of itself. On cache lines of its own (processors fetch them in pairs).
#[repr(align(128))]
pub(crate) struct Record {
    /// The generation in which the thread's outermost firing or scope began, or [`OUT`].
    word: AtomicU64,
    /// The thread has seen that firings have full barriers [`AGAIN`]. From then on, all of its
    /// firings have.
    acknowledged: AtomicBool,
}

/// Records side by side, and which of them belong to a thread.
struct Chunk {
    taken: AtomicU64,
    /// The chunk that was made before this one.
    next: *const Chunk,
    records: [Record; RECORDS],
}

// SAFETY: `next` is written before the chunk is published, and points to a chunk that is never
// freed.
unsafe impl Sync for Chunk {}

/// The lanes of the process. On a line of its own: each firing reads the generation.
#[repr(align(128))]
pub(crate) struct Lanes {
    /// That of the last grace period started, and whether firings need a full barrier of their own.
    generation: AtomicU64,
    /// The chunk that was made last.
    head: AtomicPtr<Chunk>,
}

impl Record {
    fn new() -> Self {
        Self {
            word: AtomicU64::new(OUT),
            acknowledged: AtomicBool::new(false),
        }
    }

    /// The thread is inside from here on: what it reads after is not reclaimed before
    /// [`leave`](Self::leave).
    #[inline(always)]
    pub(super) fn enter(&self) {
        // Acquire: pairs with the Release in `Lanes::advance`. A firing that is of a generation
        // sees all that was unlinked before it.
        let generation = domain().lanes.generation.load(Ordering::Acquire);
        if generation & FULL == 0 {
            // Release: pairs with the Acquire in `Scan::drive`, for what this thread's earlier
            // firings did: the scan may see this store instead of the OUT before it.
            self.word.store(generation, Ordering::Release);
            asymmetric::light();
        } else {
            self.enter_full(generation);
        }
    }

    #[inline(always)]
    fn enter_full(&self, generation: u64) {
        if generation & AGAIN != 0 {
            self.acknowledge();
        }
        if cfg!(any(target_arch = "x86_64", target_arch = "x86")) && !MODEL {
            // SeqCst: an exchange is a full barrier there, and cheaper than the instruction of that
            // name.
            self.word.swap(generation, Ordering::SeqCst);
        } else {
            // Release: as above.
            self.word.store(generation, Ordering::Release);
            // SeqCst fence: pairs with the one in `Barriers::heavy`.
            fence(Ordering::SeqCst);
        }
        // As well: grace periods may have heavy barriers by now.
        asymmetric::light();
    }

    /// The thread has full barriers of its own from here on, and its firings without are over.
    #[cold]
    pub(super) fn acknowledge(&self) {
        // Release: pairs with the Acquire in `Chunk::is_past`, for what those firings did.
        self.acknowledged.store(true, Ordering::Release);
    }

    /// The thread is out.
    #[inline(always)]
    pub(super) fn leave(&self) {
        // Release: pairs with the Acquire in `Scan::drive`. What the firing did to the snapshot and
        // the closures happened before they are reclaimed.
        self.word.store(OUT, Ordering::Release);
    }
}

impl Chunk {
    fn index_of(&self, record: &Record) -> usize {
        (ptr::from_ref(record).addr() - self.records.as_ptr().addr()) / size_of::<Record>()
    }

    /// Takes a record that belongs to nobody.
    fn take(&self) -> Option<&Record> {
        // Relaxed: the exchange looks again.
        let mut taken = self.taken.load(Ordering::Relaxed);
        loop {
            let index = (!taken).trailing_zeros() as usize;
            let record = self.records.get(index)?;
            // AcqRel. Acquire: pairs with the Release in `Lanes::give_back`, for what the record's
            // last thread read of the generation. Release: keeps that of others visible, who gave
            // back theirs.
            match self.taken.compare_exchange_weak(
                taken,
                taken | 1 << index,
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(record),
                Err(now) => taken = now,
            }
        }
    }
}

impl Lanes {
    const_fn! {
        pub(super) fn new() -> Self {
            Self {
                // Until the kernel is asked for more.
                generation: AtomicU64::new(generation(0) | FULL),
                head: AtomicPtr::new(ptr::null_mut()),
            }
        }
    }

    /// Under the lock: grace period `number` begins, and everything that it is to cover is
    /// unlinked.
    pub(super) fn advance(&self, number: u64, barriers: Barriers) {
        let bits = match barriers {
            Barriers::Full => FULL,
            Barriers::Asymmetric => 0,
            Barriers::FullAgain => FULL | AGAIN,
        };
        // Release: pairs with the Acquire in `Record::enter`.
        self.generation
            .store(generation(number) | bits, Ordering::Release);
    }

    /// A record for a thread. Allocates if there is none left.
    pub(super) fn take(&'static self) -> &'static Record {
        let record = self.take_any();
        // Acquire: pairs with the Release in `advance`.
        if self.generation.load(Ordering::Acquire) & AGAIN != 0 {
            record.acknowledge();
        }
        record
    }

    fn take_any(&'static self) -> &'static Record {
        loop {
            // Acquire: pairs with the Release below.
            let head = self.head.load(Ordering::Acquire);
            let mut next = head.cast_const();
            // SAFETY: published, or null; never freed.
            while let Some(chunk) = unsafe { next.as_ref() } {
                if let Some(record) = chunk.take() {
                    return record;
                }
                next = chunk.next;
            }
            let new = Box::into_raw(Box::new(Chunk {
                taken: AtomicU64::new(0),
                next: head,
                records: std::array::from_fn(|_| Record::new()),
            }));
            // Release: publishes the chunk. (Acquire is the next round's.)
            if self
                .head
                .compare_exchange(head, new, Ordering::Release, Ordering::Relaxed)
                .is_err()
            {
                // SAFETY: from `Box::into_raw` above, and not published.
                drop(unsafe { Box::from_raw(new) });
            }
        }
    }

    /// The record's thread is gone, and outside.
    pub(super) fn give_back(&self, record: &'static Record) {
        for chunk in self.chunks() {
            if chunk
                .records
                .as_ptr_range()
                .contains(&ptr::from_ref(record))
            {
                // Release: pairs with the Acquire in `Chunk::take` and in `Scan::drive`: all that
                // this thread did as a reader happened before what follows there.
                chunk
                    .taken
                    .fetch_and(!(1 << chunk.index_of(record)), Ordering::Release);
                return;
            }
        }
    }

    fn chunks(&self) -> impl Iterator<Item = &'static Chunk> {
        // Acquire: pairs with the Release in `take`.
        let mut next = self.head.load(Ordering::Acquire).cast_const();
        std::iter::from_fn(move || {
            // SAFETY: published, or null; never freed.
            let chunk = unsafe { next.as_ref() }?;
            next = chunk.next;
            Some(chunk)
        })
    }

    /// In a forked child: the other threads are gone, whatever they were doing.
    pub(super) fn forked(&self, own: Option<&'static Record>) {
        for chunk in self.chunks() {
            let mut taken = 0;
            for (index, record) in chunk.records.iter().enumerate() {
                if own.is_some_and(|own| ptr::eq(record, own)) {
                    taken |= 1 << index;
                } else {
                    record.leave();
                }
            }
            chunk.taken.store(taken, Ordering::Relaxed);
        }
    }

    /// Frees all. In models, at the end of an execution.
    pub(super) fn free(&mut self) {
        let mut next = self.head.load(Ordering::Relaxed);
        while !next.is_null() {
            // SAFETY: from `Box::into_raw` in `take`, and nobody else is left.
            next = unsafe { Box::from_raw(next) }.next.cast_mut();
        }
    }
}

/// What the barriers of firings and grace periods are. Kept under the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Barriers {
    /// Full ones on both sides.
    Full,
    /// Light ones for firings, heavy ones for grace periods.
    Asymmetric,
    /// Full ones on both sides again: the kernel has refused a heavy one for good. Until something
    /// else has stood in for a last one ([`membarrier::visit_processors`]), a record is not to be
    /// trusted before its thread has acknowledged that.
    FullAgain,
}

/// Lets firings do without barriers of their own, if the kernel has `membarrier`. Registering for
/// that takes milliseconds, once: never while firing, and not under the lock.
pub(super) fn prepare() {
    // Not a `Once`: a child whose parent was in the midst of this would wait forever. It keeps its
    // barriers.
    static TRIED: plain::AtomicBool = plain::AtomicBool::new(false);
    if MODEL || TRIED.load(Ordering::Relaxed) || pin::is_inside() {
        return;
    }
    if !TRIED.swap(true, Ordering::Relaxed) && !is_forbidden() && membarrier::register().is_ok() {
        domain().lock().lighten(domain());
    }
}

/// Whether the environment says that firings are to keep their barriers: `HOTPROBE_MEMBARRIER=off`.
fn is_forbidden() -> bool {
    std::env::var_os("HOTPROBE_MEMBARRIER").is_some_and(|value| value == "off")
}

model_only! {
    /// Lets firings do without barriers of their own, in this execution of a model.
    pub fn light_barriers() {
        domain().lock().lighten(domain());
    }

    /// Refuses heavy barriers from now on, in this execution of a model.
    pub fn refuse_barriers() {
        asymmetric::refuse();
    }
}

/// Looking at all records, for one grace period.
#[derive(Debug)]
pub(super) struct Scan {
    number: u64,
    barriers: Barriers,
    at: Position,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// Before the heavy barrier.
    Barrier,
    /// In front of a chunk; the end, if null.
    Chunk(*const Chunk),
}

// SAFETY: chunks are shared, and never freed.
unsafe impl Send for Scan {}

impl Scan {
    pub(super) fn new(number: u64, barriers: Barriers) -> Self {
        Self {
            number,
            barriers,
            at: Position::Barrier,
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Every firing that could see what was unlinked before the grace period began has ended.
    pub(super) fn is_over(&self) -> bool {
        self.at == Position::Chunk(ptr::null())
    }

    /// The barriers that it relies on.
    pub(super) fn barriers(&self) -> Barriers {
        self.barriers
    }

    /// The kernel has refused the barrier that this scan wanted.
    pub(super) fn distrust(&mut self) {
        self.barriers = Barriers::FullAgain;
    }

    /// Continues until the end, or until a firing is in the way. Not under the lock.
    ///
    /// # Errors
    /// The heavy barrier was refused. If only for now, the next call tries again.
    pub(super) fn drive(&mut self) -> Result<(), Refused> {
        if self.barriers == Barriers::FullAgain {
            pin::acknowledge();
        }
        let mut next = match self.at {
            Position::Chunk(chunk) => chunk,
            Position::Barrier => {
                self.barriers.heavy()?;
                if self.barriers == Barriers::FullAgain
                    && !MODEL
                    && membarrier::visit_processors().is_ok()
                {
                    // As good as the barrier that was refused: from here on, every firing finds
                    // that it needs its own.
                    self.barriers = Barriers::Full;
                }
                // Acquire: pairs with the Release in `Lanes::take`.
                domain().lanes.head.load(Ordering::Acquire).cast_const()
            }
        };
        // SAFETY: published, or null; never freed.
        while let Some(chunk) = unsafe { next.as_ref() } {
            if !chunk.is_past(self.number, self.barriers) {
                break;
            }
            next = chunk.next;
        }
        self.at = Position::Chunk(next);
        Ok(())
    }
}

impl Chunk {
    /// Whether every firing on these records that began before grace period `number` has ended.
    fn is_past(&self, number: u64, barriers: Barriers) -> bool {
        // Acquire: pairs with the Release in `Lanes::give_back`.
        let mut taken = self.taken.load(Ordering::Acquire);
        while taken != 0 {
            let record = &self.records[taken.trailing_zeros() as usize];
            taken &= taken - 1;
            // Acquire: pairs with the Release stores in `Record::enter` and `leave`.
            let word = record.word.load(Ordering::Acquire);
            // Acquire: pairs with the Release in `Record::acknowledge`. (After the word: whatever
            // that missed is over.)
            let trusted =
                barriers != Barriers::FullAgain || record.acknowledged.load(Ordering::Acquire);
            if word < generation(number) || !trusted {
                return false;
            }
        }
        true
    }
}

impl Barriers {
    /// The heavy barrier.
    fn heavy(self) -> Result<(), Refused> {
        match self {
            Self::Asymmetric if MODEL => {
                if !asymmetric::heavy() {
                    return Err(Refused::ForGood);
                }
            }
            Self::Asymmetric => membarrier::barrier()?,
            // SeqCst fence: pairs with the full barrier in `Record::enter_full`. (A heavy barrier
            // includes one, for firings that began before there were light ones.)
            Self::Full | Self::FullAgain => fence(Ordering::SeqCst),
        }
        Ok(())
    }
}
