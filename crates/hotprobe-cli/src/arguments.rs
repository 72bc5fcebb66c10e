//! The command line: a type for each command. Their doc comments are the text of `--help`.

use crate::color::{self, ColorChoice};
use crate::duration::{interval, seconds};
use crate::failure::Failure;
use crate::output;
use crate::usage;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use std::env;
use std::path::PathBuf;

const AFTER: &str = "\
Examples:
  hotprobe list                          all events of the server
  hotprobe tail 'shop::orders::*'        what is fired, a line each
  hotprobe latency                       where the time goes
  hotprobe record '*' -o shop.pftrace    a trace for ui.perfetto.dev
  hotprobe ps                            processes of yours that listen
  hotprobe -p shop tail '*'              one of them
  hotprobe list --url shop.example:9000  another server

A MATCH is the full name of an event, a pattern, or a part of a name. In a
pattern, `*` matches any text: 'shop::orders::*'. Quote it. A DURATION is `10s`,
`2m`, `500ms`, or a number of seconds.

Exit codes:
  0  success, even if firings were lost
  1  the server refused, failed or shut down early; nothing was measured;
     a file or the output could not be written
  2  the command line or an environment variable cannot be used

Ctrl-C ends a command, which keeps what was measured, and says so; a second one
kills it. The server detaches.";

const PS: &str = "\
Examples:
  hotprobe ps
  hotprobe ps --json | jq -r '.processes[].pid'

A process listens if it calls `hotprobe_admin::listen()`. Root sees those of all
users. Files of processes that have ended are removed.";

#[cfg(unix)]
const OPEN: &str = "\
Examples:
  hotprobe open
  hotprobe -p shop open
  hotprobe -p 4711 open --no-browser

The page is at a port of this machine, under an address that nobody can guess,
until Ctrl-C.";

const LIST: &str = "\
Examples:
  hotprobe list
  hotprobe list 'shop::*' orders
  hotprobe list --json | jq -r '.events[].name'";

const WATCH: &str = "\
Examples:
  hotprobe watch 'shop::*'
  hotprobe watch 'shop::*' --top 10 --interval 5s --count 12";

const TAIL: &str = "\
Examples:
  hotprobe tail shop::orders::PLACED --limit 20
  hotprobe tail 'shop::*' --for 5s --rate 1000 --json";

const RECORD: &str = "\
Examples:
  hotprobe record 'shop::*' --for 10s -o orders.pftrace
  hotprobe record --slice 'order,*::PLACED,*::FILLED,id' -o orders.json
  hotprobe record '*' -o - | gzip > all.pftrace.gz

Standard error has how many firings there were, how many of them were written,
and how many were lost. Losses do not change the exit code: the file is valid,
and says itself what it lacks.";

const LATENCY: &str = "\
Examples:
  hotprobe latency
  hotprobe latency '*::REQUEST_BEGIN'
  hotprobe latency shop::PLACED shop::FILLED id --label symbol --for 1m
  hotprobe latency shop::PLACED shop::FILLED id -o orders.svg

Without BEGIN, the events are guessed by their names: of NAME_BEGIN and
NAME_END, the common stem decides. Standard error has what was guessed.";

const STACKS: &str = "\
Examples:
  hotprobe stacks shop::orders::PLACED
  hotprobe stacks shop::orders::PLACED --every 100 --for 30s -o placed.svg
  hotprobe stacks shop::store::WRITTEN --weight bytes -o written.pb.gz";

const COMPLETIONS: &str = "\
Examples:
  hotprobe completions bash >> ~/.bash_completion
  hotprobe completions zsh > ~/.zfunc/_hotprobe
  hotprobe completions fish > ~/.config/fish/completions/hotprobe.fish

In bash, zsh and fish, names of events are completed as well: the server at
HOTPROBE_URL is asked for them.";

const MAN: &str = "\
Examples:
  hotprobe man | man -l -
  hotprobe man record | man -l -
  hotprobe man --dir ~/.local/share/man/man1";

/// Looks into a running server: queries its `/debug/probes`, which the crate hotprobe-admin serves.
#[derive(Debug, Parser)]
#[command(name = "hotprobe", version, after_help = AFTER, max_term_width = 110)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) server: Server,
    /// When to use colour; `auto` is on a terminal, unless the variable `NO_COLOR` is set
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        help = "When to use colour: auto, always or never; `auto` is on a terminal, unless the variable `NO_COLOR` is set"
    )]
    pub(crate) color: ColorChoice,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// Parses this process's command line. `None` if it asked for help, which is printed.
    pub(crate) fn parse_or_help() -> Result<Option<Self>, Failure> {
        // Errors and help are coloured, too, and come without a parsed command line.
        color::choose(color::of_words(
            env::args_os().map(|word| word.to_string_lossy().into_owned()),
        ));
        Self::try_parse().map(Some).or_else(|error| {
            let help = |is_colored: bool| {
                let help = error.render();
                if is_colored {
                    help.ansi().to_string()
                } else {
                    help.to_string()
                }
            };
            match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                    output::text(&help(color::of_output()))?;
                    Ok(None)
                }
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                    Err(Failure::Help(help(color::of_errors())))
                }
                _ => {
                    let unknown = error.get(ContextKind::InvalidArg);
                    if matches!(unknown, Some(ContextValue::String(name)) if name == "--token") {
                        return Err(no_token_option());
                    }
                    Err(Failure::usage(usage::message(&error)))
                }
            }
        })
    }
}

