#!/usr/bin/env python3
"""Checks CONTRIBUTING.md's table of planted bugs: what it names is there, so that each place to plant is found.

The table is the one whose head is `| plant | should be noticed by |`. In each row:

* Left, texts in backquotes. One that has a `/` or ends in `.rs`, `.html`, `.patch` or the like is a file (or a glob of files):
  it is there. One without a `/` is beside the last one that has one. Any other names code: `function`, `Type::method`,
  `macro!`. What comes before a file in the row has to be in that file, each identifier of it as a word; with no file after
  it, it is prose. Prose in backquotes that is no identifier (`.part`, `#[inline(always)]`) has only to be spelt as code.
* Right, texts in backquotes. A path is a file, and it is there: a script (`ci/profile.sh`, maybe with arguments), a test file. A path
  with `::` is a test, `module::test` or only `module`: the last part is a function or a module of a test, and the
  part before it is a module or a file of tests. Anything else is prose; but each row has one of these.

    planted.py [ROOT]      prints each row that is wrong; exit status 1 if there is one
"""
import re
import sys
from pathlib import Path

root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1])
HEAD = "| plant | should be noticed by |"
FILE = re.compile(r"[\w.*/-]+\.(rs|html|patch|sh|toml|py|mjs)")

tests = {path: path.read_text() for pattern in (
    "tests/**/*.rs", "crates/*/tests/**/*.rs", "crates/*/src/**/*.rs", "examples/tests/**/*.rs", "src/**/*.rs",
) for path in root.glob(pattern) if "/target/" not in path.as_posix()}


def is_module(name):
    return any(path.stem == name or path.parent.name == name or re.search(rf"\bmod {name}\b", text)
               for path, text in tests.items())


def missing_test(name):
    """What is not there of `module::test` or `module`, or None."""
    *before, last = name.split("::")
    # (A test may be made by `proptest!`, which writes `fn` as well.)
    homes = [path for path, text in tests.items() if re.search(rf"\bfn {last}\b", text)]
    if not homes and not is_module(last):
        return last
    for module in before:
        if not is_module(module) and not (root / f"crates/hotprobe-{module}").exists():
            return module
    if homes and before and not is_module(last) and not any(
        before[-1] in (path.stem, path.parent.name, path.parts[-3], path.parts[-4].removeprefix("hotprobe-"))
        or re.search(rf"\bmod {before[-1]}\b", tests[path]) for path in homes
    ):
        return f"{last} in {before[-1]}"
    return None


def check(row):
    left, right = (re.findall(r"`([^`]+)`", cell) for cell in row)
    waiting, folder, files = [], None, 0
    for text in left:
        if not FILE.fullmatch(text):
            waiting.append(text)
            continue
        files += 1
        path = text if "/" in text or folder is None else f"{folder}/{text}"
        found = sorted(root.glob(path))
        if not found:
            yield f"no file {path}"
        folder = path.rpartition("/")[0]
        for place in found:
            code = place.read_text()
            for name in waiting:
                if not re.fullmatch(r"[A-Za-z_]\w*(::\w+)*[!?]?(\(\))?", name):
                    continue
                for word in re.findall(r"\w+", name):
                    if not re.search(rf"\b{word}\b", code):
                        yield f"no `{word}` in {path}"
        waiting = []
    if not files and not any(FILE.search(text) or text.startswith(("ci/", "crates/")) for text in right):
        yield "no file"
    named = 0
    for text in right:
        path = text.split(" ")[0]
        if "/" in path or FILE.fullmatch(path):
            named += 1
            if not any(root.glob(path)):
                yield f"no file {path}"
        elif re.fullmatch(r"\w+(::\w+)*", text):
            named += 1
            if missing := missing_test(text):
                yield f"no test or module {missing} (of {text})"
    if not named and "example" not in row[1]:
        yield "nothing that would notice it"


def main():
    lines = (root / "CONTRIBUTING.md").read_text().splitlines()
    if HEAD not in lines:
        sys.exit(f"ci/planted.py: CONTRIBUTING.md has no table `{HEAD}`")
    at, rows, wrong = lines.index(HEAD) + 2, 0, 0
    while at < len(lines) and lines[at].startswith("|"):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", lines[at].strip().strip("|"))]
        problems = ["not two columns"] if len(cells) != 2 else list(dict.fromkeys(check(cells)))
        rows += 1
        for problem in problems:
            wrong += 1
            print(f"CONTRIBUTING.md:{at + 1}: {problem}: {lines[at]}", file=sys.stderr)
        at += 1
    if rows < 10:
        sys.exit(f"ci/planted.py: {rows} rows: is the table whole?")
    if wrong:
        sys.exit(f"ci/planted.py: {wrong} places that the table of planted bugs names are not there")
    print(f"{rows} planted bugs: each place, and each test that should notice, is there")


main()
