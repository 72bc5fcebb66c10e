//! Blocking a thread, where no runtime is known (without feature `tokio`).

/// Whether a wait on this thread, which polls a task now, would stop the runtime and all its tasks: not known.
pub(super) fn has_one_thread() -> bool {
    false
}

/// Runs `wait`, which blocks.
#[allow(
    clippy::unnecessary_wraps,
    reason = "where a runtime is known, it may not allow it"
)]
pub(super) fn blocking<R>(wait: impl FnOnce() -> R) -> Option<R> {
    Some(wait())
}
