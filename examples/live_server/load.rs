//! The load: N keep-alive connections over real HTTP; each sends the next request when it has the
//! response.
//!
//! It runs without a pause from the first phase to the last, so probes are attached and detached
//! under load.

use crate::latencies::{histogram, record};
use crate::service::{CATALOGUE, NewOrder, Order, Route, Sales};
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The parts of a run. A request belongs to the one in which it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    WarmUp,
    Off,
    Attached,
    Detached,
    Panicking,
}

impl Phase {
    pub(crate) const ALL: [Self; 5] = [
        Self::WarmUp,
        Self::Off,
        Self::Attached,
        Self::Detached,
        Self::Panicking,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::WarmUp => "warm-up",
            Self::Off => "1 off",
            Self::Attached => "2 attached",
            Self::Detached => "3 detached",
            Self::Panicking => "4 panicking",
        }
    }
}

/// The results of the clients in one phase. Failed requests are counted, without a latency.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) failed: u64,
    pub(crate) latencies: Histogram<u64>,
    /// The latencies by route, in the order of [`Route::ALL`]; none without requests.
    pub(crate) routes: [Option<Histogram<u64>>; Route::ALL.len()],
    pub(crate) lasted: Duration,
}

impl Tally {
    fn new() -> Self {
        Self {
            failed: 0,
            latencies: histogram(),
            routes: [const { None }; Route::ALL.len()],
            lasted: Duration::ZERO,
        }
    }

    fn record(&mut self, route: Route, latency: Duration) {
        record(&mut self.latencies, latency);
        record(
            self.routes[route as usize].get_or_insert_with(histogram),
            latency,
        );
    }

    /// But for how long it lasted.
    fn add(&mut self, other: &Self) {
        self.failed += other.failed;
        self.latencies += &other.latencies;
        for (sum, route) in self.routes.iter_mut().zip(&other.routes) {
            if let Some(route) = route {
                *sum.get_or_insert_with(histogram) += route;
            }
        }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.latencies.len() + self.failed
    }
}

/// The state that the connections share. It has a few lanes with a lock each, so that connections
/// seldom wait.
struct LoadState {
    lanes: [Mutex<[Tally; Phase::ALL.len()]>; Self::LANES],
    phase: AtomicUsize,
    stop: AtomicBool,
    first_failure: OnceLock<String>,
}

impl LoadState {
    const LANES: usize = 16;

    fn lane(&self, number: usize) -> MutexGuard<'_, [Tally; Phase::ALL.len()]> {
        lock(&self.lanes[number % Self::LANES])
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Counters are whole after each statement, so that a panic elsewhere does not spoil them.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running load.
pub(crate) struct Load {
    shared: Arc<LoadState>,
    connections: JoinSet<()>,
    entered: Instant,
    lasted: [Duration; Phase::ALL.len()],
}

impl Load {
    /// Opens all connections, then starts the requests.
    pub(crate) async fn start(address: SocketAddr, connections: usize) -> io::Result<Self> {
        let shared = Arc::new(LoadState {
            lanes: std::array::from_fn(|_| Mutex::new(std::array::from_fn(|_| Tally::new()))),
            phase: AtomicUsize::new(Phase::WarmUp as usize),
            stop: AtomicBool::new(false),
            first_failure: OnceLock::new(),
        });
        let mut streams = Vec::with_capacity(connections);
        for _ in 0..connections {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let mut tasks = JoinSet::new();
        for (number, stream) in streams.into_iter().enumerate() {
            tasks.spawn(connection(Arc::clone(&shared), number, stream));
        }
        Ok(Self {
            shared,
            connections: tasks,
            entered: Instant::now(),
            lasted: [Duration::ZERO; Phase::ALL.len()],
        })
    }

    fn phase(&self) -> usize {
        self.shared.phase.load(Ordering::Relaxed)
    }

    /// Ends the current phase and begins this one.
    pub(crate) fn enter(&mut self, phase: Phase) {
        self.close_phase();
        self.shared.phase.store(phase as usize, Ordering::Relaxed);
    }

    fn close_phase(&mut self) {
        let now = Instant::now();
        self.lasted[self.phase()] += now - self.entered;
        self.entered = now;
    }

    /// Returns the current phase, and its requests and failures so far.
    pub(crate) fn progress(&self) -> (Phase, u64, u64) {
        let phase = self.phase();
        let (mut requests, mut failed) = (0, 0);
        for lane in 0..LoadState::LANES {
            let tally = &self.shared.lane(lane)[phase];
            requests += tally.requests();
            failed += tally.failed;
        }
        (Phase::ALL[phase], requests, failed)
    }

    /// Lets each connection finish its request. Returns the results by phase, and the first error.
    pub(crate) async fn stop(mut self) -> ([Tally; Phase::ALL.len()], Option<String>) {
        self.shared.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.connections.join_next().await {
            ended.expect("a connection's task does not panic");
        }
        self.close_phase();
        let mut tallies = std::array::from_fn(|_| Tally::new());
        for lane in 0..LoadState::LANES {
            for (sum, tally) in tallies.iter_mut().zip(&*self.shared.lane(lane)) {
                sum.add(tally);
            }
        }
        for (tally, lasted) in tallies.iter_mut().zip(self.lasted) {
            tally.lasted = lasted;
        }
        (tallies, self.shared.first_failure.get().cloned())
    }
}

/// The message when the load cannot start.
pub(crate) fn no_connections(connections: usize, error: &io::Error) -> String {
    format!(
        "--connections {connections} cannot all be opened ({error}): give fewer, or allow more open files \
         (each connection takes two: `ulimit -n`)"
    )
}

/// One connection, in one task: hyper's side of it and the client's.
async fn connection(shared: Arc<LoadState>, number: usize, stream: TcpStream) {
    let ended = match http1::handshake(TokioIo::new(stream)).await {
        Ok((sender, connection)) => {
            let client = Client {
                shared: &shared,
                number,
                sender,
            };
            // When the client is done it drops its sender, which ends the connection.
            let (asked, closed) = tokio::join!(client.ask(), connection);
            asked.and(closed.map_err(|error| error.to_string()))
        }
        Err(error) => Err(error.to_string()),
    };
    if let Err(reason) = ended {
        shared.lane(number)[shared.phase.load(Ordering::Relaxed)].failed += 1;
        // Only the first one is kept.
        shared.first_failure.set(reason).ok();
    }
}

/// Includes at least one order: this connection has created one.
fn is_of_all_items(report: &[Sales]) -> bool {
    let items = report.iter().map(|sales| sales.item.as_str());
    items.eq(CATALOGUE.iter().map(|&(item, _)| item))
        && report
            .iter()
            .any(|sales| sales.orders > 0 && sales.total > 0)
}

struct Client<'a> {
    shared: &'a LoadState,
    number: usize,
    sender: SendRequest<Full<Bytes>>,
}

impl Client<'_> {
    /// Rarely, the report is requested.
    const ROUNDS_PER_REPORT: usize = 40;

