//! A file that is replaced as a whole: a reader sees the old one or the new one, never a part.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// How many links may lead from one to the next, as on Linux.
const LINKS: usize = 40;

/// Writes a file under a temporary name in the same folder, then renames it. If `write` fails, the
/// file stays as it was.
///
/// The new file has the permissions of the one it replaces, otherwise those that any new file has.
/// Symbolic links are followed, so that they stay. What is not a regular file (a pipe, a device) is
/// written in place: a rename would remove it.
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let path = behind_links(path)?;
    let permissions = match fs::metadata(&path) {
        Ok(found) if !found.is_file() => {
            // (A directory is refused here.)
            let mut file = BufWriter::new(File::options().write(true).open(&path)?);
            write(&mut file)?;
            return file.flush();
        }
        Ok(found) => {
            // What must not be written must not be replaced either.
            File::options().write(true).open(&path)?;
            Some(found.permissions())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    // The name is short, so that it fits where the file's own does, and has another extension:
    // programs that read all `*.prom` of a folder do not read it.
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hotprobe-").suffix(".tmp");
    // Those of `File::create`, from which the umask is taken; the library's own are 0600.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // (If it is dropped, the file is removed.)
    let mut temporary = builder.tempfile_in(folder)?;
    if let Some(permissions) = permissions {
        // Before anything is written: nobody who may not read the file may read this one.
        temporary.as_file().set_permissions(permissions)?;
    }
    let mut file = BufWriter::new(temporary.as_file_mut());
    write(&mut file)?;
    file.flush()?;
    drop(file);
    temporary.persist(&path)?;
    Ok(())
}

/// Returns what a symbolic link leads to, there or not; any other path as it is.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = fs::read_link(&path) else {
            return Ok(path);
        };
        // (An absolute target replaces the folder.)
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    Err(io::Error::other("too many symbolic links"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;
    use tempfile::TempDir;

    fn names(folder: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("it is there");
        let mut names: Vec<_> = entries
            .map(|entry| {
                entry
                    .expect("it is read")
                    .file_name()
                    .into_string()
                    .expect("text")
            })
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_old_file_stays_until_the_new_one_is_complete() {
        let folder = TempDir::new().expect("it is made");
        let path = folder.path().join("a.prom");
        fs::write(&path, "the old one").expect("it is written");
        replace(&path, |file| {
            file.write_all(&[b'x'; 10_000])?;
            assert_eq!(fs::read_to_string(&path)?, "the old one");
            file.write_all(b"the end")
        })
        .expect("it is replaced");
        assert_eq!(fs::read(&path).expect("it is read").len(), 10_007);
        assert_eq!(names(&folder), ["a.prom"]);
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = TempDir::new().expect("it is made");
        let path = folder.path().join("a.prom");
        let fail = |file: &mut dyn Write| {
            file.write_all(&[b'x'; 10_000])?;
            Err(io::ErrorKind::StorageFull.into())
        };
        let kind = |result: io::Result<()>| result.expect_err("it fails").kind();
        assert_eq!(kind(replace(&path, fail)), io::ErrorKind::StorageFull);
        assert_eq!(names(&folder), [""; 0]);
        fs::write(&path, "the old one").expect("it is written");
        assert_eq!(kind(replace(&path, fail)), io::ErrorKind::StorageFull);
        assert_eq!(fs::read_to_string(&path).expect("it"), "the old one");
        assert_eq!(names(&folder), ["a.prom"]);
    }

    #[test]
    fn a_reader_of_the_old_file_keeps_reading_that() {
        let folder = TempDir::new().expect("it is made");
        let path = folder.path().join("a.prom");
        fs::write(&path, "the old one").expect("it is written");
        let mut reader = File::open(&path).expect("it opens");
        replace(&path, |file| file.write_all(b"new")).expect("it is replaced");
        let mut read = String::new();
        reader.read_to_string(&mut read).expect("it is read");
        assert_eq!(read, "the old one");
    }

    #[test]
    fn a_name_may_be_as_long_as_names_can_be() {
        let folder = TempDir::new().expect("it is made");
        let path = folder.path().join("n".repeat(255));
        replace(&path, |file| file.write_all(b"new")).expect("it is made");
        assert_eq!(fs::read_to_string(&path).expect("it is read"), "new");
    }

    #[test]
    #[cfg(unix)]
    fn permissions_are_those_of_the_file_before_or_of_a_new_one() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = TempDir::new().expect("it is made");
        let mode = |name: &str| {
            let found = fs::metadata(folder.path().join(name)).expect("it is there");
            found.permissions().mode()
        };
        File::create(folder.path().join("usual")).expect("it is made");
        let path = folder.path().join("a.prom");
        replace(&path, |_| Ok(())).expect("it is made");
        assert_eq!(mode("a.prom"), mode("usual"));
        for bits in [0o600, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(bits)).expect("they are set");
            replace(&path, |_| Ok(())).expect("it is replaced");
            assert_eq!(mode("a.prom") & 0o777, bits);
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_link_stays_and_what_it_leads_to_is_replaced_or_made() {
        use std::os::unix::fs::symlink;
        let folder = TempDir::new().expect("it is made");
        fs::create_dir(folder.path().join("sub")).expect("it is made");
        symlink("sub/second", folder.path().join("first")).expect("it is made");
        symlink("../target", folder.path().join("sub/second")).expect("it is made");
        for text in ["made", "replaced"] {
            let path = folder.path().join("first");
            replace(&path, |file| file.write_all(text.as_bytes())).expect("it is written");
            let target = fs::symlink_metadata(folder.path().join("target")).expect("it is there");
            assert!(target.is_file());
            assert_eq!(fs::read_to_string(&path).expect("it is read"), text);
            assert_eq!(names(&folder), ["first", "sub", "target"]);
        }
        symlink("round", folder.path().join("round")).expect("it is made");
        let round = replace(&folder.path().join("round"), |_| Ok(()));
        assert!(round.is_err());
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_regular_file_is_written_in_place() {
        use std::os::unix::fs::FileTypeExt as _;
        replace(Path::new("/dev/null"), |file| file.write_all(b"x")).expect("it is written");
        let found = fs::metadata("/dev/null").expect("it is there");
        assert!(found.file_type().is_char_device());
        let folder = TempDir::new().expect("it is made");
        assert!(replace(folder.path(), |_| Ok(())).is_err());
        assert!(folder.path().is_dir());
    }
}
