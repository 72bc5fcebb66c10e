//! A file that appears when it is whole. Until then, what came is in another beside it, which is kept if no more comes.

use crate::failure::Failure;
use crate::output::shown;
use indicatif::DecimalBytes;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

/// Where an answer goes.
pub(crate) struct Part {
    to: Box<dyn Write>,
    /// The file that has what came, and what it is to be called: none where there is nothing to rename.
    names: Option<(PathBuf, PathBuf)>,
    path: String,
    written: u64,
}

impl Part {
    /// `-` is standard output. What is no file, as `/dev/null` or a pipe, is written to as it is.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            if io::stdout().is_terminal() {
                return Err(Failure::usage(
                    "`--output -` is a terminal, which cannot show a recording: pass it on by `|`",
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
        let path = match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                return Err(Failure::usage(format!(
                    "`{shown_path}` is a directory: expected a file's name"
                )));
            }
            Ok(found) if !found.is_file() => {
                let file = File::options()
                    .write(true)
                    .open(path)
                    .map_err(|error| cannot(path, &error))?;
                return Ok(Self::direct(Box::new(file), shown_path));
            }
            // (What a link leads to is replaced, not the link.)
            Ok(_) => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
            Err(_) => path.to_owned(),
        };
        let mut name = path.file_name().map(OsString::from).unwrap_or_default();
        name.push(".part");
        let part = path.with_file_name(name);
        let file = File::create(&part).map_err(|error| cannot(&part, &error))?;
        Ok(Self {
            to: Box::new(file),
            names: Some((part, path)),
            path: shown_path,
            written: 0,
        })
    }

    fn direct(to: Box<dyn Write>, path: String) -> Self {
        Self {
            to,
            names: None,
            path,
            written: 0,
        }
    }

    /// The name of the file that has what came.
    pub(crate) fn name(&self) -> String {
        match &self.names {
            Some((part, _)) => shown(&part.to_string_lossy()),
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
                Failure::NobodyReads
            } else {
                Failure::failed(format!("cannot write to `{}`: {error}", self.name()))
            }
        })
    }

    /// It is whole.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.to.flush().map_err(|error| {
            Failure::failed(format!("cannot write to `{}`: {error}", self.name()))
        })?;
        let Some((part, path)) = self.names.take() else {
            return Ok(());
        };
        fs::rename(&part, path).map_err(|error| {
            let part = shown(&part.to_string_lossy());
            Failure::failed(format!(
                "`{}` stays `{part}`: cannot rename it: {error}",
                self.path
            ))
        })
    }

    /// No more comes: what is to be said of what came. (Where nothing did, no file stays.)
    pub(crate) fn keep(mut self) -> String {
        let name = self.name();
        if self.written > 0 {
            self.names = None;
            return format!("what came, {}, is in `{name}`", DecimalBytes(self.written));
        }
        "nothing had come".to_owned()
    }
}

impl Drop for Part {
    /// If it is neither whole nor kept.
    fn drop(&mut self) {
        if let Some((part, _)) = self.names.take() {
            if self.written == 0 {
                let _ = fs::remove_file(part);
            }
        }
    }
}
