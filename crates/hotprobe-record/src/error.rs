//! What can go wrong with a recording, as sentences that say what to do.

use super::{Recording, Trace};
use crate::formats::file::Format;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a recording could not be started, finished or saved.
///
/// ```
/// use hotprobe_record::{RecordError, Recorder};
///
/// let error = Recorder::new().matching("no_such_crate::*").start().unwrap_err();
/// assert!(matches!(error, RecordError::NothingMatches { .. }));
/// assert!(error.to_string().contains("`no_such_crate::*` matches none of"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum RecordError {
    /// The recorder was given no event.
    NothingChosen,
    /// A pattern matches no event of the program.
    NothingMatches {
        /// The pattern.
        pattern: String,
        /// How many events there are.
        events: usize,
    },
    /// A slice's key is no parameter of one of its events, or not one that can pair them.
    Slice {
        /// The slice's name.
        slice: String,
        /// What is wrong, with the parameters that there are.
        reason: String,
    },
    /// A limit is not possible.
    Limit {
        /// Which, and why.
        reason: String,
    },
    /// A path's ending tells no format.
    UnknownFormat {
        /// The path.
        path: PathBuf,
    },
    /// `HOTPROBE_RECORD` cannot be understood.
    Environment {
        /// What is wrong with which part of it.
        reason: String,
    },
    /// A file, or what was given to write to, failed.
    Io {
        /// The file, if it was one.
        path: Option<PathBuf>,
        /// What it said.
        source: io::Error,
    },
    /// What a recording was streamed to failed: the first error. The recording stopped there; what the file had by then can be
    /// opened.
    Stream {
        /// The file, if it was one.
        path: Option<PathBuf>,
        /// What it said.
        source: io::Error,
        /// The counts: written is what was flushed to the file before it failed, and is there; everything else is lost.
        trace: Box<Trace>,
    },
    /// `finish` was called inside a probe, [`pinned`](hotprobe::pinned) or a captured `Drop`, and would wait for itself. Here is
    /// the recording again; it still runs.
    InProbe(Box<Recording>),
    /// The recording is another process's, from which this one was forked.
    Forked,
    /// The records of a streamed recording are in its file, and not in memory.
    Streamed,
}

impl RecordError {
    pub(crate) fn io(path: Option<&Path>, source: io::Error) -> Self {
        Self::Io {
            path: path.map(Into::into),
            source,
        }
    }

    /// Returns the format for a path, or the error that there is none.
    pub(crate) fn format_of(path: &Path) -> Result<Format, Self> {
        Format::of(path).ok_or_else(|| Self::UnknownFormat { path: path.into() })
    }

    /// Returns the recording that could not be finished, if that is what happened.
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
            Self::InProbe(recording) => Some(*recording),
            _ => None,
        }
    }

    /// Returns what is known of a recording whose file failed, if that is what happened: no
    /// records, but the counts.
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
    /// let fired = u64::from(TICK.is_enabled()); // (it stops as soon as that is known)
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

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingChosen => f.write_str(
                "the recorder was given no event: call `matching`, `event`, `slice` or `all` before `start`",
            ),
            Self::NothingMatches { pattern, events } => write!(
                f,
                "the pattern `{pattern}` matches none of the program's {events} events: `*` stands for anything, and the \
                 whole name has to match, as in `shop::orders::*`; `hotprobe::events()` lists the names",
            ),
            Self::Slice { slice, reason } => write!(f, "the slice `{slice}`: {reason}"),
            Self::Limit { reason } | Self::Environment { reason } => f.write_str(reason),
            Self::UnknownFormat { path } => write!(
                f,
                "the ending of `{}` tells no format: use `.pftrace` or `.perfetto-trace` for Perfetto, `.json` for Chrome, \
                 or a directory, or `.ctf`, for CTF",
                path.display()
            ),
            Self::Io {
                path: Some(path),
                source,
            } => write!(f, "`{}` could not be written: {source}", path.display()),
            Self::Stream {
                path,
                source,
                trace,
            } => {
                match path {
                    Some(path) => write!(f, "`{}`", path.display())?,
                    None => f.write_str("what the recording was streamed to")?,
                }
                let sum = trace.sum();
                write!(
                    f,
                    " could not be written, and the recording stopped: {source} (at least {} of {} records are in it)",
                    sum.written, sum.fired
                )
            }
            Self::Io { path: None, source } => write!(f, "the records could not be written: {source}"),
            Self::InProbe(_) => f.write_str(
                "`finish` was called inside a probe, `pinned` or a captured `Drop`, and would wait for itself: take the \
                 recording out of this error with `into_recording`, and finish it outside",
            ),
            Self::Forked => f.write_str(
                "this process was forked from the one that records: finish the recording there",
            ),
            Self::Streamed => f.write_str(
                "the recording was streamed, so its records are in the file, and not in memory: read that, or record \
                 without `stream_to`",
            ),
        }
    }
}

impl Error for RecordError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } | Self::Stream { source, .. } => Some(source),
            _ => None,
        }
    }
}

static_assertions::assert_impl_all!(RecordError: Send, Sync);
