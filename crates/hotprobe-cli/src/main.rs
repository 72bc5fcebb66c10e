//! `hotprobe`: asks `/debug/probes` of a running server, from a terminal (feature `cli`).
//!
//! In reading order:
//!
//! 1. What can be said on the command line (`arguments.rs`); what is said when something fails, and with which exit
//!    code (`failure.rs`).
//! 2. How a server is asked, and what its refusals become (`client.rs`); with which token (`token.rs`); what it streams
//!    (`stream.rs`).
//! 3. How what it says is printed (`output.rs`); how far it is (`progress.rs`); what goes into a file (`save.rs`), which is whole
//!    or says that it is not (`part.rs`).
//! 4. The commands: `list.rs`, `watch.rs`, `tail.rs`, `record.rs`, and `profile.rs` for `latency` and `stacks`.

mod arguments;
mod client;
mod failure;
mod list;
mod output;
mod part;
mod profile;
mod progress;
mod record;
mod save;
mod stream;
mod tail;
mod token;
mod watch;

use arguments::{Arguments, Command};
use clap::CommandFactory as _;
use client::Client;
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    match Arguments::said().and_then(|arguments| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Command::Completions { shell } = arguments.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "hotprobe", &mut script);
        return output::bytes(&script);
    }
    let client = Client::new(&arguments.server)?;
    match &arguments.command {
        Command::List(asked) => list::run(&client, asked),
        Command::Watch(asked) => watch::run(&client, asked),
        Command::Tail(asked) => tail::run(&client, asked),
        Command::Record(asked) => record::run(&client, asked),
        Command::Latency(asked) => profile::latency(&client, asked),
        Command::Stacks(asked) => profile::stacks(&client, asked),
        Command::Completions { .. } => Ok(()),
    }
}
