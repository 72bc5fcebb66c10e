//! Sessions, the temporary attachments of requests: how many at once, until when, and how they end.

use crate::errors::Problem;
use crate::pipe::Pipe;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use std::collections::HashMap;
use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// All of an admin's sessions.
pub(crate) struct Sessions {
    max: AtomicUsize,
    open: Mutex<Open>,
    /// Whether they are to end.
    shutdown: watch::Sender<bool>,
    /// How many are open.
    count: watch::Sender<usize>,
}

#[derive(Default)]
struct Open {
    /// When each ends.
    ends: HashMap<u64, Instant>,
    /// By which each can be stopped early.
    stops: HashMap<u64, watch::Sender<bool>>,
    next: u64,
}

/// One that is open; it counts as long as this lives.
pub(crate) struct Session {
    sessions: Arc<Sessions>,
    number: u64,
    end: Instant,
    /// Whether it is to end early.
    stopped: watch::Receiver<bool>,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Its time is up.
    Time,
    /// `POST /stop` ended it.
    Stopped,
    /// The client has gone.
    Gone,
    /// The server shuts down.
    Shutdown,
}

impl Ending {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Stopped => "stopped",
            Self::Gone => "gone",
            Self::Shutdown => "shutdown",
        }
    }
}

impl Sessions {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max: AtomicUsize::new(max),
            open: Mutex::default(),
            shutdown: watch::Sender::new(false),
            count: watch::Sender::new(0),
        }
    }

    pub(crate) fn max(&self) -> usize {
        // Relaxed: set before there is a session.
        self.max.load(Ordering::Relaxed)
    }

    pub(crate) fn set_max(&self, max: usize) {
        self.max.store(max, Ordering::Relaxed);
    }

    pub(crate) fn open(&self) -> usize {
        *self.count.borrow()
    }

    /// Begins one, if there is room.
    pub(crate) fn begin(self: &Arc<Self>, lasts: Duration) -> Result<Session, Problem> {
        let now = Instant::now();
        let end = now + lasts;
        let mut open = self.lock();
        if *self.shutdown.borrow() {
            return Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "shutdown",
                "the server shuts down, and nothing is attached any more",
            ));
        }
        let max = self.max();
        if max == 0 {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                "this server lets nobody attach anything (`Admin::max_sessions(0)`); what it knows can be read",
            ));
        }
        if open.ends.len() >= max {
            let first = open.ends.values().min().copied().unwrap_or(now);
            let wait = first.saturating_duration_since(now).as_secs() + 1;
            let message = format!(
                "{} sessions are open, and there may be {max} at once: try again in {wait} s",
                open.ends.len()
            );
            return Err(
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "sessions", message)
                    .with_header(header::RETRY_AFTER, wait.to_string()),
            );
        }
        let number = open.next;
        open.next += 1;
        open.ends.insert(number, end);
        let (stop, stopped) = watch::channel(false);
        open.stops.insert(number, stop);
        self.count.send_replace(open.ends.len());
        drop(open);
        Ok(Session {
            sessions: Arc::clone(self),
            number,
            end,
            stopped,
        })
    }

    /// Ends a session early. Returns whether it was open.
    pub(crate) fn stop(&self, number: u64) -> bool {
        let open = self.lock();
        let stop = open.stops.get(&number);
        stop.is_some_and(|stop| stop.send(true).is_ok())
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The header of a response that has a session: the session's number, for `POST /stop`.
pub(crate) const SESSION: HeaderName = HeaderName::from_static("hotprobe-session");

impl Session {
    /// Returns its number, as the value of the header [`SESSION`].
    pub(crate) fn number(&self) -> HeaderValue {
        self.number.into()
    }

    /// Returns when it is to end.
    pub(crate) async fn ending(&self, pipe: &Pipe) -> Ending {
        let mut shutdown = self.sessions.shutdown.subscribe();
        let mut shutdown = pin!(async {
            // (The sender lives as long as the session.)
            let _ = shutdown.wait_for(|shutdown| *shutdown).await;
        });
        let mut stopped = self.stopped.clone();
        let mut stopped = pin!(async {
            // (The sender lives as long as the session.)
            let _ = stopped.wait_for(|stopped| *stopped).await;
        });
        let mut gone = pin!(pipe.gone());
        let mut time = pin!(sleep_until(self.end));
        poll_fn(|context| {
            if gone.as_mut().poll(context).is_ready() {
                Poll::Ready(Ending::Gone)
            } else if shutdown.as_mut().poll(context).is_ready() {
                Poll::Ready(Ending::Shutdown)
            } else if stopped.as_mut().poll(context).is_ready() {
                Poll::Ready(Ending::Stopped)
            } else {
                time.as_mut().poll(context).map(|()| Ending::Time)
            }
        })
        .await
    }

    /// As [`ending`](Self::ending), but for a moment at most.
    pub(crate) async fn ending_within(&self, pipe: &Pipe, moment: Instant) -> Option<Ending> {
        let moment = moment.min(self.end);
        tokio::time::timeout_at(moment, self.ending(pipe))
            .await
            .ok()
            .or_else(|| (moment == self.end).then_some(Ending::Time))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut open = self.sessions.lock();
        open.ends.remove(&self.number);
        open.stops.remove(&self.number);
        self.sessions.count.send_replace(open.ends.len());
    }
}

/// How long a client may take nothing of what waits for it after the end, and how long the rest may
/// take.
const STALLED: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(120);
/// How long a session that the server's shutdown ends may take for the rest.
const SHUTDOWN: Duration = Duration::from_millis(500);

/// Returns when a session that has ended has had enough time to send the rest: when the client
/// takes nothing of it, or takes forever; soon if the server shuts down; at once if nobody is
/// there.
pub(crate) async fn patience(pipe: &Pipe, ending: Ending) {
    let (stalled, longest) = match ending {
        Ending::Gone => return,
        Ending::Shutdown => (SHUTDOWN, SHUTDOWN),
        Ending::Time | Ending::Stopped => (STALLED, LONGEST),
    };
    let last = Instant::now() + longest;
    loop {
        let takes = pipe.takes();
        let moment = (Instant::now() + stalled).min(last);
        let has_gone = tokio::time::timeout_at(moment, pipe.gone()).await.is_ok();
        let stands_still = pipe.takes() == takes && !pipe.is_drained();
        if has_gone || stands_still || moment == last {
            return;
        }
    }
}

/// How long firings in flight are waited for, once all is detached; and if the server shuts down.
const IN_FLIGHT: Duration = Duration::from_secs(1);
const IN_FLIGHT_AT_SHUTDOWN: Duration = Duration::from_millis(100);

/// Returns how long a session that has ended may wait for firings in flight: no firing of the
/// program, which may never end, holds up a session for longer.
pub(crate) fn in_flight(ending: Ending) -> Duration {
    match ending {
        Ending::Time | Ending::Stopped => IN_FLIGHT,
        Ending::Shutdown => IN_FLIGHT_AT_SHUTDOWN,
        Ending::Gone => Duration::ZERO,
    }
}

/// Waits for the firings in flight, without blocking the thread. Returns whether all have ended.
pub(crate) async fn settle(ending: Ending) -> bool {
    let end = Instant::now() + in_flight(ending);
    let grace = hotprobe::grace_period();
    loop {
        if grace.is_over() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until the body has been sent, with patience; cuts it off else.
pub(crate) async fn sent(pipe: &Pipe, patience: impl Future<Output = ()>) {
    if !before(pipe.drained(), patience).await {
        pipe.abort();
    }
}

/// Whether the first was ready before the second.
pub(crate) async fn before(
    first: impl Future<Output = ()>,
    second: impl Future<Output = ()>,
) -> bool {
    let mut first = pin!(first);
    let mut second = pin!(second);
    poll_fn(|context| {
        if first.as_mut().poll(context).is_ready() {
            Poll::Ready(true)
        } else {
            second.as_mut().poll(context).map(|()| false)
        }
    })
    .await
}

/// Ends the sessions of an [`Admin`](crate::Admin), so that they do not delay a server's shutdown.
/// Returned by [`Admin::shutdown`](crate::Admin::shutdown); all clones do the same.
///
/// ```
/// use hotprobe_admin::Admin;
///
/// let admin = Admin::new();
/// let shutdown = admin.shutdown();
/// let router = hotprobe_admin::router(admin);
/// let app = axum::Router::<()>::new().nest_service("/debug/probes", router);
/// // When the signal comes, before the server's own shutdown:
/// shutdown.begin();
/// assert_eq!(shutdown.open_sessions(), 0);
/// # drop(app);
/// ```
#[derive(Clone)]
pub struct Shutdown {
    pub(crate) sessions: Arc<Sessions>,
}

impl Shutdown {
    /// Detaches everything that requests have attached, ends their streams, and refuses new
    /// sessions with 503. The page and the endpoints that only read are still answered. Never
    /// waits. Calling it again does nothing.
    ///
    /// A recording that is being sent is finished, so that the trace can be opened; the client has
    /// half a second to read the rest.
    pub fn begin(&self) {
        // Under the lock: a session that begins has either seen this, or is notified.
        let _open = self.sessions.lock();
        self.sessions.shutdown.send_replace(true);
    }

    /// Runs a server until it ends; after [`begin`](Self::begin), for at most `drain` longer.
    ///
    /// A client that does not read its response can delay a graceful shutdown forever: its
    /// connection stays open, even when its session has ended. `drain` bounds that.
    ///
    /// Returns the server's result, or `None` if connections were still open after `drain`. axum's
    /// connections are separate tasks: those end with the runtime, as when `main` returns.
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
    ///         begin.begin();
    ///     });
    /// shutdown.serve(server, Duration::from_secs(10)).await.unwrap_or(Ok(()))
    /// # }
    /// ```
    pub async fn serve<S: IntoFuture>(&self, server: S, drain: Duration) -> Option<S::Output> {
        let time_is_up = async {
            self.begun().await;
            tokio::time::sleep(drain).await;
        };
        let mut output = None;
        let running = async { output = Some(server.await) };
        before(running, time_is_up).await;
        output
    }

    /// Completes when [`begin`](Self::begin) has been called.
    pub(crate) async fn begun(&self) {
        let mut shutdown = self.sessions.shutdown.subscribe();
        // (The sender lives as long as this.)
        let _ = shutdown.wait_for(|shutdown| *shutdown).await;
    }

    /// Completes when no session is open.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let shutdown = hotprobe_admin::Admin::new().shutdown();
    /// shutdown.begin();
    /// shutdown.ended().await;
    /// # }
    /// ```
    pub async fn ended(&self) {
        let mut count = self.sessions.count.subscribe();
        // (The sender lives as long as this.)
        let _ = count.wait_for(|count| *count == 0).await;
    }

    /// Returns how many sessions are open.
    #[must_use]
    pub fn open_sessions(&self) -> usize {
        self.sessions.open()
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown")
            .field("has_begun", &*self.sessions.shutdown.borrow())
            .field("open_sessions", &self.open_sessions())
            .finish_non_exhaustive()
    }
}

static_assertions::assert_impl_all!(Shutdown: Send, Sync);
