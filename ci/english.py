#!/usr/bin/env python3
"""Counts the phrases of ci/english.txt in the prose of the tree.

    english.py [ROOT]            prints the hits of each rule that has more than its number: those in lines that changed
                                 since ci/english.txt did, or all; exit status 1 if there is such a rule
    english.py --all [ROOT]      prints the hits of every rule
    english.py --lower [ROOT]    also lowers the numbers of ci/english.txt to those found

A rule with fewer hits than its number is named, and does not fail: two branches may each remove a phrase.

Prose is Markdown, HTML, scripts and manifests; of Rust, the comments, and the string literals outside tests (errors,
`--help`); of planted bugs, what is above the patch. Released sections of CHANGELOG.md are history. A phrase may continue
on the next line.

A line of ci/english.txt is a number, a regular expression (case does not matter; a space matches any white space),
` -> `, and what to write instead. Two rules are not phrases: `<wide>` is a comment of more than 100 columns (tables,
link definitions and single words, which cannot wrap, excepted), and `<summary>` is a summary of a `pub fn` that does
not begin with a verb in the third person.
"""
import re
import subprocess
import sys
from bisect import bisect_right
from collections import defaultdict
from pathlib import Path

WIDTH = 100
SUFFIXES = (".rs", ".md", ".sh", ".py", ".html", ".js", ".mjs", ".toml", ".patch")

# The prose of a Rust file, and the characters that could be taken for the beginning of a string.
RUST = re.compile(
    r"""
      (?P<comment>//[^\n]*)
    | (?P<block>/\*.*?\*/)
    | (?P<raw>\b(?:br|cr|r)(?P<hashes>\#*)".*?"(?P=hashes))
    | (?P<string>[bc]?"[^"\\]*(?:\\.[^"\\]*)*")
    | (?P<char>b?'(?:[^'\\\n]|\\(?:[^u\n]|u\{[0-9a-fA-F_]+\}))')
    """,
    re.VERBOSE | re.DOTALL,
)
MARKER = re.compile(r"\s*(//[/!]?|#+)? ?")
PUBLIC_FUNCTION = re.compile(r"\s*pub (?:(?:const|async|unsafe) )*fn (\w+)")
VERB = re.compile(r"[A-Z][a-z]+(?:-[a-z]+)?s\b")
# Words that end like verbs in the third person.
NOT_VERBS = {"Always", "As", "Bytes", "Events", "Has", "Is", "Its", "Labels", "Nanoseconds", "Probes", "Seconds",
             "This", "Was"}


class Prose:
    """What is to be read of the tree: one text, and where each of its lines comes from."""

    def __init__(self):
        self.parts, self.begins, self.places, self.length = [], [], [], 0
        self.wide, self.summaries = [], []

    def add(self, name, lines):
        """Adds a paragraph: (number, text) of consecutive lines."""
        for number, line in lines:
            self.begins.append(self.length)
            self.places.append(f"{name}:{number}")
            self.parts.append(line.strip() + "\n")
            self.length += len(self.parts[-1])
        # No phrase continues in the next paragraph.
        self.parts.append("\0\n")
        self.length += 2

    def hits(self, text, pattern):
        for match in pattern.finditer(text):
            around = text[max(0, match.start() - 30) : match.end() + 30].replace("\0", "").replace("\n", " ").strip()
            yield f"{self.places[bisect_right(self.begins, match.start()) - 1]}: {around}"


def tracked(root):
    """The names of the tracked files; without git, of all."""
    try:
        git = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
        names = git.stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        names = []
    names = names or [file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()]
    for name in sorted(names):
        ours = not name.startswith("ci/english.") and not re.search(r"(^|/)(target|\.git)/", name)
        if ours and (name == ".ci/run" or name.endswith(SUFFIXES)) and (root / name).is_file():
            yield name


def paragraphs(lines):
    """Runs of lines without an empty one."""
    run = []
    for number, line in lines:
        if line.strip():
            run.append((number, line))
        elif run:
            yield run
            run = []
    if run:
        yield run


def is_wide(line):
    text = line[MARKER.match(line).end() :].strip()
    return len(line) > WIDTH and " " in text and not text.startswith("|") and not re.match(r"\[[^]]+\]: ", text)


def rust(name, text, prose):
    # Tests quote the messages that they expect: those count where they are written.
    messages_end = 0 if re.search(r"(^|/)tests/", name) else text.find("#[cfg(test)]\nmod tests {") % (len(text) + 1)
    comments, line, at = [], 1, 0
    for match in RUST.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        kind, found = match.lastgroup, match[0]
        if kind == "comment":
            begin = text.rfind("\n", 0, at) + 1
            own_line = not text[begin:at].strip()
            if own_line and is_wide(text[begin : match.end()]):
                prose.wide.append(f"{name}:{line}: {found[:60]}…")
            # A comment behind code, and one that isn't below the last, begin a paragraph.
            if comments and (comments[-1][0] != line - 1 or not own_line):
                comments.append((line - 1, ""))
            comments.append((line, found[MARKER.match(found).end() :]))
        elif kind == "block":
            prose.add(name, enumerate(found.split("\n"), line))
        elif kind != "char" and at < messages_end:
            prose.add(name, [(number, part.removesuffix("\\")) for number, part in enumerate(found.split("\n"), line)])
    for run in paragraphs(comments):
        prose.add(name, run)


