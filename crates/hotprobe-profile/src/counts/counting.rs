//! Who fires how often: any events, by name, by pattern, by the value of a parameter.

use super::counters::{Counter, CounterRows, LabelCounter};
use super::snapshot::{CountsSnapshot, EventCount, LabelCounts};
use crate::ProfileError;
use crate::label::with_label;
use crate::parameter::parameter;
use hotprobe::{AnyEvent, Batch, ProbeGroup, ProbeOptions};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// What is to be counted. [`start`](Self::start) attaches to all events at one instant.
///
/// ```
/// use hotprobe::fire;
/// use hotprobe_profile::Counts;
///
/// hotprobe::event! {
///     static REQUEST_DONE: fn(id: u64, route: &str);
///     static RETRIED: fn();
/// }
///
/// let counting = Counts::new().event(&RETRIED).by(&REQUEST_DONE, "route").start()?;
/// for id in 0..3 {
///     fire!(REQUEST_DONE, id, "/orders");
/// }
/// let snapshot = counting.snapshot();
/// assert_eq!(snapshot.event(REQUEST_DONE.name()).unwrap().count(), 3);
/// assert_eq!(snapshot.labels()[0].labels()[0].label(), "/orders");
/// println!("{snapshot}");
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
///
/// # Cost
/// A firing that is counted takes a nanosecond or two more than a dynamic probe that does nothing; by a label, what
/// [`LabelCounter`] says. Memory: 8 bytes for each event and each of 65 rows, and what the labels take.
#[must_use = "nothing is counted before `start`"]
pub struct Counts {
    patterns: Vec<String>,
    events: Vec<&'static dyn AnyEvent>,
    by: Vec<(&'static dyn AnyEvent, String)>,
    counters: Vec<Counter>,
    labels: Vec<LabelCounter>,
    labels_at_most: usize,
}

impl Default for Counts {
    fn default() -> Self {
        Self::new()
    }
}

impl Counts {
    /// Creates a builder without events, with room for 128 labels.
    pub fn new() -> Self {
        Self {
            patterns: Vec::new(),
            events: Vec::new(),
            by: Vec::new(),
            counters: Vec::new(),
            labels: Vec::new(),
            labels_at_most: 128,
        }
    }

    /// Counts the firings of this event.
    pub fn event(mut self, event: &'static dyn AnyEvent) -> Self {
        self.events.push(event);
        self
    }

    /// Counts the firings of each event whose full name matches the pattern, as
    /// [`matching`](hotprobe::matching) finds them.
    ///
    /// ```
    /// # mod shop { hotprobe::event! { pub static SOLD: fn(); } }
    /// let counting = hotprobe_profile::Counts::new().matching("*::shop::*").start()?;
    /// # shop::SOLD.fire();
    /// assert_eq!(counting.snapshot().events()[0].count(), 1);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn matching(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.push(pattern.into());
        self
    }

    /// Counts the firings of this event, and for each value of this parameter, how many have it.
    /// What is no text is formatted; of the label, 128 bytes count.
    pub fn by(mut self, event: &'static dyn AnyEvent, parameter: impl Into<String>) -> Self {
        self.by.push((event, parameter.into()));
        self
    }

    /// Adds what is counted in one's own probes, for its rate, and to have all in one table. It
    /// counts from the start on.
    pub fn counter(mut self, counter: &Counter) -> Self {
        self.counters.push(counter.clone());
        self
    }

    /// Adds what is counted by label in one's own probes. It counts since it was made.
    pub fn labels(mut self, labels: &LabelCounter) -> Self {
        self.labels.push(labels.clone());
        self
    }

    /// Sets for how many labels [`by`](Self::by) has room, for each event; 128 by default. Up to
    /// that number of labels, counts are exact.
    pub fn labels_at_most(mut self, labels: usize) -> Self {
        self.labels_at_most = labels;
        self
    }

