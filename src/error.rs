//! The error of waiting for a grace period: [`SynchronizeError`].

use std::error::Error;
use std::fmt;

/// The reason why [`synchronize`](crate::synchronize) did not wait to the end.
///
/// ```
/// use hotprobe::SynchronizeError;
///
/// let error = hotprobe::pinned(|| hotprobe::synchronize().unwrap_err());
/// assert_eq!(error, SynchronizeError::InProbe);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SynchronizeError {
    /// The caller is inside a probe, inside [`pinned`](crate::pinned) or inside the `Drop` of a
    /// value that a probe captured, and would wait for itself. It has not waited.
    InProbe,
    /// A firing, `pinned` scope or captured `Drop` did not end within the timeout. Call again to
    /// continue waiting.
    TimedOut,
}

impl fmt::Display for SynchronizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InProbe => {
                "synchronize was called inside a probe, `pinned` or a captured `Drop`, and would wait for \
                 itself: call it outside, or poll `grace_period()` from elsewhere"
            }
            Self::TimedOut => {
                "a firing, a `pinned` scope or a captured `Drop` outlasted the time given: call again to \
                 wait on"
            }
        })
    }
}

impl Error for SynchronizeError {}
