//! The thread's state: registered or not, pinned or not, how deep in firings.
//!
//! One word says it all, so that the common case, an outermost firing on a registered thread, is one
//! comparison with zero. It is counted up and down, never saved and restored: coroutine runtimes (loom is
//! one) interleave firings on one OS thread, and then they end in any order. So the pin belongs to the
//! thread: taken by the first one in, given back by the last one out.

use super::domain;
use super::slot::SlotPtr;
use crate::sync::{Ordering, Undropped, model_only, thread_field, thread_owner};
use crossbeam_epoch::{Guard, LocalHandle};
use std::cell::{Cell, UnsafeCell};
use std::mem::{self, ManuallyDrop};
use std::ptr;

/// Nested firings on a thread beyond which the inner one is skipped (G9).
pub(crate) const MAX_DEPTH: u64 = 8;

/// One firing in progress.
const FIRING: u64 = 1;
const FIRINGS: u64 = 0xffff;
/// One `pinned` scope in progress.
const SCOPE: u64 = 1 << 16;
const SCOPES: u64 = 0xffff_ffff << 16;
/// Something is in progress.
const BUSY: u64 = FIRINGS | SCOPES;
/// The thread has no handle yet.
const UNREGISTERED: u64 = 1 << 63;
/// It is getting one: registering allocates, and a global allocator may fire events.
const REGISTERING: u64 = 1 << 62;
/// Its handle is gone: the thread is running its last destructors. Each pin registers for itself.
const DEAD: u64 = 1 << 61;
/// One pin more is held than there are guards on the stack; the last one out gives it back.
const EXTRA_PIN: u64 = 1 << 60;
/// Forked inside a firing: guards on the stack are the parent's collector's.
const FORKED: u64 = 1 << 59;

pub(super) struct Local {
    word: Cell<u64>,
    /// The probe whose captures are being dropped on this thread.
    dropping: Cell<Option<SlotPtr>>,
    /// That drop has detached probes in turn.
    retired_inside: Cell<bool>,
    /// Initialised unless `UNREGISTERED` or `DEAD`.
    handle: UnsafeCell<Undropped<LocalHandle>>,
}

thread_field! {
    static LOCAL: Local = Local {
        word: Cell::new(UNREGISTERED),
        dropping: Cell::new(None),
        retired_inside: Cell::new(false),
        handle: UnsafeCell::new(Undropped::uninit()),
    };
}

/// Has the destructor that [`Local`] must not have: a field with a destructor is out of reach once it
/// has run, and firing works until the very end of a thread (G11).
struct Owner;

thread_owner! {
    static OWNER: Owner = Owner;
}

impl Drop for Owner {
    fn drop(&mut self) {
        // (It fails in models only, where the field is dropped with the rest.)
        let _ = LOCAL.try_with(|local| {
            let word = local.word.get();
            if word & (UNREGISTERED | DEAD) == 0 {
                // Dead first: dropping the handle frees memory, and the allocator may fire.
                local.word.set(word | DEAD);
                // SAFETY: it was registered, so the handle is initialised; nobody reads it any more.
                drop(unsafe { (*local.handle.get()).assume_init_read() });
                // Relaxed: a hint.
                domain().counters.departed.fetch_add(1, Ordering::Relaxed);
            } else {
                local.word.set((word | DEAD) & !UNREGISTERED);
            }
        });
    }
}

/// What became of an attempt to enter a firing.
pub(super) enum Entered<'l> {
    /// The outermost on its thread: it has pinned.
    Outer(Firing<'l>),
    /// Inside of another firing, or of `pinned`, or on a thread without a handle: for the slow path.
    Slow(&'l Local),
}

/// Runs `f` with the thread's state.
#[inline(always)]
pub(super) fn with_local<R>(f: impl FnOnce(&Local) -> R) -> R {
    // The address first, then the use: `with` around the whole would not be inlined.
    let local = LOCAL.with(ptr::from_ref);
    // SAFETY: a thread-local without a destructor lives as long as its thread, whose code this is.
    f(unsafe { &*local })
}

/// An outermost firing or `pinned` scope. Dropping it ends it, on a panic too.
pub(super) struct Firing<'l> {
    local: &'l Local,
    unit: u64,
    guard: ManuallyDrop<Guard>,
}

