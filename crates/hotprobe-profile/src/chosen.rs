//! Events as they are chosen: one by one, and by pattern.

use crate::ProfileError;
use hotprobe::AnyEvent;
use std::collections::HashSet;
use std::fmt;

/// The events that a builder was given.
#[derive(Clone, Default)]
pub(crate) struct ChosenEvents {
    events: Vec<&'static dyn AnyEvent>,
    patterns: Vec<String>,
}

impl ChosenEvents {
    pub(crate) fn event(&mut self, event: &'static dyn AnyEvent) {
        self.events.push(event);
    }

    pub(crate) fn matching(&mut self, pattern: String) {
        self.patterns.push(pattern);
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
            .finish()
    }
}
