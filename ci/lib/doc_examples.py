#!/usr/bin/env python3
"""Checks that the documentation shows how to use what is public.

* Each public struct, enum, trait, macro and function of a published crate has an example in its own docs.
* Each public method of a public type has an example, or an example of the crate calls it, or it is trivial:
  it takes nothing but `self`, and at most one argument of a plain type.

It reads what rustdoc has just written, so it sees what users see. Hidden items, and lines of examples that begin
with `#`, do not count.

    doc_examples.py DOC [CRATE]...     DOC is target/doc; prints what has no example; exit status 1 if there is any
"""
import html
import re
import sys
from pathlib import Path

# Items without an example, as CRATE::NAME. Each needs a reason on its line.
EXCEPTIONS = set()

EXAMPLE = re.compile(r'<pre class="rust rust-example-rendered"><code>(.*?)</code></pre>', re.S)
METHOD = re.compile(r'<section id="method\.(\w+)" class="method">(.*?)(?=<section id="|<h2 id="trait-implementations"|\Z)', re.S)


def text(part):
    return html.unescape(re.sub(r"<[^>]*>", "", part))


def plain(signature):
    """Whether a method is trivial: `new()`, or one that returns what the type has, or a setter of one value."""
    parameters = re.search(r"fn \w+(?:<[^(]*>)?\((.*)\)", signature, re.S)
    arguments = [part.strip() for part in re.split(r",\s*(?![^<(]*[>)])", parameters[1])] if parameters else []
    arguments = [part for part in arguments if part and not re.fullmatch(r"&?(?:'\w+ )?(?:mut )?self", part)]
    return not arguments or len(arguments) == 1 and not re.search(r"dyn|Fn|Event|Write|Path", arguments[0])


def missing(crate, pages, others):
    """Returns how many items and methods there are, and which have no example. `others` are pages that only have examples."""
    examples = "\n".join(text(example) for page in [*pages.values(), *others] for example in EXAMPLE.findall(page))
    wrong, methods = [], 0
    for path, page in pages.items():
        kind, name, _ = path.rsplit("/", 1)[-1].split(".")
        # The docs of the item itself end where its fields, variants or methods begin.
        own = re.split(r'<h2 id="(?:fields|variants|implementations|required-methods|provided-methods|dyn-compatibility'
                       r'|implementors|trait-implementations)"|<section id="(?:method|variant|tymethod)\.', page)[0]
        if not EXAMPLE.search(own) and f"{crate}::{name}" not in EXCEPTIONS:
            wrong.append(f"{crate}: {kind} {path}: no example")
        inherent = page.split('<h2 id="trait-implementations"')[0].split('<h2 id="deref-methods')[0]
        for method, rest in METHOD.findall(inherent) if kind in ("struct", "enum") else ():
            methods += 1
            signature = text(re.search(r'<h4 class="code-header">(.*?)</h4>', rest, re.S)[1])
            shown = EXAMPLE.search(rest) or re.search(rf"(?:\.|::){method}\b", examples)
            if not shown and not plain(signature):
                wrong.append(f"{crate}: method {name}::{method}: no example calls it")
    return len(pages), methods, wrong


root, crates = Path(sys.argv[1]), [name.replace("-", "_") for name in sys.argv[2:]]
items, methods, wrong, noticed = 0, 0, [], 0
for crate in crates:
    folder = root / crate
    # What is listed, and no page that an earlier build has left.
    listed = set(re.findall(r'href="([^"#]+\.html)"', (folder / "all.html").read_text()))
    pages = {path: (folder / path).read_text() for path in sorted(listed)
             if re.match(r"(struct|enum|trait|fn|macro)\.", path.rsplit("/", 1)[-1])}
    found = missing(crate, pages, [path.read_text() for path in folder.rglob("index.html")])
    items, methods, wrong = items + found[0], methods + found[1], wrong + found[2]
    # Planted: the same pages without their examples. Each item of them has to be noticed.
    bare = missing(crate, {path: EXAMPLE.sub("", page) for path, page in pages.items()}, [])[2]
    if not pages or sum("no example calls it" not in line for line in bare) + len(EXCEPTIONS) < len(pages):
        sys.exit(f"doc_examples.py: {crate}: {len(pages)} items without examples, and {len(bare)} are noticed")
    noticed += len(bare)
for line in wrong:
    print(line)
print(f"{items} public items and {methods} methods, {len(wrong)} without an example")
print(f"planted: without any example, {noticed} are noticed")
sys.exit(bool(wrong))
