//! Retire, grace periods, drain: what becomes of an unlinked snapshot and of a detached probe's
//! closure.
//!
//! ```text
//!   retire ─► NEXT ─(a grace period starts)─► WAITING ─(it is over)─► READY ─► being dropped ─► gone
//! ```
//!
//! A grace period is over when two have said so. The scan of the [`lanes`](super::lane) speaks for
//! the threads that have one. crossbeam-epoch speaks for the others (those past their destructors),
//! and does nothing else: the function deferred through it is one Release store. It would otherwise
//! drop closures on threads that only fire, and one that panics would take the rest of its bag
//! along. One grace period runs at a time, so what crossbeam holds is bounded however long a reader
//! stalls, and however much is retired meanwhile.
//!
//! The lists are intrusive: retiring allocates nothing, and cannot fail. Closures are counted
//! through: each has a number, and "all below n are gone" is what `synchronize` waits for. (A list
//! that is empty says less: another thread may be dropping what it took from it.)

use super::cell::Node;
use super::lane::{Barriers, Scan};
use super::lists::{Closures, Snapshots, Sum};
use super::membarrier::Refused;
use super::pin;
use super::slot::SlotPtr;
use super::{Domain, domain};
use crate::sync::{self, MODEL, Ordering};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What only the holder of the lock may touch.
pub(crate) struct DomainWriter {
    /// The number of the last attach or commit.
    attaches: u64,
    closures: Stages<Closures>,
    /// Taken from READY by some thread, and not yet gone; in the order of their numbers.
    dropping: Closures,
    snapshots: Stages<Snapshots>,
    /// The number that the next retired closure gets.
    next_number: u64,
    grace: Grace,
    /// Retired snapshots that are not reclaimed yet: a measure of the memory that waits.
    pending: Sum,
    /// Those of them that some thread is freeing.
    freeing: Sum,
    retired: u64,
    reclaimed: u64,
}

struct Grace {
    /// The last grace period started.
    started: u64,
    /// Whether that one is still to be accounted for.
    running: bool,
    /// The running one's look at the lanes. None while a thread is at it.
    scan: Option<Scan>,
    /// For the next one.
    barriers: Barriers,
    /// The last one that is over. (Not `started - 1` while one runs: a fork abandons one.)
    finished: u64,
    /// Somebody waits for this one, even if nothing is to be reclaimed.
    wanted: u64,
    /// `Counters::departed` when the last one started, and when the last finished one did: what
    /// left before that is worked off by then, since crossbeam's queue is first in, first out.
    departed_at_start: u64,
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

impl Ticket {
    pub(super) fn number(self) -> u64 {
        self.number
    }
}

impl DomainWriter {
    pub(super) const fn new() -> Self {
        Self {
            attaches: 0,
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
                scan: None,
                barriers: Barriers::Full,
                finished: 0,
                wanted: 0,
                departed_at_start: 0,
                departed: 0,
            },
            pending: Sum::ZERO,
            freeing: Sum::ZERO,
            retired: 0,
            reclaimed: 0,
        }
    }

    /// The number of the attach or commit that begins now.
    pub(super) fn next_attach(&mut self) -> u64 {
        self.attaches += 1;
        self.attaches
    }

    pub(crate) fn retired(&self) -> u64 {
        self.retired
    }

    pub(crate) fn reclaimed(&self) -> u64 {
        self.reclaimed
    }

    pub(crate) fn has_membarrier(&self) -> bool {
        self.grace.barriers == Barriers::Asymmetric
    }

    /// Whether retired snapshots hold so much memory that an update should see to it, even one that
    /// drops nothing.
    pub(crate) fn is_heavy(&self) -> bool {
        self.pending.entries > 4096
    }

