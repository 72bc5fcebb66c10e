//! `serde::Serialize` for the results. (Feature `serde`.)
//!
//! A duration is an integer whose name ends with its unit: `_ns` nanoseconds, `_unix_ms`
//! milliseconds since 1970. Rates are `per_second`.

use crate::{
    Breakdown, CountsSnapshot, EventCount, LabelCount, LabelLatency, LatencySnapshot, PairCounts,
    StackCounts, StackFrame, StackProfile, StackSample,
};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::time::{Duration, SystemTime};

/// In nanoseconds; at most 584 years.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[derive(Serialize)]
struct LatencySnapshotFields<'a> {
    title: &'a str,
    filter: Option<&'a str>,
    started_unix_ms: u64,
    duration_ns: u64,
    counts: PairCounts,
    labels: &'a [LabelLatency],
}

impl Serialize for LatencySnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let since = self.started().duration_since(SystemTime::UNIX_EPOCH);
        let milliseconds = since.unwrap_or_default().as_millis();
        let fields = LatencySnapshotFields {
            title: self.title(),
            filter: self.filter(),
            started_unix_ms: u64::try_from(milliseconds).unwrap_or(u64::MAX),
            duration_ns: nanoseconds(self.duration()),
            counts: self.counts(),
            labels: self.labels(),
        };
        fields.serialize(serializer)
    }
}

#[derive(Serialize)]
struct PairCountsFields {
    begins: u64,
    ends: u64,
    matched: u64,
    unmatched_begins: u64,
    unmatched_ends: u64,
    evicted: u64,
    open: u64,
    carried: u64,
    skipped: u64,
    begins_without_key: u64,
    ends_without_key: u64,
    rejected: u64,
}

impl Serialize for PairCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // All fields by name: a new one cannot be forgotten here.
        let Self {
            begins,
            ends,
            matched,
            unmatched_begins,
            unmatched_ends,
            evicted,
            open,
            carried,
            skipped,
            begins_without_key,
            ends_without_key,
            rejected,
        } = *self;
        let fields = PairCountsFields {
            begins,
            ends,
            matched,
            unmatched_begins,
            unmatched_ends,
            evicted,
            open,
            carried,
            skipped,
            begins_without_key,
            ends_without_key,
            rejected,
        };
        fields.serialize(serializer)
    }
}

#[derive(Serialize)]
#[allow(
    clippy::struct_field_names,
    reason = "a duration has its unit in its name"
)]
struct LabelLatencyFields<'a> {
    #[serde(rename = "label")]
    text: &'a str,
    count: u64,
    min_ns: u64,
    p50_ns: u64,
    p90_ns: u64,
    p99_ns: u64,
    p999_ns: u64,
    max_ns: u64,
    mean_ns: u64,
    sum_ns: u64,
    too_short: u64,
    too_long: u64,
}

impl Serialize for LabelLatency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let percentile = |percent| nanoseconds(self.percentile(percent));
        let fields = LabelLatencyFields {
            text: self.label(),
            count: self.count(),
            min_ns: nanoseconds(self.min()),
            p50_ns: percentile(50.0),
            p90_ns: percentile(90.0),
            p99_ns: percentile(99.0),
            p999_ns: percentile(99.9),
            max_ns: nanoseconds(self.max()),
            mean_ns: nanoseconds(self.mean()),
            sum_ns: nanoseconds(self.sum()),
            too_short: self.too_short(),
            too_long: self.too_long(),
        };
        fields.serialize(serializer)
    }
}

#[derive(Serialize)]
struct CountsSnapshotFields<'a> {
    duration_ns: u64,
    filter: Option<&'a str>,
    events: &'a [EventCount],
    breakdowns: &'a [Breakdown],
}

impl Serialize for CountsSnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = CountsSnapshotFields {
            duration_ns: nanoseconds(self.duration()),
            filter: self.filter(),
            events: self.events(),
            breakdowns: self.breakdowns(),
        };
        fields.serialize(serializer)
    }
}

#[derive(Serialize)]
struct EventCountFields<'a> {
    name: &'a str,
    count: u64,
    rejected: u64,
    per_second: f64,
}