    /// One order created, read four times, and a list: until the load stops or a request fails.
    async fn ask(mut self) -> Result<(), String> {
        for round in self.number.. {
            let (item, price) = CATALOGUE[round % CATALOGUE.len()];
            let quantity = u32::try_from(round % 9 + 1).expect("small");
            let total = price * u64::from(quantity);
            let new = NewOrder {
                item: item.to_owned(),
                quantity,
            };
            let body = serde_json::to_vec(&new).map_err(|error| error.to_string())?;

            let created: Order = self
                .request(
                    Route::Create,
                    Method::POST,
                    "/orders",
                    body,
                    |order: &Order| (order.item.as_str(), order.total) == (item, total),
                )
                .await?;
            let path = format!("/orders/{}", created.id);
            for _ in 0..4 {
                if self.shared.stopping() {
                    return Ok(());
                }
                self.request(
                    Route::Read,
                    Method::GET,
                    &path,
                    Vec::new(),
                    |order: &Order| {
                        (order.id, order.item.as_str(), order.total) == (created.id, item, total)
                    },
                )
                .await?;
            }
            // The list may be empty, since it shows one shelf.
            self.request(
                Route::List,
                Method::GET,
                "/orders",
                Vec::new(),
                |_: &Vec<Order>| true,
            )
            .await?;
            if self.shared.stopping() {
                break;
            }
            if round % Self::ROUNDS_PER_REPORT == Self::ROUNDS_PER_REPORT - 1 {
                self.request(
                    Route::Report,
                    Method::GET,
                    "/orders/report",
                    Vec::new(),
                    |report: &Vec<Sales>| is_of_all_items(report),
                )
                .await?;
            }
        }
        Ok(())
    }

    /// Sends a request and reads the response. The latency excludes building the request and
    /// parsing the response. The client knows the route itself.
    async fn request<T: DeserializeOwned>(
        &mut self,
        route: Route,
        method: Method,
        path: &str,
        body: Vec<u8>,
        is_right: impl FnOnce(&T) -> bool,
    ) -> Result<T, String> {
        let what = format!("{method} {path}");
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body))
            .map_err(|error| format!("{what}: {error}"))?;

        let begun = Instant::now();
        let answer = async {
            self.sender.ready().await?;
            let response = self.sender.send_request(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            Ok::<_, hyper::Error>((status, body))
        };
        let (status, body) = answer.await.map_err(|error| format!("{what}: {error}"))?;
        let latency = begun.elapsed();

        if !status.is_success() {
            return Err(format!("{what}: status {status}"));
        }
        let value = serde_json::from_slice(&body).map_err(|error| format!("{what}: {error}"))?;
        if !is_right(&value) {
            return Err(format!("{what}: the wrong answer, {body:?}"));
        }
        let phase = self.shared.phase.load(Ordering::Relaxed);
        self.shared.lane(self.number)[phase].record(route, latency);
        Ok(value)
    }
}
