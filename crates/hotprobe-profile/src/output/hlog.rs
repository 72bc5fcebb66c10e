//! HDR histogram logs.

use crate::LatencySnapshot;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{
    IntervalLogWriterBuilder, IntervalLogWriterError, Tag,
};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

impl LatencySnapshot {
    /// Writes an HDR histogram log, format 1.3: an interval for each label, which is its tag. The
    /// values are nanoseconds; the interval's maximum, in clear, is in milliseconds, as other
    /// writers have it.
    ///
    /// In tags, `%`, commas, white space and what is not ASCII are escaped as in URLs (`%2C`).
    ///
    /// # Errors
    /// The error of `writer`.
    ///
    /// ```
    /// # let latency = hotprobe_profile::LatencyMeter::new();
    /// # latency.begin(7);
    /// # latency.end(&7, "GET /");
    /// let mut log = Vec::new();
    /// latency.snapshot().write_hlog(&mut log)?;
    /// assert!(String::from_utf8(log).unwrap().contains("\nTag=GET%20/,"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write_hlog(&self, mut writer: impl Write) -> io::Result<()> {
        write(self, &mut writer)
    }
}

fn write(snapshot: &LatencySnapshot, writer: &mut impl Write) -> io::Result<()> {
    let mut serializer = V2DeflateSerializer::new();
    let title = escaped(snapshot.title());
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment(&format!(
            "[{title}, in nanoseconds; tags are labels, escaped as in URLs]"
        ))
        .with_start_time(snapshot.started())
        .with_max_value_divisor(1e6)
        .begin_log_with(writer, &mut serializer)?;
    for label in snapshot.labels() {
        let tag = escaped(label.label());
        log.write_histogram(
            label.histogram(),
            Duration::ZERO,
            snapshot.duration(),
            // An empty one would be no tag.
            Tag::new(&tag).filter(|tag| !tag.as_str().is_empty()),
        )
        .map_err(|error| match error {
            IntervalLogWriterError::IoError(error) => error,
            IntervalLogWriterError::SerializeError(error) => io::Error::other(error),
        })?;
    }
    Ok(())
}

/// As in URLs: what the format gives a meaning to, and what is not plain ASCII.
fn escaped(label: &str) -> String {
    let mut escaped = String::with_capacity(label.len());
    for byte in label.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b',' | b'%' | b'"' | b'\'') {
            escaped.push(byte.into());
        } else {
            // (A `String` takes all.)
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
