//! Recordings that are asked for from outside: `HOTPROBE_RECORD`.

use super::{RecordError, Recorder, Recording};
use std::env;
use std::path::Path;
use std::{slice, vec};

/// The variable.
const VARIABLE: &str = "HOTPROBE_RECORD";

/// Starts the recordings that the environment asks for:
/// `HOTPROBE_RECORD='shop::*=trace.pftrace,*::db::*=db.json'`.
///
/// The variable is a list of `PATTERN=FILE`, separated by `,`. The pattern is that of
/// [`matching`](hotprobe::matching); the file's extension determines the format. Without the
/// variable, or if it is empty, nothing is recorded.
///
/// Child processes inherit the variable, and a file has one writer: `%p` in its name gives each
/// process a file of its own (`trace-%p.pftrace`; see [`stream_to`](Recorder::stream_to)).
///
/// # Errors
/// [`RecordError::Environment`] if the variable is malformed or a recording cannot start; its
/// source is then the error of [`Recorder::start`]. Nothing is recorded then.
///
/// ```
/// fn main() -> Result<(), hotprobe_record::RecordError> {
///     let recordings = hotprobe_record::from_env()?;
///     // … the program …
///     recordings.finish()
/// }
/// ```
pub fn from_env() -> Result<FromEnv, RecordError> {
    let Some(value) = env::var_os(VARIABLE) else {
        return Ok(FromEnv::default());
    };
    let Some(value) = value.to_str() else {
        return Err(wrong(format!("{} is not UTF-8", value.to_string_lossy())));
    };
    let asked = parse(value)?;
    let start = |(pattern, path): (&str, &str)| {
        Recorder::new()
            .matching(pattern)
            .stream_to(path)
            .start()
            .map_err(|error| RecordError::Environment {
                reason: format!("{VARIABLE}: cannot start `{pattern}={path}`"),
                source: Some(Box::new(error)),
            })
    };
    let recordings = asked.into_iter().map(start).collect::<Result<_, _>>()?;
    Ok(FromEnv { recordings })
}

fn wrong(what: impl std::fmt::Display) -> RecordError {
    RecordError::Environment {
        reason: format!("{VARIABLE}: {what}"),
        source: None,
    }
}

fn parse(value: &str) -> Result<Vec<(&str, &str)>, RecordError> {
    const EXPECTED: &str = "expected `PATTERN=FILE`, several separated by `,`, as in `shop::*=trace.pftrace,*::db::*=db.json`";
    let mut asked: Vec<(&str, &str)> = Vec::new();
    if value.trim().is_empty() {
        return Ok(asked);
    }
    for one in value.split(',') {
        let Some((pattern, path)) = one.split_once('=') else {
            return Err(wrong(format!("`{one}` has no `=`: {EXPECTED}")));
        };
        let (pattern, path) = (pattern.trim(), path.trim());
        if pattern.is_empty() || path.is_empty() {
            let which = if pattern.is_empty() {
                "pattern"
            } else {
                "file"
            };
            return Err(wrong(format!("`{one}` has no {which}: {EXPECTED}")));
        }
        RecordError::format_of(Path::new(path))
            .map_err(|error| wrong(format!("`{one}`: {error}")))?;
        if asked.iter().any(|&(_, other)| other == path) {
            return Err(wrong(format!(
                "two recordings into `{path}`: give each a file of its own"
            )));
        }
        asked.push((pattern, path));
    }
    Ok(asked)
}

/// The recordings that [`from_env`] started. Dropping it ends them.
///
/// ```
/// let recordings = hotprobe_record::from_env()?;
/// println!("{} recordings", recordings.len());
/// // Stop recording now; `finish` waits for the files.
/// recordings.iter().for_each(hotprobe_record::Recording::detach);
/// recordings.finish()?;
/// # Ok::<(), hotprobe_record::RecordError>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "dropped, the recordings end at once: bind it to a name, and `finish` it at the program's end"]
pub struct FromEnv {
    recordings: Vec<Recording>,
}

impl FromEnv {
    /// Returns the number of recordings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.recordings.len()
    }

    /// Returns whether there are no recordings.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.recordings.is_empty()
    }

    /// Returns an iterator over the recordings, in the order of the variable.
    pub fn iter(&self) -> slice::Iter<'_, Recording> {
        self.recordings.iter()
    }

    /// Finishes each recording, as [`Recording::finish`] does.
    ///
    /// # Errors
    /// The first error. The other recordings are finished all the same.
    pub fn finish(self) -> Result<(), RecordError> {
        let finished: Vec<_> = self.recordings.into_iter().map(Recording::finish).collect();
        finished.into_iter().try_for_each(|result| result.map(drop))
    }
}

impl IntoIterator for FromEnv {
    type Item = Recording;
    type IntoIter = vec::IntoIter<Recording>;

    fn into_iter(self) -> Self::IntoIter {
        self.recordings.into_iter()
    }
}

impl<'a> IntoIterator for &'a FromEnv {
    type Item = &'a Recording;
    type IntoIter = slice::Iter<'a, Recording>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn patterns_and_files_are_told_apart() {
        assert_eq!(parse("").unwrap(), []);
        assert_eq!(
            parse("a::*=x.json, *::b = y.pftrace").unwrap(),
            [("a::*", "x.json"), ("*::b", "y.pftrace")]
        );
    }

    #[test]
    fn what_cannot_be_understood_is_told_with_what_was_expected() {
        for (value, expected) in [
            ("a::*", "`a::*` has no `=`: expected `PATTERN=FILE`"),
            ("=x.json", "`=x.json` has no pattern"),
            ("a::*=", "`a::*=` has no file"),
            ("a::*=x.json,", "`` has no `=`"),
            (
                "a::*=x.txt",
                "cannot tell the format from the extension of `x.txt`",
            ),
            ("a=x.json,b=x.json", "two recordings into `x.json`"),
        ] {
            let error = parse(value).unwrap_err().to_string();
            assert!(error.starts_with("HOTPROBE_RECORD: "), "{error}");
            assert!(error.contains(expected), "{error}");
        }
    }
}
