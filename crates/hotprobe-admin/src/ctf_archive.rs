//! A CTF trace as a tar archive: CTF is a folder of files, and a response is one body.

use hotprobe_record::{RecordError, Trace};
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use tar::{Builder, Header};
use tempfile::TempDir;

/// The folder's name in the archive.
const FOLDER: &str = "trace";

/// Writes the trace as an archive, by way of a temporary folder, which is removed however this
/// ends.
pub(crate) fn write(trace: &Trace, writer: &mut impl Write) -> io::Result<()> {
    write_in(&std::env::temp_dir(), trace, writer)
}

/// As [`write()`], with the temporary folder in `parent`.
fn write_in(parent: &Path, trace: &Trace, writer: &mut impl Write) -> io::Result<()> {
    leftovers::remove(parent);
    let (folder, _in_use) = folder_in_use(parent)?;
    trace
        .write_ctf(folder.path())
        .map_err(|error| match error {
            RecordError::Io { source, .. } => source,
            other => io::Error::other(other),
        })?;
    let mut names: Vec<_> = fs::read_dir(&folder)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<_, _>>()?;
    names.sort();
    let time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let mut archive = Builder::new(writer);
    for name in names {
        let mut file = File::open(folder.path().join(&name))?;
        let length = file.metadata()?.len();
        let mut header = Header::new_ustar();
        header.set_size(length);
        header.set_mode(0o644);
        header.set_mtime(time);
        let path = Path::new(FOLDER).join(name);
        archive.append_data(&mut header, path, (&mut file).take(length))?;
        // `append_data` does not compare what it copied with the header's size.
        if file.stream_position()? != length {
            return Err(io::Error::other("a file changed while it was read"));
        }
    }
    archive.finish()
}

/// Creates a folder, and marks it as in use as long as the second value lives.
fn folder_in_use(parent: &Path) -> io::Result<(TempDir, leftovers::InUse)> {
    loop {
        let folder = private_folder(parent)?;
        if let Some(in_use) = leftovers::mark(folder.path())? {
            return Ok((folder, in_use));
        }
        // Another process took it for a leftover before it was marked.
    }
}

/// What the names of the folders begin with.
const PREFIX: &str = "hotprobe-trace-";

/// Creates a folder that only this user can read: it has the arguments of events.
fn private_folder(parent: &Path) -> io::Result<TempDir> {
    // The process's id shows an operator whose it is.
    let prefix = format!("{PREFIX}{}-", std::process::id());
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(parent)
}

/// Folders that stayed because their process was killed. A folder in use is locked, and the
/// system gives the lock up when the process is gone, however it ends.
#[cfg(unix)]
mod leftovers {
    use super::PREFIX;
    use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
    use std::fs::{self, File};
    use std::io;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    /// The lock.
    pub(super) type InUse = File;

    /// Locks a folder that was just created; `None` if it is being removed as a leftover.
    pub(super) fn mark(folder: &Path) -> io::Result<Option<InUse>> {
        match lock(folder) {
            Ok(Some(locked)) => Ok(is_at(&locked, folder).then_some(locked)),
            Ok(None) => Ok(None),
            // A file system without locks: nobody will take it for a leftover either.
            Err(_) => File::open(folder).map(Some),
        }
    }

    /// Removes the leftovers of this user's processes. What cannot be removed stays.
    pub(super) fn remove(parent: &Path) {
        let Ok(entries) = fs::read_dir(parent) else {
            return;
        };
        for entry in entries.flatten() {
            let is_ours = entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.starts_with(PREFIX));
            let path = entry.path();
            if let (true, Ok(Some(locked))) = (is_ours, lock(&path)) {
                let owner = locked.metadata().map(|metadata| metadata.uid());
                if owner.is_ok_and(|owner| owner == rustix::process::geteuid().as_raw())
                    && is_at(&locked, &path)
                {
                    let _ = fs::remove_dir_all(&path);
                }
            }
        }
    }

    /// `None`: it is in use, or there is no such folder (any more). Follows no link.
    fn lock(folder: &Path) -> io::Result<Option<File>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = match open(folder, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(error) if error == rustix::io::Errno::NOENT => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(error) if error == rustix::io::Errno::WOULDBLOCK => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the path still leads to what was opened.
    fn is_at(file: &File, path: &Path) -> bool {
        let same = |a: &fs::Metadata, b: &fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
        matches!((file.metadata(), fs::symlink_metadata(path)), (Ok(a), Ok(b)) if same(&a, &b))
    }
}

/// There are no such locks.
#[cfg(not(unix))]
mod leftovers {
    use std::io;
    use std::path::Path;

    pub(super) type InUse = ();

    #[allow(clippy::unnecessary_wraps, reason = "the other side's shape")]
    pub(super) fn mark(_: &Path) -> io::Result<Option<InUse>> {
        Ok(Some(()))
    }

    pub(super) fn remove(_: &Path) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipe::{CAPACITY, Pipe, PipeWriter};
    use hotprobe_record::Recorder;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread;