impl Serialize for EventCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = EventCountFields {
            name: self.name(),
            count: self.count(),
            rejected: self.rejected(),
            per_second: self.rate(),
        };
        fields.serialize(serializer)
    }
}

#[derive(Serialize)]
struct BreakdownFields<'a> {
    event: &'a str,
    parameter: &'a str,
    total: u64,
    labels: &'a [LabelCount],
    max_unlisted: u64,
}

impl Serialize for Breakdown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = BreakdownFields {
            event: self.event(),
            parameter: self.parameter(),
            total: self.total(),
            labels: self.labels(),
            max_unlisted: self.max_unlisted(),
        };
        fields.serialize(serializer)
    }
}

#[derive(Serialize)]
struct LabelCountFields<'a> {
    label: &'a str,
    count: u64,
    error: u64,
    per_second: f64,
}

impl Serialize for LabelCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = LabelCountFields {
            label: self.label(),
            count: self.count(),
            error: self.error(),
            per_second: self.rate(),
        };
        fields.serialize(serializer)
    }
}

/// A sum of weights. Not every format has integers of 128 bits, so only a sum that needs them is
/// one.
#[derive(Serialize)]
#[serde(untagged)]
enum Weight {
    Short(u64),
    Long(u128),
}

impl From<u128> for Weight {
    fn from(weight: u128) -> Self {
        u64::try_from(weight).map_or(Self::Long(weight), Self::Short)
    }
}

#[derive(Serialize)]
struct WeightUnit<'a> {
    parameter: &'a str,
    unit: &'a str,
}

#[derive(Serialize)]
struct StackProfileFields<'a> {
    events: Vec<&'static str>,
    weight: Option<WeightUnit<'a>>,
    filter: Option<&'a str>,
    counts: StackCounts,
    samples: Vec<StackSample<'a>>,
}

/// Looks up the names of the frames, the first time.
impl Serialize for StackProfile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let weight = self.raw().weight.as_ref();
        let fields = StackProfileFields {
            events: self.event_names(),
            weight: weight.map(|(parameter, unit)| WeightUnit { parameter, unit }),
            filter: self.filter(),
            counts: self.counts(),
            samples: self.samples(),
        };
        fields.serialize(serializer)
    }
}

#[derive(Serialize)]
struct StackCountsFields {
    fired: u64,
    sampled: u64,
    skipped: u64,
    other: u64,
    nested: u64,
    unweighed: u64,
    rejected: u64,
    stacks: usize,
    weight: Weight,
    weight_skipped: Weight,
}

impl Serialize for StackCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // All fields by name, as above.
        let Self {
            fired,
            sampled,
            skipped,
            other,
            nested,
            unweighed,
            rejected,
            stacks,
            weight,
            weight_skipped,
        } = *self;
        let fields = StackCountsFields {
            fired,
            sampled,
            skipped,
            other,
            nested,
            unweighed,
            rejected,
            stacks,
            weight: weight.into(),
            weight_skipped: weight_skipped.into(),
        };
        fields.serialize(serializer)
    }
}

#[derive(Serialize)]
struct StackSampleFields<'a> {
    event: &'a str,
    labels: SampleLabels<'a>,
    count: u64,
    weight: Weight,
    frames: &'a [StackFrame<'a>],
}

/// The values by the parameters' names, in the order in which the labels were chosen.
struct SampleLabels<'a>(&'a StackSample<'a>);

impl Serialize for SampleLabels<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0.labels() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for StackSample<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = StackSampleFields {
            event: self.event(),
            labels: SampleLabels(self),
            count: self.count(),
            weight: self.weight().into(),
            frames: self.frames(),
        };
        fields.serialize(serializer)
    }
}

#[derive(Serialize)]
struct StackFrameFields<'a> {
    name: &'a str,
    file: Option<&'a str>,
    line: Option<u32>,
}

impl Serialize for StackFrame<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = StackFrameFields {
            name: self.name(),
            file: self.file(),
            line: self.line(),
        };
        fields.serialize(serializer)
    }
}
