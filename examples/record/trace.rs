//! The requests in the trace, compared with those of the clients.

use crate::events::{REQUEST_BEGIN, REQUEST_END};
use crate::latencies::micros;
use crate::recording::count;
use hotprobe_record::{Entry, Recorded, Trace};
use std::collections::HashMap;
use std::time::Duration;

/// Prints the number of requests in the trace, and the slowest. Returns an error if they are not
/// the clients' requests.
pub(crate) fn check(trace: &Trace, asked: u64) -> Result<(), String> {
    for event in [REQUEST_BEGIN.name(), REQUEST_END.name()] {
        let fired = count(trace, event).fired;
        if fired != asked {
            return Err(format!(
                "the clients asked {asked} times, and {event} was fired {fired} times"
            ));
        }
    }
    let lost = trace.sum().lost;
    if lost > 0 {
        println!(
            "{asked} requests; {lost} records were lost, for the buffers were full: give fewer seconds"
        );
        return Ok(());
    }

    let Requests { whole, slowest } = Requests::of(trace)?;
    if whole != asked {
        return Err(format!(
            "the clients asked {asked} times, and the trace has {whole} requests from begin to end"
        ));
    }
    println!("{asked} requests asked, {whole} requests in the trace from begin to end");
    if let Some((took, what)) = slowest {
        println!("the slowest took {} µs: {what}", micros(nanos(took)));
    }
    Ok(())
}

struct Requests {
    /// Requests with a begin and an end.
    whole: u64,
    slowest: Option<(Duration, String)>,
}

impl Requests {
    fn of(trace: &Trace) -> Result<Self, String> {
        let mut open = HashMap::new();
        let mut found = Self {
            whole: 0,
            slowest: None,
        };
        for entry in trace.records() {
            if entry.event() == REQUEST_BEGIN.metadata() {
                let id = text(&entry, 0)?.to_owned();
                if open.insert(id.clone(), entry.time()).is_some() {
                    return Err(format!("two requests are called {id}"));
                }
            } else if entry.event() == REQUEST_END.metadata() {
                let (id, route) = (text(&entry, 0)?, text(&entry, 1)?);
                let begun = open
                    .remove(id)
                    .ok_or_else(|| format!("{id} ends and has not begun"))?;
                // (By the processor's counter, threads may differ by some nanoseconds.)
                let took = entry.time().saturating_sub(begun);
                found.whole += 1;
                if found.slowest.as_ref().is_none_or(|(most, _)| took > *most) {
                    found.slowest = Some((took, format!("{route}, {id}")));
                }
            }
        }
        Ok(found)
    }
}

/// An argument, as its `Debug` formats it.
fn text(entry: &Entry, index: usize) -> Result<&str, String> {
    match entry.values().get(index) {
        Some(Recorded::Text { text, cut: false }) => Ok(text),
        other => Err(format!(
            "argument {index} of {} is {other:?}",
            entry.event().name()
        )),
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
