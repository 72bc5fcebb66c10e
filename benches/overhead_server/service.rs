//! The server that is measured: one route, and four events a request. Generic over whether it has
//! them: without, the compiler never sees them, so that nothing of them is in the machine code.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Json, Router};
use hotprobe::{Batch, ProbeGroup, fire};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::RwLock;

hotprobe::event! {
    /// A request has arrived.
    static REQUEST_BEGIN: fn(request: u64, path: &str);
    /// About to ask the store.
    static STORE_BEGIN: fn(request: u64, order: u64);
    /// The store has answered.
    static STORE_END: fn(request: u64, found: bool);
    /// The response is ready.
    static REQUEST_END: fn(request: u64, status: u16);
}

/// How many of these a request passes.
pub(crate) const EVENTS: u64 = 4;

/// What is asked for.
pub(crate) const PATH: &str = "/orders/7";

/// Attaches a probe that does nothing to each of them.
pub(crate) fn attach_no_ops() -> ProbeGroup {
    let mut batch = Batch::new();
    REQUEST_BEGIN.attach_in(&mut batch, |_, _| ());
    STORE_BEGIN.attach_in(&mut batch, |_, _| ());
    STORE_END.attach_in(&mut batch, |_, _| ());
    REQUEST_END.attach_in(&mut batch, |_, _| ());
    batch.commit()
}

/// Attaches a probe to each that counts.
pub(crate) fn attach_counters() -> (ProbeGroup, Arc<AtomicU64>) {
    let firings = Arc::new(AtomicU64::new(0));
    let group = hotprobe::matching("overhead_server::*")
        .iter()
        .map(|event| {
            let firings = Arc::clone(&firings);
            event.attach(move |_, _| {
                firings.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    (group, firings)
}

/// What is kept.
#[derive(Clone, Copy)]
struct Order {
    item: &'static str,
    quantity: u32,
}

/// What is answered. (The request's id is in it, so that it is at hand with and without events:
/// what is compared is the events, and not what else may have to be kept for their arguments.)
#[derive(Serialize)]
struct Answer {
    request: u64,
    id: u64,
    item: &'static str,
    quantity: u32,
}

struct Service {
    orders: RwLock<Vec<Order>>,
    requests: AtomicU64,
}

/// The number of a request.
#[derive(Clone, Copy)]
struct RequestId(u64);

async fn read<const WITH_EVENTS: bool>(
    State(service): State<Arc<Service>>,
    Extension(RequestId(request)): Extension<RequestId>,
    Path(id): Path<u64>,
) -> Result<Json<Answer>, StatusCode> {
    if WITH_EVENTS {
        fire!(STORE_BEGIN, request, id);
    }
    // Takes the place of a round trip to a database.
    tokio::task::yield_now().await;
    let orders = service.orders.read().await;
    let order = usize::try_from(id).ok().and_then(|n| orders.get(n));
    let order = order.copied();
    if WITH_EVENTS {
        fire!(STORE_END, request, order.is_some());
    }
    let Order { item, quantity } = order.ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(Answer {
        request,
        id,
        item,
        quantity,
    }))
}

async fn traced<const WITH_EVENTS: bool>(
    State(service): State<Arc<Service>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = service.requests.fetch_add(1, Ordering::Relaxed);
    if WITH_EVENTS {
        fire!(REQUEST_BEGIN, id, request.uri().path());
    }
    request.extensions_mut().insert(RequestId(id));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert("x-request-id", HeaderValue::from(id));
    if WITH_EVENTS {
        fire!(REQUEST_END, id, response.status().as_u16());
    }
    response
}

/// The service, ready to be served.
pub(crate) fn routes<const WITH_EVENTS: bool>() -> Router {
    let items = ["tea", "coffee", "cocoa", "mate"];
    let order = |item| Order { item, quantity: 3 };
    let service = Arc::new(Service {
        orders: RwLock::new(items.into_iter().cycle().take(64).map(order).collect()),
        requests: AtomicU64::new(0),
    });
    Router::new()
        .route("/orders/{id}", get(read::<WITH_EVENTS>))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&service),
            traced::<WITH_EVENTS>,
        ))
        .with_state(service)
}
