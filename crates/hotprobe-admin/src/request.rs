//! A request that was let in, as the endpoints get it.

use crate::admin::Admin;
use axum::body::Body;
use axum::http::{HeaderMap, Uri};
use std::sync::Arc;

/// A request that was let in.
pub(crate) struct Request {
    pub(crate) admin: Arc<Admin>,
    /// The URI below the path at which the router is mounted.
    pub(crate) uri: Uri,
    /// The URI as the client sent it.
    pub(crate) original: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}
