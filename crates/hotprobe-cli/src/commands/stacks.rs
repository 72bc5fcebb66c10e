//! `hotprobe stacks`: which call stacks lead to an event.

use crate::arguments::Stacks;
use crate::failure::Failure;
use crate::http::client::Client;
use crate::http::query::Query;
use crate::save::session_time::SessionTime;
use crate::save::{by_ending, print_or_save};

/// How many seconds, where none are given.
const USUAL: f64 = 10.0;
const ENDINGS: [(&str, &str); 4] = [
    (".pb.gz", "pprof"),
    (".pprof", "pprof"),
    (".svg", "svg"),
    (".folded", "folded"),
];

pub(crate) fn run(client: &Client, options: &Stacks) -> Result<(), Failure> {
    let format = match &options.output {
        Some(path) => by_ending(path, &ENDINGS, "")?,
        None => "folded",
    };
    let query = Query::get("stacks")
        .and("event", Some(&options.event))
        .and("weight", options.weight.as_ref())
        .and("label", options.label.as_ref())
        .lasting(options.seconds, USUAL)
        .and("format", Some(format));
    let time = SessionTime::begin(options.seconds, USUAL, &options.event);
    print_or_save(client, &query, &time, options.output.as_deref(), false)
}
