//! What can go wrong with a recording, as sentences that say what to do.

use super::{Recording, Trace};
use crate::formats::file::Format;
use hotprobe_filter::{BindError, FilterError, ParseError};
use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a recording could not be started, finished or saved.
///
/// The message of an error does not contain that of its [`source`](Error::source): print both, as
/// `anyhow` does with `{:#}`.
///
/// ```
/// use hotprobe_record::{RecordError, Recorder};
/// use std::error::Error;
///
/// let error = Recorder::new().matching("no_such_crate::*").start().unwrap_err();
/// assert!(matches!(error, RecordError::NothingMatches { .. }));
/// assert!(error.to_string().starts_with("no event matches `no_such_crate::*`"));
///
/// let error = Recorder::new().all().stream_to("/no/such/folder/trace.json").start().unwrap_err();
/// # hotprobe::event! { static TICK: fn(); }
/// # TICK.fire();
/// assert_eq!(error.to_string(), "cannot write `/no/such/folder/trace.json`");
/// println!("{error}: {}", error.source().expect("the file system's error"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum RecordError {
    /// The recorder was given no event.
    NothingChosen,
    /// A pattern matches no event of the program.
    #[non_exhaustive]
    NothingMatches {
        /// The pattern.
        pattern: String,
        /// The number of events in the program.
        events: usize,
    },
    /// The key of a slice is not a parameter of both its events, or cannot pair them.
    #[non_exhaustive]
    Slice {
        /// The slice's name.
        slice: String,
        /// What is wrong, with the parameters that there are.
        reason: String,
    },
    /// A condition is none, or does not fit an event.
    Filter(FilterError),
    /// A limit is not possible.
    #[non_exhaustive]
    Limit {
        /// Which limit, and why.
        reason: String,
    },
    /// The extension of a path is that of no format.
    #[non_exhaustive]
    UnknownFormat {
        /// The path.
        path: PathBuf,
    },
    /// The value of `HOTPROBE_RECORD` is malformed, or asks for a recording that cannot start.
    #[non_exhaustive]
    Environment {
        /// What is wrong with which part of the value.
        reason: String,
        /// Why the recording cannot start; `None` if the value is malformed.
        source: Option<Box<RecordError>>,
    },
    /// The thread that writes a streamed recording could not be started.
    #[non_exhaustive]
    Thread {
        /// The operating system's error.
        source: io::Error,
    },
    /// A file or a writer failed.
    #[non_exhaustive]
    Io {
        /// The file; `None` for a writer.
        path: Option<PathBuf>,
        /// The error of the file or the writer.
        source: io::Error,
    },
    /// The file or the writer of a streamed recording failed. The recording stopped there. The file
    /// so far can be opened.
    #[non_exhaustive]
    Stream {
        /// The file; `None` for a writer.
        path: Option<PathBuf>,
        /// The first error of the file or the writer.
        source: io::Error,
        /// The counts, which are exact. Written are the records that a reader finds in the file,
        /// or that the writer accepted whole; all others are lost.
        trace: Box<Trace>,
    },
    /// `finish` was called inside a probe, [`pinned`](hotprobe::pinned) or a captured `Drop`, where
    /// it would wait for itself.
    #[non_exhaustive]
    InProbe {
        /// The recording, which still runs. [`into_recording`](RecordError::into_recording) returns
        /// it.
        recording: Box<Recording>,
    },
    /// The recording belongs to the process from which this one was forked.
    Forked,
    /// The records of a streamed recording are in its file, not in memory.
    Streamed,
}

impl RecordError {
    pub(crate) fn io(path: Option<&Path>, source: io::Error) -> Self {
        Self::Io {
            path: path.map(Into::into),
            source,
        }
    }

    /// Returns the message with those of all sources.
    pub(crate) fn in_full(&self) -> String {
        let mut message = self.to_string();
        let mut source = self.source();
        while let Some(error) = source {
            message = format!("{message}: {error}");
            source = error.source();
        }
        message
    }

    pub(crate) fn in_probe(recording: Recording) -> Self {
        Self::InProbe {
            recording: Box::new(recording),
        }
    }

    /// Returns the format for a path, or the error that there is none.
    pub(crate) fn format_of(path: &Path) -> Result<Format, Self> {
        Format::of(path).ok_or_else(|| Self::UnknownFormat { path: path.into() })
    }

    /// Returns the recording that could not be finished, for [`InProbe`](Self::InProbe).
    ///
    /// ```
    /// # hotprobe::event! { static TICK: fn(); }
    /// let recording = hotprobe_record::Recorder::new().event(&TICK).start()?;
    /// let error = hotprobe::pinned(|| recording.finish().unwrap_err());
    /// let trace = error.into_recording().expect("it still runs").finish()?;
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    #[must_use]
    pub fn into_recording(self) -> Option<Recording> {
        match self {
            Self::InProbe { recording } => Some(*recording),
            _ => None,
        }
    }