impl Drop for Firing<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        let word = self.local.word.get() - self.unit;
        self.local.word.set(word);
        // SAFETY: taken once, here.
        let guard = unsafe { ManuallyDrop::take(&mut self.guard) };
        if word == 0 {
            drop(guard);
        } else {
            self.local.leave_early(guard);
        }
    }
}

/// A nested firing or scope: the pin is another's.
pub(super) struct Nested<'l> {
    local: &'l Local,
    unit: u64,
}

impl Drop for Nested<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        let word = self.local.word.get() - self.unit;
        self.local.word.set(word);
        if word & BUSY == 0 {
            self.local.last_out();
        }
    }
}

/// A firing or scope on a thread that has no handle any more: registered for this once. It pins by
/// itself, nested or not.
pub(super) struct Temporary<'l> {
    local: &'l Local,
    unit: u64,
    guard: ManuallyDrop<Guard>,
    handle: ManuallyDrop<LocalHandle>,
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        let word = self.local.word.get();
        // Leaving the collector allocates and frees, as joining it does.
        self.local.word.set(word | REGISTERING);
        // SAFETY: taken once, here; the guard before its handle.
        unsafe {
            ManuallyDrop::drop(&mut self.guard);
            ManuallyDrop::drop(&mut self.handle);
        }
        self.local.word.set(word - self.unit);
        domain().counters.departed.fetch_add(1, Ordering::Relaxed);
    }
}

