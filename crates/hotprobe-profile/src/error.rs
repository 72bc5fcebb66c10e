//! What can go wrong with profiling, as sentences that say what to do.

use hotprobe_filter::{BindError, FilterError, ParseError};
use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The error of a profile that could not be built, started or saved.
///
/// ```
/// use hotprobe_profile::{Latency, ProfileError};
/// hotprobe::event! { static OPENED: fn(file: u64, path: &str); static CLOSED: fn(file: u64); }
///
/// let error = Latency::between(&OPENED, &CLOSED, "path").start().unwrap_err();
/// assert!(matches!(error, ProfileError::Parameter { .. }));
/// assert!(error.to_string().ends_with("CLOSED` has no parameter `path`; it has `file: u64`"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ProfileError {
    /// No event was chosen.
    NothingChosen,
    /// A pattern matches no event of the program.
    NothingMatches {
        /// The pattern.
        pattern: String,
        /// How many events there are.
        events: usize,
    },
    /// A key, label or weight is not a parameter of its event, or cannot be used as one.
    Parameter {
        /// What is wrong with which event, with the parameters that there are.
        reason: String,
    },
    /// A condition is none, or does not fit an event.
    Filter(FilterError),
    /// A limit is not possible.
    Limit {
        /// Which, and what would be.
        reason: String,
    },
    /// The extension of a path is of no known format.
    UnknownFormat {
        /// The path.
        path: PathBuf,
        /// The known extensions.
        endings: &'static str,
    },
    /// A file or a writer failed.
    Io {
        /// The file, if it was one.
        path: Option<PathBuf>,
        /// What it said.
        source: io::Error,
    },
}

impl ProfileError {
    pub(crate) fn io(path: Option<&Path>, source: io::Error) -> Self {
        Self::Io {
            path: path.map(Into::into),
            source,
        }
    }
}

impl From<ParseError> for ProfileError {
    fn from(error: ParseError) -> Self {
        Self::Filter(error.into())
    }
}

impl From<BindError> for ProfileError {
    fn from(error: BindError) -> Self {
        Self::Filter(error.into())
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingChosen => {
                f.write_str("no event was chosen: call `event` or `matching` before `start`")
            }
            Self::NothingMatches { pattern, events } if pattern.contains('*') => write!(
                f,
                "no event matches `{pattern}` (of {events}); `hotprobe::events()` lists their names"
            ),
            Self::NothingMatches { pattern, events } => write!(
                f,
                "no event matches `{pattern}` (of {events}); try `*{pattern}*`"
            ),
            Self::Parameter { reason } | Self::Limit { reason } => f.write_str(reason),
            Self::Filter(error) => error.fmt(f),
            Self::UnknownFormat { path, endings } => write!(
                f,
                "cannot tell the format from the extension of `{}`; use {endings}",
                path.display()
            ),
            Self::Io {
                path: Some(path), ..
            } => write!(f, "`{}` could not be written", path.display()),
            Self::Io { path: None, .. } => f.write_str("the profile could not be written"),
        }
    }
}

impl Error for ProfileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

static_assertions::assert_impl_all!(ProfileError: Send, Sync);
