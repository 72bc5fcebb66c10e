//! What was measured: counts, and a histogram for each label.

use super::histograms::LabelHistogram;
use super::open_pairs::PairTally;
use hdrhistogram::Histogram;
use std::time::{Duration, SystemTime};

/// The counts of begins and ends, and what became of them. They add up in each snapshot:
///
/// * `carried + begins == matched + unmatched_begins + evicted + open`
/// * `ends == matched + unmatched_ends`
///
/// Begins and ends that were `skipped` or had no key are in none of these numbers.
///
/// ```
/// let meter = hotprobe_profile::LatencyMeter::new();
/// meter.begin(1);
/// meter.begin(2);
/// meter.end(&1, "a label");
/// let counts = meter.snapshot().counts();
/// assert_eq!((counts.begins, counts.matched, counts.open), (2, 1, 1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairCounts {
    /// Begins.
    pub begins: u64,
    /// Ends.
    pub ends: u64,
    /// Pairs. Each is in a histogram, but for those that are `rejected`.
    pub matched: u64,
    /// Begins whose key began again before it ended.
    pub unmatched_begins: u64,
    /// Ends whose key wasn't open.
    pub unmatched_ends: u64,
    /// Begins that had to make room for later ones.
    pub evicted: u64,
    /// Begins that have not ended yet.
    pub open: u64,
    /// Pairs that were open at the last reset, when counting began again.
    pub carried: u64,
    /// Begins and ends from within a key's own `Eq`, where they would wait for themselves.
    pub skipped: u64,
    /// Begins without a key to pair them by ([`Latency`](crate::Latency) lists which have none).
    pub begins_without_key: u64,
    /// Ends without a key.
    pub ends_without_key: u64,
    /// Pairs that did not meet the condition ([`Latency::filter`](crate::Latency::filter)).
    pub rejected: u64,
}

impl PairCounts {
    pub(crate) const fn new(tally: PairTally, skipped: u64) -> Self {
        Self {
            begins: tally.begins,
            ends: tally.matched + tally.unmatched_ends,
            matched: tally.matched,
            unmatched_begins: tally.begun_again,
            unmatched_ends: tally.unmatched_ends,
            evicted: tally.evicted,
            open: tally.open,
            carried: tally.carried,
            skipped,
            begins_without_key: 0,
            ends_without_key: 0,
            rejected: 0,
        }
    }
}

/// The latencies measured up to a moment: counts of begins and ends, and a histogram for each
/// label. Returned by [`LatencySession::snapshot`](crate::LatencySession::snapshot) and
/// [`LatencyMeter::snapshot`](crate::LatencyMeter::snapshot).
///
/// Its `Display` is a table. [`save`](Self::save) writes it for other programs, in the format of
/// the file's extension.
///
/// ```
/// # let meter = hotprobe_profile::LatencyMeter::new();
/// # meter.begin(7);
/// # meter.end(&7, "/orders");
/// let snapshot = meter.snapshot();
/// println!("{snapshot}");
/// for label in snapshot.labels() {
///     let (count, p50) = (label.count(), label.percentile(50.0));
///     println!("{}: half of {count} took {p50:?} or less", label.label());
/// }
/// # assert_eq!(snapshot.labels().len(), 1);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LatencySnapshot {
    title: String,
    filter: Option<String>,
    started: SystemTime,
    duration: Duration,
    counts: PairCounts,
    labels: Vec<LabelLatency>,
}

impl LatencySnapshot {
    pub(crate) fn new(
        title: String,
        started: SystemTime,
        duration: Duration,
        counts: PairCounts,
        labels: Vec<LabelLatency>,
    ) -> Self {
        Self {
            title,
            filter: None,
            started,
            duration,
            counts,
            labels,
        }
    }

    pub(crate) fn set_without_key(&mut self, begins: u64, ends: u64) {
        self.counts.begins_without_key = begins;
        self.counts.ends_without_key = ends;
    }

    pub(crate) fn set_filter(&mut self, filter: Option<String>, rejected: u64) {
        self.filter = filter;
        self.counts.rejected = rejected;
    }

    /// Returns the [title](crate::Latency::title) of the measurement.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Returns the condition that measured pairs meet; `None` if all are measured.
    #[must_use]
    pub fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }

    /// Returns when counting began, at the start or at the last reset, by the wall clock.
    #[must_use]
    pub const fn started(&self) -> SystemTime {
        self.started
    }

    /// Returns how long the measurement has lasted since [`started`](Self::started).
    #[must_use]
    pub const fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns what has become of begins and ends.
    #[must_use]
    pub const fn counts(&self) -> PairCounts {
        self.counts
    }

    /// Returns the labels that have a pair, the most frequent first. `(other)` is what found no
    /// room among them.
    #[must_use]
    pub fn labels(&self) -> &[LabelLatency] {
        &self.labels
    }

    /// Returns the label of this name, if it has a pair.
    #[must_use]
    pub fn label(&self, label: &str) -> Option<&LabelLatency> {
        self.labels.iter().find(|this| this.label == label)
    }
}

