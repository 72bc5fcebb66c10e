//! From one event to another, paired by a parameter: the builder.

use super::meter::LatencyMeter;
use super::meter_builder::LatencyMeterBuilder;
use super::session::{LabelSource, LatencySession, ProbedLatency};
use crate::ProfileError;
use crate::parameter::{all, parameter};
use crate::session::SessionProbes;
use hotprobe::{AnyEvent, Batch, Metadata, Parameter, ProbeOptions};
use hotprobe_clock::Clock;
use hotprobe_filter::{BindError, Bound, Condition, ParseError};
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// The builder of a measurement of the time from one event to another, paired by a parameter.
/// [`start`](Self::start) attaches to both.
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
/// let session = Latency::between(&REQUEST_RECEIVED, &REQUEST_DONE, "id")
///     .label("method")
///     .title("requests")
///     .max_pairs(10_000)
///     .start()?;
/// fire!(REQUEST_RECEIVED, 1, "GET");
/// fire!(REQUEST_DONE, 1);
/// assert_eq!(session.snapshot().label("GET").unwrap().count(), 1);
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
///
/// # Keys
/// Numbers, `bool`, `char`, texts and bytes are keys by their value. A value of another type is a
/// key by the text that its `Debug` writes ([`Value::Debug`](hotprobe::Value::Debug)).
///
/// A text, bytes or a `Debug` output of more than 256 bytes is no key, nor is a value without
/// `Debug`. Firings with such a value are counted as without key, and are not paired.
///
/// # Memory
/// As [`LatencyMeterBuilder`] describes; a key takes up to 256 bytes more if it is a text.
#[derive(Clone)]
#[must_use = "nothing is measured before `start`"]
pub struct Latency {
    meter: LatencyMeterBuilder,
    begin: &'static dyn AnyEvent,
    end: &'static dyn AnyEvent,
    key: String,
    label: Option<String>,
    /// A mistake is reported by `start`.
    filter: Option<Result<Condition, ParseError>>,
}

