//! `GET /stats`, as JSON, and `GET /metrics`, for Prometheus: what has happened, in numbers.

use crate::about::AboutNow;
use crate::admin::Admin;
use crate::errors::Problem;
use crate::parameters::Parameters;
use crate::request::Request;
use crate::response::{json, text};
use axum::body::Body;
use axum::http::Response;
use serde::Serialize;
use std::fmt::Write as _;

#[derive(Serialize)]
struct Stats {
    #[serde(flatten)]
    about: AboutNow,
    events: usize,
    events_enabled: usize,
    probes: usize,
    sessions: usize,
    max_sessions: usize,
    probe_panics: u64,
    skipped_nested: u64,
    skipped_registering: u64,
    retired: u64,
    reclaimed: u64,
    drop_panics: u64,
}

impl Stats {
    fn now(admin: &Admin) -> Self {
        let sessions = &admin.sessions;
        let events = hotprobe::events();
        let stats = hotprobe::stats();
        Self {
            about: admin.about.now(),
            events: events.len(),
            events_enabled: events.iter().filter(|event| event.is_enabled()).count(),
            probes: events.iter().map(|event| event.probe_count()).sum(),
            sessions: sessions.open(),
            max_sessions: sessions.max(),
            probe_panics: stats.probe_panics,
            skipped_nested: stats.skipped_nested,
            skipped_registering: stats.skipped_registering,
            retired: stats.retired,
            reclaimed: stats.reclaimed,
            drop_panics: stats.drop_panics,
        }
    }

    /// Name, kind, meaning, value.
    fn metrics(&self) -> [(&'static str, &'static str, &'static str, u64); 11] {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        [
            (
                "events",
                "gauge",
                "Events of the program.",
                count(self.events),
            ),
            (
                "events_enabled",
                "gauge",
                "Events that firing would call a probe of.",
                count(self.events_enabled),
            ),
            (
                "probes",
                "gauge",
                "Probes that are attached.",
                count(self.probes),
            ),
            (
                "admin_sessions",
                "gauge",
                "Sessions that requests have open.",
                count(self.sessions),
            ),
            (
                "admin_sessions_max",
                "gauge",
                "Sessions that may be open at once.",
                count(self.max_sessions),
            ),
            (
                "probe_panics_total",
                "counter",
                "Calls of probes that panicked.",
                self.probe_panics,
            ),
            (
                "skipped_nested_total",
                "counter",
                "Firings skipped since they were nested too deep.",
                self.skipped_nested,
            ),
            (
                "skipped_registering_total",
                "counter",
                "Firings skipped since their thread was being registered.",
                self.skipped_registering,
            ),
            (
                "retired_total",
                "counter",
                "Snapshots and probes that were taken out.",
                self.retired,
            ),
            (
                "reclaimed_total",
                "counter",
                "Snapshots and probes of them that were dropped.",
                self.reclaimed,
            ),
            (
                "drop_panics_total",
                "counter",
                "Captured values whose drop panicked.",
                self.drop_panics,
            ),
        ]
    }
}

pub(crate) fn stats(request: &Request) -> Result<Response<Body>, Problem> {
    Parameters::of_query(&request.uri, &[])?;
    Ok(json(&Stats::now(&request.admin)))
}

pub(crate) fn metrics(request: &Request) -> Result<Response<Body>, Problem> {
    Parameters::of_query(&request.uri, &[])?;
    let mut lines = String::new();
    for (name, kind, meaning, value) in Stats::now(&request.admin).metrics() {
        // (Text can always be written to.)
        let _ = write!(
            lines,
            "# HELP hotprobe_{name} {meaning}\n# TYPE hotprobe_{name} {kind}\nhotprobe_{name} {value}\n"
        );
    }
    Ok(text("text/plain; version=0.0.4; charset=utf-8", lines))
}
