//! [`AdminError`]: why a setting of [`Admin`](crate::Admin) is refused.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// The error of a setting of [`Admin`](crate::Admin). Its message says which values are possible.
///
/// ```
/// use hotprobe_admin::{Admin, AdminError};
///
/// let error = Admin::new().token("two words").unwrap_err();
/// assert!(matches!(error, AdminError::Token { .. }));
/// assert_eq!(
///     error.to_string(),
///     "the token has a character that no client can send, at byte 3; use visible ASCII \
///      characters without spaces"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdminError {
    /// No client can send the token: it is empty, or has a character that is not visible ASCII.
    /// The error does not contain the token, which is a secret.
    #[non_exhaustive]
    Token {
        /// The index of the first byte that no client can send; `None` if the token is empty.
        position: Option<usize>,
    },
    /// This number of sessions cannot be open at once.
    #[non_exhaustive]
    MaxSessions {
        /// The number that was given.
        sessions: usize,
        /// The largest number that is possible.
        largest: usize,
    },
    /// A session cannot have this duration.
    #[non_exhaustive]
    MaxDuration {
        /// The duration that was given.
        duration: Duration,
        /// The shortest duration that is possible.
        shortest: Duration,
        /// The longest duration that is possible.
        longest: Duration,
    },
    /// The memory is too small for one recording.
    #[non_exhaustive]
    MaxMemoryBytes {
        /// The number of bytes that was given.
        bytes: usize,
        /// The smallest number of bytes that is possible.
        smallest: usize,
    },
}

impl fmt::Display for AdminError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token { position: None } => f.write_str(
                "the token is empty; use visible ASCII characters, or no token for this machine only",
            ),
            Self::Token {
                position: Some(position),
            } => write!(
                f,
                "the token has a character that no client can send, at byte {position}; use visible \
                 ASCII characters without spaces"
            ),
            Self::MaxSessions { sessions, largest } => write!(
                f,
                "{sessions} sessions cannot be open at once; at most {largest} can"
            ),
            Self::MaxDuration {
                duration,
                shortest,
                longest,
            } => write!(
                f,
                "the maximum duration of a session cannot be {duration:?}; it can be {} s to {} s",
                shortest.as_secs(),
                longest.as_secs()
            ),
            Self::MaxMemoryBytes { bytes, smallest } => write!(
                f,
                "{bytes} bytes have no room for a recording; use {smallest} or more for each session"
            ),
        }
    }
}

impl Error for AdminError {}

static_assertions::assert_impl_all!(AdminError: Send, Sync);
