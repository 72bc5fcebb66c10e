//! The builder of a stack profile, and its checks.

use super::capture::MAX_FRAMES;
use super::collector::{StackCollector, StackSource};
use super::session::StacksSession;
use super::table::{StackTable, StackTally};
use crate::ProfileError;
use crate::chosen::ChosenEvents;
use crate::parameter::parameter;
use crate::session::SessionProbes;
use hotprobe::{AnyEvent, Batch, ProbeOptions};
use hotprobe_filter::{Condition, Filter, ParseError};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Instant, SystemTime};

const MAX_STACKS: usize = 1 << 20;
const MAX_LABELS: usize = 8;

/// The builder of a stack profile: which events to sample, and how. [`start`](Self::start) attaches
/// to all events at one instant.
///
/// ```
/// use hotprobe_profile::Stacks;
///
/// hotprobe::event! {
///     static ALLOCATED: fn(route: &str, bytes: usize);
///     static MAPPED: fn(route: &str, bytes: usize);
/// }
///
/// let session = Stacks::new()
///     .event(&ALLOCATED)
///     .event(&MAPPED)
///     .weight("bytes")
///     .label("route")
///     .every(100)
///     .start()?;
/// # drop(session);
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is counted before `start`"]
pub struct Stacks {
    chosen: ChosenEvents,
    weight: Option<String>,
    unit: Option<String>,
    labels: Vec<String>,
    every: usize,
    stack_limit: usize,
    frame_limit: usize,
}

impl Default for Stacks {
    fn default() -> Self {
        Self::new()
    }
}

impl Stacks {
    /// Creates a builder without events.
    pub fn new() -> Self {
        Self {
            chosen: ChosenEvents::default(),
            weight: None,
            unit: None,
            labels: Vec::new(),
            every: 1,
            stack_limit: 10_000,
            frame_limit: 128,
        }
    }

