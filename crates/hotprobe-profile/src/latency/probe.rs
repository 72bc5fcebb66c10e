//! From one event to another, by the names of their parameters.

use super::builder::LatencyBuilder;
use super::key::{PairKey, PairKeyRef};
use super::measurement::Latency;
use super::open_pairs::OpenPair;
use super::snapshot::LatencySnapshot;
use crate::ProfileError;
use crate::label::with_label;
use crate::parameter::{all, parameter};
use hotprobe::{AnyEvent, Batch, Metadata, ProbeGroup, ProbeOptions, Value};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Two events whose latency is to be measured. Made by [`Latency::between`]; [`start`](Self::start) attaches to both.
///
/// ```
/// use hotprobe::fire;
/// use hotprobe_profile::Latency;
///
/// hotprobe::event! {
///     static REQUEST_RECEIVED: fn(id: u64, method: &str);
///     static REQUEST_DONE: fn(id: u64);
/// }
///
/// let timing = Latency::between(&REQUEST_RECEIVED, &REQUEST_DONE, "id").label("method").start()?;
/// fire!(REQUEST_RECEIVED, 1, "GET");
/// fire!(REQUEST_DONE, 1);
/// assert_eq!(timing.snapshot().label("GET").unwrap().count(), 1);
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
///
/// # Keys
/// Integers, texts, bytes and the rest are keys as they are; of what has no kind of its own
/// ([`Value::Debug`](hotprobe::Value::Debug)), what its `Debug` writes is the key. A text, bytes, or what a `Debug` writes, of more than 256 bytes
/// is none, nor is a value without `Debug`: such firings are counted as without key, and paired with nothing.
#[must_use = "nothing is measured before `start`"]
pub struct LatencyProbe {
    limits: LatencyBuilder,
    begin: &'static dyn AnyEvent,
    end: &'static dyn AnyEvent,
    key: String,
    label: Option<String>,
}

impl LatencyProbe {
    pub(crate) fn new(
        limits: LatencyBuilder,
        begin: &'static dyn AnyEvent,
        end: &'static dyn AnyEvent,
        key: String,
    ) -> Self {
        Self {
            limits,
            begin,
            end,
            key,
            label: None,
        }
    }

    /// Sets the parameter whose values are the labels: one of the end, otherwise of the begin. What
    /// is no text is formatted. Without it, the label of all is `all`.
    pub fn label(mut self, parameter: impl Into<String>) -> Self {
        self.label = Some(parameter.into());
        self
    }

    /// Attaches to both events at one instant.
    ///
    /// # Errors
    /// A key or a label that the events lack or keep from dynamic probes (`#[redact]`); keys of different types; the same
    /// event twice; limits that are not possible.
    pub fn start(self) -> Result<Timing, ProfileError> {
        let (begin, end) = (self.begin.metadata(), self.end.metadata());
        if self.begin == self.end {
            return Err(ProfileError::Parameter {
                reason: format!(
                    "`{}` cannot be both begin and end: name two events",
                    begin.name()
                ),
            });
        }
        let begin_key = parameter(begin, &self.key)?;
        let end_key = parameter(end, &self.key)?;
        let types = [begin_key, end_key].map(|key| key.1.type_name());
        if types[0] != types[1] {
            return Err(ProfileError::Parameter {
                reason: format!(
                    "the key `{}` is `{}` in `{}`, and `{}` in `{}`: the types have to be the same",
                    self.key,
                    types[0],
                    begin.name(),
                    types[1],
                    end.name()
                ),
            });
        }
        let label = match &self.label {
            None => LabelSource::All,
            Some(label) if has(end, label) => LabelSource::OfEnd(parameter(end, label)?.0),
            Some(label) if has(begin, label) => LabelSource::OfBegin(parameter(begin, label)?.0),
            Some(label) => {
                return Err(ProfileError::Parameter {
                    reason: format!(
                        "neither event has a parameter `{label}` for the label: `{}` has {}; `{}` has {}",
                        end.name(),
                        all(end),
                        begin.name(),
                        all(begin)
                    ),
                });
            }
        };
        let shared = Arc::new(ProbedLatency {
            latency: Latency::with(self.limits.limits()?),
            begins_without_key: AtomicU64::new(0),
            ends_without_key: AtomicU64::new(0),
        });
        let options = || ProbeOptions::new().name("latency");
        let mut batch = Batch::new();
        self.begin.attach_in_with(&mut batch, options(), {
            let shared = Arc::clone(&shared);
            move |_, values| shared.begin(values, begin_key.0, label)
        });
        self.end.attach_in_with(&mut batch, options(), {
            let shared = Arc::clone(&shared);
            move |_, values| shared.end(values, end_key.0, label)
        });
        Ok(Timing {
            probes: batch.commit(),
            shared,
        })
    }
}

impl fmt::Debug for LatencyProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LatencyProbe")
            .field("begin", &self.begin.name())
            .field("end", &self.end.name())
            .field("key", &self.key)
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

impl Latency {
    /// The time from one event to another, paired by a parameter that both have; [`LatencyProbe::start`] attaches to both.
    ///
    /// ```
    /// use hotprobe::fire;
    /// use hotprobe_profile::Latency;
    /// hotprobe::event! { static OPENED: fn(file: u64); static CLOSED: fn(file: u64); }
    ///
    /// let timing = Latency::between(&OPENED, &CLOSED, "file").start()?;
    /// fire!(OPENED, 1);
    /// fire!(CLOSED, 1);
    /// assert_eq!(timing.snapshot().counts().matched, 1);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn between(
        begin: &'static dyn AnyEvent,
        end: &'static dyn AnyEvent,
        key: impl Into<String>,
    ) -> LatencyProbe {
        Self::builder().between(begin, end, key)
    }
}

