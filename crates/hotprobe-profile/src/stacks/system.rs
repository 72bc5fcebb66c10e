//! The two calls that are unsafe: walking the stack without a lock, and mapping a file.

#![allow(
    unsafe_code,
    reason = "this crate's only file with `unsafe`: there is no safe way to walk a stack, and a file that is read \
              instead of mapped takes as much memory as it is long"
)]

/// Calls `f` with each return address of this thread's stack, the innermost first, until `f`
/// returns `false`.
///
/// Takes no lock of this process' own: threads walk their stacks at the same time, also while a
/// thread looks up names.
#[cfg(unix)]
#[inline]
pub(super) fn return_addresses(mut f: impl FnMut(usize) -> bool) {
    // SAFETY: the lock that is left out is there for Windows' `dbghelp`, which is not thread-safe.
    // On Unix, the function calls the unwinder of the platform, which panics on all threads call
    // without a lock, too.
    unsafe {
        // Only the address: each other question looks the frame up once more.
        backtrace::trace_unsynchronized(|frame| f(frame.ip().addr()));
    }
}

/// Calls `f` with each return address of this thread's stack, the innermost first, until `f`
/// returns `false`.
#[cfg(not(unix))]
#[inline]
pub(super) fn return_addresses(mut f: impl FnMut(usize) -> bool) {
    backtrace::trace(|frame| f(frame.ip().addr()));
}

/// Maps a whole file into memory, to be read.
///
/// # Errors
/// The system's: the file is empty, or no regular file.
#[cfg(target_os = "linux")]
pub(super) fn map(file: &std::fs::File) -> std::io::Result<memmap2::Mmap> {
    // SAFETY: the bytes must not change while the map lives. They are those of programs, libraries
    // and their debug information, which are replaced, and not written to, while a process that
    // uses them runs. (All that reads debug information in the process, the standard library for a
    // panic's backtrace included, maps the same files.)
    unsafe { memmap2::Mmap::map(file) }
}