impl Latency {
    /// Creates a builder that pairs a firing of `begin` with the next firing of `end` whose
    /// parameter `key` has the same value. Both events need this parameter, with the same type.
    ///
    /// ```
    /// use hotprobe::fire;
    /// use hotprobe_profile::Latency;
    /// hotprobe::event! { static OPENED: fn(file: u64); static CLOSED: fn(file: u64); }
    ///
    /// let session = Latency::between(&OPENED, &CLOSED, "file").start()?;
    /// fire!(OPENED, 1);
    /// fire!(CLOSED, 1);
    /// assert_eq!(session.snapshot().counts().matched, 1);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn between(
        begin: &'static dyn AnyEvent,
        end: &'static dyn AnyEvent,
        key: impl Into<String>,
    ) -> Self {
        Self {
            meter: LatencyMeter::builder(),
            begin,
            end,
            key: key.into(),
            label: None,
            filter: None,
        }
    }

    /// Sets the parameter whose values are the labels: one of the end, otherwise of the begin. A
    /// value that is no text is formatted. By default all pairs have the label `all`.
    pub fn label(mut self, parameter: impl Into<String>) -> Self {
        self.label = Some(parameter.into());
        self
    }

    /// Measures only the pairs that meet the condition: on the parameters of the end, and on
    /// `elapsed`, the time since the begin. The others are counted apart
    /// ([`PairCounts::rejected`](crate::PairCounts)). The page of [`hotprobe_filter`] has the
    /// grammar.
    ///
    /// The begin's parameters cannot be used: its values are gone when the end fires. A label of
    /// the begin takes its place even if all of its pairs are rejected.
    ///
    /// ```
    /// use hotprobe_profile::Latency;
    /// hotprobe::event! { static OPENED: fn(file: u64); static CLOSED: fn(file: u64, ok: bool); }
    ///
    /// let session = Latency::between(&OPENED, &CLOSED, "file")
    ///     .filter("!ok && elapsed < 1s")
    ///     .start()?;
    /// (1..=2).for_each(|file| OPENED.fire(file));
    /// CLOSED.fire(1, true);
    /// CLOSED.fire(2, false);
    /// let snapshot = session.snapshot();
    /// assert_eq!(snapshot.labels()[0].count(), 1);
    /// assert_eq!((snapshot.counts().matched, snapshot.counts().rejected), (2, 1));
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn filter<C>(mut self, condition: C) -> Self
    where
        C: TryInto<Condition>,
        C::Error: Into<ParseError>,
    {
        self.filter = Some(condition.try_into().map_err(Into::into));
        self
    }

    /// Sets the heading of the table and of the picture; "latency" by default.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.meter = self.meter.title(title);
        self
    }

    /// Sets the maximum number of open pairs; 65,536 by default. One more evicts the oldest, which
    /// is counted. [`LatencyMeterBuilder::max_pairs`] says more.
    pub fn max_pairs(mut self, pairs: usize) -> Self {
        self.meter = self.meter.max_pairs(pairs);
        self
    }

    /// Sets the maximum number of labels with a histogram of their own; 64 by default. Later labels
    /// are counted as `(other)`.
    pub fn max_labels(mut self, labels: usize) -> Self {
        self.meter = self.meter.max_labels(labels);
        self
    }

    /// Sets the range of durations to resolve; 1 ns to 60 s by default. Durations outside are
    /// clamped and counted separately.
    pub fn range(mut self, range: RangeInclusive<Duration>) -> Self {
        self.meter = self.meter.range(range);
        self
    }

    /// Sets the number of significant digits of a duration, from 1 to 4; 2 by default.
    pub fn digits(mut self, digits: u8) -> Self {
        self.meter = self.meter.digits(digits);
        self
    }

    /// Sets the clock; [`Clock::System`] by default. The feature `tsc` adds the processor's time
    /// stamp counter, which is faster to read.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.meter = self.meter.clock(clock);
        self
    }

    /// Attaches to both events at one instant.
    ///
    /// # Errors
    /// [`ProfileError::Parameter`] for a key or a label that the events lack or keep from dynamic
    /// probes (`#[redact]`), for keys of different types, and if both events are the same.
    /// [`ProfileError::Filter`] for a condition that is none, or does not fit the end.
    /// [`ProfileError::Limit`] for a limit that is not possible.
    pub fn start(self) -> Result<LatencySession, ProfileError> {
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
        let filter = self.filter.map(|condition| bind(condition?, begin, end));
        let meter = LatencyMeter::with(self.meter.limits()?);
        let shared = Arc::new(ProbedLatency::new(meter, filter.transpose()?));
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
        Ok(LatencySession {
            probes: SessionProbes::attach(batch),
            shared,
        })
    }
}

impl fmt::Debug for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Latency")
            .field("begin", &self.begin.name())
            .field("end", &self.end.name())
            .field("key", &self.key)
            .field("label", &self.label)
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

/// Binds the condition to the end. If it uses a parameter of the begin, the error says so.
fn bind(
    condition: Condition,
    begin: &Metadata,
    end: &Metadata,
) -> Result<(Condition, Bound), ProfileError> {
    let of_begin = |error: &BindError| {
        let parameters = begin.parameters().iter().map(Parameter::name);
        let mut only_begins = parameters.filter(|name| !has(end, name));
        only_begins.find(|name| error.message().contains(&format!("no parameter `{name}`")))
    };
    match condition.bind_with_elapsed(end) {
        Ok(bound) => Ok((condition, bound)),
        Err(error) => match of_begin(&error) {
            None => Err(error.into()),
            Some(name) => Err(ProfileError::Parameter {
                reason: format!(
                    "{error}\n`{name}` is a parameter of the begin, `{}`: a condition of a latency uses those of the \
                     end, and `elapsed`",
                    begin.name()
                ),
            }),
        },
    }
}

fn has(event: &Metadata, name: &str) -> bool {
    event.parameters().iter().any(|p| p.name() == name)
}
