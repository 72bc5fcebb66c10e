//! Requests without a network: what is between two runs of different length is the server and
//! nothing else, the same each time, so that its instructions can be counted.

use crate::service::{self, PATH};
use crate::variant::Variant;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use std::convert::Infallible;
use std::sync::atomic::Ordering;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// Asks the server of a variant, its probes attached. Returns what is wrong, if anything is.
pub(crate) fn run(variant: Variant, requests: u64) -> Result<(), String> {
    // Registers the thread, which its first firing would do otherwise.
    hotprobe::pinned(|| ());
    let detach = variant.attach()?;
    let runtime = runtime()?;
    let routes = variant.routes();
    let answered = counted(&runtime, &routes, requests);
    detach()?;
    if answered == requests {
        return Ok(());
    }
    Err(format!("{answered} of {requests} requests were answered"))
}

/// Whether a request passes four events, or none where there are none: if not, the comparison is of
/// something else.
pub(crate) fn check() -> Result<(), String> {
    const REQUESTS: u64 = 10;
    let runtime = runtime()?;
    for (variant, expected) in [(Variant::None, 0), (Variant::Off, service::EVENTS)] {
        let (mut group, firings) = service::attach_counters();
        let answered = counted(&runtime, &variant.routes(), REQUESTS);
        group.detach();
        let firings = firings.load(Ordering::Relaxed);
        if (answered, firings) != (REQUESTS, REQUESTS * expected) {
            return Err(format!(
                "the server '{}' answered {answered} of {REQUESTS} requests, and they passed {firings} events, not \
                 {expected} each",
                variant.name()
            ));
        }
    }
    Ok(())
}

fn runtime() -> Result<Runtime, String> {
    let built = Builder::new_current_thread().build();
    built.map_err(|error| format!("no runtime: {error}"))
}

/// What callgrind counts, by this function's name. Returns how many requests were answered.
#[inline(never)]
fn counted(runtime: &Runtime, routes: &Router, requests: u64) -> u64 {
    runtime.block_on(async {
        let mut answered = 0;
        for _ in 0..requests {
            let request = Request::get(PATH).body(Body::empty()).expect("a good path");
            let response: Result<_, Infallible> = routes.clone().oneshot(request).await;
            answered += u64::from(response.is_ok_and(|it| it.status() == StatusCode::OK));
        }
        answered
    })
}
