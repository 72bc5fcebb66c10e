//! A request's parameters: from the query, and from a form; each known, each said once where it can
//! be.

use crate::errors::Problem;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use hotprobe::AnyEvent;
use std::collections::HashSet;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// How large a request's body may be.
pub(crate) const LARGEST: usize = 4 << 10;
/// How long it may take to come.
const LONGEST: Duration = Duration::from_secs(5);
/// How many parameters there may be: each pattern goes through all events.
const MOST: usize = 256;
/// How many bytes patterns with `*` may have together: each is compared with the names of all
/// events.
const WILD: usize = 1 << 10;
/// How much work goes into finding names that are nearly the one that was meant: pairs of
/// characters that are compared.
const COMPARED: usize = 1 << 23;
/// How many similar names an error lists, and how many characters of an unknown one it repeats.
const NEAREST: usize = 3;
const SHOWN: usize = 100;

/// Names and values.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Those of the query, if each is one of `known`.
    pub(crate) fn of_query(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        Self(Vec::new()).and(uri.query().unwrap_or_default().as_bytes(), known)
    }

    /// Those of the query and of the form in the body, if each is one of `known`.
    pub(crate) async fn of_form(
        uri: &Uri,
        headers: &HeaderMap,
        body: Body,
        known: &[&str],
    ) -> Result<Self, Problem> {
        let too_large = || {
            let message = format!("the body is too large: at most {LARGEST} bytes are read");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body", message)
        };
        let Ok(body) = tokio::time::timeout(LONGEST, to_bytes(body, LARGEST)).await else {
            let message = format!("the body did not come within {} s", LONGEST.as_secs());
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body", message));
        };
        let body = body.map_err(|_| too_large())?;
        let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let kind = kind.map(|kind| {
            kind.split(|&byte| byte == b';')
                .next()
                .unwrap_or(kind)
                .trim_ascii()
        });
        let is_form = |kind: &[u8]| kind.eq_ignore_ascii_case(b"application/x-www-form-urlencoded");
        if !body.is_empty() && !kind.is_some_and(is_form) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "body",
                "the body is read as a form only: send parameters in the URL, or as \
                 `Content-Type: application/x-www-form-urlencoded`",
            ));
        }
        Self::of_query(uri, known)?.and(&body, known)
    }

    fn and(mut self, text: &[u8], known: &[&str]) -> Result<Self, Problem> {
        for (name, value) in form_urlencoded::parse(text) {
            if !known.contains(&&*name) {
                let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                return Err(Problem::parameter(format!(
                    "there is no parameter `{}` here; there is {}",
                    shown(&name),
                    if known.is_empty() {
                        "none".to_owned()
                    } else {
                        known.join(", ")
                    }
                )));
            }
            if self.0.len() == MOST {
                return Err(Problem::parameter(format!(
                    "there are more than {MOST} parameters: choose several events by a pattern, as in `match=shop::*`"
                )));
            }
            self.0.push((name.into_owned(), value.into_owned()));
        }
        Ok(self)
    }

    /// All values of one. An empty one, which is what a form sends for an empty field, is none.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(of, value)| of == name && !value.is_empty())
            .map(|(_, value)| &**value)
    }

    /// Returns what the parameter's value chooses of `all`; the first of them by default.
    pub(crate) fn choice<T: Copy>(&self, name: &str, all: &[(&str, T)]) -> Result<T, Problem> {
        let said = self.one(name)?;
        let mut all_names = Vec::with_capacity(all.len());
        for &(known, chosen) in all {
            if said.is_none_or(|said| said == known) {
                return Ok(chosen);
            }
            all_names.push(format!("`{known}`"));
        }
        let last = all_names.pop().unwrap_or_default();
        Err(Problem::parameter(format!(
            "`{name}` is `{}`: expected {} or {last}",
            shown(said.unwrap_or_default()),
            all_names.join(", ")
        )))
    }

    /// Returns the value of a parameter that can be given once.
    pub(crate) fn one<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, Problem> {
        let mut all = self.all(name);
        let one = all.next();
        if all.next().is_some() {
            return Err(Problem::parameter(format!(
                "`{name}` is given twice: give it once"
            )));
        }
        Ok(one)
    }

    /// A number.
    pub(crate) fn number<T>(
        &self,
        name: &str,
        within: RangeInclusive<T>,
        usual: T,
    ) -> Result<T, Problem>
    where
        T: FromStr + PartialOrd + Display + Copy,
    {
        let Some(text) = self.one(name)? else {
            return Ok(usual);
        };
        match text.parse() {
            Ok(number) if within.contains(&number) => Ok(number),
            _ => Err(Problem::parameter(format!(
                "`{name}` is `{}`: expected a number from {} to {}",
                shown(text),
                within.start(),
                within.end()
            ))),
        }
    }

    /// How long: `seconds`, with or without a fraction.
    pub(crate) fn seconds(&self, usual: f64, longest: Duration) -> Result<Duration, Problem> {
        let longest = longest.as_secs_f64();
        let seconds = self.number("seconds", 0.1..=longest, usual.min(longest))?;
        Ok(Duration::from_secs_f64(seconds))
    }

    /// The events that one of the patterns `match` matches, each once.
    pub(crate) fn events(&self) -> Result<Vec<&'static dyn AnyEvent>, Problem> {
        self.events_of("match")
    }

    /// As [`events`](Self::events), by the patterns of another parameter.
    pub(crate) fn events_of(&self, name: &str) -> Result<Vec<&'static dyn AnyEvent>, Problem> {
        let mut events = Vec::new();
        let mut seen = HashSet::new();
        let mut patterns = HashSet::new();
        let mut wild = 0;
        for pattern in self.all(name).filter(|pattern| patterns.insert(*pattern)) {
            if pattern.contains('*') {
                wild += pattern.len();
            }
            if wild > WILD {
                return Err(Problem::parameter(format!(
                    "the patterns of `{name}` have more than {WILD} bytes together: choose several events by a shorter \
                     pattern, as in `{name}=shop::*`"
                )));
            }
            let matching = hotprobe::matching(pattern);
            if matching.is_empty() {
                return Err(unknown(pattern));
            }
            events.extend(matching.into_iter().filter(|event| seen.insert(*event)));
        }
        Ok(events)
    }

    /// As [`events`](Self::events), but there has to be one.
    pub(crate) fn chosen(&self) -> Result<Vec<&'static dyn AnyEvent>, Problem> {
        let events = self.events()?;
        if events.is_empty() {
            return Err(Problem::parameter(
                "`match` is missing: say which events, by a name or a pattern, as in `match=shop::*`",
            ));
        }
        Ok(events)
    }
}

