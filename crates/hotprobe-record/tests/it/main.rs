//! Recording: what is kept, what is lost and counted, what is refused. Here is what the tests share.

#![allow(
    clippy::items_after_statements,
    clippy::too_many_lines,
    clippy::unused_self,
    clippy::needless_for_each,
    clippy::semicolon_if_nothing_returned,
    clippy::verbose_bit_mask,
    reason = "a test reads best in one piece, with what it needs beside it"
)]
#![allow(
    clippy::incompatible_msrv,
    reason = "the tests are run by the newest compiler; the library keeps to its own"
)]

mod alloc;
mod allocator;
mod anywhere;
mod chosen;
mod counts;
mod ends;
mod kept;
mod memory;
mod refused;
#[cfg(feature = "serde")]
mod serialize;
mod streams;

use hotprobe::{AnyEvent, fire};
use hotprobe_record::{Count, Overflow, RecordError, Recorded, Recorder, Recording, Trace};
use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use test_support::{Door, child, eventually, quiet_planned_panics, text};

/// One event, everything else as it is.
fn record(event: &'static dyn AnyEvent) -> Recording {
    Recorder::new().event(event).start().expect("it can start")
}

fn finish(recording: Recording) -> Trace {
    recording.finish().expect("outside probes")
}

/// The first arguments of all records.
fn firsts(trace: &Trace) -> Vec<Recorded> {
    trace
        .records()
        .map(|entry| entry.values()[0].clone())
        .collect()
}

fn numbers(trace: &Trace) -> Vec<u64> {
    let number = |value| match value {
        Recorded::U64(number) => number,
        other => panic!("{other:?} is no number"),
    };
    firsts(trace).into_iter().map(number).collect()
}

fn texts(trace: &Trace) -> Vec<(String, bool)> {
    let one = |value| match value {
        Recorded::Text { text, cut } => (text, cut),
        other => panic!("{other:?} is no text"),
    };
    firsts(trace).into_iter().map(one).collect()
}

/// Each count adds up, and so do they together; returns the sum.
fn balanced(trace: &Trace) -> Count {
    let mut fired = 0;
    for (event, thread, count) in trace.counts() {
        assert_eq!(
            count.fired,
            count.written + count.lost,
            "{event:?} {thread:?}"
        );
        fired += count.fired;
    }
    let sum = trace.sum();
    assert_eq!(sum.fired, fired);
    assert_eq!(sum.fired, sum.written + sum.lost);
    sum
}

/// The message of an error, and those of its sources.
fn in_full(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", in_full(source)),
        None => error.to_string(),
    }
}

/// Checks that no message of the chain repeats that of its source.
fn says_it_once(error: &dyn Error) {
    let source = error.source().expect("it has a source");
    let (message, inner) = (error.to_string(), source.to_string());
    assert!(!message.contains(&inner), "`{message}` repeats `{inner}`");
}

/// A place for files, empty.
fn directory(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("record")
        .join(name);
    std::fs::remove_dir_all(&directory).ok();
    std::fs::create_dir_all(&directory).expect("a place for files");
    directory
}
