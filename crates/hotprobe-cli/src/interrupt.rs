//! Ctrl-C and SIGTERM: the program keeps what there is, says so, and ends by the signal. A second
//! signal kills it.

use crate::failure::Failure;
use std::io;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;

/// The signal that has arrived, or 0.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// What happens at a signal.
pub(crate) enum AtInterrupt {
    /// The program ends at once, after this message.
    End(Option<String>),
    /// The command finishes with what there is; then the program ends by the signal.
    Finish,
}

/// Handles Ctrl-C and SIGTERM from now on: the first one calls `decide`, on a thread of its own.
/// A second one ends the program at once.
pub(crate) fn on_interrupt(
    decide: impl Fn() -> AtInterrupt + Send + 'static,
) -> Result<(), Failure> {
    handle_signals(decide).map_err(|error| {
        Failure::failed(format!(
            "cannot handle Ctrl-C, which would lose what has arrived: {error}"
        ))
    })
}

/// Returns whether a signal has arrived.
pub(crate) fn is_interrupted() -> bool {
    // SeqCst: the default; a signal is rare.
    SIGNAL.load(Ordering::SeqCst) != 0
}

/// Ends the program by the signal that has arrived, if any.
pub(crate) fn end_if_interrupted() {
    #[cfg(unix)]
    if is_interrupted() {
        let signal = SIGNAL.load(Ordering::SeqCst);
        // (For these signals it ends the process.)
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}

/// Waits for the thread that handles the signal, which ends the program.
pub(crate) fn wait_for_end() -> ! {
    loop {
        thread::park();
    }
}

#[cfg(unix)]
fn handle_signals(decide: impl Fn() -> AtInterrupt + Send + 'static) -> io::Result<()> {
    use crate::failure::note;
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    let ignored = ignored_signals();
    let signals = [SIGINT, SIGTERM].into_iter();
    let signals: Vec<_> = signals
        .filter(|signal| ignored & 1 << (signal - 1) == 0)
        .collect();
    let is_second = Arc::new(AtomicBool::new(false));
    for &signal in &signals {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&is_second))?;
    }
    let mut signals = Signals::new(signals)?;
    thread::Builder::new().spawn(move || {
        for signal in signals.forever() {
            // (Two that come at once are both handled here.)
            if !is_second.swap(true, Ordering::SeqCst) {
                // Before the decision: the result may arrive before this thread continues.
                SIGNAL.store(signal, Ordering::SeqCst);
                match decide() {
                    AtInterrupt::Finish => continue,
                    AtInterrupt::End(message) => message.into_iter().for_each(note),
                }
            }
            // (For these signals it ends the process.)
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    })?;
    Ok(())
}

/// Returns the mask of the signals that this process was started to ignore, as a shell without job
/// control does for what it runs in the background. (Where there is no `/proc`: none.)
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .unwrap_or_default();
    u64::from_str_radix(ignored.trim(), 16).unwrap_or(0)
}

/// Elsewhere, the system ends the program, and what came stays in the `.part`.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "as on Unix")]
fn handle_signals(_: impl Fn() -> AtInterrupt + Send + 'static) -> io::Result<()> {
    Ok(())
}
