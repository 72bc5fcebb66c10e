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
    let folder = private_folder(parent)?;
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

/// Creates a folder that only this user can read: it has the arguments of events.
fn private_folder(parent: &Path) -> io::Result<TempDir> {
    // The process's id tells an operator whose it is.
    let prefix = format!("hotprobe-trace-{}-", std::process::id());
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(parent)
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
        let recorder = Recorder::new().event(&ITEM).buffer_per_thread(4 << 20);
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
