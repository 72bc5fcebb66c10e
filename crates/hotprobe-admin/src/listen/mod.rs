//! [`listen`]: a socket of the process's own, for programs without a server.

mod error;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod folder;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod thread;

pub use error::ListenError;

use crate::admin::Admin;
use std::path::Path;

/// Serves the page and the endpoints on a Unix socket of this process, so that `hotprobe ps` and
/// `hotprobe -p PID` find it. One line at the beginning of `main` is enough, with or
/// without async code.
///
/// A thread of its own serves it. It opens no port, attaches nothing by itself, and answers
/// processes of the same user and of root only, as the kernel reports them. It works while the
/// program's own threads and runtimes are busy.
///
/// The socket is `hotprobe/PID.sock` in the first of these folders that can be used:
/// `$HOTPROBE_DIR`, `$XDG_RUNTIME_DIR`, `/run/user/UID`, `/tmp/hotprobe-UID`. Only this user can
/// open the folder. The variable `HOTPROBE_LISTEN` overrides this: with `off`, nothing is served,
/// and `listen` returns `Ok`; any other value is the socket's path.
///
/// A forked child is not served; it may call `listen` itself. After an exec, and when the process
/// ends or is killed, `hotprobe ps` and the next process that listens remove the socket's file.
///
/// # Errors
/// [`ListenError`]: no folder can be used, this process listens already, or the system is neither
/// Linux nor macOS. Nothing is left behind, and the program can continue.
///
/// # Cost
/// One thread, which sleeps until a client connects, and about 100 KiB.
///
/// ```
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let _probes = hotprobe_admin::listen()?;
///     // … the program …
///     Ok(())
/// }
/// ```
pub fn listen() -> Result<Listening, ListenError> {
    Admin::new().listen()
}

/// The server of a process's own socket; it ends when this is dropped. Returned by [`listen`] and
/// [`Admin::listen`].
///
/// Dropping it ends all sessions, removes the socket's file, and waits for the thread: for two
/// seconds at most, if a client does not read.
///
/// ```
/// # fn main() -> Result<(), hotprobe_admin::ListenError> {
/// let probes = hotprobe_admin::listen()?;
/// if let Some(path) = probes.path() {
///     println!("listening at {}", path.display());
/// }
/// # Ok(()) }
/// ```
#[must_use = "dropping it ends the listening at once, and so does `let _ = …`: keep it, or call `leak`"]
#[derive(Debug)]
pub struct Listening {
    /// `None` if the variable says `off`.
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    thread: Option<thread::Thread>,
}

static_assertions::assert_impl_all!(Listening: Send, Sync);

impl Listening {
    /// Returns the socket's path; `None` if `HOTPROBE_LISTEN=off`.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        return self.thread.as_ref().map(thread::Thread::path);
        #[cfg(not(any(target_os = "linux", target_os = "macos")))]
        None
    }

    /// Continues to listen until the process ends.
    ///
    /// ```
    /// # fn main() -> Result<(), hotprobe_admin::ListenError> {
    /// hotprobe_admin::listen()?.leak();
    /// # Ok(()) }
    /// ```
    pub fn leak(self) {
        std::mem::forget(self);
    }
}

impl Admin {
    /// Does what [`listen`] does, with these settings: a version, limits, metrics. With a
    /// [`token`](Self::token), clients need it as well.
    ///
    /// # Errors
    /// As for [`listen`].
    ///
    /// ```
    /// use hotprobe_admin::Admin;
    ///
    /// # fn main() -> Result<(), hotprobe_admin::ListenError> {
    /// let _probes = Admin::new().version(env!("CARGO_PKG_VERSION")).listen()?;
    /// # Ok(()) }
    /// ```
    pub fn listen(self) -> Result<Listening, ListenError> {
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        return thread::Thread::start(self).map(|thread| Listening { thread });
        #[cfg(not(any(target_os = "linux", target_os = "macos")))]
        Err(ListenError::Unsupported)
    }
}
