"""What `ci/checks/src/bin/profile_check/stacks.rs` did, found again in what readers that we did not write say of its files.

Usage: stacks.py DIRECTORY dev|release|lines|v0
"""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

directory, build = Path(sys.argv[1]), sys.argv[2]
crate = "profile_check::stacks::"
OURS = re.compile(r"hotprobe::|__fire|fire_|__thunk|__dynamic|backtrace::(trace|libunwind)|\bfire\b|\btrace<")

# Of both threads: how often, how many bytes.
EXPECTED = {
    "store_small": (2000, 200_000, "/small"),
    "store_large": (200, 2_000_000, "/large"),
    "flush": (2000, 14_000, '/"<&>";'),
}


def read(name):
    return (directory / name).read_text()


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{directory}: {what}: found {found!r}, expected {expected!r}")


def none_of_ours(what, text):
    found = OURS.search(text)
    if found:
        line = text[: found.end()].count("\n")
        sys.exit(f"{directory}: {what} shows a frame of hotprobe: {text.splitlines()[line]}")


def function(name):
    """`flush` of `profile_check::stacks::flush`, of `profile_check::stacks::flush::<[u8; 4]>`, and of `flush<[u8; 4]>`."""
    return re.sub(r"^(flush)(::)?<\[u8[;:] 4\]>$", r"\1", name.removeprefix(crate))


# `pprof -top`: the innermost functions, in both units.
for index, unit in enumerate(["count", "weight"]):
    top = read(f"top-{unit}.txt")
    none_of_ours("pprof -top", top)
    flat = {}
    for line in top.splitlines():
        row = re.match(r"\s*(\d+)(?:B)?\s+[\d.]+%\s+[\d.]+%\s+(\d+)(?:B)?\s+[\d.]+%\s+(\S.*?)(?: \(inline\))?$", line)
        if row and int(row[1]):
            flat[function(row[3])] = int(row[1])
    same(f"pprof -top, {unit}", flat, {name: row[index] for name, row in EXPECTED.items()})

# `pprof -tags`: in bytes.
tags = read("tags.txt")
found = {}
for line in tags.splitlines():
    if head := re.match(r" *(\w+): Total ", line):
        key = head[1]
    elif row := re.match(r" *(\d+)(?:\.0)?B \( *[\d.]+%\): (.*)$", line):
        found[key, row[2]] = int(row[1])
same(
    "pprof -tags",
    found,
    {("route", label): size for _, size, label in EXPECTED.values()}
    | {("event", crate + "STORED"): 2_200_000, ("event", crate + "FLUSHED"): 14_000},
)

# `pprof -raw`: the head, the lines of a stack, where it lies.
raw = read("raw.txt")
none_of_ours("pprof -raw", re.sub(r"(?m)^.*\.so.*$|^Comment.*$|^hotprobe: .*$", "", raw))
for line in ["PeriodType: firings count", "Period: 1", "samples/count bytes/bytes[dflt]"]:
    if line not in raw.splitlines():
        sys.exit(f"{directory}: pprof -raw lacks `{line}`:\n{raw[:2000]}")
mapping = raw.split("Mappings\n")[1].splitlines()[0]
if "profile_check" not in mapping or not re.match(r"1: 0x[0-9a-f]+/0x[0-9a-f]+/0x[0-9a-f]+ /", mapping):
    sys.exit(f"{directory}: the first mapping is not the program's: {mapping}")
inlined = re.findall(r"(?m)^ +\d+: 0x[0-9a-f]+ M=1 .*\n +\S.* s=", raw)
placed = re.findall(r"(?m)store_small \S*stacks\.rs:(\d+)", raw)
if build == "release":
    same("lines without debug information", placed, [])
else:
    source = Path(__file__).parents[2] / "checks/src/bin/profile_check/stacks.rs"
    line = next(n for n, text in enumerate(source.read_text().splitlines(), 1) if 'fire!(STORED, "/small"' in text)
    same("the line that fires", set(placed), {str(line)})
if build in ("lines", "v0") and not inlined:
    sys.exit(f"{directory}: no location has an inlined function")

# Folded stacks.
folded = {}
for line in read("stacks.folded").splitlines():
    stack, value = line.rsplit(" ", 1)
    names = stack.split(";")
    none_of_ours("the folded stack", stack)
    if any(not name.strip() for name in names):
        sys.exit(f"{directory}: a frame without a name: {line}")
    if not any(function(name) == "serve" for name in names):
        sys.exit(f"{directory}: not called by `serve`: {line}")
    folded[function(names[-1])] = folded.get(function(names[-1]), 0) + int(value)
same("folded stacks", folded, {name: row[1] for name, row in EXPECTED.items()})

# The flame graph: XML; and what the browser made of it.
ElementTree.parse(directory / "stacks.svg")
looked = json.loads(read("svg.json"))
same("requests of the SVG", looked["requests"], [])
same("errors of the SVG", looked["errors"], [])
frames = {}
folded_frames = 0
for frame in looked["frames"]:
    none_of_ours("the SVG", frame["title"])
    name, numbers = frame["title"].rsplit("\n", 1)
    if not numbers:
        # The functions that all stacks share, one a line.
        folded_frames += 1
        continue
    frames[function(name)] = (frame, int(numbers.split()[0]))
same("frames with the functions that all stacks share", folded_frames, 1)
for name, (_, size, _) in EXPECTED.items():
    same(f"the SVG's bytes of {name}", frames[name][1], size)
    share = frames[name][0]["width"] / looked["full"]
    if abs(share - size / 2_214_000) > 0.002:
        sys.exit(f"{directory}: {name} is {share:.4f} of the picture wide")
if frames["store_large"][0]["text"] != "store_large" and "store_large" not in frames["store_large"][0]["text"]:
    sys.exit(f"{directory}: the widest frame shows {frames['store_large'][0]['text']!r}")
if not frames["store_large"][0]["bottom"] <= frames["serve"][0]["top"] + 0.5:
    sys.exit(f"{directory}: `store_large` does not lie upon `serve`")
for theme, (background, text) in looked["themes"].items():
    light = [sum(map(int, re.findall(r"\d+", colour)[:3])) > 382 for colour in (background, text)]
    same(f"light background and light text in the {theme} theme", light, [theme == "light", theme == "dark"])
if looked["colours"] < 20:
    sys.exit(f"{directory}: the picture has {looked['colours']} colours: is it empty?")
print(f"{build}: pprof, folded stacks and flame graph say what was done; {len(frames)} functions in the picture")
