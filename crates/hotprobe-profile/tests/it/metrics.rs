//! Metrics of a process and several measurements together, as Prometheus reads them.

use crate::exposition::Scrape;
use hotprobe::fire;
use hotprobe_profile::{Counter, Counts, Latency, LatencyMeter, Metrics};
use std::sync::Arc;

fn scrape(metrics: &Metrics) -> Scrape {
    let mut text = String::new();
    metrics.write(&mut text).unwrap();
    Scrape::of(&text)
}

/// Two latencies of one title and one of another, three counts of which two share an event, and the
/// process.
fn all() -> Metrics {
    hotprobe::event! {
        static BEGUN: fn(id: u64);
        static ENDED: fn(id: u64, route: &str);
        static OTHER: fn();
    }
    let between = Latency::between(&BEGUN, &ENDED, "id")
        .label("route")
        .start()
        .unwrap();
    let long = Counts::new().by(&ENDED, "route").start().unwrap();
    fire!(BEGUN, 1);
    fire!(ENDED, 1, "/a");
    let own = Counter::new("own");
    let short = Counts::new()
        .event(&OTHER)
        .by(&ENDED, "route")
        .counter(&own)
        .start()
        .unwrap();
    fire!(BEGUN, 2);
    fire!(BEGUN, 3);
    fire!(ENDED, 2, "/b \"quoted\"\n");
    fire!(ENDED, 7, "/nowhere");
    fire!(OTHER);
    own.inc_by(5);
    let meter = Arc::new(LatencyMeter::new());
    meter.begin(1);
    meter.end(&1, "/a");
    meter.begin(2);
    let queue = LatencyMeter::builder().title("queue").build().unwrap();
    queue.begin(1);
    queue.end(&1, "/a");
    Metrics::new()
        .process()
        .latency(move || between.snapshot())
        .counts(move || long.snapshot())
        .process()
        .latency(move || meter.snapshot())
        .latency(move || queue.snapshot())
        .counts(move || short.snapshot())
}

fn check(scrape: &Scrape) {
    let module = module_path!();
    let (ended, other) = (&*format!("{module}::ENDED"), &*format!("{module}::OTHER"));

    // The two of one title have series of their own.
    let titles: Vec<_> = scrape.values_of("title").into_iter().collect();
    assert_eq!(titles, ["latency", "latency (2)", "queue"]);
    let count = |title, label| {
        scrape.value(
            "hotprobe_latency_seconds_count",
            &[("title", title), ("label", label)],
        )
    };
    let counts = [
        count("latency", "/a"),
        count("latency", "/b \"quoted\"\n"),
        count("latency (2)", "/a"),
        count("queue", "/a"),
    ];
    assert_eq!(counts.map(|count| count.to_string()), ["1"; 4]);
    let result = |what: &str, title, result| {
        scrape.value(
            &format!("hotprobe_latency_{what}_total"),
            &[("title", title), ("result", result)],
        )
    };
    let results = [
        result("begins", "latency", "matched"),
        result("ends", "latency", "matched"),
        result("ends", "latency", "unmatched"),
        result("begins", "latency (2)", "matched"),
        result("begins", "queue", "evicted"),
    ];
    assert_eq!(
        results.map(|count| count.to_string()),
        ["2", "2", "1", "1", "0"]
    );
    let open = |title| {
        scrape
            .value("hotprobe_latency_open_pairs", &[("title", title)])
            .to_string()
    };
    assert_eq!(
        ["latency", "latency (2)", "queue"].map(open),
        ["1", "1", "0"]
    );
    let infinite = [("title", "queue"), ("le", "+Inf")];
    let infinite = scrape.value("hotprobe_latency_seconds_bucket", &infinite);
    assert_eq!(infinite.to_string(), "1");

    // Both sessions count the same firings: the one that saw all of them is written.
    let firings = |event| {
        scrape
            .value("hotprobe_firings_total", &[("event", event)])
            .to_string()
    };
    assert_eq!([ended, other, "own"].map(firings), ["3", "1", "5"]);
    let label = |name: &str, label| {
        let labels = [("event", ended), ("parameter", "route"), ("label", label)];
        scrape
            .value(&format!("hotprobe_firings_by_label_{name}"), &labels)
            .to_string()
    };
    assert_eq!(
        ["/a", "/b \"quoted\"\n", "/nowhere"].map(|l| label("total", l)),
        ["1"; 3]
    );
    assert_eq!(
        ["/a", "/b \"quoted\"\n", "/nowhere"].map(|l| label("error", l)),
        ["0"; 3]
    );

    let registered = scrape.value("hotprobe_events_registered", &[]).to_string();
    assert_eq!(registered, hotprobe::events().len().to_string());
    assert!(scrape.value("hotprobe_events_enabled", &[]) >= 3.0);
    assert!(scrape.value("hotprobe_probes_attached", &[]) >= 6.0);
    for reason in ["nested", "registering"] {
        assert!(scrape.value("hotprobe_firings_skipped_total", &[("reason", reason)]) >= 0.0);
    }
    let types = |kind: &str| -> Vec<&str> {
        let types = scrape.types.iter().filter(|(_, this)| *this == kind);
        types.map(|(name, _)| &**name).collect()
    };
    assert_eq!(types("histogram"), ["hotprobe_latency_seconds"]);
    assert_eq!(
        types("gauge"),
        [
            "hotprobe_events_enabled",
            "hotprobe_events_registered",
            "hotprobe_firings_by_label_error",
            "hotprobe_latency_open_pairs",
            "hotprobe_probes_attached",
        ]
    );
    assert_eq!(
        types("counter"),
        [
            "hotprobe_drop_panics_total",
            "hotprobe_firings_by_label_total",
            "hotprobe_firings_skipped_total",
            "hotprobe_firings_total",
            "hotprobe_latency_begins_total",
            "hotprobe_latency_ends_total",
            "hotprobe_latency_out_of_range_total",
            "hotprobe_latency_skipped_total",
            "hotprobe_probe_panics_total",
            "hotprobe_reclaimed_total",
            "hotprobe_retired_total",
        ]
    );
}

