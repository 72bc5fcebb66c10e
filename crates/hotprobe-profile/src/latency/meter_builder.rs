//! The limits of a measurement, and their checks.

use super::histograms::LabelHistogram;
use crate::ProfileError;
use hotprobe_clock::Clock;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The builder of a [`LatencyMeter`](crate::LatencyMeter), with its limits.
///
/// ```
/// use hotprobe_profile::LatencyMeter;
/// use std::time::Duration;
///
/// let meter = LatencyMeter::builder()
///     .title("disk")
///     .max_pairs(1024)
///     .max_labels(8)
///     .range(Duration::from_micros(1)..=Duration::from_secs(10))
///     .digits(3)
///     .build()?;
/// meter.begin(7_u32);
/// meter.end(&7, "read");
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
///
/// # Memory
/// For each pair that may be open, the size of its key and 24 bytes.
///
/// For each label in use, a histogram on each of a few stripes (twice as many as there are cores,
/// 4 to 32). With two digits a histogram takes 8 KiB, and 1 KiB for each doubling of the range:
/// 35 KiB for the default range. Each further digit takes eight to sixteen times as much.
#[derive(Clone, Debug)]
#[must_use = "a builder measures nothing before `build`"]
pub struct LatencyMeterBuilder {
    max_pairs: usize,
    max_labels: usize,
    range: RangeInclusive<Duration>,
    digits: u8,
    clock: Clock,
    title: String,
}

/// The limits, checked.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) pairs: usize,
    pub(crate) labels: u32,
    pub(crate) range: (u64, u64),
    pub(crate) empty: LabelHistogram,
    pub(crate) clock: Clock,
    pub(crate) title: String,
}

impl Default for Limits {
    fn default() -> Self {
        let limits = LatencyMeterBuilder::new().limits();
        limits.unwrap_or_else(|error| unreachable!("the limits are possible: {error}"))
    }
}

/// The maximum of each limit, so that memory is bounded by what fits a machine.
const MAX_PAIRS: usize = 1 << 26;
const MAX_LABELS: u32 = 1 << 16;

impl LatencyMeterBuilder {
    pub(super) fn new() -> Self {
        Self {
            max_pairs: 65_536,
            max_labels: 64,
            range: Duration::from_nanos(1)..=Duration::from_secs(60),
            digits: 2,
            clock: Clock::default(),
            title: "latency".to_owned(),
        }
    }

    /// Sets the heading of the table and of the picture; "latency" by default.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the maximum number of open pairs; 65,536 by default. One more evicts the oldest, which
    /// is counted.
    ///
    /// Keys are spread over shards of about 64 pairs by their hash, and a begin evicts the oldest
    /// pair of its own shard. So evictions start when about two thirds of the room is taken. Up to
    /// 127 pairs there is one shard, and the limit is exact.
    pub fn max_pairs(mut self, pairs: usize) -> Self {
        self.max_pairs = pairs;
        self
    }

    /// Sets the maximum number of labels with a histogram of their own; 64 by default. Later labels
    /// are counted as `(other)`.
    pub fn max_labels(mut self, labels: usize) -> Self {
        self.max_labels = labels;
        self
    }

    /// Sets the range of durations to resolve; 1 ns to 60 s by default. Durations outside are clamped
    /// and counted separately.
    pub fn range(mut self, range: RangeInclusive<Duration>) -> Self {
        self.range = range;
        self
    }

    /// Sets the number of significant digits of a duration, from 1 to 4; 2 by default.
    pub fn digits(mut self, digits: u8) -> Self {
        self.digits = digits;
        self
    }

    /// Sets the clock; [`Clock::System`] by default. The feature `tsc` adds the processor's time
    /// stamp counter, which is faster to read.
    ///
    /// ```
    /// use hotprobe_profile::{Clock, LatencyMeter};
    ///
    /// let meter = LatencyMeter::builder().clock(Clock::System).build()?;
    /// meter.begin(7);
    /// meter.end(&7, "a label");
    /// # assert_eq!(meter.snapshot().counts().matched, 1);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    pub(super) fn limits(self) -> Result<Limits, ProfileError> {
        let refuse = |reason| Err(ProfileError::Limit { reason });
        if self.max_pairs == 0 || self.max_pairs > MAX_PAIRS {
            return refuse(format!(
                "`max_pairs({})` is not possible: give 1 to {MAX_PAIRS}",
                self.max_pairs
            ));
        }
        let Ok(labels @ 1..=MAX_LABELS) = u32::try_from(self.max_labels) else {
            return refuse(format!(
                "`max_labels({})` is not possible: give 1 to {MAX_LABELS}",
                self.max_labels
            ));
        };
        if !(1..=4).contains(&self.digits) {
            return refuse(format!(
                "`digits({})` is not possible: give 1 to 4",
                self.digits
            ));
        }
        let low = u64::try_from(self.range.start().as_nanos());
        let high = u64::try_from(self.range.end().as_nanos());
        let range = match (low, high) {
            (Ok(low @ 1..), Ok(high)) if high / 2 >= low && i64::try_from(high).is_ok() => {
                (low, high)
            }
            _ => {
                return refuse(format!(
                    "`range({:?}..={:?})` is not possible: it begins at 1 ns or more, ends at twice that or more, and at 292 \
                     years or less",
                    self.range.start(),
                    self.range.end()
                ));
            }
        };
        let empty = match LabelHistogram::new(range.0, range.1, self.digits) {
            Ok(empty) => empty,
            Err(error) => {
                return refuse(format!(
                    "`range({:?}..={:?})` with `digits({})` is not possible: {error}",
                    self.range.start(),
                    self.range.end(),
                    self.digits
                ));
            }
        };
        Ok(Limits {
            pairs: self.max_pairs,
            labels,
            range,
            empty,
            clock: self.clock,
            title: self.title,
        })
    }
}
