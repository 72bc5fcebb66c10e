//! Counts that each thread keeps in a place of its own.

use super::frequent::FrequentLabels;
use crate::ProfileError;
use crate::threads::{self, SHARED};
use crossbeam_utils::CachePadded;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const PER_LINE: usize = 16;

type CounterLine = CachePadded<[AtomicU64; PER_LINE]>;

/// A row of counts for each thread's number.
#[derive(Debug)]
pub(crate) struct CounterRows {
    lines: Box<[CounterLine]>,
    lines_per_row: usize,
}

impl CounterRows {
    pub(crate) fn new(columns: usize) -> Self {
        let lines_per_row = columns.div_ceil(PER_LINE).max(1);
        let lines = lines_per_row * (SHARED + 1);
        Self {
            lines: (0..lines).map(|_| CounterLine::default()).collect(),
            lines_per_row,
        }
    }

    fn cell(&self, row: usize, column: usize) -> &AtomicU64 {
        &self.lines[row * self.lines_per_row + column / PER_LINE][column % PER_LINE]
    }

    #[inline(always)]
    pub(crate) fn add(&self, column: usize, n: u64) {
        let number = threads::number();
        let cell = self.cell(number, column);
        // Relaxed: a count. Nobody else writes to a number's own row, and who had the number before
        // happened before, so that it need not be one step. (Readers may see the count of before.)
        if number < SHARED {
            cell.store(
                cell.load(Ordering::Relaxed).wrapping_add(n),
                Ordering::Relaxed,
            );
        } else {
            cell.fetch_add(n, Ordering::Relaxed);
        }
    }

    pub(crate) fn sum(&self, column: usize) -> u64 {
        (0..=SHARED)
            .map(|row| self.cell(row, column).load(Ordering::Relaxed))
            .fold(0, u64::wrapping_add)
    }
}

/// A counter for your own probes. Its clones share one count.
///
/// ```
/// use hotprobe::fire;
/// use hotprobe_profile::{Counter, Counts};
/// hotprobe::event! { static STORED: fn(bytes: u64); }
///
/// let large = Counter::new("large ones");
/// let probe = STORED.attach({
///     let large = large.clone();
///     move |bytes| if bytes > 1000 { large.inc() }
/// });
/// let session = Counts::new().counter(&large).start()?;
/// fire!(STORED, 7);
/// fire!(STORED, 7000);
/// assert_eq!(large.count(), 1);
/// println!("{}", session.snapshot()); // with its rate
/// # drop(probe);
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
///
/// # Cost
/// `inc` is a load and a store on a cache line of the thread's own: about 1 ns. Beyond 64 threads
/// at a time, further threads share one line, which costs more. A counter takes 8 KiB.
#[derive(Clone)]
pub struct Counter {
    name: Arc<str>,
    rows: Arc<CounterRows>,
}

impl Counter {
    /// Creates a counter at 0, with a name for the table.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into().into(),
            rows: Arc::new(CounterRows::new(1)),
        }
    }

    /// Adds 1. It never panics, allocates or waits. (The first call on a thread may register the
    /// thread.)
    #[inline]
    pub fn inc(&self) {
        self.inc_by(1);
    }

    /// Adds `n`. The count wraps at 2^64.
    #[inline]
    pub fn inc_by(&self, n: u64) {
        self.rows.add(0, n);
    }

    /// Returns the count since the counter was created. It includes everything that happened before
    /// this call.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.rows.sum(0)
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether both are clones of one counter.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rows, &other.rows)
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counter")
            .field("name", &self.name)
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

/// A counter by label for your own probes: the most frequent labels, in bounded memory. Its clones
/// share their counts.
///
/// ```
/// use hotprobe::fire;
/// use hotprobe_profile::{Counts, LabelCounter};
/// hotprobe::event! { static REQUEST: fn(host: &str, path: &str); }
///
/// let pages = LabelCounter::new("pages", 100)?;
/// let probe = REQUEST.attach({
///     let pages = pages.clone();
///     move |_, path| pages.inc(path.split('?').next().unwrap_or(path))
/// });
/// let session = Counts::new().labels(&pages).start()?;
/// fire!(REQUEST, "a", "/?q=1");
/// let snapshot = session.snapshot();
/// assert_eq!(snapshot.breakdowns()[0].labels()[0].label(), "/");
/// # drop(probe);
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
///
/// # Error
/// Counts are exact up to `max_labels` different labels. Beyond that, a count may be too high by
/// its [`error`](crate::LabelCount::error), and is never too low. No error is greater than the
/// total divided by `max_labels`, and each label with a count above that is in the list. (The
/// algorithm is Space-Saving.)
///
/// # Cost
/// `inc` takes a lock that is rarely contended, and hashes the label: about 15 ns. A label that is
/// not in the list replaces the least frequent one, which takes a search through all. Memory: about
/// 200 bytes for each label, on each of a few stripes (twice as many as there are cores, 4 to 32).
#[derive(Clone)]
pub struct LabelCounter {
    name: Arc<str>,
    top: Arc<FrequentLabels>,
}

/// The maximum of `max_labels`.
const MAX_LABELS: usize = 1 << 16;

impl LabelCounter {
    /// Creates a counter that lists at most `max_labels` labels, with a name for the table.
    ///
    /// # Errors
    /// [`ProfileError::Limit`] for a limit that is not possible.
    pub fn new(name: impl Into<String>, max_labels: usize) -> Result<Self, ProfileError> {
        if max_labels == 0 || max_labels > MAX_LABELS {
            return Err(ProfileError::Limit {
                reason: format!(
                    "room for {max_labels} labels is not possible: give 1 to {MAX_LABELS}"
                ),
            });
        }
        Ok(Self {
            name: name.into().into(),
            top: Arc::new(FrequentLabels::new(max_labels)),
        })
    }

    /// Adds 1 to this label's count; its first 128 bytes count. It never panics or allocates.
    #[inline]
    pub fn inc(&self, label: &str) {
        self.inc_by(label, 1);
    }

    /// Adds `n` to this label's count.
    ///
    /// ```
    /// use hotprobe::fire;
    /// use hotprobe_profile::{Counts, LabelCounter};
    /// hotprobe::event! { static SENT: fn(peer: &str, bytes: u64); }
    ///
    /// let bytes = LabelCounter::new("bytes by peer", 100)?;
    /// let probe = SENT.attach({
    ///     let bytes = bytes.clone();
    ///     move |peer, n| bytes.inc_by(peer, n)
    /// });
    /// let session = Counts::new().labels(&bytes).start()?;
    /// fire!(SENT, "10.0.0.7", 1500);
    /// assert_eq!(session.snapshot().breakdowns()[0].total(), 1500);
    /// # drop(probe);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    #[inline]
    pub fn inc_by(&self, label: &str, n: u64) {
        self.top.add(label, n);
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether both are clones of one counter.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.top, &other.top)
    }

    pub(crate) fn top(&self) -> &FrequentLabels {
        &self.top
    }
}

impl fmt::Debug for LabelCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LabelCounter")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

static_assertions::assert_impl_all!(Counter: Send, Sync);
static_assertions::assert_impl_all!(LabelCounter: Send, Sync);
