//! The thread's state: registered or not, inside or not, how deep in firings.
//!
//! One word has all of it, so that the common cases, an outermost firing on a registered thread and
//! one inside another, are one comparison each. It is counted up and down, never saved and
//! restored: coroutine runtimes (loom is one) interleave firings on one OS thread, and then they
//! end in any order. So being inside belongs to the thread: the first one in enters the thread's
//! [`lane`](super::lane), the last one out leaves it.
//!
//! A thread past its destructors has given its lane back. Its firings pin through crossbeam-epoch,
//! each with a registration of its own.

use super::domain;
use super::lane::Record;
use super::slot::SlotPtr;
use crate::sync::{Ordering, Undropped, model_only, thread_field, thread_owner};
use crossbeam_epoch::{Guard, LocalHandle};
use std::cell::{Cell, RefCell, UnsafeCell};
use std::mem::{self, ManuallyDrop};
use std::ptr;

/// Nested firings on a thread beyond which the inner one is skipped (G9).
pub(crate) const MAX_DEPTH: u64 = 8;
const _: () = assert!(MAX_DEPTH.is_power_of_two() && MAX_DEPTH < IDLE);

/// One firing in progress. There are never more than [`MAX_DEPTH`] of them, which is the highest
/// bit.
const FIRING: u64 = 1;
const FIRINGS: u64 = 2 * MAX_DEPTH - 1;
/// The thread has no lane yet.
const UNREGISTERED: u64 = 1 << 8;
/// It is getting one, or joins crossbeam's collector: that allocates, and a global allocator may
/// fire events.
const REGISTERING: u64 = 1 << 9;
/// The thread is running its last destructors, and has given its lane back. Each firing registers
/// for itself.
const DEAD: u64 = 1 << 10;
/// Dead, but the lane is still there, since something is in progress; the last one out gives it
/// back.
const LEFT: u64 = 1 << 11;
/// None of the others: registered, and nothing is in progress. So that one test tells what is a
/// mere matter of counting.
const IDLE: u64 = 1 << 7;
/// One `pinned` scope in progress.
const SCOPE: u64 = 1 << 16;
const SCOPES: u64 = !0 << 16;
/// Something is in progress.
const BUSY: u64 = FIRINGS | SCOPES;
/// A nested firing is not a mere matter of counting. (All in the lower half: one test of a
/// register.)
const NOT_SIMPLE: u64 = IDLE | UNREGISTERED | REGISTERING | DEAD | MAX_DEPTH;

pub(crate) struct ThreadState {
    /// What the constants above say. If nothing: [`IDLE`].
    state: Cell<u64>,
    /// The probe whose captures are being dropped on this thread.
    dropping: Cell<Option<SlotPtr>>,
    /// Whether it is one that the drain was asked to drop, or a descendant of such a one.
    descendant: Cell<bool>,
    /// That drop has detached probes in turn: all that is retired by now is below this number.
    retired_inside: Cell<Option<u64>>,
    /// There is one unless `UNREGISTERED`, or `DEAD` without `LEFT`.
    lane: Cell<Option<&'static Record>>,
    /// The thread has joined crossbeam's collector, which it does when it first reclaims.
    has_handle: Cell<bool>,
    /// Initialised if `has_handle`.
    handle: UnsafeCell<Undropped<LocalHandle>>,
}

thread_field! {
    static LOCAL: ThreadState = ThreadState {
        state: Cell::new(UNREGISTERED),
        dropping: Cell::new(None),
        descendant: Cell::new(false),
        retired_inside: Cell::new(None),
        lane: Cell::new(None),
        has_handle: Cell::new(false),
        handle: UnsafeCell::new(Undropped::uninit()),
    };
}

/// Has the destructor that [`ThreadState`] must not have: a field with a destructor is out of reach
/// once it has run, and firing works until the very end of a thread (G11).
struct Owner;

thread_owner! {
    static OWNER: Owner = Owner;
}

impl Drop for Owner {
    fn drop(&mut self) {
        // (It fails in models only, where the field is dropped with the rest.)
        let _ = LOCAL.try_with(|thread| {
            let word = thread.word();
            if word & BUSY == 0 {
                // Dead first: leaving the collector frees memory, and the allocator may fire.
                thread.set_word(DEAD);
                thread.depart();
            } else {
                // A probe ends its thread, or its process; or a coroutine is still inside one.
                thread.set_word(word | DEAD | LEFT);
            }
        });
    }
}

