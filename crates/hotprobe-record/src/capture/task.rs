//! The tokio task that fires.

/// Returns the number of the task that runs on this thread, if tasks are noted and there is one.
#[cfg(feature = "tokio")]
#[inline(always)]
pub(super) fn current<const TASKS: bool>() -> Option<u64> {
    if TASKS {
        tokio::task::try_id().map(hotprobe_clock::number::of)
    } else {
        None
    }
}

#[cfg(not(feature = "tokio"))]
#[inline(always)]
pub(super) const fn current<const TASKS: bool>() -> Option<u64> {
    None
}
