//! Queries: [`client`] sends a [`query`] and returns an [`answer`], of which a stream of events is
//! [`sse`]. A [`session`] can be ended early. A server may be at a Unix socket (`unix.rs`).

pub(crate) mod address;
pub(crate) mod answer;
pub(crate) mod client;
pub(crate) mod query;
pub(crate) mod session;
pub(crate) mod sse;
mod token;
#[cfg(unix)]
pub(crate) mod unix;
