//! Chooses the file format for a path, and creates its writer.

use super::chrome::Chrome;
use super::ctf::Ctf;
use super::export::Export;
use super::perfetto::Perfetto;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

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
            Self::Perfetto => Self::perfetto(BufWriter::new(File::create(path)?)),
            Self::Chrome => Self::chrome(BufWriter::new(File::create(path)?)),
            Self::Ctf => Box::new(Ctf::create(path)?),
        })
    }

    pub(crate) fn perfetto(writer: impl Write + Send + 'static) -> Exporter {
        Box::new(Perfetto::new(writer))
    }

    pub(crate) fn chrome(writer: impl Write + Send + 'static) -> Exporter {
        Box::new(Chrome::new(writer))
    }
}
