//! Waiting for firings to end, blocking and polling; reclaiming; pinning once for many firings.

use crate::error::SynchronizeError;
use crate::rcu::reclaim::{self, Effort, Ticket};
use crate::rcu::{domain, pin};
use std::time::{Duration, Instant};

/// Waits for a grace period: until every firing that was in flight at the call has ended, and the
/// captures of every probe that was detached before the call have been dropped.
///
/// Blocks the thread: spins briefly, then sleeps 50 µs at a time. Takes as long as the longest
/// firing or [`pinned`] scope of the **process**, or the longest `Drop` of a captured value.
/// Attach, detach and fire continue to work meanwhile. Captures may be dropped on this thread.
///
/// # Errors
/// [`SynchronizeError::InProbe`] at once, if called inside a probe, a `pinned` scope or a captured
/// `Drop`.
///
/// ```
/// hotprobe::event! { static TICK: fn(); }
///
/// let probe = TICK.attach(|| ());
/// probe.detach();
/// hotprobe::synchronize()?;
/// let stats = hotprobe::stats();
/// assert_eq!(stats.retired, stats.reclaimed);
/// # Ok::<(), hotprobe::SynchronizeError>(())
/// ```
pub fn synchronize() -> Result<(), SynchronizeError> {
    wait(None)
}

/// Waits as [`synchronize`] does, for about `timeout` at most. (A captured `Drop` that this thread
/// has begun is not interrupted.)
///
/// # Errors
/// Those of [`synchronize`]; and [`SynchronizeError::TimedOut`] after `timeout`. Call again to
/// continue waiting.
///
/// ```
/// use std::time::Duration;
///
/// hotprobe::synchronize_timeout(Duration::from_secs(1))?;
/// # Ok::<(), hotprobe::SynchronizeError>(())
/// ```
pub fn synchronize_timeout(timeout: Duration) -> Result<(), SynchronizeError> {
    // A time that the clock cannot express is forever.
    wait(Instant::now().checked_add(timeout))
}

fn wait(deadline: Option<Instant>) -> Result<(), SynchronizeError> {
    if pin::is_inside() {
        return Err(SynchronizeError::InProbe);
    }
    let ticket = domain().lock().ticket();
    let again = || deadline.is_none_or(|deadline| Instant::now() < deadline);
    if reclaim::wait(ticket, again) {
        Ok(())
    } else {
        Err(SynchronizeError::TimedOut)
    }
}

/// Begins a grace period, and returns a value that reports whether it is over. For async code,
/// where [`synchronize`] would block.
///
/// ```
/// # async fn pause() {}
/// # async fn example() {
/// let grace = hotprobe::grace_period();
/// while !grace.is_over() {
///     pause().await; // tokio::time::sleep, say
/// }
/// # }
/// ```
#[must_use = "a grace period that nobody asks about is of no use"]
pub fn grace_period() -> GracePeriod {
    GracePeriod {
        ticket: domain().lock().ticket(),
    }
}

/// A grace period that began when [`grace_period`] was called.
///
/// Equal values wait for the same firings, so a list of them needs each only once. Different ones
/// may end together.
///
/// ```
/// let grace = hotprobe::grace_period();
/// let copy = grace;
/// assert_eq!(grace, copy);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GracePeriod {
    ticket: Ticket,
}

impl GracePeriod {
    /// Returns whether every firing that was in flight has ended, and the captures of every probe
    /// detached before have been dropped. Never waits. Once true, it stays true.
    ///
    /// Like [`reclaim`], the call drops on this thread what can be dropped by now. Inside a probe,
    /// a `pinned` scope or a captured `Drop` it drops nothing.
    #[must_use]
    pub fn is_over(&self) -> bool {
        if pin::is_inside() {
            domain().lock().is_over(self.ticket)
        } else {
            reclaim::drive(self.ticket, Effort::UntilOver, || true)
        }
    }
}

/// Drops the captures of detached probes whose grace period is over. Never waits.
///
/// Every detach, commit and `synchronize` does the same. Call it to free memory once a stalled
/// firing has ended. Inside a probe, a `pinned` scope or a captured `Drop`, where nothing can be
/// dropped, it does nothing.
///
/// ```
/// hotprobe::reclaim();
/// ```
pub fn reclaim() {
    if !pin::is_inside() {
        let ticket = domain().lock().retired_so_far();
        reclaim::drive(ticket, Effort::All, || true);
    }
}

/// Runs `scope` and returns its result. All firings inside share one pin.
///
/// That makes them cheaper ([figures](crate::docs::performance#nested-and-pinned)). While `scope`
/// runs, no grace period of the process ends: no captures are dropped on any thread, and every
/// [`synchronize`] waits. Keep it short; never block inside. There, `synchronize` returns
/// [`InProbe`](SynchronizeError::InProbe).
///
/// ```
/// use hotprobe::fire;
/// hotprobe::event! { static ITEM: fn(n: u64); }
///
/// let sum: u64 = hotprobe::pinned(|| {
///     (0..1000).inspect(|&n| fire!(ITEM, n)).sum()
/// });
/// assert_eq!(sum, 499_500);
/// ```
#[inline]
pub fn pinned<R>(scope: impl FnOnce() -> R) -> R {
    pin::pinned(scope)
}

static_assertions::assert_impl_all!(GracePeriod: Send, Sync);
