//! `hotprobe latency`: how long it takes from one event to another.

use crate::arguments::Latency;
use crate::failure::Failure;
use crate::http::client::Client;
use crate::http::query::Query;
use crate::save::session_time::SessionTime;
use crate::save::{by_ending, print_or_save};

/// How many seconds, where none are given.
const USUAL: f64 = 10.0;
const ENDINGS: [(&str, &str); 4] = [
    (".svg", "svg"),
    (".hlog", "hlog"),
    (".json", "json"),
    (".txt", "text"),
];

pub(crate) fn run(client: &Client, options: &Latency) -> Result<(), Failure> {
    let format = match &options.output {
        Some(path) => by_ending(path, &ENDINGS, "")?,
        None if options.json => "json",
        None => "text",
    };
    let query = Query::get("latency")
        .posted()
        .and("begin", Some(&options.begin))
        .and("end", Some(&options.end))
        .and("key", Some(&options.key))
        .and("label", options.label.as_ref())
        .lasting(options.seconds, USUAL)
        .and("format", Some(format));
    let time = SessionTime::begin(options.seconds, USUAL, &options.begin);
    print_or_save(
        client,
        &query,
        &time,
        options.output.as_deref(),
        options.json,
    )
}
