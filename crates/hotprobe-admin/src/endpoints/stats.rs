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
use std::sync::Arc;

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
}

pub(crate) fn stats(request: &Request) -> Result<Response<Body>, Problem> {
    Parameters::of_query(&request.uri, &[])?;
    Ok(json(&Stats::now(&request.admin)))
}

pub(crate) fn metrics(request: &Request) -> Result<Response<Body>, Problem> {
    Parameters::of_query(&request.uri, &[])?;
    let sessions = || Arc::clone(&request.admin.sessions);
    let (open, max) = (sessions(), sessions());
    let metrics = request.admin.metrics.clone().process();
    let metrics = metrics
        .gauge(
            "hotprobe_admin_sessions_open",
            "Open sessions.",
            move || open.open(),
        )
        .gauge(
            "hotprobe_admin_sessions_max",
            "The maximum number of open sessions.",
            move || max.max(),
        );
    let mut lines = String::new();
    // (Text can always be written to.)
    let _ = metrics.write(&mut lines);
    Ok(text("text/plain; version=0.0.4; charset=utf-8", lines))
}
