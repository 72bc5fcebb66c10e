//! `hotprobe list`: the events of a server.

use crate::arguments::List;
use crate::catalogue::{self, Event, Parameter, Probe};
use crate::color::{self, Paint};
use crate::failure::Failure;
use crate::http::client::Client;
use crate::http::query::Query;
use crate::output::{self, shown, versioned_json};
use crate::table::{Cell, Column, known_width, table};

pub(crate) fn run(client: &Client, options: &List) -> Result<(), Failure> {
    let query = |patterns: &[String]| {
        Query::get("events")
            .all("match", patterns)
            .answered_by("application/json")
    };
    let (answer, _) = catalogue::ask_for(client, &options.patterns, query)?;
    let url = shown(answer.url());
    let json = answer.text()?;
    let events = catalogue::parse(&url, &json)?;
    if options.json {
        return output::text(&versioned_json(&json));
    }
    let title = ["EVENT", "STATE", "PROBES", "PARAMETERS"];
    let title = title.map(|title| Cell::painted(title, Paint::Title));
    let rows: Vec<_> = std::iter::once(title)
        .chain(events.iter().map(row))
        .collect();
    let columns = [
        Column::Wrapped,
        Column::Left,
        Column::Wrapped,
        Column::Wrapped,
    ];
    // Without a terminal, a program reads it: a line each, however long.
    output::text(&table(columns, &rows, known_width(), color::of_output()))
}

fn row(event: &Event) -> [Cell; 4] {
    let state = if event.enabled {
        Cell::painted("on", Paint::On)
    } else {
        Cell::painted("off", Paint::Dim)
    };
    let parameters: Vec<_> = event.parameters.iter().map(parameter).collect();
    [
        shown(&event.name).into(),
        state,
        probes(&event.probes).into(),
        parameters.join(", ").into(),
    ]
}

/// Returns the number of probes, and their names.
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
