//! A server's traffic, profiled: latencies by route, call stacks into the store, counts of events.
//!
//! ```text
//! cargo run --release --example profile -- --out target/profile
//! cargo run --release -p hotprobe-examples -F tsc --example profile -- --out target/profile
//! ```
//!
//! It serves the orders of `live_server`, keeps the server busy over real connections, and measures
//! meanwhile with the events that the server fires. With debug information, the stacks show file,
//! line and inlined functions: `CARGO_PROFILE_RELEASE_DEBUG=line-tables-only cargo run --release
//! …`.
//!
//! Measuring begins before the first request and ends after the last, so the clients' own
//! measurement can check it: every request is counted, by route and with its calls, and none takes
//! longer in the server than its client waits. Exit code 0 if that held, 1 if not or if a file
//! could not be written in the end, 2 if the arguments could not be used.
//!
//! [`measuring`] has what is measured, [`clients`] what it is compared with. The rest is
//! `live_server`'s.

#![allow(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds of one run are far below 2^53"
)]

mod clients;
#[path = "../live_server/command.rs"]
mod command;
#[path = "../live_server/events.rs"]
mod events;
#[path = "../live_server/latencies.rs"]
mod latencies;
#[path = "../live_server/load.rs"]
#[allow(dead_code, reason = "here, the load has one phase")]
mod load;
mod measuring;
#[path = "../live_server/run.rs"]
mod run;
#[path = "../live_server/server.rs"]
mod server;
#[path = "../live_server/service.rs"]
mod service;

use clap::Parser;
use command::{BROKEN, USAGE, fail, number};
use measuring::{FILES, Measured, Measuring};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Profiles an order service under load: latencies, stacks, counts
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder for the files; created if missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Duration of the load
    #[arg(long, default_value = "3", allow_negative_numbers = true, value_parser = number::<u64>(1..=3600))]
    seconds: u64,

    /// Number of keep-alive connections, with one request at a time on each
    #[arg(long, default_value = "16", allow_negative_numbers = true, value_parser = number::<usize>(1..=10_000))]
    connections: usize,
}

fn main() -> ExitCode {
    // Bad values end here, with `USAGE`, which is clap's own code for it.
    let Arguments {
        out,
        seconds,
        connections,
    } = Arguments::parse();
    let prepared = run::prepare(&out, "profiles", &FILES.map(|(file, _)| file))
        .and_then(|()| Ok((run::runtime()?, Measuring::start()?)));
    let (runtime, measuring) = match prepared {
        Ok(prepared) => prepared,
        Err(reason) => return fail(USAGE, &reason),
    };
    let tally = match runtime.block_on(run::serve(seconds, connections)) {
        Ok(Ok(tally)) => tally,
        Ok(Err(reason)) => return fail(BROKEN, &reason),
        Err(reason) => return fail(USAGE, &reason),
    };
    drop(runtime);
    let finished = measuring.finish().and_then(|measured| {
        measured.print();
        save(&measured, &out)?;
        clients::compare(&measured, &tally)
    });
    match finished {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => fail(BROKEN, &reason),
    }
}

fn save(measured: &Measured, out: &Path) -> Result<(), String> {
    println!("\nwritten:");
    measured.save(out)?;
    for (file, opened) in FILES {
        let path = out.join(file);
        let size = path.metadata().map_err(|error| error.to_string())?.len();
        println!("  {:<32} {size:>9} bytes   for {opened}", path.display());
    }
    println!();
    Ok(())
}
