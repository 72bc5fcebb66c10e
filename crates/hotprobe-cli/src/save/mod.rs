//! Files: their format, and how a response is saved in one.

pub(crate) mod measured;
mod part;
pub(crate) mod progress;
pub(crate) mod session_time;
pub(crate) mod totals;

use crate::duration::shown_seconds;
use crate::failure::{Failure, alarm, note};
use crate::http::answer::{Answer, broken};
use crate::http::session::Session;
use crate::interrupt::{AtInterrupt, on_interrupt, wait_for_end};
use crate::output::shown;
use indicatif::{DecimalBytes, HumanCount};
use part::Part;
use progress::Progress;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use totals::{Totals, TotalsReader};

const CHUNK: usize = 64 << 10;

/// Returns the format for a path: by its extension, and for standard output (`-`) the first. `or`
/// is the rest of the sentence of what is possible.
pub(crate) fn by_extension<T: Copy>(
    path: &Path,
    formats: &[(&str, T)],
    or: &str,
) -> Result<T, Failure> {
    if path == Path::new("-") {
        return Ok(formats[0].1);
    }
    let path = path.to_string_lossy();
    let small = path.to_ascii_lowercase();
    let found = formats
        .iter()
        .find(|(extension, _)| small.ends_with(extension));
    found.map(|(_, format)| *format).ok_or_else(|| {
        let (last, most) = formats
            .split_last()
            .map_or(("", &[][..]), |((last, _), most)| (*last, most));
        let most: Vec<_> = most.iter().map(|(extension, _)| *extension).collect();
        Failure::usage(format!(
            "cannot tell the format from the extension of `{}`; use {} or {last}{or}",
            shown(&path),
            most.join(", ")
        ))
    })
}

/// A file that is being written, or `None` before and after. Ctrl-C takes it.
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
    /// Saves what has arrived, since the program is about to end. Returns the message about it.
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
                "interrupted: {} into {path}, complete up to here; what was lost is not known",
                DecimalBytes(length)
            ),
            Err(failure) => format!("interrupted: {failure}"),
        }
    }
}

/// The file that a response is saved in. At Ctrl-C, the session ends, and the file has its result;
/// where the server does not end it, the file has what had arrived.
pub(crate) struct Destination(SharedFile);

