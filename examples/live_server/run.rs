//! The service under load, from the first request to the last, for the examples that measure it:
//! `record` and `profile`. (Not `live_server` itself, which has phases.)

use crate::load::{Load, Phase, Tally, no_connections};
use crate::server::Server;
use crate::service;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

/// The number of threads for the server and its clients.
pub(crate) const MOST_THREADS: usize = 4;

/// Creates the folder and checks, before the run, that these files can be written there. `what`
/// names them in the error.
pub(crate) fn prepare(out: &Path, what: &str, files: &[&str]) -> Result<(), String> {
    let unusable = |error: io::Error| {
        let remedy = match error.kind() {
            _ if out.is_file() => "it is a file; give a directory",
            io::ErrorKind::PermissionDenied => "give one that you may write to",
            _ => "give another one",
        };
        format!(
            "--out {}: no {what} can be written there ({error}): {remedy}",
            out.display()
        )
    };
    fs::create_dir_all(out).map_err(unusable)?;
    for file in files {
        File::create(out.join(file)).map_err(unusable)?;
    }
    Ok(())
}

pub(crate) fn runtime() -> Result<Runtime, String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let built = Builder::new_multi_thread()
        .worker_threads(threads.min(MOST_THREADS))
        .enable_all()
        .build();
    built.map_err(|error| format!("no runtime: {error}"))
}

/// Serves under load; after it returns, no request is in flight. Returns the clients' results or
/// the first failure; the outer error is one of the arguments.
pub(crate) async fn serve(
    seconds: u64,
    connections: usize,
) -> Result<Result<Tally, String>, String> {
    let server = Server::start(service::routes(), 0).await;
    let server = server.map_err(|error| format!("no server on 127.0.0.1: {error}"))?;
    println!(
        "serving http://{}, asked over {connections} connections for {seconds} s",
        server.address()
    );
    let load = Load::start(server.address(), connections).await;
    let load = load.map_err(|error| no_connections(connections, &error))?;
    sleep(Duration::from_secs(seconds)).await;
    let (tallies, first_failure) = load.stop().await;
    let stopped = server.stop().await;

    // (There is one phase.)
    let [tally, ..] = tallies;
    debug_assert_eq!(Phase::WarmUp as usize, 0);
    Ok(match first_failure {
        Some(reason) => Err(format!("a request failed: {reason}")),
        None => stopped.map(|()| tally),
    })
}
