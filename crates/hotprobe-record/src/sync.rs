//! The std/loom switch of the recorder's ring, and nothing else: every primitive that its models
//! have to see comes from here. The std side wears loom's shape.

#[cfg(not(crossbeam_loom))]
mod imp {
    pub(crate) use std::sync::atomic::{AtomicU64, fence};
    pub(crate) use std::sync::{Mutex, MutexGuard};

    /// What only models need: a door to a ring without a recorder around it.
    macro_rules! model_only {
        ($($items:tt)*) => {};
    }

    pub(crate) use model_only;

    /// Tells a model that this loop waits for another thread. Nothing outside models.
    #[inline(always)]
    pub(crate) fn spinning() {}
}

#[cfg(crossbeam_loom)]
mod imp {
    pub(crate) use loom::sync::atomic::{AtomicU64, fence};
    pub(crate) use loom::sync::{Mutex, MutexGuard};

    macro_rules! model_only {
        ($($items:tt)*) => { $($items)* };
    }

    pub(crate) use model_only;

    pub(crate) fn spinning() {
        loom::thread::yield_now();
    }
}

pub(crate) use imp::*;
pub(crate) use std::sync::atomic::Ordering;

/// Primitives that order nothing, std in models too: statistics, and fields written under the lock.
pub(crate) mod plain {
    pub(crate) use std::sync::atomic::AtomicU64;
}
