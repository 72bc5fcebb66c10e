//! Whether a session lasted as long as it should: the server ends it early when it shuts down, with
//! a response that is complete.

use crate::failure::{Failure, note};
use crate::http::client::Client;
use crate::http::query::Query;
use crate::http::sse::EventStream;
use crate::interrupt::is_interrupted;
use serde::Deserialize;
use std::time::Instant;

/// By how much a session may be shorter here than by the server's clock: a part, and seconds.
const DRIFT: f64 = 0.001;
const TOLERANCE: f64 = 0.05;

/// The time of a session.
#[derive(Debug)]
pub(crate) struct SessionTime {
    begun: Instant,
    seconds: Option<f64>,
    usual: f64,
    /// One of its events, by its name or a pattern.
    event: String,
}

#[derive(Deserialize)]
struct RatesBegin {
    seconds: f64,
}

impl SessionTime {
    /// Begins now: before the query is sent, so that the server's session is not the longer one.
    pub(crate) fn begin(seconds: Option<f64>, usual: f64) -> Self {
        Self {
            begun: Instant::now(),
            seconds,
            usual,
            event: String::new(),
        }
    }

    /// Sets the events: the first of these names or patterns is queried in [`check`](Self::check).
    pub(crate) fn set_event(&mut self, events: &[String]) {
        self.event = events.first().cloned().unwrap_or_default();
    }

    /// Returns how long it should last, as far as that is known here; once it was interrupted, how
    /// long it has lasted.
    pub(crate) fn seconds(&self) -> f64 {
        if is_interrupted() {
            (self.lasted() * 10.0).round() / 10.0
        } else {
            self.planned()
        }
    }

    fn planned(&self) -> f64 {
        self.seconds.unwrap_or(self.usual)
    }

    fn lasted(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Fails if it has ended before its time, and not by Ctrl-C. If it was short, the server is
    /// queried whether it is a hotprobe that shuts down or has been restarted: what only imitates
    /// one may be quicker.
    pub(crate) fn check(&self, client: &Client) -> Result<(), Failure> {
        let lasted = self.lasted();
        let is_short = |seconds: f64| lasted * (1.0 + DRIFT) + TOLERANCE < seconds;
        let seconds = self.planned();
        if is_short(seconds) && is_interrupted() {
            note(format_args!(
                "interrupted: it ended after {lasted:.1} of {seconds} s; the result is complete up to then"
            ));
            return Ok(());
        }
        if is_short(seconds) && is_short(self.allowed(client)) {
            return Err(Failure::failed(format!(
                "the server shut down after {lasted:.1} of {seconds} s; the result is complete up to then"
            )));
        }
        Ok(())
    }

    /// Returns how long the server may have let the session last: 0 if that cannot be told.
    fn allowed(&self, client: &Client) -> f64 {
        let query = Query::get("rates")
            .and("match", Some(&self.event))
            .answered_by("text/event-stream");
        let longest = match client.ask(&query) {
            Ok(answer) => {
                let mut stream = EventStream::of(answer);
                let begin = stream.next().and_then(|begin| stream.read(&begin));
                begin.map(|begin: RatesBegin| begin.seconds).ok()
            }
            Err(Failure::Unavailable(_)) => return f64::INFINITY,
            Err(_) => None,
        };
        match (longest, self.seconds) {
            // It would have refused more than it allows.
            (Some(_), Some(seconds)) => seconds,
            // Without `--seconds`, it may allow less than is usual.
            (Some(longest), None) => longest,
            (None, _) => 0.0,
        }
    }
}