/// Returns the error for a token on the command line.
fn no_token_option() -> Failure {
    Failure::usage(
        "there is no `--token`, since every account on a machine can read its command lines; use `--token-file FILE` or \
         the variable HOTPROBE_TOKEN",
    )
}

/// The server to query.
#[derive(Args, Debug)]
#[command(next_help_heading = "Server")]
pub(crate) struct Server {
    /// Address of the server, as `HOST:PORT` or `http://HOST:PORT/PATH` [variable: `HOTPROBE_URL`]
    /// [default: `http://127.0.0.1:9000/debug/probes`]
    ///
    /// Without a path, it is `/debug/probes`. The server is queried directly, never through a
    /// proxy.
    ///
    /// `unix:PATH` is a Unix socket. Without an address, if exactly one of your processes listens
    /// (see `hotprobe ps`), it is queried.
    #[arg(long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) url: Option<String>,
    /// Process to query, by its number or its program's name; see `hotprobe ps`
    #[arg(
        short,
        long,
        global = true,
        value_name = "PID|NAME",
        conflicts_with = "url",
        value_hint = PROCESS_HINT
    )]
    pub(crate) process: Option<String>,
    /// File with the server's token [or the token itself in the variable `HOTPROBE_TOKEN`]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) token_file: Option<PathBuf>,
}

/// The hint that an argument is an event's name. (clap has none, and no argument is a host's name:
/// the completions ask the server where a shell's script would ask for hosts.)
pub(crate) const EVENT_HINT: ValueHint = ValueHint::Hostname;