/// A way through the slow path. Each holds a pin for as long as it lives.
#[allow(dead_code, reason = "held for their Drop")]
pub(super) enum Inner<'l> {
    Outer(Firing<'l>),
    Nested(Nested<'l>),
    Temporary(Temporary<'l>),
}

impl Local {
    /// Enters a firing. The depth is raised before pinning: whatever the pin sets off (crossbeam's
    /// collection frees memory, and an allocator may fire) counts as nested.
    #[inline(always)]
    pub(super) fn enter(&self) -> Entered<'_> {
        if self.word.get() == 0 {
            Entered::Outer(self.outermost(FIRING))
        } else {
            Entered::Slow(self)
        }
    }

    #[inline(always)]
    fn outermost(&self, unit: u64) -> Firing<'_> {
        debug_assert_eq!(self.word.get(), 0);
        self.word.set(unit);
        // SAFETY: the word was zero, so the handle is initialised.
        let guard = unsafe { (*self.handle.get()).assume_init_ref() }.pin();
        Firing {
            local: self,
            unit,
            guard: ManuallyDrop::new(guard),
        }
    }

    /// Enters a firing that is not the simple case. None: skipped, and counted.
    #[cold]
    #[inline(never)]
    pub(super) fn enter_first(&self) -> Option<Inner<'_>> {
        let counters = &domain().counters;
        let word = self.word.get();
        if word & REGISTERING != 0 {
            counters.skipped_registering.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        if word & FIRINGS >= MAX_DEPTH {
            counters.skipped_nested.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.enter_unit(FIRING))
    }

    /// Enters a nested firing, when that is all there is to it: pinned by another, and not too deep.
    #[inline(always)]
    pub(super) fn enter_nested(&self) -> Option<Nested<'_>> {
        let word = self.word.get();
        if word & (UNREGISTERED | REGISTERING | DEAD) == 0 && word & FIRINGS < MAX_DEPTH {
            self.word.set(word + FIRING);
            Some(Nested {
                local: self,
                unit: FIRING,
            })
        } else {
            None
        }
    }

    fn enter_unit(&self, unit: u64) -> Inner<'_> {
        if self.word.get() & UNREGISTERED != 0 {
            self.register();
        }
        let word = self.word.get();
        if word & DEAD != 0 {
            let (handle, guard) = self.temporary();
            self.word.set(word + unit);
            return Inner::Temporary(Temporary {
                local: self,
                unit,
                guard: ManuallyDrop::new(guard),
                handle: ManuallyDrop::new(handle),
            });
        }
        if word & BUSY == 0 {
            return Inner::Outer(self.outermost(unit));
        }
        self.word.set(word + unit);
        Inner::Nested(Nested { local: self, unit })
    }

    /// Gets the thread its handle. Allocates.
    #[cold]
    fn register(&self) {
        let word = self.word.get();
        debug_assert!(word & REGISTERING == 0 && word & UNREGISTERED != 0);
        self.word.set(word | REGISTERING);
        // Owner first: if its destructor has run already, there must be no handle to lose.
        let alive = OWNER.try_with(|_| ()).is_ok();
        let word = self.word.get();
        if alive && word & DEAD == 0 {
            let handle = join();
            // SAFETY: uninitialised, so nothing is overwritten; only this thread comes here, and what
            // fires meanwhile sees `REGISTERING`.
            unsafe { (*self.handle.get()).write(handle) };
            super::fork::install();
            self.word
                .set(self.word.get() & !(UNREGISTERED | REGISTERING));
        } else {
            self.word
                .set((self.word.get() | DEAD) & !(UNREGISTERED | REGISTERING));
        }
    }

    /// A handle and a pin for this once.
    #[cold]
    fn temporary(&self) -> (LocalHandle, Guard) {
        let word = self.word.get();
        self.word.set(word | REGISTERING);
        let handle = join();
        let guard = handle.pin();
        self.word.set(word);
        (handle, guard)
    }

    /// The outermost ends while others (coroutines) are still inside, or after a fork.
    #[cold]
    #[inline(never)]
    fn leave_early(&self, guard: Guard) {
        let word = self.word.get();
        if word & FORKED != 0 || word & BUSY == 0 || word & DEAD != 0 {
            // The guard is of the parent's collector, or the last.
            drop(guard);
        } else {
            // The last one out will unpin.
            mem::forget(guard);
            debug_assert_eq!(word & EXTRA_PIN, 0);
            self.word.set(word | EXTRA_PIN);
        }
        if word & BUSY == 0 {
            self.last_out();
        }
    }

    /// Nothing is in progress any more: gives back the pin that has no guard.
    #[cold]
    #[inline(never)]
    fn last_out(&self) {
        let word = self.word.get();
        if word & EXTRA_PIN != 0 {
            self.word.set(word & !(EXTRA_PIN | FORKED));
            if word & DEAD == 0 {
                // SAFETY: registered, since it is pinned.
                let guard = unsafe { (*self.handle.get()).assume_init_ref() }.pin();
                // SAFETY: guards of one handle are all alike, a count; this one stands for that which
                // was forgotten when `EXTRA_PIN` was set.
                drop(unsafe { ptr::read(&raw const guard) });
                drop(guard);
            }
        }
    }

    /// In a forked child: forgets the handle, which is of the parent's collector, whose other threads
    /// will never unpin. What is in progress on this thread is protected anew.
    pub(super) fn forked(&self) {
        let word = self.word.get();
        if word & (UNREGISTERED | REGISTERING | DEAD) != 0 {
            return;
        }
        // Not dropped: the parent's collector may be in any state.
        self.word.set((word & !EXTRA_PIN) | UNREGISTERED);
        if word & BUSY != 0 {
            self.register();
            let word = self.word.get();
            if word & DEAD == 0 {
                // SAFETY: just registered.
                mem::forget(unsafe { (*self.handle.get()).assume_init_ref() }.pin());
                self.word.set(word | EXTRA_PIN | FORKED);
            }
        }
    }
}

/// Joins the collector.
fn join() -> LocalHandle {
    loop {
        let collector = domain().collector();
        let handle = collector.register();
        if ptr::eq(collector, domain().collector()) {
            return handle;
        }
        // Registering allocated, and the allocator forked: this handle is of the parent's collector.
        mem::forget(handle);
    }
}

/// Whether this thread is inside a firing, a `pinned` scope or the drop of a captured value: there,
/// nothing is waited for and nothing is dropped (G7, G10).
pub(crate) fn is_inside() -> bool {
    with_local(|local| {
        local.word.get() & (BUSY | REGISTERING) != 0 || local.dropping.get().is_some()
    })
}