/// Runs `f` with the thread's state.
#[inline(always)]
pub(crate) fn with_thread_state<R>(f: impl FnOnce(&ThreadState) -> R) -> R {
    // The address first, then the use: `with` around the whole would not be inlined.
    let thread = LOCAL.with(ptr::from_ref);
    // SAFETY: a thread-local without a destructor lives as long as its thread, whose code this is.
    f(unsafe { &*thread })
}

/// A firing or `pinned` scope, as `UNIT` says, on a thread with a lane. Dropping it ends it.
pub(crate) struct Counted<'l, const UNIT: u64> {
    thread: &'l ThreadState,
}

impl<const UNIT: u64> Drop for Counted<'_, UNIT> {
    fn drop(&mut self) {
        self.thread.leave(UNIT);
    }
}

/// Ends a firing that a panic leaves. It holds nothing, but finds all in the thread's state: a
/// firing need not keep a register for the case.
struct Unwinding;

impl Drop for Unwinding {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        with_thread_state(|thread| thread.leave(FIRING));
    }
}

/// One on a thread that has no lane any more: it joins the collector for this once. It pins by
/// itself, nested or not.
pub(crate) struct Temporary<'l, const UNIT: u64> {
    thread: &'l ThreadState,
    guard: ManuallyDrop<Guard>,
    handle: ManuallyDrop<LocalHandle>,
}

impl<const UNIT: u64> Drop for Temporary<'_, UNIT> {
    fn drop(&mut self) {
        let word = self.thread.word();
        // Leaving the collector allocates and frees, as joining it does.
        self.thread.set_word(word | REGISTERING);
        // SAFETY: taken once, here; the guard before its handle.
        unsafe {
            ManuallyDrop::drop(&mut self.guard);
            ManuallyDrop::drop(&mut self.handle);
        }
        // (Read again: the process may have forked meanwhile.)
        let word = (self.thread.word() & !REGISTERING) - UNIT;
        self.thread.set_word(word);
        // Relaxed: a hint.
        domain().counters.departed.fetch_add(1, Ordering::Relaxed);
        if word & BUSY == 0 {
            self.thread.last_out();
        }
    }
}

