//! Which panics are printed: not those that a failed test causes in other threads, which would hide
//! its report.

use crate::scope;
use std::cell::Cell;
use std::panic;
use std::sync::Once;

thread_local! {
    /// Whether a panic of this thread is about to be caught, and looked at.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, nothing is printed of this thread's panics. Only tokio has to be asked by a
/// panic.
#[cfg(feature = "tokio")]
pub(crate) struct QuietPanics(bool);

#[cfg(feature = "tokio")]
impl QuietPanics {
    pub(crate) fn begin() -> Self {
        Self(QUIET.replace(true))
    }
}

#[cfg(feature = "tokio")]
impl Drop for QuietPanics {
    fn drop(&mut self) {
        QUIET.set(self.0);
    }
}

/// Puts a filter before what prints panics, once a process. It lets through all but panics of
/// threads and tasks that belong to a test that has failed. (A panic of the body is noted, so that
/// its senders are released sooner.)
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    if std::thread::panicking() {
        return;
    }
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.try_with(Cell::get).unwrap_or(false) && scope::prints_panic() {
                before(info);
            }
        }));
    });
}
