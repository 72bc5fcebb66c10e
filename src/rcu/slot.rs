//! One probe's memory: a header that outlives every snapshot naming it, and the closure beside it.
//!
//! A snapshot names a slot by two erased pointers, the slot's and that of the function that calls
//! it (its *thunk*). The types come back in two checked steps, so that the code which `event!`
//! generates contains no `unsafe` and can do no harm: [`Place`](crate::place::Place) fixes the
//! thunk's type for all probes of one event, and [`Slot::run`] compares the closure's type with the
//! one the slot was made for.

use super::cell::EventCell;
use super::domain;
use super::gate::Gate;
use super::snapshot::ProbeEntry;
use crate::options::ProbeOptions;
use crate::sync::{AtomicU8, Canary, Ordering, plain};
use std::any::TypeId;
use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop, MaybeUninit};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;
use std::sync::Arc;

/// States of a slot. A slot only moves forward.
pub(crate) mod state {
    /// Firings call it.
    pub(crate) const LIVE: u8 = 0;
    /// Firings call it if its batch is attached, and its gate not closed. Besides `LIVE`, so that a
    /// firing that finds a probe attached by itself need not look for a gate.
    pub(crate) const GATED: u8 = 1;
    /// It panicked, and is called no more; still attached.
    pub(crate) const QUARANTINED: u8 = 2;
    /// Detached: its closure is on the way to be dropped.
    pub(crate) const DETACHED: u8 = 3;
}

/// The part of a slot that does not depend on the closure's type.
#[repr(C)]
pub(crate) struct Header {
    state: AtomicU8,
    /// The closure's type, compared at each call. (Not the table's address: the compiler may make
    /// several copies of one table, and does, one for each codegen unit.)
    type_id: TypeId,
    /// The batch's gate, shared by its slots; none for a probe attached by itself.
    gate: Option<Arc<Gate>>,
    /// The number of its attach or commit, in the domain's sequence. Written under the lock, before
    /// it is published.
    born: plain::AtomicU64,
    /// Whether a call of it has panicked, whatever became of it then.
    pub(crate) panicked: plain::AtomicBool,
    vtable: &'static VTable,
    pub(crate) options: ProbeOptions,
    pub(crate) cell: &'static EventCell,
    /// Written under the lock only.
    pub(super) links: UnsafeCell<Links>,
    /// The list of the tombstones that an update took out of a snapshot; their references are given
    /// back when that snapshot is reclaimed. Owned by the snapshot's owner.
    next_tombstone: UnsafeCell<Option<SlotPtr>>,
    pub(crate) canary: Canary,
}

/// Intrusive list links: retiring allocates nothing.
pub(super) struct Links {
    pub(super) prev: Option<SlotPtr>,
    pub(super) next: Option<SlotPtr>,
    /// The number under which the closure was retired.
    pub(super) number: u64,
    /// Detached, but still named by its event's snapshot since there was no memory for a shorter
    /// one. The snapshot has a reference of its own then.
    pub(super) tombstone: bool,
    /// Detached by the `Drop` of what a drain was asked to drop, or of a descendant of that.
    pub(super) descendant: bool,
}

/// What can be done with a closure once its type is erased.
struct VTable {
    /// Drops the closure in place.
    drop_closure: unsafe fn(SlotPtr),
    /// Takes one more reference to the slot.
    retain: unsafe fn(SlotPtr),
    /// Gives back one reference to the slot.
    release: unsafe fn(SlotPtr),
}

/// The state of a live slot.
fn live(gate: Option<&Arc<Gate>>) -> u8 {
    match gate {
        None => state::LIVE,
        Some(_) => state::GATED,
    }
}

/// Header and closure in one allocation.
#[repr(C)]
struct Typed<P> {
    header: Header,
    /// Dropped by [`SlotPtr::drop_closure`], not with the slot, which lives on as long as its
    /// handle.
    closure: UnsafeCell<ManuallyDrop<P>>,
}

