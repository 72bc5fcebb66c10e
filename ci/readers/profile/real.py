"""What readers that we did not write find in the files of the example `profile`, against what it printed, and what its clients saw.

Usage: real.py DIRECTORY      with printed.txt, picture.json, svg.json, and what pprof said
"""

import collections
import json
import re
import sys
import urllib.parse
from pathlib import Path

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

out = Path(sys.argv[1])
printed = (out / "printed.txt").read_text()
SERVICE = "profile::service::"
# Which handler has the store do what.
HANDLERS = {"create": "Put", "read": "Get", "list": "Scan", "report": "Sum"}
UNITS = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}


def whole(cell):
    """A count as the tables have it: 7,174."""
    return int(cell.replace(",", ""))


def same(what, found, wanted):
    if found != wanted:
        sys.exit(f"ci/profile: {what}: found {found!r}, expected {wanted!r}")


def table(heading):
    """Of the table under the line that begins so: its rows, up to an empty line or one that is no row."""
    lines = printed[printed.index("\n" + heading) + 1 :].splitlines()[1:]
    rows = {}
    for line in lines:
        name, *cells = re.split(r" {2,}", line.strip())
        if not cells:
            break
        rows[name] = cells
    if not rows:
        sys.exit(f"ci/profile: no table `{heading}` in what was printed")
    return rows


def read_hlog():
    """The histogram of each route."""
    reader = HistogramLogReader(str(out / "latency.hlog"), HdrHistogram(1, 60_000_000_000, 2))
    found = {}
    while (histogram := reader.get_next_interval_histogram()) is not None:
        found[urllib.parse.unquote(histogram.get_tag())] = histogram
    return found


def hlog():
    """Counts and percentiles of each route."""
    found = read_hlog()
    rows = table("request ")
    same("routes in the HDR log", sorted(found), sorted(rows))
    for route, (count, *percentiles) in rows.items():
        same(f"count of {route} in the HDR log", found[route].get_total_count(), whole(count))
        for percent, cell in zip([50, 90, 99, 100], percentiles):
            number, unit = cell.split()
            ours = float(number) * UNITS[unit]
            # Which of two neighbours it is, is a matter of rounding; a bucket is a hundredth wide;
            # three digits are printed.
            least, most = (found[route].get_value_at_percentile(min(p, 100)) for p in (percent, percent + 100 / whole(count)))
            if not 0.98 * least < ours < 1.02 * most:
                sys.exit(f"ci/profile: p{percent} of {route}: {least} to {most} ns as read, {cell} as printed")
    return f"{len(found)} routes in the HDR log"


def metrics():
    """Counts. (promtool has read it before.)"""
    found = {}
    for line in (out / "metrics.txt").read_text().splitlines():
        if match := re.match(r"(hotprobe_\w+)\{(.*)\} (\S+)$", line):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', match[2]))
            found[match[1], labels.get("event"), labels.get("label"), labels.get("le")] = float(match[3])
    events = table("event  ")
    same("events", len(events), 6)
    for event, (count, _) in events.items():
        same(f"firings of {event}", found["hotprobe_firings_total", event, None, None], whole(count))
    ended = next(event for event in events if event.endswith("::REQUEST_END"))
    for route, (count, *_) in table("request ").items():
        same(f"requests to {route}", found["hotprobe_latency_seconds_count", None, route, None], whole(count))
        same(f"their bucket {route}", found["hotprobe_latency_seconds_bucket", None, route, "+Inf"], whole(count))
        same(f"requests counted to {route}", found["hotprobe_firings_by_label_total", ended, route, None], whole(count))
    return f"{len(found)} metrics"


def clients():
    """The side by side table: counts are equal, and a request takes its client longer than the server, which it contains."""
    rows = {route: cells for route, cells in table("as measured by").items() if len(cells) == 7}
    same("routes of the clients", sorted(rows), sorted(table("request ")))
    for route, cells in rows.items():
        same(f"clients' requests to {route}", cells[1], cells[0])
    outside = {route: float(cells[6]) for route, cells in rows.items()}
    # How much longer is the network's share, and the waiting for a thread: printed, since it
    # depends on the machine.
    print("outside the server, in µs:", ", ".join(f"{route} {us}" for route, us in outside.items()))
    if min(outside.values()) <= 0:
        sys.exit(f"ci/profile: between the clients' mean latency and the server's, in µs: {outside}")
    return {route: whole(cells[1]) for route, cells in rows.items()}


