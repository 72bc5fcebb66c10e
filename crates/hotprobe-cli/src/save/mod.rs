//! An answer that goes into a file: in which format, and how it gets there.

mod interrupt;
mod part;
pub(crate) mod progress;
pub(crate) mod session_time;
pub(crate) mod totals;

use crate::failure::{Failure, note};
use crate::http::answer::{Answer, broken};
use crate::http::client::Client;
use crate::http::query::Query;
use crate::output::{self, shown, shown_json, shown_lines};
use indicatif::{DecimalBytes, HumanCount};
use part::Part;
use progress::Progress;
use session_time::SessionTime;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use totals::{Totals, TotalsReader};

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

/// A file that is being written, or nothing before and after. Ctrl-C takes it.
type SharedFile = Arc<Mutex<Option<SavedFile>>>;

fn lock(shared: &SharedFile) -> MutexGuard<'_, Option<SavedFile>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that is being written, with what shows how far it is.
struct SavedFile {
    part: Part,
    /// Of a recording.
    totals: Option<TotalsReader>,
    progress: Option<Progress>,
}

impl SavedFile {
    /// No more comes, since the program is to end: saves what has come. Returns what is to be said.
    #[cfg_attr(not(unix), allow(dead_code, reason = "signals are handled on Unix"))]
    fn interrupted(mut self) -> String {
        drop(self.progress.take());
        let complete = self.totals.as_ref().and_then(TotalsReader::complete);
        let Some((length, ending)) = complete else {
            return format!("interrupted: {}", self.part.keep());
        };
        let path = self.part.path().to_owned();
        let saved = self
            .part
            .cut(length, ending)
            .and_then(|()| self.part.finish());
        match saved {
            Ok(()) => format!(
                "interrupted: {} into {path}, up to here; what was lost is not known",
                DecimalBytes(length)
            ),
            Err(failure) => format!("interrupted: {failure}"),
        }
    }
}

/// Where an answer is saved. At Ctrl-C, what has come is.
pub(crate) struct Destination(SharedFile);

impl Destination {
    /// Creates the file. `totals` reads along, if it is a recording.
    pub(crate) fn create(path: &Path, totals: Option<TotalsReader>) -> Result<Self, Failure> {
        let shared = SharedFile::default();
        // (What goes on to another program is not ours to save; and it may block for ever.)
        if Part::is_for(path) {
            // Before there is a file: a signal finds none, or a file that it can save.
            interrupt::save_on_interrupt(&shared).map_err(|error| {
                Failure::failed(format!(
                    "cannot handle Ctrl-C, which would lose what came: {error}"
                ))
            })?;
        }
        let mut file = lock(&shared);
        *file = Some(SavedFile {
            part: Part::create(path)?,
            totals,
            progress: None,
        });
        drop(file);
        Ok(Self(shared))
    }

    /// Shows how far it is.
    pub(crate) fn show(&self, seconds: f64) {
        if let Some(file) = &mut *lock(&self.0) {
            file.progress = Some(Progress::new(seconds, true, file.part.name()));
        }
    }

    /// Saves an answer as it comes, and says so. `half` is said of one that broke off.
    pub(crate) fn save(self, answer: Answer, half: &str) -> Result<(), Failure> {
        let url = shown(answer.url());
        let mut reader = answer.reader();
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = reader.read(&mut chunk);
            let mut shared = lock(&self.0);
            let Some(file) = &mut *shared else {
                // It is saved already, and the signal ends the program.
                return Err(Failure::failed("interrupted"));
            };
            match read {
                Ok(0) => break,
                Ok(count) => {
                    file.part.write(&chunk[..count])?;
                    if let Some(totals) = &mut file.totals {
                        totals.read(&chunk[..count]);
                    }
                    if let Some(progress) = &file.progress {
                        progress.bytes(file.part.written());
                    }
                }
                Err(error) => {
                    file.progress = None;
                    let half = if file.part.written() > 0 { half } else { "" };
                    let kept = file.part.keep();
                    return Err(Failure::failed(format!(
                        "`{url}`: {}; {kept}{half}",
                        broken(&error)
                    )));
                }
            }
        }
        // (Locked until it has its name: a signal waits.)
        let mut shared = lock(&self.0);
        let Some(mut file) = shared.take() else {
            return Err(Failure::failed("interrupted"));
        };
        file.progress = None;
        let (path, bytes) = (file.part.path().to_owned(), file.part.written());
        file.part.finish()?;
        drop(shared);
        note(format_args!("{} into {path}", DecimalBytes(bytes)));
        if let Some(totals) = &file.totals {
            note(told(totals.totals()));
        }
        Ok(())
    }
}

impl Drop for Destination {
    /// (The thread that waits for Ctrl-C has the other end.)
    fn drop(&mut self) {
        *lock(&self.0) = None;
    }
}

/// Returns what is to be said of what a recording has and lacks.
fn told(totals: Option<Totals>) -> String {
    let Some(Totals { fired, lost }) = totals else {
        return "the recording does not say whether firings were lost".to_owned();
    };
    match (fired, lost) {
        (Some(fired), 0) => format!("{} firings recorded, none lost", HumanCount(fired)),
        (None, 0) => "no firings were lost".to_owned(),
        (Some(fired), lost) => format!(
            "{} of {} firings were LOST ({}): {WHY_LOST}",
            HumanCount(lost),
            HumanCount(fired),
            percent(lost, fired)
        ),
        (None, lost) => format!("{} firings were LOST: {WHY_LOST}", HumanCount(lost)),
    }
}

const WHY_LOST: &str = "they came faster than they could be sent; record fewer events, or use .pftrace, the smallest format";

/// Returns the part of the whole, never rounded to none of it.
fn percent(part: u64, whole: u64) -> String {
    let tenths = u128::from(part) * 1000 / u128::from(whole.max(1));
    match tenths {
        0 => "less than 0.1 %".to_owned(),
        tenths => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

/// Sends a query whose response comes when its seconds are over, and saves the response, or prints
/// it without `output`.
pub(crate) fn print_or_save(
    client: &Client,
    query: &Query<'_>,
    time: &SessionTime<'_>,
    output: Option<&Path>,
    is_json: bool,
) -> Result<(), Failure> {
    let seconds = time.seconds();
    if let Some(path) = output {
        let destination = Destination::create(path, None)?;
        destination.show(seconds);
        destination.save(client.ask(query)?, "")?;
    } else {
        let progress = Progress::new(seconds, false, String::new());
        let text = client.ask(query)?.text()?;
        drop(progress);
        output::text(&if is_json {
            shown_json(&text)
        } else {
            shown_lines(&text)
        })?;
    }
    time.check(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_told_with_counts() {
        let of = |fired, lost| told(Some(Totals { fired, lost }));
        assert_eq!(of(Some(7174), 0), "7,174 firings recorded, none lost");
        assert!(
            of(Some(100_000), 19_000).starts_with("19,000 of 100,000 firings were LOST (19.0 %): ")
        );
        assert!(of(Some(u64::MAX), u64::MAX).contains("LOST (100.0 %)"));
        assert!(of(Some(100_000), 1).contains("LOST (less than 0.1 %)"));
        // (What a foreign server may say.)
        assert!(of(Some(0), 1).contains("1 of 0 firings"));
        assert!(of(None, 2).starts_with("2 firings were LOST: "));
        assert_eq!(of(None, 0), "no firings were lost");
        assert!(told(None).contains("does not say"));
    }
}
