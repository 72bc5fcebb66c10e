//! Files, whose format follows from the path's ending.

use super::replace::replace;
use super::{flame_graph, folded, pprof};
use crate::{CountsSnapshot, LatencySnapshot, ProfileError, StackProfile};
use std::io::{self, Write};
use std::path::Path;

impl LatencySnapshot {
    /// Writes a file, whose format follows from its ending: `.hlog` ([HDR log](Self::write_hlog)), `.svg`
    /// ([a picture](Self::write_svg)), `.prom` ([Prometheus' text](Self::write_prometheus)), `.txt` (the table).
    ///
    /// A reader sees the file that was there before, or the new one, and never a part of it: the
    /// file is written beside its place under a temporary name, `.hotprobe-*.tmp`, and renamed. So
    /// the folder has to be writable. The file keeps its permissions, and a link to it stays a link.
    /// What is not a regular file, such as a pipe, is written in place.
    ///
    /// # Errors
    /// [`ProfileError::UnknownFormat`], or [`ProfileError::Io`]: then the file is as it was.
    ///
    /// ```
    /// let latency = hotprobe_profile::LatencyMeter::<u64>::new();
    /// let error = latency.snapshot().save("latency.gif").unwrap_err();
    /// assert!(error.to_string().starts_with("the ending of `latency.gif` tells no format: use `.hlog`"));
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ProfileError> {
        save(
            path.as_ref(),
            "`.hlog` for an HDR log, `.svg` for a picture, `.prom` for Prometheus' text, or `.txt` for the table",
            |ending, writer| {
                match ending {
                    "hlog" => self.write_hlog(writer)?,
                    "svg" => self.write_svg(writer)?,
                    "prom" => self.write_prometheus(writer)?,
                    "txt" => write!(writer, "{self}")?,
                    _ => return Ok(false),
                }
                Ok(true)
            },
        )
    }
}

impl CountsSnapshot {
    /// Writes a file, whose format follows from its ending: `.prom` ([Prometheus' text](Self::write_prometheus)), `.txt`
    /// (the table). The file is replaced as a whole, as by [`LatencySnapshot::save`].
    ///
    /// # Errors
    /// [`ProfileError::UnknownFormat`], or [`ProfileError::Io`]: then the file is as it was.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ProfileError> {
        save(
            path.as_ref(),
            "`.prom` for Prometheus' text, or `.txt` for the table",
            |ending, writer| {
                match ending {
                    "prom" => self.write_prometheus(writer)?,
                    "txt" => write!(writer, "{self}")?,
                    _ => return Ok(false),
                }
                Ok(true)
            },
        )
    }
}

type StackWriter = fn(&StackProfile, &mut dyn Write) -> io::Result<()>;

impl StackProfile {
    /// Writes a file whose format follows from its ending: `.pb.gz` for pprof, `.folded`, or `.svg`. The
    /// file is replaced as a whole, as by [`LatencySnapshot::save`].
    ///
    /// ```no_run
    /// # use hotprobe_profile::Stacks;
    /// # hotprobe::event! { static TICK: fn(); }
    /// # let stacks = Stacks::at(&TICK).start()?;
    /// stacks.snapshot().save("stacks.pb.gz")?;
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    ///
    /// # Errors
    /// An ending that tells no format: then no file is touched. A file that
    /// cannot be written: then it is as it was.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ProfileError> {
        let path = path.as_ref();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_lowercase();
        let formats: [(&str, StackWriter); 3] = [
            (".pb.gz", |profile, file| pprof::write(profile, file)),
            (".folded", |profile, file| folded::write(profile, file)),
            (".svg", |profile, file| flame_graph::write(profile, file)),
        ];
        let format = formats.iter().find(|(ending, _)| name.ends_with(ending));
        let Some((_, write)) = format else {
            return Err(ProfileError::UnknownFormat {
                path: path.to_owned(),
                endings: "`.pb.gz` for pprof, `.folded` for folded stacks, or `.svg` for a flame graph",
            });
        };
        let written = replace(path, |file| write(self, file));
        written.map_err(|error| ProfileError::io(Some(path), error))
    }
}

/// Writes a file by its ending; `write` says whether it knows that. (It is asked before there is a file.)
fn save(
    path: &Path,
    endings: &'static str,
    write: impl Fn(&str, &mut dyn Write) -> io::Result<bool>,
) -> Result<(), ProfileError> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let ending = ending.unwrap_or_default().to_ascii_lowercase();
    // (Into memory: it is small, and a file whose format is not known is not begun.)
    let mut bytes = Vec::new();
    let known = write(&ending, &mut bytes).map_err(|error| ProfileError::io(Some(path), error))?;
    if !known {
        return Err(ProfileError::UnknownFormat {
            path: path.into(),
            endings,
        });
    }
    let written = replace(path, |file| file.write_all(&bytes));
    written.map_err(|error| ProfileError::io(Some(path), error))
}
