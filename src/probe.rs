//! One attached closure: its handle, [`Probe`], and what a list of probes shows of it, [`ProbeInfo`].

use crate::error::SynchronizeError;
use crate::grace;
use crate::rcu::EventCell;
use crate::rcu::slot::Handle;
use crate::rcu::update;
use std::fmt;

/// An attached probe: keep it, and the probe stays attached; drop it, and it is detached.
///
/// Made by an event's `attach`. The handle can go to any thread; the probe does not care.
///
/// ```
/// hotprobe::event! { static HELLO: fn(who: &str); }
///
/// let probe = HELLO.attach(|who| println!("{who}"));
/// assert!(probe.is_attached());
/// assert!(probe.detach());
/// assert!(!probe.detach(), "it was detached already");
/// ```
#[must_use = "a dropped `Probe` is detached at once (`let _ = …` drops it at once, too): \
              bind it to a name, add it to a `ProbeGroup`, or call `.leak()`"]
pub struct Probe {
    handle: Handle,
    leaked: bool,
}

impl Probe {
    pub(crate) fn new(handle: Handle) -> Self {
        Self {
            handle,
            leaked: false,
        }
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Detaches the probe. Returns true if this call detached it, false if it was detached already.
    ///
    /// When it has returned, true or false, no firing that happens after calls the probe. A firing in
    /// flight on another thread may still be running it, or be about to: to wait for that, use
    /// [`detach_and_wait`](Self::detach_and_wait).
    ///
    /// What the probe captured is dropped on this thread before `detach` returns, if nothing else is in
    /// progress anywhere; otherwise later, by the next call that detaches, commits, synchronizes or
    /// reclaims.
    /// Inside a probe, a [`pinned`](crate::pinned) scope or another captured `Drop`, nothing is dropped.
    ///
    /// # Cost
    /// Takes the process-wide lock for a copy of the event's probe vector. Never waits for a firing.
    /// Allocates the shorter vector, but takes effect even if there is no memory for it.
    ///
    /// # Panics
    /// Never; a panic in a captured `Drop` is caught and counted ([`Stats::drop_panics`](crate::Stats)).
    ///
    /// ```
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let probe = TICK.attach(|| unreachable!("it is detached before the first tick"));
    /// assert!(probe.detach());
    /// TICK.fire();
    /// ```
    #[allow(
        clippy::must_use_candidate,
        reason = "the answer is often of no interest"
    )]
    pub fn detach(&self) -> bool {
        update::detach(std::iter::once(self.handle.slot()), &[]) == 1
    }

    /// Detaches the probe and waits until no firing runs it any more and its captures have been dropped.
    ///
    /// Blocks the thread; in async code use [`grace_period`](crate::grace_period), or a thread for blocking
    /// calls.
    ///
    /// # Errors
    /// [`SynchronizeError::InProbe`] inside a probe, a `pinned` scope or a captured `Drop`. The probe has
    /// been detached all the same; only the wait was not possible.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let (sender, receiver) = mpsc::channel();
    /// let probe = TICK.attach(move || sender.send(()).unwrap());
    /// TICK.fire();
    /// probe.detach_and_wait()?;
    /// // The sender is gone, so that this ends:
    /// assert_eq!(receiver.into_iter().count(), 1);
    /// # Ok::<(), hotprobe::SynchronizeError>(())
    /// ```
    pub fn detach_and_wait(&self) -> Result<(), SynchronizeError> {
        self.detach();
        grace::synchronize()
    }

    /// Leaves the probe attached forever.
    ///
    /// ```
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// TICK.attach(|| ()).leak();
    /// assert!(TICK.is_enabled());
    /// ```
    pub fn leak(mut self) {
        self.leaked = true;
    }

    /// Returns whether it is attached. A probe that was switched off after a panic still is.
    ///
    /// ```
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let probe = TICK.attach(|| ());
    /// assert!(probe.is_attached());
    /// probe.detach();
    /// assert!(!probe.is_attached());
    /// ```
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.handle.header().is_attached()
    }

    /// Returns whether a call of it has panicked, ever.
    ///
    /// ```
    /// # std::panic::set_hook(Box::new(|_| ()));
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let probe = TICK.attach(|| panic!("out of ideas"));
    /// TICK.fire();
    /// assert!(probe.has_panicked());
    /// assert!(!TICK.is_enabled(), "its only probe is switched off");
    /// assert!(probe.is_attached(), "but still attached");
    /// ```
    #[must_use]
    pub fn has_panicked(&self) -> bool {
        self.handle.header().has_panicked()
    }

    /// Returns the name it was given ([`ProbeOptions::name`](crate::ProbeOptions::name)).
    ///
    /// ```
    /// use hotprobe::ProbeOptions;
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let probe = TICK.attach_with(ProbeOptions::new().name("watch"), || ());
    /// assert_eq!(probe.name(), Some("watch"));
    /// ```
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.handle.header().name()
    }
}

impl Drop for Probe {
    /// Detaches, unless that has happened.
    fn drop(&mut self) {
        if !self.leaked && !self.handle.header().is_detached() {
            self.detach();
        }
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe")
            .field("event", &self.handle.header().cell.metadata().whole_name())
            .field("name", &self.name())
            .field("is_attached", &self.is_attached())
            .field("has_panicked", &self.has_panicked())
            .finish_non_exhaustive()
    }
}

/// A probe of an event, as those see it who list them ([`Event::probes`](crate::Event::probes)): what can be
/// asked of it, and nothing that changes it.
///
/// It stays accurate after the probe is detached, and does not delay the drop of what the probe captured.
///
/// ```
/// use hotprobe::ProbeOptions;
/// hotprobe::event! { static TICK: fn(); }
///
/// let probe = TICK.attach_with(ProbeOptions::new().name("slow requests"), || ());
/// let infos = TICK.probes();
/// assert_eq!(infos[0].name(), Some("slow requests"));
/// probe.detach();
/// assert!(!infos[0].is_attached());
/// ```
#[derive(Clone)]
pub struct ProbeInfo {
    handle: Handle,
}

impl ProbeInfo {
    pub(crate) fn of(cell: &EventCell) -> Vec<Self> {
        cell.handles()
            .into_iter()
            .map(|handle| Self { handle })
            .collect()
    }

    /// Returns the name it was given ([`ProbeOptions::name`](crate::ProbeOptions::name)).
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.handle.header().name()
    }

    /// Returns whether it is still attached, as [`Probe::is_attached`].
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.handle.header().is_attached()
    }

    /// Returns whether a call of it has panicked, ever, as [`Probe::has_panicked`].
    #[must_use]
    pub fn has_panicked(&self) -> bool {
        self.handle.header().has_panicked()
    }
}

impl fmt::Debug for ProbeInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProbeInfo")
            .field("event", &self.handle.header().cell.metadata().whole_name())
            .field("name", &self.name())
            .field("is_attached", &self.is_attached())
            .field("has_panicked", &self.has_panicked())
            .finish_non_exhaustive()
    }
}

static_assertions::assert_impl_all!(Probe: Send, Sync, std::panic::UnwindSafe, std::panic::RefUnwindSafe, fmt::Debug);
static_assertions::assert_impl_all!(ProbeInfo: Send, Sync, std::panic::UnwindSafe, std::panic::RefUnwindSafe);
