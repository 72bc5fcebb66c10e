//! Server-sent events: how they are written, and how they are answered.

use crate::pipe::Pipe;
use crate::response::text;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response};
use serde::Serialize;
use std::io::{self, Write};

/// The answer to be streamed.
pub(crate) fn answer(body: Body) -> Response<Body> {
    let mut response = text("text/event-stream", body);
    // nginx would keep it until there is more.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    response
        .headers_mut()
        .insert(unbuffered, HeaderValue::from_static("no"));
    response
}

/// Sends one, if there is room for it; never waits.
pub(crate) fn send(pipe: &Pipe, name: &str, data: &impl Serialize) -> bool {
    send_text(pipe, name, &line(data))
}

/// As [`send`]: of one line of JSON.
pub(crate) fn send_text(pipe: &Pipe, name: &str, data: &str) -> bool {
    pipe.offer(written(name, data).as_bytes())
}

/// Sends a comment, which says nothing but that the connection lives.
pub(crate) fn beat(pipe: &Pipe) {
    // (Without room, the client has something to read.)
    pipe.offer(b":\n\n");
}

/// Sends the last one, whether there is room or not: even a slow client learns how it ended.
pub(crate) fn end(pipe: &Pipe, data: &impl Serialize) {
    pipe.complete_with(written("end", &line(data)).as_bytes());
}

/// Writes the last one, of any length: the writer waits for room.
pub(crate) fn write_end(writer: &mut dyn Write, data: &impl Serialize) -> io::Result<()> {
    writer.write_all(b"event: end\ndata: ")?;
    serde_json::to_writer(&mut *writer, data)?;
    writer.write_all(b"\n\n")
}

fn line(data: &impl Serialize) -> String {
    // (Numbers and text always can be written, and without a line break.)
    serde_json::to_string(data).unwrap_or_default()
}

fn written(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}
