//! Chooses the file format for a path, and creates its writer.

use super::chrome::Chrome;
use super::ctf::Ctf;
use super::export::Export;
use super::output::{self, Patient};
use super::perfetto::Perfetto;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub(crate) type Exporter = Box<dyn Export + Send>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Perfetto,
    Chrome,
    Ctf,
}

impl Format {
    /// Returns the format for a path, by its extension; none if that names no format.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending.map(str::to_ascii_lowercase).as_deref() {
            _ if path.is_dir() => Some(Self::Ctf),
            Some("pftrace" | "perfetto-trace") => Some(Self::Perfetto),
            Some("json") => Some(Self::Chrome),
            Some("ctf") => Some(Self::Ctf),
            _ => None,
        }
    }

    /// Creates the file, or the directory.
    pub(crate) fn create(self, path: &Path) -> io::Result<Exporter> {
        Ok(match self {
            Self::Perfetto => Box::new(Perfetto::new(output::create(path)?)),
            Self::Chrome => Box::new(Chrome::new(output::create(path)?)),
            Self::Ctf => Box::new(Ctf::create(path)?),
        })
    }

    pub(crate) fn perfetto(writer: impl Write + Send + 'static) -> Exporter {
        Box::new(Perfetto::new(Patient::new(writer)))
    }

    pub(crate) fn chrome(writer: impl Write + Send + 'static) -> Exporter {
        Box::new(Chrome::new(Patient::new(writer)))
    }
}

/// Replaces `%p` in a file name by the number of this process, `%t` by the seconds since 1970, and
/// `%%` by `%`.
pub(crate) fn expanded(path: &Path) -> PathBuf {
    let Some(text) = path.to_str() else {
        return path.into();
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    expand(text, std::process::id(), now.unwrap_or_default().as_secs()).into()
}

fn expand(text: &str, process: u32, seconds: u64) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        let mut after = rest.clone();
        let value = match (letter, after.next()) {
            ('%', Some('p')) => process.to_string(),
            ('%', Some('t')) => seconds.to_string(),
            ('%', Some('%')) => "%".to_owned(),
            _ => {
                expanded.push(letter);
                continue;
            }
        };
        expanded.push_str(&value);
        rest = after;
    }
    expanded
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn process_and_time_are_put_into_names_and_all_else_stays() {
        for (name, expected) in [
            ("a-%p.json", "a-7.json"),
            ("%p/%t-%p", "7/90-7"),
            ("%%p %%%p", "%p %7"),
            ("100%", "100%"),
            ("%x%é", "%x%é"),
            ("", ""),
        ] {
            assert_eq!(expand(name, 7, 90), expected);
        }
    }
}
