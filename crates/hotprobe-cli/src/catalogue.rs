//! The events of a server, and which of them a name, a pattern or a part of a name matches.
//!
//! The server matches names and patterns. Only when one matches nothing is the server asked for all
//! its events, to look for the text anywhere in their names, as its page does.

use crate::failure::Failure;
use crate::http::answer::Answer;
use crate::http::client::Client;
use crate::http::query::Query;
use crate::output::shown;
use serde::Deserialize;

#[derive(Deserialize)]
struct Events {
    events: Vec<Event>,
}

/// An event, as far as it is used here.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) enabled: bool,
    pub(crate) probes: Vec<Probe>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    pub(crate) redacted: bool,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) name: Option<String>,
    pub(crate) panicked: bool,
}

/// Reads the server's events, sorted by name, from its response.
pub(crate) fn parse(url: &str, json: &str) -> Result<Vec<Event>, Failure> {
    let Events { mut events } = serde_json::from_str(json).map_err(|error| {
        let error = shown(&error.to_string());
        Failure::failed(format!(
            "`{url}` did not answer with hotprobe's events, or with those of another version ({error})"
        ))
    })?;
    events.sort_by(|one, other| {
        let key = |event: &Event| {
            let Event {
                name,
                file,
                line,
                column,
                ..
            } = event;
            (name.clone(), file.clone(), *line, *column)
        };
        key(one).cmp(&key(other))
    });
    Ok(events)
}

/// Queries the server for all its events.
pub(crate) fn all(client: &Client) -> Result<Vec<Event>, Failure> {
    let answer = client.ask(&Query::get("events").answered_by("application/json"))?;
    let url = shown(answer.url());
    parse(&url, &answer.text()?)
}

/// Sends the query that `build` makes of names and patterns; returns the answer, and the names and
/// patterns that it is about.
///
/// If one of them matches nothing, parts of names become patterns, and the query is sent again.
pub(crate) fn ask_for(
    client: &Client,
    patterns: &[String],
    build: impl Fn(&[String]) -> Query<'static>,
) -> Result<(Answer, Vec<String>), Failure> {
    let unknown = match client.ask(&build(patterns)) {
        Err(Failure::UnknownEvent(unknown)) => unknown,
        result => return Ok((result?, patterns.to_vec())),
    };
    let Ok(events) = all(client) else {
        return Err(Failure::UnknownEvent(unknown));
    };
    let names: Vec<_> = events.iter().map(|event| &*event.name).collect();
    let resolved = patterns
        .iter()
        .map(|pattern| {
            let nearest = || match client.ask(&Query::get("events").and("match", Some(pattern))) {
                Err(Failure::UnknownEvent(unknown)) => unknown.nearest,
                _ => Vec::new(),
            };
            // The server has named those that are similar to the first unknown one.
            if let [_] = patterns {
                resolve(pattern, &names, || unknown.nearest.clone())
            } else {
                resolve(pattern, &names, nearest)
            }
        })
        .collect::<Result<Vec<_>, _>>()?;
    let answer = client.ask(&build(&resolved))?;
    Ok((answer, resolved))
}

/// Returns the events that a name, a pattern or a part of a name matches: one at least.
pub(crate) fn matching<'a>(text: &str, events: &'a [Event]) -> Result<Vec<&'a Event>, Failure> {
    let names: Vec<_> = events.iter().map(|event| &*event.name).collect();
    let pattern = resolve(text, &names, Vec::new)?;
    let found = events.iter().filter(|event| matches(&pattern, &event.name));
    Ok(found.collect())
}

/// Returns the name or pattern that the server is to match: `text` itself, or a pattern for a part
/// of a name. `nearest` returns names that are similar to it.
fn resolve(
    text: &str,
    names: &[&str],
    nearest: impl FnOnce() -> Vec<String>,
) -> Result<String, Failure> {
    let any = |pattern: &str| names.iter().any(|name| matches(pattern, name));
    if any(text) {
        return Ok(text.to_owned());
    }
    let anywhere = format!("*{}*", text.trim_matches('*'));
    let is_found = any(&anywhere);
    if is_found && !text.contains('*') {
        return Ok(anywhere);
    }
    let mut advice: Vec<_> = if is_found {
        vec![anywhere]
    } else {
        let small = text.to_lowercase();
        let mut alike = names
            .iter()
            .filter(|name| name.to_lowercase().contains(&small));
        match alike.next() {
            Some(name) => vec![(*name).to_owned()],
            None => nearest(),
        }
    };
    for name in &mut advice {
        *name = shown(name);
    }
    let next = if advice.is_empty() {
        "; `hotprobe list` shows them".to_owned()
    } else {
        format!("; try `{}`", advice.join("` or `"))
    };
    Err(Failure::failed(format!(
        "no event matches `{}` (of {}){next}",
        shown(text),
        names.len()
    )))
}

/// The most names that a message lists.
const LISTED: usize = 5;

/// Lists names for a message, where many are cut short: `a, b, c, d, e and 7 others`.
pub(crate) fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let others = names.len().saturating_sub(LISTED);
    let first: Vec<_> = names.take(LISTED).map(shown).collect();
    let first = first.join(", ");
    match others {
        0 => first,
        1 => format!("{first} and 1 other"),
        others => format!("{first} and {others} others"),
    }
}

/// Returns whether a name is matched by a pattern, in which `*` matches any text.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_the_whole_name() {
        for (pattern, name, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "ab", true),
            ("a*", "ba", false),
            ("*b", "ab", true),
            ("*a*b", "aab", true),
            ("a*a", "a", false),
            ("*::x::*", "shop::x::Y", true),
            ("**", "a", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn many_names_are_cut_short() {
        let names = ["a", "b", "c", "d", "e\n", "f", "g"];
        let of = |count| listed(names[..count].iter().copied());
        assert_eq!(of(1), "a");
        assert_eq!(of(5), "a, b, c, d, e\\n");
        assert_eq!(of(6), "a, b, c, d, e\\n and 1 other");
        assert_eq!(of(7), "a, b, c, d, e\\n and 2 others");
    }

    #[test]
    fn a_part_of_a_name_is_found_and_for_others_there_is_advice() {
        let names = ["shop::PLACED", "shop::PLACED_LATE", "shop::store::WRITTEN"];
        let of = |text: &str, nearest: &[&str]| {
            let nearest = || nearest.iter().map(|&name| name.to_owned()).collect();
            resolve(text, &names, nearest).map_err(|failure| failure.to_string())
        };
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(of("shop::PLACED", &[]), ok("shop::PLACED"));
        assert_eq!(
            of("PLACED*", &[]),
            Err("no event matches `PLACED*` (of 3); try `*PLACED*`".to_owned())
        );
        assert_eq!(of("store", &[]), ok("*store*"));
        assert_eq!(of("*::PLACED", &[]), ok("*::PLACED"));
        assert_eq!(
            of("written", &[]),
            Err("no event matches `written` (of 3); try `shop::store::WRITTEN`".to_owned())
        );
        assert_eq!(
            of("shop::PLACD", &["shop::PLACED", "shop::\u{1b}"]),
            Err(
                "no event matches `shop::PLACD` (of 3); try `shop::PLACED` or `shop::\\u{1b}`"
                    .to_owned()
            )
        );
        assert_eq!(
            of("zzz", &[]),
            Err("no event matches `zzz` (of 3); `hotprobe list` shows them".to_owned())
        );
    }
}
