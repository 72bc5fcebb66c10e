//! An order service over HTTP, probed while it serves.
//!
//! ```text
//! cargo run --release --example live_server
//! cargo run --release --example live_server -- --seconds 2 --connections 128
//! cargo run --release --example live_server -- --serve --port 8080
//! cargo run --release --example live_server -- --serve --port 9000 --connections 4
//! cargo run --release --example live_server -- --record trace.pftrace
//! ```
//!
//! It starts a server on loopback, keeps it busy over real connections, and runs four phases:
//!
//! 1. All events are off.
//! 2. A batch of probes is attached to all events, with requests in flight; it counts firings and
//!    measures latencies.
//! 3. The batch is detached and waited for: the counters stop, the captures are dropped, the
//!    traffic continues.
//! 4. A probe that panics is attached: no request notices, and the probe is switched off.
//!
//! Then it prints what was measured. The exit code is 0 if all checks held and no request failed, 1
//! otherwise, 2 if the arguments are not usable. Clients and server share the machine and one
//! runtime: compare the figures of the phases with each other only.
//!
//! `--record` records all events from the first request to the last, beside those probes, and
//! streams them to a file.
//!
//! `--serve` only serves, until Ctrl-C or SIGTERM, and mounts `/debug/probes`: a page to look into
//! the server. With `--connections`, it is under load meanwhile.
//!
//! In reading order: [`events`]; [`service`], which fires them; [`statistics`], the probes;
//! [`phases`], which attaches and detaches them; [`load`] and [`report`] around it; [`recording`],
//! for `--record`; [`probes`], for `/debug/probes`. The examples `record` and `profile` use the
//! same service, load and server; the benchmark `overhead_server` uses [`command`], [`latencies`]
//! and [`server`].

#![allow(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds of one run are far below 2^53"
)]

mod command;
mod events;
mod latencies;
mod load;
mod phases;
mod probes;
mod recording;
mod report;
mod server;
mod service;
mod statistics;

use clap::Parser;
use command::{BROKEN, USAGE, fail, number};
use load::{Load, no_connections};
use probes::Probes;
use recording::Streaming;
use server::Server;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// An order service over HTTP that is probed while it serves.
#[derive(Debug, Parser)]
struct Arguments {
    /// How long each of the four phases lasts
    #[arg(long, default_value = "4", allow_negative_numbers = true, value_parser = number::<u64>(1..=600))]
    seconds: u64,

    /// How many keep-alive connections the load has, one request at a time on each [default: 32;
    /// with --serve, no load]
    #[arg(long, allow_negative_numbers = true, value_parser = number::<usize>(1..=10_000))]
    connections: Option<usize>,

    /// The port on 127.0.0.1; 0 is any free one
    #[arg(long, default_value = "0", allow_negative_numbers = true, value_parser = number::<u16>(0..=u16::MAX))]
    port: u16,

    /// Only serve, until Ctrl-C or SIGTERM, with /debug/probes mounted; under load if --connections
    /// is given
    #[arg(long, conflicts_with = "seconds")]
    serve: bool,

