//! Running counts.

use super::counters::{Counter, CounterRows, LabelCounter};
use super::snapshot::{Breakdown, CountsSnapshot, EventCount};
use crate::FinishError;
use crate::session::SessionProbes;
use hotprobe::AnyEvent;
use hotprobe_filter::{BindError, Condition, Filter};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// Running counts of events. Returned by [`Counts::start`](crate::Counts::start). Dropping it
/// detaches from all events, without waiting.
///
/// ```
/// use hotprobe::fire;
/// hotprobe::event! { static TICK: fn(); }
///
/// let session = hotprobe_profile::Counts::new().event(&TICK).start()?;
/// let first = session.snapshot();
/// fire!(TICK);
/// let second = session.snapshot();
/// println!("{}", second.since(&first)); // what happened between, and its rates
/// let last = session.finish()?; // complete: nothing is counted any more
/// assert_eq!(last.events()[0].count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a dropped `CountsSession` ends at once (`let _ = …` drops it at once, too): bind it to a name"]
pub struct CountsSession {
    pub(super) probes: SessionProbes,
    pub(super) start: Instant,
    pub(super) events: Vec<&'static dyn AnyEvent>,
    pub(super) rows: Arc<CounterRows>,
    pub(super) filter: Arc<Filter>,
    pub(super) condition: Option<Condition>,
    pub(super) left_out: Vec<BindError>,
    pub(super) by: Vec<(LabelCounter, &'static str)>,
    /// Each with its count at the start.
    pub(super) counters: Vec<(u64, Counter)>,
}

impl CountsSession {
    /// Returns the counts since the start. Counting continues meanwhile; each count is read at an
    /// instant of its own.
    ///
    /// Don't call it in a probe: it allocates.
    #[must_use]
    pub fn snapshot(&self) -> CountsSnapshot {
        let duration = self.start.elapsed();
        let events = self.events.iter().enumerate().map(|(column, event)| {
            let rejected = self.filter.rejected(column);
            (event.name(), self.rows.sum(column), rejected)
        });
        let counters = self
            .counters
            .iter()
            .map(|(before, counter)| (counter.name(), counter.count().wrapping_sub(*before), 0));
        let events = events
            .chain(counters)
            .map(|(name, count, rejected)| {
                EventCount::new(name.to_owned(), count, rejected, duration)
            })
            .collect();
        let labels = self
            .by
            .iter()
            .map(|(counter, parameter)| {
                Breakdown::new(counter.name(), parameter, counter.top().merged(), duration)
            })
            .collect();
        let filter = self.condition.as_ref().map(ToString::to_string);
        CountsSnapshot::new(duration, filter, events, labels)
    }

    /// Returns why events of patterns were left out: the condition does not fit them. Each error
    /// has the event's name.
    #[must_use]
    pub fn left_out(&self) -> &[BindError] {
        &self.left_out
    }

    /// Detaches from all events at one instant, without waiting. Firings in flight may still be
    /// counted. A second call does nothing.
    ///
    /// ```
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let session = hotprobe_profile::Counts::new().event(&TICK).start()?;
    /// session.detach();
    /// TICK.fire();
    /// assert_eq!(session.snapshot().events()[0].count(), 0);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn detach(&self) {
        self.probes.detach();
    }

    /// Detaches from all events, waits for the firings in flight, and returns the counts.
    ///
    /// It blocks the thread until those firings have ended.
    ///
    /// # Errors
    /// [`FinishError`] inside a probe, [`pinned`](hotprobe::pinned) or a captured `Drop`, where it
    /// would wait for itself. The error contains the session, which is detached.
    pub fn finish(self) -> Result<CountsSnapshot, FinishError<Self>> {
        match self.probes.detach_and_wait() {
            Ok(()) => Ok(self.snapshot()),
            Err(error) => Err(FinishError::new(self, error)),
        }
    }
}

impl fmt::Debug for CountsSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountsSession")
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}

static_assertions::assert_impl_all!(CountsSession: Send, Sync);
