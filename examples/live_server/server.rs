//! What serves: any routes, on a loopback socket. (Also that of `overhead_server`.)

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

impl Server {
    /// How long `stop` waits for requests in flight.
    const PATIENCE: Duration = Duration::from_secs(5);

    /// Binds loopback, and serves from then on. Port 0 is any free one.
    pub(crate) async fn start(routes: Router, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        // Small responses go out at once. Where the option cannot be set they only go out later.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));

        let (stop, stopped) = oneshot::channel();
        let served = axum::serve(listener, routes).with_graceful_shutdown(async {
            // An error says that the sender was dropped, which stops the server as well.
            stopped.await.ok();
        });
        Ok(Self {
            address,
            stop,
            task: tokio::spawn(served.into_future()),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more connections, closes idle ones, and waits for the requests in flight.
    pub(crate) async fn stop(self) -> Result<(), String> {
        // An error says that the server has ended already; why, the task tells.
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
