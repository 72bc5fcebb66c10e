//! Metrics for Prometheus: what a program's registry, or its endpoint, collects at each scrape.

use crate::output::exposition::{Exposition, Gauge, Process};
use crate::{CountsSnapshot, LatencySnapshot};
use std::fmt;
use std::sync::Arc;

/// The metrics of a program for Prometheus: of its events and probes, and of any number of running
/// measurements.
///
/// Each scrape calls the closures given here and writes their snapshots. [`write`](Self::write)
/// writes Prometheus' text format. With the feature `prometheus-collector`, `Metrics` is a
/// [`Collector`](prometheus_client::collector::Collector), which you register in a
/// [`Registry`](prometheus_client::registry::Registry) of prometheus-client 0.25. `hotprobe-admin`
/// serves it as `/metrics`.
///
/// ```
/// use hotprobe_profile::{Counts, Latency, Metrics};
/// use std::sync::Arc;
///
/// hotprobe::event! {
///     static REQUEST_RECEIVED: fn(id: u64);
///     static REQUEST_DONE: fn(id: u64, route: &str);
/// }
///
/// let requests = Latency::between(&REQUEST_RECEIVED, &REQUEST_DONE, "id")
///     .title("request")
///     .label("route");
/// let requests = Arc::new(requests.start()?);
/// let counts = Arc::new(Counts::new().by(&REQUEST_DONE, "route").start()?);
/// let metrics = Metrics::new()
///     .process()
///     .latency({
///         let requests = Arc::clone(&requests);
///         move || requests.snapshot()
///     })
///     .counts({
///         let counts = Arc::clone(&counts);
///         move || counts.snapshot()
///     });
/// # REQUEST_RECEIVED.fire(1);
/// # REQUEST_DONE.fire(1, "/orders");
/// let mut text = String::new();
/// metrics.write(&mut text)?;
/// assert!(text.contains(r#"hotprobe_latency_seconds_count{title="request",label="/orders"} 1"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Names
/// | metric | type | meaning |
/// |---|---|---|
/// | `hotprobe_firings_total{event}` | counter | firings of an event, or the count of a [`Counter`](crate::Counter) |
/// | `hotprobe_firings_by_label_total{event,parameter,label}` | counter | firings by the value of a parameter |
/// | `hotprobe_firings_by_label_error{event,parameter,label}` | gauge | by how much that count may be too high |
/// | `hotprobe_latency_seconds{title,label}` | histogram | durations of pairs |
/// | `hotprobe_latency_begins_total{title,result}` | counter | begins: `matched`, `unmatched`, `evicted`, `without_key` |
/// | `hotprobe_latency_ends_total{title,result}` | counter | ends: `matched`, `unmatched`, `without_key` |
/// | `hotprobe_latency_open_pairs{title}` | gauge | begins without an end so far |
/// | `hotprobe_latency_out_of_range_total{title,label,side}` | counter | pairs `short` of the range, or too `long` for it |
/// | `hotprobe_latency_skipped_total{title}` | counter | begins and ends inside the comparison of two keys |
/// | `hotprobe_events_registered`, `hotprobe_events_enabled` | gauge | events of the program; those with a probe |
/// | `hotprobe_probes_attached` | gauge | attached probes |
/// | `hotprobe_probe_panics_total` | counter | calls of probes that panicked |
/// | `hotprobe_firings_skipped_total{reason}` | counter | firings without their probes: `nested`, `registering` |
/// | `hotprobe_retired_total`, `hotprobe_reclaimed_total` | counter | probes and snapshots taken out; dropped since |
/// | `hotprobe_drop_panics_total` | counter | captured values whose drop panicked |
///
/// # Several measurements
/// Each family is written once, and no series twice:
///
/// * Latencies with the same title get a number: `latency`, `latency (2)`. Give them
///   [titles](crate::Latency::title).
/// * Sessions that count the same event count the same firings, so the highest of their counts is
///   written. Events of one name in the same session are added up.
/// * Of several breakdowns of one event by one parameter, the one with the highest total is
///   written.
///
/// # Cost
/// At each scrape, the closures run on the scraping thread: a snapshot of a latency takes some
/// microseconds for each label. Between scrapes, nothing.
#[derive(Clone, Default)]
#[must_use = "it writes nothing by itself: call `write`, register it, or pass it to `Admin::metrics`"]
pub struct Metrics {
    process: bool,
    latencies: Vec<Arc<dyn Fn() -> LatencySnapshot + Send + Sync>>,
    counts: Vec<Arc<dyn Fn() -> CountsSnapshot + Send + Sync>>,
    gauges: Vec<(&'static str, &'static str, GaugeReader)>,
}

type GaugeReader = Arc<dyn Fn() -> usize + Send + Sync>;

impl Metrics {
    /// Creates metrics without any content.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the numbers of the whole process: its events, probes, panics and skipped firings. A
    /// second call changes nothing.
    ///
    /// ```
    /// let mut text = String::new();
    /// hotprobe_profile::Metrics::new().process().write(&mut text)?;
    /// assert!(text.contains("# TYPE hotprobe_events_registered gauge\n"));
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    pub fn process(mut self) -> Self {
        self.process = true;
        self
    }

    /// Adds the latencies of a [`LatencySession`](crate::LatencySession) or a
    /// [`LatencyMeter`](crate::LatencyMeter): `snapshot` is called at each scrape.
    pub fn latency(
        mut self,
        snapshot: impl Fn() -> LatencySnapshot + Send + Sync + 'static,
    ) -> Self {
        self.latencies.push(Arc::new(snapshot));
        self
    }

    /// Adds the counts of a [`CountsSession`](crate::CountsSession): `snapshot` is called at each
    /// scrape.
    pub fn counts(mut self, snapshot: impl Fn() -> CountsSnapshot + Send + Sync + 'static) -> Self {
        self.counts.push(Arc::new(snapshot));
        self
    }

    /// Adds a gauge of `hotprobe-admin`, whose names differ from all above.
    #[doc(hidden)]
    pub fn gauge(
        mut self,
        name: &'static str,
        help: &'static str,
        value: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Self {
        self.gauges.push((name, help, Arc::new(value)));
        self
    }

    /// Takes a snapshot of everything and writes it in Prometheus' text format
    /// (`text/plain; version=0.0.4`).
    ///
    /// # Errors
    /// [`fmt::Error`] if `to` returns it.
    pub fn write(&self, to: &mut impl fmt::Write) -> fmt::Result {
        to.write_str(&self.collect().text()?)
    }

    /// Calls all closures.
    pub(crate) fn collect(&self) -> Exposition {
        Exposition {
            process: self.process.then(Process::now),
            latencies: self.latencies.iter().map(|snapshot| snapshot()).collect(),
            counts: self.counts.iter().map(|snapshot| snapshot()).collect(),
            gauges: self
                .gauges
                .iter()
                .map(|(name, help, value)| Gauge {
                    name,
                    help,
                    value: value(),
                })
                .collect(),
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("process", &self.process)
            .field("latencies", &self.latencies.len())
            .field("counts", &self.counts.len())
            .finish_non_exhaustive()
    }
}

/// In the user's own registry. (Feature `prometheus-collector`.)
#[cfg(feature = "prometheus-collector")]
impl prometheus_client::collector::Collector for Metrics {
    fn encode(&self, encoder: prometheus_client::encoding::DescriptorEncoder<'_>) -> fmt::Result {
        self.collect().encode(encoder)
    }
}

static_assertions::assert_impl_all!(Metrics: Send, Sync);
