//! `hotprobe tail`: events as they are fired, a line each.

use crate::arguments::Tail;
use crate::catalogue;
use crate::duration::shown_seconds;
use crate::failure::{Failure, alarm, note};
use crate::http::client::Client;
use crate::http::query::Query;
use crate::http::sse::EventStream;
use crate::interrupt::{AtInterrupt, on_interrupt};
use crate::output::{self, quoted, shown, versioned_json};
use indicatif::HumanCount;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The default duration, in seconds.
const USUAL: f64 = 60.0;
/// How often losses are reported.
const EVERY: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
struct TailRecord {
    at: f64,
    event: String,
    values: Values,
}

/// The values, in the order of the event's parameters.
struct Values(Vec<(String, Value)>);

#[derive(Deserialize)]
struct Lost {
    lost: u64,
}

#[derive(Deserialize)]
struct TailEnd {
    reason: String,
    records: u64,
    lost: u64,
}

/// What was printed, and what was lost, for the message at Ctrl-C.
#[derive(Debug, Default)]
struct TailCounts {
    records: AtomicU64,
    lost: AtomicU64,
}

pub(crate) fn run(client: &Client, options: &Tail) -> Result<(), Failure> {
    let query = |patterns: &[String]| {
        Query::get("tail")
            .all("match", patterns)
            .lasting(options.seconds, USUAL)
            .and("limit", options.limit)
            .and("rate", options.rate)
            .answered_by("text/event-stream")
    };
    let counts = Arc::new(TailCounts::default());
    let at_interrupt = Arc::clone(&counts);
    // Before anything is attached. (Relaxed: numbers for people.)
    on_interrupt(move || {
        let records = at_interrupt.records.load(Ordering::Relaxed);
        let lost = at_interrupt.lost.load(Ordering::Relaxed);
        AtInterrupt::End(Some(format!("interrupted: {}", counted(records, lost))))
    })?;
    let (answer, _) = catalogue::ask_for(client, &options.patterns, query)?;
    let mut stream = EventStream::of(answer);
    let mut losses = Losses {
        lost: 0,
        told: None,
    };
    loop {
        let message = stream.next()?;
        match &*message.name {
            "record" => {
                let record: TailRecord = stream.read(&message)?;
                output::text(&if options.json {
                    versioned_json(&message.data)
                } else {
                    record.line()
                })?;
                counts.records.fetch_add(1, Ordering::Relaxed);
            }
            "lost" => {
                let Lost { lost } = stream.read(&message)?;
                let due = losses.add(lost, Instant::now());
                counts.lost.store(losses.lost, Ordering::Relaxed);
                if let Some(lost) = due {
                    note(format_args!(
                        "{} firings lost so far; see `--rate`",
                        HumanCount(lost)
                    ));
                }
            }
            "end" => return ended(&stream.read(&message)?, options),
            _ => {}
        }
    }
}

/// Reports the end of the stream.
fn ended(end: &TailEnd, options: &Tail) -> Result<(), Failure> {
    if end.lost > 0 {
        alarm(format_args!(
            "{}: they were fired faster than `--rate` allows",
            counted(end.records, end.lost)
        ));
    }
    if end.records == 0 && end.lost == 0 {
        alarm(format_args!(
            "0 records: no event was fired in {}; `hotprobe watch` shows what is fired",
            shown_seconds(options.seconds.unwrap_or(USUAL))
        ));
    }
    match &*end.reason {
        "shutdown" => Err(Failure::failed(
            "the server shut down before the time was up",
        )),
        "limit" if options.limit.is_none() => {
            note(format_args!(
                "stopped after {} records, the default; see `--limit`",
                HumanCount(end.records)
            ));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn counted(records: u64, lost: u64) -> String {
    format!("{} records, {} lost", HumanCount(records), HumanCount(lost))
}

/// The losses so far, reported now and then; not at once, since the end reports them anyway.
struct Losses {
    lost: u64,
    told: Option<Instant>,
}

impl Losses {
    /// Adds losses; returns their sum if it is to be reported now.
    fn add(&mut self, lost: u64, now: Instant) -> Option<u64> {
        self.lost = self.lost.saturating_add(lost);
        let told = *self.told.get_or_insert(now);
        let is_due = now.duration_since(told) >= EVERY;
        is_due.then(|| {
            self.told = Some(now);
            self.lost
        })
    }
}

impl TailRecord {
    fn line(&self) -> String {
        let mut line = format!("{:12.6}  {}", self.at, shown(&self.event));
        for (name, value) in &self.values.0 {
            let value = match value {
                Value::Null => "(redacted)".to_owned(),
                Value::String(text) => quoted(text),
                other => shown(&other.to_string()),
            };
            line += "  ";
            line += &shown(name);
            line.push('=');
            line += &value;
        }
        line + "\n"
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Values;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a value for each parameter")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = map.next_entry()? {
                    values.push(value);
                }
                Ok(Values(values))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_said_once_a_second() {
        let begin = Instant::now();
        let mut losses = Losses {
            lost: 0,
            told: None,
        };
        let said: Vec<_> = [0, 900, 1000, 1999, 2000]
            .map(|at| losses.add(1, begin + Duration::from_millis(at)))
            .into();
        assert_eq!(said, [None, None, Some(3), None, Some(5)]);
    }

    #[test]
    fn losses_add_up_to_no_more_than_can_be_counted() {
        let begin = Instant::now();
        let mut losses = Losses {
            lost: 0,
            told: None,
        };
        assert_eq!(losses.add(u64::MAX, begin), None);
        assert_eq!(losses.add(u64::MAX, begin + EVERY), Some(u64::MAX));
    }

    #[test]
    fn a_record_is_a_line_with_its_values_in_order() {
        let json = r#"{"at":0.001234,"event":"shop::PLACED","values":{"z":17,"a":"say \"\u001b[31m\"","token":null,"f":-0.5}}"#;
        let record: TailRecord = serde_json::from_str(json).unwrap();
        let expected = "    0.001234  shop::PLACED  z=17  a=\"say \\\"\\u{1b}[31m\\\"\"  token=(redacted)  f=-0.5\n";
        assert_eq!(record.line(), expected);
    }
}
