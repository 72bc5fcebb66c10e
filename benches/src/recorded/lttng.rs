//! LTTng-UST as a recorder: a session of its own, with the consumer that writes to a file.

use super::{Kind, Outcome, Pace, outcome, records_of};
use crate::lttng::{Daemon, Programs};

const ROUNDS: u64 = super::ROUNDS;

/// Measures it; none if it is not installed.
pub(super) fn measure(kind: Kind, pace: Pace) -> Option<Outcome> {
    let programs = Programs::compile()?;
    let daemon = Daemon::start(&programs)?;
    let kind = match kind {
        Kind::Number => "number",
        Kind::Text => "text",
    };
    let word = match pace {
        Pace::Hot => "hot",
        Pace::Paced => "paced",
    };
    let slices = programs.run("peer", &[kind, word]);
    let lost = daemon.stop();
    let fired = ROUNDS * records_of(pace);
    Some(outcome(slices, fired, lost.map(|lost| fired - lost)))
}
