#!/usr/bin/env python3
"""Checks the layers inside each crate, and where `unsafe` and loom may be (`docs::design`, "A map of the source").

    layers.py [ROOT]           checks the tree at ROOT; prints each violation; exit status 1 if there is one
    layers.py --edges [ROOT]   prints which module uses which, by crate

The rules:

* In the core, `rcu/` uses `sync`, `metadata`, `options` and `error`, and nothing else of ours from outside `rcu/`.
* In the core, the leaves (`metadata`, `options`, `value`, `error`, `sync`) use nothing of ours.
* In the core, the modules outside `rcu/` have no cycle; in each crate of crates/, no module has one, but for
  `ALLOWED_CYCLES`.
* `unsafe` is in the core's `rcu/`, `place.rs` and `sync.rs`, in the benches' floors and peers, and in at most one file
  of any other crate. `unsafe_code` is allowed in a `lib.rs`, a `main.rs` or a file that may contain `unsafe`.
* `crossbeam_loom` and `loom::` are in a crate's `sync.rs`, and in the core's `macros.rs` and `lib.rs`.

What counts as a use: a module is a file. It uses the module that *defines* what one of its paths names: `use` with
groups, globs and renames, `pub use`, paths inside expressions and macros (`$crate` is `crate`), `self`, `super` and
`super::super`. A name that is re-exported is followed to where it is defined, so `crate::Event` is a use of `event`,
not of `lib.rs`. A glob uses what the file names of it.

What does not count: comments, strings, whatever is under `#[cfg(test)]`, a file that declares a child (`mod child;`),
and a file that re-exports from its descendants (`pub use child::Item;`) without naming `Item` anywhere else: it is a
front page, and its children may use what it defines. As soon as it names the item, it uses the child.
"""
import re
import sys
from collections import defaultdict
from pathlib import Path

# Cycles that an API asks for, by crate: these modules, and no others, may reach one another.
ALLOWED_CYCLES = {
    # `RecordError` gives back the recording or the trace that could not be finished (Rust API
    # guidelines: errors return what was passed in), and both return it.
    "crates/hotprobe-record/src": {"error", "recording", "trace"},
}
LEAVES = {"metadata", "options", "value", "error", "sync"}
BELOW_RCU = {"sync", "metadata", "options", "error"}
UNSAFE_IN_CORE = re.compile(r"src/(rcu/.*|place|sync)\.rs$")
UNSAFE_IN_BENCHES = re.compile(r"benches/(.*/)?(floors|peers)(/.*)?(\.rs)?$")
LOOM_IN_CORE = re.compile(r"src/(sync|macros|lib)\.rs$")

