//! Pairs of a begin and an end, and their durations.

use super::histograms::Histograms;
use super::label_table::LabelTable;
use super::meter_builder::{LatencyMeterBuilder, Limits};
use super::open_pairs::{OpenPair, OpenPairs};
use super::snapshot::{LabelLatency, LatencySnapshot, PairCounts};
use crate::ProfileError;
use crate::hash::Seed;
use hotprobe_clock::Timer;
use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A measurement of the time from a begin to its end, paired by a key, across threads and awaits:
/// a histogram for each label.
///
/// Call [`begin`](Self::begin) and [`end`](Self::end) from typed probes. To pair two events by the
/// name of a parameter, use [`Latency`](crate::Latency), which attaches the probes for you.
///
/// ```
/// use hotprobe::fire;
/// use hotprobe_profile::LatencyMeter;
/// use std::sync::Arc;
///
/// hotprobe::event! {
///     static REQUEST_RECEIVED: fn(id: u64, path: &str);
///     static REQUEST_DONE: fn(id: u64, route: &str, status: u16);
/// }
///
/// let meter = Arc::new(LatencyMeter::new());
/// let mut batch = hotprobe::Batch::new();
/// REQUEST_RECEIVED.attach_in(&mut batch, {
///     let meter = Arc::clone(&meter);
///     move |id, _| meter.begin(id)
/// });
/// REQUEST_DONE.attach_in(&mut batch, {
///     let meter = Arc::clone(&meter);
///     move |id, route, _| meter.end(&id, route)
/// });
/// let probes = batch.commit();
///
/// fire!(REQUEST_RECEIVED, 1, "/orders/7");
/// fire!(REQUEST_DONE, 1, "/orders/{id}", 200);
///
/// let snapshot = meter.snapshot();
/// assert_eq!(snapshot.label("/orders/{id}").unwrap().count(), 1);
/// println!("{snapshot}");
/// # drop(probes);
/// ```
///
/// # Keys
/// A key is anything with `Hash` and `Eq`. Keys are compared, not only hashed. `end` takes a
/// borrowed key, as a map does: `&str` for a `LatencyMeter<String>`. A begin whose key is already
/// open replaces the open pair, which counts as unmatched.
///
/// # Bounds
/// [`max_pairs`](LatencyMeterBuilder::max_pairs) limits the open pairs; one more evicts the oldest.
/// [`max_labels`](LatencyMeterBuilder::max_labels) limits the labels with a histogram of their own.
/// The room for pairs is allocated by `new` or `build`, a histogram when its label is first used.
/// Evicted and unmatched begins and ends are counted: [`PairCounts`] adds up, exactly.
///
/// # Cost
/// A pair takes two readings of the clock and about 40 ns, on the threads that fire; the
/// [crate's front page](crate) has more. A firing waits for another thread only if both need the
/// same one of many small locks, for some nanoseconds.
pub struct LatencyMeter<K = u64> {
    seed: Seed,
    timer: Timer,
    pairs: OpenPairs<K>,
    labels: LabelTable,
    histograms: Histograms,
    title: String,
    /// When measuring started. Only readers lock it.
    since: Mutex<MeasuredSince>,
}

#[derive(Clone, Copy)]
struct MeasuredSince {
    wall: SystemTime,
    nanoseconds: u64,
}

impl LatencyMeter {
    /// Returns a builder, for limits other than those of [`new`](LatencyMeter::new).
    pub fn builder() -> LatencyMeterBuilder {
        LatencyMeterBuilder::new()
    }
}

impl LatencyMeterBuilder {
    /// Creates the meter.
    ///
    /// # Errors
    /// [`ProfileError::Limit`] for a limit that is not possible.
    ///
    /// ```
    /// use hotprobe_profile::LatencyMeter;
    ///
    /// let error = LatencyMeter::builder().digits(9).build::<u64>().unwrap_err();
    /// assert_eq!(error.to_string(), "`digits(9)` is not possible: give 1 to 4");
    /// ```
    pub fn build<K: Hash + Eq>(self) -> Result<LatencyMeter<K>, ProfileError> {
        Ok(LatencyMeter::with(self.limits()?))
    }
}

impl<K: Hash + Eq> Default for LatencyMeter<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> LatencyMeter<K> {
    pub(crate) fn with(limits: Limits) -> Self {
        let seed = Seed::new();
        let timer = limits.clock.start();
        let labels = limits.labels as usize + 1;
        Self {
            seed,
            timer,
            pairs: OpenPairs::new(limits.pairs),
            labels: LabelTable::new(seed, limits.labels),
            histograms: Histograms::new(limits.empty, limits.range, labels),
            title: limits.title,
            since: Mutex::new(MeasuredSince {
                wall: timer.wall(),
                nanoseconds: 0,
            }),
        }
    }

    #[inline]
    pub(crate) fn now(&self) -> u64 {
        self.timer.now()
    }

    pub(crate) const fn seed(&self) -> Seed {
        self.seed
    }