def summaries(name, lines, prose):
    """Finds the summary of each `pub fn`: above it, behind its attributes."""
    for at, line in enumerate(lines):
        function = PUBLIC_FUNCTION.match(line)
        if not function:
            continue
        above = at - 1
        while above >= 0 and not lines[above].lstrip().startswith("///") and not re.search(r"^\s*$|[{};]$", lines[above]):
            above -= 1
        if above < 0 or not lines[above].lstrip().startswith("///"):
            continue
        while above > 0 and lines[above - 1].lstrip().startswith("///"):
            above -= 1
        first = lines[above].strip().removeprefix("///").strip()
        verb = VERB.match(first)
        if not verb or verb[0] in NOT_VERBS:
            prose.summaries.append(f"{name}:{above + 1}: `{function[1]}`: {first}")


def read(root, name, prose):
    text = (root / name).read_text(encoding="utf-8")
    lines = text.split("\n")
    if name.endswith(".rs"):
        rust(name, text, prose)
        if re.match(r"(crates/[^/]+/)?src/", name):
            summaries(name, lines, prose)
        return
    if name.endswith(".patch"):
        lines = lines[: next((at for at, line in enumerate(lines) if line.startswith("--- ")), len(lines))]
    elif name.endswith("CHANGELOG.md"):
        released = [at for at, line in enumerate(lines) if re.match(r"## \[(?!Unreleased)", line)]
        lines = lines[: released[0] if released else len(lines)]
    elif not name.endswith((".md", ".html")):
        comment = "//" if name.endswith("js") else "#"
        for number, line in enumerate(lines, 1):
            if line.lstrip().startswith(comment) and is_wide(line):
                prose.wide.append(f"{name}:{number}: {line.strip()[:60]}…")
    if not name.endswith((".md", ".html")):
        lines = [line[MARKER.match(line).end() :] for line in lines]
    for run in paragraphs(enumerate(lines, 1)):
        prose.add(name, run)


def changed(root):
    """The lines that were written since ci/english.txt was, as `name:number`; none without git."""
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout

    lines, name = set(), ""
    try:
        since = git("log", "-1", "--format=%H", "--", "ci/english.txt").strip()
        diff = git("diff", "--unified=0", "--no-ext-diff", "--dst-prefix=b/", since) if since else ""
    except (OSError, subprocess.CalledProcessError):
        diff = ""
    for line in diff.splitlines():
        if line.startswith("+++ "):
            name = line.removeprefix("+++ b/")
        elif hunk := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line):
            begin = int(hunk[1])
            lines.update(f"{name}:{number}" for number in range(begin, begin + int(hunk[2] or 1)))
    return lines


def rules(file):
    """Each rule: the index of its line, the number allowed, the pattern, and what to write instead."""
    for at, line in enumerate(file.read_text(encoding="utf-8").split("\n")):
        if not line.strip() or line.startswith("#"):
            continue
        rule = re.fullmatch(r" *(\d+)  (.+?) -> (.+)", line)
        if not rule:
            sys.exit(f"ci/english.txt:{at + 1}: not a number, two spaces, a pattern, ` -> ` and what to write instead")
        yield at, int(rule[1]), rule[2], rule[3]


def main():
    flags = {argument for argument in sys.argv[1:] if argument.startswith("-")}
    folders = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if flags - {"--all", "--lower"} or len(folders) > 1:
        sys.exit(__doc__)
    root = Path(folders[0]) if folders else Path(__file__).resolve().parents[1]
    file = root / "ci/english.txt"

    prose = Prose()
    for name in tracked(root):
        read(root, name, prose)
    text = "".join(prose.parts)

    lines = file.read_text(encoding="utf-8").split("\n")
    exceeded = total = 0
    for at, allowed, pattern, instead in rules(file):
        if pattern == "<wide>":
            hits = prose.wide
        elif pattern == "<summary>":
            hits = prose.summaries
        else:
            hits = list(prose.hits(text, re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE)))
        total += len(hits)
        exceeded += len(hits) > allowed
        if len(hits) > allowed or "--all" in flags:
            print(f"{pattern}: {len(hits)} found, {allowed} allowed; write instead: {instead}")
            if len(hits) > allowed and "--all" not in flags:
                since = changed(root)
                # (What was written since then is to blame, if anything was.)
                hits = [hit for hit in hits if hit.split(": ")[0] in since] or hits
            print("".join(f"    {hit}\n" for hit in hits), end="")
        elif len(hits) < allowed and "--lower" in flags:
            lines[at] = f"{len(hits):5}  {pattern} -> {instead}"
        elif len(hits) < allowed:
            print(f"ci/english.txt:{at + 1}: {pattern}: {allowed} could be lowered to {len(hits)} (ci/english.sh --lower)")
    if "--lower" in flags:
        file.write_text("\n".join(lines), encoding="utf-8")
    if exceeded:
        sys.exit(f"ci/english.py: {exceeded} rules have more hits than ci/english.txt allows")
    print(f"{total} phrases left to rewrite, none new")


if __name__ == "__main__":
    main()
