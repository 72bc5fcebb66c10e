//! Latencies and counts whose labels are known, in all formats; and what is in them, as
//! `expected.json`.

use hotprobe::{AnyEvent, fire};
use hotprobe_profile::{Counts, CountsSnapshot, Latency, LatencySnapshot, Metrics};
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use serde_json::json;
use std::error::Error;
use std::fs::{self, File};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

hotprobe::event! {
    static RECEIVED: fn(id: u64);
    static DONE: fn(id: u64, route: &str);
}

/// Labels, how many pairs each gets, and how long those take at least.
const ROUTES: [(&str, u64, Duration); 5] = [
    ("GET /orders", 4000, Duration::from_nanos(200)),
    ("POST /orders, bulk", 400, Duration::from_micros(20)),
    (
        "<script>document.title='run'</script>&\"'\\",
        300,
        Duration::from_micros(3),
    ),
    ("GET /health\nGET /ü 100%", 100, Duration::from_micros(1)),
    ("", 10, Duration::from_millis(1)),
];

pub(crate) fn write(out: &Path) -> Result<(), Box<dyn Error>> {
    let latency = Latency::between(&RECEIVED, &DONE, "id")
        .title("requests of \"shop\" <1>")
        .digits(3)
        .label("route")
        .start()?;
    let counts = Counts::new().by(&DONE, "route").event(&RECEIVED).start()?;
    let few = Counts::new().by(&DONE, "route").max_labels(2).start()?;
    thread::scope(|scope| {
        for thread in 0..2 {
            scope.spawn(move || {
                for (label, pairs, takes) in ROUTES {
                    for i in 0..pairs / 2 {
                        let id = thread << 32 | i;
                        fire!(RECEIVED, id);
                        let begun = Instant::now();
                        // Some take longer, up to ten times.
                        while begun.elapsed()
                            < takes * (1 + u32::from(i % 7 == 0) * (i % 10) as u32)
                        {
                            std::hint::spin_loop();
                        }
                        fire!(DONE, id, label);
                    }
                }
            });
        }
    });
    fire!(RECEIVED, u64::MAX);
    let latencies = latency.finish()?;
    for name in ["latency.hlog", "latency.svg", "latency.prom", "latency.txt"] {
        latencies.save(out.join(name))?;
    }
    let (counts, few) = (counts.finish()?, few.finish()?);
    counts.save(out.join("counts.prom"))?;
    few.save(out.join("few.prom"))?;
    together(out, &latencies, [counts, few])?;

    let labels = latencies.labels().iter().map(|label| {
        let nanoseconds = |percent| whole(label.percentile(percent));
        let percentiles =
            [50.0, 90.0, 99.0, 99.9, 100.0].map(|percent| (percent, nanoseconds(percent)));
        json!({
            "label": label.label(),
            "count": label.count(),
            "fired": ROUTES.iter().find(|route| route.0 == label.label()).map(|route| route.1),
            "at least": ROUTES.iter().find(|route| route.0 == label.label()).map(|route| whole(route.2)),
            "percentiles": percentiles,
            "min": whole(label.min()),
            "max": whole(label.max()),
            "sum": label.sum().as_secs_f64(),
        })
    });
    let expected = json!({
        "title": latencies.title(),
        "events": [RECEIVED.name(), DONE.name()],
        "labels": labels.collect::<Vec<_>>(),
        "counts": {
            "begins": latencies.counts().begins, "ends": latencies.counts().ends,
            "matched": latencies.counts().matched, "open": latencies.counts().open,
        },
    });
    serde_json::to_writer(File::create(out.join("expected.json"))?, &expected)?;
    print!("{latencies}");
    let event: &dyn AnyEvent = &DONE;
    assert!(!event.is_enabled());
    Ok(())
}

/// Writes all of them in one exposition, the latencies twice: for Prometheus, and as a registry of
/// the program's own writes them.
fn together(
    out: &Path,
    latencies: &LatencySnapshot,
    counts: [CountsSnapshot; 2],
) -> Result<(), Box<dyn Error>> {
    let mut metrics = Metrics::new().process();
    for _ in 0..2 {
        let latencies = latencies.clone();
        metrics = metrics.latency(move || latencies.clone());
    }
    for counts in counts {
        metrics = metrics.counts(move || counts.clone());
    }
    let mut prometheus = String::new();
    metrics.write(&mut prometheus)?;
    fs::write(out.join("all.prom"), prometheus)?;
    let mut registry = Registry::default();
    registry.register_collector(Box::new(metrics));
    let mut open_metrics = String::new();
    text::encode(&mut open_metrics, &registry)?;
    fs::write(out.join("all.openmetrics"), open_metrics)?;
    Ok(())
}

/// Nanoseconds, as a number that JSON can hold.
fn whole(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("no pair takes 500 years")
}