/// A way through the slow path. While it lives, nothing that is read is reclaimed.
#[allow(dead_code, reason = "held for their Drop")]
pub(crate) enum Entered<'l, const UNIT: u64> {
    Counted(Counted<'l, UNIT>),
    Temporary(Temporary<'l, UNIT>),
}

/// A span's end in progress, on the slow path. Beyond [`MAX_DEPTH`] it counts as a scope, so that
/// what its probes fire is skipped.
#[allow(dead_code, reason = "held for their Drop")]
pub(crate) enum EnteredEnd<'l> {
    Firing(Entered<'l, FIRING>),
    TooDeep(Entered<'l, SCOPE>),
}

/// A thread's state before a nested firing.
pub(crate) struct Before(u64);

impl ThreadState {
    /// Whether a firing that begins now is the simple case: the outermost, on a registered thread.
    #[inline(always)]
    pub(crate) fn is_idle(&self) -> bool {
        self.state.get() == IDLE
    }

    /// Runs `f` as an outermost firing; the thread [is idle](Self::is_idle).
    #[inline(always)]
    pub(crate) fn outermost(&self, f: impl FnOnce()) {
        debug_assert_eq!(self.state.get(), IDLE);
        self.state.set(FIRING);
        self.lane().enter();
        let unwinding = Unwinding;
        f();
        mem::forget(unwinding);
        // Compared, and stored as a constant: counting down would make the next firing wait for
        // this load.
        if self.state.get() == FIRING {
            self.lane().leave();
            self.state.set(IDLE);
        } else {
            // Others (coroutines) are still inside; or the thread's destructors have run meanwhile.
            self.leave_counted(FIRING);
        }
    }

    /// The lane of a thread that is registered, and not dead.
    #[inline(always)]
    fn lane(&self) -> &'static Record {
        debug_assert!(self.lane.get().is_some());
        // SAFETY: `register` has set it; only `depart` takes it away, which makes the thread dead.
        unsafe { self.lane.get().unwrap_unchecked() }
    }

    /// Whether a nested firing is a mere matter of counting: inside another, and not too deep. If
    /// so, for [`nested`](Self::nested): the state.
    #[inline(always)]
    pub(crate) fn before_nested(&self) -> Option<Before> {
        let word = self.state.get();
        (word & NOT_SIMPLE == 0).then_some(Before(word))
    }

    /// Runs `f` as a nested firing.
    #[inline(always)]
    pub(crate) fn nested(&self, Before(word): Before, f: impl FnOnce()) {
        debug_assert_eq!(self.state.get(), word);
        self.state.set(word + FIRING);
        let unwinding = Unwinding;
        f();
        mem::forget(unwinding);
        if self.state.get().wrapping_sub(FIRING) == word {
            // Counted down, but by what is known already.
            self.state.set(word);
        } else {
            self.leave_counted(FIRING);
        }
    }

    /// The state; zero if idle.
    fn word(&self) -> u64 {
        self.state.get() & !IDLE
    }

    fn set_word(&self, word: u64) {
        self.state.set(if word == 0 { IDLE } else { word });
    }

    /// Ends a firing or a scope.
    fn leave(&self, unit: u64) {
        let word = self.word() - unit;
        self.set_word(word);
        if word & BUSY == 0 {
            self.last_out();
        }
    }

    /// The same, where it is seldom called.
    #[cold]
    #[inline(never)]
    fn leave_counted(&self, unit: u64) {
        self.leave(unit);
    }

    /// Enters a firing that is not the simple case. None: skipped, and counted.
    pub(crate) fn enter_first(&self) -> Option<Entered<'_, FIRING>> {
        let counters = &domain().counters;
        let word = self.word();
        if word & REGISTERING != 0 {
            counters.skipped_registering.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        if word & MAX_DEPTH != 0 {
            counters.skipped_nested.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.enter_unit())
    }

    /// The same for a span's end, which is never too deep: there is one for each begin.
    pub(crate) fn enter_end(&self) -> Option<EnteredEnd<'_>> {
        let word = self.word();
        if word & REGISTERING == 0 && word & MAX_DEPTH != 0 {
            return Some(EnteredEnd::TooDeep(self.enter_unit()));
        }
        self.enter_first().map(EnteredEnd::Firing)
    }

    fn enter_unit<const UNIT: u64>(&self) -> Entered<'_, UNIT> {
        if self.word() & UNREGISTERED != 0 {
            self.register();
        }
        let word = self.word();
        if word & DEAD != 0 && word & LEFT == 0 {
            let (handle, guard) = self.temporary();
            self.set_word(word + UNIT);
            return Entered::Temporary(Temporary {
                thread: self,
                guard: ManuallyDrop::new(guard),
                handle: ManuallyDrop::new(handle),
            });
        }
        self.set_word(word + UNIT);
        if word & BUSY == 0 {
            self.lane().enter();
        }
        Entered::Counted(Counted { thread: self })
    }

    /// Gets the thread its lane. May allocate.
    #[cold]
    fn register(&self) {
        let word = self.word();
        debug_assert!(word & REGISTERING == 0 && word & UNREGISTERED != 0);
        self.set_word(word | REGISTERING);
        // Owner first: if its destructor has run already, there must be no lane to lose.
        let alive = OWNER.try_with(|_| ()).is_ok();
        if alive {
            super::fork::install();
            // (A fork in the midst of it is one of `take`'s allocations, before it has taken
            // anything.)
            self.lane.set(Some(domain().lanes.take()));
            self.set_word(self.word() & !(UNREGISTERED | REGISTERING));
        } else {
            self.set_word(DEAD);
        }
    }

    /// Joins crossbeam's collector, unless the thread has done so. Allocates.
    fn join_for_good(&self) {
        if self.has_handle.get() {
            return;
        }
        let handle = self.while_registering(join);
        // SAFETY: uninitialised, or forgotten after a fork, so nothing is lost; only this thread
        // comes here.
        unsafe { (*self.handle.get()).write(handle) };
        self.has_handle.set(true);
    }

    /// Gives back the lane, and leaves the collector. Nothing is in progress.
    fn depart(&self) {
        if self.has_handle.replace(false) {
            // SAFETY: initialised, and nobody reads it any more.
            drop(unsafe { (*self.handle.get()).assume_init_read() });
            // Relaxed: a hint.
            domain().counters.departed.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(lane) = self.lane.take() {
            domain().lanes.give_back(lane);
        }
    }

    /// Runs `f`, which joins the collector, or leaves it, or works it: what the allocator fires
    /// meanwhile is skipped.
    fn while_registering<R>(&self, f: impl FnOnce() -> R) -> R {
        self.set_word(self.word() | REGISTERING);
        let result = f();
        self.set_word(self.word() & !REGISTERING);
        result
    }

    /// A handle and a pin for this once.
    #[cold]
    fn temporary(&self) -> (LocalHandle, Guard) {
        self.while_registering(|| {
            let handle = join();
            let guard = handle.pin();
            (handle, guard)
        })
    }

    /// Nothing is in progress any more: leaves the lane, and gives it back if the thread is dead.
    #[cold]
    #[inline(never)]
    fn last_out(&self) {
        let word = self.word();
        if let Some(lane) = self.lane.get() {
            lane.leave();
        }
        if word & LEFT != 0 {
            self.set_word(word & !LEFT);
            self.depart();
        }
    }

    /// In a forked child: forgets the handle, which is of the parent's collector, whose other
    /// threads will never unpin. The lane stays, and protects what is in progress.
    pub(super) fn forked(&self) {
        // Not dropped: the parent's collector may be in any state.
        self.has_handle.set(false);
        let lanes = &domain().lanes;
        lanes.forked(self.lane.get());
        let word = self.word();
        if word & BUSY != 0 && word & DEAD != 0 && word & LEFT == 0 {
            // Its guards are of the parent's collector: it is protected by a lane, until the last
            // one is out.
            self.set_word(word | REGISTERING);
            let lane = lanes.take();
            lane.enter();
            self.lane.set(Some(lane));
            self.set_word(word | LEFT);
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
        // Registering allocated, and the allocator forked: this handle is of the parent's
        // collector.
        mem::forget(handle);
    }
}

/// Whether this thread is inside a firing, a `pinned` scope or the drop of a captured value: there,
/// nothing is waited for and nothing is dropped (G7, G10).
pub(crate) fn is_inside() -> bool {
    with_thread_state(|thread| {
        thread.word() & (BUSY | REGISTERING) != 0 || thread.dropping.get().is_some()
    })
}

/// This thread, which is not inside, has full barriers from here on.
pub(super) fn acknowledge() {
    with_thread_state(|thread| thread.lane.get().into_iter().for_each(Record::acknowledge));
}

/// Marks this thread as dropping the captures of `slot` while `f` runs, which does not panic. What
/// is detached meanwhile is a descendant, if `own` says so.
pub(super) fn while_dropping(slot: SlotPtr, own: bool, f: impl FnOnce()) {
    with_thread_state(|thread| {
        thread.dropping.set(Some(slot));
        thread.descendant.set(own);
    });
    f();
    with_thread_state(|thread| {
        thread.dropping.set(None);
        thread.descendant.set(false);
    });
}

/// The probe whose captures this thread is dropping.
pub(super) fn dropping() -> Option<SlotPtr> {
    with_thread_state(|thread| thread.dropping.get())
}

/// Whether what is detached now is a descendant.
pub(super) fn is_dropping_descendant() -> bool {
    with_thread_state(|thread| thread.descendant.get())
}

/// Something below `number` has been retired where it cannot be dropped. If that was in a captured
/// `Drop`, the drain that runs it has to know.
pub(super) fn note_retired_inside(number: u64) {
    with_thread_state(|thread| {
        if thread.descendant.get() {
            thread.retired_inside.set(Some(number));
        }
    });
}

/// The number below which all is that was retired inside the last captured `Drop`, if any was;
/// asked once.
pub(super) fn take_retired_inside() -> Option<u64> {
    with_thread_state(|thread| thread.retired_inside.take())
}

/// A thread as the one that pushes grace periods along: with its own handle, or, if the thread is
/// dead, with one for as long as this lives.
pub(super) struct Reclaimer {
    temporary: RefCell<Option<ManuallyDrop<LocalHandle>>>,
}

impl Reclaimer {
    pub(super) fn new() -> Self {
        with_thread_state(|thread| {
            if thread.word() & UNREGISTERED != 0 {
                thread.register();
            }
            let dead = thread.word() & DEAD != 0;
            let temporary = dead.then(|| ManuallyDrop::new(thread.while_registering(join)));
            if !dead {
                thread.join_for_good();
            }
            Self {
                temporary: RefCell::new(temporary),
            }
        })
    }

    /// Runs `f` with a fresh pin. Not inside a firing, so that the epoch can move on; not under the
    /// lock, since it may allocate and collect.
    pub(super) fn with_guard<R>(&self, f: impl FnOnce(&mut Guard) -> R) -> R {
        with_thread_state(|thread| {
            if let Some(handle) = &mut *self.temporary.borrow_mut() {
                return thread.while_registering(|| {
                    if handle.collector() != domain().collector() {
                        // Forked, since `new`. The handle is leaked: its collector waits forever
                        // for threads that are gone.
                        *handle = ManuallyDrop::new(join());
                    }
                    f(&mut handle.pin())
                });
            }
            // Again, if the process has forked since `new`.
            thread.join_for_good();
            // SAFETY: joined, and not dead.
            f(&mut unsafe { (*thread.handle.get()).assume_init_ref() }.pin())
        })
    }
}

impl Drop for Reclaimer {
    fn drop(&mut self) {
        if let Some(handle) = self.temporary.get_mut() {
            with_thread_state(|thread| {
                thread.while_registering(|| {
                    // (After a fork, it is the parent's, and leaked.)
                    if handle.collector() == domain().collector() {
                        // SAFETY: taken once, here.
                        unsafe { ManuallyDrop::drop(handle) };
                    }
                });
            });
            // Relaxed: a hint.
            domain().counters.departed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Runs `f` while this thread is inside: it enters its lane once for all firings in `f`.
pub(crate) fn pinned<R>(f: impl FnOnce() -> R) -> R {
    with_thread_state(|thread| {
        let _scope = thread.enter_scope();
        f()
    })
}

impl ThreadState {
    fn enter_scope(&self) -> Entered<'_, SCOPE> {
        if self.word() & REGISTERING != 0 {
            // The allocator opens a scope while its thread registers: its firings are skipped.
            self.set_word(self.word() + SCOPE);
            return Entered::Counted(Counted { thread: self });
        }
        self.enter_unit()
    }
}

model_only! {
    /// A thread's registration, made on one thread of a model and handed to another: what crossbeam
    /// does when a thread joins or leaves, and at its first pin, need not be explored again in each
    /// model.
    #[allow(missing_debug_implementations, reason = "for models only")]
    pub struct Participant {
        /// None: the thread has only fired so far.
        handle: Option<LocalHandle>,
        /// None: the thread is past its destructors.
        lane: Option<&'static Record>,
    }

    impl Participant {
        /// Makes a thread that fires and reclaims: it has a lane, has joined the collector, and has
        /// pinned once.
        pub fn new() -> Self {
            let handle = join();
            drop(handle.pin());
            Self {
                handle: Some(handle),
                ..Self::that_fires()
            }
        }

        /// Makes a thread that has only fired so far: it has a lane.
        pub fn that_fires() -> Self {
            Self {
                handle: None,
                lane: Some(domain().lanes.take()),
            }
        }

        /// Makes a thread past its destructors: each of its firings pins through crossbeam-epoch.
        pub fn past_its_destructors() -> Self {
            Self {
                handle: None,
                lane: None,
            }
        }

        /// Registers the current thread, which is not registered yet.
        pub fn enter(self) {
            with_thread_state(|thread| {
                assert_eq!(thread.word(), UNREGISTERED, "a thread enters once");
                if let Some(handle) = self.handle {
                    // SAFETY: unregistered, so nothing is overwritten, and nobody else looks.
                    unsafe { (*thread.handle.get()).write(handle) };
                    thread.has_handle.set(true);
                }
                thread.lane.set(self.lane);
                thread.set_word(if self.lane.is_some() { 0 } else { DEAD });
            });
        }

        /// Undoes `enter`; returns `None` if the thread is not registered. Checks that
        /// nothing is in progress.
        pub fn leave() -> Option<Self> {
            with_thread_state(|thread| {
                if thread.word() == UNREGISTERED {
                    return None;
                }
                assert_eq!(thread.word() & !DEAD, 0, "something is still in progress");
                thread.set_word(UNREGISTERED);
                // SAFETY: initialised, if there is one, and nobody looks any more.
                let handle = thread
                    .has_handle
                    .replace(false)
                    .then(|| unsafe { (*thread.handle.get()).assume_init_read() });
                Some(Self {
                    handle,
                    lane: thread.lane.take(),
                })
            })
        }

        /// Runs the thread's destructors: it gives its lane back, and leaves the collector.
        pub fn depart() {
            drop(Owner);
        }
    }
}
