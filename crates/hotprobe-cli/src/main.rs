//! `hotprobe`: asks `/debug/probes` of a running server, from a terminal. README.md is its
//! documentation.
//!
//! In reading order:
//!
//! 1. The command line (`arguments.rs`); errors and exit codes (`failure.rs`).
//! 2. The commands, a file each (`commands/`): `list`, `watch`, `tail`, `record`, `latency`,
//!    `stacks`, `completions`.
//! 3. How a server is asked, and what its errors become (`http/`).
//! 4. How a response is printed (`output.rs`), or saved in a file (`save/`), which is complete or
//!    called `.part`.

mod arguments;
mod commands;
mod failure;
mod http;
mod output;
mod save;

use arguments::{Arguments, Command};
use commands::{completions, latency, list, record, stacks, tail, watch};
use failure::Failure;
use http::client::Client;
use std::process::ExitCode;

fn main() -> ExitCode {
    match Arguments::parse_or_exit().and_then(|arguments| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let client = || Client::new(&arguments.server);
    match &arguments.command {
        Command::List(options) => list::run(&client()?, options),
        Command::Watch(options) => watch::run(&client()?, options),
        Command::Tail(options) => tail::run(&client()?, options),
        Command::Record(options) => record::run(&client()?, options),
        Command::Latency(options) => latency::run(&client()?, options),
        Command::Stacks(options) => stacks::run(&client()?, options),
        Command::Completions { shell } => completions::run(*shell),
    }
}
