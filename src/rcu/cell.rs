//! The atomic pointer to an event's snapshot: read by firings, updated by writers.
//!
//! **Here a snapshot is swapped in:** [`EventCell::publish`].

use super::reclaim::DomainWriter;
use super::slot::Handle;
use super::snapshot::{Listed, ProbeEntry, Snapshot};
use super::{SlotPtr, domain};
use crate::metadata::Metadata;
use crate::sync::{AtomicPtr, Ordering, const_fn, fence, plain};
use std::alloc::{Layout, alloc};
use std::cell::UnsafeCell;
use std::fmt;
use std::ptr;

/// A snapshot as it lies in memory: the immutable part, which readers see, and the writers' note
/// beside.
pub(crate) struct Node {
    pub(super) snapshot: Snapshot,
    /// Written and read under the lock only, once the snapshot is unlinked.
    pub(super) retired: UnsafeCell<Retired>,
}

/// The place of a retired snapshot in the reclaimer's list: retiring allocates nothing.
pub(super) struct Retired {
    pub(super) next: *mut Node,
    /// Slots to be released with it.
    pub(super) tombstones: Option<SlotPtr>,
}

/// What an event consists of.
pub(crate) struct EventCell {
    /// What firings read: the snapshot's first entry. Null: off.
    published: AtomicPtr<Option<Listed>>,
    /// The whole of the same snapshot, and that of an event whose probes are all off (quarantined,
    /// or tombstones). Touched under the lock only.
    attached: plain::AtomicPtr<Node>,
    /// Probes attached. Written under the lock.
    count: plain::AtomicU32,
    /// Entries of `attached`: a hint for allocating before the lock is taken. Written under the
    /// lock.
    entries: plain::AtomicU32,
    metadata: &'static Metadata,
}

impl EventCell {
    const_fn! {
        pub(crate) fn new(metadata: &'static Metadata) -> Self {
            Self {
                published: AtomicPtr::new(ptr::null_mut()),
                attached: plain::AtomicPtr::new(ptr::null_mut()),
                count: plain::AtomicU32::new(0),
                entries: plain::AtomicU32::new(0),
                metadata,
            }
        }
    }

