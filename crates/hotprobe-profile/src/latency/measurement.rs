//! Pairs of a begin and an end, and how long they took.

use super::builder::{LatencyBuilder, Limits};
use super::histograms::Histograms;
use super::label_table::LabelTable;
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

/// How long it takes from a begin to its end, paired by a key, across threads and awaits: a histogram for each label.
///
/// `begin` and `end` are called from ordinary probes:
///
/// ```
/// use hotprobe::fire;
/// use hotprobe_profile::Latency;
/// use std::sync::Arc;
///
/// hotprobe::event! {
///     static REQUEST_RECEIVED: fn(id: u64, path: &str);
///     static REQUEST_DONE: fn(id: u64, route: &str, status: u16);
/// }
///
/// let latency = Arc::new(Latency::new());
/// let mut batch = hotprobe::Batch::new();
/// REQUEST_RECEIVED.attach_in(&mut batch, {
///     let latency = Arc::clone(&latency);
///     move |id, _| latency.begin(id)
/// });
/// REQUEST_DONE.attach_in(&mut batch, {
///     let latency = Arc::clone(&latency);
///     move |id, route, _| latency.end(&id, route)
/// });
/// let probes = batch.commit();
///
/// fire!(REQUEST_RECEIVED, 1, "/orders/7");
/// fire!(REQUEST_DONE, 1, "/orders/{id}", 200);
///
/// let snapshot = latency.snapshot();
/// assert_eq!(snapshot.label("/orders/{id}").unwrap().count(), 1);
/// println!("{snapshot}");
/// # drop(probes);
/// ```
///
/// Or [`Latency::between`] two events attaches such probes by the name of a parameter.
///
/// # Keys
/// Whatever has `Hash` and `Eq`; each key is itself, never another with the same hash. `end` takes it borrowed, as a map
/// does: `&str` for a `Latency<String>`. A begin whose key is open already takes that one's place: the one before counts
/// as unmatched.
///
/// # Bounds
/// [`pairs_at_most`](LatencyBuilder::pairs_at_most) limits the open pairs; for one more, the oldest makes room.
/// [`labels_at_most`](LatencyBuilder::labels_at_most) limits the labels that have a histogram of their own. The room for
/// pairs is allocated at once; a histogram when a label is first used. What finds no room, and what has no
/// partner, is counted: [`PairCounts`] adds up, exactly.
///
/// # Cost
/// A pair takes two readings of the clock and some 40 ns, on the threads that fire; the [crate's front page](crate) has
/// more. A firing waits for another thread only if both are at the
/// same of many small locks, for some nanoseconds.
pub struct Latency<K = u64> {
    seed: Seed,
    timer: Timer,
    pairs: OpenPairs<K>,
    labels: LabelTable,
    histograms: Histograms,
    title: String,
    /// Since when is counted. Only readers want it.
    since: Mutex<MeasuredSince>,
}

#[derive(Clone, Copy)]
struct MeasuredSince {
    wall: SystemTime,
    nanoseconds: u64,
}

impl Latency {
    /// Returns a builder, for other limits than those of [`new`](Latency::new).
    pub fn builder() -> LatencyBuilder {
        LatencyBuilder::new()
    }
}

impl LatencyBuilder {
    /// Creates a measurement for one's own probes.
    ///
    /// # Errors
    /// [`ProfileError::Limit`] for limits that are not possible.
    ///
    /// ```
    /// use hotprobe_profile::Latency;
    ///
    /// let error = Latency::builder().digits(9).build::<u64>().unwrap_err();
    /// assert_eq!(error.to_string(), "`digits(9)` is not possible: give 1 to 4");
    /// ```
    pub fn build<K: Hash + Eq>(self) -> Result<Latency<K>, ProfileError> {
        Ok(Latency::with(self.limits()?))
    }
}

impl<K: Hash + Eq> Default for Latency<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Latency<K> {
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

