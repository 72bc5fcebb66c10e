//! The rule by which two events are a begin and its end, and by which parameters a latency is
//! paired and broken down. The page and the program `hotprobe` ask for its results
//! (`endpoints/guess.rs`); nothing else guesses.
//!
//! 1. A pair has parameters in common: of the same name and type, and not redacted. These are its
//!    *keys*. The best one is the first that is not the name of a kind of work (see [`KINDS`]).
//! 2. The last part of a name ends with a word of [`BEGINS`] or [`ENDS`]: `REQUEST_BEGIN`,
//!    `JOB_DONE`. The rest, with the module, is the *stem*. A begin belongs to the end of the same
//!    stem. If its module has none, the module does not matter. `LOOKUP_BEGIN` is never ended by
//!    `REQUEST_END`.
//! 3. The *labels* of a pair are the other parameters of either, the kinds of work first. The best
//!    one is the first, if it is a kind of work.
//! 4. Of several pairs, the best one is about requests by its stem, and has a telling label.
//! 5. Where names say nothing, an event that has a parameter in common with a begin is its end:
//!    rather one with a word of `ENDS`, and then the one whose name begins alike.

use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// The words with which the name of a begin ends.
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
/// The words with which the name of an end ends.
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
/// The names of parameters that are kinds of work, the most telling first.
const KINDS: [&str; 12] = [
    "route",
    "path",
    "endpoint",
    "url",
    "operation",
    "op",
    "method",
    "query",
    "kind",
    "name",
    "symbol",
    "tenant",
];
/// The words with which a stem ends that is about requests.
const REQUESTS: [&str; 6] = ["REQUEST", "REQ", "HTTP", "RPC", "CALL", "HANDLE"];
/// How many ends of one stem are looked at for a begin: more are no names that say anything.
const MAX_ENDS: usize = 16;

/// An event, as far as the rule needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate<'a> {
    pub(crate) name: &'a str,
    /// Names and types of the parameters that are not redacted.
    pub(crate) parameters: Vec<(&'a str, &'a str)>,
}

/// A begin, its end, and by what to pair them and to break their latency down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Pair<'a> {
    pub(crate) begin: &'a str,
    pub(crate) end: &'a str,
    /// What lies between them, for the name of a slice: `request` of `REQUEST_BEGIN`.
    pub(crate) name: String,
    /// Whether it was found by the names.
    pub(crate) by_name: bool,
    /// The first of `keys`.
    pub(crate) key: &'a str,
    pub(crate) keys: Vec<&'a str>,
    /// The first of `labels`, if it is a kind of work.
    pub(crate) label: Option<&'a str>,
    pub(crate) labels: Vec<&'a str>,
}

/// Returns the pairs of these events, the best first. Those in which an event is preferred come
/// before the others.
///
/// If none has a preferred event by the names, a preferred event that has a parameter in common
/// with another one begins the first pair. Linear in the number of events.
pub(crate) fn pairs<'a>(events: &[Candidate<'a>], preferred: &HashSet<&str>) -> Vec<Pair<'a>> {
    let stems = Stems::new(events);
    let mut pairs: Vec<_> = events
        .iter()
        .filter_map(|begin| pair(begin, stems.end_of(begin)?))
        .collect();
    let number = |pair: &Pair<'_>| {
        let events = [pair.begin, pair.end];
        events
            .iter()
            .filter(|&&name| preferred.contains(name))
            .count()
    };
    // (Stable: of equals, the first by name comes first.)
    pairs.sort_by_cached_key(|pair| Reverse((number(pair), pair.score())));
    let found = pairs
        .first()
        .is_some_and(|best| preferred.is_empty() || number(best) > 0);
    if !found && let Some(begin) = first_with_partner(events, preferred) {
        let is_new = |pair: &Pair<'_>| pairs.iter().all(|other| other.begin != pair.begin);
        let pair = partner(begin, events).filter(is_new);
        pairs.splice(0..0, pair);
    }
    pairs
}

