//! The limits of a measurement, and all that is checked of them.

use super::histograms::LabelHistogram;
use crate::ProfileError;
use hotprobe_clock::Clock;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How much is measured, how exactly. Made by [`Latency::builder`](crate::Latency::builder).
///
/// ```
/// use hotprobe_profile::Latency;
/// use std::time::Duration;
///
/// let latency = Latency::builder()
///     .title("disk")
///     .pairs_at_most(1024)
///     .labels_at_most(8)
///     .range(Duration::from_micros(1)..=Duration::from_secs(10))
///     .digits(3)
///     .build()?;
/// latency.begin(7_u32);
/// latency.end(&7, "read");
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
///
/// # Memory
/// For each pair that may be open, the size of its key and 24 bytes. For each label in use, on each of a few stripes (twice
/// as many as there are cores, 4 to 32): a histogram, which with two digits takes 8 KiB and one KiB more for each
/// doubling of the range; 35 KiB as [`Latency::new`](crate::Latency::new) has it. Each digit more takes eight to sixteen times as much.
#[derive(Clone, Debug)]
#[must_use = "a builder measures nothing before `build` or `between`"]
pub struct LatencyBuilder {
    pairs: usize,
    labels: usize,
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
        let limits = LatencyBuilder::new().limits();
        limits.unwrap_or_else(|error| unreachable!("the limits are possible: {error}"))
    }
}

/// What a limit may be at most: so that memory is bounded by what fits a machine.
const MOST_PAIRS: usize = 1 << 26;
const MOST_LABELS: u32 = 1 << 16;

impl LatencyBuilder {
    pub(crate) fn new() -> Self {
        Self {
            pairs: 65_536,
            labels: 64,
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

    /// Sets how many pairs may be open; 65,536 by default. For one more, the oldest is given up and
    /// counted as evicted.
    ///
    /// Pairs lie in shards of 64, or somewhat more, by their keys' hash, and it is the oldest of its shard that makes room. So the first are
    /// evicted when about two thirds of the room is taken; up to 127, there is one shard, and it is exact.
    pub fn pairs_at_most(mut self, pairs: usize) -> Self {
        self.pairs = pairs;
        self
    }

    /// Sets how many labels have a histogram of their own; 64 by default. Later ones are counted as
    /// `(other)`.
    pub fn labels_at_most(mut self, labels: usize) -> Self {
        self.labels = labels;
        self
    }

    /// Sets the range of durations to resolve; 1 ns to 60 s by default. Durations outside are clamped
    /// and counted separately.
    pub fn range(mut self, range: RangeInclusive<Duration>) -> Self {
        self.range = range;
        self
    }

    /// Sets to how many significant digits durations are told apart, from 1 to 4; 2 by default.
    pub fn digits(mut self, digits: u8) -> Self {
        self.digits = digits;
        self
    }

    /// Sets the clock; [`Clock::System`] by default. The feature `tsc` adds the processor's counter, which is faster to read.
    ///
    /// ```
    /// use hotprobe_profile::{Clock, Latency};
    ///
    /// let latency = Latency::builder().clock(Clock::System).build()?;
    /// latency.begin(7);
    /// latency.end(&7, "a label");
    /// # assert_eq!(latency.snapshot().counts().matched, 1);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    pub(crate) fn limits(self) -> Result<Limits, ProfileError> {
        let refuse = |reason| Err(ProfileError::Limit { reason });
        if self.pairs == 0 || self.pairs > MOST_PAIRS {
            return refuse(format!(
                "`pairs_at_most({})` is not possible: give 1 to {MOST_PAIRS}",
                self.pairs
            ));
        }
        let Ok(labels @ 1..=MOST_LABELS) = u32::try_from(self.labels) else {
            return refuse(format!(
                "`labels_at_most({})` is not possible: give 1 to {MOST_LABELS}",
                self.labels
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
            pairs: self.pairs,
            labels,
            range,
            empty,
            clock: self.clock,
            title: self.title,
        })
    }
}
