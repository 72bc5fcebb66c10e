//! `hotprobe latency` and `hotprobe stacks`: what is measured on the server, and answered when it is over.

use crate::arguments::{Latency, Stacks};
use crate::failure::Failure;
use crate::http::client::{Client, Question};
use crate::output::{self, shown_json, shown_lines};
use crate::save::part::Part;
use crate::save::progress::Progress;
use crate::save::{by_ending, save};
use std::path::Path;

const USUAL: f64 = 10.0;
const LATENCY: [(&str, &str); 4] = [
    (".svg", "svg"),
    (".hlog", "hlog"),
    (".json", "json"),
    (".txt", "text"),
];
const STACKS: [(&str, &str); 4] = [
    (".pb.gz", "pprof"),
    (".pprof", "pprof"),
    (".svg", "svg"),
    (".folded", "folded"),
];

pub(crate) fn latency(client: &Client, asked: &Latency) -> Result<(), Failure> {
    let format = match &asked.output {
        Some(path) => by_ending(path, &LATENCY, "")?,
        None if asked.json => "json",
        None => "text",
    };
    let question = Question::get("latency")
        .posted()
        .and("begin", Some(&asked.begin))
        .and("end", Some(&asked.end))
        .and("key", Some(&asked.key))
        .and("label", asked.label.as_ref())
        .lasting(asked.seconds, USUAL)
        .and("format", Some(format));
    let seconds = asked.seconds.unwrap_or(USUAL);
    answer(
        client,
        &question,
        seconds,
        asked.output.as_deref(),
        asked.json,
    )
}

pub(crate) fn stacks(client: &Client, asked: &Stacks) -> Result<(), Failure> {
    let format = match &asked.output {
        Some(path) => by_ending(path, &STACKS, "")?,
        None => "folded",
    };
    let question = Question::get("stacks")
        .and("event", Some(&asked.event))
        .and("weight", asked.weight.as_ref())
        .and("label", asked.label.as_ref())
        .lasting(asked.seconds, USUAL)
        .and("format", Some(format));
    let seconds = asked.seconds.unwrap_or(USUAL);
    answer(client, &question, seconds, asked.output.as_deref(), false)
}

/// Waits for it; into the file, or printed.
fn answer(
    client: &Client,
    question: &Question<'_>,
    seconds: f64,
    output: Option<&Path>,
    is_json: bool,
) -> Result<(), Failure> {
    let Some(path) = output else {
        let progress = Progress::new(seconds, false, String::new());
        let text = client.ask(question)?.text()?;
        drop(progress);
        return output::text(&if is_json {
            shown_json(&text)
        } else {
            shown_lines(&text)
        });
    };
    let part = Part::create(path)?;
    let progress = Progress::new(seconds, true, part.name());
    save(client.ask(question)?, part, progress, "")
}
