//! What all sessions share: their probes, and the error that gives a session back.

use hotprobe::{Batch, ProbeGroup, SynchronizeError};
use std::error::Error;
use std::fmt;
use std::mem;
use std::sync::{Mutex, PoisonError};

/// The probes of a session.
#[derive(Debug)]
pub(crate) struct SessionProbes(Mutex<ProbeGroup>);

impl SessionProbes {
    /// Attaches all probes of the batch at one instant.
    pub(crate) fn attach(batch: Batch) -> Self {
        Self(Mutex::new(batch.commit()))
    }

    pub(crate) fn detach(&self) {
        // Taken out first: what detaching drops is not dropped under the lock.
        let mut probes = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        probes.detach();
    }

    /// Detaches, and waits until no firing is in flight.
    pub(crate) fn detach_and_wait(&self) -> Result<(), SynchronizeError> {
        self.detach();
        hotprobe::synchronize()
    }
}

/// The error of a `finish` that could not wait for the firings in flight. It contains the session,
/// with everything that was measured.
///
/// `finish` fails inside a probe, [`pinned`](hotprobe::pinned) or a captured `Drop`, where it would
/// wait for itself. The session has detached all the same. Take a snapshot of it, or finish it
/// again outside.
///
/// ```
/// # hotprobe::event! { static TICK: fn(); }
/// let session = hotprobe_profile::Counts::new().event(&TICK).start()?;
/// TICK.fire();
/// let error = hotprobe::pinned(|| session.finish().unwrap_err());
/// let counts = error.into_session().finish()?;
/// assert_eq!(counts.events()[0].count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FinishError<S> {
    session: Box<S>,
    source: SynchronizeError,
}

impl<S> FinishError<S> {
    pub(crate) fn new(session: S, source: SynchronizeError) -> Self {
        Self {
            session: Box::new(session),
            source,
        }
    }

    /// Returns the session, which is detached.
    #[must_use]
    pub fn into_session(self) -> S {
        *self.session
    }

    /// Returns why `finish` could not wait.
    #[must_use]
    pub const fn synchronize_error(&self) -> SynchronizeError {
        self.source
    }
}

impl<S> fmt::Debug for FinishError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FinishError")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl<S> fmt::Display for FinishError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the session is detached, but could not wait for the firings in flight: take it from this error with \
             `into_session`, and finish it outside",
        )
    }
}

impl<S> Error for FinishError<S> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