/// Returns the 1-based rank of the nearest-rank percentile: `ceil(percent / 100 * count)`. 99.9 %
/// of 4000 are 3996: a float that is a little more than that does not make it the next rank.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "it is between 0 and the count, or so near that it makes no difference"
)]
fn rank(percent: f64, count: u64) -> u64 {
    let percent = if percent.is_nan() {
        0.0
    } else {
        percent.clamp(0.0, 100.0)
    };
    let exact = percent / 100.0 * count as f64;
    let whole = exact.round();
    let rank = if (exact - whole).abs() < 1e-6 {
        whole
    } else {
        exact.ceil()
    };
    (rank as u64).clamp(1, count.max(1))
}

/// The durations of a label's pairs.
///
/// Durations have the precision of the measurement's [digits](crate::Latency::digits); the sum is
/// exact.
///
/// ```
/// # let meter = hotprobe_profile::LatencyMeter::new();
/// # meter.begin(7);
/// # meter.end(&7, "/orders");
/// let snapshot = meter.snapshot();
/// let orders = snapshot.label("/orders").unwrap();
/// assert!(orders.percentile(50.0) <= orders.percentile(99.0));
/// println!("{} requests, p99 {:?}", orders.count(), orders.percentile(99.0));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LabelLatency {
    label: String,
    latencies: LabelHistogram,
}

impl LabelLatency {
    pub(crate) const fn new(label: String, latencies: LabelHistogram) -> Self {
        Self { label, latencies }
    }

    pub(crate) const fn histogram(&self) -> &Histogram<u64> {
        &self.latencies.histogram
    }

    /// Returns the label.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the number of pairs.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.latencies.histogram.len()
    }

    /// Returns the duration that `percent` per cent of the pairs do not exceed: `percentile(99.0)`
    /// is p99. 0 gives the shortest, 100 the longest.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Duration {
        let histogram = &self.latencies.histogram;
        let rank = rank(percent, histogram.len());
        let mut before = 0;
        for value in histogram.iter_recorded() {
            before += value.count_at_value();
            if before >= rank {
                // The end of what it cannot be told from; but no longer than the longest.
                let value = histogram.highest_equivalent(value.value_iterated_to());
                return Duration::from_nanos(value.min(histogram.max()));
            }
        }
        self.max()
    }

    /// Returns the shortest duration.
    #[must_use]
    pub fn min(&self) -> Duration {
        Duration::from_nanos(self.latencies.histogram.min())
    }

    /// Returns the longest duration.
    #[must_use]
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.latencies.histogram.max())
    }

    /// Returns the sum of all durations.
    #[must_use]
    pub fn sum(&self) -> Duration {
        let nanoseconds = self.latencies.sum;
        let seconds = u64::try_from(nanoseconds / 1_000_000_000).unwrap_or(u64::MAX);
        #[allow(clippy::cast_possible_truncation, reason = "it is a remainder")]
        Duration::new(seconds, (nanoseconds % 1_000_000_000) as u32)
    }

    /// Returns the mean duration.
    #[must_use]
    pub fn mean(&self) -> Duration {
        let mean = self.latencies.sum / u128::from(self.count().max(1));
        Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX))
    }

    /// Returns the number of pairs shorter than the [range](crate::Latency::range); they count as
    /// its lower bound.
    #[must_use]
    pub const fn too_short(&self) -> u64 {
        self.latencies.too_short
    }

    /// Returns the number of pairs longer than the range; they count as its upper bound.
    #[must_use]
    pub const fn too_long(&self) -> u64 {
        self.latencies.too_long
    }
}

static_assertions::assert_impl_all!(LatencySnapshot: Send, Sync);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_first_value_that_so_many_are_not_after() {
        assert_eq!(rank(99.9, 4000), 3996);
        assert_eq!(rank(99.9, 4001), 3997);
        assert_eq!(rank(50.0, 3), 2);
        assert_eq!(
            (rank(0.0, 10), rank(-1.0, 10), rank(f64::NAN, 10)),
            (1, 1, 1)
        );
        assert_eq!((rank(100.0, 10), rank(1e9, 10), rank(50.0, 0)), (10, 10, 1));
        let mut latencies = LabelHistogram::new(1, 1 << 20, 3).expect("possible");
        for value in 1..=1000 {
            latencies.histogram.saturating_record(value);
        }
        let label = LabelLatency::new(String::new(), latencies);
        for percent in [0.1, 12.3, 50.0, 99.0, 99.9, 100.0] {
            let expected = Duration::from_nanos(rank(percent, 1000));
            assert_eq!(label.percentile(percent), expected, "{percent}");
        }
    }
}