/// Marks this thread as dropping the captures of `slot` while `f` runs, which does not panic.
pub(super) fn while_dropping<R>(slot: SlotPtr, f: impl FnOnce() -> R) -> R {
    with_local(|local| local.dropping.set(Some(slot)));
    let result = f();
    with_local(|local| local.dropping.set(None));
    result
}

/// The probe whose captures this thread is dropping.
pub(super) fn dropping() -> Option<SlotPtr> {
    with_local(|local| local.dropping.get())
}

/// Something has been retired where it cannot be dropped. If that was in a captured `Drop`, the drain
/// that runs it has to know.
pub(super) fn note_retired_inside() {
    with_local(|local| {
        if local.dropping.get().is_some() {
            local.retired_inside.set(true);
        }
    });
}

/// Whether anything was retired inside of the last captured `Drop`; asked once.
pub(super) fn take_retired_inside() -> bool {
    with_local(|local| local.retired_inside.replace(false))
}

/// Runs `f` with a fresh pin of this thread, for the reclaimer. Not inside a firing, so that the epoch
/// can move on; not under the lock, since it may allocate and collect.
pub(super) fn with_guard<R>(f: impl FnOnce(&mut Guard) -> R) -> R {
    with_local(|local| {
        if local.word.get() & UNREGISTERED != 0 {
            local.register();
        }
        if local.word.get() & DEAD != 0 {
            let (handle, guard) = local.temporary();
            local.word.set(local.word.get() + SCOPE);
            let mut temporary = Temporary {
                local,
                unit: SCOPE,
                guard: ManuallyDrop::new(guard),
                handle: ManuallyDrop::new(handle),
            };
            f(&mut temporary.guard)
        } else {
            // SAFETY: registered, and not dead.
            let mut guard = unsafe { (*local.handle.get()).assume_init_ref() }.pin();
            f(&mut guard)
        }
    })
}

/// Runs `f` while this thread is pinned once for all firings inside.
pub(crate) fn pinned<R>(f: impl FnOnce() -> R) -> R {
    with_local(|local| {
        let _scope = if local.word.get() == 0 {
            Inner::Outer(local.outermost(SCOPE))
        } else {
            local.enter_scope()
        };
        f()
    })
}

impl Local {
    #[cold]
    fn enter_scope(&self) -> Inner<'_> {
        if self.word.get() & REGISTERING != 0 {
            // The allocator opens a scope while its thread registers: its firings are skipped.
            self.word.set(self.word.get() + SCOPE);
            return Inner::Nested(Nested {
                local: self,
                unit: SCOPE,
            });
        }
        self.enter_unit(SCOPE)
    }
}

model_only! {
    /// A thread's registration, made on one thread of a model and handed to another: what crossbeam does
    /// when a thread joins or leaves, and at its first pin, need not be explored anew in each model.
    #[derive(Debug)]
    pub struct Participant(LocalHandle);

    impl Participant {
        /// Joins the collector, and gets the first pin over.
        pub fn new() -> Self {
            let handle = join();
            drop(handle.pin());
            Self(handle)
        }

        /// One at whose next pin crossbeam collects, as at every 128th.
        pub fn about_to_collect() -> Self {
            let handle = join();
            for _ in 0..128 {
                drop(handle.pin());
            }
            Self(handle)
        }

        /// Registers the current thread, which is not registered yet.
        pub fn enter(self) {
            with_local(|local| {
                assert_eq!(local.word.get(), UNREGISTERED, "a thread enters once");
                // SAFETY: unregistered, so nothing is overwritten, and nobody else looks.
                unsafe { (*local.handle.get()).write(self.0) };
                local.word.set(0);
            });
        }

        /// The opposite of `enter`; `None` if the thread is not registered. Checks that nothing is in
        /// progress.
        pub fn leave() -> Option<Self> {
            with_local(|local| {
                if local.word.get() == UNREGISTERED {
                    return None;
                }
                assert_eq!(local.word.get(), 0, "something is still in progress");
                local.word.set(UNREGISTERED);
                // SAFETY: it was registered, and nobody looks any more.
                Some(Self(unsafe { (*local.handle.get()).assume_init_read() }))
            })
        }
    }
}