    /// Returns the counts of a streamed recording whose file failed, for [`Stream`](Self::Stream),
    /// as a trace without records.
    ///
    /// ```
    /// # use std::io::{self, Write};
    /// /// A disk that is full.
    /// struct Full;
    ///
    /// impl Write for Full {
    ///     fn write(&mut self, _: &[u8]) -> io::Result<usize> {
    ///         Err(io::ErrorKind::StorageFull.into())
    ///     }
    ///     fn flush(&mut self) -> io::Result<()> {
    ///         Ok(())
    ///     }
    /// }
    ///
    /// hotprobe::event! { static TICK: fn(); }
    /// # use hotprobe_record::Recorder;
    /// let recording = Recorder::new().event(&TICK).stream_perfetto_to(Full).start()?;
    /// let fired = u64::from(TICK.is_enabled()); // (it stops as soon as the disk is full)
    /// TICK.fire();
    /// let error = recording.finish().unwrap_err();
    /// let sum = error.into_trace().expect("the disk is full").sum();
    /// assert_eq!((sum.written, sum.lost), (0, sum.fired));
    /// assert!(sum.fired <= fired);
    /// # Ok::<(), hotprobe_record::RecordError>(())
    /// ```
    #[must_use]
    pub fn into_trace(self) -> Option<Trace> {
        match self {
            Self::Stream { trace, .. } => Some(*trace),
            _ => None,
        }
    }
}

impl From<ParseError> for RecordError {
    fn from(error: ParseError) -> Self {
        Self::Filter(error.into())
    }
}

impl From<BindError> for RecordError {
    fn from(error: BindError) -> Self {
        Self::Filter(error.into())
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingChosen => f.write_str(
                "no event to record: call `matching`, `event`, `slice` or `all` before `start`",
            ),
            Self::NothingMatches { pattern, events } => write!(
                f,
                "no event matches `{pattern}` (of {events}): a pattern is compared with whole names, and `*` stands for \
                 anything, as in `shop::orders::*`; `hotprobe::events()` lists the names",
            ),
            Self::Filter(error) => error.fmt(f),
            Self::Slice { slice, reason } => write!(f, "slice `{slice}`: {reason}"),
            Self::Limit { reason } | Self::Environment { reason, .. } => f.write_str(reason),
            Self::UnknownFormat { path } => write!(
                f,
                "cannot tell the format from the extension of `{}`: use `.pftrace` or `.perfetto-trace` for Perfetto, \
                 `.json` for Chrome, or a folder or `.ctf` for CTF",
                path.display()
            ),
            Self::Thread { .. } => f.write_str("cannot start the thread that writes the recording"),
            Self::Io { path, .. } => write!(f, "cannot write {}", Output(path.as_deref())),
            Self::Stream { path, trace, .. } => {
                let sum = trace.sum();
                let has = match path {
                    Some(_) => "the file has",
                    None => "the writer accepted",
                };
                write!(
                    f,
                    "cannot write {}, so the recording stopped; {has} {} of {} records",
                    Output(path.as_deref()),
                    sum.written,
                    sum.fired
                )
            }
            Self::InProbe { .. } => f.write_str(
                "cannot finish a recording inside a probe, `pinned` or a captured `Drop`: take it out of this error with \
                 `into_recording`, and finish it outside",
            ),
            Self::Forked => f.write_str(
                "this process was forked from the one that records: finish the recording there",
            ),
            Self::Streamed => f.write_str(
                "the records of a streamed recording are in its file: read that, or record without `stream_to`",
            ),
        }
    }
}

/// Where records are written to, for a message.
struct Output<'a>(Option<&'a Path>);

impl fmt::Display for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(path) => write!(f, "`{}`", path.display()),
            None => f.write_str("the records"),
        }
    }
}

impl Error for RecordError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Thread { source } | Self::Io { source, .. } | Self::Stream { source, .. } => {
                Some(source)
            }
            Self::Environment { source, .. } => source.as_ref().map(|error| &**error as _),
            _ => None,
        }
    }
}

static_assertions::assert_impl_all!(RecordError: Send, Sync);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_repeats_that_of_its_source_and_the_whole_has_each_once() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let io = || RecordError::Io {
            path: Some("x.json".into()),
            source: full(),
        };
        let environment = RecordError::Environment {
            reason: "cannot start `a=x.json`".to_owned(),
            source: Some(Box::new(io())),
        };
        for error in [io(), RecordError::Thread { source: full() }, environment] {
            let source = error.source().expect("it has one").to_string();
            assert!(!error.to_string().contains(&source), "{error}");
            let whole = error.in_full();
            assert_eq!(whole.matches(&full().to_string()).count(), 1, "{whole}");
            assert_eq!(whole.matches(&source).count(), 1, "{whole}");
        }
    }
}