    /// Detaches a probe: takes it out of the live, and retires its closure. True if this call did
    /// it.
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
        let links = unsafe { slot.links() };
        links.number = self.next_number;
        links.descendant = pin::is_dropping_descendant();
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
        self.pending.add(Sum::of(unsafe { &(*snapshot).snapshot }));
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
        let lists = [
            &self.dropping,
            &self.closures.ready,
            &self.closures.waiting,
            &self.closures.next,
        ];
        self.grace.finished >= ticket.grace
            && lists.iter().all(|list| {
                list.first_number()
                    .is_none_or(|first| first >= ticket.number)
            })
    }

    /// Accounts for the running grace period, if it is over.
    fn finish(&mut self, domain: &Domain) {
        // Acquire: pairs with the Release in the deferred function. Whatever the firings did that
        // this grace period waited for happened before what we do to the memory now.
        if self.grace.running
            && self.grace.scan.as_ref().is_some_and(Scan::is_over)
            && domain.grace_done.load(Ordering::Acquire) >= self.grace.started
        {
            self.grace.scan = None;
            self.grace.running = false;
            self.grace.finished = self.grace.started;
            self.grace.departed = self.grace.departed_at_start;
            self.closures.ready.append(&mut self.closures.waiting);
            self.snapshots.ready.append(&mut self.snapshots.waiting);
        }
    }

    /// Firings do without barriers of their own from now on, unless they had to take them up again.
    pub(super) fn lighten(&mut self, domain: &Domain) {
        if self.grace.barriers == Barriers::Full {
            self.set_barriers(domain, Barriers::Asymmetric);
        }
    }

    fn set_barriers(&mut self, domain: &Domain, barriers: Barriers) {
        self.grace.barriers = barriers;
        domain.lanes.advance(self.grace.started, barriers);
    }

    /// Takes back the scan from a thread that was at it.
    fn scanned(&mut self, domain: &Domain, mut scan: Scan, result: Result<(), Refused>) {
        if !self.grace.running || self.grace.started != scan.number() {
            // The process has forked, and this is the parent's.
            return;
        }
        if result == Err(Refused::ForGood) {
            scan.distrust();
            self.set_barriers(domain, Barriers::FullAgain);
        } else if self.grace.barriers == Barriers::FullAgain && scan.barriers() == Barriers::Full {
            // All threads have passed a barrier since.
            self.set_barriers(domain, Barriers::Full);
        }
        self.grace.scan = Some(scan);
    }

    /// Starts a grace period, if none runs and there is a reason to. The caller then defers its
    /// end, outside the lock.
    fn start(&mut self, domain: &Domain) -> Option<u64> {
        let reason = !self.closures.next.is_empty()
            || !self.snapshots.next.is_empty()
            || self.grace.wanted > self.grace.finished;
        if self.grace.running || !reason {
            return None;
        }
        self.grace.running = true;
        self.grace.started += 1;
        self.grace.scan = Some(Scan::new(self.grace.started, self.grace.barriers));
        domain
            .lanes
            .advance(self.grace.started, self.grace.barriers);
        self.grace.departed_at_start = domain.counters.departed.load(Ordering::Relaxed);
        self.closures.waiting.append(&mut self.closures.next);
        self.snapshots.waiting.append(&mut self.snapshots.next);
        Some(self.grace.started)
    }

    /// In a forked child: the other threads are gone, with the grace period that waited for them.
    /// (Its end, deferred in the parent's collector, never comes; and the next has a number of its
    /// own.) What waited, waits again; what they were dropping or freeing is lost with them, and
    /// written off.
    pub(super) fn forked(&mut self, own: Option<SlotPtr>) {
        self.grace.running = false;
        self.grace.scan = None;
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
        self.freed(self.freeing);
    }

    /// Writes down that snapshots have been freed. (As far as they are expected: those of the
    /// thread that forked are written off already when it comes to this.)
    fn freed(&mut self, sum: Sum) {
        let sum = self.freeing.take(sum);
        self.pending.take(sum);
        self.reclaimed += sum.snapshots;
    }
}

