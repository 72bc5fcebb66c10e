//! Floors: the same work without this crate, by bare code or by crossbeam-epoch.

// Crossbeam's pointers are followed by `unsafe` methods only; a floor without them would be another
// one.
#![allow(unsafe_code)]

use crossbeam_epoch::{Atomic, Collector, LocalHandle, Owned};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// The closure that a floor calls. Like the probes, it does nothing with its argument.
pub type Closure = Box<dyn Fn(u64) + Send + Sync>;
type Shared = Arc<dyn Fn(u64) + Send + Sync>;

/// Returns such a closure, whose type the compiler does not know.
#[must_use]
pub fn closure() -> Closure {
    black_box(Box::new(|_| ()))
}

/// Declares the pointers of hand-written guards. They are public, as events are to the linker: code
/// of a library takes one more instruction to find the address of an exported static.
macro_rules! pointers {
    ($($name:ident)*) => { $(
        #[doc = "A guard's pointer."]
        pub static $name: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());
    )* };
}
pointers! { P0 P1 P2 P3 P4 P5 P6 P7 }

#[inline(never)]
fn guarded(x: u64) {
    black_box(x);
}

macro_rules! guard {
    ($pointer:ident, $x:expr) => {
        if !$pointer.load(Ordering::Relaxed).is_null() {
            std::hint::cold_path();
            guarded($x);
        }
    };
}

/// An iteration of the loops with eight sites, without any.
#[inline(never)]
pub fn nothing_8(n: u64) {
    for i in counter(n) {
        black_box(i);
    }
}

/// Eight guards, each `if !PTR.load(Relaxed).is_null() { cold call }`.
#[inline(never)]
pub fn guard_8(n: u64) {
    for p in [&P0, &P1, &P2, &P3, &P4, &P5, &P6, &P7] {
        // They can be on.
        p.store(black_box(std::ptr::null_mut()), Ordering::Relaxed);
    }
    for i in counter(n) {
        black_box(i);
        guard!(P0, i);
        guard!(P1, i);
        guard!(P2, i);
        guard!(P3, i);
        guard!(P4, i);
        guard!(P5, i);
        guard!(P6, i);
        guard!(P7, i);
    }
}

/// The numbers of a loop's iterations, from an opaque start.
#[inline(always)]
#[must_use]
pub fn counter(n: u64) -> std::ops::Range<u64> {
    let start = black_box(0);
    start..start + n
}

// These are public, and their addresses are known, so that the compiler cannot change how they take
// their arguments, not even when it optimizes the whole program: it would find the closure's
// address once, outside the loop.
type DynFn = dyn Fn(u64) + Send + Sync;
#[used]
static CALL: fn(&DynFn, u64) = call_tail;
#[used]
static CAS_CALL: fn(&AtomicUsize, &DynFn, u64) = cas_call_tail;
#[used]
static CALL_EACH: fn(&[Closure], u64) = call_each;
#[used]
static PIN_CALL: fn(&LocalHandle, &Atomic<Closure>, u64) = pin_call_one;

/// A dyn call, out of line.
#[inline(never)]
pub fn call_tail(f: &(dyn Fn(u64) + Send + Sync), x: u64) {
    f(x);
}

/// A function that is not inlined, and ends in a dyn call, which is a jump.
#[inline(never)]
pub fn call(n: u64) {
    let f = closure();
    for i in counter(n) {
        call_tail(&*f, i);
    }
}

/// A compare-and-exchange and a dyn call, out of line.
#[inline(never)]
pub fn cas_call_tail(own: &AtomicUsize, f: &(dyn Fn(u64) + Send + Sync), x: u64) {
    // It succeeds each time.
    let _ = own.compare_exchange(0, 0, Ordering::SeqCst, Ordering::Relaxed);
    f(x);
}

/// The same after one compare-and-exchange (`lock cmpxchg`) of a word that no other thread knows.
#[inline(never)]
pub fn cas_call(n: u64) {
    let f = closure();
    let own = Box::new(AtomicUsize::new(0));
    for i in counter(n) {
        cas_call_tail(&own, &*f, i);
    }
}

