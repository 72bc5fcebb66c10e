//! What a child process must mend. In it, one thread lives on; the others are gone, pinned as they
//! were, holding what they held.
//!
//! `pthread_atfork` costs the fire path nothing, unlike a look at the process's number. *Prepare*
//! takes the lock, so that nobody is in the midst of an update; *parent* releases it; *child*
//! releases it too, and begins a new collector, since the old one waits forever for threads that
//! are gone.

use crate::sync::MODEL;

/// Sees to it that this process's forks are repaired. Called before the lock is taken, and when a
/// thread registers; does its work once.
pub(super) fn install() {
    if !MODEL {
        imp::install();
    }
}

#[cfg(unix)]
mod imp {
    use super::super::reclaim::DomainWriter;
    use super::super::{domain, pin};
    use crate::sync::MutexGuard;
    use std::cell::UnsafeCell;
    use std::ffi::c_int;
    use std::ptr;
    use std::sync::atomic::{AtomicU8, Ordering};

    unsafe extern "C" {
        // POSIX; libc is linked by std, and declared here to do without the crate of that name.
        fn pthread_atfork(
            prepare: Option<extern "C" fn()>,
            parent: Option<extern "C" fn()>,
            child: Option<extern "C" fn()>,
        ) -> c_int;
    }

    pub(super) fn install() {
        // Not a `Once`: a child whose parent was in the midst of this would wait forever.
        static STATE: AtomicU8 = AtomicU8::new(NONE);
        const NONE: u8 = 0;
        const BEGUN: u8 = 1;
        if STATE.load(Ordering::Relaxed) == NONE
            && STATE
                .compare_exchange(NONE, BEGUN, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            // SAFETY: the functions are of this process's code, and never go away. (Should there be
            // no memory to write them down, forks go unrepaired; there is nobody to tell.)
            let _ = unsafe { pthread_atfork(Some(prepare), Some(parent), Some(child)) };
        }
    }

    /// The lock, between `prepare` and what follows it on the same thread.
    struct Held(UnsafeCell<Option<MutexGuard<'static, DomainWriter>>>);

    // SAFETY: touched by the forking thread only, between `prepare` and `parent` or `child`, while
    // it holds the lock that the guard stands for.
    unsafe impl Sync for Held {}

    static HELD: Held = Held(UnsafeCell::new(None));

    extern "C" fn prepare() {
        let guard = domain().lock();
        // SAFETY: this thread holds the lock.
        unsafe { *HELD.0.get() = Some(guard) };
    }

    extern "C" fn parent() {
        // SAFETY: this thread holds the lock, since `prepare`.
        drop(unsafe { (*HELD.0.get()).take() });
    }

    extern "C" fn child() {
        // SAFETY: as in `parent`; this is the copy of the thread that forked.
        let Some(mut writer) = (unsafe { (*HELD.0.get()).take() }) else {
            return;
        };
        let domain = domain();
        writer.forked(pin::dropping());
        // Leaked: it may be in any state. Null: the next to register makes a new one.
        domain.collector.store(ptr::null_mut(), Ordering::Relaxed);
        drop(writer);
        pin::with_thread_state(pin::ThreadState::forked);
    }
}

#[cfg(not(unix))]
mod imp {
    pub(super) fn install() {}
}
