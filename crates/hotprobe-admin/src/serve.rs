//! [`Admin::serve`]: a separate server, which ends when it is told to, whatever its clients do.

use crate::admin::Admin;
use crate::peer::Peer;
use crate::router::router;
use crate::sessions::Shutdown;
use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

/// The path of the page, as the program `hotprobe` expects it.
const MOUNTED_AT: &str = "/debug/probes";
/// The most connections at once; those beyond it wait to be accepted.
const MAX_CONNECTIONS: usize = 256;
/// How long a client may take for a request's head.
const HEAD: Duration = Duration::from_secs(10);
/// How long open connections have after a shutdown began.
const DRAIN: Duration = Duration::from_secs(2);
/// How long to wait when no connection can be accepted, as when no file descriptor is left.
const EXHAUSTED: Duration = Duration::from_millis(200);

/// A listener that [`Admin::serve`] accepts connections from: a `TcpListener` or a `UnixListener`,
/// of tokio or of the standard library.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let listener = std::net::TcpListener::bind("127.0.0.1:9000")?;
/// hotprobe_admin::Admin::new().serve(listener).await
/// # }
/// ```
pub struct Socket(Kind);

enum Kind {
    Tcp(TcpListener),
    StdTcp(std::net::TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
    #[cfg(unix)]
    StdUnix(std::os::unix::net::UnixListener),
}

impl From<TcpListener> for Socket {
    fn from(listener: TcpListener) -> Self {
        Self(Kind::Tcp(listener))
    }
}

impl From<std::net::TcpListener> for Socket {
    fn from(listener: std::net::TcpListener) -> Self {
        Self(Kind::StdTcp(listener))
    }
}

#[cfg(unix)]
impl From<UnixListener> for Socket {
    fn from(listener: UnixListener) -> Self {
        Self(Kind::Unix(listener))
    }
}

#[cfg(unix)]
impl From<std::os::unix::net::UnixListener> for Socket {
    fn from(listener: std::os::unix::net::UnixListener) -> Self {
        Self(Kind::StdUnix(listener))
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listener: &dyn fmt::Debug = match &self.0 {
            Kind::Tcp(listener) => listener,
            Kind::StdTcp(listener) => listener,
            #[cfg(unix)]
            Kind::Unix(listener) => listener,
            #[cfg(unix)]
            Kind::StdUnix(listener) => listener,
        };
        f.debug_tuple("Socket").field(listener).finish()
    }
}

static_assertions::assert_impl_all!(Socket: Send, Sync);

impl Admin {
    /// Serves the page and the endpoints at `/debug/probes`, until [`Shutdown::begin`] is called.
    ///
    /// After that, it accepts no connection, and open ones have two seconds to finish; then they
    /// are cut off. So no client can delay the end. Your program needs no axum.
    ///
    /// Over a Unix socket, it answers processes of the same user and of root, as the kernel reports
    /// them; with [`unix_socket`](Self::unix_socket), any process that may open the socket's file.
    /// Over TCP, it answers this machine, or clients with the [`token`](Self::token). At most 256
    /// connections are open at once; further ones wait.
    ///
    /// It must be polled by a tokio runtime with its timer and I/O enabled. For a program without
    /// one, see [`listen`](crate::listen()).
    ///
    /// # Errors
    /// The listener could not be registered with the runtime. (An error of a single connection
    /// ends that connection only; if no file descriptor is left, it tries again every 200 ms.)
    ///
    /// ```
    /// use hotprobe_admin::Admin;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// let admin = Admin::new();
    /// let shutdown = admin.shutdown();
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// let server = tokio::spawn(admin.serve(listener));
    /// shutdown.begin();
    /// server.await.expect("it does not panic")
    /// # }
    /// ```
    pub async fn serve(self, socket: impl Into<Socket> + Send) -> io::Result<()> {
        let socket = socket.into();
        let shutdown = self.shutdown();
        let app = Router::new()
            .route("/", get(|| async { Redirect::temporary(MOUNTED_AT) }))
            .nest_service(MOUNTED_AT, router(self));
        match socket.0 {
            Kind::Tcp(listener) => tcp(listener, app, shutdown).await,
            Kind::StdTcp(listener) => {
                listener.set_nonblocking(true)?;
                tcp(TcpListener::from_std(listener)?, app, shutdown).await;
            }
            #[cfg(unix)]
            Kind::Unix(listener) => unix(listener, app, shutdown).await,
            #[cfg(unix)]
            Kind::StdUnix(listener) => {
                listener.set_nonblocking(true)?;
                unix(UnixListener::from_std(listener)?, app, shutdown).await;
            }
        }
        Ok(())
    }
}

async fn tcp(listener: TcpListener, app: Router, shutdown: Shutdown) {
    let accept = async || -> io::Result<(TcpStream, Peer)> {
        let (stream, address) = listener.accept().await?;
        // (Without it, a small event of a stream waits for the acknowledgement of the one before.)
        let _ = stream.set_nodelay(true);
        Ok((stream, Peer::Tcp(address)))
    };
    connections(accept, app, shutdown).await;
}

#[cfg(unix)]
async fn unix(listener: UnixListener, app: Router, shutdown: Shutdown) {
    let accept = async || -> io::Result<(UnixStream, Peer)> {
        let (stream, _) = listener.accept().await?;
        let uid = stream.peer_cred()?.uid();
        Ok((stream, Peer::Unix { uid }))
    };
    connections(accept, app, shutdown).await;
}

/// What the loop of [`connections`] waits for.
enum Next<S> {
    Accepted(io::Result<(S, Peer)>),
    Ended,
    Shutdown,
}

/// Accepts connections until the shutdown begins, and lets those that are open finish.
async fn connections<S>(
    accept: impl AsyncFn() -> io::Result<(S, Peer)>,
    app: Router,
    shutdown: Shutdown,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut open = JoinSet::new();
    let mut begun = pin!(shutdown.begun());
    loop {
        let next = {
            let mut accepted = pin!(accept());
            poll_fn(|context| {
                if begun.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Next::Shutdown);
                }
                if let Poll::Ready(Some(_)) = open.poll_join_next(context) {
                    return Poll::Ready(Next::Ended);
                }
                if open.len() >= MAX_CONNECTIONS {
                    return Poll::Pending;
                }
                accepted.as_mut().poll(context).map(Next::Accepted)
            })
            .await
        };
        match next {
            Next::Accepted(Ok((stream, peer))) => {
                open.spawn(connection(stream, peer, app.clone(), shutdown.clone()));
            }
            Next::Accepted(Err(error)) if is_of_the_connection(&error) => {}
            Next::Accepted(Err(_)) => tokio::time::sleep(EXHAUSTED).await,
            Next::Ended => {}
            Next::Shutdown => break,
        }
    }
    let rest = async { while open.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN, rest).await;
    // (What is open now is aborted by dropping it.)
}

/// Whether the client has gone before its connection was accepted.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::NotConnected
            | io::ErrorKind::Interrupted
    )
}

/// Answers the requests of one connection.
async fn connection<S>(stream: S, peer: Peer, app: Router, shutdown: Shutdown)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let app = app.layer(axum::Extension(peer));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let served = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let mut served = pin!(served);
    let mut begun = pin!(shutdown.begun());
    let mut is_ending = false;
    poll_fn(|context| {
        if !is_ending && begun.as_mut().poll(context).is_ready() {
            is_ending = true;
            served.as_mut().graceful_shutdown();
        }
        // (An error is the client's, and ends this connection.)
        served.as_mut().poll(context).map(drop)
    })
    .await;
}
