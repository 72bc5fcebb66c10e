//! What events cost a server: one axum server, built without events, with four a request that are
//! off, with four that have a probe which does nothing, and with four that are recorded.
//!
//! ```text
//! alias server='cargo run --release -p hotprobe-benches -F server --bin overhead_server --'
//! server
//! server --seconds 60 --rounds 100
//! server --requests 1000 --variant off
//! server --probes
//! ```
//!
//! All are in one process, on one thread, and are asked in turn, in short slices whose order is of
//! chance: what else the machine does, and how the loader placed the program, is the same for them.
//! Those with events are even the same code and the same memory. (Processes of their own would
//! differ by some percent before the first event: by where their code, stack and heap happen to
//! lie.) Without events is another instance of the same generic code. The load is on another
//! thread, and light, so that the server is what is waited for.
//!
//! Compared are throughput, the 99th percentile of the latencies, and the CPU time that the
//! server's thread took for each request (Linux), which other programs on the machine disturb
//! least. Each as a ratio to the server without events in the same round.
//!
//! With `--probes`, what is compared is the server with events, the same when each request knows
//! its peer, that with `/debug/probes` mounted, and that while all four are recorded to a client.
//!
//! With `--requests` there is no network and no clock: that number of requests is handed to one
//! variant in process. `ci/overhead-server.sh` has their instructions counted.
//!
//! Exit code 0 if all was measured, whatever the times say of the promises; 1 if something broke, 2
//! if the arguments could not be used.
//!
//! In reading order: [`service`], what is measured; [`variant`] and [`recorded`]; [`rounds`] and
//! [`load`]; [`table`]; [`probes`]; [`in_process`].

#![allow(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds of one run are far below 2^53"
)]

#[path = "../../examples/live_server/command.rs"]
mod command;
mod in_process;
#[path = "../../examples/live_server/latencies.rs"]
mod latencies;
mod load;
mod probes;
mod recorded;
mod rounds;
#[path = "../../examples/live_server/server.rs"]
mod server;
mod service;
mod table;
mod variant;

use clap::Parser;
use command::{BROKEN, USAGE, fail, number};
use std::process::ExitCode;
use std::time::Duration;
use variant::Variant;

/// What events cost a server: without any, off, with probes that do nothing, and recorded
#[derive(Debug, Parser)]
struct Arguments {
    /// How long all of it is measured
    #[arg(long, default_value = "24", allow_negative_numbers = true, value_parser = number::<u64>(1..=3600))]
    seconds: u64,

    /// How many rounds that is; in each, every variant has its turn
    #[arg(long, default_value = "80", allow_negative_numbers = true, value_parser = number::<usize>(5..=10_000))]
    rounds: usize,

    /// How many keep-alive connections ask, one request at a time on each
    #[arg(long, default_value = "16", allow_negative_numbers = true, value_parser = number::<usize>(1..=10_000))]
    connections: usize,

    /// Instead: only hand this number of requests to one variant, in process
    #[arg(
        long, allow_negative_numbers = true, value_parser = number::<u64>(1..=1_000_000_000), requires = "variant",
        conflicts_with_all = ["seconds", "rounds", "connections"]
    )]
    requests: Option<u64>,

    /// Which one
    #[arg(long, requires = "requests")]
    variant: Option<Variant>,

    /// Instead: what `/debug/probes` costs, mounted and idle, and recording four events a request
    #[arg(long, conflicts_with = "requests")]
    probes: bool,
}

/// Shorter ones would be over before the connections have found their feet.
const SHORTEST_SLICE: Duration = Duration::from_millis(30);

fn main() -> ExitCode {
    // Bad values end here, with `USAGE`, which is clap's own code for it.
    let arguments = Arguments::parse();
    let done = match (arguments.requests, arguments.variant) {
        (Some(requests), Some(variant)) => in_process::run(variant, requests)
            .map(|()| println!("{requests} requests answered, {}", variant.name())),
        _ => match slice(&arguments) {
            Ok(slice) => compare(&arguments, slice),
            Err(reason) => return fail(USAGE, &reason),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => fail(BROKEN, &reason),
    }
}

/// How many have a turn in each round.
fn variants(arguments: &Arguments) -> usize {
    if arguments.probes {
        probes::VARIANTS
    } else {
        Variant::ALL.len()
    }
}

/// How long each variant has its turn.
fn slice(arguments: &Arguments) -> Result<Duration, String> {
    let Arguments {
        seconds, rounds, ..
    } = *arguments;
    let turns = rounds * variants(arguments);
    let slice = Duration::from_secs(seconds).div_f64(turns as f64);
    if slice >= SHORTEST_SLICE {
        return Ok(slice);
    }
    Err(format!(
        "--rounds {rounds} in --seconds {seconds} leaves {} ms for each of {turns} turns, and below {} ms nothing can \
         be seen: give fewer rounds, or more seconds",
        slice.as_millis(),
        SHORTEST_SLICE.as_millis()
    ))
}

fn compare(arguments: &Arguments, slice: Duration) -> Result<(), String> {
    let Arguments {
        rounds,
        connections,
        ..
    } = *arguments;
    in_process::check()?;
    println!(
        "{rounds} rounds of {} times {} ms over {connections} connections; {} events a request, or none",
        variants(arguments),
        slice.as_millis(),
        service::EVENTS
    );
    if arguments.probes {
        return probes::run(rounds, slice, connections);
    }
    rounds::run(rounds, slice, connections).map(|all| table::print(&all))
}
