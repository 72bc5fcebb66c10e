//! The order service: four routes, a catalogue and a store beneath them.
//!
//! ```text
//! POST /orders         create   looks the item up, puts the order into the store
//! GET  /orders/{id}    read     gets the order from the store, looks its item up
//! GET  /orders         list     scans one shelf of the store
//! GET  /orders/report  report   looks all items up, then asks the store for the sums of each shelf
//! ```
//!
//! The report is slow for the usual reason: many small queries, one after the other, instead of a
//! single one. Nothing in it is slowed down on purpose.
//!
//! Nothing here knows of probes. The service fires its events; other code attaches probes to them
//! while it runs.

use crate::events::{LOOKUP_BEGIN, LOOKUP_END, REQUEST_BEGIN, REQUEST_END, STORE_BEGIN, STORE_END};
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Json, Router};
use hotprobe::fire;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::RwLock;

/// The number of a request, the same in all of its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RequestId(pub(crate) u64);

/// The route of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Create,
    Read,
    List,
    Report,
    /// No route: the response is 404 or 405.
    Unknown,
}

/// The name in a trace, for readers who know the service from outside.
impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Create => "POST /orders",
            Self::Read => "GET /orders/{id}",
            Self::List => "GET /orders",
            Self::Report => "GET /orders/report",
            Self::Unknown => "unknown",
        })
    }
}

impl Route {
    pub(crate) const ALL: [Self; 5] = [
        Self::Create,
        Self::Read,
        Self::List,
        Self::Report,
        Self::Unknown,
    ];

    fn of(method: &Method, path: &str) -> Self {
        match (method, path.strip_prefix("/orders")) {
            (&Method::POST, Some("")) => Self::Create,
            (&Method::GET | &Method::HEAD, Some("")) => Self::List,
            (&Method::GET | &Method::HEAD, Some("/report")) => Self::Report,
            (&Method::GET | &Method::HEAD, Some(rest)) if rest.starts_with('/') => Self::Read,
            _ => Self::Unknown,
        }
    }
}

/// An operation of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Put,
    Get,
    Scan,
    Sum { shelf: u64 },
}

/// An order, as the client sends it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct NewOrder {
    pub(crate) item: String,
    pub(crate) quantity: u32,
}

/// An order, as the service stores and returns it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) item: String,
    pub(crate) quantity: u32,
    /// In cents, by the price of the day on which it is read.
    pub(crate) total: u64,
}

/// The orders of one item.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Sales {
    pub(crate) item: String,
    pub(crate) orders: u64,
    /// In cents, by the price of the day on which it is read.
    pub(crate) total: u64,
}

/// The items, and their prices in cents.
pub(crate) const CATALOGUE: [(&str, u64); 4] =
    [("tea", 450), ("coffee", 600), ("cocoa", 700), ("mate", 550)];

/// Calls `end` with the last `outcome` when it goes out of scope: at the end of a function, or in
/// the middle of one that is async and dropped at an `.await`.
struct Ending<T: Copy, F: Fn(T)> {
    outcome: T,
    end: F,
}

impl<T: Copy, F: Fn(T)> Drop for Ending<T, F> {
    fn drop(&mut self) {
        (self.end)(self.outcome);
    }
}

/// Items and prices.
struct Catalogue {
    prices: HashMap<&'static str, u64>,
}

impl Catalogue {
    fn price(&self, request: RequestId, item: &str) -> Option<u64> {
        fire!(LOOKUP_BEGIN, request, item);
        let mut ending = Ending {
            outcome: false,
            end: |found| fire!(LOOKUP_END, request, found),
        };
        let price = self.prices.get(item).copied();
        ending.outcome = price.is_some();
        price
    }
}

/// The latest orders, on a few shelves with a lock each. A new order replaces the oldest one, so
/// memory is bounded.
pub(crate) struct Store {
    shelves: [RwLock<VecDeque<Order>>; Self::SHELVES],
    next: AtomicU64,
}

impl Store {
    pub(crate) const SHELVES: usize = 16;
    const ORDERS_PER_SHELF: usize = 4096;
    /// The maximum length of a list.
    const SCAN: usize = 10;

    fn new() -> Self {
        Self {
            shelves: std::array::from_fn(|_| {
                RwLock::new(VecDeque::with_capacity(Self::ORDERS_PER_SHELF))
            }),
            next: AtomicU64::new(0),
        }
    }

    fn shelf(&self, number: u64) -> &RwLock<VecDeque<Order>> {
        &self.shelves[usize::try_from(number).unwrap_or(usize::MAX) % Self::SHELVES]
    }

    async fn put(&self, request: RequestId, mut order: Order) -> Order {
        fire!(STORE_BEGIN, request, Operation::Put);
        let mut ending = Ending {
            outcome: 0,
            end: |orders| fire!(STORE_END, request, Operation::Put, orders),
        };
        round_trip().await;
        order.id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut kept = self.shelf(order.id).write().await;
        if kept.len() == Self::ORDERS_PER_SHELF {
            kept.pop_front();
        }
        kept.push_back(order.clone());
        ending.outcome = 1;
        order
    }

