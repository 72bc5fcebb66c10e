//! Responses with a body and its media type.

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use serde::Serialize;

/// Returns a response of this media type.
pub(crate) fn text(kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Returns a response with a picture, which has a style of its own.
pub(crate) fn svg(body: impl Into<Body>) -> Response<Body> {
    let mut response = text("image/svg+xml", body);
    // The style can load nothing, and no script runs. (It is made by another crate, so that its
    // hash is not known here.)
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(policy),
    );
    response
}

/// Returns a response with `value` as one line of JSON.
pub(crate) fn json(value: &impl Serialize) -> Response<Body> {
    // Serializing numbers and text cannot fail.
    let body = serde_json::to_string(value).unwrap_or_default();
    text("application/json", body + "\n")
}
