//! The rule by which two events are a begin and its end. Nothing else in this crate guesses.
//!
//! 1. They have a parameter in common, of the same name and type, that is not redacted. The first
//!    one is the *key*.
//! 2. The last part of a name ends with a word of [`BEGINS`] or [`ENDS`]: `REQUEST_BEGIN`,
//!    `JOB_DONE`. What is before it, with the module, is the *stem*. A begin belongs to the end
//!    with the same stem. If there is none with the same module, the module does not matter. If no
//!    end has the stem, a begin has no end: `LOOKUP_BEGIN` is not ended by `REQUEST_END`.
//! 3. Of several pairs, the best is one that has a *label* (a parameter that names a kind of work,
//!    see [`KINDS`]), and then the first by name.
//!
//! The page of `hotprobe-admin` guesses by the same words.

use crate::catalogue::{Event, Parameter};

/// The words that a begin's name ends with.
const BEGINS: [&str; 13] = [
    "BEGIN",
    "BEGUN",
    "START",
    "STARTED",
    "OPEN",
    "OPENED",
    "ENTER",
    "ENTERED",
    "RECEIVED",
    "REQUESTED",
    "PLACED",
    "SENT",
    "ABOUT",
];
/// The words that an end's name ends with.
const ENDS: [&str; 15] = [
    "END",
    "ENDED",
    "DONE",
    "FINISH",
    "FINISHED",
    "STOP",
    "STOPPED",
    "CLOSE",
    "CLOSED",
    "EXIT",
    "LEFT",
    "ANSWERED",
    "FILLED",
    "COMPLETE",
    "COMPLETED",
];
/// Names of parameters that break a latency down by the kind of work.
const KINDS: [&str; 12] = [
    "route",
    "path",
    "endpoint",
    "method",
    "url",
    "operation",
    "op",
    "query",
    "kind",
    "name",
    "symbol",
    "tenant",
];

/// Two events that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) begin: String,
    pub(crate) end: String,
    pub(crate) key: String,
    pub(crate) label: Option<String>,
}

/// Returns all pairs, the best first.
pub(crate) fn pairs(events: &[Event]) -> Vec<Pair> {
    let mut pairs: Vec<_> = events
        .iter()
        .filter_map(|begin| pair(begin, end_of(begin, events)?))
        .collect();
    // (Stable: the events are sorted by name.)
    pairs.sort_by_key(|pair| pair.label.is_none());
    pairs
}

/// Returns the end with the stem of a begin.
pub(crate) fn end_of<'a>(begin: &Event, events: &'a [Event]) -> Option<&'a Event> {
    let (module, stem) = stem(&begin.name, &BEGINS)?;
    let ends = || {
        events
            .iter()
            .filter(|event| *event != begin && key(begin, event).is_some())
            .filter_map(|event| {
                let (of_module, of_stem) = self::stem(&event.name, &ENDS)?;
                (of_stem == stem).then_some((of_module, event))
            })
    };
    let here = ends().find(|(of_module, _)| *of_module == module);
    here.or_else(|| ends().next()).map(|(_, event)| event)
}

/// Returns the pair of these two, if they have a parameter in common.
pub(crate) fn pair(begin: &Event, end: &Event) -> Option<Pair> {
    let key = key(begin, end)?;
    let mut names = [end, begin]
        .into_iter()
        .flat_map(|event| &event.parameters)
        .filter(|parameter| !parameter.redacted)
        .map(|parameter| &parameter.name);
    let is_kind = |name: &&String| KINDS.contains(&&*name.to_lowercase()) && **name != key;
    Some(Pair {
        begin: begin.name.clone(),
        end: end.name.clone(),
        label: names.find(is_kind).cloned(),
        key,
    })
}

/// Returns the first parameter that both have.
fn key(begin: &Event, end: &Event) -> Option<String> {
    let is_in = |parameter: &Parameter| end.parameters.contains(parameter);
    let key = begin
        .parameters
        .iter()
        .find(|parameter| !parameter.redacted && is_in(parameter))?;
    Some(key.name.clone())
}