#[test]
fn several_measurements_are_one_exposition() {
    let metrics = all();
    check(&scrape(&metrics));
    // Each scrape takes new snapshots.
    check(&scrape(&metrics.clone()));
    #[cfg(feature = "prometheus-collector")]
    check(&scrape_registry_with(metrics));
}

/// What a registry of the program's own has of them, beside the program's own metrics.
#[cfg(feature = "prometheus-collector")]
fn scrape_registry_with(metrics: Metrics) -> Scrape {
    use prometheus_client::{encoding::text, metrics::counter, registry::Registry};
    let mut registry = Registry::default();
    let requests = counter::Counter::<u64>::default();
    registry.register("requests", "Requests of the program", requests.clone());
    requests.inc();
    registry.register_collector(Box::new(metrics));
    let mut written = String::new();
    text::encode(&mut written, &registry).unwrap();
    let mut scrape = Scrape::of_open_metrics(&written);
    assert_eq!(scrape.value("requests_total", &[]).to_string(), "1");
    scrape.types.remove("requests_total");
    scrape
}

#[test]
fn a_snapshot_by_itself_is_written_as_among_others() {
    let meter = Arc::new(LatencyMeter::new());
    meter.begin(1);
    meter.end(&1, "a");
    hotprobe::event! { static TICK: fn(); }
    let counts = Counts::new().event(&TICK).start().unwrap();
    fire!(TICK);
    let mut saved = Vec::new();
    meter.snapshot().write_prometheus(&mut saved).unwrap();
    counts.snapshot().write_prometheus(&mut saved).unwrap();
    let saved = Scrape::of(&String::from_utf8(saved).unwrap());
    let together = Metrics::new()
        .counts(move || counts.snapshot())
        .latency(move || meter.snapshot());
    assert_eq!(saved, scrape(&together));
}

#[test]
fn nothing_is_an_exposition_too() {
    assert_eq!(scrape(&Metrics::new()), Scrape::default());
    hotprobe::event! { static NEVER: fn(label: &str); }
    let counts = Counts::new().by(&NEVER, "label").start().unwrap();
    let meter = LatencyMeter::<u64>::new();
    let metrics = Metrics::new()
        .counts(move || counts.snapshot())
        .latency(move || meter.snapshot());
    let scrape = scrape(&metrics);
    assert_eq!(scrape.value("hotprobe_firings_total", &[]).to_string(), "0");
    assert_eq!(
        scrape.value("hotprobe_latency_open_pairs", &[]).to_string(),
        "0"
    );
}
