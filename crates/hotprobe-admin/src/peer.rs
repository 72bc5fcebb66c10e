//! Who sends a request: as the server knows it that accepted the connection.

use axum::extract::ConnectInfo;
use axum::http::Extensions;
use std::net::SocketAddr;

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// A client at this address.
    Tcp(SocketAddr),
    /// A process of this user, by a Unix socket.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no such sockets"))]
    Unix {
        /// The number of its user.
        uid: u32,
    },
}

impl Peer {
    /// Returns the peer of a request: what [`Admin::serve`](crate::Admin::serve) found out, or what
    /// `into_make_service_with_connect_info` did.
    pub(crate) fn of(extensions: &Extensions) -> Option<Self> {
        let address = || extensions.get::<ConnectInfo<SocketAddr>>();
        let known = extensions.get::<Self>().copied();
        known.or_else(|| address().map(|address| Self::Tcp(address.0)))
    }
}
