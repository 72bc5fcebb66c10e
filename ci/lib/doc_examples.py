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

# Without an example of their own. Each needs a reason.
TYPES = {}

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


root, crates = Path(sys.argv[1]), [name.replace("-", "_") for name in sys.argv[2:]]
wrong, items, methods = [], 0, 0
for crate in crates:
    folder = root / crate
    listed = re.findall(r'href="([^"#]+\.html)"', (folder / "all.html").read_text())
    pages = {
        path: (folder / path).read_text()
        for path in sorted(set(listed))
        if re.match(r"(struct|enum|trait|fn|macro)\.", path.rsplit("/", 1)[-1])
    }
    if not pages:
        sys.exit(f"{folder / 'all.html'}: lists nothing")
    everything = "".join(path.read_text() for path in folder.rglob("index.html")) + "".join(pages.values())
    examples = "\n".join(text(example) for example in EXAMPLE.findall(everything))
    for path, page in pages.items():
        kind, name, _ = path.rsplit("/", 1)[-1].split(".")
        items += 1
        # The type's own docs end where its fields, variants or methods begin.
        own = re.split(r'<h2 id="(?:fields|variants|implementations|required-methods|provided-methods|dyn-compatibility'
                       r'|implementors|trait-implementations)"|<section id="(?:method|variant|tymethod)\.', page)[0]
        if not EXAMPLE.search(own) and f"{crate}::{name}" not in TYPES:
            wrong.append(f"{crate}: {kind} {path}: no example")
        inherent = page.split('<h2 id="trait-implementations"')[0].split('<h2 id="deref-methods')[0]
        for method, rest in METHOD.findall(inherent) if kind in ("struct", "enum") else ():
            methods += 1
            signature = text(re.search(r'<h4 class="code-header">(.*?)</h4>', rest, re.S)[1])
            shown = EXAMPLE.search(rest) or re.search(rf"(?:\.|::){method}\b", examples)
            if not shown and not plain(signature):
                wrong.append(f"{crate}: method {name}::{method}: no example calls it")
for line in wrong:
    print(line)
print(f"{items} public items and {methods} methods, {len(wrong)} without an example")
sys.exit(bool(wrong))
