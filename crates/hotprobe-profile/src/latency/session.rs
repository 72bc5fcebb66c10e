//! A running measurement between two events, and its probes.

use super::key::{PairKey, PairKeyRef};
use super::meter::LatencyMeter;
use super::open_pairs::OpenPair;
use super::snapshot::LatencySnapshot;
use crate::FinishError;
use crate::label::with_label;
use crate::session::SessionProbes;
use hotprobe::Value;
use hotprobe_filter::{Bound, Condition, Filter};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The source of a pair's label, with the parameter's index.
#[derive(Clone, Copy)]
pub(super) enum LabelSource {
    All,
    OfBegin(usize),
    OfEnd(usize),
}

/// The state shared by both probes and the session.
pub(super) struct ProbedLatency {
    meter: LatencyMeter<PairKey>,
    begins_without_key: AtomicU64,
    ends_without_key: AtomicU64,
    condition: Option<Condition>,
    /// The condition, bound to the end's parameters.
    filter: Filter,
    /// How many pairs were rejected until the last reset. Only readers lock it.
    rejected_before: Mutex<u64>,
}

impl ProbedLatency {
    pub(super) fn new(meter: LatencyMeter<PairKey>, filter: Option<(Condition, Bound)>) -> Self {
        let (condition, bound) = filter.unzip();
        Self {
            meter,
            begins_without_key: AtomicU64::new(0),
            ends_without_key: AtomicU64::new(0),
            condition,
            filter: Filter::new(bound),
            rejected_before: Mutex::new(0),
        }
    }

    pub(super) fn begin(&self, values: &[Value<'_>], key: usize, label: LabelSource) {
        let Some(&key) = values.get(key) else { return };
        let label = match label {
            LabelSource::OfBegin(index) => values
                .get(index)
                .map(|&value| with_label(value, |text| self.meter.label_number(text))),
            LabelSource::All | LabelSource::OfEnd(_) => None,
        };
        PairKeyRef::of(key, |key| match key {
            Some(key) => {
                let hash = self.meter.seed().of(&key);
                let key = key.to_owned();
                // Last, so that what came before is not measured.
                let begun = OpenPair::new(key, self.meter.now(), label);
                self.meter.begin_hashed(hash, begun);
            }
            // Relaxed: a count.
            None => drop(self.begins_without_key.fetch_add(1, Ordering::Relaxed)),
        });
    }

    pub(super) fn end(&self, values: &[Value<'_>], key: usize, label: LabelSource) {
        let now = self.meter.now();
        let Some(&key) = values.get(key) else { return };
        let number = || match label {
            LabelSource::OfEnd(index) => values.get(index).map_or(0, |&value| {
                with_label(value, |text| self.meter.label_number(text))
            }),
            LabelSource::All | LabelSource::OfBegin(_) => self.meter.label_number("all"),
        };
        let accepts = |took| {
            let Some(condition) = self.filter.condition(0) else {
                return true;
            };
            let accepted = condition.matches_elapsed(values, Duration::from_nanos(took));
            if !accepted {
                self.filter.reject(0);
            }
            accepted
        };
        PairKeyRef::of(key, |key| match key {
            Some(key) => {
                let hash = self.meter.seed().of(&key);
                let is_key = |open: &PairKey| open.borrowed() == key;
                self.meter.end_hashed(hash, now, is_key, accepts, number);
            }
            None => drop(self.ends_without_key.fetch_add(1, Ordering::Relaxed)),
        });
    }

    fn read(&self, reset: bool) -> LatencySnapshot {
        let count = |count: &AtomicU64| {
            if reset {
                count.swap(0, Ordering::Relaxed)
            } else {
                count.load(Ordering::Relaxed)
            }
        };
        let mut snapshot = if reset {
            self.meter.reset()
        } else {
            self.meter.snapshot()
        };
        snapshot.set_without_key(
            count(&self.begins_without_key),
            count(&self.ends_without_key),
        );
        let condition = self.condition.as_ref().map(ToString::to_string);
        snapshot.set_filter(condition, self.rejected(reset));
        snapshot
    }

    fn rejected(&self, reset: bool) -> u64 {
        let mut before = self
            .rejected_before
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let total = self.filter.rejected_in_total();
        let rejected = total - *before;
        if reset {
            *before = total;
        }
        rejected
    }
}

/// A running measurement between two events. Returned by [`Latency::start`](crate::Latency::start).
/// Dropping it detaches from both events, without waiting.
///
/// ```
/// use hotprobe::fire;
/// hotprobe::event! { static OPENED: fn(file: u64); static CLOSED: fn(file: u64); }
///
/// let session = hotprobe_profile::Latency::between(&OPENED, &CLOSED, "file").start()?;
/// fire!(OPENED, 1);
/// fire!(CLOSED, 1);
/// let snapshot = session.finish()?; // complete: no firing is measured any more
/// assert_eq!(snapshot.counts().ends, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a dropped `LatencySession` ends at once (`let _ = …` drops it at once, too): bind it to a name"]
pub struct LatencySession {
    pub(super) shared: Arc<ProbedLatency>,
    pub(super) probes: SessionProbes,
}

impl LatencySession {
    /// Returns everything measured since the start, or since [`reset`](Self::reset), as
    /// [`LatencyMeter::snapshot`] does.
    #[must_use]
    pub fn snapshot(&self) -> LatencySnapshot {
        self.shared.read(false)
    }

    /// Returns a snapshot and starts again from zero, as [`LatencyMeter::reset`] does.
    #[must_use = "the returned snapshot is the only copy of what was measured until now"]
    pub fn reset(&self) -> LatencySnapshot {
        self.shared.read(true)
    }

    /// Detaches from both events at one instant, without waiting. Firings in flight may still be
    /// measured. A second call does nothing.
    ///
    /// ```
    /// # hotprobe::event! { static OPENED: fn(file: u64); static CLOSED: fn(file: u64); }
    /// let session = hotprobe_profile::Latency::between(&OPENED, &CLOSED, "file").start()?;
    /// session.detach();
    /// OPENED.fire(1);
    /// assert_eq!(session.snapshot().counts().begins, 0);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn detach(&self) {
        self.probes.detach();
    }

    /// Detaches from both events, waits for the firings in flight, and returns what was measured.
    ///
    /// It blocks the thread until those firings have ended.
    ///
    /// # Errors
    /// [`FinishError`] inside a probe, [`pinned`](hotprobe::pinned) or a captured `Drop`, where it
    /// would wait for itself. The error contains the session, which is detached.
    ///
    /// ```
    /// # hotprobe::event! { static OPENED: fn(file: u64); static CLOSED: fn(file: u64); }
    /// let session = hotprobe_profile::Latency::between(&OPENED, &CLOSED, "file").start()?;
    /// OPENED.fire(1);
    /// let error = hotprobe::pinned(|| session.finish().unwrap_err());
    /// let snapshot = error.into_session().finish()?;
    /// assert_eq!(snapshot.counts().begins, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn finish(self) -> Result<LatencySnapshot, FinishError<Self>> {
        match self.probes.detach_and_wait() {
            Ok(()) => Ok(self.snapshot()),
            Err(error) => Err(FinishError::new(self, error)),
        }
    }
}

impl fmt::Debug for LatencySession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LatencySession")
            .field("meter", &self.shared.meter)
            .finish_non_exhaustive()
    }
}

static_assertions::assert_impl_all!(LatencySession: Send, Sync);
