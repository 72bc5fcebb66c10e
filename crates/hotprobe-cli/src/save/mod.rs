//! An answer that goes into a file: in which format, and how it gets there.

pub(crate) mod part;
pub(crate) mod progress;

use crate::failure::{Failure, note};
use crate::http::answer::{Answer, broken};
use crate::http::client::Client;
use crate::http::query::Query;
use crate::output::{self, shown, shown_json, shown_lines};
use indicatif::DecimalBytes;
use part::Part;
use progress::Progress;
use std::io::Read as _;
use std::path::Path;

const CHUNK: usize = 64 << 10;

/// The format that a path's ending tells. `or` is what else can be done.
pub(crate) fn by_ending<T: Copy>(
    path: &Path,
    endings: &[(&str, T)],
    or: &str,
) -> Result<T, Failure> {
    let path = path.to_string_lossy();
    let small = path.to_ascii_lowercase();
    let found = endings.iter().find(|(ending, _)| small.ends_with(ending));
    found.map(|(_, format)| *format).ok_or_else(|| {
        let known: Vec<_> = endings
            .iter()
            .map(|(ending, _)| format!("`{ending}`"))
            .collect();
        Failure::usage(format!(
            "the ending of `{}` tells no format: expected one of {}{or}",
            shown(&path),
            known.join(", ")
        ))
    })
}

/// Saves an answer as it comes, and says so. `half` is said of one that broke off.
pub(crate) fn save(
    answer: Answer,
    mut part: Part,
    progress: Progress,
    half: &str,
) -> Result<(), Failure> {
    let url = shown(answer.url());
    let mut reader = answer.reader();
    let mut chunk = vec![0; CHUNK];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => part.write(&chunk[..count])?,
            Err(error) => {
                drop(progress);
                let half = if part.written() > 0 { half } else { "" };
                let kept = part.keep();
                return Err(Failure::failed(format!(
                    "`{url}`: {}; {kept}{half}",
                    broken(&error)
                )));
            }
        }
        progress.bytes(part.written());
    }
    drop(progress);
    let (path, bytes) = (part.path().to_owned(), part.written());
    part.finish()?;
    note(format_args!("{} into {path}", DecimalBytes(bytes)));
    Ok(())
}

/// Sends a query whose response comes when its seconds are over, and saves the response, or prints
/// it without `output`.
pub(crate) fn print_or_save(
    client: &Client,
    query: &Query<'_>,
    seconds: f64,
    output: Option<&Path>,
    is_json: bool,
) -> Result<(), Failure> {
    let Some(path) = output else {
        let progress = Progress::new(seconds, false, String::new());
        let text = client.ask(query)?.text()?;
        drop(progress);
        return output::text(&if is_json {
            shown_json(&text)
        } else {
            shown_lines(&text)
        });
    };
    let part = Part::create(path)?;
    let progress = Progress::new(seconds, true, part.name());
    save(client.ask(query)?, part, progress, "")
}
