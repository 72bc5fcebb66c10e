//! `GET /guess`: which events are a begin and its end, by the rule of `guess.rs`.

use crate::errors::Problem;
use crate::guess::{Candidate, Pair, pair, pair_of, pairs};
use crate::parameters::Parameters;
use crate::request::Request;
use crate::response::json;
use axum::body::Body;
use axum::http::Response;
use hotprobe::AnyEvent;
use serde::Serialize;
use std::collections::HashSet;

#[derive(Serialize)]
struct Guesses {
    /// The best first.
    pairs: Vec<Pair<'static>>,
}

pub(crate) fn answer(request: &Request) -> Result<Response<Body>, Problem> {
    let parameters = Parameters::of_query(&request.uri, &["match", "begin", "end"])?;
    let preferred = parameters.events()?;
    let names = preferred.iter().map(|event| event.metadata().name());
    let preferred: HashSet<_> = names.collect();
    let given = |name| {
        let is_given = parameters.one(name)?.is_some();
        is_given.then(|| parameters.event(name)).transpose()
    };
    let pairs = match (given("begin")?, given("end")?) {
        (None, None) => pairs(&candidates(), &preferred),
        (Some(begin), None) => pair_of(&candidate(begin), &candidates())
            .into_iter()
            .collect(),
        (Some(begin), Some(end)) => {
            let found = pair(&candidate(begin), &candidate(end));
            found.into_iter().collect()
        }
        (None, Some(_)) => {
            return Err(Problem::parameter(
                "`begin` is missing: an end is guessed for a begin, and no begin for an end",
            ));
        }
    };
    Ok(json(&Guesses { pairs }))
}

/// Returns all events, each name once: other endpoints find the first event of a name.
fn candidates() -> Vec<Candidate<'static>> {
    let mut names = HashSet::new();
    let events = hotprobe::events().into_iter();
    events
        .filter(|event| names.insert(event.metadata().name()))
        .map(candidate)
        .collect()
}

pub(crate) fn candidate(event: &'static dyn AnyEvent) -> Candidate<'static> {
    let metadata = event.metadata();
    let parameters = metadata.parameters().iter();
    Candidate {
        name: metadata.name(),
        parameters: parameters
            .filter(|parameter| !parameter.is_redacted())
            .map(|parameter| (parameter.name(), parameter.type_name()))
            .collect(),
    }
}
