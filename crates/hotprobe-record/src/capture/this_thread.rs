//! What a recording knows of the thread that fires.

use crate::formats::export::ThreadInfo;
use std::panic::catch_unwind;
use std::thread;

/// A longer name of a thread is cut, in bytes.
const LONGEST_NAME: usize = 256;

/// Returns what is known of the calling thread.
pub(super) fn this_thread() -> ThreadInfo {
    // (A thread that is about to be gone may have no handle any more.)
    let current = catch_unwind(thread::current).ok();
    ThreadInfo {
        index: 0,
        id: os_id()
            .or_else(|| current.as_ref().and_then(rust_id))
            .unwrap_or(0),
        name: current
            .as_ref()
            .and_then(|thread| thread.name())
            .map(|name| cut(name).into()),
    }
}

/// Returns as much of a name as is kept, cut between characters.
fn cut(name: &str) -> &str {
    let end = (0..=LONGEST_NAME)
        .rev()
        .find(|&end| name.is_char_boundary(end));
    if name.len() <= LONGEST_NAME {
        name
    } else {
        &name[..end.unwrap_or(0)]
    }
}

/// Returns the system's number for the calling thread, where it can be had without `unsafe`.
fn os_id() -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let link = std::fs::read_link("/proc/thread-self").ok()?;
    link.file_name()?.to_str()?.parse().ok()
}

/// Returns the standard library's number, which only its `Debug` shows: `ThreadId(7)`.
fn rust_id(thread: &thread::Thread) -> Option<u64> {
    let text = format!("{:?}", thread.id());
    text.strip_prefix("ThreadId(")?
        .strip_suffix(')')?
        .parse()
        .ok()
}
