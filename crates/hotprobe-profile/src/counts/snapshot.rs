//! What was counted: events, labels, and their rates.

use super::frequent::MergedLabels;
use std::collections::HashMap;
use std::time::Duration;

/// The counts up to a moment. Returned by
/// [`CountsSession::snapshot`](crate::CountsSession::snapshot).
///
/// Its `Display` is a table.
///
/// ```
/// # hotprobe::event! { static REQUEST_DONE: fn(route: &str); }
/// # let session = hotprobe_profile::Counts::new().by(&REQUEST_DONE, "route").start()?;
/// # REQUEST_DONE.fire("/orders");
/// let snapshot = session.snapshot();
/// for event in snapshot.events() {
///     println!("{}: {} firings, {:.1} per second", event.name(), event.count(), event.rate());
/// }
/// for breakdown in snapshot.breakdowns() {
///     println!("{} by {}:", breakdown.event(), breakdown.parameter());
///     for label in breakdown.labels() {
///         println!("  {}: {} (at most {} too high)", label.label(), label.count(), label.error());
///     }
/// }
/// # assert_eq!(snapshot.breakdowns()[0].labels()[0].count(), 1);
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountsSnapshot {
    duration: Duration,
    filter: Option<String>,
    events: Vec<EventCount>,
    breakdowns: Vec<Breakdown>,
}

impl CountsSnapshot {
    pub(crate) fn new(
        duration: Duration,
        filter: Option<String>,
        events: Vec<EventCount>,
        breakdowns: Vec<Breakdown>,
    ) -> Self {
        Self {
            duration,
            filter,
            events,
            breakdowns,
        }
    }

    /// Returns how long the firings were counted.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns the condition that counted firings meet; `None` if all are counted.
    #[must_use]
    pub fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }

    /// Returns the events, then one's own counters, in the order in which they were chosen.
    #[must_use]
    pub fn events(&self) -> &[EventCount] {
        &self.events
    }

    /// Returns the event of this full name, or the counter.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&EventCount> {
        self.events.iter().find(|event| event.name == name)
    }

    /// Returns the counts by label, in the order in which they were chosen.
    #[must_use]
    pub fn breakdowns(&self) -> &[Breakdown] {
        &self.breakdowns
    }

    /// Returns the counts since an earlier snapshot of the same session, and the rates for that
    /// time.
    ///
    /// The error of a label's count is then the sum of its errors in both.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let duration = self.duration.saturating_sub(earlier.duration);
        let events = self.events.iter().enumerate().map(|(index, event)| {
            let before = earlier.events.get(index);
            let count = before.map_or(0, |event| event.count);
            let rejected = before.map_or(0, |event| event.rejected);
            EventCount::new(
                event.name.clone(),
                event.count.saturating_sub(count),
                event.rejected.saturating_sub(rejected),
                duration,
            )
        });
        let breakdowns = self
            .breakdowns
            .iter()
            .enumerate()
            .map(|(index, breakdown)| breakdown.since(earlier.breakdowns.get(index), duration));
        Self::new(
            duration,
            self.filter.clone(),
            events.collect(),
            breakdowns.collect(),
        )
    }
}

#[allow(clippy::cast_precision_loss, reason = "a rate is not exact")]
fn rate(count: u64, duration: Duration) -> f64 {
    let seconds = duration.as_secs_f64();
    if seconds > 0.0 {
        count as f64 / seconds
    } else {
        0.0
    }
}

/// The number of firings of an event, or the count of a [`Counter`](crate::Counter).
///
/// ```
/// hotprobe::event! { static TICK: fn(); }
/// let session = hotprobe_profile::Counts::new().event(&TICK).start()?;
/// TICK.fire();
/// let snapshot = session.snapshot();
/// let ticks = snapshot.event(TICK.name()).unwrap();
/// println!("{} ticks, {:.1} per second", ticks.count(), ticks.rate());
/// # assert_eq!(ticks.count(), 1);
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCount {
    name: String,
    count: u64,
    rejected: u64,
    duration: Duration,
}

impl EventCount {
    pub(crate) const fn new(name: String, count: u64, rejected: u64, duration: Duration) -> Self {
        Self {
            name,
            count,
            rejected,
            duration,
        }
    }

