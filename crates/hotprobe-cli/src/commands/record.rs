//! `hotprobe record`: a recording of events, in a file.

use crate::arguments::{Record, RecordFormat};
use crate::catalogue;
use crate::failure::Failure;
use crate::http::client::Client;
use crate::http::query::Query;
use crate::http::session::Session;
use crate::save::session_time::SessionTime;
use crate::save::totals::{ChromeReader, CtfReader, PerfettoReader, TotalsReader};
use crate::save::{Destination, by_extension, report};

/// The default duration, in seconds.
const USUAL: f64 = 10.0;
const EXTENSIONS: [(&str, RecordFormat); 4] = [
    (".pftrace", RecordFormat::Perfetto),
    (".perfetto-trace", RecordFormat::Perfetto),
    (".json", RecordFormat::Chrome),
    (".tar", RecordFormat::Ctf),
];

impl RecordFormat {
    /// Returns its name in a query, and the media type of the response.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Perfetto => ("perfetto", "application/octet-stream"),
            Self::Chrome => ("chrome", "application/json"),
            Self::Ctf => ("ctf", "application/x-tar"),
        }
    }

    /// Returns the reader of its totals.
    fn totals(self) -> TotalsReader {
        match self {
            Self::Perfetto => TotalsReader::Perfetto(PerfettoReader::default()),
            Self::Chrome => TotalsReader::Chrome(ChromeReader::default()),
            Self::Ctf => TotalsReader::Ctf(CtfReader::default()),
        }
    }

    /// Returns the note about a file that broke off.
    fn half(self) -> &'static str {
        match self {
            Self::Perfetto | Self::Chrome => ", a trace that opens up to there",
            Self::Ctf => "",
        }
    }
}

pub(crate) fn run(client: &Client, options: &Record) -> Result<(), Failure> {
    let format = match options.format {
        Some(format) => format,
        None => by_extension(&options.output, &EXTENSIONS, ", or give `--format`")?,
    };
    let (name, kind) = format.names();
    let slices: Vec<_> = options
        .slices
        .iter()
        .map(|slice| Slice::of(slice))
        .collect();
    // The patterns, and then the two events of each slice.
    let mut events = options.patterns.clone();
    for slice in &slices {
        events.extend(slice.events.iter().flatten().cloned());
    }
    let query = |events: &[String]| {
        let (patterns, mut of_slices) = events.split_at(options.patterns.len());
        let slices: Vec<_> = slices
            .iter()
            .map(|slice| slice.with(&mut of_slices))
            .collect();
        Query::get("record")
            .posted()
            .all("match", patterns)
            .all("slice", &slices)
            .and("tasks", options.tasks.then_some("1"))
            .lasting(options.seconds, USUAL)
            .and("format", Some(name))
            .answered_by(kind)
    };
    // (Before anything is attached.)
    let session = Session::new(client);
    let destination = Destination::create(&options.output, Some(format.totals()), &session)?;
    let mut time = SessionTime::begin(options.seconds, USUAL);
    let (answer, events) = session.begin(|client| catalogue::ask_for(client, &events, query))?;
    time.set_event(&events);
    destination.show(time.seconds());
    let totals = destination.save(answer, format.half())?;
    report(totals, time.seconds());
    time.check(client)
}

/// A slice as it is given: `NAME,BEGIN,END,KEY`. Any other is for the server to refuse.
struct Slice<'a> {
    text: &'a str,
    events: Option<[String; 2]>,
}

impl<'a> Slice<'a> {
    fn of(text: &'a str) -> Self {
        let parts: Vec<_> = text.split(',').map(str::trim).collect();
        let events = match parts[..] {
            [_, begin, end, _] if !begin.is_empty() && !end.is_empty() => {
                Some([begin.to_owned(), end.to_owned()])
            }
            _ => None,
        };
        Self { text, events }
    }

    /// Returns it with the next two of these events in place of its own.
    fn with(&self, events: &mut &[String]) -> String {
        let mut parts = self.text.split(',');
        match (&self.events, events.split_at_checked(2)) {
            (Some(_), Some((own, rest))) => {
                *events = rest;
                let name = parts.next().unwrap_or_default();
                let key = parts.next_back().unwrap_or_default();
                format!("{name},{},{},{key}", own[0], own[1])
            }
            _ => self.text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_has_the_events_that_its_own_stand_for() {
        let slice = Slice::of("order, PLACED ,FILLED,id");
        assert_eq!(slice.events, Some(["PLACED", "FILLED"].map(str::to_owned)));
        let events = ["*PLACED*", "*FILLED*", "more"].map(str::to_owned);
        let mut rest = &events[..];
        assert_eq!(slice.with(&mut rest), "order,*PLACED*,*FILLED*,id");
        assert_eq!(rest, ["more"]);
        for other in ["", "a,b,c", "a,,c,d", "a,b,c,d,e"] {
            let slice = Slice::of(other);
            assert!(slice.events.is_none());
            assert_eq!(slice.with(&mut &events[..]), other);
        }
    }
}
