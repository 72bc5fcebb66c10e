//! The router: which endpoint answers a request, by which methods, and what all responses have in
//! common.

use crate::access::{self, Class, RequestHead};
use crate::admin::Admin;
use crate::endpoints::{events, guess, latency, page, rates, record, stacks, stats, stop, tail};
use crate::errors::Problem;
use crate::parameters::shown;
use crate::peer::Peer;
use crate::request::Request;
use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::http::request::Parts;
use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, Version, header,
};
use axum::routing::any;
use std::sync::Arc;

/// Returns a router that serves the page and the endpoints, for a server of any state.
///
/// Mount it by `nest_service`, or by `nest`, which does not answer the path with a slash at its
/// end. It answers every path below: do not `merge` it into a router that has a fallback of its
/// own. Without a token, it needs `into_make_service_with_connect_info::<SocketAddr>()`. The
/// runtime must be tokio's, with its timer enabled.
///
/// ```
/// use hotprobe_admin::{Admin, router};
///
/// #[derive(Clone)]
/// struct Shop;
///
/// let app = axum::Router::new()
///     .nest_service("/debug/probes", router(Admin::new()))
///     .with_state(Shop);
/// let also = axum::Router::<()>::new().nest("/debug/probes", router(Admin::new()));
/// # let _: axum::Router = app;
/// # drop(also);
/// ```
pub fn router<S: Clone + Send + Sync + 'static>(admin: Admin) -> Router<S> {
    let admin = Arc::new(admin);
    let mut router = Router::new();
    for endpoint in Endpoint::ALL {
        let answer = move |State(admin), request| dispatch(endpoint, admin, request);
        let path = endpoint.path();
        router = router.route(path, any(answer));
        if path != "/" {
            router = router.route(&format!("{path}/"), any(answer));
        }
    }
    // A route, and no fallback: axum refuses to nest a router with one below a path that has a
    // parameter.
    router.route("/{*path}", any(not_found)).with_state(admin)
}

/// An endpoint, below the path at which the router is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Page,
    Events,
    Guess,
    Stats,
    Metrics,
    Tail,
    Rates,
    Record,
    Latency,
    Stacks,
    Stop,
}

impl Endpoint {
    const ALL: [Self; 11] = [
        Self::Page,
        Self::Events,
        Self::Guess,
        Self::Stats,
        Self::Metrics,
        Self::Tail,
        Self::Rates,
        Self::Record,
        Self::Latency,
        Self::Stacks,
        Self::Stop,
    ];

