//! How long pairs took: a histogram for each label, in as many copies as threads need to stay out of one another's way.
//!
//! A stripe has a lock, which hardly anybody else ever wants: the thread's number tells the stripe. Under it nothing
//! allocates, so that nothing can fire.

use crate::threads;
use crossbeam_utils::CachePadded;
use hdrhistogram::Histogram;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

/// The latencies of one label, in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LabelHistogram {
    pub(crate) histogram: Histogram<u64>,
    pub(crate) sum: u128,
    /// Outside the range; they are in the histogram, at its ends.
    pub(crate) too_short: u64,
    pub(crate) too_long: u64,
}

impl LabelHistogram {
    /// With nothing in it. The bounds must be possible: `LatencyMeterBuilder` looks after that.
    pub(crate) fn new(
        low: u64,
        high: u64,
        digits: u8,
    ) -> Result<Self, hdrhistogram::CreationError> {
        Ok(Self {
            histogram: Histogram::new_with_bounds(low, high, digits)?,
            sum: 0,
            too_short: 0,
            too_long: 0,
        })
    }

    fn empty(&self) -> Self {
        Self {
            histogram: Histogram::new_from(&self.histogram),
            sum: 0,
            too_short: 0,
            too_long: 0,
        }
    }

    #[inline]
    fn record(&mut self, (low, high): (u64, u64), nanoseconds: u64) {
        let value = if nanoseconds < low {
            self.too_short += 1;
            low
        } else if nanoseconds > high {
            self.too_long += 1;
            high
        } else {
            nanoseconds
        };
        self.sum += u128::from(nanoseconds);
        // It does not allocate: the histogram has its size.
        self.histogram.saturating_record(value);
    }

    /// Adds what is in `other`, which has the same bounds.
    fn add(&mut self, other: &Self) {
        let added = self.histogram.add(&other.histogram);
        debug_assert!(added.is_ok(), "the same bounds");
        self.sum += other.sum;
        self.too_short += other.too_short;
        self.too_long += other.too_long;
    }

    fn clear(&mut self) {
        self.histogram.reset();
        self.sum = 0;
        self.too_short = 0;
        self.too_long = 0;
    }
}

type ByLabel = Vec<Option<Box<LabelHistogram>>>;

type Stripe = CachePadded<Mutex<ByLabel>>;

#[inline]
fn lock(stripe: &Stripe) -> MutexGuard<'_, ByLabel> {
    stripe.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
pub(crate) struct Histograms {
    stripes: Box<[Stripe]>,
    /// What each starts as.
    empty: LabelHistogram,
    bounds: (u64, u64),
}

impl Histograms {
    /// Makes room for `labels` labels.
    pub(crate) fn new(empty: LabelHistogram, (low, high): (u64, u64), labels: usize) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        let stripes = (2 * cores).next_power_of_two().clamp(4, 32);
        let stripe = |_| {
            let by_label = std::iter::repeat_with(|| None).take(labels).collect();
            CachePadded::new(Mutex::new(by_label))
        };
        Self {
            stripes: (0..stripes).map(stripe).collect(),
            empty,
            bounds: (low, high),
        }
    }

    #[inline]
    pub(crate) fn record(&self, label: u32, nanoseconds: u64) {
        let stripe = &self.stripes[threads::number() & (self.stripes.len() - 1)];
        if let Some(Some(latencies)) = lock(stripe).get_mut(label as usize) {
            return latencies.record(self.bounds, nanoseconds);
        }
        self.first(stripe, label, nanoseconds);
    }

    #[cold]
    #[inline(never)]
    fn first(&self, stripe: &Stripe, label: u32, nanoseconds: u64) {
        // Not under the lock: the allocator may fire events.
        let mut made = Some(Box::new(self.empty.empty()));
        let mut by_label = lock(stripe);
        if let Some(place) = by_label.get_mut(label as usize) {
            if place.is_none() {
                *place = made.take();
            }
            if let Some(latencies) = place {
                latencies.record(self.bounds, nanoseconds);
            }
        }
        drop(by_label);
        drop(made);
    }

    /// Returns a label's latencies, together. If `anew`, they begin again: each is in
    /// this reading or in a later one.
    pub(crate) fn read(&self, label: u32, anew: bool) -> LabelHistogram {
        let mut sum = self.empty.empty();
        for stripe in &self.stripes {
            if let Some(Some(latencies)) = lock(stripe).get_mut(label as usize) {
                if !latencies.histogram.is_empty() {
                    sum.add(latencies);
                    if anew {
                        latencies.clear();
                    }
                }
            }
        }
        sum
    }
}