impl LatencyBuilder {
    /// With these limits, the time from one event to another: as [`Latency::between`].
    pub fn between(
        self,
        begin: &'static dyn AnyEvent,
        end: &'static dyn AnyEvent,
        key: impl Into<String>,
    ) -> LatencyProbe {
        LatencyProbe::new(self, begin, end, key.into())
    }
}

/// Where the label comes from.
#[derive(Clone, Copy)]
enum LabelSource {
    All,
    OfBegin(usize),
    OfEnd(usize),
}

fn has(event: &Metadata, name: &str) -> bool {
    event.parameters().iter().any(|p| p.name() == name)
}

/// What both probes, and the handle, have.
struct ProbedLatency {
    latency: Latency<PairKey>,
    begins_without_key: AtomicU64,
    ends_without_key: AtomicU64,
}

impl ProbedLatency {
    fn begin(&self, values: &[Value<'_>], key: usize, label: LabelSource) {
        let Some(&key) = values.get(key) else { return };
        let label = match label {
            LabelSource::OfBegin(index) => values
                .get(index)
                .map(|&value| with_label(value, |text| self.latency.label_number(text))),
            LabelSource::All | LabelSource::OfEnd(_) => None,
        };
        PairKeyRef::of(key, |key| match key {
            Some(key) => {
                let hash = self.latency.seed().of(&key);
                let key = key.to_owned();
                // Last, so that what came before is not measured.
                let begun = OpenPair::new(key, self.latency.now(), label);
                self.latency.begin_hashed(hash, begun);
            }
            // Relaxed: a count.
            None => drop(self.begins_without_key.fetch_add(1, Ordering::Relaxed)),
        });
    }

    fn end(&self, values: &[Value<'_>], key: usize, label: LabelSource) {
        let now = self.latency.now();
        let Some(&key) = values.get(key) else { return };
        let number = || match label {
            LabelSource::OfEnd(index) => values.get(index).map_or(0, |&value| {
                with_label(value, |text| self.latency.label_number(text))
            }),
            LabelSource::All | LabelSource::OfBegin(_) => self.latency.label_number("all"),
        };
        PairKeyRef::of(key, |key| match key {
            Some(key) => {
                let hash = self.latency.seed().of(&key);
                let is_key = |open: &PairKey| open.borrowed() == key;
                self.latency.end_hashed(hash, now, is_key, number);
            }
            None => drop(self.ends_without_key.fetch_add(1, Ordering::Relaxed)),
        });
    }

    fn read(&self, anew: bool) -> LatencySnapshot {
        let count = |count: &AtomicU64| {
            if anew {
                count.swap(0, Ordering::Relaxed)
            } else {
                count.load(Ordering::Relaxed)
            }
        };
        let mut snapshot = if anew {
            self.latency.reset()
        } else {
            self.latency.snapshot()
        };
        snapshot.set_without_key(
            count(&self.begins_without_key),
            count(&self.ends_without_key),
        );
        snapshot
    }
}

/// A measurement between two events, which runs until it is dropped. Made by [`LatencyProbe::start`].
///
/// ```
/// use hotprobe::fire;
/// hotprobe::event! { static OPENED: fn(file: u64); static CLOSED: fn(file: u64); }
///
/// let timing = hotprobe_profile::Latency::between(&OPENED, &CLOSED, "file").start()?;
/// fire!(OPENED, 1);
/// fire!(CLOSED, 1);
/// let snapshot = timing.finish()?; // complete: no firing is measured any more
/// assert_eq!(snapshot.counts().ends, 1);
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
#[must_use = "a dropped `Timing` ends at once (`let _ = …` drops it at once, too): bind it to a name"]
pub struct Timing {
    shared: Arc<ProbedLatency>,
    probes: ProbeGroup,
}

impl Timing {
    /// Returns a snapshot, as [`Latency::snapshot`].
    #[must_use]
    pub fn snapshot(&self) -> LatencySnapshot {
        self.shared.read(false)
    }

    /// Returns a snapshot and begins again, as [`Latency::reset`].
    #[must_use = "what was measured until now is nowhere else"]
    pub fn reset(&self) -> LatencySnapshot {
        self.shared.read(true)
    }

    /// Detaches from both events, at one instant, and waits for nothing. A firing that is in flight may still be measured.
    ///
    /// ```
    /// # hotprobe::event! { static OPENED: fn(file: u64); static CLOSED: fn(file: u64); }
    /// let mut timing = hotprobe_profile::Latency::between(&OPENED, &CLOSED, "file").start()?;
    /// timing.detach();
    /// OPENED.fire(1);
    /// assert_eq!(timing.snapshot().counts().begins, 0);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn detach(&mut self) {
        self.probes.detach();
    }

    /// Detaches from both events, waits until no firing is in flight, and returns what was measured.
    ///
    /// # Errors
    /// [`ProfileError::Synchronize`] inside a probe, [`pinned`](hotprobe::pinned) or a captured `Drop`, where it would wait for
    /// itself. It has detached all the same.
    pub fn finish(mut self) -> Result<LatencySnapshot, ProfileError> {
        self.probes
            .detach_and_wait()
            .map_err(ProfileError::Synchronize)?;
        Ok(self.snapshot())
    }
}

impl fmt::Debug for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timing")
            .field("latency", &self.shared.latency)
            .finish_non_exhaustive()
    }
}

static_assertions::assert_impl_all!(Timing: Send, Sync);
