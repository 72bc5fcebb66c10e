//! Events as they are chosen: one by one, and by pattern.

use crate::ProfileError;
use hotprobe::AnyEvent;
use hotprobe_filter::{BindError, Bound, Condition, ParseError};
use std::collections::HashSet;
use std::fmt;

/// The events that a builder was given.
#[derive(Clone, Default)]
pub(crate) struct ChosenEvents {
    events: Vec<&'static dyn AnyEvent>,
    patterns: Vec<String>,
    /// A mistake is reported when it is used.
    filter: Option<Result<Condition, ParseError>>,
}

/// Events with the condition that each is bound to, if there is one.
pub(crate) struct FilteredEvents {
    pub(crate) events: Vec<&'static dyn AnyEvent>,
    /// One for each event, or none.
    pub(crate) bound: Vec<Bound>,
    pub(crate) condition: Option<Condition>,
    /// The events of patterns that the condition does not fit.
    pub(crate) left_out: Vec<BindError>,
}

impl ChosenEvents {
    pub(crate) fn event(&mut self, event: &'static dyn AnyEvent) {
        self.events.push(event);
    }

    pub(crate) fn matching(&mut self, pattern: String) {
        self.patterns.push(pattern);
    }

    pub(crate) fn filter<C>(&mut self, condition: C)
    where
        C: TryInto<Condition>,
        C::Error: Into<ParseError>,
    {
        self.filter = Some(condition.try_into().map_err(Into::into));
    }

    /// Returns the same events as [`resolve`](Self::resolve), each bound to the condition. One that
    /// was given by itself has to fit it; one of a pattern is left out otherwise.
    pub(crate) fn filtered(
        &self,
        others: impl IntoIterator<Item = &'static dyn AnyEvent>,
    ) -> Result<FilteredEvents, ProfileError> {
        let others: Vec<_> = others.into_iter().collect();
        let mut filtered = FilteredEvents {
            events: self.resolve(others.iter().copied())?,
            bound: Vec::new(),
            condition: self.filter.clone().transpose()?,
            left_out: Vec::new(),
        };
        let Some(condition) = &filtered.condition else {
            return Ok(filtered);
        };
        let by_itself =
            |event: &&dyn AnyEvent| self.events.contains(event) || others.contains(event);
        let (explicit, of_patterns): (Vec<_>, Vec<_>) =
            filtered.events.drain(..).partition(by_itself);
        for event in explicit {
            filtered.bound.push(condition.bind(event.metadata())?);
            filtered.events.push(event);
        }
        for &event in &of_patterns {
            match condition.bind(event.metadata()) {
                Ok(bound) => {
                    filtered.bound.push(bound);
                    filtered.events.push(event);
                }
                Err(error) => filtered.left_out.push(error),
            }
        }
        if filtered.events.is_empty() {
            // (It fails, and says why.)
            condition.select(of_patterns)?;
        }
        Ok(filtered)
    }

    /// Returns each event once: those given one by one, `others`, and those that match a pattern.
    pub(crate) fn resolve(
        &self,
        others: impl IntoIterator<Item = &'static dyn AnyEvent>,
    ) -> Result<Vec<&'static dyn AnyEvent>, ProfileError> {
        let mut events = self.events.clone();
        events.extend(others);
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
        Ok(events)
    }
}

impl fmt::Debug for ChosenEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.events.iter().map(|event| event.name());
        f.debug_struct("ChosenEvents")
            .field("events", &names.collect::<Vec<_>>())
            .field("patterns", &self.patterns)
            .field("filter", &self.filter)
            .finish()
    }
}
