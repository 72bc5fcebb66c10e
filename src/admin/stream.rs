//! Server-sent events: how they are written, and how they are answered.

use super::pipe::Pipe;
use super::text;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response};
use serde::Serialize;

/// The answer to be streamed.
pub(super) fn answer(body: Body) -> Response<Body> {
    let mut response = text("text/event-stream", body);
    // nginx would keep it until there is more.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    response
        .headers_mut()
        .insert(unbuffered, HeaderValue::from_static("no"));
    response
}

/// Sends one, if there is room for it; never waits.
pub(super) fn send(pipe: &Pipe, name: &str, data: &impl Serialize) -> bool {
    // (Numbers and text always can be written, and without a line break.)
    let data = serde_json::to_string(data).unwrap_or_default();
    send_text(pipe, name, &data)
}

/// As [`send`]: of one line of JSON.
pub(super) fn send_text(pipe: &Pipe, name: &str, data: &str) -> bool {
    pipe.offer(format!("event: {name}\ndata: {data}\n\n").as_bytes())
}