/// An erased pointer to a slot: a `Typed<P>`, of which only the header is visible. `Copy`; the
/// comment where a reference is taken names its holder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub(crate) struct SlotPtr(NonNull<Header>);

// SAFETY: a slot's closure is `Send + Sync` (`SlotPtr::new`), its state is atomic, its links are
// touched under the lock only, and the rest is immutable.
unsafe impl Send for SlotPtr {}
// SAFETY: as above.
unsafe impl Sync for SlotPtr {}
// A panic leaves a slot as it was: its state is one atomic, its links change under the lock.
impl UnwindSafe for SlotPtr {}
impl RefUnwindSafe for SlotPtr {}

impl<P: Send + Sync + 'static> Typed<P> {
    const VTABLE: VTable = VTable {
        // SAFETY: called for slots that carry this vtable only, which are `Typed<P>`; the closure
        // is alive and nobody else's, by the promise of `SlotPtr::drop_closure`.
        drop_closure: |slot| unsafe {
            let typed = slot.0.cast::<Self>();
            ManuallyDrop::drop(&mut *typed.as_ref().closure.get());
        },
        // SAFETY: likewise; the caller has a reference.
        retain: |slot| unsafe {
            Arc::increment_strong_count(slot.0.cast::<Self>().as_ptr().cast_const());
        },
        // SAFETY: likewise; the caller gives up a reference that came from `Arc::into_raw`.
        release: |slot| unsafe { drop(Arc::from_raw(slot.0.cast::<Self>().as_ptr())) },
    };
}

impl SlotPtr {
    /// A new slot, live, with **two** references: the handle's, and the domain's, which is released
    /// when the closure has been dropped.
    pub(crate) fn new<P: Send + Sync + 'static>(
        closure: P,
        cell: &'static EventCell,
        options: ProbeOptions,
        gate: Option<Arc<Gate>>,
    ) -> Self {
        let slot = Arc::new(Typed {
            header: Header {
                state: AtomicU8::new(live(gate.as_ref())),
                type_id: TypeId::of::<P>(),
                gate,
                born: plain::AtomicU64::new(u64::MAX),
                panicked: plain::AtomicBool::new(false),
                vtable: &Typed::<P>::VTABLE,
                options,
                cell,
                links: UnsafeCell::new(Links {
                    prev: None,
                    next: None,
                    number: 0,
                    tombstone: false,
                    descendant: false,
                }),
                next_tombstone: UnsafeCell::new(None),
                canary: Canary::new(),
            },
            closure: UnsafeCell::new(ManuallyDrop::new(closure)),
        });
        mem::forget(Arc::clone(&slot));
        // SAFETY: `Arc::into_raw` is not null. Casting to the header is sound: it is the first
        // field of a `repr(C)` struct.
        Self(unsafe { NonNull::new_unchecked(Arc::into_raw(slot).cast_mut()) }.cast())
    }

    /// The header.
    ///
    /// # Safety
    /// For all of `'a`, the caller holds a reference, or is inside since before the slot was
    /// retired, or holds the lock while the slot is linked (I3).
    #[inline(always)]
    pub(crate) unsafe fn header<'a>(self) -> &'a Header {
        // SAFETY: alive, by the caller's promise; only ever shared.
        unsafe { self.0.as_ref() }
    }

    /// The links.
    ///
    /// # Safety
    /// As for [`SlotPtr::header`]; the caller holds the lock, and no other reference to these
    /// links.
    pub(super) unsafe fn links<'a>(self) -> &'a mut Links {
        // SAFETY: alive and exclusive, by the caller's promise.
        unsafe { &mut *self.header().links.get() }
    }

    /// The next in a list of tombstones.
    ///
    /// # Safety
    /// The slot is alive, and the caller owns the snapshot that it was taken out of; no other
    /// reference to this link exists.
    pub(super) unsafe fn next_tombstone<'a>(self) -> &'a mut Option<SlotPtr> {
        // SAFETY: alive and exclusive, by the caller's promise.
        unsafe { &mut *self.header().next_tombstone.get() }
    }

    /// Drops the closure. User code: not under the lock (I5).
    ///
    /// # Safety
    /// The closure's grace period is over (I2), and this is called once for a slot.
    pub(super) unsafe fn drop_closure(self) {
        // SAFETY: the domain's reference keeps the slot alive; once, and after the grace period, by
        // the caller's promise, so nobody else uses the closure.
        unsafe {
            let header = self.header();
            header.canary.dead();
            (header.vtable.drop_closure)(self);
        }
    }

    /// Takes one more reference.
    ///
    /// # Safety
    /// The slot is alive, as for [`SlotPtr::header`].
    unsafe fn retain(self) {
        // SAFETY: alive, by the caller's promise.
        unsafe { (self.header().vtable.retain)(self) }
    }

    /// Makes a detached slot a tombstone: the snapshot that still names it gets a reference.
    ///
    /// # Safety
    /// As for [`SlotPtr::links`].
    pub(super) unsafe fn make_tombstone(self) {
        // SAFETY: by the caller's promise.
        unsafe {
            let links = self.links();
            if self.header().is_detached() && !links.tombstone {
                links.tombstone = true;
                self.retain();
            }
        }
    }

    /// Gives back a reference. May free the slot, so not under the lock (I5).
    ///
    /// # Safety
    /// The caller owns that reference, and uses it no more.
    pub(crate) unsafe fn release(self) {
        // SAFETY: owned by the caller, and so alive up to here.
        unsafe { (self.header().vtable.release)(self) }
    }
}

