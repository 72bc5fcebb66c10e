//! Counts of events, chosen by event, by pattern, or by the value of a parameter: the builder.

use super::counters::{Counter, CounterRows, LabelCounter};
use super::session::CountsSession;
use crate::ProfileError;
use crate::chosen::ChosenEvents;
use crate::label::with_label;
use crate::parameter::parameter;
use crate::session::SessionProbes;
use hotprobe::{AnyEvent, Batch, ProbeOptions};
use hotprobe_filter::{Condition, Filter, ParseError};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// The builder of counts: which events and labels to count. [`start`](Self::start) attaches to all
/// events at one instant.
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
/// let session = Counts::new().event(&RETRIED).by(&REQUEST_DONE, "route").start()?;
/// for id in 0..3 {
///     fire!(REQUEST_DONE, id, "/orders");
/// }
/// let snapshot = session.snapshot();
/// assert_eq!(snapshot.event(REQUEST_DONE.name()).unwrap().count(), 3);
/// assert_eq!(snapshot.breakdowns()[0].labels()[0].label(), "/orders");
/// println!("{snapshot}");
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
///
/// # Cost
/// A counted firing takes 1 to 2 ns more than a dynamic probe that does nothing, and for a label
/// what [`LabelCounter`] takes. Memory: 8 bytes for each event and each of 65 rows, and the labels.
#[derive(Clone)]
#[must_use = "nothing is counted before `start`"]
pub struct Counts {
    chosen: ChosenEvents,
    by: Vec<(&'static dyn AnyEvent, String)>,
    counters: Vec<Counter>,
    labels: Vec<LabelCounter>,
    max_labels: usize,
}

impl Default for Counts {
    fn default() -> Self {
        Self::new()
    }
}

impl Counts {
    /// Creates a builder without events, for up to 128 labels of each breakdown.
    pub fn new() -> Self {
        Self {
            chosen: ChosenEvents::default(),
            by: Vec::new(),
            counters: Vec::new(),
            labels: Vec::new(),
            max_labels: 128,
        }
    }

    /// Adds an event, whose firings are counted.
    pub fn event(mut self, event: &'static dyn AnyEvent) -> Self {
        self.chosen.event(event);
        self
    }

    /// Adds each event whose full name matches the pattern, as [`matching`](hotprobe::matching)
    /// finds them.
    ///
    /// ```
    /// # mod shop { hotprobe::event! { pub static SOLD: fn(); } }
    /// let session = hotprobe_profile::Counts::new().matching("*::shop::*").start()?;
    /// # shop::SOLD.fire();
    /// assert_eq!(session.snapshot().events()[0].count(), 1);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn matching(mut self, pattern: impl Into<String>) -> Self {
        self.chosen.matching(pattern.into());
        self
    }

    /// Adds an event, and a [`Breakdown`](crate::Breakdown) of its firings by the value of this
    /// parameter. A value that is no text is formatted; the first 128 bytes of a label count.
    pub fn by(mut self, event: &'static dyn AnyEvent, parameter: impl Into<String>) -> Self {
        let by = (event, parameter.into());
        if !self.by.contains(&by) {
            self.by.push(by);
        }
        self
    }

    /// Counts only the firings that meet the condition, for all events of this builder. The others
    /// are counted apart ([`EventCount::rejected`](crate::EventCount::rejected)). The page of
    /// [`hotprobe_filter`] has the grammar.
    ///
    /// Events of a pattern that the condition does not fit are left out
    /// ([`CountsSession::left_out`]). Counters of your own are not filtered.
    ///
    /// ```
    /// use hotprobe_profile::Counts;
    /// hotprobe::event! { static REQUEST_DONE: fn(route: &str, status: u16); }
    ///
    /// let session = Counts::new().by(&REQUEST_DONE, "route").filter("status >= 500").start()?;
    /// REQUEST_DONE.fire("/orders", 200);
    /// REQUEST_DONE.fire("/orders", 503);
    /// let snapshot = session.snapshot();
    /// let failed = &snapshot.events()[0];
    /// assert_eq!((failed.count(), failed.rejected()), (1, 1));
    ///
    /// let error = Counts::new().event(&REQUEST_DONE).filter("statsu >= 500").start().unwrap_err();
    /// assert!(error.to_string().contains("did you mean `status`?"));
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

