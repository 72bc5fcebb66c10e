//! G11: firing works anywhere: in thread-local destructors, at thread and process exit, after a
//! fork.
#![allow(unsafe_code, reason = "fork, atexit")]

use crate::{Door, Witness, child, isolated, text};
use hotprobe::fire;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

hotprobe::event! {
    static ENDING: fn(n: u64);
    static TICK: fn();
}

/// Fires, attaches and detaches when its thread ends.
struct FiresAtExit(u64);

impl Drop for FiresAtExit {
    fn drop(&mut self) {
        fire!(ENDING, self.0);
        hotprobe::pinned(|| fire!(ENDING, self.0));
        if self.0 % 100 == 0 {
            let probe = TICK.attach(|| ());
            TICK.fire();
            probe.detach();
            hotprobe::reclaim();
        }
    }
}

thread_local! {
    static EARLY: RefCell<Option<FiresAtExit>> = const { RefCell::new(None) };
    static LATE: RefCell<Option<FiresAtExit>> = const { RefCell::new(None) };
}

#[test]
fn in_the_thread_local_destructors_of_ten_thousand_threads() {
    isolated(
        "anywhere::in_the_thread_local_destructors_of_ten_thousand_threads",
        || {
            const THREADS: u64 = 10_000;
            let sum = Arc::new(AtomicU64::new(0));
            let probe = ENDING.attach({
                let sum = Arc::clone(&sum);
                move |n| {
                    sum.fetch_add(n, Ordering::Relaxed);
                    TICK.fire();
                }
            });
            let baseline = crate::alloc::live_bytes();
            for n in 1..=THREADS {
                // One destructor is registered before the thread's own state is, the other after:
                // one of them runs when that state is gone.
                thread::spawn(move || {
                    EARLY.with(|early| *early.borrow_mut() = Some(FiresAtExit(n)));
                    fire!(ENDING, n);
                    LATE.with(|late| *late.borrow_mut() = Some(FiresAtExit(n)));
                })
                .join()
                .unwrap();
            }
            assert_eq!(sum.load(Ordering::SeqCst), 5 * THREADS * (THREADS + 1) / 2);
            // And threads whose last deed is a firing.
            for _ in 0..1000 {
                thread::spawn(|| fire!(ENDING, 0)).join().unwrap();
            }
            probe.detach_and_wait().unwrap();
            let stats = hotprobe::stats();
            assert_eq!(stats.retired, stats.reclaimed);
            // None of them has left its registration behind: that would be two kilobytes each.
            for _ in 0..100 {
                hotprobe::synchronize().unwrap();
            }
            let left = crate::alloc::live_bytes() - baseline;
            assert!(left < 256 << 10, "{left} bytes are left");
        },
    );
}

/// The process ends while an event is on and threads fire: by `exit`, which runs destructors and
/// `atexit` functions beside them.
#[test]
fn while_the_process_exits() {
    const NAME: &str = "anywhere::while_the_process_exits";
    if std::env::var(crate::CHILD).is_ok_and(|child| child == NAME) {
        unsafe extern "C" {
            fn atexit(function: extern "C" fn()) -> i32;
        }
        extern "C" fn fires() {
            fire!(ENDING, 1);
        }
        // SAFETY: a function that lives as long as the process.
        unsafe { atexit(fires) };
        let fired = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&fired);
        ENDING
            .attach(move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
            })
            .leak();
        EARLY.with(|early| *early.borrow_mut() = Some(FiresAtExit(100)));
        for _ in 0..2 {
            thread::spawn(|| {
                loop {
                    fire!(ENDING, 0);
                }
            });
        }
        crate::eventually("they fire", || fired.load(Ordering::Relaxed) > 1000);
        // Inside a firing, too.
        hotprobe::event! { static EXIT: fn(); }
        EXIT.attach(|| std::process::exit(42)).leak();
        EXIT.fire();
        unreachable!();
    }
    let output = child(NAME).output().unwrap();
    assert_eq!(output.status.code(), Some(42), "{}", text(&output));
}

/// Fires when its thread's own state is gone.
struct Last(fn());

