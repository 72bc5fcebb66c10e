//! `GET /rates`: how often events are fired, each second, while somebody watches.

use crate::errors::Problem;
use crate::parameters::Parameters;
use crate::pipe::{CutOff, Pipe};
use crate::request::Request;
use crate::sessions::{self, Ending, SESSION, Session};
use crate::sse;
use axum::body::Body;
use axum::http::Response;
use hotprobe::{AnyEvent, Batch, ProbeGroup, ProbeOptions};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

const EVERY: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct RatesBegin {
    seconds: f64,
    events: Vec<Watched>,
}

/// Which one the numbers are of that follow: these name one event, whatever is called alike.
#[derive(Serialize)]
struct Watched {
    name: &'static str,
    file: &'static str,
    line: u32,
    column: u32,
}

#[derive(Serialize)]
struct Rates {
    /// Since the last ones.
    seconds: f64,
    fired: Vec<u64>,
}

#[derive(Serialize)]
struct RatesEnd {
    reason: &'static str,
}

pub(crate) fn answer(request: &Request) -> Result<Response<Body>, Problem> {
    let parameters = Parameters::of_query(&request.uri, &["match", "seconds"])?;
    let events = parameters.chosen()?;
    let lasts = parameters.seconds(60.0, request.admin.max_duration)?;
    let session = request.admin.sessions.begin(lasts)?;
    let number = session.number();
    let (pipe, body) = Pipe::new();
    let watched = |event: &&dyn AnyEvent| {
        let metadata = event.metadata();
        Watched {
            name: metadata.name(),
            file: metadata.file(),
            line: metadata.line(),
            column: metadata.column(),
        }
    };
    let begin = RatesBegin {
        seconds: lasts.as_secs_f64(),
        events: events.iter().map(watched).collect(),
    };
    if !sse::send(&pipe, "begin", &begin) {
        return Err(Problem::parameter(format!(
            "{} events are more than can be watched at once: choose fewer",
            events.len()
        )));
    }
    let counters = Counters::attach(&events);
    tokio::spawn(watch(session, pipe, counters));
    let mut response = sse::answer(body);
    response.headers_mut().insert(SESSION, number);
    Ok(response)
}

/// A counting probe on each event.
struct Counters {
    counts: Arc<[AtomicU64]>,
    probes: ProbeGroup,
}

impl Counters {
    fn attach(events: &[&'static dyn AnyEvent]) -> Self {
        let counts: Arc<[_]> = events.iter().map(|_| AtomicU64::new(0)).collect();
        let mut batch = Batch::new();
        for (index, event) in events.iter().enumerate() {
            let counts = Arc::clone(&counts);
            event.attach_in_with(
                &mut batch,
                ProbeOptions::new().name("rates"),
                move |_, _| {
                    // Relaxed: a statistic.
                    counts[index].fetch_add(1, Ordering::Relaxed);
                },
            );
        }
        Self {
            counts,
            probes: batch.commit(),
        }
    }

    /// Since they were taken last.
    fn take(&self) -> Vec<u64> {
        self.counts
            .iter()
            .map(|count| count.swap(0, Ordering::Relaxed))
            .collect()
    }
}

async fn watch(session: Session, pipe: Pipe, mut counters: Counters) {
    let _cut_off = CutOff(pipe.clone());
    let mut last = Instant::now();
    let mut send = |counters: &Counters| {
        let now = Instant::now();
        let rates = Rates {
            seconds: (now - last).as_secs_f64(),
            fired: counters.take(),
        };
        last = now;
        // If there is no room, the client does not read, and the next will do.
        sse::send(&pipe, "rates", &rates);
    };
    let mut next = Instant::now();
    let ending = loop {
        next += EVERY;
        if let Some(ending) = session.ending_within(&pipe, next).await {
            break ending;
        }
        send(&counters);
    };
    counters.probes.detach();
    if ending == Ending::Gone {
        return pipe.abort();
    }
    send(&counters);
    let end = RatesEnd {
        reason: ending.name(),
    };
    sse::end(&pipe, &end);
    sessions::sent(&pipe, sessions::patience(&pipe, ending)).await;
}