    /// Adds a counter that your own probes increment, to list it in the same table with its rate.
    /// Its count starts at zero when the session starts.
    pub fn counter(mut self, counter: &Counter) -> Self {
        if !self.counters.iter().any(|known| known.is_same(counter)) {
            self.counters.push(counter.clone());
        }
        self
    }

    /// Adds a label counter that your own probes increment. Its counts include those from before
    /// the session.
    pub fn labels(mut self, labels: &LabelCounter) -> Self {
        if !self.labels.iter().any(|known| known.is_same(labels)) {
            self.labels.push(labels.clone());
        }
        self
    }

    /// Sets the maximum number of labels that each [`by`](Self::by) lists; 128 by default. Up to
    /// that number of labels, counts are exact.
    pub fn max_labels(mut self, labels: usize) -> Self {
        self.max_labels = labels;
        self
    }

    /// Attaches to all events at one instant.
    ///
    /// # Errors
    /// [`ProfileError::NothingChosen`]; [`ProfileError::NothingMatches`] for a pattern without
    /// events; [`ProfileError::Parameter`] for a parameter that its event lacks or keeps from
    /// dynamic probes (`#[redact]`); [`ProfileError::Filter`] for a condition that is none, or does
    /// not fit an event; [`ProfileError::Limit`] for a limit that is not possible.
    ///
    /// ```
    /// # hotprobe::event! { static LOGIN: fn(user: &str, #[redact] token: &str); }
    /// let error = hotprobe_profile::Counts::new().by(&LOGIN, "token").start().unwrap_err();
    /// assert!(error.to_string().contains("keeps its parameter `token` to typed probes"));
    /// ```
    pub fn start(mut self) -> Result<CountsSession, ProfileError> {
        let filtered = self
            .chosen
            .filtered(self.by.iter().map(|(event, _)| *event))?;
        let events = filtered.events;
        let filter = Arc::new(Filter::new(filtered.bound));
        let has_filter = filtered.condition.is_some();
        if events.is_empty() && self.counters.is_empty() && self.labels.is_empty() {
            return Err(ProfileError::NothingChosen);
        }
        let rows = Arc::new(CounterRows::new(events.len()));
        let options = || ProbeOptions::new().name("counts");
        let mut batch = Batch::new();
        for (column, event) in events.iter().enumerate() {
            let rows = Arc::clone(&rows);
            if !has_filter {
                event.attach_in_with(&mut batch, options(), move |_, _| rows.add(column, 1));
                continue;
            }
            let filter = Arc::clone(&filter);
            event.attach_in_with(&mut batch, options(), move |_, values| {
                if filter.accepts(column, values) {
                    rows.add(column, 1);
                }
            });
        }
        let mut by = Vec::new();
        for (event, name) in &self.by {
            let (index, parameter) = parameter(event.metadata(), name)?;
            let counter = LabelCounter::new(event.name(), self.max_labels)?;
            by.push((counter.clone(), parameter.name()));
            let column = events.iter().position(|other| other == event).unwrap_or(0);
            let filter = Arc::clone(&filter);
            event.attach_in_with(&mut batch, options(), move |_, values| {
                // (The probe above has counted the firing, or the rejection.)
                let condition = filter.condition(column);
                if condition.is_some_and(|condition| !condition.matches(values)) {
                    return;
                }
                if let Some(&value) = values.get(index) {
                    with_label(value, |label| counter.inc(label));
                }
            });
        }
        by.extend(self.labels.drain(..).map(|counter| (counter, "label")));
        let counters = self.counters.drain(..);
        Ok(CountsSession {
            counters: counters.map(|counter| (counter.count(), counter)).collect(),
            probes: SessionProbes::attach(batch),
            start: Instant::now(),
            events,
            rows,
            filter,
            condition: filtered.condition,
            left_out: filtered.left_out,
            by,
        })
    }
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counts")
            .field("chosen", &self.chosen)
            .finish_non_exhaustive()
    }
}