    async fn get(&self, request: RequestId, id: u64) -> Option<Order> {
        fire!(STORE_BEGIN, request, Operation::Get);
        let mut ending = Ending {
            outcome: 0,
            end: |orders| fire!(STORE_END, request, Operation::Get, orders),
        };
        round_trip().await;
        let kept = self.shelf(id).read().await;
        // Searches from the back, since most requests are for new orders. (Two puts may arrive in
        // another order than that of their ids, so a binary search would be wrong.)
        let order = kept.iter().rev().find(|order| order.id == id).cloned();
        ending.outcome = usize::from(order.is_some());
        order
    }

    async fn scan(&self, request: RequestId) -> Vec<Order> {
        fire!(STORE_BEGIN, request, Operation::Scan);
        let mut ending = Ending {
            outcome: 0,
            end: |orders| fire!(STORE_END, request, Operation::Scan, orders),
        };
        round_trip().await;
        let kept = self.shelf(request.0).read().await;
        let orders: Vec<Order> = kept.iter().rev().take(Self::SCAN).cloned().collect();
        ending.outcome = orders.len();
        orders
    }

    /// Adds the orders of one shelf, by item.
    async fn add(&self, request: RequestId, number: u64, sums: &mut Pieces) {
        let operation = Operation::Sum { shelf: number };
        fire!(STORE_BEGIN, request, operation);
        let mut ending = Ending {
            outcome: 0,
            end: |orders| fire!(STORE_END, request, operation, orders),
        };
        round_trip().await;
        let kept = self.shelf(number).read().await;
        for order in kept.iter() {
            if let Some((orders, pieces)) = sums.get_mut(&order.item) {
                *orders += 1;
                *pieces += u64::from(order.quantity);
            }
        }
        ending.outcome = kept.len();
    }
}

/// By item: the number of orders, and of pieces.
type Pieces = HashMap<String, (u64, u64)>;

/// Takes the place of a round trip to a database: the worker thread serves other requests
/// meanwhile, and this one may continue on another thread. So a begin event and its end pair by
/// request, not by thread.
async fn round_trip() {
    tokio::task::yield_now().await;
}

struct Service {
    catalogue: Catalogue,
    store: Store,
    requests: AtomicU64,
}

async fn create(
    State(service): State<Arc<Service>>,
    Extension(request): Extension<RequestId>,
    Json(new): Json<NewOrder>,
) -> Result<(StatusCode, Json<Order>), StatusCode> {
    let price = service
        .catalogue
        .price(request, &new.item)
        .ok_or(StatusCode::UNPROCESSABLE_ENTITY)?;
    let order = Order {
        id: 0, // the store gives it one
        item: new.item,
        quantity: new.quantity,
        total: price * u64::from(new.quantity),
    };
    let order = service.store.put(request, order).await;
    Ok((StatusCode::CREATED, Json(order)))
}

async fn read(
    State(service): State<Arc<Service>>,
    Extension(request): Extension<RequestId>,
    Path(id): Path<u64>,
) -> Result<Json<Order>, StatusCode> {
    let order = service.store.get(request, id).await;
    let mut order = order.ok_or(StatusCode::NOT_FOUND)?;
    if let Some(price) = service.catalogue.price(request, &order.item) {
        order.total = price * u64::from(order.quantity);
    }
    Ok(Json(order))
}

async fn list(
    State(service): State<Arc<Service>>,
    Extension(request): Extension<RequestId>,
) -> Json<Vec<Order>> {
    Json(service.store.scan(request).await)
}

async fn report(
    State(service): State<Arc<Service>>,
    Extension(request): Extension<RequestId>,
) -> Json<Vec<Sales>> {
    let prices: Vec<(&str, u64)> = CATALOGUE
        .iter()
        .filter_map(|&(item, _)| Some((item, service.catalogue.price(request, item)?)))
        .collect();
    let mut sums: Pieces = prices
        .iter()
        .map(|&(item, _)| (item.to_owned(), (0, 0)))
        .collect();
    for shelf in 0..Store::SHELVES as u64 {
        service.store.add(request, shelf, &mut sums).await;
    }
    let sales = prices.into_iter().map(|(item, price)| {
        let (orders, pieces) = sums[item];
        Sales {
            item: item.to_owned(),
            orders,
            total: price * pieces,
        }
    });
    Json(sales.collect())
}

/// Wraps every route: gives the request its id, and fires the outer events.
async fn traced(State(service): State<Arc<Service>>, mut request: Request, next: Next) -> Response {
    let id = RequestId(service.requests.fetch_add(1, Ordering::Relaxed));
    let route = Route::of(request.method(), request.uri().path());
    request.extensions_mut().insert(id);

    fire!(REQUEST_BEGIN, id, route);
    let mut ending = Ending {
        outcome: None,
        end: |status| fire!(REQUEST_END, id, route, status),
    };
    let response = next.run(request).await;
    ending.outcome = Some(response.status().as_u16());
    response
}

/// Returns the routes of the service.
pub(crate) fn routes() -> Router {
    let service = Arc::new(Service {
        catalogue: Catalogue {
            prices: HashMap::from(CATALOGUE),
        },
        store: Store::new(),
        requests: AtomicU64::new(0),
    });
    Router::new()
        .route("/orders", get(list).post(create))
        .route("/orders/report", get(report))
        .route("/orders/{id}", get(read))
        .layer(middleware::from_fn_with_state(Arc::clone(&service), traced))
        .with_state(service)
}
