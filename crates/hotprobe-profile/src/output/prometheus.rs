//! Prometheus' text.

use crate::{CountsSnapshot, LabelLatency, LatencySnapshot};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, EncodeMetric, NoLabelSet, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use std::collections::HashSet;
use std::fmt;
use std::io::{self, Write};

impl LatencySnapshot {
    /// Writes Prometheus' text: a histogram in seconds with a label `label`, and the counts.
    ///
    /// The names begin with `hotprobe_latency`; the title is a label, too. The bounds of its buckets are 1, 2.5 and 5 times
    /// each power of ten from 1 µs to 100 s; what the measurement cannot tell from a bound counts as below it.
    ///
    /// # Errors
    /// What `writer` says.
    ///
    /// ```
    /// # let latency = hotprobe_profile::LatencyMeter::new();
    /// # latency.begin(7);
    /// # latency.end(&7, "GET /");
    /// let mut text = Vec::new();
    /// latency.snapshot().write_prometheus(&mut text)?;
    /// let text = String::from_utf8(text).unwrap();
    /// assert!(text.contains(r#"hotprobe_latency_seconds_count{title="latency",label="GET /"} 1"#), "{text}");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write_prometheus(&self, writer: impl Write) -> io::Result<()> {
        write(Box::new(OfLatencies(self.clone())), writer)
    }
}

impl CountsSnapshot {
    /// Writes Prometheus' text: counters `hotprobe_events_total` with a label `event`, `hotprobe_labels_total` with
    /// `event`, `parameter` and `label`, and by how much the latter may be too high.
    ///
    /// # Errors
    /// What `writer` says.
    ///
    /// ```
    /// # hotprobe::event! { static TICK: fn(); }
    /// let counting = hotprobe_profile::Counts::new().event(&TICK).start()?;
    /// TICK.fire();
    /// let mut text = Vec::new();
    /// counting.snapshot().write_prometheus(&mut text).expect("memory takes it");
    /// assert!(String::from_utf8(text).unwrap().contains(r#"TICK"} 1"#));
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn write_prometheus(&self, writer: impl Write) -> io::Result<()> {
        write(Box::new(OfCounts(self.clone())), writer)
    }
}

fn write(collector: Box<dyn Collector>, mut writer: impl Write) -> io::Result<()> {
    let mut registry = Registry::default();
    registry.register_collector(collector);
    let mut text = String::new();
    text::encode_registry(&mut text, &registry).map_err(io::Error::other)?;
    writer.write_all(totals_by_name(&text).as_bytes())
}

/// The library writes the format `OpenMetrics`, where a counter's help and type stand under its name without `_total`. In Prometheus' own
/// text they stand under the samples' name, and without them a counter has no type.
fn totals_by_name(text: &str) -> String {
    let counters: HashSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut named = String::with_capacity(text.len());
    for line in text.lines() {
        // (A label's line breaks are escaped, so that only a comment begins like one.)
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(what), Some(name), Some(rest)) if counters.contains(name) => {
                named.extend(["# ", what, " ", name, "_total ", rest]);
            }
            // Prometheus' own text has no units.
            (Some("#"), Some("UNIT"), ..) => continue,
            _ => named.push_str(line),
        }
        named.push('\n');
    }
    named
}

type Labels<'a> = [(&'a str, &'a str)];

/// A family of metrics of one type, if it has any.
fn family<'a, L: AsRef<Labels<'a>>, M: EncodeMetric>(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    all: impl IntoIterator<Item = (L, M)>,
) -> fmt::Result {
    let mut all = all.into_iter().peekable();
    let Some((_, first)) = all.peek() else {
        return Ok(());
    };
    let mut family = encoder.encode_descriptor(name, help, None, first.metric_type())?;
    for (labels, metric) in all {
        metric.encode(family.encode_family(&labels.as_ref())?)?;
    }
    Ok(())
}

fn counters<'a, L: AsRef<Labels<'a>>, V: EncodeCounterValue>(
    encoder: &mut DescriptorEncoder<'_>,
    named: (&str, &str),
    all: impl IntoIterator<Item = (L, V)>,
) -> fmt::Result {
    let all = all.into_iter();
    family(
        encoder,
        named,
        all.map(|(labels, value)| (labels, ConstCounter::new(value))),
    )
}