/// How far [`drive`] goes.
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
    fn is_enough(self, writer: &DomainWriter, ticket: Ticket) -> bool {
        !writer.is_heavy()
            && match self {
                Self::SnapshotsOnly => true,
                Self::UntilOver => writer.is_over(ticket),
                Self::All => false,
            }
    }
}

/// Flushes after which an unfinished grace period is given up for now. When nobody else is pinned,
/// two or three end it; with busy readers, eight end most.
const FLUSHES: u64 = if MODEL { 3 } else { 8 };

/// Bags that crossbeam works off at each flush.
const BAGS_PER_FLUSH: u64 = 8;

/// What a pass of [`drive`] found to do.
enum Next {
    Drop(SlotPtr, Lineage),
    Free(*mut Node, Sum),
    Flush(Option<u64>, Option<Scan>),
    Done,
}

/// Whose closure it is: of what the caller of [`drive`] asked for, or of what was detached by a
/// `Drop` of that; or of somebody else, taken since it came first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lineage {
    Own,
    Foreign,
}

/// Moves retired things along, drops and frees what is past its grace period, until `ticket` is
/// over or no more can be done without waiting, or `again`, which is asked after each step, says
/// no. Returns whether the ticket is over.
///
/// What the dropped closures detach in turn is dropped as well, before it returns. That goal is a
/// second one: only what was asked for can set it further, not what others retire meanwhile, so
/// that nobody can keep this thread here.
///
/// Not inside a firing, a `pinned` scope or a captured `Drop`; not under the lock.
pub(crate) fn drive(ticket: Ticket, effort: Effort, mut again: impl FnMut() -> bool) -> bool {
    drive_as(&pin::Reclaimer::new(), ticket, effort, &mut again)
}

fn drive_as(
    reclaimer: &pin::Reclaimer,
    ticket: Ticket,
    effort: Effort,
    again: &mut impl FnMut() -> bool,
) -> bool {
    debug_assert!(!pin::is_inside());
    let domain = domain();
    let mut goal = ticket;
    let mut flushes = 0;
    // What the last pass did, to be written down under the next pass's lock.
    let mut dropped: Option<SlotPtr> = None;
    let mut freed = Sum::ZERO;
    let mut scanned = None;
    let mut stop = false;
    loop {
        let mut writer = domain.lock();
        if let Some((scan, result)) = scanned.take() {
            writer.scanned(domain, scan, result);
        }
        writer.freed(freed);
        freed = Sum::ZERO;
        if let Some(slot) = dropped {
            writer.reclaimed += 1;
            // SAFETY: this thread put it into that list.
            unsafe { writer.dropping.remove(slot) };
            if let Some(number) = pin::take_retired_inside() {
                goal.number = goal.number.max(number);
                flushes = 0;
            }
        }
        writer.finish(domain);
        let over = writer.is_over(ticket);
        let next = if !writer.snapshots.ready.is_empty() {
            writer.take_snapshots()
        } else if stop || effort.is_enough(&writer, goal) {
            Next::Done
        } else if effort != Effort::SnapshotsOnly && !writer.closures.ready.is_empty() {
            writer.take_closure(ticket)
        } else if flushes >= writer.budget(domain) {
            Next::Done
        } else {
            let start = writer.start(domain);
            if writer.grace.running {
                Next::Flush(start, writer.grace.scan.take())
            } else {
                Next::Done
            }
        };
        drop(writer);
        if let Some(slot) = dropped.take() {
            // SAFETY: the domain's reference; the closure is gone. (A snapshot that still names the
            // slot has a reference of its own.)
            unsafe { slot.release() };
        }
        match next {
            Next::Drop(slot, lineage) => {
                drop_closure(domain, slot, lineage == Lineage::Own);
                dropped = Some(slot);
            }
            Next::Free(list, sum) => {
                // SAFETY: past their grace period, and taken out of the list.
                unsafe { free(list) };
                freed = sum;
            }
            Next::Flush(start, scan) => {
                flushes += flush(reclaimer, domain, start);
                // (Last, so that no fence of crossbeam's lends it an order that it has to have by
                // itself.)
                scanned = scan.map(|mut scan| {
                    let result = scan.drive();
                    (scan, result)
                });
            }
            Next::Done => return over,
        }
        stop = !again();
    }
}

