//! The flag that makes a batch one instant: shared by all its probes, opened by one store and
//! closed by one.

use crate::sync::{AtomicBool, Ordering};

/// One flag that all probes of a batch share, so that they begin and end at one store. Without it,
/// a firing could see one event's new snapshot, and a later firing another event's old one.
pub(crate) struct Gate {
    open: AtomicBool,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            open: AtomicBool::new(false),
        }
    }

    #[inline(always)]
    pub(crate) fn is_open(&self) -> bool {
        // Acquire: pairs with the Release in `open`: a thread that finds one probe of the batch
        // finds all snapshots in place from then on.
        self.open.load(Ordering::Acquire)
    }

    /// After the last of the batch's snapshots has been swapped in.
    pub(crate) fn open(&self) {
        // Release: pairs with the Acquire in `is_open`.
        self.open.store(true, Ordering::Release);
    }

    /// Before the first of its snapshots is swapped out.
    pub(crate) fn close(&self) {
        // Relaxed: the swaps that follow release it, the slots' and the snapshots'
        // (`Header::detach`, `EventCell::publish`); who sees one of those sees the gate closed.
        self.open.store(false, Ordering::Relaxed);
    }
}
