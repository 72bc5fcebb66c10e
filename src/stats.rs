//! What has happened in the process so far, in numbers.

use crate::rcu::domain;
use crate::sync::Ordering;

/// Counts since the process began, over all events. Each is exact by itself; taken together they
/// are of slightly different instants.
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
    /// Firings skipped since they were nested too deep (more than 8 on one thread).
    pub skipped_nested: u64,
    /// Firings skipped since they were met while their thread was being registered: a global
    /// allocator that fires events meets them.
    pub skipped_registering: u64,
    /// What has been retired: snapshots that were unlinked, and detached probes.
    pub retired: u64,
    /// What of it has been reclaimed: freed, or dropped. (In a forked child, what another thread of
    /// the parent was dropping counts as well: it is leaked.)
    pub reclaimed: u64,
    /// Captured values whose `Drop` panicked.
    pub drop_panics: u64,
}

/// Returns the counts as they are now. Takes the process-wide lock for a moment.
///
/// ```
/// assert_eq!(hotprobe::stats().probe_panics, 0);
/// ```
#[must_use]
pub fn stats() -> Stats {
    let domain = domain();
    let counters = &domain.counters;
    // `reclaimed` and `retired` under one lock, so that their difference is never negative.
    let (retired, reclaimed) = {
        let writer = domain.lock();
        (writer.retired(), writer.reclaimed())
    };
    Stats {
        probe_panics: counters.probe_panics.load(Ordering::Relaxed),
        skipped_nested: counters.skipped_nested.load(Ordering::Relaxed),
        skipped_registering: counters.skipped_registering.load(Ordering::Relaxed),
        retired,
        reclaimed,
        drop_panics: counters.drop_panics.load(Ordering::Relaxed),
    }
}
