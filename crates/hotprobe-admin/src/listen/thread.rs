//! The thread that serves a process's socket.

use super::error::ListenError;
use super::folder::Place;
use crate::admin::Admin;
use crate::sessions::Shutdown;
use nix::sys::signal::{SigSet, Signal};
use std::env;
use std::io;
use std::mem;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use tokio::runtime;

/// The variable that says where to listen, or `off`.
const VARIABLE: &str = "HOTPROBE_LISTEN";

/// The number of the process that listens, or 0. A forked child, which has a copy of this, does not
/// listen; and it could not get a lock that another thread held at the fork.
static LISTENING: AtomicU32 = AtomicU32::new(0);

/// A thread that serves a socket, until this is dropped.
#[derive(Debug)]
pub(super) struct Thread {
    path: PathBuf,
    shutdown: Shutdown,
    /// Both are there until this is dropped.
    place: Option<Place>,
    handle: Option<JoinHandle<()>>,
    claim: Claim,
}

/// That this process listens, until this is dropped.
#[derive(Debug)]
struct Claim {
    owner: u32,
}

impl Claim {
    fn new() -> Result<Self, ListenError> {
        let owner = process::id();
        // Relaxed: it guards no other memory.
        let claimed = LISTENING.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |listening| {
            (listening != owner).then_some(owner)
        });
        claimed.map_err(|_| ListenError::Already)?;
        Ok(Self { owner })
    }

    /// Whether this is the process that made it, and no forked child.
    fn is_own(&self) -> bool {
        self.owner == process::id()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.is_own() {
            // Relaxed: as above.
            LISTENING.store(0, Ordering::Relaxed);
        }
    }
}

impl Thread {
    /// Starts it; `None` if the variable says `off`.
    pub(super) fn start(admin: Admin) -> Result<Option<Self>, ListenError> {
        let variable = env::var_os(VARIABLE).filter(|value| !value.is_empty());
        if variable.as_deref().is_some_and(|value| value == "off") {
            return Ok(None);
        }
        let claim = Claim::new()?;
        let (place, listener) = match variable {
            Some(path) => Place::at(Path::new(&path))?,
            None => Place::of_this_process()?,
        };
        let failed = |source| ListenError::Thread { source };
        listener.set_nonblocking(true).map_err(failed)?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(failed)?;
        let shutdown = admin.shutdown();
        let path = place.path();
        let serve = move || runtime.block_on(serve(admin, listener));
        let handle = without_signals(|| {
            thread::Builder::new()
                .name("hotprobe-admin".to_owned())
                .spawn(serve)
        })
        .map_err(failed)?;
        Ok(Some(Self {
            path,
            shutdown,
            place: Some(place),
            handle: Some(handle),
            claim,
        }))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

async fn serve(admin: Admin, listener: UnixListener) {
    // (An error would be the runtime's, which is this thread's own.)
    let _ = admin.serve(listener).await;
}

/// Starts a thread that gets none of the process's signals: they are for the program's own threads,
/// which may wait for them. It keeps those that its own faults would raise.
fn without_signals<T>(start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    const OF_FAULTS: [Signal; 7] = [
        Signal::SIGABRT,
        Signal::SIGBUS,
        Signal::SIGFPE,
        Signal::SIGILL,
        Signal::SIGSEGV,
        Signal::SIGSYS,
        Signal::SIGTRAP,
    ];
    let mut signals = SigSet::all();
    for signal in OF_FAULTS {
        signals.remove(signal);
    }
    // (A new thread has the mask of the one that starts it.)
    let before = SigSet::thread_get_mask()?;
    signals.thread_block()?;
    let started = start();
    before.thread_set_mask()?;
    started
}

impl Drop for Thread {
    fn drop(&mut self) {
        if !self.claim.is_own() {
            // A forked child has a copy of the handle, and not the thread.
            mem::forget(self.handle.take());
            return;
        }
        // First the files: nobody finds a socket that is about to be closed.
        drop(self.place.take());
        self.shutdown.begin();
        if let Some(handle) = self.handle.take() {
            // (It does not panic: a request that does is hyper's to catch.)
            let _ = handle.join();
        }
    }
}
