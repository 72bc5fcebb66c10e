//! What profiles write: tables, and files for others.

use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use hotprobe::fire;
use hotprobe_profile::{Counts, LatencyMeter, LatencySnapshot, ProfileError, Stacks};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A label that nobody should print as it is.
const NASTY: &str = "<b>&\"'\x1b[31m, %\u{202e}";

/// Whatever the machine, all pairs take 2 ns.
fn measured(labels: &[(&str, u64)]) -> LatencySnapshot {
    let ns = Duration::from_nanos(1);
    let latency = LatencyMeter::builder()
        .title("orders <now>")
        .range(ns..=ns * 2)
        .build()
        .unwrap();
    for &(label, count) in labels {
        for key in 0..count {
            latency.begin(key);
        }
        std::thread::sleep(ns);
        for key in 0..count {
            latency.end(&key, label);
        }
    }
    latency.end(&0, "unmatched");
    latency.begin(0);
    latency.snapshot()
}

#[test]
fn a_table_is_aligned_and_harmless() {
    let table = measured(&[("/é", 9), (NASTY, 10)]).to_string();
    assert_eq!(
        table,
        "\
orders <now>                 count   p50   p90   p99   max
<b>&\"'\\u{1b}[31m, %\\u{202e}     10  2 ns  2 ns  2 ns  2 ns
/é                               9  2 ns  2 ns  2 ns  2 ns
20 begins: 19 matched, 0 unmatched, 0 evicted, 1 open
20 ends: 19 matched, 1 unmatched
19 longer than the range
"
    );
}

#[test]
fn a_log_is_read_back_with_the_same_counts() {
    let latency = LatencyMeter::new();
    for key in 0..1000 {
        latency.begin(key);
        latency.end(&key, ["GET /a, b", NASTY, ""][key % 3]);
    }
    let snapshot = latency.snapshot();
    let mut log = Vec::new();
    snapshot.write_hlog(&mut log).unwrap();
    let text = String::from_utf8(log.clone()).unwrap();
    assert!(
        text.starts_with("#[Histogram log format version 1.3]\n"),
        "{text}"
    );
    let mut tags = Vec::new();
    for entry in IntervalLogIterator::new(&log) {
        let LogEntry::Interval(interval) = entry.unwrap() else {
            continue;
        };
        let bytes = base64(interval.encoded_histogram());
        let histogram: hdrhistogram::Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .unwrap();
        let label = &snapshot.labels()[tags.len()];
        assert_eq!(histogram.len(), label.count());
        assert_eq!(
            histogram.max(),
            u64::try_from(label.max().as_nanos()).unwrap()
        );
        tags.push(interval.tag().map(|tag| tag.as_str().to_owned()));
    }
    let nasty = "<b>&%22%27%1B[31m%2C%20%25%E2%80%AE".to_owned();
    assert_eq!(
        tags,
        [Some("GET%20/a%2C%20b".to_owned()), Some(nasty), None]
    );
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut have) = (Vec::new(), 0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let digit = DIGITS.iter().position(|digit| *digit == byte).unwrap();
        bits = bits << 6 | u32::try_from(digit).unwrap();
        have += 6;
        if have >= 8 {
            have -= 8;
            bytes.push((bits >> have & 0xff) as u8);
        }
    }
    bytes
}