    /// Creates a builder for the stacks that lead to this event: short for `new().event(event)`.
    ///
    /// ```
    /// use hotprobe_profile::Stacks;
    /// hotprobe::event! { static STORED: fn(key: &str, bytes: usize); }
    ///
    /// let session = Stacks::at(&STORED).weight("bytes").every(10).start()?;
    /// # drop(session);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn at(event: &'static dyn AnyEvent) -> Self {
        Self::new().event(event)
    }

    /// Adds an event. With several events, each sample in pprof's files has the label `event`, the
    /// event's name.
    ///
    /// Each of the events needs the parameters of the weight and the labels.
    pub fn event(mut self, event: &'static dyn AnyEvent) -> Self {
        self.chosen.event(event);
        self
    }

    /// Adds each event whose full name matches the pattern, as [`matching`](hotprobe::matching)
    /// finds them.
    ///
    /// ```
    /// # mod shop { hotprobe::event! { pub static SOLD: fn(); } }
    /// let session = hotprobe_profile::Stacks::new().matching("*::shop::*").start()?;
    /// # shop::SOLD.fire();
    /// assert_eq!(session.counts().fired, 1);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn matching(mut self, pattern: impl Into<String>) -> Self {
        self.chosen.matching(pattern.into());
        self
    }

    /// Weighs each firing by this parameter, a number. By default a firing weighs 1.
    ///
    /// Weights are whole numbers from 0 to 2^64 - 1; floating-point numbers are rounded to the
    /// nearest. A value that is negative, too large or no number weighs 0, and is counted
    /// ([`StackCounts::unweighed`](super::StackCounts)). Sums are exact below 2^128. Numbers in
    /// pprof's files end at 2^63 - 1, so a larger sum is written as that.
    pub fn weight(mut self, parameter: impl Into<String>) -> Self {
        self.weight = Some(parameter.into());
        self
    }

    /// Sets the unit of the weight, for pprof: `bytes`, `nanoseconds`, …
    ///
    /// By default it follows from the end of the parameter's name: `bytes`, `ns`, `us`, `ms` or
    /// `secs`, by itself or after `_`. Otherwise it is `count`.
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// Adds a parameter whose value distinguishes stacks. In pprof's files it is a label of the
    /// samples.
    ///
    /// The first 64 bytes of its text are kept, followed by `…` if there were more. Stacks with
    /// different values are different stacks, so a parameter with a new value in each firing (a
    /// request's number) soon fills the table. At most 8 labels.
    pub fn label(mut self, parameter: impl Into<String>) -> Self {
        let parameter = parameter.into();
        if !self.labels.contains(&parameter) {
            self.labels.push(parameter);
        }
        self
    }

    /// Samples every `n`-th firing, starting with the first, over all threads and events; 1 by
    /// default. The others are counted with their weight
    /// ([`StackCounts::skipped`](super::StackCounts)). Counts are not multiplied by `n`.
    ///
    /// If the program's work repeats with a period that shares a factor with `n`, some stacks are
    /// never sampled. A prime number is a good choice.
    pub fn every(mut self, n: usize) -> Self {
        self.every = n;
        self
    }

    /// Counts only the firings that meet the condition, for all events. The others are counted
    /// apart ([`StackCounts::rejected`](super::StackCounts)), before [`every`](Self::every) and
    /// without their weight. The page of [`hotprobe_filter`] has the grammar.
    ///
    /// Events of a pattern that the condition does not fit are left out
    /// ([`StacksSession::left_out`]).
    ///
    /// ```
    /// use hotprobe_profile::Stacks;
    /// hotprobe::event! { static STORED: fn(key: &str, bytes: usize); }
    ///
    /// let session = Stacks::at(&STORED).filter("bytes > 1k").start()?;
    /// STORED.fire("a", 10);
    /// STORED.fire("b", 4096);
    /// let counts = session.counts();
    /// assert_eq!((counts.fired, counts.rejected), (1, 1));
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn filter<C>(mut self, condition: C) -> Self
    where
        C: TryInto<Condition>,
        C::Error: Into<ParseError>,
    {
        self.chosen.filter(condition);
        self
    }

    /// Sets the maximum number of different stacks, from 1 to 1,048,576; 10,000 by default. Further
    /// stacks are counted as `(other)`.
    pub fn max_stacks(mut self, stacks: usize) -> Self {
        self.stack_limit = stacks;
        self
    }

    /// Sets the maximum number of frames of a stack, from 1 to 448; 128 by default. The innermost
    /// frames are kept; then the outermost is `(cut off)`. Inlined functions do not count.
    pub fn max_frames(mut self, frames: usize) -> Self {
        self.frame_limit = frames;
        self
    }

    /// Attaches to all events at one instant.
    ///
    /// # Errors
    /// [`ProfileError::NothingChosen`]; [`ProfileError::NothingMatches`] for a pattern without
    /// events; [`ProfileError::Parameter`] for a weight or a label that one of the events lacks or
    /// keeps from dynamic probes (`#[redact]`), and for a weight that is no number;
    /// [`ProfileError::Filter`] for a condition that is none, or does not fit an event;
    /// [`ProfileError::Limit`] for a limit that is not possible.
    ///
    /// ```
    /// use hotprobe_profile::Stacks;
    /// hotprobe::event! { static LOGIN: fn(user: &str, #[redact] token: &str); }
    ///
    /// let error = Stacks::at(&LOGIN).label("token").start().unwrap_err();
    /// assert!(error.to_string().contains("keeps its parameter `token` to typed probes"));
    /// ```
    pub fn start(self) -> Result<StacksSession, ProfileError> {
        for (what, given, max) in [
            ("every", self.every, usize::MAX),
            ("max_stacks", self.stack_limit, MAX_STACKS),
            ("max_frames", self.frame_limit, MAX_FRAMES),
        ] {
            if !(1..=max).contains(&given) {
                return Err(limit(what, given, max));
            }
        }
        if self.labels.len() > MAX_LABELS {
            let given = self.labels.len();
            return Err(ProfileError::Limit {
                reason: format!("{given} labels are not possible: give at most {MAX_LABELS}"),
            });
        }
        let filtered = self.chosen.filtered([])?;
        let events = filtered.events;
        let has_filter = filtered.condition.is_some();
        if events.is_empty() {
            return Err(ProfileError::NothingChosen);
        }
        let sources = events
            .iter()
            .map(|&event| self.source(event))
            .collect::<Result<Vec<_>, _>>()?;
        let weight = self.weight.map(|name| {
            let unit = self.unit.unwrap_or_else(|| unit(&name).to_owned());
            (name, unit)
        });
        let collector = Arc::new(StackCollector {
            sources,
            labels: self.labels,
            weight,
            every: self.every as u64,
            max_frames: self.frame_limit,
            started: (SystemTime::now(), Instant::now()),
            ticket: AtomicU64::new(0),
            skipped: StackTally::default(),
            unweighed: AtomicU64::new(0),
            table: StackTable::new(self.stack_limit),
            filter: Filter::new(filtered.bound),
            condition: filtered.condition,
        });
        let mut batch = Batch::new();
        for (index, &event) in events.iter().enumerate() {
            let collector = Arc::clone(&collector);
            let options = ProbeOptions::new().name("stacks");
            if !has_filter {
                event.attach_in_with(&mut batch, options, move |_, values| {
                    collector.fire(index, values);
                });
                continue;
            }
            event.attach_in_with(&mut batch, options, move |_, values| {
                if collector.filter.accepts(index, values) {
                    collector.fire(index, values);
                }
            });
        }
        Ok(StacksSession {
            collector,
            left_out: filtered.left_out,
            probes: SessionProbes::attach(batch),
        })
    }

    fn source(&self, event: &'static dyn AnyEvent) -> Result<StackSource, ProfileError> {
        let metadata = event.metadata();
        let weight = match &self.weight {
            None => None,
            Some(name) => {
                let (index, parameter) = parameter(metadata, name)?;
                let type_name = parameter.type_name();
                if is_surely_no_number(type_name) {
                    return Err(ProfileError::Parameter {
                        reason: format!(
                            "`{name}: {type_name}` of `{}` is no number, which a weight has to be: choose a parameter that \
                             is, or leave the weight out to count firings",
                            metadata.name()
                        ),
                    });
                }
                Some(index)
            }
        };
        let labels = self.labels.iter();
        Ok(StackSource {
            event,
            weight,
            labels: labels
                .map(|name| Ok(parameter(metadata, name)?.0))
                .collect::<Result<_, ProfileError>>()?,
            other: StackTally::default(),
            nested: StackTally::default(),
        })
    }
}

