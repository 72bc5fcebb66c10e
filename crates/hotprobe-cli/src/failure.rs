//! Errors: what is printed when something fails, and with which exit code.

use crate::color::{self, Paint};
use std::fmt::{self, Display};
use std::io::{self, Write as _};
use std::process::ExitCode;

/// The reason why a command did not do all that it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line or the environment cannot be used.
    Usage(String),
    /// There is no command: the help, which has lines.
    Help(String),
    /// The server, the connection or a file failed.
    Failed(String),
    /// The server matched no event: the pattern, and names that are similar to it.
    UnknownEvent(UnknownEvent),
    /// The server is down, or about to be.
    Unavailable(String),
    /// All sessions that the server allows are open.
    Busy(String),
    /// The reader of the output has closed it, as `head` does: no failure, and nothing to print.
    OutputClosed,
}

/// The server's answer that no event matches.
#[derive(Debug)]
pub(crate) struct UnknownEvent {
    /// The server's own message.
    pub(crate) message: String,
    /// Names that are similar.
    pub(crate) nearest: Vec<String>,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// Returns the failure of standard output.
    #[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
    pub(crate) fn of_output(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::OutputClosed
        } else {
            Self::failed(format!("cannot write to standard output: {error}"))
        }
    }

    /// Prints it, and returns the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let code = match self {
            Self::Help(help) => {
                let _ = write!(io::stderr(), "{help}");
                return ExitCode::from(2);
            }
            Self::OutputClosed => return ExitCode::SUCCESS,
            Self::Usage(_) => 2,
            Self::Failed(_) | Self::UnknownEvent(_) | Self::Unavailable(_) | Self::Busy(_) => 1,
        };
        alarm(self);
        ExitCode::from(code)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message)
            | Self::Help(message)
            | Self::Failed(message)
            | Self::Unavailable(message)
            | Self::Busy(message) => f.write_str(message),
            Self::UnknownEvent(UnknownEvent { message, nearest }) => {
                f.write_str(message)?;
                for (index, name) in nearest.iter().enumerate() {
                    let before = if index == 0 { "; try" } else { " or" };
                    write!(f, "{before} `{name}`")?;
                }
                Ok(())
            }
            Self::OutputClosed => f.write_str("the reader of the output has closed it"),
        }
    }
}

/// Prints a line on standard error. Whether it can be printed does not matter.
pub(crate) fn note(message: impl Display) {
    let _ = writeln!(io::stderr(), "hotprobe: {message}");
}

/// Prints a line on standard error that is not to be overlooked: an error, or what was lost.
pub(crate) fn alarm(message: impl Display) {
    let name = Paint::Alarm.on("hotprobe:", color::of_errors());
    let _ = writeln!(io::stderr(), "{name} {message}");
}
