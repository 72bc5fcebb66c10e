//! A server for any routes on a loopback socket. The benchmark `overhead_server` uses this file
//! too.

use axum::Router;
use axum::serve::ListenerExt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Routes on a socket of their own, until they are stopped.
pub(crate) struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

/// Whether requests carry the client's address.
enum Peers {
    Unknown,
    Known,
}

impl Server {
    /// How long `stop` waits for requests in flight.
    const PATIENCE: Duration = Duration::from_secs(5);

    /// Binds loopback and starts to serve. Port 0 means any free port.
    pub(crate) async fn start(routes: Router, port: u16) -> io::Result<Self> {
        Self::bind(routes, port, Peers::Unknown).await
    }

    /// Does the same as [`start`](Self::start), and gives each request the client's address, at
    /// some cost.
    #[allow(dead_code, reason = "not every example has such routes")]
    pub(crate) async fn start_with_peers(routes: Router, port: u16) -> io::Result<Self> {
        Self::bind(routes, port, Peers::Known).await
    }

    async fn bind(routes: Router, port: u16, peers: Peers) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        // Sends small responses at once. Without the option, they are sent later.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));

        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            // An error says that the sender was dropped, which stops the server as well.
            stopped.await.ok();
        };
        let task = match peers {
            Peers::Unknown => {
                let served = axum::serve(listener, routes).with_graceful_shutdown(stopped);
                tokio::spawn(served.into_future())
            }
            Peers::Known => {
                let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
                let served = axum::serve(listener, routes).with_graceful_shutdown(stopped);
                tokio::spawn(served.into_future())
            }
        };
        Ok(Self {
            address,
            stop,
            task,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more connections, closes idle ones, and waits for the requests in flight.
    pub(crate) async fn stop(self) -> Result<(), String> {
        // An error means that the server has ended already; the task returns why.
        self.stop.send(()).ok();
        match tokio::time::timeout(Self::PATIENCE, self.task).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(format!("the server stopped with an error: {error}")),
            Ok(Err(error)) => Err(format!("the server broke off: {error}")),
            Err(_) => Err(format!(
                "some connections were still busy {} s after the server was told to stop",
                Self::PATIENCE.as_secs()
            )),
        }
    }
}
