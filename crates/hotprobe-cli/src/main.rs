//! `hotprobe`: queries `/debug/probes` of a running server, from a terminal. README.md is its
//! documentation.
//!
//! Exit codes: 0, success; 1, the server, the connection or a file failed, or nothing was measured;
//! 2, the command line or an environment variable cannot be used.
//!
//! In reading order:
//!
//! 1. The command line (`arguments.rs`, `duration.rs`); errors and exit codes (`failure.rs`,
//!    `usage.rs`).
//! 2. The commands, a file each (`commands/`).
//! 3. Which server it is: a process that listens (`processes/`), or an address. Queries, and what a
//!    server's errors become (`http/`); its events, and which of them a name
//!    matches (`catalogue.rs`) or belong together (`guess.rs`).
//! 4. How a result is printed (`output.rs`, `table.rs`, `color.rs`), or saved in a file (`save/`),
//!    which is complete or called `.part`; how Ctrl-C ends a command (`interrupt.rs`).

mod arguments;
mod catalogue;
mod color;
mod commands;
mod duration;
mod failure;
mod guess;
mod http;
mod interrupt;
mod output;
mod processes;
mod save;
mod table;
mod usage;

use arguments::{Arguments, Command};
#[cfg(unix)]
use commands::open;
use commands::{
    complete_event, complete_process, completions, latency, list, man, ps, record, stacks, tail,
    watch,
};
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    let code = match Arguments::parse_or_help().and_then(|arguments| arguments.map_or(Ok(()), run))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    };
    interrupt::end_if_interrupted();
    code
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    color::choose(arguments.color);
    let client = || processes::client(&arguments.server);
    match arguments.command {
        Command::Ps(options) => ps::run(&options),
        #[cfg(unix)]
        Command::Open(options) => open::run(&client()?, &options),
        Command::List(options) => list::run(&client()?, &options),
        Command::Watch(options) => watch::run(&client()?, &options),
        Command::Tail(options) => tail::run(&client()?, &options),
        Command::Record(options) => record::run(&client()?, &options),
        Command::Latency(options) => latency::run(&client()?, options),
        Command::Stacks(options) => stacks::run(&client()?, &options),
        Command::Completions { shell } => completions::run(shell),
        Command::Man(options) => man::run(&options),
        Command::CompleteEvent { word } => complete_event::run(&client()?, &word),
        Command::CompleteProcess { word } => complete_process::run(&word),
    }
}
