//! `hotprobe record`: events into a file.

use crate::arguments::{Record, RecordFormat};
use crate::failure::Failure;
use crate::http::client::Client;
use crate::http::query::Query;
use crate::save::session_time::SessionTime;
use crate::save::totals::{ChromeReader, CtfReader, PerfettoReader, TotalsReader};
use crate::save::{Destination, by_ending};

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

    /// Returns what reads its totals.
    fn totals(self) -> TotalsReader {
        match self {
            Self::Perfetto => TotalsReader::Perfetto(PerfettoReader::default()),
            Self::Chrome => TotalsReader::Chrome(ChromeReader::default()),
            Self::Ctf => TotalsReader::Ctf(CtfReader::default()),
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
    let destination = Destination::create(&options.output, Some(format.totals()))?;
    let begin = |slice: &String| slice.split(',').nth(1).map(|begin| begin.trim().to_owned());
    let event = options.patterns.first().cloned();
    let event = event.or_else(|| options.slices.first().and_then(begin));
    let event = event.unwrap_or_default();
    let time = SessionTime::begin(options.seconds, USUAL, &event);
    let answer = client.ask(&query)?;
    destination.show(time.seconds());
    destination.save(answer, format.half())?;
    time.check(client)
}
