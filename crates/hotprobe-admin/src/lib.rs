//! `/debug/probes`: look into a live server from a browser, `curl`, or the program `hotprobe` (feature `axum`).
//!
//! ```
//! use hotprobe_admin::{Admin, router};
//!
//! let admin = Admin::new(); // answers this machine only; `.token(…)` opens it to whoever has that
//! let app = axum::Router::<()>::new().nest("/debug/probes", router(admin));
//! # drop(app);
//! ```
//!
//! [`guide`](crate::guide) says how it is mounted, what each endpoint answers, and who is let in. In reading order:
//!
//! 1. [`Admin`], what may be and who may; [`router`] (here).
//! 2. Who may ask (`access.rs`); with which parameters (`parameters.rs`); what those are told who may not (`errors.rs`).
//! 3. The endpoints, a file each (`endpoints/`).
//! 4. What is attached for a time (`sessions.rs`, with [`Shutdown`]) and streamed (`pipe.rs`, `sse.rs`), measured
//!    (`measure.rs`), or packed (`ctf_archive.rs`).

mod access;
mod ctf_archive;
mod endpoints;
mod errors;
pub mod guide;
mod measure;
mod parameters;
mod pipe;
mod sessions;
mod sse;

pub use sessions::Shutdown;

use access::{Class, Token};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, OriginalUri, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::routing::any;
use endpoints::{events, latency, page, rates, record, stacks, stats, tail};
use errors::Problem;
use serde::Serialize;
use sessions::Sessions;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Who may ask, and for how much. [`router`] makes it part of a server.
///
/// ```
/// use hotprobe_admin::Admin;
/// use std::time::Duration;
///
/// let token = std::env::var("PROBES_TOKEN").unwrap_or_default();
/// let admin = Admin::new()
///     .token(token) // an empty one lets nobody in
///     .sessions_at_most(2)
///     .seconds_at_most(Duration::from_secs(60))
///     .memory_at_most(32 << 20);
/// let shutdown = admin.shutdown();
/// # drop((admin, shutdown));
/// ```
///
/// # Cost
/// Mounted and idle: some kilobytes; no thread, no task, no timer.
#[must_use = "it does nothing by itself: pass it to `router`"]
pub struct Admin {
    token: Token,
    longest: Duration,
    memory: usize,
    sessions: Arc<Sessions>,
}

impl Default for Admin {
    fn default() -> Self {
        Self::new()
    }
}

impl Admin {
    /// No token, so that only this machine is answered; 4 sessions at once, of 300 seconds at most; 64 MiB for all
    /// recordings.
    pub fn new() -> Self {
        Self {
            token: Token::None,
            longest: Duration::from_secs(300),
            memory: 64 << 20,
            sessions: Arc::new(Sessions::new(4)),
        }
    }

    /// Whoever sends it is let in, from any machine, and nobody else: `Authorization: Bearer …`.
    ///
    /// It has to be visible ASCII characters. One that is not, or is empty, lets nobody in, so that a variable that was
    /// forgotten opens nothing. Use TLS where it goes over a network.
    pub fn token(mut self, token: impl AsRef<str>) -> Self {
        self.token = Token::new(token.as_ref());
        self
    }

    /// How many sessions may be open at once: recordings, tails, whatever is watched. 4 if nothing is said; with 0,
    /// events can be looked at, and nothing be attached. Requests for more are answered with 429.
    pub fn sessions_at_most(self, sessions: usize) -> Self {
        self.sessions.set_at_most(sessions);
        self
    }

    /// How long a session may be: 300 seconds if nothing is said; at least 1 second, at most a day.
    pub fn seconds_at_most(mut self, longest: Duration) -> Self {
        self.longest = longest.clamp(Duration::from_secs(1), Duration::from_secs(24 * 3600));
        self
    }

    /// How many bytes the buffers of all recordings, and the tables of latencies and stacks, may have together: 64 MiB if
    /// nothing is said. Each session has its share of that, so that one never takes another's.
    pub fn memory_at_most(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// What ends all that is open when the server shuts down.
    ///
    /// ```no_run
    /// use hotprobe_admin::{Admin, router};
    /// use std::net::SocketAddr;
    ///
    /// # async fn example(signal: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
    /// let admin = Admin::new();
    /// let shutdown = admin.shutdown();
    /// let app = axum::Router::new().nest("/debug/probes", router(admin));
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:9000").await?;
    /// axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
    ///     .with_graceful_shutdown(async move {
    ///         signal.await;
    ///         shutdown.begin(); // else a tail would hold the server up until its time is over
    ///     })
    ///     .await
    /// # }
    /// ```
    #[must_use]
    pub fn shutdown(&self) -> Shutdown {
        Shutdown {
            sessions: Arc::clone(&self.sessions),
        }
    }
}

impl fmt::Debug for Admin {
    /// (Without the token.)
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("has_token", &self.token.is_set())
            .field("sessions_at_most", &self.sessions.at_most())
            .field("seconds_at_most", &self.longest)
            .field("memory_at_most", &self.memory)
            .finish_non_exhaustive()
    }
}

/// What all requests share.
struct Shared {
    token: Token,
    longest: Duration,
    memory: usize,
    sessions: Arc<Sessions>,
    page: page::Page,
}

