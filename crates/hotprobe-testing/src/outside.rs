//! Firings that reach a test's probes and belong to no test: how many, which events, and by which
//! threads and tasks. The report of a missed event lists them.

use crate::identity;
use crate::text::{name_of, text_up_to};
use std::fmt::Debug;

/// The different events that are remembered. Others are only counted.
const MAX_EVENTS: usize = 8;

/// The firings that are looked at. Later ones are only counted, so that a hot event outside costs
/// little.
const MAX_FIRINGS: u64 = 1000;

/// The characters that are kept of an event.
const MAX_TEXT: usize = 60;

/// What has been fired to one stream under one name.
struct OutsideEvent {
    stream: String,
    /// The first of these events.
    text: String,
    count: u64,
    sender: String,
    several_senders: bool,
}

/// The firings of one kind: outside any test, say.
#[derive(Default)]
pub(crate) struct OutsideFirings {
    pub(crate) count: u64,
    events: Vec<OutsideEvent>,
}

/// What a report lists of a firing. Made outside all locks, since `Debug` is the user's code.
pub(crate) struct OutsideFiring {
    stream: String,
    text: String,
    sender: String,
}

impl OutsideFiring {
    /// Describes a firing of this thread. `event` is `None` where making the event is left to the
    /// test that it is for.
    pub(crate) fn new<E: Debug>(stream: &str, event: Option<&E>) -> Self {
        Self {
            stream: stream.to_owned(),
            text: event.map_or_else(
                || format!("an event of type {}", std::any::type_name::<E>()),
                |event| text_up_to(MAX_TEXT, event),
            ),
            sender: identity::describe_sender(),
        }
    }
}

impl OutsideFirings {
    /// Whether the next firing is to be described, rather than only counted.
    pub(crate) fn looks(&self) -> bool {
        self.count < MAX_FIRINGS
    }

    /// Counts a firing.
    pub(crate) fn add(&mut self, firing: Option<OutsideFiring>) {
        self.count += 1;
        let Some(firing) = firing else {
            return;
        };
        let same = self
            .events
            .iter_mut()
            .find(|one| one.stream == firing.stream && name_of(&one.text) == name_of(&firing.text));
        if let Some(event) = same {
            event.count += 1;
            event.several_senders |= event.sender != firing.sender;
        } else if self.events.len() < MAX_EVENTS {
            self.events.push(OutsideEvent {
                stream: firing.stream,
                text: firing.text,
                count: 1,
                sender: firing.sender,
                several_senders: false,
            });
        }
    }

    /// Returns the lines that a report has about them, none if there are none. `title` follows the
    /// number of firings.
    pub(crate) fn lines(&self, title: &str) -> Vec<String> {
        let number = match self.count {
            0 => return Vec::new(),
            1 => "1 firing".to_owned(),
            n => format!("{n} firings"),
        };
        let mut lines = vec![format!("{number} {title}")];
        let mut listed = 0;
        for event in &self.events {
            listed += event.count;
            let number = match event.count {
                1 => String::new(),
                n => format!(" ({n} times)"),
            };
            let others = if event.several_senders {
                " and others"
            } else {
                ""
            };
            lines.push(format!("{}: {}{number}", event.stream, event.text));
            lines.push(format!("  by {}{others}", event.sender));
        }
        if self.count > listed {
            lines.push(format!("{} more that are not listed", self.count - listed));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::{OutsideFiring, OutsideFirings};

    fn firing(stream: &str, text: &str, sender: &str) -> OutsideFiring {
        OutsideFiring {
            stream: stream.to_owned(),
            text: text.to_owned(),
            sender: sender.to_owned(),
        }
    }

    #[test]
    fn events_are_listed_by_name_and_the_list_is_bounded() {
        let mut outside = OutsideFirings::default();
        for n in 0..3 {
            outside.add(Some(firing("t", &format!("Hi({n})"), "thread \"a\"")));
        }
        outside.add(Some(firing("t", "Hi(7)", "thread \"b\"")));
        for n in 0..9 {
            outside.add(Some(firing(&format!("s{n}"), "Hello", "thread \"c\"")));
        }
        for _ in 0..2000 {
            let looked_at = outside
                .looks()
                .then(|| firing("t", "Hi(8)", "thread \"a\""));
            outside.add(looked_at);
        }
        let lines = outside.lines("passed");
        let begin = [
            "2013 firings passed",
            "t: Hi(0) (991 times)",
            "  by thread \"a\" and others",
            "s0: Hello",
            "  by thread \"c\"",
        ];
        assert_eq!(lines[..5], begin);
        assert_eq!(lines[15], "s6: Hello");
        assert_eq!(lines[17..], ["1015 more that are not listed"]);
    }
}
