//! A file that appears when it is complete. Until then, what has arrived is in another beside it,
//! which is kept if no more arrives.

use crate::failure::Failure;
use crate::output::shown;
use indicatif::DecimalBytes;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, IsTerminal as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file that is being written, or standard output.
pub(crate) struct Part {
    to: Box<dyn Write + Send>,
    /// None where there is nothing to rename.
    names: Option<PartNames>,
    path: String,
    written: u64,
}

/// The names of a file that is being written.
struct PartNames {
    /// Of the file that has what has arrived.
    part: PathBuf,
    /// That file, to cut it.
    file: File,
    /// Of the file that it becomes.
    path: PathBuf,
    /// Which file had that name at the beginning.
    before: Option<FileIdentity>,
}

/// When a file was written last, and its length.
type FileIdentity = (SystemTime, u64);

fn identity(file: &Metadata) -> Option<FileIdentity> {
    Some((file.modified().ok()?, file.len()))
}

impl Part {
    /// Returns whether it becomes a file of its own: not `-`, nor a pipe or a device.
    pub(crate) fn is_for(path: &Path) -> bool {
        path != Path::new("-") && fs::metadata(path).map_or(true, |found| found.is_file())
    }

    /// Creates the file. `-` is standard output; a pipe or a device is written to as it is.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            if io::stdout().is_terminal() {
                return Err(Failure::usage(
                    "standard output is a terminal, which cannot show a recording; pipe it to a program",
                ));
            }
            return Ok(Self::direct(
                Box::new(io::stdout()),
                "standard output".to_owned(),
            ));
        }
        let shown_path = shown(&path.to_string_lossy());
        let cannot = |what: &Path, error: &io::Error| {
            let what = shown(&what.to_string_lossy());
            Failure::failed(format!("cannot create the file `{what}`: {error}"))
        };
        let path = behind_links(path);
        let before = match fs::metadata(&path) {
            Ok(found) if found.is_dir() => {
                return Err(Failure::usage(format!(
                    "`{shown_path}` is a directory; expected the name of a file"
                )));
            }
            Ok(found) if !found.is_file() => {
                let file = File::options()
                    .write(true)
                    .open(&path)
                    .map_err(|error| cannot(&path, &error))?;
                return Ok(Self::direct(Box::new(file), shown_path));
            }
            found => found.ok(),
        };
        let mut name = path.file_name().map(OsString::from).unwrap_or_default();
        name.push(".part");
        let part = path.with_file_name(name);
        // Made by this process or not at all: one that is there is another's, or was kept, and if
        // it is a link, what it leads to is neither.
        let file = File::create_new(&part).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => is_there(&part, &shown_path),
            _ => cannot(&part, &error),
        })?;
        if let Some(before) = &before {
            // Who may not read the file may not read the one that replaces it.
            file.set_permissions(before.permissions())
                .map_err(|error| cannot(&part, &error))?;
        }
        let to = file.try_clone().map_err(|error| cannot(&part, &error))?;
        Ok(Self {
            to: Box::new(to),
            names: Some(PartNames {
                part,
                file,
                path,
                before: before.as_ref().and_then(identity),
            }),
            path: shown_path,
            written: 0,
        })
    }

    fn direct(to: Box<dyn Write + Send>, path: String) -> Self {
        Self {
            to,
            names: None,
            path,
            written: 0,
        }
    }

    /// Returns the name of the file that has what has arrived.
    pub(crate) fn name(&self) -> String {
        match &self.names {
            Some(names) => shown(&names.part.to_string_lossy()),
            None => self.path.clone(),
        }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.written += bytes.len() as u64;
        self.to.write_all(bytes).map_err(|error| {
            if self.names.is_none() && error.kind() == io::ErrorKind::BrokenPipe {
                Failure::OutputClosed
            } else {
                Failure::failed(format!("cannot write to `{}`: {error}", self.name()))
            }
        })
    }

    /// Cuts the file to `length` bytes, and adds an ending.
    pub(crate) fn cut(&mut self, length: u64, ending: &[u8]) -> Result<(), Failure> {
        let Some(PartNames { file, .. }) = &mut self.names else {
            return Ok(());
        };
        let cut = file
            .set_len(length)
            .and_then(|()| file.seek(SeekFrom::End(0)))
            .and_then(|_| file.write_all(ending));
        cut.map_err(|error| Failure::failed(format!("cannot write to `{}`: {error}", self.name())))
    }

    /// Gives the complete file its name.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.to.flush().map_err(|error| {
            Failure::failed(format!("cannot write to `{}`: {error}", self.name()))
        })?;
        let Some(PartNames {
            part, path, before, ..
        }) = self.names.take()
        else {
            return Ok(());
        };
        let stays = |why: &str| {
            let part = shown(&part.to_string_lossy());
            Failure::failed(format!("`{}` stays `{part}`: {why}", self.path))
        };
        if fs::metadata(&path).ok().as_ref().and_then(identity) != before {
            return Err(stays("another program wrote a file of this name meanwhile"));
        }
        fs::rename(&part, path).map_err(|error| stays(&format!("cannot rename it: {error}")))
    }

    /// Keeps what has arrived, since no more will; returns the message about it. Without any, no
    /// file stays.
    pub(crate) fn keep(&mut self) -> String {
        let name = self.name();
        if self.written > 0 {
            self.names = None;
            return format!(
                "{} that arrived are in `{name}`",
                DecimalBytes(self.written)
            );
        }
        "nothing had arrived".to_owned()
    }
}

impl Drop for Part {
    /// Removes a file that is empty, and neither complete nor kept.
    fn drop(&mut self) {
        if let Some(names) = self.names.take() {
            if self.written == 0 {
                let _ = fs::remove_file(names.part);
            }
        }
    }
}

/// How many links may lead from one to the next, as on Linux.
const LINKS: usize = 40;

/// Returns what a symbolic link leads to, there or not; any other path as it is. What a link leads
/// to is replaced, and not the link.
fn behind_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = fs::read_link(&path) else {
            break;
        };
        // (An absolute target replaces the folder.)
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}

/// Returns the failure for a `.part` that exists.
fn is_there(part: &Path, path: &str) -> Failure {
    let name = shown(&part.to_string_lossy());
    Failure::failed(match writer_of(part) {
        Some(process) => format!(
            "the process {process} is writing `{path}`, and has `{name}` open; wait for it, or use another name"
        ),
        None => format!(
            "`{name}` exists, from a run that was cut short or of one that is still writing; rename or remove it, or use \
             another name"
        ),
    })
}

/// Returns the id of another process that has the file open, where the system tells.
fn writer_of(part: &Path) -> Option<u32> {
    let part = part.canonicalize().ok()?;
    let processes = fs::read_dir("/proc").ok()?;
    processes.flatten().find_map(|process| {
        let id = process.file_name().to_str()?.parse().ok()?;
        let mut files = fs::read_dir(process.path().join("fd")).ok()?.flatten();
        let has_it = files.any(|file| fs::read_link(file.path()).is_ok_and(|to| to == part));
        has_it.then_some(id)
    })
}
