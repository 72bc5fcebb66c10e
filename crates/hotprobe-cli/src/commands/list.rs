//! `hotprobe list`: which events there are.

use crate::arguments::List;
use crate::failure::Failure;
use crate::http::client::Client;
use crate::http::query::Query;
use crate::output::{self, Column, shown, table};
use serde::Deserialize;

#[derive(Deserialize)]
struct Events {
    events: Vec<Event>,
}

/// What is shown of one. (There is more, which `--json` prints.)
#[derive(Deserialize)]
struct Event {
    name: String,
    file: String,
    line: u32,
    column: u32,
    parameters: Vec<Parameter>,
    enabled: bool,
    probes: Vec<Probe>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    #[serde(rename = "type")]
    type_name: String,
    redacted: bool,
}

#[derive(Deserialize)]
struct Probe {
    name: Option<String>,
    panicked: bool,
}

pub(crate) fn run(client: &Client, options: &List) -> Result<(), Failure> {
    let query = Query::get("events")
        .all("match", &options.patterns)
        .answered_by("application/json");
    let answer = client.ask(&query)?;
    let url = shown(answer.url());
    let json = answer.text()?;
    let Events { mut events } = serde_json::from_str(&json).map_err(|error| {
        let error = shown(&error.to_string());
        Failure::failed(format!(
            "`{url}` answered what is not as hotprobe's events are ({error}): is it of another version?"
        ))
    })?;
    if options.json {
        return output::text(&output::shown_json(&json));
    }
    events.sort_by(|one, other| {
        let key = |event: &Event| {
            (
                event.name.clone(),
                event.file.clone(),
                event.line,
                event.column,
            )
        };
        key(one).cmp(&key(other))
    });
    let title = ["EVENT", "STATE", "PROBES", "PARAMETERS"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(title)
        .chain(events.iter().map(row))
        .collect();
    output::text(&table([Column::Left; 4], &rows))
}

fn row(event: &Event) -> [String; 4] {
    let state = if event.enabled { "on" } else { "off" };
    let parameters: Vec<_> = event.parameters.iter().map(parameter).collect();
    [
        shown(&event.name),
        state.to_owned(),
        probes(&event.probes),
        parameters.join(", "),
    ]
}

/// How many, and what they are called.
fn probes(probes: &[Probe]) -> String {
    if probes.is_empty() {
        return "0".to_owned();
    }
    let names: Vec<_> = probes
        .iter()
        .map(|probe| {
            let name = probe.name.as_deref().map_or_else(|| "?".to_owned(), shown);
            name + if probe.panicked { " (panicked)" } else { "" }
        })
        .collect();
    format!("{}: {}", probes.len(), names.join(", "))
}

fn parameter(parameter: &Parameter) -> String {
    let redacted = if parameter.redacted {
        " (redacted)"
    } else {
        ""
    };
    format!(
        "{}: {}{redacted}",
        shown(&parameter.name),
        shown(&parameter.type_name)
    )
}