impl DomainWriter {
    fn take_closure(&mut self, ticket: Ticket) -> Next {
        let Some(slot) = self.closures.ready.pop() else {
            return Next::Done;
        };
        // SAFETY: alive (the domain's reference), under the lock.
        let links = unsafe { slot.links() };
        let lineage = if links.number < ticket.number || links.descendant {
            Lineage::Own
        } else {
            Lineage::Foreign
        };
        // SAFETY: just taken out of the other list.
        unsafe { self.dropping.push(slot) };
        Next::Drop(slot, lineage)
    }

    fn take_snapshots(&mut self) -> Next {
        let (list, sum) = self.snapshots.ready.take();
        self.freeing.add(sum);
        Next::Free(list, sum)
    }

    /// How many flushes the running grace period is given for now.
    fn budget(&self, domain: &Domain) -> u64 {
        let departed = domain.counters.departed.load(Ordering::Relaxed);
        FLUSHES + departed.wrapping_sub(self.grace.departed) / BAGS_PER_FLUSH
    }
}

/// Drops a closure: user code, on this thread, without the lock.
fn drop_closure(domain: &Domain, slot: SlotPtr, own: bool) {
    pin::while_dropping(slot, own, || {
        // SAFETY: past its grace period, and each slot comes by once.
        domain.catch_drop(|| unsafe { slot.drop_closure() });
    });
}

impl Domain {
    /// Drops captures. A panic stays here, and is counted.
    pub(super) fn catch_drop(&self, drop: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(drop)) {
            // Relaxed: a statistic.
            self.counters.drop_panics.fetch_add(1, Ordering::Relaxed);
            super::panic::discard(payload);
        }
    }
}

/// Frees a list of snapshots.
///
/// # Safety
/// They are past their grace period, and the caller owns them.
unsafe fn free(mut list: *mut Node) {
    while !list.is_null() {
        // SAFETY: owned by the caller.
        let (next, mut tombstone) = unsafe {
            (*list).snapshot.canary.dead();
            let retired = &mut *(*list).retired.get();
            (retired.next, retired.tombstones.take())
        };
        if !MODEL {
            // SAFETY: from `Box::into_raw` in `EventCell::update`; owned by the caller. (In a model
            // the memory is leaked, so that the canary can tell.)
            drop(unsafe { Box::from_raw(list) });
        }
        while let Some(slot) = tombstone {
            // SAFETY: the reference of the snapshot that named the tombstone, and its link, which
            // is the list's from when it was taken out of that snapshot.
            unsafe {
                tombstone = slot.next_tombstone().take();
                slot.release();
            }
        }
        list = next;
    }
}

/// Pushes the running grace period along; defers its end first, if it has just been started.
/// Returns how many flushes it took.
fn flush(reclaimer: &pin::Reclaimer, domain: &'static Domain, start: Option<u64>) -> u64 {
    // Between two flushes of one pin the epoch can move on by one: three passes for a whole grace
    // period when nobody else is pinned.
    const PASSES: u64 = 3;
    reclaimer.with_guard(|guard| {
        if let Some(number) = start {
            guard.defer(move || {
                // Release: pairs with the Acquire in `DomainWriter::finish`. Nothing else is done
                // here: this runs on whatever thread collects, in the midst of a firing.
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
    let reclaimer = pin::Reclaimer::new();
    let mut spins = 0;
    loop {
        if drive_as(&reclaimer, ticket, Effort::UntilOver, &mut again) {
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
