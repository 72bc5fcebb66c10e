//! Whether output is coloured, and how: `--color`, the variable `NO_COLOR`, and what the output is.

use clap::ValueEnum;
use console::Style;
use std::env;
use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicU8, Ordering};

/// When output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Even into a file or a pipe
    Always,
    /// Not at all
    Never,
}

/// The choice, for all that is printed. (Set once, before anything is.)
static CHOICE: AtomicU8 = AtomicU8::new(ColorChoice::Auto as u8);

/// Sets when output is coloured.
pub(crate) fn choose(choice: ColorChoice) {
    // Relaxed: nothing else is published by it.
    CHOICE.store(choice as u8, Ordering::Relaxed);
}

/// Returns the `--color` of words that were not parsed: of an error, or of `--help`.
pub(crate) fn of_words(words: impl Iterator<Item = String>) -> ColorChoice {
    let mut words = words.skip_while(|word| word != "--color" && !word.starts_with("--color="));
    let value = words.next().and_then(|word| {
        let value = word.strip_prefix("--color=").map(str::to_owned);
        value.or_else(|| words.next())
    });
    match value.as_deref() {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

/// Returns whether what is printed to standard output is coloured.
pub(crate) fn of_output() -> bool {
    is_colored(io::stdout().is_terminal())
}

/// Returns whether what is printed to standard error is coloured.
pub(crate) fn of_errors() -> bool {
    is_colored(io::stderr().is_terminal())
}

fn is_colored(is_terminal: bool) -> bool {
    match CHOICE.load(Ordering::Relaxed) {
        choice if choice == ColorChoice::Always as u8 => true,
        choice if choice == ColorChoice::Never as u8 => false,
        _ => {
            is_terminal
                && !is_set("NO_COLOR")
                && env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    }
}

/// Returns whether a variable is set, and not empty. (Its text does not matter.)
fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// A meaning that a colour has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    /// The head of a table.
    Title,
    /// What to look at first: the slowest row, what was lost, an error.
    Alarm,
    /// What is on.
    On,
    /// What matters less.
    Dim,
}

impl Paint {
    /// Colours a text, if `is_colored`.
    pub(crate) fn on(self, text: &str, is_colored: bool) -> String {
        if !is_colored || text.is_empty() {
            return text.to_owned();
        }
        let style = Style::new().force_styling(true);
        let style = match self {
            Self::Title => style.bold(),
            Self::Alarm => style.red().bold(),
            Self::On => style.green(),
            Self::Dim => style.dim(),
        };
        style.apply_to(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_found_where_the_rest_cannot_be_parsed() {
        let of = |line: &str| of_words(line.split(' ').map(str::to_owned));
        assert_eq!(of("list --color=never --zzz"), ColorChoice::Never);
        assert_eq!(of("--color always lst"), ColorChoice::Always);
        assert_eq!(of("list --color"), ColorChoice::Auto);
        assert_eq!(of("list"), ColorChoice::Auto);
    }

    #[test]
    fn paint_is_put_around_the_text_or_not_at_all() {
        assert_eq!(Paint::On.on("on", false), "on");
        assert_eq!(Paint::On.on("on", true), "\u{1b}[32mon\u{1b}[0m");
        assert_eq!(Paint::Alarm.on("", true), "");
    }
}
