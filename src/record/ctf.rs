//! Not the format yet: a file with a line for each record, so that what drives it can be tested.

use super::chrome::Chrome;
use super::export::{Export, Header, Lost, Record, ThreadInfo, Total};
use std::fs::{self, File};
use std::io;
use std::path::Path;

pub(crate) struct Ctf {
    inner: Chrome<File>,
}

impl Ctf {
    pub(crate) fn create(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let inner = Chrome::new(File::create(directory.join("stream"))?);
        Ok(Self { inner })
    }
}

impl Export for Ctf {
    fn header(&mut self, header: &Header) -> io::Result<()> {
        self.inner.header(header)
    }

    fn thread(&mut self, thread: &ThreadInfo) -> io::Result<()> {
        self.inner.thread(thread)
    }

    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.inner.record(record)
    }

    fn lost(&mut self, lost: &Lost) -> io::Result<()> {
        self.inner.lost(lost)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    fn finish(&mut self, end: u64, totals: &[Total]) -> io::Result<()> {
        self.inner.finish(end, totals)
    }
}
