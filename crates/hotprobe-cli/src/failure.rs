//! What is said when something fails, and with which exit code.

use std::fmt::{self, Display};
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Why a command did not do all that it was to do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was said on the command line, or in the environment.
    Usage(String),
    /// The server, the way to it, or a file.
    Failed(String),
    /// The server is not there, or will not be in a moment.
    Unavailable(String),
    /// As many sessions are open as the server allows.
    Busy(String),
    /// Whoever read the output has gone, as `head` does: no failure, and nothing to say.
    NobodyReads,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// Standard output.
    #[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
    pub(crate) fn of_output(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::NobodyReads
        } else {
            Self::failed(format!("cannot write to standard output: {error}"))
        }
    }

    /// Says it; the exit code.
    pub(crate) fn tell(self) -> ExitCode {
        let (message, code) = match self {
            Self::Usage(message) => (message, 2),
            Self::Failed(message) | Self::Unavailable(message) | Self::Busy(message) => {
                (message, 1)
            }
            Self::NobodyReads => return ExitCode::SUCCESS,
        };
        note(message);
        ExitCode::from(code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message)
            | Self::Failed(message)
            | Self::Unavailable(message)
            | Self::Busy(message) => f.write_str(message),
            Self::NobodyReads => f.write_str("nobody reads the output"),
        }
    }
}

/// A line on standard error. Whether anybody reads it does not matter.
pub(crate) fn note(message: impl Display) {
    let _ = writeln!(io::stderr(), "hotprobe: {message}");
}
