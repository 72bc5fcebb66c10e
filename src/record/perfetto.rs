//! Not the format yet: a line for each record, so that what drives it can be tested.

use super::export::{Export, Header, Lost, Record, ThreadInfo, Total};
use std::io::{self, Write};

pub(crate) struct Perfetto<W> {
    writer: W,
}

impl<W: Write> Perfetto<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self { writer }
    }
}

impl<W: Write> Export for Perfetto<W> {
    fn header(&mut self, header: &Header) -> io::Result<()> {
        writeln!(self.writer, "{:?} {:?}", header.process, header.wall)?;
        for slice in &header.slices {
            let (begin, end) = (slice.begin, slice.end);
            writeln!(self.writer, "{} {begin:?} {end:?}", slice.name)?;
        }
        Ok(())
    }

    fn thread(&mut self, thread: &ThreadInfo) -> io::Result<()> {
        writeln!(self.writer, "{thread:?}")
    }

    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        writeln!(self.writer, "{record:?}")
    }

    fn lost(&mut self, lost: &Lost) -> io::Result<()> {
        writeln!(self.writer, "{lost:?}")
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn finish(&mut self, end: u64, totals: &[Total]) -> io::Result<()> {
        writeln!(self.writer, "{end} {totals:?}")?;
        self.writer.flush()
    }
}
