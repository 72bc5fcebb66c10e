//! The immutable probe vector: what a firing reads, and how a writer makes the next one. No atomics, no
//! `unsafe`: those who publish and reclaim it are in [`rcu`](crate::rcu).

use crate::rcu::{SlotPtr, Thunk};
use smallvec::SmallVec;

/// One probe, as a snapshot names it: the function that calls it, and its memory. The function's address
/// lies here and not in the slot, so that a firing has it in a register when it calls.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) thunk: Thunk,
    pub(crate) slot: SlotPtr,
}

/// An event's probes in attach order.
pub(crate) struct Snapshot {
    entries: SmallVec<[Entry; 2]>,
}

impl Snapshot {
    /// An empty snapshot with room for `capacity` entries, or none if there is no memory for them.
    pub(crate) fn try_with_capacity(capacity: usize) -> Option<Self> {
        let mut entries = SmallVec::new();
        entries.try_reserve_exact(capacity).ok()?;
        Some(Self { entries })
    }

    /// How many entries fit without an allocation.
    pub(crate) fn capacity(&self) -> usize {
        self.entries.capacity()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entries in attach order.
    #[inline(always)]
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Fills an empty snapshot: the entries of `old` that are to be kept, then `added`. The caller has
    /// seen to it that they fit, since it holds the lock and must not allocate.
    pub(crate) fn fill(
        &mut self,
        old: &[Entry],
        mut keep: impl FnMut(&Entry) -> bool,
        added: impl IntoIterator<Item = Entry>,
    ) {
        debug_assert!(self.entries.is_empty());
        let kept = old.iter().copied().filter(|entry| keep(entry));
        for entry in kept.chain(added) {
            debug_assert!(self.entries.len() < self.entries.capacity());
            self.entries.push(entry);
        }
    }
}
