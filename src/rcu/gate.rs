//! What makes a batch one instant: the process-wide sequence number, whose store begins all probes
//! of one attach or commit, and the gate that a batch's probes share, whose store ends them.

use crate::sync::{AtomicBool, AtomicU64, Ordering, const_fn};

/// The number of the last attach or commit whose snapshots are all in place.
///
/// A slot has the number of its own attach. A firing calls a batched probe if that number is not
/// above this one. Without the number, a firing could see one event's new snapshot, and a later
/// firing another event's old one.
pub(crate) struct Sequence(AtomicU64);

impl Sequence {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self(AtomicU64::new(0))
        }
    }

    /// Up to where attaches are complete.
    #[inline(always)]
    pub(crate) fn now(&self) -> u64 {
        // Acquire: pairs with the Release in `publish`: a thread that finds one probe of a batch
        // finds all of its snapshots in place from then on.
        self.0.load(Ordering::Acquire)
    }

    /// The attach or commit of this number is complete. Called under the lock, after the last of
    /// its snapshots has been swapped in.
    pub(super) fn publish(&self, number: u64) {
        // Release: pairs with the Acquire in `now`.
        self.0.store(number, Ordering::Release);
    }
}

/// One flag that all probes of a batch share, so that they end at one store.
pub(crate) struct Gate {
    closed: AtomicBool,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            closed: AtomicBool::new(false),
        }
    }

    #[inline(always)]
    pub(crate) fn is_closed(&self) -> bool {
        // Relaxed: a firing that has seen one of the swaps after `close` sees it closed, by what
        // that swap released; one that has seen it closed sees it so again, by coherence.
        self.closed.load(Ordering::Relaxed)
    }

    /// Before the first of its snapshots is swapped out.
    pub(crate) fn close(&self) {
        // Relaxed: the swaps that follow release it, the slots' and the snapshots'
        // (`Header::detach`, `EventCell::publish`); who sees one of those sees the gate closed.
        self.closed.store(true, Ordering::Relaxed);
    }
}