    /// The begin's label goes before `label`.
    #[inline]
    pub(crate) fn end_hashed(
        &self,
        hash: u64,
        now: u64,
        is_key: impl Fn(&K) -> bool,
        label: impl FnOnce() -> u32,
    ) {
        if let Some(begun) = self.pairs.end(hash, is_key) {
            let number = begun.label.unwrap_or_else(label);
            // The processor's counter may step back between threads.
            let took = now.saturating_sub(begun.at);
            self.histograms.record(number, took);
        }
    }

    /// Returns what has been measured since the start, or since [`reset`](Self::reset).
    ///
    /// Measuring continues meanwhile. What the counts say adds up in each snapshot; a pair that ends while the snapshot is taken
    /// may be in the counts and in no histogram yet, or the other way around. With nothing fired meanwhile, both say the
    /// same.
    ///
    /// Not for a probe: it allocates, and takes some microseconds for each label in use.
    ///
    /// ```
    /// let latency = hotprobe_profile::Latency::new();
    /// latency.begin(7);
    /// assert_eq!(latency.snapshot().counts().open, 1);
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> LatencySnapshot {
        self.read(false)
    }

    /// Returns a [`snapshot`](Self::snapshot), and measuring begins again: what is in this snapshot
    /// is not in the next, and nothing is in neither. Pairs that are open stay open, and labels
    /// keep their places.
    ///
    /// ```
    /// let latency = hotprobe_profile::Latency::new();
    /// latency.begin(7);
    /// let first = latency.reset();
    /// latency.end(&7, "a label");
    /// let second = latency.reset();
    /// assert_eq!((first.counts().begins, first.counts().open), (1, 1));
    /// assert_eq!((second.counts().carried, second.counts().matched), (1, 1));
    /// ```
    #[must_use = "what was measured until now is nowhere else"]
    pub fn reset(&self) -> LatencySnapshot {
        self.read(true)
    }

    fn read(&self, anew: bool) -> LatencySnapshot {
        // One reader at a time, so that none sees the half of another's reset.
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let from = *since;
        let now = self.timer.now();
        if anew {
            *since = MeasuredSince {
                wall: self.timer.wall() + Duration::from_nanos(now),
                nanoseconds: now,
            };
        }
        let tally = self.pairs.tally(anew);
        let skipped = self.pairs.skipped(anew);
        let mut labels: Vec<_> = self
            .labels
            .all()
            .into_iter()
            .map(|(number, label)| LabelLatency::new(label, self.histograms.read(number, anew)))
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

impl<K: Hash + Eq> Latency<K> {
    /// Creates a measurement with at most 65,536 pairs open and 64 labels; from 1 ns to 60 s, to
    /// two significant digits.
    ///
    /// ```
    /// use hotprobe_profile::Latency;
    ///
    /// let by_name = Latency::<String>::new();
    /// by_name.begin("a".to_owned());
    /// by_name.end("a", "a label");
    /// assert_eq!(by_name.snapshot().counts().matched, 1);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::with(Limits::default())
    }

    /// Records that `key` begins now. For a probe: it doesn't allocate, and never panics (unless
    /// the key's own code does).
    ///
    /// If the key is open already, this one takes its place.
    #[inline]
    pub fn begin(&self, key: K) {
        let hash = self.seed.of(&key);
        self.begin_hashed(hash, OpenPair::new(key, self.now(), None));
    }

    /// Records that `key` ends now: the time between goes to the label's histogram. Of a label, the
    /// first 128 bytes count.
    ///
    /// For a probe: it never panics (unless the key's own code does). It allocates when a label is first used, on each of the
    /// processor's cores, so to say; otherwise it does not.
    #[inline]
    pub fn end<Q: Hash + Eq + ?Sized>(&self, key: &Q, label: &str)
    where
        K: Borrow<Q>,
    {
        // First, so that what follows is not measured.
        let now = self.now();
        let hash = self.seed.of(key);
        let is_key = |open: &K| open.borrow() == key;
        self.end_hashed(hash, now, is_key, || self.labels.number(label));
    }
}

impl<K> fmt::Debug for Latency<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Latency")
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}

static_assertions::assert_impl_all!(Latency<String>: Send, Sync);
