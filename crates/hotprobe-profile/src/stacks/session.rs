//! A running stack profile.

use super::capture::Busy;
use super::collector::StackCollector;
use super::profile::StackProfile;
use super::raw::StackCounts;
use crate::FinishError;
use crate::session::SessionProbes;
use hotprobe_filter::BindError;
use std::fmt;
use std::sync::Arc;

/// A running stack profile: it counts the call stacks that lead to its events. Returned by
/// [`Stacks::start`](crate::Stacks::start). Dropping it detaches from all events, without waiting.
///
/// ```
/// use hotprobe_profile::Stacks;
/// hotprobe::event! { static TICK: fn(); }
///
/// let session = Stacks::at(&TICK).start()?;
/// TICK.fire();
/// assert_eq!(session.counts().fired, 1);
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
#[must_use = "a dropped `StacksSession` ends at once (`let _ = …` drops it at once, too): bind it to a name"]
pub struct StacksSession {
    pub(super) collector: Arc<StackCollector>,
    pub(super) left_out: Vec<BindError>,
    pub(super) probes: SessionProbes,
}

impl StacksSession {
    /// Returns the number of firings, and what became of them. Each number is read at an instant of
    /// its own during the call.
    ///
    /// It reads the whole table, without stopping any thread.
    #[must_use]
    pub fn counts(&self) -> StackCounts {
        self.collector.counts()
    }

    /// Returns the profile so far; counting continues. Names are not looked up yet.
    ///
    /// It copies the table, without stopping any thread. A firing in progress may be in a stack's
    /// count and not yet in its weight.
    ///
    /// ```
    /// use hotprobe_profile::Stacks;
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let session = Stacks::at(&TICK).start()?;
    /// TICK.fire();
    /// let first = session.snapshot();
    /// TICK.fire();
    /// assert_eq!((first.counts().fired, session.snapshot().counts().fired), (1, 2));
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> StackProfile {
        let _busy = Busy::enter();
        StackProfile::new(self.collector.raw())
    }

    /// Returns why events of patterns were left out: the condition does not fit them. Each error
    /// has the event's name.
    #[must_use]
    pub fn left_out(&self) -> &[BindError] {
        &self.left_out
    }

    /// Detaches from all events at one instant, without waiting. Firings in flight may still be
    /// counted. A second call does nothing.
    ///
    /// ```
    /// use hotprobe_profile::Stacks;
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let session = Stacks::at(&TICK).start()?;
    /// session.detach();
    /// TICK.fire();
    /// assert_eq!(session.counts().fired, 0);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn detach(&self) {
        self.probes.detach();
    }

    /// Detaches from all events, waits for the firings in flight, and returns the profile.
    ///
    /// It blocks the thread until those firings have ended.
    ///
    /// # Errors
    /// [`FinishError`] inside a probe, [`pinned`](hotprobe::pinned) or a captured `Drop`, where it
    /// would wait for itself. The error contains the session, which is detached.
    ///
    /// ```
    /// use hotprobe_profile::Stacks;
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let session = Stacks::at(&TICK).start()?;
    /// TICK.fire();
    /// let profile = session.finish()?;
    /// TICK.fire();
    /// assert_eq!(profile.counts().fired, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn finish(self) -> Result<StackProfile, FinishError<Self>> {
        match self.probes.detach_and_wait() {
            Ok(()) => Ok(self.snapshot()),
            Err(error) => Err(FinishError::new(self, error)),
        }
    }
}

impl fmt::Debug for StacksSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StacksSession")
            .field("sources", &self.collector.sources)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

static_assertions::assert_impl_all!(StacksSession: Send, Sync);