def stacks(asked):
    """pprof and folded stacks: who asks the store for how many orders."""
    firings, orders = map(int, re.search(r"^(\d+) firings of \S+ by \d+ stacks, (\d+) orders;", printed, re.M).groups())
    functions = {}
    for line in printed[printed.index("the functions that fire:") :].splitlines()[2:]:
        if not (row := re.match(r" *(\d+) +(\d+)  (\S.*)", line)):
            break
        functions[row[3]] = (int(row[1]), int(row[2]))
    same("functions that fire", {name.removeprefix(SERVICE) for name in functions},
         {f"Store::{name}::{{{{closure}}}}::{{{{closure}}}}" for name in ("put", "get", "scan", "add")})
    for index, (unit, total) in enumerate([("count", firings), ("weight", orders)]):
        top = (out / f"top-{unit}.txt").read_text()
        same(f"total {unit} of pprof", int(re.search(r"of (\d+) total$", top, re.M)[1]), total)
        flat = {}
        for line in top.splitlines():
            row = re.match(r"\s*(\d+)\s+[\d.]+%\s+[\d.]+%\s+\d+\s+[\d.]+%\s+(\S.*?)(?: \((?:partial-)?inline\))?$", line)
            if row and int(row[1]):
                flat[row[2]] = int(row[1])
        same(f"functions of pprof -top, {unit}", flat, {name: row[index] for name, row in functions.items()})

    tags = collections.Counter()
    for row in re.finditer(r"^ *(\d+)(?:\.0)? \( *[\d.]+%\): (\w+)", (out / "tags.txt").read_text(), re.M):
        tags[row[2]] += int(row[1])
    same("operations of pprof -tags", set(tags), set(HANDLERS.values()))
    same("orders of all operations", sum(tags.values()), orders)
    # By what the clients asked: one each, and ten at most.
    same("orders put", tags["Put"], asked["POST /orders"])
    same("orders got", tags["Get"], asked["GET /orders/{id}"])
    if not 0 < tags["Scan"] <= 10 * asked["GET /orders"]:
        sys.exit(f"ci/profile: {tags['Scan']} orders in {asked['GET /orders']} lists")
    source = (Path(__file__).parents[3] / "examples/live_server/service.rs").read_text().splitlines()
    lines = [number for number, text in enumerate(source, 1) if "|orders| fire!(STORE_END" in text]
    placed = re.findall(r"Store::\w+::\{\{closure\}\}::\{\{closure\}\} \S*service\.rs:(\d+)", (out / "raw.txt").read_text())
    same("lines that fire", sorted(set(map(int, placed))), lines)

    folded, handlers = 0, collections.Counter()
    for line in (out / "stacks.folded").read_text().splitlines():
        stack, value = line.rsplit(" ", 1)
        folded += int(value)
        names = stack.split(";")
        if any("hotprobe::" in name or "__fire" in name for name in names):
            sys.exit(f"ci/profile: a frame of hotprobe: {stack}")
        called = [name for name in HANDLERS if f"{SERVICE}{name}::{{{{closure}}}}" in names]
        same(f"handlers on {stack}", len(called), 1)
        handlers[HANDLERS[called[0]]] += int(value)
    same("orders of folded stacks", folded, orders)
    same("orders by handler", handlers, tags)
    return orders, tags


def flame(orders, tags):
    """The browser shows the handlers as wide as what they ask for."""
    looked = json.loads((out / "svg.json").read_text())
    same("requests of the flame graph", looked["requests"], [])
    same("errors of the flame graph", looked["errors"], [])
    widths, texts = collections.Counter(), {}
    for frame in looked["frames"]:
        name = frame["title"].rsplit("\n", 1)[0]
        widths[name] += frame["width"] / looked["full"]
        texts[name] = max(texts.get(name, ""), frame["text"], key=len)
    handlers = {name: widths[f"{SERVICE}{name}::{{{{closure}}}}"] for name in HANDLERS}
    widest = max(handlers, key=handlers.get)
    same("the widest handler", HANDLERS[widest], max(tags, key=tags.get))
    for name, operation in HANDLERS.items():
        # What is narrower than half of a pixel is put together.
        if abs(handlers[name] - tags[operation] / orders) > 0.02:
            sys.exit(f"ci/profile: {name} is {handlers[name]:.3f} of the picture wide; it has {tags[operation]} of {orders} orders")
    shown = texts[f"{SERVICE}{widest}::{{{{closure}}}}"]
    if widest not in shown:
        sys.exit(f"ci/profile: the frame of {widest}, the widest handler, shows {shown!r}")
    return f"{len(looked['frames'])} frames, {widest} is {handlers[widest]:.0%} of them wide"


def histograms():
    """The browser shows each route's, the slowest first."""
    rows = table("request ")
    medians = {route: histogram.get_value_at_percentile(50) for route, histogram in read_hlog().items()}
    for page in json.loads((out / "picture.json").read_text()):
        same("title of the histograms", page["title"], "request")
        same("labels of the histograms", sorted(page["labels"]), sorted(rows))
        # By p50, of the file: what is printed has three digits.
        shown = [medians[route] for route in page["labels"]]
        same("p50 of the histograms, from top to bottom", shown, sorted(shown, reverse=True))
        same("pairs in the histograms", page["pairs"], sum(whole(row[0]) for row in rows.values()))
        same("outside the histograms", page["outside"], [])
        same("overlapping text", page["overlapping"], [])
    return f"{len(rows)} histograms"


asked = clients()
print(f"read: {hlog()}; {metrics()}; ", end="")
totals = stacks(asked)
print(f"{totals[0]} orders in pprof and folded stacks; {flame(*totals)}; {histograms()}")
