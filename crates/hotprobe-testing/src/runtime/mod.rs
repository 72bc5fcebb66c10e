//! Blocking a thread, where no runtime is known (without feature `tokio`).

/// Why a wait is refused: it never is.
pub(super) const ONE_THREAD: &str = "the runtime has one thread";

/// Runs `wait`, which blocks.
#[allow(
    clippy::unnecessary_wraps,
    reason = "where a runtime is known, it may not allow it"
)]
pub(super) fn blocking<R>(wait: impl FnOnce() -> R) -> Option<R> {
    Some(wait())
}
