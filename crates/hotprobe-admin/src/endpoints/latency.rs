//! `POST /latency`: how long it takes from one event to another, by label.

use crate::admin::Admin;
use crate::endpoints::guess::candidate;
use crate::errors::Problem;
use crate::guess;
use crate::measure::{UNFINISHED, io_error, json_error, measure, no_memory, refused};
use crate::parameters::Parameters;
use crate::pipe::Pipe;
use crate::request::Request;
use crate::response::{svg, text};
use crate::sessions::SESSION;
use crate::sse;
use axum::body::Body;
use axum::http::Response;
use hotprobe::AnyEvent;
use hotprobe_profile::{Latency, LatencySession, LatencySnapshot, ProfileError};
use serde::Serialize;
use std::io::Write;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LatencyFormat {
    Text,
    Json,
    Svg,
    Hlog,
    /// All of them, in JSON: for the page, which shows one measurement in several ways.
    All,
    /// Server-sent events: a report once a second, then all of them.
    Live,
}

impl LatencyFormat {
    fn of(parameters: &Parameters) -> Result<Self, Problem> {
        parameters.choice(
            "format",
            &[
                ("text", Self::Text),
                ("json", Self::Json),
                ("svg", Self::Svg),
                ("hlog", Self::Hlog),
                ("all", Self::All),
                ("live", Self::Live),
            ],
        )
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Text | Self::Hlog => "text/plain; charset=utf-8",
            Self::Json | Self::All => "application/json",
            Self::Svg => "image/svg+xml",
            Self::Live => "text/event-stream",
        }
    }
}

pub(crate) async fn answer(request: Request) -> Result<Response<Body>, Problem> {
    let Request {
        admin,
        uri,
        headers,
        body,
        ..
    } = request;
    let known = ["begin", "end", "key", "label", "seconds", "format"];
    let parameters = Parameters::of_form(&uri, &headers, body, &known).await?;
    let between = between(&parameters, &admin)?;
    let format = LatencyFormat::of(&parameters)?;
    let lasts = parameters.seconds(10.0, admin.max_duration)?;
    let session = admin.sessions.begin(lasts)?;
    let number = session.number();
    let latency = between.start().map_err(|error| refused(&error))?;

    let (pipe, body) = Pipe::new();
    let write = move |latency, settled, to: &mut dyn Write| write(&latency, format, settled, to);
    let live = (format == LatencyFormat::Live).then_some(report as fn(&LatencySession, &Pipe));
    tokio::spawn(measure(
        session,
        pipe,
        latency,
        LatencySession::detach,
        live,
        write,
    ));
    let mut response = match format {
        LatencyFormat::Svg => svg(body),
        LatencyFormat::Live => sse::answer(body),
        _ => text(format.kind(), body),
    };
    response.headers_mut().insert(SESSION, number);
    Ok(response)
}

/// Which events, paired by what, within the session's share of the memory.
fn between(parameters: &Parameters, admin: &Admin) -> Result<Latency, Problem> {
    let (begin, end) = (parameters.event("begin")?, parameters.event("end")?);
    let (of_begin, of_end) = (begin.metadata(), end.metadata());
    let Some(key) = parameters.one("key")? else {
        return Err(Problem::parameter(format!(
            "`key` is missing: say by which parameter an end finds its begin; {}",
            in_common(begin, end)
        )));
    };
    let title = format!("from {} to {}", of_begin.name(), of_end.name());
    let between = within(admin.memory_share(), title, begin, end, key)?;
    Ok(match parameters.one("label")? {
        Some(label) => between.label(label),
        None => between,
    })
}

/// What an open pair takes, and a label on each stripe (`LatencyMeterBuilder` says so).
const PAIR: usize = 64;
const LABEL: usize = 35 << 10;

/// A quarter of the memory for open pairs, the rest for labels.
fn within(
    share: usize,
    title: String,
    begin: &'static dyn AnyEvent,
    end: &'static dyn AnyEvent,
    key: &str,
) -> Result<Latency, Problem> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let label = LABEL * (2 * cores).clamp(4, 32);
    let (pairs, labels) = (share / 4 / PAIR, share / 4 * 3 / label);
    if pairs == 0 || labels == 0 {
        return Err(no_memory(label.div_ceil(3) * 4));
    }
    Ok(Latency::between(begin, end, key)
        .title(title)
        .max_pairs(pairs.min(65_536))
        // (One more is that of all others.)
        .max_labels((labels - 1).clamp(1, 64)))
}

/// Says what could be the key.
fn in_common(begin: &'static dyn AnyEvent, end: &'static dyn AnyEvent) -> String {
    let pair = guess::pair(&candidate(begin), &candidate(end));
    let keys = pair.map(|pair| pair.keys).unwrap_or_default();
    let names: Vec<_> = keys.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        "these two events have none in common".to_owned()
    } else {
        format!("both events have {}", names.join(", "))
    }
}

/// Sends what has been measured until now.
fn report(latency: &LatencySession, pipe: &Pipe) {
    let snapshot = latency.snapshot();
    sse::send(
        pipe,
        "latency",
        &LatencyBody {
            complete: false,
            snapshot: &snapshot,
        },
    );
}

/// Writes what was measured; `settled`: whether all firings in flight have ended.
fn write(
    latency: &LatencySession,
    format: LatencyFormat,
    settled: bool,
    to: &mut dyn Write,
) -> Result<(), ProfileError> {
    let snapshot = latency.snapshot();
    let body = LatencyBody {
        complete: settled,
        snapshot: &snapshot,
    };
    let text = || {
        let unfinished = if settled { "" } else { UNFINISHED };
        format!("{snapshot}{unfinished}")
    };
    match format {
        LatencyFormat::Text => to.write_all(text().as_bytes()).map_err(io_error),
        LatencyFormat::Json => line(to, &body),
        LatencyFormat::Svg => snapshot.write_svg(to).map_err(io_error),
        LatencyFormat::Hlog => snapshot.write_hlog(to).map_err(io_error),
        LatencyFormat::All | LatencyFormat::Live => {
            let (mut svg, mut hlog) = (Vec::new(), Vec::new());
            snapshot.write_svg(&mut svg).map_err(io_error)?;
            snapshot.write_hlog(&mut hlog).map_err(io_error)?;
            let all = LatencyAll {
                text: text(),
                json: body,
                svg: String::from_utf8_lossy(&svg).into_owned(),
                hlog: String::from_utf8_lossy(&hlog).into_owned(),
            };
            match format {
                LatencyFormat::Live => sse::write_end(to, &all).map_err(io_error),
                _ => line(to, &all),
            }
        }
    }
}

fn line(to: &mut dyn Write, value: &impl Serialize) -> Result<(), ProfileError> {
    serde_json::to_writer(&mut *to, value).map_err(json_error)?;
    to.write_all(b"\n").map_err(io_error)
}

#[derive(Serialize)]
struct LatencyAll<'a> {
    text: String,
    json: LatencyBody<'a>,
    svg: String,
    hlog: String,
}

/// A measurement, as JSON. Durations are in nanoseconds.
#[derive(Serialize)]
struct LatencyBody<'a> {
    /// Whether all firings that were in flight at the end are in it.
    complete: bool,
    #[serde(flatten)]
    snapshot: &'a LatencySnapshot,
}