/// A router that answers the page and the endpoints, for a server of any state.
///
/// `nest` it at a path, or `nest_service` it, which answers that path with a slash at its end, too. Requests without a
/// token need `into_make_service_with_connect_info::<SocketAddr>()`. The runtime has to be tokio's, with its timer.
///
/// ```
/// use hotprobe_admin::{Admin, router};
///
/// #[derive(Clone)]
/// struct Shop;
///
/// let app = axum::Router::new()
///     .nest("/debug/probes", router(Admin::new()))
///     .with_state(Shop);
/// let also = axum::Router::<()>::new().nest_service("/debug/probes", router(Admin::new()));
/// # let _: axum::Router = app;
/// # drop(also);
/// ```
pub fn router<S: Clone + Send + Sync + 'static>(admin: Admin) -> Router<S> {
    let shared = Arc::new(Shared {
        token: admin.token,
        longest: admin.longest,
        memory: admin.memory,
        sessions: admin.sessions,
        page: page::Page::new(),
    });
    let mut router = Router::new();
    for endpoint in Endpoint::ALL {
        let answer = move |State(shared), request| dispatch(endpoint, shared, request);
        let path = endpoint.path();
        router = router.route(path, any(answer));
        if path != "/" {
            router = router.route(&format!("{path}/"), any(answer));
        }
    }
    router.with_state(shared)
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Page,
    Events,
    Stats,
    Metrics,
    Tail,
    Rates,
    Record,
    Latency,
    Stacks,
}

impl Endpoint {
    const ALL: [Self; 9] = [
        Self::Page,
        Self::Events,
        Self::Stats,
        Self::Metrics,
        Self::Tail,
        Self::Rates,
        Self::Record,
        Self::Latency,
        Self::Stacks,
    ];

    fn path(self) -> &'static str {
        match self {
            Self::Page => "/",
            Self::Events => "/events",
            Self::Stats => "/stats",
            Self::Metrics => "/metrics",
            Self::Tail => "/tail",
            Self::Rates => "/rates",
            Self::Record => "/record",
            Self::Latency => "/latency",
            Self::Stacks => "/stacks",
        }
    }

    fn class(self) -> Class {
        match self {
            Self::Page | Self::Events | Self::Stats | Self::Metrics => Class::Reads,
            Self::Tail | Self::Rates | Self::Record | Self::Latency | Self::Stacks => {
                Class::Attaches
            }
        }
    }

    /// By which methods: `EventSource` and `go tool pprof` know `GET` only.
    fn methods(self) -> (&'static [Method], &'static str) {
        match self {
            Self::Page | Self::Events | Self::Stats | Self::Metrics => {
                (&[Method::GET, Method::HEAD], "GET, HEAD")
            }
            Self::Tail | Self::Rates | Self::Stacks => (&[Method::GET], "GET"),
            Self::Record | Self::Latency => (&[Method::POST], "POST"),
        }
    }

    fn is_for(self, method: &Method) -> Result<(), Problem> {
        let (methods, allowed) = self.methods();
        if methods.contains(method) {
            return Ok(());
        }
        let message = format!(
            "`{}` is asked for by {allowed}, not by {method}",
            &self.path()[1..]
        );
        Err(
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", message)
                .with_header(header::ALLOW, allowed),
        )
    }
}

/// A request that was let in.
struct Asked {
    shared: Arc<Shared>,
    /// Below the path at which the router is mounted, and as it was asked for.
    uri: Uri,
    original: Uri,
    headers: HeaderMap,
    body: Body,
}

async fn dispatch(endpoint: Endpoint, shared: Arc<Shared>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let peer = head
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|peer| peer.0);
    let original = head
        .extensions
        .get::<OriginalUri>()
        .map_or(&head.uri, |uri| &uri.0)
        .clone();
    let may = access::decide(
        endpoint.class(),
        &shared.token,
        peer,
        &original,
        &head.headers,
    )
    .and_then(|()| endpoint.is_for(&head.method));
    let headers = head.headers;
    let result = match may {
        Ok(()) => {
            let asked = Asked {
                shared: Arc::clone(&shared),
                uri: head.uri,
                original,
                headers: headers.clone(),
                body,
            };
            answer(endpoint, asked).await
        }
        Err(problem)
            if endpoint == Endpoint::Page && problem.status() == StatusCode::UNAUTHORIZED =>
        {
            Ok(shared.page.locked(&original, &problem, &headers))
        }
        Err(problem) => Err(problem),
    };
    let mut response = result.unwrap_or_else(|problem| problem.answer(&headers));
    if endpoint == Endpoint::Stacks {
        // `go tool pprof` shows what is wrong only where it sees this.
        let told = HeaderName::from_static("x-go-pprof");
        let one = HeaderValue::from_static("1");
        response.headers_mut().insert(told, one);
    }
    protect(response.headers_mut());
    response
}

async fn answer(endpoint: Endpoint, asked: Asked) -> Result<Response<Body>, Problem> {
    match endpoint {
        Endpoint::Page => page::answer(&asked),
        Endpoint::Events => events::answer(&asked),
        Endpoint::Stats => stats::stats(&asked),
        Endpoint::Metrics => stats::metrics(&asked),
        Endpoint::Tail => tail::answer(&asked),
        Endpoint::Rates => rates::answer(&asked),
        Endpoint::Record => record::answer(asked).await,
        Endpoint::Latency => latency::answer(asked).await,
        Endpoint::Stacks => stacks::answer(asked).await,
    }
}

/// Nothing is kept, guessed, framed, told to others or read by their pages.
fn protect(headers: &mut HeaderMap) {
    const HEADERS: [(HeaderName, &str); 5] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in HEADERS {
        // (The page has a policy of its own.)
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
}

fn text(kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn json(value: &impl Serialize) -> Response<Body> {
    // (Numbers and text always can be written.)
    let body = serde_json::to_string(value).unwrap_or_default();
    text("application/json", body + "\n")
}

static_assertions::assert_impl_all!(Admin: Send, Sync, fmt::Debug);
