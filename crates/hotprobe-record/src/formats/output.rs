//! Files that a recording writes: each has one writer at a time, and none ends the process.
//!
//! **One writer.** A file is locked (`flock`) before anything in it is touched. The lock belongs to the file, and not to its
//! name: two names of one file, by a link or by `./`, are one. It ends with its process, so that nothing is left behind.
//!
//! **Limits.** Linux ends a process that writes beyond the limit for the size of files (`ulimit -f`) by a signal. So the limit is
//! asked for, and a write beyond it fails before the system sees it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// How often in a row a writer may say that it was interrupted before that counts as an error.
const MOST_INTERRUPTS: u32 = 1000;

/// Creates a file, or empties the one that is there.
///
/// # Errors
/// Another recording writes it now.
pub(crate) fn create(path: &Path) -> io::Result<LimitedFile> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    if file.metadata()?.is_file() {
        lock(&file)?;
        file.set_len(0)?;
    }
    Ok(LimitedFile::new(file))
}

/// A file whose writes fail at the limit for the size of files.
#[derive(Debug)]
pub(crate) struct LimitedFile {
    file: File,
    limit: u64,
}

impl LimitedFile {
    pub(crate) fn new(file: File) -> Self {
        Self {
            file,
            limit: limit(),
        }
    }

    /// Appends all of it, or nothing.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        let result = self.write_all(bytes);
        if result.is_err() {
            let _ = self.file.set_len(length);
        }
        result
    }
}

impl Write for LimitedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.limit < u64::MAX {
            let metadata = self.file.metadata()?;
            let after = metadata.len().saturating_add(bytes.len() as u64);
            if metadata.is_file() && after > self.limit {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    format!(
                        "the limit for the size of files is {} bytes (`ulimit -f`)",
                        self.limit
                    ),
                ));
            }
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A user's writer, which may not be interrupted for ever: `write_all` would try again without end.
#[derive(Debug)]
pub(crate) struct Patient<W> {
    to: W,
    interrupts: u32,
}

impl<W> Patient<W> {
    pub(crate) fn new(to: W) -> Self {
        Self { to, interrupts: 0 }
    }

    fn count<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.interrupts += 1;
                if self.interrupts > MOST_INTERRUPTS {
                    return Err(io::Error::other(format!(
                        "it was interrupted {MOST_INTERRUPTS} times in a row: {error}"
                    )));
                }
                Err(error)
            }
            result => {
                self.interrupts = 0;
                result
            }
        }
    }
}

impl<W: Write> Write for Patient<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.to.write(bytes);
        self.count(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.to.flush();
        self.count(result)
    }
}

/// Locks the file until it is closed.
#[cfg(unix)]
fn lock(file: &File) -> io::Result<()> {
    use rustix::fs::{FlockOperation, flock};
    // A child process that is just being started holds the files of this one until it executes its program: some tries.
    let mut result = flock(file, FlockOperation::NonBlockingLockExclusive);
    for _ in 0..20 {
        if result != Err(rustix::io::Errno::WOULDBLOCK) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
        result = flock(file, FlockOperation::NonBlockingLockExclusive);
    }
    match result {
        Err(rustix::io::Errno::WOULDBLOCK) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            format!(
                "{} writes it; give each recording a file of its own, and each process by `%p` in the name",
                owner(file).unwrap_or_else(|| "another recording".to_owned())
            ),
        )),
        // (Some file systems have no locks.)
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
#[allow(
    clippy::unnecessary_wraps,
    reason = "the same as where there are locks"
)]
fn lock(_: &File) -> io::Result<()> {
    Ok(())
}

/// Who has locked the file, as far as the system shows it.
#[cfg(unix)]
fn owner(file: &File) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let inode = file.metadata().ok()?.ino();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    // `1: FLOCK  ADVISORY  WRITE 8034 fe:00:6209673 0 EOF`
    let of_file = |line: &str| {
        let mut words = line.split_whitespace();
        let is_flock = words.nth(1) == Some("FLOCK");
        let pid: u32 = words.nth(2)?.parse().ok()?;
        let of = words.next()?.rsplit(':').next()?.parse::<u64>().ok()?;
        (is_flock && of == inode).then_some(pid)
    };
    let pid = locks.lines().find_map(of_file)?;
    if pid == std::process::id() {
        return Some("another recording of this process".to_owned());
    }
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(match name.trim() {
        "" => format!("process {pid}"),
        name => format!("process {pid} (`{name}`)"),
    })
}

/// The largest size that a file may have.
#[cfg(unix)]
fn limit() -> u64 {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX)
}

#[cfg(not(unix))]
fn limit() -> u64 {
    u64::MAX
}
