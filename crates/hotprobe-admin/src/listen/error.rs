//! [`ListenError`]: why [`listen`](crate::listen()) failed.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// The error of [`listen`](crate::listen()). The program can run without it.
///
/// ```no_run
/// let listening = hotprobe_admin::listen();
/// if let Err(error) = &listening {
///     eprintln!("no probes: {error}");
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ListenError {
    /// This process listens already.
    #[non_exhaustive]
    Already,
    /// The folder for the socket cannot be used.
    #[non_exhaustive]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The socket cannot be made.
    #[non_exhaustive]
    Bind {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The thread that serves the socket cannot be started.
    #[non_exhaustive]
    Thread {
        /// Why not.
        source: io::Error,
    },
    /// Only on Linux and macOS does the system report which user connects to a Unix socket.
    Unsupported,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Already => f.write_str(
                "this process listens already; keep what the first call of `listen` returned, or drop it before the \
                 second",
            ),
            Self::Folder { path, source } => write!(
                f,
                "the folder `{}` for the socket cannot be used: {source}; name another by the variable HOTPROBE_DIR, or a \
                 socket by HOTPROBE_LISTEN=PATH",
                path.display()
            ),
            Self::Bind { path, source } => {
                write!(f, "cannot listen at `{}`: {source}", path.display())
            }
            Self::Thread { source } => {
                write!(f, "the thread that would listen cannot be started: {source}")
            }
            Self::Unsupported => f.write_str(
                "this system does not report which user connects to a Unix socket; serve a TCP port by `Admin::serve`",
            ),
        }
    }
}

impl Error for ListenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Folder { source, .. } | Self::Bind { source, .. } | Self::Thread { source } => {
                Some(source)
            }
            Self::Already | Self::Unsupported => None,
        }
    }
}

static_assertions::assert_impl_all!(ListenError: Send, Sync);