impl Header {
    /// The state, for a firing.
    #[inline(always)]
    fn state(&self) -> u8 {
        // Acquire: pairs with the AcqRel in `detach`. A firing that finds one probe of a group gone
        // by its state finds the gate closed from then on, within the same firing too (G5). For
        // this probe alone Relaxed would do: what happens after a detach reads it by coherence, and
        // what does not is waited for by the grace period.
        self.state.load(Ordering::Acquire)
    }

    /// Whether firings call it, its gate aside.
    pub(crate) fn is_live(&self) -> bool {
        self.state() <= state::GATED
    }

    /// Whether a firing that came upon it calls it.
    #[inline(always)]
    fn is_on(&self) -> bool {
        match self.state() {
            state::LIVE => true,
            // (What it might have read here after the sequence, a later detach, it need not know:
            // the sequence's Acquire brings what came before the commit's end, and nothing was
            // detached by then.)
            state::GATED => self.is_open(),
            _ => false,
        }
    }

    /// Whether it is called for a span that began when the sequence was `since`: the same answer at
    /// the span's begin and at its end, except for a detach or a panic (G16).
    #[inline(always)]
    fn is_on_since(&self, since: u64) -> bool {
        match self.state() {
            state::LIVE => self.born() <= since,
            state::GATED => self.born() <= since && !self.is_closed(),
            _ => false,
        }
    }

    /// Whether its batch's gate is closed.
    #[inline(always)]
    fn is_closed(&self) -> bool {
        self.gate.as_ref().is_some_and(|gate| gate.is_closed())
    }

    /// Whether its batch is attached, and its gate not closed.
    #[inline(always)]
    pub(crate) fn is_open(&self) -> bool {
        match &self.gate {
            None => true,
            Some(gate) => self.born() <= domain().sequence.now() && !gate.is_closed(),
        }
    }

    /// The number of its attach.
    #[inline(always)]
    fn born(&self) -> u64 {
        // Relaxed: a slot is found in a snapshot, or got from the thread that attached it.
        self.born.load(Ordering::Relaxed)
    }

