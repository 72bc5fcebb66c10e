//! Ctrl-C and SIGTERM: what has arrived is kept, and said; then the program ends by the signal. A
//! second one ends it at once.

use crate::failure::Failure;
use std::io;

/// Handles Ctrl-C and SIGTERM from now on: at the first one, `tell` keeps what there is to keep,
/// and returns the message about it.
pub(crate) fn tell_on_interrupt(
    tell: impl Fn() -> Option<String> + Send + 'static,
) -> Result<(), Failure> {
    save_on_interrupt(tell).map_err(|error| {
        Failure::failed(format!(
            "cannot handle Ctrl-C, which would lose what has arrived: {error}"
        ))
    })
}

/// Handles signals from now on: at the first one, `save` keeps what there is to keep, and returns
/// the message about it. A second one ends the program at once.
#[cfg(unix)]
fn save_on_interrupt(save: impl Fn() -> Option<String> + Send + 'static) -> io::Result<()> {
    use crate::failure::note;
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

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
    std::thread::Builder::new().spawn(move || {
        for signal in signals.forever() {
            is_second.store(true, Ordering::SeqCst);
            if let Some(message) = save() {
                note(message);
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
fn save_on_interrupt(_: impl Fn() -> Option<String> + Send + 'static) -> io::Result<()> {
    Ok(())
}
