//! What is wrong with a command line, in one line: clap's errors in the voice of the others.

use crate::output::shown;
use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::error::Error as _;

/// Returns the message for an error of the command line: what is wrong, the value, what is
/// possible.
pub(crate) fn message(error: &Error) -> String {
    let help = help(error);
    match error.kind() {
        ErrorKind::InvalidValue => {
            let argument = first(error, ContextKind::InvalidArg);
            let value = first(error, ContextKind::InvalidValue);
            let possible = one_of(&all(error, ContextKind::ValidValue));
            if value.is_empty() {
                let possible = if possible.is_empty() { help } else { possible };
                return format!("{argument} needs a value: {possible}");
            }
            format!("{argument} is `{}`: expected {possible}", shown(&value))
        }
        ErrorKind::ValueValidation => {
            let argument = first(error, ContextKind::InvalidArg);
            let value = first(error, ContextKind::InvalidValue);
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            format!("{argument} is `{}`: {}", shown(&value), shown(&why))
        }
        ErrorKind::UnknownArgument => {
            let name = first(error, ContextKind::InvalidArg);
            let suggested = all(error, ContextKind::SuggestedArg);
            let next = suggested
                .first()
                .map_or(help, |name| format!("try `{name}`"));
            let what = if name.starts_with('-') {
                "there is no option"
            } else {
                "there is no place for the argument"
            };
            format!("{what} `{}`; {next}", shown(&name))
        }
        ErrorKind::InvalidSubcommand => {
            let name = first(error, ContextKind::InvalidSubcommand);
            let suggested = all(error, ContextKind::SuggestedSubcommand);
            let next = suggested
                .first()
                .map_or(help, |name| format!("try `{name}`"));
            format!("there is no command `{}`; {next}", shown(&name))
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = all(error, ContextKind::InvalidArg);
            format!("missing {}; {help}", missing.join(" and "))
        }
        ErrorKind::ArgumentConflict => {
            let argument = first(error, ContextKind::InvalidArg);
            let prior = all(error, ContextKind::PriorArg).join(", ");
            if prior.is_empty() || prior == argument {
                return format!("{argument} is given twice");
            }
            format!("{argument} cannot be used with {prior}")
        }
        _ => {
            let whole = error.to_string();
            let paragraph = whole.split("\n\n").next().unwrap_or_default();
            let words: Vec<_> = paragraph.split_whitespace().collect();
            let line = words.join(" ");
            let line = line.strip_prefix("error: ").unwrap_or(&line);
            shown(line.trim_end_matches('.'))
        }
    }
}

/// Returns where to read what is possible: the help of the command that the error is about.
fn help(error: &Error) -> String {
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => usage.to_string(),
        _ => String::new(),
    };
    let words = usage.split_whitespace().skip(1);
    let command: Vec<_> = words
        .take_while(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
        .collect();
    if command.is_empty() {
        return "see `hotprobe --help`".to_owned();
    }
    format!("see `{} --help`", command.join(" "))
}

fn all(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(ContextValue::Strings(all)) => all.clone(),
        Some(ContextValue::StyledStr(one)) => vec![one.to_string()],
        _ => Vec::new(),
    }
}

fn first(error: &Error, kind: ContextKind) -> String {
    all(error, kind).into_iter().next().unwrap_or_default()
}

/// Joins what is possible: `a, b or c`.
fn one_of(values: &[String]) -> String {
    match values {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use clap::Parser as _;

    #[test]
    fn each_kind_of_error_is_a_line_that_tells_what_is_possible() {
        for (words, expected) in [
            (
                "record * -o x --format svg",
                "--format <FORMAT> is `svg`: expected perfetto, chrome or ctf",
            ),
            ("tail", "missing <MATCH>...; see `hotprobe tail --help`"),
            ("lst", "there is no command `lst`; try `list`"),
            ("list --jsn", "there is no option `--jsn`; try `--json`"),
            (
                "list --zzzzz",
                "there is no option `--zzzzz`; see `hotprobe list --help`",
            ),
            (
                "stacks a b",
                "there is no place for the argument `b`; see `hotprobe stacks --help`",
            ),
            ("watch * --top 0", "--top <N> is `0`: 0 is not in 1..=65535"),
            (
                "stacks a -o x.svg --json",
                "--output <FILE> cannot be used with --json",
            ),
        ] {
            let words = std::iter::once("hotprobe").chain(words.split(' '));
            let error = Arguments::try_parse_from(words).unwrap_err();
            assert_eq!(message(&error), expected);
        }
    }
}
