//! Files that a recording writes: each has one writer at a time, and none ends the process.
//!
//! **One writer.** A file is locked (`flock`) before anything in it is touched. The lock belongs to
//! the file, and not to its name: two names of one file, by a link or by `./`, are one. It ends
//! with its process, so that nothing is left behind; and it is given up when the file is closed,
//! since a child process that was forked meanwhile holds the file as well.
//!
//! **Limits.** Linux ends a process that writes beyond the limit for the size of files (`ulimit
//! -f`) by a signal. So the limit is asked for, and a write beyond it fails before the system sees
//! it.

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
    let mut created = LimitedFile::new(file);
    if created.file.metadata()?.is_file() {
        lock(&created.file)?;
        created.locked_by = Some(std::process::id());
        created.file.set_len(0)?;
    }
    Ok(created)
}

/// A file whose writes fail at the limit for the size of files.
#[derive(Debug)]
pub(crate) struct LimitedFile {
    file: File,
    limit: u64,
    /// The process that has locked it, if one has.
    locked_by: Option<u32>,
}

impl LimitedFile {
    pub(crate) fn new(file: File) -> Self {
        Self {
            file,
            limit: limit(),
            locked_by: None,
        }
    }

    /// Appends all of it, or nothing, as long as the file system can shorten a file.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        let result = self.write_all(bytes);
        if result.is_err() {
            let _ = self.file.set_len(length);
        }
        result
    }
}

impl Drop for LimitedFile {
    fn drop(&mut self) {
        // In a forked child the lock is the parent's, which still writes.
        if self.locked_by == Some(std::process::id()) {
            unlock(&self.file);
        }
    }
}

impl Write for LimitedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut room = bytes.len();
        if self.limit < u64::MAX {
            let metadata = self.file.metadata()?;
            if metadata.is_file() {
                let left = self.limit.saturating_sub(metadata.len());
                room = usize::try_from(left).map_or(room, |left| room.min(left));
            }
            if room == 0 && !bytes.is_empty() {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    format!(
                        "the limit for the size of files is {} bytes (`ulimit -f`)",
                        self.limit
                    ),
                ));
            }
        }
        self.file.write(&bytes[..room])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A user's writer, which may not be interrupted forever: `write_all` would try again without end.
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

/// Locks the file, for this process and those that it forks.
#[cfg(unix)]
fn lock(file: &File) -> io::Result<()> {
    use rustix::fs::{FlockOperation, flock};
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
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

#[cfg(unix)]
fn unlock(file: &File) {
    let _ = rustix::fs::flock(file, rustix::fs::FlockOperation::Unlock);
}

#[cfg(not(unix))]
fn unlock(_: &File) {}

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
    // `1: FLOCK  ADVISORY  WRITE 8034 fe:00:6209673 0 EOF`
    let of_file = |line: &str| {
        let mut words = line.split_whitespace();
        let is_flock = words.nth(1) == Some("FLOCK");
        let pid: u32 = words.nth(2)?.parse().ok()?;
        let of = words.next()?.rsplit(':').next()?.parse::<u64>().ok()?;
        (is_flock && of == inode).then_some(pid)
    };
    // The system writes the list piece by piece, and one that others lock beside may lack a line:
    // some tries.
    let pid = (0..10).find_map(|_| {
        let locks = std::fs::read_to_string("/proc/locks").ok()?;
        locks.lines().find_map(of_file)
    })?;
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
