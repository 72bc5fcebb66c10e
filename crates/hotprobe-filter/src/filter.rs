//! The conditions of a session's events, and how many firings they rejected.

use crate::bound::Bound;
use crossbeam_utils::CachePadded;
use hotprobe::Value;
use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How many counters there are of each event: threads that fire at once rarely share one.
const STRIPES: usize = 16;
const PER_LINE: usize = 16;

/// The bound conditions of a session's events, and exact counts of the firings that they rejected.
/// For tools that attach dynamic probes.
///
/// ```
/// use hotprobe::AnyEvent;
/// use hotprobe_filter::{Condition, Filter};
/// use std::sync::Arc;
/// hotprobe::event! { static REQUEST_DONE: fn(route: &str, status: u16); }
///
/// let event: &'static dyn AnyEvent = &REQUEST_DONE;
/// let bound = Condition::parse("status >= 500")?.bind(event.metadata())?;
/// let filter = Arc::new(Filter::new([bound]));
/// let probe = event.attach({
///     let filter = Arc::clone(&filter);
///     move |_, values| {
///         if filter.accepts(0, values) {
///             println!("{values:?}");
///         }
///     }
/// });
/// REQUEST_DONE.fire("/orders", 200);
/// assert_eq!(filter.rejected(0), 1);
/// # drop(probe);
/// # Ok::<(), hotprobe_filter::FilterError>(())
/// ```
///
/// # Cost
/// A firing that is accepted costs what the condition costs; one that is rejected also increments
/// a counter, which few threads share. Memory: 128 bytes for each event, beside the conditions.
pub struct Filter {
    conditions: Box<[Bound]>,
    /// Of each stripe, a row of counters.
    lines: Box<[CachePadded<[AtomicU64; PER_LINE]>]>,
}

impl Filter {
    /// Creates a filter of these conditions; the index of each identifies its event.
    pub fn new(conditions: impl IntoIterator<Item = Bound>) -> Self {
        let conditions: Box<[_]> = conditions.into_iter().collect();
        let lines = conditions.len().div_ceil(PER_LINE) * STRIPES;
        Self {
            conditions,
            lines: (0..lines).map(|_| CachePadded::default()).collect(),
        }
    }

    /// Returns whether the values meet the condition of this event. If not, counts the firing as
    /// rejected. An event without a condition accepts all.
    #[inline]
    #[must_use]
    pub fn accepts(&self, event: usize, values: &[Value<'_>]) -> bool {
        let Some(condition) = self.conditions.get(event) else {
            return true;
        };
        let accepted = condition.matches(values);
        if !accepted {
            self.reject(event);
        }
        accepted
    }

    /// Counts a firing of this event as rejected, for conditions that are evaluated elsewhere.
    #[inline]
    pub fn reject(&self, event: usize) {
        if let Some(counter) = self.counter(stripe(), event) {
            // Relaxed: a count.
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the condition of this event.
    #[must_use]
    pub fn condition(&self, event: usize) -> Option<&Bound> {
        self.conditions.get(event)
    }

    /// Returns how many firings of this event were rejected. Firings in flight may not be counted
    /// yet.
    #[must_use]
    pub fn rejected(&self, event: usize) -> u64 {
        let counters = (0..STRIPES).filter_map(|stripe| self.counter(stripe, event));
        // Relaxed: counts, each read by itself.
        counters
            .map(|counter| counter.load(Ordering::Relaxed))
            .sum()
    }

    /// Returns how many firings of all events were rejected.
    #[must_use]
    pub fn rejected_in_total(&self) -> u64 {
        (0..self.conditions.len())
            .map(|event| self.rejected(event))
            .sum()
    }

    #[inline]
    fn counter(&self, stripe: usize, event: usize) -> Option<&AtomicU64> {
        let per_stripe = self.lines.len() / STRIPES;
        let line = self.lines.get(stripe * per_stripe + event / PER_LINE)?;
        Some(&line[event % PER_LINE])
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter")
            .field("events", &self.conditions.len())
            .field("rejected", &self.rejected_in_total())
            .finish_non_exhaustive()
    }
}

/// The stripe of the calling thread.
#[inline]
fn stripe() -> usize {
    const NONE: usize = usize::MAX;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        // Without a destructor: it can be read as long as the thread lives.
        static STRIPE: Cell<usize> = const { Cell::new(NONE) };
    }
    let stripe = STRIPE.get();
    if stripe != NONE {
        return stripe;
    }
    // Relaxed: any distribution is right.
    let stripe = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
    STRIPE.set(stripe);
    stripe
}

static_assertions::assert_impl_all!(Filter: Send, Sync);