impl Destination {
    /// Creates the file. `totals` reads along, if it is a recording.
    pub(crate) fn create(
        path: &Path,
        totals: Option<TotalsReader>,
        session: &Session,
    ) -> Result<Self, Failure> {
        let shared = SharedFile::default();
        // Before there is a file: a signal finds none, or a file that it can save.
        let (file, session) = (Arc::clone(&shared), session.clone());
        if Part::is_for(path) {
            on_interrupt(move || {
                if let Some(SavedFile {
                    progress: Some(progress),
                    ..
                }) = &*lock(&file)
                {
                    progress.stopping();
                }
                match session.stop() {
                    Ok(()) => AtInterrupt::Finish,
                    Err(why) => {
                        let file = lock(&file).take();
                        AtInterrupt::End(file.map(|file| file.interrupted() + &why))
                    }
                }
            })?;
        } else {
            // What another program has read is not ours to save, and to wait for it may block.
            on_interrupt(move || match session.stop() {
                Ok(()) => AtInterrupt::Finish,
                Err(why) => AtInterrupt::End(Some(format!("interrupted{why}"))),
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

    /// Saves a response while it arrives; returns a recording's totals. `half` is added to the
    /// message about one that broke off.
    pub(crate) fn save(self, answer: Answer, half: &str) -> Result<Option<Totals>, Failure> {
        let url = shown(answer.url());
        let mut reader = answer.reader();
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = reader.read(&mut chunk);
            let mut shared = lock(&self.0);
            let Some(file) = &mut *shared else {
                // It is saved already, and the signal ends the program.
                drop(shared);
                wait_for_end();
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
        self.finish()
    }

    /// Saves what has arrived as a whole.
    pub(crate) fn save_bytes(self, bytes: &[u8]) -> Result<(), Failure> {
        if let Some(file) = &mut *lock(&self.0) {
            file.part.write(bytes)?;
        }
        self.finish().map(|_| ())
    }

    /// Gives the file its name, and says so; returns a recording's totals.
    fn finish(self) -> Result<Option<Totals>, Failure> {
        // (Locked until it has its name: a signal waits.)
        let mut shared = lock(&self.0);
        let Some(mut file) = shared.take() else {
            drop(shared);
            wait_for_end();
        };
        file.progress = None;
        let (path, bytes) = (file.part.path().to_owned(), file.part.written());
        file.part.finish()?;
        drop(shared);
        note(format_args!("{} into {path}", DecimalBytes(bytes)));
        Ok(file.totals.as_ref().and_then(TotalsReader::totals))
    }
}

impl Drop for Destination {
    /// (The thread that waits for Ctrl-C has the other end.)
    fn drop(&mut self) {
        *lock(&self.0) = None;
    }
}

/// Prints what a recording has and lacks: of `seconds`, in which its events were fired.
pub(crate) fn report(totals: Option<Totals>, seconds: f64) {
    match totals {
        Some(Totals { lost: 1.., .. } | Totals { fired: Some(0), .. }) => {
            alarm(report_line(totals, seconds));
        }
        _ => note(report_line(totals, seconds)),
    }
}

fn report_line(totals: Option<Totals>, seconds: f64) -> String {
    let Some(Totals { fired, lost }) = totals else {
        return "the recording does not contain how many firings were lost".to_owned();
    };
    match (fired, lost) {
        (Some(0), 0) => format!(
            "0 fired: NOTHING was recorded, since no event was fired in {}; `hotprobe watch` shows what is fired",
            shown_seconds(seconds)
        ),
        (None, 0) => "0 lost (how many were fired is not read from a CTF trace)".to_owned(),
        (None, lost) => format!("{} firings were LOST: {WHY_LOST_OF_CTF}", HumanCount(lost)),
        (Some(fired), lost) => {
            let counts = format!(
                "{} fired, {} written, {}",
                HumanCount(fired),
                HumanCount(fired.saturating_sub(lost)),
                HumanCount(lost)
            );
            if lost == 0 {
                return format!("{counts} lost");
            }
            format!("{counts} LOST ({}): {WHY_LOST}", percent(lost, fired))
        }
    }
}

const WHY_LOST: &str = "the server fired faster than it could send; record fewer events, or use .pftrace, the smallest format";
/// The server sends a CTF trace only at its end.
const WHY_LOST_OF_CTF: &str = "a CTF trace has only what fits into the server's buffers; record fewer events, or use .pftrace, which is sent while it is recorded";

/// Returns the part of the whole, never rounded to none of it.
fn percent(part: u64, whole: u64) -> String {
    let tenths = u128::from(part) * 1000 / u128::from(whole.max(1));
    match tenths {
        0 => "less than 0.1 %".to_owned(),
        tenths => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_told_with_counts() {
        let of = |fired, lost| report_line(Some(Totals { fired, lost }), 10.0);
        assert_eq!(of(Some(7174), 0), "7,174 fired, 7,174 written, 0 lost");
        assert!(
            of(Some(100_000), 19_000)
                .starts_with("100,000 fired, 81,000 written, 19,000 LOST (19.0 %): ")
        );
        assert!(of(Some(u64::MAX), u64::MAX).contains(" 0 written, "));
        assert!(of(Some(u64::MAX), u64::MAX).contains("LOST (100.0 %)"));
        assert!(of(Some(100_000), 1).contains("LOST (less than 0.1 %)"));
        // (What a foreign server may send.)
        assert!(of(Some(0), 1).contains("0 fired, 0 written, 1 LOST"));
        assert!(of(None, 2).starts_with("2 firings were LOST: a CTF trace has only what fits "));
        assert!(of(None, 0).starts_with("0 lost "));
        assert!(report_line(None, 10.0).contains("does not contain"));
    }

    #[test]
    fn nothing_fired_is_told_loudly() {
        let nothing = report_line(
            Some(Totals {
                fired: Some(0),
                lost: 0,
            }),
            0.5,
        );
        assert!(
            nothing.starts_with("0 fired: NOTHING was recorded"),
            "{nothing}"
        );
        assert!(nothing.contains(" in 500 ms;"), "{nothing}");
    }

    #[test]
    fn the_extension_determines_the_format_and_standard_output_has_the_first() {
        let of = |path: &str| {
            let formats = [(".a", 1), (".b.c", 2), (".d", 3)];
            by_extension(Path::new(path), &formats, "; or x").map_err(|failure| failure.to_string())
        };
        assert_eq!((of("x.B.C"), of("x.d"), of("-")), (Ok(2), Ok(3), Ok(1)));
        let expected =
            "cannot tell the format from the extension of `x.txt`; use .a, .b.c or .d; or x";
        assert_eq!(of("x.txt"), Err(expected.to_owned()));
    }
}