    /// Record all events to a file, from the first request to the last: trace.pftrace for Perfetto,
    /// trace.json for Chrome, trace.ctf (a folder) for babeltrace2
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// The number of connections by default, except with `--serve`.
const CONNECTIONS: usize = 32;

#[tokio::main]
async fn main() -> ExitCode {
    // Bad values end here, with `USAGE`, which is clap's own code for it.
    let arguments = Arguments::parse();
    // Before the server starts: if recording is impossible, nothing is served.
    let streaming = match arguments
        .record
        .as_deref()
        .map(Streaming::start)
        .transpose()
    {
        Ok(streaming) => streaming,
        Err(reason) => return fail(USAGE, &reason),
    };
    let ended = if arguments.serve {
        serve(&arguments).await
    } else {
        demonstrate(&arguments).await
    };
    // After the last request. (It blocks, so it does not run on a worker of the runtime.)
    let recorded = tokio::task::spawn_blocking(|| streaming.map_or(Ok(()), Streaming::finish));
    let recorded = recorded.await.expect("finishing does not panic");
    match (ended, recorded) {
        (Err(code), Ok(())) => code,
        (Ok(()), Ok(())) => ExitCode::SUCCESS,
        (_, Err(reason)) => fail(BROKEN, &reason),
    }
}

/// The four phases, and the report.
async fn demonstrate(arguments: &Arguments) -> Result<(), ExitCode> {
    let server = Server::start(service::routes(), arguments.port)
        .await
        .map_err(|error| no_socket(arguments.port, &error))?;
    let seconds = arguments.seconds;
    let connections = arguments.connections.unwrap_or(CONNECTIONS);
    println!(
        "serving http://{}, asked over {connections} connections, in 4 phases of {seconds} s",
        server.address()
    );
    let mut load = match Load::start(server.address(), connections).await {
        Ok(load) => load,
        Err(error) => return Err(fail(USAGE, &no_connections(connections, &error))),
    };
    let findings = phases::run(&mut load, seconds, arguments.record.is_some()).await;
    let (tallies, first_failure) = load.stop().await;
    let stopped = server.stop().await;

    let all_held = report::print(&tallies, first_failure.as_deref(), &findings);
    match stopped {
        Ok(()) if all_held => Ok(()),
        Ok(()) => Err(ExitCode::from(BROKEN)),
        Err(reason) => Err(fail(BROKEN, &reason)),
    }
}

/// Serves until a signal comes. The events are off, unless `--record` or `/debug/probes` enables
/// them.
async fn serve(arguments: &Arguments) -> Result<(), ExitCode> {
    let (routes, probes) = Probes::mount(service::routes());
    let server = Server::start_with_peers(routes, arguments.port)
        .await
        .map_err(|error| no_socket(arguments.port, &error))?;
    // Before the address is printed, since a program that reads it may send the signal.
    let signal = match stop_signal() {
        Ok(signal) => signal,
        Err(error) => return Err(fail(USAGE, &format!("cannot wait for Ctrl-C: {error}"))),
    };
    let address = server.address();
    println!("serving http://{address} until Ctrl-C; try: curl -s http://{address}/orders");
    Probes::say(address);
    let load = match arguments.connections {
        None => None,
        Some(connections) => match Load::start(address, connections).await {
            Ok(load) => {
                println!("asked over {connections} connections");
                Some(load)
            }
            Err(error) => return Err(fail(USAGE, &no_connections(connections, &error))),
        },
    };
    let signal = signal.await;
    println!("{signal}: finishing the requests in flight");
    probes.end();
    let asked = match load {
        Some(load) => asked(load).await,
        None => Ok(()),
    };
    match (server.stop().await, asked) {
        (Ok(()), Ok(())) => {
            println!("stopped");
            Ok(())
        }
        (Err(reason), _) | (Ok(()), Err(reason)) => Err(fail(BROKEN, &reason)),
    }
}

/// Ends the load and prints its results.
async fn asked(load: Load) -> Result<(), String> {
    let (tallies, first_failure) = load.stop().await;
    let requests: u64 = tallies.iter().map(load::Tally::requests).sum();
    println!("{requests} requests were answered");
    match first_failure {
        None => Ok(()),
        Some(reason) => Err(format!("the load broke off: {reason}")),
    }
}

/// Listens for the signals from now on; the future returns the one that came.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "Ctrl-C",
            _ = terminate.recv() => "SIGTERM",
        }
    })
}

#[cfg(windows)]
fn stop_signal() -> io::Result<impl Future<Output = &'static str>> {
    let mut ctrl_c = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        ctrl_c.recv().await;
        "Ctrl-C"
    })
}

fn no_socket(port: u16, error: &io::Error) -> ExitCode {
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => "another program uses it: stop that, give another port,",
        io::ErrorKind::PermissionDenied => "it is reserved by the system: give one above 1023,",
        _ => "give another one,",
    };
    let reason = format!(
        "--port {port} cannot be served on 127.0.0.1 ({error}): {remedy} or 0 for any free one"
    );
    fail(USAGE, &reason)
}
