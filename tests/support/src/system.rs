//! What tests do to the system under the code: an allocator that counts and fails, a fork, system
//! calls that fail.
#![allow(unsafe_code, reason = "a global allocator, fork and seccomp")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicIsize, Ordering};

/// Bytes alive in this process.
pub fn live_bytes() -> isize {
    LIVE.load(Ordering::SeqCst)
}

/// Allocations of this thread from now on: `n` succeed, the next fails, and so on after it only if
/// `all`.
pub fn fail_after(n: usize, all: bool) {
    FAIL.with(|fail| fail.set(Some((n, all))));
}

/// Ends [`fail_after`]; returns whether an allocation failed.
pub fn stop_failing() -> bool {
    FAIL.with(|fail| fail.set(None));
    FAILED.with(|failed| failed.replace(false))
}

/// Has `f` called when an allocation of this thread fails, before it does. `f` may allocate.
pub fn when_failing(f: fn()) {
    WHEN_FAILING.with(|when| when.set(Some(f)));
}

/// How many allocations this thread has made.
pub fn allocations() -> usize {
    COUNT.with(Cell::get)
}

static LIVE: AtomicIsize = AtomicIsize::new(0);

thread_local! {
    static FAIL: Cell<Option<(usize, bool)>> = const { Cell::new(None) };
    static FAILED: Cell<bool> = const { Cell::new(false) };
    static WHEN_FAILING: Cell<Option<fn()>> = const { Cell::new(None) };
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// An allocator that counts what is alive, spoils what is freed, and can be told to fail.
/// [`counting_allocator!`] makes it a test binary's own.
///
/// [`counting_allocator!`]: crate::counting_allocator
#[derive(Debug)]
pub struct Counting {
    /// Called before each allocation, with its size in bytes.
    pub allocating: fn(usize),
    /// Called before memory is freed, with its size in bytes.
    pub freeing: fn(usize),
}

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
        (self.allocating)(layout.size());
        LIVE.fetch_add(layout.size().cast_signed(), Ordering::SeqCst);
        // SAFETY: by the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        (self.freeing)(layout.size());
        LIVE.fetch_sub(layout.size().cast_signed(), Ordering::SeqCst);
        // Code that still uses it must notice.
        // SAFETY: by the caller's promise, the memory is the allocator's again.
        unsafe {
            pointer.write_bytes(0xdd, layout.size());
            System.dealloc(pointer, layout);
        }
    }
}

#[cfg(unix)]
unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(status: i32) -> !;
    fn alarm(seconds: u32) -> u32;
}

/// Runs `body` in a forked child; returns what it returned. A child that hangs is killed.
#[cfg(unix)]
pub fn in_child(body: impl FnOnce() -> i32) -> i32 {
    // SAFETY: plain calls of POSIX functions; what the child may do after a fork is the test's
    // subject.
    unsafe {
        match fork() {
            -1 => panic!("fork failed"),
            0 => {
                alarm(60);
                let code =
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).unwrap_or(99);
                _exit(code);
            }
            pid => {
                let mut status = 0;
                assert_eq!(waitpid(pid, &raw mut status, 0), pid);
                // Exited, and with what; or killed, and by what.
                if status & 0x7f == 0 {
                    (status >> 8) & 0xff
                } else {
                    -(status & 0x7f)
                }
            }
        }
    }
}

/// Runs `body` in a forked child that is of another user; `None` if this process may not do that.
#[cfg(unix)]
pub fn in_child_of_user(uid: u32, body: impl FnOnce() -> i32) -> Option<i32> {
    const NOT_ALLOWED: i32 = 98;
    unsafe extern "C" {
        fn setuid(uid: u32) -> i32;
    }
    let code = in_child(|| {
        // SAFETY: a plain call, which takes a number; the child has this one thread.
        if unsafe { setuid(uid) } != 0 {
            return NOT_ALLOWED;
        }
        body()
    });
    (code != NOT_ALLOWED).then_some(code)
}

/// Whether the kernel answers `membarrier`, and has the command that the code under test uses.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub fn kernel_has_membarrier() -> bool {
    use std::ffi::{c_int, c_long};

    unsafe extern "C" {
        fn syscall(number: c_long, ...) -> c_long;
    }
    const MEMBARRIER: c_long = 324;
    const PRIVATE_EXPEDITED: c_long = 1 << 3;
    let (query, flags, cpu): (c_int, c_int, c_int) = (0, 0, 0);
    // SAFETY: the call takes three integers.
    let commands = unsafe { syscall(MEMBARRIER, query, flags, cpu) };
    commands >= 0 && commands & PRIVATE_EXPEDITED != 0
}

/// From now on, on this thread and those that it starts, the system calls of these numbers fail
/// with `errno`. There is no way back.
#[cfg(target_os = "linux")]
pub fn refuse_system_calls(numbers: &[u32], errno: u32) {
    use std::ffi::{c_int, c_ulong};

    #[repr(C)]
    struct Instruction {
        code: u16,
        if_true: u8,
        if_false: u8,
        operand: u32,
    }
    #[repr(C)]
    struct Program {
        len: u16,
        first: *const Instruction,
    }
    unsafe extern "C" {
        fn prctl(option: c_int, ...) -> c_int;
    }
    // linux/filter.h, linux/prctl.h, linux/seccomp.h.
    const LOAD_WORD: u16 = 0x20;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    const ALLOW: u32 = 0x7fff_0000;
    const FAIL_WITH: u32 = 0x0005_0000;
    const SET_NO_NEW_PRIVS: c_int = 38;
    const SET_SECCOMP: c_int = 22;
    const FILTER: c_ulong = 2;

    let instruction = |code, if_true, if_false, operand| Instruction {
        code,
        if_true,
        if_false,
        operand,
    };
    // The first word of what a filter sees is the call's number.
    let mut program = vec![instruction(LOAD_WORD, 0, 0, 0)];
    for &number in numbers {
        program.push(instruction(JUMP_IF_EQUAL, 0, 1, number));
        program.push(instruction(RETURN, 0, 0, FAIL_WITH | errno));
    }
    program.push(instruction(RETURN, 0, 0, ALLOW));
    let filter = Program {
        len: u16::try_from(program.len()).expect("a short program"),
        first: program.as_ptr(),
    };
    let zero: c_ulong = 0;
    let one: c_ulong = 1;
    // SAFETY: both read their arguments, and the filter, only while they run.
    let refused = unsafe {
        prctl(SET_NO_NEW_PRIVS, one, zero, zero, zero) != 0
            || prctl(SET_SECCOMP, FILTER, &raw const filter) != 0
    };
    assert!(!refused, "seccomp: {}", std::io::Error::last_os_error());
}
