//! `Serialize` for readable results (feature `serde`). Times and durations are in nanoseconds, and
//! say so in their names.

use crate::{Clock, Count, Entry, Recorded, Thread, Trace};
use serde::ser::{Serialize, Serializer};
use std::time::{Duration, SystemTime};

/// A trace without its records: [`Trace::records`] yields those, each of which can be serialized by
/// itself.
#[derive(serde::Serialize)]
struct TraceSummary<'a> {
    started_unix_ns: u64,
    duration_ns: u64,
    clock: &'static str,
    filter: Option<String>,
    sum: Count,
    counts: Vec<ThreadCount<'a>>,
    rejected: Vec<RejectedCount>,
}

/// How many firings of an event the condition rejected.
#[derive(serde::Serialize)]
struct RejectedCount {
    event: &'static str,
    rejected: u64,
}

/// The counts of one event on one thread.
#[derive(serde::Serialize)]
struct ThreadCount<'a> {
    event: &'static str,
    thread: &'a Thread,
    fired: u64,
    written: u64,
    lost: u64,
}

#[derive(serde::Serialize)]
struct EntryFields<'a> {
    time_ns: u64,
    event: &'static str,
    thread: &'a Thread,
    task: Option<u64>,
    values: &'a [Recorded],
}

#[derive(serde::Serialize)]
struct ThreadFields<'a> {
    id: u64,
    name: Option<&'a str>,
}

impl Serialize for Trace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let started = self.started().duration_since(SystemTime::UNIX_EPOCH);
        let count = |(event, thread, count): (&'static hotprobe::Metadata, _, Count)| ThreadCount {
            event: event.name(),
            thread,
            fired: count.fired,
            written: count.written,
            lost: count.lost,
        };
        TraceSummary {
            started_unix_ns: nanoseconds(started.unwrap_or_default()),
            duration_ns: nanoseconds(self.duration()),
            clock: match self.clock() {
                Clock::System => "system",
                _ => "tsc",
            },
            filter: self.filter(),
            sum: self.sum(),
            counts: self.counts().map(count).collect(),
            rejected: self
                .rejected()
                .map(|(event, rejected)| RejectedCount {
                    event: event.name(),
                    rejected,
                })
                .collect(),
        }
        .serialize(serializer)
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        EntryFields {
            time_ns: nanoseconds(self.time()),
            event: self.event().name(),
            thread: self.thread(),
            task: self.task(),
            values: self.values(),
        }
        .serialize(serializer)
    }
}

impl Serialize for Thread {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ThreadFields {
            id: self.id(),
            name: self.name(),
        }
        .serialize(serializer)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
