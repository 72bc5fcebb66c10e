//! Read-copy-update: how a firing reads a snapshot while a writer replaces it. Nearly all `unsafe`
//! of the crate is in this folder; the rest is in `place.rs`, the type-safe wrapper above it.
//!
//! # Invariants
//!
//! Each `unsafe` block cites those it relies on.
//!
//! * **I1, a published snapshot is never mutated.** [`EventCell`] hands out `&Snapshot` only; a
//!   writer builds a new one.
//! * **I2, unlinked before retired.** A snapshot is handed to [`reclaim`] after the swap that took
//!   it out of its [`EventCell`]; a captured closure after the swap of its slot's state to
//!   detached, which is what unlinks it.
//! * **I3, dereferenced only while inside**: in a [`lane`], or pinned through crossbeam-epoch (or
//!   under the lock, which keeps everything linked alive).
//! * **I4, one writer at a time.** Whatever changes a [`EventCell`] takes `&mut DomainWriter`, and
//!   the only [`DomainWriter`](reclaim::DomainWriter) is inside the lock of the [`Domain`].
//! * **I5, no user code under the lock**: no closure, no `Drop`, no allocation (a global allocator
//!   may fire events, whose probes are user code). Buffers are allocated before the lock is taken
//!   and freed after it is released.
//!
//! # Where things are
//!
//! [`cell`]: the atomic pointer, where a snapshot is swapped in · [`update`]: what writers do, around it ·
//! [`snapshot`]: the immutable vector · [`slot`]: one probe's memory, typed and erased · [`gate`]: the instant of a batch ·
//! [`panic`]: what a panicking probe does · [`pin`]: the thread's state, nesting · [`lane`]: how firings are seen, with [`membarrier`] ·
//! [`reclaim`]: retire, grace periods, drain, with its lists in [`lists`] · [`fork`]: what a child process must mend.

pub(crate) mod cell;
pub(crate) mod fork;
pub(crate) mod gate;
pub(crate) mod lane;
mod lists;
mod membarrier;
pub(crate) mod panic;
pub(crate) mod pin;
pub(crate) mod reclaim;
pub(crate) mod slot;
pub(crate) mod snapshot;
pub(crate) mod update;

pub(crate) use cell::EventCell;
pub(crate) use slot::{SlotPtr, Thunk};

use crate::sync::{AtomicPtr, AtomicU64, Mutex, MutexGuard, global, plain};
use crossbeam_epoch::Collector;
use std::ptr;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// What all events of the process share.
pub(crate) struct Domain {
    /// The one lock. It stands in for the stopped world: a thread that changes any event holds it.
    writer: Mutex<reclaim::DomainWriter>,
    /// The number of the last grace period that is over. Written by the function deferred through
    /// crossbeam-epoch, which does nothing else.
    grace_done: AtomicU64,
    /// Which attaches are complete.
    pub(crate) sequence: gate::Sequence,
    /// Our own collector, so that other crates' pins do not hold our grace periods up, nor ours
    /// theirs. A pointer, not a lazy cell: after `fork` the child replaces it, at whatever point
    /// the parent's threads were. Null until the first thread registers.
    collector: AtomicPtr<Collector>,
    lanes: lane::Lanes,
    pub(crate) counters: Counters,
}

/// Statistics; they order nothing.
pub(crate) struct Counters {
    pub(crate) probe_panics: plain::AtomicU64,
    pub(crate) skipped_nested: plain::AtomicU64,
    pub(crate) skipped_registering: plain::AtomicU64,
    pub(crate) drop_panics: plain::AtomicU64,
    /// Participants that left the collector: each leaves a bag in crossbeam's queue, which later
    /// flushes have to work off.
    pub(crate) departed: plain::AtomicU64,
}

global! {
    static DOMAIN: Domain = Domain {
        writer: Mutex::new(reclaim::DomainWriter::new()),
        grace_done: AtomicU64::new(0),
        sequence: gate::Sequence::new(),
        collector: AtomicPtr::new(ptr::null_mut()),
        lanes: lane::Lanes::new(),
        counters: Counters {
            probe_panics: plain::AtomicU64::new(0),
            skipped_nested: plain::AtomicU64::new(0),
            skipped_registering: plain::AtomicU64::new(0),
            drop_panics: plain::AtomicU64::new(0),
            departed: plain::AtomicU64::new(0),
        },
    };
}

/// The process's domain (in a model: this execution's).
#[inline(always)]
pub(crate) fn domain() -> &'static Domain {
    &DOMAIN
}

impl Domain {
    /// Takes the lock. No user code may run while it is held (I5), so nothing can panic under it;
    /// should a bug do so all the same, the lists are still consistent, and the poison is ignored.
    pub(crate) fn lock(&self) -> MutexGuard<'_, reclaim::DomainWriter> {
        fork::install();
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The collector, made at first use. Allocates then, so never call it under the lock.
    fn collector(&self) -> &Collector {
        // Acquire: pairs with the AcqRel of the exchange below.
        let mut collector = self.collector.load(Ordering::Acquire);
        if collector.is_null() {
            let new = Box::into_raw(Box::new(Collector::new()));
            // AcqRel: publishes the collector, or sees the one that another thread published.
            match self.collector.compare_exchange(
                ptr::null_mut(),
                new,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => collector = new,
                Err(theirs) => {
                    // SAFETY: `new` comes from `Box::into_raw` above and was not published.
                    drop(unsafe { Box::from_raw(new) });
                    collector = theirs;
                }
            }
        }
        // SAFETY: not null, from `Box::into_raw`, and never freed while the domain lives: the
        // domain is a static, and `fork::child` leaks the collector that it replaces.
        unsafe { &*collector }
    }
}

impl Drop for Domain {
    /// Runs in models only, at the end of an execution; a static is never dropped.
    fn drop(&mut self) {
        self.lanes.free();
        let collector = self.collector.load(Ordering::Relaxed);
        if !collector.is_null() {
            // SAFETY: from `Box::into_raw` in `collector`, and nobody else can reach it any more.
            drop(unsafe { Box::from_raw(collector) });
        }
    }
}
