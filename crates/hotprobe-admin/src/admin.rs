//! [`Admin`]: what a server allows requests to do.

use crate::access::Token;
use crate::sessions::{Sessions, Shutdown};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Who may ask, and for how much. [`router()`](crate::router()) makes it part of a server.
///
/// ```
/// use hotprobe_admin::Admin;
/// use std::time::Duration;
///
/// let token = std::env::var("PROBES_TOKEN").unwrap_or_default();
/// let admin = Admin::new()
///     .token(token) // an empty one lets nobody in
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
    pub(crate) token: Token,
    pub(crate) longest: Duration,
    memory: usize,
    pub(crate) sessions: Arc<Sessions>,
}

impl Default for Admin {
    fn default() -> Self {
        Self::new()
    }
}

impl Admin {
    /// No token, so that only this machine is answered; 4 sessions at once, of 300 seconds at most; 64 MiB for all
    /// recordings.
    pub fn new() -> Self {
        Self {
            token: Token::None,
            longest: Duration::from_secs(300),
            memory: 64 << 20,
            sessions: Arc::new(Sessions::new(4)),
        }
    }

    /// Whoever sends it is let in, from any machine, and nobody else: `Authorization: Bearer …`.
    ///
    /// It has to be visible ASCII characters. One that is not, or is empty, lets nobody in, so that a variable that was
    /// forgotten opens nothing. Use TLS where it goes over a network.
    pub fn token(mut self, token: impl AsRef<str>) -> Self {
        self.token = Token::new(token.as_ref());
        self
    }

    /// How many sessions may be open at once: recordings, tails, whatever is watched. 4 if nothing is said; with 0,
    /// events can be looked at, and nothing be attached. Requests for more are answered with 429.
    pub fn sessions_at_most(self, sessions: usize) -> Self {
        self.sessions.set_at_most(sessions);
        self
    }

    /// How long a session may be: 300 seconds if nothing is said; at least 1 second, at most a day.
    pub fn seconds_at_most(mut self, longest: Duration) -> Self {
        self.longest = longest.clamp(Duration::from_secs(1), Duration::from_secs(24 * 3600));
        self
    }

    /// How many bytes the buffers of all recordings, and the tables of latencies and stacks, may have together: 64 MiB if
    /// nothing is said. Each session has its share of that, so that one never takes another's.
    pub fn memory_at_most(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// Returns one session's share of the memory that all have together.
    pub(crate) fn memory_share(&self) -> usize {
        self.memory / self.sessions.at_most().max(1)
    }

    /// What ends all that is open when the server shuts down.
    ///
    /// ```no_run
    /// use hotprobe_admin::{Admin, router};
    /// use std::net::SocketAddr;
    ///
    /// # async fn example(signal: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
    /// let admin = Admin::new();
    /// let shutdown = admin.shutdown();
    /// let app = axum::Router::new().nest("/debug/probes", router(admin));
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:9000").await?;
    /// axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
    ///     .with_graceful_shutdown(async move {
    ///         signal.await;
    ///         shutdown.begin(); // else a tail would hold the server up until its time is over
    ///     })
    ///     .await
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
    /// (Without the token.)
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("has_token", &self.token.is_set())
            .field("sessions_at_most", &self.sessions.at_most())
            .field("seconds_at_most", &self.longest)
            .field("memory_at_most", &self.memory)
            .finish_non_exhaustive()
    }
}

static_assertions::assert_impl_all!(Admin: Send, Sync, fmt::Debug);
