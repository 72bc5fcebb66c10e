//! Retire, grace periods, drain: what becomes of an unlinked snapshot and of a detached probe's closure.
//!
//! ```text
//!   retire ──► NEXT ──(a grace period starts)──► WAITING ──(it is over)──► READY ──► being dropped ──► gone
//! ```
//!
//! crossbeam-epoch tells when a grace period is over, and does nothing else: the function deferred
//! through it is one Release store. It would otherwise drop closures on firing threads, and one that
//! panics would take the rest of its bag along. One grace period runs at a time, so what crossbeam holds
//! is bounded however long a reader stalls, and however much is retired meanwhile.
//!
//! The lists are intrusive: retiring allocates nothing, and cannot fail. Closures are counted through:
//! each has a number, and "all below n are gone" is what `synchronize` waits for. (A list that is empty
//! says less: another thread may be dropping what it took from it.)

use super::cell::Node;
use super::pin;
use super::slot::SlotPtr;
use super::{Domain, domain};
use crate::sync::{self, MODEL, Ordering};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// What only the holder of the lock may touch.
pub(crate) struct Writer {
    closures: Stages<Closures>,
    /// Taken from READY by some thread, and not yet gone; in the order of their numbers.
    dropping: Closures,
    snapshots: Stages<Snapshots>,
    /// The number that the next retired closure gets.
    next_number: u64,
    grace: Grace,
    /// Entries of the retired snapshots that are not reclaimed yet: a measure of their memory.
    pending_entries: usize,
    retired: u64,
    reclaimed: u64,
}

struct Grace {
    /// The last grace period started.
    started: u64,
    /// Whether that one is still to be accounted for.
    running: bool,
    /// Somebody waits for this one, even if nothing is to be reclaimed.
    wanted: u64,
    /// `Counters::departed` when the last one ended.
    departed: u64,
}

struct Stages<L> {
    next: L,
    waiting: L,
    ready: L,
}

/// A point in time to wait for: everything detached before it has been dropped, every firing that
/// began before it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// All closures below this number are gone,
    number: u64,
    /// and this grace period, which starts later, is over.
    grace: u64,
}

impl Writer {
    pub(super) const fn new() -> Self {
        Self {
            closures: Stages {
                next: Closures::EMPTY,
                waiting: Closures::EMPTY,
                ready: Closures::EMPTY,
            },
            dropping: Closures::EMPTY,
            snapshots: Stages {
                next: Snapshots::EMPTY,
                waiting: Snapshots::EMPTY,
                ready: Snapshots::EMPTY,
            },
            next_number: 0,
            grace: Grace {
                started: 0,
                running: false,
                wanted: 0,
                departed: 0,
            },
            pending_entries: 0,
            retired: 0,
            reclaimed: 0,
        }
    }

    pub(crate) fn retired(&self) -> u64 {
        self.retired
    }

    pub(crate) fn reclaimed(&self) -> u64 {
        self.reclaimed
    }

    /// Whether retired snapshots hold so much memory that an update should see to it, even one that drops
    /// nothing.
    pub(crate) fn is_heavy(&self) -> bool {
        self.pending_entries > 4096
    }

    /// Detaches a probe: takes it out of the live, and retires its closure. True if this call did it.
    ///
    /// # Safety
    /// The slot is alive: the caller has a reference to it.
    pub(super) unsafe fn detach(&mut self, slot: SlotPtr) -> bool {
        // SAFETY: alive, by the caller's promise.
        let header = unsafe { slot.header() };
        if !header.detach() {
            return false;
        }
        header.cell.uncount(self);
        // SAFETY: alive, and this is the writer; no other reference to these links exists.
        unsafe { slot.links() }.number = self.next_number;
        self.next_number += 1;
        self.retired += 1;
        // SAFETY: unlinked by the swap in `detach` (I2), and in no list, since that happens once.
        unsafe { self.closures.next.push(slot) };
        true
    }

    /// Retires a snapshot.
    ///
    /// # Safety
    /// It comes from `Box::into_raw`, and is unlinked (I2); this is called once for it.
    pub(super) unsafe fn retire_snapshot(&mut self, snapshot: *mut Node) {
        // SAFETY: alive: nobody has reclaimed it.
        self.pending_entries += unsafe { (*snapshot).snapshot.len() };
        self.retired += 1;
        // SAFETY: by the caller's promise.
        unsafe { self.snapshots.next.push(snapshot) };
    }

