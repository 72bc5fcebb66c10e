//! What was counted: events, labels, and their rates.

use super::frequent::MergedLabels;
use std::collections::HashMap;
use std::time::Duration;

/// What has been counted. Made by [`Counting::snapshot`](crate::Counting::snapshot).
///
/// Its `Display` is a table.
#[derive(Clone, Debug)]
pub struct CountsSnapshot {
    length: Duration,
    events: Vec<EventCount>,
    labels: Vec<LabelCounts>,
}

impl CountsSnapshot {
    pub(crate) fn new(length: Duration, events: Vec<EventCount>, labels: Vec<LabelCounts>) -> Self {
        Self {
            length,
            events,
            labels,
        }
    }

    /// Returns how long it was counted.
    #[must_use]
    pub const fn length(&self) -> Duration {
        self.length
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

    /// Returns what was counted by label, in the order in which it was chosen.
    #[must_use]
    pub fn labels(&self) -> &[LabelCounts] {
        &self.labels
    }

    /// Returns what has happened since an earlier snapshot of the same counting: counts, and rates
    /// for that time.
    ///
    /// The error of a label's count is then the sum of what it may be in both.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let length = self.length.saturating_sub(earlier.length);
        let events = self.events.iter().enumerate().map(|(index, event)| {
            let before = earlier.events.get(index).map_or(0, |event| event.count);
            EventCount::new(
                event.name.clone(),
                event.count.saturating_sub(before),
                length,
            )
        });
        let labels = self.labels.iter().enumerate();
        let labels = labels.map(|(index, labels)| labels.since(earlier.labels.get(index), length));
        Self::new(length, events.collect(), labels.collect())
    }
}

#[allow(clippy::cast_precision_loss, reason = "a rate is not exact")]
fn rate(count: u64, length: Duration) -> f64 {
    let seconds = length.as_secs_f64();
    if seconds > 0.0 {
        count as f64 / seconds
    } else {
        0.0
    }
}

/// How often an event was fired.
#[derive(Clone, Debug)]
pub struct EventCount {
    name: String,
    count: u64,
    length: Duration,
}

impl EventCount {
    pub(crate) const fn new(name: String, count: u64, length: Duration) -> Self {
        Self {
            name,
            count,
            length,
        }
    }

    /// Returns the event's full name; or the counter's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how often it was fired, exactly: every firing that happened before the snapshot.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Returns the rate per second; 0 if no time has passed.
    #[must_use]
    pub fn rate(&self) -> f64 {
        rate(self.count, self.length)
    }
}

/// How often each label was there, the most frequent ones.
#[derive(Clone, Debug)]
pub struct LabelCounts {
    event: String,
    parameter: String,
    total: u64,
    labels: Vec<LabelCount>,
    unlisted_at_most: u64,
}

impl LabelCounts {
    pub(crate) fn new(
        event: &str,
        parameter: &str,
        merged: MergedLabels,
        length: Duration,
    ) -> Self {
        let label = |(label, least, most)| LabelCount {
            label,
            count: most,
            error: most - least,
            length,
        };
        Self {
            event: event.to_owned(),
            parameter: parameter.to_owned(),
            total: merged.total,
            labels: merged.labels.into_iter().map(label).collect(),
            unlisted_at_most: merged.unlisted_at_most,
        }
    }

    fn since(&self, earlier: Option<&Self>, length: Duration) -> Self {
        // At least and at most, before.
        let before: HashMap<&str, (u64, u64)> = earlier
            .iter()
            .flat_map(|earlier| &earlier.labels)
            .map(|label| (&*label.label, (label.count - label.error, label.count)))
            .collect();
        let unlisted = earlier.map_or(0, |earlier| earlier.unlisted_at_most);
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
            unlisted_at_most: self.unlisted_at_most,
        };
        Self::new(&self.event, &self.parameter, merged, length)
    }

    /// Returns the event's full name; or the counter's.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.event
    }

    /// Returns the parameter whose values the labels are.
    #[must_use]
    pub fn parameter(&self) -> &str {
        &self.parameter
    }

    /// Returns how many there were of all labels together, exactly.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Returns the most frequent labels, the most frequent first.
    #[must_use]
    pub fn labels(&self) -> &[LabelCount] {
        &self.labels
    }

    /// Returns how often a label that is not in the list was there, at most: 0 as long as all are.
    #[must_use]
    pub const fn unlisted_at_most(&self) -> u64 {
        self.unlisted_at_most
    }

    /// Returns whether every label is in the list, with its exact count.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.unlisted_at_most == 0 && self.labels.iter().all(|label| label.error == 0)
    }
}

/// How often a label was there.
#[derive(Clone, Debug)]
pub struct LabelCount {
    label: String,
    count: u64,
    error: u64,
    length: Duration,
}

impl LabelCount {
    /// Returns the label; its first 128 bytes.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns how often it was counted. The true number is at most this, and at least this less
    /// the [`error`](Self::error).
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Returns by how much the count may be too high. 0: it is exact.
    #[must_use]
    pub const fn error(&self) -> u64 {
        self.error
    }

    /// Returns the rate per second, by the count; 0 if no time has passed.
    #[must_use]
    pub fn rate(&self) -> f64 {
        rate(self.count, self.length)
    }
}

static_assertions::assert_impl_all!(CountsSnapshot: Send, Sync);