TOKEN = re.compile(
    r"""
      (?P<space>\s+ | //[^\n]*)
    | (?P<block>/\*)
    | (?P<raw>\b(?:br|cr|r)(?P<hashes>\#*)")
    | (?P<string>[bc]?"(?:[^"\\]|\\.)*")
    | (?P<char>b?'(?:[^'\\\n]|\\(?:[^u\n]|u\{[0-9a-fA-F_]+\}))')
    | (?P<life>'[A-Za-z_]\w*)
    | (?P<word>(?:r\#)?[A-Za-z_]\w*)
    | (?P<number>[0-9][\w.]*?(?=\.\.|[^\w.]|$))
    | (?P<sign>::|.)
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(text):
    """The code's tokens as (kind, text, line): `word`, `string` (with its quotes) and `sign`."""
    found, at, line = [], 0, 1
    while at < len(text):
        match = TOKEN.match(text, at)
        kind, end = match.lastgroup if match.lastgroup != "hashes" else "raw", match.end()
        if kind == "block":
            depth = 1
            while depth and end < len(text):
                if text.startswith("/*", end):
                    depth, end = depth + 1, end + 2
                elif text.startswith("*/", end):
                    depth, end = depth - 1, end + 2
                else:
                    end += 1
        elif kind == "raw":
            close = '"' + match["hashes"]
            end = text.index(close, end) + len(close)
        if kind in ("word", "sign", "string"):
            found.append((kind, text[at:end].removeprefix("r#") if kind == "word" else text[at:end], line))
        line += text.count("\n", at, end)
        at = end
    return found


def without_tests(code):
    """Leaves out each item that is under `#[cfg(test)]` or `#[cfg(all(test, …))]`."""
    kept, at = [], 0
    while at < len(code):
        if code[at][1] == "#" and is_test(code, at):
            at = end_of_item(code, at)
        else:
            kept.append(code[at])
            at += 1
    return kept


def is_test(code, at):
    texts = [text for _, text, _ in code[at : at + 8]]
    return texts[:5] == ["#", "[", "cfg", "(", "test"] or texts[:7] == ["#", "[", "cfg", "(", "all", "(", "test"]


def end_of_item(code, at):
    while at < len(code) and code[at][1] == "#":
        at = end_of_group(code, at + (2 if code[at + 1][1] == "!" else 1))
    until_semicolon = False
    while at < len(code):
        text = code[at][1]
        if text in ("use", "static", "const", "let", "type", "extern"):
            # (`const fn`, `extern "C" fn` and `extern "C" {}` have a body.)
            until_semicolon = not any(word == "fn" for _, word, _ in code[at : at + 5]) and text != "extern"
        if text == ";":
            return at + 1
        if text in ("}", ")", "]"):
            return at
        if text == "{" and not until_semicolon:
            return end_of_group(code, at)
        at = end_of_group(code, at) if text in ("{", "(", "[") else at + 1
    return at


def end_of_group(code, at):
    depth = 0
    while at < len(code):
        depth += (code[at][1] in "([{") - (code[at][1] in ")]}") if code[at][0] == "sign" else 0
        at += 1
        if depth == 0:
            return at
    return at


class Module:
    """A module, which may be inside a file (`unit` is the file's module)."""

    def __init__(self, path, parent, unit):
        self.path, self.parent = path, parent
        self.unit = unit or self
        self.children = {}
        self.names = {}  # NAME: (base module or None, segments, line, is public): what `use` brings
        self.globs = []  # (segments, line)
        self.defined = set()


class Crate:
    def __init__(self, root):
        self.files = {}  # unit: file
        self.words = {}  # unit: how often each word is in it, outside `use`
        self.macros = {}  # NAME: the module that defines it; `#[macro_export]` names them `crate::NAME`
        self.paths = []  # (module, segments, line)
        self.edges = defaultdict(dict)  # unit: {unit: [(line, path)]}
        self.top = Module((), None, None)
        self.read(root, self.top, root.parent)
        self.link()

    def read(self, file, module, folder):
        """Reads a file's module; its child modules' files are in `folder`."""
        code = without_tests(tokens(file.read_text()))
        self.files[module] = file
        self.words.setdefault(module, defaultdict(int))
        current, stack, at, attributes = module, [], 0, []
        folders = [folder]
        while at < len(code):
            kind, text, line = code[at]
            after = [part[1] for part in code[at + 1 : at + 5]]
            if text == "path" and code[at - 1][1] in ("[", ",") and after[0] == "=" and after[2] in ("]", ")"):
                attributes.append(after[1].strip('"'))
            elif text in (";", "}"):
                attributes = []
            if text == "mod" and len(after) > 1 and after[1] in (";", "{") and code[at + 1][0] == "word":
                name = after[0]
                # (Two of one name are of two configurations; both count.)
                child = current.children.setdefault(
                    name, Module(current.path + (name,), current, current.unit if after[1] == "{" else None))
                if after[1] == "{":
                    stack.append(current)
                    folders.append(folders[-1] / name)
                    current = child
                else:
                    # `#[path]` is relative to the folder of the file that says it. (With `cfg_attr`
                    # there may be two.)
                    places = [file.parent / given for given in attributes] or [
                        place for place in (folders[-1] / f"{name}.rs", folders[-1] / name / "mod.rs") if place.exists()]
                    if not places:
                        sys.exit(f"ci/layers.py: {file}:{line}: where is `mod {name};`?")
                    for found in places:
                        self.read(found, child, found.parent if found.name == "mod.rs" else found.with_suffix(""))
                attributes = []
                at += 3
                continue
            if text == "use" and kind == "word" and after[:1] != ["<"]:
                at = self.imports(code, at, current)
                continue
            if text == "{":
                stack.append(None)
            elif text == "}" and stack:
                back = stack.pop()
                if back is not None:
                    current = back
                    folders.pop()
            if kind == "word":
                self.words[module][text] += 1
                if code[at - 1][1] in ("struct", "enum", "trait", "fn", "type", "static", "const", "union") or (
                    code[at - 1][1] == "!" and code[at - 2][1] == "macro_rules"
                ):
                    current.defined.add(text)
                    if code[at - 1][1] == "!":
                        self.macros.setdefault(text, current)
                if after[:1] == ["::"] and (at == 0 or code[at - 1][1] not in ("::", ".", "in")):
                    segments, end = [text], at + 1
                    while end + 1 < len(code) and code[end][1] == "::" and code[end + 1][0] == "word":
                        segments.append(code[end + 1][1])
                        self.words[module][code[end + 1][1]] += 1
                        end += 2
                    self.paths.append((current, segments, line))
                    at = end
                    continue
            at += 1

    def imports(self, code, at, module):
        """Reads a `use`; each of its leaves is a name in the module, or a glob."""
        public = at > 0 and (code[at - 1][1] == "pub" or (code[at - 1][1] == ")" and any(
            part[1] == "pub" for part in code[max(0, at - 8) : at])))
        at += 1
        if code[at][1] == "::":
            while code[at][1] != ";":
                at += 1
            return at + 1

        def tree(at, prefix):
            while True:
                text, line = code[at][1], code[at][2]
                if text == "{":
                    at += 1
                    while code[at][1] != "}":
                        at = tree(at, prefix)
                        if code[at][1] == ",":
                            at += 1
                    return at + 1
                if text == "*":
                    module.globs.append((prefix, line))
                    return at + 1
                if text == "$":
                    at += 1
                    continue
                segments = prefix + [text]
                at += 1
                if code[at][1] == "::":
                    at, prefix = at + 1, segments
                    continue
                if segments[-1] == "self" and len(segments) > 1:
                    segments = segments[:-1]
                name = segments[-1]
                if code[at][1] == "as":
                    name, at = code[at + 1][1], at + 2
                module.names.setdefault(name, []).append((segments, line, public))
                return at

        at = tree(at, [])
        while at < len(code) and code[at][1] != ";":
            at += 1
        return at + 1

    def resolve(self, module, segments, seen=()):
        """The module that defines what the path names, or None if it is nobody's of this crate."""
        if (module, tuple(segments)) in seen or not segments:
            return None
        seen = (*seen, (module, tuple(segments)))
        first, rest = segments[0], segments[1:]
        if first == "crate":
            return self.within(self.top, rest, seen)
        if first == "self":
            return self.within(module, rest, seen)
        if first == "super":
            return self.within(module.parent, rest, seen) if module.parent else None
        if first in module.children or first in module.names:
            return self.within(module, segments, seen)
        return None

    def within(self, module, segments, seen):
        if not segments:
            return module
        first, rest = segments[0], segments[1:]
        if first == "super":
            return self.within(module.parent, rest, seen) if module.parent else None
        if first == "self":
            return self.within(module, rest, seen)
        if not rest and first in module.defined:
            # (A module may be called the same, as in `grace`, which imports `rcu::reclaim` and
            # defines `reclaim()`.)
            return module
        if first in module.children:
            return self.within(module.children[first], rest, seen)
        for path, _, _ in module.names.get(first, ()):
            found = self.resolve(module, path + rest, seen)
            if found is not None:
                return found
            if path[0] not in ("crate", "self", "super"):
                return None
        if first not in module.defined:
            for path, _ in module.globs:
                source = self.resolve(module, path, seen)
                if source is not None and (first in source.defined or first in source.names or first in source.children):
                    return self.within(source, segments, seen)
        if module is self.top and first not in module.defined and first in self.macros:
            return self.macros[first]
        return module

    def link(self):
        def modules(module):
            yield module
            for child in module.children.values():
                yield from modules(child)

        for module in modules(self.top):
            for name, uses in module.names.items():
                for segments, line, public in uses:
                    target = self.resolve(module, segments)
                    if target is None:
                        continue
                    below = target.path[: len(module.unit.path)] == module.unit.path
                    if below and public and not self.words[module.unit][name]:
                        continue  # a front page
                    self.add(module, target, line, segments)
            for segments, line in module.globs:
                source = self.resolve(module, segments)
                if source is None:
                    continue
                below = source.path[: len(module.unit.path)] == module.unit.path
                if not below:
                    self.add(module, source, line, [*segments, "*"])
                for name in [*source.defined, *source.names, *source.children]:
                    if self.words[module.unit][name]:
                        target = self.within(source, [name], ())
                        if target is not None:
                            self.add(module, target, line, [*segments, name])
        for module, segments, line in self.paths:
            target = self.resolve(module, segments)
            if target is not None and not (segments[0] in ("self", "Self") and len(segments) == 1):
                self.add(module, target, line, segments)

    def add(self, module, target, line, segments):
        user, used = module.unit, target.unit
        if user is not used:
            self.edges[user].setdefault(used, []).append((line, "::".join(segments)))


def cycles(nodes, edges):
    """One cycle, a shortest, of each set of modules that reach one another."""
    reach = {}
    for node in nodes:
        seen, todo = set(), [node]
        while todo:
            for other in edges.get(todo.pop(), ()):
                if other in nodes and other not in seen:
                    seen.add(other)
                    todo.append(other)
        reach[node] = seen
    done = set()
    for node in nodes:
        if node in done or node not in reach[node]:
            continue
        together = [other for other in nodes if other in reach[node] and node in reach[other]]
        done.update(together)
        best = None
        for start in together:
            before, todo = {start: None}, [start]
            for at in todo:
                if start in edges.get(at, ()) and (best is None or len(before) >= 1):
                    path = [at]
                    while before[path[-1]] is not None:
                        path.append(before[path[-1]])
                    path.reverse()
                    if best is None or len(path) < len(best):
                        best = path
                    break
                for other in edges.get(at, ()):
                    if other in together and other not in before:
                        before[other] = at
                        todo.append(other)
        yield best, together


def show(module):
    return "::".join(module.path) or "the root"


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--edges"]
    root = Path(arguments[0] if arguments else Path(__file__).parents[1]).resolve()
    wrong = []

    def at(file, line):
        return f"{file.relative_to(root)}:{line}"

    roots = [root / "src/lib.rs"]
    for folder in sorted((root / "crates").glob("*/src")):
        roots.append(folder / ("lib.rs" if (folder / "lib.rs").exists() else "main.rs"))
    for top in roots:
        crate = Crate(top)
        core = top == roots[0]
        if "--edges" in sys.argv:
            print(top.relative_to(root))
            for user, used in crate.edges.items():
                print(f"  {show(user)} -> {', '.join(sorted(show(other) for other in used))}")
            continue
        outside = [module for module in crate.files if not (core and module.path[:1] == ("rcu",))]
        if core:
            for user, used in crate.edges.items():
                for other, line, path in [(other, *use) for other, uses in used.items() for use in sorted(set(uses))]:
                    inside = user.path[:1] == ("rcu",)
                    if inside and other.path[:1] != ("rcu",) and show(other) not in BELOW_RCU:
                        wrong.append(f"{at(crate.files[user], line)}: rcu/ may not use `{show(other)}` (`{path}`)")
                    if show(user) in LEAVES:
                        wrong.append(f"{at(crate.files[user], line)}: a leaf uses nothing of ours (`{path}`)")
        for path, together in cycles(outside, crate.edges):
            steps = []
            for user, used in zip(path, path[1:] + path[:1]):
                line, name = crate.edges[user][used][0]
                steps.append(f"    {at(crate.files[user], line)}: {show(user)} uses {show(used)} (`{name}`)")
            if {show(module) for module in together} == ALLOWED_CYCLES.get(top.parent.relative_to(root).as_posix()):
                continue
            others = [show(module) for module in together if module not in path]
            more = f" (of {len(together)} modules; also {', '.join(others)})" if others else ""
            wrong.append(f"{top.parent.relative_to(root)}: a cycle{more}:\n" + "\n".join(steps))

    if "--edges" in sys.argv:
        return
    unsafe_of = defaultdict(set)
    for file in sorted([*root.glob("src/**/*.rs"), *root.glob("crates/*/src/**/*.rs"), *root.glob("benches/**/*.rs"),
                        *root.glob("examples/**/*.rs"), *root.glob("ci/checks/**/*.rs")]):
        name = file.relative_to(root).as_posix()
        if "/target/" in name:
            continue
        core, bench = name.startswith("src/"), name.startswith("benches/")
        may = UNSAFE_IN_CORE.match(name) if core else UNSAFE_IN_BENCHES.match(name) if bench else None
        code = tokens(file.read_text())
        for index, (kind, text, line) in enumerate(code):
            if kind != "word":
                continue
            after = code[index + 1][1] if index + 1 < len(code) else ""
            if text == "unsafe" and not may:
                if name.startswith("crates/"):
                    unsafe_of[name.split("/src/")[0]].add(name)
                else:
                    wrong.append(f"{name}:{line}: `unsafe` is not allowed here")
            if text == "unsafe_code" and not may and file.name not in ("lib.rs", "main.rs") and not name.startswith("crates/"):
                wrong.append(f"{name}:{line}: `unsafe_code` is not to be allowed here")
            if text == "crossbeam_loom" or (text == "loom" and after == "::"):
                if not (LOOM_IN_CORE.match(name) if core else re.match(r"crates/[^/]+/src/sync\.rs$", name)):
                    wrong.append(f"{name}:{line}: loom is known to `sync.rs` only (in the core also to macros.rs and lib.rs)")
    for crate, files in unsafe_of.items():
        if len(files) > 1:
            wrong.append(f"{crate}: `unsafe` in more than one file: {', '.join(sorted(files))}")

    for violation in wrong:
        print(violation, file=sys.stderr)
    if wrong:
        sys.exit(f"ci/layers.py: {len(wrong)} violations")
    print(f"{len(roots)} crates: layers, no cycles; `unsafe` and loom are where they may be")


if __name__ == "__main__":
    main()