    /// Returns the event's full name, or the counter's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the exact number of firings before the snapshot.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Returns the exact number of firings that did not meet the condition; 0 without one.
    #[must_use]
    pub const fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Returns the rate per second of the count; 0 if no time has passed.
    #[must_use]
    pub fn rate(&self) -> f64 {
        rate(self.count, self.duration)
    }
}

/// The firings of an event by the value of a parameter: the most frequent values, as labels.
///
/// ```
/// hotprobe::event! { static REQUEST_DONE: fn(route: &str); }
/// let session = hotprobe_profile::Counts::new().by(&REQUEST_DONE, "route").start()?;
/// REQUEST_DONE.fire("/orders");
/// REQUEST_DONE.fire("/orders");
/// let snapshot = session.snapshot();
/// let routes = &snapshot.breakdowns()[0];
/// assert_eq!((routes.parameter(), routes.total(), routes.is_exact()), ("route", 2, true));
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakdown {
    event: String,
    parameter: String,
    total: u64,
    labels: Vec<LabelCount>,
    max_unlisted: u64,
}

impl Breakdown {
    pub(crate) fn new(
        event: &str,
        parameter: &str,
        merged: MergedLabels,
        duration: Duration,
    ) -> Self {
        let label = |(label, least, most)| LabelCount {
            label,
            count: most,
            error: most - least,
            duration,
        };
        Self {
            event: event.to_owned(),
            parameter: parameter.to_owned(),
            total: merged.total,
            labels: merged.labels.into_iter().map(label).collect(),
            max_unlisted: merged.max_unlisted,
        }
    }

    fn since(&self, earlier: Option<&Self>, duration: Duration) -> Self {
        // At least and at most, before.
        let before: HashMap<&str, (u64, u64)> = earlier
            .iter()
            .flat_map(|earlier| &earlier.labels)
            .map(|label| (&*label.label, (label.count - label.error, label.count)))
            .collect();
        let unlisted = earlier.map_or(0, |earlier| earlier.max_unlisted);
        let difference = |label: &LabelCount| {
            let (least_before, most_before) =
                before.get(&*label.label).copied().unwrap_or((0, unlisted));
            let most = label.count.saturating_sub(least_before);
            let least = (label.count - label.error).saturating_sub(most_before);
            (label.label.clone(), least, most)
        };
        let mut labels: Vec<_> = self.labels.iter().map(difference).collect();
        labels.retain(|(_, _, most)| *most > 0);
        labels.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
        let total = earlier.map_or(0, |earlier| earlier.total);
        let merged = MergedLabels {
            total: self.total.saturating_sub(total),
            labels,
            max_unlisted: self.max_unlisted,
        };
        Self::new(&self.event, &self.parameter, merged, duration)
    }

    /// Returns the event's full name, or the counter's name.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.event
    }

    /// Returns the parameter whose values the labels are.
    #[must_use]
    pub fn parameter(&self) -> &str {
        &self.parameter
    }

    /// Returns the exact number of firings of all labels together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Returns the most frequent labels, the most frequent first.
    #[must_use]
    pub fn labels(&self) -> &[LabelCount] {
        &self.labels
    }

    /// Returns the most firings that a label outside the list may have: 0 if all labels are listed.
    #[must_use]
    pub const fn max_unlisted(&self) -> u64 {
        self.max_unlisted
    }

    /// Returns whether every label is in the list, with its exact count.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.max_unlisted == 0 && self.labels.iter().all(|label| label.error == 0)
    }
}

/// The number of firings with a label, and by how much it may be too high.
///
/// ```
/// let pages = hotprobe_profile::LabelCounter::new("pages", 1)?;
/// let session = hotprobe_profile::Counts::new().labels(&pages).start()?;
/// pages.inc("/orders");
/// let snapshot = session.snapshot();
/// let label = &snapshot.breakdowns()[0].labels()[0];
/// assert_eq!((label.label(), label.count(), label.error()), ("/orders", 1, 0));
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelCount {
    label: String,
    count: u64,
    error: u64,
    duration: Duration,
}

impl LabelCount {
    /// Returns the label; its first 128 bytes.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the count. The true number of firings is between `count - error` and `count`.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Returns by how much the count may be too high; 0 if it is exact.
    #[must_use]
    pub const fn error(&self) -> u64 {
        self.error
    }

    /// Returns the rate per second, by the count; 0 if no time has passed.
    #[must_use]
    pub fn rate(&self) -> f64 {
        rate(self.count, self.duration)
    }
}

static_assertions::assert_impl_all!(CountsSnapshot: Send, Sync);