    pub(crate) fn metadata(&self) -> &'static Metadata {
        self.metadata
    }

    /// The off check: one load, one test.
    #[inline(always)]
    pub(crate) fn is_enabled(&self) -> bool {
        // Relaxed: nothing is dereferenced. What the null that ends a group orders is seen to by
        // the fence in `read`.
        !self.published.load(Ordering::Relaxed).is_null()
    }

    pub(crate) fn probe_count(&self) -> usize {
        self.count.load(Ordering::Relaxed) as usize
    }

    /// Calls `each` with the entries of the current snapshot.
    ///
    /// # Safety
    /// The caller is inside, until `each` has returned for the last time (I3).
    #[inline(always)]
    pub(crate) unsafe fn read(&self, mut each: impl FnMut(&ProbeEntry)) {
        // Acquire fence: pairs with the Release store of null in `publish`. This thread may have
        // passed another event's off check before, by a Relaxed load that read that null; from here
        // on it must see the gate closed that was closed before (G5).
        fence(Ordering::Acquire);
        // Acquire: pairs with the Release store in `publish`.
        let mut next = self.published.load(Ordering::Acquire).cast_const();
        if next.is_null() {
            return;
        }
        loop {
            // SAFETY: an entry of a snapshot that is published, so initialised (Acquire above) and
            // never mutated again (I1); loaded while pinned, so not reclaimed before the caller
            // unpins (I2, I3). There is a first one (`publish`), and it is not the end.
            let listed = unsafe { (*next).as_ref().unwrap_unchecked() };
            listed.canary.alive();
            each(&listed.entry);
            // SAFETY: that was an entry, so behind it lies another, or the end.
            unsafe {
                next = next.add(1);
                if (*next).is_none() {
                    return;
                }
            }
        }
    }

    /// The attached entries, for a writer.
    fn attached<'w>(&self, _: &'w DomainWriter) -> impl Iterator<Item = &'w ProbeEntry> {
        let node = self.attached.load(Ordering::Relaxed);
        // SAFETY: linked if not null, and it takes a `&mut DomainWriter` to unlink it (I4).
        let node: Option<&'w Node> = unsafe { node.as_ref() };
        node.into_iter().flat_map(|node| node.snapshot.iter())
    }

    /// A handle for each attached probe, in attach order. Allocates before it takes the lock (I5).
    pub(crate) fn handles(&self) -> Vec<Handle> {
        let mut capacity = self.guess_len(0);
        loop {
            let mut handles = Vec::with_capacity(capacity);
            let writer = domain().lock();
            capacity = self.next_len(&writer, 0);
            if capacity <= handles.capacity() {
                for entry in self.attached(&writer) {
                    // SAFETY: linked, and the writer is borrowed (I4).
                    if !unsafe { entry.slot.header() }.is_detached() {
                        // SAFETY: likewise, so it is alive.
                        handles.push(unsafe { Handle::another(entry.slot) });
                    }
                }
                return handles;
            }
            // Another writer was quicker.
        }
    }

    /// How many entries the next snapshot has, if `added` are attached to it.
    pub(crate) fn next_len(&self, writer: &DomainWriter, added: usize) -> usize {
        // SAFETY: linked, and the writer is borrowed (I4).
        let kept = |entry: &&ProbeEntry| !unsafe { entry.slot.header() }.is_detached();
        self.attached(writer).filter(kept).count() + added
    }

    /// A guess of how many entries the next snapshot has: another writer may be quicker.
    pub(crate) fn guess_len(&self, added: usize) -> usize {
        self.entries.load(Ordering::Relaxed) as usize + added
    }

    /// The update: replaces the snapshot by one without the detached probes and with `added`, in
    /// `buffer`; retires the old one. Returns the buffer if it was not needed.
    ///
    /// The caller has seen to it that `buffer` has room for [`EventCell::next_len`] entries; it may
    /// be none if that is zero.
    pub(crate) fn update(
        &self,
        writer: &mut DomainWriter,
        buffer: Option<Box<Node>>,
        added: impl ExactSizeIterator<Item = ProbeEntry>,
    ) -> Option<Box<Node>> {
        let old = self.attached.load(Ordering::Relaxed);
        let added_len = added.len();
        let mut tombstones = None;
        let mut enabled = added_len > 0;
        let mut spare = None;
        let next = {
            let entries = self.attached(writer);
            let mut keep = |entry: &ProbeEntry| {
                // SAFETY: linked, and this is the writer (I4).
                let header = unsafe { entry.slot.header() };
                enabled |= header.is_live();
                if header.is_detached() {
                    // SAFETY: likewise; no other reference to these links exists under the lock,
                    // and the snapshot that the tombstone is taken out of is the writer's.
                    unsafe {
                        if entry.slot.links().tombstone {
                            *entry.slot.next_tombstone() = tombstones.replace(entry.slot);
                        }
                    }
                    return false;
                }
                true
            };
            match buffer {
                None => {
                    debug_assert_eq!(added_len, 0);
                    let kept = entries.filter(|entry| keep(entry)).count();
                    debug_assert_eq!(kept, 0);
                    None
                }
                Some(mut buffer) => {
                    buffer.snapshot.fill(entries, keep, added);
                    if buffer.snapshot.len() == 0 {
                        spare = Some(buffer);
                        None
                    } else {
                        Some(buffer)
                    }
                }
            }
        };
        let len = next.as_ref().map_or(0, |node| node.snapshot.len());
        let next = next.map_or(ptr::null_mut(), Box::into_raw);
        self.attached.store(next, Ordering::Relaxed);
        if enabled {
            // SAFETY: enabled, so there is an entry; and it has just been made.
            self.publish(unsafe { (*next).snapshot.first() }.cast_mut());
        } else {
            self.publish(ptr::null_mut());
        }
        self.entries.store(clamp(len), Ordering::Relaxed);
        let count = self.count.load(Ordering::Relaxed);
        self.count
            .store(count.saturating_add(clamp(added_len)), Ordering::Relaxed);
        if !old.is_null() {
            // SAFETY: from `Box::into_raw` here, earlier. Unlinked just now (I2): neither pointer
            // of this cell holds it any more. Readers do not look at `retired`, and the writer is
            // alone.
            unsafe {
                (*(*old).retired.get()).tombstones = tombstones;
                writer.retire_snapshot(old);
            }
        }
        spare
    }

    /// The swap. (A store: there is one writer.)
    fn publish(&self, next: *mut Option<Listed>) {
        // Release: pairs with the Acquire in `read`, for the snapshot's contents; with the fence
        // there, if it is null, for the gate that was closed before.
        self.published.store(next, Ordering::Release);
    }

    /// One probe fewer.
    pub(super) fn uncount(&self, _: &mut DomainWriter) {
        let count = self.count.load(Ordering::Relaxed);
        self.count.store(count.saturating_sub(1), Ordering::Relaxed);
    }

    /// Switches the event off if no probe of it is live any more. Allocates nothing.
    pub(crate) fn disable_if_idle(&self, writer: &mut DomainWriter) {
        let live = |entry: &ProbeEntry| {
            // SAFETY: linked, and this is the writer (I4).
            unsafe { entry.slot.header() }.is_live()
        };
        if !self.attached(writer).any(live) {
            self.publish(ptr::null_mut());
        }
    }

    /// Marks the detached probes that are still in the snapshot: there was no memory for a shorter
    /// one. They stay as tombstones, and a later update takes them out (G15).
    pub(crate) fn keep_tombstones(&self, writer: &mut DomainWriter) {
        for entry in self.attached(writer) {
            // SAFETY: linked, and this is the writer (I4); one reference to the links at a time.
            unsafe { entry.slot.make_tombstone() };
        }
        self.disable_if_idle(writer);
    }

    /// The same for one probe, when there is no memory to go through them event by event.
    pub(super) fn keep_tombstone(&self, writer: &mut DomainWriter, slot: SlotPtr) {
        if self.attached(writer).any(|entry| entry.slot == slot) {
            // SAFETY: linked, and this is the writer (I4).
            unsafe { slot.make_tombstone() };
        }
        self.disable_if_idle(writer);
    }
}

