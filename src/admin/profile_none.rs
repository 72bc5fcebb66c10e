//! `POST /latency` and `GET /stacks`, in a program without the feature `profile`.

use super::Asked;
use super::errors::Problem;
use axum::body::Body;
use axum::http::Response;

pub(super) const IS_HERE: bool = false;

#[allow(clippy::unused_async, reason = "with the feature, it waits")]
pub(super) async fn latency(_: Asked) -> Result<Response<Body>, Problem> {
    Err(Problem::absent("profile"))
}

#[allow(clippy::unused_async, reason = "with the feature, it waits")]
pub(super) async fn stacks(_: Asked) -> Result<Response<Body>, Problem> {
    Err(Problem::absent("profile"))
}
