//! `hotprobe record`: events into a file.

use crate::arguments::{Record, RecordFormat};
use crate::failure::Failure;
use crate::http::client::Client;
use crate::http::query::Query;
use crate::save::part::Part;
use crate::save::progress::Progress;
use crate::save::{by_ending, save};

const USUAL: f64 = 10.0;
const ENDINGS: [(&str, RecordFormat); 4] = [
    (".pftrace", RecordFormat::Perfetto),
    (".perfetto-trace", RecordFormat::Perfetto),
    (".json", RecordFormat::Chrome),
    (".tar", RecordFormat::Ctf),
];

impl RecordFormat {
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

pub(crate) fn run(client: &Client, options: &Record) -> Result<(), Failure> {
    let format = match options.format {
        Some(format) => format,
        None => by_ending(&options.output, &ENDINGS, "; or say `--format`")?,
    };
    let (name, kind) = format.names();
    let query = Query::get("record")
        .posted()
        .all("match", &options.patterns)
        .all("slice", &options.slices)
        .and("tasks", options.tasks.then_some("1"))
        .lasting(options.seconds, USUAL)
        .and("format", Some(name))
        .answered_by(kind);
    // (Before anything is attached.)
    let part = Part::create(&options.output)?;
    let answer = client.ask(&query)?;
    let progress = Progress::new(options.seconds.unwrap_or(USUAL), true, part.name());
    save(answer, part, progress, format.half())
}
