//! Snapshots as Prometheus' text.

use super::exposition::Exposition;
use crate::{CountsSnapshot, LatencySnapshot};
use std::io::{self, Write};

impl LatencySnapshot {
    /// Writes Prometheus' text: a histogram in seconds for each label, and the counts of begins and
    /// ends. [`Metrics`](crate::Metrics) lists the names, and writes several snapshots together.
    ///
    /// The bounds of the buckets are 1, 2.5 and 5 times each power of ten from 1 µs to 100 s. A
    /// pair that the measurement cannot distinguish from a bound is counted below it.
    ///
    /// # Errors
    /// The error of `writer`.
    ///
    /// ```
    /// # let meter = hotprobe_profile::LatencyMeter::new();
    /// # meter.begin(7);
    /// # meter.end(&7, "GET /");
    /// let mut text = Vec::new();
    /// meter.snapshot().write_prometheus(&mut text)?;
    /// let text = String::from_utf8(text).unwrap();
    /// let count = r#"hotprobe_latency_seconds_count{title="latency",label="GET /"} 1"#;
    /// assert!(text.contains(count), "{text}");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write_prometheus(&self, writer: impl Write) -> io::Result<()> {
        let latencies = vec![self.clone()];
        write(
            Exposition {
                latencies,
                ..Exposition::default()
            },
            writer,
        )
    }
}

impl CountsSnapshot {
    /// Writes Prometheus' text: counters `hotprobe_firings_total` by `event`,
    /// `hotprobe_firings_by_label_total` by `event`, `parameter` and `label`, and by how much the
    /// latter may be too high. [`Metrics`](crate::Metrics) writes several snapshots together.
    ///
    /// # Errors
    /// The error of `writer`.
    ///
    /// ```
    /// # hotprobe::event! { static TICK: fn(); }
    /// let session = hotprobe_profile::Counts::new().event(&TICK).start()?;
    /// TICK.fire();
    /// let mut text = Vec::new();
    /// session.snapshot().write_prometheus(&mut text).expect("memory takes it");
    /// assert!(String::from_utf8(text).unwrap().contains(r#"TICK"} 1"#));
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn write_prometheus(&self, writer: impl Write) -> io::Result<()> {
        let counts = vec![self.clone()];
        write(
            Exposition {
                counts,
                ..Exposition::default()
            },
            writer,
        )
    }
}

fn write(exposition: Exposition, mut writer: impl Write) -> io::Result<()> {
    let text = exposition.text().map_err(io::Error::other)?;
    writer.write_all(text.as_bytes())
}