fn gauges<'a, L: AsRef<Labels<'a>>, V: EncodeGaugeValue>(
    encoder: &mut DescriptorEncoder<'_>,
    named: (&str, &str),
    all: impl IntoIterator<Item = (L, V)>,
) -> fmt::Result {
    let all = all.into_iter();
    family(
        encoder,
        named,
        all.map(|(labels, value)| (labels, ConstGauge::new(value))),
    )
}

#[derive(Debug)]
struct OfLatencies(LatencySnapshot);

/// In seconds.
const BOUNDS: [f64; 25] = [
    1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2,
    5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0,
];

/// How many are above the bound before and not above this one; the last: above all.
fn buckets(label: &LabelLatency) -> Vec<(f64, u64)> {
    let mut buckets = Vec::with_capacity(BOUNDS.len() + 1);
    let mut values = label.histogram().iter_recorded().peekable();
    for bound in BOUNDS.into_iter().chain([f64::INFINITY]) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "beyond u64 there is nothing more"
        )]
        let nanoseconds = (bound * 1e9).round() as u64;
        let mut count = 0;
        while let Some(value) = values.peek() {
            // What cannot be told from the bound counts as below.
            let lowest = label
                .histogram()
                .lowest_equivalent(value.value_iterated_to());
            if lowest > nanoseconds {
                break;
            }
            count += value.count_at_value();
            values.next();
        }
        buckets.push((bound, count));
    }
    buckets
}

impl Collector for OfLatencies {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let snapshot = &self.0;
        let title = ("title", snapshot.title());
        let mut family = encoder.encode_descriptor(
            "hotprobe_latency",
            "How long it took from begin to end",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for label in snapshot.labels() {
            let labels = [title, ("label", label.label())];
            family
                .encode_family(&labels)?
                .encode_histogram::<NoLabelSet>(
                    label.sum().as_secs_f64(),
                    label.count(),
                    &buckets(label),
                    None,
                )?;
        }
        let counts = snapshot.counts();
        let begins = [
            ("matched", counts.matched),
            ("unmatched", counts.unmatched_begins),
            ("evicted", counts.evicted),
            ("without_key", counts.begins_without_key),
        ];
        counters(
            &mut encoder,
            ("hotprobe_latency_begins", "What became of begins"),
            begins.map(|(what, count)| ([title, ("became", what)], count)),
        )?;
        let ends = [
            ("matched", counts.matched),
            ("unmatched", counts.unmatched_ends),
            ("without_key", counts.ends_without_key),
        ];
        counters(
            &mut encoder,
            ("hotprobe_latency_ends", "What became of ends"),
            ends.map(|(what, count)| ([title, ("became", what)], count)),
        )?;
        counters(
            &mut encoder,
            (
                "hotprobe_latency_skipped",
                "Begins and ends from within the comparison of two keys",
            ),
            [([title], counts.skipped)],
        )?;
        let outside = snapshot.labels().iter().flat_map(|label| {
            let labels = |side| [title, ("label", label.label()), ("side", side)];
            [
                (labels("short"), label.too_short()),
                (labels("long"), label.too_long()),
            ]
        });
        counters(
            &mut encoder,
            (
                "hotprobe_latency_out_of_range",
                "Pairs that took less or longer than the range has",
            ),
            outside,
        )?;
        gauges(
            &mut encoder,
            ("hotprobe_latency_open", "Begins that have not ended"),
            [([title], i64::try_from(counts.open).unwrap_or(i64::MAX))],
        )
    }
}

#[derive(Debug)]
struct OfCounts(CountsSnapshot);

impl Collector for OfCounts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let events = self.0.events().iter();
        counters(
            &mut encoder,
            ("hotprobe_events", "Firings"),
            events.map(|event| ([("event", event.name())], event.count())),
        )?;
        let labels = || {
            self.0.breakdowns().iter().flat_map(|of| {
                let labels = of.labels().iter();
                labels.map(|label| {
                    let names = [
                        ("event", of.event()),
                        ("parameter", of.parameter()),
                        ("label", label.label()),
                    ];
                    (names, label)
                })
            })
        };
        counters(
            &mut encoder,
            (
                "hotprobe_labels",
                "Firings by label, the most frequent ones",
            ),
            labels().map(|(names, label)| (names, label.count())),
        )?;
        let error = |label: &crate::LabelCount| i64::try_from(label.error()).unwrap_or(i64::MAX);
        gauges(
            &mut encoder,
            (
                "hotprobe_labels_too_many",
                "By how much a label's count may be too high, at most",
            ),
            labels().map(|(names, label)| (names, error(label))),
        )
    }
}
