//! Counters of the process: [`Stats`].

use crate::rcu::domain;
use crate::sync::Ordering;

/// Counters since the start of the process, over all events. Each one is exact, but they are read
/// one after the other, not at one instant.
///
/// ```
/// let stats = hotprobe::stats();
/// println!("{} not yet reclaimed", stats.retired - stats.reclaimed);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Calls of probes that panicked.
    pub probe_panics: u64,
    /// Firings that were skipped because they were nested too deep (more than 8 on one thread).
    pub skipped_nested: u64,
    /// Firings that were skipped because their thread was being registered. Only a global allocator
    /// that fires events causes them.
    pub skipped_registering: u64,
    /// Retired objects: unlinked snapshots, and detached probes.
    pub retired: u64,
    /// Retired objects that have been reclaimed: freed, or dropped. (In a forked child, this
    /// includes the probe that another thread of the parent was dropping, which is leaked.)
    pub reclaimed: u64,
    /// Captured values whose `Drop` panicked.
    pub drop_panics: u64,
    /// Whether firings do without a memory barrier, since grace periods have Linux's `membarrier`
    /// instead: from the first attach outside a firing on, unless the kernel refuses it, or
    /// `HOTPROBE_MEMBARRIER=off` is in the environment.
    pub membarrier: bool,
}

/// Returns the current counters. Takes the process-wide lock for a moment.
///
/// ```
/// assert_eq!(hotprobe::stats().probe_panics, 0);
/// ```
#[must_use]
pub fn stats() -> Stats {
    let domain = domain();
    let counters = &domain.counters;
    // `reclaimed` and `retired` under one lock, so that their difference is never negative.
    let (retired, reclaimed, membarrier) = {
        let writer = domain.lock();
        (
            writer.retired(),
            writer.reclaimed(),
            writer.has_membarrier(),
        )
    };
    Stats {
        probe_panics: counters.probe_panics.load(Ordering::Relaxed),
        skipped_nested: counters.skipped_nested.load(Ordering::Relaxed),
        skipped_registering: counters.skipped_registering.load(Ordering::Relaxed),
        retired,
        reclaimed,
        drop_panics: counters.drop_panics.load(Ordering::Relaxed),
        membarrier,
    }
}
