//! The metrics of one scrape, each family once.

use super::buckets::buckets;
use crate::{Breakdown, CountsSnapshot, LabelCount, LatencySnapshot, PairCounts};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, EncodeMetric, NoLabelSet, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use std::collections::{BTreeMap, HashSet};
use std::fmt;

/// Everything that is written together.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    pub(crate) process: Option<Process>,
    pub(crate) latencies: Vec<LatencySnapshot>,
    pub(crate) counts: Vec<CountsSnapshot>,
    pub(crate) gauges: Vec<Gauge>,
}

/// A gauge without labels.
#[derive(Debug)]
pub(crate) struct Gauge {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) value: usize,
}

/// The numbers of the whole process.
#[derive(Debug)]
pub(crate) struct Process {
    registered: usize,
    enabled: usize,
    probes: usize,
    stats: hotprobe::Stats,
}

impl Process {
    pub(crate) fn now() -> Self {
        let events = hotprobe::events();
        Self {
            registered: events.len(),
            enabled: events.iter().filter(|event| event.is_enabled()).count(),
            probes: events.iter().map(|event| event.probe_count()).sum(),
            stats: hotprobe::stats(),
        }
    }
}

impl Exposition {
    /// Returns Prometheus' text.
    pub(crate) fn text(self) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Collected(self)));
        let mut text = String::new();
        text::encode_registry(&mut text, &registry)?;
        Ok(totals_by_name(&text))
    }

    pub(crate) fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        if let Some(process) = &self.process {
            encode_process(&mut encoder, process)?;
        }
        encode_firings(&mut encoder, &self.counts)?;
        encode_latencies(&mut encoder, &self.latencies)?;
        for gauge in &self.gauges {
            let value = [([], number(gauge.value))];
            gauges(&mut encoder, (gauge.name, gauge.help), value)?;
        }
        Ok(())
    }
}

/// The exposition as the library takes it.
#[derive(Debug)]
struct Collected(Exposition);

impl Collector for Collected {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.0.encode(encoder)
    }
}

/// The library writes `OpenMetrics`, where a counter's help and type stand under its name without
/// `_total`. In Prometheus' text they stand under the name of its samples, and without them a
/// counter has no type.
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
            // Prometheus' text has no units.
            (Some("#"), Some("UNIT"), ..) => continue,
            _ => named.push_str(line),
        }
        named.push('\n');
    }
    named
}

type Labels<'a> = [(&'a str, &'a str)];

/// Writes a family of metrics of one type, if it has any.
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
        let labels = labels.as_ref();
        if labels.is_empty() {
            // It is the only one.
            return metric.encode(family);
        }
        metric.encode(family.encode_family(&labels)?)?;
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

