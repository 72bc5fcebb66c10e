//! What Perfetto and Chrome traces are collected in before it is written, and which records the
//! writer has accepted: when it fails, they are what a partial file has.

use super::export::Record;
use std::io::{self, Write};

/// The number of bytes that are written at once.
const AT_ONCE: usize = 64 << 10;

/// Of [`BufferedRecord::end`]: not all of its bytes are here yet.
const NOT_WHOLE: usize = usize::MAX;

/// Bytes on their way to a writer, and the records among them.
#[derive(Debug)]
pub(crate) struct RecordBuffer<W> {
    pub(super) to: W,
    /// What exporters append to.
    pub(crate) bytes: Vec<u8>,
    /// How many of them the writer has accepted: none, unless it failed in the middle.
    accepted: usize,
    records: Vec<BufferedRecord>,
}

#[derive(Debug)]
struct BufferedRecord {
    /// How many bytes the writer has to accept before the record is in the file.
    end: usize,
    thread: usize,
    event: usize,
}

impl<W: Write> RecordBuffer<W> {
    pub(crate) fn new(to: W) -> Self {
        Self {
            to,
            bytes: Vec::with_capacity(2 * AT_ONCE),
            accepted: 0,
            records: Vec::new(),
        }
    }

    /// Notes that the bytes of a record follow. They need not be the next ones, nor written at
    /// once.
    #[inline]
    pub(crate) fn begin_record(&mut self, record: &Record<'_>) {
        self.records.push(BufferedRecord {
            end: NOT_WHOLE,
            thread: record.thread,
            event: record.event,
        });
    }

    /// Notes that a reader finds the record that began last in what is here and was written.
    #[inline]
    pub(crate) fn end_record(&mut self) {
        if let Some(last) = self.records.last_mut() {
            last.end = self.bytes.len();
        }
    }

    /// Writes what there is, if that is much.
    #[inline]
    pub(crate) fn write_some(&mut self) -> io::Result<()> {
        if self.bytes.len() < AT_ONCE {
            return Ok(());
        }
        self.write()
    }

    /// Writes what there is. If that fails, it continues where it was.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        while let rest @ [_, ..] = &self.bytes[self.accepted..] {
            match self.to.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                // (A writer may say anything.)
                Ok(count) => self.accepted += count.min(rest.len()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.bytes.clear();
        self.accepted = 0;
        self.records.retain(|record| record.end == NOT_WHOLE);
        Ok(())
    }

    /// Writes what there is, and flushes the writer.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.write()?;
        self.to.flush()
    }

    /// Reports thread and event of each record that the writer has not accepted as a whole.
    pub(crate) fn unwritten(&self, tell: &mut dyn FnMut(usize, usize)) {
        let unwritten = self.records.iter().filter(|it| it.end > self.accepted);
        unwritten.for_each(|record| tell(record.thread, record.event));
    }
}
