//! The command line: a type for each command. Their doc comments are the text of `--help`.

use crate::failure::Failure;
use clap::error::{ContextKind, ContextValue};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;

const AFTER: &str = "\
Exit codes: 0, success; 1, the server refused, failed or shut down, or a file could not be written; 2, the command line,
or a variable, cannot be used. Ctrl-C ends any of them, saving a trace that is being recorded: the server notices, and
detaches.

A MATCH is the full name of an event, or a pattern, where `*` stands for anything: 'shop::orders::*'. Quote it.";

/// Looks into a running server: asks its `/debug/probes`, which the crate hotprobe-admin serves.
#[derive(Debug, Parser)]
#[command(name = "hotprobe", version, after_help = AFTER, max_term_width = 110)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// Parses this process's command line; ends the process if it cannot be parsed, or asks for
    /// help.
    pub(crate) fn parse_or_exit() -> Result<Self, Failure> {
        Self::try_parse().map_err(|error| {
            let unknown = error.get(ContextKind::InvalidArg);
            if matches!(unknown, Some(ContextValue::String(name)) if name == "--token") {
                return no_token_option();
            }
            error.exit()
        })
    }
}

/// Returns the error for a token on the command line.
fn no_token_option() -> Failure {
    Failure::usage(
        "there is no `--token`: what stands on a command line, everybody on the machine can read in the list of \
         processes. Give the token in a file, `--token-file FILE`, or in the variable HOTPROBE_TOKEN",
    )
}

/// Whom to ask.
#[derive(Args, Debug)]
#[command(next_help_heading = "Server")]
pub(crate) struct Server {
    /// Where the server mounts it [variable: `HOTPROBE_URL`] [default:
    /// `http://127.0.0.1:9000/debug/probes`]
    ///
    /// It is asked directly, never through a proxy.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// A file with the server's token [or the token itself in the variable `HOTPROBE_TOKEN`]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists events, sorted by name: whether they are on, their probes and parameters
    List(List),
    /// Shows how often events are fired a second, until Ctrl-C
    ///
    /// On a terminal, a table that is redrawn, of as many events as fit (see `--top`); else, a line
    /// each.
    Watch(Watch),
    /// Prints events as they are fired, one a line
    Tail(Tail),
    /// Records events into a file
    Record(Record),
    /// Measures the time from one event to another
    Latency(Latency),
    /// Collects the stacks that lead to an event
    Stacks(Stacks),
    /// Prints a script that completes the commands of a shell
    ///
    /// For bash: hotprobe completions bash > ~/.local/share/bash-completion/completions/hotprobe
    Completions {
        /// Whose
        shell: Shell,
    },
}

#[derive(Args, Debug)]
pub(crate) struct List {
    /// Which events [default: all]
    #[arg(value_name = "MATCH")]
    pub(crate) patterns: Vec<String>,
    /// Prints what the server says: one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Watch {
    /// Which events
    #[arg(value_name = "MATCH", required = true)]
    pub(crate) patterns: Vec<String>,
    /// How many seconds each rate is of
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) interval: u32,
    /// Ends after so many intervals
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Shows only the N that are fired most often, these first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) top: Option<u16>,
    /// Prints a JSON document a line, one for each interval
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Tail {
    /// Which events
    #[arg(value_name = "MATCH", required = true)]
    pub(crate) patterns: Vec<String>,
    /// Ends after so many seconds [default: 60]
    #[arg(long, value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// Ends after so many records [default: 10000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// At most so many records a second; the others are counted [default: 200]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rate: Option<u64>,
    /// Prints each record as the server says it: a JSON document a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Record {
    /// Which events (those of `--slice` need not be said)
    #[arg(value_name = "MATCH", required_unless_present = "slices")]
    pub(crate) patterns: Vec<String>,
    /// Into this file; `-` is standard output
    ///
    /// It appears when the recording is complete. Until then, FILE.part has what came, and stays if
    /// the connection breaks. One that exists is not touched: rename or remove it. Ctrl-C saves what
    /// came. Standard error says how many firings were lost.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// How long [default: 10]
    #[arg(long, value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// [default: by FILE's ending: .pftrace or .perfetto-trace, .json, .tar]
    #[arg(long)]
    pub(crate) format: Option<RecordFormat>,
    /// From BEGIN to END, for each value of the parameter KEY, is a slice called NAME; may be said
    /// several times
    #[arg(long = "slice", value_name = "NAME,BEGIN,END,KEY")]
    pub(crate) slices: Vec<String>,
    /// With a track for each tokio task, for Perfetto: twice as much is sent
    #[arg(long)]
    pub(crate) tasks: bool,
}

/// A recording's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecordFormat {
    /// For Perfetto
    Perfetto,
    /// JSON, for Chrome and Perfetto
    Chrome,
    /// A tar archive, for babeltrace2
    Ctf,
}

#[derive(Args, Debug)]
pub(crate) struct Latency {
    /// The event that begins it
    pub(crate) begin: String,
    /// The event that ends it
    pub(crate) end: String,
    /// The parameter of both that tells which end belongs to which begin, as `id`
    pub(crate) key: String,
    /// A parameter: a row for each of its values, as for each path
    #[arg(long, value_name = "PARAMETER")]
    pub(crate) label: Option<String>,
    /// How long [default: 10]
    #[arg(long, value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// Prints what the server says: one JSON document
    #[arg(long, conflicts_with = "output")]
    pub(crate) json: bool,
    /// Into this file, by its ending: .svg, a picture; .hlog, an HDR histogram log; .json; .txt
    /// [default: prints a table]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Stacks {
    /// Which event
    pub(crate) event: String,
    /// How long [default: 10]
    #[arg(long, value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// A numeric parameter: each firing counts as much as it says [default: 1]
    #[arg(long, value_name = "PARAMETER")]
    pub(crate) weight: Option<String>,
    /// A parameter: stacks are told apart by its value, in pprof's format
    #[arg(long, value_name = "PARAMETER")]
    pub(crate) label: Option<String>,
    /// Into this file, by its ending: .pb.gz, for pprof; .svg, a flame graph; .folded [default:
    /// prints folded stacks]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// How long. The server says what it allows.
fn seconds(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|seconds: &f64| *seconds > 0.0 && *seconds <= 1e6)
        .ok_or_else(|| "expected a number of seconds, as in `10` or `0.5`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn what_is_declared_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_the_documentation_says_can_be_said() {
        // (The workspace's README: tests/it/documentation.rs.)
        let mut commands = 0;
        for line in include_str!("../README.md").lines() {
            if let Some(line) = line.strip_prefix("$ hotprobe ") {
                let words = line.split_whitespace().map(|word| word.trim_matches('\''));
                let words = std::iter::once("hotprobe").chain(words);
                assert!(Arguments::try_parse_from(words).is_ok(), "{line}");
                commands += 1;
            }
        }
        assert!(commands > 0);
    }

    #[test]
    fn seconds_are_a_finite_number_above_zero() {
        assert_eq!(seconds("0.5"), Ok(0.5));
        for text in ["0", "-1", "inf", "NaN", "1e9", "", "10s"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