/// The hint that an argument is a process that listens, for the same reason.
pub(crate) const PROCESS_HINT: ValueHint = ValueHint::Username;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the processes of this user that listen
    #[command(after_help = PS)]
    Ps(Ps),
    /// Shows the page of a process in the browser
    #[cfg(unix)]
    #[command(after_help = OPEN)]
    Open(Open),
    /// Lists events, sorted by name: whether they are on, their probes and parameters
    #[command(after_help = LIST)]
    List(List),
    /// Shows how often events are fired per second, until Ctrl-C
    ///
    /// On a terminal, a table that is redrawn, of as many events as fit (see `--top`); otherwise a
    /// line for each event.
    #[command(after_help = WATCH)]
    Watch(Watch),
    /// Prints events as they are fired, one a line
    #[command(after_help = TAIL)]
    Tail(Tail),
    /// Records events into a file
    #[command(after_help = RECORD)]
    Record(Record),
    /// Measures the time from one event to another, for each value of a label
    #[command(after_help = LATENCY)]
    Latency(Latency),
    /// Collects the call stacks that lead to an event
    #[command(after_help = STACKS)]
    Stacks(Stacks),
    /// Prints a script that completes the commands of a shell
    #[command(after_help = COMPLETIONS)]
    Completions {
        /// Shell that the script is for
        shell: Shell,
    },
    /// Prints a manual page
    #[command(after_help = MAN)]
    Man(Man),
    /// Prints the names of events that complete a word, for the scripts of `completions`
    #[command(name = "complete-event", hide = true)]
    CompleteEvent {
        /// The word so far
        #[arg(default_value = "")]
        word: String,
    },
    /// Prints the processes that complete a word, for the scripts of `completions`
    #[command(name = "complete-process", hide = true)]
    CompleteProcess {
        /// The word so far
        #[arg(default_value = "")]
        word: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Ps {
    /// Print a JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(unix)]
#[derive(Args, Debug)]
pub(crate) struct Open {
    /// Print the address only
    #[arg(long)]
    pub(crate) no_browser: bool,
}

#[derive(Args, Debug)]
pub(crate) struct List {
    /// Events to list [default: all]
    #[arg(value_name = "MATCH", value_hint = EVENT_HINT)]
    pub(crate) patterns: Vec<String>,
    /// Print a JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Watch {
    /// Events to watch
    #[arg(value_name = "MATCH", required = true, value_hint = EVENT_HINT)]
    pub(crate) patterns: Vec<String>,
    /// Time that each rate covers, in whole seconds
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = interval)]
    pub(crate) interval: u32,
    /// Stop after N intervals
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Show only the N events that are fired most often, these first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) top: Option<u16>,
    /// Print a JSON document a line, one for each interval
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Tail {
    /// Events to print
    #[arg(value_name = "MATCH", required = true, value_hint = EVENT_HINT)]
    pub(crate) patterns: Vec<String>,
    /// How long [default: 1m]
    #[arg(long = "for", visible_alias = "seconds", value_name = "DURATION", value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// Stop after N records [default: 10000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// Print at most N records per second; the others are counted as lost [default: 200]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rate: Option<u64>,
    /// Print each record as a JSON document, one a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Record {
    /// Events to record, beside those of `--slice`
    #[arg(value_name = "MATCH", required_unless_present = "slices", value_hint = EVENT_HINT)]
    pub(crate) patterns: Vec<String>,
    /// File to write; `-` is standard output
    ///
    /// It appears when the recording is complete. Until then, FILE.part has what has arrived, and
    /// stays if the connection breaks. A FILE.part that exists is not touched: rename or remove it.
    /// Ctrl-C ends the recording early, and saves it.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
    /// How long [default: 10s]
    #[arg(long = "for", visible_alias = "seconds", value_name = "DURATION", value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// Format [default: by FILE's extension: .pftrace or .perfetto-trace, .json, .tar; for `-`,
    /// perfetto]
    #[arg(long)]
    pub(crate) format: Option<RecordFormat>,
    /// Show BEGIN…END pairs with the same KEY as slices named NAME (repeatable)
    #[arg(long = "slice", value_name = "NAME,BEGIN,END,KEY")]
    pub(crate) slices: Vec<String>,
    /// Add a track for each tokio task, for Perfetto; doubles the size
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
    /// Event that begins it [default: guessed]
    #[arg(value_hint = EVENT_HINT)]
    pub(crate) begin: Option<String>,
    /// Event that ends it [default: guessed]
    #[arg(value_hint = EVENT_HINT)]
    pub(crate) end: Option<String>,
    /// Parameter of both events by which an end finds its begin, such as `id` [default: guessed]
    #[arg(value_hint = ValueHint::Other)]
    pub(crate) key: Option<String>,
    /// Parameter to break the measurement down by, such as the path of a request
    #[arg(long, value_name = "PARAMETER")]
    pub(crate) label: Option<String>,
    /// How long [default: 10s]
    #[arg(long = "for", visible_alias = "seconds", value_name = "DURATION", value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// Print a JSON document
    #[arg(long, conflicts_with = "output")]
    pub(crate) json: bool,
    /// File to write, by its extension: .svg, a picture; .hlog, an HDR histogram log; .json; .txt
    /// [default: print a table]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Stacks {
    /// Event that the stacks lead to
    #[arg(value_hint = EVENT_HINT)]
    pub(crate) event: String,
    /// How long [default: 10s]
    #[arg(long = "for", visible_alias = "seconds", value_name = "DURATION", value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// Collect the stack of every Nth firing only, which costs less [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) every: Option<u32>,
    /// Numeric parameter to weigh each firing by [default: 1 each]
    #[arg(long, value_name = "PARAMETER")]
    pub(crate) weight: Option<String>,
    /// Parameter to break the stacks down by, in pprof's format
    #[arg(long, value_name = "PARAMETER")]
    pub(crate) label: Option<String>,
    /// Print a JSON document
    #[arg(long, conflicts_with = "output")]
    pub(crate) json: bool,
    /// File to write, by its extension: .pb.gz, for pprof; .svg, a flame graph; .folded [default:
    /// print folded stacks]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Command that the page is about [default: hotprobe itself]
    pub(crate) command: Option<String>,
    /// Directory to write the pages of all commands into
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "command")]
    pub(crate) dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn what_is_declared_is_sound() {
        Arguments::command().debug_assert();
    }

    /// Parses each line that is a command.
    #[track_caller]
    fn all_parse<'a>(lines: impl Iterator<Item = &'a str>) {
        let mut commands = 0;
        for line in lines {
            // What follows two spaces is a comment, and what follows `|` or `>` the shell's.
            let line = line.split("  ").next().unwrap_or_default();
            let line = line.split(['|', '>']).next().unwrap_or_default();
            let words = line.split_whitespace().map(|word| word.trim_matches('\''));
            let words = std::iter::once("hotprobe").chain(words);
            assert!(Arguments::try_parse_from(words).is_ok(), "{line}");
            commands += 1;
        }
        assert!(commands > 0);
    }

    #[test]
    fn what_the_documentation_says_can_be_said() {
        // (The workspace's README: tests/it/documentation.rs.)
        let lines = include_str!("../README.md").lines();
        all_parse(lines.filter_map(|line| line.strip_prefix("$ hotprobe ")));
    }

    /// On a terminal of 80 columns, a line that is broken in two is hard to copy.
    #[test]
    fn the_help_fits_80_columns() {
        let mut root = Arguments::command();
        root.build();
        for command in root.get_subcommands().chain([&root]) {
            let help = command
                .clone()
                .term_width(80)
                .render_long_help()
                .to_string();
            // (Examples and the rest are not broken in two.)
            let after = command.get_after_help().map(ToString::to_string);
            for line in help.lines().chain(after.unwrap_or_default().lines()) {
                assert!(console::measure_text_width(line) <= 80, "{line}");
            }
        }
    }

    #[test]
    fn each_command_has_examples_that_can_be_run() {
        let root = Arguments::command();
        let commands = root
            .get_subcommands()
            .filter(|command| !command.is_hide_set());
        for command in commands.chain([&root]) {
            let after = command.get_after_help().map(ToString::to_string);
            let after = after.unwrap_or_default();
            let lines = after.lines();
            all_parse(lines.filter_map(|line| line.strip_prefix("  hotprobe ")));
        }
    }
}
