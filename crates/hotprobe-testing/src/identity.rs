//! The identity of the code on a thread: the thread, the task and the runtime.
//!
//! Tasks and runtimes are tokio's. Without the feature `tokio`, none is known.

use std::thread::{self, ThreadId};

/// A thread or task that fires, within one run.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Sender {
    Thread(ThreadId),
    #[cfg(feature = "tokio")]
    Task(tokio::task::Id),
}

/// What a test can adopt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Territory {
    #[cfg(feature = "tokio")]
    Runtime(tokio::runtime::Id),
    Process,
}

/// Returns the task that this thread runs, or the thread if it is not known to run a task.
pub(crate) fn sender() -> Sender {
    task().unwrap_or_else(|| Sender::Thread(thread::current().id()))
}

/// Names this thread, and the task that it runs, for a report.
pub(crate) fn describe_sender() -> String {
    let thread = thread::current();
    let thread = match thread.name() {
        Some(name) => format!("thread {name:?}"),
        None => "an unnamed thread".to_owned(),
    };
    match task() {
        #[cfg(feature = "tokio")]
        Some(Sender::Task(task)) => format!("{thread}, task {task}"),
        _ => thread,
    }
}

#[cfg(feature = "tokio")]
fn task() -> Option<Sender> {
    tokio::task::try_id().map(Sender::Task)
}

#[cfg(not(feature = "tokio"))]
fn task() -> Option<Sender> {
    None
}

/// Returns the runtime that this thread belongs to: as a worker, or for blocking calls.
#[cfg(feature = "tokio")]
pub(crate) fn territory() -> Option<Territory> {
    let runtime = tokio::runtime::Handle::try_current().ok()?;
    Some(Territory::Runtime(runtime.id()))
}

/// Returns the runtime that this thread belongs to.
#[cfg(not(feature = "tokio"))]
pub(crate) fn territory() -> Option<Territory> {
    None
}