/// Reads the processor's counter, after everything before it has ended and before anything after it
/// begins. (Nanoseconds, on other processors than those of x86-64.)
#[inline(always)]
#[must_use]
pub fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_mm_lfence, _rdtsc};
        // SAFETY: every processor of this architecture has both.
        unsafe {
            _mm_lfence();
            let ticks = _rdtsc();
            _mm_lfence();
            ticks
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        static START: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
        u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A dyn call for each, out of line.
#[inline(never)]
pub fn call_each(list: &[Closure], x: u64) {
    for f in list {
        f(x);
    }
}

fn loop_of(n: u64, len: usize) {
    let list: Vec<Closure> = (0..len).map(|_| closure()).collect();
    let list = black_box(list);
    for i in counter(n) {
        call_each(&list, i);
    }
}

/// A plain loop over a vector of one boxed closure.
#[inline(never)]
pub fn loop_1(n: u64) {
    loop_of(n, 1);
}

/// A plain loop over a vector of 16.
#[inline(never)]
pub fn loop_16(n: u64) {
    loop_of(n, 16);
}

static COLLECTOR: LazyLock<Collector> = LazyLock::new(Collector::new);
static ONE: LazyLock<Atomic<Closure>> = LazyLock::new(|| Atomic::new(closure()));

/// What [`pin_call`] repeats, out of line.
#[inline(never)]
pub fn pin_call_one(handle: &LocalHandle, one: &Atomic<Closure>, x: u64) {
    pin_call_here(handle, one, x);
}

#[inline(always)]
fn pin_call_here(handle: &LocalHandle, one: &Atomic<Closure>, x: u64) {
    let guard = handle.pin();
    // SAFETY: it is never replaced.
    if let Some(f) = unsafe { one.load(Ordering::Acquire, &guard).as_ref() } {
        f(x);
    }
}

/// A function that is not inlined: pin (crossbeam's, inlined there, its handle at hand), load, dyn
/// call, unpin: a firing that knows no nesting, no gate, no state and no panic.
#[inline(never)]
pub fn pin_call(n: u64) {
    let handle = COLLECTOR.register();
    let one = &*ONE;
    for i in counter(n) {
        pin_call_one(&handle, one, i);
    }
}

/// The same, inlined in the loop. An event cannot do that, since its enabled code must be outside
/// the function that fires it.
#[inline(never)]
pub fn pin_call_inlined(n: u64) {
    let handle = COLLECTOR.register();
    let one = &*ONE;
    for i in counter(n) {
        pin_call_here(&handle, one, i);
    }
}

/// A vector of probes as plain crossbeam-epoch would have it.
struct List(Atomic<Vec<Shared>>);

impl List {
    fn new(len: usize) -> Self {
        let list: Vec<Shared> = (0..len).map(|_| Arc::new(|_| ()) as Shared).collect();
        Self(Atomic::new(list))
    }

    /// Clones the vector, changes the clone, swaps it in, and defers the drop of the old one.
    #[inline(never)]
    fn update(&self, handle: &LocalHandle, change: impl FnOnce(&Vec<Shared>) -> Vec<Shared>) {
        let guard = handle.pin();
        // SAFETY: never null, and replaced by this thread only.
        let next = change(unsafe { self.0.load(Ordering::Acquire, &guard).deref() });
        let old = self.0.swap(Owned::new(next), Ordering::AcqRel, &guard);
        // SAFETY: unlinked just now.
        unsafe { guard.defer_destroy(old) };
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: nobody else knows it.
        drop(unsafe { std::mem::take(&mut self.0).into_owned() });
    }
}

/// Boxes a closure, and puts it into the vector by clone + swap + defer; takes it out the same way.
/// Crossbeam drops deferred objects at some later pin, 64 at a time, so nothing has been dropped at
/// the end.
fn swaps(n: u64, len: usize) {
    swaps_then(n, len, |_| ());
}

/// The same, and `then` after each pair.
#[inline(always)]
fn swaps_then(n: u64, len: usize, then: impl Fn(&LocalHandle)) {
    let handle = COLLECTOR.register();
    let list = black_box(List::new(len));
    for i in counter(n) {
        let closure: Shared = Arc::new(move |_| {
            black_box(i);
        });
        list.update(&handle, |old| {
            let mut next = Vec::with_capacity(old.len() + 1);
            next.extend(old.iter().cloned());
            next.push(closure);
            next
        });
        list.update(&handle, |old| {
            let mut next = Vec::with_capacity(old.len() - 1);
            next.extend(old[..old.len() - 1].iter().cloned());
            next
        });
        then(&handle);
    }
}

/// Clone + swap + defer, twice: a closure more, and less, in an empty vector.
#[inline(never)]
pub fn swaps_0(n: u64) {
    swaps(n, 0);
}

/// The same in a vector of 4.
#[inline(never)]
pub fn swaps_4(n: u64) {
    swaps(n, 4);
}

/// The same in a vector of 16.
#[inline(never)]
pub fn swaps_16(n: u64) {
    swaps(n, 16);
}

/// Whether the grace period that is waited for is over.
static OVER: AtomicBool = AtomicBool::new(false);

/// A pair, and then a grace period, so that what was taken out could be dropped: a store is
/// deferred, and crossbeam flushed until it has been done.
#[inline(never)]
pub fn swaps_over(n: u64) {
    swaps_then(n, 0, |handle| {
        OVER.store(false, Ordering::Relaxed);
        let mut guard = handle.pin();
        guard.defer(|| OVER.store(true, Ordering::Release));
        loop {
            guard.flush();
            if OVER.load(Ordering::Acquire) {
                return;
            }
            guard.repin();
        }
    });
}

/// Makes this thread one of those that the floors' grace periods look at, as long as the handle
/// lives.
#[must_use]
pub fn join() -> LocalHandle {
    let handle = COLLECTOR.register();
    drop(handle.pin());
    handle
}
