//! [`Admin`]: what a server allows requests to do.

use crate::about::About;
use crate::access::{Access, Token};
use crate::admin_error::AdminError;
use crate::sessions::{Sessions, Shutdown};
use hotprobe_profile::Metrics;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The most sessions that can be open at once: each takes a task and a pipe.
const LARGEST_SESSIONS: usize = 1024;
/// The range of the longest duration of a session.
const SHORTEST_DURATION: Duration = Duration::from_secs(1);
const LONGEST_DURATION: Duration = Duration::from_secs(24 * 3600);
/// The least memory: the smallest buffer that a recording has.
const SMALLEST_MEMORY: usize = 64 << 10;

/// The settings of `/debug/probes`: who may open it, and the limits of its sessions.
/// [`router()`](crate::router()) turns it into a router.
///
/// ```
/// use hotprobe_admin::Admin;
/// use std::time::Duration;
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let token = std::env::var("PROBES_TOKEN")?;
/// let admin = Admin::new()
///     .token(token)? // an empty token is an error
///     .max_sessions(2)?
///     .max_duration(Duration::from_secs(60))?
///     .max_memory_bytes(32 << 20)?;
/// let shutdown = admin.shutdown();
/// # drop((admin, shutdown));
/// # Ok(()) }
/// ```
///
/// # Cost
/// Mounted and idle: some kilobytes; no thread, no task, no timer.
#[must_use = "it does nothing by itself: pass it to `router`"]
pub struct Admin {
    pub(crate) access: Access,
    pub(crate) max_duration: Duration,
    max_memory_bytes: usize,
    pub(crate) metrics: Metrics,
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
                token: None,
                unix_socket: false,
            },
            max_duration: Duration::from_secs(300),
            max_memory_bytes: 64 << 20,
            metrics: Metrics::new(),
            about: About::new(),
            sessions: Arc::new(Sessions::new(4)),
        }
    }

    /// Sets the token. Clients that send it, as `Authorization: Bearer …`, are let in from any
    /// machine; other clients are not. Use TLS if the token travels over a network.
    ///
    /// # Errors
    /// [`AdminError::Token`] if no client can send the token: it must consist of one or more
    /// visible ASCII characters. So a token from an unset variable is an error, and lets nobody in.
    ///
    /// ```
    /// use hotprobe_admin::Admin;
    ///
    /// assert!(Admin::new().token("correct-horse").is_ok());
    /// assert!(Admin::new().token("").is_err());
    /// ```
    pub fn token(mut self, token: impl AsRef<str>) -> Result<Self, AdminError> {
        self.access.token = Some(Token::new(token.as_ref())?);
        Ok(self)
    }

    /// Lets in clients without an address, such as those of a Unix socket: the permissions of the
    /// socket's file determine who may connect. Unlike a loopback address, such a socket can be one
    /// user's. Do not call this for a server that listens on TCP without
    /// `into_make_service_with_connect_info::<SocketAddr>()`: its clients have no address, either.
    ///
    /// ```no_run
    /// # #[cfg(unix)] async fn example() -> std::io::Result<()> {
    /// use hotprobe_admin::{Admin, router};
    ///
    /// let admin = Admin::new().unix_socket();
    /// let app = axum::Router::new().nest_service("/debug/probes", router(admin));
    /// let listener = tokio::net::UnixListener::bind("/run/shop/probes.sock")?;
    /// axum::serve(listener, app.into_make_service()).await
    /// # }
    /// # // curl --unix-socket /run/shop/probes.sock http://localhost/debug/probes/events
    /// ```
    pub fn unix_socket(mut self) -> Self {
        self.access.unix_socket = true;
        self
    }

    /// Sets the maximum number of sessions (recordings, tails, measurements) open at once; 4 by
    /// default. Further requests get status 429. With 0, events can be listed, and nothing can be
    /// attached.
    ///
    /// # Errors
    /// [`AdminError::MaxSessions`] for more than 1024. Beside the memory of
    /// [`max_memory_bytes`](Self::max_memory_bytes), each session keeps up to 256 KiB for a client
    /// that reads slowly.
    ///
    /// ```
    /// use hotprobe_admin::Admin;
    ///
    /// assert!(Admin::new().max_sessions(0).is_ok());
    /// assert!(Admin::new().max_sessions(1025).is_err());
    /// ```
    pub fn max_sessions(self, sessions: usize) -> Result<Self, AdminError> {
        if sessions > LARGEST_SESSIONS {
            return Err(AdminError::MaxSessions {
                sessions,
                largest: LARGEST_SESSIONS,
            });
        }
        self.sessions.set_max(sessions);
        Ok(self)
    }

    /// Sets the longest duration of a session; 300 seconds by default.
    ///
    /// # Errors
    /// [`AdminError::MaxDuration`] for less than one second or more than one day.
    ///
    /// ```
    /// use hotprobe_admin::Admin;
    /// use std::time::Duration;
    ///
    /// assert!(Admin::new().max_duration(Duration::from_secs(60)).is_ok());
    /// assert!(Admin::new().max_duration(Duration::ZERO).is_err());
    /// ```
    pub fn max_duration(mut self, duration: Duration) -> Result<Self, AdminError> {
        if !(SHORTEST_DURATION..=LONGEST_DURATION).contains(&duration) {
            return Err(AdminError::MaxDuration {
                duration,
                shortest: SHORTEST_DURATION,
                longest: LONGEST_DURATION,
            });
        }
        self.max_duration = duration;
        Ok(self)
    }

    /// Limits the memory, in bytes, of all buffers of recordings and all tables of latencies and
    /// stacks together; 64 MiB by default. Each session has an equal share. A request that needs
    /// more than its share gets status 507.
    ///
    /// # Errors
    /// [`AdminError::MaxMemoryBytes`] for less than 64 KiB, which is one buffer of a recording.
    ///
    /// ```
    /// use hotprobe_admin::Admin;
    ///
    /// assert!(Admin::new().max_memory_bytes(32 << 20).is_ok());
    /// assert!(Admin::new().max_memory_bytes(1000).is_err());
    /// ```
    pub fn max_memory_bytes(mut self, bytes: usize) -> Result<Self, AdminError> {
        if bytes < SMALLEST_MEMORY {
            return Err(AdminError::MaxMemoryBytes {
                bytes,
                smallest: SMALLEST_MEMORY,
            });
        }
        self.max_memory_bytes = bytes;
        Ok(self)
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

    /// Adds metrics to those that `/metrics` serves by default: those of the
    /// [process](Metrics::process), and the number of open sessions.
    ///
    /// Each request calls the closures of `metrics` on a worker thread of the runtime, so they must
    /// not block.
    ///
    /// ```
    /// use hotprobe_admin::Admin;
    /// use hotprobe_profile::{Counts, Metrics};
    /// # hotprobe::event! { static REQUEST_DONE: fn(route: &str); }
    ///
    /// let counts = Counts::new().by(&REQUEST_DONE, "route").start()?;
    /// let admin = Admin::new().metrics(Metrics::new().counts(move || counts.snapshot()));
    /// # drop(admin);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Returns one session's share of the memory that all have together.
    pub(crate) fn memory_share(&self) -> usize {
        self.max_memory_bytes / self.sessions.max().max(1)
    }

    /// Returns the handle that ends all sessions when the server shuts down.
    ///
    /// ```no_run
    /// use hotprobe_admin::{Admin, router};
    /// use std::net::SocketAddr;
    /// use std::time::Duration;
    ///
    /// # async fn example<S>(signal: S) -> std::io::Result<()>
    /// # where S: Future<Output = ()> + Send + 'static {
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
            .field("has_token", &self.access.token.is_some())
            .field("unix_socket", &self.access.unix_socket)
            .field("max_sessions", &self.sessions.max())
            .field("max_duration", &self.max_duration)
            .field("max_memory_bytes", &self.max_memory_bytes)
            .finish_non_exhaustive()
    }
}

static_assertions::assert_impl_all!(Admin: Send, Sync, fmt::Debug);