    /// Gives it the number of its attach: under the lock, before it is published.
    pub(super) fn be_born(&self, number: u64) {
        // Relaxed: `EventCell::publish` releases it.
        self.born.store(number, Ordering::Relaxed);
    }

    /// Whether it is attached: live, or quarantined.
    pub(crate) fn is_attached(&self) -> bool {
        // Acquire: pairs with the AcqRel in `detach`; sees what came before the detach.
        self.state.load(Ordering::Acquire) != state::DETACHED && self.is_open()
    }

    /// Whether a call of it has panicked.
    pub(crate) fn has_panicked(&self) -> bool {
        // Relaxed: it says that it happened, and orders nothing.
        self.panicked.load(Ordering::Relaxed)
    }

    /// The name that it was attached with.
    pub(crate) fn name(&self) -> Option<&str> {
        self.options.name.as_deref()
    }

    /// Whether the state says detached, the gate aside.
    pub(crate) fn is_detached(&self) -> bool {
        // Relaxed: it becomes so under the lock, which a writer holds; a handle that is dropped
        // only spares itself the trouble.
        self.state.load(Ordering::Relaxed) == state::DETACHED
    }

    /// Detaches; true if this call did it. Called under the lock, so that the loser of the race
    /// knows that the closure is on its list.
    pub(super) fn detach(&self) -> bool {
        // AcqRel: releases what the caller did before, a closed gate say; pairs with `state` and
        // `is_attached`. Acquires what a quarantine did.
        self.state.swap(state::DETACHED, Ordering::AcqRel) != state::DETACHED
    }

    /// Switches it off after a panic; true if this call did it. A detach is never undone, hence the
    /// compare-and-exchange.
    pub(crate) fn quarantine(&self) -> bool {
        // AcqRel: as in `detach`. Relaxed on failure: it is off already.
        self.state
            .compare_exchange(
                live(self.gate.as_ref()),
                state::QUARANTINED,
                Ordering::AcqRel,
                Ordering::Relaxed,
            )
            .is_ok()
    }
}

/// A slot as a thunk sees it, during one firing.
#[derive(Clone, Copy)]
pub struct Slot<'a> {
    pointer: SlotPtr,
    firing: PhantomData<&'a Header>,
}

impl fmt::Debug for Slot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("is_live", &self.header().is_live())
            .finish()
    }
}

impl Slot<'_> {
    /// The slot behind an entry of a snapshot.
    ///
    /// # Safety
    /// For all of `'a` the caller is inside, and took the entry from a snapshot that it loaded
    /// after pinning (I3).
    #[inline(always)]
    pub(crate) unsafe fn new<'a>(pointer: SlotPtr) -> Slot<'a> {
        Slot {
            pointer,
            firing: PhantomData,
        }
    }

    #[inline(always)]
    fn header(&self) -> &Header {
        // SAFETY: the snapshot is alive while the firing is inside (`Slot::new`), and a slot
        // outlives the snapshots that name it.
        unsafe { self.pointer.header() }
    }

    /// Calls the probe, if it is live, under its panic policy.
    #[inline(always)]
    pub fn run<P: Send + Sync + 'static>(self, call: impl FnOnce(&P)) {
        let header = self.header();
        if !header.is_on() || header.type_id != TypeId::of::<P>() {
            return;
        }
        header.canary.alive();
        // SAFETY: the slot was made by `SlotPtr::new::<P>` (just compared). It was live after this
        // firing pinned, so its closure is not dropped before the firing unpins (I2, I3).
        let closure: &P = unsafe { &*self.pointer.0.cast::<Typed<P>>().as_ref().closure.get() };
        super::panic::run(header, || call(closure));
    }

    /// Calls the probe for one half of a span that began when the sequence was `since`, if it was
    /// attached by then and still is, under its panic policy.
    #[inline(always)]
    pub fn run_since<P: Send + Sync + 'static>(self, since: u64, call: impl FnOnce(&P)) {
        let header = self.header();
        if !header.is_on_since(since) || header.type_id != TypeId::of::<P>() {
            return;
        }
        header.canary.alive();
        // SAFETY: as in `run`.
        let closure: &P = unsafe { &*self.pointer.0.cast::<Typed<P>>().as_ref().closure.get() };
        super::panic::run(header, || call(closure));
    }
}