    /// What to wait for if everything up to now is to be over.
    pub(crate) fn ticket(&mut self) -> Ticket {
        // The one that runs began too early; the next begins later than now.
        let grace = self.grace.started + 1;
        self.grace.wanted = self.grace.wanted.max(grace);
        Ticket {
            number: self.next_number,
            grace,
        }
    }

    /// What to wait for if everything that has been retired up to now is to be gone.
    pub(crate) fn retired_so_far(&self) -> Ticket {
        Ticket {
            number: self.next_number,
            grace: 0,
        }
    }

    pub(crate) fn is_over(&self, ticket: Ticket) -> bool {
        let over = self.grace.started - u64::from(self.grace.running);
        let lists = [
            &self.dropping,
            &self.closures.ready,
            &self.closures.waiting,
            &self.closures.next,
        ];
        over >= ticket.grace
            && lists.iter().all(|list| {
                list.first_number()
                    .is_none_or(|first| first >= ticket.number)
            })
    }

    /// Accounts for the running grace period, if it is over.
    fn finish(&mut self, domain: &Domain) {
        // Acquire: pairs with the Release in the deferred function. Whatever the firings did that this
        // grace period waited for happened before what we do to the memory now.
        if self.grace.running && domain.grace_done.load(Ordering::Acquire) >= self.grace.started {
            self.grace.running = false;
            self.grace.departed = domain.counters.departed.load(Ordering::Relaxed);
            self.closures.ready.append(&mut self.closures.waiting);
            self.snapshots.ready.append(&mut self.snapshots.waiting);
        }
    }

    /// Starts a grace period, if none runs and there is a reason to. The caller then defers its end,
    /// outside of the lock.
    fn start(&mut self) -> Option<u64> {
        let reason = !self.closures.next.is_empty()
            || !self.snapshots.next.is_empty()
            || self.grace.wanted > self.grace.started;
        if self.grace.running || !reason {
            return None;
        }
        self.grace.running = true;
        self.grace.started += 1;
        self.closures.waiting.append(&mut self.closures.next);
        self.snapshots.waiting.append(&mut self.snapshots.next);
        Some(self.grace.started)
    }

    /// In a forked child: the other threads are gone, with the grace period that waited for them. What
    /// waited, waits anew; what they were dropping is lost to them and is leaked.
    pub(super) fn forked(&mut self, own: Option<SlotPtr>) {
        self.grace.running = false;
        self.closures.waiting.append(&mut self.closures.next);
        self.closures.next.append(&mut self.closures.waiting);
        self.snapshots.waiting.append(&mut self.snapshots.next);
        self.snapshots.next.append(&mut self.snapshots.waiting);
        while let Some(slot) = self.dropping.pop() {
            if Some(slot) != own {
                self.reclaimed += 1;
            }
        }
        if let Some(slot) = own {
            // SAFETY: it was in this list, from which it has just been taken.
            unsafe { self.dropping.push(slot) };
        }
    }

    /// The domain's last grace period started: the number that the child's collector goes on from.
    pub(super) fn grace_started(&self) -> u64 {
        self.grace.started
    }
}

/// How far [`work`] goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Frees snapshots; drops no closure (attach).
    SnapshotsOnly,
    /// Frees and drops until the ticket is over.
    UntilOver,
    /// Frees and drops whatever can be (`reclaim`).
    All,
}

impl Effort {
    /// Whether nothing more needs to be done.
    fn is_enough(self, writer: &Writer, ticket: Ticket) -> bool {
        !writer.is_heavy()
            && match self {
                Self::SnapshotsOnly => true,
                Self::UntilOver => writer.is_over(ticket),
                Self::All => false,
            }
    }
}

/// Flushes after which an unfinished grace period is given up for now. When nobody else is pinned, two or
/// three end it; with busy readers, eight end most.
const FLUSHES: u64 = if MODEL { 3 } else { 8 };

/// Bags that crossbeam works off at each flush.
const BAGS_PER_FLUSH: u64 = 8;

/// What a pass of [`work`] found to do.
enum Next {
    Drop(SlotPtr),
    Free(*mut Node),
    Flush(Option<u64>),
    Done(bool),
}