fn limit(what: &str, given: usize, max: usize) -> ProfileError {
    ProfileError::Limit {
        reason: format!("`{what}({given})` is not possible: give 1 to {max}"),
    }
}

/// By how the type is written. An own type may be anything, and is looked at when it comes.
fn is_surely_no_number(type_name: &str) -> bool {
    let name = type_name.trim_start_matches(['&', ' ']);
    let name = match name.strip_prefix('\'') {
        // A lifetime.
        Some(rest) => rest.split_once(' ').map_or(rest, |(_, name)| name),
        None => name,
    };
    matches!(name, "bool" | "char" | "str" | "String") || name.starts_with(['[', '('])
}

fn unit(name: &str) -> &'static str {
    match name.rsplit('_').next().unwrap_or(name) {
        "bytes" => "bytes",
        "ns" | "nanos" | "nanoseconds" => "nanoseconds",
        "us" | "micros" | "microseconds" => "microseconds",
        "ms" | "millis" | "milliseconds" => "milliseconds",
        "s" | "secs" | "seconds" => "seconds",
        _ => "count",
    }
}

#[cfg(test)]
mod tests {
    use super::{is_surely_no_number, unit};

    #[test]
    fn a_type_that_is_surely_no_number_is_known_by_how_it_is_written() {
        for name in [
            "bool",
            "& str",
            "&str",
            "&'a str",
            "&'static String",
            "&[u8]",
            "[u8; 4]",
        ] {
            assert!(is_surely_no_number(name), "{name}");
        }
        for name in [
            "u64",
            "usize",
            "f64",
            "&u32",
            "Bytes",
            "NonZero<u8>",
            "&'a i64",
        ] {
            assert!(!is_surely_no_number(name), "{name}");
        }
    }

    #[test]
    fn the_unit_follows_from_the_name() {
        for (name, expected) in [
            ("bytes", "bytes"),
            ("body_bytes", "bytes"),
            ("took_ns", "nanoseconds"),
            ("megabytes", "count"),
            ("orders", "count"),
        ] {
            assert_eq!(unit(name), expected, "{name}");
        }
    }
}