impl Drop for Last {
    fn drop(&mut self) {
        (self.0)();
    }
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// Runs `body` in a thread-local destructor that comes after this crate's own.
fn on_a_dying_thread(body: fn()) {
    thread::spawn(move || {
        // Registered before, so it runs after.
        LAST.with(|last| *last.borrow_mut() = Some(Last(body)));
        hotprobe::pinned(|| ());
    })
    .join()
    .unwrap();
}

#[test]
fn waiting_on_a_dying_thread_costs_no_memory() {
    isolated(
        "anywhere::waiting_on_a_dying_thread_costs_no_memory",
        || {
            let door = Door::new();
            thread::scope(|scope| {
                scope.spawn(|| hotprobe::pinned(|| door.pass()));
                door.wait_for_arrival();
                let before = crate::alloc::live_bytes();
                on_a_dying_thread(|| {
                    let waited =
                        hotprobe::synchronize_timeout(std::time::Duration::from_millis(50));
                    assert_eq!(waited, Err(hotprobe::SynchronizeError::TimedOut));
                });
                let cost = crate::alloc::live_bytes() - before;
                assert!(cost < 64 << 10, "{cost} bytes");
                door.open();
            });
            hotprobe::synchronize().unwrap();
        },
    );
}

/// Inside a firing: whether another thread cannot get over it. 0 if so.
fn still_protected() -> i32 {
    let waited = thread::spawn(|| {
        let (witness, dropped) = Witness::new();
        TICK.attach(move || witness.touch()).detach();
        let waited = hotprobe::synchronize_timeout(std::time::Duration::from_millis(50));
        waited.is_err() && dropped.try_recv().is_err()
    });
    i32::from(!waited.join().unwrap())
}

/// Coroutines: two stacks on one thread, whose firings end in another order than they began.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod coroutine {
    use super::*;
    use std::cell::UnsafeCell;
    use std::ffi::c_int;
    use std::ptr;

    /// The beginning of `ucontext_t`, with room for the rest.
    #[repr(C, align(64))]
    struct Context {
        flags: usize,
        link: *mut Context,
        stack: *mut u8,
        stack_flags: c_int,
        stack_size: usize,
        rest: [usize; 1024],
    }

    unsafe extern "C" {
        fn getcontext(context: *mut Context) -> c_int;
        fn makecontext(context: *mut Context, body: extern "C" fn(), arguments: c_int, ...);
        fn swapcontext(from: *mut Context, to: *mut Context) -> c_int;
    }

    struct Contexts {
        main: UnsafeCell<Context>,
        other: UnsafeCell<Context>,
    }

    // SAFETY: one thread uses them at a time: each test has a process of its own.
    unsafe impl Sync for Contexts {}

    const EMPTY: Context = Context {
        flags: 0,
        link: ptr::null_mut(),
        stack: ptr::null_mut(),
        stack_flags: 0,
        stack_size: 0,
        rest: [0; 1024],
    };

    static CONTEXTS: Contexts = Contexts {
        main: UnsafeCell::new(EMPTY),
        other: UnsafeCell::new(EMPTY),
    };

    /// Continues on the other stack, until that one returns to this one.
    fn to_other() {
        // SAFETY: `other` has been made, or has been left by `to_main`.
        unsafe { swapcontext(CONTEXTS.main.get(), CONTEXTS.other.get()) };
    }

    fn to_main() {
        // SAFETY: `main` has been left by `to_other`.
        unsafe { swapcontext(CONTEXTS.other.get(), CONTEXTS.main.get()) };
    }

    /// Begins `other` on a stack of its own, which must outlive its use.
    fn make_other(stack: &mut [u8]) {
        // SAFETY: as POSIX wants it.
        unsafe {
            let context = CONTEXTS.other.get();
            assert_eq!(getcontext(context), 0);
            (*context).stack = stack.as_mut_ptr();
            (*context).stack_size = stack.len();
            makecontext(context, other, 0);
        }
    }

    extern "C" fn other() {
        loop {
            // A firing by itself, and one inside `pinned`.
            ENDING.fire(1);
            to_main();
            hotprobe::pinned(|| ENDING.fire(1));
            to_main();
        }
    }

