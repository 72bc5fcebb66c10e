//! `GET /stacks`: which call stacks lead to events. (`GET`, since `go tool pprof` knows nothing
//! else.)

use crate::errors::Problem;
use crate::measure::{io_error, json_error, measure, no_memory, refused};
use crate::parameters::Parameters;
use crate::pipe::Pipe;
use crate::request::Request;
use crate::response::{svg, text};
use crate::sessions::SESSION;
use crate::sse;
use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hotprobe_profile::{ProfileError, StackCounts, StackProfile, Stacks, StacksSession};
use serde::Serialize;
use std::io::Write;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StacksFormat {
    Pprof,
    Folded,
    Svg,
    /// All of them, in JSON: for the page, which shows one profile in several ways.
    All,
    /// Server-sent events: how many once a second, then all of them.
    Live,
}

impl StacksFormat {
    fn of(parameters: &Parameters) -> Result<Self, Problem> {
        parameters.choice(
            "format",
            &[
                ("pprof", Self::Pprof),
                ("folded", Self::Folded),
                ("svg", Self::Svg),
                ("all", Self::All),
                ("live", Self::Live),
            ],
        )
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Pprof => "application/octet-stream",
            Self::Folded => "text/plain; charset=utf-8",
            Self::Svg => "image/svg+xml",
            Self::All => "application/json",
            Self::Live => "text/event-stream",
        }
    }
}

/// What a stack takes, of some thirty frames, with its place in the table and a label or two.
const STACK: usize = 1 << 10;

pub(crate) fn answer(request: &Request) -> Result<Response<Body>, Problem> {
    let admin = &request.admin;
    let known = ["event", "weight", "label", "every", "seconds", "format"];
    let parameters = Parameters::of_query(&request.uri, &known)?;
    let builder = chosen(&parameters)?;
    let format = StacksFormat::of(&parameters)?;
    let lasts = parameters.seconds(10.0, admin.max_duration)?;
    let most = admin.memory_share() / STACK;
    if most == 0 {
        return Err(no_memory(STACK));
    }
    let session = admin.sessions.begin(lasts)?;
    let number = session.number();
    let stacks = builder
        .max_stacks(most.min(10_000))
        .start()
        .map_err(|error| refused(&error))?;

    let (pipe, body) = Pipe::new();
    let write = move |stacks, settled, to: &mut dyn Write| write(stacks, format, settled, to);
    let live = (format == StacksFormat::Live).then_some(report as fn(&StacksSession, &Pipe));
    tokio::spawn(measure(
        session,
        pipe,
        stacks,
        StacksSession::detach,
        live,
        write,
    ));
    let mut response = match format {
        StacksFormat::Svg => svg(body),
        StacksFormat::Live => sse::answer(body),
        _ => text(format.kind(), body),
    };
    response.headers_mut().insert(SESSION, number);
    if format == StacksFormat::Pprof {
        response.headers_mut().insert(
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"stacks.pb.gz\""),
        );
    }
    Ok(response)
}

fn chosen(parameters: &Parameters) -> Result<Stacks, Problem> {
    let events = parameters.events_of("event")?;
    if events.is_empty() {
        return Err(Problem::parameter(
            "`event` is missing: say to which one the stacks lead, by a name or a pattern, as in `event=shop::PLACED`",
        ));
    }
    let mut builder = events.into_iter().fold(Stacks::new(), Stacks::event);
    if let Some(weight) = parameters.one("weight")? {
        builder = builder.weight(weight);
    }
    for label in parameters.all("label") {
        builder = builder.label(label);
    }
    Ok(builder.every(parameters.number("every", 1..=1_000_000, 1)?))
}

/// Sends how many there are until now. The stacks themselves have no names before the end.
fn report(stacks: &StacksSession, pipe: &Pipe) {
    sse::send(pipe, "stacks", &stacks.counts());
}

/// Writes what was counted; `settled`: whether all firings in flight have ended.
fn write(
    stacks: StacksSession,
    format: StacksFormat,
    settled: bool,
    to: &mut dyn Write,
) -> Result<(), ProfileError> {
    let profile = stacks.snapshot();
    drop(stacks);
    match format {
        StacksFormat::Pprof => profile.write_pprof(to),
        StacksFormat::Folded => profile.write_folded(to),
        StacksFormat::Svg => profile.write_svg(to),
        StacksFormat::Live => {
            sse::write_end(to, &StacksAll::of(&profile, settled)?).map_err(io_error)
        }
        StacksFormat::All => {
            let all = StacksAll::of(&profile, settled)?;
            serde_json::to_writer(&mut *to, &all).map_err(json_error)?;
            to.write_all(b"\n").map_err(io_error)
        }
    }
}

#[derive(Serialize)]
struct StacksAll {
    #[serde(flatten)]
    counts: StackCounts,
    /// Whether all firings that were in flight at the end are in it.
    complete: bool,
    folded: String,
    svg: String,
    /// In base64.
    pprof: String,
}

impl StacksAll {
    fn of(profile: &StackProfile, complete: bool) -> Result<Self, ProfileError> {
        let (mut folded, mut svg, mut pprof) = (Vec::new(), Vec::new(), Vec::new());
        profile.write_folded(&mut folded)?;
        profile.write_svg(&mut svg)?;
        profile.write_pprof(&mut pprof)?;
        Ok(Self {
            counts: profile.counts(),
            complete,
            folded: String::from_utf8_lossy(&folded).into_owned(),
            svg: String::from_utf8_lossy(&svg).into_owned(),
            pprof: BASE64_STANDARD.encode(pprof),
        })
    }
}
