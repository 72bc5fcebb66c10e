//! `POST /latency` and `GET /stacks`, in a program without the feature `profile`.

use super::Asked;
use super::errors::Problem;
use axum::body::Body;
use axum::http::{Response, StatusCode};

pub(super) const IS_HERE: bool = false;

#[allow(clippy::unused_async, reason = "with the feature, it waits")]
pub(super) async fn latency(_: Asked) -> Result<Response<Body>, Problem> {
    Err(absent("profile"))
}

#[allow(clippy::unused_async, reason = "with the feature, it waits")]
pub(super) async fn stacks(_: Asked) -> Result<Response<Body>, Problem> {
    Err(absent("profile"))
}

/// What the program was built without.
pub(super) fn absent(feature: &str) -> Problem {
    let message = format!(
        "this program was built without it: build it with hotprobe's feature `{feature}`, as in `hotprobe = {{ version = \
         \"0.1\", features = [\"axum\", \"{feature}\"] }}`"
    );
    Problem::new(StatusCode::NOT_IMPLEMENTED, "feature", message)
}