impl Parameters {
    /// The one event that a parameter names, or whose name alone matches it.
    pub(crate) fn event(&self, name: &str) -> Result<&'static dyn AnyEvent, Problem> {
        let Some(pattern) = self.one(name)? else {
            return Err(Problem::parameter(format!(
                "`{name}` is missing: say which event, by its name, as in `{name}=shop::PLACED`"
            )));
        };
        one_event(name, pattern)
    }
}

/// Returns the one event that a text names, or whose name alone matches it, for the parameter
/// `name`.
pub(crate) fn one_event(name: &str, pattern: &str) -> Result<&'static dyn AnyEvent, Problem> {
    if let Some(event) = hotprobe::find(pattern) {
        return Ok(event);
    }
    if pattern.len() > WILD {
        return Err(unknown(pattern));
    }
    match hotprobe::matching(pattern)[..] {
        [] => Err(unknown(pattern)),
        [event] => Ok(event),
        ref many => {
            let names = many.iter().map(|event| event.metadata().name());
            let names: Vec<_> = names.take(NEAREST).collect();
            let others = if many.len() > NEAREST { ", …" } else { "" };
            Err(Problem::parameter(format!(
                "`{name}` is `{}`, which {} events match: name one of `{}`{others}",
                shown(pattern),
                many.len(),
                names.join("`, `")
            )))
        }
    }
}

/// No event is of this name, or of this pattern.
pub(crate) fn unknown(pattern: &str) -> Problem {
    let events = hotprobe::events();
    let message = format!(
        "`{}` is none of the program's {} events: `*` matches any text, and the whole name has to match, as in \
         `shop::orders::*`",
        shown(pattern),
        events.len()
    );
    Problem::new(StatusCode::NOT_FOUND, "unknown-event", message)
        .with_nearest(nearest(pattern, events.iter().map(|event| event.name())))
}

/// Returns the most similar names, of those that can be compared without keeping others waiting.
fn nearest(pattern: &str, names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let pattern = shown(pattern).replace('*', "").to_lowercase();
    let wanted = pattern.trim_matches(':');
    let mut compared = 0;
    let mut likely: Vec<_> = names
        .take_while(|name| {
            compared += (wanted.len() + 1) * (name.len() + 1);
            compared <= COMPARED
        })
        .map(|name| {
            let small = name.to_lowercase();
            let last = small.rsplit("::").next().unwrap_or(&small);
            let wanted_last = wanted.rsplit("::").next().unwrap_or(wanted);
            let of_all = strsim::normalized_levenshtein(wanted, &small);
            let of_last = strsim::normalized_levenshtein(wanted_last, last);
            let within = !wanted.is_empty() && small.contains(wanted);
            (if within { 1.0 } else { of_all.max(of_last) }, name)
        })
        .filter(|(likeness, _)| *likeness > 0.5)
        .collect();
    likely.sort_by(|(a, one), (b, other)| b.total_cmp(a).then(one.cmp(other)));
    let mut names: Vec<_> = likely.into_iter().map(|(_, name)| name).collect();
    names.dedup();
    names.truncate(NEAREST);
    names
}

/// What a request said, for a message: not all of it, and nothing that a terminal would obey.
pub(crate) fn shown(text: &str) -> String {
    let cut = text.chars().nth(SHOWN).is_some();
    let shown: String = text
        .chars()
        .take(SHOWN)
        .flat_map(char::escape_debug)
        .collect();
    if cut { shown + "…" } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_are_looked_for_among_as_many_as_there_is_time_for() {
        let other = "shop::orders::OTHER";
        let mut all = 0;
        let many = std::iter::once("shop::PLACED").chain(std::iter::repeat_n(other, 100_000));
        let found = nearest("shop::PLACD", many.inspect(|_| all += 1));
        assert_eq!(found[0], "shop::PLACED");
        // Each costs the product of the lengths; the one that is too much is looked at.
        let each = ("shop::PLACD".len() + 1) * (other.len() + 1);
        let first = ("shop::PLACD".len() + 1) * ("shop::PLACED".len() + 1);
        assert_eq!(all, 2 + (COMPARED - first) / each);
        // A long name is cut, and compared with fewer.
        let mut all = 0;
        let many = std::iter::repeat_n(other, 100_000);
        nearest(&"shop::".repeat(1000), many.inspect(|_| all += 1));
        let each = (shown(&"shop::".repeat(1000)).len() + 1) * (other.len() + 1);
        assert_eq!(all, 1 + COMPARED / each);
    }
}