/// Returns the pair that begins with this event.
pub(crate) fn pair_of<'a>(begin: &Candidate<'a>, events: &[Candidate<'a>]) -> Option<Pair<'a>> {
    let by_name = Stems::new(events).end_of(begin);
    by_name
        .and_then(|end| pair(begin, end))
        .or_else(|| partner(begin, events))
}

/// Returns the pair of these two, if they have a key.
pub(crate) fn pair<'a>(begin: &Candidate<'a>, end: &Candidate<'a>) -> Option<Pair<'a>> {
    let mut keys: Vec<_> = begin
        .parameters
        .iter()
        .filter(|parameter| end.parameters.contains(parameter))
        .map(|&(name, _)| name)
        .collect();
    keys.sort_by_key(|name| kind(name));
    let key = *keys.first()?;
    let mut seen = HashSet::from([key]);
    let mut labels: Vec<_> = [end, begin]
        .into_iter()
        .flat_map(|event| &event.parameters)
        .map(|&(name, _)| name)
        .filter(|name| seen.insert(name))
        .collect();
    labels.sort_by_key(|name| Reverse(kind(name)));
    let label = labels.first().copied().filter(|name| kind(name) > 0);
    let begin_stem = stem(begin.name, &BEGINS);
    let by_name = match (&begin_stem, stem(end.name, &ENDS)) {
        (Some((_, stem)), Some((_, of_end))) => *stem == of_end,
        _ => false,
    };
    let last = begin.name.rsplit("::").next().unwrap_or(begin.name);
    let name = begin_stem
        .map(|(_, stem)| stem)
        .filter(|stem| !stem.is_empty());
    Some(Pair {
        begin: begin.name,
        end: end.name,
        name: name.unwrap_or_else(|| last.to_owned()).to_lowercase(),
        by_name,
        key,
        keys,
        label,
        labels,
    })
}

impl Pair<'_> {
    /// How telling its rows are, and whether it is about requests.
    fn score(&self) -> usize {
        let stem = self.name.to_uppercase();
        let is_request = REQUESTS.iter().any(|word| stem.ends_with(word));
        let requests = if is_request { KINDS.len() } else { 0 };
        requests + self.label.map_or(0, kind)
    }
}

/// The ends, by their stems.
struct Stems<'e, 'a> {
    of_module: HashMap<(&'a str, String), Vec<&'e Candidate<'a>>>,
    of_any: HashMap<String, Vec<&'e Candidate<'a>>>,
}

impl<'e, 'a> Stems<'e, 'a> {
    fn new(events: &'e [Candidate<'a>]) -> Self {
        let mut stems = Self {
            of_module: HashMap::new(),
            of_any: HashMap::new(),
        };
        for event in events {
            let Some((module, stem)) = stem(event.name, &ENDS) else {
                continue;
            };
            let of_any = stems.of_any.entry(stem.clone()).or_default();
            let of_module = stems.of_module.entry((module, stem)).or_default();
            for ends in [of_any, of_module] {
                if ends.len() < MAX_ENDS {
                    ends.push(event);
                }
            }
        }
        stems
    }

    /// Returns the end with the stem of a begin, rather of the same module.
    fn end_of(&self, begin: &Candidate<'a>) -> Option<&'e Candidate<'a>> {
        let (module, stem) = stem(begin.name, &BEGINS)?;
        let of_any = self.of_any.get(&stem);
        let of_module = self.of_module.get(&(module, stem));
        let ends = of_module.into_iter().chain(of_any).flatten().copied();
        let mut ends = ends.filter(|end| end.name != begin.name && has_key(begin, end));
        ends.next()
    }
}

/// Splits a name that ends with one of the words into its module and its stem.
fn stem<'a>(name: &'a str, words: &[&str]) -> Option<(&'a str, String)> {
    let (module, last) = name.rsplit_once("::").unwrap_or(("", name));
    let (stem, word) = last.rsplit_once('_').unwrap_or(("", last));
    let is_one = words.iter().any(|known| known.eq_ignore_ascii_case(word));
    is_one.then(|| (module, stem.to_uppercase()))
}

/// Ranks the name of a parameter as a kind of work: 0 if it is none.
fn kind(name: &str) -> usize {
    let place = KINDS
        .iter()
        .position(|kind| kind.eq_ignore_ascii_case(name));
    place.map_or(0, |place| KINDS.len() - place)
}

fn has_key(begin: &Candidate<'_>, end: &Candidate<'_>) -> bool {
    let mut parameters = begin.parameters.iter();
    parameters.any(|parameter| end.parameters.contains(parameter))
}

/// Returns the first event that has a parameter in common with another one, a preferred one if
/// there is one.
fn first_with_partner<'e, 'a>(
    events: &'e [Candidate<'a>],
    preferred: &HashSet<&str>,
) -> Option<&'e Candidate<'a>> {
    let mut counts = HashMap::<_, usize>::new();
    for parameter in events.iter().flat_map(|event| &event.parameters) {
        *counts.entry(parameter).or_default() += 1;
    }
    let mut paired = events.iter().filter(|event| {
        let mut parameters = event.parameters.iter();
        parameters.any(|parameter| counts.get(parameter).is_some_and(|&count| count > 1))
    });
    let first = paired.clone().find(|event| preferred.contains(event.name));
    first.or_else(|| paired.next())
}