/// A thunk with its type erased: a function pointer of the type that its event's place fixes.
#[derive(Clone, Copy)]
pub(crate) struct Thunk(MaybeUninit<*const ()>);

// SAFETY: a function pointer (`Thunk::new` takes `Send + Sync` types only).
unsafe impl Send for Thunk {}
// SAFETY: as above.
unsafe impl Sync for Thunk {}

impl Thunk {
    /// Erases. `T` is a function pointer; another size does not compile.
    pub(crate) const fn new<T: Copy + Send + Sync + 'static>(thunk: T) -> Self {
        const { assert!(size_of::<T>() == size_of::<*const ()>()) };
        // SAFETY: of one size (above), and any bits are a valid `MaybeUninit`.
        Self(unsafe { mem::transmute_copy::<T, MaybeUninit<*const ()>>(&thunk) })
    }

    /// The thunk, typed again.
    ///
    /// # Safety
    /// `T` is the type that it was made with.
    #[inline(always)]
    pub(crate) unsafe fn get<T: Copy + Send + Sync + 'static>(self) -> T {
        // SAFETY: made from a `T`, by the caller's promise; the sizes were compared in `new`.
        unsafe { mem::transmute_copy::<MaybeUninit<*const ()>, T>(&self.0) }
    }
}

/// A slot that is not attached yet: it waits in a batch. Dropped, it has never been.
pub(crate) struct Pending {
    entry: ProbeEntry,
    handle: Handle,
}

impl Pending {
    /// # Safety
    /// The slot is new, and the caller gives up both of its references.
    pub(crate) unsafe fn new(entry: ProbeEntry) -> Self {
        Self {
            // SAFETY: one of the two; the other stays with `self.entry`.
            handle: unsafe { Handle::new(entry.slot) },
            entry,
        }
    }

    pub(crate) fn entry(&self) -> ProbeEntry {
        self.entry
    }

    pub(crate) fn cell(&self) -> &'static EventCell {
        self.handle.header().cell
    }

    /// The handle of what is attached now. To be called when the entry has been.
    pub(crate) fn attached(self) -> Handle {
        let this = ManuallyDrop::new(self);
        // SAFETY: moved out once; `this` is not dropped.
        unsafe { std::ptr::read(&raw const this.handle) }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let slot = self.entry.slot;
        // SAFETY: never published, so nobody else knows the closure.
        domain().catch_drop(|| unsafe { slot.drop_closure() });
        // SAFETY: the domain's reference, which no list took over.
        unsafe { slot.release() };
    }
}

/// The handle's reference to a slot.
#[derive(Debug)]
pub(crate) struct Handle(SlotPtr);

impl Handle {
    /// # Safety
    /// The caller gives the handle a reference to the slot.
    pub(crate) unsafe fn new(slot: SlotPtr) -> Self {
        Self(slot)
    }

    pub(crate) fn header(&self) -> &Header {
        // SAFETY: the handle holds a reference.
        unsafe { self.0.header() }
    }

    pub(crate) fn slot(&self) -> SlotPtr {
        self.0
    }

    /// A handle more, for a slot that has at least one reference.
    ///
    /// # Safety
    /// The slot is alive, as for [`SlotPtr::header`].
    pub(super) unsafe fn another(slot: SlotPtr) -> Self {
        // SAFETY: alive, by the caller's promise; the reference is the new handle's.
        unsafe { slot.retain() };
        Self(slot)
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        // SAFETY: the handle holds a reference.
        unsafe { Self::another(self.0) }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle's own reference.
        unsafe { self.0.release() }
    }
}