/// Moves retired things along, drops and frees what is past its grace period, until `ticket` is over or
/// no more can be done without waiting. Returns whether the ticket is over.
///
/// Not inside a firing, a `pinned` scope or a captured `Drop`; not under the lock.
pub(crate) fn work(mut ticket: Ticket, effort: Effort) -> bool {
    debug_assert!(!pin::is_inside());
    let domain = domain();
    let mut flushes = 0;
    // What the last pass did, to be written down under the next pass's lock.
    let mut dropped: Option<SlotPtr> = None;
    let mut freed = Freed::default();
    loop {
        let next = {
            let mut writer = domain.lock();
            writer.reclaimed += freed.snapshots;
            writer.pending_entries -= freed.entries;
            freed = Freed::default();
            let mut releasable = None;
            if let Some(slot) = dropped.take() {
                writer.reclaimed += 1;
                // SAFETY: this thread put it into that list.
                unsafe { writer.dropping.remove(slot) };
                releasable = Some(slot);
                if pin::take_retired_inside() {
                    // Its `Drop` detached probes in turn: those too, before this call returns.
                    ticket.number = writer.next_number;
                    flushes = 0;
                }
            }
            writer.finish(domain);
            let budget = FLUSHES
                + domain
                    .counters
                    .departed
                    .load(Ordering::Relaxed)
                    .wrapping_sub(writer.grace.departed)
                    / BAGS_PER_FLUSH;
            let next = if !writer.snapshots.ready.is_empty() {
                Next::Free(writer.snapshots.ready.take())
            } else if effort.is_enough(&writer, ticket) {
                Next::Done(true)
            } else if effort != Effort::SnapshotsOnly && !writer.closures.ready.is_empty() {
                writer.take_ready().map_or(Next::Done(false), Next::Drop)
            } else if flushes >= budget {
                Next::Done(writer.is_over(ticket))
            } else {
                let start = writer.start();
                if writer.grace.running {
                    Next::Flush(start)
                } else {
                    Next::Done(writer.is_over(ticket))
                }
            };
            drop(writer);
            if let Some(slot) = releasable {
                // SAFETY: the domain's reference; the closure is gone. (A snapshot that still names the
                // slot has a reference of its own.)
                unsafe { slot.release() };
            }
            next
        };
        match next {
            Next::Drop(slot) => {
                drop_closure(domain, slot);
                dropped = Some(slot);
            }
            // SAFETY: past their grace period, and taken out of the list.
            Next::Free(list) => freed = unsafe { free(list) },
            Next::Flush(start) => flushes += flush(domain, start),
            Next::Done(over) => return over,
        }
    }
}

impl Writer {
    fn take_ready(&mut self) -> Option<SlotPtr> {
        let slot = self.closures.ready.pop()?;
        // SAFETY: just taken out of the other list.
        unsafe { self.dropping.push(slot) };
        Some(slot)
    }
}

/// Drops a closure: user code, on this thread, without the lock.
fn drop_closure(domain: &Domain, slot: SlotPtr) {
    let result = pin::while_dropping(slot, || {
        catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: past its grace period, and each slot comes by once.
            unsafe { slot.drop_closure() }
        }))
    });
    if let Err(payload) = result {
        // Relaxed: a statistic.
        domain.counters.drop_panics.fetch_add(1, Ordering::Relaxed);
        pin::while_dropping(slot, || crate::probe::discard(payload));
    }
}

#[derive(Default)]
struct Freed {
    snapshots: u64,
    entries: usize,
}

/// Frees a list of snapshots.
///
/// # Safety
/// They are past their grace period, and the caller owns them.
unsafe fn free(mut list: *mut Node) -> Freed {
    let mut freed = Freed::default();
    while !list.is_null() {
        // SAFETY: owned by the caller.
        let retired = unsafe { &mut *(*list).retired.get() };
        let (next, mut tombstone) = (retired.next, retired.tombstones.take());
        freed.snapshots += 1;
        // SAFETY: likewise.
        unsafe {
            freed.entries += (*list).snapshot.len();
            (*list).canary.dead();
        }
        if !MODEL {
            // SAFETY: from `Box::into_raw` in `Cell::update`; owned by the caller. (In a model the
            // memory is leaked, so that the canary can tell.)
            drop(unsafe { Box::from_raw(list) });
        }
        while let Some(slot) = tombstone {
            // SAFETY: the reference of the snapshot that named the tombstone. This part of its links is
            // ours: it was taken out of its last snapshot with this list.
            unsafe {
                tombstone = slot.links().next_tombstone.take();
                slot.release();
            }
        }
        list = next;
    }
    freed
}

