//! `hotprobe record`: events into a file.

use crate::arguments::{Format, Record};
use crate::failure::Failure;
use crate::http::client::{Client, Question};
use crate::save::part::Part;
use crate::save::progress::Progress;
use crate::save::{by_ending, save};

const USUAL: f64 = 10.0;
const ENDINGS: [(&str, Format); 4] = [
    (".pftrace", Format::Perfetto),
    (".perfetto-trace", Format::Perfetto),
    (".json", Format::Chrome),
    (".tar", Format::Ctf),
];

impl Format {
    /// What the server calls it, and the kind of its answer.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Perfetto => ("perfetto", "application/octet-stream"),
            Self::Chrome => ("chrome", "application/json"),
            Self::Ctf => ("ctf", "application/x-tar"),
        }
    }

    /// What can be done with one that broke off.
    fn half(self) -> &'static str {
        match self {
            Self::Perfetto | Self::Chrome => "; it opens, to that point",
            Self::Ctf => "",
        }
    }
}

pub(crate) fn run(client: &Client, asked: &Record) -> Result<(), Failure> {
    let format = match asked.format {
        Some(format) => format,
        None => by_ending(&asked.output, &ENDINGS, "; or say `--format`")?,
    };
    let (name, kind) = format.names();
    let question = Question::get("record")
        .posted()
        .all("match", &asked.patterns)
        .all("slice", &asked.slices)
        .and("tasks", asked.tasks.then_some("1"))
        .lasting(asked.seconds, USUAL)
        .and("format", Some(name))
        .answered_by(kind);
    // (Before anything is attached.)
    let part = Part::create(&asked.output)?;
    let answer = client.ask(&question)?;
    let progress = Progress::new(asked.seconds.unwrap_or(USUAL), true, part.name());
    save(answer, part, progress, format.half())
}