impl EventCell {
    /// Formats it under this name: a half of a span has one of its own.
    pub(crate) fn fmt_as(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("name", &name)
            .field("is_enabled", &self.is_enabled())
            .field("probe_count", &self.probe_count())
            .finish()
    }
}

impl fmt::Debug for EventCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as(self.metadata.whole_name(), f)
    }
}

fn clamp(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

impl Node {
    pub(crate) fn capacity(&self) -> usize {
        self.snapshot.capacity()
    }
}

/// An empty snapshot in a box, with room for `capacity` entries; none if there is no memory. User
/// code (the global allocator): not under the lock (I5).
pub(crate) fn try_buffer(capacity: usize) -> Option<Box<Node>> {
    let snapshot = Snapshot::try_with_capacity(capacity)?;
    let node = Node {
        snapshot,
        retired: UnsafeCell::new(Retired {
            next: ptr::null_mut(),
            tombstones: None,
        }),
    };
    // SAFETY: the layout is not empty.
    let memory = unsafe { alloc(Layout::new::<Node>()) };
    #[allow(
        clippy::cast_ptr_alignment,
        reason = "the layout asks for a `Node`'s alignment"
    )]
    let memory = memory.cast::<Node>();
    if memory.is_null() {
        return None;
    }
    // SAFETY: allocated for a `Node` with the global allocator, as `Box` wants it, and written
    // before the box is made.
    unsafe {
        memory.write(node);
        Some(Box::from_raw(memory))
    }
}

#[allow(
    clippy::unnecessary_box_returns,
    reason = "what goes into the cell is the box"
)]
/// As [`try_buffer`]; ends the process as `Box::new` does if there is no memory.
pub(crate) fn buffer(capacity: usize) -> Box<Node> {
    try_buffer(capacity).unwrap_or_else(|| std::alloc::handle_alloc_error(Layout::new::<Node>()))
}

/// Switches a probe off after a panic. On the firing thread, which may take the lock: nobody waits
/// for firings under it.
#[cold]
pub(crate) fn quarantine(header: &super::slot::Header) {
    if header.quarantine() {
        header.cell.disable_if_idle(&mut domain().lock());
    }
}
