//! `GET /events`: what events there are, as JSON.

use super::errors::Problem;
use super::parameters::Parameters;
use super::{Asked, json};
use axum::body::Body;
use axum::http::Response;
use hotprobe::AnyEvent;
use serde::Serialize;

#[derive(Serialize)]
struct Events {
    /// Of the program; `events` are those that match.
    total: usize,
    events: Vec<Event>,
}

/// What is told of one.
#[derive(Serialize)]
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) module: &'static str,
    pub(super) file: &'static str,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) docs: String,
    pub(super) parameters: Vec<Parameter>,
    pub(super) enabled: bool,
    pub(super) probe_count: usize,
    pub(super) probes: Vec<Probe>,
}

#[derive(Serialize)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    #[serde(rename = "type")]
    pub(super) type_name: &'static str,
    pub(super) redacted: bool,
}

#[derive(Serialize)]
pub(super) struct Probe {
    pub(super) name: Option<String>,
    pub(super) panicked: bool,
}

impl Event {
    pub(super) fn of(event: &'static dyn AnyEvent) -> Self {
        let metadata = event.metadata();
        Self {
            name: metadata.name(),
            module: metadata.module_path(),
            file: metadata.file(),
            line: metadata.line(),
            column: metadata.column(),
            docs: plain(metadata.docs()),
            parameters: metadata
                .parameters()
                .iter()
                .map(|parameter| Parameter {
                    name: parameter.name(),
                    type_name: parameter.type_name(),
                    redacted: parameter.is_redacted(),
                })
                .collect(),
            enabled: event.is_enabled(),
            probe_count: event.probe_count(),
            probes: event
                .probes()
                .iter()
                .map(|probe| Probe {
                    name: probe.name().map(str::to_owned),
                    panicked: probe.has_panicked(),
                })
                .collect(),
        }
    }
}

/// Doc comments have a space at the beginning of each line.
fn plain(docs: &str) -> String {
    let lines: Vec<_> = docs
        .trim_end()
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    lines.join("\n")
}

pub(super) fn answer(asked: &Asked) -> Result<Response<Body>, Problem> {
    let parameters = Parameters::of_query(&asked.uri, &["match"])?;
    let mut chosen = parameters.events()?;
    let all = hotprobe::events();
    let total = all.len();
    if parameters.all("match").next().is_none() {
        chosen = all;
    }
    let events = chosen.into_iter().map(Event::of).collect();
    Ok(json(&Events { total, events }))
}