    #[inline]
    pub(crate) fn label_number(&self, label: &str) -> u32 {
        self.labels.number(label)
    }

    #[inline]
    pub(crate) fn begin_hashed(&self, hash: u64, begun: OpenPair<K>)
    where
        K: Eq,
    {
        self.pairs.begin(hash, begun);
    }

    /// The begin's label goes before `label`. A pair whose duration is not accepted is in no
    /// histogram.
    #[inline]
    pub(crate) fn end_hashed(
        &self,
        hash: u64,
        now: u64,
        is_key: impl Fn(&K) -> bool,
        accepts: impl FnOnce(u64) -> bool,
        label: impl FnOnce() -> u32,
    ) {
        if let Some(begun) = self.pairs.end(hash, is_key) {
            // The processor's counter may step back between threads.
            let took = now.saturating_sub(begun.at);
            if !accepts(took) {
                return;
            }
            let number = begun.label.unwrap_or_else(label);
            self.histograms.record(number, took);
        }
    }

    /// Returns everything measured since the start, or since [`reset`](Self::reset).
    ///
    /// Measuring continues meanwhile. The counts add up in each snapshot. A pair that ends while
    /// the snapshot is taken may be in the counts and not yet in a histogram, or the other way
    /// around.
    ///
    /// Don't call it in a probe: it allocates, and takes some microseconds for each label in use.
    ///
    /// ```
    /// let meter = hotprobe_profile::LatencyMeter::new();
    /// meter.begin(7);
    /// assert_eq!(meter.snapshot().counts().open, 1);
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> LatencySnapshot {
        self.read(false)
    }

    /// Returns a [`snapshot`](Self::snapshot) and starts again from zero. Each begin, end and pair
    /// is in exactly one of the snapshots that `reset` returns. Open pairs stay open, and labels
    /// keep their histograms.
    ///
    /// ```
    /// let meter = hotprobe_profile::LatencyMeter::new();
    /// meter.begin(7);
    /// let first = meter.reset();
    /// meter.end(&7, "a label");
    /// let second = meter.reset();
    /// assert_eq!((first.counts().begins, first.counts().open), (1, 1));
    /// assert_eq!((second.counts().carried, second.counts().matched), (1, 1));
    /// ```
    #[must_use = "what was measured until now is nowhere else"]
    pub fn reset(&self) -> LatencySnapshot {
        self.read(true)
    }

    fn read(&self, reset: bool) -> LatencySnapshot {
        // One reader at a time, so that none sees the half of another's reset.
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let from = *since;
        let now = self.timer.now();
        if reset {
            *since = MeasuredSince {
                wall: self.timer.wall() + Duration::from_nanos(now),
                nanoseconds: now,
            };
        }
        let tally = self.pairs.tally(reset);
        let skipped = self.pairs.skipped(reset);
        let mut labels: Vec<_> = self
            .labels
            .all()
            .into_iter()
            .map(|(number, label)| LabelLatency::new(label, self.histograms.read(number, reset)))
            .filter(|label| label.count() > 0)
            .collect();
        drop(since);
        // (A stable sort: the others stay behind their equals.)
        labels.sort_by_key(|label| std::cmp::Reverse(label.count()));
        LatencySnapshot::new(
            self.title.clone(),
            from.wall,
            Duration::from_nanos(now.saturating_sub(from.nanoseconds)),
            PairCounts::new(tally, skipped),
            labels,
        )
    }
}

impl<K: Hash + Eq> LatencyMeter<K> {
    /// Creates a meter with at most 65,536 open pairs and 64 labels, for durations from 1 ns to
    /// 60 s with two significant digits.
    ///
    /// ```
    /// use hotprobe_profile::LatencyMeter;
    ///
    /// let by_name = LatencyMeter::<String>::new();
    /// by_name.begin("a".to_owned());
    /// by_name.end("a", "a label");
    /// assert_eq!(by_name.snapshot().counts().matched, 1);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::with(Limits::default())
    }

    /// Records that `key` begins now. If the key is already open, this begin replaces the open one.
    ///
    /// It doesn't allocate, and panics only if the key's own code does.
    #[inline]
    pub fn begin(&self, key: K) {
        let hash = self.seed.of(&key);
        self.begin_hashed(hash, OpenPair::new(key, self.now(), None));
    }

    /// Records that `key` ends now, in the label's histogram. The first 128 bytes of a label count.
    ///
    /// It panics only if the key's own code does. It allocates a histogram the first time that a
    /// label is used on a stripe.
    #[inline]
    pub fn end<Q: Hash + Eq + ?Sized>(&self, key: &Q, label: &str)
    where
        K: Borrow<Q>,
    {
        // First, so that what follows is not measured.
        let now = self.now();
        let hash = self.seed.of(key);
        let is_key = |open: &K| open.borrow() == key;
        self.end_hashed(hash, now, is_key, |_| true, || self.labels.number(label));
    }
}

impl<K> fmt::Debug for LatencyMeter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LatencyMeter")
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}

static_assertions::assert_impl_all!(LatencyMeter<String>: Send, Sync);
