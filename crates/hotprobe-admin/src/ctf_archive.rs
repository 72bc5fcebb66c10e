//! A CTF trace is a folder: it is sent as an archive (POSIX `ustar`).

use hotprobe_record::{RecordError, Trace};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const BLOCK: usize = 512;
/// The folder's name in the archive.
const FOLDER: &str = "trace";

/// Writes the trace as an archive, by way of a folder of its own among the system's temporary files, which is removed.
pub(crate) fn write(trace: &Trace, writer: &mut impl Write) -> io::Result<()> {
    let folder = Folder::new()?;
    trace.write_ctf(&folder.0).map_err(|error| match error {
        RecordError::Io { source, .. } => source,
        other => io::Error::other(other),
    })?;
    let mut names: Vec<_> = fs::read_dir(&folder.0)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<_, _>>()?;
    names.sort();
    let time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    for name in names {
        let mut file = File::open(folder.0.join(&name))?;
        let length = file.metadata()?.len();
        let header = header(
            &format!("{FOLDER}/{}", name.to_string_lossy()),
            length,
            time,
        )?;
        writer.write_all(&header)?;
        let copied = io::copy(&mut file, writer)?;
        if copied != length {
            return Err(io::Error::other("a file changed while it was read"));
        }
        let beyond = usize::try_from(length % BLOCK as u64).unwrap_or(0);
        writer.write_all(&[0; BLOCK][..(BLOCK - beyond) % BLOCK])?;
    }
    writer.write_all(&[0; 2 * BLOCK])
}

fn header(name: &str, length: u64, time: u64) -> io::Result<[u8; BLOCK]> {
    let mut header = [0; BLOCK];
    let length = format!("{length:011o}");
    if name.len() >= 100 || length.len() > 11 {
        return Err(io::Error::other(format!(
            "`{name}` is too long for an archive"
        )));
    }
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &length);
    put(136, &format!("{time:011o}"));
    // What the sum is made with.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\0");
    put(263, "00");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(header)
}

/// A folder that only this program's user can read. Removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let among = std::env::temp_dir();
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = among.join(format!("hotprobe-trace-{}-{number}", std::process::id()));
            match create(&path) {
                Ok(()) => return Ok(Self(path)),
                // Another's, from before.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create(path: &Path) -> io::Result<()> {
    DirBuilder::new().create(path)
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_name_and_length_and_its_own_sum() {
        let header = header("trace/metadata", 8, 0).unwrap();
        assert!(header.starts_with(b"trace/metadata\0"));
        assert_eq!(&header[124..136], b"00000000010\0");
        let said = std::str::from_utf8(&header[148..154]).unwrap();
        let others = header[..148].iter().chain(&header[156..]);
        let sum = others.map(|&byte| u32::from(byte)).sum::<u32>() + 8 * u32::from(b' ');
        assert_eq!(u32::from_str_radix(said, 8).unwrap(), sum);
    }

    #[test]
    fn what_does_not_fit_into_a_header_is_refused() {
        assert!(header(&"n".repeat(100), 0, 0).is_err());
        assert!(header("n", 1 << 33, 0).is_err());
    }
}
