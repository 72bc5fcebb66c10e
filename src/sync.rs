//! The std/loom switch, and nothing else: every primitive that the models have to see comes from
//! here.
//!
//! The std side wears loom's shape. [`plain`] is std on both sides: counters, and fields that the
//! lock protects, order nothing, so they would only enlarge the models.

#[cfg(not(crossbeam_loom))]
mod imp {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, fence};
    pub(crate) use std::sync::{Mutex, MutexGuard};

    /// Whether this build is a model.
    pub(crate) const MODEL: bool = false;

    /// `const fn` where the primitives can be made in a constant (not under loom).
    macro_rules! const_fn {
        ($(#[$meta:meta])* $vis:vis fn $($rest:tt)*) => { $(#[$meta])* $vis const fn $($rest)* };
    }

    /// A process-wide value (under loom: one for each explored execution).
    macro_rules! global {
        ($(#[$meta:meta])* static $name:ident: $ty:ty = $init:expr;) => {
            $(#[$meta])*
            static $name: $ty = $init;
        };
    }

    /// A thread-local without a destructor: a plain field of the thread, alive until the thread is
    /// gone.
    macro_rules! thread_field {
        ($(#[$meta:meta])* static $name:ident: $ty:ty = $init:expr;) => {
            ::std::thread_local! {
                $(#[$meta])*
                static $name: $ty = const { $init };
            }
        };
    }

    /// A thread-local whose destructor runs when its thread ends.
    macro_rules! thread_owner {
        ($(#[$meta:meta])* static $name:ident: $ty:ty = $init:expr;) => {
            ::std::thread_local! {
                $(#[$meta])*
                static $name: $ty = const { $init };
            }
        };
    }

    /// What only models need: a hidden door to hand a thread's registration over.
    macro_rules! model_only {
        ($($items:tt)*) => {};
    }

    pub(crate) use {const_fn, global, model_only, thread_field, thread_owner};

    /// Storage without a destructor, for [`thread_field`].
    pub(crate) use std::mem::MaybeUninit as Undropped;

    /// Barriers of which one side costs nothing (`rcu/lane.rs`).
    pub(crate) mod asymmetric {
        use std::sync::atomic::{Ordering, compiler_fence};

        /// The side of those who fire: the compiler keeps the order, and the processor is seen to
        /// by the heavy side.
        #[inline(always)]
        pub(crate) fn light() {
            compiler_fence(Ordering::SeqCst);
        }

        /// The other side, in models: whether there was one. Otherwise it is a system call, in
        /// `rcu/membarrier.rs`.
        pub(crate) fn heavy() -> bool {
            true
        }
    }

    /// Tells a model that this loop waits for another thread. Nothing outside models.
    #[inline(always)]
    pub(crate) fn spinning() {}

    /// In a model: reports a use of memory that has been reclaimed. Nothing outside models.
    #[derive(Debug)]
    pub(crate) struct Canary;

    /// One that is named from several places.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct SharedCanary;

    #[allow(clippy::unused_self, reason = "loom's shape")]
    impl SharedCanary {
        #[inline(always)]
        pub(crate) const fn new() -> Self {
            Self
        }

        #[inline(always)]
        pub(crate) fn alive(self) {}

        #[inline(always)]
        pub(crate) fn dead(self) {}
    }

    #[allow(clippy::unused_self, reason = "loom's shape")]
    impl Canary {
        #[inline(always)]
        pub(crate) const fn new() -> Self {
            Self
        }

        /// The memory is in use.
        #[inline(always)]
        pub(crate) fn alive(&self) {}

        /// The memory is about to be reclaimed.
        #[inline(always)]
        pub(crate) fn dead(&self) {}
    }
}

#[cfg(crossbeam_loom)]
mod imp {
    use super::Ordering;
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, fence};
    pub(crate) use loom::sync::{Mutex, MutexGuard};

    pub(crate) const MODEL: bool = true;

    macro_rules! const_fn {
        ($(#[$meta:meta])* $vis:vis fn $($rest:tt)*) => { $(#[$meta])* $vis fn $($rest)* };
    }

    macro_rules! global {
        ($(#[$meta:meta])* static $name:ident: $ty:ty = $init:expr;) => {
            ::loom::lazy_static! {
                $(#[$meta])*
                static ref $name: $ty = $init;
            }
        };
    }

    macro_rules! thread_field {
        ($(#[$meta:meta])* static $name:ident: $ty:ty = $init:expr;) => {
            ::loom::thread_local! {
                $(#[$meta])*
                static $name: $ty = $init;
            }
        };
    }

    macro_rules! thread_owner {
        ($(#[$meta:meta])* static $name:ident: $ty:ty = $init:expr;) => {
            ::loom::thread_local! {
                $(#[$meta])*
                static $name: $ty = $init;
            }
        };
    }

    macro_rules! model_only {
        ($($items:tt)*) => { $($items)* };
    }

    pub(crate) use {const_fn, global, model_only, thread_field, thread_owner};

    /// Wears the shape of `MaybeUninit`, but drops what is left in it: loom's thread-locals all die
    /// at once, so that the owner cannot reach the field any more.
    #[derive(Debug)]
    pub(crate) struct Undropped<T>(Option<T>);

    #[allow(
        unsafe_code,
        reason = "the shape of `MaybeUninit`; nothing unsafe is done"
    )]
    impl<T> Undropped<T> {
        pub(crate) fn uninit() -> Self {
            Self(None)
        }

        pub(crate) fn write(&mut self, value: T) -> &mut T {
            self.0.insert(value)
        }

        pub(crate) unsafe fn assume_init_ref(&self) -> &T {
            self.0.as_ref().unwrap()
        }

        pub(crate) unsafe fn assume_init_read(&mut self) -> T {
            self.0.take().unwrap()
        }
    }

    pub(crate) fn spinning() {
        loom::thread::yield_now();
    }

    /// Barriers of which one side costs nothing (`rcu/lane.rs`). In a model, both are an update of
    /// one place: of two, one comes first, and the other sees all that was before it. Nothing else
    /// is ordered by them: not crossbeam's fences, as it would be if they were fences.
    pub(crate) mod asymmetric {
        use super::Ordering;

        loom::lazy_static! {
            static ref PLACE: loom::sync::atomic::AtomicU64 = loom::sync::atomic::AtomicU64::new(0);
            static ref REFUSED: std::sync::atomic::AtomicBool =
                std::sync::atomic::AtomicBool::new(false);
        }

        pub(crate) fn light() {
            PLACE.fetch_add(1, Ordering::AcqRel);
        }

        pub(crate) fn heavy() -> bool {
            if REFUSED.load(Ordering::Relaxed) {
                return false;
            }
            PLACE.fetch_add(1, Ordering::AcqRel);
            true
        }

        /// There is no heavy barrier from now on, in this execution.
        pub(crate) fn refuse() {
            REFUSED.store(true, Ordering::Relaxed);
        }
    }

    /// A cell that readers read and the reclaimer writes: loom reports the race that a premature
    /// reclaim is. (The memory itself is leaked in a model, so that the report can be made.)
    /// Models use it for their own memory, too.
    #[derive(Debug)]
    pub struct Canary {
        access: loom::cell::UnsafeCell<()>,
        /// For the accesses that are ordered, and too late.
        dead: std::sync::atomic::AtomicBool,
    }

    #[allow(unsafe_code, reason = "loom checks the accesses; there is no memory")]
    // SAFETY: it guards a unit, and loom reports unordered accesses.
    unsafe impl Sync for Canary {}

    #[allow(clippy::new_without_default, reason = "the shape above")]
    impl Canary {
        /// In use.
        pub fn new() -> Self {
            let access = loom::cell::UnsafeCell::new(());
            // Making a cell is no event for loom, which would take it to be as old as this thread's
            // last.
            access.with_mut(|_| ());
            Self {
                access,
                dead: std::sync::atomic::AtomicBool::new(false),
            }
        }

        /// The memory is in use.
        pub fn alive(&self) {
            self.access.with(|_| ());
            assert!(!self.dead.load(Ordering::Relaxed), "used after reclaim");
        }

        /// The memory is about to be reclaimed.
        pub fn dead(&self) {
            self.access.with_mut(|_| ());
            let before = self.dead.swap(true, Ordering::Relaxed);
            assert!(!before, "reclaimed twice");
        }
    }

    /// One that is named from several places. (Leaked, like the memory that it guards.)
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct SharedCanary(&'static Canary);

    impl SharedCanary {
        pub(crate) fn new() -> Self {
            Self(Box::leak(Box::new(Canary::new())))
        }

        pub(crate) fn alive(self) {
            self.0.alive();
        }

        pub(crate) fn dead(self) {
            self.0.dead();
        }
    }
}

#[cfg(crossbeam_loom)]
pub use imp::Canary;
pub(crate) use imp::*;
pub(crate) use std::sync::atomic::Ordering;

/// Primitives that order nothing, std in models too: statistics, and fields written under the lock.
pub(crate) mod plain {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64};
}
