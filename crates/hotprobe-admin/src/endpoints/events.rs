//! `GET /events`: what events there are, as JSON.

use crate::errors::Problem;
use crate::parameters::Parameters;
use crate::request::Request;
use crate::response::json;
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

/// An event, as the page and the response show it.
#[derive(Serialize)]
pub(crate) struct Event {
    pub(crate) name: &'static str,
    pub(crate) module: &'static str,
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) docs: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) enabled: bool,
    pub(crate) probe_count: usize,
    pub(crate) probes: Vec<Probe>,
}

#[derive(Serialize)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    #[serde(rename = "type")]
    pub(crate) type_name: &'static str,
    pub(crate) redacted: bool,
}

#[derive(Serialize)]
pub(crate) struct Probe {
    pub(crate) name: Option<String>,
    pub(crate) panicked: bool,
}

impl Event {
    pub(crate) fn of(event: &'static dyn AnyEvent) -> Self {
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

pub(crate) fn answer(request: &Request) -> Result<Response<Body>, Problem> {
    let parameters = Parameters::of_query(&request.uri, &["match"])?;
    let mut chosen = parameters.events()?;
    let all = hotprobe::events();
    let total = all.len();
    if parameters.all("match").next().is_none() {
        chosen = all;
    }
    let events = chosen.into_iter().map(Event::of).collect();
    Ok(json(&Events { total, events }))
}
