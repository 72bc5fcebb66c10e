"""What profiles write, as readers that we did not write see it, against what was measured.

    verify.py hlog DIRECTORY          latency.hlog, by Python's `hdrhistogram`
    verify.py prometheus DIRECTORY    latency.prom, counts.prom, few.prom and all.prom, by `promtool`; all.openmetrics by
                                      Python's `prometheus_client`, which refuses a family or a series that is there twice
    verify.py picture DIRECTORY       what picture.mjs found in latency.svg
"""

import json
import re
import subprocess
import sys
import urllib.parse
from pathlib import Path

out = Path(sys.argv[2])
expected = json.loads((out / "expected.json").read_text())


def check(what, found, wanted):
    if found != wanted:
        sys.exit(f"ci/profile: {what}: found {found!r}, expected {wanted!r}")


def hlog():
    from hdrh.histogram import HdrHistogram
    from hdrh.log import HistogramLogReader

    reader = HistogramLogReader(str(out / "latency.hlog"), HdrHistogram(1, 60_000_000_000, 3))
    found = {}
    while (histogram := reader.get_next_interval_histogram()) is not None:
        label = urllib.parse.unquote(histogram.get_tag() or "")
        check(f"{label!r} is there once", label in found, False)
        found[label] = histogram
    check("labels", sorted(found), sorted(label["label"] for label in expected["labels"]))
    for label in expected["labels"]:
        name, histogram = label["label"], found[label["label"]]
        check(f"count of {name!r}", histogram.get_total_count(), label["count"])
        check(f"count of {name!r}, as it was fired", label["count"], label["fired"])
        # Each pair spins for as long: none took less, whatever the machine does. (A bucket is a
        # thousandth wide.)
        if label["min"] < 0.999 * label["at least"]:
            sys.exit(f"ci/profile: min of {name!r}: {label['min']} ns, though none took less than {label['at least']} ns")
        # Equal to the nanosecond, or what one of them calls the end of the same bucket.
        for what, ours, theirs in [
            *((f"p{percent}", value, histogram.get_value_at_percentile(percent)) for percent, value in label["percentiles"]),
            ("min", label["min"], histogram.get_min_value()),
            ("max", label["max"], histogram.get_max_value()),
        ]:
            if ours != theirs and not histogram.values_are_equivalent(ours, theirs):
                sys.exit(f"ci/profile: {what} of {name!r}: {theirs} as read, {ours} as measured")
    print(f"hdrhistogram (Python) reads {len(found)} labels, {sum(h.get_total_count() for h in found.values())} pairs")


SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\.)*)"(?:,|$)')


def samples(name):
    """name, labels, value of each sample"""
    escapes = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}
    for line in (out / name).read_text().splitlines():
        if line.startswith("#") or not line:
            continue
        match = SAMPLE.match(line)
        if not match:
            sys.exit(f"ci/profile: {name}: {line!r} is no sample")
        labels = {key: re.sub(r'\\.', lambda m: escapes[m[0]], value) for key, value in LABEL.findall(match[2] or "")}
        yield match[1], labels, float(match[3])


