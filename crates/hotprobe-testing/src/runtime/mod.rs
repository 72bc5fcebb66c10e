//! Blocking a thread that an async runtime may need.
//!
//! The feature `tokio` makes a difference only on threads of a tokio runtime.

#[cfg(feature = "tokio")]
mod on_tokio;

#[cfg(feature = "tokio")]
pub(crate) use on_tokio::blocking;
#[cfg(feature = "tokio")]
pub use on_tokio::{spawn_blocking, spawn_task, spawn_task_as};

/// Why a wait is refused, in a report.
pub(crate) const ONE_THREAD: &str = "this is a current-thread runtime, or a task of a `LocalSet`";

/// Runs `wait`, which blocks. Without the feature `tokio` no runtime is known that would forbid it.
#[cfg(not(feature = "tokio"))]
#[allow(clippy::unnecessary_wraps, reason = "on tokio, there may be no answer")]
pub(crate) fn blocking<R>(wait: impl FnOnce() -> R) -> Option<R> {
    Some(wait())
}
