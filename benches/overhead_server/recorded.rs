//! The variant that records: a flight recorder, which runs until it is stopped.

use crate::variant::Detach;
use hotprobe_record::{Overflow, Recorder};

/// Records all events of the server.
pub(crate) fn start() -> Result<Detach, String> {
    let recording = Recorder::new()
        .matching("overhead_server::*")
        .overflow(Overflow::OverwriteOldest)
        .start()
        .map_err(|error| error.to_string())?;
    Ok(Box::new(move || {
        let sum = recording.finish().map_err(|error| error.to_string())?.sum();
        // What was overwritten was recorded, too.
        if sum.fired == 0 || sum.written == 0 {
            return Err(format!("nothing was recorded: {sum:?}"));
        }
        Ok(())
    }))
}