/// A gauge's value: the library has no unsigned ones.
fn number(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

fn encode_process(encoder: &mut DescriptorEncoder<'_>, process: &Process) -> fmt::Result {
    let &Process {
        registered,
        enabled,
        probes,
        ref stats,
    } = process;
    for (name, help, value) in [
        (
            "hotprobe_events_registered",
            "Events of the program.",
            registered,
        ),
        ("hotprobe_events_enabled", "Events with a probe.", enabled),
        ("hotprobe_probes_attached", "Attached probes.", probes),
    ] {
        gauges(encoder, (name, help), [([], number(value))])?;
    }
    counters(
        encoder,
        (
            "hotprobe_firings_skipped",
            "Firings whose probes were not called: nested too deep, or while their thread was registered.",
        ),
        [
            ([("reason", "nested")], stats.skipped_nested),
            ([("reason", "registering")], stats.skipped_registering),
        ],
    )?;
    for (name, help, value) in [
        (
            "hotprobe_probe_panics",
            "Calls of probes that panicked.",
            stats.probe_panics,
        ),
        (
            "hotprobe_retired",
            "Snapshots and probes that were taken out.",
            stats.retired,
        ),
        (
            "hotprobe_reclaimed",
            "Snapshots and probes of them that were dropped.",
            stats.reclaimed,
        ),
        (
            "hotprobe_drop_panics",
            "Captured values whose drop panicked.",
            stats.drop_panics,
        ),
    ] {
        counters(encoder, (name, help), [([], value)])?;
    }
    Ok(())
}

/// Returns the firings of each event. Sessions count the same firings: the highest count is the one
/// of the session that has run for longest.
fn firings(counts: &[CountsSnapshot]) -> BTreeMap<&str, u64> {
    let mut highest = BTreeMap::new();
    for snapshot in counts {
        let mut own = BTreeMap::new();
        for event in snapshot.events() {
            *own.entry(event.name()).or_insert(0_u64) += event.count();
        }
        for (name, count) in own {
            let known = highest.entry(name).or_insert(count);
            *known = count.max(*known);
        }
    }
    highest
}

/// Returns one breakdown of each event by each parameter: the one with the highest total.
fn breakdowns(counts: &[CountsSnapshot]) -> BTreeMap<(&str, &str), &Breakdown> {
    let mut highest = BTreeMap::new();
    for breakdown in counts.iter().flat_map(CountsSnapshot::breakdowns) {
        let key = (breakdown.event(), breakdown.parameter());
        let known = highest.entry(key).or_insert(breakdown);
        if breakdown.total() > known.total() {
            *known = breakdown;
        }
    }
    highest
}

fn encode_firings(encoder: &mut DescriptorEncoder<'_>, counts: &[CountsSnapshot]) -> fmt::Result {
    let firings = firings(counts).into_iter();
    counters(
        encoder,
        ("hotprobe_firings", "Firings of an event."),
        firings.map(|(event, count)| ([("event", event)], count)),
    )?;
    let breakdowns = breakdowns(counts);
    let labels = |value: fn(&LabelCount) -> u64| {
        breakdowns
            .iter()
            .flat_map(move |(&(event, parameter), breakdown)| {
                breakdown.labels().iter().map(move |label| {
                    let names = [
                        ("event", event),
                        ("parameter", parameter),
                        ("label", label.label()),
                    ];
                    (names, value(label))
                })
            })
    };
    counters(
        encoder,
        (
            "hotprobe_firings_by_label",
            "Firings by the value of a parameter, the most frequent values.",
        ),
        labels(LabelCount::count),
    )?;
    gauges(
        encoder,
        (
            "hotprobe_firings_by_label_error",
            "By how much the count of a label may be too high.",
        ),
        labels(LabelCount::error).map(|(labels, error)| (labels, number(error))),
    )
}

/// Returns the title of each, with a number where it is another one's.
fn titles(latencies: &[LatencySnapshot]) -> Vec<String> {
    let mut taken = HashSet::new();
    let title = |snapshot: &LatencySnapshot| {
        let mut title = snapshot.title().to_owned();
        let mut number = 2;
        while !taken.insert(title.clone()) {
            title = format!("{} ({number})", snapshot.title());
            number += 1;
        }
        title
    };
    latencies.iter().map(title).collect()
}

/// Writes a counter for each result of the begins, or of the ends, of each measurement.
fn by_result<'a, const N: usize>(
    encoder: &mut DescriptorEncoder<'_>,
    named: (&str, &str),
    all: impl Iterator<Item = (&'a str, &'a LatencySnapshot)>,
    results: impl Fn(PairCounts) -> [(&'static str, u64); N],
) -> fmt::Result {
    let counts = all.flat_map(|(title, snapshot)| {
        results(snapshot.counts())
            .map(|(result, count)| ([("title", title), ("result", result)], count))
    });
    counters(encoder, named, counts)
}

fn encode_latencies(
    encoder: &mut DescriptorEncoder<'_>,
    latencies: &[LatencySnapshot],
) -> fmt::Result {
    if latencies.is_empty() {
        return Ok(());
    }
    let titles = titles(latencies);
    let all = || titles.iter().map(String::as_str).zip(latencies);
    let mut family = encoder.encode_descriptor(
        "hotprobe_latency",
        "Time from begin to end.",
        Some(&Unit::Seconds),
        MetricType::Histogram,
    )?;
    for (title, snapshot) in all() {
        for label in snapshot.labels() {
            let labels = [("title", title), ("label", label.label())];
            family
                .encode_family(&labels)?
                .encode_histogram::<NoLabelSet>(
                    label.sum().as_secs_f64(),
                    label.count(),
                    &buckets(label),
                    None,
                )?;
        }
    }
    by_result(
        encoder,
        (
            "hotprobe_latency_begins",
            "Begins that are no longer open, by their result.",
        ),
        all(),
        |counts| {
            [
                ("matched", counts.matched),
                ("unmatched", counts.unmatched_begins),
                ("evicted", counts.evicted),
                ("without_key", counts.begins_without_key),
            ]
        },
    )?;
    by_result(
        encoder,
        ("hotprobe_latency_ends", "Ends, by their result."),
        all(),
        |counts| {
            [
                ("matched", counts.matched),
                ("unmatched", counts.unmatched_ends),
                ("without_key", counts.ends_without_key),
            ]
        },
    )?;
    counters(
        encoder,
        (
            "hotprobe_latency_skipped",
            "Begins and ends inside the comparison of two keys.",
        ),
        all().map(|(title, snapshot)| ([("title", title)], snapshot.counts().skipped)),
    )?;
    let outside = all().flat_map(|(title, snapshot)| {
        snapshot.labels().iter().flat_map(move |label| {
            [("short", label.too_short()), ("long", label.too_long())].map(|(side, count)| {
                let labels = [("title", title), ("label", label.label()), ("side", side)];
                (labels, count)
            })
        })
    });
    counters(
        encoder,
        (
            "hotprobe_latency_out_of_range",
            "Pairs shorter or longer than the range of the measurement.",
        ),
        outside,
    )?;
    gauges(
        encoder,
        (
            "hotprobe_latency_open_pairs",
            "Begins without an end so far.",
        ),
        all().map(|(title, snapshot)| ([("title", title)], number(snapshot.counts().open))),
    )
}
