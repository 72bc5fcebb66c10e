//! `/debug/probes`, asked through the router and over the network.

#![allow(
    clippy::items_after_statements,
    clippy::too_many_lines,
    clippy::unused_self,
    clippy::needless_for_each,
    clippy::semicolon_if_nothing_returned,
    clippy::verbose_bit_mask,
    reason = "a test reads best in one piece, with what it needs beside it"
)]
#![allow(
    clippy::incompatible_msrv,
    reason = "the tests are run by the newest compiler; the library keeps to its own"
)]

mod access;
mod alloc;
mod answers;
mod bounded;
mod guess;
mod hostile;
mod idle;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod listening;
mod live;
mod mount;
mod page;
mod profile;
mod recording;
mod server;
mod settings;
mod streams;
mod who_may;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use hotprobe_admin::{Admin, Shutdown, router};
use std::net::SocketAddr;
use std::time::Duration;
use tower::ServiceExt as _;

/// What came back.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }

    /// Of this status; its body.
    #[track_caller]
    fn says(self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }
}

/// A router as a user mounts it, and the handle that ends it.
fn mounted(admin: Admin) -> (Router, Shutdown) {
    let shutdown = admin.shutdown();
    (Router::new().nest("/debug/probes", router(admin)), shutdown)
}

/// A request from this machine, to this machine.
fn request(method: &str, path: &str) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/debug/probes{path}"))
        .header("host", "127.0.0.1:9000")
        .body(Body::empty())
        .unwrap();
    let peer = SocketAddr::from(([127, 0, 0, 1], 40_000));
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

async fn send(app: &Router, request: Request<Body>) -> Response<Body> {
    app.clone().oneshot(request).await.unwrap()
}

async fn read(response: Response<Body>) -> Answer {
    let (head, body) = response.into_parts();
    let body = in_time(to_bytes(body, 64 << 20)).await.unwrap();
    Answer {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

async fn ask(app: &Router, method: &str, path: &str) -> Answer {
    read(send(app, request(method, path)).await).await
}

async fn get(app: &Router, path: &str) -> Answer {
    ask(app, "GET", path).await
}

/// Runs it on a runtime of its own.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// What takes a minute never comes.
async fn in_time<T>(future: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(Duration::from_secs(60), future).await;
    result.expect("the answer ends")
}

/// Waits, as a task does, until `condition` holds; fails after a minute, which means forever.
async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let result = tokio::time::timeout(Duration::from_secs(60), wait).await;
    assert!(result.is_ok(), "never happened: {what}");
}

/// A body that does not come.
struct Never;

impl axum::body::HttpBody for Never {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

/// Server-sent events: names and data. (Heartbeats are comments.)
fn parse(text: &str) -> Vec<(String, serde_json::Value)> {
    assert!(text.is_empty() || text.ends_with("\n\n"), "{text}");
    text.split_terminator("\n\n")
        .filter(|event| *event != ":")
        .map(|event| {
            let (name, data) = event
                .strip_prefix("event: ")
                .unwrap()
                .split_once("\ndata: ")
                .unwrap();
            (name.to_owned(), serde_json::from_str(data).unwrap())
        })
        .collect()
}

/// A body, read as far as it has come.
struct BodyStream(Body, String);

impl BodyStream {
    async fn of(app: &Router, method: &str, path: &str) -> Self {
        let response = send(app, request(method, path)).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        Self(response.into_body(), String::new())
    }

    /// Reads more of it; false at its end.
    async fn more(&mut self) -> bool {
        let Some(frame) = in_time(http_body_util::BodyExt::frame(&mut self.0)).await else {
            return false;
        };
        let data = frame.expect("it is not cut off").into_data().unwrap();
        self.1 += &String::from_utf8_lossy(&data);
        true
    }

    async fn until(&mut self, text: &str) {
        while !self.1.contains(text) {
            assert!(
                self.more().await,
                "the end came before `{text}`: {}",
                self.1
            );
        }
    }

    async fn rest(mut self) -> String {
        while self.more().await {}
        self.1
    }
}