    #[test]
    fn the_first_firing_of_a_thread_may_end_before_those_that_began_later() {
        isolated(
            "anywhere::coroutine::the_first_firing_of_a_thread_may_end_before_those_that_began_later",
            || {
                let mut stack = vec![0_u8; 1 << 20];
                make_other(&mut stack);
                let protected = Arc::new(AtomicU64::new(0));
                let probe = ENDING.attach({
                    let protected = Arc::clone(&protected);
                    move |n| {
                        if n == 1 {
                            return to_main();
                        }
                        // In a child this one stays protected, too, and in a child of that.
                        let ends = || {
                            to_other();
                            still_protected()
                        };
                        assert_eq!(test_support::system::in_child(ends), 0);
                        assert_eq!(
                            test_support::system::in_child(|| test_support::system::in_child(ends)),
                            0
                        );
                        // Here the other stack's firing ends, and with it the thread's first one.
                        to_other();
                        assert_eq!(
                            hotprobe::synchronize(),
                            Err(hotprobe::SynchronizeError::InProbe)
                        );
                        TICK.fire();
                        hotprobe::pinned(|| TICK.fire());
                        if still_protected() == 0 {
                            protected.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                });
                for n in 1..=6 {
                    // Comes back inside a firing.
                    to_other();
                    assert_eq!(
                        hotprobe::synchronize(),
                        Err(hotprobe::SynchronizeError::InProbe)
                    );
                    if n % 3 == 0 {
                        hotprobe::pinned(|| ENDING.fire(2));
                    } else {
                        ENDING.fire(2);
                    }
                    assert!(!probe.has_panicked());
                    assert_eq!(protected.load(Ordering::SeqCst), n);
                    // Nothing is in progress any more, on this thread and for others.
                    hotprobe::synchronize().unwrap();
                    thread::spawn(|| hotprobe::synchronize().unwrap())
                        .join()
                        .unwrap();
                }
                drop(probe);
            },
        );
    }

    #[test]
    fn a_firing_may_end_after_its_thread_has() {
        isolated(
            "anywhere::coroutine::a_firing_may_end_after_its_thread_has",
            || {
                static PROTECTED: AtomicU64 = AtomicU64::new(0);
                let probe = ENDING.attach(|_| to_main());
                let mut stack = vec![0_u8; 1 << 20];
                let stack: &mut [u8] = &mut stack;
                let mut once = || {
                    make_other(stack);
                    thread::scope(|scope| {
                        let thread = scope.spawn(|| {
                            let last = || {
                                // This crate's thread-local destructor has run; the firing
                                // continues.
                                ENDED.fire();
                                if PROTECTED.load(Ordering::SeqCst) == 0 && still_protected() == 0 {
                                    PROTECTED.fetch_add(1, Ordering::SeqCst);
                                }
                                to_other();
                            };
                            LAST.with(|slot| *slot.borrow_mut() = Some(Last(last)));
                            ENDED.fire();
                            to_other();
                        });
                        thread.join().unwrap();
                    });
                    hotprobe::synchronize().unwrap();
                };
                hotprobe::event! { static ENDED: fn(); }
                let ended = ENDED.attach(|| ());
                once();
                assert_eq!(PROTECTED.load(Ordering::SeqCst), 1);
                let baseline = crate::alloc::live_bytes();
                for _ in 0..100 {
                    once();
                }
                for _ in 0..100 {
                    hotprobe::synchronize().unwrap();
                }
                let left = crate::alloc::live_bytes() - baseline;
                assert!(left < 64 << 10, "{left} bytes are left");
                drop((probe, ended));
            },
        );
    }
}

#[test]
fn what_the_allocator_fires_while_a_dying_thread_registers_is_skipped() {
    isolated(
        "anywhere::what_the_allocator_fires_while_a_dying_thread_registers_is_skipped",
        || {
            use crate::alloc::{ALLOCATED, FIRES};
            static INSIDE: AtomicU64 = AtomicU64::new(0);
            let allocated = ALLOCATED.attach(|_| {
                INSIDE.fetch_add(1, Ordering::SeqCst);
            });
            let ending = ENDING.attach(|_| FIRES.store(false, Ordering::SeqCst));
            on_a_dying_thread(|| {
                FIRES.store(true, Ordering::SeqCst);
                // Joins the collector, for this once, which allocates.
                fire!(ENDING, 1);
            });
            assert!(hotprobe::stats().skipped_registering > 0);
            assert_eq!(INSIDE.load(Ordering::SeqCst), 0);
            drop((allocated, ending));
        },
    );
}

#[cfg(unix)]
mod fork {
    use super::*;

    use test_support::system::in_child;

    unsafe extern "C" {
        fn fork() -> i32;
        fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
        fn _exit(status: i32) -> !;
        fn alarm(seconds: u32) -> u32;
    }

    /// Everything works, and synchronize does not wait for threads that are not there.
    fn all_works() -> i32 {
        let calls = Arc::new(AtomicU64::new(0));
        let (witness, dropped) = Witness::new();
        let probe = TICK.attach({
            let calls = Arc::clone(&calls);
            move || {
                witness.touch();
                calls.fetch_add(1, Ordering::SeqCst);
            }
        });
        for _ in 0..1000 {
            TICK.fire();
        }
        hotprobe::pinned(|| TICK.fire());
        if calls.load(Ordering::SeqCst) != 1001 {
            return 1;
        }
        if probe.detach_and_wait().is_err() {
            return 2;
        }
        if dropped.try_recv().is_err() {
            return 3;
        }
        if thread::spawn(|| TICK.fire()).join().is_err() {
            return 4;
        }
        0
    }

    #[test]
    fn while_another_thread_is_inside_a_probe() {
        isolated(
            "anywhere::fork::while_another_thread_is_inside_a_probe",
            || {
                let door = Arc::new(Door::new());
                let inside = ENDING.attach({
                    let door = Arc::clone(&door);
                    move |n| {
                        if n == 1 {
                            door.pass();
                        }
                    }
                });
                thread::scope(|scope| {
                    scope.spawn(|| ENDING.fire(1));
                    door.wait_for_arrival();
                    // Retired in the parent while that thread is inside, to be dropped in both.
                    let (witness, dropped) = Witness::new();
                    TICK.attach(move || witness.touch()).detach();
                    assert!(dropped.try_recv().is_err());
                    let code = in_child(|| {
                        ENDING.fire(2);
                        let code = all_works();
                        if code == 0 && dropped.try_recv().is_err() {
                            5
                        } else {
                            code
                        }
                    });
                    assert_eq!(code, 0);
                    // From a thread that has never fired, too.
                    let code = scope.spawn(|| in_child(all_works)).join().unwrap();
                    assert_eq!(code, 0);
                    door.open();
                });
                // And the parent continues as if nothing had been.
                assert_eq!(all_works(), 0);
                drop(inside);
            },
        );
    }

    /// Runs `probe` in a firing; returns what it returned.
    fn in_a_firing(probe: impl Fn() -> i32 + Send + Sync + 'static) -> i32 {
        let code = Arc::new(std::sync::atomic::AtomicI32::new(77));
        let attached = ENDING.attach({
            let code = Arc::clone(&code);
            move |_| code.store(probe(), Ordering::SeqCst)
        });
        fire!(ENDING, 0);
        drop(attached);
        code.load(Ordering::SeqCst)
    }

    #[test]
    fn inside_of_a_probe_itself() {
        isolated("anywhere::fork::inside_of_a_probe_itself", || {
            // In the child, this firing continues: it is protected, by the child's own collector.
            let code = in_a_firing(|| {
                in_child(|| {
                    let error = hotprobe::synchronize();
                    still_protected()
                        + 2 * i32::from(error != Err(hotprobe::SynchronizeError::InProbe))
                })
            });
            assert_eq!(code, 0);
            assert_eq!(all_works(), 0);
        });
    }

    #[test]
    fn what_the_allocator_fires_while_the_child_joins_its_own_collector_is_skipped() {
        isolated(
            "anywhere::fork::what_the_allocator_fires_while_the_child_joins_its_own_collector_is_skipped",
            || {
                use crate::alloc::{ALLOCATED, FIRES};
                let allocated = ALLOCATED.attach(|_| ());
                hotprobe::synchronize().unwrap();
                let before = hotprobe::stats().skipped_registering;
                let code = in_child(|| {
                    // It joins when it first reclaims.
                    FIRES.store(true, Ordering::SeqCst);
                    let synchronized = hotprobe::synchronize();
                    FIRES.store(false, Ordering::SeqCst);
                    let skipped = hotprobe::stats().skipped_registering - before;
                    i32::from(skipped == 0) + 2 * i32::from(synchronized.is_err())
                });
                assert_eq!(code, 0);
                drop(allocated);
            },
        );
    }

    #[test]
    fn inside_of_a_probe_whose_firing_then_ends_in_the_child() {
        isolated(
            "anywhere::fork::inside_of_a_probe_whose_firing_then_ends_in_the_child",
            || {
                let child = Arc::new(AtomicU64::new(0));
                let forks = ENDING.attach({
                    let child = Arc::clone(&child);
                    move |_| {
                        // SAFETY: as in `in_child`.
                        let pid = unsafe { fork() };
                        assert!(pid >= 0);
                        child.store(u64::from(pid.unsigned_abs()), Ordering::SeqCst);
                    }
                });
                hotprobe::pinned(|| ENDING.fire(0));
                let pid = child.load(Ordering::SeqCst);
                if pid == 0 {
                    // SAFETY: as in `in_child`.
                    unsafe {
                        alarm(60);
                        drop(forks);
                        _exit(all_works());
                    }
                }
                let mut status = 0;
                // SAFETY: as in `in_child`.
                unsafe { waitpid(i32::try_from(pid).unwrap(), &raw mut status, 0) };
                assert_eq!(status, 0);
                assert_eq!(all_works(), 0);
            },
        );
    }

    #[test]
    fn inside_of_a_probe_and_once_more_in_the_child_where_the_firing_then_ends() {
        isolated(
            "anywhere::fork::inside_of_a_probe_and_once_more_in_the_child_where_the_firing_then_ends",
            || {
                let generation = Arc::new(AtomicU64::new(0));
                let forks = ENDING.attach({
                    let generation = Arc::clone(&generation);
                    move |_| {
                        for n in 1..=2 {
                            // SAFETY: as in `in_child`.
                            let pid = unsafe { fork() };
                            assert!(pid >= 0);
                            if pid > 0 {
                                let mut status = 0;
                                // SAFETY: as in `in_child`.
                                assert_eq!(unsafe { waitpid(pid, &raw mut status, 0) }, pid);
                                assert_eq!(status, 0);
                                return;
                            }
                            generation.store(n, Ordering::SeqCst);
                            // SAFETY: as in `in_child`.
                            unsafe { alarm(60) };
                            assert_eq!(still_protected(), 0);
                        }
                    }
                });
                ENDING.fire(0);
                // In each of the three processes the firing has ended.
                let code = i32::from(forks.has_panicked()) + 2 * all_works();
                drop(forks);
                if generation.load(Ordering::SeqCst) > 0 {
                    // SAFETY: as in `in_child`.
                    unsafe { _exit(code) };
                }
                assert_eq!(code, 0);
            },
        );
    }

    #[test]
    fn on_a_thread_that_ends_in_the_child_as_its_first_deed() {
        isolated(
            "anywhere::fork::on_a_thread_that_ends_in_the_child_as_its_first_deed",
            || {
                static CODE: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(77);
                let probe = ENDING.attach(|_| CODE.store(still_protected(), Ordering::SeqCst));
                thread::spawn(|| {
                    LAST.with(|last| *last.borrow_mut() = Some(Last(|| ())));
                    hotprobe::pinned(|| ());
                    // SAFETY: as in `in_child`.
                    let pid = unsafe { fork() };
                    assert!(pid >= 0);
                    if pid == 0 {
                        // This crate's thread-local destructor comes first; then this one.
                        let last = || {
                            fire!(ENDING, 1);
                            hotprobe::pinned(|| fire!(ENDING, 1));
                            // SAFETY: as in `in_child`.
                            unsafe { _exit(CODE.load(Ordering::SeqCst)) };
                        };
                        LAST.with(|slot| slot.borrow_mut().as_mut().unwrap().0 = last);
                        // SAFETY: as in `in_child`.
                        unsafe { alarm(60) };
                        return;
                    }
                    let mut status = 0;
                    // SAFETY: as in `in_child`.
                    assert_eq!(unsafe { waitpid(pid, &raw mut status, 0) }, pid);
                    assert_eq!(status, 0);
                })
                .join()
                .unwrap();
                drop(probe);
            },
        );
    }

    #[test]
    fn inside_of_a_captured_drop_which_then_ends_in_the_child() {
        isolated(
            "anywhere::fork::inside_of_a_captured_drop_which_then_ends_in_the_child",
            || {
                static CHILD: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(77);
                struct Forks;
                impl Drop for Forks {
                    fn drop(&mut self) {
                        // SAFETY: as in `in_child`.
                        CHILD.store(unsafe { fork() }, Ordering::SeqCst);
                    }
                }
                let forks = Forks;
                let probe = TICK.attach(move || {
                    let _ = &forks;
                });
                probe.detach();
                let pid = CHILD.load(Ordering::SeqCst);
                assert!(pid >= 0);
                // SAFETY: as in `in_child`.
                unsafe {
                    if pid == 0 {
                        alarm(60);
                        let works = all_works();
                        let stats = hotprobe::stats();
                        _exit(works + 8 * i32::from(stats.retired != stats.reclaimed));
                    }
                    let mut status = 0;
                    assert_eq!(waitpid(pid, &raw mut status, 0), pid);
                    assert_eq!(status, 0);
                }
            },
        );
    }

    /// The drain works with a registration of its own there, which is the parent's collector's. In
    /// the child it continues, and starts a grace period, while another thread of the parent was
    /// inside a probe.
    #[test]
    fn inside_of_a_captured_drop_on_a_thread_past_its_destructors() {
        use std::sync::atomic::{AtomicBool, AtomicI32};

        static CHILD: AtomicI32 = AtomicI32::new(77);
        static DROPPING: AtomicBool = AtomicBool::new(false);
        static STUCK: Door = Door::new();
        static FORKING: std::sync::Mutex<Option<hotprobe::Probe>> = std::sync::Mutex::new(None);
        hotprobe::event! { static WAITS: fn(); }

        /// Forks when it is dropped, and detaches another probe in the child.
        struct Forks(std::sync::Mutex<Option<hotprobe::Probe>>);
        impl Drop for Forks {
            fn drop(&mut self) {
                DROPPING.store(true, Ordering::SeqCst);
                STUCK.wait_for_arrival();
                // SAFETY: as in `in_child`.
                let pid = unsafe { fork() };
                CHILD.store(pid, Ordering::SeqCst);
                let inner = self.0.get_mut().unwrap().take();
                if pid == 0 {
                    // SAFETY: as in `in_child`.
                    unsafe { alarm(60) };
                    drop(inner);
                } else if let Some(inner) = inner {
                    inner.leak();
                }
            }
        }

        isolated(
            "anywhere::fork::inside_of_a_captured_drop_on_a_thread_past_its_destructors",
            || {
                let waits = WAITS.attach(|| STUCK.pass());
                let stuck = thread::spawn(|| {
                    test_support::eventually("the capture is dropped", || {
                        DROPPING.load(Ordering::SeqCst)
                    });
                    WAITS.fire();
                });
                thread::spawn(|| {
                    // Registered first, so dropped last: after this crate's.
                    LAST.with(|last| *last.borrow_mut() = Some(Last(|| ())));
                    hotprobe::pinned(|| ());
                    let forks = Forks(std::sync::Mutex::new(Some(TICK.attach(|| ()))));
                    *FORKING.lock().unwrap() = Some(TICK.attach(move || {
                        let _ = &forks;
                    }));
                    LAST.with(|last| {
                        last.borrow_mut().as_mut().unwrap().0 = || {
                            let forking = FORKING.lock().unwrap().take();
                            drop(forking);
                            if CHILD.load(Ordering::SeqCst) == 0 {
                                TICK.attach(|| ()).detach();
                                let ended = hotprobe::synchronize();
                                // SAFETY: as in `in_child`.
                                unsafe { _exit(i32::from(ended.is_err())) };
                            }
                        };
                    });
                })
                .join()
                .unwrap();
                STUCK.open();
                stuck.join().unwrap();
                let pid = CHILD.load(Ordering::SeqCst);
                assert!(pid > 0);
                let mut status = 0;
                // SAFETY: as in `in_child`.
                assert_eq!(unsafe { waitpid(pid, &raw mut status, 0) }, pid);
                assert_eq!(status, 0);
                assert_eq!(all_works(), 0);
                drop(waits);
            },
        );
    }

    #[test]
    fn again_and_again_under_writers_and_readers() {
        isolated(
            "anywhere::fork::again_and_again_under_writers_and_readers",
            || {
                let stop = std::sync::atomic::AtomicBool::new(false);
                thread::scope(|scope| {
                    for _ in 0..2 {
                        scope.spawn(|| {
                            while !stop.load(Ordering::Relaxed) {
                                let probe = ENDING.attach(|_| ());
                                ENDING.fire(1);
                                drop(probe);
                            }
                        });
                    }
                    for _ in 0..100 {
                        assert_eq!(in_child(all_works), 0);
                    }
                    // A child of a child.
                    assert_eq!(in_child(|| in_child(all_works)), 0);
                    stop.store(true, Ordering::Relaxed);
                });
            },
        );
    }

    #[test]
    fn inside_of_a_probe_on_a_dying_thread() {
        isolated(
            "anywhere::fork::inside_of_a_probe_on_a_dying_thread",
            || {
                static CODE: AtomicU64 = AtomicU64::new(77);
                let forks = ENDING.attach(|_| {
                    let code = in_child(still_protected);
                    CODE.store(u64::from(code.unsigned_abs()), Ordering::SeqCst);
                });
                on_a_dying_thread(|| fire!(ENDING, 1));
                assert_eq!(CODE.load(Ordering::SeqCst), 0);
                assert_eq!(all_works(), 0);
                drop(forks);
            },
        );
    }

    #[test]
    fn inside_of_a_probe_on_a_dying_thread_where_the_firing_then_ends() {
        isolated(
            "anywhere::fork::inside_of_a_probe_on_a_dying_thread_where_the_firing_then_ends",
            || {
                static CHILD: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(77);
                let forks = ENDING.attach(|_| {
                    // SAFETY: as in `in_child`.
                    CHILD.store(unsafe { fork() }, Ordering::SeqCst);
                });
                on_a_dying_thread(|| {
                    fire!(ENDING, 1);
                    let pid = CHILD.load(Ordering::SeqCst);
                    assert!(pid >= 0);
                    let mut status = 0;
                    // SAFETY: as in `in_child`.
                    unsafe {
                        if pid == 0 {
                            alarm(60);
                            // (At once: a later firing's end would make good what this one's had
                            // left undone.)
                            let timeout = std::time::Duration::from_secs(10);
                            if hotprobe::synchronize_timeout(timeout).is_err() {
                                _exit(5);
                            }
                            _exit(all_works());
                        }
                        assert_eq!(waitpid(pid, &raw mut status, 0), pid);
                    }
                    CHILD.store(status, Ordering::SeqCst);
                });
                assert_eq!(CHILD.load(Ordering::SeqCst), 0);
                drop(forks);
            },
        );
    }

    #[test]
    fn a_grace_period_does_not_end_by_it() {
        isolated("anywhere::fork::a_grace_period_does_not_end_by_it", || {
            let code = in_a_firing(|| {
                let grace = hotprobe::grace_period();
                // Begun by another thread, so that it runs.
                thread::spawn(hotprobe::reclaim).join().unwrap();
                in_child(|| {
                    let over = grace.is_over();
                    let elsewhere = thread::spawn(move || grace.is_over()).join().unwrap();
                    i32::from(over) + 2 * i32::from(elsewhere)
                })
            });
            assert_eq!(code, 0);
        });
    }

    #[test]
    fn what_others_were_freeing_is_written_off() {
        isolated(
            "anywhere::fork::what_others_were_freeing_is_written_off",
            || {
                let stop = std::sync::atomic::AtomicBool::new(false);
                thread::scope(|scope| {
                    for _ in 0..2 {
                        scope.spawn(|| {
                            while !stop.load(Ordering::Relaxed) {
                                let probes =
                                    [TICK.attach(|| ()), TICK.attach(|| ()), TICK.attach(|| ())];
                                drop(probes);
                            }
                        });
                    }
                    for _ in 0..300 {
                        let code = in_child(|| {
                            if hotprobe::synchronize().is_err() {
                                return 1;
                            }
                            let stats = hotprobe::stats();
                            2 * i32::from(stats.retired != stats.reclaimed)
                        });
                        assert_eq!(code, 0);
                    }
                    stop.store(true, Ordering::Relaxed);
                });
            },
        );
    }
}
