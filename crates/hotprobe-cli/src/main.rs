//! `hotprobe`: asks `/debug/probes` of a running server, from a terminal (feature `cli`).
//!
//! In reading order:
//!
//! 1. What can be said on the command line (`arguments.rs`); what is said when something fails, and with which exit
//!    code (`failure.rs`).
//! 2. How a server is asked, and what its refusals become (`http/`).
//! 3. How what it says is printed (`output.rs`), or saved in a file, which is whole or says that it is not (`save/`).
//! 4. The commands, a file each (`commands/`).

mod arguments;
mod commands;
mod failure;
mod http;
mod output;
mod save;

use arguments::{Arguments, Command};
use clap::CommandFactory as _;
use commands::{latency, list, record, tail, watch};
use failure::Failure;
use http::client::Client;
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
        Command::Latency(asked) => latency::latency(&client, asked),
        Command::Stacks(asked) => latency::stacks(&client, asked),
        Command::Completions { .. } => Ok(()),
    }
}
