//! The immutable probe vector: what a firing reads, and how a writer makes the next one. No
//! atomics, no `unsafe`: [`cell`](super::cell) publishes it, [`reclaim`](super::reclaim) frees it.

use super::{SlotPtr, Thunk};
use crate::sync::SharedCanary;
use smallvec::SmallVec;

/// One probe, as a snapshot names it: the function that calls it, and its memory. The function's
/// address lies here and not in the slot, so that a firing has it in a register when it calls.
#[derive(Clone, Copy)]
pub(crate) struct ProbeEntry {
    pub(crate) thunk: Thunk,
    pub(crate) slot: SlotPtr,
}

/// An entry in its place.
pub(crate) struct Listed {
    pub(crate) entry: ProbeEntry,
    /// The snapshot's. Nothing outside models.
    pub(crate) canary: SharedCanary,
}

/// An event's probes in attach order, and `None` behind the last: a firing goes from one to the
/// next, and has neither a length to look up nor an end to remember.
pub(crate) struct Snapshot {
    entries: SmallVec<[Option<Listed>; 3]>,
    pub(crate) canary: SharedCanary,
}

impl Snapshot {
    /// An empty snapshot with room for `capacity` entries, or none if there is no memory for them.
    pub(crate) fn try_with_capacity(capacity: usize) -> Option<Self> {
        let mut entries = SmallVec::new();
        entries.try_reserve_exact(capacity.checked_add(1)?).ok()?;
        Some(Self {
            entries,
            canary: SharedCanary::new(),
        })
    }

    /// How many entries fit without an allocation.
    pub(crate) fn capacity(&self) -> usize {
        self.entries.capacity() - 1
    }

    /// The entries in attach order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &ProbeEntry> {
        self.entries.iter().flatten().map(|listed| &listed.entry)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len().saturating_sub(1)
    }

    /// The first entry, for those who read on until there is a `None`.
    pub(crate) fn first(&self) -> *const Option<Listed> {
        debug_assert!(self.entries.last().is_some_and(Option::is_none));
        self.entries.as_ptr()
    }

    /// Fills an empty snapshot: the entries of `old` that are to be kept, then `added`. The caller
    /// has seen to it that they fit, since it holds the lock and must not allocate.
    pub(crate) fn fill<'o>(
        &mut self,
        old: impl IntoIterator<Item = &'o ProbeEntry>,
        mut keep: impl FnMut(&ProbeEntry) -> bool,
        added: impl IntoIterator<Item = ProbeEntry>,
    ) {
        debug_assert!(self.entries.is_empty());
        let canary = self.canary;
        let kept = old.into_iter().copied().filter(|entry| keep(entry));
        let listed = kept
            .chain(added)
            .map(|entry| Some(Listed { entry, canary }));
        for next in listed.chain([None]) {
            debug_assert!(self.entries.len() < self.entries.capacity());
            self.entries.push(next);
        }
    }
}

#[allow(clippy::assertions_on_constants, reason = "models are larger")]
const _: () = assert!(
    crate::sync::MODEL || size_of::<Option<Listed>>() == 2 * size_of::<usize>(),
    "the end is told by a null pointer"
);
