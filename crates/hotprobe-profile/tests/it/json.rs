//! The results as JSON, with the feature `serde`.

use hotprobe::fire;
use hotprobe_profile::{Counts, LatencyMeter, Stacks};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

/// The names of an object's fields, sorted.
fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<_> = value.as_object().unwrap().keys().map(|k| &**k).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_latency_snapshot_has_integers_of_nanoseconds() {
    let latency = LatencyMeter::builder()
        .title("disk")
        .build::<u64>()
        .unwrap();
    latency.begin(1);
    latency.begin(2);
    latency.end(&1, "read \"it\"");
    let snapshot = latency.snapshot();
    let json = serde_json::to_value(&snapshot).unwrap();
    let expected = [
        "counts",
        "duration_ns",
        "filter",
        "labels",
        "started_unix_ms",
        "title",
    ];
    assert_eq!(names(&json), expected);
    assert_eq!(json["title"], "disk");
    let duration = Duration::from_nanos(json["duration_ns"].as_u64().unwrap());
    assert_eq!(duration, snapshot.duration());
    let started = snapshot.started().duration_since(SystemTime::UNIX_EPOCH);
    let milliseconds = u64::try_from(started.unwrap().as_millis()).unwrap();
    assert_eq!(json["started_unix_ms"], milliseconds);
    assert_eq!(
        json["counts"],
        json!({
            "begins": 2, "ends": 1, "matched": 1, "unmatched_begins": 0, "unmatched_ends": 0, "evicted": 0, "open": 1,
            "carried": 0, "skipped": 0, "begins_without_key": 0, "ends_without_key": 0,
            "rejected": 0
        })
    );
    let label = &snapshot.labels()[0];
    let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap();
    let percentile = |percent| nanoseconds(label.percentile(percent));
    assert_eq!(
        json["labels"],
        json!([{
            "label": "read \"it\"", "count": 1, "min_ns": nanoseconds(label.min()), "p50_ns": percentile(50.0),
            "p90_ns": percentile(90.0), "p99_ns": percentile(99.0), "p999_ns": percentile(99.9),
            "max_ns": nanoseconds(label.max()), "mean_ns": nanoseconds(label.mean()), "sum_ns": nanoseconds(label.sum()),
            "too_short": label.too_short(), "too_long": 0
        }])
    );
}

#[test]
fn a_counts_snapshot_has_events_and_labels_with_their_rates() {
    hotprobe::event! { static STORED: fn(bucket: &str); }
    let session = Counts::new().by(&STORED, "bucket").start().unwrap();
    for bucket in ["a", "b", "a"] {
        fire!(STORED, bucket);
    }
    let snapshot = session.snapshot();
    let json = serde_json::to_value(&snapshot).unwrap();
    let rate = snapshot.events()[0].rate();
    let labels = snapshot.breakdowns()[0].labels();
    assert_eq!(
        json,
        json!({
            "duration_ns": u64::try_from(snapshot.duration().as_nanos()).unwrap(),
            "filter": null,
            "events": [{"name": STORED.name(), "count": 3, "rejected": 0, "per_second": rate}],
            "breakdowns": [{
                "event": STORED.name(), "parameter": "bucket", "total": 3, "max_unlisted": 0, "labels": [
                    {"label": "a", "count": 2, "error": 0, "per_second": labels[0].rate()},
                    {"label": "b", "count": 1, "error": 0, "per_second": labels[1].rate()}
                ]
            }]
        })
    );
}

#[test]
fn a_stack_profile_has_samples_with_their_frames() {
    hotprobe::event! { static READ: fn(tenant: &str, bytes: u64); }
    let stacks = Stacks::at(&READ)
        .weight("bytes")
        .label("tenant")
        .start()
        .unwrap();
    // The sum of both is beyond 64 bits.
    for _ in 0..2 {
        fire!(READ, "ours", u64::MAX);
    }
    let profile = stacks.finish().unwrap();
    let text = serde_json::to_string(&profile).unwrap();
    let weight = u128::from(u64::MAX) * 2;
    assert!(text.contains(&format!("\"weight\":{weight}")), "{text}");
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["events"], json!([READ.name()]));
    assert_eq!(
        json["weight"],
        json!({"parameter": "bytes", "unit": "bytes"})
    );
    let counts = [
        "fired",
        "nested",
        "other",
        "rejected",
        "sampled",
        "skipped",
        "stacks",
        "unweighed",
        "weight",
        "weight_skipped",
    ];
    assert_eq!(names(&json["counts"]), counts);
    assert_eq!(json["counts"]["fired"], 2);
    assert_eq!(json["counts"]["weight_skipped"], 0);
    let sample = &json["samples"][0];
    assert_eq!(
        names(sample),
        ["count", "event", "frames", "labels", "weight"]
    );
    assert_eq!(sample["event"], READ.name());
    assert_eq!(sample["labels"], json!({"tenant": "ours"}));
    let frames = sample["frames"].as_array().unwrap();
    assert_eq!(frames.len(), profile.samples()[0].frames().len());
    for (json, frame) in frames.iter().zip(profile.samples()[0].frames()) {
        let expected = json!({"name": frame.name(), "file": frame.file(), "line": frame.line()});
        assert_eq!(*json, expected);
    }
}
