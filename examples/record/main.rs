//! A server's traffic, recorded: every request, its duration, and where its time went.
//!
//! ```text
//! cargo run --release --example record -- --out target/trace
//! cargo run --release -p hotprobe-examples -F tsc --example record -- --out target/trace
//! ```
//!
//! It serves the orders of `live_server`, keeps the server busy over real connections, records all
//! events meanwhile, and writes `trace.pftrace` (Perfetto), `trace.json` (Chrome) and the folder
//! `ctf` (babeltrace2, Trace Compass).
//!
//! The recording begins before the first request and ends after the last, so it can be checked:
//! each firing is written or lost, and the requests in the trace are those of the clients, one by
//! one. Exit code 0 if that held, 1 if not or if a file could not be written in the end, 2 if the
//! arguments could not be used.
//!
//! [`trace`] checks the result, [`recording`] selects the events. The rest is `live_server`'s.

#![allow(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds of one run are far below 2^53"
)]

#[path = "../live_server/command.rs"]
mod command;
#[path = "../live_server/events.rs"]
mod events;
#[path = "../live_server/latencies.rs"]
mod latencies;
#[path = "../live_server/load.rs"]
#[allow(dead_code, reason = "here, the load has one phase")]
mod load;
#[path = "../live_server/recording.rs"]
#[allow(dead_code, reason = "here, nothing is streamed")]
mod recording;
#[path = "../live_server/run.rs"]
mod run;
#[path = "../live_server/server.rs"]
mod server;
#[path = "../live_server/service.rs"]
#[allow(dead_code, reason = "here, no one asks which routes there are")]
mod service;
mod trace;

use clap::Parser;
use command::{BROKEN, USAGE, fail, number};
use hotprobe_record::{Recording, Trace};
use recording::in_full;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Records an order service under load, for Perfetto, Chrome and babeltrace2
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder for `trace.pftrace`, `trace.json` and `ctf`; created if missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Duration of the load
    #[arg(long, default_value = "3", allow_negative_numbers = true, value_parser = number::<u64>(1..=20))]
    seconds: u64,

    /// Number of keep-alive connections, with one request at a time on each
    #[arg(long, default_value = "16", allow_negative_numbers = true, value_parser = number::<usize>(1..=10_000))]
    connections: usize,
}

/// The bytes that a thread can record in a second. More would be lost, and counted.
const BYTES_PER_SECOND: usize = 24 << 20;

fn main() -> ExitCode {
    // Bad values end here, with `USAGE`, which is clap's own code for it.
    let arguments = Arguments::parse();
    let prepared =
        prepare(&arguments.out).and_then(|()| Ok((run::runtime()?, start(arguments.seconds)?)));
    let (runtime, recording) = match prepared {
        Ok(prepared) => prepared,
        Err(reason) => return fail(USAGE, &reason),
    };
    let requests = match runtime.block_on(run::serve(arguments.seconds, arguments.connections)) {
        Ok(Ok(tally)) => tally.requests(),
        Ok(Err(reason)) => return fail(BROKEN, &reason),
        Err(reason) => return fail(USAGE, &reason),
    };
    drop(runtime);
    match finish(recording, &arguments.out, requests) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => fail(BROKEN, &reason),
    }
}

const PERFETTO: &str = "trace.pftrace";
const CHROME: &str = "trace.json";
const CTF: &str = "ctf";

/// Creates the folder and checks, before the run, that files can be written there.
fn prepare(out: &Path) -> Result<(), String> {
    run::prepare(out, "traces", &[PERFETTO, CHROME])?;
    run::prepare(&out.join(CTF), "traces", &[])
}

/// From here on all events are recorded.
fn start(seconds: u64) -> Result<Recording, String> {
    let seconds = usize::try_from(seconds).expect("it is small");
    // (A buffer's size is rounded down to a power of two.)
    let buffer = (seconds * BYTES_PER_SECOND).next_power_of_two();
    let started = recording::recorder()
        .max_buffer_bytes(buffer)
        .max_total_bytes(buffer * (run::MOST_THREADS + 1))
        .start();
    started.map_err(|error| format!("nothing is recorded: {}", in_full(&error)))
}

/// Writes the files, prints the report, runs the checks.
fn finish(recording: Recording, out: &Path, requests: u64) -> Result<(), String> {
    let finished = recording.finish().map_err(|error| in_full(&error))?;
    print(&finished);
    save(&finished, out)?;

    recording::balance(&finished)?;
    trace::check(&finished, requests)
}

fn print(trace: &Trace) {
    println!("recorded {:.1} s\n", trace.duration().as_secs_f64());
    recording::print_counts(trace);
}

fn save(trace: &Trace, out: &Path) -> Result<(), String> {
    println!("\nwritten:");
    for file in [PERFETTO, CHROME, CTF] {
        let path = out.join(file);
        trace.save(&path).map_err(|error| in_full(&error))?;
        recording::print_file(&path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    }
    println!();
    Ok(())
}
