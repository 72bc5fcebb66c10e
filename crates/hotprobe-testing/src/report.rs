//! The report of a failure: lines of at most 100 columns, in colour on a terminal.

use crate::state::Caller;
use similar::{ChangeTag, TextDiff};
use std::env;
use std::io::{IsTerminal, stderr};

/// No line is longer than this, if it can be cut. (Differences are not.)
const WIDTH: usize = 100;

#[derive(Clone, Copy)]
enum Colour {
    Title,
    Label,
    Expected,
    Received,
}

impl Colour {
    fn code(self) -> &'static str {
        match self {
            Self::Title => "\x1b[1;31m",
            Self::Label => "\x1b[2m",
            Self::Expected => "\x1b[32m",
            Self::Received => "\x1b[31m",
        }
    }
}

enum ReportLine {
    Labelled(String, String),
    Changed(ChangeTag, String),
}

/// A report in the making.
pub(crate) struct Report {
    title: String,
    lines: Vec<ReportLine>,
}

impl Report {
    pub(crate) fn new(title: String) -> Self {
        Self {
            title,
            lines: Vec::new(),
        }
    }

    /// Adds a line. Lines of the same label in a row have it once.
    pub(crate) fn line(mut self, label: &str, text: &str) -> Self {
        self.lines
            .push(ReportLine::Labelled(label.to_owned(), text.to_owned()));
        self
    }

    /// Adds what differs, line by line.
    pub(crate) fn difference(mut self, expected: &str, received: &str) -> Self {
        let difference = TextDiff::from_lines(expected, received);
        self.lines
            .extend(difference.iter_all_changes().map(|change| {
                ReportLine::Changed(
                    change.tag(),
                    change.value().trim_end_matches('\n').to_owned(),
                )
            }));
        self
    }

    /// The text. `at` is what failed, `run` the run's name.
    pub(crate) fn render(self, at: Option<Caller>, run: &str) -> String {
        let colours =
            env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && stderr().is_terminal();
        self.draw(at.map(ToString::to_string), run, colours)
    }

    fn draw(self, at: Option<String>, run: &str, colours: bool) -> String {
        let paint = |colour: Colour, text: &str| {
            if colours {
                format!("{}{text}\x1b[0m", colour.code())
            } else {
                text.to_owned()
            }
        };
        let labelled = |label: &str, value: &str| {
            let label = paint(Colour::Label, &format!("{label:>10}"));
            format!("{label} {value}")
        };
        let mut lines = vec![paint(Colour::Title, &self.title)];
        lines.extend(at.map(|at| labelled("at", &at)));
        lines.push(labelled("run", run));
        let mut before = String::new();
        for line in self.lines {
            lines.push(match line {
                ReportLine::Labelled(label, value) => {
                    let shown = if label == before { "" } else { &label };
                    let line = labelled(shown, &cut(&value, WIDTH - 11));
                    before = label;
                    line
                }
                ReportLine::Changed(ChangeTag::Equal, line) => format!("           {line}"),
                ReportLine::Changed(ChangeTag::Delete, line) => {
                    format!(
                        "  expected {}",
                        paint(Colour::Expected, &format!("- {line}"))
                    )
                }
                ReportLine::Changed(ChangeTag::Insert, line) => {
                    format!(
                        "  received {}",
                        paint(Colour::Received, &format!("+ {line}"))
                    )
                }
            });
        }
        lines.join("\n")
    }
}

/// One line, not longer than `width`.
fn cut(text: &str, width: usize) -> String {
    let text = text.replace('\n', "\\n");
    if text.chars().count() <= width {
        return text;
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{Report, cut};

    fn report() -> Report {
        Report::new("wrong value".to_owned())
            .difference("Hi {\n    who: \"a\",\n}", "Hi {\n    who: \"b\",\n}")
            .line("pending", "t1: 1")
            .line("pending", "t2: 2")
            .line("quiet", &"x".repeat(200))
    }

    #[test]
    fn it_is_readable_at_100_columns_without_colours() {
        let text = report().draw(Some("a.rs:1:2".to_owned()), "run", false);
        assert!(text.starts_with(
            "wrong value
        at a.rs:1:2
       run run
           Hi {
  expected -     who: \"a\",
  received +     who: \"b\",
           }
   pending t1: 1
           t2: 2
     quiet xxxx"
        ));
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        assert!(text.ends_with("x…"));
    }

    #[test]
    fn with_colours_on_a_terminal() {
        let text = report().draw(None, "run", true);
        assert!(text.contains("\x1b[32m-     who: \"a\",\x1b[0m"), "{text}");
        let mut plain = text;
        for code in ["\x1b[1;31m", "\x1b[2m", "\x1b[32m", "\x1b[31m", "\x1b[0m"] {
            plain = plain.replace(code, "");
        }
        assert_eq!(plain, report().draw(None, "run", false));
    }

    #[test]
    fn a_cut_line_says_so() {
        assert_eq!(cut("ab\ncd", 10), "ab\\ncd");
        assert_eq!(cut("äöüäöü", 4), "äöü…");
    }
}
