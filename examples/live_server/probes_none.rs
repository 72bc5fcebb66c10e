//! In place of `probes.rs`, where the feature `axum` is not there: nothing is mounted.

use axum::Router;
use std::net::SocketAddr;

pub(crate) struct Probes;

impl Probes {
    pub(crate) fn mount(routes: Router) -> (Router, Self) {
        (routes, Self)
    }

    pub(crate) fn say(_: SocketAddr) {}

    #[allow(clippy::unused_self, reason = "with the feature, it is used")]
    pub(crate) fn end(&self) {}
}