def prometheus():
    for name in ["latency.prom", "counts.prom", "few.prom", "all.prom"]:
        with open(out / name) as file:
            tool = subprocess.run(["promtool", "check", "metrics"], stdin=file, capture_output=True, text=True)
        if tool.returncode != 0 or tool.stdout.strip() or tool.stderr.strip():
            sys.exit(f"ci/profile: promtool check metrics <{name}: {tool.returncode}\n{tool.stdout}{tool.stderr}")
    found = {}
    for name, labels, value in samples("latency.prom"):
        check("title", labels["title"], expected["title"])
        found[name, labels.get("label"), labels.get("result"), labels.get("le")] = value
    for label in expected["labels"]:
        name = label["label"]
        check(f"count of {name!r}", found["hotprobe_latency_seconds_count", name, None, None], label["count"])
        check(f"bucket of {name!r}", found["hotprobe_latency_seconds_bucket", name, None, "+Inf"], label["count"])
        sum_ = found["hotprobe_latency_seconds_sum", name, None, None]
        if abs(sum_ - label["sum"]) > 1e-9:
            sys.exit(f"ci/profile: sum of {name!r}: {sum_}, expected {label['sum']}")
    counts = expected["counts"]
    check("matched", found["hotprobe_latency_begins_total", None, "matched", None], counts["matched"])
    check("open", found["hotprobe_latency_open_pairs", None, None, None], counts["open"])
    check("all begins", counts["begins"], counts["matched"] + counts["open"])
    counted = {(name, labels["event"], labels.get("label")): value for name, labels, value in samples("counts.prom")}
    received, done = expected["events"]
    check("received", counted["hotprobe_firings_total", received, None], counts["begins"])
    check("done", counted["hotprobe_firings_total", done, None], counts["ends"])
    for label in expected["labels"]:
        check(f"fired with {label['label']!r}", counted["hotprobe_firings_by_label_total", done, label["label"]], label["fired"])
        check("its error", counted["hotprobe_firings_by_label_error", done, label["label"]], 0)
    # Two of five: what is listed is too high by the error it reports, at most.
    few = {(name, labels["event"], labels.get("label")): value for name, labels, value in samples("few.prom")}
    listed = [key[2] for key in few if key[0] == "hotprobe_firings_by_label_total"]
    check("labels listed", len(listed), 2)
    fired = {label["label"]: label["fired"] for label in expected["labels"]}
    for label in listed:
        count, error = few["hotprobe_firings_by_label_total", done, label], few["hotprobe_firings_by_label_error", done, label]
        if not count - error <= fired[label] <= count:
            sys.exit(f"ci/profile: {label!r}: {count} - {error}, fired {fired[label]}")
    print(f"prometheus_client (Python) reads {together(found, counted)} series of all together")
    print(f"promtool finds nothing wrong; {len(found)} samples of latencies and {len(counted)} of counts are right")


def together(latencies, counted):
    """all.openmetrics has the latencies under two titles, the counts of the session that has all labels, and the process."""
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    found, families = {}, set()
    for family in text_string_to_metric_families((out / "all.openmetrics").read_text()):
        check(f"family {family.name} is there once", family.name in families, False)
        families.add(family.name)
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            check(f"{key} is there once", key in found, False)
            found[key] = sample.value
    # promtool has read it, but tells no values.
    text = {(name, tuple(sorted(labels.items()))): value for name, labels, value in samples("all.prom")}
    check("series", sorted(text), sorted(found))
    for key, value in text.items():
        # (What the process has done may grow in between.)
        if key[1]:
            check(key, value, found[key])
    title = expected["title"]
    for name, labels in found:
        labels = dict(labels)
        if name.startswith("hotprobe_latency_"):
            wanted = latencies[name, labels.get("label"), labels.get("result"), labels.get("le")]
            check("title", labels["title"] in (title, f"{title} (2)"), True)
        elif name == "hotprobe_firings_total":
            wanted = counted[name, labels["event"], None]
        elif name.startswith("hotprobe_firings_by_label_"):
            wanted = counted[name, labels["event"], labels["label"]]
        else:
            continue
        check(f"{name} {labels}", found[name, tuple(sorted(labels.items()))], wanted)
    return len(found)


def picture():
    found = json.loads((out / "picture.json").read_text())
    check("scheme and picture", [page["scheme"] for page in found], ["light", "dark"])
    for page in found:
        check("title", page["title"], expected["title"])
        check("text is text", page["scripts"], 0)
        # The slowest first, by p50; those with equal ones in the table's order.
        slowest = sorted(expected["labels"], key=lambda label: -dict(label["percentiles"])[50.0])
        labels = [label["label"].replace("\n", r"\n") or "(empty)" for label in slowest]
        check("labels", page["labels"], labels)
        # Each label's bars: together they are all of its pairs, and the tallest is where half of
        # the pairs are, roughly.
        check("pairs", page["pairs"], sum(label["count"] for label in expected["labels"]))
        check("outside the picture", page["outside"], [])
        check("overlapping text", page["overlapping"], [])
        if page["contrast"] < 4.5:
            sys.exit(f"ci/profile: the {page['scheme']} picture's text has a contrast of {page['contrast']:.1f}")
    check("the schemes differ", found[0]["paper"] == found[1]["paper"], False)
    print(f"Chromium shows {len(found[0]['labels'])} histograms with {found[0]['bars']} bars, light and dark")


{"hlog": hlog, "prometheus": prometheus, "picture": picture}[sys.argv[1]]()
