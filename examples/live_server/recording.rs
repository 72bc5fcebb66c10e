//! The recording of the service, and its summary. The example `record` uses this file too.

use crate::events::{LOOKUP_BEGIN, LOOKUP_END, REQUEST_BEGIN, REQUEST_END, STORE_BEGIN, STORE_END};
use hotprobe_record::{Clock, Count, RecordError, Recorder, Recording, Trace};
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The processor's counter is faster to read than the system's clock, and not available everywhere.
#[cfg(feature = "tsc")]
const CLOCK: Clock = Clock::Tsc;
#[cfg(not(feature = "tsc"))]
const CLOCK: Clock = Clock::System;

/// Records all six events as three kinds of slices: a request, and inside it its calls of the
/// catalogue and the store. Each record names its tokio task.
pub(crate) fn recorder() -> Recorder {
    Recorder::new()
        .clock(CLOCK)
        .tasks(true)
        .slice("request", &REQUEST_BEGIN, &REQUEST_END, "request")
        .slice("lookup", &LOOKUP_BEGIN, &LOOKUP_END, "request")
        .slice("store", &STORE_BEGIN, &STORE_END, "request")
}

/// A recording that streams to a file while the server runs.
pub(crate) struct Streaming {
    recording: Recording,
    path: PathBuf,
}

impl Streaming {
    /// Room for some tenths of a second, in case the disk is slow.
    const BUFFER_PER_THREAD: usize = 8 << 20;

    /// Starts recording. The extension of the path determines the format.
    pub(crate) fn start(path: &Path) -> Result<Self, String> {
        let recording = recorder()
            .max_buffer_bytes(Self::BUFFER_PER_THREAD)
            .stream_to(path)
            .start();
        Ok(Self {
            recording: recording.map_err(|error| format!("--record: {}", in_full(&error)))?,
            path: path.to_owned(),
        })
    }

    /// Writes the rest, and prints a summary. Blocks, so do not call it on a worker of the runtime.
    pub(crate) fn finish(self) -> Result<(), String> {
        let finished = self.recording.finish();
        let trace = finished.map_err(|error| format!("--record: {}", in_full(&error)))?;
        println!();
        print_counts(&trace);
        println!("\nrecorded:");
        print_file(&self.path).map_err(|error| format!("--record: {error}"))?;
        balance(&trace)
    }
}

/// An error and what caused it: the message of a `RecordError` does not repeat its source's.
pub(crate) fn in_full(error: &RecordError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// The counts of one event, over all threads.
pub(crate) fn count(trace: &Trace, event: &str) -> Count {
    let mut sum = Count::default();
    for (_, _, count) in trace.counts().filter(|(of, _, _)| of.name() == event) {
        sum.fired += count.fired;
        sum.written += count.written;
        sum.lost += count.lost;
    }
    sum
}

/// Prints a row for each event, and the sum.
pub(crate) fn print_counts(trace: &Trace) {
    let row = |name: &str, count: Count| {
        println!(
            "{name:<40} {:>9} {:>9} {:>9}",
            count.fired, count.written, count.lost
        );
    };
    println!(
        "{:<40} {:>9} {:>9} {:>9}",
        "event", "fired", "written", "lost"
    );
    for event in trace.events() {
        row(event.name(), count(trace, event.name()));
    }
    row("sum", trace.sum());
}

/// Checks that each firing is accounted for, on each thread.
pub(crate) fn balance(trace: &Trace) -> Result<(), String> {
    for (event, thread, count) in trace.counts() {
        if count.fired != count.written + count.lost {
            return Err(format!(
                "the recorder's accounts do not balance: {} on {thread:?}: {count:?}",
                event.name()
            ));
        }
    }
    Ok(())
}

/// Prints a line: the file, its size, and the program that opens it.
pub(crate) fn print_file(path: &Path) -> io::Result<()> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let opened = match ending {
        _ if path.is_dir() => "babeltrace2, or Trace Compass",
        Some("json") => "chrome://tracing, or the Perfetto UI",
        _ => "the Perfetto UI: ui.perfetto.dev, \"Open trace file\"; it stays on this machine",
    };
    println!(
        "  {:<32} {:>11} bytes   for {opened}",
        path.display(),
        size(path)?
    );
    Ok(())
}

/// Returns the size of a file, or of all files in a folder.
fn size(path: &Path) -> io::Result<u64> {
    if !path.is_dir() {
        return Ok(fs::metadata(path)?.len());
    }
    fs::read_dir(path)?.try_fold(0, |sum, entry| Ok(sum + entry?.metadata()?.len()))
}
