//! Pairs of events that the server guesses: a begin and its end. The rule is the server's, and the
//! same as that of its page.

use crate::failure::Failure;
use crate::http::client::Client;
use crate::http::query::Query;
use crate::output::shown;
use serde::Deserialize;

#[derive(Deserialize)]
struct Guesses {
    pairs: Vec<Pair>,
}

/// Two events that belong together.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) begin: String,
    pub(crate) end: String,
    pub(crate) key: String,
    pub(crate) label: Option<String>,
    /// Whether their names say so. Otherwise, they have a parameter in common, and no more.
    pub(crate) by_name: bool,
}

/// Queries the server for pairs, the best first: for those of all events, for that of a begin, or
/// for that of a begin and an end.
pub(crate) fn pairs(
    client: &Client,
    begin: Option<&str>,
    end: Option<&str>,
) -> Result<Vec<Pair>, Failure> {
    let query = Query::get("guess")
        .and("begin", begin)
        .and("end", end)
        .answered_by("application/json");
    let answer = client.ask(&query)?;
    let url = shown(answer.url());
    let Guesses { pairs } = serde_json::from_str(&answer.text()?).map_err(|error| {
        let error = shown(&error.to_string());
        Failure::failed(format!(
            "`{url}` did not answer with pairs of events, or with those of another version ({error})"
        ))
    })?;
    Ok(pairs)
}
