//! Intrusive lists of what is retired: linked through the slots and the snapshots themselves, so
//! that retiring allocates nothing. All under the lock.

use super::cell::Node;
use super::slot::SlotPtr;
use super::snapshot::Snapshot;
use std::ptr;

/// A list of closures in the order of their numbers, linked through their slots.
pub(super) struct Closures {
    first: Option<SlotPtr>,
    last: Option<SlotPtr>,
}

impl Closures {
    pub(super) const EMPTY: Self = Self {
        first: None,
        last: None,
    };

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn first_number(&self) -> Option<u64> {
        // SAFETY: what is in a list is alive (the domain's reference), and the list is under the
        // lock.
        self.first.map(|slot| unsafe { slot.links() }.number)
    }

    /// # Safety
    /// The slot is alive, and in no list.
    pub(super) unsafe fn push(&mut self, slot: SlotPtr) {
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

    pub(super) fn pop(&mut self) -> Option<SlotPtr> {
        let slot = self.first?;
        // SAFETY: it is in this list.
        unsafe { self.remove(slot) };
        Some(slot)
    }

    /// # Safety
    /// The slot is in this list.
    pub(super) unsafe fn remove(&mut self, slot: SlotPtr) {
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
    pub(super) fn append(&mut self, other: &mut Self) {
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
pub(super) struct Snapshots {
    first: *mut Node,
    last: *mut Node,
    sum: Sum,
}

// SAFETY: owned memory that nobody else reaches; entries are `Send`.
unsafe impl Send for Snapshots {}

impl Snapshots {
    pub(super) const EMPTY: Self = Self {
        first: ptr::null_mut(),
        last: ptr::null_mut(),
        sum: Sum::ZERO,
    };

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// # Safety
    /// The snapshot is alive, and in no list.
    pub(super) unsafe fn push(&mut self, snapshot: *mut Node) {
        // SAFETY: alive; the note is touched under the lock only.
        unsafe {
            (*(*snapshot).retired.get()).next = self.first;
            self.sum.add(Sum::of(&(*snapshot).snapshot));
        }
        if self.first.is_null() {
            self.last = snapshot;
        }
        self.first = snapshot;
    }

    pub(super) fn append(&mut self, other: &mut Self) {
        if other.first.is_null() {
            return;
        }
        // SAFETY: in a list, so alive; under the lock.
        unsafe { (*(*other.last).retired.get()).next = self.first };
        if self.first.is_null() {
            self.last = other.last;
        }
        self.first = other.first;
        self.sum.add(other.sum);
        *other = Self::EMPTY;
    }

    /// Takes all, and says how much it is.
    pub(super) fn take(&mut self) -> (*mut Node, Sum) {
        let all = std::mem::replace(self, Self::EMPTY);
        (all.first, all.sum)
    }
}

/// How many snapshots, and how many entries in them.
#[derive(Clone, Copy)]
pub(super) struct Sum {
    pub(super) snapshots: u64,
    pub(super) entries: usize,
}

impl Sum {
    pub(super) const ZERO: Self = Self {
        snapshots: 0,
        entries: 0,
    };

    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self {
            snapshots: 1,
            entries: snapshot.len(),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.snapshots += other.snapshots;
        self.entries += other.entries;
    }

    /// Takes `other` away, as far as it is there; returns how much that was.
    pub(super) fn take(&mut self, other: Self) -> Self {
        let taken = Self {
            snapshots: self.snapshots.min(other.snapshots),
            entries: self.entries.min(other.entries),
        };
        self.snapshots -= taken.snapshots;
        self.entries -= taken.entries;
        taken
    }
}