/// Returns the pair of a begin and the event that is most likely its end, whatever their names.
fn partner<'a>(begin: &Candidate<'a>, events: &[Candidate<'a>]) -> Option<Pair<'a>> {
    let last = |event: &Candidate<'a>| event.name.rsplit("::").next().unwrap_or(event.name);
    let likeness = |event: &Candidate<'a>| {
        let alike = last(begin).bytes().zip(last(event).bytes());
        let alike = alike.take_while(|(one, other)| one == other).count();
        let is_end = stem(event.name, &ENDS).is_some();
        let is_begin = stem(event.name, &BEGINS).is_some();
        (is_end, !is_begin, alike)
    };
    let others = events
        .iter()
        .filter(|event| event.name != begin.name && has_key(begin, event));
    // (The last of equals is the maximum, and the first one is wanted.)
    let end = others.rev().max_by_key(|event| likeness(event))?;
    pair(begin, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: (&str, &str) = ("id", "u64");
    const ROUTE: (&str, &str) = ("route", "&str");

    fn event<'a>(name: &'a str, parameters: &[(&'a str, &'a str)]) -> Candidate<'a> {
        Candidate {
            name,
            parameters: parameters.to_vec(),
        }
    }

    /// Begins and ends, as `BEGIN-END`.
    fn found(events: &[Candidate<'_>], preferred: &[&str]) -> Vec<String> {
        let preferred = preferred.iter().copied().collect();
        let pairs = pairs(events, &preferred).into_iter();
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
            found(&events, &[]),
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
            found(&events, &[]),
            [
                "a::BEGIN-a::END",
                "b::BEGIN-b::END",
                "orders::PLACED-orders::FILLED"
            ]
        );
        // The name of a slice is then that of the event.
        let names = pairs(&events, &HashSet::new())
            .into_iter()
            .map(|pair| pair.name);
        assert_eq!(names.collect::<Vec<_>>(), ["begin", "begin", "placed"]);
    }

    #[test]
    fn a_pair_needs_a_key_of_one_name_and_type_and_a_whole_word() {
        let events = [
            event("a::Y_BEGIN", &[("id", "u32")]),
            event("a::Y_END", &[ID]),
            event("a::Z_BEGIN", &[]),
            event("a::Z_END", &[]),
        ];
        assert!(found(&events, &[]).is_empty());
        // What only ends with the letters of a word is none: not by the names.
        let events = [event("a::RESTART", &[ID]), event("a::RESPEND", &[ID])];
        let pairs = pairs(&events, &HashSet::new());
        assert_eq!((pairs.len(), pairs[0].by_name), (1, false));
    }

    #[test]
    fn another_end_of_the_stem_is_taken_if_the_first_has_no_key() {
        let events = [
            event("a::JOB_BEGIN", &[ID]),
            event("a::JOB_DONE", &[]),
            event("a::JOB_STOPPED", &[ID]),
        ];
        assert_eq!(found(&events, &[]), ["a::JOB_BEGIN-a::JOB_STOPPED"]);
    }

    #[test]
    fn a_pair_with_a_label_is_better_and_the_key_is_no_label() {
        let name = ("name", "&str");
        let events = [
            event("a::A_BEGIN", &[name]),
            event("a::A_END", &[name]),
            event("a::B_BEGIN", &[ID]),
            event("a::B_END", &[("code", "u16"), ID, ROUTE]),
        ];
        let pairs = pairs(&events, &HashSet::new());
        let expected = Pair {
            begin: "a::B_BEGIN",
            end: "a::B_END",
            name: "b".to_owned(),
            by_name: true,
            key: "id",
            keys: vec!["id"],
            label: Some("route"),
            labels: vec!["route", "code"],
        };
        assert_eq!(pairs[0], expected);
        assert_eq!((pairs[1].key, pairs[1].label), ("name", None));
    }

    #[test]
    fn a_kind_of_work_is_rather_the_label_than_the_key_and_the_most_telling_one_comes_first() {
        let kinds = [("name", "&str"), ("Method", "&str"), ROUTE, ID];
        let pair = pair(&event("a::X_BEGIN", &kinds), &event("a::X_END", &kinds)).unwrap();
        assert_eq!((pair.key, pair.label), ("id", Some("route")));
        assert_eq!(pair.keys, ["id", "name", "Method", "route"]);
        assert_eq!(pair.labels, ["route", "Method", "name"]);
        // Without a kind of work there are labels to choose from, and none is chosen.
        let others = [ID, ("status", "u16")];
        let pair = super::pair(&event("X_BEGIN", &others), &event("X_END", &others)).unwrap();
        assert_eq!((pair.label, &pair.labels[..]), (None, &["status"][..]));
    }

    #[test]
    fn requests_come_first_and_then_the_most_telling_label() {
        let events = [
            event("a::JOB_BEGIN", &[ID]),
            event("a::JOB_END", &[ID]),
            event("a::LOOKUP_BEGIN", &[ID, ("kind", "&str")]),
            event("a::LOOKUP_END", &[ID]),
            event("a::STORE_BEGIN", &[ID, ("operation", "&str")]),
            event("a::STORE_END", &[ID]),
            event("b::HTTP_REQUEST_BEGIN", &[ID]),
            event("b::HTTP_REQUEST_END", &[ID, ROUTE]),
        ];
        let begins = pairs(&events, &HashSet::new())
            .into_iter()
            .map(|pair| pair.begin);
        assert_eq!(
            begins.collect::<Vec<_>>(),
            [
                "b::HTTP_REQUEST_BEGIN",
                "a::STORE_BEGIN",
                "a::LOOKUP_BEGIN",
                "a::JOB_BEGIN"
            ]
        );
        // What is preferred comes before, and both before one.
        let begins = pairs(
            &events,
            &HashSet::from(["a::JOB_END", "a::STORE_BEGIN", "a::STORE_END"]),
        );
        let begins = begins.into_iter().map(|pair| pair.begin);
        assert_eq!(
            begins.take(2).collect::<Vec<_>>(),
            ["a::STORE_BEGIN", "a::JOB_BEGIN"]
        );
    }

    #[test]
    fn where_names_say_nothing_a_parameter_in_common_does() {
        let other = ("other", "u8");
        let events = [
            event("a::ALONE", &[("n", "u8")]),
            event("a::CHECKED_IN", &[ID]),
            event("a::CHECKED_OUT", &[ID, other]),
            event("a::COOKED", &[ID]),
            event("b::TURNED", &[other]),
        ];
        assert_eq!(found(&events, &[]), ["a::CHECKED_IN-a::CHECKED_OUT"]);
        assert_eq!(found(&events, &["b::TURNED"]), ["b::TURNED-a::CHECKED_OUT"]);
        // One that is alone says nothing.
        assert_eq!(
            found(&events, &["a::ALONE"]),
            ["a::CHECKED_IN-a::CHECKED_OUT"]
        );
        assert!(found(&events[..2], &[]).is_empty());
        let pair = pair_of(&events[3], &events).unwrap();
        assert_eq!(
            (pair.end, pair.by_name, &*pair.name),
            ("a::CHECKED_IN", false, "cooked")
        );
        assert_eq!(pair_of(&events[0], &events), None);
    }

    #[test]
    fn what_is_preferred_comes_first_also_where_its_name_says_nothing() {
        let events = [
            event("a::JOB_BEGIN", &[ID]),
            event("a::JOB_END", &[ID]),
            event("a::NOTED", &[ID]),
        ];
        // An end is rather the end than another begin.
        assert_eq!(
            found(&events, &["a::NOTED"]),
            ["a::NOTED-a::JOB_END", "a::JOB_BEGIN-a::JOB_END"]
        );
        assert_eq!(pair_of(&events[0], &events).unwrap().end, "a::JOB_END");
    }

    #[test]
    fn no_more_ends_of_one_stem_are_looked_at_than_say_anything() {
        let ends: Vec<_> = (0..100).map(|n| format!("m{n}::END")).collect();
        let mut events: Vec<_> = ends.iter().map(|end| event(end, &[])).collect();
        events.push(event("z::END", &[ID]));
        let stems = Stems::new(&events);
        assert_eq!(stems.of_any[""].len(), MAX_ENDS);
        // That of its own module is found all the same.
        let end_of = |begin| stems.end_of(&event(begin, &[ID])).map(|end| end.name);
        assert_eq!(end_of("z::BEGIN"), Some("z::END"));
        assert_eq!(end_of("y::BEGIN"), None);
    }
}
