//! Histograms of latencies. The benchmark `overhead_server` uses this file too.

use hdrhistogram::Histogram;
use std::time::Duration;

/// Nanoseconds up to a minute, within 1 %: 30 KB however many are recorded.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 2).expect("the bounds are in order")
}

pub(crate) fn record(histogram: &mut Histogram<u64>, latency: Duration) {
    histogram.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
}

/// Microseconds, of nanoseconds; to the tenth below a hundred.
pub(crate) fn micros(nanos: u64) -> String {
    let micros = nanos as f64 / 1000.0;
    if micros < 100.0 {
        format!("{micros:.1}")
    } else {
        format!("{micros:.0}")
    }
}
