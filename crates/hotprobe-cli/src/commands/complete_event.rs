//! `hotprobe complete-event`: the names of events that complete a word, for the scripts of
//! `completions`.

use crate::catalogue;
use crate::failure::Failure;
use crate::http::client::Client;
use crate::output::{self, shown};

/// Prints names, one a line: those that begin with the word; if there are none, those that contain
/// it. A server that cannot be queried completes nothing: a shell has no place for an error.
pub(crate) fn run(client: &Client, word: &str) -> Result<(), Failure> {
    let Ok(events) = catalogue::all(client) else {
        return Ok(());
    };
    let mut names: Vec<_> = events.into_iter().map(|event| event.name).collect();
    names.dedup();
    if names.iter().any(|name| name.starts_with(word)) {
        names.retain(|name| name.starts_with(word));
    } else {
        names.retain(|name| name.contains(word));
    }
    let lines: String = names.iter().map(|name| shown(name) + "\n").collect();
    output::text(&lines)
}
