//! [`Admin`]: what a server allows requests to do.

use crate::about::About;
use crate::access::{Access, Token};
use crate::sessions::{Sessions, Shutdown};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Who may open `/debug/probes`, and the limits of what they attach. [`router()`](crate::router())
/// turns it into a router.
///
/// ```
/// use hotprobe_admin::Admin;
/// use std::time::Duration;
///
/// let token = std::env::var("PROBES_TOKEN").unwrap_or_default();
/// let admin = Admin::new()
///     .token(token) // an empty token lets nobody in
///     .sessions_at_most(2)
///     .seconds_at_most(Duration::from_secs(60))
///     .memory_at_most(32 << 20);
/// let shutdown = admin.shutdown();
/// # drop((admin, shutdown));
/// ```
///
/// # Cost
/// Mounted and idle: some kilobytes; no thread, no task, no timer.
#[must_use = "it does nothing by itself: pass it to `router`"]
pub struct Admin {
    pub(crate) access: Access,
    pub(crate) longest: Duration,
    memory: usize,
    pub(crate) about: About,
    pub(crate) sessions: Arc<Sessions>,
}

impl Default for Admin {
    fn default() -> Self {
        Self::new()
    }
}

impl Admin {
    /// Returns the defaults: no token, so that only this machine is answered; at most 4 sessions at
    /// once, of at most 300 seconds each; 64 MiB of memory.
    pub fn new() -> Self {
        Self {
            access: Access {
                token: Token::None,
                unix_socket: false,
            },
            longest: Duration::from_secs(300),
            memory: 64 << 20,
            about: About::new(),
            sessions: Arc::new(Sessions::new(4)),
        }
    }

    /// Sets the token. Clients that send it, as `Authorization: Bearer …`, are let in from any
    /// machine; no other client is.
    ///
    /// It must consist of visible ASCII characters. A token that does not, or is empty, lets nobody
    /// in, so that a forgotten variable opens nothing. Use TLS where the token goes over a network.
    pub fn token(mut self, token: impl AsRef<str>) -> Self {
        self.access.token = Token::new(token.as_ref());
        self
    }

    /// Lets any client in that has no address, which is one that connects to a Unix socket: the permissions of the socket's
    /// file say who may. Unlike a loopback address, such a socket is one user's. Do not call this for a server that listens
    /// on TCP without `into_make_service_with_connect_info::<SocketAddr>()`: its clients have no address, either.
    ///
    /// ```no_run
    /// # #[cfg(unix)] async fn example() -> std::io::Result<()> {
    /// use hotprobe_admin::{Admin, router};
    ///
    /// let app = axum::Router::new().nest_service("/debug/probes", router(Admin::new().unix_socket()));
    /// let listener = tokio::net::UnixListener::bind("/run/shop/probes.sock")?;
    /// axum::serve(listener, app.into_make_service()).await
    /// # }
    /// # // curl --unix-socket /run/shop/probes.sock http://localhost/debug/probes/events
    /// ```
    pub fn unix_socket(mut self) -> Self {
        self.access.unix_socket = true;
        self
    }

    /// Sets how many sessions (recordings, tails, measurements) may be open at once; 4 by default.
    /// Further requests are answered with 429. With 0, events can be listed, and nothing can be
    /// attached.
    pub fn sessions_at_most(self, sessions: usize) -> Self {
        self.sessions.set_at_most(sessions);
        self
    }

    /// Sets the longest duration of a session; 300 seconds by default. Clamped to between one
    /// second and one day.
    pub fn seconds_at_most(mut self, longest: Duration) -> Self {
        self.longest = longest.clamp(Duration::from_secs(1), Duration::from_secs(24 * 3600));
        self
    }

    /// Sets how many bytes the buffers of all recordings and the tables of all latencies and stacks
    /// may take together; 64 MiB by default. Each session has an equal share, so that none takes
    /// another's.
    pub fn memory_at_most(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// Sets the program's version, which the page and `/stats` show beside the program's name.
    ///
    /// ```
    /// let admin = hotprobe_admin::Admin::new().version(env!("CARGO_PKG_VERSION"));
    /// # drop(admin);
    /// ```
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.about.version = Some(version.into());
        self
    }

    /// Returns one session's share of the memory that all have together.
    pub(crate) fn memory_share(&self) -> usize {
        self.memory / self.sessions.at_most().max(1)
    }

    /// Returns the handle that ends all sessions when the server shuts down.
    ///
    /// ```no_run
    /// use hotprobe_admin::{Admin, router};
    /// use std::net::SocketAddr;
    /// use std::time::Duration;
    ///
    /// # async fn example(signal: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
    /// let admin = Admin::new();
    /// let shutdown = admin.shutdown();
    /// let app = axum::Router::new().nest_service("/debug/probes", router(admin));
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:9000").await?;
    /// let begin = shutdown.clone();
    /// let server = axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
    ///     .with_graceful_shutdown(async move {
    ///         signal.await;
    ///         begin.begin(); // otherwise a tail would delay the shutdown until its time is up
    ///     });
    /// // And a client that does not read, for as long as it likes.
    /// shutdown.serve(server, Duration::from_secs(10)).await.unwrap_or(Ok(()))
    /// # }
    /// ```
    #[must_use]
    pub fn shutdown(&self) -> Shutdown {
        Shutdown {
            sessions: Arc::clone(&self.sessions),
        }
    }
}

impl fmt::Debug for Admin {
    /// Does not show the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("has_token", &self.access.token.is_set())
            .field("unix_socket", &self.access.unix_socket)
            .field("sessions_at_most", &self.sessions.at_most())
            .field("seconds_at_most", &self.longest)
            .field("memory_at_most", &self.memory)
            .finish_non_exhaustive()
    }
}

static_assertions::assert_impl_all!(Admin: Send, Sync, fmt::Debug);