#[test]
fn prometheus_is_told_buckets_that_add_up() {
    let latency = LatencyMeter::new();
    for key in 0..100 {
        latency.begin(key);
        latency.end(&key, "quick");
    }
    let snapshot = latency.snapshot();
    let mut text = Vec::new();
    snapshot.write_prometheus(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let value = |line: &str| -> f64 {
        let line = text.lines().find_map(|this| this.strip_prefix(line));
        line.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
    };
    let quick = r#"{title="latency",label="quick"} "#;
    assert_eq!(
        value(&format!("hotprobe_latency_seconds_count{quick}")).to_string(),
        "100"
    );
    let sum = snapshot.label("quick").unwrap().sum().as_secs_f64();
    assert!((value(&format!("hotprobe_latency_seconds_sum{quick}")) - sum).abs() < 1e-12);
    // Each bucket has what the ones before have; and what the percentiles say.
    let buckets: Vec<(f64, u64)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("hotprobe_latency_seconds_bucket{le=\""))
        .map(|line| {
            let (bound, rest) = line.split_once('"').unwrap();
            let count = rest.rsplit_once(' ').unwrap().1;
            (
                bound.parse().unwrap_or(f64::INFINITY),
                count.parse().unwrap(),
            )
        })
        .collect();
    assert_eq!(buckets.len(), 26, "{text}");
    assert!(
        text.contains(r#"_bucket{le="+Inf",title="latency",label="quick"} 100"#),
        "{text}"
    );
    assert!(
        text.contains("# TYPE hotprobe_latency_begins_total counter\n"),
        "{text}"
    );
    assert!(
        buckets
            .windows(2)
            .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1),
        "{buckets:?}"
    );
    let max = snapshot.label("quick").unwrap().max().as_secs_f64();
    let min = snapshot.label("quick").unwrap().min().as_secs_f64();
    for (bound, count) in buckets {
        if bound >= max {
            assert_eq!(count, 100, "{bound} {max}");
        } else if bound < min {
            assert_eq!(count, 0, "{bound} {min}");
        }
    }
    assert_eq!(
        value(r#"hotprobe_latency_begins_total{title="latency",result="matched"} "#).to_string(),
        "100"
    );
}

#[test]
fn a_label_is_no_markup_and_no_syntax() {
    let snapshot = measured(&[(NASTY, 1), ("a\nb \\ \"c\"", 1)]);
    let mut svg = Vec::new();
    snapshot.write_svg(&mut svg).unwrap();
    let svg = String::from_utf8(svg).unwrap();
    assert!(
        !svg.contains("<b>") && svg.contains("&lt;b&gt;&amp;&quot;&#39;"),
        "{svg}"
    );
    assert!(svg.contains("<title>orders &lt;now&gt;</title>"));
    assert!(!svg.contains(|c: char| c.is_control() && c != '\n'));
    let mut text = Vec::new();
    snapshot.write_prometheus(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(r#"label="a\nb \\ \"c\""}"#), "{text}");
}

#[test]
fn counts_are_a_table_too() {
    hotprobe::event! { static SHOWN: fn(label: &str); }
    let session = Counts::new()
        .by(&SHOWN, "label")
        .max_labels(1)
        .start()
        .unwrap();
    (0..3).for_each(|_| fire!(SHOWN, "a\x07"));
    let table = session.snapshot().to_string();
    let lines: Vec<_> = table.lines().collect();
    assert!(
        lines[0].starts_with("event ") && lines[0].ends_with("  count  per second"),
        "{table}"
    );
    assert!(lines[1].starts_with(SHOWN.name()), "{table}");
    assert!(
        lines[3].starts_with(&format!("{} by label  count", SHOWN.name())),
        "{table}"
    );
    assert!(lines[4].starts_with("a\\u{7} "), "{table}");
    assert_eq!(lines.len(), 5, "{table}");
    fire!(SHOWN, "b");
    let table = session.snapshot().to_string();
    assert!(
        table.contains("count too high by at most")
            && table.contains("of 4; labels that are not listed: 4 at most each"),
        "{table}"
    );
}

#[test]
fn a_file_is_written_by_its_ending() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("profile-written");
    std::fs::create_dir_all(&directory).unwrap();
    let snapshot = measured(&[("a", 1)]);
    let mut expected = [const { Vec::new() }; 3];
    snapshot.write_hlog(&mut expected[0]).unwrap();
    snapshot.write_svg(&mut expected[1]).unwrap();
    snapshot.write_prometheus(&mut expected[2]).unwrap();
    for (name, expected) in ["x.hlog", "x.SVG", "x.prom"].iter().zip(expected) {
        snapshot.save(directory.join(name)).unwrap();
        assert_eq!(
            std::fs::read(directory.join(name)).unwrap(),
            expected,
            "{name}"
        );
    }
    snapshot.save(directory.join("x.txt")).unwrap();
    assert_eq!(
        std::fs::read_to_string(directory.join("x.txt")).unwrap(),
        snapshot.to_string()
    );

    let error = snapshot.save(directory.join("x.png")).unwrap_err();
    assert!(matches!(error, ProfileError::UnknownFormat { .. }));
    assert_eq!(
        error.to_string(),
        format!(
            "cannot tell the format from the extension of `{}`; use `.hlog` for an HDR log, `.svg` for a picture, `.prom` for \
             Prometheus' text, or `.txt` for the table",
            directory.join("x.png").display()
        )
    );
    assert!(!directory.join("x.png").exists());
    let nowhere = directory.join("nowhere").join("x.svg");
    let error = snapshot.save(&nowhere).unwrap_err();
    assert!(matches!(error, ProfileError::Io { .. }));
    assert_eq!(
        error.to_string(),
        format!("`{}` could not be written", nowhere.display())
    );
    assert!(std::error::Error::source(&error).is_some(), "{error:?}");

    hotprobe::event! { static SAVED: fn(); }
    let counts = Counts::new().event(&SAVED).start().unwrap().snapshot();
    counts.save(directory.join("counts.prom")).unwrap();
    assert_eq!(
        counts
            .save(directory.join("counts"))
            .unwrap_err()
            .to_string(),
        format!(
            "cannot tell the format from the extension of `{}`; use `.prom` for Prometheus' text, or `.txt` for the table",
            directory.join("counts").display()
        )
    );
}

/// A reader that has the file open when it is saved again reads the old one to its end: were it
/// written in place, there would be nothing of it any more, or a part.
#[test]
fn each_saved_file_is_replaced_as_a_whole() {
    use std::io::Read as _;
    hotprobe::event! { static REPLACED: fn(); }
    let directory = tempfile::TempDir::new().unwrap();
    let counts = Counts::new().event(&REPLACED).start().unwrap();
    let stacks = Stacks::at(&REPLACED).start().unwrap();
    fire!(REPLACED);
    let latency = measured(&[("a", 2)]);
    let (counts, stacks) = (counts.snapshot(), stacks.snapshot());
    let check = |name: &str, save: &dyn Fn(&Path) -> Result<(), ProfileError>| {
        let path = directory.path().join(name);
        save(&path).unwrap();
        let expected = std::fs::read(&path).unwrap();
        assert!(!expected.is_empty(), "{name}");
        let old = "the old one";
        std::fs::write(&path, old).unwrap();
        let mut reader = std::fs::File::open(&path).unwrap();
        save(&path).unwrap();
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        assert_eq!(read, old, "{name}");
        assert_eq!(std::fs::read(&path).unwrap(), expected, "{name}");
        std::fs::remove_file(&path).unwrap();
    };
    for name in ["a.prom", "a.hlog", "a.svg", "a.txt"] {
        check(name, &|path| latency.save(path));
    }
    for name in ["b.prom", "b.txt"] {
        check(name, &|path| counts.save(path));
    }
    for name in ["c.pb.gz", "c.folded", "c.svg"] {
        check(name, &|path| stacks.save(path));
    }
    let left = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(left, 0, "no temporary file stays");
}
