#!/usr/bin/env bash
# Plain English: no more of the phrases in ci/english.txt than there were, no more comments wider than 100 columns, no
# more summaries that do not say what the function does. A reader who has to read a sentence twice doubts the rest.
# How it counts: ci/english.py.
#
# Usage: ci/english.sh             checks the tree, and then the check itself     (two seconds)
#        ci/english.sh --all       shows everything that is left to rewrite
#        ci/english.sh --lower     lowers the numbers in ci/english.txt to those found
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python3 ci/english.py "$@"

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/ci"
sed -E 's/^ *[0-9]+  /0  /' ci/english.txt >"$copy/ci/english.txt"

plant() { # FILE LINES: stdin becomes FILE, and the hits in it are in LINES; in none, without them
    local line
    mkdir -p "$(dirname "$copy/$1")"
    cat >"$copy/$1"
    for line in ${2:-}; do
        expected+=("$1:$line")
    done
}

expected=()
wide=$(printf 'word %.0s' {1..25})
plant src/comment.rs 1 <<<'// Whoever reads this.'
plant src/two_lines.rs 1 <<<$'//! A comment inside\n//! of a crate.'
plant src/behind.rs 1 <<<'const A: char = '\''"'\''; // nought'
plant src/message.rs 2 <<<$'const A: &str = "no event\n    is told \\"of\\" it";'
plant src/wide.rs 1 <<<"// $wide"
plant src/summary.rs 1 <<<$'/// The value.\n///\n/// # Panics\n#[must_use]\npub const fn f() {}'
plant guide.md 3 <<<$'# Guide\n\nIt goes on.'
plant CHANGELOG.md 3 <<<$'## [Unreleased]\n\n- whence\n\n## [0.1.0]\n\n- whence'
plant script.sh 1 <<<'# Waits for a time.'
plant script.py 1 <<<"# $wide"
plant page.html 1 <<<'<p>so many events</p>'
plant page.js 1 <<<'say("press Escape, or else");'
plant Cargo.toml 1 <<<'# as many as there are'

# And what is none of them is not taken for one.
plant tests/expects.rs <<<'const A: &str = "is told"; // a message'
plant src/code.rs <<<'fn whoever() { shall::tells(); let nought = "a"; } // the end'
plant src/apart.rs <<<$'// inside\n\n// of\nfn f() {} // so\nfn g() {} // many'
plant src/table.rs <<<"//! | $wide |"
plant src/verb.rs <<<$'/// Returns it.\n#[cfg_attr(\n    unix,\n    inline\n)]\npub fn f() {}\npub fn undocumented() {}'
plant src/unit_tests.rs <<<$'#[cfg(test)]\nmod tests {\n    const A: &str = "is told";\n}'

found=$(python3 ci/english.py "$copy" 2>&1 | sed -nE 's/^    ([^ ]+): .*/\1/p' | sort || true)
if ! diff <(printf '%s\n' "${expected[@]}" | sort) <(echo "$found") >&2; then
    echo 'ci/english.sh: planted, and not noticed (<), or taken for a phrase (>)' >&2
    exit 1
fi
echo "${#expected[@]} planted phrases are noticed"
