//! Work that blocks, on a thread of its own.
//!
//! Not on the runtime's pool for blocking calls: that may be busy for as long as the program likes,
//! and where no thread can be had, `spawn_blocking` panics and keeps what it was given. Whatever is
//! attached is detached before, on the task: nothing here depends on whether there is a thread.

use crate::sessions::Session;
use std::sync::Arc;
use std::thread;
use tokio::sync::oneshot;

/// Runs `work` on a thread of its own. The session counts until the work has ended, whether or not
/// a client waits for it.
///
/// Returns `None` if no thread can be had; `work` has then been dropped. The receiver gets an error
/// if `work` panics.
pub(crate) fn hand_over<T: Send + 'static>(
    session: &Arc<Session>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<oneshot::Receiver<T>> {
    let (sender, receiver) = oneshot::channel();
    let session = Arc::clone(session);
    let spawned = thread::Builder::new()
        .name("probes".to_owned())
        .spawn(move || {
            let result = work();
            drop(session);
            // (If nobody waits any more, nobody needs it.)
            let _ = sender.send(result);
        });
    spawned.is_ok().then_some(receiver)
}