    /// Attaches to all events at one instant.
    ///
    /// # Errors
    /// Nothing chosen; a pattern that matches nothing; a parameter that its event lacks or keeps from dynamic probes
    /// (`#[redact]`); room for labels that is not possible.
    ///
    /// ```
    /// # hotprobe::event! { static LOGIN: fn(user: &str, #[redact] token: &str); }
    /// let error = hotprobe_profile::Counts::new().by(&LOGIN, "token").start().unwrap_err();
    /// assert!(error.to_string().contains("keeps its parameter `token` to typed probes"));
    /// ```
    pub fn start(mut self) -> Result<Counting, ProfileError> {
        let events = self.chosen()?;
        let rows = Arc::new(CounterRows::new(events.len()));
        let options = || ProbeOptions::new().name("counts");
        let mut batch = Batch::new();
        for (column, event) in events.iter().enumerate() {
            let rows = Arc::clone(&rows);
            event.attach_in_with(&mut batch, options(), move |_, _| rows.add(column, 1));
        }
        let mut by = Vec::new();
        for (event, name) in &self.by {
            let (index, parameter) = parameter(event.metadata(), name)?;
            let counter = LabelCounter::new(event.name(), self.labels_at_most)?;
            by.push((counter.clone(), parameter.name()));
            event.attach_in_with(&mut batch, options(), move |_, values| {
                if let Some(&value) = values.get(index) {
                    with_label(value, |label| counter.add(label));
                }
            });
        }
        by.extend(self.labels.drain(..).map(|counter| (counter, "label")));
        let counters = self.counters.drain(..);
        Ok(Counting {
            counters: counters.map(|counter| (counter.count(), counter)).collect(),
            probes: batch.commit(),
            start: Instant::now(),
            events,
            rows,
            by,
        })
    }

    /// The events, each once, in the order in which they were chosen.
    fn chosen(&self) -> Result<Vec<&'static dyn AnyEvent>, ProfileError> {
        let mut events = self.events.clone();
        events.extend(self.by.iter().map(|(event, _)| *event));
        for pattern in &self.patterns {
            let matching = hotprobe::matching(pattern);
            if matching.is_empty() {
                return Err(ProfileError::NothingMatches {
                    pattern: pattern.clone(),
                    events: hotprobe::events().len(),
                });
            }
            events.extend(matching);
        }
        let mut seen = HashSet::new();
        events.retain(|event| seen.insert(*event));
        if events.is_empty() && self.counters.is_empty() && self.labels.is_empty() {
            return Err(ProfileError::NothingChosen);
        }
        Ok(events)
    }
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |event: &&dyn AnyEvent| event.name();
        f.debug_struct("Counts")
            .field("patterns", &self.patterns)
            .field("events", &self.events.iter().map(names).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Running counts, until dropped. Made by [`Counts::start`].
///
/// ```
/// use hotprobe::fire;
/// hotprobe::event! { static TICK: fn(); }
///
/// let counting = hotprobe_profile::Counts::new().event(&TICK).start()?;
/// let first = counting.snapshot();
/// fire!(TICK);
/// let second = counting.snapshot();
/// println!("{}", second.since(&first)); // what happened between, and its rates
/// let last = counting.finish()?; // complete: nothing is counted any more
/// assert_eq!(last.events()[0].count(), 1);
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
#[must_use = "a dropped `Counting` ends at once (`let _ = …` drops it at once, too): bind it to a name"]
pub struct Counting {
    probes: ProbeGroup,
    start: Instant,
    events: Vec<&'static dyn AnyEvent>,
    rows: Arc<CounterRows>,
    by: Vec<(LabelCounter, &'static str)>,
    /// With what each had at the start.
    counters: Vec<(u64, Counter)>,
}

impl Counting {
    /// Returns what has been counted since the start. Counting continues meanwhile; each count is read at
    /// an instant of its own.
    ///
    /// Not for a probe: it allocates.
    #[must_use]
    pub fn snapshot(&self) -> CountsSnapshot {
        let length = self.start.elapsed();
        let events = self
            .events
            .iter()
            .enumerate()
            .map(|(column, event)| (event.name(), self.rows.sum(column)));
        let counters = self
            .counters
            .iter()
            .map(|(before, counter)| (counter.name(), counter.count().wrapping_sub(*before)));
        let events = events
            .chain(counters)
            .map(|(name, count)| EventCount::new(name.to_owned(), count, length))
            .collect();
        let labels = self
            .by
            .iter()
            .map(|(counter, parameter)| {
                LabelCounts::new(counter.name(), parameter, counter.top().merged(), length)
            })
            .collect();
        CountsSnapshot::new(length, events, labels)
    }

    /// Detaches from all events, waits until no firing is in flight, and returns what was counted.
    ///
    /// # Errors
    /// [`ProfileError::Synchronize`] inside a probe, [`pinned`](hotprobe::pinned) or a captured `Drop`, where it would wait for
    /// itself. It has detached all the same.
    pub fn finish(mut self) -> Result<CountsSnapshot, ProfileError> {
        self.probes
            .detach_and_wait()
            .map_err(ProfileError::Synchronize)?;
        Ok(self.snapshot())
    }
}

impl fmt::Debug for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counting")
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}

static_assertions::assert_impl_all!(Counting: Send, Sync);