    hotprobe::event! { static ITEM: fn(n: u64, text: &str); }

    const TEXT: &str = "a text that is long enough to fill the pipe with some thousand records";

    /// A trace whose archive is larger than a pipe.
    fn trace() -> Trace {
        let recorder = Recorder::new().event(&ITEM).max_buffer_bytes(4 << 20);
        let recording = recorder.start().unwrap();
        (0..2 * CAPACITY / TEXT.len()).for_each(|n| ITEM.fire(n as u64, TEXT));
        recording.finish().unwrap()
    }

    fn is_empty(folder: &Path) -> bool {
        fs::read_dir(folder).unwrap().next().is_none()
    }

    /// Does `then` at the first write, when the temporary folder has to be there.
    struct AtFirst<'a, F: FnMut() -> io::Result<()>> {
        parent: &'a Path,
        then: Option<F>,
    }

    impl<F: FnMut() -> io::Result<()>> Write for AtFirst<'_, F> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            assert!(!is_empty(self.parent));
            self.then.take().map_or(Ok(()), |mut then| then())?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_archive_has_the_trace_s_files_as_they_are() {
        let (trace, parent) = (trace(), TempDir::new().unwrap());
        let mut bytes = Vec::new();
        write_in(parent.path(), &trace, &mut bytes).unwrap();
        assert!(is_empty(parent.path()));

        trace.write_ctf(parent.path()).unwrap();
        let mut archive = tar::Archive::new(&*bytes);
        let mut names = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().into_owned();
            let name = path.strip_prefix(FOLDER).unwrap().to_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            assert_eq!(content.len() as u64, entry.header().size().unwrap());
            let written = fs::read(parent.path().join(&name)).unwrap();
            assert_eq!(content, written, "{}", name.display());
            names.push(name);
        }
        assert!(names.is_sorted());
        assert_eq!(names.len(), fs::read_dir(parent.path()).unwrap().count());
    }

    #[test]
    fn the_temporary_folder_is_gone_after_a_failure() {
        let (trace, parent) = (trace(), TempDir::new().unwrap());
        let mut writer = AtFirst {
            parent: parent.path(),
            then: Some(|| Err(io::ErrorKind::StorageFull.into())),
        };
        let error = write_in(parent.path(), &trace, &mut writer).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(is_empty(parent.path()));
    }

    #[test]
    fn the_temporary_folder_is_gone_after_a_panic() {
        let (trace, parent) = (trace(), TempDir::new().unwrap());
        let mut writer = AtFirst {
            parent: parent.path(),
            then: Some(|| std::panic::resume_unwind(Box::new("planned"))),
        };
        let write = || write_in(parent.path(), &trace, &mut writer);
        assert!(catch_unwind(AssertUnwindSafe(write)).is_err());
        assert!(is_empty(parent.path()));
    }

    #[test]
    fn the_temporary_folder_is_gone_when_the_client_leaves_while_the_archive_waits_for_it() {
        let (trace, parent) = (trace(), TempDir::new().unwrap());
        let (pipe, body) = Pipe::new();
        thread::scope(|scope| {
            let (trace, parent) = (&trace, parent.path());
            let writing = scope.spawn(move || write_in(parent, trace, &mut PipeWriter(pipe)));
            while is_empty(parent) && !writing.is_finished() {
                thread::yield_now();
            }
            drop(body);
            let error = writing.join().unwrap().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        });
        assert!(is_empty(parent.path()));
    }

    #[cfg(unix)]
    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else_is() {
        let (parent, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let path = |name: &str| parent.path().join(name);
        let left = path("hotprobe-trace-1-left");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("metadata"), "x").unwrap();
        let (in_use, _in_use) = folder_in_use(parent.path()).unwrap();
        let link = path("hotprobe-trace-1-link");
        std::os::unix::fs::symlink(elsewhere.path(), &link).unwrap();
        let file = path("hotprobe-trace-1-file");
        fs::write(&file, "x").unwrap();
        let other = path("another-folder");
        fs::create_dir(&other).unwrap();

        // Another recording looks for leftovers while this one writes.
        let mut writer = AtFirst {
            parent: parent.path(),
            then: Some(|| {
                leftovers::remove(parent.path());
                Ok(())
            }),
        };
        write_in(parent.path(), &trace(), &mut writer).unwrap();

        assert!(!left.exists());
        for stays in [in_use.path(), &link, &file, &other, elsewhere.path()] {
            assert!(stays.exists(), "{}", stays.display());
        }
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 4);
    }

    #[cfg(unix)]
    #[test]
    fn only_this_user_can_read_the_temporary_folder() {
        use std::os::unix::fs::PermissionsExt as _;
        let parent = TempDir::new().unwrap();
        let folder = private_folder(parent.path()).unwrap();
        let mode = fs::metadata(folder.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_folder_that_cannot_be_created_is_an_error() {
        let parent = TempDir::new().unwrap();
        let missing = parent.path().join("missing");
        let error = write_in(&missing, &trace(), &mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
