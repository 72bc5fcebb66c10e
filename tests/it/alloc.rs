//! The allocator of this binary: counts what is alive, spoils what is freed, and can be told to fail, or to
//! fire events.
#![allow(unsafe_code, reason = "a global allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};

hotprobe::event! {
    /// Memory is being allocated. Fired by the allocator itself, on threads that ask for it.
    pub static ALLOCATED: fn(bytes: usize);
    /// Memory is being freed.
    pub static FREED: fn(bytes: usize);
}

/// Bytes alive in this process.
pub(crate) fn live_bytes() -> isize {
    LIVE.load(Ordering::SeqCst)
}

/// Allocations of this thread from now on: `n` succeed, the next fails, and so on after it only if `all`.
pub(crate) fn fail_after(n: usize, all: bool) {
    FAIL.with(|fail| fail.set(Some((n, all))));
}

/// Ends [`fail_after`]; returns whether an allocation failed.
pub(crate) fn stop_failing() -> bool {
    FAIL.with(|fail| fail.set(None));
    FAILED.with(|failed| failed.replace(false))
}

/// Has `f` called when an allocation of this thread fails, before it does. `f` may allocate.
pub(crate) fn when_failing(f: fn()) {
    WHEN_FAILING.with(|when| when.set(Some(f)));
}

/// How many allocations this thread has made.
pub(crate) fn allocations() -> usize {
    COUNT.with(Cell::get)
}

/// Whether allocations fire events, process-wide.
pub(crate) static FIRES: AtomicBool = AtomicBool::new(false);

/// Whether those that fire do so inside of `hotprobe::pinned`.
pub(crate) static PINS: AtomicBool = AtomicBool::new(false);

static LIVE: AtomicIsize = AtomicIsize::new(0);

thread_local! {
    static FAIL: Cell<Option<(usize, bool)>> = const { Cell::new(None) };
    static FAILED: Cell<bool> = const { Cell::new(false) };
    static WHEN_FAILING: Cell<Option<fn()>> = const { Cell::new(None) };
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn must_fail() -> bool {
    COUNT.with(|count| count.set(count.get() + 1));
    FAIL.with(|fail| match fail.get() {
        None => false,
        Some((0, all)) => {
            FAILED.with(|failed| failed.set(true));
            fail.set(None);
            if let Some(f) = WHEN_FAILING.with(Cell::get) {
                f();
            }
            if all {
                fail.set(Some((0, all)));
            }
            true
        }
        Some((n, all)) => {
            fail.set(Some((n - 1, all)));
            false
        }
    })
}

// SAFETY: passes everything on to the system's allocator, or returns null, which an allocator may.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if must_fail() {
            return ptr::null_mut();
        }
        if FIRES.load(Ordering::Relaxed) {
            if PINS.load(Ordering::Relaxed) {
                hotprobe::pinned(|| hotprobe::fire!(ALLOCATED, layout.size()));
            } else {
                hotprobe::fire!(ALLOCATED, layout.size());
            }
        }
        LIVE.fetch_add(layout.size().cast_signed(), Ordering::SeqCst);
        // SAFETY: by the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if FIRES.load(Ordering::Relaxed) {
            hotprobe::fire!(FREED, layout.size());
        }
        LIVE.fetch_sub(layout.size().cast_signed(), Ordering::SeqCst);
        // Whoever still uses it shall notice.
        // SAFETY: by the caller's promise, the memory is the allocator's again.
        unsafe {
            pointer.write_bytes(0xdd, layout.size());
            System.dealloc(pointer, layout);
        }
    }
}