/// Splits a name that ends with one of the words into its module and its stem.
fn stem<'a>(name: &'a str, words: &[&str]) -> Option<(&'a str, String)> {
    let (module, last) = name.rsplit_once("::").unwrap_or(("", name));
    let (stem, word) = last.rsplit_once('_').unwrap_or(("", last));
    words
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word))
        .then(|| (module, stem.to_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, parameters: &[(&str, &str, bool)]) -> Event {
        let parameter = |&(name, type_name, redacted): &(&str, &str, bool)| Parameter {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            redacted,
        };
        Event {
            name: name.to_owned(),
            file: "x.rs".to_owned(),
            line: 1,
            column: 1,
            parameters: parameters.iter().map(parameter).collect(),
            enabled: false,
            probes: Vec::new(),
        }
    }

    const ID: (&str, &str, bool) = ("id", "u64", false);

    /// Begins and ends, as `BEGIN-END`.
    fn found(events: &[Event]) -> Vec<String> {
        let pairs = pairs(events).into_iter();
        pairs
            .map(|pair| format!("{}-{}", pair.begin, pair.end))
            .collect()
    }

    #[test]
    fn the_stem_decides_which_end_belongs_to_a_begin() {
        let events = [
            event("a::LOOKUP_BEGIN", &[ID]),
            event("a::REQUEST_BEGIN", &[ID]),
            event("a::REQUEST_END", &[ID]),
            event("a::STORE_DONE", &[ID]),
            event("a::STORE_START", &[ID]),
            event("b::JOB_STARTED", &[ID]),
            event("c::JOB_FINISHED", &[ID]),
        ];
        assert_eq!(
            found(&events),
            [
                "a::REQUEST_BEGIN-a::REQUEST_END",
                "a::STORE_START-a::STORE_DONE",
                "b::JOB_STARTED-c::JOB_FINISHED"
            ]
        );
    }

    #[test]
    fn a_stem_may_be_empty_or_in_several_modules() {
        let events = [
            event("a::BEGIN", &[ID]),
            event("a::END", &[ID]),
            event("b::BEGIN", &[ID]),
            event("b::END", &[ID]),
            event("orders::FILLED", &[ID]),
            event("orders::PLACED", &[ID]),
        ];
        assert_eq!(
            found(&events),
            [
                "a::BEGIN-a::END",
                "b::BEGIN-b::END",
                "orders::PLACED-orders::FILLED"
            ]
        );
    }

    #[test]
    fn a_pair_needs_a_key_that_is_not_redacted() {
        let secret = ("token", "u64", true);
        let events = [
            event("a::X_BEGIN", &[secret]),
            event("a::X_END", &[secret]),
            event("a::Y_BEGIN", &[("id", "u32", false)]),
            event("a::Y_END", &[ID]),
            event("a::Z_BEGIN", &[]),
            event("a::Z_END", &[]),
            // What only ends with the letters of a word is none.
            event("a::SPEND", &[ID]),
            event("a::RESTART", &[ID]),
        ];
        assert!(found(&events).is_empty());
    }

    #[test]
    fn a_pair_with_a_label_is_better_and_the_key_is_no_label() {
        let route = ("route", "&str", false);
        let name = ("name", "&str", false);
        let events = [
            event("a::A_BEGIN", &[name]),
            event("a::A_END", &[name]),
            event("a::B_BEGIN", &[ID]),
            event("a::B_END", &[("code", "u16", false), ID, route]),
        ];
        let pairs = pairs(&events);
        let expected = Pair {
            begin: "a::B_BEGIN".to_owned(),
            end: "a::B_END".to_owned(),
            key: "id".to_owned(),
            label: Some("route".to_owned()),
        };
        assert_eq!(pairs[0], expected);
        assert_eq!((&*pairs[1].key, &pairs[1].label), ("name", &None));
    }
}