    fn path(self) -> &'static str {
        match self {
            Self::Page => "/",
            Self::Events => "/events",
            Self::Guess => "/guess",
            Self::Stats => "/stats",
            Self::Metrics => "/metrics",
            Self::Tail => "/tail",
            Self::Rates => "/rates",
            Self::Record => "/record",
            Self::Latency => "/latency",
            Self::Stacks => "/stacks",
            Self::Stop => "/stop",
        }
    }

    fn class(self) -> Class {
        match self {
            Self::Page | Self::Events | Self::Guess | Self::Stats | Self::Metrics => Class::Reads,
            Self::Tail | Self::Rates | Self::Record | Self::Latency | Self::Stacks | Self::Stop => {
                Class::Attaches
            }
        }
    }

    /// Returns the methods that it answers, and the same as text: `EventSource` and `go tool pprof`
    /// know `GET` only.
    fn methods(self) -> (&'static [Method], &'static str) {
        match self {
            Self::Page | Self::Events | Self::Guess | Self::Stats | Self::Metrics => {
                (&[Method::GET, Method::HEAD], "GET, HEAD")
            }
            Self::Tail | Self::Rates | Self::Stacks => (&[Method::GET], "GET"),
            Self::Record | Self::Latency | Self::Stop => (&[Method::POST], "POST"),
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

    /// Refuses HTTP/1.0 for a response whose length is not known at its begin: there, the end of
    /// the connection is the end of the response, and one that was cut off would look complete.
    fn can_be_streamed(self, version: Version) -> Result<(), Problem> {
        if self.class() == Class::Reads || version >= Version::HTTP_11 {
            return Ok(());
        }
        let message = format!(
            "by {version:?}, a response that was cut off would look complete: ask by HTTP/1.1; for nginx, set \
             `proxy_http_version 1.1`"
        );
        Err(Problem::new(
            StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            "version",
            message,
        ))
    }
}

/// Answers a path that is none of an endpoint's: to who is let in, with those that there are.
async fn not_found(
    State(admin): State<Arc<Admin>>,
    request: axum::extract::Request,
) -> Response<Body> {
    let (head, _) = request.into_parts();
    let original = original_uri(&head);
    let may = access::decide(Class::Reads, &admin.access, request_head(&head, &original));
    let problem = may.err().unwrap_or_else(|| {
        let paths = Endpoint::ALL.map(|endpoint| format!("`{}`", endpoint.path()));
        let message = format!(
            "`{}` is no endpoint: there are {}",
            shown(head.uri.path()),
            paths.join(", ")
        );
        Problem::new(StatusCode::NOT_FOUND, "path", message)
    });
    let mut response = problem.answer(&head.headers);
    protect(response.headers_mut());
    response
}

fn original_uri(head: &Parts) -> Uri {
    let original = head.extensions.get::<OriginalUri>();
    original.map_or(&head.uri, |uri| &uri.0).clone()
}

fn request_head<'a>(head: &'a Parts, original: &'a Uri) -> RequestHead<'a> {
    RequestHead {
        peer: Peer::of(&head.extensions),
        version: head.version,
        uri: original,
        headers: &head.headers,
    }
}

async fn dispatch(
    endpoint: Endpoint,
    admin: Arc<Admin>,
    request: axum::extract::Request,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let original = original_uri(&head);
    let request = request_head(&head, &original);
    let may = access::decide(endpoint.class(), &admin.access, request)
        .and_then(|()| endpoint.is_for(&head.method))
        .and_then(|()| endpoint.can_be_streamed(head.version));
    let headers = head.headers;
    let result = match may {
        Ok(()) => {
            let request = Request {
                admin,
                uri: head.uri,
                original,
                headers: headers.clone(),
                body,
            };
            answer(endpoint, request).await
        }
        Err(problem)
            if endpoint == Endpoint::Page && problem.status() == StatusCode::UNAUTHORIZED =>
        {
            Ok(page::locked(&original, &problem, &headers))
        }
        Err(problem) => Err(problem),
    };
    let mut response = result.unwrap_or_else(|problem| problem.answer(&headers));
    if endpoint == Endpoint::Stacks {
        // `go tool pprof` shows what is wrong only where it sees this.
        let name = HeaderName::from_static("x-go-pprof");
        let one = HeaderValue::from_static("1");
        response.headers_mut().insert(name, one);
    }
    protect(response.headers_mut());
    response
}

async fn answer(endpoint: Endpoint, request: Request) -> Result<Response<Body>, Problem> {
    match endpoint {
        Endpoint::Page => page::answer(&request),
        Endpoint::Events => events::answer(&request),
        Endpoint::Guess => guess::answer(&request),
        Endpoint::Stats => stats::stats(&request),
        Endpoint::Metrics => stats::metrics(&request),
        Endpoint::Tail => tail::answer(&request),
        Endpoint::Rates => rates::answer(&request),
        Endpoint::Record => record::answer(request).await,
        Endpoint::Latency => latency::answer(request).await,
        Endpoint::Stacks => stacks::answer(&request),
        Endpoint::Stop => stop::answer(request).await,
    }
}

/// Adds the headers that all responses have: browsers may not store, sniff or frame them, nor send
/// their address to other sites or let other sites' pages read them.
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
        // (The page and pictures have policies of their own.)
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
}
