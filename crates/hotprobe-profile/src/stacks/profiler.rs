//! The handle of a stack profile that is being counted.

use super::capture::Busy;
use super::collector::StackCollector;
use super::profile::StackProfile;
use super::raw::StackCounts;
use hotprobe::{ProbeGroup, SynchronizeError};
use std::fmt;
use std::sync::Arc;

/// Counts the call stacks that lead to events, as long as it lives.
///
/// Made by [`Stacks::at`] and [`start`](crate::StacksBuilder::start). Dropped, it detaches from its events.
///
/// ```
/// use hotprobe_profile::Stacks;
/// hotprobe::event! { static TICK: fn(); }
///
/// let stacks = Stacks::at(&TICK).start()?;
/// TICK.fire();
/// assert_eq!(stacks.counts().fired, 1);
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
#[must_use = "dropped, it counts nothing any more: bind it to a name"]
pub struct Stacks {
    pub(super) collector: Arc<StackCollector>,
    pub(super) group: ProbeGroup,
}

impl Stacks {
    /// Returns how many firings there have been, and what became of them. While there are more, each
    /// number is that of some moment during the call.
    ///
    /// Goes through the whole table; stops nobody.
    #[must_use]
    pub fn counts(&self) -> StackCounts {
        self.collector.counts()
    }

    /// Returns what has been counted so far; counting continues. Names are not looked up yet.
    ///
    /// Copies the table; stops nobody. A firing that is in progress may be in a stack's count and not in its weight
    /// yet.
    ///
    /// ```
    /// use hotprobe_profile::Stacks;
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let stacks = Stacks::at(&TICK).start()?;
    /// TICK.fire();
    /// let first = stacks.snapshot();
    /// TICK.fire();
    /// assert_eq!((first.counts().fired, stacks.snapshot().counts().fired), (1, 2));
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> StackProfile {
        let _busy = Busy::enter();
        StackProfile::new(self.collector.raw())
    }

    /// Detaches from all events, at one instant, and waits for nothing. A firing that is in flight may still be counted.
    ///
    /// ```
    /// use hotprobe_profile::Stacks;
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let mut stacks = Stacks::at(&TICK).start()?;
    /// stacks.detach();
    /// TICK.fire();
    /// assert_eq!(stacks.counts().fired, 0);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn detach(&mut self) {
        self.group.detach();
    }

    /// Detaches from all events, at one instant, waits until no firing is counted any more, and returns what was counted.
    /// A second call returns the same.
    ///
    /// Blocks the thread until firings in progress have ended.
    ///
    /// # Errors
    /// [`SynchronizeError::InProbe`] inside a probe, [`pinned`](hotprobe::pinned) or a captured `Drop`: it has detached,
    /// but could not wait. Call it again outside.
    ///
    /// ```
    /// use hotprobe_profile::Stacks;
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let mut stacks = Stacks::at(&TICK).start()?;
    /// TICK.fire();
    /// let profile = stacks.finish()?;
    /// TICK.fire();
    /// assert_eq!(profile.counts().fired, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn finish(&mut self) -> Result<StackProfile, SynchronizeError> {
        self.group.detach_and_wait()?;
        Ok(self.snapshot())
    }
}

impl fmt::Debug for Stacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stacks")
            .field("sources", &self.collector.sources)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

static_assertions::assert_impl_all!(Stacks: Send, Sync);