/// Pushes the running grace period along; defers its end first, if it has just been started. Returns how
/// many flushes it took.
fn flush(domain: &'static Domain, start: Option<u64>) -> u64 {
    // Between two flushes of one pin the epoch can move on by one: three passes for a whole grace
    // period when nobody else is pinned.
    const PASSES: u64 = 3;
    pin::with_guard(|guard| {
        if let Some(number) = start {
            guard.defer(move || {
                // Release: pairs with the Acquire in `Writer::finish`. Nothing else is done here: this
                // runs on whatever thread collects, in the midst of a firing.
                domain.grace_done.store(number, Ordering::Release);
            });
        }
        for pass in 1..=PASSES {
            guard.flush();
            // Relaxed: a hint; `finish` looks again.
            if start.is_some_and(|number| domain.grace_done.load(Ordering::Relaxed) >= number) {
                return pass;
            }
            guard.repin();
        }
        PASSES
    })
}

/// Waits until the ticket is over. `again` is asked between attempts, and ends it by false.
pub(crate) fn wait(ticket: Ticket, mut again: impl FnMut() -> bool) -> bool {
    const SPINS: u32 = 2000;
    let mut spins = 0;
    loop {
        if work(ticket, Effort::UntilOver) {
            return true;
        }
        if !again() {
            return false;
        }
        sync::spinning();
        if spins < SPINS || MODEL {
            spins += 1;
            std::hint::spin_loop();
        } else {
            // A wake-up would have to come from the firing that ends the grace period. It polls
            // instead: firings know nothing of those who wait.
            std::thread::sleep(std::time::Duration::from_micros(50));
        }
    }
}

/// A list of closures in the order of their numbers, linked through their slots.
struct Closures {
    first: Option<SlotPtr>,
    last: Option<SlotPtr>,
}

impl Closures {
    const EMPTY: Self = Self {
        first: None,
        last: None,
    };

    fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    fn first_number(&self) -> Option<u64> {
        // SAFETY: what is in a list is alive (the domain's reference), and the list is under the lock.
        self.first.map(|slot| unsafe { slot.links() }.number)
    }

    /// # Safety
    /// The slot is alive, and in no list.
    unsafe fn push(&mut self, slot: SlotPtr) {
        // SAFETY: alive, and under the lock, as are all that are in the list; they are distinct.
        unsafe {
            let links = slot.links();
            links.prev = self.last;
            links.next = None;
            match self.last {
                None => self.first = Some(slot),
                Some(last) => last.links().next = Some(slot),
            }
        }
        self.last = Some(slot);
    }

    fn pop(&mut self) -> Option<SlotPtr> {
        let slot = self.first?;
        // SAFETY: it is in this list.
        unsafe { self.remove(slot) };
        Some(slot)
    }

    /// # Safety
    /// The slot is in this list.
    unsafe fn remove(&mut self, slot: SlotPtr) {
        // SAFETY: alive, and under the lock, as are its neighbours; all distinct.
        unsafe {
            let (prev, next) = {
                let links = slot.links();
                (links.prev.take(), links.next.take())
            };
            match prev {
                None => self.first = next,
                Some(prev) => prev.links().next = next,
            }
            match next {
                None => self.last = prev,
                Some(next) => next.links().prev = prev,
            }
        }
    }

    /// Moves all of `other` behind what is here.
    fn append(&mut self, other: &mut Self) {
        let Some(first) = other.first.take() else {
            return;
        };
        // SAFETY: both ends are in lists, so alive, and under the lock.
        unsafe {
            first.links().prev = self.last;
            match self.last {
                None => self.first = Some(first),
                Some(last) => last.links().next = Some(first),
            }
        }
        self.last = other.last.take();
    }
}

/// A list of snapshots, linked through themselves; their order says nothing.
struct Snapshots {
    first: *mut Node,
    last: *mut Node,
}

// SAFETY: owned memory that nobody else reaches; entries are `Send`.
unsafe impl Send for Snapshots {}

impl Snapshots {
    const EMPTY: Self = Self {
        first: ptr::null_mut(),
        last: ptr::null_mut(),
    };

    fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// # Safety
    /// The snapshot is alive, and in no list.
    unsafe fn push(&mut self, snapshot: *mut Node) {
        // SAFETY: alive; the note is touched under the lock only.
        unsafe { (*(*snapshot).retired.get()).next = self.first };
        if self.first.is_null() {
            self.last = snapshot;
        }
        self.first = snapshot;
    }

    fn append(&mut self, other: &mut Self) {
        if other.first.is_null() {
            return;
        }
        // SAFETY: in a list, so alive; under the lock.
        unsafe { (*(*other.last).retired.get()).next = self.first };
        if self.first.is_null() {
            self.last = other.last;
        }
        self.first = other.first;
        *other = Self::EMPTY;
    }

    fn take(&mut self) -> *mut Node {
        std::mem::replace(self, Self::EMPTY).first
    }
}
